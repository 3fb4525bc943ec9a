"""What the members of the COPIL receive: the convocation with its calendar entry, the minutes; what an organisation owes.

An organisation has no address: those who manage there are written to, or all its members where nobody manages.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from bilans.models import ActionReunion, CompteRendu, Reunion
from bilans.regles.reunions import ActeReunion, rappel_du
from flux.services.designations import ROLES_PREVENUS
from reservation.acteur import Acteur
from reservation.models import Courriel, Organisation, Rattachement
from reservation.perimetre import agir
from reservation.regles.agenda import Evenement, Methode, Statut, ecrire_calendrier
from reservation.regles.periodes import PARIS
from reservation.regles.typographie import accorder, date_fr, heure_fr, jour_semaine_fr, typographier
from reservation.services.courriels import Fichier, ecrire

CONVOCATION, COMPTE_RENDU, ACTIONS = "convocation_copil", "compte_rendu_copil", "actions_copil"
SYSTEME = Acteur.du_systeme("courriels du comité de pilotage")


def decrire(reunion: Reunion) -> str:
    """ "de 9 h 30 à 12 h, DREAL, salle 2"."""
    debut = heure_fr(reunion.heure)
    quand = f"de {debut} à {heure_fr(reunion.heure_fin)}" if reunion.heure_fin else f"à {debut}"
    return f"{quand}, {reunion.lieu}"


def _personnes(organisations: Iterable[int]) -> dict[int, list[str]]:
    """Addresses by organisation, in one query, in order; none for an organisation where nobody has an access."""
    gerent: dict[int, set[str]] = {}
    tous: dict[int, set[str]] = {}
    membres = Rattachement.objects.actifs().filter(organisation__in=organisations).order_by()
    for organisation, role, courriel in membres.values_list("organisation", "role", "utilisateur__courriel"):
        tous.setdefault(organisation, set()).add(courriel)
        if role in ROLES_PREVENUS:
            gerent.setdefault(organisation, set()).add(courriel)
    return {cle: sorted(gerent.get(cle, adresses)) for cle, adresses in tous.items()}


def personnes_des_membres(reunion: Reunion) -> list[str]:
    """Who is convened: addresses, in order."""
    invites = list(reunion.invites.order_by().values_list("organisation", flat=True))
    return sorted({adresse for adresses in _personnes(invites).values() for adresse in adresses})


def convoquer(reunion: Reunion, acte: ActeReunion, motif: str = "") -> int:
    """Inside the transaction of the act: the e-mail and its calendar entry for each person; how many."""
    adresses = personnes_des_membres(reunion)
    points = list(reunion.points.order_by("rang", "pk"))
    fichiers = [_invitation(reunion, acte, adresses)]
    faits = {
        "objet": reunion.objet,
        "comite": reunion.organisation.nom,
        "region": reunion.region.nom,
        "jour": jour_semaine_fr(reunion.date),
        "seance": decrire(reunion),
        "nature": acte.value,
        "motif": motif,
        "points": [
            f"{rang}. {point.titre}{f' ({point.duree} min)' if point.duree else ''}"
            for rang, point in enumerate(points, 1)
        ],
        "page": reverse("bilans:reunion", args=[reunion.pk]),
    }
    for adresse in adresses:
        ecrire(CONVOCATION, adresse, faits, organisation=reunion.organisation, fichiers=fichiers)
    return len(adresses)


def _invitation(reunion: Reunion, acte: ActeReunion, adresses: Sequence[str]) -> Fichier:
    methode = Methode.ANNULER if acte == ActeReunion.ANNULER else Methode.CONVIER
    adresse = f"{settings.SITE_URL}{reverse('bilans:reunion', args=[reunion.pk])}"
    _, courriel = parseaddr(settings.DEFAULT_FROM_EMAIL)
    evenement = Evenement(
        uid=f"copil-{reunion.pk}@{urlsplit(settings.SITE_URL).hostname}",
        sequence=reunion.sequence,
        ecrit_le=timezone.now(),
        debut=datetime.combine(reunion.date, reunion.heure, PARIS),
        fin=datetime.combine(reunion.date, reunion.heure_fin, PARIS) if reunion.heure_fin else None,
        titre=reunion.objet,
        lieu=reunion.lieu,
        description=typographier(
            f"Comité de pilotage de la gestion en flux, {reunion.region.nom} : {decrire(reunion)}.\n{adresse}"
        ),
        adresse=adresse,
        statut=Statut.ANNULE if methode == Methode.ANNULER else Statut.CONFIRME,
        organisateur=(reunion.organisation.nom, courriel),
        convies=tuple(adresses),
    )
    texte = ecrire_calendrier([evenement], methode)
    return Fichier("convocation.ics", f"text/calendar; method={methode.value}", texte.encode())


def envoyer_compte_rendu(reunion: Reunion, compte_rendu: CompteRendu) -> int:
    """The minutes to every member, as a file; how many e-mails."""
    fichier = Fichier(f"{compte_rendu}.pdf", "application/pdf", bytes(compte_rendu.octets))
    adresses = personnes_des_membres(reunion)
    faits = {
        "objet": reunion.objet,
        "comite": reunion.organisation.nom,
        "jour": jour_semaine_fr(reunion.date),
        "version": compte_rendu.version,
        "page": reverse("bilans:reunion", args=[reunion.pk]),
    }
    for adresse in adresses:
        ecrire(COMPTE_RENDU, adresse, faits, organisation=reunion.organisation, fichiers=[fichier])
    return len(adresses)


def confier(reunion: Reunion) -> int:
    """To each organisation, what the meeting asks of it and that is still to do; how many e-mails."""
    actions = ActionReunion.objects.ouvertes().filter(reunion=reunion)
    return _ecrire_aux_responsables(actions.select_related("organisation", "comite"), timezone.localdate())


def _ecrire_aux_responsables(actions: Iterable[ActionReunion], jour: date, *, rappel: bool = False) -> int:
    par_organisation: dict[Organisation, list[ActionReunion]] = {}
    for action in actions:
        par_organisation.setdefault(action.organisation, []).append(action)
    adresses = _personnes([o.pk for o in par_organisation])
    ecrits = 0
    for organisation, dues in par_organisation.items():
        faits = {
            "organisation": organisation.nom,
            "rappel": rappel,
            "nombre": accorder(len(dues), "action"),
            "lignes": [
                {
                    "libelle": action.libelle,
                    "quand": f"Pour le {date_fr(action.echeance)} ({action.situer(jour).compte_a_rebours}), "
                    f"décidée le {date_fr(action.seance)}, {action.comite.nom}.",
                    "page": reverse("bilans:action_copil", args=[action.pk]),
                }
                for action in dues
            ],
            "page": reverse("bilans:actions_copil"),
        }
        for adresse in adresses.get(organisation.pk, []):
            ecrire(ACTIONS, adresse, faits, organisation=organisation)
            ecrits += 1
    return ecrits


# --- Reminders --------------------------------------------------------------------------------------------------------


@agir(SYSTEME)
@transaction.atomic
def rappeler(jour: date | None = None) -> int:
    """The reminders that the day calls for, one e-mail to each person; run twice, it writes nothing twice."""
    jour = jour or timezone.localdate()
    a_dire = []
    ouvertes = ActionReunion.objects.ouvertes().select_related("organisation", "comite")
    for action in ouvertes.select_for_update(of=("self",)).order_by("organisation", "echeance", "pk"):
        seuil = rappel_du(action.situer(jour))
        if seuil is not None and seuil.value != action.rappel:
            a_dire.append(action)
            action.rappel = seuil.value
    ActionReunion.objects.bulk_update(a_dire, ["rappel"])
    return _ecrire_aux_responsables(a_dire, jour, rappel=True)


@agir(SYSTEME, lecture_seule=True)
def encore_utile(courriel: Courriel) -> bool:
    """Whether the organisation of this e-mail still owes something."""
    return ActionReunion.objects.ouvertes().filter(organisation=courriel.organisation_id).exists()
