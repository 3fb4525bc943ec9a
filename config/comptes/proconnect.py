"""ProConnect: OpenID Connect, authorization code with PKCE, signed userinfo (docs/decisions/0008-proconnect.md).

allauth holds the flow (state, PKCE, accounts); what it leaves out is here: the nonce, the signatures, the sign-out.
"""

import secrets
from urllib.parse import urlencode

import jwt
import requests
from allauth.account.models import EmailAddress
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from reservation.perimetre import ecrire_pendant_une_lecture

FOURNISSEUR = "proconnect"
JETON_EN_SESSION = "proconnect_id_token"
# What ProConnect signs with; a token that names another algorithm, or none, is refused whatever its key.
ALGORITHMES = ["RS256", "ES256"]
DECALAGE_D_HORLOGE = 30  # seconds


class JetonRefuse(ProviderException):
    """What came back from the provider is not what it signed for us, now, for this sign-in."""


class ProConnect(OpenIDConnectProvider):
    def get_login_url(self, request, **kwargs) -> str:
        return reverse("proconnect")

    def get_callback_url(self) -> str:
        return reverse("proconnect_retour")

    def get_oauth2_adapter(self, request):
        return EchangeProConnect(request)

    def get_redirect_from_request_kwargs(self, request) -> dict:
        """Only the page to come back to is the visitor's to say, not the scopes nor the process."""
        suite = get_next_redirect_url(request)
        return {"process": AuthProcess.LOGIN, **({"next_url": suite} if suite else {})}

    def redirect(self, request, process, next_url=None, data=None, **kwargs):
        nonce = secrets.token_urlsafe(32)
        parametres = {"nonce": nonce, "acr_values": self.app.settings["acr_values"]}
        return super().redirect(request, process, next_url, data, auth_params=parametres, nonce=nonce)

    def extract_uid(self, data) -> str:
        return data["sub"]

    def extract_extra_data(self, data) -> dict:
        """What is kept beside the account: the establishment, nothing else."""
        return {"siret": data.get("siret", "")}

    def extract_common_fields(self, data) -> dict:
        nom = f"{data.get('given_name', '')} {data.get('usual_name', '')}".strip()
        return {"email": data["email"], "name": nom}

    def extract_email_addresses(self, data) -> list[EmailAddress]:
        """The address is the professional one that the agent's own administration gives (decision 0008)."""
        return [EmailAddress(email=data["email"], verified=True, primary=True)]


class EchangeProConnect(OpenIDConnectOAuth2Adapter):
    """Exchanges with the provider; `etat`: what was kept of the departure, once back."""

    etat: dict

    def __init__(self, request):
        super().__init__(request, FOURNISSEUR)

    def get_callback_url(self, request, app) -> str:
        return build_absolute_uri(request, reverse("proconnect_retour"))

    def complete_login(self, request, app, token, response, **kwargs):
        identite = self._lire(app, response.get("id_token", ""))
        if not secrets.compare_digest(str(identite.get("nonce")).encode(), self.etat["nonce"].encode()):
            raise JetonRefuse("nonce")
        if identite.get("acr") not in app.settings["acr_values"].split():
            raise JetonRefuse("acr")
        personne = self._lire(app, self._userinfo(token.token))
        if personne["sub"] != identite["sub"]:
            raise JetonRefuse("sub")
        if not personne.get("email") or personne.get("email_verified") is False:
            raise JetonRefuse("email")
        self.etat["id_token"] = response["id_token"]
        return self.get_provider().sociallogin_from_response(request, personne)

    def _userinfo(self, jeton_d_acces: str) -> str:
        with get_adapter().get_requests_session() as session:
            reponse = session.get(self.profile_url, headers={"Authorization": f"Bearer {jeton_d_acces}"})
            reponse.raise_for_status()
        if reponse.headers.get("content-type", "").split(";")[0] != "application/jwt":
            raise JetonRefuse("userinfo")
        return reponse.text

    def _lire(self, app: SocialApp, jeton: str) -> dict:
        """The claims of a token: signed by a key of the provider, issued by it, for us, not expired."""
        with get_adapter().get_requests_session() as session:
            reponse = session.get(self.openid_config["jwks_uri"])
            reponse.raise_for_status()
        try:
            cle = jwt.PyJWKSet.from_dict(reponse.json())[jwt.get_unverified_header(jeton).get("kid")]
            return jwt.decode(
                jeton,
                key=cle.key,
                algorithms=ALGORITHMES,
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                leeway=DECALAGE_D_HORLOGE,
                options={"require": ["iss", "aud", "sub", "exp", "iat"]},
            )
        except (jwt.PyJWTError, KeyError) as erreur:
            raise JetonRefuse("signature") from erreur


class Retour(OAuth2CallbackView):
    def _get_state(self, request, provider):
        """What was kept of the departure holds the nonce that the token must repeat."""
        etat, refus = super()._get_state(request, provider)
        self.adapter.etat = etat
        return etat, refus


def _vue(classe):
    """The view of a step, which does not exist where ProConnect is not configured."""

    @never_cache
    @login_not_required
    def vue(request: HttpRequest):
        if not est_configure():
            raise Http404
        echange = EchangeProConnect(request)
        try:
            # The provider sends the person back with a GET: an account and its session are made by it.
            with ecrire_pendant_une_lecture():
                reponse = classe.adapter_view(echange)(request)
        except requests.RequestException as erreur:
            return render_authentication_error(request, echange.get_provider(), exception=erreur)
        if reponse.status_code == 302 and reponse.url.startswith(("http://", "https://")):
            return passer(request, reponse.url)
        return reponse

    return vue


depart = _vue(OAuth2LoginView)
retour = _vue(Retour)


def est_configure() -> bool:
    """Whether this site offers ProConnect."""
    return bool(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"])


def passer(request: HttpRequest, adresse: str):
    """To the provider through a page of ours: the content policy lets no form lead, even by redirection, elsewhere."""
    return render(request, "comptes/vers_proconnect.html", {"adresse": adresse})


def adresse_de_deconnexion(request: HttpRequest) -> str | None:
    """Where ProConnect signs this person out; None for who did not come through it, or if it does not answer."""
    jeton = request.session.get(JETON_EN_SESSION)
    if not jeton or not est_configure():
        return None
    try:
        sortie = EchangeProConnect(request).openid_config.get("end_session_endpoint")
    except requests.RequestException:
        return None
    parametres = {
        "id_token_hint": jeton,
        "post_logout_redirect_uri": build_absolute_uri(request, reverse("connexion")),
        "state": secrets.token_urlsafe(16),
    }
    return f"{sortie}?{urlencode(parametres)}" if sortie else None


def siret_de(utilisateur) -> str:
    """Establishment that ProConnect gave at the last sign-in; empty for an account that does not use it."""
    donnees = (
        SocialAccount.objects.filter(user=utilisateur, provider=FOURNISSEUR)
        .values_list("extra_data", flat=True)
        .first()
    )
    return (donnees or {}).get("siret", "")
