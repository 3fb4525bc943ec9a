"""E-mails as rows: what was written, to whom, whether it left, and why not."""

from django.db import models
from django.db.models import Q

from reservation.acteur import Acteur

from .base import PerimetreQuerySet
from .organisations import Organisation


class CourrielQuerySet(PerimetreQuerySet):
    """Read by the administrators of the organisation that it is about; written by the services only."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(organisation__in=Organisation.objects.modifiables_par(acteur))

    def filtre_modifiables(self, acteur: Acteur):
        return Q()


class Courriel(models.Model):
    """EN_ATTENTE → ENVOYE, or after the last of the tries → ECHEC, from where somebody may send it again.

    The words are frozen when the row is written. A secret link never is: where the text has `MARQUE_LIEN`, the
    link is put at the moment of sending, so that whoever reads the table can enter nowhere.
    """

    hors_perimetre = (
        "écrit pour un destinataire qui peut n’avoir aucun accès ; aucune page ne le montre à un autre"
    )

    class Etat(models.TextChoices):
        EN_ATTENTE = "EN_ATTENTE", "en attente d’envoi"
        ENVOYE = "ENVOYE", "envoyé"
        ECHEC = "ECHEC", "non remis"

    MARQUE_LIEN = "[[lien]]"

    gabarit = models.CharField("gabarit", max_length=40)
    destinataire = models.EmailField("destinataire")
    objet = models.CharField("objet", max_length=200)
    corps_texte = models.TextField("texte")
    corps_html = models.TextField("texte en HTML")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="courriels", null=True, blank=True
    )
    invitation = models.ForeignKey(
        "reservation.Invitation", models.PROTECT, related_name="courriels", null=True, blank=True
    )
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_ATTENTE)
    essais = models.PositiveSmallIntegerField("essais", default=0)
    prochain_essai_le = models.DateTimeField("prochain essai le")
    erreur = models.CharField("dernière erreur", max_length=200, blank=True)
    ecrit_le = models.DateTimeField("écrit le", auto_now_add=True)
    envoye_le = models.DateTimeField("envoyé le", null=True, blank=True)

    objects = CourrielQuerySet.as_manager()

    class Meta:
        verbose_name = "courriel"
        ordering = ["-ecrit_le", "-pk"]
        indexes = [
            models.Index(
                fields=["prochain_essai_le"], condition=Q(etat="EN_ATTENTE"), name="courriel_a_envoyer"
            )
        ]
        constraints = [
            models.CheckConstraint(
                name="courriel_envoye_date",
                condition=Q(etat="ENVOYE", envoye_le__isnull=False)
                | (~Q(etat="ENVOYE") & Q(envoye_le__isnull=True)),
                violation_error_message="Un courriel envoyé porte sa date, et lui seul.",
            ),
            models.CheckConstraint(
                name="courriel_echec_explique",
                condition=~Q(etat="ECHEC") | ~Q(erreur=""),
                violation_error_message="Un courriel non remis dit pourquoi.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.objet} ({self.get_etat_display()})"


class PieceJointe(models.Model):
    """A file that goes with an e-mail, its bytes kept as they left. `type_mime` may bear parameters (method=REQUEST)."""

    hors_perimetre = "partie d’un courriel, écrit pour un destinataire qui peut n’avoir aucun accès ; lue avec lui seulement"

    courriel = models.ForeignKey(Courriel, models.CASCADE, related_name="pieces")
    nom = models.CharField("nom du fichier", max_length=100)
    type_mime = models.CharField("type", max_length=100)
    octets = models.BinaryField("contenu")
    empreinte = models.CharField("empreinte SHA-256", max_length=64)

    objects = models.Manager()

    class Meta:
        verbose_name = "pièce jointe"
        verbose_name_plural = "pièces jointes"
        ordering = ["courriel", "pk"]

    def __str__(self) -> str:
        return self.nom
