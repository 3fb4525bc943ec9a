"""The control file: everything that is kept, byte for byte, of one bailleur and of nobody else; asked, made, checked."""

import io
import zipfile
from datetime import date

import pandas
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from bilans.documents.dossier_zip import verifier
from bilans.models import DossierControle
from bilans.regles.procedures import Acte, Lettre, Sorte
from bilans.regles.procedures_delais import Suite
from bilans.services import dossiers_controle, lettres, procedures
from bilans.services.lettres import Preuve
from bilans.services.procedures_situation import Objet
from reservation.models import Departement, VersionConvention
from tests.flux.fabriques import attribution, liberation
from tests.lettres.test_lettres import PDF, projet, signer
from tests.procedures.fabriques import actes, chiffres, remettre

pytestmark = pytest.mark.django_db


def demander(cast, qui="agent_ddets_06", **options) -> DossierControle:
    return dossiers_controle.demander(
        cast.acteur(qui),
        options.get("bailleur", cast.bailleur_a),
        Departement.objects.get(pk="06"),
        options.get("procedure"),
    )


def test_everything_is_in_it_and_it_can_be_checked(cast, procedure, jour):
    lettre = signer(cast, projet(cast, procedure), jour)
    lettres.inscrire(
        cast.acteur("agent_ddets_06"),
        lettre,
        Suite.ENVOI,
        jour,
        numero="1A 000",
        preuve=Preuve("ar.pdf", PDF),
    )
    dossier = dossiers_controle.produire(demander(cast).pk)
    octets = bytes(dossier.octets)
    verification = verifier(octets)
    assert verification.anomalies == () and verification.empreinte == dossier.empreinte
    assert verification.manifeste["bailleur"] == cast.bailleur_a.nom
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        noms = set(archive.namelist())
        assert archive.read("lettres/MED-06-2026-001.pdf") == bytes(lettre.octets)
        assert archive.read("lettres/preuves/MED-06-2026-001-1.pdf") == PDF
        assert archive.read("00-sommaire.pdf").startswith(b"%PDF")
        (convention,) = [nom for nom in noms if nom.startswith("conventions/")]
        assert archive.read(convention).startswith(b"%PDF")
        feuilles = pandas.read_excel(
            io.BytesIO(archive.read("dossier.xlsx")), sheet_name=None, engine="calamine"
        )
    quoi = " ".join(feuilles["Chronologie"]["Ce qui s’est passé"])
    faits = (
        "Signature : ",
        "Ouvrir la procédure",
        "Signer la mise en demeure",
        "MED-06-2026-001 signée",
        "envoyée",
    )
    for fait in faits:
        assert fait in quoi, fait
    # In order, those of one day too: no letter leaves before it is signed.
    assert sorted(faits, key=quoi.index) == list(faits)
    assert list(feuilles["Lettres"]["SHA-256"]) == [lettre.empreinte]
    chiffres = feuilles["Chiffres à chaque acte"]
    assert "le bilan annuel 2025" in set(chiffres["Valeur"])  # what was known that day
    assert dossiers_controle.produire(dossier.pk) is None  # made once


def test_an_avenant_is_on_the_day_of_its_signature(cast, procedure):
    version = VersionConvention.objects.get(rang=0)
    version.pk, version.rang, version.objet = None, 1, "Taux revu"
    version.effet, version.signee_le = date(2026, 1, 1), date(2025, 12, 18)
    version.save(force_insert=True)
    dossier = dossiers_controle.produire(demander(cast).pk)
    with zipfile.ZipFile(io.BytesIO(bytes(dossier.octets))) as archive:
        noms = set(archive.namelist())
        chronologie = pandas.read_excel(
            io.BytesIO(archive.read("dossier.xlsx")), sheet_name="Chronologie", engine="calamine"
        )
    [ligne] = [x for x in chronologie.to_dict("records") if "avenant 1" in x["Ce qui s’est passé"]]
    assert ligne["Date"].date() == date(2025, 12, 18) and "Taux revu" in ligne["Détail"]
    assert "1er janvier 2026" in ligne["Détail"].replace("\u00a0", " ") and ligne["Pièce"] in noms


def test_nothing_of_another_bailleur_is_in_it(cast, procedure, jour):
    lettre = signer(cast, projet(cast, procedure), jour)
    dossier = dossiers_controle.produire(demander(cast, bailleur=cast.bailleur_b).pk)
    with zipfile.ZipFile(io.BytesIO(bytes(dossier.octets))) as archive:
        tout = b"".join(archive.read(nom) for nom in archive.namelist()) + repr(archive.namelist()).encode()
    assert lettre.numero.encode() not in tout and cast.bailleur_a.nom.encode() not in tout


def test_who_asks(cast, procedure):
    for qui in ("gestionnaire_a", "lecteur_ddets_06", "agent_ddets_22", "agent_sgc_06"):
        with pytest.raises(PermissionDenied):
            demander(cast, qui)
    un = demander(cast, procedure=procedure)
    assert demander(cast, procedure=procedure) == un  # asked twice, made once
    assert demander(cast) != un
    with pytest.raises(ValidationError, match="pas de logement"):
        dossiers_controle.demander(
            cast.acteur("agent_ddets_22"), cast.bailleur_b, Departement.objects.get(pk="22")
        )


def test_a_failure_is_said_and_a_lost_message_is_found(cast, procedure, monkeypatch, time_machine):
    dossier = demander(cast)
    time_machine.move_to("2026-04-07 10:00:00+00:00")
    from django.utils import timezone

    assert dossiers_controle.en_attente(timezone.now()) == [dossier.pk]
    monkeypatch.setattr(dossiers_controle, "assembler", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dossiers_controle.produire(dossier.pk)
    dossier.refresh_from_db()
    assert dossier.etat == "ECHEC" and "n’a pas pu être produit" in dossier.message


def test_the_page(client, cast, procedure):
    client.force_login(cast.agent_ddets_06)
    page = reverse("bilans:dossiers")
    assert "Préparer un dossier" in client.get(page).content.decode()
    assert client.post(reverse("bilans:dossier_procedure", args=[procedure.pk])).status_code == 302
    dossier = DossierControle.objects.get()
    assert client.get(reverse("bilans:dossier_zip", args=[dossier.pk])).status_code == 404
    dossiers_controle.produire(dossier.pk)
    reponse = client.get(reverse("bilans:dossier_zip", args=[dossier.pk]))
    assert verifier(reponse.content).anomalies == ()
    assert DossierControle.objects.get().empreinte in client.get(page).content.decode()
    client.force_login(cast.gestionnaire_a)
    assert client.get(page).status_code == 404


def test_the_file_of_a_procedure_about_a_reservataire(client, cast, procedure, time_machine):
    """The quarter of Action Logement in the whole département: its acts and letters, and nothing of any bailleur's own."""
    actes(cast, cast.bailleur_b, date(2025, 1, 1), date(2027, 12, 31))
    chiffres(cast.bailleur_b, 2025, {}, {"ALS": (1, 20)})
    remettre(cast.bailleur_b, 2025, cast.gens["gestionnaire_b"], valider=True)
    signe = cast.acteur("signataire_ddets_06")
    quart = procedures.ouvrir(signe, Objet(Sorte.QUART, "06", 2025, reservataire=cast.als.pk))
    procedures.accomplir(signe, quart, Acte.NOTIFIER)
    procedures.sur_lettre_remise(quart.pk, Lettre.NOTIFICATION_QUART, date(2026, 4, 7))
    time_machine.move_to("2026-06-01 09:00:00+00:00")
    procedures.accomplir(signe, quart, Acte.ATTRIBUER)
    libre = liberation(cast.bailleur_b, date(2026, 6, 1), reservataire=cast.als, reference="PREF-1")
    attribution(libre, date(2026, 6, 1))
    procedures.inscrire_attribution(signe, quart, "PREF-1")
    client.force_login(cast.agent_ddets_06)
    page = client.get(reverse("bilans:procedure", args=[quart.pk])).content.decode()
    assert reverse("bilans:dossier_procedure", args=[quart.pk]) in page
    assert client.post(reverse("bilans:dossier_procedure", args=[quart.pk])).status_code == 302
    dossier = dossiers_controle.produire(DossierControle.objects.get().pk)
    assert (dossier.bailleur, dossier.reservataire, dossier.objet) == (None, cast.als, cast.als)
    verification = verifier(bytes(dossier.octets))
    assert verification.anomalies == () and verification.manifeste["reservataire"] == cast.als.nom
    with zipfile.ZipFile(io.BytesIO(bytes(dossier.octets))) as archive:
        noms = " ".join(archive.namelist())
        feuilles = pandas.read_excel(
            io.BytesIO(archive.read("dossier.xlsx")), sheet_name=None, engine="calamine"
        )
    assert set(feuilles["Conventions"]["Réservataire"]) == {cast.als.nom}
    assert set(feuilles["Chiffres à chaque acte"]["Procédure"]) == {quart.numero}
    # What the préfet attributed comes after its decision, though its day has no hour.
    quoi = list(feuilles["Chronologie"]["Ce qui s’est passé"])
    imputee = f"{quart.numero} : attribution du préfet imputée"
    assert quoi.index(imputee) > quoi.index(f"{quart.numero} : Signer la décision d’attribution directe")
    assert procedure.numero not in repr(feuilles) and "accuses/" not in noms
    liste = client.get(reverse("bilans:dossiers")).content.decode()
    assert cast.als.nom in liste and dossier.empreinte in liste
    assert client.get(reverse("bilans:dossier_zip", args=[dossier.pk])).status_code == 200
