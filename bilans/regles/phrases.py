"""The verdict of a bilan in sentences, each piece a function of figures: the préfet reads this first.

The order never changes: the État's objective, what else is missing, what holds, what follows. A piece that has
nothing to say says nothing. Names of réservataires have no article that a program could guess ("Commune de
Cannes", "CAF"): sentences list them after a colon.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flux.regles.realise import manque_au_quart
from reservation.regles.typographie import (
    accorder,
    date_fr,
    decimal_fr,
    entier_fr,
    enumerer,
    minuscule,
    typographier,
)

from .donnees import ALS, BAILLEUR, ETAT, ControleCent, ControleHorsQpv, DonneesBilan, Part, PlafondAgents
from .verdicts import (
    Issue,
    Verdict,
    juger_cent_pour_cent,
    juger_objectif,
    juger_plafond,
    juger_plancher,
    juger_quart,
)

# More names than that in one sentence are no longer read: the table has them all.
NOMS_PAR_PHRASE = 4


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence of the verdict; `forte`: it says what decides."""

    texte: str
    forte: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "texte", typographier(self.texte))


Paragraphe = tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class VerdictGeneral:
    """`tenu`: everything that could be missed holds. The title says it in a word."""

    tenu: bool
    titre: str
    paragraphes: tuple[Paragraphe, ...]


def rendre_verdict(donnees: DonneesBilan) -> VerdictGeneral:
    """The verdict of the whole bilan."""
    verdicts = juger(donnees)
    tenu = all(verdict.issue != Issue.MANQUE for verdict in verdicts)
    paragraphes = (
        phrases_etat(donnees.part(ETAT), donnees),
        phrases_manques(donnees),
        (phrase_reste(verdicts, donnees.part(ETAT)),),
        phrases_suite(donnees),
    )
    provisoire = donnees.situation.provisoire
    return VerdictGeneral(
        tenu=tenu,
        titre="Situation provisoire" if provisoire else "Verdict",
        paragraphes=tuple(
            corps
            for corps in (tuple(p for p in paragraphe if p.texte) for paragraphe in paragraphes)
            if corps
        ),
    )


def juger(donnees: DonneesBilan) -> tuple[Verdict, ...]:
    """Every test of the bilan, in the order of its two first tables."""
    return (
        *(juger_objectif(p.ecart, p.objectif_total, p.realise) for p in donnees.parts),
        juger_cent_pour_cent(donnees.etat_100.attributions, donnees.etat_100.manque),
        juger_plafond(donnees.agents.loges, donnees.agents.plafond),
        juger_plancher(donnees.hors_qpv.etat, donnees.hors_qpv.objectif),
        *(juger_quart(q.attributions, q.manque) for q in donnees.quarts),
    )


# --- The État's objective -----------------------------------------------------------------------------------


def phrases_etat(part: Part, donnees: DonneesBilan) -> Paragraphe:
    """What was due to the État and what it got; where the objective comes from when a report adds to it."""
    debut = f"Au {date_fr(donnees.situation.donnees_au)}, l" if donnees.situation.provisoire else "L"
    return (
        Phrase(phrase_objectif_etat(part, debut, donnees.situation.provisoire), forte=True),
        Phrase(phrase_report(part, donnees.annee)),
    )


def phrase_objectif_etat(part: Part, debut: str = "L", provisoire: bool = False) -> str:
    """ "L’objectif de l’État n’est pas atteint : 77 logements pour 82 attendus, il en manque 5." """
    if not part.taux:
        return f"{debut}’État n’avait pas d’acte en vigueur dans l’année : aucun objectif n’est fixé."
    if not part.objectif_total:
        return (
            f"{debut}’État n’attendait aucun logement entier : sa part exacte est de "
            f"{decimal_fr(part.exacte)}. {_realise(part)}."
        )
    compte = f"{accorder(part.realise, 'logement')} pour {entier_fr(part.objectif_total)} attendus"
    match juger_objectif(part.ecart, part.objectif_total, part.realise):
        case Verdict(issue=Issue.MANQUE, manque=manque):
            encore = "n’est pas encore" if provisoire else "n’est pas"
            return (
                f"{debut}’objectif de l’État {encore} atteint : {compte}, il en manque {entier_fr(manque)}."
            )
        case verdict:
            return f"{debut}’objectif de l’État est {verdict.mot} : {compte}."


def _realise(part: Part) -> str:
    accord = "a été réalisé" if part.realise < 2 else "ont été réalisés"
    return f"{accorder(part.realise, 'logement')} {accord}" if part.realise else "Aucun n’a été réalisé"


def phrase_report(part: Part, annee: int) -> str:
    """ "La part de l’année est de 80 ; 2 s’y ajoutent au titre de 2024 (report)." """
    if not part.report:
        return ""
    return (
        f"La part de l’année est de {entier_fr(part.objectif)} ; {entier_fr(part.report)} "
        f"{'s’y ajoute' if part.report < 2 else 's’y ajoutent'} au titre de {annee - 1} (report)."
    )


# --- What else is missing -----------------------------------------------------------------------------------


def phrases_manques(donnees: DonneesBilan) -> Paragraphe:
    """Every other test that fails, the quarter first: it is judged on its own procedure (L. 441-1, L. 313-26-2)."""
    return (
        Phrase(phrase_quarts(donnees), forte=True),
        Phrase(phrase_objectifs(donnees)),
        Phrase(phrase_cent(donnees.etat_100), forte=True),
        Phrase(phrase_agents(donnees.agents)),
        Phrase(phrase_hors_qpv(donnees.hors_qpv), forte=True),
    )


def phrase_quarts(donnees: DonneesBilan) -> str:
    """ "Quart dû aux publics prioritaires non atteint : Action Logement Services (13 sur 56, il en fallait 14)." """
    manquants = sorted((q for q in donnees.quarts if q.manque), key=lambda q: -q.manque)
    textes = [
        f"{_nom(donnees, quart.code)} ({entier_fr(quart.prioritaires)} sur {entier_fr(quart.attributions)}, "
        f"il en fallait {entier_fr(manque_au_quart(0, quart.attributions))})"
        for quart in manquants
    ]
    return f"Quart dû aux publics prioritaires non atteint : {lister(textes)}." if textes else ""


def phrase_objectifs(donnees: DonneesBilan) -> str:
    """ "Autre objectif manqué : Commune de Cannes (11 pour 12)." The État's has its own sentence."""
    manquants = sorted(
        (p for p in donnees.parts if p.code != ETAT and p.ecart is not None and p.ecart < 0),
        key=lambda p: p.ecart or 0,
    )
    textes = [
        f"{_nom(donnees, part.code)} ({entier_fr(part.realise)} pour {entier_fr(part.objectif_total)})"
        for part in manquants
    ]
    if not textes:
        return ""
    intitule = "Autre objectif manqué" if len(textes) == 1 else "Autres objectifs manqués"
    return f"{intitule} : {lister(textes)}."


def phrase_cent(cent: ControleCent) -> str:
    """ "Le contingent de l’État a logé 3 ménages non prioritaires sans motif consigné." """
    if not cent.manque:
        return ""
    menages = accorder(cent.manque, "ménage non prioritaire", "ménages non prioritaires")
    return f"Le contingent de l’État, hors agents, a logé {menages} sans motif consigné."


def phrase_agents(agents: PlafondAgents) -> str:
    """ "Le plafond des agents de l’État est dépassé : 16 pour 14 ; l’excédent ne compte pas dans l’objectif." """
    if agents.loges <= agents.plafond:
        return ""
    return (
        f"Le plafond des agents de l’État est dépassé : {entier_fr(agents.loges)} pour "
        f"{entier_fr(agents.plafond)} ; l’excédent ne compte pas dans l’objectif."
    )


def phrase_hors_qpv(hors_qpv: ControleHorsQpv) -> str:
    """ "Hors des quartiers prioritaires, l’État a obtenu 44 logements pour un plancher de 48." """
    verdict = juger_plancher(hors_qpv.etat, hors_qpv.objectif)
    if verdict.issue != Issue.MANQUE:
        return ""
    return (
        f"Hors des quartiers prioritaires de la ville, l’État a obtenu {accorder(hors_qpv.etat, 'logement')} "
        f"pour un plancher de {entier_fr(hors_qpv.objectif or 0)}, il en manque {entier_fr(verdict.manque)}."
    )


# --- What holds, what follows -------------------------------------------------------------------------------


def phrase_reste(verdicts: Sequence[Verdict], etat: Part) -> Phrase:
    """ "Tous les autres objectifs, plafonds et seuils sont tenus." or that nothing else does."""
    manques = sum(verdict.issue == Issue.MANQUE for verdict in verdicts)
    tenus = sum(verdict.issue == Issue.TENU for verdict in verdicts)
    etat_tenu = etat.ecart is not None and etat.ecart >= 0
    if not tenus or (etat_tenu and tenus == 1):
        return Phrase("")
    autres = "Tous les autres" if manques or etat_tenu else "Tous les"
    return Phrase(f"{autres} objectifs, plafonds et seuils sont tenus.")


def phrases_suite(donnees: DonneesBilan) -> Paragraphe:
    """What the texts make of it: nothing is decided here, the procedure is named with the text it rests on."""
    if donnees.situation.provisoire:
        phrases = [Phrase("L’année n’est pas terminée : rien n’est encore jugé.")]
        if donnees.atterrissage:
            phrases.append(Phrase(donnees.atterrissage.besoin, forte=True))
        return tuple(phrases)
    phrases = [phrase_suite_objectifs(donnees), phrase_suite_quart(donnees)]
    return tuple(Phrase(texte) for texte in phrases if texte)


def phrase_suite_objectifs(donnees: DonneesBilan) -> str:
    """The point contradictoire, only where a convention carries the clause (CA, art. 8.2)."""
    manquants = [p.code for p in donnees.parts if p.ecart is not None and p.ecart < 0]
    if not manquants:
        return ""
    clauses = sorted(
        {
            c.clause_objectifs
            for c in donnees.conventions
            if c.reservataire in manquants and c.clause_objectifs
        }
    )
    if not clauses:
        return "Suite : les conventions concernées ne prévoient pas de suite à un objectif manqué."
    textes = enumerer(minuscule(clause) for clause in clauses)
    return f"Suite : point contradictoire entre l’État et le bailleur sur les causes (convention : {textes})."


def phrase_suite_quart(donnees: DonneesBilan) -> str:
    """Each quarter has its own judge: ALS on the département, the others on all their attributions (chapter 6)."""
    codes = {quart.code for quart in donnees.quarts if quart.manque}
    if not codes:
        return ""
    if codes == {BAILLEUR}:
        return "Le quart du bailleur se juge sur ses logements non réservés du département (L. 441-1)."
    if ALS in codes:
        return (
            "Le quart d’Action Logement Services se juge sur toutes ses attributions du département "
            "(L. 313-26-2), celui d’une collectivité sur toutes les siennes (L. 441-1)."
            if codes - {ALS, BAILLEUR}
            else "Le quart d’Action Logement Services se juge sur toutes ses attributions du département "
            "(L. 313-26-2)."
        )
    return "Le quart d’une collectivité se juge sur toutes ses attributions (L. 441-1)."


# --- Small words --------------------------------------------------------------------------------------------


def lister(textes: Sequence[str]) -> str:
    """Some names, then how many more: ("a", "b", "c", "d", "e", "f") → "a, b, c, d et 2 autres"."""
    if len(textes) <= NOMS_PAR_PHRASE + 1:
        return enumerer(textes)
    return enumerer([*textes[:NOMS_PAR_PHRASE], f"{entier_fr(len(textes) - NOMS_PAR_PHRASE)} autres"])


def _nom(donnees: DonneesBilan, code: str) -> str:
    return donnees.reservataire(code).nom
