"""The forecast shares of Action Logement, as agreed, read only: proposed by one, accepted by the other."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from bilans.models import PartConvenue
from reservation.api.champs import ChampCode, ChampEntier, ChampIdentifiant, ChampTexte
from reservation.api.ressources import OrganisationBreve
from reservation.api.vues import ListeEtDetail, RequeteListe


class PartConvenueVue(serializers.ModelSerializer):
    """Une version de la part prévisionnelle d’Action Logement pour une année."""

    bailleur = OrganisationBreve()
    departement = serializers.CharField(source="departement_id")
    reservataire = OrganisationBreve()
    etat = serializers.ChoiceField(choices=PartConvenue.Etat.choices)
    proposee_pour = serializers.IntegerField(
        source="proposee_pour_id", help_text="L’organisation qui l’a proposée."
    )

    class Meta:
        model = PartConvenue
        fields = (
            "id", "bailleur", "departement", "reservataire", "annee", "version", "logements", "observation", "etat",
            "proposee_pour", "proposee_le", "acceptee_le", "prefet_informe_le",
        )  # fmt: skip
        read_only_fields = fields


class RequeteParts(RequeteListe):
    annee = ChampEntier(min_value=2000, max_value=2100, required=False)
    etat = ChampCode(choices=PartConvenue.Etat.choices, required=False)
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)


class PartsConvenuesVue(ListeEtDetail):
    """Les parts prévisionnelles d’Action Logement : proposées, acceptées, remplacées."""

    famille = "flux"
    queryset = PartConvenue.objects.all()
    serializer_class = PartConvenueVue
    requete = RequeteParts

    def lignes(self):
        return PartConvenue.objects.select_related("bailleur", "reservataire")

    def filtrer(self, lignes, demande):
        noms = ("annee", "etat", "bailleur", "departement")
        return lignes.filter(**{nom: demande[nom] for nom in noms if nom in demande})

    @extend_schema(
        operation_id="parts_convenues", summary="Lister les parts prévisionnelles", parameters=[RequeteParts]
    )
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="part_convenue", summary="Lire une part prévisionnelle")
    def retrieve(self, request, pk):
        return self.montrer(pk)
