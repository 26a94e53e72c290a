"""The dump reader against real PHP, and its properties."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import SEED_TEXT, service
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler import vardump

PHP = Path(__file__).parent / "php"
SEED = SEED_TEXT.read_bytes()
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ['"]=>', "}", 'string(5) "x"', '"\n}', ']\n"', "array(1) {", "\r\n", "<b>&amp;</b>", "’“"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc ", min_size=1, max_size=5), inner, max_size=4),
    max_leaves=12,
)


def as_dicts(value: object) -> object:
    """A decoded JSON value as the reader gives it: lists are dicts by their positions."""
    if isinstance(value, list):
        return {index: as_dicts(entry) for index, entry in enumerate(value)}
    if isinstance(value, dict):
        return {key: as_dicts(entry) for key, entry in value.items()}
    return value


@pytest.fixture(scope="session")
def php() -> str:
    found = shutil.which("php")
    service("php-cli", found)
    return str(found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES, min_size=1, max_size=5), st.sampled_from(["array", "objects"]))
def test_what_php_dumps_is_read_back(php: str, value: list[object], form: str) -> None:
    dumped = subprocess.run([php, "-n", PHP / "dump.php", form], input=json.dumps(value).encode(), capture_output=True, check=True).stdout
    [dump] = vardump.scan(b"<p>before</p>" + dumped + b"<p>after</p>")
    assert dump.complete
    assert dump.value == as_dicts(value)
    assert (dump.start, dump.end) == (13, 13 + len(dumped.rstrip(b"\n")))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_never_raise(noise: bytes) -> None:
    for page in (noise, b"array(2) {\n  [0]=>\n  " + noise, b'string(9) "' + noise, b"&quot;string(3) &quot;" + noise):
        for dump in vardump.scan(page):
            assert 0 <= dump.start <= dump.end <= len(page)


@settings(deadline=None)
@given(st.integers(0, len(SEED)))
def test_every_prefix_of_the_seed_is_scanned(length: int) -> None:
    whole = SEED[SEED.index(b"string(") :]
    dumps = list(vardump.scan(SEED[:length]))
    if length == len(SEED):
        assert [d.complete for d in dumps] == [True]
        assert str(dumps[0].value).encode() in whole
    else:
        assert all(not d.complete for d in dumps)
        assert all(whole.startswith(whole[:15]) and str(d.value).rstrip("\ufffd").encode() in whole for d in dumps)


def test_two_dumps_beside_each_other() -> None:
    one, two = vardump.scan(b'string(3) "a"b"\nstring(2) "[]"\n')
    assert (one.value, two.value) == ('a"b', "[]")


def test_deep_nesting_is_no_danger() -> None:
    depth = 50_000
    page = b"".join(b"array(1) {\n[0]=>\n" for _ in range(depth)) + b"NULL\n" + b"}\n" * depth
    [dump] = vardump.scan(page)
    assert dump.complete
    assert dump.end == len(page) - 1
