"""The whole demonstration, step by step; each step leaves what is already there alone, so that it may be resumed."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from django.db import connection, transaction
from django.utils import timezone

from bilans.services import donnees_ouvertes
from flux.services.file_de_calcul import marquer_a_calculer, sur_entrees_modifiees, traiter
from reservation import contexte
from reservation.acteur import Acteur
from reservation.demonstration import (
    BAILLEUR_PRINCIPAL,
    ORGANISATIONS,
    OrganisationFictive,
    creer_comptes,
    creer_organisations,
)
from reservation.models import Departement, EtatParc, ImportRpls, Organisation, Referentiel, Utilisateur
from reservation.regles.typographie import accorder, entier_fr
from reservation.services.acces import acteur_de
from reservation.services.parc import analyser, importer, recevoir_fichier
from reservation.services.references import DONNEES
from reservation.signaux import entrees_modifiees

from . import (
    campagnes,
    conventions,
    cycle,
    drapeaux,
    evenements,
    extraits,
    labels,
    procedures,
    rappels,
    reservataires,
    reunions,
    seances,
)
from .copie import cles_verifiees_a_la_fin
from .fichiers import ecrire, ecrire_depot, lignes_loi
from .lettres import notifier
from .occupation import liberations, occuper
from .parc import Part, lire_parc_reel, tirer_parc
from .scenario import (
    AUJOURDHUI,
    CORSE,
    ECHELLES,
    Echelle,
    bailleurs_supplementaires,
    parts_nommees,
)
from .territoires import Chiffres, chiffres_nationaux, lire_chiffres, lire_communes
from .tirage import GRAINE, Tirage

REFERENTIEL, COMPLETE = "DEMONSTRATION", "complet"
RECEPTEUR = "flux.file_de_calcul"  # as connected by the app
ACTEUR = Acteur.du_systeme("données de démonstration")
# Real open files (Licence Ouverte) and the départements whose dwellings they tell.
REELS = {"rpls2018_cannes.csv.gz": ("06",), "rpls2018_reg94_corse.csv.gz": CORSE}
CANNES = "06029"


class DejaPeuple(Exception):
    """The database holds something else than what is asked; the message is a French sentence."""


@dataclass
class Monde:
    """What all the steps share: the size, the draws, who is there, where."""

    echelle: Echelle
    tirage: Tirage
    communes: pl.DataFrame
    chiffres: Mapping[str, Chiffres]
    organisations: Mapping[str, Organisation]
    parts: Mapping[str, list[Part]]
    personne: Utilisateur
    evenements: list[pl.DataFrame] = field(default_factory=list)
    depot: list[pl.DataFrame] = field(default_factory=list)

    @property
    def departements(self) -> list[str]:
        return list(self.parts)


def peupler(
    echelle: str,
    graine: int = GRAINE,
    calculer: bool = False,
    dire: Callable[[str], None] = print,
    suites: bool = False,
) -> bool:
    """Load the demonstration of a size, unless it is there already (False). Raises `DejaPeuple`.

    `calculer`: compute the flux here; otherwise the calculations wait for the job. `suites`: live what follows them, once
    they are done: years that are submitted are closed, which a measure of writing does not want.
    """
    version = f"{echelle}, graine {graine}"
    nouveau = a_peupler(version)
    if nouveau:
        _charger(ECHELLES[echelle], graine, version, dire)
    if calculer:
        _calculer(ECHELLES[echelle], dire)
    if suites:
        _raconter(ECHELLES[echelle], dire)
    return nouveau


def _charger(echelle: Echelle, graine: int, version: str, dire: Callable[[str], None]) -> None:
    """Everything but the calculations, which are asked for."""
    Referentiel.objects.get_or_create(
        code=REFERENTIEL,
        defaults={"libelle": "Données de démonstration", "version": version, "empreinte": "en cours"},
    )
    with recalculs_suspendus():
        monde = _preparer(echelle, graine)
        with _etape("Organisations et conventions", dire) as bilan:
            actes = conventions.signer_les_actes(monde.organisations, _paires(monde), echelle.annees)
            bilan(f"{entier_fr(len(monde.organisations))} organisations, {accorder(actes, 'acte')}")
        _charger_parcs(monde, dire)
        if not echelle.supplementaires:
            _deposer(monde, dire)
        _charger_flux(monde, dire)
        with _etape("Logements à pourvoir et programme neuf", dire) as bilan:
            faites = reservataires.demander_des_candidats(ACTEUR, monde.organisations)
            ouvertes = reservataires.ouvrir_la_concertation(ACTEUR, monde.organisations)
            bilan(f"{accorder(faites, 'logement')}, {accorder(ouvertes, 'concertation')}")
        with _etape("Commissions à venir", dire) as bilan:
            faites = seances.preparer_seances(ACTEUR, monde.organisations, monde.tirage.sous("seances"))
            bilan(accorder(faites, "commission"))
        with _etape("Labels proposés", dire) as bilan:
            bilan(accorder(labels.proposer_des_labels(monde.organisations), "demande"))
        with _etape("Campagnes", dire) as bilan:
            faites = campagnes.ouvrir_les_campagnes(ACTEUR, monde.organisations)
            bilan(accorder(faites, "projection transmise", "projections transmises"))
        with _etape("Réunions du comité de pilotage", dire) as bilan:
            bilan(accorder(reunions.tenir_les_reunions(ACTEUR, monde.organisations), "réunion"))
        if not echelle.supplementaires:
            with _etape("Extraits du SNE et de SYPLO, rapprochements", dire) as bilan:
                trouves = extraits.deposer_extraits(
                    ACTEUR, monde.organisations, monde.tirage.sous("extraits")
                )
                bilan(accorder(trouves, "écart"))
    with transaction.atomic():
        marquer_a_calculer(
            evenements.paires_presentes(),
            echelle.annees,
            "Données de démonstration",
            imputer=True,
            appeler=False,
        )
        Referentiel.objects.filter(pk=REFERENTIEL).update(empreinte=COMPLETE)


def _calculer(echelle: Echelle, dire: Callable[[str], None]) -> None:
    """Do here what the worker would do: the calculations that wait."""
    with _etape("Calcul du flux", dire) as bilan:
        faits = [
            traiter(departement, annee).paires
            for annee in echelle.annees
            for departement in sorted({departement for _, departement in evenements.paires_presentes()})
        ]
        bilan(accorder(sum(faits), "parc de bailleur", "parcs de bailleurs"))


def _raconter(echelle: Echelle, dire: Callable[[str], None]) -> None:
    """What people did with the figures: bilans of past years, procedures and their letters, open data. Told once."""
    if echelle.supplementaires:
        return
    organisations = creer_organisations([*ORGANISATIONS, *_ddets(echelle.departements or ())])
    with _etape("Bilans des années passées", dire) as bilan:
        bilan(accorder(cycle.raconter_les_bilans(organisations, echelle.annees), "bilan"))
    with _etape("Rappels des campagnes", dire) as bilan:
        bilan(accorder(rappels.rappeler_chaque_matin(ACTEUR, organisations), "courriel"))
    with _etape("Procédures", dire) as bilan:
        bilan(accorder(procedures.engager(organisations), "procédure"))
    with _etape("Lettres des procédures", dire) as bilan:
        bilan(accorder(notifier(organisations), "lettre"))
    with _etape("Données ouvertes", dire) as bilan:
        bilan(accorder(donnees_ouvertes.publier(timezone.localdate()), "fichier"))


def a_peupler(version: str) -> bool:
    """Whether there is anything to do, or to resume. Neither real organisations nor another demonstration are mixed
    with this one."""
    deja = Referentiel.objects.filter(pk=REFERENTIEL).first()
    if deja:
        if deja.version == version:
            return deja.empreinte != COMPLETE
        raise DejaPeuple(f"La base contient déjà d’autres données de démonstration ({deja.version}).")
    reelles = Organisation.objects.filter(fictive=False).count()
    if reelles:
        raise DejaPeuple(
            f"La base contient {accorder(reelles, 'organisation réelle', 'organisations réelles')} : les données "
            "de démonstration ne s’y mêlent pas."
        )
    return True


@contextmanager
def recalculs_suspendus() -> Iterator[None]:
    """Nobody computes a half-loaded demonstration: all calculations are asked at the end, once."""
    entrees_modifiees.disconnect(dispatch_uid=RECEPTEUR)
    try:
        yield
    finally:
        entrees_modifiees.connect(sur_entrees_modifiees, dispatch_uid=RECEPTEUR)


@contextmanager
def _etape(titre: str, dire: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """Say what a step did and how long it took; the block gives the words."""
    debut = time.monotonic()
    dits: list[str] = []
    yield dits.append
    contexte.motiver("")  # the reason of its last act is not that of the next step
    duree = f"{time.monotonic() - debut:.1f} s".replace(".", ",")
    dire(f"{titre} : {' ; '.join(dits)} ({duree})")


def _preparer(echelle: Echelle, graine: int) -> Monde:
    """Territories, organisations, accounts, and who is where."""
    tirage = Tirage(graine)
    departements = echelle.departements
    communes = lire_communes(departements)
    chiffres = lire_chiffres()
    if departements is None or echelle.supplementaires:
        toutes = lire_communes()
        chiffres = chiffres_nationaux(toutes)
        communes = toutes if departements is None else communes
        regions = dict(toutes.select("departement", "region").unique().iter_rows())
        numerotes, autres = bailleurs_supplementaires(chiffres, regions, tirage.sous("bailleurs"))
    else:
        numerotes, autres = [], {}
    departements = departements or tuple(chiffres)
    parts = {d: parts_nommees(d) + autres.get(d, []) for d in departements}
    presents = {p.siren for siennes in parts.values() for p in siennes}
    organisations = creer_organisations(
        [*ORGANISATIONS, *(o for o in numerotes if o.siren in presents), *_ddets(departements)]
    )
    personne = creer_comptes(organisations)[0]
    return Monde(echelle, tirage, communes, chiffres, organisations, parts, personne)


def _ddets(departements: Iterable[str]) -> list[OrganisationFictive]:
    """A DDETS for each département that the list of the demonstration does not name."""
    nommees = {o.departement for o in ORGANISATIONS if o.cle.startswith("ddets-")}
    modele = next(o for o in ORGANISATIONS if o.cle == "ddets-06")
    noms = dict(Departement.objects.values_list("pk", "nom"))
    return [
        OrganisationFictive(
            f"ddets-{code.lower()}", modele.type, f"DDETS ({noms[code]}) (démonstration)", departement=code
        )
        for code in departements
        if code not in nommees
    ]


def _paires(monde: Monde) -> list[tuple[str, str]]:
    """(key of the bailleur, département)."""
    cles = {o.siren: cle for cle, o in monde.organisations.items() if o.famille}
    return [(cles[p.siren], d) for d, siennes in monde.parts.items() for p in siennes]


# --- The parcs -------------------------------------------------------------------------------------------------------


def _charger_parcs(monde: Monde, dire: Callable[[str], None]) -> None:
    """Draw the parcs, write their RPLS files, import them; the libérations are kept for the next step.

    One file per millésime and région at the national scale, one per millésime otherwise. The lives are drawn even
    when the parc is there: the libérations come from them.
    """
    reels = _lire_reels(monde)
    regions = dict(monde.communes.select("departement", "region").unique().iter_rows())
    lots: dict[str, list[str]] = {}
    for departement in monde.departements:
        nom = regions[departement] if monde.echelle.departements is None else monde.echelle.nom
        lots.setdefault(nom, []).append(departement)
    for nom, departements in sorted(lots.items()):
        with TemporaryDirectory(prefix="demonstration-") as dossier:
            fichiers = _ecrire_fichiers(monde, nom, departements, reels, Path(dossier))
            for millesime, fichier in fichiers.items():
                with _etape(f"Parc {millesime} ({nom})", dire) as bilan:
                    bilan(_importer(fichier, millesime).message)


def _importer(fichier: Path, millesime: int) -> ImportRpls:
    """Through the importer, like any file of the State services; anything else than done is an error."""
    import_rpls = importer(ACTEUR, fichier, millesime=millesime)
    if import_rpls.etat != ImportRpls.Etat.APPLIQUE:
        raise RuntimeError(f"{fichier.name}: {import_rpls.message}")
    return import_rpls


def _deposer(monde: Monde, dire: Callable[[str], None]) -> None:
    """The main bailleur has sent its own file: read, with rejected lines, it waits for somebody to agree."""
    if ImportRpls.objects.filter(famille=ImportRpls.Famille.DEPOT).exists():
        return
    millesime = max(monde.echelle.millesimes)
    bailleur = monde.organisations[BAILLEUR_PRINCIPAL]
    part = next(p for p in parts_nommees("06") if p.siren == bailleur.siren)
    with (
        TemporaryDirectory(prefix="demonstration-") as dossier,
        _etape("Fichier de dépôt", dire) as bilan,
    ):
        fichier = Path(dossier) / f"depot_rpls_{millesime}_{bailleur.siren}.csv"
        ecrire_depot(pl.concat(monde.depot), part, millesime, fichier, monde.tirage.sous("depot"))
        with open(fichier, "rb") as contenu:
            recu = recevoir_fichier(
                acteur_de(monde.personne),
                contenu=contenu,
                nom=fichier.name,
                millesime=millesime,
                differer=False,
            )
        lu = analyser(recu.pk)
        if lu.etat != ImportRpls.Etat.A_CONFIRMER:
            raise RuntimeError(f"{fichier.name}: {lu.message}")
        bilan(
            f"{accorder(lu.lignes_acceptees, 'logement')}, "
            f"{accorder(lu.lignes_rejetees, 'ligne rejetée', 'lignes rejetées')}, à confirmer"
        )


def _lire_reels(monde: Monde) -> dict[str, pl.DataFrame]:
    """Real dwellings of Cannes and Corse by département, at the scale that shows them."""
    if not monde.echelle.reels:
        return {}
    reels = {}
    for nom, departements in REELS.items():
        parts = {d: monde.parts[d] for d in departements}
        logements = lire_parc_reel(DONNEES / "rpls" / nom, parts, monde.tirage)
        reels |= {d: logements.filter(pl.col("departement") == d) for d in departements}
    return reels


def _ecrire_fichiers(
    monde: Monde, nom: str, departements: Iterable[str], reels: Mapping[str, pl.DataFrame], dossier: Path
) -> dict[int, Path]:
    """The "version loi" files still to import, by millésime; the libérations of the départements are kept."""
    charges = set(
        EtatParc.objects.filter(bailleur__fictive=True, departement__in=departements)
        .order_by()
        .values_list("millesime", flat=True)
        .distinct()
    )
    fichiers = {
        m: dossier / f"rpls{m}_loi_demonstration_{nom}.csv"
        for m in monde.echelle.millesimes
        if m not in charges
    }
    ouverts = {m: fichier.open("wb") for m, fichier in fichiers.items()}
    try:
        for rang, departement in enumerate(departements):
            vie = _tirer_vie(monde, departement, reels.get(departement))
            tirage = monde.tirage.sous(departement)
            drapeaux.poser(departement, vie, monde.organisations, monde.personne)
            monde.evenements.append(
                liberations(vie, monde.echelle.annees, AUJOURDHUI, tirage.sous("liberations")).select(
                    evenements.FAITS
                )
            )
            for millesime in monde.echelle.millesimes:
                garder = millesime == max(monde.echelle.millesimes) and not monde.echelle.supplementaires
                if millesime not in ouverts and not garder:
                    continue
                lignes = lignes_loi(
                    vie, millesime, monde.parts[departement], monde.communes, tirage.sous("fichier")
                )
                if millesime in ouverts:
                    ecrire(lignes, ouverts[millesime], entete=rang == 0)
                if garder:
                    siren = monde.organisations[BAILLEUR_PRINCIPAL].siren
                    monde.depot.append(lignes.filter(pl.col("IDENT_ORG") == siren))
    finally:
        for sortie in ouverts.values():
            sortie.close()
    return fichiers


def _tirer_vie(monde: Monde, departement: str, reel: pl.DataFrame | None) -> pl.DataFrame:
    """The dwellings of a département and their life: real ones where there are some, drawn ones for the rest."""
    chiffres, parts = monde.chiffres[departement], monde.parts[departement]
    tirage = monde.tirage.sous(departement)
    parcs = [] if reel is None else [reel]
    if reel is None or departement not in CORSE:
        total = round(chiffres.logements * monde.echelle.fraction)
        hors = [] if reel is None else [CANNES]
        parcs.append(tirer_parc(departement, total, chiffres, parts, monde.communes, tirage, hors))
    parc = pl.concat(parcs)
    return occuper(parc, chiffres, parts, monde.echelle.histoire, AUJOURDHUI, tirage.sous("vie"))


# --- The flux --------------------------------------------------------------------------------------------------------


def _charger_flux(monde: Monde, dire: Callable[[str], None]) -> None:
    """Libérations and all that follows, one département after the other, in one transaction."""
    with _etape("Libérations et attributions", dire) as bilan:
        if evenements.deja_charges():
            bilan("déjà là")
            return
        decrit = evenements.decrire_monde(
            monde.organisations, monde.echelle.annees, monde.tirage.sous("bailleurs")
        )
        decrites = evenements.decrire_evenements(
            pl.concat(monde.evenements), monde.organisations, monde.communes
        )
        totaux: dict[str, int] = {}
        with transaction.atomic(), cles_verifiees_a_la_fin(*evenements.TABLES):
            for (departement,), lignes in decrites.partition_by("departement_id", as_dict=True).items():
                charges = evenements.charger_flux(lignes, decrit, monde.tirage.sous(departement, "flux"))
                totaux = {nom: totaux.get(nom, 0) + nombre for nom, nombre in charges.items()}
        with connection.cursor() as curseur:
            curseur.execute("ANALYZE")
        bilan(", ".join(f"{entier_fr(nombre)} {nom}" for nom, nombre in totaux.items()))
