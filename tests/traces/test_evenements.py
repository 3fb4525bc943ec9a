"""Events and journal: whatever the way a row changes, with the context of that moment, and for ever."""

import io

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from reservation import contexte
from reservation.acteur import Acteur
from reservation.models import Convention, LigneJournal, Organisation, Presence, Utilisateur
from reservation.traces import modeles_de_trace
from tests.conventions.fabrique import brouillon, signee

pytestmark = pytest.mark.django_db

TRACE = modeles_de_trace()


def journal(**criteres):
    return LigneJournal.objects.filter(**criteres).order_by("pk")


def test_a_row_leaves_its_creation_its_changes_and_its_end(cast):
    acte = brouillon(cast, cast.als, "20", numero="A-1")
    Convention.objects.filter(pk=acte.pk).update(numero="A-2")
    Convention.objects.filter(pk=acte.pk).update(numero="A-2")  # nothing changes: no event
    cle = acte.pk
    acte.delete()
    etats = TRACE["reservation.convention"].objects.filter(pgh_obj_id=cle).order_by("pgh_id")
    assert [(e.pgh_label, e.numero) for e in etats] == [
        ("insert", "A-1"),
        ("update", "A-2"),
        ("delete", "A-2"),
    ]
    assert [
        (ligne.acte, ligne.designation, ligne.genre, ligne.cle, ligne.bailleur_id, ligne.departement_id)
        for ligne in journal(objet_type="reservation.convention")
    ] == [
        (acte_, numero, "convention", str(cle), cast.bailleur_a.pk, "06")
        for acte_, numero in (("insert", "A-1"), ("update", "A-2"), ("delete", "A-2"))
    ]


def test_the_password_is_never_kept_and_signing_in_is_no_event(cast, client):
    avant = TRACE["reservation.utilisateur"].objects.count()
    personne = cast.gestionnaire_a
    personne.set_password("un autre mot de passe")
    personne.save()
    client.force_login(personne)
    assert TRACE["reservation.utilisateur"].objects.count() == avant
    Utilisateur.objects.filter(pk=personne.pk).update(is_active=False)
    dernier = TRACE["reservation.utilisateur"].objects.latest("pgh_id")
    assert dernier.pgh_obj_id == personne.pk and not dernier.is_active
    assert not hasattr(dernier, "password")


def test_context_follows_orm_raw_sql_bulk_and_copy(cast, django_assert_num_queries):
    acteur = Acteur(utilisateur_id=7, organisation_id=8, motif="essai")
    with contexte.numeroter() as requete, contexte.tracer("page", acteur):
        Organisation.objects.filter(pk=cast.autre_caf.pk).update(nom="CAF renommée")
        with connection.cursor() as curseur:
            curseur.execute(
                "UPDATE reservation_organisation SET nom = 'CAF 50 %%' WHERE id = %s", [cast.autre_caf.pk]
            )
            curseur.execute("SELECT count(*) FROM reservation_organisation")
            assert curseur.fetchone()[0]
        Presence.objects.bulk_create(
            [Presence(bailleur=cast.bailleur_b, departement_id="22")], ignore_conflicts=True
        )
        assert list(Organisation.objects.order_by("pk").iterator(chunk_size=2))  # a server-side cursor
        with (
            connection.cursor() as curseur,
            curseur.copy("COPY reservation_presence (bailleur_id, departement_id) FROM STDIN") as copie,
        ):
            copie.write(f"{cast.bailleur_b.pk}\t83\n")
    lignes = list(journal(requete=requete))
    assert [(ligne.objet_type, ligne.acte) for ligne in lignes] == [
        ("reservation.organisation", "update"),
        ("reservation.organisation", "update"),
        ("reservation.presence", "insert"),
        ("reservation.presence", "insert"),
    ]
    assert {(ligne.auteur_id, ligne.organisation_id, ligne.motif, ligne.origine) for ligne in lignes} == {
        (7, 8, "essai", "page")
    }


def test_outside_of_any_context_the_line_says_nobody(cast):
    with transaction.atomic():
        Organisation.objects.filter(pk=cast.autre_caf.pk).update(nom="CAF seule")
    derniere = journal(designation="CAF seule").get()
    assert (derniere.auteur_id, derniere.requete, derniere.motif) == (None, "", "")


def test_one_statement_on_many_rows_writes_one_line_each(cast):
    Presence.objects.all().delete()
    assert journal(objet_type="reservation.presence", acte="delete").count() == 3


def test_a_request_bears_its_number_its_page_and_its_person(cast, entrer):
    acte = brouillon(cast, cast.als, "20")
    reponse = entrer(cast.gestionnaire_a).post(
        f"/conventions/{acte.pk}/etape/parties/",
        {"numero": "NEUF", "debut": "2025-01-01", "fin": "2027-12-31", "signataires": ""},
    )
    assert reponse.status_code == 302
    requete = reponse.headers["X-Request-Id"]
    ligne = journal(requete=requete, objet_type="reservation.convention").get()
    assert ligne.auteur_id == cast.gestionnaire_a.pk
    assert ligne.organisation_id == cast.bailleur_a.pk
    assert ligne.origine == "reservation:convention_etape"
    autre = entrer(cast.gestionnaire_a).get("/conventions/").headers["X-Request-Id"]
    assert autre and autre != requete


def test_the_reason_given_in_a_form_is_in_the_journal(cast, entrer):
    acte = signee(cast, cast.als, "20")
    reponse = entrer(cast.gestionnaire_a).post(
        f"/conventions/{acte.pk}/resilier/",
        {"resiliee_le": "2026-01-10", "effet": "2026-06-01", "motif": "accord des parties", "confirmer": "1"},
    )
    assert reponse.status_code == 302
    assert journal(
        requete=reponse.headers["X-Request-Id"], objet_type="reservation.convention"
    ).get().motif == ("accord des parties")


def test_log_lines_bear_the_request_and_nothing_personal():
    import logging

    ligne = logging.LogRecord("essai", logging.INFO, "", 0, "message", (), None)
    with contexte.numeroter() as requete:
        contexte.NumeroDeRequete().filter(ligne)
    assert ligne.requete == requete
    contexte.NumeroDeRequete().filter(ligne)
    assert ligne.requete == "-"


def _refuse(action) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        action()


def _sql(ordre: str):
    def executer():
        with connection.cursor() as curseur:
            curseur.execute(ordre)

    return executer


@pytest.mark.parametrize("nom", sorted(TRACE))
def test_events_are_neither_changed_nor_erased(cast, nom):
    """By the ORM and by raw SQL; tables that the cast leaves empty are filled by hand."""
    table = TRACE[nom]._meta.db_table
    evenement = TRACE[nom].objects.order_by("pgh_id").first()
    if evenement is None:
        evenement = TRACE[nom](pgh_label="insert")
        for champ in TRACE[nom]._meta.concrete_fields:
            if not champ.null and champ.name not in ("pgh_id", "pgh_label", "pgh_created_at"):
                setattr(evenement, champ.attname, _quelconque(champ))
        evenement.save()
    _refuse(lambda: TRACE[nom].objects.filter(pk=evenement.pk).update(pgh_label="faux"))
    _refuse(lambda: TRACE[nom].objects.filter(pk=evenement.pk).delete())
    _refuse(_sql(f"UPDATE {table} SET pgh_label = 'faux'"))
    _refuse(_sql(f"DELETE FROM {table}"))
    assert TRACE[nom].objects.get(pk=evenement.pk).pgh_label == "insert"


def _quelconque(champ):
    from datetime import date, time

    from django.utils import timezone

    genre = champ.get_internal_type()
    if genre == "ForeignKey":
        return "06" if champ.target_field.get_internal_type() == "CharField" else 1
    if genre == "DateTimeField":
        return timezone.now()
    return {
        "DateField": date(2025, 1, 1),
        "TimeField": time(9),
        "BooleanField": False,
        "CharField": "x",
        "TextField": "x",
        "FileField": "x",
    }.get(genre, [] if genre == "ArrayField" else {} if genre == "JSONField" else 1)


def test_the_journal_is_neither_changed_nor_erased(cast):
    assert LigneJournal.objects.exists()
    _refuse(lambda: LigneJournal.objects.update(motif="faux"))
    _refuse(lambda: LigneJournal.objects.all().delete())
    _refuse(_sql("UPDATE reservation_lignejournal SET motif = 'faux'"))
    _refuse(_sql("DELETE FROM reservation_lignejournal"))


def test_in_production_the_role_loses_the_right_itself(cast):
    """The command is dry by default; once applied, even without triggers PostgreSQL refuses."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT current_user")
        role = curseur.fetchone()[0]
        sortie = io.StringIO()
        call_command("proteger_traces", role, stdout=sortie)
        assert "Rien n’a été fait" in sortie.getvalue()
        curseur.execute("SELECT has_table_privilege('reservation_lignejournal', 'DELETE')")
        assert curseur.fetchone()[0]
        call_command("proteger_traces", role, appliquer=True, stdout=sortie)
        for table in ("reservation_lignejournal", *(m._meta.db_table for m in TRACE.values())):
            for droit, attendu in (
                ("UPDATE", False),
                ("DELETE", False),
                ("TRUNCATE", False),
                ("INSERT", True),
            ):
                curseur.execute("SELECT has_table_privilege(%s, %s)", [table, droit])
                assert curseur.fetchone()[0] is attendu, (table, droit)
    Organisation.objects.filter(pk=cast.autre_caf.pk).update(nom="encore tracée")
    assert journal(designation="encore tracée").exists()
