"""What every table of tenants shares: the perimeter verb, the French sort key, the actor."""

import unicodedata

from django.db import models

from reservation.acteur import Acteur


def cle_de_tri(texte: str) -> str:
    """Sort and search key of a French name: no case, no accent, no ligature ("Île-d'Œuf" → "ile d oeuf")."""
    texte = unicodedata.normalize("NFKD", texte).casefold().replace("œ", "oe").replace("æ", "ae")
    # Punctuation becomes a space before what is not ASCII goes: the apostrophe of « L’Haÿ » is a separator.
    lettres = (c for c in unicodedata.normalize("NFKD", texte) if not unicodedata.combining(c))
    mots = "".join(c if c.isalnum() else " " for c in lettres).encode("ascii", "ignore").decode()
    return " ".join(mots.split())


class PerimetreQuerySet(models.QuerySet):
    """Queryset of tenant rows. Every read on behalf of somebody starts with `visibles_par`.

    The class attributes name the columns that say whose the row is; a model whose rights differ from the
    table of chapter 2 overrides `filtre_visibles` or `filtre_modifiables`.
    """

    champ_bailleur = "bailleur"
    champ_departement = "departement"
    champ_reservataire: str | None = "reservataire"
    lisible_par_copil = False

    def visibles_par(self, acteur: Acteur) -> "PerimetreQuerySet":
        """Rows that `acteur` may read; the stranger's are not there at all (404, not 403)."""
        filtre = self.filtre_visibles(acteur)
        return self.none() if filtre is None else self.filter(filtre)

    def modifiables_par(self, acteur: Acteur) -> "PerimetreQuerySet":
        """Rows that `acteur` may change: a subset of the visible ones."""
        filtre = self.filtre_modifiables(acteur)
        return self.none() if filtre is None else self.visibles_par(acteur).filter(filtre)

    def filtre_visibles(self, acteur: Acteur) -> models.Q | None:
        if acteur.systeme:
            return models.Q()
        if acteur.est_bailleur:
            return models.Q(**{self.champ_bailleur: acteur.organisation_id})
        if acteur.est_service_etat:
            return models.Q(**{f"{self.champ_departement}__in": acteur.departements})
        if acteur.est_reservataire and self.champ_reservataire:
            return models.Q(**{self.champ_reservataire: acteur.organisation_id})
        if acteur.est_copil and self.lisible_par_copil:
            return models.Q(**{f"{self.champ_departement}__in": acteur.departements})
        return None

    def filtre_modifiables(self, acteur: Acteur) -> models.Q | None:
        """By default the bailleur writes its own rows, if its member may manage."""
        if acteur.systeme:
            return models.Q()
        if acteur.est_bailleur and acteur.peut_gerer:
            return models.Q(**{self.champ_bailleur: acteur.organisation_id})
        return None
