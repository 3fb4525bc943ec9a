"""API tokens: opened by an administrator, drawn by the person they act for, ended by either.

ouvrir_jeton → tirer_secret (shown once) → used by a program → revoquer_jeton, or the last day, or the end of the
person's access. The database keeps a hash: who reads the table can enter nowhere. 256 bits drawn at random need no
slow hash.

A GET never writes, so the day of the last use is not written by the request: it is noted in the cache, and the daily
task puts it in the row. A cache that is lost loses at most a day of a hint.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import date, timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import EvenementAcces, JetonApi, Organisation, Rattachement, Utilisateur
from reservation.models.jetons import DUREE_MAX, ROLES_JETON
from reservation.regles.portees import completer, lecture_seule, toutes_les_portees
from reservation.regles.typographie import date_fr

from . import bac_a_sable as bacs_a_sable
from .courriels import ecrire
from .habilitations import administrateurs_de, exiger_administration, noter, personnes_de

# Says what it is to whoever finds it in a file: scanners of leaked secrets look for such beginnings.
PREFIXE = "gef_"
GARDE_USAGE = 40 * 24 * 3600  # seconds
Nature = EvenementAcces.Nature


def fin_maximale(jour: date | None = None) -> date:
    """Last day that a token opened on `jour` may have."""
    return (jour or timezone.localdate()) + DUREE_MAX


@transaction.atomic
def ouvrir_jeton(
    acteur: Acteur,
    organisation: Organisation,
    utilisateur: Utilisateur,
    *,
    nom: str,
    role: str,
    fin: date,
    portees: Collection[str] | None = None,
    bac_a_sable: bool = False,
) -> JetonApi:
    """Let a program act for `utilisateur`, who will draw the secret; the administrators are told.

    `portees`: what it reads and writes; None, all that the role allows. `bac_a_sable`: it acts in the sandbox alone.
    At home only: who stands above an organisation names its administrators, and lets nobody act there.
    """
    exiger_administration(acteur, organisation)
    if not acteur.systeme and acteur.organisation_id != organisation.pk:
        raise PermissionDenied("Un accès API s’ouvre dans l’organisation, par ses administrateurs.")
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    roles = _roles_de(utilisateur.pk, organisation.pk)
    if not roles:
        raise ValidationError({"personne": "Cette personne n’a pas d’accès à cette organisation."})
    if role not in ROLES_JETON:
        raise ValidationError({"role": "Un accès API lit ou gère ; il ne signe ni n’administre."})
    if role == Role.GESTION and not _gere(roles):
        raise ValidationError({"role": "Cette personne n’a pas le rôle de gestion : donnez la lecture."})
    aujourd_hui = timezone.localdate()
    if not aujourd_hui <= fin <= fin_maximale(aujourd_hui):
        raise ValidationError(
            {"fin": f"Attendu : entre aujourd’hui et le {date_fr(fin_maximale(aujourd_hui))}, un an au plus."}
        )
    portees = _lire_les_portees(portees, role)
    if bac_a_sable and bacs_a_sable.organisation_de(organisation) is None:
        raise ValidationError({"bac_a_sable": "Le bac à sable n’est pas ouvert pour votre organisation."})
    jeton = JetonApi(
        portees=portees,
        bac_a_sable=bac_a_sable,
        organisation=organisation,
        utilisateur=utilisateur,
        nom=nom.strip(),
        role=role,
        debut=aujourd_hui,
        fin=fin,
        cree_par_id=acteur.utilisateur_id,
    )
    jeton.full_clean(exclude=["organisation", "utilisateur", "cree_par"])
    jeton.save()
    noter(
        acteur,
        Nature.API_OUVERT,
        organisation,
        utilisateur,
        detail=f"{jeton.nom}, rôle {jeton.get_role_display()}, jusqu’au {date_fr(fin)}"
        + (", bac à sable" if bac_a_sable else ""),
    )
    _prevenir(acteur, jeton)
    return jeton


def _lire_les_portees(portees: Collection[str] | None, role: str) -> list[str]:
    """Those asked for, within the role: a token that only reads has no scope to write."""
    try:
        lues = toutes_les_portees() if portees is None else completer(portees)
    except ValueError as inconnue:
        raise ValidationError({"portees": f"« {inconnue} » n’est pas une portée."}) from None
    if role == Role.LECTURE:
        lues = lecture_seule(lues)
    if not lues:
        raise ValidationError({"portees": "Choisissez au moins une portée."})
    return lues


def _prevenir(acteur: Acteur, jeton: JetonApi) -> None:
    """One e-mail for each administrator, and one for the person who is to draw the secret."""
    auteur = Utilisateur.objects.filter(pk=acteur.utilisateur_id).first()
    valeurs = {
        "organisation": jeton.organisation.nom,
        "nom": jeton.nom,
        "personne": jeton.utilisateur.nom,
        "auteur": auteur.nom if auteur else "L’équipe du site",
        "role": jeton.get_role_display(),
        "fin": date_fr(jeton.fin),
    }
    for administrateur in administrateurs_de(jeton.organisation):
        page = reverse("reservation:jetons", args=[jeton.organisation_id])
        ecrire(
            "acces_api", administrateur.courriel, valeurs | {"page": page}, organisation=jeton.organisation
        )
    page = reverse("reservation:mes_acces")
    ecrire(
        "acces_api_secret",
        jeton.utilisateur.courriel,
        valeurs | {"page": page},
        organisation=jeton.organisation,
    )


@transaction.atomic
def tirer_secret(acteur: Acteur, jeton: JetonApi) -> str:
    """The secret, for its person alone, once: it is kept nowhere."""
    jeton = JetonApi.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=jeton.pk)
    if acteur.en_assistance or acteur.utilisateur_id != jeton.utilisateur_id:
        raise PermissionDenied("Le secret d’un accès API n’est remis qu’à la personne pour qui il agit.")
    if jeton.revoque_le or jeton.expire:
        raise ValidationError("Cet accès API n’est plus valable.")
    if jeton.secret_hache:
        raise ValidationError(
            "Le secret a déjà été remis, et n’est gardé nulle part. S’il est perdu, révoquez cet accès API et "
            "demandez-en un autre."
        )
    secret = PREFIXE + secrets.token_urlsafe(32)
    jeton.secret_hache, jeton.repere, jeton.tire_le = _hacher(secret), secret[-4:], timezone.now()
    jeton.save(update_fields=["secret_hache", "repere", "tire_le"])
    noter(acteur, Nature.API_SECRET, jeton.organisation, jeton.utilisateur, detail=jeton.nom)
    return secret


@transaction.atomic
def revoquer_jeton(acteur: Acteur, jeton: JetonApi) -> JetonApi:
    """End a token at once: by its person, or by an administrator."""
    if not JetonApi.objects.modifiables_par(acteur).filter(pk=jeton.pk).exists():
        raise PermissionDenied("Seuls la personne et ses administrateurs révoquent un accès API.")
    if not JetonApi.objects.filter(pk=jeton.pk).eteindre(acteur.utilisateur_id):
        raise ValidationError("Cet accès API est déjà révoqué.")
    noter(acteur, Nature.API_REVOQUE, jeton.organisation, jeton.utilisateur, detail=jeton.nom)
    jeton.refresh_from_db()
    return jeton


def personnes_possibles(organisation: Organisation) -> list[Utilisateur]:
    """People for whom a program may act in `organisation`, by name."""
    return [acces.utilisateur for acces in personnes_de(organisation)]


# --- Use ------------------------------------------------------------------------------------------------------------


def jeton_de_secret(secret: str) -> JetonApi | None:
    """The token of this secret, if it is in force."""
    if not secret.startswith(PREFIXE):
        return None
    return (
        JetonApi.objects.en_vigueur()
        .select_related("utilisateur", "organisation__region")
        .filter(secret_hache=_hacher(secret))
        .first()
    )


def acteur_du_jeton(jeton: JetonApi) -> Acteur | None:
    """On whose behalf its program works: the person, with the role of the token and never more than their own today.

    None when the person's access is over. A token of the sandbox acts for the fictitious organisation in its place: nothing
    real is in the perimeter of what it does.
    """
    roles = _roles_de(jeton.utilisateur_id, jeton.organisation_id)
    if not roles:
        return None
    gere = jeton.role == Role.GESTION and _gere(roles)
    organisation = jeton.organisation
    if jeton.bac_a_sable and (organisation := bacs_a_sable.organisation_de(jeton.organisation)) is None:
        return None
    return Acteur(
        utilisateur_id=jeton.utilisateur_id,
        organisation_id=organisation.pk,
        type_organisation=TypeOrganisation(organisation.type),
        roles=frozenset({Role.GESTION if gere else Role.LECTURE}),
        departements=organisation.departements_du_perimetre,
    )


def noter_usage(jeton: JetonApi) -> None:
    """Remember that it served today, outside of the database."""
    aujourd_hui = timezone.localdate()
    if jeton.usage_le != aujourd_hui:
        cache.set(_cle_usage(jeton.pk), aujourd_hui.isoformat(), GARDE_USAGE)


def lire_usages(jetons: list[JetonApi]) -> dict[int, date]:
    """Key of a token → the last day when it served, as far as is known."""
    notes = cache.get_many([_cle_usage(jeton.pk) for jeton in jetons])
    usages = {}
    for jeton in jetons:
        note = notes.get(_cle_usage(jeton.pk))
        jours = [jour for jour in (jeton.usage_le, note and date.fromisoformat(note)) if jour]
        if jours:
            usages[jeton.pk] = max(jours)
    return usages


def ecrire_les_usages() -> int:
    """Every day: put in the rows what the cache remembers. Returns how many changed."""
    jetons = list(JetonApi.objects.en_vigueur().exclude(secret_hache=None).order_by("pk"))
    usages = lire_usages(jetons)
    changes = [jeton for jeton in jetons if usages.get(jeton.pk) != jeton.usage_le]
    for jeton in changes:
        jeton.usage_le = usages[jeton.pk]
    return JetonApi.objects.bulk_update(changes, ["usage_le"])


@transaction.atomic
def rappeler_les_fins(jour: date | None = None) -> int:
    """Tell its person and the administrators that a token ends soon, as long before as for an access. Returns the e-mails.

    A day without a task is no reminder lost: each row remembers the last one sent.
    """
    jour = jour or timezone.localdate()
    proches = (
        JetonApi.objects.en_vigueur(jour)
        .filter(fin__lte=jour + timedelta(days=max(settings.ACCES_RAPPELS)))
        .select_for_update(of=("self",))
        .select_related("organisation", "utilisateur")
        .order_by("pk")
    )
    ecrits = 0
    for jeton in proches:
        seuil = min(s for s in settings.ACCES_RAPPELS if (jeton.fin - jour).days <= s)
        if jeton.rappel is not None and jeton.rappel <= seuil:
            continue
        jeton.rappel = seuil
        jeton.save(update_fields=["rappel"])
        valeurs = {
            "organisation": jeton.organisation.nom,
            "nom": jeton.nom,
            "personne": jeton.utilisateur.nom,
            "fin": date_fr(jeton.fin),
        }
        gens = {u.pk: u for u in (jeton.utilisateur, *administrateurs_de(jeton.organisation))}
        for personne in gens.values():
            administre = personne.pk != jeton.utilisateur_id
            page = (
                reverse("reservation:jetons", args=[jeton.organisation_id])
                if administre
                else reverse("reservation:mes_acces")
            )
            ecrire(
                "acces_api_fin",
                personne.courriel,
                valeurs | {"page": page, "administre": administre},
                organisation=jeton.organisation,
            )
            ecrits += 1
    return ecrits


def _cle_usage(pk: int) -> str:
    return f"jeton-usage-{pk}"


def _roles_de(utilisateur_id: int, organisation_id: int) -> set[str]:
    actifs = Rattachement.objects.actifs().filter(utilisateur=utilisateur_id, organisation=organisation_id)
    return set(actifs.values_list("role", flat=True))


def _gere(roles: set[str]) -> bool:
    return bool(roles & {Role.GESTION, Role.SIGNATURE})


def _hacher(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
