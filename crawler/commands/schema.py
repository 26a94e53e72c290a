"""``scrapy schema``: the JSON Schema of the records."""

import argparse
import json
import sys

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler.errors import CrawlerError
from crawler.program import as_typed
from crawler.terminal import output, say


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[article|teaser|failure]"

    def short_desc(self) -> str:
        return "Print the JSON Schema of one kind of record, or of all kinds"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        from crawler.items import RECORDS, json_schema

        if unknown := [kind for kind in args if kind not in RECORDS]:
            raise UsageError(
                f"no such kind of record: {unknown[0]!r}; takes {', '.join(RECORDS)}",
                print_help=False,
            )
        schema = (
            json_schema(args[0])
            if len(args) == 1
            else {kind: json_schema(kind) for kind in args or RECORDS}
        )
        try:
            with output():
                print(json.dumps(schema, indent=2, ensure_ascii=False))
        except CrawlerError as error:
            say(f"{as_typed('schema')}: {error}", sys.stderr)
            self.exitcode = error.exit_code
