"""The second lock: row-level security, below the querysets. Raw SQL, as somebody who found a way past them."""

import re
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from bilans.models import EtapeBilan
from flux.models import Liberation, PartageSimulation
from publics.models import Labellisation
from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import Logement, Organisation, PerimetreQuerySet
from reservation.perimetre import (
    APPLICATIONS,
    REGLAGES,
    PerimetreAbsent,
    _courant,
    acteur_courant,
    agir,
    reglages,
    tables_de_locataires,
)
from tests.acces.decor import CANARI

pytestmark = pytest.mark.django_db

MODELES = [m for m in apps.get_models(include_auto_created=True) if m._meta.app_label in APPLICATIONS]
TABLES = sorted(tables_de_locataires())
DE_LOCATAIRES = [m for m in MODELES if m._meta.db_table in TABLES]
QUI = (
    *(
        "gestionnaire_a",
        "lecteur_a",
        "gestionnaire_b",
        "agent_ddets_06",
        "lecteur_ddets_06",
        "agent_ddets_22",
    ),
    *("agent_sgc_06", "charge_als", "agent_cannes", "agent_caf", "charge_dreal", "charge_union", "operateur"),
)


@pytest.fixture
def personne():
    """Nobody acts."""
    jeton = _courant.set(None)
    yield
    _courant.reset(jeton)


def compter(table: str) -> int:
    with connection.cursor() as curseur:
        curseur.execute(f"SELECT count(*) FROM {table}")
        return curseur.fetchone()[0]


# --- Every table --------------------------------------------------------------------------------------------------


def test_every_table_is_locked_or_says_why_not():
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity, "
            "(SELECT array_agg(polcmd::text || CASE WHEN polpermissive THEN '' ELSE ' en lecture' END "
            "ORDER BY polpermissive DESC, polcmd::text) FROM pg_policy WHERE polrelid = c.oid "
            # More conditions on top of these only close (reservation.verrou.Restreindre).
            "AND (polpermissive OR polname LIKE 'lecture\\_%')) "
            "FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        verrous = {nom: (force, politiques) for nom, force, politiques in curseur.fetchall()}
    politiques = ["a", "d", "r", "w", "a en lecture", "d en lecture", "w en lecture"]
    ouvertes = {table for table in TABLES if verrous[table] != (True, politiques)}
    assert ouvertes == set(), "une migration doit les verrouiller (reservation.verrou.Verrouiller)"
    assert len(TABLES) > 25


def test_a_reason_is_a_sentence():
    for modele in MODELES:
        raison = getattr(modele._meta.auto_created or modele, "hors_perimetre", None)
        assert (modele in DE_LOCATAIRES) == (raison is None)
        assert raison is None or len(raison) > 20


def test_the_role_of_the_application_obeys():
    with connection.cursor() as curseur:
        curseur.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert curseur.fetchone() == (False, False)


@pytest.mark.parametrize("table", TABLES)
def test_nobody_reads_nothing(decor, personne, table):
    assert compter(table) == 0


def test_the_decor_has_lines_to_hide(decor):
    pleines = {table for table in TABLES if compter(table)}
    assert {"reservation_logement", "flux_liberation", "flux_partflux", "bilans_documentbilan"} <= pleines
    assert len(pleines) > len(TABLES) * 2 / 3


# The journal of one's own organisation is one's own, wherever it is.
JOURNAL = "reservation_lignejournal"


@pytest.mark.parametrize("table", sorted({*TABLES} - {JOURNAL}))
def test_another_departement_reads_nothing_by_raw_sql(decor, table):
    """The decor is in the Alpes-Maritimes: the DDETS of the Côtes-d'Armor, an operator, somebody without role."""
    for qui in ("agent_ddets_22", "operateur"):
        with agir(decor.cast.acteur(qui)):
            assert compter(table) == 0
    with agir(Acteur()):
        assert compter(table) == 0


@pytest.mark.parametrize("qui", ["agent_ddets_22", "operateur", "gestionnaire_b"])
def test_the_journal_of_others_is_not_there(decor, qui):
    acteur = decor.cast.acteur(qui)
    with agir(acteur), connection.cursor() as curseur:
        curseur.execute(
            f"SELECT count(*) FROM {JOURNAL} WHERE organisation_id IS DISTINCT FROM %(soi)s "
            "AND proprietaire_id IS DISTINCT FROM %(soi)s AND bailleur_id IS DISTINCT FROM %(soi)s "
            "AND coalesce(departement_id, '') <> ALL(%(ici)s)",
            {"soi": acteur.organisation_id, "ici": list(acteur.departements)},
        )
        assert curseur.fetchone()[0] == 0


@pytest.mark.parametrize("table", [t for t in TABLES if t.startswith("reservation_logement") or "flux_" in t])
def test_another_bailleur_reads_nothing_of_ours_by_raw_sql(decor, table):
    colonnes = {f.column for m in DE_LOCATAIRES if m._meta.db_table == table for f in m._meta.concrete_fields}
    if "bailleur_id" not in colonnes:
        return
    with agir(decor.cast.acteur("gestionnaire_b")), connection.cursor() as curseur:
        curseur.execute(f"SELECT array_agg(DISTINCT bailleur_id) FROM {table}")
        vus = set(curseur.fetchone()[0] or [])
    assert vus <= {decor.b.bailleur.pk}


@pytest.mark.parametrize("qui", QUI)
def test_the_lock_hides_nothing_that_a_queryset_shows(decor, qui):
    """The lock is a net: what `visibles_par` gives is exactly what the database lets through of it."""
    acteur = decor.cast.acteur(qui)
    for modele in DE_LOCATAIRES:
        lignes = modele._default_manager.all()
        if not isinstance(lignes, PerimetreQuerySet):
            continue
        attendues = set(lignes.visibles_par(acteur).values_list("pk", flat=True))
        with agir(acteur):
            assert set(lignes.visibles_par(acteur).values_list("pk", flat=True)) == attendues, modele


# --- Writing ------------------------------------------------------------------------------------------------------


def test_a_stranger_can_neither_change_nor_take_nor_add(decor):
    ligne = decor.a.liberation_libre
    with agir(decor.cast.acteur("gestionnaire_b")), connection.cursor() as curseur:
        curseur.execute("UPDATE flux_liberation SET adresse = 'volée' WHERE id = %s", [ligne.pk])
        assert curseur.rowcount == 0
        curseur.execute("DELETE FROM flux_liberation WHERE id = %s", [ligne.pk])
        assert curseur.rowcount == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            curseur.execute(
                "INSERT INTO flux_commission (bailleur_id, departement_id, date) VALUES (%s, '06', '2025-01-02')",
                [decor.a.bailleur.pk],
            )
    ligne.refresh_from_db()
    assert ligne.adresse != "volée"


def test_a_line_cannot_be_given_to_somebody_else(decor):
    """WITH CHECK: B may change its own line, not make it A's."""
    with agir(decor.cast.acteur("gestionnaire_b")), connection.cursor() as curseur:
        curseur.execute(
            "UPDATE flux_liberation SET adresse = 'chez moi' WHERE id = %s", [decor.b.liberation_libre.pk]
        )
        assert curseur.rowcount == 1
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            curseur.execute(
                "UPDATE flux_liberation SET bailleur_id = %s WHERE id = %s",
                [decor.a.bailleur.pk, decor.b.liberation_libre.pk],
            )


@pytest.mark.parametrize("qui", ["lecteur_a", "lecteur_ddets_06", "charge_als", "charge_dreal"])
def test_who_only_reads_writes_nothing(decor, qui):
    with agir(decor.cast.acteur(qui)), connection.cursor() as curseur:
        curseur.execute("UPDATE flux_liberation SET adresse = 'changée'")
        assert curseur.rowcount == 0
        curseur.execute("UPDATE reservation_convention SET numero = 'changé'")
        assert curseur.rowcount == 0


def test_a_get_writes_nothing_whatever_the_role(decor):
    acteur = decor.cast.acteur("gestionnaire_a")
    with agir(acteur, lecture_seule=True), connection.cursor() as curseur:
        curseur.execute("UPDATE flux_liberation SET adresse = 'changée'")
        assert curseur.rowcount == 0
    with agir(acteur), connection.cursor() as curseur:
        curseur.execute("UPDATE flux_liberation SET adresse = 'changée'")
        assert curseur.rowcount > 0


@pytest.mark.parametrize("interieur", ["gestionnaire_a", None])
def test_a_get_writes_nothing_however_deep_and_whoever_acts(decor, interieur):
    """What serves a page acts as the application in the middle of it: it reads, and writes no more than the page."""
    acteur = decor.cast.acteur("gestionnaire_a")
    dedans = decor.cast.acteur(interieur) if interieur else Acteur.du_systeme("au milieu d’une lecture")
    libre = decor.a.liberation_libre
    with agir(acteur, lecture_seule=True), agir(dedans), connection.cursor() as curseur:
        curseur.execute("SELECT count(*) FROM flux_liberation WHERE id = %s", [libre.pk])
        assert curseur.fetchone()[0] == 1
        for sql in ("UPDATE flux_liberation SET adresse = 'changée'", "DELETE FROM flux_candidat"):
            curseur.execute(sql)
            assert curseur.rowcount == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            curseur.execute(
                "INSERT INTO flux_commission (bailleur_id, departement_id, date) VALUES (%s, '06', '2025-01-02')",
                [decor.a.bailleur.pk],
            )
    with agir(acteur), agir(dedans), connection.cursor() as curseur:
        curseur.execute("UPDATE flux_liberation SET adresse = 'changée' WHERE id = %s", [libre.pk])
        assert curseur.rowcount == 1


def test_the_application_alone_writes_nothing_while_it_reads(decor):
    with agir(Acteur.du_systeme("lecture"), lecture_seule=True), connection.cursor() as curseur:
        curseur.execute("UPDATE flux_liberation SET adresse = 'changée'")
        assert curseur.rowcount == 0


DU_BAILLEUR_SEUL = (
    "flux_liberation",
    "flux_passage",
    "flux_attribution",
    "flux_commission",
    "flux_soustractionprevisionnelle",
    "flux_ligneordredujour",
)


@pytest.mark.parametrize("qui", ["agent_ddets_06", "agent_sgc_06"])
def test_the_state_does_not_write_what_is_the_bailleurs(decor, qui):
    """It reads it; its urgent designation goes through the application, which checks its right."""
    with agir(decor.cast.acteur(qui)), connection.cursor() as curseur:
        for table in (*DU_BAILLEUR_SEUL, "flux_imputation", "flux_calculafaire"):
            curseur.execute(f"UPDATE {table} SET departement_id = departement_id")
            assert curseur.rowcount == 0, table
            curseur.execute(f"DELETE FROM {table}")
            assert curseur.rowcount == 0, table
        assert compter("flux_liberation") > 0
        for table in ("flux_designation", "flux_candidat"):
            curseur.execute(
                f"UPDATE {table} SET departement_id = departement_id WHERE reservataire_id <> %s",
                [decor.cast.acteur(qui).organisation_id],
            )
            assert curseur.rowcount == 0, table


# --- What a row names -----------------------------------------------------------------------------------------------

# Foreign keys to a table of tenants that anybody's row may hold, whether its writer sees the other row or not.
SANS_RATTACHEMENT = {
    "publics_menage": "un ménage se retrouve par son numéro entier, avant qu’une ligne à soi le rende visible",
    "reservation_logement.import_rpls_id": "écrit par l’application, en nombre",
    "flux_versionsimulation.simulation_id": "son déclencheur demande le propriétaire de la simulation",
    "flux_partagesimulation.simulation_id": "son déclencheur demande le propriétaire de la simulation",
    "reservation_versionconvention_communes.versionconvention_id": "sa politique demande d’écrire la version",
}


def test_every_row_is_attached_to_what_its_writer_sees(decor):
    """Each foreign key towards a table of tenants, of a table that somebody writes, has its trigger or its reason."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT c.relname, encode(tgargs, 'escape') FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid "
            "WHERE tgname = 'rattachement_insert'"
        )
        tenus = {
            (table, colonne)
            for table, arguments in curseur.fetchall()
            for colonne in arguments.split("\\000")[::2]
            if colonne
        }
        curseur.execute(
            "SELECT polrelid::regclass::text FROM pg_policy "
            "WHERE polname = 'ajouter' AND pg_get_expr(polwithcheck, polrelid) !~ 'app\\.ecriture|app\\.organisation'"
        )
        de_l_application = {table for (table,) in curseur.fetchall()}
    libres = {
        f"{modele._meta.db_table}.{champ.column}"
        for modele in DE_LOCATAIRES
        if modele._meta.db_table not in de_l_application
        for champ in modele._meta.concrete_fields
        if champ.remote_field and champ.related_model in DE_LOCATAIRES
        if (modele._meta.db_table, champ.column) not in tenus
        if champ.related_model._meta.db_table not in SANS_RATTACHEMENT
    }
    assert libres == {cle for cle in SANS_RATTACHEMENT if "." in cle}
    assert len(tenus) > 50


def _copier(objet, **autres) -> None:
    """Insert the same row again, with other values, by raw SQL."""
    colonnes = [f.column for f in objet._meta.concrete_fields if not f.primary_key and not f.generated]
    valeurs = [f"%({c})s" if c in autres else c for c in colonnes]
    with connection.cursor() as curseur:
        curseur.execute(
            f"INSERT INTO {objet._meta.db_table} ({', '.join(colonnes)}) SELECT {', '.join(valeurs)} "
            f"FROM {objet._meta.db_table} WHERE id = %(id)s",
            {"id": objet.pk, **autres},
        )


# Whose row, and the row of the other that it would name.
FAUX_RATTACHEMENTS = {
    "commission d’un autre": ("gestionnaire_b", lambda d: d.b.passage, "commission_id", lambda d: d.a.commission),
    "libération d’un autre": (
        "gestionnaire_b", lambda d: d.b.passage, "liberation_id", lambda d: d.a.liberation_als
    ),
    "ordre du jour d’un autre": (
        "gestionnaire_b", lambda d: d.b.ligne, "commission_id", lambda d: d.a.commission
    ),
    "message par l’adresse d’un autre": (
        "administrateur_a", lambda d: d.a.livraison, "abonnement_id", lambda d: d.b.webhook
    ),
}  # fmt: skip


@pytest.mark.parametrize("cas", FAUX_RATTACHEMENTS)
def test_a_row_is_never_attached_to_what_its_writer_does_not_see(decor, cas):
    """One's own row, by all its columns, that names the row of another: neither added nor changed."""
    qui, sienne, colonne, autre = FAUX_RATTACHEMENTS[cas]
    sienne, autre = sienne(decor), autre(decor)
    with agir(decor.cast.acteur(qui)):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            _copier(
                sienne, **{colonne: autre.pk, **({"message": uuid4()} if colonne == "abonnement_id" else {})}
            )
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            transaction.atomic(),
            connection.cursor() as curseur,
        ):
            curseur.execute(
                f"UPDATE {sienne._meta.db_table} SET {colonne} = %s WHERE id = %s", [autre.pk, sienne.pk]
            )


def test_a_simulation_is_shared_and_computed_by_who_made_it(decor):
    """B would open the simulation of A to a third; ALS, with whom it is shared, would add a version to it."""
    partage = PartageSimulation.objects.filter(simulation=decor.a.simulation).get()
    version = decor.a.simulation.versions.get()
    for qui, ligne, autres in (
        ("gestionnaire_b", partage, {"organisation_id": decor.cast.commune_cannes.pk}),
        ("charge_als", version, {"rang": 9}),
    ):
        copie = {
            f.attname: getattr(ligne, f.attname) for f in ligne._meta.concrete_fields if not f.primary_key
        }
        copie |= {"proprietaire_id": decor.cast.acteur(qui).organisation_id, **autres}
        with (
            agir(decor.cast.acteur(qui)),
            pytest.raises(ProgrammingError, match="row-level security"),
            transaction.atomic(),
        ):
            type(ligne).objects.create(**copie)


# Persona → the tables of its perimeter that are not its to write, though it reads them and may manage.
NE_S_ECRIVENT_PAS = {
    "agent_ddets_06": (
        "reservation_logement", "reservation_drapeau", "reservation_agregatparc", "reservation_etatparc",
    ),
    "agent_sgc_06": (
        "reservation_logement", "reservation_convention", "reservation_versionconvention", "reservation_derogation",
        "publics_labellisation", "publics_propositionlabel", "flux_exceptionlabel", "flux_rapprochement",
        "flux_ecartrapprochement", "bilans_bilan", "bilans_lettre", "bilans_procedure", "bilans_productionbilan",
    ),
    "agent_cannes": ("reservation_versionconvention_communes",),
    "charge_als": ("flux_attribution_labels_admis", "reservation_versionconvention_communes"),
    "gestionnaire_a": ("flux_attribution_labels_admis", "reservation_abonnementwebhook"),
    "lecteur_a": ("reservation_abonnementwebhook", "reservation_livraisonwebhook"),
}  # fmt: skip


@pytest.mark.parametrize("qui", NE_S_ECRIVENT_PAS)
def test_what_the_table_of_rights_only_lets_read_is_not_written(decor, qui):
    with agir(decor.cast.acteur(qui)), connection.cursor() as curseur:
        for table in NE_S_ECRIVENT_PAS[qui]:
            curseur.execute(f"UPDATE {table} SET id = id")
            assert curseur.rowcount == 0, table
            curseur.execute(f"DELETE FROM {table}")
            assert curseur.rowcount == 0, table


def test_who_judges_a_bilan_and_who_grants_a_label(decor):
    """By raw SQL too: the bailleur does not validate its own bilan, nor give itself a manual label."""
    soumission = EtapeBilan.objects.filter(bilan=decor.a.bilan_soumis).order_by("-rang").first()
    with agir(decor.cast.acteur("signataire_a")):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            _copier(soumission, acte="VALIDER", de="SOUMIS", vers="VALIDE", rang=soumission.rang + 1)
        label = Labellisation.objects.get(pk=decor.a.label_propose.pk)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            _copier(label, manuelle=True)


def test_calculations_are_written_by_the_job_alone(decor):
    for qui in ("gestionnaire_a", "agent_ddets_06"):
        with agir(decor.cast.acteur(qui)), connection.cursor() as curseur:
            curseur.execute("UPDATE flux_partflux SET objectif = 0")
            assert curseur.rowcount == 0
    with connection.cursor() as curseur:
        curseur.execute("UPDATE flux_partflux SET objectif = objectif")
        assert curseur.rowcount > 0


# --- The actor of a transaction -----------------------------------------------------------------------------------


def reglages_du_serveur() -> tuple[str, ...]:
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT " + ", ".join(f"coalesce(current_setting('{nom}', true), '')" for nom in REGLAGES)
        )
        return curseur.fetchone()


def test_the_server_knows_the_actor_whatever_happens_in_the_transaction(decor):
    a, b = decor.cast.acteur("gestionnaire_a"), decor.cast.acteur("gestionnaire_b")
    with agir(a):
        assert reglages_du_serveur() == reglages(a)
        with agir(b):
            assert reglages_du_serveur() == reglages(b)
            with pytest.raises(LookupError), transaction.atomic():
                with agir(a):
                    assert reglages_du_serveur() == reglages(a)
                raise LookupError
            # Back at the savepoint, where the settings were those of B.
            assert reglages_du_serveur() == reglages(b)
        assert reglages_du_serveur() == reglages(a)


def test_a_table_of_tenants_without_an_actor_is_an_error(personne):
    with pytest.raises(PerimetreAbsent, match="reservation_logement"):
        Logement.objects.count()
    with pytest.raises(PerimetreAbsent, match="flux_liberation"), transaction.atomic():
        Liberation.objects.filter(pk=1).update(adresse="")
    with pytest.raises(PerimetreAbsent, match="reservation_logement"):
        Organisation.objects.filter(pk__in=Logement.objects.values("bailleur")).exists()
    with pytest.raises(PerimetreAbsent, match="reservation_convention"):
        Organisation.objects.filter(conventions_donnees__numero="").exists()
    assert Organisation.objects.count() >= 0  # the directory is read before anybody is known


def test_a_request_has_its_actor_and_gives_it_back(decor, client):
    avant = acteur_courant()
    client.force_login(decor.cast.gestionnaire_a)
    assert client.get("/parc/").status_code == 200
    assert acteur_courant() is avant


def test_what_an_actor_is_told_apart_by():
    """Two actors never share the settings of a transaction unless they have the same perimeter."""
    bailleur = Acteur(1, 7, TypeOrganisation.BAILLEUR, frozenset({Role.GESTION}))
    als = Acteur(1, 7, TypeOrganisation.ACTION_LOGEMENT, frozenset({Role.GESTION}))
    ddets = Acteur(1, 7, TypeOrganisation.DDETS, frozenset({Role.LECTURE}), ("06",))
    dreal = Acteur(1, 7, TypeOrganisation.DREAL, frozenset({Role.LECTURE}), ("06",))
    operateur = Acteur(1, 7, TypeOrganisation.OPERATEUR, frozenset({Role.GESTION}), ("06",))
    assert len({reglages(x) for x in (bailleur, als, ddets, dreal, operateur, Acteur())}) == 6
    assert reglages(operateur)[:5] == ("",) * 5  # neither the system, nor a tenant, nor a territory


def test_the_canary_cannot_be_found_by_raw_sql(decor):
    """Every column of every table, read by A: what B wrote is nowhere."""
    with agir(decor.cast.acteur("gestionnaire_a")), connection.cursor() as curseur:
        for table in TABLES:
            curseur.execute(f"SELECT count(*) FROM {table} AS t WHERE t::text ~ %s", [re.escape(CANARI)])
            assert curseur.fetchone()[0] == 0, table


# What a réservataire or the COPIL received is read by its own columns: what was said between the bailleur and the État
# stays between them. Whoever owes an action of the COPIL reads it without the meeting.
JAMAIS_JOINTS = {
    "bilans.ActionReunion.point",
    "bilans.ActionReunion.reunion",
    "bilans.VersionCopil.bilan",
    "bilans.VersionReservataire.bilan",
    "bilans.VersionReservataire.etape",
    "bilans.VersionReservataire.point",
}


def test_no_join_hides_a_line(decor):
    """An inner join with a parent that the lock hides would drop the child: every parent of a visible line is visible."""
    cachees = set()
    for qui in QUI:
        with agir(decor.cast.acteur(qui)), connection.cursor() as curseur:
            for modele in DE_LOCATAIRES:
                for champ in modele._meta.concrete_fields:
                    if champ.many_to_one and champ.related_model in DE_LOCATAIRES:
                        parent, cle = champ.related_model._meta.db_table, champ.related_model._meta.pk.column
                        curseur.execute(
                            f"SELECT count(*) FROM {modele._meta.db_table} e WHERE {champ.column} IS NOT NULL "
                            f"AND NOT EXISTS (SELECT FROM {parent} p WHERE p.{cle} = e.{champ.column})"
                        )
                        if curseur.fetchone()[0]:
                            cachees.add(str(champ))
    assert cachees == JAMAIS_JOINTS
