"""What a bailleur foresees, sent to all its réservataires with their receipts; the share of ALS agreed by both parties."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from bilans.models import EnvoiProjection, PartConvenue, RemiseProjection
from flux.models import CalculFlux, Nature, PartFlux, SoustractionPrevisionnelle
from flux.services.designations import ROLES_PREVENUS, prevenir
from flux.services.soustractions import categories_deduites, peut_declarer
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Convention, Departement, Organisation, Presence
from reservation.perimetre import agir
from reservation.regles.typographie import accorder, entier_fr, typographier
from reservation.services.assistances import exiger_hors_assistance


def _verrouiller(bailleur: Organisation, departement: str) -> Presence:
    """The presence is the lock: two people acting at once are put in order."""
    presence = (
        Presence.objects.select_for_update(of=("self",))
        .select_related("departement")
        .filter(bailleur=bailleur, departement=departement)
        .first()
    )
    if presence is None:
        raise ValidationError("Ce bailleur n’est pas présent dans ce département.")
    return presence


def _actes(bailleur: Organisation, departement: str, annee: int):
    return (
        Convention.objects.filter(
            bailleur=bailleur,
            departement=departement,
            debut__lte=date(annee, 12, 31),
            fin__gte=date(annee, 1, 1),
        )
        .exclude(etat=Convention.Etat.BROUILLON)
        .order_by()
    )


@agir(Acteur.du_systeme("destinataires d’une projection"))
def destinataires(bailleur: Organisation, departement: str, annee: int) -> list[Organisation]:
    """Every réservataire that has an act in the year, and the État in any case (R. 441-5, I)."""
    titulaires = set(_actes(bailleur, departement, annee).values_list("reservataire", flat=True))
    etat = Organisation.objects.filter(
        type=TypeOrganisation.DDETS, departement=departement, fermee_le=None
    ).values_list("pk", flat=True)
    return list(Organisation.objects.filter(pk__in={*titulaires, *etat}).order_by("nom_tri", "pk"))


def nombres_saisis(bailleur_id: int, departement: str, annee: int) -> dict[str, int]:
    """What is entered for each category that the acts deduct, zeros included."""
    saisis = dict(
        SoustractionPrevisionnelle.objects.filter(
            bailleur=bailleur_id, departement=departement, annee=annee
        ).values_list("categorie", "nombre")
    )
    return {c.value: saisis.get(c.value, 0) for c in categories_deduites(bailleur_id, departement, annee)}


def _page(bailleur_id: int, departement: str, annee: int) -> str:
    return reverse("bilans:projection", args=[bailleur_id, departement, annee])


def _comptes(organisation: Organisation) -> int:
    membres = organisation.rattachements.actifs().filter(role__in=ROLES_PREVENUS)
    return membres.order_by().values("utilisateur").distinct().count()


@transaction.atomic
def envoyer_projection(
    acteur: Acteur, bailleur: Organisation, departement: str, annee: int
) -> EnvoiProjection:
    """Send what is entered to every réservataire: a new version, and a receipt for each of them.

    Same numbers as the last version: it goes only to those who have not had it. Raises `ValidationError` when
    there is nobody left to send it to.
    """
    exiger_hors_assistance(acteur)
    if not peut_declarer(acteur, bailleur.pk):
        raise PermissionDenied("Seul le bailleur transmet ses soustractions prévisionnelles.")
    presence = _verrouiller(bailleur, departement)
    nombres = nombres_saisis(bailleur.pk, departement, annee)
    maintenant = timezone.now()
    dernier = EnvoiProjection.objects.filter(bailleur=bailleur, departement=departement, annee=annee).first()
    envoi = dernier
    if dernier is None or dernier.nombres != nombres:
        envoi = EnvoiProjection.objects.create(
            bailleur=bailleur,
            departement_id=departement,
            annee=annee,
            version=dernier.version + 1 if dernier else 1,
            nombres=nombres,
            total=sum(nombres.values()),
            envoye_par_id=acteur.utilisateur_id,
            envoye_le=maintenant,
        )
    deja = set(envoi.remises.values_list("reservataire", flat=True))
    restent = [o for o in destinataires(bailleur, departement, annee) if o.pk not in deja]
    if not restent:
        raise ValidationError(
            "Cette projection est déjà transmise à tous vos réservataires, et rien n’a changé depuis."
        )
    for organisation in restent:
        RemiseProjection.objects.create(
            envoi=envoi,
            bailleur=bailleur,
            departement_id=departement,
            reservataire=organisation,
            comptes=_comptes(organisation),
            remise_le=maintenant,
        )
        prevenir(
            organisation,
            "projection_transmise",
            {
                "bailleur": bailleur.nom,
                "departement": presence.departement.nom,
                "annee": str(annee),
                "version": str(envoi.version),
                "total": accorder(envoi.total, "logement"),
                "page": _page(bailleur.pk, departement, annee),
            },
        )
    return envoi


@transaction.atomic
def accuser_reception(acteur: Acteur, envoi: EnvoiProjection) -> RemiseProjection:
    """The réservataire says that it has read a version, and those before it. Said twice, the first day stays."""
    exiger_hors_assistance(acteur)
    siennes = RemiseProjection.objects.modifiables_par(acteur).filter(
        bailleur=envoi.bailleur_id,
        departement=envoi.departement_id,
        envoi__annee=envoi.annee,
        envoi__version__lte=envoi.version,
    )
    remise = siennes.filter(envoi=envoi).first()
    if remise is None:
        raise PermissionDenied("Cette projection ne vous a pas été transmise, ou votre rôle est de lire.")
    siennes.filter(lue_le=None).update(lue_le=timezone.now(), lue_par=acteur.utilisateur_id)
    remise.refresh_from_db()
    return remise


# --- The share of ALS ---------------------------------------------------------------------------------------------


@agir(Acteur.du_systeme("part prévisionnelle d’Action Logement"), lecture_seule=True)
def als_de(bailleur: Organisation, departement: str, annee: int) -> Organisation | None:
    """Action Logement Services, when it has an act with this bailleur in the year."""
    acte = (
        _actes(bailleur, departement, annee)
        .filter(reservataire__type=TypeOrganisation.ACTION_LOGEMENT)
        .select_related("reservataire")
        .first()
    )
    return acte.reservataire if acte else None


@dataclass(frozen=True, slots=True)
class Repere:
    """What the calculation of the year gives: whole dwellings of ALS, and the projected flux of the bailleur."""

    part: int
    flux: int


@agir(Acteur.du_systeme("part prévisionnelle d’Action Logement"), lecture_seule=True)
def repere(bailleur_id: int, departement: str, annee: int) -> Repere | None:
    """None while the year is not computed. Both parties read both figures (table of chapter 2)."""
    calcul = (
        CalculFlux.objects.en_vigueur()
        .filter(bailleur=bailleur_id, departement=departement, annee=annee, nature=Nature.PREVISIONNEL)
        .only("flux")
        .first()
    )
    if calcul is None:
        return None
    part = PartFlux.objects.filter(calcul=calcul, code="ALS").values_list("objectif", flat=True).first()
    return Repere(part or 0, calcul.flux)


def partie_de(acteur: Acteur, bailleur_id: int, als: Organisation | None) -> bool:
    """Whether `acteur` is one of the two that agree on the share, and may engage it."""
    if als is None or not acteur.peut_gerer or acteur.systeme:
        return False
    return acteur.organisation_id in (bailleur_id, als.pk)


def _actes_propres(acteur: Acteur, annees: Collection[int]) -> QuerySet[Convention]:
    """The acts of ALS itself, drafts apart, that are not over before those years."""
    return (
        Convention.objects.visibles_par(acteur)
        .filter(reservataire=acteur.organisation_id, fin__gte=date(min(annees), 1, 1))
        .exclude(etat=Convention.Etat.BROUILLON)
    )


def _versions_vives(acteur: Acteur, annees: Collection[int]) -> QuerySet[PartConvenue]:
    """The proposals that wait and the shares in force of those years."""
    parts = PartConvenue.objects.visibles_par(acteur).filter(annee__in=annees)
    return parts.exclude(etat=PartConvenue.Etat.REMPLACEE)


@dataclass(frozen=True, slots=True)
class PartAConvenir:
    """A pair and a year with an act of ALS. `proposee`: waits for an answer; `convenue`: the one in force."""

    bailleur: Organisation
    departement: Departement
    annee: int
    repere: Repere | None
    proposee: PartConvenue | None
    convenue: PartConvenue | None

    @property
    def page(self) -> str:
        return _page(self.bailleur.pk, self.departement.pk, self.annee)


@agir(Acteur.du_systeme("parts prévisionnelles d’Action Logement"), lecture_seule=True)
def parts_a_convenir(
    acteur: Acteur, annees: Collection[int], departement: str = "", bailleur: int | None = None
) -> list[PartAConvenir]:
    """The forecast shares of ALS with each bailleur, by year: agreed, proposed, or to propose. Three queries.

    ALS's own, within its acts; nobody else reads them here.
    """
    if not acteur.est_action_logement or not annees:
        return []
    lieux = {"departement": departement} if departement else {}
    if bailleur is not None:
        lieux["bailleur"] = bailleur
    actes = (
        _actes_propres(acteur, annees)
        .filter(**lieux)
        .select_related("bailleur", "departement")
        .order_by("departement__nom_tri", "bailleur__nom_tri", "pk")
    )
    par_cle: dict[tuple[int, str, int, str], PartConvenue] = {}
    for part in _versions_vives(acteur, annees).filter(**lieux).select_related("proposee_pour"):
        par_cle[part.bailleur_id, part.departement_id, part.annee, part.etat] = part
    reperes = {
        (bailleur_, departement_, annee): Repere(objectif, flux)
        for bailleur_, departement_, annee, objectif, flux in PartFlux.objects.filter(
            code="ALS",
            calcul__annee__in=annees,
            calcul__nature=Nature.PREVISIONNEL,
            calcul__en_vigueur=True,
            **lieux,
        ).values_list("bailleur", "departement", "calcul__annee", "objectif", "calcul__flux")
    }
    etats = PartConvenue.Etat
    lues: dict[tuple[int, str, int], PartAConvenir] = {}
    for acte in actes:
        for annee in annees:
            cle = (acte.bailleur_id, acte.departement_id, annee)
            if acte.debut.year <= annee <= acte.fin.year and cle not in lues:
                lues[cle] = PartAConvenir(
                    acte.bailleur,
                    acte.departement,
                    annee,
                    reperes.get(cle),
                    par_cle.get((*cle, etats.PROPOSEE)),
                    par_cle.get((*cle, etats.ACCEPTEE)),
                )
    return sorted(lues.values(), key=lambda p: -p.annee)


class AConvenir(NamedTuple):
    """Forecast shares of a département: those that the bailleur proposed and ALS must answer, those that nobody proposed."""

    a_repondre: int
    a_proposer: int


@agir(Acteur.du_systeme("parts prévisionnelles d’Action Logement"), lecture_seule=True)
def compter_parts_a_convenir(acteur: Acteur, annees: Collection[int]) -> dict[str, AConvenir]:
    """Département → what `parts_a_convenir` would list there for ALS to act on. Two queries; nothing for anybody else."""
    if not acteur.est_action_logement or not annees:
        return {}
    dues = {
        (bailleur, departement, annee)
        for bailleur, departement, debut, fin in _actes_propres(acteur, annees).values_list(
            "bailleur", "departement", "debut", "fin"
        )
        for annee in annees
        if debut.year <= annee <= fin.year
    }
    vives = {
        ((bailleur, departement, annee), etat, pour)
        for bailleur, departement, annee, etat, pour in _versions_vives(acteur, annees).values_list(
            "bailleur", "departement", "annee", "etat", "proposee_pour"
        )
    }
    recues = {
        cle
        for cle, etat, pour in vives
        if etat == PartConvenue.Etat.PROPOSEE and pour != acteur.organisation_id
    }
    a_repondre = Counter(departement for _, departement, _ in dues & recues)
    a_proposer = Counter(departement for _, departement, _ in dues - {cle for cle, _, _ in vives})
    return {
        departement: AConvenir(a_repondre[departement], a_proposer[departement])
        for departement in a_repondre | a_proposer
    }


@transaction.atomic
def proposer_part(
    acteur: Acteur, bailleur: Organisation, departement: str, annee: int, logements: int, observation: str
) -> PartConvenue:
    """Propose a share to the other party: a version, that replaces the proposal under way (a counter-proposal is one).

    The share in force stays until the new one is accepted. More than the projected flux is refused.
    """
    exiger_hors_assistance(acteur)
    presence = _verrouiller(bailleur, departement)
    als = als_de(bailleur, departement, annee)
    if als is None:
        raise ValidationError(
            f"Action Logement Services n’a pas d’acte en {annee} avec ce bailleur dans ce département."
        )
    if not partie_de(acteur, bailleur.pk, als):
        raise PermissionDenied("Le bailleur et Action Logement Services conviennent de cette part.")
    reperes = repere(bailleur.pk, departement, annee)
    if reperes is not None and logements > reperes.flux:
        raise ValidationError(
            typographier(
                f"Vous proposez {accorder(logements, 'logement')} pour un flux prévisionnel de "
                f"{entier_fr(reperes.flux)} ; attendu : {entier_fr(reperes.flux)} au plus."
            )
        )
    versions = PartConvenue.objects.filter(
        bailleur=bailleur, departement=departement, annee=annee, reservataire=als
    )
    derniere = versions.first()
    en_vigueur = versions.filter(etat=PartConvenue.Etat.ACCEPTEE).first()
    if en_vigueur is not None and en_vigueur.logements == logements and derniere == en_vigueur:
        raise ValidationError(f"La part convenue est déjà de {accorder(logements, 'logement')}.")
    versions.filter(etat=PartConvenue.Etat.PROPOSEE).update(etat=PartConvenue.Etat.REMPLACEE)
    part = PartConvenue.objects.create(
        bailleur=bailleur,
        departement_id=departement,
        reservataire=als,
        annee=annee,
        version=derniere.version + 1 if derniere else 1,
        logements=logements,
        observation=" ".join(observation.split()),
        proposee_pour_id=acteur.organisation_id,
        proposee_par_id=acteur.utilisateur_id,
        proposee_le=timezone.now(),
    )
    autre = als if acteur.organisation_id == bailleur.pk else bailleur
    prevenir(autre, "part_als_proposee", _faits(part, presence.departement))
    return part


@transaction.atomic
def accepter_part(acteur: Acteur, part: PartConvenue) -> PartConvenue:
    """The party that did not propose accepts; the préfet is told at once."""
    exiger_hors_assistance(acteur)
    if not partie_de(acteur, part.bailleur_id, part.reservataire):
        raise PermissionDenied("Le bailleur et Action Logement Services conviennent de cette part.")
    presence = _verrouiller(part.bailleur, part.departement_id)
    part = (
        PartConvenue.objects.select_for_update(of=("self",))
        .select_related("bailleur", "reservataire", "proposee_pour")
        .get(pk=part.pk)
    )
    if part.etat != PartConvenue.Etat.PROPOSEE:
        raise ValidationError(
            f"Cette proposition est déjà {part.get_etat_display()} : lisez la dernière version."
        )
    if acteur.organisation_id == part.proposee_pour_id:
        raise PermissionDenied("Une proposition est acceptée par l’autre partie.")
    PartConvenue.objects.filter(
        bailleur=part.bailleur_id,
        departement=part.departement_id,
        annee=part.annee,
        reservataire=part.reservataire_id,
        etat=PartConvenue.Etat.ACCEPTEE,
    ).update(etat=PartConvenue.Etat.REMPLACEE)
    part.etat, part.acceptee_par_id = PartConvenue.Etat.ACCEPTEE, acteur.utilisateur_id
    part.acceptee_le = timezone.now()
    part.prefet_informe_le = _informer_le_prefet(part, presence.departement)
    part.save()
    prevenir(part.proposee_pour, "part_als_convenue", _faits(part, presence.departement))
    return part


def _informer_le_prefet(part: PartConvenue, departement: Departement):
    """Write to the DDETS; None when nobody there has an account, and the page says so."""
    ddets = Organisation.objects.filter(
        type=TypeOrganisation.DDETS, departement=departement, fermee_le=None
    ).first()
    if ddets is None or not _comptes(ddets):
        return None
    prevenir(ddets, "part_als_convenue", _faits(part, departement))
    return part.acceptee_le


def _faits(part: PartConvenue, departement: Departement) -> dict[str, str]:
    return {
        "bailleur": part.bailleur.nom,
        "als": part.reservataire.nom,
        "proposant": part.proposee_pour.nom,
        "departement": departement.nom,
        "annee": str(part.annee),
        "version": str(part.version),
        "logements": accorder(part.logements, "logement"),
        "page": _page(part.bailleur_id, part.departement_id, part.annee),
    }
