"""The words of pages that are no articles, in the languages of news.

Takes a headline, a title or the first words of a text; returns the words that deny something (not
found, search results, checks before the page), ask for something (log in, register) or keep the
text for subscribers. Longer texts say such things about others, so only their beginning counts.
"""

import re
from functools import cache

# Characters at the start of a text.
_BEGINNING = 200

# Patterns by language. Outside English, words for "not found" count only beside the word for page
# or article, because news says of other things that they are not found.
_DENIALS = {
    "any": (
        r"\b(?:404|403|500|503)\b(?=\W*(?:$|-|–|:|\||not\b|error|forbidden|internal|service))",
        r"\berror\s+(?:404|403|500)|captcha",
    ),
    "en": (
        r"not\s+(?:be\s+)?found|could\s+not\s+be\s+(?:found|displayed)",
        r"(?:does|do|did)(?:\s+not|n['’]t)\s+exist|no\s+longer\s+(?:available|exists)",
        r"has\s+been\s+(?:removed|deleted)",
        r"(?:page|article|item|story)\s+(?:is\s+)?(?:unavailable|missing|expired)",
        r"(?:log|sign)\s*in(?:\s+to\b|\s*$|\s*[-|:–])|access\s+denied|forbidden|unauthori[sz]ed",
        r"under\s+(?:maintenance|construction)|be\s+back\s+(?:soon|shortly)",
        r"temporarily\s+(?:unavailable|down)|service\s+unavailable",
        r"(?:server|runtime|application|script|parser|compilation)\s+error|fatal\s+error",
        r"uncaught\s+exception|unhandled\s+exception|object\s+reference\s+not\s+set|stack\s+trace",
        r"database\s+(?:error|connection)|are\s+(?:you\s+)?(?:a\s+)?(?:human|robot)",
        r"checking\s+your\s+browser|verify(?:ing)?\s+(?:that\s+)?you|security\s+check",
        r"just\s+a\s+moment|before\s+you\s+continue|attention\s+required|unusual\s+traffic",
        r"(?:we|this\s+site)\s+(?:and\s+our\s+partners\s+)?uses?\s+cookies",
        r"accept\s+(?:all\s+)?cookies|redirect(?:ed|ing)\b|search\s+results?|results?\s+for",
        r"(?:enable|activate|requires)\s+(?:java\s?script|cookies)|java\s?script\s+is\s+disabled",
        r"your\s+search|(?:category|tag|monthly)\s+archives?|archives?\s+for",
        r"^\W*(?:about|contact)\s+us\W*$|^\W*(?:privacy\s+policy|terms\s+(?:of|and)\s+\w+)\W*$",
    ),
    "de": (
        r"(?:seite|artikel|inhalt|dokument|beitrag)\b.{0,40}\b(?:existiert\s+nicht"
        r"|nicht\s+(?:mehr\s+)?(?:gefunden|vorhanden|verfügbar|existiert))",
        r"suchergebnis|trefferliste|java\s?script\s+aktivieren|browser\s+(?:wird\s+)?überprüf",
        r"(?:wir|diese\s+(?:web)?(?:site|seite))\s+(?:verwende|nutz|benutz)(?:n|en|t)?\s+cookies",
    ),
    "fr": (
        r"(?:page|article|contenu)\b.{0,40}"
        r"(?:introuvable|n['’](?:existe|est)\s+(?:pas|plus)|non\s+trouvée?)",
        r"résultats?\s+de\s+(?:la\s+|votre\s+)?recherche|nous\s+utilisons\s+des\s+cookies",
        r"activer\s+javascript",
    ),
    "es": (
        r"(?:página|contenido|nota)\b.{0,40}\bno\s+(?:(?:se|ha\s+sido|pudo\s+ser)\s+)?"
        r"(?:encontrad[ao]|existe|disponible|encontró)",
        r"resultados?\s+de\s+(?:la\s+|su\s+)?búsqueda|(?:utilizamos|usamos)\s+cookies",
    ),
    "pt": (
        r"(?:página|artigo|conteúdo)\b.{0,40}\bnão\s+(?:foi\s+)?"
        r"(?:encontrad[ao]|existe|disponível)",
        r"resultados?\s+d[ae]\s+(?:sua\s+)?(?:pesquisa|busca)\b",
    ),
    "it": (
        r"(?:pagina|articolo)\b.{0,30}"
        r"(?:non\s+(?:è\s+stat[ao]\s+)?(?:trovat[ao]|esiste|disponibile)|inesistente)",
        r"risultati\s+(?:della\s+)?ricerca|utilizziamo\s+i\s+cookies?",
    ),
    "nl": (
        r"(?:pagina|artikel)\b.{0,30}niet\s+(?:gevonden|beschikbaar|bestaat)",
        r"zoekresultat|wij\s+gebruiken\s+cookies",
    ),
    "sv, no, da, fi": (
        r"(?:sidan|siden|artikeln|artikkelen|artiklen)\b.{0,30}(?:hittades\s+inte|inte\s+hittas"
        r"|finns\s+inte|ikke\s+(?:funnet|fundet|findes|finnes)|(?:findes|finnes|blev|ble)\s+ikke)",
        r"sökresultat|søkeresultat|søgeresultat|sivua\s+ei\s+(?:löyt|ole)|hakutulokset",
    ),
    "pl, cs, sk": (
        r"nie\s+znaleziono|strona\b.{0,20}nie\s+istnieje|wyniki\s+wyszukiwania",
        r"strán?k[ay]\b.{0,20}(?:nenalezena|neexistuje|nebyla\s+nalezena|sa\s+nenašla)",
        r"výsledky\s+(?:vy)?hl[ae]d[áa]v?ání|výsledky\s+vyhľadávania",
    ),
    "ru, uk": (
        r"(?:страниц|сторінк|документ|материал)\w*\b.{0,30}"
        r"не\s+(?:найден|существует|знайден|існує)\w*",
        r"результат[ыи]\s+(?:поиска|пошуку)|проверка\s+браузера|включите\s+javascript",
    ),
    "tr, el, ro, hu": (
        r"sayfa\b.{0,30}bulunamadı|arama\s+sonuçları",
        r"σελίδα\b.{0,20}δεν\s+(?:βρέθηκε|υπάρχει)|αποτελέσματα\s+αναζήτησης",
        r"pagina\b.{0,30}nu\s+(?:a\s+fost\s+găsit|există)|rezultatele\s+căutării",
        r"oldal\b.{0,20}nem\s+található|keresési\s+eredmény",
    ),
    "id, vi, hi": (
        r"halaman\b.{0,30}tidak\s+(?:ditemukan|ada)|hasil\s+pencarian",
        r"không\s+tìm\s+thấy\s+trang|trang\b.{0,30}không\s+(?:tồn\s+tại|tìm\s+thấy)",
        r"kết\s+quả\s+tìm\s+kiếm|(?:पेज|पृष्ठ)\s+नहीं\s+मिला|खोज\s+परिणाम",
    ),
    "zh, ja, ko": (
        r"(?:页面|網頁|頁面|网页|文章|内容).{0,10}(?:不存在|找不到|未找到|已删除|已刪除)",
        r"(?:找不到|无法找到|無法找到|未找到).{0,8}(?:页面|網頁|頁面|网页)|搜索结果|搜尋結果",
        r"(?:ページ|記事).{0,12}(?:見つかりません|存在しません|ありません)|検索結果",
        r"페이지.{0,10}(?:찾을\s*수\s*없|존재하지\s*않)|검색\s*결과",
    ),
    "ar, fa, he": (
        r"غير\s+موجود|لم\s+يتم\s+العثور|الصفحة\s+غير|عفوا|نتائج\s+البحث",
        r"یافت\s+نشد|پیدا\s+نشد|وجود\s+ندارد|نتایج\s+جستجو",
        r"(?:ה?עמוד|ה?דף)\s+.{0,15}לא\s+(?:נמצא|קיים)|תוצאות\s+חיפוש",
    ),
}
# Whole titles, up to a separator.
_QUESTIONS = {
    "en": (
        r"(?:please\s+)?(?:log|sign)[\s-]*(?:in|on|up)|login|register|registration|my\s+account",
        r"create\s+(?:an\s+|your\s+)?account|subscribe|forgot(?:ten)?\s+(?:your\s+)?password",
    ),
    "de": (r"anmeld(?:en|ung)|einloggen|registrier(?:en|ung)",),
    "fr": (r"se\s+connecter|connexion|s['’]inscrire|inscription|identifiez-vous",),
    "es": (r"inici(?:ar|a)\s+sesi[óo]n|regístrate|registrarse|registro",),
    "pt": (r"iniciar\s+sessão|fazer\s+login|cadastr[oe](?:-se)?",),
    "it": (r"accedi|accesso|registrati",),
    "nl": (r"inloggen|aanmelden|registreren",),
    "sv, no, da, fi": (r"logga\s+in|logg\s+inn|log\s+(?:ind|på)|kirjaudu(?:\s+sisään)?",),
    "pl, cs, sk": (
        r"zaloguj(?:\s+się)?|logowanie|rejestracja|přihlášení|přihlásit(?:\s+se)?|prihlásenie",
    ),
    "ru, uk": (r"войти|вход|авторизация|регистрация|вхід|увійти|реєстрація",),
    "tr, el, ro, hu": (
        r"giriş(?:\s+yap)?|üye\s+girişi|kayıt\s+ol|σύνδεση|είσοδος|εγγραφή|autentificare",
        r"conectare|bejelentkezés|regisztráció",
    ),
    "id, vi, hi": (r"masuk|daftar|đăng\s+nhập|đăng\s+ký|लॉग\s*इन",),
    "zh, ja, ko": (r"登录|登入|注册|註冊|ログイン|会員登録|로그인|회원가입",),
    "ar, fa, he": (r"تسجيل(?:\s+الدخول)?|ورود|ثبت\s*نام|התחברות|הרשמה",),
}
_PAYWALLS = {
    "en": (
        r"subscribe\s+(?:now\s+)?(?:to|for)\s+(?:read|continue|unlimited|full)",
        r"already\s+a\s+(?:subscriber|member)|(?:log|sign)\s+in\s+to\s+(?:read|continue)",
        r"(?:article|story|content)\s+is\s+(?:only\s+)?(?:for|available\s+to|reserved\s+for)\s+"
        r"(?:our\s+)?(?:subscribers|members)",
    ),
    "de": (r"jetzt\s+(?:weiterlesen|abonnieren)|(?:nur|exklusiv)\s+für\s+abonnenten",),
    "fr": (r"réservée?s?\s+(?:aux|à\s+nos)\s+abonnés",),
    "es, pt": (r"(?:solo|exclusivo)\s+para\s+(?:suscriptores|assinantes)",),
    "it": (r"riservat[oa]\s+agli\s+abbonati",),
    "nl": (r"alleen\s+voor\s+abonnees",),
    "sv": (r"för\s+prenumeranter",),
    "ru, pl": (r"для\s+подписчиков|dla\s+(?:subskrybentów|prenumeratorów)",),
    "ja": (r"会員限定|有料会員",),
}


def denial(text: str) -> str | None:
    """Return the words with which a text says that there is no article."""
    return _found(_compiled("denials"), text)


def question(title: str) -> str | None:
    """Return the words with which a title asks to log in, register or pay."""
    match = _compiled("questions").search(title[:_BEGINNING])
    return match["words"] if match else None


def paywall(text: str) -> str | None:
    """Return the words with which a text says that the rest is for subscribers."""
    return _found(_compiled("paywalls"), text)


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text[:_BEGINNING])
    return match[0] if match else None


@cache
def _compiled(name: str) -> re.Pattern[str]:
    # Compiled with the first short page, because that takes as long as reading one.
    tables = {"denials": _DENIALS, "questions": _QUESTIONS, "paywalls": _PAYWALLS}
    words = "|".join(pattern for patterns in tables[name].values() for pattern in patterns)
    if name == "questions":
        words = rf"^\W*(?P<words>{words})(?!\w)\W*(?:$|(?<=[-|:–—·»])|(?<=[-|:–—·»]\s))"
    return re.compile(words, re.IGNORECASE)
