"""The note for the council of a collectivité: its rights, what was done with them this year and the last, how to read it.

Nothing beyond "prioritaire, oui ou non" is said of the households (chapter 2): no label, no ground, no line.
"""

from datetime import datetime, time
from decimal import Decimal

from bilans.regles.verdicts import Issue, Verdict, juger_objectif, juger_quart
from bilans.services.contingents import Contingent, LigneContingent
from bilans.services.note_conseil import NoteConseil
from flux.models import Nature
from flux.regles.realise import manque_au_quart
from reservation.acteur import TypeOrganisation
from reservation.documents.typographie import jour as jour_ecrit
from reservation.documents.typographie import jour_court
from reservation.regles.periodes import PARIS
from reservation.regles.typographie import accorder, decimal_fr, entier_fr, enumerer

from .modele import (
    Cellule,
    Chiffre,
    Colonne,
    Definitions,
    Document,
    Encadre,
    Ligne,
    Numeroteur,
    Puces,
    Section,
    Tableau,
    Texte,
    Une,
    ecart,
    entier,
    exact,
    jour,
    points,
    texte,
    verdict,
)

COMMUNES_NOMMEES = 8


def composer_note(note: NoteConseil) -> Document:
    """The whole document. Same figures, same document."""
    numeroteur = Numeroteur()
    nom, marque = note.organisation.nom, note.empreinte
    minuit = datetime.combine(note.jour, time(), PARIS)
    fictif = " · Données de démonstration : bailleurs fictifs" if note.fictif else ""
    return Document(
        titre=f"Note sur la gestion en flux des logements réservés, {note.annee} : {nom}",
        auteur=nom,
        sujet="Droits de réservation, attributions de l’année et publics prioritaires (CCH, L. 441-1 et R. 441-5)",
        mots_cles="gestion en flux, réservation, logement social, collectivité",
        cree_le=minuit.isoformat(),
        courant=(f"Gestion en flux {note.annee} · {nom}", "Note pour le conseil"),
        reference=f"données au {jour_court(note.jour)} · empreinte {marque[:8]}…{marque[-8:]}{fictif}",
        empreinte=marque,
        une=_une(note, marque, numeroteur),
        sections=(
            _section_droits(note, numeroteur),
            _section_annees(note, numeroteur),
            _section_quart(note, numeroteur),
            _section_lire(note),
        ),
    )


# --- The first page ---------------------------------------------------------------------------------------------


def _une(note: NoteConseil, marque: str, numeroteur: Numeroteur) -> Une:
    lu = note.cette_annee
    prioritaires, attributions, manque = quart(lu)
    jugement = juger_quart(attributions, manque)
    objectif, realise = _somme(lu, "objectif"), _somme(lu, "realise")
    sur_objectif = juger_objectif(realise - objectif, objectif, realise) if lu.lignes else None
    return Une(
        surtitre=f"Note pour {_destinataire(note)} · gestion en flux · année {note.annee}",
        titre=note.organisation.nom,
        soustitre="Logements sociaux réservés : vos droits, ce qui en a été fait, et pour qui",
        fiches=(
            (
                ("Territoire", _territoire(note)),
                ("Bailleurs", accorder(len({x.bailleur.pk for x in lu.lignes}), "bailleur")),
                ("Textes", "CCH, articles L. 441-1, R. 441-5 et R. 441-5-1"),
            ),
            (
                ("Données au", f"{jour_ecrit(note.jour)}{', année en cours' if _en_cours(note) else ''}"),
                ("Comparée à", f"année {note.annee - 1}"),
                ("Empreinte", f"{marque[:32]} {marque[32:]}"),
            ),
        ),
        verdict=Encadre(
            jugement.issue != Issue.MANQUE and (sur_objectif is None or sur_objectif.issue != Issue.MANQUE),
            "L’essentiel",
            (tuple(_essentiel(note, jugement, sur_objectif, objectif, realise)),),
        ),
        chiffres=(
            Chiffre(decimal_fr(_libere(lu), 0), "", f"logements libérés, {_ou(note)}"),
            Chiffre(entier_fr(_compte(lu, "orientes")), "", "logements qui vous ont été proposés"),
            Chiffre(entier_fr(attributions), "", "attributions sur votre contingent"),
            Chiffre(entier_fr(_compte(lu, "baux")), "", "baux signés dans l’année"),
        ),
        blocs=(
            numeroteur.tableau(
                f"{note.annee} et {note.annee - 1} : ce qui compte",
                (
                    Colonne("", None, "g"),
                    Colonne(str(note.annee), "26"),
                    Colonne(str(note.annee - 1), "26"),
                    Colonne("Écart", "22"),
                ),
                _comparaison(note),
            ),
        ),
    )


def _essentiel(
    note: NoteConseil, jugement: Verdict, sur_objectif: Verdict | None, objectif: int, realise: int
) -> list[tuple[str, bool]]:
    if not note.cette_annee.lignes:
        return [(f"Aucun droit de réservation ne court en {note.annee}.", True)]
    prioritaires, attributions, manque = quart(note.cette_annee)
    phrases = []
    if sur_objectif:
        quand = f"Au {jour_ecrit(note.jour)}, " if _en_cours(note) else ""
        comptent = accorder(realise, "logement compte", "logements comptent")
        phrases.append(
            (
                f"Objectif {note.annee} : {accorder(objectif, 'logement')}. {quand}{comptent} : {_en_mots(sur_objectif)}.",
                True,
            )
        )
    if not attributions:
        phrases.append(
            ("Aucune attribution de l’année sur votre contingent : le quart est sans objet.", False)
        )
    else:
        phrases.append(
            (
                f"Un quart au moins de vos attributions va à des ménages prioritaires : {entier_fr(prioritaires)} sur "
                f"{entier_fr(attributions)}, pour {entier_fr(manque_au_quart(0, attributions))} attendues, "
                f"{_en_mots(jugement)}.",
                True,
            )
        )
    if manque:
        phrases.append(
            (
                "Ce qui manque au quart en fin d’année, le préfet peut l’attribuer, sur vos droits (L. 441-1).",
                False,
            )
        )
    return phrases


def _comparaison(note: NoteConseil) -> list[Ligne]:
    lu, avant = note.cette_annee, note.avant
    prioritaires, attributions, _ = quart(lu)
    prioritaires_avant, attributions_avant, _ = quart(avant)
    paires = [
        (f"Logements libérés, {_ou(note)}", _libere(lu), _libere(avant)),
        ("Objectif, en logements entiers", _somme(lu, "objectif"), _somme(avant, "objectif")),
        ("Logements proposés", _compte(lu, "orientes"), _compte(avant, "orientes")),
        ("Attributions", attributions, attributions_avant),
        ("dont ménages prioritaires", prioritaires, prioritaires_avant),
        ("Baux signés", _compte(lu, "baux"), _compte(avant, "baux")),
        ("Refus des ménages", _compte(lu, "refus_menages"), _compte(avant, "refus_menages")),
    ]
    return [
        Ligne(
            titre,
            tuple(
                Cellule(valeur, format_)
                for valeur, format_ in (
                    (ici, entier(0).format),
                    (la, entier(0).format),
                    (ici - la, ecart(0).format),
                )
            ),
        )
        for titre, ici, la in ((t, _entier(a), _entier(b)) for t, a, b in paires)
    ]


def _entier(valeur: Decimal | int) -> int:
    """Observed dwellings are whole; a projected base of a territory is not, and is rounded down."""
    return int(valeur)


# --- Sections ---------------------------------------------------------------------------------------------------


def _section_droits(note: NoteConseil, numeroteur: Numeroteur) -> Section:
    droits = numeroteur.tableau(
        f"Vos droits en {note.annee}",
        (
            Colonne("Bailleur", None, "g"),
            Colonne("Dép.", "12", "g"),
            Colonne("Acte", "44", "g"),
            Colonne("Points du flux", "18"),
            Colonne("Jusqu’au", "20", "g"),
            Colonne("Qui désigne", "26", "g"),
        ),
        [
            Ligne(
                d.bailleur,
                (
                    texte(d.departement),
                    texte(d.numero, "plie"),
                    points(Decimal(d.points)),
                    jour(d.fin),
                    texte("le bailleur" if d.gestion_deleguee else "vous"),
                ),
            )
            for d in note.droits
        ],
        vide=f"Aucun acte ne court en {note.annee}.",
    )
    puces = [
        f"Vos points portent sur le flux de l’année {_ou(note)} : les logements de l’assiette qui s’y libèrent, moins ceux "
        "que la loi soustrait (mutations, relogements de la rénovation urbaine, insalubrité…).",
        "Un droit en flux ne porte pas sur un logement désigné d’avance : le bailleur choisit celui qu’il vous propose.",
        "Là où vous désignez, vous proposez les candidats dans le délai de l’acte ; passé ce délai, l’acte dit ce que devient "
        "le logement, et si votre droit en est consommé.",
    ]
    sans_clause = sorted({d.bailleur for d in note.droits if not d.clause_quart})
    if sans_clause:
        puces.append(
            f"La clause du quart n’est pas relevée dans l’acte passé avec {enumerer(sans_clause)} : la loi s’applique "
            "quand même, vérifiez l’acte au prochain avenant."
        )
    return Section("droits", "1. Vos droits", (droits, Puces(tuple(puces))))


def _section_annees(note: NoteConseil, numeroteur: Numeroteur) -> Section:
    return Section(
        "bailleurs",
        "2. Bailleur par bailleur",
        (
            _tableau_annee(note.cette_annee, numeroteur, _en_cours(note)),
            _tableau_annee(note.avant, numeroteur, False),
        ),
    )


def _tableau_annee(lu: Contingent, numeroteur: Numeroteur, en_cours: bool) -> Tableau:
    lignes = [
        Ligne(
            x.bailleur.nom,
            (
                Cellule(None if x.libere is None else int(x.libere), entier(0).format),
                exact(x.part.exacte if x.part else None),
                entier(x.objectif),
                entier(x.orientes.nombre),
                entier(x.attributions.nombre),
                entier(x.baux.nombre),
                ecart(x.ecart),
                verdict(_juger(x)) if _juger(x) else texte(None),
            ),
        )
        for x in lu.lignes
    ]
    if len(lu.lignes) > 1:
        lignes.append(
            Ligne(
                "Ensemble",
                (
                    entier(_entier(_libere(lu))),
                    exact(sum((x.part.exacte for x in lu.lignes if x.part), Decimal(0))),
                    entier(_somme(lu, "objectif")),
                    entier(_compte(lu, "orientes")),
                    entier(_compte(lu, "attributions")),
                    entier(_compte(lu, "baux")),
                    ecart(_somme(lu, "realise") - _somme(lu, "objectif")),
                    texte(""),
                ),
                "total",
            )
        )
    previsions = any(x.nature == Nature.PREVISIONNEL for x in lu.lignes)
    return numeroteur.tableau(
        f"Année {lu.demande.annee}{', en cours' if en_cours else ''}",
        (
            Colonne("Bailleur", None, "g"),
            Colonne("Libérés", "17"),
            Colonne("Part exacte", "17"),
            Colonne("Objectif", "17"),
            Colonne("Proposés", "17"),
            Colonne("Attribués", "17"),
            Colonne("Baux", "12"),
            Colonne("Écart", "13"),
            Colonne("Verdict", "25", "g"),
        ),
        lignes,
        precision="part et objectif du flux prévisionnel"
        if previsions
        else "part et objectif du flux définitif",
        note="Écart : logements réalisés moins l’objectif, reports compris.",
        vide="Aucun droit, et aucune attribution sur votre contingent.",
    )


def _section_quart(note: NoteConseil, numeroteur: Numeroteur) -> Section:
    lignes = []
    for x in note.cette_annee.lignes:
        avant = next(
            (
                y
                for y in note.avant.lignes
                if (y.bailleur.pk, y.departement) == (x.bailleur.pk, x.departement)
            ),
            None,
        )
        lignes.append(
            Ligne(
                x.bailleur.nom,
                (
                    entier(x.prioritaires.nombre),
                    entier(x.attributions.nombre),
                    entier(avant.prioritaires.nombre if avant else None),
                    entier(avant.attributions.nombre if avant else None),
                ),
            )
        )
    ici, la = quart(note.cette_annee), quart(note.avant)
    if lignes:
        lignes.append(
            Ligne("Ensemble", (entier(ici[0]), entier(ici[1]), entier(la[0]), entier(la[1])), "total")
        )
    return Section(
        "quart",
        "3. Un quart au moins aux ménages prioritaires",
        (
            numeroteur.tableau(
                "Attributions à des ménages prioritaires, sur toutes celles de votre contingent",
                (
                    Colonne("Bailleur", None, "g"),
                    Colonne(f"Prioritaires {note.annee}", "26"),
                    Colonne(f"Attributions {note.annee}", "26"),
                    Colonne(f"Prioritaires {note.annee - 1}", "26"),
                    Colonne(f"Attributions {note.annee - 1}", "26"),
                ),
                lignes,
                precision="par date de commission",
                note="L’obligation se juge sur toutes vos attributions de l’année, tous bailleurs réunis (L. 441-1).",
                vide="Aucune attribution.",
            ),
        ),
    )


def _section_lire(note: NoteConseil) -> Section:
    return Section(
        "lire",
        "4. Comment lire cette note",
        (
            Definitions(
                (
                    (
                        "Flux.",
                        "Les logements de l’assiette libérés dans l’année civile, moins les soustractions. Prévisionnel "
                        "avant la fin de l’année, définitif ensuite.",
                    ),
                    (
                        "Part exacte, objectif.",
                        "Vos points appliqués au flux de votre territoire ; l’objectif est cette part en logements entiers, "
                        "reports compris. Il est manqué s’il manque un logement entier.",
                    ),
                    (
                        "Proposés.",
                        "Logements que les bailleurs ont orientés vers vous dans l’année.",
                    ),
                    (
                        "Attribués.",
                        "Décisions de la commission d’attribution (CALEOL) prises dans l’année sur votre contingent, "
                        "quelle que soit l’année où le logement s’est libéré.",
                    ),
                    (
                        "Baux.",
                        "Baux signés dans l’année sur votre contingent, quelle que soit la date de la commission.",
                    ),
                    (
                        "Prioritaires.",
                        "Ménages reconnus DALO ou, à défaut, prioritaires au sens de l’article L. 441-1, à la date de la "
                        "commission. Cette note ne dit rien d’autre des ménages : ni motif, ni label, ni situation.",
                    ),
                    (
                        "Un quart.",
                        "L’entier égal ou supérieur au quart de vos attributions.",
                    ),
                )
            ),
            Texte(
                "Les chiffres sont ceux de l’application au jour indiqué, et ceux des bilans que les bailleurs vous "
                "transmettent avant le 28 février. "
                + (
                    "L’année n’est pas finie : ils changeront jusqu’au bilan."
                    if _en_cours(note)
                    else "Un bilan corrigé peut encore les changer."
                ),
                "note",
            ),
        ),
    )


# --- Words and sums ---------------------------------------------------------------------------------------------


def quart(lu: Contingent) -> tuple[int, int, int]:
    """(priority households, attributions, what is missing to the quarter) of the whole contingent."""
    tests = [d.quart for d in lu.departements if d.quart]
    prioritaires = sum(q.prioritaires.nombre for q in tests)
    attributions = sum(q.attributions.nombre for q in tests)
    return prioritaires, attributions, manque_au_quart(prioritaires, attributions)


def _juger(ligne: LigneContingent) -> Verdict | None:
    if ligne.ecart is None or ligne.objectif is None or ligne.realise is None:
        return None
    return juger_objectif(ligne.ecart, ligne.objectif, ligne.realise)


def _compte(lu: Contingent, champ: str) -> int:
    return sum(getattr(x, champ).nombre for x in lu.lignes)


def _somme(lu: Contingent, champ: str) -> int:
    return sum(getattr(x, champ) or 0 for x in lu.lignes)


def _libere(lu: Contingent) -> Decimal:
    return sum((x.libere for x in lu.lignes if x.libere is not None), Decimal(0))


def _en_cours(note: NoteConseil) -> bool:
    return note.annee >= note.jour.year


def _en_mots(jugement: Verdict) -> str:
    """ "atteint", "il en manque 1"."""
    return f"il en {jugement.mot}" if jugement.issue == Issue.MANQUE else jugement.mot


def _destinataire(note: NoteConseil) -> str:
    if note.organisation.type == TypeOrganisation.COLLECTIVITE:
        return "le conseil"
    return "le conseil d’administration"


def _ou(note: NoteConseil) -> str:
    return "sur votre territoire" if note.territoire else "dans le département"


def _territoire(note: NoteConseil) -> str:
    if not note.territoire:
        return f"département {enumerer(sorted({d.departement for d in note.droits}))}" if note.droits else "–"
    if len(note.territoire) > COMMUNES_NOMMEES:
        return accorder(len(note.territoire), "commune")
    return enumerer(note.territoire)
