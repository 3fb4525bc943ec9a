"""The pages of the letters: the draft and its preview, the signature, what the addressee reads, the editor of templates."""

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from bilans.models import GabaritLettre, Lettre
from bilans.regles.courriers import MODELES
from bilans.regles.procedures import Lettre as Nature
from tests.lettres.conftest import ENTETE

pytestmark = pytest.mark.django_db


def plat(reponse) -> str:
    page = html.unescape(reponse.content.decode())
    return " ".join(page.replace("\u00a0", " ").replace("\u202f", " ").split())


@pytest.fixture
def entrer(client, cast):
    def entrer(qui: str):
        client.force_login(cast.gens[qui] if qui in cast.gens else getattr(cast, qui))
        return client

    return entrer


def url(nom: str, *args) -> str:
    return reverse(f"bilans:{nom}", args=args)


def test_a_letter_page_by_page(entrer, cast, procedure, django_assert_max_num_queries, time_machine):
    agent = entrer("signataire_ddets_06")
    assert "1 acte à notifier" in plat(agent.get(url("lettres")))
    reponse = agent.post(url("lettre_nouvelle", procedure.pk), {"nature": "MISE_EN_DEMEURE"})
    lettre = Lettre.objects.get()
    page = url("lettre", lettre.pk)
    assert reponse["Location"] == page
    vue = plat(agent.get(page))
    assert "À remplir : Lieu de signature." in vue and "Signer la lettre" not in vue
    assert "acte à notifier" not in plat(agent.get(url("lettres")))
    # The preview, while it is typed: nothing is written.
    apercu = plat(agent.post(url("lettre_apercu", lettre.pk), ENTETE | {"mode": "RECOMMANDE"}))
    assert "le bilan annuel 2025" in apercu and "39 jours" in apercu and "PROJET" in apercu
    assert Lettre.objects.get().saisies == {}
    agent.post(url("lettre_enregistrer", lettre.pk), ENTETE | {"mode": "RECOMMANDE"})
    with django_assert_max_num_queries(45):
        reponse = agent.get(page)
    vue = plat(reponse)
    assert "Signer la lettre" in vue and "n’a pas de certificat de cachet" in vue
    assert "39 jours" in vue and "Claire Signataire" in vue
    # The draft in PDF says the words of the page.
    assert (
        agent.get(url("lettre_pdf", lettre.pk))["Content-Disposition"]
        == 'inline; filename="projet-MED-06-2026-001.pdf"'
    )
    marque = reponse.context["signature_form"]["marque"].value()
    assert agent.post(url("lettre_signer", lettre.pk), {"marque": marque}).status_code == 422
    refus = agent.post(url("lettre_signer", lettre.pk), {"marque": "0" * 64, "lu": "on"}, follow=True)
    assert "ont changé depuis votre lecture" in plat(refus) and not Lettre.objects.get().signee
    assert agent.post(url("lettre_signer", lettre.pk), {"marque": marque, "lu": "on"}).status_code == 302
    signee = agent.get(page)
    assert "non scellé" in plat(signee) and Lettre.objects.get().empreinte in plat(signee)
    # What a registered letter cannot do without is not shown as optional.
    assert signee.context["suite_form"].fields["numero"].required
    envoi = {"suite": "ENVOI", "jour": "2026-04-07"}
    assert "Écrivez le numéro" in plat(agent.post(url("lettre_suite", lettre.pk), envoi))
    agent.post(url("lettre_suite", lettre.pk), envoi | {"numero": "1A 000"})
    agent.post(
        url("lettre_suite", lettre.pk),
        {"suite": "RECEPTION", "jour": "2026-04-07", "preuve": SimpleUploadedFile("ar.pdf", b"%PDF-1.7 ar")},
    )
    vue = plat(agent.get(page))
    assert "Date certaine de réception : 7 avril 2026" in vue and "ar.pdf" in vue
    # The receipt says the 8th? Not yet come; then the reason is asked; then the row is replaced, and stays readable.
    etape = lettre.etapes.get(rang=2)
    corrige = {"suite": "RECEPTION", "jour": "2026-04-08", "raison": "L’avis porte le 8."}
    assert "à venir" in plat(agent.post(url("lettre_corriger", etape.pk), corrige))
    time_machine.move_to("2026-04-09 09:00:00+00:00")
    agent = entrer("signataire_ddets_06")
    assert "ce qui le montre" in plat(agent.post(url("lettre_corriger", etape.pk), corrige | {"raison": ""}))
    assert agent.post(url("lettre_corriger", etape.pk), corrige).status_code == 302
    vue = plat(agent.get(page))
    assert "Date certaine de réception : 8 avril 2026" in vue and "corrige l’étape 2" in vue
    assert "<s>7 avril 2026</s>" in vue and "Corriger l’étape 2 :" not in vue
    # What the addressee reads.
    bailleur = entrer("lecteur_a")
    assert "MED-06-2026-001" in plat(bailleur.get(url("lettres")))
    vue = plat(bailleur.get(page))
    assert (
        "Lire le PDF" in vue
        and "Inscrire la suite" not in vue
        and "Corriger l’étape" not in vue
        and "modèle de la maison" not in vue
    )
    assert bailleur.get(url("lettre_pdf", lettre.pk)).content == bytes(Lettre.objects.get().octets)
    etape = lettre.etapes.get(rang=2)
    assert bailleur.get(url("lettre_preuve", etape.pk)).content == b"%PDF-1.7 ar"
    assert entrer("gestionnaire_b").get(page).status_code == 404


def test_the_editor_of_templates(entrer, cast, time_machine):
    agent = entrer("agent_ddets_06")
    adresse = url("lettre_modele", "06", "mise_en_demeure")
    assert "modèle de la maison" in plat(agent.get(url("lettre_modeles")))
    vue = plat(agent.get(adresse))
    assert "{manquements}" in vue and "Mentions légales, qui ne s’enlèvent pas" in vue
    maison = MODELES[Nature.MISE_EN_DEMEURE]
    champs = {"version": 0, "objet": maison.objet, "mentions": maison.mentions, "raison": "Copie au maire"}
    apercu = plat(
        agent.post(url("lettre_modele_apercu", "06", "mise_en_demeure"), champs | {"corps": "{inconnue}"})
    )
    assert "n’est pas une variable de cette lettre" in apercu
    refus = agent.post(adresse, champs | {"corps": maison.corps + "\n{inconnue}"})
    assert refus.status_code == 422 and "{inconnue}" in plat(refus)
    assert agent.post(adresse, champs | {"corps": maison.corps + "\n\nCopie au maire."}).status_code == 302
    vue = plat(agent.get(adresse))
    assert "Version 1" in vue and "Ajouté, texte : " in vue and "Copie au maire." in vue
    assert GabaritLettre.objects.get().version == 1
    assert agent.get(url("lettre_modele", "22", "mise_en_demeure")).status_code == 404
    assert agent.get(url("lettre_modele", "06", "autre")).status_code == 404
    lecteur = entrer("lecteur_ddets_06")
    assert "Publier la version" not in plat(lecteur.get(adresse))
    assert lecteur.post(adresse, champs | {"corps": maison.corps}).status_code == 403
    assert entrer("gestionnaire_a").get(adresse).status_code == 404


def test_every_letter_of_the_house_has_its_editor(entrer, cast):
    agent = entrer("agent_ddets_06")
    for nature in Nature:
        assert agent.get(url("lettre_modele", "06", nature.value.lower())).status_code == 200, nature


def test_a_draft_is_deleted(entrer, cast, procedure):
    agent = entrer("agent_ddets_06")
    agent.post(url("lettre_nouvelle", procedure.pk), {"nature": "MISE_EN_DEMEURE"})
    lettre = Lettre.objects.get()
    assert agent.post(url("lettre_supprimer", lettre.pk)).status_code == 302
    assert not Lettre.objects.exists()
    assert "pas encore accompli" in plat(
        agent.post(url("lettre_nouvelle", procedure.pk), {"nature": "RESILIATION"}, follow=True)
    )
    assert agent.post(url("lettre_nouvelle", procedure.pk), {"nature": "X"}).status_code == 404


def test_the_list_has_a_fixed_number_of_queries(entrer, cast, procedure, django_assert_max_num_queries):
    modele = {"departement_id": "06", "bailleur": cast.bailleur_a, "annee": 2025, "nature": "MISE_EN_DEMEURE"}
    Lettre.objects.bulk_create(Lettre(numero=f"MED-06-2026-{n:03d}", **modele) for n in range(1, 31))
    with django_assert_max_num_queries(26):
        assert "30 lettres" in plat(entrer("agent_ddets_06").get(url("lettres")))
