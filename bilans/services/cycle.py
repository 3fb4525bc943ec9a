"""The life of a bilan, from the bailleur's signature to the validation: what the rules of `bilans.regles.cycle` allow.

What is signed is what was read: a submission names the fingerprint of the document produced, and is refused when the
figures have moved since. Each act is one row, in one transaction with what it freezes (document, receipt, versions of
the réservataires, lines of the year).
"""

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.template.loader import render_to_string
from django.utils import timezone

from bilans.documents.cycle_copil import composer_copil
from bilans.documents.cycle_extrait import composer_extrait
from bilans.documents.pdf import rendre
from bilans.models import (
    AccuseBilan,
    Bilan,
    DocumentBilan,
    EtapeBilan,
    PointEtape,
    VersionCopil,
    VersionReservataire,
)
from bilans.regles import cycle as regles
from bilans.regles.cycle import ActeBilan, ActeRefuse, EtatBilan, Rubrique
from bilans.regles.cycle_copil import BilanCopil, resumer
from bilans.regles.cycle_extrait import ExtraitBilan, empreinte_extrait, extraire
from bilans.regles.donnees import BAILLEUR, DonneesBilan, depuis_json, empreinte, en_json, relire
from flux.models import GelExercice, Imputation, Liberation
from flux.services.cadres import reservataire_de
from flux.services.file_de_calcul import marquer_a_calculer
from flux.services.imputations import imputer
from flux.services.statuts import reevaluer_statuts
from reservation.acteur import Acteur, TypeOrganisation
from reservation.documents.pdf import rendre_texte
from reservation.models import Convention, Organisation
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr, enumerer, heure_fr, typographier
from reservation.services.assistances import exiger_hors_assistance

from .cycle_courriels import dire
from .documents import dernier_document
from .donnees_bilan import CalculAbsent, CalculPerime, lire_donnees
from .procedures import payes_en_trop as registre_apres_correction
from .procedures import sur_bilan_valide

RESERVATAIRES = (
    TypeOrganisation.ACTION_LOGEMENT,
    TypeOrganisation.COLLECTIVITE,
    TypeOrganisation.AUTRE_RESERVATAIRE,
    TypeOrganisation.DDETS,
)
# Those that read the flux of the whole département (chapter 2).
LISENT_LE_FLUX = (TypeOrganisation.ACTION_LOGEMENT, TypeOrganisation.DDETS)


# --- Where a bilan is ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cycle:
    """The acts of one bilan, read once."""

    bilan: Bilan
    etapes: tuple[EtapeBilan, ...]

    @property
    def etat(self) -> EtatBilan:
        return EtatBilan(self.etapes[-1].vers) if self.etapes else EtatBilan.PREPARATION

    @cached_property
    def demandes(self) -> tuple[tuple[EtapeBilan, EtapeBilan | None], ...]:
        """Demands since the last submission, each with its answer."""
        reponses = {etape.demande_id: etape for etape in self.etapes if etape.demande_id}
        return tuple(
            (etape, reponses.get(etape.pk))
            for etape in self.etapes[self._depuis_soumission() :]
            if etape.acte == ActeBilan.DEMANDER
        )

    @property
    def sans_reponse(self) -> int:
        """Demands that hold the submission back. Sent back as a whole since, the bilan itself is the answer."""
        if self.etat != EtatBilan.COMPLEMENT:
            return 0
        return sum(reponse is None for _, reponse in self.demandes)

    @property
    def figures_demandees(self) -> tuple[str, ...]:
        return tuple(demande.figure for demande, _ in self.demandes)

    @property
    def ouvertes(self) -> frozenset[Rubrique]:
        return regles.rubriques_ouvertes(self.etat, self.figures_demandees)

    @property
    def soumissions(self) -> tuple[EtapeBilan, ...]:
        return tuple(etape for etape in self.etapes if etape.acte == ActeBilan.SOUMETTRE)

    @property
    def validee(self) -> EtapeBilan | None:
        """The last validation: the version that is relied on, even while another is prepared."""
        return next((e for e in reversed(self.etapes) if e.acte == ActeBilan.VALIDER), None)

    @property
    def document_soumis(self) -> DocumentBilan | None:
        """What the page shows while nothing moves: the document of the last submission."""
        if self.etat in (EtatBilan.SOUMIS, EtatBilan.VALIDE):
            return self.soumissions[-1].document
        return None

    def _depuis_soumission(self) -> int:
        rangs = [rang for rang, etape in enumerate(self.etapes) if etape.acte == ActeBilan.SOUMETTRE]
        return rangs[-1] if rangs else 0


def lire_cycle(bilan: Bilan) -> Cycle:
    """The acts of `bilan`, in one query; the figures of the documents are left out."""
    etapes = (
        EtapeBilan.objects.filter(bilan=bilan)
        .select_related("par", "organisation", "document__bilan", "document__bailleur")
        .defer("document__donnees")
        .order_by("rang")
    )
    return Cycle(bilan, tuple(etapes))


def etats_des_bilans():
    """Expression: the state of each bilan of a queryset, None before its first act."""
    return Subquery(EtapeBilan.objects.filter(bilan=OuterRef("pk")).order_by("-rang").values("vers")[:1])


def figes():
    """Bilans whose document is not to be made again for now: submitted or validated."""
    return (
        Bilan.objects.annotate(etat=etats_des_bilans())
        .filter(etat__in=[EtatBilan.SOUMIS.value, EtatBilan.VALIDE.value])
        .order_by()
        .values("pk")
    )


def exiger_ouverte(bilan: Bilan, rubrique: Rubrique) -> None:
    """Raises `ValidationError` when this part of the bilan is closed."""
    cycle = lire_cycle(bilan)
    with _en_clair():
        regles.exiger_ouverte(rubrique, cycle.etat, cycle.figures_demandees)


@contextmanager
def _en_clair() -> Iterator[None]:
    """What the rules refuse is a `ValidationError` with the same sentence."""
    try:
        yield
    except ActeRefuse as erreur:
        raise ValidationError(typographier(str(erreur))) from erreur


def auteur_de(acteur: Acteur) -> regles.Auteur:
    """`acteur` as the table knows it: neither the application nor an assistance does it in somebody's place."""
    partie = None
    if acteur.est_bailleur:
        partie = regles.Partie.BAILLEUR
    elif acteur.est_ddets:
        partie = regles.Partie.DDETS
    if acteur.systeme or acteur.en_assistance:
        return regles.Auteur(None, gere=False, signe=False)
    return regles.Auteur(partie, acteur.peut_gerer, acteur.peut_signer)


# --- The acts -----------------------------------------------------------------------------------------------


@transaction.atomic
def soumettre(acteur: Acteur, bilan: Bilan, marque: str, *, le: datetime | None = None) -> EtapeBilan:
    """Sign and submit the document whose figures have the fingerprint `marque`.

    Freezes its figures, text and PDF; makes the receipt; closes the lines of the year; sends each réservataire its own
    version. Raises `PermissionDenied`, or `ValidationError` with what is missing.
    """
    cycle = _verrouiller(acteur, bilan, ActeBilan.SOUMETTRE)
    bilan = cycle.bilan
    with _en_clair():
        regles.exiger_reponses(cycle.sans_reponse)
    if bilan.annee >= timezone.localdate().year:
        raise ValidationError(
            f"L’année {bilan.annee} n’est pas terminée : c’est un point d’étape, qui ne se soumet pas comme un bilan."
        )
    document = dernier_document(bilan)
    if document is None:
        raise ValidationError("Produisez le PDF et relisez-le : c’est lui que vous signez.")
    if document.empreinte_donnees != marque or not _memes_chiffres(bilan, document):
        raise ValidationError(
            "Les chiffres ou le texte ont changé depuis le PDF que vous avez lu : produisez-le de nouveau, relisez, signez."
        )
    _exiger_octets(document)
    etape = _ecrire(acteur, cycle, ActeBilan.SOUMETTRE, document=document, le=le)
    transmettre_aux_reservataires(document, etape.le, etape=etape)
    _accuser(etape, document)
    dire(etape)
    return etape


@transaction.atomic
def demander(
    acteur: Acteur, bilan: Bilan, figure: str, texte: str, *, le: datetime | None = None
) -> EtapeBilan:
    """Ask the bailleur about one figure: opens the lines that make it, and nothing else."""
    cycle = _verrouiller(acteur, bilan, ActeBilan.DEMANDER)
    with _en_clair():
        code = regles.figure(figure).code
    return _dite(_ecrire(acteur, cycle, ActeBilan.DEMANDER, texte, figure=code, le=le))


@transaction.atomic
def repondre(acteur: Acteur, bilan: Bilan, demande: int, texte: str) -> EtapeBilan:
    """Answer one demand (primary key) made since the last submission."""
    cycle = _verrouiller(acteur, bilan, ActeBilan.REPONDRE)
    trouvees = [(d, reponse) for d, reponse in cycle.demandes if d.pk == demande]
    if not trouvees:
        raise ValidationError("Cette demande n’est pas de ce bilan, ou elle est close.")
    [(voulue, reponse)] = trouvees
    if reponse is not None:
        raise ValidationError("Cette demande a déjà sa réponse.")
    return _dite(_ecrire(acteur, cycle, ActeBilan.REPONDRE, texte, demande=voulue))


@transaction.atomic
def renvoyer(acteur: Acteur, bilan: Bilan, texte: str, *, le: datetime | None = None) -> EtapeBilan:
    """Send the whole bilan back, with the reason: everything is open again."""
    cycle = _verrouiller(acteur, bilan, ActeBilan.RENVOYER)
    return _dite(_ecrire(acteur, cycle, ActeBilan.RENVOYER, texte, le=le))


@transaction.atomic
def valider(acteur: Acteur, bilan: Bilan, texte: str = "", *, le: datetime | None = None) -> EtapeBilan:
    """Validate what was submitted: its document again, and the imputations of the year with it.

    Refused when the lines no longer give the figures submitted (a label recognised since, an act, a class): what is
    frozen would not be what was signed.
    """
    cycle = _verrouiller(acteur, bilan, ActeBilan.VALIDER)
    bilan = cycle.bilan
    document = cycle.soumissions[-1].document
    _exiger_octets(document)
    _tenir_les_imputations(bilan)
    if not _memes_chiffres(bilan, document):
        raise ValidationError(
            "Les lignes ne donnent plus les chiffres soumis : un label, une convention ou une classe a changé depuis. "
            "Renvoyez le bilan, ou demandez un complément : le bailleur en soumettra une nouvelle version."
        )
    etape = _ecrire(acteur, cycle, ActeBilan.VALIDER, texte, document=document, le=le)
    figees = depuis_json(DocumentBilan.objects.values_list("donnees", flat=True).get(pk=document.pk))
    sur_bilan_valide(bilan, _parts_jugees(figees))
    _publier(etape, document)
    return _dite(etape)


def _parts_jugees(donnees: DonneesBilan) -> dict[str, tuple[int, int]]:
    """Code of each réservataire → its own objective of the year, and what was done."""
    return {p.code: (p.objectif, p.realise) for p in donnees.parts if p.code != BAILLEUR}


def payes_en_trop(cycle: Cycle) -> list[tuple[str, int]]:
    """What the ledger paid when the year was closed, and that the correction validated since would not pay."""
    validations = [e for e in cycle.etapes if e.acte == ActeBilan.VALIDER]
    if len(validations) < 2 or cycle.etat != EtatBilan.VALIDE:
        return []
    figees = depuis_json(
        DocumentBilan.objects.values_list("donnees", flat=True).get(pk=validations[-1].document_id)
    )
    return registre_apres_correction(cycle.bilan, _parts_jugees(figees))


@transaction.atomic
def rouvrir(acteur: Acteur, bilan: Bilan, texte: str) -> EtapeBilan:
    """Open a correction of a validated bilan: the validated version stays the one relied on until the next."""
    cycle = _verrouiller(acteur, bilan, ActeBilan.ROUVRIR)
    if ferme := sans_bailleur(cycle.bilan):
        raise ValidationError(ferme)
    etape = _ecrire(acteur, cycle, ActeBilan.ROUVRIR, texte)
    paires = [(bilan.bailleur_id, bilan.departement_id)]
    imputer(paires=paires, annee=bilan.annee)
    marquer_a_calculer(paires, [bilan.annee], "correction d’un bilan validé")
    return _dite(etape)


def sans_bailleur(bilan: Bilan) -> str:
    """Why a validated bilan cannot be corrected any more: its bailleur is closed; "" while it is there to submit it."""
    ferme_le = bilan.bailleur.fermee_le
    if ferme_le is None:
        return ""
    return typographier(
        f"{bilan.bailleur.nom} est fermé depuis le {date_fr(ferme_le)} : personne ne pourrait soumettre la correction."
    )


def _dite(etape: EtapeBilan) -> EtapeBilan:
    """The same act, once those that it concerns are written to."""
    dire(etape)
    return etape


def _verrouiller(acteur: Acteur, bilan: Bilan, acte: ActeBilan) -> Cycle:
    """The acts as they are, nobody else acting until the end of the transaction, if `acteur` may do this one now."""
    exiger_hors_assistance(acteur)
    visible = Bilan.objects.visibles_par(acteur).filter(pk=bilan.pk)
    if not visible.exists() or not regles.a_le_droit(auteur_de(acteur), acte):
        raise PermissionDenied(_DROIT[acte])
    verrouille = Bilan.objects.select_related("bailleur", "departement").select_for_update(of=("self",))
    cycle = lire_cycle(verrouille.get(pk=bilan.pk))
    with _en_clair():
        regles.transition(cycle.etat, acte)
    return cycle


_DROIT = {
    ActeBilan.SOUMETTRE: "Le bilan est signé et soumis par une personne du bailleur qui a le rôle Signature.",
    ActeBilan.REPONDRE: "La réponse est celle du bailleur, par une personne qui a le rôle Gestion.",
} | dict.fromkeys(
    (ActeBilan.DEMANDER, ActeBilan.RENVOYER, ActeBilan.VALIDER, ActeBilan.ROUVRIR),
    "L’examen d’un bilan est fait par la DDETS du département, par une personne qui a le rôle Gestion.",
)


def _ecrire(
    acteur: Acteur,
    cycle: Cycle,
    acte: ActeBilan,
    texte: str = "",
    le: datetime | None = None,
    **champs,
) -> EtapeBilan:
    """Write the act, and close or open the lines of the year as the new state says.

    `le`: when it was done, now unless the demonstration tells a past year.
    """
    with _en_clair():
        prevue = regles.transition(cycle.etat, acte)
        texte = regles.exiger_texte(prevue, texte)
    bilan = cycle.bilan
    etape = EtapeBilan(
        bilan=bilan,
        bailleur_id=bilan.bailleur_id,
        departement_id=bilan.departement_id,
        rang=len(cycle.etapes) + 1,
        acte=acte,
        de=prevue.de,
        vers=prevue.vers,
        le=le or timezone.now(),
        par_id=acteur.utilisateur_id,
        organisation_id=acteur.organisation_id,
        texte=texte,
        **champs,
    )
    try:
        with transaction.atomic():
            etape.save(force_insert=True)
    except IntegrityError as erreur:
        raise ValidationError("Ce bilan a changé d’état entre-temps : rechargez la page.") from erreur
    _fermer(Cycle(bilan, (*cycle.etapes, etape)))
    return etape


@agir(Acteur.du_systeme("lignes d’un bilan"))
def _fermer(cycle: Cycle) -> None:
    """The lines of the year are closed but for what the state leaves open; frozen once validated."""
    bilan = cycle.bilan
    cle = {"bailleur_id": bilan.bailleur_id, "departement_id": bilan.departement_id, "annee": bilan.annee}
    ouvertes = cycle.ouvertes
    if ouvertes == regles.TOUTES:
        GelExercice.objects.filter(**cle).delete()
        _reprendre_les_statuts(bilan)
        return
    lignes = sorted(r.value for r in ouvertes if r != Rubrique.APPRECIATION)
    phrase = regles.phrase_de_gel(cycle.etat, f"lignes de {bilan.annee}")
    GelExercice.objects.update_or_create(
        **cle,
        defaults={
            "fige": regles.est_fige(cycle.etat),
            "ouvertes": lignes,
            "phrase": typographier(phrase),
        },
    )
    if Rubrique.LIBERATIONS in ouvertes:
        _reprendre_les_statuts(bilan)


def _reprendre_les_statuts(bilan: Bilan) -> None:
    """What changed of the parc or the acts while the lines were closed is looked at, now that they are open."""
    paires = [(bilan.bailleur_id, bilan.departement_id)]
    if reevaluer_statuts(paires, bilan.annee):
        marquer_a_calculer(paires, [bilan.annee], "lignes d’un bilan ouvertes", imputer=True)


@agir(Acteur.du_systeme("validation d’un bilan"))
def _tenir_les_imputations(bilan: Bilan) -> None:
    """Whoever imputes these libérations has finished, or waits until the year is frozen (`imputer` locks them too)."""
    siennes = Liberation.objects.filter(
        bailleur=bilan.bailleur_id,
        departement=bilan.departement_id,
        pk__in=Imputation.objects.filter(
            bailleur=bilan.bailleur_id, departement=bilan.departement_id, annee=bilan.annee
        ).values("liberation"),
    )
    list(siennes.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


def _memes_chiffres(bilan: Bilan, document: DocumentBilan) -> bool:
    """Whether the lines, the acts and the text give today what the document says, the moment of the reading apart."""
    try:
        vives = lire_donnees(bilan)
    except (CalculAbsent, CalculPerime) as erreur:
        raise ValidationError(str(erreur)) from erreur
    figees = depuis_json(DocumentBilan.objects.values_list("donnees", flat=True).get(pk=document.pk))
    return empreinte(replace(vives, situation=figees.situation)) == document.empreinte_donnees


def _exiger_octets(document: DocumentBilan) -> None:
    """The bytes kept are those whose hash was kept. Raises `ValidationError`."""
    with document.fichier.open("rb") as fichier:
        if hashlib.sha256(fichier.read()).hexdigest() != document.empreinte_pdf:
            raise ValidationError(
                "Le fichier conservé n’est pas celui dont l’empreinte est gardée : prévenez l’assistance, n’allez pas plus loin."
            )


# --- The receipt --------------------------------------------------------------------------------------------


def _accuser(etape: EtapeBilan, document: DocumentBilan) -> AccuseBilan:
    bilan = etape.bilan
    service = _service(bilan)
    recu = timezone.localtime(etape.le)
    rang = EtapeBilan.objects.filter(bilan=bilan, acte=ActeBilan.SOUMETTRE).count()
    numero = f"AR-{bilan.annee}-{bilan.departement_id}-{bilan.bailleur.siren}-{rang}"
    envois = (
        etape.envois.exclude(reservataire__type=TypeOrganisation.DDETS)
        .select_related("reservataire")
        .order_by("reservataire__nom_tri", "pk")
    )
    pdf = rendre_texte(
        render_to_string(
            "pdf/cycle/accuse.html",
            {
                "bilan": bilan,
                "etape": etape,
                "document": document,
                "numero": numero,
                "rang": rang,
                "service": service,
                "signataire": etape.par.nom,
                "recu_le": f"{date_fr(recu.date())} à {heure_fr(recu.time())} (heure de Paris)",
                "destinataires": enumerer([service, *(envoi.reservataire.nom for envoi in envois)]),
            },
        )
    )
    return AccuseBilan.objects.create(
        etape=etape,
        bilan=bilan,
        bailleur_id=bilan.bailleur_id,
        departement_id=bilan.departement_id,
        numero=numero,
        octets=pdf.octets,
        empreinte=pdf.empreinte,
        pages=pdf.pages,
    )


def _service(bilan: Bilan) -> str:
    """The service that receives: the DDETS of the département, as the site names it."""
    ddets = Organisation.objects.filter(type=TypeOrganisation.DDETS, departement=bilan.departement_id)
    return ddets.order_by("pk").values_list("nom", flat=True).first() or f"DDETS, {bilan.departement.nom}"


# --- What each réservataire receives ------------------------------------------------------------------------


def transmettre_aux_reservataires(
    document: DocumentBilan,
    le: datetime,
    *,
    etape: EtapeBilan | None = None,
    point: PointEtape | None = None,
) -> None:
    """Freeze each réservataire's own version of what `etape` submits or `point` sends; its PDF is made after commit, by a task."""
    from bilans.tasks import produire_versions, produire_versions_du_point

    donnees = depuis_json(DocumentBilan.objects.values_list("donnees", flat=True).get(pk=document.pk))
    origine = {"etape": etape, "point": point}
    with agir(Acteur.du_systeme("transmission aux réservataires")):
        VersionReservataire.objects.bulk_create(
            _version(document, le, donnees, organisation, code, origine)
            for organisation, code in _destinataires(document.bilan, donnees)
        )
    if etape is not None:
        transaction.on_commit(lambda: produire_versions.delay(etape.pk), robust=True)
    if point is not None:
        transaction.on_commit(lambda: produire_versions_du_point.delay(point.pk), robust=True)


def _version(
    document: DocumentBilan,
    le: datetime,
    donnees: DonneesBilan,
    organisation: Organisation,
    code: str,
    origine: dict,
) -> VersionReservataire:
    extrait = extraire(
        donnees,
        code,
        document.numero,
        document.empreinte_donnees,
        timezone.localdate(le),
        flux_entier=organisation.type in LISENT_LE_FLUX,
    )
    return VersionReservataire(
        **origine,
        bilan=document.bilan,
        bailleur_id=document.bailleur_id,
        departement_id=document.departement_id,
        reservataire=organisation,
        annee=document.bilan.annee,
        version=document.version,
        donnees=en_json(extrait),
        empreinte_donnees=empreinte_extrait(extrait),
        envoyee_le=le,
    )


def _publier(etape: EtapeBilan, document: DocumentBilan) -> None:
    """Freeze what the COPIL reads; its PDF is made after commit, by a task."""
    from bilans.tasks import produire_versions

    donnees = depuis_json(DocumentBilan.objects.values_list("donnees", flat=True).get(pk=document.pk))
    lu = resumer(donnees, document.numero, document.empreinte_donnees, timezone.localdate(etape.le))
    with agir(Acteur.du_systeme("version du COPIL d’un bilan validé")):
        VersionCopil.objects.create(
            etape=etape,
            bilan=etape.bilan,
            bailleur_id=etape.bailleur_id,
            departement_id=etape.departement_id,
            annee=etape.bilan.annee,
            version=document.version,
            donnees=en_json(lu),
            empreinte_donnees=empreinte_extrait(lu),
            validee_le=etape.le,
        )
    transaction.on_commit(lambda: produire_versions.delay(etape.pk), robust=True)


def _destinataires(bilan: Bilan, donnees: DonneesBilan) -> Collection[tuple[Organisation, str]]:
    """The réservataires that have a part in this bilan, and its code: the État is one, through its DDETS."""
    codes = {part.code for part in donnees.parts} - {BAILLEUR}
    lieu = {"bailleur": bilan.bailleur_id, "departement": bilan.departement_id}
    organisations = (
        Organisation.objects.filter(
            pk__in=Convention.objects.filter(**lieu).values("reservataire"), type__in=RESERVATAIRES
        )
        | Organisation.objects.filter(
            pk__in=Liberation.objects.filter(**lieu, date__year__lte=bilan.annee).values("reservataire"),
            type__in=RESERVATAIRES,
        )
        | Organisation.objects.filter(type=TypeOrganisation.DDETS, departement=bilan.departement_id)
    )
    return [
        (organisation, code)
        for organisation in organisations.distinct().order_by("nom_tri", "pk")
        if (code := reservataire_de(organisation.type, organisation.code).code) in codes
    ]


@agir(Acteur.du_systeme("PDF des réservataires"))
def produire_versions(etape_id: int) -> int:
    """Make the PDF of each version of one submission or validation that has none yet; returns how many.

    Safe to repeat.
    """
    return _mettre_en_page(
        VersionReservataire.objects.filter(etape=etape_id), ExtraitBilan, composer_extrait
    ) + _mettre_en_page(VersionCopil.objects.filter(etape=etape_id), BilanCopil, composer_copil)


@agir(Acteur.du_systeme("PDF des réservataires"))
def produire_versions_du_point(point_id: int) -> int:
    """The same for what the réservataires receive of one point d'étape."""
    return _mettre_en_page(VersionReservataire.objects.filter(point=point_id), ExtraitBilan, composer_extrait)


def _mettre_en_page(versions: QuerySet, classe: type, composer: Callable) -> int:
    faites = 0
    for version in versions.filter(octets=None).select_related("bailleur", "departement").order_by("pk"):
        pdf = rendre(composer(relire(classe, version.donnees), version.numero, version.empreinte_donnees))
        faites += versions.filter(pk=version.pk, octets=None).update(
            octets=pdf.octets, empreinte_pdf=pdf.empreinte, pages=pdf.pages
        )
    return faites


@agir(Acteur.du_systeme("PDF des réservataires, reprise"))
def versions_en_attente(avant) -> list[int]:
    """Acts made before `avant` (a moment) that still lack a PDF: their message was lost."""
    envois = VersionReservataire.objects.filter(
        octets=None, envoyee_le__lt=avant, etape__isnull=False
    ).order_by()
    copils = VersionCopil.objects.filter(octets=None, validee_le__lt=avant).order_by()
    return sorted({*envois.values_list("etape", flat=True), *copils.values_list("etape", flat=True)})


@agir(Acteur.du_systeme("PDF des réservataires, reprise"))
def points_en_attente(avant) -> list[int]:
    """Points d'étape sent before `avant` (a moment) whose réservataires still lack a PDF."""
    envois = VersionReservataire.objects.filter(octets=None, envoyee_le__lt=avant, point__isnull=False)
    return sorted(set(envois.order_by().values_list("point", flat=True)))
