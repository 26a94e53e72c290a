"""Certificates of the system's authorities and of those in TLS_CA_FILE are trusted, and no others.

Every crawl here is of one article. Its host is served by tests/hosted.py, whose certificates no
system trusts.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest
from certificates import Authority
from conftest import IMPATIENT, SEED, SITE, Crawl, Run
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hosted import Answer, HostedWeb, hosted
from scrapy.settings import Settings
from warcio.archiveiterator import ArchiveIterator

from crawler.errors import CrawlerError
from crawler.setting_values import tls_ca_file

HOST, MISNAMED_HOST = "news.example", "misnamed.example"
HTML = {"Content-Type": "text/html"}
PAGES = {f"/news/{path.stem}": path.read_bytes() for path in SITE.glob("*.html")}


def saved_pages(scheme: str, path: str) -> Answer:
    """Answer with the pages of tests/site."""
    return Answer(200, HTML, PAGES[path]) if path in PAGES else Answer(404, HTML, b"")


def revocation_list() -> bytes:
    """Return a list of revoked certificates in PEM, from an authority that revoked none."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Made up")]))
        .last_update(day)
        .next_update(day)
    )
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(
        Encoding.PEM
    )


@pytest.fixture
def web(tmp_path: Path) -> Iterator[HostedWeb]:
    sites = dict.fromkeys((HOST, MISNAMED_HOST, "localhost"), saved_pages)
    with hosted(sites, tmp_path, certified_as={MISNAMED_HOST: HOST}) as running:
        yield running


@pytest.fixture
def proxy(web: HostedWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let crawls use the proxy."""
    for name, value in web.environment.items():
        monkeypatch.setenv(name, value)


def crawl_one(
    crawl: Crawl,
    base_url: str,
    ca_file: Path | None,
    settings: dict[str, object] | None = None,
    **arguments: object,
) -> Run:
    """Crawl one article, with the authorities in ``ca_file`` if there is one."""
    all_settings: dict[str, object] = {**IMPATIENT, "RETRY_TIMES": 0, **(settings or {})}
    if ca_file:
        all_settings["TLS_CA_FILE"] = ca_file
    return crawl(seed=SEED, base_url=base_url, depth=0, settings=all_settings, **arguments)


def assert_refused(run: Run, web: HostedWeb, detail: str) -> None:
    """Assert that the crawl refused the certificate, and sent no request."""
    failure = run.failures[SEED]
    assert failure["reason"] == "tls"
    assert detail in failure["detail"]
    assert not web.requests


UNTRUSTED = "certificate verify failed"


@pytest.mark.usefixtures("proxy")
def test_a_tunnel_to_a_trusted_host(crawl: Crawl, web: HostedWeb) -> None:
    run = crawl_one(crawl, f"https://{HOST}", web.ca_file)
    url = f"https://{HOST}/news/{SEED}"
    assert (run.exit_code, run.articles[SEED]["url"]) == (0, url)
    assert web.requests == {f"https://{HOST}/robots.txt": 1, url: 1}


@pytest.mark.slow
@pytest.mark.usefixtures("proxy")
def test_a_tunnel_to_a_host_that_is_not_trusted(crawl: Crawl, web: HostedWeb) -> None:
    assert_refused(crawl_one(crawl, f"https://{HOST}", None), web, UNTRUSTED)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 Connection est"], ids=["none", "cut"])
def test_a_proxy_that_closes_instead_of_opening_a_tunnel(
    crawl: Crawl, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    class Closing(BaseRequestHandler):
        def handle(self) -> None:
            assert self.request.recv(65_536).startswith(b"CONNECT")
            self.request.sendall(answer)

    with ThreadingTCPServer(("127.0.0.1", 0), Closing) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{proxy.server_address[1]}"
        monkeypatch.setenv("https_proxy", f"http://{place}")
        run = crawl_one(
            crawl, f"https://{HOST}", None, {"DOWNLOAD_TIMEOUT": 300, "ROBOTSTXT_OBEY": 0}
        )
        proxy.shutdown()
    failure = run.failures[SEED]
    detail = f"the proxy {place} closed the connection and opened no tunnel"
    assert (failure["reason"], failure["detail"]) == ("connection_lost", detail)


@pytest.mark.slow
@pytest.mark.usefixtures("proxy")
def test_a_certificate_for_another_host(crawl: Crawl, web: HostedWeb) -> None:
    run = crawl_one(crawl, f"https://{MISNAMED_HOST}", web.ca_file)
    assert_refused(run, web, f"DNSMismatch(mismatched_id=DNS_ID(hostname=b'{MISNAMED_HOST}'))")


def test_a_direct_connection(crawl: Crawl, web: HostedWeb) -> None:
    base_url = f"https://localhost:{web.https_port}"
    assert_refused(crawl_one(crawl, base_url, None), web, UNTRUSTED)
    run = crawl_one(crawl, base_url, web.ca_file)
    assert run.articles[SEED]["url"] == f"{base_url}/news/{SEED}"
    assert web.requests[f"{base_url}/news/{SEED}"] == 1


@pytest.mark.slow
def test_the_authorities_of_the_system(
    crawl: Crawl, web: HostedWeb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority(tmp_path / "other")
    # OpenSSL takes the authorities of the system from this file.
    monkeypatch.setenv("SSL_CERT_FILE", str(web.ca_file))
    run = crawl_one(crawl, f"https://localhost:{web.https_port}", other.certificate_file)
    assert set(run.articles) == {SEED}


@pytest.mark.slow
def test_without_verification(crawl: Crawl, web: HostedWeb, tmp_path: Path) -> None:
    settings: dict[str, object] = {"DOWNLOAD_VERIFY_CERTIFICATES": 0}
    run = crawl_one(crawl, f"https://localhost:{web.https_port}", web.ca_file, settings)
    assert set(run.articles) == {SEED}


@pytest.mark.slow
@pytest.mark.parametrize("through_proxy", [False, True])
def test_the_log_of_tls(
    crawl: Crawl, web: HostedWeb, monkeypatch: pytest.MonkeyPatch, through_proxy: bool
) -> None:
    if through_proxy:
        monkeypatch.setenv("https_proxy", web.proxy)
    host = HOST if through_proxy else f"localhost:{web.https_port}"
    settings = {"DOWNLOADER_CLIENT_TLS_VERBOSE_LOGGING": 1, "LOG_LEVEL": "DEBUG"}
    run = crawl_one(crawl, f"https://{host}", web.ca_file, settings)
    assert f"SSL connection to {host.partition(':')[0]} using protocol TLSv1.3" in run.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("proxy")
def test_the_archive_of_a_tunnel(crawl: Crawl, web: HostedWeb, tmp_path: Path) -> None:
    archive = tmp_path / "pages.warc.gz"
    crawl_one(crawl, f"https://{HOST}", web.ca_file, archive=archive)
    with archive.open("rb") as file:
        records = [
            (record.rec_headers["WARC-Target-URI"], record.raw_stream.read().splitlines()[0])
            for record in ArchiveIterator(file, no_record_parse=True)
            if record.rec_type == "request"
        ]
    # The CONNECT requests are between the crawler and its proxy, and are not archived.
    assert records == [
        (f"https://{HOST}/robots.txt", b"GET /robots.txt HTTP/1.1"),
        (f"https://{HOST}/news/{SEED}", b"GET /news/%b HTTP/1.1" % SEED.encode()),
    ]


NOT_PEM = "is not a PEM file, or is damaged"
HEAD, END = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"
# The content of the file, and the problem that the message names.
WRONG_FILES = {
    "empty": (b"", NOT_PEM),
    "no PEM": (b"certificate", NOT_PEM),
    "damaged": (HEAD + b"*\n" + END, NOT_PEM),
    "without an end": (HEAD + b"MIIB\n", NOT_PEM),
    "only a list of revoked certificates": (revocation_list(), "holds no certificate"),
    "missing": (None, "cannot be read (No such file or directory)"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_file(tmp_path: Path, case: str) -> None:
    content, problem = WRONG_FILES[case]
    path = tmp_path / "authorities.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CrawlerError) as caught:
        tls_ca_file(Settings({"TLS_CA_FILE": str(path)}))
    assert str(caught.value) == (
        f"TLS_CA_FILE: got '{path}', which {problem}; takes a PEM file with the certificates "
        "of authorities to trust besides the system's"
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("/", "cannot be read (Is a directory)"),
        ("a\0b", "is not the name of a file (embedded null byte)"),
        (5, "is not the name of a file (cafile should be a valid filesystem path)"),
    ],
)
def test_a_wrong_name(value: object, problem: str) -> None:
    with pytest.raises(CrawlerError) as caught:
        tls_ca_file(Settings({"TLS_CA_FILE": value}))
    assert f"TLS_CA_FILE: got {str(value)!r}, which {problem}; takes" in str(caught.value)


@pytest.mark.parametrize("value", [None, ""])
def test_no_file(value: str | None) -> None:
    assert tls_ca_file(Settings({"TLS_CA_FILE": value})) is None


@pytest.mark.slow
def test_a_crawl_with_a_wrong_file(crawl: Crawl, web: HostedWeb, tmp_path: Path) -> None:
    run = crawl_one(crawl, f"http://localhost:{web.http_port}", tmp_path / "none.pem")
    assert run.exit_code == 2
    assert run.stderr.startswith(f"scrapy crawl: TLS_CA_FILE: got '{tmp_path}/none.pem', which")
    assert run.stderr.count("\n") == 1
    assert not web.requests
