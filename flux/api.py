"""Resources of the week of a bailleur: freed dwellings and what follows them, the annual flux, motives.

Each verb is the service that the page calls. Who reads what is `visibles_par`, as on the pages.
"""

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from flux.filters import FiltreLiberations
from flux.forms import FINANCEMENTS_NEUFS, logements_de_reference
from flux.models import (
    Attribution,
    CalculFlux,
    CodeMotif,
    Imputation,
    Liberation,
    MotifRefus,
    Nature,
    PartFlux,
    Passage,
    Usage,
)
from flux.services import (
    attributions,
    liberations,
    orientations,
    reprises,
)
from flux.services.lecture import (
    avec_leur_base,
    base_des_termes,
)
from flux.services.suggestions import suggestion_de
from publics.services.menages import retrouver_menage
from reservation.api.champs import (
    ChampBooleen,
    ChampCode,
    ChampEntier,
    ChampIdentifiant,
    ChampJour,
    ChampTexte,
    Entree,
    Requete,
    lire,
    refuser,
)
from reservation.api.problemes import Erreur, Probleme, montrer
from reservation.api.ressources import CodeLibelle, OrganisationBreve, coder, voit_tout
from reservation.api.vues import ListeEtDetail, RequeteListe, Ressource, comme_la_page
from reservation.models import Organisation, StatutLogement
from reservation.regles.typographie import typographier

ANNEE = {"min_value": 2000, "max_value": 2100}
LONGUEUR_NUMERO = 18


def demande_vue(ligne) -> str | None:
    """What may be shown of a numéro unique: its last four characters; None when the household is not for the reader."""
    menage = getattr(ligne, "menage", None)
    return str(menage) if menage else None


# --- Libérations: what is shown -----------------------------------------------------------------------------------


class ImputationVue(serializers.ModelSerializer):
    reservataire = OrganisationBreve(allow_null=True)

    class Meta:
        model = Imputation
        fields = ("annee", "titre", "detail", "reservataire", "qpv", "date_caleol", "date_bail")
        read_only_fields = fields


class LiberationVue(serializers.ModelSerializer):
    bailleur = OrganisationBreve()
    departement = serializers.CharField(source="departement_id")
    commune = serializers.CharField(source="commune_id", help_text="Code INSEE.")
    reservataire = OrganisationBreve(
        allow_null=True, help_text="À qui elle est orientée ; le bailleur lui-même : non réservée."
    )
    usage = serializers.ChoiceField(choices=Usage.choices)
    statut_logement = serializers.ChoiceField(choices=StatutLogement.choices)
    attributions = serializers.PrimaryKeyRelatedField(
        many=True, read_only=True, help_text="Identifiants, dans l’ordre où elles ont été faites."
    )
    imputations = ImputationVue(
        many=True, read_only=True, help_text="Au plus une par exercice : où cette libération compte."
    )

    class Meta:
        model = Liberation
        fields = (
            "id", "bailleur", "departement", "commune", "cle_logement", "reference", "adresse", "qpv", "finan", "conv",
            "nbpiece", "typologie", "financement", "periode", "statut_logement", "dans_assiette", "date_preavis",
            "date", "date_disponibilite", "usage", "preuve", "premiere", "annulee_le", "motif_annulation",
            "reservataire", "orientee_le", "designation_echouee_le", "attributions", "imputations", "cree_le",
        )  # fmt: skip
        read_only_fields = fields


# Filters that the page and the API share (`flux.filters`).
DE_LA_PAGE = ("annee", "usage", "qpv", "premiere", "etape", "suite", "compte", "q")
CHOIX_DE_LA_PAGE = {
    nom: FiltreLiberations.base_filters[nom].extra["choices"] for nom in ("etape", "suite", "compte")
}


class RequeteLiberations(RequeteListe):
    annee = ChampEntier(**ANNEE, required=False, help_text="Année de la libération.")
    depuis = ChampJour(required=False, help_text="Libérées ce jour ou après.")
    jusqu_au = ChampJour(required=False, help_text="Libérées ce jour ou avant.")
    reference = ChampTexte(max_length=120, required=False, help_text="Référence exacte du bailleur.")
    usage = ChampCode(choices=Usage.choices, required=False)
    reservataire = ChampIdentifiant(required=False)
    orientee = ChampBooleen(required=False)
    annulee = ChampBooleen(required=False)
    premiere = ChampBooleen(required=False)
    qpv = ChampBooleen(required=False)
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)
    commune = ChampTexte(max_length=5, required=False)
    etape = ChampCode(
        choices=CHOIX_DE_LA_PAGE["etape"],
        required=False,
        help_text="Ce qui est attendu de vous, comme sur la page.",
    )
    suite = ChampCode(choices=CHOIX_DE_LA_PAGE["suite"], required=False, help_text="Comme sur la page.")
    compte = ChampCode(
        choices=CHOIX_DE_LA_PAGE["compte"], required=False, help_text="Lue par le calcul du flux, ou non."
    )
    q = ChampTexte(max_length=100, required=False, help_text="Mots de la référence ou de l’adresse.")


# --- Libérations: what is sent ------------------------------------------------------------------------------------


class DeclarationLiberation(Entree):
    """Un logement libéré. Sa référence suffit s’il est dans le parc ; un programme neuf se décrit."""

    reference = ChampTexte(
        max_length=100, help_text="La vôtre, ou l’identifiant RPLS, ou la clé du logement."
    )
    date = ChampJour(help_text="Libéré le.")
    date_preavis = ChampJour(required=False, allow_null=True, help_text="Préavis reçu le.")
    date_disponibilite = ChampJour(required=False, allow_null=True, help_text="Disponible à la location le.")
    usage = ChampCode(
        choices=Usage.choices,
        default=Usage.FLUX,
        help_text="Le flux, ou l’une des soustractions de l’article R. 441-5.",
    )
    preuve = ChampTexte(
        max_length=120,
        default="",
        allow_blank=True,
        help_text="Justificatif d’une soustraction, obligatoire pour elle.",
    )
    premiere = ChampBooleen(default=False, help_text="Première mise en location.")
    commune = ChampTexte(
        max_length=5, required=False, help_text="Code INSEE, pour un logement que le RPLS ignore."
    )
    adresse = ChampTexte(max_length=400, default="", allow_blank=True)
    qpv = ChampBooleen(required=False)
    finan = ChampCode(choices=FINANCEMENTS_NEUFS, required=False)
    conv = ChampCode(choices=[("1", "conventionné APL"), ("2", "non conventionné")], required=False)
    nbpiece = ChampEntier(min_value=1, max_value=9, required=False)
    construct = ChampEntier(min_value=1700, max_value=2100, required=False)

    DU_NEUF = ("commune", "qpv", "finan", "conv", "nbpiece", "construct")

    def validate(self, donnees: dict) -> dict:
        reference = donnees["reference"]
        trouves = list(logements_de_reference(self.context["acteur"], reference)[:2])
        if len(trouves) > 1:
            refuser("reference", "Plusieurs logements portent cette référence : donnez l’identifiant RPLS.")
        if not trouves and not donnees["premiere"]:
            refuser(
                "reference",
                "Cette référence n’est pas dans votre parc. Un logement que le RPLS ne connaît pas encore se déclare "
                "avec « premiere » : true, et se décrit.",
            )
        manquent = [champ for champ in self.DU_NEUF if champ not in donnees]
        if not trouves and manquent:
            phrases = [
                (champ, f"« {champ} » est demandé pour un logement que le RPLS ignore.") for champ in manquent
            ]
            refuser(*phrases[0], *phrases[1:])
        if donnees["usage"] != Usage.FLUX and not donnees["preuve"]:
            refuser("preuve", "Une soustraction demande la référence de son justificatif.")
        if donnees.get("date_preavis") and donnees["date_preavis"] > donnees["date"]:
            refuser("date_preavis", "Le préavis suit la libération ; attendu : ce jour-là ou avant.")
        if trouves:
            for champ in (*self.DU_NEUF, "adresse"):
                donnees.pop(champ, None)
        donnees["logement"] = trouves[0] if trouves else None
        return donnees


class AnnulationLiberation(Entree):
    date = ChampJour()
    motif = ChampTexte(max_length=24, help_text="Code d’un motif de l’acte « ANNULATION » des nomenclatures.")
    precision = ChampTexte(max_length=200, required=False, help_text="Rien sur le ménage.")


class OrientationLiberation(Entree):
    reservataire = ChampIdentifiant(
        help_text="Un réservataire dont l’acte porte sur la commune, ou vous-même."
    )
    date = ChampJour()
    motif = ChampTexte(
        max_length=24,
        required=False,
        help_text="Code d’un motif de l’acte « ORIENTATION » : demandé quand le choix n’est pas celui que l’application suggère.",
    )
    agents = ChampBooleen(
        required=False,
        help_text="Pour un agent de l’État, sous le plafond ; absent : comme l’orientation en cours.",
    )


class Reprise(Entree):
    """Un logement orienté, repris pour une seule location, là où la convention le permet."""

    date = ChampJour(help_text="Repris le.")
    motif = ChampTexte(max_length=24, help_text="Code d’un motif de l’acte « REPRISE ».")


class Retour(Entree):
    motif = ChampTexte(max_length=24, help_text="Code d’un motif de l’acte « CORRECTION ».")


class Suggestion(serializers.Serializer):
    """Le réservataire que l’application suggère pour une libération, et pourquoi."""

    reservataire = serializers.IntegerField(allow_null=True)
    phrase = serializers.CharField()


class EchecDesignation(Entree):
    date = ChampJour()


class MenagePropose(Entree):
    """Ce qu’un bailleur dit d’un ménage : son numéro, et ce que le ménage a déclaré."""

    secrets = frozenset({"numero_unique"})

    numero_unique = ChampTexte(
        max_length=24,
        write_only=True,
        help_text="Dix-huit lettres ou chiffres. Jamais rendu : seuls ses quatre derniers caractères se lisent.",
    )
    date_proposition = ChampJour(required=False, allow_null=True)
    statut_emploi = ChampCode(
        choices=Attribution.StatutEmploi.choices, default=Attribution.StatutEmploi.AUTRE
    )
    agent = ChampBooleen(default=False, help_text="Agent de l’État.")
    agent_valide_le = ChampJour(
        required=False,
        allow_null=True,
        help_text="Indicatif : l’attribution compte quand la DDETS ou la préfecture l’a enregistré.",
    )
    agent_adapte = ChampBooleen(default=False, help_text="Secteur et typologie conformes à sa demande.")

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
        if not donnees["agent"] and (donnees.get("agent_valide_le") or donnees["agent_adapte"]):
            champ = "agent_valide_le" if donnees.get("agent_valide_le") else "agent_adapte"
            refuser(champ, f"« {champ} » ne se donne que pour un agent de l’État.")
        return donnees


class DeclarationAttribution(MenagePropose):
    """La décision de la CALEOL d’attribuer."""

    date_caleol = ChampJour()
    motif_hors_prioritaire = ChampCode(
        choices=Attribution.MotifHorsPrioritaire.choices, default="", allow_blank=True
    )


class AttributionVue(serializers.ModelSerializer):
    """Une décision d’attribuer, la réponse du ménage, le bail."""

    bailleur = serializers.IntegerField(source="bailleur_id")
    departement = serializers.CharField(source="departement_id")
    liberation = serializers.IntegerField(source="liberation_id")
    passage = serializers.IntegerField(source="passage_id", allow_null=True)
    demande = serializers.SerializerMethodField(help_text="Quatre derniers caractères du numéro unique.")
    motif_refus = serializers.CharField(source="motif_refus.code", allow_null=True, default=None)
    statut_emploi = serializers.SerializerMethodField(help_text="Bailleur et État ; null pour les autres.")
    motif_hors_prioritaire = serializers.SerializerMethodField(
        help_text="Bailleur et État ; null pour les autres."
    )
    agent_valide_le = serializers.SerializerMethodField(help_text="Bailleur et État ; null pour les autres.")

    class Meta:
        model = Attribution
        fields = (
            "id", "bailleur", "departement", "liberation", "passage", "demande", "date_proposition", "date_caleol",
            "offre_le", "acceptee_le", "refusee_le", "motif_refus", "date_bail", "statut_emploi",
            "motif_hors_prioritaire", "agent", "agent_valide_le", "cree_le",
        )  # fmt: skip
        read_only_fields = fields

    def get_demande(self, attribution) -> str | None:
        return demande_vue(attribution)

    def get_statut_emploi(self, attribution) -> str | None:
        return self._reserve(attribution.statut_emploi)

    def get_motif_hors_prioritaire(self, attribution) -> str | None:
        return self._reserve(attribution.motif_hors_prioritaire)

    def get_agent_valide_le(self, attribution) -> str | None:
        return self._reserve(attribution.agent_valide_le and attribution.agent_valide_le.isoformat())

    def _reserve(self, valeur):
        return valeur if voit_tout(self.context["request"].acteur) else None


class LiberationsVue(Ressource):
    """Les logements libérés, de la déclaration à l’attribution."""

    famille = "liberations"
    queryset = Liberation.objects.all()
    serializer_class = LiberationVue
    requete = RequeteLiberations

    def lignes(self):
        acteur = self.request.acteur
        return Liberation.objects.select_related("bailleur", "reservataire").prefetch_related(
            Prefetch("attributions", Attribution.objects.visibles_par(acteur).order_by("date_caleol", "pk")),
            Prefetch(
                "imputations",
                Imputation.objects.visibles_par(acteur).select_related("reservataire").order_by("annee"),
            ),
        )

    def filtrer(self, lignes, demande):
        lignes = comme_la_page(FiltreLiberations, lignes, demande, DE_LA_PAGE, acteur=self.request.acteur)
        egaux = {
            "depuis": "date__gte", "jusqu_au": "date__lte", "reference": "reference", "reservataire": "reservataire",
            "bailleur": "bailleur", "departement": "departement", "commune": "commune",
        }  # fmt: skip
        lignes = lignes.filter(**{colonne: demande[nom] for nom, colonne in egaux.items() if nom in demande})
        for nom, colonne in (("orientee", "reservataire"), ("annulee", "annulee_le")):
            if nom in demande:
                lignes = lignes.filter(**{f"{colonne}__isnull": not demande[nom]})
        return lignes

    @extend_schema(
        operation_id="liberations", summary="Lister les libérations", parameters=[RequeteLiberations]
    )
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="liberation", summary="Lire une libération")
    def retrieve(self, request, pk):
        return self.montrer(pk)

    @extend_schema(
        operation_id="declarer_liberation",
        summary="Déclarer une libération",
        request=DeclarationLiberation,
        responses={201: LiberationVue},
    )
    def create(self, request):
        if not (request.acteur.est_bailleur and request.acteur.peut_gerer):
            raise PermissionDenied("Seul le bailleur déclare ses libérations, avec le rôle de gestion.")
        faits = self.corps(DeclarationLiberation)
        bailleur = Organisation.objects.get(pk=request.acteur.organisation_id)
        liberation = liberations.enregistrer_liberation(request.acteur, bailleur, **faits)
        return self.rendre(
            liberation.pk, 201, Location=reverse("api:liberation-detail", args=[liberation.pk])
        )

    @extend_schema(
        operation_id="annuler_liberation",
        summary="Annuler une libération",
        request=AnnulationLiberation,
        responses=LiberationVue,
    )
    @action(detail=True, methods=["post"])
    def annulation(self, request, pk):
        liberation = self.a_changer(pk)
        faits = self.corps(AnnulationLiberation)
        motif = lire_motif(
            faits.pop("motif"),
            CodeMotif.objects.filter(acte=CodeMotif.Acte.ANNULATION, actif=True),
            "Ce code n’est pas celui d’un motif d’annulation.",
        )
        liberations.annuler_liberation(request.acteur, liberation, motif=motif, **faits)
        return self.rendre(pk)

    @extend_schema(
        operation_id="orienter_liberation",
        summary="Orienter vers un réservataire",
        request=OrientationLiberation,
        responses=LiberationVue,
    )
    @action(detail=True, methods=["post"])
    def orientation(self, request, pk):
        liberation = self.a_changer(pk)
        faits = self.corps(OrientationLiberation)
        demande = faits["reservataire"]
        reservataire = orientations.reservataires_possibles(liberation).filter(pk=demande).first()
        if reservataire is None:
            phrase = typographier("Ce réservataire n’a pas de convention qui porte sur cette commune.")
            attendu = "un réservataire dont l’acte porte sur la commune, ou le bailleur lui-même"
            raise Probleme("regle", phrase, [Erreur("reservataire", montrer(demande), attendu, phrase)])
        motif = None
        if "motif" in faits:
            motif = lire_motif(
                faits["motif"],
                CodeMotif.objects.filter(acte=CodeMotif.Acte.ORIENTATION, actif=True),
                "Ce code n’est pas celui d’un motif d’orientation.",
            )
        orientations.choisir_reservataire(
            request.acteur,
            liberation,
            reservataire=reservataire,
            date=faits["date"],
            motif=motif,
            agents=faits.get("agents"),
        )
        return self.rendre(pk)

    @extend_schema(
        operation_id="reprendre_pour_un_tour",
        summary="Reprendre un logement pour un tour",
        request=Reprise,
        responses=LiberationVue,
    )
    @action(detail=True, methods=["post"])
    def reprise(self, request, pk):
        liberation = self.a_changer(pk)
        faits = self.corps(Reprise)
        motif = lire_motif(
            faits["motif"],
            CodeMotif.objects.filter(acte=CodeMotif.Acte.REPRISE, actif=True),
            "Ce code n’est pas celui d’un motif de reprise.",
        )
        reprises.reprendre_pour_un_tour(request.acteur, liberation, motif=motif, date=faits["date"])
        return self.rendre(pk)

    @extend_schema(
        operation_id="rendre_au_reservataire",
        summary="Rendre au réservataire un logement repris pour un tour",
        request=Retour,
        responses=LiberationVue,
    )
    @action(detail=True, methods=["post"])
    def retour(self, request, pk):
        liberation = self.a_changer(pk)
        motif = lire_motif(
            self.corps(Retour)["motif"],
            CodeMotif.objects.filter(acte=CodeMotif.Acte.CORRECTION, actif=True),
            "Ce code n’est pas celui d’un motif de correction.",
        )
        reprises.rendre_au_reservataire(request.acteur, liberation, motif=motif)
        return self.rendre(pk)

    @extend_schema(
        operation_id="suggestion", summary="Lire le réservataire suggéré, et pourquoi", responses=Suggestion
    )
    @action(detail=True, methods=["get"])
    def suggestion(self, request, pk):
        liberation = self.a_changer(pk)
        tableau, suggestion = suggestion_de(liberation)
        retenu = tableau.organisation(suggestion.retenu) if suggestion and suggestion.retenu else None
        return Response(
            Suggestion(
                {"reservataire": retenu, "phrase": suggestion.phrase if suggestion else tableau.empechement}
            ).data
        )

    @extend_schema(
        operation_id="constater_echec",
        summary="Constater l’échec de la désignation",
        request=EchecDesignation,
        responses=LiberationVue,
    )
    @action(detail=True, methods=["post"])
    def echec(self, request, pk):
        liberation = self.a_changer(pk)
        orientations.constater_echec_designation(request.acteur, liberation, **self.corps(EchecDesignation))
        return self.rendre(pk)

    @extend_schema(
        operation_id="declarer_attribution",
        summary="Enregistrer l’attribution en CALEOL",
        request=DeclarationAttribution,
        responses={201: AttributionVue},
    )
    @action(detail=True, methods=["post"])
    def attribution(self, request, pk):
        liberation = self.a_changer(pk)
        faits = self.corps(DeclarationAttribution)
        menage = retrouver_menage(faits.pop("numero_unique"), liberation.departement_id)
        faite = attributions.enregistrer_attribution(request.acteur, liberation, menage=menage, **faits)
        return Response(
            AttributionVue(faite, context=self.get_serializer_context()).data,
            status=201,
            headers={"Location": reverse("api:attribution-detail", args=[faite.pk])},
        )


# --- Attributions -------------------------------------------------------------------------------------------------


class RequeteAttributions(RequeteListe):
    annee = ChampEntier(**ANNEE, required=False, help_text="Année de la CALEOL.")
    depuis = ChampJour(required=False, help_text="CALEOL de ce jour ou après.")
    jusqu_au = ChampJour(required=False, help_text="CALEOL de ce jour ou avant.")
    liberation = ChampIdentifiant(required=False)
    refusee = ChampBooleen(required=False)
    avec_bail = ChampBooleen(required=False)
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)


class RefusAttribution(Entree):
    date = ChampJour()
    motif = ChampTexte(max_length=20, help_text="Code d’un motif de refus du ménage, lu dans « motifs ».")


class BailAttribution(Entree):
    date = ChampJour(help_text="Bail signé le.")


class ActeDate(Entree):
    date = ChampJour()


def lire_motif(code: str, motifs, phrase: str, champ: str = "motif"):
    """The coded reason that a body names; an answer that lists the codes when it is none of them."""
    motif = motifs.filter(code=code).first()
    if motif is None:
        attendu = "un code parmi : " + ", ".join(motifs.values_list("code", flat=True))
        raise Probleme(
            "regle", typographier(phrase), [Erreur(champ, montrer(code), attendu, typographier(phrase))]
        )
    return motif


def _acte_date(chemin: str, operation: str, resume: str, service):
    """One of the dated acts that follow an attribution."""

    def acte(self, request, pk):
        attribution = self.a_changer(pk)
        service(request.acteur, attribution, **self.corps(ActeDate))
        return self.rendre(pk)

    acte.__name__ = chemin
    vue = action(detail=True, methods=["post"])(acte)
    return extend_schema(operation_id=operation, summary=resume, request=ActeDate, responses=AttributionVue)(
        vue
    )


class AttributionsVue(Ressource):
    """Les attributions, leur refus ou leur bail."""

    famille = "liberations"
    queryset = Attribution.objects.all()
    serializer_class = AttributionVue
    requete = RequeteAttributions

    def lignes(self):
        return Attribution.objects.select_related("menage", "motif_refus")

    def filtrer(self, lignes, demande):
        egaux = {
            "annee": "date_caleol__year", "depuis": "date_caleol__gte", "jusqu_au": "date_caleol__lte",
            "liberation": "liberation", "bailleur": "bailleur", "departement": "departement",
        }  # fmt: skip
        lignes = lignes.filter(**{colonne: demande[nom] for nom, colonne in egaux.items() if nom in demande})
        for nom, colonne in (("refusee", "refusee_le"), ("avec_bail", "date_bail")):
            if nom in demande:
                lignes = lignes.filter(**{f"{colonne}__isnull": not demande[nom]})
        return lignes

    @extend_schema(
        operation_id="attributions", summary="Lister les attributions", parameters=[RequeteAttributions]
    )
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="attribution", summary="Lire une attribution")
    def retrieve(self, request, pk):
        return self.montrer(pk)

    @extend_schema(
        operation_id="refuser_attribution",
        summary="Enregistrer le refus du ménage",
        request=RefusAttribution,
        responses=AttributionVue,
    )
    @action(detail=True, methods=["post"])
    def refus(self, request, pk):
        attribution = self.a_changer(pk)
        faits = self.corps(RefusAttribution)
        motif = lire_motif(
            faits["motif"],
            MotifRefus.objects.filter(porteur=MotifRefus.Porteur.MENAGE, actif=True),
            "Ce code n’est pas celui d’un motif de refus du ménage.",
        )
        attributions.refuser_attribution(request.acteur, attribution, date=faits["date"], motif=motif)
        return self.rendre(pk)

    offre = _acte_date("offre", "notifier_offre", "Notifier l’offre au ménage", attributions.notifier_offre)
    acceptation = _acte_date(
        "acceptation", "accepter_offre", "Enregistrer l’acceptation", attributions.accepter_offre
    )
    silence = _acte_date(
        "silence",
        "constater_silence",
        "Constater l’absence de réponse dans les dix jours ; le rang suivant est servi",
        attributions.constater_silence,
    )
    pieces = _acte_date(
        "pieces",
        "constater_pieces_manquantes",
        "Constater que les pièces demandées n’ont pas été transmises ; le rang suivant est servi",
        attributions.constater_pieces_manquantes,
    )
    levee = _acte_date(
        "levee", "lever_condition", "Lever la condition suspensive", attributions.lever_condition
    )
    expiration = _acte_date(
        "expiration",
        "constater_condition_expiree",
        "Constater que la condition suspensive n’est pas remplie ; le rang suivant est servi",
        attributions.constater_condition_expiree,
    )

    @extend_schema(
        operation_id="enregistrer_bail",
        summary="Enregistrer le bail",
        request=BailAttribution,
        responses=AttributionVue,
    )
    @action(detail=True, methods=["post"])
    def bail(self, request, pk):
        attribution = self.a_changer(pk)
        attributions.enregistrer_bail(request.acteur, attribution, **self.corps(BailAttribution))
        return self.rendre(pk)


# --- Flux of the year ---------------------------------------------------------------------------------------------


class PartVue(serializers.ModelSerializer):
    reservataire = OrganisationBreve(allow_null=True)
    base = serializers.SerializerMethodField(
        help_text="Logements du flux sur lesquels la part porte : ceux du territoire d’une collectivité ; null quand "
        "elle porte sur plusieurs périodes. Texte."
    )
    part_exacte = serializers.DecimalField(
        max_digits=14, decimal_places=4, help_text="Logements, exactement ; texte, pour n’en rien perdre."
    )

    class Meta:
        model = PartFlux
        fields = (
            "code", "reservataire", "base", "part_exacte", "objectif", "report", "objectif_total", "realise",
        )  # fmt: skip
        read_only_fields = fields

    def get_base(self, part) -> str | None:
        base = base_des_termes(part.termes)
        return None if base is None else f"{base:f}"


class FluxVu(serializers.ModelSerializer):
    """Une version du calcul du flux.

    Un réservataire n’y lit ni le parc, ni les parts des autres ; une collectivité ou un autre réservataire y lit sa part
    et le flux de son territoire, non celui du bailleur.
    """

    bailleur = OrganisationBreve()
    departement = serializers.CharField(source="departement_id")
    nature = serializers.ChoiceField(choices=Nature.choices)
    parc = serializers.SerializerMethodField()
    soumis = serializers.SerializerMethodField(help_text="Assiette, en logements.")
    liberations = serializers.SerializerMethodField(help_text="Null pour une collectivité.")
    soustractions = serializers.SerializerMethodField(help_text="Null pour une collectivité.")
    flux = serializers.SerializerMethodField(help_text="Null pour une collectivité.")
    parts = PartVue(many=True, read_only=True)

    class Meta:
        model = CalculFlux
        fields = (
            "id", "bailleur", "departement", "annee", "nature", "version", "en_vigueur", "calcule_le", "parc", "soumis",
            "liberations", "soustractions", "flux", "parts",
        )  # fmt: skip
        read_only_fields = fields

    def get_parc(self, calcul) -> int | None:
        return self._complet(calcul.parc)

    def get_soumis(self, calcul) -> int | None:
        return self._complet(calcul.soumis)

    def get_liberations(self, calcul) -> int | None:
        return self._entier(calcul.liberations)

    def get_soustractions(self, calcul) -> int | None:
        return self._entier(calcul.soustractions)

    def get_flux(self, calcul) -> int | None:
        return self._entier(calcul.flux)

    def _entier(self, valeur: int) -> int | None:
        return valeur if self.context["request"].acteur.lit_les_flux_entiers else None

    def _complet(self, valeur: int) -> int | None:
        return None if self.context["request"].acteur.est_reservataire else valeur


class RequeteFlux(RequeteListe):
    annee = ChampEntier(**ANNEE, required=False)
    nature = ChampCode(choices=Nature.choices, required=False)
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)


class FluxVue(ListeEtDetail):
    """Le flux annuel, versions en vigueur, et la part de chacun."""

    famille = "flux"
    queryset = CalculFlux.objects.all()
    serializer_class = FluxVu
    requete = RequeteFlux

    def lignes(self):
        parts = avec_leur_base(PartFlux.objects.visibles_par(self.request.acteur)).select_related(
            "reservataire"
        )
        return (
            CalculFlux.objects.en_vigueur()
            .select_related("bailleur")
            .prefetch_related(Prefetch("parts", parts.order_by("rang")))
            .defer("entrees", "resultat", "etapes", "avertissements")
        )

    def filtrer(self, lignes, demande):
        noms = ("annee", "nature", "bailleur", "departement")
        return lignes.filter(**{nom: demande[nom] for nom in noms if nom in demande})

    @extend_schema(operation_id="flux", summary="Lister les flux annuels", parameters=[RequeteFlux])
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="flux_detail", summary="Lire un flux annuel")
    def retrieve(self, request, pk):
        return self.montrer(pk)


# --- Objectives -----------------------------------------------------------------------------------------------------


class ObjectifVu(serializers.ModelSerializer):
    """Ce qui est attendu d’un bailleur pour un réservataire, une année, et ce qui est fait.

    En cours d’année, c’est le flux prévisionnel en vigueur ; l’année finie, le flux réalisé, dès qu’il est calculé.
    """

    bailleur = OrganisationBreve()
    departement = serializers.CharField(source="departement_id")
    annee = serializers.IntegerField(source="calcul.annee")
    nature = serializers.ChoiceField(source="calcul.nature", choices=Nature.choices)
    flux = serializers.IntegerField(
        source="calcul_id", help_text="Identifiant du flux annuel dont il est une part."
    )
    reservataire = OrganisationBreve(allow_null=True, help_text="null : l’État ou ALS sans convention.")
    part_exacte = serializers.DecimalField(
        max_digits=14, decimal_places=4, help_text="Logements, exactement ; texte."
    )
    objectif = serializers.IntegerField(help_text="La part, en logements entiers.")
    report = serializers.IntegerField(help_text="Ce qui restait dû des années d’avant.")
    objectif_total = serializers.IntegerField(help_text="« objectif » et « report » ensemble.")
    realise = serializers.IntegerField(help_text="Compté pour ce réservataire.")

    class Meta:
        model = PartFlux
        fields = (
            "id", "bailleur", "departement", "annee", "nature", "flux", "code", "reservataire", "part_exacte",
            "objectif", "report", "objectif_total", "realise",
        )  # fmt: skip
        read_only_fields = fields


class RequeteObjectifs(RequeteListe):
    annee = ChampEntier(**ANNEE, required=False)
    nature = ChampCode(choices=Nature.choices, required=False)
    code = ChampTexte(
        max_length=20, required=False, help_text="Code du réservataire : ETAT, ALS, BAILLEUR ou le sien."
    )
    reservataire = ChampIdentifiant(required=False)
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)


class ObjectifsVue(ListeEtDetail):
    """L’objectif, le report et le réalisé de chaque réservataire, par bailleur, département et année."""

    famille = "flux"
    queryset = PartFlux.objects.all()
    serializer_class = ObjectifVu
    requete = RequeteObjectifs

    def lignes(self):
        en_vigueur = CalculFlux.objects.en_vigueur().visibles_par(self.request.acteur)
        return PartFlux.objects.filter(calcul__in=en_vigueur).select_related(
            "calcul", "bailleur", "reservataire"
        )

    def filtrer(self, lignes, demande):
        egaux = {
            "annee": "calcul__annee", "nature": "calcul__nature", "code": "code", "reservataire": "reservataire",
            "bailleur": "bailleur", "departement": "departement",
        }  # fmt: skip
        return lignes.filter(**{colonne: demande[nom] for nom, colonne in egaux.items() if nom in demande})

    @extend_schema(operation_id="objectifs", summary="Lister les objectifs", parameters=[RequeteObjectifs])
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="objectif", summary="Lire un objectif")
    def retrieve(self, request, pk):
        return self.montrer(pk)


# --- Motives ------------------------------------------------------------------------------------------------------


class MotifVu(CodeLibelle):
    actif = serializers.BooleanField(
        help_text="Proposé à la saisie ; les autres restent lus dans les actes passés."
    )


class MotifDeRefus(MotifVu):
    porteur = serializers.ChoiceField(choices=MotifRefus.Porteur.choices)


class MotifDActe(MotifVu):
    acte = serializers.ChoiceField(choices=CodeMotif.Acte.choices)


@extend_schema_serializer(many=False)
class Motifs(serializers.Serializer):
    """Codes que les actes emploient."""

    refus = MotifDeRefus(many=True)
    actes = MotifDActe(many=True)
    usages = CodeLibelle(many=True)
    decisions = CodeLibelle(many=True)
    statuts_emploi = CodeLibelle(many=True)


class MotifsVue(Ressource):
    """Les motifs et les codes des actes."""

    serializer_class = Motifs
    pagination_class = None

    @extend_schema(operation_id="motifs", summary="Lire les motifs", responses=Motifs)
    def list(self, request):
        lire(Requete, request.query_params.dict(), requete=True)
        return Response(
            {
                "refus": list(MotifRefus.objects.values("code", "libelle", "actif", "porteur")),
                "actes": list(CodeMotif.objects.values("code", "libelle", "actif", "acte")),
                "usages": coder(Usage.choices),
                "decisions": coder(Passage.Decision.choices),
                "statuts_emploi": coder(Attribution.StatutEmploi.choices),
            }
        )
