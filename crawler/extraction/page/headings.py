"""Recognise the headings of parts of a page that are not its article, by their words.

A heading is compared with phrases, both in lower case and without accents, punctuation and digits.
In the tables below, a slash separates phrases, ``[a|b]`` are words of which one may stand there,
``(a|b)`` words of which one must, and ``+2`` at the end allows up to two further words.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache

LONGEST_HEADING = 60
"""Characters. A longer text does not head such a part."""


SEPARATORS = " :：>»›|-–—"
"""The marks between such words as "Read also" and a title."""
_SEPARATOR = re.compile(r"[:：>»›|–—]|\s-\s")


class Part(Enum):
    """The parts of a page that have headings of their own."""

    RELATED = auto()
    COMMENTS = auto()
    TAGS = auto()
    OTHER = auto()


_RELATED = """
[more] related [news|story|stories|article|articles|item|items|post|posts|topic|topics|link|links
    |content|report|reports|coverage|reading|subject|subjects|page|pages|material|materials] /
see also / [what to] (read|watch) (more|also|next|too) / also read / keep reading /
further reading /
more coverage /
more on this [story|topic|subject] / more like this / more about this [story] /
more (stories|news|articles) /
you (may|might) [also] like / you (may|might) [also] be interested [in] /
in [the] same (context|category|subject) / similar (news|stories|articles|posts) /
linked (news|stories) / from the same file /

[à] lire (aussi|également) / [à] voir (aussi|également) /
à découvrir (aussi|également) / sur (le|ce) [même] (sujet|thème) /
lire plus / sur le web / (toute linfo|tout|toute lactualité) sur ce (thème|sujet) /
(article|articles) (lié|liés|connexe|connexes|similaire|similaires|associé|associés) /
pour aller plus loin / dans le même dossier / en savoir plus / plus sur le sujet / lisez aussi /
(notre|le) dossier / (cela|ça) pourrait vous intéresser / vous aimerez aussi /

[weitere] (ähnliche|verwandte|passende|weiterführende) (artikel|beiträge|themen|links|nachrichten) /
[mehr|artikel|weitere artikel|weitere nachrichten|links|passend] zum thema / mehr zu diesem thema /
(lesen|sehen) sie (auch|mehr|dazu|hierzu|hier) [auch] / lies auch / mehr dazu / siehe auch /
auch interessant / das könnte (sie|dich|euch) [auch] interessieren / weitere artikel /

(lees|bekijk|zie) (ook|meer) / meer over [dit onderwerp] / meer lezen / ook interessant /
(gerelateerd|gerelateerde|verwante) [artikelen|berichten|artikels|nieuws|onderwerpen] /

(leggi|vedi|guarda) anche / (articoli|notizie) (correlati|correlate|simili) / per approfondire /
approfondimenti / [ti] potrebbe [anche] interessarti [anche] / ti potrebbe [anche] interessare /
sullo stesso (argomento|tema) /

(noticias|artículos|notas|contenidos|contenido|temas|enlaces)
    (relacionadas|relacionados|relacionado) /
(relacionado|relacionados|relacionadas) / [también] te (puede|podría) [también] interesar /
(lea|lee|leer|ver|vea|mira) (también|además|más) / más (información|sobre este tema) /

(leia|ler|veja|ver|confira) (também|mais) / saiba mais / mais sobre (o|este) (assunto|tema) /
(notícias|matérias|artigos|conteúdo|conteúdos) (relacionadas|relacionados|relacionado|similares) /
(relacionadas|relacionados) / [você] pode (gostar|interessar) [também] /

(похожие|связанные) (новости|материалы|статьи|записи) / [ещё|материалы|новости|статьи] по теме /
(читайте|читай|смотрите|читать) (также|ещё|далее) /
[вам] [также] (может|могут) [также] быть (интересно|интересны) /
(схожі|пов'язані) (новини|матеріали|статті) / [матеріали|новини|статті|більше] за темою /
по темі / (читайте|читай|читати|дивіться) також / вас [також] може [також] зацікавити /
(свързани|подобни) (новини|статии) / (вижте|прочетете|виж|прочети) още / още по темата /

(czytaj|zobacz|przeczytaj|sprawdź) (też|także|również|więcej) / [więcej] na ten temat /
(podobne|powiązane) (artykuły|wiadomości|tematy) / artykuły powiązane /
(související|podobné) (články|zprávy|témata) / čtěte (také|též|více|i) / přečtěte si (také|též|i) /
[více] k tématu / mohlo by vás [také] zajímat / viz také /
(povezane|povezani|slični|slične) (vijesti|vesti|teme|članci) / pročitajte (još|i|više) /
kapcsolódó (cikkek|hírek) / (olvassa|olvasd) el / ajánlott cikkek /
(citește|vezi|citiți) și / (articole|știri) (similare|asemănătoare|conexe) / pe aceeași temă /

(läs|se) (också|även|mer) / (relaterat|relaterade|liknande) [artiklar|nyheter] / mer om ämnet /
mer i ämnet / (læs|se) (også|mere) / mere om (emnet|sagen) /
(relateret|relaterede|lignende) [artikler|nyheder|emner] /
(les|se) (også|mer|mere) / [les] mer om (saken|temaet|emnet) /
(relatert|relaterte|lignende) [saker|artikler|nyheter] /
(lue|katso) (myös|lisää) / aiheeseen liittyvää / [lisää|muut] aiheesta / aiheesta lisää /
samasta aiheesta / liittyvät (artikkelit|jutut|uutiset) /

(ilgili|benzer) (haber|haberler|içerik|içerikler|yazılar|konular|makaleler) /
ayrıca (okuyun|bakınız) / [bunlar da] ilginizi çekebilir / bunları da okuyun /
(διαβάστε|δείτε) (επίσης|ακόμα|ακόμη|περισσότερα) /
(σχετικά|σχετικές) (άρθρα|νέα|θέματα|ειδήσεις) /

(أخبار|الأخبار|مواضيع|المواضيع|موضوعات|الموضوعات|مقالات|المقالات|مواد|المواد|تقارير|التقارير
    |روابط) (ذات صلة|ذات الصلة|مرتبطة|المرتبطة|متعلقة|المتعلقة|مشابهة) /
ذات صلة / (اقرأ|اقرؤوا|شاهد|تابع) (أيضا|المزيد) / قد (يهمك|يعجبك) [أيضا] /
(اخبار|مطالب|خبر|خبرهای|خبر های|مقالات|لینکهای|لینک های) [ی] (مرتبط|مشابه) /
مرتبط [با این خبر] / (بیشتر|همچنین) (بخوانید|بدانید|ببینید) / در همین (رابطه|زمینه) /
(یہ بھی|مزید) پڑھیں / متعلقہ (خبریں|مضامین) /
(קראו|קרא|ראו|צפו) גם / (כתבות|ידיעות|מאמרים) (קשורות|קשורים|נוספות|דומות) [בנושא] / עוד בנושא /
עוד באותו נושא / כתבות בנושא / לקריאה נוספת / אולי יעניין (אותך|אתכם) [גם] /

(यह|ये|इसे|इन्हें) भी (पढ़ें|देखें) / (संबंधित|सम्बंधित) (खबरें|ख़बरें|समाचार|लेख) /
(और|आगे) पढ़ें /
(আরও|আরো) পড়ুন / [এ|এই] (সম্পর্কিত|সংশ্লিষ্ট) [আরও|আরো] (খবর|সংবাদ|নিবন্ধ) /
(baca|lihat|simak) juga / (berita|artikel|topik) terkait /
(tin|bài|bài viết|các bài|chủ đề) liên quan / (xem|đọc) thêm / có thể bạn quan tâm /
(tin|bài) cùng chủ đề /
ข่าวที่เกี่ยวข้อง / บทความที่เกี่ยวข้อง / เรื่องที่เกี่ยวข้อง /
เนื้อหาที่เกี่ยวข้อง / ข่าวเกี่ยวข้อง /
อ่านเพิ่มเติม / อ่านข่าวที่เกี่ยวข้อง /
相关新闻 / 相关阅读 / 相关文章 / 相关报道 / 相关链接 / 相关资讯 / 相关内容 / 相关推荐 / 相关专题 /
延伸阅读 / 推荐阅读 / 相關新聞 / 相關閱讀 / 相關文章 / 相關報導 / 相關連結 / 延伸閱讀 / 推薦閱讀 /
関連記事 / 関連ニュース / 関連リンク / 関連情報 / 関連する記事 / あわせて読みたい /
合わせて読みたい /
(관련|연관) (기사|뉴스|콘텐츠) / 관련기사 / 관련뉴스 / 함께 보면 좋은 기사
"""
_COMMENTS = """
[top|reader|best|latest|recent] [top|reader|best|latest|recent|rated] (comment|comments|response
    |responses) /
(kommentar|kommentare|kommentarer|commentaire|commentaires|comentario|comentarios
    |comentário|comentários|commenti|reacties|reageer|yorum|yorumlar|комментарии|коментарі|коментари
    |komentarze|komentáře|kommentit|hozzászólások|comentarii|σχόλια|تعليقات|التعليقات|نظرات|تبصرے
    |תגובות|टिप्पणियां|মন্তব্য|komentar|ความคิดเห็น|评论|評論|コメント|댓글) /
(leave|post|add|write|send) [a|your] (comment|comments|reply|opinion|opinions) / bình luận /
(laisser|laissez|écrire) un commentaire / kommentar schreiben / schreiben sie einen kommentar /
(deja|dejar|escribe) un comentario / lascia un commento / (deixe|deixar) [um|seu] comentário /
(оставить|написать|добавить) комментарий / (залишити|додати) коментар / dodaj komentarz / yorum yap
"""
_TAGS = """
[article|post|story] (tag|tags|keyword|keywords|topic|topics) [in this story|in this article] /
filed under / tagged [with|in|as] / posted in / explore more on these topics / more about /
read more about / [les] mots clés / thèmes / [les] sujets / étiquettes /
schlagwort / schlagwörter / schlagworte / stichwörter / stichworte / [die] themen /
mehr lesen über /
themen (in diesem artikel|des artikels|zum artikel) / trefwoorden / [meer over deze] onderwerpen /
[in questo articolo] (argomenti|temi) / parole chiave / argomenti trattati /
etiquetas / temas / archivado en / palabras clave / (tópicos|assuntos) / marcadores /
palavras chave / теги / метки / темы / ключевые слова / мітки / ключові слова / етикети /
tagi / słowa kluczowe / tematy / štítky / klíčová slova / témata / kľúčové slová /
ämnen / taggar / nyckelord / emner / emneord / nøkkelord / nøgleord / avainsanat / aiheet /
etiketler / anahtar kelimeler / ετικέτες / λέξεις κλειδιά / címkék / etichete / oznake /
(كلمات|الكلمات) (مفتاحية|المفتاحية|دلالية|الدلالية) / الوسوم / وسوم /
(برچسب ها|برچسبها) / کلمات کلیدی / تگ ها / תגיות / תגים / टैग / टैग्स / ট্যাগ / ট্যাগস / বিষয় /
kata kunci / topik / từ khóa / chủ đề / แท็ก / คำค้น / 标签 / 关键词 / 標籤 / 關鍵字 /
タグ / キーワード / 関連キーワード / 関連タグ / 태그 / 키워드
"""
_OTHER = """
[the] (most|top) (read|viewed|popular|commented|shared|visited|stories|news|recent|watched|emailed)
    +3 /
latest +2 /
(breaking|recent|other|top|popular|featured|trending|hot|last|todays|in pictures)
    (news|now|stories|headlines|posts|topics|articles|video|videos|photo|photos) /
(more|other) (galleries|slideshows) /
[from|more from] (around|elsewhere on) the web /
recommended (video|videos|stories|articles|for you) / trending / headlines /
(editor|editors) (pick|picks|choice) / dont miss / your (comment|comments|name|opinion|opinions) /
follow us +9 / newsletter / subscribe +9 /
sign up +9 / sponsored +9 / about (us|the author) / contact [us] / categories /
archive / archives / poll / polls / weather /

[les|articles|le|la] [les] plus (lu|lus|lues|populaires|consultés|commentés|partagés|vus) /
dernières (infos|actualités|nouvelles|news) / (abonnez|inscrivez|suivez) (vous|nous) +9 /
(autres|plus de) (diaporamas|galeries) / (dailleurs|ailleurs) sur le web /
contenus sponsorisés / à propos de lauteur /
meistgelesen / meist gelesen / am häufigsten gelesen / meistgelesene [artikel|beiträge] /
(weitere|mehr|andere) (bildergalerien|fotostrecken) /
(neueste|neuste|aktuelle|beliebte|aktuellste) (artikel|nachrichten|meldungen|beiträge|videos) /
abonnieren +9 / folgen sie uns +9 / im trend /
empfehlungen der redaktion / über (den autor|die autorin) /
meest (gelezen|bekeken|populair) / net binnen / laatste nieuws / nieuwsbrief / volg ons +9 /
populair / aanbevolen / over de auteur /
[i|le|gli] [articoli] più (letti|lette|popolari|visti|viste) / [le] ultime notizie / seguici +9 /
iscriviti +9 / articoli recenti / in evidenza /
[lo|los|las|notas|noticias] más (leído|leídos|leída|leídas|visto|vistos|vistas|popular|populares
    |comentado|comentados|comentadas) /
últimas noticias / lo último / más noticias / (suscríbete|suscríbase|síguenos|síganos) +9 /
tendencias / sobre el autor /
[as|os] mais (lidas|lidos|vistas|vistos|populares|comentadas) / últimas [notícias] / assine +9 /
inscreva se +9 / siga nos +9 / em alta / sobre o autor /

самое (читаемое|популярное|обсуждаемое) / популярное / популярные (новости|материалы|статьи) /
последние новости / главные новости / лента новостей / (подписывайтесь|подпишитесь) +9 /
новости партнеров / об авторе / сейчас читают /
найпопулярніше / популярне / популярні (новини|статті) / останні новини / стрічка новин /
(підписуйтесь|підпишіться) +9 / про автора / най четени / последни новини /
najczęściej czytane / najpopularniejsze / najnowsze [wiadomości|artykuły] / polecane / polecamy /
o autorze / zapisz się +9 /
nejčtenější [články] / nejnovější (zprávy|články) / poslední zprávy / doporučujeme /
o autorovi / sledujte nás +9 / najnovije / najčitanije / legolvasottabb / legfrissebb [hírek] /
cele mai citite / ultimele știri /
mest (läst|lästa|lest|leste|læst|læste) / senaste [nytt|nyheterna|nyheter] / siste [nytt|nyheter] /
seneste [nyt|nyheder] / nyhetsbrev / nyhedsbrev / följ oss +9 /
følg (oss|os) +9 / luetuimmat / uusimmat / tuoreimmat / suosituimmat / uutiskirje /
seuraa meitä +9 /
en çok (okunan|okunanlar|izlenen|izlenenler|konuşulanlar) [haberler] / son (dakika|haberler) /
popüler [haberler] / öne çıkanlar / bizi takip edin +9 /
[πιο|τα πιο] (δημοφιλή|διαβασμένα) / τελευταία νέα / ροή ειδήσεων /

الأكثر +1 / (آخر|أحدث) الأخبار / الأخبار / النشرة البريدية / (اشترك|تابعنا|تابعونا) +9 /
آخرین (اخبار|خبرها) / ارسال نظر / (پربازدید|پربازدیدها|پربازدیدترین|پربازدیدترینها) +9 /
(پربینندهترین|پرمخاطبترین|تازهترین|محبوبترین) +2 /
(הנקראות|הכי נקראות|הכי מדוברות) [ביותר] / (חדשות|כתבות) אחרונות / מבזקים /
ट्रेंडिंग / (ताजा|ताज़ा|बड़ी) (खबरें|ख़बरें) / सबसे ज्यादा पढ़ी गई +2 /
সর্বশেষ [সংবাদ|খবর] / সর্বাধিক পঠিত / জনপ্রিয় /
[berita] (terpopuler|populer|terbaru|lainnya) / rekomendasi / ikuti kami +9 /
tin (mới|mới nhất|nổi bật|đọc nhiều) / (đọc|xem) nhiều [nhất] /
ข่าวล่าสุด / ยอดนิยม / ข่าวยอดนิยม / ข่าวเด่น / ล่าสุด /
热门新闻 / 热门文章 / 热门推荐 / 热门话题 / 最新新闻 / 最新消息 / 最新文章 / 排行榜 / 热点新闻 /
猜你喜欢 / 点击排行 / 精彩推荐 / 新闻排行 / 熱門新聞 / 最新新聞 / 編輯推薦 /
アクセスランキング / ランキング / 人気記事 / 新着記事 / 最新記事 / 最新ニュース / おすすめ /
おすすめ記事 / 主要ニュース /
(많이 본|많이본|인기|최신|주요|추천|실시간) (기사|뉴스)
"""
_PIECE = re.compile(r"\[([^]]+)\]|\(([^)]+)\)|\+([0-9])|([^\s\[(+]+)")
_APOSTROPHES_AND_JOINERS = "'’‘ʼ\u200b\u200c\u200d\u00ad\ufeff"
# Persian pages write yeh and kaf with Arabic or Persian letters; Turkish ones have a dotless i.
_SAME_LETTERS = str.maketrans("يىكı", "ییکi")
# Menus repeat the same words on every page of a site.
_CACHE_SIZE = 16_384


class _Folding(dict[int, str | None]):
    """A table for ``str.translate`` that keeps letters only, in lower case."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        folded: str | None = character.casefold() if character.isalpha() else " "
        if character in _APOSTROPHES_AND_JOINERS or unicodedata.category(character)[0] == "M":
            folded = None
        self[code] = folded
        return folded


_FOLDING = _Folding()


def _words(text: str) -> list[str]:
    """Return the words of a heading, in lower case and without accents and digits."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_SAME_LETTERS))
    return text.translate(_FOLDING).split()


def _phrases(table: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the phrases of a table, each with the number of words that may follow."""
    for line in table.split("/"):
        phrases: list[tuple[str, ...]] = [()]
        more = 0
        for optional, required, number, word in _PIECE.findall(line):
            if number:
                more = int(number)
                continue
            choices = [
                tuple(_words(choice)) for choice in (optional or required or word).split("|")
            ]
            if optional:
                choices.append(())
            phrases = [(*phrase, *choice) for phrase in phrases for choice in choices]
        yield from ((phrase, more) for phrase in phrases)


# The first entry for a phrase counts.
_PARTS: dict[tuple[str, ...], tuple[Part, int]] = {}
for _part, _table in (
    (Part.RELATED, _RELATED),
    (Part.COMMENTS, _COMMENTS),
    (Part.TAGS, _TAGS),
    (Part.OTHER, _OTHER),
):
    for _phrase, _more in _phrases(_table):
        _PARTS.setdefault(_phrase, (_part, _more))
_FIRST_WORDS = frozenset(phrase[0] for phrase in _PARTS)
_MOST_WORDS = max(map(len, _PARTS))
_LONGEST_FIRST_WORD = 40  # characters, with marks before it


def may_head(text: str) -> bool:
    """Return whether a text begins with the first word of a phrase; faster than to compare it."""
    words = _words(text[:_LONGEST_FIRST_WORD])
    return bool(words) and words[0] in _FIRST_WORDS


def announcement(text: str) -> str:
    """Return the words before a colon that announce related links: "Read also"; "" if none do.

    Other marks may stand for the colon: "Read also » A storm".
    """
    mark = _SEPARATOR.search(text, 1, LONGEST_HEADING + 2)
    if mark is None:
        return ""
    words = text[: mark.start()].rstrip()
    return words if part_headed_by(words) is Part.RELATED else ""


def part_headed_by(text: str) -> Part | None:
    """Return the part of a page that a text heads; None if it is not the heading of one."""
    # The cache must not keep the paragraphs of a crawl.
    return _part_headed_by(text) if len(text) <= LONGEST_HEADING else None


@lru_cache(maxsize=_CACHE_SIZE)
def _part_headed_by(text: str) -> Part | None:
    words = _words(text)
    if not words or words[0] not in _FIRST_WORDS:
        return None
    for length in range(min(len(words), _MOST_WORDS), 0, -1):
        part, more = _PARTS.get(tuple(words[:length]), (None, 0))
        if part is not None and len(words) - length <= more:
            return part
    return None
