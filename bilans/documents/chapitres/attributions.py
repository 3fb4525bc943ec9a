"""2. Proposed and attributed: the cross tables of chapter 12, what became of each flux."""

from collections.abc import Callable, Sequence

from bilans.documents.modele import (
    Bloc,
    Cellule,
    Colonne,
    Groupe,
    Ligne,
    Numeroteur,
    Section,
    Tableau,
    Texte,
    entier,
    texte,
)
from bilans.regles.donnees import BAILLEUR, Classe, Croise, DonneesBilan, FicheReservataire
from reservation.documents.typographie import jour as jour_ecrit
from reservation.regles.actes import Soustraction
from reservation.regles.typographie import accorder, entier_fr

from .commun import COLONNES_RESERVATAIRES, LIGNES_INSECABLES, compter_par_contingent, contingents, regroupes

LIBELLE_COURT = 16


def section_attributions(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
    blocs: list[Bloc] = [
        Texte(
            f"Attributions de {donnees.annee} dans le flux, par réservataire. Pr. : logements proposés au réservataire "
            "dans l’année ; At. : logements attribués sur son contingent dans l’année. Chaque tableau se termine par les "
            f"mêmes totaux. {_phrase_echecs(donnees)}",
            "chapo",
        ),
        _tableau_pont(donnees, numeroteur),
    ]
    for croise in donnees.croises:
        if croise.dimension == "commune":
            blocs += _tableaux_communes(donnees, croise, numeroteur)
        else:
            blocs += _tableaux_croises(donnees, croise, numeroteur)
    blocs.append(_tableau_operations(donnees, numeroteur))
    blocs.append(_tableau_suites(donnees, numeroteur))
    return Section("attributions", "2. Logements proposés et attribués", tuple(blocs))


def _phrase_echecs(donnees: DonneesBilan) -> str:
    echecs = next((quart.echecs for quart in donnees.quarts if quart.code == BAILLEUR), 0)
    if not echecs:
        return ""
    logements = accorder(echecs, "logement proposé", "logements proposés")
    verbe = "compte" if echecs == 1 else "comptent"
    return f"{logements} sans succès à un réservataire puis au bailleur {verbe} deux fois parmi les proposés."


def _tableau_pont(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    pont, annee = donnees.pont, donnees.annee
    fin = jour_ecrit(donnees.situation.donnees_au)
    detail = f"{accorder(pont.orientes, 'orienté')}, {entier_fr(pont.a_orienter)} à orienter"
    return numeroteur.tableau(
        f"Du flux de {annee} aux attributions de {annee}",
        (Colonne("Étape", "150", "g"), Colonne("Logements")),
        (
            Ligne(f"Flux : libérations de {annee}, soustractions déduites", (entier(pont.flux),)),
            Ligne(
                f"moins : libérés en {annee}, non attribués au {fin} ({detail})",
                (entier(-pont.orientes - pont.a_orienter),),
            ),
            Ligne(f"Libérés et attribués en {annee}", (entier(pont.liberes_attribues),), "sous"),
            Ligne(f"plus : attribués en {annee}, libérés avant {annee}", (entier(pont.anterieurs),)),
            Ligne(f"Attributions de {annee} dans le flux", (entier(pont.attributions),), "total"),
        ),
        precision="objectif : libérations de l’année ; réalisé : attributions de l’année",
    )


Compteur = Callable[[str, frozenset[str]], tuple[int, int]]


def _compteur(croise: Croise) -> Compteur:
    """(class, codes of réservataires) → (proposed, attributed)."""
    cellules = {(c.classe, c.reservataire): (c.proposes, c.attribues) for c in croise.cellules}

    def compter(classe: str, codes: frozenset[str]) -> tuple[int, int]:
        siennes = [cellules.get((classe, reservataire), (0, 0)) for reservataire in codes]
        return sum(p for p, _ in siennes), sum(a for _, a in siennes)

    return compter


def _paire(proposes: int, attribues: int) -> tuple[Cellule, Cellule]:
    return (
        entier(proposes, "p" if proposes else "p z"),
        entier(attribues, "a" if attribues else "a z"),
    )


def _court(classe: Classe) -> str:
    """A class over two narrow columns: its label, or its code when the label explains."""
    return classe.libelle if len(classe.libelle) <= LIBELLE_COURT else classe.code


def _pr_at(groupes: int, total: bool = True) -> list[Colonne]:
    """Two columns per group; the last ones, when they are the total, are wider."""
    largeurs = [None] * groupes
    if total:
        largeurs[-1] = "11.5"
    return [Colonne(titre, largeur) for largeur in largeurs for titre in ("Pr.", "At.")]


def _tableaux_croises(donnees: DonneesBilan, croise: Croise, numeroteur: Numeroteur) -> list[Tableau]:
    """Classes × réservataires; over six réservataires, a second table details those that were grouped."""
    colonnes = contingents(donnees)
    tous = frozenset(fiche.code for fiche in donnees.reservataires)
    compter = _compteur(croise)
    lignes = [
        Ligne(
            classe.libelle,
            tuple(
                cellule
                for codes in (*(c.codes for c in colonnes), tous)
                for cellule in _paire(*compter(classe.code, codes))
            ),
        )
        for classe in croise.classes
    ]
    lignes.append(_total_croise(croise, [c.codes for c in colonnes] + [tous]))
    tableaux = [
        numeroteur.tableau(
            croise.titre,
            (Colonne(croise.dimension.capitalize(), "32", "g"), *_pr_at(len(colonnes) + 1)),
            lignes,
            groupes=tuple(Groupe(titre, 2) for titre in (*(c.titre for c in colonnes), "Total")),
            genre="croise",
        )
    ]
    fiches = regroupes(donnees)
    for debut in range(0, len(croise.classes) if fiches else 0, COLONNES_RESERVATAIRES):
        tableaux.append(
            _detail_regroupes(croise, fiches, debut, compter, numeroteur),
        )
    return tableaux


def _total_croise(croise: Croise, colonnes: Sequence[frozenset[str]]) -> Ligne:
    compter = _compteur(croise)
    paires = []
    for codes in colonnes:
        comptes = [compter(classe.code, codes) for classe in croise.classes]
        paires += _paire(sum(p for p, _ in comptes), sum(a for _, a in comptes))
    return Ligne("Total", tuple(paires), "total")


def _detail_regroupes(
    croise: Croise,
    fiches: Sequence[FicheReservataire],
    debut: int,
    compter: Compteur,
    numeroteur: Numeroteur,
) -> Tableau:
    """Réservataires × classes, six classes at most across the page, then their total."""
    classes = croise.classes[debut : debut + COLONNES_RESERVATAIRES]
    derniere = debut + COLONNES_RESERVATAIRES >= len(croise.classes)
    lignes = []
    for fiche in fiches:
        codes = frozenset({fiche.code})
        paires = [cellule for classe in classes for cellule in _paire(*compter(classe.code, codes))]
        if derniere:
            comptes = [compter(classe.code, codes) for classe in croise.classes]
            paires += _paire(sum(p for p, _ in comptes), sum(a for _, a in comptes))
        lignes.append(Ligne(fiche.sigle, tuple(paires)))
    codes = frozenset(fiche.code for fiche in fiches)
    totaux = [cellule for classe in classes for cellule in _paire(*compter(classe.code, codes))]
    if derniere:
        comptes = [compter(classe.code, codes) for classe in croise.classes]
        totaux += _paire(sum(p for p, _ in comptes), sum(a for _, a in comptes))
    lignes.append(Ligne("Total", tuple(totaux), "total"))
    titres = [_court(classe) for classe in classes] + (["Total"] if derniere else [])
    return numeroteur.tableau(
        f"{croise.titre} : collectivités et autres réservataires",
        (Colonne("Réservataire", "38", "g"), *_pr_at(len(titres), derniere)),
        lignes,
        groupes=tuple(Groupe(titre, 2) for titre in titres),
        genre="croise" if len(lignes) <= LIGNES_INSECABLES else "croise long",
    )


def _tableaux_communes(donnees: DonneesBilan, croise: Croise, numeroteur: Numeroteur) -> list[Tableau]:
    """Communes × réservataires, with the flux of each; grouped réservataires are detailed by commune below."""
    colonnes = contingents(donnees)
    tous = frozenset(fiche.code for fiche in donnees.reservataires)
    compter = _compteur(croise)
    flux = {commune.code: commune for commune in donnees.communes}
    lignes = []
    for classe in croise.classes:
        commune = flux.get(classe.code)
        lignes.append(
            Ligne(
                classe.libelle,
                (
                    entier(commune.flux if commune else 0),
                    entier(commune.hors_qpv if commune else 0),
                    *(
                        cellule
                        for codes in (*(c.codes for c in colonnes), tous)
                        for cellule in _paire(*compter(classe.code, codes))
                    ),
                ),
            )
        )
    total = _total_croise(croise, [c.codes for c in colonnes] + [tous])
    lignes.append(
        Ligne("Total", (entier(donnees.flux.flux), entier(donnees.flux.hors_qpv), *total.cellules), "total")
    )
    tableaux = [
        numeroteur.tableau(
            croise.titre,
            (
                Colonne("Commune", "30", "g"),
                Colonne("Flux", "11"),
                Colonne("hors QPV", "10"),
                *_pr_at(len(colonnes) + 1),
            ),
            lignes,
            precision="flux de l’année, dont hors QPV ; proposés et attribués",
            groupes=(Groupe("", 2), *(Groupe(t, 2) for t in (*(c.titre for c in colonnes), "Total"))),
            genre="croise" if len(lignes) <= LIGNES_INSECABLES else "croise long",
        )
    ]
    details = [
        Ligne(fiche.nom, (texte(classe.libelle), *_paire(*comptes)))
        for fiche in regroupes(donnees)
        for classe in croise.classes
        if any(comptes := compter(classe.code, frozenset({fiche.code})))
    ]
    if details:
        codes = frozenset(fiche.code for fiche in regroupes(donnees))
        comptes = [compter(classe.code, codes) for classe in croise.classes]
        total_detail = _paire(sum(p for p, _ in comptes), sum(a for _, a in comptes))
        details.append(Ligne("Total", (texte(""), *total_detail), "total"))
        tableaux.append(
            numeroteur.tableau(
                f"{croise.titre} : collectivités et autres réservataires",
                (
                    Colonne("Réservataire", "70", "g"),
                    Colonne("Commune", "60", "g"),
                    Colonne("Proposés"),
                    Colonne("Attribués"),
                ),
                details,
                precision="communes où des logements leur ont été proposés ou attribués",
                genre="long" if len(details) > LIGNES_INSECABLES else "",
            )
        )
    return tableaux


def _tableau_operations(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    colonnes = contingents(donnees)
    lignes, sommes = [], [0] * len(colonnes)
    for operation in donnees.operations:
        comptes = compter_par_contingent(operation.par_reservataire, colonnes)
        soustraite = operation.code in frozenset(Soustraction)
        sommes = [somme + compte for somme, compte in zip(sommes, comptes, strict=True)]
        lignes.append(
            Ligne(
                operation.libelle,
                (
                    *(entier(None if soustraite else compte) for compte in comptes),
                    entier(operation.hors_contingent if soustraite else None),
                    entier(operation.total, "fort"),
                ),
            )
        )
    lignes.append(
        Ligne(
            f"Toutes attributions de {donnees.annee}",
            (
                *(entier(somme) for somme in sommes),
                entier(sum(o.hors_contingent for o in donnees.operations)),
                entier(sum(o.total for o in donnees.operations)),
            ),
            "total",
        )
    )
    return numeroteur.tableau(
        "Par catégorie d’opération",
        (
            Colonne("Catégorie d’opération", "66", "g"),
            *(Colonne(colonne.titre) for colonne in colonnes),
            Colonne("Sans contingent"),
            Colonne("Total", "12"),
        ),
        lignes,
        precision=f"logements attribués en {donnees.annee}, dans le flux et hors flux",
        note=(
            "Une attribution ne compte qu’une fois : un relogement soustrait n’est imputé sur aucun contingent, même "
            "pour un ménage DALO. Les premières mises en location hors flux sont réparties selon les droits pour un tour."
        ),
    )


def _tableau_suites(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    lignes = [
        Ligne(
            donnees.reservataire(suite.code).nom if suite.code != BAILLEUR else "Bailleur (non réservé)",
            (
                entier(suite.prioritaires),
                entier(suite.dalo),
                entier(suite.attributions - suite.prioritaires),
                entier(suite.attributions, "fort"),
                entier(suite.baux),
                entier(suite.attributions - suite.baux),
            ),
        )
        for suite in donnees.suites
    ]
    lignes.append(
        Ligne(
            "Ensemble",
            (
                entier(sum(s.prioritaires for s in donnees.suites)),
                entier(sum(s.dalo for s in donnees.suites)),
                entier(sum(s.attributions - s.prioritaires for s in donnees.suites)),
                entier(sum(s.attributions for s in donnees.suites)),
                entier(sum(s.baux for s in donnees.suites)),
                entier(sum(s.attributions - s.baux for s in donnees.suites)),
            ),
            "total",
        )
    )
    return numeroteur.tableau(
        "Publics et baux",
        (
            Colonne("Réservataire", "60", "g"),
            Colonne("Prioritaires"),
            Colonne("dont DALO"),
            Colonne("Autres"),
            Colonne("Attributions"),
            Colonne("Bail signé"),
            Colonne("Sans bail"),
        ),
        lignes,
        precision=f"attributions de {donnees.annee} dans le flux",
        note=(
            "Prioritaires : DALO ou, à défaut, L. 441-1 ; pour ALS, salariés ou demandeurs d’emploi seulement. DALO : "
            "décision favorable valide à la date de la CALEOL, quel que soit le titre d’imputation. Les agents de "
            "l’État sont comptés parmi les autres."
        ),
        genre="long" if len(lignes) > LIGNES_INSECABLES else "",
    )
