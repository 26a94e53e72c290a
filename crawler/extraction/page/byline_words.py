"""The words of bylines in the languages of news.

Labels are phrases in lower case, with "_" for a space. The sets of words are as ``plain`` leaves
them: in lower case and without accents in Latin, Greek and Cyrillic.
"""

import re
import unicodedata

_MARK = re.compile("[\u0300-\u036f]")


def plain(word: str) -> str:
    """Return a word in lower case and without the accents of Latin, Greek and Cyrillic."""
    word = word.casefold()
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _MARK.sub("", unicodedata.normalize("NFKD", word)))


def _phrases(text: str) -> tuple[str, ...]:
    """Return phrases, the longest first, as a regular expression must try them."""
    phrases = {phrase.replace("_", " ") for phrase in text.split()}
    return tuple(sorted(phrases, key=lambda phrase: (-len(phrase), phrase)))


def _words(text: str) -> frozenset[str]:
    return frozenset(map(plain, text.split()))


LABELS = _phrases(
    """
    author authors author(s) writer writers words text story story_by text_by written_by
    reported_by report reports reporting_by reporter reporters journalist journalists by
    contributor contributors correspondent autor autoren autorin autorinnen autor/autorin
    autorin/autor autor/in autor*in autor:in text_von von verfasst_von geschrieben_von
    ein_bericht_von bericht auteur auteurs auteure auteures auteur(s) autrice autrices texte
    textes texte_de texte_par écrit_par rédigé_par publié_par par propos_recueillis_par article_de
    article_par journaliste tekst tekst_door geschreven_door door redacteur verslaggever autore
    autori testo testi testo_di scritto_da di a_cura_di articolo_di autora autoras autores autor/a
    autor(a) escrito_por redactado_por texto textos texto_de por redactor redactora periodista
    reportagem reportagem_de repórter jornalista автор авторы автори автор_статьи автор_текста
    автор_публикации автор_материала текст корреспондент кореспондент журналист журналістка
    подготовил подготовила підготував підготувала записал записала autorka autorzy autoři skribent
    text_av av skrivet_av artikkel_av skrevet_av tekst_av skrevet_af af tekst_og_foto
    text_och_foto kirjoittaja kirjoittajat teksti toimittaja yazan yazar yazarı haber muhabir
    kaleme_alan συντάκτης συντάκτρια κείμενο γράφει γράφει_ο γράφει_η γράφουν αρθρογράφος ρεπορτάζ
    الكاتب الكاتبة كاتب كاتبة المؤلف بقلم كتب كتبت كتبه إعداد اعداد تقرير المراسل مراسل نویسنده
    نویسندگان خبرنگار گزارش گزارش_از به_قلم نوشته מאת כתב כתבת הכותב כותב लेखक लेखिका रिपोर्ट
    रिपोर्टर संवाददाता লেখক লেখিকা প্রতিবেদক লিখেছেন প্রতিবেদন penulis oleh pewarta jurnalis
    wartawan laporan reportase tác_giả bởi bài_viết người_viết viết_bởi bài ผู้เขียน เขียนโดย โดย
    เรื่อง เรื่องโดย ผู้สื่อข่าว ผู้รายงาน 作者 撰文 文 文字 本报记者 本報記者 特约记者 特約記者
    记者 記者 通讯员 撰稿 文本 執筆 執筆者 文・写真 取材・文 取材 著者 筆者 ライター 글 글쓴이
    기자 작성자 취재
    """
)
"""Labels of the authors of a text, which a colon or a like sign follows."""
BARE_LABELS = _phrases(
    """
    by written_by words_by text_by story_by reported_by posted_by von text_von par texte_de
    texte_par publié_par propos_recueillis_par écrit_par rédigé_par por escrito_por texto_de di
    scritto_da testo_di
    door geschreven_door av text_av tekst_av skrivet_av skrevet_av af skrevet_af tekst_af przez
    oleh bởi viết_bởi yazan γράφει_ο γράφει_η του της από_τον από_την بقلم كتب كتبت كتبه كتبها
    به_قلم نوشته מאת autorin/autor autor/in author autor autorin autora auteur autore автор автори
    авторы kirjoittanut penulis reporter kontributor
    """
)
"""Labels that a name follows without a sign."""
GENRES = _phrases(
    """
    kommentar analyse interview gastbeitrag gastkommentar essay kolumne reportage bericht glosse
    rezension pressemitteilung beitrag artikel leitartikel meinung porträt opinion analysis
    comment commentary column review report article blog post tribune chronique éditorial
    entretien enquête opinión análisis entrevista columna reportaje artículo crónica opinião
    análise analisi intervista commento editoriale analys krönika ledare kronikk
    """
)
"""Kinds of texts before a label: "Kommentar von", "Eine Analyse von"."""
OTHER_LABELS = _phrases(
    """
    photo photos photograph photographs photography photographer photographers photo_credit
    photo_credits picture pictures image images credit credits illustration illustrations video
    videos camera graphic graphics animation edit edited editing edited_by editing_by editor
    editors editor_in_chief translated translation translator translators translated_by source
    sources produced produced_by producer producers fact-check fact-checked fact-checker
    factcheck
    reviewed reviewed_by updated updated_by contact foto fotos fotograf fotografin fotografie bild
    bilder bildquelle übersetzt übersetzung übersetzer übersetzerin kamera schnitt quelle quellen
    redigiert photographie photographies photographe crédit crédits traduction traduit traduit_par
    édité_par foto's beeld vertaling vertaald_door bron eindredactie fotograaf fotografía
    fotografia imagen imágenes imagem imagens edición edição traducción traduzione traduzione_di
    tradução fuente fonte vídeo фото фотограф фотографія редактор редакторка источник джерело
    перевод переклад видео відео ілюстрація иллюстрация zdjęcia zdjęcie fot fot. opracowanie
    opracował opracowała oprac oprac. źródło tłumaczenie fotky překlad zdroj ilustrace bilde
    redigering redaktør redaktör ansvarig_utgivare översättning oversettelse kuva kuvat kuvaaja
    kääntäjä fotoğraf editör çeviri kaynak φωτογραφία φωτογραφίες φωτό επιμέλεια μετάφραση πηγή
    تصوير تحرير ترجمة ترجمه مترجم المصدر ویراستار عکس منبع دبیر צילום עריכה תרגום फोटो संपादक
    संपादन अनुवाद ছবি সম্পাদনা অনুবাদ penyunting fotografer penerjemah sumber ảnh nguồn biên_tập
    dịch ภาพ แปล บรรณาธิการ 图 摄影 攝影 编辑 編輯 责编 責任編輯 责任编辑 翻译 譯者 译者 来源 來源
    圖 供图 写真 編集 翻訳 撮影 사진 편집 번역 그래픽 영상
    """
)
"""Labels of those who did something else than write the text, and of its sources."""
CONJUNCTIONS = _words(
    """
    and und et och og sowie & avec with mit met с и та і й και ve और এবং ও و และ và dan oraz ja és
    și plus con
    """
)
"""Conjunctions that join two authors."""
WEAK_CONJUNCTIONS = _words(
    """
    y e i a en com da ו
    """
)
"""Those that join the words of one name, too: "Costa e Silva"."""
PARTICLES = _words(
    """
    de del della delle dei degli di da do dos das du des van von vom der den dem het ter ten te zu
    zum zur la le les lo el al bin ibn ben bint binti binte af av of the y e i och og und et and d
    l t s o ap ab abu a/l a/p st san dalla dal
    """
)
"""The words of a name that may be in lower case."""
SUFFIXES = _words(
    """
    jr sr ii iii iv phd md esq
    """
)
"""Words that follow a name behind a comma."""
JOBS = _words(
    """
    correspondent correspondents reporter reporters editor editors writer writers journalist
    journalists columnist columnists producer producers analyst critic contributor contributors
    blogger author authors intern fellow anchor presenter commentator staff professor lecturer
    economist historian sociologist lawyer professorin professeur professeure profesor profesora
    redakteur redakteurin
    redakteure redaktor redaktorin korrespondent korrespondentin reporterin journalistin volontär
    volontärin chefredakteur chefredakteurin ressortleiter ressortleiterin autorin kolumnist
    kolumnistin politikredakteur wirtschaftsredakteur chefreporter chefreporterin leiter leiterin
    auslandskorrespondent journaliste journalistes correspondante correspondants envoyé envoyée
    envoyés rédacteur rédactrice chroniqueur chroniqueuse éditorialiste reporteur redacteur
    verslaggever verslaggeefster correspondente columniste redactrice corrispondente inviato
    inviata giornalista redattore redattrice corresponsal redactor redactora periodista enviado
    enviada columnista reportero reportera repórter jornalista colunista корреспондент
    кореспондент журналист журналістка редактор обозреватель оглядач собкор dziennikarz
    dziennikarka redaktorka korespondent komentátor redaktör kommentator utenriksreporter
    nyhetsreporter toimittaja kirjeenvaihtaja muhabiri muhabir yazarı δημοσιογράφος ανταποκριτής
    مراسل مراسلة صحفي صحافي کاتب خبرنگار संवाददाता রিপোর্টার প্রতিবেদক প্রতিনিধি wartawan jurnalis
    kontributor pewarta sportredakteur chef-reporter nachrichtenredakteur
    """
)
"""The words that head or end a job, in lower case."""
JOB_ADJECTIVES = _words(
    """
    chief senior junior political politics health science sports sport business economics economic
    finance financial technology tech education foreign home world environment climate crime court
    legal royal travel lifestyle news digital deputy assistant associate managing executive
    special staff guest freelance freier freie freiberufliche contributing international national
    local city us uk european europe investigative investigations general assignment breaking
    night weekend data social media culture arts food entertainment showbiz tv film music football
    cricket defence defense security diplomatic affairs parliamentary white house washington
    religion transport energy industry consumer money markets features feature audience trending
    video multimedia leitender leitende stellvertretender stellvertretende politischer notre nos
    nuestro nuestra nostro nostra unser unsere our de du van onze grand the and & stage
    """
)
"""The words beside them."""
ORGANISATIONS = _words(
    """
    news press agency media tv radio magazine times post newspaper university institute agence
    agentur agencia agenzia presse prensa zeitung journal gazette herald tribune newswire wire
    bureau group studio verlag shimbun haber ajansı
    """
)
"""Words of the names of employers."""
AGENCIES = frozenset(
    _phrases(
        """
    ap associated_press the_associated_press afp agence_france-presse agence_france_presse dpa
    deutsche_presse-agentur reuters thomson_reuters apa ansa agi adnkronos efe europa_press lusa
    pap tass тасс ria_novosti риа_новости interfax интерфакс ukrinform укрінформ уніан унian
    xinhua 新华社 新華社 kyodo 共同 共同通信 時事通信 時事 yonhap 연합뉴스 뉴시스 뉴스1 ani pti
    ians uni bernama antara anadolu_ajansı anadolu_agency aa dha iha anp belga sda ats
    keystone-sda sid kna epd ritzau ntb tt stt ctk čtk tasr mti notimex bloomberg upi cna 中央社
    the_canadian_press pa pa_media press_association aap wam irna isna mehr tasnim fars sana إيرنا
    ایرنا ایسنا رويترز أ_ف_ب وكالات وام واس agência_brasil estadão_conteúdo dpa-afx afx rtr cp
    sapa nan αμπε απε-μπε ttxvn
        """
    )
)
"""News agencies, in lower case."""
PLACES = frozenset(
    _phrases(
        """
    new_york los_angeles san_francisco hong_kong tel_aviv new_delhi buenos_aires mexico_city
    são_paulo sao_paulo rio_de_janeiro cape_town kuala_lumpur abu_dhabi washington_dc
    washington_d.c. den_haag the_hague st._petersburg saint_petersburg sankt_petersburg las_vegas
    san_diego addis_ababa phnom_penh santiago_de_chile panama_city ciudad_de_méxico la_paz
    new_orleans salt_lake_city st_louis st._louis port-au-prince la_haye le_caire нью_йорк
    frankfurt_am_main el_salvador south_africa sri_lanka saudi_arabia тель_авив нижний_новгород
    санкт_петербург νέα_υόρκη أبو_ظبي تل_أبيب نيو_يورك نیو_یورک तेल_अवीव नई_दिल्ली
    न्यू_यॉर्क নয়া_দিল্লি hà_nội tp_hcm hồ_chí_minh
        """
    )
)
"""Places of several words that end bylines. Those of one word need no list."""
DESK_WORDS = _words(
    """
    staff staffs team teams desk desks newsroom newsrooms editorial editorials editors editor
    board reporter reporters correspondent correspondents writer writers contributor contributors
    journalist journalists admin administrator webmaster root superuser moderator developer
    redaktion redaktionen onlineredaktion redaction rédaction redaccion redacao redação redazione
    redactie nieuwsredactie redakcja redakce redakcia redakcija redaksjonen redaksi toimitus
    uutistoimitus editoru haber merkezi servisi sintaksi συνταξη редакция редакція редакции news
    nieuws nachrichten noticias notizie nyheter actu actualite actualites notícias online web
    website digital internet central zentral zentrale service services agencies agency agenturen
    agentur agences agencias agenzie agencje agentury wires wire newswire agentschap various autor
    autoren autores auteurs author authors autori guest gast anonymous anonym unknown user nobody
    none null undefined na nn tba the our a an of from by von der die das unsere unserer unser de
    la le les des du el los nuestra nuestro del e y and und et en i og och with mit special copy
    content creator press pressemitteilung presse release advertorial sponsored partner promotion
    pr red reda report reports reporting bureau office multimedia video tim biên tập ban phóng
    viên tòa soạn dw التحرير تحرير هيئة اسرة أسرة قسم المحرر محرر فريق المراسل وكالات تحریریه גروه
    המערכת מערכת מערכתי डेस्क न्यूज न्यूज़ टीम ডেস্ক নিউজ অনলাইন স্টাফ রিপোর্টার প্রতিবেদক নিজস্ব
    กองบรรณาธิการ ทีมข่าว ผู้จัดการออนไลน์ 编辑部 編集部 本报讯 本報訊 记者 記者 编辑 小编 管理员
    網路 综合 綜合 报道 報導 综合报道 綜合報導 편집국 편집부 뉴스팀 온라인뉴스팀 온라인팀
    디지털뉴스팀 관리자 기자 toimituksen sport letters letter to
    """
)
"""The words of names of desks and accounts."""
NOT_SIGNED = (DESK_WORDS | JOB_ADJECTIVES | ORGANISATIONS | JOBS) - PARTICLES | _words(
    """
    date time publish published publishing posted modified source category categories tags topic
    topics section views share print datum kategorie thema themen fecha fuente data rubrik rubrique
    top stories story latest update updates real estate league cup premier champions liga serie
    lig super süper supreme court street city county state middle east west north south united new
    old first best read reading about photos gallery galerie podcast newsletter region panorama
    inland ausland vermischtes lokales hintergrund politique société monde économie région régions
    deportes economia cultura politica mundo esteri cronaca interni dünya spor gündem ekonomi
    świat kraj hrvatska breaking live blog video
    """
)
"""Words that are in sections and headings rather than in names."""
DESK_ENDS = _phrases(
    """
    redaktion redaktionen redaktie redactie desk newsroom newsdesk staff redaksjon redaksjonen
    redakcja redakce редакция 编辑部 編集部 编辑 편집국 뉴스팀 온라인팀 डेस्क ডেস্ক 取材班
    """
)
"""The ends of names of desks."""
NEVER_IN_NAMES = _words(
    """
    staff newsroom redaktion redaction redaccion redacao redazione redactie redakcja redakce gmbh
    inc ltd llc corp plc bv ag kg ev verlag
    """
)
"""Words of desks and companies that are in no person's name."""
DESK_STARTS = _words(
    """
    redaktion redaction redaccion redacao redazione redactie redakcja redakce redaksi редакция
    редакція toimitus newsroom agencies agenturen agences agencias
    """
)
"""The first words of names of desks."""
NEVER_FIRST = _words(
    """
    follow share tweet twitter facebook instagram email e-mail print comment comments view all
    more read subscribe updated published posted last this that these here click sign log see
    about contact über weitere search weiterlesen autor author auteur datum artikel home listen
    watch live advertisement anzeige breaking exclusive opinion analysis lesedauer mehr alle zum
    zur autoren teilen folgen kommentare publié mis suivre partager lire voir tous seguir
    compartir ver más leggi segui condividi lees volg alles читать читайте подробнее все lue læs
    les läs mer følg följ why how what when where who
    """
)
"""The first words of buttons, links and labels beside a byline."""
TIME_WORDS = _words(
    """
    uhr am pm cet cest est edt gmt utc bst ist et pt min mins minutes minuten minute h heures le à
    a hier aujourd'hui heute gestern today yesterday at on the vom den um kl updated published
    publié mis stand ago hours hour days day mez mesz hrs
    """
)
"""Words beside a number that are no part of a name."""
