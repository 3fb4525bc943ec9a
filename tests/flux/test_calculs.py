"""Versions of the annual flux: made when inputs change, never edited, with a constant number of queries."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flux.models import CalculFlux, Nature, PartFlux, ReportObjectif, SoustractionPrevisionnelle
from flux.services.calculs import CalculImpossible, calculer, calculer_lot, natures_de, verrouiller
from reservation.models import FamilleBailleur, Organisation, Presence
from tests.flux.fabriques import (
    ANNEE,
    actes_paca,
    convention,
    convention_etat,
    liberation,
    parc,
)
from tests.personnages import ANTIBES, CANNES, NICE

PREVISIONNEL, DEFINITIF = Nature.PREVISIONNEL, Nature.DEFINITIF


def previsionnel(cast, **champs) -> CalculFlux:
    return calculer(cast.bailleur_a.pk, "06", ANNEE, PREVISIONNEL, champs.pop("raison", "essai"))


def definitif(cast) -> CalculFlux:
    return calculer(cast.bailleur_a.pk, "06", ANNEE, DEFINITIF, "essai")


def codes(calcul: CalculFlux) -> list[str]:
    return [avertissement["code"] for avertissement in calcul.avertissements]


# --- Versions -----------------------------------------------------------------------------------------------


def test_mockup_of_paca(cast):
    """The figures of the page that the design shows: 11 200 let, 8.5 %, 110 deducted, 842 to share, 28.63 net."""
    actes_paca(cast)
    parc(
        cast.bailleur_a,
        lots=[{"nombre": 11_200}, {"nombre": 160, "mode": "3"}, {"nombre": 236, "finan": "16"}],
    )
    for categorie, nombre in {"MUTATION": 70, "RU": 26, "INSALUBRITE": 4, "VENTE": 10}.items():
        SoustractionPrevisionnelle.objects.create(
            bailleur=cast.bailleur_a,
            departement_id="06",
            annee=ANNEE,
            categorie=categorie,
            nombre=nombre,
        )
    calcul = previsionnel(cast)
    assert (calcul.parc, calcul.soumis, calcul.liberations, calcul.soustractions, calcul.flux) == (
        11_596,
        11_360,
        952,
        110,
        842,
    )
    parts = {part.code: part for part in calcul.parts.all()}
    assert parts["ETAT"].part_exacte == Decimal("241.0646")
    assert parts["ETAT"].objectif == 241
    assert calcul.resultat["agents_max"] == 42
    assert parts["ALS"].part_exacte == Decimal("238.8754")
    assert sum(part.objectif for part in parts.values()) == 842
    assert {p.code: p.reservataire_id for p in parts.values()} == {
        "ETAT": cast.ddets_06.pk,
        "ALS": cast.als.pk,
        CANNES: cast.commune_cannes.pk,
        "BAILLEUR": cast.bailleur_a.pk,
    }
    [taux] = calcul.resultat["taux_etat"]
    assert (taux["brut"], taux["retrocede"], taux["net"]) == ("30.0000", "1.3700", "28.6300")
    assert calcul.etapes[0]["code"] == "assiette.parc"
    assert all(etape["article"] for etape in calcul.etapes if etape["valeur"])


def test_same_inputs_make_no_new_version(cast):
    actes_paca(cast)
    parc(cast.bailleur_a)
    premier = previsionnel(cast)
    assert previsionnel(cast).pk == premier.pk
    assert CalculFlux.objects.count() == 1


def test_changed_inputs_supersede_the_version_and_keep_it(cast):
    actes = actes_paca(cast)
    parc(cast.bailleur_a)
    premier = previsionnel(cast)
    actes["etat"].taux_rotation = Decimal("9")
    actes["etat"].save()
    second = previsionnel(cast, raison="taux convenu")
    premier.refresh_from_db()
    assert (premier.version, premier.en_vigueur, premier.liberations) == (1, False, 85)
    assert (second.version, second.en_vigueur, second.liberations, second.raison) == (
        2,
        True,
        90,
        "taux convenu",
    )
    assert premier.resultat["flux"]["flux"] == 85


def test_natures_live_side_by_side(cast):
    actes_paca(cast)
    parc(cast.bailleur_a)
    liberation(cast.bailleur_a, date(ANNEE, 3, 1))
    assert (previsionnel(cast).flux, definitif(cast).flux) == (85, 1)
    assert CalculFlux.objects.en_vigueur().count() == 2


def test_a_year_to_come_is_only_projected():
    assert natures_de(2027, date(2026, 12, 31)) == [PREVISIONNEL]
    assert natures_de(2027, date(2027, 1, 1)) == [PREVISIONNEL, DEFINITIF]
    assert natures_de(2025, date(2026, 11, 22)) == [PREVISIONNEL, DEFINITIF]


# --- Inputs -------------------------------------------------------------------------------------------------


def test_the_parc_is_the_latest_millesime_up_to_the_year(cast):
    actes_paca(cast)
    parc(cast.bailleur_a, millesime=ANNEE - 1, lots=[{"nombre": 100}])
    assert (previsionnel(cast).parc, codes(previsionnel(cast))[0]) == (100, "SANS_PARC")
    parc(cast.bailleur_a, millesime=ANNEE, lots=[{"nombre": 200}])
    parc(cast.bailleur_a, millesime=ANNEE + 1, lots=[{"nombre": 400}])
    calcul = previsionnel(cast)
    assert (calcul.parc, calcul.millesime) == (200, ANNEE)
    assert "SANS_PARC" not in codes(calcul)


def test_statuses_follow_the_acts_of_the_year_not_the_aggregate(cast):
    """The aggregate says HORS_CHAMP (the verdict of another year); the acts of this one decide."""
    actes = actes_paca(cast)
    parc(
        cast.bailleur_a,
        lots=[{"nombre": 10, "statut": "HORS_CHAMP"}, {"nombre": 5, "drapeaux": ["PLAN_DE_VENTE"]}],
    )
    assert previsionnel(cast).soumis == 15
    actes["etat"].exclut_vente_demolition = True
    actes["etat"].save()
    calcul = previsionnel(cast)
    assert calcul.soumis == 10
    assert calcul.resultat["assiette"]["hors"] == {"VENTE_DEMOLITION": 5}


def test_family_of_the_bailleur_decides_for_a_sem(cast):
    actes_paca(cast)
    parc(cast.bailleur_a, lots=[{"nombre": 10, "conv": "2", "finan": "50"}])
    assert previsionnel(cast).soumis == 10
    cast.bailleur_a.famille = FamilleBailleur.SEM
    cast.bailleur_a.save()
    assert previsionnel(cast).soumis == 0


def test_liberations_out_of_the_assiette_or_cancelled_count_nowhere(cast):
    actes_paca(cast)
    parc(cast.bailleur_a)
    liberation(cast.bailleur_a, date(ANNEE, 3, 1))
    liberation(cast.bailleur_a, date(ANNEE, 3, 2), dans_assiette=False, statut_logement="PLI")
    liberation(
        cast.bailleur_a,
        date(ANNEE, 3, 3),
        annulee_le=date(ANNEE, 3, 9),
        motif_annulation="le locataire reste",
    )
    liberation(cast.bailleur_a, date(ANNEE, 3, 4), usage="MUTATION")
    liberation(cast.bailleur_a, date(ANNEE, 3, 5), premiere=True)
    liberation(cast.bailleur_a, date(ANNEE - 1, 12, 31))
    liberation(cast.bailleur_b, date(ANNEE, 3, 6))
    assert definitif(cast).resultat["flux"] == {
        "liberations": 2,
        "premieres_hors_flux": 1,
        "soustractions": {"MUTATION": 1},
        "flux": 1,
        "flux_hors_qpv": 1,
    }


def test_per_territory(cast):
    actes_paca(cast)
    parc(cast.bailleur_a, lots=[{"nombre": 30}, {"nombre": 70, "commune_id": NICE, "qpv": True}])
    for commune, qpv, usage in ((CANNES, False, "FLUX"), (NICE, True, "FLUX"), (NICE, True, "RU")):
        liberation(cast.bailleur_a, date(ANNEE, 5, 1), commune_id=commune, qpv=qpv, usage=usage)
    territoires = definitif(cast).resultat["territoires"]
    assert territoires == [
        {
            "commune": CANNES,
            "qpv": False,
            "soumis": 30,
            "liberations": 1,
            "soustractions": 0,
            "premieres_hors_flux": 0,
            "flux": 1,
        },
        {
            "commune": NICE,
            "qpv": True,
            "soumis": 70,
            "liberations": 2,
            "soustractions": 1,
            "premieres_hors_flux": 0,
            "flux": 1,
        },
    ]
    projete = previsionnel(cast)
    assert sum(t["flux"] for t in projete.resultat["territoires"]) == projete.flux
    assert "communes" not in projete.resultat


def test_echelle_commune_shows_the_table_of_each_commune(cast):
    convention_etat(cast.bailleur_a, cast.ddets_06, echelle="COMMUNE")
    parc(cast.bailleur_a, lots=[{"nombre": 500}, {"nombre": 500, "commune_id": ANTIBES}])
    communes = previsionnel(cast).resultat["communes"]
    assert communes.keys() == {CANNES, ANTIBES}
    assert sum(commune["flux"] for commune in communes.values()) == 85
    assert communes[CANNES]["parts"][0] == {
        "reservataire": "ETAT",
        "part_exacte": "12.0246",
        "objectif": 12,
    }


def test_reports_raise_the_objective(cast):
    actes_paca(cast)
    parc(cast.bailleur_a)
    ReportObjectif.objects.create(
        bailleur=cast.bailleur_a,
        departement_id="06",
        reservataire=cast.als,
        annee=ANNEE,
        nombre=6,
        motif="écart 2025 non justifié",
    )
    part = previsionnel(cast).parts.get(code="ALS")
    assert (part.report, part.objectif_total) == (6, part.objectif + 6)


# --- Rate of rotation ---------------------------------------------------------------------------------------


def test_rate_is_agreed_else_observed_else_from_rpls(cast):
    acte = convention_etat(cast.bailleur_a, cast.ddets_06, taux_rotation=Decimal("8.5"))
    parc(cast.bailleur_a, millesime=ANNEE - 1)
    parc(cast.bailleur_a, lots=[{"nombre": 1000, "anciens": 800, "emmenages": 56}])
    assert previsionnel(cast).resultat["taux_rotation"] == {"points": "17/2", "origine": "CONVENU"}
    acte.taux_rotation = None
    acte.save()
    calcul = previsionnel(cast)
    assert calcul.resultat["taux_rotation"] == {"points": "7", "origine": "RPLS"}
    assert "TAUX_ROTATION" in codes(calcul)
    for jour in (1, 2, 3):
        liberation(cast.bailleur_a, date(ANNEE - 1, 4, jour))
    calculer(cast.bailleur_a.pk, "06", ANNEE - 1, DEFINITIF, "essai")
    assert previsionnel(cast).resultat["taux_rotation"]["origine"] == "RPLS", "première année : incomplète"
    liberation(cast.bailleur_a, date(ANNEE - 2, 12, 1))
    assert previsionnel(cast).resultat["taux_rotation"] == {"points": "3/10", "origine": "OBSERVE"}
    assert previsionnel(cast).entrees["taux_rotation"]["annee"] == ANNEE - 1


def test_no_rate_at_all_is_an_error_that_says_what_to_do(cast):
    convention_etat(cast.bailleur_a, cast.ddets_06, taux_rotation=None)
    parc(cast.bailleur_a)
    with pytest.raises(CalculImpossible, match="aucun taux de rotation n’est connu"):
        previsionnel(cast)
    assert definitif(cast).flux == 0
    assert not CalculFlux.objects.filter(nature=PREVISIONNEL).exists()


def test_without_a_parc_nothing_is_projected_and_it_is_said(cast):
    calcul = previsionnel(cast)
    assert (calcul.parc, calcul.flux, calcul.resultat["taux_rotation"]) == (0, 0, None)
    assert codes(calcul)[0] == "SANS_PARC"


def test_more_soustractions_than_liberations_is_an_error(cast):
    actes_paca(cast)
    parc(cast.bailleur_a)
    SoustractionPrevisionnelle.objects.create(
        bailleur=cast.bailleur_a, departement_id="06", annee=ANNEE, categorie="RU", nombre=86
    )
    with pytest.raises(CalculImpossible, match="86\N{NARROW NO-BREAK SPACE}?.*soustractions"):
        previsionnel(cast)


# --- What must be said ----------------------------------------------------------------------------------------


def test_warnings(cast):
    actes_paca(cast)
    collectivite = cast.autre_caf
    collectivite.type, collectivite.code = "COLLECTIVITE", "200039915"
    collectivite.save()
    convention(cast.bailleur_a, collectivite, taux="11", communes=[CANNES])
    parc(
        cast.bailleur_a,
        lots=[
            {"nombre": 952},
            {"nombre": 48, "typeconst": "E"},
            {"nombre": 7, "typeconst": "E", "drapeaux": ["ORDINAIRE"]},
            {"nombre": 9, "typeconst": "E", "drapeaux": ["RESIDENCE_UNIVERSITAIRE"]},
        ],
    )
    liberation(cast.bailleur_a, date(ANNEE, 2, 1), premiere=True)
    calcul = definitif(cast)
    dits = {avertissement["code"]: avertissement for avertissement in calcul.avertissements}
    assert dits.keys() == {
        "RESIDENCE",
        "COLLECTIVITES_AU_DELA_DES_GARANTIES",
        "NET_SOUS_PLANCHER",
        "PREMIERES_HORS_FLUX",
    }
    assert dits["RESIDENCE"]["logements"] == 48
    assert dits["COLLECTIVITES_AU_DELA_DES_GARANTIES"]["communes"] == [CANNES]
    assert "28,63" in dits["NET_SOUS_PLANCHER"]["texte"]


def test_missing_conventions_wait_for_the_prefet(cast):
    convention_etat(cast.bailleur_a, cast.ddets_06, debut=date(ANNEE, 4, 1), fin=date(ANNEE, 11, 30))
    convention(
        cast.bailleur_a,
        cast.commune_cannes,
        debut=date(ANNEE - 3, 1, 1),
        fin=date(ANNEE - 1, 12, 31),
        communes=[CANNES],
    )
    convention(cast.bailleur_a, cast.autre_caf, debut=date(ANNEE - 5, 1, 1), fin=date(ANNEE - 3, 12, 31))
    parc(cast.bailleur_a)
    dits = [a for a in definitif(cast).avertissements if a["code"] == "CONVENTION_ABSENTE"]
    assert [a["reservataire"] for a in dits] == ["ETAT", "ALS", CANNES]
    assert (
        "du 1er janvier 2026 au 31 mars 2026 et du 1er décembre 2026 au 31 décembre 2026" in dits[0]["titre"]
    )
    assert "en attente de décision du préfet" in dits[1]["texte"]


def test_small_flux_is_said(cast):
    actes_paca(cast)
    parc(cast.bailleur_a)
    liberation(cast.bailleur_a, date(ANNEE, 2, 1))
    calcul = definitif(cast)
    assert calcul.parts.get(code="ETAT").objectif == 0
    assert "PETIT_FLUX" in codes(calcul)
    for jour in range(2, 6):
        liberation(cast.bailleur_a, date(ANNEE, 2, jour))
    assert "PETIT_FLUX" not in codes(definitif(cast))


# --- Batches ------------------------------------------------------------------------------------------------


def plusieurs(cast, nombre: int) -> list[tuple[int, str]]:
    paires = []
    for rang in range(nombre):
        bailleur = Organisation.objects.create(
            type="BAILLEUR", nom=f"Bailleur {rang}", siren=f"1{rang:08d}", famille="OPH"
        )
        Presence.objects.create(bailleur=bailleur, departement_id="06")
        actes_paca(cast, bailleur)
        parc(bailleur, lots=[{"nombre": 100 + rang}, {"nombre": 50, "commune_id": NICE}])
        liberation(bailleur, date(ANNEE, 1, 1 + rang), reservataire=cast.als)
        paires.append((bailleur.pk, "06"))
    return paires


def requetes(paires) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as capture:
        verrouiller(paires, ANNEE)
        calculs = calculer_lot(paires, ANNEE, list(Nature), dict.fromkeys(paires, "essai"), timezone.now())
    assert calculs.nouveaux.keys() == set(paires) and not calculs.erreurs
    return [requete["sql"] for requete in capture.captured_queries]


def test_constant_number_of_queries_and_never_the_dwellings(cast):
    un = requetes(plusieurs(cast, 1))
    Organisation.objects.filter(siren="100000000").update(siren="900000000")
    dix = requetes(plusieurs(cast, 10))
    assert len(dix) == len(un) <= 26
    assert not [sql for sql in dix if "reservation_logement" in sql]


def test_a_batch_gives_what_each_gives_alone(cast):
    paires = plusieurs(cast, 4)
    seuls = [calculer(*paire, ANNEE, nature, "seul").resultat for paire in paires for nature in Nature]
    CalculFlux.objects.all().delete()
    calculer_lot(paires, ANNEE, list(Nature), dict.fromkeys(paires, "lot"), timezone.now())
    ensemble = [
        CalculFlux.objects.get(bailleur=paire[0], nature=nature).resultat
        for paire in paires
        for nature in Nature
    ]
    assert ensemble == seuls


def test_one_bad_pair_does_not_stop_the_others(cast, monkeypatch):
    paires = plusieurs(cast, 3)
    SoustractionPrevisionnelle.objects.create(
        bailleur_id=paires[0][0], departement_id="06", annee=ANNEE, categorie="RU", nombre=900
    )
    calculs = calculer_lot(paires, ANNEE, list(Nature), dict.fromkeys(paires, "lot"), timezone.now())
    assert calculs.erreurs.keys() == {paires[0]}
    assert calculs.nouveaux == {
        paires[0]: [DEFINITIF],
        paires[1]: [PREVISIONNEL, DEFINITIF],
        paires[2]: [PREVISIONNEL, DEFINITIF],
    }
    assert PartFlux.objects.filter(calcul__bailleur=paires[0][0]).count() == 4


def test_a_bug_in_one_pair_does_not_stop_the_others(cast, monkeypatch, caplog):
    paires = plusieurs(cast, 2)
    from flux.services import entrees as module

    vrai = module.calculer_definitif

    def parfois(annee, actes, assiette, *reste):
        if assiette.soumis == 150:
            raise ZeroDivisionError
        return vrai(annee, actes, assiette, *reste)

    monkeypatch.setattr(module, "calculer_definitif", parfois)
    calculs = calculer_lot(paires, ANNEE, [DEFINITIF], dict.fromkeys(paires, "lot"), timezone.now())
    assert calculs.nouveaux.keys() == {paires[1]}
    assert "erreur du programme (ZeroDivisionError)" in calculs.erreurs[paires[0]][DEFINITIF]
    assert "ZeroDivisionError" in caplog.text
