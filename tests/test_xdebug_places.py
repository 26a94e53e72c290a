"""Xdebug prints the file and line above a dump; that line is not part of the article."""

import subprocess
from pathlib import Path

import pytest
from services import XDEBUG, require

from crawler.extraction import page
from crawler.extraction import publishers as sites

SITE = sites.load("alalam")
FIRST = "This is the first paragraph of an article, and it is long enough to be taken for one."
LAST = "This is the last paragraph of the article, which is as long as the first, and it ends here."
DUMP = "array(1) {\n  'id' =>\n  string(1) \"1\"\n}\n"


def body_of(text: str) -> tuple[str, ...]:
    return page.parse(text.encode(), publisher=SITE, url=SITE.url_of("1")).body


def html(*parts: str) -> str:
    return "<title>A headline of the page</title><h1>A headline of the page</h1>" + "".join(parts)


PLACES = {
    "a path": "/srv/www/news/article.php:12:\n",
    "a path with spaces": "/srv/www/news of today/article (1).php:12:\n",
    "a path of Windows": "C:\\inetpub\\news\\article.php:12:\r\n",
    "a path in an archive": "phar:///srv/news.phar/article.php:12:\n",
    "a path in small letters": "<small>/srv/www/article.php:12:</small>\n",
    "a path of Windows in small letters": "<small>C:\\inetpub\\article.php:12:</small>",
    "a path that is linked": "<small><a href='editor://open'>/srv/article.php:12</a>:</small>\n",
    "a path and a line break": "/srv/www/article.php:12:<br />\n",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("element", ["div", "pre"])
def test_a_place_above_a_dump_is_left_out(place: str, element: str) -> None:
    dump = f"<{element}>{PLACES[place]}{DUMP}</{element}>"
    assert body_of(html(f"<p>{FIRST}</p>", dump, f"<p>{LAST}</p>")) == (FIRST, LAST)


@pytest.mark.parametrize("place", ["/srv/www/article.php:12:", "C:\\inetpub\\article.php:12:"])
def test_a_place_in_a_saved_text_is_left_out(place: str) -> None:
    text = f"A headline of the page\n\n{FIRST}\n\n{LAST}\n{place}\n{DUMP}"
    assert body_of(text) == (FIRST, LAST)


@pytest.mark.parametrize(
    "line",
    [
        "The fault is in /srv/www/article.php:12: there a bracket was left open, they say.",
        "Read more of the matter at https://example.org/article.php:12:",
        "They met at 12:30:",
    ],
)
def test_text_above_a_dump_stays(line: str) -> None:
    text = f"A headline of the page\n\n{FIRST}\n\n{line}\n{DUMP}"
    assert body_of(text) == (FIRST, line)


def test_a_place_without_a_dump_stays() -> None:
    text = f"A headline of the page\n\n{FIRST}\n\n/srv/www/article.php:12:\n\n{LAST}\n"
    assert body_of(text) == (FIRST, "/srv/www/article.php:12:", LAST)


@pytest.mark.parametrize("form", ["html", "text"])
def test_pages_of_a_real_xdebug(tmp_path: Path, form: str) -> None:
    require("Xdebug")
    script = tmp_path / "article.php"
    dumps = "<?php var_dump(['id' => '1']); var_dump('hello'); var_dump(5);"
    script.write_text(html(f"<p>{FIRST}</p>\n<div>{dumps} ?></div>\n<p>{LAST}</p>"), "utf-8")
    command = [*XDEBUG, "-d", f"html_errors={int(form == 'html')}", str(script)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"{script}:2:" in printed
    assert body_of(printed) == (FIRST, LAST)
