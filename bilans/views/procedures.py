"""The three procedures as pages: the list, one file with its acts, its clocks, its figures and what the parties write."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bilans.forms_procedures import (
    FormulaireActe,
    FormulaireAttributionDuPrefet,
    FormulaireNumero,
    FormulaireParagraphe,
    FormulaireParticipant,
    FormulairePiece,
    FormulaireProcedure,
    FormulaireSignatureEcrit,
)
from bilans.models import (
    Bilan,
    EtapeProcedure,
    Lettre,
    ParagrapheProcedure,
    ParticipantProcedure,
    PieceProcedure,
    Procedure,
    SignatureProcedure,
)
from bilans.regles import procedures as regles
from bilans.regles.procedures import Acte, Etat, Qui, Sorte
from bilans.services import procedures
from bilans.services.lettres_procedures import en_attente_de
from bilans.services.procedures_liste import EN_COURS, a_examiner, lignes, parties_possibles
from bilans.services.procedures_situation import Objet
from flux.views.actes import reporter
from reservation.models import Departement
from reservation.views.porte import ouvrir as lire_objet

# The clock starts by the letter, never by a form.
# What the form itself brings: no reason to hide it.
DIT_PAR_LE_FORMULAIRE = frozenset(
    {regles.reunion_fixee, regles.motif_ecrit, regles.tout_juge, regles.tout_justifie}
)


def _entier(texte: str | None) -> int | None:
    return int(texte) if texte and texte.isascii() and texte.isdecimal() and len(texte) < 10 else None


@require_safe
def liste(request):
    """Procedures that the actor reads, filtered; for the State, whom the figures show as short."""
    acteur, jour = request.acteur, timezone.localdate()
    sorte = request.GET.get("sorte", "")
    annee = _entier(request.GET.get("annee"))
    quoi = request.GET.get("stade", "")
    filtre = Q()
    if sorte in {s.value for s in Sorte}:
        filtre &= Q(sorte=sorte)
    if annee:
        filtre &= Q(annee=annee)
    if quoi == "cours":
        filtre &= Q(etat__in=EN_COURS)
    elif quoi == "finies":
        filtre &= ~Q(etat__in=EN_COURS)
    examinee = annee or jour.year - 1
    annees = Procedure.objects.visibles_par(acteur).order_by("-annee").values_list("annee", flat=True)
    return render(
        request,
        "bilans/procedures/liste.html",
        {
            "fil": [("Bilans", reverse("bilans:liste"))],
            "lignes": lignes(acteur, jour, filtre),
            "a_examiner": a_examiner(acteur, examinee),
            "examinee": examinee,
            "sortes": list(Sorte),
            "sorte": sorte,
            "annee": annee,
            "annees": annees.distinct(),
            "stade": quoi,
            "filtree": bool(filtre),
            "peut_ouvrir": acteur.est_ddets and acteur.peut_gerer and not acteur.en_assistance,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def nouvelle(request):
    """Open a procedure; what is asked in the address fills the form (from a bilan, from a register)."""
    acteur = request.acteur
    if not (acteur.est_ddets and acteur.peut_gerer):
        raise PermissionDenied("Une procédure est ouverte par la DDETS du département, avec le rôle Gestion.")
    choix = {
        "departements": Departement.objects.filter(pk__in=acteur.departements).order_by("nom_tri"),
        "parties": parties_possibles(acteur),
    }
    if request.method == "POST":
        formulaire = FormulaireProcedure(request.POST, **choix)
        if formulaire.is_valid():
            lu = formulaire.cleaned_data
            genre, pk = lu["partie"][0], int(lu["partie"][1:])
            objet = Objet(
                Sorte(lu["sorte"]),
                lu["departement"],
                lu["annee"],
                pk if genre == "B" else None,
                pk if genre == "R" else None,
            )
            try:
                ouverte = procedures.ouvrir(acteur, objet, lu["texte"])
            except ValidationError as erreur:
                reporter(formulaire, erreur)
            else:
                messages.success(request, "La procédure est ouverte. Rien n’est encore envoyé.")
                return redirect("bilans:procedure", ouverte.pk)
    else:
        demande = {
            "sorte": request.GET.get("sorte") or Sorte.OBJECTIFS.value,
            "annee": _entier(request.GET.get("annee")) or timezone.localdate().year - 1,
            "departement": request.GET.get("departement"),
            "partie": request.GET.get("partie"),
        }
        formulaire = FormulaireProcedure(initial=demande, **choix)
    return render(
        request,
        "bilans/procedures/nouvelle.html",
        {"fil": _fil(), "form": formulaire, "sortes": list(Sorte)},
        status=422 if formulaire.errors else 200,
    )


@require_safe
def procedure(request, pk: int):
    return _page(request, _lire(request, pk))


def _lire(request, pk: int) -> Procedure:
    if request.acteur.est_copil:
        raise Http404("Le COPIL lit la liste et le stade, non le dossier.")
    return lire_objet(
        Procedure.objects.select_related("bailleur", "reservataire", "departement"), request.acteur, pk=pk
    )


def _fil() -> list[tuple[str, str]]:
    return [("Bilans", reverse("bilans:liste")), ("Procédures", reverse("bilans:procedures"))]


def _page(request, procedure_: Procedure, saisi=None, status: int = 200):
    """`saisi`: (name of the gesture, its form) that came back with its errors."""
    acteur = request.acteur
    dossier = procedures.lire_procedure(procedure_)
    role = procedures.qui(acteur, procedure_.departement_id)
    ecrit = procedures.peut_ecrire(acteur, procedure_)
    a_signer = procedures.a_signer(acteur, procedure_) if ecrit else ([], [], "")
    situation = dossier.situation
    return render(
        request,
        "bilans/procedures/procedure.html",
        {
            "fil": _fil(),
            "lettres": Lettre.objects.visibles_par(acteur).filter(procedure=procedure_).sans_octets(),
            "lettres_a_ecrire": [
                nature for etape, nature in en_attente_de(acteur) if etape.procedure_id == procedure_.pk
            ]
            if role
            else [],
            "procedure": procedure_,
            "sorte": procedure_.regle,
            "stade": regles.stade(Etat(procedure_.etat)),
            "finie": Etat(procedure_.etat) in regles.FINS,
            "dossier": dossier,
            "situation": situation,
            "delai_expire": situation.delai is not None and situation.delai.expire(situation.jour),
            "jours_restants": situation.delai.jours_restants(situation.jour) if situation.delai else None,
            "actes": _actes(dossier, role, saisi) if role else [],
            "etapes": EtapeProcedure.objects.visibles_par(acteur)
            .filter(procedure=procedure_)
            .select_related("par", "organisation")
            .order_by("-rang"),
            "bilan": Bilan.objects.visibles_par(acteur)
            .filter(
                bailleur=procedure_.bailleur_id,
                departement=procedure_.departement_id,
                annee=procedure_.annee,
            )
            .first()
            if procedure_.bailleur_id
            else None,
            **_ecrits(acteur, procedure_),
            "ecrit": ecrit,
            "partie": procedures.est_partie(acteur, procedure_),
            "a_signer": a_signer,
            "peut_signer": acteur.peut_signer,
            "formulaires": _formulaires(saisi, a_signer[2]),
            "imputer": bool(situation.a_imputer and role == Qui.SIGNATAIRE),
            "form": saisi[1] if saisi else None,
        },
        status=status,
    )


def _actes(dossier, role: Qui, saisi) -> list[dict]:
    """Every act of the stage: its form when it is possible, why not when it is not."""
    return [
        {
            "transition": p.transition,
            "raisons": [
                phrase
                for condition in p.transition.conditions
                if condition not in DIT_PAR_LE_FORMULAIRE and (phrase := condition(dossier.situation))
            ],
            "signataire": p.transition.qui == Qui.SIGNATAIRE,
            "par_la_lettre": p.transition.acte in regles.PAR_LA_LETTRE,
            "formulaire": None
            if p.transition.acte in regles.PAR_LA_LETTRE
            or (p.transition.qui == Qui.SIGNATAIRE and role != Qui.SIGNATAIRE)
            else saisi[1]
            if saisi and saisi[0] == p.transition.acte
            else FormulaireActe(acte=p.transition.acte, dossier=dossier),
        }
        for p in dossier.possibilites
        if p.transition.acte not in regles.CORRECTIONS
    ]


def _ecrits(acteur, procedure_: Procedure) -> dict:
    """What the reader may read of both parties, each paragraph with its documents: four queries."""
    siens = {"procedure": procedure_}
    pieces: dict[int | None, list[PieceProcedure]] = {}
    for piece in (
        PieceProcedure.objects.visibles_par(acteur)
        .filter(**siens)
        .select_related("organisation", "signature")
        .defer("octets")
        .order_by("pk")
    ):
        pieces.setdefault(piece.paragraphe_id, []).append(piece)
    paragraphes = list(
        ParagrapheProcedure.objects.visibles_par(acteur)
        .filter(**siens)
        .select_related("organisation", "signature", "repond_a")
        .order_by("pk")
    )
    for paragraphe in paragraphes:
        paragraphe.jointes = pieces.get(paragraphe.pk, [])
    return {
        "paragraphes": paragraphes,
        "pieces_seules": pieces.get(None, []),
        "signatures": SignatureProcedure.objects.visibles_par(acteur)
        .filter(**siens)
        .select_related("par", "organisation")
        .order_by("pk"),
        "participants": ParticipantProcedure.objects.visibles_par(acteur)
        .filter(**siens)
        .select_related("organisation")
        .order_by("organisation__nom_tri", "pk"),
    }


GESTES = {
    "ecrire": FormulaireParagraphe,
    "joindre": FormulairePiece,
    "signer": FormulaireSignatureEcrit,
    "inscrire": FormulaireParticipant,
    "imputer": FormulaireAttributionDuPrefet,
    "retirer": FormulaireNumero,
    "detacher": FormulaireNumero,
    "desinscrire": FormulaireNumero,
}
FAITS = {
    "ecrire": "Le paragraphe est enregistré. Votre organisation seule le lit jusqu’à sa signature.",
    "joindre": "Le document est joint. Votre organisation seule le lit jusqu’à sa signature.",
    "signer": "Vos écrits sont signés : l’autre partie les lit, plus rien ne s’y change.",
    "inscrire": "Le participant est inscrit.",
    "imputer": "L’attribution est inscrite et imputée.",
    "retirer": "Le paragraphe est retiré.",
    "detacher": "Le document est retiré.",
    "desinscrire": "Le participant est retiré.",
}


def _formulaires(saisi, marque: str) -> dict:
    formulaires = {
        nom: GESTES[nom](auto_id=f"id_{nom}_%s") for nom in ("ecrire", "joindre", "inscrire", "imputer")
    }
    formulaires["signer"] = FormulaireSignatureEcrit(initial={"empreinte": marque}, auto_id="id_signer_%s")
    if saisi and saisi[0] in formulaires:
        formulaires[saisi[0]] = saisi[1]
    return formulaires


@require_POST
def accomplir(request, pk: int, nom: str):
    """One act of the table, by its name in lower case."""
    try:
        acte = Acte(nom.upper().replace("-", "_"))
    except ValueError:
        raise Http404("Acte inconnu.") from None
    procedure_ = _lire(request, pk)
    if acte in regles.PAR_LA_LETTRE or procedures.qui(request.acteur, procedure_.departement_id) is None:
        raise PermissionDenied("Votre rôle ne permet pas cet acte dans une procédure.")
    formulaire = FormulaireActe(request.POST, acte=acte, dossier=procedures.lire_procedure(procedure_))
    if formulaire.is_valid():
        try:
            procedures.accomplir(request.acteur, procedure_, acte, formulaire.saisie())
        except ValidationError as erreur:
            reporter(formulaire, erreur, "jour" if "jour" in formulaire.fields else None)
        else:
            messages.success(
                request, f"C’est inscrit au dossier : {acte.libelle[0].lower()}{acte.libelle[1:]}."
            )
            return redirect("bilans:procedure", procedure_.pk)
    return _page(request, procedure_, (acte, formulaire), status=422)


@require_POST
def ecrire(request, pk: int, nom: str):
    """One gesture of a party on what it writes."""
    if nom not in GESTES:
        raise Http404("Geste inconnu.")
    procedure_ = _lire(request, pk)
    if not procedures.est_partie(request.acteur, procedure_):
        raise PermissionDenied("Seules les parties écrivent dans une procédure, avec le rôle Gestion.")
    formulaire = GESTES[nom](request.POST, request.FILES, auto_id=f"id_{nom}_%s")
    if formulaire.is_valid():
        try:
            _faire(request.acteur, procedure_, nom, formulaire.cleaned_data)
        except ValidationError as erreur:
            formulaire.add_error(None, erreur.messages)
        else:
            messages.success(request, FAITS[nom])
            return redirect(f"{reverse('bilans:procedure', args=[procedure_.pk])}#ecrits")
    return _page(request, procedure_, (nom, formulaire), status=422)


def _faire(acteur, procedure_: Procedure, nom: str, lu: dict) -> None:
    match nom:
        case "ecrire":
            procedures.ecrire(
                acteur, procedure_, lu["texte"], paragraphe=lu["paragraphe"], repond_a=lu["repond_a"]
            )
        case "joindre":
            if lu["fichier"].size > procedures.TAILLE_D_UNE_PIECE:
                raise ValidationError("Ce fichier dépasse 10 Mo.")
            procedures.joindre(acteur, procedure_, lu["fichier"].name, lu["fichier"].read())
        case "signer":
            procedures.signer(acteur, procedure_, lu["empreinte"])
        case "inscrire":
            procedures.inscrire_participant(acteur, procedure_, lu["fonction"])
        case "imputer":
            procedures.inscrire_attribution(acteur, procedure_, lu["reference"])
        case "retirer":
            procedures.retirer(acteur, procedure_, lu["numero"])
        case "detacher":
            procedures.detacher(acteur, procedure_, lu["numero"])
        case "desinscrire":
            procedures.desinscrire_participant(acteur, procedure_, lu["numero"])


@require_safe
def piece(request, pk: int):
    """The bytes of a document, as they were given: downloaded, never shown by the site."""
    jointe = lire_objet(PieceProcedure.objects.all(), request.acteur, pk=pk)
    return HttpResponse(
        bytes(jointe.octets),
        content_type=jointe.type_mime,
        headers={
            "Content-Disposition": content_disposition_header(True, jointe.nom),
            "X-Content-Type-Options": "nosniff",
        },
    )


urlpatterns = [
    path("procedures/", liste, name="procedures"),
    path("procedures/nouvelle/", nouvelle, name="procedure_nouvelle"),
    path("procedures/<identifiant:pk>/", procedure, name="procedure"),
    path("procedures/<identifiant:pk>/actes/<slug:nom>/", accomplir, name="procedure_acte"),
    path("procedures/<identifiant:pk>/ecrits/<slug:nom>/", ecrire, name="procedure_ecrit"),
    path("procedures/pieces/<identifiant:pk>/", piece, name="procedure_piece"),
]
