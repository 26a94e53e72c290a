"""Tell the language code in a declared language, such as "en-GB" or "pt_BR"."""

import re

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?=[-_]|$)")
# The codes of ISO 639-1.
_LANGUAGES = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv"
    " cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr"
    " ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw"
    " ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv"
    " ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr"
    " ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi"
    " yo za zh zu".split()
)
# Withdrawn codes, and codes of ISO 639-2 for languages that have one in ISO 639-1.
_LANGUAGES_RENAMED = dict(
    pair.split("=")
    for pair in (
        "iw=he in=id ji=yi jw=jv mo=ro sh=sr afr=af ara=ar ben=bn bos=bs bul=bg cat=ca ces=cs"
        " chi=zh cze=cs dan=da deu=de dut=nl ell=el eng=en est=et fas=fa fin=fi fra=fr fre=fr"
        " ger=de gre=el heb=he hin=hi hrv=hr hun=hu ind=id isl=is ita=it jpn=ja kor=ko lav=lv"
        " lit=lt may=ms mkd=mk msa=ms nld=nl nor=no per=fa pol=pl por=pt ron=ro rum=ro rus=ru"
        " slk=sk slo=sk slv=sl spa=es sqi=sq srp=sr swa=sw swe=sv tam=ta tel=te tha=th tur=tr"
        " ukr=uk urd=ur vie=vi xho=xh zho=zh zul=zu"
    ).split()
)
# Languages of news that have a code of three letters only.
_LANGUAGES_OF_THREE = frozenset("ast ceb ckb fil gsw haw kmr nds nso pap sco".split())


def language_code(declared: str) -> str | None:
    """Return the code of ISO 639-1, or a language's only one of ISO 639-3; None if it has none.

    Withdrawn codes, and those of ISO 639-2 for languages with a shorter one, are replaced.
    """
    match = _LANGUAGE.match(declared.strip())
    if match is None:
        return None
    code = match[0].lower()
    code = _LANGUAGES_RENAMED.get(code, code)
    return code if code in _LANGUAGES or code in _LANGUAGES_OF_THREE else None
