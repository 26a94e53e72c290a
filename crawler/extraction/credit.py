"""Finds the outlet that the last sentence of an article credits: "...; Press TV reported."."""

import re

_OUTLET_WORD = (
    r"News|Agency|TV|Television|Radio|Channel|Network|Times|Post|Press|Journal|Herald|Tribune"
    r"|Daily|Guardian|Telegraph|Independent|Gazette|Reuters|AFP|AP|IRNA|ISNA|SANA|FNA|IRIB|WAM"
    r"|KUNA|SPA|TASS|RT|BBC|CNN|Fars|Tasnim|Mehr|Sputnik|Xinhua|Anadolu|Interfax|Haaretz|Mayadeen"
    r"|Manar|Jazeera|Arabiya"
)
_NAME = r"(?:[A-Z][\w.'’&-]*|\d+)(?:\s+(?:of|the|and|for|de|el|al|[A-Z][\w.'’&-]*|\d+)){0,5}?"
_KNOWN_OUTLET = rf"(?P<outlet>(?=[^.,;]*\b(?:{_OUTLET_WORD})\b){_NAME})"
_REPORTED = (
    r"(?:\s+(?:news\s+agency|news|television|channel|website|newspaper|daily))?"
    r"\s+(?:has\s+|have\s+)?(?:reported|reports)"
)
_WHEN = r"(?:\s+on\s+[A-Z][a-z]+day)?"
# After a semicolon any name is an outlet. Elsewhere ("..., Syria reported.") a name counts as one
# only if it contains a word that outlets use in their names.
_CREDITS = (
    re.compile(rf";\s+(?:the\s+)?(?P<outlet>{_NAME}){_REPORTED}{_WHEN}[.\s]*$"),
    re.compile(rf"(?:[,–—-]|[.!?][”\"’]?)\s+(?:the\s+)?{_KNOWN_OUTLET}{_REPORTED}{_WHEN}[.\s]*$"),
    re.compile(rf"\baccording\s+to\s+(?:the\s+)?{_KNOWN_OUTLET}[.\s]*$"),
)
# Characters at the end of the last paragraph.
_LAST_SENTENCE = 400


def credit_of(last_paragraph: str) -> str | None:
    """Return the outlet credited at the end of an article's last paragraph; None if none is."""
    ending = last_paragraph[-_LAST_SENTENCE:]
    found = next((match for credit in _CREDITS if (match := credit.search(ending))), None)
    return found["outlet"].rstrip(". ") if found else None
