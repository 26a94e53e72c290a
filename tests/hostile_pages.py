"""Pages of any size in shapes designed to break or slow down the extraction.

A shape is a sequence of parts. ``page(name, size)`` repeats all ``Many`` parts equally often, so
that the page has about ``size`` bytes. It repeats ``Deep`` parts DEEPEST times, because the HTML
parser drops elements that are nested more deeply.
"""

import resource
from typing import NamedTuple

DEEPEST = 2_000
"""The approximate depth up to which the HTML parser keeps elements."""


class Many(NamedTuple):
    text: bytes


class Deep(NamedTuple):
    text: bytes


Part = bytes | Many | Deep

SENTENCE = (
    b"This is a sentence of an article that is long enough to be taken for one, and it ends here."
)
PROSE = (b"<p>" + SENTENCE + b"</p>") * 3
TITLE = b"<title>A title of the page here</title>"
H1 = b"<h1>A title of the page here</h1>"
LEAK = (
    b'<pre>string(99) "[{"id":"1","title":"One thing that happened","pic":"/a"},'
    b'{"id":"2","title":"Another that happened","pic":"/b"}]"</pre>'
)
LINKS = b"<ul><li><a href=/news/5>One</a><li><a href=/news/6>Two</a></ul>"
ENTRY = b'  [0]=>\n  string(3) "abc"\n'
ESCAPED = b"  [0]=&gt;\n  string(3) &quot;abc&quot;\n"


def _in_body(*parts: Part, head: bytes = TITLE) -> tuple[Part, ...]:
    return (b"<!doctype html><html lang=en><head>" + head + b"</head><body>" + H1, *parts, PROSE)


SHAPES: dict[str, tuple[Part, ...]] = {
    # Menus, which are read as one block if they have no texts.
    "nested nav around a paragraph": _in_body(Deep(b"<nav>"), Many(b"<b>x</b>")),
    "nested menus around many words": _in_body(Deep(b"<div class=nav>"), Many(b"<b>x</b>")),
    "nested menus around a long text": (
        TITLE,
        Deep(b"<div class=nav>"),
        Many(b"<b>x</b>"),
        b"<b>" + b"long " * 50 + b"</b>",
    ),
    "menus beside each other": _in_body(Many(b"<div class=nav>x</div>")),
    # Headings and the sections below them.
    "related headings over open pre": _in_body(b"<p>", Many(b"<h3>Related</h3><pre>")),
    "related headings in open figures": _in_body(Many(b"<figure><h3>Related</h3>")),
    "headings h1 after a leak": _in_body(LEAK, Many(b"<h1>x</h1>")),
    "headings h1 that are numbered": (
        TITLE,
        PROSE,
        Many(b"<h1>xyzzy plugh</h1>"),
    ),
    "related headings over links": _in_body(Many(b"<h3>Related</h3><a href=/news/5>x</a>")),
    "related headings over many links": _in_body(
        Many(b"<h3>Related</h3>"), Many(b"<a href=/news/5>x</a>")
    ),
    "related headings and prose": _in_body(Many(b"<h3>Related</h3><p>" + SENTENCE + b"</p>")),
    "related headings one inside the other": _in_body(
        Many(b"<div><h3>Related</h3>"), Many(b"<p>" + SENTENCE + b"</p>")
    ),
    "related headings and other headings": _in_body(
        Many(b"<div><h3>Related</h3></div><div><h3>Most read</h3><p>word word</p></div>")
    ),
    "related headings in bold": _in_body(Many(b"<b>Related</b><br>word<br>")),
    "related lists": _in_body(Many(b"<div class=related><h3>Related</h3>" + LINKS + b"</div>")),
    "related lists one inside the other": _in_body(
        Deep(b"<div class=related>"), Many(b"<a href=/news/5>x</a>")
    ),
    "related cells": _in_body(b"<table>", Many(b"<tr><th>Related<td><a href=/news/5>x</a>")),
    "terms": _in_body(b"<dl>", Many(b"<dt>Related<dd><a href=/news/5>x</a>")),
    "bold inside of bold": _in_body(Deep(b"<b>x"), Many(b"<b>y</b>")),
    "headings inside of links": _in_body(Deep(b"<div>"), Many(b"<h3>Some words</h3>"), LINKS),
    "headings that hold everything": _in_body(LINKS, Many(b"<h3><b>")),
    "headings without a link": _in_body(LINKS, Deep(b"<h3><i>"), Many(b"<i>x</i>")),
    "headings of many words": _in_body(LINKS, b"<h2>", Many(b"<b></b><i></i>"), b"</h2>"),
    "empty bold inside of bold": _in_body(LINKS, Deep(b"<strong>"), Many(b"<i></i>")),
    "a word and headings": (
        TITLE,
        b"<h1>News</h1>",
        Many(b"<h2>one two three</h2>"),
        PROSE,
    ),
    "headings before no prose": (Many(b"<h3>Some words of it</h3>"),),
    "lines before no prose": (b"<p>", Many(b"Some words of it and some more of it<br>")),
    "words named as titles": (Many(b"<div class=title>Some words of it and more</div>"),),
    "labels": (TITLE, Many(b"<div>Photo: some words of it and more</div>"), PROSE),
    # Deep, then wide.
    "paragraphs deep inside": _in_body(Deep(b"<div>"), Many(b"<p>" + SENTENCE + b"</p>")),
    "short lines deep inside": _in_body(Deep(b"<div>"), Many(b"<p>x</p>")),
    "links deep inside": _in_body(
        b"<h3>Related</h3>", Deep(b"<div>"), Many(b"<a href=/news/5>x</a>")
    ),
    "dates deep inside": (
        TITLE,
        Deep(b"<div>"),
        Many(b"<p>23 October 2015</p>"),
        H1,
        PROSE,
    ),
    "items deep inside": _in_body(Deep(b"<ul><li>"), Many(b"<li>" + SENTENCE)),
    "quotes deep inside": _in_body(Deep(b"<blockquote>"), Many(b"<p>" + SENTENCE + b"</p>")),
    "zones one inside the other": _in_body(Deep(b"<aside>"), Many(b"<p>" + SENTENCE + b"</p>")),
    "zones deep inside": _in_body(Deep(b"<div class=share>"), Many(b"<p>x</p>")),
    "menus one inside the other": _in_body(
        Deep(b"<div class=menu>"), Many(b"<b>x</b>"), b"<b>" + SENTENCE + b"</b>"
    ),
    "menus one inside the other and a paragraph": _in_body(
        Deep(b"<nav>"), Many(b"<b>x</b>"), b"<p>x</p>"
    ),
    "hidden parts one inside the other": _in_body(
        Deep(b"<div hidden>"), Many(b"<b>x</b>"), b"<h1>x</h1>"
    ),
    "headings h1 deep inside": _in_body(PROSE * 2, Deep(b"<div>"), Many(b"<h1>xyzzy</h1>")),
    "labels above the text": _in_body(Many(b"<div><h3>Newsletter</h3><b>x</b></div>")),
    "related headings deep inside": _in_body(
        Deep(b"<div>"), Many(b"<h3>Related</h3><p>" + SENTENCE + b"</p>")
    ),
    "inline elements deep inside": _in_body(Deep(b"<span>"), Many(b"<a href=/news/5>x</a><br>")),
    "groups of their own": _in_body(Deep(b"<div>"), Many(b"<div><p>" + SENTENCE + b"</p></div>")),
    "tables deep inside": _in_body(Deep(b"<table><tr><td>"), Many(b"<br>x")),
    # Forms, fields, pictures.
    "fields": _in_body(b"<div>", Many(b"<input>")),
    "fields deep inside": _in_body(Deep(b"<b>"), Many(b"<input>")),
    "fields in forms": _in_body(Deep(b"<div>word"), Many(b"<div><input></div>")),
    "fields in forms one inside the other": _in_body(Many(b"<div><input>")),
    "fields beside empty elements": _in_body(Many(b"<div><input><b></b>")),
    "captions": _in_body(Deep(b"<div class=caption>"), Many(b"<b></b>")),
    "pictures": _in_body(Many(b"<img src=/a.jpg><p>x</p>")),
    "pictures deep in zones": _in_body(Deep(b"<aside>"), Many(b"<img src=/a.jpg>")),
    "pictures in links": _in_body(
        b"<h3>Related</h3>", Many(b"<a href=/news/5><img src=/a.jpg alt=x></a>")
    ),
    "links one inside the other": _in_body(
        b"<h3>Related</h3>", Deep(b"<div><a href=/news/5>"), Many(b"<i>x</i>")
    ),
    "pictures in figures one inside the other": _in_body(
        Deep(b"<figure>"), Many(b"<img src=/a.jpg><figcaption>x</figcaption>")
    ),
    "pictures of one link": _in_body(b"<a href=/x>", Many(b"<img src=/a.jpg>word "), b"</a>"),
    "pictures in links deep inside": _in_body(
        Deep(b"<span>"), Many(b"<a href=/x><img src=/a.jpg></a>")
    ),
    "pictures beside captions": _in_body(
        Many(b"<div><img src=/a.jpg></div><div class=caption>x Photo: y</div>")
    ),
    "pictures above the headline": (
        TITLE,
        Deep(b"<div>"),
        Many(b"<figure><img src=/a.jpg></figure>"),
        H1,
        PROSE,
    ),
    "pictures for browsers without scripts": _in_body(Many(b"<noscript><img src=/a.jpg>")),
    "a picture in many sizes": _in_body(b"<img srcset='", Many(b"/a.jpg 100w, "), b"'>"),
    "a picture in sources one inside the other": _in_body(
        b"<picture>", Many(b"<source srcset=/a.jpg>"), b"<img>"
    ),
    "pictures in one picture": _in_body(
        b"<picture>", b"<source srcset='/a.jpg 100w, /b.jpg 200w'></source>" * 40, Many(b"<img>")
    ),
    "elements inside a figure": _in_body(
        Many(b"<figure><img src=/a.jpg>" + b"<b>" * 380 + b"</b>" * 380 + b"</figure>")
    ),
    "headings of tags": _in_body(Many(b"<p>Tags</p>")),
    "keywords": _in_body(
        b"<meta name=keywords content='", Many(b"ab,cd,"), b"'><p>", Many(b"long word ")
    ),
    "parts that are free": _in_body(
        b"<script type=application/ld+json>"
        b'{"@type": "NewsArticle", "headline": "A title of the page here", "hasPart": [',
        Many(b'{"isAccessibleForFree": true},'),
        b"{}]}</script>",
    ),
    "references to one long address": _in_body(
        b'<script type=application/ld+json>[{"@id": "#a", "url": "/',
        Many(b"long-" * 40),
        b'"}, ',
        Many(b'{"@type": "Person", "image": [' + b'{"@id": "#a"},' * 20 + b"{}]},"),
        b"{}]</script>",
    ),
    "references to one long name": _in_body(
        b'<script type=application/ld+json>[{"@id": "#a", "name": [',
        b'"' + b"long " * 400 + b'",' * 20,
        b'""]}, {"@type": "NewsArticle", "headline": "A title of the page here", "publisher": [',
        Many(b'{"@id": "#a"},'),
        b"{}]}]</script>",
    ),
    "backgrounds": _in_body(Many(b"<div class=photo style='background:url(/a.jpg)'>")),
    "videos": _in_body(Many(b"<video src=/a.mp4><source src=/b.mp4></video>")),
    "hidden elements": _in_body(Many(b"<b style='display: none'>x</b>y")),
    "long styles": _in_body(b"<b style='", Many(b"display "), b"'>x</b>"),
    "long classes": _in_body(b"<div class='", Many(b"recommend-"), b"'>x</div>"),
    "long classes of one word": _in_body(b"<div class='", Many(b"aB"), b"'>x</div>"),
    # Dates.
    "dates": _in_body(Many(b"<p>23 October 2015</p>")),
    "dates before the headline": (TITLE, Many(b"<p>Published 23 October 2015</p>"), H1, PROSE),
    "times": _in_body(Many(b"<time datetime=2015-10-23>x</time>")),
    "a date line of many dates": _in_body(b"<p>", Many(b"2015-10-23 "), b"</p>"),
    "dates in French": (
        b"<html lang=fr>" + TITLE + H1,
        Many(b"<p>le 23 octobre 2015</p>"),
        PROSE,
    ),
    "years": _in_body(Many(b"<p>2015 2016 2017 at at at on on 12:12</p>")),
    "numbers": _in_body(Many(b"<p>1/2/3/4/5/6/7/8/9/2015 12:12:12:12</p>")),
    # Text.
    "one line": _in_body(b"<p>", Many(b"word "), b"</p>"),
    "one word": _in_body(b"<p>", Many(b"word"), b"</p>"),
    "one sentence of dots": _in_body(b"<p>", Many(b"."), b"</p>"),
    "spaces": _in_body(b"<p>x", Many(b"  "), b"x</p>"),
    "lines of one character": _in_body(b"<pre>", Many(b"x\n"), b"</pre>"),
    "paragraphs of one character": _in_body(Many(b"<p>x")),
    "line breaks": _in_body(b"<p>", Many(b"x<br>")),
    "line breaks and dates": _in_body(b"<p>", Many(b"x 2015<br>")),
    "links in one paragraph": _in_body(b"<p>", Many(b"<a href=/>x</a>")),
    "links left open": _in_body(b"<p>", Many(b"<a href=/>x")),
    "links to articles in one paragraph": _in_body(
        b"<h3>Related</h3><p>", Many(b"<a href=/news/5>x</a>")
    ),
    "links to many articles": _in_body(
        b"<h3>Related</h3>", Many(b"<a href=/news/5?/news/>Some words</a>")
    ),
    "comments": _in_body(b"<p>x", Many(b"<!-- x -->")),
    "open comments": _in_body(b"<p>x", Many(b"<!-- ")),
    "open tags": _in_body(b"<p>x", Many(b"<a ")),
    "open attributes": _in_body(b"<p>x", Many(b"<a href='")),
    "attributes": _in_body(b"<p ", Many(b"a b c "), b">x</p>"),
    "less-than signs": _in_body(b"<p>x", Many(b"<")),
    "ampersands": _in_body(b"<p>x", Many(b"&")),
    "references": _in_body(b"<p>x", Many(b"&#1;&eacute;")),
    "controls": _in_body(b"<p>x", Many(b"\x01\x02x")),
    "closing tags": _in_body(b"<p>x", Many(b"</p></div>")),
    "mixed formatting": _in_body(Many(b"<b><i><p>x</b></i>")),
    "open tables": _in_body(Many(b"<table>")),
    "open selects": _in_body(Many(b"<select><option>x")),
    "scripts": _in_body(Many(b"<script>x</script>")),
    "text of one line each": (b"Head\n", Many(b"ab\n")),
    "text of paragraphs": (b"Head\n", Many(SENTENCE + b"\n\n")),
    "text without an end": (b"Head\n", Many(b"ab ")),
    "text of dates": (b"Head\n", Many(b"23 October 2015 ")),
    "text of one head": (Many(b"Head\n"),),
    "bytes of no encoding": (TITLE, H1, b"<p>", Many(b"\xe9\xff \x81"), b"</p>", PROSE),
    "bytes of one word processor": (TITLE, H1, b"<p>", Many(b"\x93x\x94 "), b"</p>", PROSE),
    "bytes of UTF-16": (b"\xff\xfe", Many("<p>x".encode("utf-16-le"))),
    "furniture": _in_body(Many(b"<p>All rights reserved, click here to share</p>")),
    "credits": _in_body(b"<p>", Many(b"- A "), b"it ends here.</p>"),
    "words of a title": (
        TITLE,
        Many(b"<p>A title of the page</p>"),
        PROSE,
    ),
    # Declarations.
    "a long title": (b"<title>", Many(b"word - "), b"</title>", H1, PROSE),
    "titles": (Many(b"<title>word</title>"), H1, PROSE),
    "meta tags": (TITLE, Many(b"<meta name=date content='2015-10-23'>"), H1, PROSE),
    "a long meta tag": (
        TITLE,
        b"<meta property=og:title content='",
        Many(b"word | "),
        b"'>",
        PROSE,
    ),
    "meta tags of charsets": (Many(b"<meta charset "), H1, PROSE),
    "canonical links": (TITLE, Many(b"<link rel=canonical href=/news/5>"), H1, PROSE),
    "bases": (TITLE, Many(b"<base href=/>"), H1, PROSE),
    "JSON-LD": (TITLE, Many(b'<script type="application/ld+json">{"a":1}</script>'), H1, PROSE),
    "JSON-LD of many nodes": (
        TITLE,
        b'<script type="application/ld+json">[',
        Many(b'{"@type":"x"},'),
        b"{}]</script>",
        PROSE,
    ),
    "JSON-LD of many levels": (
        TITLE,
        b'<script type="application/ld+json">',
        Many(b"["),
        b"</script>",
        PROSE,
    ),
    "JSON-LD of many spaces": (
        TITLE,
        b'<script type="application/ld+json">x',
        Many(b" "),
        b"x</script>",
        PROSE,
    ),
    "JSON-LD of many images": (
        TITLE,
        b'<script type="application/ld+json">{"@type":"Article","image":[',
        Many(b'"/a.jpg",'),
        b'"/b.jpg"]}</script>',
        H1,
        PROSE,
    ),
    "JSON-LD of many headlines": (
        TITLE,
        b'<script type="application/ld+json">{"@type":"Article","headline":"',
        Many(b"word | "),
        b'"}</script>',
        PROSE,
    ),
    # Dumps.
    "dumps": _in_body(Many(b"<pre>int(5)\n</pre>")),
    "dumped arrays": _in_body(Many(b'<pre>array(1) {\n  ["a"]=>\n  int(5)\n}\n</pre>')),
    "dumped strings": _in_body(Many(b'<pre>string(3) "abc"\n</pre>')),
    "a dumped array": _in_body(b"<pre>array(9) {\n", Many(ENTRY), b"}\n</pre>"),
    "dumped arrays without an end": _in_body(Many(b"<pre>array(9) {\n" + ENTRY)),
    "dumped arrays without entries": _in_body(b"<pre>", Many(b"array(1) {\n")),
    "dumped arrays one inside the other": _in_body(b"<pre>", Many(b"array(1) {\n[0]=>\n")),
    "dumped strings that promise everything": _in_body(Many(b'string(99999999) "[<p>')),
    "dumped strings of a wrong length": _in_body(Many(b'<pre>string(7) "a"\n</pre>')),
    "dumped strings without an end": _in_body(Many(b'string(9) "abc def ghi jkl ')),
    "dumped strings and quotes": _in_body(b'string(99999999) "', Many(b'"\n'), b"</p>"),
    "dumped strings in an array without an end": _in_body(
        b"<pre>array(99999999) {\n", Many(b'  [0]=>\n  string(99999999) "a"\n')
    ),
    "dumped keys": _in_body(b'<pre>array(1) {\n  ["', Many(b'a"]=>\n'), b"</pre>"),
    "dumped keys of many dumps": _in_body(
        Many(b'<pre>array(1) {\n  ["a"]=>\n  ["b"]=>\n  int(5)\n}\n')
    ),
    "dumped keys without a value": _in_body(Many(b'<pre>array(2) {\n  ["a"]=>\n'), b"</pre>"),
    "dumped keys and values": _in_body(
        b"<pre>array(2) {\n", Many(b'  ["a"]=>\n  int(5)\n'), b"}</pre>"
    ),
    "dumped braces": _in_body(Many(b'array(2) {\n  ["a"]=>\n  int(5)\n}\n}\n"]=>\n')),
    "dumped objects": _in_body(
        Many(b'<pre>object(a)#1 (1) {\n  ["a":protected]=>\n  uninitialized(int)\n')
    ),
    "dumped objects of a long name": _in_body(Many(b"object(" + b"a" * 100)),
    "dumped enums of a long name": _in_body(Many(b"\nenum(" + b"a" * 100)),
    "scalars on one line": _in_body(b"<pre>", Many(b"int(5) "), b"x</pre>"),
    "nulls": _in_body(b"<pre>NULL\n", Many(b"NULL\n"), b"int(5)</pre>"),
    "spaces in a dump": _in_body(b"<pre>array(1) {", Many(b" \n"), b"</pre>"),
    "spaces before a dump's brace": _in_body(b"<pre>", Many(b"array(1) <br>&nbsp;"), b"</pre>"),
    "spaces before many dumps' braces": _in_body(Many(b"array(1)" + b"<br>" * 50)),
    # Escaped dumps.
    "escaped keys at quotes": _in_body(b"<pre>", Many(b"&#34;array([0]=>\n"), b"</pre>"),
    "escaped arrays": _in_body(Many(b"<pre>array(1) {\n" + ESCAPED + b"}\n</pre>")),
    "an escaped array": _in_body(b"<pre>array(9) {\n", Many(ESCAPED), b"}</pre>"),
    "escaped arrays without an end": _in_body(b"<pre>", Many(b"array(9) {\n" + ESCAPED), b"</pre>"),
    "escaped arrays in elements": _in_body(Many(b"<pre>array(9) {\n" + ESCAPED)),
    "escaped strings of a wrong length": _in_body(Many(b"string(5) &quot;a&quot;\n")),
    "escaped strings without an end": _in_body(Many(b"string(99999999) &quot;a ")),
    "escaped strings in an array without an end": _in_body(
        b"<pre>array(99999) {", Many(b"[0]=>\nstring(99999) &#34;\n"), b"</pre>"
    ),
    "escaped strings with tags": _in_body(Many(b"string(99999999) &quot;a<b>")),
    "escaped strings that fit": _in_body(Many(b"<pre>string(1) &quot;a&quot;\n</pre>")),
    "escaped keys": _in_body(b"<pre>array(1) {\n  [&quot;", Many(b"a&quot;]=&gt;\n"), b"</pre>"),
    "escaped keys and strings": _in_body(
        b"<pre>", Many(b"array(1) {[&#34;a&#34;]=>\nstring(5) &#34;"), b"</pre>"
    ),
    # Xdebug's dumps.
    "Xdebug's HTML": _in_body(
        Many(
            b"<pre class='xdebug-var-dump' dir='ltr'><small>int</small> "
            b"<font color='#4e9a06'>5</font>\n</pre>"
        )
    ),
    "Xdebug's HTML without an end": _in_body(
        Many(b"<b>array</b> <i>(size=9)</i>\n  0 <font color='#888a85'>=&gt;</font> ")
    ),
    "Xdebug's HTML of strings": _in_body(Many(b"<small>string</small> <font color='#cc0000'>'a")),
    "Xdebug's HTML of arrays": _in_body(
        b"<pre class='xdebug-var-dump' dir='ltr'>\n<b>array</b> <i>(size=9)</i>\n",
        Many(b"  0 <font color='#888a85'>=&gt;</font> <b>array</b> <i>(size=9)</i>\n"),
    ),
    "Xdebug's HTML in one line": _in_body(
        b"<b>array</b> <i>(size=9)</i>\n",
        Many(b"0 <font color='#888a85'>=&gt;</font> <b>array</b> <i>(size=9)</i>"),
    ),
    "Xdebug's HTML and spaces": _in_body(
        b"<b>array</b> <i>(size=9)</i>", Many(b" \n"), b"x", Many(b" \n")
    ),
    "Xdebug's text": _in_body(Many(b"<pre>array(9) {\n  [0] =>\n  int(5)\n}\n</pre>")),
    "Xdebug's text without an end": _in_body(
        b"<pre>", Many(b"array(9) {\n  'a' =>\n  string(9) \"a\"...\n")
    ),
    "Xdebug's text of objects": _in_body(
        b"<pre>", Many(b'class A#1 (9) {\n  public $a =>\n  string(99999999) "a')
    ),
    "Xdebug's text of names": _in_body(
        b"<pre>", Many(b"array(9) {\n  '"), Many(b"a' =>"), b"</pre>"
    ),
    "Xdebug's text of enums": _in_body(Many(b'<pre>enum A::B : string("a\n')),
    # Leaks.
    "leak items": _in_body(
        b'<pre>string(99999999) "[',
        Many(b'{"id":"1","title":"Some words","pic":"/a"},'),
        b'{"id":"2","title":"a","pic":"/b"}]"</pre>',
    ),
    "leak items with quotes": _in_body(
        b'string(9) "[', Many(b'{"id":"1","title":"a"b","pic":"p"}, ')
    ),
    "a leak item without an end": _in_body(
        b'string(9) "[{"id":"1","title":"', Many(b'a"b'), b'"}]"'
    ),
    "leak items of open brackets": _in_body(b'string(9) "[', Many(b"[ {"), b'"}]"'),
    "leak items of many spaces": _in_body(b'string(9) "[', Many(b"[ "), b'"}]"\n'),
    "leak items of many levels": _in_body(b'string(9) "', Many(b'[{"a":'), b'"}]"\n'),
    "leak items of keys": _in_body(
        b'string(9) "[{"id":"1"b","title":"a"', Many(b',"a":"b"c"'), b',"pic":"p"}]"\n'
    ),
    "leaks": _in_body(Many(LEAK)),
    "leaks followed by headings": _in_body(Many(LEAK + b"<h1>x</h1><h3>Related</h3>")),
    "everything": _in_body(
        Many(
            b"<div class=related><h3>Related</h3><a href=/news/5>x</a>"
            b"<time datetime=2015-10-23>x</time>"
            b"<form><input></form>23 October 2015<br>"
            + LEAK
            + b"<h1>x</h1><p>"
            + SENTENCE
            + b"</p>"
        )
    ),
}


def page(name: str, size: int) -> bytes:
    """Return a page of this shape with about ``size`` bytes."""
    parts = SHAPES[name]
    each = sum(len(part.text) for part in parts if isinstance(part, Many))
    fixed = sum(len(part.text) * DEEPEST for part in parts if isinstance(part, Deep))
    fixed += sum(len(part) for part in parts if isinstance(part, bytes))
    often = max(1, (size - fixed) // each)
    return b"".join(
        part.text * (often if isinstance(part, Many) else DEEPEST)
        if not isinstance(part, bytes)
        else part
        for part in parts
    )


def read(name: str, size: int, seconds: int) -> None:
    """Read a page of a shape; the process is killed after ``seconds`` of CPU time."""
    from crawler.crawl import page_extraction
    from crawler.extraction.directory import Publishers

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    publishers = Publishers()
    url = publishers.home.url_of("1")
    page_extraction.extract_page(page_extraction.Task(page(name, size), "1", url, None), publishers)
