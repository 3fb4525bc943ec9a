"""Figures of a bailleur-year, written as a calculation leaves them; what the procedures read of a year, and nothing else."""

from datetime import date

from django.utils import timezone

from bilans.models import Bilan, DocumentBilan, EtapeBilan
from flux.models import CalculFlux
from reservation.acteur import Acteur
from reservation.models import Organisation, Presence, Utilisateur
from reservation.perimetre import agir
from tests.flux.fabriques import convention, convention_etat

SYSTEME = Acteur.du_systeme("essai")
CLAUSE = "article 8.2"


def actes(cast, bailleur: Organisation, debut: date, fin: date) -> None:
    """The acts of the État and of ALS, with the clause on objectives."""
    Presence.objects.get_or_create(bailleur=bailleur, departement_id="06")
    commun = {"debut": debut, "fin": fin, "clause_objectifs": CLAUSE}
    convention_etat(bailleur, cast.ddets_06, numero=f"E-{bailleur.pk}", **commun)
    convention(bailleur, cast.als, taux="20", numero=f"A-{bailleur.pk}", **commun)


def chiffres(bailleur: Organisation, annee: int, parts: dict, quarts: dict | None = None) -> CalculFlux:
    """`parts`: code → (own objective, report, realised); `quarts`: code → (priority, attributions)."""
    lieu = {"bailleur": bailleur, "departement_id": "06", "annee": annee, "nature": "DEFINITIF"}
    CalculFlux.objects.filter(**lieu, en_vigueur=True).update(en_vigueur=False)
    return CalculFlux.objects.create(
        **lieu,
        version=CalculFlux.objects.filter(**lieu).count() + 1,
        calcule_le=timezone.now(),
        empreinte="0" * 64,
        parc=1000,
        soumis=1000,
        liberations=100,
        soustractions=0,
        flux=100,
        entrees={},
        etapes=[],
        resultat={
            "repartition": [
                {
                    "reservataire": code,
                    "objectif": objectif,
                    "report": report,
                    "objectif_total": objectif + report,
                }
                for code, (objectif, report, _) in parts.items()
            ],
            "realise": [
                {"reservataire": code, "realise": realise} for code, (_, _, realise) in parts.items()
            ],
            "quarts": [
                {"reservataire": code, "prioritaires": prioritaires, "attributions": attributions}
                for code, (prioritaires, attributions) in (quarts or {}).items()
            ],
        },
    )


@agir(SYSTEME)
def remettre(bailleur: Organisation, annee: int, par: Utilisateur, *, valider: bool = False) -> Bilan:
    """Its bilan, submitted today; validated today too when asked."""
    lieu = {"bailleur": bailleur, "departement_id": "06"}
    bilan, _ = Bilan.objects.get_or_create(**lieu, annee=annee)
    document = DocumentBilan.objects.create(
        **lieu,
        bilan=bilan,
        version=1,
        donnees_au=date(annee, 12, 31),
        donnees={},
        empreinte_donnees="0" * 64,
        fichier="bilans/essai.pdf",
        empreinte_pdf="0" * 64,
        pages=1,
    )
    suites = [("SOUMETTRE", "PREPARATION", "SOUMIS"), ("VALIDER", "SOUMIS", "VALIDE")]
    for rang, (acte, de, vers) in enumerate(suites[: 2 if valider else 1], 1):
        EtapeBilan.objects.create(
            **lieu,
            bilan=bilan,
            rang=rang,
            acte=acte,
            de=de,
            vers=vers,
            le=timezone.now(),
            par=par,
            organisation=bailleur,
            document=document,
        )
    return bilan
