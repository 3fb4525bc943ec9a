"""Three procedures that are never mixed (domain, chapter 11): tables of transitions, conditions, and what comes if nothing is done.

MANQUEMENT  an engagement of the convention is not kept (the bilan is not delivered), or there is no convention at all:
            R. 441-5-2, IV; CA, art. 8.1. Mise en demeure → two months from the certain receipt → résiliation → arrêté.
OBJECTIFS   objectives missed, only where the convention carries the clause (CA, art. 8.2): point contradictoire →
            justified, or not → report on next year and/or direct attribution imputed on the contingents that owed it.
QUART       a quarter of a contingent not attributed to priority households (L. 441-1, L. 313-26-2): notice →
            attribution by the préfet, imputed on that contingent.

A procedure is a `Sorte` and an `Etat`; a transition belongs to one `Sorte` only. `passer` is the only way to another state:
it refuses with a sentence what the table does not hold, what another party must do, and what the figures make impossible.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from flux.regles.realise import manque_au_quart
from reservation.regles.typographie import accorder, date_fr, enumerer

from .procedures_delais import Delai, Suivi


class Sorte(StrEnum):
    """Which of the three."""

    MANQUEMENT = "MANQUEMENT"
    OBJECTIFS = "OBJECTIFS"
    QUART = "QUART"

    @property
    def libelle(self) -> str:
        return {
            "MANQUEMENT": "Manquement à la convention",
            "OBJECTIFS": "Objectifs non atteints",
            "QUART": "Quart des attributions non atteint",
        }[self.value]

    @property
    def fondement(self) -> str:
        """The text on which it rests; for OBJECTIFS the clause of the convention is added (`Situation.clauses`)."""
        return {
            "MANQUEMENT": "CCH, art. R. 441-5-2, IV ; clause de résiliation de la convention",
            "OBJECTIFS": "clause de la convention sur les objectifs non atteints",
            "QUART": "CCH, art. L. 441-1 et L. 313-26-2",
        }[self.value]


class Etat(StrEnum):
    """Where a procedure stands. Not every state is of every `Sorte`: see `ETATS`."""

    OUVERTE = "OUVERTE"
    SANS_CONVENTION = "SANS_CONVENTION"
    MISE_EN_DEMEURE = "MISE_EN_DEMEURE"
    DELAI = "DELAI"
    RESILIEE = "RESILIEE"
    ARRETEE = "ARRETEE"
    CONVOQUEE = "CONVOQUEE"
    CONTRADICTOIRE = "CONTRADICTOIRE"
    DEBATTUE = "DEBATTUE"
    JUSTIFIEE = "JUSTIFIEE"
    INJUSTIFIEE = "INJUSTIFIEE"
    SANCTIONNEE = "SANCTIONNEE"
    NOTIFIEE = "NOTIFIEE"
    OBSERVATIONS = "OBSERVATIONS"
    ATTRIBUTION = "ATTRIBUTION"
    IMPUTEE = "IMPUTEE"
    ETEINTE = "ETEINTE"
    ABANDONNEE = "ABANDONNEE"


FINS = frozenset(
    {
        Etat.ARRETEE,
        Etat.JUSTIFIEE,
        Etat.SANCTIONNEE,
        Etat.IMPUTEE,
        Etat.ETEINTE,
        Etat.ABANDONNEE,
    }
)


class Acte(StrEnum):
    """What somebody does to a procedure."""

    OUVRIR = "OUVRIR"
    OUVRIR_SANS_CONVENTION = "OUVRIR_SANS_CONVENTION"
    METTRE_EN_DEMEURE = "METTRE_EN_DEMEURE"
    CONSTATER_RECEPTION = "CONSTATER_RECEPTION"
    CONSTATER_RETOUR = "CONSTATER_RETOUR"
    RECTIFIER_RECEPTION = "RECTIFIER_RECEPTION"
    RETIRER_RECEPTION = "RETIRER_RECEPTION"
    RESILIER = "RESILIER"
    PRENDRE_ARRETE = "PRENDRE_ARRETE"
    CONVOQUER = "CONVOQUER"
    TENIR_REUNION = "TENIR_REUNION"
    JUGER_JUSTIFIE = "JUGER_JUSTIFIE"
    JUGER_INJUSTIFIE = "JUGER_INJUSTIFIE"
    REPORTER = "REPORTER"
    ATTRIBUER = "ATTRIBUER"
    CLORE = "CLORE"
    NOTIFIER = "NOTIFIER"
    ETEINDRE = "ETEINDRE"
    ABANDONNER = "ABANDONNER"

    @property
    def libelle(self) -> str:
        return _LIBELLES_ACTES[self]


_LIBELLES_ACTES = {
    Acte.OUVRIR: "Ouvrir la procédure",
    Acte.OUVRIR_SANS_CONVENTION: "Ouvrir la procédure, faute de convention",
    Acte.METTRE_EN_DEMEURE: "Signer la mise en demeure",
    Acte.CONSTATER_RECEPTION: "Inscrire la réception",
    Acte.CONSTATER_RETOUR: "Inscrire le retour de la lettre",
    Acte.RECTIFIER_RECEPTION: "Rectifier la date de réception",
    Acte.RETIRER_RECEPTION: "Retirer la réception inscrite par erreur",
    Acte.RESILIER: "Signer la résiliation",
    Acte.PRENDRE_ARRETE: "Signer l’arrêté",
    Acte.CONVOQUER: "Signer l’invitation au point contradictoire",
    Acte.TENIR_REUNION: "Signer le compte rendu de la réunion",
    Acte.JUGER_JUSTIFIE: "Juger l’écart justifié et valider les résultats",
    Acte.JUGER_INJUSTIFIE: "Juger tout ou partie de l’écart injustifié",
    Acte.REPORTER: "Signer la notification du report",
    Acte.ATTRIBUER: "Signer la décision d’attribution directe",
    Acte.CLORE: "Clore la procédure",
    Acte.NOTIFIER: "Signer la notification du quart non atteint",
    Acte.ETEINDRE: "Constater que l’objet est rempli",
    Acte.ABANDONNER: "Abandonner la procédure",
}


class Qui(StrEnum):
    """Who may do it. SIGNATAIRE: a member of the State's service who has *signature*; AGENT: who may manage there."""

    AGENT = "AGENT"
    SIGNATAIRE = "SIGNATAIRE"


class Lettre(StrEnum):
    """The letters of the procedures; each belongs to one act."""

    MISE_EN_DEMEURE = "MISE_EN_DEMEURE"
    RESILIATION = "RESILIATION"
    ARRETE = "ARRETE"
    INVITATION = "INVITATION"
    COMPTE_RENDU = "COMPTE_RENDU"
    REPORT = "REPORT"
    ATTRIBUTION_DIRECTE = "ATTRIBUTION_DIRECTE"
    NOTIFICATION_QUART = "NOTIFICATION_QUART"
    ATTRIBUTION_QUART = "ATTRIBUTION_QUART"

    @property
    def libelle(self) -> str:
        return {
            "MISE_EN_DEMEURE": "mise en demeure",
            "RESILIATION": "notification de la résiliation",
            "ARRETE": "arrêté réglant la mise en œuvre des réservations",
            "INVITATION": "invitation au point contradictoire",
            "COMPTE_RENDU": "compte rendu du point contradictoire",
            "REPORT": "notification du report",
            "ATTRIBUTION_DIRECTE": "décision d’attribution directe",
            "NOTIFICATION_QUART": "notification du quart non atteint",
            "ATTRIBUTION_QUART": "décision d’attribution, quart non atteint",
        }[self.value]


class Engagement(NamedTuple):
    """What the convention asks before a date. `tolerance`: last day tolerated; `rempli_le`: None while it is not done,
    and None again when the DDETS sent it back to be corrected."""

    libelle: str
    article: str
    echeance: date
    tolerance: date
    rempli_le: date | None = None

    def manque(self, jour: date) -> bool:
        """Not done, and no longer tolerated on `jour`."""
        return self.rempli_le is None and jour > self.tolerance

    def retard(self, jour: date) -> int:
        """Days since it was due, 0 when done or not due yet."""
        return max(0, (jour - self.echeance).days) if self.rempli_le is None else 0


class Objectif(NamedTuple):
    """Whole dwellings of one réservataire: `objectif` with its report, `realise`. `clause`: the article of its
    convention on objectives missed, empty where the convention carries none."""

    code: str
    nom: str
    objectif: int
    realise: int
    clause: str = ""

    @property
    def manque(self) -> int:
        """Missed only when short by one dwelling or more (chapter 5)."""
        return max(0, self.objectif - self.realise)


class Quart(NamedTuple):
    """A contingent of the year: `prioritaires` of its `attributions`."""

    code: str
    nom: str
    prioritaires: int
    attributions: int

    @property
    def manque(self) -> int:
        """At least a quarter: ceil(n ÷ 4) less those made."""
        return manque_au_quart(self.prioritaires, self.attributions)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is true on `jour`, read again from the base at each act: never what a page showed.

    `acte_en_vigueur`: a convention (or an arrêté) gives the State's rights; `dernier_jour`: its last one, when it is already
    terminated. `engagements`: of MANQUEMENT. `objectifs`:
    those of the year, every réservataire. `quart`: of the contingent that QUART is about. `bilan_valide`: the figures are
    fixed. `suivi`: the letter of the present state. `delai`: the clock that it started. `reunion`: day of the meeting.
    `manques_retenus`: dwellings found unjustified; `decides`: of these, reported or attributed; `a_imputer`: dwellings
    that the préfet still has to attribute. `motif`: what the agent wrote.
    """

    jour: date
    acte_en_vigueur: bool = True
    dernier_jour: date | None = None
    engagements: tuple[Engagement, ...] = ()
    objectifs: tuple[Objectif, ...] = ()
    quart: Quart | None = None
    bilan_valide: bool = False
    suivi: Suivi | None = None
    delai: Delai | None = None
    reunion: date | None = None
    justifies: int = 0
    manques_retenus: int = 0
    decides: int = 0
    a_imputer: int = 0
    motif: str = ""

    @property
    def manquements(self) -> tuple[Engagement, ...]:
        return tuple(e for e in self.engagements if e.manque(self.jour))

    @property
    def manques(self) -> tuple[Objectif, ...]:
        """Objectives short by one dwelling or more, under a convention that carries the clause."""
        return tuple(o for o in self.objectifs if o.manque and o.clause)

    @property
    def total_manque(self) -> int:
        return sum(o.manque for o in self.manques)


class TransitionRefusee(ValueError):
    """The table, the role or the figures say no; the text says why, in French."""


Condition = Callable[[Situation], str]


# --- Conditions: "" when it holds, else the sentence that refuses ---------------------------------------------


def manquement_etabli(s: Situation) -> str:
    """An engagement is not kept today."""
    if s.manquements:
        return ""
    attendus = [e for e in s.engagements if e.rempli_le is None]
    if attendus:
        premier = min(attendus, key=lambda e: e.tolerance)
        return (
            f"Rien n’est en retard le {date_fr(s.jour)} : « {premier.libelle} » est attendu le {date_fr(premier.echeance)}, "
            f"toléré jusqu’au {date_fr(premier.tolerance)}."
        )
    return "Tout ce que la convention demande est remis : aucune mesure n’est possible."


def convention_presente(s: Situation) -> str:
    """There is an act to put an end to."""
    if s.acte_en_vigueur:
        return ""
    return "Aucune convention n’est en vigueur : l’arrêté se prend directement, sans mise en demeure."


def convention_absente(s: Situation) -> str:
    """No act at all."""
    if s.dernier_jour:
        return f"La convention résiliée s’applique jusqu’au {date_fr(s.dernier_jour)} : l’arrêté se prend ensuite."
    return (
        "Un acte est en vigueur : il se résilie après une mise en demeure restée deux mois sans effet."
        if s.acte_en_vigueur
        else ""
    )


def tout_est_rempli(s: Situation) -> str:
    """Every engagement is kept."""
    restent = [e.libelle for e in s.engagements if e.rempli_le is None]
    return f"Il reste à remettre : {enumerer(restent)}." if restent else ""


def acte_nouveau(s: Situation) -> str:
    """The parties signed in the meantime; what was put an end to, and lasts until its day, is not new."""
    nouveau = s.acte_en_vigueur and s.dernier_jour is None
    return "" if nouveau else "Aucune nouvelle convention n’est en vigueur."


def date_certaine(s: Situation) -> str:
    """The letter of this state reached its addressee on a certain date."""
    if s.suivi is None:
        return "La lettre n’est pas encore envoyée."
    if s.suivi.date_certaine is None:
        return "La date certaine de réception n’est pas encore inscrite : le délai ne court pas."
    return ""


def lettre_retournee(s: Situation) -> str:
    """The letter came back without having reached anybody."""
    return (
        ""
        if s.suivi is not None and s.suivi.a_renvoyer
        else "La lettre n’est pas revenue pour une adresse inexacte : elle produit ses effets."
    )


def reception_retiree(s: Situation) -> str:
    """The journal of the letter, corrected, gives no certain date any more."""
    if s.suivi is None or s.suivi.date_certaine is not None:
        return "La réception de la lettre est inscrite à sa date : elle se corrige au dossier de la lettre."
    return ""


def delai_expire(s: Situation) -> str:
    """The clock has run out: from the day after its last one."""
    if s.delai is None:
        return "Le délai ne court pas encore : la date certaine de réception manque."
    if not s.delai.expire(s.jour):
        return f"Le délai court jusqu’au {date_fr(s.delai.fin)} inclus."
    return ""


def objectifs_manques(s: Situation) -> str:
    """At least one dwelling short, where a clause allows the procedure."""
    if s.manques:
        return ""
    sans_clause = [o.nom for o in s.objectifs if o.manque]
    if sans_clause:
        return (
            f"La convention de {enumerer(sans_clause)} ne porte pas de clause sur les objectifs non atteints : ni report ni "
            "attribution directe ne sont possibles."
        )
    return "Les objectifs sont atteints : aucune mesure n’est possible."


def objectifs_atteints(s: Situation) -> str:
    """Nothing is short any more."""
    return f"Il manque encore {accorder(s.total_manque, 'attribution')}." if s.total_manque else ""


def reunion_fixee(s: Situation) -> str:
    """The invitation says when."""
    if s.reunion is None:
        return "Fixez le jour de la réunion avant de signer l’invitation."
    return "" if s.reunion > s.jour else "La réunion est fixée après le jour de l’invitation."


def reunion_passee(s: Situation) -> str:
    """The meeting has taken place, or its day has passed without the bailleur."""
    if s.reunion is None or s.jour < s.reunion:
        quand = f" : elle est fixée au {date_fr(s.reunion)}" if s.reunion else ""
        return f"La réunion n’a pas encore eu lieu{quand}."
    return ""


def tout_justifie(s: Situation) -> str:
    """The whole of what is missing was found justified."""
    reste = s.total_manque - s.justifies
    return (
        f"Il reste {accorder(reste, 'attribution manquante', 'attributions manquantes')} sans justification retenue."
        if reste > 0
        else ""
    )


def tout_juge(s: Situation) -> str:
    """Each missing dwelling is either justified or not, and one at least is not."""
    if not s.manques_retenus:
        return "Aucune attribution n’est jugée injustifiée : validez les résultats."
    if s.justifies + s.manques_retenus != s.total_manque:
        return (
            f"La décision porte sur {accorder(s.justifies + s.manques_retenus, 'attribution')}, il en manque {s.total_manque} : "
            "jugez chaque attribution manquante, une fois."
        )
    return ""


def reste_a_decider(s: Situation) -> str:
    """Something unjustified is neither reported nor attributed yet."""
    if s.decides < s.manques_retenus:
        return ""
    return "Tout ce qui est injustifié est déjà reporté ou attribué : rien ne se sanctionne deux fois."


def tout_decide(s: Situation) -> str:
    """Each unjustified dwelling is reported or attributed, and the attributed ones are made."""
    reste = s.manques_retenus - s.decides
    if reste > 0:
        return f"Il reste {accorder(reste, 'attribution')} à reporter ou à attribuer directement."
    if s.a_imputer:
        return f"Le préfet doit encore attribuer {accorder(s.a_imputer, 'logement')}."
    return ""


def quart_manque(s: Situation) -> str:
    """Less than a quarter."""
    if s.quart is None:
        return "Ce contingent n’a pas d’attribution dans l’année : le quart est sans objet."
    if s.quart.manque:
        return ""
    return (
        f"Le quart est atteint : {s.quart.prioritaires} / {s.quart.attributions}. Aucune mesure n’est possible."
        if s.quart.attributions
        else "Aucune attribution dans l’année : le quart est sans objet."
    )


def quart_atteint(s: Situation) -> str:
    """A quarter at least."""
    manque = s.quart.manque if s.quart else 0
    return f"Il manque encore {accorder(manque, 'attribution')}." if manque else ""


def chiffres_fixes(s: Situation) -> str:
    """The figures of the year are validated: a quarter is judged on a whole year."""
    return (
        ""
        if s.bilan_valide
        else "Le bilan de l’année n’est pas validé : ses chiffres peuvent encore changer."
    )


def rien_a_imputer(s: Situation) -> str:
    """The préfet has made all the attributions that were decided."""
    return f"Le préfet doit encore attribuer {accorder(s.a_imputer, 'logement')}." if s.a_imputer else ""


def motif_ecrit(s: Situation) -> str:
    """What is dropped says why."""
    return "" if s.motif.strip() else "Écrivez pourquoi la procédure est abandonnée : le bailleur le lira."


# --- The table -----------------------------------------------------------------------------------------------


class Transition(NamedTuple):
    """From `de` (None: it does not exist yet) to `vers`, by `acte`. `lettre`: what is signed and sent with it."""

    sorte: Sorte
    de: Etat | None
    acte: Acte
    vers: Etat
    qui: Qui = Qui.AGENT
    conditions: tuple[Condition, ...] = ()
    lettre: Lettre | None = None


_M, _O, _Q = Sorte.MANQUEMENT, Sorte.OBJECTIFS, Sorte.QUART
_S = Qui.SIGNATAIRE

TABLE: tuple[Transition, ...] = (
    # 1. Breach of the convention, or no convention at all.
    Transition(_M, None, Acte.OUVRIR, Etat.OUVERTE, conditions=(convention_presente, manquement_etabli)),
    Transition(_M, None, Acte.OUVRIR_SANS_CONVENTION, Etat.SANS_CONVENTION, conditions=(convention_absente,)),
    Transition(
        _M,
        Etat.OUVERTE,
        Acte.METTRE_EN_DEMEURE,
        Etat.MISE_EN_DEMEURE,
        _S,
        (convention_presente, manquement_etabli),
        Lettre.MISE_EN_DEMEURE,
    ),
    Transition(_M, Etat.MISE_EN_DEMEURE, Acte.CONSTATER_RECEPTION, Etat.DELAI, conditions=(date_certaine,)),
    Transition(_M, Etat.MISE_EN_DEMEURE, Acte.CONSTATER_RETOUR, Etat.OUVERTE, conditions=(lettre_retournee,)),
    Transition(_M, Etat.DELAI, Acte.RECTIFIER_RECEPTION, Etat.DELAI, conditions=(date_certaine,)),
    Transition(_M, Etat.DELAI, Acte.RETIRER_RECEPTION, Etat.MISE_EN_DEMEURE, conditions=(reception_retiree,)),
    Transition(
        _M,
        Etat.DELAI,
        Acte.RESILIER,
        Etat.RESILIEE,
        _S,
        (convention_presente, delai_expire, manquement_etabli),
        Lettre.RESILIATION,
    ),
    Transition(
        _M, Etat.RESILIEE, Acte.PRENDRE_ARRETE, Etat.ARRETEE, _S, (convention_absente,), Lettre.ARRETE
    ),
    Transition(
        _M, Etat.SANS_CONVENTION, Acte.PRENDRE_ARRETE, Etat.ARRETEE, _S, (convention_absente,), Lettre.ARRETE
    ),
    *(
        Transition(_M, de, Acte.ETEINDRE, Etat.ETEINTE, conditions=(tout_est_rempli,))
        for de in (Etat.OUVERTE, Etat.MISE_EN_DEMEURE, Etat.DELAI)
    ),
    *(
        Transition(_M, de, Acte.ETEINDRE, Etat.ETEINTE, conditions=(acte_nouveau,))
        for de in (Etat.RESILIEE, Etat.SANS_CONVENTION)
    ),
    *(
        Transition(_M, de, Acte.ABANDONNER, Etat.ABANDONNEE, conditions=(motif_ecrit,))
        for de in (Etat.OUVERTE, Etat.SANS_CONVENTION, Etat.MISE_EN_DEMEURE, Etat.DELAI)
    ),
    # 2. Objectives missed.
    Transition(_O, None, Acte.OUVRIR, Etat.OUVERTE, conditions=(objectifs_manques,)),
    Transition(
        _O,
        Etat.OUVERTE,
        Acte.CONVOQUER,
        Etat.CONVOQUEE,
        _S,
        (objectifs_manques, reunion_fixee),
        Lettre.INVITATION,
    ),
    Transition(
        _O, Etat.CONVOQUEE, Acte.CONSTATER_RECEPTION, Etat.CONTRADICTOIRE, conditions=(date_certaine,)
    ),
    Transition(_O, Etat.CONVOQUEE, Acte.CONSTATER_RETOUR, Etat.OUVERTE, conditions=(lettre_retournee,)),
    Transition(
        _O, Etat.CONTRADICTOIRE, Acte.RECTIFIER_RECEPTION, Etat.CONTRADICTOIRE, conditions=(date_certaine,)
    ),
    Transition(
        _O, Etat.CONTRADICTOIRE, Acte.RETIRER_RECEPTION, Etat.CONVOQUEE, conditions=(reception_retiree,)
    ),
    Transition(
        _O,
        Etat.CONTRADICTOIRE,
        Acte.TENIR_REUNION,
        Etat.DEBATTUE,
        _S,
        (reunion_passee,),
        Lettre.COMPTE_RENDU,
    ),
    Transition(_O, Etat.DEBATTUE, Acte.JUGER_JUSTIFIE, Etat.JUSTIFIEE, _S, (tout_justifie,)),
    Transition(
        _O, Etat.DEBATTUE, Acte.JUGER_INJUSTIFIE, Etat.INJUSTIFIEE, _S, (objectifs_manques, tout_juge)
    ),
    Transition(
        _O,
        Etat.INJUSTIFIEE,
        Acte.REPORTER,
        Etat.INJUSTIFIEE,
        _S,
        (objectifs_manques, reste_a_decider),
        Lettre.REPORT,
    ),
    Transition(
        _O,
        Etat.INJUSTIFIEE,
        Acte.ATTRIBUER,
        Etat.INJUSTIFIEE,
        _S,
        (objectifs_manques, reste_a_decider),
        Lettre.ATTRIBUTION_DIRECTE,
    ),
    Transition(_O, Etat.INJUSTIFIEE, Acte.CLORE, Etat.SANCTIONNEE, conditions=(tout_decide,)),
    *(
        Transition(_O, de, Acte.ETEINDRE, Etat.ETEINTE, conditions=(objectifs_atteints,))
        for de in (Etat.OUVERTE, Etat.CONVOQUEE, Etat.CONTRADICTOIRE, Etat.DEBATTUE, Etat.INJUSTIFIEE)
    ),
    *(
        Transition(_O, de, Acte.ABANDONNER, Etat.ABANDONNEE, conditions=(motif_ecrit,))
        for de in (Etat.OUVERTE, Etat.CONVOQUEE, Etat.CONTRADICTOIRE, Etat.DEBATTUE, Etat.INJUSTIFIEE)
    ),
    # 3. A quarter not reached.
    Transition(_Q, None, Acte.OUVRIR, Etat.OUVERTE, conditions=(quart_manque, chiffres_fixes)),
    Transition(
        _Q,
        Etat.OUVERTE,
        Acte.NOTIFIER,
        Etat.NOTIFIEE,
        _S,
        (quart_manque, chiffres_fixes),
        Lettre.NOTIFICATION_QUART,
    ),
    Transition(_Q, Etat.NOTIFIEE, Acte.CONSTATER_RECEPTION, Etat.OBSERVATIONS, conditions=(date_certaine,)),
    Transition(_Q, Etat.NOTIFIEE, Acte.CONSTATER_RETOUR, Etat.OUVERTE, conditions=(lettre_retournee,)),
    Transition(
        _Q, Etat.OBSERVATIONS, Acte.RECTIFIER_RECEPTION, Etat.OBSERVATIONS, conditions=(date_certaine,)
    ),
    Transition(_Q, Etat.OBSERVATIONS, Acte.RETIRER_RECEPTION, Etat.NOTIFIEE, conditions=(reception_retiree,)),
    Transition(
        _Q,
        Etat.OBSERVATIONS,
        Acte.ATTRIBUER,
        Etat.ATTRIBUTION,
        _S,
        (delai_expire, quart_manque),
        Lettre.ATTRIBUTION_QUART,
    ),
    Transition(_Q, Etat.ATTRIBUTION, Acte.CLORE, Etat.IMPUTEE, conditions=(rien_a_imputer,)),
    *(
        Transition(_Q, de, Acte.ETEINDRE, Etat.ETEINTE, conditions=(quart_atteint,))
        for de in (Etat.OUVERTE, Etat.NOTIFIEE, Etat.OBSERVATIONS)
    ),
    *(
        Transition(_Q, de, Acte.ABANDONNER, Etat.ABANDONNEE, conditions=(motif_ecrit,))
        for de in (Etat.OUVERTE, Etat.NOTIFIEE, Etat.OBSERVATIONS, Etat.ATTRIBUTION)
    ),
)

_PAR_CLE: Mapping[tuple[Sorte, Etat | None, Acte], Transition] = {(t.sorte, t.de, t.acte): t for t in TABLE}
ETATS: Mapping[Sorte, tuple[Etat, ...]] = {
    sorte: tuple(e for e in Etat if any(t.sorte == sorte and e in (t.de, t.vers) for t in TABLE))
    for sorte in Sorte
}
# The state that awaits a certain date → the one where the clock that it started runs. A wrong date is corrected there, while
# nothing else was done.
ATTENTES: Mapping[tuple[Sorte, Etat], Etat] = {
    (_M, Etat.MISE_EN_DEMEURE): Etat.DELAI,
    (_O, Etat.CONVOQUEE): Etat.CONTRADICTOIRE,
    (_Q, Etat.NOTIFIEE): Etat.OBSERVATIONS,
}
# What follows the journal of a letter, never a form.
PAR_LA_LETTRE = frozenset(
    {Acte.CONSTATER_RECEPTION, Acte.CONSTATER_RETOUR, Acte.RECTIFIER_RECEPTION, Acte.RETIRER_RECEPTION}
)
# The last of them gives the certain date.
RECEPTIONS = (Acte.CONSTATER_RECEPTION, Acte.RECTIFIER_RECEPTION)
CORRECTIONS = frozenset({Acte.RECTIFIER_RECEPTION, Acte.RETIRER_RECEPTION})
# States in which each party may write its statement, until it signs it (point contradictoire, observations).
CONTRADICTOIRE = frozenset(
    {
        Etat.MISE_EN_DEMEURE,
        Etat.DELAI,
        Etat.CONVOQUEE,
        Etat.CONTRADICTOIRE,
        Etat.NOTIFIEE,
        Etat.OBSERVATIONS,
    }
)


def transition(sorte: Sorte, de: Etat | None, acte: Acte) -> Transition:
    """The line of the table. Raises `TransitionRefusee` when there is none."""
    try:
        return _PAR_CLE[sorte, de, acte]
    except KeyError:
        ou = f"au stade « {stade(de)} »" if de else "avant son ouverture"
        raise TransitionRefusee(
            f"« {acte.libelle} » n’est pas possible {ou} : {sorte.libelle.lower()}."
        ) from None


def refus(t: Transition, situation: Situation) -> tuple[str, ...]:
    """Every reason why this transition is impossible today; empty when it is possible."""
    return tuple(filter(None, (condition(situation) for condition in t.conditions)))


def passer(sorte: Sorte, de: Etat | None, acte: Acte, qui: Qui, situation: Situation) -> Transition:
    """The transition, once the table, the role and the figures agree. Raises `TransitionRefusee`."""
    trouvee = transition(sorte, de, acte)
    if trouvee.qui == Qui.SIGNATAIRE and qui != Qui.SIGNATAIRE:
        raise TransitionRefusee("Cet acte est signé par une personne qui a le rôle de signature.")
    raisons = refus(trouvee, situation)
    if raisons:
        raise TransitionRefusee(" ".join(raisons))
    return trouvee


class Possibilite(NamedTuple):
    """An act of the present state, and why not when it is impossible: the page shows both."""

    transition: Transition
    raisons: tuple[str, ...]

    @property
    def possible(self) -> bool:
        return not self.raisons


def possibilites(sorte: Sorte, de: Etat | None, situation: Situation) -> tuple[Possibilite, ...]:
    """Every act that the table holds from this state, in its order."""
    return tuple(Possibilite(t, refus(t, situation)) for t in TABLE if t.sorte == sorte and t.de == de)


# --- What each state means -----------------------------------------------------------------------------------

_STADES: Mapping[Etat, str] = {
    Etat.OUVERTE: "ouverte, rien n’est envoyé",
    Etat.SANS_CONVENTION: "sans convention, arrêté à prendre",
    Etat.MISE_EN_DEMEURE: "mise en demeure signée, réception attendue",
    Etat.DELAI: "mise en demeure reçue, deux mois courent",
    Etat.RESILIEE: "convention résiliée, arrêté à prendre",
    Etat.ARRETEE: "réglée par arrêté",
    Etat.CONVOQUEE: "invitation signée, réception attendue",
    Etat.CONTRADICTOIRE: "observations attendues",
    Etat.DEBATTUE: "réunion tenue, décision attendue",
    Etat.JUSTIFIEE: "écart justifié, résultats validés",
    Etat.INJUSTIFIEE: "écart injustifié, mesure à prendre",
    Etat.SANCTIONNEE: "mesures prises",
    Etat.NOTIFIEE: "notification signée, réception attendue",
    Etat.OBSERVATIONS: "observations attendues",
    Etat.ATTRIBUTION: "attributions du préfet en cours",
    Etat.IMPUTEE: "attributions imputées",
    Etat.ETEINTE: "éteinte, l’objet est rempli",
    Etat.ABANDONNEE: "abandonnée",
}


def stade(etat: Etat) -> str:
    """How the state is said, in a badge and in a sentence."""
    return _STADES[etat]


class Suites(NamedTuple):
    """What every party must know: the two sentences of the page."""

    si_bailleur_ne_fait_rien: str
    si_administration_ne_fait_rien: str


def suites(sorte: Sorte, etat: Etat, situation: Situation) -> Suites:
    """What comes if the bailleur (or the réservataire) does nothing, and if the administration does nothing."""
    if etat not in ETATS[sorte]:
        raise TransitionRefusee(f"« {stade(etat)} » n’est pas un stade de : {sorte.libelle.lower()}.")
    if etat in FINS:
        return Suites("Rien : la procédure est terminée.", "Rien : la procédure est terminée.")
    return _SUITES[sorte, etat](situation)


def _fin(s: Situation) -> str:
    return date_fr(s.delai.fin) if s.delai else "la date qui suivra la réception"


def _delai(s: Situation) -> Suites:
    if s.delai is not None and s.delai.expire(s.jour):
        return Suites(
            f"Le délai est expiré depuis le {_fin(s)} : le préfet peut résilier la convention, puis fixer par arrêté la mise en "
            "œuvre de ses réservations. Une remise avant la résiliation l’empêche encore.",
            "La convention continue de s’appliquer. Rien n’est automatique ; le dossier reste visible.",
        )
    return Suites(
        f"À l’expiration du délai, le {_fin(s)} à minuit, le préfet peut résilier la convention, puis fixer par arrêté la mise "
        "en œuvre de ses réservations. Rien n’est automatique.",
        "La convention continue de s’appliquer, et le délai court.",
    )


def _resiliee(s: Situation) -> Suites:
    encore = (
        f"La convention résiliée s’applique jusqu’au {date_fr(s.dernier_jour)}. " if s.dernier_jour else ""
    )
    return Suites(
        f"{encore}{'Ensuite, le' if encore else 'Le'} préfet fixe par arrêté la mise en œuvre de ses réservations. Une nouvelle "
        "convention signée éteint la procédure.",
        f"{encore}{'Ensuite, aucun acte ne règle' if encore else 'Aucun acte ne règle plus'} les réservations de l’État.",
    )


def _contradictoire(s: Situation) -> Suites:
    quand = f" du {date_fr(s.reunion)}" if s.reunion else ""
    return Suites(
        f"La réunion{quand} se tient sur les chiffres du bilan. Ce qui n’est pas justifié peut être reporté sur les objectifs de "
        "l’année suivante ou attribué directement par le préfet.",
        "Aucun report, aucune attribution directe : les objectifs de l’année suivante restent ceux de son flux.",
    )


def _injustifiee(s: Situation) -> Suites:
    reste = s.manques_retenus - s.decides
    return Suites(
        f"La décision est prise. {accorder(reste, 'attribution')} peuvent encore être reportées ou attribuées directement, jamais les "
        "deux."
        if reste > 1
        else "La décision est prise ; ses suites sont notifiées par lettre.",
        "Ce qui n’est ni reporté ni attribué ne pèse sur aucun objectif.",
    )


_SUITES: Mapping[tuple[Sorte, Etat], Callable[[Situation], Suites]] = {
    (_M, Etat.OUVERTE): lambda s: Suites(
        "Le préfet peut signer une mise en demeure, qui ouvre un délai de deux mois à sa réception.",
        "Rien ne part et aucun délai ne court.",
    ),
    (_M, Etat.SANS_CONVENTION): lambda s: Suites(
        "Le préfet peut fixer directement par arrêté la mise en œuvre de ses réservations.",
        "Les réservations de l’État ne sont réglées par aucun acte ; sa part reste à convenir.",
    ),
    (_M, Etat.MISE_EN_DEMEURE): lambda s: Suites(
        "Une lettre présentée et non réclamée est réputée reçue le jour de sa première présentation : le délai de deux mois en "
        "part.",
        "Sans date certaine de réception inscrite, le délai ne court pas et la convention ne peut pas être résiliée.",
    ),
    (_M, Etat.DELAI): _delai,
    (_M, Etat.RESILIEE): _resiliee,
    (_O, Etat.OUVERTE): lambda s: Suites(
        "Le préfet peut convoquer un point contradictoire sur les causes de l’écart.",
        "Rien ne part : les objectifs de l’année suivante restent ceux de son flux.",
    ),
    (_O, Etat.CONVOQUEE): _contradictoire,
    (_O, Etat.CONTRADICTOIRE): _contradictoire,
    (_O, Etat.DEBATTUE): lambda s: Suites(
        "Le préfet décide, par réservataire, de ce qui est justifié, au vu du compte rendu et des écrits signés.",
        "Aucun délai légal : sans décision, ni report ni attribution directe.",
    ),
    (_O, Etat.INJUSTIFIEE): _injustifiee,
    (_Q, Etat.OUVERTE): lambda s: Suites(
        "Le préfet peut notifier le nombre manquant, puis attribuer lui-même des logements sur ce contingent.",
        "Rien ne part et rien n’est imputé.",
    ),
    (_Q, Etat.NOTIFIEE): lambda s: Suites(
        "Une lettre présentée et non réclamée est réputée reçue le jour de sa première présentation : le délai des observations "
        "en part.",
        "Sans date certaine de réception inscrite, le préfet ne peut pas attribuer.",
    ),
    (_Q, Etat.OBSERVATIONS): lambda s: Suites(
        f"Après le {_fin(s)}, le préfet peut attribuer à des ménages prioritaires un nombre de logements égal à ce qui manque, "
        "imputés sur ce contingent.",
        "Rien n’est attribué ni imputé.",
    ),
    (_Q, Etat.ATTRIBUTION): lambda s: Suites(
        f"Le préfet attribue les logements décidés ({accorder(s.a_imputer, 'reste', 'restent')} à attribuer), imputés sur ce contingent.",
        "Les logements décidés restent à attribuer ; le dossier reste ouvert.",
    ),
}
