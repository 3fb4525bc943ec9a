"""The three procedures: the only writer of their acts, and of what the parties write and sign (domain, chapter 11).

    ouvrir → accomplir (one act of the table of `bilans.regles.procedures`) → … ; sur_lettre_remise starts a clock

Each act reads the figures again, under a lock, and keeps them with it. A clock never acts: it makes an act possible. What a
decision costs goes through the ledger (`bilans.services.registre`), in the same transaction.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from bilans.models import (
    AttributionDuPrefet,
    Bilan,
    EtapeProcedure,
    ParagrapheProcedure,
    ParticipantProcedure,
    PieceProcedure,
    Procedure,
    SignatureProcedure,
)
from bilans.regles import procedures as regles
from bilans.regles.cycle import ActeBilan
from bilans.regles.procedures import Acte, Etat, Lettre, Qui, Sorte, TransitionRefusee
from bilans.regles.procedures_delais import Mode, Pas, Suite, Suivi
from bilans.regles.registre_dettes import OUVERTS_DANS_L_ORDRE, Poste
from flux.models import Attribution, Imputation
from flux.regles.imputation import Titre
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Departement, Organisation, Presence
from reservation.perimetre import agir
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import accorder, typographier
from reservation.services import conventions
from reservation.services.assistances import exiger_hors_assistance

from . import registre
from .procedures_situation import (
    JOURS_D_OBSERVATIONS,
    Dossier,
    Objet,
    lire_dossier,
    nom_du_reservataire,
    organisations_par_code,
)

LONGUEUR = 5_000
FONCTION = 120
TAILLE_D_UNE_PIECE = 10 * 1024 * 1024
PIECES = 20
# Kind of a document by its first bytes; what it is called decides nothing.
TYPES = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
FINS = {"application/pdf": (".pdf",), "image/png": (".png",), "image/jpeg": (".jpg", ".jpeg")}


@dataclass(frozen=True)
class Saisie:
    """What is said with an act. `nombres`: dwellings by code of réservataire: found justified (JUGER_INJUSTIFIE), reported or
    attributed (REPORTER, ATTRIBUER). `jour`: certain date, or date of effect."""

    texte: str = ""
    jour: date | None = None
    reunion: datetime | None = None
    lieu: str = ""
    delai_jours: int | None = None
    reference: str = ""
    nombres: Mapping[str, int] = field(default_factory=dict)


RIEN = Saisie()


@contextmanager
def _en_clair() -> Iterator[None]:
    try:
        yield
    except TransitionRefusee as erreur:
        raise ValidationError(typographier(str(erreur))) from erreur


def qui(acteur: Acteur, departement: str) -> Qui | None:
    """What `acteur` may do there; None: nothing. Neither the application nor an assistance acts in somebody's place."""
    if acteur.systeme or acteur.en_assistance:
        return None
    if not (acteur.est_ddets and departement in acteur.departements and acteur.peut_gerer):
        return None
    return Qui.SIGNATAIRE if acteur.peut_signer else Qui.AGENT


def _exiger(acteur: Acteur, departement: str) -> Qui:
    exiger_hors_assistance(acteur)
    trouve = qui(acteur, departement)
    if trouve is None:
        raise PermissionDenied(
            "Une procédure est conduite par la DDETS du département, par une personne qui a le rôle Gestion."
        )
    return trouve


def lire_procedure(procedure: Procedure, jour: date | None = None) -> Dossier:
    """The file of a procedure that its reader was allowed to open."""
    return lire_dossier(Objet.de(procedure), procedure, jour)


# --- Acts ------------------------------------------------------------------------------------------------------


@transaction.atomic
def ouvrir(acteur: Acteur, objet: Objet, texte: str = "") -> Procedure:
    """Open a procedure, at any time. Raises `ValidationError` with the figures when they are favourable."""
    role = _exiger(acteur, objet.departement)
    _exiger_partie(objet)
    dossier = lire_dossier(objet)
    acte = Acte.OUVRIR
    if objet.sorte == Sorte.MANQUEMENT and not dossier.situation.acte_en_vigueur:
        acte = Acte.OUVRIR_SANS_CONVENTION
    with _en_clair():
        transition = regles.passer(objet.sorte, None, acte, role, dossier.situation)
    procedure = Procedure(
        sorte=objet.sorte,
        departement_id=objet.departement,
        bailleur_id=objet.bailleur,
        reservataire_id=objet.reservataire,
        annee=objet.annee,
        etat=transition.vers,
        ouverte_le=timezone.now(),
        ouverte_par_id=acteur.utilisateur_id,
    )
    try:
        with transaction.atomic():
            procedure.save(force_insert=True)
    except IntegrityError as erreur:
        raise ValidationError(
            "Une procédure est déjà ouverte, ou terminée par une mesure, pour cet objet et cette année."
        ) from erreur
    _ecrire(acteur, procedure, dossier, transition, Saisie(texte=texte))
    return procedure


@agir(Acteur.du_systeme("parties d’une procédure"))
def _exiger_partie(objet: Objet) -> None:
    """Whom it is about has dwellings, or rights, in this département."""
    if (
        not Departement.objects.filter(pk=objet.departement).exists()
        or objet.annee > timezone.localdate().year
    ):
        raise ValidationError("Choisissez un département, et une année commencée.")
    if objet.bailleur:
        if objet.reservataire:
            raise ValidationError("Une procédure vise un bailleur ou un réservataire, non les deux.")
        if not Presence.objects.filter(bailleur=objet.bailleur, departement=objet.departement).exists():
            raise ValidationError("Ce bailleur n’a pas de logement dans ce département.")
    elif objet.sorte != Sorte.QUART:
        raise ValidationError("Cette procédure vise un bailleur : choisissez-le.")
    elif not Organisation.objects.filter(
        pk=objet.reservataire,
        type__in=[TypeOrganisation.ACTION_LOGEMENT, TypeOrganisation.COLLECTIVITE],
    ).exists():
        raise ValidationError(
            "Le quart se mesure pour Action Logement Services, une collectivité ou un bailleur : choisissez l’un d’eux."
        )


@transaction.atomic
def accomplir(acteur: Acteur, procedure: Procedure, acte: Acte, saisie: Saisie = RIEN) -> EtapeProcedure:
    """One act of the table. Raises `PermissionDenied`, or `ValidationError` with what the table, the clocks or the figures say."""
    role = _exiger(acteur, procedure.departement_id)
    if not Procedure.objects.visibles_par(acteur).filter(pk=procedure.pk).exists():
        raise PermissionDenied("Cette procédure n’est pas de votre département.")
    procedure = _verrouiller(procedure.pk)
    dossier = _avec_la_saisie(lire_procedure(procedure), acte, saisie)
    with _en_clair():
        transition = regles.passer(procedure.regle, dossier.etat, acte, role, dossier.situation)
    etape = _ecrire(acteur, procedure, dossier, transition, saisie)
    _appliquer(acteur, procedure, dossier, etape)
    return etape


def _verrouiller(pk: int) -> Procedure:
    return Procedure.objects.select_for_update().get(pk=pk)


def _avec_la_saisie(dossier: Dossier, acte: Acte, saisie: Saisie) -> Dossier:
    """The situation with what is said now, so that the conditions bear on it."""
    champs: dict = {"motif": saisie.texte}
    if acte == Acte.CONVOQUER and saisie.reunion:
        champs["reunion"] = jour_a_paris(saisie.reunion)
    if acte == Acte.JUGER_JUSTIFIE:
        champs["justifies"] = dossier.situation.total_manque
    if acte == Acte.JUGER_INJUSTIFIE:
        justifies = _justifies(dossier, saisie)
        champs["justifies"] = sum(justifies.values())
        champs["manques_retenus"] = dossier.situation.total_manque - champs["justifies"]
    return replace(dossier, situation=replace(dossier.situation, **champs))


def _justifies(dossier: Dossier, saisie: Saisie) -> dict[str, int]:
    manques = {o.code: o for o in dossier.situation.manques}
    for code, nombre in saisie.nombres.items():
        objectif = manques.get(code)
        if objectif is None:
            raise ValidationError("Un contingent jugé est de ceux dont l’objectif n’est pas atteint.")
        if not 0 <= nombre <= objectif.manque:
            raise ValidationError(
                typographier(
                    f"{objectif.nom} : {accorder(objectif.manque, 'attribution manquante', 'attributions manquantes')}, "
                    f"{nombre} dites justifiées. Écrivez un nombre de 0 à {objectif.manque}."
                )
            )
    return {code: saisie.nombres.get(code, 0) for code in manques}


def _parts(dossier: Dossier, acte: Acte, saisie: Saisie) -> list[dict]:
    """Dwellings per réservataire, as the act keeps them."""
    organisations = {p.code: p.organisation for p in dossier.parts}
    if acte in (Acte.JUGER_JUSTIFIE, Acte.JUGER_INJUSTIFIE):
        justifies = (
            {o.code: o.manque for o in dossier.situation.manques}
            if acte == Acte.JUGER_JUSTIFIE
            else _justifies(dossier, saisie)
        )
        return [
            {
                "code": o.code,
                "nom": o.nom,
                "organisation": organisations.get(o.code),
                "clause": o.clause,
                "manque": o.manque,
                "justifies": justifies[o.code],
                "retenus": o.manque - justifies[o.code],
            }
            for o in dossier.situation.manques
        ]
    if acte == Acte.ATTRIBUER and dossier.objet.sorte == Sorte.QUART:
        quart = dossier.situation.quart
        return [{"code": quart.code, "nom": quart.nom, "organisation": None, "nombre": quart.manque}]
    if acte in (Acte.REPORTER, Acte.ATTRIBUER):
        parts = [
            {
                "code": code,
                "nom": juge["nom"],
                "organisation": juge["organisation"],
                "nombre": saisie.nombres.get(code, 0),
            }
            for code, juge in dossier.juges.items()
            if saisie.nombres.get(code, 0) > 0
        ]
        if not parts:
            raise ValidationError(
                "Écrivez, pour un contingent au moins, le nombre de logements de la décision."
            )
        return parts
    return []


def _ecrire(
    acteur: Acteur, procedure: Procedure, dossier: Dossier, transition: regles.Transition, saisie: Saisie
) -> EtapeProcedure:
    if len(saisie.texte) > LONGUEUR:
        raise ValidationError({"texte": f"{LONGUEUR} caractères au plus."})
    etape = EtapeProcedure(
        procedure=procedure,
        departement_id=procedure.departement_id,
        bailleur_id=procedure.bailleur_id,
        reservataire_id=procedure.reservataire_id,
        rang=len(dossier.etapes) + 1,
        sorte=procedure.sorte,
        acte=transition.acte,
        de=transition.de or "",
        vers=transition.vers,
        le=timezone.now(),
        par_id=acteur.utilisateur_id,
        organisation_id=acteur.organisation_id,
        texte=saisie.texte.strip(),
        jour=saisie.jour,
        reunion=saisie.reunion,
        lieu=saisie.lieu.strip()[:200],
        delai_jours=(
            saisie.delai_jours or JOURS_D_OBSERVATIONS if transition.acte == Acte.NOTIFIER else None
        ),
        reference=saisie.reference.strip()[:60],
        parts=_parts(dossier, transition.acte, saisie),
        chiffres=dossier.chiffres(),
    )
    try:
        with transaction.atomic():
            etape.save(force_insert=True)
    except IntegrityError as erreur:
        raise ValidationError("Cette procédure a changé d’état entre-temps : rechargez la page.") from erreur
    procedure.etat = etape.vers
    return etape


# --- What an act does elsewhere ------------------------------------------------------------------------------------


def _appliquer(acteur: Acteur, procedure: Procedure, dossier: Dossier, etape: EtapeProcedure) -> None:
    jour = timezone.localdate()
    if etape.acte == Acte.RESILIER:
        effet = etape.jour or jour
        conventions.resilier_convention(
            acteur,
            dossier.acte,
            resiliee_le=jour,
            effet=effet,
            motif=f"Mise en demeure restée sans effet, procédure {procedure.numero}",
        )
    if procedure.sorte != Sorte.OBJECTIFS:
        return
    for part in etape.parts:
        cle = _cle(procedure, part)
        fondement = f"{dossier.juges.get(part['code'], part).get('clause') or 'clause de la convention'}, procédure {procedure.numero}"
        commun = {"jour": jour, "fondement": fondement}
        if etape.acte == Acte.JUGER_INJUSTIFIE and part["retenus"]:
            registre.ouvrir(acteur, cle, procedure.annee, part["retenus"], **commun)
        elif etape.acte == Acte.REPORTER:
            registre.reporter(
                acteur, cle, procedure.annee, part["nombre"], annee=annee_du_report(procedure), **commun
            )
        elif etape.acte == Acte.ATTRIBUER:
            registre.attribuer_directement(acteur, cle, procedure.annee, part["nombre"], **commun)
    if dossier.etat == Etat.INJUSTIFIEE and etape.acte in (Acte.ETEINDRE, Acte.ABANDONNER):
        _annuler_ce_qui_reste(acteur, procedure, dossier, jour)


def _cle(procedure: Procedure, part: dict) -> registre.Cle:
    if part["organisation"] is None:
        raise ValidationError(f"{part['nom']} n’a pas d’acte dans l’année : rien ne se doit.")
    return registre.Cle(procedure.bailleur_id, procedure.departement_id, part["organisation"])


@agir(Acteur.du_systeme("année d’un report"))
def annee_du_report(procedure: Procedure) -> int:
    """The next year whose bilan is not validated: nothing is added to an objective that was already judged."""
    validees = set(
        Bilan.objects.filter(
            bailleur=procedure.bailleur_id,
            departement=procedure.departement_id,
            annee__gt=procedure.annee,
            etapes__acte=ActeBilan.VALIDER,
        ).values_list("annee", flat=True)
    )
    annee = procedure.annee + 1
    while annee in validees:
        annee += 1
    return annee


def _annuler_ce_qui_reste(acteur: Acteur, procedure: Procedure, dossier: Dossier, jour: date) -> None:
    """The decision is withdrawn: what is neither paid nor imputed is no longer due."""
    for part in dossier.juges.values():
        if not part["retenus"]:
            continue
        cle = _cle(procedure, part)
        compte = registre.lire_compte(cle)
        for poste in OUVERTS_DANS_L_ORDRE:
            nombre = compte.dette(procedure.annee).de(poste)
            if nombre:
                annee = max(procedure.annee + 1, compte.close + 1)
                compte = registre.annuler(
                    acteur,
                    cle,
                    procedure.annee,
                    nombre,
                    Poste(poste),
                    annee=annee,
                    jour=jour,
                    fondement=f"Procédure {procedure.numero} éteinte ou abandonnée",
                )


@transaction.atomic
def inscrire_attribution(acteur: Acteur, procedure: Procedure, reference: str) -> Attribution:
    """An attribution that the préfet made, named by the reference of its libération, imputed on the contingent that owed it.

    Objectives: it discharges one dwelling of the debt, in the ledger. A quarter: it is one of those that were decided.
    """
    role = _exiger(acteur, procedure.departement_id)
    if role != Qui.SIGNATAIRE:
        raise PermissionDenied("Cet acte est signé par une personne qui a le rôle de signature.")
    procedure = _verrouiller(procedure.pk)
    dossier = lire_procedure(procedure)
    if not dossier.situation.a_imputer:
        raise ValidationError("Le préfet n’a plus de logement à attribuer dans cette procédure.")
    trouvees = Attribution.objects.visibles_par(acteur).filter(
        departement=procedure.departement_id, liberation__reference=reference.strip(), refusee_le__isnull=True
    )
    if procedure.bailleur_id:
        trouvees = trouvees.filter(bailleur=procedure.bailleur_id)
    attribution = trouvees.select_related("liberation").order_by("-date_caleol", "-pk").first()
    if attribution is None:
        raise ValidationError(
            {
                "reference": "Aucune attribution en cours ne porte cette référence : recopiez celle de la libération."
            }
        )
    decidee = next(e for e in reversed(dossier.etapes) if e.acte == Acte.ATTRIBUER)
    if attribution.date_caleol < timezone.localdate(decidee.le):
        raise ValidationError({"reference": "Cette attribution précède la décision du préfet."})
    if procedure.sorte == Sorte.OBJECTIFS:
        registre.imputer(
            acteur,
            attribution,
            jour=timezone.localdate(),
            fondement=f"Décision du préfet, procédure {procedure.numero}",
        )
        return attribution
    _exiger_du_contingent(procedure, attribution)
    try:
        with transaction.atomic():
            AttributionDuPrefet.objects.create(
                **_lieu(procedure),
                attribution=attribution,
                jour=timezone.localdate(),
                inscrite_par_id=acteur.utilisateur_id,
            )
    except IntegrityError as erreur:
        raise ValidationError({"reference": "Cette attribution est déjà inscrite."}) from erreur
    return attribution


def _exiger_du_contingent(procedure: Procedure, attribution: Attribution) -> None:
    """Of the contingent that lacked it, to a priority household."""
    contingent = attribution.reservataire_id
    sien = (
        contingent in (None, procedure.bailleur_id)
        if procedure.bailleur_id
        else contingent == procedure.reservataire_id
    )
    if not sien:
        raise ValidationError({"reference": "Cette attribution n’est pas sur le contingent de la procédure."})
    imputation = Imputation.objects.filter(attribution=attribution).order_by("annee").first()
    if imputation is not None and imputation.detail != Titre.PRIORITAIRE:
        raise ValidationError({"reference": "Le ménage de cette attribution n’est pas reconnu prioritaire."})


# --- Letters ------------------------------------------------------------------------------------------------------

ATTEND = {
    Etat.MISE_EN_DEMEURE: Lettre.MISE_EN_DEMEURE,
    Etat.CONVOQUEE: Lettre.INVITATION,
    Etat.NOTIFIEE: Lettre.NOTIFICATION_QUART,
}


def sur_lettre_remise(procedure_id: int, nature: Lettre, date_certaine: date) -> EtapeProcedure | None:
    """The letter that this stage awaits reached its addressee: the clock starts on `date_certaine`. None when the procedure
    awaits no such letter any more."""
    return _suite_de_lettre(procedure_id, nature, Acte.CONSTATER_RECEPTION, Suite.RECEPTION, date_certaine)


def sur_lettre_retournee(procedure_id: int, nature: Lettre, jour: date) -> EtapeProcedure | None:
    """The letter came back without having reached anybody: it is to be written again, to the right address."""
    return _suite_de_lettre(procedure_id, nature, Acte.CONSTATER_RETOUR, Suite.ADRESSE, jour)


@transaction.atomic
@agir(Acteur.du_systeme("date certaine d’une lettre"))
def sur_lettre_corrigee(
    procedure_id: int, acte_notifie: int, date_certaine: date | None, motif: str
) -> EtapeProcedure | str:
    """The journal of a letter was corrected: its certain date is another day, or none any more.

    While nothing else was done since, the clock starts again from the right day, or stops. Otherwise what was done stays:
    the text says which act came first. `acte_notifie`: the act that the letter notifies; `motif`: why it was wrong.
    """
    procedure = _verrouiller(procedure_id)
    dossier = lire_procedure(procedure)
    attente = next(
        (
            de
            for (sorte, de), vers in regles.ATTENTES.items()
            if (sorte, vers) == (procedure.regle, dossier.etat)
        ),
        None,
    )
    signature = next((e for e in dossier.etapes if e.pk == acte_notifie), None)
    depuis = [e for e in dossier.etapes if signature is not None and e.rang > signature.rang]
    if attente is None or signature is None or any(e.acte not in regles.PAR_LA_LETTRE for e in depuis):
        return (dossier.dernier.get_acte_display() if dossier.dernier else "").lower()
    signee = timezone.localdate(signature.le)
    pas = [Pas(signee, Suite.ENVOI)]
    if date_certaine is not None:
        pas.append(Pas(date_certaine, Suite.RECEPTION))
    suivi = Suivi(Mode.RECOMMANDE, tuple(pas))
    dossier = replace(dossier, situation=replace(dossier.situation, suivi=suivi))
    acte = Acte.RETIRER_RECEPTION if date_certaine is None else Acte.RECTIFIER_RECEPTION
    with _en_clair():
        transition = regles.passer(procedure.regle, dossier.etat, acte, Qui.AGENT, dossier.situation)
    return _ecrire(
        Acteur.du_systeme("date certaine corrigée"),
        procedure,
        dossier,
        transition,
        Saisie(texte=motif, jour=date_certaine),
    )


@transaction.atomic
@agir(Acteur.du_systeme("date certaine d’une lettre"))
def _suite_de_lettre(
    procedure_id: int, nature: Lettre, acte: Acte, suite: Suite, jour: date
) -> EtapeProcedure | None:
    procedure = _verrouiller(procedure_id)
    dossier = lire_procedure(procedure)
    if ATTEND.get(dossier.etat) != nature:
        return None
    if jour > timezone.localdate():
        raise ValidationError("Cette date est à venir : inscrivez la suite quand elle est arrivée.")
    # The act that the letter notifies: what followed is the journal of that letter.
    signee = timezone.localdate(
        next(e for e in reversed(dossier.etapes) if e.acte not in regles.PAR_LA_LETTRE).le
    )
    if jour < signee:
        raise ValidationError(f"Cette date précède la signature de la lettre ({signee:%d/%m/%Y}).")
    suivi = Suivi(Mode.RECOMMANDE, (Pas(signee, Suite.ENVOI), Pas(jour, suite)))
    dossier = replace(dossier, situation=replace(dossier.situation, suivi=suivi))
    with _en_clair():
        transition = regles.passer(procedure.regle, dossier.etat, acte, Qui.AGENT, dossier.situation)
    return _ecrire(Acteur.du_systeme("date certaine"), procedure, dossier, transition, Saisie(jour=jour))


# --- What the parties write, attach and sign -------------------------------------------------------------------------


def _lieu(procedure: Procedure) -> dict:
    return {
        "procedure": procedure,
        "departement_id": procedure.departement_id,
        "bailleur_id": procedure.bailleur_id,
        "reservataire_id": procedure.reservataire_id,
    }


def est_partie(acteur: Acteur, procedure: Procedure) -> bool:
    """The DDETS of the département, or whom it is about; somebody who manages there."""
    if acteur.systeme or acteur.en_assistance or not acteur.peut_gerer:
        return False
    if acteur.est_ddets:
        return procedure.departement_id in acteur.departements
    return acteur.organisation_id == procedure.destinataire_id


def peut_ecrire(acteur: Acteur, procedure: Procedure) -> bool:
    """Whether `acteur` may write, attach and sign at this stage."""
    return est_partie(acteur, procedure) and Etat(procedure.etat) in regles.CONTRADICTOIRE


def _exiger_ecriture(acteur: Acteur, procedure: Procedure) -> Procedure:
    exiger_hors_assistance(acteur)
    if not est_partie(acteur, procedure):
        raise PermissionDenied("Seules les parties écrivent dans une procédure, avec le rôle Gestion.")
    with agir(Acteur.du_systeme("stade d’une procédure")):
        # Whoever writes waits for an act in progress, and for another who writes.
        procedure = _verrouiller(procedure.pk)
    if Etat(procedure.etat) not in regles.CONTRADICTOIRE:
        raise ValidationError(
            typographier(
                f"Rien ne s’écrit à ce stade : {regles.stade(Etat(procedure.etat))}. Les écrits s’échangent de l’envoi de la "
                "lettre jusqu’à la réunion, ou pendant le délai."
            )
        )
    return procedure


@transaction.atomic
def ecrire(
    acteur: Acteur,
    procedure: Procedure,
    texte: str,
    *,
    paragraphe: int | None = None,
    repond_a: int | None = None,
) -> ParagrapheProcedure:
    """A new paragraph of this party, or the new text of one that it has not signed."""
    procedure = _exiger_ecriture(acteur, procedure)
    texte = texte.strip()
    if not texte or len(texte) > LONGUEUR:
        raise ValidationError({"texte": f"Écrivez un paragraphe, de {LONGUEUR} caractères au plus."})
    if paragraphe is not None:
        ecrit = _sien(ParagrapheProcedure, acteur, procedure, paragraphe)
        ecrit.texte = texte
        ecrit.save(update_fields=["texte"])
        return ecrit
    cible = None
    if repond_a is not None:
        cible = ParagrapheProcedure.objects.filter(
            procedure=procedure, pk=repond_a, signature__isnull=False
        ).first()
        if cible is None:
            raise ValidationError("Le paragraphe auquel vous répondez n’est pas de cette procédure.")
    return ParagrapheProcedure.objects.create(
        **_lieu(procedure),
        organisation_id=acteur.organisation_id,
        texte=texte,
        repond_a=cible,
        ecrit_par_id=acteur.utilisateur_id,
    )


def _sien(modele, acteur: Acteur, procedure: Procedure, pk: int):
    trouve = modele.objects.modifiables_par(acteur).filter(procedure=procedure, pk=pk).first()
    if trouve is None:
        raise ValidationError("Ceci est signé, ou n’est pas de votre organisation : rien ne s’y change.")
    return trouve


@transaction.atomic
def retirer(acteur: Acteur, procedure: Procedure, paragraphe: int) -> None:
    """A paragraph that is not signed, with the documents that go with it."""
    procedure = _exiger_ecriture(acteur, procedure)
    ecrit = _sien(ParagrapheProcedure, acteur, procedure, paragraphe)
    PieceProcedure.objects.filter(paragraphe=ecrit).delete()
    ecrit.delete()


@transaction.atomic
def joindre(
    acteur: Acteur, procedure: Procedure, nom: str, octets: bytes, *, paragraphe: int | None = None
) -> PieceProcedure:
    """A document, PDF, PNG or JPEG by its content, 10 Mo at most."""
    procedure = _exiger_ecriture(acteur, procedure)
    if not octets or len(octets) > TAILLE_D_UNE_PIECE:
        raise ValidationError({"fichier": "Joignez un fichier de 10 Mo au plus, qui ne soit pas vide."})
    type_mime = next((t for debut, t in TYPES if octets.startswith(debut)), "")
    if not type_mime:
        raise ValidationError(
            {"fichier": "Joignez un PDF, une image PNG ou JPEG : le contenu de ce fichier n’en est pas un."}
        )
    siennes = PieceProcedure.objects.filter(procedure=procedure, organisation=acteur.organisation_id)
    if siennes.count() >= PIECES:
        raise ValidationError(
            {"fichier": f"{PIECES} documents au plus par partie : réunissez-les en un PDF."}
        )
    return PieceProcedure.objects.create(
        **_lieu(procedure),
        organisation_id=acteur.organisation_id,
        paragraphe=_sien(ParagrapheProcedure, acteur, procedure, paragraphe) if paragraphe else None,
        nom=_nom_de_fichier(nom, type_mime),
        type_mime=type_mime,
        octets=octets,
        taille=len(octets),
        empreinte=hashlib.sha256(octets).hexdigest(),
        jointe_par_id=acteur.utilisateur_id,
    )


def _nom_de_fichier(nom: str, type_mime: str) -> str:
    """What whoever opens it will save: ends as its content says, so that nothing else is made of it ("x.html" → "x.html.pdf")."""
    propre = "".join(
        c for c in nom.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable() and c not in '"<>:|?*'
    )
    propre = propre.strip(". ")[-115:] or "document"
    fins = FINS[type_mime]
    return propre if propre.lower().endswith(fins) else propre + fins[0]


@transaction.atomic
def detacher(acteur: Acteur, procedure: Procedure, piece: int) -> None:
    """A document that is not signed."""
    procedure = _exiger_ecriture(acteur, procedure)
    _sien(PieceProcedure, acteur, procedure, piece).delete()


def a_signer(acteur: Acteur, procedure: Procedure) -> tuple[list, list, str]:
    """What this party has written and not signed: paragraphs, documents, and the fingerprint of both ("" : nothing)."""
    siens = {"procedure": procedure, "organisation": acteur.organisation_id, "signature__isnull": True}
    paragraphes = list(ParagrapheProcedure.objects.filter(**siens).order_by("pk"))
    pieces = list(PieceProcedure.objects.filter(**siens).defer("octets").order_by("pk"))
    return paragraphes, pieces, _empreinte(paragraphes, pieces) if paragraphes or pieces else ""


def _empreinte(paragraphes, pieces) -> str:
    contenu = {
        "paragraphes": [[p.pk, p.repond_a_id, p.texte] for p in paragraphes],
        "pieces": [[p.pk, p.paragraphe_id, p.nom, p.empreinte] for p in pieces],
    }
    return hashlib.sha256(json.dumps(contenu, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def signer(acteur: Acteur, procedure: Procedure, marque: str) -> SignatureProcedure:
    """Sign what was read (its fingerprint): the other party reads it from now on, and nobody changes it."""
    procedure = _exiger_ecriture(acteur, procedure)
    if not acteur.peut_signer:
        raise PermissionDenied("Un écrit est signé par une personne qui a le rôle Signature.")
    paragraphes, pieces, empreinte = a_signer(acteur, procedure)
    if not empreinte:
        raise ValidationError("Rien n’attend de signature : écrivez un paragraphe ou joignez un document.")
    if empreinte != marque:
        raise ValidationError("Vos écrits ont changé depuis que vous les avez lus : relisez, puis signez.")
    signature = SignatureProcedure.objects.create(
        **_lieu(procedure),
        organisation_id=acteur.organisation_id,
        par_id=acteur.utilisateur_id,
        le=timezone.now(),
        empreinte=empreinte,
    )
    PieceProcedure.objects.filter(pk__in=[p.pk for p in pieces]).update(signature=signature)
    ParagrapheProcedure.objects.filter(pk__in=[p.pk for p in paragraphes]).update(signature=signature)
    return signature


@transaction.atomic
def inscrire_participant(acteur: Acteur, procedure: Procedure, fonction: str) -> ParticipantProcedure:
    """Somebody of this party who takes part, by their function."""
    procedure = _exiger_participation(acteur, procedure)
    fonction = " ".join(fonction.split())
    if not fonction or len(fonction) > FONCTION:
        raise ValidationError(
            {"fonction": f"Écrivez une fonction, de {FONCTION} caractères au plus, sans nom de personne."}
        )
    try:
        with transaction.atomic():
            return ParticipantProcedure.objects.create(
                **_lieu(procedure),
                organisation_id=acteur.organisation_id,
                fonction=fonction,
                ajoute_par_id=acteur.utilisateur_id,
            )
    except IntegrityError as erreur:
        raise ValidationError({"fonction": "Cette fonction est déjà inscrite."}) from erreur


@transaction.atomic
def desinscrire_participant(acteur: Acteur, procedure: Procedure, participant: int) -> None:
    """Take back one of its own participants, before the meeting."""
    procedure = _exiger_participation(acteur, procedure)
    _sien(ParticipantProcedure, acteur, procedure, participant).delete()


def _exiger_participation(acteur: Acteur, procedure: Procedure) -> Procedure:
    exiger_hors_assistance(acteur)
    if not est_partie(acteur, procedure):
        raise PermissionDenied("Seules les parties inscrivent leurs participants, avec le rôle Gestion.")
    with agir(Acteur.du_systeme("stade d’une procédure")):
        procedure = _verrouiller(procedure.pk)
    if Etat(procedure.etat) in regles.FINS | {Etat.DEBATTUE, Etat.INJUSTIFIEE}:
        raise ValidationError("Les participants s’inscrivent avant la réunion.")
    return procedure


def sur_fusion_a_preparer(sender, absorbe, absorbant, effet, **_signal) -> tuple[dict[str, int], list[str]]:
    """Receiver of `reservation.signaux.fusion_a_preparer`: whom a procedure is about must be there to answer until its end."""
    ouvertes = (
        Procedure.objects.filter(bailleur=absorbe)
        .exclude(etat__in=[etat.value for etat in regles.FINS])
        .order_by("pk")
    )
    return {}, [
        f"La procédure {procedure.numero} est en cours ({regles.stade(Etat(procedure.etat))}) : {absorbe.nom} ne pourrait plus y "
        "répondre. Menez-la à son terme ou abandonnez-la."
        for procedure in ouvertes
    ]


# --- The year is closed by its bilan -------------------------------------------------------------------------------


def sur_bilan_valide(bilan: Bilan, parts: Mapping[str, tuple[int, int]]) -> list[str]:
    """The bilan is validated: what was done pays the reports. `parts`: code → (own objective, realised). Returns the codes
    closed. A year closed already (a correction) stays closed: what more it would have paid is cancelled in the ledger."""
    systeme = Acteur.du_systeme("validation d’un bilan")
    closes = []
    with agir(systeme):
        versions = organisations_par_code(bilan.bailleur_id, bilan.departement_id, bilan.annee)
        for code, (part, realise) in sorted(parts.items()):
            version = versions.get(code)
            if version is None:
                continue
            cle = registre.Cle(bilan.bailleur_id, bilan.departement_id, version.reservataire_id)
            compte = registre.lire_compte(cle)
            if not compte.reste:
                continue
            if bilan.annee <= compte.close:
                registre.corriger_cloture(
                    systeme, cle, bilan.annee, part=part, realise=realise, jour=timezone.localdate()
                )
                continue
            registre.clore_annee(
                systeme,
                cle,
                bilan.annee,
                part=part,
                realise=realise,
                jour=timezone.localdate(),
                fondement=f"Validation du bilan {bilan.annee}",
            )
            closes.append(code)
    return closes


@agir(Acteur.du_systeme("registre après une correction"), lecture_seule=True)
def payes_en_trop(bilan: Bilan, parts: Mapping[str, tuple[int, int]]) -> list[tuple[str, int]]:
    """Réservataires to whom the corrected bilan would have paid fewer dwellings than the ledger did, and how many. `parts`: as
    for `sur_bilan_valide`."""
    trouves = []
    for code, version in organisations_par_code(bilan.bailleur_id, bilan.departement_id, bilan.annee).items():
        if code in parts:
            part, realise = parts[code]
            cle = registre.Cle(bilan.bailleur_id, bilan.departement_id, version.reservataire_id)
            nombre = registre.payes_en_trop(cle, bilan.annee, part=part, realise=realise)
            if nombre:
                trouves.append((nom_du_reservataire(version.reservataire), nombre))
    return trouves
