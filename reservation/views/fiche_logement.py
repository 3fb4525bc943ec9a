"""What the page of one dwelling says: its facts in words, why it is in or out, and what happened to it."""

from dataclasses import dataclass
from datetime import date, datetime

from reservation.models import Drapeau, Logement, Utilisateur
from reservation.nomenclature_rpls import (
    CONTRESLOG,
    CONV,
    CUS,
    DROIT,
    FINAN,
    MODE,
    ORIGINE,
    SORTIEPATRIM,
    TYPECONST,
    en_clair,
    valeur_en_clair,
)
from reservation.regles.etapes import Etape
from reservation.regles.statut import (
    Exclusions,
    Question,
    expliquer_raisons,
    questions_logement,
)
from reservation.regles.typographie import MOIS, typographier

# What is compared between two millésimes: field, words.
CHAMPS_COMPARES = (
    ("mode", "Occupation"),
    ("sortie", "Sortie du patrimoine"),
    ("conv", "Conventionnement APL"),
    ("finan", "Financement initial"),
    ("typeconst", "Construction"),
    ("nbpiece", "Pièces"),
    ("surfhab", "Surface habitable"),
    ("qpv", "QPV"),
    ("ident_int", "Référence du bailleur"),
    ("adresse", "Adresse"),
    ("programme", "Programme"),
)


def raisons(logement: Logement, exclusions: Exclusions) -> tuple[Etape, ...]:
    """Its status with the fact and the article, then what would apply were each reason not there."""
    return expliquer_raisons(
        logement.finan,
        logement.conv,
        logement.mode,
        logement.sortie,
        frozenset(logement.drapeaux),
        logement.bailleur.famille,
        exclusions,
    )


def questions(logement: Logement, exclusions: Exclusions) -> tuple[Question, ...]:
    return questions_logement(logement.typeconst, logement.mode, frozenset(logement.drapeaux), exclusions)


@dataclass(frozen=True)
class Bloc:
    """A group of facts: (words, value, RPLS variable)."""

    titre: str
    faits: list[tuple[str, str, str]]


def faits(logement: Logement) -> list[Bloc]:
    """All that RPLS says of a dwelling, codes in words; what the file leaves empty is not shown."""
    blocs = [
        (
            "Identité",
            [
                ("Référence du bailleur", logement.ident_int, "IDENT_INT"),
                ("Identifiant RPLS", logement.ident_rep, "IDENT_REP"),
                ("Adresse", logement.adresse, ""),
                ("Commune", f"{logement.code_postal} {logement.commune}".strip(), "DEPCOM"),
                ("Programme", logement.programme, ""),
                ("QPV", _qpv(logement), "QPV"),
                ("Droit du bailleur", en_clair(logement.droit, DROIT), "DROIT"),
            ],
        ),
        (
            "Bâti",
            [
                ("Construction", en_clair(logement.typeconst, TYPECONST), "TYPECONST"),
                ("Pièces principales", _texte(logement.nbpiece), "NBPIECE"),
                ("Surface habitable", f"{logement.surfhab} m²" if logement.surfhab else "", "SURFHAB"),
                ("Année de construction", _texte(logement.construct), "CONSTRUCT"),
                ("Entré au patrimoine en", _texte(logement.patrimoine), "PATRIMOINE"),
                ("Origine", en_clair(logement.origine, ORIGINE), "ORIGINE"),
                ("Classe énergie", logement.dpe, "DPEENERGIE"),
            ],
        ),
        (
            "Financement",
            [
                ("Financement initial", en_clair(logement.finan, FINAN), "FINAN"),
                ("Autre financement", logement.finan_autre, "FINANAUTRE"),
                ("APL", en_clair(logement.conv, CONV), "CONV"),
                ("Convention APL", logement.numconv, "NUMCONV"),
                ("Date d’effet", _jour(logement.datconv), "DATCONV"),
                ("Plafond de ressources", en_clair(logement.cus, CUS), "CUS"),
            ],
        ),
        (
            "Occupation",
            [
                ("Occupation", en_clair(logement.mode, MODE), "MODE"),
                ("Bail en cours depuis", _mois(logement.bail), "BAIL"),
                ("Remis en location en", _mois(logement.remlocdate), "REMLOCDATE"),
                ("Première mise en location", _texte(logement.locat), "LOCAT"),
                ("Sortie du patrimoine", en_clair(logement.sortie, SORTIEPATRIM), "SORTIEPATRIM"),
                (
                    "Contingent déclaré au RPLS",
                    en_clair(logement.contingent_rpls, CONTRESLOG),
                    "CONTRESLOG, pour information",
                ),
            ],
        ),
    ]
    return [Bloc(titre, [fait for fait in lignes if fait[1]]) for titre, lignes in blocs]


def _qpv(logement: Logement) -> str:
    if not logement.qpv:
        return "hors QPV"
    return f"en QPV ({logement.code_qpv})" if logement.code_qpv else "en QPV"


def _texte(valeur: object) -> str:
    return "" if valeur is None else str(valeur)


def _jour(jour: date | None) -> str:
    return f"{jour:%d/%m/%Y}" if jour else ""


def _mois(jour: date | None) -> str:
    return f"{MOIS[jour.month - 1]} {jour.year}" if jour else ""


@dataclass(frozen=True)
class Evenement:
    """A line of the timeline of a dwelling, most recent first."""

    quand: datetime
    titre: str
    details: list[str]
    auteur: str = ""


def histoire(millesimes: list[Logement], drapeaux: list[Drapeau]) -> list[Evenement]:
    """What the imports brought (differences with the millésime before) and the flags, with who and why.

    `millesimes`: the same dwelling, oldest first, with their imports.
    """
    evenements = []
    avant = None
    for ligne in millesimes:
        quoi = "ce qui change" if avant else "premier millésime connu"
        evenements.append(
            Evenement(
                ligne.import_rpls.applique_le,
                typographier(f"RPLS {ligne.millesime} : {quoi}"),
                _differences(avant, ligne) if avant else [],
                auteur=_nom(ligne.import_rpls.cree_par),
            )
        )
        avant = ligne
    for drapeau in drapeaux:
        portee = f", sur le programme {drapeau.cible}" if drapeau.portee == Drapeau.Portee.PROGRAMME else ""
        evenements.append(
            Evenement(
                drapeau.pose_le,
                typographier(f"Drapeau posé : {drapeau.get_code_display()}{portee}"),
                [drapeau.motif],
                auteur=_nom(drapeau.pose_par),
            )
        )
        if drapeau.retire_le:
            evenements.append(
                Evenement(
                    drapeau.retire_le,
                    typographier(f"Drapeau retiré : {drapeau.get_code_display()}{portee}"),
                    [drapeau.motif_retrait],
                    auteur=_nom(drapeau.retire_par),
                )
            )
    return sorted(evenements, key=lambda e: e.quand, reverse=True)


def _nom(utilisateur: Utilisateur | None) -> str:
    return utilisateur.nom if utilisateur else "l’application"


def _differences(avant: Logement, apres: Logement) -> list[str]:
    changements = []
    for champ, libelle in CHAMPS_COMPARES:
        ancien, nouveau = (_texte(getattr(ligne, champ)) for ligne in (avant, apres))
        if ancien != nouveau:
            changements.append(
                typographier(
                    f"{libelle} : {valeur_en_clair(champ, ancien)} devient {valeur_en_clair(champ, nouveau)}"
                )
            )
    return changements or ["rien n’a changé"]
