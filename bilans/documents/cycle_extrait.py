"""A réservataire's version of a bilan, as a document: its objective, its tests, its tables, its attributions."""

from bilans.regles.cycle_extrait import ExtraitBilan
from bilans.regles.verdicts import Issue, Verdict, juger_objectif, juger_quart
from flux.regles.realise import manque_au_quart
from reservation.documents.typographie import jour as jour_ecrit
from reservation.documents.typographie import jour_court
from reservation.regles.typographie import accorder, entier_fr, taux_fr

from .chapitres.commun import LIGNES_PAR_TABLEAU
from .composition import fuseau
from .modele import (
    Chiffre,
    Colonne,
    Document,
    Encadre,
    Ligne,
    Numeroteur,
    Section,
    Tableau,
    Texte,
    Une,
    ecart,
    entier,
    exact,
    jour,
    texte,
    verdict,
)


def composer_extrait(extrait: ExtraitBilan, numero: str, marque: str) -> Document:
    """The whole document. Same figures, same document."""
    numeroteur = Numeroteur()
    situation = extrait.situation
    titulaire = extrait.reservataire.nom
    fictif = " · Données de démonstration : bailleur fictif" if extrait.bailleur.fictif else ""
    lieu = f"{extrait.departement.nom} ({extrait.departement.code})"
    genre = "Point d’étape" if situation.provisoire else "Bilan"
    return Document(
        titre=f"{genre} {extrait.annee} de la gestion en flux, part de {titulaire} : {extrait.bailleur.nom}, {lieu}",
        auteur=extrait.bailleur.nom,
        sujet="Point d’étape des réservations, transmis à un réservataire"
        if situation.provisoire
        else "Bilan annuel des réservations transmis à un réservataire, article R. 441-5-1 du CCH",
        mots_cles="gestion en flux, réservation, logement social",
        cree_le=f"{situation.calcule_le:%Y-%m-%dT%H:%M:%S}{fuseau(extrait)}",
        courant=(
            f"{genre} {extrait.annee} · {extrait.bailleur.nom} · {lieu}",
            f"Version transmise à : {titulaire}",
        ),
        reference=(
            f"{numero} · données au {jour_court(situation.donnees_au)} · empreinte {marque[:8]}…{marque[-8:]}{fictif}"
        ),
        empreinte=marque,
        une=_une(extrait, numero, marque, lieu, numeroteur),
        sections=(
            _section_tableaux(extrait, numeroteur),
            _section_hors_flux(extrait, numeroteur),
            _section_lignes(extrait, numeroteur),
        ),
    )


def _une(extrait: ExtraitBilan, numero: str, marque: str, lieu: str, numeroteur: Numeroteur) -> Une:
    part, provisoire = extrait.part, extrait.situation.provisoire
    objectif = juger_objectif(part.ecart, part.objectif_total, part.realise)
    quart = juger_quart(extrait.quart.attributions, extrait.quart.manque) if extrait.quart else None
    lignes = [
        Ligne(
            "Objectif de l’année",
            (
                exact(part.exacte),
                entier(part.objectif_total),
                entier(part.realise),
                ecart(part.ecart),
                verdict(objectif),
            ),
        )
    ]
    if extrait.quart and quart:
        lignes.append(
            Ligne(
                "Quart dû aux publics prioritaires",
                (
                    texte(None),
                    texte(
                        f"{entier_fr(manque_au_quart(0, extrait.quart.attributions))} sur "
                        f"{entier_fr(extrait.quart.attributions)}"
                    ),
                    entier(extrait.quart.prioritaires),
                    ecart(-extrait.quart.manque if extrait.quart.manque else None),
                    verdict(quart),
                ),
            )
        )
    phrases = [
        (
            f"{accorder(part.realise, 'logement compte', 'logements comptent')} pour un objectif de "
            f"{entier_fr(part.objectif_total)} : {_en_mots(objectif)}.",
            True,
        )
    ]
    if provisoire:
        phrases.append(
            (
                f"L’année n’est pas finie : chiffres et objectif du flux constaté au {jour_ecrit(extrait.situation.donnees_au)}. "
                "Rien n’est jugé avant le 31 décembre.",
                True,
            )
        )
    if part.report:
        phrases.append((f"L’objectif comprend {entier_fr(part.report)} au titre du report.", False))
    if quart and quart.issue != Issue.SANS_OBJET:
        phrases.append((f"Quart dû aux publics prioritaires : {_en_mots(quart)}.", False))
    chiffres = [
        Chiffre(entier_fr(part.attributions), "", "attributions de l’année sur votre contingent"),
        Chiffre(entier_fr(part.baux), "", "baux signés dans l’année"),
    ]
    if part.taux:
        chiffres.insert(
            0, Chiffre(taux_fr(part.taux[-1].net), "points", "votre part du flux, selon l’acte en vigueur")
        )
    if extrait.flux is not None:
        chiffres.insert(
            0,
            Chiffre(
                entier_fr(extrait.flux),
                "",
                "logements de flux constaté à ce jour dans le département"
                if provisoire
                else "logements de flux annuel dans le département",
            ),
        )
    actes = ", ".join(dict.fromkeys(c.numero for c in extrait.conventions)) or "sans acte en vigueur"
    return Une(
        surtitre=f"{'Point d’étape' if provisoire else 'Bilan annuel'} de la gestion en flux · année {extrait.annee} · "
        "part de chaque réservataire",
        titre=extrait.reservataire.nom,
        soustitre=f"{extrait.bailleur.nom}, {lieu}",
        fiches=(
            (
                ("Bailleur", f"{extrait.bailleur.nom}, {extrait.bailleur.famille}"),
                ("Acte", actes),
                ("Textes", "CCH, articles R. 441-5 et R. 441-5-1"),
            ),
            (
                (
                    "Point d’étape d’origine" if provisoire else "Bilan d’origine",
                    f"{extrait.bilan_numero}, {'transmis' if provisoire else 'soumis'} le {jour_ecrit(extrait.soumis_le)}",
                ),
                ("Document", numero),
                ("Empreinte", f"{marque[:32]} {marque[32:]}"),
            ),
        ),
        verdict=Encadre(
            provisoire or objectif.issue != Issue.MANQUE and (quart is None or quart.issue != Issue.MANQUE),
            "Ce qui vous concerne",
            (tuple(phrases),),
        ),
        chiffres=tuple(chiffres),
        blocs=(
            numeroteur.tableau(
                "Objectif et part des publics prioritaires",
                (
                    Colonne("Objet", None, "g"),
                    Colonne("Part exacte", "24"),
                    Colonne("Attendu", "30"),
                    Colonne("Réalisé", "20"),
                    Colonne("Écart", "18"),
                    Colonne("Verdict", "30", "g"),
                ),
                lignes,
            ),
        ),
    )


def _en_mots(jugement: Verdict) -> str:
    """ "atteint", "il en manque 1"."""
    return f"il en {jugement.mot}" if jugement.issue == Issue.MANQUE else jugement.mot


def _section_tableaux(extrait: ExtraitBilan, numeroteur: Numeroteur) -> Section:
    blocs = []
    for croise in extrait.croises:
        cellules = {c.classe: c for c in croise.cellules}
        lignes = [
            Ligne(
                classe.libelle,
                (entier(cellules[classe.code].proposes), entier(cellules[classe.code].attribues)),
            )
            for classe in croise.classes
        ]
        if lignes:
            lignes.append(
                Ligne(
                    "Ensemble",
                    (
                        entier(sum(c.proposes for c in croise.cellules)),
                        entier(sum(c.attribues for c in croise.cellules)),
                    ),
                    "total",
                )
            )
        blocs.append(
            numeroteur.tableau(
                croise.titre,
                (Colonne("Classe", None, "g"), Colonne("Proposés", "30"), Colonne("Attribués", "30")),
                lignes,
                vide="Aucun logement.",
            )
        )
    return Section(
        "attributions",
        "1. Logements qui vous ont été proposés, et attribués sur votre contingent",
        tuple(blocs),
    )


def _section_hors_flux(extrait: ExtraitBilan, numeroteur: Numeroteur) -> Section:
    soustractions = numeroteur.tableau(
        "Soustractions de l’année, par catégorie",
        (Colonne("Catégorie", None, "g"), Colonne("Fondement", "50", "g"), Colonne("Logements", "26")),
        [Ligne(s.libelle, (texte(s.source), entier(s.nombre))) for s in extrait.soustractions],
        vide="Aucune catégorie de soustraction.",
    )
    refus = numeroteur.tableau(
        "Refus des ménages après attribution, par motif",
        (Colonne("Motif", None, "g"), Colonne("Refus", "26")),
        [Ligne(r.libelle, (entier(r.nombre),)) for r in extrait.refus],
        precision=f"sur {accorder(extrait.prononcees, 'attribution prononcée', 'attributions prononcées')}",
        vide="Aucun refus.",
    )
    return Section("refus", "2. Soustractions du flux et refus", (soustractions, refus))


def _section_lignes(extrait: ExtraitBilan, numeroteur: Numeroteur) -> Section:
    titre = "3. Attributions sur votre contingent"
    if not extrait.lignes:
        return Section("lignes", titre, (Texte("Aucune attribution de l’année sur votre contingent."),))
    colonnes = (
        Colonne("CALEOL", "19", "g"),
        Colonne("Logement", "30", "g"),
        Colonne("Commune", None, "g"),
        Colonne("QPV", "12", "g"),
        Colonne("Type", "12", "g"),
        Colonne("Financ.", "16", "g"),
        Colonne("Prioritaire", "20", "g"),
        Colonne("Bail", "19", "g"),
        Colonne("Refus", "19", "g"),
    )
    blocs: list[Tableau] = []
    for debut in range(0, len(extrait.lignes), LIGNES_PAR_TABLEAU):
        blocs.append(
            numeroteur.tableau(
                "Attributions, dans l’ordre des commissions",
                colonnes,
                [
                    Ligne(
                        jour_court(x.date_caleol),
                        (
                            texte(x.logement, "plie"),
                            texte(x.commune, "plie"),
                            texte("oui" if x.qpv else "non"),
                            texte(x.typologie),
                            texte(x.financement),
                            texte("oui" if x.prioritaire else "non"),
                            jour(x.date_bail),
                            jour(x.refusee_le),
                        ),
                    )
                    for x in extrait.lignes[debut : debut + LIGNES_PAR_TABLEAU]
                ],
                genre="long",
            )
        )
    return Section("lignes", titre, tuple(blocs))
