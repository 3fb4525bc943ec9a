"""The table of the facts that a letter rests on, and the values of its variables: from the situation of the procedure that day."""

from bilans.regles.procedures import Lettre, Situation, Sorte
from flux.regles.realise import manque_au_quart
from reservation.regles.typographie import accorder, date_fr, enumerer

from .lettre import Tableau

SORTES = {
    Lettre.MISE_EN_DEMEURE: Sorte.MANQUEMENT,
    Lettre.RESILIATION: Sorte.MANQUEMENT,
    Lettre.ARRETE: Sorte.MANQUEMENT,
    Lettre.INVITATION: Sorte.OBJECTIFS,
    Lettre.COMPTE_RENDU: Sorte.OBJECTIFS,
    Lettre.REPORT: Sorte.OBJECTIFS,
    Lettre.ATTRIBUTION_DIRECTE: Sorte.OBJECTIFS,
    Lettre.NOTIFICATION_QUART: Sorte.QUART,
    Lettre.ATTRIBUTION_QUART: Sorte.QUART,
}


def constat(
    lettre: Lettre, annee: int, s: Situation, parts: tuple[tuple[str, str], ...] = ()
) -> Tableau | None:
    """What the letter shows in place of "@constat"; None when there is nothing to show. `parts`: of an arrêté, in points."""
    match SORTES[lettre]:
        case Sorte.MANQUEMENT if lettre == Lettre.ARRETE:
            return Tableau("Part de l’État, en points du flux", ("Part", "Points"), parts) if parts else None
        case Sorte.MANQUEMENT:
            return _manquements(annee, s)
        case Sorte.OBJECTIFS:
            return _objectifs(annee, s)
        case Sorte.QUART:
            return _quart(annee, s)


def _manquements(annee: int, s: Situation) -> Tableau | None:
    lignes = tuple(
        (e.libelle, e.article, f"{e.echeance:%d/%m/%Y}", accorder(e.retard(s.jour), "jour"))
        for e in s.manquements
    )
    colonnes = ("Élément attendu", "Convention", "Échéance", "Retard")
    titre = f"Obligations de l’année {annee} non remplies au {date_fr(s.jour)}"
    return Tableau(titre, colonnes, lignes, chiffres=False) if lignes else None


def _objectifs(annee: int, s: Situation) -> Tableau | None:
    lignes = tuple((o.nom, str(o.objectif), str(o.realise), str(o.manque)) for o in s.manques)
    if not lignes:
        return None
    return Tableau(
        f"Objectifs de {annee}, données au {date_fr(s.jour)}",
        ("Réservataire", "Objectif", "Réalisé", "Manque"),
        lignes,
        note="Objectif : part entière du flux définitif, report compris.",
    )


def _quart(annee: int, s: Situation) -> Tableau | None:
    if s.quart is None:
        return None
    q = s.quart
    return Tableau(
        f"Quart de {annee}, données au {date_fr(s.jour)}",
        ("Contingent", "Prioritaires", "Attributions", "Seuil", "Manque"),
        (
            (
                q.nom,
                str(q.prioritaires),
                str(q.attributions),
                str(manque_au_quart(0, q.attributions)),
                str(q.manque),
            ),
        ),
    )


def faits(lettre: Lettre, annee: int, s: Situation) -> dict[str, str]:
    """Values of the variables that nobody types: only those that the situation gives."""
    valeurs = {"annee": str(annee), "annee_suivante": str(annee + 1), "date_constat": date_fr(s.jour)}
    if SORTES[lettre] == Sorte.MANQUEMENT:
        valeurs["delai"] = "deux mois"
        if s.manquements:
            valeurs["manquements"] = enumerer(e.libelle for e in s.manquements)
    if s.delai is not None:
        valeurs |= {"date_reception": date_fr(s.delai.depart), "fin_delai": date_fr(s.delai.fin)}
    if SORTES[lettre] == Sorte.OBJECTIFS and s.manques:
        valeurs |= {
            "manque": accorder(s.total_manque, "attribution"),
            "justifies": accorder(s.justifies, "attribution"),
            "injustifies": accorder(s.manques_retenus, "attribution"),
            "clause": enumerer(dict.fromkeys(o.clause for o in s.manques)),
            "contingents": enumerer(_contingent(o.nom) for o in s.manques),
        }
    if SORTES[lettre] == Sorte.QUART and s.quart is not None:
        valeurs |= {
            "manque": accorder(s.quart.manque, "attribution"),
            "quart": f"{s.quart.prioritaires} sur {s.quart.attributions}",
            "contingents": _contingent(s.quart.nom),
        }
    return valeurs


def _contingent(nom: str) -> str:
    return "le contingent de l’État" if nom in ("État", "l’État") else f"le contingent : {nom}"
