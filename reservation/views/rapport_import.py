"""What the page of an import says of its report: counts that add up, causes from the most frequent, what changes.

The report is the JSON kept with the import; a file refused at its first bytes has hardly any.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Q, Sum

from reservation.acteur import Acteur
from reservation.models import AgregatParc, ImportRpls
from reservation.nomenclature_rpls import valeur_en_clair
from reservation.regles.statut import StatutLogement
from reservation.regles.typographie import accorder, entier_fr, typographier

EXEMPLES_DANS_LE_TABLEAU = 3
PART_DE_MASSE = 50  # % of the rejected lines from which one cause is said first


@dataclass(frozen=True)
class Cause:
    """One finding in one column. `nombre`: lines; `exemples`: {ligne, colonne, valeur, attendu}."""

    cause: str
    colonne: str
    attendu: str
    nombre: int
    premiere: int
    derniere: int
    exemples: list[dict[str, Any]]

    @property
    def ou(self) -> str:
        """ "ligne 412" or "lignes 412 à 619"."""
        if self.premiere == self.derniere:
            return f"ligne {entier_fr(self.premiere)}"
        return f"lignes {entier_fr(self.premiere)} à {entier_fr(self.derniere)}"

    @property
    def premiers(self) -> list[dict[str, Any]]:
        return self.exemples[:EXEMPLES_DANS_LE_TABLEAU]

    @property
    def suivants(self) -> list[dict[str, Any]]:
        return self.exemples[EXEMPLES_DANS_LE_TABLEAU:]


def _causes(lignes: list[dict[str, Any]]) -> list[Cause]:
    return [
        Cause(
            ligne["cause"],
            ligne["colonne"],
            ligne["attendu"],
            ligne["nombre"],
            ligne["premiere"],
            ligne["derniere"],
            ligne["exemples"],
        )
        for ligne in lignes
    ]


@dataclass(frozen=True)
class Difference:
    """One column of one dwelling that the file changes, in words."""

    reference: str
    adresse: str
    ligne: int
    libelle: str
    avant: str
    apres: str


@dataclass(frozen=True)
class EffetStatut:
    """Dwellings of one status in the parc today and once the file is recorded."""

    statut: StatutLogement
    avant: int
    apres: int

    @property
    def ecart(self) -> int:
        return self.apres - self.avant


@dataclass(frozen=True)
class Effet:
    """What recording changes in the parc of the millésime, for the pairs that the file holds."""

    statuts: list[EffetStatut] = field(default_factory=list)

    def _total(self, dans: bool) -> tuple[int, int]:
        lignes = [s for s in self.statuts if s.statut.dans_assiette is dans]
        return sum(s.avant for s in lignes), sum(s.apres for s in lignes)

    @property
    def assiette(self) -> dict[str, int]:
        avant, apres = self._total(True)
        return {"avant": avant, "apres": apres, "ecart": apres - avant}

    @property
    def hors(self) -> dict[str, int]:
        avant, apres = self._total(False)
        return {"avant": avant, "apres": apres, "ecart": apres - avant}

    @property
    def parc(self) -> dict[str, int]:
        return {nom: self.assiette[nom] + self.hors[nom] for nom in ("avant", "apres", "ecart")}


@dataclass(frozen=True)
class Rapport:
    """The report of `import_rpls`, as `acteur` may read it.

    Lines of a département that the actor does not follow are not shown to it: counts stay, examples go.
    """

    import_rpls: ImportRpls
    acteur: Acteur

    @property
    def _json(self) -> dict[str, Any]:
        return self.import_rpls.rapport

    @property
    def existe(self) -> bool:
        """Whether the file was read to its end."""
        return "lignes" in self._json

    @property
    def detaille(self) -> bool:
        """Whether the actor may read lines of this file, and not only how many there are."""
        if self.acteur.est_bailleur or self.acteur.systeme:
            return True
        return bool(self.paires) and {p["departement"] for p in self.paires} <= set(self.acteur.departements)

    @property
    def fichier(self) -> dict[str, Any]:
        return self._json.get("fichier", {})

    @property
    def paires(self) -> list[dict[str, Any]]:
        return self._json.get("paires", [])

    @property
    def hypotheses(self) -> list[str]:
        return self._json.get("hypotheses", [])

    @property
    def alertes(self) -> list[str]:
        return self._json.get("alertes", [])

    @cached_property
    def erreurs(self) -> list[Cause]:
        return _causes(self._json.get("erreurs", []))

    @cached_property
    def avertissements(self) -> list[Cause]:
        return _causes(self._json.get("avertissements", []))

    @cached_property
    def corrections(self) -> list[Cause]:
        return _causes(self._json.get("corrections", []))

    @cached_property
    def ignorees(self) -> list[Cause]:
        return _causes(self._json.get("ignorees", []))

    @property
    def ignorees_en_mots(self) -> str:
        return ", ".join(f"{entier_fr(c.nombre)} × {c.cause[:1].lower()}{c.cause[1:]}" for c in self.ignorees)

    @property
    def masse(self) -> Cause | None:
        """The cause that rejects most of the lines by itself: what to mend first."""
        rejetees = self.import_rpls.lignes_rejetees
        if self.erreurs and self.erreurs[0].nombre > 1:
            premiere = self.erreurs[0]
            if 100 * premiere.nombre > PART_DE_MASSE * rejetees:
                return premiere
        return None

    @property
    def changements(self) -> dict[str, Any] | None:
        return self._json.get("changements")

    @property
    def addition_des_piles(self) -> str:
        """ "73 + 38 + 403 = 514 lignes acceptées": the piles are the accepted lines."""
        c = self.changements or {}
        nombres = [c.get(nom, 0) for nom in ("nouveaux", "modifies", "identiques")]
        total = accorder(sum(nombres), "ligne acceptée", "lignes acceptées")
        return typographier(f"{' + '.join(entier_fr(n) for n in nombres)} = {total}")

    @property
    def precedent(self) -> dict[str, Any] | None:
        return self._json.get("precedent")

    @property
    def precedents_en_mots(self) -> str:
        return " et ".join(str(m) for m in (self.precedent or {}).get("millesimes", []))

    @cached_property
    def differences(self) -> list[Difference]:
        modifies = (self.changements or {}).get("exemples", {}).get("modifies", [])
        return [
            Difference(
                ligne["reference"],
                ligne["adresse"],
                ligne["ligne"],
                champ["libelle"],
                valeur_en_clair(champ["champ"], champ["avant"]),
                valeur_en_clair(champ["champ"], champ["apres"]),
            )
            for ligne in modifies
            for champ in ligne["champs"]
        ]

    @property
    def nouveaux(self) -> list[dict[str, Any]]:
        return (self.changements or {}).get("exemples", {}).get("nouveaux", [])

    @property
    def disparus(self) -> list[dict[str, Any]]:
        return (self.changements or {}).get("exemples", {}).get("disparus", [])

    @property
    def rejets_parmi_les_disparus(self) -> bool:
        """A rejected line leaves its dwelling out of the file: recording would take it out of the parc."""
        disparus = (self.changements or {}).get("disparus", 0)
        return bool(self.import_rpls.lignes_rejetees and disparus)

    @property
    def acceptees_en_mots(self) -> str:
        c = self.changements
        if c is None:
            return ""
        return (
            f"{accorder(c['nouveaux'], 'nouvelle', 'nouvelles')}, {accorder(c['modifies'], 'modifiée', 'modifiées')}, "
            f"{accorder(c['identiques'], 'identique', 'identiques')}"
        )

    @property
    def departements(self) -> list[str]:
        return sorted({p["departement"] for p in self.paires})

    def effet(self) -> Effet:
        """Statuses of the parc today, and those of the file: it replaces the parc of the pairs that it holds."""
        if not self.existe or "statuts" not in self._json:
            return Effet()
        ids = {b["siren"]: b["id"] for b in self._json["bailleurs"]}
        paires = Q(pk__in=[])
        for paire in self.paires:
            paires |= Q(bailleur=ids[paire["siren"]], departement=paire["departement"])
        avant = dict(
            AgregatParc.objects.visibles_par(self.acteur)
            .filter(paires, millesime=self.import_rpls.millesime)
            .order_by()
            .values_list("statut")
            .annotate(n=Sum("nombre"))
        )
        apres = self._json["statuts"]
        return Effet(
            [
                EffetStatut(s, avant.get(s, 0), apres.get(s, 0))
                for s in StatutLogement
                if avant.get(s) or apres.get(s)
            ]
        )
