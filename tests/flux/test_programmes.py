"""First lettings: the concertation, its closing, and its record as a PDF that says the same thing in the same bytes."""

from datetime import date
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from pypdf import PdfReader

from flux.models import Consultation, Programme
from flux.services import programmes
from flux.services.programmes import Ligne
from reservation.models import Commune
from reservation.perimetre import agir
from tests.flux.fabriques import ANNEE, actes_paca, liberation
from tests.personnages import CANNES, NICE

pytestmark = pytest.mark.django_db

CONSULTE, REPONDU = date(ANNEE, 2, 2), date(ANNEE, 2, 20)
ACCORD = Consultation.Reponse.ACCORD


@pytest.fixture
def programme(cast):
    actes_paca(cast)
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur):
        return programmes.ouvrir_concertation(
            acteur,
            cast.bailleur_a,
            nom="Les Essais",
            reference="OP-2026-1",
            commune=Commune.objects.get(pk=CANNES),
            livraison=date(ANNEE, 9, 1),
            logements=10,
            consulte_le=CONSULTE,
        )


def repondre(cast, programme, *nombres: int, non_reserves: int = 0, reponse=ACCORD) -> Programme:
    lignes = {
        c.pk: Ligne(reponse, REPONDU if reponse == ACCORD else None, nombre)
        for c, nombre in zip(programme.consultations.order_by("pk"), nombres, strict=True)
    }
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur):
        return programmes.enregistrer_reponses(acteur, programme, lignes, non_reserves)


def arreter(cast, programme, jour: date = REPONDU, qui: str = "gestionnaire_a") -> Programme:
    acteur = cast.acteur(qui)
    with agir(acteur):
        return programmes.arreter_repartition(acteur, programme, date=jour)


def test_every_reservataire_of_the_commune_is_consulted(cast, programme):
    consultes = {c.reservataire for c in programme.consultations.all()}
    assert consultes == {cast.ddets_06, cast.als, cast.commune_cannes}
    assert {c.consulte_le for c in programme.consultations.all()} == {CONSULTE}


def test_a_commune_without_any_act_in_force_has_nobody_to_consult(cast, programme):
    acteur = cast.acteur("gestionnaire_a")
    ici = programmes.reservataires_de(cast.bailleur_a, Commune.objects.get(pk=NICE), CONSULTE)
    assert ici == [cast.als, cast.ddets_06]
    with agir(acteur), pytest.raises(ValidationError, match="personne à consulter"):
        programmes.ouvrir_concertation(
            acteur,
            cast.bailleur_a,
            nom="Trop tôt",
            reference="OP-0",
            commune=Commune.objects.get(pk=CANNES),
            livraison=date(2020, 9, 1),
            logements=1,
            consulte_le=date(2020, 1, 1),
        )


def test_a_distribution_closes_when_everybody_answered_and_it_adds_up(cast, programme):
    with pytest.raises(ValidationError, match="Réponse encore attendue"):
        arreter(cast, programme)
    repondre(cast, programme, 3, 3, 1, non_reserves=2)
    with pytest.raises(ValidationError, match="9 sur 10 logements"):
        arreter(cast, programme)
    repondre(cast, programme, 3, 3, 1, non_reserves=3)
    with pytest.raises(ValidationError, match="suit la dernière réponse"):
        arreter(cast, programme, CONSULTE)
    arretee = arreter(cast, programme)
    assert (arretee.etat, arretee.arretee_le) == ("ARRETEE", REPONDU)
    assert arretee.arretee_par == cast.gestionnaire_a
    with pytest.raises(ValidationError, match="ne change plus"):
        repondre(cast, programme, 3, 3, 1, non_reserves=3)


def test_silence_is_an_answer_that_has_no_date(cast, programme):
    repondre(cast, programme, 3, 3, 1, non_reserves=3, reponse=Consultation.Reponse.SANS_REPONSE)
    assert arreter(cast, programme).etat == "ARRETEE"


def test_an_answer_follows_the_question(cast, programme):
    premiere = programme.consultations.first()
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur), pytest.raises(ValidationError, match="suit la consultation"):
        programmes.enregistrer_reponses(
            acteur, programme, {premiere.pk: Ligne(ACCORD, date(ANNEE, 2, 1), 1)}, 0
        )


def test_others_write_nothing(cast, programme):
    for qui in ("gestionnaire_b", "lecteur_a", "agent_ddets_06", "charge_als"):
        with pytest.raises(PermissionDenied):
            arreter(cast, programme, qui=qui)


def test_only_first_lettings_of_the_commune_and_no_more_than_built(cast, programme):
    ici = [liberation(cast.bailleur_a, date(ANNEE, 9, 1), premiere=True) for _ in range(11)]
    ailleurs = liberation(cast.bailleur_a, date(ANNEE, 9, 1), premiere=True, commune_id=NICE)
    ancienne = liberation(cast.bailleur_a, date(ANNEE, 9, 1))
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur):
        with pytest.raises(ValidationError, match="au moins un logement"):
            programmes.rattacher_liberations(acteur, programme, [ailleurs.pk, ancienne.pk])
        with pytest.raises(ValidationError, match="10 logements"):
            programmes.rattacher_liberations(acteur, programme, [lib.pk for lib in ici])
        assert programmes.rattacher_liberations(acteur, programme, [ici[0].pk, ici[1].pk]) == 2


def test_the_record_is_an_accessible_pdf_with_the_same_bytes(cast, programme):
    repondre(cast, programme, 3, 3, 1, non_reserves=3)
    arreter(cast, programme)
    programme.refresh_from_db()
    un, deux = programmes.composer_releve(programme), programmes.composer_releve(programme)
    assert un.octets == deux.octets
    lu = PdfReader(BytesIO(un.octets))
    assert lu.trailer["/Root"]["/MarkInfo"]["/Marked"] and lu.trailer["/Root"]["/Lang"] == "fr"
    texte = " ".join("".join(page.extract_text() for page in lu.pages).replace("\u00a0", " ").split())
    for attendu in ("Les Essais", "Commune de Cannes", "arrêtée le 20 février 2026", "OP-2026-1"):
        assert attendu in texte


def test_from_concertation_to_record_on_its_page(client, cast):
    actes_paca(cast)
    client.force_login(cast.gestionnaire_a)
    donnees = {
        "nom": "Les Pages",
        "reference": "OP-9",
        "commune": CANNES,
        "livraison": f"{ANNEE}-09-01",
        "logements": "4",
        "consulte_le": CONSULTE.isoformat(),
    }
    refus = client.post(reverse("flux:programme_creer"), donnees | {"commune": "99999"})
    assert refus.status_code == 422 and "n’est pas un code de commune" in refus.content.decode()
    assert client.post(reverse("flux:programme_creer"), donnees).status_code == 302
    programme = Programme.objects.get()
    url = reverse("flux:programme", args=[programme.pk])
    assert "réponse attendue" in client.get(url).content.decode()
    reponses = {"non_reserves": "1"}
    for consultation in programme.consultations.all():
        reponses |= {
            f"reponse-{consultation.pk}": "ACCORD",
            f"jour-{consultation.pk}": REPONDU.isoformat(),
            f"logements-{consultation.pk}": "1",
        }
    sans_jour = {cle: "" if cle.startswith("jour") else valeur for cle, valeur in reponses.items()}
    assert "Une réponse porte sa date" in client.post(url, sans_jour).content.decode()
    arret = reverse("flux:programme_arreter", args=[programme.pk])
    refus = client.post(arret, {"date": f"{ANNEE}-03-01"})
    assert refus.status_code == 422
    assert f'<form method="post" action="{url}"' in refus.content.decode(), (
        "les réponses s’enregistrent encore"
    )
    assert client.post(url, reponses).status_code == 302
    assert client.post(arret, {"date": f"{ANNEE}-03-01"}).status_code == 302
    assert "Répartition arrêtée le" in client.get(url).content.decode()
    neuve = liberation(cast.bailleur_a, date(ANNEE, 9, 1), premiere=True)
    rattacher = reverse("flux:programme_rattacher", args=[programme.pk])
    client.post(rattacher, {"liberation": ["x", str(neuve.pk)]})
    assert neuve.reference in client.get(url).content.decode()
    pdf = client.get(reverse("flux:programme_releve", args=[programme.pk]))
    assert pdf["Content-Type"] == "application/pdf" and pdf.content.startswith(b"%PDF")
    assert "Les Pages" in client.get(reverse("flux:programmes")).content.decode()
    client.force_login(cast.agent_caf)
    assert client.get(url).status_code == 404


def test_a_reservataire_reads_its_own_line_and_nothing_else(client, cast, programme):
    als = programme.consultations.get(reservataire=cast.als)
    Consultation.objects.filter(pk=als.pk).update(reponse=ACCORD, repondu_le=REPONDU, logements=3)
    Consultation.objects.filter(programme=programme).exclude(pk=als.pk).update(logements=4)
    page = reverse("flux:programme", args=[programme.pk])
    client.force_login(cast.charge_als)
    assert "Les Essais" in client.get(reverse("flux:programmes")).content.decode()
    lu = client.get(page).content.decode()
    assert "Accord, le 20" in lu and "concertation en cours" in lu and "3 logements" not in lu
    assert cast.commune_cannes.nom not in lu.replace("à Cannes", "")
    assert client.post(page, {}).status_code == 403
    assert client.get(reverse("flux:programme_releve", args=[programme.pk])).status_code == 404
    with agir(cast.acteur("charge_als")):
        assert list(Consultation.objects.values_list("pk", flat=True)) == [als.pk]
    client.force_login(cast.agent_caf)
    assert client.get(page).status_code == 404


def test_a_first_letting_leads_to_its_programme(client, cast, programme):
    neuve = liberation(cast.bailleur_a, date(ANNEE, 9, 1), premiere=True)
    client.force_login(cast.gestionnaire_a)
    ici = reverse("flux:liberation", args=[neuve.pk])
    assert "rattachée à aucun programme" in client.get(ici).content.decode()
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur):
        programmes.rattacher_liberations(acteur, programme, [neuve.pk])
    page = reverse("flux:programme", args=[programme.pk])
    assert page in client.get(ici).content.decode() and ici in client.get(page).content.decode()
