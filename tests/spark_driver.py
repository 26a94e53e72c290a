"""A program for ``spark-submit`` that runs one job after the other: see ``spark_jobs.Driver``.

It connects to the Unix socket that its argument names, on which it reads the words of each job,
and writes its exit code, as lines of JSON.
"""

import json
import socket
import sys

from crawler.spark.command import main

if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(sys.argv[1])
        with client.makefile("rw", encoding="utf-8") as jobs:
            for line in jobs:
                print(main(json.loads(line)), file=jobs, flush=True)
