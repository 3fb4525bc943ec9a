"""The households that fit a dwelling: the order of each département, what is said of it, who reads it, one query."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flux.models import Candidat, Commission, Designation, Passage
from flux.regles.candidats_possibles import LabelPreconise, Offre, Souhait, convient
from flux.services import candidats_possibles as service
from publics.models import DemandeMenage, GroupeDepartement, Labellisation, Menage, ReglagePriorite
from publics.regles.groupes import ordonner
from publics.services.labels import labels_a_classer
from publics.services.reglages import modeles, reglage_le
from reservation.models import Commune
from tests.flux.fabriques import attribution, convention_etat, liberation, menage
from tests.personnages import ANTIBES, CANNES, distribuer

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(db):
    """A T3 of Cannes oriented to the État, in gestion directe; the day is today, as on the page."""
    cast = distribuer()
    return _designer(cast, cast.ddets_06)


def _designer(cast, reservataire, gestion="DIRECTE") -> SimpleNamespace:
    jour = timezone.localdate()
    logement = liberation(cast.bailleur_a, jour - timedelta(days=10), reservataire=reservataire)
    designation = Designation.objects.create(
        bailleur=cast.bailleur_a,
        departement_id="06",
        reservataire=reservataire,
        liberation=logement,
        gestion=gestion,
        sans_proposition="BAILLEUR",
        ouverte_le=jour - timedelta(days=10),
    )
    return SimpleNamespace(cast=cast, jour=jour, logement=logement, designation=designation)


def lire(scene, qui="agent_ddets_06", **page):
    return service.candidats_possibles(scene.cast.acteur(qui), scene.designation, scene.jour, **page)


def numeros(lus) -> list[int]:
    return [c.menage for c in lus.candidats]


def regler(modele: str) -> None:
    """What the service of the settings writes, since 2020."""
    reglage = modeles()[modele].reglage
    le = {"departement_id": "06", "debut": date(2020, 1, 1)}
    GroupeDepartement.objects.filter(**le).delete()
    ReglagePriorite.objects.filter(**le).delete()
    GroupeDepartement.objects.bulk_create(
        GroupeDepartement(**le, categorie_id=code, groupe=groupe) for code, groupe in reglage.groupes.items()
    )
    ReglagePriorite.objects.create(**le, modele=modele, criteres=list(reglage.criteres))


def test_cotes_d_armor_and_paca_give_their_two_orders(scene):
    """The same households: two conventions, two orders, each explained line by line."""
    seul_c = menage("06", ("L441_1_C", date(2019, 1, 1)))
    bpi = menage("06", ("BPI", date(2024, 6, 1)))
    automatique = menage("06", ("EXPULSION", date(2020, 1, 1)))
    automatique.labels.update(manuelle=False)
    manuel = menage("06", ("HEBERGEMENT", date(2023, 1, 1)))
    dalo = menage("06", ("DALO", date(2025, 1, 1)))
    handicap = menage("06", ("L441_1_A", date(2018, 1, 1)))
    regler("COTES_D_ARMOR")
    armor = lire(scene)
    assert numeros(armor) == [m.pk for m in (bpi, dalo, manuel, automatique, handicap, seul_c)]
    assert [" · ".join(c.rang.raisons) for c in armor.candidats] == [
        "groupe 1 · label manuel, avant les labels automatiques · label depuis le 1er juin 2024",
        "groupe 1 · label manuel, avant les labels automatiques · label depuis le 1er janvier 2025",
        "groupe 2 · label manuel, avant les labels automatiques · label depuis le 1er janvier 2023",
        "groupe 2 · label automatique, après les labels manuels · label depuis le 1er janvier 2020",
        "groupe 3 · label manuel, avant les labels automatiques · label depuis le 1er janvier 2018",
        "classé en dernier : son seul motif est celui que la convention demande d’écarter autant que possible · groupe 3 · "
        "label manuel, avant les labels automatiques · label depuis le 1er janvier 2019",
    ]
    regler("PACA")
    paca = lire(scene)
    assert numeros(paca) == [m.pk for m in (dalo, handicap, seul_c, automatique, manuel, bpi)]
    assert " · ".join(paca.candidats[1].rang.raisons) == "groupe 2 · label depuis le 1er janvier 2018"


labels_tires = st.lists(
    st.tuples(
        st.sampled_from(["DALO", "L441_1_C", "EXPULSION", "HEBERGEMENT", "L441_1_A"]),
        st.booleans(),
        st.integers(-400, 3),  # first day, from today
        st.none() | st.integers(-3, 30),  # last day
        st.sampled_from([[], [CANNES], [ANTIBES]]),
        st.sampled_from([[], ["T3"], ["T2", "T4"]]),
    ),
    max_size=3,
)
menages_tires = st.lists(
    st.tuples(
        labels_tires,
        st.none()
        | st.tuples(
            st.sampled_from([[], [CANNES], [ANTIBES], ["EPCI"]]), st.sampled_from([[], ["T3"], ["T2"]])
        ),
    ),
    max_size=8,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=20,
    deadline=None,
)
@given(menages_tires, st.sampled_from(["COTES_D_ARMOR", "PACA"]))
def test_the_query_says_what_the_rules_say(scene, tires, modele):
    """Which households, in which order: the rule of fitting and the order of the département, on drawn households."""
    commune = Commune.objects.get(pk=CANNES)
    with transaction.atomic():
        regler(modele)
        for labels, demande in tires:
            _ecrire(labels, demande, commune.epci_id, scene.jour)
        obtenus = numeros(lire(scene))
        attendus = _attendus(scene, commune)
        transaction.set_rollback(True)
    assert obtenus == attendus


def _ecrire(labels, demande, epci, jour: date) -> None:
    cree = menage("06")
    precedent = None
    for categorie, manuelle, debut, fin, secteur, tailles in labels:
        premier = jour + timedelta(days=debut)
        dernier = None if fin is None else max(premier, jour + timedelta(days=fin))
        precedent = Labellisation.objects.create(
            menage=cree,
            departement_id="06",
            categorie_id=categorie,
            manuelle=manuelle,
            debut=premier,
            fin=dernier,
            secteur=secteur,
            tailles=tailles,
            # A label drawn later than the one before it renews it.
            renouvelle=precedent if precedent and precedent.debut < premier else None,
        )
    if demande is not None:
        secteur = [epci if lieu == "EPCI" else lieu for lieu in demande[0]]
        DemandeMenage.objects.create(menage=cree, departement_id="06", secteur=secteur, tailles=demande[1])


def _attendus(scene, commune) -> list[int]:
    reglage = reglage_le("06", scene.jour)
    offre = Offre(frozenset({commune.pk, commune.epci_id}), "T3")
    cles = list(Menage.objects.order_by("pk").values_list("pk", flat=True))
    demandes = {
        d.menage_id: Souhait(frozenset(d.secteur), frozenset(d.tailles)) for d in DemandeMenage.objects.all()
    }
    preconises: dict[int, list[LabelPreconise]] = {}
    for x in Labellisation.objects.en_vigueur(scene.jour).order_by("pk"):
        souhait = Souhait(frozenset(x.secteur), frozenset(x.tailles))
        preconises.setdefault(x.menage_id, []).append(LabelPreconise(x.categorie_id, souhait))
    labels = labels_a_classer(cles, "06")
    siens = [
        (cle, labels.get(cle, []))
        for cle in cles
        if cle in preconises and convient(offre, preconises[cle], demandes.get(cle, Souhait()))
    ]
    return [cle for cle, _ in ordonner(siens, scene.jour, reglage.groupes, reglage.criteres)]


def test_who_is_not_free_is_shown_with_the_reason(scene):
    cast, jour = scene.cast, scene.jour
    libre, ici, ailleurs, loge, examine = (
        menage("06", ("DALO", date(2024, 1, rang))) for rang in range(1, 6)
    )
    autre = _designer(cast, cast.ddets_06)
    for designation, qui in ((scene.designation, ici), (autre.designation, ailleurs)):
        Candidat.objects.create(
            bailleur=cast.bailleur_a,
            departement_id="06",
            reservataire=cast.ddets_06,
            liberation=designation.liberation,
            designation=designation,
            menage=qui,
            propose_le=jour,
        )
    autre.designation.etat = scene.designation.etat = Designation.Etat.PROPOSEE
    autre.designation.save()
    scene.designation.save()
    attribution(liberation(cast.bailleur_b, date(2025, 1, 1)), date(2025, 2, 1), menage=loge)
    commission = Commission.objects.create(bailleur=cast.bailleur_b, departement_id="06", date=jour)
    Passage.objects.create(
        bailleur=cast.bailleur_b,
        departement_id="06",
        commission=commission,
        liberation=liberation(cast.bailleur_b, jour),
        menage=examine,
    )
    occupes = {c.menage: c.occupe for c in lire(scene).candidats}
    assert occupes[libre.pk] == ""
    assert occupes[ici.pk].startswith("déjà proposé pour ce logement")
    assert occupes[ailleurs.pk].startswith("proposé pour un autre logement le")
    assert occupes[loge.pk] == "logement attribué le 1er février 2025"
    assert occupes[examine.pk].startswith("inscrit à la commission du")
    acteur = cast.acteur("agent_ddets_06")
    with pytest.raises(ValidationError, match="n’est pas libre"):
        service.proposer_possible(acteur, scene.designation, loge.pk, jour)
    candidat = service.proposer_possible(acteur, scene.designation, libre.pk, jour)
    assert (candidat.menage_id, candidat.propose_par_id) == (libre.pk, acteur.utilisateur_id)


def test_a_label_granted_after_the_attribution_makes_the_household_free_again(scene):
    loge = menage("06", ("DALO", date(2025, 6, 1)))
    attribution(liberation(scene.cast.bailleur_b, date(2024, 1, 1)), date(2024, 2, 1), menage=loge)
    assert [c.occupe for c in lire(scene).candidats] == [""]


def test_only_those_of_chapter_2_read_the_list(scene):
    """The DDETS everybody; the bailleur that designates and ALS the households that are theirs; nobody else."""
    cast = scene.cast
    du_06, du_22 = menage("06", ("DALO", date(2024, 1, 1))), menage("22", ("DALO", date(2024, 1, 1)))
    saisi = menage("06", ("L441_1_C", date(2024, 2, 1)))
    saisi.labels.update(saisie_par=cast.bailleur_a)
    assert numeros(lire(scene)) == [du_06.pk, saisi.pk]
    assert du_22.pk not in numeros(lire(scene))

    def lisible(qui, designation):
        return service.designation_lisible(cast.acteur(qui), designation.liberation) is not None

    deleguee = _designer(cast, cast.ddets_06, "DELEGUEE")
    als = _designer(cast, cast.als)
    cannes = _designer(cast, cast.commune_cannes)
    qui_lit = {
        nom: [lisible(nom, s.designation) for s in (scene, deleguee, als, cannes)]
        for nom in (
            "agent_ddets_06",
            "gestionnaire_a",
            "gestionnaire_b",
            "charge_als",
            "agent_cannes",
            "agent_sgc_06",
        )
    }
    assert qui_lit == {
        "agent_ddets_06": [True, True, False, False],
        "gestionnaire_a": [False, True, False, False],
        "gestionnaire_b": [False] * 4,
        "charge_als": [False, False, True, False],
        "agent_cannes": [False] * 4,
        "agent_sgc_06": [False] * 4,
    }
    [candidat] = lire(deleguee, "gestionnaire_a").candidats
    assert candidat.menage == saisi.pk
    assert "classé en dernier, selon la convention" in candidat.rang.raisons
    assert lire(als, "charge_als").candidats == ()
    with pytest.raises(PermissionDenied):
        service.proposer_possible(cast.acteur("gestionnaire_a"), deleguee.designation, du_06.pk, scene.jour)


def test_one_query_whatever_the_number_and_pages_that_follow(scene):
    for rang in range(12):
        menage("06", ("DALO", date(2024, 1, 1) + timedelta(days=rang)))
    regler("COTES_D_ARMOR")
    reglage = reglage_le("06", scene.jour)
    acteur = scene.cast.acteur("agent_ddets_06")
    with CaptureQueriesContext(
        connection,
    ) as requetes:
        lignes = service._lire(acteur, scene.designation, reglage, scene.jour, nombre=12)
    lues = [r["sql"] for r in requetes if "publics_labellisation" in r["sql"]]
    assert len(lues) == 1 and len(lignes) == 12
    premiere, suite = lire(scene, nombre=5), lire(scene, debut=5, nombre=50)
    assert premiere.total == suite.total == 12
    assert [c.position for c in (*premiere.candidats, *suite.candidats)] == list(range(1, 13))
    assert numeros(premiere) + numeros(suite) == [ligne[0] for ligne in lignes]


def test_the_page_designates_one_household_at_a_time(client, scene, django_assert_max_num_queries):
    convention_etat(scene.cast.bailleur_a, scene.cast.ddets_06)
    siens = [menage("06", ("DALO", date(2024, 1, rang))) for rang in range(1, 9)]
    client.force_login(scene.cast.agent_ddets_06)
    adresse = reverse("flux:candidats_possibles", args=[scene.logement.pk])
    client.get(adresse)
    with django_assert_max_num_queries(30):
        page = client.get(adresse).content.decode()
    assert "8 ménages conviennent" in page
    assert "DALO" not in page.split("<table")[1].split("</table>")[0]
    proposer = reverse("flux:candidat_possible_proposer", args=[scene.logement.pk, siens[2].pk])
    assert client.post(proposer).status_code == 302
    assert list(Candidat.objects.values_list("menage", flat=True)) == [siens[2].pk]
    assert "déjà proposé pour ce logement" in client.get(adresse).content.decode()
    assert client.post(proposer, follow=True).content.decode().count("n’est pas libre") == 1
    client.force_login(scene.cast.lecteur_ddets_06)
    assert client.get(adresse).status_code == 200
    assert client.post(proposer).status_code == 403
