"""What the attributions to recover are worth: the year before and after, through the very rules of the flux."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from flux.models import EcartRapprochement, LigneRapprochement, Nature, Rapprochement
from flux.regles.annee import calculer_definitif
from flux.regles.partage import PartageImpossible
from flux.regles.realise import LotImpute, Quart, Realise, dans_le_vivier
from flux.services.cadres import reservataire_de
from flux.services.echeances import echeance_du_bilan
from flux.services.entrees import lire_entrees
from reservation.acteur import Acteur
from reservation.models import Organisation
from reservation.perimetre import agir
from reservation.regles.actes import FaitGenerateur

# A gap that somebody closed without a correction recovers nothing.
CLOS = (EcartRapprochement.Etat.EXPLIQUE, EcartRapprochement.Etat.SANS_SUITE)


@dataclass(frozen=True, slots=True)
class EffetReservataire:
    """One réservataire: attributions to recover (those whose correction moves one of its figures), its figures before
    and after. Quarters None where there is no test."""

    code: str
    nom: str
    recuperables: int
    avant: Realise
    apres: Realise
    quart_avant: Quart | None
    quart_apres: Quart | None


@dataclass(frozen=True, slots=True)
class Effet:
    """`echeance`: last day on which a correction is in the bilan. `sans_compte`: to recover, for nobody known yet."""

    annee: int
    echeance: date
    lignes: tuple[EffetReservataire, ...]
    sans_compte: int

    @property
    def recuperables(self) -> int:
        return sum(ligne.recuperables for ligne in self.lignes)

    @property
    def jours(self) -> int:
        """Days left, the last one included; negative once it is too late."""
        return (self.echeance - timezone.localdate()).days


def lignes_recuperables(rapprochement: Rapprochement):
    """Lines whose correction here changes what counts, and that nobody has closed."""
    ouverts = EcartRapprochement.objects.filter(
        ligne=OuterRef("pk"), recuperable=True, disparu_le=None
    ).exclude(etat__in=CLOS)
    return (
        LigneRapprochement.objects.filter(Exists(ouverts), rapprochement=rapprochement, presente=True)
        .exclude(apres={})
        .order_by("pk")
    )


def effet_lisible(acteur: Acteur, rapprochement: Rapprochement) -> Effet | None:
    """`mesurer_effet` as `acteur` may read it: a réservataire, its own line alone."""
    effet = mesurer_effet(rapprochement)
    if effet is None or not acteur.est_reservataire:
        return effet
    organisation = Organisation.objects.get(pk=acteur.organisation_id)
    code = reservataire_de(organisation.type, organisation.code).code
    return replace(effet, lignes=tuple(x for x in effet.lignes if x.code == code), sans_compte=0)


@agir(Acteur.du_systeme("effet d’un rapprochement"))
def mesurer_effet(rapprochement: Rapprochement) -> Effet | None:
    """Before and after the corrections; None across two years, or where the year cannot be computed.

    The right of the person is checked before: half of the lines would be a wrong total.
    """
    annee = rapprochement.annee
    if annee is None:
        return None
    paire = (rapprochement.bailleur_id, rapprochement.departement_id)
    entrees = lire_entrees([paire], annee, [Nature.DEFINITIF], timezone.localdate())[paire]
    changements: list[LotImpute] = []
    recuperables: Counter[str] = Counter()
    fait_generateur = entrees.cadre.regime.fait_generateur
    for effet in lignes_recuperables(rapprochement).values_list("apres", flat=True):
        apres = _lot(effet["apres"], annee, 1)
        avant = _lot(effet["avant"], annee, -1) if effet["avant"] else None
        if avant is None or _ce_qui_compte(avant, fait_generateur) != _ce_qui_compte(apres, fait_generateur):
            recuperables[apres.reservataire] += 1
        changements += [apres] if avant is None else [avant, apres]
    imputes = entrees.lots_imputes()
    fixes = {
        "actes": entrees.actes_du_definitif(),
        "assiette": entrees.assiette,
        "liberations": entrees.lots_liberations(),
        "echecs": entrees.lots_echecs(),
        "reports": entrees.reports,
    }
    try:
        observe = calculer_definitif(annee, imputes=imputes, **fixes)
        corrige = calculer_definitif(annee, imputes=[*imputes, *changements], **fixes)
    except PartageImpossible:
        return None
    quarts_avant = {quart.reservataire.code: quart for quart in observe.quarts}
    quarts_apres = {quart.reservataire.code: quart for quart in corrige.quarts}
    noms = {v.reservataire.code: v.nom for v in entrees.cadre.versions} | {
        "ETAT": "État",
        "ALS": "Action Logement Services",
        "BAILLEUR": "Bailleur (non réservé)",
    }
    apres_par_code = {realise.reservataire.code: realise for realise in corrige.realise}
    lignes = tuple(
        EffetReservataire(
            realise.reservataire.code,
            noms.get(realise.reservataire.code, realise.reservataire.titre),
            recuperables[realise.reservataire.code],
            realise,
            apres_par_code[realise.reservataire.code],
            quarts_avant.get(realise.reservataire.code),
            quarts_apres.get(realise.reservataire.code),
        )
        for realise in observe.realise
    )
    connus = {ligne.code for ligne in lignes}
    return Effet(
        annee,
        echeance_du_bilan(rapprochement.departement_id, annee),
        lignes,
        sum(nombre for code, nombre in recuperables.items() if code not in connus),
    )


def _ce_qui_compte(lot: LotImpute, fait_generateur: FaitGenerateur) -> tuple:
    """All that the realised and the tests read of an imputation."""
    return lot.titre, lot.motif, lot.caleol, dans_le_vivier(lot, fait_generateur)


def _lot(imputation: Mapping[str, Any], annee: int, nombre: int) -> LotImpute:
    def de_l_annee(texte: str | None) -> bool:
        return bool(texte) and date.fromisoformat(texte).year == annee

    return LotImpute(
        imputation["code"],
        imputation["titre"],
        imputation["motif"],
        de_l_annee(imputation["caleol"]),
        de_l_annee(imputation["bail"]),
        imputation["qpv"],
        nombre,
    )
