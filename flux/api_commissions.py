"""Commissions by program: planned, their agenda and candidatures, the DDETS convened, decisions, closed, reopened.

Each verb is the service that the page calls; what a page asks to confirm, a program reads in `controle` and sends back.
"""

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from flux.api import ANNEE, MenagePropose, demande_vue, lire_motif
from flux.filters import FiltreCommissions
from flux.models import CodeMotif, Commission, Liberation, LigneOrdreDuJour, MotifRefus, Passage
from flux.services import commissions, convocations
from flux.services.seances import lire_seance
from reservation.api.champs import (
    ChampBooleen,
    ChampCode,
    ChampEntier,
    ChampHeure,
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
from reservation.api.ressources import voit_tout
from reservation.api.vues import RequeteListe, Ressource, comme_la_page
from reservation.models import Departement, Organisation, Presence
from reservation.regles.typographie import typographier
from reservation.views.porte import ouvrir

# --- What is shown ------------------------------------------------------------------------------------------------


class LigneVue(serializers.ModelSerializer):
    liberation = serializers.IntegerField(source="liberation_id")
    motif_candidatures = serializers.CharField(
        source="motif_candidatures.code",
        allow_null=True,
        default=None,
        help_text="Pourquoi moins de trois candidatures.",
    )

    class Meta:
        model = LigneOrdreDuJour
        fields = ("rang", "liberation", "motif_candidatures")
        read_only_fields = fields


class CommissionVue(serializers.ModelSerializer):
    bailleur = serializers.IntegerField(source="bailleur_id")
    departement = serializers.CharField(source="departement_id")
    etat = serializers.ChoiceField(choices=Commission.Etat.choices)
    lignes = LigneVue(many=True, read_only=True, help_text="Ordre du jour.")

    class Meta:
        model = Commission
        fields = (
            "id", "bailleur", "departement", "date", "heure", "dematerialisee", "date_fin", "heure_fin", "lieu", "etat",
            "close_le", "lignes",
        )  # fmt: skip
        read_only_fields = fields


class PassageVu(serializers.ModelSerializer):
    """Une candidature examinée. Tant que la commission n’est pas close, sa décision n’est qu’un projet (« definitif »
    vaut false), que seuls lisent le bailleur et l’État."""

    commission = serializers.IntegerField(source="commission_id")
    liberation = serializers.IntegerField(source="liberation_id")
    demande = serializers.SerializerMethodField(help_text="Quatre derniers caractères du numéro unique.")
    decision = serializers.ChoiceField(choices=Passage.Decision.choices, allow_blank=True)
    motif = serializers.CharField(source="motif.code", allow_null=True, default=None)
    condition_piece = serializers.CharField(source="condition_piece.code", allow_null=True, default=None)

    class Meta:
        model = Passage
        fields = (
            "id", "commission", "liberation", "demande", "date_proposition", "decision", "rang", "motif",
            "condition_piece", "condition_echeance", "condition_levee_le", "definitif",
        )  # fmt: skip
        read_only_fields = fields

    def get_demande(self, passage) -> str | None:
        return demande_vue(passage)

    def to_representation(self, passage):
        vue = super().to_representation(passage)
        if not passage.definitif and not voit_tout(self.context["request"].acteur):
            vue |= {"decision": ""} | dict.fromkeys(
                ("rang", "motif", "condition_piece", "condition_echeance", "condition_levee_le")
            )
        return vue


class PointDeControle(serializers.Serializer):
    liberation = serializers.IntegerField(allow_null=True)
    passage = serializers.IntegerField(
        allow_null=True, help_text="null : le logement entier, ou la commission."
    )
    phrase = serializers.CharField()


class Controle(serializers.Serializer):
    """Ce qui empêche de clore, et ce qu’il faut confirmer : renvoyez les phrases de « points » avec la clôture."""

    erreurs = PointDeControle(many=True)
    points = serializers.ListField(child=serializers.CharField())


# --- What is sent -------------------------------------------------------------------------------------------------


class Seance(Entree):
    """Une réunion dit son lieu ; une fenêtre dématérialisée, quand elle se ferme."""

    date = ChampJour()
    heure = ChampHeure(help_text="Heure de Paris.")
    dematerialisee = ChampBooleen(default=False)
    lieu = ChampTexte(max_length=200, default="", allow_blank=True)
    date_fin = ChampJour(required=False, allow_null=True)
    heure_fin = ChampHeure(required=False, allow_null=True)

    def validate(self, donnees: dict) -> dict:
        if donnees["dematerialisee"]:
            manquent = [nom for nom in ("date_fin", "heure_fin") if not donnees.get(nom)]
            if manquent:
                refuser(manquent[0], "Une commission dématérialisée dit quand sa fenêtre se ferme.")
        elif not donnees["lieu"].strip():
            refuser("lieu", "Une réunion dit où elle se tient.")
        return donnees


class Planification(Seance):
    departement = ChampTexte(max_length=3)


class MotifLibre(Entree):
    motif = ChampTexte(max_length=300, help_text="Rien sur un ménage.")


class Logements(Entree):
    liberations = ChampListe(
        child=ChampIdentifiant(),
        allow_empty=False,
        max_length=200,
        attendu="une liste d’identifiants de libérations, de 1 à 200",
    )


class Logement(Entree):
    liberation = ChampIdentifiant(help_text="Une libération à l’ordre du jour.")


class MotifCandidatures(Logement):
    motif = ChampTexte(
        max_length=24,
        allow_null=True,
        help_text="Code d’un motif de l’acte « CANDIDATURES » ; null : le motif est repris.",
    )


class Candidature(MenagePropose):
    """Un ménage présenté pour un logement à l’ordre du jour."""

    liberation = ChampIdentifiant(help_text="Une libération à l’ordre du jour.")


class Decision(Entree):
    """Une décision, ou "" pour l’effacer. Un rang va avec b, un motif avec d et e, une pièce et son échéance avec c."""

    decision = ChampCode(choices=Passage.Decision.choices, allow_blank=True)
    rang = ChampEntier(min_value=1, max_value=999, required=False, allow_null=True)
    motif = ChampTexte(max_length=20, required=False, allow_null=True)
    piece = ChampTexte(max_length=24, required=False, allow_null=True)
    echeance = ChampJour(required=False, allow_null=True)


class Cloture(Entree):
    points = ChampListe(
        child=ChampTexte(max_length=600),
        default=list,
        max_length=2000,
        attendu="les phrases lues dans « points » du contrôle",
    )


class Vide(Entree):
    """Rien à envoyer."""


# --- Commissions --------------------------------------------------------------------------------------------------


class RequeteCommissions(RequeteListe):
    annee = ChampEntier(**ANNEE, required=False)
    depuis = ChampJour(required=False)
    jusqu_au = ChampJour(required=False)
    etat = ChampCode(choices=Commission.Etat.choices, required=False)
    quand = ChampCode(
        choices=FiltreCommissions.base_filters["quand"].extra["choices"],
        required=False,
        help_text="Comme sur la page.",
    )
    bailleur = ChampIdentifiant(required=False)
    departement = ChampTexte(max_length=3, required=False)


def ligne_de(commission: Commission, liberation: int) -> LigneOrdreDuJour:
    """The line of the agenda that a body names by its libération."""
    ligne = commission.lignes.select_related("commission").filter(liberation=liberation).first()
    if ligne is None:
        phrase = typographier("Ce logement n’est pas à l’ordre du jour de cette commission.")
        attendu = "une libération de « lignes »"
        raise Probleme("regle", phrase, [Erreur("liberation", montrer(liberation), attendu, phrase)])
    return ligne


class CommissionsVue(Ressource):
    """Les commissions d’attribution (CALEOL), de la planification à la clôture."""

    famille = "commissions"
    queryset = Commission.objects.all()
    serializer_class = CommissionVue
    requete = RequeteCommissions

    def lignes(self):
        ordre = LigneOrdreDuJour.objects.select_related("motif_candidatures").order_by("rang", "pk")
        return Commission.objects.prefetch_related(
            Prefetch("lignes", ordre.visibles_par(self.request.acteur))
        )

    def filtrer(self, lignes, demande):
        lignes = comme_la_page(
            FiltreCommissions, lignes, demande, ("annee", "quand"), acteur=self.request.acteur
        )
        egaux = {
            "depuis": "date__gte", "jusqu_au": "date__lte", "bailleur": "bailleur",
            "departement": "departement", "etat": "etat",
        }  # fmt: skip
        return lignes.filter(**{colonne: demande[nom] for nom, colonne in egaux.items() if nom in demande})

    @extend_schema(
        operation_id="commissions", summary="Lister les commissions", parameters=[RequeteCommissions]
    )
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="commission", summary="Lire une commission")
    def retrieve(self, request, pk):
        return self.montrer(pk)

    @extend_schema(
        operation_id="planifier_commission",
        summary="Planifier une commission",
        request=Planification,
        responses={201: CommissionVue},
    )
    def create(self, request):
        if not (request.acteur.est_bailleur and request.acteur.peut_gerer):
            raise PermissionDenied("Seul le bailleur planifie ses commissions, avec le rôle de gestion.")
        faits = self.corps(Planification)
        code = faits.pop("departement")
        presences = Presence.objects.filter(bailleur=request.acteur.organisation_id)
        siens = Departement.objects.filter(pk__in=presences.values("departement")).order_by("pk")
        departement = siens.filter(pk=code).first()
        if departement is None:
            phrase = typographier("Le bailleur n’est pas présent dans ce département.")
            attendu = "un code parmi : " + ", ".join(siens.values_list("pk", flat=True))
            raise Probleme("regle", phrase, [Erreur("departement", montrer(code), attendu, phrase)])
        bailleur = Organisation.objects.get(pk=request.acteur.organisation_id)
        commission = commissions.planifier_commission(request.acteur, bailleur, departement, **faits)
        return self.rendre(
            commission.pk, 201, Location=reverse("api:commission-detail", args=[commission.pk])
        )

    @extend_schema(
        operation_id="modifier_commission",
        summary="Changer le jour, l’heure ou le lieu ; la DDETS convoquée est prévenue",
        request=Seance,
        responses=CommissionVue,
    )
    @action(detail=True, methods=["post"])
    def seance(self, request, pk):
        commission = self.a_changer(pk)
        commissions.modifier_commission(request.acteur, commission, **self.corps(Seance))
        return self.rendre(pk)

    @extend_schema(
        operation_id="annuler_commission",
        summary="Annuler une commission",
        request=MotifLibre,
        responses=CommissionVue,
    )
    @action(detail=True, methods=["post"])
    def annulation(self, request, pk):
        commission = self.a_changer(pk)
        commissions.annuler_commission(request.acteur, commission, **self.corps(MotifLibre))
        return self.rendre(pk)

    @extend_schema(
        operation_id="inscrire_logements",
        summary="Mettre des logements à l’ordre du jour",
        request=Logements,
        responses=CommissionVue,
    )
    @action(detail=True, methods=["post"])
    def inscription(self, request, pk):
        commission = self.a_changer(pk)
        cles = set(self.corps(Logements)["liberations"])
        demandees = list(Liberation.objects.visibles_par(request.acteur).filter(pk__in=cles).order_by("pk"))
        if len(demandees) != len(cles):
            phrase = typographier("Une de ces libérations n’existe pas, ou n’est pas de votre périmètre.")
            raise Probleme(
                "regle",
                phrase,
                [Erreur("liberations", montrer(sorted(cles)), "des libérations lues dans la liste", phrase)],
            )
        commissions.inscrire_logements(request.acteur, commission, demandees)
        return self.rendre(pk)

    @extend_schema(
        operation_id="retirer_logement",
        summary="Retirer un logement de l’ordre du jour",
        request=Logement,
        responses=CommissionVue,
    )
    @action(detail=True, methods=["post"])
    def retrait(self, request, pk):
        commission = self.a_changer(pk)
        commissions.retirer_logement(request.acteur, ligne_de(commission, self.corps(Logement)["liberation"]))
        return self.rendre(pk)

    @extend_schema(
        operation_id="motiver_candidatures",
        summary="Dire pourquoi un logement a moins de trois candidatures",
        request=MotifCandidatures,
        responses=CommissionVue,
    )
    @action(detail=True, methods=["post"])
    def motif(self, request, pk):
        commission = self.a_changer(pk)
        faits = self.corps(MotifCandidatures)
        motif = None
        if faits["motif"] is not None:
            motif = lire_motif(
                faits["motif"],
                CodeMotif.objects.filter(acte=CodeMotif.Acte.CANDIDATURES, actif=True),
                "Ce code n’explique pas un nombre de candidatures.",
            )
        commissions.motiver_candidatures(
            request.acteur, ligne_de(commission, faits["liberation"]), motif=motif
        )
        return self.rendre(pk)

    @extend_schema(
        operation_id="ajouter_candidature",
        summary="Présenter un ménage pour un logement de l’ordre du jour",
        request=Candidature,
        responses={201: PassageVu},
    )
    @action(detail=True, methods=["post"])
    def candidature(self, request, pk):
        commission = self.a_changer(pk)
        faits = self.corps(Candidature)
        ligne = ligne_de(commission, faits.pop("liberation"))
        passage = commissions.ajouter_candidature(request.acteur, ligne, **faits)
        return Response(
            PassageVu(passage, context=self.get_serializer_context()).data,
            status=201,
            headers={"Location": reverse("api:passage-detail", args=[passage.pk])},
        )

    @extend_schema(
        operation_id="convoquer_ddets",
        summary="Convoquer la DDETS, ou lui envoyer l’ordre du jour à jour",
        request=Vide,
        responses=CommissionVue,
    )
    @action(detail=True, methods=["post"])
    def convocation(self, request, pk):
        commission = self.a_changer(pk)
        self.corps(Vide)
        convocations.convoquer_ddets(request.acteur, commission)
        return self.rendre(pk)

    @extend_schema(
        operation_id="controle_commission",
        summary="Lire ce qui empêche de clore, et ce qui est à confirmer",
        responses=Controle,
    )
    @action(detail=True, methods=["get"])
    def controle(self, request, pk):
        lire(Requete, request.query_params.dict(), requete=True)
        seance = lire_seance(ouvrir(Commission.objects.all(), request.acteur, pk=pk))
        erreurs = [
            {"liberation": x.liberation.pk, "passage": cle, "phrase": phrase}
            for x, phrase, cle in seance.erreurs
        ]
        return Response(Controle({"erreurs": erreurs, "points": seance.a_confirmer}).data)

    @extend_schema(
        operation_id="cloturer_commission",
        summary="Clore : les attributions sont enregistrées, le procès-verbal est produit",
        request=Cloture,
        responses=CommissionVue,
    )
    @action(detail=True, methods=["post"])
    def cloture(self, request, pk):
        commission = self.a_changer(pk)
        points = self.corps(Cloture)["points"]
        try:
            commissions.cloturer_commission(request.acteur, commission, points_confirmes=points)
        except commissions.PointsAConfirmer as refus:
            raise Probleme(
                "regle",
                typographier("Confirmez chaque point, ou corrigez-le : renvoyez sa phrase dans « points »."),
                [Erreur("points", None, phrase, phrase) for phrase in refus.messages],
            ) from None
        return self.rendre(pk)

    @extend_schema(
        operation_id="rouvrir_commission",
        summary="Rouvrir une commission close, tant que rien n’a suivi",
        request=MotifLibre,
        responses=CommissionVue,
    )
    @action(detail=True, methods=["post"])
    def reouverture(self, request, pk):
        commission = self.a_changer(pk)
        commissions.rouvrir_commission(request.acteur, commission, **self.corps(MotifLibre))
        return self.rendre(pk)


# --- Passages -----------------------------------------------------------------------------------------------------


class RequetePassages(RequeteListe):
    commission = ChampIdentifiant(required=False)
    liberation = ChampIdentifiant(required=False)
    decision = ChampCode(choices=Passage.Decision.choices, required=False)


class PassagesVue(Ressource):
    """Les candidatures des commissions, et leur décision."""

    famille = "commissions"
    queryset = Passage.objects.all()
    serializer_class = PassageVu
    requete = RequetePassages

    def lignes(self):
        return Passage.objects.select_related("motif", "condition_piece").prefetch_related("menage")

    def filtrer(self, lignes, demande):
        noms = ("commission", "liberation", "decision")
        egaux = {nom: demande[nom] for nom in noms if nom in demande}
        if "decision" in egaux:
            egaux["definitif"] = True
        return lignes.filter(**egaux)

    @extend_schema(operation_id="passages", summary="Lister les candidatures", parameters=[RequetePassages])
    def list(self, request):
        return self.lister(request)

    @extend_schema(operation_id="passage", summary="Lire une candidature")
    def retrieve(self, request, pk):
        return self.montrer(pk)

    @extend_schema(
        operation_id="decider",
        summary="Saisir la décision d’une candidature",
        request=Decision,
        responses=PassageVu,
    )
    @action(detail=True, methods=["post"])
    def decision(self, request, pk):
        passage = self.a_changer(pk)
        faits = self.corps(Decision)
        motif = piece = None
        if faits.get("motif"):
            motif = lire_motif(
                faits["motif"],
                MotifRefus.objects.filter(porteur=MotifRefus.Porteur.CALEOL, actif=True),
                "Ce code n’est pas celui d’un motif de la commission.",
            )
        if faits.get("piece"):
            piece = lire_motif(
                faits["piece"],
                CodeMotif.objects.filter(acte=CodeMotif.Acte.PIECE, actif=True),
                "Ce code n’est pas celui d’une pièce.",
                "piece",
            )
        saisie = commissions.Saisie(
            passage.pk, faits["decision"], faits.get("rang"), motif, piece, faits.get("echeance")
        )
        commissions.enregistrer_decisions(request.acteur, passage.commission, [saisie])
        return self.rendre(pk)

    @extend_schema(
        operation_id="retirer_candidature",
        summary="Retirer une candidature qui n’a pas de décision",
        request=Vide,
        responses=CommissionVue,
    )
    @action(detail=True, methods=["post"])
    def retrait(self, request, pk):
        passage = self.a_changer(pk)
        self.corps(Vide)
        commission = passage.commission
        commissions.retirer_candidature(request.acteur, passage)
        return Response(CommissionVue(commission, context=self.get_serializer_context()).data)
