"""Reference data that the application ships: territories (COG) and the classes of the bilan.

Loaded after each `migrate`, and after each flush of the tests: the work is done in SQL, and not at all when the
edition in place is the one shipped.
"""

import csv
import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from django.db import connections, models, transaction

from reservation.models import (
    ClasseFinancement,
    ClassePeriode,
    ClasseTypologie,
    Commune,
    Departement,
    Epci,
    PassageCommune,
    Referentiel,
    Region,
    cle_de_tri,
)

DONNEES = Path(__file__).resolve().parent.parent / "donnees"
COG = DONNEES / "cog"
NATURES_DE_PASSAGE = {
    "arrondissement-municipal": PassageCommune.Nature.ARRONDISSEMENT,
    "commune-deleguee": PassageCommune.Nature.DELEGUEE,
    "commune-associee": PassageCommune.Nature.ASSOCIEE,
}


def charger_references(using: str = "default") -> None:
    """Bring territories and classes to the shipped edition; does nothing when they are already there."""
    charger_si_nouveau(
        Referentiel(code="COG", libelle="Code officiel géographique (INSEE)", version="2026"),
        sorted(COG.glob("*.csv.gz")),
        _charger_cog,
        using,
    )
    charger_si_nouveau(
        Referentiel(code="CLASSES", libelle="Classes des tableaux du bilan", version="2026"),
        [DONNEES / "classes.json"],
        _charger_classes,
        using,
    )


def charger_si_nouveau(
    referentiel: Referentiel, fichiers: Sequence[Path], charger: Callable[[str], None], using: str
) -> bool:
    """Call `charger(using)` unless `fichiers` were already loaded as they are; say whether it was called."""
    referentiel.empreinte = _empreinte(tuple(fichiers))
    deja = Referentiel.objects.using(using).filter(code=referentiel.code, empreinte=referentiel.empreinte)
    if deja.exists():
        return False
    with transaction.atomic(using=using):
        charger(using)
        referentiel.save(using=using)
    return True


def tables_pretes(using: str, *modeles: type[models.Model]) -> bool:
    """Whether the database has all the columns of `modeles`: `migrate` may stop before them, or go back."""
    attendues = {(m._meta.db_table, f.column) for m in modeles for f in m._meta.concrete_fields}
    with connections[using].cursor() as curseur:
        curseur.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s) AND a.attnum > 0",
            [[m._meta.db_table for m in modeles]],
        )
        return attendues <= set(curseur.fetchall())


def apres_migration(sender, using: str, **kwargs) -> None:
    """Receiver of `post_migrate`."""
    modeles = (Referentiel, Region, Departement, Epci, Commune, PassageCommune)
    if tables_pretes(using, *modeles, ClasseTypologie, ClasseFinancement, ClassePeriode):
        charger_references(using)


def resoudre_communes(codes: Iterable[str] | None = None) -> dict[str, str]:
    """Codes met in files → code of the commune of today; a code that nobody knows is not in the answer.

    Communes answer for themselves, arrondissements municipaux and former communes through `PassageCommune`.
    Without `codes`, every known code (about 40 000: two queries, once per import).
    """
    communes = Commune.objects.values_list("code", "code")
    passages = PassageCommune.objects.values_list("ancien_code", "commune_id")
    if codes is not None:
        codes = set(codes)
        communes, passages = communes.filter(code__in=codes), passages.filter(ancien_code__in=codes)
    return dict(passages.order_by()) | dict(communes.order_by())


def inserer_absents(lignes: Sequence[models.Model], using: str) -> None:
    """Insert reference rows that are missing, and leave alone those an administrator may have edited."""
    type(lignes[0])._default_manager.using(using).bulk_create(lignes, ignore_conflicts=True)


@lru_cache
def _empreinte(fichiers: tuple[Path, ...]) -> str:
    empreinte = hashlib.sha256()
    for fichier in fichiers:
        empreinte.update(fichier.name.encode())
        empreinte.update(fichier.read_bytes())
    return empreinte.hexdigest()


def _lire(nom: str) -> list[dict[str, str]]:
    with gzip.open(COG / f"{nom}.csv.gz", "rt", encoding="utf-8", newline="") as fichier:
        return list(csv.DictReader(fichier, delimiter=";"))


@lru_cache(maxsize=1)
def _lignes_cog() -> tuple[tuple[type[models.Model], tuple[str, ...], tuple[tuple, ...]], ...]:
    """(model, columns, rows) in the order in which they refer to each other.

    The overseas collectivités (975, 977…) have communes and no région.
    """
    communes = _lire("communes")
    regions = {r["code"]: r["nom"] for r in _lire("regions") if r["zone"] != "com"}
    actuelles = {r["code"] for r in communes if r["type"] == "commune-actuelle"}
    passages = {
        r["code"]: (r["code"], r["nom"], r["chef_lieu"], str(NATURES_DE_PASSAGE[r["type"]]))
        for r in communes
        # A commune nouvelle often keeps the code of one of its communes déléguées: the code is then its own.
        if r["type"] in NATURES_DE_PASSAGE and r["code"] not in actuelles
    }
    for r in _lire("communes_supprimees"):
        passages.setdefault(
            r["code"], (r["code"], r["nom"], r["commune"], str(PassageCommune.Nature.SUPPRIMEE))
        )
    return (
        (Region, ("code", "nom", "nom_tri"), tuple((c, n, cle_de_tri(n)) for c, n in regions.items())),
        (
            Departement,
            ("code", "nom", "nom_tri", "region_id"),
            tuple(
                (r["code"], r["nom"], cle_de_tri(r["nom"]), r["region"] if r["region"] in regions else None)
                for r in _lire("departements")
            ),
        ),
        (
            Epci,
            ("code", "nom", "nom_tri", "type"),
            tuple((r["code"], r["nom"], cle_de_tri(r["nom"]), r["type"]) for r in _lire("epci")),
        ),
        (
            Commune,
            ("code", "nom", "nom_tri", "departement_id", "epci_id", "codes_postaux", "population"),
            tuple(
                (
                    r["code"],
                    r["nom"],
                    cle_de_tri(r["nom"]),
                    r["departement"],
                    r["epci_code"] or None,
                    r["codes_postaux"].split(),
                    r["population"] or None,
                )
                for r in communes
                if r["type"] == "commune-actuelle"
            ),
        ),
        (
            PassageCommune,
            ("ancien_code", "ancien_nom", "commune_id", "nature"),
            tuple(passages.values()),
        ),
    )


def _charger_cog(using: str) -> None:
    """COPY into a temporary table, then one upsert per table that writes only what differs.

    A territory that a new edition no longer has is kept: past figures refer to it.
    """
    with connections[using].cursor() as curseur:
        for modele, colonnes, lignes in _lignes_cog():
            table, tampon = modele._meta.db_table, f"tampon_{modele._meta.model_name}"
            liste = ", ".join(colonnes)
            cle, *autres = colonnes
            curseur.execute(f"DROP TABLE IF EXISTS {tampon}")
            curseur.execute(
                f"CREATE TEMPORARY TABLE {tampon} ON COMMIT DROP AS SELECT {liste} FROM {table} LIMIT 0"
            )
            with curseur.copy(f"COPY {tampon} ({liste}) FROM STDIN") as copie:
                for ligne in lignes:
                    copie.write_row(ligne)
            curseur.execute(
                f"INSERT INTO {table} AS t ({liste}) SELECT {liste} FROM {tampon} "
                f"ON CONFLICT ({cle}) DO UPDATE SET "
                + ", ".join(f"{c} = excluded.{c}" for c in autres)
                + f" WHERE ({', '.join(f't.{c}' for c in autres)})"
                + f" IS DISTINCT FROM ({', '.join(f'excluded.{c}' for c in autres)})"
            )


def _charger_classes(using: str) -> None:
    classes = json.loads((DONNEES / "classes.json").read_text(encoding="utf-8"))
    for modele, cle in (
        (ClasseTypologie, "typologies"),
        (ClasseFinancement, "financements"),
        (ClassePeriode, "periodes"),
    ):
        inserer_absents([modele(**ligne) for ligne in classes[cle]], using)
