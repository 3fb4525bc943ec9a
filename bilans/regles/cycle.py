"""The life of a bilan between its bailleur and the State: states, acts, who may, what each act opens or freezes.

`TRANSITIONS` is the whole of it, in the order in which a reader of the texts would tell it (R. 441-5-1; CA, art. 7.1
and 8; domain, chapters 10 and 12). An act that is not in the table, from the state in which the bilan is, does not
exist; the database refuses it too.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import NamedTuple


class EtatBilan(StrEnum):
    """Where a bilan is. PREPARATION has no act behind it: it is where every bilan begins."""

    PREPARATION = "PREPARATION"
    SOUMIS = "SOUMIS"
    COMPLEMENT = "COMPLEMENT"
    RENVOYE = "RENVOYE"
    VALIDE = "VALIDE"
    CORRECTION = "CORRECTION"

    @property
    def libelle(self) -> str:
        return _ETATS[self][0]

    @property
    def attend(self) -> str:
        """Whose turn it is, and what is awaited, in a sentence."""
        return _ETATS[self][1]


_ETATS = {
    EtatBilan.PREPARATION: (
        "en préparation",
        "Le bailleur vérifie ses lignes, écrit son appréciation, signe et soumet.",
    ),
    EtatBilan.SOUMIS: (
        "soumis",
        "La DDETS examine : elle demande un complément, renvoie le bilan ou le valide.",
    ),
    EtatBilan.COMPLEMENT: (
        "complément demandé",
        "Le bailleur répond aux demandes, corrige ce qu’elles ouvrent et soumet de nouveau.",
    ),
    EtatBilan.RENVOYE: (
        "renvoyé",
        "Le bailleur reprend son bilan, puis le soumet de nouveau.",
    ),
    EtatBilan.VALIDE: (
        "validé",
        "Chiffres, texte et document sont figés, avec les imputations de l’année.",
    ),
    EtatBilan.CORRECTION: (
        "en correction",
        "La version validée reste celle qui fait foi ; le bailleur en soumet une nouvelle.",
    ),
}


class ActeBilan(StrEnum):
    """What somebody does to a bilan."""

    SOUMETTRE = "SOUMETTRE"
    DEMANDER = "DEMANDER"
    REPONDRE = "REPONDRE"
    RENVOYER = "RENVOYER"
    VALIDER = "VALIDER"
    ROUVRIR = "ROUVRIR"

    @property
    def libelle(self) -> str:
        """What was done, for a list of events."""
        return {
            "SOUMETTRE": "Soumission",
            "DEMANDER": "Demande de complément",
            "REPONDRE": "Réponse à une demande",
            "RENVOYER": "Renvoi au bailleur",
            "VALIDER": "Validation",
            "ROUVRIR": "Ouverture d’une correction",
        }[self.value]


class Partie(StrEnum):
    """Who acts: the bailleur of the bilan, or the DDETS of its département."""

    BAILLEUR = "BAILLEUR"
    DDETS = "DDETS"


class Droit(StrEnum):
    """The least that a person must hold; SIGNATURE includes GESTION."""

    GESTION = "GESTION"
    SIGNATURE = "SIGNATURE"


class Auteur(NamedTuple):
    """Who would act: for which party (None: neither), with which rights. Nobody acts in the place of another."""

    partie: Partie | None
    gere: bool
    signe: bool


class Transition(NamedTuple):
    """`role`: what the person must hold. `texte`: a text is mandatory. `fige`: what is frozen by the act."""

    de: EtatBilan
    acte: ActeBilan
    vers: EtatBilan
    partie: Partie
    role: Droit
    texte: bool
    fige: str
    source: str


_E, _A = EtatBilan, ActeBilan
_VERSION = "chiffres, texte et PDF de cette version"
_TOUT = "chiffres, texte, PDF, et imputations de l’année"
_REMISE = "R. 441-5-1 ; convention Côtes-d’Armor, art. 7.1"
_EXAMEN = "R. 441-5-2, IV ; convention Côtes-d’Armor, art. 8"


def _soumettre(de: EtatBilan) -> Transition:
    return Transition(de, _A.SOUMETTRE, _E.SOUMIS, Partie.BAILLEUR, Droit.SIGNATURE, False, _VERSION, _REMISE)


def _etat(
    de: EtatBilan, acte: ActeBilan, vers: EtatBilan, *, texte: bool = True, fige: str = ""
) -> Transition:
    return Transition(de, acte, vers, Partie.DDETS, Droit.GESTION, texte, fige, _EXAMEN)


TRANSITIONS = (
    _soumettre(_E.PREPARATION),
    _etat(_E.SOUMIS, _A.DEMANDER, _E.COMPLEMENT),
    _etat(_E.COMPLEMENT, _A.DEMANDER, _E.COMPLEMENT),
    Transition(
        _E.COMPLEMENT, _A.REPONDRE, _E.COMPLEMENT, Partie.BAILLEUR, Droit.GESTION, True, "", _REMISE
    ),
    _soumettre(_E.COMPLEMENT),
    _etat(_E.SOUMIS, _A.RENVOYER, _E.RENVOYE),
    _etat(_E.COMPLEMENT, _A.RENVOYER, _E.RENVOYE),
    _soumettre(_E.RENVOYE),
    _etat(_E.SOUMIS, _A.VALIDER, _E.VALIDE, texte=False, fige=_TOUT),
    _etat(_E.VALIDE, _A.ROUVRIR, _E.CORRECTION),
    _soumettre(_E.CORRECTION),
)  # fmt: skip
_TABLE = {(t.de, t.acte): t for t in TRANSITIONS}


class ActeRefuse(ValueError):
    """The act is not possible; the message is a French sentence for its author."""


def transition(etat: EtatBilan, acte: ActeBilan) -> Transition:
    """The line of the table for `acte` in `etat`. Raises `ActeRefuse` when there is none."""
    trouvee = _TABLE.get((etat, acte))
    if trouvee is None:
        raise ActeRefuse(_IMPOSSIBLES.get((etat, acte)) or _impossible(etat, acte))
    return trouvee


# The refusals that people meet, said for them; the others are said by the table.
_IMPOSSIBLES = {
    (_E.SOUMIS, _A.SOUMETTRE): "Ce bilan est déjà soumis : la DDETS l’examine.",
    (_E.VALIDE, _A.SOUMETTRE): (
        "Ce bilan est validé : une nouvelle version demande que la DDETS ouvre une correction."
    ),
    (_E.VALIDE, _A.DEMANDER): "Ce bilan est validé : rien ne s’y demande plus, une correction s’ouvre.",
    (_E.VALIDE, _A.RENVOYER): "Ce bilan est validé : il ne se renvoie plus, une correction s’ouvre.",
    (_E.VALIDE, _A.VALIDER): "Ce bilan est déjà validé.",
    (_E.COMPLEMENT, _A.VALIDER): (
        "Des compléments sont demandés : le bilan se valide une fois soumis de nouveau par le bailleur."
    ),
    (_E.PREPARATION, _A.VALIDER): "Ce bilan n’a pas été soumis : il n’y a rien à valider.",
}


def _impossible(etat: EtatBilan, acte: ActeBilan) -> str:
    depuis = sorted({t.de.libelle for t in TRANSITIONS if t.acte == acte})
    return (
        f"{acte.libelle} : impossible sur un bilan {etat.libelle} (il faut qu’il soit {' ou '.join(depuis)})."
    )


def exiger_texte(prevue: Transition, texte: str) -> str:
    """`texte` without its margins. Raises `ActeRefuse` when the act needs one and there is none."""
    propre = texte.strip()
    if prevue.texte and not propre:
        raise ActeRefuse(_SANS_TEXTE[prevue.acte])
    return propre


_SANS_TEXTE = {
    _A.DEMANDER: "Écrivez ce que vous demandez au bailleur.",
    _A.REPONDRE: "Écrivez votre réponse.",
    _A.RENVOYER: "Un renvoi dit pourquoi : écrivez le motif, le bailleur le lira.",
    _A.ROUVRIR: "Une correction dit pourquoi : écrivez le motif, il reste au dossier.",
}


def peut(auteur: Auteur, prevue: Transition) -> bool:
    """Whether somebody of this party and of these rights may, the bilan being of its perimeter."""
    droit = auteur.signe if prevue.role == Droit.SIGNATURE else auteur.gere
    return auteur.partie == prevue.partie and droit


def actes_possibles(auteur: Auteur, etat: EtatBilan) -> tuple[ActeBilan, ...]:
    """What `auteur` may do now, in the order of the table."""
    return tuple(t.acte for t in TRANSITIONS if t.de == etat and peut(auteur, t))


def a_le_droit(auteur: Auteur, acte: ActeBilan) -> bool:
    """Whether `auteur` may do it from some state: the right, apart from where the bilan is."""
    return any(t.acte == acte and peut(auteur, t) for t in TRANSITIONS)


# --- What is open -------------------------------------------------------------------------------------------


class Rubrique(StrEnum):
    """What may be written of a bilan: its text, or the lines of its year."""

    APPRECIATION = "APPRECIATION"
    LIBERATIONS = "LIBERATIONS"
    ATTRIBUTIONS = "ATTRIBUTIONS"

    @property
    def libelle(self) -> str:
        return {
            "APPRECIATION": "l’appréciation du bailleur",
            "LIBERATIONS": "les libérations et leurs usages (soustractions, annulations)",
            "ATTRIBUTIONS": "les attributions, les refus et les baux",
        }[self.value]


TOUTES = frozenset(Rubrique)
RIEN: frozenset[Rubrique] = frozenset()


class Figure(NamedTuple):
    """What a demand may bear on: a place of the bilan, and the lines that make its figures."""

    code: str
    libelle: str
    ancre: str
    rubriques: frozenset[Rubrique]


_L, _T = Rubrique.LIBERATIONS, Rubrique.ATTRIBUTIONS
FIGURES = (
    Figure("FLUX", "Flux annuel : libérations", "parc", frozenset({_L})),
    Figure("SOUSTRACTIONS", "Soustractions par catégorie", "hors-flux", frozenset({_L})),
    Figure("OBJECTIF_ETAT", "Objectif et réalisé de l’État", "parc", frozenset({_T})),
    Figure("OBJECTIFS", "Objectifs et réalisé des autres réservataires", "parc", frozenset({_T})),
    Figure("TITRES_ETAT", "Contingent de l’État : agents, groupes, autres", "etat", frozenset({_T})),
    Figure("QUARTS", "Quart dû aux publics prioritaires", "attributions", frozenset({_T})),
    Figure("CROISES", "Tableaux croisés : proposés et attribués", "attributions", frozenset({_L, _T})),
    Figure("OPERATIONS", "Attributions par catégorie d’opération", "attributions", frozenset({_L, _T})),
    Figure("REFUS", "Décisions de la CALEOL et refus", "caleol", frozenset({_T})),
    Figure("LIGNES", "Tableau des attributions", "annexe", frozenset({_T})),
    Figure("APPRECIATION", "Appréciation du bailleur", "appreciation", frozenset({Rubrique.APPRECIATION})),
)  # fmt: skip
_FIGURES = {figure.code: figure for figure in FIGURES}


def figure(code: str) -> Figure:
    """The figure of this code. Raises `ActeRefuse`."""
    if code not in _FIGURES:
        raise ActeRefuse("Choisissez le chiffre sur lequel porte la demande.")
    return _FIGURES[code]


def rubriques_ouvertes(etat: EtatBilan, demandes: Iterable[str] = ()) -> frozenset[Rubrique]:
    """What the bailleur may write: all, nothing, or what the demands waiting for an answer (codes of figures) concern.

    A demand that was answered leaves its lines open until the bilan is submitted again: the answer comes with them.
    """
    match etat:
        case EtatBilan.SOUMIS | EtatBilan.VALIDE:
            return RIEN
        case EtatBilan.COMPLEMENT:
            return RIEN.union(*(figure(code).rubriques for code in demandes))
    return TOUTES


def est_fige(etat: EtatBilan) -> bool:
    """Whether the imputations of the year are frozen with the bilan (chapter 9)."""
    return etat == EtatBilan.VALIDE


def exiger_ouverte(rubrique: Rubrique, etat: EtatBilan, demandes: Collection[str] = ()) -> None:
    """Raises `ActeRefuse` when this part of the bilan is closed."""
    if rubrique not in rubriques_ouvertes(etat, demandes):
        raise ActeRefuse(phrase_de_gel(etat, rubrique.libelle))


def phrase_de_gel(etat: EtatBilan, quoi: str = "ces lignes") -> str:
    """Why what is closed is closed, and what to do about it."""
    objet = f"{quoi[0].upper()}{quoi[1:]}"
    match etat:
        case EtatBilan.VALIDE:
            return f"{objet} : le bilan est validé et figé. Une correction se demande à la DDETS."
        case EtatBilan.COMPLEMENT:
            return f"{objet} : le bilan est soumis, et la demande de la DDETS ne porte pas là-dessus."
    return f"{objet} : le bilan est soumis et la DDETS l’examine. Elle peut vous demander un complément ou vous le renvoyer."


def exiger_reponses(sans_reponse: int) -> None:
    """Raises `ActeRefuse` while a demand has no answer: the bilan is submitted again with all of them."""
    if sans_reponse:
        raise ActeRefuse(
            "Une demande de la DDETS attend votre réponse : répondez-y avant de soumettre."
            if sans_reponse == 1
            else f"{sans_reponse} demandes de la DDETS attendent votre réponse : répondez-y avant de soumettre."
        )
