"""The life of a bilan as a page: where it is, what is awaited, its acts, its receipts; what a réservataire received."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bilans.documents.cycle_extrait import composer_extrait
from bilans.forms_cycle import (
    FormulaireDemande,
    FormulaireMotif,
    FormulaireReponse,
    FormulaireSignature,
    FormulaireValidation,
)
from bilans.models import AccuseBilan, Bilan, VersionReservataire
from bilans.regles import cycle as regles
from bilans.regles.coherence import ChiffresIncoherents
from bilans.regles.cycle import FIGURES, ActeBilan, EtatBilan
from bilans.regles.cycle_extrait import ExtraitBilan
from bilans.regles.donnees import empreinte, relire
from bilans.services import cycle
from bilans.services.cycle_controles import controler
from bilans.services.documents import dernier_document
from bilans.services.donnees_bilan import CalculAbsent, CalculPerime, lire_donnees
from reservation.views.porte import ouvrir

from .cycle_suites import contexte_assiette, contexte_point
from .reponses import repondre_pdf

FORMULAIRES = {
    ActeBilan.SOUMETTRE: FormulaireSignature,
    ActeBilan.DEMANDER: FormulaireDemande,
    ActeBilan.REPONDRE: FormulaireReponse,
    ActeBilan.RENVOYER: FormulaireMotif,
    ActeBilan.VALIDER: FormulaireValidation,
    ActeBilan.ROUVRIR: FormulaireMotif,
}
TITRES = {
    ActeBilan.SOUMETTRE: ("Signer et soumettre", "Signer et soumettre à la DDETS"),
    ActeBilan.DEMANDER: ("Demander un complément", "Envoyer la demande"),
    ActeBilan.REPONDRE: ("Répondre", "Envoyer la réponse"),
    ActeBilan.RENVOYER: ("Renvoyer le bilan", "Renvoyer au bailleur"),
    ActeBilan.VALIDER: ("Valider le bilan", "Valider, et figer les chiffres"),
    ActeBilan.ROUVRIR: ("Ouvrir une correction", "Ouvrir la correction"),
}
FAITS = {
    ActeBilan.SOUMETTRE: "Le bilan est soumis. L’accusé de réception est ci-dessous, et chaque réservataire reçoit sa version.",
    ActeBilan.DEMANDER: "La demande est envoyée : ce qu’elle concerne est ouvert au bailleur.",
    ActeBilan.REPONDRE: "La réponse est envoyée. Soumettez le bilan de nouveau une fois toutes les demandes répondues.",
    ActeBilan.RENVOYER: "Le bilan est renvoyé au bailleur.",
    ActeBilan.VALIDER: "Le bilan est validé : chiffres, texte, PDF et imputations de l’année sont figés.",
    ActeBilan.ROUVRIR: "La correction est ouverte : le bailleur soumettra une nouvelle version.",
}


@require_safe
def suivi(request, pk: int):
    return _page(request, _bilan(request, pk))


def _bilan(request, pk: int) -> Bilan:
    return ouvrir(Bilan.objects.select_related("bailleur", "departement"), request.acteur, pk=pk)


def _page(request, bilan: Bilan, saisi=None, status: int = 200):
    """`saisi`: (act, form, demand) that came back with its errors."""
    suivi_ = cycle.lire_cycle(bilan)
    possibles = regles.actes_possibles(cycle.auteur_de(request.acteur), suivi_.etat)
    if cycle.sans_bailleur(bilan):
        possibles = tuple(acte for acte in possibles if acte != ActeBilan.ROUVRIR)
    dernier = dernier_document(bilan)
    a_jour, probleme, controles = False, "", ()
    termine = bilan.annee < timezone.localdate().year
    if suivi_.document_soumis is None and (request.acteur.est_bailleur or request.acteur.est_service_etat):
        try:
            donnees = lire_donnees(bilan)
        except (CalculAbsent, CalculPerime) as erreur:
            probleme = str(erreur)
        except ChiffresIncoherents:
            probleme = "Des totaux ne concordent pas : le bilan ne peut pas être soumis."
        else:
            a_jour = dernier is not None and dernier.empreinte_donnees == empreinte(donnees)
            controles = controler(request.acteur, bilan, donnees)
    formulaires = [
        (acte, *TITRES[acte], _formulaire(acte, saisi, dernier))
        for acte in possibles
        if acte != ActeBilan.REPONDRE
        and (acte != ActeBilan.SOUMETTRE or (a_jour and not suivi_.sans_reponse))
    ]
    demandes = [
        (
            demande,
            reponse,
            regles.figure(demande.figure),
            _reponse(saisi, demande) if ActeBilan.REPONDRE in possibles and reponse is None else None,
        )
        for demande, reponse in suivi_.demandes
    ]
    ouvert = saisi[1] if saisi else None
    return render(
        request,
        "bilans/cycle/suivi.html",
        {
            "fil": [
                ("Bilans", reverse("bilans:liste")),
                (str(bilan.annee), reverse("bilans:bilan", args=[bilan.pk])),
            ],
            "ici": "Suivi",
            "bilan": bilan,
            "suivi": suivi_,
            "payes_en_trop": cycle.payes_en_trop(suivi_)
            if request.acteur.est_bailleur or request.acteur.est_service_etat
            else [],
            "dernier": dernier,
            "a_jour": a_jour,
            "probleme": probleme,
            "controles": controles,
            "formulaires": formulaires,
            "demandes": demandes,
            "ouvertes": sorted(r.libelle for r in suivi_.ouvertes)
            if suivi_.etat == EtatBilan.COMPLEMENT
            else [],
            "termine": termine,
            "peut_signer": ActeBilan.SOUMETTRE in possibles,
            "accuses": {
                a.etape_id: a for a in AccuseBilan.objects.filter(bilan=bilan).defer("octets").order_by("pk")
            },
            "envois": VersionReservataire.objects.filter(bilan=bilan)
            .select_related("reservataire")
            .defer("octets", "donnees")
            .order_by("-version", "reservataire__nom_tri", "pk"),
            "figures": {f.code: f for f in FIGURES},
            "form": ouvert,
            **(contexte_assiette(request.acteur, bilan) if termine else {}),
            **contexte_point(request.acteur, bilan, dernier, a_jour and not termine),
        },
        status=status,
    )


def _formulaire(acte: ActeBilan, saisi, dernier):
    if saisi and saisi[0] == acte:
        return saisi[1]
    initial = {"empreinte": dernier.empreinte_donnees} if acte == ActeBilan.SOUMETTRE and dernier else None
    return FORMULAIRES[acte](initial=initial, auto_id=f"id_{acte.lower()}_%s")


def _reponse(saisi, demande):
    if saisi and saisi[0] == ActeBilan.REPONDRE and saisi[1].data.get("demande") == str(demande.pk):
        return saisi[1]
    return FormulaireReponse(initial={"demande": demande.pk}, auto_id=f"id_reponse{demande.pk}_%s")


@require_POST
def accomplir(request, pk: int, nom: str):
    """One act of the table, by its name in lower case."""
    try:
        acte = ActeBilan(nom.upper())
    except ValueError:
        raise Http404("Acte inconnu.") from None
    bilan = _bilan(request, pk)
    if not regles.a_le_droit(cycle.auteur_de(request.acteur), acte):
        raise PermissionDenied("Votre rôle ne permet pas cet acte sur un bilan.")
    prefixe = f"reponse{request.POST.get('demande', '')}" if acte == ActeBilan.REPONDRE else acte.lower()
    formulaire = FORMULAIRES[acte](request.POST, auto_id=f"id_{prefixe}_%s")
    if formulaire.is_valid():
        try:
            _faire(request.acteur, bilan, acte, formulaire.cleaned_data)
        except ValidationError as erreur:
            formulaire.add_error(None, erreur)
        else:
            messages.success(request, FAITS[acte])
            return redirect("bilans:suivi", bilan.pk)
    return _page(request, bilan, (acte, formulaire), status=422)


def _faire(acteur, bilan: Bilan, acte: ActeBilan, lu: dict) -> None:
    match acte:
        case ActeBilan.SOUMETTRE:
            cycle.soumettre(acteur, bilan, lu["empreinte"])
        case ActeBilan.DEMANDER:
            cycle.demander(acteur, bilan, lu["figure"], lu["texte"])
        case ActeBilan.REPONDRE:
            cycle.repondre(acteur, bilan, lu["demande"], lu["texte"])
        case ActeBilan.RENVOYER:
            cycle.renvoyer(acteur, bilan, lu["texte"])
        case ActeBilan.VALIDER:
            cycle.valider(acteur, bilan, lu["texte"])
        case ActeBilan.ROUVRIR:
            cycle.rouvrir(acteur, bilan, lu["texte"])


@require_safe
def accuse(request, pk: int):
    recu = ouvrir(AccuseBilan.objects.all(), request.acteur, pk=pk)
    return repondre_pdf(recu.octets, recu.numero)


@require_safe
def recu(request, pk: int):
    """What one réservataire received, as a page."""
    version = ouvrir(_recus().defer("octets"), request.acteur, pk=pk)
    extrait = relire(ExtraitBilan, version.donnees)
    return render(
        request,
        "bilans/cycle/recu.html",
        {
            "fil": [("Bilans", reverse("bilans:liste"))],
            "ici": f"{version.bailleur}, {version.departement}, {version.annee}",
            "version": version,
            "document": composer_extrait(extrait, version.numero, version.empreinte_donnees),
            "produit": bool(version.pages),
            "donnees_au": extrait.situation.donnees_au,
        },
    )


@require_safe
def recu_pdf(request, pk: int):
    version = ouvrir(_recus(), request.acteur, pk=pk)
    if version.octets is None:
        raise Http404("Ce PDF n’est pas encore produit.")
    return repondre_pdf(version.octets, version.numero)


def _recus():
    return VersionReservataire.objects.select_related("bailleur", "departement", "reservataire")


urlpatterns = [
    path("bilans/<identifiant:pk>/suivi/", suivi, name="suivi"),
    path("bilans/<identifiant:pk>/suivi/<slug:nom>/", accomplir, name="suivi_acte"),
    path("bilans/accuses/<identifiant:pk>.pdf", accuse, name="accuse"),
    path("bilans/recus/<identifiant:pk>/", recu, name="recu"),
    path("bilans/recus/<identifiant:pk>.pdf", recu_pdf, name="recu_pdf"),
]
