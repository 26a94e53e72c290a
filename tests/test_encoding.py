"""Test the decoding of pages: the chosen encoding, and the evidence for it."""

import pytest

from crawler.extraction.page.encoding import Text, decode

RUSSIAN = "Садовники старого города договорились поливать липы по очереди до самой осени. " * 4


def meta(charset: str) -> bytes:
    return f'<meta charset="{charset}">'.encode()


CASES: dict[str, tuple[bytes, str | None, Text]] = {
    "nothing": (b"", None, Text("", "utf-8", "valid UTF-8")),
    "UTF-8, undeclared": ("é".encode(), None, Text("é", "utf-8", "valid UTF-8")),
    "UTF-8, declared": ("é".encode(), "UTF-8", Text("é", "utf-8", "HTTP header")),
    "BOM against the header": (
        b"\xef\xbb\xbf\xc3\xa9",
        "windows-1251",
        Text("é", "utf-8", "byte order mark"),
    ),
    "BOM against the meta element": (
        b"\xff\xfe" + '<meta charset="utf-8">é'.encode("utf-16-le"),
        None,
        Text('<meta charset="utf-8">é', "utf-16-le", "byte order mark"),
    ),
    "BOM of big-endian UTF-16, cut": (
        b"\xfe\xff\x00a\x00",
        None,
        Text("a\ufffd", "utf-16-be", "byte order mark"),
    ),
    "Latin-1 is windows-1252": (
        b"\x93\xe9\x94",
        "ISO-8859-1",
        Text("“é”", "cp1252", "HTTP header"),
    ),
    "meta element": (
        meta("windows-1256") + b"\xc7",
        None,
        Text('<meta charset="windows-1256">ا', "cp1256", "meta tag"),
    ),
    "header against meta element": (
        meta("windows-1251") + b"\xc7",
        "windows-1256",
        Text('<meta charset="windows-1251">ا', "cp1256", "HTTP header"),
    ),
    "header that cannot be": (
        meta("windows-1251") + b"\xc7",
        "utf-8",
        Text('<meta charset="windows-1251">З', "cp1251", "meta tag"),
    ),
    "multi-byte header over UTF-8": (
        "é".encode(),
        "shift_jis",
        Text("ﾃｩ", "cp932", "HTTP header"),
    ),
    "multi-byte meta element over UTF-8": (
        meta("euc-jp") + "é".encode(),
        None,
        Text('<meta charset="euc-jp">辿', "euc_jp", "meta tag"),
    ),
    "single-byte header, multi-byte meta element": (
        meta("shift_jis") + "é".encode(),
        "iso-8859-2",
        Text('<meta charset="shift_jis">é', "utf-8", "valid UTF-8"),
    ),
    "damaged, as the header says": (b"a\xff", "utf-8", Text("a\ufffd", "utf-8", "HTTP header")),
    "damaged, as the meta element says": (
        meta("utf-8") + b"\xff",
        None,
        Text('<meta charset="utf-8">\ufffd', "utf-8", "meta tag"),
    ),
    "damaged, and two declared": (
        meta("gbk") + b"\xff\x80",
        "utf-8",
        Text('<meta charset="gbk">\ufffd\ufffd', "utf-8", "HTTP header"),
    ),
    "word processor": (
        b"\x93It\x92s \x96 so\x94\x85\x99",
        None,
        Text("“It’s – so”…™", "cp1252", "its bytes"),
    ),
    "another encoding, undeclared": (
        RUSSIAN.encode("cp1251"),
        None,
        Text(RUSSIAN, "cp1251", "its bytes"),
    ),
    "damaged UTF-8, undeclared": (
        RUSSIAN.encode() + b"\xc3 ",
        None,
        Text(RUSSIAN + "\ufffd ", "utf-8", "its bytes"),
    ),
}
NOT_OF_PAGES = ("zip", "idna", "punycode", "unicode-escape", "rot13", "no-such-charset", "\x00", "")
SINGLE_BYTE = (
    "iso-8859-1",
    "iso-8859-5",
    "latin1",
    "windows-1251",
    "windows-1256",
    "ibm866",
    "koi8-r",
    "koi8-u",
    "us-ascii",
    "macintosh",
    "mac-cyrillic",
    "tis-620",
)


@pytest.mark.parametrize("name", CASES)
def test_decode(name: str) -> None:
    body, header, expected = CASES[name]
    assert decode(body, header) == expected


@pytest.mark.parametrize("label", NOT_OF_PAGES)
def test_encodings_that_no_page_can_have_are_ignored(label: str) -> None:
    body = meta("windows-1256") + b"\xc7"
    assert decode(body, label) == decode(body, None)
    assert decode(meta(label or "x") + "é".encode(), None).encoding == "utf-8"


@pytest.mark.parametrize("label", ["shift_jis", "gbk", "gb18030", "big5", "euc-jp", "euc-kr"])
def test_a_declared_multi_byte_charset_is_used(label: str) -> None:
    # These bytes are also valid UTF-8.
    body = "辿辿辿辿".encode("euc-jp")
    assert body.decode("utf-8")
    decoded = decode(body, label)
    assert (decoded.source, decoded.encoding == "utf-8") == ("HTTP header", False)


@pytest.mark.parametrize("label", SINGLE_BYTE)
def test_utf8_is_read_as_such_despite_a_declared_single_byte_charset(label: str) -> None:
    text = "“Señales” – 1 €"
    assert decode(text.encode(), label) == Text(text, "utf-8", "valid UTF-8")
    in_meta = meta(label) + text.encode()
    assert decode(in_meta, None) == Text(in_meta.decode(), "utf-8", "valid UTF-8")


@pytest.mark.parametrize(("whole", "is_utf8"), [(4, False), (5, True)])
def test_less_than_a_fifth_of_the_letters_may_be_damaged(whole: int, is_utf8: bool) -> None:
    body = b"The gardens of the town are closed. " * 3 + "é".encode() * whole + b" \xe9t"
    assert (decode(body, None).encoding == "utf-8") is is_utf8


# A sentence in each language, and the encodings that its pages used before UTF-8.
SENTENCES = {
    "ru": ("Портовое управление сообщило, что после пожара остановились все краны.", "cp1251"),
    "uk": ("Портове управління повідомило, що після пожежі зупинилися всі крани.", "cp1251"),
    "fr": ("L’autorité a déclaré mardi que les grues s’étaient arrêtées à l’été.", "cp1252"),
    "de": ("Die Behörde teilte mit, dass die Kräne am östlichen Kai für länger stehen.", "cp1252"),
    "pt": ("A autoridade disse na terça-feira que os guindastes não funcionam.", "cp1252"),
    "pl": ("Zarząd poinformował, że wszystkie dźwigi na nabrzeżu się zatrzymały.", "cp1250"),
    "cs": ("Správa přístavu oznámila, že všechny čtyři jeřáby se zastavily.", "iso8859-2"),
    "tr": ("Liman idaresi dört vincin de durduğunu, yükün boşaltılmadığını açıkladı.", "cp1254"),
    "el": ("Η λιμενική αρχή ανακοίνωσε ότι και οι τέσσερις γερανοί σταμάτησαν.", "cp1253"),
    "he": ("רשות הנמל הודיעה כי כל ארבעת המנופים ברציף המזרחי הפסיקו לפעול.", "cp1255"),
    "ar": ("قالت سلطة الميناء إن الرافعات الأربع توقفت عن العمل بعد حريق.", "cp1256"),
    "th": ("การท่าเรือกล่าวว่าเครนทั้งสี่ตัวหยุดทำงานหลังเกิดเพลิงไหม้", "cp874"),
    "zh": ("港务局周二表示，变压器厂房失火后，东码头的四台起重机全部停止运转。", "gb18030"),
    "ja": ("港湾局は火曜日、火災により東埠頭のクレーンが停止したと発表した。", "cp932"),
    "ko": ("항만 당국은 화재로 동쪽 부두의 크레인이 모두 멈췄다고 밝혔다.", "cp949"),
}


def html_page(language: str, charset: str, text: bytes) -> bytes:
    paragraphs = b"".join(b"<p>" + text + b"</p>" for _ in range(8))
    return f'<html lang="{language}"><meta charset="{charset}">'.encode() + paragraphs


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("declared", ["utf-8", "unknown"])
def test_text_in_an_older_encoding_that_the_page_does_not_declare(
    language: str, declared: str
) -> None:
    text, encoding = SENTENCES[language]
    decoded = decode(html_page(language, declared, text.encode(encoding)), None)
    assert text in decoded.text
    assert decoded.source == "its bytes"


@pytest.mark.parametrize("language", ["ru", "uk", "el", "he", "ar", "th", "zh", "ja", "ko"])
def test_latin_1_is_not_believed_for_other_scripts(language: str) -> None:
    text, encoding = SENTENCES[language]
    assert text in decode(html_page(language, "x", text.encode(encoding)), "iso-8859-1").text


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("declared", ["gb2312", "gbk", "shift_jis", "euc-kr", "iso-8859-1"])
def test_long_utf8_is_read_as_such_whatever_is_declared(language: str, declared: str) -> None:
    text = SENTENCES[language][0] * 8
    assert decode(html_page(language, declared, text.encode()), None).source == "valid UTF-8"
    damaged = html_page(language, "x", text.encode() + b"\xff")
    assert text in decode(damaged, declared).text


@pytest.mark.parametrize(
    "declaration",
    [
        "<meta charset=windows-1251>",
        '<meta charset="windows1251">',
        '<meta charset="win-1251">',
        "<meta charset=“windows-1251”>",
        '<meta http-equiv="Content-Type" content="text/html; charset: windows-1251">',
        '<meta name="content-type" content="text/html; charset=cp-1251">',
        '<meta httpequiv="ContentType" content="text/html; charset=windows-1251">',
        "<script>" + "var a = 1;" * 900 + '</script><meta charset="windows-1251">',
    ],
)
def test_a_late_or_malformed_declaration_is_read(declaration: str) -> None:
    body = declaration.encode() + "Так".encode("cp1251")
    assert decode(body, None)[1:] == ("cp1251", "meta tag")
    assert decode(body, "ISO-88509-1")[1:] == ("cp1251", "meta tag")


def test_iso_2022_jp_is_known_by_its_escapes() -> None:
    text = SENTENCES["ja"][0]
    for charset in ("iso-2022-jp", "utf-8", "x"):
        assert text in decode(html_page("ja", charset, text.encode("iso2022_jp")), None).text
    assert decode(b"a \x1b$B that is no Japanese", None).encoding == "utf-8"


def test_utf16_without_zero_bytes_is_not_believed() -> None:
    assert decode(meta("utf-16") + b"abcd", "utf-16").text.endswith("abcd")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", [b"<meta ", b"\xe9", b"\xa1\xa2", b"<meta charset=", b"\x1b$B"])
def test_hostile_bytes_are_decoded_in_linear_time(piece: bytes) -> None:
    decode(piece * (2_000_000 // len(piece)) + b"\xff", "iso-8859-1")
