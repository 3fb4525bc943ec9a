"""What every resource of the API shares: one gate, one way to read a list, one way to write once."""

import hashlib
import re
from collections.abc import Callable
from functools import partial, reduce
from operator import or_
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags
from django_filters import FilterSet
from rest_framework import exceptions, viewsets
from rest_framework.pagination import BasePagination
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from reservation.regles.portees import ECRIRE, FAMILLES, LIRE
from reservation.services.idempotence import (
    CleDejaPrise,
    CleOccupee,
    Reponse,
    empreinte_demande,
    repondre_une_fois,
)
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

from .champs import ChampEntier, ChampTexte, Entree, Requete, lire
from .limites import LimiteRefus
from .problemes import Probleme

PAR_PAGE, PAR_PAGE_MAX = 50, 200
CLE = re.compile(r"[\x21-\x7e]{1,128}")
SEL_CURSEUR = "api.curseur"


def etiquette(donnees: Any) -> str:
    """The ETag of a representation: strong, the hash of its JSON."""
    return f'"{hashlib.sha256(JSONRenderer().render(donnees)).hexdigest()[:32]}"'


class RequeteListe(Requete):
    curseur = ChampTexte(
        max_length=400, required=False, help_text="Suite d’une liste : celui de l’adresse « suivant »."
    )
    limite = ChampEntier(
        min_value=1,
        max_value=PAR_PAGE_MAX,
        default=PAR_PAGE,
        help_text=f"Lignes par page, {PAR_PAGE} par défaut.",
    )


class ParCurseur(BasePagination):
    """Pages that follow each other by the last row read: rows that come meanwhile shift nothing.

    The cursor is signed: what a program makes up is refused before any query.
    """

    def lire_page(self, lignes: QuerySet, demande: dict, ordre: tuple[str, ...], request) -> list:
        """At most `limite` rows after the cursor, in the order of `ordre` (columns that tell rows apart)."""
        if "curseur" in demande:
            lignes = lignes.filter(self._apres(ordre, self._dernier(demande["curseur"], ordre)))
        limite = demande["limite"]
        page = list(lignes.order_by(*ordre)[: limite + 1])
        self.suivant = None
        if len(page) > limite:
            page.pop()
            curseur = signing.dumps(
                [str(getattr(page[-1], champ)) for champ in ordre], salt=SEL_CURSEUR, compress=True
            )
            parametres = request.query_params.copy()
            parametres["curseur"] = curseur
            self.suivant = request.build_absolute_uri(f"{request.path}?{parametres.urlencode()}")
        return page

    @staticmethod
    def _dernier(curseur: str, ordre: tuple[str, ...]) -> list[str]:
        try:
            valeurs = signing.loads(curseur, salt=SEL_CURSEUR)
        except signing.BadSignature:
            valeurs = []
        if len(valeurs) != len(ordre):
            raise Probleme(
                "champs-refuses", "Ce curseur n’est pas un curseur de cette liste : suivez « suivant »."
            )
        return valeurs

    @staticmethod
    def _apres(ordre: tuple[str, ...], valeurs: list[str]) -> Q:
        conditions = []
        for rang, champ in enumerate(ordre):
            egaux = dict(zip(ordre[:rang], valeurs[:rang], strict=True))
            conditions.append(Q(**egaux, **{f"{champ}__gt": valeurs[rang]}))
        return reduce(or_, conditions)

    def get_paginated_response(self, data) -> Response:
        return Response({"suivant": self.suivant, "resultats": data})

    def get_paginated_response_schema(self, schema):
        return {
            "type": "object",
            "required": ["suivant", "resultats"],
            "properties": {
                "suivant": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "Adresse de la page suivante ; null à la dernière.",
                },
                "resultats": schema,
            },
        }

    def get_schema_operation_parameters(self, view):
        return []


def comme_la_page(
    filtre: type[FilterSet], lignes: QuerySet, demande: dict, noms: tuple[str, ...], **contexte: Any
) -> QuerySet:
    """The rows that the filters `noms` of a page keep: the same class filters the page, its exports and the API.

    `demande` has been read already, with the same choices: a value that the page refuses is no value here.
    """
    valeurs = {
        nom: {True: "oui", False: "non"}.get(demande[nom], demande[nom])
        if isinstance(demande[nom], bool)
        else demande[nom]
        for nom in noms
        if nom in demande
    }
    return filtre(valeurs, queryset=lignes, **contexte).qs if valeurs else lignes


class Ressource(viewsets.GenericViewSet):
    """One kind of object. `lignes()`: what its serializer reads, before the perimeter; `ordre`: of its list."""

    lookup_value_regex = "[0-9]{1,18}"
    pagination_class = ParCurseur
    filter_backends = ()
    requete: type[RequeteListe] = RequeteListe
    ordre: tuple[str, ...] = ("pk",)
    # Scope of a token (`reservation.regles.portees`); empty: open to every token.
    famille = ""

    def initial(self, request, *args, **kwargs):
        try:
            super().initial(request, *args, **kwargs)
        except (exceptions.NotAuthenticated, exceptions.AuthenticationFailed):
            limite = LimiteRefus()
            if not limite.allow_request(request, self):
                raise exceptions.Throttled(limite.wait()) from None
            raise
        self._exiger_la_portee(request)
        self._refuser_la_requete_illisible(request)
        if request.method == "POST" and hasattr(self, "post"):
            self.post = partial(self._une_fois, self.post)

    def finalize_response(self, request, response, *args, **kwargs):
        """What is read says its version; who has it already receives nothing again (304)."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in ("GET", "HEAD") or response.status_code != 200:
            return response
        if isinstance(response, Response):
            response.headers["ETag"] = etiquette(response.data)
        if not (etag := response.headers.get("ETag")):
            return response
        if getattr(request, "jeton", None):
            patch_cache_control(response, private=True, no_cache=True)
        connus = parse_etags(request.headers.get("If-None-Match", ""))
        if connus == ["*"] or etag in [connu.removeprefix("W/") for connu in connus]:
            response.close()
            entetes = {
                nom: response.headers[nom] for nom in ("ETag", "Cache-Control") if nom in response.headers
            }
            return HttpResponseNotModified(headers=entetes)
        return response

    def _exiger_la_portee(self, request) -> None:
        """A token reads and writes what it was opened for; a person in a browser, what they may."""
        jeton = getattr(request, "jeton", None)
        if jeton is None or not self.famille or not hasattr(self, request.method.lower()):
            return  # 405 follows for a verb that nobody has here
        verbe = LIRE if request.method in ("GET", "HEAD", "OPTIONS") else ECRIRE
        if f"{self.famille}:{verbe}" not in jeton.portees:
            quoi = "lire" if verbe == LIRE else "écrire"
            raise Probleme(
                "hors-portee", f"Cet accès n’a pas la portée pour {quoi} : {FAMILLES[self.famille][0]}."
            )

    @staticmethod
    def _refuser_la_requete_illisible(request) -> None:
        """PostgreSQL refuses NUL; a parameter given twice says two things."""
        for nom, valeurs in request.query_params.lists():
            if "\0" in nom or any("\0" in valeur for valeur in valeurs):
                raise Probleme("champs-refuses", "L’adresse contient un caractère nul.")
            if len(valeurs) > 1:
                raise Probleme("champs-refuses", "Un paramètre de l’adresse est donné deux fois.")

    # --- Reading ----------------------------------------------------------------------------------------------

    def lignes(self) -> QuerySet:
        return self.queryset.all()

    def filtrer(self, lignes: QuerySet, demande: dict) -> QuerySet:
        """The rows that the query string asks for."""
        return lignes

    def lister(self, request) -> Response:
        """A page of the list, read for the actor."""
        demande = self.demande(request)
        lignes = self.filtrer(self.lignes().visibles_par(request.acteur), demande)
        page = self.paginator.lire_page(lignes, demande, self.ordre, request)
        return self.paginator.get_paginated_response(self.get_serializer(page, many=True).data)

    def demande(self, request) -> dict:
        return lire(self.requete, request.query_params.dict(), requete=True, acteur=request.acteur)

    def montrer(self, pk: str) -> Response:
        """One object, for the actor."""
        lire(Requete, self.request.query_params.dict(), requete=True)
        return Response(self.get_serializer(ouvrir(self.lignes(), self.request.acteur, pk=pk)).data)

    # --- Writing ----------------------------------------------------------------------------------------------

    def a_changer(self, pk: str):
        """The object, if the actor may change it: a stranger 404, a reader 403; as If-Match names it, when it does."""
        lignes = self.queryset.all()
        if self.request.method == "GET" or "If-Match" not in self.request.headers:
            return ouvrir_pour_ecrire(lignes, self.request.acteur, pk=pk)
        objet = ouvrir_pour_ecrire(lignes.select_for_update(of=("self",)), self.request.acteur, pk=pk)
        [vu] = self.get_serializer(
            self.lignes().visibles_par(self.request.acteur).filter(pk=pk), many=True
        ).data
        attendus = parse_etags(self.request.headers["If-Match"])
        if attendus != ["*"] and etiquette(vu) not in attendus:
            raise Probleme("version-depassee")
        return objet

    def corps(self, classe: Callable[..., Entree], **contexte: Any) -> dict:
        """What the body says, read by `classe`."""
        lire(Requete, self.request.query_params.dict(), requete=True)
        return lire(classe, self.request.data, acteur=self.request.acteur, **contexte)

    def rendre(self, pk: int | str, status: int = 200, **entetes: str) -> Response:
        """An object as an act leaves it."""
        [objet] = self.lignes().visibles_par(self.request.acteur).filter(pk=pk)
        return Response(self.get_serializer(objet).data, status=status, headers=entetes)

    def _une_fois(self, faire: Callable, request, *args, **kwargs):
        """Every POST bears a key; what it did once, it says again. Who may not write is refused by the gate itself."""
        if not request.acteur.peut_gerer:
            return faire(request, *args, **kwargs)
        cle = request.headers.get("Idempotency-Key", "").strip('"')
        if not CLE.fullmatch(cle):
            raise Probleme("cle-absente")

        def repondre() -> Reponse:
            reponse = faire(request, *args, **kwargs)
            corps = JSONRenderer().render(reponse.data).decode()
            return Reponse(reponse.status_code, corps, reponse.headers.get("Location", ""))

        empreinte = empreinte_demande(request.acteur, request.method, request.path, request.data)
        try:
            gardee = repondre_une_fois(request.acteur, cle, empreinte, repondre)
        except CleDejaPrise:
            raise Probleme("cle-deja-prise") from None
        except CleOccupee:
            raise Probleme(
                "conflit", "La même demande est déjà en cours : renvoyez-la dans un instant."
            ) from None
        entetes = {"Idempotent-Replayed": "true"} if gardee.rejouee else {}
        if gardee.emplacement:
            entetes["Location"] = gardee.emplacement
        return HttpResponse(
            gardee.corps, status=gardee.statut, content_type="application/json", headers=entetes
        )


class ListeEtDetail(Ressource):
    """A resource that is only read, or whose reading has nothing particular."""

    def list(self, request):
        return self.lister(request)

    def retrieve(self, request, pk):
        return self.montrer(pk)
