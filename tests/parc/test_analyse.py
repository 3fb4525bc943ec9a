"""The whole file, without the database: accounting, every trap of the formats, duplicates, rejected lines."""

import csv
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reservation.imports.rpls.causes import CAUSES, FichierRefuse, Gravite
from reservation.imports.rpls.normalisation import FAITS

from .fabrique import (
    CANNES,
    COLONNES_2018,
    COLONNES_2025,
    COLONNES_DIDO,
    CORSE,
    SIREN_A,
    SIREN_B,
    SIREN_INCONNU,
    SIRET_A,
    SIRET_B,
    SIRET_INCONNU,
    causes,
    comptes,
    depot,
    ecrire,
    lire,
    logement,
    logements,
    loi,
    ouvert,
)


def fiches(analyse) -> list[dict]:
    """The accepted dwellings as the database will have them, in the order of the file."""
    lignes = []
    for lot in analyse.lire_lots():
        for ligne in lot.iter_rows(named=True):
            valeurs = dict(zip(FAITS, ligne["faits"].split("\t"), strict=True))
            lignes.append({"ligne": ligne["ligne"], "siren": ligne["siren"], "cle": ligne["cle"]} | valeurs)
    return sorted(lignes, key=lambda f: f["ligne"])


def fiche(tmp_path, texte, **options) -> dict:
    """The one dwelling of a file."""
    (seule,) = fiches(lire(ecrire(tmp_path, texte), tmp_path, **options))
    return seule


# --- Real lines -------------------------------------------------------------------------------------------------------


def test_corse_2018(tmp_path):
    analyse = lire(CORSE, tmp_path, 2018)
    assert comptes(analyse) == (289, 288, 0, 1)
    assert causes(analyse) == {}
    assert analyse.encodage == "ASCII"
    assert {d for _, d in analyse.logements} == {"2A", "2B"}
    assert len({f["cle"] for f in fiches(analyse)}) == 288
    assert any("étudiants au sens du RPLS" in h for h in analyse.rapport()["hypotheses"])


def test_cannes_2018_abime_par_un_tableur(tmp_path):
    analyse = lire(CANNES, tmp_path, 2018)
    assert comptes(analyse) == (145, 144, 0, 1)
    trouvees = causes(analyse)
    assert trouvees["ZERO_RETABLI"] == 2 * 144  # DEPCOM and CODEPOSTAL
    assert trouvees["NUMCONV_ABIME"] == CANNES.read_text().count("E+0")
    assert trouvees["CARACTERE_PERDU"] == 144
    premiere = fiches(analyse)[0]
    assert (premiere["commune"], premiere["code_postal"]) == ("06029", "06400")
    assert premiere["programme"] == "CANNES DENANS"
    assert all("E+" not in f["numconv"] for f in fiches(analyse))


def test_le_fichier_ouvert_dit_ce_qu_il_suppose(tmp_path):
    analyse = lire(CORSE, tmp_path, 2018)
    hypotheses = " ".join(analyse.rapport()["hypotheses"])
    assert "Le fichier ouvert ne dit pas l’occupation" in hypotheses
    assert {f["mode"] for f in fiches(analyse)} == {"1"}
    assert {f["sortie"] for f in fiches(analyse)} == {"9"}


# --- The same dwelling, whatever the file that carries it --------------------------------------------------------------


@pytest.mark.parametrize("encodage", ["utf-8", "utf-8-sig", "cp1252", "iso-8859-1", "utf-16"])
@pytest.mark.parametrize("sep", [";", ",", "\t"])
def test_encodages_et_separateurs(tmp_path, encodage, sep):
    texte = loi(
        [
            logement(
                NOMVOIE="DE L'ÎLE AUX CHÊNES",
                COMPLGEO="RÉSIDENCE D’ÉTÉ" if "8859" not in encodage else "RÉSIDENCE D'ÉTÉ",
            )
        ],
        sep=sep,
    )
    analyse = lire(ecrire(tmp_path, texte, encodage=encodage), tmp_path)
    assert comptes(analyse) == (2, 1, 0, 1)
    (lue,) = fiches(analyse)
    assert lue["adresse"] == "12 RUE DE L'ÎLE AUX CHÊNES, BATIMENT A, étage 0, appt 1"
    assert lue["programme"].startswith("RÉSIDENCE D")
    assert "ENCODAGE_REPARE" not in causes(analyse)


def test_encodages_meles_ligne_a_ligne(tmp_path):
    lignes = loi([logement(n, NOMVOIE="DES CHÊNES") for n in (1, 2, 3)]).split("\n")
    octets = b"\n".join(
        [lignes[0].encode(), lignes[1].encode(), lignes[2].encode("cp1252"), lignes[3].encode()]
    )
    analyse = lire(ecrire(tmp_path, octets), tmp_path)
    assert [f["adresse"].split(",")[0] for f in fiches(analyse)] == ["12 RUE DES CHÊNES"] * 3


def test_mojibake_repare_et_dit(tmp_path):
    texte = loi([logement(1, NOMVOIE="DE CHÃ¢LONS"), logement(2, NOMVOIE="DU CHÂTEAU")])
    analyse = lire(ecrire(tmp_path, texte), tmp_path)
    assert [f["adresse"].split(",")[0] for f in fiches(analyse)] == ["12 RUE DE CHâLONS", "12 RUE DU CHÂTEAU"]
    assert causes(analyse) == {"ENCODAGE_REPARE": 1}


def test_caracteres_nuls_et_perdus(tmp_path):
    texte = loi(
        [logement(1, NOMVOIE="DES\x00 LILAS"), logement(2, NOMVOIE="DU CHÊNE".replace("Ê", "\ufffd"))]
    )
    analyse = lire(ecrire(tmp_path, texte), tmp_path)
    assert causes(analyse) == {"CARACTERE_NUL": 1, "CARACTERE_PERDU": 1}
    assert fiches(analyse)[0]["adresse"].startswith("12 RUE DES LILAS")
    (constat,) = analyse.liste(Gravite.AVERTISSEMENT)
    assert constat["exemples"][0] == {
        "ligne": 3,
        "colonne": "",
        "valeur": "DU CH\ufffdNE",
        "attendu": constat["attendu"],
    }


MEME = {"bail": "\\N", "remlocdate": "\\N", "contingent_rpls": "", "ident_rep": "", "ident_int": ""}


@pytest.mark.parametrize("colonnes", [COLONNES_DIDO, COLONNES_2025, [c + "_red" for c in COLONNES_2018]])
def test_generations_du_fichier_ouvert(tmp_path, colonnes):
    """A dwelling reads the same in every generation of the open file, as far as the generation tells it."""
    lignes = [
        ligne | {c: ligne.get(c.removesuffix("_red"), "") for c in colonnes if c.endswith("_red")}
        for ligne in logements(3, BAT="", NUMAPPT="")
    ]
    reference = fiches(lire(ecrire(tmp_path, ouvert(lignes), "2018.csv"), tmp_path))
    autre = fiches(lire(ecrire(tmp_path, ouvert(lignes, colonnes, guillemets=True), "autre.csv"), tmp_path))
    assert autre == reference


def test_loi_depot_et_ouvert_disent_les_memes_faits(tmp_path):
    communs = {f for f in FAITS if f not in MEME}
    loi_, depot_, ouvert_ = (
        fiche(tmp_path, texte) for texte in (loi([logement()]), depot([logement()]), ouvert([logement()]))
    )
    assert {f: loi_[f] for f in FAITS} == {f: depot_[f] for f in FAITS}
    assert {f: loi_[f] for f in communs} == {f: ouvert_[f] for f in communs}
    assert loi_["cle"] == depot_["cle"] == "0600000001"
    assert (loi_["bail"], loi_["remlocdate"], loi_["contingent_rpls"]) == ("2015-03-01", "2015-02-01", "7")


# --- Cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colonne", "valeur", "cause"),
    [
        ("DEPCOM", "", "DEPCOM_VIDE"),
        ("DEPCOM", "99999", "DEPCOM_INCONNU"),
        ("QPV", "", "QPV_INVALIDE"),
        ("QPV", "3", "QPV_INVALIDE"),
        ("TYPECONST", "M", "TYPECONST_INVALIDE"),
        ("TYPECONST", "NA", "TYPECONST_INVALIDE"),
        ("FINAN", "18", "FINAN_INVALIDE"),
        ("CONV", "", "CONV_INVALIDE"),
        ("CONV", "0", "CONV_INVALIDE"),
        ("MODE", "", "MODE_INVALIDE"),
        ("MODE", "X", "MODE_INVALIDE"),
        ("SORTIEPATRIM", "7", "SORTIE_INVALIDE"),
        ("IDENT_REP", "6,00000001E+08", "IDENT_ABIME"),
        ("IDENT_REP", "0" * 10 + "A" * 11, "IDENT_TROP_LONG"),
        ("IDENT_INT", "B" * 101, "IDENT_TROP_LONG"),
        ("SIRET", "12", "SIRET_INVALIDE"),
        ("SIRET", SIRET_B, "AUTRE_BAILLEUR"),
    ],
)
def test_erreurs_qui_rejettent_la_ligne(tmp_path, colonne, valeur, cause):
    assert CAUSES[cause].gravite == Gravite.ERREUR
    analyse = lire(ecrire(tmp_path, loi([*logements(3), logement(4, **{colonne: valeur})])), tmp_path)
    assert comptes(analyse) == (5, 3, 1, 1)
    assert causes(analyse) == {cause: 1}
    (constat,) = analyse.liste(Gravite.ERREUR)
    (exemple,) = constat["exemples"]
    assert (exemple["ligne"], exemple["valeur"]) == (5, "" if valeur == "" else valeur)
    assert exemple["attendu"] == CAUSES[cause].attendu != ""


@pytest.mark.parametrize(
    ("valeurs", "cause"),
    [
        ({"FINAN": ""}, "FINAN_VIDE"),
        ({"NUMCONV": ""}, "NUMCONV_VIDE"),
        ({"NUMCONV": "6.19E+021"}, "NUMCONV_ABIME"),
        ({"COMPLGEO": "7190-01-01"}, "PROGRAMME_ABIME"),
        ({"BAIL": "", "REMLOCDATE": ""}, "BAIL_VIDE"),
        ({"REMLOCDATE": "04/2015"}, "REMLOC_APRES_BAIL"),
        ({"LOCAT": "1980"}, "LOCAT_AVANT_CONSTRUCT"),
        ({"SURFHAB": "0"}, "SURFHAB_NULLE"),
        ({"NBPIECE": ""}, "NBPIECE_INCONNU"),
        ({"NBPIECE": "T3"}, "NOMBRE_ILLISIBLE"),
        ({"MODE": "6"}, "MODE_NON_DOCUMENTE"),
        ({"DROIT": "8"}, "CODE_INCONNU"),
        ({"CUS": "12"}, "CODE_INCONNU"),
        ({"DATCONV": "31/02/1985"}, "DATE_ILLISIBLE"),
        ({"SIRET": "00000001700010"}, "SIRET_CLE"),
    ],
)
def test_avertissements_qui_gardent_le_logement(tmp_path, valeurs, cause):
    assert CAUSES[cause].gravite == Gravite.AVERTISSEMENT
    analyse = lire(ecrire(tmp_path, loi([*logements(3), logement(4, **valeurs)])), tmp_path)
    assert comptes(analyse) == (5, 4, 0, 1)
    assert causes(analyse) == {cause: 1}


def test_rien_a_dire_d_un_fichier_sain(tmp_path):
    assert causes(lire(ecrire(tmp_path, loi(logements(5))), tmp_path)) == {}


@pytest.mark.parametrize(
    ("valeurs", "attendus"),
    [
        ({"DEPCOM": "13204", "CODEPOSTAL": "13004"}, {"commune": "13055"}),
        ({"DEPCOM": "85053", "CODEPOSTAL": "85000"}, {"commune": "85289"}),
        ({"DEPCOM": "97105", "CODEPOSTAL": "97100"}, {"commune": "97105"}),
        ({"SORTIEPATRIM": "NA"}, {"sortie": "9"}),
        ({"SORTIEPATRIM": "1", "MODE": ""}, {"sortie": "1", "mode": "9"}),
        ({"CUS": "11"}, {"cus": "11"}),
        ({"CUS": "10"}, {"cus": "10"}),
        ({"DPEENERGIE": "N"}, {"dpe": ""}),
        ({"SURFHAB": "65,00"}, {"surfhab": "65"}),
        ({"CONSTRUCT": "9999"}, {"construct": "\\N"}),
        ({"NUMVOIE": "NA", "INDREP": "-"}, {"adresse": "RUE DE L EXEMPLE, BATIMENT A, étage 0, appt 1"}),
        ({"NOMVOIE": "  DE   L EXEMPLE "}, {"adresse": "12 RUE DE L EXEMPLE, BATIMENT A, étage 0, appt 1"}),
        ({"COMPLGEO": "", "IMMEU": "CITE"}, {"programme": "CITE"}),
        ({"COMPLGEO": "7190-01-01", "IMMEU": "CITE"}, {"programme": "CITE"}),
        ({"IDENT_REP": "600000001"}, {"cle": "0600000001"}),
        ({"IDENT_REP": ""}, {"cle": "INT-A-1", "ident_rep": ""}),
        ({"IDENT_REP": "0000000000"}, {"cle": "INT-A-1"}),
        ({"IDENT_INT": "A\\1", "IDENT_REP": ""}, {"cle": "INT-A\\1", "ident_int": "A\\\\1"}),
        ({"BAIL": "NA/NA", "MODE": "2"}, {"bail": "\\N", "mode": "2"}),
        ({"TYPECONST": "E"}, {"typeconst": "E"}),
        ({"SIRET": "1700018"}, {}),
    ],
)
def test_lectures(tmp_path, valeurs, attendus):
    if valeurs.get("SIRET"):
        attendus = {"siren": SIREN_A}
        valeurs = {"SIRET": SIRET_A}
    lue = fiche(tmp_path, loi([logement(**valeurs)]))
    assert {nom: lue[nom] for nom in attendus} == attendus


def test_non_conventionne_sans_financement_est_rejete(tmp_path):
    """Its financing decides whether it is in: the dwelling cannot be counted without it; conventionné, it can."""
    lignes = [*logements(4), logement(5, FINAN="", CONV="2"), logement(6, FINAN="")]
    analyse = lire(ecrire(tmp_path, loi(lignes)), tmp_path)
    assert comptes(analyse) == (7, 5, 1, 1)
    assert causes(analyse) == {"FINAN_VIDE_NON_CONVENTIONNE": 1, "FINAN_VIDE": 1}


@pytest.mark.parametrize(
    ("valeurs", "qpv", "code"),
    [
        ({"QPV_CODE": "1", "PLG_QP24": "QN00603M", "PLG_QP15": "QP006015"}, "true", "QN00603M"),
        ({"QPV_CODE": "1", "PLG_QP24": "CSZ", "PLG_QP15": "QP006015"}, "true", "QP006015"),
        ({"QPV_CODE": "1", "PLG_QP24": "HZ"}, "true", ""),
        ({"QPV_CODE": "2", "PLG_QP15": "QP006015"}, "false", ""),
    ],
)
def test_code_du_qpv(tmp_path, valeurs, qpv, code):
    lue = fiche(tmp_path, ouvert([logement() | valeurs], COLONNES_2025))
    assert (lue["qpv"], lue["code_qpv"]) == (qpv, code)


def test_toutes_les_erreurs_d_un_coup_groupees_par_cause(tmp_path):
    lignes = logements(12)
    for n in (1, 4, 6):
        lignes[n]["DEPCOM"] = "99999"
    lignes[6]["CONV"] = "5"
    analyse = lire(ecrire(tmp_path, loi(lignes)), tmp_path)
    assert comptes(analyse) == (13, 9, 3, 1)
    erreurs = analyse.rapport()["erreurs"]
    assert [(e["code"], e["nombre"], e["premiere"], e["derniere"]) for e in erreurs] == [
        ("DEPCOM_INCONNU", 3, 3, 8),
        ("CONV_INVALIDE", 1, 8, 8),
    ]
    assert [e["ligne"] for e in erreurs[0]["exemples"]] == [3, 6, 8]


def test_descriptions_en_tete_repete_et_lignes_vides_sont_comptes(tmp_path):
    entete, *lignes = ouvert(logements(3), COLONNES_DIDO).strip().split("\n")
    description = ";".join("Libellé" for _ in COLONNES_DIDO)
    texte = "\n".join(
        [entete, description, lignes[0], "", entete, lignes[1], ";" * (len(COLONNES_DIDO) - 1), lignes[2]]
    )
    analyse = lire(ecrire(tmp_path, texte), tmp_path)
    assert comptes(analyse) == (8, 3, 0, 5)
    assert causes(analyse) == {"DESCRIPTION": 1, "VIDE": 1, "EN_TETE_REPETE": 1, "SANS_VALEUR": 1}


# --- Identity ---------------------------------------------------------------------------------------------------------


def test_doublons_exacts_du_fichier_ouvert_sont_des_logements_distincts(tmp_path):
    lignes = [logement(NUMAPPT="")] * 3 + [logement(NUMAPPT="", NUMVOIE="14")]
    analyse = lire(ecrire(tmp_path, ouvert(lignes)), tmp_path)
    assert comptes(analyse) == (5, 4, 0, 1)
    cles = [f["cle"] for f in fiches(analyse)]
    assert len(set(cles)) == 4
    assert [cle.rsplit("-", 1)[1] for cle in cles] == ["1", "2", "3", "1"]


def test_une_ligne_repetee_du_bailleur_est_dite(tmp_path):
    analyse = lire(ecrire(tmp_path, loi([*logements(4), logement(2)])), tmp_path)
    assert comptes(analyse) == (6, 4, 1, 1)
    (constat,) = analyse.liste(Gravite.ERREUR)
    assert constat["code"] == "IDENT_REPETE"
    assert constat["exemples"][0]["ligne"] == 6
    assert constat["exemples"][0]["valeur"] == "0600000002 (ligne 3)"


def test_des_lignes_qui_se_contredisent_sont_toutes_rejetees(tmp_path):
    analyse = lire(ecrire(tmp_path, depot([*logements(4), logement(2, SURFHAB="80")])), tmp_path)
    assert comptes(analyse) == (6, 3, 2, 1)
    (constat,) = analyse.liste(Gravite.ERREUR)
    assert (constat["code"], [e["ligne"] for e in constat["exemples"]]) == ("IDENT_CONFLIT", [3, 6])


def test_le_meme_identifiant_chez_deux_bailleurs_n_est_pas_un_doublon(tmp_path):
    texte = loi([logement(1), logement(1, SIRET=SIRET_B)])
    analyse = lire(ecrire(tmp_path, texte), tmp_path, siren="")
    assert comptes(analyse) == (3, 2, 0, 1)
    assert analyse.logements == {(SIREN_A, "06"): 1, (SIREN_B, "06"): 1}


def _cles_par_contenu(analyse) -> list[tuple]:
    return sorted((f["cle"], f["siren"], *(f[n] for n in FAITS)) for f in fiches(analyse))


@settings(max_examples=25)
@given(graine=st.integers(0, 2**32), repartir=st.booleans())
def test_l_ordre_du_fichier_ne_change_pas_les_cles(tmp_path_factory, graine, repartir):
    dossier = tmp_path_factory.mktemp("ordre")
    entete, *lignes = CORSE.read_text(encoding="latin-1").strip().split("\n")
    hasard = random.Random(graine)
    lignes = hasard.sample(lignes, 120) + hasard.choices(lignes, k=20)
    options = {"millesime": 2018} | (
        {"siren": "", "repartition": ("000005017", "000005025")} if repartir else {}
    )
    avant = lire(ecrire(dossier, "\n".join([entete, *lignes])), dossier, **options)
    hasard.shuffle(lignes)
    apres = lire(ecrire(dossier, "\n".join([entete, *lignes])), dossier, taille_bloc=3000, **options)
    assert comptes(avant) == comptes(apres) == (141, 140, 0, 1)
    assert _cles_par_contenu(avant) == _cles_par_contenu(apres)


def test_une_convention_reste_chez_un_meme_bailleur_fictif(tmp_path):
    sirens = tuple(f"00000{n}" + "000" for n in range(5))
    analyse = lire(CORSE, tmp_path, 2018, siren="", repartition=sirens)
    par_convention: dict[str, set[str]] = {}
    for f in fiches(analyse):
        if f["numconv"]:
            par_convention.setdefault(f["commune"] + f["numconv"], set()).add(f["siren"])
    assert all(len(bailleurs) == 1 for bailleurs in par_convention.values())
    assert len({siren for siren, _ in analyse.logements}) > 1


# --- The file as a whole ----------------------------------------------------------------------------------------------


def refus(tmp_path, texte, **options) -> FichierRefuse | None:
    try:
        return lire(ecrire(tmp_path, texte), tmp_path, **options).refus
    except FichierRefuse as erreur:
        return erreur


@pytest.mark.parametrize(
    ("texte", "options", "code"),
    [
        (loi([]), {}, "AUCUN_LOGEMENT"),
        (loi(logements(4, DEPCOM="99999")), {}, "TROP_D_ERREURS"),
        (loi(logements(4, SIRET=SIRET_B)), {}, "AUTRE_BAILLEUR"),
        (loi(logements(4, SIRET=SIRET_INCONNU)), {"siren": ""}, "TROP_D_ERREURS"),
        (loi(logements(4, LOCAT="2026")), {}, "AUTRE_ANNEE"),
        (loi(logements(4, BAIL="02/2025")), {}, "AUTRE_ANNEE"),
        (depot(logements(4), annee=2024), {}, "AUTRE_ANNEE"),
        (depot(logements(4), siret=SIRET_B), {}, "AUTRE_BAILLEUR"),
        (depot(logements(4), siret=SIRET_INCONNU), {"siren": ""}, "BAILLEUR_INCONNU"),
        (ouvert(logements(4)), {"siren": ""}, "SANS_BAILLEUR"),
        (loi(logements(4)), {"siren": "", "repartition": ("000005017",)}, "REPARTITION"),
    ],
)
def test_fichier_refuse_en_une_phrase(tmp_path, texte, options, code):
    erreur = refus(tmp_path, texte, **options)
    assert erreur is not None and erreur.code == code
    assert erreur.message[0].isupper() or erreur.message[0].isdigit()
    assert erreur.message.endswith(".")


def test_un_bail_de_janvier_et_une_mise_en_location_de_l_annee_sont_du_millesime(tmp_path):
    analyse = lire(ecrire(tmp_path, loi(logements(4, BAIL="01/2025", LOCAT="2025"))), tmp_path)
    assert analyse.refus is None and causes(analyse) == {}


def test_quelques_dates_posterieures_ne_refusent_pas_le_fichier(tmp_path):
    analyse = lire(ecrire(tmp_path, loi([*logements(60), logement(61, BAIL="03/2025")])), tmp_path)
    assert analyse.refus is None
    assert causes(analyse) == {"BAIL_APRES": 1}


@pytest.mark.parametrize(
    ("mauvaises", "seuil", "refuse"), [(5, 50, False), (6, 50, True), (1, 5, True), (0, 0, False)]
)
def test_seuil_d_erreurs(tmp_path, mauvaises, seuil, refuse):
    lignes = [logement(n, CONV="2" if n > mauvaises else "8") for n in range(1, 11)]
    analyse = lire(ecrire(tmp_path, loi(lignes)), tmp_path, seuil=seuil)
    assert (analyse.refus is not None) == refuse
    assert comptes(analyse) == (11, 10 - mauvaises, mauvaises, 1)


def test_depot_incomplet_par_rapport_a_sa_premiere_ligne(tmp_path):
    analyse = lire(ecrire(tmp_path, depot(logements(3), annonces=5)), tmp_path)
    assert analyse.refus is None
    (alerte,) = analyse.alertes
    assert "annonce 5 logements" in alerte
    assert lire(ecrire(tmp_path, depot(logements(3))), tmp_path).alertes == []


def test_depot_de_63_positions_ou_de_64(tmp_path):
    lignes = depot(logements(4)).split("\n")
    lignes[2] = lignes[2].rsplit(";", 1)[0]
    lignes[3] = lignes[3] + "un commentaire"
    assert comptes(lire(ecrire(tmp_path, "\n".join(lignes)), tmp_path)) == (5, 4, 0, 1)


def test_bailleurs_a_creer_sont_nommes_par_le_fichier(tmp_path):
    texte = loi([logement(1), logement(2, SIRET=SIRET_INCONNU, RS="SEM NOUVELLE", CAT_ORG="251")])
    analyse = lire(ecrire(tmp_path, texte), tmp_path, siren="", sirens=None)
    assert analyse.bailleurs[SIREN_INCONNU] == ("SEM NOUVELLE", "SEM")
    assert analyse.bailleurs[SIREN_A] == ("HABITAT ESSAI A", "OPH")


# --- Rejected lines ---------------------------------------------------------------------------------------------------


def test_lignes_rejetees_avec_leur_message(tmp_path):
    lignes = [
        *logements(5),
        logement(6, DEPCOM="99999", CONV="8"),
        logement(7, NOMVOIE="DES\nLILAS", QPV="x"),
    ]
    analyse = lire(ecrire(tmp_path, loi(lignes), encodage="cp1252"), tmp_path)
    with open(analyse.rejets, encoding="utf-8-sig", newline="") as fichier:
        entete, *rejets = list(csv.reader(fichier, delimiter=";"))
    assert entete[-1] == "Message"
    assert [len(r) for r in rejets] == [len(entete)] * 2
    assert rejets[0][1] == "A-6"
    assert rejets[0][-1].startswith("Ligne 7 | ")
    assert "99999" in rejets[0][-1] and "1 (oui) ou 2 (non)" in rejets[0][-1]
    assert rejets[1][entete.index("NOMVOIE")] == "DES\nLILAS"
    assert rejets[1][-1].startswith("Ligne 8 | Quartier prioritaire")


def test_lignes_rejetees_corrigees_se_relisent(tmp_path):
    """The added column is no obstacle to sending the file again."""
    analyse = lire(ecrire(tmp_path, loi([*logements(3), logement(4, CONV="8")])), tmp_path)
    texte = analyse.rejets.read_text(encoding="utf-8-sig").replace(";8;", ";1;")
    relue = lire(ecrire(tmp_path, texte, "corrige.csv"), tmp_path)
    assert comptes(relue) == (2, 1, 0, 1)
    assert relue.fichier.colonnes_ignorees == ["Message"]


def test_lignes_rejetees_d_un_depot_gardent_sa_premiere_ligne(tmp_path):
    analyse = lire(ecrire(tmp_path, depot([*logements(3), logement(4, CONV="8")])), tmp_path)
    premiere, rejet, *_ = analyse.rejets.read_text(encoding="utf-8-sig").split("\n")
    assert premiere.startswith("2025;013000001;HABITAT ESSAI A")
    assert "Ligne 5 | Conventionnement APL" in rejet


FORMULES = ["=cmd|' /C calc'!A0", "+A1", "-A1", "@SUM(A1)", "＝1+1", '=HYPERLINK("x";"y")', "1;=A1", "1,=A1"]


@pytest.mark.parametrize("formule", FORMULES)
@pytest.mark.parametrize("sep", [";", ",", "\t"])
def test_lignes_rejetees_sans_formule(tmp_path, formule, sep):
    """Whatever separator the spreadsheet believes in, no cell of the file that goes out begins a formula."""
    analyse = lire(
        ecrire(tmp_path, loi([*logements(3), logement(4, CONV="8", NOMVOIE=formule)], sep=sep)), tmp_path
    )
    texte = analyse.rejets.read_text(encoding="utf-8-sig")
    assert "Ligne 5 | " in texte
    for lu in ";,\t|":
        for cellules in csv.reader(texte.splitlines(), delimiter=lu):
            dangereuses = [c for c in cellules if re.match(r"[=+@＝＋－＠-](?![\d.,]*$)", c) and c != "-"]
            assert not dangereuses


def test_lignes_rejetees_gardent_nombres_et_tirets(tmp_path):
    analyse = lire(
        ecrire(tmp_path, loi([*logements(3), logement(4, CONV="8", SURFHAB="-12", NOMVOIE="-")])), tmp_path
    )
    texte = analyse.rejets.read_text(encoding="utf-8-sig")
    assert ";-12;" in texte and ";-;" in texte and "'" not in texte.splitlines()[1].split(";Ligne")[0]


def test_pas_de_fichier_de_rejets_sans_rejet(tmp_path):
    assert lire(ecrire(tmp_path, loi(logements(3))), tmp_path).rejets is None


# --- Accounting -------------------------------------------------------------------------------------------------------

DEFAUTS = st.sampled_from(
    ["bonne", "DEPCOM", "CONV", "QPV", "vide", "separateurs", "courte", "longue", "entete", "suite"]
)


@settings(max_examples=60)
@given(
    plan=st.lists(DEFAUTS, min_size=1, max_size=25),
    taille=st.sampled_from([900, 5000, 1 << 20]),
    tout=st.booleans(),
)
def test_chaque_ligne_physique_est_comptee_une_fois(tmp_path_factory, plan, taille, tout):
    dossier = tmp_path_factory.mktemp("comptes")
    texte = loi(
        [
            logement(
                n, NOMVOIE="DES\nLILAS" if d == "suite" else "DES LILAS", **({d: "x"} if d.isupper() else {})
            )
            for n, d in enumerate(plan, start=1)
        ],
        guillemets=tout,
    )
    enregistrements = list(_enregistrements(texte))
    morceaux, attendus = [enregistrements[0]], {"acceptees": 0, "rejetees": 0, "ignorees": 1}
    for defaut, enregistrement in zip(plan, enregistrements[1:], strict=True):
        morceaux.append(
            {
                "vide": "",
                "separateurs": ";" * 30,
                "courte": enregistrement.rsplit(";", 3)[0],
                "longue": enregistrement + ";un;deux",
                "entete": enregistrements[0],
            }.get(defaut, enregistrement)
        )
        if defaut in ("bonne", "suite"):
            attendus["acceptees"] += 1
        elif defaut in ("vide", "separateurs", "entete"):
            attendus["ignorees"] += 1
        else:
            attendus["rejetees"] += 1
        attendus["ignorees"] += defaut == "suite"
    texte = "\n".join(morceaux) + "\n"
    analyse = lire(ecrire(dossier, texte), dossier, taille_bloc=taille, seuil=100)
    assert analyse.lues == texte.count("\n")
    assert {nom: getattr(analyse, nom) for nom in attendus} == attendus
    numeros = [f["ligne"] for f in fiches(analyse)]
    assert len(numeros) == len(set(numeros)) == analyse.acceptees


def _enregistrements(texte: str):
    """Records of a CSV text as written, line ends inside values kept."""
    en_cours = ""
    for ligne in texte.rstrip("\n").split("\n"):
        en_cours = f"{en_cours}\n{ligne}" if en_cours else ligne
        if en_cours.count('"') % 2 == 0:
            yield en_cours
            en_cours = ""
