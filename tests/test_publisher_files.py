"""Publisher files: where they are found, which one is used, and the errors in faulty ones."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Crawl

from crawler.errors import CrawlerError
from crawler.extraction import publisher_files
from crawler.extraction.directory import Choice, Publishers
from crawler.extraction.publisher_files import find, load, load_file

START = "import re\nfrom crawler import Publisher\n"
COURIER = 'hosts=frozenset({"courier.example"})'
FIELDS = (
    "name, base_url, hosts, article_path, article_pattern, not_article_pattern, ids_are_numbers, "
    "time_zone, names, headline_mark, picture_url, uploaded, leaks, related_selector, signature, "
    "default_source"
)
# Fields of a publisher file that are wrong, and the error. They are in line 5.
FAULTS = {
    'time_zon="Europe/Berlin"': f"time_zon: no such field; takes {FIELDS}; did you mean",
    'time_zone="Europe/Berln"': "time_zone: got 'Europe/Berln', takes an IANA name such as "
    "Europe/Berlin; did you mean 'Europe/Berlin'?",
    'time_zone="Europe"': "time_zone: got 'Europe', takes an IANA name such as Europe/Berlin",
    'time_zone="../localtime"': "time_zone: got '../localtime', takes an IANA name",
    "time_zone=1": "time_zone: got 1, takes a text in quotes",
    'name="The Courier"': "name: got 'The Courier', takes up to 64 letters, digits, dots,",
    'hosts="courier.example"': "hosts: got 'courier.example', takes a frozenset of texts, such as",
    "hosts=frozenset()": "hosts: got none, takes the host names of the publisher",
    'hosts=frozenset({"https://courier.example"})': "hosts: got 'https://courier.example', takes "
    "host names in lower case, without https:// and without a port",
    'names="The Courier"': "names: got 'The Courier', takes a tuple of texts, such as",
    'names=("The Courier", 1)': "names: got ('The Courier', 1), takes a tuple of texts, such as",
    'article_pattern="/news/"': "article_pattern: got '/news/', takes a compiled pattern, such as",
    'article_pattern=re.compile(b"/news/")': "article_pattern: got re.compile(b'/news/'), takes a",
    'article_pattern=re.compile("/news/(")': "got '/news/(', which is not a regular expression "
    "(missing ), unterminated subpattern at position 6)",
    'signature=re.compile("Courier")': "signature: got re.compile('Courier'), takes a compiled "
    "pattern of bytes, such as",
    'leaks="no"': "leaks: got 'no', takes True or False",
    'uploaded="2026"': "uploaded: got '2026', takes a function",
    'base_url="courier.example"': "base_url: got 'courier.example', takes a root URL such as",
    'base_url="https://other.example"': "base_url: got 'https://other.example', which is on none "
    "of the hosts; takes a URL on courier.example",
    'article_path="news/{id}"': "article_path: got 'news/{id}', takes a path with {id}, such as",
    'article_path="/news/{}"': "article_path: got '/news/{}', takes a path with {id}, such as",
    'article_path="/news/{id"': "article_path: got '/news/{id', takes a path with {id}, such as",
    'article_path="/news/{id}"': "article_path: got '/news/{id}', but ids are known only with an "
    "article_pattern that has a group; set it, or leave article_path out",
    'picture_url="https://media.courier.example"': "picture_url: got 'https://media.courier."
    "example', takes a URL with {path}, such as",
    'default_source=""': "default_source: got '', takes the source of crawls without one",
    'related_selector="div >"': "related_selector: got 'div >', which is not a CSS selector of "
    "elements (Expected selector, got <EOF at 5>); takes one such as aside.related",
    'related_selector="a::attr(href)"': "related_selector: got 'a::attr(href)', which is not a CSS "
    "selector of elements (Pseudo-elements are not supported.)",
    'mirror="http://127.0.0.1"': "mirror: got 'http://127.0.0.1', but crawls set this field; leave",
    "names=nothing": "NameError: name 'nothing' is not defined",
    "names=(": "it is not Python ('(' was never closed)",
}
# Whole files that are wrong, and the place and the error.
FAULTY_FILES = {
    "": ": it defines no PUBLISHER; takes PUBLISHER = Publisher(…)",
    "publisher = 1": ": it defines no PUBLISHER",
    "\nPUBLISHER = 1": ", line 2: PUBLISHER: got 1, takes a Publisher(…)",
    "\nPUBLISHER: object = 1": ", line 2: PUBLISHER: got 1, takes a Publisher(…)",
    f"{START}\nPUBLISHER = Publisher()": ", line 4: hosts: got none, takes the host names",
    f"{START}PUBLISHER = Publisher('courier')": ", line 3: TypeError: Publisher.__init__() takes",
    "\nimport no_such_module": ", line 2: ModuleNotFoundError: No module named 'no_such_module'",
    "\nraise SystemExit(3)": ", line 2: SystemExit: 3",
    "def f(x): ...\nf(y=1)": ", line 2: TypeError: f() got an unexpected keyword argument 'y'",
}


def source(*fields: str) -> str:
    return f"{START}PUBLISHER = Publisher(\n    {', '.join(fields)},\n)\n"


def write(path: Path, *fields: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source(*(fields or (COURIER,))), encoding="utf-8")
    return path


def error_of(path: Path) -> str:
    with pytest.raises(CrawlerError) as raised:
        load_file(path)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(f"publisher file {path}")
    assert message.endswith("; docs/how-to/publishers.md lists the fields")
    return message.removeprefix(f"publisher file {path}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "publishers"
    folder.mkdir()
    return folder


def test_the_name_is_that_of_the_file(tmp_path: Path) -> None:
    assert load_file(write(tmp_path / "courier.py")).name == "courier"
    named = write(tmp_path / "x.py", COURIER, 'name="the-courier"')
    assert load_file(named).name == "the-courier"


def test_every_field_has_a_default(tmp_path: Path) -> None:
    publisher = load_file(write(tmp_path / "courier.py"))
    assert publisher.id_of("https://www.courier.example/a-story") == "courier.example/a-story"
    assert publisher.zone is None


def test_functions_of_a_file_work(tmp_path: Path) -> None:
    path = tmp_path / "courier.py"
    text = "YEAR = 2026\ndef read(path):\n    return datetime(YEAR, 5, 1)\n"
    path.write_text("from datetime import datetime\n" + text + source(COURIER, "uploaded=read"))
    publisher = load_file(path)
    assert publisher.uploaded is not None
    assert str(publisher.uploaded("/a.jpg")) == "2026-05-01 00:00:00"


def test_loading_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    load_file(write(tmp_path / "courier.py"))
    assert [path.name for path in tmp_path.iterdir()] == ["courier.py"]
    assert not {name for name in set(sys.modules) - before if "courier" in name}


@pytest.mark.parametrize("field", FAULTS)
def test_faulty_fields(tmp_path: Path, field: str) -> None:
    path = tmp_path / "courier.py"
    own_hosts = "" if field.startswith("hosts") else f"    {COURIER},\n"
    line = 4 if field.startswith("hosts") else 5
    path.write_text(f"{START}PUBLISHER = Publisher(\n{own_hosts}    {field},\n)\n")
    message = error_of(path)
    if field == "names=(":
        assert FAULTS[field] in message
    else:
        assert message.startswith(f", line {line}: {FAULTS[field]}")


@pytest.mark.parametrize("text", FAULTY_FILES)
def test_faulty_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "courier.py"
    path.write_text(text, encoding="utf-8")
    assert error_of(path).startswith(FAULTY_FILES[text])


def test_files_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "courier.py"
    for data in (b"a = '\0'", b"\x89PNG\r\n\xff", b"# coding: no-such\n"):
        path.write_bytes(data)
        error_of(path)


def test_a_fault_in_a_module_that_a_file_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "faulty_helper_of_a_test.py").write_text("a b")
    path = tmp_path / "courier.py"
    path.write_text("\n\nimport faulty_helper_of_a_test")
    assert error_of(path).startswith(", line 3: SyntaxError: invalid syntax")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "courier.py").mkdir()
    message = "publisher file .*courier.py: it cannot be read \\(Is a directory\\); docs"
    with pytest.raises(CrawlerError, match=message):
        load(str(tmp_path / "courier.py"), {})
    message = "site: got './no.py', which does not exist; takes the path of a publisher file, or"
    with pytest.raises(CrawlerError, match=message):
        load("./no.py", find())
    with pytest.raises(CrawlerError, match="PUBLISHERS: got 'no', which is not a folder; takes a"):
        find("no")


def test_our_own() -> None:
    found = find()
    assert found["alalam"].name == "alalam"
    assert load("alalam", found) is found["alalam"]
    with pytest.raises(CrawlerError, match="site: got 'alalan', takes one of alalam, the path"):
        load("alalan", found)


def test_files_in_a_folder(folder: Path) -> None:
    write(folder / "courier.py")
    write(folder / "herald.py", 'hosts=frozenset({"herald.example"})')
    # A draft has a folder with its pages beside it.
    write(folder / "courier" / "other.py", "no_field=1")
    (folder / "_helper.py").write_text("no Python")
    (folder / "test_courier.py").write_text("no Python")
    (folder / "folder.py").mkdir()
    assert list(find(str(folder))) == ["courier", "herald", "alalam"]


def test_one_faulty_file_in_a_folder(folder: Path) -> None:
    write(folder / "courier.py")
    write(folder / "herald.py", "leaks=1")
    with pytest.raises(
        CrawlerError, match=r"herald\.py, line 4: leaks: got 1, takes True or False"
    ):
        find(str(folder))


def test_two_files_of_the_same_name(folder: Path) -> None:
    write(folder / "a.py", COURIER, 'name="courier"')
    write(folder / "courier.py", 'hosts=frozenset({"herald.example"})')
    message = "a.py and .*courier.py both are named 'courier'; give one another name"
    with pytest.raises(CrawlerError, match=message):
        find(str(folder))


def test_two_files_for_the_same_host(folder: Path) -> None:
    write(folder / "a.py")
    write(folder / "courier.py")
    message = "a.py and .*courier.py both have the host 'courier.example'; remove it from one"
    with pytest.raises(CrawlerError, match=message):
        find(str(folder))


def test_the_file_for_a_subdomain_comes_first(folder: Path) -> None:
    write(folder / "a.py")
    write(folder / "z.py", 'hosts=frozenset({"sport.courier.example"})')
    publishers = Publishers(Choice(home_url="https://elsewhere.example/", folder=str(folder)))
    names = {
        host: getattr(publishers.of(f"https://{host}/a"), "name", None)
        for host in ("courier.example", "www.courier.example", "www.sport.courier.example")
    }
    assert names == {
        "courier.example": "a",
        "www.courier.example": "a",
        "www.sport.courier.example": "z",
    }


def test_the_users_file_replaces_ours(folder: Path) -> None:
    path = write(folder / "alalam.py", 'hosts=frozenset({"en.alalam.ir"})')
    publishers = Publishers(Choice(folder=str(folder)))
    assert publishers.home.article_pattern is None
    assert find(str(folder))["alalam"].hosts == {"en.alalam.ir"}
    # Also one of another name, for the same host.
    path.rename(folder / "al-alam.py")
    publishers = Publishers(Choice(home_url="http://en.alalam.ir/news/17", folder=str(folder)))
    assert publishers.home.name == "al-alam"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a package that offers the publishers courier and herald; return its folder."""
    folder = tmp_path / "installed"
    write(folder / "made_up_papers" / "courier.py", COURIER, 'names=("of a package",)')
    herald = 'HERALD = Publisher(hosts=frozenset({"herald.example"}))\n'
    (folder / "made_up_papers" / "herald.py").write_text(START + herald)
    (folder / "made_up_papers" / "__init__.py").touch()
    install(folder, "courier = made_up_papers.courier", "herald = made_up_papers.herald:HERALD")
    monkeypatch.syspath_prepend(folder)
    publisher_files._installed.cache_clear()
    yield folder
    publisher_files._installed.cache_clear()
    for name in [name for name in sys.modules if name.startswith("made_up_papers")]:
        del sys.modules[name]


def install(folder: Path, *entry_points: str, name: str = "made-up-papers") -> None:
    """Write the metadata of a package that offers publishers."""
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "\n".join(entry_points)
    (metadata / "entry_points.txt").write_text(f"[neighbourhood_crawler.publishers]\n{lines}\n")


def test_files_of_an_installed_package(package: Path) -> None:
    found = find()
    assert list(found) == ["courier", "herald", "alalam"]
    assert found["courier"].names == ("of a package",)
    assert Publishers(Choice(site="herald")).home.hosts == {"herald.example"}


def test_the_users_file_comes_before_a_packages(package: Path, folder: Path) -> None:
    write(folder / "my-courier.py")
    found = find(str(folder))
    assert list(found) == ["my-courier", "courier", "herald", "alalam"]
    publishers = Publishers(Choice(home_url="https://courier.example/a", folder=str(folder)))
    assert publishers.home.name == "my-courier"


def test_a_packages_file_comes_before_ours(package: Path) -> None:
    write(package / "made_up_papers" / "courier.py", 'hosts=frozenset({"en.alalam.ir"})')
    publishers = Publishers(Choice(home_url="http://en.alalam.ir/news/17"))
    assert publishers.home.name == "courier"


def test_a_faulty_file_of_a_package(package: Path) -> None:
    path = write(package / "made_up_papers" / "courier.py", COURIER, "leaks=1")
    with pytest.raises(CrawlerError) as raised:
        find()
    assert f"publisher file {path}, line 4: leaks: got 1, takes True" in str(raised.value)


def test_a_package_that_cannot_be_loaded(package: Path) -> None:
    install(package, "courier = made_up_papers.no_such_module")
    with pytest.raises(CrawlerError) as raised:
        find()
    assert str(raised.value) == (
        "publisher file made_up_papers.no_such_module of the package made-up-papers: it cannot be "
        "loaded (ModuleNotFoundError: No module named 'made_up_papers.no_such_module'); mend or "
        "uninstall the package"
    )


def test_an_entry_point_that_is_no_publisher(package: Path) -> None:
    install(package, "courier = made_up_papers.courier:START")
    (package / "made_up_papers" / "courier.py").write_text("START = 1\n")
    with pytest.raises(CrawlerError, match=r"courier\.py: PUBLISHER: got 1, takes a Publisher"):
        find()


def test_two_packages_with_the_same_name(package: Path) -> None:
    install(package, "courier = made_up_papers.herald:HERALD", name="other-papers")
    with pytest.raises(CrawlerError, match="both are named 'courier'") as raised:
        find()
    assert "made_up_papers.courier of the package made-up-papers" in str(raised.value)
    assert "made_up_papers.herald:HERALD of the package other-papers" in str(raised.value)


def test_a_crawl_with_a_faulty_file(scrapy: Crawl, folder: Path) -> None:
    write(folder / "courier.py", COURIER, "leaks=1")
    for words in (
        ("-aseed=https://courier.example/a-story", "-sPUBLISHERS=publishers"),
        ("-aseed=17", "-asite=publishers/courier.py"),
    ):
        run = scrapy("crawl", "articles", *words)
        assert run.exit_code == 2
        assert run.stderr.splitlines()[-1] == (
            "scrapy crawl: publisher file publishers/courier.py, line 4: leaks: got 1, takes True "
            "or False; docs/how-to/publishers.md lists the fields"
        )
        assert "Traceback" not in run.stderr
