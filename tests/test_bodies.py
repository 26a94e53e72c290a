"""Test that an incomplete body is never an article: live, in WARC files, or while archiving."""

import gzip
import socket
import ssl
import struct
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import brotli
import pytest
from archives import Warc
from conftest import Crawl
from server import NewsServer, answer
from warcio.archiveiterator import ArchiveIterator

from crawler.extraction.content_coding import zstd

SEED = "1752038"
PATH = f"/news/{SEED}"

Damage = Callable[[bytes], tuple[str, bytes]]
# One example of each kind of correctly framed but incomplete body; test_content_coding has all of
# them.
CUT: dict[str, Damage] = {
    "gzip": lambda page: ("gzip", gzip.compress(page)[:-300]),
    "gzip without its checksum": lambda page: ("gzip", gzip.compress(page)[:-8]),
    "second member": lambda page: (
        "gzip",
        gzip.compress(page[:5000]) + gzip.compress(page[5000:])[:-9],
    ),
    "zlib": lambda page: ("deflate", zlib.compress(page)[:-4]),
    "brotli": lambda page: ("br", brotli.compress(page)[:-1]),
    "zstd": lambda page: ("zstd", zstd.compress(page)[:-1]),
}


def send(coding: str, body: bytes, *, chunked: bool = False, **headers: str) -> Callable[..., None]:
    def misbehave(handler: BaseHTTPRequestHandler, before: int) -> None:
        all_headers = {"Content-Encoding": coding, **headers}
        if not chunked:
            answer(handler, 200, body, all_headers)
            return
        handler.send_response(200)
        for name, value in {"Content-Type": "text/html", **all_headers}.items():
            handler.send_header(name, value)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    return misbehave


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("case", CUT)
def test_a_stream_that_is_cut(
    live: Crawl, server: NewsServer, tmp_path: Path, case: str, chunked: bool
) -> None:
    coding, body = CUT[case](server.pages[PATH])
    server.misbehaviour[PATH] = send(coding, body, chunked=chunked)
    run = live(seed=SEED, depth=0, archive="pages.warc.gz")
    assert (run.failures[SEED]["reason"], run.exit_code) == ("cut_short", 4)
    assert truncation_headers(tmp_path / "pages.warc.gz") == ["unspecified"]
    # Read from the archive, it is not an article either.
    again = live(seed=SEED, depth=0, source="pages.warc.gz")
    assert (again.failures[SEED]["reason"], again.exit_code) == ("cut_short", 4)


def truncation_headers(archive: Path) -> list[str | None]:
    """Return WARC-Truncated of each page in an archive."""
    with archive.open("rb") as file:
        return [
            record.rec_headers.get_header("WARC-Truncated")
            for record in ArchiveIterator(file)
            if record.rec_type == "response"
            and "/news/" in record.rec_headers.get_header("WARC-Target-URI")
        ]


@pytest.mark.slow
def test_damage_makes_no_revision_and_leaves_no_validators(live: Crawl, server: NewsServer) -> None:
    job: dict[str, object] = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0}
    whole = gzip.compress(server.pages[PATH])
    server.misbehaviour[PATH] = send("gzip", whole, ETag='"1"')
    assert live(seed=SEED, depth=0, settings=job).articles[SEED]["revision"] == 1
    server.misbehaviour[PATH] = send("gzip", whole[:-99], ETag='"2"')
    run = live(seed=SEED, depth=0, settings=job)
    assert (run.articles, run.failures[SEED]["reason"], run.exit_code) == ({}, "cut_short", 4)

    def check_validator(handler: BaseHTTPRequestHandler, before: int) -> None:
        # The damaged version must not count as known.
        assert handler.headers["If-None-Match"] == '"1"'
        answer(handler, 200, whole, {"Content-Encoding": "gzip", "ETag": '"2"'})

    server.misbehaviour[PATH] = check_validator
    run = live(seed=SEED, depth=0, settings=job)
    assert (run.articles, run.exit_code) == ({}, 0)
    assert "1 unchanged" in run.stdout


FALSE_HEADERS: dict[str, tuple[Damage, str | None]] = {
    "gzip": (lambda page: ("gzip", gzip.compress(page)), None),
    "bytes after it": (
        lambda page: ("gzip", gzip.compress(page) + b"\0" * 7),
        "7 bytes after the end of the gzip stream were ignored",
    ),
    "plain text": (
        lambda page: ("gzip", page),
        "Content-Encoding says gzip, and the bytes are plain text",
    ),
    "no header": (
        lambda page: ("", gzip.compress(page)),
        "the bytes are gzip, which no Content-Encoding says",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", FALSE_HEADERS)
def test_a_false_header(live: Crawl, server: NewsServer, case: str) -> None:
    damage, note = FALSE_HEADERS[case]
    server.misbehaviour[PATH] = send(*damage(server.pages[PATH]))
    run = live(seed=SEED, depth=0, archive="pages.warc.gz")
    article = run.articles[SEED]
    assert run.exit_code == 0
    assert article["body"].startswith("This text was made up")
    source = article["provenance"].get("source")
    assert source == (note and {"where": "the site's answer", "assumed": note, "doubt": None})
    again = live(seed=SEED, depth=0, source="pages.warc.gz").articles[SEED]
    assert again["body"] == article["body"]
    assert again["provenance"]["source"]["assumed"] == note


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["closed", "reset", "reset with data unread"])
def test_a_body_that_ends_with_its_connection(
    live: Crawl, server: NewsServer, tmp_path: Path, ending: str
) -> None:
    def misbehave(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        handler.wfile.write(server.pages[PATH])
        if ending == "reset with data unread":
            handler.wfile.write(b"\n" * 2_000_000)
        if ending != "closed":
            # Closing a socket with a linger time of 0 sends RST instead of FIN.
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()

    server.misbehaviour[PATH] = misbehave
    settings = {"RETRY_TIMES": 0, "DOWNLOAD_TIMEOUT": 10}
    run = live(seed=SEED, depth=0, archive="pages.warc.gz", settings=settings)
    if ending == "closed":
        assert set(run.articles) == {SEED}
        assert truncation_headers(tmp_path / "pages.warc.gz") == [None]
    else:
        assert run.failures[SEED]["reason"] == "cut_short"
        assert truncation_headers(tmp_path / "pages.warc.gz") == ["disconnect"]


@pytest.fixture
def https(tmp_path: Path) -> Iterator[Callable[[bool], str]]:
    """Serve the seed's page over TLS, closing each connection properly or cutting it off."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    line += ["-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1"]
    subprocess.run(line, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    page = (Path(__file__).parent / "site" / f"{SEED}.html").read_bytes()

    def serve(in_order: bool) -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            connection = context.wrap_socket(plain, server_side=True)
            request = connection.recv(65536)
            robots = b"robots.txt" in request.split(b"\r\n")[0]
            length = b"Content-Length: 0\r\n" if robots else b""
            head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\n"
            connection.sendall(head + length + b"\r\n" + (b"" if robots else page))
            if in_order:
                connection.unwrap().close()
            else:
                # Without TLS's close_notify, as if the connection were cut on the way.
                socket.socket(fileno=connection.detach()).close()

    def start(in_order: bool) -> str:
        threading.Thread(target=serve, args=(in_order,), daemon=True).start()
        return f"https://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    listener.close()


@pytest.mark.slow
@pytest.mark.parametrize("in_order", [True, False])
def test_tls_that_ends_without_close_notify(
    live: Crawl, https: Callable[[bool], str], in_order: bool
) -> None:
    settings = {"DOWNLOAD_VERIFY_CERTIFICATES": 0, "RETRY_TIMES": 0}
    run = live(seed=SEED, depth=0, base_url=https(in_order), settings=settings)
    if in_order:
        assert set(run.articles) == {SEED}
    else:
        assert run.failures[SEED]["reason"] == "cut_short"


@pytest.mark.slow
def test_a_page_that_is_cut_is_read_from_the_next_source(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    warc = Warc(tmp_path / "old.warc.gz")
    warc.add(f"{server.url}{PATH}", server.pages[PATH])
    server.misbehaviour[PATH] = send("gzip", gzip.compress(server.pages[PATH])[:-99])
    run = live(seed=SEED, depth=0, source=f"live,{warc.path}")
    assert (run.articles[SEED]["source"], run.exit_code) == ("warc", 0)
    # The job has a newer version of the article than the archive.
    job = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0}
    del server.misbehaviour[PATH]
    assert live(seed=SEED, depth=0, settings=job).exit_code == 0
    server.misbehaviour[PATH] = send("gzip", gzip.compress(server.pages[PATH])[:-99])
    run = live(seed=SEED, depth=0, settings=job, source=f"live,{warc.path}")
    assert (run.articles, run.failures[SEED]["reason"]) == ({}, "cut_short")
