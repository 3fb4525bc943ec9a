"""A year of which both bilans are validated, its regional files, and one version of the open data."""

from datetime import date

from django.utils import timezone

from bilans.models import Bilan, DocumentBilan, EtapeBilan
from bilans.services import donnees_ouvertes, regional
from bilans.services.consolidation import lire_en_systeme

ANNEE_VALIDEE = 2021
PUBLIE_LE = date(2022, 4, 1)


def valider_une_annee(par, lieu: dict, par_la_ddets, document: DocumentBilan) -> None:
    """Submitted then validated, with the figures of `document`."""
    bilan = Bilan.objects.create(**lieu, annee=ANNEE_VALIDEE)
    champs = ("donnees_au", "donnees", "empreinte_donnees", "empreinte_pdf", "pages")
    copie = DocumentBilan.objects.create(
        **lieu,
        bilan=bilan,
        version=1,
        fichier=document.fichier.name,
        **{champ: getattr(document, champ) for champ in champs},
    )
    actes = (("SOUMETTRE", "PREPARATION", "SOUMIS", par), ("VALIDER", "SOUMIS", "VALIDE", par_la_ddets))
    for rang, (acte, de, vers, qui) in enumerate(actes, 1):
        EtapeBilan.objects.create(
            **lieu,
            bilan=bilan,
            rang=rang,
            acte=acte,
            de=de,
            vers=vers,
            le=timezone.now(),
            par=qui,
            organisation=lieu["bailleur"],
            document=copie,
        )


def deposer_les_fichiers() -> None:
    """What the task would make for the COPIL and for the State, without its minutes; the open data as it is."""
    for departements, masque in ((None, True), (["06"], False)):
        lue = lire_en_systeme(ANNEE_VALIDEE, "93", departements, masque=masque)
        for extension, octets in (("pdf", b"%PDF-1.7 essai"), ("zip", b"essai")):
            regional.deposer(regional.chemin(lue, extension), octets)
    donnees_ouvertes.publier(PUBLIE_LE)
