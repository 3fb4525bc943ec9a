"""The first page: who, under which acts, the verdict, the objectives, the legal checks."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from bilans.documents import figures
from bilans.documents.modele import (
    Chiffre,
    Colonne,
    Dessin,
    Encadre,
    Ligne,
    Numeroteur,
    Reference,
    Tableau,
    Une,
    dessin,
    ecart,
    entier,
    exact,
    pourcent,
    texte,
    verdict,
)
from bilans.regles.donnees import ALS, BAILLEUR, ETAT, ControleQuart, DonneesBilan, FicheReservataire, Part
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
from reservation.regles.typographie import accorder, entier_fr, enumerer, taux_fr

from .commun import actes_de, cellule_taux, nommer_actes


def premiere_page(donnees: DonneesBilan, reference: Reference, numeroteur: Numeroteur) -> Une:
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
                f"{nommer_actes(actes)}{gestion}" if actes else "aucun acte de l’État en vigueur",
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
                    cellule_taux(part),
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
