"""The composed document: tables that add up, columns that fit, what is said when there is nothing to say."""

from collections import Counter
from dataclasses import replace

import pytest

from bilans.documents.chapitres.annexe import LIGNES_ANNEXE
from bilans.documents.chapitres.appreciation import lire_appreciation
from bilans.documents.chapitres.commun import COLONNES_RESERVATAIRES, contingents
from bilans.documents.composition import composer_bilan
from bilans.documents.modele import Format, Intertitre, Puces, Reference, Tableau, Texte
from bilans.regles.donnees import empreinte
from reservation.documents.typographie import composer
from tests.bilans.exemple import exemple


def document(**options):
    donnees = exemple(**options)
    return composer_bilan(donnees, Reference("BIL-2025-84-000000042-v1", 1, empreinte(donnees)))


def textes(doc) -> str:
    """Every word of the tables and texts."""
    morceaux = []
    for section in doc.sections:
        for bloc in section.blocs:
            for champ in ("texte", "titre", "note"):
                morceaux.append(getattr(bloc, champ, ""))
            morceaux += getattr(bloc, "elements", ())
    return "\n".join(morceaux)


def croises(doc) -> list[Tableau]:
    return [t for t in doc.tableaux if t.genre.startswith("croise")]


@pytest.mark.parametrize("options", [{}, {"collectivites": 11}, {"flux": 900}], ids=str)
def test_every_cross_table_ends_with_the_same_totals(options):
    doc = document(**options)
    attributions = exemple(**options).pont.attributions
    principaux = [t for t in croises(doc) if "collectivités et autres" not in t.titre]
    assert len(principaux) == 5
    fins = {tuple(c.valeur for c in t.lignes[-1].cellules[-2:]) for t in principaux}
    assert len(fins) == 1
    assert fins.pop()[1] == attributions


@pytest.mark.parametrize("options", [{}, {"collectivites": 11}], ids=str)
def test_rows_of_cross_tables_add_up_to_their_last_line(options):
    for tableau in croises(document(**options)):
        *lignes, total = tableau.lignes
        for rang in range(len(total.cellules)):
            assert sum(ligne.cellules[rang].valeur for ligne in lignes) == total.cellules[rang].valeur


def test_six_reservataires_have_a_column_each():
    donnees = exemple(collectivites=3)
    assert len(donnees.reservataires) == COLONNES_RESERVATAIRES
    assert [c.titre for c in contingents(donnees)] == [f.sigle for f in donnees.reservataires]
    assert not [t for t in croises(document()) if "collectivités et autres" in t.titre]


def test_more_are_grouped_then_detailed():
    donnees = exemple(collectivites=6)
    assert [c.titre for c in contingents(donnees)] == ["État", "ALS", "Collectivités", "Autres", "Bailleur"]
    couverts = Counter(code for c in contingents(donnees) for code in c.codes)
    assert couverts == Counter(f.code for f in donnees.reservataires)
    doc = document(collectivites=6)
    details = [t for t in doc.tableaux if "collectivités et autres" in t.titre]
    assert len(details) == 5
    groupes = {f.sigle for f in donnees.reservataires if f.nature in ("COLLECTIVITE", "AUTRE")}
    assert {ligne.titre for ligne in details[0].lignes} == groupes | {"Total"}


def test_one_alone_of_its_kind_keeps_its_name():
    donnees = exemple(collectivites=4)
    assert [c.titre for c in contingents(donnees)] == ["État", "ALS", "Collectivités", "CAF2", "Bailleur"]
    details = [t for t in document(collectivites=4).tableaux if "collectivités et autres" in t.titre]
    assert "CAF2" not in {ligne.titre for ligne in details[0].lignes}


def test_tables_are_numbered_without_a_gap():
    numeros = [t.numero for t in document(collectivites=9).tableaux if t.numero]
    assert numeros == list(range(1, len(numeros) + 1))


def test_every_heading_covers_its_columns():
    with pytest.raises(ValueError, match="cellules pour"):
        composer_faux = document().tableaux[0]
        replace(composer_faux, lignes=(replace(composer_faux.lignes[0], cellules=()),))


def test_zero_to_divide_by_prints_a_dash():
    doc = document(flux=0)
    parts = [
        c for t in doc.tableaux for ligne in t.lignes for c in ligne.cellules if c.format == Format.POURCENT
    ]
    assert parts
    assert {c.texte for c in parts if c.valeur is None} == {"–"}


# --- Annex --------------------------------------------------------------------------------------------------


def test_the_annex_lists_the_contingent_of_the_state():
    donnees, doc = exemple(), document()
    annexe = doc.sections[-1]
    etat = [ligne for ligne in donnees.attributions if ligne.contingent == "ETAT"]
    assert annexe.paysage
    assert sum(len(t.lignes) for t in annexe.tableaux) == len(etat)
    assert f"{len(etat)} attributions" in annexe.tableaux[-1].note


def test_long_annexes_are_cut_in_bounded_tables():
    doc = document(flux=1100)
    tableaux = doc.sections[-1].tableaux
    assert len(tableaux) > 1
    assert max(len(t.lignes) for t in tableaux) == 100
    rangs = [ligne.titre for t in tableaux for ligne in t.lignes]
    assert rangs == [str(n) for n in range(1, len(rangs) + 1)]
    assert [bool(t.note) for t in tableaux] == [False] * (len(tableaux) - 1) + [True]


def test_beyond_the_limit_the_annex_is_a_workbook():
    donnees = exemple(flux=1600)
    assert sum(ligne.contingent == "ETAT" for ligne in donnees.attributions) > LIGNES_ANNEXE
    annexe = document(flux=1600).sections[-1]
    assert not annexe.tableaux
    assert not annexe.paysage
    assert "classeur XLSX" in annexe.blocs[0].texte
    assert "prioritaires" in annexe.blocs[1].texte


def test_no_attribution_no_annex():
    annexe = document(flux=0).sections[-1]
    assert annexe.blocs == (Texte("Aucune attribution de 2025 sur le contingent de l’État."),)


# --- Words --------------------------------------------------------------------------------------------------


def test_the_appreciation_is_the_bailleurs_or_an_explicit_blank():
    assert "Recueillir le quartier" in textes(document())
    vide = textes(document(appreciation=""))
    assert vide.count("Non renseigné par le bailleur") == 3
    assert "Non renseigné" not in textes(document())


def test_reading_the_appreciation():
    blocs = lire_appreciation("# Écarts\r\nUn.\r\nSuite.\r\n\r\n- a\r\n- b\r\n\r\nFin ?\n")
    assert blocs == (Intertitre("Écarts"), Texte("Un. Suite."), Puces(("a", "b")), Texte("Fin ?"))
    assert lire_appreciation(" \n\n ") == ()


def test_demonstration_is_said_and_only_then():
    assert document().reference.endswith("Données de démonstration : bailleur fictif")
    reel = document(fictif=False)
    assert "démonstration" not in reel.reference
    assert "fictif" not in str(reel.une.fiches)


def test_header_has_the_parties_and_the_convention():
    assert document().courant == (
        "Bilan annuel 2025 · Exemple Ventoux Habitat · Vaucluse (84)",
        "État, convention n° 84-2025-07 du 8\u00a0décembre\u00a02024",
    )


def test_an_unfinished_year_says_so_everywhere():
    doc = document(provisoire=True)
    assert doc.titre.startswith("Bilan provisoire 2025")
    assert doc.courant[0].startswith("Bilan provisoire")
    assert "données au 20/11/2025" in doc.reference


@pytest.mark.parametrize(
    ("saisi", "compose"),
    [
        ("art. R. 441-5-2", "art.\u00a0R.\u00a0441-5-2"),
        ("Total : 12 ; fin", "Total\u00a0: 12\u202f; fin"),
        ("le 1er mars 2025", "le 1er\u00a0mars\u00a02025"),
        ("l'État", "l’État"),
        ("un 🙂 sourire", "un □ sourire"),
        ("n° 7", "n°\u00a07"),
    ],
)
def test_typography(saisi, compose):
    assert composer(saisi) == compose


def test_french_figures():
    cellules = [c.texte for t in document(flux=1500).tableaux for ligne in t.lignes for c in ligne.cellules]
    assert any("\u202f" in texte for texte in cellules)
    assert any(texte.startswith("−") for texte in cellules)
    assert not [texte for texte in cellules if texte.startswith("-")]
    assert not [t for t in cellules if " %" in t or " ;" in t or " :" in t]
