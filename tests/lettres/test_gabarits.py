"""What a DDETS may not take out of a letter, and what one version changes from another."""

from dataclasses import replace

import pytest

from bilans.regles.courriers import MODELES
from bilans.regles.gabarits import comparer, mentions_legales, verifier_gabarit
from bilans.regles.procedures import Lettre

MED = MODELES[Lettre.MISE_EN_DEMEURE]


@pytest.mark.parametrize("lettre", Lettre)
def test_the_template_of_the_house_has_its_mentions(lettre):
    assert verifier_gabarit(MODELES[lettre]) == ()
    assert mentions_legales(lettre)
    assert len(set(mentions_legales(lettre))) == len(mentions_legales(lettre))


@pytest.mark.parametrize("lettre", Lettre)
def test_no_legal_mention_can_be_removed(lettre):
    """Whatever is taken out, line by line, of the texts of the law, of the ways of appeal or of the exchange."""
    modele = MODELES[lettre]
    sans_recours = replace(modele, mentions="Écrire à : {service}.")
    assert any("ne s’enlève pas" in f for f in verifier_gabarit(sans_recours))
    for ligne in modele.corps.splitlines():
        if ligne.startswith("Vu le code") or "présenter des observations écrites" in ligne:
            sans = replace(modele, corps=modele.corps.replace(ligne, "Autre chose."))
            assert any("ne s’enlève pas" in f for f in verifier_gabarit(sans)), ligne


def test_the_mise_en_demeure_keeps_its_exchange_and_its_appeals():
    mentions = " ".join(mentions_legales(Lettre.MISE_EN_DEMEURE))
    assert "R. 441-5-2, IV" in mentions and "présenter des observations écrites" in mentions
    assert "telerecours" in mentions and "{service}" not in mentions


def test_what_is_added_around_is_free():
    ajoute = replace(
        MED, corps=f"Bonjour {{bailleur}}.\n\n{MED.corps}", mentions=f"{MED.mentions}\n\nCopie au préfet."
    )
    assert verifier_gabarit(ajoute) == ()
    # Line breaks of the editor do not count.
    assert verifier_gabarit(replace(MED, mentions=MED.mentions.replace(". ", ".\n"))) == ()


def test_a_comparison_shows_only_what_changes():
    apres = replace(MED, objet="mise en demeure : {manquements}", corps=MED.corps + "\nUne ligne de plus.")
    ecarts = comparer(MED, apres)
    assert [(e.partie, e.signe) for e in ecarts] == [
        ("Objet", "−"),
        ("Objet", "+"),
        ("Texte", ""),
        ("Texte", "+"),
    ]
    assert ecarts[-1].texte == "Une ligne de plus." and len(ecarts) < 10
    assert comparer(MED, MED) == ()
    deux = replace(MED, corps="Début.\n" + MED.corps + "\nFin.")
    assert [e.signe for e in comparer(MED, deux)].count("…") == 1
