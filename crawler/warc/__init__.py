"""Web archives in files: WARC (ISO 28500, 1.0 and 1.1), ARC and WACZ, read and written.

Knows nothing of Scrapy. A page is found in an index (CDXJ) and read with one seek; whatever is
read is checked against what its record says of itself.
"""
