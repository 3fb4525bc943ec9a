"""The candidates of a réservataire: asked of it, proposed within the delay of the convention, or never (chapters 5 and 13).

In gestion directe the réservataire is told and answers; in gestion déléguée the bailleur designates for it. A designation
that fails is a fact of the libération too (`designation_echouee_le`): the dwelling enters the bailleur's 25 % base.
"""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from flux.models import Candidat, Commission, Designation, Liberation, MotifRefus, Passage, Usage
from publics.models import Labellisation, Menage
from publics.regles.groupes import Label, groupe_prioritaire
from publics.services.menages import retrouver_menage
from reservation import contexte
from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import Organisation, Utilisateur, VersionConvention
from reservation.perimetre import agir
from reservation.regles.typographie import accorder, date_fr
from reservation.services.courriels import ecrire

from .actes import conclure, enregistrer, exiger, verrouiller
from .cadres import charger_cadres
from .imputations import GroupesDates

Etat = Designation.Etat
HORS_DELAI = "R_HORS_DELAI"
ROLES_PREVENUS = (Role.GESTION, Role.SIGNATURE)


# --- Asked ------------------------------------------------------------------------------------------------------


def ouvrir(liberation: Liberation, jour: date) -> Designation | None:
    """The designation that an orientation opens, the one before it being replaced; none for the bailleur itself.

    The caller holds the libération, oriented already. The réservataire is told in gestion directe.
    """
    fermer(liberation)
    if liberation.reservataire_id == liberation.bailleur_id:
        return None
    version = texte_en_vigueur(liberation, jour)
    directe = version is not None and version.gestion == VersionConvention.Gestion.DIRECTE
    delai = version.delai_proposition if directe else None
    designation = Designation(
        bailleur_id=liberation.bailleur_id,
        departement_id=liberation.departement_id,
        reservataire_id=liberation.reservataire_id,
        liberation=liberation,
        version=version,
        gestion=VersionConvention.Gestion.DIRECTE if directe else VersionConvention.Gestion.DELEGUEE,
        sans_proposition=version.sans_proposition if version else VersionConvention.SansProposition.BAILLEUR,
        ouverte_le=jour,
        delai=delai,
        echeance=None if delai is None else jour + timedelta(days=delai),
    )
    enregistrer(designation)
    if directe:
        prevenir(liberation.reservataire, "logement_a_pourvoir", _faits(designation))
    return designation


def fermer(liberation: Liberation) -> None:
    """Another choice, or another use, replaces whatever designation was running."""
    Designation.objects.filter(liberation=liberation).exclude(etat=Etat.REMPLACEE).update(etat=Etat.REMPLACEE)


def texte_en_vigueur(liberation: Liberation, jour: date) -> VersionConvention | None:
    """The text in force between the bailleur and the réservataire on the day of the orientation, else on the day of
    the libération."""
    paire = (liberation.bailleur_id, liberation.departement_id)
    for reference in (jour, liberation.date):
        cadre = charger_cadres([paire], reference.year)[paire]
        for version in cadre.versions:
            if (
                version.organisation_id == liberation.reservataire_id
                and version.debut <= reference <= version.fin
            ):
                return VersionConvention.objects.get(pk=version.id)
    return None


def prevenir(organisation: Organisation, gabarit: str, faits: dict[str, str]) -> None:
    """Write to the people of an organisation who manage its files. Nothing about a household is in `faits`."""
    destinataires = (
        Utilisateur.objects.filter(
            pk__in=organisation.rattachements.actifs()
            .filter(role__in=ROLES_PREVENUS)
            .order_by()
            .values("utilisateur")
        )
        .order_by("pk")
        .values_list("courriel", flat=True)
    )
    for courriel in destinataires:
        ecrire(gabarit, courriel, faits, organisation=organisation)


def _faits(designation: Designation) -> dict[str, str]:
    liberation = designation.liberation
    return {
        "bailleur": liberation.bailleur.nom,
        "reservataire": designation.reservataire.nom,
        "commune": liberation.commune.nom,
        "reference": liberation.reference,
        "logement": f"{liberation.typologie}, {liberation.financement}, "
        + ("en QPV" if liberation.qpv else "hors QPV"),
        "libere": date_fr(liberation.date),
        "echeance": date_fr(designation.echeance) if designation.echeance else "",
        "delai": accorder(designation.delai, "jour") if designation.delai is not None else "",
        "page": reverse("flux:a_pourvoir", args=[designation.pk]),
        "page_bailleur": reverse("flux:liberation", args=[liberation.pk]),
    }


# --- Proposed ---------------------------------------------------------------------------------------------------


def peut_designer(acteur: Acteur, designation: Designation) -> bool:
    """In gestion directe its réservataire, in gestion déléguée the bailleur, with the role of managing."""
    if acteur.systeme:
        return True
    qui = (
        designation.reservataire_id
        if designation.gestion == VersionConvention.Gestion.DIRECTE
        else designation.bailleur_id
    )
    return acteur.peut_gerer and acteur.organisation_id == qui


@transaction.atomic
def proposer_candidat(
    acteur: Acteur, designation: Designation, *, numero_unique: str, date: date
) -> Candidat:
    """One more candidate, known by its numéro unique alone. Within the delay, unless others were proposed in time."""
    designation = _exiger_ouverte(acteur, designation, date)
    menage = retrouver_menage(numero_unique, designation.departement_id)
    return _ajouter(acteur, designation, menage, date)


@transaction.atomic
def proposer_menage(acteur: Acteur, designation: Designation, *, menage: Menage, date: date) -> Candidat:
    """The same for a household that the département knows already, and that the caller found for this actor."""
    designation = _exiger_ouverte(acteur, designation, date)
    exiger(
        menage.departement_id == designation.departement_id and menage.efface_le is None,
        "Ce ménage n’est plus connu dans ce département.",
    )
    return _ajouter(acteur, designation, menage, date)


def _exiger_ouverte(acteur: Acteur, designation: Designation, date: date) -> Designation:
    """The designation, locked, that a candidate proposed on `date` may join."""
    designation = _verrouiller(acteur, designation)
    exiger(
        designation.etat in (Etat.EN_ATTENTE, Etat.PROPOSEE),
        f"Cette désignation n’attend plus de candidats : {designation.get_etat_display()}.",
    )
    exiger(
        date >= designation.ouverte_le,
        f"La proposition suit la demande, qui est du {date_fr(designation.ouverte_le)}.",
    )
    exiger(
        designation.etat == Etat.PROPOSEE or designation.echeance is None or date <= designation.echeance,
        f"Le délai de la convention est passé depuis le {date_fr(designation.echeance)}."
        if designation.echeance
        else "",
    )
    _exiger_a_pourvoir(designation)
    return designation


def _ajouter(acteur: Acteur, designation: Designation, menage: Menage, date: date) -> Candidat:
    exiger(
        not designation.candidats.filter(menage=menage).exists(),
        "Ce ménage est déjà proposé pour ce logement.",
    )
    candidat = Candidat(
        bailleur_id=designation.bailleur_id,
        departement_id=designation.departement_id,
        reservataire_id=designation.reservataire_id,
        liberation_id=designation.liberation_id,
        designation=designation,
        menage=menage,
        propose_le=date,
        propose_par_id=acteur.utilisateur_id,
    )
    enregistrer(candidat)
    if designation.etat == Etat.EN_ATTENTE:
        designation.etat = Etat.PROPOSEE
        enregistrer(designation)
    return candidat


@transaction.atomic
def retirer_candidat(acteur: Acteur, candidat: Candidat) -> Designation:
    """Take a candidate back, before any commission examined it."""
    designation = _verrouiller(acteur, candidat.designation)
    exiger(designation.etat == Etat.PROPOSEE, "Cette désignation n’a plus de candidats à retirer.")
    exiger(
        not candidat.liberation.passages.filter(menage=candidat.menage_id).exists(),
        "Ce candidat est inscrit à une commission : il ne se retire plus ici.",
    )
    Candidat.objects.filter(pk=candidat.pk).delete()
    if not designation.candidats.exists():
        designation.etat = Etat.EN_ATTENTE
        enregistrer(designation)
    return designation


def _verrouiller(acteur: Acteur, designation: Designation) -> Designation:
    """The row as it is now, locked, if it is this actor's to answer."""
    verrouillee = (
        Designation.objects.visibles_par(acteur).select_for_update().filter(pk=designation.pk).first()
    )
    if verrouillee is None or not peut_designer(acteur, verrouillee):
        raise PermissionDenied(
            "Les candidats de ce logement ne sont pas les vôtres à proposer, ou votre rôle ne permet que de lire."
        )
    return verrouillee


def _exiger_a_pourvoir(designation: Designation) -> None:
    liberation = designation.liberation
    exiger(liberation.annulee_le is None, "Cette libération est annulée.")
    exiger(
        not liberation.attributions.filter(refusee_le__isnull=True).exists(),
        "Ce logement a une attribution en cours.",
    )


# --- Failed -----------------------------------------------------------------------------------------------------


@transaction.atomic
def renoncer(acteur: Acteur, designation: Designation, *, motif: MotifRefus, date: date) -> Designation:
    """The réservataire has no candidate for this dwelling, and says why: its designation fails at once."""
    designation = _verrouiller(acteur, designation)
    exiger(
        designation.etat in (Etat.EN_ATTENTE, Etat.PROPOSEE),
        f"Cette désignation n’attend plus de réponse : {designation.get_etat_display()}.",
    )
    _exiger_a_pourvoir(designation)
    # The réservataire does not write libérations: its answer has this one effect on the bailleur's.
    with agir(Acteur.du_systeme("réponse d’un réservataire")):
        return _echouer(designation, date, motif)


@transaction.atomic
def constater_echec_designation(
    acteur: Acteur, liberation: Liberation, *, date: date, motif: MotifRefus | None = None
) -> Liberation:
    """The réservataire's candidates failed, or there were none: the dwelling enters the bailleur's 25 % base."""
    liberation = verrouiller(acteur, liberation)
    exiger(liberation.annulee_le is None, "Cette libération est annulée.")
    exiger(
        liberation.reservataire_id not in (None, liberation.bailleur_id),
        "Seule une libération orientée vers un réservataire peut avoir une désignation échouée.",
    )
    exiger(liberation.designation_echouee_le is None, "L’échec de la désignation est déjà constaté.")
    exiger(
        date >= liberation.orientee_le,
        f"L’échec suit l’orientation, qui est du {date_fr(liberation.orientee_le)}.",
    )
    exiger(
        not liberation.attributions.filter(refusee_le__isnull=True).exists(),
        "Ce logement a une attribution en cours : sa désignation n’a pas échoué.",
    )
    designation = Designation.objects.filter(liberation=liberation).exclude(etat=Etat.REMPLACEE).first()
    if designation is not None:
        designation.liberation = liberation
        _exiger_delai_passe(designation, date)
    else:  # oriented before designations were kept
        designation = Designation(
            bailleur_id=liberation.bailleur_id,
            departement_id=liberation.departement_id,
            reservataire_id=liberation.reservataire_id,
            liberation=liberation,
            gestion=VersionConvention.Gestion.DELEGUEE,
            sans_proposition=VersionConvention.SansProposition.BAILLEUR,
            ouverte_le=liberation.orientee_le,
        )
    _echouer(designation, date, motif)
    return designation.liberation


def _exiger_delai_passe(designation: Designation, jour: date) -> None:
    """In gestion directe a silent réservataire keeps its delay: only itself may end it earlier."""
    exiger(
        designation.etat != Etat.EN_ATTENTE or designation.echeance is None or jour > designation.echeance,
        f"Le réservataire a jusqu’au {date_fr(designation.echeance)} pour proposer des candidats."
        if designation.echeance
        else "",
    )


def _echouer(designation: Designation, jour: date, motif: MotifRefus | None) -> Designation:
    if motif is not None:
        exiger(
            motif.porteur == MotifRefus.Porteur.RESERVATAIRE, "Ce motif n’est pas un motif de réservataire."
        )
        contexte.motiver(motif.libelle)
    liberation = Liberation.objects.select_for_update().get(pk=designation.liberation_id)
    designation.etat, designation.close_le, designation.motif = Etat.ECHOUEE, jour, motif
    enregistrer(designation)
    liberation.designation_echouee_le = jour
    enregistrer(liberation)
    conclure(liberation, f"Désignation échouée, libération du {date_fr(liberation.date)}")
    designation.liberation = liberation
    return designation


def constater_les_delais(aujourd_hui: date) -> int:
    """Every designation whose delay passed without a candidate has failed, the day after its last day. Returns how many.

    One transaction each, read again under lock: run twice, it does nothing more.
    """
    motif = MotifRefus.objects.get(code=HORS_DELAI)
    passees = _en_retard(aujourd_hui).order_by("echeance", "pk").values_list("pk", flat=True)
    return sum(_constater(pk, motif, aujourd_hui) for pk in list(passees))


def _en_retard(aujourd_hui: date):
    return Designation.objects.filter(
        etat=Etat.EN_ATTENTE, echeance__lt=aujourd_hui, liberation__annulee_le__isnull=True
    )


@transaction.atomic
def _constater(pk: int, motif: MotifRefus, aujourd_hui: date) -> bool:
    designation = _en_retard(aujourd_hui).select_for_update(of=("self",)).filter(pk=pk).first()
    if designation is None or designation.liberation.attributions.filter(refusee_le=None).exists():
        return False
    _echouer(designation, designation.echeance + timedelta(days=1), motif)
    prevenir(designation.bailleur, "designation_hors_delai", _faits(designation))
    return True


# --- What may be said of a candidate ------------------------------------------------------------------------------


PAS_ENCORE_DITE = "connue après la CALEOL"


def priorites_lisibles(acteur: Acteur, candidats: Iterable[Candidat], jour: date) -> dict[int, str]:
    """Candidate → what `acteur` may know of its priority (table of chapter 2), in a constant number of queries.

    The State and the bailleur read the group on `jour`. A réservataire reads it once a closed commission has examined the
    household on its contingent, as on that day: typing numéros uniques must not tell who has a label. ALS reads the
    group, a collectivité or an other réservataire a yes or a no; nobody the ground.
    """
    candidats = list(candidats)
    jours = _examines(acteur, candidats) if acteur.est_reservataire else {c.pk: jour for c in candidats}
    lus = [c for c in candidats if c.pk in jours]
    groupes = _groupes({(c.menage_id, c.departement_id, jours[c.pk]) for c in lus})
    oui_non = acteur.est_reservataire and acteur.type_organisation != TypeOrganisation.ACTION_LOGEMENT
    textes = {c.pk: PAS_ENCORE_DITE for c in candidats}
    for candidat in lus:
        groupe = groupes[candidat.menage_id, jours[candidat.pk]]
        if groupe is None:
            textes[candidat.pk] = "non prioritaire"
        else:
            textes[candidat.pk] = "prioritaire" if oui_non else f"groupe {groupe}"
    return textes


def _examines(acteur: Acteur, candidats: Collection[Candidat]) -> dict[int, date]:
    """Candidate → day of the last closed commission that examined it on the contingent of `acteur`."""
    dates = {
        (liberation, menage): jour
        for liberation, menage, jour in Passage.objects.filter(
            reservataire=acteur.organisation_id,
            definitif=True,
            commission__etat=Commission.Etat.CLOSE,
            liberation__in={c.liberation_id for c in candidats},
            menage__in={c.menage_id for c in candidats},
        )
        .exclude(decision="")
        .order_by("commission__date")
        .values_list("liberation_id", "menage_id", "commission__date")
    }
    cles = {c.pk: (c.liberation_id, c.menage_id) for c in candidats}
    return {pk: dates[cle] for pk, cle in cles.items() if cle in dates}


@agir(Acteur.du_systeme("priorité d’un candidat"))
def _groupes(menages: set[tuple[int, str, date]]) -> dict[tuple[int, date], int | None]:
    groupes = GroupesDates({departement for _, departement, _ in menages})
    labels: dict[int, list[Label]] = {}
    for menage, categorie, debut, fin in (
        Labellisation.objects.filter(menage__in={menage for menage, _, _ in menages})
        .order_by("pk")
        .values_list("menage_id", "categorie_id", "debut", "fin")
    ):
        labels.setdefault(menage, []).append(Label(categorie, debut, fin, False))
    return {
        (menage, jour): groupe_prioritaire(labels.get(menage, []), jour, groupes.le(departement, jour))
        for menage, departement, jour in menages
    }


def numeros_lisibles(candidats: Iterable[Candidat]) -> dict[int, str]:
    """Candidate → the last four characters of its numéro unique."""
    candidats = list(candidats)
    fins = dict(
        Menage.objects.filter(pk__in=[c.menage_id for c in candidats]).values_list("pk", "numero_fin")
    )
    return {c.pk: f"…{fins.get(c.menage_id, '')}" for c in candidats}


def a_pourvoir(acteur: Acteur):
    """Designations that wait for candidates of the actor's organisation, or had some: the dwellings that it may fill."""
    return (
        Designation.objects.visibles_par(acteur)
        .vivantes()
        .filter(
            reservataire=acteur.organisation_id,
            gestion=VersionConvention.Gestion.DIRECTE,
            liberation__annulee_le__isnull=True,
            liberation__usage=Usage.FLUX,
        )
        .select_related("bailleur", "liberation__commune", "motif")
        .order_by("echeance", "pk")
    )
