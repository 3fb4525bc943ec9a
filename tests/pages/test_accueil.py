"""Home, help and sign-in: what each persona is told first."""

from datetime import date, datetime, time, timedelta

import pytest

from config.accueil import tableau_d_accueil
from config.glossaire import TERMES
from flux.models import CalculFlux, Designation, Nature, PartFlux
from reservation.models import cle_de_tri
from reservation.regles.periodes import PARIS
from tests.acces.decor import ANNEE
from tests.personnages import MOT_DE_PASSE

pytestmark = pytest.mark.django_db
JOUR = datetime(ANNEE, 11, 22, 9, tzinfo=PARIS)


@pytest.fixture
def parts(decor):
    """`parts(nature, code, **changes)`: change one part of the calculation of A in force."""

    def changer(nature: Nature, code: str, **changements) -> None:
        calculs = CalculFlux.objects.filter(
            bailleur=decor.a.bailleur, annee=ANNEE, nature=nature, en_vigueur=True
        )
        assert PartFlux.objects.filter(calcul__in=calculs, code=code).update(**changements) == 1

    return changer


def test_bailleur_sees_its_reservataires_and_what_waits(decor, parts):
    parts(Nature.PREVISIONNEL, "ETAT", objectif=4, objectif_total=5)
    parts(Nature.DEFINITIF, "ETAT", realise=0)
    tableau = tableau_d_accueil(decor.cast.acteur("gestionnaire_a"), JOUR)
    etat = tableau.lignes[0]
    assert (etat.reservataire, etat.objectif, etat.realise, etat.ecart) == ("État", 5, 0, -5)
    bailleur = tableau.lignes[-1]
    assert (bailleur.objectif, bailleur.ecart) == (None, None)
    assert {ligne.bailleur for ligne in tableau.lignes} == {"Habitat Essai A"}
    libelles = [tache.libelle for tache in tableau.taches]
    assert any("RPLS A.csv" in libelle for libelle in libelles)
    assert any(str(ANNEE + 1) in libelle for libelle in libelles)
    assert any("offre à notifier" in libelle for libelle in libelles)
    assert not any("étudiants" in libelle for libelle in libelles)
    assert tableau.chiffres[2].nombre == 1  # the libération that is oriented nowhere


def test_a_bailleur_reads_where_its_year_should_end_and_its_next_commission(decor, parts, client):
    parts(Nature.PREVISIONNEL, "ETAT", objectif=100, objectif_total=100)
    parts(Nature.DEFINITIF, "ETAT", realise=30)
    jour = datetime(ANNEE, 7, 2, 9, tzinfo=PARIS)  # the 183rd day of 365
    etat = tableau_d_accueil(decor.cast.acteur("gestionnaire_a"), jour).lignes[0]
    assert (etat.attendu, etat.projection.observe) == (50, 30)
    assert etat.ecart_prevu == etat.projection.central - 100 and etat.methode
    assert etat.largeurs["attendu"] == 100 and etat.largeurs["realise"] == 60
    commission = decor.a.commission
    matin = datetime.combine(commission.date, time(8), PARIS)
    caleol = tableau_d_accueil(decor.cast.acteur("gestionnaire_a"), matin).caleol
    assert caleol.commission == commission
    assert (caleol.logements, caleol.candidatures) == (commission.lignes.count(), commission.passages.count())
    assert caleol.logements == 1
    assert tableau_d_accueil(decor.cast.acteur("gestionnaire_a"), matin + timedelta(days=9999)).caleol is None
    assert tableau_d_accueil(decor.cast.acteur("charge_als"), matin).caleol is None
    assert tableau_d_accueil(decor.cast.acteur("gestionnaire_b"), matin).caleol.commission != commission


def test_realise_comes_from_the_observed_year_and_the_objective_from_the_forecast(decor, parts):
    """While the year runs; once it is over, both come from what was observed, as in the bilan."""
    parts(Nature.PREVISIONNEL, "ALS", objectif_total=10, realise=99)
    parts(Nature.DEFINITIF, "ALS", objectif_total=99, realise=7)
    tableau = tableau_d_accueil(decor.cast.acteur("charge_als"), JOUR)
    assert tableau.lignes == [] and tableau.chiffres == []
    [ligne] = [x for x in tableau.contingent.lu.lignes if x.bailleur.nom == "Habitat Essai A"]
    assert (ligne.nature, ligne.objectif, ligne.realise, ligne.ecart) == (Nature.PREVISIONNEL, 10, 7, -3)
    assert ligne.largeurs == {"realise": 140, "cible": 200}


def test_als_reads_both_bailleurs_and_chooses_one(decor):
    acteur = decor.cast.acteur("charge_als")
    lues = tableau_d_accueil(acteur, JOUR).contingent.lu.lignes
    assert [x.bailleur for x in lues] == [decor.a.bailleur, decor.b.bailleur]
    choix = {"annee": str(ANNEE), "departement": "06", "bailleur": str(decor.b.bailleur.pk)}
    [lue] = tableau_d_accueil(acteur, JOUR, choix=choix).contingent.lu.lignes
    assert lue.bailleur == decor.b.bailleur
    assert {p.annee for p in tableau_d_accueil(acteur, JOUR).contingent.parts} >= {ANNEE}


@pytest.mark.parametrize(
    ("qui", "attendues", "taches"),
    [
        (
            "agent_ddets_06",
            2,
            [
                # ALS did not answer what each proposed: the DDETS of the département is told, and nobody else.
                "2 bailleurs sans réponse d’Action Logement : part prévisionnelle d’Action Logement Services",
                "2 bailleurs en retard : bilan annuel",
                "2 bailleurs en retard : point d’étape du premier semestre",
                "2 propositions de label à décider",
                "2 dossiers d’agents à valider",
            ],
        ),
        ("charge_dreal", 2, []),
        ("agent_ddets_22", 0, []),
    ],
)
def test_services_follow_the_bailleurs_of_their_perimeter(decor, qui, attendues, taches):
    tableau = tableau_d_accueil(decor.cast.acteur(qui), JOUR)
    assert len(tableau.etat.lignes if tableau.etat else tableau.ensemble) == attendues
    assert [tache.libelle.replace("\xa0", " ") for tache in tableau.taches] == taches
    # A proposal that waits for its decision is late or not; there is nothing to correct in it.
    assert all(tache.statut != "à corriger" for tache in tableau.taches)
    assert tableau.lignes == []


def test_home_has_a_fixed_number_of_queries(decor, client, django_assert_max_num_queries):
    client.force_login(decor.cast.gestionnaire_a)
    with django_assert_max_num_queries(46):
        assert client.get("/").status_code == 200
    client.force_login(decor.cast.charge_als)
    with django_assert_max_num_queries(60):
        assert client.get("/").status_code == 200


def test_bar_never_leaves_its_track(decor):
    PartFlux.objects.filter(code="ALS").update(objectif_total=1, realise=50)
    lignes = tableau_d_accueil(decor.cast.acteur("charge_als"), JOUR).contingent.lu.lignes
    assert [ligne.largeurs["realise"] for ligne in lignes] == [250, 250]


def test_a_reservataire_is_told_what_waits_for_its_candidates(decor):
    def dites() -> list[tuple[str, str]]:
        taches = tableau_d_accueil(decor.cast.acteur("charge_als"), JOUR).taches
        return [(t.libelle.replace("\xa0", " "), t.statut) for t in taches if "vos candidats" in t.libelle]

    assert dites() == []  # candidates were proposed
    remises = Designation.objects.filter(reservataire=decor.cast.als)
    remises.update(etat="EN_ATTENTE", delai=20, echeance=date(ANNEE, 12, 1))
    assert dites() == [("2 logements attendent vos candidats", "pas commencé")]
    remises.filter(bailleur=decor.a.bailleur).update(echeance=date(ANNEE, 11, 1))
    assert dites() == [("2 logements attendent vos candidats", "à corriger")]


def test_glossary_is_in_the_order_of_the_dictionary_and_says_each_word_once(client):
    mots = [cle_de_tri(terme.mot) for terme in TERMES]
    assert mots == sorted(mots) and len(mots) == len(set(mots))
    page = client.get("/aide/glossaire/").content.decode()
    assert all(f'id="{terme.ancre}"' in page for terme in TERMES)


def test_sign_in_says_the_same_whatever_is_wrong(client, decor):
    """No answer tells whether an address is known."""
    reponses = {
        client.post("/connexion/", {"login": courriel, "password": "x"}).content.decode().count("inconnu")
        for courriel in ("gestion@a.example", "personne@nulle-part.example", "ancien@a.example")
    }
    assert len(reponses) == 1 and reponses.pop() > 0


def test_deactivated_member_cannot_enter(client, decor):
    assert not client.login(username="ancien@a.example", password=MOT_DE_PASSE)
    assert client.login(username="gestion@a.example", password=MOT_DE_PASSE)


def test_no_open_redirect_after_sign_in(client, decor):
    reponse = client.post(
        "/connexion/?next=https://ailleurs.example/",
        {"login": "gestion@a.example", "password": MOT_DE_PASSE, "next": "https://ailleurs.example/"},
    )
    assert reponse.headers["Location"] == "/"
