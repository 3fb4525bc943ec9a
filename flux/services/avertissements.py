"""What the page and the bilan must say besides the figures (domain, chapters 3, 5 and 13). Pure: no query here.

Each warning is `{"code", "titre", "texte", …}` with plain values; the codes are stable, pages hang links on them.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flux.regles.annee import ResultatAnnuel
from flux.regles.annuel import Nature, OrigineTaux
from flux.regles.partage import noter_net_sous_plancher, noter_petit_flux
from reservation.regles import articles
from reservation.regles.actes import BAILLEUR, ETAT, points
from reservation.regles.actes import Nature as NatureReservataire
from reservation.regles.periodes import annee_civile
from reservation.regles.typographie import accorder, date_fr, entier_fr, enumerer, taux_fr, typographier
from reservation.regles.validite import SEUIL_GARANTIES, avertir_garanties

from .cadres import Cadre, VersionSignee

UN_JOUR = timedelta(days=1)

CONVENTION_ABSENTE = "CONVENTION_ABSENTE"
SANS_PARC = "SANS_PARC"
PETIT_FLUX = "PETIT_FLUX"
COLLECTIVITES = "COLLECTIVITES_AU_DELA_DES_GARANTIES"
NET_SOUS_PLANCHER = "NET_SOUS_PLANCHER"
PREMIERES_HORS_FLUX = "PREMIERES_HORS_FLUX"
TAUX_ROTATION = "TAUX_ROTATION"


def avertir(
    cadre: Cadre, resultat: ResultatAnnuel, questions: dict[str, int], millesime: int | None
) -> list[dict[str, Any]]:
    """Everything to look at in a calculation, the gravest first."""
    return [
        *_sans_parc(cadre, millesime),
        *_conventions_absentes(cadre),
        *_questions(questions),
        *_collectivites(cadre),
        *_petit_flux(resultat),
        *_taux_rotation(resultat),
        *(
            _avertissement(NET_SOUS_PLANCHER, "Taux net de l’État sous le plancher hors QPV", note)
            for note in noter_net_sous_plancher(resultat.actes, resultat.annee)
        ),
        *_premieres(resultat),
    ]


def _avertissement(code: str, titre: str, texte: str, **donnees: Any) -> dict[str, Any]:
    return {"code": code, "titre": typographier(titre), "texte": typographier(texte), **donnees}


def _sans_parc(cadre: Cadre, millesime: int | None) -> list[dict[str, Any]]:
    if millesime is None:
        return [
            _avertissement(
                SANS_PARC,
                "Aucun parc importé",
                f"Aucun RPLS de {cadre.annee} ou d’une année antérieure n’est enregistré : l’assiette est vide.",
            )
        ]
    if millesime < cadre.annee:
        return [
            _avertissement(
                SANS_PARC,
                f"Parc au 1er janvier {millesime}",
                f"Le RPLS {cadre.annee} n’est pas encore enregistré : l’assiette est celle du dernier millésime connu.",
                millesime=millesime,
            )
        ]
    return []


def _conventions_absentes(cadre: Cadre) -> list[dict[str, Any]]:
    """A réservataire without a signed act: its share stays with the bailleur, until the préfet decides (ch. 13).

    Looked for: the État, ALS, and whoever had an act that ended in the year before or in the year.
    """
    periode = annee_civile(cadre.annee)
    avertissements = []
    for code, nom in _attendus(cadre):
        actes = [a for a in cadre.actes if a.reservataire.code == code]
        jours = sum(a.periode.commune_avec(periode).jours for a in actes)
        if jours == periode.jours:
            continue
        if not actes:
            quand = f"en {cadre.annee}"
        else:
            quand = "du " + " et du ".join(
                f"{date_fr(debut)} au {date_fr(fin)}" for debut, fin in _jours_sans_acte(cadre, code)
            )
        avertissements.append(
            _avertissement(
                CONVENTION_ABSENTE,
                f"{nom} : sans convention {quand}",
                "Sa part reste au bailleur, en attente de décision du préfet.",
                reservataire=code,
            )
        )
    return avertissements


def _attendus(cadre: Cadre) -> list[tuple[str, str]]:
    derniers: dict[str, VersionSignee] = {}
    for version in cadre.versions:
        connu = derniers.get(version.reservataire.code)
        if connu is None or version.fin > connu.fin:
            derniers[version.reservataire.code] = version
    attendus = [("ETAT", "État"), ("ALS", "Action Logement Services")]
    locaux = [
        v
        for v in derniers.values()
        if v.reservataire.nature in (NatureReservataire.COLLECTIVITE, NatureReservataire.AUTRE)
        and cadre.annee - 1 <= v.fin.year <= cadre.annee
        and v.fin < date(cadre.annee, 12, 31)
    ]
    return attendus + [
        (v.reservataire.code, v.nom) for v in sorted(locaux, key=lambda v: v.reservataire.rang)
    ]


def _jours_sans_acte(cadre: Cadre, code: str) -> list[tuple[date, date]]:
    """Periods of the year over which no act of this réservataire runs."""
    jour, fin = annee_civile(cadre.annee)
    vides = []
    for acte in sorted((a for a in cadre.actes if a.reservataire.code == code), key=lambda a: a.debut):
        if acte.debut > jour:
            vides.append((jour, acte.debut - UN_JOUR))
        if acte.fin >= fin:
            return vides
        jour = max(jour, acte.fin + UN_JOUR)
    return [*vides, (jour, fin)]


_TEXTES_QUESTIONS = {
    "RESIDENCE": (
        "peut-être hors assiette",
        "Le RPLS les dit étudiants (TYPECONST E) ; ils restent dans l’assiette tant que le bailleur n’a pas répondu.",
    ),
    "VENTE_DEMOLITION": (
        "peut-être à vendre ou à démolir",
        "Le RPLS les dit vides pour travaux, démolition ou vente (MODE 3) ; ils restent dans l’assiette sans "
        "indicateur du bailleur.",
    ),
    "PLAI_ADAPTE": (
        "en PLAI adapté",
        "Ils restent dans l’assiette et s’orientent vers le public auquel ils sont destinés.",
    ),
}


def _questions(questions: dict[str, int]) -> list[dict[str, Any]]:
    return [
        _avertissement(
            code, f"{accorder(questions[code], 'logement')} {titre}", texte, logements=questions[code]
        )
        for code, (titre, texte) in _TEXTES_QUESTIONS.items()
        if questions.get(code)
    ]


def _collectivites(cadre: Cadre) -> list[dict[str, Any]]:
    noms = {version.reservataire.code: version.nom for version in cadre.versions}
    avertissements = []
    for anomalie in avertir_garanties(cadre.actes, annee_civile(cadre.annee)):
        actes = [cadre.actes[rang] for rang in anomalie.rangs]
        communes = list(anomalie.donnees["communes"])
        commune = communes[0] if communes else None
        jour = anomalie.donnees["jour"]
        parts = enumerer(f"{noms[a.reservataire.code]} {taux_fr(a.taux)}" for a in actes)
        reste = points(cadre.actes, BAILLEUR, jour, commune)
        avertissements.append(
            _avertissement(
                anomalie.code,
                f"{taux_fr(anomalie.donnees['total'])} points de collectivités",
                f"{parts}, au-dessus de {taux_fr(SEUIL_GARANTIES)} : vérifiez qu’il existe une autre contrepartie que "
                f"des garanties d’emprunt ({articles.GARANTIE_EMPRUNTS}). Il reste {taux_fr(reste)} points au bailleur.",
                communes=communes,
            )
        )
    return avertissements


def _petit_flux(resultat: ResultatAnnuel) -> list[dict[str, Any]]:
    part = resultat.partage.part(ETAT)
    texte = noter_petit_flux([(resultat.annee, part.exacte)], part.objectif)
    return [_avertissement(PETIT_FLUX, "Un flux trop petit pour l’État", texte)] if texte else []


def avertir_petit_flux(parts: Sequence[tuple[int, Any]], objectif: int) -> str | None:
    """The same warning with the exact shares cumulated over the years of the convention, the year looked at last."""
    return noter_petit_flux(parts, objectif)


def _taux_rotation(resultat: ResultatAnnuel) -> list[dict[str, Any]]:
    if resultat.nature != Nature.PREVISIONNEL or resultat.origine_taux in (None, OrigineTaux.CONVENU):
        return []
    return [
        _avertissement(
            TAUX_ROTATION,
            "Taux de rotation non convenu",
            "La convention n’en fixe pas : le calcul prend le "
            + resultat.origine_taux.libelle
            + ". Convenez-en un pour que le prévisionnel ne change pas en cours d’année.",
        )
    ]


def _premieres(resultat: ResultatAnnuel) -> list[dict[str, Any]]:
    nombre = resultat.flux.premieres_hors_flux
    if not nombre:
        return []
    return [
        _avertissement(
            PREMIERES_HORS_FLUX,
            f"Premières mises en location : {entier_fr(nombre)}, hors flux",
            "Droits « pour un tour », concertation avec l’ensemble des réservataires.",
        )
    ]
