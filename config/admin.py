"""Django's admin: for support alone, second factor given (`SecondFacteurMiddleware`), on what belongs to no tenant.

Reference tables are edited here; accounts, organisations, accesses and e-mails are only looked at: what changes them
has its own pages and services, which check rights and leave their reasons. The tables of tenants are not here: support
sees them in somebody's place, with a reason, under the banner of assistance.
"""

import re

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied

from flux.models import CodeMotif, MotifRefus
from publics.models import CategorieLabel, MotifLabel, NaturePreuve
from reservation.models import Courriel, Organisation, Rattachement, Utilisateur


class SiteAssistance(admin.AdminSite):
    site_header = "Gestion en flux : données communes"
    site_title = "Assistance"
    index_title = "Tables communes à tous, comptes et courriels"
    site_url = "/"
    enable_nav_sidebar = False
    final_catch_all_view = False

    def has_permission(self, request) -> bool:
        return request.acteur.support and not request.acteur.en_assistance

    def admin_view(self, view, cacheable=False):
        vue = super().admin_view(view, cacheable)

        def reservee(request, *args, **kwargs):
            if not self.has_permission(request):
                raise PermissionDenied("Cette page est celle de l’assistance.")
            return vue(request, *args, **kwargs)

        return reservee

    def get_urls(self):
        """Signing in and passwords are those of the site; an object is looked for by its own page."""
        ailleurs = {
            "login",
            "logout",
            "password_change",
            "password_change_done",
            "autocomplete",
            "view_on_site",
        }
        urls = [motif for motif in super().get_urls() if getattr(motif, "name", None) not in ailleurs]
        for motif in urls:
            if motif.callback:
                motif.callback.login_url = settings.LOGIN_URL
        return urls


class Table(admin.ModelAdmin):
    """Nothing is deleted: what is no longer used is withdrawn from entry."""

    actions = None
    list_per_page = 50
    GARDEES = ("changelist", "add", "change")

    def get_urls(self):
        return [motif for motif in super().get_urls() if (motif.name or "").endswith(self.GARDEES)]

    def has_module_permission(self, request) -> bool:
        return self.admin_site.has_permission(request)

    has_view_permission = has_add_permission = has_change_permission = lambda self, request, obj=None: (
        self.admin_site.has_permission(request)
    )

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


class Nomenclature(Table):
    """A code is stored with each act: it never changes once it exists."""

    def get_readonly_fields(self, request, obj=None):
        return ("code",) if obj else ()


class Consultation(Table):
    GARDEES = ("changelist", "change")

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False


site = SiteAssistance(name="admin")


@admin.register(MotifRefus, site=site)
class PageMotifsRefus(Nomenclature):
    list_display = ("libelle", "code", "porteur", "actif", "rang")
    list_filter = ("porteur", "actif")
    search_fields = ("code", "libelle")


@admin.register(CodeMotif, site=site)
class PageMotifsActes(Nomenclature):
    list_display = ("libelle", "code", "acte", "actif", "rang")
    list_filter = ("acte", "actif")
    search_fields = ("code", "libelle")


class FormulaireCategorie(forms.ModelForm):
    """A ground that the law or a convention adds: its code is kept with each label, in the shape of the others."""

    def clean_code(self) -> str:
        code = self.cleaned_data["code"].strip().upper()
        if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,19}", code):
            raise forms.ValidationError(
                "Attendu : une lettre, puis des lettres, des chiffres ou « _ » ; par exemple L441_1_N."
            )
        return code

    def clean(self):
        donnees = super().clean()
        if not self.instance.pk and not donnees.get("debut") and "debut" not in self.errors:
            self.add_error("debut", "Une catégorie nouvelle porte la date depuis laquelle elle vaut.")
        if donnees.get("debut") and donnees.get("fin") and donnees["fin"] < donnees["debut"]:
            self.add_error("fin", "La fin ne peut pas précéder le début.")
        return donnees


@admin.register(CategorieLabel, site=site)
class PageCategories(Nomenclature):
    """The law changes: a category is added or ended by its dates, never deleted; its default group is what a département
    has not set."""

    form = FormulaireCategorie
    list_display = ("libelle", "code", "article", "groupe_defaut", "debut", "fin")
    search_fields = ("code", "libelle", "article")

    def get_readonly_fields(self, request, obj=None):
        # Groups are dated, département by département: a default changed here would write the past again.
        return ("code", "groupe_defaut") if obj else ()

    def get_changeform_initial_data(self, request):
        dernier = CategorieLabel.objects.order_by("-rang").values_list("rang", flat=True).first() or 0
        return {"rang": dernier + 1, "groupe_defaut": 3}


@admin.register(MotifLabel, site=site)
class PageMotifsLabels(Nomenclature):
    list_display = ("libelle", "code", "acte", "debut", "fin", "rang")
    list_filter = ("acte",)
    search_fields = ("code", "libelle")


@admin.register(NaturePreuve, site=site)
class PageNaturesPreuve(Nomenclature):
    list_display = ("libelle", "code", "debut", "fin", "rang")
    search_fields = ("code", "libelle")


@admin.register(Organisation, site=site)
class PageOrganisations(Consultation):
    list_display = ("nom", "type", "siren")
    list_filter = ("type",)
    search_fields = ("nom", "siren")


@admin.register(Utilisateur, site=site)
class PageUtilisateurs(Consultation):
    list_display = ("courriel", "nom", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("courriel", "nom")
    fields = (
        "courriel",
        "nom",
        "is_active",
        "is_staff",
        "date_joined",
        "last_login",
        "sommeil_averti_le",
        "ferme_le",
    )


@admin.register(Rattachement, site=site)
class PageRattachements(Consultation):
    list_display = ("utilisateur", "organisation", "role", "debut", "fin", "termine_le")
    list_filter = ("role",)
    list_select_related = ("utilisateur", "organisation")
    search_fields = ("utilisateur__courriel", "organisation__nom")


@admin.register(Courriel, site=site)
class PageCourriels(Consultation):
    """The words are not shown: an e-mail is its addressee's."""

    list_display = ("objet", "destinataire", "etat", "essais", "ecrit_le", "envoye_le", "erreur")
    list_filter = ("etat", "gabarit")
    search_fields = ("destinataire", "objet")
    fields = (
        "objet",
        "destinataire",
        "gabarit",
        "etat",
        "essais",
        "prochain_essai_le",
        "erreur",
        "ecrit_le",
        "envoye_le",
    )
