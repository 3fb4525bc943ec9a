"""Soft checks of a libération: what looks odd and is asked once, then remembered with who confirmed it.

A soft check never says that something is false: a dwelling may be freed twice in a year. What cannot be is refused
elsewhere, by the models and the services.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256

from reservation.regles.typographie import accorder, date_fr, enumerer, typographier

PREAVIS_LONG = timedelta(days=365)
AVENIR_LOINTAIN = timedelta(days=183)
BAIL_TARDIF = timedelta(days=120)
DISPONIBILITE_TARDIVE = timedelta(days=365)


class Controle(StrEnum):
    """Codes of the soft checks, stored with each confirmation."""

    DEUX_FOIS = "LIBERE_DEUX_FOIS"
    AVENIR = "LIBERE_PLUS_TARD"
    ANNEE_PASSEE = "ANNEE_PASSEE"
    PREAVIS = "PREAVIS_LONG"
    DISPONIBLE_AVANT = "DISPONIBLE_AVANT"
    DISPONIBLE_TARD = "DISPONIBLE_TARD"
    DEJA_LOUE = "PREMIERE_DEJA_LOUEE"
    BAIL_RECENT = "BAIL_POSTERIEUR"
    BAIL_TARDIF = "BAIL_TARDIF"


@dataclass(frozen=True, slots=True)
class Anomalie:
    """What looks odd, in a sentence that somebody can confirm."""

    controle: str
    phrase: str

    @property
    def jeton(self) -> str:
        """What a form sends back to confirm this very sentence: with other figures it is another one."""
        return f"{self.controle}.{sha256(self.phrase.encode()).hexdigest()[:12]}"


def anomalies_de_la_declaration(
    *,
    jour: date,
    aujourd_hui: date,
    date_preavis: date | None = None,
    date_disponibilite: date | None = None,
    premiere: bool = False,
    autres: Iterable[date] = (),
    mise_en_location: int | None = None,
    bail: date | None = None,
) -> list[Anomalie]:
    """What is odd in a libération of `jour` declared on `aujourd_hui`.

    `autres`: days on which the same dwelling was freed already. `mise_en_location` and `bail`: what the RPLS says of it
    (year of the first letting; first day of the month of the current lease).
    """
    trouvees: list[tuple[Controle, str]] = []
    memes = sorted(autre for autre in autres if autre.year == jour.year)
    if memes:
        ecart = min(abs(jour - autre) for autre in memes).days
        trouvees.append(
            (
                Controle.DEUX_FOIS,
                f"Ce logement est déjà libéré le {enumerer(date_fr(autre) for autre in memes)}, à "
                f"{accorder(ecart, 'jour')} d’écart : il compterait {accorder(len(memes) + 1, 'fois', 'fois')} "
                f"dans le flux de {jour.year}.",
            )
        )
    if jour > aujourd_hui + AVENIR_LOINTAIN:
        trouvees.append((Controle.AVENIR, f"La libération du {date_fr(jour)} est dans plus de six mois."))
    if jour.year < aujourd_hui.year:
        trouvees.append(
            (
                Controle.ANNEE_PASSEE,
                f"La libération est de {jour.year} : elle compte dans le flux de {jour.year}, déjà écoulé.",
            )
        )
    if date_preavis and jour - date_preavis > PREAVIS_LONG:
        trouvees.append(
            (
                Controle.PREAVIS,
                f"Le préavis reçu le {date_fr(date_preavis)} précède la libération de "
                f"{accorder((jour - date_preavis).days, 'jour')}.",
            )
        )
    trouvees += _disponibilite(jour, date_disponibilite)
    if premiere and mise_en_location and mise_en_location < jour.year:
        trouvees.append(
            (
                Controle.DEJA_LOUE,
                f"Le RPLS dit ce logement loué pour la première fois en {mise_en_location} : ce serait une "
                "relocation.",
            )
        )
    if bail and bail > jour:
        trouvees.append(
            (
                Controle.BAIL_RECENT,
                f"Le RPLS dit un bail en cours depuis le {date_fr(bail)}, après cette libération.",
            )
        )
    return _composer(trouvees)


def anomalies_de_la_disponibilite(*, jour: date, date_disponibilite: date) -> list[Anomalie]:
    """What is odd in the day from which a dwelling freed on `jour` may be let."""
    return _composer(_disponibilite(jour, date_disponibilite))


def _disponibilite(jour: date, date_disponibilite: date | None) -> list[tuple[Controle, str]]:
    if date_disponibilite and date_disponibilite < jour:
        phrase = f"Le logement serait disponible le {date_fr(date_disponibilite)}, avant d’être libéré."
        return [(Controle.DISPONIBLE_AVANT, phrase)]
    if date_disponibilite and date_disponibilite - jour > DISPONIBILITE_TARDIVE:
        phrase = f"Le logement ne serait disponible que le {date_fr(date_disponibilite)}, plus d’un an après."
        return [(Controle.DISPONIBLE_TARD, phrase)]
    return []


def anomalies_du_bail(*, date_caleol: date, date_bail: date) -> list[Anomalie]:
    """What is odd in a lease of `date_bail` after a CALEOL of `date_caleol`."""
    if date_bail - date_caleol <= BAIL_TARDIF:
        return []
    jours = accorder((date_bail - date_caleol).days, "jour")
    return _composer(
        [
            (
                Controle.BAIL_TARDIF,
                f"Le bail du {date_fr(date_bail)} suit de {jours} la CALEOL du {date_fr(date_caleol)}.",
            )
        ]
    )


def restent_a_confirmer(anomalies: Sequence[Anomalie], jetons: Iterable[str]) -> list[Anomalie]:
    """Those that none of `jetons` confirms."""
    confirmes = frozenset(jetons)
    return [anomalie for anomalie in anomalies if anomalie.jeton not in confirmes]


def _composer(trouvees: Iterable[tuple[str, str]]) -> list[Anomalie]:
    return [Anomalie(str(controle), typographier(phrase)) for controle, phrase in trouvees]
