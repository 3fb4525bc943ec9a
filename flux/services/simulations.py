"""Simulations: who may make one, what it starts from, what it found, whom it is shared with, and what each may read of it.

The computation is `services.rejeu`, which writes nothing. Here are the only writers of the three tables of simulations, and
the one function that opens a result to a reader (`lire`): it lets through what the table of chapter 2 gives to that reader.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from flux.models import Nature as NatureCalcul
from flux.models import PartageSimulation, Simulation, VersionSimulation
from flux.regles.annee import ResultatAnnuel
from flux.regles.partage import noter_net_sous_plancher, partager_par_commune
from flux.regles.simulation import (
    Changements,
    Cote,
    LigneComparee,
    comparer,
    dire_gain,
    dire_objectif,
    echelle_simulee,
    resumer,
)
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Commune, Convention, Organisation, Presence, VersionConvention
from reservation.perimetre import agir
from reservation.regles.actes import (
    ALS,
    ETAT,
    Acte,
    Reservataire,
    acte_en_vigueur,
    regime_de_l_annee,
)
from reservation.regles.statut import LIBELLES_DRAPEAU
from reservation.regles.typographie import INSECABLE, enumerer, taux_fr, typographier
from reservation.services.assistances import exiger_hors_assistance

from .cadres import Cadre, Paire, charger_cadres, reservataire_de
from .designations import prevenir
from .entrees import VERSION_DES_REGLES, acte_en_json, empreinte
from .rejeu import REJEU, AnneeRejouee, annees_a_rejouer, rejouer

ECHELLES = {"DEPARTEMENT": "le département", "COMMUNE": "chaque commune"}


# --- Who may, and on what -----------------------------------------------------------------------------------


def peut_simuler(acteur: Acteur) -> bool:
    """The two that negotiate: the bailleur on its own flux, the DDETS on those of its département."""
    return (acteur.est_bailleur or acteur.est_ddets) and acteur.peut_gerer


def presences_simulables(acteur: Acteur):
    """Pairs that `acteur` may replay: those whose whole flux it reads and whose acts it negotiates."""
    presences = Presence.objects.select_related("bailleur", "departement")
    if not peut_simuler(acteur):
        return presences.none()
    if acteur.est_bailleur:
        return presences.filter(bailleur=acteur.organisation_id)
    return presences.filter(departement__in=acteur.departements)


@dataclass(frozen=True, slots=True)
class Titulaire:
    """A holder of rights that the simulation may change. `acte`: its act in force, or its last one; None without any."""

    reservataire: Reservataire
    organisation: int | None
    nom: str
    communes: frozenset[str] | None
    acte: Acte | None

    @property
    def code(self) -> str:
        return self.reservataire.code


@dataclass(frozen=True, slots=True)
class Depart:
    """What an atelier starts from: the pair, the years, the holders and the acts in force to compare with."""

    presence: Presence
    annees: tuple[int, ...]
    titulaires: tuple[Titulaire, ...]
    regissant: Acte | None
    echelle: str

    @property
    def paire(self) -> Paire:
        return self.presence.bailleur_id, self.presence.departement_id

    @property
    def pour_les_regles(self) -> dict[str, tuple[Reservataire, frozenset[str] | None]]:
        return {t.code: (t.reservataire, t.communes) for t in self.titulaires}


@REJEU()
def preparer(presence: Presence, supplementaires: Iterable[int] = ()) -> Depart:
    """The years to replay, and every holder of rights: those of the acts of these years, of today's, and
    `supplementaires` (organisations that an act in preparation would give rights to)."""
    aujourd_hui = timezone.localdate()
    paire = (presence.bailleur_id, presence.departement_id)
    annees = annees_a_rejouer(paire, aujourd_hui)
    cadres = {annee: charger_cadres([paire], annee)[paire] for annee in [*annees, aujourd_hui.year]}
    actuel = cadres[aujourd_hui.year]
    titulaires = _titulaires(presence, list(cadres.values()), list(supplementaires), aujourd_hui)
    etat = next(t for t in titulaires if t.reservataire == ETAT)
    derniere = actuel.version_regissante or (cadres[annees[-1]].version_regissante if annees else None)
    return Depart(
        presence, tuple(annees), titulaires, etat.acte, derniere.echelle if derniere else "DEPARTEMENT"
    )


def _titulaires(
    presence: Presence, cadres: Sequence[Cadre], supplementaires: Sequence[int], jour: date
) -> tuple[Titulaire, ...]:
    debut = date(cadres[0].annee, 1, 1)
    noms = {
        version.reservataire: (version.organisation_id, version.nom)
        for cadre in cadres
        for version in cadre.versions
        if version.fin >= debut
    }
    derniers = {acte.reservataire: acte for cadre in cadres for acte in cadre.actes}
    autres = Organisation.objects.filter(pk__in=supplementaires).prefetch_related("communes")
    territoires: dict[Reservataire, frozenset[str] | None] = {}
    for organisation in autres:
        qui = reservataire_de(organisation.type, organisation.code)
        if qui not in noms:
            noms[qui] = (organisation.pk, organisation.nom)
            territoires[qui] = frozenset(c.pk for c in organisation.communes.all()) or None
    for qui in (ETAT, ALS):
        noms.setdefault(qui, (None, qui.titre))
    actuels = {qui: acte_en_vigueur(cadres[-1].actes, qui, jour) for qui in noms}
    return tuple(
        Titulaire(
            qui,
            organisation,
            "État" if qui == ETAT else nom,
            acte.communes if (acte := actuels[qui] or derniers.get(qui)) else territoires.get(qui),
            acte,
        )
        for qui, (organisation, nom) in sorted(noms.items(), key=lambda n: n[0].rang)
    )


# --- Changes, kept and read again ---------------------------------------------------------------------------


def changements_en_json(changements: Changements) -> dict[str, Any]:
    """What is stored: exact fractions as text, only what changes."""
    c = changements
    forme = {
        "taux": {code: str(taux) for code, taux in sorted(c.taux.items())},
        "echec_consomme": dict(sorted(c.echec_consomme.items())),
        "locales": None if c.locales is None else sorted(c.locales),
        **{
            nom: None if getattr(c, nom) is None else str(getattr(c, nom))
            for nom in ("taux_agents", "derogation", "retrocession", "plancher_hors_qpv")
        },
        **{
            nom: getattr(c, nom)
            for nom in (
                "pli",
                "residences_services",
                "vente_demolition",
                "premieres_mises_en_location",
                "echelle",
            )
        },
    }
    return {nom: valeur for nom, valeur in forme.items() if valeur not in (None, {})}


def changements_de_json(forme: Mapping[str, Any]) -> Changements:
    """The inverse of `changements_en_json`."""
    lus = dict(forme)
    for nom in ("taux_agents", "derogation", "retrocession", "plancher_hors_qpv"):
        if nom in lus:
            lus[nom] = Fraction(lus[nom])
    if "locales" in lus:
        lus["locales"] = frozenset(lus["locales"])
    lus["taux"] = {code: Fraction(taux) for code, taux in lus.get("taux", {}).items()}
    return Changements(**lus)


def changements_de_version(version: VersionConvention, depart: Depart) -> Changements:
    """What a version of an act (an avenant in preparation, a draft) changes to the acts in force."""
    qui = reservataire_de(version.reservataire.type, version.reservataire.code)
    titulaire = next((t for t in depart.titulaires if t.reservataire == qui), None)
    acte = titulaire.acte if titulaire else None
    taux = Fraction(version.taux)
    commun: dict[str, Any] = {
        "taux": {} if acte and acte.taux == taux else {qui.code: taux},
        "echec_consomme": {}
        if acte and acte.echec_consomme == version.echec_consomme
        else {qui.code: version.echec_consomme},
    }
    if qui != ETAT:
        return Changements(**commun)
    regime = regime_de_l_annee([acte], acte.debut.year) if acte else None
    retrocession = Fraction(version.retrocession_taux or 0)
    voulus = {
        "taux_agents": (Fraction(version.taux_agents), acte and acte.taux_agents),
        "retrocession": (
            retrocession,
            acte and (acte.retrocession.taux if acte.retrocession else Fraction(0)),
        ),
        "plancher_hors_qpv": (
            Fraction(version.plancher_hors_qpv or 0),
            regime and (regime.plancher_hors_qpv or Fraction(0)),
        ),
        "pli": (version.exclut_pli, regime and regime.exclusions.pli),
        "residences_services": (
            version.exclut_residences_services,
            regime and regime.exclusions.residences_services,
        ),
        "vente_demolition": (
            version.exclut_vente_demolition,
            regime and regime.exclusions.vente_demolition,
        ),
        "locales": (frozenset(version.exclusions_locales), regime and regime.exclusions.locales),
        "premieres_mises_en_location": (
            version.premieres_mises_en_location,
            regime and regime.premieres_mises_en_location,
        ),
        "echelle": (version.echelle, depart.echelle),
    }
    return Changements(
        **commun, **{nom: voulu for nom, (voulu, present) in voulus.items() if voulu != present}
    )


# --- In words: what is changed ------------------------------------------------------------------------------

REGIME = "REGIME"  # what the act of the État fixes for everybody, and not one réservataire's rate


def _points(valeur: Fraction | None) -> str:
    return f"{taux_fr(valeur)}{INSECABLE}{'points' if valeur >= 2 else 'point'}" if valeur else "aucun"


def _oui(valeur: bool) -> str:
    return "oui" if valeur else "non"


def _locales(codes: Iterable[str]) -> str:
    return enumerer(LIBELLES_DRAPEAU[c] for c in LIBELLES_DRAPEAU if c in codes) or "aucune"


def decrire_changements(
    changements: Changements, depart: Depart, annees: Sequence[AnneeRejouee]
) -> list[dict[str, str]]:
    """[{code, libelle, avant, apres}]: `avant` as the acts of the replayed years have it, year by year if it varies."""
    noms = {t.code: t.nom for t in depart.titulaires}
    c = changements

    def de_l_acte(code: str, lire_: Callable[[Acte], str]) -> Callable[[AnneeRejouee], str]:
        def valeur(annee: AnneeRejouee) -> str:
            siens = [a for a in annee.entrees.cadre.actes if a.reservataire.code == code]
            return lire_(siens[-1]) if siens else "aucun acte"

        return valeur

    lignes: list[tuple[str, str, Callable[[AnneeRejouee], str], str]] = []
    for code, taux in c.taux.items():
        lignes.append(
            (code, f"Taux, {noms[code]}", de_l_acte(code, lambda a: _points(a.taux)), _points(taux))
        )
    if c.taux_agents is not None:
        lignes.append(
            (
                "ETAT",
                "Dont agents de l’État, au plus",
                de_l_acte("ETAT", lambda a: _points(a.taux_agents)),
                _points(c.taux_agents),
            )
        )
    if c.derogation is not None:
        lignes.append(
            (
                "ETAT",
                "Dérogation, toute l’année",
                de_l_acte("ETAT", lambda a: _points(a.derogations[-1].taux) if a.derogations else "aucune"),
                _points(c.derogation) if c.derogation else "aucune",
            )
        )
    if c.retrocession is not None:
        lignes.append(
            (
                "ALS",
                "Rétrocession PNRU, de l’État à Action Logement",
                de_l_acte("ETAT", lambda a: _points(a.retrocession.taux) if a.retrocession else "aucune"),
                _points(c.retrocession) if c.retrocession else "aucune",
            )
        )
    for code, consomme in c.echec_consomme.items():
        lignes.append(
            (
                code,
                f"Une désignation échouée consomme le droit, {noms[code]}",
                de_l_acte(code, lambda a: _oui(a.echec_consomme)),
                _oui(consomme),
            )
        )
    if c.plancher_hors_qpv is not None:
        lignes.append(
            (
                "ETAT",
                "Plancher de l’État hors QPV",
                lambda annee: _points(annee.avant.regime.plancher_hors_qpv),
                _points(c.plancher_hors_qpv),
            )
        )
    for nom, libelle in (
        ("pli", "Assiette : logements financés en PLI exclus"),
        ("residences_services", "Assiette : résidences-services exclues"),
        ("vente_demolition", "Assiette : plan de vente et démolitions exclus"),
    ):
        if getattr(c, nom) is not None:
            lignes.append(
                (
                    REGIME,
                    libelle,
                    lambda annee, nom=nom: _oui(getattr(annee.avant.regime.exclusions, nom)),
                    _oui(getattr(c, nom)),
                )
            )
    if c.locales is not None:
        lignes.append(
            (
                REGIME,
                "Assiette : exclusions locales",
                lambda annee: _locales(annee.avant.regime.exclusions.locales),
                _locales(c.locales),
            )
        )
    if c.premieres_mises_en_location is not None:
        lignes.append(
            (
                REGIME,
                "Premières mises en location dans le flux",
                lambda annee: _oui(annee.avant.regime.premieres_mises_en_location),
                _oui(c.premieres_mises_en_location),
            )
        )
    if c.echelle is not None:
        lignes.append(
            (
                "ETAT",
                "Échelle de la part de l’État",
                lambda annee: ECHELLES[_echelle(annee)],
                ECHELLES[c.echelle],
            )
        )
    return [
        {
            "code": code,
            "libelle": typographier(libelle),
            "avant": _selon_l_annee([(a.annee, lire_(a)) for a in annees]),
            "apres": apres,
        }
        for code, libelle, lire_, apres in lignes
    ]


def _selon_l_annee(valeurs: Sequence[tuple[int, str]]) -> str:
    distinctes = {valeur for _, valeur in valeurs}
    if len(distinctes) <= 1:
        return next(iter(distinctes), "")
    return " ; ".join(f"{valeur} en {annee}" for annee, valeur in valeurs)


def _echelle(annee: AnneeRejouee) -> str:
    version = annee.entrees.cadre.version_regissante
    return echelle_simulee(version.echelle if version else None, Changements())


# --- The result ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Calcul:
    """What was found, ready to be kept: `entrees` and `resultat` are what the version stores."""

    annees: tuple[int, ...]
    changements: dict[str, Any]
    entrees: dict[str, Any]
    resultat: dict[str, Any]
    empreinte: str


@REJEU()
def calculer_simulation(depart: Depart, changements: Changements) -> Calcul:
    """Replay the years of `depart`. Raises `SimulationImpossible`; writes nothing."""
    rejouees = rejouer(depart.paire, depart.annees, changements, depart.pour_les_regles, timezone.localdate())
    forme = changements_en_json(changements)
    forme["titulaires"] = [t.organisation for t in depart.titulaires if t.organisation]
    entrees = {
        "regles": VERSION_DES_REGLES,
        "annees": {
            str(a.annee): a.entrees.en_json(NatureCalcul.DEFINITIF, None)
            | {"actes_simules": [acte_en_json(acte) for acte in a.simulees.cadre.actes]}
            for a in rejouees
        },
    }
    resultat = {
        "changements": decrire_changements(changements, depart, rejouees),
        "annees": [_annee_en_json(a, depart, changements) for a in rejouees],
    }
    return Calcul(
        depart.annees,
        forme,
        entrees,
        resultat,
        empreinte({"changements": forme, "entrees": entrees}),
    )


def _annee_en_json(rejouee: AnneeRejouee, depart: Depart, changements: Changements) -> dict[str, Any]:
    lignes = comparer(rejouee.avant, rejouee.apres)
    organisations = rejouee.entrees.cadre.organisations | {
        t.code: t.organisation for t in depart.titulaires if t.organisation
    }
    noms = {t.code: t.nom for t in depart.titulaires}
    echelles = (_echelle(rejouee), echelle_simulee(_echelle(rejouee), changements))
    calcul = rejouee.calcul
    return {
        "annee": rejouee.annee,
        "en_cours": rejouee.annee >= timezone.localdate().year,
        "calcul": calcul and {"version": calcul.version, "le": calcul.calcule_le.isoformat()},
        "a_jour": rejouee.a_jour,
        "millesime": rejouee.entrees.millesime,
        "liberations": sum(lot.nombre for lot in rejouee.entrees.liberations),
        "imputations": sum(lot.nombre for lot in rejouee.entrees.imputations),
        "avant": _cote_du_flux(rejouee.avant, echelles[0]),
        "apres": _cote_du_flux(rejouee.apres, echelles[1]),
        "lignes": [_ligne_en_json(ligne, organisations, noms) for ligne in lignes],
        "communes": _communes(rejouee) if "COMMUNE" in echelles else [],
        "notes": list(noter_net_sous_plancher(rejouee.apres.actes, rejouee.annee)),
    }


def _cote_du_flux(resultat: ResultatAnnuel, echelle: str) -> dict[str, Any]:
    flux, hors = resultat.flux, resultat.hors_qpv
    return {
        "soumis": resultat.assiette.soumis,
        "liberations": flux.liberations,
        "soustractions": flux.liberations - flux.flux,
        "premieres_hors_flux": flux.premieres_hors_flux,
        "flux": flux.flux,
        "agents_max": resultat.partage.agents_max,
        "hors_qpv": {"flux": hors.flux, "etat": hors.etat, "objectif": hors.objectif},
        "echelle": echelle,
    }


def _ligne_en_json(
    ligne: LigneComparee, organisations: Mapping[str, int], noms: Mapping[str, str]
) -> dict[str, Any]:
    code = ligne.reservataire.code
    return {
        "code": code,
        "organisation": organisations.get(code),
        "nom": noms.get(code, ligne.reservataire.titre),
        "avant": _cote_en_json(ligne.avant),
        "apres": _cote_en_json(ligne.apres),
    }


def _cote_en_json(cote: Cote) -> dict[str, Any]:
    return {
        "taux": None if cote.taux is None else str(cote.taux),
        "exacte": str(cote.exacte),
        "points": str(cote.points),
        "objectif": cote.objectif,
        "requis": cote.requis,
        "realise": cote.realise,
        "atteint": cote.atteint,
    }


def _cote_de_json(forme: Mapping[str, Any]) -> Cote:
    return Cote(
        taux=None if forme["taux"] is None else Fraction(forme["taux"]),
        exacte=Fraction(forme["exacte"]),
        points=Fraction(forme["points"]),
        objectif=forme["objectif"],
        requis=forme["requis"],
        realise=forme["realise"],
        atteint=forme["atteint"],
    )


def _communes(rejouee: AnneeRejouee) -> list[dict[str, Any]]:
    """The État in each commune, whole dwellings rounded down there (R. 441-5-2)."""
    cotes = [
        partager_par_commune(r.flux, r.assiette, r.actes, r.annee) for r in (rejouee.avant, rejouee.apres)
    ]
    codes = sorted(cotes[0].keys() | cotes[1].keys())
    noms = dict(Commune.objects.filter(pk__in=codes).values_list("pk", "nom"))
    return [
        {
            "commune": noms.get(code, code),
            **{
                f"{valeur}_{cote}": (
                    partages[code].flux if valeur == "flux" else partages[code].part(ETAT).objectif
                )
                if code in partages
                else 0
                for cote, partages in zip(("avant", "apres"), cotes, strict=True)
                for valeur in ("flux", "etat")
            },
        }
        for code in codes
    ]


# --- What a reader may see of it ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LigneLue:
    """One réservataire in one year. `points` None where the reader does not know of the whole flux."""

    code: str
    nom: str
    avant: Cote
    apres: Cote
    gain: int
    gain_points: Fraction | None
    phrase: str
    objectif: str


@dataclass(frozen=True, slots=True)
class AnneeLue:
    """One year as its reader may know it: `avant`, `apres` (the flux) are None for who reads its own share only."""

    annee: int
    en_cours: bool
    resume: str
    lignes: tuple[LigneLue, ...]
    total: tuple[int, int] | None
    avant: Mapping[str, Any] | None
    apres: Mapping[str, Any] | None
    communes: tuple[Mapping[str, Any], ...]
    communes_total: tuple[int, int]
    notes: tuple[str, ...]
    sources: Mapping[str, Any]

    @property
    def ecart_total(self) -> int | None:
        """What the flux gains, for who reads all of its lines."""
        return None if self.total is None else self.total[1] - self.total[0]


@dataclass(frozen=True, slots=True)
class Lecture:
    """A result as `acteur` may read it (table of chapter 2). `partielle`: there are other lines than its own."""

    complete: bool
    flux_entier: bool
    changements: tuple[Mapping[str, str], ...]
    autres_changements: bool
    annees: tuple[AnneeLue, ...]
    bilan: tuple[tuple[str, str], ...] = field(default=())


def lire(acteur: Acteur, resultat: Mapping[str, Any]) -> Lecture:
    """Open a result to its reader: the bailleur and the State read all of it; Action Logement its own share and the
    flux; a collectivité or an other réservataire its own share, in points of its own base."""
    complete = acteur.systeme or acteur.est_bailleur or acteur.est_service_etat
    flux_entier = complete or acteur.lit_les_flux_entiers
    siens = {
        ligne["code"]
        for annee in resultat["annees"]
        for ligne in annee["lignes"]
        if complete or (ligne["organisation"] is not None and ligne["organisation"] == acteur.organisation_id)
    }
    lus = siens | ({REGIME} if flux_entier else set())
    changements = tuple(c for c in resultat["changements"] if complete or c["code"] in lus)
    annees = tuple(_lire_annee(a, siens, complete, flux_entier) for a in resultat["annees"])
    return Lecture(
        complete=complete,
        flux_entier=flux_entier,
        changements=changements,
        autres_changements=len(changements) < len(resultat["changements"]),
        annees=annees,
        bilan=_bilan(annees),
    )


def _lire_annee(forme: Mapping[str, Any], codes: set[str], complete: bool, flux_entier: bool) -> AnneeLue:
    lignes = tuple(_lire_ligne(ligne, flux_entier) for ligne in forme["lignes"] if ligne["code"] in codes)
    avant, apres = (forme["avant"], forme["apres"]) if flux_entier else (None, None)
    if complete:
        resume = resumer(
            [(DANS_LA_PHRASE.get(ligne.code, ligne.nom), ligne.gain) for ligne in lignes],
            forme["annee"],
            avant["flux"],
            apres["flux"],
        )
    else:
        resume = " ".join(f"En {forme['annee']}, {ligne.nom} {ligne.phrase}." for ligne in lignes)
    if complete:
        total = tuple(sum(getattr(ligne, cote).objectif for ligne in lignes) for cote in ("avant", "apres"))
    else:
        total = None
    communes = tuple(forme["communes"]) if complete else ()
    return AnneeLue(
        annee=forme["annee"],
        en_cours=forme["en_cours"],
        resume=resume,
        lignes=lignes,
        total=total,
        avant=avant if complete or not avant else {cle: avant[cle] for cle in DU_FLUX},
        apres=apres if complete or not apres else {cle: apres[cle] for cle in DU_FLUX},
        communes=communes,
        communes_total=(sum(c["etat_avant"] for c in communes), sum(c["etat_apres"] for c in communes)),
        notes=tuple(forme["notes"]) if complete else (),
        sources={
            "millesime": forme["millesime"],
            "liberations": forme["liberations"] if flux_entier else None,
            "imputations": forme["imputations"] if complete else None,
            "version": forme["calcul"] and forme["calcul"]["version"],
            "le": forme["calcul"] and datetime.fromisoformat(forme["calcul"]["le"]),
            "a_jour": forme["a_jour"],
        },
    )


DANS_LA_PHRASE = {"ETAT": "l’État", "BAILLEUR": "le bailleur"}
# Of the flux of a bailleur, what Action Logement reads beside its own share.
DU_FLUX = ("soumis", "liberations", "soustractions", "premieres_hors_flux", "flux")


def _lire_ligne(forme: Mapping[str, Any], flux_entier: bool) -> LigneLue:
    avant, apres = _cote_de_json(forme["avant"]), _cote_de_json(forme["apres"])
    points = apres.points - avant.points if flux_entier else None
    gain = apres.objectif - avant.objectif
    return LigneLue(
        code=forme["code"],
        nom=forme["nom"],
        avant=avant,
        apres=apres,
        gain=gain,
        gain_points=points,
        phrase=dire_gain(gain, apres.exacte - avant.exacte, points),
        objectif=dire_objectif(avant, apres),
    )


def _bilan(annees: Sequence[AnneeLue]) -> tuple[tuple[str, str], ...]:
    """(réservataire, one sentence over all the years)."""
    gains: dict[str, int] = {}
    exacts: dict[str, Fraction] = {}
    for annee in annees:
        for ligne in annee.lignes:
            gains[ligne.nom] = gains.get(ligne.nom, 0) + ligne.gain
            exacts[ligne.nom] = exacts.get(ligne.nom, Fraction(0)) + ligne.apres.exacte - ligne.avant.exacte
    return tuple((nom, dire_gain(gain, exacts[nom], None)) for nom, gain in gains.items())


# --- Writing ------------------------------------------------------------------------------------------------


def enregistrer(
    acteur: Acteur,
    depart: Depart,
    changements: Changements,
    *,
    titre: str,
    note: str = "",
    acte: str = "",
    simulation: Simulation | None = None,
) -> VersionSimulation:
    """Keep a simulation with its result: a new one, or a new version of `simulation` where something moved.

    Raises `SimulationImpossible`, `PermissionDenied`, `ValidationError`.
    """
    _exiger_le_droit(acteur, depart, simulation)
    calcul = calculer_simulation(depart, changements)
    if not calcul.annees:
        raise ValidationError("Aucune année n’a encore été calculée pour ce bailleur : rien à rejouer.")
    maintenant = timezone.now()
    with transaction.atomic():
        if simulation is None:
            simulation = Simulation(
                bailleur_id=depart.presence.bailleur_id,
                departement_id=depart.presence.departement_id,
                proprietaire_id=acteur.organisation_id,
                acte=acte[:200],
                creee_par_id=acteur.utilisateur_id,
                creee_le=maintenant,
            )
        else:
            simulation = Simulation.objects.select_for_update().get(pk=simulation.pk)
        simulation.titre, simulation.note = titre, note
        derniere = simulation.versions.order_by("-rang").first() if simulation.pk else None
        nouvelle = derniere is None or derniere.empreinte != calcul.empreinte
        if nouvelle:
            simulation.calculee_le = maintenant
        simulation.full_clean()
        simulation.save()
        if not nouvelle:
            return derniere
        return VersionSimulation.objects.create(
            simulation=simulation,
            proprietaire_id=simulation.proprietaire_id,
            rang=derniere.rang + 1 if derniere else 1,
            annees=list(calcul.annees),
            changements=calcul.changements,
            entrees=calcul.entrees,
            resultat=calcul.resultat,
            empreinte=calcul.empreinte,
            calculee_par_id=acteur.utilisateur_id,
            calculee_le=maintenant,
        )


def _exiger_le_droit(acteur: Acteur, depart: Depart, simulation: Simulation | None) -> None:
    if not presences_simulables(acteur).filter(pk=depart.presence.pk).exists():
        raise PermissionDenied("Le bailleur et la DDETS du département simulent, avec le rôle de gestion.")
    if simulation is not None:
        exiger_modifiable(acteur, simulation)


def exiger_modifiable(acteur: Acteur, simulation: Simulation) -> None:
    """Raises `PermissionDenied` unless `acteur` may change it."""
    if not Simulation.objects.modifiables_par(acteur).filter(pk=simulation.pk).exists():
        raise PermissionDenied("Cette simulation est à l’organisation qui l’a faite : elle seule la modifie.")


def depart_de(simulation: Simulation, version: VersionSimulation) -> Depart:
    """What `simulation` starts from today, with the holders of its last version."""
    presence = Presence.objects.select_related("bailleur", "departement").get(
        bailleur=simulation.bailleur_id, departement=simulation.departement_id
    )
    return preparer(presence, version.changements.get("titulaires", ()))


def changements_de(version: VersionSimulation) -> Changements:
    """What a version changes, for the rules; the holders that are kept with it are left out."""
    return changements_de_json({cle: v for cle, v in version.changements.items() if cle != "titulaires"})


def recalculer(acteur: Acteur, simulation: Simulation) -> tuple[VersionSimulation, bool]:
    """The same question put to the figures of today: a new version, or the last one where nothing moved."""
    exiger_modifiable(acteur, simulation)
    derniere = simulation.versions.order_by("-rang").first()
    version = enregistrer(
        acteur,
        depart_de(simulation, derniere),
        changements_de(derniere),
        titre=simulation.titre,
        note=simulation.note,
        simulation=simulation,
    )
    return version, version.pk != derniere.pk


def organisations_parties(simulation: Simulation, version: VersionSimulation) -> list[Organisation]:
    """Whom it may be shared with: the bailleur, the State services of the département, and the holders of an act that it
    replays. Each of them reads its own share of this flux anyway."""
    titulaires = {
        ligne["organisation"]
        for annee in version.resultat["annees"]
        for ligne in annee["lignes"]
        if ligne["organisation"]
    }
    etat = Organisation.objects.filter(
        type__in=(TypeOrganisation.DDETS, TypeOrganisation.PREFECTURE), departement=simulation.departement_id
    ).values_list("pk", flat=True)
    # A holder whose act is only in preparation does not read this flux yet.
    signataires = (
        Convention.objects.filter(
            bailleur=simulation.bailleur_id,
            departement=simulation.departement_id,
            reservataire__in=titulaires,
        )
        .exclude(etat=Convention.Etat.BROUILLON)
        .values_list("reservataire_id", flat=True)
    )
    parties = {simulation.bailleur_id, *signataires, *etat} - {simulation.proprietaire_id}
    return list(Organisation.objects.filter(pk__in=parties).order_by("type", "nom_tri"))


def partager(acteur: Acteur, simulation: Simulation, organisation: int) -> PartageSimulation:
    """Let an organisation that is party to the acts read it, its own part of it, and tell it so."""
    exiger_hors_assistance(acteur)
    exiger_modifiable(acteur, simulation)
    derniere = simulation.versions.order_by("-rang").first()
    choisie = next((o for o in organisations_parties(simulation, derniere) if o.pk == organisation), None)
    if choisie is None:
        raise ValidationError(
            "Choisissez une organisation partie aux actes de ce bailleur dans le département."
        )
    partage = PartageSimulation(
        simulation=simulation,
        bailleur_id=simulation.bailleur_id,
        departement_id=simulation.departement_id,
        proprietaire_id=simulation.proprietaire_id,
        organisation=choisie,
        partagee_par_id=acteur.utilisateur_id,
        partagee_le=timezone.now(),
    )
    with transaction.atomic():
        partage.full_clean()
        partage.save()
        prevenir(
            choisie,
            "simulation_partagee",
            {
                "titre": simulation.titre,
                "proprietaire": simulation.proprietaire.nom,
                "bailleur": simulation.bailleur.nom,
                "departement": simulation.departement.nom,
                "organisation": choisie.nom,
                "page": reverse("flux:simulation", args=[simulation.pk]),
            },
        )
    return partage


def ne_plus_partager(acteur: Acteur, simulation: Simulation, organisation: int) -> None:
    """Close it to an organisation; nothing happens if it was not open to it."""
    exiger_modifiable(acteur, simulation)
    PartageSimulation.objects.filter(simulation=simulation, organisation=organisation).delete()


def supprimer(acteur: Acteur, simulation: Simulation) -> None:
    """Remove it with its versions and shares; its Historique stays."""
    exiger_modifiable(acteur, simulation)
    # Its versions are nobody's to remove one by one: the application removes them with it.
    with agir(Acteur.du_systeme("suppression d’une simulation")), transaction.atomic():
        simulation.delete()
