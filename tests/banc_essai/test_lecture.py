"""Every reason for which a file is invalid, one by one, each with its place; what is allowed on the other side."""

import copy
import json

import pytest

from flux.banc_essai import examiner

from .test_cas import attribution, etat, fichier, liberation, logements, simple

LABEL = {"type": "DALO", "debut": "2025-01-01", "fin": "2025-12-31", "exception": False}
AGENT = {"validation": "2025-01-01", "accord_posterieur": False, "adapte": True}


def definitif() -> dict:
    """A file that has one of everything."""
    return fichier(
        etat(
            retrocession={"taux": "1.37", "debut": "2025-01-01", "fin": "2039-12-31"},
            derogations=[{"taux": "33", "debut": "2025-02-01", "fin": "2025-03-31"}],
        ),
        simple("ALS", "20"),
        simple("COLLECTIVITE", "15", code="06029", communes=["06029"]),
        simple("AUTRE", "2", code="CAF"),
        source="exemple",
        groupes={"L441_1_D": 2},
        parc=[logements(120, drapeaux=["PLAI_ADAPTE"])],
        liberations=[liberation("L1", reservataire="06029"), liberation("L2", reservataire="ETAT")],
        attributions=[
            attribution("L1", "2025-06-01", date_bail="2025-06-02", labels=[dict(LABEL)], agent=dict(AGENT))
        ],
        reports={"ETAT": 3, "CAF": 1},
        attendu={"agents_max": 0},
    )


def previsionnel() -> dict:
    return fichier(
        etat(),
        nature="PREVISIONNEL",
        parc=[logements(120)],
        taux_rotation="7.5",
        soustractions_previsionnelles={"MUTATION": 2},
    )


def fautes(cas) -> list[str]:
    return [erreur.chemin for erreur in examiner(json.dumps(cas).encode()).erreurs]


def place(cas: dict, chemin: str):
    """The container and the key of a path such as "parc[0].mode"."""
    cles = [int(c) if c.isdigit() else c for c in chemin.replace("[", ".").replace("]", "").split(".")]
    for cle in cles[:-1]:
        cas = cas[cle]
    return cas, cles[-1]


def avec(cas: dict, chemin: str, valeur) -> dict:
    cible, cle = place(cas, chemin)
    cible[cle] = valeur
    return cas


def sans(cas: dict, chemin: str) -> dict:
    cible, cle = place(cas, chemin)
    del cible[cle]
    return cas


def tous_les_champs(valeur, chemin="") -> list[str]:
    """Every named member of a file."""
    if isinstance(valeur, list):
        return [c for i, membre in enumerate(valeur) for c in tous_les_champs(membre, f"{chemin}[{i}]")]
    if not isinstance(valeur, dict):
        return []
    champs = []
    for cle, membre in valeur.items():
        ici = f"{chemin}.{cle}" if chemin else cle
        champs += [ici, *tous_les_champs(membre, ici)]
    return champs


FACULTATIFS = {
    "source",
    "groupes",
    "groupes.L441_1_D",
    "attendu",
    "attendu.agents_max",
    "reports.ETAT",
    "reports.CAF",
}
OBLIGATOIRES = [champ for champ in tous_les_champs(definitif()) if champ not in FACULTATIFS]
OBJETS = ["", *(c for c in tous_les_champs(definitif()) if isinstance(place(definitif(), c)[0][place(definitif(), c)[1]], dict)), "conventions[0]", "conventions[1]", "conventions[2]", "conventions[3]", "conventions[0].derogations[0]", "parc[0]", "liberations[0]", "attributions[0]", "attributions[0].labels[0]"]  # fmt: skip


def test_the_models_are_valid():
    assert fautes(definitif()) == [] and fautes(previsionnel()) == []


@pytest.mark.parametrize("champ", OBLIGATOIRES)
def test_a_missing_field_is_named(champ):
    assert champ in fautes(sans(definitif(), champ))


@pytest.mark.parametrize("champ", ["source", "groupes", "attendu"])
def test_optional_fields_may_be_missing(champ):
    assert fautes(sans(definitif(), champ)) == []


@pytest.mark.parametrize("objet", sorted(set(OBJETS)))
def test_a_key_that_the_format_does_not_name_is_refused(objet):
    cas = definitif()
    cible = cas
    if objet:
        parent, cle = place(cas, objet)
        cible = parent[cle]
    cible["inconnue"] = 1
    assert (f"{objet}.inconnue" if objet else "inconnue") in fautes(cas)


@pytest.mark.parametrize(
    ("convention", "cle", "valeur"),
    [
        (0, "code", "X"),
        (0, "communes", ["06029"]),
        (1, "code", "ALS"),
        (1, "taux_agents", "5"),
        (1, "soustractions", []),
        (2, "derogations", []),
        (3, "communes", ["06029"]),
    ],
)
def test_an_act_has_the_fields_of_its_nature_only(convention, cle, valeur):
    cas = definitif()
    cas["conventions"][convention][cle] = valeur
    assert fautes(cas) == [f"conventions[{convention}].{cle}"]


@pytest.mark.parametrize("champ", ["taux_rotation", "soustractions_previsionnelles"])
def test_projection_fields_belong_to_projections(champ):
    assert fautes(sans(previsionnel(), champ)) == [champ]
    assert fautes({**definitif(), champ: previsionnel()[champ]}) == [champ]


def test_a_projection_has_neither_liberations_nor_attributions():
    cas = previsionnel()
    cas["liberations"] = [liberation("L1")]
    cas["attributions"] = [attribution("L1", "2025-06-01")]
    assert fautes(cas) == ["liberations", "attributions"]


VALEURS_REFUSEES = [
    ("titre", [1, None, ["a"], "\ud800"]),
    ("source", [None, 3]),
    ("annee", ["2025", 2025.0, True, None, 0, -1, 10000]),
    ("departement", ["6", "096", "20", "2C", "96", 6, "979", ""]),
    ("nature", ["DÉFINITIF", "definitif", None, 1]),
    ("bailleur", [None, [], "123456782"]),
    ("bailleur.siren", ["12345678", "1234567890", 123456782, "12345678A"]),
    ("bailleur.famille", ["HLM", "oph", None]),
    ("conventions", [{}, None, "ETAT"]),
    ("conventions[0]", [None, [], "ETAT"]),
    ("conventions[0].reservataire", ["BAILLEUR", "etat", None, [], {}]),
    ("conventions[0].taux", [30, 30.0, None, "-1", "3e1", "NaN", "Infinity", "30,0", "", " 30", "30 ", "+30", ".5", "5.", "٣", "1" * 60, "1/3", "0x1", "30\n", "1_0"]),
    ("conventions[0].taux_agents", ["-0.1", 5]),
    ("conventions[0].echec_consomme", ["false", 0, None]),
    ("conventions[0].soustractions", [None, "MUTATION", {}]),
    ("conventions[0].exclusions.pli", [1, "oui"]),
    ("conventions[0].fait_generateur", ["CALEOL", None]),
    ("conventions[0].plancher_hors_qpv", [30, "-1", "trente"]),
    ("conventions[0].retrocession", [[], "1.37"]),
    ("conventions[0].retrocession.taux", ["-1.37", 1.37]),
    ("conventions[0].derogations", [None, {}]),
    ("conventions[0].derogations[0].taux", ["-33"]),
    ("conventions[0].debut", ["2025-13-01", "2025-02-30", "2025-02-29", "01/01/2025", "20250101", "2025-1-1", "2025-W01-1", None, 2025, "2025-01-01T00:00:00", "0000-01-01", "٢٠٢٥-01-01"]),
    ("conventions[2].code", [None, 6029, ""]),
    ("parc", [{}, None]),
    ("parc[0].commune", ["6029", "060290", 6029, "2C004", "Cannes"]),
    ("parc[0].qpv", [1, "1", None]),
    ("parc[0].finan", ["18", "48", "56", "09", 13, ""]),
    ("parc[0].conv", ["3", "", 1, None]),
    ("parc[0].mode", ["0", "6", "7", "8", 1, ""]),
    ("parc[0].sortie", ["0", "6", "7", "8", 9, None]),
    ("parc[0].typeconst", ["M", "c", ""]),
    ("parc[0].drapeaux", [None, "DEFENSE"]),
    ("parc[0].nombre", [-1, "120", 1.5, 120.0, True, None, 10**15]),
    ("groupes.L441_1_D", [0, 4, "2", True, None, -1]),
    ("liberations[0].id", ["", 1, None]),
    ("liberations[0].date", ["2025-04-31", None]),
    ("liberations[0].usage", ["AUTRE", "flux", None]),
    ("liberations[0].premiere", [0, None]),
    ("liberations[0].annulee", ["non"]),
    ("liberations[0].designation_echouee", [None]),
    ("liberations[0].reservataire", ["", 6029, "MSA", "06088"]),
    ("attributions[0].liberation", ["L9", "", None, 1]),
    ("attributions[0].date_caleol", [None, "2025-06-31"]),
    ("attributions[0].date_proposition", ["hier", 0]),
    ("attributions[0].refusee", [None, "non"]),
    ("attributions[0].statut", ["RETRAITE", None]),
    ("attributions[0].motif_hors_prioritaire", ["AUTRE", ""]),
    ("attributions[0].labels", [None, {}]),
    ("attributions[0].labels[0].type", ["L441_1_N", "L441_1_g", "DALO ", None]),
    ("attributions[0].labels[0].exception", [0]),
    ("attributions[0].agent", [[], "oui", True]),
    ("attributions[0].agent.validation", ["2025-02-30"]),
    ("attributions[0].agent.adapte", ["oui"]),
    ("reports", [[], None]),
    ("reports.ETAT", [-1, "3", 1.5, None, True]),
    ("attendu", [None, [], 3]),
]  # fmt: skip


@pytest.mark.parametrize(("chemin", "valeur"), [(c, v) for c, valeurs in VALEURS_REFUSEES for v in valeurs])
def test_a_value_that_the_format_does_not_allow_is_refused_at_its_place(chemin, valeur):
    assert chemin in fautes(avec(definitif(), chemin, valeur))


@pytest.mark.parametrize(
    ("chemin", "valeur", "fautif"),
    [
        ("conventions[0].soustractions", ["MUTATION", "FLUX"], "conventions[0].soustractions[1]"),
        ("conventions[0].exclusions.locales", ["PLI"], "conventions[0].exclusions.locales[0]"),
        ("conventions[2].communes", ["06029", "6029"], "conventions[2].communes[1]"),
        ("parc[0].drapeaux", ["DEFENSE", "ORDINAIRE"], "parc[0].drapeaux[1]"),
        ("parc[0].drapeaux", [["DEFENSE"]], "parc[0].drapeaux[0]"),
        ("groupes", {"L441_1_Z": 2}, "groupes.L441_1_Z"),
        ("reports", {"06088": 1}, "reports.06088"),
        ("reports", {"BAILLEUR": 0}, "reports.BAILLEUR"),
        ("reports", {"a b\n": 1}, 'reports["a b\\n"]'),
        ("liberations[1].id", "L1", "liberations[1].id"),
        ("liberations[1].reservataire", "CAFF", "liberations[1].reservataire"),
        ("liberations[0].commune", "06088", "liberations[0].reservataire"),
        ("conventions[3].code", "06029", "conventions[3].code"),
        ("conventions[3].code", "ALS", "conventions[3].code"),
        ("conventions[2].code", "ETAT", "conventions[2].code"),
        ("conventions[0].fin", "2024-12-31", "conventions[0].fin"),
        ("conventions[0].retrocession.fin", "2024-12-31", "conventions[0].retrocession.fin"),
        ("conventions[0].derogations[0].fin", "2025-01-31", "conventions[0].derogations[0].fin"),
        ("attributions[0].labels[0].fin", "2024-12-31", "attributions[0].labels[0].fin"),
        ("attributions[0].date_bail", "2025-05-31", "attributions[0].date_bail"),
        ("conventions[0].taux", "30.0001", "conventions[0].taux"),
        ("conventions[0].taux", "1.3699", "conventions[0].taux"),
        ("conventions[0].taux_agents", "5.0001", "conventions[0].taux_agents"),
        ("conventions[0].derogations[0].fin", "2026-02-02", "conventions[0].derogations[0].fin"),
        ("conventions[1].taux", "50.0001", "conventions"),
    ],
)
def test_a_rule_between_values_is_refused_at_its_place(chemin, valeur, fautif):
    assert fautif in fautes(avec(definitif(), chemin, valeur))


@pytest.mark.parametrize(
    ("chemin", "valeur"),
    [
        ("conventions[0].taux", "30"),
        ("conventions[0].taux", "1.37"),
        ("conventions[0].taux", "0001.500000000000000000000000000000000000000000"),
        ("conventions[0].taux_agents", "5"),
        ("conventions[0].derogations[0].fin", "2026-02-01"),
        ("conventions[0].plancher_hors_qpv", None),
        ("conventions[0].plancher_hors_qpv", "250"),
        ("conventions[0].retrocession", None),
        ("conventions[0].derogations", []),
        ("conventions[0].soustractions", ["RU", "RU"]),
        ("conventions[0].fin", "2025-01-01"),
        ("conventions[1].taux", "50"),
        ("conventions[2].communes", ["06029", "06029", "2A004", "97411"]),
        ("departement", "2A"),
        ("departement", "974"),
        ("parc[0].sortie", ""),
        ("parc[0].nombre", 0),
        ("liberations[0].reservataire", "BAILLEUR"),
        ("liberations[0].reservataire", None),
        ("liberations[0].date", "2019-02-03"),
        ("liberations[0].date", "2030-02-03"),
        ("attributions[0].date_bail", "2025-06-01"),
        ("attributions[0].date_bail", None),
        ("attributions[0].date_caleol", "2020-01-01"),
        ("attributions[0].date_proposition", "2025-12-01"),
        ("attributions[0].labels[0].fin", None),
        ("attributions[0].agent", None),
        ("attributions[0].agent.validation", None),
        ("reports", {}),
        ("reports", {"ALS": 0}),
        ("titre", ""),
        ("annee", 2030),
    ],
)
def test_what_is_allowed_on_the_other_side(chemin, valeur):
    assert fautes({k: v for k, v in avec(definitif(), chemin, valeur).items() if k != "attendu"}) == []


def test_a_cancelled_liberation_is_oriented_to_somebody_too():
    cas = definitif()
    cas["liberations"].append(liberation("L3", annulee=True, reservataire="MSA"))
    cas["liberations"].append(liberation("L4", annulee=True, reservataire="06029", commune="06088"))
    assert fautes(cas) == ["liberations[2].reservataire", "liberations[3].reservataire"]


def test_the_territory_is_that_of_all_the_acts_of_any_date():
    cas = definitif()
    cas["conventions"].append(
        simple("COLLECTIVITE", "1", "1999-01-01", "1999-12-31", code="06029", communes=["06088"])
    )
    cas["liberations"].append(liberation("L3", reservataire="06029", commune="06088"))
    assert fautes(cas) == []


def test_a_liberation_to_als_needs_an_act_of_als():
    cas = definitif()
    del cas["conventions"][1]
    cas["liberations"][1]["reservataire"] = "ALS"
    assert fautes(cas) == ["liberations[1].reservataire"]


@pytest.mark.parametrize(("debut", "refuse"), [("1998-12-31", True), ("1999-01-01", False)])
def test_acts_of_one_reservataire_never_overlap_even_out_of_the_year(debut, refuse):
    cas = definitif()
    cas["conventions"] += [simple("AUTRE", "1", "1990-01-01", "1998-12-31", code="MSA"), simple("AUTRE", "1", debut, "2000-01-01", code="MSA")]  # fmt: skip
    assert fautes(cas) == (["conventions[5].debut"] if refuse else [])


def test_derogations_never_overlap_even_out_of_the_year():
    cas = definitif()
    cas["conventions"][0]["derogations"] += [
        {"taux": "31", "debut": "2030-01-01", "fin": "2030-06-30"},
        {"taux": "31", "debut": "2030-06-30", "fin": "2030-12-31"},
    ]
    assert fautes(cas) == ["conventions[0].derogations[2].debut"]


def test_net_rate_and_sum_are_those_of_the_days_of_the_year():
    cas = definitif()
    cas["conventions"][1]["taux"] = "70"  # 30 + 70 + 2 everywhere in 2025, nothing in 2024
    assert fautes(cas) == ["conventions"]
    cas["annee"] = 2024
    del cas["attendu"]
    assert fautes(cas) == []


def test_the_sum_is_tested_without_any_commune():
    assert fautes(fichier(etat(), simple("AUTRE", "70.0001", code="CAF"))) == ["conventions"]
    assert fautes(fichier(etat(), simple("AUTRE", "70", code="CAF"))) == []


def test_a_negative_flux_is_refused_from_one_dwelling():
    cas = previsionnel()  # 120 × 7.5 % = 9
    cas["soustractions_previsionnelles"] = {"MUTATION": 9, "URGENCE_PREFECTORALE": 50}
    assert fautes(cas) == []
    cas["soustractions_previsionnelles"]["RU"] = 1
    assert fautes(cas) == ["soustractions_previsionnelles"]


def test_two_attributions_on_one_day():
    cas = definitif()
    cas["attributions"].append(attribution("L1", "2025-06-01"))
    assert fautes(cas) == ["attributions[1].date_caleol"]
    cas["attributions"][1]["date_caleol"] = "2025-06-02"
    assert fautes(cas) == []
    cas["attributions"][1] |= {"date_caleol": "2025-06-01", "liberation": "L2"}
    assert fautes(cas) == []


# --- Many faults, told once each ----------------------------------------------------------------------------


def test_every_fault_of_a_file_is_told():
    cas = definitif()
    cas["parc"][0] |= {"mode": "7", "nombre": -3}
    cas["liberations"][1]["date"] = "2025-02-30"
    cas["conventions"][0]["taux_agents"] = "6"
    cas["attributions"][0]["liberation"] = "L9"
    cas["reports"]["ZZZ"] = 1
    cas["autre"] = None
    del cas["departement"]
    assert sorted(fautes(cas)) == [
        "attributions[0].liberation",
        "autre",
        "conventions[0].taux_agents",
        "departement",
        "liberations[1].date",
        "parc[0].mode",
        "parc[0].nombre",
        "reports.ZZZ",
    ]


def test_one_fault_in_an_act_does_not_accuse_those_who_use_it():
    cas = definitif()
    cas["conventions"][2]["taux"] = "quinze"
    assert fautes(cas) == ["conventions[2].taux"]


def test_one_fault_in_a_liberation_does_not_accuse_its_attribution():
    cas = definitif()
    cas["liberations"][0]["date"] = None
    assert fautes(cas) == ["liberations[0].date"]


def test_an_unreadable_nature_does_not_accuse_the_fields():
    assert fautes({**previsionnel(), "nature": "PREVU"}) == ["nature"]


# --- The JSON itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contenu", "fragment"),
    [
        (b"", "ligne 1, colonne 1"),
        (b"{", "JSON invalide"),
        (b'{"a": 1,}', "JSON invalide"),
        (b"\xff\xfe\xfa", "octet"),
        (b'{"titre": "\xe9"}', "UTF-8"),
        (b'{"annee": NaN}', "NaN"),
        (b'{"annee": -Infinity}', "Infinity"),
        (b'{"annee": ' + b"9" * 5000 + b"}", "démesuré"),
        (b"[" * 100000, "imbriqués"),
        (b"[]", "une liste"),
        (b"null", "null"),
        (b"3", "3"),
        (b'"texte"', "texte"),
        (b"\x89PNG\r\n", "octet"),
    ],
)
def test_what_is_no_scenario_at_all(contenu, fragment):
    (erreur,) = examiner(contenu).erreurs
    assert erreur.chemin == "" and fragment in erreur.probleme and erreur.attendu


@pytest.mark.parametrize("codage", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_encodings_of_json(codage):
    cas = {**definitif(), "titre": "Île-d’Œuf"}
    examen = examiner(json.dumps(cas, ensure_ascii=False).encode(codage))
    assert examen.valide and examen.resultat["titre"] == "Île-d’Œuf"


@pytest.mark.parametrize(
    ("remplace", "par", "fautif"),
    [
        ('"annee": 2025', '"annee": 2024, "annee": 2025', "annee"),
        ('"mode": "1"', '"mode": "1", "mode": "1"', "parc[0].mode"),
        ('"ETAT": 3', '"ETAT": 3, "ETAT": 4', "reports.ETAT"),
        ('"agents_max": 0', '"agents_max": 0, "agents_max": 1', "attendu.agents_max"),
    ],
)
def test_a_key_given_twice_is_refused(remplace, par, fautif):
    texte = json.dumps(definitif())
    assert remplace in texte
    (erreur,) = examiner(texte.replace(remplace, par, 1).encode()).erreurs
    assert erreur.chemin == fautif and "deux fois" in erreur.probleme


def test_values_are_quoted_safely():
    cas = definitif()
    cas["parc"][0]["mode"] = "a\n\u202e" + "b" * 200
    (erreur,) = examiner(json.dumps(cas).encode()).erreurs
    assert "\n" not in str(erreur) and "\u202e" not in str(erreur) and len(str(erreur)) < 300


# --- attendu ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attendu", "fautif"),
    [
        ({"agent_max": 1}, "attendu.agent_max"),
        ({"assiette": {"parcs": 1}}, "attendu.assiette.parcs"),
        ({"assiette": {"dans": {"PLI": 1}}}, "attendu.assiette.dans.PLI"),
        ({"flux": {"soustractions": {"FLUX": 1}}}, "attendu.flux.soustractions.FLUX"),
        ({"repartition": [{"reservataire": "ETAT", "part": 1}]}, "attendu.repartition[0].part"),
        ({"hors_qpv": {"part": 1}}, "attendu.hors_qpv.part"),
    ],
)
def test_a_key_that_no_result_has_is_refused(attendu, fautif):
    assert fautes({**definitif(), "attendu": attendu}) == [fautif]


def test_wrong_values_in_attendu_are_differences_not_faults():
    for attendu in (
        {"flux": 3},
        {"agents_max": "0"},
        {"imputations": {"L99": ["ETAT", "AUTRE"]}},
        {"etat": None},
        {"titre": 4},
    ):
        examen = examiner({**definitif(), "attendu": attendu})
        assert examen.valide and examen.conforme is False


def test_the_form_of_attendu_is_that_of_results():
    for cas in (definitif(), previsionnel()):
        cas = copy.deepcopy({cle: valeur for cle, valeur in cas.items() if cle != "attendu"})
        resultat = examiner(cas).resultat
        examen = examiner({**cas, "attendu": json.loads(json.dumps(resultat))})
        assert examen.valide and examen.conforme is True
