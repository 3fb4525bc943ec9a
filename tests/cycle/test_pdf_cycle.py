"""The PDFs of the cycle, rendered: what a réservataire receives, the receipt, the atterrissage of a point d'étape."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pypdf
import pytest
from django.template.loader import render_to_string

from bilans.documents.composition import composer_bilan
from bilans.documents.cycle_extrait import composer_extrait
from bilans.documents.modele import Reference
from bilans.documents.pdf import rendre
from bilans.regles.cycle_extrait import empreinte_extrait, extraire
from bilans.regles.donnees import Atterrissage, depuis_json, empreinte, en_json
from reservation.documents.pdf import rendre_texte
from tests.bilans.exemple import exemple

ATTERRISSAGE = Atterrissage(
    jour=date(2025, 6, 30),
    observe=40,
    connu=42,
    central=61,
    bas=55,
    haut=70,
    erreur=Decimal("6.4"),
    annees=(2022, 2023, 2024),
    nombre=7,
    sur=19,
    hors_qpv=2,
    insuffisants=0,
    besoin="Il faut orienter 7 des 19 prochaines libérations vers l’État, dont 2 hors QPV.",
    projection="Au 30 juin 2025, 40 logements du flux sont libérés ; 61 sont attendus au 31 décembre (entre 55 et 70).",
    methode="Méthode : flux constaté ÷ part du flux annuel déjà libérée à la même date en 2022, 2023 et 2024.",
)


def lire(pdf) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf.octets)).pages
    return (
        " ".join(" ".join(page.extract_text() for page in pages).split())
        .replace("\u00a0", " ")
        .replace("\u202f", " ")
    )


@pytest.mark.parametrize("code", ["ALS", "84007"])
def test_what_a_reservataire_receives(code):
    donnees = exemple(flux=60)
    extrait = extraire(
        donnees, code, "BIL-2025-84-000000042-v1", "ab" * 32, date(2026, 2, 20), flux_entier=code == "ALS"
    )
    document = composer_extrait(extrait, "BIL-2025-84-000000042-v1-R7", empreinte_extrait(extrait))
    pdf = rendre(document)
    assert pdf == rendre(document)
    texte = lire(pdf)
    assert extrait.reservataire.nom in texte and "BIL-2025-84-000000042-v1-R7" in texte
    assert "soumis le 20 février 2026" in texte and "Soustractions de l’année, par catégorie" in texte
    for ligne in extrait.lignes:
        assert ligne.logement in texte
    assert ("flux annuel dans le département" in texte) == (code == "ALS")


def test_a_reservataire_without_attribution():
    extrait = extraire(
        replace(exemple(flux=0), attributions=()),
        "ALS",
        "BIL",
        "ab" * 32,
        date(2026, 2, 20),
        flux_entier=True,
    )
    texte = lire(rendre(composer_extrait(extrait, "BIL-R7", empreinte_extrait(extrait))))
    assert "Aucune attribution de l’année sur votre contingent" in texte


def test_the_receipt():
    bilan = SimpleNamespace(
        bailleur=SimpleNamespace(nom="Habitat Essai A", siren="000000017"),
        departement=SimpleNamespace(nom="Alpes-Maritimes"),
        departement_id="06",
        annee=2025,
    )
    document = SimpleNamespace(
        numero="BIL-2025-06-000000017-v1", pages=14, empreinte_pdf="ab" * 32, empreinte_donnees="cd" * 32
    )
    contenu = render_to_string(
        "pdf/cycle/accuse.html",
        {
            "bilan": bilan,
            "etape": SimpleNamespace(le=datetime(2026, 2, 20, 13, 5, tzinfo=UTC)),
            "document": document,
            "numero": "AR-2025-06-000000017-1",
            "rang": 1,
            "service": "DDETS des Alpes-Maritimes",
            "signataire": "Signataire A",
            "recu_le": "20 février 2026 à 14 h 05 (heure de Paris)",
            "destinataires": "DDETS des Alpes-Maritimes et Action Logement Services",
        },
    )
    texte = lire(rendre_texte(contenu))
    assert "ne vaut pas contrôle de conformité" in texte
    assert "20 février 2026 à 14 h 05 (heure de Paris)" in texte
    assert "ab" * 32 in texte.replace(" ", "") and "cd" * 32 in texte.replace(" ", "")


def test_the_atterrissage_is_in_the_document_of_a_point_d_etape():
    """Frozen with the figures; a tree without one is written, and hashed, as it always was."""
    definitif, provisoire = exemple(flux=24), exemple(flux=24, provisoire=True)
    assert "atterrissage" not in en_json(definitif)
    point = replace(provisoire, atterrissage=ATTERRISSAGE)
    assert depuis_json(en_json(point)) == point and empreinte(point) != empreinte(provisoire)
    assert depuis_json(en_json(provisoire)) == provisoire
    texte = lire(rendre(composer_bilan(point, Reference("BIL-1", 1, empreinte(point)))))
    assert texte.count("Il faut orienter 7 des 19 prochaines libérations vers l’État, dont 2 hors QPV.") == 2
    assert "6,4 %" in texte and "années comparées : 2022, 2023 et 2024" in texte
