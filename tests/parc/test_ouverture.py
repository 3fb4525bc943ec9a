"""What the file is, by its content; what it is not, in one sentence."""

import gzip
import io
import zipfile
from unittest import mock

import pytest

from reservation.imports.rpls import ouverture
from reservation.imports.rpls.causes import FichierRefuse
from reservation.imports.rpls.ouverture import Famille, Fichier, ouvrir_fichier

from .fabrique import (
    CANNES,
    COLONNES_2018,
    COLONNES_2025,
    COLONNES_DIDO,
    CORSE,
    SIRET_A,
    depot,
    ecrire,
    logements,
    loi,
    ouvert,
)


def zipper(**membres: str | bytes) -> bytes:
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as archive:
        for nom, contenu in membres.items():
            archive.writestr(nom, contenu)
    return tampon.getvalue()


def refus(dossier, contenu: str | bytes, nom: str = "RPLS.csv") -> FichierRefuse:
    with pytest.raises(FichierRefuse) as erreur:
        ouvrir_fichier(ecrire(dossier, contenu, nom))
    return erreur.value


@pytest.mark.parametrize("chemin", [CORSE, CANNES])
def test_reel_2018(chemin):
    fichier = ouvrir_fichier(chemin)
    assert (fichier.famille, fichier.separateur, fichier.largeur) == (Famille.OUVERT, ";", 47)
    assert fichier.colonnes_ignorees == []


@pytest.mark.parametrize(
    ("texte", "famille"),
    [
        (ouvert(logements(3)), Famille.OUVERT),
        (ouvert(logements(3), COLONNES_DIDO, guillemets=True), Famille.OUVERT),
        (ouvert(logements(3), COLONNES_2025, guillemets=True), Famille.OUVERT),
        (loi(logements(3)), Famille.LOI),
        (loi(logements(3), sep=","), Famille.LOI),
        (loi(logements(3), sep="\t"), Famille.LOI),
        (loi(logements(3)).lower().replace("bail;", "Bail;", 1), Famille.LOI),
        (depot(logements(3)), Famille.DEPOT),
    ],
)
def test_famille_par_le_contenu(tmp_path, texte, famille):
    fichier = ouvrir_fichier(ecrire(tmp_path, texte, "n_importe_quoi.bin"))
    assert fichier.famille == famille
    assert {"DEPCOM", "QPV", "TYPECONST", "FINAN", "CONV"} <= set(fichier.colonnes)


@pytest.mark.parametrize("suffixe", ["_red", "_dep", "dep"])
def test_suffixes_de_2016_et_2017(tmp_path, suffixe):
    colonnes = [c if c in ("DEP", "REG") else c + suffixe for c in COLONNES_2018]
    texte = ";".join(colonnes) + "\n" + ouvert(logements(2)).split("\n", 1)[1]
    fichier = ouvrir_fichier(ecrire(tmp_path, texte))
    assert fichier.colonnes["FINAN"] == COLONNES_2018.index("FINAN")
    assert fichier.colonnes["DEP"] == COLONNES_2018.index("DEP")
    assert fichier.colonnes_ignorees == []


def test_colonnes_inconnues_dites_mais_admises(tmp_path):
    texte = "\n".join(f"{ligne};x" for ligne in ouvert(logements(2)).strip().split("\n"))
    fichier = ouvrir_fichier(ecrire(tmp_path, texte.replace(";x", ";Couleur", 1)))
    assert fichier.colonnes_ignorees == ["Couleur"]


def test_lignes_de_description_et_d_unite(tmp_path):
    entete, *lignes = ouvert(logements(3), COLONNES_DIDO, guillemets=True).split("\n")
    description = ";".join('"Libellé de la colonne"' for _ in COLONNES_DIDO)
    unite = ";".join('"n/a"' for _ in COLONNES_DIDO)
    fichier = ouvrir_fichier(
        ecrire(tmp_path, "\n".join(["Source : SDES", entete, description, unite, *lignes]))
    )
    assert fichier.premiere_ligne == 5
    assert fichier.ignorees == ((1, "AVANT_EN_TETE"), (2, "EN_TETE"), (3, "DESCRIPTION"), (4, "DESCRIPTION"))


def test_depot_lit_son_en_tete(tmp_path):
    fichier = ouvrir_fichier(ecrire(tmp_path, depot(logements(3), annee=2024)))
    assert (fichier.depot["annee"], fichier.depot["siret"], fichier.depot["enregistrements"]) == (
        "2024",
        SIRET_A,
        "3",
    )
    assert (fichier.premiere_ligne, fichier.largeur, fichier.colonnes["MODE"]) == (2, 64, 39)


def test_depot_siret_sans_zero_de_tete(tmp_path):
    fichier = ouvrir_fichier(ecrire(tmp_path, depot(logements(2), siret="6200001700018")))
    assert fichier.depot["siret"] == "06200001700018"


@pytest.mark.parametrize("conteneur", ["gz", "zip"])
def test_conteneurs(tmp_path, conteneur):
    texte = loi(logements(3)).encode()
    contenu = (
        gzip.compress(texte, mtime=0)
        if conteneur == "gz"
        else zipper(**{"donnees/rpls.csv": texte, "lisez-moi.txt": "note"})
    )
    fichier = ouvrir_fichier(ecrire(tmp_path, contenu, "x.csv"))
    assert (fichier.conteneur, fichier.famille) == (conteneur, Famille.LOI)
    assert b"".join(fichier.blocs()) == texte
    assert fichier.taille() == len(texte)


def test_zip_de_plusieurs_fichiers_refuse_en_les_nommant(tmp_path):
    erreur = refus(tmp_path, zipper(**{"a.csv": loi(logements(2)), "b.csv": loi(logements(2))}))
    assert erreur.code == "PLUSIEURS_FICHIERS"
    assert "a.csv et b.csv" in erreur.message


@pytest.mark.parametrize(
    ("contenu", "code"),
    [
        (b"", "VIDE"),
        ("\n\n  \n", "VIDE"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "AUTRE_NATURE"),
        (b"\xff\xd8\xff\xe0" + bytes(200), "AUTRE_NATURE"),
        (b"%PDF-1.7 ...", "AUTRE_NATURE"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "AUTRE_NATURE"),
        ("<!DOCTYPE html><html><body>Erreur 404</body></html>", "PAGE_WEB"),
        ("  <HTML><body>503</body></html>", "PAGE_WEB"),
        ("<?xml version='1.0'?><a/>", "AUTRE_NATURE"),
        ('{"DEPCOM": "06029"}', "AUTRE_NATURE"),
        (bytes(range(256)) * 40, "BINAIRE"),
        (zipper(**{"[Content_Types].xml": "x", "xl/workbook.xml": "x"}), "CLASSEUR"),
        (zipper(**{"[Content_Types].xml": "x", "word/document.xml": "x"}), "CLASSEUR"),
        (
            zipper(**{"content.xml": "x", "mimetype": "application/vnd.oasis.opendocument.spreadsheet"}),
            "CLASSEUR",
        ),
        (zipper(**{"a.txt": "bonjour", "b.txt": "au revoir"}), "PAS_RPLS"),
        (zipper(**{"photo.png": b"\x89PNG" + bytes(50)}), "AUTRE_NATURE"),
        (zipper(**{"dedans.zip": zipper(**{"a.csv": "x"})}), "AUTRE_NATURE"),
        (zipper(), "VIDE"),
        (b"PK\x03\x04" + bytes(100), "ARCHIVE_ABIMEE"),
        (gzip.compress(loi(logements(500)).encode())[:500], "ARCHIVE_ABIMEE"),
        (gzip.compress(b"\x89PNG" + bytes(50), mtime=0), "AUTRE_NATURE"),
        ("nom;prenom;ville\na;b;c\n", "PAS_RPLS"),
        ("DEPCOM_ARM;densite;nb_ls;nb_loues\n06029;1;100;95\n", "AGREGAT"),
        ("DEPCOM;LIBCOM;NBPIECE;SURFHAB;CONSTRUCT;LOCAT\n06029;CANNES;3;65;1985;1986\n", "COLONNES_ABSENTES"),
        (depot(logements(3)).split("\n", 1)[1], "DEPOT_SANS_EN_TETE"),
        (depot([]) + ";".join("x" * 20) + "\n", "DEPOT_LARGEUR"),
    ],
)
def test_mauvais_fichiers(tmp_path, contenu, code):
    erreur = refus(tmp_path, contenu)
    assert erreur.code == code
    assert erreur.message.endswith(".") and erreur.message[0].isupper() and "\n" not in erreur.message


def test_colonnes_absentes_nommees(tmp_path):
    erreur = refus(tmp_path, "DEPCOM;LIBCOM;NBPIECE;SURFHAB;QPV;TYPECONST\n06029;CANNES;3;65;1;C\n")
    assert "FINAN et CONV" in erreur.message


def test_ancien_zus_n_est_pas_un_qpv(tmp_path):
    """The perimeters of before 2015 are others: a file without QPV is not read as if it had one."""
    texte = ouvert(logements(2)).replace("QPV", "ZUS", 1)
    assert "QPV" in refus(tmp_path, texte).message


def test_archive_protegee(tmp_path):
    """A member said encrypted by its header (the bit is enough: nothing is decrypted)."""
    contenu = bytearray(zipper(**{"a.csv": loi(logements(1))}))
    for signature, decalage in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        contenu[contenu.index(signature) + decalage] |= 1
    assert refus(tmp_path, bytes(contenu)).code == "ARCHIVE_CHIFFREE"


# --- What an archive may hold ---------------------------------------------------------------------------------------


def bombe(conteneur: str, octets: int = 4 << 20) -> bytes:
    """A right beginning, then the same line for ever: some thousand times smaller once compressed."""
    texte = loi(logements(1)).encode()
    texte += b";" * 40 + b"\n" * octets
    return gzip.compress(texte, mtime=0) if conteneur == "gz" else zipper(**{"RPLS.csv": texte})


def lire_tout(fichier: Fichier) -> int:
    return sum(len(bloc) for bloc in fichier.blocs(1 << 16))


@pytest.mark.parametrize("conteneur", ["gz", "zip"])
def test_archive_is_refused_beyond_its_ratio(tmp_path, monkeypatch, conteneur):
    monkeypatch.setattr(ouverture, "TAILLE_LIBRE", 1 << 16)
    chemin = ecrire(tmp_path, bombe(conteneur), "RPLS.csv")
    assert chemin.stat().st_size * ouverture.RATIO_MAX < 4 << 20
    with pytest.raises(FichierRefuse) as erreur:
        lire_tout(ouvrir_fichier(chemin))
    assert erreur.value.code == "TROP_GROS"


def test_zip_that_says_its_own_excess_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(ouverture, "TAILLE_LIBRE", 1 << 16)
    with mock.patch.object(Fichier, "blocs", side_effect=AssertionError):
        assert refus(tmp_path, bombe("zip")).code == "TROP_GROS"


@pytest.mark.parametrize("conteneur", ["", "gz", "zip"])
def test_nothing_is_read_beyond_the_cap(tmp_path, monkeypatch, conteneur):
    monkeypatch.setattr(ouverture, "TAILLE_MAX", 1 << 16)
    texte = loi(logements(2_000)).encode()
    contenu = {"": texte, "gz": gzip.compress(texte), "zip": zipper(**{"RPLS.csv": texte})}[conteneur]
    with pytest.raises(FichierRefuse) as erreur:
        lire_tout(ouvrir_fichier(ecrire(tmp_path, contenu)))
    assert erreur.value.code == "TROP_GROS"


@pytest.mark.parametrize("conteneur", ["gz", "zip"])
def test_small_and_repetitive_is_no_bomb(tmp_path, conteneur):
    fichier = ouvrir_fichier(ecrire(tmp_path, bombe(conteneur), "RPLS.csv"))
    assert lire_tout(fichier) > 4 << 20


@pytest.mark.parametrize("nom", ["RPLS.csv", "RPLS.zip", "RPLS.gz", "RPLS.pdf", "RPLS"])
@pytest.mark.parametrize("conteneur", ["", "gz", "zip"])
def test_the_name_decides_nothing(tmp_path, nom, conteneur):
    texte = loi(logements(3)).encode()
    contenu = {"": texte, "gz": gzip.compress(texte), "zip": zipper(**{"a.csv": texte})}[conteneur]
    assert ouvrir_fichier(ecrire(tmp_path, contenu, nom)).conteneur == conteneur
    assert refus(tmp_path, b"\x89PNG\r\n\x1a\n" + bytes(200), nom).code == "AUTRE_NATURE"
