"""Webhooks: subscriptions of an organisation, the messages that tell what changed, their delivery.

    a row is written → a trigger writes an `Annonce` in the same transaction → diffuser makes a `LivraisonWebhook` for
    each subscription whose organisation sees the object → remettre → REMISE | next try later | ECHEC → rejouer

At least once: who receives tells two messages apart by `webhook-id`, and reads the object through the API.
"""

import http.client
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.apps import apps
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Min, Q
from django.urls import reverse
from django.utils import timezone

from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import (
    AbonnementWebhook,
    Annonce,
    EvenementAcces,
    LigneJournal,
    LivraisonWebhook,
    Organisation,
)
from reservation.perimetre import agir
from reservation.regles import webhooks as regles
from reservation.regles.webhooks import CREATION, ESSAI, MODIFICATION, SUJETS

from .courriels import ecrire
from .envoi_http import AdresseRefusee, poster
from .habilitations import administrateurs_de, noter

journal = logging.getLogger(__name__)

ABONNEMENTS_MAX = 10
ANNONCES_PAR_LOT = 500
BAIL_DE_REMISE = timedelta(minutes=5)  # how long a try may hold its row
GARDE = timedelta(days=30)
PARTI = 410
Etat = LivraisonWebhook.Etat

# What the journal follows → the subject that tells it. Names are strings: the upper rooms are not known here.
DU_JOURNAL = {
    "flux.liberation": "liberation",
    "flux.commission": "commission",
    "flux.passage": "passage",
    "flux.attribution": "attribution",
    "publics.labellisation": "label",
    "publics.propositionlabel": "proposition",
}
# Journals that are only added to: table → (subject, column of the object).
DES_TABLES = {
    "flux.orientation": ("orientation", "liberation_id"),
    "bilans.etapebilan": ("bilan", "bilan_id"),
    "bilans.versionreservataire": ("bilan_recu", "pk"),
}
# Subject → the model whose `visibles_par` says who may know of the object.
MODELES = {
    **{sujet: modele for modele, sujet in DU_JOURNAL.items()},
    "orientation": "flux.liberation",
    "bail": "flux.attribution",
    "bilan": "bilans.bilan",
    "bilan_recu": "bilans.versionreservataire",
}
Faits = dict[tuple[str, str], set[int]]


# --- Subscriptions --------------------------------------------------------------------------------------------------


def _exiger(acteur: Acteur, organisation: Organisation) -> None:
    if acteur.systeme:
        return
    if acteur.en_assistance or not acteur.peut_administrer or acteur.organisation_id != organisation.pk:
        raise PermissionDenied("Les webhooks se règlent dans l’organisation, par ses administrateurs.")


def _a_changer(acteur: Acteur, abonnement: AbonnementWebhook) -> AbonnementWebhook:
    _exiger(acteur, abonnement.organisation)
    abonnement = (
        AbonnementWebhook.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .get(pk=abonnement.pk)
    )
    if abonnement.ferme_le:
        raise ValidationError("Cet abonnement est fermé.")
    return abonnement


@transaction.atomic
def abonner(
    acteur: Acteur, organisation: Organisation, *, nom: str, url: str, sujets: Iterable[str]
) -> AbonnementWebhook:
    """Tell an address what changes, from now on. Its secret is `abonnement.secret`, to be shown once."""
    _exiger(acteur, organisation)
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    url, sujets = url.strip(), [sujet for sujet in SUJETS if sujet in set(sujets)]
    try:
        regles.lire_adresse(url, interne=settings.WEBHOOKS_RESEAU_INTERNE)
    except ValueError as refus:
        raise ValidationError({"url": str(refus)}) from None
    if not sujets:
        raise ValidationError({"sujets": "Choisissez au moins un sujet."})
    ouverts = AbonnementWebhook.objects.filter(organisation=organisation, ferme_le=None)
    if ouverts.count() >= ABONNEMENTS_MAX:
        raise ValidationError(f"Une organisation a {ABONNEMENTS_MAX} abonnements au plus : fermez-en un.")
    abonnement = AbonnementWebhook(
        organisation=organisation,
        nom=nom.strip(),
        url=url,
        sujets=sujets,
        tirage=secrets.token_urlsafe(32),
        cree_par_id=acteur.utilisateur_id,
    )
    abonnement.full_clean(exclude=["organisation", "cree_par"])
    abonnement.save()
    return abonnement


@transaction.atomic
def suspendre(acteur: Acteur, abonnement: AbonnementWebhook) -> None:
    """Nothing is told any more, until it is resumed; what happens meanwhile is not told later."""
    abonnement = _a_changer(acteur, abonnement)
    if abonnement.suspendu_le:
        raise ValidationError("Cet abonnement est déjà suspendu.")
    abonnement.suspendu_le, abonnement.suspendu_pour = timezone.now(), "À la demande de l’organisation"
    abonnement.save(update_fields=["suspendu_le", "suspendu_pour"])


@transaction.atomic
def reprendre_abonnement(acteur: Acteur, abonnement: AbonnementWebhook) -> None:
    """Tell again, the messages that wait first."""
    abonnement = _a_changer(acteur, abonnement)
    if not abonnement.suspendu_le:
        raise ValidationError("Cet abonnement est en service.")
    abonnement.suspendu_le, abonnement.suspendu_pour, abonnement.echecs_de_suite = None, "", 0
    abonnement.save(update_fields=["suspendu_le", "suspendu_pour", "echecs_de_suite"])
    for pk in abonnement.livraisons.filter(etat=Etat.A_REMETTRE).values_list("pk", flat=True):
        _appeler(pk)


@transaction.atomic
def fermer(acteur: Acteur, abonnement: AbonnementWebhook) -> None:
    """For good: its secret signs nothing any more, the messages that wait are not sent."""
    abonnement = _a_changer(acteur, abonnement)
    abonnement.ferme_le = timezone.now()
    abonnement.save(update_fields=["ferme_le"])
    abonnement.livraisons.filter(etat=Etat.A_REMETTRE).update(etat=Etat.ECHEC, erreur="Abonnement fermé")


@transaction.atomic
def renouveler_secret(acteur: Acteur, abonnement: AbonnementWebhook) -> AbonnementWebhook:
    """Draw another secret: the one before signs nothing any more. To be shown once, as when it was opened.

    What the receiver refuses until it has the new one is tried again: nothing is lost in two days.
    """
    abonnement = _a_changer(acteur, abonnement)
    abonnement.tirage = secrets.token_urlsafe(32)
    abonnement.save(update_fields=["tirage"])
    # The draw is in no trace: the act is noted.
    noter(
        acteur, EvenementAcces.Nature.API_SECRET, abonnement.organisation, detail=f"webhook {abonnement.nom}"
    )
    return abonnement


@transaction.atomic
def essayer(acteur: Acteur, abonnement: AbonnementWebhook) -> LivraisonWebhook:
    """Send a message that tells nothing, to check the address and the signature."""
    abonnement = _a_changer(acteur, abonnement)
    if abonnement.suspendu_le:
        raise ValidationError("Cet abonnement est suspendu : reprenez-le d’abord.")
    livraison = LivraisonWebhook.objects.create(
        abonnement=abonnement, organisation=abonnement.organisation, type=ESSAI
    )
    _appeler(livraison.pk)
    return livraison


@transaction.atomic
def rejouer(acteur: Acteur, livraison: LivraisonWebhook) -> None:
    """Send a message again, delivered or not, under the same identifier; its tries start again."""
    abonnement = _a_changer(acteur, livraison.abonnement)
    if abonnement.suspendu_le:
        raise ValidationError("Cet abonnement est suspendu : reprenez-le d’abord.")
    livraison = LivraisonWebhook.objects.select_for_update(of=("self",)).get(pk=livraison.pk)
    if livraison.etat == Etat.A_REMETTRE:
        raise ValidationError("Ce message attend déjà d’être remis.")
    livraison.etat, livraison.essais, livraison.remise_le = Etat.A_REMETTRE, 0, None
    livraison.statut, livraison.erreur, livraison.prochain_essai_le = None, "", timezone.now()
    livraison.save()
    _appeler(livraison.pk)


# --- From what happened to messages ---------------------------------------------------------------------------------


def acteur_de(organisation: Organisation) -> Acteur:
    """What the whole of the organisation may read: nobody of it in particular."""
    return Acteur(
        organisation_id=organisation.pk,
        type_organisation=TypeOrganisation(organisation.type),
        roles=frozenset({Role.LECTURE}),
        departements=organisation.departements_du_perimetre,
    )


@transaction.atomic
def diffuser() -> int:
    """Make the messages of what was announced, and erase the announcements, together. Returns how many messages."""
    annonces = list(Annonce.objects.select_for_update(skip_locked=True).order_by("pk")[:ANNONCES_PAR_LOT])
    if not annonces:
        return 0
    abonnements = list(
        AbonnementWebhook.objects.en_service()
        .select_related("organisation__region", "organisation__departement")
        .order_by("organisation_id", "pk")
    )
    livraisons = _livraisons(abonnements, _faits(annonces)) if abonnements else []
    LivraisonWebhook.objects.bulk_create(livraisons, batch_size=500)
    Annonce.objects.filter(pk__in=[annonce.pk for annonce in annonces]).delete()
    for livraison in livraisons:
        _appeler(livraison.pk)
    return len(livraisons)


def _livraisons(abonnements: list[AbonnementWebhook], faits: Faits) -> list[LivraisonWebhook]:
    livraisons, vus = [], {}
    for abonnement in abonnements:
        for (sujet, acte), cles in faits.items():
            if sujet not in abonnement.sujets:
                continue
            cle = (abonnement.organisation_id, sujet, acte)
            if cle not in vus:
                vus[cle] = _visibles(abonnement.organisation, sujet, cles)
            for debut in range(0, len(vus[cle]), regles.PAR_MESSAGE):
                livraisons.append(
                    LivraisonWebhook(
                        abonnement=abonnement,
                        organisation=abonnement.organisation,
                        type=f"{sujet}.{acte}",
                        ressource=SUJETS[sujet].ressource,
                        identifiants=vus[cle][debut : debut + regles.PAR_MESSAGE],
                    )
                )
    return livraisons


def _visibles(organisation: Organisation, sujet: str, cles: set[int]) -> list[int]:
    """Those of `cles` that the organisation sees: by the queryset, and by the database under its perimeter."""
    acteur = acteur_de(organisation)
    lignes = apps.get_model(MODELES[sujet]).objects.visibles_par(acteur)
    with agir(acteur, lecture_seule=True):
        return sorted(lignes.filter(pk__in=cles).order_by().values_list("pk", flat=True).distinct())


def _faits(annonces: list[Annonce]) -> Faits:
    """(subject, act) → objects. An object made and changed in the same lot was made."""
    faits: Faits = defaultdict(set)
    bornes = defaultdict(list)
    for annonce in annonces:
        bornes[annonce.source].append((annonce.premiere, annonce.derniere))
    if "journal" in bornes:
        _lire_le_journal(bornes.pop("journal"), faits)
    for source, paires in bornes.items():
        sujet, colonne = DES_TABLES[source]
        lignes = apps.get_model(source).objects.filter(_dans(paires))
        faits[sujet, CREATION] |= set(lignes.order_by().values_list(colonne, flat=True))
    for (sujet, acte), cles in faits.items():
        if acte == MODIFICATION:
            cles -= faits.get((sujet, CREATION), set())
    return {fait: cles for fait, cles in faits.items() if cles}


def _lire_le_journal(paires: list[tuple[int, int]], faits: Faits) -> None:
    evenements = set()
    lignes = LigneJournal.objects.filter(_dans(paires), objet_type__in=DU_JOURNAL).exclude(
        acte=LigneJournal.Acte.SUPPRESSION
    )
    for type_, acte, cle, evenement in lignes.order_by().values_list(
        "objet_type", "acte", "objet_id", "evenement_id"
    ):
        faits[DU_JOURNAL[type_], CREATION if acte == LigneJournal.Acte.CREATION else MODIFICATION].add(
            int(cle)
        )
        if type_ == "flux.attribution":
            evenements.add(evenement)
    if evenements:
        faits["bail", CREATION] |= _baux_signes(evenements)


def _baux_signes(evenements: set[int]) -> set[int]:
    """Attributions whose first state with a lease is one of `evenements`."""
    traces = apps.get_model("flux.TraceAttribution").objects
    objets = traces.filter(pgh_id__in=evenements, date_bail__isnull=False).values("pgh_obj_id")
    premiers = (
        traces.filter(pgh_obj_id__in=objets, date_bail__isnull=False)
        .order_by()
        .values("pgh_obj_id")
        .annotate(premier=Min("pgh_id"))
    )
    return {
        objet for objet, premier in premiers.values_list("pgh_obj_id", "premier") if premier in evenements
    }


def _dans(paires: list[tuple[int, int]]) -> Q:
    """Rows between the two ends of one of the pairs; those that touch are one."""
    fusion: list[list[int]] = []
    for premiere, derniere in sorted(paires):
        if fusion and premiere <= fusion[-1][1] + 1:
            fusion[-1][1] = max(fusion[-1][1], derniere)
        else:
            fusion.append([premiere, derniere])
    condition = Q()
    for premiere, derniere in fusion:
        condition |= Q(pk__range=(premiere, derniere))
    return condition


# --- Delivery -------------------------------------------------------------------------------------------------------


def _appeler(livraison_id: int) -> None:
    from reservation.tasks import remettre_webhook

    transaction.on_commit(lambda: remettre_webhook.delay(livraison_id), robust=True)


def reprendre(maintenant: datetime | None = None) -> int:
    """Call a worker for every message whose time has come: lost calls, tries to do again. Returns how many."""
    dues = _a_remettre(maintenant or timezone.now()).order_by("prochain_essai_le", "pk")[:1000]
    cles = list(dues.values_list("pk", flat=True))
    for pk in cles:
        _appeler(pk)
    return len(cles)


def _a_remettre(maintenant: datetime):
    return LivraisonWebhook.objects.filter(
        etat=Etat.A_REMETTRE,
        prochain_essai_le__lte=maintenant,
        abonnement__in=AbonnementWebhook.objects.en_service(),
    )


def remettre(livraison_id: int, maintenant: datetime | None = None) -> LivraisonWebhook | None:
    """Try once; None when there is nothing to do, or when another worker does it.

    The row is taken for a while, then the network is spoken to outside of any transaction: a worker that dies leaves a row
    whose time comes again.
    """
    maintenant = maintenant or timezone.now()
    with transaction.atomic():
        livraison = (
            _a_remettre(maintenant)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("abonnement__organisation")
            .filter(pk=livraison_id)
            .first()
        )
        if livraison is None:
            return None
        livraison.essais += 1
        livraison.prochain_essai_le = maintenant + BAIL_DE_REMISE
        livraison.save(update_fields=["essais", "prochain_essai_le"])
    statut, erreur = _poster(livraison)
    return _noter(livraison, statut, erreur, maintenant)


def _poster(livraison: LivraisonWebhook) -> tuple[int | None, str]:
    """(status, "") or (status or None, why it did not arrive)."""
    corps = regles.composer(livraison.type, livraison.cree_le, livraison.ressource, livraison.identifiants)
    message, instant = str(livraison.message), int(time.time())
    entetes = {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(instant),
        "webhook-signature": regles.signer(livraison.abonnement.cles, message, instant, corps),
    }
    try:
        statut = poster(livraison.abonnement.url, corps, entetes)
    except AdresseRefusee as refus:
        return None, str(refus)
    except (OSError, http.client.HTTPException) as erreur:
        return None, f"Pas de réponse ({type(erreur).__name__})"
    if 200 <= statut < 300:
        return statut, ""
    return statut, "Redirection, non suivie" if 300 <= statut < 400 else f"Réponse {statut}"


@transaction.atomic
def _noter(
    livraison: LivraisonWebhook, statut: int | None, erreur: str, maintenant: datetime
) -> LivraisonWebhook:
    abonnement = AbonnementWebhook.objects.select_for_update(of=("self",)).get(pk=livraison.abonnement_id)
    livraison.statut, livraison.erreur = statut, erreur[:200]
    if not erreur:
        livraison.etat, livraison.remise_le = Etat.REMISE, maintenant
        abonnement.echecs_de_suite = 0
    else:
        attente = regles.prochain_essai(livraison.essais)
        if attente is None:
            livraison.etat = Etat.ECHEC
        else:
            livraison.prochain_essai_le = maintenant + attente
        abonnement.echecs_de_suite = min(abonnement.echecs_de_suite + 1, 30_000)
        journal.warning("Webhook %s, essai %s : %s", livraison.pk, livraison.essais, erreur)
    livraison.save()
    if erreur and not abonnement.suspendu_le:
        if statut == PARTI:
            _suspendre_d_office(abonnement, "L’adresse répond qu’elle n’existe plus (410)", maintenant)
        elif abonnement.echecs_de_suite >= regles.ECHECS_AVANT_SUSPENSION:
            raison = f"{regles.ECHECS_AVANT_SUSPENSION} essais manqués de suite"
            _suspendre_d_office(abonnement, raison, maintenant)
    abonnement.save(update_fields=["echecs_de_suite", "suspendu_le", "suspendu_pour"])
    return livraison


def _suspendre_d_office(abonnement: AbonnementWebhook, raison: str, maintenant: datetime) -> None:
    """The administrators are told once."""
    abonnement.suspendu_le, abonnement.suspendu_pour = maintenant, raison
    organisation = abonnement.organisation
    valeurs = {
        "organisation": organisation.nom,
        "nom": abonnement.nom,
        "raison": raison,
        "page": reverse("reservation:webhook", args=[abonnement.pk]),
    }
    for administrateur in administrateurs_de(organisation):
        ecrire("webhook_suspendu", administrateur.courriel, valeurs, organisation=organisation)


def oublier(maintenant: datetime | None = None) -> int:
    """Every day: erase the messages of more than a month ago, but for those that wait. Returns how many."""
    anciennes = LivraisonWebhook.objects.filter(cree_le__lt=(maintenant or timezone.now()) - GARDE).exclude(
        etat=Etat.A_REMETTRE, abonnement__ferme_le=None
    )
    return anciennes.delete()[0]
