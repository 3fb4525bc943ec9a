"""What a réservataire reads of its contingent, and everybody of the refusals: the figures of the bilan and of the indicators."""

import io
import re
from dataclasses import replace
from datetime import date

import pypdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bilans.documents.note_conseil import composer_note
from bilans.documents.pdf import rendre
from bilans.models import PartConvenue
from bilans.regles.refus import Axe, Porteur
from bilans.services.contingents import lire_contingent
from bilans.services.contingents_ensemble import lire_ensemble
from bilans.services.donnees_bilan import lire_donnees
from bilans.services.indicateurs import Demande, lire_indicateurs
from bilans.services.indicateurs_lignes import lecture_des_lignes, trouver
from bilans.services.note_conseil import lire_note
from bilans.services.projections import compter_parts_a_convenir, parts_a_convenir
from bilans.services.refus import DemandeRefus, analyser_refus
from bilans.views.refus import _tableau
from flux.models import MotifRefus, Nature, PartFlux
from flux.services.calculs import calculer
from flux.services.imputations import imputer
from reservation.models import Presence
from tests.bilans.conftest import ANNEE, FEVRIER, calculer_tout
from tests.flux.fabriques import actes_paca, attribution, convention, liberation, menage
from tests.personnages import ANTIBES, CANNES

pytestmark = pytest.mark.django_db
DEMANDE = Demande(ANNEE)


@pytest.fixture
def contingents(cast, bilan):
    """More in the contingents of ALS and Cannes: two employees (one priority), a labelled household without a job, a refusal."""
    a = cast.bailleur_a
    for jour, statut, label in ((3, "SALARIE", True), (4, "DEMANDEUR_EMPLOI", False), (5, "AUTRE", True)):
        libre = liberation(a, date(ANNEE, 2, jour), reservataire=cast.als)
        foyer = menage("06", *([("EXPULSION", date(2024, 1, 1))] if label else []))
        attribution(
            libre, date(ANNEE, 3, jour), menage=foyer, statut_emploi=statut, date_bail=date(ANNEE, 4, 1)
        )
    communale = liberation(
        a, date(ANNEE, 5, 2), reservataire=cast.commune_cannes, commune_id=CANNES, qpv=True
    )
    motif = MotifRefus.objects.get(code="M_LOYER")
    attribution(
        communale, date(ANNEE, 6, 1), menage=menage("06"), refusee_le=date(ANNEE, 6, 9), motif_refus=motif
    )
    attribution(communale, date(ANNEE, 6, 20), menage=menage("06", ("DALO", date(2024, 1, 1))))
    calculer_tout(a)
    return bilan


def chiffres_suivis(lu):
    for d in lu.departements:
        yield from (d.orientes, d.attributions, d.baux, d.refus_caleol, d.refus_menages)
        if d.publics:
            p = d.publics
            yield from (p.salaries, p.demandeurs, p.tous_salaries, p.tous_demandeurs)
    for x in lu.lignes:
        yield from (x.orientes, x.attributions, x.baux, x.refus_caleol, x.refus_menages, x.prioritaires)


@pytest.mark.parametrize(("qui", "code"), [("charge_als", "ALS"), ("agent_cannes", CANNES)])
def test_the_home_says_what_the_bilan_says(cast, contingents, qui, code):
    donnees = lire_donnees(contingents, FEVRIER)
    part, suite = donnees.part(code), next(s for s in donnees.suites if s.code == code)
    [ligne] = lire_contingent(cast.acteur(qui), DEMANDE).lignes
    assert (ligne.part.exacte, ligne.objectif, ligne.realise, ligne.ecart) == (
        part.exacte,
        part.objectif_total,
        part.realise,
        part.ecart,
    )
    assert ligne.taux == part.taux
    proposes = sum(
        c.proposes
        for c in next(x for x in donnees.croises if x.dimension == "typologie").cellules
        if c.reservataire == code
    )
    refus = sum(
        c.nombre for r in donnees.caleol.refus_menages for c in r.par_contingent if c.reservataire == code
    )
    assert (
        ligne.orientes.nombre,
        ligne.attributions.nombre,
        ligne.prioritaires.nombre,
        ligne.refus_menages.nombre,
    ) == (
        proposes,
        suite.attributions,
        suite.prioritaires,
        refus,
    )
    assert ligne.baux.nombre == part.baux and ligne.attributions.nombre
    [departement] = lire_contingent(cast.acteur(qui), DEMANDE).departements
    quart = next(q for q in donnees.quarts if q.code == code)
    assert (
        departement.quart.prioritaires.nombre,
        departement.quart.attributions.nombre,
        departement.quart.manque,
    ) == (
        quart.prioritaires,
        quart.attributions,
        quart.manque,
    )


def test_als_reads_who_works_and_hides_dalo_below_eleven(cast, contingents):
    lu = lire_contingent(cast.acteur("charge_als"), DEMANDE)
    [d] = lu.departements
    p = d.publics
    assert (p.salaries.nombre, p.demandeurs.nombre) == (1, 0)
    assert (p.tous_salaries.nombre, p.tous_demandeurs.nombre, p.sans_emploi) == (1, 1, 1)
    assert (p.dalo, p.autres_prioritaires) == (None, None)
    assert (
        d.lignes[0].part.retrocedee > 0 and d.lignes[0].flux == lire_donnees(contingents, FEVRIER).flux.flux
    )
    # The commune reads its own territory, "prioritaire, oui ou non", and no situation.
    [communal] = lire_contingent(cast.acteur("agent_cannes"), DEMANDE).departements
    territoire = next(c.flux for c in lire_donnees(contingents, FEVRIER).communes if c.code == CANNES)
    assert communal.publics is None
    assert (communal.lignes[0].flux, communal.lignes[0].libere) == (territoire, territoire)
    for autre in ("gestionnaire_a", "agent_ddets_06", "charge_dreal", "operateur"):
        assert lire_contingent(cast.acteur(autre), DEMANDE) is None


@pytest.fixture
def partout(cast, contingents, monkeypatch):
    """ALS in two départements, one of which is not computed; two are many."""
    actes_paca(cast, cast.bailleur_b)
    calculer_tout(cast.bailleur_b)
    convention(cast.bailleur_b, cast.als, "13", taux="27")
    Presence.objects.get_or_create(bailleur=cast.bailleur_b, departement_id="13")
    monkeypatch.setattr("config.accueil.DEPARTEMENTS_EN_DETAIL", 1)


@pytest.mark.parametrize("jour", [FEVRIER, date(ANNEE, 7, 1)])
def test_a_contingent_of_everywhere_sums_what_each_departement_says(cast, partout, jour):
    """A year that is over and one that runs do not read their share in the same calculation: the sums follow."""
    acteur = cast.acteur("charge_als")
    # An objective of the forecast and of the observed year that differ, and a report.
    PartFlux.objects.filter(code="ALS", bailleur=cast.bailleur_a, calcul__nature=Nature.DEFINITIF).update(
        objectif_total=7, report=2
    )
    lu = lire_ensemble(acteur, ANNEE, (ANNEE,), jour)
    detail = lire_contingent(acteur, DEMANDE, jour)
    [du_13], [du_06] = ([x for x in lu.lignes if x.demande.departement == d] for d in ("13", "06"))
    [d] = [d for d in detail.departements if d.code == "06"]
    assert (du_06.objectif, du_06.realise, du_06.bailleurs) == (d.objectif, d.realise, 2)
    assert du_06.report == sum(x.report for x in d.lignes) and (du_06.report == 2) is (jour == FEVRIER)
    assert du_06.ecart == d.realise - d.objectif
    assert (du_06.prioritaires, du_06.attributions) == (d.quart.prioritaires, d.quart.attributions)
    assert du_06.quart.attributions > du_06.quart.prioritaires > 0 and du_06.quart.manque == d.quart.manque
    assert (du_13.objectif, du_13.ecart, du_13.quart, du_13.realise) == (None, None, None, 0)
    assert (lu.objectif, lu.realise, lu.bailleurs) == (d.objectif, d.realise, 3)
    # Its own share only: another réservataire has other sums.
    [cannes] = lire_ensemble(cast.acteur("agent_cannes"), ANNEE, (ANNEE,), jour).lignes
    assert cannes.objectif != du_06.objectif and cannes.parts == (0, 0)


def test_the_shares_to_agree_are_counted_as_they_are_listed(cast, partout):
    acteur = cast.acteur("charge_als")
    annees = (ANNEE, ANNEE + 1)

    def attendu() -> dict[str, tuple[int, int]]:
        compte: dict[str, tuple[int, int]] = {}
        for part in parts_a_convenir(acteur, annees):
            a_repondre, a_proposer = compte.get(part.departement.pk, (0, 0))
            if part.proposee and part.proposee.proposee_pour != cast.als:
                a_repondre += 1
            elif not part.proposee and not part.convenue:
                a_proposer += 1
            compte[part.departement.pk] = a_repondre, a_proposer
        return {departement: nombres for departement, nombres in compte.items() if any(nombres)}

    assert compter_parts_a_convenir(acteur, annees) == attendu() == {"06": (0, 4), "13": (0, 2)}
    etats = PartConvenue.Etat
    for bailleur, departement, pour, etat in (
        (cast.bailleur_a, "06", cast.bailleur_a, etats.PROPOSEE),
        (cast.bailleur_b, "06", cast.als, etats.PROPOSEE),
        (cast.bailleur_b, "13", cast.bailleur_b, etats.ACCEPTEE),
    ):
        PartConvenue.objects.create(
            bailleur=bailleur,
            departement_id=departement,
            reservataire=cast.als,
            annee=ANNEE,
            version=1,
            logements=3,
            etat=etat,
            proposee_pour=pour,
            proposee_le="2025-01-10T09:00:00Z",
            acceptee_le="2025-01-12T09:00:00Z" if etat == etats.ACCEPTEE else None,
        )
    assert compter_parts_a_convenir(acteur, annees) == attendu() == {"06": (1, 2), "13": (0, 1)}
    assert compter_parts_a_convenir(cast.acteur("gestionnaire_a"), annees) == {}


def test_the_home_of_everywhere_leads_to_each_departement(cast, partout, client):
    client.force_login(cast.gens["charge_als"])
    page = client.get(f"/?annee={ANNEE}").text
    assert "département par département" in page and "bailleur par bailleur" not in page
    for departement in ("06", "13"):
        suivie = client.get(f"/?annee={ANNEE}&departement={departement}").text
        assert f"annee={ANNEE}&amp;departement={departement}" in page
        assert "bailleur par bailleur" in suivie
    assert "bailleur par bailleur" in client.get(f"/?annee={ANNEE}&bailleur={cast.bailleur_a.pk}").text
    client.force_login(cast.gens["agent_cannes"])  # one département is not everywhere
    assert "bailleur par bailleur" in client.get(f"/?annee={ANNEE}").text


def test_each_figure_leads_to_as_many_lines(cast, contingents):
    for qui in ("charge_als", "agent_cannes"):
        acteur = cast.acteur(qui)
        for chiffre in chiffres_suivis(lire_contingent(acteur, DEMANDE)):
            with lecture_des_lignes():
                assert trouver(acteur, chiffre.lignes).lignes.count() == chiffre.nombre, (qui, chiffre)
    # Whether a household works is not for a commune; what a réservataire was given is for nobody else.
    salaries = lire_contingent(cast.acteur("charge_als"), DEMANDE).departements[0].publics.salaries.lignes
    assert trouver(cast.acteur("agent_cannes"), replace(salaries, reservataire=CANNES)) is None
    orientes = lire_contingent(cast.acteur("charge_als"), DEMANDE).lignes[0].orientes.lignes
    assert trouver(cast.acteur("agent_ddets_06"), orientes) is None
    with lecture_des_lignes():
        assert trouver(cast.acteur("agent_cannes"), orientes).lignes.count() == 0


def test_the_refusals_are_those_of_the_indicators(cast, contingents):
    """For everybody, over the year or a part of it, all contingents or one."""
    demandes = (DEMANDE, Demande(ANNEE, "S1"), Demande(ANNEE, reservataire="ETAT"))
    for qui in ("gestionnaire_a", "agent_ddets_06", "charge_als", "agent_cannes"):
        acteur = cast.acteur(qui)
        for demande in demandes:
            if acteur.est_reservataire and demande.reservataire:
                continue
            lus = {i.definition.code: i.details for i in lire_indicateurs(acteur, demande).article_5}
            for axe in Axe:
                analyse = analyser_refus(
                    acteur, DemandeRefus(demande, axe, "epci" if axe == Axe.SECTEUR else "commune")
                )
                tableaux = {t.porteur: t.croisement for t in analyse.tableaux}
                for porteur, code in ((Porteur.CALEOL, "refus_caleol"), (Porteur.MENAGE, "refus_menages")):
                    croise = tableaux[porteur]
                    assert {d.code: d.chiffre.nombre for d in lus[code]} == croise.motifs | {"": croise.total}
                    assert (
                        sum(croise.cellules.values())
                        == sum(t.refus for t in croise.classes.values())
                        == croise.total
                    )
                assert tableaux[Porteur.CALEOL].base == lus["dossiers"][-1].chiffre.nombre
                an = next(m for m in analyse.moments if (m.annee, m.trimestre) == (ANNEE, 0))
                assert {p: t for p, t in an.taux.items()} == {p: c.taux for p, c in tableaux.items()}


def test_a_cell_leads_to_its_lines(cast, contingents):
    for qui, axes in (("agent_ddets_06", (Axe.TYPOLOGIE, Axe.QPV)), ("agent_cannes", (Axe.SECTEUR,))):
        acteur = cast.acteur(qui)
        for axe in axes:
            analyse = analyser_refus(acteur, DemandeRefus(DEMANDE, axe))
            suivis = []
            for t in (_tableau(analyse, t) for t in analyse.tableaux):
                suivis += [c for m in t["motifs"] for c in (m["total"], *(c for _, c in m["cellules"]))]
                suivis += [x for c in (*t["classes"], t["ensemble"]) for x in (c["refus"], c["sur"])]
            assert any(c.nombre for c in suivis)
            for chiffre in suivis:
                with lecture_des_lignes():
                    assert trouver(acteur, chiffre.lignes).lignes.count() == chiffre.nombre, (
                        qui,
                        axe,
                        chiffre,
                    )


def test_refusals_keep_to_the_dwellings_that_are_asked(cast, contingents):
    acteur = cast.acteur("agent_ddets_06")

    def menages(**logements) -> int:
        lue = analyser_refus(acteur, DemandeRefus(DEMANDE, **logements))
        return next(t for t in lue.tableaux if t.porteur == Porteur.MENAGE).croisement.total

    assert menages() == 2
    assert (menages(commune=CANNES), menages(commune=ANTIBES), menages(typologie="T2")) == (2, 0, 1)
    assert menages(qpv="oui") + menages(qpv="non") == 2
    assert menages(financement="PLAI") == 0


def test_the_copil_reads_one_contingent_at_a_time_and_no_small_number(cast, contingents):
    lue = analyser_refus(
        cast.acteur("charge_dreal"),
        DemandeRefus(Demande(ANNEE, "S1", "06", cast.bailleur_a.pk), commune=CANNES, typologie="T2"),
    )
    base = lue.demande.base
    assert (base.periode, base.bailleur, base.reservataire, lue.demande.lieu) == ("", None, "ALS", "epci")
    assert lue.demande.logements == dict.fromkeys(("typologie", "financement", "qpv", "epci", "commune"), "")
    for t in lue.tableaux:
        croise = t.croisement
        assert croise.cellules == {} and t.chiffre(0).lignes is None
        assert {*croise.motifs.values(), *(x.refus for x in croise.classes.values())} <= {None}
    assert lue.blocages == () and {m.trimestre for m in lue.moments} == {0}
    assert analyser_refus(cast.acteur("operateur"), DemandeRefus(DEMANDE)) is None


def test_the_number_of_queries_depends_on_nothing(cast, contingents):
    als, ddets = cast.acteur("charge_als"), cast.acteur("agent_ddets_06")

    def compter() -> list[int]:
        nombres = []
        for lire in (
            lambda: lire_contingent(als, DEMANDE),
            lambda: analyser_refus(ddets, DemandeRefus(Demande(ANNEE, reservataire="ALS"))),
            lambda: parts_a_convenir(als, (ANNEE, ANNEE + 1)),
            lambda: lire_ensemble(als, ANNEE, (ANNEE, ANNEE + 1), FEVRIER),
        ):
            with CaptureQueriesContext(connection) as requetes:
                lire()
            nombres.append(len(requetes))
        return nombres

    avant = compter()
    actes_paca(cast, cast.bailleur_b)
    for rang in range(1, 5):
        libre = liberation(cast.bailleur_b, date(ANNEE, rang, 1), reservataire=cast.als)
        attribution(
            libre,
            date(ANNEE, rang, 2),
            menage=menage("06", ("DALO", date(2024, 1, 1))),
            refusee_le=date(ANNEE, rang, 9),
        )
    imputer(paires=[(cast.bailleur_b.pk, "06")])
    assert compter() == avant and max(avant) <= 36
    assert {x.bailleur for x in lire_contingent(als, DEMANDE).lignes} == {cast.bailleur_a, cast.bailleur_b}


def test_forecast_shares_say_who_is_awaited(cast, bilan):
    als = cast.acteur("charge_als")
    [part] = parts_a_convenir(als, (ANNEE,))
    assert (part.bailleur, part.proposee, part.convenue) == (cast.bailleur_a, None, None)
    assert part.repere.flux and part.page == reverse(
        "bilans:projection", args=[cast.bailleur_a.pk, "06", ANNEE]
    )
    PartConvenue.objects.create(
        bailleur=cast.bailleur_a,
        departement_id="06",
        reservataire=cast.als,
        annee=ANNEE,
        version=1,
        logements=3,
        proposee_pour=cast.bailleur_a,
        proposee_le="2025-01-10T09:00:00Z",
    )
    [part] = parts_a_convenir(als, (ANNEE,))
    assert part.proposee.logements == 3
    assert parts_a_convenir(als, (ANNEE,), departement="13") == []
    assert parts_a_convenir(cast.acteur("gestionnaire_a"), (ANNEE,)) == []


# --- Pages ----------------------------------------------------------------------------------------------------


def test_pages_and_files(client, cast, contingents):
    """What each may open; a link of each sort answers (each leads to as many lines: tested above)."""
    for qui in ("charge_als", "agent_cannes", "agent_ddets_06", "gestionnaire_a", "charge_dreal"):
        client.force_login(cast.gens[qui])
        adresses = [f"{reverse('bilans:refus')}?annee={ANNEE}&axe=epci"]
        if qui in ("charge_als", "agent_cannes"):
            adresses.append(f"/?annee={ANNEE}")
        liens: dict[str, str] = {}
        for adresse in adresses:
            reponse = client.get(adresse)
            assert reponse.status_code == 200
            motif = r'href="(/(?:indicateurs/lignes|refus|contingent|projections)/[^"]+)"'
            for lien in re.findall(motif, reponse.text):
                liens.setdefault(re.split(r"&|\d", lien)[0], lien.replace("&amp;", "&"))
        assert len(liens) >= 2
        for lien in {li for li in liens.values() if "note.pdf" not in li}:
            suivie = client.get(lien)
            assert suivie.status_code == 200, (qui, lien)
            assert not suivie.streaming or b"".join(suivie.streaming_content)
    client.force_login(cast.gens["charge_als"])
    page = client.get(f"/?annee={ANNEE}").text
    assert (
        "rétrocédés" in page
        and "Parts prévisionnelles à convenir" in page
        and "Note pour le conseil" not in page
    )
    client.force_login(cast.gens["agent_cannes"])
    page = client.get(f"/?annee={ANNEE}").text
    assert "Note pour le conseil" in page and "DALO</th>" not in page and "Salariés" not in page
    csv = client.get(f"{reverse('bilans:contingent_export', args=['bailleurs', 'csv'])}?annee={ANNEE}")
    entete, ligne = b"".join(csv.streaming_content).decode("utf-8-sig").strip().splitlines()
    lu = dict(zip(entete.split(";"), ligne.split(";"), strict=True))
    assert (lu["Bailleur"], lu["Orientés"], lu["Attributions à des prioritaires"]) == (
        "Habitat Essai A",
        "2",
        "1",
    )
    refus = client.get(f"{reverse('bilans:refus_export', args=['motifs', 'csv'])}?annee={ANNEE}")
    texte = b"".join(refus.streaming_content).decode("utf-8-sig")
    assert "Ménage;Loyer ou charges trop élevés;ensemble;1" in texte
    for mauvais in ("contingent/bailleurs.pdf", "contingent/rien.csv", "refus/rien.csv", "refus/motifs.ods"):
        assert client.get(f"/{mauvais}").status_code == 404


def test_a_wrong_choice_reads_the_whole_year(client, cast, contingents):
    client.force_login(cast.gens["agent_ddets_06"])
    for requete in ("annee=1850", "annee=2025&axe=age", "annee=2025&commune=75056", "annee=x&typologie=T99"):
        assert client.get(f"{reverse('bilans:refus')}?{requete}").status_code == 200


def test_the_note_for_the_council(cast, contingents, client):
    acteur = cast.acteur("agent_cannes")
    calculer(cast.bailleur_a.pk, "06", ANNEE, "DEFINITIF", "essai")
    note = lire_note(acteur, ANNEE, date(ANNEE + 1, 3, 1))
    pdf = rendre(composer_note(note))
    assert rendre(composer_note(note)).octets == pdf.octets
    lu = pypdf.PdfReader(io.BytesIO(pdf.octets))
    texte = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in lu.pages))
    for attendu in (
        "Commune de Cannes",
        "Habitat Essai A",
        "1 sur 1, pour 1 attendues",
        "prioritaire",
        "Comment lire cette note",
        f"année {ANNEE - 1}",
    ):
        assert attendu in texte, attendu
    assert lu.trailer["/Root"]["/MarkInfo"]["/Marked"] and lu.trailer["/Root"]["/Lang"].startswith("fr")
    # Nothing of a household beyond "prioritaire": no ground, no motive of a refusal, no line.
    for secret in ("expulsion", "EXPULSION", "Loyer", "handicap", "Numéro unique", "salarié"):
        assert secret not in texte, secret
    for autre in ("charge_als", "gestionnaire_a", "agent_ddets_06", "charge_dreal"):
        assert lire_note(cast.acteur(autre), ANNEE) is None
    client.force_login(cast.gens["agent_caf"])
    reponse = client.get(reverse("bilans:contingent_note"))
    assert reponse.status_code == 200 and reponse.content[:5] == b"%PDF-"
