"""The tables of the consolidation, declared once: name, columns, types, definitions, rows.

The CSV, the Parquet, the workbook and the table schema (Frictionless) are four writings of these. A column never changes its
meaning: another meaning is another column, and `VERSION` rises.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .consolidation import Consolidation, Ligne

VERSION = "1.1"

Valeur = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Champ:
    """A column. `type`: of the Table Schema ("string", "integer", "boolean"). `requis`: never empty."""

    nom: str
    type: str
    titre: str
    definition: str
    requis: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """`nom` names the files; `lignes`: a consolidation → its rows, one value per field, in order. `cle`: what is unique."""

    nom: str
    titre: str
    definition: str
    champs: tuple[Champ, ...]
    cle: tuple[str, ...]
    lignes: Callable[[Consolidation], Iterator[tuple[Valeur, ...]]]


_LIEU = (
    Champ("annee", "integer", "Année", "Année civile du bilan."),
    Champ("niveau", "string", "Niveau", "region, departement ou bailleur (un bailleur dans un département)."),
    Champ("region", "string", "Région", "Code INSEE de la région."),
    Champ("departement", "string", "Département", "Code INSEE du département ; vide pour la région.", False),
    Champ("siren", "string", "SIREN", "SIREN du bailleur ; vide pour une région ou un département.", False),
    Champ("nom", "string", "Nom", "Nom de la région, du département ou du bailleur."),
)
_CLE = ("annee", "niveau", "region", "departement", "siren", "nom")
_SECRET = Champ(
    "secret",
    "boolean",
    "Secret",
    "Vrai : le nombre de ménages de la ligne n’est pas communiqué (moins de onze, ou ce qui permettrait de le retrouver).",
)


_SECRET_ATTRIBUTIONS = Champ(
    "secret",
    "boolean",
    "Secret",
    "Vrai : les attributions ou les baux ne sont pas communiqués ; comparés au réalisé de l’État, ils feraient retrouver "
    "un nombre de ménages inférieur à onze.",
)
_TUS = "Vide et secret vrai : non communiqué."


def _tete(c: Consolidation, ligne: Ligne) -> tuple[Valeur, ...]:
    return (
        c.annee,
        ligne.niveau.value,
        c.region.code,
        ligne.departement or None,
        ligne.siren or None,
        ligne.nom,
    )


def _n(nom: str, titre: str, definition: str, requis: bool = True) -> Champ:
    return Champ(nom, "integer", titre, definition, requis)


def _validees(c: Consolidation) -> Iterator[Ligne]:
    return (ligne for ligne in c.racine.lignes if ligne.valide)


def _bilans(c: Consolidation) -> Iterator[tuple[Valeur, ...]]:
    for x in c.racine.lignes:
        chiffres = (
            (x.parc, x.soumis, x.liberations, x.soustraits, x.flux, x.hors_qpv, x.attributions, x.baux)
            if x.valide
            else (None,) * 8
        )
        tus = x.valide and None in (x.attributions, x.baux)
        yield (
            *_tete(c, x),
            *(x.bilans, x.attendus, x.etat_libelle or None, x.numero or None),
            *chiffres,
            *((x.plancher.etat, x.plancher.objectif) if x.plancher.tenus else (None, None)),
            tus,
        )


def _contingents(c: Consolidation) -> Iterator[tuple[Valeur, ...]]:
    for x in _validees(c):
        for k in x.contingents:
            yield (
                *_tete(c, x),
                *(k.code, k.nom, k.objectif, k.report, k.du, k.attributions, k.baux, k.realise, k.ecart),
                *(k.manque, k.en_ecart, k.tenus, None in (k.attributions, k.baux)),
            )


def _quarts(c: Consolidation) -> Iterator[tuple[Valeur, ...]]:
    for x in _validees(c):
        for q in x.quarts:
            yield (
                *_tete(c, x),
                *(
                    q.code,
                    q.nom,
                    q.prioritaires,
                    q.attributions,
                    q.manque,
                    q.opposable,
                    q.prioritaires is None,
                ),
            )


def _titres(c: Consolidation) -> Iterator[tuple[Valeur, ...]]:
    for x in _validees(c):
        for t in x.titres:
            yield (*_tete(c, x), t.code, t.nom, t.nombre, t.nombre is None)


def _refus(c: Consolidation) -> Iterator[tuple[Valeur, ...]]:
    for x in _validees(c):
        yield (*_tete(c, x), x.prononcees, x.refus, x.refus is None)


def _soustractions(c: Consolidation) -> Iterator[tuple[Valeur, ...]]:
    for x in _validees(c):
        for s in x.soustractions:
            yield (*_tete(c, x), s.code, s.libelle, s.nombre)


def _communes(c: Consolidation) -> Iterator[tuple[Valeur, ...]]:
    for x in c.departements:
        for commune in x.communes:
            yield (c.annee, c.region.code, x.code, commune.code, commune.nom, commune.flux, commune.hors_qpv)


_CONTINGENT = (
    Champ(
        "contingent", "string", "Contingent", "ETAT, ALS, COLLECTIVITES, AUTRES ou BAILLEUR (non réservés)."
    ),
    Champ("contingent_nom", "string", "Nom du contingent", "Le même, en toutes lettres."),
)
_ATTENDU = "Vide pour les logements non réservés : le bailleur ne se doit rien."

TABLES = (
    Table(
        "bilans",
        "Bilans et flux",
        "Une ligne par région, par département et par bailleur : état du bilan, parc, flux, attributions.",
        (
            *_LIEU,
            _n(
                "bilans_valides",
                "Bilans validés",
                "Bilans validés par la DDETS ; eux seuls comptent dans les totaux.",
            ),
            _n("bilans_attendus", "Bilans attendus", "Bilans de l’année, validés ou non."),
            Champ("etat", "string", "État du bilan", "Pour un bailleur : où en est son bilan.", False),
            Champ(
                "bilan",
                "string",
                "Bilan d’origine",
                "Numéro du bilan validé, d’où viennent les chiffres.",
                False,
            ),
            _n("parc", "Parc", "Logements du bailleur au 1er janvier (RPLS). Vide sans bilan validé.", False),
            _n("assiette", "Assiette", "Logements du parc soumis à la gestion en flux.", False),
            _n("liberations", "Libérations", "Logements de l’assiette libérés dans l’année.", False),
            _n("soustractions", "Soustractions", "Libérations soustraites du flux (R. 441-5, I).", False),
            _n("flux", "Flux", "Libérations moins soustractions : le flux annuel constaté.", False),
            _n("flux_hors_qpv", "Flux hors QPV", "Partie du flux hors des quartiers prioritaires.", False),
            _n(
                "attributions",
                "Attributions",
                f"Attributions de l’année, tous contingents (date de CALEOL). {_TUS}",
                False,
            ),
            _n("baux", "Baux signés", f"Attributions de l’année suivies d’un bail signé. {_TUS}", False),
            _n(
                "etat_hors_qpv",
                "État hors QPV",
                "Réalisé de l’État hors QPV, là où la convention garde le plancher (R. 441-5-2) ; vide ailleurs.",
                False,
            ),
            _n(
                "plancher_hors_qpv",
                "Plancher hors QPV",
                "Ce que la convention demande hors QPV pour l’État ; vide sans cette clause.",
                False,
            ),
            _SECRET_ATTRIBUTIONS,
        ),
        _CLE,
        _bilans,
    ),
    Table(
        "contingents",
        "Objectifs et réalisé",
        "Objectif, report, réalisé et écart, par contingent. Logements.",
        (
            *_LIEU,
            *_CONTINGENT,
            _n("part", "Part", f"Part entière du flux. {_ATTENDU}", False),
            _n("report", "Report", f"Reporté de l’année précédente. {_ATTENDU}", False),
            _n("objectif", "Objectif", f"Part et report. {_ATTENDU}", False),
            _n("attributions", "Attributions", f"Attributions de l’année sur ce contingent. {_TUS}", False),
            _n("baux", "Baux", f"Baux signés de ces attributions, à leur date de bail. {_TUS}", False),
            _n(
                "realise", "Réalisé", "Ce qui compte pour l’objectif, selon la convention de chaque bailleur."
            ),
            _n("ecart", "Écart", f"Réalisé moins objectif. {_ATTENDU}", False),
            _n(
                "manque",
                "Manque",
                f"Somme de ce qui manque à chacun : aucun excédent ne le compense. {_ATTENDU}",
                False,
            ),
            _n("objectifs_manques", "Objectifs manqués", "Objectifs (bailleur × réservataire) manqués."),
            _n("objectifs", "Objectifs suivis", "Objectifs (bailleur × réservataire) de la ligne."),
            _SECRET_ATTRIBUTIONS,
        ),
        (*_CLE, "contingent"),
        _contingents,
    ),
    Table(
        "quarts",
        "Quart des publics prioritaires",
        "Attributions aux ménages prioritaires au regard du quart (L. 441-1, L. 313-26-2).",
        (
            *_LIEU,
            *_CONTINGENT,
            _n(
                "prioritaires",
                "Prioritaires",
                "Attributions à des ménages prioritaires ; vide : secret.",
                False,
            ),
            _n("attributions", "Attributions", "Dénominateur du test."),
            _n(
                "manque",
                "Manque",
                "Ce qui manque à cette somme pour atteindre le quart ; vide : secret.",
                False,
            ),
            Champ(
                "opposable", "boolean", "Opposable", "Vrai : c’est à ce niveau que la loi apprécie ce quart."
            ),
            _SECRET,
        ),
        (*_CLE, "contingent"),
        _quarts,
    ),
    Table(
        "titres",
        "Contingent de l’État par titre",
        "Attributions de l’État : agents, groupes de priorité, autres.",
        (
            *_LIEU,
            Champ("titre", "string", "Titre", "AGENT, PRIORITE_1, PRIORITE_2, PRIORITE_3 ou AUTRE."),
            Champ("titre_nom", "string", "Nom du titre", "Le même, en toutes lettres."),
            _n("menages", "Ménages", "Attributions à ce titre ; vide : secret.", False),
            _SECRET,
        ),
        (*_CLE, "titre"),
        _titres,
    ),
    Table(
        "refus",
        "Refus des ménages",
        "Attributions prononcées et refusées par le ménage.",
        (
            *_LIEU,
            _n("prononcees", "Prononcées", "Attributions prononcées en CALEOL, refusées ou non."),
            _n("refus", "Refus", "Refusées par le ménage ; vide : secret.", False),
            _SECRET,
        ),
        _CLE,
        _refus,
    ),
    Table(
        "soustractions",
        "Soustractions par catégorie",
        "Libérations soustraites du flux, par catégorie (R. 441-5, I).",
        (
            *_LIEU,
            Champ("categorie", "string", "Catégorie", "Code de la catégorie."),
            Champ("categorie_nom", "string", "Nom de la catégorie", "Le même, en toutes lettres."),
            _n("logements", "Logements", "Libérations soustraites à ce titre."),
        ),
        (*_CLE, "categorie"),
        _soustractions,
    ),
    Table(
        "communes",
        "Flux par commune",
        "Flux annuel constaté de chaque commune, tous bailleurs validés ensemble. Logements.",
        (
            _LIEU[0],
            _LIEU[2],
            Champ("departement", "string", "Département", "Code INSEE du département."),
            Champ("commune", "string", "Commune", "Code INSEE de la commune."),
            Champ("commune_nom", "string", "Nom de la commune", "Nom de la commune."),
            _n("flux", "Flux", "Flux de l’année."),
            _n("flux_hors_qpv", "Flux hors QPV", "Partie du flux hors des quartiers prioritaires."),
        ),
        ("annee", "departement", "commune"),
        _communes,
    ),
)


def schema(table: Table) -> dict[str, Any]:
    """The table schema (Frictionless Table Schema 1.0) of one table."""
    return {
        "$schema": "https://specs.frictionlessdata.io/schemas/table-schema.json",
        "name": table.nom,
        "title": table.titre,
        "description": table.definition,
        "version": VERSION,
        "fields": [
            {
                "name": champ.nom,
                "title": champ.titre,
                "type": champ.type,
                "description": champ.definition,
                **({"trueValues": ["true"], "falseValues": ["false"]} if champ.type == "boolean" else {}),
                "constraints": {"required": champ.requis},
            }
            for champ in table.champs
        ],
        "missingValues": [""],
        "primaryKey": list(table.cle),
    }
