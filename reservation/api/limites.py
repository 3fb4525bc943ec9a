"""How often a program may ask: counted in the cache, for each token (or person), reading and writing apart."""

from rest_framework.throttling import SimpleRateThrottle


class _Limite(SimpleRateThrottle):
    def get_cache_key(self, request, view):
        jeton = getattr(request, "jeton", None)
        if jeton is not None:
            return f"api-{self.scope}-jeton-{jeton.pk}"
        if request.user and request.user.is_authenticated:
            return f"api-{self.scope}-personne-{request.user.pk}"
        return f"api-{self.scope}-adresse-{self.get_ident(request)}"

    def wait(self):
        return super().wait() or self.duration


class LimiteLecture(_Limite):
    scope = "api_lecture"


class LimiteEcriture(_Limite):
    scope = "api_ecriture"

    def allow_request(self, request, view):
        return request.method in ("GET", "HEAD") or super().allow_request(request, view)


class LimiteRefus(_Limite):
    """Requests without a valid token, by address of the network."""

    scope = "api_refus"

    def get_cache_key(self, request, view):
        return f"api-{self.scope}-{self.get_ident(request)}"
