"""Which parc a page is about: one bailleur, one département, one millésime, as the actor may see it."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest
from django.urls import reverse

from reservation.acteur import Acteur
from reservation.filters import Profil
from reservation.models import AgregatParc, Commune, Departement, EtatParc, Organisation
from reservation.regles.actes import Acte, acte_regissant, regime_de_l_annee
from reservation.regles.statut import Exclusions, questions_logement
from reservation.services.conventions import actes_par_paire


@dataclass(frozen=True)
class Parc:
    """A bailleur's dwellings in a département at 1 January of `millesime`, as `acteur` may see them."""

    acteur: Acteur
    bailleur: Organisation
    departement: Departement
    etats: list[EtatParc]  # most recent first, never empty
    etat: EtatParc

    @property
    def millesime(self) -> int:
        return self.etat.millesime

    @property
    def agregat(self) -> QuerySet[AgregatParc]:
        return AgregatParc.objects.visibles_par(self.acteur).filter(
            bailleur=self.bailleur, departement=self.departement, millesime=self.millesime
        )

    @property
    def modifiable(self) -> bool:
        return self.acteur.est_bailleur and self.acteur.peut_gerer

    @cached_property
    def actes(self) -> list[Acte]:
        paire = (self.bailleur.pk, self.departement.pk)
        return actes_par_paire(self.millesime, paires=[paire]).get(paire, [])

    @cached_property
    def acte_etat(self) -> Acte | None:
        return acte_regissant(self.actes, self.millesime)

    @cached_property
    def exclusions(self) -> Exclusions:
        """What the État's act of the year of the millésime takes out; the law's defaults without any."""
        return regime_de_l_annee(self.actes, self.millesime).exclusions

    @cached_property
    def questions(self) -> dict[str, list[Profil]]:
        """Profiles that the rule asks a question about, by code of question."""
        return {code: [profil for profil, _ in profils] for code, profils in self._questions.items()}

    @cached_property
    def nombre_par_question(self) -> dict[str, int]:
        return {code: sum(n for _, n in profils) for code, profils in self._questions.items()}

    @cached_property
    def _questions(self) -> dict[str, list[tuple[Profil, int]]]:
        trouvees: dict[str, list[tuple[Profil, int]]] = defaultdict(list)
        profils = (
            self.agregat.order_by().values_list("typeconst", "mode", "drapeaux").annotate(n=Sum("nombre"))
        )
        for typeconst, mode, drapeaux, nombre in profils:
            for question in questions_logement(typeconst, mode, frozenset(drapeaux), self.exclusions):
                trouvees[question.code].append(((typeconst, mode, tuple(drapeaux)), nombre))
        return dict(trouvees)

    @cached_property
    def communes(self) -> QuerySet[Commune]:
        return Commune.objects.filter(pk__in=self.agregat.values("commune")).order_by("nom_tri", "pk")

    @property
    def parametres(self) -> dict[str, str | int]:
        """Query string that names this parc in the URLs of the lists."""
        return {
            "bailleur": self.bailleur.pk,
            "departement": self.departement.pk,
            "millesime": self.millesime,
        }

    def url_liste(self, **filtres: str) -> str:
        return f"{reverse('reservation:logements')}?{urlencode(self.parametres | filtres)}"

    @property
    def url(self) -> str:
        return self.url_millesime(self.millesime)

    @property
    def fil(self) -> list[tuple[str, str]]:
        """Breadcrumb down to this parc: (label, URL)."""
        return [("Parc", reverse("reservation:parc"))]

    @property
    def fil_interieur(self) -> list[tuple[str, str]]:
        """Breadcrumb of the pages under this parc."""
        nom = self.departement.nom if self.acteur.est_bailleur else f"{self.bailleur}, {self.departement}"
        return [*self.fil, (nom, self.url)]

    @property
    def fil_logements(self) -> list[tuple[str, str]]:
        return [*self.fil_interieur, ("Logements", self.url_liste())]

    def url_millesime(self, millesime: int) -> str:
        page = reverse("reservation:parc_detail", args=[self.bailleur.pk, self.departement.pk])
        return f"{page}?millesime={millesime}"


def reserver_aux_lecteurs(acteur: Acteur) -> None:
    """The lines of a parc are read by its bailleur and the State of the département; to others, no such page."""
    if not (acteur.systeme or acteur.est_bailleur or acteur.est_service_etat):
        raise Http404


def _entier(texte: str) -> int | None:
    return int(texte) if texte.isdecimal() and len(texte) < 10 else None


def parc_demande(acteur: Acteur, bailleur: int, departement: str, millesime: str = "") -> Parc:
    """The parc of a bailleur in a département, at the millésime asked for or else the last; 404 if there is none."""
    etats = list(
        EtatParc.objects.visibles_par(acteur)
        .filter(bailleur=bailleur, departement=departement)
        .select_related("bailleur", "departement", "import_rpls__cree_par")
        .order_by("-millesime")
    )
    demande = _entier(millesime)
    etat = next((e for e in etats if e.millesime == demande), None) if millesime else next(iter(etats), None)
    if etat is None:
        raise Http404
    return Parc(acteur, etat.bailleur, etat.departement, etats, etat)


def designe_un_parc(request: HttpRequest) -> bool:
    """Whether the query string says which parc, or need not: a bailleur's own, once it has one."""
    if request.GET.get("bailleur"):
        return True
    return request.acteur.est_bailleur and EtatParc.objects.visibles_par(request.acteur).exists()


def parc_de_la_requete(request: HttpRequest) -> Parc:
    """The parc that a query string names; a bailleur need not name itself, nor its first département."""
    acteur = request.acteur
    demande = request.GET.get("bailleur", "")
    bailleur = _entier(demande) if demande or not acteur.est_bailleur else acteur.organisation_id
    if bailleur is None:
        raise Http404
    departement = request.GET.get("departement", "")
    if not departement:
        etats = EtatParc.objects.visibles_par(acteur).filter(bailleur=bailleur)
        departement = etats.order_by("departement").values_list("departement", flat=True).first() or ""
    if not departement.isalnum():
        raise Http404  # no code at all; and PostgreSQL refuses the character NUL
    return parc_demande(acteur, bailleur, departement, request.GET.get("millesime", ""))
