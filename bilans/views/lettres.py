"""Letters as pages: the list, one letter with its preview, its signature and what became of it; their templates."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bilans.documents import lettre as pdf
from bilans.documents.lettre import Courrier
from bilans.documents.lettre_exemple import courrier_d_exemple
from bilans.forms_lettres import (
    FormulaireCorrection,
    FormulaireGabarit,
    FormulaireLettre,
    FormulaireSignatureLettre,
    FormulaireSuite,
)
from bilans.models import EtapeLettre, GabaritLettre, Lettre, Procedure
from bilans.regles.courriers import MODELES, VARIABLES, Modele, ModeleInvalide, variables_de
from bilans.regles.gabarits import comparer, mentions_legales, verifier_gabarit
from bilans.regles.procedures import Lettre as Nature
from bilans.regles.procedures_delais import Mode, Suite, en_vigueur
from bilans.services import lettres as services
from bilans.services import lettres_procedures as procedures
from bilans.services.sceau import est_configure
from reservation.models import Departement
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

PAR_PAGE = 50
_AVEC = ("bailleur", "reservataire", "departement")


@require_safe
def liste(request):
    """Every letter of the actor: those it writes, or those it received."""
    lignes = (
        Lettre.objects.visibles_par(request.acteur)
        .sans_octets()
        .defer("saisies", "faits", "constat", "octets")
        .select_related(*_AVEC)
    )
    return render(
        request,
        "bilans/lettres/liste.html",
        {
            "fil": [("Bilans", reverse("bilans:liste"))],
            "page": Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page")),
            "a_ecrire": procedures.en_attente_de(request.acteur) if request.acteur.est_ddets else [],
            "lit_les_modeles": request.acteur.est_service_etat,
        },
    )


@require_POST
def nouvelle(request, pk: int):
    """A draft of one letter of a procedure."""
    procedure = ouvrir(Procedure.objects.all(), request.acteur, pk=pk)
    try:
        nature = Nature(request.POST.get("nature", ""))
    except ValueError as erreur:
        raise Http404("Cette lettre n’existe pas.") from erreur
    try:
        lettre = services.ecrire(request.acteur, procedure, nature)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
        return redirect(procedures.adresse(procedure))
    return redirect("bilans:lettre", lettre.pk)


def _lettre(request, pk: int, *, ecrire: bool = False) -> Lettre:
    porte = ouvrir_pour_ecrire if ecrire else ouvrir
    return porte(
        Lettre.objects.select_related(
            *_AVEC, "convention", "procedure", "procedure__bailleur", "gabarit"
        ).defer("octets"),
        request.acteur,
        pk=pk,
    )


@require_safe
def lettre(request, pk: int):
    return _page(request, _lettre(request, pk))


def _page(
    request, lettre_: Lettre, *, saisi=None, signature=None, suite=None, correction=None, status: int = 200
):
    """`saisi`, `signature`, `suite`: the form that came back with its errors; `correction`: the step, and the form."""
    acteur = request.acteur
    etapes = list(lettre_.etapes.defer("preuve").select_related("inscrite_par").order_by("rang"))
    ecrit = services.peut_ecrire(acteur, lettre_.departement_id)
    suivi = services.suivi_de(lettre_, etapes) if lettre_.signee else None
    tableau = services.constat_de(lettre_)
    contexte = {
        "fil": [("Bilans", reverse("bilans:liste")), ("Lettres", reverse("bilans:lettres"))],
        "ici": lettre_.numero,
        "lettre": lettre_,
        "etapes": _journal(etapes, correction, ecrit),
        "suivi": suivi,
        "ecrit": ecrit,
        "sceau_configure": est_configure(),
        "tableau": tableau,
        "tableau_lignes": [list(zip(tableau.colonnes, ligne, strict=True)) for ligne in tableau.lignes]
        if tableau
        else [],
        "adresse_procedure": procedures.adresse(lettre_.procedure)
        if lettre_.procedure and procedures.est_visible(acteur, lettre_.procedure)
        else "",
    }
    if not lettre_.signee:
        contexte |= _projet(request, lettre_, ecrit, saisi, signature)
    elif ecrit and suivi.possibles:
        contexte["suite_form"] = suite or FormulaireSuite(suivi=suivi, initial={"jour": timezone.localdate()})
    contexte["form"] = saisi or signature or suite or (correction[1] if correction else None)
    return render(request, "bilans/lettres/lettre.html", contexte, status=status)


def _journal(etapes: list[EtapeLettre], correction, ecrit: bool) -> list[dict]:
    """Every row; those that hold may be corrected."""
    valent = {x.rang for x in en_vigueur(services.en_regle(etapes))}
    rangs = {etape.pk: etape.rang for etape in etapes}
    return [
        {
            "etape": etape,
            "vaut": etape.rang in valent,
            "corrige": rangs.get(etape.corrige_id),
            "form": (
                correction[1]
                if correction and correction[0] == etape.pk
                else FormulaireCorrection(etape=etape)
            )
            if ecrit and etape.rang in valent
            else None,
        }
        for etape in etapes
    ]


def _projet(request, lettre_: Lettre, ecrit: bool, saisi, signature) -> dict:
    """What the page of a draft shows besides."""
    modele = services.modele_en_vigueur(lettre_.departement_id, Nature(lettre_.nature))
    courrier, fautes, raisons = _composer(request, lettre_)
    signe = services.peut_signer(request.acteur, lettre_.departement_id)
    marque = services.marque_de(courrier) if courrier else ""
    return {
        "modele": modele,
        "saisie_form": saisi
        or (
            FormulaireLettre(modele=modele.modele, initial=lettre_.saisies | {"mode": lettre_.mode})
            if ecrit
            else None
        ),
        "fautes": fautes,
        "raisons": raisons,
        "signe": signe,
        "signature_form": (signature or FormulaireSignatureLettre(initial={"marque": marque}))
        if signe and courrier and not raisons
        else None,
        **(pdf.contexte(courrier) if courrier else {}),
    }


def _composer(request, lettre_: Lettre) -> tuple[Courrier | None, tuple[str, ...], tuple[str, ...]]:
    """The letter as the reader would sign it, what is missing, and why the measure is impossible today."""
    lu = procedures.lire(lettre_.procedure, timezone.localdate())
    nom = request.user.nom if services.peut_signer(request.acteur, lettre_.departement_id) else ""
    raisons = procedures.raisons(lu, Nature(lettre_.nature))
    try:
        return services.composer_courrier(lettre_, lu, signataire=nom), (), raisons
    except ModeleInvalide as erreur:
        return None, erreur.fautes, raisons


@require_POST
def enregistrer(request, pk: int):
    """Keep what was typed."""
    lettre_ = _lettre(request, pk, ecrire=True)
    form = _formulaire(request, lettre_)
    if form.is_valid():
        try:
            services.enregistrer(request.acteur, lettre_, form.saisies(), Mode(form.cleaned_data["mode"]))
        except ValidationError as erreur:
            form.add_error(None, erreur)
        else:
            messages.success(request, "Le projet est enregistré.")
            return redirect(reverse("bilans:lettre", args=[pk]))
    return _page(request, lettre_, saisi=form, status=422)


def _formulaire(request, lettre_: Lettre) -> FormulaireLettre:
    modele = services.modele_en_vigueur(lettre_.departement_id, Nature(lettre_.nature)).modele
    return FormulaireLettre(request.POST, modele=modele)


@require_POST
def apercu(request, pk: int):
    """The preview of what is typed, while it is typed: nothing is written."""
    lettre_ = _lettre(request, pk, ecrire=True)
    form = _formulaire(request, lettre_)
    courrier, fautes = None, ("Un champ est à corriger.",)
    if form.is_valid() and not lettre_.signee:
        lettre_.saisies, lettre_.mode = form.saisies(), form.cleaned_data["mode"]
        courrier, fautes, _ = _composer(request, lettre_)
    return render(
        request,
        "bilans/lettres/apercu.html",
        {"fautes": fautes, **(pdf.contexte(courrier) if courrier else {})},
    )


@require_POST
def signer(request, pk: int):
    lettre_ = _lettre(request, pk, ecrire=True)
    if not services.peut_signer(request.acteur, lettre_.departement_id):
        raise PermissionDenied("Une lettre est signée par une personne de la DDETS qui a le rôle Signature.")
    form = FormulaireSignatureLettre(request.POST)
    if form.is_valid():
        try:
            services.signer(request.acteur, lettre_, nom=request.user.nom, marque=form.cleaned_data["marque"])
        except ValidationError as erreur:
            # The page is read afresh: it shows what changed.
            messages.error(request, " ".join(erreur.messages))
        else:
            messages.success(request, "La lettre est signée. Envoyez-la, puis inscrivez la date d’envoi.")
        return redirect("bilans:lettre", pk)
    return _page(request, lettre_, signature=form, status=422)


@require_POST
def inscrire(request, pk: int):
    """One more step of a signed letter."""
    lettre_ = _lettre(request, pk, ecrire=True)
    if not lettre_.signee:
        raise PermissionDenied("Un projet ne s’envoie pas : la lettre se signe d’abord.")
    suivi = services.suivi_de(lettre_, lettre_.etapes.defer("preuve").order_by("rang"))
    form = FormulaireSuite(request.POST, request.FILES, suivi=suivi)
    if form.is_valid():
        c = form.cleaned_data
        try:
            services.inscrire(
                request.acteur,
                lettre_,
                Suite(c["suite"]),
                c["jour"],
                numero=c.get("numero", ""),
                observation=c["observation"],
                preuve=form.preuve_lue(),
            )
        except ValidationError as erreur:
            form.add_error(None, erreur)
        else:
            messages.success(request, "C’est inscrit au dossier de la lettre.")
            return redirect("bilans:lettre", pk)
    return _page(request, lettre_, suite=form, status=422)


@require_POST
def corriger(request, pk: int):
    """Correct one step (`pk`) of a signed letter."""
    etape = ouvrir(EtapeLettre.objects.select_related("lettre"), request.acteur, pk=pk)
    lettre_ = _lettre(request, etape.lettre_id, ecrire=True)
    form = FormulaireCorrection(request.POST, request.FILES, etape=etape)
    if form.is_valid():
        c = form.cleaned_data
        try:
            services.corriger(
                request.acteur,
                etape,
                raison=c["raison"],
                suite=form.suite_lue(),
                jour=c["jour"],
                numero=c.get("numero", ""),
                preuve=form.preuve_lue(),
            )
        except ValidationError as erreur:
            form.add_error(None, erreur)
        else:
            messages.success(request, "C’est corrigé ; l’étape corrigée reste lisible.")
            return redirect("bilans:lettre", lettre_.pk)
    return _page(request, lettre_, correction=(etape.pk, form), status=422)


@require_POST
def supprimer(request, pk: int):
    lettre_ = _lettre(request, pk, ecrire=True)
    try:
        services.supprimer(request.acteur, lettre_)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
        return redirect("bilans:lettre", pk)
    messages.success(request, f"Le projet {lettre_.numero} est supprimé.")
    return redirect("bilans:lettres")


@require_safe
def fichier(request, pk: int):
    """The signed file, byte for byte; before that the draft, under its watermark."""
    lettre_ = ouvrir(
        Lettre.objects.select_related(*_AVEC, "convention", "procedure", "procedure__bailleur"),
        request.acteur,
        pk=pk,
    )
    if lettre_.signee:
        return _pdf(bytes(lettre_.octets), lettre_.numero)
    courrier, fautes, _ = _composer(request, lettre_)
    if courrier is None:
        messages.error(request, "Le projet n’est pas complet. " + " ".join(fautes))
        return redirect("bilans:lettre", pk)
    return _pdf(pdf.rendre(courrier).octets, f"projet-{lettre_.numero}")


def _pdf(octets: bytes, nom: str) -> HttpResponse:
    entetes = {"Content-Disposition": f'inline; filename="{nom}.pdf"'}
    return HttpResponse(octets, content_type="application/pdf", headers=entetes)


@require_safe
def preuve(request, pk: int):
    etape = ouvrir(EtapeLettre.objects.select_related("lettre"), request.acteur, pk=pk)
    if etape.preuve is None:
        raise Http404("Cette étape n’a pas de preuve.")
    extension = {"application/pdf": "pdf", "image/png": "png"}.get(etape.preuve_type, "jpg")
    nom = f"preuve-{etape.lettre.numero}-{etape.rang}.{extension}"
    return HttpResponse(
        bytes(etape.preuve),
        content_type=etape.preuve_type,
        headers={"Content-Disposition": f'attachment; filename="{nom}"'},
    )


# --- Templates --------------------------------------------------------------------------------------------------


def _departements(acteur):
    if not acteur.est_service_etat:
        raise Http404("Ces modèles sont ceux des services de l’État.")
    return Departement.objects.filter(pk__in=acteur.departements).order_by("nom_tri", "pk")


@require_safe
def modeles(request):
    """The templates in force, of each département of the actor."""
    departements = list(_departements(request.acteur))
    derniers = {}
    for gabarit in (
        GabaritLettre.objects.visibles_par(request.acteur)
        .filter(departement__in=departements)
        .select_related("ecrit_par")
        .defer("corps", "mentions")
        .order_by("version")
    ):
        derniers[gabarit.departement_id, gabarit.nature] = gabarit
    return render(
        request,
        "bilans/lettres/modeles.html",
        {
            "fil": _fil_modeles()[:-1],
            "departements": [
                (d, [(nature, derniers.get((d.pk, nature.value))) for nature in Nature]) for d in departements
            ],
        },
    )


def _fil_modeles() -> list[tuple[str, str]]:
    return [
        ("Bilans", reverse("bilans:liste")),
        ("Lettres", reverse("bilans:lettres")),
        ("Modèles", reverse("bilans:lettre_modeles")),
    ]


def _modele(request, departement: str, nature: str) -> tuple[Departement, Nature]:
    try:
        voulue = Nature(nature.upper())
    except ValueError as erreur:
        raise Http404("Cette lettre n’existe pas.") from erreur
    return get_object_or_404(_departements(request.acteur), pk=departement), voulue


@require_http_methods(["GET", "HEAD", "POST"])
def modele(request, departement: str, nature: str):
    """The editor of one template, its variables, its preview on an example and its versions."""
    lieu, voulue = _modele(request, departement, nature)
    ecrit = services.peut_ecrire(request.acteur, lieu.pk)
    actuel = services.modele_en_vigueur(lieu.pk, voulue)
    if request.method == "POST":
        if not ecrit:
            raise PermissionDenied("Les modèles de lettre sont ceux de la DDETS du département.")
        form = FormulaireGabarit(request.POST)
        if form.is_valid():
            nouveau = Modele(voulue, form.texte("objet"), form.texte("corps"), form.texte("mentions"))
            try:
                services.publier_gabarit(
                    request.acteur,
                    lieu,
                    nouveau,
                    raison=form.cleaned_data["raison"],
                    lue=form.cleaned_data["version"],
                )
            except ValidationError as erreur:
                form.add_error(None, erreur)
            else:
                messages.success(
                    request, "La nouvelle version est publiée : les prochaines lettres en partent."
                )
                return redirect("bilans:lettre_modele", lieu.pk, nature)
        statut = 422
    else:
        m = actuel.modele
        form = FormulaireGabarit(
            initial={"version": actuel.version, "objet": m.objet, "corps": m.corps, "mentions": m.mentions}
        )
        statut = 200
    versions = list(
        GabaritLettre.objects.visibles_par(request.acteur)
        .filter(departement=lieu, nature=voulue)
        .select_related("ecrit_par")
        .order_by("version")
    )
    textes = [MODELES[voulue], *(v.modele for v in versions)]
    return render(
        request,
        "bilans/lettres/modele.html",
        {
            "fil": _fil_modeles(),
            "ici": voulue.libelle.capitalize(),
            "departement": lieu,
            "nature": voulue,
            "adresse_nature": nature,
            "actuel": actuel,
            "ecrit": ecrit,
            "form": form,
            "variables": [(nom, VARIABLES[nom]) for nom in sorted(variables_de(voulue))],
            "mentions_legales": mentions_legales(voulue),
            "versions": [
                (v, comparer(textes[rang], textes[rang + 1]))
                for rang, v in reversed(list(enumerate(versions)))
            ],
            **pdf.contexte(courrier_d_exemple(actuel.modele, lieu.nom)),
        },
        status=statut,
    )


@require_POST
def modele_apercu(request, departement: str, nature: str):
    """The preview of a template on an example, while it is edited: nothing is written."""
    _, voulue = _modele(request, departement, nature)
    texte = {
        champ: request.POST.get(champ, "").replace("\r\n", "\n").strip()
        for champ in ("objet", "corps", "mentions")
    }
    essai = Modele(voulue, **texte)
    fautes = verifier_gabarit(essai)
    contexte = {} if fautes else pdf.contexte(courrier_d_exemple(essai, departement))
    return render(request, "bilans/lettres/apercu.html", {"fautes": fautes, **contexte})


urlpatterns = [
    path("lettres/", liste, name="lettres"),
    path("lettres/<identifiant:pk>/", lettre, name="lettre"),
    path("lettres/<identifiant:pk>.pdf", fichier, name="lettre_pdf"),
    path("lettres/<identifiant:pk>/enregistrer/", enregistrer, name="lettre_enregistrer"),
    path("lettres/<identifiant:pk>/apercu/", apercu, name="lettre_apercu"),
    path("lettres/<identifiant:pk>/signer/", signer, name="lettre_signer"),
    path("lettres/<identifiant:pk>/suite/", inscrire, name="lettre_suite"),
    path("lettres/etapes/<identifiant:pk>/corriger/", corriger, name="lettre_corriger"),
    path("lettres/<identifiant:pk>/supprimer/", supprimer, name="lettre_supprimer"),
    path("lettres/preuves/<identifiant:pk>/", preuve, name="lettre_preuve"),
    path("lettres/procedure/<identifiant:pk>/", nouvelle, name="lettre_nouvelle"),
    path("lettres/modeles/", modeles, name="lettre_modeles"),
    path("lettres/modeles/<departement:departement>/<slug:nature>/", modele, name="lettre_modele"),
    path(
        "lettres/modeles/<departement:departement>/<slug:nature>/apercu/",
        modele_apercu,
        name="lettre_modele_apercu",
    ),
]
