"""The ground of a label: who may be told, and the row that each telling leaves."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.urls import reverse

from publics.models import CategorieLabel, Labellisation, LectureSensible
from publics.services.lectures import lire_motif
from reservation.acteur import Acteur
from tests.acces.matrice import ANONYME, PERSONNAGES

pytestmark = pytest.mark.django_db

LISENT_LE_LABEL_DE_LA_DDETS = {"agent_ddets_06", "lecteur_ddets_06", "administrateur_ddets_06"}
BAILLEUR_A = {"gestionnaire_a", "signataire_a", "lecteur_a", "administrateur_a"}


def lecteurs(decor, label) -> set[str]:
    lus = set()
    for nom in PERSONNAGES:
        if nom == ANONYME:
            continue
        try:
            lire_motif(decor.cast.acteur(nom), label, "/essai/")
        except PermissionDenied:
            continue
        lus.add(nom)
    return lus


def test_read_by_the_ddets_and_by_who_entered_it(decor):
    assert lecteurs(decor, decor.a.label) == LISENT_LE_LABEL_DE_LA_DDETS
    assert lecteurs(decor, decor.a.label_propose) == LISENT_LE_LABEL_DE_LA_DDETS | BAILLEUR_A
    assert lecteurs(decor, decor.b.label_propose) == LISENT_LE_LABEL_DE_LA_DDETS | {"gestionnaire_b"}
    saisi = Labellisation.objects.create(
        menage=decor.a.label.menage,
        departement_id="06",
        categorie=CategorieLabel.objects.get(pk="HEBERGEMENT"),
        debut=decor.a.label.debut,
        saisie_par=decor.cast.operateur_06,
    )
    assert lecteurs(decor, saisi) == LISENT_LE_LABEL_DE_LA_DDETS | {"operateur"}


def test_each_reading_leaves_a_row_and_a_refusal_none(decor):
    acteur = decor.cast.acteur("lecteur_ddets_06")
    motif = lire_motif(acteur, decor.a.label, "/menages/12/" + "x" * 300)
    assert motif.libelle == CategorieLabel.objects.get(pk="DALO").libelle
    lecture = LectureSensible.objects.get()
    assert (lecture.utilisateur_id, lecture.organisation_id) == (
        acteur.utilisateur_id,
        acteur.organisation_id,
    )
    assert (lecture.objet, lecture.departement_id) == (f"label {decor.a.label.pk}", "06")
    assert lecture.page.startswith("/menages/12/x") and len(lecture.page) == 200
    for refuse in (decor.cast.acteur("agent_sgc_06"), Acteur.du_systeme("nuit"), Acteur()):
        with pytest.raises(PermissionDenied):
            lire_motif(refuse, decor.a.label, "/")
    assert LectureSensible.objects.count() == 1


def test_a_reading_is_written_once(decor):
    lire_motif(decor.cast.acteur("agent_ddets_06"), decor.a.label, "/")
    lecture = LectureSensible.objects.get()
    for reecrire in (
        lecture.delete,
        lambda: LectureSensible.objects.update(objet="autre"),
        lambda: LectureSensible.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            reecrire()
    assert LectureSensible.objects.get().objet == lecture.objet


def test_journal_is_read_by_administrators(decor):
    """Those of the reader's organisation; nobody else, whatever else they may read."""
    lire_motif(decor.cast.acteur("gestionnaire_a"), decor.a.label_propose, "/")
    lire_motif(decor.cast.acteur("agent_ddets_06"), decor.a.label, "/")
    lus = {
        nom: LectureSensible.objects.visibles_par(decor.cast.acteur(nom)).count()
        for nom in PERSONNAGES
        if nom != ANONYME
    }
    assert {nom: nombre for nom, nombre in lus.items() if nombre} == {
        "administrateur_a": 1,
        "administrateur_ddets_06": 2,
    }
    assert LectureSensible.objects.visibles_par(Acteur.du_systeme("essai")).count() == 2


def test_page_tells_and_fragment_too(decor, client):
    client.force_login(decor.cast.agent_ddets_06)
    adresse = reverse("publics:motif_label", args=[decor.a.label_propose.pk])
    libelle = CategorieLabel.objects.get(pk="VIOLENCES").libelle
    assert client.get(adresse).status_code == 405
    page = client.post(adresse, headers={"Referer": "http://testserver/attributions/3/?q=secret"})
    assert libelle in page.content.decode() and "<h1" in page.content.decode()
    fragment = client.post(
        adresse, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/attributions/4/"}
    )
    assert libelle in fragment.content.decode() and "<html" not in fragment.content.decode()
    pages = LectureSensible.objects.order_by("pk").values_list("page", flat=True)
    assert list(pages) == ["/attributions/3/", "/attributions/4/"]
    assert page.headers["Cache-Control"] == "private, no-store"


def test_page_writes_nothing_without_the_right(decor, client):
    adresse = reverse("publics:motif_label", args=[decor.a.label.pk])
    for nom, code in (
        ("gestionnaire_a", 404),
        ("agent_ddets_22", 404),
        ("charge_als", 404),
        ("agent_sgc_06", 403),
    ):
        client.force_login(decor.cast.gens[nom])
        reponse = client.post(adresse)
        assert reponse.status_code == code
        assert decor.a.label.categorie.libelle not in reponse.content.decode()
    assert not LectureSensible.objects.exists()
