"""``scrapy serve``: saved pages as a mirror on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scrapy.exceptions import UsageError

from crawler.errors import CrawlerError
from crawler.offline_commands import OfflineCommand
from crawler.program import as_typed
from crawler.terminal import say

_PORT = 8000


class Command(OfflineCommand):
    def syntax(self) -> str:
        return "FOLDER [--port PORT] [--site NAME]"

    def short_desc(self) -> str:
        return "Serve a folder of saved pages as a mirror, for trying --base-url"

    def long_desc(self) -> str:
        return (
            f"{self.short_desc()}. The pages have the paths that they had on the publisher's "
            "server. Only this machine can reach the mirror, until Ctrl-C stops it."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--port",
            default=str(_PORT),
            help=f"the port to listen on, or 0 for any (default: {_PORT}; example: --port 8080)",
        )
        parser.add_argument(
            "--site",
            metavar="NAME",
            help="the name or path of a publisher file, if the pages have only its ids "
            "(default: alalam; example: --site alalam)",
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        from crawler.crawl.source_kinds import path_exists
        from crawler.extraction.directory import Choice, Publishers
        from crawler.mirror import HOST, Mirror, server_of
        from crawler.setting_values import most_bytes
        from crawler.sources.folder import SavedPages

        assert self.settings is not None
        if len(args) != 1:
            raise UsageError(f"takes one folder: {self.syntax()}", print_help=False)
        (folder,) = args
        if not path_exists(folder):
            raise CrawlerError(f"folder: got {folder!r}, which does not exist")
        if not (opts.port.isascii() and opts.port.isdigit() and int(opts.port) < 2**16):
            raise CrawlerError(f"port: got {opts.port!r}, takes a number from 0 to 65535")
        publishers = Publishers(Choice(opts.site, folder=self.settings.get("PUBLISHERS")))
        mirror = Mirror(SavedPages(Path(folder), publishers, most_bytes(self.settings)), publishers)
        if not mirror.articles:
            raise CrawlerError(f"folder: got {folder!r}, where no page has an address")
        try:
            server = server_of(mirror, int(opts.port))
        except OSError as error:
            raise CrawlerError(
                f"port: {opts.port} is not available ({error.strerror}); give another with --port",
                exit_code=1,
            ) from error
        root = f"http://{HOST}:{server.server_port}"
        left_out = f" ({mirror.without_address:,} without an address left out)"
        count = len(mirror.articles)
        pages = "saved page" if count == 1 else "saved pages"
        say(
            f"serving {count:,} {pages} of {folder} at {root}"
            f"{left_out if mirror.without_address else ''}; Ctrl-C stops it"
        )
        first, url = next(iter(mirror.articles.items()))
        seed = first if publishers.home.own_id(first) else url
        say(f"try: {as_typed('crawl articles')} {seed} --base-url {root}")
        sys.stdout.flush()
        with server:
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                say("stopped")
