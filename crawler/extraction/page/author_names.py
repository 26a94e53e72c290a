"""Split a byline, as pages declare or show it, into the names of its authors.

Takes one line such as "By Jane Doe, Chief Political Correspondent, and John Roe" and returns the
names in it, as the page writes them. Labels ("By", "Text:"), jobs, places, e-mail addresses and
handles are dropped, and so are those whom a line credits with something else than the text, such as
its photographers, editors and translators. Never raises.

Who is not an author:

- the outlet itself, by any of the names that the page declares for it or its domain;
- a desk, which is a name of which each word is one for an editorial office or a job ("Staff",
  "Editorial Board", "Online-Redaktion", "Haber Merkezi"), the outlet's name or its initials ("MND
  Staff"); and any name that begins or ends with a word that no person's does ("Sports Desk",
  "Politikredaktion"). A team with a name of its own ("Gear Team") is kept;
- an account that no person's name is left in, such as "admin".

Agencies are kept if they are credited alone or beside authors ("Jane Doe and AFP"), but not as the
affiliation of one ("Jane Doe, AFP").
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from crawler.extraction.page.dates import fold as fold_date
from crawler.extraction.page.months import MONTHS
from crawler.extraction.page.text import clean, ends_sentence

_MARK = re.compile("[\u0300-\u036f]")
# Characters.
_LONGEST_LINE, _LONGEST_DECLARED, _LONGEST_LABEL, _LONG = 300, 2_000, 40, 60
_SHORTEST_NAME, _LONGEST_NAME = 2, 60
_MOST_WORDS, _MOST_NAMES = 7, 30
_MOST_SIGNED, _LONGEST_CONJUNCTION = 4, 6
# Letters of an author's initials, such as "kas".
_LONGEST_INITIALS = 4


def _words_of(words: str) -> frozenset[str]:
    return frozenset(map(_plain, words.split()))


def _any(words: str) -> str:
    """Return a pattern for any of the words, where "_" is a space."""
    return "|".join(word.replace("_", r"\s+") for word in words.split())


def _plain(word: str) -> str:
    """Return a word in lower case and without the accents of Latin, Greek and Cyrillic."""
    word = word.casefold()
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _MARK.sub("", unicodedata.normalize("NFKD", word)))


# Labels of the authors of a text. The first group needs a colon or a like sign, the second stands
# before a name by itself.
_LABELS = _any(
    "authors? author\\(s\\) writers? words text story story_by text_by written_by reported_by reports? "
    "reporting_by reporters? journalists? by contributors? correspondent "
    "autor autoren autorin autorinnen autor(?:in)?/autor(?:in)? autor\\*innen text_von von "
    "verfasst_von geschrieben_von ein_bericht_von bericht "
    "auteure?s? auteur\\(s\\) autrices? texte textes texte_de texte_par écrit_par rédigé_par "
    "publié_par par propos_recueillis_par article_de article_par journaliste "
    "auteurs? tekst tekst_door geschreven_door door redacteur verslaggever "
    "autor[ei] autrice testo testi testo_di scritto_da di a_cura_di articolo_di "
    "autora autoras autores autor/a autor\\(a\\) escrito_por redactado_por texto textos texto_de "
    "por redactora? periodista reportagem reportagem_de repórter jornalista "
    "автор авторы автори автор_статьи автор_текста автор_публикации автор_материала текст "
    "корреспондент кореспондент журналист журналістка подготовил подготовила підготував "
    "підготувала записал записала "
    "autorka autorzy tekst_i_opracowanie tekst_autor_tekstu autoři redaktorka text_a_foto "
    "skribent text_av av journalist artikkel_av skrevet_av skrivet_av tekst_av skrevet_af af "
    "tekst_og_foto reporter kirjoittaja kirjoittajat teksti toimittaja "
    "yazan yazar yazarı haber muhabir kaleme_alan "
    "συντάκτης συντάκτρια κείμενο γράφει γράφει_ο γράφει_η γράφουν επιμέλεια_κειμένου αρθρογράφος "
    "ρεπορτάζ του της των "
    "الكاتب الكاتبة كاتب كاتبة المؤلف بقلم كتب كتبت كتبه إعداد اعداد تقرير المراسل مراسل "
    "نویسنده نویسندگان خبرنگار گزارش گزارش_از به_قلم نوشته_ی نوشته "
    "מאת כתב כתבת הכותב כותב "
    "लेखक लेखिका रिपोर्ट रिपोर्टर संवाददाता "
    "লেখক লেখিকা প্রতিবেদক লিখেছেন প্রতিবেদন "
    "penulis oleh pewarta jurnalis wartawan laporan reportase "
    "tác_giả bởi bài_viết người_viết viết_bởi bài "
    "ผู้เขียน เขียนโดย โดย เรื่อง เรื่องโดย ผู้สื่อข่าว ผู้รายงาน "
    "作者 撰文 文 文字 本报记者 本報記者 特约记者 特約記者 记者 記者 通讯员 撰稿 文本 "
    "執筆 執筆者 文・写真 取材・文 取材 著者 筆者 ライター "
    "글 글쓴이 기자 작성자 취재"
)
_BARE_LABELS = _any(
    "by written_by words_by text_by story_by reported_by von text_von par texte_de texte_par "
    "propos_recueillis_par écrit_par rédigé_par por escrito_por texto_de "
    "di scritto_da testo_di door geschreven_door av text_av tekst_av skrevet_av af skrevet_af "
    "tekst_af przez oleh bởi viết_bởi yazan γράφει_ο γράφει_η του της από_τον από_την "
    "بقلم كتب كتبت كتبه كتبها به_قلم نوشته מאת "
    "autorin/autor autor/in author autor autorin autora auteur autore автор автори авторы "
    "kirjoittanut penulis reporter kontributor"
)
_CJK_LABELS = (
    "作者|撰文|文字|本[报報]?[记記]者|特[约約派][记記]者|[实實][习習][记記]者|[记記]者|文|執筆者?|"
    "取材・文|取材|著者|筆者|ライター|글쓴이|글|เขียนโดย|เรื่องโดย|โดย"
)
_ADJACENT_LABELS = "作者|撰文|本[报報]?[记記]者|特[约約派][记記]者|[记記]者|เขียนโดย|เรื่องโดย|โดย"
_OTHER_LABELS = _any(
    "photos? photograph(?:s|y|er|ers)? photo_credits? pictures? image images images? credit "
    "illustrations? video videos camera graphics? animation edit edited editing edited_by "
    "editing_by editors? editor_in_chief translat(?:ed|ion|or|ors) translated_by source sources "
    "produced_by producers? fact-?check(?:ed|ing|er)?s? reviewed_by updated_by contact "
    "fotos? fotograf(?:in|ie|en)? bild bilder bildquelle illustration übersetz(?:t|ung|er|erin) "
    "aus_dem_\\w+_von kamera schnitt redaktion_dieses quelle quellen redigiert "
    "photographies? photographe crédits? traduction traduit_par édité_par traduit source "
    "foto's beeld vertaling vertaald_door bron eindredactie fotografie fotograaf "
    "fotografía fotografia fotografie imagen imágenes imagem imagens edición edição traducción "
    "traduzione traduzione_di tradução fuente fonte vídeo "
    "фото фотограф фотографія редактор редакторка источник джерело перевод переклад видео відео "
    "ілюстрація иллюстрация "
    "zdjęcia zdjęcie fot opracowanie opracował opracowała oprac źródło tłumaczenie "
    "fotky překlad zdroj ilustrace "
    "foto bilde bilder redigering redaktør redaktör ansvarig_utgivare översättning oversettelse "
    "kuva kuvat kuvaaja kääntäjä fotoğraf editör çeviri kaynak "
    "φωτογραφία φωτογραφίες φωτό επιμέλεια μετάφραση πηγή "
    "تصوير تحرير ترجمة ترجمه مترجم المصدر ویراستار عکس منبع دبیر צילום עריכה תרגום "
    "फोटो संपादक संपादन अनुवाद স্বত্ব ছবি সম্পাদনা অনুবাদ "
    "penyunting editor fotografer penerjemah sumber ảnh nguồn biên_tập dịch ภาพ แปล บรรณาธิการ "
    "图 摄影 攝影 编辑 編輯 责编 責任編輯 责任编辑 翻译 譯者 译者 来源 來源 圖 供图 写真 編集 翻訳 撮影 "
    "사진 편집 번역 그래픽 영상"
)
_COLON = r"\s*(?:[:：]|／|/(?=\S))\s*"
_ENDS_OF_LABELS = frozenset("by von par por di door av af oleh".split())
_LABELLED = re.compile(rf"(?:{_LABELS}){_COLON}", re.IGNORECASE)
# "Kommentar von", "Opinion by", "Eine Analyse von".
_GENRES = _any(
    "kommentar analyse interview gastbeitrag gastkommentar essay kolumne reportage bericht glosse "
    "rezension pressemitteilung beitrag artikel leitartikel meinung porträt opinion analysis "
    "comment commentary column review interview report article blog post tribune chronique "
    "éditorial entretien analyse enquête reportage opinión análisis entrevista columna reportaje "
    "artículo crónica opinião análise analisi intervista commento editoriale analys krönika "
    "ledare kronikk analyse kommentar"
)
_BARE_LABELLED = re.compile(
    rf"(?:(?:{_BARE_LABELS})|(?:an?\s+|eine?\s+|une?\s+|ett?\s+)?(?:{_GENRES})\s+"
    r"(?:by|von|par|de|di|door|av|af|por))\s+",
    re.IGNORECASE,
)
_AFTER_DATE = re.compile(rf"\d{{4}}\W{{1,5}}(?:{_LABELS})\s?[:：]\s*", re.IGNORECASE)
# Scripts without spaces between words, and labels that are written at the name: "記者王小明".
_CJK_LABELLED = re.compile(
    rf"[(（\[【]?(?:(?:{_CJK_LABELS})[\s:：/／|丨・]|(?:{_ADJACENT_LABELS})(?=[^\W\d_]))\s*"
)
_OTHER_LABELLED = re.compile(
    rf"(?:^|[\s,;|/(（])(?:(?:and|und|et|y|e|og|och|en|i|и)\s+)?(?:{_OTHER_LABELS})"
    rf"(?:{_COLON}|\s+(?:by|von|de|di|por|av|af|door)\s)",
    re.IGNORECASE,
)
# A parenthesis or a part about the share in the work that is not the text.
_OTHER_WORK = re.compile(
    r"\b(?:photo|foto|video|vidéo|grafik|graphic|illustration|bild|beeld|camera|kamera|data|"
    r"překlad|transl|übersetz|traduc|фото|видео)",
    re.IGNORECASE,
)
_KOREAN_NAMES = re.compile(
    "(?:[^\\W\\d_]{1,12}\\s?=\\s?)?(?P<names>[가-힣]{2,4}(?:\\s?[·,]\\s?[가-힣]{2,4}){0,5})\\s{0,2}"
    "(?:온라인|선임|수석|전문|인턴|객원|스포츠|디지털)?\\s?(?:기자|특파원|논설위원|앵커|에디터|PD)"
)
_CJK_SUFFIX = re.compile("(?:報導|报道|報道|报导|記者|记者|基者|撰|攝|编辑|特派員|通信員)$")
_CJK_REPORT = re.compile("(?:報導|报道|報道|报导|电|電)\\s*$")
_IN_ADDRESSES = ("@", "[at]", "(at)", "://", "www.", "WWW.")
_BRACKETS = re.compile(r"[(（\[【]")
_IN_BRACKETS = re.compile(r"\s*[(（\[【][^()（）\[\]【】]{0,120}[)）\]】]?\s*")
_ADDRESS = re.compile(
    r"(?:mailto:)?[\w.+-]{1,64}(?:@|\[at\]|\(at\))[\w.-]{1,100}|(?<!\w)@\w[\w.]{0,50}|"
    r"(?:https?://|www\.)\S{0,300}",
    re.IGNORECASE,
)
# Whatever follows is not an author of the text in its own right.
_CUT = re.compile(
    r"\s+(?:mit\s+material|mit\s+agentur|unter\s+mitarbeit|additional\s+reporting|"
    r"contribut(?:ed|ions?)|with\s+(?:additional|reporting|files|agenc|inputs?)|"
    r"reporting\s+from|for\s+(?:the\s+)?(?=[A-Z])|special\s+to|exclusively|"
    r"(?:avec|con|com|met|med|mit)\s+(?:agence|agenc|agentur|información|informações|bureau)"
    r"|is\s+an?\s|is\s+the\s|was\s+an?\s|ist\s+(?:ein|freie|der|die)|est\s+(?:un|journ|la|le)|"
    r"es\s+(?:un|periodista)|covers\s|writes\s|schreibt\s)",
    re.IGNORECASE,
)
_STRONG_SEPARATOR = re.compile(
    r"[;|•·、，،؛／｜丨\n]|\s[-–—]+\s|(?<!\ba)/(?![lp]\b)|\s&\s|&(?=[A-Z])"
)
_SPLIT_CONJUNCTIONS = frozenset(
    "and und et och og sowie & avec with mit met с и та і й και ve και और এবং ও و और und และ và "
    "dan oraz ja és și plus con".split()
)
_WEAK_CONJUNCTIONS = frozenset("y e i a en com da ו".split())
_PARTICLES = frozenset(
    "de del della delle dei degli di da do dos das du des van von vom der den dem het ter ten te "
    "zu zum zur la le les lo el al bin ibn ben bint binti binte af av of the y e i och og und et "
    "and d l t s o ap ab abu a/l a/p st san dalla dal".split()
)
_SUFFIXES = frozenset("jr sr ii iii iv phd md esq".split())
# Words that head or end a job in a byline, and those between.
_JOBS = frozenset(
    "correspondent correspondents reporter reporters editor editors writer writers journalist "
    "journalists columnist columnists producer producers analyst critic contributor contributors "
    "blogger author authors intern fellow anchor presenter commentator staff "
    "redakteur redakteurin redakteure redaktor redaktorin korrespondent korrespondentin reporterin "
    "journalistin volontär volontärin chefredakteur chefredakteurin ressortleiter "
    "ressortleiterin autorin kolumnist kolumnistin politikredakteur wirtschaftsredakteur "
    "chefreporter chefreporterin leiter leiterin auslandskorrespondent "
    "journaliste journalistes correspondante correspondants envoyé envoyée envoyés rédacteur "
    "rédactrice chroniqueur chroniqueuse éditorialiste reporteur "
    "redacteur verslaggever verslaggeefster correspondente columniste redactrice "
    "corrispondente inviato inviata giornalista redattore redattrice "
    "corresponsal redactor redactora periodista enviado enviada columnista reportero reportera "
    "repórter jornalista colunista correspondente "
    "корреспондент кореспондент журналист журналістка редактор обозреватель оглядач собкор "
    "dziennikarz dziennikarka redaktorka korespondent komentátor redaktör "
    "journaliste kommentator utenriksreporter nyhetsreporter toimittaja kirjeenvaihtaja "
    "muhabiri muhabir yazarı δημοσιογράφος ανταποκριτής مراسل مراسلة صحفي صحافي کاتب خبرنگار "
    "संवाददाता রিপোর্টার প্রতিবেদক প্রতিনিধি wartawan jurnalis kontributor pewarta "
    "kommentator sportredakteur chef-reporter nachrichtenredakteur".split()
)
_JOB_ADJECTIVES = frozenset(
    "chief senior junior political politics health science sports sport business economics "
    "economic finance financial technology tech education foreign home world environment climate "
    "crime court legal royal travel lifestyle news digital deputy assistant associate managing "
    "executive special staff guest freelance freier freie freiberufliche contributing "
    "international national local city us uk european europe investigative investigations general "
    "assignment breaking night weekend data social media culture arts food entertainment showbiz "
    "tv film music football cricket defence defense security diplomatic affairs parliamentary "
    "white house washington religion transport energy industry consumer money markets features "
    "feature audience trending video multimedia leitender leitende stellvertretender "
    "stellvertretende politischer notre nos nuestro nuestra nostro nostra unser unsere our de du "
    "van onze grand the and & stage".split()
)
_ORGANISATIONS = frozenset(
    "news press agency media tv radio magazine times post newspaper university institute agence "
    "agentur agencia agenzia presse prensa zeitung journal gazette herald tribune newswire "
    "wire bureau group studio verlag shimbun haber ajansı".split()
)
_AGENCIES = frozenset(
    "ap|associated press|the associated press|afp|agence france-presse|agence france presse|dpa|"
    "deutsche presse-agentur|reuters|thomson reuters|apa|ansa|agi|adnkronos|efe|europa press|lusa|"
    "pap|tass|тасс|ria novosti|риа новости|interfax|интерфакс|ukrinform|укрінформ|уніан|унian|"
    "xinhua|新华社|新華社|kyodo|共同|共同通信|時事通信|時事|yonhap|연합뉴스|뉴시스|뉴스1|ani|pti|ians|uni|"
    "bernama|antara|anadolu ajansı|anadolu agency|aa|dha|iha|anp|belga|sda|ats|keystone-sda|sid|"
    "kna|epd|ritzau|ntb|tt|stt|ctk|čtk|tasr|mti|notimex|bloomberg|upi|cna|中央社|the canadian press|"
    "pa|pa media|press association|aap|wam|irna|isna|mehr|tasnim|fars|sana|إيرنا|ایرنا|ایسنا|"
    "رويترز|أ ف ب|وكالات|وام|واس|agência brasil|estadão conteúdo|dpa-afx|afx|rtr|cp|sapa|nan|"
    "αμπε|απε-μπε|ttxvn".split("|")
)
# Places of two words that end bylines; those of one word need no list.
_PLACES = frozenset(
    "new york|los angeles|san francisco|hong kong|tel aviv|new delhi|buenos aires|mexico city|"
    "são paulo|sao paulo|rio de janeiro|cape town|kuala lumpur|abu dhabi|washington dc|"
    "washington d.c.|den haag|the hague|st. petersburg|saint petersburg|sankt petersburg|"
    "las vegas|san diego|addis ababa|phnom penh|santiago de chile|panama city|ciudad de méxico|"
    "la paz|new orleans|salt lake city|st louis|st. louis|port-au-prince|la haye|le caire|"
    "нью йорк|frankfurt am main|el salvador|south africa|sri lanka|saudi arabia".split("|")
)
_DESK_WORDS = _words_of(
    "staff staffs team teams desk desks newsroom newsrooms editorial editorials editors editor "
    "board reporter reporters correspondent correspondents writer writers contributor contributors "
    "journalist journalists admin administrator webmaster root superuser moderator developer "
    "redaktion redaktionen onlineredaktion redaction rédaction redaccion redacao redação redazione "
    "redactie nieuwsredactie redakcja redakce redakcia redakcija redaksjonen redaktionen redaksi "
    "toimitus uutistoimitus editoru editor haber merkezi servisi sintaksi συνταξη редакция "
    "редакція редакции news nieuws nachrichten noticias notizie nyheter actu actualite actualites "
    "notícias online web website digital internet central zentral zentrale service services "
    "agencies agency agenturen agentur agences agencias agenzie agencje agentury wires wire "
    "newswire agentschap various autor autoren autoren autores auteurs author authors autori "
    "guest gast anonymous anonym unknown user nobody none null undefined na nn tba "
    "the our a an of from by von der die das unsere unserer unser de la le les des du el los "
    "nuestra nuestro del e y and und et en i og och with mit special copy desk content creator "
    "press pressemitteilung presse release advertorial sponsored partner promotion pr "
    "red reda report reports reporting bureau office multimedia video "
    "tim redaksi biên tập ban phóng viên tòa soạn dw "
    "التحرير تحرير هيئة اسرة أسرة قسم المحرر محرر فريق المراسل وكالات تحریریه גروه "
    "המערכת מערכת מערכתי डेस्क न्यूज न्यूज़ टीम ডেস্ক নিউজ অনলাইন স্টাফ রিপোর্টার প্রতিবেদক "
    "নিজস্ব กองบรรณาธิการ ทีมข่าว ผู้จัดการออนไลน์ 编辑部 編集部 本报讯 本報訊 记者 記者 编辑 小编 管理员 "
    "網路 综合 綜合 报道 報導 综合报道 綜合報導 편집국 편집부 뉴스팀 온라인뉴스팀 온라인팀 디지털뉴스팀 관리자 기자 "
    "toimituksen sport letters letter to"
)
_NOT_SIGNED = ((_DESK_WORDS | _JOB_ADJECTIVES | _ORGANISATIONS | _JOBS) - _PARTICLES) | _words_of(
    "top stories story latest update updates real estate league cup premier champions liga serie "
    "lig super süper supreme court street city county state middle east west north south united "
    "new old first best read reading about photos gallery galerie podcast newsletter region "
    "panorama inland ausland vermischtes lokales hintergrund politique société monde économie "
    "région régions deportes economia cultura politica mundo esteri cronaca interni dünya spor "
    "gündem ekonomi świat kraj hrvatska breaking live blog video"
)
_DESK_ENDS = (
    "redaktion", "redaktionen", "redaktie", "redactie", "desk", "newsroom", "newsdesk", "staff",
    "redaksjon", "redaksjonen", "redakcja", "redakce", "редакция", "编辑部", "編集部", "编辑", "편집국",
    "뉴스팀", "온라인팀", "डेस्क", "ডেস্ক", "取材班",
)  # fmt: skip
_NEVER_IN_NAMES = frozenset(
    "staff newsroom redaktion redaction redaccion redacao redazione redactie redakcja redakce "
    "gmbh inc ltd llc corp plc bv ag kg ev verlag".split()
)
_DESK_STARTS = frozenset(
    "redaktion redaction redaccion redacao redazione redactie redakcja redakce redaksi редакция "
    "редакція тoimitus toimitus newsroom agencies agenturen agences agencias".split()
)
_NEVER_FIRST = frozenset(
    "follow share tweet twitter facebook instagram email e-mail print comment comments view all "
    "more read subscribe updated published posted last this that these here click sign log see "
    "about contact über weitere search weiterlesen autor author auteur datum artikel "
    "home listen watch live advertisement anzeige breaking exclusive opinion "
    "analysis lesedauer mehr alle zum zur autoren teilen folgen kommentare publié mis suivre "
    "partager lire voir tous seguir compartir ver más leggi segui condividi lees volg alles "
    "читать читайте подробнее все lue læs les läs mer følg följ why how what when where who".split()
)
_TIME_WORDS = frozenset(
    "uhr am pm cet cest est edt gmt utc bst ist et pt min mins minutes minuten minute h heures le "
    "à a hier aujourd'hui heute gestern today yesterday at on the vom den um kl updated published "
    "publié mis stand ago hours hour days day mez mesz hrs".split()
)
_NEVER_LAST = _NEVER_FIRST | _TIME_WORDS | {"von", "by", "par", "di", "por", "door", "av", "and"}
_INITIALS = re.compile(r"(?:[^\W\d_a-z]\w{0,2}\.[\s-]?){1,3}(?:[^\W\d_]{1,12}\.?)?")
_FORBIDDEN = re.compile('[@?!<>{}\\[\\]=_#*%$"“”„«»…:：。！？\\\\^~()（）]|\\.\\.|://|\\bwww\\.')
_SENTENCE_END = re.compile(r"[^\W\d_]{4}\.(?:\s|$)")
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,10}", re.IGNORECASE)
_LOGIN = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)+|[a-z]*\d[a-z\d]*|[A-Z]?[a-z]+\.[a-z]+")
_LOCATION = re.compile(
    r"\s+(?:in|from|at|aus|à|en|in|w|v|i|fra|från|vanuit|desde|da|dal|em|din|из|в|у|از|من|في)\s+"
    r"(?!['’])(?:[^\W\d_a-zà-ÿ][\w'’.-]*\s?){1,3}$"
)
# A number, and the words on both sides, which may be months.
_NUMBERS = re.compile(
    r"(?P<before>\b[^\W\d_]{1,14}[.,]{0,2}\s+)?(?:\S{0,40}\d\S{0,40}\s*)+(?P<after>[^\W\d_]{1,14}\b)?"
)
# "avec l'AFP"
_ARTICLE = re.compile(r"^[lL]['’](?=[A-Z]{2})")
_DIGIT = re.compile(r"\d")
# Stands for a parenthesis about other work.
_OTHERS = "\x01"
_EDGE_OF_NAME = ' \t\n,;:-–—|/·•*&"«»“”„>+~_'
_EDGE = " \t\n,.;:-–—|/·•*&'\"«»“”„‘‹›>+~•|_"
_LETTER = re.compile(r"[^\W\d_]")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_CASELESS = re.compile("[\u0590-\u1cff\u2e80-\ud7ff\uf900-\uffdc]")
_TLD = re.compile(
    r"\.(?:com|org|net|info|news|de|at|ch|fr|be|nl|it|es|pt|br|ru|ua|pl|cz|se|dk|no|fi|tr|gr|uk|eu|"
    r"tv|in|id|vn|th|cn|tw|jp|kr|us|ca|au|za|co|ie|hu|ro|sk)(?:\.[a-z]{2})?$",
    re.IGNORECASE,
)
_PART_OF_SITE_NAME = re.compile(r"\s+[-–—|:»«·]+\s+|\s*[|｜：]\s*")
_CACHE_SIZE = 4_096
_NOT_IN_OUTLETS = frozenset("the der die das le la les el los il online digital web news".split())


def fold(text: str) -> str:
    """Return the letters and digits of a text, in lower case and without accents."""
    if not text.isascii():
        text = _MARK.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return _NOT_ALPHANUMERIC.sub("", text.casefold()).replace("ı", "i")


class Outlets:
    """The names of a page's outlet, with which a declared author is compared."""

    def __init__(self, names: Iterable[str], domain: str | None) -> None:
        self._keys: set[str] = set()
        self._initials: set[str] = set()
        for name in dict.fromkeys(names):
            keys, initials = _keys_of(name[:_LONGEST_LINE])
            self._keys |= keys
            self._initials |= initials
        self._label = fold((domain or "").partition(".")[0])
        if domain:
            self._keys |= {fold(domain), self._label}
        self._keys.discard("")

    def has(self, name: str) -> bool:
        """Return whether a name is the outlet's, apart from "The", "Online" and its domain."""
        words = name.split()
        if fold(name) in self._keys or fold(_TLD.sub("", name)) in self._keys:
            return True
        return bool(self._keys.intersection(_keys_without_extras(words)))

    def has_word(self, word: str) -> bool:
        """Return whether a word of a desk's name stands for the outlet: "MND" in "MND Staff"."""
        key = fold(_TLD.sub("", word))
        is_initials = word.isupper() and key in self._initials
        return is_initials or key in self._keys or (key == self._label and key != "")

    def holds(self, words: list[str]) -> bool:
        """Return whether several words are a name of the outlet, all together."""
        return bool(words) and self.has(" ".join(words))


@lru_cache(maxsize=_CACHE_SIZE)
def _keys_of(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys of an outlet's name and its parts, and their initials."""
    keys: set[str] = set()
    initials: set[str] = set()
    for part in {name, *_PART_OF_SITE_NAME.split(name), _IN_BRACKETS.sub(" ", name)}:
        words = _TLD.sub("", part.strip()).split()
        keys |= {fold(" ".join(words)), *_keys_without_extras(words)}
        for some in (words, [w for w in words if w.lower() not in _NOT_IN_OUTLETS]):
            if len(some) > 1:
                initials.add("".join(fold(word)[:1] for word in some))
    return frozenset(keys), frozenset(initials)


def _keys_without_extras(words: list[str]) -> Iterator[str]:
    start, end = 0, len(words)
    while start < end - 1 and words[start].lower() in _NOT_IN_OUTLETS:
        start += 1
        yield fold(" ".join(words[start:end]))
    while end > start + 1 and words[end - 1].lower() in _NOT_IN_OUTLETS:
        end -= 1
        yield fold(" ".join(words[start:end]))


NO_OUTLETS = Outlets((), None)


def declared_names(text: str, outlets: Outlets = NO_OUTLETS) -> list[str]:
    """Return the names in a value that declares authors, such as a meta tag's."""
    return _names(text, outlets, is_shown=False)


def shown_names(text: str, outlets: Outlets = NO_OUTLETS) -> list[str]:
    """Return the names in a text whose markup says that it is a byline.

    The names of persons must be written as such: with capitals, without digits.
    """
    return _names(_without_dates(text), outlets, is_shown=True)


def certain_names(text: str, outlets: Outlets = NO_OUTLETS) -> list[str]:
    """Return the names that are surely names in a text whose markup says that it is a byline.

    A single word there may be anything: a place, a section, a unit of time.
    """
    if _CASELESS.search(text) and _DIGIT.search(text):
        return []
    found = _every_name(_without_dates(text), is_shown=True)
    if not found or found[0] is None or (len(text) > _LONG and ends_sentence(text)):
        return []
    return [
        name for name in _kept(found, outlets) if is_surely_name(name) or _INITIALS.fullmatch(name)
    ]


def signature_names(text: str, outlets: Outlets = NO_OUTLETS) -> list[str]:
    """Return the names in a line if it is nothing but names of persons in scripts with capitals.

    Each has two to four words, none of them a section's or a desk's. Agencies are names, too.
    """
    found = _every_name(text, is_shown=True)
    for name in found:
        if name is None or _CASELESS.search(name):
            return []
        words = [_plain(word) for word in name.split()]
        is_person = 2 <= len(words) <= _MOST_SIGNED and _NOT_SIGNED.isdisjoint(words)
        if not (is_person or is_agency(name)):
            return []
    rest = _NOT_ALPHANUMERIC.sub("", text)
    kept = _kept(found, outlets)
    # Whatever else the line has, such as a job or a date, is no part of a name.
    is_all = len(rest) - len(_NOT_ALPHANUMERIC.sub("", "".join(kept))) <= _LONGEST_CONJUNCTION
    return kept if is_all and len(kept) == len(found) else []


def labelled_names(text: str, outlets: Outlets = NO_OUTLETS) -> list[str] | None:
    """Return the names in a line with a label that says who wrote the text ("By Jane Doe").

    None if the line is not a byline. An empty list means that it names only the outlet or a desk.
    """
    if len(text) > _LONGEST_LINE:
        return None
    text = text.lstrip(_EDGE)
    rest = _without_label(text)
    if rest == text:
        # "Datum: 3. Mai 2020 Autor: Jan Müller"
        if ":" not in text or (later := _AFTER_DATE.search(text)) is None:
            return None
        rest = text[later.end() :]
    found = _every_name(_without_dates(rest), is_shown=True)
    if not found or not all(name is not None and is_surely_name(name) for name in found):
        return None
    return _kept(found, outlets)


def credits_others(text: str) -> bool:
    """Return whether a line is about other work than the text: "Photo: X", "Editor: Y"."""
    return _OTHER_LABELLED.match(text[:_LONGEST_LINE]) is not None


def is_label(text: str) -> bool:
    """Return whether a text is only a label, such as "By", "Autor:" or "Kommentar von"."""
    text = text.strip()
    return len(text) <= _LONGEST_LABEL and (
        text.rpartition(" ")[2].lower() in _ENDS_OF_LABELS
        or _LABELLED.fullmatch(text) is not None
        or _BARE_LABELLED.fullmatch(f"{text} ") is not None
    )


def _without_label(text: str) -> str:
    """Return a line without the labels at its start, such as "Text: By"."""
    for _ in range(3):
        text = text.lstrip(_EDGE)
        label = _LABELLED.match(text) or _CJK_LABELLED.match(text)
        if label is None and (bare := _BARE_LABELLED.match(text)):
            # "Di Maio" and "von Trapp" are names.
            rest = text[bare.end() :].strip()
            is_name = " " not in rest and bare[0].strip().lower() in ("di", "von", "author")
            label = (
                None if is_name and not (is_agency(rest) or _is_desk(rest, NO_OUTLETS)) else bare
            )
        if label is None or label.end() == len(text):
            break
        text = text[label.end() :]
    return text


@lru_cache(maxsize=1)
def _months() -> frozenset[str]:
    return frozenset(word for line in MONTHS for word in line.split())


def _without_dates(text: str) -> str:
    """Return a line with separators in place of its numbers and the months beside them."""
    text = text[: _LONGEST_LINE + 1]
    if _DIGIT.search(text) is None:
        return text
    return _NUMBERS.sub(_separator, text)


def _is_of_date(word: str) -> bool:
    word = word.strip(" .,")
    return word.lower() in _TIME_WORDS or fold_date(word) in _months()


def _separator(match: re.Match[str]) -> str:
    before, after = match["before"] or "", match["after"] or ""
    kept_before = "" if _is_of_date(before) else before
    kept_after = "" if _is_of_date(after) else after
    return f"{kept_before} ; {kept_after}"


def _names(text: str, outlets: Outlets, *, is_shown: bool) -> list[str]:
    return _kept(_every_name(text, is_shown=is_shown), outlets)


def _kept(names: Iterable[str | None], outlets: Outlets) -> list[str]:
    """Return the names of persons, teams and agencies, each once."""
    found: dict[str, str] = {}
    for name in names:
        if name is not None:
            name = _without_outlet(name, outlets)
            if not (outlets.has(name) or _is_desk(name, outlets)):
                found.setdefault(name.casefold(), name)
        if len(found) == _MOST_NAMES:
            break
    return list(found.values())


def _without_outlet(name: str, outlets: Outlets) -> str:
    """Return a name without the employer behind it: "Jane Doe BBC News"."""
    words = name.split()
    for start in range(2, len(words)):
        end = words[start:]
        if outlets.holds(end) or is_agency(" ".join(end)):
            return " ".join(words[:start])
    return name


def _every_name(text: str, *, is_shown: bool) -> tuple[str | None, ...]:
    """Return the names in a line; None for a part of it that is not like a name."""
    if len(text) > _LONGEST_LINE:
        if is_shown:
            return ()
        text = text[:_LONGEST_DECLARED]
    return _found_in(text, is_shown)


@lru_cache(maxsize=_CACHE_SIZE)
def _found_in(text: str, is_shown: bool) -> tuple[str | None, ...]:
    # Some authors write most of what a crawl reads.
    return tuple(_find(text, is_shown))


def _find(text: str, is_shown: bool) -> Iterator[str | None]:
    text = clean(_ADDRESS.sub(" ", text) if any(map(text.__contains__, _IN_ADDRESSES)) else text)
    if "기자" in text or "특파원" in text:
        korean = [match["names"] for match in _KOREAN_NAMES.finditer(text)]
        if korean:
            for names in korean:
                yield from re.split(r"\s?[·,]\s?", names)
            return
    if _BRACKETS.search(text):
        text = _IN_BRACKETS.sub(_other_work, text)
        text = " ".join(text.split())
    if cut := _CUT.search(text):
        text = text[: cut.start()]
    previous: str | None = None
    for segment in _STRONG_SEPARATOR.split(text):
        if not segment.strip(_EDGE):
            continue
        if others := _OTHER_LABELLED.search(segment):
            segment = segment[: others.start()]
            if not segment.strip(_EDGE):
                continue
        segment = _without_label(segment)
        if _is_last_first(segment):
            previous = segment.strip()
            yield previous
            continue
        is_organisation = False
        for chunk in segment.split(","):
            if is_organisation and not is_shown:
                # "Department of Health, Education and Research", "Company Ltd, Vienna, Austria"
                break
            is_affiliated = False
            for position, part in enumerate(_joined_parts(chunk)):
                name = _without_extras(part, is_first=previous is None)
                if not name or name.casefold() in _PLACES:
                    continue
                if previous is not None and (position == 0 or is_affiliated):
                    is_affiliated = _is_affiliation(name, previous)
                    if is_affiliated or fold(name) in _SUFFIXES or _CJK_REPORT.search(part):
                        continue
                if not _is_name(name, is_shown=is_shown):
                    is_organisation = True
                    yield None
                    continue
                previous = name
                is_organisation = not _NEVER_IN_NAMES.isdisjoint(_pieces(name))
                yield name


def _other_work(match: re.Match[str]) -> str:
    """Return a mark in place of a parenthesis about other work, and a space for any other."""
    return _OTHERS if _OTHER_WORK.search(match[0]) else " "


def _joined_parts(chunk: str) -> list[str]:
    """Return the parts of a text that conjunctions join."""
    words = chunk.split()
    lower = [word.lower() if word.islower() or chunk.isupper() else word for word in words]
    parts: list[list[str]] = [[]]
    for index, (word, key) in enumerate(zip(words, lower, strict=True)):
        joins = key in _SPLIT_CONJUNCTIONS
        if key in _WEAK_CONJUNCTIONS:
            # "Costa e Silva" is one name.
            rest = len(words) - index - 1
            joins = len(parts[-1]) >= 2 and rest >= 2
        if joins:
            parts.append([])
        else:
            parts[-1].append(word)
    return [" ".join(part) for part in parts if part]


def _without_extras(part: str, *, is_first: bool) -> str:
    """Return a part of a byline without the job, the place and marks; "" if nothing is left."""
    if _OTHERS in part:
        return ""
    part = _ARTICLE.sub("", _trimmed(_without_label(part)))
    part = _LOCATION.sub("", part)
    part = _CJK_SUFFIX.sub("", part) if _CASELESS.search(part) else part
    words = part.split()
    jobs = [i for i, word in enumerate(words) if word.lower().strip(_EDGE) in _JOBS]
    if jobs:
        start, end = jobs[0], jobs[-1] + 1
        while start and words[start - 1].lower().strip(_EDGE) in _JOB_ADJECTIVES:
            start -= 1
        rest = words[end:] if start == 0 else words[:start]
        if len(rest) != 1 or is_agency(rest[0]) or not is_first:
            words = rest
    while len(words) > 1 and words[-1].lower() in _NEVER_LAST:
        words.pop()
    return _trimmed(" ".join(words))


def _trimmed(name: str) -> str:
    """Return a name without marks around it; points of initials and "Jr." are part of it."""
    name = name.strip(_EDGE_OF_NAME).lstrip(".")
    last = name.rpartition(" ")[2].rstrip(".")
    if name.endswith(".") and is_agency(last):
        return name.rstrip(".")
    return name.rstrip(".") if len(last) > _LONGEST_INITIALS and "." not in last else name


def _is_affiliation(name: str, previous: str) -> bool:
    """Return whether a part after a name is where its bearer works or is, not another author."""
    words = name.split()
    if is_agency(name):
        return not is_agency(previous)
    if len(words) == 1 and _CASELESS.search(name) is None:
        return is_agency(previous) or " " in previous or _DOMAIN.fullmatch(previous) is not None
    return not _ORGANISATIONS.isdisjoint(word.lower() for word in words)


def _is_last_first(text: str) -> bool:
    """Return whether a text is one name that begins with the surname: "Doe, Jane"."""
    parts = [part.split() for part in text.split(",")]
    if len(parts) != 2 or not all(parts):
        return False
    last, first = parts
    if len(first) > 2 or len([w for w in last if w.lower() not in _PARTICLES]) != 1:
        return False
    words = [*last, *first]
    if any(is_agency(" ".join(part)) for part in parts) or any(
        word.lower() in _JOBS
        or word.lower() in _ORGANISATIONS
        or word.lower() in _SPLIT_CONJUNCTIONS
        for word in words
    ):
        return False
    return all(_is_name(word, is_shown=True) for word in (last[-1], first[0]))


def _is_name(name: str, *, is_shown: bool) -> bool:
    """Return whether a text can be a name: of bounded length, no sentence, no URL, no date."""
    words = name.split()
    if not (_SHORTEST_NAME <= len(name) <= _LONGEST_NAME and len(words) <= _MOST_WORDS):
        return False
    if _FORBIDDEN.search(name) or _SENTENCE_END.search(name) or _LETTER.search(name) is None:
        return False
    if words[0].lower() in _NEVER_FIRST or "," in name:
        return False
    if sum(map(str.isdigit, name)) > (0 if is_shown else 2) or name[0].isdigit():
        return False
    is_caseless = _CASELESS.search(name) is not None
    if is_caseless and len(name) > _LONGEST_NAME // 2:
        return False
    small = [w for w in words if w[0].islower() and w.lower() not in _PARTICLES and "'" not in w
             and "’" not in w]  # fmt: skip
    if is_shown:
        return is_caseless or is_agency(name) or (not small and not words[-1].islower())
    if len(words) == 1 and _LOGIN.fullmatch(name) and _DOMAIN.fullmatch(name) is None:
        return False
    if len(words) == 1 and name.islower() and not is_caseless:
        return len(name) <= _LONGEST_INITIALS or is_agency(name)
    # "jane doe" is a name, "Jane's column" or "a slogan of some words" is none.
    return not small or len(words) == 2 or (len(words) == 3 and name.islower())


def is_surely_name(name: str) -> bool:
    """Return whether a name cannot be another word of a byline, as a single word may be."""
    is_caseless = _CASELESS.search(name) is not None
    return " " in name or is_caseless or is_agency(name) or _is_desk(name, NO_OUTLETS)


def is_agency(name: str) -> bool:
    """Return whether a name is that of a news agency."""
    return name.casefold() in _AGENCIES


def _is_desk(name: str, outlets: Outlets) -> bool:
    """Return whether a name is a desk of the outlet, a company or an account, not a person."""
    written, pieces = name.split(), _pieces(name)
    if not pieces or pieces[0] in _DESK_STARTS or not _NEVER_IN_NAMES.isdisjoint(pieces):
        return True
    if name.casefold().endswith(_DESK_ENDS):
        return True
    rest = [word for word in written if len(word) > 1 and not _DESK_WORDS.issuperset(_pieces(word))]
    if not rest:
        return True
    is_outlets = outlets.holds(rest) or all(map(outlets.has_word, rest))
    return len(rest) < len(written) and is_outlets


def _pieces(name: str) -> list[str]:
    """Return the parts of a compound, in lower case and without accents in Latin script."""
    return [_plain(piece) for piece in re.split(r"[\s\-–/.,]+", name) if piece]
