"""How long personal data are kept (RGPD, art. 5-1 e): rules as data, read by the purge and by the pages that say them."""

from dataclasses import dataclass
from datetime import date

from .typographie import INSECABLE


@dataclass(frozen=True)
class RegleConservation:
    """One kind of data. `mois`: how long, from `depuis`; 0: gone as soon as it has ended.

    `sort`: what becomes of it. `base`: why it is kept that long.
    """

    code: str
    donnees: str
    mois: int
    depuis: str
    sort: str
    base: str

    @property
    def duree(self) -> str:
        """ "12 mois", "3 ans"; "aucune" when nothing is kept after the end."""
        if not self.mois:
            return "aucune"
        if self.mois % 12 == 0 and self.mois > 12:
            return f"{self.mois // 12}{INSECABLE}ans"
        return f"{self.mois}{INSECABLE}mois"


def echeance(jour: date, mois: int) -> date:
    """What is older than this, on `jour`, has been kept `mois` months: same day of an earlier month, or its last."""
    annees, rang = divmod(jour.month - 1 - mois, 12)
    annee, mois_vise = jour.year + annees, rang + 1
    suivant = date(annee + mois_vise // 12, mois_vise % 12 + 1, 1)
    dernier = (suivant - date(annee, mois_vise, 1)).days
    return date(annee, mois_vise, min(jour.day, dernier))


FICHIERS_IMPORTES = RegleConservation(
    "FICHIERS_IMPORTES",
    "Fichiers RPLS déposés, et lignes rejetées",
    12,
    "la fin de l’import",
    "fichiers supprimés ; le compte rendu chiffré reste",
    "preuve de l’origine du parc jusqu’au bilan de l’année (CCH, art. R. 441-5-1)",
)
COMPTES_FERMES = RegleConservation(
    "COMPTES_FERMES",
    "Nom et adresse électronique des comptes fermés",
    12,
    "la fin du dernier rattachement, ou la dernière connexion si elle est plus récente",
    "nom et adresse remplacés par un numéro ; les actes restent, sous ce numéro",
    "imputabilité des actes faits pour l’organisation (RGPD, art. 5-2)",
)
SESSIONS = RegleConservation(
    "SESSIONS",
    "Sessions de connexion",
    0,
    "l’expiration de la session",
    "lignes supprimées",
    "sécurité du service (RGPD, art. 32)",
)
COURRIELS = RegleConservation(
    "COURRIELS",
    "Courriels envoyés par le service",
    12,
    "leur écriture",
    "lignes supprimées",
    "preuve de l’envoi d’une invitation, d’une échéance, d’une convocation (RGPD, art. 5-2)",
)
INVITATIONS = RegleConservation(
    "INVITATIONS",
    "Adresses électroniques des invitations",
    12,
    "l’acceptation, le retrait, ou la date limite de l’invitation",
    "adresse remplacée par un numéro ; qui a invité, quand et pour quels rôles reste",
    "imputabilité des accès donnés (RGPD, art. 5-2)",
)
