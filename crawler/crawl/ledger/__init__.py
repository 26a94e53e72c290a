"""The articles that a job found, fetched and stored over many runs: the frontier's memory and the
authoritative record. Independent of Scrapy.
"""
