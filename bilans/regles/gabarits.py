"""Templates of letters that a DDETS edits: what may not be taken out of them, and what one version changes from another.

The law asks every decision for its texts, its ways of appeal and, before it, an exchange (CRPA, L. 121-1, L. 211-2): these
sentences of the templates of the house stay, whatever is written around them.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from reservation.regles.typographie import typographier

from .courriers import MODELES, Modele, verifier_modele
from .procedures import Lettre

# The sentence by which the addressee knows that it may answer.
_OBSERVATIONS = "présenter des observations écrites"


def mentions_legales(lettre: Lettre) -> tuple[str, ...]:
    """Sentences of the template of the house that cannot be removed: texts of the law, exchange, ways of appeal."""
    modele = MODELES[lettre]
    textes = [ligne for ligne in modele.corps.splitlines() if ligne.startswith("Vu le code")]
    paragraphes = [_plat(p) for p in modele.corps.split("\n\n")]
    textes += [
        p.split("== Vos observations ")[-1].split(" Écrivez à")[0] for p in paragraphes if _OBSERVATIONS in p
    ]
    textes += modele.mentions.strip().split("\n\n")
    return tuple(_plat(texte).rstrip(" ;,.") for texte in textes)


def verifier_gabarit(modele: Modele) -> tuple[str, ...]:
    """Every fault of a template: those of its language, then each legal mention that was taken out."""
    ecrit = _plat(f"{modele.corps}\n{modele.mentions}")
    otees = [mention for mention in mentions_legales(modele.lettre) if mention not in ecrit]
    return (
        *verifier_modele(modele),
        *(typographier(f"Cette mention légale ne s’enlève pas, rétablissez-la : « {m}. »") for m in otees),
    )


def _plat(texte: str) -> str:
    """On one line, with plain spaces."""
    return " ".join(texte.replace("\u00a0", " ").replace("\u202f", " ").split())


class Ecart(NamedTuple):
    """One line of a comparison. `signe`: "+", "−" or "" when both versions have it; "…" stands for lines left out."""

    partie: str
    signe: str
    texte: str


CONTEXTE = 1
_PARTIES: Mapping[str, str] = {"objet": "Objet", "corps": "Texte", "mentions": "Mentions"}


def comparer(avant: Modele, apres: Modele) -> tuple[Ecart, ...]:
    """What `apres` takes out and adds, line by line, with one line around each change; empty when they say the same."""
    ecarts: list[Ecart] = []
    for champ, partie in _PARTIES.items():
        ancien, nouveau = getattr(avant, champ).splitlines(), getattr(apres, champ).splitlines()
        ecarts += (Ecart(partie, signe, texte) for signe, texte in _lignes(ancien, nouveau))
    return tuple(ecarts)


def _lignes(ancien: list[str], nouveau: list[str]) -> Iterable[tuple[str, str]]:
    groupes = difflib.SequenceMatcher(None, ancien, nouveau, autojunk=False).get_grouped_opcodes(CONTEXTE)
    for rang, groupe in enumerate(groupes):
        if rang:
            yield "…", ""
        for nature, a, b, c, d in groupe:
            if nature == "equal":
                yield from (("", ligne) for ligne in ancien[a:b])
                continue
            yield from (("−", ligne) for ligne in ancien[a:b])
            yield from (("+", ligne) for ligne in nouveau[c:d])
