"""Tables of the indicators that leave the application: what the page shows, hidden numbers hidden."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bilans.services.donnees_bilan import libelle_imputation
from bilans.services.indicateurs import Chiffre, Indicateurs
from reservation.exports import Colonne, Format
from reservation.regles.typographie import typographier

MASQUE = "moins de 11 ou masqué"


class LigneTest(NamedTuple):
    departement: str
    test: str
    reservataire: str
    bailleur: str
    prioritaires: int | None
    attributions: int | None
    exceptions: str
    manque: int | None
    texte: str


def lignes_des_tests(lus: Indicateurs) -> Iterable[LigneTest]:
    """The three tests and the 6 %, one line for each numerator and its denominator."""
    for q in lus.quarts:
        yield LigneTest(
            q.departement,
            "25 %",
            q.nom,
            q.bailleur.nom if q.bailleur else "",
            q.prioritaires.nombre,
            q.attributions.nombre,
            "",
            q.manque,
            q.article,
        )
    for c in lus.cent:
        yield LigneTest(
            c.departement,
            "100 % hors agents",
            "État",
            c.bailleur.nom if c.bailleur else "",
            c.prioritaires.nombre,
            c.attributions.nombre,
            typographier(" ; ".join(f"{libelle} : {_en_texte(n)}" for libelle, n in c.exceptions)),
            c.manque.nombre,
            "L. 441-1",
        )
    for s in lus.sortants:
        yield LigneTest(
            s.departement,
            "6 %, sortants d’hébergement et personnes à la rue",
            "",
            "",
            s.sortants.nombre,
            s.attributions.nombre,
            "",
            s.manque,
            "stratégie régionale PACA",
        )


def _en_texte(chiffre: Chiffre) -> str:
    return MASQUE if chiffre.nombre is None else str(chiffre.nombre)


COLONNES_TESTS = (
    Colonne("Département", lambda li: li.departement),
    Colonne("Test", lambda li: li.test, largeur=28),
    Colonne("Réservataire", lambda li: li.reservataire, largeur=30),
    Colonne("Bailleur", lambda li: li.bailleur, largeur=30),
    Colonne("Prioritaires (numérateur)", lambda li: li.prioritaires, Format.ENTIER),
    Colonne("Attributions (dénominateur)", lambda li: li.attributions, Format.ENTIER),
    Colonne("Exceptions motivées", lambda li: li.exceptions, largeur=48),
    Colonne("Restent à faire", lambda li: li.manque, Format.ENTIER),
    Colonne("Secret statistique", lambda li: MASQUE if li.prioritaires is None or li.manque is None else ""),
    Colonne("Texte", lambda li: li.texte, largeur=24),
)


class LigneIndicateur(NamedTuple):
    indicateur: str
    detail: str
    nombre: int | None
    definition: str
    source: str
    reserve: str


def lignes_de_l_article_5(lus: Indicateurs) -> Iterable[LigneIndicateur]:
    for indicateur in lus.article_5:
        d = indicateur.definition
        textes = (typographier(d.definition), d.source.value, typographier(indicateur.reserve))
        for detail in indicateur.details:
            yield LigneIndicateur(d.titre, detail.libelle, detail.chiffre.nombre, *textes)
        if not indicateur.details:
            yield LigneIndicateur(d.titre, "", None, *textes)


COLONNES_ARTICLE_5: Sequence[Colonne] = (
    Colonne("Indicateur", lambda li: li.indicateur, largeur=36),
    Colonne("Détail", lambda li: li.detail, largeur=40),
    Colonne("Nombre", lambda li: li.nombre, Format.ENTIER),
    Colonne("Secret statistique", lambda li: MASQUE if li.nombre is None else ""),
    Colonne("Définition", lambda li: li.definition, largeur=60),
    Colonne("Source", lambda li: li.source, largeur=36),
    Colonne("Réserve", lambda li: li.reserve, largeur=48),
)


def _contingent(ligne) -> str:
    return ligne.reservataire.nom if ligne.reservataire_id else "hors contingent"


_LOGEMENT = (
    Colonne("Bailleur", lambda li: li.bailleur.nom, largeur=28),
    Colonne("Département", lambda li: li.departement_id),
    Colonne("Logement", lambda li: li.liberation.reference, largeur=20),
    Colonne("Commune", lambda li: li.liberation.commune.nom, largeur=24),
)
COLONNES_LIGNES: dict[str, Sequence[Colonne]] = {
    "attributions": (
        Colonne("CALEOL", lambda li: li.date_caleol, Format.JOUR, 12),
        *_LOGEMENT,
        Colonne("Contingent", _contingent, largeur=28),
        Colonne("Compte comme", lambda li: libelle_imputation(li.titre, li.detail), largeur=30),
        Colonne(
            "Motif consigné",
            lambda li: (
                li.attribution.get_motif_hors_prioritaire_display() if li.motif_hors_prioritaire else ""
            ),
            largeur=36,
        ),
        Colonne("Bail signé le", lambda li: li.date_bail, Format.JOUR, 12),
    ),
    "dossiers": (
        Colonne("CALEOL", lambda li: li.commission.date, Format.JOUR, 12),
        *_LOGEMENT,
        Colonne("Décision", lambda li: li.get_decision_display(), largeur=36),
        Colonne("Motif", lambda li: li.motif.libelle if li.motif_id else "", largeur=40),
    ),
    "refus_menages": (
        Colonne("CALEOL", lambda li: li.date_caleol, Format.JOUR, 12),
        *_LOGEMENT,
        Colonne("Refusée le", lambda li: li.refusee_le, Format.JOUR, 12),
        Colonne("Motif", lambda li: li.motif_refus.libelle if li.motif_refus_id else "", largeur=40),
    ),
}
COLONNES_LIGNES |= {
    "orientes": (
        Colonne("Libéré le", lambda li: li.date, Format.JOUR, 12),
        Colonne("Orienté le", lambda li: li.orientee_le, Format.JOUR, 12),
        Colonne("Bailleur", lambda li: li.bailleur.nom, largeur=28),
        Colonne("Département", lambda li: li.departement_id),
        Colonne("Logement", lambda li: li.reference, largeur=20),
        Colonne("Commune", lambda li: li.commune.nom, largeur=24),
        Colonne("Typologie", lambda li: li.typologie),
        Colonne("Financement", lambda li: li.financement),
        Colonne("QPV", lambda li: "oui" if li.qpv else "non"),
    ),
    "demandees": (
        Colonne("Remis le", lambda li: li.ouverte_le, Format.JOUR, 12),
        *_LOGEMENT,
        Colonne("Réservataire", lambda li: li.reservataire.nom, largeur=28),
        Colonne("État", lambda li: li.get_etat_display(), largeur=24),
        Colonne("Échec le", lambda li: li.close_le, Format.JOUR, 12),
        Colonne("Motif", lambda li: li.motif.libelle if li.motif_id else "", largeur=40),
    ),
    "prononcees": COLONNES_LIGNES["refus_menages"],
    "baux": COLONNES_LIGNES["attributions"],
    "etat": COLONNES_LIGNES["attributions"],
    "refus_caleol": COLONNES_LIGNES["dossiers"],
}
COLONNES_LIGNES["refus_reservataires"] = COLONNES_LIGNES["demandees"]
