"""A convention or an avenant on paper, ready to sign: its parties, its articles as its page reads them, the places to sign.

The words come from the parameters (`reservation.services.lecture_conventions`) and from the model that the act started from
(`donnees/textes_convention.json`, abridged from the two source conventions): what is signed says what is computed.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.template.loader import render_to_string

from reservation.acteur import TypeOrganisation
from reservation.models import Convention, VersionConvention
from reservation.regles.typographie import typographier
from reservation.services.lecture_conventions import Difference, differences, nom_reservataire, rediger
from reservation.services.modeles_convention import modeles
from reservation.services.references import DONNEES

from .pdf import Pdf, rendre_balisage

VARIANTE = "pdf/a-2a"


@dataclass(frozen=True, slots=True)
class ArticleImprime:
    numero: int
    titre: str
    textes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActeImprime:
    """All that is printed. `ecarts`: what an avenant changes. `projet`: with its watermark, not to be signed."""

    convention: Convention
    version: VersionConvention
    titre: str
    reservataire: str
    etat: bool
    preambule: str
    visas: tuple[str, ...]
    articles: tuple[ArticleImprime, ...]
    ecarts: tuple[Difference, ...]
    modele: str
    projet: bool

    @property
    def reference(self) -> str:
        avenant = f", avenant {self.version.rang}" if self.version.rang else ""
        return f"{'PROJET · ' if self.projet else ''}{self.convention.numero}{avenant}"


@cache
def _textes() -> dict:
    return json.loads((DONNEES / "textes_convention.json").read_text(encoding="utf-8"))


def composer_acte(versions: Sequence[VersionConvention], rang: int, *, projet: bool) -> ActeImprime:
    """The act that version `rang` signs; `versions`: all of them in order, with their convention, communes and parties."""
    par_rang = {version.rang: version for version in versions}
    version = par_rang[rang]
    convention = version.convention
    anterieures = [v for v in versions if v.rang < rang]
    textes = _textes()[convention.modele]
    etat = convention.reservataire.type == TypeOrganisation.DDETS
    complements = textes["complements"] if etat else {}
    arrete = convention.nature == Convention.Nature.ARRETE
    if rang:
        titre = f"Avenant n° {rang} à la convention de réservation {convention.numero}"
    elif arrete:
        titre = f"Arrêté {convention.numero} réglant la mise en œuvre des réservations de l’État"
    else:
        titre = f"Convention de réservation de logements locatifs sociaux {convention.numero}"
    return ActeImprime(
        convention=convention,
        version=version,
        titre=typographier(titre),
        reservataire=nom_reservataire(convention.reservataire),
        etat=etat,
        preambule=textes["preambule"],
        visas=tuple(map(typographier, textes["visas"])),
        articles=tuple(
            ArticleImprime(
                article.numero,
                article.titre,
                (
                    *(alinea.texte for alinea in article.alineas),
                    *map(typographier, complements.get(str(article.numero), ())),
                ),
            )
            for article in rediger(convention, version, anterieures)
        ),
        ecarts=tuple(differences(anterieures[-1], version)) if anterieures else (),
        modele=modeles()[convention.modele].libelle,
        projet=projet,
    )


def rendre_acte(acte: ActeImprime) -> Pdf:
    """The act as an archival PDF; same words, same bytes."""
    contenu = render_to_string(
        "pdf/convention/acte.html", {"a": acte, "c": acte.convention, "v": acte.version}
    )
    return rendre_balisage(contenu, hashlib.sha256(contenu.encode()).digest()[:16], variante=VARIANTE)
