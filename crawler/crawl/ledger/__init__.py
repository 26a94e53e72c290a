"""What a job found, fetched and stored, over many runs: the frontier's memory and the record of
truth. Knows nothing of Scrapy.
"""
