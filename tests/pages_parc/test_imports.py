"""The pages of an import, from the deposit to the parc, with files that the real importer reads."""

import csv
import gzip
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from reservation.forms import imports as formulaires
from reservation.models import EtatParc, ImportRpls, Logement
from reservation.services import parc
from tests.parc.fabrique import SIRET_B, depot, logement, logements, loi
from tests.personnages import SAINT_BRIEUC

Etat = ImportRpls.Etat
HTMX = {"HX-Request": "true"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def adresse(nom: str, import_rpls: ImportRpls | None = None) -> str:
    return reverse(f"reservation:{nom}", args=[import_rpls.pk] if import_rpls else [])


@pytest.fixture
def deposer(cast, client):
    """Send a file by the form; `lire`: do at once what the worker would do."""

    def deposer(texte, millesime=2025, qui="gestionnaire_a", nom="rpls.csv", lire=True):
        client.force_login(cast.gens[qui])
        octets = texte if isinstance(texte, bytes) else texte.encode()
        donnees = {"fichier": SimpleUploadedFile(nom, octets), "millesime": millesime}
        reponse = client.post(adresse("import_rpls_nouveau"), donnees)
        if reponse.status_code != 302:
            return reponse
        recu = ImportRpls.objects.latest("pk")
        assert reponse.url == adresse("import_rpls", recu)
        return parc.analyser(recu.pk) if lire and recu.etat == Etat.RECU else recu

    return deposer


@pytest.fixture
def lu(deposer) -> ImportRpls:
    """Twelve lines: eight dwellings, three rejected for two causes, the header."""
    lignes = [
        *logements(8),
        logement(9, MODE="L"),
        logement(10, MODE="X"),
        logement(11, DEPCOM="99999"),
    ]
    return deposer(loi(lignes), nom="parc d’été.csv")


def enregistrer(import_rpls: ImportRpls, client, cast) -> ImportRpls:
    client.force_login(cast.gestionnaire_a)
    assert client.post(adresse("import_rpls_enregistrer", import_rpls)).status_code == 302
    return parc.appliquer(import_rpls.pk)


# --- Rights -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def import_de_cannes(cast, parc_b, deposer) -> ImportRpls:
    """An import of bailleur B, who owns dwellings in the Alpes-Maritimes only."""
    return deposer(loi(logements(3, SIRET=SIRET_B)), qui="gestionnaire_b")


@pytest.mark.parametrize("qui", ["gestionnaire_b", "agent_ddets_06", "agent_sgc_06"])
def test_its_bailleur_and_the_state_read_it(cast, import_de_cannes, client, qui):
    client.force_login(cast.gens[qui])
    assert client.get(adresse("import_rpls", import_de_cannes)).status_code == 200
    assert "rpls.csv" in client.get(adresse("imports")).text


@pytest.mark.parametrize(
    "qui", ["gestionnaire_a", "agent_ddets_22", "charge_als", "agent_cannes", "operateur"]
)
@pytest.mark.parametrize(
    ("nom", "methode"),
    [
        ("import_rpls", "get"),
        ("import_rpls_avancement", "get"),
        ("import_rpls_rejets", "get"),
        ("import_rpls_enregistrer", "get"),
        ("import_rpls_enregistrer", "post"),
        ("import_rpls_abandonner", "post"),
        ("import_rpls_reprendre", "post"),
    ],
)
def test_to_strangers_it_does_not_exist(cast, import_de_cannes, client, qui, nom, methode):
    client.force_login(cast.gens[qui])
    assert getattr(client, methode)(adresse(nom, import_de_cannes)).status_code == 404
    import_de_cannes.refresh_from_db()
    assert import_de_cannes.etat == Etat.A_CONFIRMER


@pytest.mark.parametrize("qui", ["lecteur_a", "administrateur_a", "agent_ddets_06"])
@pytest.mark.parametrize(
    "nom", ["import_rpls_enregistrer", "import_rpls_abandonner", "import_rpls_reprendre"]
)
def test_readers_do_not_decide(cast, lu, client, qui, nom):
    client.force_login(cast.gens[qui])
    assert client.post(adresse(nom, lu)).status_code == 403
    lu.refresh_from_db()
    assert lu.etat == Etat.A_CONFIRMER
    texte = client.get(adresse("import_rpls", lu)).text
    assert "Relire et enregistrer" not in texte and "Abandonner" not in texte


@pytest.mark.parametrize("qui", ["lecteur_a", "administrateur_a", "agent_ddets_06", "agent_sgc_06"])
def test_readers_do_not_deposit(cast, deposer, client, qui):
    assert deposer(loi(logements(1)), qui=qui).status_code == 403
    assert client.get(adresse("import_rpls_nouveau")).status_code == 403
    assert adresse("import_rpls_nouveau") not in client.get(adresse("imports")).text
    assert not ImportRpls.objects.exists()


@pytest.mark.parametrize(
    "qui", ["charge_als", "agent_cannes", "charge_dreal", "operateur", "sans_organisation"]
)
@pytest.mark.parametrize("nom", ["imports", "import_rpls_nouveau"])
def test_for_others_there_are_no_imports(cast, db, client, qui, nom):
    client.force_login(cast.gens[qui])
    assert client.get(adresse(nom)).status_code == 404


def test_a_signatory_manages_too(cast, deposer):
    assert deposer(loi(logements(2)), qui="signataire_a").etat == Etat.A_CONFIRMER


# --- Deposit ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("texte", [loi(logements(2)), depot(logements(2))])
def test_a_file_is_recognised_by_its_content_whatever_its_name(deposer, texte):
    recu = deposer(texte, nom="nimporte.quoi")
    assert (recu.etat, recu.lignes_acceptees) == (Etat.A_CONFIRMER, 2)


def test_nothing_is_written_by_the_deposit(deposer):
    deposer(loi(logements(2)))
    assert not Logement.objects.exists() and not EtatParc.objects.exists()


def test_without_a_file_the_form_says_so(cast, client):
    client.force_login(cast.gestionnaire_a)
    reponse = client.post(adresse("import_rpls_nouveau"), {"millesime": 2025})
    assert reponse.status_code == 422 and reponse.text.count("Choisissez le fichier") == 2


def test_an_empty_post_is_an_incomplete_form(cast, client):
    client.force_login(cast.gestionnaire_a)
    reponse = client.post(adresse("import_rpls_nouveau"))
    assert reponse.status_code == 422 and "2 réponses sont à corriger" in reponse.text


def test_an_empty_file_is_refused_by_the_form(deposer):
    reponse = deposer(b"")
    assert reponse.status_code == 422 and "Ce fichier est vide" in reponse.text


def test_a_year_that_the_directory_has_not_is_refused(deposer):
    assert deposer(loi(logements(1)), millesime=1999).status_code == 422
    assert deposer(loi(logements(1)), millesime=2999).status_code == 422


def test_too_large_a_file_is_refused_with_what_to_do(deposer, monkeypatch):
    monkeypatch.setattr(formulaires, "TAILLE_MAX", 100)
    reponse = deposer(loi(logements(3)))
    assert reponse.status_code == 422 and "compressez-le" in reponse.text
    assert not ImportRpls.objects.exists()


@pytest.mark.parametrize("nom", ["parc.zip", "parc.csv"])
def test_an_archive_has_a_limit_of_its_own(deposer, monkeypatch, nom):
    """Whatever it is called."""
    monkeypatch.setattr(formulaires, "TAILLE_MAX_ARCHIVE", 100)
    reponse = deposer(gzip.compress(loi(logements(30)).encode()), nom=nom)
    assert reponse.status_code == 422 and "Cette archive dépasse" in reponse.text
    assert deposer(loi(logements(3)), nom="parc.zip", lire=False).etat == Etat.RECU


@pytest.mark.parametrize(
    ("octets", "attendu"),
    [
        (PNG, "image"),
        (b"<!DOCTYPE html><html><body>Erreur</body></html>", "web"),
        (b"PK\x03\x04abc", "archive"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(cast, deposer, client, octets, attendu):
    recu = deposer(octets, nom="parc.csv")
    assert recu.etat == Etat.REFUSE
    texte = client.get(adresse("import_rpls", recu)).text
    assert recu.message in texte and attendu in recu.message and "Déposer un autre fichier" in texte
    assert "Ce fichier est refusé" in texte and "chiffres" not in texte


def test_the_file_of_another_bailleur_is_refused_and_its_lines_not_shown(cast, deposer, client):
    recu = deposer(loi(logements(3, SIRET=SIRET_B, NOMVOIE="RUE SECRETE")))
    assert recu.etat == Etat.REFUSE
    texte = client.get(adresse("import_rpls", recu)).text
    assert "autre bailleur" in texte and "RUE SECRETE" not in texte


# --- Progress ---------------------------------------------------------------------------------------------------------


def test_while_it_is_read_the_page_asks_again(cast, deposer, client):
    recu = deposer(loi(logements(2)), lire=False)
    texte = client.get(adresse("import_rpls", recu)).text
    assert f'hx-get="{adresse("import_rpls_avancement", recu)}"' in texte
    assert 'hx-trigger="every 1s"' in texte and "Vous pouvez quitter cette page" in texte
    ImportRpls.objects.filter(pk=recu.pk).update(
        etat=Etat.EN_ANALYSE, etape="Lecture du fichier", avancement=37
    )
    fragment = client.get(adresse("import_rpls_avancement", recu), headers=HTMX)
    assert "Lecture du fichier" in fragment.text and 'value="37"' in fragment.text
    assert "<html" not in fragment.text and "HX-Refresh" not in fragment


@pytest.mark.parametrize("etat", [Etat.A_CONFIRMER, Etat.REFUSE, Etat.ECHEC, Etat.ABANDONNE])
def test_when_it_is_over_the_page_is_read_again(cast, deposer, client, etat):
    recu = deposer(loi(logements(2)), lire=False)
    ImportRpls.objects.filter(pk=recu.pk).update(etat=etat)
    reponse = client.get(adresse("import_rpls_avancement", recu), headers=HTMX)
    assert reponse.status_code == 204 and reponse["HX-Refresh"] == "true"


def test_a_reader_may_watch(cast, deposer, client):
    recu = deposer(loi(logements(2)), lire=False)
    client.force_login(cast.lecteur_a)
    assert client.get(adresse("import_rpls_avancement", recu), headers=HTMX).status_code == 200


# --- Report -----------------------------------------------------------------------------------------------------------


def test_lines_add_up_and_causes_come_from_the_most_frequent(cast, lu, client):
    reponse = client.get(adresse("import_rpls", lu))
    assert (lu.lignes_lues, lu.lignes_acceptees, lu.lignes_rejetees, lu.lignes_ignorees) == (12, 8, 3, 1)
    causes = reponse.context["rapport"].erreurs
    assert [(c.nombre, c.colonne) for c in causes] == [(2, "MODE"), (1, "DEPCOM")]
    assert (causes[0].ou, causes[1].ou) == ("lignes 10 à 11", "ligne 12")
    texte = reponse.text
    assert "2 fois la même erreur dans la colonne MODE" in texte
    assert "ligne 12\u00a0: «\u00a099999\u00a0»" in texte
    assert "Rien n’est encore enregistré" in texte


def test_one_cause_among_many_is_not_said_to_be_the_main_one(deposer, client):
    lignes = [*logements(9), logement(10, MODE="L"), logement(11, DEPCOM="99999"), logement(12, CONV="9")]
    assert client.get(adresse("import_rpls", deposer(loi(lignes)))).context["rapport"].masse is None


def test_more_examples_than_three_are_one_click_away(deposer, client):
    lignes = [*logements(20), *(logement(n, MODE="L") for n in range(21, 27))]
    texte = client.get(adresse("import_rpls", deposer(loi(lignes)))).text
    assert "3 autres exemples" in texte and "ligne 27\u00a0: «\u00a0L\u00a0»" in texte


def test_what_is_odd_is_apart_from_what_is_rejected(deposer, client):
    recu = deposer(loi([*logements(3), logement(4, SURFHAB="0")]))
    rapport = client.get(adresse("import_rpls", recu)).context["rapport"]
    assert not rapport.erreurs and "SURFHAB" in [c.colonne for c in rapport.avertissements]
    assert recu.lignes_acceptees == 4


def test_rejected_lines_come_back_with_what_to_mend(cast, lu, client):
    reponse = client.get(adresse("import_rpls_rejets", lu))
    assert 'filename="lignes-rejetees-parc-d-ete.csv"' in reponse["Content-Disposition"]
    lignes = list(
        csv.DictReader(io.StringIO(b"".join(reponse.streaming_content).decode("utf-8-sig")), delimiter=";")
    )
    assert [x["IDENT_INT"] for x in lignes] == ["A-9", "A-10", "A-11"]
    assert "99999" in lignes[2]["Message"]


def test_without_rejected_lines_there_is_nothing_to_download(deposer, client):
    recu = deposer(loi(logements(2)))
    assert client.get(adresse("import_rpls_rejets", recu)).status_code == 404
    assert adresse("import_rpls_rejets", recu) not in client.get(adresse("import_rpls", recu)).text


def test_the_state_of_one_departement_does_not_read_the_lines_of_another(cast, deposer, client):
    lignes = [*logements(3), logement(4, DEPCOM=SAINT_BRIEUC), logement(5, MODE="L", NOMVOIE="RUE BRETONNE")]
    recu = deposer(loi(lignes))
    client.force_login(cast.agent_ddets_06)
    reponse = client.get(adresse("import_rpls", recu))
    assert reponse.status_code == 200 and "seuls les nombres" in reponse.text
    assert "«\u00a0L\u00a0»" not in reponse.text
    assert client.get(adresse("import_rpls_rejets", recu)).status_code == 404
    client.force_login(cast.gestionnaire_a)
    assert b"RUE BRETONNE" in telecharger(client, recu)


def telecharger(client, import_rpls: ImportRpls) -> bytes:
    reponse = client.get(adresse("import_rpls_rejets", import_rpls))
    assert reponse.status_code == 200
    return b"".join(reponse.streaming_content)


def test_the_state_reads_the_lines_of_its_departement(cast, lu, client):
    client.force_login(cast.agent_ddets_06)
    assert "«\u00a099999\u00a0»" in client.get(adresse("import_rpls", lu)).text
    assert b"99999" in telecharger(client, lu)


# --- Check, record ----------------------------------------------------------------------------------------------------


def test_the_effect_is_shown_before_and_is_what_happens(cast, lu, client):
    reponse = client.get(adresse("import_rpls_enregistrer", lu))
    effet = reponse.context["effet"]
    assert (effet.parc, effet.assiette["apres"], effet.hors["apres"]) == (
        {"avant": 0, "apres": 8, "ecart": 8},
        8,
        0,
    )
    assert not Logement.objects.exists()
    applique = enregistrer(lu, client, cast)
    assert applique.etat == Etat.APPLIQUE
    assert EtatParc.objects.get(millesime=2025).logements == effet.parc["apres"]
    page = client.get(adresse("import_rpls", lu))
    lien = reverse("reservation:parc_detail", args=[cast.bailleur_a.pk, "06"])
    assert f"{lien}?millesime=2025" in page.text and "après l’accord de Gestionnaire A" in page.text
    assert client.get(f"{lien}?millesime=2025").context["synthese"].total == 8


def test_what_changes_is_shown_in_words(cast, lu, deposer, client):
    enregistrer(lu, client, cast)
    lignes = [*logements(6), logement(7, MODE="2", BAIL=""), logement(20)]
    recu = deposer(loi(lignes))
    reponse = client.get(adresse("import_rpls", recu))
    changements = reponse.context["rapport"].changements
    assert [changements[n] for n in ("nouveaux", "modifies", "identiques", "disparus")] == [1, 1, 6, 1]
    assert "2 – proposé à la location, vacant" in reponse.text
    assert "1 + 1 + 6 = 8 lignes acceptées" in reponse.text
    effet = client.get(adresse("import_rpls_enregistrer", recu)).context["effet"]
    assert effet.parc == {"avant": 8, "apres": 8, "ecart": 0}


def test_a_rejected_line_may_take_its_dwelling_out_and_it_is_said(cast, lu, deposer, client):
    enregistrer(lu, client, cast)
    recu = deposer(loi([*logements(7), logement(8, MODE="L")]))
    assert "ce sont peut-être les mêmes" in client.get(adresse("import_rpls_enregistrer", recu)).text
    sans = deposer(loi(logements(7)))
    assert "ce sont peut-être les mêmes" not in client.get(adresse("import_rpls_enregistrer", sans)).text


def test_the_same_file_again_changes_nothing_and_says_so(cast, deposer, client):
    texte = loi(logements(3))
    enregistrer(deposer(texte), client, cast)
    recu = deposer(texte)
    assert recu.etat == Etat.APPLIQUE
    assert "rien ne change" in client.get(adresse("import_rpls", recu)).text


def test_agreeing_twice_is_said_and_harmless(cast, lu, client):
    enregistrer(lu, client, cast)
    reponse = client.post(adresse("import_rpls_enregistrer", lu), follow=True)
    assert reponse.status_code == 200 and "rien à confirmer" in reponse.text
    assert Logement.objects.count() == 8


def test_there_is_nothing_to_check_once_recorded(cast, lu, client):
    enregistrer(lu, client, cast)
    assert client.get(adresse("import_rpls_enregistrer", lu)).url == adresse("import_rpls", lu)


def test_while_it_is_recorded_the_page_says_so(cast, lu, client):
    client.force_login(cast.gestionnaire_a)
    client.post(adresse("import_rpls_enregistrer", lu))
    texte = client.get(adresse("import_rpls", lu)).text
    assert "Le parc est en cours d’enregistrement" in texte and "chiffres" not in texte


def test_giving_up_leaves_the_parc_as_it_was(cast, lu, client):
    reponse = client.post(adresse("import_rpls_abandonner", lu), follow=True)
    assert "L’import est abandonné" in reponse.text
    lu.refresh_from_db()
    assert lu.etat == Etat.ABANDONNE and not Logement.objects.exists()
    again = client.post(adresse("import_rpls_abandonner", lu), follow=True)
    assert "ne peut plus être abandonné" in again.text


def test_an_interrupted_import_may_be_started_again(cast, lu, client):
    ImportRpls.objects.filter(pk=lu.pk).update(etat=Etat.ECHEC, message="L’application n’a pas pu terminer.")
    assert "Reprendre" in client.get(adresse("import_rpls", lu)).text
    client.post(adresse("import_rpls_reprendre", lu))
    lu.refresh_from_db()
    assert lu.etat == Etat.EN_ANALYSE
    assert "rien à reprendre" in client.post(adresse("import_rpls_reprendre", deux(lu)), follow=True).text


def deux(import_rpls: ImportRpls) -> ImportRpls:
    """The same import, given up: there is nothing to start again."""
    ImportRpls.objects.filter(pk=import_rpls.pk).update(etat=Etat.ABANDONNE)
    return import_rpls


@pytest.mark.parametrize("nom", ["import_rpls_abandonner", "import_rpls_reprendre"])
def test_a_get_never_decides(cast, lu, client, nom):
    assert client.get(adresse(nom, lu)).status_code == 405
    lu.refresh_from_db()
    assert lu.etat == Etat.A_CONFIRMER


# --- List -------------------------------------------------------------------------------------------------------------


def test_the_list_costs_the_same_for_one_import_or_thirty(cast, lu, client, django_assert_max_num_queries):
    for _ in range(29):
        lu.pk = None
        lu.save(force_insert=True)
    client.force_login(cast.gestionnaire_a)
    with django_assert_max_num_queries(9):
        page = client.get(adresse("imports")).context["page"]
    assert (len(page.object_list), page.paginator.count) == (25, 30)
    dates = [x.cree_le for x in page.object_list]
    assert dates == sorted(dates, reverse=True)
    assert len(client.get(adresse("imports"), {"page": 2}).context["page"].object_list) == 5


def test_an_empty_list_says_what_to_do(cast, client):
    client.force_login(cast.gestionnaire_a)
    assert "Trois étapes" in client.get(adresse("imports")).text
    client.force_login(cast.lecteur_a)
    assert "rôle de gestion" in client.get(adresse("imports")).text
