"""The pages of the COPIL repeat the consolidation: each place reached from the one above, small counts hidden."""

import re
from fractions import Fraction
from html import unescape

import pytest
from django.urls import reverse

from bilans.regles.consolidation import ETAT
from bilans.services import consolidation, cycle
from bilans.services.documents import produire_document
from reservation.acteur import Acteur
from reservation.documents.pdf import Pdf
from reservation.regles.typographie import decimal_fr, entier_fr
from tests.bilans.conftest import ANNEE, FEVRIER


@pytest.fixture(autouse=True)
def _sans_rendu(sans_rendu, monkeypatch):
    monkeypatch.setattr(cycle, "rendre_texte", lambda contenu: Pdf(contenu.encode(), 1))
    monkeypatch.setattr(cycle, "rendre", lambda document: Pdf(f"%PDF {document.reference}".encode(), 2))


@pytest.fixture
def connecte(client, cast):
    def entrer(qui: str):
        client.force_login(cast.gens[qui])
        return client

    return entrer


@pytest.fixture
def valide(cast, bilan):
    marque = produire_document(Acteur.du_systeme("essai"), bilan, FEVRIER).document.empreinte_donnees
    cycle.soumettre(cast.acteur("signataire_a"), bilan, marque)
    cycle.valider(cast.acteur("agent_ddets_06"), bilan)
    return bilan


def _lire(client, adresse: str) -> str:
    reponse = client.get(adresse)
    assert reponse.status_code == 200
    return unescape(reponse.content.decode())


def test_from_the_region_to_the_bailleur(cast, connecte, valide, django_assert_max_num_queries):
    client = connecte("charge_dreal")
    lue = consolidation.lire_consolidation(cast.acteur("charge_dreal"), ANNEE)
    etat = lue.racine.contingent(ETAT)
    with django_assert_max_num_queries(30):
        page = _lire(client, reverse("bilans:comite"))
    assert f"{entier_fr(etat.realise)} / {entier_fr(etat.du)}" in page and "n.c." in page
    points = Fraction(100 * etat.realise, lue.racine.flux)
    assert f'data-l="Points du flux">{decimal_fr(points, 2)}</td>' in page
    dessines = len(re.findall(r'<a href="[^"]*"[^>]*><path class="c', page))
    assert dessines == len(lue.departements) == 1 and page.count('<path class="c') == 6, "the whole région"
    departement = reverse("bilans:comite_departement", args=("06",))
    assert departement in page
    page = _lire(client, f"{departement}?annee={ANNEE}&evenement=baux")
    fiche = reverse("bilans:comite_bailleur", args=("06", valide.bailleur_id))
    assert fiche in page and f"{entier_fr(etat.baux)} / {entier_fr(etat.du)}" in page
    cercles = set(re.findall(r'<a href="#commune-(\w+)"', page))
    assert cercles == {c.code for c in lue.departements[0].communes if c.flux > 0}, (
        "drawn, or named as having no place"
    )
    assert cercles <= set(re.findall(r'<tr id="commune-(\w+)"', page)), "each leads to its line"
    assert ">Écart<" not in page, "the gap is that of the event of the conventions"
    assert valide.bailleur.nom in _lire(client, fiche)
    assert client.get(reverse("bilans:comite_bailleur", args=("13", valide.bailleur_id))).status_code == 404


def test_the_state_reads_its_own_departement_unmasked(connecte, valide):
    page = _lire(connecte("agent_ddets_06"), reverse("bilans:comite"))
    assert "n.c." not in page and "ne la transmettez pas" in page and page.count('<path class="c') == 1


def test_before_any_validation_and_for_a_stranger(connecte, bilan):
    assert "Aucun bilan n’est encore validé" in _lire(connecte("charge_dreal"), reverse("bilans:comite"))
    assert connecte("signataire_a").get(reverse("bilans:comite")).status_code == 404
    assert connecte("charge_dreal").get(reverse("bilans:comite_departement", args=("06",))).status_code == 404
