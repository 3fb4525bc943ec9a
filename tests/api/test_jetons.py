"""Tokens: whose they are, what they may, when they die, what is kept of them."""

import io
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from flux.models import Liberation
from flux.services import bac_a_sable
from publics.services.labels import departements_de
from reservation import contexte
from reservation.acteur import Acteur, Role
from reservation.models import (
    Courriel,
    EvenementAcces,
    JetonApi,
    LigneJournal,
    Logement,
    Organisation,
    Rattachement,
)
from reservation.regles.portees import toutes_les_portees
from reservation.services import bac_a_sable as identite
from reservation.services import habilitations, jetons
from tests.acces.decor import ANNEE, CANARI
from tests.api.conftest import SYSTEME, Programme, ouvrir

pytestmark = pytest.mark.django_db


def declarer(programme, reference="A-2", date=f"{ANNEE}-05-04"):
    return programme.post("liberations/", {"reference": reference, "date": date})


def test_a_token_says_who_it_is(a, decor):
    moi = a.get("moi/").json()
    assert moi["organisation"]["id"] == decor.cast.bailleur_a.pk
    assert (moi["roles"], moi["jeton"]) == (["GESTION"], "essai gestionnaire_a")


def test_a_reading_token_reads_and_writes_nothing(programme):
    lecteur = programme("gestionnaire_a", "LECTURE")
    assert lecteur.get("liberations/").status_code == 200
    refus = declarer(lecteur)
    assert (refus.status_code, refus["Content-Type"]) == (403, "application/problem+json")


def test_a_token_is_never_more_than_its_person(a, decor):
    """The person lost the role of managing: their program too, at once."""
    habilitations.changer_roles(SYSTEME, decor.cast.gestionnaire_a, decor.cast.bailleur_a, ["LECTURE"])
    assert a.get("moi/").json()["roles"] == ["LECTURE"]
    assert declarer(a).status_code == 403


@pytest.mark.parametrize("role", ["SIGNATURE", "ADMINISTRATION", "INCONNU"])
def test_a_token_neither_signs_nor_administers(decor, role):
    with pytest.raises(ValidationError):
        jetons.ouvrir_jeton(
            SYSTEME,
            decor.cast.bailleur_a,
            decor.cast.signataire_a,
            nom="x",
            role=role,
            fin=jetons.fin_maximale(),
        )


def test_a_signatory_gets_managing_and_no_more(programme):
    assert programme("signataire_a").get("moi/").json()["roles"] == ["GESTION"]


def test_managing_is_not_given_to_who_only_reads(decor):
    with pytest.raises(ValidationError, match="n’a pas le rôle de gestion"):
        ouvrir(decor.cast, "lecteur_a")


@pytest.mark.parametrize("jours", [-1, 366, 4000])
def test_a_token_lasts_a_year_at_most(decor, jours):
    with pytest.raises(ValidationError, match="un an au plus"):
        jetons.ouvrir_jeton(
            SYSTEME,
            decor.cast.bailleur_a,
            decor.cast.gestionnaire_a,
            nom="x",
            role="LECTURE",
            fin=timezone.localdate() + timedelta(days=jours),
        )


# --- What kills it ------------------------------------------------------------------------------------------------


def mort(programme) -> bool:
    reponse = programme.get("moi/")
    if reponse.status_code == 200:
        return False
    assert reponse.status_code == 401
    assert reponse["WWW-Authenticate"].startswith("Bearer")
    assert reponse.json()["type"].endswith("#non-authentifie")
    return True


def test_dead_when_revoked(a, decor):
    assert not mort(a)
    jetons.revoquer_jeton(decor.cast.acteur("administrateur_a"), a.jeton)
    assert mort(a)
    with pytest.raises(ValidationError, match="déjà révoqué"):
        jetons.revoquer_jeton(decor.cast.acteur("gestionnaire_a"), a.jeton)


def test_dead_after_its_last_day(a):
    hier = timezone.localdate() - timedelta(days=1)
    JetonApi.objects.filter(pk=a.jeton.pk).update(debut=hier, fin=hier)
    assert mort(a)


def test_dead_with_the_access_and_not_revived_by_another(a, decor):
    cast = decor.cast
    habilitations.terminer_acces(SYSTEME, cast.gestionnaire_a, cast.bailleur_a)
    assert mort(a)
    habilitations.donner(cast.gestionnaire_a, cast.bailleur_a, [Role.GESTION])
    assert mort(a)


def test_dead_when_the_access_is_not_confirmed(a, decor):
    hier = timezone.localdate() - timedelta(days=1)
    siens = Rattachement.objects.filter(utilisateur=decor.cast.gestionnaire_a)
    siens.update(fin=hier)
    assert mort(a)
    habilitations.terminer_les_echus()
    a.jeton.refresh_from_db()
    assert a.jeton.revoque_le is not None
    habilitations.donner(decor.cast.gestionnaire_a, decor.cast.bailleur_a, [Role.GESTION])
    assert mort(a)


def test_dead_with_the_account(a, decor):
    decor.cast.gestionnaire_a.is_active = False
    decor.cast.gestionnaire_a.save()
    assert mort(a)


@pytest.mark.parametrize(
    "entete", ["Bearer gef_inconnu", "Bearer ", "Basic Z2VmOng=", "gef_", "Bearer é", "Bearer gef_\x7f"]
)
def test_what_is_not_a_token_opens_nothing_even_beside_a_session(decor, client, entete):
    client.force_login(decor.cast.gestionnaire_a)
    reponse = client.get("/api/v1/moi/", headers={"Authorization": entete})
    assert reponse.status_code == 401


def test_a_token_opens_no_page(a):
    reponse = a.client.get("/liberations/", headers=a.entetes())
    assert reponse.status_code == 302


def test_a_token_wins_over_a_session(a, decor):
    a.client.force_login(decor.cast.gestionnaire_b)
    assert a.get("moi/").json()["organisation"]["id"] == decor.cast.bailleur_a.pk


# --- What is kept of it -------------------------------------------------------------------------------------------


def test_the_secret_is_nowhere(a):
    """Neither in the row, nor in its traces, nor in an e-mail, nor in the journal."""
    with connection.cursor() as curseur:
        for table in (
            "reservation_jetonapi",
            "reservation_tracejetonapi",
            "reservation_courriel",
            "reservation_lignejournal",
            "reservation_evenementacces",
            "reservation_cleidempotence",
        ):
            curseur.execute(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE %s", [f"%{a.secret}%"])
            assert curseur.fetchone()[0] == 0, table
    assert a.jeton.repere == a.secret[-4:]


def test_the_secret_is_given_once_and_to_its_person(decor):
    cast = decor.cast
    jeton = decor.a.jeton
    for autre in ("administrateur_a", "signataire_a", "gestionnaire_b"):
        with pytest.raises(PermissionDenied):
            jetons.tirer_secret(cast.acteur(autre), jeton)
    assistee = Acteur(
        utilisateur_id=jeton.utilisateur_id, organisation_id=jeton.organisation_id, assistant_id=1
    )
    with pytest.raises(PermissionDenied):
        jetons.tirer_secret(assistee, jeton)
    assert jetons.tirer_secret(cast.acteur("gestionnaire_a"), jeton).startswith("gef_")
    with pytest.raises(ValidationError, match="déjà été remis"):
        jetons.tirer_secret(cast.acteur("gestionnaire_a"), jeton)


def test_opening_is_told_and_written_down(decor):
    cast = decor.cast
    Courriel.objects.all().delete()
    mail.outbox.clear()
    jeton = jetons.ouvrir_jeton(
        cast.acteur("administrateur_a"),
        cast.bailleur_a,
        cast.gestionnaire_a,
        nom="gestion locative",
        role="GESTION",
        fin=jetons.fin_maximale(),
    )
    ecrits = {c.destinataire: c for c in Courriel.objects.all()}
    assert set(ecrits) == {cast.administrateur_a.courriel, cast.gestionnaire_a.courriel}
    assert (
        f"/organisations/{cast.bailleur_a.pk}/acces-api/"
        in ecrits[cast.administrateur_a.courriel].corps_texte
    )
    assert "/mes-acces/" in ecrits[cast.gestionnaire_a.courriel].corps_texte
    assert EvenementAcces.objects.latest("pk").nature == EvenementAcces.Nature.API_OUVERT
    ligne = LigneJournal.objects.filter(objet_type="reservation.jetonapi", objet_id=str(jeton.pk)).get()
    assert (ligne.designation, ligne.personne_id) == ("gestion locative", cast.gestionnaire_a.pk)


def test_what_a_program_writes_says_so(a):
    reponse = declarer(a)
    ligne = LigneJournal.objects.filter(
        objet_type="flux.liberation", objet_id=str(reponse.json()["id"]), acte="insert"
    ).get()
    assert ligne.auteur_id == a.jeton.utilisateur_id
    assert ligne.origine == f"api:liberation-list (jeton {a.jeton.pk})"
    assert Liberation.objects.get(pk=reponse.json()["id"]).cree_par_id == a.jeton.utilisateur_id


def test_the_last_use_is_written_by_the_night_and_not_by_a_get(a):
    a.get("moi/")
    a.jeton.refresh_from_db()
    assert a.jeton.usage_le is None
    assert jetons.lire_usages([a.jeton]) == {a.jeton.pk: timezone.localdate()}
    assert jetons.ecrire_les_usages() == 1
    a.jeton.refresh_from_db()
    assert a.jeton.usage_le == timezone.localdate()
    assert jetons.ecrire_les_usages() == 0


# --- Pages --------------------------------------------------------------------------------------------------------


def test_from_the_administrator_to_the_program(decor, client):
    """Opened on one page by one, drawn on another by the other, used."""
    cast = decor.cast
    client.force_login(cast.administrateur_a)
    adresse = reverse("reservation:jeton_creer", args=[cast.bailleur_a.pk])
    assert "Un an au plus" in client.get(adresse).content.decode()
    reponse = client.post(
        adresse,
        {
            "nom": "Logiciel de production",
            "personne": cast.gestionnaire_a.pk,
            "role": "GESTION",
            "portees": ["liberations:ecrire", "flux:lire"],
            "fin": jetons.fin_maximale().isoformat(),
        },
    )
    assert reponse.status_code == 302, reponse.content.decode()
    page = client.get(reponse.url).content.decode()
    assert "Logiciel de production" in page and "Secret à remettre" in page
    jeton = JetonApi.objects.get(nom="Logiciel de production")

    client.force_login(cast.gestionnaire_a)
    assert "Afficher le secret" in client.get("/mes-acces/").content.decode()
    page = client.post(reverse("reservation:jeton_secret", args=[jeton.pk]))
    secret = page.content.decode().split('value="gef_')[1].split('"')[0]
    assert page["Cache-Control"] == "private, no-store"
    entete = {"Authorization": f"Bearer gef_{secret}"}
    assert client.get("/api/v1/moi/", headers=entete).json()["jeton"] == "Logiciel de production"
    moi = client.get("/api/v1/moi/", headers=entete).json()
    assert moi["portees"] == ["liberations:lire", "liberations:ecrire", "flux:lire"]
    encore = client.post(reverse("reservation:jeton_secret", args=[jeton.pk]))
    assert encore.status_code == 302
    assert secret not in client.get("/mes-acces/").content.decode()


def test_the_form_refuses_a_foreigner_and_a_long_life(decor, client):
    cast = decor.cast
    client.force_login(cast.administrateur_a)
    adresse = reverse("reservation:jeton_creer", args=[cast.bailleur_a.pk])
    saisie = {
        "nom": "x",
        "personne": cast.gestionnaire_b.pk,
        "role": "SIGNATURE",
        "portees": ["flux:lire"],
        "fin": (jetons.fin_maximale() + timedelta(days=1)).isoformat(),
    }
    reponse = client.post(adresse, saisie)
    assert reponse.status_code == 422
    assert {"personne", "role"} <= set(reponse.context["form"].errors)
    reponse = client.post(adresse, saisie | {"personne": cast.gestionnaire_a.pk, "role": "LECTURE"})
    assert set(reponse.context["form"].errors) == {"fin"}
    assert not JetonApi.objects.filter(nom="x").exists()


def test_the_second_factor_binds_a_session_and_not_a_token(decor, client, programme, settings):
    settings.SECOND_FACTEUR_OBLIGATOIRE = True
    agent = programme("agent_ddets_06")
    assert agent.get("moi/").status_code == 200
    client.force_login(decor.cast.agent_ddets_06)
    refus = client.get("/api/v1/moi/")
    assert refus.status_code == 403 and "second facteur" in refus.json()["detail"]


def test_a_session_writes_with_the_csrf_token_only(decor):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(decor.cast.gestionnaire_a)
    assert client.get("/api/v1/moi/").status_code == 200
    refus = client.post(
        "/api/v1/liberations/", "{}", content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert refus.status_code == 403


def test_the_end_of_a_token_is_announced_once_at_each_term(a):
    fin = a.jeton.fin
    ecrits = Courriel.objects.filter(gabarit="acces_api_fin")
    assert jetons.rappeler_les_fins(fin - timedelta(days=61)) == 0
    premier = jetons.rappeler_les_fins(fin - timedelta(days=60))
    assert premier >= 2 and jetons.rappeler_les_fins(fin - timedelta(days=45)) == 0
    assert jetons.rappeler_les_fins(fin - timedelta(days=5)) == premier
    assert a.jeton.utilisateur.courriel in set(ecrits.values_list("destinataire", flat=True))
    assert not any(a.secret in texte for texte in ecrits.values_list("corps_texte", flat=True))
    jetons.revoquer_jeton(Acteur.du_systeme("essai"), a.jeton)
    assert jetons.rappeler_les_fins(fin) == 0


# --- Scopes, sandbox -------------------------------------------------------------------------------------------------


def restreindre(programme, *portees: str):
    JetonApi.objects.filter(pk=programme.jeton.pk).update(portees=list(portees))
    return programme


def test_a_token_reads_and_writes_what_it_was_opened_for(a, decor):
    assert a.jeton.portees == toutes_les_portees()
    restreindre(a, "liberations:lire", "flux:lire")
    for chemin, statut in (
        *(("moi/", 200), ("organisations/", 200), ("motifs/", 200), ("nomenclatures/", 200)),
        *(("liberations/", 200), ("attributions/", 200), ("flux/", 200), ("objectifs/", 200)),
        *(("logements/", 403), ("commissions/", 403), ("passages/", 403), ("labels/", 403), ("bilans/", 403)),
        *(("bilans-recus/", 403), ("indicateurs/", 403), ("rapprochements/", 403), ("ecarts/", 403)),
        ("propositions/references/", 403),
    ):
        reponse = a.get(chemin)
        assert reponse.status_code == statut, chemin
        if statut == 403:
            assert reponse.json()["type"].endswith("#hors-portee")
    refus = a.post("liberations/", {"reference": "A-2", "date": f"{ANNEE}-05-04"})
    assert refus.status_code == 403 and "écrire" in refus.json()["detail"]
    restreindre(a, "liberations:lire", "liberations:ecrire")
    assert a.post("liberations/", {"reference": "A-2", "date": f"{ANNEE}-05-04"}).status_code == 201


def au_bac_a_sable(cast, personnage: str) -> Programme:
    organisation = cast.gens[personnage].rattachements.get().organisation
    jeton = jetons.ouvrir_jeton(
        SYSTEME,
        organisation,
        cast.gens[personnage],
        nom="mise au point",
        role="GESTION",
        fin=jetons.fin_maximale(),
        bac_a_sable=True,
    )
    return Programme(jeton, jetons.tirer_secret(cast.acteur(personnage), jeton))


def test_the_sandbox_is_written_and_nothing_real_is_touched(decor, programme, client):
    cast = decor.cast
    with pytest.raises(ValidationError, match="pas ouvert"):
        au_bac_a_sable(cast, "gestionnaire_a")
    call_command("bac_a_sable", stdout=io.StringIO())
    ouvert = identite.bailleur_du_jour()
    assert bac_a_sable.ouvrir() == ouvert and not bac_a_sable.renouveler()
    with pytest.raises(ValidationError, match="pas ouvert"):
        au_bac_a_sable(cast, "agent_ddets_06")

    essai, reel = au_bac_a_sable(cast, "gestionnaire_a"), programme("gestionnaire_a")
    moi = essai.get("moi/").json()
    assert moi["bac_a_sable"] is True and moi["organisation"]["id"] == ouvert.pk
    reelles = {
        chemin: reel.get(chemin).json() for chemin in ("liberations/", "logements/", "flux/", "bilans/")
    }
    lues = essai.get("liberations/").json()["resultats"]
    assert len(lues) == bac_a_sable.LIBERATIONS and {x["departement"] for x in lues} == {identite.DEPARTEMENT}
    assert len(essai.get("logements/").json()["resultats"]) == bac_a_sable.LOGEMENTS
    for objet, ressource in ((decor.a.liberation_libre, "liberations"), (decor.a.bilan, "bilans")):
        assert essai.get(f"{ressource}/{objet.pk}/").status_code == 404

    # The whole of a week, as in the real world.
    libre = essai.post("liberations/", {"reference": "BAS-010", "date": lues[0]["date"]})
    assert libre.status_code == 201, libre.content
    faite = essai.post(
        f"liberations/{libre.json()['id']}/attribution/",
        {"numero_unique": "0061125DEMO0000042", "date_caleol": lues[0]["date"]},
    )
    assert faite.status_code == 201, faite.content
    assert {c: reel.get(c).json() for c in reelles} == reelles
    assert reel.get(f"liberations/{libre.json()['id']}/").status_code == 404
    assert LigneJournal.objects.filter(organisation=ouvert, auteur=cast.gens["gestionnaire_a"]).exists()
    for lecteur in ("agent_ddets_06", "charge_dreal", "charge_als", "gestionnaire_b"):
        vues = programme(lecteur, "LECTURE").get("liberations/", limite=200).json()["resultats"]
        assert identite.DEPARTEMENT not in {x["departement"] for x in vues}
        assert programme(lecteur, "LECTURE").get("objectifs/", departement="ZZ").json()["resultats"] == []
        # Nor does the département show in what they choose from; only the programs of the sandbox know of it.
        nomenclatures = programme(lecteur, "LECTURE").get("nomenclatures/").json()
        assert identite.DEPARTEMENT not in {d["code"] for d in nomenclatures["departements"]}
        assert identite.DEPARTEMENT not in {d.pk for d in departements_de(cast.acteur(lecteur))}
    codes = {d["code"] for d in essai.get("nomenclatures/").json()["departements"]}
    assert identite.DEPARTEMENT in codes

    # A réservataire's software reads what is oriented to the réservataire of the sandbox.
    als = au_bac_a_sable(cast, "charge_als")
    assert [x["id"] for x in als.get("liberations/").json()["resultats"]] == [
        x["id"] for x in lues if x["reservataire"]
    ]
    assert CANARI not in essai.get("liberations/").content.decode()

    # The night makes it new; the token goes on.
    with contexte.tracer("la nuit"):
        assert bac_a_sable.renouveler() and not bac_a_sable.renouveler()
    neuf = identite.bailleur_du_jour()
    assert neuf.pk != ouvert.pk and Organisation.objects.get(pk=ouvert.pk).fermee_le
    assert essai.get("moi/").json()["organisation"]["id"] == neuf.pk
    assert len(essai.get("liberations/").json()["resultats"]) == bac_a_sable.LIBERATIONS
    assert (
        Logement.objects.filter(departement=identite.DEPARTEMENT).values("bailleur").distinct().count() == 2
    )

    # Chosen on the page; it ends with the access of its person, as any other.
    client.force_login(cast.administrateur_a)
    page = client.get(f"/organisations/{cast.bailleur_a.pk}/acces-api/ouvrir/").content.decode()
    assert 'name="bac_a_sable"' in page
    assert "Bac à sable" in client.get(f"/organisations/{cast.bailleur_a.pk}/acces-api/").content.decode()
    assert not habilitations.chercher_organisations("bac à sable")
    jetons.revoquer_jeton(SYSTEME, essai.jeton)
    assert essai.get("moi/").status_code == 401
