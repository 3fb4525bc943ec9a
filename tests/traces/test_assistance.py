"""Support in somebody's place: begun with a reason, seen by all, short, never able to sign, never over another support."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import RequestFactory
from django.utils import timezone

from bilans.services import campagnes, projections
from config.views import erreur_500
from flux.services import agents as agents_attribues
from flux.services import commissions, convocations, exceptions, orientations, simulations
from publics.services import agents, droits, labels, lectures
from reservation.acteur import Acteur, Role
from reservation.models import Assistance, Convention, LigneJournal, Rattachement
from reservation.services.assistances import acteur_assiste, commencer_assistance
from tests.conventions.fabrique import brouillon

pytestmark = pytest.mark.django_db
BANDEAU = "bandeau-assistance"


def commencer(client, cast, nom: str = "signataire_a", motif: str = "appel du 3 mars", **autres):
    return client.post("/assistance/", {"courriel": cast.gens[nom].courriel, "motif": motif} | autres)


@pytest.fixture
def assiste(cast, entrer):
    client = entrer(cast.support)
    assert commencer(client, cast).status_code == 302
    return client


def test_the_banner_is_on_every_page_with_a_way_out(assiste, cast):
    for url in ("/", "/conventions/", "/liberations/", "/aide/"):
        page = assiste.get(url).content.decode()
        assert BANDEAU in page, url
        assert "appel du 3 mars" in page and "Quitter" in page and "Signataire A" in page
    assert assiste.post("/assistance/quitter/").status_code == 302
    assert BANDEAU not in assiste.get("/").content.decode()
    assert Assistance.objects.get().finie_le is not None


def test_the_banner_is_on_error_pages_too(assiste, cast):
    for url, statut in (("/n-existe-pas/", 404), ("/conventions/999999/", 404), ("/donnees-communes/", 403)):
        page = assiste.get(url)
        assert (page.status_code, BANDEAU in page.content.decode()) == (statut, True), url
    demande = RequestFactory().get("/")
    demande.acteur = Acteur(utilisateur_id=1, assistant_id=2)
    page = erreur_500(demande)
    assert page.status_code == 500 and BANDEAU in page.content.decode()
    demande.acteur = Acteur(utilisateur_id=1)
    assert BANDEAU not in erreur_500(demande).content.decode()


def test_what_is_written_bears_both(assiste, cast):
    acte = brouillon(cast, cast.als, "20", numero="A-1")
    reponse = assiste.post(
        f"/conventions/{acte.pk}/etape/parties/",
        {"numero": "A-2", "debut": "2025-01-01", "fin": "2027-12-31", "signataires": ""},
    )
    assert reponse.status_code == 302
    ligne = LigneJournal.objects.get(
        requete=reponse.headers["X-Request-Id"], objet_type="reservation.convention"
    )
    assert (ligne.auteur_id, ligne.assistant_id) == (cast.signataire_a.pk, cast.support.pk)
    assert ligne.organisation_id == cast.bailleur_a.pk
    assert ligne.motif == "appel du 3 mars"


def test_beginning_and_end_are_in_the_journal(assiste, cast, entrer):
    assiste.post("/assistance/quitter/")
    lignes = LigneJournal.objects.filter(objet_type="reservation.assistance").order_by("pk")
    assert [ligne.acte for ligne in lignes] == ["insert", "update"]
    assert {ligne.proprietaire_id for ligne in lignes} == {cast.bailleur_a.pk}
    assert "Assistance" in entrer(cast.administrateur_a, neuf=True).get("/journal/").content.decode()


def test_it_never_signs_nor_submits_nor_administers(assiste, cast):
    """The person helped may sign; whoever helps them may not."""
    assert Role.SIGNATURE in cast.acteur("signataire_a").roles
    acte = brouillon(cast, cast.als, "20")
    signature = {"signee_le": "2025-04-11", "signataires": "Directeur", "confirmer": "on"}
    assert assiste.post(f"/conventions/{acte.pk}/verification/", signature).status_code == 403
    assert Convention.objects.get(pk=acte.pk).etat == Convention.Etat.BROUILLON
    from bilans.models import Bilan

    bilan = Bilan.objects.create(bailleur=cast.bailleur_a, departement_id="06", annee=2025)
    assert assiste.post(f"/bilans/{bilan.pk}/appreciation/", {"appreciation": "x"}).status_code == 403
    assert 'name="appreciation"' not in assiste.get(f"/bilans/{bilan.pk}/").content.decode()
    assert assiste.post(f"/bilans/{bilan.pk}/produire/").status_code == 403
    assert assiste.get("/journal/").status_code == 403
    bilan.refresh_from_db()
    assert bilan.appreciation == ""


# What is decided for others, sent to another organisation, or read of what is most sensitive: refused before anything
# is looked at.
RESERVES = (
    lambda a: simulations.partager(a, None, 1),
    lambda a: commissions.cloturer_commission(a, None),
    lambda a: commissions.rouvrir_commission(a, None, motif="x"),
    lambda a: commissions.annuler_commission(a, None, motif="x"),
    lambda a: convocations.convoquer_ddets(a, None),
    lambda a: orientations.designer_d_urgence(a, None, reference="", motif=None, date=None),
    lambda a: exceptions.admettre_label(a, None, None, motif=None),
    lambda a: agents_attribues.decider(a, None),
    lambda a: agents.decider(a, []),
    lambda a: labels.accorder(a, [], debut=None),
    lambda a: labels.retirer(a, None, motif=None, a_compter_du=None),
    lambda a: labels.renouveler(a, None),
    lambda a: lectures.lire_motif(a, None, "/"),
    lambda a: lectures.lire_motifs_proposes(a, [], "/"),
    lambda a: droits.retrouver(a, "", "/"),
    lambda a: campagnes.modifier_campagne(a, None, 2026, {}),
    lambda a: projections.envoyer_projection(a, None, "06", 2026),
)


@pytest.mark.parametrize("acte", RESERVES)
def test_what_commits_the_person_is_not_done_in_their_place(assiste, cast, acte):
    assistance = Assistance.objects.get()
    with pytest.raises(PermissionDenied, match="assistance"):
        acte(acteur_assiste(cast.support, assistance.pk))


def test_the_perimeter_is_that_of_the_person(assiste, cast):
    a = brouillon(cast, cast.als, "20", numero="acte-A")
    b = brouillon(cast, cast.als, "20", bailleur=cast.bailleur_b, numero="acte-B")
    assert assiste.get(f"/conventions/{a.pk}/").status_code == 200
    assert assiste.get(f"/conventions/{b.pk}/").status_code == 404


def test_a_reader_helped_is_still_a_reader(cast, entrer):
    client = entrer(cast.support)
    commencer(client, cast, "lecteur_a")
    acte = brouillon(cast, cast.als, "20")
    assert client.get(f"/conventions/{acte.pk}/").status_code == 200
    assert client.post(f"/conventions/{acte.pk}/supprimer/").status_code == 403


def test_it_ends_after_an_hour(assiste, cast):
    maintenant = timezone.now()
    Assistance.objects.update(
        commencee_le=maintenant - timedelta(minutes=61), expire_le=maintenant - timedelta(minutes=1)
    )
    page = assiste.get("/").content.decode()
    assert BANDEAU not in page
    acte = brouillon(cast, cast.als, "20")
    assert assiste.get(f"/conventions/{acte.pk}/").status_code == 404
    assert (
        commencer(assiste, cast, "lecteur_a").status_code == 302
    )  # the one that expired is closed by the next
    assert Assistance.objects.filter(finie_le=None).count() == 1


def test_one_is_quitted_before_another_begins(assiste, cast):
    """Else the beginning of the second would be written down as an act of the person helped first."""
    refus = commencer(assiste, cast, "gestionnaire_b")
    assert refus.status_code == 422 and "quittez-la d’abord" in refus.content.decode()
    assert Assistance.objects.count() == 1
    assiste.post("/assistance/quitter/")
    assert commencer(assiste, cast, "gestionnaire_b").status_code == 302
    auteurs = LigneJournal.objects.filter(objet_type="reservation.assistance", acte="insert")
    assert set(auteurs.values_list("auteur", flat=True)) == {cast.support.pk}


def test_a_reading_writes_nothing(assiste):
    avant = LigneJournal.objects.count(), Assistance.objects.get().finie_le
    for url in ("/", "/conventions/", "/assistance/"):
        assiste.get(url)
    assert (LigneJournal.objects.count(), Assistance.objects.get().finie_le) == avant
    assert assiste.get("/assistance/quitter/").status_code == 405


@pytest.mark.parametrize("motif", ["", "   "])
def test_the_reason_is_mandatory(cast, entrer, motif):
    assert commencer(entrer(cast.support), cast, motif=motif).status_code == 422
    assert not Assistance.objects.exists()


def test_neither_another_support_nor_oneself_nor_somebody_gone(cast, entrer):
    client = entrer(cast.support)
    for nom in ("autre_support", "support", "ancien_a", "sans_organisation"):
        reponse = commencer(client, cast, nom)
        assert reponse.status_code == 422, nom
        assert "Aucune personne à assister" in reponse.content.decode()
    assert not Assistance.objects.exists()
    with pytest.raises(PermissionDenied):
        commencer_assistance(cast.support, cast.autre_support, cast.bailleur_a, "motif")
    with pytest.raises(ValidationError):
        commencer_assistance(cast.support, cast.gestionnaire_b, cast.bailleur_a, "motif")


def test_only_support_may(cast, entrer):
    for nom in ("administrateur_a", "agent_ddets_06", "gestionnaire_a"):
        client = entrer(cast.gens[nom], neuf=True)
        assert client.get("/assistance/").status_code == 403
        assert commencer(client, cast, "gestionnaire_b").status_code == 403
        assert client.post("/assistance/quitter/").status_code == 403


def test_an_assistance_of_another_is_no_use(cast, entrer):
    """Its number in one's session gives nothing: it is that of one person, and of a support."""
    assistance = commencer_assistance(cast.support, cast.gestionnaire_a, cast.bailleur_a, "motif")
    assert acteur_assiste(cast.support, assistance.pk).assistant_id == cast.support.pk
    for nom in ("autre_support", "gestionnaire_b"):
        assert acteur_assiste(cast.gens[nom], assistance.pk) is None
    cast.support.is_staff = False
    assert acteur_assiste(cast.support, assistance.pk) is None


def test_it_stops_with_the_access_of_the_person(assiste, cast):
    Rattachement.objects.filter(utilisateur=cast.signataire_a).update(
        fin=timezone.localdate() - timedelta(days=1)
    )
    assert BANDEAU not in assiste.get("/").content.decode()


def test_the_session_stays_that_of_the_support(assiste, cast):
    """Whatever concerns the account itself is never that of the person helped."""
    assert assiste.get("/").wsgi_request.user.pk == cast.support.pk


def test_of_several_organisations_one_is_chosen(cast, entrer):
    """Asked once the person is known; one that is not theirs is refused."""
    Rattachement.objects.create(
        utilisateur=cast.gestionnaire_a, organisation=cast.bailleur_b, role=Role.LECTURE
    )
    client = entrer(cast.support)
    assert 'name="organisation"' not in client.get("/assistance/").content.decode()
    page = commencer(client, cast, "gestionnaire_a")
    assert page.status_code == 422
    assert "Cette personne a plusieurs organisations" in page.content.decode()
    assert "Logis Essai B" in page.content.decode()
    assert commencer(client, cast, "gestionnaire_a", organisation=cast.als.pk).status_code == 422
    assert not Assistance.objects.exists()
    assert commencer(client, cast, "gestionnaire_a", organisation=cast.bailleur_b.pk).status_code == 302
    assert Assistance.objects.get().organisation == cast.bailleur_b
    acte = brouillon(cast, cast.als, "20", bailleur=cast.bailleur_b)
    assert client.get(f"/conventions/{acte.pk}/").status_code == 200
    assert client.post(f"/conventions/{acte.pk}/supprimer/").status_code == 403
