"""The ledger of debts: the accounts of an actor, and one account with its debts, its reports and its entries."""

from django.http import Http404
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from bilans.models import EcritureRegistre
from bilans.regles.registre_dettes import Compte, Poste, lire
from bilans.services.registre import Cle, lire_tous_les_comptes
from reservation.acteur import TypeOrganisation
from reservation.models import Departement, Organisation


@require_safe
def registres(request):
    """Every account that the actor reads, those still due first."""
    comptes = lire_tous_les_comptes(request.acteur)
    noms = Organisation.objects.in_bulk({pk for cle in comptes for pk in (cle.bailleur, cle.reservataire)})
    departements = Departement.objects.in_bulk({cle.departement for cle in comptes})
    lignes = [
        {
            "cle": cle,
            "bailleur": noms[cle.bailleur],
            "departement": departements[cle.departement],
            "reservataire": _nommer(noms[cle.reservataire]),
            "ouverts": sum(d.ouverte for d in compte.dettes),
            "reste": compte.reste,
            "a_decider": compte.total(Poste.A_DECIDER),
            "reportes": compte.total(Poste.REPORTES),
            "attribues": compte.total(Poste.ATTRIBUES),
        }
        for cle, compte in comptes.items()
    ]
    lignes.sort(key=lambda x: (not x["reste"], x["departement"].nom_tri, x["bailleur"].nom_tri, x["cle"]))
    return render(request, "bilans/registre/liste.html", {"fil": _fil()[:1], "lignes": lignes})


@require_safe
def registre(request, bailleur: int, departement: str, reservataire: int):
    """One account: its debts by place, what each objective inherits, every entry with its basis."""
    cle = Cle(bailleur, departement, reservataire)
    ecritures = list(
        EcritureRegistre.objects.visibles_par(request.acteur)
        .filter(**cle.filtre)
        .select_related("bailleur", "departement", "reservataire", "organisation")
        .order_by("pk")
    )
    if not ecritures:
        raise Http404("Aucune dette.")
    compte = lire(e.en_regle() for e in ecritures)
    return render(
        request,
        "bilans/registre/compte.html",
        {
            "fil": _fil(),
            "ici": f"{ecritures[0].bailleur}, {_nommer(ecritures[0].reservataire)}",
            "reservataire": _nommer(ecritures[0].reservataire),
            "compte": compte,
            "dettes": [_dette(compte, d.annee) for d in compte.dettes],
            "postes": list(Poste),
            "reports": [
                {"annee": annee, "nombre": nombre, "dont": compte.reports_de(annee)}
                for annee, nombre in compte.reports.items()
            ],
            "decharges": [
                (annee, nombre)
                for annee in sorted({e.annee for e in compte.ecritures})
                if (nombre := compte.decharges_de(annee))
            ],
            "ecritures": reversed(ecritures),
            "premiere": ecritures[0],
        },
    )


def _fil() -> list[tuple[str, str]]:
    return [("Bilans", reverse("bilans:liste")), ("Registre des dettes", reverse("bilans:registres"))]


def _nommer(reservataire: Organisation) -> str:
    """The State is the réservataire, the DDETS acts for it."""
    return "l’État" if reservataire.type == TypeOrganisation.DDETS else reservataire.nom


def _dette(compte: Compte, annee: int) -> dict:
    dette = compte.dette(annee)
    return {
        "annee": annee,
        "ouverte": dette.ouverte,
        "postes": [(poste, dette.de(poste)) for poste in Poste],
    }


urlpatterns = [
    path("bilans/registre/", registres, name="registres"),
    path(
        "bilans/registre/<identifiant:bailleur>/<departement:departement>/<identifiant:reservataire>/",
        registre,
        name="registre",
    ),
]
