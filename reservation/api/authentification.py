"""Who speaks to the API: a program with a token, or a person whose browser is signed in (the documentation's links).

The middleware has read the token already: the actor and the perimeter of the database are those of any page.
"""

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed


class ParJeton(BaseAuthentication):
    """`Authorization: Bearer gef_…`. A header that opens nothing is refused, even beside a session."""

    def authenticate(self, request):
        if "Authorization" not in request.headers:
            return None
        if request.jeton is None:
            raise AuthenticationFailed
        return request.jeton.utilisateur, request.jeton

    def authenticate_header(self, request):
        return 'Bearer realm="api"'


class ParSession(SessionAuthentication):
    """The cookie of the site; what writes needs the CSRF token besides."""
