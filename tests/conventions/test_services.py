"""The verbs of a convention: each yes with its noes, each ceiling with both sides of its boundary."""

from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from reservation.models import Commune, Convention, Departement, Derogation, Presence, VersionConvention
from reservation.services import conventions as services
from reservation.services.conventions import (
    AvertissementsNonConfirmes,
    abandonner_avenant,
    ajouter_avenant,
    creer_convention,
    deroger,
    modifier_convention,
    modifier_version,
    reservataires_possibles,
    resilier_convention,
    retirer_derogation,
    signer_avenant,
    signer_convention,
    supprimer_brouillon,
    verifier,
)
from reservation.services.historique import historique, ouvrir_objet
from reservation.signaux import entrees_modifiees
from tests.conventions.fabrique import SYSTEME, brouillon, signee

pytestmark = pytest.mark.django_db
SIGNATURE = date(2025, 4, 11)


@contextmanager
def annonces():
    """What `entrees_modifiees` says inside the block."""
    recues = []

    def recevoir(sender, **argument):
        recues.append({cle: argument[cle] for cle in ("paires", "annee", "raison")})

    entrees_modifiees.connect(recevoir)
    try:
        yield recues
    finally:
        entrees_modifiees.disconnect(recevoir)


def messages(erreur: ValidationError) -> str:
    return " ".join(erreur.messages)


def signer(convention: Convention, confirmer: bool = False) -> Convention:
    return signer_convention(
        SYSTEME, convention, signee_le=SIGNATURE, signataires="Le préfet", confirmer=confirmer
    )


# --- Creation ------------------------------------------------------------------------------------------------------


def test_le_modele_paca_remplit_l_acte_de_l_etat(cast):
    version = brouillon(cast, cast.ddets_06).versions.get()
    assert (version.taux, version.taux_agents) == (30, 5)
    assert version.retrocession_taux == Decimal("1.37")
    assert (version.retrocession_debut, version.retrocession_fin) == (date(2025, 1, 1), date(2039, 12, 31))
    assert version.retrocession_prise_sur == "PRIORITAIRES"
    assert version.soustractions == ["MUTATION", "RU", "ORCOD", "INSALUBRITE", "VENTE"]
    assert version.exclut_pli and version.exclut_residences_services and version.exclut_vente_demolition
    assert version.exclusions_locales == []
    assert version.plancher_hors_qpv == 30
    assert version.effet == date(2025, 1, 1)


def test_le_modele_cotes_d_armor_remplit_l_acte_de_l_etat(cast):
    convention = brouillon(cast, cast.ddets_22, departement="22", modele="COTES_D_ARMOR")
    version = convention.versions.get()
    assert (version.taux, version.taux_agents, version.retrocession_taux) == (30, 5, None)
    assert "URGENCE_PREFECTORALE" in version.soustractions
    assert set(version.exclusions_locales) == {"GENS_DU_VOYAGE", "HABITAT_INCLUSIF", "ELAN_109"}
    assert not version.exclut_vente_demolition
    assert version.clause_objectifs == "Convention, art. 8.2"


def test_une_collectivite_recoit_ses_communes_du_departement(cast):
    convention = brouillon(cast, cast.commune_cannes, "15")
    version = convention.versions.get()
    assert [c.pk for c in version.communes.all()] == ["06029"] and version.territoire == "Cannes"
    # The Historique reads it: the links to communes leave no trace of their own.
    entrees, _ = historique(SYSTEME, ouvrir_objet(SYSTEME, "convention", str(convention.pk)))
    assert any("Cannes" in str(entree) for entree in entrees)


def test_l_acte_d_une_collectivite_ne_fixe_rien_de_l_etat(cast):
    version = brouillon(cast, cast.commune_cannes, "15").versions.get()
    assert (version.taux_agents, version.retrocession_taux, version.soustractions) == (0, None, [])
    with pytest.raises(ValidationError, match="ne fixe pas"):
        modifier_version(SYSTEME, version, taux_agents=Decimal(1))


@pytest.mark.parametrize(
    ("qui", "reservataire", "permis"),
    [
        ("agent_ddets_06", "ddets_06", True),
        ("agent_ddets_06", "als", True),
        ("gestionnaire_a", "als", True),
        ("gestionnaire_a", "commune_cannes", True),
        ("signataire_a", "als", True),
        ("gestionnaire_a", "ddets_06", False),
        ("lecteur_a", "als", False),
        ("administrateur_a", "als", False),
        ("gestionnaire_b", "als", False),
        ("lecteur_ddets_06", "als", False),
        ("agent_ddets_22", "als", False),
        ("agent_sgc_06", "ddets_06", False),
        ("charge_als", "als", False),
        ("agent_cannes", "commune_cannes", False),
        ("charge_dreal", "als", False),
        ("operateur", "als", False),
        ("sans_organisation", "als", False),
    ],
)
def test_qui_peut_creer(cast, qui, reservataire, permis):
    def creer():
        return creer_convention(
            cast.acteur(qui),
            bailleur=cast.bailleur_a,
            reservataire=getattr(cast, reservataire),
            departement=Departement.objects.get(pk="06"),
            numero="X",
            debut=date(2025, 1, 1),
            fin=date(2027, 12, 31),
        )

    if not permis:
        with pytest.raises(PermissionDenied):
            creer()
        assert not Convention.objects.exists()
        return
    convention = creer()
    # The right to create and the right to change a row are one and the same.
    assert Convention.objects.modifiables_par(cast.acteur(qui)).get() == convention


@pytest.mark.parametrize(
    ("reservataire", "champ"),
    [("ddets_22", "reservataire"), ("dreal_paca", "reservataire"), ("bailleur_b", "reservataire")],
)
def test_qui_ne_peut_pas_reserver(cast, reservataire, champ):
    with pytest.raises(ValidationError) as erreur:
        brouillon(cast, getattr(cast, reservataire))
    assert champ in erreur.value.message_dict


def test_une_collectivite_sans_commune_dans_le_departement_est_refusee(cast):
    with pytest.raises(ValidationError, match="aucune commune"):
        brouillon(cast, cast.commune_cannes, "10", departement="22")


def test_un_arrete_ne_concerne_que_l_etat(cast):
    with pytest.raises(ValidationError, match="arrêté"):
        creer_convention(
            SYSTEME,
            bailleur=cast.bailleur_a,
            reservataire=cast.als,
            departement=Departement.objects.get(pk="06"),
            numero="X",
            debut=date(2025, 1, 1),
            fin=date(2027, 12, 31),
            nature=Convention.Nature.ARRETE,
        )


def test_la_fin_ne_precede_pas_le_debut(cast):
    with pytest.raises(ValidationError, match="précéder"):
        brouillon(cast, cast.als, "10", debut=date(2025, 1, 2), fin=date(2025, 1, 1))
    assert brouillon(cast, cast.als, "10", debut=date(2025, 1, 2), fin=date(2025, 1, 2)).pk


def test_les_reservataires_proposes(cast):
    departement = Departement.objects.get(pk="06")
    pour_ddets = set(reservataires_possibles(cast.acteur("agent_ddets_06"), departement))
    assert pour_ddets == {cast.ddets_06, cast.als, cast.commune_cannes, cast.autre_caf}
    pour_bailleur = set(reservataires_possibles(cast.acteur("gestionnaire_a"), departement))
    assert pour_bailleur == pour_ddets - {cast.ddets_06}


# --- Draft ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("champs", "champ_fautif"),
    [
        ({"taux": Decimal("30.0001")}, "taux"),
        ({"taux_agents": Decimal("5.0001")}, "taux_agents"),
        ({"taux": Decimal(4), "taux_agents": Decimal(5)}, "taux_agents"),
        ({"taux": Decimal(-1), "taux_agents": Decimal(0), "retrocession_taux": None}, None),
        ({"taux": Decimal("1.36"), "taux_agents": Decimal(0)}, "taux"),
        ({"retrocession_fin": None}, "retrocession_fin"),
        ({"retrocession_taux": None}, "retrocession_taux"),
        ({"retrocession_fin": date(2024, 12, 31)}, "retrocession_fin"),
        ({"exclusions_locales": ["INCONNUE"]}, "exclusions_locales"),
        ({"soustractions": ["INCONNUE"]}, "soustractions"),
        ({"delai_proposition": -1}, "delai_proposition"),
    ],
)
def test_ce_qu_un_brouillon_de_l_etat_refuse(cast, champs, champ_fautif):
    version = brouillon(cast, cast.ddets_06).versions.get()
    with pytest.raises(ValidationError) as erreur:
        modifier_version(SYSTEME, version, **champs)
    if champ_fautif:
        assert champ_fautif in erreur.value.message_dict


@pytest.mark.parametrize(
    "champs",
    [
        {"taux": Decimal(30), "taux_agents": Decimal(5)},
        {"taux": Decimal("1.37"), "taux_agents": Decimal(0)},
        {"taux": Decimal(5), "taux_agents": Decimal(5)},
        {"retrocession_taux": None, "retrocession_debut": None, "retrocession_fin": None},
        {"soustractions": []},
        {"plancher_hors_qpv": None},
    ],
)
def test_ce_qu_un_brouillon_de_l_etat_accepte(cast, champs):
    version = brouillon(cast, cast.ddets_06).versions.get()
    modifier_version(SYSTEME, version, **champs)
    version.refresh_from_db()
    assert {champ: getattr(version, champ) for champ in champs} == champs


def test_le_debut_du_brouillon_entraine_sa_version(cast):
    convention = brouillon(cast, cast.als, "10")
    modifier_convention(SYSTEME, convention, debut=date(2025, 7, 1))
    assert convention.versions.get().effet == date(2025, 7, 1)


def test_les_communes_restent_dans_le_territoire(cast):
    version = brouillon(cast, cast.commune_cannes, "15").versions.get()
    with pytest.raises(ValidationError, match="Nice"):
        modifier_version(SYSTEME, version, communes=Commune.objects.filter(pk__in=["06029", "06088"]))
    with pytest.raises(ValidationError, match="au moins une commune"):
        modifier_version(SYSTEME, version, communes=[])
    assert version.communes.count() == 1


def test_un_acte_signe_ne_se_modifie_plus(cast):
    convention = signee(cast, cast.als, "10")
    with pytest.raises(ValidationError, match="avenant"):
        modifier_version(SYSTEME, convention.versions.get(), taux=Decimal(12))
    with pytest.raises(ValidationError, match="avenant"):
        modifier_convention(SYSTEME, convention, numero="Y")
    with pytest.raises(ValidationError, match="avenant"):
        supprimer_brouillon(SYSTEME, convention)
    assert Convention.objects.get().numero == convention.numero


def test_un_brouillon_se_supprime(cast):
    supprimer_brouillon(SYSTEME, brouillon(cast, cast.als, "10"))
    assert not Convention.objects.exists()
    assert not VersionConvention.objects.exists()


# --- Signature -------------------------------------------------------------------------------------------------------


def test_signer_donne_les_droits_et_le_dit(cast):
    convention = brouillon(cast, cast.ddets_06)
    Presence.objects.all().delete()
    with annonces() as recues:
        signer(convention)
    convention.refresh_from_db()
    assert (convention.etat, convention.signee_le) == ("SIGNEE", SIGNATURE)
    assert convention.versions.get().signee_le == SIGNATURE
    assert Presence.objects.filter(bailleur=cast.bailleur_a, departement="06").exists()
    assert recues == [
        {
            "paires": {(cast.bailleur_a.pk, "06")},
            "annee": 2025,
            "raison": "signature de l’acte 06-ETAT-2025",
        }
    ]
    assert [e.nature for e in convention.evenements.all()] == ["CREATION", "SIGNATURE"]


def test_un_brouillon_n_annonce_rien(cast):
    with annonces() as recues:
        convention = brouillon(cast, cast.als, "10")
        supprimer_brouillon(SYSTEME, convention)
    assert recues == []


def test_une_signature_n_est_pas_dans_l_avenir(cast):
    convention = brouillon(cast, cast.ddets_06)
    demain = timezone.localdate() + timedelta(days=1)
    with pytest.raises(ValidationError) as erreur:
        signer_convention(SYSTEME, convention, signee_le=demain, signataires="Le préfet")
    assert "signee_le" in erreur.value.message_dict
    signer_convention(SYSTEME, convention, signee_le=timezone.localdate(), signataires="Le préfet")


def test_une_convention_a_des_signataires_un_arrete_non(cast):
    convention = brouillon(cast, cast.ddets_06)
    with pytest.raises(ValidationError) as erreur:
        signer_convention(SYSTEME, convention, signee_le=SIGNATURE)
    assert "signataires" in erreur.value.message_dict
    Convention.objects.filter(pk=convention.pk).update(nature=Convention.Nature.ARRETE)
    assert signer_convention(SYSTEME, convention, signee_le=SIGNATURE).signataires == ""


def test_un_taux_a_fixer_empeche_la_signature(cast):
    convention = brouillon(cast, cast.als)
    with pytest.raises(ValidationError, match="taux"):
        signer(convention, confirmer=True)


@pytest.mark.parametrize(("taux_als", "acceptee"), [("55", True), ("55.0001", False)])
def test_cent_points_au_plus_sur_une_commune(cast, taux_als, acceptee):
    signee(cast, cast.ddets_06)
    signee(cast, cast.commune_cannes, "15")
    als = brouillon(cast, cast.als, taux_als)
    if acceptee:
        assert signer(als).etat == "SIGNEE"
        return
    with pytest.raises(ValidationError) as erreur:
        signer(als)
    for nom in ("06-ETAT-2025", "06-06029-2025", "06-ALS-2025"):
        assert nom in messages(erreur.value)
    als.refresh_from_db()
    assert als.etat == "BROUILLON"


def test_deux_communes_ne_s_additionnent_pas(cast):
    signee(cast, cast.ddets_06)
    signee(cast, cast.als, "50")
    cast.autre_caf.type, cast.autre_caf.code = "COLLECTIVITE", "06088"
    cast.autre_caf.save()
    cast.autre_caf.communes.set(["06088"])
    signee(cast, cast.commune_cannes, "20")
    signee(cast, cast.autre_caf, "20")
    assert Convention.objects.filter(etat="SIGNEE").count() == 4


def test_la_somme_est_celle_de_chaque_jour(cast):
    """Over 100 points on one day only is over; acts that follow each other are not."""
    signee(cast, cast.ddets_06)
    signee(cast, cast.als, "70", fin=date(2025, 12, 31))
    suivante = brouillon(cast, cast.autre_caf, "1", debut=date(2026, 1, 1))
    assert not verifier(suivante.versions.get()).erreurs
    la_veille = brouillon(cast, cast.autre_caf, "1", debut=date(2025, 12, 31))
    erreurs = verifier(la_veille.versions.get()).erreurs
    assert [e.code for e in erreurs] == ["SOMME_AU_DESSUS_DE_100"]
    assert erreurs[0].donnees["jour"] == date(2025, 12, 31)


def test_deux_bailleurs_deux_departements_ne_s_additionnent_pas(cast):
    signee(cast, cast.als, "60")
    signee(cast, cast.als, "60", bailleur=cast.bailleur_b)
    signee(cast, cast.als, "60", departement="22")
    assert Convention.objects.filter(etat="SIGNEE").count() == 3


@pytest.mark.parametrize(("debut", "acceptee"), [(date(2028, 1, 1), True), (date(2027, 12, 31), False)])
def test_deux_actes_du_meme_reservataire_ne_se_chevauchent_pas(cast, debut, acceptee):
    signee(cast, cast.als, "10", numero="ALS-PREMIERE")
    seconde = brouillon(cast, cast.als, "10", debut=debut, fin=date(2030, 12, 31), numero="ALS-SECONDE")
    if acceptee:
        assert signer(seconde).etat == "SIGNEE"
        return
    with pytest.raises(ValidationError, match="ALS-PREMIERE"):
        signer(seconde, confirmer=True)


def test_la_base_refuse_le_chevauchement_en_dernier_recours(cast):
    signee(cast, cast.als, "10")
    seconde = brouillon(cast, cast.als, "10", numero="AUTRE")
    with pytest.raises(IntegrityError, match="convention_sans_chevauchement"), transaction.atomic():
        Convention.objects.filter(pk=seconde.pk).update(etat="SIGNEE", signee_le=SIGNATURE)


@pytest.mark.parametrize(("taux", "avertie"), [("20", False), ("20.01", True)])
def test_au_dela_de_20_points_les_collectivites_demandent_une_confirmation(cast, taux, avertie):
    convention = brouillon(cast, cast.commune_cannes, taux, clause_quart="Article 6")
    if not avertie:
        assert signer(convention).etat == "SIGNEE"
        return
    with pytest.raises(AvertissementsNonConfirmes) as refus:
        signer(convention)
    assert [a.code for a in refus.value.avertissements] == ["COLLECTIVITES_AU_DELA_DES_GARANTIES"]
    signer(convention, confirmer=True)
    (signature,) = convention.evenements.filter(nature="SIGNATURE")
    assert "20,01" in signature.avertissements[0]


@pytest.mark.parametrize(("fin", "avertie"), [(date(2027, 12, 31), False), (date(2028, 1, 1), True)])
def test_plus_de_trois_ans_demande_une_confirmation(cast, fin, avertie):
    version = brouillon(cast, cast.ddets_06, fin=fin).versions.get()
    assert [a.code for a in verifier(version).avertissements] == (["DUREE_INHABITUELLE"] if avertie else [])


def test_trois_ans_depuis_un_29_fevrier(cast):
    version = brouillon(cast, cast.ddets_06, debut=date(2024, 2, 29), fin=date(2027, 2, 28)).versions.get()
    assert not verifier(version).avertissements


def test_sans_clause_des_25_la_signature_demande_une_confirmation(cast):
    version = brouillon(cast, cast.commune_cannes, "10").versions.get()
    assert [a.code for a in verifier(version).avertissements] == ["CLAUSE_DES_25_ABSENTE"]


# --- Avenant -----------------------------------------------------------------------------------------------------------


def test_un_avenant_ne_change_rien_avant_sa_signature(cast):
    convention = signee(cast, cast.ddets_06)
    with annonces() as recues:
        avenant = ajouter_avenant(
            SYSTEME, convention, effet=date(2026, 1, 1), objet="Baisse du taux", taux=Decimal(28)
        )
    assert recues == []
    assert avenant.rang == 1
    assert services.actes_par_paire(2026)[cast.bailleur_a.pk, "06"][0].taux == 30
    with annonces() as recues:
        signer_avenant(SYSTEME, avenant, signee_le=date(2025, 12, 1))
    assert [r["annee"] for r in recues] == [2026]
    assert services.actes_par_paire(2026)[cast.bailleur_a.pk, "06"][0].taux == 28
    assert services.actes_par_paire(2025)[cast.bailleur_a.pk, "06"][0].taux == 30


def test_un_avenant_garde_ce_qu_il_ne_change_pas(cast):
    convention = signee(cast, cast.commune_cannes, "15")
    avenant = ajouter_avenant(
        SYSTEME, convention, effet=date(2026, 1, 1), objet="Gestion déléguée", gestion="DELEGUEE"
    )
    assert avenant.taux == 15
    assert [c.pk for c in avenant.communes.all()] == ["06029"]


@pytest.mark.parametrize(
    ("effet", "acceptee"),
    [
        (date(2025, 1, 1), False),
        (date(2025, 1, 2), True),
        (date(2027, 12, 31), True),
        (date(2028, 1, 1), False),
    ],
)
def test_un_avenant_prend_effet_pendant_l_acte(cast, effet, acceptee):
    convention = signee(cast, cast.ddets_06)
    if acceptee:
        assert ajouter_avenant(SYSTEME, convention, effet=effet, objet="Objet").effet == effet
        return
    with pytest.raises(ValidationError) as erreur:
        ajouter_avenant(SYSTEME, convention, effet=effet, objet="Objet")
    assert "effet" in erreur.value.message_dict


def test_un_seul_avenant_en_preparation(cast):
    convention = signee(cast, cast.ddets_06)
    premier = ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="Objet")
    with pytest.raises(ValidationError, match="déjà en préparation"):
        ajouter_avenant(SYSTEME, convention, effet=date(2026, 2, 1), objet="Autre")
    abandonner_avenant(SYSTEME, premier)
    second = ajouter_avenant(SYSTEME, convention, effet=date(2026, 2, 1), objet="Autre")
    assert second.rang == 1
    with pytest.raises(ValidationError, match="signée"):
        modifier_version(SYSTEME, convention.versions.get(rang=0), taux=Decimal(29))


def test_un_avenant_signe_ne_s_abandonne_pas(cast):
    convention = signee(cast, cast.ddets_06)
    avenant = ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="Objet")
    signer_avenant(SYSTEME, avenant, signee_le=date(2025, 12, 1))
    with pytest.raises(ValidationError, match="Aucun avenant"):
        abandonner_avenant(SYSTEME, avenant)
    with pytest.raises(ValidationError, match="Aucun avenant"):
        signer_avenant(SYSTEME, avenant, signee_le=date(2025, 12, 1))
    with pytest.raises(ValidationError, match="Aucun avenant"):
        signer_avenant(SYSTEME, convention.versions.get(rang=0), signee_le=date(2025, 12, 1))


def test_un_avenant_sans_objet_est_refuse(cast):
    with pytest.raises(ValidationError) as erreur:
        ajouter_avenant(SYSTEME, signee(cast, cast.ddets_06), effet=date(2026, 1, 1), objet="  ")
    assert "objet" in erreur.value.message_dict


def test_l_avenant_qui_depasse_100_points_est_refuse_a_la_signature(cast):
    signee(cast, cast.ddets_06)
    als = signee(cast, cast.als, "60")
    avenant = ajouter_avenant(SYSTEME, als, effet=date(2026, 1, 1), objet="Hausse", taux=Decimal("70.01"))
    with pytest.raises(ValidationError, match="100,01"):
        signer_avenant(SYSTEME, avenant, signee_le=date(2025, 12, 1), confirmer=True)
    modifier_version(SYSTEME, avenant, taux=Decimal(70))
    signer_avenant(SYSTEME, avenant, signee_le=date(2025, 12, 1), confirmer=True)


def test_un_brouillon_et_un_arrete_n_ont_pas_d_avenant(cast):
    convention = brouillon(cast, cast.ddets_06)
    with pytest.raises(ValidationError, match="acte signé"):
        ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="Objet")
    Convention.objects.filter(pk=convention.pk).update(nature=Convention.Nature.ARRETE)
    signer_convention(SYSTEME, convention, signee_le=SIGNATURE)
    with pytest.raises(ValidationError, match="arrêté"):
        ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="Objet")


# --- Dérogation ----------------------------------------------------------------------------------------------------------


def derogation(convention: Convention, **champs) -> Derogation:
    valeurs = {
        "numero": "2026-12",
        "taux": Decimal(33),
        "debut": date(2026, 1, 1),
        "fin": date(2026, 12, 31),
        "motif": "Personnels de sécurité publique",
    }
    return deroger(SYSTEME, convention, **valeurs | champs)


@pytest.mark.parametrize(("fin", "acceptee"), [(date(2027, 1, 1), True), (date(2027, 1, 2), False)])
def test_une_derogation_dure_un_an_au_plus(cast, fin, acceptee):
    """366 days, both ends counted: a year is a year even when it is leap."""
    convention = signee(cast, cast.ddets_06)
    if acceptee:
        with annonces() as recues:
            assert derogation(convention, fin=fin).pk
        assert [r["annee"] for r in recues] == [2026]
        return
    with pytest.raises(ValidationError) as erreur:
        derogation(convention, fin=fin)
    assert "fin" in erreur.value.message_dict
    assert not Derogation.objects.exists()


def test_la_base_refuse_une_derogation_de_plus_d_un_an(cast):
    ligne = derogation(signee(cast, cast.ddets_06))
    with pytest.raises(IntegrityError, match="derogation_un_an"), transaction.atomic():
        Derogation.objects.filter(pk=ligne.pk).update(fin=date(2027, 1, 2))


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"debut": date(2024, 12, 31), "fin": date(2025, 6, 30)}, "debut"),
        ({"debut": date(2027, 6, 1), "fin": date(2028, 1, 1)}, "fin"),
        ({"fin": date(2025, 12, 31)}, "fin"),
        ({"taux": Decimal("100.01")}, None),
        ({"motif": ""}, "motif"),
    ],
)
def test_une_derogation_refusee(cast, champs, champ):
    with pytest.raises(ValidationError) as erreur:
        derogation(signee(cast, cast.ddets_06), **champs)
    if champ:
        assert champ in erreur.value.message_dict


def test_deux_derogations_ne_se_chevauchent_pas(cast):
    convention = signee(cast, cast.ddets_06)
    derogation(convention)
    with pytest.raises(ValidationError, match="Une autre dérogation"):
        derogation(convention, numero="2", debut=date(2026, 12, 31), fin=date(2027, 1, 31))
    derogation(convention, numero="2", debut=date(2027, 1, 1), fin=date(2027, 1, 31))


def test_la_derogation_compte_dans_les_100_points(cast):
    convention = signee(cast, cast.ddets_06)
    signee(cast, cast.als, "68")
    with pytest.raises(ValidationError, match="101,00"):
        derogation(convention)
    derogation(convention, taux=Decimal(32))


def test_une_derogation_est_un_acte_de_l_etat_sur_l_acte_de_l_etat(cast):
    etat, als = signee(cast, cast.ddets_06), signee(cast, cast.als, "10")
    with pytest.raises(ValidationError, match="l’acte de l’État"):
        derogation(als)
    valeurs = {
        "numero": "1",
        "taux": Decimal(33),
        "debut": date(2026, 1, 1),
        "fin": date(2026, 2, 1),
        "motif": "M",
    }
    for qui in ("gestionnaire_a", "lecteur_ddets_06", "agent_ddets_22", "agent_sgc_06"):
        with pytest.raises(PermissionDenied):
            deroger(cast.acteur(qui), etat, **valeurs)
    deroger(cast.acteur("agent_ddets_06"), etat, **valeurs)
    with pytest.raises(ValidationError, match="Signez"):
        derogation(brouillon(cast, cast.ddets_22, departement="22"))


def test_retirer_une_derogation_demande_un_motif_et_laisse_une_trace(cast):
    convention = signee(cast, cast.ddets_06)
    ligne = derogation(convention)
    with pytest.raises(ValidationError):
        retirer_derogation(SYSTEME, ligne, motif=" ")
    with pytest.raises(PermissionDenied):
        retirer_derogation(cast.acteur("gestionnaire_a"), ligne, motif="Erreur")
    with annonces() as recues:
        retirer_derogation(cast.acteur("agent_ddets_06"), ligne, motif="Erreur de saisie")
    assert not convention.derogations.exists()
    assert [r["annee"] for r in recues] == [2026]
    assert "Erreur de saisie" in convention.evenements.get(nature="RETRAIT_DEROGATION").detail


# --- Résiliation -----------------------------------------------------------------------------------------------------------


def test_resilier_avance_la_fin_et_garde_celle_qui_etait_convenue(cast):
    convention = signee(cast, cast.ddets_06)
    with annonces() as recues:
        resilier_convention(
            SYSTEME, convention, resiliee_le=date(2026, 3, 1), effet=date(2026, 5, 1), motif="Mise en demeure"
        )
    convention.refresh_from_db()
    assert (convention.etat, convention.fin) == ("RESILIEE", date(2026, 4, 30))
    assert convention.fin_convenue == date(2027, 12, 31)
    assert [r["annee"] for r in recues] == [2026]
    assert services.actes_par_paire(2026)[cast.bailleur_a.pk, "06"][0].fin == date(2026, 4, 30)
    assert services.actes_par_paire(2027) == {}
    # The place is free: an arrêté may follow from the first day without act.
    suite = brouillon(cast, cast.ddets_06, debut=date(2026, 5, 1), fin=date(2027, 12, 31), numero="SUITE")
    assert signer(suite).etat == "SIGNEE"


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"effet": date(2025, 1, 1), "resiliee_le": date(2025, 1, 1)}, "effet"),
        ({"effet": date(2028, 1, 1)}, "effet"),
        ({"effet": date(2026, 2, 28)}, "effet"),
        ({"resiliee_le": date(2999, 1, 1), "effet": date(2999, 1, 1)}, "resiliee_le"),
        ({"motif": " "}, "motif"),
    ],
)
def test_une_resiliation_refusee(cast, champs, champ):
    convention = signee(cast, cast.ddets_06)
    valeurs = {"resiliee_le": date(2026, 3, 1), "effet": date(2026, 5, 1), "motif": "Motif"}
    with pytest.raises(ValidationError) as erreur:
        resilier_convention(SYSTEME, convention, **valeurs | champs)
    assert champ in erreur.value.message_dict
    assert Convention.objects.get().etat == "SIGNEE"


def test_resilier_abandonne_l_avenant_en_preparation(cast):
    convention = signee(cast, cast.ddets_06)
    ajouter_avenant(SYSTEME, convention, effet=date(2027, 1, 1), objet="Objet")
    resilier_convention(
        SYSTEME, convention, resiliee_le=date(2026, 3, 1), effet=date(2026, 5, 1), motif="Motif"
    )
    assert convention.versions.count() == 1
    with pytest.raises(ValidationError, match="acte signé"):
        resilier_convention(
            SYSTEME, convention, resiliee_le=date(2026, 3, 1), effet=date(2026, 4, 1), motif="Motif"
        )


def test_un_brouillon_ne_se_resilie_pas(cast):
    with pytest.raises(ValidationError, match="acte signé"):
        resilier_convention(
            SYSTEME,
            brouillon(cast, cast.ddets_06),
            resiliee_le=date(2026, 3, 1),
            effet=date(2026, 5, 1),
            motif="Motif",
        )
