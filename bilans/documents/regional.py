"""The regional bilan, for the committee and the CRHH: the consolidation of the validated bilans as a document.

Nothing is computed here but what a sentence compares: figures are those of `bilans.regles.consolidation`, hidden there.
"""

from collections.abc import Sequence
from fractions import Fraction

from bilans.regles.consolidation import (
    ALS,
    AUTRES,
    BAILLEUR,
    COLLECTIVITES,
    ETAT,
    TITRES,
    Consolidation,
    Contingent,
    Ligne,
    Quart,
)
from bilans.regles.verdicts import juger_objectif, juger_quart
from publics.regles.secret_hierarchique import LARGEUR
from publics.regles.secret_statistique import SEUIL
from reservation.documents.typographie import jour, jour_court
from reservation.regles.typographie import accorder, decimal_fr, entier_fr, enumerer

from . import figures_regionales as figures
from .modele import (
    Bloc,
    Cellule,
    Chiffre,
    Colonne,
    Definitions,
    Document,
    Encadre,
    Groupe,
    Intertitre,
    Numeroteur,
    Puces,
    Section,
    Tableau,
    Texte,
    Une,
    ecart,
    entier,
    pourcent,
    texte,
    verdict,
)
from .modele import Ligne as Rangee

NC = "n.c."
MASQUEES = f"{NC} : non communiqué, moins de {SEUIL} ménages, ou ce qui permettrait de les retrouver."
TUS_ICI = (
    f"{NC} : non communiqué. Comparé au réalisé, ce nombre dirait combien de ménages de l’État ne comptent pas pour "
    "son objectif, et ils sont trop peu."
)


def composer_regional(lue: Consolidation, reference: str) -> Document:
    """The whole document. `reference`: its number. Same figures, same document."""
    n = Numeroteur()
    marque = lue.empreinte
    fictif = " · données fictives" if lue.fictif else ""
    version = "cellules de moins de onze ménages masquées" if lue.masque else "version des services de l’État"
    titre = f"Bilan régional {lue.annee} de la gestion en flux : {lue.region.nom}"
    une = _une(lue, reference, n)
    sections = (
        _comparaison(lue, n),
        _publics(lue, n),
        *(_fiche(lue, d, rang, n) for rang, d in enumerate(lue.departements, 3)),
        _methode(lue, len(lue.departements) + 3, n),
        _etat_des_bilans(lue, len(lue.departements) + 4, n),
    )
    return Document(
        titre=titre,
        auteur="Services de l’État en région",
        sujet="Bilan régional consolidé des réservations de logements sociaux",
        mots_cles="gestion en flux, réservation, logement social, comité de pilotage, CRHH",
        cree_le=f"{lue.arrete_le or f'{lue.annee}-12-31'}T00:00:00+00:00",
        courant=(f"Bilan régional {lue.annee} · {lue.region.nom}", "Gestion en flux"),
        reference=f"{reference} · {version} · empreinte {marque[:8]}…{marque[-8:]}{fictif}",
        empreinte=marque,
        une=une,
        sections=sections,
        sommaire=True,
    )


# --- Cells --------------------------------------------------------------------------------------------------------


def masquable(nombre: int | None, style: str = "") -> Cellule:
    return texte(NC, "second") if nombre is None else entier(nombre, style)


def _taux(prioritaires: int | None, attributions: int) -> Cellule:
    return texte(NC, "second") if prioritaires is None else pourcent(prioritaires, attributions)


def _verdict_quart(q: Quart) -> Cellule:
    return texte(f"– {NC}", "second") if q.manque is None else verdict(juger_quart(q.attributions, q.manque))


def _verdict_etat(c: Contingent) -> Cellule:
    """A sum whose gap is positive may hide bailleurs that are short: the column beside says how many."""
    return verdict(juger_objectif(c.ecart, c.du or 0, c.realise))


def _atteint(c: Contingent) -> str:
    return f"{decimal_fr(Fraction(c.realise * 100, c.du), 1)} %" if c.du else "–"


# --- First page ---------------------------------------------------------------------------------------------------


def _une(lue: Consolidation, reference: str, n: Numeroteur) -> Une:
    racine, etat = lue.racine, lue.racine.contingent(ETAT)
    als = racine.quart(ALS)
    arrete = f"31 décembre {lue.annee}"
    if lue.donnees_au:
        arrete = jour(lue.donnees_au)
    suite = f", bilans validés au {jour(lue.arrete_le)}" if lue.arrete_le else ""
    return Une(
        surtitre=f"Bilan régional de la gestion en flux · année {lue.annee}",
        titre=lue.region.nom,
        soustitre="Document du comité de pilotage et du CRHH : DREAL, union régionale HLM, Action Logement",
        fiches=(
            (
                ("Périmètre", _perimetre(lue)),
                ("Textes", "CCH, articles L. 441-1, L. 313-26-2, R. 441-5 et R. 441-5-1"),
            ),
            (
                ("Données au", f"{arrete}{suite}"),
                ("Document", reference),
                ("Empreinte", f"{lue.empreinte[:32]} {lue.empreinte[32:]}"),
            ),
        ),
        verdict=_essentiel(lue),
        chiffres=(
            Chiffre(
                entier_fr(racine.flux), "", f"logements de flux définitif, {accorder(racine.bilans, 'bilan')}"
            ),
            Chiffre(
                NC if racine.attributions is None else entier_fr(racine.attributions),
                "",
                "attributions de l’année, tous réservataires",
            ),
            Chiffre(
                decimal_fr(Fraction(etat.realise * 100, etat.du), 1) if etat.du else "–",
                "%" if etat.du else "",
                f"de l’objectif de l’État : {entier_fr(etat.realise)} sur {entier_fr(etat.du or 0)}",
            ),
            Chiffre(
                NC
                if als.prioritaires is None
                else (
                    decimal_fr(Fraction(als.prioritaires * 100, als.attributions), 1)
                    if als.attributions
                    else "–"
                ),
                "%" if als.prioritaires is not None and als.attributions else "",
                "de prioritaires sur le contingent d’ALS"
                + (
                    f" : {entier_fr(als.prioritaires)} sur {entier_fr(als.attributions)}"
                    if als.prioritaires is not None
                    else ""
                ),
            ),
        ),
        blocs=(_tableau_etat(lue, n), _tableau_quarts(lue, n)),
    )


def _perimetre(lue: Consolidation) -> str:
    return (
        f"{accorder(lue.racine.bilans, 'bilan validé', 'bilans validés')} sur {entier_fr(lue.racine.attendus)} "
        f"{'attendu' if lue.racine.attendus < 2 else 'attendus'}, {accorder(len(lue.departements), 'département')}"
    )


def _essentiel(lue: Consolidation) -> Encadre:
    etat = lue.racine.contingent(ETAT)
    if not lue.racine.bilans:
        return Encadre(False, "L’essentiel", (((f"Aucun bilan de {lue.annee} n’est validé.", True),),))
    suivis = [d for d in lue.departements if d.valide]
    manquent = [d for d in suivis if (d.contingent(ETAT).ecart or 0) < 0]
    tete = (
        f"L’État compte {accorder(etat.realise, 'logement réalisé', 'logements réalisés')} pour un objectif de "
        f"{entier_fr(etat.du or 0)} ({_atteint(etat)})"
    )
    tete += f" : il en manque {entier_fr(-etat.ecart)}." if (etat.ecart or 0) < 0 else "."
    # Names are given for few départements; the table says the rest.
    ou = (
        f"L’objectif est manqué dans {enumerer(f'{d.nom} ({entier_fr(d.contingent(ETAT).ecart)})' for d in manquent)}."
        if manquent
        else "Chaque département atteint le sien."
    )
    bailleurs = accorder(
        etat.en_ecart, "objectif de bailleur est manqué", "objectifs de bailleurs sont manqués"
    )
    ecarts_ = (
        f"{bailleurs} sur {entier_fr(etat.tenus)}, de {accorder(etat.manque or 0, 'logement')} en tout : l’excédent "
        "d’un bailleur ne compense pas le manque d’un autre."
        if etat.en_ecart
        else "Aucun bailleur n’est en écart."
    )
    return Encadre(
        not etat.en_ecart and not _als_sous(suivis),
        "L’essentiel",
        (((tete, True), (f"{ou} {ecarts_}", False)), *_essentiel_als(lue, suivis), *_a_decider(lue)),
    )


def _als_sous(departements: Sequence[Ligne]) -> list[Ligne]:
    return [d for d in departements if d.quart(ALS).manque]


def _essentiel_als(lue: Consolidation, suivis: Sequence[Ligne]):
    lisibles = [d for d in suivis if d.quart(ALS).manque is not None and d.quart(ALS).attributions]
    caches = [d for d in suivis if d.quart(ALS).manque is None]
    if not lisibles and not caches:
        return ()
    sous = _als_sous(lisibles)
    phrase = "Le quart d’Action Logement Services se lit par département : " + (
        f"il est manqué dans {enumerer(f'{d.nom} (il en manque {entier_fr(d.quart(ALS).manque)})' for d in sous)}."
        if sous
        else ("il est tenu partout où il est communiqué." if lisibles else "il n’est communiqué nulle part.")
    )
    reste = f" Non communiqué : {enumerer(d.nom for d in caches)}." if caches else ""
    return (((phrase, True), (reste.strip(), False)),)


def _a_decider(lue: Consolidation):
    absents = [(d, d.attendus - d.bilans) for d in lue.departements if d.attendus > d.bilans]
    if not absents:
        return ()
    liste = enumerer(f"{d.nom} {entier_fr(nombre)}" for d, nombre in absents)
    total = sum(nombre for _, nombre in absents)
    return (
        (
            (
                f"{accorder(total, 'bilan n’est pas validé', 'bilans ne sont pas validés')} ({liste}) : "
                "aucun total ne les compte ni ne les estime.",
                False,
            ),
        ),
    )


def _tableau_etat(lue: Consolidation, n: Numeroteur) -> Tableau:
    def rangee(x: Ligne, genre: str = "") -> Rangee:
        c = x.contingent(ETAT)
        return Rangee(
            "Région" if genre else x.intitule,
            (
                texte(f"{entier_fr(x.bilans)} sur {entier_fr(x.attendus)}"),
                entier(x.flux),
                entier(c.objectif),
                entier(c.report),
                entier(c.du, "fort"),
                entier(c.realise, "fort"),
                ecart(c.ecart),
                pourcent(c.realise, c.du or 0),
                texte(f"{entier_fr(c.en_ecart)} sur {entier_fr(c.tenus)}"),
                _verdict_etat(c) if x.valide else texte("–"),
            ),
            genre,
        )

    return n.tableau(
        "Contingent de l’État : objectif et réalisé par département",
        (
            Colonne("Département", None, "g"),
            Colonne("Bilans validés", "13"),
            Colonne("Flux", "11.5"),
            Colonne("Part", "11"),
            Colonne(f"Report {lue.annee - 1}", "11"),
            Colonne(f"Objectif {lue.annee}", "13"),
            Colonne("Réalisé", "12"),
            Colonne("Écart", "10"),
            Colonne("Taux", "13"),
            Colonne("Bailleurs en écart", "14"),
            Colonne("Verdict", "22", "g"),
        ),
        [*(rangee(d) for d in lue.departements), rangee(lue.racine, "total")],
        precision="logements",
        note="Part : somme des parts entières de chaque bailleur. L’excédent d’un bailleur ne compense pas le manque d’un autre.",
    )


def _tableau_quarts(lue: Consolidation, n: Numeroteur) -> Tableau:
    def rangee(x: Ligne, genre: str = "") -> Rangee:
        als = x.quart(ALS)
        suite: list[Cellule] = []
        for code in (COLLECTIVITES, BAILLEUR):
            q = x.quart(code)
            suite += [
                masquable(q.prioritaires),
                entier(q.attributions),
                _taux(q.prioritaires, q.attributions),
            ]
        return Rangee(
            "Région" if genre else x.intitule,
            (
                masquable(als.prioritaires, "fort"),
                entier(als.attributions),
                _taux(als.prioritaires, als.attributions),
                texte("– sans objet", "second") if genre else _verdict_quart(als),
                *suite,
            ),
            genre,
        )

    num = (Colonne("Num.", "11"), Colonne("Dénom.", "12"), Colonne("Taux", "12.5"))
    return n.tableau(
        "Le quart des attributions aux publics prioritaires",
        (Colonne("Département", None, "g"), *num, Colonne("Verdict", "20", "g"), *num, *num),
        [*(rangee(d) for d in lue.departements), rangee(lue.racine, "total")],
        groupes=(
            Groupe("Action Logement Services", 4),
            Groupe("Collectivités", 3),
            Groupe("Bailleurs (non réservés)", 3),
        ),
        note=(f"{MASQUEES} " if lue.masque else "")
        + "ALS : le quart se lit par département. Collectivités et bailleurs : chacun pour soi, les sommes sont indicatives.",
    )


# --- Comparison ---------------------------------------------------------------------------------------------------


def _comparaison(lue: Consolidation, n: Numeroteur) -> Section:
    blocs: list[Bloc] = [
        Texte(
            f"Même année civile, mêmes règles, mêmes dénominateurs : libérations de {lue.annee} pour le flux et les "
            f"objectifs, attributions de {lue.annee} pour le réalisé et les quarts.",
            "chapo",
        )
    ]
    suivis = [d for d in lue.departements if d.valide]
    etats = [(d.intitule, d.contingent(ETAT)) for d in suivis]
    if dessin := figures.taux_d_objectif([(nom, c.realise, c.du or 0) for nom, c in etats]):
        blocs.append(
            n.figure(
                "Réalisé de l’État en pourcentage de l’objectif",
                dessin,
                "trait noir : 100 % ; triangle : objectif manqué ; rond : atteint",
            )
        )
    if dessin := figures.quarts(
        [(d.intitule, _lisible(d.quart(ALS)), _lisible(d.quart(BAILLEUR))) for d in suivis]
    ):
        blocs.append(
            n.figure("Part des publics prioritaires au regard du quart", dessin, "trait noir : 25 %")
        )
    if dessin := figures.titres(
        list(TITRES.values()),
        [(d.intitule, [t.nombre for t in d.titres], _ensemble_des_titres(d)) for d in suivis],
    ):
        precision = (
            "hachures : titres non communiqués, jusqu’aux attributions ou, à défaut, au réalisé"
            if lue.masque
            else "attributions"
        )
        blocs.append(n.figure("Pour qui les attributions de l’État", dessin, precision))
    blocs.append(_tableau_parc(lue, n))
    blocs.append(_tableau_contingents(lue, n))
    blocs.append(
        Texte(
            "Lecture. Les départements diffèrent par la taille : les figures comparent des taux, les tableaux donnent "
            "les nombres. Sous 150 attributions, un écart d’une ou deux unités n’est pas une tendance.",
            "note",
        )
    )
    return Section("comparaison", "1. Comparaison des départements", tuple(blocs))


def _ensemble_des_titres(d: Ligne) -> int:
    """How long the bar of a place is, from figures that are shown."""
    etat = d.contingent(ETAT)
    montres = sum(t.nombre or 0 for t in d.titres)
    return max(etat.realise, montres) if etat.attributions is None else etat.attributions


def _lisible(q: Quart) -> tuple[int, int] | None:
    return None if q.prioritaires is None else (q.prioritaires, q.attributions)


def _tableau_parc(lue: Consolidation, n: Numeroteur) -> Tableau:
    def rangee(x: Ligne, genre: str = "") -> Rangee:
        nombres = (x.parc, x.soumis, x.liberations, x.soustraits, x.flux, x.hors_qpv)
        return Rangee(
            "Région" if genre else x.intitule,
            (*(entier(v) for v in nombres), pourcent(x.flux, x.soumis)),
            genre,
        )

    return n.tableau(
        "Du parc au flux",
        (
            Colonne("Département", None, "g"),
            Colonne("Parc", "17"),
            Colonne("Assiette", "17"),
            Colonne("Libérations", "20"),
            Colonne("Soustractions", "22"),
            Colonne("Flux", "17"),
            Colonne("dont hors QPV", "17"),
            Colonne("Flux sur assiette", "18"),
        ),
        [*(rangee(d) for d in lue.departements), rangee(lue.racine, "total")],
        precision="logements",
    )


def _tableau_contingents(lue: Consolidation, n: Numeroteur) -> Tableau:
    def rangee(x: Ligne, genre: str = "") -> Rangee:
        cellules: list[Cellule] = []
        for code in (ETAT, ALS, COLLECTIVITES, AUTRES):
            c = x.contingent(code)
            cellules += [entier(c.du), entier(c.realise, "fort")]
        bailleur = x.contingent(BAILLEUR)
        return Rangee(
            "Région" if genre else x.intitule,
            (*cellules, entier(bailleur.realise), masquable(x.attributions), masquable(x.baux)),
            genre,
        )

    paire = (Colonne("Objectif", "12"), Colonne("Réalisé", "12"))
    return n.tableau(
        "Objectifs et réalisé par réservataire, attributions et baux",
        (
            Colonne("Département", None, "g"),
            *paire,
            *paire,
            *paire,
            *paire,
            Colonne("Réalisé", "13"),
            Colonne("Attrib.", "13"),
            Colonne("Baux", "13"),
        ),
        [*(rangee(d) for d in lue.departements), rangee(lue.racine, "total")],
        groupes=(
            Groupe("État", 2),
            Groupe("ALS", 2),
            Groupe("Collectivités", 2),
            Groupe("Autres", 2),
            Groupe("Non rés.", 1),
            Groupe("Tous contingents", 2),
        ),
        precision="logements",
        note=TUS_ICI if lue.masque else "",
    )


# --- Households ---------------------------------------------------------------------------------------------------


def _publics(lue: Consolidation, n: Numeroteur) -> Section:
    titres = n.tableau(
        "Attributions de l’État par titre, et refus des ménages",
        (
            Colonne("Département", None, "g"),
            *(Colonne(mot, "14") for mot in ("Agents", "Groupe 1", "Groupe 2", "Groupe 3", "Autres")),
            Colonne("Total", "14"),
            Colonne("Prononcées", "19"),
            Colonne("Refus", "15"),
            Colonne("Taux", "15"),
        ),
        [
            Rangee(
                "Région" if x is lue.racine else x.intitule,
                (
                    *(masquable(t.nombre) for t in x.titres),
                    masquable(x.contingent(ETAT).attributions, "fort"),
                    entier(x.prononcees),
                    masquable(x.refus),
                    _taux(x.refus, x.prononcees),
                ),
                "total" if x is lue.racine else "",
            )
            for x in (*lue.departements, lue.racine)
        ],
        groupes=(Groupe("Contingent de l’État (attributions)", 6), Groupe("Refus après attribution", 3)),
        note=MASQUEES if lue.masque else "",
    )
    return Section("publics", "2. Publics et refus", (titres, _tableau_soustractions(lue, n)))


def _tableau_soustractions(lue: Consolidation, n: Numeroteur) -> Tableau:
    categories = lue.racine.soustractions
    return n.tableau(
        "Soustractions par catégorie",
        (
            Colonne("Catégorie", None, "g"),
            *(Colonne(d.code, "14") for d in lue.departements),
            Colonne("Région", "17"),
        ),
        [
            Rangee(
                s.libelle,
                (
                    *(
                        entier(next((x.nombre for x in d.soustractions if x.code == s.code), 0))
                        for d in lue.departements
                    ),
                    entier(s.nombre, "fort"),
                ),
            )
            for s in categories
        ],
        precision="logements ; colonnes : départements",
        vide="Aucune catégorie de soustraction.",
    )


# --- One sheet per département ------------------------------------------------------------------------------------


def _fiche(lue: Consolidation, d: Ligne, rang: int, n: Numeroteur) -> Section:
    etat, als = d.contingent(ETAT), d.quart(ALS)
    blocs: list[Bloc] = []
    if not d.valide:
        attendus = accorder(d.attendus, "bilan est attendu", "bilans sont attendus")
        blocs.append(Texte(f"Aucun bilan validé : {attendus}. Rien n’est estimé.", "absent"))
        return Section(f"departement-{d.code}", f"{rang}. {d.intitule}", tuple(blocs), feuille=True)
    manque_als = (
        f"le quart d’ALS n’est pas communiqué ({NC})"
        if als.manque is None
        else f"ALS : {entier_fr(als.prioritaires or 0)} prioritaires sur {entier_fr(als.attributions)}, "
        + juger_quart(als.attributions, als.manque).mot
    )
    blocs.append(
        Texte(
            f"{accorder(d.bilans, 'bilan validé', 'bilans validés')} sur {entier_fr(d.attendus)} ; assiette de "
            f"{accorder(d.soumis, 'logement')}, flux de {entier_fr(d.flux)} ; État : {entier_fr(etat.realise)} pour "
            f"{entier_fr(etat.du or 0)} ({_atteint(etat)}) ; {manque_als}.",
            "chapo",
        )
    )
    blocs.append(_tableau_bailleurs(lue, d, n))
    valides = [b for b in d.enfants if b.valide]
    if dessin := figures.ecarts(
        [(b.nom, b.contingent(ETAT).realise, b.contingent(ETAT).du or 0) for b in valides]
    ):
        blocs.append(
            n.figure(
                f"Écart à l’objectif de l’État, {d.nom}", dessin, "logements ; à droite : réalisé / objectif"
            )
        )
    blocs.append(_tableau_etat_des_publics(lue, d, n))
    blocs.append(Intertitre("Ce que montrent les écarts"))
    blocs.append(Puces(tuple(_lectures(d, valides))))
    return Section(f"departement-{d.code}", f"{rang}. {d.intitule}", tuple(blocs), feuille=True)


def _tableau_bailleurs(lue: Consolidation, d: Ligne, n: Numeroteur) -> Tableau:
    def rangee(x: Ligne, genre: str = "") -> Rangee:
        c, als, sien = x.contingent(ETAT), x.quart(ALS), x.quart(BAILLEUR)
        if not x.valide:
            return Rangee(x.nom, (*(texte(None),) * 6, texte("– non validé", "second"), *(texte(None),) * 4))
        return Rangee(
            x.nom,
            (
                entier(x.flux),
                entier(c.objectif),
                entier(c.report),
                entier(c.du, "fort"),
                entier(c.realise, "fort"),
                ecart(c.ecart),
                _verdict_etat(c),
                masquable(als.prioritaires),
                entier(als.attributions),
                masquable(sien.prioritaires),
                entier(sien.attributions),
            ),
            genre,
        )

    ordre = sorted(d.enfants, key=lambda x: -x.flux)
    return n.tableau(
        f"Les bailleurs : {d.nom}",
        (
            Colonne("Bailleur", None, "g"),
            Colonne("Flux", "12"),
            Colonne("Part", "12"),
            Colonne("Report", "12"),
            Colonne("Objectif", "14"),
            Colonne("Réalisé", "13"),
            Colonne("Écart", "11"),
            Colonne("Verdict", "22", "g"),
            Colonne("Num.", "11"),
            Colonne("Dén.", "12"),
            Colonne("Num.", "11"),
            Colonne("Dén.", "12"),
        ),
        [*(rangee(x) for x in ordre), rangee(d, "total")],
        groupes=(
            Groupe("État : objectif et réalisé", 7),
            Groupe("ALS, quart", 2),
            Groupe("Bailleur, quart", 2),
        ),
        precision="par flux décroissant",
        note=MASQUEES if lue.masque else "",
        genre="long",
    )


def _tableau_etat_des_publics(lue: Consolidation, d: Ligne, n: Numeroteur) -> Tableau:
    return n.tableau(
        f"Attributions de l’État par titre, et refus : {d.nom}",
        (
            Colonne("Bailleur", None, "g"),
            *(
                Colonne(mot, "17")
                for mot in ("Agents", "Groupe 1", "Groupe 2", "Groupe 3", "Autres", "Total")
            ),
            Colonne("Prononcées", "20"),
            Colonne("Refus", "15"),
        ),
        [
            Rangee(
                x.nom,
                (
                    *(masquable(t.nombre) for t in x.titres),
                    masquable(x.contingent(ETAT).attributions, "fort"),
                    entier(x.prononcees),
                    masquable(x.refus),
                ),
                "total" if x is d else "",
            )
            for x in (*sorted((b for b in d.enfants if b.valide), key=lambda b: -b.flux), d)
        ],
        genre="long",
    )


def _lectures(d: Ligne, valides: Sequence[Ligne]) -> list[str]:
    etat = d.contingent(ETAT)
    ecarts_ = sorted(
        (b.contingent(ETAT).ecart or 0, b.nom) for b in valides if (b.contingent(ETAT).ecart or 0) < 0
    )
    lues = []
    if ecarts_:
        premiers = ecarts_[:3]
        porte = -sum(e for e, _ in premiers)
        sur = entier_fr(etat.manque or 0)
        suite = f", soit {entier_fr(porte)} des {sur} logements manquants" if len(ecarts_) > 3 else ""
        noms = enumerer(f"{nom} ({entier_fr(-e)})" for e, nom in premiers)
        lues.append(
            f"Objectif de l’État manqué par {accorder(len(ecarts_), 'bailleur')} sur {len(valides)} : {noms}{suite}."
        )
    else:
        lues.append("Chaque bailleur validé atteint l’objectif de l’État.")
    plus = sum(b.contingent(ETAT).ecart or 0 for b in valides if (b.contingent(ETAT).ecart or 0) > 0)
    if plus and ecarts_:
        lues.append(f"Les excédents des autres (+{entier_fr(plus)}) ne réduisent l’objectif de personne.")
    sous = [b.nom for b in valides if b.quart(BAILLEUR).manque]
    caches = sum(b.quart(BAILLEUR).manque is None for b in valides)
    if sous:
        lues.append(f"Sous le quart de leurs propres attributions : {enumerer(sous)}.")
    if caches:
        lues.append(f"Quart non communiqué pour {accorder(caches, 'bailleur')} : trop peu de ménages.")
    if d.attendus > d.bilans:
        absents = [b.nom for b in d.enfants if not b.valide]
        lues.append(f"Bilan non validé : {enumerer(absents)} ; il ne compte dans aucun total.")
    lues.append(
        "Objectif manqué, quart non atteint, bilan non remis : trois procédures distinctes, menées séparément."
    )
    return lues


# --- Method -------------------------------------------------------------------------------------------------------


def _methode(lue: Consolidation, rang: int, n: Numeroteur) -> Section:
    blocs: list[Bloc] = []
    if lue.masque:
        blocs += [
            Intertitre("Pourquoi certaines cellules sont masquées"),
            Texte(
                f"Hors des services de l’État, un nombre de ménages inférieur à {SEUIL} n’est pas communiqué : chez un petit "
                "bailleur, il permettrait de reconnaître une personne et le motif de sa priorité."
            ),
            Puces(
                (
                    f"Règle première. Toute cellule de 0 à {SEUIL - 1} ménages porte la mention {NC} Les objectifs, les parts, "
                    "les flux, le réalisé, les attributions et les baux comptent des logements : d’eux-mêmes, ils ne sont pas "
                    "masqués. Ce qui l’est dit quelque chose d’un ménage : sa priorité, son titre, son refus.",
                    "Règle seconde. Une autre cellule est masquée quand une addition ou une soustraction, dans ce document ou "
                    "avec les autres fichiers publiés, rendrait la première : dans une ligne, la plus petite des autres ; "
                    "dans un total, le total lui-même, du département puis de la région. Ainsi des attributions de l’État : "
                    "moins le réalisé, elles donnent les ménages qui ne sont ni prioritaires ni attribués pour un motif "
                    "consigné ; elles et le total de tous les contingents sont masqués avec eux, les baux de même là où la "
                    "convention compte les baux.",
                    f"Garantie. Qui connaît tous les chiffres montrés et les totaux trouve pour chaque cellule masquée un "
                    f"intervalle de {LARGEUR + 1} valeurs au moins, ou toutes celles que permet un total plus petit.",
                    "Taux, écarts et verdicts. Ceux qui laisseraient retrouver un nombre masqué portent la même mention.",
                    "Totaux. Ils sont calculés sur les nombres réels : aucun arrondi, aucun bruit. Les mêmes cellules sont "
                    "masquées dans le PDF, le classeur, les CSV, le bilan de chaque bailleur et les données ouvertes.",
                )
            ),
            _exemple(lue, n),
        ]
    blocs += [
        Intertitre("D’où viennent les chiffres"),
        Definitions(
            (
                (
                    "Source.",
                    "Bilans des bailleurs validés par les DDETS, figés à la validation ; aucune saisie régionale. Un bilan "
                    "corrigé et validé à nouveau change l’empreinte de ce document.",
                ),
                (
                    "Flux.",
                    f"Libérations de {lue.annee} de l’assiette, moins les soustractions (R. 441-5, I).",
                ),
                (
                    "Attributions.",
                    f"Décisions de CALEOL de {lue.annee}, quelle que soit la date de libération du logement.",
                ),
                (
                    "Objectif.",
                    f"Somme des objectifs des bailleurs, chacun étant sa part entière augmentée du report de {lue.annee - 1}.",
                ),
                (
                    "Réalisé.",
                    "Ce qui compte pour l’objectif selon la convention de chaque bailleur : attribution ou bail signé ; un "
                    "agent de l’État compte à la date de son bail.",
                ),
                (
                    "Quart.",
                    "ALS : par département (L. 313-26-2). Collectivité, bailleur : chacun pour soi (L. 441-1). Nombre attendu : "
                    "entier supérieur. La base du bailleur comprend les logements dont la désignation a échoué.",
                ),
                (
                    "Refus.",
                    "Attributions prononcées en CALEOL puis refusées par le ménage, rapportées aux attributions prononcées.",
                ),
            )
        ),
    ]
    return Section("methode", f"{rang}. Méthode et secret", tuple(blocs), feuille=True)


def _exemple(lue: Consolidation, n: Numeroteur) -> Tableau:
    """What a reader can deduce, on made-up figures: the real ones are not to be shown."""
    noms = ("Agents", "Groupe 1", "Groupe 2", "Groupe 3", "Autres")
    return n.tableau(
        "Exemple, sur des nombres inventés",
        (
            Colonne("Version", None, "g"),
            *(Colonne(nom, "18") for nom in (*noms, "Total", "Réalisé")),
        ),
        [
            Rangee("Services de l’État", tuple(entier(x) for x in (13, 31, 58, 44, 5, 151, 148))),
            Rangee(
                "Comité de pilotage",
                (
                    texte(NC, "second"),
                    *(entier(x) for x in (31, 58, 44)),
                    *(texte(NC, "second"),) * 2,
                    entier(148),
                ),
            ),
            Rangee(
                "Ce que le lecteur déduit",
                (
                    texte("de 0 à 15"),
                    *(texte("–"),) * 3,
                    texte("0 ou plus"),
                    texte("133 ou plus"),
                    texte("–"),
                ),
                "sous",
            ),
        ],
        note="Des cinq autres ménages, deux ont un motif consigné et comptent dans le réalisé ; trois n’en ont pas.",
    )


def _etat_des_bilans(lue: Consolidation, rang: int, n: Numeroteur) -> Section:
    lignes = [
        Rangee(b.nom, (texte(d.intitule), texte(b.etat_libelle), texte(b.numero or None)))
        for d in lue.departements
        for b in d.enfants
    ]
    tableau = n.tableau(
        "Bilans de l’année, et où en est chacun",
        (
            Colonne("Bailleur", None, "g"),
            Colonne("Département", "42", "g"),
            Colonne("État", "32", "g"),
            Colonne("Bilan d’origine", "56", "g"),
        ),
        lignes,
        precision=_perimetre(lue),
        vide="Aucun bilan de l’année.",
        genre="long",
        note=f"Arrêté au {jour_court(lue.arrete_le)}." if lue.arrete_le else "",
    )
    return Section("bilans", f"{rang}. Bilans consolidés", (tableau,))


def nom_du_fichier(lue: Consolidation) -> str:
    """Number of the document: equal figures, equal number."""
    lieu = lue.region.code if len(lue.departements) != 1 else f"{lue.region.code}-{lue.departements[0].code}"
    return f"REG-{lue.annee}-{lieu}-{'COPIL' if lue.masque else 'ETAT'}-{lue.empreinte[:8]}"
