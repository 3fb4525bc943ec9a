"""Totals that disagree are refused: every number of the tree that is said twice is compared somewhere."""

from dataclasses import fields, is_dataclass, replace

import pytest

from bilans.regles.coherence import ChiffresIncoherents, exiger, verifier
from bilans.regles.donnees import DonneesBilan
from tests.bilans.exemple import exemple


@pytest.fixture(scope="module")
def donnees() -> DonneesBilan:
    return exemple(flux=120)


@pytest.mark.parametrize(
    "options",
    [{}, {"collectivites": 11}, {"flux": 0}, {"flux": 900, "quart": 0.1}, {"provisoire": True}],
    ids=str,
)
def test_right_figures_pass(options):
    assert verifier(exemple(**options)) == ()


# Numbers said once: no other number of the tree can contradict them.
SEULS = {
    "annee",
    "schema",
    "situation.version_calcul",
    "situation.millesime",
    "conventions.*.rang",
    "groupes.*.rang",
    "flux.premieres_hors_flux",
    "flux.previsionnel",
    "flux.soustractions.*.prevu",
    "flux.soustractions.*.qpv",
    "parts.*.baux",
    "parts.*.echecs",
    "agents.loges",
    "agents.plafond",
    "quarts.*.echecs",
    "hors_qpv.etat",
    "hors_qpv.objectif",
    "caleol.seances",
}


def nommer(chemin) -> str:
    return ".".join("*" if isinstance(c, int) else c for c in chemin)


def chemins(valeur, chemin=()):
    """Paths of every number of the tree."""
    if is_dataclass(valeur):
        for champ in fields(valeur):
            yield from chemins(getattr(valeur, champ.name), (*chemin, champ.name))
    elif isinstance(valeur, tuple):
        for rang, element in enumerate(valeur):
            yield from chemins(element, (*chemin, rang))
    elif isinstance(valeur, int) and not isinstance(valeur, bool):
        yield chemin


def changer(valeur, chemin, difference):
    if not chemin:
        return valeur + difference
    tete, *reste = chemin
    if isinstance(tete, int):
        return tuple(changer(e, reste, difference) if rang == tete else e for rang, e in enumerate(valeur))
    return replace(valeur, **{tete: changer(getattr(valeur, tete), reste, difference)})


def test_any_wrong_total_is_seen(donnees):
    """Each number of the tree, one more: it is refused, unless the number answers for itself only."""
    passes = {nommer(c) for c in chemins(donnees) if verifier(changer(donnees, c, 1)) == ()}
    assert passes == SEULS


@pytest.mark.parametrize(
    "chemin",
    [
        ("parc", "hors", 1, "nombre"),
        ("flux", "soustractions", 0, "realise"),
        ("flux", "soustractions", 0, "affectation", 0, "nombre"),
        ("parts", 0, "objectif"),
        ("parts", 0, "realise"),
        ("pont", "orientes"),
        ("croises", 0, "cellules", 0, "attribues"),
        ("croises", 4, "cellules", 0, "proposes"),
        ("operations", 0, "par_reservataire", 0, "nombre"),
        ("etat", 1, "qpv"),
        ("communes", 0, "hors_qpv"),
        ("caleol", "decisions", 3, "nombre"),
        ("caleol", "refus_menages", 0, "total"),
        ("suites", 0, "baux"),
    ],
    ids=lambda chemin: ".".join(map(str, chemin)),
)
def test_wrong_numbers(donnees, chemin):
    assert verifier(changer(donnees, chemin, 1))


def test_a_missing_line_is_seen(donnees):
    assert verifier(replace(donnees, attributions=donnees.attributions[1:]))


def test_the_refusal_names_the_totals(donnees):
    faux = replace(donnees, parc=replace(donnees.parc, total=donnees.parc.total + 1))
    with pytest.raises(ChiffresIncoherents) as refus:
        exiger(faux)
    assert refus.value.anomalies == (
        f"Assiette et exclus, dans le parc\u00a0: {donnees.parc.total:_} lus, {donnees.parc.total + 1:_} attendus.".replace(
            "_", "\u202f"
        ),
    )
    assert exiger(donnees) is donnees
