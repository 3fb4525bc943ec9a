"""A file says what commissions decided elsewhere: one that the application holds open, or cancelled, is not its to decide."""

from collections.abc import Callable, Sequence
from datetime import date

from flux.models import Commission
from reservation.models import Organisation


def refuser_les_commissions_non_closes(bailleur: Organisation, lignes: Sequence, dire: Callable) -> None:
    """Say it on each line whose commission (that of the département and of the day, the first recorded) is not closed.

    `lignes`: with their `passage`, as studied. `dire(ligne, code, champ, phrase)`.
    """
    examinees = [ligne for ligne in lignes if ligne.passage is not None]
    if not examinees:
        return
    etats: dict[tuple[str, date], str] = {}
    for departement, jour, etat in (
        Commission.objects.filter(bailleur=bailleur, date__in={ligne.passage.jour for ligne in examinees})
        .order_by("-pk")
        .values_list("departement_id", "date", "etat")
    ):
        etats[departement, jour] = etat
    for ligne in examinees:
        jour = ligne.passage.jour
        etat = etats.get((ligne.passage.liberation.departement, jour))
        if etat == Commission.Etat.ANNULEE:
            dire(
                ligne,
                "COMMISSION_ANNULEE",
                "date_caleol",
                f"La commission du {jour:%d/%m/%Y} est annulée dans l’application : une commission annulée ne décide de "
                "rien ; attendu : la date d’une commission tenue.",
            )
        elif etat in Commission.OUVERTES:
            dire(
                ligne,
                "COMMISSION_OUVERTE",
                "date_caleol",
                f"La commission du {jour:%d/%m/%Y} est ouverte dans l’application : ses décisions se saisissent dans sa "
                "page, et se confirment à la clôture.",
            )
