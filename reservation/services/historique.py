"""The Historique of an object, in words: when, who, for which organisation, why, and what changed.

Read from the journal (the lines of one object) and from the event tables (the states of its rows): one query for the
lines, one per kind of row met, one per kind of thing that is named. Who may not see the object does not come here:
`ouvrir_objet` is its gate; what the table of chapter 2 keeps from a reader is masked (`reservation.traces`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from reservation.acteur import Acteur, Role
from reservation.models import LigneJournal
from reservation.models.organisations import LIBELLES_ROLE
from reservation.perimetre import agir
from reservation.regles.typographie import INSECABLE, date_fr, decimal_fr
from reservation.traces import modeles_de_trace, suivi_de, types_caches

PAR_PAGE = 100
VIDE = "–"
MASQUE = "donnée protégée"

# Columns that say where a row is, not what it says; its own author and dates stand beside each line.
_TECHNIQUES = {
    "id",
    "convention",
    "liberation",
    "passage",
    "cree_par",
    "cree_le",
    "saisi_par",
    "pose_par",
    "propose_par",
    "pose_le",
    "faite_par",
    "faite_le",
    "retire_par",
    "nom_tri",
    "fichier",
    "is_superuser",
}
_A_LA_CREATION = {"bailleur", "departement"}
# Foreign keys take the name of their column where the model gives none: without accents.
_LIBELLES = {
    "reservataire": "réservataire",
    "departement": "département",
    "menage": "ménage",
    "categorie": "catégorie",
    "region": "région",
    "import_rpls": "import RPLS",
    "motif_refus": "motif du refus",
}


@dataclass(frozen=True, slots=True)
class Objet:
    """Something that has an Historique, once its gate let the reader in."""

    genre: str
    cle: str
    titre: str
    url: str


_genres: dict[str, Callable[[Acteur, str], Objet | None]] = {}


def declarer(genre: str) -> Callable:
    """Decorator: the gate of a kind of object. It answers None to whom the object does not exist for."""

    def inscrire(porte: Callable[[Acteur, str], Objet | None]) -> Callable:
        _genres[genre] = porte
        return porte

    return inscrire


def genres() -> frozenset[str]:
    """Kinds of objects that have a page of Historique."""
    return frozenset(_genres)


def ouvrir_objet(acteur: Acteur, genre: str, cle: str) -> Objet | None:
    """The object that (genre, cle) names, if `acteur` may see it."""
    porte = _genres.get(genre)
    return porte(acteur, cle) if porte else None


@dataclass(frozen=True, slots=True)
class Changement:
    """One field: its label, its value before (None: the row was made then) and after, in words."""

    libelle: str
    avant: str | None
    apres: str

    def __str__(self) -> str:
        if self.avant is None:
            return f"{self.libelle}\u00a0: {self.apres}"
        return f"{self.libelle}\u00a0: {self.avant} → {self.apres}"


@dataclass(frozen=True, slots=True)
class Ligne:
    """One row that was made, changed or taken away."""

    objet: str
    acte: str
    changements: tuple[Changement, ...]


@dataclass(slots=True)
class Entree:
    """Everything that one request did to the object."""

    le: datetime
    qui: str
    organisation: str
    motif: str
    assistance: str
    lignes: list[Ligne] = field(default_factory=list)


def _des_personnes(genre: str, cle: str, designation: str):
    lignes = LigneJournal.objects.filter(genre=genre, cle=cle, auteur__isnull=False)
    return lignes.filter(designation=designation) if designation else lignes


@agir(Acteur.du_systeme("historique d’un objet"))
def version_de(genre: str, cle: str, designation: str = "") -> int:
    """How many times somebody wrote something of this object: it only grows, so it is the version of its forms.

    `designation`: of one thing in it only (a dwelling of a parc). What the application computes by itself does not
    count: nobody's form is out of date for that.
    """
    return _des_personnes(genre, cle, designation).count()


@agir(Acteur.du_systeme("historique d’un objet"))
def versions_de(genre: str, cles: Sequence[str]) -> dict[str, int]:
    """`version_de` for several objects of one kind, in one query."""
    comptes = (
        LigneJournal.objects.filter(genre=genre, cle__in=cles, auteur__isnull=False)
        .order_by()
        .values_list("cle")
        .annotate(nombre=Count("pk"))
    )
    return dict.fromkeys(cles, 0) | dict(comptes)


@agir(Acteur.du_systeme("historique d’un objet"))
def historique(acteur: Acteur, objet: Objet, *, page: int = 1) -> tuple[list[Entree], bool]:
    """What happened to `objet`, the last first, as `acteur` may read it; and whether there is more."""
    debut = (page - 1) * PAR_PAGE
    lignes = list(_lisibles(acteur, objet.genre, objet.cle).order_by("-pk")[debut : debut + PAR_PAGE + 1])
    return _entrees(acteur, lignes[:PAR_PAGE]), len(lignes) > PAR_PAGE


@agir(Acteur.du_systeme("historique d’un objet"))
def changements_depuis(
    acteur: Acteur, genre: str, cle: str, version: int, designation: str = ""
) -> list[Entree]:
    """What people did to the object since it had that version, the last first."""
    lignes = _des_personnes(genre, cle, designation).order_by("pk")
    lisibles = [ligne for ligne in _nommees(lignes)[version : version + PAR_PAGE] if _admis(acteur, ligne)]
    return _entrees(acteur, lisibles[::-1])


def _nommees(lignes):
    return lignes.select_related("auteur", "organisation", "assistant", "personne")


def _lisibles(acteur: Acteur, genre: str, cle: str):
    lignes = _nommees(LigneJournal.objects.filter(genre=genre, cle=cle))
    if acteur.est_reservataire or acteur.est_copil:
        lignes = lignes.filter(confidentiel=False)
    if acteur.est_reservataire:
        # What was written while the object was another's stays the other's.
        lignes = lignes.filter(Q(reservataire=acteur.organisation_id) | Q(reservataire__isnull=True))
    return lignes.exclude(objet_type__in=types_caches(acteur))


def _admis(acteur: Acteur, ligne: LigneJournal) -> bool:
    if ligne.confidentiel and (acteur.est_reservataire or acteur.est_copil):
        return False
    if acteur.est_reservataire and ligne.reservataire_id not in (None, acteur.organisation_id):
        return False
    return suivi_de(ligne.objet_type).lecteurs.admet(acteur)


# --- From lines to words ------------------------------------------------------------------------------------


def _entrees(acteur: Acteur, lignes: list[LigneJournal]) -> list[Entree]:
    etats = _etats(lignes)
    noms = _Noms()
    bruts = []
    for ligne in lignes:
        evenement, precedent = etats.get((ligne.objet_type, ligne.evenement_id), (None, None))
        bruts.append(
            (ligne, list(_differences(acteur, ligne, evenement, precedent, noms)) if evenement else [])
        )
    noms.chercher()
    entrees: list[Entree] = []
    requete = None
    for ligne, differences in bruts:
        if not entrees or not ligne.requete or ligne.requete != requete:
            entrees.append(_entree(acteur, ligne))
        requete = ligne.requete
        entrees[-1].lignes.append(
            Ligne(
                _objet(ligne),
                ligne.get_acte_display(),
                tuple(
                    Changement(libelle, None if avant is None else avant(), apres())
                    for libelle, avant, apres in differences
                ),
            )
        )
    return entrees


def qui(acteur: Acteur, ligne: LigneJournal) -> str:
    """Who did it, as `acteur` may know it: a name to colleagues, to the bailleur and to the State; else nobody's."""
    if ligne.auteur_id is None:
        return "Application"
    exterieur = acteur.est_reservataire or acteur.est_copil
    if exterieur and ligne.organisation_id != acteur.organisation_id:
        return ""
    return str(ligne.auteur) if ligne.auteur else "personne supprimée"


def _entree(acteur: Acteur, ligne: LigneJournal) -> Entree:
    return Entree(
        le=ligne.le,
        qui=qui(acteur, ligne),
        organisation=str(ligne.organisation) if ligne.organisation else "",
        motif=ligne.motif,
        assistance=str(ligne.assistant) if ligne.assistant else "",
    )


def libelle_du_type(type_objet: str) -> str:
    """What people call a row of this kind: "version de convention"."""
    return str(modeles_de_trace()[type_objet].pgh_tracked_model._meta.verbose_name)


def _objet(ligne: LigneJournal) -> str:
    libelle = libelle_du_type(ligne.objet_type)
    return f"{libelle[0].upper()}{libelle[1:]} {designation(ligne)}"


def designation(ligne: LigneJournal) -> str:
    """What the row is called: its own name, else the person that it is about, whose name the journal does not keep."""
    if ligne.objet_type == "reservation.rattachement":
        role = LIBELLES_ROLE[Role(ligne.designation)]
        return f"de {ligne.personne} ({role})" if ligne.personne else f"({role})"
    return ligne.designation or (str(ligne.personne) if ligne.personne else ligne.objet_id)


@agir(Acteur.du_systeme("historique d’un objet"))
def _etats(lignes: Iterable[LigneJournal]) -> dict[tuple[str, int], tuple[models.Model, models.Model | None]]:
    """(type, event id) → (the state after the act, the state before it, if it is known)."""
    objets: dict[str, set[str]] = defaultdict(set)
    for ligne in lignes:
        objets[ligne.objet_type].add(ligne.objet_id)
    modeles = modeles_de_trace()
    etats = {}
    for type_objet, cles in objets.items():
        precedents: dict[Any, models.Model] = {}
        for evenement in modeles[type_objet].objects.filter(pgh_obj_id__in=cles).order_by("pgh_id"):
            etats[type_objet, evenement.pgh_id] = evenement, precedents.get(evenement.pgh_obj_id)
            precedents[evenement.pgh_obj_id] = evenement
    return etats


def _differences(acteur: Acteur, ligne: LigneJournal, evenement, precedent, noms: "_Noms"):
    """(label, value before or None, value after); values are read once the names are known."""
    if ligne.acte == LigneJournal.Acte.SUPPRESSION:
        return
    masques, muets = suivi_de(ligne.objet_type).masques, suivi_de(ligne.objet_type).muets
    creation = ligne.acte == LigneJournal.Acte.CREATION
    d_un_autre = _est_d_un_autre(acteur, precedent)
    suivi = type(evenement).pgh_tracked_model
    for champ in suivi._meta.concrete_fields:
        if champ.name in _TECHNIQUES or champ.name in muets or not hasattr(evenement, champ.attname):
            continue
        apres = getattr(evenement, champ.attname)
        avant = None if precedent is None else getattr(precedent, champ.attname)
        if creation:
            if champ.name in _A_LA_CREATION or apres in (None, "", [], {}, False):
                continue
        elif precedent is None or avant == apres:
            continue
        libelle = _libelle(champ)
        if not masques.get(champ.name, suivi_de(ligne.objet_type).lecteurs).admet(acteur):
            yield libelle, (None if creation else lambda: MASQUE), lambda: MASQUE
            continue
        if creation:
            yield libelle, None, noms.lire(champ, apres)
        else:
            yield (
                libelle,
                (lambda: MASQUE) if d_un_autre else noms.lire(champ, avant),
                noms.lire(champ, apres),
            )


def _est_d_un_autre(acteur: Acteur, precedent: models.Model | None) -> bool:
    """Whether the state before was another réservataire's: what the row said then stays with it."""
    return acteur.est_reservataire and getattr(precedent, "reservataire_id", None) not in (
        None,
        acteur.organisation_id,
    )


def _libelle(champ: models.Field) -> str:
    libelle = _LIBELLES.get(champ.name, str(champ.verbose_name))
    return libelle[0].upper() + libelle[1:]


class _Noms:
    """What keys name, looked up all at once: one query per kind of thing."""

    def __init__(self) -> None:
        self._cles: dict[type[models.Model], set] = defaultdict(set)
        self._trouves: dict[type[models.Model], dict] = {}

    def lire(self, champ: models.Field, valeur: Any) -> Callable[[], str]:
        """The words for this value of this field, to be asked after `chercher`."""
        if isinstance(champ, models.ForeignKey):
            if valeur is None:
                return lambda: VIDE
            modele = champ.related_model
            self._cles[modele].add(valeur)
            return lambda: str(self._trouves[modele].get(valeur, f"n° {valeur}"))
        return lambda: en_mots(champ, valeur)

    def chercher(self) -> None:
        for modele, cles in self._cles.items():
            self._trouves[modele] = modele._default_manager.in_bulk(cles)


def en_mots(champ: models.Field, valeur: Any) -> str:
    """A value as people read it: labels of choices, days in French, oui and non."""
    if valeur is None or valeur == "" or valeur == []:
        return VIDE
    if isinstance(champ, ArrayField):
        return ", ".join(en_mots(champ.base_field, element) for element in valeur)
    if champ.flatchoices:
        return str(dict(champ.flatchoices).get(valeur, valeur))
    match valeur:
        case bool():
            return "oui" if valeur else "non"
        case datetime():
            local = timezone.localtime(valeur)
            return f"{date_fr(local.date())} à {local.hour}\u00a0h\u00a0{local.minute:02d}"
        case date():
            return date_fr(valeur).replace(" ", INSECABLE)
        case Decimal():
            exact = Fraction(valeur)
            decimales = next((n for n in range(5) if (exact * 10**n).denominator == 1), 4)
            return decimal_fr(exact, decimales)
        case _:
            return str(valeur)
