"""The cases that ship, the invalid ones, and small files worked out by hand where readings could differ."""

import copy
import json
from pathlib import Path

import pytest

from flux.banc_essai import CAS_LIVRES, examiner, lister_cas_livres

INVALIDES = Path(__file__).parent.parent / "donnees" / "cas" / "invalides"

CHEMINS_FAUTIFS = {
    "agents-6": "conventions[0].taux_agents",
    "attribution-orpheline": "attributions[0].liberation",
    "flux-negatif": "soustractions_previsionnelles",
    "mode-inconnu": "parc[0].mode",
    "net-negatif": "conventions[0].taux",
    "nombre-negatif": "parc[0].nombre",
    "report-bailleur": "reports.BAILLEUR",
    "report-inconnu": "reports.ZZZ",
    "reservataire-sans-convention": "liberations[0].reservataire",
    "rotation-en-definitif": "taux_rotation",
    "somme-plus-de-100": "conventions",
}


@pytest.mark.parametrize("cas", lister_cas_livres(), ids=lambda cas: cas.cle)
def test_a_shipped_case_gives_what_it_expects(cas):
    examen = examiner(cas.chemin.read_bytes(), cas.cle)
    assert examen.erreurs == ()
    assert examen.differences == ()
    assert examen.conforme is True


def test_twelve_cases_ship():
    assert len(lister_cas_livres()) == len(list(CAS_LIVRES.glob("*.json"))) == 12


@pytest.mark.parametrize("nom", sorted(CHEMINS_FAUTIFS))
def test_an_invalid_case_is_refused_at_the_right_place(nom):
    examen = examiner((INVALIDES / f"{nom}.json").read_bytes(), nom)
    assert [erreur.chemin for erreur in examen.erreurs] == [CHEMINS_FAUTIFS[nom]]
    assert examen.resultat is None and examen.conforme is None
    assert all(erreur.probleme and erreur.attendu for erreur in examen.erreurs)


def test_every_invalid_case_is_looked_at():
    assert {chemin.stem for chemin in INVALIDES.glob("*.json")} == set(CHEMINS_FAUTIFS)


def test_the_sum_over_100_names_the_acts():
    (erreur,) = examiner((INVALIDES / "somme-plus-de-100.json").read_bytes()).erreurs
    for rang in (0, 1, 4):
        assert f"conventions[{rang}]" in erreur.probleme
    assert "147,33" in erreur.probleme


# --- Files worked out by hand -------------------------------------------------------------------------------


def etat(debut="2025-01-01", fin="2027-12-31", **champs) -> dict:
    return {
        "reservataire": "ETAT",
        "debut": debut,
        "fin": fin,
        "taux": "30",
        "taux_agents": "5",
        "echec_consomme": False,
        "soustractions": ["MUTATION", "RU", "ORCOD", "INSALUBRITE", "VENTE"],
        "exclusions": {"pli": True, "residences_services": True, "vente_demolition": True, "locales": []},
        "premieres_mises_en_location": False,
        "fait_generateur": "ATTRIBUTION",
        "plancher_hors_qpv": "30",
        "retrocession": None,
        "derogations": [],
        **champs,
    }


def simple(nature: str, taux: str, debut="2025-01-01", fin="2027-12-31", **champs) -> dict:
    return {
        "reservataire": nature,
        "debut": debut,
        "fin": fin,
        "taux": taux,
        "echec_consomme": False,
        **champs,
    }


def liberation(identifiant: str, jour="2025-05-05", **champs) -> dict:
    return {
        "id": identifiant,
        "date": jour,
        "commune": "06029",
        "qpv": False,
        "usage": "FLUX",
        "premiere": False,
        "annulee": False,
        "reservataire": None,
        "designation_echouee": False,
        **champs,
    }


def attribution(identifiant: str, caleol: str, **champs) -> dict:
    return {
        "liberation": identifiant,
        "date_caleol": caleol,
        "date_proposition": None,
        "refusee": False,
        "date_bail": None,
        "statut": "AUTRE",
        "motif_hors_prioritaire": None,
        "labels": [],
        "agent": None,
        **champs,
    }


def logements(nombre: int, **champs) -> dict:
    return {
        "commune": "06029",
        "qpv": False,
        "finan": "13",
        "conv": "1",
        "mode": "1",
        "sortie": "9",
        "typeconst": "C",
        "drapeaux": [],
        "nombre": nombre,
        **champs,
    }


def fichier(*conventions: dict, liberations=(), attributions=(), **champs) -> dict:
    return {
        "titre": "cas",
        "annee": 2025,
        "departement": "06",
        "nature": "DEFINITIF",
        "bailleur": {"siren": "123456782", "famille": "OPH"},
        "conventions": list(conventions),
        "parc": [],
        "liberations": list(liberations),
        "attributions": list(attributions),
        "reports": {},
        **champs,
    }


def calculer(*args, **champs) -> dict:
    examen = examiner(json.dumps(fichier(*args, **champs)).encode())
    assert examen.valide, [str(erreur) for erreur in examen.erreurs]
    return examen.resultat


def par_code(lignes: list[dict]) -> dict[str, dict]:
    return {ligne["reservataire"]: ligne for ligne in lignes}


def test_without_any_act_the_law_governs_and_the_bailleur_has_everything():
    resultat = calculer(
        liberations=[
            liberation("A"),
            liberation("B", usage="RU"),
            liberation("C", usage="URGENCE_PREFECTORALE"),
        ],
        parc=[logements(5, drapeaux=["DEMOLITION"]), logements(3, finan="16")],
    )
    assert resultat["assiette"]["dans"] == {"CONVENTIONNE": 5} and resultat["assiette"]["hors"] == {"PLI": 3}
    assert resultat["flux"]["soustractions"] == {"RU": 1} and resultat["flux"]["flux"] == 2
    assert [ligne["objectif"] for ligne in resultat["repartition"]] == [0, 0, 2]
    assert resultat["hors_qpv"] == {"flux": 2, "etat": 0, "objectif": 0}


def test_a_retrocession_that_begins_in_july_and_als_without_a_convention():
    retrocession = {"taux": "1.5", "debut": "2025-07-01", "fin": "2039-12-31"}
    resultat = calculer(
        etat(retrocession=retrocession),
        liberations=[liberation(f"L{i}", "2025-06-30") for i in range(100)]
        + [liberation(f"M{i}", "2025-07-01") for i in range(100)],
    )
    parts = par_code(resultat["repartition"])
    assert (parts["ETAT"]["part_exacte"], parts["ALS"]["part_exacte"]) == ("58.5000", "1.5000")
    assert resultat["hors_qpv"]["objectif"] == 58  # floor of 30 + 28.5


def test_the_same_retrocession_projected_over_its_days():
    retrocession = {"taux": "1", "debut": "2024-07-01", "fin": "2024-07-31"}
    resultat = calculer(
        etat(debut="2024-01-01", retrocession=retrocession),
        annee=2024,
        nature="PREVISIONNEL",
        parc=[logements(3660)],
        taux_rotation="10",
        soustractions_previsionnelles={},
    )
    parts = par_code(resultat["repartition"])
    # 366 dwellings, 31 days out of 366: 31 dwellings × 1 point.
    assert (parts["ALS"]["part_exacte"], parts["ETAT"]["part_exacte"]) == ("0.3100", "109.4900")


def test_a_reservataire_whose_acts_are_all_of_other_years_is_listed_with_nothing():
    resultat = calculer(
        etat(),
        simple("COLLECTIVITE", "10", "2020-01-01", "2024-12-31", code="06029", communes=["06029"]),
        simple("AUTRE", "5", "2026-01-01", "2026-12-31", code="CAF"),
        liberations=[liberation("A", reservataire="06029", designation_echouee=True)],
    )
    parts = par_code(resultat["repartition"])
    assert list(parts) == ["ETAT", "ALS", "06029", "CAF", "BAILLEUR"]
    assert parts["06029"]["part_exacte"] == parts["CAF"]["part_exacte"] == "0.0000"
    assert [ligne["reservataire"] for ligne in resultat["quarts"]] == ["ALS", "06029", "BAILLEUR"]


def test_lists_are_in_code_order_by_text():
    codes = ["200040000", "06088", "06029"]
    conventions = [simple("COLLECTIVITE", "1", code=code, communes=["06029"]) for code in codes]
    resultat = calculer(*conventions, simple("AUTRE", "1", code="Z"), simple("AUTRE", "1", code="B"))
    ordre = ["ETAT", "ALS", "06029", "06088", "200040000", "B", "Z", "BAILLEUR"]
    assert [ligne["reservataire"] for ligne in resultat["realise"]] == ordre


def test_the_last_attribution_of_the_year_counts_even_after_an_earlier_one():
    dalo = [{"type": "DALO", "debut": "2025-01-01", "fin": None, "exception": False}]
    resultat = calculer(
        etat(),
        liberations=[liberation("A", reservataire="ETAT")],
        attributions=[
            attribution("A", "2026-01-05", labels=dalo),
            attribution("A", "2025-09-01"),
            attribution("A", "2025-06-01", labels=dalo),
        ],
    )
    assert resultat["imputations"] == {"A": ["ETAT", "AUTRE"]}
    assert par_code(resultat["realise"])["ETAT"]["attributions"] == 1


def test_an_attribution_of_last_year_still_has_its_imputation_and_its_lease_of_this_year():
    resultat = calculer(
        etat(fait_generateur="BAIL"),
        liberations=[liberation("A", "2024-10-01", reservataire="ETAT")],
        attributions=[
            attribution(
                "A",
                "2024-12-31",
                date_bail="2025-01-02",
                labels=[{"type": "DALO", "debut": "2024-12-31", "fin": "2024-12-31", "exception": False}],
            )
        ],
    )
    ligne = par_code(resultat["realise"])["ETAT"]
    assert resultat["imputations"] == {"A": ["ETAT", "PRIORITE_1"]}
    assert (ligne["attributions"], ligne["baux"], ligne["realise"]) == (0, 1, 1)
    assert resultat["etat"]["PRIORITE_1"] == 0 and resultat["etat_100"]["attributions"] == 0


def test_an_agent_whose_lease_is_of_next_year_is_an_agent_but_not_yet_in_the_pool():
    agent = {"validation": "2025-12-01", "accord_posterieur": False, "adapte": True}
    resultat = calculer(
        etat(),
        liberations=[liberation(f"L{i}", reservataire="ETAT") for i in range(20)],
        attributions=[
            attribution("L0", "2025-12-20", date_bail="2026-01-10", agent=agent),
            attribution("L1", "2025-12-20", date_bail="2025-12-28", agent=agent),
            attribution("L2", "2025-12-20", date_bail="2025-12-28", agent=agent),
        ],
    )
    ligne = par_code(resultat["realise"])["ETAT"]
    assert resultat["agents_max"] == 1 and resultat["etat"]["AGENT"] == 3
    assert (ligne["attributions"], ligne["realise"], resultat["hors_qpv"]["etat"]) == (3, 1, 2)


def test_a_failed_designation_counts_for_its_reservataire_by_the_act_of_the_day():
    resultat = calculer(
        etat(),
        simple("ALS", "20", "2025-01-01", "2025-05-31", echec_consomme=True),
        simple("ALS", "20", "2025-06-01", "2027-12-31"),
        liberations=[
            liberation("A", "2025-05-31", reservataire="ALS", designation_echouee=True),
            liberation("B", "2025-06-01", reservataire="ALS", designation_echouee=True),
            liberation("C", "2025-05-01", reservataire="ALS", designation_echouee=True, usage="RU"),
            liberation("D", "2024-05-01", reservataire="ALS", designation_echouee=True),
        ],
        attributions=[attribution("A", "2025-07-01")],
    )
    lignes = par_code(resultat["realise"])
    assert (lignes["ALS"]["echecs"], lignes["ALS"]["realise"], lignes["ALS"]["attributions"]) == (1, 1, 0)
    assert lignes["BAILLEUR"]["attributions"] == 1
    assert par_code(resultat["quarts"])["BAILLEUR"] == {
        "reservataire": "BAILLEUR",
        "prioritaires": 0,
        "attributions": 1,
        "manque": 1,
    }


def test_groups_of_the_file_go_over_the_default_ones():
    labels = [{"type": "L441_1_C", "debut": "2025-01-01", "fin": None, "exception": False}]
    arguments = {
        "liberations": [liberation("A", reservataire="ETAT")],
        "attributions": [attribution("A", "2025-06-01", labels=labels)],
    }
    assert calculer(etat(), **arguments)["imputations"]["A"] == ["ETAT", "PRIORITE_3"]
    assert calculer(etat(), groupes={"L441_1_C": 1}, **arguments)["imputations"]["A"] == [
        "ETAT",
        "PRIORITE_1",
    ]


def test_without_the_clause_there_is_no_floor():
    resultat = calculer(etat(plancher_hors_qpv=None), liberations=[liberation("A")])
    assert resultat["hors_qpv"] == {"flux": 1, "etat": 0, "objectif": None}


def test_premieres_that_the_convention_counts_are_in_the_flux():
    premiere = [liberation("A", premiere=True), liberation("B", premiere=True, usage="RU")]
    resultat = calculer(etat(premieres_mises_en_location=True), liberations=premiere)
    assert resultat["flux"] == {
        "liberations": 2,
        "premieres_hors_flux": 0,
        "soustractions": {"RU": 1},
        "flux": 1,
        "flux_hors_qpv": 1,
    }


def test_reports_add_up_and_a_report_without_an_act_is_allowed_for_etat_and_als():
    resultat = calculer(reports={"ETAT": 2, "ALS": 1})
    lignes = par_code(resultat["repartition"])
    assert (lignes["ETAT"]["objectif_total"], lignes["ALS"]["objectif_total"]) == (2, 1)
    assert par_code(resultat["realise"])["ETAT"]["ecart"] == -2


def test_an_open_ended_act_does_not_overflow():
    resultat = calculer(etat(fin="9999-12-31"), annee=9999, liberations=[liberation("A", "9999-12-31")])
    assert par_code(resultat["repartition"])["ETAT"]["part_exacte"] == "0.3000"


def test_the_file_is_not_changed_by_its_examination():
    cas = fichier(etat(), liberations=[liberation("A")], attendu={"agents_max": 0})
    copie = copy.deepcopy(cas)
    assert examiner(cas).conforme is True
    assert cas == copie
