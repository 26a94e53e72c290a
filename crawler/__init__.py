"""Crawl the neighbourhood of one news article: fetch it, follow its related items, keep clean records."""
