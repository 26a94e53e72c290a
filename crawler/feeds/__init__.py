"""Scrapy feeds as complete files, with exactly the records that a run has stored.

The same holds for a crawl that is killed and resumed.
"""
