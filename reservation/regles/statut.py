"""Status of a dwelling: in the assiette of the gestion en flux or out of it, and why (domain, chapter 3).

Each dwelling gets exactly one status, the first rule that hits, so that counts by status add up to the parc.
Codes are RPLS codes kept as text: FINAN, CONV, MODE, SORTIEPATRIM.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from . import articles
from .etapes import Etape
from .typographie import enumerer


class Famille(StrEnum):
    """Families of bailleurs. Only the SEM has a rule of its own (L. 481-1)."""

    OPH = "OPH"
    ESH = "ESH"
    COOP = "COOP"
    SEM = "SEM"
    AUTRE = "AUTRE"


class StatutLogement(StrEnum):
    """In (the first three) or out (the others, in the order in which they are tested)."""

    CONVENTIONNE = "CONVENTIONNE"
    AVANT_1977 = "AVANT_1977"
    DECONVENTIONNE_L411_6 = "DECONVENTIONNE_L411_6"
    HORS_PARC = "HORS_PARC"
    FOYER_RESIDENCE = "FOYER_RESIDENCE"
    DEFENSE_SECURITE_SANTE = "DEFENSE_SECURITE_SANTE"
    SEM_NON_CONVENTIONNE = "SEM_NON_CONVENTIONNE"
    PLI = "PLI"
    LOCALE = "LOCALE"
    VENTE_DEMOLITION = "VENTE_DEMOLITION"
    HORS_CHAMP = "HORS_CHAMP"

    @property
    def dans_assiette(self) -> bool:
        return self in STATUTS_DANS

    @property
    def libelle(self) -> str:
        return LIBELLES_STATUT[self]

    @property
    def article(self) -> str:
        return ARTICLES_STATUT[self]


STATUTS_DANS = (
    StatutLogement.CONVENTIONNE,
    StatutLogement.AVANT_1977,
    StatutLogement.DECONVENTIONNE_L411_6,
)
STATUTS_HORS = tuple(statut for statut in StatutLogement if statut not in STATUTS_DANS)

LIBELLES_STATUT = {
    StatutLogement.CONVENTIONNE: "Conventionnés APL",
    StatutLogement.AVANT_1977: "Non conventionnés, financés par l’État avant 1977",
    StatutLogement.DECONVENTIONNE_L411_6: "Déconventionnés relevant de l’article L. 411-6",
    StatutLogement.HORS_PARC: "Sortis du parc",
    StatutLogement.FOYER_RESIDENCE: "Foyers, résidences sociales, universitaires ou services",
    StatutLogement.DEFENSE_SECURITE_SANTE: "Défense, sécurité intérieure, santé",
    StatutLogement.SEM_NON_CONVENTIONNE: "SEM, non conventionnés",
    StatutLogement.PLI: "Prêt locatif intermédiaire (PLI)",
    StatutLogement.LOCALE: "Exclusions locales convenues avec le préfet",
    StatutLogement.VENTE_DEMOLITION: "Plan de vente, démolition",
    StatutLogement.HORS_CHAMP: "Autres (non conventionnés, financés après 1977)",
}

ARTICLES_STATUT = {
    StatutLogement.CONVENTIONNE: articles.ASSIETTE,
    StatutLogement.AVANT_1977: articles.ASSIETTE,
    StatutLogement.DECONVENTIONNE_L411_6: articles.DECONVENTIONNES,
    StatutLogement.HORS_PARC: articles.REPERTOIRE,
    StatutLogement.FOYER_RESIDENCE: "CCH, art. L. 633-1, L. 631-12 et L. 631-13",
    StatutLogement.DEFENSE_SECURITE_SANTE: articles.PRIORITAIRES,
    StatutLogement.SEM_NON_CONVENTIONNE: articles.SEM,
    StatutLogement.PLI: articles.CONVENTION,
    StatutLogement.LOCALE: articles.CONVENTION,
    StatutLogement.VENTE_DEMOLITION: articles.CONVENTION,
    StatutLogement.HORS_CHAMP: articles.ASSIETTE,
}


class Drapeau(StrEnum):
    """What RPLS does not say of a dwelling, kept by the bailleur on a dwelling or on a programme."""

    LOGEMENT_FOYER = "LOGEMENT_FOYER"
    RESIDENCE_UNIVERSITAIRE = "RESIDENCE_UNIVERSITAIRE"
    RESIDENCE_SERVICES = "RESIDENCE_SERVICES"
    DEFENSE = "DEFENSE"
    SECURITE = "SECURITE"
    SANTE = "SANTE"
    GENS_DU_VOYAGE = "GENS_DU_VOYAGE"
    HABITAT_INCLUSIF = "HABITAT_INCLUSIF"
    ELAN_109 = "ELAN_109"
    PLAN_DE_VENTE = "PLAN_DE_VENTE"
    DEMOLITION = "DEMOLITION"
    DECONVENTIONNE_L411_6 = "DECONVENTIONNE_L411_6"
    PLAI_ADAPTE = "PLAI_ADAPTE"
    ORDINAIRE = "ORDINAIRE"

    @property
    def libelle(self) -> str:
        return LIBELLES_DRAPEAU[self]


LIBELLES_DRAPEAU = {
    Drapeau.LOGEMENT_FOYER: "logement-foyer ou résidence sociale",
    Drapeau.RESIDENCE_UNIVERSITAIRE: "résidence universitaire",
    Drapeau.RESIDENCE_SERVICES: "résidence-services",
    Drapeau.DEFENSE: "réservé à la défense nationale",
    Drapeau.SECURITE: "réservé à la sécurité intérieure",
    Drapeau.SANTE: "réservé à un établissement public de santé",
    Drapeau.GENS_DU_VOYAGE: "sédentarisation des gens du voyage",
    Drapeau.HABITAT_INCLUSIF: "habitat inclusif",
    Drapeau.ELAN_109: "moins de trente ans (ÉLAN, art. 109)",
    Drapeau.PLAN_DE_VENTE: "inscrit au plan de vente",
    Drapeau.DEMOLITION: "à démolir",
    Drapeau.DECONVENTIONNE_L411_6: "déconventionné, article L. 411-6",
    Drapeau.PLAI_ADAPTE: "PLAI adapté",
    Drapeau.ORDINAIRE: "logement ordinaire (réponse du bailleur)",
}

DRAPEAUX_LOCAUX = frozenset({Drapeau.GENS_DU_VOYAGE, Drapeau.HABITAT_INCLUSIF, Drapeau.ELAN_109})
_DRAPEAUX_FOYER = (Drapeau.LOGEMENT_FOYER, Drapeau.RESIDENCE_UNIVERSITAIRE)
_DRAPEAUX_ETAT = (Drapeau.DEFENSE, Drapeau.SECURITE, Drapeau.SANTE)
_DRAPEAUX_VENTE = (Drapeau.PLAN_DE_VENTE, Drapeau.DEMOLITION)

FINAN_AVANT_1977 = frozenset({"50", "51", "52", "53", "54", "55", "99"})
FINAN_PLI = frozenset({"16"})
SORTIES_DU_PARC = frozenset({"1", "2", "3", "4", "5"})
MODES_HORS_PARC = frozenset({"9"})
MODES_LOUES_OU_PROPOSES = frozenset({"1", "2"})
CONVENTIONNE_APL = "1"
NON_CONVENTIONNE_APL = "2"


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What the État's act takes out of the assiette besides the law; the defaults are those without any act.

    `locales`: codes of `DRAPEAUX_LOCAUX` agreed with the préfet (CA, art. 1).
    """

    pli: bool = True
    residences_services: bool = True
    vente_demolition: bool = False
    locales: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """Something RPLS hints at without proving it: put to the bailleur, changes no status by itself."""

    code: str
    texte: str


def statut_logement(
    finan: str,
    conv: str,
    mode: str,
    sortie: str,
    drapeaux: frozenset[str],
    famille: str,
    exclusions: Exclusions,
) -> StatutLogement:
    """The one status of a dwelling (domain, chapter 3; R. 441-5; PACA art. 4; CA art. 1).

    RPLS codes as text, `sortie` "" read as "9" (still in the parc); `drapeaux`: codes of `Drapeau`. All
    arguments are hashable and the answer is remembered: a parc of millions of dwellings has a few hundred
    distinct profiles.
    """
    return _examiner(finan, conv, mode, sortie, drapeaux, famille, exclusions)[0][0]


def expliquer_statut(
    finan: str,
    conv: str,
    mode: str,
    sortie: str,
    drapeaux: frozenset[str],
    famille: str,
    exclusions: Exclusions,
) -> Etape:
    """The status with the fact that decided it, for the page of a dwelling."""
    return expliquer_raisons(finan, conv, mode, sortie, drapeaux, famille, exclusions)[0]


def expliquer_raisons(
    finan: str,
    conv: str,
    mode: str,
    sortie: str,
    drapeaux: frozenset[str],
    famille: str,
    exclusions: Exclusions,
) -> tuple[Etape, ...]:
    """The status, then those that the dwelling would have, in order, were each reason before not there."""
    return tuple(
        Etape(
            f"statut.{statut}",
            statut.libelle,
            "dans l’assiette" if statut.dans_assiette else "hors de l’assiette",
            fait,
            statut.article,
        )
        for statut, fait in _examiner(finan, conv, mode, sortie, drapeaux, famille, exclusions)
    )


@lru_cache(maxsize=65536)
def _examiner(
    finan: str,
    conv: str,
    mode: str,
    sortie: str,
    drapeaux: frozenset[str],
    famille: str,
    exclusions: Exclusions,
) -> tuple[tuple[StatutLogement, str], ...]:
    """Every reason that holds, in order: the first is the status. Rule and explanation are one text."""
    return tuple(_raisons(finan, conv, mode, sortie, drapeaux, famille, exclusions))


def _raisons(
    finan: str,
    conv: str,
    mode: str,
    sortie: str,
    drapeaux: frozenset[str],
    famille: str,
    exclusions: Exclusions,
) -> Iterator[tuple[StatutLogement, str]]:
    """(status, deciding fact): those that take the dwelling out, then the one that it has without them."""
    if sortie in SORTIES_DU_PARC:
        yield StatutLogement.HORS_PARC, f"sorti du patrimoine (RPLS : SORTIEPATRIM {sortie})"
    elif mode in MODES_HORS_PARC:
        yield StatutLogement.HORS_PARC, f"occupation sans objet (RPLS : MODE {mode})"
    foyers = [d for d in _DRAPEAUX_FOYER if d in drapeaux]
    if Drapeau.RESIDENCE_SERVICES in drapeaux and exclusions.residences_services:
        foyers.append(Drapeau.RESIDENCE_SERVICES)
    if foyers:
        yield StatutLogement.FOYER_RESIDENCE, _drapeaux_poses(foyers)
    if etat := [d for d in _DRAPEAUX_ETAT if d in drapeaux]:
        yield StatutLogement.DEFENSE_SECURITE_SANTE, _drapeaux_poses(etat)
    if famille == Famille.SEM and conv == NON_CONVENTIONNE_APL:
        yield (
            StatutLogement.SEM_NON_CONVENTIONNE,
            "bailleur SEM et logement non conventionné APL (RPLS : CONV 2)",
        )
    if finan in FINAN_PLI and exclusions.pli:
        yield StatutLogement.PLI, f"financé en PLI (RPLS : FINAN {finan}), exclu par la convention"
    if locaux := sorted(drapeaux & exclusions.locales):
        yield StatutLogement.LOCALE, _drapeaux_poses(locaux) + ", exclusion convenue avec le préfet"
    ventes = [d for d in _DRAPEAUX_VENTE if d in drapeaux]
    if ventes and exclusions.vente_demolition:
        yield StatutLogement.VENTE_DEMOLITION, _drapeaux_poses(ventes) + ", exclu par la convention"
    if conv == CONVENTIONNE_APL:
        yield StatutLogement.CONVENTIONNE, "conventionné APL (RPLS : CONV 1)"
    elif Drapeau.DECONVENTIONNE_L411_6 in drapeaux:
        yield StatutLogement.DECONVENTIONNE_L411_6, _drapeaux_poses([Drapeau.DECONVENTIONNE_L411_6])
    elif conv == NON_CONVENTIONNE_APL and finan in FINAN_AVANT_1977:
        yield (
            StatutLogement.AVANT_1977,
            f"non conventionné mais financé par l’État avant 1977 (RPLS : CONV 2, FINAN {finan})",
        )
    else:
        yield (
            StatutLogement.HORS_CHAMP,
            f"ni conventionné APL, ni financé par l’État avant 1977 (RPLS : CONV {conv}, FINAN {finan})",
        )


def _drapeaux_poses(codes: list[str]) -> str:
    return "indicateur : " + enumerer(LIBELLES_DRAPEAU[Drapeau(code)] for code in codes)


def loue_ou_propose(mode: str) -> bool:
    """Let or on offer to let (RPLS MODE 1, 2): the base of the rotation (domain, chapter 4)."""
    return mode in MODES_LOUES_OU_PROPOSES


def questions_logement(
    typeconst: str, mode: str, drapeaux: frozenset[str], exclusions: Exclusions
) -> tuple[Question, ...]:
    """Hints of RPLS that a person must confirm (domain, chapter 3); a dwelling stays in until then.

    TYPECONST E (student) does not prove a résidence universitaire; MODE 3 (empty for works, demolition or
    sale) does not prove a sale; a PLAI adapté stays in and is to be oriented to its public (PACA art. 4).
    """
    questions = []
    reponses = {Drapeau.ORDINAIRE, Drapeau.RESIDENCE_SERVICES, *_DRAPEAUX_FOYER}
    if typeconst == "E" and not drapeaux & reponses:
        questions.append(
            Question(
                "RESIDENCE",
                "Le RPLS dit ce logement étudiant (TYPECONST E) : est-il dans une résidence universitaire ?",
            )
        )
    if mode == "3" and exclusions.vente_demolition and not drapeaux & set(_DRAPEAUX_VENTE):
        questions.append(
            Question(
                "VENTE_DEMOLITION",
                "Le RPLS dit ce logement vide pour travaux, démolition ou vente (MODE 3) : est-il inscrit "
                "au plan de vente ou à démolir ?",
            )
        )
    if Drapeau.PLAI_ADAPTE in drapeaux:
        questions.append(
            Question(
                "PLAI_ADAPTE",
                "PLAI adapté : il reste dans l’assiette et s’oriente vers le public auquel il est destiné.",
            )
        )
    return tuple(questions)
