"""How long what is known of households is kept (domain, chapter 7), and the trace of who read it."""

from datetime import date

from reservation.regles.conservation import RegleConservation

MENAGES = RegleConservation(
    "MENAGES",
    "Empreinte et quatre derniers caractères du numéro unique, labels et propositions, dossiers d’agents, demande",
    12,
    "l’échéance du bilan de l’année du dernier événement (CALEOL, bail, proposition, fin de label ou de validation)",
    "sans CALEOL ni attribution : tout est supprimé ; sinon l’identifiant, la demande, les propositions et les preuves "
    "sont effacés, et les lignes qui font les bilans restent, sans lien possible avec une personne",
    "contrôle des bilans par l’État (CCH, art. L. 441-1 et R. 441-5-1)",
)
LECTURES_SENSIBLES = RegleConservation(
    "LECTURES_SENSIBLES",
    "Journal des lectures des motifs de label",
    12,
    "la lecture",
    "lignes supprimées",
    "traçabilité des accès (RGPD, art. 32 ; CNIL, délibération n° 2021-122 du 14 octobre 2021)",
)


def dernier_exercice_echu(jour: date) -> int:
    """Last year whose households are no longer kept on `jour`.

    The bilan of N is due on 28 February N+1 at the latest (R. 441-5-1): its households go `MENAGES.mois` months after,
    that is from 1 March N+2 on.
    """
    decalage = 1 + MENAGES.mois // 12
    return jour.year - decalage - (jour < date(jour.year, 3, 1))
