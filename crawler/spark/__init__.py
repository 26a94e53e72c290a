"""Reads the articles of any number of archive files on Apache Spark.

    spark-submit crawler/spark/__init__.py s3://bucket/warcs/ -o s3://bucket/records/

The job reads articles with the very code that a crawl with ``seed=all`` uses. See ``job`` for its
steps, and docs/tutorials/spark.md for how to run it.
"""

if __name__ == "__main__":
    import sys

    # Executors can only run functions that they import, not those of the submitted program.
    from crawler.spark.command import main

    sys.exit(main())
