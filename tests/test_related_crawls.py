"""Crawls that follow the related lists of publishers in other languages."""

from typing import NamedTuple

import pytest
from conftest import WebCrawl
from stories import pages


class Words(NamedTuple):
    """A publisher's words: its texts, headlines of two articles, and headings of two lists."""

    language: str
    text: str
    headlines: tuple[str, str]
    related: str
    most_read: str


PUBLISHERS = {
    "www.hafenblatt.example": Words(
        "de",
        "Die Hafenbehörde teilte am Dienstag mit, dass die Brücke bis Ende des Monats gesperrt "
        "bleibt, weil zwei ihrer Seile ersetzt werden müssen.",
        ("Die Fähre fährt wieder jede halbe Stunde", "Der Markt zieht in die alte Halle um"),
        "Mehr zum Thema",
        "Meistgelesen",
    ),
    "www.limangazetesi.example": Words(
        "tr",
        "Liman idaresi salı günü yaptığı açıklamada, iki halatın değiştirilmesi gerektiği için "
        "köprünün ay sonuna kadar kapalı kalacağını bildirdi.",
        ("Vapur yarım saatte bir sefer yapacak", "Pazar eski hale taşınıyor, esnaf memnun"),
        "İlgili Haberler",
        "En çok okunanlar",
    ),
    "www.minato.example": Words(
        "ja",
        "港湾局は火曜日、二本のケーブルを交換する必要があるため、橋は月末まで通行止めになると"
        "発表した。市によると、作業は来週の月曜日に始まるという。",
        ("渡し船、三十分おきの運航を再開へ", "朝市が旧市場に移転、来月から営業"),
        "関連記事",
        "アクセスランキング",
    ),
}
OTHER = "https://www.elsewhere.example/2026/05/02/a-bridge-closes-in-the-north/"


def publisher(words: Words) -> dict[str, bytes | str]:
    """Return the pages of a publisher: each lists the two others, and a most read one."""
    paths = [f"/2026/05/0{number}/story-of-the-harbour-{number}/" for number in (1, 2, 3, 4)]
    first, second = words.headlines
    titles = ("2026", first, second, words.most_read)

    def page(number: int) -> bytes:
        entries = "".join(
            f'<li><a href="{paths[other]}">{titles[other]}</a></li>'
            for other in (0, 1, 2)
            if other != number
        )
        title = titles[number] if number else f"{first}: {second}"
        return (
            f'<html lang="{words.language}"><head><meta charset="utf-8"><title>{title}</title>'
            f'</head><body><h1>{title}</h1><time datetime="2026-05-01T10:00:00Z">2026-05-01</time>'
            f"<p>{words.text}</p><p>{words.text} ({number})</p>"
            f'<h3>{words.related}</h3><ul>{entries}<li><a href="{OTHER}">{second}</a></li></ul>'
            f'<h3>{words.most_read}</h3><ul><li><a href="{paths[3]}">{first}</a></li></ul>'
            "</body></html>"
        ).encode()

    return {path: page(number) for number, path in enumerate(paths)}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("host", PUBLISHERS)
def test_the_related_list_is_followed_and_the_most_read_one_is_not(
    host: str, web_crawl: WebCrawl
) -> None:
    site = publisher(PUBLISHERS[host])
    first, second, third, most_read = (f"https://{host}{path}" for path in site)
    run, web = web_crawl({host: pages(site)}, seed=first, depth=3)
    assert run.exit_code == 0
    assert {article["url"] for article in run.articles.values()} == {first, second, third}
    assert web.requests[most_read] == 0
    for article in run.articles.values():
        assert article["language"] == PUBLISHERS[host].language
        where = f"links under '{PUBLISHERS[host].related}'"
        assert article["provenance"]["related"]["where"] == where
        assert [item["internal"] for item in article["related"]] == [True, True, False]
    assert [(teaser["url"], teaser["why"]) for teaser in run.teasers.values()] == [
        (OTHER, "offsite")
    ]
