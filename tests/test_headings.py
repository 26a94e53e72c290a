"""The headings of parts of a page that are not its article are recognised by their words."""

import pytest

from crawler.extraction.page.headings import LONGEST_HEADING, Part, part_headed_by

HEADINGS = [
    ("Related", Part.RELATED),
    ("RELATED NEWS:", Part.RELATED),
    ("More on this story", Part.RELATED),
    ("What to read next", Part.RELATED),
    ("Вам может быть интересно", Part.RELATED),
    ("Вас також може зацікавити", Part.RELATED),
    ("Les mer om saken", Part.RELATED),
    ("כתבות נוספות בנושא", Part.RELATED),
    ("You may also like…", Part.RELATED),
    ("A lire aussi", Part.RELATED),
    ("À lire aussi :", Part.RELATED),
    ("Ähnliche Artikel", Part.RELATED),
    ("Похожие материалы", Part.RELATED),
    ("الأخبار ذات الصلة", Part.RELATED),
    ("اخبار ذات صله", None),
    ("خبرهای مرتبط", Part.RELATED),
    ("خبر های مرتبط", Part.RELATED),
    ("خبر‌های مرتبط", Part.RELATED),
    ("أخبار مرتبطة", Part.RELATED),
    ("Comments (12)", Part.COMMENTS),
    ("12 comments", Part.COMMENTS),
    ("Kommentare ( 56 )", Part.COMMENTS),
    ("Leave a reply", Part.COMMENTS),
    ("Top 10 stories", Part.OTHER),
    ("Most read", Part.OTHER),
    ("The most read in Sport", Part.OTHER),
    ("Latest from Europe", Part.OTHER),
    ("Latest figures show a rise", None),
    ("Editor’s picks", Part.OTHER),
    ("Don't miss", Part.OTHER),
    ("Follow us on Telegram", Part.OTHER),
    ("Weather", Part.OTHER),
    ("Weather stops the race", None),
    ("Related to the king", None),
    ("The ferries stay in port", None),
    ("", None),
    ("2026", None),
    ("…", None),
]

LANGUAGES = {
    Part.RELATED: (
        "Sur le même sujet|Das könnte Sie auch interessieren|Lees ook:|Articoli correlati|"
        "También te puede interesar|LEIA TAMBÉM|Читайте также|Пов’язані новини|Свързани новини|"
        "Czytaj też|Související články|Povezane vijesti|Kapcsolódó cikkek|Citește și|"
        "Läs också|Læs også|Les også|Aiheeseen liittyvää|BENZER YAZILAR|İlgili haberler|"
        "ΔΙΑΒΑΣΤΕ ΕΠΙΣΗΣ|إقرأ أيضاً|همچنین بخوانید|یہ بھی پڑھیں|קראו גם|यह भी पढ़ें|"
        "আরও পড়ুন|Baca Juga:|Tin liên quan|ข่าวที่เกี่ยวข้อง|相关新闻|延伸閱讀|関連ニュース|관련 기사"
    ),
    Part.COMMENTS: (
        "3 commentaires|12 Kommentare|Reacties (4)|Comentarios|Комментарии (7)|Kommentarer|"
        "Σχόλια|التعليقات|תגובות|टिप्पणियां|Bình luận|ความคิดเห็น|评论|コメント|댓글 2"
    ),
    Part.OTHER: (
        "Les plus lus|Meistgelesen|Meest gelezen|I più letti|Lo más leído|Mais lidas|"
        "Последние новости|Останні новини|Najczęściej czytane|Nejčtenější|Mest läst|"
        "Mest leste|Seneste nyt|Luetuimmat|En çok okunanlar|Τελευταία νέα|آخر الأخبار|"
        "پربازدیدترین‌ها|מבזקים|ताजा खबरें|সর্বশেষ সংবাদ|Terpopuler|Tin mới nhất|ข่าวล่าสุด|"
        "热门新闻|アクセスランキング|많이 본 뉴스"
    ),
}
# A label above an advertisement, and words of texts.
NO_HEADINGS = "Anzeige|Reklama|Annons|Publicité|Lire|Lesen|Más|Hintergrund|Главное"


@pytest.mark.parametrize(
    ("part", "text"), [(part, text) for part in LANGUAGES for text in LANGUAGES[part].split("|")]
)
def test_languages(part: Part, text: str) -> None:
    assert part_headed_by(text) is part


@pytest.mark.parametrize("text", NO_HEADINGS.split("|"))
def test_other_words(text: str) -> None:
    assert part_headed_by(text) is None


@pytest.mark.parametrize(("text", "part"), HEADINGS)
def test_headings(text: str, part: Part | None) -> None:
    assert part_headed_by(text) is part


def test_a_long_text_is_no_heading() -> None:
    assert part_headed_by("Follow us " + "and more " * 3) is Part.OTHER
    assert part_headed_by("Follow us " + "on " * LONGEST_HEADING) is None
