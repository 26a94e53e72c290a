"""Made pages that are no articles, in the layouts of news sites.

Lists of articles (home, section, tag, author, archive and search pages) in ten layouts, and pages
that deny something or ask for something in several languages.
"""

from collections.abc import Iterator

HEADLINES = (
    "Fire Stops All Cranes on the Eastern Quay",
    "Ferry to Sarn Sails Again After Eleven Days",
    "Council Votes Against a Second Bridge at Orla",
    "Lake Swimmers Measure Their Course Anew",
    "Seed Potatoes Run Short in the Upper Valley",
    "Night Trains Return to the Coast in Spring",
    "School Roof Was Checked a Week Before It Fell",
    "Dockers Ask to Be Paid for the Lost Days",
    "Old Lime Trees on the Square Are Ill",
    "Museum of Salt Finds a New Director",
    "Brigade Rescues Forty Sheep From an Island",
    "Prices for Firewood Rise for the Third Month",
)
SUMMARIES = (
    "The port authority said on Tuesday that no ship would be unloaded before the weekend.",
    "The repaired vessel left on time with two hundred passengers on board, many of them pupils.",
    "Nine members spoke against the plan, which would have cost more than a new town hall.",
    "The swimmers found that the course has been eleven metres short for sixty years.",
    "Traders blame the wet spring, while farmers point at the closed road over the pass.",
    "Two sleepers will run each night, and a third one at weekends, the railway announced.",
    "An inspector had noted the cracks in the beams, but his report was not passed on.",
    "The authority answered that it would decide once the cause of the fire was known.",
    "A fungus has weakened the roots, and four of the trees will have to go this winter.",
    "She worked in the mines as a student and has written two books about their songs.",
    "The water had risen overnight, and the animals stood on the last dry hill for hours.",
    "A cubic metre costs a tenth more than in autumn, and many yards have nothing to sell.",
)
PLACES = {
    "home": ("/", "The Sarn Courier", None),
    "section": ("/politics", "Politics | The Sarn Courier", "Politics"),
    "tag": ("/tag/harbour", "Harbour - The Sarn Courier", "Harbour"),
    "author": ("/author/mara-irvane", "Mara Irvane, The Sarn Courier", "Mara Irvane"),
    "archive": ("/2019/03/", "March 2019 | The Sarn Courier", "March 2019"),
    "search": ("/search?q=harbour", "harbour - Search | The Sarn Courier", "Search: harbour"),
}
LAYOUTS = {
    "heading and paragraph": (
        '<article class="post"><h2><a href="{url}">{headline}</a></h2><p>{summary}</p></article>'
    ),
    "dated cards": (
        '<div class="card"><img src="/i.jpg" alt=""><time datetime="2019-03-{day}T07:40:00+01:00">'
        '{day} March 2019</time><h3><a href="{url}">{headline}</a></h3><div class="excerpt">'
        "{summary}</div></div>"
    ),
    "block links": '<a class="tile" href="{url}"><h3>{headline}</h3><p>{summary}</p></a>',
    "headlines": '<li><a href="{url}">{headline}</a></li>',
    "headlines and dates": '<li><a href="{url}">{headline}</a> <span>{day}.03.2019</span></li>',
    "read more": (
        '<div class="item"><h2><a href="{url}">{headline}</a></h2><p>{summary} {other} '
        '<a href="{url}">Read more</a></p></div>'
    ),
    "long summaries": (
        '<section><h2><a href="{url}">{headline}</a></h2><p>{summary} {other} {third}</p></section>'
    ),
    "kicker first": (
        '<div><span class="kicker">Harbour</span><p>{summary}</p><a href="{url}">{headline}</a>'
        "</div>"
    ),
    "table": '<tr><td>{day}.03.</td><td><a href="{url}">{headline}</a><br>{summary}</td></tr>',
    "definitions": '<dt><a href="{url}">{headline}</a></dt><dd>{summary}</dd>',
    "headings without links": (
        '<div class="teaser" data-href="{url}"><h3>{headline}</h3><p>{summary}</p>'
        '<a href="{url}">More</a></div>'
    ),
}
WRAPPERS = {"table": "<table>{}</table>", "definitions": "<dl>{}</dl>"}
HEADS = {
    "bare": "",
    "og": '<meta property="og:type" content="website"><meta property="og:title" content="{title}">',
    "JSON-LD": (
        '<script type="application/ld+json">{{"@context":"https://schema.org","@type":'
        '"CollectionPage","name":"{title}"}}</script>'
    ),
    "article": '<meta property="og:type" content="article">',
}
PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
    '<body><header><a href="/">The Sarn Courier</a><nav><a href="/politics">Politics</a>'
    '<a href="/sport">Sport</a></nav></header><main>{heading}{content}</main>'
    "<footer><p>© The Sarn Courier. All rights reserved.</p></footer></body></html>"
)
ORIGIN = "https://courier.example"


def lists() -> Iterator[tuple[str, str, str]]:
    """Yield the name, the URL and the HTML of each list of articles."""
    for place, (path, title, heading) in PLACES.items():
        for layout, card in LAYOUTS.items():
            cards = "".join(
                card.format(
                    url=f"/2019/03/{i + 10}/article-{i}",
                    headline=headline,
                    summary=SUMMARIES[i],
                    other=SUMMARIES[(i + 5) % 12],
                    third=SUMMARIES[(i + 7) % 12],
                    day=i + 10,
                )
                for i, headline in enumerate(HEADLINES)
            )
            for head_name, head in HEADS.items():
                if head_name == "article" and place != "tag":
                    continue
                page = PAGE.format(
                    title=title,
                    head=head.format(title=title),
                    heading=f"<h1>{heading}</h1>" if heading else "",
                    content=WRAPPERS.get(layout, "<div>{}</div>").format(cards),
                )
                yield f"{place}, {layout}, {head_name}", ORIGIN + path, page


# Not found, search results and log in, as sites in each language say it.
SAYINGS = {
    "en": ("Page not found", "The page you are looking for does not exist.", "Search results"),
    "de": ("Seite nicht gefunden", "Die Seite existiert nicht mehr.", "Suchergebnisse"),
    "fr": ("Page introuvable", "Cette page n’existe plus.", "Résultats de la recherche"),
    "es": ("Página no encontrada", "La página no existe.", "Resultados de la búsqueda"),
    "pt": ("Página não encontrada", "A página não existe.", "Resultados da pesquisa"),
    "it": ("Pagina non trovata", "La pagina non esiste più.", "Risultati della ricerca"),
    "nl": ("Pagina niet gevonden", "De pagina bestaat niet.", "Zoekresultaten"),
    "sv": ("Sidan hittades inte", "Sidan finns inte längre.", "Sökresultat"),
    "no": ("Siden ble ikke funnet", "Siden finnes ikke lenger.", "Søkeresultater"),
    "pl": ("Nie znaleziono strony", "Strona nie istnieje.", "Wyniki wyszukiwania"),
    "cs": ("Stránka nenalezena", "Stránka neexistuje.", "Výsledky vyhledávání"),
    "ru": ("Страница не найдена", "Страница не существует.", "Результаты поиска"),
    "uk": ("Сторінку не знайдено", "Сторінка не існує.", "Результати пошуку"),
    "tr": ("Sayfa bulunamadı", "Aradığınız sayfa bulunamadı.", "Arama sonuçları"),
    "el": ("Η σελίδα δεν βρέθηκε", "Η σελίδα δεν υπάρχει.", "Αποτελέσματα αναζήτησης"),
    "id": ("Halaman tidak ditemukan", "Halaman tidak ada.", "Hasil pencarian"),
    "vi": ("Không tìm thấy trang", "Trang không tồn tại.", "Kết quả tìm kiếm"),
    "hi": ("पेज नहीं मिला", "पृष्ठ नहीं मिला।", "खोज परिणाम"),
    "zh": ("页面不存在", "您访问的页面找不到。", "搜索结果"),
    "ja": ("ページが見つかりません", "お探しのページは存在しません。", "検索結果"),
    "ko": ("페이지를 찾을 수 없습니다", "페이지가 존재하지 않습니다.", "검색 결과"),
    "ar": ("الصفحة غير موجودة", "عفوا، الصفحة غير موجودة.", "نتائج البحث"),
    "fa": ("صفحه یافت نشد", "این صفحه وجود ندارد.", "نتایج جستجو"),
    "he": ("הדף לא נמצא", "העמוד לא קיים.", "תוצאות חיפוש"),
}
LOG_IN = (
    "Log in", "Sign in", "Register", "Create an account", "Anmelden", "Registrieren",
    "Se connecter", "Connexion", "Iniciar sesión", "Regístrate", "Iniciar sessão", "Accedi",
    "Inloggen", "Logga in", "Logg inn", "Zaloguj się", "Přihlášení", "Войти", "Вход", "Увійти",
    "Giriş yap", "Σύνδεση", "Masuk", "Đăng nhập", "登录", "ログイン", "로그인", "تسجيل الدخول",
    "ورود", "התחברות",
)  # fmt: skip
WALLS = {
    "cookie wall": ("Before you continue", "We use cookies to run this site and to measure it."),
    "German cookie wall": ("The Sarn Courier", "Wir verwenden Cookies, um diese Seite zu zeigen."),
    "bot check": ("Just a moment...", "Checking your browser before you enter the site."),
    "robot": ("Security check", "Please confirm that you are not a robot to go on reading."),
    "script": ("courier.example", "Please enable JavaScript to view the page that you asked for."),
    "paywall": ("Harbour Report", "Already a subscriber? Log in, or choose an offer below."),
    "German paywall": ("Bericht vom Hafen", "Dieser Text ist nur für Abonnenten lesbar."),
    "maintenance": ("The Sarn Courier", "The site is under maintenance and will be back soon."),
    "removed": ("The Sarn Courier", "This article has been removed at the wish of the agency."),
    "server error": ("500 - Internal Server Error", "The request could not be completed today."),
}


def denials() -> Iterator[tuple[str, str, str]]:
    """Yield the name, the URL and the HTML of each page that denies or asks for something."""
    hint = "<p>You may go back to the front page, or use the menu above to find the news.</p>"
    for language, (title, sentence, results) in SAYINGS.items():
        for name, page_title, heading, text in (
            ("title", f"{title} | The Sarn Courier", "", f"<p>{sentence}</p>{hint}"),
            ("heading", "The Sarn Courier", f"<h1>{title}</h1>", f"<p>{sentence}</p>{hint}"),
            ("text", "The Sarn Courier", "", f"<p>{sentence}</p>"),
            ("search", results, f"<h1>{results}: Velmora</h1>", f"<p>{SUMMARIES[0]}</p>{hint}"),
        ):
            page = PAGE.format(title=page_title, head="", heading=heading, content=text)
            yield f"{language}, {name}", f"{ORIGIN}/2019/03/12/cranes-stop-at-quay", page
    form = '<form><input name="u"><input type="password" name="p"></form>'
    for title in LOG_IN:
        for name, password in (("with", form), ("without", "")):
            content = f"<p>{SUMMARIES[1]}</p>{password}{hint}"
            page = PAGE.format(
                title=f"{title} | The Sarn Courier",
                head=HEADS["og"].format(title=title),
                heading=f"<h1>{title}</h1>",
                content=content,
            )
            yield f"{title}, {name} password", ORIGIN + "/members", page
    for name, (title, text) in WALLS.items():
        page = PAGE.format(
            title=title, head="", heading=f"<h1>{title}</h1>", content=f"<p>{text}</p>"
        )
        yield name, f"{ORIGIN}/2019/03/12/cranes-stop-at-quay", page


# Articles that look like other pages, each with a heading and its content.
ARTICLES = {
    "beside a login box": (
        "Fire Stops All Cranes",
        '<form><input type="password" name="p"></form><time datetime="2019-03-12">12 March 2019'
        "</time><p>" + SUMMARIES[0] + "</p><p>" + SUMMARIES[7] + "</p>",
    ),
    "declared, with one sentence": ("Fire Stops All Cranes", f"<p>{SUMMARIES[0]}</p>"),
    "about a page that was not found": (
        "Missing Page of the Orla Bible Not Found",
        "".join(f"<p>{summary}</p>" for summary in SUMMARIES),
    ),
    "gallery": (
        "In Pictures: Cranes on the Quay",
        "".join(f'<figure><img src="/{i}.jpg"></figure><p>{SUMMARIES[i]}</p>' for i in range(5)),
    ),
    "ticker": (
        "Fire at the Quay: All News",
        "".join(f"<h3>{7 + i}:40</h3><p>{SUMMARIES[i]} {SUMMARIES[-i]}</p>" for i in range(8)),
    ),
    "list of recommendations": (
        "Ten Walks Around the Lake",
        "".join(
            f"<h3>{h}</h3><p>{' '.join(SUMMARIES[i : i + 5])}</p>"
            for i, h in enumerate(HEADLINES[:7])
        ),
    ),
    "among teasers": (
        "Fire Stops All Cranes",
        "".join(f"<p>{s}</p>" for s in SUMMARIES)
        + "".join(
            f'<h3><a href="/{i}">{HEADLINES[i]}</a></h3><p>{SUMMARIES[i]}</p>' for i in range(1, 5)
        ),
    ),
    "Hindi": (
        "बंदरगाह की सभी क्रेनें बंद",
        "<p>बंदरगाह प्राधिकरण ने मंगलवार को कहा कि आग लगने के बाद पूर्वी घाट की चारों क्रेनें बंद हो गई हैं।</p>"
        "<p>कोई घायल नहीं हुआ। आग सुबह से पहले लगी और दो घंटे में बुझा दी गई।</p>",
    ),
    "Bengali": (
        "বন্দরের সব ক্রেন বন্ধ",
        "<p>বন্দর কর্তৃপক্ষ মঙ্গলবার জানিয়েছে যে আগুনের "
        "পর পূর্ব ঘাটের চারটি ক্রেনই বন্ধ হয়ে গেছে।</p>"
        "<p>কেউ আহত হয়নি। ভোরের আগে আগুন লাগে এবং দুই ঘণ্টার মধ্যে নিভিয়ে ফেলা হয়।</p>",
    ),
    "Thai": (
        "เครนท่าเรือหยุดทำงานทั้งหมด",
        "<p>การท่าเรือกล่าวเมื่อวันอังคารว่าเครนทั้งสี่ตัวบนท่าเรือด้านตะวันออก"
        "หยุดทำงาน"
        "หลังเกิดเพลิงไหม้ในอาคารหม้อแปลง และจะไม่มีการขนถ่ายสินค้าก่อนสุดสัปดาห์</p>"
        "<p>ไม่มีผู้ได้รับบาดเจ็บ เพลิงเริ่มไหม้ก่อนรุ่งสางไม่นานและดับลงภายในสองชั่วโมง "
        "เรือบรรทุกสินค้าสามลำกำลังรออยู่</p>",
    ),
    "Chinese": (
        "东码头起重机全部停运",
        "<p>港务局周二表示，变压器厂房失火后，东码头的四台起重机全部停止运转，周末前不会卸任何货船。</p>"
        "<p>无人受伤。火灾在黎明前发生，港口消防队两小时内将火扑灭，三艘货轮正在锚地等候。</p>",
    ),
    "Japanese": (
        "東埠頭のクレーン全基停止",
        "<p>港湾局は火曜日、火災により東埠頭のクレーンがすべて停止し、週末までは荷揚げができないと発表した。</p>"
        "<p>消防隊長は「風に助けられた」と話した。沖では貨物船三隻が待機しているという。</p>",
    ),
    "Amharic": (
        "የወደቡ ክሬኖች ቆሙ",
        "<p>የወደብ ባለሥልጣኑ ማክሰኞ ዕለት እንዳስታወቀው ከእሳቱ በኋላ አራቱም ክሬኖች ሥራ አቁመዋል።</p>"
        "<p>ማንም አልተጎዳም። እሳቱ ጎህ ከመቅደዱ በፊት ተነስቶ በሁለት ሰዓት ውስጥ ጠፍቷል።</p>",
    ),
    "Armenian": (
        "Նավահանգստի կռունկները կանգնել են",
        "<p>Նավահանգստի վարչությունը երեքշաբթի հայտնեց, որ "
        "հրդեհից հետո բոլոր կռունկները կանգնել են։</p>"
        "<p>Ոչ ոք չի տուժել։ Հրդեհը սկսվել էր լուսաբացից առաջ և մարվել երկու ժամում։</p>",
    ),
}


def articles() -> Iterator[tuple[str, str, str]]:
    """Yield the name, the URL and the HTML of each article that looks like another page."""
    for name, (heading, content) in ARTICLES.items():
        head = ""
        if "declared" in name:
            head = HEADS["article"]
        page = PAGE.format(
            title=f"{heading} | The Sarn Courier",
            head=head,
            heading=f"<h1>{heading}</h1>",
            content=f"<div>{content}</div>",
        )
        yield name, f"{ORIGIN}/2019/03/12/cranes-stop-at-quay", page
