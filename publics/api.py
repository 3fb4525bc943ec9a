"""Labels by program: those that were granted, the proposals of a partner, what the DDETS answered.

A label is told by its group, never by its ground: the page shows the ground to who may read it, and writes the reading down.
"""

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from publics.models import Accompagnement, CategorieLabel, Labellisation, NaturePreuve, PropositionLabel
from publics.services import labels
from publics.services.labels import Demande, Instruction
from publics.services.reglages import reglages_le
from reservation.api.champs import (
    ChampBooleen,
    ChampCode,
    ChampIdentifiant,
    ChampJour,
    ChampListe,
    ChampTexte,
    Entree,
    Requete,
    lire,
    refuser,
)
from reservation.api.problemes import Erreur, Probleme, montrer
from reservation.api.ressources import CodeLibelle, coder
from reservation.api.vues import RequeteListe, Ressource
from reservation.models import Departement
from reservation.regles.typographie import typographier

LONGUEUR_NUMERO = 18


class _AvecGroupe(serializers.ModelSerializer):
    """What a label and its proposal have in common: whose, and in which group of the département today."""

    departement = serializers.CharField(source="departement_id")
    demande = serializers.CharField(
        source="menage.__str__", help_text="Quatre derniers caractères du numéro unique."
    )
    groupe = serializers.SerializerMethodField(
        help_text="Groupe de priorité du département, aujourd’hui : 1, 2 ou 3. Le motif ne se lit qu’à l’écran."
    )
    etat = serializers.SerializerMethodField()

    def get_groupe(self, ligne) -> int:
        lus = self.context.setdefault("reglages", {})
        if ligne.departement_id not in lus:
            lus |= reglages_le({ligne.departement_id}, timezone.localdate())
        return lus[ligne.departement_id].groupes[ligne.categorie_id]


class LabelVu(_AvecGroupe):
    """Un label accordé. Retiré, il finit la veille de son retrait."""

    saisi_par = serializers.IntegerField(source="saisie_par_id", allow_null=True)

    class Meta:
        model = Labellisation
        fields = (
            "id", "departement", "demande", "groupe", "manuelle", "debut", "fin", "etat", "saisi_par", "decidee_le",
            "retiree_le",
        )  # fmt: skip
        read_only_fields = fields

    def get_etat(self, label) -> str:
        return label.etat_le(timezone.localdate()).value


class PropositionVue(_AvecGroupe):
    """Un label demandé à la DDETS, et ce qu’elle a répondu."""

    propose_par = serializers.IntegerField(source="saisie_par_id")
    propose_le = serializers.DateField(source="saisie_le")
    motif = serializers.CharField(
        source="motif_id", allow_null=True, help_text="Code du motif d’un refus ; null sinon."
    )
    label = serializers.IntegerField(source="label_id", allow_null=True)

    class Meta:
        model = PropositionLabel
        fields = (
            "id", "departement", "demande", "groupe", "etat", "propose_par", "propose_le", "echeance", "decidee_le",
            "motif", "label",
        )  # fmt: skip
        read_only_fields = fields

    def get_etat(self, proposition) -> str:
        return proposition.etat


class RequeteLabels(RequeteListe):
    departement = ChampTexte(max_length=3, required=False)
    valable_le = ChampJour(required=False, help_text="Ceux qui comptent pour une CALEOL de ce jour.")
    manuelle = ChampBooleen(required=False)


class RequetePropositions(RequeteListe):
    departement = ChampTexte(max_length=3, required=False)
    etat = ChampCode(choices=PropositionLabel.Etat.choices, required=False)
    label = ChampIdentifiant(required=False)


class DemandeDeLabel(Entree):
    """Un ménage à reconnaître. Ni nom, ni document : un numéro unique, des codes et des dates."""

    secrets = frozenset({"numero_unique"})

    departement = ChampTexte(max_length=3)
    numero_unique = ChampTexte(
        max_length=24,
        write_only=True,
        help_text="Dix-huit lettres ou chiffres. Jamais rendu : seuls ses quatre derniers caractères se lisent.",
    )
    categorie = ChampTexte(max_length=20, help_text="Code d’une catégorie des références.")
    case_cerfa = ChampTexte(max_length=6, default="", allow_blank=True)
    preuve = ChampTexte(max_length=24, required=False, help_text="Code d’une nature de preuve.")
    preuve_le = ChampJour(required=False)
    evaluation_sociale = ChampBooleen(default=False)
    accompagnement = ChampCode(choices=Accompagnement.choices, default="", allow_blank=True)
    tailles = ChampListe(
        child=ChampTexte(max_length=8),
        attendu="des codes de tailles, comme T3",
        default=list,
        max_length=12,
        help_text="Tailles demandées par le ménage.",
    )
    secteur = ChampListe(
        child=ChampTexte(max_length=9),
        attendu="des codes INSEE de communes ou des SIREN d’EPCI",
        default=list,
        max_length=200,
        help_text="Secteur demandé par le ménage.",
    )

    def validate_numero_unique(self, numero: str) -> str:
        numero = "".join(numero.split()).upper()
        if len(numero) != LONGUEUR_NUMERO or not numero.isascii() or not numero.isalnum():
            raise serializers.ValidationError(
                typographier(
                    f"« numero_unique » : reçu {len(numero)} caractères, non répétés ; attendu : dix-huit lettres ou "
                    "chiffres."
                ),
                code="regle",
            )
        return numero

    def validate(self, donnees: dict) -> dict:
        for nom, lignes, attendu in (
            ("departement", Departement.objects.all(), "Ce département n’existe pas."),
            ("categorie", CategorieLabel.objects.all(), "Ce code n’est pas celui d’une catégorie."),
            ("preuve", NaturePreuve.objects.all(), "Ce code n’est pas celui d’une nature de preuve."),
        ):
            if nom in donnees:
                donnees[nom] = lignes.filter(pk=donnees[nom]).first() or refuser(nom, attendu)
        return donnees


@extend_schema_serializer(many=False)
class ReferencesLabels(serializers.Serializer):
    """Codes qu’une proposition emploie."""

    categories = CodeLibelle(many=True)
    preuves = CodeLibelle(many=True)
    accompagnements = CodeLibelle(many=True)


class LabelsVue(Ressource):
    """Les labels : ceux du département pour l’État, ceux qu’elle a saisis pour une autre organisation."""

    famille = "labels"
    queryset = Labellisation.objects.all()
    serializer_class = LabelVu
    requete = RequeteLabels

    def lignes(self):
        return Labellisation.objects.select_related("menage")

    def filtrer(self, lignes, demande):
        if "valable_le" in demande:
            lignes = lignes.en_vigueur(demande["valable_le"])
        return lignes.filter(**{nom: demande[nom] for nom in ("departement", "manuelle") if nom in demande})

    @extend_schema(operation_id="labels", summary="Lister les labels", parameters=[RequeteLabels])
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="label", summary="Lire un label")
    def retrieve(self, request, pk):
        return self.montrer(pk)


class PropositionsVue(Ressource):
    """Les labels proposés à la DDETS : par un bailleur, Action Logement Services ou un opérateur."""

    famille = "labels"
    queryset = PropositionLabel.objects.all()
    serializer_class = PropositionVue
    requete = RequetePropositions

    def lignes(self):
        return PropositionLabel.objects.select_related("menage")

    def filtrer(self, lignes, demande):
        egaux = ("departement", "etat", "label")
        return lignes.filter(**{nom: demande[nom] for nom in egaux if nom in demande})

    @extend_schema(
        operation_id="propositions", summary="Lister les propositions", parameters=[RequetePropositions]
    )
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="proposition", summary="Lire une proposition")
    def retrieve(self, request, pk):
        return self.montrer(pk)

    @extend_schema(
        operation_id="proposer_label",
        summary="Proposer un label",
        request=DemandeDeLabel,
        responses={201: PropositionVue},
    )
    def create(self, request):
        labels.exiger_partenaire(request.acteur)
        faits = self.corps(DemandeDeLabel)
        departement = faits["departement"]
        if departement not in labels.departements_de(request.acteur):
            phrase = typographier("Votre organisation n’intervient pas dans ce département.")
            attendu = "le code d’un département où votre organisation intervient"
            raise Probleme("regle", phrase, [Erreur("departement", montrer(departement.pk), attendu, phrase)])
        proposition = labels.proposer(
            request.acteur,
            departement,
            numero_unique=faits["numero_unique"],
            categorie=faits["categorie"],
            instruction=Instruction(
                evaluation_sociale=faits["evaluation_sociale"],
                accompagnement=faits["accompagnement"],
                preuve=faits.get("preuve"),
                preuve_le=faits.get("preuve_le"),
                case_cerfa=faits["case_cerfa"].strip().upper(),
            ),
            demande=Demande(faits["tailles"], faits["secteur"]),
        )
        return self.rendre(
            proposition.pk, 201, Location=reverse("api:proposition-detail", args=[proposition.pk])
        )

    @extend_schema(
        operation_id="retirer_proposition",
        summary="Retirer une proposition",
        request=None,
        responses=PropositionVue,
    )
    @action(detail=True, methods=["post"])
    def retrait(self, request, pk):
        proposition = self.a_changer(pk)
        self.corps(Entree)
        labels.reprendre(request.acteur, proposition)
        return self.rendre(pk)

    @extend_schema(
        operation_id="references_labels",
        summary="Lire les codes des propositions",
        responses=ReferencesLabels,
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def references(self, request):
        lire(Requete, request.query_params.dict(), requete=True)
        return Response(
            {
                "categories": coder(CategorieLabel.objects.order_by("rang").values_list("code", "libelle")),
                "preuves": coder(NaturePreuve.objects.order_by("rang").values_list("code", "libelle")),
                "accompagnements": coder(Accompagnement.choices),
            }
        )
