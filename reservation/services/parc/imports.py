"""The life of an RPLS import: received, read, agreed to, written; or refused, given up, interrupted.

Each step is a row that people see (`ImportRpls`), may be run twice, and leaves the parc as it was until the one
transaction of `appliquer`. See the package for the order of the steps.
"""

import logging
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO
from uuid import uuid4

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from reservation.acteur import Acteur, TypeOrganisation
from reservation.demonstration import siren_fictif
from reservation.imports.rpls.causes import FichierRefuse
from reservation.imports.rpls.ouverture import ouvrir_fichier
from reservation.models import Commune, EtatParc, ImportRpls, Logement, Organisation, Referentiel
from reservation.regles.typographie import accorder, date_fr, entier_fr, enumerer, typographier
from reservation.services.references import resoudre_communes
from reservation.signaux import entrees_modifiees

from .verrous import Progression, est_tenu, tenir_import, verrouiller_bailleurs

journal = logging.getLogger(__name__)

PREMIER_MILLESIME = 2011  # the directory's first year
REPARTITION_MAX = 400
_RANG_REPARTITION = 500  # SIREN of the bailleurs made by a spread: 000 00 5xx
_DELAI_DE_REPRISE = timedelta(minutes=3)
_SUFFIXES = {".csv", ".txt", ".zip", ".gz"}
_FAMILLES_FICTIVES = ("OPH", "ESH", "ESH", "OPH", "COOP")

Etat = ImportRpls.Etat


@dataclass(frozen=True)
class Options:
    """How an import is read. `creer_bailleurs`: the bailleurs that the file names are made if they are missing
    (State's load, demonstration). `seuil_erreurs`: % of rejected lines over which the file is refused."""

    creer_bailleurs: bool = False
    seuil_erreurs: int = 50


@dataclass
class Etude:
    """What a file is and what it would change. `refus`: why it is not acceptable, with the report all the same."""

    rapport: dict = field(default_factory=dict)
    famille: str = ""
    lots: int = 0
    rejets: Path | None = None
    refus: FichierRefuse | None = None
    rien_a_faire: str = ""


# --- Receiving --------------------------------------------------------------------------------------------------------


def recevoir_fichier(
    acteur: Acteur,
    *,
    contenu: IO[bytes],
    nom: str,
    millesime: int,
    bailleur: Organisation | None = None,
    repartir: int | None = None,
    options: Options = Options(),
    differer: bool = True,
) -> ImportRpls:
    """Keep the file and say at once whether it may be an RPLS file; its reading starts after the commit.

    A member of a bailleur sends the file of that bailleur; only the application itself (command, demonstration)
    names another, spreads an open file or loads a file of several bailleurs. An image or a web page gives an import
    in state REFUSE, whose message says so; its file is not kept. `differer`: False when the caller reads it itself.
    """
    bailleur = _exiger_droit(acteur, bailleur, repartir)
    if bailleur is not None and bailleur.fermee_le:
        raise ValidationError(_phrase_de_fermeture(bailleur))
    valider_demande(millesime, repartir)
    empreinte, taille = _empreinte(contenu)
    suffixe = Path(nom).suffix.lower()
    import_rpls = ImportRpls(
        bailleur=bailleur,
        repartir=repartir,
        millesime=millesime,
        nom_fichier=Path(nom).name[:255],
        taille=taille,
        sha256=empreinte,
        cree_par_id=acteur.utilisateur_id,
        rapport={
            "options": {"creer_bailleurs": options.creer_bailleurs, "seuil_erreurs": options.seuil_erreurs}
        },
    )
    import_rpls.fichier.save(
        f"{uuid4().hex}{suffixe if suffixe in _SUFFIXES else ''}", File(contenu), save=False
    )
    try:
        import_rpls.famille = ouvrir_fichier(Path(import_rpls.fichier.path)).famille
    except FichierRefuse as refus:
        _refuser(import_rpls, refus)
        return import_rpls
    import_rpls.save()
    if differer:
        _differer("analyser_import", import_rpls.pk)
    return import_rpls


def valider_demande(millesime: int, repartir: int | None = None) -> None:
    """Raise ValidationError for a millésime that cannot exist, or a spread over too many."""
    dernier = timezone.localdate().year
    if not PREMIER_MILLESIME <= millesime <= dernier:
        raise ValidationError(
            {
                "millesime": typographier(
                    f"Le millésime {millesime} n’existe pas : le RPLS va de {PREMIER_MILLESIME} à {dernier}."
                )
            }
        )
    if repartir is not None and not 1 <= repartir <= REPARTITION_MAX:
        raise ValidationError(
            {"repartir": f"Un fichier se répartit sur 1 à {REPARTITION_MAX} bailleurs fictifs."}
        )


def _exiger_droit(acteur: Acteur, bailleur: Organisation | None, repartir: int | None) -> Organisation | None:
    if acteur.systeme:
        if bailleur is not None and repartir is not None:
            raise ValidationError(
                "Un import porte sur un bailleur, ou se répartit sur plusieurs : pas les deux."
            )
        return bailleur
    if not (acteur.est_bailleur and acteur.peut_gerer):
        raise PermissionDenied("Seul le bailleur importe son parc, par un membre qui a le rôle de gestion.")
    if repartir is not None or (bailleur is not None and bailleur.pk != acteur.organisation_id):
        raise PermissionDenied("Un bailleur n’importe que son propre parc.")
    return Organisation.objects.get(pk=acteur.organisation_id)


def _empreinte(contenu: IO[bytes]) -> tuple[str, int]:
    hachage, taille = sha256(), 0
    contenu.seek(0)
    while octets := contenu.read(1 << 20):
        hachage.update(octets)
        taille += len(octets)
    contenu.seek(0)
    return hachage.hexdigest(), taille


# --- Reading ----------------------------------------------------------------------------------------------------------


def analyser(import_id: int) -> ImportRpls:
    """Read the file, compare it with the parc, and wait for somebody to agree (A_CONFIRMER).

    Ends in REFUSE when the file is not acceptable, in APPLIQUE when it changes nothing. Does nothing when another
    process works on it or when the import is past that step: a task may be delivered twice.
    """
    with tenir_import(import_id) as progression:
        import_rpls = ImportRpls.objects.select_related("bailleur").get(pk=import_id)
        if progression is None or import_rpls.etat not in (Etat.RECU, Etat.EN_ANALYSE):
            return import_rpls
        _passer(import_rpls, Etat.EN_ANALYSE, etape="Ouverture du fichier", avancement=0, message="")
        dossier = _dossier_de_travail(import_rpls)
        try:
            etude = _etudier(import_rpls, Path(import_rpls.fichier.path), dossier, progression)
        except FichierRefuse as refus:
            _refuser(import_rpls, refus)
            return import_rpls
        except Exception:
            _echouer(import_rpls)
            raise
        _retenir(import_rpls, etude)
        if etude.rejets:
            _garder_les_rejets(import_rpls, etude.rejets)
        if etude.refus:
            _refuser(import_rpls, etude.refus)
        elif etude.rien_a_faire:
            import_rpls.applique_le = timezone.now()
            _passer(
                import_rpls, Etat.APPLIQUE, message=etude.rien_a_faire, normalise="", etape="", avancement=100
            )
            _vider(dossier)
        else:
            import_rpls.normalise = _nom_de_travail(import_rpls)
            _passer(import_rpls, Etat.A_CONFIRMER, etape="", avancement=100, message="")
        return import_rpls


def essayer(
    chemin: Path,
    *,
    millesime: int,
    bailleur: Organisation | None = None,
    repartir: int | None = None,
    options: Options = Options(),
) -> ImportRpls:
    """What `importer` would find and change, as an import that is not saved; writes neither row nor file."""
    valider_demande(millesime, repartir)
    import_rpls = ImportRpls(
        bailleur=bailleur,
        repartir=repartir,
        millesime=millesime,
        nom_fichier=chemin.name,
        taille=chemin.stat().st_size,
        rapport={
            "options": {"creer_bailleurs": options.creer_bailleurs, "seuil_erreurs": options.seuil_erreurs}
        },
    )
    with tempfile.TemporaryDirectory(prefix="rpls-") as dossier:
        try:
            etude = _etudier(import_rpls, chemin, Path(dossier), None)
        except FichierRefuse as refus:
            import_rpls.etat, import_rpls.message = Etat.REFUSE, refus.message
            return import_rpls
    _retenir(import_rpls, etude)
    if etude.refus:
        import_rpls.etat, import_rpls.message = Etat.REFUSE, etude.refus.message
    else:
        import_rpls.etat, import_rpls.message = Etat.A_CONFIRMER, etude.rien_a_faire
    return import_rpls


def _etudier(import_rpls: ImportRpls, chemin: Path, dossier: Path, progression: Progression | None) -> Etude:
    """Read and compare; everything that this writes is in `dossier`."""
    # Not at the top of the module: polars' threads do not survive a fork (see `reservation.imports.rpls`).
    from reservation.imports.rpls.analyse import VERSION, analyser_fichier

    options = Options(**import_rpls.rapport["options"])
    references = _references(VERSION)
    if deja := _deja_applique(import_rpls, references):
        return _etude_identique(import_rpls, deja)
    contexte = _contexte(import_rpls, options)
    suivre = progression.phase(0, 80).dire if progression else _taire
    analyse = analyser_fichier(ouvrir_fichier(chemin), contexte, dossier, suivre, options.seuil_erreurs)
    etude = Etude(
        rapport=import_rpls.rapport | analyse.rapport() | {"references": references},
        famille=analyse.fichier.famille.value,
        lots=analyse.lots,
        rejets=analyse.rejets,
        refus=analyse.refus,
    )
    etude.rapport["lots"] = analyse.lots
    if analyse.refus:
        return etude
    bailleurs = _bailleurs(import_rpls, analyse)
    etude.rapport["bailleurs"] = bailleurs
    etude.rapport["paires"] = [
        {"siren": siren, "departement": departement, "logements": nombre}
        for (siren, departement), nombre in sorted(analyse.logements.items())
    ]
    if progression:
        progression.phase(80, 100)
    _comparer(import_rpls, etude, dossier, progression)
    return etude


def _comparer(import_rpls: ImportRpls, etude: Etude, dossier: Path, progression: Progression | None) -> None:
    """Complete the report with what the file changes; nothing is left of it in the database."""
    from .application import alerte_de_disparition

    if progression:
        progression.dire("Comparaison avec le parc enregistré", 0)
    chargement = _chargement(import_rpls, etude.famille, etude.rapport, dossier)
    chargement.rattacher()
    with chargement.statuts_a_part() as statuts, transaction.atomic():
        with connection.cursor() as curseur:
            changements, lignes = chargement.comparer(curseur)
            detail = chargement.detailler(curseur, changements, lignes)
            precedent = chargement.comparer_au_precedent(curseur)
        etat_avant = _etat_du_parc(import_rpls.millesime, chargement.connus)
        transaction.set_rollback(True)
    rapport = etude.rapport
    rapport["changements"] = changements.total() | detail
    rapport["precedent"] = precedent
    rapport["statuts"] = statuts.result()
    rapport["etat_avant"] = etat_avant
    for paire in rapport["paires"]:
        cle = (chargement.bailleurs[paire["siren"]], paire["departement"])
        paire |= {nom: getattr(changements, nom).get(cle, 0) for nom in changements.total()}
    if alerte := alerte_de_disparition(changements):
        rapport["alertes"] = [*rapport["alertes"], typographier(alerte)]
    if changements.aucun:
        etude.rien_a_faire = typographier(
            f"Ce fichier ne change rien : {_logements(rapport['lignes']['acceptees'])} identiques à ceux déjà "
            f"enregistrés pour {import_rpls.millesime}."
        )


def _chargement(import_rpls: ImportRpls, famille: str, rapport: dict, dossier: Path):
    from .application import Chargement, familles_de

    ids, familles = {}, {}
    for rang, bailleur in enumerate(rapport["bailleurs"], start=1):
        ids[bailleur["siren"]] = bailleur["id"] or -rang
        familles[bailleur["id"] or -rang] = bailleur["famille"]
    familles |= familles_de(i for i in ids.values() if i > 0)
    return Chargement(
        dossier=dossier,
        famille=famille,
        lots=rapport["lots"],
        millesime=import_rpls.millesime,
        bailleurs=ids,
        familles=familles,
        logements={(ids[p["siren"]], p["departement"]): p["logements"] for p in rapport["paires"]},
        import_id=import_rpls.pk or 0,
    )


def _contexte(import_rpls: ImportRpls, options: Options):
    from reservation.imports.rpls.normalisation import Contexte

    repartition = tuple(
        siren_fictif(_RANG_REPARTITION + n) for n in range(1, (import_rpls.repartir or 0) + 1)
    )
    sirens = None
    if not options.creer_bailleurs:
        ouverts = Organisation.objects.bailleurs().filter(fermee_le=None)
        sirens = frozenset(ouverts.order_by().values_list("siren", flat=True))
    return Contexte(
        millesime=import_rpls.millesime,
        communes=resoudre_communes(),
        departements=dict(Commune.objects.order_by().values_list("code", "departement")),
        siren=import_rpls.bailleur.siren if import_rpls.bailleur else "",
        sirens=sirens,
        repartition=repartition,
    )


def _phrase_de_fermeture(bailleur: Organisation) -> str:
    suite = f", absorbé par {bailleur.absorbee_par}" if bailleur.absorbee_par_id else ""
    return typographier(
        f"{bailleur.nom} (SIREN {bailleur.siren}) est fermé depuis le {date_fr(bailleur.fermee_le)}{suite} : rien ne "
        "s’importe plus pour lui."
    )


def _bailleurs(import_rpls: ImportRpls, analyse) -> list[dict]:
    """The bailleurs of the file: those known, and those to be made when the import is applied."""
    sirens = sorted({siren for siren, _ in analyse.logements})
    connus = {o.siren: o for o in Organisation.objects.bailleurs().filter(siren__in=sirens)}
    for ferme in sorted((o for o in connus.values() if o.fermee_le), key=lambda o: o.siren):
        raise FichierRefuse("BAILLEUR_FERME", _phrase_de_fermeture(ferme))
    depot = analyse.fichier.depot
    bailleurs = []
    for rang, siren in enumerate(sirens, start=1):
        connu = connus.get(siren)
        nom, famille = analyse.bailleurs.get(siren, ("", "AUTRE"))
        if depot:
            nom = nom or depot["raison_sociale"]
        if import_rpls.repartir:
            nom, famille = f"Bailleur fictif {rang} (démonstration)", _FAMILLES_FICTIVES[rang % 5]
        bailleurs.append(
            {
                "siren": siren,
                "id": connu.pk if connu else None,
                "nom": connu.nom if connu else (nom or f"Bailleur {siren}")[:150],
                "famille": connu.famille if connu else famille,
                "logements": sum(n for (s, _), n in analyse.logements.items() if s == siren),
            }
        )
    return bailleurs


# --- The same file twice ----------------------------------------------------------------------------------------------


def _references(version: int) -> dict:
    """What else than the file decides how it is read: a file read under another edition is read again."""
    cog = Referentiel.objects.filter(code="COG").values_list("empreinte", flat=True).first()
    return {"lecture": version, "cog": cog or ""}


def _deja_applique(import_rpls: ImportRpls, references: dict) -> ImportRpls | None:
    """The import that loaded these very bytes, when the parc still is what it made of it."""
    if not import_rpls.sha256:
        return None
    semblables = ImportRpls.objects.filter(
        etat=Etat.APPLIQUE,
        sha256=import_rpls.sha256,
        millesime=import_rpls.millesime,
        bailleur=import_rpls.bailleur,
        repartir=import_rpls.repartir,
        rapport__references=references,
    ).order_by("-applique_le")
    for semblable in semblables[:5]:
        ids = {b["siren"]: b["id"] for b in semblable.rapport["bailleurs"]}
        paires = {(ids[p["siren"]], p["departement"]) for p in semblable.rapport["paires"]}
        etats = EtatParc.objects.filter(
            millesime=import_rpls.millesime, bailleur__in=set(ids.values())
        ).order_by()
        derniers = {(b, d): i for b, d, i in etats.values_list("bailleur", "departement", "import_rpls")}
        if all(derniers.get(paire) == semblable.pk for paire in paires):
            return semblable
    return None


def _etude_identique(import_rpls: ImportRpls, deja: ImportRpls) -> Etude:
    acceptees = deja.lignes_acceptees
    paires = [
        p | {"nouveaux": 0, "modifies": 0, "disparus": 0, "identiques": p["logements"]}
        for p in deja.rapport["paires"]
    ]
    rien = {"nouveaux": 0, "modifies": 0, "identiques": acceptees, "disparus": 0, "champs": []}
    rien["exemples"] = {"nouveaux": [], "modifies": [], "disparus": []}
    rapport = deja.rapport | import_rpls.rapport | {"changements": rien, "paires": paires, "deja": deja.pk}
    jour = date_fr(timezone.localdate(deja.applique_le))
    return Etude(
        rapport=rapport,
        famille=deja.famille,
        rien_a_faire=typographier(
            f"Ce fichier est déjà enregistré (import du {jour}) : rien ne change, {_logements(acceptees)} identiques."
        ),
    )


# --- Agreeing, giving up ----------------------------------------------------------------------------------------------


def confirmer(acteur: Acteur, import_rpls: ImportRpls, *, differer: bool = True) -> ImportRpls:
    """Agree to what the preview shows: the writing starts after the commit."""
    _exiger_droit_sur(acteur, import_rpls)
    with transaction.atomic():
        import_rpls = ImportRpls.objects.select_for_update(of=("self",)).get(pk=import_rpls.pk)
        if import_rpls.etat != Etat.A_CONFIRMER:
            raise ValidationError(
                f"Cet import est {import_rpls.get_etat_display()} : il n’y a rien à confirmer."
            )
        import_rpls.confirme_par_id = acteur.utilisateur_id
        import_rpls.confirme_le = timezone.now()
        _passer(
            import_rpls, Etat.EN_APPLICATION, etape="En attente d’un travailleur", avancement=0, message=""
        )
        if differer:
            _differer("appliquer_import", import_rpls.pk)
    return import_rpls


def abandonner(acteur: Acteur, import_rpls: ImportRpls) -> ImportRpls:
    """Give up an import that is not written; its report and the names stay, its files go."""
    _exiger_droit_sur(acteur, import_rpls)
    with transaction.atomic():
        import_rpls = ImportRpls.objects.select_for_update(of=("self",)).get(pk=import_rpls.pk)
        if import_rpls.etat not in (Etat.RECU, Etat.A_CONFIRMER, Etat.ECHEC):
            raise ValidationError(
                f"Cet import est {import_rpls.get_etat_display()} : il ne peut plus être abandonné."
            )
        _passer(import_rpls, Etat.ABANDONNE, etape="", normalise="")
        transaction.on_commit(lambda: _vider(_dossier_de_travail(import_rpls)))
        transaction.on_commit(lambda: _supprimer_le_fichier(import_rpls))
    return import_rpls


def reprendre(acteur: Acteur, import_rpls: ImportRpls) -> ImportRpls:
    """Start again an import that was interrupted, at the step where it was."""
    _exiger_droit_sur(acteur, import_rpls)
    import_rpls = ImportRpls.objects.get(pk=import_rpls.pk)
    en_cours = import_rpls.etat in (Etat.EN_ANALYSE, Etat.EN_APPLICATION)
    if not (import_rpls.etat == Etat.ECHEC or (en_cours and not est_tenu(import_rpls.pk))):
        raise ValidationError(f"Cet import est {import_rpls.get_etat_display()} : il n’y a rien à reprendre.")
    with transaction.atomic():
        import_rpls = ImportRpls.objects.select_for_update(of=("self",)).get(pk=import_rpls.pk)
        a_ecrire = import_rpls.confirme_le is not None and import_rpls.normalise
        etat = Etat.EN_APPLICATION if a_ecrire else Etat.EN_ANALYSE
        _passer(import_rpls, etat, etape="En attente d’un travailleur", avancement=0, message="")
        _differer("appliquer_import" if a_ecrire else "analyser_import", import_rpls.pk)
    return import_rpls


def reprendre_les_interrompus() -> int:
    """Call a worker again for imports that should be running and that no process holds; return how many."""
    avant = timezone.now() - _DELAI_DE_REPRISE
    en_cours = ImportRpls.objects.filter(
        etat__in=(Etat.RECU, Etat.EN_ANALYSE, Etat.EN_APPLICATION), cree_le__lt=avant
    ).order_by("pk")
    nombre = 0
    for import_rpls in en_cours:
        if not est_tenu(import_rpls.pk):
            _differer(
                "appliquer_import" if import_rpls.etat == Etat.EN_APPLICATION else "analyser_import",
                import_rpls.pk,
            )
            nombre += 1
    return nombre


def _exiger_droit_sur(acteur: Acteur, import_rpls: ImportRpls) -> None:
    if not ImportRpls.objects.modifiables_par(acteur).filter(pk=import_rpls.pk).exists():
        raise PermissionDenied(
            "Seul le bailleur décide de ses imports, par un membre qui a le rôle de gestion."
        )


# --- Writing ----------------------------------------------------------------------------------------------------------


def appliquer(import_id: int) -> ImportRpls:
    """Write the dwellings of a confirmed import, in one transaction.

    A process killed in the middle leaves the parc as it was and the import EN_APPLICATION: run again, it starts
    over. When another import changed the parc since the preview, nothing is written: the preview is made again and
    waits for a new agreement.
    """
    with tenir_import(import_id) as progression:
        import_rpls = ImportRpls.objects.select_related("bailleur").get(pk=import_id)
        if progression is None or import_rpls.etat != Etat.EN_APPLICATION:
            return import_rpls
        dossier = _dossier_de_travail(import_rpls)
        try:
            applique = _ecrire(import_rpls, dossier, progression)
        except Exception:
            _echouer(import_rpls)
            raise
        if applique:
            _vider(dossier)
        return import_rpls


def _ecrire(import_rpls: ImportRpls, dossier: Path, progression: Progression) -> bool:
    rapport = import_rpls.rapport
    # The row of the import is written by the progress connection until the end: no lock on it before that.
    with transaction.atomic():
        bailleurs = _creer_les_bailleurs(rapport["bailleurs"])
        verrouiller_bailleurs(b["id"] for b in bailleurs)
        if _etat_du_parc(import_rpls.millesime, (b["id"] for b in bailleurs)) != rapport["etat_avant"]:
            etude = Etude(rapport=rapport | {"bailleurs": bailleurs}, famille=import_rpls.famille)
        else:
            etude = None
            rapport = rapport | {"bailleurs": bailleurs}
            chargement = _chargement(import_rpls, import_rpls.famille, rapport, dossier)
            changements = chargement.ecrire(import_rpls, progression.phase(0, 95))
            total = changements.total()
            rapport["changements"] = rapport["changements"] | total
            if not changements.aucun:
                entrees_modifiees.send(
                    sender=Logement,
                    paires=changements.touchees,
                    annee=import_rpls.millesime,
                    raison=typographier(f"RPLS {import_rpls.millesime} : {_resume(total)}"),
                )
            import_rpls.rapport = rapport
            import_rpls.applique_le = timezone.now()
            import_rpls.normalise = ""
            message = typographier(f"Parc de {import_rpls.millesime} enregistré : {_resume(total)}.")
            _passer(import_rpls, Etat.APPLIQUE, etape="", avancement=100, message=message)
    if etude is None:
        return True
    _comparer(import_rpls, etude, dossier, progression)
    import_rpls.rapport = etude.rapport
    import_rpls.confirme_par_id = import_rpls.confirme_le = None
    _passer(
        import_rpls,
        Etat.A_CONFIRMER,
        etape="",
        avancement=100,
        message=typographier(
            "Le parc a changé depuis l’aperçu : un autre import a été enregistré entre-temps. Relisez ce que ce "
            "fichier change maintenant, puis confirmez."
        ),
    )
    return False


def _etat_du_parc(millesime: int, bailleurs: Iterable[int]) -> dict[str, int]:
    """Which import made each pair of a millésime what it is: the preview is right as long as this holds."""
    etats = EtatParc.objects.filter(millesime=millesime, bailleur__in=[b for b in bailleurs if b]).order_by(
        "bailleur", "departement"
    )
    return {
        f"{bailleur}/{departement}": import_id
        for bailleur, departement, import_id in etats.values_list("bailleur", "departement", "import_rpls")
    }


def _creer_les_bailleurs(bailleurs: list[dict]) -> list[dict]:
    """The same list, each with its id: those that the file names and nobody had made are made."""
    crees = []
    for bailleur in bailleurs:
        if bailleur["id"] is None:
            organisation, _ = Organisation.objects.get_or_create(
                type=TypeOrganisation.BAILLEUR,
                siren=bailleur["siren"],
                # No landlord has a SIREN in 000: it can only be a demonstration.
                defaults={
                    "nom": bailleur["nom"],
                    "famille": bailleur["famille"],
                    "fictive": bailleur["siren"].startswith("000"),
                },
            )
            bailleur = bailleur | {"id": organisation.pk}
        crees.append(bailleur)
    return crees


# --- All at once ------------------------------------------------------------------------------------------------------


# So many imports of the same landlord at the same moment are a mistake of somebody's.
ACCORDS = 20


def importer(
    acteur: Acteur,
    chemin: Path,
    *,
    millesime: int,
    bailleur: Organisation | None = None,
    repartir: int | None = None,
    options: Options = Options(),
) -> ImportRpls:
    """Receive, read, agree and write, in this process: for commands. The import says how it ended.

    Nobody waits before a preview: what another import changed meanwhile is compared anew and agreed to again.
    """
    with open(chemin, "rb") as contenu:
        import_rpls = recevoir_fichier(
            acteur,
            contenu=contenu,
            nom=Path(chemin).name,
            millesime=millesime,
            bailleur=bailleur,
            repartir=repartir,
            options=options,
            differer=False,
        )
    if import_rpls.etat == Etat.RECU:
        import_rpls = analyser(import_rpls.pk)
    for _ in range(ACCORDS):
        if import_rpls.etat != Etat.A_CONFIRMER:
            break
        confirmer(acteur, import_rpls, differer=False)
        import_rpls = appliquer(import_rpls.pk)
    return import_rpls


# --- Rows and files ---------------------------------------------------------------------------------------------------


def _retenir(import_rpls: ImportRpls, etude: Etude) -> None:
    lignes = etude.rapport["lignes"]
    import_rpls.famille = etude.famille
    import_rpls.rapport = etude.rapport
    import_rpls.lignes_lues = lignes["lues"]
    import_rpls.lignes_acceptees = lignes["acceptees"]
    import_rpls.lignes_rejetees = lignes["rejetees"]
    import_rpls.lignes_ignorees = lignes["ignorees"]


def _passer(import_rpls: ImportRpls, etat: str, **champs) -> None:
    import_rpls.etat = etat
    for nom, valeur in champs.items():
        setattr(import_rpls, nom, valeur)
    import_rpls.save()


def _refuser(import_rpls: ImportRpls, refus: FichierRefuse) -> None:
    """Keep the reason and the report; the file goes."""
    import_rpls.rapport = import_rpls.rapport | {"refus": refus.code}
    import_rpls.normalise = ""
    _supprimer_le_fichier(import_rpls, save=False)
    _passer(import_rpls, Etat.REFUSE, message=refus.message, etape="", avancement=100)
    _vider(_dossier_de_travail(import_rpls))


def _echouer(import_rpls: ImportRpls) -> None:
    """The application's fault: said to the person, kept for `reprendre`, written in the journal by the caller."""
    journal.exception("Import RPLS %s interrompu", import_rpls.pk)
    import_rpls.refresh_from_db()
    _passer(
        import_rpls,
        Etat.ECHEC,
        etape="",
        message=typographier(
            "L’application n’a pas pu terminer cet import. Le parc est inchangé ; vous pouvez le reprendre, ou "
            "l’abandonner."
        ),
    )


def _garder_les_rejets(import_rpls: ImportRpls, rejets: Path) -> None:
    with open(rejets, "rb") as contenu:
        import_rpls.rejets = default_storage.save(f"rpls/rejets/{import_rpls.pk}.csv", File(contenu))


def _nom_de_travail(import_rpls: ImportRpls) -> str:
    return f"rpls/travail/{import_rpls.pk}"


def _dossier_de_travail(import_rpls: ImportRpls) -> Path:
    dossier = Path(default_storage.path(_nom_de_travail(import_rpls)))
    dossier.mkdir(parents=True, exist_ok=True)
    return dossier


def _vider(dossier: Path) -> None:
    shutil.rmtree(dossier, ignore_errors=True)


def _supprimer_le_fichier(import_rpls: ImportRpls, save: bool = True) -> None:
    if import_rpls.fichier:
        import_rpls.fichier.delete(save=save)


def _differer(tache: str, import_id: int) -> None:
    """Call a worker once the transaction is committed; a broker that is down is no error, the row stays and
    `reprendre_les_interrompus` calls again."""
    from reservation import tasks

    transaction.on_commit(lambda: getattr(tasks, tache).delay(import_id), robust=True)


def _taire(etape: str, avancement: int) -> None:
    """Progress that nobody watches."""


def _logements(nombre: int) -> str:
    return accorder(nombre, "logement")


def _resume(total: dict[str, int]) -> str:
    """ "120 nouveaux logements, 31 modifiés et 4 disparus" """
    parts = [
        accorder(total["nouveaux"], "nouveau logement", "nouveaux logements"),
        f"{entier_fr(total['modifies'])} {'modifié' if total['modifies'] < 2 else 'modifiés'}",
        f"{entier_fr(total['disparus'])} {'disparu' if total['disparus'] < 2 else 'disparus'}",
    ]
    return enumerer(parts)
