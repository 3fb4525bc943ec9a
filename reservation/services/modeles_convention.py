"""Ready-made models of convention: every parameter, with the article that it comes from (domain, introduction).

A DDETS starts from one and edits it. The values are data (`donnees/modeles_convention.json`); what a model does
not say has a default, and the note says that it is one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from reservation.acteur import TypeOrganisation
from reservation.models import Departement, VersionConvention

from .references import DONNEES

# What any act fixes, and what the État's act alone fixes for everybody (domain, chapter 5).
CHAMPS_DE_TOUS = (
    "taux",
    "gestion",
    "echec_consomme",
    "delai_proposition",
    "sans_proposition",
    "reprise_pour_un_tour",
    "clause_quart",
)
CHAMPS_DE_L_ETAT = (
    "taux_agents",
    "retrocession_taux",
    "retrocession_debut",
    "retrocession_fin",
    "retrocession_prise_sur",
    "soustractions",
    "exclut_pli",
    "exclut_residences_services",
    "exclut_vente_demolition",
    "exclusions_locales",
    "premieres_mises_en_location",
    "fait_generateur",
    "plancher_hors_qpv",
    "echelle",
    "clause_objectifs",
    "taux_rotation",
)


@dataclass(frozen=True, slots=True)
class Parametre:
    """A value of a model. `article`: where it is written, empty when the model is silent; `note`: why it is so.

    `aide`: what the parties still have to say, for whoever fills it in.
    """

    valeur: Any
    article: str = ""
    note: str = ""
    aide: str = ""


@dataclass(frozen=True, slots=True)
class ModeleConvention:
    """`debut`, `fin`: the period of the source; `regions`, `departements`: where it is the first choice.

    `familles`: parameters for the État, for ALS, for the others.
    """

    code: str
    libelle: str
    source: str
    duree: str
    debut: date | None
    fin: date | None
    regions: tuple[str, ...]
    departements: tuple[str, ...]
    familles: Mapping[str, Mapping[str, Parametre]]

    def parametres(self, type_reservataire: str) -> Mapping[str, Parametre]:
        """Parameters for the réservataire of an act, by field of `VersionConvention`."""
        match type_reservataire:
            case TypeOrganisation.DDETS:
                return self.familles["ETAT"]
            case TypeOrganisation.ACTION_LOGEMENT:
                return self.familles["ACTION_LOGEMENT"]
            case _:
                return self.familles["AUTRES"]


def champs_de(type_reservataire: str) -> tuple[str, ...]:
    """Fields of `VersionConvention` that an act of this réservataire fixes, its communes aside."""
    if type_reservataire == TypeOrganisation.DDETS:
        return CHAMPS_DE_TOUS + CHAMPS_DE_L_ETAT
    return CHAMPS_DE_TOUS


@lru_cache(maxsize=1)
def modeles() -> Mapping[str, ModeleConvention]:
    """The models by code, in the order in which they are offered."""
    brut = json.loads((DONNEES / "modeles_convention.json").read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            code: ModeleConvention(
                code=code,
                libelle=texte["libelle"],
                source=texte["source"],
                duree=texte["duree"],
                debut=texte["debut"] and date.fromisoformat(texte["debut"]),
                fin=texte["fin"] and date.fromisoformat(texte["fin"]),
                regions=tuple(texte["regions"]),
                departements=tuple(texte["departements"]),
                familles={
                    famille: {champ: _parametre(champ, **valeur) for champ, valeur in texte[famille].items()}
                    for famille in ("ETAT", "ACTION_LOGEMENT", "AUTRES")
                },
            )
            for code, texte in brut.items()
        }
    )


def modele_propose(departement: Departement) -> ModeleConvention:
    """The model made for the place, or the law's when there is none."""
    choix = list(modeles().values())
    return next(
        (m for m in choix if departement.pk in m.departements or departement.region_id in m.regions),
        choix[-1],
    )


def periode_proposee(modele: ModeleConvention, aujourd_hui: date) -> tuple[date, date]:
    """Period of the model's source while it runs; else three civil years from next January."""
    if modele.fin and modele.fin >= aujourd_hui:
        return modele.debut, modele.fin
    annee = aujourd_hui.year + 1
    return date(annee, 1, 1), date(annee + 2, 12, 31)


def _parametre(champ: str, valeur: Any, **origine: str) -> Parametre:
    """Rates are written as text in the file: a float would not be the rate of the convention."""
    if not isinstance(valeur, (bool, list)):
        valeur = VersionConvention._meta.get_field(champ).to_python(valeur)
    return Parametre(valeur, **origine)
