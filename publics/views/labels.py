"""Labels: the list, one label and why it ranks where it does, entry, the series of the COMED, the queue of proposals."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from publics.forms import (
    FormulaireAnnulation,
    FormulaireCase,
    FormulaireComed,
    FormulaireCorrection,
    FormulaireDecision,
    FormulaireInstruction,
    FormulaireLabel,
    FormulaireRenouvellement,
    FormulaireRetrait,
)
from publics.models import PARTENAIRES, DemandeMenage, Labellisation, PropositionLabel, Source
from publics.services import labels as services
from publics.services.lectures import lire_motifs_proposes
from publics.services.reglages import Reglage, reglages_le
from reservation.acteur import Acteur
from reservation.models import Commune, Epci, Organisation
from reservation.regles.typographie import accorder
from reservation.views.edition import Edition
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

PAR_PAGE = 50
ECRITURE = ["GET", "HEAD", "POST"]


def entre(acteur: Acteur) -> bool:
    """Whether labels are this actor's business: the State's, and who may propose one."""
    return acteur.est_service_etat or acteur.type_organisation in PARTENAIRES


def exiger_entree(request: HttpRequest) -> None:
    if not entre(request.acteur):
        raise Http404


def peut_decider(acteur: Acteur) -> bool:
    return acteur.est_ddets and acteur.peut_gerer


def peut_proposer(acteur: Acteur) -> bool:
    return acteur.type_organisation in PARTENAIRES and acteur.peut_gerer


def reporter(form, erreur: ValidationError) -> None:
    """Put what a service refused beside the field that it names, or above the form."""
    for champ, phrases in (
        erreur.message_dict if hasattr(erreur, "error_dict") else {None: erreur.messages}
    ).items():
        for phrase in phrases:
            form.add_error(champ if champ in form.fields else None, phrase)


def rester(parametres) -> str:
    """The query string without its page, ending in &: for the links of the pagination."""
    gardes = [(cle, valeur) for cle, valeur in parametres.items() if cle != "page" and valeur]
    return f"{urlencode(gardes)}&" if gardes else ""


@dataclass(frozen=True)
class Ligne:
    """One label in a list: never its ground, its group on the day."""

    label: Labellisation
    groupe: int
    etat: str


def _lignes(labels, jour) -> list[Ligne]:
    labels = list(labels)
    reglages = reglages_le({label.departement_id for label in labels}, jour) if labels else {}
    return [
        Ligne(
            label,
            reglages[label.departement_id].groupes[label.categorie_id],
            label.etat_le(jour),
        )
        for label in labels
    ]


ETATS = (
    ("en_cours", "en cours"),
    ("fin_proche", "qui finissent dans deux mois"),
    ("a_venir", "à venir"),
    ("expires", "expirés"),
    ("retires", "retirés"),
)


def _filtrer(labels, parametres, jour):
    match parametres.get("etat"):
        case "en_cours":
            labels = labels.en_vigueur(jour)
        case "fin_proche":
            labels = labels.en_vigueur(jour).filter(fin__lte=services.ajouter_mois(jour, 2))
        case "a_venir":
            labels = labels.filter(debut__gt=jour, retiree_le=None)
        case "expires":
            labels = labels.filter(fin__lt=jour, retiree_le=None)
        case "retires":
            labels = labels.filter(retiree_le__isnull=False)
    match parametres.get("nature"):
        case "manuel":
            labels = labels.filter(manuelle=True)
        case "automatique":
            labels = labels.filter(manuelle=False)
    if parametres.get("origine") in Source.values:
        labels = labels.filter(source=parametres["origine"])
    fin = parametres.get("demande", "").strip().upper()
    if fin:
        labels = labels.filter(menage__numero_fin=fin[-4:]) if "\x00" not in fin else labels.none()
    return labels


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Labels that the actor reads: those of its département, or those that it entered."""
    exiger_entree(request)
    jour = timezone.localdate()
    labels = Labellisation.objects.visibles_par(request.acteur)
    filtres = _filtrer(labels, request.GET, jour)
    page = Paginator(
        filtres.select_related("menage", "saisie_par", "departement").order_by("-debut", "-pk"), PAR_PAGE
    ).get_page(request.GET.get("page"))
    en_attente = PropositionLabel.objects.visibles_par(request.acteur).filter(etat="PROPOSEE")
    return render(
        request,
        "publics/labels/liste.html",
        {
            "page": page,
            "lignes": _lignes(page.object_list, jour),
            "titre": accorder(page.paginator.count, "label"),
            "base_page": rester(request.GET),
            "etats": ETATS,
            "origines": Source.choices,
            "choix": {nom: request.GET.get(nom, "") for nom in ("etat", "nature", "origine", "demande")},
            "compteurs": {
                "en_cours": labels.en_vigueur(jour).count(),
                "fin_proche": labels.en_vigueur(jour).filter(fin__lte=services.ajouter_mois(jour, 2)).count(),
                "en_attente": en_attente.count(),
            },
            "decide": peut_decider(request.acteur),
            "propose": peut_proposer(request.acteur),
        },
    )


@require_http_methods(ECRITURE)
def creer(request: HttpRequest) -> HttpResponse:
    """The DDETS recognises a household; a partner proposes that it be."""
    exiger_entree(request)
    decide = peut_decider(request.acteur)
    if not (decide or peut_proposer(request.acteur)):
        raise PermissionDenied("Votre rôle permet de lire les labels, non d’en saisir.")
    classe = FormulaireLabel if decide else FormulaireInstruction
    form = classe(
        request.POST if request.method == "POST" else None,
        departements=services.departements_de(request.acteur),
        initial={"debut": timezone.localdate()},
    )
    if request.method == "POST" and form.is_valid():
        commun = {
            "numero_unique": form.cleaned_data["numero_unique"],
            "categorie": form.cleaned_data["categorie"],
            "instruction": form.instruction(),
            "demande": form.demande(),
        }
        try:
            if decide:
                label = services.labelliser(
                    request.acteur,
                    form.le_departement,
                    **commun,
                    debut=form.cleaned_data["debut"],
                    fin=form.cleaned_data["fin"],
                )
                messages.success(request, f"Label enregistré pour la demande {label.menage}.")
                return redirect("publics:label", label.pk)
            proposition = services.proposer(request.acteur, form.le_departement, **commun)
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(
                request,
                f"Proposition envoyée à la DDETS pour la demande {proposition.menage} : "
                f"réponse attendue avant le {proposition.echeance:%d/%m/%Y}.",
            )
            return redirect("publics:propositions")
    return render(
        request,
        "publics/labels/creer.html",
        {"form": form, "decide": decide},
        status=422 if form.errors else 200,
    )


@require_http_methods(ECRITURE)
def instruire(request: HttpRequest) -> HttpResponse:
    """The automatic label of a request that bears a box of the Cerfa."""
    exiger_entree(request)
    if not (request.acteur.est_bailleur and request.acteur.peut_gerer):
        raise PermissionDenied("Une demande s’instruit chez un bailleur, avec le rôle de gestion.")
    form = FormulaireCase(
        request.POST if request.method == "POST" else None,
        departements=services.departements_de(request.acteur),
    )
    if request.method == "POST" and form.is_valid():
        d = form.cleaned_data
        try:
            label = services.instruire(
                request.acteur,
                form.le_departement,
                numero_unique=d["numero_unique"],
                case_cerfa=d["case_cerfa"],
                demande=form.demande(),
            )
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, f"Label automatique enregistré pour la demande {label.menage}.")
            return redirect("publics:label", label.pk)
    return render(
        request, "publics/labels/instruire.html", {"form": form}, status=422 if form.errors else 200
    )


@require_http_methods(ECRITURE)
def comed(request: HttpRequest) -> HttpResponse:
    """Decisions of the COMED, one after the other, from the keyboard: the day and the sector stay."""
    exiger_entree(request)
    if not peut_decider(request.acteur):
        raise PermissionDenied("Les décisions de la COMED se saisissent à la DDETS, avec le rôle de gestion.")
    departements = services.departements_de(request.acteur)
    if request.method == "POST":
        form = FormulaireComed(request.POST, departements=departements)
        if form.is_valid():
            d = {nom: valeur for nom, valeur in form.cleaned_data.items() if nom != "departement"}
            try:
                label = services.enregistrer_decision_comed(request.acteur, form.le_departement, **d)
            except ValidationError as erreur:
                reporter(form, erreur)
            else:
                messages.success(request, f"Enregistré : demande {label.menage}. Au suivant.")
                garde = {
                    "decision_le": request.POST.get("decision_le"),
                    "secteur": request.POST.get("secteur"),
                }
                return redirect(f"{reverse('publics:comed')}?{urlencode(garde)}")
    else:
        form = FormulaireComed(
            departements=departements,
            initial={
                "decision_le": request.GET.get("decision_le") or timezone.localdate(),
                "secteur": request.GET.get("secteur", ""),
            },
        )
    recents = (
        Labellisation.objects.visibles_par(request.acteur)
        .filter(source=Source.COMED)
        .select_related("menage")
        .order_by("-pk")[:15]
    )
    return render(
        request,
        "publics/labels/comed.html",
        {"form": form, "recents": _avec_secteur(recents)},
        status=422 if form.errors else 200,
    )


def _avec_secteur(labels) -> list[tuple[Labellisation, str]]:
    """Each label and its sector in words: two queries, whatever their number."""
    labels = list(labels)
    noms = noms_des_lieux({code for label in labels for code in label.secteur})
    return [(label, ", ".join(noms.get(code, code) for code in label.secteur)) for label in labels]


def noms_des_lieux(codes) -> dict[str, str]:
    """Code of a commune or of an EPCI → its name."""
    if not codes:
        return {}
    return dict(Epci.objects.filter(pk__in=codes).values_list("pk", "nom")) | dict(
        Commune.objects.filter(pk__in=codes).values_list("pk", "nom")
    )


# --- One label --------------------------------------------------------------------------------------------------------


def _label(request: HttpRequest, pk: int):
    return (
        Labellisation.objects.select_related(
            "menage", "departement", "saisie_par", "decidee_par", "motif_retrait", "categorie", "renouvelle"
        ),
        request.acteur,
        pk,
    )


def _page_label(request: HttpRequest, label: Labellisation, status: int = 200, **forms) -> HttpResponse:
    jour = timezone.localdate()
    lisible = Labellisation.objects.motif_lisible_par(request.acteur).filter(pk=label.pk).exists()
    autres = (
        Labellisation.objects.visibles_par(request.acteur)
        .filter(menage=label.menage_id)
        .exclude(pk=label.pk)
        .order_by("-debut", "-pk")
    )
    reglage: Reglage = reglages_le([label.departement_id], jour)[label.departement_id]
    # The order of the département and the reasons of the rank tell of the grounds: to those who may be told them.
    rang = services.rang_du_menage(label.menage_id, label.departement_id, jour) if lisible else None
    demande = DemandeMenage.objects.visibles_par(request.acteur).filter(menage=label.menage_id).first()
    demandes = demande.secteur if demande else []
    noms = noms_des_lieux([*label.secteur, *demandes])
    ecrit = peut_decider(request.acteur) and label.retiree_le is None
    return render(
        request,
        "publics/labels/detail.html",
        {
            "label": label,
            "etat": label.Etat(label.etat_le(jour)).label,
            "groupe": reglage.groupes[label.categorie_id],
            "reglage": reglage,
            "rang": rang,
            "lisible": lisible,
            "secteur": ", ".join(noms.get(code, code) for code in label.secteur),
            "autres": _lignes(autres, jour),
            "suivant": Labellisation.objects.visibles_par(request.acteur).filter(renouvelle=label).first(),
            "ecrit": ecrit,
            "demande": demande,
            "secteur_demande": ", ".join(noms.get(code, code) for code in demandes),
            "note_demande": services.peut_noter_la_demande(request.acteur),
            "retrait": forms.get("retrait")
            or FormulaireRetrait(initial={"a_compter_du": jour}, auto_id="id_retrait_%s"),
            "annulation": forms.get("annulation") or FormulaireAnnulation(auto_id="id_annulation_%s"),
            "renouvellement": forms.get("renouvellement")
            or FormulaireRenouvellement(auto_id="id_renouvellement_%s"),
        },
        status=status,
    )


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    lignes, acteur, cle = _label(request, pk)
    return _page_label(request, ouvrir(lignes, acteur, pk=cle))


def _acte(request: HttpRequest, pk: int, nom: str, form, faire, phrase: str) -> HttpResponse:
    """One act on a label: its form, its service, back to the page of the label that it leaves."""
    lignes, acteur, cle = _label(request, pk)
    label = ouvrir_pour_ecrire(lignes, acteur, pk=cle)
    if form.is_valid():
        try:
            resultat = faire(acteur, label, **form.cleaned_data)
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, phrase)
            return redirect("publics:label", resultat.pk)
    return _page_label(request, label, 422, **{nom: form})


@require_POST
def retirer(request: HttpRequest, pk: int) -> HttpResponse:
    form = FormulaireRetrait(request.POST, auto_id="id_retrait_%s")
    return _acte(request, pk, "retrait", form, services.retirer, "Label retiré.")


@require_http_methods(ECRITURE)
def corriger(request: HttpRequest, pk: int) -> HttpResponse:
    """What was typed wrong; the ground is not shown, it may be replaced."""
    lignes, acteur, cle = _label(request, pk)
    label = ouvrir_pour_ecrire(
        lignes.select_related(None).select_related("menage", "departement", "categorie", "preuve"),
        acteur,
        pk=cle,
    )
    edition = Edition(request, "menage", label.menage_id)
    form = FormulaireCorrection(request.POST if request.method == "POST" else None, label=label)
    if request.method == "POST" and form.is_valid():
        try:
            with edition.seul():
                services.corriger(acteur, label, **form.faits())
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, "Label corrigé.")
            return redirect("publics:label", pk)
    return render(
        request,
        "publics/labels/corriger.html",
        {
            "label": label,
            "form": form,
            "edition": edition,
            "fil": [
                ("Labels", reverse("publics:labels")),
                (f"Demande {label.menage}", reverse("publics:label", args=[pk])),
            ],
        },
        status=422 if form.errors else 200,
    )


@require_POST
def annuler(request: HttpRequest, pk: int) -> HttpResponse:
    form = FormulaireAnnulation(request.POST, auto_id="id_annulation_%s")
    return _acte(
        request, pk, "annulation", form, services.annuler, "Label annulé : il ne compte à aucune date."
    )


@require_POST
def renouveler(request: HttpRequest, pk: int) -> HttpResponse:
    form = FormulaireRenouvellement(request.POST, auto_id="id_renouvellement_%s")
    return _acte(request, pk, "renouvellement", form, services.renouveler, "Label renouvelé.")


# --- Proposals --------------------------------------------------------------------------------------------------------


def _propositions(request: HttpRequest):
    """Those that the actor reads, filtered: what waits first, by due date."""
    parametres = request.GET if request.method != "POST" else request.POST
    lignes = PropositionLabel.objects.visibles_par(request.acteur)
    etat = parametres.get("etat", "PROPOSEE")
    if etat == "retard":
        lignes = lignes.filter(etat="PROPOSEE", echeance__lt=timezone.localdate())
    elif etat in PropositionLabel.Etat.values:
        lignes = lignes.filter(etat=etat)
    auteur = parametres.get("par", "")
    if auteur:
        valable = auteur.isascii() and auteur.isdecimal() and len(auteur) < 19
        lignes = lignes.filter(saisie_par=int(auteur)) if valable else lignes.none()
    groupe = parametres.get("groupe", "")
    if groupe in ("1", "2", "3"):
        jour = timezone.localdate()
        reglages = reglages_le(request.acteur.departements, jour)
        filtre = Q(pk__in=[])
        for departement, reglage in reglages.items():
            codes = [c for c, g in reglage.groupes.items() if g == int(groupe)]
            filtre |= Q(departement=departement, categorie__in=codes)
        lignes = lignes.filter(filtre)
    return lignes.select_related(
        "menage", "departement", "saisie_par", "decidee_par", "motif", "label"
    ).order_by("echeance", "pk")


def _page_propositions(
    request: HttpRequest, *, form=None, lus=None, choisies=(), status: int = 200
) -> HttpResponse:
    jour = timezone.localdate()
    parametres = request.GET if request.method != "POST" else request.POST
    page = Paginator(_propositions(request), PAR_PAGE).get_page(parametres.get("page"))
    reglages = reglages_le({p.departement_id for p in page.object_list}, jour) if page.object_list else {}
    choix = {nom: parametres.get(nom, "") for nom in ("etat", "par", "groupe")}
    choix["etat"] = choix["etat"] or ("PROPOSEE" if "etat" not in parametres else "")
    toutes = PropositionLabel.objects.visibles_par(request.acteur)
    return render(
        request,
        "publics/labels/propositions.html",
        {
            "page": page,
            "lignes": [
                {
                    "p": p,
                    "groupe": reglages[p.departement_id].groupes[p.categorie_id],
                    "retard": p.etat == "PROPOSEE" and p.echeance < jour,
                    "motif": (lus or {}).get(p.pk, ""),
                    "choisie": p.pk in choisies,
                }
                for p in page.object_list
            ],
            "base_page": rester(parametres) if request.method != "POST" else "",
            "choix": choix,
            "etats": PropositionLabel.Etat.choices,
            "auteurs": Organisation.objects.filter(pk__in=toutes.order_by().values("saisie_par")).order_by(
                "nom_tri"
            ),
            "retards": toutes.filter(etat="PROPOSEE", echeance__lt=jour).count(),
            "decide": peut_decider(request.acteur),
            "propose": peut_proposer(request.acteur),
            "lit_les_motifs": not (request.acteur.est_service_etat and not request.acteur.est_ddets),
            "form": form or FormulaireDecision(initial={"debut": jour}),
        },
        status=status,
    )


@require_safe
def propositions(request: HttpRequest) -> HttpResponse:
    """The queue of the DDETS; for a partner, what it proposed and what was answered."""
    exiger_entree(request)
    return _page_propositions(request)


def choisir(request: HttpRequest, nom: str, lignes) -> list:
    """The rows that a form names and the actor reads; one that it does not read does not exist (404)."""
    cles = {int(v) for v in request.POST.getlist(nom) if v.isascii() and v.isdecimal() and len(v) < 19}
    trouvees = list(lignes.visibles_par(request.acteur).filter(pk__in=cles).order_by("pk")[: PAR_PAGE + 1])
    if len(trouvees) != len(cles) or len(cles) > PAR_PAGE:
        raise Http404
    return trouvees


@require_POST
def motifs(request: HttpRequest) -> HttpResponse:
    """The grounds of the proposals of this page, each reading written down."""
    exiger_entree(request)
    choisies = choisir(request, "proposition", PropositionLabel.objects.all())
    lus = lire_motifs_proposes(request.acteur, choisies, reverse("publics:propositions"))
    return _page_propositions(request, lus=lus)


@require_POST
def decider(request: HttpRequest) -> HttpResponse:
    """Grant or refuse what is ticked, all or none."""
    exiger_entree(request)
    lignes = choisir(request, "proposition", PropositionLabel.objects.all())
    if not peut_decider(request.acteur):
        raise PermissionDenied("Les propositions de label se décident à la DDETS, avec le rôle de gestion.")
    form = FormulaireDecision(request.POST)
    if form.is_valid() and not lignes:
        form.add_error(None, "Cochez au moins une proposition.")
    if form.is_valid():
        d = form.cleaned_data
        try:
            if d["decision"] == "accorder":
                services.accorder(
                    request.acteur, lignes, debut=d["debut"] or timezone.localdate(), fin=d["fin"]
                )
                verbe = "accordée,accordées"
            else:
                services.refuser(request.acteur, lignes, motif=d["motif"])
                verbe = "refusée,refusées"
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            un, plusieurs = verbe.split(",")
            nombre = len(lignes)
            messages.success(
                request, f"{accorder(nombre, 'proposition')} {un if nombre == 1 else plusieurs}."
            )
            return redirect("publics:propositions")
    return _page_propositions(request, form=form, choisies={p.pk for p in lignes}, status=422)


@require_POST
def reprendre(request: HttpRequest, pk: int) -> HttpResponse:
    """Who proposed takes it back."""
    proposition = ouvrir(PropositionLabel.objects.all(), request.acteur, pk=pk)
    try:
        services.reprendre(request.acteur, proposition)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    else:
        messages.success(request, "Proposition retirée.")
    return redirect("publics:propositions")


urlpatterns = [
    path("labels/", liste, name="labels"),
    path("labels/saisir/", creer, name="label_creer"),
    path("labels/instruire/", instruire, name="label_instruire"),
    path("labels/comed/", comed, name="comed"),
    path("labels/propositions/", propositions, name="propositions"),
    path("labels/propositions/decider/", decider, name="propositions_decider"),
    path("labels/propositions/motifs/", motifs, name="propositions_motifs"),
    path("labels/propositions/<identifiant:pk>/retirer/", reprendre, name="proposition_retirer"),
    path("labels/<identifiant:pk>/", detail, name="label"),
    path("labels/<identifiant:pk>/retirer/", retirer, name="label_retirer"),
    path("labels/<identifiant:pk>/corriger/", corriger, name="label_corriger"),
    path("labels/<identifiant:pk>/annuler/", annuler, name="label_annuler"),
    path("labels/<identifiant:pk>/renouveler/", renouveler, name="label_renouveler"),
]
