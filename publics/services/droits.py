"""Rights of persons (RGPD, art. 15, 16): what is known of one household, found by its numéro unique, with a trace.

Each room says what it holds (`enregistrer_source`); only what the reader may read is there.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from publics.models import (
    DemandeMenage,
    DossierAgent,
    Instruction,
    Labellisation,
    LectureSensible,
    Menage,
    PropositionLabel,
)
from reservation.acteur import Acteur, Role
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr
from reservation.services.assistances import exiger_hors_assistance

from .menages import connaitre_menages, hacher_numero

LONGUEUR_PAGE = 200


@dataclass(frozen=True, slots=True)
class Donnee:
    """One row that is kept: where, since when, and its fields in words. `url`: the page where it is corrected."""

    rubrique: str
    titre: str
    champs: tuple[tuple[str, str], ...]
    url: str = ""


class Personne(NamedTuple):
    """Whose data is looked for. `menage`: the household that is recorded, None; `formes`: the hashes of its number, under
    which an extract may tell it although nobody recorded it."""

    menage: int | None
    formes: Collection[str]


Source = Callable[[Acteur, Personne], list[Donnee]]
_SOURCES: dict[str, Source] = {}


def enregistrer_source(code: str, source: Source) -> None:
    """Make known what a room holds of a household, once, when its app is ready."""
    _SOURCES[code] = source


def peut_repondre(acteur: Acteur) -> bool:
    """Who answers a person: the DDETS, by those who manage or administer."""
    return acteur.est_ddets and (acteur.peut_gerer or Role.ADMINISTRATION in acteur.roles)


@transaction.atomic
def retrouver(acteur: Acteur, numero_unique: str, page: str) -> tuple[str, list[Donnee]]:
    """The last four characters of this number and what is kept under it, once the search is written down; no row:
    nothing is kept.

    A household that only another département knows is not found: its DDETS answers.
    """
    exiger_hors_assistance(acteur)
    if not (peut_repondre(acteur) and acteur.utilisateur_id):
        raise PermissionDenied("Les demandes des personnes sont traitées par la DDETS.")
    empreintes = hacher_numero(numero_unique)
    connus = connaitre_menages(empreintes.formes)
    menage = Menage.objects.visibles_par(acteur).filter(pk__in=set(connus.values())).first()
    personne = Personne(menage.pk if menage else None, tuple(empreintes.formes))
    donnees: list[Donnee] = []
    if menage is not None:
        donnees.append(
            Donnee(
                "Ménage",
                f"demande se terminant par {menage.numero_fin}",
                (
                    (
                        "Numéro unique",
                        "empreinte à clé et quatre derniers caractères ; le numéro n’est pas gardé",
                    ),
                    ("Département", str(menage.departement)),
                ),
            )
        )
    for source in _SOURCES.values():
        donnees += source(acteur, personne)
    lu = f"ménage {menage.pk}" if menage else f"demande …{empreintes.fin}"
    with agir(acteur):
        LectureSensible.objects.create(
            utilisateur_id=acteur.utilisateur_id,
            organisation_id=acteur.organisation_id,
            departement_id=acteur.departements[0],
            objet=f"{lu}, toutes ses données" if donnees else f"{lu} : recherche, rien de gardé",
            page=page[:LONGUEUR_PAGE],
        )
    return empreintes.fin, donnees


def _instruction_gardee(instruit: Instruction) -> tuple[tuple[str, str], ...]:
    """What is noted of a household besides its ground, in words."""
    return (
        ("Case du Cerfa", instruit.case_cerfa or "–"),
        ("Preuve", f"{instruit.preuve}, {date_fr(instruit.preuve_le)}" if instruit.preuve else "–"),
        ("Évaluation sociale", "faite" if instruit.evaluation_sociale else "–"),
        ("Accompagnement", instruit.get_accompagnement_display()),
        ("Secteur préconisé", ", ".join(instruit.secteur) or "–"),
        ("Tailles préconisées", ", ".join(instruit.tailles) or "–"),
    )


def _contrats_gardes(dossier: DossierAgent) -> str:
    return (
        " ; ".join(
            f"du {date_fr(date.fromisoformat(debut))} "
            + (f"au {date_fr(date.fromisoformat(fin))}" if fin else "sans terme")
            for debut, fin in dossier.contrats
        )
        or "–"
    )


def labels_gardes(acteur: Acteur, personne: Personne) -> list[Donnee]:
    """What this room holds: demand, labels, proposals, files of agents."""
    if personne.menage is None:
        return []
    siens = {"menage": personne.menage}
    resultat = [
        Donnee(
            "Demande",
            "Ce que le ménage demande",
            (("Tailles", ", ".join(d.tailles) or "–"), ("Secteur", ", ".join(d.secteur) or "–")),
        )
        for d in DemandeMenage.objects.visibles_par(acteur).filter(**siens)
    ]
    for label in (
        Labellisation.objects.motif_lisible_par(acteur)
        .filter(**siens)
        .select_related("categorie", "saisie_par", "decidee_par", "preuve", "motif_retrait")
    ):
        fin = date_fr(label.fin) if label.fin else "sans fin"
        resultat.append(
            Donnee(
                "Label",
                f"Label du {date_fr(label.debut)}",
                (
                    ("Motif de priorité", label.categorie.libelle),
                    ("Fin", fin),
                    ("Origine", label.get_source_display() or "–"),
                    ("Nature", "manuel" if label.manuelle else "automatique"),
                    ("Saisi par", str(label.saisie_par or "–")),
                    (
                        "Décidé par",
                        f"{label.decidee_par}, {date_fr(label.decidee_le)}"
                        if label.decidee_par and label.decidee_le
                        else "–",
                    ),
                    *_instruction_gardee(label),
                    ("Retrait", str(label.motif_retrait or "–")),
                ),
                reverse("publics:label", args=[label.pk]),
            )
        )
    for proposition in (
        PropositionLabel.objects.motif_lisible_par(acteur)
        .filter(**siens)
        .select_related("categorie", "saisie_par", "motif", "preuve")
    ):
        resultat.append(
            Donnee(
                "Proposition de label",
                f"Proposition du {date_fr(proposition.saisie_le)}",
                (
                    ("Motif de priorité", proposition.categorie.libelle),
                    ("Proposé par", str(proposition.saisie_par)),
                    *_instruction_gardee(proposition),
                    ("État", proposition.get_etat_display()),
                    ("Motif du refus", str(proposition.motif or "–")),
                ),
            )
        )
    for dossier in (
        DossierAgent.objects.visibles_par(acteur)
        .filter(**siens)
        .select_related("saisie_par", "motif", "preuve")
    ):
        resultat.append(
            Donnee(
                "Agent de l’État",
                f"Dossier du {date_fr(dossier.saisie_le)}",
                (
                    ("Employeur", dossier.get_versant_display()),
                    ("Statut", dossier.get_statut_display()),
                    ("Contrats", _contrats_gardes(dossier)),
                    ("Preuve", f"{dossier.preuve}, {date_fr(dossier.preuve_le)}" if dossier.preuve else "–"),
                    ("Déposé par", str(dossier.saisie_par)),
                    ("État", dossier.get_etat_display()),
                    ("Décidé le", date_fr(dossier.decidee_le) if dossier.decidee_le else "–"),
                    ("Validé jusqu’au", date_fr(dossier.fin) if dossier.fin else "–"),
                    ("Motif du refus", str(dossier.motif or "–")),
                ),
            )
        )
    return resultat
