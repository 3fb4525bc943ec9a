"""Meetings of the COPIL: agenda, decisions, actions, minutes; their traces and their lock."""

import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

from reservation.operations import CreerModeles, Declencher
from reservation.verrou import (
    COPIL,
    DEPARTEMENT,
    ORGANISATION,
    RESERVATAIRE,
    Rattacher,
    Verrouiller,
    ou,
    par,
    si_ecriture,
)

_DANS_LA_REGION = "region_id IN (SELECT d.region_id FROM reservation_departement AS d WHERE {condition})"
_ALS = (
    "EXISTS (SELECT FROM reservation_organisation AS o "
    f"WHERE o.type = 'ACTION_LOGEMENT' AND {RESERVATAIRE.replace('reservataire_id', 'o.id')})"
)
# The COPIL and the services of the State of the région, ALS which has no territory.
MEMBRES = (
    "publiee_le IS NOT NULL AND ("
    f"{_DANS_LA_REGION.format(condition=COPIL.replace('departement_id', 'd.code'))} "
    f"OR {_DANS_LA_REGION.format(condition=DEPARTEMENT.replace('departement_id', 'd.code'))} OR {_ALS})"
)
DE_LA_REUNION = par("reunion_id", "bilans_reunion")
DE_LA_SIENNE = par("reunion_id", "bilans_reunion", condition=f"parent.{ORGANISATION}")
DU_COMITE = ORGANISATION.replace("organisation_id", "comite_id")
_REUNION = ("reunion_id", "bilans_reunion")
_POINT = ("point_id", "bilans_pointreunion")
LIENS = {  # table → (column, parent)
    "invitereunion": (_REUNION,),
    "pointreunion": (_REUNION,),
    "decisionreunion": (_REUNION, _POINT),
    "actionreunion": (_REUNION, _POINT),
    "evenementreunion": (_REUNION,),
    "compterendu": (_REUNION,),
}
TRACES = (
    "traceactionreunion",
    "tracedecisionreunion",
    "traceinvitereunion",
    "tracepointreunion",
    "tracereunion",
)


class Migration(migrations.Migration):
    dependencies = [
        ("bilans", "0004_rattachement"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("reservation", "0004_rattachement"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreerModeles(
            [
                migrations.CreateModel(
                    name="Reunion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("objet", models.CharField(max_length=200, verbose_name="objet")),
                        ("date", models.DateField(verbose_name="date")),
                        ("heure", models.TimeField(verbose_name="heure")),
                        ("heure_fin", models.TimeField(blank=True, null=True, verbose_name="heure de fin")),
                        ("lieu", models.CharField(max_length=200, verbose_name="lieu")),
                        (
                            "etat",
                            models.CharField(
                                choices=[
                                    ("PREPARATION", "en préparation"),
                                    ("CONVOQUEE", "convoquée"),
                                    ("OUVERTE", "en séance"),
                                    ("CLOSE", "close"),
                                    ("ANNULEE", "annulée"),
                                ],
                                default="PREPARATION",
                                max_length=11,
                                verbose_name="état",
                            ),
                        ),
                        (
                            "sequence",
                            models.PositiveSmallIntegerField(
                                default=0, verbose_name="version de l’invitation"
                            ),
                        ),
                        (
                            "publiee_le",
                            models.DateTimeField(
                                blank=True, null=True, verbose_name="connue des membres depuis le"
                            ),
                        ),
                        (
                            "ouverte_le",
                            models.DateTimeField(blank=True, null=True, verbose_name="ouverte le"),
                        ),
                        ("close_le", models.DateTimeField(blank=True, null=True, verbose_name="close le")),
                        (
                            "organisation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="reservation.organisation",
                                verbose_name="DREAL qui la tient",
                            ),
                        ),
                        (
                            "region",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="reservation.region",
                                verbose_name="région",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "réunion du comité de pilotage",
                        "verbose_name_plural": "réunions du comité de pilotage",
                        "ordering": ["-date", "-heure", "-pk"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("heure_fin__isnull", True),
                                    ("heure_fin__gt", models.F("heure")),
                                    _connector="OR",
                                ),
                                name="reunion_heures",
                                violation_error_message="La fin de la réunion suit son début.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("close_le__isnull", False), ("etat", "CLOSE")),
                                    models.Q(
                                        models.Q(("etat", "CLOSE"), _negated=True), ("close_le__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="reunion_close_datee",
                                violation_error_message="Seule une réunion close porte la date de sa clôture.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PointReunion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("rang", models.PositiveSmallIntegerField(verbose_name="rang")),
                        (
                            "rubrique",
                            models.CharField(
                                choices=[
                                    ("LIBRE", "point libre"),
                                    ("ACTIONS", "actions"),
                                    ("OBJECTIFS", "objectifs"),
                                    ("QUART", "quart des attributions"),
                                    ("PROCEDURES", "procédures"),
                                    ("PRIORITAIRES", "ménages prioritaires"),
                                ],
                                default="LIBRE",
                                max_length=12,
                                verbose_name="rubrique",
                            ),
                        ),
                        ("titre", models.CharField(max_length=200, verbose_name="titre")),
                        ("texte", models.TextField(blank=True, verbose_name="présentation")),
                        (
                            "duree",
                            models.PositiveSmallIntegerField(
                                blank=True, null=True, verbose_name="durée, en minutes"
                            ),
                        ),
                        ("notes", models.TextField(blank=True, verbose_name="ce qui s’est dit")),
                        (
                            "revision",
                            models.PositiveIntegerField(default=0, verbose_name="version des notes"),
                        ),
                        (
                            "notees_par",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="notes écrites par",
                            ),
                        ),
                        (
                            "reunion",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="points",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "point de l’ordre du jour",
                        "verbose_name_plural": "points de l’ordre du jour",
                        "ordering": ["reunion", "rang", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="InviteReunion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "presence",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "non notée"),
                                    ("PRESENT", "présent"),
                                    ("EXCUSE", "excusé"),
                                    ("ABSENT", "absent"),
                                ],
                                default="",
                                max_length=7,
                                verbose_name="présence",
                            ),
                        ),
                        (
                            "fonctions",
                            models.CharField(
                                blank=True, max_length=200, verbose_name="fonctions des personnes présentes"
                            ),
                        ),
                        (
                            "organisation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="reservation.organisation",
                            ),
                        ),
                        (
                            "reunion",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="invites",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "membre convoqué",
                        "verbose_name_plural": "membres convoqués",
                        "ordering": ["reunion", "organisation__nom_tri", "pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("reunion", "organisation"), name="invite_reunion_unique"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EvenementReunion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "acte",
                            models.CharField(
                                choices=[
                                    ("PREPARER", "préparée"),
                                    ("CONVOQUER", "membres convoqués"),
                                    ("INFORMER", "membres prévenus d’un changement"),
                                    ("OUVRIR", "ouverte"),
                                    ("CLORE", "close"),
                                    ("ENVOYER", "compte rendu envoyé"),
                                    ("ROUVRIR", "rouverte"),
                                    ("ANNULER", "annulée"),
                                ],
                                max_length=9,
                                verbose_name="acte",
                            ),
                        ),
                        ("motif", models.CharField(blank=True, max_length=300, verbose_name="motif")),
                        ("le", models.DateTimeField(auto_now_add=True, verbose_name="le")),
                        (
                            "par",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "reunion",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="evenements",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "acte sur une réunion",
                        "verbose_name_plural": "actes sur les réunions",
                        "ordering": ["le", "pk"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("acte__in", ["ANNULER", "ROUVRIR"]), _negated=True),
                                    models.Q(("motif", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="evenement_reunion_motive",
                                violation_error_message="Rouvrir ou annuler une réunion demande un motif.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DecisionReunion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("texte", models.TextField(verbose_name="décision")),
                        (
                            "point",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="decisions",
                                to="bilans.pointreunion",
                            ),
                        ),
                        (
                            "reunion",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="decisions",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "décision",
                        "verbose_name_plural": "décisions",
                        "ordering": ["reunion", "point__rang", "pk"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("texte", ""), _negated=True),
                                name="decision_reunion_ecrite",
                                violation_error_message="Une décision porte un texte.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CompteRendu",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("version", models.PositiveSmallIntegerField(verbose_name="version")),
                        ("octets", models.BinaryField(verbose_name="fichier PDF")),
                        ("empreinte", models.CharField(max_length=64, verbose_name="empreinte SHA-256")),
                        ("pages", models.PositiveSmallIntegerField(verbose_name="pages")),
                        ("produit_le", models.DateTimeField(auto_now_add=True, verbose_name="produit le")),
                        (
                            "reunion",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="comptes_rendus",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "compte rendu",
                        "verbose_name_plural": "comptes rendus",
                        "ordering": ["reunion", "-version"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("reunion", "version"), name="compte_rendu_version_unique"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ActionReunion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("seance", models.DateField(verbose_name="réunion du")),
                        ("libelle", models.CharField(max_length=300, verbose_name="action")),
                        ("echeance", models.DateField(verbose_name="échéance")),
                        (
                            "publiee_le",
                            models.DateTimeField(blank=True, null=True, verbose_name="confiée le"),
                        ),
                        ("realisee_le", models.DateField(blank=True, null=True, verbose_name="faite le")),
                        (
                            "dite_le",
                            models.DateTimeField(blank=True, null=True, verbose_name="dite faite le"),
                        ),
                        (
                            "commentaire",
                            models.CharField(blank=True, max_length=500, verbose_name="commentaire"),
                        ),
                        (
                            "abandonnee_le",
                            models.DateTimeField(blank=True, null=True, verbose_name="abandonnée le"),
                        ),
                        (
                            "motif",
                            models.CharField(blank=True, max_length=300, verbose_name="motif de l’abandon"),
                        ),
                        (
                            "rappel",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("J-30", "J-30"),
                                    ("J-7", "J-7"),
                                    ("J+1", "J+1"),
                                    ("RETARD", "RETARD"),
                                ],
                                max_length=6,
                                verbose_name="dernier rappel",
                            ),
                        ),
                        (
                            "comite",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="reservation.organisation",
                                verbose_name="DREAL qui tient le comité",
                            ),
                        ),
                        (
                            "dite_par",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="dite faite par",
                            ),
                        ),
                        (
                            "organisation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="reservation.organisation",
                                verbose_name="organisation responsable",
                            ),
                        ),
                        (
                            "region",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="reservation.region",
                                verbose_name="région",
                            ),
                        ),
                        (
                            "point",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="actions",
                                to="bilans.pointreunion",
                            ),
                        ),
                        (
                            "reunion",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="actions",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "action du comité de pilotage",
                        "verbose_name_plural": "actions du comité de pilotage",
                        "ordering": ["echeance", "pk"],
                        "indexes": [
                            models.Index(fields=["organisation", "echeance"], name="action_reunion_due")
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("dite_le__isnull", True), ("realisee_le__isnull", True)),
                                    models.Q(
                                        ("dite_le__isnull", False),
                                        ("publiee_le__isnull", False),
                                        ("realisee_le__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="action_reunion_faite",
                                violation_error_message="Une action faite dit quand, et a été confiée.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("abandonnee_le__isnull", True),
                                    models.Q(
                                        models.Q(("motif", ""), _negated=True), ("realisee_le__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="action_reunion_abandon",
                                violation_error_message="Un abandon dit pourquoi, et ne porte pas sur une action faite.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TraceActionReunion",
                    fields=[
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("id", models.BigIntegerField()),
                        ("seance", models.DateField(verbose_name="réunion du")),
                        ("libelle", models.CharField(max_length=300, verbose_name="action")),
                        ("echeance", models.DateField(verbose_name="échéance")),
                        (
                            "publiee_le",
                            models.DateTimeField(blank=True, null=True, verbose_name="confiée le"),
                        ),
                        ("realisee_le", models.DateField(blank=True, null=True, verbose_name="faite le")),
                        (
                            "dite_le",
                            models.DateTimeField(blank=True, null=True, verbose_name="dite faite le"),
                        ),
                        (
                            "commentaire",
                            models.CharField(blank=True, max_length=500, verbose_name="commentaire"),
                        ),
                        (
                            "abandonnee_le",
                            models.DateTimeField(blank=True, null=True, verbose_name="abandonnée le"),
                        ),
                        (
                            "motif",
                            models.CharField(blank=True, max_length=300, verbose_name="motif de l’abandon"),
                        ),
                        (
                            "comite",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="reservation.organisation",
                                verbose_name="DREAL qui tient le comité",
                            ),
                        ),
                        (
                            "dite_par",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="dite faite par",
                            ),
                        ),
                        (
                            "organisation",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="reservation.organisation",
                                verbose_name="organisation responsable",
                            ),
                        ),
                        (
                            "pgh_context",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="pghistory.context",
                            ),
                        ),
                        (
                            "pgh_obj",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="bilans.actionreunion",
                            ),
                        ),
                        (
                            "point",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="bilans.pointreunion",
                            ),
                        ),
                        (
                            "region",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="reservation.region",
                                verbose_name="région",
                            ),
                        ),
                        (
                            "reunion",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={"abstract": False},
                ),
                migrations.CreateModel(
                    name="TraceDecisionReunion",
                    fields=[
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("id", models.BigIntegerField()),
                        ("texte", models.TextField(verbose_name="décision")),
                        (
                            "pgh_context",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="pghistory.context",
                            ),
                        ),
                        (
                            "pgh_obj",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="bilans.decisionreunion",
                            ),
                        ),
                        (
                            "point",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="bilans.pointreunion",
                            ),
                        ),
                        (
                            "reunion",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={"abstract": False},
                ),
                migrations.CreateModel(
                    name="TraceInviteReunion",
                    fields=[
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("id", models.BigIntegerField()),
                        (
                            "presence",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "non notée"),
                                    ("PRESENT", "présent"),
                                    ("EXCUSE", "excusé"),
                                    ("ABSENT", "absent"),
                                ],
                                default="",
                                max_length=7,
                                verbose_name="présence",
                            ),
                        ),
                        (
                            "fonctions",
                            models.CharField(
                                blank=True, max_length=200, verbose_name="fonctions des personnes présentes"
                            ),
                        ),
                        (
                            "organisation",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="reservation.organisation",
                            ),
                        ),
                        (
                            "pgh_context",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="pghistory.context",
                            ),
                        ),
                        (
                            "pgh_obj",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="bilans.invitereunion",
                            ),
                        ),
                        (
                            "reunion",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={"abstract": False},
                ),
                migrations.CreateModel(
                    name="TracePointReunion",
                    fields=[
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("id", models.BigIntegerField()),
                        ("rang", models.PositiveSmallIntegerField(verbose_name="rang")),
                        (
                            "rubrique",
                            models.CharField(
                                choices=[
                                    ("LIBRE", "point libre"),
                                    ("ACTIONS", "actions"),
                                    ("OBJECTIFS", "objectifs"),
                                    ("QUART", "quart des attributions"),
                                    ("PROCEDURES", "procédures"),
                                    ("PRIORITAIRES", "ménages prioritaires"),
                                ],
                                default="LIBRE",
                                max_length=12,
                                verbose_name="rubrique",
                            ),
                        ),
                        ("titre", models.CharField(max_length=200, verbose_name="titre")),
                        ("texte", models.TextField(blank=True, verbose_name="présentation")),
                        (
                            "duree",
                            models.PositiveSmallIntegerField(
                                blank=True, null=True, verbose_name="durée, en minutes"
                            ),
                        ),
                        ("notes", models.TextField(blank=True, verbose_name="ce qui s’est dit")),
                        (
                            "pgh_context",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="pghistory.context",
                            ),
                        ),
                        (
                            "pgh_obj",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="bilans.pointreunion",
                            ),
                        ),
                        (
                            "reunion",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="bilans.reunion",
                            ),
                        ),
                    ],
                    options={"abstract": False},
                ),
                migrations.CreateModel(
                    name="TraceReunion",
                    fields=[
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("id", models.BigIntegerField()),
                        ("objet", models.CharField(max_length=200, verbose_name="objet")),
                        ("date", models.DateField(verbose_name="date")),
                        ("heure", models.TimeField(verbose_name="heure")),
                        ("heure_fin", models.TimeField(blank=True, null=True, verbose_name="heure de fin")),
                        ("lieu", models.CharField(max_length=200, verbose_name="lieu")),
                        (
                            "etat",
                            models.CharField(
                                choices=[
                                    ("PREPARATION", "en préparation"),
                                    ("CONVOQUEE", "convoquée"),
                                    ("OUVERTE", "en séance"),
                                    ("CLOSE", "close"),
                                    ("ANNULEE", "annulée"),
                                ],
                                default="PREPARATION",
                                max_length=11,
                                verbose_name="état",
                            ),
                        ),
                        (
                            "publiee_le",
                            models.DateTimeField(
                                blank=True, null=True, verbose_name="connue des membres depuis le"
                            ),
                        ),
                        (
                            "ouverte_le",
                            models.DateTimeField(blank=True, null=True, verbose_name="ouverte le"),
                        ),
                        ("close_le", models.DateTimeField(blank=True, null=True, verbose_name="close le")),
                        (
                            "organisation",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="reservation.organisation",
                                verbose_name="DREAL qui la tient",
                            ),
                        ),
                        (
                            "pgh_context",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="pghistory.context",
                            ),
                        ),
                        (
                            "pgh_obj",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="bilans.reunion",
                            ),
                        ),
                        (
                            "region",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="reservation.region",
                                verbose_name="région",
                            ),
                        ),
                    ],
                    options={"abstract": False},
                ),
            ]
        ),
        Declencher(
            [
                (
                    "reunion",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_tracereunion" ("close_le", "date", "etat", "heure", "heure_fin", "id", "lieu", "objet", "organisation_id", "ouverte_le", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publiee_le", "region_id") SELECT new_values."close_le", new_values."date", new_values."etat", new_values."heure", new_values."heure_fin", new_values."id", new_values."lieu", new_values."objet", new_values."organisation_id", new_values."ouverte_le", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."publiee_le", new_values."region_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="4177f565733efe763538ad66351b6c6dd63dead7",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_b7955",
                            referencing="REFERENCING NEW TABLE AS new_values ",
                            table="bilans_reunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "reunion",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_tracereunion" ("close_le", "date", "etat", "heure", "heure_fin", "id", "lieu", "objet", "organisation_id", "ouverte_le", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publiee_le", "region_id") SELECT new_values."close_le", new_values."date", new_values."etat", new_values."heure", new_values."heure_fin", new_values."id", new_values."lieu", new_values."objet", new_values."organisation_id", new_values."ouverte_le", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."publiee_le", new_values."region_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."close_le" IS DISTINCT FROM (new_values."close_le") OR old_values."date" IS DISTINCT FROM (new_values."date") OR old_values."etat" IS DISTINCT FROM (new_values."etat") OR old_values."heure" IS DISTINCT FROM (new_values."heure") OR old_values."heure_fin" IS DISTINCT FROM (new_values."heure_fin") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."lieu" IS DISTINCT FROM (new_values."lieu") OR old_values."objet" IS DISTINCT FROM (new_values."objet") OR old_values."organisation_id" IS DISTINCT FROM (new_values."organisation_id") OR old_values."ouverte_le" IS DISTINCT FROM (new_values."ouverte_le") OR old_values."publiee_le" IS DISTINCT FROM (new_values."publiee_le") OR old_values."region_id" IS DISTINCT FROM (new_values."region_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="2d86e91f53f701527a6c356ae4293052984bba64",
                            level="STATEMENT",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_91df2",
                            referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                            table="bilans_reunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "reunion",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_tracereunion" ("close_le", "date", "etat", "heure", "heure_fin", "id", "lieu", "objet", "organisation_id", "ouverte_le", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publiee_le", "region_id") SELECT old_values."close_le", old_values."date", old_values."etat", old_values."heure", old_values."heure_fin", old_values."id", old_values."lieu", old_values."objet", old_values."organisation_id", old_values."ouverte_le", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."publiee_le", old_values."region_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                            hash="134b4fc765d96593738317d7574a80b6be7d3610",
                            level="STATEMENT",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_e4ce9",
                            referencing="REFERENCING OLD TABLE AS old_values ",
                            table="bilans_reunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "pointreunion",
                    pgtrigger.compiler.Trigger(
                        name="gel_reunion_modif",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="IF (SELECT r.etat FROM bilans_reunion AS r WHERE r.id = NEW.reunion_id) = 'CLOSE' THEN RAISE EXCEPTION USING ERRCODE = 'RF001', MESSAGE = 'Cette réunion est close : rouvrez-la, avec un motif, pour corriger son compte rendu.'; END IF; RETURN NEW;",
                            hash="ee5b2449eed4a14453e2d697ba1d88b655add56c",
                            operation="INSERT OR UPDATE",
                            pgid="pgtrigger_gel_reunion_modif_4b3fd",
                            table="bilans_pointreunion",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "pointreunion",
                    pgtrigger.compiler.Trigger(
                        name="gel_reunion_retrait",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="IF (SELECT r.etat FROM bilans_reunion AS r WHERE r.id = OLD.reunion_id) = 'CLOSE' THEN RAISE EXCEPTION USING ERRCODE = 'RF001', MESSAGE = 'Cette réunion est close : rouvrez-la, avec un motif, pour corriger son compte rendu.'; END IF; RETURN OLD;",
                            hash="13b268e057cbb6f6c35f1841a943eb9a006a4152",
                            operation="DELETE",
                            pgid="pgtrigger_gel_reunion_retrait_86631",
                            table="bilans_pointreunion",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "pointreunion",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_tracepointreunion" ("duree", "id", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rang", "reunion_id", "rubrique", "texte", "titre") SELECT new_values."duree", new_values."id", new_values."notes", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."rang", new_values."reunion_id", new_values."rubrique", new_values."texte", new_values."titre" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="5880c2fc8aee6776c1d53b0d52a6ddb16dc41d89",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_049c9",
                            referencing="REFERENCING NEW TABLE AS new_values ",
                            table="bilans_pointreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "pointreunion",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_tracepointreunion" ("duree", "id", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rang", "reunion_id", "rubrique", "texte", "titre") SELECT new_values."duree", new_values."id", new_values."notes", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."rang", new_values."reunion_id", new_values."rubrique", new_values."texte", new_values."titre" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."duree" IS DISTINCT FROM (new_values."duree") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."notes" IS DISTINCT FROM (new_values."notes") OR old_values."rang" IS DISTINCT FROM (new_values."rang") OR old_values."reunion_id" IS DISTINCT FROM (new_values."reunion_id") OR old_values."rubrique" IS DISTINCT FROM (new_values."rubrique") OR old_values."texte" IS DISTINCT FROM (new_values."texte") OR old_values."titre" IS DISTINCT FROM (new_values."titre")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="c4df55cce2ef3d99891f954c91545de42d5fbaab",
                            level="STATEMENT",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_94f16",
                            referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                            table="bilans_pointreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "pointreunion",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_tracepointreunion" ("duree", "id", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rang", "reunion_id", "rubrique", "texte", "titre") SELECT old_values."duree", old_values."id", old_values."notes", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."rang", old_values."reunion_id", old_values."rubrique", old_values."texte", old_values."titre" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                            hash="143f256fcc8f8f4843ecc3e2efb99774ec6cbcc8",
                            level="STATEMENT",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_f6375",
                            referencing="REFERENCING OLD TABLE AS old_values ",
                            table="bilans_pointreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "invitereunion",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_traceinvitereunion" ("fonctions", "id", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "presence", "reunion_id") SELECT new_values."fonctions", new_values."id", new_values."organisation_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."presence", new_values."reunion_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="04c286e8bb3a6596468d9ea8b8b32060947e0d84",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_03a94",
                            referencing="REFERENCING NEW TABLE AS new_values ",
                            table="bilans_invitereunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "invitereunion",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_traceinvitereunion" ("fonctions", "id", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "presence", "reunion_id") SELECT new_values."fonctions", new_values."id", new_values."organisation_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."presence", new_values."reunion_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="b8aea68679ff84476bf0b3d2c80b21782996fffe",
                            level="STATEMENT",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_8aa26",
                            referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                            table="bilans_invitereunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "invitereunion",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_traceinvitereunion" ("fonctions", "id", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "presence", "reunion_id") SELECT old_values."fonctions", old_values."id", old_values."organisation_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."presence", old_values."reunion_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                            hash="46034ca5e1d42f28c355dd6df73ff527722e8fc2",
                            level="STATEMENT",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_6585c",
                            referencing="REFERENCING OLD TABLE AS old_values ",
                            table="bilans_invitereunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "evenementreunion",
                    pgtrigger.compiler.Trigger(
                        name="evenement_reunion_inalterable",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="8e4d490b17692581c1f4b82e5458ef747971080e",
                            operation="UPDATE",
                            pgid="pgtrigger_evenement_reunion_inalterable_f39b9",
                            table="bilans_evenementreunion",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "decisionreunion",
                    pgtrigger.compiler.Trigger(
                        name="gel_reunion_modif",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="IF (SELECT r.etat FROM bilans_reunion AS r WHERE r.id = NEW.reunion_id) = 'CLOSE' THEN RAISE EXCEPTION USING ERRCODE = 'RF001', MESSAGE = 'Cette réunion est close : rouvrez-la, avec un motif, pour corriger son compte rendu.'; END IF; RETURN NEW;",
                            hash="888c5dbaf2637178afe79670177ad8c594f9d480",
                            operation="INSERT OR UPDATE",
                            pgid="pgtrigger_gel_reunion_modif_2d7bb",
                            table="bilans_decisionreunion",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "decisionreunion",
                    pgtrigger.compiler.Trigger(
                        name="gel_reunion_retrait",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="IF (SELECT r.etat FROM bilans_reunion AS r WHERE r.id = OLD.reunion_id) = 'CLOSE' THEN RAISE EXCEPTION USING ERRCODE = 'RF001', MESSAGE = 'Cette réunion est close : rouvrez-la, avec un motif, pour corriger son compte rendu.'; END IF; RETURN OLD;",
                            hash="c041550ddf04f7d5f737700ccc66b04b1bba5997",
                            operation="DELETE",
                            pgid="pgtrigger_gel_reunion_retrait_0eeac",
                            table="bilans_decisionreunion",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "decisionreunion",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_tracedecisionreunion" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "point_id", "reunion_id", "texte") SELECT new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."point_id", new_values."reunion_id", new_values."texte" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="5085377082018bcd2422024e3a58242c3569d9df",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_23d6e",
                            referencing="REFERENCING NEW TABLE AS new_values ",
                            table="bilans_decisionreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "decisionreunion",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_tracedecisionreunion" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "point_id", "reunion_id", "texte") SELECT new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."point_id", new_values."reunion_id", new_values."texte" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="2421e706bb9b46cf8988034fe1c151cb0ab6b604",
                            level="STATEMENT",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_e4a4a",
                            referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                            table="bilans_decisionreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "decisionreunion",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_tracedecisionreunion" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "point_id", "reunion_id", "texte") SELECT old_values."id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."point_id", old_values."reunion_id", old_values."texte" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                            hash="797f70390a6cfe80aafe07eb1276edb8383fbea4",
                            level="STATEMENT",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_e637f",
                            referencing="REFERENCING OLD TABLE AS old_values ",
                            table="bilans_decisionreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "compterendu",
                    pgtrigger.compiler.Trigger(
                        name="compte_rendu_inalterable",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="10fed3bce27703e31e3b83b7ca8aa0914067613b",
                            operation="UPDATE",
                            pgid="pgtrigger_compte_rendu_inalterable_8cf06",
                            table="bilans_compterendu",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "actionreunion",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_traceactionreunion" ("abandonnee_le", "comite_id", "commentaire", "dite_le", "dite_par_id", "echeance", "id", "libelle", "motif", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "point_id", "publiee_le", "realisee_le", "region_id", "reunion_id", "seance") SELECT new_values."abandonnee_le", new_values."comite_id", new_values."commentaire", new_values."dite_le", new_values."dite_par_id", new_values."echeance", new_values."id", new_values."libelle", new_values."motif", new_values."organisation_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."point_id", new_values."publiee_le", new_values."realisee_le", new_values."region_id", new_values."reunion_id", new_values."seance" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="bd00b67749ad9aa6fc1d8274ec991a7133c63334",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_93b65",
                            referencing="REFERENCING NEW TABLE AS new_values ",
                            table="bilans_actionreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "actionreunion",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_traceactionreunion" ("abandonnee_le", "comite_id", "commentaire", "dite_le", "dite_par_id", "echeance", "id", "libelle", "motif", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "point_id", "publiee_le", "realisee_le", "region_id", "reunion_id", "seance") SELECT new_values."abandonnee_le", new_values."comite_id", new_values."commentaire", new_values."dite_le", new_values."dite_par_id", new_values."echeance", new_values."id", new_values."libelle", new_values."motif", new_values."organisation_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."point_id", new_values."publiee_le", new_values."realisee_le", new_values."region_id", new_values."reunion_id", new_values."seance" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."abandonnee_le" IS DISTINCT FROM (new_values."abandonnee_le") OR old_values."comite_id" IS DISTINCT FROM (new_values."comite_id") OR old_values."commentaire" IS DISTINCT FROM (new_values."commentaire") OR old_values."dite_le" IS DISTINCT FROM (new_values."dite_le") OR old_values."dite_par_id" IS DISTINCT FROM (new_values."dite_par_id") OR old_values."echeance" IS DISTINCT FROM (new_values."echeance") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."libelle" IS DISTINCT FROM (new_values."libelle") OR old_values."motif" IS DISTINCT FROM (new_values."motif") OR old_values."organisation_id" IS DISTINCT FROM (new_values."organisation_id") OR old_values."point_id" IS DISTINCT FROM (new_values."point_id") OR old_values."publiee_le" IS DISTINCT FROM (new_values."publiee_le") OR old_values."realisee_le" IS DISTINCT FROM (new_values."realisee_le") OR old_values."region_id" IS DISTINCT FROM (new_values."region_id") OR old_values."reunion_id" IS DISTINCT FROM (new_values."reunion_id") OR old_values."seance" IS DISTINCT FROM (new_values."seance")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                            hash="dd1315c506862cc18799ffd2c6a46e32acbef805",
                            level="STATEMENT",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_b6a06",
                            referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                            table="bilans_actionreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "actionreunion",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "bilans_traceactionreunion" ("abandonnee_le", "comite_id", "commentaire", "dite_le", "dite_par_id", "echeance", "id", "libelle", "motif", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "point_id", "publiee_le", "realisee_le", "region_id", "reunion_id", "seance") SELECT old_values."abandonnee_le", old_values."comite_id", old_values."commentaire", old_values."dite_le", old_values."dite_par_id", old_values."echeance", old_values."id", old_values."libelle", old_values."motif", old_values."organisation_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."point_id", old_values."publiee_le", old_values."realisee_le", old_values."region_id", old_values."reunion_id", old_values."seance" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                            hash="2fdf8db7273e7216c7e174601db05eff55654554",
                            level="STATEMENT",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_de35c",
                            referencing="REFERENCING OLD TABLE AS old_values ",
                            table="bilans_actionreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "traceactionreunion",
                    pgtrigger.compiler.Trigger(
                        name="journal",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="INSERT INTO reservation_lignejournal (le, acte, objet_type, objet_id, evenement_id, designation, genre, cle, bailleur_id, departement_id, reservataire_id, proprietaire_id, personne_id, confidentiel, requete, auteur_id, organisation_id, assistant_id, origine, motif) SELECT n.pgh_created_at, n.pgh_label, 'bilans.actionreunion', n.id::text, n.pgh_id, left(COALESCE((n.libelle)::text, ''), 300), 'reunion', COALESCE((n.reunion_id)::text, ''), NULL, NULL, NULL, n.comite_id, NULL, FALSE, COALESCE(c.m->>'requete', ''), (c.m->>'utilisateur')::bigint, (c.m->>'organisation')::bigint, (c.m->>'assistant')::bigint, left(COALESCE(c.m->>'origine', ''), 120), left(COALESCE(c.m->>'motif', ''), 300) FROM nouveaux AS n, ( SELECT COALESCE(NULLIF(current_setting('pghistory.context_metadata', TRUE), ''), 'null')::jsonb AS m ) AS c; RETURN NULL;",
                            hash="b8e491220d86dd5576fa5493cc5aafa15ad36893",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_journal_425ec",
                            referencing="REFERENCING NEW TABLE AS nouveaux ",
                            table="bilans_traceactionreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "traceactionreunion",
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="29be3faea1c483cfce3bdce8a55f21095560d880",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_6d3b0",
                            table="bilans_traceactionreunion",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "tracedecisionreunion",
                    pgtrigger.compiler.Trigger(
                        name="journal",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="INSERT INTO reservation_lignejournal (le, acte, objet_type, objet_id, evenement_id, designation, genre, cle, bailleur_id, departement_id, reservataire_id, proprietaire_id, personne_id, confidentiel, requete, auteur_id, organisation_id, assistant_id, origine, motif) SELECT n.pgh_created_at, n.pgh_label, 'bilans.decisionreunion', n.id::text, n.pgh_id, left(COALESCE(('')::text, ''), 300), 'reunion', COALESCE((n.reunion_id)::text, ''), NULL, NULL, NULL, (SELECT r.organisation_id FROM bilans_reunion AS r WHERE r.id = n.reunion_id), NULL, FALSE, COALESCE(c.m->>'requete', ''), (c.m->>'utilisateur')::bigint, (c.m->>'organisation')::bigint, (c.m->>'assistant')::bigint, left(COALESCE(c.m->>'origine', ''), 120), left(COALESCE(c.m->>'motif', ''), 300) FROM nouveaux AS n, ( SELECT COALESCE(NULLIF(current_setting('pghistory.context_metadata', TRUE), ''), 'null')::jsonb AS m ) AS c; RETURN NULL;",
                            hash="b4be5b62670a6d50ea19b58675e9692efc28403c",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_journal_30363",
                            referencing="REFERENCING NEW TABLE AS nouveaux ",
                            table="bilans_tracedecisionreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "tracedecisionreunion",
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="e0518b09fa346d3bb210cd48e0cc7ccf8e8a03b0",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_0b7d4",
                            table="bilans_tracedecisionreunion",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "traceinvitereunion",
                    pgtrigger.compiler.Trigger(
                        name="journal",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="INSERT INTO reservation_lignejournal (le, acte, objet_type, objet_id, evenement_id, designation, genre, cle, bailleur_id, departement_id, reservataire_id, proprietaire_id, personne_id, confidentiel, requete, auteur_id, organisation_id, assistant_id, origine, motif) SELECT n.pgh_created_at, n.pgh_label, 'bilans.invitereunion', n.id::text, n.pgh_id, left(COALESCE(((SELECT o.nom FROM reservation_organisation AS o WHERE o.id = n.organisation_id))::text, ''), 300), 'reunion', COALESCE((n.reunion_id)::text, ''), NULL, NULL, NULL, (SELECT r.organisation_id FROM bilans_reunion AS r WHERE r.id = n.reunion_id), NULL, FALSE, COALESCE(c.m->>'requete', ''), (c.m->>'utilisateur')::bigint, (c.m->>'organisation')::bigint, (c.m->>'assistant')::bigint, left(COALESCE(c.m->>'origine', ''), 120), left(COALESCE(c.m->>'motif', ''), 300) FROM nouveaux AS n, ( SELECT COALESCE(NULLIF(current_setting('pghistory.context_metadata', TRUE), ''), 'null')::jsonb AS m ) AS c; RETURN NULL;",
                            hash="cbae2ab8d09c47b4fb66f3fbd39bf963f78ed3fb",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_journal_8f0ed",
                            referencing="REFERENCING NEW TABLE AS nouveaux ",
                            table="bilans_traceinvitereunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "traceinvitereunion",
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="099c9a7487dbb1e9ecc6e60dfdd9d1170cae3267",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_6fc9f",
                            table="bilans_traceinvitereunion",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "tracepointreunion",
                    pgtrigger.compiler.Trigger(
                        name="journal",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="INSERT INTO reservation_lignejournal (le, acte, objet_type, objet_id, evenement_id, designation, genre, cle, bailleur_id, departement_id, reservataire_id, proprietaire_id, personne_id, confidentiel, requete, auteur_id, organisation_id, assistant_id, origine, motif) SELECT n.pgh_created_at, n.pgh_label, 'bilans.pointreunion', n.id::text, n.pgh_id, left(COALESCE((n.titre)::text, ''), 300), 'reunion', COALESCE((n.reunion_id)::text, ''), NULL, NULL, NULL, (SELECT r.organisation_id FROM bilans_reunion AS r WHERE r.id = n.reunion_id), NULL, FALSE, COALESCE(c.m->>'requete', ''), (c.m->>'utilisateur')::bigint, (c.m->>'organisation')::bigint, (c.m->>'assistant')::bigint, left(COALESCE(c.m->>'origine', ''), 120), left(COALESCE(c.m->>'motif', ''), 300) FROM nouveaux AS n, ( SELECT COALESCE(NULLIF(current_setting('pghistory.context_metadata', TRUE), ''), 'null')::jsonb AS m ) AS c; RETURN NULL;",
                            hash="ad598fd2b34123671735c2a238d95337620c5f2b",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_journal_a1f5b",
                            referencing="REFERENCING NEW TABLE AS nouveaux ",
                            table="bilans_tracepointreunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "tracepointreunion",
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="73538f33e5adc151c44208867b486a3652962cd3",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_f3651",
                            table="bilans_tracepointreunion",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "tracereunion",
                    pgtrigger.compiler.Trigger(
                        name="journal",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="INSERT INTO reservation_lignejournal (le, acte, objet_type, objet_id, evenement_id, designation, genre, cle, bailleur_id, departement_id, reservataire_id, proprietaire_id, personne_id, confidentiel, requete, auteur_id, organisation_id, assistant_id, origine, motif) SELECT n.pgh_created_at, n.pgh_label, 'bilans.reunion', n.id::text, n.pgh_id, left(COALESCE((n.objet)::text, ''), 300), 'reunion', COALESCE((n.id)::text, ''), NULL, NULL, NULL, n.organisation_id, NULL, FALSE, COALESCE(c.m->>'requete', ''), (c.m->>'utilisateur')::bigint, (c.m->>'organisation')::bigint, (c.m->>'assistant')::bigint, left(COALESCE(c.m->>'origine', ''), 120), left(COALESCE(c.m->>'motif', ''), 300) FROM nouveaux AS n, ( SELECT COALESCE(NULLIF(current_setting('pghistory.context_metadata', TRUE), ''), 'null')::jsonb AS m ) AS c; RETURN NULL;",
                            hash="7232f56b2e772170987e960e58774869a2a526a1",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_journal_e1d7f",
                            referencing="REFERENCING NEW TABLE AS nouveaux ",
                            table="bilans_tracereunion",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "tracereunion",
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="fa1c26a741e96ea6e044b69b1ea271e1f6ebd170",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_e59d2",
                            table="bilans_tracereunion",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
        # Its DREAL writes it; the members of the COPIL read it from the day it is convened.
        Verrouiller("bilans_reunion", ou(ORGANISATION, MEMBRES), si_ecriture(ORGANISATION)),
        *(
            Verrouiller(f"bilans_{table}", ou(DE_LA_REUNION), si_ecriture(DE_LA_SIENNE))
            for table in (
                "invitereunion",
                "pointreunion",
                "decisionreunion",
                "evenementreunion",
                "compterendu",
            )
        ),
        # Whoever owes an action reads it once it is published, and says when it is done.
        Verrouiller(
            "bilans_actionreunion",
            ou(DU_COMITE, f"publiee_le IS NOT NULL AND {ORGANISATION}", MEMBRES),
            si_ecriture(DU_COMITE, f"publiee_le IS NOT NULL AND {ORGANISATION}"),
        ),
        *(Verrouiller(f"bilans_{table}", ou(), si_ecriture(), ajouter="true") for table in TRACES),
        *(Rattacher(f"bilans_{table}", **dict(liens)) for table, liens in LIENS.items()),
    ]
