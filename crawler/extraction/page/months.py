"""The names of months in the languages of news, from the Unicode CLDR.

Names are as ``fold`` in dates.py leaves them: lower case, without accents and points. Names of two
words have a hyphen. Added to the CLDR's are the Arabic names of the Levant and the Maghreb.
"""

MONTHS = (
    (
        "jan january janv janvier januar janner ene enero gen gennaio janeiro januari tammi "
        "tammik tammikuu tammikuuta tammikuussa jaan jaanuar janvaris saus sausio sausis sty "
        "styczen stycznia styczniu led leden ledna lednu januara sij sijecanj sijecnja sijecnju "
        "sijecnjem јан јануар јануари яну януари янв январь января січ січень січня сту "
        "студзень студзеня стд ian ianuarie janar ιαν ιανουαριος ιανουαριου oca ocak yan yanvar "
        "қаң қаңтар հնվ հունվար հունվարի იან იანვარი ینایر کانون-الثانی جانفی ژانویه جنوری "
        "ינואר ינו בינואר जनवरी जन॰ জানু জানুয়ারী জানুয়ারি जाने जानेवारी જાન્યુ જાન્યુઆરી ਜਨ "
        "ਜਨਵਰੀ ஜன ஜனவரி జన జనవరి ಜನ ಜನವರಿ ജനു ജനുവരി ජන ජනවාරි djan djanuari ဇန် ဇန်နဝါရီ មករា "
        "ມກ ມັງກອນ ጃን ጃንዋሪ ጃንዩ ጃንዩወሪ januarie gener xan xaneiro urt urtarrila ean eanair ion "
        "ionawr มกราคม มค เดือนมกราคม มกรา "
    ),
    (
        "feb february fevr fevrier fev februar feber febrero febbraio fevereiro februari helmi "
        "helmik helmikuu helmikuuta helmikuussa veebr veebruar febr februaris vas vasario "
        "vasaris lut lutego luty lutym uno unor unora unr unoru februara velj veljaca veljace "
        "veljaci veljacom феб фебруар фев февруари февр февраль февраля лют лютии лютого лютага "
        "люты februarie shk shkurt φεβ φεβρουαριος φεβρουαριου sub subat fevral ақп ақпан "
        "փետրվար փետրվարի փտվ თებ თებერვალი فبرایر شباط فیفری فوریه فبروری פברואר פבר בפברואר "
        "فروری फ़रवरी फ़र॰ ফেব ফেব্রুয়ারী ফেব্রুয়ারি फेब्रु फेब्रुवारी ફેબ્રુ ફેબ્રુઆરી ਫ਼ਰ "
        "ਫ਼ਰਵਰੀ பிப் பிப்ரவரி ఫిబ్ర ఫిబ్రవరి ಫೆಬ್ರ ಫೆಬ್ರವರಿ ഫെബ്രു ഫെബ്രുവരി පෙබ පෙබරවාරි "
        "फेब्रुअरी peb pebruari pebrero ဖေ ဖေဖော်ဝါရီ កុម្ភៈ ກພ ກຸມພາ ፌብ ፌብሩዋሪ ፌብሩ ፌብሩወሪ febrer "
        "febreiro ots otsaila feabh feabhra chw chwef chwefror กพ กุมภาพันธ์ เดือนกุมภาพันธ์ "
        "กุมภา "
    ),
    (
        "mar march mars marz mrz marzo marco maart mrt marts maalis maalisk maaliskuu "
        "maaliskuuta maaliskuussa kov kovas kovo marca marzec marcu bre brezen brezna breznu "
        "marec ozu ozujak ozujka ozujku ozujkom мар март mart марта бер березень березня берез "
        "сак сакавік сакавіка marc marcius martie μαρ μαρτιος μαρτιου нау наурыз մարտ մարտի մրտ "
        "მარ მარტი مارس اذار مارچ מרץ במרץ מרס במרס מארס במארס मार्च মার্চ માર્ચ ਮਾਰਚ மார் "
        "மார்ச் మార్చి ಮಾರ್ಚ್ മാർ മാർച്ച് මාර් මාර්තු maret mac marso မတ် មីនា ມນ ມີນາ ማርች "
        "machi martxoa marta maw mawrth มีค มีนาคม เดือนมีนาคม มีนา "
    ),
    (
        "apr april avr avril abr abril aprile huhti huhtik huhtikuu huhtikuuta huhtikuussa "
        "aprill aprilis bal balandis balandzio kwi kwiecien kwietnia kwietniu kwie dub duben "
        "dubna dubnu aprila tra travanj travnja travnju travnjem апр април апрель апреля квіт "
        "квітень квітня кві кра красавік красавіка крс aprilie pri prill απρ απριλιος απριλιου "
        "nis nisan aprel сәу сәуір ապր ապրիլ ապրիլի აპრ აპრილი ابریل نیسان افریل اوریل اپریل "
        "אפריל אפר באפריל अप्रैल এপ্রি এপ্রিল एप्रि एप्रिल એપ્રિલ ਅਪ੍ਰੈ ਅਪ੍ਰੈਲ ஏப் ஏப்ரல் ఏప్రి "
        "ఏప్రిల్ ಏಪ್ರಿ ಏಪ್ರಿಲ್ ഏപ്രി ഏപ്രിൽ අප්‍රේල් अप्रिल ဧပြီ មេសា ມສ ເມສາ ኤፕሪ ኤፕሪል aprili "
        "api apirila aib aibrean ebr ebrill เมย เมษายน เมษา เดือนเมษายน "
    ),
    (
        "may mai mayo mag maggio maio mei maj touko toukok toukokuu toukokuuta toukokuussa "
        "maijs geg geguze geguzes maja maju kve kveten kvetna kvetnu svi svibanj svibnja "
        "svibnju svibnjem мај маи мая трав травень травня тра трауня majus μαι μαιος μαιου "
        "mayıs мам мамыр մայիս մայիսի մյս მაი მაისი مایو ایار مای مه می מאי במאי میی मई মে मे "
        "મે ਮਈ மே మే ಮೇ മേയ് මැයි မေ ឧសភា ພພ ພຶດສະພາ ሜይ maig maiatza beal bealtaine พค พฤษภาคม "
        "เดือนพฤษภาคม พฤษภา "
    ),
    (
        "jun june juin juni junio giu giugno junho kesa kesak kesakuu kesakuuta kesakuussa "
        "juuni junijs birz birzelio birzelis cze czerwca czerwiec czerwcu cerven cervna cvn cer "
        "cervnu juna junij lipanj lipnja lipnju lipnjem јун јуни юни июн июнь июня черв червень "
        "червня чер чэр чэрвень чэрвеня junius iun iunie qer qershor ιουν ιουνιου ιουνιος haz "
        "haziran iyn iyun мау маусым հնս հունիս հունիսի ივნ ივნისი یونیو یونیه یونیة حزیران "
        "جوان ژوین جون יוני ביוני יונ जून জুন જૂન ਜੂਨ ஜூன் జూన్ ಜೂನ್ ജൂൺ ජූනි जुन djuni hun "
        "hunyo ဇွန် មិថុនា ມິຖ ມິຖຸນາ ጁን junie juny xuno eka ekaina meith meitheamh meh mehefin "
        "มิถุนายน มิย เดือนมิถุนายน มิถุนา "
    ),
    (
        "jul july juil juillet juli julio lug luglio julho heina heinak heinakuu heinakuuta "
        "heinakuussa juuli julijs liep liepa liepos lipca lipiec lipcu cervence cervenec cvc "
        "crc cervenci crv jula julij srpanj srpnja srpnju srpnjem јул јули юли июл июль июля "
        "лип липень липня ліп ліпень ліпеня julius iul iulie korr korrik kor ιουλ ιουλιου "
        "ιουλιος tem temmuz iyl iyul шіл шілде հլս հուլիս հուլիսի ივლ ივლისი یولیو یولیه یولیة "
        "تموز جویلیة یولیوز ژوییه جولای יולי ביולי יול جولایی जुलाई जुल॰ জুল জুলাই जुलै જુલાઈ "
        "ਜੁਲਾ ਜੁਲਾਈ ஜூலை జులై ಜುಲೈ ജൂലൈ ජූලි djuli julai hul hulyo ဇူ ဇူလိုင် កក្កដា ກລ "
        "ກໍລະກົດ ጁላይ julie juliol xul xullo uzt uztaila iuil gor gorff gorffennaf กค กรกฎาคม "
        "เดือนกรกฏาคม กรกฎา "
    ),
    (
        "aug august aout aou ago agosto augustus augusti agu agust elo elok elokuu elokuuta "
        "elokuussa augusts rugp rugpjutis rugpjucio sie sierpien sierpnia sierpniu srpen srpna "
        "srpnu augusta avg avgust kol kolovoz kolovoza kolovozu kolovozom авг август августа "
        "серп серпень серпня сер жні жнівень жніуня жнівеня жнв augusztus gush gusht gsh αυγ "
        "αυγουστου αυγουστος agustos avq avqust там тамыз օգոստոս օգոստոսի օգս აგვ აგვისტო "
        "اغسطس اب اوت غشت اگست اگوست אוגוסט אוג באוגוסט अगस्त अग॰ আগ আগস্ট ऑग ऑगस्ट ઑગસ્ટ ਅਗ "
        "ਅਗਸਤ ஆக ஆகஸ்ட் ఆగ ఆగస్టు ಆಗ ಆಗಸ್ಟ್ ഓഗ ഓഗസ്റ്റ് අගෝ අගෝස්තු अगस्ट agustus agt ogo "
        "ogos ဩဂုတ် សីហា ສຫ ສິງຫາ ኦገስ ኦገስት agosti agost abu abuztua lun lunasa awst สค สิงหาคม "
        "สิงหา เดือนสิงหาคม "
    ),
    (
        "sep september sept septembre septiembre setiembre set settembre setembro septembro "
        "syys syysk syyskuu syyskuuta syyskuussa septembris rugs rugsejis rugsejo wrz wrzesien "
        "wrzesnia wrzesniu zar zari septembra ruj rujan rujna rujnu rujnom сеп септембар "
        "septembar септември септ септм сент сентябрь сентября сен вер вересень вересня верес "
        "верасень верасня врс szept szeptember septembrie sht shtator σεπ σεπτεμβριος "
        "σεπτεμβριου eyl eylul sen sentyabr қыр қыркүиек sentabr սեպ սեպտեմբեր սեպտեմբերի სექ "
        "სექტემბერი سبتمبر ایلول شتنبر سپتامبر سپتمبر ספטמבר ספט בספטמבר ستمبر सितंबर सित॰ "
        "सितम्बर সেপ সেপ্টেম্বর सप्टें सप्टेंबर સપ્ટે સપ્ટેમ્બર ਸਤੰ ਸਤੰਬਰ செப் செப்டம்பர் "
        "సెప్టెం సెప్టెంబర్ ಸೆಪ್ಟೆಂ ಸೆಪ್ಟೆಂಬರ್ സെപ്റ്റം സെപ്റ്റംബർ සැප් සැප්තැම්බර් सेप्टेम्बर "
        "setyembre စက် စက်တင်ဘာ កញ្ញា ກຍ ກັນຍາ ሴፕቴ ሴፕቴምበር septemba setembre ira iraila mfomh "
        "medi กย กันยายน กันยา เดือนกันยายน "
    ),
    (
        "oct october octobre okt oktober octubre ott ottobre out outubro loka lokak lokakuu "
        "lokakuuta lokakuussa oktoober oktobris spal spalio spalis paz pazdziernik pazdziernika "
        "pazdzierniku rij rijen rijna rijnu oktobra listopadom окт октобар oktobar октомври "
        "октябрь октября жовт жовтень жовтня жов кас кастрычнік кастрычніка кст octombrie tet "
        "tetor οκτ οκτωβριου οκτωβριος eki ekim oktyabr қаз қазан oktabr հոկ հոկտեմբեր "
        "հոկտեմբերի ოქტ ოქტომბერი اکتوبر تشرین-الاول اکتبر אוקטובר אוק באוקטובר अक्तूबर अक्तू॰ "
        "अक्टूबर অক্টো অক্টোবর ऑक्टो ऑक्टोबर ઑક્ટો ઑક્ટોબર ਅਕਤੂ ਅਕਤੂਬਰ அக் அக்டோபர் అక్టో "
        "అక్టోబర్ ಅಕ್ಟೋ ಅಕ್ಟೋಬರ್ ഒക്ടോ ഒക്‌ടോബർ ඔක් ඔක්තෝබර් अक्टोबर oktubre အောက် "
        "အောက်တိုဘာ តុលា ຕລ ຕຸລາ ኦክቶ ኦክቶበር oktoba urr urria dfomh hyd hydref ตค ตุลาคม "
        "เดือนตุลาคม ตุลา "
    ),
    (
        "nov november novembre noviembre novembro marras marrask marraskuu marraskuuta "
        "marraskuussa novembris lapkr lapkritis lapkricio listopadzie novembra stu studeni "
        "studenoga studenom studenomu studenome studenog studenim нов новембар novembar ное "
        "ноември ноем нояб ноябрь ноября ноя лист листопад листопада листоп лис ліс лістапад "
        "лістапада noiembrie noiem nen nentor νοε νοεμβριος νοεμβριου kas kasım noy noyabr қар "
        "қараша նոյ նոյեմբեր նոյեմբերի ნოე ნოემბერი نوفمبر تشرین-الثانی نونبر نوامبر نومبر "
        "נובמבר נוב בנובמבר नवंबर नव॰ नवम्बर নভে নভেম্বর नोव्हें नोव्हेंबर નવે નવેમ્બર ਨਵੰ "
        "ਨਵੰਬਰ நவ நவம்பர் నవం నవంబర్ ನವೆಂ ನವೆಂಬರ್ നവം നവംബർ නොවැ නොවැම්බර් नोभेम्बर nop "
        "nopember nob nobyembre နို နိုဝင်ဘာ វិច្ឆិកា ພຈ ພະຈິກ ኖቬም ኖቬምበር novemba aza azaroa "
        "samh samhain tach tachwedd พย พฤศจิกายน เดือนพฤศจิกายน พฤศจิ "
    ),
    (
        "dec december decembre dez dezember dic diciembre dicembre dezembro des desember joulu "
        "jouluk joulukuu joulukuuta joulukuussa dets detsember decembris gruod gruodis gruodzio "
        "gru grudnia grudzien grudniu pro prosince prosinec prosinci decembra prosinac prosinca "
        "prosincu prosincem дец децембар decembar дек декември декабрь декабря груд грудень "
        "грудня гру сне снежань снежня снж decembrie dhj dhjetor δεκ δεκεμβριος δεκεμβριου ara "
        "aralık dek dekabr жел желтоқсан դեկ դեկտեմբեր դեկտեմբերի დეკ დეკემბერი دیسمبر "
        "کانون-الاول دجنبر دسامبر دسمبر דצמבר דצמ בדצמבר दिसंबर दिस॰ दिसम्बर ডিসে ডিসেম্বর "
        "डिसें डिसेंबर ડિસે ડિસેમ્બર ਦਸੰ ਦਸੰਬਰ டிச டிசம்பர் డిసెం డిసెంబర్ ಡಿಸೆಂ ಡಿಸೆಂಬರ್ ഡിസം "
        "ഡിസംബർ දෙසැ දෙසැම්බර් डिसेम्बर dis disember disyembre ဒီ ဒီဇင်ဘာ ធ្នូ ທວ ທັນວາ ዲሴም "
        "ዲሴምበር desemba desembre decembro abe abendua noll nollaig rhag rhagfyr ธค ธันวาคม "
        "เดือนธันวาคม ธันวา "
    ),
)

# Names that are two months, each in its own languages.
CONTESTED = {
    "lip": {"pl": 7, "hr": 6},
    "lis": {"pl": 11, "cs": 11, "hr": 10},
    "listopad": {"pl": 11, "cs": 11, "hr": 10},
    "listopada": {"pl": 11, "hr": 10},
    "listopadu": {"cs": 11, "hr": 10},
    "srp": {"cs": 8, "hr": 7},
}
# The solar year of Iran and Afghanistan: the names of Iran, then those of Afghanistan.
PERSIAN_MONTHS = (
    "فروردین حمل",
    "اردیبهشت ثور",
    "خرداد جوزا",
    "تیر سرطان",
    "مرداد امرداد اسد",
    "شهریور سنبله",
    "مهر میزان",
    "ابان عقرب",
    "اذر قوس",
    "دی جدی",
    "بهمن دلو",
    "اسفند حوت",
)
