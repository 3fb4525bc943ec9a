"""Flags and answers: what RPLS does not say of a dwelling, said by its bailleur, its effect shown first."""

from collections import Counter
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Min, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from reservation.acteur import Acteur
from reservation.filters import FiltreLogements
from reservation.forms.parc import FormulaireDrapeau, FormulaireEtudiants, FormulaireRetrait
from reservation.models import Drapeau, Logement
from reservation.regles.statut import LIBELLES_DRAPEAU, StatutLogement, statut_logement
from reservation.regles.typographie import accorder, typographier
from reservation.services.parc import poser_drapeau, poser_drapeaux, retirer_drapeau
from reservation.templatetags.affichage import instant
from reservation.views.edition import Edition
from reservation.views.perimetre_parc import Parc, parc_demande
from reservation.views.porte import ouvrir_pour_ecrire


def _saisie(request: HttpRequest) -> QueryDict | None:
    """What was typed, even nothing at all; None while the form is only shown."""
    return request.POST if request.method == "POST" else None


@dataclass(frozen=True)
class Effet:
    """What a flag would change at the last millésime. `passages`: (status before, after, dwellings)."""

    logements: int
    passages: list[tuple[StatutLogement, StatutLogement, int]]

    @property
    def inchanges(self) -> int:
        return self.logements - sum(n for _, _, n in self.passages)


def _vises(acteur: Acteur, parc: Parc, portee: str, cible: str) -> QuerySet[Logement]:
    """Dwellings of the last millésime that a flag on `cible` bears on."""
    champ = "programme" if portee == Drapeau.Portee.PROGRAMME else "cle"
    return Logement.objects.visibles_par(acteur).filter(
        bailleur=parc.bailleur,
        departement=parc.departement,
        millesime=parc.etats[0].millesime,
        **{champ: cible},
    )


def _effet(parc: Parc, vises: QuerySet[Logement], ajoute: str = "", retire: str = "") -> Effet:
    """The rule, asked again for each distinct profile of the dwellings, with one flag more or less."""
    passages: Counter[tuple[StatutLogement, StatutLogement]] = Counter()
    nombre = 0
    profils = (
        vises.order_by()
        .values_list("finan", "conv", "mode", "sortie", "drapeaux", "statut")
        .annotate(n=Count("pk"))
    )
    for finan, conv, mode, sortie, drapeaux, avant, n in profils:
        nouveaux = frozenset(drapeaux) - {retire} | ({ajoute} if ajoute else set())
        apres = statut_logement(finan, conv, mode, sortie, nouveaux, parc.bailleur.famille, parc.exclusions)
        nombre += n
        if apres != avant:
            passages[StatutLogement(avant), apres] += n
    return Effet(nombre, [(avant, apres, n) for (avant, apres), n in sorted(passages.items())])


@require_http_methods(["GET", "HEAD", "POST"])
def poser(request: HttpRequest, pk: int) -> HttpResponse:
    """Set a flag on a dwelling or on its programme: entry, check of what it changes, act."""
    acteur = request.acteur
    fiche = ouvrir_pour_ecrire(
        Logement.objects.select_related("bailleur", "departement", "commune"), acteur, pk=pk
    )
    parc = parc_demande(acteur, fiche.bailleur_id, fiche.departement_id)
    du_programme = (
        _vises(acteur, parc, Drapeau.Portee.PROGRAMME, fiche.programme).count() if fiche.programme else 0
    )
    formulaire = FormulaireDrapeau(_saisie(request), logement=fiche, logements_du_programme=du_programme)
    edition = Edition(request, "parc", f"{fiche.bailleur_id}-{fiche.departement_id}", fiche.cle)
    contexte = {
        "logement": fiche,
        "parc": parc,
        "formulaire": formulaire,
        "edition": edition,
        "fil": [*parc.fil_logements, (str(fiche), reverse("reservation:logement", args=[pk]))],
    }
    if request.method == "POST" and formulaire.is_valid() and "modifier" not in request.POST:
        donnees = formulaire.cleaned_data
        if "confirmer" not in request.POST:
            contexte["effet"] = _effet(
                parc, _vises(acteur, parc, donnees["portee"], formulaire.cible), ajoute=donnees["code"]
            )
            contexte["nature"] = LIBELLES_DRAPEAU[donnees["code"]]
            return render(request, "reservation/parc/drapeau_verifier.html", contexte)
        try:
            with edition.seul():
                poser_drapeau(
                    acteur,
                    bailleur=fiche.bailleur,
                    departement=fiche.departement,
                    portee=donnees["portee"],
                    cible=formulaire.cible,
                    code=donnees["code"],
                    motif=donnees["motif"],
                )
        except ValidationError as erreur:
            formulaire.add_error(None, erreur.messages)
        else:
            messages.success(request, "Le drapeau est posé, les statuts sont recalculés.")
            return redirect("reservation:logement", pk)
    statut = 422 if formulaire.errors else 200
    return render(request, "reservation/parc/drapeau_poser.html", contexte, status=statut)


@require_http_methods(["GET", "HEAD", "POST"])
def retirer(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a flag, with the reason; what changes is shown first."""
    acteur = request.acteur
    drapeau = ouvrir_pour_ecrire(
        Drapeau.objects.select_related("bailleur", "departement", "pose_par", "retire_par"), acteur, pk=pk
    )
    if drapeau.retire_le is not None and request.method != "POST":
        raise Http404
    parc = parc_demande(acteur, drapeau.bailleur_id, drapeau.departement_id)
    vises = _vises(acteur, parc, drapeau.portee, drapeau.cible)
    premier = vises.order_by("cle").first()
    retour = reverse("reservation:logement", args=[premier.pk]) if premier else parc.url
    if drapeau.retire_le is not None:
        messages.warning(request, _deja_retire(drapeau, request.POST.get("motif", "")))
        return redirect(retour)
    formulaire = FormulaireRetrait(_saisie(request))
    if request.method == "POST" and formulaire.is_valid():
        try:
            retirer_drapeau(acteur, drapeau, motif=formulaire.cleaned_data["motif"])
        except ValidationError as erreur:
            formulaire.add_error(None, erreur.messages)
        else:
            messages.success(request, "Le drapeau est retiré, les statuts sont recalculés.")
            return redirect(retour)
    seuls = _sans_autre_drapeau(acteur, drapeau, vises)
    effet = _effet(parc, seuls, retire=drapeau.code)
    contexte = {
        "drapeau": drapeau,
        "parc": parc,
        "formulaire": formulaire,
        "effet": effet,
        "tenus_par_un_autre": vises.count() - effet.logements,
        "reference": premier or drapeau.cible,
        "retour": retour,
    }
    statut = 422 if formulaire.errors else 200
    return render(request, "reservation/parc/drapeau_retirer.html", contexte, status=statut)


def _deja_retire(drapeau: Drapeau, motif: str) -> str:
    """For the second of two people who withdraw it: who did, when and why, and what they had written themselves."""
    par = drapeau.retire_par or "l’application"
    dit = f"Ce drapeau a été retiré entre-temps, le {instant(drapeau.retire_le)}, par {par} : « {drapeau.motif_retrait} »."
    return typographier(f"{dit} Votre motif n’a pas servi : « {motif} »." if motif.strip() else dit)


def _sans_autre_drapeau(acteur: Acteur, drapeau: Drapeau, vises: QuerySet[Logement]) -> QuerySet[Logement]:
    """Of the dwellings that a flag bears on, those that no other flag of the same nature holds."""
    autres = (
        Drapeau.objects.visibles_par(acteur)
        .filter(
            bailleur=drapeau.bailleur_id,
            departement=drapeau.departement_id,
            code=drapeau.code,
            retire_le=None,
        )
        .exclude(pk=drapeau.pk)
    )
    portees = Drapeau.Portee
    return vises.exclude(
        Q(cle__in=autres.filter(portee=portees.LOGEMENT).values("cible"))
        | Q(programme__in=autres.filter(portee=portees.PROGRAMME).values("cible"))
    )


# --- Questions of the RPLS --------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def etudiants(request: HttpRequest, bailleur: int, departement: str) -> HttpResponse:
    """RPLS says « student » (TYPECONST E): the bailleur says, by programme, whether it is a résidence universitaire."""
    acteur = request.acteur
    parc = parc_demande(acteur, bailleur, departement)
    if not parc.modifiable:
        raise PermissionDenied("Seul le bailleur répond, par un membre qui a le rôle de gestion.")
    selection = FiltreLogements(
        {"question": "RESIDENCE"},
        queryset=Logement.objects.visibles_par(acteur).filter(
            bailleur=parc.bailleur, departement=parc.departement, millesime=parc.millesime
        ),
        communes=parc.communes,
        profils=parc.questions,
    )
    comptes = list(
        selection.qs.order_by()
        .values("programme")
        .annotate(n=Count("pk"), commune=Min("commune__nom"))
        .order_by("commune", "programme")
    )
    formulaire = FormulaireEtudiants(
        _saisie(request),
        programmes={
            ligne[
                "programme"
            ]: f"{ligne['programme']}, {ligne['commune']} ({accorder(ligne['n'], 'logement')})"
            for ligne in comptes
            if ligne["programme"]
        },
        exclusions=parc.exclusions,
    )
    if request.method == "POST" and formulaire.is_valid():
        try:
            poser_drapeaux(
                acteur,
                bailleur=parc.bailleur,
                departement=parc.departement,
                portee=Drapeau.Portee.PROGRAMME,
                codes=formulaire.reponses,
                motif=formulaire.cleaned_data["motif"],
            )
        except ValidationError as erreur:
            formulaire.add_error(None, erreur.messages)
        else:
            messages.success(request, "Vos réponses sont enregistrées, les statuts sont recalculés.")
            return redirect(parc.url)
    contexte = {
        "parc": parc,
        "formulaire": formulaire,
        "sans_programme": sum(ligne["n"] for ligne in comptes if not ligne["programme"]),
        "nombre": sum(ligne["n"] for ligne in comptes),
        "logements_url": parc.url_liste(question="RESIDENCE"),
    }
    statut = 422 if formulaire.errors else 200
    return render(request, "reservation/parc/etudiants.html", contexte, status=statut)
