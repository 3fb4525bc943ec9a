"""Procedures with their letters, in a real browser, by keyboard: both parties write and sign, the letter is read, signed, sent
and received; a shortfall is reported on the next year, a breach starts two months."""

import re
from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from bilans.models import Lettre, Procedure
from bilans.regles.procedures import Acte, Sorte
from bilans.services import procedures
from bilans.services.procedures_situation import Objet
from flux.models import ReportObjectif
from reservation.acteur import Role
from tests.cycle.test_navigateur_cycle import accessible
from tests.flux.test_navigateur import entrer
from tests.lettres.conftest import ENTETE
from tests.personnages import distribuer, personne
from tests.procedures.fabriques import actes, chiffres

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]
PDF = {"mimeType": "application/pdf", "buffer": b"%PDF-1.7 document"}


@pytest.fixture
def cast(transactional_db, time_machine):
    """A, whose objectives are missed by 5; B, whose bilan is late and whose mise en demeure is decided."""
    time_machine.move_to("2026-04-07 09:00:00+00:00")
    cast = distribuer()
    signe = personne("signature06@etat.example", "Claire Signataire", cast.ddets_06, Role.SIGNATURE)
    cast.gens["signataire_ddets_06"] = signe
    for bailleur in (cast.bailleur_a, cast.bailleur_b):
        actes(cast, bailleur, date(2025, 1, 1), date(2027, 12, 31))
    chiffres(cast.bailleur_a, 2025, {"ETAT": (28, 0, 23), "ALS": (20, 0, 20)})
    acteur = cast.acteur("signataire_ddets_06")
    breche = procedures.ouvrir(acteur, Objet(Sorte.MANQUEMENT, "06", 2025, bailleur=cast.bailleur_b.pk))
    procedures.accomplir(acteur, breche, Acte.METTRE_EN_DEMEURE)
    return cast


class Parcours:
    """The gestures of a person at the keyboard."""

    def __init__(self, page, cast):
        self.page, self.cast = page, cast

    def venir(self, qui: str, adresse: str) -> None:
        self.page.context.clear_cookies()
        entrer(self.page, self.cast.gens[qui].courriel)
        self.page.goto(adresse)

    def presser(self, bouton: str | re.Pattern, dit: str) -> None:
        trouve = self.page.get_by_role("button", name=bouton).first
        trouve.focus()
        self.page.keyboard.press("Enter")
        self.page.get_by_text(dit).first.wait_for()

    def ouvrir(self, resume: str) -> None:
        self.page.locator("summary", has_text=resume).first.focus()
        self.page.keyboard.press("Enter")

    def cocher(self, case: str) -> None:
        self.page.get_by_label(case).focus()
        self.page.keyboard.press("Space")

    def signer_ses_ecrits(self) -> None:
        self.cocher("J’ai relu ces écrits")
        self.presser("Signer ces écrits", "Signé pour")

    def ecrire_la_lettre(self, champs: dict[str, str]) -> None:
        """From the act to the draft, whose preview follows what is typed."""
        self.presser(re.compile("Écrire la lettre"), "Aperçu, tel qu’il sera envoyé")
        for champ, texte in champs.items():
            self.page.locator(f"#id_{champ}").fill(texte)
        self.page.locator("#apercu .feuille-lettre").wait_for()
        self.presser("Enregistrer le projet", "Signer la lettre")

    def signer_et_envoyer(self, recue: str) -> None:
        self.cocher("J’ai lu cette lettre")
        self.presser("Signer la lettre", "Signée, à envoyer.")
        self.page.get_by_label("Numéro d’envoi").first.fill("1A 000 000 0000 0")
        self.presser("Inscrire", "Envoyée le")
        self.page.locator("#id_suite").select_option("RECEPTION")
        self.page.locator("#id_jour").fill(recue)
        self.page.locator("#id_preuve").set_input_files({"name": "avis.pdf", **PDF})
        self.presser("Inscrire", "Date certaine de réception")


def test_objectives_missed_then_a_breach(page, cast, time_machine):
    p = Parcours(page, cast)
    p.venir(
        "signataire_ddets_06",
        reverse("bilans:procedure_nouvelle") + f"?partie=B{cast.bailleur_a.pk}&annee=2025",
    )
    p.presser("Ouvrir la procédure", "La procédure est ouverte")
    procedure = Procedure.objects.get(sorte=Sorte.OBJECTIFS)
    adresse = reverse("bilans:procedure", args=[procedure.pk])
    p.ouvrir("Signer l’invitation")
    page.get_by_label("Jour et heure de la réunion").fill("2026-04-28T10:00")
    page.get_by_label("Lieu").fill("DDETS, salle 1")
    p.presser("Signer l’invitation au point contradictoire", "À notifier : invitation")
    accessible(page)
    p.ecrire_la_lettre({nom: texte for nom, texte in ENTETE.items() if nom != "tribunal"})
    expect(page.locator("#apercu")).to_contain_text("28 avril 2026")
    accessible(page)
    p.signer_et_envoyer("2026-04-07")
    accessible(page)

    # Both parties write, attach and sign; a paragraph is read by the other once signed.
    p.venir("signataire_a", adresse)
    p.ouvrir("Écrire un paragraphe")
    page.locator("details[open] textarea").fill("Deux programmes livrés en décembre au lieu de juin.")
    p.presser("Enregistrer le paragraphe", "brouillon, lu de votre seule organisation")
    p.ouvrir("Joindre un document")
    page.get_by_label("Document").set_input_files({"name": "planning.pdf", **PDF})
    p.presser(re.compile("^Joindre$"), "planning.pdf")
    p.signer_ses_ecrits()
    accessible(page)
    p.venir("signataire_ddets_06", adresse)
    p.ouvrir("Répondre")
    page.locator("details[open] textarea").fill("Le retard était connu dès janvier.")
    p.presser(re.compile("Enregistrer la réponse"), "brouillon, lu de votre seule organisation")
    p.signer_ses_ecrits()

    # After the meeting: the minutes, the decision, its letter, its receipt; the next year inherits.
    time_machine.move_to("2026-05-04 09:00:00+00:00")
    p.venir("signataire_ddets_06", adresse)
    p.ouvrir("Signer le compte rendu")
    page.locator("details[open] textarea").fill("Les deux parties ont présenté leurs écrits.")
    p.presser("Signer le compte rendu de la réunion", "Réunion tenue")
    p.ouvrir("Juger tout ou partie")
    page.get_by_label("attributions justifiées").fill("1")
    page.locator("details[open] textarea").fill("Un programme sur deux.")
    p.presser("Juger tout ou partie de l’écart injustifié", "4 injustifiées")
    p.ouvrir("Signer la notification du report")
    page.get_by_label("logements à reporter").fill("4")
    p.presser("Signer la notification du report", "À notifier : notification du report")
    page.get_by_role("button", name=re.compile("Écrire la lettre : notification du report")).press("Enter")
    page.get_by_text("Aperçu, tel qu’il sera envoyé").wait_for()
    page.locator("#id_motif").fill("le retard était connu")
    page.locator("#id_tribunal").fill(ENTETE["tribunal"])
    p.presser("Enregistrer le projet", "Signer la lettre")
    expect(page.locator("#apercu")).to_contain_text("4 logements")
    p.signer_et_envoyer("2026-05-04")
    page.goto(adresse)
    p.ouvrir("Clore la procédure")
    p.presser(re.compile("^Clore"), "Mesures prises")
    report = ReportObjectif.objects.get()
    assert (report.bailleur, report.annee, report.nombre) == (cast.bailleur_a, 2026, 4)
    p.venir("lecteur_a", reverse("bilans:registres"))
    page.get_by_role("link", name="l’État").press("Enter")
    expect(page.get_by_text("4 logements de plus").first).to_be_visible()
    accessible(page)

    # The breach: the header is that of the last letter, the clock runs from the certain date.
    p.venir("signataire_ddets_06", reverse("bilans:lettres"))
    page.get_by_role("button", name=re.compile("mise en demeure")).press("Enter")
    page.locator("#id_adresse").fill("2, rue de l’Exemple\n06000 Nice")
    page.locator("#id_appel").fill("Monsieur le Directeur général,")
    page.locator("#id_tribunal").fill(ENTETE["tribunal"])
    expect(page.locator("#apercu")).to_contain_text("tribunal administratif de Nice")
    p.presser("Enregistrer le projet", "Signer la lettre")
    p.signer_et_envoyer("2026-05-04")
    page.get_by_role("link", name="La procédure").press("Enter")
    expect(page.get_by_text("Un délai court jusqu’au 4 juillet 2026").first).to_be_visible()
    accessible(page)
    p.venir("gestionnaire_b", reverse("bilans:lettres"))
    page.get_by_role("link", name="Mise en demeure").press("Enter")
    expect(page.get_by_role("link", name=re.compile("Lire le PDF"))).to_be_visible()
    accessible(page)
    assert Lettre.objects.filter(date_certaine__isnull=False).count() == 3
