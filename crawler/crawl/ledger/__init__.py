"""The articles that a job found, fetched and stored over many runs.

The ledger is the frontier's memory and the authoritative record. It does not depend on Scrapy.
"""
