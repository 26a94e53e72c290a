"""Scrapy feeds as complete files, with exactly the records stored by a run, or by a killed and
resumed crawl.
"""
