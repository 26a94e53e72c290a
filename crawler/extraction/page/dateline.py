"""Find the publication date: the declared one, else the date line nearest to the headline.

A page shows other dates too: today's date in its header, those of related items and comments, of
quoted posts and events, the last update. A date is therefore judged by its place and by the words
before it, and only looked for where the article's own date stands: around the headline, at the
start of the text and just after its end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum, auto
from itertools import chain, islice
from urllib.parse import urlsplit

from lxml.etree import _Element

from crawler.extraction.page import dates
from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.dates import Moment
from crawler.extraction.page.metadata import Metadata
from crawler.extraction.page.parts import Aside
from crawler.extraction.page.text import collapse

_UPDATED = re.compile(
    r"updat|modif|edit(?:ed|\b)|revis|aktualis|ge[aä]ndert|überarbeitet|mis\w*\s+à\s+jour|maj\b|"
    r"actuali[zt]|atualiz|aggiorna|modific|bijgewerkt|gewijzigd|uppdater|opdater|oppdater|päivit|"
    r"aktuali[zs]|обновл|изменен|оновл|змінен|güncel|ενημ[εέ]ρωσ|تحديث|تعدیل|به\s?روز|بروز|עודכן|"
    r"עדכון|अपडेट|আপডেট|হালনাগাদ|อัปเดต|อัพเดต|ปรับปรุง|diperbarui|dikemaskini|cập\s+nhật|更新|修订|"
    r"수정|업데이트|frissít|módosít|обнов",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(
    r"publ|posted|dates?\b|dated|issued|created|added|released|written|\bon\b|veröff|erschienen|"
    r"erstellt|eingestellt|datum|\bvom\b|paru\b|mis\w*\s+en\s+ligne|posté|rédigé|écrit|fecha|"
    r"creado|\bdata\b|scritto|inserito|postado|criado|geplaatst|skrevet|julkais|opublik|dodano|"
    r"zveřejn|vydáno|опубл|размещ|дата|розміщ|yayı|yayi|ekle|giriş|tarih|δημοσ|نشر|تاریخ|تاريخ|"
    r"انتشار|פורסם|प्रकाशित|প্রকাশ|เผยแพร่|วันที่|terbit|dipublik|đăng|ngày|发布|發布|发表|公開|"
    r"配信|掲載|投稿|입력|등록|게시|작성|közzé|megjelen|stand\b|zeit\b|time\b",
    re.IGNORECASE,
)
# A label of another thing's date: "Regatta:", "Received:".
_LABEL = re.compile(r"[^\W\d_][^:]*:\s*$")
# Characters before a date in which its label stands.
_LABEL_LENGTH = 60
# The start of a text that gives its place and day: "Berlin, 27.1.2022 –".
_START_OF_TEXT = 80
# The text after a day in a chronicle: "4 June 1977: the band forms".
_CHRONICLE = re.compile(r"\s?:\s*[^\W\d]")
_AFTER_PLACE = re.compile(r"\s*\)?\s*[-–—)]")
_PLACE = re.compile(r"[^\d.!?:]{0,40}")
# Elements that hold dates, by their names. Those of today are not the article's.
_DATE_NAME = re.compile(
    r"date|datum|fecha|publi|posted|(?:^|[\s_-])time|byline|"
    r"(?:post|entry|article)[\s_-]?(?:meta|info|footer)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\d\s?[:.h時时시٫]|\d\s?[ap]\.?m|\d\s?uhr", re.IGNORECASE)
_YEAR = re.compile(r"\d{4}|\d[.,]\s?\d\d\b")
_TODAY = re.compile(
    r"today|current|now\b|clock|update|modif|head(?:er)?-?date|top-?date", re.IGNORECASE
)
_COMMENT = re.compile(r"(?:^|[\s_-])(?:comments?|commentlist|disqus|respond)", re.IGNORECASE)
_QUOTE = re.compile(r"tweet|twitter|instagram|facebook|embed", re.IGNORECASE)
_DATE_ATTRIBUTES = (
    *("data-timestamp", "data-datetime", "data-published", "data-pubdate", "data-publish-date"),
    *("data-time", "data-date", "data-epoch", "data-utime", "data-unixtime"),
)
_MOST_INNER = 12
# Declarations that sites also fill with the day of an event, of the last change or of the visit.
_WEAK = frozenset(
    f"meta {name}"
    for name in ("date", "dc.date", "dcterms.date", "dc.date.created", "dcterms.created")
)
_URL_DAY = re.compile(
    r"/((?:19|20)\d\d)([/-]?)(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?=[/_.-]|$)"
)
_REGION = re.compile(r"[A-Za-z]{2,3}[-_]([A-Za-z]{2})(?![A-Za-z])")
# The number of blocks after and before the headline, and after the text, that are searched.
_BLOCKS_AFTER, _BLOCKS_BEFORE, _BLOCKS_BELOW = 12, 4, 4
_CLOCK_LENGTH = 20
# Characters beside its date of a line in the text.
_MOST_BESIDE = 25
_LONGEST_LINE, _SHORT_LINE = 400, 60
# Pages with more dates are lists.
_MOST_CANDIDATES, _MOST_IN_LINE = 20, 4
_LONGEST_DATE, _MOST_DECLARED, _MOST_STAMPS = 100, 30, 20
_LONGEST_ZONE = timedelta(hours=14)


class _Rank(IntEnum):
    """How much a date's place is trusted, the most first."""

    DECLARED = auto()
    STAMPED = auto()
    LABELLED = auto()
    NEAR = auto()
    IN_TEXT = auto()
    ABOVE = auto()
    DOUBTED = auto()
    JUST_ABOVE = auto()
    BELOW = auto()
    IN_URL = auto()


@dataclass(frozen=True, slots=True)
class Dated:
    """A publication date: its text, the parsed moment (None if ambiguous) and its place."""

    raw: str
    moment: Moment | None
    where: str


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of an article, and the indexes of its date lines, which are not body text."""

    published: Dated | None
    modified: Dated | None
    lines: set[int]


@dataclass(frozen=True, slots=True)
class _CertainDate(Dated):
    moment: Moment


@dataclass(frozen=True, slots=True)
class _Candidate:
    rank: _Rank
    dated: _CertainDate


def find(
    layout: Layout,
    metadata: Metadata,
    anchor: Block | None,
    aside: Aside,
    language: str | None,
    url: str | None = None,
) -> Dates:
    """Find the dates of an article.

    ``anchor`` is its headline's block, and ``url`` the page's address.
    """
    search = _Search(layout, anchor, aside, language)
    search.read_declared(metadata)
    search.read_stamps()
    search.read_lines()
    search.read_below()
    search.read_url(url or (metadata.url.value if metadata.url else None))
    modified = search.modified(metadata, url)
    if search.candidates:
        return Dates(search.best(metadata, url), modified, search.date_blocks)
    raw = search.unreadable()
    return Dates(Dated(raw, None, "date line") if raw else None, modified, search.date_blocks)


class _Search:
    """Collects the dates of one page that may be the article's, each with its rank."""

    def __init__(
        self, layout: Layout, anchor: Block | None, aside: Aside, language: str | None
    ) -> None:
        blocks = layout.blocks
        self.layout = layout
        self.anchor = anchor
        self.aside = aside
        self.tag = _language_tag(layout) or language
        if language and self.tag and self.tag[:2].lower() != language[:2]:
            self.tag = language
        self.anchor_index = anchor.index if anchor else 0
        # A date here is the article's own: from just before the headline to the first paragraph.
        self.body_start = next(
            (
                b.index
                for b in blocks[self.anchor_index + (anchor is not None) :]
                if b.prose and len(b.text) > 100 and not aside(b)
            ),
            len(blocks),
        )
        self.first = self.anchor_index - _BLOCKS_BEFORE if anchor else 0
        # The first paragraph may be a standfirst, which the date line follows.
        second = next(
            (b.index for b in blocks[self.body_start + 1 :] if b.prose and len(b.text) > 100),
            len(blocks),
        )
        self.last = min(self.anchor_index + _BLOCKS_AFTER, self.body_start + _BLOCKS_BELOW, second)
        starts = blocks[self.body_start : self.body_start + 1]
        self.around_text = {e for b in starts for e in _self_and_ancestors(b.element)}
        self.candidates: list[_Candidate] = []
        self.updates: list[_CertainDate] = []
        self.date_blocks: set[int] = set()

    def add(self, rank: _Rank, raw: str, moment: Moment, where: str) -> None:
        self.candidates.append(_Candidate(rank, _CertainDate(raw, moment, where)))

    def read_declared(self, metadata: Metadata) -> None:
        for declared in metadata.published[:_MOST_DECLARED]:
            raw = collapse(declared.value)[:_LONGEST_DATE]
            if moment := dates.declared(raw, self.tag):
                rank = _Rank.DOUBTED if declared.where in _WEAK else _Rank.DECLARED
                self.add(rank, raw, moment, declared.where)

    def read_stamps(self) -> None:
        """Read the machine-readable dates around the headline and in the text."""
        far: list[_Candidate] = []
        for stamp in islice((s for s in self.layout.stamps if s.index >= self.first), _MOST_STAMPS):
            is_near = stamp.index <= self.last
            if not is_near and (not stamp.published or self._is_elsewhere(stamp.index)):
                continue
            raw = collapse(stamp.value)[:_LONGEST_DATE]
            moment = dates.declared(raw, self.tag)
            if moment and stamp.modified:
                self.updates.append(_CertainDate(raw, moment, stamp.where))
            elif moment:
                rank = _Rank.STAMPED if stamp.published else _Rank.LABELLED
                if stamp.index < self.anchor_index and not stamp.published:
                    rank = _Rank.ABOVE
                dated = _CertainDate(raw, moment, stamp.where)
                if is_near:
                    self.candidates.append(_Candidate(rank, dated))
                else:
                    far.append(_Candidate(_Rank.BELOW, dated))
        # Several days below the text are those of other articles.
        if len({c.dated.moment.day for c in far}) == 1:
            self.candidates += far

    def read_lines(self) -> None:
        """Read the date lines around the headline, and the day that starts the text."""
        blocks = self.layout.blocks
        for block in blocks[max(self.first, 0) : self.last + 1]:
            if block is self.anchor or block.index == self.body_start:
                continue
            if len(block.text) > _LONGEST_LINE or self._is_quoted(block):
                continue
            if len(self.candidates) > _MOST_CANDIDATES:
                break
            found = self._dates_in(block)
            if found is None or (block.index > self.body_start and not _is_bare(block, found)):
                continue
            self.date_blocks.add(block.index)
            for label, line in found:
                if label == "other":
                    continue
                dated = self._with_clock(line, block)
                if label == "updated":
                    if block.index > self.anchor_index or self._is_close(block):
                        self.updates.append(dated)
                    continue
                if block.index > self.anchor_index or self.anchor is None:
                    rank = _Rank.LABELLED if label == "published" else _Rank.NEAR
                elif self.aside(block) and not _is_named(block.element):
                    continue
                elif label == "published" or self._is_close(block):
                    rank = _Rank.ABOVE
                elif block.index == self.anchor_index - 1 and len(block.text) <= _SHORT_LINE:
                    rank = _Rank.JUST_ABOVE
                else:
                    continue
                self.candidates.append(_Candidate(rank, dated))
            self._read_attributes(block)
        if self.body_start < len(blocks):
            self._read_start_of_text(blocks[self.body_start])

    def read_below(self) -> None:
        """Read the first labelled date in or below the text, but not one beside another link."""
        # If a better date is known, only lines that are no text are looked for.
        longest = _SHORT_LINE if self.candidates else _LONGEST_LINE
        has_date = False
        for block in self.layout.blocks[max(self.last, self.body_start) + 1 :]:
            if len(block.text) > longest or not _YEAR.search(block.text):
                continue
            if block.index in self.aside.headed:
                continue
            if self._is_elsewhere(block.index) or self._is_quoted(block):
                continue
            if self.aside(block) and not _is_named(block.element):
                continue
            found = self._dates_in(block) or ()
            labelled = [dated for label, dated in found if label == "published"]
            if found and (found[0][0] in ("published", "updated") or has_date):
                # After the date at the end of a text, lines with dates are the publisher's.
                self.date_blocks.add(block.index)
            if labelled and not has_date:
                has_date = True
                self.candidates.append(_Candidate(_Rank.BELOW, labelled[0]))

    def _is_elsewhere(self, index: int) -> bool:
        """Return whether a date below the text is a comment's or stands beside another's link."""
        blocks = self.layout.blocks
        own = self.anchor.key if self.anchor else ""
        is_meta = index < len(blocks) and _is_named(blocks[index].element)
        beside = blocks[max(index - 1, 0) : index + (not is_meta)]
        # A list of related items may come before the line that ends the article.
        if any(
            b.link_share > 0.4 and len(b.text) > 15 and b.key != own
            for b in beside
            if b.index not in self.aside.headed
        ):
            return True
        return index < len(blocks) and any(
            _COMMENT.search(name)
            for e in islice(_self_and_ancestors(blocks[index].element), 8)
            if e.tag not in ("html", "body")
            and (name := f"{e.get('class') or ''} {e.get('id') or ''}")
        )

    def read_url(self, url: str | None) -> None:
        try:
            match = _URL_DAY.search(urlsplit(url or "").path)
            day = date(int(match[1]), int(match[3]), int(match[4])) if match else None
        except ValueError:
            return
        if match and day:
            moment = Moment(day, None, None, 0, len(match[0]))
            self.add(_Rank.IN_URL, match[0].strip("/"), moment, "date in the URL")

    def modified(self, metadata: Metadata, url: str | None) -> Dated | None:
        """Return the date of the last change: the first declared one, or the first on the page."""
        for declared in metadata.modified:
            raw = collapse(declared.value)[:_LONGEST_DATE]
            if moment := dates.declared(raw, self.tag):
                return Dated(raw, moment, declared.where)
        return next(iter(self._settled(self.updates, metadata, url)), None)

    def _settled(
        self, found: list[_CertainDate], metadata: Metadata, url: str | None
    ) -> list[_CertainDate]:
        """Return dates with the zones that their abbreviations mean on this page."""
        stated = (candidate.dated.moment.offset for candidate in self.candidates)
        # Programs write times in UTC wherever they run.
        offsets = {offset for offset in stated if offset}
        country = _country(self.tag, url or (metadata.url.value if metadata.url else None))
        return [replace(d, moment=dates.settle(d.moment, offsets, country)) for d in found]

    def best(self, metadata: Metadata, url: str | None) -> Dated:
        """Return the most trusted date, with the time of day and the zone that others state."""
        ordered = sorted(self.candidates, key=lambda candidate: candidate.rank)
        settled = self._settled([candidate.dated for candidate in ordered], metadata, url)
        best = self._agreed(ordered) or settled[0]
        day = best.moment.day
        if best.moment.clock is None:
            same_day = [d for d in settled if d.moment.clock and d.moment.day == day]
            best = next((d for d in same_day if d.moment.zone), next(iter(same_day), best))
        if best.moment.clock and best.moment.zone is None:
            best = next((d for d in settled if _is_same_instant(best.moment, d.moment)), best)
        return best

    def unreadable(self) -> str | None:
        """Return a date near the headline that can be read in two ways, as written."""
        for block in self.layout.blocks[self.anchor_index : self.last + 1]:
            if len(block.text) <= _LONGEST_DATE and (
                raw := dates.unreadable_date(block.text, self.tag)
            ):
                return raw
        return None

    def _agreed(self, ordered: list[_Candidate]) -> _CertainDate | None:
        """Return the date of another day than the first declared one, if all others agree on it.

        Some programs declare the day when an article was created in JSON-LD, and the day when it
        was published elsewhere and to the reader.
        """
        first = ordered[0]
        others = ordered[1:]
        declared = [c for c in others if c.dated.where.startswith("meta ")]
        visible = [c for c in others if _Rank.STAMPED <= c.rank <= _Rank.NEAR]
        if first.rank != _Rank.DECLARED or not declared or not visible:
            return None
        days = {c.dated.moment.day for c in (*declared, *visible)}
        if len(days) == 1 and abs(days.pop() - first.dated.moment.day) > timedelta(days=1):
            return declared[0].dated
        return None

    def _read_attributes(self, block: Block) -> None:
        """Read the time stamp in a data attribute of a date line."""
        for element in islice(block.element.iter(), _MOST_INNER):
            names = element.keys()
            for name in _DATE_ATTRIBUTES if names else ():
                if (
                    name in names
                    and (value := element.get(name))
                    and (moment := dates.declared(value, self.tag))
                ):
                    rank = _Rank.LABELLED if block.index > self.anchor_index else _Rank.ABOVE
                    hint = f"{element.get('class') or ''} {block.text[:_LABEL_LENGTH]}"
                    if not _UPDATED.search(hint):
                        self.add(rank, value[:_LONGEST_DATE], moment, f"{name} in the markup")

    def _read_start_of_text(self, block: Block) -> None:
        start = block.text[:_START_OF_TEXT]
        moment = dates.find(start, self.tag)
        if (
            moment
            and _PLACE.fullmatch(start, 0, moment.start)
            and not _UPDATED.search(start, 0, moment.start)
            and _AFTER_PLACE.match(start, moment.end)
        ):
            raw = start[moment.start : moment.end].strip()
            self.add(_Rank.IN_TEXT, raw, moment, "start of the text")

    def _dates_in(self, block: Block) -> list[tuple[str, _CertainDate]] | None:
        """Return the dates of a date line, or None if the text is prose or has none.

        Each date has a label: "published", "updated", "other" or "". It may be the block before.
        """
        before = ""
        if block.index and not _is_label(block.text):
            previous = self.layout.blocks[block.index - 1].text
            if _is_label(previous) and _label(previous) in ("published", "updated"):
                before = f"{previous} "
        return _dates_in(block.text, before, self.tag)

    def _with_clock(self, day: _CertainDate, block: Block) -> _CertainDate:
        """Return a day with its time of day, if a separate element just after it gives one.

        The word "Time" may come between them.
        """
        if day.moment.clock is None and block.text.endswith(day.raw):
            text = day.raw
            for following in self.layout.blocks[block.index + 1 : block.index + 3]:
                text = f"{text} {following.text[:_CLOCK_LENGTH]}"
                if not _CLOCK.search(following.text, 0, _CLOCK_LENGTH):
                    continue
                moment = dates.find(text, self.tag)
                if moment and moment.clock and moment.day == day.moment.day:
                    return _CertainDate(text[moment.start : moment.end], moment, day.where)
        return day

    def _is_quoted(self, block: Block) -> bool:
        """Return whether a block is in a quotation or a post, but not one that holds the text."""
        return any(
            e.tag == "blockquote" or ((name := e.get("class")) and _QUOTE.search(name))
            for e in islice(_self_and_ancestors(block.element), 3)
            if e not in self.around_text
        )

    def _is_close(self, block: Block) -> bool:
        """Return whether a block above the headline belongs to it.

        They share a parent or a table below ``<body>``, or the block just above is named as a date.
        """
        if self.anchor is None:
            return False
        if _are_close(block.element, self.anchor.element):
            return True
        return block.index >= self.anchor_index - 2 and _is_named(block.element)


def _dates_in(
    text: str, before: str, language: str | None
) -> list[tuple[str, _CertainDate]] | None:
    found: list[tuple[str, _CertainDate]] = []
    rest = ""
    position = 0
    short_years = len(text) <= _SHORT_LINE
    while len(found) < _MOST_IN_LINE and (
        moment := dates.find(text[position:], language, short_years=short_years)
    ):
        before += text[position : position + moment.start]
        raw = text[position + moment.start : position + moment.end].strip()
        found.append((_label(before), _CertainDate(raw, moment, "date line")))
        rest += before
        before = ""
        position += max(moment.end, 1)
    if not found:
        return None
    rest += text[position:]
    if _CHRONICLE.match(text[position:]) and found[-1][1].moment.clock is None:
        return None
    # A date line has little besides its date: labels, a name, a section. Prose is longer and forms
    # a sentence.
    letters = sum(c.isalpha() for c in rest)
    if found[0][0] == "published" and re.search(
        r"posted\s+(?:\w+\s+){0,3}on\W*$", text[: text.find(found[0][1].raw)]
    ):
        return found
    if letters > 90 or (
        letters > 25 and re.search(r"[a-z]{3,}[.!?]\s*$", rest) and " " in rest.strip()
    ):
        return None
    return found


def _label(before: str) -> str:
    """Return the kind of the date that follows some words, by the last of them that names one."""
    before = before[-_LABEL_LENGTH:]
    updated = max((m.start() for m in _UPDATED.finditer(before)), default=-1)
    published = max((m.start() for m in _PUBLISHED.finditer(before)), default=-1)
    if updated >= 0 and not before[:updated].rstrip().endswith(("ohne", "not")):
        # "Updated on": the words of publication that follow belong to the update.
        between = before[updated:]
        return "published" if re.search(r"[|•·;,/]", between) and published > updated else "updated"
    if published >= 0:
        return "published"
    return "other" if _LABEL.search(before) else ""


def _is_bare(block: Block, found: list[tuple[str, _CertainDate]]) -> bool:
    """Return whether a line is a date line even inside the text, where captions hold dates too."""
    label, dated = found[0]
    beside = len(block.text) - sum(len(d.raw) for _, d in found)
    return bool(label) or dated.moment.clock is not None or beside <= _MOST_BESIDE


def _is_label(text: str) -> bool:
    return len(text) <= _CLOCK_LENGTH and text.endswith(":")


def _is_same_instant(local: Moment, zoned: Moment) -> bool:
    """Return whether a time with a zone can be a local time without one: they differ by an offset.

    Offsets are whole quarters of an hour. The same time in UTC shows nothing, because programs
    write UTC after local times.
    """
    if local.clock is None or zoned.clock is None or zoned.offset is None:
        return False
    here = datetime.combine(local.day, local.clock.replace(second=0, microsecond=0))
    there = datetime.combine(zoned.day, zoned.clock.replace(second=0, microsecond=0))
    difference = here - there
    if zoned.offset != timedelta():
        return difference == timedelta()
    is_offset = difference % timedelta(minutes=15) == timedelta()
    return is_offset and timedelta() < abs(difference) <= _LONGEST_ZONE


def _language_tag(layout: Layout) -> str | None:
    """Return the whole tag that the page declares as its language, such as "en-IN"."""
    if not layout.blocks:
        return None
    root = layout.blocks[0].element.getroottree().getroot()
    return root.get("lang") if root is not None else None


def _country(tag: str | None, url: str | None) -> str | None:
    """Return the country of a page by its language's region, or by the top-level domain."""
    if tag and (match := _REGION.match(tag)) and match[1].lower() not in ("us", "gb"):
        return match[1].lower()
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:
        return None
    domain = host.rpartition(".")[2]
    return domain if len(domain) == 2 else None


def _is_named(element: _Element) -> bool:
    """Return whether an element or the one around it is named as a date, but not as today's."""
    names = " ".join(
        name
        for e in islice(_self_and_ancestors(element), 2)
        if e.tag not in ("html", "body")
        for name in (e.get("class"), e.get("id"))
        if name
    )
    return _DATE_NAME.search(names) is not None and _TODAY.search(names) is None


def _are_close(one: _Element, other: _Element) -> bool:
    """Return whether two elements share a parent or a table below ``<body>``."""
    near = _around(one, ("body", "html", "td", "tr"), 2)
    return any(e in near for e in _around(other, ("td", "tr"), 3))


def _around(element: _Element, excluded_tags: tuple[str, ...], most: int) -> list[_Element]:
    return list(
        islice((e for e in _self_and_ancestors(element) if e.tag not in excluded_tags), most)
    )


def _self_and_ancestors(element: _Element) -> Iterator[_Element]:
    return chain((element,), element.iterancestors())
