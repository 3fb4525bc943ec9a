"""The one filter through which every text of a document passes, after `reservation.regles.typographie`.

No-break spaces where French asks for them (dates, articles, numbers of acts), articles written as the State writes
them (R. 441-5-1), characters that the font has.
"""

import re
from datetime import date

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from reservation.regles.typographie import INSECABLE, MOIS, date_fr, typographier

from .polices import imprimable

_DATE = re.compile(rf"\b(\d{{1,2}}|1er) ({'|'.join(MOIS)}) (\d{{4}})\b")
_ARTICLE = re.compile(r"\b([LRD])\.? ?(?=\d{3}-\d)")
_ABREGE = re.compile(r"\b(n°|art\.|article|articles|Tableau|Figure|annexe|groupe|groupes) (?=[\dA-ZIV«])")
_PREMIER = re.compile(r"\b1er\b")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")


def composer(texte: str) -> str:
    """A text as the document prints it."""
    texte = typographier(imprimable(texte))
    texte = _APOSTROPHE.sub("’", texte)
    texte = _DATE.sub(rf"\1{INSECABLE}\2{INSECABLE}\3", texte)
    texte = _ARTICLE.sub(rf"\1.{INSECABLE}", texte)
    return _ABREGE.sub(rf"\1{INSECABLE}", texte)


def jour(valeur: date) -> str:
    """ "1er janvier 2025", without a break."""
    return date_fr(valeur).replace(" ", INSECABLE)


def jour_court(valeur: date) -> str:
    """ "01/01/2025", for tables and headers."""
    return f"{valeur:%d/%m/%Y}"


def baliser(contenu: str) -> SafeString:
    """A composed text as markup: escaped, "1er" with its superior letters."""
    return mark_safe(_PREMIER.sub("1<sup>er</sup>", escape(contenu)))
