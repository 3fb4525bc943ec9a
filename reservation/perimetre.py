"""On whose behalf the current thread works: what the database is told, and what refuses to work without anybody.

Querysets filter (`visibles_par`); below them row-level security refuses what a queryset forgot. Both speak of the
same actor: that of the request, of the task or of the command, held here. The PostgreSQL backend of the project
(`config.postgresql`) tells it to the server in each transaction; nobody there → no row.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache

from django.apps import apps

from reservation.acteur import Acteur

# Settings of a transaction, in the order in which `reglages` gives their values.
REGLAGES = (
    "app.systeme",
    "app.bailleur",
    "app.reservataire",
    "app.departements",
    "app.region",
    "app.utilisateur",
    "app.organisation",
    "app.support",
    "app.ecriture",
    "app.lecture",
)
# Applications whose tables belong to tenants, unless their class says otherwise.
APPLICATIONS = frozenset({"reservation", "publics", "flux", "bilans"})
AUCUN = ("",) * len(REGLAGES)

_courant: ContextVar[Acteur | None] = ContextVar("acteur", default=None)
_lecture_seule: ContextVar[bool] = ContextVar("lecture_seule", default=False)


class PerimetreAbsent(RuntimeError):
    """A table of tenants is read or written, and nobody said on whose behalf."""


@contextmanager
def ecrire_pendant_une_lecture() -> Iterator[None]:
    """Lift `lecture_seule` inside the block: for a GET that a standard makes write (the return of OpenID Connect, whose
    `state` proves who asked), and for nothing else."""
    lecture = _lecture_seule.set(False)
    try:
        yield
    finally:
        _lecture_seule.reset(lecture)


def acteur_courant() -> Acteur | None:
    return _courant.get()


@contextmanager
def agir(acteur: Acteur, *, lecture_seule: bool = False) -> Iterator[Acteur]:
    """Everything inside the block is done on behalf of `acteur`, as far as the database is concerned.

    A request, a task and a command each have one. Nested, it is for what the application itself must see to serve
    a person who may not (a label that decides an imputation, without showing it): rare, with its reason, around
    the whole of a computation, for half of its lines would be a wrong total. It is a decorator as well:
    `@agir(Acteur.du_systeme("imputation"))`. The right of the person is checked before.
    `lecture_seule`: nothing is written inside (a GET), whoever acts, the application itself included, however deep.
    """
    jeton = _courant.set(acteur)
    lecture = _lecture_seule.set(lecture_seule or _lecture_seule.get())
    try:
        yield acteur
    finally:
        _lecture_seule.reset(lecture)
        _courant.reset(jeton)


def reglages_courants() -> tuple[str, ...]:
    """Values of `REGLAGES` for the current actor; all empty when there is none."""
    acteur = _courant.get()
    return AUCUN if acteur is None else reglages(acteur, _lecture_seule.get())


@lru_cache(maxsize=1024)
def reglages(acteur: Acteur, lecture_seule: bool = False) -> tuple[str, ...]:
    """What the policies of row-level security compare rows with: texts, lists separated by commas."""
    organisation = str(acteur.organisation_id or "")
    departements = ",".join(acteur.departements)
    return (
        "oui" if acteur.systeme else "",
        organisation if acteur.est_bailleur else "",
        organisation if acteur.est_reservataire else "",
        departements if acteur.est_service_etat else "",
        departements if acteur.est_copil else "",
        str(acteur.utilisateur_id or ""),
        organisation,
        "oui" if acteur.support else "",
        "oui" if acteur.peut_gerer and not lecture_seule else "",
        "oui" if lecture_seule else "",
    )


def exiger_perimetre(tables: Iterable[str]) -> None:
    """Raise `PerimetreAbsent` when nobody acts and one of `tables` belongs to tenants."""
    if _courant.get() is None and (fermees := sorted(tables_de_locataires() & set(tables))):
        raise PerimetreAbsent(
            f"{', '.join(fermees)}: no actor. A request, a task or a command has one (reservation.perimetre.agir)."
        )


@cache
def tables_de_locataires() -> frozenset[str]:
    """Tables whose rows belong to tenants: those of every model of the project, but those that say why not.

    `hors_perimetre`, on the class: the reason, in French. The join table of a many-to-many field follows the model
    that declares it.
    """
    return frozenset(
        modele._meta.db_table
        for modele in apps.get_models(include_auto_created=True)
        if modele._meta.app_label in APPLICATIONS
        and not getattr(modele._meta.auto_created or modele, "hors_perimetre", "")
    )
