"""Who is an agent of the État, and when a dwelling counts for one (CA, art. 4.2 and 5-2; domain, chapters 5 and 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reservation.regles.typographie import accorder, date_fr

JOURS_D_UN_AN = 365
VERSANT_ETAT = "ETAT"
VERSANTS = {
    "ETAT": "fonction publique de l’État",
    "HOSPITALIERE": "fonction publique hospitalière",
    "TERRITORIALE": "fonction publique territoriale",
}
CONTRACTUEL = "CONTRACTUEL"

Contrat = tuple[date, date | None]


@dataclass(frozen=True, slots=True)
class Verification:
    """One line of a check-list. `rempli` None: nobody can tell yet."""

    code: str
    libelle: str
    rempli: bool | None
    detail: str = ""


def duree_des_contrats(contrats: Sequence[Contrat]) -> int | None:
    """Days under contract, both ends counted, a day once however many contracts cover it; None: one has no end.

    Successive contracts add up, whatever lies between them (CA, art. 4.2).
    """
    if any(fin is None for _, fin in contrats):
        return None
    total, couvert = 0, None
    for debut, fin in sorted((d, f) for d, f in contrats if f is not None and f >= d):
        depart = debut if couvert is None or debut > couvert else date.fromordinal(couvert.toordinal() + 1)
        if fin >= depart:
            total += (fin - depart).days + 1
        couvert = fin if couvert is None else max(couvert, fin)
    return total


def verifier_eligibilite(
    versant: str, statut: str, contrats: Sequence[Contrat], jour: date
) -> list[Verification]:
    """The check-list of CA, art. 4.2, on `jour`: which service, which status, and for a contract, how long."""
    etat = versant == VERSANT_ETAT
    lignes = [
        Verification(
            "versant",
            "Agent de l’État",
            etat,
            "" if etat else f"La {VERSANTS[versant]} n’est jamais concernée.",
        )
    ]
    if statut != CONTRACTUEL:
        lignes.append(Verification("statut", "Titulaire ou militaire", True))
        return lignes
    duree = duree_des_contrats(contrats)
    if duree is None:
        lignes.append(Verification("duree", "Contrat d’au moins un an", True, "contrat sans terme"))
    else:
        suite = "contrats successifs" if len(contrats) > 1 else "contrat"
        lignes.append(
            Verification(
                "duree",
                "Contrat d’au moins un an, ou contrats successifs d’au moins un an en tout",
                duree >= JOURS_D_UN_AN,
                f"{accorder(duree, 'jour')} de {suite}, {JOURS_D_UN_AN} attendus",
            )
        )
    en_poste = any(debut <= jour and (fin is None or jour <= fin) for debut, fin in contrats)
    lignes.append(
        Verification(
            "en_poste", "En poste", en_poste, "" if en_poste else f"aucun contrat en cours le {date_fr(jour)}"
        )
    )
    return lignes


def est_eligible(verifications: Sequence[Verification]) -> bool:
    """Whether every line of the check-list is met."""
    return all(ligne.rempli for ligne in verifications)


def contredit_la_demande(
    tailles: Sequence[str], secteur: Sequence[str], typologie: str, lieux: Sequence[str]
) -> bool:
    """Whether a dwelling is of another size, or elsewhere, than what a household asks; nothing asked: any will do.

    `lieux`: codes of its commune and of its EPCI.
    """
    return bool(tailles and typologie not in tailles) or bool(secteur and not set(lieux) & set(secteur))


def suivre_conditions(
    *,
    validation: date | None,
    limite: date | None,
    accord_posterieur: bool,
    refuse: bool,
    date_bail: date | None,
    adapte: bool | None,
    declaree: date | None = None,
    contraire: bool = False,
) -> list[Verification]:
    """The three conditions that make an attribution to an agent count, together (CA, art. 5-2).

    `limite`: day of the proposition, or of the CALEOL when there is none; None: nothing proposed yet. `declaree`: day of a
    validation that the bailleur tells and that the État has not recorded: it meets nothing. `adapte`: what the bailleur
    declares; `contraire`: what is recorded of the household's request says that the dwelling does not fit.
    """
    if refuse:
        premiere, detail = False, "le préfet ne l’a pas reconnu"
    elif accord_posterieur:
        premiere, detail = True, "accord donné après l’attribution"
    elif validation is None:
        premiere, detail = None, "ni validation préalable, ni accord du préfet à ce jour"
        if declaree is not None:
            detail = (
                f"le bailleur la dit validée le {date_fr(declaree)} : la DDETS ou la préfecture ne l’a pas "
                "enregistré"
            )
    elif limite is not None and validation > limite:
        premiere, detail = None, f"validé le {date_fr(validation)}, après la proposition du {date_fr(limite)}"
    else:
        premiere, detail = True, f"validé le {date_fr(validation)}"
    return [
        Verification("validation", "Validé avant la proposition, ou accordé ensuite", premiere, detail),
        Verification(
            "bail",
            "Bail signé",
            True if date_bail else None,
            f"le {date_fr(date_bail)}" if date_bail else "",
        ),
        Verification(
            "adapte",
            "Secteur et taille conformes à sa demande",
            False if contraire else adapte,
            "autre que la demande enregistrée"
            if contraire
            else ""
            if adapte
            else "non déclaré"
            if adapte is None
            else "non conforme",
        ),
    ]
