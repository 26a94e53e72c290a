"""Scrapy feeds: whole files, and exactly the records that a run, or a crawl that was killed and
went on, has stored.
"""
