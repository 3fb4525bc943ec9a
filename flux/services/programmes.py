"""The concertation on the first lettings of a programme: who was consulted, what was answered, what was agreed.

The distribution gives each réservataire rights for one letting; the suggestions of the premières mises en location that
belong to the programme follow it. Once it is closed, nothing of it changes.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.template.loader import render_to_string

from flux.models import Consultation, Liberation, LogementDeProgramme, Programme
from reservation.acteur import Acteur
from reservation.documents.pdf import Pdf, rendre_balisage
from reservation.models import Commune, Convention, Organisation
from reservation.regles.typographie import accorder, date_fr, entier_fr, enumerer

from .actes import enregistrer, exiger

Reponse = Consultation.Reponse


@dataclass(frozen=True, slots=True)
class Ligne:
    """What one réservataire answered, and the dwellings agreed for it."""

    reponse: str
    repondu_le: date | None
    logements: int


@transaction.atomic
def ouvrir_concertation(
    acteur: Acteur,
    bailleur: Organisation,
    *,
    nom: str,
    reference: str,
    commune: Commune,
    livraison: date,
    logements: int,
    consulte_le: date,
) -> Programme:
    """A programme, and every réservataire that has rights on its commune, consulted on that day (R. 441-5-3)."""
    if not (
        acteur.systeme
        or (acteur.est_bailleur and acteur.peut_gerer and acteur.organisation_id == bailleur.pk)
    ):
        raise PermissionDenied("Seul le bailleur ouvre une concertation, avec le rôle de gestion.")
    programme = Programme(
        bailleur=bailleur,
        departement_id=commune.departement_id,
        commune=commune,
        nom=nom.strip(),
        reference=reference.strip(),
        livraison=livraison,
        logements=logements,
        cree_par_id=acteur.utilisateur_id,
    )
    consultes = reservataires_de(bailleur, commune, consulte_le)
    exiger(
        bool(consultes),
        f"Aucune convention en vigueur le {date_fr(consulte_le)} ne porte sur {commune.nom} : personne à consulter.",
    )
    enregistrer(programme)
    for reservataire in consultes:
        enregistrer(
            Consultation(
                programme=programme,
                bailleur=bailleur,
                departement_id=programme.departement_id,
                reservataire=reservataire,
                consulte_le=consulte_le,
            )
        )
    return programme


def reservataires_de(bailleur: Organisation, commune: Commune, jour: date) -> list[Organisation]:
    """Those that hold an act in force on `jour` whose territory holds the commune, in the order of their names."""
    actes = Convention.objects.en_vigueur(jour).filter(bailleur=bailleur, departement=commune.departement_id)
    ici = actes.filter(versions__communes=commune.pk) | actes.filter(
        versions__isnull=False, versions__communes__isnull=True
    )
    return list(
        Organisation.objects.filter(pk__in=ici.order_by().values("reservataire")).order_by("nom_tri", "pk")
    )


@transaction.atomic
def enregistrer_reponses(
    acteur: Acteur, programme: Programme, lignes: Mapping[int, Ligne], non_reserves: int
) -> Programme:
    """Answers and parts, as far as they are known (by primary key of the consultation). Incomplete is not invalid."""
    programme = _verrouiller(acteur, programme)
    for consultation in programme.consultations.select_for_update().filter(pk__in=lignes):
        ligne = lignes[consultation.pk]
        exiger(
            ligne.repondu_le is None or ligne.repondu_le >= consultation.consulte_le,
            f"La réponse suit la consultation, qui est du {date_fr(consultation.consulte_le)}.",
        )
        consultation.reponse, consultation.repondu_le = ligne.reponse, ligne.repondu_le
        consultation.logements = ligne.logements
        enregistrer(consultation)
    programme.non_reserves = non_reserves
    enregistrer(programme)
    return programme


@transaction.atomic
def arreter_repartition(acteur: Acteur, programme: Programme, *, date: date) -> Programme:
    """Close the concertation: everybody answered or let the time pass, and the parts add up to the dwellings."""
    programme = _verrouiller(acteur, programme)
    consultations = list(programme.consultations.select_related("reservataire"))
    attendues = [c.reservataire.nom for c in consultations if c.reponse == Reponse.ATTENDUE]
    exiger(not attendues, f"Réponse encore attendue : {enumerer(attendues)}.")
    total = total_convenu(programme, consultations)
    exiger(
        total == programme.logements,
        f"La répartition fait {entier_fr(total)} sur {accorder(programme.logements, 'logement')} : elle doit les "
        "répartir tous.",
    )
    dernier = max(jour for c in consultations for jour in (c.consulte_le, c.repondu_le) if jour)
    exiger(date >= dernier, f"La répartition suit la dernière réponse, qui est du {date_fr(dernier)}.")
    programme.etat, programme.arretee_le = Programme.Etat.ARRETEE, date
    programme.arretee_par_id = acteur.utilisateur_id
    enregistrer(programme)
    return programme


def total_convenu(programme: Programme, consultations: Collection[Consultation]) -> int:
    """Dwellings given by the distribution, the bailleur's included."""
    return programme.non_reserves + sum(c.logements for c in consultations)


@transaction.atomic
def rattacher_liberations(acteur: Acteur, programme: Programme, liberations: Collection[int]) -> int:
    """Say which premières mises en location are dwellings of the programme; returns how many were added."""
    programme = _verrouiller(acteur, programme, ouverte=False)
    choisies = list(rattachables(programme).filter(pk__in=liberations))
    exiger(bool(choisies), "Choisissez au moins un logement à rattacher.")
    deja = programme.livraisons.count()
    exiger(
        deja + len(choisies) <= programme.logements,
        f"Le programme a {accorder(programme.logements, 'logement')} : {entier_fr(deja)} déjà rattachés.",
    )
    for liberation in choisies:
        enregistrer(
            LogementDeProgramme(
                bailleur_id=programme.bailleur_id,
                departement_id=programme.departement_id,
                programme=programme,
                liberation=liberation,
            )
        )
    return len(choisies)


def rattachables(programme: Programme):
    """Premières mises en location of the commune that belong to no programme yet."""
    return Liberation.objects.filter(
        bailleur=programme.bailleur_id,
        commune=programme.commune_id,
        premiere=True,
        annulee_le=None,
        livraison=None,
    ).order_by("reference", "pk")


def _verrouiller(acteur: Acteur, programme: Programme, *, ouverte: bool = True) -> Programme:
    modifiables = Programme.objects.modifiables_par(acteur).filter(pk=programme.pk)
    verrouille = Programme.objects.select_for_update().filter(pk__in=modifiables).first()
    if verrouille is None:
        raise PermissionDenied(
            "Ce programme n’est pas de votre périmètre, ou votre rôle ne permet que de lire."
        )
    exiger(
        not ouverte or verrouille.etat == Programme.Etat.CONCERTATION,
        "La répartition est arrêtée : elle ne change plus.",
    )
    return verrouille


def composer_releve(programme: Programme) -> Pdf:
    """The record of the concertation as a PDF/UA: the same record, the same bytes."""
    consultations = list(programme.consultations.select_related("reservataire").order_by("pk"))
    contenu = render_to_string(
        "pdf/concertation.html",
        {
            "programme": programme,
            "consultations": consultations,
            "total": total_convenu(programme, consultations),
            "reference": f"CONC-{programme.departement_id}-{programme.reference}",
        },
    )
    return rendre_balisage(contenu, hashlib.sha256(contenu.encode()).digest()[:16])


def situation(programme: Programme) -> dict[str, Any]:
    """What a page says of a programme: its consultations, the total agreed, its dwellings."""
    consultations = list(programme.consultations.select_related("reservataire").order_by("pk"))
    return {
        "consultations": consultations,
        "total": total_convenu(programme, consultations),
        "livraisons": list(
            programme.livraisons.select_related("liberation__reservataire").order_by("liberation__reference")
        ),
    }
