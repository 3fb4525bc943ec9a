"""Hypothesis strategies: valid files of the bench with every trap of the format, and files broken at random."""

import copy
from datetime import date, timedelta

from hypothesis import strategies as st

COMMUNES = ["06029", "06088", "06004", "06012"]
SOUSTRACTIONS = ["MUTATION", "RU", "ORCOD", "INSALUBRITE", "VENTE", "URGENCE_PREFECTORALE"]
DRAPEAUX = [
    "LOGEMENT_FOYER", "RESIDENCE_UNIVERSITAIRE", "RESIDENCE_SERVICES", "DEFENSE", "SECURITE", "SANTE",
    "GENS_DU_VOYAGE", "HABITAT_INCLUSIF", "ELAN_109", "PLAN_DE_VENTE", "DEMOLITION", "DECONVENTIONNE_L411_6",
    "PLAI_ADAPTE",
]  # fmt: skip
LOCALES = ["GENS_DU_VOYAGE", "HABITAT_INCLUSIF", "ELAN_109"]
LABELS = [
    "DALO", "BPI", "HEBERGEMENT", "SANS_ABRI", "VIOLENCES", "EXPULSION", "LOGEMENT_TEMPORAIRE",
    *(f"L441_1_{lettre}" for lettre in "ABCDEFGHIJKLM"), "L441_1_G_BIS",
]  # fmt: skip
FINAN = [*map(str, range(10, 18)), *map(str, range(49, 56)), "99"]
COLLECTIVITES = {"06029": ["06029"], "200040000": ["06029", "06088"]}
AUTRES = ["CAF", "MSA"]
LOGEMENTS_SURS = {
    "commune": "06088",
    "qpv": False,
    "finan": "13",
    "conv": "1",
    "mode": "1",
    "sortie": "9",
    "typeconst": "C",
    "drapeaux": [],
}


def taux(minimum: int, maximum: int):
    """Decimal strings, up to four decimals, bounds included."""
    return st.one_of(
        st.integers(minimum, maximum).map(str),
        st.integers(minimum * 10000, maximum * 10000).map(lambda n: f"{n // 10000}.{n % 10000:04d}"),
    )


@st.composite
def periodes(draw, annee: int, maximum: int) -> list[tuple[str, str]]:
    """Periods that do not overlap, around the year, some meeting to the day, the last sometimes open."""
    debut = date(annee - 1, 10, 1)
    bornes = sorted(
        draw(
            st.sets(
                st.sampled_from([0, 91, 92, 93, 180, 181, 272, 273, 300, 456, 457, 500]), max_size=2 * maximum
            )
        )
    )
    jours = [debut + timedelta(days=n) for n in bornes]
    liste = [(d.isoformat(), f.isoformat()) for d, f in zip(jours[::2], jours[1::2], strict=False)]
    if draw(st.booleans()) and liste:
        liste[-1] = (liste[-1][0], "9999-12-31")
    return liste


@st.composite
def convention_etat(draw, annee: int, debut: str, fin: str) -> dict:
    retrocession = None
    if draw(st.booleans()):
        depart = date(annee, draw(st.integers(1, 12)), 1) - timedelta(days=draw(st.integers(0, 60)))
        duree = draw(st.sampled_from([0, 30, 5000]))
        retrocession = {
            "taux": draw(taux(0, 2)),
            "debut": depart.isoformat(),
            "fin": (depart + timedelta(days=duree)).isoformat(),
        }
    derogations = []
    if draw(st.booleans()):
        depart = date(annee, draw(st.integers(1, 12)), draw(st.integers(1, 28)))
        duree = draw(st.sampled_from([0, 40, 365]))
        derogations.append(
            {
                "taux": draw(taux(2, 40)),
                "debut": depart.isoformat(),
                "fin": (depart + timedelta(days=duree)).isoformat(),
            }
        )
    return {
        "reservataire": "ETAT",
        "debut": debut,
        "fin": fin,
        "taux": draw(taux(2, 30)),
        "taux_agents": draw(taux(0, 5)),
        "echec_consomme": draw(st.booleans()),
        "soustractions": draw(st.lists(st.sampled_from(SOUSTRACTIONS), max_size=6)),
        "exclusions": {
            "pli": draw(st.booleans()),
            "residences_services": draw(st.booleans()),
            "vente_demolition": draw(st.booleans()),
            "locales": draw(st.lists(st.sampled_from(LOCALES), max_size=3)),
        },
        "premieres_mises_en_location": draw(st.booleans()),
        "fait_generateur": draw(st.sampled_from(["ATTRIBUTION", "BAIL"])),
        "plancher_hors_qpv": draw(st.none() | taux(0, 35)),
        "retrocession": retrocession,
        "derogations": derogations,
    }


@st.composite
def conventions(draw, annee: int) -> list[dict]:
    liste = [draw(convention_etat(annee, *periode)) for periode in draw(periodes(annee, 2))]

    def ajouter(maximum, **champs):
        for debut, fin in draw(periodes(annee, 2)):
            liste.append(
                {
                    **champs,
                    "debut": debut,
                    "fin": fin,
                    "taux": draw(taux(0, maximum)),
                    "echec_consomme": draw(st.booleans()),
                }
            )

    ajouter(30, reservataire="ALS")
    for code, communes in COLLECTIVITES.items():
        if draw(st.booleans()):
            ajouter(8, reservataire="COLLECTIVITE", code=code, communes=communes)
    for code in AUTRES:
        if draw(st.booleans()):
            ajouter(3, reservataire="AUTRE", code=code)
    return draw(st.permutations(liste))


@st.composite
def lot_du_parc(draw) -> dict:
    return {
        "commune": draw(st.sampled_from(COMMUNES)),
        "qpv": draw(st.booleans()),
        "finan": draw(st.sampled_from(FINAN)),
        "conv": draw(st.sampled_from("12")),
        "mode": draw(st.sampled_from("1112345")) if draw(st.integers(0, 7)) else "9",
        "sortie": draw(st.sampled_from(["9", "9", "9", "", "1", "5"])),
        "typeconst": draw(st.sampled_from("CIE")),
        "drapeaux": draw(st.lists(st.sampled_from(DRAPEAUX), max_size=2)),
        "nombre": draw(st.integers(0, 200)),
    }


@st.composite
def liberation(draw, numero: int, annee: int, territoires: dict[str, list[str] | None]) -> dict:
    commune = draw(st.sampled_from(COMMUNES))
    admis = [code for code, communes in territoires.items() if communes is None or commune in communes]
    return {
        "id": f"L{numero}",
        "date": draw(st.dates(date(annee - 1, 11, 1), date(annee + 1, 1, 15))).isoformat(),
        "commune": commune,
        "qpv": draw(st.booleans()),
        "usage": draw(st.sampled_from(["FLUX"] * 5 + SOUSTRACTIONS)),
        "premiere": draw(st.integers(0, 7)) == 0,
        "annulee": draw(st.integers(0, 9)) == 0,
        "reservataire": draw(st.sampled_from([*admis, "BAILLEUR", None])),
        "designation_echouee": draw(st.integers(0, 4)) == 0,
    }


@st.composite
def attribution(draw, identifiant: str, caleol: date) -> dict:
    proches = st.dates(caleol - timedelta(days=90), caleol + timedelta(days=90))
    labels = []
    for type_label in draw(st.lists(st.sampled_from(LABELS), max_size=3)):
        debut = draw(proches)
        fin = draw(
            st.none()
            | st.integers(0, 200).map(lambda n, debut=debut: (debut + timedelta(days=n)).isoformat())
        )
        labels.append(
            {
                "type": type_label,
                "debut": debut.isoformat(),
                "fin": fin,
                "exception": draw(st.integers(0, 5)) == 0,
            }
        )
    agent = None
    if draw(st.integers(0, 3)) == 0:
        agent = {
            "validation": draw(st.none() | proches.map(date.isoformat)),
            "accord_posterieur": draw(st.booleans()),
            "adapte": draw(st.integers(0, 3)) > 0,
        }
    return {
        "liberation": identifiant,
        "date_caleol": caleol.isoformat(),
        "date_proposition": draw(
            st.none() | st.integers(0, 40).map(lambda n: (caleol - timedelta(days=n)).isoformat())
        ),
        "refusee": draw(st.booleans()),
        "date_bail": draw(
            st.none() | st.integers(0, 60).map(lambda n: (caleol + timedelta(days=n)).isoformat())
        ),
        "statut": draw(st.sampled_from(["SALARIE", "DEMANDEUR_EMPLOI", "AUTRE"])),
        "motif_hors_prioritaire": draw(
            st.sampled_from([None, None, "PLS_SANS_CANDIDAT", "REFUS_CANDIDATS_ETAT"])
        ),
        "labels": labels,
        "agent": agent,
    }


@st.composite
def fichiers(draw, nature: str | None = None) -> dict:
    """A valid file, without `attendu`."""
    nature = nature or draw(st.sampled_from(["DEFINITIF", "DEFINITIF", "PREVISIONNEL"]))
    annee = draw(st.sampled_from([2024, 2025]))
    actes = draw(conventions(annee))
    fichier = {
        "titre": "tiré au sort",
        "annee": annee,
        "departement": "06",
        "nature": nature,
        "bailleur": {
            "siren": "123456782",
            "famille": draw(st.sampled_from(["OPH", "ESH", "COOP", "SEM", "AUTRE"])),
        },
        "conventions": actes,
        "parc": draw(st.lists(lot_du_parc(), max_size=8)),
        "liberations": [],
        "attributions": [],
        "reports": {},
    }
    if draw(st.booleans()):
        fichier["groupes"] = draw(st.dictionaries(st.sampled_from(LABELS), st.integers(1, 3), max_size=3))
    codes = {acte.get("code", acte["reservataire"]) for acte in actes}
    for code in sorted(codes | {"ETAT", "ALS"}):
        if draw(st.integers(0, 3)) == 0:
            fichier["reports"][code] = draw(st.integers(0, 5))
    if nature == "PREVISIONNEL":
        fichier["taux_rotation"] = draw(taux(0, 20))
        fichier["soustractions_previsionnelles"] = {}
        if draw(st.booleans()):
            # Enough dwellings that are in whatever the conventions say: the flux stays positive.
            fichier["taux_rotation"] = draw(taux(2, 20))
            fichier["parc"].append(dict(LOGEMENTS_SURS, nombre=draw(st.integers(500, 700))))
            fichier["soustractions_previsionnelles"] = draw(
                st.dictionaries(st.sampled_from(SOUSTRACTIONS), st.integers(0, 2), max_size=5)
            )
        return fichier
    territoires = {code: COLLECTIVITES.get(code) for code in sorted(codes)}
    for numero in range(draw(st.integers(0, 12))):
        lib = draw(liberation(numero, annee, territoires))
        fichier["liberations"].append(lib)
        freed = date.fromisoformat(lib["date"])
        for jours in draw(st.sets(st.sampled_from([-20, 5, 30, 31, 60, 100, 200]), max_size=2)):
            fichier["attributions"].append(draw(attribution(lib["id"], freed + timedelta(days=jours))))
    fichier["attributions"] = draw(st.permutations(fichier["attributions"]))
    return fichier


# --- Files broken at random ---------------------------------------------------------------------------------

RIENS = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 31, 10**30, "", " ", "0", "-1", "30", "1e3", "NaN", "Infinity", "3,5", ".5", "5.",
        "+5", "30 ", "\u0663", "9" * 80, "2025-02-30", "2025-02-29", "2024-02-29", "20250101", "2025-1-1", "0000-01-01",
        "9999-12-31", "ETAT", "ALS", "BAILLEUR", "FLUX", "ZZZ", "06029", "6029", "\ud800", [], {}, [None], [[]], {"a": 1},
        [{}], ["MUTATION", "MUTATION"], {"reservataire": "ETAT"},
    ]
)  # fmt: skip


def chemins(valeur, prefixe=()) -> list[tuple]:
    """Every place of a JSON value, as a tuple of keys and positions."""
    if isinstance(valeur, dict):
        membres = list(valeur.items())
    elif isinstance(valeur, list):
        membres = list(enumerate(valeur))
    else:
        return []
    return [(*prefixe, cle) for cle, _ in membres] + [
        chemin for cle, membre in membres for chemin in chemins(membre, (*prefixe, cle))
    ]


@st.composite
def fichiers_casses(draw, depart: dict) -> dict:
    """One to three random blows to a file: a member removed, replaced, added, repeated, swapped with another."""
    fichier = copy.deepcopy(depart)
    for _ in range(draw(st.integers(1, 3))):
        lieux = chemins(fichier)
        if not lieux:
            break
        *parents, cle = draw(st.sampled_from(lieux))
        cible = fichier
        for parent in parents:
            cible = cible[parent]
        match draw(st.sampled_from(["oter", "remplacer", "ajouter", "repeter", "echanger"])):
            case "oter":
                del cible[cle]
            case "remplacer":
                cible[cle] = draw(RIENS)
            case "ajouter" if isinstance(cible, dict):
                cible[draw(st.sampled_from(["cle", "", "fin", "code", "attendu", "groupes"]))] = draw(RIENS)
            case "repeter" if isinstance(cible, list):
                cible.append(copy.deepcopy(cible[cle]))
            case _:
                autre = draw(
                    st.sampled_from(list(cible) if isinstance(cible, dict) else list(range(len(cible))))
                )
                cible[cle], cible[autre] = cible[autre], cible[cle]
    return fichier
