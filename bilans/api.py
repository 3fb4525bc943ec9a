"""The bilans of an actor: where each is, what was submitted, its last document; and what a réservataire received."""

from datetime import datetime

from django.db.models import OuterRef, Prefetch, Subquery
from django.http import FileResponse, Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action

from bilans.filters import FiltreBilans
from bilans.models import Bilan, DocumentBilan, EtapeBilan, VersionReservataire
from bilans.regles.cycle import ActeBilan, EtatBilan
from bilans.services.cycle import etats_des_bilans
from reservation.api.champs import ChampCode, ChampEntier, ChampIdentifiant, ChampTexte, Requete, lire
from reservation.api.ressources import OrganisationBreve
from reservation.api.vues import RequeteListe, Ressource, comme_la_page
from reservation.views.porte import ouvrir


class DocumentVu(serializers.ModelSerializer):
    class Meta:
        model = DocumentBilan
        fields = (
            "numero", "version", "donnees_au", "empreinte_donnees", "empreinte_pdf", "pages", "produit_le",
        )  # fmt: skip
        read_only_fields = fields


class SoumissionVue(serializers.ModelSerializer):
    """Une version soumise à la DDETS et transmise aux réservataires ; elle ne change plus."""

    numero = serializers.CharField(source="document.numero")
    version = serializers.IntegerField(source="document.version")
    empreinte_donnees = serializers.CharField(source="document.empreinte_donnees")
    empreinte_pdf = serializers.CharField(source="document.empreinte_pdf")
    accuse = serializers.CharField(
        source="accuse.numero",
        allow_null=True,
        help_text="Numéro de l’accusé de réception ; null pour une version reprise sans le sien.",
    )
    validee_le = serializers.SerializerMethodField(help_text="null tant que la DDETS ne l’a pas validée.")

    class Meta:
        model = EtapeBilan
        fields = ("numero", "version", "le", "accuse", "empreinte_donnees", "empreinte_pdf", "validee_le")
        read_only_fields = fields

    def get_validee_le(self, etape) -> datetime | None:
        return self.context.get("validations", {}).get(etape.document_id)


class BilanVu(serializers.ModelSerializer):
    bailleur = OrganisationBreve()
    departement = serializers.CharField(source="departement_id")
    etat = serializers.SerializerMethodField(help_text="Où en est le bilan.")
    soumissions = serializers.SerializerMethodField(
        help_text="Les versions soumises, de la première à la dernière."
    )
    document = serializers.SerializerMethodField(help_text="Le dernier produit ; null s’il n’y en a pas.")

    class Meta:
        model = Bilan
        fields = ("id", "bailleur", "departement", "annee", "etat", "appreciation", "document", "soumissions")
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField([(etat.value, etat.libelle) for etat in EtatBilan]))
    def get_etat(self, bilan) -> str:
        return bilan.etat_cycle or EtatBilan.PREPARATION.value

    def get_soumissions(self, bilan) -> SoumissionVue(many=True):
        validations = {e.document_id: e.le for e in bilan.actes if e.acte == ActeBilan.VALIDER}
        soumises = [e for e in bilan.actes if e.acte == ActeBilan.SOUMETTRE]
        return SoumissionVue(soumises, many=True, context={"validations": validations}).data

    def get_document(self, bilan) -> DocumentVu(allow_null=True):
        dernier = next(iter(bilan.derniers), None)
        return DocumentVu(dernier).data if dernier else None


class RequeteBilans(RequeteListe):
    annee = ChampEntier(min_value=2000, max_value=2100, required=False)
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)


class RequeteEtats(RequeteBilans):
    etat = ChampCode(choices=[(etat.value, etat.libelle) for etat in EtatBilan], required=False)


class BilansVue(Ressource):
    """Les bilans annuels : leur état, et leur document en PDF."""

    famille = "bilans"
    queryset = Bilan.objects.all()
    serializer_class = BilanVu
    requete = RequeteEtats

    def lignes(self):
        return (
            Bilan.objects.select_related("bailleur")
            .prefetch_related(
                Prefetch("documents", _derniers(), to_attr="derniers"),
                Prefetch("etapes", _versions(), to_attr="actes"),
            )
            .annotate(etat_cycle=etats_des_bilans())
        )

    def filtrer(self, lignes, demande):
        lignes = comme_la_page(FiltreBilans, lignes, demande, ("etat",), acteur=self.request.acteur)
        noms = ("annee", "bailleur", "departement")
        return lignes.filter(**{nom: demande[nom] for nom in noms if nom in demande})

    @extend_schema(operation_id="bilans", summary="Lister les bilans", parameters=[RequeteEtats])
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="bilan", summary="Lire un bilan")
    def retrieve(self, request, pk):
        return self.montrer(pk)

    @extend_schema(
        operation_id="bilan_pdf",
        summary="Télécharger le document",
        responses={
            (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, "Le dernier document produit.")
        },
    )
    @action(detail=True, methods=["get"])
    def pdf(self, request, pk):
        lire(Requete, request.query_params.dict(), requete=True)
        bilan = ouvrir(self.lignes(), request.acteur, pk=pk)
        if not bilan.derniers:
            raise Http404
        [document] = bilan.derniers
        return FileResponse(
            document.fichier.open("rb"),
            filename=f"{document.numero}.pdf",
            content_type="application/pdf",
            headers={"ETag": f'"{document.empreinte_pdf}"'},
        )


def _derniers():
    """The last version of each bilan, without the figures that it shows."""
    versions = DocumentBilan.objects.filter(bilan=OuterRef("bilan")).order_by("-version").values("pk")
    return (
        DocumentBilan.objects.filter(pk=Subquery(versions[:1]))
        .select_related("bilan", "bailleur")
        .defer("donnees")
    )


def _versions():
    """Submissions and validations, with their document and receipt, without the bytes."""
    return (
        EtapeBilan.objects.filter(acte__in=[ActeBilan.SOUMETTRE, ActeBilan.VALIDER])
        .select_related("document__bilan", "document__bailleur", "accuse")
        .defer("document__donnees", "accuse__octets")
        .order_by("rang")
    )


# --- What a réservataire received -----------------------------------------------------------------------------------


class BilanRecuVu(serializers.ModelSerializer):
    bailleur = OrganisationBreve()
    departement = serializers.CharField(source="departement_id")
    reservataire = OrganisationBreve()
    chiffres = serializers.DictField(
        source="donnees",
        help_text="Ce que le bailleur a soumis, ou transmis comme point d’étape (`situation.provisoire`), pour ce contingent "
        "seul ; figé.",
    )

    class Meta:
        model = VersionReservataire
        fields = (
            "id", "numero", "bailleur", "departement", "reservataire", "annee", "version", "envoyee_le",
            "empreinte_donnees", "empreinte_pdf", "pages", "chiffres",
        )  # fmt: skip
        read_only_fields = fields


class BilansRecusVue(Ressource):
    """Les bilans reçus par les réservataires : à chacun sa part, version par version."""

    famille = "bilans"
    queryset = VersionReservataire.objects.all()
    serializer_class = BilanRecuVu
    requete = RequeteBilans

    def lignes(self):
        return VersionReservataire.objects.select_related("bailleur", "reservataire").defer("octets")

    def filtrer(self, lignes, demande):
        noms = ("annee", "bailleur", "departement")
        return lignes.filter(**{nom: demande[nom] for nom in noms if nom in demande})

    @extend_schema(operation_id="bilans_recus", summary="Lister les bilans reçus", parameters=[RequeteBilans])
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="bilan_recu", summary="Lire un bilan reçu")
    def retrieve(self, request, pk):
        return self.montrer(pk)

    @extend_schema(
        operation_id="bilan_recu_pdf",
        summary="Télécharger le bilan reçu",
        responses={
            (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, "La version de ce réservataire.")
        },
    )
    @action(detail=True, methods=["get"])
    def pdf(self, request, pk):
        lire(Requete, request.query_params.dict(), requete=True)
        version = ouvrir(VersionReservataire.objects.select_related("bailleur"), request.acteur, pk=pk)
        if version.octets is None:
            raise Http404
        return HttpResponse(
            bytes(version.octets),
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'attachment; filename="{version.numero}.pdf"',
                "ETag": f'"{version.empreinte_pdf}"',
            },
        )
