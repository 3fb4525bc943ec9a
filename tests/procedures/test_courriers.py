"""Templates of letters: a closed list of variables, every fault said with its line, nothing that is ever executed."""

import re
import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.courriers import (
    MODELES,
    OBLIGATOIRES,
    VARIABLES,
    Bloc,
    Genre,
    Modele,
    ModeleInvalide,
    composer,
    lire_corps,
    variables_de,
    verifier_modele,
)
from bilans.regles.procedures import Lettre
from reservation.regles.typographie import typographier

EXEMPLES = {nom: variable.exemple for nom, variable in VARIABLES.items()}
MED = MODELES[Lettre.MISE_EN_DEMEURE]


@pytest.mark.parametrize("lettre", Lettre)
def test_each_letter_has_a_template_without_fault_that_says_all_it_must(lettre):
    modele = MODELES[lettre]
    assert verifier_modele(modele) == ()
    composee = composer(modele, EXEMPLES)
    textes = [composee.objet, *composee.mentions, *(t for b in composee.blocs for t in b.textes)]
    assert not any("{" in t or "}" in t or not t for t in textes)
    imprime = " ".join(textes)
    for nom in OBLIGATOIRES[lettre]:
        assert typographier(EXEMPLES[nom]) in imprime, nom
    assert any(b.decide for b in composee.blocs) or lettre == Lettre.COMPTE_RENDU
    assert any(b.genre == Genre.CONSTAT for b in composee.blocs)
    assert OBLIGATOIRES[lettre] <= variables_de(lettre) <= VARIABLES.keys()


@pytest.mark.parametrize("lettre", [nom for nom in Lettre if "clause" in OBLIGATOIRES[nom]])
@pytest.mark.parametrize(
    "clause",
    [
        "article 8.2",
        "Convention, art. 8.2",
        "art. 8, clause proposée par le modèle",
    ],
)
def test_the_clause_is_quoted_as_the_models_of_convention_write_it(lettre, clause):
    """It is words of the convention, not always the number of an article: « notamment son Convention, art. 8.2 »."""
    textes = [t for b in composer(MODELES[lettre], EXEMPLES | {"clause": clause}).blocs for t in b.textes]
    attendu = typographier(f"et sa clause sur les objectifs non atteints : {clause}")
    assert any(attendu in t for t in textes), textes


def test_the_three_procedures_do_not_quote_each_other():
    """The mise en demeure speaks of no objective missed, the quarter of no clause 8.2, and so on."""
    assert "441-5-2" not in MODELES[Lettre.REPORT].corps + MODELES[Lettre.NOTIFICATION_QUART].corps
    assert "L. 313-26-2" not in MED.corps + MODELES[Lettre.INVITATION].corps
    assert "{clause}" not in MED.corps + MODELES[Lettre.NOTIFICATION_QUART].corps


def test_a_text_is_read_block_by_block():
    blocs = lire_corps(
        "Vu a ;\nVu b ;\n\n== Titre\nun\ndeux\n\ntrois\n- x\n- y\n! dit :\n! 1. p\n! 2. q\n@constat\n"
    )
    assert blocs == (
        Bloc(Genre.VU, ("Vu a ;", "Vu b ;")),
        Bloc(Genre.TITRE, ("Titre",)),
        Bloc(Genre.PARAGRAPHE, ("un deux",)),
        Bloc(Genre.PARAGRAPHE, ("trois",)),
        Bloc(Genre.PUCES, ("x", "y")),
        Bloc(Genre.PARAGRAPHE, ("dit :",), True),
        Bloc(Genre.NUMEROS, ("p", "q"), True),
        Bloc(Genre.CONSTAT),
    )


@pytest.mark.parametrize(
    ("ligne", "faute"),
    [
        ("{inconnue}", "Texte, ligne 1 : «\u00a0{inconnue}\u00a0» n’est pas une variable de cette lettre"),
        ("{reunion}", "«\u00a0{reunion}\u00a0» n’est pas une variable de cette lettre"),
        ("{bailleur.__class__}", "n’est pas une variable"),
        ("{bailleur!r}", "n’est pas une variable"),
        ("{0}", "n’est pas une variable"),
        ("{}", "n’est pas une variable"),
        ("{{ bailleur }}", "accolade"),
        ("{% include 'x' %}", "n’est pas une variable"),
        ("{{bailleur}}", "une accolade n’entoure aucune variable"),
        ("un } seul", "une accolade n’entoure aucune variable"),
        ("@annexe", "seul «\u00a0@constat\u00a0» se place"),
        ("a\x00b", "un caractère ne s’imprime pas"),
    ],
)
def test_a_fault_is_said_with_its_line(ligne, faute):
    fautes = verifier_modele(replace(MED, corps=f"{ligne}\n{MED.corps}"))
    assert any(typographier(faute) in f for f in fautes), fautes
    with pytest.raises(ModeleInvalide):
        composer(replace(MED, corps=f"{ligne}\n{MED.corps}"), EXEMPLES)


def test_what_the_letter_must_say_cannot_be_taken_out():
    fautes = verifier_modele(replace(MED, corps="Bonjour.", objet="x"))
    assert any("{convention} (numéro et date de la convention)" in f and "{delai}" in f for f in fautes)
    for partie in ("objet", "corps", "mentions"):
        assert any("à remplir" in f for f in verifier_modele(replace(MED, **{partie: " "})))
    assert any("une seule ligne" in f for f in verifier_modele(replace(MED, objet="a\nb")))
    assert any("une fois au plus" in f for f in verifier_modele(replace(MED, corps=MED.corps + "\n@constat")))


def test_a_sentence_typed_as_a_value_ends_once():
    modele = MODELES[Lettre.RESILIATION]
    valeurs = EXEMPLES | {"motif": "Le bilan manque."}
    textes = [texte for bloc in composer(modele, valeurs).blocs for texte in bloc.textes]
    assert "Motif\u00a0: Le bilan manque." in textes


def test_a_missing_value_is_named():
    with pytest.raises(ModeleInvalide) as refus:
        composer(MED, EXEMPLES | {"convention": " ", "tribunal": ""})
    assert refus.value.fautes == (
        "Il manque pour composer la lettre\u00a0: numéro et date de la convention et tribunal administratif compétent.",
    )


@given(st.text(alphabet=string.printable + "{}@!=é\u00a0<>&", max_size=60))
def test_a_value_never_becomes_part_of_the_template(valeur):
    """Marks, braces and line breaks in a value are printed: same blocks, whatever it holds."""
    if not valeur.strip():
        return
    temoin = composer(MED, EXEMPLES | {"convention": "TEMOIN"})
    composee = composer(MED, EXEMPLES | {"convention": valeur})
    assert [(b.genre, b.decide, len(b.textes)) for b in composee.blocs] == [
        (b.genre, b.decide, len(b.textes)) for b in temoin.blocs
    ]
    attendu = " ".join(valeur.split())
    brut = [t.replace("\u00a0", " ").replace("\u202f", " ") for b in composee.blocs for t in b.textes]
    assert any(attendu.replace("\u00a0", " ") in t for t in brut)


@given(st.text(max_size=300))
def test_whatever_is_typed_is_refused_or_composed(corps):
    """No template makes the program fail, and none lets a brace through."""
    modele = Modele(Lettre.COMPTE_RENDU, "{reunion}", f"{{presents}}\n{corps}", "m")
    try:
        composee = composer(modele, EXEMPLES)
    except ModeleInvalide as refus:
        assert refus.fautes
    else:
        assert not re.search(r"[{}]", " ".join(t for b in composee.blocs for t in b.textes))
