"""Reconciliations by program, read only: the runs, and their gaps with the sentence to carry over."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from flux.models import EcartRapprochement, EtatEcart, Rapprochement, ResponsableEcart
from flux.regles.rapprochement import NATURES_LABEL, Lieu, NatureEcart
from flux.services.rapprochements.phrases import LABEL, nature_de, phrase_de
from reservation.api.champs import ChampBooleen, ChampCode, ChampIdentifiant, ChampJour, ChampTexte
from reservation.api.ressources import OrganisationBreve
from reservation.api.vues import RequeteListe, Ressource

NATURES = ((LABEL[0], "label absent, postérieur ou échu"), *((n.value, n.libelle) for n in NatureEcart))


class RapprochementVu(serializers.ModelSerializer):
    """Une période d’un bailleur comparée aux extraits. Refait, c’est le même."""

    bailleur = OrganisationBreve()
    departement = serializers.CharField(source="departement_id")
    etat = serializers.ChoiceField(choices=Rapprochement.Etat.choices)

    class Meta:
        model = Rapprochement
        fields = ("id", "bailleur", "departement", "debut", "fin", "tolerance", "etat", "termine_le")
        read_only_fields = fields


class EcartVu(serializers.ModelSerializer):
    """Ce qui ne s’accorde pas sur une attribution, qui doit agir, et la phrase à reporter."""

    rapprochement = serializers.IntegerField(source="rapprochement_id")
    bailleur = serializers.IntegerField(source="bailleur_id")
    departement = serializers.CharField(source="departement_id")
    attribution = serializers.IntegerField(
        source="ligne.attribution_id", allow_null=True, help_text="null : seul l’extrait la dit."
    )
    demande = serializers.SerializerMethodField(help_text="Quatre derniers caractères du numéro unique.")
    nature = serializers.SerializerMethodField(
        help_text="À un réservataire, « LABEL » : sans label valable à la CALEOL."
    )
    lieu = serializers.ChoiceField(
        choices=[(lieu.value, lieu.value) for lieu in Lieu], help_text="Où le corriger."
    )
    responsable = serializers.ChoiceField(choices=ResponsableEcart.choices)
    etat = serializers.ChoiceField(choices=EtatEcart.choices)
    phrase = serializers.SerializerMethodField()

    class Meta:
        model = EcartRapprochement
        fields = (
            "id", "rapprochement", "bailleur", "departement", "attribution", "demande", "nature", "lieu", "responsable",
            "recuperable", "etat", "constate_le", "disparu_le", "phrase",
        )  # fmt: skip
        read_only_fields = fields

    def get_demande(self, ecart) -> str:
        return f"…{ecart.ligne.numero_fin}"

    def get_nature(self, ecart) -> str:
        return nature_de(ecart, self.context["request"].acteur)[0]

    def get_phrase(self, ecart) -> str:
        return phrase_de(ecart, ecart.rapprochement, self.context["request"].acteur)


class RequeteRapprochements(RequeteListe):
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)
    depuis = ChampJour(required=False, help_text="Dont la période finit ce jour ou après.")


class RequeteEcarts(RequeteListe):
    rapprochement = ChampIdentifiant(required=False)
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)
    nature = ChampCode(choices=NATURES, required=False)
    responsable = ChampCode(choices=ResponsableEcart.choices, required=False)
    etat = ChampCode(choices=EtatEcart.choices, required=False)
    recuperable = ChampBooleen(required=False)
    constate = ChampBooleen(required=False, help_text="true : encore constaté au dernier passage.")


class RapprochementsVue(Ressource):
    """Les rapprochements avec le SNE, SYPLO et Imhoweb."""

    famille = "rapprochements"
    queryset = Rapprochement.objects.all()
    serializer_class = RapprochementVu
    requete = RequeteRapprochements

    def lignes(self):
        return Rapprochement.objects.select_related("bailleur")

    def filtrer(self, lignes, demande):
        egaux = {"bailleur": "bailleur", "departement": "departement", "depuis": "fin__gte"}
        return lignes.filter(**{colonne: demande[nom] for nom, colonne in egaux.items() if nom in demande})

    @extend_schema(
        operation_id="rapprochements", summary="Lister les rapprochements", parameters=[RequeteRapprochements]
    )
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="rapprochement", summary="Lire un rapprochement")
    def retrieve(self, request, pk):
        return self.montrer(pk)


class EcartsVue(Ressource):
    """Les écarts des rapprochements : à corriger dans un autre outil, ou ici."""

    famille = "rapprochements"
    queryset = EcartRapprochement.objects.all()
    serializer_class = EcartVu
    requete = RequeteEcarts

    def lignes(self):
        return EcartRapprochement.objects.select_related("ligne", "rapprochement")

    def filtrer(self, lignes, demande):
        egaux = ("rapprochement", "bailleur", "departement", "responsable", "etat", "recuperable")
        lignes = lignes.filter(**{nom: demande[nom] for nom in egaux if nom in demande})
        if "constate" in demande:
            lignes = lignes.filter(disparu_le__isnull=demande["constate"])
        if nature := demande.get("nature"):
            fines = [nature] if nature != LABEL[0] else NATURES_LABEL
            if self.request.acteur.est_reservataire and nature in NATURES_LABEL:
                return lignes.none()  # to whom a label is valid or not
            lignes = lignes.filter(nature__in=fines)
        return lignes

    @extend_schema(operation_id="ecarts", summary="Lister les écarts", parameters=[RequeteEcarts])
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="ecart", summary="Lire un écart")
    def retrieve(self, request, pk):
        return self.montrer(pk)
