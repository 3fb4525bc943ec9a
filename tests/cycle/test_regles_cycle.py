"""The table of the life of a bilan: each transition, and everything that is none."""

import json
from datetime import date

import pytest

from bilans.regles.cycle import (
    FIGURES,
    RIEN,
    TOUTES,
    TRANSITIONS,
    ActeBilan,
    ActeRefuse,
    EtatBilan,
    Partie,
    Rubrique,
    actes_possibles,
    est_fige,
    exiger_ouverte,
    exiger_reponses,
    exiger_texte,
    figure,
    peut,
    phrase_de_gel,
    rubriques_ouvertes,
    transition,
)
from bilans.regles.cycle_ecarts import chiffres_compares, ecarts_notables, est_notable
from bilans.regles.cycle_extrait import ExtraitBilan, empreinte_extrait, extraire
from bilans.regles.donnees import en_json, relire
from bilans.services.cycle import auteur_de
from reservation.acteur import Acteur, Role, TypeOrganisation
from tests.bilans.exemple import exemple

EXEMPLE = exemple()
E, A = EtatBilan, ActeBilan

# Told again, by hand: what the table must say, in the words of the people who do it.
ATTENDU = {
    (E.PREPARATION, A.SOUMETTRE): (E.SOUMIS, Partie.BAILLEUR, Role.SIGNATURE),
    (E.SOUMIS, A.DEMANDER): (E.COMPLEMENT, Partie.DDETS, Role.GESTION),
    (E.SOUMIS, A.RENVOYER): (E.RENVOYE, Partie.DDETS, Role.GESTION),
    (E.SOUMIS, A.VALIDER): (E.VALIDE, Partie.DDETS, Role.GESTION),
    (E.COMPLEMENT, A.DEMANDER): (E.COMPLEMENT, Partie.DDETS, Role.GESTION),
    (E.COMPLEMENT, A.REPONDRE): (E.COMPLEMENT, Partie.BAILLEUR, Role.GESTION),
    (E.COMPLEMENT, A.SOUMETTRE): (E.SOUMIS, Partie.BAILLEUR, Role.SIGNATURE),
    (E.COMPLEMENT, A.RENVOYER): (E.RENVOYE, Partie.DDETS, Role.GESTION),
    (E.RENVOYE, A.SOUMETTRE): (E.SOUMIS, Partie.BAILLEUR, Role.SIGNATURE),
    (E.VALIDE, A.ROUVRIR): (E.CORRECTION, Partie.DDETS, Role.GESTION),
    (E.CORRECTION, A.SOUMETTRE): (E.SOUMIS, Partie.BAILLEUR, Role.SIGNATURE),
}
PERSONNES = {
    f"{type_} {role}": auteur_de(Acteur(1, 1, type_, frozenset({role}), ("06",)))
    for type_ in TypeOrganisation
    for role in Role
}


@pytest.mark.parametrize("acte", A)
@pytest.mark.parametrize("etat", E)
def test_each_act_from_each_state(etat, acte):
    if (etat, acte) in ATTENDU:
        prevue = transition(etat, acte)
        assert (prevue.vers, prevue.partie, prevue.role) == ATTENDU[etat, acte]
    else:
        with pytest.raises(ActeRefuse, match=r"\.$"):
            transition(etat, acte)


def test_the_table_has_no_other_line_and_no_double():
    assert len(TRANSITIONS) == len(ATTENDU) == len({(t.de, t.acte) for t in TRANSITIONS})


def test_every_state_is_reached_and_left():
    """No dead end: a validated bilan itself is corrected by a new version."""
    assert {t.vers for t in TRANSITIONS} | {E.PREPARATION} == set(E)
    assert {t.de for t in TRANSITIONS} == set(E)


@pytest.mark.parametrize("prevue", TRANSITIONS, ids=lambda t: f"{t.de}-{t.acte}")
@pytest.mark.parametrize("qui", PERSONNES)
def test_who_may(prevue, qui):
    organisation, role = qui.split()
    signe = role == "SIGNATURE"
    attendu = (
        organisation == "BAILLEUR" and (signe or (prevue.role == Role.GESTION and role == "GESTION"))
        if prevue.partie == Partie.BAILLEUR
        else organisation == "DDETS" and role in ("GESTION", "SIGNATURE")
    )
    assert peut(PERSONNES[qui], prevue) is attendu


def test_nobody_does_it_in_the_place_of_another():
    assert not any(peut(auteur_de(Acteur.du_systeme("nuit")), t) for t in TRANSITIONS)
    aide = Acteur(1, 1, TypeOrganisation.BAILLEUR, frozenset({Role.SIGNATURE}), assistant_id=2)
    assert not any(peut(auteur_de(aide), t) for t in TRANSITIONS)


def test_what_somebody_may_do_now():
    signataire, agent = PERSONNES["BAILLEUR SIGNATURE"], PERSONNES["DDETS GESTION"]
    assert actes_possibles(signataire, E.PREPARATION) == (A.SOUMETTRE,)
    assert actes_possibles(signataire, E.COMPLEMENT) == (A.REPONDRE, A.SOUMETTRE)
    assert actes_possibles(signataire, E.SOUMIS) == ()
    assert actes_possibles(PERSONNES["BAILLEUR GESTION"], E.COMPLEMENT) == (A.REPONDRE,)
    assert actes_possibles(agent, E.SOUMIS) == (A.DEMANDER, A.RENVOYER, A.VALIDER)
    assert actes_possibles(agent, E.VALIDE) == (A.ROUVRIR,)
    assert actes_possibles(agent, E.PREPARATION) == ()


def test_what_must_be_written():
    muets = {(t.de, t.acte) for t in TRANSITIONS if not t.texte}
    assert {acte for _, acte in muets} == {A.SOUMETTRE, A.VALIDER}
    renvoi = transition(E.SOUMIS, A.RENVOYER)
    assert exiger_texte(renvoi, "  Le flux est faux. ") == "Le flux est faux."
    for prevue in TRANSITIONS:
        if prevue.texte:
            with pytest.raises(ActeRefuse):
                exiger_texte(prevue, " \n\t")
        else:
            assert exiger_texte(prevue, " ") == ""


def test_what_each_state_opens():
    for etat in (E.PREPARATION, E.RENVOYE, E.CORRECTION):
        assert rubriques_ouvertes(etat, ["APPRECIATION"]) == TOUTES
    for etat in (E.SOUMIS, E.VALIDE):
        assert rubriques_ouvertes(etat, ["APPRECIATION", "FLUX"]) == RIEN
    assert rubriques_ouvertes(E.COMPLEMENT) == RIEN


@pytest.mark.parametrize("demandee", FIGURES, ids=lambda f: f.code)
def test_a_demand_opens_only_what_it_concerns(demandee):
    ouvertes = rubriques_ouvertes(E.COMPLEMENT, [demandee.code])
    assert ouvertes == demandee.rubriques
    for rubrique in Rubrique:
        if rubrique in ouvertes:
            exiger_ouverte(rubrique, E.COMPLEMENT, [demandee.code])
        else:
            with pytest.raises(ActeRefuse, match="ne porte pas là-dessus"):
                exiger_ouverte(rubrique, E.COMPLEMENT, [demandee.code])


def test_two_demands_open_both():
    assert rubriques_ouvertes(E.COMPLEMENT, ["FLUX", "APPRECIATION"]) == {
        Rubrique.LIBERATIONS,
        Rubrique.APPRECIATION,
    }


def test_a_demand_bears_on_a_figure_that_exists():
    assert figure("QUARTS").ancre == "attributions"
    with pytest.raises(ActeRefuse, match="Choisissez le chiffre"):
        figure("")


def test_only_a_validated_bilan_freezes_its_imputations():
    assert [etat for etat in E if est_fige(etat)] == [E.VALIDE]
    assert "validé et figé" in phrase_de_gel(E.VALIDE)
    assert "l’examine" in phrase_de_gel(E.SOUMIS)


def test_answers_before_submitting_again():
    exiger_reponses(0)
    with pytest.raises(ActeRefuse, match="Une demande de la DDETS attend"):
        exiger_reponses(1)
    with pytest.raises(ActeRefuse, match="3 demandes"):
        exiger_reponses(3)


def test_states_and_acts_are_said():
    assert len({etat.libelle for etat in E}) == len(E)
    assert all(etat.attend.endswith(".") for etat in E)
    assert len({acte.libelle for acte in A}) == len(A)
    assert all(rubrique.libelle for rubrique in Rubrique)


# --- What looks odd beside last year ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("avant", "apres", "attendu"),
    [
        (0, 5, False),
        (0, 6, True),
        (20, 26, False),
        (18, 24, False),
        (17, 24, True),
        (24, 17, True),
        (8, 3, False),
    ],
)
def test_a_notable_move_is_large_both_ways_of_looking(avant, apres, attendu):
    assert est_notable(avant, apres) is attendu
    assert est_notable(apres, avant) is attendu


def test_moves_are_said():
    hausse, baisse = ecarts_notables({"Flux": 10, "Disparu": 9}, {"Flux": 30, "Stable": 2})
    assert hausse.phrase == "Flux\u00a0: 30, contre 10 l’année précédente (hausse de 20)."
    assert "baisse de 9" in baisse.phrase


# --- What a réservataire receives ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code", [fiche.code for fiche in EXEMPLE.reservataires if fiche.code not in ("ETAT", "BAILLEUR")]
)
def test_a_reservataire_receives_its_own_and_nothing_else(code):
    extrait = extraire(EXEMPLE, code, "BIL-1", "f" * 64, date(2026, 2, 20), flux_entier=code == "ALS")
    assert extrait.part.code == code and len(extrait.lignes) == extrait.part.attributions
    for croise in extrait.croises:
        assert sum(c.attribues for c in croise.cellules) == extrait.part.attributions
    assert (extrait.flux is None) == (code != "ALS")
    assert {s.code for s in extrait.soustractions} == {s.code for s in EXEMPLE.flux.soustractions}
    assert relire(ExtraitBilan, json.loads(json.dumps(en_json(extrait)))) == extrait
    autres = {x.logement for x in EXEMPLE.attributions if x.contingent != code} - {
        x.logement for x in extrait.lignes
    }
    texte = json.dumps(en_json(extrait), ensure_ascii=False)
    assert not [logement for logement in autres if f'"{logement}"' in texte]
    for mot in ("menage", "PRIORITE_", "DALO", "imputation"):
        assert mot not in texte
    noms = {f.nom for f in EXEMPLE.reservataires if f.code != code and f.code not in ("ETAT", "BAILLEUR")}
    assert not [
        nom
        for nom in noms
        if f'"{nom}"' in texte and nom not in {c.libelle for k in extrait.croises for c in k.classes}
    ]
    assert len(empreinte_extrait(extrait)) == 64


def test_last_year_is_compared_on_every_reservataire():
    chiffres = chiffres_compares(EXEMPLE)
    assert chiffres["Flux annuel"] == EXEMPLE.flux.flux
    assert (
        sum(n for nom, n in chiffres.items() if nom.startswith("Attributions")) == EXEMPLE.pont.attributions
    )
