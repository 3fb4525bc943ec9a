"""Labels: proposed by partners, decided by the DDETS, entered from the COMED; ended, renewed, corrected.

A household is named by its numéro unique, of which a hash is kept. Each act checks the right, locks the household, saves
and tells the rooms above, in one transaction; what it refuses is a `ValidationError` with a French sentence.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from publics.models import (
    PARTENAIRES,
    CategorieLabel,
    DemandeMenage,
    Labellisation,
    Menage,
    MotifLabel,
    NaturePreuve,
    PropositionLabel,
    Source,
)
from publics.regles.groupes import Label, Rang, classer, se_chevauchent
from publics.signaux import labels_modifies
from reservation import contexte
from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import ClasseTypologie, Commune, Departement, Epci, Rattachement
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr
from reservation.services import bac_a_sable
from reservation.services.assistances import exiger_hors_assistance
from reservation.services.courriels import ecrire

from .menages import retrouver_menage
from .reglages import reglage_le

UN_JOUR = timedelta(days=1)
DALO = "DALO"
PREUVE_COMED = "DECISION_COMED"
SOURCES_PARTENAIRES = {
    TypeOrganisation.OPERATEUR: Source.SIAO,
    TypeOrganisation.BAILLEUR: Source.PARTENAIRE,
    TypeOrganisation.ACTION_LOGEMENT: Source.PARTENAIRE,
}


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is noted of a household when it is recognised: codes and dates only."""

    secteur: Sequence[str] = ()
    tailles: Sequence[str] = ()
    evaluation_sociale: bool = False
    accompagnement: str = ""
    preuve: NaturePreuve | None = None
    preuve_le: date | None = None
    case_cerfa: str = ""

    def champs(self) -> dict[str, Any]:
        return {
            "secteur": list(self.secteur),
            "tailles": list(self.tailles),
            "evaluation_sociale": self.evaluation_sociale,
            "accompagnement": self.accompagnement,
            "preuve": self.preuve,
            "preuve_le": self.preuve_le,
            "case_cerfa": self.case_cerfa,
        }


@dataclass(frozen=True, slots=True)
class Demande:
    """What the household asks: codes of sizes, of communes and EPCI."""

    tailles: Sequence[str] = ()
    secteur: Sequence[str] = field(default=())


def exiger_partenaire(acteur: Acteur) -> None:
    """Whoever may propose a label; the others are told who may."""
    if acteur.type_organisation not in PARTENAIRES or not acteur.peut_gerer:
        raise PermissionDenied("Un bailleur, Action Logement Services ou un opérateur propose un label.")


# --- Proposing --------------------------------------------------------------------------------------------------------


@transaction.atomic
def proposer(
    acteur: Acteur,
    departement: Departement,
    *,
    numero_unique: str,
    categorie: CategorieLabel,
    instruction: Instruction,
    demande: Demande | None = None,
) -> PropositionLabel:
    """Ask the DDETS of the département to recognise a household; due within the delay that it set."""
    exiger_partenaire(acteur)
    _exiger_present(acteur, departement)
    jour = timezone.localdate()
    _verifier(categorie, instruction, departement, jour)
    menage = _verrouiller(retrouver_menage(numero_unique, departement.pk).pk)
    siennes = PropositionLabel.objects.filter(
        menage=menage, categorie=categorie, saisie_par=acteur.organisation_id
    )
    if siennes.filter(etat=PropositionLabel.Etat.PROPOSEE).exists():
        raise ValidationError(
            "Vous avez déjà proposé ce label pour ce ménage : la DDETS ne l’a pas encore décidé."
        )
    proposition = PropositionLabel(
        menage=menage,
        categorie=categorie,
        departement=departement,
        saisie_par_id=acteur.organisation_id,
        saisie_le=jour,
        auteur_id=acteur.utilisateur_id,
        echeance=jour + timedelta(days=reglage_le(departement.pk, jour).delai_jours),
        **instruction.champs(),
    )
    _enregistrer(proposition)
    noter_demande(acteur, menage, departement, demande)
    return proposition


@transaction.atomic
def reprendre(acteur: Acteur, proposition: PropositionLabel) -> PropositionLabel:
    """Take one's own proposal back while nobody has decided it."""
    verrouillee = _verrouiller_propositions(acteur, [proposition.pk])
    if not verrouillee or verrouillee[0].saisie_par_id != acteur.organisation_id:
        raise PermissionDenied("Une proposition se retire par l’organisation qui l’a faite.")
    (proposition,) = verrouillee
    _exiger_en_attente(proposition)
    proposition.etat = PropositionLabel.Etat.RETIREE
    _enregistrer(proposition)
    return proposition


@transaction.atomic
def accorder(
    acteur: Acteur, propositions: Collection[PropositionLabel], *, debut: date, fin: date | None = None
) -> list[Labellisation]:
    """Grant these proposals, all or none. `debut` may go back to the day of a proposal, no further.

    The label starts on the later of `debut` and the day of its proposal; without `fin`, the duration that the département set.
    """
    jour = timezone.localdate()
    labels, decidees = [], []
    for proposition in _a_decider(acteur, propositions):
        depart = max(debut, proposition.saisie_le)
        duree = reglage_le(proposition.departement_id, jour).duree_mois
        label = Labellisation(
            departement_id=proposition.departement_id,
            menage_id=proposition.menage_id,
            categorie_id=proposition.categorie_id,
            manuelle=True,
            debut=depart,
            fin=fin or ajouter_mois(depart, duree),
            saisie_par_id=proposition.saisie_par_id,
            source=SOURCES_PARTENAIRES[TypeOrganisation(proposition.saisie_par.type)],
            decidee_par_id=acteur.organisation_id,
            decidee_le=jour,
            **{nom: getattr(proposition, nom) for nom in Instruction().champs()},
        )
        _exiger_libre(label)
        _enregistrer(label)
        proposition.etat, proposition.decidee_le = PropositionLabel.Etat.ACCORDEE, jour
        proposition.decidee_par_id, proposition.label = acteur.organisation_id, label
        _enregistrer(proposition)
        labels.append(label)
        decidees.append(proposition)
    _dire(labels, "label accordé")
    prevenir_les_proposants(decidees)
    return labels


@transaction.atomic
def refuser(
    acteur: Acteur, propositions: Collection[PropositionLabel], *, motif: MotifLabel
) -> list[PropositionLabel]:
    """Refuse these proposals with one coded reason, all or none."""
    exiger_motif(motif, MotifLabel.Acte.REFUS)
    jour = timezone.localdate()
    verrouillees = _a_decider(acteur, propositions)
    for proposition in verrouillees:
        proposition.etat, proposition.motif = PropositionLabel.Etat.REFUSEE, motif
        proposition.decidee_le, proposition.decidee_par_id = jour, acteur.organisation_id
        _enregistrer(proposition)
    prevenir_les_proposants(verrouillees)
    return verrouillees


def prevenir_les_proposants(propositions: Collection[PropositionLabel]) -> None:
    """One e-mail to each person whose proposals were decided by this act, or, once they have left, to those who manage
    there. It says how many, and nothing of the households: the page does, to who may read it."""
    lots: dict[tuple[int, int | None], list[PropositionLabel]] = {}
    for proposition in propositions:
        lots.setdefault((proposition.saisie_par_id, proposition.auteur_id), []).append(proposition)
    for (organisation, auteur), lot in lots.items():
        membres = Rattachement.objects.actifs().filter(
            organisation=organisation,
            role__in=(Role.GESTION, Role.SIGNATURE),
            utilisateur__is_active=True,
        )
        siens = membres.filter(utilisateur=auteur)
        choisis = siens if siens.exists() else membres
        adresses = set(choisis.order_by().values_list("utilisateur__courriel", flat=True))
        for adresse in sorted(adresses):
            ecrire(
                "labels_decides",
                adresse,
                {
                    "nombre": len(lot),
                    "accordee": lot[0].etat == PropositionLabel.Etat.ACCORDEE,
                    "ddets": lot[0].departement.nom,
                    "page": f"{reverse('publics:propositions')}?etat={lot[0].etat}",
                },
                organisation=lot[0].saisie_par,
            )


def _a_decider(acteur: Acteur, propositions: Collection[PropositionLabel]) -> list[PropositionLabel]:
    exiger_hors_assistance(acteur)
    if not (acteur.est_ddets and acteur.peut_gerer):
        raise PermissionDenied("Les propositions de label se décident à la DDETS, avec le rôle de gestion.")
    verrouillees = _verrouiller_propositions(acteur, [p.pk for p in propositions])
    if len(verrouillees) != len({p.pk for p in propositions}):
        raise PermissionDenied("Une de ces propositions n’est pas de votre département.")
    for proposition in verrouillees:
        _exiger_en_attente(proposition)
    # Households in one order: two people deciding at once wait for each other.
    list(Menage.objects.select_for_update().filter(pk__in={p.menage_id for p in verrouillees}).order_by("pk"))
    return verrouillees


def _exiger_en_attente(proposition: PropositionLabel) -> None:
    if proposition.etat != PropositionLabel.Etat.PROPOSEE:
        raise ValidationError(
            f"La proposition du {date_fr(proposition.saisie_le)} est déjà {proposition.get_etat_display()}."
        )


def _verrouiller_propositions(acteur: Acteur, cles: Collection[int]) -> list[PropositionLabel]:
    siennes = PropositionLabel.objects.modifiables_par(acteur).filter(pk__in=cles).order_by().values("pk")
    return list(
        PropositionLabel.objects.select_for_update(of=("self",))
        .filter(pk__in=siennes)
        .select_related("saisie_par", "menage", "categorie", "departement", "preuve")
        .order_by("pk")
    )


# --- Labelling --------------------------------------------------------------------------------------------------------


@transaction.atomic
def labelliser(
    acteur: Acteur,
    departement: Departement,
    *,
    numero_unique: str,
    categorie: CategorieLabel,
    instruction: Instruction,
    debut: date | None = None,
    fin: date | None = None,
    demande: Demande | None = None,
    source: str = Source.DDETS,
) -> Labellisation:
    """A label that the DDETS recognises itself, valid from today on at the earliest.

    Only a decision of the COMED is dated by itself: `enregistrer_decision_comed`.
    """
    _exiger_ddets(acteur, departement)
    jour = timezone.localdate()
    debut = debut or jour
    if source != Source.COMED and debut < jour:
        raise ValidationError(
            {
                "debut": "Un label ne commence pas avant le jour où il est reconnu : il compterait pour une CALEOL déjà tenue."
            }
        )
    _verifier(categorie, instruction, departement, jour)
    menage = _verrouiller(retrouver_menage(numero_unique, departement.pk).pk)
    label = Labellisation(
        departement=departement,
        menage=menage,
        categorie=categorie,
        manuelle=True,
        debut=debut,
        fin=fin,
        saisie_par_id=acteur.organisation_id,
        source=source,
        decidee_par_id=acteur.organisation_id,
        decidee_le=debut if source == Source.COMED else jour,
        **instruction.champs(),
    )
    _exiger_libre(label)
    _enregistrer(label)
    noter_demande(acteur, menage, departement, demande)
    _dire([label], "label reconnu")
    return label


def enregistrer_decision_comed(
    acteur: Acteur,
    departement: Departement,
    *,
    numero_unique: str,
    decision_le: date,
    secteur: Sequence[str] = (),
    tailles: Sequence[str] = (),
    evaluation_sociale: bool = False,
    accompagnement: str = "",
) -> Labellisation:
    """A favourable decision of the COMED: a DALO label from its day on, without end, with what it recommends.

    No sector recommended: the whole département (CA, art. 4.1).
    """
    if decision_le > timezone.localdate():
        raise ValidationError(
            {"decision_le": "Une décision se saisit une fois rendue : sa date est à venir."}
        )
    preuve = NaturePreuve.objects.filter(pk=PREUVE_COMED).first()
    return labelliser(
        acteur,
        departement,
        numero_unique=numero_unique,
        categorie=CategorieLabel.objects.get(pk=DALO),
        instruction=Instruction(
            secteur, tailles, evaluation_sociale, accompagnement, preuve, decision_le if preuve else None
        ),
        debut=decision_le,
        source=Source.COMED,
    )


@transaction.atomic
def instruire(
    acteur: Acteur,
    departement: Departement,
    *,
    numero_unique: str,
    case_cerfa: str,
    demande: Demande | None = None,
) -> Labellisation:
    """The automatic label of a request whose Cerfa bears this box, found by a bailleur that instructs it (CA, art. 5.1).

    The département says which ground the box is; nobody decides. It ranks after the manual ones.
    """
    if not (acteur.est_bailleur and acteur.peut_gerer):
        raise PermissionDenied("Une demande s’instruit chez un bailleur, avec le rôle de gestion.")
    _exiger_present(acteur, departement)
    jour = timezone.localdate()
    reglage = reglage_le(departement.pk, jour)
    case = case_cerfa.strip().upper()
    if case not in reglage.cases:
        connues = ", ".join(sorted(reglage.cases, key=lambda c: (len(c), c))) or "aucune"
        raise ValidationError(
            {
                "case_cerfa": f"La case {case} ne fait pas un label dans le département {departement.pk}. Cases retenues : {connues}."
            }
        )
    menage = _verrouiller(retrouver_menage(numero_unique, departement.pk).pk)
    label = Labellisation(
        departement=departement,
        menage=menage,
        categorie_id=reglage.cases[case],
        manuelle=False,
        debut=jour,
        fin=ajouter_mois(jour, reglage.duree_mois),
        saisie_par_id=acteur.organisation_id,
        source=Source.CERFA,
        case_cerfa=case,
    )
    with agir(Acteur.du_systeme("labels d’un ménage")):
        # Another bailleur may have instructed the same request: its label is not shown, and stands.
        _exiger_libre(label)
    _enregistrer(label)
    noter_demande(acteur, menage, departement, demande)
    _dire([label], "label automatique")
    return label


@transaction.atomic
def retirer(acteur: Acteur, label: Labellisation, *, motif: MotifLabel, a_compter_du: date) -> Labellisation:
    """End a label: its last day is the day before `a_compter_du`, today at the earliest."""
    label = _verrouiller_label(acteur, label)
    exiger_motif(motif, MotifLabel.Acte.RETRAIT)
    if a_compter_du < timezone.localdate():
        raise ValidationError(
            {
                "a_compter_du": "Un label ne se retire pas pour le passé : il comptait à cette date. Corrigez-le si c’est une erreur."
            }
        )
    if label.fin and a_compter_du > label.fin:
        raise ValidationError({"a_compter_du": f"Ce label prend fin de lui-même le {date_fr(label.fin)}."})
    contexte.motiver(motif.libelle)
    label.fin = max(a_compter_du - UN_JOUR, label.debut - UN_JOUR)
    label.retiree_le, label.motif_retrait = a_compter_du, motif
    _enregistrer(label)
    _dire([label], "label retiré")
    return label


@transaction.atomic
def annuler(acteur: Acteur, label: Labellisation, *, motif: MotifLabel) -> Labellisation:
    """A label entered by mistake never counts, not even for a CALEOL already held: its period is emptied, its trace stays."""
    label = _verrouiller_label(acteur, label)
    exiger_motif(motif, MotifLabel.Acte.CORRECTION)
    contexte.motiver(motif.libelle)
    label.fin, label.retiree_le, label.motif_retrait = label.debut - UN_JOUR, label.debut, motif
    _enregistrer(label)
    _dire([label], "label annulé : erreur")
    return label


@transaction.atomic
def renouveler(acteur: Acteur, label: Labellisation, *, fin: date | None = None) -> Labellisation:
    """A new label that follows this one, and keeps its age. It starts the day after, or today if it has expired."""
    label = _verrouiller_label(acteur, label)
    if label.fin is None:
        raise ValidationError("Ce label n’a pas de fin : il n’a pas à être renouvelé.")
    if Labellisation.objects.filter(renouvelle=label).exists():
        raise ValidationError("Ce label est déjà renouvelé.")
    jour = timezone.localdate()
    debut = max(label.fin + UN_JOUR, jour)
    suivant = Labellisation(
        departement_id=label.departement_id,
        menage_id=label.menage_id,
        categorie_id=label.categorie_id,
        manuelle=label.manuelle,
        debut=debut,
        fin=fin or ajouter_mois(debut, reglage_le(label.departement_id, jour).duree_mois),
        saisie_par_id=label.saisie_par_id,
        source=label.source,
        decidee_par_id=acteur.organisation_id,
        decidee_le=jour,
        renouvelle=label,
        **{nom: getattr(label, nom) for nom in Instruction().champs()},
    )
    _exiger_libre(suivant)
    _enregistrer(suivant)
    _dire([suivant], "label renouvelé")
    return suivant


@transaction.atomic
def corriger(
    acteur: Acteur,
    label: Labellisation,
    *,
    motif: MotifLabel,
    categorie: CategorieLabel,
    instruction: Instruction,
    fin: date | None,
) -> Labellisation:
    """Correct what was typed. The start stays: a label that began too early or too late is annulled and made again."""
    label = _verrouiller_label(acteur, label)
    exiger_motif(motif, MotifLabel.Acte.CORRECTION)
    _verifier(categorie, instruction, label.departement, timezone.localdate())
    contexte.motiver(motif.libelle)
    label.categorie, label.fin = categorie, fin
    for nom, valeur in instruction.champs().items():
        setattr(label, nom, valeur)
    _exiger_libre(label)
    _enregistrer(label)
    _dire([label], "label corrigé")
    return label


def _verrouiller_label(acteur: Acteur, label: Labellisation) -> Labellisation:
    exiger_hors_assistance(acteur)
    modifiables = Labellisation.objects.modifiables_par(acteur).filter(pk=label.pk).order_by().values("pk")
    verrouille = (
        Labellisation.objects.select_for_update(of=("self",))
        .filter(pk__in=modifiables)
        .select_related("departement", "menage", "categorie")
        .first()
    )
    if verrouille is None:
        raise PermissionDenied(
            "Les labels se décident à la DDETS de leur département, avec le rôle de gestion."
        )
    if verrouille.retiree_le:
        raise ValidationError(f"Ce label est retiré à compter du {date_fr(verrouille.retiree_le)}.")
    _verrouiller(verrouille.menage_id)
    return verrouille


# --- What a household asks --------------------------------------------------------------------------------------------


def noter_demande(acteur: Acteur, menage: Menage, departement: Departement, demande: Demande | None) -> None:
    """Keep what the household asks, if something was typed; the last who typed it is kept."""
    if demande is not None and (demande.tailles or demande.secteur):
        _noter_demande(acteur, menage, departement, demande)


def peut_noter_la_demande(acteur: Acteur) -> bool:
    """The role; the household is looked for in what the actor reads."""
    return acteur.peut_gerer and (acteur.est_service_etat or acteur.type_organisation in PARTENAIRES)


def departement_de_la_demande(acteur: Acteur, menage: Menage) -> Departement:
    """Whose codes a request is made of: that of the service of the État which types it, else the household's."""
    return (
        Departement.objects.get(pk=acteur.departements[0]) if acteur.est_service_etat else menage.departement
    )


@transaction.atomic
def enregistrer_demande(acteur: Acteur, menage: Menage, departement: Departement, demande: Demande) -> None:
    """Correct what a known household asks, or say that it asks nothing particular."""
    siens = Menage.objects.visibles_par(acteur).filter(pk=menage.pk)
    if not (peut_noter_la_demande(acteur) and siens.exists()):
        raise PermissionDenied("La demande d’un ménage se modifie par l’État, ou par qui l’accompagne.")
    menage = _verrouiller(menage.pk)
    if menage.efface_le:
        raise ValidationError("Ce ménage n’est plus connu : sa durée de conservation est passée.")
    _noter_demande(acteur, menage, departement, demande)


def _noter_demande(acteur: Acteur, menage: Menage, departement: Departement, demande: Demande) -> None:
    _exiger_codes(demande.secteur, demande.tailles, departement)
    with agir(Acteur.du_systeme("demande d’un ménage")):
        avant = DemandeMenage.objects.filter(menage=menage).values_list("tailles", "secteur").first()
    DemandeMenage.objects.update_or_create(
        menage=menage,
        defaults={
            "departement": departement,
            "tailles": list(demande.tailles),
            "secteur": list(demande.secteur),
            "saisie_par_id": acteur.organisation_id,
        },
    )
    if avant != (list(demande.tailles), list(demande.secteur)):
        labels_modifies.send(sender=DemandeMenage, menages={menage.pk}, raison="demande du ménage modifiée")


# --- Rank -------------------------------------------------------------------------------------------------------------


def labels_a_classer(menages: Collection[int], departement: str | None = None) -> dict[int, list[Label]]:
    """Household → its labels as the rule takes them, the age of a renewal being that of the first. One query."""
    lignes = Labellisation.objects.filter(menage__in=menages)
    if departement:
        lignes = lignes.filter(departement=departement)
    valeurs = list(
        lignes.order_by("debut", "pk").values_list(
            "pk", "menage_id", "categorie_id", "debut", "fin", "manuelle", "renouvelle_id"
        )
    )
    depuis: dict[int, date] = {}
    resultat: dict[int, list[Label]] = {}
    for pk, menage, categorie, debut, fin, manuelle, renouvelle in valeurs:
        depuis[pk] = depuis.get(renouvelle, debut)
        resultat.setdefault(menage, []).append(Label(categorie, debut, fin, False, manuelle, depuis[pk]))
    return resultat


@agir(Acteur.du_systeme("rang d’un ménage"))
def rang_du_menage(menage: int, departement: str, jour: date) -> Rang | None:
    """Where the household stands in the département on `jour`. The right to read it is checked before."""
    reglage = reglage_le(departement, jour)
    return classer(
        labels_a_classer([menage], departement).get(menage, ()), jour, reglage.groupes, reglage.criteres
    )


# --- Shared -----------------------------------------------------------------------------------------------------------


def ajouter_mois(jour: date, mois: int) -> date:
    """The last day of a period of `mois` months that starts on `jour`: 15 March, 12 months → 14 March."""
    total = jour.month - 1 + mois
    annee, rang = jour.year + total // 12, total % 12 + 1
    dernier = (date(annee + rang // 12, rang % 12 + 1, 1) - UN_JOUR).day
    if jour.day > dernier:
        return date(annee, rang, dernier)
    return date(annee, rang, jour.day) - UN_JOUR


def exiger_motif(motif: MotifLabel, acte: str) -> None:
    """The coded reason is one of those of this act, and still in use. Raises `ValidationError`."""
    if motif.acte != acte:
        raise ValidationError(f"Le motif « {motif} » ne sert pas à {MotifLabel.Acte(acte).label}.")
    jour = timezone.localdate()
    if (motif.debut and jour < motif.debut) or (motif.fin and motif.fin < jour):
        raise ValidationError(f"Le motif « {motif} » n’est plus proposé.")


def codes_inconnus(secteur: Sequence[str], tailles: Sequence[str], departement: str) -> list[str]:
    """Codes that are neither a commune of the département, nor an EPCI with one, nor a size."""
    communes = set(
        Commune.objects.filter(pk__in=secteur, departement=departement).values_list("pk", flat=True)
    )
    epci = set(
        Epci.objects.filter(pk__in=secteur, communes__departement=departement).values_list("pk", flat=True)
    )
    connues = set(ClasseTypologie.objects.filter(code__in=tailles).values_list("code", flat=True))
    return [c for c in secteur if c not in communes | epci] + [t for t in tailles if t not in connues]


def _exiger_codes(secteur: Sequence[str], tailles: Sequence[str], departement: Departement) -> None:
    if inconnus := codes_inconnus(secteur, tailles, departement.pk):
        raise ValidationError(
            f"Inconnu dans le département {departement.pk} : {', '.join(inconnus)}. "
            "Attendu : codes INSEE de communes, SIREN d’EPCI, classes de taille."
        )


def _verifier(
    categorie: CategorieLabel, instruction: Instruction, departement: Departement, jour: date
) -> None:
    if (categorie.debut and jour < categorie.debut) or (categorie.fin and categorie.fin < jour):
        raise ValidationError({"categorie": "Cette catégorie n’est plus en vigueur."})
    if bool(instruction.preuve) != bool(instruction.preuve_le):
        raise ValidationError({"preuve_le": "Une preuve porte sa nature et sa date, les deux ou aucune."})
    if instruction.preuve_le and instruction.preuve_le > jour:
        raise ValidationError({"preuve_le": "La date de la preuve est à venir."})
    _exiger_codes(instruction.secteur, instruction.tailles, departement)


def _exiger_ddets(acteur: Acteur, departement: Departement) -> None:
    exiger_hors_assistance(acteur)
    if not (acteur.est_ddets and acteur.peut_gerer and departement.pk in acteur.departements):
        raise PermissionDenied(
            "Les labels se décident à la DDETS de leur département, avec le rôle de gestion."
        )


def _exiger_present(acteur: Acteur, departement: Departement) -> None:
    if departement.pk not in {d.pk for d in departements_de(acteur)}:
        raise PermissionDenied("Votre organisation n’intervient pas dans ce département.")


def departements_de(acteur: Acteur) -> list[Departement]:
    """Where `acteur` may propose a label, or label: its own départements, or those of its conventions."""
    if acteur.est_bailleur:
        filtre = Q(presences__bailleur=acteur.organisation_id)
    elif acteur.est_reservataire:
        filtre = Q(presences__isnull=False) & ~Q(pk=bac_a_sable.DEPARTEMENT)
    elif acteur.type_organisation == TypeOrganisation.OPERATEUR:
        filtre = Q(organisations=acteur.organisation_id)
    else:
        filtre = Q(pk__in=acteur.departements)
    return list(Departement.objects.filter(filtre).distinct().order_by("code"))


def _exiger_libre(label: Labellisation) -> None:
    """No two labels of one category and one kind for one household on the same day."""
    autres = Labellisation.objects.filter(
        menage=label.menage_id,
        categorie=label.categorie_id,
        departement=label.departement_id,
        manuelle=label.manuelle,
    ).exclude(pk=label.pk)
    for debut, fin in autres.order_by("debut").values_list("debut", "fin"):
        if se_chevauchent(label.debut, label.fin, debut, fin):
            terme = f"au {date_fr(fin)}" if fin else "sans fin"
            raise ValidationError(
                f"Le ménage {label.menage} a déjà ce label du {date_fr(debut)} {terme} : "
                "renouvelez-le, ou retirez-le d’abord."
            )


def _verrouiller(menage: int) -> Menage:
    """The household, locked: the application finds it by its number before anything shows it to its author."""
    with agir(Acteur.du_systeme("verrou d’un ménage")):
        return Menage.objects.select_for_update().get(pk=menage)


def _enregistrer(objet: models.Model) -> None:
    """Save after every check of the model but the household, which nothing shows before this very row."""
    objet.full_clean(exclude={"menage", "renouvelle", "label"})
    objet.save()


def _dire(labels: Collection[Labellisation], raison: str) -> None:
    labels_modifies.send(sender=Labellisation, menages={label.menage_id for label in labels}, raison=raison)


def compter_par_etat(acteur: Acteur) -> Mapping[str, int]:
    """State of a proposal → how many of them `acteur` reads."""
    return dict(
        PropositionLabel.objects.visibles_par(acteur)
        .order_by("etat")
        .values_list("etat")
        .annotate(nombre=models.Count("pk"))
    )
