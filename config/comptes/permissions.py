"""The API is no way around the second factor."""

from rest_framework.permissions import BasePermission

from config.comptes import second_facteur
from config.comptes.middleware import PHRASE


class SecondFacteurPresent(BasePermission):
    """A browser's session needs the factor that the role requires; a token was opened by somebody who has it."""

    message = PHRASE

    def has_permission(self, request, view) -> bool:
        return request.jeton is not None or not second_facteur.manque(request.user)
