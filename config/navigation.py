"""The main menu: every room is one line below, with its group and whose business it is.

Whoever has few rooms gets them side by side; the others get the groups as sub-menus. A new page of the application is one
more `Entree`, in the order of the day of those who open it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.urls import reverse

from bilans.services.consolidation import peut_lire
from flux.models import sujets_de
from publics.models import PARTENAIRES
from reservation.acteur import Acteur, Role

ENTREES_A_PLAT = 8  # what one line holds on a screen of 1280 points, and what a look takes in


class Groupe(StrEnum):
    """A sub-menu; the value is its title."""

    ACCUEIL = "Accueil"
    PARC = "Parc et conventions"
    LIBERATIONS = "Libérations et commissions"
    PUBLICS = "Publics"
    SUIVI = "Bilans et suivi"
    ORGANISATION = "Organisation"


@dataclass(frozen=True)
class Entree:
    """A room. `url`: name of its first page; `prefixes`: paths of all its pages; `pour`: whose business it is."""

    libelle: str
    url: str
    prefixes: tuple[str, ...]
    groupe: Groupe
    pour: Callable[[Acteur], bool]


@dataclass(frozen=True)
class Lien:
    libelle: str
    url: str
    actif: bool


@dataclass(frozen=True)
class Rubrique:
    """One item of the bar: a link (`url`), or a button that opens `liens`. `cle`: its identifier in the page."""

    libelle: str
    actif: bool
    url: str = ""
    cle: str = ""
    liens: tuple[Lien, ...] = ()


def _membre(acteur: Acteur) -> bool:
    return bool(acteur.organisation_id)


def _bailleur(acteur: Acteur) -> bool:
    return acteur.est_bailleur


def _bailleur_ou_etat(acteur: Acteur) -> bool:
    return acteur.est_bailleur or acteur.est_service_etat


def _compare(acteur: Acteur) -> bool:
    return _bailleur_ou_etat(acteur) or acteur.est_reservataire


def _labels(acteur: Acteur) -> bool:
    return acteur.est_service_etat or acteur.type_organisation in PARTENAIRES


def _depose(acteur: Acteur) -> bool:
    return bool(sujets_de(acteur))


def _lit_ses_chiffres(acteur: Acteur) -> bool:
    return _bailleur_ou_etat(acteur) or acteur.est_reservataire or acteur.est_copil


def _mene_ou_subit(acteur: Acteur) -> bool:
    """Whoever conducts procedures and writes letters, or may be concerned by them."""
    return _bailleur_ou_etat(acteur) or acteur.est_reservataire


def _simule(acteur: Acteur) -> bool:
    """Whoever makes simulations, or may be shown one."""
    return _bailleur_ou_etat(acteur) or acteur.est_reservataire


def _organisations(acteur: Acteur) -> bool:
    return acteur.peut_administrer and (acteur.est_ddets or acteur.est_dreal)


def _journal(acteur: Acteur) -> bool:
    return acteur.support or bool(acteur.organisation_id and Role.ADMINISTRATION in acteur.roles)


def _support(acteur: Acteur) -> bool:
    return acteur.support


G = Groupe
ENTREES = (
    Entree("Accueil", "accueil", ("/",), G.ACCUEIL, lambda acteur: True),
    Entree("Parc", "reservation:parc", ("/parc/",), G.PARC, _bailleur_ou_etat),
    Entree("Imports", "reservation:imports", ("/imports/",), G.PARC, _bailleur),
    Entree("Conventions", "reservation:conventions", ("/conventions/",), G.PARC, _membre),
    Entree(
        "Libérations",
        "flux:liberations",
        ("/liberations/", "/attributions/"),
        G.LIBERATIONS,
        _bailleur_ou_etat,
    ),
    Entree("Orientations", "flux:orientations", ("/orientations/",), G.LIBERATIONS, _bailleur_ou_etat),
    Entree("Programmes neufs", "flux:programmes", ("/programmes/",), G.LIBERATIONS, _bailleur_ou_etat),
    Entree(
        "À pourvoir",
        "flux:liste_a_pourvoir",
        ("/logements-a-pourvoir/",),
        G.LIBERATIONS,
        lambda acteur: acteur.est_reservataire or acteur.est_ddets,
    ),
    Entree("CALEOL", "flux:commissions", ("/caleol/",), G.LIBERATIONS, _bailleur_ou_etat),
    Entree(
        "Dépôts de tableaux",
        "flux:depots",
        ("/depots/",),
        G.LIBERATIONS,
        lambda acteur: _depose(acteur) and acteur.est_bailleur,
    ),
    Entree("Labels", "publics:labels", ("/labels/",), G.PUBLICS, _labels),
    Entree("Agents de l’État", "flux:agents", ("/agents-de-l-etat/",), G.PUBLICS, _bailleur_ou_etat),
    Entree(
        "Agents de l’État",
        "publics:agents_dossiers",
        ("/agents-de-l-etat/",),
        G.PUBLICS,
        lambda acteur: _labels(acteur) and not _bailleur_ou_etat(acteur),
    ),
    Entree("Rapprochements", "flux:rapprochements", ("/rapprochements/",), G.PUBLICS, _compare),
    Entree(
        "Dépôts d’extraits",
        "flux:depots",
        ("/depots/",),
        G.PUBLICS,
        lambda acteur: _depose(acteur) and not acteur.est_bailleur,
    ),
    Entree("Flux", "flux:liste", ("/flux/",), G.SUIVI, _membre),
    Entree("Simulations", "flux:simulations", ("/simulations/",), G.SUIVI, _simule),
    Entree("Campagnes", "bilans:campagnes", ("/campagnes/",), G.SUIVI, _membre),
    Entree("Bilans", "bilans:liste", ("/bilans/",), G.SUIVI, _membre),
    Entree("Comité de pilotage", "bilans:comite", ("/copil/",), G.SUIVI, peut_lire),
    Entree("Réunions du comité", "bilans:reunions", ("/reunions/",), G.SUIVI, peut_lire),
    Entree("Bilan régional", "bilans:regional", ("/regional/",), G.SUIVI, peut_lire),
    Entree("Procédures", "bilans:procedures", ("/procedures/",), G.SUIVI, _mene_ou_subit),
    Entree("Lettres", "bilans:lettres", ("/lettres/",), G.SUIVI, _mene_ou_subit),
    Entree("Indicateurs", "bilans:indicateurs", ("/indicateurs/",), G.SUIVI, _lit_ses_chiffres),
    Entree("Refus", "bilans:refus", ("/refus/",), G.SUIVI, _lit_ses_chiffres),
    Entree("Banc d’essai", "flux:banc_essai", ("/banc-essai/",), G.SUIVI, _membre),
    Entree(
        "Organisations", "reservation:organisations", ("/organisations/",), G.ORGANISATION, _organisations
    ),
    Entree("Journal", "reservation:journal", ("/journal/",), G.ORGANISATION, _journal),
    Entree("Assistance", "reservation:assistance", ("/assistance/",), G.ORGANISATION, _support),
    Entree("Données communes", "admin:index", ("/donnees-communes/",), G.ORGANISATION, _support),
)


def menu(acteur: Acteur, chemin: str) -> list[Rubrique]:
    """The bar of `acteur`; `chemin` is the path of the page shown. Nothing but the home page: no bar at all."""
    siennes = [entree for entree in ENTREES if entree.pour(acteur)]
    if len(siennes) == 1:
        return []
    if len(siennes) <= ENTREES_A_PLAT:
        return [_seule(entree, chemin) for entree in siennes]
    groupes: dict[Groupe, list[Entree]] = {}
    for entree in siennes:
        groupes.setdefault(entree.groupe, []).append(entree)
    return [
        _seule(entrees[0], chemin) if len(entrees) == 1 else _rubrique(groupe, entrees, chemin)
        for groupe, entrees in groupes.items()
    ]


def plan(acteur: Acteur) -> list[tuple[str, list[Lien]]]:
    """The same rooms as the menu, all unfolded, by title of group."""
    groupes: dict[Groupe, list[Lien]] = {}
    for entree in ENTREES:
        if entree.pour(acteur):
            groupes.setdefault(entree.groupe, []).append(Lien(entree.libelle, reverse(entree.url), False))
    return [(groupe.value, liens) for groupe, liens in groupes.items()]


def _ici(entree: Entree, chemin: str) -> bool:
    return any(chemin == p if p == "/" else chemin.startswith(p) for p in entree.prefixes)


def _seule(entree: Entree, chemin: str) -> Rubrique:
    return Rubrique(entree.libelle, _ici(entree, chemin), reverse(entree.url))


def _rubrique(groupe: Groupe, entrees: list[Entree], chemin: str) -> Rubrique:
    liens = tuple(Lien(e.libelle, reverse(e.url), _ici(e, chemin)) for e in entrees)
    return Rubrique(
        groupe.value, any(lien.actif for lien in liens), cle=f"menu-{groupe.name.lower()}", liens=liens
    )
