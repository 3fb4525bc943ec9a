"""The indicators say what the bilan says, and each of their figures has its lines."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bilans.services.donnees_bilan import lire_donnees
from bilans.services.indicateurs import (
    Chiffre,
    Comptes,
    Demande,
    Imputees,
    Indicateurs,
    lire_indicateurs,
)
from bilans.services.indicateurs_lignes import lecture_des_lignes, trouver
from flux.models import Imputation
from flux.services.imputations import imputer
from publics.models import Labellisation
from reservation.models import Convention
from tests.bilans.conftest import ANNEE, FEVRIER
from tests.flux.fabriques import actes_paca, attribution, liberation, menage

pytestmark = pytest.mark.django_db


def chiffres(lus: Indicateurs) -> list[Chiffre]:
    return [
        *(c for q in lus.quarts for c in (q.prioritaires, q.attributions)),
        *(x for c in lus.cent for x in (c.prioritaires, c.attributions, c.manque)),
        *(x for c in lus.cent for _, x in c.exceptions),
        *(x for s in lus.sortants for x in (s.sortants, s.attributions)),
        *(d.chiffre for i in lus.article_5 for d in i.details),
    ]


@pytest.fixture
def lus(cast, bilan) -> Indicateurs:
    return lire_indicateurs(cast.acteur("gestionnaire_a"), Demande(ANNEE, departement="06"))


def details(lus: Indicateurs, code: str) -> dict[str, int | None]:
    indicateur = next(i for i in lus.article_5 if i.definition.code == code)
    return {d.code: d.chiffre.nombre for d in indicateur.details}


def test_the_page_and_the_bilan_agree(cast, lus, bilan):
    """The same figures, from two readings of the same rows."""
    donnees = lire_donnees(bilan, FEVRIER)
    assert {q.code: (q.prioritaires.nombre, q.attributions.nombre, q.manque) for q in lus.quarts} == {
        q.code: (q.prioritaires, q.attributions, q.manque) for q in donnees.quarts
    }
    [cent] = lus.cent
    attendu = donnees.etat_100
    assert (cent.attributions.nombre, cent.prioritaires.nombre, cent.manque.nombre) == (
        attendu.attributions,
        attendu.prioritaires,
        attendu.manque,
    )
    assert sum(c.nombre for _, c in cent.exceptions) == attendu.exceptions
    caleol = donnees.caleol
    assert details(lus, "decisions") == {c.code: c.nombre for c in caleol.decisions} | {"": caleol.dossiers}
    assert details(lus, "dossiers") == {"": caleol.dossiers}
    assert details(lus, "refus_caleol")[""] == sum(c.nombre for c in caleol.refus_commission)
    assert details(lus, "refus_menages") == {r.code: r.total for r in caleol.refus_menages} | {
        "": caleol.total_refus
    }
    for suite in donnees.suites:
        siens = lire_indicateurs(
            cast.acteur("gestionnaire_a"), Demande(ANNEE, departement="06", reservataire=suite.code)
        )
        assert details(siens, "priorite")[""] == suite.attributions
        assert details(siens, "priorite")["oui"] == suite.prioritaires
        assert details(siens, "dalo")["oui"] == suite.dalo
        assert details(siens, "baux")[""] == donnees.part(suite.code).baux
        refus = sum(
            c.nombre for r in caleol.refus_menages for c in r.par_contingent if c.reservataire == suite.code
        )
        assert details(siens, "refus_menages")[""] == refus


def test_each_figure_leads_to_as_many_lines(cast, bilan):
    """For each reader, over the year, a part of it, one département, one contingent."""
    demandes = (Demande(ANNEE), Demande(ANNEE, "S1", "06"), Demande(ANNEE, "T3", reservataire="ETAT"))
    for qui in ("gestionnaire_a", "agent_ddets_06", "charge_als", "agent_cannes", "agent_sgc_06"):
        acteur = cast.acteur(qui)
        for demande in demandes:
            suivis = [c for c in chiffres(lire_indicateurs(acteur, demande)) if c.lignes]
            assert suivis
            for chiffre in suivis:
                with lecture_des_lignes():
                    assert trouver(acteur, chiffre.lignes).lignes.count() == chiffre.nombre, (qui, chiffre)


def test_the_copil_reads_no_small_number_and_no_line(cast, bilan):
    lus = lire_indicateurs(cast.acteur("charge_dreal"), Demande(ANNEE, "S1"))
    assert (lus.demande.periode, lus.demande.departement) == ("", "04")
    lus = lire_indicateurs(cast.acteur("charge_dreal"), Demande(ANNEE, departement="06"))
    assert lus.contingent == "Action Logement Services"
    assert lus.quarts and lus.cent and all(c.lignes is None for c in chiffres(lus))
    attributions = {
        id(x.attributions) for x in (*lus.quarts, *lus.cent)
    }  # counts of dwellings, read without a threshold
    attributions |= {id(d.chiffre) for i in lus.article_5 for d in i.details if "attributions" in d.libelle}
    assert {c.nombre for c in chiffres(lus) if id(c) not in attributions} == {None}
    assert lire_indicateurs(cast.acteur("operateur"), Demande(ANNEE)) is None


@pytest.mark.parametrize(("sans_motif", "montre"), [(3, False), (15, True)])
def test_nothing_of_the_state_gives_back_its_households_that_do_not_count(cast, bilan, sans_motif, montre):
    """The COPIL knows the realised: with all the attributions, it would know who has neither a priority nor a reason."""
    acteur, demande = cast.acteur("charge_dreal"), Demande(ANNEE, departement="06", reservataire="ETAT")
    comptes = Comptes(acteur, demande)
    groupes = (
        *(("PRIORITE_1", "", True, "DALO", 30), ("PRIORITE_2", "", False, "EXPULSION", 40)),
        *(("PRIORITE_3", "", False, "SANS_ABRI", 25), ("AGENT", "", False, "", 20)),
        *(("AUTRE", "PLS_SANS_CANDIDAT", False, "", 12), ("AUTRE", "", False, "", sans_motif)),
    )
    comptes.imputees = [
        Imputees("06", bilan.bailleur_id, "ETAT", titre, motif, dalo, label, False, nombre)
        for titre, motif, dalo, label, nombre in groupes
    ]
    lus = lire_indicateurs(acteur, demande, comptes)
    ensemble = 127 + sans_motif
    assert details(lus, "priorite")[""] == (ensemble if montre else None)
    assert details(lus, "dalo") == {
        "oui": 30,
        "non": ensemble - 30 if montre else None,
        "": ensemble if montre else None,
    }
    [cent] = lus.cent
    assert cent.attributions.nombre == (ensemble - 20 if montre else None)
    assert montre or (cent.prioritaires.nombre, cent.manque.nombre) == (None, None)


def test_grounds_follow_the_table_of_chapter_2(cast, bilan):
    """The DDETS as they are; ALS, the préfecture from eleven households on; a bailleur and a collectivité never."""

    def lire(qui, code, **filtres):
        lus = lire_indicateurs(cast.acteur(qui), Demande(ANNEE, departement="06", **filtres))
        indicateur = next(i for i in lus.article_5 if i.definition.code == code)
        return {d.code: d.chiffre.nombre for d in indicateur.details}, indicateur.reserve

    ddets, reserve = lire("agent_ddets_06", "priorite", reservataire="ETAT")
    assert (ddets["DALO"], ddets["EXPULSION"], reserve) == (1, 1, "")
    for qui in ("gestionnaire_a", "agent_cannes"):
        filtres = {"reservataire": "ETAT"} if qui == "gestionnaire_a" else {}
        details, reserve = lire(qui, "priorite", **filtres)
        assert "DALO" not in details and "ne font pas partie" in reserve
    for qui, filtres in (("agent_sgc_06", {"reservataire": "ETAT"}), ("charge_als", {})):
        details, reserve = lire(qui, "priorite", **filtres)
        assert details["AUTRES"] is None and "EXPULSION" not in details
        details, reserve = lire(qui, "priorite", periode="S1", **filtres)
        assert "AUTRES" not in details and "l’année entière" in reserve
    assert lire("charge_als", "dalo")[0] == {"oui": None, "non": None, "": 0}
    details, reserve = lire("agent_cannes", "dalo")
    assert details == {} and "ne font pas partie" in reserve
    assert lire("agent_ddets_06", "dalo", reservataire="ETAT")[0]["oui"] == 1


def test_the_six_per_cent_where_the_act_comes_from_the_model_of_paca(cast, bilan):
    """People who leave shelters, among all the attributions: soustractions and first lettings too."""
    demande = Demande(ANNEE, departement="06")
    assert lire_indicateurs(cast.acteur("agent_ddets_06"), demande).sortants == ()
    Convention.objects.filter(reservataire=cast.ddets_06).update(modele="PACA")
    Labellisation.objects.filter(categorie="EXPULSION").update(categorie="SANS_ABRI")
    [ligne] = lire_indicateurs(cast.acteur("agent_ddets_06"), demande).sortants
    assert (ligne.sortants.nombre, ligne.manque) == (1, 0)
    assert ligne.sortants.lignes is None  # a list of them would say the ground of each
    assert ligne.attributions.nombre == Imputation.objects.attribuees_en(ANNEE).count()
    for qui in ("charge_dreal", "agent_sgc_06"):
        [ligne] = lire_indicateurs(cast.acteur(qui), demande).sortants
        assert (ligne.sortants.nombre, ligne.manque) == (None, None)
    for qui in ("gestionnaire_a", "charge_als"):
        assert lire_indicateurs(cast.acteur(qui), demande).sortants == ()


def test_the_number_of_queries_depends_on_nothing(cast, bilan):
    acteur = cast.acteur("agent_ddets_06")
    with CaptureQueriesContext(connection) as une:
        lire_indicateurs(acteur, Demande(ANNEE))
    actes_paca(cast, cast.bailleur_b)
    for rang in range(1, 6):
        libre = liberation(cast.bailleur_b, date(ANNEE, rang, 1), reservataire=cast.als)
        attribution(libre, date(ANNEE, rang, 2), menage=menage("06", ("DALO", date(2024, 1, 1))))
    imputer(paires=[(cast.bailleur_b.pk, "06")])
    with CaptureQueriesContext(connection) as deux:
        lus = lire_indicateurs(acteur, Demande(ANNEE))
    assert len(deux) == len(une)
    assert {q.bailleur for q in lus.quarts if q.code == "BAILLEUR"} == {cast.bailleur_a, cast.bailleur_b}


def test_pages(client, cast, bilan):
    for qui in ("gestionnaire_a", "agent_ddets_06", "charge_als", "agent_cannes", "charge_dreal"):
        client.force_login(cast.gens[qui])
        reponse = client.get(reverse("bilans:indicateurs"), {"annee": ANNEE})
        assert reponse.status_code == 200
        contenu = reponse.content.decode()
        for lien in set(re.findall(r'href="(/indicateurs/lignes/[^"]+)"', contenu)):
            page = client.get(lien.replace("&amp;", "&"))
            assert page.status_code == 200, lien
