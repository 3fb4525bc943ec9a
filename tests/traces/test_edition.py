"""Two people of one bailleur editing one object: the second is told, and nothing typed is lost."""

import re
import threading
from datetime import date

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from bilans.models import Bilan
from flux.models import CodeMotif, Liberation, SoustractionPrevisionnelle
from reservation.models import VersionConvention
from tests.conventions.fabrique import brouillon
from tests.flux.fabriques import ANNEE, actes_paca, liberation

pytestmark = pytest.mark.django_db
DIT = "Cette page a changé pendant que vous la remplissiez"


def version_lue(page) -> str:
    trouvee = re.search(r'name="version" value="(\d+)"', page.content.decode())
    assert trouvee
    return trouvee[1]


@pytest.fixture
def deux(cast, entrer):
    """(first, second): two managers of bailleur A, each in their browser."""
    return entrer(cast.gestionnaire_a, neuf=True), entrer(cast.autre_gestionnaire_a, neuf=True)


def etape(numero: str, version: str) -> dict:
    return {
        "numero": numero,
        "debut": "2025-01-01",
        "fin": "2027-12-31",
        "version": version,
    }


def test_the_second_is_told_who_changed_what_and_keeps_all(cast, deux):
    premier, second = deux
    acte = brouillon(cast, cast.als, "20", numero="A-0")
    url = f"/conventions/{acte.pk}/etape/parties/"
    v1, v2 = version_lue(premier.get(url)), version_lue(second.get(url))
    assert premier.post(url, etape("A-1", v1)).status_code == 302
    refusee = second.post(url, etape("A-2", v2))
    texte = refusee.content.decode()
    assert refusee.status_code == 200 and DIT in texte
    assert "Gestionnaire A" in texte  # who
    assert "A-0" in texte and "A-1" in texte  # what: before and after
    assert 'value="A-2"' in texte  # what was typed
    acte.refresh_from_db()
    assert acte.numero == "A-1"
    # Sent again knowingly, it is written.
    assert second.post(url, etape("A-2", version_lue(refusee))).status_code == 302
    acte.refresh_from_db()
    assert acte.numero == "A-2"


def test_one_alone_is_never_told(cast, deux):
    premier, _ = deux
    acte = brouillon(cast, cast.als, "20", numero="A-0")
    url = f"/conventions/{acte.pk}/etape/parties/"
    for numero in ("A-1", "A-2", "A-3"):
        assert premier.post(url, etape(numero, version_lue(premier.get(url)))).status_code == 302


def test_what_the_application_computes_is_no_edition(cast, deux):
    premier, _ = deux
    acte = brouillon(cast, cast.als, "20", numero="A-0")
    url = f"/conventions/{acte.pk}/etape/parties/"
    version = version_lue(premier.get(url))
    VersionConvention.objects.filter(convention=acte).update(taux_rotation=9)
    assert premier.post(url, etape("A-1", version)).status_code == 302


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "²"])
def test_a_version_that_is_none_is_no_error(cast, deux, version):
    premier, _ = deux
    acte = brouillon(cast, cast.als, "20", numero="A-0")
    assert premier.post(f"/conventions/{acte.pk}/etape/parties/", etape("A-1", version)).status_code == 302


def test_the_rate_of_a_draft(cast, deux):
    """Another step of the same draft is the same object."""
    premier, second = deux
    acte = brouillon(cast, cast.als, "20", numero="A-0")
    parties, taux = (f"/conventions/{acte.pk}/etape/{code}/" for code in ("parties", "taux"))
    vue = version_lue(second.get(taux))
    assert premier.post(parties, etape("A-1", version_lue(premier.get(parties)))).status_code == 302
    reponse = second.post(taux, {"taux": "24,5", "version": vue})
    assert DIT in reponse.content.decode() and 'value="24,5"' in reponse.content.decode()
    assert VersionConvention.objects.get(convention=acte).taux == 20


def test_two_acts_on_one_liberation(cast, deux):
    """The act of the first makes that of the second impossible: its form stays, filled, with the reason."""
    premier, second = deux
    actes_paca(cast)
    libre = liberation(cast.bailleur_a, date(ANNEE, 4, 1))
    page = reverse("flux:liberation", args=[libre.pk])
    v1, v2 = version_lue(premier.get(page)), version_lue(second.get(page))
    motif = CodeMotif.objects.get(code="A_MAINTIEN")
    orienter = reverse("flux:liberation_acte", args=[libre.pk, "orienter"])
    annuler = reverse("flux:liberation_acte", args=[libre.pk, "annuler"])
    assert (
        premier.post(
            annuler,
            {"date": f"{ANNEE}-04-05", "motif": motif.pk, "precision": "il reste", "version": v1},
        ).status_code
        == 302
    )
    reponse = second.post(orienter, {"reservataire": cast.als.pk, "date": f"{ANNEE}-04-06", "version": v2})
    texte = reponse.content.decode()
    assert reponse.status_code == 422 and DIT in texte and "il reste" in texte
    assert f'value="{ANNEE}-04-06"' in texte
    assert Liberation.objects.get(pk=libre.pk).reservataire_id is None


def test_the_words_of_a_bilan(cast, deux):
    """The page of a bilan shows the form once its figures are there; the refusal keeps the words in all cases."""
    premier, second = deux
    bilan = Bilan.objects.create(bailleur=cast.bailleur_a, departement_id="06", annee=ANNEE - 1)
    url = reverse("bilans:appreciation", args=[bilan.pk])
    assert premier.post(url, {"appreciation": "du premier", "version": "0"}).status_code == 302
    reponse = second.post(url, {"appreciation": "du second", "version": "0"})
    texte = reponse.content.decode()
    assert reponse.status_code == 422 and DIT in texte
    assert "du premier" in texte and "du second</textarea>" in texte
    bilan.refresh_from_db()
    assert bilan.appreciation == "du premier"


def test_projected_soustractions(cast, deux):
    premier, second = deux
    actes_paca(cast)
    url = reverse("flux:soustractions", args=[cast.bailleur_a.pk, "06", ANNEE])
    v1, v2 = version_lue(premier.get(url)), version_lue(second.get(url))
    assert (
        premier.post(
            url, {"MUTATION": "3", "RU": "0", "ORCOD": "0", "INSALUBRITE": "0", "VENTE": "0", "version": v1}
        ).status_code
        == 302
    )
    reponse = second.post(
        url, {"MUTATION": "8", "RU": "1", "ORCOD": "0", "INSALUBRITE": "0", "VENTE": "0", "version": v2}
    )
    texte = reponse.content.decode()
    assert reponse.status_code == 422 and DIT in texte and 'value="8"' in texte
    assert SoustractionPrevisionnelle.objects.get(categorie="MUTATION").nombre == 3


@pytest.mark.django_db(transaction=True)
def test_two_at_the_very_same_moment(transactional_db):
    """Both send the version that both have read, at once: exactly one is written, the other is told."""
    from tests.personnages import distribuer
    from tests.traces.conftest import completer

    cast = completer(distribuer())
    acte = brouillon(cast, cast.als, "20", numero="A-0")
    url = f"/conventions/{acte.pk}/etape/parties/"
    clients = []
    for personne in (cast.gestionnaire_a, cast.autre_gestionnaire_a):
        client = Client()
        client.force_login(personne)
        clients.append(client)
    versions = [version_lue(client.get(url)) for client in clients]
    depart = threading.Barrier(2)
    codes = {}

    def envoyer(rang: int) -> None:
        depart.wait()
        codes[rang] = clients[rang].post(url, etape(f"A-{rang + 1}", versions[rang])).status_code
        connections.close_all()

    fils = [threading.Thread(target=envoyer, args=(rang,)) for rang in range(2)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(timeout=60)
    assert sorted(codes.values()) == [200, 302]
    acte.refresh_from_db()
    gagnant = next(rang for rang, code in codes.items() if code == 302)
    assert acte.numero == f"A-{gagnant + 1}"
    assert connection.vendor == "postgresql"


def test_what_is_signed_is_what_was_read(cast, deux):
    """The draft changed while the second was reading it once more: the signature waits for a new reading."""
    premier, second = deux
    acte = brouillon(cast, cast.als, "20", numero="A-0")
    verification = f"/conventions/{acte.pk}/verification/"
    taux = f"/conventions/{acte.pk}/etape/taux/"
    vue = version_lue(second.get(verification))
    assert premier.post(taux, {"taux": "24", "version": version_lue(premier.get(taux))}).status_code == 302
    signature = {"signee_le": "2025-04-11", "signataires": "Directeur de A", "confirmer": "on"}
    reponse = second.post(verification, signature | {"version": vue})
    texte = reponse.content.decode()
    assert DIT in texte and "20</del>" in texte and "Directeur de A" in texte
    acte.refresh_from_db()
    assert acte.etat == "BROUILLON"
    assert second.post(verification, signature | {"version": version_lue(reponse)}).status_code == 302
    acte.refresh_from_db()
    assert acte.etat == "SIGNEE"


def test_two_people_withdraw_one_flag(cast, deux):
    from reservation.models import Drapeau
    from tests.flux.fabriques import parc

    premier, second = deux
    parc(cast.bailleur_a, lots=[{}])
    pose = Drapeau.objects.create(
        bailleur=cast.bailleur_a,
        departement_id="06",
        portee="PROGRAMME",
        cible="Les Pins",
        code="PLAI_ADAPTE",
        motif="erreur",
    )
    url = reverse("reservation:drapeau_retirer", args=[pose.pk])
    assert premier.post(url, {"motif": "posé par erreur"}).status_code == 302
    page = second.post(url, {"motif": "mon propre motif"}, follow=True).content.decode()
    for dit in ("retiré entre-temps", "Gestionnaire A", "posé par erreur", "mon propre motif"):
        assert dit in page
    pose.refresh_from_db()
    assert pose.motif_retrait == "posé par erreur"
