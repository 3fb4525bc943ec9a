"""The pages of the conventions: what they show to whom, the steps of a draft, the acts read twice."""

import html
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from reservation.models import Convention, Derogation, VersionConvention
from reservation.services.conventions import ajouter_avenant, deroger, resilier_convention, signer_avenant
from tests.conventions.fabrique import SYSTEME, brouillon, signee

pytestmark = pytest.mark.django_db


@pytest.fixture
def entrer(client, cast):
    def entrer(qui: str):
        client.force_login(getattr(cast, qui))
        return client

    return entrer


def texte(reponse) -> str:
    """The page as people read it: one space is a space."""
    page = html.unescape(reponse.content.decode())
    return " ".join(page.replace("\u00a0", " ").replace("\u202f", " ").split())


def url(nom: str, *args) -> str:
    return reverse(f"reservation:{nom}", args=args)


# --- Who sees what -----------------------------------------------------------------------------------------------------

LECTEURS_ETAT = {
    "gestionnaire_a",
    "signataire_a",
    "lecteur_a",
    "administrateur_a",
    "agent_ddets_06",
    "lecteur_ddets_06",
    "agent_sgc_06",
    "charge_dreal",
    "charge_union",
}
TOUS = (
    *sorted(LECTEURS_ETAT),
    "gestionnaire_b",
    "agent_ddets_22",
    "charge_als",
    "agent_cannes",
    "agent_caf",
    "operateur",
    "sans_organisation",
)
ECRIVAINS_ETAT = {"agent_ddets_06"}
ECRIVAINS_ALS = {"agent_ddets_06", "gestionnaire_a", "signataire_a"}


def attendus(lecteurs: set[str], ecrivains: set[str]) -> dict[str, int]:
    return {qui: 200 if qui in ecrivains else 403 if qui in lecteurs else 404 for qui in TOUS}


def codes(client, cast, adresse: str, methode: str = "get") -> dict[str, int]:
    recus = {}
    for qui in TOUS:
        client.force_login(getattr(cast, qui))
        recus[qui] = getattr(client, methode)(adresse).status_code
    return recus


def test_qui_lit_l_acte_de_l_etat(client, cast):
    convention = signee(cast, cast.ddets_06)
    attendu = {qui: 200 if qui in LECTEURS_ETAT else 404 for qui in TOUS}
    assert codes(client, cast, url("convention", convention.pk)) == attendu


def test_qui_lit_l_acte_d_action_logement(client, cast):
    convention = signee(cast, cast.als, "20")
    lecteurs = LECTEURS_ETAT | {"charge_als"}
    attendu = {qui: 200 if qui in lecteurs else 404 for qui in TOUS}
    assert codes(client, cast, url("convention", convention.pk)) == attendu


def test_qui_lit_un_brouillon(client, cast):
    """Neither its réservataire nor the COPIL: a draft is between the bailleur and the State."""
    convention = brouillon(cast, cast.als, "20")
    lecteurs = LECTEURS_ETAT - {"charge_dreal", "charge_union"}
    attendu = {qui: 200 if qui in lecteurs else 404 for qui in TOUS}
    assert codes(client, cast, url("convention", convention.pk)) == attendu


@pytest.mark.parametrize("nom", ["avenant", "derogation", "convention_resilier"])
def test_qui_ecrit_l_acte_de_l_etat(client, cast, nom):
    convention = signee(cast, cast.ddets_06)
    assert codes(client, cast, url(nom, convention.pk)) == attendus(LECTEURS_ETAT, ECRIVAINS_ETAT)


@pytest.mark.parametrize("nom", ["avenant", "convention_resilier"])
def test_qui_ecrit_l_acte_d_action_logement(client, cast, nom):
    convention = signee(cast, cast.als, "20")
    attendu = attendus(LECTEURS_ETAT | {"charge_als"}, ECRIVAINS_ALS)
    assert codes(client, cast, url(nom, convention.pk)) == attendu


@pytest.mark.parametrize("nom", ["convention_verification", "convention_supprimer", "convention_etape"])
def test_qui_ecrit_un_brouillon(client, cast, nom):
    convention = brouillon(cast, cast.als, "20")
    args = [convention.pk, "taux"] if nom == "convention_etape" else [convention.pk]
    attendu = attendus(LECTEURS_ETAT - {"charge_dreal", "charge_union"}, ECRIVAINS_ALS)
    assert codes(client, cast, url(nom, *args)) == attendu


def test_qui_verifie_et_abandonne_un_avenant(client, cast):
    convention = signee(cast, cast.als, "20")
    lecteurs = LECTEURS_ETAT | {"charge_als"}
    ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="Objet", taux=Decimal(22))
    verification = url("avenant_verification", convention.pk)
    assert codes(client, cast, verification) == attendus(lecteurs, ECRIVAINS_ALS)
    refus = {qui: code for qui, code in attendus(lecteurs, ECRIVAINS_ALS).items() if code != 200}
    for qui, code in refus.items():
        client.force_login(getattr(cast, qui))
        assert client.post(url("avenant_abandonner", convention.pk)).status_code == code
    assert convention.versions.count() == 2


def test_qui_retire_une_derogation(client, cast):
    convention = signee(cast, cast.ddets_06)
    ligne = deroger_un_an(convention)
    adresse = url("derogation_retirer", convention.pk, ligne.pk)
    assert codes(client, cast, adresse) == attendus(LECTEURS_ETAT, ECRIVAINS_ETAT)


def test_qui_prepare_une_convention(client, cast):
    peuvent = {"agent_ddets_06", "agent_ddets_22", "gestionnaire_a", "gestionnaire_b", "signataire_a"}
    attendu = {qui: 200 if qui in peuvent else 403 for qui in TOUS}
    assert codes(client, cast, url("convention_creer")) == attendu


def test_la_liste_ne_montre_que_les_siens(client, cast):
    signee(cast, cast.ddets_06, numero="ETAT-A")
    signee(cast, cast.als, "20", numero="ALS-A")
    signee(cast, cast.als, "20", bailleur=cast.bailleur_b, numero="ALS-B")
    signee(cast, cast.ddets_22, departement="22", numero="ETAT-22")
    brouillon(cast, cast.commune_cannes, "5", numero="BROUILLON-A")
    attendu = {
        "lecteur_a": {"ETAT-A", "ALS-A", "ETAT-22", "BROUILLON-A"},
        "gestionnaire_b": {"ALS-B"},
        "agent_ddets_06": {"ETAT-A", "ALS-A", "ALS-B", "BROUILLON-A"},
        "agent_ddets_22": {"ETAT-22"},
        "charge_als": {"ALS-A", "ALS-B"},
        "agent_cannes": set(),
        "charge_dreal": {"ETAT-A", "ALS-A", "ALS-B"},
        "operateur": set(),
        "sans_organisation": set(),
    }
    tous = {"ETAT-A", "ALS-A", "ALS-B", "ETAT-22", "BROUILLON-A"}
    for qui, numeros in attendu.items():
        client.force_login(getattr(cast, qui))
        page = client.get(url("conventions")).content.decode()
        assert {n for n in tous if f">{n}<" in page} == numeros, qui


def test_un_projet_d_avenant_n_est_pas_lu_par_le_reservataire(entrer, cast):
    convention = signee(cast, cast.als, "20")
    ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="OBJET SECRET", taux=Decimal(22))
    for qui, lu in (
        ("lecteur_a", True),
        ("agent_ddets_06", True),
        ("charge_als", False),
        ("charge_dreal", False),
    ):
        assert ("OBJET SECRET" in texte(entrer(qui).get(url("convention", convention.pk)))) is lu, qui


def test_le_reservataire_ne_lit_pas_la_part_des_autres(entrer, cast):
    signee(cast, cast.ddets_06, numero="ETAT-A")
    convention = signee(cast, cast.als, "20", numero="ALS-A")
    adresse = url("convention", convention.pk)
    assert "Partage du flux" in texte(entrer("lecteur_a").get(adresse))
    page = texte(entrer("charge_als").get(adresse))
    assert "Partage du flux" not in page
    assert "ETAT-A" not in page
    assert "Histoire" not in page


# --- What the pages say --------------------------------------------------------------------------------------------------


def deroger_un_an(convention: Convention) -> Derogation:
    return deroger(
        SYSTEME,
        convention,
        numero="2026-12",
        taux=Decimal(33),
        debut=date(2026, 1, 1),
        fin=date(2026, 12, 31),
        motif="Sécurité publique",
    )


def test_la_page_se_lit_comme_la_convention(entrer, cast, time_machine):
    time_machine.move_to("2025-06-01 10:00")
    convention = signee(cast, cast.ddets_06)
    signee(cast, cast.commune_cannes, "15")
    page = texte(entrer("lecteur_a").get(url("convention", convention.pk)))
    for phrase in (
        "28,63",
        "Article 3.",
        "L’État dispose de 30 points du flux annuel, dont 5 points au plus",
        "PACA, art. 4 b",
        "il reste 14 ans et 6 mois",
        "Convention signée le <b>11 avril 2025</b>",
        "Le préfet",
        "55,00 là où les collectivités ont le plus (Cannes)",
        '<td class="num">70,00</td>',
        "en vigueur",
    ):
        assert phrase in page, phrase


def test_la_page_suit_les_versions(entrer, cast, time_machine):
    convention = signee(cast, cast.ddets_06)
    avenant = ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="Révision", taux=Decimal(28))
    signer_avenant(SYSTEME, avenant, signee_le=date(2025, 12, 1))
    client, adresse = entrer("lecteur_a"), url("convention", convention.pk)
    time_machine.move_to("2025-12-31 10:00")
    page = texte(client.get(adresse))
    assert "dispose de 30 points" in page
    assert "Taux : 30 → 28 points" in page
    time_machine.move_to("2026-01-01 10:00")
    assert "dispose de 28 points" in texte(client.get(adresse))
    assert "dispose de 30 points" in texte(client.get(f"{adresse}?version=0"))
    assert client.get(f"{adresse}?version=abc").status_code == 200


@pytest.mark.parametrize(
    ("jour", "etat"),
    [
        ("2024-12-31", "à venir"),
        ("2025-01-01", "en vigueur"),
        ("2026-04-30", "résiliée, effet au 1er mai 2026"),
        ("2026-05-01", "résiliée"),
    ],
)
def test_l_etat_suit_le_jour(entrer, cast, time_machine, jour, etat):
    convention = signee(cast, cast.ddets_06)
    if jour >= "2026":
        resilier_convention(
            SYSTEME, convention, resiliee_le=date(2026, 3, 1), effet=date(2026, 5, 1), motif="Mise en demeure"
        )
    time_machine.move_to(f"{jour} 10:00")
    assert f">{etat}</span>" in texte(entrer("lecteur_a").get(url("convention", convention.pk)))


@pytest.mark.parametrize(
    ("jour", "mois"),
    [("2027-06-30", None), ("2027-07-01", 6), ("2027-09-30", 6), ("2027-10-01", 3), ("2027-12-31", 3)],
)
def test_le_rappel_avant_la_fin(entrer, cast, time_machine, jour, mois):
    signee(cast, cast.ddets_06)
    time_machine.move_to(f"{jour} 10:00")
    page = texte(entrer("lecteur_a").get(url("conventions")))
    assert ("à renouveler" in page) is (mois is not None)
    if mois:
        assert f"moins de {mois} mois" in page


def test_la_liste_se_filtre(entrer, cast, time_machine):
    time_machine.move_to("2026-06-01 10:00")
    signee(cast, cast.ddets_06, numero="ETAT-A")
    signee(cast, cast.als, "20", fin=date(2025, 12, 31), numero="ALS-ECHUE")
    signee(cast, cast.als, "20", debut=date(2027, 1, 1), numero="ALS-AVENIR")
    brouillon(cast, cast.commune_cannes, "5", numero="CANNES")
    client = entrer("agent_ddets_06")
    tous = {"ETAT-A", "ALS-ECHUE", "ALS-AVENIR", "CANNES"}

    def vus(requete: str) -> set[str]:
        page = client.get(f"{url('conventions')}?{requete}").content.decode()
        return {n for n in tous if f">{n}<" in page}

    assert vus("") == tous
    assert vus("etat=vigueur") == {"ETAT-A"}
    assert vus("etat=avenir") == {"ALS-AVENIR"}
    assert vus("etat=finies") == {"ALS-ECHUE"}
    assert vus("etat=brouillon") == {"CANNES"}
    assert vus("famille=ACTION_LOGEMENT") == {"ALS-ECHUE", "ALS-AVENIR"}
    assert vus(f"bailleur={cast.bailleur_b.pk}") == tous  # no act of B: not a choice, the filter is ignored
    assert vus("q=COMMUNE DE CANNES") == {"CANNES"}
    assert vus("q=als-e") == {"ALS-ECHUE"}
    assert vus("q=rien") == set()


def test_une_liste_vide_dit_quoi_faire(entrer, cast):
    assert "Préparez l’acte depuis un modèle" in texte(entrer("agent_ddets_06").get(url("conventions")))
    assert "une fois signées" in texte(entrer("charge_als").get(url("conventions")))


def test_les_requetes_ne_croissent_pas_avec_les_actes(entrer, cast, django_assert_max_num_queries):
    client = entrer("agent_ddets_06")
    convention = signee(cast, cast.ddets_06)
    with django_assert_max_num_queries(14):
        client.get(url("conventions"))
    with django_assert_max_num_queries(20):
        client.get(url("convention", convention.pk))
    for reservataire, taux in ((cast.als, "20"), (cast.commune_cannes, "15"), (cast.autre_caf, "2")):
        signee(cast, reservataire, taux)
        signee(cast, reservataire, taux, bailleur=cast.bailleur_b)
    avenant = ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="Objet")
    signer_avenant(SYSTEME, avenant, signee_le=date(2025, 12, 1))
    deroger_un_an(convention)
    with django_assert_max_num_queries(14):
        client.get(url("conventions"))
    with django_assert_max_num_queries(20):
        client.get(url("convention", convention.pk))


# --- The steps -------------------------------------------------------------------------------------------------------------


def parties(cast, **champs) -> dict:
    return {
        "bailleur": cast.bailleur_a.pk,
        "reservataire": cast.ddets_06.pk,
        "nature": "CONVENTION",
        "modele": "PACA",
        "numero": "2025-06-A",
        "debut": "2025-01-01",
        "fin": "31/12/2027",
    } | champs


def valeurs(client, adresse: str) -> dict:
    """What the browser would send back without touching anything."""
    formulaire = client.get(adresse).context["form"]
    envoi = {}
    for champ in formulaire:
        valeur = champ.value()
        if valeur not in (None, "", []):
            envoi[champ.html_name] = valeur
    return envoi


def test_preparer_une_convention_de_bout_en_bout(entrer, cast):
    client = entrer("agent_ddets_06")
    reponse = client.post(url("convention_creer"), parties(cast))
    convention = Convention.objects.get()
    assert reponse.url == url("convention_etape", convention.pk, "taux")
    for code, suivante in (
        ("taux", url("convention_etape", convention.pk, "parc")),
        ("parc", url("convention_etape", convention.pk, "gestion")),
        ("gestion", url("convention_verification", convention.pk)),
    ):
        adresse = url("convention_etape", convention.pk, code)
        reponse = client.post(adresse, valeurs(client, adresse))
        assert (reponse.status_code, reponse["Location"]) == (302, suivante), code
    page = texte(client.get(suivante))
    assert "Rien ne s’oppose à la signature" in page
    assert "1,37 point, du 1er janvier 2025 au 31 décembre 2039" in page
    reponse = client.post(suivante, {"signee_le": "11/04/2025", "signataires": "Le préfet"})
    assert reponse.url == url("convention", convention.pk)
    convention.refresh_from_db()
    assert (convention.etat, convention.signee_le) == ("SIGNEE", date(2025, 4, 11))
    # What went through every form untouched is still the model.
    version = convention.versions.get()
    assert (version.taux, version.retrocession_taux, version.plancher_hors_qpv) == (30, Decimal("1.37"), 30)
    assert version.soustractions == ["MUTATION", "RU", "ORCOD", "INSALUBRITE", "VENTE"]
    assert version.exclut_vente_demolition is True


def test_les_etapes_montrent_l_article_du_modele(entrer, cast):
    convention = brouillon(cast, cast.ddets_06)
    page = texte(entrer("agent_ddets_06").get(url("convention_etape", convention.pk, "taux")))
    assert "PACA, art. 4 c" in page
    assert "Étape 2 sur 5" in page


def test_l_acte_d_une_commune_n_a_pas_l_etape_du_parc(entrer, cast):
    convention = brouillon(cast, cast.commune_cannes, "15")
    client = entrer("gestionnaire_a")
    assert client.get(url("convention_etape", convention.pk, "parc")).status_code == 404
    assert client.get(url("convention_etape", convention.pk, "inconnue")).status_code == 404
    page = texte(client.get(url("convention_etape", convention.pk, "taux")))
    assert "Étape 2 sur 4" in page
    assert "Communes du territoire" in page
    assert "agents civils" not in page


@pytest.mark.parametrize(
    ("champs", "champ", "message"),
    [
        ({"taux": "trente"}, "taux", "Ce n’est pas un nombre"),
        ({"taux": ""}, "taux", "Indiquez un nombre"),
        ({"taux": "30,01"}, "taux", "30,00 points au plus"),
        ({"taux_agents": "5,5"}, "taux_agents", "5,00 points au plus"),
        ({"taux": "101"}, "taux", "entre 0 et 100"),
        ({"retrocession_fin": "2039-02-30"}, "retrocession_fin", "n’existe pas"),
        ({"retrocession_fin": ""}, "retrocession_fin", "un taux, un début et une fin"),
    ],
)
def test_une_erreur_est_dite_en_haut_et_a_cote_du_champ(entrer, cast, champs, champ, message):
    convention = brouillon(cast, cast.ddets_06)
    client, adresse = entrer("agent_ddets_06"), url("convention_etape", convention.pk, "taux")
    reponse = client.post(adresse, valeurs(client, adresse) | champs)
    assert reponse.status_code == 200
    page = texte(reponse)
    assert f'<a href="#id_{champ}">' in page
    assert page.count(message) == 2
    assert convention.versions.get().taux == 30


def test_une_virgule_ou_un_point(entrer, cast):
    convention = brouillon(cast, cast.ddets_06)
    client, adresse = entrer("agent_ddets_06"), url("convention_etape", convention.pk, "taux")
    for saisie in ("28,63", "28.63", " 28,63 "):
        client.post(adresse, valeurs(client, adresse) | {"taux": saisie})
        assert convention.versions.get().taux == Decimal("28.63")


def test_finir_plus_tard_garde_le_brouillon(entrer, cast):
    convention = brouillon(cast, cast.als)
    client, adresse = entrer("gestionnaire_a"), url("convention_etape", convention.pk, "taux")
    reponse = client.post(adresse, valeurs(client, adresse) | {"taux": "12", "plus_tard": "1"})
    assert reponse.url == url("convention", convention.pk)
    assert convention.versions.get().taux == 12


def test_le_bailleur_choisit_son_departement_et_ne_fait_pas_l_acte_de_l_etat(entrer, cast):
    client = entrer("gestionnaire_a")
    assert "Dans quel département" in texte(client.get(url("convention_creer")))
    assert client.get(f"{url('convention_creer')}?departement=83").status_code == 404
    adresse = f"{url('convention_creer')}?departement=06"
    page = texte(client.get(adresse))
    assert "Action Logement Services" in page
    assert "DDETS des Alpes-Maritimes" not in page
    reponse = client.post(adresse, parties(cast))
    assert "reservataire" in reponse.context["form"].errors
    assert not Convention.objects.exists()
    client.post(adresse, parties(cast, reservataire=cast.als.pk, bailleur=cast.bailleur_b.pk))
    assert Convention.objects.get().bailleur == cast.bailleur_a


def test_le_modele_propose_est_celui_du_territoire(entrer, cast):
    assert entrer("agent_ddets_06").get(url("convention_creer")).context["form"]["modele"].value() == "PACA"
    page = entrer("agent_ddets_22").get(url("convention_creer"))
    assert page.context["form"]["modele"].value() == "COTES_D_ARMOR"


def test_la_verification_nomme_les_actes_qui_depassent(entrer, cast):
    signee(cast, cast.ddets_06, numero="ETAT-A")
    convention = brouillon(cast, cast.als, "70.01", numero="ALS-A")
    client, adresse = entrer("gestionnaire_a"), url("convention_verification", convention.pk)
    page = texte(client.get(adresse))
    assert "Cet acte ne peut pas être signé" in page
    assert "100,01 points" in page and "convention ETAT-A" in page and "convention ALS-A" in page
    assert "Enregistrer la signature" not in page
    client.post(adresse, {"signee_le": "2025-04-11", "signataires": "Le directeur"})
    convention.refresh_from_db()
    assert convention.etat == "BROUILLON"


def test_un_point_inhabituel_se_confirme(entrer, cast):
    convention = brouillon(cast, cast.commune_cannes, "21", clause_quart="Article 6")
    client, adresse = entrer("gestionnaire_a"), url("convention_verification", convention.pk)
    envoi = {"signee_le": "2025-04-11", "signataires": "Le maire\nLe directeur"}
    assert "À regarder avant de signer" in texte(client.get(adresse))
    assert "Confirmez" in texte(client.post(adresse, envoi))
    assert client.post(adresse, envoi | {"confirmer": "on"}).status_code == 302
    assert convention.evenements.get(nature="SIGNATURE").avertissements


def test_un_acte_signe_n_a_plus_d_etapes(entrer, cast):
    convention = signee(cast, cast.als, "20")
    client = entrer("gestionnaire_a")
    for adresse in (
        url("convention_etape", convention.pk, "taux"),
        url("convention_verification", convention.pk),
        url("convention_supprimer", convention.pk),
        url("derogation", convention.pk),
        url("avenant_verification", convention.pk),
    ):
        assert client.get(adresse).status_code == 404, adresse
    assert client.get(url("avenant", brouillon(cast, cast.commune_cannes, "5").pk)).status_code == 404


def test_un_get_n_ecrit_rien(entrer, cast):
    convention = brouillon(cast, cast.als, "20")
    client = entrer("gestionnaire_a")
    client.get(url("convention_supprimer", convention.pk))
    client.get(url("convention_verification", convention.pk))
    assert Convention.objects.get().etat == "BROUILLON"
    client.post(url("convention_supprimer", convention.pk))
    assert not Convention.objects.exists()


# --- Avenant, dérogation, résiliation ------------------------------------------------------------------------------------------


def test_un_avenant_de_bout_en_bout(entrer, cast):
    convention = signee(cast, cast.als, "20", clause_quart="Article 6")
    client, adresse = entrer("gestionnaire_a"), url("avenant", convention.pk)
    envoi = valeurs(client, adresse) | {"effet": "01/01/2026", "objet": "Hausse", "taux": "22"}
    reponse = client.post(adresse, envoi)
    assert reponse.url == url("avenant_verification", convention.pk)
    page = texte(client.get(reponse.url))
    assert '<td data-l="Avant">20</td>' in page and "22 points" in page
    # Taken up again, it keeps what was typed.
    assert valeurs(client, adresse)["objet"] == "Hausse"
    client.post(reponse.url, {"signee_le": "2025-12-01"})
    assert VersionConvention.objects.get(rang=1).signee_le == date(2025, 12, 1)


def test_un_avenant_s_abandonne(entrer, cast):
    convention = signee(cast, cast.als, "20")
    ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="Objet")
    client = entrer("gestionnaire_a")
    assert client.get(url("avenant_abandonner", convention.pk)).status_code == 405
    client.post(url("avenant_abandonner", convention.pk))
    assert convention.versions.count() == 1
    assert client.post(url("avenant_abandonner", convention.pk)).status_code == 404


def test_un_arrete_n_a_pas_d_avenant(entrer, cast):
    convention = signee(cast, cast.ddets_06)
    Convention.objects.filter(pk=convention.pk).update(nature="ARRETE")
    assert entrer("agent_ddets_06").get(url("avenant", convention.pk)).status_code == 404


DEROGATION = {
    "numero": "2026-12",
    "taux": "33",
    "debut": "2026-01-01",
    "fin": "2026-12-31",
    "motif": "Sécurité",
}


def test_une_derogation_se_relit_avant_d_etre_enregistree(entrer, cast):
    convention = signee(cast, cast.ddets_06)
    client, adresse = entrer("agent_ddets_06"), url("derogation", convention.pk)
    page = texte(client.post(adresse, DEROGATION))
    assert "Vérifiez avant d’enregistrer" in page
    assert "30,00 → <b>33,00 points</b>" in page
    assert not Derogation.objects.exists()
    assert not convention.evenements.filter(nature="DEROGATION").exists()
    assert "Vérifiez avant" not in texte(client.post(adresse, DEROGATION | {"modifier": "1"}))
    client.post(adresse, DEROGATION | {"confirmer": "1"})
    assert Derogation.objects.get().taux == 33


def test_une_derogation_trop_longue_revient_au_formulaire(entrer, cast):
    convention = signee(cast, cast.ddets_06)
    client, adresse = entrer("agent_ddets_06"), url("derogation", convention.pk)
    for envoi in (DEROGATION, DEROGATION | {"confirmer": "1"}):
        page = texte(client.post(adresse, envoi | {"fin": "2027-01-02"}))
        assert "un an au plus, soit 366 jours" in page
        assert '<a href="#id_fin">' in page
    assert not Derogation.objects.exists()


def test_retirer_une_derogation(entrer, cast):
    convention = signee(cast, cast.ddets_06)
    adresse = url("derogation_retirer", convention.pk, deroger_un_an(convention).pk)
    client = entrer("agent_ddets_06")
    assert "Écrivez pourquoi" in texte(client.post(adresse, {"motif": ""}))
    client.post(adresse, {"motif": "Erreur"})
    assert not Derogation.objects.exists()


def test_une_resiliation_se_relit_avant_d_etre_enregistree(entrer, cast):
    convention = signee(cast, cast.ddets_06)
    client, adresse = entrer("agent_ddets_06"), url("convention_resilier", convention.pk)
    envoi = {"resiliee_le": "2026-03-01", "effet": "2026-05-01", "motif": "Mise en demeure sans effet"}
    assert "Ce que cela change" in texte(client.post(adresse, envoi))
    convention.refresh_from_db()
    assert convention.etat == "SIGNEE"
    assert "avant d’être décidée" in texte(client.post(adresse, envoi | {"effet": "2026-02-01"}))
    client.post(adresse, envoi | {"confirmer": "1"})
    convention.refresh_from_db()
    assert (convention.etat, convention.fin) == ("RESILIEE", date(2026, 4, 30))
