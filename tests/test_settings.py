"""Settings on the command line: accepted values, and unknown names."""

from typing import Any

import pytest
from scrapy.settings import BaseSettings, Settings

from crawler import settings as project
from crawler.errors import CrawlerError
from crawler.middlewares.parsing import reader_processes
from crawler.setting_values import most_bytes, seconds_of, seconds_setting, server_named
from crawler.settings_check import check_values, misspelt

SECONDS = ("takes seconds, 0 or more", ["0", "0.5", 2, "1e3"], ["-1", "inf", "nan", "x", ""])
NUMBER = ("takes a number", ["0", "0.5", 2, "-1"], ["inf", "nan", "abc"])
WHOLE = ("takes a whole number", ["0", "5", "-1", 7], ["1.5", "never", "", "inf"])
SWITCH = ("takes 1 or 0", ["0", "1", "true", "False", " 1 ", True], ["maybe", "yes", "2", ""])
KINDS = {
    "RETRY_BACKOFF": SECONDS,
    "DOWNLOAD_DELAY": SECONDS,
    "WAYBACK_DELAY": SECONDS,
    "CRAWL_DELAY_MAX": SECONDS,
    "RETRY_AFTER_MAX": SECONDS,
    "LEDGER_SYNC_INTERVAL": SECONDS,
    "DOWNLOAD_TIMEOUT": NUMBER,
    "AUTOTHROTTLE_TARGET_CONCURRENCY": NUMBER,
    "RETRY_TIMES": WHOLE,
    "SITE_DOWN_AFTER": WHOLE,
    "CONCURRENT_REQUESTS": WHOLE,
    "ROBOTSTXT_OBEY": SWITCH,
    "CSV_ESCAPE_FORMULAS": SWITCH,
    "COOKIES_ENABLED": SWITCH,
}
CASES = [
    (name, value, None if value in accepted else requirement)
    for name, (requirement, accepted, rejected) in KINDS.items()
    for value in (*accepted, *rejected)
]


def settings_with(name: str, value: Any, priority: str = "cmdline") -> BaseSettings:
    settings = Settings()
    settings.setmodule(project, priority="project")
    settings.set(name, value, priority=priority)
    return settings


@pytest.mark.parametrize(("name", "value", "requirement"), CASES)
@pytest.mark.parametrize("priority", ["project", "cmdline"])
def test_values(name: str, value: Any, requirement: str | None, priority: str) -> None:
    settings = settings_with(name, value, priority)
    if requirement is None:
        check_values(settings)
        return
    with pytest.raises(CrawlerError) as caught:
        check_values(settings)
    assert (str(caught.value), caught.value.exit_code) == (
        f"{name}: got {value!r}, {requirement}",
        2,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # RECHECK_MIN has a stricter check of its own.
        ("RECHECK_MIN", "soon"),
        # None is the default of the first, and means "not set" for the second.
        ("WAYBACK_CDX_URL", None),
        ("RETRY_TIMES", None),
        # Settings without a known type.
        ("SPLASH_URL", 5),
        ("MY_OWN", "x"),
    ],
)
def test_values_that_are_checked_elsewhere(name: str, value: Any) -> None:
    check_values(settings_with(name, value))


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("DOWNLOAD_DELY", "DOWNLOAD_DELAY"),
        ("RECHEK_MIN", "RECHECK_MIN"),
        ("JOBDIRS", "JOBDIR"),
        ("SPLASH_USERS", "SPLASH_USER"),
        ("MY_OWN_SETTING", None),
        ("DOWNLOAD_SPEED", None),
        ("DOWNLOAD_DELAY", None),
        ("JOBDIR", None),
    ],
)
def test_names(name: str, suggestion: str | None) -> None:
    message = f"{name}: no such setting, so it has no effect; did you mean {suggestion}?"
    assert list(misspelt(settings_with(name, 1))) == ([message] if suggestion else [])
    # A settings module may be shared with other programs, so its names are not checked.
    assert list(misspelt(settings_with(name, 1, "project"))) == []


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan"])
def test_times_that_must_exceed_zero(value: str) -> None:
    with pytest.raises(CrawlerError, match=f"^X: got '{value}', takes seconds, more than 0$"):
        seconds_of(settings_with("X", value), "X")


def test_times() -> None:
    assert seconds_of(settings_with("X", "0.25"), "X") == 0.25
    assert seconds_setting(settings_with("X", "-1"), "X") == -1
    for value in ("soon", ""):
        with pytest.raises(CrawlerError, match=f"^X: got '{value}', takes seconds$"):
            seconds_of(settings_with("X", value), "X")


@pytest.mark.parametrize(("value", "limit"), [("100", 100), (1, 1), (0, 1 << 62)])
def test_the_largest_page(value: object, limit: int) -> None:
    assert most_bytes(settings_with("DOWNLOAD_MAXSIZE", value)) == limit


@pytest.mark.parametrize(
    ("processors", "setting", "processes"),
    [
        (1, None, 0),
        (2, None, 2),
        (4, None, 4),
        (64, None, 4),
        (4, 0, 0),
        (4, "0", 0),
        (1, "7", 7),
    ],
)
def test_how_many_processes_read(
    monkeypatch: pytest.MonkeyPatch, processors: int, setting: object, processes: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(processors)), raising=False)
    assert reader_processes(settings_with("READER_PROCESSES", setting)) == processes


@pytest.mark.parametrize("value", ["-1", "1.5", "many", ""])
def test_a_wrong_number_of_processes(value: str) -> None:
    with pytest.raises(CrawlerError) as caught:
        reader_processes(settings_with("READER_PROCESSES", value))
    message = f"READER_PROCESSES: got {value!r}, takes a whole number of processes, 0 for none"
    assert str(caught.value) == message


SERVERS: list[tuple[str | None, str, tuple[str, str]]] = [
    ("http://h", "http://h", ("", "")),
    ("https://h:65535/web/", "https://h:65535/web/", ("", "")),
    ("http://[::1]:1/x?y=1", "http://[::1]:1/x?y=1", ("", "")),
    ("http://user@h", "http://h", ("user", "")),
    ("http://us%40er:p%3Aw%25:x@h:8/a", "http://h:8/a", ("us@er", "p:w%:x")),
]


@pytest.mark.parametrize(("value", "url", "known"), SERVERS)
def test_addresses_of_servers(value: str, url: str, known: tuple[str, str]) -> None:
    assert server_named("X_URL", value, "http://example") == (url, *known)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        ("", "''"),
        ("h:80", "'h:80'"),
        ("ftp://h", "'ftp://h'"),
        ("http://", "'http://'"),
        ("http://h:0", "'http://h:0'"),
        ("http://h:65536", "'http://h:65536'"),
        ("http://[::1", "'http://[::1'"),
        ("http://user:pw@h:x", "'http://***@h:x'"),
        ("u:p/w@ht@h", "'***@h'"),
    ],
)
def test_invalid_addresses(value: str | None, shown: str) -> None:
    with pytest.raises(CrawlerError) as caught:
        server_named("X_URL", value, "http://example")
    message = f"X_URL: got {shown}, takes the URL of a server, such as http://example"
    assert str(caught.value) == message
