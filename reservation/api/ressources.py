"""Resources of the ground floor: who one is, the parc, the partners, the nomenclatures."""

from django.db.models import Max, Q
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from reservation.acteur import Acteur
from reservation.models import (
    ClasseFinancement,
    ClassePeriode,
    ClasseTypologie,
    Departement,
    EtatParc,
    Logement,
    NatureSoustraction,
    Organisation,
    StatutLogement,
)
from reservation.models.organisations import LIBELLES_ROLE, LIBELLES_TYPE
from reservation.nomenclature_rpls import CONV, FINAN, MODE
from reservation.services import bac_a_sable

from .champs import ChampBooleen, ChampCode, ChampEntier, ChampIdentifiant, ChampTexte, Requete, lire
from .vues import ListeEtDetail, RequeteListe, Ressource


class OrganisationBreve(serializers.ModelSerializer):
    class Meta:
        model = Organisation
        fields = ("id", "nom", "type")
        read_only_fields = fields


class CodeLibelle(serializers.Serializer):
    code = serializers.CharField()
    libelle = serializers.CharField()


# --- Who one is -------------------------------------------------------------------------------------------------------


@extend_schema_serializer(many=False)
class Moi(serializers.Serializer):
    """L’accès avec lequel on appelle : pour vérifier un branchement."""

    personne = serializers.CharField(help_text="Nom affiché de la personne au nom de qui l’on agit.")
    organisation = OrganisationBreve(allow_null=True)
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=[str(role) for role in LIBELLES_ROLE])
    )
    departements = serializers.ListField(
        child=serializers.CharField(), help_text="Périmètre des services de l’État et du COPIL."
    )
    jeton = serializers.CharField(
        allow_null=True, help_text="Nom de l’accès API ; null pour une session ouverte dans un navigateur."
    )
    portees = serializers.ListField(
        child=serializers.CharField(),
        allow_null=True,
        help_text="Ce que l’accès peut lire et écrire ; null pour une session ouverte dans un navigateur.",
    )
    bac_a_sable = serializers.BooleanField(help_text="true : rien de ce qui est écrit n’est réel.")
    expire_le = serializers.DateField(allow_null=True, help_text="Dernier jour de l’accès API.")


class MoiVue(Ressource):
    """Qui appelle, pour quelle organisation, avec quels rôles."""

    serializer_class = Moi
    pagination_class = None

    @extend_schema(operation_id="moi", summary="Vérifier son accès", responses=Moi)
    def list(self, request):
        lire(Requete, request.query_params.dict(), requete=True)
        acteur = request.acteur
        organisation = Organisation.objects.filter(pk=acteur.organisation_id).first()
        moi = {
            "personne": request.user.nom,
            "organisation": organisation,
            "roles": sorted(str(role) for role in acteur.roles),
            "departements": acteur.departements,
            "jeton": request.jeton.nom if request.jeton else None,
            "portees": request.jeton.portees if request.jeton else None,
            "bac_a_sable": bool(request.jeton and request.jeton.bac_a_sable),
            "expire_le": request.jeton.fin if request.jeton else None,
        }
        return Response(Moi(moi).data)


# --- Parc -------------------------------------------------------------------------------------------------------------


class LogementVu(serializers.ModelSerializer):
    reference = serializers.CharField(
        source="ident_int", help_text="Référence du bailleur (IDENT_INT du RPLS)."
    )
    identifiant_rpls = serializers.CharField(source="ident_rep", help_text="IDENT_REP du RPLS.")
    bailleur = serializers.IntegerField(source="bailleur_id")
    departement = serializers.CharField(source="departement_id")
    commune = serializers.CharField(source="commune_id", help_text="Code INSEE.")
    statut = serializers.ChoiceField(
        choices=StatutLogement.choices, help_text="Dans ou hors de l’assiette, et pourquoi."
    )

    class Meta:
        model = Logement
        fields = (
            "id", "bailleur", "departement", "commune", "millesime", "cle", "reference", "identifiant_rpls",
            "adresse", "code_postal", "programme", "qpv", "nbpiece", "surfhab", "construct", "finan", "conv",
            "mode", "drapeaux", "typologie", "financement", "periode", "statut",
        )  # fmt: skip
        read_only_fields = fields


class RequeteLogements(RequeteListe):
    reference = ChampTexte(
        max_length=120,
        required=False,
        help_text="Exactement : référence du bailleur, identifiant RPLS ou clé du logement.",
    )
    millesime = ChampEntier(
        min_value=2010, max_value=2100, required=False, help_text="Le dernier importé, par défaut."
    )
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)
    commune = ChampTexte(max_length=5, required=False)
    qpv = ChampBooleen(required=False)
    statut = ChampCode(choices=StatutLogement.choices, required=False)


class LogementsVue(ListeEtDetail):
    """Le parc, tel que le RPLS l’a donné : lu par son bailleur et par les services de l’État du département."""

    famille = "parc"
    queryset = Logement.objects.all()
    serializer_class = LogementVu
    requete = RequeteLogements
    ordre = ("bailleur_id", "cle")

    @extend_schema(operation_id="logements", summary="Chercher dans le parc", parameters=[RequeteLogements])
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="logement", summary="Lire un logement")
    def retrieve(self, request, pk):
        return self.montrer(pk)

    def filtrer(self, lignes, demande):
        lignes = lignes.filter(millesime=demande.get("millesime") or self._dernier_millesime())
        for champ in ("bailleur", "departement", "commune", "qpv", "statut"):
            if champ in demande:
                lignes = lignes.filter(**{champ: demande[champ]})
        if "reference" in demande:
            texte = demande["reference"]
            lignes = lignes.filter(Q(ident_int=texte) | Q(ident_rep=texte) | Q(cle=texte))
        return lignes

    def _dernier_millesime(self) -> int:
        etats = EtatParc.objects.visibles_par(self.request.acteur)
        return etats.aggregate(dernier=Max("millesime"))["dernier"] or 0


# --- Partners ---------------------------------------------------------------------------------------------------------


class OrganisationVue(serializers.ModelSerializer):
    type = serializers.ChoiceField(choices=[(str(code), libelle) for code, libelle in LIBELLES_TYPE.items()])
    code = serializers.CharField(
        source="code_reservataire", help_text="Code de réservataire : ETAT, ALS, BAILLEUR ou le sien."
    )

    class Meta:
        model = Organisation
        fields = ("id", "nom", "type", "siren", "code", "fermee_le")
        read_only_fields = fields


class RequeteOrganisations(RequeteListe):
    type = ChampCode(
        choices=[(str(code), libelle) for code, libelle in LIBELLES_TYPE.items()], required=False
    )


class OrganisationsVue(ListeEtDetail):
    """Les partenaires que l’on connaît : l’identifiant d’un réservataire se lit ici."""

    queryset = Organisation.objects.all()
    serializer_class = OrganisationVue
    requete = RequeteOrganisations

    @extend_schema(
        operation_id="organisations", summary="Lister ses partenaires", parameters=[RequeteOrganisations]
    )
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="organisation", summary="Lire un partenaire")
    def retrieve(self, request, pk):
        return self.montrer(pk)

    def filtrer(self, lignes, demande):
        return lignes.filter(type=demande["type"]) if "type" in demande else lignes


# --- Nomenclatures ----------------------------------------------------------------------------------------------------


@extend_schema_serializer(many=False)
class Nomenclatures(serializers.Serializer):
    """Codes et libellés que les autres réponses emploient."""

    typologies = CodeLibelle(many=True)
    financements = CodeLibelle(many=True, help_text="Classes du bilan.")
    periodes = CodeLibelle(many=True, help_text="Classes d’année de construction.")
    statuts = CodeLibelle(many=True, help_text="Statut d’un logement au regard de l’assiette.")
    soustractions = CodeLibelle(many=True, help_text="Usages qui retirent une libération du flux.")
    finan = CodeLibelle(many=True, help_text="Financement initial, codes du RPLS.")
    conv = CodeLibelle(many=True, help_text="Conventionnement APL, codes du RPLS.")
    mode = CodeLibelle(many=True, help_text="Occupation, codes du RPLS.")
    departements = CodeLibelle(many=True)


def coder(paires) -> list[dict[str, str]]:
    return [{"code": str(code), "libelle": str(libelle)} for code, libelle in paires]


class NomenclaturesVue(Ressource):
    """Les nomenclatures du parc et du bilan. Celles des actes sont dans « motifs »."""

    serializer_class = Nomenclatures
    pagination_class = None

    @extend_schema(operation_id="nomenclatures", summary="Lire les nomenclatures", responses=Nomenclatures)
    def list(self, request):
        lire(Requete, request.query_params.dict(), requete=True)
        classes = {
            "typologies": ClasseTypologie,
            "financements": ClasseFinancement,
            "periodes": ClassePeriode,
        }
        return Response(
            {
                **{
                    nom: coder(modele.objects.values_list("code", "libelle"))
                    for nom, modele in classes.items()
                },
                "statuts": coder(StatutLogement.choices),
                "soustractions": coder(NatureSoustraction.choices),
                "finan": coder(FINAN.items()),
                "conv": coder(CONV.items()),
                "mode": coder(MODE.items()),
                "departements": coder(_departements(request).values_list("code", "nom")),
            }
        )


def _departements(request):
    """All that exist; that of the sandbox, to its programs alone."""
    departements = Departement.objects.order_by("code")
    if request.jeton and request.jeton.bac_a_sable:
        return departements
    return departements.exclude(pk=bac_a_sable.DEPARTEMENT)


def voit_tout(acteur: Acteur) -> bool:
    """Whether what the table of chapter 2 keeps for the bailleur and the State may be shown."""
    return acteur.systeme or acteur.est_bailleur or acteur.est_service_etat
