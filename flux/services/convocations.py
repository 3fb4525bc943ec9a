"""The DDETS is convened to every commission (CA 5.3): an e-mail that is a row, a calendar entry, the agenda as PDF.

The PDF is made by the worker that sends the e-mail: the request that convenes waits for nothing.
Nothing about a household is in any of the three: dwellings, réservataires, numbers of candidatures.
"""

from collections.abc import Sequence
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from flux.models import Commission, Convocation, EvenementCommission, LigneOrdreDuJour
from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.documents.pdf import Pdf, rendre_texte
from reservation.models import Courriel, Organisation, Rattachement, Utilisateur
from reservation.perimetre import agir
from reservation.regles.agenda import Evenement, Methode, Statut, ecrire_calendrier
from reservation.regles.typographie import accorder, heure_fr, jour_semaine_fr, typographier
from reservation.services.assistances import exiger_hors_assistance
from reservation.services.courriels import Fichier, ecrire

from .actes_commission import noter, verrouiller_commission

GABARIT = "convocation_caleol"
PDF = "application/pdf"


def decrire_seance(commission: Commission) -> str:
    """ "réunion à 14 h, salle du conseil", "fenêtre dématérialisée de 9 h au vendredi 9 octobre 2026 à 9 h"."""
    if commission.heure is None:
        return "dématérialisée" if commission.dematerialisee else "réunion"
    if not commission.dematerialisee:
        lieu = f", {commission.lieu}" if commission.lieu else ""
        fin = f" jusqu’à {heure_fr(commission.heure_fin)}" if commission.heure_fin else ""
        return f"réunion à {heure_fr(commission.heure)}{fin}{lieu}"
    if commission.date_fin is None:
        return f"dématérialisée, à partir de {heure_fr(commission.heure)}"
    return (
        f"fenêtre dématérialisée de {heure_fr(commission.heure)} au "
        f"{jour_semaine_fr(commission.date_fin)} à {heure_fr(commission.heure_fin)}"
    )


def ddets_a_convoquer(commission: Commission) -> Organisation | None:
    """The DDETS of the département of the commission."""
    return Organisation.objects.filter(
        type=TypeOrganisation.DDETS, departement=commission.departement_id, fermee_le=None
    ).first()


def personnes_a_convoquer(commission: Commission) -> list[Utilisateur]:
    """An organisation has no address of its own: those who manage for the DDETS are convened."""
    membres = Rattachement.objects.actifs().filter(
        organisation__type=TypeOrganisation.DDETS,
        organisation__departement=commission.departement_id,
        organisation__fermee_le=None,
        role__in=(Role.GESTION, Role.SIGNATURE),
    )
    return list(
        Utilisateur.objects.filter(pk__in=membres.values("utilisateur"), is_active=True).order_by("courriel")
    )


@transaction.atomic
def convoquer_ddets(acteur: Acteur, commission: Commission) -> list[Convocation]:
    """Convene the DDETS, or send it the agenda as it is now: one e-mail for each person who manages there."""
    exiger_hors_assistance(acteur)
    commission = verrouiller_commission(acteur, commission)
    if not commission.ouverte:
        raise ValidationError(f"Cette commission est {commission.get_etat_display()}.")
    if commission.heure is None:
        raise ValidationError("Donnez d’abord l’heure et le lieu de la commission.")
    if not personnes_a_convoquer(commission):
        raise ValidationError(
            typographier(
                f"Personne n’a d’accès en gestion à la DDETS ({commission.departement}) : la convocation ne peut pas "
                "partir. Demandez à la DDETS d’ouvrir un accès."
            )
        )
    nature = Convocation.Nature.CONVOCATION
    if commission.etat == Commission.Etat.CONVOQUEE:
        nature = Convocation.Nature.MISE_A_JOUR
        commission.sequence += 1
    commission.etat = Commission.Etat.CONVOQUEE
    commission.save(update_fields=["etat", "sequence"])
    ecrites = _ecrire_a_tous(commission, nature)
    noter(acteur, commission, EvenementCommission.Nature[nature.name])
    return ecrites


def prevenir_d_un_changement(acteur: Acteur, commission: Commission) -> list[Convocation]:
    """Inside the transaction of the change: the entry of those who were convened is updated."""
    commission.sequence += 1
    commission.save(update_fields=["sequence"])
    return _ecrire_a_tous(commission, Convocation.Nature.MISE_A_JOUR)


def prevenir_de_l_annulation(acteur: Acteur, commission: Commission) -> list[Convocation]:
    """Inside the transaction of the cancellation: the entry is taken out of their calendars."""
    commission.sequence += 1
    commission.save(update_fields=["sequence"])
    return _ecrire_a_tous(commission, Convocation.Nature.ANNULATION)


def _ecrire_a_tous(commission: Commission, nature: Convocation.Nature) -> list[Convocation]:
    """Nobody left to be told: a change or a cancellation is not held back for that."""
    ddets, personnes = ddets_a_convoquer(commission), personnes_a_convoquer(commission)
    if ddets is None or not personnes:
        return []
    adresses = [personne.courriel for personne in personnes]
    lignes = lignes_de_l_ordre_du_jour(commission)
    fichiers = [_invitation(commission, nature, len(lignes), adresses)]
    return [
        Convocation.objects.create(
            bailleur_id=commission.bailleur_id,
            departement_id=commission.departement_id,
            commission=commission,
            organisation=ddets,
            nature=nature,
            sequence=commission.sequence,
            courriel=ecrire(
                GABARIT,
                adresse,
                {
                    "bailleur": commission.bailleur.nom,
                    "jour": jour_semaine_fr(commission.date),
                    "seance": decrire_seance(commission),
                    "logements": accorder(len(lignes), "logement"),
                    "nature": nature.value,
                    "page": reverse("flux:commission", args=[commission.pk]),
                },
                organisation=commission.bailleur,
                fichiers=fichiers,
            ),
        )
        for adresse in adresses
    ]


@agir(Acteur.du_systeme("ordre du jour d’une convocation"))
def ordre_du_jour_a_joindre(courriel: Courriel) -> list[Fichier]:
    """The agenda as PDF, made by the worker that sends the e-mail; nothing for a cancellation, or when it is there."""
    convocation = (
        Convocation.objects.select_related("commission__bailleur", "commission__departement")
        .filter(courriel=courriel)
        .exclude(nature=Convocation.Nature.ANNULATION)
        .first()
    )
    if convocation is None or courriel.pieces.filter(type_mime=PDF).exists():
        return []
    commission = convocation.commission
    octets = composer_ordre_du_jour(commission).octets
    return [Fichier(f"ordre-du-jour-{commission.date:%Y-%m-%d}.pdf", PDF, octets)]


# --- Calendar -----------------------------------------------------------------------------------------------------


def _invitation(
    commission: Commission, nature: Convocation.Nature, logements: int, adresses: Sequence[str]
) -> Fichier:
    methode = Methode.ANNULER if nature == Convocation.Nature.ANNULATION else Methode.CONVIER
    evenement = evenement_de(commission, logements, adresses, annulee=methode == Methode.ANNULER)
    texte = ecrire_calendrier([evenement], methode)
    return Fichier("convocation.ics", f"text/calendar; method={methode.value}", texte.encode())


def evenement_de(
    commission: Commission, logements: int, adresses: Sequence[str] = (), *, annulee: bool = False
) -> Evenement:
    """The calendar entry of a commission whose hour is known. `adresses`: those who are convened."""
    adresse = f"{settings.SITE_URL}{reverse('flux:commission', args=[commission.pk])}"
    statut = Statut.CONFIRME
    if annulee or commission.etat == Commission.Etat.ANNULEE:
        statut = Statut.ANNULE
    elif commission.etat == Commission.Etat.PREPARATION:
        statut = Statut.PROVISOIRE
    _, courriel = parseaddr(settings.DEFAULT_FROM_EMAIL)
    ordre_du_jour = f"{accorder(logements, 'logement')} à l’ordre du jour.\n" if logements else ""
    return Evenement(
        uid=f"caleol-{commission.pk}@{urlsplit(settings.SITE_URL).hostname}",
        sequence=commission.sequence,
        ecrit_le=timezone.now(),
        debut=commission.debut,
        fin=commission.fin,
        titre=f"CALEOL, {commission.bailleur.nom}",
        lieu="Commission dématérialisée" if commission.dematerialisee else commission.lieu,
        description=typographier(
            f"Commission d’attribution de {commission.bailleur.nom}, {commission.departement.nom} : "
            f"{decrire_seance(commission)}.\n{ordre_du_jour}{adresse}"
        ),
        adresse=adresse,
        statut=statut,
        organisateur=(commission.bailleur.nom, courriel) if adresses else None,
        convies=tuple(adresses),
    )


# --- Agenda -------------------------------------------------------------------------------------------------------


def lignes_de_l_ordre_du_jour(commission: Commission) -> list[LigneOrdreDuJour]:
    """Lines with their dwelling; `nombre`: how many candidatures, and nothing else of them."""
    return list(
        commission.lignes.select_related("liberation__commune", "liberation__reservataire")
        .annotate(
            nombre=Count(
                "liberation__passages", filter=Q(liberation__passages__commission=commission), distinct=True
            )
        )
        .order_by("rang", "pk")
    )


def composer_ordre_du_jour(commission: Commission) -> Pdf:
    """The agenda as a PDF, without any household: what a person may attach to an e-mail."""
    contenu = render_to_string(
        "pdf/commission/ordre_du_jour.html",
        {
            "commission": commission,
            "jour": jour_semaine_fr(commission.date),
            "seance": decrire_seance(commission),
            "lignes": lignes_de_l_ordre_du_jour(commission),
            "reference": f"CALEOL-{commission.date:%Y-%m-%d}-{commission.departement_id}-{commission.bailleur.siren}-{commission.pk}",
        },
    )
    return rendre_texte(contenu)
