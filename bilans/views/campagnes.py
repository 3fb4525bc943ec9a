"""The campaign of a territory: its dates, what is left to do, its calendar; its edition by the DDETS or the DREAL."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bilans.formulaires_campagne import FormulaireCampagne
from bilans.models import EcheanceCampagne, Rappel
from bilans.regles.campagne import NatureEcheance, campagnes_ouvertes, situer
from bilans.services import campagnes
from bilans.services import rappels as services_rappels
from bilans.services.suivi_campagne import obligations
from flux.services import agendas
from reservation import convertisseurs  # noqa: F401 (registers the converters of the paths below)
from reservation.models import Courriel
from reservation.regles.agenda import Methode, ecrire_calendrier
from reservation.regles.periodes import jour_a_paris
from reservation.views.edition import Edition, ModifieEntreTemps
from reservation.views.porte import ouvrir

PAR_PAGE = 50


def _territoire(request: HttpRequest, genre: str, code: str) -> campagnes.Territoire:
    """The one that the address names, among those of the actor; 404 for the others."""
    for territoire in campagnes.territoires_de(request.acteur):
        if (territoire.genre, territoire.code) == (genre, code):
            return territoire
    raise Http404("Aucune campagne à cette adresse.")


def _fil() -> list[tuple[str, str]]:
    return [("Campagnes", reverse("bilans:campagnes"))]


@require_safe
def liste(request):
    """The campaigns that the actor reads: one line per territory, the open years."""
    jour = jour_a_paris(timezone.now())
    territoires = campagnes.territoires_de(request.acteur)
    abonnement = agendas.abonnement_de(request.acteur, agendas.Sujet.CAMPAGNE)
    return render(
        request,
        "bilans/campagnes/liste.html",
        {
            "territoires": territoires,
            "annees": [a for a in range(jour.year - 1, jour.year + 2)],
            "ouvertes": campagnes_ouvertes(jour),
            "peut_s_abonner": bool(territoires) and request.acteur.peut_gerer,
            "abonnement": abonnement,
            "adresse_agenda": request.build_absolute_uri(reverse("bilans:agenda", args=[abonnement.secret]))
            if abonnement
            else "",
        },
    )


@require_safe
def campagne(request, genre: str, code: str, annee: int):
    """The dates of a campaign with their reason, and who is to do what."""
    territoire = _territoire(request, genre, code)
    maintenant = timezone.now()
    propres = {
        ligne.nature: ligne
        for ligne in EcheanceCampagne.objects.filter(annee=annee, **territoire.filtre).select_related(
            "modifiee_par"
        )
    }
    dues = (
        obligations(request.acteur, maintenant, [annee], [territoire.code]) if territoire.departement else []
    )
    return render(
        request,
        "bilans/campagnes/campagne.html",
        {
            "fil": _fil(),
            "ici": f"{territoire.nom}, {annee}",
            "territoire": territoire,
            "annee": annee,
            "lignes": [
                {
                    "situation": situer(echeance, None, maintenant),
                    "propre": propres.get(echeance.nature),
                    "projection": echeance.nature in (NatureEcheance.PROJECTION, NatureEcheance.PART_ALS),
                    "dues": [o for o in dues if o.echeance.nature == echeance.nature],
                }
                for echeance in campagnes.echeances_de(territoire, annee)
            ],
            "dues": dues,
            "modifiable": campagnes.peut_modifier(request.acteur, territoire),
            "cle_historique": territoire.cle(annee),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def modifier(request, genre: str, code: str, annee: int):
    """Change the dates of a campaign."""
    territoire = _territoire(request, genre, code)
    if not campagnes.peut_modifier(request.acteur, territoire):
        raise PermissionDenied("La DDETS fixe les dates de son département, la DREAL celles de sa région.")
    echeances = campagnes.echeances_de(territoire, annee)
    edition = Edition(request, "campagne", territoire.cle(annee))
    formulaire = FormulaireCampagne(request.POST if request.method == "POST" else None, echeances=echeances)
    if request.method == "POST" and formulaire.is_valid():
        try:
            with edition.seul():
                changee = campagnes.modifier_campagne(request.acteur, territoire, annee, formulaire.valeurs())
        except ModifieEntreTemps as erreur:
            formulaire.add_error(None, erreur)
        except ValidationError as erreur:
            formulaire.rapporter(erreur)
        else:
            messages.success(
                request,
                "Dates enregistrées. Les rappels et les agendas suivent." if changee else "Rien n’a changé.",
            )
            return redirect("bilans:campagne", genre, code, annee)
    return render(
        request,
        "bilans/campagnes/modifier.html",
        {
            "fil": [
                *_fil(),
                (f"{territoire.nom}, {annee}", reverse("bilans:campagne", args=[genre, code, annee])),
            ],
            "territoire": territoire,
            "annee": annee,
            "form": formulaire,
            "edition": edition,
        },
        status=422 if formulaire.errors else 200,
    )


@require_safe
def calendrier(request, genre: str, code: str, annee: int):
    """The dates of a campaign as an iCalendar file."""
    territoire = _territoire(request, genre, code)
    texte = ecrire_calendrier(
        campagnes.evenements(territoire, annee), Methode.PUBLIER, nom=f"Campagne {annee}, {territoire.nom}"
    )
    return HttpResponse(
        texte,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="campagne-{annee}-{territoire.code}.ics"'},
    )


@require_safe
def rappels(request):
    """The reminders that were sent: to one's own organisation, for the State those of the département."""
    lignes = (
        Rappel.objects.visibles_par(request.acteur)
        .select_related("bailleur", "departement", "organisation")
        .order_by("-ecrit_le", "-pk")
    )
    page = Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page"))
    envois = services_rappels.envois_de(page)
    a_soi = set(
        Courriel.objects.visibles_par(request.acteur)
        .filter(pk__in=[c.pk for liste_ in envois.values() for c in liste_])
        .values_list("pk", flat=True)
    )
    for rappel in page:
        rappel.courriels = [
            {"courriel": c, "visible": c.pk in a_soi, "echec": c.etat == Courriel.Etat.ECHEC}
            for c in envois.get(rappel.pk, ())
        ]
    return render(
        request,
        "bilans/campagnes/rappels.html",
        {"fil": _fil(), "ici": "Rappels", "page": page, "base_page": ""},
    )


@require_POST
def renvoyer(request, pk: int):
    """Send again an e-mail of reminders that was not delivered."""
    courriel = ouvrir(Courriel.objects.filter(gabarit=services_rappels.GABARIT), request.acteur, pk=pk)
    try:
        services_rappels.renvoyer(request.acteur, courriel)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(request, "Le courriel repart.")
    return redirect("bilans:rappels")


GENRE = "campagnes/<slug:genre>/<slug:code>/<annee:annee>"
urlpatterns = [
    path("campagnes/", liste, name="campagnes"),
    path("campagnes/rappels/", rappels, name="rappels"),
    path("campagnes/rappels/<identifiant:pk>/renvoyer/", renvoyer, name="rappel_renvoyer"),
    path(f"{GENRE}/", campagne, name="campagne"),
    path(f"{GENRE}/modifier/", modifier, name="campagne_modifier"),
    path(f"{GENRE}/agenda.ics", calendrier, name="campagne_agenda"),
]
