"""The verbs of a freed dwelling: who may, what is refused and in which words, what is imputed and computed again."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from flux.models import Attribution, CalculAFaire, CodeMotif, Imputation, Liberation, MotifRefus
from flux.services import attributions, orientations
from flux.services import liberations as services
from flux.services.statuts import reevaluer_statuts
from reservation.acteur import Acteur
from reservation.models import Logement
from tests.flux.fabriques import ANNEE, actes_paca, attribution, liberation, menage, parc

SYSTEME = Acteur.du_systeme("essai")
JOUR = date(ANNEE, 3, 2)
LOGEMENT = {
    "commune_id": "06029",
    "cle": "L1",
    "ident_int": "REF-1",
    "adresse": "1 RUE DE L’ESSAI",
    "qpv": True,
    "typeconst": "C",
    "nbpiece": 2,
    "finan": "13",
    "conv": "1",
    "mode": "1",
    "typologie": "T2",
    "financement": "PLUS",
    "periode": "1971-90",
    "statut": "CONVENTIONNE",
    "ligne": 2,
}
NEUF = {
    "commune": "06088",
    "adresse": "2 RUE NEUVE",
    "qpv": False,
    "finan": "17",
    "conv": "1",
    "nbpiece": 7,
    "construct": 2026,
}


@pytest.fixture
def cast(cast):
    actes_paca(cast)
    cast.etat = parc(cast.bailleur_a)
    return cast


def logement(cast, **champs) -> Logement:
    return Logement.objects.create(
        bailleur=cast.bailleur_a,
        departement_id="06",
        millesime=ANNEE,
        import_rpls=cast.etat.import_rpls,
        **LOGEMENT | champs,
    )


def declarer(cast, acteur=SYSTEME, **champs) -> Liberation:
    return services.enregistrer_liberation(
        acteur, cast.bailleur_a, **{"date": JOUR, "reference": "REF-1"} | champs
    )


def maintien() -> CodeMotif:
    return CodeMotif.objects.get(code="A_MAINTIEN")


def attendent() -> list[tuple[int, str]]:
    return list(CalculAFaire.objects.order_by("annee").values_list("annee", "raison"))


# --- Declaring --------------------------------------------------------------------------------------------------


def test_facts_are_copied_from_the_parc(cast):
    faite = declarer(cast, logement=logement(cast), date_preavis=date(ANNEE, 1, 10))
    assert (faite.cle_logement, faite.reference, faite.commune_id, faite.qpv, faite.typologie) == (
        "L1",
        "REF-1",
        "06029",
        True,
        "T2",
    )
    assert (faite.statut_logement, faite.dans_assiette) == ("CONVENTIONNE", True)
    assert attendent() == [(ANNEE, "Libération du 2 mars 2026 déclarée")]


def test_a_new_programme_is_described_and_classified(cast):
    faite = declarer(cast, reference="NEUF-1", premiere=True, **NEUF)
    assert (faite.departement_id, faite.typologie, faite.financement, faite.periode) == (
        "06",
        "T6+",
        "PLS",
        "2006+",
    )
    assert faite.dans_assiette
    for manque in ("finan", "nbpiece", "construct"):
        with pytest.raises(ValidationError, match="se décrit"):
            declarer(cast, reference="NEUF-2", **NEUF | {manque: None})
    with pytest.raises(ValidationError, match="n’est pas le code d’une commune"):
        declarer(cast, reference="NEUF-2", **NEUF | {"commune": "06999"})


@pytest.mark.parametrize(
    ("champs", "statut"),
    [
        ({"finan": "16"}, "PLI"),
        ({"drapeaux": ["LOGEMENT_FOYER"]}, "FOYER_RESIDENCE"),
        ({"conv": "2", "finan": "13"}, "HORS_CHAMP"),
        ({"conv": "2", "finan": "50"}, "AVANT_1977"),
        ({"drapeaux": ["PLAN_DE_VENTE"]}, "CONVENTIONNE"),
    ],
)
def test_the_rule_says_whether_it_is_in_the_assiette(cast, champs, statut):
    faite = declarer(cast, logement=logement(cast, **champs))
    assert faite.statut_logement == statut
    assert faite.dans_assiette is (statut in ("CONVENTIONNE", "AVANT_1977"))


def test_acts_and_flags_signed_later_change_the_verdict_of_their_year(cast):
    actes = actes_paca(cast, cast.bailleur_b)
    vendu = logement(cast, drapeaux=["PLAN_DE_VENTE"])
    faite, passee = declarer(cast, logement=vendu), liberation(cast.bailleur_a, date(ANNEE - 1, 5, 5))
    assert reevaluer_statuts([(cast.bailleur_a.pk, "06")], ANNEE) == 0
    acte = cast.bailleur_a.conventions_donnees.get(reservataire=cast.ddets_06).versions.get()
    acte.exclut_vente_demolition = True
    acte.save()
    assert reevaluer_statuts([(cast.bailleur_a.pk, "06")], ANNEE) == 1
    faite.refresh_from_db()
    assert (faite.statut_logement, faite.dans_assiette) == ("VENTE_DEMOLITION", False)
    passee.refresh_from_db()
    assert passee.dans_assiette
    assert reevaluer_statuts([(cast.bailleur_a.pk, "06")], ANNEE) == 0
    vendu.drapeaux = []
    vendu.save()
    assert reevaluer_statuts([(cast.bailleur_a.pk, "06")], ANNEE) == 1
    assert actes["etat"].exclut_vente_demolition is False


def test_twice_the_same_day_is_refused_but_not_twice_in_the_year(cast):
    declarer(cast, logement=(sien := logement(cast)))
    with pytest.raises(ValidationError, match="déjà une libération à cette date"):
        declarer(cast, logement=sien)
    declarer(cast, logement=sien, date=date(ANNEE, 9, 9))
    assert Liberation.objects.count() == 2


# --- The rest of its life ---------------------------------------------------------------------------------------


def test_the_whole_story(cast):
    faite = declarer(cast, logement=logement(cast), date=date(ANNEE - 1, 12, 1))
    orientations.orienter_liberation(SYSTEME, faite, reservataire=cast.ddets_06, date=date(ANNEE - 1, 12, 3))
    attribuee = attributions.enregistrer_attribution(
        SYSTEME,
        faite,
        date_caleol=date(ANNEE - 1, 12, 20),
        menage=menage("06", ("DALO", date(2025, 1, 1))),
    )
    assert list(Imputation.objects.values_list("annee", "titre", "detail")) == [
        (ANNEE - 1, "ETAT", "PRIORITE_1")
    ]
    CalculAFaire.objects.all().delete()
    attributions.enregistrer_bail(SYSTEME, attribuee, date=date(ANNEE, 1, 5))
    assert attendent() == [(ANNEE - 1, "Bail du 5 janvier 2026"), (ANNEE, "Bail du 5 janvier 2026")]
    assert Imputation.objects.count() == 2
    with pytest.raises(ValidationError, match="Un bail est signé"):
        services.annuler_liberation(SYSTEME, faite, date=date(ANNEE, 1, 6), motif=maintien())
    with pytest.raises(ValidationError, match="attribution en cours"):
        orientations.orienter_liberation(SYSTEME, faite, reservataire=cast.als, date=date(ANNEE, 1, 6))


def test_a_refusal_makes_room_for_another_attribution(cast):
    faite = liberation(cast.bailleur_a, JOUR, reservataire=cast.ddets_06)
    premiere = attributions.enregistrer_attribution(SYSTEME, faite, date_caleol=date(ANNEE, 3, 20))
    with pytest.raises(ValidationError, match="déjà une attribution en cours"):
        attributions.enregistrer_attribution(SYSTEME, faite, date_caleol=date(ANNEE, 3, 27))
    motif = MotifRefus.objects.filter(porteur="MENAGE").order_by("pk").first()
    with pytest.raises(ValidationError, match="Le refus suit la CALEOL"):
        attributions.refuser_attribution(SYSTEME, premiere, date=date(ANNEE, 3, 19), motif=motif)
    autre = MotifRefus.objects.exclude(porteur="MENAGE").order_by("pk").first()
    with pytest.raises(ValidationError, match="n’est pas un motif de refus du ménage"):
        attributions.refuser_attribution(SYSTEME, premiere, date=date(ANNEE, 3, 21), motif=autre)
    attributions.refuser_attribution(SYSTEME, premiere, date=date(ANNEE, 3, 25), motif=motif)
    with pytest.raises(ValidationError, match="déjà refusée"):
        attributions.refuser_attribution(SYSTEME, premiere, date=date(ANNEE, 3, 25), motif=motif)
    with pytest.raises(ValidationError, match="refusée n’a pas de bail"):
        attributions.enregistrer_bail(SYSTEME, premiere, date=date(ANNEE, 4, 1))
    seconde = attributions.enregistrer_attribution(SYSTEME, faite, date_caleol=date(ANNEE, 4, 3))
    assert Imputation.objects.get().attribution == seconde
    with pytest.raises(ValidationError, match="Le bail ne peut pas précéder la CALEOL"):
        attributions.enregistrer_bail(SYSTEME, seconde, date=date(ANNEE, 4, 2))
    with pytest.raises(ValidationError, match="La proposition précède"):
        attributions.enregistrer_attribution(
            SYSTEME, faite, date_caleol=date(ANNEE, 5, 3), date_proposition=date(ANNEE, 5, 4)
        )


def test_orientation_asks_for_an_act_on_the_commune(cast):
    a_nice = liberation(cast.bailleur_a, JOUR, commune_id="06088")
    with pytest.raises(ValidationError, match="n’a pas de convention qui porte sur cette commune"):
        orientations.orienter_liberation(SYSTEME, a_nice, reservataire=cast.commune_cannes, date=JOUR)
    with pytest.raises(ValidationError, match="n’a pas de convention"):
        orientations.orienter_liberation(SYSTEME, a_nice, reservataire=cast.autre_caf, date=JOUR)
    assert set(orientations.reservataires_possibles(a_nice)) == {cast.bailleur_a, cast.ddets_06, cast.als}
    for reservataire in (cast.als, cast.ddets_06, cast.bailleur_a):
        faite = orientations.orienter_liberation(SYSTEME, a_nice, reservataire=reservataire, date=JOUR)
        assert faite.reservataire == reservataire
    a_cannes = liberation(cast.bailleur_a, JOUR)
    assert cast.commune_cannes in orientations.reservataires_possibles(a_cannes)


def test_failed_designation(cast):
    faite = liberation(cast.bailleur_a, JOUR)
    with pytest.raises(ValidationError, match="Seule une libération orientée"):
        orientations.constater_echec_designation(SYSTEME, faite, date=JOUR)
    orientations.orienter_liberation(SYSTEME, faite, reservataire=cast.als, date=date(ANNEE, 3, 5))
    with pytest.raises(ValidationError, match="L’échec suit l’orientation, qui est du 5 mars 2026"):
        orientations.constater_echec_designation(SYSTEME, faite, date=JOUR)
    orientations.constater_echec_designation(SYSTEME, faite, date=date(ANNEE, 4, 5))
    with pytest.raises(ValidationError, match="déjà constaté"):
        orientations.constater_echec_designation(SYSTEME, faite, date=date(ANNEE, 4, 6))
    attributions.enregistrer_attribution(SYSTEME, faite, date_caleol=date(ANNEE, 4, 20))
    assert Imputation.objects.get().titre == "BAILLEUR"


def test_cancelling_takes_everything_off(cast):
    faite = liberation(cast.bailleur_a, JOUR, reservataire=cast.ddets_06)
    attribution(faite, date(ANNEE, 3, 20))
    with pytest.raises(ValidationError, match="n’est pas un motif de cet acte"):
        services.annuler_liberation(
            SYSTEME, faite, date=date(ANNEE, 3, 25), motif=CodeMotif.objects.get(code="P_CONGE")
        )
    services.annuler_liberation(SYSTEME, faite, date=date(ANNEE, 3, 25), motif=maintien())
    assert not Imputation.objects.exists()
    with pytest.raises(ValidationError, match="déjà annulée"):
        services.annuler_liberation(SYSTEME, faite, date=date(ANNEE, 3, 25), motif=maintien())
    for verbe, arguments in (
        (orientations.orienter_liberation, {"reservataire": cast.als, "date": JOUR}),
        (orientations.constater_echec_designation, {"date": JOUR}),
        (attributions.enregistrer_attribution, {"date_caleol": JOUR}),
    ):
        with pytest.raises(ValidationError, match="est annulée"):
            verbe(SYSTEME, faite, **arguments)


# --- Who may ----------------------------------------------------------------------------------------------------


def test_who_may_write(cast):
    """Only those of the bailleur who may manage; the State, the réservataires and strangers may not."""
    oui = ("gestionnaire_a", "signataire_a")
    non = (
        "lecteur_a",
        "administrateur_a",
        "gestionnaire_b",
        "agent_ddets_06",
        "agent_sgc_06",
        "charge_als",
        "agent_cannes",
        "charge_dreal",
        "sans_organisation",
    )
    motif = MotifRefus.objects.filter(porteur="MENAGE").order_by("pk").first()
    for rang, nom in enumerate((*oui, *non)):
        acteur = cast.acteur(nom)
        faite = liberation(cast.bailleur_a, JOUR, reservataire=cast.als)
        attribuee = attribution(faite, date(ANNEE, 3, 20))
        autre = liberation(cast.bailleur_a, JOUR, reservataire=cast.als)
        gestes = (
            lambda rang=rang, acteur=acteur: declarer(
                cast, acteur, reference=f"N-{rang}", date=date(ANNEE, 5, 1 + rang), **NEUF
            ),
            lambda acteur=acteur, autre=autre: orientations.orienter_liberation(
                acteur, autre, reservataire=cast.ddets_06, date=JOUR
            ),
            lambda acteur=acteur, autre=autre: orientations.constater_echec_designation(
                acteur, autre, date=date(ANNEE, 3, 30)
            ),
            lambda acteur=acteur, autre=autre: services.annuler_liberation(
                acteur, autre, date=JOUR, motif=maintien()
            ),
            lambda acteur=acteur, attribuee=attribuee: attributions.enregistrer_bail(
                acteur, attribuee, date=date(ANNEE, 4, 1)
            ),
        )
        for geste in gestes:
            if nom in oui:
                geste()
            else:
                with pytest.raises(PermissionDenied):
                    geste()
        if nom not in oui:
            with pytest.raises(PermissionDenied):
                attributions.refuser_attribution(acteur, attribuee, date=date(ANNEE, 4, 1), motif=motif)
            attribuee.refresh_from_db()
            assert attribuee.date_bail is None
    assert Liberation.objects.filter(reference__startswith="N-").count() == len(oui)
    assert Attribution.objects.filter(date_bail__isnull=False).count() == len(oui)
