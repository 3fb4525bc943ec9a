"""An extract of the SNE ÷ a bare COPY of the same bytes into a table without index; the same extract a second time.

As a worker does it: file decrypted, read, every line hashed, resolved, compared and kept, studied again inside the
transaction, written. The second time every line is recognised, and nothing is written. Everything is taken out
afterwards.
"""

import hashlib
import io
from datetime import date, timedelta

from .mesure import Contexte, Mesure, chrono, gestionnaire_de, nombre_fr

BASES = ("vide",)
LIGNES, LIGNES_RAPIDES = 100_000, 2_000
DEPOT, DEPOT_RAPIDE = 20_000, 500
OBJECTIF_SECONDES, OBJECTIF_COPY = 60.0, 100.0
TITRES = "NUR;SIREN bailleur;IDENT_REP;DEPCOM;Type réservataire;Date commission;Date de signature du bail;Code motif"


def mesurer(contexte: Contexte) -> list[Mesure]:
    """Extract ÷ COPY for two sizes; seconds; the second time."""
    from reservation.acteur import Acteur
    from reservation.perimetre import agir

    mesures = []
    tailles = (DEPOT_RAPIDE, LIGNES_RAPIDES) if contexte.rapide else (DEPOT, LIGNES)
    with agir(Acteur.du_systeme("mesure d’un extrait")):
        for nombre in tailles:
            mesures += _mesurer(nombre, contexte.annee)
    return mesures


def _mesurer(nombre: int, annee: int) -> list[Mesure]:
    from flux.models import EvenementExterne
    from reservation.models import Departement, Organisation

    ddets, _ = Organisation.objects.get_or_create(
        type="DDETS",
        departement=Departement.objects.get(pk="22"),
        defaults={"nom": "DDETS (mesure)", "fictive": True},
    )
    _defaire(ddets)  # what an interrupted measure left
    octets = _extrait(nombre, annee)
    with chrono() as copie:
        _copier(octets)
    with chrono() as duree:
        depot = _deposer(ddets, octets)
    ecrites = EvenementExterne.objects.filter(depot=depot).count()
    if ecrites != nombre:
        raise RuntimeError(f"{ecrites} lignes écrites sur {nombre} : {depot.message}")
    with chrono() as seconde:
        redit = _deposer(ddets, octets)
    if redit.comptes != {"ENREGISTREES": nombre}:
        raise RuntimeError(f"le même extrait n’est pas reconnu : {redit.comptes}")
    _defaire(ddets)
    taille = f"{nombre_fr(nombre, 0)} lignes, {nombre_fr(len(octets) / 1e6, 1)} Mo"
    cle = f"extrait_{nombre}"
    return [
        Mesure(
            f"{cle}_copy",
            f"Extrait du SNE ÷ COPY brut, {nombre_fr(nombre, 0)} lignes",
            duree.secondes / copie.secondes,
            OBJECTIF_COPY,
            f"{nombre_fr(duree.secondes, 1)} s pour {nombre_fr(copie.secondes, 2)} s ; {taille}",
        ),
        Mesure(f"{cle}_secondes", "Extrait du SNE", duree.secondes, OBJECTIF_SECONDES, taille, " s"),
        Mesure(
            f"{cle}_redit",
            "Le même extrait, déposé de nouveau ÷ la première fois",
            seconde.secondes / duree.secondes,
            1.0,
            f"{nombre_fr(seconde.secondes, 1)} s ; {taille}",
        ),
    ]


def _defaire(ddets) -> None:
    from flux.models import Depot, EvenementExterne, LigneDepot

    EvenementExterne.objects.filter(organisation=ddets).delete()
    LigneDepot.objects.filter(organisation=ddets).delete()
    Depot.objects.filter(organisation=ddets).delete()


def _extrait(nombre: int, annee: int) -> bytes:
    """Invented demands: five landlords that nobody knows, the codes of the SNE, one unknown code in fifty."""
    codes = ("PPRIOR", "PFONCT", "COLACT", "COLTER", "AUCUN")
    lignes = [TITRES]
    for rang in range(nombre):
        graine = hashlib.sha256(str(rang).encode()).hexdigest()
        jour = date(annee, 1, 1) + timedelta(days=int(graine[:4], 16) % 365)
        bail = f"{jour + timedelta(days=20):%d/%m/%Y}" if rang % 3 else ""
        code = codes[rang % 5] if rang % 50 else "CODE INCONNU"
        lignes.append(
            f"022{jour:%m%y}{rang:06d}GDPB1;{rang % 5:09d};{graine[:10].upper()};22278;{code};{jour:%d/%m/%Y};{bail};"
            f"{1 + rang % 23:02d}"
        )
    return "\r\n".join(lignes).encode()


def _copier(octets: bytes) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as curseur:
        colonnes = ", ".join(f"c{rang} text" for rang in range(TITRES.count(";") + 1))
        curseur.execute(f"CREATE TEMP TABLE mesure_extrait ({colonnes}) ON COMMIT DROP")
        ordre = "COPY mesure_extrait FROM STDIN WITH (FORMAT csv, DELIMITER ';', HEADER)"
        with curseur.copy(ordre) as copie, io.BytesIO(octets) as flux:
            while bloc := flux.read(1 << 20):
                copie.write(bloc)


def _deposer(ddets, octets: bytes):
    from django.utils import timezone

    from flux.models import Depot
    from flux.services import depots
    from flux.services.depots import coffre

    depot = Depot(
        organisation=ddets,
        departement_id=ddets.departement_id,
        sujet="SNE",
        nom_fichier="mesure.csv",
        taille=len(octets),
        sha256="0" * 64,
    )
    coffre.enfermer(depot, "mesure.csv", octets)
    depot.save()
    depot = depots.analyser(depot.pk)
    if depot.etat != Depot.Etat.A_CONFIRMER:
        return depot
    depot.etat, depot.confirme_le = Depot.Etat.EN_APPLICATION, timezone.now()
    depot.confirme_par = gestionnaire_de(ddets)
    depot.save()
    return depots.appliquer(depot.pk)
