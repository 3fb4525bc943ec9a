"""4. The contingent of the État."""

from bilans.documents import figures
from bilans.documents.modele import Bloc, Colonne, Ligne, Numeroteur, Section, entier, pourcent
from bilans.regles.donnees import ETAT, DonneesBilan
from reservation.regles.typographie import entier_fr


def section_etat(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
    total = donnees.part(ETAT).attributions
    trace = figures.contingent_etat(
        [(ligne.titre, ligne.libelle, ligne.total) for ligne in donnees.etat],
        donnees.etat_100.prioritaires,
        donnees.etat_100.attributions,
    )
    blocs: list[Bloc] = []
    if trace:
        titre = f"Les {entier_fr(total)} attributions" if total > 1 else "L’unique attribution"
        blocs.append(numeroteur.figure(f"{titre} de l’État en {donnees.annee}", trace, liee=True))
    lignes = [
        Ligne(
            ligne.libelle,
            (
                entier(ligne.qpv),
                entier(ligne.hors_qpv),
                entier(ligne.dalo),
                entier(ligne.baux),
                entier(ligne.total, "fort"),
                pourcent(ligne.total, total),
            ),
        )
        for ligne in donnees.etat
    ]
    lignes.append(
        Ligne(
            "Total",
            (
                entier(sum(ligne.qpv for ligne in donnees.etat)),
                entier(sum(ligne.hors_qpv for ligne in donnees.etat)),
                entier(sum(ligne.dalo for ligne in donnees.etat)),
                entier(sum(ligne.baux for ligne in donnees.etat)),
                entier(total),
                pourcent(total, total),
            ),
            "total",
        )
    )
    blocs.append(
        numeroteur.tableau(
            "Agents, groupes de priorité, autres",
            (
                Colonne("Titre d’imputation", "60", "g"),
                Colonne("En QPV"),
                Colonne("Hors QPV"),
                Colonne("dont DALO"),
                Colonne("Baux signés"),
                Colonne("Total"),
                Colonne("Part"),
            ),
            lignes,
            precision=f"attributions de {donnees.annee}, date de la CALEOL",
            note=(
                "Un agent n’est compté qu’avec un bail signé et une validation antérieure à la proposition, ou un accord "
                f"postérieur du préfet. Agents logés par un bail signé en {donnees.annee}, quelle que soit la date de la "
                f"CALEOL : {entier_fr(donnees.agents.loges)}, pour un plafond de {entier_fr(donnees.agents.plafond)}."
            ),
        )
    )
    return Section("etat", "4. Contingent de l’État", tuple(blocs))
