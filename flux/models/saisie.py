"""What makes the entry of libérations fast and safe: what somebody confirmed, and the filters that they keep."""

from django.db import models

from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur

from .liberations import Liberation


class ConfirmationQuerySet(PerimetreQuerySet):
    """Between the bailleur and the State: who sat at the keyboard is nobody else's."""

    champ_reservataire = None


class Confirmation(models.Model):
    """Somebody was told that something looked odd, and confirmed it: what (as it was written), who, when.

    `controle`: code of `flux.regles.controles`. The same oddity is asked once; other figures are another sentence,
    and are asked again.
    """

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    liberation = models.ForeignKey(Liberation, models.CASCADE, related_name="confirmations", db_index=False)
    controle = models.CharField("contrôle", max_length=32)
    phrase = models.CharField("ce qui a été confirmé", max_length=400)
    confirmee_par = models.ForeignKey(
        Utilisateur, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="confirmé par"
    )
    confirmee_le = models.DateTimeField("confirmé le", auto_now_add=True)

    objects = ConfirmationQuerySet.as_manager()

    class Meta:
        verbose_name = "confirmation"
        ordering = ["confirmee_le", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["liberation", "controle", "phrase"],
                name="confirmation_unique",
                violation_error_message="Ce point est déjà confirmé.",
            )
        ]


class FiltreQuerySet(PerimetreQuerySet):
    champ_reservataire = None

    def filtre_visibles(self, acteur: Acteur):
        """One’s own, for the organisation that one acts for."""
        if acteur.systeme:
            return models.Q()
        if acteur.utilisateur_id is None or acteur.organisation_id is None:
            return None
        return models.Q(utilisateur=acteur.utilisateur_id, organisation=acteur.organisation_id)

    def filtre_modifiables(self, acteur: Acteur):
        return self.filtre_visibles(acteur)


class FiltreEnregistre(models.Model):
    """A name that somebody gives to the filters of a list; whoever reads the list may have some, whatever the role."""

    utilisateur = models.ForeignKey(Utilisateur, models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    nom = models.CharField("nom", max_length=60)
    requete = models.CharField("critères", max_length=1000)
    cree_le = models.DateTimeField(auto_now_add=True)

    objects = FiltreQuerySet.as_manager()

    class Meta:
        verbose_name = "filtre enregistré"
        verbose_name_plural = "filtres enregistrés"
        ordering = ["nom", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["utilisateur", "organisation", "nom"],
                name="filtre_nom_unique",
                violation_error_message="Vous avez déjà un filtre de ce nom.",
            ),
            models.CheckConstraint(
                name="filtre_nomme",
                condition=~models.Q(nom=""),
                violation_error_message="Un filtre enregistré a un nom.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom
