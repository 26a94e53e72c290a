"""Coverage-guided fuzzing of the dump reader; a script, not a test.

    pip install '.[fuzz]'
    python tests/fuzz_vardump.py --minutes 10

Starts from the case files. Every input must give values or VarDumpError; parsed values must render
to the same bytes; ``loads`` must agree with ``parse``; ``scan`` must not raise, and if it reports a
plain dump as complete, exact and unambiguous, ``parse`` must agree.
"""

import argparse
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
with atheris.instrument_imports(include=["crawler.vardump"]):
    from crawler import vardump
    from crawler.vardump import show

warnings.simplefilter("ignore", vardump.AmbiguousDumpWarning)


def check(data: bytes) -> None:
    try:
        nodes = vardump.parse(data)
    except vardump.VarDumpError as error:
        assert 0 <= error.position <= len(data), error
        assert str(error)
        nodes = ()
    else:
        assert vardump.render(nodes) == data
    try:
        value = vardump.loads(data)
    except vardump.VarDumpError:
        assert len(nodes) != 1
    else:
        assert len(nodes) == 1
        assert repr(value) == repr(vardump.plain(nodes[0]))
    for dump in vardump.scan(data):
        assert 0 <= dump.start <= dump.end <= len(data)
        show.jsonable(dump.value)
        list(show.tree(dump.node))
        if dump.error:
            show.place(dump.error)
        if (
            dump.form == "plain"
            and dump.complete
            and not dump.ambiguous
            and dump.how == vardump.EXACT
        ):
            same_bytes(data[dump.start : dump.end], dump.node)


def same_bytes(dump: bytes, node: vardump.Value) -> None:
    """Check that, if the bytes parse without ambiguity, they are the dump of this node."""
    try:
        nodes = vardump.parse(dump)
    except vardump.VarDumpError:
        return
    clear = not any(getattr(one, "ambiguous", False) for one in nodes)
    assert not clear or vardump.render([node]) == vardump.render([*nodes]).rstrip(b"\n") + b"\n", (
        dump
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--corpus",
        type=Path,
        help="folder that keeps the inputs found (default: a new temporary folder)",
    )
    args = parser.parse_args()
    corpus = args.corpus or Path(tempfile.mkdtemp(prefix="vardump-fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for folder in ("valid", "invalid", "pages"):
        for path in (HERE / "vardump" / folder).iterdir():
            if path.suffix != ".json":
                shutil.copy(path, corpus / f"{folder}_{path.name}")
    start = time.monotonic()
    options = [
        f"-max_total_time={int(args.minutes * 60)}",
        "-max_len=4000",
        "-timeout=20",
        f"-dict={HERE / 'vardump' / 'fuzz.dict'}",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], check)
    try:
        atheris.Fuzz()
    finally:
        print(
            f"{(time.monotonic() - start) / 60:.1f} minutes, "
            f"{len(list(corpus.iterdir()))} inputs in {corpus}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
