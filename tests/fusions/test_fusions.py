"""A bailleur absorbs another: the year follows, the past stays, nothing is counted twice."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from flux.models import (
    AssietteConvenue,
    CalculAFaire,
    CalculFlux,
    Commission,
    Imputation,
    Liberation,
    Nature,
    ReportObjectif,
    SoustractionPrevisionnelle,
)
from flux.services.calculs import calculer
from flux.services.file_de_calcul import marquer_a_calculer, traiter
from flux.services.imputations import imputer
from reservation.acteur import Acteur, Role
from reservation.models import (
    AgregatParc,
    Convention,
    Courriel,
    Derogation,
    Drapeau,
    EtatParc,
    EvenementAcces,
    ImportRpls,
    Logement,
    Organisation,
    Presence,
    VersionConvention,
)
from reservation.services import habilitations as h
from reservation.services import parc
from reservation.services.acces import acteur_de
from reservation.services.conventions import ajouter_avenant, creer_convention, deroger, signer_avenant
from reservation.services.fusions import fusionner_bailleurs, preparer_fusion
from tests.conventions.fabrique import signee
from tests.flux.fabriques import attribution, liberation, menage
from tests.parc.fabrique import SIRET_A, SIRET_B, logement, loi
from tests.personnages import distribuer, personne

pytestmark = pytest.mark.django_db
SYSTEME = Acteur.du_systeme("traité de fusion")
N = 2026
EFFET = date(N, 1, 1)
VEILLE = EFFET - timedelta(days=1)
PERIODE = {"debut": date(N - 1, 1, 1), "fin": date(N + 1, 12, 31)}


@pytest.fixture(autouse=True)
def aujourd_hui():
    with time_machine.travel(date(N, 6, 30), tick=False):
        yield


def importer(cast, bailleur, siret: str, millesime: int, *rangs: int, programme: str = "LES PINS") -> None:
    qui = "gestionnaire_a" if bailleur == cast.bailleur_a else "gestionnaire_b"
    lignes = [logement(r, SIRET=siret, IDENT_INT=f"L-{r}", COMPLGEO=programme) for r in rangs]
    recu = parc.recevoir_fichier(
        cast.acteur(qui),
        contenu=BytesIO(loi(lignes).encode()),
        nom=f"RPLS {siret} {millesime}.csv",
        millesime=millesime,
        differer=False,
    )
    recu = parc.analyser(recu.pk)
    assert recu.etat == "A_CONFIRMER", recu.message
    parc.confirmer(cast.acteur(qui), recu, differer=False)
    parc.appliquer(recu.pk)


@pytest.fixture
def cast(settings, tmp_path):
    """A (to be absorbed) and B: parc of two years, acts, one flag, libérations on both sides of the day."""
    settings.MEDIA_ROOT = tmp_path
    cast = distribuer()
    cast.bailleur_a.presences.filter(departement="22").delete()
    for millesime in (N - 1, N):
        importer(cast, cast.bailleur_a, SIRET_A, millesime, 1, 2, 3)
        importer(cast, cast.bailleur_b, SIRET_B, millesime, 101, 102, programme="LES CHENES")
    return cast


def preparer(cast):
    return preparer_fusion(SYSTEME, cast.bailleur_a, cast.bailleur_b, EFFET)


def fusionner(cast, acteur: Acteur = SYSTEME):
    return fusionner_bailleurs(acteur, cast.bailleur_a, cast.bailleur_b, EFFET)


# --- Conventions ----------------------------------------------------------------------------------------------------


def test_an_act_in_force_is_cut_and_goes_on(cast):
    acte = signee(cast, cast.ddets_06, "30", **PERIODE)
    avenant = ajouter_avenant(SYSTEME, acte, effet=date(N, 7, 1), objet="Révision", taux=Decimal(28))
    signer_avenant(SYSTEME, avenant, signee_le=date(N - 1, 12, 1))
    deroger(
        SYSTEME,
        acte,
        numero="D1",
        taux=Decimal(33),
        debut=date(N - 1, 7, 1),
        fin=date(N, 6, 29),
        motif="Besoins",
    )
    fusionner(cast)
    acte.refresh_from_db()
    assert (acte.bailleur, acte.debut, acte.fin) == (cast.bailleur_a, date(N - 1, 1, 1), VEILLE)
    suite = Convention.objects.get(bailleur=cast.bailleur_b)
    assert (suite.numero, suite.debut, suite.fin, suite.etat) == (
        acte.numero,
        EFFET,
        date(N + 1, 12, 31),
        "SIGNEE",
    )
    assert [(v.rang, v.effet, v.taux) for v in suite.versions.order_by("rang")] == [
        (0, EFFET, 30),
        (1, date(N, 7, 1), 28),
    ]
    assert [(v.rang, v.effet, v.taux) for v in acte.versions.all()] == [(0, date(N - 1, 1, 1), 30)]
    derogations = Derogation.objects.order_by("debut").values_list("convention", "debut", "fin", "bailleur")
    assert list(derogations) == [
        (acte.pk, date(N - 1, 7, 1), VEILLE, cast.bailleur_a.pk),
        (suite.pk, EFFET, date(N, 6, 29), cast.bailleur_b.pk),
    ]
    for modele in (VersionConvention, Derogation):
        assert (
            not modele.objects.exclude(bailleur__conventions_donnees=None)
            .exclude(convention__bailleur=cast.bailleur_a, bailleur=cast.bailleur_a)
            .exclude(convention__bailleur=cast.bailleur_b, bailleur=cast.bailleur_b)
            .exists()
        )
    assert set(acte.evenements.values_list("nature", flat=True)) >= {"FUSION"}
    assert suite.evenements.get().nature == "FUSION"


def test_an_act_of_later_changes_hands_and_one_of_before_stays(cast):
    tard = signee(cast, cast.als, "20", debut=date(N, 3, 1), fin=date(N + 1, 12, 31))
    fini = signee(cast, cast.commune_cannes, "10", debut=date(N - 1, 1, 1), fin=VEILLE)
    fusionner(cast)
    tard.refresh_from_db()
    fini.refresh_from_db()
    assert (tard.bailleur, tard.debut) == (cast.bailleur_b, date(N, 3, 1))
    assert tard.versions.get().bailleur == cast.bailleur_b
    assert (fini.bailleur, fini.fin) == (cast.bailleur_a, VEILLE)


def test_two_acts_with_one_reservataire_stand_in_the_way(cast):
    signee(cast, cast.als, "20", numero="ALS-A", **PERIODE)
    siens = signee(cast, cast.als, "25", numero="ALS-B", bailleur=cast.bailleur_b, **PERIODE)
    [obstacle] = preparer(cast).obstacles
    assert "ALS-A" in obstacle and "ALS-B" in obstacle
    with pytest.raises(ValidationError, match="ALS-B"):
        fusionner(cast)
    assert Logement.objects.filter(bailleur=cast.bailleur_a, millesime=N).count() == 3
    siens.fin = VEILLE
    siens.save()
    assert preparer(cast).obstacles == ()


def test_an_avenant_in_preparation_stands_in_the_way(cast):
    acte = signee(cast, cast.als, "20", **PERIODE)
    ajouter_avenant(SYSTEME, acte, effet=date(N, 7, 1), objet="Révision", taux=Decimal(28))
    assert "avenant est en préparation" in preparer(cast).obstacles[0]


def test_nobody_signs_with_a_closed_bailleur(cast):
    fusionner(cast)
    cast.bailleur_a.refresh_from_db()
    with pytest.raises(ValidationError, match="fermée"):
        creer_convention(
            SYSTEME,
            bailleur=cast.bailleur_a,
            reservataire=cast.als,
            departement=cast.ddets_06.departement,
            numero="X",
            **PERIODE,
        )


# --- Parc -----------------------------------------------------------------------------------------------------------


def test_the_parc_of_the_year_follows_and_the_past_stays(cast):
    fusionner(cast)
    comptes = {
        (o.nom, m): Logement.objects.filter(bailleur=o, millesime=m).count()
        for o in (cast.bailleur_a, cast.bailleur_b)
        for m in (N - 1, N)
    }
    assert list(comptes.values()) == [3, 0, 2, 5]
    for modele, champ in ((EtatParc, "logements"), (AgregatParc, "nombre")):
        for (nom, millesime), nombre in comptes.items():
            lignes = modele.objects.filter(bailleur__nom=nom, millesime=millesime)
            assert (lignes.aggregate(n=Sum(champ))["n"] or 0) == nombre, (modele, nom, millesime)
    assert EtatParc.objects.filter(bailleur=cast.bailleur_b, millesime=N).count() == 1
    assert not ImportRpls.objects.filter(bailleur=cast.bailleur_a, millesime=N).exists()


def test_a_new_departement_follows(cast):
    Presence.objects.filter(bailleur=cast.bailleur_b).delete()
    Logement.objects.filter(bailleur=cast.bailleur_b).delete()
    EtatParc.objects.filter(bailleur=cast.bailleur_b).delete()
    AgregatParc.objects.filter(bailleur=cast.bailleur_b).delete()
    fusionner(cast)
    assert Presence.objects.filter(bailleur=cast.bailleur_b, departement="06").exists()
    assert EtatParc.objects.get(bailleur=cast.bailleur_b, millesime=N).logements == 3
    assert AgregatParc.objects.filter(bailleur=cast.bailleur_b).aggregate(n=Sum("nombre"))["n"] == 3


def test_flags_follow_with_who_and_when(cast):
    cle = Logement.objects.filter(bailleur=cast.bailleur_a, millesime=N).earliest("cle")
    pose = parc.poser_drapeau(
        cast.acteur("gestionnaire_a"),
        bailleur=cast.bailleur_a,
        departement=cle.departement,
        portee=Drapeau.Portee.PROGRAMME,
        cible=cle.programme,
        code="DEFENSE",
        motif="Ministère",
    )
    Drapeau.objects.filter(pk=pose.pk).update(pose_le=pose.pose_le - timedelta(days=90))
    pose.refresh_from_db()
    fusionner(cast)
    copie = Drapeau.objects.get(bailleur=cast.bailleur_b)
    assert (copie.pose_le, copie.pose_par, copie.motif) == (pose.pose_le, pose.pose_par, "Ministère")
    statuts = Logement.objects.filter(millesime=N, bailleur=cast.bailleur_b, programme=cle.programme)
    assert set(statuts.values_list("statut", flat=True)) == {"RESERVE_ETAT"} or all(
        "DEFENSE" in ligne.drapeaux for ligne in statuts
    )
    autres = Logement.objects.filter(millesime=N, bailleur=cast.bailleur_b).exclude(programme=cle.programme)
    assert autres.count() == 2 and not any(ligne.drapeaux for ligne in autres)
    passes = Logement.objects.filter(millesime=N - 1, bailleur=cast.bailleur_a)
    assert all("DEFENSE" in ligne.drapeaux for ligne in passes)


def test_what_the_parc_puts_in_the_way(cast):
    importer(cast, cast.bailleur_b, SIRET_B, N, 1, 102)
    [cles, *reste] = preparer(cast).obstacles
    assert "1 logement de" in cles and reste == []
    EtatParc.objects.filter(bailleur=cast.bailleur_a, millesime=N).delete()
    assert "n’est pas importé" in preparer(cast).obstacles[0]


def test_a_programme_of_the_same_name_with_a_flag_stands_in_the_way(cast):
    importer(cast, cast.bailleur_b, SIRET_B, N, 101, 102, programme="LES PINS")
    cle = Logement.objects.filter(bailleur=cast.bailleur_b, millesime=N).earliest("cle")
    assert preparer(cast).obstacles == ()
    parc.poser_drapeau(
        cast.acteur("gestionnaire_b"),
        bailleur=cast.bailleur_b,
        departement=cle.departement,
        portee=Drapeau.Portee.PROGRAMME,
        cible=cle.programme,
        code="DEFENSE",
        motif="Ministère",
    )
    assert "existe chez les deux" in preparer(cast).obstacles[0]


def test_an_import_under_way_stands_in_the_way(cast):
    ImportRpls.objects.filter(bailleur=cast.bailleur_a, millesime=N).update(
        etat="A_CONFIRMER", applique_le=None
    )
    assert "n’est pas terminé" in preparer(cast).obstacles[0]


# --- Flux -----------------------------------------------------------------------------------------------------------


def test_what_is_open_or_of_the_year_follows(cast):
    a = cast.bailleur_a
    hier, demain = VEILLE - timedelta(days=60), EFFET + timedelta(days=30)
    restent = {
        "louee": liberation(a, hier),
        "louee sans bail connu": liberation(a, hier),
        "annulee": liberation(a, hier, annulee_le=hier, motif_annulation="Reste"),
        "soustraite": liberation(a, hier, usage="MUTATION"),
    }
    attribution(restent["louee"], VEILLE, date_bail=VEILLE)
    attribution(restent["louee sans bail connu"], VEILLE)
    suivent = {
        "ouverte": liberation(a, hier),
        "orientee": liberation(a, hier, reservataire=cast.als),
        "non reservee": liberation(a, hier, reservataire=a),
        "refusee": liberation(a, hier),
        "attribuee depuis": liberation(a, hier),
        "bail depuis": liberation(a, hier),
        "de l’annee": liberation(a, demain),
        "mutation de l’annee": liberation(a, demain, usage="MUTATION"),
    }
    attribution(suivent["refusee"], VEILLE, refusee_le=VEILLE)
    attribution(suivent["attribuee depuis"], demain, menage=menage())
    attribution(suivent["bail depuis"], VEILLE, date_bail=demain)
    Commission.objects.create(bailleur=a, departement_id="06", date=demain)
    ancienne = Commission.objects.create(bailleur=a, departement_id="06", date=hier)
    assert preparer(cast).comptes["libérations"] == len(suivent)
    fusionner(cast)
    for nom, ligne in (restent | suivent).items():
        ligne.refresh_from_db()
        attendu = cast.bailleur_b if nom in suivent else a
        assert ligne.bailleur == attendu, nom
        assert all(x.bailleur == attendu for x in ligne.attributions.all()), nom
    assert suivent["non reservee"].reservataire == cast.bailleur_b
    assert list(Commission.objects.filter(bailleur=a)) == [ancienne]


def test_one_dwelling_freed_the_same_day_at_both_stands_in_the_way(cast):
    for bailleur in (cast.bailleur_a, cast.bailleur_b):
        liberation(bailleur, date(N, 2, 1), cle_logement="MEME", reference="R-MEME")
    assert "R-MEME" in preparer(cast).obstacles[0]


def test_forecasts_and_reports_add_up(cast):
    for bailleur, nombre in ((cast.bailleur_a, 3), (cast.bailleur_b, 4)):
        lieu = {"bailleur": bailleur, "departement_id": "06"}
        for annee in (N - 1, N):
            SoustractionPrevisionnelle.objects.create(**lieu, annee=annee, categorie="RU", nombre=nombre)
            ReportObjectif.objects.create(
                **lieu, annee=annee, reservataire=cast.als, nombre=nombre, motif="Écart"
            )
    SoustractionPrevisionnelle.objects.create(
        bailleur=cast.bailleur_a, departement_id="06", annee=N, categorie="VENTE", nombre=1
    )
    fusionner(cast)
    for modele in (SoustractionPrevisionnelle, ReportObjectif):
        lignes = modele.objects.filter(departement="06").order_by("annee", "bailleur", "nombre")
        obtenues = {(x.annee, x.bailleur_id, getattr(x, "categorie", "ALS")): x.nombre for x in lignes}
        nature = "RU" if modele is SoustractionPrevisionnelle else "ALS"
        a, b = cast.bailleur_a.pk, cast.bailleur_b.pk
        attendues = {(N - 1, a, nature): 3, (N - 1, b, nature): 4, (N, b, nature): 7}
        if nature == "RU":
            attendues[N, b, "VENTE"] = 1
        assert obtenues == attendues


def test_the_assiette_of_the_year_is_agreed_again(cast):
    """What was agreed bears on neither parc any more; the year before stays agreed."""
    for bailleur in (cast.bailleur_a, cast.bailleur_b):
        for annee in (N - 1, N):
            AssietteConvenue.objects.create(
                bailleur=bailleur,
                departement_id="06",
                annee=annee,
                version=1,
                millesime=annee,
                parc=3,
                logements=3,
                etat="ACCEPTEE",
                proposee_pour=bailleur,
                proposee_le=timezone.now(),
                acceptee_le=timezone.now(),
            )
    fusionner(cast)
    etats = set(AssietteConvenue.objects.values_list("annee", "etat"))
    assert etats == {(N - 1, "ACCEPTEE"), (N, "REMPLACEE")}


def test_nothing_is_counted_twice(cast):
    """Flux and parc of the two bailleurs before = those of both after, year by year, by the real calculation."""
    a, b = cast.bailleur_a, cast.bailleur_b
    acte = signee(cast, cast.ddets_06, "30", **PERIODE)
    signee(cast, cast.als, "20", bailleur=b, **PERIODE)
    for bailleur in (a, b):
        for jour in (date(N - 1, 5, 1), date(N - 1, 11, 1), date(N, 2, 1)):
            freed = liberation(bailleur, jour)
            if jour.month == 5:
                attribution(freed, jour, date_bail=jour, menage=menage())
            if jour.year == N:
                attribution(freed, date(N, 3, 1), menage=menage())
    for annee in (N - 1, N):
        imputer(paires=[(a.pk, "06"), (b.pk, "06")], annee=annee)
        for bailleur in (a, b):
            calculer(bailleur.pk, "06", annee, Nature.DEFINITIF, "Avant")

    def totaux():
        lignes = CalculFlux.objects.filter(en_vigueur=True, nature=Nature.DEFINITIF)
        return {
            annee: lignes.filter(annee=annee).aggregate(n=Sum("liberations"))["n"] for annee in (N - 1, N)
        }

    def imputations():
        return Imputation.objects.order_by("pk").values_list("annee", "liberation")

    avant, titres = totaux(), sorted(imputations())
    assert avant == {N - 1: 4, N: 2} and len(titres) == 4
    fusionner(cast)
    assert set(CalculAFaire.objects.values_list("bailleur", "annee")) >= {
        (b.pk, N - 1),
        (b.pk, N),
        (a.pk, N - 1),
    }
    for annee in (N - 1, N):
        traiter("06", annee)
    assert not CalculAFaire.objects.exclude(erreur="").filter(annee=N - 1, bailleur=b).exists()
    assert totaux() == avant
    assert sorted(imputations()) == titres
    assert not CalculFlux.objects.filter(bailleur=a, annee=N, en_vigueur=True).exists()
    assert CalculFlux.objects.filter(bailleur=a, annee=N - 1, en_vigueur=True).exists()
    actuel = CalculFlux.objects.get(bailleur=b, annee=N, en_vigueur=True, nature=Nature.DEFINITIF)
    assert set(actuel.parts.values_list("code", flat=True)) >= {"ETAT", "ALS"}
    assert set(Imputation.objects.filter(annee=N).values_list("bailleur", flat=True)) == {b.pk}
    acte.refresh_from_db()
    assert acte.fin == VEILLE


def test_the_flux_of_the_absorbed_one_is_asked_for_no_more(cast):
    fusionner(cast)
    CalculAFaire.objects.all().delete()
    marquer_a_calculer([(cast.bailleur_a.pk, "06")], [N - 1, N, N + 1], "essai", appeler=False)
    assert list(CalculAFaire.objects.values_list("annee", flat=True)) == [N - 1]


# --- People and rights ----------------------------------------------------------------------------------------------


def test_people_go_on_and_read_the_past(cast):
    a, b = cast.bailleur_a, cast.bailleur_b
    invitation = h.inviter(cast.acteur("administrateur_a"), a, "neuf@a.example", ["LECTURE"])
    demande = h.demander_acces(cast.sans_organisation, a)
    chef = personne("chef@b.example", "Chef B", b, Role.ADMINISTRATION)
    fusionner(cast)
    for qui, roles in (
        (cast.gestionnaire_a, {Role.GESTION}),
        (cast.signataire_a, {Role.SIGNATURE}),
        (cast.administrateur_a, {Role.LECTURE}),
        (chef, {Role.ADMINISTRATION}),
    ):
        assert acteur_de(qui, b.pk).roles == roles
        assert acteur_de(qui).organisation_id == b.pk, "the closed one is chosen, never met at the sign-in"
        assert (acteur_de(qui, a.pk).organisation_id, acteur_de(qui, a.pk).roles) == (a.pk, {Role.LECTURE})
    assert h.invitation_par_secret(invitation.secret) is None
    demande.refresh_from_db()
    assert demande.etat == "REFUSEE"
    assert Courriel.objects.filter(gabarit="fusion").count() == 4
    acteur = acteur_de(chef, b.pk)
    assert a in Organisation.objects.modifiables_par(acteur)
    assert h.inviter(acteur, a, "nouveau@b.example", ["LECTURE"])
    a.refresh_from_db()
    assert h.responsables_de(a) == h.responsables_de(Organisation.objects.get(pk=b.pk)) == [chef]


def test_the_page_of_the_closed_one(cast, client):
    fusionner(cast)
    client.force_login(cast.administrateur_ddets_06)
    page = client.get(f"/organisations/{cast.bailleur_a.pk}/").content.decode()
    assert "fermée depuis le" in page and "absorbée par Logis Essai B" in page
    client.force_login(cast.gestionnaire_a)
    dit = "absorbée par un autre bailleur\u00a0: on n’y lit plus que son passé"
    assert "absorbée par un autre bailleur" in client.get("/mes-acces/").content.decode()
    assert dit not in client.get("/").content.decode()  # on the one that goes on
    client.post(reverse("changer_organisation"), {"organisation": cast.bailleur_a.pk})
    assert all(
        dit in client.get(url).content.decode().replace("&nbsp;", "\u00a0") for url in ("/", "/conventions/")
    )


def test_from_the_page_what_follows_is_shown_first(cast, client):
    client.force_login(cast.administrateur_ddets_06)
    adresse = f"/organisations/{cast.bailleur_a.pk}/fusion/"
    assert "Logis Essai B" in client.get(adresse).content.decode()
    saisie = {"absorbant": str(cast.bailleur_b.pk), "effet": EFFET.isoformat()}
    for refusee, phrase in (("", "Indiquez une date"), (f"{N}-03-01", "prend effet un 1er janvier")):
        reponse = client.post(adresse, saisie | {"effet": refusee})
        assert reponse.status_code == 422
        assert phrase in reponse.content.decode()
    Presence.objects.create(bailleur=cast.bailleur_a, departement_id="22")
    assert client.post(adresse, saisie).status_code == 403
    Presence.objects.filter(departement="22").delete()
    assert client.post(adresse, saisie | {"absorbant": str(cast.als.pk)}).status_code == 422
    page = client.post(adresse, saisie).content.decode()
    assert "Logements\u00a0: 3" in page.replace("&nbsp;", "\u00a0") and 'name="confirmer"' in page
    liberations = [
        liberation(b, date(N, 2, 1), cle_logement="MEME", reference="R-MEME")
        for b in (cast.bailleur_a, cast.bailleur_b)
    ]
    page = client.post(adresse, saisie).content.decode()
    assert "R-MEME" in page and 'name="confirmer"' not in page
    assert client.post(adresse, saisie | {"confirmer": "1"}).status_code == 422
    liberations[0].delete()
    assert client.post(adresse, saisie | {"confirmer": "1"}).status_code == 302
    assert client.get(adresse).status_code == 404


def test_who_may_merge(cast):
    dreal = personne("acces@dreal.example", "Accès DREAL", cast.dreal_paca, Role.ADMINISTRATION)
    personne("chef@b.example", "Chef B", cast.bailleur_b, Role.ADMINISTRATION)
    for qui in ("gestionnaire_a", "administrateur_a", "agent_ddets_06", "charge_dreal", "agent_ddets_22"):
        with pytest.raises(PermissionDenied):
            fusionner(cast, cast.acteur(qui))
    Presence.objects.create(bailleur=cast.bailleur_a, departement_id="22")
    for acteur in (cast.acteur("administrateur_ddets_06"), acteur_de(dreal)):
        with pytest.raises(PermissionDenied, match="tous ses départements"):
            fusionner(cast, acteur)
    Presence.objects.filter(departement="22").delete()
    fusionner(cast, acteur_de(dreal))
    assert EvenementAcces.objects.filter(nature="FUSION", par=dreal).count() == 2


@pytest.mark.parametrize(
    ("jour", "phrase"),
    [
        (VEILLE, "un 1er janvier"),
        (date(N, 1, 2), "un 1er janvier"),
        (date(N - 2, 1, 1), f"au plus tôt le 1er janvier {N - 1}"),
        (date(N + 1, 1, 1), "à venir"),
        (date(N, 7, 1), "à venir"),
    ],
)
def test_the_day_is_a_first_of_january_that_has_come(cast, jour, phrase):
    with pytest.raises(ValidationError, match=phrase) as refus:
        preparer_fusion(SYSTEME, cast.bailleur_a, cast.bailleur_b, jour)
    assert set(refus.value.message_dict) == {"effet"}


def test_the_day_may_be_that_of_the_year_before(cast, client):
    """Chosen on the page: the parc, the acts and the libérations of both years follow."""
    acte = signee(cast, cast.ddets_06, "30", debut=date(N - 2, 1, 1), fin=date(N, 12, 31))
    avant, apres = (liberation(cast.bailleur_a, date(an, 5, 1)) for an in (N - 2, N - 1))
    attribution(avant, date(N - 2, 6, 1), date_bail=date(N - 2, 6, 1))
    effet = date(N - 1, 1, 1)
    client.force_login(cast.administrateur_ddets_06)
    adresse = f"/organisations/{cast.bailleur_a.pk}/fusion/"
    saisie = {"absorbant": str(cast.bailleur_b.pk), "effet": f"01/01/{N - 1}"}
    assert 'name="confirmer"' in client.post(adresse, saisie).content.decode()
    assert client.post(adresse, saisie | {"confirmer": "1"}).status_code == 302
    cast.bailleur_a.refresh_from_db()
    acte.refresh_from_db()
    assert (cast.bailleur_a.fermee_le, acte.fin) == (effet, effet - timedelta(days=1))
    assert Convention.objects.get(bailleur=cast.bailleur_b).debut == effet
    assert not Logement.objects.filter(bailleur=cast.bailleur_a).exists()
    for ligne, bailleur in ((avant, cast.bailleur_a), (apres, cast.bailleur_b)):
        ligne.refresh_from_db()
        assert ligne.bailleur == bailleur


def test_parties_are_two_open_bailleurs(cast):
    for absorbe, absorbant in (
        (cast.bailleur_a, cast.bailleur_a),
        (cast.bailleur_a, cast.als),
        (cast.ddets_06, cast.bailleur_a),
    ):
        with pytest.raises(ValidationError):
            preparer_fusion(SYSTEME, absorbe, absorbant, EFFET)
    fusionner(cast)
    with pytest.raises(ValidationError, match="déjà fermée"):
        fusionner(cast)


def test_the_command_is_dry_by_default(cast):
    sortie = StringIO()
    arguments = ("fusionner_bailleurs", cast.bailleur_a.siren, cast.bailleur_b.siren, "--motif", "traité")
    call_command(*arguments, stdout=sortie)
    assert "logements : 3" in sortie.getvalue() and "Rien n’est fait" in sortie.getvalue()
    assert not Organisation.objects.filter(fermee_le__isnull=False).exists()
    call_command(*arguments, "--effet", f"{N - 1}-01-01", stdout=sortie)
    assert f"1er janvier {N - 1}" in sortie.getvalue() and "logements : 6" in sortie.getvalue()
    call_command(*arguments, "--appliquer", stdout=sortie)
    assert Organisation.objects.get(fermee_le__isnull=False) == cast.bailleur_a
    with pytest.raises(CommandError, match="déjà fermée"):
        call_command(*arguments)
    with pytest.raises(CommandError, match="999999999"):
        call_command("fusionner_bailleurs", "999999999", cast.bailleur_b.siren, "--motif", "x")
    assert not Liberation.objects.filter(bailleur=cast.bailleur_a, date__gte=EFFET).exists()
