"""A freed dwelling goes to a réservataire: as suggested, or for a coded reason; or is taken by the préfet in an urgency."""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from flux.models import CodeMotif, Liberation, Orientation, Urgence, Usage
from flux.regles.orientation import Suggestion
from reservation import contexte
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Convention, Organisation, Presence
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr
from reservation.services.assistances import exiger_hors_assistance

from .actes import conclure, enregistrer, exiger, verrouiller
from .designations import constater_echec_designation, fermer, ouvrir, prevenir
from .suggestions import Tableau, suggestion_de

__all__ = [
    "choisir_reservataire",
    "constater_echec_designation",
    "designer_d_urgence",
    "orienter_liberation",
    "reservataires_possibles",
]


@transaction.atomic
def choisir_reservataire(
    acteur: Acteur,
    liberation: Liberation,
    *,
    reservataire: Organisation,
    date: date,
    motif: CodeMotif | None = None,
    agents: bool | None = None,
) -> Liberation:
    """The bailleur's choice, before the suggestion of the application: another choice asks for its reason.

    `agents`: for an agent of the État, under the ceiling of the flux freed so far; None: as the dwelling was oriented to
    this same réservataire, else for the priority households. What was suggested, what was chosen
    and the figures stay in an `Orientation`. Choices of one bailleur × département are made one at a time: each
    weighs on the next one, and the ceiling is nobody's to pass.
    """
    une_a_la_fois(liberation)
    liberation = verrouiller(acteur, liberation)
    if agents is None:
        derniere = orientation_en_cours(liberation)
        agents = derniere is not None and derniere.reservataire_id == reservataire.pk and derniere.agents
    tableau, suggestion = suggestion_de(liberation)
    suggere = None
    if suggestion is not None:
        _exiger_possible(suggestion, tableau, reservataire)
        suggere = suggestion.retenu and tableau.organisation(suggestion.retenu)
    if agents:
        exiger(
            reservataire.type == TypeOrganisation.DDETS,
            "Seul un logement de l’État va à un agent de l’État.",
        )
        exiger(
            suggestion is None or suggestion.agents_ouverts > 0,
            "Le plafond des agents de l’État est atteint : orientez ce logement vers les prioritaires.",
        )
    autre = suggere is not None and suggere != reservataire.pk
    if autre:
        exiger(
            motif is not None and motif.acte == CodeMotif.Acte.ORIENTATION and motif.actif,
            "Choisissez un motif : vous ne suivez pas la suggestion.",
        )
        contexte.motiver(motif.libelle)
    orienter_vers(liberation, reservataire, date)
    _garder(
        acteur,
        liberation,
        date,
        suggere_id=suggere,
        agents=agents,
        phrase=suggestion.phrase if suggestion else "",
        chiffres=_chiffres(tableau, suggestion) if suggestion else {},
        motif=motif if autre else None,
    )
    return liberation


@transaction.atomic
def orienter_liberation(
    acteur: Acteur, liberation: Liberation, *, reservataire: Organisation, date: date
) -> Liberation:
    """A choice already made elsewhere (an import, another software): recorded without any suggestion.

    The bailleur itself means "non réservé". May be changed until an attribution.
    """
    liberation = verrouiller(acteur, liberation)
    orienter_vers(liberation, reservataire, date)
    garder_sans_suggestion(acteur, liberation, date)
    return liberation


def une_a_la_fois(liberation: Liberation) -> None:
    """The presence of the bailleur in the département is the lock of its orientations."""
    presences = Presence.objects.select_for_update()
    presences.filter(bailleur=liberation.bailleur_id, departement=liberation.departement_id).first()


def orienter_vers(liberation: Liberation, reservataire: Organisation, jour: date) -> None:
    """The caller holds the libération, and keeps the choice."""
    exiger(liberation.annulee_le is None, "Cette libération est annulée.")
    exiger(
        not liberation.attributions.filter(refusee_le__isnull=True).exists(),
        "Ce logement a une attribution en cours : son orientation ne change plus.",
    )
    exiger(
        reservataire.pk == liberation.bailleur_id or _a_des_droits(reservataire, liberation),
        f"{reservataire.nom} n’a pas de convention qui porte sur cette commune.",
    )
    liberation.reservataire, liberation.orientee_le = reservataire, jour
    liberation.designation_echouee_le = None
    enregistrer(liberation)
    ouvrir(liberation, jour)
    conclure(liberation, f"Libération du {date_fr(liberation.date)} orientée")


def garder_sans_suggestion(acteur: Acteur, liberation: Liberation, jour: date) -> None:
    """A choice that no suggestion preceded stays in an `Orientation` like the others."""
    _garder(acteur, liberation, jour)


def _garder(acteur: Acteur, liberation: Liberation, jour: date, **suggestion: Any) -> None:
    enregistrer(
        Orientation(
            bailleur_id=liberation.bailleur_id,
            departement_id=liberation.departement_id,
            liberation=liberation,
            reservataire_id=liberation.reservataire_id,
            date=jour,
            faite_par_id=acteur.utilisateur_id,
            **suggestion,
        )
    )


def _exiger_possible(suggestion: Suggestion, tableau: Tableau, reservataire: Organisation) -> None:
    choix = next(
        (c for c in suggestion.choix if tableau.organisation(c.reservataire) == reservataire.pk), None
    )
    if choix is not None:
        exiger(choix.possible, f"{reservataire.nom} : {choix.texte}")


def _chiffres(tableau: Tableau, suggestion: Suggestion) -> dict[str, Any]:
    """The table as it was shown, exact shares as fractions: what the choice was made on."""
    return {
        "flux": tableau.balance.a_ce_jour.flux,
        "flux_projete": tableau.balance.projete.flux,
        "agents": {"engages": suggestion.agents_engages, "plafond": suggestion.agents_max},
        "choix": [
            {
                "code": c.reservataire.code,
                "points": str(c.points),
                "engages": c.engages,
                "objectif": c.objectif,
                "attendu": str(c.attendu),
                "raison": c.raison.value,
                "texte": c.texte,
            }
            for c in suggestion.choix
        ],
    }


def orientation_en_cours(liberation: Liberation) -> Orientation | None:
    """The last choice, as long as the libération is still oriented as it said."""
    derniere = Orientation.objects.filter(liberation=liberation).last()
    return derniere if derniere and derniere.reservataire_id == liberation.reservataire_id else None


def reservataires_possibles(liberation: Liberation):
    """Organisations to which this libération may be oriented: those with a signed act on its commune, and the
    bailleur itself."""
    return Organisation.objects.filter(
        Q(pk=liberation.bailleur_id) | Q(pk__in=_conventions(liberation).order_by().values("reservataire"))
    ).order_by("nom_tri", "pk")


def _conventions(liberation: Liberation):
    """Signed acts, whatever their dates, whose territory holds the commune."""
    return Convention.objects.filter(
        ~Q(etat=Convention.Etat.BROUILLON),
        Q(versions__communes=liberation.commune_id)
        | Q(versions__isnull=False, versions__communes__isnull=True),
        bailleur=liberation.bailleur_id,
        departement=liberation.departement_id,
    )


def _a_des_droits(reservataire: Organisation, liberation: Liberation) -> bool:
    return _conventions(liberation).filter(reservataire=reservataire).exists()


# --- Désignation préfectorale d'urgence (CA, art. 5) --------------------------------------------------------------


def peut_designer_d_urgence(acteur: Acteur, liberation: Liberation) -> bool:
    """The DDETS of the département, with the role of managing."""
    return acteur.systeme or (
        acteur.est_ddets and acteur.peut_gerer and liberation.departement_id in acteur.departements
    )


def urgence_possible(liberation: Liberation) -> bool:
    """A dwelling of the flux, free: neither cancelled nor attributed."""
    return (
        liberation.annulee_le is None
        and liberation.usage == Usage.FLUX
        and not liberation.attributions.filter(refusee_le__isnull=True).exists()
    )


@transaction.atomic
def designer_d_urgence(
    acteur: Acteur, liberation: Liberation, *, reference: str, motif: CodeMotif, date: date
) -> Urgence:
    """The préfet takes a freed dwelling in an urgency: out of the flux where the convention says so, imputed on nobody.

    Whatever orientation it had ends there, and the bailleur is told.
    """
    exiger_hors_assistance(acteur)
    if not peut_designer_d_urgence(acteur, liberation):
        raise PermissionDenied("Seule la DDETS du département désigne d’urgence, avec le rôle de gestion.")
    # The State does not write libérations nor designations: its act has this one effect on the bailleur's.
    with agir(Acteur.du_systeme("désignation d’urgence")):
        return _designer_d_urgence(acteur, liberation, reference, motif, date)


def _designer_d_urgence(
    acteur: Acteur, liberation: Liberation, reference: str, motif: CodeMotif, date: date
) -> Urgence:
    liberation = Liberation.objects.select_for_update().get(pk=liberation.pk)
    exiger(motif.acte == CodeMotif.Acte.URGENCE and motif.actif, "Ce motif n’est pas un motif d’urgence.")
    exiger(liberation.annulee_le is None, "Cette libération est annulée.")
    exiger(liberation.usage == Usage.FLUX, "Ce logement est déjà pris hors du flux.")
    exiger(
        urgence_possible(liberation),
        "Ce logement a une attribution en cours : il n’est plus à désigner.",
    )
    contexte.motiver(motif.libelle)
    urgence = Urgence(
        bailleur_id=liberation.bailleur_id,
        departement_id=liberation.departement_id,
        liberation=liberation,
        reference=reference.strip(),
        motif=motif,
        date=date,
        faite_par_id=acteur.utilisateur_id,
    )
    fermer(liberation)
    liberation.usage, liberation.preuve = Usage.URGENCE_PREFECTORALE, urgence.reference
    liberation.reservataire = liberation.orientee_le = liberation.designation_echouee_le = None
    enregistrer(liberation)
    enregistrer(urgence)
    prevenir(
        liberation.bailleur,
        "designation_urgence",
        {
            "bailleur": liberation.bailleur.nom,
            "reference": liberation.reference,
            "commune": liberation.commune.nom,
            "acte": urgence.reference,
            "date": date_fr(date),
            "page": reverse("flux:liberation", args=[liberation.pk]),
        },
    )
    conclure(liberation, f"Désignation d’urgence, libération du {date_fr(liberation.date)}")
    return urgence
