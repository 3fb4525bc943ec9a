"""Spreadsheets for the tests of deposits, good and horrible, and the dwellings that they speak of. Nobody is real."""

import io
from datetime import date

import xlsxwriter

from flux.models import Depot
from flux.services import depots
from reservation.models import Logement, Organisation
from tests.flux.fabriques import ANNEE, parc
from tests.personnages import CANNES, Distribution

MILLESIME = ANNEE
ENTETES = ["Référence du logement", "Libéré le", "Usage", "Justificatif", "Réservataire"]


def numero(rang: int) -> str:
    """A numéro unique that nobody has."""
    return f"00601{rang % 10_000:04d}DEMO{rang:05d}"


def logements(bailleur: Organisation, nombre: int = 12, prefixe: str = "HDA", **champs) -> list[str]:
    """Dwellings of Cannes in the last millésime; return their references."""
    etat = bailleur.etats_parc.filter(millesime=MILLESIME).first() or parc(bailleur, millesime=MILLESIME)
    references = [f"{prefixe}-{1000 + rang}" for rang in range(nombre)]
    Logement.objects.bulk_create(
        Logement(
            bailleur=bailleur,
            departement_id="06",
            millesime=MILLESIME,
            cle=f"R{prefixe}{rang:07d}",
            ident_rep=f"R{prefixe}{rang:07d}",
            ident_int=reference,
            ligne=rang + 2,
            import_rpls=etat.import_rpls,
            **{
                "commune_id": CANNES,
                "adresse": f"{rang + 1} rue du Modèle",
                "qpv": False,
                "typeconst": "C",
                "nbpiece": 3,
                "finan": "13",
                "conv": "1",
                "mode": "1",
                "typologie": "T3",
                "financement": "PLUS",
                "periode": "1971-90",
                "statut": "CONVENTIONNE",
            }
            | champs,
        )
        for rang, reference in enumerate(references)
    )
    return references


def xlsx(entetes, lignes, *, feuille: str = "Suivi", au_dessus: int = 0) -> bytes:
    """A workbook of one sheet; `au_dessus`: lines of titles before the header."""
    tampon = io.BytesIO()
    classeur = xlsxwriter.Workbook(tampon, {"default_date_format": "dd/mm/yyyy"})
    page = classeur.add_worksheet(feuille)
    for rang in range(au_dessus):
        page.write_string(rang, 0, f"Titre {rang}")
    for ligne, cellules in enumerate([entetes, *lignes], au_dessus):
        for rang, cellule in enumerate(cellules):
            if isinstance(cellule, date):
                page.write_datetime(ligne, rang, cellule)
            elif cellule != "":
                page.write(ligne, rang, cellule)
    classeur.close()
    return tampon.getvalue()


def csv(entetes, lignes, separateur: str = ";") -> bytes:
    return "\r\n".join(separateur.join(map(str, ligne)) for ligne in [entetes, *lignes]).encode() + b"\r\n"


def deposer(
    cast: Distribution, octets: bytes, *, nom: str = "suivi.xlsx", qui="gestionnaire_a", **options
) -> Depot:
    """Hand in, and do at once what the worker would do."""
    depot = depots.recevoir(cast.acteur(qui), octets=octets, nom=nom, differer=False, **options)
    return depots.analyser(depot.pk) if depot.etat == Depot.Etat.RECU else depot


def enregistrer(cast: Distribution, depot: Depot, qui="gestionnaire_a") -> Depot:
    depots.confirmer(cast.acteur(qui), depot, differer=False)
    return depots.appliquer(depot.pk)


def horrible(references: list[str]) -> bytes:
    """What a real file looks like: merged titles, a hidden column, dates of every kind, empty lines, subtotals,
    a repeated header, stray quotes, a formula, a zero that the spreadsheet took off, and another sheet.

    Libérations and candidates in one table, header on line 5. Lines 6 to 19; see `test_depots.py` for the verdicts.
    """
    tampon = io.BytesIO()
    classeur = xlsxwriter.Workbook(tampon)
    page = classeur.add_worksheet("T3 2026")
    gras = classeur.add_format({"bold": True, "align": "center"})
    jour = classeur.add_format({"num_format": "dd/mm/yyyy"})
    page.merge_range("A1:H1", "Habitat Essai A – suivi des libérations", gras)
    page.merge_range("A2:H2", "cumul au 30/09/2026, ne pas diffuser", gras)
    entetes = [
        "  REF. logement ",
        "Date libération",
        "Congé reçu le",
        "Observations",
        "Hors flux",
        "N° opération",
        "Contingent",
    ]
    entetes[0] = "  Réf  logement "
    for rang, titre in enumerate(entetes):
        page.write_string(4, rang, titre, gras)
    page.set_column(3, 3, 10, None, {"hidden": True})
    lignes = [
        # line 6: a date as a spreadsheet keeps it, a notice as text
        [references[0], (46123, jour), "14/01/2026", "secret", "", "", "ALS"],
        # line 7: quotes, a no-break space, ISO
        [f'"{references[1]}"', "2026-04-15", "", "", "Flux", "", "non réservé"],
        # line 8: in letters
        [f" {references[2]}\u00a0", "16 avril 2026", "", "", "", "", "État"],
        [],  # line 9
        # line 10: a date that does not exist
        [references[3], "30/02/2026", "", "", "", "", ""],
        # line 11: not in the parc
        ["HDA-9052", "17/04/2026", "", "", "", "", ""],
        # line 12: a soustraction with its proof
        [references[4], "18.04.26", "", "", "mutation interne", "MUT-7", ""],
        # line 13: the proof is missing, the notice is after, two errors
        [references[5], "19/04/2026", "20/04/2026", "", "RU", "", ""],
        ["Sous-total", "", "", "", "", "6", ""],  # line 14
        entetes,  # line 15
        # line 16: a formula in a text, nobody's réservataire
        [references[6], "20/04/2026", "", "", "", "", "=1+1"],
        # line 17: the same as line 6
        [references[0], "11/04/2026", "14/01/2026", "", "", "", "ALS"],
        # line 18: contradicts line 12
        [references[4], "18/04/2026", "", "", "vente", "V-1", ""],
        # line 19: the same dwelling ten days after line 7
        [references[7], "01/01/2019", "", "", "", "", ""],
    ]
    for rang, cellules in enumerate(lignes, 5):
        for colonne, cellule in enumerate(cellules):
            if isinstance(cellule, tuple):
                page.write_number(rang, colonne, *cellule)
            elif cellule:
                page.write_string(rang, colonne, cellule)
    autre = classeur.add_worksheet("Notes")
    autre.write_string(0, 0, "Penser à relancer")
    classeur.close()
    return tampon.getvalue()
