"""The clocks that run in a département: each kind of act that has a term declares here how its own are read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q
from django.urls import reverse

from bilans.regles.campagne import NatureEcheance
from reservation.acteur import Acteur
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import accorder, minuscule, typographier

from .procedures_liste import EN_COURS, lignes
from .suivi_campagne import obligations


@dataclass(frozen=True, slots=True)
class Horloge:
    """`terme`: last day, None without a legal term; `jours`: to that day, negative once it is past. `suite`: what comes of it.

    `detail`: what is said of this one only, where it is listed with those of the same kind and term.
    """

    titre: str
    qui: str
    nature: str
    terme: date | None
    jours: int | None
    suite: str
    url: str
    detail: str = ""

    @property
    def complet(self) -> str:
        return f"{self.qui}, {self.detail}" if self.detail else self.qui

    @property
    def passee(self) -> bool:
        return self.jours is not None and self.jours < 0

    @property
    def compte_a_rebours(self) -> str:
        if self.jours is None:
            return "sans délai légal"
        if self.jours == 0:
            return "aujourd’hui"
        return f"{'dans' if self.jours > 0 else 'passé depuis'} {accorder(abs(self.jours), 'jour')}"


# How the clocks of one group are counted, by nature.
MEMBRES = {"campagne": ("bailleur", "bailleurs"), "procédure": ("destinataire", "destinataires")}


@dataclass(frozen=True, slots=True)
class GroupeHorloges:
    """The clocks of the same act, the same term and the same consequence: one line, whatever their number."""

    membres: tuple[Horloge, ...]

    @property
    def premiere(self) -> Horloge:
        return self.membres[0]

    @property
    def seule(self) -> bool:
        return len(self.membres) == 1

    @property
    def url(self) -> str:
        """The page of them all; empty when each has its own."""
        return self.premiere.url if len({h.url for h in self.membres}) == 1 else ""

    @property
    def qui(self) -> str:
        """Whoever must act, when it is the same for all; empty else."""
        return self.premiere.qui if len({h.qui for h in self.membres}) == 1 else ""

    @property
    def noms(self) -> list[tuple[str, str]]:
        """Each of them, with its page when they have not the same."""
        return [
            (h.detail if self.qui and h.detail else h.complet, "" if self.url else h.url)
            for h in self.membres
        ]

    @property
    def combien(self) -> str:
        nombre = accorder(len(self.membres), *MEMBRES.get(self.premiere.nature, ("cas", "cas")))
        return f"{self.qui}, {nombre}" if self.qui else nombre


Lecteur = Callable[[Acteur, datetime], list[Horloge]]
_LECTEURS: list[Lecteur] = []


def declarer_horloges(lecteur: Lecteur) -> Lecteur:
    """Have `lecteur` asked for the clocks of an actor at a moment; a fixed number of queries is its business."""
    if lecteur not in _LECTEURS:
        _LECTEURS.append(lecteur)
    return lecteur


def horloges(acteur: Acteur, maintenant: datetime) -> list[Horloge]:
    """Every clock that runs, the nearest term first, those without a term last."""
    trouvees = [h for lecteur in _LECTEURS for h in lecteur(acteur, maintenant)]
    return sorted(trouvees, key=lambda h: (h.terme is None, h.terme or date.max, h.qui, h.titre))


def grouper(lues: list[Horloge]) -> list[GroupeHorloges]:
    """The same clocks, one line for those that only their organisation tells apart; the order is kept."""
    groupes: dict[tuple, list[Horloge]] = {}
    for h in lues:
        groupes.setdefault((h.titre, h.nature, h.terme, h.suite), []).append(h)
    return [GroupeHorloges(tuple(membres)) for membres in groupes.values()]


SUITES = {
    NatureEcheance.PROJECTION: "Ses réservataires attendent ses soustractions prévisionnelles (CCH, art. R. 441-5, I).",
    NatureEcheance.PART_ALS: "Le préfet attend d’être informé (convention-cadre PACA, art. 4, d).",
    NatureEcheance.BILAN: "Mise en demeure possible, puis deux mois à compter de sa réception (CCH, art. R. 441-5-2, IV).",
    NatureEcheance.CORRECTION: "Le bilan reste ouvert : ses chiffres ne font pas foi.",
    NatureEcheance.POINT_ETAPE_1: "L’atterrissage du premier semestre n’est pas arrêté.",
    NatureEcheance.POINT_ETAPE_2: "Le bilan de février en tient lieu.",
}


@declarer_horloges
def horloges_de_campagne(acteur: Acteur, maintenant: datetime) -> list[Horloge]:
    """The dates of the campaigns that a bailleur has gone past, tolerance included: one clock for each."""
    return [
        Horloge(
            titre=f"{o.echeance.titre}, campagne {o.echeance.annee}",
            qui=o.bailleur.nom if o.attendue_de(o.bailleur.pk) else "Action Logement Services",
            nature="campagne",
            terme=o.echeance.tolerance,
            jours=(o.echeance.tolerance - o.situation.jour).days,
            suite=typographier(f"{minuscule(o.situation.libelle).capitalize()}. {SUITES[o.echeance.nature]}"),
            url=reverse("bilans:campagne", args=["departement", o.departement.pk, o.echeance.annee]),
            detail=o.departement.nom
            if o.attendue_de(o.bailleur.pk)
            else f"{o.bailleur.nom}, {o.departement.nom}",
        )
        for o in obligations(acteur, maintenant)
        if o.situation.en_retard
    ]


EXPIRE = "Le délai est expiré : l’acte suivant est possible, rien n’est automatique."


@declarer_horloges
def horloges_des_procedures(acteur: Acteur, maintenant: datetime) -> list[Horloge]:
    """The procedures that are not over: those whose delay runs or has run out, then those without a legal term."""
    jour = jour_a_paris(maintenant)
    return [
        Horloge(
            titre=f"{ligne.procedure.regle.libelle} {ligne.procedure.annee}",
            qui=ligne.procedure.destinataire.nom,
            nature="procédure",
            terme=ligne.delai.fin if ligne.delai else None,
            jours=(ligne.delai.fin - jour).days if ligne.delai else None,
            suite=typographier(
                f"{ligne.stade[0].upper()}{ligne.stade[1:]}.{f' {EXPIRE}' if ligne.expire else ''}"
            ),
            url=reverse("bilans:procedure", args=[ligne.procedure.pk]),
        )
        for ligne in lignes(acteur, jour, Q(etat__in=EN_COURS))
    ]
