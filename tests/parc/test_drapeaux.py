"""Flags: who may, on what, with what effect, and only on the pair concerned."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from reservation.acteur import Acteur
from reservation.models import (
    AgregatParc,
    ClasseTypologie,
    Convention,
    Departement,
    Drapeau,
    EtatParc,
    Logement,
    VersionConvention,
)
from reservation.services import parc
from reservation.signaux import entrees_modifiees

from .fabrique import SIRET_B, ecrire, logement, logements, loi

SYSTEME = Acteur.du_systeme("essai")


@pytest.fixture
def charge(cast, tmp_path):
    """A: four dwellings in 06 (one of another programme), two in 22; B: two in 06 with the same programme name."""
    lignes = [
        *logements(3),
        logement(4, COMPLGEO="AUTRE PROGRAMME"),
        *(logement(n, DEPCOM="22278", CODEPOSTAL="22000") for n in (5, 6)),
        *(logement(n, SIRET=SIRET_B) for n in (7, 8)),
    ]
    assert parc.importer(SYSTEME, ecrire(tmp_path, loi(lignes)), millesime=2025).etat == "APPLIQUE"
    return cast


def poser(cast, qui="gestionnaire_a", bailleur=None, departement="06", **champs) -> Drapeau:
    defauts = {
        "portee": "LOGEMENT",
        "cible": "0600000001",
        "code": "DEFENSE",
        "motif": "Convention d’occupation",
    }
    return parc.poser_drapeau(
        cast.acteur(qui) if isinstance(qui, str) else qui,
        bailleur=bailleur or cast.bailleur_a,
        departement=Departement.objects.get(pk=departement),
        **defauts | champs,
    )


def statuts() -> dict[str, str]:
    return dict(Logement.objects.values_list("cle", "statut"))


def revisions() -> dict[tuple, int]:
    return {(e.bailleur_id, e.departement_id): e.revision for e in EtatParc.objects.all()}


def test_un_drapeau_sur_un_logement(charge):
    avant, etats = statuts(), revisions()
    pose = poser(charge)
    assert (pose.pose_par, pose.motif) == (charge.gestionnaire_a, "Convention d’occupation")
    assert statuts() == avant | {"0600000001": "DEFENSE_SECURITE_SANTE"}
    cellule = AgregatParc.objects.get(statut="DEFENSE_SECURITE_SANTE")
    assert (cellule.nombre, cellule.drapeaux) == (1, ["DEFENSE"])
    paire = (charge.bailleur_a.pk, "06")
    assert revisions() == etats | {paire: etats[paire] + 1}


def test_un_drapeau_sur_un_programme_ne_touche_que_ce_bailleur_et_ce_departement(charge):
    poser(charge, portee="PROGRAMME", cible="RESIDENCE MODELE", code="LOGEMENT_FOYER")
    foyers = Logement.objects.filter(statut="FOYER_RESIDENCE").values_list("cle", flat=True)
    assert set(foyers) == {"0600000001", "0600000002", "0600000003"}


def test_retirer_rend_le_statut_et_garde_l_histoire(charge):
    avant = statuts()
    pose = poser(charge)
    retire = parc.retirer_drapeau(charge.acteur("signataire_a"), pose, motif="Fin de la convention")
    assert statuts() == avant
    assert (retire.retire_par, retire.motif_retrait) == (charge.signataire_a, "Fin de la convention")
    assert Drapeau.objects.count() == 1
    with pytest.raises(ValidationError):
        parc.retirer_drapeau(charge.acteur("gestionnaire_a"), pose, motif="Encore")
    poser(charge)
    assert Drapeau.objects.count() == 2


def test_retirer_demande_un_motif(charge):
    pose = poser(charge)
    with pytest.raises(ValidationError):
        parc.retirer_drapeau(charge.acteur("gestionnaire_a"), pose, motif="  ")
    pose.refresh_from_db()
    assert pose.retire_le is None


@pytest.mark.parametrize(
    "qui",
    [
        "lecteur_a",
        "administrateur_a",
        "gestionnaire_b",
        "agent_ddets_06",
        "charge_als",
        "charge_dreal",
        "sans_organisation",
    ],
)
def test_qui_ne_pose_pas(charge, qui):
    avant = statuts()
    with pytest.raises(PermissionDenied):
        poser(charge, qui=qui)
    pose = poser(charge, qui=SYSTEME)
    with pytest.raises(PermissionDenied):
        parc.retirer_drapeau(charge.acteur(qui), pose, motif="Essai")
    assert statuts() == avant | {"0600000001": "DEFENSE_SECURITE_SANTE"}


@pytest.mark.parametrize(
    "champs",
    [
        {"motif": " "},
        {"code": "INCONNU"},
        {"portee": "IMMEUBLE"},
        {"cible": "0699999999"},
        {"portee": "PROGRAMME", "cible": "INCONNU"},
        {"departement": "22"},
        {"cible": "0600000007"},
    ],
)
def test_drapeaux_invalides(charge, champs):
    avant = statuts()
    with pytest.raises(ValidationError):
        poser(charge, **champs)
    assert statuts() == avant and not Drapeau.objects.exists()


def test_deux_fois_le_meme_ou_son_contraire(charge):
    poser(charge, code="ORDINAIRE")
    for code in ("ORDINAIRE", "RESIDENCE_UNIVERSITAIRE", "LOGEMENT_FOYER"):
        with pytest.raises(ValidationError):
            poser(charge, code=code)
    poser(charge, code="RESIDENCE_UNIVERSITAIRE", cible="0600000002")
    with pytest.raises(ValidationError):
        poser(charge, code="ORDINAIRE", cible="0600000002")


def test_la_reponse_ordinaire_ne_change_aucun_statut(charge):
    avant = statuts()
    poser(charge, code="ORDINAIRE")
    assert statuts() == avant
    assert Logement.objects.get(cle="0600000001").drapeaux == ["ORDINAIRE"]


def test_un_drapeau_vaut_pour_tous_les_millesimes_charges(charge, tmp_path):
    chemin = ecrire(tmp_path, loi(logements(3)), "2024.csv")
    parc.importer(SYSTEME, chemin, millesime=2024)
    poser(charge)
    assert set(Logement.objects.filter(cle="0600000001").values_list("statut", flat=True)) == {
        "DEFENSE_SECURITE_SANTE"
    }


def test_ce_que_le_recalcul_annonce(charge):
    recus = []

    def recevoir(sender, paires, annee, raison, **_signal):
        recus.append((set(paires), annee, raison))

    entrees_modifiees.connect(recevoir)
    try:
        poser(charge)
    finally:
        entrees_modifiees.disconnect(recevoir)
    paire = {(charge.bailleur_a.pk, "06")}
    assert (
        recus == [(paire, 2025, "Drapeau posé : Réservé à la défense nationale")]
        or "Drapeau posé" in recus[0][2]
    )
    assert recus[0][:2] == (paire, 2025)


def test_recalculer_rend_le_nombre_de_statuts_changes(charge):
    paires = {(charge.bailleur_a.pk, "06")}
    assert parc.recalculer_parc(paires, raison="rien") == 0
    Logement.objects.filter(cle="0600000001").update(statut="HORS_CHAMP")
    assert parc.recalculer_parc({(charge.bailleur_b.pk, "06")}, raison="un autre") == 0
    assert parc.recalculer_parc(paires, 2024, raison="un autre millésime") == 0
    assert parc.recalculer_parc(paires, raison="celui-ci") == 1
    assert parc.recalculer_parc(set(), raison="personne") == 0


def test_une_classe_modifiee_se_recalcule(charge):
    ClasseTypologie.objects.filter(code="T3").update(pieces_min=30, pieces_max=30)
    ClasseTypologie.objects.filter(code="T4").update(pieces_min=3, pieces_max=4)
    parc.recalculer_parc({(charge.bailleur_a.pk, "06")}, raison="Classes modifiées")
    a_06 = AgregatParc.objects.filter(bailleur=charge.bailleur_a, departement="06")
    assert set(a_06.values_list("typologie", flat=True)) == {"T4"}
    assert set(AgregatParc.objects.filter(departement="22").values_list("typologie", flat=True)) == {"T3"}


def acte_de_l_etat(cast, debut: date, **version) -> Convention:
    communs = {
        "bailleur": cast.bailleur_a,
        "reservataire": cast.ddets_06,
        "departement": Departement.objects.get(pk="06"),
    }
    convention = Convention.objects.create(
        **communs, numero="E-1", debut=debut, fin=date(debut.year + 2, 12, 31), etat="SIGNEE", signee_le=debut
    )
    VersionConvention.objects.create(
        **communs, convention=convention, effet=debut, signee_le=debut, taux=Decimal(30), **version
    )
    return convention


def test_l_acte_de_l_annee_decide_des_exclusions(charge, tmp_path):
    """Without any act the PLI is out; an act that keeps it brings it in, for the millésimes of its years only."""
    for millesime in (2024, 2025):
        chemin = ecrire(tmp_path, loi([*logements(2), logement(3, FINAN="16")]), f"{millesime}.csv")
        parc.importer(SYSTEME, chemin, millesime=millesime)
    pli = Logement.objects.filter(cle="0600000003").order_by("millesime")
    assert list(pli.values_list("statut", flat=True)) == ["PLI", "PLI"]
    acte_de_l_etat(charge, date(2025, 1, 1), exclut_pli=False)
    entrees_modifiees.send(
        sender=Convention, paires={(charge.bailleur_a.pk, "06")}, annee=2025, raison="Convention signée"
    )
    assert list(pli.values_list("millesime", "statut")) == [(2024, "PLI"), (2025, "CONVENTIONNE")]
    chemin = ecrire(tmp_path, loi([*logements(2), logement(3, FINAN="16", NBPIECE="4")]), "corrige.csv")
    parc.importer(SYSTEME, chemin, millesime=2025)
    assert list(pli.values_list("millesime", "statut")) == [(2024, "PLI"), (2025, "CONVENTIONNE")]


def test_l_acte_applique_a_l_import(cast, tmp_path):
    acte_de_l_etat(cast, date(2025, 1, 1), exclut_pli=False, exclut_vente_demolition=True)
    essai = parc.essayer(ecrire(tmp_path, loi(logements(3, FINAN="16"))), millesime=2025)
    assert essai.rapport["statuts"] == {"CONVENTIONNE": 3}
