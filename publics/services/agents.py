"""Agents of the État: a file is entered, the DDETS or the SGC validates it or not (CA, art. 4.2 and 5-2)."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from publics.models import PARTENAIRES, DossierAgent, Menage, MotifLabel, NaturePreuve
from publics.regles.agents import Contrat, Verification, est_eligible, verifier_eligibilite
from publics.signaux import labels_modifies
from reservation.acteur import Acteur
from reservation.models import Departement
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr
from reservation.services.assistances import exiger_hors_assistance

from .labels import Demande, ajouter_mois, departements_de, exiger_motif, noter_demande
from .menages import retrouver_menage
from .reglages import reglage_le


def contrats_de(dossier: DossierAgent) -> list[Contrat]:
    """The contracts of a file as the rule takes them: (start, end included or None)."""
    return [(date.fromisoformat(debut), fin and date.fromisoformat(fin)) for debut, fin in dossier.contrats]


def verifications(dossier: DossierAgent, jour: date) -> list[Verification]:
    """The check-list of a file on `jour`: the day it was decided, or today."""
    return verifier_eligibilite(dossier.versant, dossier.statut, contrats_de(dossier), jour)


@transaction.atomic
def deposer(
    acteur: Acteur,
    departement: Departement,
    *,
    numero_unique: str,
    versant: str,
    statut: str,
    contrats: Sequence[Contrat] = (),
    preuve: NaturePreuve | None = None,
    preuve_le: date | None = None,
    demande: Demande | None = None,
) -> DossierAgent:
    """Enter the file of a household that says to be an agent's. Who is not eligible is told so, and why, at once."""
    peut = acteur.type_organisation in PARTENAIRES or acteur.est_service_etat
    if not (peut and acteur.peut_gerer) or departement.pk not in {d.pk for d in departements_de(acteur)}:
        raise PermissionDenied("Votre organisation ne dépose pas de dossier d’agent dans ce département.")
    jour = timezone.localdate()
    if bool(preuve) != bool(preuve_le):
        raise ValidationError({"preuve_le": "Une preuve porte sa nature et sa date, les deux ou aucune."})
    if any(fin and fin < debut for debut, fin in contrats):
        raise ValidationError({"contrats": "Un contrat prend fin après avoir commencé."})
    if statut == DossierAgent.Statut.CONTRACTUEL and not contrats:
        raise ValidationError(
            {"contrats": "Indiquez les contrats d’un agent contractuel : un par ligne, début et fin."}
        )
    lignes = verifier_eligibilite(versant, statut, contrats, jour)
    if manques := [ligne for ligne in lignes if not ligne.rempli]:
        raise ValidationError(
            [
                f"Non éligible – {ligne.libelle[:1].lower()}{ligne.libelle[1:]} : {ligne.detail}"
                for ligne in manques
            ]
        )
    menage = retrouver_menage(numero_unique, departement.pk)
    with agir(Acteur.du_systeme("verrou d’un ménage")):
        menage = Menage.objects.select_for_update().get(pk=menage.pk)
        dossiers = DossierAgent.objects.filter(menage=menage)
        if dossiers.filter(etat=DossierAgent.Etat.PROPOSEE).exists():
            raise ValidationError("Un dossier d’agent attend déjà une décision pour ce ménage.")
        deja = dossiers.filter(departement=departement, etat=DossierAgent.Etat.ACCORDEE)
        if deja.filter(fin__gte=jour).exists():
            raise ValidationError("Ce ménage a déjà une validation en cours.")
    dossier = DossierAgent(
        menage=menage,
        departement=departement,
        saisie_par_id=acteur.organisation_id,
        saisie_le=jour,
        auteur_id=acteur.utilisateur_id,
        echeance=jour + timedelta(days=reglage_le(departement.pk, jour).delai_jours),
        versant=versant,
        statut=statut,
        contrats=[[debut.isoformat(), fin and fin.isoformat()] for debut, fin in contrats],
        preuve=preuve,
        preuve_le=preuve_le,
    )
    _enregistrer(dossier)
    noter_demande(acteur, menage, departement, demande)
    return dossier


@transaction.atomic
def decider(
    acteur: Acteur,
    dossiers: Collection[DossierAgent],
    *,
    motif: MotifLabel | None = None,
    fin: date | None = None,
) -> list[DossierAgent]:
    """Validate these files, or refuse them with a coded reason (`motif`), all or none. Dated today."""
    exiger_hors_assistance(acteur)
    if not (acteur.est_service_etat and acteur.peut_gerer):
        raise PermissionDenied("Un agent de l’État est validé par la DDETS ou par la préfecture (SGC).")
    if motif is not None:
        exiger_motif(motif, MotifLabel.Acte.AGENT)
    jour = timezone.localdate()
    cles = {dossier.pk for dossier in dossiers}
    siens = DossierAgent.objects.modifiables_par(acteur).filter(pk__in=cles).order_by().values("pk")
    verrouilles = list(
        DossierAgent.objects.select_for_update(of=("self",))
        .filter(pk__in=siens)
        .select_related("menage", "departement")
        .order_by("pk")
    )
    if len(verrouilles) != len(cles):
        raise PermissionDenied("Un de ces dossiers n’est pas de votre département.")
    for dossier in verrouilles:
        if dossier.etat != DossierAgent.Etat.PROPOSEE:
            raise ValidationError(
                f"Le dossier du {date_fr(dossier.saisie_le)} est déjà {dossier.get_etat_display()}."
            )
        if motif is None and not est_eligible(verifications(dossier, jour)):
            raise ValidationError(
                f"Le dossier {dossier.menage} n’est plus éligible : refusez-le avec son motif."
            )
        dossier.etat = DossierAgent.Etat.REFUSEE if motif else DossierAgent.Etat.ACCORDEE
        dossier.motif, dossier.decidee_le = motif, jour
        dossier.decidee_par_id = acteur.organisation_id
        dossier.fin = (
            None if motif else fin or ajouter_mois(jour, reglage_le(dossier.departement_id, jour).duree_mois)
        )
        _enregistrer(dossier)
    labels_modifies.send(
        sender=DossierAgent,
        menages={dossier.menage_id for dossier in verrouilles},
        raison="agent de l’État " + ("refusé" if motif else "validé"),
    )
    return verrouilles


@transaction.atomic
def reprendre(acteur: Acteur, dossier: DossierAgent) -> DossierAgent:
    """Take one's own file back while nobody has decided it."""
    sien = (
        DossierAgent.objects.select_for_update(of=("self",))
        .filter(pk=dossier.pk, saisie_par=acteur.organisation_id)
        .select_related("menage", "departement")
        .first()
    )
    if sien is None or not acteur.peut_gerer:
        raise PermissionDenied("Un dossier se retire par l’organisation qui l’a déposé.")
    if sien.etat != DossierAgent.Etat.PROPOSEE:
        raise ValidationError(f"Ce dossier est déjà {sien.get_etat_display()}.")
    sien.etat = DossierAgent.Etat.RETIREE
    _enregistrer(sien)
    return sien


def _enregistrer(dossier: DossierAgent) -> None:
    dossier.full_clean(exclude={"menage"})
    dossier.save()
