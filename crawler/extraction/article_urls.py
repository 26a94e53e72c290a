"""Judges by its address alone whether a link leads to a news article. Pure: no I/O.

Takes an address, absolute or without its scheme; returns a verdict, and never raises an error.
Most addresses betray themselves: articles by a date, an identifier or a long name, other pages by a
word such as "tag" or "impressum". A name of a few words belongs to an article at one publisher and
to a section at the next ("/dogs-that-bark-twice", "/letters-to-the-editor"). Such an address counts
as an article if it has the same shape, called its template, as a known article of the publisher.

The numbers of words are those that served best on tests/article_links.tsv.
"""

import re
from collections.abc import Container
from datetime import date
from typing import NamedTuple
from urllib.parse import unquote, urlsplit


def _set(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# Folders that hold articles. A template keeps their names.
_ARTICLE_FOLDERS = _set(
    "a art article articles articolo articoli articulo articulos artigo artigos artikel artikelen",
    "artikkel artikler artykul artykuly blog cnt detail details doc haber haberi makale post posts",
    "read statya story stories view",
)
# Pages below these are lists, people or things for sale.
_LIST_FOLDERS = _set(
    "tag tags tagged label labels hashtag etiqueta etiquetas etichette etiket etiketter tagi trend",
    "category categories categoria categorias categorie kategorie kategorien kategori kategoria",
    "rubrik rubriken rubrique rubriques rubrica rubrika rubryka seccion secciones section sections",
    "author authors byline autor autorin autoren autores autori autore auteur auteurs autorzy",
    "avtor yazar forfatter skribent staff team teams reporter reporters journalist journalists",
    "redakteur user users member members profile profiles profil athlete athletes player players",
    "spieler search suche recherche buscar busqueda busca cerca ricerca zoeken szukaj poisk arama",
    "page pages seite pagina strona sayfa sida feed feeds rss comment comments comentarios",
    "login logout signin signup register registration anmeldung account konto cuenta mi-cuenta",
    "subscribe newsletter newsletters abo abos abonnement suscripcion prenumerera bulten",
    "shop store boutique tienda loja winkel sklep butik produkt produkte product products coupon",
    "coupons gutscheine job jobs stellenmarkt empleo anzeigen annonces anuncios kleinanzeigen",
    "event events veranstaltung veranstaltungen evenement kalender calendar termine tv-programm",
    "program programme programm sendung sendungen tv-guide forum forums community download",
    "downloads wp-content wp-json wp-admin cdn-cgi",
)
# The page right below one of these collects articles, but those further below may be articles.
_TOPIC_FOLDERS = _set(
    "topic topics thema themen theme themes tema temas temi temat tematy onderwerp emne emner amne",
    "amnen aihe aiheet konu konular syuzhet dossier dossiers special specials spezial",
)
# The page right below one of these is a section unless its name is as long as a headline.
_SECTION_FOLDERS = _set(
    "serie series region regions location company companies columnist columnists columnista",
    "columnistas kolumnen blogs wetter weather meteo tiempo pogoda horoskop horoscope horoscopo",
)
# Names of lists, and of pages about the publisher.
_HUBS = _set(
    "home live liveticker live-ticker ticker latest video videos podcast podcasts galerie gallery",
    "archive archives archiv archivo archivio arkiv epaper e-paper sitemap about about-us das-team",
    "ueber-uns uber-uns wer-wir-sind quienes-somos sobre-nosotros qui-sommes-nous chi-siamo",
    "over-ons om-oss o-nas hakkimizda contact contacts contact-us contacto contatti contato",
    "kontakt iletisim register wetter weather meteo horoskop horoscope horoscopes",
)
# A short name with one of these words is that of a page about the publisher or its offers.
_SERVICE_WORDS = _set(
    "impressum imprint datenschutz datenschutzerklaerung datenschutzhinweise privacy privacidad",
    "confidentialite cookie cookies agb geschaeftsbedingungen nutzungsbedingungen netiquette",
    "regulamin terms voorwaarden conduct legales accessibilite newsletter newsletters abo",
    "abonnement abonnieren abonneren subscribe subscription suscripcion login signin anmeldung",
    "registrierung faq startseite homepage advertise publicidad publicite werben mediadaten",
)
_SERVICE_HOSTS = _set(
    "abo abonnement account accounts ads anzeigen assets auth ayuda boutique cdn coupons email",
    "epaper games gutscheine help hilfe images img info jobs kleinanzeigen login mail media meteo",
    "my newsletter newsletters profile promo secure shop sso static stellenmarkt store subscribe",
    "suscripciones support tickets tienda tv-guide tvguide tv-programm weather wetter",
)
_FILES = _set(
    "pdf jpg jpeg png gif webp svg ico mp3 mp4 m4a m4v mov avi webm zip rar gz doc docx xls xlsx",
    "ppt pptx epub csv txt xml rss atom json css js ics apk exe",
)
_ACTION = re.compile(
    r"(?:^|&)(?:(?:share|replytocom|add-to-cart|unsubscribe)(?:=|&|$)"
    r"|[a-z_]{1,12}=(?:login|register|forum|comments?|subscribe)(?:&|$)|(?:format|type)=rss(?:&|$))"
)
# "articleid=dmf20130317_002", "tx_ttnews[tt_news]=477", WordPress' "p=1234", SPIP's "article8532";
# and "id=1234", which may be a section's as well.
_ID_QUERY = re.compile(
    r"(?:^|&)(?P<key>"
    r"(?P<sure>[a-z_:\[]{0,20}(?:article|artikel|story|news)[a-z_:\]]{0,9}=?|p=(?=\d{4}))"
    r"|(?:id|nid|aid|sid|seq|seq_code|idx|idxno|no|doc|docid|post)=)"
    r"[a-z]{0,4}(?P<value>\d[\w-]{2,})(?=&|$)"
)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)")
_PAGE_TYPES = _set(
    "html htm xhtml shtml phtml php php3 asp aspx jsp do cms ece cfm cgi stm story read"
)
_EXTENSION = re.compile(rf"(?:\.[a-z]{{2,5}})?\.(?:{'|'.join(sorted(_PAGE_TYPES | _FILES))})$")
_LONGEST_EXTENSION = 12  # ".bild.html" has ten characters
# Last segments that say nothing about the page: "/some-slug/amp".
_WRAPPERS = _set("amp artikel print")
_SEPARATORS = "_.,+~!: "
_DIGIT = re.compile(r"\d")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MONTH = re.compile(
    r"0?[1-9]|1[0-2]|(?:jan|feb|fev|mar|mrt|apr|abr|avr|may|mai|maj|mei|mag|jun|jui|giu|jul|lug|aug"
    r"|ago|aou|sep|set|oct|okt|ott|out|nov|dec|dez|dic|ene|gen)\w{0,7}"
)
_DAY = re.compile(r"0?[1-9]|[12]\d|3[01]")
_WHOLE_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-/_](0[1-9]|1[0-2])[-/_](0[1-9]|[12]\d|3[01])(?!\d)"
)
_COMPACT_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_UUID_LENGTHS = [8, 4, 4, 4, 12]
_GLUED_NUMBER = re.compile(r"([a-z]{1,10})(?!(?:19|20)\d\d$)\d{4,}[a-z]?")  # "artikel13351201"
_MIXED_ID = re.compile(r"(?=\D*\d+\D*\d)(?:\d+[a-z]+\d|[a-z]+\d+[a-z])[a-z\d]{0,60}")
_TELLING = re.compile(r"(?:slug|number|date|id)\}")
# Of "/article1234/storm.html", "/storm-artikel1234".
_ARTICLE_NUMBER = re.compile(rf"(?<![a-z])(?:{'|'.join(sorted(_ARTICLE_FOLDERS))})-?\{{number\}}")
_WORD_SHAPES = ("{word}", "{words}", "{slug}")

# A name of so many words is a headline.
_HEADLINE_WORDS = 7
# A name of so many words has the shape {slug}, which tells articles from sections at many
# publishers; a name of two or three has the shape {words}, which does not.
_SLUG_WORDS = 4
# Names of topics and of pages about the publisher have no more words than this.
_LONGEST_LABEL = 5
# A number of so many digits is that of an article even if no word stands beside it.
_ARTICLE_DIGITS = 6


class _Address(NamedTuple):
    host: str
    segments: list[str]  # of the path, without the extension of the last
    shapes: list[str]  # of the segments; one for all segments of a date
    words: list[str]  # of the last segment
    word_count: int
    extension: str  # ".html"
    query: str


def looks_like_article(url: str) -> bool | None:
    """Return whether an address is an article's; None if it may be another page's as well."""
    address = _read(url)
    return _judge(address) if address else False


def day_in(url: str) -> date | None:
    """Return the day in the path of a URL; None if it has none."""
    try:
        match = _WHOLE_DATE.search(urlsplit(url).path)
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def template_of(url: str) -> str:
    """Return the shape of an address, such as "/{section}/{date}/{slug}-{number}.html"."""
    address = _read(url)
    return _template(address) if address else ""


def is_telling(template: str) -> bool:
    """Return whether an address of a known article's template is an article's, too."""
    return _TELLING.search(template) is not None


def is_article_address(url: str, known_templates: Container[str]) -> bool:
    """Return whether to follow a link as an article's.

    ``known_templates`` are the templates of articles that are known from the link's publisher.
    """
    address = _read(url)
    if address is None:
        return False
    verdict = _judge(address)
    if verdict is not None:
        return verdict
    template = _template(address)
    if not is_telling(template):
        return False
    # A publisher whose articles have short names has articles with longer names, too.
    return template in known_templates or template.replace("{slug}", "{words}") in known_templates


def _judge(address: _Address) -> bool | None:
    if _is_service(address):
        return False
    asked = _ID_QUERY.search(address.query) if address.query else None
    is_sure = asked is not None and (asked["sure"] is not None or _is_of_script(address, asked))
    if not address.segments:
        return is_sure or (None if asked else False)
    if address.shapes[-1] in ("{date}", "{year}"):
        # The archive of a month or a day, unless a slug stands before the date.
        return _words_before(address) >= _SLUG_WORDS
    if _is_listing(address):
        return False
    return is_sure or _has_marks(address) or None


def _is_of_script(address: _Address, asked: re.Match[str]) -> bool:
    """Return whether a script that shows articles, such as /story, is asked for a long number."""
    if len(asked["value"]) < _ARTICLE_DIGITS or not address.segments:
        return False
    return address.segments[-1] in _ARTICLE_FOLDERS


def _is_service(address: _Address) -> bool:
    """Return whether an address is of an action, of a file or of a host without articles."""
    if not _SERVICE_HOSTS.isdisjoint(address.host.split(".")[:-2]):
        return True
    if address.extension and address.extension.rpartition(".")[2] in _FILES:
        return True
    return address.query != "" and _ACTION.search(address.query) is not None


def _is_listing(address: _Address) -> bool:
    """Return whether a path is that of a list, of a topic or of a page about the publisher."""
    segments, shapes, count = address.segments, address.shapes, address.word_count
    nearest = segments[-2:]
    if segments[-1] in _HUBS or not _LIST_FOLDERS.isdisjoint(nearest):
        return True
    if "{date}" in shapes or "{date}" in shapes[-1]:
        return False
    if not _TOPIC_FOLDERS.isdisjoint(nearest):
        return True
    if count <= _LONGEST_LABEL and not _SERVICE_WORDS.isdisjoint(address.words):
        return True
    if count < _HEADLINE_WORDS and not _LIST_FOLDERS.isdisjoint(segments):
        return True
    if _SECTION_FOLDERS.isdisjoint(nearest):
        return False
    return count <= _LONGEST_LABEL if shapes[-1] in _WORD_SHAPES else count < _SLUG_WORDS


def _has_marks(address: _Address) -> bool:
    """Return whether a path has a date, an identifier or a name as only articles have them."""
    shapes, count = address.shapes, address.word_count
    name = shapes[-1]
    path = "/".join(shapes)
    before = _words_before(address) if count < 3 else 0
    if count >= _HEADLINE_WORDS or before >= _HEADLINE_WORDS:
        return True
    if "{date}" in shapes or "{date}" in name or "{uuid}" in path or "{id}" in name:
        return True
    if "{number}" not in path:
        return False
    if count >= _SLUG_WORDS or not _ARTICLE_FOLDERS.isdisjoint(shapes):
        return True
    if _ARTICLE_NUMBER.search(path):
        return True
    is_long_number = before >= _SLUG_WORDS or len(address.segments[-1]) >= _ARTICLE_DIGITS
    return name == "{number}" and is_long_number


def _words_before(address: _Address) -> int:
    """Return the number of words in the segment before the last shape."""
    position = len(address.shapes) - 2
    return _count(_split_words(address.segments[position])) if position >= 0 else 0


def _template(address: _Address) -> str:
    *folders, name = address.shapes or [""]
    template = ""
    for shape in folders:
        if shape != "{section}" or not template.endswith("/{section}"):
            template += "/" + shape
    if name == "{words}" and address.word_count > 2 and not _ARTICLE_FOLDERS.isdisjoint(folders):
        name = "{slug}"
    asked = _ID_QUERY.search(address.query) if address.query else None
    if not asked:
        return f"{template}/{name}{address.extension}"
    if name in _WORD_SHAPES:
        name = address.segments[-1]  # of a script
    return f"{template}/{name}{address.extension}?{asked['key']}{{number}}"


def _read(url: str) -> _Address | None:
    """Return the parts of a web address in lower case; None if it is no web address."""
    url = url.strip().lower()
    if url.startswith(("http://", "https://", "//")):
        url = url.partition("//")[2]
    elif url.startswith("#") or _OTHER_SCHEME.match(url):
        return None
    url, _, query = url.partition("#")[0].partition("?")
    host, _, path = url.partition("/")
    if "%" in path or "%" in query:
        path, query = unquote(path).lower(), unquote(query)
    segments = [segment for segment in path.split("/") if segment and segment != "."]
    last = segments[-1] if segments else ""
    if last.startswith("index.") or (last in _WRAPPERS and len(segments) > 1):
        segments.pop()
    if not segments:
        return _Address(host, [], [], [], 0, "", query)
    name = segments[-1].partition(";")[0]
    extension = ""
    if "." in name and (found := _EXTENSION.search(name, len(name) - _LONGEST_EXTENSION)):
        extension = found[0]
        name = name[: found.start()]
    segments[-1] = name
    words = _split_words(name)
    count = _count(words)
    shapes = _shapes(segments, words, count)
    return _Address(host, segments, shapes, words, count, extension, query)


def _shapes(segments: list[str], words: list[str], count: int) -> list[str]:
    """Return the shapes of a path's segments, of which the last has these words."""
    shapes = []
    position = 0
    last = len(segments) - 1
    while position <= last:
        segment = segments[position]
        length = 1
        if position < last and segment in _ARTICLE_FOLDERS:
            shape = segment
        elif segment.isalpha() or not _DIGIT.search(segment):
            shape = "{section}" if position < last else _shape_of_words(count)
        elif _YEAR.fullmatch(segment):
            length = _date_length(segments[position : position + 3])
            shape = "{date}" if length > 1 else "{year}"
        elif position < last:
            shape = _shape_with_ids(_split_words(segment)) or "{section}"
        else:
            shape = _shape_with_ids(words) or _shape_of_words(count)
        shapes.append(shape)
        position += length
    return shapes


def _shape_of_words(count: int) -> str:
    return "{word}" if count < 2 else "{words}" if count < _SLUG_WORDS else "{slug}"


def _shape_with_ids(words: list[str]) -> str:
    """Return the shape of a name with identifiers, "{slug}-{number}"; "" if it has none."""
    pieces: list[str] = []
    plain: list[str] = []  # words since the last identifier, without numbers
    position = 0
    while position < len(words):
        word = words[position]
        shape, length = ("", 1) if word.isalpha() else _identifier(words, position)
        position += length
        if not shape:
            if not word.isdigit():
                plain.append(word)
            continue
        if plain:
            # A single word is often not a slug but a kind of page: "home-1234", "s-1234".
            pieces.append(plain[0] if len(plain) == 1 else "{slug}")
            plain = []
        if shape != "{number}" or not pieces or not pieces[-1].endswith(shape):
            pieces.append(shape)
    return "-".join(pieces + ["{slug}"] * bool(plain)) if pieces else ""


def _identifier(words: list[str], position: int) -> tuple[str, int]:
    """Return the shape of the identifier at a position, or "", and its number of words."""
    word = words[position]
    size = len(word)
    if size == 8 and [len(part) for part in words[position : position + 5]] == _UUID_LENGTHS:
        return "{uuid}", 5
    if not word.isdigit():
        if glued := _GLUED_NUMBER.fullmatch(word):
            return glued[1] + "{number}", 1
        return "{id}" if size > 6 and _MIXED_ID.fullmatch(word) else "", 1
    if size == 4 and _YEAR.fullmatch(word):
        return ("{date}", 3) if _date_length(words[position : position + 3]) == 3 else ("", 1)
    if size == 8 and _COMPACT_DATE.fullmatch(word):
        return "{date}", 1
    is_number = size > 4 or (size == 4 and position in (0, len(words) - 1))
    return "{number}" if is_number else "", 1


def _date_length(parts: list[str]) -> int:
    """Return how many parts are a date, of which the first is the year."""
    if len(parts) < 2 or not _MONTH.fullmatch(parts[1]):
        return 1
    return 3 if len(parts) > 2 and _DAY.fullmatch(parts[2]) else 2


def _count(words: list[str]) -> int:
    """Return the number of words but for numbers; two East Asian characters count as one."""
    count = 0
    for word in words:
        if word >= "\u2e80":
            count += (len(word) + 1) // 2
        elif not word.isdigit():
            count += 1
    return count


def _split_words(name: str) -> list[str]:
    # Five times as fast as a regular expression.
    for separator in _SEPARATORS:
        name = name.replace(separator, "-")
    return [word for word in name.split("-") if word]
