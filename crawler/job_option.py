"""The option ``--job FOLDER`` of the commands that write or read a job."""

import argparse


def add_job_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--job FOLDER``, which stands for ``-s JOBDIR=FOLDER``, to a command's options."""
    parser.add_argument(
        "--job",
        dest="set",
        action="append",
        type="JOBDIR={}".format,
        metavar="FOLDER",
        help="the folder of a job, with its ledger; the same as -s JOBDIR=FOLDER "
        "(default: none; example: --job output/jobs/news)",
    )
