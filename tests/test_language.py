"""The language of a record: declared, detected, or detected against the declaration."""

from dataclasses import replace
from typing import Any

import pytest
from lxml import html
from parsed_pages import BARE, FETCH, SITE, article

from crawler.extraction import language
from crawler.extraction.page import Declared, metadata
from crawler.extraction.page.text import visible_length

# A few sentences in each language, made up.
TEXTS = {
    "en": "The gardeners of the old town have agreed to water the limes by turns until the autumn. "
    "It was said that the trees are in good health, and that nobody has to be paid for it.",
    "de": "Die Gärtner der Altstadt haben vereinbart, die Linden bis zum Herbst abwechselnd zu "
    "gießen. Das Wasser ist nicht teuer, und von den Bäumen haben auch die Gäste etwas.",
    "fr": "Les jardiniers de la vieille ville se sont mis d’accord pour arroser les tilleuls à "
    "tour de rôle. Le service dans les rues est gratuit, et des enfants aident pour le plaisir.",
    "es": "Los jardineros del casco antiguo acordaron regar los tilos por turnos hasta el otoño. "
    "El agua es barata y los vecinos se muestran contentos con las sombras de la plaza.",
    "ru": "Садовники старого города договорились поливать липы по очереди до самой осени. Вода не "
    "стоит дорого, и жители говорят, что деревья на площади стали лучше за это лето.",
    "tr": "Eski şehrin bahçıvanları sonbahara kadar ıhlamurları sırayla sulamak için anlaştı. Su "
    "pahalı değil ve bu ağaçlar mahalle için çok önemli, dedi bir bahçıvan daha sonra.",
    "sw": "Watunza bustani wa mji wa kale wamekubaliana kumwagilia miti kwa zamu hadi mwisho wa "
    "mwaka. Maji ni ya bei nafuu na wakazi wa mji wamesema kuwa kivuli cha miti ni kizuri.",
    "zu": "Abalimi bedolobha elidala bavumelene ukuthi bazonisela izihlahla futhi bazosizana uma "
    "kudingeka. Uthe umphathi ukuthi amanzi awabizi kakhulu, kanye nezakhamuzi ziyajabula ngoba "
    "izihlahla zinomthunzi futhi zinhle.",
    "ar": "اتفق بستانيو المدينة القديمة على سقي أشجار الزيزفون بالتناوب حتى الخريف. وقالوا "
    "إن الماء ليس غاليا، وإن هذا العمل الذي يقومون به في الشوارع من أجل السكان مع أبنائهم.",
    "zh": "老城区的园丁们商定，在秋天到来之前轮流给椴树浇水。居民们表示，水费并不贵，"
    "广场上的树荫让大家都感到高兴。"
    "孩子们也来帮忙，晚上大家一起在树下吃饭。",
    "ja": "旧市街の庭師たちは、秋まで交代で菩提樹に水をやることで合意した。水は高くなく、"
    "広場の木陰を住民は喜んでいる。"
    "子どもたちも手伝い、夜には木の下で食事をする。",
    "hi": "पुराने शहर के मालियों ने शरद ऋतु तक बारी-बारी से पेड़ों को पानी देने पर सहमति जताई है। "
    "पानी महंगा नहीं है और चौक में पेड़ों की छाया से लोग खुश हैं।",
}


def record(text: str, declared: str | None, where: str = "html lang") -> Any:
    page = replace(BARE, body=(text,), language=Declared(declared, where) if declared else None)
    return article(page, FETCH, None, SITE)


@pytest.mark.parametrize("code", [code for code in TEXTS if code != "zu"])
def test_a_confirmed_declaration_needs_no_detector(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded() -> None:
        raise AssertionError("the detector is loaded")

    monkeypatch.setattr(language, "_model", loaded)
    found = record(TEXTS[code], code)
    assert found.language == code
    assert found.provenance["language"].assumed is None


@pytest.mark.parametrize("code", TEXTS)
@pytest.mark.parametrize("declared", ["en", "it", "ms"])
def test_a_wrong_declaration_is_named(code: str, declared: str) -> None:
    found = record(TEXTS[code], declared)
    assert found.language == code
    if code != declared:
        assert found.provenance["language"].where.startswith("detected from the body with ")
        assert found.provenance["language"].assumed == f"html lang says {declared}"


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        (TEXTS["de"][:99], "en"),
        ("Marek 3, Olin 4, Sarn 5, Velmora 6, Tomas 7, Irvane 8, Orla 9. " * 2, "en"),
        ("Kwyx 1204 blorp " * 20, "fo"),
    ],
)
def test_a_declaration_stays_if_the_text_says_too_little(text: str, declared: str) -> None:
    assert record(text, declared).language == declared


def test_words_that_belong_to_no_known_language_are_named() -> None:
    found = record("Trazimo welkuna pirgosta melantur. " * 30, "en")
    assert found.language in ("en", None) or found.provenance["language"].assumed
    assert found.provenance["language"].assumed is not None


@pytest.mark.parametrize(("declared", "given"), [("nb", "no"), ("no", "no"), ("nn", "nn")])
def test_norwegian(declared: str, given: str) -> None:
    text = "Gartnerne i gamlebyen er enige om å vanne lindetrærne etter tur til høsten. " * 3
    found = record(text, declared)
    assert found.language == given
    assert found.provenance["language"].assumed == ("no for nb" if declared == "nb" else None)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("id", "Para tukang kebun kota tua sepakat untuk menyiram pohon itu secara bergiliran. "),
        ("ms", "Para tukang kebun kota tua sepakat untuk menyiram pohon itu secara bergiliran. "),
        ("hr", "Vrtlari staroga grada dogovorili su se da će naizmjence zalijevati lipe na trgu. "),
        ("sr", "Vrtlari staroga grada dogovorili su se da će naizmjence zalijevati lipe na trgu. "),
        ("uk", "Садівники старого міста домовилися по черзі поливати липи до самої осені. "),
        (
            "da",
            "Gartnerne i den gamle by er enige om at vande lindetræerne på skift til efteråret. ",
        ),
        (
            "gl",
            "Os xardineiros da cidade vella acordaron regar os tileiros por quendas ata o outono. ",
        ),
        (
            "sk",
            "Záhradníci starého mesta sa dohodli, že budú lipy polievať striedavo až do jesene. ",
        ),
    ],
)
def test_close_languages_do_not_contradict(declared: str, text: str) -> None:
    assert record(text * 3, declared).language == declared


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("en-US", "en"),
        ("EN_gb", "en"),
        ("utf-8", None),
        ("eng", "en"),
        ("iw", "he"),
        ("fil-PH", "fil"),
        ("und", None),
        ("xx", None),
        ("english", None),
        ("", None),
    ],
)
def test_declared_codes(value: str, expected: str | None) -> None:
    declared = metadata.read(html.fromstring(f'<html lang="{value}"><p>x')).language
    assert (declared.value if declared else None) == expected


def test_the_next_declaration_is_read_if_one_is_no_language() -> None:
    page = '<html lang="utf"><meta http-equiv="content-language" content="utf-8">'
    page += '<meta property="og:locale" content="ta_IN"><p>x'
    assert metadata.read(html.fromstring(page)).language == Declared("ta", "meta og:locale")


def test_visible_length_counts_dense_characters_as_more() -> None:
    assert visible_length("abc d") == 5
    assert visible_length("été") == 3
    assert visible_length("港务局表示") == 12
    assert visible_length("항만 당국") == 11
