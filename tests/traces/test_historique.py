"""The Historique in words: who reads it, what it says, what it keeps to itself, in how many queries."""

from datetime import date

import pytest
from django.urls import reverse

from flux.models import CodeMotif, Liberation
from flux.services.liberations import annuler_liberation
from publics.models import CategorieLabel, Labellisation, Menage
from reservation import contexte
from reservation.models import Convention, VersionConvention
from reservation.services.conventions import signer_convention
from reservation.services.historique import genres, historique, ouvrir_objet
from tests.conventions.fabrique import SYSTEME, brouillon, signee
from tests.flux.fabriques import actes_paca, attribution, liberation

pytestmark = pytest.mark.django_db


def lire(acteur, genre: str, cle) -> list:
    objet = ouvrir_objet(acteur, genre, str(cle))
    return historique(acteur, objet)[0]


def phrases(entrees) -> list[str]:
    return [
        f"{ligne.objet} : {ligne.acte}" + "".join(f" | {c}" for c in ligne.changements)
        for entree in entrees
        for ligne in entree.lignes
    ]


def en_tant_que(cast, nom: str, motif: str = ""):
    from dataclasses import replace

    return replace(cast.acteur(nom), motif=motif)


def test_differences_are_words(cast):
    acte = brouillon(cast, cast.als, "20", numero="A-1")
    acteur = en_tant_que(cast, "gestionnaire_a")
    with contexte.numeroter(), contexte.tracer("page", acteur):
        VersionConvention.objects.filter(convention=acte).update(
            taux="21.5", echelle="COMMUNE", exclut_pli=False, delai_proposition=30, soustractions=["MUTATION"]
        )
        contexte.motiver("erreur de saisie")
        Convention.objects.filter(pk=acte.pk).update(fin=date(2026, 12, 31))
    dernieres = lire(acteur, "convention", acte.pk)
    assert dernieres[0].qui == "Gestionnaire A"
    assert dernieres[0].organisation == "Habitat Essai A"
    assert dernieres[0].motif == "erreur de saisie"
    mots = phrases(dernieres[:1])
    assert mots[0] == (
        "Convention A-1 : modification | Dernier jour d’effet\u00a0: 31\u00a0décembre\u00a02027 → "
        "31\u00a0décembre\u00a02026"
    )
    assert "Taux (points du flux)\u00a0: 20 → 21,5" in mots[1]
    assert "Échelle de la part de l’État\u00a0: le département → chaque commune" in mots[1]
    assert "Exclut les logements financés en PLI\u00a0: oui → non" in mots[1]
    assert "→ 30" in mots[1]
    assert "MUTATION" not in mots[1]  # its label


def test_what_one_request_did_is_one_entry(cast):
    acte = brouillon(cast, cast.als, "20")
    avant = len(lire(SYSTEME, "convention", acte.pk))
    acteur = cast.acteur("gestionnaire_a")
    with contexte.numeroter(), contexte.tracer("page", acteur):
        signer_convention(acteur, acte, signee_le=date(2025, 4, 11), signataires="Directeur", confirmer=True)
    entrees = lire(acteur, "convention", acte.pk)
    assert len(entrees) == avant + 1
    assert {ligne.objet.split()[0] for ligne in entrees[0].lignes} == {"Convention", "Version"}


def test_a_draft_stays_between_the_bailleur_and_the_state(cast):
    """The réservataire of a signed act reads its life from the signature on, and no name of the others."""
    acte = brouillon(cast, cast.als, "20", numero="A-1")
    assert ouvrir_objet(cast.acteur("charge_als"), "convention", str(acte.pk)) is None
    VersionConvention.objects.filter(convention=acte).update(taux="23.25")
    acteur = cast.acteur("gestionnaire_a")
    with contexte.numeroter(), contexte.tracer("page", acteur):
        signer_convention(acteur, acte, signee_le=date(2025, 4, 11), signataires="Directeur", confirmer=True)
    entrees = lire(cast.acteur("charge_als"), "convention", acte.pk)
    assert [ligne.acte for entree in entrees for ligne in entree.lignes] == ["modification", "modification"]
    assert "23,25" not in "".join(phrases(entrees))
    assert (entrees[0].qui, entrees[0].organisation) == ("", "Habitat Essai A")
    du_bailleur = "".join(phrases(lire(acteur, "convention", acte.pk)))
    assert "23,25" in du_bailleur


def test_labels_are_read_by_the_state_alone(cast):
    """The ground of a label is in no Historique but the State's; nothing of it is a field of another object."""
    menage = Menage.objects.create(departement_id="06", numero_hache="a" * 64, numero_fin="1234")
    Labellisation.objects.create(
        departement_id="06", menage=menage, categorie=CategorieLabel.objects.first(), debut=date(2025, 1, 1)
    )
    from reservation.models import LigneJournal
    from reservation.traces import types_caches

    assert "publics.labellisation" in types_caches(cast.acteur("administrateur_a"))
    assert "publics.labellisation" not in types_caches(cast.acteur("agent_ddets_06"))
    ici = LigneJournal.objects.visibles_par(cast.acteur("administrateur_ddets_06"))
    assert ici.filter(objet_type="publics.labellisation").exists()
    ailleurs = LigneJournal.objects.visibles_par(cast.acteur("administrateur_a"))
    assert not ailleurs.filter(objet_type="publics.labellisation").exists()


def test_the_life_of_a_liberation(cast):
    actes_paca(cast)
    libre = liberation(cast.bailleur_a, date(2026, 4, 1))
    acteur = cast.acteur("gestionnaire_a")
    with contexte.numeroter(), contexte.tracer("page", acteur):
        maintien = CodeMotif.objects.get(code="A_MAINTIEN")
        annuler_liberation(acteur, libre, date=date(2026, 4, 5), motif=maintien)
    derniere = lire(acteur, "liberation", libre.pk)[0]
    assert derniere.motif == "Le locataire reste dans les lieux"
    assert "Motif de l’annulation\u00a0: – → Le locataire reste dans les lieux" in phrases([derniere])[0]


QUI_VOIT = {
    "convention": ("gestionnaire_a", "lecteur_a", "agent_ddets_06", "charge_als", "charge_dreal"),
    "liberation": ("gestionnaire_a", "lecteur_a", "agent_ddets_06", "agent_sgc_06"),
    "organisation": ("gestionnaire_a", "lecteur_a", "administrateur_a"),
    "soustractions": ("gestionnaire_a", "lecteur_a", "agent_ddets_06", "agent_sgc_06"),
}


@pytest.mark.parametrize("genre", sorted(QUI_VOIT))
def test_the_gate_is_that_of_the_object(cast, entrer, genre):
    cle = {
        "convention": lambda: signee(cast, cast.als, "20").pk,
        "liberation": lambda: liberation(cast.bailleur_a, date(2026, 4, 1)).pk,
        "organisation": lambda: cast.bailleur_a.pk,
        "soustractions": lambda: f"{cast.bailleur_a.pk}-06-2026",
    }[genre]()
    url = reverse("reservation:historique", args=[genre, cle])
    obtenus = {}
    for nom, personne in cast.gens.items():
        if personne.is_active:
            obtenus[nom] = entrer(personne, neuf=True).get(url).status_code
    assert {nom for nom, code in obtenus.items() if code == 200} - {
        "signataire_a",
        "administrateur_a",
        "autre_gestionnaire_a",
        "lecteur_ddets_06",
        "administrateur_ddets_06",
        "agent_sgc_06",
        "administrateur_als",
        "charge_union",
    } == set(QUI_VOIT[genre]) - {"administrateur_a", "agent_sgc_06"}
    assert obtenus["gestionnaire_b"] == obtenus["agent_ddets_22"] == obtenus["operateur"] == 404


@pytest.mark.parametrize(
    "cle", ["0", "999999", "x", "-1", "1-06", "99999999999999999999", "1 OR 1=1", "%00", "1-06-99999"]
)
def test_impossible_keys_are_a_404(cast, entrer, cle):
    client = entrer(cast.gestionnaire_a)
    for genre in (*genres(), "inconnu"):
        assert client.get(f"/historique/{genre}/{cle}/").status_code == 404


def test_the_page_takes_as_many_queries_whatever_its_length(cast, entrer, django_assert_max_num_queries):
    acte = signee(cast, cast.als, "20")
    client = entrer(cast.gestionnaire_a)
    url = reverse("reservation:historique", args=["convention", acte.pk])
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def nombre() -> int:
        with CaptureQueriesContext(
            connection,
        ) as requetes:
            assert client.get(url).status_code == 200
        return len(requetes)

    nombre()  # the session's first page
    peu = nombre()
    for rang in range(40):
        with contexte.numeroter(), contexte.tracer("page", cast.acteur("gestionnaire_a")):
            Convention.objects.filter(pk=acte.pk).update(numero=f"N-{rang}")
    # One more at most: the person who made them is now named.
    assert nombre() <= peu + 1


def test_older_entries_are_on_the_next_page(cast, entrer):
    acte = signee(cast, cast.als, "20")
    for rang in range(105):
        with contexte.numeroter(), contexte.tracer("page", cast.acteur("gestionnaire_a")):
            Convention.objects.filter(pk=acte.pk).update(numero=f"N-{rang:03}")
    client = entrer(cast.gestionnaire_a)
    url = reverse("reservation:historique", args=["convention", acte.pk])
    premiere, seconde = client.get(url).content.decode(), client.get(f"{url}?page=2").content.decode()
    assert "N-103</del>" in premiere and "?page=2" in premiere
    assert "N-000</del>" in seconde and "N-103</del>" not in seconde


def test_passages_and_attributions_are_part_of_the_liberation(cast):
    actes_paca(cast)
    libre = liberation(cast.bailleur_a, date(2026, 4, 1))
    faite = attribution(libre, date(2026, 4, 20))
    texte = "".join(phrases(lire(cast.acteur("gestionnaire_a"), "liberation", libre.pk)))
    assert "Attribution" in texte and faite.liberation.reference in texte
    assert Liberation.objects.filter(pk=libre.pk).exists()
