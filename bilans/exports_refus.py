"""The analysis of the refusals as files: what the page shows, hidden numbers hidden."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from bilans.exports_indicateurs import MASQUE
from bilans.regles.refus import Porteur, Taux
from bilans.services.refus import AnalyseRefus
from reservation.exports import Colonne, Format
from reservation.regles.typographie import decimal_fr, typographier

LIBELLES_PORTEUR = {
    Porteur.CALEOL: "Commission (CALEOL)",
    Porteur.MENAGE: "Ménage",
    Porteur.RESERVATAIRE: "Réservataire",
}


def pourcent(part: Fraction | None) -> str:
    """3/14 → "21,4 %": a text, for rates are never added up."""
    return "" if part is None else typographier(f"{decimal_fr(part * 100, 1)} %")


class LigneMotif(NamedTuple):
    qui: str
    motif: str
    classe: str
    nombre: int | None
    base: int | None
    taux: str


def lignes_des_motifs(lue: AnalyseRefus) -> Iterable[LigneMotif]:
    """Motive × class, then each motive, each class, and the whole, for each of those who refuse."""
    for tableau in lue.tableaux:
        qui, croise = LIBELLES_PORTEUR[tableau.porteur], tableau.croisement
        for code, motif in lue.motifs.items():
            if code not in croise.motifs:
                continue
            for classe, libelle in lue.classes.items():
                if nombre := croise.cellules.get((code, classe)):
                    yield LigneMotif(qui, motif, libelle, nombre, None, "")
            yield LigneMotif(qui, motif, "ensemble", croise.motifs[code], None, "")
        for classe, libelle in lue.classes.items():
            if classe in croise.classes:
                t = croise.classes[classe]
                yield LigneMotif(qui, "ensemble", libelle, t.refus, t.base, pourcent(t.part))
        yield LigneMotif(qui, "ensemble", "ensemble", croise.total, croise.base, pourcent(croise.taux.part))


COLONNES_MOTIFS: Sequence[Colonne] = (
    Colonne("Qui refuse", lambda li: li.qui, largeur=22),
    Colonne("Motif", lambda li: li.motif, largeur=44),
    Colonne("Classe", lambda li: li.classe, largeur=24),
    Colonne("Refus", lambda li: li.nombre, Format.ENTIER),
    Colonne("Sur", lambda li: li.base, Format.ENTIER),
    Colonne("Taux", lambda li: li.taux),
    Colonne("Secret statistique", lambda li: MASQUE if li.nombre is None else ""),
)


class LigneBlocage(NamedTuple):
    lieu: str
    typologie: str
    taux: Taux


def lignes_des_blocages(lue: AnalyseRefus) -> Iterable[LigneBlocage]:
    for b in lue.blocages:
        typologie = lue.typologies.get(b.typologie, b.typologie) if b.typologie else "toutes"
        yield LigneBlocage(lue.lieux.get(b.lieu, b.lieu), typologie, b.taux)


COLONNES_BLOCAGES: Sequence[Colonne] = (
    Colonne("Lieu", lambda li: li.lieu, largeur=30),
    Colonne("Typologie", lambda li: li.typologie),
    Colonne("Attributions refusées", lambda li: li.taux.refus, Format.ENTIER),
    Colonne("Attributions prononcées", lambda li: li.taux.base, Format.ENTIER),
    Colonne("Taux", lambda li: pourcent(li.taux.part)),
)


class LigneMoment(NamedTuple):
    annee: int
    periode: str
    qui: str
    taux: Taux


def lignes_des_moments(lue: AnalyseRefus) -> Iterable[LigneMoment]:
    for moment in lue.moments:
        periode = f"trimestre {moment.trimestre}" if moment.trimestre else "ensemble"
        for porteur, taux in moment.taux.items():
            yield LigneMoment(moment.annee, periode, LIBELLES_PORTEUR[porteur], taux)


COLONNES_MOMENTS: Sequence[Colonne] = (
    Colonne("Année", lambda li: li.annee, Format.ENTIER),
    Colonne("Période", lambda li: li.periode),
    Colonne("Qui refuse", lambda li: li.qui, largeur=22),
    Colonne("Refus", lambda li: li.taux.refus, Format.ENTIER),
    Colonne("Sur", lambda li: li.taux.base, Format.ENTIER),
    Colonne("Taux", lambda li: pourcent(li.taux.part)),
    Colonne("Secret statistique", lambda li: MASQUE if li.taux.refus is None else ""),
)
