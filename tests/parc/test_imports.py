"""The life of an import in the database: what is shown before, what is written, what never is."""

import threading
from datetime import date
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Count, F, Sum

from reservation.acteur import Acteur
from reservation.models import (
    AgregatParc,
    Commune,
    Departement,
    Drapeau,
    EtatParc,
    ImportRpls,
    Logement,
    Organisation,
    Presence,
    StatutLogement,
)
from reservation.perimetre import agir
from reservation.regles.statut import STATUTS_DANS
from reservation.services import parc
from reservation.services.parc import imports
from reservation.services.parc.application import Chargement
from reservation.services.parc.calcul import rafraichir_l_agregat
from reservation.services.parc.imports import Options
from reservation.signaux import entrees_modifiees

from .fabrique import CORSE, SIREN_INCONNU, SIRET_B, SIRET_INCONNU, depot, ecrire, logement, logements, loi

Etat = ImportRpls.Etat
SYSTEME = Acteur.du_systeme("essai")


@pytest.fixture
def signaux():
    recus = []

    def recevoir(sender, paires, annee, raison, **_signal):
        recus.append((sender, set(paires), annee, raison))

    entrees_modifiees.connect(recevoir)
    yield recus
    entrees_modifiees.disconnect(recevoir)


@pytest.fixture
def deposer(cast, tmp_path):
    """Send a file as somebody, and read it at once."""

    def deposer(texte, millesime=2025, qui="gestionnaire_a", nom="RPLS.csv", lire=True) -> ImportRpls:
        chemin = ecrire(tmp_path, texte, nom)
        with open(chemin, "rb") as contenu:
            import_rpls = parc.recevoir_fichier(
                cast.acteur(qui), contenu=contenu, nom=nom, millesime=millesime, differer=False
            )
        return parc.analyser(import_rpls.pk) if lire and import_rpls.etat == Etat.RECU else import_rpls

    return deposer


@pytest.fixture
def enregistrer(deposer, cast):
    """The whole way of a file that its sender agrees to."""

    def enregistrer(texte, millesime=2025, qui="gestionnaire_a") -> ImportRpls:
        import_rpls = deposer(texte, millesime, qui)
        if import_rpls.etat == Etat.A_CONFIRMER:
            parc.confirmer(cast.acteur(qui), import_rpls, differer=False)
            import_rpls = parc.appliquer(import_rpls.pk)
        assert import_rpls.etat == Etat.APPLIQUE, import_rpls.message
        return import_rpls

    return enregistrer


def photo() -> list[tuple]:
    """Everything that the parc says, but when it was written and by whom."""
    champs = [
        f.attname
        for f in Logement._meta.concrete_fields
        if f.attname not in ("id", "import_rpls_id", "ligne")
    ]
    return sorted(Logement.objects.order_by().values_list(*champs), key=str)


def cellules() -> list[tuple]:
    champs = [f.attname for f in AgregatParc._meta.concrete_fields if f.attname != "id"]
    return sorted(AgregatParc.objects.order_by().values_list(*champs), key=str)


def verifier_coherence() -> None:
    """The aggregate counts the lines, the states count the aggregate, no line is an orphan."""
    assert (AgregatParc.objects.aggregate(n=Sum("nombre"))["n"] or 0) == Logement.objects.count()
    for etat in EtatParc.objects.order_by("pk"):
        lignes = Logement.objects.filter(
            bailleur=etat.bailleur_id, departement=etat.departement_id, millesime=etat.millesime
        )
        assert etat.logements == lignes.count()
    assert not Logement.objects.exclude(commune__in=Commune.objects.all()).exists()
    assert not Logement.objects.exclude(bailleur__in=Organisation.objects.bailleurs()).exists()
    assert not Logement.objects.exclude(departement=F("commune__departement")).exists()
    assert not Logement.objects.exclude(
        import_rpls__in=ImportRpls.objects.filter(etat=Etat.APPLIQUE)
    ).exists()
    paires = set(Logement.objects.order_by().values_list("bailleur", "departement").distinct())
    assert paires <= set(Presence.objects.values_list("bailleur", "departement"))
    # Counted from a file or from the lines, the aggregate is the same.
    ecrites = cellules()
    millesimes = set(Logement.objects.order_by().values_list("millesime", flat=True).distinct())
    with transaction.atomic():
        rafraichir_l_agregat(paires, millesimes)
        assert cellules() == ecrites
        transaction.set_rollback(True)


def fichiers() -> set[str]:
    racine = Path(default_storage.location)
    return {str(f.relative_to(racine)) for f in racine.rglob("*") if f.is_file()}


# --- The way of a file ------------------------------------------------------------------------------------------------


def test_le_chemin_d_un_fichier(deposer, cast, signaux):
    import_rpls = deposer(loi(logements(5)))
    assert import_rpls.etat == Etat.A_CONFIRMER
    assert (import_rpls.famille, import_rpls.bailleur) == ("LOI", cast.bailleur_a)
    assert (import_rpls.lignes_lues, import_rpls.lignes_acceptees, import_rpls.lignes_ignorees) == (6, 5, 1)
    assert import_rpls.rapport["changements"]["nouveaux"] == 5
    assert import_rpls.rapport["statuts"] == {"CONVENTIONNE": 5}
    assert not Logement.objects.exists() and not signaux

    parc.confirmer(cast.acteur("signataire_a"), import_rpls, differer=False)
    assert ImportRpls.objects.get().etat == Etat.EN_APPLICATION
    import_rpls = parc.appliquer(import_rpls.pk)
    assert (import_rpls.etat, import_rpls.avancement) == (Etat.APPLIQUE, 100)
    assert (
        import_rpls.message == "Parc de 2025 enregistré\u00a0: 5 nouveaux logements, 0 modifié et 0 disparu."
    )
    assert import_rpls.cree_par == cast.gestionnaire_a and import_rpls.confirme_par == cast.signataire_a

    lue = Logement.objects.get(ident_int="A-2")
    assert (lue.cle, lue.commune_id, lue.departement_id, lue.millesime) == ("0600000002", "06029", "06", 2025)
    assert (lue.typologie, lue.financement, lue.periode, lue.statut) == (
        "T3",
        "PLUS",
        "1971-90",
        "CONVENTIONNE",
    )
    assert (lue.qpv, lue.nbpiece, str(lue.bail), lue.ligne) == (False, 3, "2015-03-01", 3)
    paire = {(cast.bailleur_a.pk, "06")}
    assert signaux == [
        (Logement, paire, 2025, "RPLS 2025\u00a0: 5 nouveaux logements, 0 modifié et 0 disparu")
    ]
    verifier_coherence()


def test_les_fichiers_de_travail_disparaissent(enregistrer):
    import_rpls = enregistrer(loi(logements(3)))
    assert fichiers() == {import_rpls.fichier.name}


def test_un_fichier_reel(enregistrer, cast):
    import_rpls = enregistrer(CORSE.read_text(encoding="latin-1"), 2018)
    assert Logement.objects.filter(bailleur=cast.bailleur_a).count() == import_rpls.lignes_acceptees == 288
    assert set(EtatParc.objects.values_list("departement", flat=True)) == {"2A", "2B"}
    assert not AgregatParc.objects.exclude(anciens=0, emmenages=0).exists()
    assert AgregatParc.objects.filter(typeconst="E", statut__in=STATUTS_DANS).exists()
    verifier_coherence()


@pytest.mark.parametrize(
    ("qui", "permis"),
    [
        ("gestionnaire_a", True),
        ("signataire_a", True),
        ("lecteur_a", False),
        ("administrateur_a", False),
        ("agent_ddets_06", False),
        ("charge_als", False),
        ("agent_cannes", False),
        ("charge_dreal", False),
        ("sans_organisation", False),
    ],
)
def test_qui_depose(deposer, qui, permis):
    if permis:
        assert deposer(loi(logements(2)), qui=qui, lire=False).etat == Etat.RECU
    else:
        with pytest.raises(PermissionDenied):
            deposer(loi(logements(2)), qui=qui, lire=False)
        assert not ImportRpls.objects.exists() and not fichiers()


def test_un_bailleur_ne_depose_ni_pour_un_autre_ni_en_repartition(cast, tmp_path):
    with open(ecrire(tmp_path, loi(logements(2))), "rb") as contenu:
        for options in ({"bailleur": cast.bailleur_b}, {"repartir": 3}):
            with pytest.raises(PermissionDenied):
                parc.recevoir_fichier(
                    cast.acteur("gestionnaire_a"), contenu=contenu, nom="x.csv", millesime=2025, **options
                )


@pytest.mark.parametrize("qui", ["gestionnaire_b", "lecteur_a", "agent_ddets_06"])
def test_qui_ne_decide_pas_de_l_import_d_un_autre(deposer, cast, qui):
    import_rpls = deposer(loi(logements(2)))
    for acte in (parc.confirmer, parc.abandonner, parc.reprendre):
        with pytest.raises(PermissionDenied):
            acte(cast.acteur(qui), import_rpls)
    assert ImportRpls.objects.get().etat == Etat.A_CONFIRMER


@pytest.mark.parametrize("millesime", [2010, 2100])
def test_millesime_impossible(deposer, millesime):
    with pytest.raises(ValidationError):
        deposer(loi(logements(2)), millesime)


# --- Refused, given up ------------------------------------------------------------------------------------------------


def test_une_image_est_refusee_des_sa_reception(deposer):
    import_rpls = deposer(b"\x89PNG\r\n" + bytes(100), nom="RPLS.csv")
    assert import_rpls.etat == Etat.REFUSE
    assert import_rpls.message == "Ce fichier est une image\u00a0: un fichier RPLS est un fichier CSV."
    assert not fichiers()
    assert parc.analyser(import_rpls.pk).etat == Etat.REFUSE


def test_trop_d_erreurs_refuse_le_fichier_et_garde_le_rapport(deposer):
    import_rpls = deposer(loi(logements(4, DEPCOM="99999")))
    assert import_rpls.etat == Etat.REFUSE
    assert (import_rpls.lignes_lues, import_rpls.lignes_rejetees) == (5, 4)
    assert import_rpls.rapport["erreurs"][0]["code"] == "DEPCOM_INCONNU"
    assert fichiers() == {import_rpls.rejets}


def test_le_fichier_d_un_autre_bailleur(deposer):
    import_rpls = deposer(loi(logements(4, SIRET=SIRET_B)))
    assert import_rpls.etat == Etat.REFUSE
    assert import_rpls.message == "Ce fichier est celui d’un autre bailleur\u00a0: 4 logements sur 4."
    assert deposer(depot(logements(4), siret=SIRET_B)).etat == Etat.REFUSE


def test_abandonner(deposer, cast):
    import_rpls = deposer(loi(logements(3)))
    with connection.cursor():
        parc.abandonner(cast.acteur("gestionnaire_a"), import_rpls)
    import_rpls.refresh_from_db()
    assert import_rpls.etat == Etat.ABANDONNE
    for acte in (parc.confirmer, parc.abandonner, parc.reprendre):
        with pytest.raises(ValidationError):
            acte(cast.acteur("gestionnaire_a"), import_rpls)
    assert parc.appliquer(import_rpls.pk).etat == Etat.ABANDONNE
    assert not Logement.objects.exists()


def test_abandonner_rend_les_fichiers(deposer, cast, django_capture_on_commit_callbacks):
    import_rpls = deposer(loi(logements(3)))
    assert len(fichiers()) > 1
    with django_capture_on_commit_callbacks(execute=True):
        parc.abandonner(cast.acteur("gestionnaire_a"), import_rpls)
    assert not fichiers()


def test_on_n_abandonne_pas_ce_qui_est_enregistre(enregistrer, cast):
    import_rpls = enregistrer(loi(logements(3)))
    with pytest.raises(ValidationError):
        parc.abandonner(cast.acteur("gestionnaire_a"), import_rpls)


def test_les_lignes_rejetees_se_telechargent(deposer):
    import_rpls = deposer(loi([*logements(5), logement(6, QPV="7")]))
    assert import_rpls.etat == Etat.A_CONFIRMER
    with default_storage.open(import_rpls.rejets) as rejets:
        assert "Ligne 7 | Quartier prioritaire" in rejets.read().decode("utf-8-sig")


# --- The same file, another file --------------------------------------------------------------------------------------


def test_le_meme_fichier_ne_change_rien_et_le_dit(enregistrer, signaux):
    enregistrer(loi(logements(5)))
    avant, totaux = photo(), cellules()
    etats = list(EtatParc.objects.values_list("pk", "revision", "import_rpls"))
    signaux.clear()
    encore = enregistrer(loi(logements(5)))
    assert "déjà enregistré" in encore.message and "5 logements identiques" in encore.message
    assert (encore.lignes_lues, encore.lignes_acceptees) == (6, 5)
    assert encore.rapport["changements"]["identiques"] == 5
    assert (photo(), cellules()) == (avant, totaux)
    assert list(EtatParc.objects.values_list("pk", "revision", "import_rpls")) == etats
    assert not signaux


@pytest.mark.parametrize("forme", ["ordre", "encodage", "guillemets", "separateur", "depot"])
def test_les_memes_logements_sous_une_autre_forme_ne_changent_rien(enregistrer, signaux, forme):
    lignes = logements(5, NOMVOIE="DES CHÊNES")
    enregistrer(loi(lignes))
    avant = photo()
    signaux.clear()
    autre = {
        "ordre": lambda: loi(lignes[::-1]),
        "encodage": lambda: loi(lignes).encode("cp1252"),
        "guillemets": lambda: loi(lignes, guillemets=True, fin="\r\n"),
        "separateur": lambda: loi(lignes, sep="\t"),
        "depot": lambda: depot(lignes),
    }[forme]()
    encore = enregistrer(autre)
    assert encore.message.startswith("Ce fichier ne change rien")
    assert photo() == avant and not signaux


def test_le_meme_fichier_apres_une_correction_est_relu(enregistrer):
    """The bytes are known, but the parc is no longer what they made of it."""
    enregistrer(loi(logements(5)))
    enregistrer(loi(logements(5, NBPIECE="4")))
    retour = enregistrer(loi(logements(5)))
    assert retour.rapport["changements"]["modifies"] == 5
    assert set(Logement.objects.values_list("nbpiece", flat=True)) == {3}


def test_un_fichier_corrige_montre_ce_qu_il_change_puis_le_fait(deposer, enregistrer, cast, signaux):
    enregistrer(loi(logements(20)))
    anciens = dict(Logement.objects.values_list("cle", "pk"))
    corrige = logements(20)
    corrige[1] |= {"NBPIECE": "4", "SURFHAB": "80"}
    corrige[2] |= {"FINAN": "16"}
    del corrige[19]
    corrige += [logement(30), logement(31)]
    signaux.clear()

    import_rpls = deposer(loi(corrige))
    changements = import_rpls.rapport["changements"]
    assert {n: changements[n] for n in ("nouveaux", "modifies", "identiques", "disparus")} == {
        "nouveaux": 2,
        "modifies": 2,
        "identiques": 17,
        "disparus": 1,
    }
    assert {c["champ"]: c["nombre"] for c in changements["champs"]} == {
        "nbpiece": 1,
        "surfhab": 1,
        "finan": 1,
    }
    modifie = changements["exemples"]["modifies"][0]
    assert modifie["reference"] == "A-2"
    assert modifie["champs"][0] == {
        "champ": "nbpiece",
        "libelle": "nombre de pièces",
        "avant": "3",
        "apres": "4",
    }
    assert [n["reference"] for n in changements["exemples"]["nouveaux"]] == ["A-30", "A-31"]
    assert [d["reference"] for d in changements["exemples"]["disparus"]] == ["A-20"]
    assert import_rpls.rapport["statuts"] == {"CONVENTIONNE": 20, "PLI": 1}
    assert import_rpls.rapport["alertes"] == []
    assert Logement.objects.count() == 20 and not signaux

    parc.confirmer(cast.acteur("gestionnaire_a"), import_rpls, differer=False)
    parc.appliquer(import_rpls.pk)
    assert Logement.objects.count() == 21
    lue = Logement.objects.get(cle="0600000002")
    assert (lue.nbpiece, lue.typologie, lue.pk) == (4, "T4", anciens["0600000002"])
    assert Logement.objects.get(cle="0600000003").statut == "PLI"
    assert EtatParc.objects.get().logements == 21
    assert len(signaux) == 1
    verifier_coherence()


def test_un_fichier_qui_vide_le_parc_est_signale(deposer, enregistrer):
    enregistrer(loi(logements(10)))
    import_rpls = deposer(loi(logements(7)))
    (alerte,) = import_rpls.rapport["alertes"]
    assert "retire 3 logements sur les 10" in alerte


def test_un_fichier_ne_parle_que_des_departements_qu_il_contient(enregistrer, cast):
    enregistrer(loi(logements(3)))
    enregistrer(loi([logement(10 + n, DEPCOM="22278", CODEPOSTAL="22000") for n in range(4)]))
    comptes = Logement.objects.order_by("departement").values_list("departement").annotate(n=Count("pk"))
    assert list(comptes) == [("06", 3), ("22", 4)]
    verifier_coherence()


def test_un_logement_qui_change_de_departement_quitte_l_ancien(enregistrer, signaux):
    enregistrer(loi([*logements(3), logement(4, DEPCOM="22278", CODEPOSTAL="22000")]))
    signaux.clear()
    enregistrer(
        loi(
            logements(3, DEPCOM="22278", CODEPOSTAL="22000")
            + [logement(4, DEPCOM="22278", CODEPOSTAL="22000")]
        )
    )
    assert {e.departement_id: e.logements for e in EtatParc.objects.all()} == {"06": 0, "22": 4}
    assert {d for _, d in signaux[0][1]} == {"06", "22"}
    verifier_coherence()


def test_les_millesimes_cote_a_cote(deposer, enregistrer):
    enregistrer(loi(logements(6)), 2024)
    suivant = [*logements(5, BAIL="02/2024", REMLOCDATE=""), logement(9)]
    import_rpls = deposer(loi(suivant), 2025)
    assert import_rpls.rapport["changements"]["nouveaux"] == 6
    assert import_rpls.rapport["precedent"] == {
        "millesimes": [2024],
        "nouveaux": 1,
        "modifies": 5,
        "identiques": 0,
        "disparus": 1,
    }
    avant = [ligne for ligne in photo() if 2024 in ligne]
    enregistrer(loi(suivant), 2025)
    assert [ligne for ligne in photo() if 2024 in ligne] == avant
    assert list(EtatParc.objects.order_by("millesime").values_list("millesime", "logements")) == [
        (2024, 6),
        (2025, 6),
    ]
    verifier_coherence()


def test_la_reference_garde_le_logement_quand_l_identifiant_arrive(enregistrer, cast):
    """New in the deposit of 2024, a dwelling has its IDENT_REP in 2025, and loses it in a file of 2026."""
    enregistrer(depot([*logements(2), logement(3, IDENT_REP="")], annee=2024), 2024)
    enregistrer(depot(logements(3), annee=2025), 2025)
    enregistrer(depot([logement(1, IDENT_REP=""), *logements(3)[1:]], annee=2026), 2026)
    cles = Logement.objects.order_by("millesime", "ident_int").values_list("millesime", "ident_int", "cle")
    assert list(cles) == [
        (annee, f"A-{n}", "INT-A-3" if n == 3 else f"060000000{n}")
        for annee in (2024, 2025, 2026)
        for n in (1, 2, 3)
    ]


def test_une_reference_reprise_par_un_autre_identifiant_n_est_pas_le_meme_logement(enregistrer):
    enregistrer(loi(logements(2)), 2024)
    enregistrer(loi([logement(1), logement(2, IDENT_REP="0699999999")]), 2025)
    assert set(Logement.objects.filter(millesime=2025).values_list("cle", flat=True)) == {
        "0600000001",
        "0699999999",
    }


# --- What is derived --------------------------------------------------------------------------------------------------


def test_mobilite_comptee_par_l_agregat(enregistrer):
    """Leases signed since the year before, on what was already on offer before it (domain, chapter 4)."""
    enregistrer(
        loi(
            [
                logement(1, LOCAT="2000", BAIL="03/2015", REMLOCDATE=""),
                logement(2, LOCAT="2000", BAIL="03/2024", REMLOCDATE=""),
                logement(3, LOCAT="2000", BAIL="01/2025", REMLOCDATE=""),
                logement(4, LOCAT="2000", MODE="2", BAIL="", REMLOCDATE=""),
                logement(5, LOCAT="2000", MODE="3", BAIL="", REMLOCDATE=""),
                logement(6, LOCAT="2024", BAIL="05/2024", REMLOCDATE=""),
            ]
        )
    )
    assert AgregatParc.objects.aggregate(a=Sum("anciens"), e=Sum("emmenages")) == {"a": 4, "e": 2}


def test_profils_et_classes(enregistrer):
    enregistrer(
        loi(
            [
                logement(1),
                logement(2, CONV="2", FINAN="52", NUMCONV=""),
                logement(3, CONV="2", FINAN="13", NUMCONV=""),
                logement(4, SORTIEPATRIM="4"),
                logement(5, FINAN="16"),
                logement(6, FINAN="17"),
                logement(7, NBPIECE="", CONSTRUCT="", LOCAT=""),
                logement(8, NBPIECE="7", CONSTRUCT="", LOCAT="2015"),
            ]
        )
    )
    lues = Logement.objects.order_by("ident_int").values_list("statut", "typologie", "financement", "periode")
    assert list(lues) == [
        ("CONVENTIONNE", "T3", "PLUS", "1971-90"),
        ("AVANT_1977", "T3", "PLUS", "1971-90"),
        ("HORS_CHAMP", "T3", "PLUS", "1971-90"),
        ("HORS_PARC", "T3", "PLUS", "1971-90"),
        ("PLI", "T3", "PLI", "1971-90"),
        ("CONVENTIONNE", "T3", "PLS", "1971-90"),
        ("CONVENTIONNE", "NR", "PLUS", "NR"),
        ("CONVENTIONNE", "T6+", "PLUS", "2006+"),
    ]


def test_l_import_et_le_recalcul_donnent_la_meme_chose(enregistrer, cast):
    """Statuses are computed by polars before the COPY and by SQL afterwards: one rule, one result."""
    enregistrer(CORSE.read_text(encoding="latin-1"), 2018)
    Drapeau.objects.create(
        bailleur=cast.bailleur_a,
        departement_id="2A",
        portee="PROGRAMME",
        cible=Logement.objects.filter(departement="2A").exclude(programme="").first().programme,
        code="LOGEMENT_FOYER",
        motif="Essai",
    )
    paires = {(cast.bailleur_a.pk, d) for d in ("2A", "2B")}
    parc.recalculer_parc(paires, raison="essai")
    recalcule, totaux = photo(), cellules()
    assert Logement.objects.filter(statut="FOYER_RESIDENCE").exists()
    Logement.objects.all().delete()
    AgregatParc.objects.all().delete()
    EtatParc.objects.all().delete()
    enregistrer(CORSE.read_text(encoding="latin-1"), 2018)
    assert photo() == recalcule
    assert cellules() == totaux


def test_les_drapeaux_survivent_et_s_appliquent_a_l_import(enregistrer, cast):
    enregistrer(loi(logements(4)), 2024)
    communs = {
        "bailleur": cast.bailleur_a,
        "departement": Departement.objects.get(pk="06"),
        "motif": "Vu sur place",
    }
    acteur = cast.acteur("gestionnaire_a")
    parc.poser_drapeau(acteur, portee="LOGEMENT", cible="0600000002", code="DEFENSE", **communs)
    parc.poser_drapeau(acteur, portee="PROGRAMME", cible="RESIDENCE MODELE", code="PLAI_ADAPTE", **communs)
    enregistrer(loi(logements(4, BAIL="02/2020")), 2025)
    enregistrer(loi(logements(4, BAIL="03/2020")), 2025)
    for millesime in (2024, 2025):
        lues = Logement.objects.filter(millesime=millesime).order_by("cle").values_list("drapeaux", "statut")
        seul = (["PLAI_ADAPTE"], "CONVENTIONNE")
        assert list(lues) == [seul, (["DEFENSE", "PLAI_ADAPTE"], "DEFENSE_SECURITE_SANTE"), seul, seul]
    assert Drapeau.objects.filter(retire_le=None).count() == 2
    verifier_coherence()


# --- Several bailleurs --------------------------------------------------------------------------------------------------


def test_un_fichier_de_plusieurs_bailleurs(cast, tmp_path):
    chemin = ecrire(
        tmp_path, loi([*logements(3), logement(4, SIRET=SIRET_B), logement(5, SIRET=SIRET_INCONNU)])
    )
    import_rpls = parc.importer(SYSTEME, chemin, millesime=2025)
    assert (import_rpls.etat, import_rpls.lignes_acceptees, import_rpls.lignes_rejetees) == (
        Etat.APPLIQUE,
        4,
        1,
    )
    assert import_rpls.rapport["erreurs"][0]["code"] == "BAILLEUR_INCONNU"
    assert Logement.objects.filter(bailleur=cast.bailleur_b).count() == 1
    assert not Organisation.objects.filter(siren=SIREN_INCONNU).exists()
    verifier_coherence()


def test_rien_ne_s_importe_pour_un_bailleur_ferme(cast, tmp_path):
    Organisation.objects.filter(pk=cast.bailleur_a.pk).update(fermee_le=date(2025, 1, 1))
    cast.bailleur_a.refresh_from_db()
    chemin = ecrire(tmp_path, loi(logements(3)))
    with pytest.raises(ValidationError, match="fermé depuis le"):
        parc.importer(SYSTEME, chemin, millesime=2025, bailleur=cast.bailleur_a)
    refuse = parc.importer(SYSTEME, chemin, millesime=2025, options=Options(creer_bailleurs=True))
    assert refuse.etat == Etat.REFUSE and "est fermé depuis le" in refuse.message
    assert not Logement.objects.exists()


def test_les_bailleurs_inconnus_sont_crees_sur_demande(cast, tmp_path):
    lignes = [
        *logements(3),
        logement(5, SIRET=SIRET_INCONNU, RS="SEM NOUVELLE", CAT_ORG="251", CONV="2", FINAN="13"),
    ]
    chemin = ecrire(tmp_path, loi(lignes))
    import_rpls = parc.importer(SYSTEME, chemin, millesime=2025, options=Options(creer_bailleurs=True))
    assert import_rpls.lignes_rejetees == 0
    creee = Organisation.objects.get(siren=SIREN_INCONNU)
    assert (creee.nom, creee.famille, creee.fictive) == ("SEM NOUVELLE", "SEM", True)
    assert Logement.objects.get(bailleur=creee).statut == StatutLogement.SEM_NON_CONVENTIONNE
    encore = parc.importer(SYSTEME, chemin, millesime=2025, options=Options(creer_bailleurs=True))
    assert "déjà enregistré" in encore.message
    verifier_coherence()


def test_repartir_un_fichier_ouvert_sur_des_bailleurs_fictifs(db):
    import_rpls = parc.importer(SYSTEME, CORSE, millesime=2018, repartir=4)
    assert (import_rpls.etat, import_rpls.lignes_acceptees) == (Etat.APPLIQUE, 288)
    fictifs = Organisation.objects.filter(fictive=True, nom__startswith="Bailleur fictif")
    assert 1 < fictifs.count() <= 4
    assert Logement.objects.filter(bailleur__in=fictifs).count() == 288
    avant = photo()
    encore = parc.importer(SYSTEME, CORSE, millesime=2018, repartir=4)
    assert "déjà enregistré" in encore.message and photo() == avant
    verifier_coherence()


# --- Twice, interrupted, at the same time -----------------------------------------------------------------------------


def test_une_tache_livree_deux_fois(deposer, cast, signaux):
    import_rpls = deposer(loi(logements(3)))
    assert parc.analyser(import_rpls.pk).etat == Etat.A_CONFIRMER
    parc.confirmer(cast.acteur("gestionnaire_a"), import_rpls, differer=False)
    for _ in range(2):
        assert parc.appliquer(import_rpls.pk).etat == Etat.APPLIQUE
    assert Logement.objects.count() == 3 and len(signaux) == 1


def test_l_apercu_perime_est_refait_et_attend_un_nouvel_accord(deposer, cast):
    acteur = cast.acteur("gestionnaire_a")
    premier, second = deposer(loi(logements(3))), deposer(loi(logements(5)))
    parc.confirmer(acteur, premier, differer=False)
    parc.confirmer(acteur, second, differer=False)
    parc.appliquer(premier.pk)
    second = parc.appliquer(second.pk)
    assert (second.etat, second.confirme_le) == (Etat.A_CONFIRMER, None)
    assert second.message.startswith("Le parc a changé depuis l’aperçu")
    assert second.rapport["changements"]["nouveaux"] == 2 and second.rapport["changements"]["identiques"] == 3
    assert Logement.objects.count() == 3
    parc.confirmer(acteur, second, differer=False)
    assert parc.appliquer(second.pk).etat == Etat.APPLIQUE
    assert Logement.objects.count() == 5
    verifier_coherence()


def test_une_panne_laisse_le_parc_et_se_reprend(
    deposer, enregistrer, cast, monkeypatch, django_capture_on_commit_callbacks
):
    enregistrer(loi(logements(3)))
    avant, totaux = photo(), cellules()
    import_rpls = deposer(loi(logements(5)))
    parc.confirmer(cast.acteur("gestionnaire_a"), import_rpls, differer=False)
    with monkeypatch.context() as patch:

        def casser(*_arguments):
            raise RuntimeError("disque plein")

        patch.setattr("reservation.services.parc.application.rafraichir_l_agregat", casser)
        with pytest.raises(RuntimeError, match="disque plein"):
            parc.appliquer(import_rpls.pk)
    import_rpls.refresh_from_db()
    assert import_rpls.etat == Etat.ECHEC and "Le parc est inchangé" in import_rpls.message
    assert (photo(), cellules()) == (avant, totaux)
    with django_capture_on_commit_callbacks() as taches:
        repris = parc.reprendre(cast.acteur("gestionnaire_a"), import_rpls)
    assert (repris.etat, len(taches)) == (Etat.EN_APPLICATION, 1)
    assert parc.appliquer(import_rpls.pk).etat == Etat.APPLIQUE
    assert Logement.objects.count() == 5


def test_une_panne_de_lecture_se_reprend(deposer, cast, monkeypatch):
    import_rpls = deposer(loi(logements(3)), lire=False)
    with monkeypatch.context() as patch:

        def casser(*_arguments):
            raise RuntimeError("panne")

        patch.setattr(imports, "_comparer", casser)
        with pytest.raises(RuntimeError):
            parc.analyser(import_rpls.pk)
    assert ImportRpls.objects.get().etat == Etat.ECHEC
    parc.reprendre(cast.acteur("gestionnaire_a"), import_rpls)
    assert parc.analyser(import_rpls.pk).etat == Etat.A_CONFIRMER


def test_essayer_n_ecrit_rien(enregistrer, tmp_path, cast):
    enregistrer(loi(logements(3)))
    avant = (photo(), cellules(), ImportRpls.objects.count(), Organisation.objects.count(), fichiers())
    texte = loi([*logements(4), logement(5, SIRET=SIRET_INCONNU), logement(6, CONV="9")])
    essai = parc.essayer(
        ecrire(tmp_path, texte, "essai.csv"), millesime=2025, options=Options(creer_bailleurs=True)
    )
    assert essai.pk is None
    assert essai.rapport["changements"]["nouveaux"] == 2 and essai.lignes_rejetees == 1
    assert (
        photo(),
        cellules(),
        ImportRpls.objects.count(),
        Organisation.objects.count(),
        fichiers(),
    ) == avant


@pytest.mark.django_db(transaction=True)
def test_l_avancement_se_voit_pendant_l_ecriture(deposer, cast, monkeypatch):
    import_rpls = deposer(loi(logements(3)))
    parc.confirmer(cast.acteur("gestionnaire_a"), import_rpls, differer=False)
    vus = []
    copier = Chargement._copier

    def observer(self, ouvrir, lignes, suivre=None):
        comptes = copier(self, ouvrir, lignes, suivre)
        suivre("Enregistrement des logements", 50)
        autre = connection.copy()
        with autre.cursor() as regard:
            regard.execute("SELECT etat, etape, avancement FROM reservation_importrpls")
            vus.append(regard.fetchone())
            regard.execute("SELECT count(*) FROM reservation_logement")
            vus.append(regard.fetchone()[0])
        autre.close()
        return comptes

    monkeypatch.setattr(Chargement, "_copier", observer)
    parc.appliquer(import_rpls.pk)
    assert vus == [("EN_APPLICATION", "Enregistrement des logements", 47), 0]
    assert Logement.objects.count() == 3


def test_une_commande_compare_de_nouveau_ce_qu_un_autre_a_change(
    deposer, enregistrer, cast, tmp_path, monkeypatch
):
    analyser, passes = imports.analyser, []

    def devancer(pk):
        lu = analyser(pk)
        if not passes:
            passes.append(pk)
            enregistrer(loi(logements(3)))
        return lu

    monkeypatch.setattr(imports, "analyser", devancer)
    acteur = cast.acteur("gestionnaire_a")
    chemin = ecrire(tmp_path, loi(logements(5)), "autre.csv")
    import_rpls = parc.importer(acteur, chemin, millesime=2025, bailleur=cast.bailleur_a)
    assert passes and import_rpls.etat == Etat.APPLIQUE, import_rpls.message
    assert import_rpls.rapport["changements"]["nouveaux"] == 2
    assert Logement.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_deux_imports_du_meme_bailleur_en_meme_temps(deposer, cast):
    """The lock makes the second wait; its preview is then out of date, and nothing is lost or mixed."""
    acteur = cast.acteur("gestionnaire_a")
    demandes = [deposer(loi(logements(40))), deposer(loi(logements(40, NBPIECE="4")))]
    for demande in demandes:
        parc.confirmer(acteur, demande, differer=False)
    depart, fins = threading.Barrier(2), []

    def travailler(pk):
        depart.wait()
        try:
            with agir(Acteur.du_systeme("essai, dans un autre fil")):
                fins.append(parc.appliquer(pk).etat)
        finally:
            connection.close()

    fils = [threading.Thread(target=travailler, args=[demande.pk]) for demande in demandes]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(60)
    assert sorted(fins) == [Etat.APPLIQUE, Etat.A_CONFIRMER]
    assert len(set(Logement.objects.values_list("nbpiece", flat=True))) == 1
    verifier_coherence()


@pytest.mark.django_db(transaction=True)
def test_un_import_tenu_par_un_autre_processus_n_est_pas_touche(deposer, cast):
    from reservation.services.parc.verrous import est_tenu, tenir_import

    import_rpls = deposer(loi(logements(3)), lire=False)
    with tenir_import(import_rpls.pk):
        assert est_tenu(import_rpls.pk)
        assert parc.analyser(import_rpls.pk).etat == Etat.RECU
    assert not est_tenu(import_rpls.pk)
    assert parc.analyser(import_rpls.pk).etat == Etat.A_CONFIRMER
