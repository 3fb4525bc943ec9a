"""The tableau de bord of a State service: each number leads to as many lines, says what the bilan says, costs what it costs."""

import csv
import io
import re
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bilans.models import DocumentBilan, EtapeBilan
from bilans.regles.cycle import ActeBilan, EtatBilan
from bilans.regles.risques import Risque
from bilans.services import horloges as services_horloges
from bilans.services.compte_etat import Compte, lignes_du_compte
from bilans.services.donnees_bilan import lire_donnees
from bilans.services.horloges import Horloge, declarer_horloges, grouper, horloges
from bilans.services.indicateurs_lignes import lecture_des_lignes, trouver
from bilans.services.tableau_etat import lire_tableau
from flux.models import CalculFlux, Commission, LigneOrdreDuJour, PartFlux
from publics.models import PropositionLabel
from reservation.regles.periodes import PARIS
from tests.bilans.conftest import ANNEE, FEVRIER, calculer_tout, remplir
from tests.flux.fabriques import attribution, liberation, menage

pytestmark = pytest.mark.django_db
MIDI = datetime(ANNEE, 11, 20, 12, tzinfo=PARIS)
JOUR = MIDI.date()


@pytest.fixture
def a_midi():
    with time_machine.travel(MIDI, tick=False):
        yield


def lire(cast, qui="agent_ddets_06"):
    return lire_tableau(cast.acteur(qui), "06", MIDI)


def test_each_number_leads_to_as_many_lines(cast, bilan):
    remplir(cast, cast.bailleur_b)
    for qui in ("agent_ddets_06", "agent_sgc_06"):
        acteur = cast.acteur(qui)
        tableau = lire(cast, qui)
        assert len(tableau.lignes) == 2
        for ligne in tableau.lignes:
            for compte in Compte:
                chiffre = ligne.chiffre(compte)
                with lecture_des_lignes():
                    assert trouver(acteur, chiffre.lignes).lignes.count() == chiffre.nombre, (qui, compte)
        sommes = {
            "realise": tableau.total.realise,
            "hors_qpv": tableau.total.hors_qpv,
            "agents": tableau.total.agents,
        }
        for compte, nombre in sommes.items():
            with lecture_des_lignes():
                assert trouver(acteur, tableau.total.lignes[compte]).lignes.count() == nombre > 0


def test_the_tableau_says_what_the_bilan_says(cast, bilan):
    [ligne] = lire(cast).lignes
    donnees = lire_donnees(bilan, FEVRIER)
    etat = donnees.part("ETAT")
    assert (ligne.atteint, ligne.objectif) == (
        etat.realise,
        PartFlux.objects.get(
            calcul__bailleur=bilan.bailleur_id,
            calcul__nature="PREVISIONNEL",
            calcul__en_vigueur=True,
            code="ETAT",
        ).objectif_total,
    )
    assert (ligne.nombres[Compte.AGENTS], ligne.plafond) == (donnees.agents.loges, donnees.agents.plafond)
    par_titre = {li.titre: li.total for li in donnees.etat}
    assert [c.nombre for c in ligne.groupes] == [par_titre[f"PRIORITE_{n}"] for n in (1, 2, 3)]
    assert ligne.nombres[Compte.HORS_QPV] == donnees.hors_qpv.etat
    assert ligne.plancher == donnees.hors_qpv.objectif
    agents = min(ligne.nombres[Compte.AGENTS], ligne.plafond)
    assert ligne.realise == sum(c.nombre for c in ligne.groupes) + ligne.nombres[Compte.AUTRES] + agents


def test_agents_over_their_ceiling_count_neither_in_the_number_nor_in_its_lines(cast, bilan):
    def plafonner(agents: int):
        for calcul in CalculFlux.objects.filter(en_vigueur=True):
            calcul.resultat["agents_max"] = agents
            calcul.save(update_fields=["resultat"])
        [ligne] = lire(cast).lignes
        return ligne

    avant = plafonner(1)
    assert not avant.depasse_plafond
    assert lignes_du_compte(cast.acteur("agent_ddets_06"), Compte.REALISE, ANNEE).count() == avant.realise
    apres = plafonner(0)
    assert (apres.realise, apres.depasse_plafond) == (avant.realise - 1, True)
    lignes = lignes_du_compte(cast.acteur("agent_ddets_06"), Compte.REALISE, ANNEE, "06")
    assert lignes.count() == apres.realise and not lignes.filter(detail="AGENT").exists()
    assert lignes_du_compte(cast.acteur("agent_ddets_06"), Compte.AGENTS, ANNEE, "06").count() == 1


def test_another_household_counts_once_its_reason_is_logged(cast, bilan):
    autre = liberation(cast.bailleur_a, date(ANNEE, 8, 1), reservataire=cast.ddets_06)
    attribution(autre, date(ANNEE, 9, 1), menage=menage("06"))
    calculer_tout(cast.bailleur_a)
    [ligne] = lire(cast).lignes
    assert (ligne.nombres[Compte.SANS_MOTIF], ligne.nombres[Compte.AUTRES]) == (1, 0)
    assert ligne.atteint == lire_donnees(bilan, FEVRIER).part("ETAT").realise


def test_the_bailleurs_are_compared_over_the_same_days_the_most_at_risk_first(cast, bilan):
    autre = remplir(cast, cast.bailleur_b)
    PartFlux.objects.filter(bailleur=cast.bailleur_b, code="ETAT").update(objectif_total=50)
    PartFlux.objects.filter(bailleur=cast.bailleur_a, code="ETAT").update(objectif_total=1)
    tableau = lire(cast)
    assert [ligne.bailleur for ligne in tableau.lignes] == [autre.bailleur, bilan.bailleur]
    assert [ligne.risque for ligne in tableau.lignes] == [Risque.FORT, Risque.ATTEINT]
    assert {ligne.jour for ligne in tableau.lignes} == {JOUR}
    assert [
        ligne.bailleur for ligne in lire_tableau(cast.acteur("agent_ddets_06"), "06", MIDI, "FORT").montrees
    ] == [autre.bailleur]
    assert tableau.lignes[0].attendu == 50 * JOUR.timetuple().tm_yday // 365


def semaine(cast) -> list[Commission]:
    """Today, in six days, in seven; one that was cancelled."""
    commissions = [
        Commission.objects.create(
            bailleur=cast.bailleur_a,
            departement_id="06",
            date=JOUR + timedelta(days=n),
            heure=time(9),
            etat=etat,
        )
        for n, etat in ((0, "PREPARATION"), (6, "CONVOQUEE"), (7, "PREPARATION"), (2, "ANNULEE"))
    ]
    logement = liberation(cast.bailleur_a, date(ANNEE, 11, 1), reservataire=cast.ddets_06)
    LigneOrdreDuJour.objects.create(
        bailleur=cast.bailleur_a, departement_id="06", commission=commissions[0], liberation=logement, rang=1
    )
    return commissions


def test_the_page_links_to_as_many_lines_as_it_says(cast, bilan, client, a_midi):
    semaine(cast)
    personne = menage("06")
    PropositionLabel.objects.create(
        menage=personne,
        categorie_id="EXPULSION",
        departement_id="06",
        saisie_par=cast.bailleur_a,
        saisie_le=JOUR,
        echeance=JOUR - timedelta(days=1),
    )
    client.force_login(cast.agent_ddets_06)
    page = client.get("/").content.decode()
    etat = lire(cast)
    assert (etat.a_convoquer, etat.a_decider, etat.en_retard, etat.a_relire) == (2, 1, 1, 0)
    assert [c.logements for c in etat.commissions] == [1, 0] and etat.semaine["pour_l_etat"] == 1
    liens = set(re.findall(r'href="([^"#]*)(?:#[^"]*)?"', page.split("<main")[1].split("</main>")[0]))
    for lien in liens - {""}:
        reponse = client.get(lien.replace("&amp;", "&"))
        assert reponse.status_code == 200, lien
        if reponse.streaming:
            assert b"".join(reponse.streaming_content)

    def compte(url: str, motif: str) -> int:
        texte = client.get(url).content.decode().replace("\xa0", " ")
        return int(re.search(motif, texte)[1])

    assert compte(reverse("flux:commissions") + "?quand=semaine", r"(\d+) commission") == 2
    assert compte(reverse("flux:commissions") + "?quand=a_convoquer", r"(\d+) commission") == 2
    assert len(client.get(reverse("publics:propositions")).context["page"]) == 1
    assert len(client.get(reverse("publics:propositions") + "?etat=retard").context["page"]) == 1
    assert client.get(reverse("bilans:liste") + "?etat=SOUMIS").context["page"].paginator.count == 0
    [ligne] = etat.lignes
    # A sum leads to its terms, each with what makes it.
    for cle, terme in {
        "objectif": ligne.objectif,
        "plancher": ligne.plancher,
        "plafond": ligne.plafond,
    }.items():
        somme = etat.total.sommes[cle]
        assert somme.total == terme and f'href="#somme-{cle}"' in page and f'id="somme-{cle}"' in page
        assert f'<a href="{ligne.url_flux}">{terme} ({ligne.bailleur})</a>' in page.replace("\xa0", " ")
    lignes = client.get(
        f"{reverse('bilans:indicateurs_lignes')}?{ligne.chiffre(Compte.REALISE).lignes.requete}"
    )
    assert lignes.context["page"].paginator.count == ligne.realise


def soumettre(cast, bilan) -> DocumentBilan:
    document = DocumentBilan.objects.create(
        bilan=bilan,
        bailleur=bilan.bailleur,
        departement_id="06",
        version=1,
        donnees_au=date(ANNEE, 12, 31),
        donnees={},
        empreinte_donnees="a" * 64,
        empreinte_pdf="b" * 64,
        pages=1,
    )
    franchir(cast, bilan, ActeBilan.SOUMETTRE, EtatBilan.PREPARATION, EtatBilan.SOUMIS, document=document)
    return document


def franchir(cast, bilan, acte: ActeBilan, de: EtatBilan, vers: EtatBilan, **champs) -> None:
    EtapeBilan.objects.create(
        bilan=bilan,
        bailleur=bilan.bailleur,
        departement_id="06",
        rang=EtapeBilan.objects.filter(bilan=bilan).count() + 1,
        acte=acte,
        de=de,
        vers=vers,
        le=MIDI,
        par=cast.agent_ddets_06,
        organisation=cast.ddets_06,
        **champs,
    )


def test_the_bilans_to_review_come_before_those_that_their_bailleur_has(cast, bilan, client):
    renvoye = remplir(cast, cast.bailleur_b)
    for objet in (renvoye, bilan):
        soumettre(cast, objet)
    franchir(cast, renvoye, ActeBilan.RENVOYER, EtatBilan.SOUMIS, EtatBilan.RENVOYE, texte="à reprendre")
    tableau = lire(cast)
    assert [(r.bilan, r.a_relire) for r in tableau.revues] == [(bilan, True), (renvoye, False)]
    client.force_login(cast.agent_ddets_06)
    for etat, nombre in (("SOUMIS", tableau.a_relire), ("RENVOYE", 1), ("PREPARATION", 0)):
        page = client.get(f"{reverse('bilans:liste')}?etat={etat}").context["page"]
        assert page.paginator.count == nombre == (etat != "PREPARATION")


def test_clocks_are_declared_by_those_who_have_them(cast, bilan, monkeypatch):
    monkeypatch.setattr(services_horloges, "_LECTEURS", list(services_horloges._LECTEURS))

    def lecteur(acteur, maintenant):
        terme = maintenant.date() + timedelta(days=16)
        commun = {"qui": "SEM", "nature": "convention", "suite": "", "url": "/"}
        return [
            Horloge("sans terme", terme=None, jours=None, **commun),
            Horloge("mise en demeure", terme=terme, jours=16, **commun),
        ]

    declarer_horloges(lecteur)
    declarer_horloges(lecteur)
    lues = horloges(cast.acteur("agent_ddets_06"), MIDI)
    siennes = [h for h in lues if h.nature == "convention"]
    assert [h.titre for h in siennes] == ["mise en demeure", "sans terme"]
    assert [h.compte_a_rebours.replace("\xa0", " ") for h in siennes] == ["dans 16 jours", "sans délai légal"]
    # A projection that nobody sent is late, and is a clock of the DDETS; not of its neighbour.
    assert any(h.nature == "campagne" and h.passee for h in lues)
    assert not [h for h in horloges(cast.acteur("agent_ddets_22"), MIDI) if h.nature == "campagne"]


def test_clocks_of_one_act_and_one_term_are_one_line():
    """The reminder of a date that ten bailleurs have gone past is one line, which names the ten."""
    terme = date(2026, 3, 31)

    def h(qui: str, titre: str = "Bilan 2025", **champs) -> Horloge:
        return Horloge(
            titre,
            qui,
            **{"nature": "campagne", "terme": terme, "jours": -2, "suite": "mise en demeure", "url": "/c/"}
            | champs,
        )

    lues = [
        h("A", detail="06"),
        h("B", detail="06"),
        h("B", "Projection"),
        h("C", terme=None, jours=None),
    ]
    groupes = grouper(lues)
    assert [x for groupe in groupes for x in groupe.membres] == lues  # nobody is lost
    assert [(g.premiere.titre, len(g.membres), g.seule, g.url) for g in groupes] == [
        ("Bilan 2025", 2, False, "/c/"),
        ("Projection", 1, True, "/c/"),
        ("Bilan 2025", 1, True, "/c/"),
    ]
    assert groupes[0].combien == "2 bailleurs" and groupes[0].noms == [("A, 06", ""), ("B, 06", "")]
    [als] = grouper([h("ALS", detail="A, 06"), h("ALS", detail="B, 06")])
    assert als.combien == "ALS, 2 bailleurs" and als.noms == [("A, 06", ""), ("B, 06", "")]
    [procedures] = grouper([h(qui, nature="procédure", url=f"/{qui}/") for qui in "AB"])
    assert (procedures.url, procedures.combien) == ("", "2 destinataires")
    assert procedures.noms == [("A", "/A/"), ("B", "/B/")]
    assert len(grouper([h("A"), h("B", suite="autre chose")])) == 2


def test_the_home_of_the_state_folds_its_clocks(cast, bilan, client, a_midi):
    remplir(cast, cast.bailleur_b)
    client.force_login(cast.agent_ddets_06)
    page = client.get(reverse("accueil"))
    groupes = page.context["tableau"].etat.horloges
    assert any(len(groupe.membres) > 1 for groupe in groupes)
    contenu = page.content.decode()
    for groupe in groupes:
        assert all(nom in contenu for nom, _ in groupe.noms)
    assert contenu.count('<details class="ensemble">') == sum(not groupe.seule for groupe in groupes)


def test_a_fixed_number_of_queries_whatever_the_bailleurs(cast, bilan):
    def couter() -> int:
        with CaptureQueriesContext(
            connection,
        ) as lues:
            lire(cast)
        return len(lues)

    couter()
    une = couter()
    remplir(cast, cast.bailleur_b)
    assert couter() == une <= 30


def test_only_a_state_service_has_it(cast, bilan, client, a_midi):
    assert lire_tableau(cast.acteur("agent_ddets_22"), "06", MIDI).lignes == []
    export = reverse("bilans:tableau_export", args=["csv"])
    for qui, code in (
        ("gestionnaire_a", 404),
        ("charge_als", 404),
        ("charge_dreal", 404),
        ("agent_ddets_06", 200),
    ):
        client.force_login(getattr(cast, qui))
        reponse = client.get(export)
        assert reponse.status_code == code, qui
    contenu = b"".join(reponse.streaming_content).decode("utf-8-sig")
    [ligne] = csv.DictReader(io.StringIO(contenu), delimiter=";")
    [lue] = lire(cast).lignes
    assert ligne["Réalisé"] == str(lue.realise) and ligne["Pourquoi"] == lue.appreciation.phrase
