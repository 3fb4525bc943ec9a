"""Pages of labels: what is shown and what is not, readings written down, forms kept when refused, rights of persons."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from publics.models import (
    CategorieLabel,
    DemandeMenage,
    Labellisation,
    LectureSensible,
    PropositionLabel,
    ReglagePriorite,
)
from publics.services.menages import empreinte_numero
from tests.rapprochement.fabrique import extrait

pytestmark = pytest.mark.django_db
NUMERO = "0061125DEMO0000042"
VIOLENCES = "iolences au sein du couple"


@pytest.fixture
def ddets(decor, client):
    client.force_login(decor.cast.agent_ddets_06)
    return client


def test_a_list_never_says_a_ground_nor_writes_a_reading(ddets, decor):
    for adresse in ("publics:labels", "publics:propositions"):
        texte = ddets.get(reverse(adresse)).content.decode()
        assert "groupe 2" in texte
        assert VIOLENCES not in texte.split("<main")[1] and "enacé d’expulsion" not in texte
    page = ddets.get(reverse("publics:label", args=[decor.a.label_propose.pk])).content.decode()
    assert VIOLENCES not in page and "Voir le motif" in page and "groupe 1" in page.lower()
    assert not LectureSensible.objects.exists()


def test_the_queue_tells_grounds_on_demand_and_writes_each(ddets, decor):
    deux = [decor.a.proposition.pk, decor.b.proposition.pk]
    texte = ddets.post(reverse("publics:propositions_motifs"), {"proposition": deux}).content.decode()
    assert texte.count("Menacé d’expulsion") == 2
    assert set(LectureSensible.objects.values_list("objet", flat=True)) == {
        f"proposition {pk}" for pk in deux
    }
    ddets.force_login(decor.cast.agent_sgc_06)
    texte = ddets.post(reverse("publics:propositions_motifs"), {"proposition": deux}).content.decode()
    assert "Menacé d’expulsion" not in texte and LectureSensible.objects.count() == 2


def test_bulk_decision(ddets, decor):
    deux = [decor.a.proposition.pk, decor.b.proposition.pk]
    adresse = reverse("publics:propositions_decider")
    sans = ddets.post(adresse, {"proposition": deux, "decision": "refuser"})
    assert sans.status_code == 422 and "Un refus porte un motif" in sans.content.decode()
    assert f'value="{deux[0]}" id="p-{deux[0]}" checked' in sans.content.decode()
    assert "Cochez au moins une" in ddets.post(adresse, {"decision": "accorder"}).content.decode()
    assert ddets.post(adresse, {"proposition": deux, "decision": "accorder"}).status_code == 302
    assert set(PropositionLabel.objects.filter(pk__in=deux).values_list("etat", flat=True)) == {"ACCORDEE"}
    ddets.force_login(decor.cast.gestionnaire_a)
    texte = ddets.get(reverse("publics:propositions") + "?etat=ACCORDEE").content.decode()
    assert "Logis Essai B" not in texte and "accordée" in texte


def test_queue_and_list_have_a_fixed_number_of_queries(ddets, decor, django_assert_num_queries):
    for nom in ("publics:labels", "publics:propositions", "publics:agents_dossiers"):
        adresse = reverse(nom)
        with django_assert_num_queries(22, exact=False) as comptees:
            ddets.get(adresse)
        etat = {"departement_id": "06", "saisie_par": decor.cast.bailleur_b}
        for categorie in ("DALO", "BPI", "SANS_ABRI"):
            debut = timezone.localdate()
            menage = decor.b.proposition.menage
            if nom == "publics:labels":
                Labellisation.objects.create(**etat, menage=menage, categorie_id=categorie, debut=debut)
            elif nom == "publics:propositions":
                PropositionLabel.objects.create(
                    **etat, menage=menage, categorie_id=categorie, saisie_le=debut, echeance=debut
                )
        with django_assert_num_queries(len(comptees)):
            ddets.get(adresse)


def test_comed_series_keeps_the_day_and_the_sector(ddets):
    adresse = reverse("publics:comed")
    jour = timezone.localdate() - timedelta(days=3)
    faits = {
        "decision_le": jour.isoformat(),
        "secteur": "Cannes, CA Cannes Pays de Lérins",
        "tailles": "T2 à T4",
    }
    mauvais = ddets.post(adresse, faits | {"numero_unique": "123", "secteur": "Atlantide"})
    texte = mauvais.content.decode()
    assert mauvais.status_code == 422 and "celui-ci en a 3" in texte and "Atlantide" in texte
    faite = ddets.post(adresse, faits | {"numero_unique": NUMERO})
    assert faite.status_code == 302 and NUMERO not in faite.headers["Location"]
    label = Labellisation.objects.get(source="COMED")
    assert (label.debut, label.tailles, label.secteur[0]) == (jour, ["T2", "T3", "T4"], "06029")
    assert len(label.secteur) == 2 and len(label.secteur[1]) == 9
    suite = ddets.get(faite.headers["Location"]).content.decode()
    assert jour.isoformat() in suite and "Cannes" in suite and "…0042" in suite and NUMERO not in suite


def test_correcting_keeps_the_ground_that_is_not_shown(ddets, decor):
    label = decor.a.label_propose
    adresse = reverse("publics:label_corriger", args=[label.pk])
    page = ddets.get(adresse).content.decode()
    assert "selected" not in page.split('name="categorie"')[1].split("</select>")[0].replace(
        'value="" selected', ""
    )
    assert not LectureSensible.objects.exists()
    corrige = {"motif": "ERREUR_SAISIE", "evaluation_sociale": "on", "secteur": "06029"}
    assert ddets.post(adresse, corrige).status_code == 302
    label.refresh_from_db()
    assert (label.categorie_id, label.evaluation_sociale, label.secteur) == ("VIOLENCES", True, ["06029"])
    historique = ddets.get(
        reverse("reservation:historique", args=["menage", label.menage_id])
    ).content.decode()
    assert VIOLENCES not in historique and "Erreur de saisie" in historique


def test_settings_are_previewed_then_applied(ddets):
    adresse = reverse("publics:reglages_modifier", args=["06"])
    apercu = ddets.get(adresse + "?modele=PACA")
    texte = apercu.content.decode()
    assert "Aperçu" in texte and "groupe 3" in texte and not ReglagePriorite.objects.exists()
    assert "le c de l’article L. 441-1" in " ".join(apercu.context["form"]["rang_SEUL_C"].label.split())
    form = apercu.context["form"]
    donnees = {nom: form[nom].value() or "" for nom in form.fields} | {"modele": "PACA"}
    donnees["debut"] = (timezone.localdate() + timedelta(days=1)).isoformat()
    assert ddets.post(adresse, donnees | {"apercu": "1"}).status_code == 200
    assert not ReglagePriorite.objects.exists()
    hier = donnees | {"debut": timezone.localdate().isoformat(), "appliquer": "1"}
    assert ddets.post(adresse, hier).status_code == 422
    assert ddets.post(adresse, donnees | {"appliquer": "1"}).status_code == 302
    assert ReglagePriorite.objects.get().criteres == ["GROUPE", "ANCIENNETE"]
    texte = ddets.get(reverse("publics:reglages", args=["06"])).content.decode()
    assert "Préparé" in texte and "Abandonner" in texte


def test_a_person_is_answered_by_its_number(ddets, decor):
    adresse = reverse("publics:droits_menage")
    creer = reverse("publics:label_creer")
    jour = timezone.localdate()
    ddets.post(
        creer,
        {
            "numero_unique": NUMERO,
            "categorie": "VIOLENCES",
            "debut": jour.isoformat(),
            "demande_tailles": "T3",
        },
    )
    texte = ddets.post(adresse, {"numero_unique": NUMERO}).content.decode()
    assert "Ce qui est gardé" in texte and CategorieLabel.objects.get(pk="VIOLENCES").libelle in texte
    (lecture,) = LectureSensible.objects.all()
    assert "toutes ses données" in lecture.objet and NUMERO not in lecture.page
    export = ddets.post(adresse, {"numero_unique": NUMERO, "exporter": "1"})
    corps = json.loads(export.content)
    assert {d["rubrique"] for d in corps["donnees"]} == {"Ménage", "Demande", "Label"}
    assert NUMERO not in export.content.decode() and LectureSensible.objects.count() == 2
    # A search that finds nothing tells something too: it is written as well.
    rien = ddets.post(adresse, {"numero_unique": NUMERO[::-1]}).content.decode()
    assert "Rien n’est gardé" in rien and LectureSensible.objects.count() == 3
    assert LectureSensible.objects.first().objet == f"demande …{NUMERO[::-1][-4:]} : recherche, rien de gardé"
    ddets.force_login(decor.cast.agent_ddets_22)
    assert "Rien n’est gardé" in ddets.post(adresse, {"numero_unique": NUMERO}).content.decode()
    ddets.force_login(decor.cast.administrateur_ddets_06)
    journal = ddets.get(reverse("publics:lectures")).content.decode()
    assert "Agent DDETS 06" in journal and "toutes ses données" in journal


def test_a_person_is_told_all_that_is_kept(ddets, decor):
    """What was noted with the label, what nobody recorded but an extract told, what it was compared with."""
    jour = timezone.localdate()
    faits = {
        "categorie": "VIOLENCES",
        "debut": jour.isoformat(),
        "evaluation_sociale": "on",
        "accompagnement": "AVDL",
    }
    faits |= {"case_cerfa": "F6", "preuve": "RAPPORT_SOCIAL", "preuve_le": jour.isoformat()}
    assert ddets.post(reverse("publics:label_creer"), faits | {"numero_unique": NUMERO}).status_code == 302
    adresse = reverse("publics:droits_menage")
    texte = ddets.post(adresse, {"numero_unique": NUMERO}).content.decode()
    for garde in ("AVDL", "Rapport social", "F6", "Évaluation sociale", "Décidé par"):
        assert garde in texte
    inconnu = NUMERO[:-4] + "0777"
    ligne = {"menage": empreinte_numero(inconnu), "date_caleol": jour, "reservataire_brut": "PPRIOR"}
    extrait(decor.cast.ddets_06, "SNE", [ligne | {"label_brut": "DALO"}], annee=jour.year)
    export = ddets.post(adresse, {"numero_unique": inconnu, "exporter": "1"})
    (garde,) = json.loads(export.content)["donnees"]
    assert (garde["rubrique"], garde["Contingent"], garde["Label"]) == (
        "Extrait d’un autre outil",
        "PPRIOR",
        "DALO",
    )
    ddets.force_login(decor.cast.agent_ddets_22)
    assert "Rien n’est gardé" in ddets.post(adresse, {"numero_unique": inconnu}).content.decode()


def test_the_proof_is_read_with_the_ground_and_a_period_is_chosen(ddets, decor):
    jour = timezone.localdate()
    proposition = decor.a.proposition
    PropositionLabel.objects.filter(pk=proposition.pk).update(preuve="RAPPORT_SOCIAL", preuve_le=jour)
    adresse = reverse("publics:propositions_decider")
    decision = {"proposition": [proposition.pk], "decision": "accorder"}
    hier = ddets.post(adresse, decision | {"fin": (jour - timedelta(days=1)).isoformat()})
    assert hier.status_code == 422 and "ne peut pas précéder le début" in hier.content.decode()
    assert ddets.post(adresse, decision | {"fin": (jour + timedelta(days=90)).isoformat()}).status_code == 302
    proposition.refresh_from_db()
    assert proposition.label.fin == jour + timedelta(days=90)
    page = ddets.get(reverse("publics:label", args=[proposition.label_id])).content.decode()
    assert "Rapport social" not in page
    lu = ddets.post(reverse("publics:motif_label", args=[proposition.label_id])).content.decode()
    assert "Preuve vue" in lu and "Rapport social" in lu


def test_a_ground_added_since_takes_its_default_group_in_a_model(ddets):
    CategorieLabel.objects.create(
        code="L441_1_N", libelle="Nouveau public", article="CCH, art. L. 441-1, n", groupe_defaut=3, rang=99
    )
    adresse = reverse("publics:reglages_modifier", args=["06"])
    apercu = ddets.get(adresse + "?modele=PACA")
    assert apercu.status_code == 200 and apercu.context["form"]["groupe_L441_1_N"].value() == "3"


def test_preview_of_the_rank_says_why(ddets, decor):
    label = Labellisation.objects.create(
        menage=decor.b.proposition.menage,
        departement_id="06",
        categorie_id="L441_1_C",
        debut=timezone.localdate(),
        saisie_par=decor.cast.ddets_06,
    )
    adresse = reverse("publics:label", args=[label.pk])
    assert "passe après tous les autres" in ddets.get(adresse).content.decode()
    ddets.force_login(decor.cast.agent_sgc_06)
    assert "passe après tous les autres" not in ddets.get(adresse).content.decode()


@pytest.mark.parametrize("requete", ["?etat=%00", "?demande=%00", "?par=9" + "9" * 30, "?groupe=9&page=-3"])
def test_odd_filters_are_ordinary_pages(ddets, requete):
    for nom in ("publics:labels", "publics:propositions", "publics:agents_dossiers", "flux:agents"):
        assert ddets.get(reverse(nom) + requete).status_code == 200


def test_what_a_household_asks_is_corrected_and_two_people_are_told(client, decor):
    """By the bailleur that entered its label, then by the DDETS: the second is told, nothing is lost."""
    label = decor.a.label_propose
    adresse = reverse("publics:demande", args=[label.menage_id])
    client.force_login(decor.cast.gestionnaire_a)
    assert adresse in client.get(reverse("publics:label", args=[label.pk])).content.decode()
    version = client.get(adresse).context["edition"].version
    inconnue = client.post(adresse, {"tailles": "T2 à T4", "secteur": "Saint-Brieuc", "version": version})
    assert inconnue.status_code == 422 and "Inconnu dans le département 06" in inconnue.content.decode()
    assert "T2 à T4" in inconnue.content.decode()
    faite = client.post(adresse, {"tailles": "T2 à T4", "secteur": "Cannes, 06088", "version": version})
    assert faite.status_code == 302
    demande = DemandeMenage.objects.get(menage=label.menage_id)
    assert (demande.tailles, demande.secteur) == (["T2", "T3", "T4"], ["06029", "06088"])
    assert demande.saisie_par == decor.a.bailleur
    client.force_login(decor.cast.agent_ddets_06)
    autre = client.post(adresse, {"tailles": "T1", "secteur": "", "version": version})
    page = autre.content.decode()
    assert autre.status_code == 422 and "a changé pendant que vous la remplissiez" in page
    assert 'value="T1"' in page
    demande.refresh_from_db()
    assert demande.tailles == ["T2", "T3", "T4"]
    client.post(adresse, {"tailles": "", "secteur": "", "version": autre.context["edition"].version})
    demande.refresh_from_db()
    assert (demande.tailles, demande.secteur, demande.saisie_par) == ([], [], decor.cast.ddets_06)
    historique = client.get(reverse("reservation:historique", args=["menage", label.menage_id]))
    assert "tailles demandées" in historique.content.decode().lower(), historique.content.decode()
    client.force_login(decor.cast.gestionnaire_b)
    assert client.get(adresse).status_code == 404
