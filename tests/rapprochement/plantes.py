"""Extracts with planted gaps: households drawn one by one, what differs written down as it is planted, then noise.

The truth is what was planted, never what the rule says. Noise that must not be seen: dates a few days apart, day and
month the other way round, dwelling codes missing or mistaken, contingents that nobody could read, one attribution told
by one, two or three lines, the same line twice, households with a past attribution, lines of other years.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from flux.regles.rapprochement import (
    AttributionLocale,
    Contingent,
    Evenement,
    NatureEcart,
    Tolerances,
    inverser,
)
from publics.regles.groupes import Label, TypeLabel

DEBUT, FIN = date(2025, 1, 1), date(2025, 12, 31)
TOLERANCES = Tolerances(dates=7, logement=31)
N = NatureEcart
CATEGORIES = tuple(TypeLabel)
AUTRES_RADIATIONS = ("RADABA", "RADCON", "RADREN", "RADIRR")


@dataclass
class Plantes:
    """`attendus`: (household, nature) of every planted gap. `lignes`: external lines and attributions."""

    evenements: list[Evenement] = field(default_factory=list)
    attributions: list[AttributionLocale] = field(default_factory=list)
    attendus: set[tuple[str, NatureEcart]] = field(default_factory=set)

    @property
    def lignes(self) -> int:
        return len(self.evenements) + len(self.attributions)


def planter(lignes: int, graine: int, taux: float = 0.25) -> Plantes:
    """At least `lignes` lines; `taux`: share of the households with planted gaps."""
    tirage = random.Random(graine)
    plantes = Plantes()
    rang = 0
    while plantes.lignes < lignes:
        rang += 1
        _menage(plantes, f"m{rang:06d}", tirage, tirage.random() < taux)
    tirage.shuffle(plantes.evenements)
    tirage.shuffle(plantes.attributions)
    return plantes


def _menage(plantes: Plantes, menage: str, tirage: random.Random, avec_ecarts: bool) -> None:
    caleol = DEBUT + timedelta(days=tirage.randrange(40, 320))
    bail = caleol + timedelta(days=tirage.randrange(5, 60)) if tirage.random() < 0.8 else None
    contingent = tirage.choice(tuple(Contingent))
    logement = f"06{tirage.randrange(10**8):08d}"
    attendu = contingent == Contingent.ETAT_PRIORITAIRE
    prioritaire = attendu or (contingent != Contingent.ETAT_AGENT and tirage.random() < 0.4)
    categorie = tirage.choice(CATEGORIES)
    label = Label(categorie, caleol - timedelta(days=tirage.randrange(30, 300)), caleol + timedelta(days=200))
    labels_ici, labels_la_bas = ([label], [label]) if prioritaire else ([], [])
    sne = {"contingent": contingent.value, "bail": bail, "radie": None, "radiation": "", "motif": ""}
    if prioritaire and tirage.random() < 0.5:
        sne["motif"] = categorie.value
    if bail and tirage.random() < 0.6:
        sne |= {"radie": bail + timedelta(days=tirage.randrange(0, 20)), "radiation": "RADATT"}
    bail_ici, presence = bail, "deux"
    ecarts: set[NatureEcart] = set()
    if avec_ecarts:
        genre = tirage.random()
        if genre < 0.15:
            presence, ecarts = "sne", {N.SNE_SEUL}
        else:
            if genre < 0.3:
                presence = "ici"
                ecarts.add(N.ICI_SEUL)
            if contingent != Contingent.ETAT_AGENT and tirage.random() < 0.5:
                nature, labels_ici, labels_la_bas, sne["motif"] = _label_plante(caleol, presence, tirage)
                ecarts.add(nature)
            if presence == "deux" and tirage.random() < 0.4:
                autre = tirage.choice([c for c in Contingent if c != contingent])
                sne["contingent"] = autre.value
                ecarts.add(N.CONTINGENT)
            if presence == "deux" and bail and tirage.random() < 0.4:
                match tirage.randrange(4):
                    case 0:
                        sne |= {"bail": None, "radie": None, "radiation": ""}
                        ecarts.add(N.BAIL_ABSENT)
                    case 1:
                        bail_ici = None
                        ecarts.add(N.BAIL_ABSENT)
                    case 2:
                        sne |= {"radie": bail, "radiation": tirage.choice(AUTRES_RADIATIONS)}
                        ecarts.add(N.RADIATION)
                    case _:
                        sne |= {"bail": None, "radie": bail, "radiation": tirage.choice(AUTRES_RADIATIONS)}
                        ecarts |= {N.BAIL_ABSENT, N.RADIATION}
    plantes.attendus |= {(menage, ecart) for ecart in ecarts}
    if presence != "sne":
        plantes.attributions.append(
            AttributionLocale(
                len(plantes.attributions) + 1,
                menage,
                caleol,
                bail_ici,
                False,
                logement,
                contingent.value,
                attendu,
                tuple(labels_ici),
            )
        )
    if presence != "ici":
        _lignes_sne(plantes, menage, caleol, logement, sne, N.CONTINGENT in ecarts, tirage)
    for connu in labels_la_bas:
        plantes.evenements.append(
            Evenement(
                len(plantes.evenements) + 1,
                menage,
                label=connu.type,
                label_debut=connu.debut,
                label_fin=connu.fin,
            )
        )
    _passe(plantes, menage, tirage)


def _label_plante(caleol: date, presence: str, tirage: random.Random):
    """(nature, labels here, labels there, motive of the line)."""
    jour = timedelta(days=1)
    une, autre = tirage.sample(CATEGORIES, 2)
    valide = Label(une, caleol - tirage.randrange(1, 200) * jour, caleol + tirage.choice((0, 1, 100)) * jour)
    tardif = Label(une, caleol + tirage.randrange(1, 90) * jour)
    echu = Label(une, caleol - 300 * jour, caleol - tirage.randrange(1, 90) * jour)
    manquants = {N.LABEL_ABSENT: [], N.LABEL_TARDIF: [tardif], N.LABEL_EXPIRE: [echu]}
    nature = tirage.choice([*manquants, *([N.MOTIF] if presence == "deux" else [])])
    if nature == N.MOTIF:
        return nature, [valide], [valide._replace(type=autre)], tirage.choice(("", autre.value))
    if tirage.random() < 0.5:
        return nature, [valide], manquants[nature], ""
    return nature, manquants[nature], [valide], ""


def _lignes_sne(plantes, menage, caleol, logement, sne, contingent_lu: bool, tirage) -> None:
    """The attribution, told by one to three lines, with noise that changes nothing."""
    bruit = tirage.random()
    if bruit < 0.3:
        dite = caleol + timedelta(days=tirage.randint(-TOLERANCES.dates, TOLERANCES.dates))
    elif bruit < 0.4 and inverser(caleol) is not None and abs((inverser(caleol) - caleol).days) > 31:
        dite = inverser(caleol)
    elif bruit < 0.5:
        dite = caleol + timedelta(days=tirage.randint(8, TOLERANCES.logement))
    else:
        dite = caleol
    ecrit = logement
    if abs((dite - caleol).days) <= TOLERANCES.dates:  # else the dwelling is what says that they are one
        ecrit = tirage.choices((logement, "", f"{logement[:-2]}99"), (8, 1, 1))[0]
    contingent = sne["contingent"]
    if not contingent_lu and tirage.random() < 0.05:
        contingent = ""
    commun = {"menage": menage, "logement": ecrit}
    entiere = {"caleol": dite, "contingent": contingent, "motif": sne["motif"]}
    dates = {cle: sne[cle] for cle in ("bail", "radie", "radiation")}
    loin = sne["bail"] is not None and (sne["bail"] - dite).days < -TOLERANCES.dates
    lignes = [entiere | dates]
    if not loin and dite != inverser(caleol) and tirage.random() < 0.4:
        lignes = [entiere]
        if sne["bail"]:
            lignes.append({"bail": sne["bail"]})
        if sne["radie"]:
            lignes.append({"radie": sne["radie"], "radiation": sne["radiation"]})
    if tirage.random() < 0.05:
        lignes.append(lignes[0])
    for ligne in lignes:
        plantes.evenements.append(Evenement(id=len(plantes.evenements) + 1, **commun, **ligne))


def _passe(plantes: Plantes, menage: str, tirage: random.Random) -> None:
    """Lines that are no gap: another year, a refusal, a decision that attributes nothing, a renewal not made."""
    ancien = DEBUT - timedelta(days=tirage.randrange(400, 900))
    match tirage.randrange(12):
        case 0:
            ligne = Evenement(len(plantes.evenements) + 1, menage, caleol=ancien, contingent="ALS")
        case 1:
            ligne = Evenement(len(plantes.evenements) + 1, menage, caleol=ancien, decision="NON_ATTR")
        case 2:
            ligne = Evenement(len(plantes.evenements) + 1, menage, radie=ancien, radiation="RADREN")
        case _:
            return
    plantes.evenements.append(ligne)
