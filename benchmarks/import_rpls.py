"""Import of a "version loi" RPLS file ÷ raw COPY of the same bytes into a table without index nor type.

The file is the demonstration's (97 columns, dwellings drawn from real totals). The import is the command, in a
process of its own: from the bytes to the aggregate, every line checked and classed. "Same lines" is a file of other
bytes that says the same dwellings, in another order: it is read and compared whole, whereas the same file is
recognised by its fingerprint.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from .enfant import RACINE
from .mesure import Contexte, Mesure, chrono, dire, nombre_fr

BASES = ("vide",)
MILLESIME = 2025
OBJECTIF_IMPORT, OBJECTIF_INCHANGE, OBJECTIF_MEMOIRE = 2.5, 1.5, 1.0
_TABLES = (
    "reservation_logement",
    "reservation_agregatparc",
    "reservation_etatparc",
    "reservation_drapeau",
    "reservation_importrpls",
)


def mesurer(contexte: Contexte, lignes: int | None = None) -> list[Mesure]:
    """Four measures for `lignes` dwellings (those of `contexte` by default): import, same file, same lines, memory."""
    fichier = contexte.dossier / "rpls_loi.csv"
    autre = contexte.dossier / "rpls_loi_autre_ordre.csv"
    # In processes of their own: the memory measured below is that of the import.
    lignes = lignes or contexte.lignes_import
    ecrites = _ailleurs("generer", str(fichier), str(lignes))
    _ailleurs("melanger", str(fichier), str(autre))
    dire(f"  {ecrites} logements, {fichier.stat().st_size / 1e6:.0f} Mo")
    _vider()
    bruts = [_copie_brute(fichier)]
    neuf = _importer(fichier)
    bruts.append(_copie_brute(fichier))
    identique = _importer(fichier)
    memes = _importer(autre)
    _verifier(neuf, identique, memes, int(ecrites))
    brut = min(bruts)
    octets = f"{nombre_fr(int(ecrites), 0)} logements, {nombre_fr(fichier.stat().st_size / 1e6, 0)} Mo"

    def rapport(nom: str, libelle: str, mesure: dict, objectif: float) -> Mesure:
        detail = f"{nombre_fr(mesure['secondes'], 1)} s pour {nombre_fr(brut, 1)} s ; {octets}"
        return Mesure(nom, libelle, mesure["secondes"] / brut, objectif, detail)

    return [
        rapport("import_rpls", "Import du RPLS ÷ COPY brut", neuf, OBJECTIF_IMPORT),
        rapport("import_rpls_identique", "Le même fichier ÷ COPY brut", identique, OBJECTIF_INCHANGE),
        rapport(
            "import_rpls_memes_lignes",
            "Les mêmes logements, autre fichier ÷ COPY brut",
            memes,
            OBJECTIF_INCHANGE,
        ),
        Mesure(
            "import_rpls_memoire_go",
            "Mémoire de l’import",
            max(m["memoire"] for m in (neuf, identique, memes)) / 1e9,
            OBJECTIF_MEMOIRE,
            octets,
            " Go",
        ),
    ]


def generer(fichier: str, lignes: str) -> int:
    """Write a "version loi" file of `lignes` dwellings, département by département; return how many."""
    import polars as pl

    from bilans.demonstration.fichiers import ecrire, lignes_loi
    from bilans.demonstration.occupation import occuper
    from bilans.demonstration.parc import tirer_parc
    from bilans.demonstration.scenario import AUJOURDHUI, bailleurs_supplementaires
    from bilans.demonstration.territoires import chiffres_nationaux, lire_communes
    from bilans.demonstration.tirage import GRAINE, Tirage

    voulues, ecrites = int(lignes), 0
    tirage, communes = Tirage(GRAINE), lire_communes()
    chiffres = chiffres_nationaux(communes)
    regions = dict(communes.select("departement", "region").unique().iter_rows())
    _, parts = bailleurs_supplementaires(chiffres, regions, tirage.sous("bailleurs"))
    histoire = range(MILLESIME - 2, AUJOURDHUI.year + 1)
    with open(fichier, "wb") as sortie:
        for departement, siens in chiffres.items():
            propre = tirage.sous(departement)
            total = min(siens.logements, voulues - ecrites + 1000)
            parc = tirer_parc(departement, total, siens, parts[departement], communes, propre)
            vie = occuper(parc, siens, parts[departement], histoire, AUJOURDHUI, propre.sous("vie"))
            texte = lignes_loi(vie, MILLESIME, parts[departement], communes, propre.sous("fichier"))
            texte = texte.head(voulues - ecrites)
            ecrire(texte.with_columns(pl.all().replace("", None)), sortie, entete=not ecrites)
            ecrites += texte.height
            if ecrites >= voulues:
                break
    return ecrites


def melanger(source: str, cible: str) -> int:
    """The same lines in another order, with other line ends."""
    entete, *lignes = Path(source).read_bytes().rstrip(b"\n").split(b"\n")
    random.Random(1).shuffle(lignes)
    Path(cible).write_bytes(b"\r\n".join([entete, *lignes, b""]))
    return len(lignes)


def _ailleurs(fonction: str, *arguments: str) -> int:
    programme = (
        "import sys, django; django.setup(); from benchmarks import import_rpls as m; "
        "print(getattr(m, sys.argv[1])(*sys.argv[2:]))"
    )
    fin = subprocess.run(
        [sys.executable, "-c", programme, fonction, *arguments],
        cwd=RACINE,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.local"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return int(fin.stdout.split()[-1])


def _vider() -> None:
    from django.db import connection

    with connection.cursor() as curseur:
        curseur.execute(f"TRUNCATE {', '.join(_TABLES)} CASCADE")


def _copie_brute(fichier: Path) -> float:
    """Seconds of psycopg's COPY of the file, as text columns, into a table made for it."""
    from django.db import connection

    with open(fichier, encoding="utf-8") as flux:
        colonnes = ", ".join(f'"{nom}" text' for nom in flux.readline().rstrip("\n").split(";"))
    with connection.cursor() as curseur:
        curseur.execute("DROP TABLE IF EXISTS copie_brute")
        curseur.execute(f"CREATE TABLE copie_brute ({colonnes})")
        sql = "COPY copie_brute FROM STDIN (FORMAT csv, DELIMITER ';', HEADER)"
        with chrono() as duree, open(fichier, "rb") as flux, curseur.copy(sql) as copie:
            while octets := flux.read(1 << 20):
                copie.write(octets)
        curseur.execute("DROP TABLE copie_brute")
    return duree.secondes


def _importer(fichier: Path) -> dict:
    """Report of the command, with its greatest memory in bytes."""
    processus = subprocess.Popen(
        [
            *(sys.executable, RACINE / "manage.py", "importer_rpls", fichier),
            *("--millesime", str(MILLESIME), "--creer-bailleurs", "--json"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    rapport = json.loads(processus.stdout.read())
    _, statut, usage = os.wait4(processus.pid, 0)
    processus.returncode = os.waitstatus_to_exitcode(statut)
    if processus.returncode:
        raise RuntimeError(rapport["message"])
    return rapport | {"memoire": usage.ru_maxrss * 1024}


def _verifier(neuf: dict, identique: dict, memes: dict, lignes: int) -> None:
    """A measure of something else than the whole work would mean nothing."""
    attendus = {
        "neuf": (neuf["acceptees"], neuf["changements"]["nouveaux"]),
        "identique": (identique["acceptees"], identique["changements"]["identiques"]),
        "memes": (memes["acceptees"], memes["changements"]["identiques"]),
    }
    if set(attendus.values()) != {(lignes, lignes)}:
        raise RuntimeError(f"{lignes} logements attendus : {attendus}")


def main() -> None:
    """On its own: `python -m benchmarks.import_rpls --lignes 1000000`."""
    from .__main__ import preparer_base
    from .mesure import lignes_machine, tableau

    analyseur = argparse.ArgumentParser(prog="python -m benchmarks.import_rpls", description=__doc__)
    analyseur.add_argument("--lignes", type=int, default=1_000_000, help="logements du fichier")
    lignes = analyseur.parse_args().lignes

    from config import serveurs

    mesures = serveurs.dossier() / "mesures"
    base = preparer_base(mesures, "vide", rapide=False)
    os.environ["RESERVATION_DATA"] = str(base)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    import django

    django.setup()
    from config.demarrage import preparer

    preparer()
    try:
        with tempfile.TemporaryDirectory(prefix="mesure-", dir=base) as dossier:
            resultats = mesurer(Contexte(Path(dossier), {"vide": base}), lignes)
    finally:
        serveurs.arreter()
    print("\n".join(tableau(resultats)))
    print()
    print("\n".join(lignes_machine(resultats)))


if __name__ == "__main__":
    main()
