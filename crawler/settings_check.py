"""Checks of a run's settings before it starts: their names and the types of their values.

Scrapy accepts any name and converts a value only on use, which may be in the middle of a crawl, for
every page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from scrapy.settings import SETTINGS_PRIORITIES, default_settings

from crawler import defaults
from crawler import settings as project_settings
from crawler.errors import CrawlerError, nearest
from crawler.setting_values import tls_ca_file

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

_BOOLEANS = {"0": False, "1": True, "false": False, "true": True}
# Scrapy reads these as floats, although their defaults are integers.
_SECONDS_SUFFIXES = ("_DELAY", "_TIMEOUT", "_INTERVAL")
# Times with bounds of their own, which the code that uses them checks.
_CHECKED_ELSEWHERE = frozenset(
    (
        *("RECHECK_MIN", "RECHECK_MAX", "READ_TIMEOUT"),
        *("RENDER_TIMEOUT", "RENDER_QUIET", "SPLASH_SLOT_TIMEOUT"),
    )
)
# High enough that only names differing by a letter or two are suggested.
_LEAST_LIKENESS = 0.85


def misspelt(settings: BaseSettings) -> Iterator[str]:
    """Yield a warning for each command-line setting whose name is close to a known one."""
    known = list(_defaults())
    for name in settings:
        if settings.getpriority(name) == SETTINGS_PRIORITIES["cmdline"] and name not in known:
            near = nearest(str(name), known, _LEAST_LIKENESS)
            if near:
                yield f"{name}: no such setting, so it has no effect; did you mean {near}?"


def check_values(settings: BaseSettings) -> None:
    """Raise CrawlerError if a numeric or boolean setting has a value of another type.

    TLS_CA_FILE is checked too, because the download handler reads it only at the first request.
    """
    for name, default in _defaults().items():
        if (settings.getpriority(name) or 0) > SETTINGS_PRIORITIES["default"]:
            _check(name, settings[name], default)
    tls_ca_file(settings)


def _defaults() -> Mapping[str, Any]:
    all_settings = {
        **vars(default_settings),
        **defaults.SETTINGS,
        **defaults.COMPONENTS,
        **vars(project_settings),
    }
    return {name: value for name, value in all_settings.items() if name.isupper()}


def _check(name: str, value: Any, default: Any) -> None:
    if value is None or name in _CHECKED_ELSEWHERE:
        return
    if isinstance(default, bool):
        if str(value).strip().lower() not in _BOOLEANS:
            raise CrawlerError(f"{name}: got {value!r}, takes 1 or 0")
    elif isinstance(default, float) and name in defaults.SETTINGS:
        _check_number(name, value, float, "seconds, 0 or more", least=0)
    elif isinstance(default, float) or (
        isinstance(default, int) and name.endswith(_SECONDS_SUFFIXES)
    ):
        _check_number(name, value, float, "a number")
    elif isinstance(default, int):
        _check_number(name, value, int, "a whole number")


def _check_number(
    name: str,
    value: Any,
    kind: type[float] | type[int],
    expected: str,
    *,
    least: float = float("-inf"),
) -> None:
    try:
        number = kind(value)
        if isfinite(number) and number >= least:
            return
    except (TypeError, ValueError, OverflowError):
        pass
    raise CrawlerError(f"{name}: got {value!r}, takes {expected}")
