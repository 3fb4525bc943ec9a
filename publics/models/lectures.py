"""Who read what is sensitive: one row each time a person is shown the ground of a label."""

import pgtrigger
from django.db import models
from django.db.models import Q

from reservation.acteur import Acteur, Role
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur


class LectureSensible(models.Model):
    """One reading, by a person, for an organisation, from a page. Written once: the database refuses to change it.

    `objet` names what was read ("label 12") and no key holds it: the purge of a household leaves the readings.
    """

    utilisateur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", verbose_name="lu par")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name="pour")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    objet = models.CharField("objet lu", max_length=60)
    page = models.CharField("depuis la page", max_length=200)
    lue_le = models.DateTimeField("lu le", auto_now_add=True)

    class LectureQuerySet(PerimetreQuerySet):
        """The journal is read by those who administer the reader's organisation, or the DDETS whose labels they are."""

        def filtre_visibles(self, acteur: Acteur):
            if acteur.systeme:
                return Q()
            if Role.ADMINISTRATION not in acteur.roles:
                return None
            siennes = Q(organisation=acteur.organisation_id)
            return siennes | Q(departement__in=acteur.departements) if acteur.est_ddets else siennes

        def filtre_modifiables(self, acteur: Acteur):
            return None

    objects = LectureQuerySet.as_manager()

    class Meta:
        verbose_name = "lecture d’une donnée sensible"
        verbose_name_plural = "lectures de données sensibles"
        ordering = ["-lue_le", "-pk"]
        indexes = [
            models.Index(fields=["organisation", "-lue_le"], name="lecture_organisation"),
            models.Index(fields=["departement", "-lue_le"], name="lecture_departement"),
            models.Index(fields=["lue_le"], name="lecture_date"),
        ]
        # Only the purge deletes, under `pgtrigger.ignore`.
        triggers = [
            pgtrigger.Protect(name="lecture_inalterable", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.objet}, {self.lue_le:%d/%m/%Y}"
