"""What the codes of the other tools mean here: the lists of the SNE that the application ships, and everyday words.

What is in none of them is kept as it is said, shown, and mapped once by the organisation (`CorrespondanceValeur`).
A `cible` is a code of here: `GenreContingent`, a motive of the SNE, `CategorieLabel`, `Passage.Decision`.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from flux.models import GenreContingent, ListeExterne, Passage
from publics.regles.groupes import TypeLabel
from reservation.models import cle_de_tri

LISTES_SNE = Path(__file__).resolve().parent.parent / "donnees" / "sne_codes.csv"

_CONTINGENTS_SNE = {
    "PPRIOR": GenreContingent.ETAT_PRIORITAIRE,
    "PFONCT": GenreContingent.ETAT_AGENT,
    "COLACT": GenreContingent.ALS,
    "COLTER": GenreContingent.COLLECTIVITE,
    "AUTRES": GenreContingent.AUTRE,
    "AUCUN": GenreContingent.BAILLEUR,
}
# CONTRESLOG of RPLS, which exports of bailleurs use as well.
_CONTINGENTS_RPLS = {
    "1": GenreContingent.ETAT_AGENT,
    "2": GenreContingent.ETAT_PRIORITAIRE,
    "3": GenreContingent.ALS,
    "4": GenreContingent.COLLECTIVITE,
    "5": GenreContingent.ETAT_AGENT,
    "6": GenreContingent.AUTRE,
    "7": GenreContingent.BAILLEUR,
}
_MOTS_CONTINGENTS = {
    "prefet prioritaires": GenreContingent.ETAT_PRIORITAIRE,
    "prefet prioritaire": GenreContingent.ETAT_PRIORITAIRE,
    "prefecture prioritaires": GenreContingent.ETAT_PRIORITAIRE,
    "contingent prefectoral": GenreContingent.ETAT_PRIORITAIRE,
    "etat prioritaires": GenreContingent.ETAT_PRIORITAIRE,
    "prefet fonctionnaires": GenreContingent.ETAT_AGENT,
    "prefecture fonctionnaires": GenreContingent.ETAT_AGENT,
    "etat fonctionnaires": GenreContingent.ETAT_AGENT,
    "agents de l etat": GenreContingent.ETAT_AGENT,
    "als": GenreContingent.ALS,
    "action logement": GenreContingent.ALS,
    "action logement services": GenreContingent.ALS,
    "employeurs": GenreContingent.ALS,
    "1": GenreContingent.ETAT_AGENT,
    "commune": GenreContingent.COLLECTIVITE,
    "mairie": GenreContingent.COLLECTIVITE,
    "collectivites": GenreContingent.COLLECTIVITE,
    "collectivites territoriales": GenreContingent.COLLECTIVITE,
    "non reserve": GenreContingent.BAILLEUR,
    "bailleur": GenreContingent.BAILLEUR,
    "hors contingent": GenreContingent.BAILLEUR,
    "autres reservataires": GenreContingent.AUTRE,
}
_MOTS_LABELS = {
    "dalo": "DALO",
    "prioritaire dalo": "DALO",
    "bpi": "BPI",
    "refugie": "BPI",
    "protection internationale": "BPI",
    "siao": "HEBERGEMENT",
    "sortant d hebergement": "HEBERGEMENT",
    "sortie d hebergement": "HEBERGEMENT",
    "sans abri": "SANS_ABRI",
    "violences": "VIOLENCES",
    "violences conjugales": "VIOLENCES",
    "expulsion": "EXPULSION",
    # "L. 441-1 c", as the application itself writes it.
    **{cle_de_tri(label.libelle): label.value for label in TypeLabel},
}
_MOTS_DECISIONS = {
    "a": "ATTR",
    "attribution": "ATTR",
    "attribue": "ATTR",
    "accord": "ATTR",
    "b": "ATTR_RANG",
    "attribution par classement": "ATTR_RANG",
    "attribution avec rang": "ATTR_RANG",
    "c": "ATTR_COND",
    "attribution sous condition suspensive": "ATTR_COND",
    "d": "NON_ATTR",
    "non attribution": "NON_ATTR",
    "refus": "NON_ATTR",
    "e": "IRRECEV",
    "irrecevabilite": "IRRECEV",
    "rejet pour irrecevabilite": "IRRECEV",
}
# ACTIF: a decision of the COMED that waits; re-housed or lapsed, it is one no more.
_DALO = {"ACTIF": "DALO", "CADUC": "", "ACTREL": "", "NON": ""}
_OUI_NON_DALO = {"oui": "DALO", "1": "DALO", "x": "DALO", "non": "", "0": ""}


@cache
def listes_du_sne() -> Mapping[str, Mapping[str, str]]:
    """The lists of the old interface of the SNE: list → code → label."""
    listes: dict[str, dict[str, str]] = {}
    with LISTES_SNE.open(encoding="utf-8", newline="") as flux:
        flux.readline()  # origin and licence
        for ligne in csv.DictReader(flux, delimiter=";"):
            listes.setdefault(ligne["liste"], {})[ligne["code"]] = ligne["libelle"]
    return listes


def _mots(libelles: Mapping[str, str], cibles: Mapping[str, str]) -> dict[str, str]:
    """Codes and labels (normalised) → what they mean."""
    mots = {}
    for code, cible in cibles.items():
        mots[cle_de_tri(code)] = str(cible)
        if libelles.get(code):
            mots[cle_de_tri(libelles[code])] = str(cible)
    return mots


@cache
def valeurs_connues() -> Mapping[str, Mapping[str, str]]:
    """List of `ListeExterne` → word (normalised) → what it means here, for every source. "": it means nothing here."""
    sne = listes_du_sne()
    motifs, radiations = sne["ListeMotifDemande"], dict(sne["ListeMotifsRadiation"])
    radiations |= sne["ListeSousMotifRadiationIrrecevabilite"]
    decisions = dict(Passage.Decision.choices)
    sans_zero = {code.lstrip("0"): code for code in motifs}  # the zero that a spreadsheet takes off
    return {
        ListeExterne.RESERVATAIRE: {
            **_MOTS_CONTINGENTS,
            **_CONTINGENTS_RPLS,
            **_mots(dict(GenreContingent.choices), {g: g for g in GenreContingent}),
            **_mots(sne["ListeTypeReservataire"], _CONTINGENTS_SNE),
        },
        ListeExterne.MOTIF: sans_zero | _mots(motifs, {code: code for code in motifs}),
        ListeExterne.RADIATION: _mots(radiations, {code: code for code in radiations}),
        ListeExterne.LABEL: _MOTS_LABELS,
        ListeExterne.DECISION: {**_MOTS_DECISIONS, **_mots(decisions, {code: code for code in decisions})},
        ListeExterne.DALO: {**_OUI_NON_DALO, **_mots(sne["ListeStatutDalo"], _DALO)},
        ListeExterne.BAILLEUR: {},
    }
