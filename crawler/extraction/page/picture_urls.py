"""Judge the URLs of pictures: whether it is decoration, and whether two are the same picture."""

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

IMAGE_FILE = re.compile(r"\.(?:jpe?g|jfif|png|gif|webp|avif|bmp)(?:$|[?#/&;@!])", re.IGNORECASE)
_GRAPHIC_FILE = re.compile(r"\.(?:gif|png|svg|ico)$", re.IGNORECASE)
# Characters. No judgement of a longer URL is worth its time.
_LONGEST_URL = 4_000
_CACHED = 256
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")
# WordPress names the header and the icon of a site so, which it cuts from a larger picture.
_SITE_PART = "cropped-"
# A word of a file name that marks a decoration whatever else the name says.
_ALWAYS = frozenset(("placeholder", "spacer"))
# Words that mark a GIF, PNG or SVG file, whatever else its name says: "our-logo-2019.png". A photo
# may show such a thing: "google-logo-on-tower.jpg", "pop-icon-dies.jpg".
_GRAPHICS = frozenset("logo logos icon icons ico sprite sprites avatar blank captcha".split())
# Words that mark a decoration if the name says nothing else: "share_facebook.png" and
# "og-default.jpg", but not "facebook-hearing.jpg".
_MARKS = (
    _ALWAYS
    | _GRAPHICS
    | frozenset(
        "1x1 pixel button buttons btn banner arrow arrows bullet loading loader preloader spinner "
        "lazy lazyload share sharing print printer facebook fb twitter x telegram whatsapp "
        "instagram youtube linkedin rss email mail social transparent dot line this bg background "
        "white black grey gray small big left right up down top og opengraph ogimage ogp default "
        "fallback noimage noimg nophoto nopic dummy generic empty missing unavailable favicon "
        "touch no sharer sharecard shareimage sitelogo".split()
    )
)
# Words that say nothing.
_FILLERS = frozenset(
    "image images img pic picture photo foto bild the a of for by no not found available site "
    "website page home homepage app apple card meta thumb thumbnail square wide large medium hd "
    "full size news media new main header post article".split()
)
# Folders of files that belong to the site or to a person, never to an article.
_SITE_FOLDER = re.compile(
    r"[/-](?:authors?|avatars?|emojis?|smil(?:ies|eys)|icons?|sprites?|(?:app_)?themes?|skins?"
    r"|userpics?)/",
    re.IGNORECASE,
)
_TRACKERS = re.compile(
    r"(?:^|\.)(?:scorecardresearch|quantserve|doubleclick|google-analytics|googletagmanager|"
    r"chartbeat|imrworldwide|ioam|ivwbox|xiti|mc\.yandex|counter\.yadro|top-fwz1\.mail|hit\.gemius|"
    r"adnxs|bat\.bing|px\.ads\.linkedin|analytics\.twitter|pixel\.[\w-]{1,60}|cnzz|histats|"
    r"statcounter|gravatar|feedburner|vgwort)\.",
    re.IGNORECASE,
)
_TRACKER_PATH = re.compile(
    r"/(?:tr|pixel|beacon|collect|count(?:er)?|hit|track(?:ing)?)"
    r"(?:\.(?:php|gif|cgi|pl|aspx?))?/?$",
    re.IGNORECASE,
)
# A URL within another, as resizers take it: "/resize/640/https%3A%2F%2Fhost%2Fa.jpg".
_INNER = re.compile(r"https?(?::|%3A|%253A)(?:/|%2F|%252F){2}", re.IGNORECASE)
_WORDPRESS_PROXY = re.compile(r"^i[0-3]\.wp\.com$", re.IGNORECASE)
_CLOUDFLARE_OPTIONS = re.compile(r"^/cdn-cgi/image/[^/]{1,300}(?=/)")
# Steps of a resizer: "w=640,h=256,q=60", "w_1200,c_fill", "width:940". Other folders are not sizes.
_RESIZING = re.compile(
    r"/(?:[a-z]{1,8}[=_:][\w.:-]{1,40}[,;])*(?:w|h|width|height)[=_:]\d{2,4}"
    r"(?:[,;][a-z]{1,8}[=_:][\w.:-]{1,40})*(?=/)",
    re.IGNORECASE,
)
# WordPress adds sizes and edits to names: "a-1024x768.jpg", "a-scaled.jpg", "a-e1610000000.jpg".
_NAME_SIZE = re.compile(
    r"(?:-\d{2,4}x\d{2,4}|-scaled|-e\d{10,13})+(?=\.[a-z]{3,4}$)", re.IGNORECASE
)
_EXTENSION = re.compile(r"\.[a-z]{3,4}$", re.IGNORECASE)
# Parameters of a script that say how a picture is shown, not which one it is.
_SHOWING = re.compile(
    r"(?:w|h|q|s|dpr|width|height|quality|auto|fit|crop|format|fm|strip|ssl|resize|sig|auth|token|"
    r"rect|smart|type|size|v|ts|crop[wh]|x|y|compression|mode|scale)",
    re.IGNORECASE,
)


def is_decoration(url: str, site_words: str = "") -> bool:
    """Return whether a URL is that of a logo, an icon, a site's card, or a tracking pixel.

    Only whole words of the file name count, not parts of words or of hosts. ``site_words`` are the
    names and the host of the site in lower case, whose words say nothing in a file's name.
    """
    judgement = _judged(url[:_LONGEST_URL])
    if isinstance(judgement, bool):
        return judgement
    return all(len(word) > 2 and word in site_words for word in judgement)


@lru_cache(maxsize=_CACHED)
def _judged(url: str) -> bool | frozenset[str]:
    """Return whether a URL is that of a decoration; if its site decides, the words in question."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if _is_tracker(parts.netloc, parts.path, parts.query):
        return True
    if _SITE_FOLDER.search(unquote(parts.path)):
        return True
    if parts.query and not IMAGE_FILE.search(url) and "/" not in parts.path.strip("/"):
        # "https://b.scorecard.example/p?c1=2": no picture has such a short name.
        return 0 < len(parts.path.strip("/")) < 2
    file = parts.path.rstrip("/").rpartition("/")[2]
    name = _CAMEL.sub("-", _EXTENSION.sub("", file)).lower()
    words = {word if word == "1x1" else word.rstrip("0123456789") for word in _WORD.findall(name)}
    words.discard("")
    if not _ALWAYS.isdisjoint(words) or name.startswith(_SITE_PART):
        return True
    if _GRAPHIC_FILE.search(file) and not _GRAPHICS.isdisjoint(words):
        return True
    return False if words.isdisjoint(_MARKS) else frozenset(words - _MARKS - _FILLERS)


def _is_tracker(host: str, path: str, query: str) -> bool:
    return _TRACKERS.search(host) is not None or (
        query != "" and _TRACKER_PATH.search(path) is not None
    )


@lru_cache(maxsize=_CACHED)
def identity(url: str) -> str:
    """Return the part that the URLs of one picture in several sizes share.

    Drops the resizer around a picture's own URL, the query, and sizes that resizers and WordPress
    write. Two pictures never get the same identity, but two sizes may get different ones: a folder
    named "large" or a number at the end of a name can be anything.
    """
    url = url[:_LONGEST_URL].strip()
    # Looking for parts of each pattern first is quicker.
    inner = list(_INNER.finditer(url)) if "http" in url[1:].lower() else []
    if len(inner) > 1 or (inner and inner[0].start()):
        url = unquote(unquote(url[inner[-1].start() :])) if "%" in url else url[inner[-1].start() :]
        url = url.partition("&")[0]
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    host, path = parts.netloc.lower(), parts.path
    if _WORDPRESS_PROXY.match(host):
        host, _, path = path.lstrip("/").partition("/")
        path = f"/{path}"
    path = _CLOUDFLARE_OPTIONS.sub("", path)
    if any(map(path.__contains__, "=_:")):
        path = _RESIZING.sub("", path)
    if "-" in path:
        path = _NAME_SIZE.sub("", path)
    is_file = IMAGE_FILE.search(path) is not None
    query = "" if is_file else "&".join(sorted(_kept(parts.query)))
    return f"{host}{unquote(path)}?{query}"


def _kept(query: str) -> list[str]:
    pairs = query.split("&") if query else []
    return [pair for pair in pairs if not _SHOWING.fullmatch(pair.partition("=")[0])]
