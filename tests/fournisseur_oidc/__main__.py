"""`python -m tests.fournisseur_oidc`: prints its port, then serves until it is stopped.

Discovery, authorization code with PKCE, signed userinfo, keys, sign-out. `POST /reglages` changes who signs in and what
is spoilt (`Reglages`); `GET /journal` gives the requests received, for the tests to read.
"""

import base64
import hashlib
import json
import secrets
import sys
import time
from dataclasses import asdict, dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "client-de-test", "secret-de-test"


@dataclass
class Reglages:
    """Who signs in, and what is wrong with what is sent. `page`: ask the person first, as a browser sees it."""

    personne: dict = field(
        default_factory=lambda: {
            "sub": "sub-agent",
            "given_name": "Agent",
            "usual_name": "D’Essai",
            "email": "agent@a.example",
            "siret": "00000001700012",
        }
    )
    acr: str = "eidas1"
    page: bool = False
    refus: bool = False
    autre_cle: str = ""  # "id_token" or "userinfo": signed by somebody else
    autre_nonce: bool = False
    autre_public: str = ""
    autre_emetteur: str = ""
    expire: str = ""
    autre_personne: bool = False
    sans_signature: str = ""
    userinfo_en_clair: bool = False


class Fournisseur:
    """Keys, open codes and tokens; one person at a time."""

    def __init__(self):
        self.cle = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pirate = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.reglages = Reglages()
        self.codes: dict[str, dict] = {}
        self.jetons: set[str] = set()
        self.journal: list[dict] = []

    def cles(self) -> dict:
        publique = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.cle.public_key()))
        return {"keys": [publique | {"kid": "essai", "use": "sig", "alg": "RS256"}]}

    def signer(self, sorte: str, emetteur: str, charge: dict) -> str:
        r, maintenant = self.reglages, int(time.time())
        decalage = -3600 if r.expire == sorte else 0
        charge = {
            "iss": "https://ailleurs.example/" if r.autre_emetteur == sorte else emetteur,
            "aud": "un-autre-site" if r.autre_public == sorte else CLIENT_ID,
            "iat": maintenant + decalage,
            "exp": maintenant + decalage + 60,
            **charge,
        }
        if r.sans_signature == sorte:
            return jwt.encode(charge, None, algorithm="none", headers={"kid": "essai"})
        cle = self.pirate if r.autre_cle == sorte else self.cle
        return jwt.encode(charge, cle, algorithm="RS256", headers={"kid": "essai"})


class Requete(BaseHTTPRequestHandler):
    def do_GET(self):
        self._servir("")

    def do_POST(self):
        self._servir(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _servir(self, corps):
        adresse = urlsplit(self.path)
        self.demande = dict(parse_qsl(adresse.query))
        fournisseur.journal.append(
            {"chemin": adresse.path, "demande": self.demande, "corps": dict(parse_qsl(corps))}
        )
        routes = {
            "/.well-known/openid-configuration": self._decouverte,
            "/autorisation": self._autorisation,
            "/jeton": self._jeton,
            "/personne": self._personne,
            "/cles": self._cles,
            "/sortie": self._sortie,
            "/reglages": self._reglages,
            "/journal": self._journal,
        }
        if adresse.path in routes:
            routes[adresse.path](corps)
        else:
            self._dire(404, "inconnu")

    @property
    def ici(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def _decouverte(self, corps):
        self._json(
            {
                "issuer": self.ici,
                "authorization_endpoint": f"{self.ici}/autorisation",
                "token_endpoint": f"{self.ici}/jeton",
                "userinfo_endpoint": f"{self.ici}/personne",
                "jwks_uri": f"{self.ici}/cles",
                "end_session_endpoint": f"{self.ici}/sortie",
            }
        )

    def _autorisation(self, corps):
        d = self.demande
        attendus = {"client_id": CLIENT_ID, "response_type": "code", "code_challenge_method": "S256"}
        if any(d.get(nom) != valeur for nom, valeur in attendus.items()) or not d.get("nonce"):
            return self._dire(400, "demande incomplète")
        if fournisseur.reglages.page and "accord" not in d:
            page = (
                "<!DOCTYPE html><html lang=fr><title>Fournisseur d’essai</title><link rel=icon href='data:,'>"
                f"<h1>Fournisseur d’essai</h1><a href='/autorisation?{escape(urlencode(d))}&amp;accord=oui'>Continuer</a>"
            )
            return self._dire(200, page, "text/html; charset=utf-8")
        if fournisseur.reglages.refus:
            return self._rediriger(d["redirect_uri"], {"error": "access_denied", "state": d["state"]})
        code = secrets.token_urlsafe(16)
        fournisseur.codes[code] = d
        return self._rediriger(d["redirect_uri"], {"code": code, "state": d["state"]})

    def _jeton(self, corps):
        recu = {nom: valeurs[0] for nom, valeurs in parse_qs(corps).items()}
        depart = fournisseur.codes.pop(recu.get("code", ""), None)  # a code serves once
        preuve = hashlib.sha256(recu.get("code_verifier", "").encode()).digest()
        if (
            depart is None
            or (recu.get("client_id"), recu.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET)
            or base64.urlsafe_b64encode(preuve).decode().rstrip("=") != depart["code_challenge"]
            or recu.get("redirect_uri") != depart["redirect_uri"]
        ):
            return self._json({"error": "invalid_grant"}, 400)
        r = fournisseur.reglages
        jeton = secrets.token_urlsafe(16)
        fournisseur.jetons.add(jeton)
        charge = {
            "sub": "quelqu-un-d-autre" if r.autre_personne else r.personne["sub"],
            "nonce": "un-autre" if r.autre_nonce else depart["nonce"],
            "acr": r.acr,
        }
        return self._json(
            {
                "access_token": jeton,
                "token_type": "Bearer",
                "expires_in": 60,
                "id_token": fournisseur.signer("id_token", self.ici, charge),
            }
        )

    def _personne(self, corps):
        jeton = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if jeton not in fournisseur.jetons:
            return self._dire(401, "jeton inconnu")
        if fournisseur.reglages.userinfo_en_clair:
            return self._json(fournisseur.reglages.personne)
        signee = fournisseur.signer("userinfo", self.ici, fournisseur.reglages.personne)
        return self._dire(200, signee, "application/jwt")

    def _cles(self, corps):
        self._json(fournisseur.cles())

    def _sortie(self, corps):
        self._rediriger(self.demande["post_logout_redirect_uri"], {"state": self.demande["state"]})

    def _reglages(self, corps):
        fournisseur.reglages = Reglages(**(asdict(Reglages()) | json.loads(corps)))
        fournisseur.journal.clear()
        self._json({})

    def _journal(self, corps):
        self._json(fournisseur.journal)

    def _rediriger(self, adresse, parametres):
        self.send_response(302)
        self.send_header("Location", f"{adresse}?{urlencode(parametres)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, valeur, statut=200):
        self._dire(statut, json.dumps(valeur), "application/json")

    def _dire(self, statut, texte, sorte="text/plain; charset=utf-8"):
        octets = texte.encode()
        self.send_response(statut)
        self.send_header("Content-Type", sorte)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_args):
        """Silent: the tests read /journal."""


if __name__ == "__main__":
    fournisseur = Fournisseur()
    serveur = ThreadingHTTPServer(("127.0.0.1", 0), Requete)
    sys.stdout.write(f"{serveur.server_port}\n")
    sys.stdout.flush()
    serveur.serve_forever()
