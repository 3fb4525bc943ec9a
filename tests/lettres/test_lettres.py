"""A letter from its draft to its certain date: who writes, who signs, what is kept, and what the procedure is told."""

import hashlib
import io
from datetime import date

import pypdf
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from bilans.models import EtapeLettre, GabaritLettre, Lettre
from bilans.regles.courriers import MODELES, Modele, ModeleInvalide
from bilans.regles.procedures import Acte, Etat
from bilans.regles.procedures import Lettre as Nature
from bilans.regles.procedures_delais import Mode, Suite
from bilans.services import lettres, lettres_procedures, procedures, procedures_liste
from bilans.services.lettres import Preuve
from reservation.models import Courriel, Departement, Organisation
from tests.lettres.conftest import ENTETE

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 preuve"


def lu(lettre: Lettre) -> str:
    pages = pypdf.PdfReader(io.BytesIO(bytes(lettre.octets))).pages
    texte = " ".join(" ".join(page.extract_text().split()) for page in pages)
    return texte.replace("\u00a0", " ").replace("\u202f", " ")


def projet(cast, procedure, mode=Mode.RECOMMANDE, **saisies) -> Lettre:
    agent = cast.acteur("agent_ddets_06")
    lettre = lettres.ecrire(agent, procedure, Nature.MISE_EN_DEMEURE)
    return lettres.enregistrer(agent, lettre, ENTETE | saisies, mode)


def marque(lettre: Lettre, jour: date) -> str:
    contexte = lettres_procedures.lire(lettre.procedure, jour)
    return lettres.marque_de(lettres.composer_courrier(lettre, contexte, signataire="Claire Signataire"))


def signer(cast, lettre: Lettre, jour: date) -> Lettre:
    acteur = cast.acteur("signataire_ddets_06")
    return lettres.signer(acteur, lettre, nom="Claire Signataire", marque=marque(lettre, jour))


def test_from_the_draft_to_the_clock(cast, procedure, jour, time_machine):
    lettre = signer(cast, projet(cast, procedure), jour)
    assert lettre.numero == "MED-06-2026-001" and lettre.stade == "signée, à envoyer"
    texte = lu(lettre)
    for dit in (
        "mise en demeure de remettre le bilan annuel 2025",
        "Claire Signataire",
        "arrêté n° 2026-001",
        "39 jours",
        "deux mois",
        lettre.numero,
    ):
        assert dit in texte, dit
    assert "PROJET" not in texte
    assert hashlib.sha256(bytes(lettre.octets)).hexdigest() == lettre.empreinte
    assert lettre.constat["lignes"][0][3] == "39 jours" and lettre.delegation == ENTETE["delegation"]
    assert lettre.sceau == ""  # no certificate on this site
    agent = cast.acteur("agent_ddets_06")
    time_machine.move_to("2026-04-20 09:00:00+00:00")
    lettres.inscrire(agent, lettre, Suite.ENVOI, date(2026, 4, 8), numero="1A 000")
    procedure.refresh_from_db()
    assert procedure.etat == Etat.MISE_EN_DEMEURE  # sent is not received: no clock
    lettres.inscrire(agent, lettre, Suite.PRESENTATION, date(2026, 4, 9))
    lettres.inscrire(agent, lettre, Suite.RECEPTION, date(2026, 4, 13), preuve=Preuve("ar.pdf", PDF))
    lettre.refresh_from_db()
    procedure.refresh_from_db()
    assert lettre.date_certaine == date(2026, 4, 13) and procedure.etat == Etat.DELAI
    delai = lettres_procedures.lire(procedure, date(2026, 4, 20)).situation.delai
    assert (delai.depart, delai.fin) == (date(2026, 4, 13), date(2026, 6, 13))
    with pytest.raises(ValidationError, match="ne peut pas être"):
        lettres.inscrire(agent, lettre, Suite.RECEPTION, date(2026, 4, 14))


def test_the_letter_of_the_resiliation_quotes_the_clock_that_ran_out(cast, procedure, jour, time_machine):
    """It is written once the act is done: the procedure has no clock any more, its letter still says which one ran."""
    lettre = signer(cast, projet(cast, procedure), jour)
    agent, signataire = cast.acteur("agent_ddets_06"), cast.acteur("signataire_ddets_06")
    time_machine.move_to("2026-04-20 09:00:00+00:00")
    lettres.inscrire(agent, lettre, Suite.ENVOI, date(2026, 4, 8), numero="1A 000")
    lettres.inscrire(agent, lettre, Suite.RECEPTION, date(2026, 4, 13))
    time_machine.move_to("2026-06-15 09:00:00+00:00")
    procedure.refresh_from_db()
    saisie = procedures.Saisie(texte="Le bilan manque toujours.", jour=date(2026, 7, 1))
    procedures.accomplir(signataire, procedure, Acte.RESILIER, saisie)
    resiliation = lettres.ecrire(agent, procedure, Nature.RESILIATION)
    resiliation = lettres.enregistrer(
        agent, resiliation, ENTETE | {"motif": "le bilan manque"}, Mode.RECOMMANDE
    )
    texte = lu(signer(cast, resiliation, date(2026, 6, 15)))
    for dit in (
        "reçue le 13 avril 2026",
        "a expiré le 13 juin 2026",
        "résiliée à compter du 1er juillet 2026",
    ):
        assert dit in texte, dit


def test_a_letter_that_comes_back_is_written_again(cast, procedure, jour):
    lettre = signer(cast, projet(cast, procedure), jour)
    agent = cast.acteur("agent_ddets_06")
    lettres.inscrire(agent, lettre, Suite.ENVOI, jour, numero="1A 000")
    lettres.inscrire(agent, lettre, Suite.ADRESSE, jour)
    procedure.refresh_from_db()
    lettre.refresh_from_db()
    assert procedure.etat == Etat.OUVERTE and lettre.date_certaine is None


def test_who_writes_and_who_signs(cast, procedure, jour):
    for qui in ("gestionnaire_a", "agent_ddets_22", "agent_sgc_06", "lecteur_ddets_06"):
        with pytest.raises(PermissionDenied):
            lettres.ecrire(cast.acteur(qui), procedure, Nature.MISE_EN_DEMEURE)
    lettre = projet(cast, procedure)
    assert lettres.ecrire(cast.acteur("agent_ddets_06"), procedure, Nature.MISE_EN_DEMEURE) == lettre
    sans_role = cast.acteur("agent_ddets_06")
    if not sans_role.peut_signer:
        with pytest.raises(PermissionDenied, match="rôle Signature"):
            lettres.signer(sans_role, lettre, nom="x", marque=marque(lettre, jour))
    with pytest.raises(PermissionDenied):
        lettres.signer(cast.acteur("signataire_a"), lettre, nom="x", marque=marque(lettre, jour))
    with pytest.raises(ValidationError, match="changé depuis votre lecture"):
        lettres.signer(cast.acteur("signataire_ddets_06"), lettre, nom="Claire Signataire", marque="0" * 64)


def test_nothing_is_notified_that_was_not_decided(cast, procedure):
    for nature in (Nature.RESILIATION, Nature.REPORT, Nature.NOTIFICATION_QUART):
        with pytest.raises(ValidationError, match="pas encore accompli"):
            lettres.ecrire(cast.acteur("agent_ddets_06"), procedure, nature)


def test_favourable_figures_stop_the_signature(cast, procedure, jour, monkeypatch):
    """The bilan came in between the decision and the letter: nothing is signed."""
    lettre = projet(cast, procedure)
    lue = marque(lettre, jour)
    engagement = lettres_procedures.lire(procedure, jour).situation.engagements[0]
    monkeypatch.setattr(
        "bilans.services.procedures_situation._bilan_a_remettre",
        lambda o: engagement._replace(rempli_le=jour),
    )
    with pytest.raises(ValidationError, match="aucune mesure n’est possible"):
        lettres.signer(cast.acteur("signataire_ddets_06"), lettre, nom="Claire Signataire", marque=lue)


def test_a_signed_letter_never_changes(cast, procedure, jour):
    lettre = signer(cast, projet(cast, procedure), jour)
    agent = cast.acteur("agent_ddets_06")
    with pytest.raises(ValidationError, match="ne change plus"):
        lettres.enregistrer(agent, lettre, ENTETE, Mode.REMISE)
    with pytest.raises(ValidationError, match="ne se supprime pas"):
        lettres.supprimer(agent, lettre)
    for changer in (
        lambda: Lettre.objects.filter(pk=lettre.pk).update(objet="autre"),
        lambda: Lettre.objects.filter(pk=lettre.pk).update(octets=b"%PDF autre"),
        lambda: Lettre.objects.filter(pk=lettre.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            changer()
    lettres.inscrire(agent, lettre, Suite.ENVOI, jour, numero="1A")
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        EtapeLettre.objects.filter(lettre=lettre).update(jour=date(2026, 1, 1))


def test_each_way_of_sending_asks_for_its_proof(cast, procedure, jour):
    lettre = projet(cast, procedure, Mode.REMISE)
    agent = cast.acteur("agent_ddets_06")
    with pytest.raises(ValidationError, match="projet ne s’envoie pas"):
        lettres.inscrire(agent, lettre, Suite.ENVOI, jour)
    lettre = signer(cast, lettre, jour)
    assert "Remise en main propre contre décharge" in lu(lettre)
    with pytest.raises(ValidationError, match="précède celle de la lettre"):
        lettres.inscrire(agent, lettre, Suite.ENVOI, date(2026, 4, 6))
    lettres.inscrire(agent, lettre, Suite.ENVOI, jour)
    with pytest.raises(ValidationError, match="Joignez la décharge"):
        lettres.inscrire(agent, lettre, Suite.RECEPTION, jour)
    with pytest.raises(ValidationError, match="n’en est pas un"):
        lettres.inscrire(agent, lettre, Suite.RECEPTION, jour, preuve=Preuve("a.pdf", b"MZ"))
    with pytest.raises(ValidationError, match="5 Mo"):
        lettres.inscrire(
            agent, lettre, Suite.RECEPTION, jour, preuve=Preuve("a.pdf", b"%PDF-" + bytes(6 << 20))
        )
    etape = lettres.inscrire(agent, lettre, Suite.RECEPTION, jour, preuve=Preuve("a.exe", PDF))
    assert etape.preuve_type == "application/pdf"
    assert etape.preuve_empreinte == hashlib.sha256(PDF).hexdigest()


def test_a_refusal_becomes_a_receipt_with_its_proof_only(cast, procedure, jour):
    agent = cast.acteur("agent_ddets_06")
    lettre = signer(cast, projet(cast, procedure, Mode.REMISE), jour)
    lettres.inscrire(agent, lettre, Suite.ENVOI, jour)
    refus = lettres.inscrire(agent, lettre, Suite.REFUS, jour)
    with pytest.raises(ValidationError, match="Joignez la décharge"):
        lettres.corriger(agent, refus, raison="Signée sur place", suite=Suite.RECEPTION, jour=jour)
    preuve = Preuve("decharge.pdf", PDF)
    faite = lettres.corriger(
        agent, refus, raison="Signée sur place", suite=Suite.RECEPTION, jour=jour, preuve=preuve
    )
    assert faite.preuve_empreinte == hashlib.sha256(PDF).hexdigest()


def test_a_registered_letter_has_its_number(cast, procedure, jour):
    lettre = signer(cast, projet(cast, procedure), jour)
    with pytest.raises(ValidationError, match="Écrivez le numéro"):
        lettres.inscrire(cast.acteur("agent_ddets_06"), lettre, Suite.ENVOI, jour)


def test_what_is_missing_is_said(cast, procedure, jour):
    agent = cast.acteur("agent_ddets_06")
    lettre = lettres.ecrire(agent, procedure, Nature.MISE_EN_DEMEURE)
    contexte = lettres_procedures.lire(procedure, jour)
    with pytest.raises(ModeleInvalide) as manque:
        lettres.composer_courrier(lettre, contexte)
    assert any("Lieu de signature" in f for f in manque.value.fautes)
    assert any("tribunal administratif compétent" in f for f in manque.value.fautes)


def test_the_next_letter_starts_from_the_last(cast, procedure, jour):
    premiere = signer(cast, projet(cast, procedure), jour)
    agent = cast.acteur("agent_ddets_06")
    lettres.inscrire(agent, premiere, Suite.ENVOI, jour, numero="1A 000")
    lettres.inscrire(agent, premiere, Suite.ADRESSE, jour)
    procedures.accomplir(cast.acteur("signataire_ddets_06"), procedure, Acte.METTRE_EN_DEMEURE)
    seconde = lettres.ecrire(agent, procedure, Nature.MISE_EN_DEMEURE)
    assert seconde.numero == "MED-06-2026-002" and seconde.pk != premiere.pk
    assert (
        seconde.saisies["tribunal"] == ENTETE["tribunal"] and seconde.saisies["adresse"] == ENTETE["adresse"]
    )
    # A letter between them that names no tribunal does not make it typed again.
    lettres.enregistrer(agent, seconde, {"autorite": "Préfète des Alpes-Maritimes"}, Mode.RECOMMANDE)
    reprises = lettres._reprendre("06", lettres_procedures.lire(procedure, jour))
    assert (reprises["autorite"], reprises["tribunal"]) == (
        "Préfète des Alpes-Maritimes",
        ENTETE["tribunal"],
    )


# --- Who reads ------------------------------------------------------------------------------------------------------


def test_the_addressee_reads_from_the_day_it_is_sent(cast, procedure, jour):
    def lecteurs():
        return {
            qui
            for qui in (
                "lecteur_a",
                "gestionnaire_b",
                "agent_ddets_06",
                "agent_ddets_22",
                "charge_als",
                "charge_dreal",
            )
            if Lettre.objects.visibles_par(cast.acteur(qui)).exists()
        }

    lettre = signer(cast, projet(cast, procedure), jour)
    assert lecteurs() == {"agent_ddets_06"}
    lettres.inscrire(cast.acteur("agent_ddets_06"), lettre, Suite.ENVOI, jour, numero="1A")
    assert lecteurs() == {"agent_ddets_06", "lecteur_a"}


def test_a_merger_takes_the_drafts_and_leaves_what_was_signed(cast, procedure, jour):
    lettre = projet(cast, procedure)
    lettres.sur_bailleurs_fusionnes(Organisation, cast.bailleur_a, cast.bailleur_b, date(2026, 1, 1))
    lettre.refresh_from_db()
    assert lettre.bailleur == cast.bailleur_b
    signee = signer(cast, lettre, jour)
    lettres.sur_bailleurs_fusionnes(Organisation, cast.bailleur_b, cast.bailleur_a, date(2026, 1, 1))
    signee.refresh_from_db()
    assert signee.bailleur == cast.bailleur_b


# --- A step that was written wrong -----------------------------------------------------------------------------------


@pytest.fixture
def recue(cast, procedure, jour, time_machine) -> Lettre:
    """Sent on 8 April, received on 13 April, as the receipt says."""
    lettre = signer(cast, projet(cast, procedure), jour)
    time_machine.move_to("2026-04-20 09:00:00+00:00")
    agent = cast.acteur("agent_ddets_06")
    lettres.inscrire(agent, lettre, Suite.ENVOI, date(2026, 4, 8), numero="1A 000")
    lettres.inscrire(agent, lettre, Suite.RECEPTION, date(2026, 4, 13), preuve=Preuve("ar.pdf", PDF))
    lettre.refresh_from_db()
    return lettre


def etape(lettre: Lettre, rang: int) -> EtapeLettre:
    return lettre.etapes.select_related("lettre").get(rang=rang)


def delai_de(procedure):
    return lettres_procedures.lire(procedure, date(2026, 4, 20)).situation.delai


def test_a_wrong_date_is_corrected_and_the_clock_starts_from_the_right_one(cast, procedure, recue):
    agent = cast.acteur("agent_ddets_06")
    with pytest.raises(ValidationError, match="ce qui était faux"):
        lettres.corriger(agent, etape(recue, 2), raison=" ", suite=Suite.RECEPTION, jour=date(2026, 4, 11))
    for qui in ("gestionnaire_a", "lecteur_ddets_06", "agent_ddets_22", "agent_sgc_06"):
        with pytest.raises(PermissionDenied):
            lettres.corriger(cast.acteur(qui), etape(recue, 2), raison="x", suite=None)
    with pytest.raises(ValidationError, match="précède celle de la suite"):
        lettres.corriger(agent, etape(recue, 1), raison="x", suite=Suite.ENVOI, jour=date(2026, 4, 14))
    faite = lettres.corriger(
        agent, etape(recue, 2), raison="L’avis porte le 11.", suite=Suite.RECEPTION, jour=date(2026, 4, 11)
    )
    recue.refresh_from_db()
    procedure.refresh_from_db()
    assert recue.date_certaine == date(2026, 4, 11) and procedure.etat == Etat.DELAI
    assert bytes(faite.preuve) == PDF and faite.corrige == etape(recue, 2)  # the same receipt, read right
    assert (delai_de(procedure).depart, delai_de(procedure).fin) == (date(2026, 4, 11), date(2026, 6, 11))
    assert procedures_liste.delais_de([procedure])[procedure.pk] == delai_de(procedure)
    dernier = procedure.etapes.latest("rang")
    assert (dernier.acte, dernier.texte) == ("RECTIFIER_RECEPTION", "L’avis porte le 11.")
    with pytest.raises(ValidationError, match="déjà corrigée"):
        lettres.corriger(agent, etape(recue, 2), raison="x", suite=Suite.RECEPTION, jour=date(2026, 4, 12))
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        EtapeLettre.objects.filter(rang=2).update(jour=date(2026, 4, 11))
    # It was never received: the clock stops, and the letter waits again.
    lettres.corriger(agent, etape(recue, 3), raison="L’avis est celui d’une autre lettre.", suite=None)
    recue.refresh_from_db()
    procedure.refresh_from_db()
    assert (recue.date_certaine, recue.suite) == (None, "ENVOI")
    assert procedure.etat == Etat.MISE_EN_DEMEURE and delai_de(procedure) is None
    lettres.inscrire(agent, recue, Suite.RECEPTION, date(2026, 4, 15))
    procedure.refresh_from_db()
    assert procedure.etat == Etat.DELAI and delai_de(procedure).depart == date(2026, 4, 15)


def test_once_something_was_done_a_correction_is_dated_and_changes_nothing_of_it(
    cast, procedure, recue, time_machine
):
    time_machine.move_to("2026-06-20 09:00:00+00:00")
    procedures.accomplir(cast.acteur("signataire_ddets_06"), procedure, Acte.RESILIER)
    agent = cast.acteur("agent_ddets_06")
    faite = lettres.corriger(
        agent, etape(recue, 2), raison="L’avis porte le 14.", suite=Suite.RECEPTION, jour=date(2026, 4, 14)
    )
    procedure.refresh_from_db()
    recue.refresh_from_db()
    assert procedure.etat == Etat.RESILIEE and recue.date_certaine == date(2026, 4, 14)
    assert "sans effet sur la procédure" in faite.observation and "résiliation" in faite.observation
    assert not procedure.etapes.filter(acte="RECTIFIER_RECEPTION").exists()


def test_the_addressee_is_told_and_nothing_of_the_letter_is_in_the_e_mail(cast, procedure, recue):
    ecrits = Courriel.objects.filter(gabarit="lettre_envoyee")
    adresses = {cast.gens[qui].courriel for qui in ("gestionnaire_a", "signataire_a")}
    assert adresses <= set(ecrits.values_list("destinataire", flat=True))
    assert cast.gens["gestionnaire_b"].courriel not in set(ecrits.values_list("destinataire", flat=True))
    courriel = ecrits.get(destinataire=cast.gens["gestionnaire_a"].courriel)
    assert reverse("bilans:lettre", args=[recue.pk]) in courriel.corps_texte
    assert "n’ouvre aucun délai" in courriel.corps_texte
    for dit in ("mise en demeure", "bilan annuel", "deux mois", ENTETE["delegation"], cast.bailleur_a.nom):
        assert dit not in courriel.corps_texte.replace("\xa0", " ").lower(), dit
    avant = ecrits.count()
    lettres.corriger(
        cast.acteur("agent_ddets_06"),
        etape(recue, 2),
        raison="L’avis porte le 11.",
        suite=Suite.RECEPTION,
        jour=date(2026, 4, 11),
    )
    assert (
        ecrits.count() == 2 * avant and ecrits.filter(objet__startswith="Date d’une lettre").count() == avant
    )


# --- Templates --------------------------------------------------------------------------------------------------------


def publier(cast, corps, qui="agent_ddets_06", lue=0, raison="essai", **champs) -> GabaritLettre:
    maison = MODELES[Nature.MISE_EN_DEMEURE]
    modele = Modele(Nature.MISE_EN_DEMEURE, champs.get("objet", maison.objet), corps, maison.mentions)
    return lettres.publier_gabarit(
        cast.acteur(qui), Departement.objects.get(pk="06"), modele, raison=raison, lue=lue
    )


def test_a_template_is_versioned_and_a_signed_letter_keeps_its_own(cast, procedure, jour):
    corps = MODELES[Nature.MISE_EN_DEMEURE].corps
    premiere = publier(cast, corps + "\n\nCopie au maire.")
    lettre = signer(cast, projet(cast, procedure), jour)
    assert "Copie au maire." in lu(lettre) and lettre.gabarit == premiere
    octets = bytes(lettre.octets)
    seconde = publier(cast, corps + "\n\nCopie au président.", lue=1)
    lettre.refresh_from_db()
    assert bytes(lettre.octets) == octets and (premiere.version, seconde.version) == (1, 2)
    assert lettres.modele_en_vigueur("06", Nature.MISE_EN_DEMEURE).gabarit == seconde
    assert lettres.modele_en_vigueur("22", Nature.MISE_EN_DEMEURE).gabarit is None


def test_a_template_is_refused_with_a_sentence(cast):
    corps = MODELES[Nature.MISE_EN_DEMEURE].corps
    for qui in ("agent_ddets_22", "gestionnaire_a", "lecteur_ddets_06"):
        with pytest.raises(PermissionDenied):
            publier(cast, corps + "\n", qui=qui)
    for texte, phrase in (
        (corps + "\n{inconnue}", "n’est pas une variable de cette lettre"),
        (corps.replace("Vu le code de la construction", "Vu le code rural"), "ne s’enlève pas"),
        (corps, "rien n’est à publier"),
    ):
        with pytest.raises(ValidationError, match=phrase):
            publier(cast, texte)
    with pytest.raises(ValidationError, match="ce que cette version change"):
        publier(cast, corps + "\n\nx", raison=" ")
    publier(cast, corps + "\n\nx")
    with pytest.raises(ValidationError, match="Une autre version a été publiée"):
        publier(cast, corps + "\n\ny", lue=0)
