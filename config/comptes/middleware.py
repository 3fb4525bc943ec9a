"""Nobody goes on without the second factor that their role requires."""

from django.http import HttpResponseForbidden
from django.shortcuts import redirect

from config.comptes import second_facteur

PHRASE = "Votre rôle exige un second facteur : ajoutez-en un dans « Mon compte », puis recommencez."
# Where a second factor is set up, and where one says again who one is, which this asks for.
MISE_EN_PLACE = frozenset(
    {
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "account_reauthenticate",
    }
)


class SecondFacteurMiddleware:
    """Sends to the set-up page whoever must have a second factor and has none, from every page that asks for a sign-in.

    Pages open to all (help, health, sign-out) stay open; a fragment or a program, which would make nothing of a
    page, is told so in a sentence.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, vue, args, kwargs):
        if not getattr(vue, "login_required", True) or not request.user.is_authenticated:
            return None
        if request.resolver_match.view_name in MISE_EN_PLACE or not second_facteur.manque(request.user):
            return None
        if request.htmx or not request.accepts("text/html"):
            return HttpResponseForbidden(PHRASE, content_type="text/plain; charset=utf-8")
        return redirect("mfa_index")
