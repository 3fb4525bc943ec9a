"""What a letter owes to its procedure: the act that it notifies, the figures of the day, and the clock that its receipt starts.

An act of the procedure comes first, decided by a delegate; its letter says it. The figures are read again when the letter is
written and when it is signed: a letter whose measure has become impossible is not signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from bilans.models import EtapeProcedure, Lettre, ParticipantProcedure, Procedure
from bilans.regles import procedures as regles
from bilans.regles.procedures import TABLE, Situation, Sorte
from bilans.regles.procedures import Lettre as Nature
from bilans.regles.procedures_delais import Suivi
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Convention, Organisation, VersionConvention
from reservation.perimetre import agir
from reservation.regles.typographie import accorder, date_fr, enumerer, heure_fr, typographier
from reservation.services.lecture_conventions import nombre_fr

from .procedures import (
    ATTEND,
    annee_du_report,
    lire_procedure,
    sur_lettre_corrigee,
    sur_lettre_remise,
    sur_lettre_retournee,
)
from .procedures_situation import Dossier, delai_ouvert

# The figures without which a letter has no object, whatever was decided before.
CHIFFRES: Mapping[Nature, regles.Condition] = {
    Nature.MISE_EN_DEMEURE: regles.manquement_etabli,
    Nature.RESILIATION: regles.manquement_etabli,
    Nature.INVITATION: regles.objectifs_manques,
    Nature.REPORT: regles.objectifs_manques,
    Nature.ATTRIBUTION_DIRECTE: regles.objectifs_manques,
    Nature.NOTIFICATION_QUART: regles.quart_manque,
    Nature.ATTRIBUTION_QUART: regles.quart_manque,
}


@dataclass(frozen=True, slots=True)
class Contexte:
    """A procedure as a letter reads it on one day. `actes`: the acts that call for a letter, by its nature, the last one."""

    procedure: Procedure
    situation: Situation
    bailleur: Organisation | None
    reservataire: Organisation | None
    convention: Convention | None
    annee: int
    actes: Mapping[Nature, EtapeProcedure] = field(default_factory=dict)
    presents: tuple[str, ...] = ()
    suivante: int = 0


_LETTRES = {(t.sorte, t.acte): t.lettre for t in TABLE if t.lettre}


def lire(procedure: Procedure, jour: date) -> Contexte:
    """The procedure on `jour`; a fixed number of queries."""
    dossier: Dossier = lire_procedure(procedure, jour)
    actes = {
        _LETTRES[procedure.regle, e.acte]: e for e in dossier.etapes if (procedure.regle, e.acte) in _LETTRES
    }
    with agir(Acteur.du_systeme("participants d’une procédure")):
        participants = ParticipantProcedure.objects.filter(procedure=procedure).select_related("organisation")
        presents = tuple(f"{p.fonction} ({p.organisation.nom})" for p in participants)
    return Contexte(
        procedure=procedure,
        situation=replace(dossier.situation, delai=delai_ouvert(dossier)),
        bailleur=procedure.bailleur,
        reservataire=procedure.reservataire,
        convention=dossier.acte or _derniere_convention(procedure),
        annee=procedure.annee,
        actes=actes,
        presents=presents,
        suivante=annee_du_report(procedure) if procedure.bailleur_id else procedure.annee + 1,
    )


@agir(Acteur.du_systeme("convention d’une procédure"))
def _derniere_convention(procedure: Procedure) -> Convention | None:
    """The one that was put an end to: its résiliation names it still."""
    return (
        Convention.objects.filter(
            bailleur=procedure.bailleur_id,
            departement=procedure.departement_id,
            reservataire__type=TypeOrganisation.DDETS,
        )
        .exclude(etat=Convention.Etat.BROUILLON)
        .order_by("-debut", "-pk")
        .first()
        if procedure.bailleur_id
        else None
    )


def a_ecrire(contexte: Contexte) -> tuple[Nature, ...]:
    """Letters that an act of this procedure calls for and that nobody has signed for this act yet."""
    signees = set(
        Lettre.objects.filter(procedure=contexte.procedure, signee_le__isnull=False).values_list(
            "acte", flat=True
        )
    )
    return tuple(nature for nature, etape in contexte.actes.items() if etape.pk not in signees)


def en_attente_de(acteur: Acteur) -> list[tuple[EtapeProcedure, Nature]]:
    """Acts of the procedures of `acteur` that no letter notifies yet, the oldest first; one query."""
    sans_lettre = (
        EtapeProcedure.objects.modifiables_par(acteur)
        .filter(Q(*(Q(sorte=sorte, acte=acte) for sorte, acte in _LETTRES), _connector=Q.OR))
        .exclude(Exists(Lettre.objects.filter(acte=OuterRef("pk"))))
        .exclude(procedure__etat__in=(regles.Etat.ETEINTE, regles.Etat.ABANDONNEE))
        .select_related("procedure", "bailleur", "reservataire", "departement")
        .order_by("pk")
    )
    return [(etape, _LETTRES[Sorte(etape.sorte), etape.acte]) for etape in sans_lettre]


def acte_de(contexte: Contexte, nature: Nature) -> EtapeProcedure:
    """The act that this letter notifies. Raises `ValidationError` when it is not done, or already notified."""
    etape = contexte.actes.get(nature)
    if etape is None:
        raise ValidationError(
            typographier(
                f"« {nature.libelle.capitalize()} » : cet acte n’est pas encore accompli dans la procédure. Accomplissez-le sur sa "
                "page, puis écrivez la lettre."
            )
        )
    if nature not in a_ecrire(contexte):
        raise ValidationError("Cet acte est déjà notifié par une lettre signée.")
    return etape


def raisons(contexte: Contexte, nature: Nature) -> tuple[str, ...]:
    """Why this letter cannot be signed today; empty when it can. The figures are those of today."""
    if contexte.procedure.etat in (regles.Etat.ETEINTE, regles.Etat.ABANDONNEE):
        return ("La procédure est terminée : rien ne se notifie plus.",)
    condition = CHIFFRES.get(nature)
    phrase = condition(contexte.situation) if condition else ""
    return (typographier(phrase),) if phrase else ()


def exiger_possible(contexte: Contexte, nature: Nature) -> EtapeProcedure:
    """The act to notify, if the figures of today still allow it. Raises `ValidationError`."""
    etape = acte_de(contexte, nature)
    if refus := raisons(contexte, nature):
        raise ValidationError(list(refus))
    return etape


def dits_par_l_acte(contexte: Contexte, nature: Nature) -> dict[str, str]:
    """Values that the act decided: nobody types them again in its letter."""
    etape = contexte.actes.get(nature)
    valeurs: dict[str, str] = {"annee_suivante": str(contexte.suivante)}
    convoque = contexte.actes.get(Nature.INVITATION)
    if convoque is not None and convoque.reunion:
        reunion = timezone.localtime(convoque.reunion)
        lieu = f", {convoque.lieu}" if convoque.lieu else ""
        valeurs["reunion"] = f"{date_fr(reunion.date())}, à {heure_fr(reunion.time())}{lieu}"
    if etape is None:
        return valeurs
    if etape.delai_jours:
        valeurs["delai"] = accorder(etape.delai_jours, "jour")
    if etape.jour:
        valeurs["effet"] = date_fr(etape.jour)
    nombres = [p for p in etape.parts if p.get("nombre")]
    if nombres:
        valeurs["nombre"] = accorder(sum(p["nombre"] for p in nombres), "logement")
        valeurs["contingents"] = enumerer(_contingent(p["nom"]) for p in nombres)
    return valeurs


def _contingent(nom: str) -> str:
    return "le contingent de l’État" if nom == "l’État" else f"le contingent de {nom}"


def propositions(contexte: Contexte, nature: Nature) -> dict[str, str]:
    """What the letter says unless the agent writes otherwise."""
    etape = contexte.actes.get(nature)
    proposees = {}
    if etape is not None and etape.texte:
        proposees["motif"] = etape.texte
    if contexte.presents:
        proposees["presents"] = " ; ".join(contexte.presents)
    return proposees


@agir(Acteur.du_systeme("part de l’État dans un acte"))
def parts_de_l_etat(convention: Convention | None, jour: date) -> tuple[tuple[str, str], ...]:
    """The State's share in the last act, in points: what an arrêté repeats."""
    if convention is None:
        return ()
    version = (
        VersionConvention.objects.filter(convention=convention, signee_le__isnull=False, effet__lte=jour)
        .order_by("-effet")
        .first()
    )
    if version is None:
        return ()
    lignes = [
        ("État", nombre_fr(version.taux)),
        ("dont agents de l’État, au plus", nombre_fr(version.taux_agents)),
    ]
    if version.retrocession_taux and version.retrocession_debut <= jour <= version.retrocession_fin:
        lignes.append(("rétrocession à Action Logement Services", nombre_fr(version.retrocession_taux)))
    return tuple(lignes)


def apres_une_suite(lettre: Lettre, suivi: Suivi) -> None:
    """Tell the procedure what starts its clock, or what brings it back."""
    nature = Nature(lettre.nature)
    if suivi.date_certaine is not None:
        sur_lettre_remise(lettre.procedure_id, nature, suivi.date_certaine)
    elif suivi.a_renvoyer:
        sur_lettre_retournee(lettre.procedure_id, nature, suivi.pas[-1].jour)


def apres_une_correction(lettre: Lettre, avant: Suivi, apres: Suivi, motif: str) -> str:
    """Tell the procedure that the day from which its clock runs was wrong. Returns the act that came first when what was
    done since stays as it is, "" when the procedure follows."""
    if avant.date_certaine == apres.date_certaine and avant.a_renvoyer == apres.a_renvoyer:
        return ""
    if avant.date_certaine is None:
        if avant.a_renvoyer:  # the procedure went back to its opening: another letter is signed
            return "inscrire le retour de la lettre"
        apres_une_suite(lettre, apres)
        return ""
    if Nature(lettre.nature) not in ATTEND.values():
        return ""
    faite = sur_lettre_corrigee(lettre.procedure_id, lettre.acte_id, apres.date_certaine, motif)
    if isinstance(faite, str):
        return faite
    if apres.a_renvoyer:
        apres_une_suite(lettre, apres)
    return ""


def est_visible(acteur: Acteur, procedure: Procedure) -> bool:
    """Whether the reader of a letter reads its procedure."""
    return Procedure.objects.visibles_par(acteur).filter(pk=procedure.pk).exists()


def adresse(procedure: Procedure) -> str:
    """Page of the procedure."""
    return reverse("bilans:procedure", args=[procedure.pk])
