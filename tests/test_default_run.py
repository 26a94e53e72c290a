"""Plain ``pytest`` runs a test of each program and service that the project works with."""

from importlib import import_module

import pytest
from services import SERVICES

TESTED = {
    "PHP": "vardump_php.dumps_of_php_are_read_back",
    "Xdebug": "vardump_php.dumps_of_xdebug_are_read_back",
    "cron": "cron.the_crontab_lines",
    "faketime": "cron.the_crontab_lines",
    "strace": "power.files",
    "curl": "archive_writing.pywb_replays_an_archive_byte_for_byte",
    "wget": "archive.a_warc_made_by_wget",
    "HTTrack": "saved_forms.files_with_links_to_each_other",
    "ip": "connections.a_name_server_that_lies",
    "PostgreSQL": "postgresql.the_same_output_as_with_sqlite",
    "Spark": "spark.the_same_records_as_a_crawl",
    "Chromium": "rendering.the_same_records_as_without_rendering",
    "SingleFile": "saved_forms.pages_saved_by_a_program",
    "pywb": "archive_writing.pywb_replays_an_archive_byte_for_byte",
    "Splash": "rendering.the_same_records_as_without_rendering",
    "mounts": "feeds.a_disk_that_fills",
    "device files": "feeds.a_device_is_written_to",
    "an HTTP server": "crawl_live.pages_that_cannot_be_fetched",
    "an object store": "spark.the_same_records_as_a_crawl",
    "TLS": "tls.a_direct_connection",
    "a proxy": "passwords.the_password_of_a_proxy",
    "a terminal": "progress.one_live_line_on_a_terminal",
    "a Wayback Machine": "wild_wayback.the_newest_capture_hides_no_older_one",
    "archive files": "archive.the_same_records_from_every_source",
    "kills": "kill.killed_at_a_write_point",
    "power cuts": "power.files",
    "exports": "exports.a_folder_of_tables",
    "Datasette": "exports.datasette",
    "Frictionless": "exports.frictionless",
    "the report in a browser": "report_graph.click_selects_and_the_panel_tells_about_the_node",
    "axe-core": "report_graph.axe_finds_nothing",
    "Scrapyd": "scrapy_users.scrapyd",
    "settings of Scrapy users": "scrapy_users.settings_of_a_user",
    "properties": "frontier.the_order_of_responses_changes_nothing",
}
"""By service or kind of test, a module and a test in it, each without ``test_``."""
# Only pages of the docs that are slow to run need these.
OF_SLOW_TESTS = {"MkDocs", "git", "jq", "sqlite3"}


def test_each_service_has_an_entry() -> None:
    assert set(SERVICES) - OF_SLOW_TESTS <= set(TESTED)


@pytest.mark.parametrize("name", TESTED)
def test_the_test_is_not_slow(name: str) -> None:
    module_name, test_name = TESTED[name].split(".")
    module = import_module(f"test_{module_name}")
    test = getattr(module, f"test_{test_name}")
    marks = [*getattr(module, "pytestmark", []), *getattr(test, "pytestmark", [])]
    assert "slow" not in [mark.name for mark in marks]
