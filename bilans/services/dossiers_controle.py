"""The file for an inspection (ANCOLS): everything of one bailleur in one département, in one ZIP that anybody can check.

Or of one procedure: that of a bailleur, or that of a réservataire whose quarter was missed in the whole département; then with
its conventions, the versions of the bilans that it received and its attributions of the year.

Timeline, conventions in force, bilans with their figures as known when they were submitted, receipts, procedures with what
their parties signed, letters with their proofs, ledger, attributions. What was kept is copied byte for byte; nothing is
computed again. A row is asked, a task makes it (seconds: some documents are laid out on paper); lost, it is called again.
"""

import hashlib
import io
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from bilans.documents.dossier_zip import assembler
from bilans.models import (
    AccuseBilan,
    AttributionDuPrefet,
    DocumentBilan,
    DossierControle,
    EcritureRegistre,
    EtapeBilan,
    EtapeLettre,
    EtapeProcedure,
    Lettre,
    ParagrapheProcedure,
    PieceProcedure,
    Procedure,
    VersionReservataire,
)
from bilans.regles.procedures import Acte, stade
from bilans.regles.procedures import Etat as EtatProcedure
from flux.models import Imputation
from reservation.acteur import Acteur
from reservation.documents.convention import composer_acte, rendre_acte
from reservation.documents.pdf import rendre_texte
from reservation.exports import sans_formule
from reservation.models import Convention, Departement, Organisation, Presence, VersionConvention
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr
from reservation.services.assistances import exiger_hors_assistance

from .exportations import lire_classeur, lire_pdf

journal = logging.getLogger(__name__)
Etat = DossierControle.Etat


# --- Asking ---------------------------------------------------------------------------------------------------


@transaction.atomic
def demander(
    acteur: Acteur,
    bailleur: Organisation | None,
    departement: Departement,
    procedure: Procedure | None = None,
) -> DossierControle:
    """Ask for the file; the one already being made, if there is one. Made after commit, by a task.

    `bailleur` None: `procedure` is about a réservataire.
    """
    from bilans.tasks import produire_dossier

    exiger_hors_assistance(acteur)
    if not (
        acteur.systeme or (acteur.est_ddets and acteur.peut_gerer and departement.pk in acteur.departements)
    ):
        raise PermissionDenied("Un dossier de contrôle est demandé par la DDETS du département.")
    if bailleur and not Presence.objects.filter(bailleur=bailleur, departement=departement).exists():
        raise ValidationError("Ce bailleur n’a pas de logement dans ce département.")
    cle = {
        "bailleur": bailleur,
        "reservataire": procedure.reservataire if procedure else None,
        "departement": departement,
        "procedure": procedure,
    }
    try:
        with transaction.atomic():
            dossier = DossierControle.objects.create(**cle, demande_par_id=acteur.utilisateur_id)
    except IntegrityError:
        return DossierControle.objects.get(**cle, etat=Etat.EN_ATTENTE)
    transaction.on_commit(lambda: produire_dossier.delay(dossier.pk), robust=True)
    return dossier


@agir(Acteur.du_systeme("dossiers de contrôle, reprise"))
def en_attente(avant: datetime) -> list[int]:
    """Files asked before `avant` that nobody made: their message was lost."""
    attendus = DossierControle.objects.filter(etat=Etat.EN_ATTENTE, demande_le__lt=avant)
    return list(attendus.order_by("pk").values_list("pk", flat=True))


# --- Making ---------------------------------------------------------------------------------------------------


@agir(Acteur.du_systeme("dossier de contrôle"))
def produire(dossier_id: int) -> DossierControle | None:
    """Make the file of one request; None when it is made already. Safe to repeat."""
    dossier = (
        DossierControle.objects.select_related("bailleur", "reservataire", "departement", "procedure")
        .filter(pk=dossier_id, etat=Etat.EN_ATTENTE)
        .first()
    )
    if dossier is None:
        return None
    try:
        octets = composer(dossier)
    except Exception:
        journal.exception("dossier de contrôle %s", dossier_id)
        message = "Le dossier n’a pas pu être produit. L’assistance en est prévenue : demandez-le de nouveau plus tard."
        DossierControle.objects.filter(pk=dossier_id, etat=Etat.EN_ATTENTE).update(
            etat=Etat.ECHEC, message=message
        )
        raise
    DossierControle.objects.filter(pk=dossier_id, etat=Etat.EN_ATTENTE).update(
        etat=Etat.PRODUIT,
        produit_le=timezone.now(),
        octets=octets,
        empreinte=hashlib.sha256(octets).hexdigest(),
        taille=len(octets),
    )
    dossier.refresh_from_db()
    return dossier


def composer(dossier: DossierControle) -> bytes:
    """The ZIP of everything that is kept of this bailleur in this département."""
    matiere = _Matiere(dossier)
    fichiers = matiere.fichiers()
    objet = f"Dossier de contrôle : {dossier.objet.nom}, {dossier.departement.nom} ({dossier.departement_id})"
    fait = timezone.localtime()
    fichiers["dossier.xlsx"] = matiere.classeur()
    fichiers["00-sommaire.pdf"] = rendre_texte(
        render_to_string(
            "pdf/dossier/sommaire.html",
            {
                "dossier": dossier,
                "fait": fait,
                "chronologie": matiere.chronologie,
                "fichiers": sorted([*fichiers, "00-sommaire.pdf"]),
                "tables": [(table.titre, len(table.lignes)) for table in matiere.tables],
            },
        )
    ).octets
    return assembler(
        fichiers,
        {
            "objet": objet,
            "bailleur": dossier.bailleur.nom if dossier.bailleur else "",
            "reservataire": dossier.reservataire.nom if dossier.reservataire else "",
            "siren": dossier.objet.siren or "",
            "departement": dossier.departement_id,
            "procedure": dossier.procedure.numero if dossier.procedure else "",
            "produit_le": fait.isoformat(timespec="seconds"),
        },
    )


@dataclass(frozen=True, slots=True)
class Fait:
    """One line of the timeline. `piece`: path of the file that proves it, in the archive."""

    le: datetime
    quoi: str
    detail: str = ""
    piece: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet of the workbook."""

    titre: str
    colonnes: tuple[str, ...]
    lignes: list[tuple[Any, ...]]


class _Matiere:
    """What is read, once; a fixed number of queries, plus one per bilan, convention or letter for its bytes."""

    def __init__(self, dossier: DossierControle) -> None:
        une = dossier.procedure_id
        self.cle = {"departement": dossier.departement_id}
        self.cle |= (
            {"bailleur": dossier.bailleur_id}
            if dossier.bailleur_id
            else {"reservataire": dossier.reservataire_id}
        )
        # Of a réservataire: its own versions and lines, of the year that its procedure judges; no bilan of anybody.
        self.annee = None if dossier.bailleur_id else {"annee": dossier.procedure.annee}
        self.procedures = list(
            Procedure.objects.filter(**({"pk": une} if une else self.cle)).order_by("ouverte_le", "pk")
        )
        dans = {"procedure__in": self.procedures}
        self.actes = list(
            EtapeProcedure.objects.filter(**dans)
            .select_related("procedure", "organisation")
            .order_by("le", "pk")
        )
        # Of a notice about the quarter; those that discharge a debt are in the ledger.
        self.du_prefet = list(
            AttributionDuPrefet.objects.filter(**dans)
            .select_related("procedure", "attribution__liberation")
            .order_by("jour", "pk")
        )
        self.paragraphes = list(
            ParagrapheProcedure.objects.filter(**dans, signature__isnull=False)
            .select_related("procedure", "organisation", "signature")
            .order_by("pk")
        )
        self.pieces = list(
            PieceProcedure.objects.filter(**dans, signature__isnull=False)
            .select_related("procedure", "organisation", "signature")
            .order_by("pk")
        )
        signees = Lettre.objects.filter(signee_le__isnull=False)
        self.lettres = list(
            (signees.filter(**dans) if une else signees.filter(**self.cle))
            .select_related("bailleur", "reservataire")
            .order_by("signee_le", "pk")
        )
        self.suites = list(
            EtapeLettre.objects.filter(lettre__in=self.lettres)
            .select_related("lettre")
            .order_by("lettre", "rang")
        )
        self.conventions = list(
            Convention.objects.filter(**self.cle)
            .exclude(etat=Convention.Etat.BROUILLON)
            .select_related("bailleur", "reservataire", "departement")
            .order_by("debut", "pk")
        )
        self.versions: dict[int, list[VersionConvention]] = {
            convention.pk: [] for convention in self.conventions
        }
        par_cle = {convention.pk: convention for convention in self.conventions}
        for version in (
            VersionConvention.objects.filter(convention__in=par_cle, signee_le__isnull=False)
            .select_related("bailleur", "reservataire", "departement")
            .prefetch_related("communes")
            .order_by("rang")
        ):
            version.convention = par_cle[version.convention_id]
            self.versions[version.convention_id].append(version)
        du_bailleur = {"bailleur": dossier.bailleur_id, "departement": dossier.departement_id}
        self.recus = (
            list(
                VersionReservataire.objects.filter(**self.cle, **self.annee, etape__isnull=False)
                .select_related("bailleur")
                .order_by("envoyee_le", "pk")
            )
            if self.annee
            else []
        )
        self.etapes_bilan = list(
            EtapeBilan.objects.filter(**du_bailleur)
            .select_related(
                "bilan", "organisation", "document__bilan", "document__bailleur", "document__departement"
            )
            .order_by("le", "pk")
        )
        self.accuses = list(
            AccuseBilan.objects.filter(**du_bailleur).select_related("etape", "bilan").order_by("pk")
        )
        self.tables = self._tables()

    # --- Files, byte for byte ---

    def fichiers(self) -> dict[str, bytes]:
        """Path → bytes."""
        fichiers = {_lettre(lettre): bytes(lettre.octets) for lettre in self.lettres}
        fichiers |= {_preuve(etape): bytes(etape.preuve) for etape in self.suites if etape.preuve is not None}
        fichiers |= {_accuse(accuse): bytes(accuse.octets) for accuse in self.accuses}
        fichiers |= {_piece(piece): bytes(piece.octets) for piece in self.pieces}
        fichiers |= {_recu(version): bytes(version.octets) for version in self.recus if version.octets}
        for document in self._documents():
            fichiers[f"bilans/{document.numero}.pdf"] = lire_pdf(document)
            fichiers[f"bilans/{document.numero}.xlsx"] = lire_classeur(document)
        for chemin, octets in self._actes_imprimes():
            fichiers[chemin] = octets
        return fichiers

    def _documents(self) -> Iterable[DocumentBilan]:
        return {e.document_id: e.document for e in self.etapes_bilan if e.document_id}.values()

    def _actes_imprimes(self) -> Iterable[tuple[str, bytes]]:
        for convention in self.conventions:
            siennes = self.versions[convention.pk]
            for version in siennes:
                yield (
                    _convention(convention, version.rang),
                    rendre_acte(composer_acte(siennes, version.rang, projet=False)).octets,
                )

    # --- Timeline ---

    @property
    def chronologie(self) -> list[Fait]:
        """Everything that happened, in order."""
        faits = [
            Fait(_debut(c.signee_le), f"Signature : {c.numero}", str(c.reservataire), _convention(c, 0))
            for c in self.conventions
        ]
        faits += [
            Fait(
                _debut(v.signee_le),
                f"Signature : avenant {v.rang} à {v.convention.numero}",
                f"En vigueur à partir du {date_fr(v.effet)}. {v.objet}".strip(),
                _convention(v.convention, v.rang),
            )
            for versions in self.versions.values()
            for v in versions
            if v.rang
        ]
        faits += [
            Fait(_debut(c.resiliee_le), f"Résiliation : {c.numero}", c.motif_resiliation)
            for c in self.conventions
            if c.resiliee_le
        ]
        faits += [
            Fait(
                e.le,
                f"Bilan {e.bilan.annee} : {e.get_acte_display()}",
                e.texte,
                f"bilans/{e.document.numero}.pdf" if e.document_id else "",
            )
            for e in self.etapes_bilan
        ]
        faits += [
            Fait(
                v.envoyee_le,
                f"Bilan {v.annee} de {v.bailleur.nom} : version reçue par le réservataire",
                v.empreinte_donnees,
                _recu(v) if v.octets else "",
            )
            for v in self.recus
        ]
        faits += [
            Fait(
                e.le,
                f"{e.procedure.numero} : {e.get_acte_display()}",
                e.texte or stade(EtatProcedure(e.vers)),
            )
            for e in self.actes
        ]
        # A day, among hours: what was decided on that day comes before it.
        decisions = {e.procedure_id: e.le for e in self.actes if e.acte == Acte.ATTRIBUER}
        faits += [
            Fait(
                max(_debut(x.jour), decisions[x.procedure_id]),
                f"{x.procedure.numero} : attribution du préfet imputée",
                x.attribution.liberation.reference,
            )
            for x in self.du_prefet
        ]
        faits += [
            Fait(p.signature.le, f"{p.procedure.numero} : écrit signé de {p.organisation.nom}", p.texte)
            for p in self.paragraphes
        ]
        faits += [Fait(x.signee_le, f"Lettre {x.numero} signée", x.objet, _lettre(x)) for x in self.lettres]
        # Its steps are days, its signature an hour: what follows the signature on its day does not come before it.
        faits += [
            Fait(
                max(_debut(e.jour), e.lettre.signee_le),
                f"Lettre {e.lettre.numero} : {e.get_suite_display()}",
                " ".join(filter(None, (e.numero, e.observation))),
                _preuve(e) if e.preuve is not None else "",
            )
            for e in self.suites
        ]
        return sorted(faits, key=lambda f: f.le)

    # --- Workbook ---

    def _tables(self) -> list[Table]:
        return [
            Table(
                "Chronologie",
                ("Date", "Ce qui s’est passé", "Détail", "Pièce"),
                [(f.le, f.quoi, f.detail, f.piece) for f in self.chronologie],
            ),
            Table(
                "Chiffres à chaque acte",
                ("Date", "Procédure", "Acte", "Chiffre", "Valeur"),
                [
                    (e.le, e.procedure.numero, e.get_acte_display(), nom, valeur)
                    for e in self.actes
                    for nom, valeur in _a_plat(e.chiffres)
                ],
            ),
            Table(
                "Bilans",
                ("Année", "Acte", "Le", "Version", "Empreinte des chiffres", "Empreinte du PDF"),
                [
                    (
                        e.bilan.annee,
                        e.get_acte_display(),
                        e.le,
                        e.document.version,
                        e.document.empreinte_donnees,
                        e.document.empreinte_pdf,
                    )
                    for e in self.etapes_bilan
                    if e.document_id
                ],
            ),
            Table(
                "Lettres",
                (
                    "Numéro",
                    "Lettre",
                    "Destinataire",
                    "Date",
                    "Signataire",
                    "Délégation",
                    "Suite",
                    "Date certaine",
                    "SHA-256",
                ),
                [
                    (
                        x.numero,
                        x.get_nature_display(),
                        x.destinataire.nom,
                        x.jour,
                        x.signataire_nom,
                        x.delegation,
                        x.stade,
                        x.date_certaine,
                        x.empreinte,
                    )
                    for x in self.lettres
                ],
            ),
            Table(
                "Conventions",
                ("Numéro", "Nature", "Bailleur", "Réservataire", "Début", "Fin", "Signée le", "Résiliée le"),
                [
                    (
                        c.numero,
                        c.get_nature_display(),
                        c.bailleur.nom,
                        c.reservataire.nom,
                        c.debut,
                        c.fin,
                        c.signee_le,
                        c.resiliee_le,
                    )
                    for c in self.conventions
                ],
            ),
            Table(
                "Registre des dettes",
                (
                    "Date",
                    "Bailleur",
                    "Réservataire",
                    "Écriture",
                    "Dette de",
                    "Objectif de",
                    "Logements",
                    "Fondement",
                ),
                [
                    (
                        e.jour,
                        e.bailleur.nom,
                        e.reservataire.nom,
                        e.get_nature_display(),
                        e.dette,
                        e.annee,
                        e.nombre,
                        e.fondement,
                    )
                    for e in EcritureRegistre.objects.filter(**self.cle)
                    .select_related("bailleur", "reservataire")
                    .order_by("pk")
                ],
            ),
            Table(
                "Attributions",
                (
                    "Exercice",
                    "Bailleur",
                    "Logement",
                    "CALEOL",
                    "Bail",
                    "Réservataire",
                    "Titre",
                    "Détail",
                    "En QPV",
                ),
                [
                    (
                        i.annee,
                        i.bailleur.nom,
                        i.liberation.reference,
                        i.date_caleol,
                        i.date_bail,
                        i.reservataire.nom if i.reservataire else "",
                        i.titre,
                        i.detail,
                        "oui" if i.qpv else "non",
                    )
                    for i in Imputation.objects.filter(**self.cle, **(self.annee or {}))
                    .select_related("liberation", "bailleur", "reservataire")
                    .order_by("annee", "date_caleol", "pk")
                    .iterator(chunk_size=2000)
                ],
            ),
        ]

    def classeur(self) -> bytes:
        """The sheets, as a workbook in which no text is a formula."""
        sortie = io.BytesIO()
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(sortie, options) as classeur:
            titre, jour = (
                classeur.add_format({"bold": True}),
                classeur.add_format({"num_format": "dd/mm/yyyy"}),
            )
            heure = classeur.add_format({"num_format": "dd/mm/yyyy hh:mm"})
            for table in self.tables:
                page = classeur.add_worksheet(table.titre)
                page.write_row(0, 0, table.colonnes, titre)
                page.freeze_panes(1, 0)
                page.set_column(0, len(table.colonnes) - 1, 24)
                for rang, ligne in enumerate(table.lignes, 1):
                    for colonne, valeur in enumerate(ligne):
                        if isinstance(valeur, datetime):
                            page.write_datetime(
                                rang, colonne, timezone.localtime(valeur).replace(tzinfo=None), heure
                            )
                        elif isinstance(valeur, date):
                            page.write_datetime(
                                rang, colonne, datetime(valeur.year, valeur.month, valeur.day), jour
                            )
                        elif isinstance(valeur, int | float):
                            page.write_number(rang, colonne, valeur)
                        elif valeur is not None:
                            page.write_string(rang, colonne, sans_formule(str(valeur))[:32_000])
        return sortie.getvalue()


def _debut(jour: date) -> datetime:
    """A day, among instants: its first one in Paris."""
    return timezone.make_aware(datetime(jour.year, jour.month, jour.day))


def _a_plat(chiffres: Any, nom: str = "") -> Iterable[tuple[str, Any]]:
    """A tree of figures as lines: "parts 1 manque" → 9."""
    if isinstance(chiffres, dict):
        for cle, valeur in chiffres.items():
            yield from _a_plat(valeur, f"{nom} {cle}".strip())
    elif isinstance(chiffres, list):
        for rang, valeur in enumerate(chiffres, 1):
            yield from _a_plat(valeur, f"{nom} {rang}".strip())
    elif chiffres is not None:
        yield nom, ("oui" if chiffres else "non") if isinstance(chiffres, bool) else chiffres


def _nom(texte: str) -> str:
    """A name of file: letters, digits, dots and hyphens only, so that no path leaves its folder."""
    return re.sub(r"[^\w.-]+", "-", texte).strip("-.")[:120] or "sans-nom"


def _lettre(lettre: Lettre) -> str:
    return f"lettres/{_nom(lettre.numero)}.pdf"


def _preuve(etape: EtapeLettre) -> str:
    extension = {"application/pdf": "pdf", "image/png": "png"}.get(etape.preuve_type, "jpg")
    return f"lettres/preuves/{_nom(etape.lettre.numero)}-{etape.rang}.{extension}"


def _accuse(accuse: AccuseBilan) -> str:
    return f"accuses/{_nom(accuse.numero)}.pdf"


def _recu(version: VersionReservataire) -> str:
    return f"bilans/{_nom(version.numero)}.pdf"


def _piece(piece: PieceProcedure) -> str:
    return f"procedures/{_nom(piece.procedure.numero)}/{piece.pk}-{_nom(piece.nom)}"


def _convention(convention: Convention, rang: int) -> str:
    return f"conventions/{convention.pk}-{_nom(convention.numero)}{f'-avenant-{rang}' if rang else ''}.pdf"
