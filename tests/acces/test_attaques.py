"""A hostile member: what was tried against the application, one test each (docs/securite.md tells the story)."""

import io
import zipfile
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from reservation.exports import Colonne, Format, en_csv, en_xlsx
from reservation.models import ImportRpls, Logement, Rattachement
from tests.acces.decor import ANNEE
from tests.acces.matrice import ANONYME

pytestmark = pytest.mark.django_db

ENORME = "9" * 5000
TROP_GRAND = "9" * 30


# --- Addresses and parameters that nothing expects ------------------------------------------------------------


@pytest.mark.parametrize(
    "chemin",
    [
        "/parc/{grand}/06/",
        "/parc/{a}/06%00/",
        "/parc/{a}/..%2f06/",
        "/parc/logements/{grand}/",
        "/parc/logements/?bailleur={grand}&departement=06",
        "/parc/logements/?bailleur={a}&departement=06%00",
        "/parc/logements/?bailleur={a}&departement=06%27%20OR%201=1--",
        "/flux/{grand}/06/2025/",
        "/flux/{a}/06%00/2025/",
        "/flux/{a}/06/0/soustractions/",
        "/flux/{a}/06/99999/soustractions/",
        "/flux/{a}/06/2025/?version=" + ENORME,
        "/bilans/documents/{grand}.pdf",
        "/bilans/documents/../../etc/passwd.pdf",
        "/conventions/{grand}/",
        "/imports/rpls/{grand}/rejets/",
        "/fichiers/imports/",
        "/media/imports/",
    ],
)
def test_impossible_addresses_are_not_found(decor, en_tant_que, chemin):
    chemin = chemin.format(grand=TROP_GRAND, a=decor.a.bailleur.pk)
    assert en_tant_que("gestionnaire_a").get(chemin).status_code == 404


@pytest.mark.parametrize(
    ("nom", "parametres"),
    [
        ("reservation:logements", {"tri": "pk; DROP TABLE reservation_logement"}),
        ("reservation:logements", {"tri": "bailleur__rattachements__utilisateur__password"}),
        ("reservation:logements", {"q": "\0", "programme": "\0", "page": ENORME}),
        ("flux:liste", {"tri": "calcul__bailleur__siren", "annee": ENORME, "q": "\0", "page": "-1"}),
        ("flux:liberations", {"annee": "1e999", "q": "%' OR 1=1 --", "commune": "\0"}),
        ("flux:logements_proposes", {"reference": "a\0b"}),
        ("reservation:conventions", {"q": "\0", "bailleur": TROP_GRAND, "departement": "\0"}),
        ("bilans:liste", {"q": "\0", "annee": ENORME, "departement": "\0"}),
    ],
)
def test_parameters_never_reach_sql_nor_break_a_page(decor, en_tant_que, nom, parametres):
    assert en_tant_que("gestionnaire_a").get(reverse(nom), parametres).status_code == 200
    assert Logement.objects.filter(bailleur=decor.a.bailleur).exists()


@pytest.mark.parametrize("valeur", [ENORME, TROP_GRAND, "\0", "-1", ""])
def test_bodies_that_nothing_expects(decor, en_tant_que, valeur):
    client = en_tant_que("agent_ddets_06")
    for nom, corps in (
        ("changer_organisation", {"organisation": valeur}),
        ("flux:recalculer_tout", {"annee": valeur}),
    ):
        assert client.post(reverse(nom), corps).status_code == 404, nom
    reponse = client.post(
        reverse("bilans:produire_lot"), {"annee": str(ANNEE), "departement": valeur or "99"}
    )
    assert reponse.status_code in (302, 404)


def test_htmx_headers_open_nothing(decor, en_tant_que):
    """A fragment asks for the same rights as its page."""
    entetes = {"HX-Request": "true", "HX-Target": "contenu", "HX-Current-URL": "http://testserver/"}
    client = en_tant_que("gestionnaire_a")
    for adresse in (
        reverse("reservation:import_rpls_avancement", args=[decor.b.import_rpls.pk]),
        reverse("flux:recalcul_avancement", args=[decor.b.recalcul.pk]),
        reverse("flux:avancement", args=[decor.b.bailleur.pk, "06", ANNEE]),
        reverse("bilans:production", args=[decor.b.bilan.pk]),
        reverse("bilans:lot", args=[decor.b.lot.pk]),
    ):
        assert client.get(adresse, headers=entetes).status_code == 404, adresse


def test_verbs_that_write_are_not_reached_by_get(decor, en_tant_que):
    client = en_tant_que("gestionnaire_a")
    a = decor.a
    for adresse in (
        reverse("reservation:import_rpls_abandonner", args=[a.import_a_confirmer.pk]),
        reverse("flux:recalculer_tout"),
        reverse("bilans:produire", args=[a.bilan.pk]),
        reverse("flux:liberation_acte", args=[a.liberation_libre.pk, "annuler"]),
        reverse("changer_organisation"),
        reverse("deconnexion"),
    ):
        assert client.get(adresse).status_code == 405, adresse


def test_writing_asks_for_the_token(decor, en_tant_que):
    client = en_tant_que("gestionnaire_a", enforce_csrf_checks=True)
    adresse = reverse("reservation:import_rpls_abandonner", args=[decor.a.import_a_confirmer.pk])
    assert client.post(adresse).status_code == 403
    decor.a.import_a_confirmer.refresh_from_db()
    assert decor.a.import_a_confirmer.etat == ImportRpls.Etat.A_CONFIRMER


# --- Identity -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", ["https://pirate.example/", "//pirate.example/", "javascript:alert(1)"])
def test_sign_in_leads_nowhere_else(decor, suite):
    reponse = Client().post(
        f"{reverse('connexion')}?next={suite}",
        {"login": "gestion@a.example", "password": "mot-de-passe-de-test", "next": suite},
    )
    assert (reponse.status_code, reponse.url) == (302, reverse("accueil"))


def test_a_foreign_organisation_in_the_session_is_not_taken(decor, en_tant_que):
    client = en_tant_que("gestionnaire_a")
    session = client.session
    session["organisation_id"] = decor.b.bailleur.pk
    session.save()
    assert client.get(reverse("reservation:logement", args=[decor.b.logement.pk])).status_code == 404
    assert client.get(reverse("reservation:logement", args=[decor.a.logement.pk])).status_code == 200


def test_a_deactivated_member_is_out_at_once(decor, en_tant_que):
    client = en_tant_que("gestionnaire_a")
    adresse = reverse("reservation:logement", args=[decor.a.logement.pk])
    assert client.get(adresse).status_code == 200
    decor.cast.gestionnaire_a.__class__.objects.filter(pk=decor.cast.gestionnaire_a.pk).update(
        is_active=False
    )
    assert client.get(adresse).status_code == 302
    assert not Client().login(username="ancien@a.example", password="mot-de-passe-de-test")


def test_an_expired_membership_gives_nothing(decor, en_tant_que):
    client = en_tant_que("gestionnaire_a")
    Rattachement.objects.filter(utilisateur=decor.cast.gestionnaire_a).update(fin=date(2024, 6, 30))
    assert client.get(reverse("reservation:logement", args=[decor.a.logement.pk])).status_code == 404
    assert client.get(reverse("reservation:parc")).status_code == 404


# --- Files that go out ----------------------------------------------------------------------------------------


def test_private_answers_are_kept_by_no_cache(decor, en_tant_que):
    client = en_tant_que("gestionnaire_a")
    for nom, args in (
        ("bilans:pdf", [decor.a.document.pk]),
        ("bilans:xlsx", [decor.a.document.pk]),
        ("reservation:import_rpls_rejets", [decor.a.import_rpls.pk]),
        ("reservation:logements_export", ["csv"]),
        ("accueil", []),
    ):
        reponse = client.get(reverse(nom, args=args))
        reponse.close()
        assert reponse.status_code == 200
        assert reponse.headers["Cache-Control"] == "private, no-store", nom
        assert reponse.headers["X-Content-Type-Options"] == "nosniff"
    # To nobody in particular too; the API says that its answers depend on the token.
    inconnu = en_tant_que(ANONYME)
    assert inconnu.get(reverse("etat")).headers["Cache-Control"] == "private, no-store"
    refus = inconnu.get(reverse("api:moi-list"))
    assert (refus.status_code, refus.headers["Cache-Control"]) == (401, "private, no-store")
    assert "Authorization" in refus.headers["Vary"]


FORMULES = ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1"]


@pytest.mark.parametrize("formule", FORMULES)
def test_no_formula_leaves_in_a_file(formule):
    colonnes = [Colonne("Adresse", lambda ligne: ligne), Colonne("Rang", lambda _: 1, Format.ENTIER)]
    with en_csv(colonnes, [formule]) as fichier:
        csv = fichier.read().decode("utf-8-sig")
    assert f"'{formule.strip()[0]}" in csv or "'\t" in csv or "'\r" in csv
    with en_xlsx(colonnes, [formule], "Essai") as fichier, zipfile.ZipFile(fichier) as classeur:
        feuille = classeur.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in feuille


# --- Files that come in ---------------------------------------------------------------------------------------


def _zip(membres: dict[str, bytes]) -> bytes:
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as archive:
        for nom, contenu in membres.items():
            archive.writestr(nom, contenu)
    return sortie.getvalue()


def _methode_inconnue() -> bytes:
    """An archive whose compression Python does not know (method 9, Deflate64)."""
    octets = bytearray(_zip({"RPLS.csv": b"DROIT;DEPCOM\n1;06029\n" * 50}))
    octets[8:10] = octets[octets.index(b"PK\x01\x02") + 10 : octets.index(b"PK\x01\x02") + 12] = b"\x09\x00"
    return bytes(octets)


FICHIERS = {
    "page web": b"<!DOCTYPE html><script>alert(1)</script>",
    "bombe": _zip({"RPLS.csv": b"0" * (64 << 20)}),
    "mille fichiers": _zip({f"{n}.csv": b"a" * 10 for n in range(1000)}),
    "chemin qui remonte": _zip({"../../../../tmp/pirate.csv": b"DROIT;DEPCOM\n"}),
    "en-tête énorme": b"A;" * 2_000_000 + b"\n1;2\n",
    "compression inconnue": _methode_inconnue(),
    "zip coupé": _zip({"RPLS.csv": b"DROIT;DEPCOM\n" * 9000})[:-40],
    "octets nuls": b"\0" * 5000,
}


@pytest.mark.parametrize("nature", FICHIERS)
def test_hostile_files_are_refused_with_a_sentence(decor, en_tant_que, fichiers_du_decor, nature):
    avant = {p for p in fichiers_du_decor.rglob("*") if p.is_file()}
    client = en_tant_que("gestionnaire_a")
    fichier = SimpleUploadedFile("../../<img src=x>.csv", FICHIERS[nature])
    reponse = client.post(
        reverse("reservation:import_rpls_nouveau"), {"fichier": fichier, "millesime": str(ANNEE)}
    )
    assert reponse.status_code == 302
    recu = ImportRpls.objects.latest("pk")
    assert (recu.etat, bool(recu.message)) == (ImportRpls.Etat.REFUSE, True)
    assert "/" not in recu.nom_fichier
    page = client.get(reponse.url).content.decode()
    assert "<img src=x" not in page
    assert {p for p in fichiers_du_decor.rglob("*") if p.is_file()} == avant
