"""Two at once, on two connections: the last administrator, the same invitation."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from reservation.acteur import Role
from reservation.models import Rattachement
from reservation.services import habilitations as h
from reservation.services.acces import acteur_de
from tests.personnages import distribuer, personne


def ensemble(*actes) -> list[Exception | None]:
    """Run each act in a thread of its own, started together; what each raised."""
    depart = threading.Barrier(len(actes))
    issues: list[Exception | None] = [None] * len(actes)

    def jouer(rang, acte):
        try:
            depart.wait(10)
            acte()
        except Exception as erreur:
            issues[rang] = erreur
        finally:
            connection.close()

    fils = [threading.Thread(target=jouer, args=(rang, acte)) for rang, acte in enumerate(actes)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(30)
    return issues


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("acte", ["quitter", "terminer", "changer"])
def test_two_administrators_who_leave_at_once_do_not_both_leave(acte):
    cast = distribuer()
    a, premier = cast.bailleur_a, cast.administrateur_a
    second = personne("second@a.example", "Second", a, Role.ADMINISTRATION)
    acteurs = {premier: acteur_de(premier), second: acteur_de(second)}

    def partir(personne_, autre):
        if acte == "quitter":
            return lambda: h.quitter(acteurs[personne_], personne_, a)
        if acte == "terminer":
            return lambda: h.terminer_acces(acteurs[personne_], autre, a)
        return lambda: h.changer_roles(acteurs[personne_], personne_, a, ["LECTURE"])

    issues = ensemble(partir(premier, second), partir(second, premier))
    assert sorted(type(issue).__name__ for issue in issues) == ["DernierAdministrateur", "NoneType"] or (
        # The one who was ended first may no longer end the other.
        sorted(type(issue).__name__ for issue in issues) == ["NoneType", "PermissionDenied"]
    )
    assert Rattachement.objects.actifs().filter(organisation=a, role=Role.ADMINISTRATION).count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_invitation_accepted_twice_at_once_gives_one_access():
    cast = distribuer()
    invitation = h.inviter(cast.acteur("administrateur_a"), cast.bailleur_a, "gestion@b.example", ["LECTURE"])

    def accepter():
        h.accepter_invitation(cast.gestionnaire_b, invitation.secret)

    issues = ensemble(accepter, accepter)
    assert sorted(type(issue) for issue in issues if issue) == [ValidationError]
    assert cast.gestionnaire_b.rattachements.filter(organisation=cast.bailleur_a).count() == 1
