"""The report of a deposit, ready for its page: causes with their cells, cards, piles, differences.

Everything comes from the lines that still wait, in a handful of queries, however many lines there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property

from django.db import connection
from django.db.models import Max, Q

from flux.imports.colonnes import COLONNES, TABLEAUX, Colonne, est_personnel, lettre
from flux.imports.lecture import RAISONS_IGNOREES
from flux.models import SUJETS_EXTERNES, Depot, LigneDepot
from flux.services.depots.correspondances import Valeur, valeurs_du_depot
from flux.services.depots.extraits import periode
from reservation.models import EtatParc, Logement
from reservation.regles.typographie import accorder, entier_fr, enumerer, typographier

CARTES = 6
DIFFERENCES = 10
CELLULES = 5
_DEBUT_COMMUN, _CANDIDATES = 3, 2_000  # characters that a mistyped reference keeps; references compared
PART_DE_MASSE = 50  # % of the rejected lines from which one cause is said first, as for RPLS

Verdict = LigneDepot.Verdict

# Said of many lines at once, when their sentences differ.
_LIBELLES = {
    "ACCEPTATION": "Acceptation sans offre, ou avant elle",
    "AGENT": "Validation d’un ménage qui n’est pas agent de l’État",
    "AGENT_TARDIF": "Agent validé après la proposition",
    "ANCIEN": "Événement de plus de trois ans",
    "AUTRE_BAILLEUR": "Ligne d’un autre bailleur",
    "DEPARTEMENT": "Département inconnu ou absent",
    "HORS_DEPARTEMENT": "Ligne d’un autre département",
    "LABEL": "Label qui finit avant de commencer",
    "LOINTAIN": "Événement à plus de trois mois d’ici",
    "NIR": "Numéro de sécurité sociale",
    "SANS_DATE": "Aucune date",
    "ANCIENNE": "Libération d’une année dont le bilan est passé",
    "ANNULEE": "Libération annulée auparavant",
    "ATTRIBUTION_EN_COURS": "Logement qui a déjà une attribution",
    "BAIL": "Bail antérieur à la CALEOL",
    "CANDIDATURES": "Moins de trois candidatures",
    "CHOIX": "Mot inconnu",
    "COMMISSION_ANNULEE": "Commission annulée dans l’application",
    "COMMISSION_OUVERTE": "Commission ouverte dans l’application",
    "COMMUNE": "Code de commune inconnu",
    "CONDITION": "Condition suspensive incomplète",
    "CONTRADICTION": "Deux lignes se contredisent",
    "DATE_ILLISIBLE": "Date illisible",
    "DATE_IMPOSSIBLE": "Date qui n’existe pas",
    "DECISION_SUIVIE": "Décision déjà suivie d’une attribution",
    "DESCRIPTION": "Description du logement neuf incomplète",
    "DOUBLON": "Deux lignes pour le même événement",
    "MOTIF": "Motif ou pièce absent de la liste",
    "NOMBRE": "Nombre illisible",
    "NUMERO_UNIQUE": "Numéro unique de mauvaise longueur",
    "OFFRE": "Offre antérieure à la CALEOL",
    "ORIENTATION": "Orientation sans réservataire",
    "OUI_NON": "Ni oui, ni non",
    "QPV": "QPV différent de votre parc",
    "RANG": "Rang manquant, ou de trop",
    "RANGS": "Rangs en double ou avec un trou",
    "RAPPROCHEE": "Libération proche d’une autre du même logement",
    "REFERENCE_AMBIGUE": "Référence de plusieurs logements",
    "REFERENCE_INCONNUE": "Référence absente de votre parc",
    "REFUS": "Refus incomplet, ou contraire au bail",
    "RESERVATAIRE": "Réservataire inconnu ou ambigu",
    "RESERVATAIRE_SANS_DROIT": "Réservataire sans convention sur la commune",
    "SANS_ATTRIBUTION": "Aucune attribution à compléter",
    "SANS_LIBERATION": "Aucune libération enregistrée",
    "SOLIDAIRE": "Lignes retenues par une autre du même logement",
    "TROP_LONG": "Texte trop long",
}

_CAUSES = """
SELECT m->>'code', m->>'champ', (m->>'bloquant')::boolean, count(DISTINCT l.id),
       (array_agg(m->>'cellule' ORDER BY l.ligne))[1:%(cellules)s],
       (array_agg(m->>'cellule' ORDER BY l.ligne DESC))[1], max(l.ligne) - min(l.ligne) + 1,
       min(m->>'texte'), count(DISTINCT m->>'texte'),
       min(l.cellules->>(m->>'champ')), count(DISTINCT coalesce(l.cellules->>(m->>'champ'), '')),
       min((m->'choix')::text)
FROM flux_lignedepot l, jsonb_array_elements(l.messages) m
WHERE l.depot_id = %(depot)s AND l.appliquee_le IS NULL
  AND ((m->>'bloquant')::boolean OR NOT l.confirmations ? (m->>'code'))
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2
"""


@dataclass(frozen=True)
class Cause:
    """One thing said of one column, of as many lines as it is. `valeur`: what they all hold, when it is the same."""

    code: str
    champ: str
    bloquant: bool
    nombre: int
    cellules: Sequence[str]
    derniere: str
    etendue: int
    texte: str
    textes: int
    valeur: str | None
    valeurs: int
    lettre: str

    @property
    def libelle(self) -> str:
        return self.texte if self.textes == 1 else _LIBELLES.get(self.code, self.texte)

    @property
    def colonne(self) -> Colonne:
        return COLONNES[self.champ]

    @property
    def ou(self) -> str:
        """ "H412 à H619" for lines that follow each other, else the first addresses."""
        cellules = [c for c in self.cellules if c]
        if not cellules:
            return f"colonne absente : « {self.colonne.titre} »"
        if self.nombre > CELLULES:
            if self.etendue == self.nombre:
                return f"{cellules[0]} à {self.derniere}"
            return f"{', '.join(cellules)}… jusqu’à {self.derniere}"
        return ", ".join(cellules)

    @property
    def remplacable(self) -> bool:
        """Whether one answer mends them all: the same column, the same words, and not a household."""
        return self.bloquant and self.valeurs == 1 and self.nombre > 1 and self.champ != "numero_unique"


@dataclass(frozen=True)
class Champ:
    """One cell to mend on a card or on the page of a line."""

    nom: str
    titre: str
    cellule: str
    valeur: str
    messages: Sequence[dict]
    choix: Sequence[str] = ()
    aide: str = ""
    proches: Sequence[str] = ()


@dataclass(frozen=True)
class Carte:
    """One line with what is wrong: the landlord's own reference, the addresses, the cells to mend."""

    ligne: LigneDepot
    champs: Sequence[Champ]
    bloquants: Sequence[dict]
    doutes: Sequence[dict]

    @property
    def cellules(self) -> str:
        return ", ".join(dict.fromkeys(m["cellule"] for m in (*self.bloquants, *self.doutes) if m["cellule"]))


class Rapport:
    """The report of `depot`."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot

    def nombre(self, verdict: str) -> int:
        return self.depot.comptes.get(verdict, 0)

    @property
    def erreurs(self) -> int:
        return self.nombre(Verdict.EN_ERREUR)

    @property
    def doutes(self) -> int:
        return self.nombre(Verdict.A_CONFIRMER)

    @property
    def a_creer(self) -> int:
        return self.nombre(Verdict.A_CREER)

    @property
    def a_modifier(self) -> int:
        return self.nombre(Verdict.A_METTRE_A_JOUR)

    @property
    def identiques(self) -> int:
        return self.nombre(Verdict.IDENTIQUE)

    @property
    def enregistrees(self) -> int:
        return self.depot.comptes.get("ENREGISTREES", 0)

    @property
    def pretes(self) -> int:
        return self.a_creer + self.a_modifier

    @property
    def acceptees(self) -> int:
        return self.pretes + self.identiques + self.doutes + self.enregistrees

    @property
    def ignorees(self) -> int:
        return sum(self.depot.ignorees.values())

    @property
    def ignorees_en_mots(self) -> str:
        return enumerer(
            f"{entier_fr(nombre)} {RAISONS_IGNOREES.get(raison, raison)}"
            for raison, nombre in sorted(self.depot.ignorees.items(), key=lambda couple: -couple[1])
        )

    @cached_property
    def doutes_par_pile(self) -> tuple[int, int]:
        """Lines to confirm, among those that make something and those that change something."""
        doutes = LigneDepot.objects.filter(
            depot=self.depot, appliquee_le=None, verdict=Verdict.A_CONFIRMER
        ).order_by()
        creations = doutes.filter(creation=True).count() if self.doutes else 0
        return creations, self.doutes - creations

    @property
    def pile_a_creer(self) -> int:
        return self.a_creer + self.doutes_par_pile[0]

    @property
    def pile_a_modifier(self) -> int:
        return self.a_modifier + self.doutes_par_pile[1]

    @property
    def addition(self) -> str:
        """ "73 + 38 + 403 + 222 = 736 lignes, plus 12 ignorées = 748 lues": nothing is lost."""
        piles = [self.pile_a_creer, self.pile_a_modifier, self.identiques, self.erreurs]
        if self.enregistrees:
            piles.append(self.enregistrees)
        total = accorder(sum(piles), "ligne")
        suite = (
            f", plus {accorder(self.ignorees, 'ignorée')} = {accorder(self.depot.lignes_lues, 'lue')}"
            if self.ignorees
            else ""
        )
        return typographier(f"{' + '.join(entier_fr(n) for n in piles)} = {total}{suite}.")

    @property
    def lecture(self) -> str:
        """ "Feuille « Libérations », en-tête en ligne 5": where the table was found."""
        feuille = f"Feuille « {self.depot.feuille} », en-tête" if self.depot.feuille else "En-tête"
        return typographier(f"{feuille} en ligne {entier_fr(self.depot.ligne_entete)}")

    @property
    def colonnes_non_reprises(self) -> list[str]:
        """Headers that no column takes: said, never a reason to refuse, and nothing of them is kept."""
        prises = set(self.depot.correspondance.values())
        return [entete for rang, entete in enumerate(self.depot.entetes) if rang not in prises]

    @property
    def colonnes_de_personnes(self) -> list[str]:
        """Of an extract, headers that announce names, numbers or addresses of people: never read, never kept."""
        return [entete for entete in self.colonnes_non_reprises if est_personnel(entete)]

    @cached_property
    def valeurs(self) -> list[Valeur]:
        """Of an extract, the words of the lists that nobody mapped yet."""
        if self.depot.sujet not in SUJETS_EXTERNES:
            return []
        return [valeur for valeur in valeurs_du_depot(self.depot) if valeur.cible is None]

    @property
    def periode(self) -> str:
        return periode(self.depot)

    # --- Causes -----------------------------------------------------------------------------------------------

    @cached_property
    def causes(self) -> list[Cause]:
        with connection.cursor() as curseur:
            curseur.execute(_CAUSES, {"depot": self.depot.pk, "cellules": CELLULES})
            lignes = curseur.fetchall()
        correspondance = self.depot.correspondance
        causes = []
        for *debut, _choix in lignes:
            rang = correspondance.get(debut[1])
            causes.append(Cause(*debut, lettre="" if rang is None else lettre(rang)))
        return causes

    @property
    def bloquantes(self) -> list[Cause]:
        return [cause for cause in self.causes if cause.bloquant]

    @property
    def etonnantes(self) -> list[Cause]:
        return [cause for cause in self.causes if not cause.bloquant]

    @property
    def masse(self) -> Cause | None:
        """The cause that rejects most of the lines by itself: what to mend first."""
        causes = self.bloquantes
        if causes and causes[0].nombre > 1 and 100 * causes[0].nombre > PART_DE_MASSE * self.erreurs:
            return causes[0]
        return None

    @cached_property
    def choix_de_la_masse(self) -> list[str]:
        """What may be put instead, when the first line at fault proposes something."""
        masse = self.masse
        if masse is None:
            return []
        premiere = (
            self._lignes(Verdict.EN_ERREUR)
            .filter(messages__contains=[{"code": masse.code, "champ": masse.champ}])
            .first()
        )
        siens = (m for m in premiere.messages if (m["code"], m["champ"]) == (masse.code, masse.champ))
        return _choix_de(masse.colonne, list(siens))

    # --- Lines ------------------------------------------------------------------------------------------------

    def _lignes(self, verdict: str):
        return LigneDepot.objects.filter(depot=self.depot, appliquee_le=None, verdict=verdict).order_by(
            "ligne"
        )

    @cached_property
    def cartes_bloquantes(self) -> list[Carte]:
        """Lines of other causes than the one said first; of that one when there is no other."""
        lignes = self._lignes(Verdict.EN_ERREUR)
        masse = self.masse
        if masse and masse.remplacable and masse.nombre < self.erreurs:
            lignes = lignes.exclude(messages__contains=[{"code": masse.code, "champ": masse.champ}])
        return rapprocher(self.depot, [carte(self.depot, ligne) for ligne in lignes[:CARTES]])

    @cached_property
    def cartes_a_confirmer(self) -> list[Carte]:
        return [carte(self.depot, ligne) for ligne in self._lignes(Verdict.A_CONFIRMER)[:CARTES]]

    @cached_property
    def modifiees(self) -> list[LigneDepot]:
        lignes = LigneDepot.objects.filter(depot=self.depot, appliquee_le=None).exclude(differences=[])
        return list(lignes.exclude(verdict=Verdict.EN_ERREUR).order_by("ligne")[:DIFFERENCES])

    @property
    def differences(self) -> list[tuple[LigneDepot, dict, Colonne]]:
        return [
            (ligne, difference, COLONNES[difference["champ"]])
            for ligne in self.modifiees
            for difference in ligne.differences
        ]


def _choix_de(colonne: Colonne, messages: Sequence[dict]) -> list[str]:
    for message in messages:
        if message.get("choix"):
            return message["choix"]
    if colonne.forme.get("type") == "boolean":
        return ["oui", "non"]
    return list(colonne.choix.values())


def carte(depot: Depot, ligne: LigneDepot) -> Carte:
    """The card of a line: one field per column of which something is said."""
    bloquants = [m for m in ligne.messages if m["bloquant"]]
    doutes = [m for m in ligne.messages if not m["bloquant"] and m["code"] not in ligne.confirmations]
    par_champ: dict[str, list[dict]] = {}
    for message in (*bloquants, *doutes):
        par_champ.setdefault(message["champ"], []).append(message)
    return Carte(
        ligne,
        [champ_de(depot, ligne, nom, messages) for nom, messages in par_champ.items()],
        bloquants,
        doutes,
    )


def rapprocher(depot: Depot, cartes: Sequence[Carte]) -> list[Carte]:
    """The same cards, with the references of the parc that look like those that it does not hold; one query."""
    inconnues = {
        carte.ligne.designation
        for carte in cartes
        if any(message["code"] == "REFERENCE_INCONNUE" for message in carte.bloquants)
    }
    if not inconnues:
        return list(cartes)
    debuts = Q(pk__in=[])
    for reference in inconnues:
        debuts |= Q(ident_int__istartswith=reference[:_DEBUT_COMMUN])
    dernier = EtatParc.objects.filter(bailleur=depot.bailleur_id).aggregate(dernier=Max("millesime"))[
        "dernier"
    ]
    connues = list(
        Logement.objects.filter(debuts, bailleur=depot.bailleur_id, millesime=dernier)
        .order_by("ident_int")
        .values_list("ident_int", flat=True)[:_CANDIDATES]
    )
    return [
        replace(
            carte,
            champs=[
                replace(champ, proches=get_close_matches(champ.valeur, connues, n=3, cutoff=0.75))
                if champ.nom == "reference" and champ.valeur in inconnues
                else champ
                for champ in carte.champs
            ],
        )
        for carte in cartes
    ]


def champ_de(depot: Depot, ligne: LigneDepot, nom: str, messages: Sequence[dict] = ()) -> Champ:
    """One cell of a line, to be mended."""
    colonne = COLONNES[nom]
    rang = depot.correspondance.get(nom)
    return Champ(
        nom,
        colonne.titre,
        "" if rang is None else f"{lettre(rang)}{ligne.ligne}",
        ligne.cellules.get(nom, ""),
        messages,
        _choix_de(colonne, messages),
        colonne.aide,
    )


def tous_les_champs(depot: Depot, ligne: LigneDepot) -> list[Champ]:
    """Every cell of a line, those at fault with what is said of them."""
    return [
        champ_de(depot, ligne, champ, [m for m in ligne.messages if m["champ"] == champ])
        for champ in TABLEAUX[depot.sujet].champs
    ]
