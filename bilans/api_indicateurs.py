"""The indicators of the priority households, as the page says them."""

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from bilans.regles.indicateurs import PERIODES
from bilans.services.indicateurs import Demande, lire_indicateurs
from reservation.api.champs import ChampCode, ChampEntier, ChampIdentifiant, ChampTexte, Requete, lire
from reservation.api.ressources import OrganisationBreve
from reservation.api.vues import Ressource

MASQUE = "null : masqué, parce que moins de onze ménages, ou pour ne pas les révéler."


class RequeteIndicateurs(Requete):
    annee = ChampEntier(
        min_value=2000, max_value=2100, required=False, help_text="L’année en cours par défaut."
    )
    periode = ChampCode(
        choices=[(code, code) for code in PERIODES if code], required=False, help_text="L’année par défaut."
    )
    departement = ChampTexte(max_length=3, required=False)
    bailleur = ChampIdentifiant(required=False)
    reservataire = ChampTexte(max_length=20, required=False, help_text="Code : ETAT, ALS, BAILLEUR, 06029…")


class _Nombre(serializers.IntegerField):
    """A count that may be hidden."""

    def __init__(self, **kwargs):
        super().__init__(source=kwargs.pop("chemin"), allow_null=True, help_text=MASQUE, **kwargs)


class QuartVu(serializers.Serializer):
    departement = serializers.CharField()
    code = serializers.CharField(help_text="Code du réservataire.")
    nom = serializers.CharField()
    bailleur = OrganisationBreve(allow_null=True, help_text="null : tous les bailleurs du département.")
    prioritaires = _Nombre(chemin="prioritaires.nombre")
    attributions = _Nombre(chemin="attributions.nombre")
    restent = _Nombre(chemin="manque")


class ExceptionVue(serializers.Serializer):
    motif = serializers.CharField()
    nombre = serializers.IntegerField(allow_null=True, help_text=MASQUE)


class CentVu(serializers.Serializer):
    departement = serializers.CharField()
    bailleur = OrganisationBreve(allow_null=True, help_text="null : tous les bailleurs du département.")
    prioritaires = _Nombre(chemin="prioritaires.nombre")
    attributions = _Nombre(chemin="attributions.nombre")
    exceptions = serializers.SerializerMethodField()
    sans_motif = _Nombre(chemin="manque.nombre")

    def get_exceptions(self, ligne) -> ExceptionVue(many=True):
        return [{"motif": libelle, "nombre": chiffre.nombre} for libelle, chiffre in ligne.exceptions]


class SortantsVus(serializers.Serializer):
    departement = serializers.CharField()
    sortants = _Nombre(chemin="sortants.nombre")
    attributions = _Nombre(chemin="attributions.nombre")
    restent = _Nombre(chemin="manque")


class DetailVu(serializers.Serializer):
    code = serializers.CharField(allow_blank=True, help_text="Vide : l’ensemble.")
    libelle = serializers.CharField()
    nombre = _Nombre(chemin="chiffre.nombre")


class IndicateurVu(serializers.Serializer):
    code = serializers.CharField(source="definition.code")
    titre = serializers.CharField(source="definition.titre")
    definition = serializers.CharField(source="definition.definition")
    origine = serializers.CharField(source="definition.source.value", help_text="D’où viennent ces nombres.")
    details = DetailVu(many=True)
    reserve = serializers.CharField(allow_blank=True, help_text="Pourquoi une partie n’est pas donnée.")


@extend_schema_serializer(many=False)
class IndicateursVus(serializers.Serializer):
    """Les tests de priorité et les sept indicateurs de l’article 5 (PACA)."""

    annee = serializers.IntegerField(source="demande.annee")
    periode = serializers.CharField(source="demande.periode", allow_blank=True)
    departement = serializers.CharField(source="demande.departement", allow_blank=True)
    quarts = QuartVu(many=True)
    etat_100 = CentVu(many=True, source="cent")
    sortants = SortantsVus(many=True)
    article_5 = IndicateurVu(many=True)


class IndicateursVue(Ressource):
    """Les indicateurs des publics prioritaires."""

    famille = "bilans"
    serializer_class = IndicateursVus
    pagination_class = None

    @extend_schema(
        operation_id="indicateurs",
        summary="Lire les indicateurs",
        parameters=[RequeteIndicateurs],
        responses=IndicateursVus,
    )
    def list(self, request):
        demande = lire(RequeteIndicateurs, request.query_params.dict(), requete=True)
        lus = lire_indicateurs(request.acteur, Demande(**{"annee": timezone.localdate().year} | demande))
        if lus is None:
            raise Http404
        return Response(IndicateursVus(lus).data)
