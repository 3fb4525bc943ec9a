"""One e-mail a day to each organisation that is to do something soon, or is late; never about what is done.

    obligations → the reminder that the day calls for → `Rappel` (once) → one e-mail for each person who manages

The dates are those of the campaign at that moment. A reminder that could not leave before its thing was done does not leave.
"""

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from bilans.models import CourrielDeRappel, Rappel
from bilans.regles.campagne import Etat, NatureEcheance, Seuil, seuil_atteint
from flux.services.designations import ROLES_PREVENUS
from reservation.acteur import Acteur
from reservation.models import Courriel, Organisation, Utilisateur
from reservation.perimetre import agir
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import accorder, date_fr
from reservation.services import courriels

from .alertes import ou_le_faire
from .faits_campagne import FAITS, propositions_en_attente
from .suivi_campagne import Obligation, obligations

GABARIT = "rappels_campagne"
Ligne = tuple[Obligation, Seuil]


@agir(Acteur.du_systeme("rappels des campagnes"))
def rappeler(maintenant: datetime | None = None) -> int:
    """Write the e-mails of the day; returns how many. Run twice, or late, it sends nothing twice."""
    maintenant = maintenant or timezone.now()
    a_dire: dict[int, list[Ligne]] = {}
    for o in obligations(Acteur.du_systeme("rappels des campagnes"), maintenant):
        seuil = seuil_atteint(o.situation)
        if seuil is None:
            continue
        for organisation in o.de_qui:
            a_dire.setdefault(organisation.pk, []).append((o, seuil))
    return sum(_ecrire(pk, lignes, maintenant) for pk, lignes in sorted(a_dire.items()))


def _cle(o: Obligation, seuil: Seuil) -> tuple:
    e = o.echeance
    return (o.bailleur.pk, o.departement.pk, e.annee, e.nature.value, e.due, seuil.value)


@transaction.atomic
def _ecrire(organisation_id: int, lignes: list[Ligne], maintenant: datetime) -> int:
    # Two workers are put in order: the second finds what the first wrote.
    organisation = Organisation.objects.select_for_update().get(pk=organisation_id)
    deja = set(
        Rappel.objects.filter(
            organisation=organisation, annee__in={o.echeance.annee for o, _ in lignes}
        ).values_list("bailleur", "departement", "annee", "nature", "due", "seuil")
    )
    nouvelles = [(o, seuil) for o, seuil in lignes if _cle(o, seuil) not in deja]
    personnes = personnes_prevenues(organisation)
    if not nouvelles or not personnes:
        return 0  # nobody to tell: it is tried again the day after
    rappels = Rappel.objects.bulk_create(
        Rappel(
            bailleur=o.bailleur,
            departement=o.departement,
            annee=o.echeance.annee,
            nature=o.echeance.nature,
            due=o.echeance.due,
            seuil=seuil,
            organisation=organisation,
            ecrit_le=maintenant,
        )
        for o, seuil in nouvelles
    )
    faits = {
        "organisation": organisation.nom,
        "nombre": accorder(len(nouvelles), "échéance"),
        "jour": date_fr(jour_a_paris(maintenant)),
        "lignes": [_dire(o) for o, _ in nouvelles],
        "page": reverse("bilans:rappels"),
    }
    for courriel in personnes:
        ecrit = courriels.ecrire(GABARIT, courriel, faits, organisation=organisation)
        CourrielDeRappel.objects.bulk_create(CourrielDeRappel(rappel=r, courriel=ecrit) for r in rappels)
    return len(personnes)


def personnes_prevenues(organisation: Organisation) -> list[str]:
    """Addresses of those who manage or sign."""
    membres = organisation.rattachements.actifs().filter(role__in=ROLES_PREVENUS).order_by()
    return list(
        Utilisateur.objects.filter(pk__in=membres.values("utilisateur"))
        .order_by("courriel")
        .values_list("courriel", flat=True)
    )


def _dire(o: Obligation) -> dict[str, str]:
    """One line of the e-mail: what, where, until when; nobody is called late within the tolerance."""
    e = o.echeance
    due, tolerance = date_fr(e.due), date_fr(e.tolerance)
    match o.situation.etat:
        case Etat.EN_RETARD:
            quand = f"Le dernier jour était le {due}, toléré jusqu’au {tolerance}."
        case Etat.TOLEREE:
            quand = f"Le dernier jour était le {due} ; c’est toléré jusqu’au {tolerance}, avant minuit."
        case _:
            quand = f"Dernier jour : {due}, avant minuit ({o.situation.compte_a_rebours})."
    return {
        "objet": e.objet,
        "lieu": f"{o.bailleur.nom}, {o.departement.nom}",
        "quand": quand,
        "raison": e.raison,
        "page": ou_le_faire(o),
    }


# --- Never after completion -----------------------------------------------------------------------------------------


@agir(Acteur.du_systeme("rappels des campagnes"), lecture_seule=True)
def encore_utile(courriel: Courriel) -> bool:
    """Whether something that this e-mail reminds of is still awaited from its organisation."""
    return any(_encore_du(rappel) for rappel in Rappel.objects.filter(envois__courriel=courriel))


def _encore_du(rappel: Rappel) -> bool:
    nature, cle = NatureEcheance(rappel.nature), (rappel.bailleur_id, rappel.departement_id, rappel.annee)
    ou = [rappel.bailleur_id], [rappel.annee]
    if cle in FAITS[nature](*ou):
        return False
    if nature != NatureEcheance.PART_ALS:
        return True
    return propositions_en_attente(*ou).get(cle) != rappel.organisation_id


def renvoyer(acteur: Acteur, courriel: Courriel) -> Courriel:
    """Send a reminder again that was not delivered, unless all of it is done since."""
    if not encore_utile(courriel):
        raise ValidationError("Tout ce que ce courriel rappelle est fait depuis : il n’y a rien à renvoyer.")
    return courriels.renvoyer(acteur, courriel)


def envois_de(rappels: Iterable[Rappel]) -> dict[int, list[Courriel]]:
    """Rappel → the e-mails that carried it, by address. One query."""
    envois: dict[int, list[Courriel]] = {}
    for lien in (
        CourrielDeRappel.objects.filter(rappel__in=[r.pk for r in rappels])
        .select_related("courriel")
        .order_by("courriel__destinataire", "pk")
    ):
        envois.setdefault(lien.rappel_id, []).append(lien.courriel)
    return envois
