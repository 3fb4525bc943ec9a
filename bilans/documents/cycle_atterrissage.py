"""The atterrissage in the document of a point d'étape: the sentence, the figures it rests on, the method."""

from fractions import Fraction

from bilans.regles.donnees import Atterrissage
from reservation.regles.typographie import enumerer

from .modele import Cellule, Colonne, Format, Ligne, Numeroteur, Section, Texte, entier


def section_atterrissage(lu: Atterrissage, numeroteur: Numeroteur) -> Section:
    """The section; its table has one column of dwellings, and the error in percent."""
    erreur = None if lu.erreur is None else Fraction(lu.erreur) / 100
    lignes = [
        Ligne("Logements du flux libérés à cette date", (entier(lu.observe),)),
        Ligne("Avec ceux qui sont annoncés", (entier(lu.connu),)),
        Ligne("Flux attendu au 31 décembre", (entier(lu.central, "fort"),)),
        Ligne("Fourchette : si l’année finit comme la plus lente des années connues", (entier(lu.bas),)),
        Ligne("Fourchette : si elle finit comme la plus rapide", (entier(lu.haut),)),
        Ligne("Erreur moyenne de la méthode sur les années connues", (Cellule(erreur, Format.POURCENT),)),
        Ligne("Prochaines libérations, celles à orienter comprises", (entier(lu.sur),)),
        Ligne("À orienter vers l’État", (entier(lu.nombre, "fort"),), "total"),
    ]
    if lu.hors_qpv is not None:
        lignes.append(Ligne("dont hors QPV", (entier(lu.hors_qpv),), "sous"))
    if lu.insuffisants:
        lignes.append(Ligne("Manquerait encore à l’État", (entier(lu.insuffisants),), "sous"))
    annees = f"années comparées : {enumerer(str(an) for an in lu.annees)}" if lu.annees else ""
    return Section(
        "atterrissage",
        "Atterrissage au 31 décembre",
        (
            Texte(lu.besoin),
            Texte(lu.projection),
            numeroteur.tableau(
                "Atterrissage de l’année",
                (Colonne("Mesure", None, "g"), Colonne("Logements", "30")),
                lignes,
                precision=annees,
                note=lu.methode,
            ),
        ),
    )
