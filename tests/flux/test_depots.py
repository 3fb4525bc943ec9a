"""Deposits: what is read, what is said, what is written; all or nothing, and the same file twice changes nothing."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage

from flux.models import (
    Attribution,
    CalculAFaire,
    CodeMotif,
    Commission,
    Depot,
    Imputation,
    Liberation,
    LigneDepot,
    LigneOrdreDuJour,
    Passage,
)
from flux.services import depots
from flux.services.depots import coffre, cycle, ecriture
from publics.models import Menage
from publics.services.menages import retrouver_menage
from reservation.acteur import Acteur, Role
from reservation.models import Rattachement, Utilisateur
from reservation.services import habilitations
from tests.flux.fabriques import actes_paca, liberation
from tests.flux.tableaux import ENTETES, csv, deposer, enregistrer, horrible, logements, numero, xlsx

pytestmark = pytest.mark.django_db

Etat = Depot.Etat
Verdict = LigneDepot.Verdict
PASSAGES = [
    "Référence du logement",
    "Libéré le",
    "Commission du",
    "Numéro unique",
    "Décision",
    "Rang",
    "Motif de non-attribution",
    "Pièce attendue",
    "À produire au plus tard le",
]
BAUX = ["Référence du logement", "Bail signé le", "Refusée le", "Motif du refus du ménage"]


@pytest.fixture
def references(cast) -> list[str]:
    actes_paca(cast)
    return logements(cast.bailleur_a)


def verdicts(depot: Depot) -> dict[int, str]:
    return dict(depot.lignes.order_by("ligne").values_list("ligne", "verdict"))


def dits(depot: Depot, ligne: int) -> list[tuple[str, str]]:
    trouvee = depot.lignes.get(ligne=ligne)
    return [(m["code"], m["cellule"]) for m in trouvee.messages]


# --- The horrible file --------------------------------------------------------------------------------------


def test_a_horrible_workbook_is_understood(cast, references):
    depot = deposer(cast, horrible(references))
    assert (depot.etat, depot.sujet, depot.feuille, depot.ligne_entete) == (
        Etat.A_CONFIRMER,
        "LIBERATIONS",
        "T3 2026",
        5,
    )
    assert depot.ignorees == {"AVANT_EN_TETE": 4, "VIDE": 1, "SOUS_TOTAL": 1, "EN_TETE_REPETE": 1}
    assert depot.lignes_lues == 18
    assert verdicts(depot) == {
        6: Verdict.A_CREER,
        7: Verdict.A_CREER,
        8: Verdict.A_CREER,
        10: Verdict.EN_ERREUR,
        11: Verdict.EN_ERREUR,
        12: Verdict.A_CREER,
        13: Verdict.EN_ERREUR,
        16: Verdict.EN_ERREUR,
        17: Verdict.IDENTIQUE,
        18: Verdict.EN_ERREUR,
        19: Verdict.A_CONFIRMER,
    }
    assert dits(depot, 10) == [("DATE_IMPOSSIBLE", "B10")]
    assert "février 2026 a 28 jours" in depot.lignes.get(ligne=10).messages[0]["texte"]
    assert dits(depot, 11) == [("REFERENCE_INCONNUE", "A11")]
    assert dits(depot, 13) == [("PREAVIS", "C13"), ("PREUVE", "F13")]
    assert dits(depot, 16) == [("RESERVATAIRE", "G16")]
    assert dits(depot, 18) == [("CONTRADICTION", "E18"), ("CONTRADICTION", "F18")]
    assert dits(depot, 19) == [("ANCIENNE", "B19")]


def test_what_is_accepted_is_written_and_the_rest_waits(cast, references):
    depot = enregistrer(cast, deposer(cast, horrible(references)))
    assert depot.etat == Etat.A_CONFIRMER and depot.comptes["ENREGISTREES"] == 5
    ecrites = {
        reference: (jour, usage, reservataire)
        for reference, jour, usage, reservataire in Liberation.objects.order_by("pk").values_list(
            "reference", "date", "usage", "reservataire"
        )
    }
    assert ecrites == {
        references[0]: (date(2026, 4, 11), "FLUX", cast.als.pk),
        references[1]: (date(2026, 4, 15), "FLUX", cast.bailleur_a.pk),
        references[2]: (date(2026, 4, 16), "FLUX", cast.ddets_06.pk),
        references[4]: (date(2026, 4, 18), "MUTATION", None),
    }
    premiere = Liberation.objects.get(reference=references[0])
    assert premiere.dans_assiette and premiere.statut_logement == "CONVENTIONNE"
    assert premiere.cree_par == cast.gestionnaire_a and premiere.typologie == "T3"
    assert depot.lignes.get(ligne=6).liberation == premiere
    assert CalculAFaire.objects.filter(bailleur=cast.bailleur_a, annee=2026).exists()
    # The file stays as long as lines wait.
    assert coffre.ouvrir(depot).startswith(b"PK")


def test_the_mends_of_the_page(cast, references):
    depot = deposer(cast, horrible(references))
    acteur = cast.acteur("gestionnaire_a")
    depots.corriger(acteur, depot, 10, {"date_liberation": "28/02/2026"})
    depots.corriger(acteur, depot, 11, {"reference": references[8]})
    depots.corriger(acteur, depot, 13, {"date_preavis": "", "preuve": "RU-1"})
    depots.remplacer(acteur, depot, champ="reservataire", ancien="=1+1", nouveau="Commune de Cannes")
    depots.confirmer_doutes(acteur, depot, "ANCIENNE", 19)
    depots.corriger(acteur, depot, 18, {"reference": references[9], "usage": "Flux"})
    depot.refresh_from_db()
    assert set(verdicts(depot).values()) == {Verdict.A_CREER, Verdict.IDENTIQUE}
    assert depot.lignes.get(ligne=19).confirmations["ANCIENNE"]["par"] == cast.gestionnaire_a.pk
    depot = enregistrer(cast, depot)
    assert depot.etat == Etat.APPLIQUE and Liberation.objects.count() == 10
    assert not depot.fichier and depot.fichier_efface_le
    assert Liberation.objects.get(reference=references[6]).reservataire == cast.commune_cannes


def test_a_mend_asks_again_what_was_confirmed(cast, references):
    depot = deposer(cast, horrible(references))
    acteur = cast.acteur("gestionnaire_a")
    depots.confirmer_doutes(acteur, depot, "ANCIENNE")
    assert verdicts(depot)[19] == Verdict.A_CREER
    depots.corriger(acteur, depot, 19, {"date_liberation": "01/02/2019"})
    assert verdicts(depot)[19] == Verdict.A_CONFIRMER


# --- Twice, at once, all or nothing -------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing(cast, references):
    lignes = [[r, "14/04/2026", "Flux", "", "ALS"] for r in references]
    enregistrer(cast, deposer(cast, xlsx(ENTETES, lignes)))
    avant = list(Liberation.objects.order_by("pk").values())
    depot = deposer(cast, xlsx(ENTETES, lignes))
    assert depot.etat == Etat.APPLIQUE and "ne change rien" in depot.message
    assert set(verdicts(depot).values()) == {Verdict.IDENTIQUE}
    assert list(Liberation.objects.order_by("pk").values()) == avant


def test_a_difference_is_shown_then_written(cast, references):
    enregistrer(cast, deposer(cast, xlsx(ENTETES, [[references[0], "14/04/2026", "", "", "ALS"]])))
    depot = deposer(cast, xlsx(ENTETES, [[references[0], "14/04/2026", "Mutation", "M-1", ""]]))
    (ligne,) = depot.lignes.all()
    assert ligne.verdict == Verdict.A_METTRE_A_JOUR
    assert [(d["champ"], d["cellule"], d["avant"], d["apres"]) for d in ligne.differences] == [
        ("usage", "C2", "Flux", Liberation._meta.get_field("usage").choices[1][1]),
        ("preuve", "D2", "", "M-1"),
    ]
    enregistrer(cast, depot)
    ecrite = Liberation.objects.get()
    assert (ecrite.usage, ecrite.preuve, ecrite.reservataire) == ("MUTATION", "M-1", cast.als)


def test_an_interruption_leaves_nothing(cast, references, monkeypatch):
    depot = deposer(cast, xlsx(ENTETES, [[r, "14/04/2026", "", "", ""] for r in references]))

    def panne(**_):
        raise RuntimeError("panne")

    monkeypatch.setattr(ecriture, "imputer", panne)
    depots.confirmer(cast.acteur("gestionnaire_a"), depot, differer=False)
    with pytest.raises(RuntimeError):
        depots.appliquer(depot.pk)
    depot.refresh_from_db()
    assert depot.etat == Etat.ECHEC and not Liberation.objects.exists()
    assert not depot.lignes.exclude(appliquee_le=None).exists()
    monkeypatch.undo()
    depots.reprendre(cast.acteur("gestionnaire_a"), depot)
    depot = depots.analyser(depot.pk)
    assert enregistrer(cast, depot).etat == Etat.APPLIQUE
    assert Liberation.objects.count() == len(references)


@pytest.mark.parametrize("perte", ["fin", "role", "compte"])
def test_who_confirmed_has_to_have_the_right_still_when_it_is_written(cast, references, perte):
    """Between the agreement and the worker, the access ends, is reduced to reading, or the account is closed."""
    depot = deposer(cast, xlsx(ENTETES, [[r, "14/04/2026", "", "", ""] for r in references]))
    depots.confirmer(cast.acteur("gestionnaire_a"), depot, differer=False)
    siens = Rattachement.objects.filter(utilisateur=cast.gestionnaire_a)
    match perte:
        case "fin":
            habilitations.terminer(siens)
        case "role":
            habilitations.changer_roles(
                Acteur.du_systeme("essai"), cast.gestionnaire_a, cast.bailleur_a, [Role.LECTURE]
            )
        case "compte":
            Utilisateur.objects.filter(pk=cast.gestionnaire_a.pk).update(is_active=False)
    depot = depots.appliquer(depot.pk)
    assert depot.etat == Etat.ECHEC and "n’a plus le rôle de gestion" in depot.message
    assert (depot.confirme_par, depot.confirme_le) == (None, None)
    assert not Liberation.objects.exists() and not depot.lignes.exclude(appliquee_le=None).exists()
    # A colleague takes it up again, reads it again, and agrees.
    depots.reprendre(cast.acteur("signataire_a"), depot)
    depot = depots.confirmer(cast.acteur("signataire_a"), depots.analyser(depot.pk), differer=False)
    assert depots.appliquer(depot.pk).etat == Etat.APPLIQUE
    assert Liberation.objects.count() == len(references)


def test_what_changed_since_the_preview_is_shown_again(cast, references):
    depot = deposer(cast, xlsx(ENTETES, [[r, "14/04/2026", "", "", ""] for r in references[:2]]))
    liberation(cast.bailleur_a, date(2026, 4, 14), cle_logement="RHDA0000000", reference=references[0])
    depot = enregistrer(cast, depot)
    assert depot.etat == Etat.A_CONFIRMER and "a changé depuis l’aperçu" in depot.message
    assert Liberation.objects.count() == 1
    assert verdicts(depot) == {2: Verdict.IDENTIQUE, 3: Verdict.A_CREER}
    assert enregistrer(cast, depot).etat == Etat.APPLIQUE


# --- Commissions and leases ---------------------------------------------------------------------------------


@pytest.fixture
def liberees(cast, references) -> list[Liberation]:
    enregistrer(
        cast, deposer(cast, xlsx(ENTETES, [[r, "14/04/2026", "", "", "ALS"] for r in references[:4]]))
    )
    return list(Liberation.objects.order_by("reference"))


def commission(references) -> list[list]:
    a, b, c = references[:3]
    return [
        [a, "", "12/05/2026", numero(1), "b", 1, "", "", ""],
        [a, "", "12/05/2026", numero(2), "b", 2, "", "", ""],
        [a, "", "12/05/2026", numero(3), "d", "", "Ressources au-dessus du plafond", "", ""],
        [b, "", "12/05/2026", numero(4), "a", "", "", "", ""],
        [b, "", "12/05/2026", numero(5), "e", "", "", "", ""],
        [b, "", "12/05/2026", numero(6), "d", "", "COMPOSITION", "", ""],
        [c, "", "12/05/2026", numero(7), "c", "", "", "Avis d’imposition", "30/05/2026"],
        [c, "", "12/05/2026", numero(8), "", "", "", "", ""],
        [c, "", "12/05/2026", numero(9), "", "", "", "", ""],
    ]


def test_a_commission_with_its_passages(cast, references, liberees):
    depot = deposer(cast, xlsx(PASSAGES, commission(references)))
    assert depot.sujet == "COMMISSIONS" and set(verdicts(depot).values()) == {Verdict.A_CREER}
    assert enregistrer(cast, depot).etat == Etat.APPLIQUE
    assert Commission.objects.count() == 1 and Passage.objects.count() == 9
    attribuees = {
        a.liberation.reference: a.menage for a in Attribution.objects.select_related("liberation", "menage")
    }
    assert attribuees == {
        references[0]: retrouver_menage(numero(1), "06"),
        references[1]: retrouver_menage(numero(4), "06"),
        references[2]: retrouver_menage(numero(7), "06"),
    }
    assert Menage.objects.count() == 9
    assert Imputation.objects.filter(annee=2026).count() == 3
    encore = deposer(cast, xlsx(PASSAGES, commission(references)))
    assert encore.etat == Etat.APPLIQUE and Passage.objects.count() == 9


def test_the_rules_of_a_commission_are_asked(cast, references, liberees):
    a, b, c, d = references[:4]
    lignes = [
        [a, "", "12/05/2026", numero(1), "b", 1, "", "", ""],
        [a, "", "12/05/2026", numero(2), "b", 1, "", "", ""],
        [b, "", "12/05/2026", numero(3), "d", "", "", "", ""],
        [b, "", "12/05/2026", "123", "a", "", "", "", ""],
        [c, "", "12/05/2026", numero(4), "a", "", "", "", ""],
        [c, "", "12/05/2026", numero(5), "a", "", "", "", ""],
        [d, "15/04/2026", "12/05/2026", numero(6), "a", "", "", "", ""],
        [d, "", "12/05/2026", numero(7), "c", "", "", "rien de tel", ""],
        [references[5], "", "12/05/2026", numero(8), "a", "", "", "", ""],
    ]
    depot = deposer(cast, xlsx(PASSAGES, lignes))
    assert [dits(depot, ligne)[0] for ligne in range(2, 11)] == [
        ("RANGS", "F2"),
        ("ATTRIBUTION_EN_COURS", "E3"),
        ("MOTIF", "G4"),
        ("NUMERO_UNIQUE", "D5"),
        ("SOLIDAIRE", "A6"),
        ("ATTRIBUTION_EN_COURS", "E7"),
        ("SANS_LIBERATION", "B8"),
        ("MOTIF", "H9"),
        ("SANS_LIBERATION", "A10"),
    ]
    assert ("RANGS", "F3") in dits(depot, 3)
    assert "CONDITION" in {code for code, _ in dits(depot, 9)}


def test_less_than_three_candidates_is_asked_once(cast, references, liberees):
    depot = deposer(cast, xlsx(PASSAGES, [[references[0], "", "12/05/2026", numero(1), "a", "", "", "", ""]]))
    assert verdicts(depot) == {2: Verdict.A_CONFIRMER}
    depots.confirmer_doutes(cast.acteur("gestionnaire_a"), depot, "CANDIDATURES")
    assert enregistrer(cast, depot).etat == Etat.APPLIQUE


def test_leases_and_refusals_complete_the_attributions(cast, references, liberees):
    enregistrer(cast, deposer(cast, xlsx(PASSAGES, commission(references))))
    lignes = [
        [references[0], "", "20/05/2026", "M_LOYER"],
        [references[1], "01/06/2026", "", ""],
        [references[2], "01/05/2026", "", ""],
        [references[3], "01/06/2026", "", ""],
    ]
    depot = deposer(cast, xlsx(BAUX, lignes))
    assert depot.sujet == "BAUX"
    assert verdicts(depot) == {
        2: Verdict.A_METTRE_A_JOUR,
        3: Verdict.A_METTRE_A_JOUR,
        4: Verdict.EN_ERREUR,
        5: Verdict.EN_ERREUR,
    }
    assert dits(depot, 4) == [("BAIL", "B4")] and dits(depot, 5) == [("SANS_ATTRIBUTION", "B5")]
    enregistrer(cast, depot)
    assert Attribution.objects.get(liberation__reference=references[0]).motif_refus.code == "M_LOYER"
    assert Attribution.objects.get(liberation__reference=references[1]).date_bail == date(2026, 6, 1)
    encore = deposer(cast, xlsx(BAUX, lignes[:2]))
    assert encore.etat == Etat.APPLIQUE and "ne change rien" in encore.message


def test_all_in_one_table(cast, references):
    entetes = [
        "Référence du logement",
        "Libéré le",
        "Réservataire",
        "Commission du",
        "NUD",
        "Décision",
        "Rang",
        "Bail signé le",
    ]
    lignes = [
        [references[0], "14/04/2026", "ALS", "12/05/2026", numero(1), "b", "1", "01/06/2026"],
        [references[0], "14/04/2026", "ALS", "12/05/2026", numero(2), "b", "2", ""],
        [references[0], "14/04/2026", "ALS", "12/05/2026", numero(3), "b", "3", ""],
        [references[1], "15/04/2026", "État", "", "", "", "", ""],
    ]
    depot = deposer(cast, csv(entetes, lignes), nom="tout.csv")
    assert depot.sujet == "COMBINE" and set(verdicts(depot).values()) == {Verdict.A_CREER}
    assert enregistrer(cast, depot).etat == Etat.APPLIQUE
    assert Liberation.objects.count() == 2 and Passage.objects.count() == 3
    assert Attribution.objects.get().date_bail == date(2026, 6, 1)
    assert deposer(cast, csv(entetes, lignes), nom="tout.csv").message.startswith("Ce fichier ne change rien")


def test_a_new_dwelling_is_described(cast, references):
    entetes = [
        *ENTETES[:2],
        "1ère mise en location",
        "Code INSEE",
        "QPV",
        "Financement",
        "Conventionné",
        "Typologie",
        "Construction",
    ]
    depot = deposer(
        cast,
        xlsx(
            entetes,
            [
                ["NEUF-1", "14/04/2026", "oui", 6029, "non", "PLUS", "oui", "T3", 2026],
                ["NEUF-2", "14/04/2026", "oui", "", "non", "PLUS", "oui", "T3", 2026],
            ],
        ),
    )
    assert verdicts(depot) == {2: Verdict.A_CREER, 3: Verdict.EN_ERREUR}
    assert dits(depot, 3) == [("DESCRIPTION", "D3")]
    enregistrer(cast, depot)
    neuf = Liberation.objects.get()
    assert (neuf.commune_id, neuf.typologie, neuf.premiere, neuf.finan) == ("06029", "T3", True, "13")


# --- Columns ------------------------------------------------------------------------------------------------


def test_unknown_headers_are_asked_then_remembered(cast, references):
    octets = csv(["Zorglub", "Sortie le", "Divers"], [[references[0], "14/04/2026", "M. Untel"]])
    depot = deposer(cast, octets, nom="a.csv", sujet="LIBERATIONS", source="Zorg")
    assert depot.etat == Etat.A_ASSOCIER and "Référence du logement" in depot.message
    depots.associer(
        cast.acteur("gestionnaire_a"),
        depot,
        sujet="LIBERATIONS",
        colonnes={"reference": 0, "date_liberation": 1},
        source="Zorg",
        differer=False,
    )
    depot = depots.analyser(depot.pk)
    assert verdicts(depot) == {2: Verdict.A_CREER}
    suivant = deposer(cast, octets, nom="b.csv")
    assert suivant.etat == Etat.A_CONFIRMER and suivant.source == "Zorg"


def test_a_column_that_is_not_taken_is_not_kept(cast, references):
    depot = deposer(cast, csv([*ENTETES[:2], "Locataire"], [[references[0], "14/04/2026", "M. Untel"]]))
    assert "Untel" not in str(list(LigneDepot.objects.values())) + str(list(Depot.objects.values()))
    assert depot.lignes.get().cellules == {"reference": references[0], "date_liberation": "14/04/2026"}


# --- What is kept of the numéros uniques --------------------------------------------------------------------


def test_the_numero_unique_is_kept_nowhere(cast, references, liberees, settings):
    octets = xlsx(PASSAGES, commission(references))
    depot = deposer(cast, octets)
    with default_storage.open(depot.fichier.name) as disque:
        chiffre = disque.read()
    assert numero(1).encode() not in chiffre and not chiffre.startswith(b"PK")
    assert coffre.ouvrir(depot) == octets
    lignes = str(list(LigneDepot.objects.values()))
    assert not any(numero(rang) in lignes for rang in range(1, 10))
    assert depot.lignes.get(ligne=2).cellules["numero_unique"] == f"…{numero(1)[-4:]}"
    nom = depot.fichier.name
    from django.test import TestCase

    with TestCase.captureOnCommitCallbacks(execute=True):
        depot = enregistrer(cast, depot)
    assert depot.etat == Etat.APPLIQUE and not default_storage.exists(nom)


def test_a_mended_numero_is_hashed_at_once(cast, references, liberees):
    depot = deposer(cast, xlsx(PASSAGES, [[references[0], "", "12/05/2026", "123", "", "", "", "", ""]]))
    depots.corriger(cast.acteur("gestionnaire_a"), depot, 2, {"numero_unique": numero(42)})
    (ligne,) = depot.lignes.all()
    assert ligne.verdict == Verdict.A_CREER and numero(42) not in str(ligne.__dict__)


# --- Rights, refusals, purge --------------------------------------------------------------------------------


@pytest.mark.parametrize("qui", ["lecteur_a", "agent_ddets_06", "charge_als", "operateur"])
def test_only_the_bailleur_hands_in(cast, qui):
    with pytest.raises(PermissionDenied):
        deposer(cast, xlsx(ENTETES, []), qui=qui)


def test_another_bailleur_decides_nothing(cast, references):
    depot = deposer(cast, horrible(references))
    with pytest.raises(PermissionDenied):
        depots.confirmer(cast.acteur("gestionnaire_b"), depot)
    with pytest.raises(PermissionDenied):
        depots.corriger(cast.acteur("lecteur_a"), depot, 10, {"reference": "x"})


@pytest.mark.parametrize(
    ("octets", "mot"),
    [
        (b"", "vide"),
        (b"%PDF-1.7", "PDF"),
        (b"<!doctype html><p>", "page web"),
        (b"PK\x03\x04casse", "abîmé"),
        (b"\x00\x01\x02\x03" * 99, "n’est pas un tableau"),
        (b"un seul mot", "Aucun tableau"),
    ],
)
def test_what_is_no_table_is_refused(cast, octets, mot):
    depot = deposer(cast, octets)
    assert depot.etat == Etat.REFUSE and mot in depot.message and not depot.fichier


def test_what_waits_is_given_up_and_its_file_goes(cast, references):
    depot = depots.abandonner(cast.acteur("gestionnaire_a"), deposer(cast, horrible(references)))
    assert depot.etat == Etat.ABANDONNE and not depot.fichier
    with pytest.raises(ValidationError):
        depots.confirmer(cast.acteur("gestionnaire_a"), depot)


def test_a_lost_message_is_sent_again(cast, references, monkeypatch):
    appels = []
    monkeypatch.setattr(cycle, "_differer", lambda tache, pk: appels.append((tache, pk)))
    depot = depots.recevoir(
        cast.acteur("gestionnaire_a"), octets=horrible(references), nom="x", differer=False
    )
    assert depots.reprendre_les_interrompus() == 0
    Depot.objects.update(cree_le="2026-01-01T00:00Z")
    assert depots.reprendre_les_interrompus() == 1 and appels == [("analyser_depot", depot.pk)]


def test_the_purge_erases_the_file_then_the_lines(cast, references):
    from publics.services import purge
    from reservation.acteur import Acteur

    depot = deposer(cast, horrible(references))
    Depot.objects.update(cree_le="2026-01-10T00:00Z")
    systeme = Acteur.du_systeme("essai de purge")
    purge.purger(systeme, date(2026, 2, 11))
    depot.refresh_from_db()
    assert not depot.fichier and depot.fichier_efface_le and depot.lignes.exists()
    Depot.objects.update(cree_le="2025-01-10T00:00Z")
    purge.purger(systeme, date(2026, 2, 11))
    depot.refresh_from_db()
    assert not depot.lignes.exists() and depot.etat == Etat.ABANDONNE


# --- Agents of the État, and fewer than three candidatures --------------------------------------------------


def test_agents_and_the_reason_of_few_candidatures_come_with_the_commissions(cast, references):
    freed = liberation(
        cast.bailleur_a, date(2026, 4, 14), reference=references[0], cle_logement="RHDA0000000"
    )
    entetes = ["Référence du logement", "Commission du", "Numéro unique", "Décision", "Proposé le"]
    suite = [
        "Agent de l’État",
        "Agent validé le",
        "Secteur et taille conformes",
        "Moins de trois candidatures",
    ]
    motif = CodeMotif.objects.filter(acte=CodeMotif.Acte.CANDIDATURES).first()
    ligne = [references[0], "12/05/2026", numero(1), "a", "20/04/2026"]

    def lire(*cellules):
        return deposer(cast, csv([*entetes, *suite], [[*ligne, *cellules]]), sujet="COMMISSIONS")

    assert dits(lire("non", "15/04/2026", "", motif.libelle), 2) == [("AGENT", "G2")]
    assert [code for code, _ in dits(lire("oui", "25/04/2026", "oui", motif.code), 2)] == ["AGENT_TARDIF"]
    assert [code for code, _ in dits(lire("oui", "15/04/2026", "oui", "zorglub"), 2)] == [
        "MOTIF",
        "CANDIDATURES",
    ]
    # With its reason, three candidatures are not asked for.
    depot = enregistrer(cast, lire("oui", "15/04/2026", "oui", motif.libelle))
    assert depot.etat == Etat.APPLIQUE, verdicts(depot)
    for objet in (Passage.objects.get(), Attribution.objects.get()):
        assert (objet.agent, objet.agent_valide_le, objet.agent_adapte) == (True, date(2026, 4, 15), True)
    agenda = LigneOrdreDuJour.objects.get()
    assert (agenda.liberation, agenda.motif_candidatures, agenda.rang) == (freed, motif, 1)
    assert lire("oui", "15/04/2026", "oui", motif.libelle).comptes == {"ENREGISTREES": 1}
    # No longer an agent: nothing of the validation stays.
    enregistrer(cast, lire("non", "", "", ""))
    assert not Attribution.objects.get().agent and Attribution.objects.get().agent_valide_le is None


@pytest.mark.parametrize(
    ("etat", "code"),
    [
        ("PREPARATION", "COMMISSION_OUVERTE"),
        ("CONVOQUEE", "COMMISSION_OUVERTE"),
        ("ANNULEE", "COMMISSION_ANNULEE"),
        ("CLOSE", None),
    ],
)
def test_a_file_decides_nothing_in_a_commission_that_is_open_or_cancelled(cast, references, etat, code):
    liberation(cast.bailleur_a, date(2026, 3, 1), reference=references[0], cle_logement="RHDA0000000")
    Commission.objects.create(
        bailleur=cast.bailleur_a, departement_id="06", date=date(2026, 3, 20), etat=etat
    )
    lignes = [[references[0], "01/03/2026", "20/03/2026", numero(1), "a", "", "", "", ""]]
    depot = deposer(cast, csv(PASSAGES, lignes), nom="passages.csv")
    codes = [c for c, _ in dits(depot, 2)]
    assert (code in codes) if code else not {"COMMISSION_OUVERTE", "COMMISSION_ANNULEE"} & set(codes)
