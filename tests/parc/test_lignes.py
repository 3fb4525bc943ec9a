"""Physical lines: numbers that a text editor would show, quotes that follow the rules and quotes that do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservation.imports.rpls.lignes import decouper, lire_tranche
from reservation.imports.rpls.ouverture import ouvrir_fichier

from .fabrique import COLONNES_2018, CORSE, ecrire, logements, ouvert

TAILLES = [1 << 24, 4000, 700]


def propre(voie: str | None) -> str | None:
    """Spaces and line ends inside a value are told apart by nobody: the reading makes them one space, later or now."""
    return " ".join((voie or "").split()) or None


def lire(chemin, taille=1 << 24):
    """(lines, {line: address}, ignored lines by cause, lines of another width)."""
    fichier = ouvrir_fichier(chemin)
    blocs = [lire_tranche(fichier, tranche) for tranche in decouper(fichier, taille)]
    voies = {}
    for bloc in blocs:
        voies |= {n: propre(voie) for n, voie in zip(bloc.cadre["ligne"], bloc.cadre["NOMVOIE"], strict=True)}
    ignorees = sorted(i for bloc in blocs for i in bloc.ignorees)
    anormales = sorted(i for bloc in blocs for i in bloc.anormales)
    return sum(bloc.lignes for bloc in blocs), voies, ignorees, anormales


def avec_voies(*voies: str) -> str:
    """An open file of 2018 whose streets are written as given, quotes included."""
    rang = COLONNES_2018.index("NOMVOIE")
    entete, *lignes = ouvert(logements(len(voies))).strip().split("\n")
    for n, voie in enumerate(voies):
        cellules = lignes[n].split(";")
        cellules[rang] = voie
        lignes[n] = ";".join(cellules)
    return "\n".join([entete, *lignes]) + "\n"


@pytest.mark.parametrize("taille", TAILLES)
def test_lignes_reelles_avec_guillemets_egares(taille):
    """`LIEU-DIT ""CAMPICCIOLI`: ten real lines that the CSV standard does not know how to read."""
    lues, voies, ignorees, anormales = lire(CORSE, taille)
    brutes = CORSE.read_text(encoding="latin-1").split("\n")[1:-1]
    assert lues == len(brutes) + 1
    assert ignorees == [(1, "EN_TETE")] and anormales == []
    rang = COLONNES_2018.index("NOMVOIE")
    assert voies == {
        n: propre(ligne.split(";")[rang].replace('""', '"')) for n, ligne in enumerate(brutes, start=2)
    }
    assert sum(v == 'LIEU-DIT "CAMPICCIOLI' for v in voies.values()) == 10


@pytest.mark.parametrize("taille", TAILLES)
def test_guillemets_reguliers(tmp_path, taille):
    texte = avec_voies("A", '"B; C"', '"D ""E"" F"', '""', '"G\nH;I\nJ"', "K")
    lues, voies, ignorees, anormales = lire(ecrire(tmp_path, texte), taille)
    assert lues == 9
    assert voies == {2: "A", 3: "B; C", 4: 'D "E" F', 5: None, 6: "G H;I J", 9: "K"}
    assert ignorees == [(1, "EN_TETE"), (7, "SUITE"), (8, "SUITE")]
    assert anormales == []


@pytest.mark.parametrize("taille", TAILLES)
def test_guillemets_egares_et_reguliers_meles(tmp_path, taille):
    texte = avec_voies('12" RUE', '"B; C"', 'L""X', '"jamais fermé', "E", '"F\nG"', 'H "I" J', '"K"L')
    lues, voies, ignorees, anormales = lire(ecrire(tmp_path, texte), taille)
    assert lues == 10
    assert voies == {
        2: '12" RUE',
        3: "B; C",
        4: 'L"X',
        5: '"jamais fermé',
        6: "E",
        7: "F G",
        9: 'H "I" J',
        10: '"K"L',
    }
    assert ignorees == [(1, "EN_TETE"), (8, "SUITE")]
    assert anormales == []


@pytest.mark.parametrize("taille", TAILLES)
@pytest.mark.parametrize("guillemets", [False, True])
def test_lignes_vides_de_separateurs_et_de_mauvaise_largeur(tmp_path, taille, guillemets):
    lignes = ouvert(logements(6), guillemets=guillemets).strip().split("\n")
    lignes[2] = lignes[2] + ';""' if guillemets else lignes[2] + ";"  # one more separator, nothing after it
    lignes[3] = lignes[3] + ";trop"
    lignes[4] = lignes[4].rsplit(";", 1)[0]
    lignes.insert(5, "")
    lignes.insert(6, ";" * 10)
    lignes.insert(7, "   ")
    lues, voies, ignorees, anormales = lire(ecrire(tmp_path, "\n".join(lignes)), taille)
    assert lues == 10
    assert sorted(voies) == [2, 3, 9, 10]
    assert ignorees == [(1, "EN_TETE"), (6, "VIDE"), (7, "SANS_VALEUR"), (8, "VIDE")]
    assert anormales == [(4, "48 au lieu de 47"), (5, "46 au lieu de 47")]


@pytest.mark.parametrize("fin", ["\n", "\r\n", "\r"])
def test_fins_de_ligne(tmp_path, fin):
    lues, voies, _, anormales = lire(ecrire(tmp_path, ouvert(logements(4), fin=fin)))
    assert (lues, len(voies), anormales) == (5, 4, [])


def test_derniere_ligne_sans_fin(tmp_path):
    lues, voies, _, _ = lire(ecrire(tmp_path, ouvert(logements(3)).rstrip("\n")))
    assert (lues, len(voies)) == (4, 3)


CELLULES = st.lists(
    st.text("AB\"; \n'", max_size=8).filter(lambda t: t == t.strip() and "\n\n" not in t),
    min_size=1,
    max_size=8,
)


@given(voies=CELLULES, taille=st.integers(300, 3000), tout=st.booleans())
def test_ce_qu_ecrit_un_tableur_se_relit(tmp_path_factory, voies, taille, tout):
    """Any text, written by a CSV writer, read back in blocks of any size: same cells, same line numbers."""
    lignes = [ligne | {"NOMVOIE": voie} for ligne, voie in zip(logements(len(voies)), voies, strict=True)]
    chemin = ecrire(tmp_path_factory.mktemp("csv"), ouvert(lignes, guillemets=tout))
    lues, relues, ignorees, anormales = lire(chemin, taille)
    assert anormales == []
    assert lues == len(relues) + len(ignorees)
    numero, attendues = 2, {}
    for voie in voies:
        attendues[numero] = propre(voie)
        numero += 1 + voie.count("\n")
    assert relues == attendues
