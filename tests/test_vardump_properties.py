"""Properties of the dump parser that hold for any values and bytes."""

from conftest import SEED_TEXT
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crawler import vardump
from crawler.vardump import show

SEED = SEED_TEXT.read_bytes()
TEXTS = st.binary(max_size=12) | st.sampled_from(
    [
        b'"]=>',
        b'"]=>\n  int(1)\n  ["',
        b"}\n",
        b'string(5) "x"',
        b'"\n}',
        b"array(1) {\n",
        b"\r\n",
        b"<b>&amp;</b>",
        b'":protected]=>\n',
        b"\\000",
    ]
)
NUMBERS = st.integers(-(2**63), 2**63 - 1).map(str)
NAMES = st.sampled_from(["A", "App\\Models\\User", "class@anonymous", "stdClass", "Ünïcode"])
KEYS = st.builds(vardump.Key, TEXTS, st.just("string")) | st.builds(
    vardump.Key, st.integers(-5, 99).map(lambda n: str(n).encode()), st.just("index")
)
PROPERTIES = (
    st.builds(vardump.Key, TEXTS, st.sampled_from(["public", "protected"]))
    | st.builds(vardump.Key, TEXTS, st.just("private"), NAMES)
    | st.builds(vardump.Key, st.integers(-5, 99).map(lambda n: str(n).encode()), st.just("index"))
)
FLOATS = st.floats().map(lambda number: repr(number).upper().replace("E-0", "E-"))
SCALARS = (
    st.builds(vardump.Null, reference=st.booleans())
    | st.builds(vardump.Bool, st.booleans(), reference=st.booleans())
    | st.builds(vardump.Int, NUMBERS, reference=st.booleans())
    | st.builds(vardump.Float, FLOATS)
    | TEXTS.map(lambda content: vardump.String(content, len(content)))
    | st.builds(vardump.Enum, NAMES.filter(str.isalpha), st.just("Case"))
    | st.builds(
        vardump.Resource,
        st.integers(0, 10**9),
        st.sampled_from(["stream", "Unknown", "stream-context"]),
    )
    | st.just(vardump.Recursion())
    | st.just(vardump.Unknown())
)


def arrays(inner: st.SearchStrategy[vardump.Value]) -> st.SearchStrategy[vardump.Value]:
    entries = st.lists(
        st.builds(vardump.Entry, KEYS, inner), max_size=4, unique_by=lambda entry: entry.key
    ).map(tuple)
    return entries.map(lambda entries: vardump.Array(len(entries), entries))


def objects(inner: st.SearchStrategy[vardump.Value]) -> st.SearchStrategy[vardump.Value]:
    property_values = inner | st.builds(
        vardump.Uninitialized, st.sampled_from(["int", "(A&B)|null"])
    )
    entries = st.lists(
        st.builds(vardump.Entry, PROPERTIES, property_values),
        max_size=4,
        unique_by=lambda entry: entry.key,
    ).map(tuple)
    return st.builds(
        lambda entries, name, number, lazy: vardump.Object(
            sum(not isinstance(entry.value, vardump.Uninitialized) for entry in entries),
            entries,
            name,
            number,
            lazy,
        ),
        entries,
        NAMES,
        st.none() | st.integers(1, 99),
        st.sampled_from([None, "ghost", "proxy"]),
    )


VALUES = st.recursive(SCALARS, lambda inner: arrays(inner) | objects(inner), max_leaves=10)


@given(st.lists(VALUES, min_size=1, max_size=3))
def test_rendered_values_are_parsed_back_or_ambiguous(values: list[vardump.Value]) -> None:
    dump = vardump.render(values)
    parsed = vardump.parse(dump)
    assert vardump.render(parsed) == dump
    if not any(getattr(value, "ambiguous", False) for value in parsed):
        assert parsed == tuple(values)


@given(VALUES, VALUES)
def test_consecutive_dumps(one: vardump.Value, other: vardump.Value) -> None:
    a, b = vardump.render([one]), vardump.render([other])
    assert vardump.parse(a + b) == parse_unambiguous(a) + parse_unambiguous(b)


@given(VALUES, st.data())
def test_every_prefix_is_scanned_to_a_prefix(value: vardump.Value, data: st.DataObject) -> None:
    dump = vardump.render([value])
    [node] = parse_unambiguous(dump)
    # A truncated key that looks like an entry cannot be distinguished from one.
    assume(dump.count(b"]=>") == count_keys(node))
    length = data.draw(st.integers(0, len(dump)))
    scanned = [found for found in vardump.scan(dump[:length]) if found.start == 0]
    assert all(found.ambiguous or is_prefix(found.node, node) for found in scanned)
    if length == len(dump) and isinstance(node, vardump.Container):
        assert [found.complete for found in scanned] == [True]


def parse_unambiguous(dump: bytes) -> tuple[vardump.Value, ...]:
    parsed = vardump.parse(dump)
    assume(len(parsed) == 1 and not getattr(parsed[0], "ambiguous", False))
    return parsed


def count_keys(node: vardump.Value) -> int:
    return (
        sum(1 + count_keys(entry.value) for entry in node.entries)
        if isinstance(node, vardump.Container)
        else 0
    )


def is_prefix(part: vardump.Value, whole: vardump.Value) -> bool:
    """Return whether ``part`` is ``whole``, or a prefix of it that is marked as cut.

    A string that was cut at one of its own quotes is marked by the length that disagrees.
    """
    if isinstance(part, vardump.String) and isinstance(whole, vardump.String):
        return part.content == whole.content or (
            not part.agrees and whole.content.startswith(part.content)
        )
    if isinstance(part, vardump.Container) and isinstance(whole, vardump.Container):
        pairs = list(zip(part.entries, whole.entries, strict=False))
        return (
            type(part) is type(whole)
            and part.declared == whole.declared
            and len(pairs) == len(part.entries)
            and (part.cut or len(part.entries) == len(whole.entries))
            and all(
                one.key == other.key and is_prefix(one.value, other.value) for one, other in pairs
            )
        )
    return part == whole


@given(st.binary(max_size=300))
def test_any_bytes_give_values_or_var_dump_error(noise: bytes) -> None:
    for page in (
        noise,
        b"array(2) {\n  [0]=>\n  " + noise,
        b'string(9) "' + noise,
        b"&quot;string(3) &quot;" + noise,
        b"<b>array</b>\n" + noise,
    ):
        for dump in vardump.scan(page):
            assert 0 <= dump.start <= dump.end <= len(page)
            show.jsonable(dump.value)
        try:
            nodes = vardump.parse(page)
        except vardump.VarDumpError as error:
            assert 0 <= error.position <= len(page)
        else:
            assert vardump.render(nodes) == page


@settings(max_examples=60)
@given(st.integers(0, len(SEED)))
def test_every_prefix_of_the_seed_is_scanned(length: int) -> None:
    whole = SEED[SEED.index(b"string(") :]
    dumps = list(vardump.scan(SEED[:length]))
    if length == len(SEED):
        assert [dump.complete for dump in dumps] == [True]
        assert (dumps[0].declared, dumps[0].actual) == (3416, 3416)
    for dump in dumps:
        assert isinstance(dump.node, vardump.String)
        assert dump.node.content in whole
        assert dump.complete or isinstance(dump.value, vardump.Cut)
        assert dump.complete or dump.error is not None
