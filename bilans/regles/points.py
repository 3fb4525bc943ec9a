"""The points d’étape of a year: which half-year a document is of (domain, chapter 10; Côtes-d’Armor, art. 7.1)."""

from datetime import date

from reservation.regles.typographie import date_fr

from .cycle import ActeRefuse

# The first half-year is told from June on, for as long as it may be late; the second from December on.
PREMIER, SECOND = 6, 12


def semestre_de(annee: int, jour: date) -> int:
    """1 or 2: the half-year that figures as of `jour` tell of. Raises `ActeRefuse`.

    After the year the bilan says it all, and takes the place of the second point.
    """
    if jour >= date(annee, 12, 31):
        raise ActeRefuse(f"L’année {annee} est terminée : le bilan tient lieu de point d’étape.")
    if jour.year < annee or jour.month < PREMIER:
        raise ActeRefuse(
            f"Les données s’arrêtent au {date_fr(jour)} : le point d’étape du premier semestre {annee} se transmet à "
            f"partir du 1er juin."
        )
    return 2 if jour.month >= SECOND else 1


def titre_du_point(semestre: int) -> str:
    """ "premier semestre"."""
    return "premier semestre" if semestre == 1 else "second semestre"
