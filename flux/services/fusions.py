"""What a merger of bailleurs makes follow in the flux: libérations of the year and those still open, forecasts, reports.

A libération freed before and let before stays where it was. One that is still to be let goes with all its story: the
bailleur that will let it answers for it, in the year before too, and the figures of both are computed again. A simulation
stays with the pair whose years it replays, as their calculations do.
"""

from datetime import date

from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from flux.models import (
    AssietteConvenue,
    Attribution,
    CalculAFaire,
    CalculFlux,
    Candidat,
    Commission,
    Confirmation,
    Consultation,
    Convocation,
    DecisionAgent,
    Depot,
    Designation,
    EvenementCommission,
    EvenementExterne,
    ExceptionLabel,
    Imputation,
    Liberation,
    LigneOrdreDuJour,
    LogementDeProgramme,
    Orientation,
    Passage,
    ProcesVerbal,
    Programme,
    ReportObjectif,
    ReprisePourUnTour,
    SoustractionPrevisionnelle,
    Urgence,
    Usage,
)
from flux.services.rapprochements.fusion import suivre_la_fusion
from reservation.models import Organisation


def liberations_qui_suivent(absorbe: Organisation, effet: date) -> QuerySet[Liberation]:
    """Of the year of the merger, or still open: in the flux, not cancelled, and let by nobody before that day."""
    louees = Attribution.objects.filter(
        Q(date_bail__isnull=True) | Q(date_bail__lt=effet),
        liberation=OuterRef("pk"),
        refusee_le__isnull=True,
        date_caleol__lt=effet,
    )
    ouvertes = Q(usage=Usage.FLUX, annulee_le__isnull=True) & ~Exists(louees)
    return Liberation.objects.filter(Q(date__gte=effet) | ouvertes, bailleur=absorbe)


def sur_fusion_a_preparer(sender, absorbe, absorbant, effet, **_signal) -> tuple[dict[str, int], list[str]]:
    """Receiver of `reservation.signaux.fusion_a_preparer`."""
    suivent = liberations_qui_suivent(absorbe, effet)
    autres = Liberation.objects.filter(bailleur=absorbant, annulee_le__isnull=True)
    memes = autres.filter(cle_logement=OuterRef("cle_logement"), date=OuterRef("date"))
    obstacles = [
        f"La libération {liberation.reference} du {liberation.date:%d/%m/%Y} existe chez les deux bailleurs : "
        "annulez l’une des deux."
        for liberation in suivent.filter(Exists(memes), annulee_le__isnull=True).order_by("pk")
    ]
    finis = (Depot.Etat.APPLIQUE, Depot.Etat.REFUSE, Depot.Etat.ABANDONNE)
    obstacles += [
        f"Le dépôt {nom} n’est pas terminé : enregistrez-le ou abandonnez-le."
        for nom in Depot.objects.filter(bailleur=absorbe)
        .exclude(etat__in=finis)
        .order_by("pk")
        .values_list("nom_fichier", flat=True)
    ]
    return {"libérations": suivent.count()}, obstacles


def sur_bailleurs_fusionnes(sender, absorbe, absorbant, effet, **_signal) -> None:
    """Receiver of `reservation.signaux.bailleurs_fusionnes`: inside its transaction."""
    liberations = list(liberations_qui_suivent(absorbe, effet).order_by("pk").values_list("pk", flat=True))
    siennes = Liberation.objects.filter(pk__in=liberations)
    siennes.update(bailleur=absorbant)
    siennes.filter(reservataire=absorbe).update(reservataire=absorbant)  # non réservé: the bailleur itself
    for modele in (
        Passage,
        Attribution,
        Imputation,
        Designation,
        Candidat,
        Urgence,
        LogementDeProgramme,
        Confirmation,
        ExceptionLabel,
        ReprisePourUnTour,
    ):
        modele.objects.filter(liberation__in=liberations).update(bailleur=absorbant)
    DecisionAgent.objects.filter(attribution__liberation__in=liberations).update(bailleur=absorbant)
    Orientation.objects.filter(liberation__in=liberations).update(
        bailleur=absorbant,
        **{
            champ: Case(
                When(**{champ: absorbe.pk}, then=Value(absorbant.pk)),
                default=F(champ),
                output_field=BigIntegerField(),
            )
            for champ in ("reservataire_id", "suggere_id")
        },
    )
    programmes = Programme.objects.filter(
        Q(livraison__gte=effet) | Q(livraisons__liberation__in=liberations), bailleur=absorbe
    )
    a_suivre = list(programmes.distinct().values_list("pk", flat=True))
    Programme.objects.filter(pk__in=a_suivre).update(bailleur=absorbant)
    Consultation.objects.filter(programme__in=a_suivre).update(bailleur=absorbant)
    LogementDeProgramme.objects.filter(programme__in=a_suivre).update(bailleur=absorbant)
    for modele in (Passage, Attribution, Imputation):
        modele.objects.filter(liberation__in=liberations, reservataire=absorbe).update(reservataire=absorbant)
    seances = list(
        Commission.objects.filter(bailleur=absorbe, date__gte=effet)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    Commission.objects.filter(pk__in=seances).update(bailleur=absorbant)
    for modele in (LigneOrdreDuJour, EvenementCommission, Convocation, ProcesVerbal):
        modele.objects.filter(commission__in=seances).update(bailleur=absorbant)
    suivre_la_fusion(absorbe, absorbant, effet, liberations)
    _ajouter(SoustractionPrevisionnelle, absorbe, absorbant, effet, "categorie")
    _ajouter(ReportObjectif, absorbe, absorbant, effet, "reservataire_id")
    # What was agreed bears on neither parc any more: the assiette of the year is agreed again, on that of both.
    AssietteConvenue.objects.filter(
        bailleur__in=[absorbe, absorbant],
        annee__gte=effet.year,
        etat__in=[AssietteConvenue.Etat.PROPOSEE, AssietteConvenue.Etat.ACCEPTEE],
    ).update(etat=AssietteConvenue.Etat.REMPLACEE)
    # What the other tools say of those dwellings, or since that day, is the absorbing one's to reconcile.
    EvenementExterne.objects.filter(
        Q(liberation__in=liberations) | Q(jour__gte=effet), bailleur=absorbe
    ).update(bailleur=absorbant)
    # The flux of the absorbed one ends with the year before; its versions stay readable.
    CalculFlux.objects.filter(bailleur=absorbe, annee__gte=effet.year).update(en_vigueur=False)
    CalculAFaire.objects.filter(bailleur=absorbe, annee__gte=effet.year).delete()


def _ajouter(modele, absorbe: Organisation, absorbant: Organisation, effet: date, champ: str) -> None:
    """Rows of the year and after follow; where both have one, the numbers add up."""
    for ligne in modele.objects.filter(bailleur=absorbe, annee__gte=effet.year).order_by("pk"):
        cle = {"departement": ligne.departement_id, "annee": ligne.annee, champ: getattr(ligne, champ)}
        if modele.objects.filter(bailleur=absorbant, **cle).update(nombre=F("nombre") + ligne.nombre):
            ligne.delete()
        else:
            modele.objects.filter(pk=ligne.pk).update(bailleur=absorbant)
