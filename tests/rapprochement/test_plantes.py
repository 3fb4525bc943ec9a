"""The proof: on extracts with known planted gaps, all of them are found and no other."""

import pytest

from flux.regles.rapprochement import NatureEcart, rapprocher
from tests.rapprochement.fichiers import fichiers, lire_fichiers, numero_de
from tests.rapprochement.plantes import DEBUT, FIN, TOLERANCES, Plantes, planter

LIGNES = 50_000


def trouver(plantes: Plantes) -> list[tuple[str, NatureEcart]]:
    resultat = rapprocher(plantes.evenements, plantes.attributions, DEBUT, FIN, tolerances=TOLERANCES)
    return [
        ((ligne.attribution or ligne.fait).menage, ecart.nature)
        for ligne in resultat.lignes
        for ecart in ligne.ecarts
    ]


def test_all_the_planted_gaps_and_no_other(capsys):
    """Through the files: dates and codes as the tools write them, read by the readers of the deposits."""
    plantes = planter(LIGNES, graine=2026)
    menages = {numero_de(evenement.menage): evenement.menage for evenement in plantes.evenements}
    lus = lire_fichiers(*fichiers(plantes.evenements, graine=7), menages)
    assert len(lus) == len(plantes.evenements)
    plantes.evenements = lus
    trouves = trouver(plantes)
    justes = [cle for cle in trouves if cle in plantes.attendus]
    precision = len(justes) / len(trouves)
    rappel = len(set(justes)) / len(plantes.attendus)
    with capsys.disabled():
        print(
            f"\nRapprocheur : {plantes.lignes} lignes, {len(plantes.attendus)} écarts plantés, {len(trouves)} "
            f"trouvés ; précision {precision:.4f}, rappel {rappel:.4f}"
        )
    assert sorted(trouves) == sorted(plantes.attendus)
    assert {nature for _, nature in trouves} == set(NatureEcart)
    assert len(plantes.attendus) > 2_000


@pytest.mark.parametrize("graine", range(4))
def test_whatever_the_draw(graine):
    plantes = planter(2_000, graine=graine, taux=0.7)
    assert sorted(trouver(plantes)) == sorted(plantes.attendus)
