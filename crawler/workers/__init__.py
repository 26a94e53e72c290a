"""Many workers on one job: several processes, on any number of machines, share one crawl.

Every process runs a *worker* crawl. It takes pages by lease from the database, fetches and reads
them, and delivers the results to the database. One of the processes, the holder of the job, also
runs the *writer* crawl: the ordinary crawl, with its frontier, item pipelines, ledger and feeds,
except that its downloads are done by the workers. What is fetched, and what becomes of it, is thus
decided as in a crawl of one process, in the same order.

When the process of the writer is gone, another one takes its place and continues the run.
"""
