"""Procedures at several stages, so that their pages are not empty: their acts as they would have been written, at their dates.

The first opens the debt that the ledger reports on the running year, by the numbers that the flux of the year before gives;
the others bear on bilans that are not delivered: whoever submitted its own is left alone.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from bilans.models import EtapeBilan, EtapeProcedure, Procedure
from bilans.regles.lettres import numero
from bilans.regles.procedures import TABLE, Acte, Etat, Lettre, Sorte
from bilans.services import registre
from bilans.services.procedures import lire_procedure
from bilans.services.procedures_situation import Objet, lire_dossier
from reservation.acteur import Acteur
from reservation.models import Organisation, Presence, Rattachement
from reservation.regles.actes import ETAT

from .cycle import calculer_les_lignes
from .scenario import AUJOURDHUI

AN = AUJOURDHUI.year
Actes = tuple[tuple[date, Acte, dict[str, Any]], ...]


def engager(organisations: Mapping[str, Organisation]) -> int:
    """The procedures of the Alpes-Maritimes; returns how many. Safe to repeat."""
    etat = organisations.get("ddets-06")
    if etat is None or "littoral" not in organisations or Procedure.objects.exists():
        return 0
    littoral = organisations["littoral"]
    parts = _jugees(littoral)
    if parts:
        _ecrire(littoral, etat, Sorte.OBJECTIFS, _objectifs(parts))
        _endetter(littoral, parts)
    autres = [
        presence.bailleur
        for presence in Presence.objects.filter(departement="06", bailleur__fermee_le=None)
        .exclude(bailleur=littoral)
        .exclude(bailleur__in=EtapeBilan.objects.filter(bilan__annee=AN - 1).values("bailleur"))
        .select_related("bailleur")
        .order_by("bailleur__nom_tri")[:2]
    ]
    suites = (_mise_en_demeure(), _mise_en_demeure()[:1])
    for bailleur, actes in zip(autres, suites, strict=False):
        _ecrire(bailleur, etat, Sorte.MANQUEMENT, actes)
    return bool(parts) + len(autres)


def _jugees(bailleur: Organisation) -> list[dict[str, Any]]:
    """What lacks to each contingent that a clause protects, as the flux gives it: the État's is found unjustified. Empty when
    nothing lacks to the État."""
    dossier = lire_dossier(Objet(Sorte.OBJECTIFS, "06", AN - 1, bailleur=bailleur.pk), jour=date(AN, 4, 13))
    organisations = {part.code: part.organisation for part in dossier.parts}
    juges = [
        {
            "code": o.code,
            "nom": o.nom,
            "organisation": organisations[o.code],
            "clause": o.clause,
            "manque": o.manque,
            "justifies": 0 if o.code == ETAT.code else o.manque,
            "retenus": o.manque if o.code == ETAT.code else 0,
        }
        for o in dossier.situation.manques
    ]
    return juges if any(juge["retenus"] for juge in juges) else []


def _endetter(bailleur: Organisation, parts: list[dict[str, Any]]) -> None:
    """The same decisions, in the ledger; the objectives of the running year are computed again with the report."""
    (etat,) = (part for part in parts if part["retenus"])
    cle = registre.Cle(bailleur.pk, "06", etat["organisation"])
    systeme = Acteur.du_systeme("démonstration")
    for jour, ecrire, champs in (
        (date(AN, 4, 13), registre.ouvrir, {}),
        (date(AN, 4, 15), registre.reporter, {"annee": AN}),
    ):
        fondement = f"Point contradictoire du 10 avril {AN}, convention, {etat['clause']}"
        ecrire(systeme, cle, AN - 1, etat["retenus"], jour=jour, fondement=fondement, **champs)
    calculer_les_lignes(bailleur, "06", AN)


def _objectifs(parts: list[dict[str, Any]]) -> Actes:
    retenus = [part for part in parts if part["retenus"]]
    reunion = datetime(AN, 4, 10, 8, tzinfo=UTC)
    return (
        (date(AN, 3, 16), Acte.OUVRIR, {}),
        (date(AN, 3, 18), Acte.CONVOQUER, {"reunion": reunion, "lieu": "DDETS, salle du premier étage"}),
        (date(AN, 3, 20), Acte.CONSTATER_RECEPTION, {"jour": date(AN, 3, 20)}),
        (date(AN, 4, 10), Acte.TENIR_REUNION, {"texte": "Les deux parties ont présenté leurs écrits."}),
        (
            date(AN, 4, 13),
            Acte.JUGER_INJUSTIFIE,
            {
                "parts": parts,
                "texte": "Les retards de livraison étaient connus dès janvier, et l’État n’en a pas été prévenu.",
            },
        ),
        (date(AN, 4, 15), Acte.REPORTER, {"parts": [p | {"nombre": p["retenus"]} for p in retenus]}),
        (date(AN, 4, 16), Acte.CLORE, {}),
    )


def _mise_en_demeure() -> Actes:
    return (
        (date(AN, 9, 28), Acte.OUVRIR, {"texte": "Relances des 2 mars et 4 mai restées sans réponse."}),
        (date(AN, 10, 1), Acte.METTRE_EN_DEMEURE, {"reference": numero(Lettre.MISE_EN_DEMEURE, "06", AN, 1)}),
        (date(AN, 10, 6), Acte.CONSTATER_RECEPTION, {"jour": date(AN, 10, 6)}),
    )


def _ecrire(bailleur: Organisation, etat: Organisation, sorte: Sorte, actes: Actes) -> None:
    lieu = {"bailleur": bailleur, "departement_id": "06"}
    procedure = Procedure.objects.create(
        **lieu, sorte=sorte, annee=AN - 1, etat=Etat.OUVERTE, ouverte_le=_midi(actes[0][0])
    )
    signataire = (
        Rattachement.objects.filter(organisation=etat, role="SIGNATURE").select_related("utilisateur").first()
    )
    de: Etat | None = None
    for rang, (jour, acte, dits) in enumerate(actes, 1):
        (transition,) = (t for t in TABLE if (t.sorte, t.de, t.acte) == (sorte, de, acte))
        EtapeProcedure.objects.create(
            **lieu,
            **dits,
            procedure=procedure,
            rang=rang,
            sorte=sorte,
            acte=acte,
            de=de or "",
            vers=transition.vers,
            le=_midi(jour),
            organisation=etat,
            # The receipt follows the letter: nobody writes it.
            par=signataire.utilisateur if signataire and acte != Acte.CONSTATER_RECEPTION else None,
            chiffres=lire_procedure(procedure, jour).chiffres(),
        )
        de = transition.vers


def _midi(jour: date) -> datetime:
    return datetime(jour.year, jour.month, jour.day, 10, tzinfo=UTC)
