"""The life of an access: invited or asked for, decided, changed, confirmed every year, ended; never deleted.

Signing in is not being habilitated: a role comes from an administrator of the organisation, or from who stands above
it (DDETS, DREAL). Everything that may take away the last administrator of an organisation is done under the lock of
its row, so that two administrators who leave at the same moment do not both succeed.
"""

import hashlib
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from reservation.acteur import Acteur, Role
from reservation.models import (
    DemandeAcces,
    EvenementAcces,
    Invitation,
    JetonApi,
    Organisation,
    Rattachement,
    Utilisateur,
    cle_de_tri,
)
from reservation.models.acces import libelles_des_roles
from reservation.regles.siren import chiffres, siren_de
from reservation.regles.typographie import accorder, date_fr, enumerer, typographier
from reservation.signaux import adresse_prouvee

from . import bac_a_sable
from .courriels import ecrire

Nature = EvenementAcces.Nature


class DernierAdministrateur(ValidationError):
    """The act would leave an organisation without anybody to manage its accesses."""

    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            f"{organisation.nom} n’a pas d’autre administrateur : donnez d’abord ce rôle à quelqu’un d’autre."
        )


# --- Who has what -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class AccesPersonne:
    """A person in an organisation: roles in force and the day when the first of them ends."""

    utilisateur: Utilisateur
    organisation: Organisation
    rattachements: list[Rattachement] = field(default_factory=list)

    @property
    def roles(self) -> list[str]:
        return [r.role for r in self.rattachements]

    @property
    def libelles(self) -> list[str]:
        return libelles_des_roles(self.roles)

    @property
    def fin(self) -> date | None:
        return min((r.fin for r in self.rattachements if r.fin), default=None)

    @property
    def a_confirmer(self) -> bool:
        """Whether the yearly campaign is open for this access."""
        return self.fin is not None and self.fin <= debut_de_campagne()


def debut_de_campagne(jour: date | None = None) -> date:
    """Last day of an access that is in the campaign today."""
    return (jour or timezone.localdate()) + timedelta(days=max(settings.ACCES_RAPPELS))


def _par_personne(rattachements: Iterable[Rattachement]) -> list[AccesPersonne]:
    acces: dict[tuple[int, int], AccesPersonne] = {}
    for r in rattachements:
        cle = (r.organisation_id, r.utilisateur_id)
        acces.setdefault(cle, AccesPersonne(r.utilisateur, r.organisation)).rattachements.append(r)
    return list(acces.values())


def personnes_de(organisation: Organisation) -> list[AccesPersonne]:
    """People who have an access in force in `organisation`, by name."""
    actifs = (
        Rattachement.objects.actifs()
        .filter(organisation=organisation)
        .select_related("utilisateur", "organisation")
        .order_by("utilisateur__nom", "utilisateur_id", "role")
    )
    return _par_personne(actifs)


def acces_de(utilisateur: Utilisateur) -> list[AccesPersonne]:
    """Organisations where `utilisateur` has an access in force, by name."""
    actifs = (
        Rattachement.objects.actifs()
        .filter(utilisateur=utilisateur)
        .select_related("utilisateur", "organisation")
        .order_by("organisation__nom_tri", "organisation_id", "role")
    )
    return _par_personne(actifs)


def administrateurs_de(organisation: Organisation) -> QuerySet[Utilisateur]:
    """People who administer the accesses of `organisation`."""
    actifs = Rattachement.objects.actifs().filter(organisation=organisation, role=Role.ADMINISTRATION)
    return Utilisateur.objects.filter(pk__in=actifs.values("utilisateur")).order_by("pk")


def responsables_de(organisation: Organisation) -> list[Utilisateur]:
    """Its administrators; where it has none, those of who absorbed it, of the DDETS of its départements, of the DREAL."""
    if organisation.absorbee_par:
        return responsables_de(organisation.absorbee_par)
    if siens := list(administrateurs_de(organisation)):
        return siens
    departements = set(organisation.presences.values_list("departement_id", flat=True))
    departements |= set(organisation.communes.values_list("departement_id", flat=True))
    departements |= set(organisation.departements_du_perimetre)
    services = Organisation.objects.exclude(pk=organisation.pk)
    for type_, lieu in (
        ("DDETS", Q(departement__in=departements)),
        ("DREAL", Q(region__departements__in=departements)),
    ):
        actifs = Rattachement.objects.actifs().filter(
            organisation__in=services.filter(lieu, type=type_), role=Role.ADMINISTRATION
        )
        if trouves := list(Utilisateur.objects.filter(pk__in=actifs.values("utilisateur")).order_by("pk")):
            return trouves
    return []


# --- Rights, lock, journal ----------------------------------------------------------------------------------------


def exiger_administration(acteur: Acteur, organisation: Organisation) -> None:
    """Raise `PermissionDenied` unless `acteur` administers the accesses of `organisation`."""
    if not Organisation.objects.modifiables_par(acteur).filter(pk=organisation.pk).exists():
        raise PermissionDenied("Seul un administrateur de cette organisation gère ses accès.")


def _verrouiller(organisation: Organisation) -> Organisation:
    return Organisation.objects.select_for_update().get(pk=organisation.pk)


def _exiger_ouverte(organisation: Organisation, roles: Collection[str] = ()) -> None:
    """A closed organisation is only read: its past stays open to those who took it over."""
    if organisation.fermee_le and set(roles) != {Role.LECTURE}:
        raise ValidationError(f"{organisation.nom} est fermée : seul le rôle de lecture s’y donne.")


def noter(
    acteur: Acteur,
    nature: str,
    organisation: Organisation | None,
    utilisateur: Utilisateur | None = None,
    detail: str = "",
    commentaire: str = "",
) -> None:
    """Write one act in the journal of accesses."""
    EvenementAcces.objects.create(
        organisation=organisation,
        utilisateur=utilisateur,
        nature=nature,
        detail=typographier(detail)[:300],
        commentaire=(commentaire or acteur.motif)[:300],
        par_id=acteur.utilisateur_id,
        pour_id=acteur.organisation_id,
    )


def _roles_valides(roles: Collection[str]) -> list[str]:
    choisis = [str(role) for role in Role if role in set(roles)]
    if not choisis or set(roles) - set(Role):
        raise ValidationError({"roles": "Choisissez au moins un rôle."})
    return choisis


def en_toutes_lettres(roles: Collection[str]) -> str:
    """ "le rôle gestion", "les rôles gestion et signature"."""
    libelles = libelles_des_roles(roles)
    return f"{'le rôle' if len(libelles) == 1 else 'les rôles'} {enumerer(libelles)}"


def fin_d_un_an() -> date:
    """Last day of an access given or confirmed today."""
    return timezone.localdate() + timedelta(days=settings.ACCES_DUREE_JOURS)


def donner(utilisateur: Utilisateur, organisation: Organisation, roles: Collection[str]) -> date:
    """Give roles until a year from now; those already in force go on until then too."""
    fin = fin_d_un_an()
    actifs = Rattachement.objects.actifs().filter(utilisateur=utilisateur, organisation=organisation)
    actifs.filter(role__in=roles).update(fin=fin, rappel=None)
    deja = set(actifs.values_list("role", flat=True))
    Rattachement.objects.bulk_create(
        Rattachement(utilisateur=utilisateur, organisation=organisation, role=role, fin=fin)
        for role in roles
        if role not in deja
    )
    return fin


def terminer(rattachements: QuerySet[Rattachement]) -> int:
    """End rows now. Their last day is today, or stays what it was when it is past already."""
    maintenant, jour = timezone.now(), timezone.localdate()
    lignes = list(rattachements)
    for ligne in lignes:
        ligne.termine_le = maintenant
        ligne.fin = max(ligne.debut, min(ligne.fin or jour, jour))
    return Rattachement.objects.bulk_update(lignes, ["termine_le", "fin"])


# --- Invitations --------------------------------------------------------------------------------------------------


@transaction.atomic
def inviter(acteur: Acteur, organisation: Organisation, courriel: str, roles: Collection[str]) -> Invitation:
    """Invite an address into `organisation`; the e-mail leaves after the commit.

    Who stands above the organisation (DDETS, DREAL) names its administrators, who name the others; and nobody
    names oneself elsewhere than at home.
    """
    exiger_administration(acteur, organisation)
    organisation = _verrouiller(organisation)
    courriel = courriel.strip().lower()
    roles = _roles_valides(roles)
    _exiger_ouverte(organisation, roles)
    siennes = {organisation.pk, organisation.absorbee_par_id}
    chez_soi = acteur.systeme or acteur.organisation_id in siennes
    if not chez_soi and roles != [Role.ADMINISTRATION]:
        raise ValidationError(
            {"roles": "Vous nommez les administrateurs de cette organisation ; ils nomment les autres."}
        )
    invitant = Utilisateur.objects.filter(pk=acteur.utilisateur_id).first()
    if not chez_soi and invitant and invitant.courriel == courriel:
        raise ValidationError({"courriel": "Vous ne pouvez pas vous inviter vous-même."})
    if any(acces.utilisateur.courriel == courriel for acces in personnes_de(organisation)):
        raise ValidationError(
            {"courriel": "Cette personne a déjà un accès : changez ses rôles depuis sa ligne."}
        )
    if organisation.invitations.en_attente().filter(courriel=courriel).exists():
        raise ValidationError(
            {"courriel": "Une invitation attend déjà à cette adresse : renvoyez-la ou retirez-la."}
        )
    invitation = Invitation(
        organisation=organisation, courriel=courriel, roles=roles, invitee_par_id=acteur.utilisateur_id
    )
    _tirer_le_secret(invitation)
    invitation.full_clean(exclude=["organisation", "invitee_par"])
    invitation.save()
    _envoyer_l_invitation(acteur, invitation)
    noter(acteur, Nature.INVITATION, organisation, detail=f"{courriel}, {en_toutes_lettres(roles)}")
    return invitation


def _tirer_le_secret(invitation: Invitation) -> None:
    invitation.tirage = secrets.token_urlsafe(32)
    invitation.secret_hache = _hacher(invitation.secret)
    invitation.expire_le = timezone.now() + timedelta(days=settings.INVITATION_DUREE_JOURS)


def _hacher(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _envoyer_l_invitation(acteur: Acteur, invitation: Invitation) -> None:
    invitant = Utilisateur.objects.filter(pk=acteur.utilisateur_id).first()
    ecrire(
        "invitation",
        invitation.courriel,
        {
            "organisation": invitation.organisation.nom,
            "invitant": invitant.nom if invitant else "L’équipe du site",
            "roles": en_toutes_lettres(invitation.roles),
            "expire": date_fr(timezone.localdate(invitation.expire_le)),
        },
        organisation=invitation.organisation,
        invitation=invitation,
    )


def _reprendre_invitation(acteur: Acteur, invitation: Invitation) -> Invitation:
    """The row under the lock of its organisation, if it still waits and `acteur` may change it."""
    exiger_administration(acteur, invitation.organisation)
    organisation = _verrouiller(invitation.organisation)
    fraiche = Invitation.objects.en_attente().filter(pk=invitation.pk).first()
    if fraiche is None:
        raise ValidationError("Cette invitation n’attend plus : elle a été acceptée ou retirée.")
    fraiche.organisation = organisation
    return fraiche


@transaction.atomic
def renvoyer_invitation(acteur: Acteur, invitation: Invitation) -> Invitation:
    """Send it again with a new link and a new date; the former link is worth nothing any more."""
    invitation = _reprendre_invitation(acteur, invitation)
    _exiger_ouverte(invitation.organisation, invitation.roles)
    _tirer_le_secret(invitation)
    invitation.save()
    _envoyer_l_invitation(acteur, invitation)
    noter(acteur, Nature.RELANCE, invitation.organisation, detail=invitation.courriel)
    return invitation


@transaction.atomic
def revoquer_invitation(acteur: Acteur, invitation: Invitation) -> Invitation:
    """Take an invitation back: its link is worth nothing any more."""
    invitation = _reprendre_invitation(acteur, invitation)
    invitation.revoquee_le = timezone.now()
    invitation.revoquee_par_id = acteur.utilisateur_id
    invitation.save()
    noter(acteur, Nature.REVOCATION, invitation.organisation, detail=invitation.courriel)
    return invitation


def invitation_par_secret(secret: str) -> Invitation | None:
    """The invitation whose link carries `secret`, if it can still be accepted."""
    return (
        Invitation.objects.en_attente()
        .select_related("organisation", "invitee_par")
        .filter(
            secret_hache=_hacher(secret),
            expire_le__gt=timezone.now(),
        )
        .first()
    )


def compte_de(invitation: Invitation) -> Utilisateur | None:
    """The account of the invited address, if it may sign in. One closed for want of use may be opened again."""
    return Utilisateur.objects.filter(courriel=invitation.courriel, is_active=True).first()


@transaction.atomic
def accepter_invitation(utilisateur: Utilisateur, secret: str) -> Invitation:
    """Accept with an account whose address is the invited one."""
    invitation = _invitation_verrouillee(secret)
    if utilisateur.courriel != invitation.courriel:
        raise PermissionDenied("Cette invitation est adressée à une autre adresse électronique.")
    return _accepter(utilisateur, invitation)


@transaction.atomic
def accepter_en_ouvrant_un_compte(secret: str, *, nom: str, mot_de_passe: str) -> Invitation:
    """Accept and open the account at the same time; the link proves the address.

    An account closed for want of use is opened again with the new password. One that the site's support deactivated
    is not: its owner has to ask.
    """
    invitation = _invitation_verrouillee(secret)
    utilisateur = Utilisateur.objects.filter(courriel=invitation.courriel).first()
    if utilisateur is None:
        utilisateur = Utilisateur(courriel=invitation.courriel)
    elif utilisateur.is_active:
        raise ValidationError("Un compte existe à cette adresse : connectez-vous pour accepter.")
    elif utilisateur.ferme_le is None:
        raise ValidationError(
            "Le compte de cette adresse est désactivé : adressez-vous à l’assistance du site."
        )
    utilisateur.nom = nom.strip()
    try:
        validate_password(mot_de_passe, utilisateur)
    except ValidationError as erreur:
        raise ValidationError({"mot_de_passe": erreur.messages}) from erreur
    utilisateur.set_password(mot_de_passe)
    utilisateur.is_active, utilisateur.ferme_le, utilisateur.sommeil_averti_le = True, None, None
    utilisateur.last_login = timezone.now()  # opening the account is using it
    utilisateur.full_clean(exclude=["password"])
    utilisateur.save()
    adresse_prouvee.send(sender=Utilisateur, utilisateur=utilisateur)
    return _accepter(utilisateur, invitation)


def _invitation_verrouillee(secret: str) -> Invitation:
    invitation = invitation_par_secret(secret)
    if invitation is not None:
        _verrouiller(invitation.organisation)
        invitation = invitation_par_secret(secret)
    if invitation is None:
        raise ValidationError("Cette invitation n’est plus valable.")
    return invitation


def _accepter(utilisateur: Utilisateur, invitation: Invitation) -> Invitation:
    organisation = invitation.organisation
    _exiger_ouverte(organisation, invitation.roles)
    donner(utilisateur, organisation, invitation.roles)
    invitation.acceptee_par, invitation.acceptee_le = utilisateur, timezone.now()
    invitation.save()
    en_cours = DemandeAcces.objects.filter(
        utilisateur=utilisateur, organisation=organisation, etat=DemandeAcces.Etat.EN_ATTENTE
    )
    en_cours.update(
        etat=DemandeAcces.Etat.ACCEPTEE, decidee_le=timezone.now(), decidee_par=invitation.invitee_par
    )
    personne = Acteur(utilisateur_id=utilisateur.pk, organisation_id=organisation.pk)
    noter(personne, Nature.ACCEPTATION, organisation, utilisateur, detail=en_toutes_lettres(invitation.roles))
    return invitation


# --- Requests -----------------------------------------------------------------------------------------------------


def chercher_organisations(recherche: str, limite: int = 20) -> list[Organisation]:
    """Open organisations by a part of their name, or by their SIREN or SIRET; nothing for less than three signs."""
    cle = cle_de_tri(recherche)
    if len(cle) < 3:
        return []
    filtre = Q(nom_tri__contains=cle)
    numero = chiffres(recherche)
    if numero.isdecimal() and len(numero) in (9, 14):
        filtre |= Q(siren=numero[:9])
    trouvees = Organisation.objects.filter(filtre, fermee_le=None).exclude(bac_a_sable.LES_SIENNES)
    return list(trouvees.order_by("nom_tri", "pk")[:limite])


@transaction.atomic
def demander_acces(
    utilisateur: Utilisateur,
    organisation: Organisation,
    message: str = "",
    origine: str = DemandeAcces.Origine.SAISIE,
) -> DemandeAcces:
    """Ask to work for `organisation`; who may decide is told by e-mail."""
    organisation = _verrouiller(organisation)
    _exiger_ouverte(organisation)
    if Rattachement.objects.actifs().filter(utilisateur=utilisateur, organisation=organisation).exists():
        raise ValidationError("Vous avez déjà un accès à cette organisation.")
    demande = DemandeAcces(
        utilisateur=utilisateur, organisation=organisation, message=message.strip(), origine=origine
    )
    demande.full_clean(exclude=["utilisateur", "organisation"])
    if DemandeAcces.objects.filter(
        utilisateur=utilisateur, organisation=organisation, etat=DemandeAcces.Etat.EN_ATTENTE
    ).exists():
        raise ValidationError("Votre demande pour cette organisation attend déjà une décision.")
    demande.save()
    personne = Acteur(utilisateur_id=utilisateur.pk)
    noter(personne, Nature.DEMANDE, organisation, utilisateur, commentaire=demande.message)
    for responsable in responsables_de(organisation):
        ecrire(
            "demande_acces",
            responsable.courriel,
            {
                "organisation": organisation.nom,
                "demandeur": f"{utilisateur.nom} ({utilisateur.courriel})",
                "page": reverse("reservation:demande_acces", args=[demande.pk]),
            },
            organisation=organisation,
        )
    return demande


@transaction.atomic
def proposer_acces(utilisateur: Utilisateur, siret: str) -> DemandeAcces | None:
    """Ask for the person, at a first sign-in, the organisation whose SIREN begins their SIRET.

    None when the number is not one, when no organisation or several have this SIREN, when the person is in already,
    or when a refusal answered this proposal before: the person then asks from their own page.
    """
    siren = siren_de(siret)
    if siren is None:
        return None
    trouvees = list(Organisation.objects.filter(siren=siren, fermee_le=None).order_by("pk")[:2])
    if len(trouvees) != 1:
        return None
    [organisation] = trouvees
    if Rattachement.objects.actifs().filter(utilisateur=utilisateur, organisation=organisation).exists():
        return None
    organisation = _verrouiller(organisation)
    deja = DemandeAcces.objects.filter(utilisateur=utilisateur, organisation=organisation)
    attend = deja.filter(etat=DemandeAcces.Etat.EN_ATTENTE).first()
    if attend or deja.exists():
        return attend
    return demander_acces(utilisateur, organisation, origine=DemandeAcces.Origine.SIRET)


@transaction.atomic
def accepter_demande(acteur: Acteur, demande: DemandeAcces, roles: Collection[str]) -> DemandeAcces:
    """Give the person who asked these roles, until a year from now."""
    demande = _reprendre_demande(acteur, demande)
    organisation = demande.organisation
    roles = _roles_valides(roles)
    _exiger_ouverte(organisation, roles)
    if demande.utilisateur_id == acteur.utilisateur_id:
        raise PermissionDenied("Personne ne décide de sa propre demande.")
    fin = donner(demande.utilisateur, organisation, roles)
    _decider(acteur, demande, DemandeAcces.Etat.ACCEPTEE)
    noter(
        acteur,
        Nature.DEMANDE_ACCEPTEE,
        organisation,
        demande.utilisateur,
        detail=en_toutes_lettres(roles),
    )
    ecrire(
        "acces_accorde",
        demande.utilisateur.courriel,
        {"organisation": organisation.nom, "roles": en_toutes_lettres(roles), "fin": date_fr(fin)},
        organisation=organisation,
    )
    return demande


@transaction.atomic
def refuser_demande(acteur: Acteur, demande: DemandeAcces, motif: str) -> DemandeAcces:
    """Refuse, with a reason that the person reads."""
    demande = _reprendre_demande(acteur, demande)
    if not motif.strip():
        raise ValidationError({"motif": "Dites pourquoi : la personne lira ce motif."})
    demande.motif = motif.strip()
    _decider(acteur, demande, DemandeAcces.Etat.REFUSEE)
    noter(
        acteur, Nature.DEMANDE_REFUSEE, demande.organisation, demande.utilisateur, commentaire=demande.motif
    )
    ecrire(
        "acces_refuse",
        demande.utilisateur.courriel,
        {"organisation": demande.organisation.nom, "motif": demande.motif},
        organisation=demande.organisation,
    )
    return demande


@transaction.atomic
def retirer_demande(utilisateur: Utilisateur, demande: DemandeAcces) -> DemandeAcces:
    """The person changes their mind."""
    if demande.utilisateur_id != utilisateur.pk:
        raise PermissionDenied("Cette demande n’est pas la vôtre.")
    demande = _demande_en_attente(demande)
    personne = Acteur(utilisateur_id=utilisateur.pk)
    _decider(personne, demande, DemandeAcces.Etat.RETIREE)
    noter(personne, Nature.DEMANDE_RETIREE, demande.organisation, utilisateur)
    return demande


def _reprendre_demande(acteur: Acteur, demande: DemandeAcces) -> DemandeAcces:
    exiger_administration(acteur, demande.organisation)
    return _demande_en_attente(demande)


def _demande_en_attente(demande: DemandeAcces) -> DemandeAcces:
    _verrouiller(demande.organisation)
    fraiche = (
        DemandeAcces.objects.select_related("organisation", "utilisateur")
        .filter(pk=demande.pk, etat=DemandeAcces.Etat.EN_ATTENTE)
        .first()
    )
    if fraiche is None:
        raise ValidationError("Cette demande n’attend plus de décision.")
    return fraiche


def _decider(acteur: Acteur, demande: DemandeAcces, etat: str) -> None:
    demande.etat = etat
    demande.decidee_le = timezone.now()
    demande.decidee_par_id = acteur.utilisateur_id
    demande.save()


# --- Roles and ends -----------------------------------------------------------------------------------------------


def _acces_verrouille(utilisateur: Utilisateur, organisation: Organisation) -> QuerySet[Rattachement]:
    _verrouiller(organisation)
    actifs = Rattachement.objects.actifs().filter(utilisateur=utilisateur, organisation=organisation)
    if not actifs.exists():
        raise ValidationError("Cette personne n’a plus d’accès à cette organisation.")
    return actifs.order_by("pk")


def _refuser_si_dernier(
    organisation: Organisation, actifs: QuerySet[Rattachement], restent: Collection[str]
) -> None:
    """Refuse what takes away the only administrator, inside the lock, before anything is written."""
    if Role.ADMINISTRATION in restent or not actifs.filter(role=Role.ADMINISTRATION).exists():
        return
    utilisateur = actifs.values("utilisateur")
    if not administrateurs_de(organisation).exclude(pk__in=utilisateur).exists():
        raise DernierAdministrateur(organisation)


@transaction.atomic
def changer_roles(
    acteur: Acteur, utilisateur: Utilisateur, organisation: Organisation, roles: Collection[str]
) -> None:
    """Replace the roles of a person; those kept keep their end, those added end with the access."""
    exiger_administration(acteur, organisation)
    if not acteur.systeme and organisation.pk != acteur.organisation_id:
        raise PermissionDenied("Les rôles se changent dans l’organisation ; vous nommez ses administrateurs.")
    actifs = _acces_verrouille(utilisateur, organisation)
    roles = _roles_valides(roles)
    _exiger_ouverte(organisation, roles)
    avant = list(actifs.values_list("role", flat=True))
    if set(avant) == set(roles):
        return
    _refuser_si_dernier(organisation, actifs, roles)
    fin = max((f for f in actifs.values_list("fin", flat=True) if f), default=None)
    terminer(actifs.exclude(role__in=roles))
    Rattachement.objects.bulk_create(
        Rattachement(utilisateur=utilisateur, organisation=organisation, role=role, fin=fin)
        for role in roles
        if role not in avant
    )
    noter(
        acteur,
        Nature.ROLES,
        organisation,
        utilisateur,
        detail=f"{enumerer(libelles_des_roles(avant))} → {enumerer(libelles_des_roles(roles))}",
    )
    ecrire(
        "roles_modifies",
        utilisateur.courriel,
        {
            "organisation": organisation.nom,
            "roles": en_toutes_lettres(roles),
            "fin": date_fr(fin) if fin else "",
        },
        organisation=organisation,
    )


@transaction.atomic
def terminer_acces(
    acteur: Acteur, utilisateur: Utilisateur, organisation: Organisation, motif: str = ""
) -> None:
    """End every role of a person in an organisation, at once. Nothing is erased."""
    exiger_administration(acteur, organisation)
    _finir(acteur, utilisateur, organisation, Nature.FIN, motif)
    ecrire(
        "acces_termine", utilisateur.courriel, {"organisation": organisation.nom}, organisation=organisation
    )


@transaction.atomic
def quitter(acteur: Acteur, utilisateur: Utilisateur, organisation: Organisation) -> None:
    """Leave an organisation oneself."""
    if acteur.utilisateur_id != utilisateur.pk:
        raise PermissionDenied("On ne quitte une organisation que pour soi.")
    _finir(acteur, utilisateur, organisation, Nature.DEPART)


def _finir(
    acteur: Acteur, utilisateur: Utilisateur, organisation: Organisation, nature: str, motif: str = ""
) -> None:
    actifs = _acces_verrouille(utilisateur, organisation)
    _refuser_si_dernier(organisation, actifs, ())
    roles = list(actifs.values_list("role", flat=True))
    terminer(actifs)
    JetonApi.objects.filter(utilisateur=utilisateur, organisation=organisation).eteindre(
        acteur.utilisateur_id
    )
    noter(acteur, nature, organisation, utilisateur, enumerer(libelles_des_roles(roles)), motif)


# --- Yearly campaign ----------------------------------------------------------------------------------------------


@transaction.atomic
def renouveler(acteur: Acteur, utilisateur: Utilisateur, organisation: Organisation) -> date:
    """Confirm an access for a year from today."""
    exiger_administration(acteur, organisation)
    actifs = _acces_verrouille(utilisateur, organisation)
    fin = fin_d_un_an()
    actifs.update(fin=fin, rappel=None)
    noter(acteur, Nature.RENOUVELLEMENT, organisation, utilisateur, detail=f"jusqu’au {date_fr(fin)}")
    return fin


@transaction.atomic
def rappeler_les_fins(jour: date | None = None) -> int:
    """Tell who manages an organisation which accesses end soon: 60, 30 and 7 days before. Returns the e-mails.

    A day without a task is no reminder lost: each row remembers the last one sent.
    """
    jour = jour or timezone.localdate()
    proches = (
        Rattachement.objects.actifs(jour)
        .filter(fin__lte=debut_de_campagne(jour))
        .select_for_update(of=("self",))
        .select_related("organisation")
        .order_by("organisation", "fin", "pk")
    )
    par_organisation: dict[Organisation, list[Rattachement]] = {}
    for r in proches:
        seuil = min(s for s in settings.ACCES_RAPPELS if (r.fin - jour).days <= s)
        if r.rappel is None or seuil < r.rappel:
            r.rappel = seuil
            par_organisation.setdefault(r.organisation, []).append(r)
    ecrits = 0
    for organisation, lignes in par_organisation.items():
        Rattachement.objects.bulk_update(lignes, ["rappel"])
        premiere = min(r.fin for r in lignes)
        personnes = len({r.utilisateur_id for r in lignes})
        for responsable in responsables_de(organisation):
            ecrire(
                "renouvellement",
                responsable.courriel,
                {
                    "organisation": organisation.nom,
                    "nombre": accorder(personnes, "accès", "accès"),
                    "fin": date_fr(premiere),
                    "jours": (premiere - jour).days,
                    "page": reverse("reservation:organisation_acces", args=[organisation.pk]),
                },
                organisation=organisation,
            )
            ecrits += 1
    return ecrits


@transaction.atomic
def terminer_les_echus(jour: date | None = None) -> int:
    """Write down the end of accesses whose last day is past: they gave no right any more. Returns how many people."""
    jour = jour or timezone.localdate()
    echus = list(
        Rattachement.objects.filter(termine_le=None, fin__lt=jour)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("organisation", "utilisateur")
        .order_by("organisation", "utilisateur", "pk")
    )
    Rattachement.objects.filter(pk__in=[r.pk for r in echus]).update(termine_le=timezone.now())
    acteur = Acteur.du_systeme("accès non confirmé à sa date")
    groupes = _par_personne(echus)
    restent = Rattachement.objects.actifs(jour).filter(
        utilisateur=OuterRef("utilisateur"), organisation=OuterRef("organisation")
    )
    JetonApi.objects.filter(~Exists(restent), utilisateur__in=[r.utilisateur_id for r in echus]).eteindre()
    for acces in groupes:
        noter(acteur, Nature.EXPIRATION, acces.organisation, acces.utilisateur, enumerer(acces.libelles))
    return len(groupes)
