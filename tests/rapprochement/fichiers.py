"""The planted lines as files: what a person exports of the SNE and of SYPLO, read back by the readers of the deposits.

Dates and codes are written as these tools and spreadsheets write them, one way or another: French, ISO, in letters, with
two digits, as the number of a spreadsheet; codes, labels, everyday words, capitals and spaces lost or added.
"""

import random
from collections.abc import Sequence
from datetime import date

from flux.imports.codes import valeurs_connues
from flux.imports.colonnes import COLONNES, TABLEAUX, associer
from flux.imports.lecture import lire_feuilles, trouver_tableau
from flux.models import ListeExterne
from flux.regles.rapprochement import Contingent, Evenement
from publics.regles.groupes import TypeLabel
from reservation.models import cle_de_tri
from reservation.regles.typographie import MOIS

SNE = ("NUR", "Type réservataire", "Date commission", "Date signature bail", "Date de radiation", "Motif radiation",
       "Décision", "Numéro RPLS", "Catégorie")  # fmt: skip
SYPLO = ("Numéro unique", "Type de public", "Labellisé le", "Date fin label")
MOTS = {
    Contingent.ETAT_PRIORITAIRE: ("PPRIOR", "pprior", "Préfet prioritaires", "Contingent préfectoral", "2"),
    Contingent.ETAT_AGENT: ("PFONCT", "Préfet  fonctionnaires", "agents de l'Etat", "1"),
    Contingent.ALS: ("COLACT", "Action Logement", "ALS", "3", "EMPLOYEURS"),
    Contingent.COLLECTIVITE: ("COLTER", "Mairie", "collectivités", "4"),
    Contingent.AUTRE: ("AUTRES", "Autres réservataires", "6"),
    Contingent.BAILLEUR: ("AUCUN", "Non réservé", "HORS CONTINGENT", "7"),
    "RADATT": ("RADATT", "Attribution d’un logement", "ATTRIBUTION D'UN LOGEMENT"),
    "RADABA": ("RADABA", "Abandon de la demande"),
    "RADCON": ("RADCON", "Impossibilité de contacter le demandeur"),
    "RADREN": ("radren", "Non renouvellement", "Non-renouvellement"),
    "RADIRR": ("RADIRR", "Irrecevabilité de la demande"),
    "NON_ATTR": ("Non attribution", "d", "Refus"),
    TypeLabel.DALO: ("DALO", "Prioritaire DALO", "dalo"),
    TypeLabel.BPI: ("BPI", "Réfugié", "Protection internationale"),
    TypeLabel.HEBERGEMENT: ("SIAO", "Sortant d'hébergement"),
    TypeLabel.SANS_ABRI: ("Sans abri", "SANS-ABRI"),
    TypeLabel.VIOLENCES: ("Violences", "violences conjugales"),
}


def ecrire_mot(code: str, tirage: random.Random) -> str:
    if not code:
        return ""
    mots = MOTS.get(code) or (TypeLabel(code).libelle, TypeLabel(code).libelle.upper())
    return tirage.choice(mots)


def ecrire_date(jour: date | None, tirage: random.Random) -> str:
    if jour is None:
        return ""
    match tirage.randrange(8):
        case 0:
            return jour.isoformat()
        case 1:
            return f"{jour:%d/%m/%y}"
        case 2:
            return f"{jour.day} {MOIS[jour.month - 1]} {jour.year}"
        case 3:
            return str((jour - date(1899, 12, 30)).days)
        case 4:
            return f"{jour.day}/{jour.month}/{jour.year}"
        case _:
            return f"{jour:%d/%m/%Y}"


def numero_de(menage: str) -> str:
    """Eighteen characters, from the name of a planted household ("m000123")."""
    return f"0061125ESSAI{int(menage[1:]):06d}"


def ecrire_numero(menage: str, tirage: random.Random) -> str:
    numero = numero_de(menage)
    return tirage.choice((numero, numero.lower(), f"{numero[:3]} {numero[3:7]} {numero[7:]}"))


def fichiers(evenements: Sequence[Evenement], graine: int) -> tuple[bytes, bytes]:
    """One CSV of the SNE (Windows-1252), one of SYPLO (UTF-8, with its mark)."""
    tirage = random.Random(graine)
    sne, syplo = [SNE], [SYPLO]
    for e in evenements:
        numero = ecrire_numero(e.menage, tirage)
        if e.label:
            periode = (ecrire_date(e.label_debut, tirage), ecrire_date(e.label_fin, tirage))
            syplo.append((numero, ecrire_mot(e.label, tirage), *periode))
            continue
        sne.append(
            (
                numero,
                ecrire_mot(e.contingent, tirage),
                *(ecrire_date(jour, tirage) for jour in (e.caleol, e.bail, e.radie)),
                ecrire_mot(e.radiation, tirage),
                ecrire_mot(e.decision, tirage),
                e.logement,
                e.motif,
            )
        )
    textes = ("\r\n".join(";".join(ligne) for ligne in lignes) for lignes in (sne, syplo))
    return next(textes).replace("’", "'").encode("cp1252"), next(textes).encode("utf-8-sig")


def lire_fichiers(sne: bytes, syplo: bytes, menages: dict[str, str]) -> list[Evenement]:
    """What the readers make of both; `menages`: numéro unique → planted household. The motive is read as the
    organisation mapped it: here, as the category itself."""
    connues, lus, evenements = valeurs_connues(), {}, []

    def lire(champ: str, texte: str):
        if (champ, texte) not in lus:
            lu = COLONNES[champ].lire(texte)
            assert not lu.code, (champ, texte, lu)
            lus[champ, texte] = lu.valeur
        return lus[champ, texte]

    def code(liste: ListeExterne, texte: str) -> str:
        return connues[liste][cle_de_tri(texte)] if texte else ""

    for sujet, octets in (("SNE", sne), ("SYPLO", syplo)):
        tableau = trouver_tableau(lire_feuilles(octets), lignes_max=200_000)
        colonnes = associer(tableau.entetes, TABLEAUX[sujet].champs, {})
        for _, cellules in tableau.lignes:
            v = {champ: lire(champ, cellules[rang]) for champ, rang in colonnes.items() if cellules[rang]}
            un_label = sujet == "SYPLO"
            evenements.append(
                Evenement(
                    len(evenements) + 1,
                    menages[v["numero_unique"]],
                    v.get("date_caleol"),
                    v.get("date_bail"),
                    v.get("date_radiation"),
                    code(ListeExterne.RADIATION, v.get("radiation", "")),
                    code(ListeExterne.DECISION, v.get("decision_externe", "")),
                    v.get("reference", ""),
                    code(ListeExterne.RESERVATAIRE, v.get("contingent", "")),
                    "" if un_label else v.get("label", ""),
                    code(ListeExterne.LABEL, v["label"]) if un_label else "",
                    v.get("label_debut"),
                    v.get("label_fin"),
                )
            )
    return evenements
