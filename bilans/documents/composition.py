"""A bilan composed as a document: which table says what, in which order, under which words (domain, chapter 12).

Verdicts come from `bilans.regles`, numbers from the frozen tree; here they are only put in their place.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from bilans.regles.donnees import (
    ALS,
    BAILLEUR,
    ETAT,
    Classe,
    CompteReservataire,
    ControleQuart,
    ConventionLue,
    Croise,
    DonneesBilan,
    FicheReservataire,
    LigneAttribution,
    Part,
)
from bilans.regles.phrases import VerdictGeneral, rendre_verdict
from bilans.regles.verdicts import (
    Verdict,
    juger_cent_pour_cent,
    juger_objectif,
    juger_plafond,
    juger_plancher,
    juger_quart,
)
from flux.regles.realise import manque_au_quart
from reservation.documents.typographie import jour as jour_ecrit
from reservation.documents.typographie import jour_court
from reservation.regles.actes import Soustraction
from reservation.regles.typographie import accorder, entier_fr, enumerer, minuscule, taux_fr

from . import figures
from .cycle_atterrissage import section_atterrissage
from .methode import definitions
from .modele import (
    Bloc,
    Cellule,
    Chiffre,
    Colonne,
    CoteACote,
    Dessin,
    Document,
    Encadre,
    Groupe,
    Intertitre,
    Ligne,
    Numeroteur,
    Puces,
    Section,
    Signatures,
    Tableau,
    Texte,
    Une,
    code,
    dessin,
    ecart,
    entier,
    exact,
    jour,
    points,
    pourcent,
    texte,
    verdict,
)

# A table with two columns per réservataire holds six of them across a page.
COLONNES_RESERVATAIRES = 6
# Beyond that the annex is read in the workbook: paper has no filter.
LIGNES_ANNEXE = 300
# WeasyPrint slows down on very long tables: the annex is a suite of bounded ones.
LIGNES_PAR_TABLEAU = 100
# A table of more rows may be cut between two pages; a shorter one is kept whole.
LIGNES_INSECABLES = 34
PAGES_SANS_SOMMAIRE = 9
COMMUNES_CITEES = 4
LIBELLE_COURT = 16
NATURES = {
    "ETAT": "État",
    "ALS": "ALS",
    "COLLECTIVITE": "Collectivités",
    "AUTRE": "Autres",
    "BAILLEUR": "Bailleur",
}


@dataclass(frozen=True, slots=True)
class Contingent:
    """A column of the cross tables: one réservataire, or all the collectivités together."""

    titre: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a document is called: its number, its version (0: not produced), the fingerprint of its figures."""

    numero: str
    version: int
    empreinte: str

    @property
    def nom(self) -> str:
        return f"{self.numero}, version {self.version}" if self.version else self.numero


def composer_bilan(donnees: DonneesBilan, reference: Reference) -> Document:
    """The whole document. Same figures and same reference, same document: no clock, no chance."""
    numeroteur = Numeroteur()
    une = _une(donnees, reference, numeroteur)
    sections = (
        *([section_atterrissage(donnees.atterrissage, numeroteur)] if donnees.atterrissage else []),
        _section_parc(donnees, numeroteur),
        _section_attributions(donnees, numeroteur),
        _section_hors_flux(donnees, numeroteur),
        _section_etat(donnees, numeroteur),
        _section_caleol(donnees, numeroteur),
        _section_appreciation(donnees),
        Section("methode", "7. Méthode et définitions", (definitions(donnees),)),
        _section_signatures(),
        _annexe(donnees),
    )
    titre = f"{donnees.bailleur.nom}, {donnees.departement.nom} ({donnees.departement.code})"
    genre = "Bilan provisoire" if donnees.situation.provisoire else "Bilan annuel"
    fictif = " · Données de démonstration : bailleur fictif" if donnees.bailleur.fictif else ""
    return Document(
        titre=f"{genre} {donnees.annee} de la gestion en flux : {titre}",
        auteur=donnees.bailleur.nom,
        sujet="Bilan annuel des réservations de logements sociaux, article R. 441-5-1 du CCH",
        mots_cles="gestion en flux, réservation, logement social",
        cree_le=f"{donnees.situation.calcule_le:%Y-%m-%dT%H:%M:%S}{fuseau(donnees)}",
        courant=(
            f"{genre} {donnees.annee} · {donnees.bailleur.nom} · {donnees.departement.nom} "
            f"({donnees.departement.code})",
            f"État, {_nommer_actes(actes_de(donnees, ETAT)) or 'sans acte en vigueur'}",
        ),
        reference=(
            f"{reference.numero} · données au {jour_court(donnees.situation.donnees_au)} · empreinte "
            f"{reference.empreinte[:8]}…{reference.empreinte[-8:]}{fictif}"
        ),
        empreinte=reference.empreinte,
        une=une,
        sections=sections,
        sommaire=_pages_estimees(sections) > PAGES_SANS_SOMMAIRE,
    )


def fuseau(donnees: DonneesBilan) -> str:
    """The offset of the moment of the calculation as HTML metadata writes it: "+01:00"."""
    decalage = f"{donnees.situation.calcule_le:%z}"
    return f"{decalage[:3]}:{decalage[3:5]}"


def _pages_estimees(sections: Sequence[Section]) -> int:
    """Rough length of the PDF after its first page, in whole pages: a long one has a table of contents."""
    millimetres, annexe = 0, 0
    for section in sections:
        for tableau in section.tableaux:
            if section.paysage:
                annexe += len(tableau.lignes)
            else:
                millimetres += 20 + 5 * len(tableau.lignes)
    return 3 + millimetres // 235 + -(-annexe // 33)


# --- Réservataires as columns and as names ------------------------------------------------------------------


def contingents(donnees: DonneesBilan) -> tuple[Contingent, ...]:
    """Columns of the cross tables: every réservataire, or the collectivités and the others grouped over six."""
    fiches = donnees.reservataires
    if len(fiches) <= COLONNES_RESERVATAIRES:
        return tuple(Contingent(fiche.sigle, frozenset({fiche.code})) for fiche in fiches)
    return _par_nature(donnees)


def _par_nature(donnees: DonneesBilan) -> tuple[Contingent, ...]:
    """État, ALS, all the collectivités, all the others, the bailleur; one alone keeps its name."""
    groupes = []
    for nature, titre in NATURES.items():
        siennes = [fiche for fiche in donnees.reservataires if fiche.nature == nature]
        if siennes:
            nom = siennes[0].sigle if len(siennes) == 1 else titre
            groupes.append(Contingent(nom, frozenset(fiche.code for fiche in siennes)))
    return tuple(groupes)


def regroupes(donnees: DonneesBilan) -> tuple[FicheReservataire, ...]:
    """Réservataires that have no column of their own, in order: their figures are in a second table."""
    seuls = {c for contingent in contingents(donnees) if len(contingent.codes) == 1 for c in contingent.codes}
    return tuple(fiche for fiche in donnees.reservataires if fiche.code not in seuls)


def actes_de(donnees: DonneesBilan, reservataire: str) -> tuple[ConventionLue, ...]:
    return tuple(acte for acte in donnees.conventions if acte.reservataire == reservataire)


def _nommer_actes(actes: Sequence[ConventionLue]) -> str:
    """ "convention n° 84-2025-07 du 12 juin 2025, avenant 1 du 3 mars 2025" """
    noms = []
    precedent = None
    for acte in actes:
        avenant = f"avenant {acte.rang} du {jour_ecrit(acte.effet)}" if acte.rang else ""
        if acte.numero == precedent:
            noms.append(avenant)
        else:
            noms.append(f"{acte.nature} n° {acte.numero} du {jour_ecrit(acte.signee_le)}")
            if avenant:
                noms.append(avenant)
        precedent = acte.numero
    return ", ".join(nom for nom in noms if nom)


def _taux(part: Part) -> Cellule:
    """The net rate of the year; the successive ones when it changed."""
    if part.code == BAILLEUR:
        return texte("reste", "second")
    nets = list(dict.fromkeys(periode.net for periode in part.taux))
    if len(nets) <= 1:
        return points(nets[0] if nets else None)
    return texte(" puis ".join(taux_fr(Fraction(net)) for net in nets), "plie")


# --- First page ---------------------------------------------------------------------------------------------


def _une(donnees: DonneesBilan, reference: Reference, numeroteur: Numeroteur) -> Une:
    nature = "provisoire" if donnees.situation.provisoire else "annuel"
    flux = "flux constaté à ce jour" if donnees.situation.provisoire else "flux définitif"
    return Une(
        surtitre=f"Bilan {nature} de la gestion en flux · année {donnees.annee}",
        titre=f"{donnees.bailleur.nom}, {donnees.departement.nom} ({donnees.departement.code})",
        soustitre=f"Réservations de logements locatifs sociaux : {flux}, attributions, publics prioritaires",
        fiches=_fiches(donnees, reference),
        verdict=_encadre(rendre_verdict(donnees)),
        chiffres=_chiffres(donnees),
        blocs=(_tableau_objectifs(donnees, numeroteur), _tableau_tests(donnees, numeroteur)),
    )


def _encadre(jugement: VerdictGeneral) -> Encadre:
    return Encadre(
        jugement.tenu,
        jugement.titre,
        tuple(tuple((phrase.texte, phrase.forte) for phrase in corps) for corps in jugement.paragraphes),
    )


def _fiches(donnees: DonneesBilan, reference: Reference) -> tuple[tuple[tuple[str, str], ...], ...]:
    situation = donnees.situation
    siren = " ".join(donnees.bailleur.siren[i : i + 3] for i in range(0, 9, 3)).replace(" ", "\u00a0")
    fictif = " (bailleur fictif, données de démonstration)" if donnees.bailleur.fictif else ""
    autres = [f.sigle for f in donnees.reservataires if f.code not in (ETAT, BAILLEUR)]
    destinataires = ["préfet du département (DDETS)", *autres]
    actes = actes_de(donnees, ETAT)
    gestion = ""
    if actes:
        gestion = ", gestion déléguée au bailleur" if actes[-1].gestion_deleguee else ", gestion directe"
    millesime = f"RPLS {situation.millesime}" if situation.millesime else "sans parc RPLS"
    return (
        (
            ("Bailleur", f"{donnees.bailleur.nom}, {donnees.bailleur.famille}{fictif}, SIREN {siren}"),
            ("Destinataires", enumerer(_abreger(destinataires, 7))),
            (
                "Convention",
                f"{_nommer_actes(actes)}{gestion}" if actes else "aucun acte de l’État en vigueur",
            ),
            ("Textes", "CCH, articles L. 441-1, R. 441-5 à R. 441-5-2"),
        ),
        (
            ("Période", f"1er janvier au 31 décembre {donnees.annee}"),
            (
                "Données au",
                f"{jour_ecrit(situation.donnees_au)} ; calcul du {jour_ecrit(situation.calcule_le)} ({millesime})",
            ),
            ("Document", reference.nom),
            ("Empreinte", f"{reference.empreinte[:32]} {reference.empreinte[32:]}"),
        ),
    )


def _abreger(noms: Sequence[str], maximum: int) -> list[str]:
    if len(noms) <= maximum:
        return list(noms)
    return [*noms[:maximum], f"{len(noms) - maximum} autres réservataires"]


def _chiffres(donnees: DonneesBilan) -> tuple[Chiffre, ...]:
    flux, pont, agents, etat = donnees.flux, donnees.pont, donnees.agents, donnees.part(ETAT)
    nature = "flux constaté" if donnees.situation.provisoire else "flux définitif"
    anterieurs = (
        f", dont {entier_fr(pont.anterieurs)} sur des logements libérés avant {donnees.annee}"
        if pont.anterieurs
        else ""
    )
    if etat.taux:
        dernier = etat.taux[-1]
        detail = (
            f" : {taux_fr(Fraction(dernier.acte))}, moins {taux_fr(Fraction(-dernier.retrocede))} rétrocédés à "
            "Action Logement Services"
            if dernier.retrocede
            else " du flux, selon l’acte en vigueur"
        )
        part_nette = Chiffre(taux_fr(Fraction(dernier.net)), "points", f"part nette de l’État{detail}")
    else:
        part_nette = Chiffre("–", "", "part de l’État : aucun acte en vigueur dans l’année")
    return (
        Chiffre(
            entier_fr(flux.flux),
            "",
            f"{'logements' if flux.flux > 1 else 'logement'} de {nature} : "
            f"{accorder(flux.liberations, 'libération')}, moins {accorder(flux.soustraits, 'soustraction')}",
        ),
        Chiffre(
            entier_fr(pont.attributions),
            "",
            f"{'attributions' if pont.attributions > 1 else 'attribution'} de {donnees.annee} dans le flux{anterieurs}",
        ),
        part_nette,
        Chiffre(
            entier_fr(agents.loges),
            f"sur {entier_fr(agents.plafond)}",
            "agents de l’État logés (bail signé dans l’année), pour le plafond en logements",
        ),
    )


def _tableau_objectifs(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    """Objective, report, realised and gap per réservataire."""
    lignes = []
    for part in donnees.parts:
        fiche = donnees.reservataire(part.code)
        jugement = juger_objectif(part.ecart, part.objectif_total, part.realise)
        bailleur = part.code == BAILLEUR
        lignes.append(
            Ligne(
                fiche.sigle if not bailleur else "Bailleur (non réservé)",
                (
                    _taux(part),
                    exact(part.exacte),
                    entier(part.objectif),
                    entier(None if bailleur else part.report),
                    entier(None if bailleur else part.objectif_total, "fort"),
                    entier(part.baux if donnees.regime.au_bail else part.attributions),
                    entier(part.echecs),
                    entier(part.realise, "fort"),
                    ecart(part.ecart),
                    dessin(None if bailleur else _barre_objectif(fiche, part, jugement)),
                    verdict(jugement),
                ),
            )
        )
    evenements = [p.baux if donnees.regime.au_bail else p.attributions for p in donnees.parts]
    lignes.append(
        Ligne(
            "Ensemble",
            (
                texte(""),
                exact(sum((p.exacte for p in donnees.parts), Decimal(0))),
                entier(sum(p.objectif for p in donnees.parts)),
                entier(sum(p.report for p in donnees.parts)),
                texte(""),
                entier(sum(evenements)),
                entier(sum(p.echecs for p in donnees.parts)),
                *[texte("")] * 4,
            ),
            "total",
        )
    )
    evenement = "Baux signés" if donnees.regime.au_bail else "Attri\u00adbutions"
    return numeroteur.tableau(
        "Objectif et réalisé par réservataire",
        (
            Colonne("Réservataire", "31", "g"),
            Colonne("Taux net", "11"),
            Colonne("Part exacte", "14.5"),
            Colonne("Part", "9.5"),
            Colonne(f"Report {donnees.annee - 1}", "11"),
            Colonne(f"Objectif {donnees.annee}", "12.5"),
            Colonne(evenement, "12"),
            Colonne("Échecs comptés", "12.5"),
            Colonne("Réalisé", "12"),
            Colonne("Écart", "9"),
            Colonne("Réalisé et objectif", None, "g"),
            Colonne("Verdict", "20.5", "g"),
        ),
        lignes,
        precision="logements ; trait vertical : objectif",
        genre="une",
    )


def _barre_objectif(fiche: FicheReservataire, part: Part, jugement: Verdict) -> Dessin:
    return figures.barre(
        part.realise,
        part.objectif_total,
        jugement.issue,
        f"{fiche.nom} : réalisé {entier_fr(part.realise)}, objectif {entier_fr(part.objectif_total)}",
    )


def _tableau_tests(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    """The tests of priority, the ceiling and the floor, each with numerator and denominator (chapter 6)."""
    cent, agents, hors = donnees.etat_100, donnees.agents, donnees.hors_qpv
    lignes = [
        _ligne_test(
            "État, hors agents : ménages prioritaires",
            (cent.prioritaires, cent.attributions),
            "100 %",
            cent.attributions - cent.exceptions,
            juger_cent_pour_cent(cent.attributions, cent.manque),
        ),
        _ligne_test(
            "État : agents logés, sur le flux",
            (agents.loges, donnees.flux.flux),
            f"≤ {entier_fr(agents.plafond)}",
            agents.plafond,
            juger_plafond(agents.loges, agents.plafond),
        ),
        _ligne_test(
            "État : hors QPV, sur le flux hors QPV",
            (hors.etat, hors.flux),
            "sans clause" if hors.objectif is None else f"≥ {entier_fr(hors.objectif)}",
            hors.objectif,
            juger_plancher(hors.etat, hors.objectif),
        ),
    ]
    lignes += [
        _ligne_test(
            _nom_du_quart(donnees, quart),
            (quart.prioritaires, quart.attributions),
            "25 %",
            manque_au_quart(0, quart.attributions),
            juger_quart(quart.attributions, quart.manque),
        )
        for quart in donnees.quarts
    ]
    return numeroteur.tableau(
        "Publics prioritaires, plafond et plancher",
        (
            Colonne("Test", "68", "g"),
            Colonne("Numé\u00adrateur", "12"),
            Colonne("Dénomi\u00adnateur", "13"),
            Colonne("Taux", "13"),
            Colonne("Seuil", "15"),
            Colonne("Soit", "9"),
            Colonne("Nombre et seuil", None, "g"),
            Colonne("Verdict", "23", "g"),
        ),
        lignes,
        precision="DALO ou, à défaut, prioritaires ; date de la CALEOL",
        note=_note_des_tests(donnees),
        genre="une",
    )


def _ligne_test(
    titre: str, rapport: tuple[int, int], seuil: str, attendu: int | None, jugement: Verdict
) -> Ligne:
    numerateur, denominateur = rapport
    trait = None
    if attendu is not None:
        trait = figures.barre(
            numerateur,
            attendu,
            jugement.issue,
            f"{titre} : {entier_fr(numerateur)}, seuil {entier_fr(attendu)}",
        )
    return Ligne(
        titre,
        (
            entier(numerateur, "fort"),
            entier(denominateur),
            pourcent(numerateur, denominateur),
            texte(seuil),
            entier(attendu),
            dessin(trait),
            verdict(jugement),
        ),
    )


def _nom_du_quart(donnees: DonneesBilan, quart: ControleQuart) -> str:
    if quart.code == ALS:
        return "ALS : salariés ou demandeurs d’emploi prioritaires"
    if quart.code == BAILLEUR:
        echecs = accorder(quart.echecs, "désignation échouée", "désignations échouées")
        non_reserves = accorder(quart.attributions - quart.echecs, "non réservé", "non réservés")
        return f"Bailleur : {non_reserves}, {echecs}"
    return donnees.reservataire(quart.code).sigle


def _note_des_tests(donnees: DonneesBilan) -> str:
    phrases = []
    cent = donnees.etat_100
    if cent.exceptions:
        motifs = enumerer(f"{entier_fr(m.nombre)} {m.libelle}" for m in cent.motifs)
        menages = (
            "à un ménage non prioritaire a" if cent.exceptions == 1 else "à des ménages non prioritaires ont"
        )
        phrases.append(
            f"État hors agents : {accorder(cent.exceptions, 'attribution')} {menages} un motif consigné ({motifs})."
        )
    if donnees.hors_qpv.objectif is not None and donnees.regime.plancher_hors_qpv is not None:
        phrases.append(
            f"Hors QPV : au moins {taux_fr(Fraction(donnees.regime.plancher_hors_qpv))} points du flux hors QPV, dans la "
            f"limite du taux net, arrondi à l’entier inférieur."
        )
    phrases.append(
        "Quart d’ALS et des collectivités : part constatée chez ce bailleur ; l’obligation se juge sur toutes leurs "
        "attributions (ALS : dans le département)."
    )
    return " ".join(phrases)


# --- 1. From the parc to the parts --------------------------------------------------------------------------


def _section_parc(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
    parts = [
        (
            next(iter(contingent.codes)) if len(contingent.codes) == 1 else contingent.titre,
            contingent.titre,
            sum(part.objectif for part in donnees.parts if part.code in contingent.codes),
        )
        for contingent in contingents(donnees)
    ]
    figure = numeroteur.figure(
        "Du parc au flux, du flux aux parts",
        figures.cascade(
            annee=donnees.annee,
            millesime=donnees.situation.millesime,
            parc=donnees.parc.total,
            soumis=donnees.parc.soumis,
            liberations=donnees.flux.liberations,
            soustraits=donnees.flux.soustraits,
            flux=donnees.flux.flux,
            parts=parts,
            agents=donnees.agents.plafond,
        ),
        "logements ; les libérations sont agrandies ; hachures : hors du calcul",
    )
    blocs: list[Bloc] = [
        figure,
        _tableau_assiette(donnees, numeroteur),
        _tableau_partage(donnees, numeroteur),
    ]
    if donnees.partages_communes:
        blocs.append(_tableau_partages_communes(donnees, numeroteur))
    if donnees.avertissements:
        blocs += [Intertitre("À savoir"), Puces(donnees.avertissements)]
    return Section("parc", "1. Du parc aux parts de chacun", tuple(blocs))


def _tableau_assiette(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    parc = donnees.parc
    millesime = donnees.situation.millesime
    source = f"RPLS, millésime {millesime}" if millesime else "aucun parc importé"
    lignes = [
        Ligne(
            f"Parc au 1er janvier {millesime or donnees.annee}", (texte(source), entier(parc.total)), "sous"
        ),
        *(
            Ligne(f"{rang}. {motif.libelle}", (texte(motif.source), entier(motif.nombre)))
            for rang, motif in enumerate(parc.hors, 1)
        ),
        Ligne("Total des exclus", (texte(""), entier(parc.total - parc.soumis)), "sous"),
        Ligne("Assiette", (texte(""), entier(parc.soumis)), "total"),
        *(Ligne(f"dont {minuscule(m.libelle)}", (texte(m.source), entier(m.nombre))) for m in parc.dans),
    ]
    return numeroteur.tableau(
        "Du parc à l’assiette",
        (Colonne("Motif", "80", "g"), Colonne("Source", "78", "g"), Colonne("Logements")),
        lignes,
        precision="un logement, un motif : le premier de la liste qui s’applique",
    )


def _tableau_partage(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    lignes = []
    for part in donnees.parts:
        arrondi = part.objectif - floor(part.exacte)
        lignes.append(
            Ligne(
                donnees.reservataire(part.code).sigle if part.code != BAILLEUR else "Bailleur (non réservé)",
                (
                    texte(_actes_en_bref(donnees, part.code)),
                    texte(" ; ".join(part.calcul) if part.calcul else None),
                    exact(part.exacte),
                    texte("plafond") if part.code == ETAT else ecart(arrondi),
                    entier(part.objectif, "fort"),
                ),
            )
        )
    lignes.append(
        Ligne(
            "Flux définitif" if not donnees.situation.provisoire else "Flux constaté",
            (
                texte(""),
                texte(""),
                exact(sum((p.exacte for p in donnees.parts), Decimal(0))),
                texte(""),
                entier(donnees.flux.flux),
            ),
            "total",
        )
    )
    echelle = "chaque commune" if donnees.regime.echelle_commune else "département"
    return numeroteur.tableau(
        "Partage du flux",
        (
            Colonne("Réservataire", "34", "g"),
            Colonne(f"Acte en vigueur en {donnees.annee}", "58", "g"),
            Colonne("Calcul (points × flux)", None, "g"),
            Colonne("Part exacte", "14"),
            Colonne("Arrondi", "13"),
            Colonne("Part", "10"),
        ),
        lignes,
        precision=f"échelle : {echelle} ; taux en points du flux",
        note=(
            "L’État est un plafond : sa part exacte est arrondie à l’entier inférieur. Les autres parts suivent la "
            "méthode du plus fort reste : leur somme, avec la sienne, égale le flux."
        ),
    )


def _tableau_partages_communes(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    """The same split in each commune, with the convention's échelle (R. 441-5-2)."""
    colonnes = contingents(donnees)
    lignes = []
    for commune in donnees.partages_communes:
        parts = {part.reservataire: part for part in commune.parts}
        etat = parts.get(ETAT)
        lignes.append(
            Ligne(
                commune.nom,
                (
                    entier(commune.flux),
                    exact(etat.exacte if etat else None),
                    *(
                        entier(sum(parts[c].objectif for c in colonne.codes if c in parts))
                        for colonne in colonnes
                    ),
                ),
            )
        )
    return numeroteur.tableau(
        "Partage du flux dans chaque commune",
        (
            Colonne("Commune", "50", "g"),
            Colonne("Flux"),
            Colonne("État, exact"),
            *(Colonne(colonne.titre) for colonne in colonnes),
        ),
        lignes,
        precision="échelle de la part de l’État : chaque commune",
        note=(
            "Chaque commune est arrondie pour elle-même : la somme des parts entières peut différer du partage du "
            "département, qui est celui des objectifs."
        ),
        genre="long" if len(lignes) > LIGNES_INSECABLES else "",
    )


def _actes_en_bref(donnees: DonneesBilan, reservataire: str) -> str:
    if reservataire == BAILLEUR:
        return "Reste du flux"
    actes = actes_de(donnees, reservataire)
    derogations = [derogation for acte in actes[-1:] for derogation in acte.derogations]
    noms = [
        f"avenant {acte.rang} du {jour_court(acte.effet)}"
        if acte.rang
        else f"n° {acte.numero} du {jour_court(acte.signee_le)}"
        for acte in actes
    ]
    if actes and actes[0].rang:
        noms.insert(0, f"n° {actes[0].numero}")
    return ", ".join([*noms, *derogations]) or "Sans acte en vigueur"


# --- 2. Proposed and attributed -----------------------------------------------------------------------------


def _section_attributions(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
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


def _par_contingent(comptes: Iterable[CompteReservataire], colonnes: Sequence[Contingent]) -> tuple[int, ...]:
    par_code = {compte.reservataire: compte.nombre for compte in comptes}
    return tuple(sum(par_code.get(code_, 0) for code_ in colonne.codes) for colonne in colonnes)


def _tableau_operations(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    colonnes = contingents(donnees)
    lignes, sommes = [], [0] * len(colonnes)
    for operation in donnees.operations:
        comptes = _par_contingent(operation.par_reservataire, colonnes)
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


# --- 3. Out of the flux -------------------------------------------------------------------------------------


def _section_hors_flux(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
    blocs: list[Bloc] = [_tableau_soustractions(donnees, numeroteur)]
    blocs.append(_tableau_premieres(donnees, numeroteur))
    return Section(
        "hors-flux", "3. Hors du flux : soustractions et premières mises en location", tuple(blocs)
    )


def _tableau_soustractions(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    lignes = []
    for ligne in donnees.flux.soustractions:
        difference = None if ligne.prevu is None else ligne.realise - ligne.prevu
        lignes.append(
            Ligne(
                ligne.libelle,
                (
                    texte(ligne.fondement),
                    entier(ligne.prevu),
                    entier(ligne.realise, "fort"),
                    ecart(difference),
                    entier(ligne.qpv),
                    texte(_affectation(donnees, ligne)),
                ),
            )
        )
    deduites = [ligne for ligne in donnees.flux.soustractions if ligne.deduite]
    prevus = [ligne.prevu for ligne in deduites if ligne.prevu is not None]
    lignes.append(
        Ligne(
            "Total soustrait du flux",
            (
                texte(""),
                entier(sum(prevus) if prevus else None),
                entier(donnees.flux.soustraits),
                ecart(donnees.flux.soustraits - sum(prevus) if prevus else None),
                entier(sum(ligne.qpv for ligne in deduites)),
                texte(""),
            ),
            "total",
        )
    )
    return numeroteur.tableau(
        "Soustractions et leur affectation",
        (
            Colonne("Catégorie", "55", "g"),
            Colonne("Fondement", "30", "g"),
            Colonne(f"Prévu {donnees.annee}", "12"),
            Colonne(f"Réalisé {donnees.annee}", "13"),
            Colonne("Écart", "10"),
            Colonne("dont QPV", "10"),
            Colonne("Affectation", None, "g"),
        ),
        lignes,
        precision=f"libérations de {donnees.annee}",
        note="Prévu : déclaré par le bailleur par catégorie avant le 31 décembre de l’année précédente ; – : non déclaré.",
    )


def _affectation(donnees: DonneesBilan, ligne) -> str:
    """Where the dwellings of a category are: the communes that have most, then the others together."""
    if not ligne.deduite:
        return "non listée : reste dans le flux" if ligne.realise else "non listée par la convention"
    if not ligne.affectation:
        return "sans objet"
    citees = [f"{c.libelle} {entier_fr(c.nombre)}" for c in ligne.affectation[:COMMUNES_CITEES]]
    reste = ligne.affectation[COMMUNES_CITEES:]
    if reste:
        communes = accorder(len(reste), "autre commune", "autres communes")
        citees.append(f"{communes} {entier_fr(sum(c.nombre for c in reste))}")
    return ", ".join(citees)


def _tableau_premieres(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    colonnes = contingents(donnees)
    lignes, sommes = [], [0] * len(colonnes)
    for premiere in donnees.premieres:
        comptes = _par_contingent(premiere.par_reservataire, colonnes)
        sommes = [somme + compte for somme, compte in zip(sommes, comptes, strict=True)]
        lignes.append(
            Ligne(premiere.libelle, (*(entier(c) for c in comptes), entier(premiere.total, "fort")))
        )
    if lignes:
        total = sum(premiere.total for premiere in donnees.premieres)
        lignes.append(Ligne("Total", (*(entier(somme) for somme in sommes), entier(total)), "total"))
    dans_le_flux = donnees.regime.premieres_dans_le_flux
    return numeroteur.tableau(
        "Premières mises en location",
        (
            Colonne("Financement", "54", "g"),
            *(Colonne(colonne.titre) for colonne in colonnes),
            Colonne("Total"),
        ),
        lignes,
        precision=f"attribuées en {donnees.annee}, hors flux, droits pour un tour",
        note=(
            "La convention compte les premières mises en location dans le flux : elles figurent aux tableaux précédents."
            if dans_le_flux
            else f"{accorder(donnees.flux.premieres_hors_flux, 'première mise en location', 'premières mises en location')} "
            f"en {donnees.annee}, attribuées ou non. Leur répartition est concertée avec tous les réservataires (R. 441-5)."
        ),
        vide=f"Aucune première mise en location n’a été attribuée hors flux en {donnees.annee}.",
    )


# --- 4. The contingent of the État --------------------------------------------------------------------------


def _section_etat(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
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


# --- 5. Commissions and refusals ----------------------------------------------------------------------------


def _section_caleol(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
    c = donnees.caleol
    decisions = _tableau_parts(
        numeroteur,
        "Décisions de la CALEOL",
        "Décision (R. 441-3)",
        [(compte.libelle, compte.nombre) for compte in c.decisions],
        "Dossiers présentés",
        precision=accorder(c.seances, "séance"),
    )
    refus = _tableau_parts(
        numeroteur,
        "Refus de la commission",
        "Motif",
        [(compte.libelle, compte.nombre) for compte in c.refus_commission],
        "Refus de la commission (d, e)",
        vide="La commission n’a prononcé aucun refus.",
    )
    return Section(
        "caleol",
        "5. Commissions d’attribution et refus",
        (CoteACote((decisions, refus)), _tableau_refus_menages(donnees, numeroteur)),
    )


def _tableau_parts(
    numeroteur: Numeroteur,
    titre: str,
    entete: str,
    comptes: Sequence[tuple[str, int]],
    total: str,
    **options: str,
) -> Tableau:
    """Counts and their share of the total."""
    somme = sum(nombre for _, nombre in comptes)
    lignes = [Ligne(libelle, (entier(nombre), pourcent(nombre, somme))) for libelle, nombre in comptes]
    if lignes:
        lignes.append(Ligne(total, (entier(somme), pourcent(somme, somme)), "total"))
    return numeroteur.tableau(
        titre,
        (Colonne(entete, None, "g"), Colonne("Dossiers", "14"), Colonne("Part", "16")),
        lignes,
        **options,
    )


def _tableau_refus_menages(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    """Refusals after attribution by motive, then the rate of refusals of each contingent."""
    c = donnees.caleol
    # Refusals by commune would be too few to be read.
    colonnes = [*_par_nature(donnees), Contingent("Hors flux", frozenset({"HORS_FLUX"}))]
    lignes = []
    for refus in c.refus_menages:
        comptes = _par_contingent(refus.par_contingent, colonnes)
        lignes.append(
            Ligne(
                refus.libelle,
                (
                    *(entier(n) for n in comptes),
                    entier(refus.total, "fort"),
                    pourcent(refus.total, c.total_refus),
                ),
            )
        )
    refuses = tuple(
        sum(_par_contingent(refus.par_contingent, [colonne])[0] for refus in c.refus_menages)
        for colonne in colonnes
    )
    prononcees = _par_contingent(c.prononcees, colonnes)
    lignes += [
        Ligne(
            "Refus après attribution",
            (*(entier(n) for n in refuses), entier(c.total_refus), pourcent(c.total_refus, c.total_refus)),
            "total",
        ),
        Ligne(
            "Attributions prononcées",
            (*(entier(n) for n in prononcees), entier(c.total_prononcees), texte("")),
        ),
        Ligne(
            "Taux de refus",
            (
                *(pourcent(r, p) for r, p in zip(refuses, prononcees, strict=True)),
                pourcent(c.total_refus, c.total_prononcees),
                texte(""),
            ),
            "sous",
        ),
    ]
    return numeroteur.tableau(
        "Refus du ménage après attribution, par motif et contingent",
        (
            Colonne("Motif", "54", "g"),
            *(Colonne(colonne.titre) for colonne in colonnes),
            Colonne("Total"),
            Colonne("Part", "16"),
        ),
        lignes,
        note=(
            f"{accorder(c.total_prononcees, 'attribution prononcée', 'attributions prononcées')} en CALEOL en "
            f"{donnees.annee}, dont {accorder(c.total_refus, 'refusée')} par le ménage : un logement refusé puis attribué "
            "à un autre ménage compte plusieurs fois ici, une seule parmi les attributions de l’année. Une attribution "
            "refusée reste une attribution."
        ),
    )


# --- 6. and 8. The bailleur's words, the signatures ---------------------------------------------------------


def _section_appreciation(donnees: DonneesBilan) -> Section:
    blocs = lire_appreciation(donnees.appreciation)
    if not blocs:
        absent = "Non renseigné par le bailleur à la date de production de ce document."
        blocs = tuple(
            bloc
            for titre in (
                "Écarts et raisons",
                "Adéquation des candidats proposés",
                f"Mesures proposées pour {donnees.annee + 1}",
            )
            for bloc in (Intertitre(titre), Texte(absent, "absent"))
        )
    return Section("appreciation", "6. Appréciation du bailleur", blocs)


def lire_appreciation(saisie: str) -> tuple[Bloc, ...]:
    """The bailleur's text as blocks: blank lines separate them, "- " makes a list, "# " a heading."""
    blocs: list[Bloc] = []
    for paragraphe in saisie.replace("\r\n", "\n").split("\n\n"):
        lignes = [ligne.strip() for ligne in paragraphe.splitlines() if ligne.strip()]
        while lignes and lignes[0].startswith("#"):
            blocs.append(Intertitre(lignes.pop(0).lstrip("# ")))
        if lignes and all(ligne.startswith(("- ", "• ")) for ligne in lignes):
            blocs.append(Puces(tuple(ligne[2:].strip() for ligne in lignes)))
        elif lignes:
            blocs.append(Texte(" ".join(lignes)))
    return tuple(blocs)


def _section_signatures() -> Section:
    lignes = ("Nom et fonction :", "Date :", "Signature :")
    return Section(
        "signatures",
        "8. Signatures",
        (Signatures((("Pour le bailleur", lignes), ("Pour le préfet, par délégation : la DDETS", lignes))),),
    )


# --- Annex --------------------------------------------------------------------------------------------------


def _annexe(donnees: DonneesBilan) -> Section:
    """The tableau d'attributions for the préfet (CA, art. 7.1), in bounded tables, with its control line."""
    lignes = [ligne for ligne in donnees.attributions if ligne.contingent == ETAT]
    titre = "Annexe A. Tableau des attributions prononcées pour le compte du préfet"
    total = f"{accorder(len(lignes), 'attribution')} de {donnees.annee} sur le contingent de l’État"
    if not lignes:
        return Section(
            "annexe",
            titre,
            (Texte(f"Aucune attribution de {donnees.annee} sur le contingent de l’État."),),
        )
    if len(lignes) > LIGNES_ANNEXE:
        return Section(
            "annexe",
            titre,
            (
                Texte(
                    f"{total} : au-delà de {LIGNES_ANNEXE} lignes, le tableau est remis en classeur XLSX, feuille "
                    "« Attributions », avec les mêmes numéro, version et empreinte que ce document. Il porte les "
                    "attributions de tous les contingents et celles du hors flux."
                ),
                Texte(_controle(lignes)),
            ),
        )
    tableaux = []
    for debut in range(0, len(lignes), LIGNES_PAR_TABLEAU):
        fin = min(debut + LIGNES_PAR_TABLEAU, len(lignes))
        dernier = fin == len(lignes)
        rangees = [
            Ligne(str(rang), cellules_annexe(ligne))
            for rang, ligne in enumerate(lignes[debut:fin], debut + 1)
        ]
        suite = f" (lignes {debut + 1} à {fin})" if len(lignes) > LIGNES_PAR_TABLEAU else ""
        tableaux.append(
            Tableau(
                0,
                f"{total}{suite}",
                COLONNES_ANNEXE,
                tuple(rangees),
                precision="par date de CALEOL ; numéro unique : quatre derniers caractères ; ni nom, ni motif du label",
                note=f"Contrôle. {_controle(lignes)} {NOTE_ANNEXE}" if dernier else "",
                genre="annexe",
            )
        )
    return Section("annexe", titre, tuple(tableaux), paysage=True)


COLONNES_ANNEXE = (
    Colonne("N°", "8", "g"),
    Colonne("CALEOL", "18", "g"),
    Colonne("Libéré le", "18", "g"),
    Colonne("Logement", "23", "g"),
    Colonne("Commune", "30", "g"),
    Colonne("QPV", "9", "g"),
    Colonne("Type", "9", "g"),
    Colonne("Financ.", "13", "g"),
    Colonne("Construction", "20", "g"),
    Colonne("Imputation", "30", "g"),
    Colonne("DALO", "10", "g"),
    Colonne("N° unique", "15", "g"),
    Colonne("Bail signé", "18", "g"),
    Colonne("Observation", None, "g"),
)
NOTE_ANNEXE = (
    "Imputation : le seul titre sous lequel l’attribution compte. Libéré le : une date antérieure à l’année est "
    "possible, le réalisé porte sur les attributions de l’année. DALO : décision favorable valide à la date de la "
    "CALEOL. Les quatre derniers caractères du numéro unique servent au rapprochement ; le numéro n’est pas conservé."
)


def cellules_annexe(ligne: LigneAttribution) -> tuple[Cellule, ...]:
    return (
        jour(ligne.date_caleol),
        jour(ligne.date_liberation),
        code(ligne.logement),
        texte(ligne.commune),
        texte("QPV" if ligne.qpv else "hors"),
        texte(ligne.typologie),
        texte(ligne.financement),
        texte(ligne.periode),
        texte(ligne.imputation),
        texte("oui" if ligne.dalo else "non"),
        code(f"…{ligne.menage}" if ligne.menage else "–"),
        jour(ligne.date_bail),
        texte(ligne.observation),
    )


def _controle(lignes: Sequence[LigneAttribution]) -> str:
    """ "77 attributions : 11 agents, 64 prioritaires, 2 autres ; 28 en QPV, 49 hors QPV ; 11 DALO ; 69 baux signés." """
    agents = sum(ligne.titre == "AGENT" for ligne in lignes)
    prioritaires = sum(ligne.prioritaire for ligne in lignes)
    qpv = sum(ligne.qpv for ligne in lignes)
    return (
        f"{accorder(len(lignes), 'attribution')} : {accorder(agents, 'agent')}, "
        f"{accorder(prioritaires, 'prioritaire')}, {accorder(len(lignes) - agents - prioritaires, 'autre')} ; "
        f"{entier_fr(qpv)} en QPV, {entier_fr(len(lignes) - qpv)} hors QPV ; "
        f"{entier_fr(sum(ligne.dalo for ligne in lignes))} DALO ; "
        f"{accorder(sum(ligne.date_bail is not None for ligne in lignes), 'bail signé', 'baux signés')}."
    )
