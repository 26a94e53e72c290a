"""Read WARC (ISO 28500, 1.0 and 1.1), ARC and WACZ files, and write WARC files.

Does not depend on Scrapy. A page is looked up in an index (CDXJ) and read with one seek;
every record is checked against its own headers.
"""
