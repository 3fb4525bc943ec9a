"""Makes the documents of a bilan: numbered, hashed, kept. Same figures, same document; other figures, a new version."""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction

from bilans.documents.composition import composer_bilan
from bilans.documents.modele import Document, Reference
from bilans.documents.pdf import Pdf, rendre
from bilans.models import Bilan, DocumentBilan
from bilans.regles.donnees import DonneesBilan, depuis_json, empreinte, en_json
from reservation.acteur import Acteur

from .donnees_bilan import lire_donnees

PROJET = "projet, document non produit"


@dataclass(frozen=True, slots=True)
class Production:
    """`nouveau`: a version was made; otherwise the figures are those of `document` and nothing was written."""

    document: DocumentBilan
    nouveau: bool


def produire_document(acteur: Acteur, bilan: Bilan, jour: date | None = None) -> Production:
    """The document of the figures as known on `jour` (today by default).

    Takes seconds: call it from a task or a command. No lock is held while the PDF is made; two at once make one
    version. Raises `PermissionDenied`, `CalculAbsent`, `CalculPerime` or `ChiffresIncoherents`.
    """
    if not Bilan.objects.modifiables_par(acteur).filter(pk=bilan.pk).exists():
        raise PermissionDenied("Votre rôle ne permet pas de produire ce bilan.")
    donnees = lire_donnees(bilan, jour)
    marque = empreinte(donnees)
    while True:
        dernier = dernier_document(bilan)
        if dernier is not None and dernier.empreinte_donnees == marque:
            return Production(dernier, nouveau=False)
        version = dernier.version + 1 if dernier else 1
        pdf = rendre(composer_bilan(donnees, reference_de(bilan, version, marque)))
        document = _enregistrer(bilan, version, donnees, marque, pdf)
        if document is not None:
            return Production(document, nouveau=True)


def dernier_document(bilan: Bilan) -> DocumentBilan | None:
    """The version in force, figures and bytes left out of the reading."""
    return bilan.documents.defer("donnees").order_by("-version").first()


def reference_de(bilan: Bilan, version: int, marque: str) -> Reference:
    """What the document of these figures is called in its `version`."""
    numero = DocumentBilan(
        bilan=bilan, bailleur=bilan.bailleur, departement=bilan.departement, version=version
    ).numero
    return Reference(numero, version, marque)


def _enregistrer(
    bilan: Bilan, version: int, donnees: DonneesBilan, marque: str, pdf: Pdf
) -> DocumentBilan | None:
    """Keep the document, unless another version was kept meanwhile: its number is printed in the bytes."""
    with transaction.atomic():
        Bilan.objects.select_for_update().get(pk=bilan.pk)
        if bilan.documents.filter(version__gte=version).exists():
            return None
        document = DocumentBilan(
            bilan=bilan,
            bailleur=bilan.bailleur,
            departement=bilan.departement,
            version=version,
            donnees_au=donnees.situation.donnees_au,
            donnees=en_json(donnees),
            empreinte_donnees=marque,
            empreinte_pdf=pdf.empreinte,
            pages=pdf.pages,
        )
        document.fichier.save(f"{document.numero}.pdf", ContentFile(pdf.octets), save=False)
        document.save(force_insert=True)
        return document


def recomposer(document: DocumentBilan) -> Document:
    """The composed document, from its frozen figures and never from live data."""
    return composer_bilan(
        depuis_json(document.donnees),
        Reference(document.numero, document.version, document.empreinte_donnees),
    )


def composer_page(donnees: DonneesBilan, marque: str, dernier: DocumentBilan | None) -> Document:
    """What the page shows: the live figures, under the number of the document that prints them if there is one."""
    if dernier is not None and dernier.empreinte_donnees == marque:
        return composer_bilan(donnees, Reference(dernier.numero, dernier.version, marque))
    return composer_bilan(donnees, Reference(PROJET, 0, marque))
