"""The access matrix: each URL × each persona × own, foreign or unknown object → expected status. Data, no logic.

A line says, for the object of bailleur A in the Alpes-Maritimes, who gets what; anybody not named gets `sinon`.
The same line is then tried by A on the object of B, and by everybody on an object that does not exist.
`ANONYME` is always sent to the sign-in page unless the line says otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.acces.decor import ANNEE, Objets
from tests.acces.decor_regional import ANNEE_VALIDEE, PUBLIE_LE

BAILLEUR_A = ("gestionnaire_a", "signataire_a", "lecteur_a", "administrateur_a")
ECRIT_A = ("gestionnaire_a", "signataire_a")
LIT_A = ("lecteur_a", "administrateur_a")
ETAT_06 = ("agent_ddets_06", "lecteur_ddets_06", "administrateur_ddets_06", "agent_sgc_06")
# Members of the other organisations that hand in extracts, by their role.
DEPOSENT = ("agent_ddets_06", "agent_ddets_22", "charge_als", "operateur")
DDETS_QUI_LIT = ("lecteur_ddets_06", "administrateur_ddets_06")
COPIL = ("charge_dreal", "charge_union")
TITULAIRES = ("charge_als", "agent_cannes")
ANONYME = "anonyme"
PERSONNAGES = (
    *BAILLEUR_A,
    "gestionnaire_b",
    *ETAT_06,
    "agent_ddets_22",
    *TITULAIRES,
    "agent_caf",
    *COPIL,
    "operateur",
    "sans_organisation",
    ANONYME,
)


@dataclass(frozen=True)
class Ligne:
    """One verb on one URL. `args`: URL arguments from the objects of a bailleur; None: the URL has no object.

    `attendus`: persona → status. `donnees`: what a POST sends. `partage`: the page is everybody's own (a list):
    there is no foreign object to try.
    """

    nom: str
    args: Callable[[Objets], tuple] | None = None
    methode: str = "GET"
    donnees: Callable[[Objets], dict] | dict | None = None
    attendus: dict[str, int] = field(default_factory=dict)
    sinon: int = 404
    requete: Callable[[Objets], str] | str = ""
    entetes: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        requete = "" if callable(self.requete) else self.requete
        return f"{self.methode} {self.nom}{requete}"

    @property
    def designe(self) -> bool:
        """Whether the line names an object of a bailleur, in the URL, the query string or the body."""
        return any(callable(x) for x in (self.args, self.requete, self.donnees))

    def args_de(self, objets: Objets) -> tuple:
        return self.args(objets) if self.args else ()

    def requete_de(self, objets: Objets) -> str:
        return self.requete(objets) if callable(self.requete) else self.requete

    def donnees_de(self, objets: Objets) -> dict | None:
        return self.donnees(objets) if callable(self.donnees) else self.donnees

    def attendu(self, personnage: str) -> int:
        if personnage == ANONYME:
            return self.attendus.get(ANONYME, 302)
        return self.attendus.get(personnage, self.sinon)


def envoyer(client, methode: str, url: str, donnees=None, entetes: dict[str, str] | None = None):
    """Ask as a browser does, or as a program when the headers say that the body is JSON."""
    entetes = dict(entetes or {})
    options = {"content_type": entetes.pop("Content-Type")} if "Content-Type" in entetes else {}
    return getattr(client, methode.lower())(url, donnees, headers=entetes, **options)


def pour(code: int, *personnages: str) -> dict[str, int]:
    return dict.fromkeys(personnages, code)


def tous(code: int = 200) -> dict[str, int]:
    return pour(code, *PERSONNAGES)


# Whoever has dwellings, rights or an office in the Alpes-Maritimes.
PARTENAIRES_06 = (*BAILLEUR_A, "gestionnaire_b", *ETAT_06, *TITULAIRES, *COPIL, "operateur")
BAILLEURS_ET_ETAT = pour(200, *BAILLEUR_A, "gestionnaire_b", *ETAT_06, "agent_ddets_22")
ECRIT = (*ECRIT_A, "gestionnaire_b")
ECRIT_A_OU_DDETS = (*ECRIT_A, "agent_ddets_06")
# Who may manage in each organisation, whatever it is.
GERENT = (
    *ECRIT,
    "agent_ddets_06",
    "agent_ddets_22",
    "agent_sgc_06",
    *TITULAIRES,
    "agent_caf",
    "operateur",
)
LIT_SANS_ECRIRE = (*LIT_A, "lecteur_ddets_06", "administrateur_ddets_06", "agent_sgc_06")
LIT_LE_DEPARTEMENT = pour(200, *BAILLEUR_A, *ETAT_06)
ECRITURE_DU_BAILLEUR = pour(403, *LIT_A, *ETAT_06)


LISENT_LEURS_LIGNES = BAILLEURS_ET_ETAT | pour(200, *TITULAIRES, "agent_caf")
LISENT_LES_INDICATEURS = LISENT_LEURS_LIGNES | pour(200, *COPIL)
ADMINISTRENT_A = ("administrateur_a", "administrateur_ddets_06")
# Names of organisations are no secret between partners; who works there is.
VOIENT_LE_NOM = pour(403, *ETAT_06, "agent_ddets_22", *TITULAIRES, "agent_caf", *COPIL)

LISENT_LE_REGIONAL = pour(200, *ETAT_06, *COPIL, "charge_als")


def _projection(o: Objets) -> tuple:
    return (o.bailleur.pk, "06", ANNEE)


# --- API: the same gates as the pages; nobody known is told so, and not sent to a page ------------------------------
NON_AUTHENTIFIE = {ANONYME: 401}
PROGRAMME = {"Content-Type": "application/json", "Idempotency-Key": "matrice"}


def _lu_par_l_api(nom: str, args: Callable | None = None, *lecteurs: str, sinon: int = 404) -> Ligne:
    attendus = {**LIT_LE_DEPARTEMENT, **pour(200, *lecteurs)} if args else {}
    return Ligne(f"api:{nom}", args, attendus={**attendus, **NON_AUTHENTIFIE}, sinon=sinon)


def _ecrit_par_l_api(nom: str, args: Callable) -> Ligne:
    """A verb of the bailleur, sent empty."""
    return Ligne(
        f"api:{nom}",
        args,
        "POST",
        {},
        attendus={**pour(400, *ECRIT_A), **ECRITURE_DU_BAILLEUR, "charge_als": 403, **NON_AUTHENTIFIE},
        entetes=PROGRAMME,
    )


TABLES_COMMUNES = {
    "flux_motifrefus": ("changelist", "add", "change"),
    "flux_codemotif": ("changelist", "add", "change"),
    "publics_categorielabel": ("changelist", "add", "change"),
    "publics_motiflabel": ("changelist", "add", "change"),
    "publics_naturepreuve": ("changelist", "add", "change"),
    "reservation_organisation": ("changelist", "change"),
    "reservation_utilisateur": ("changelist", "change"),
    "reservation_rattachement": ("changelist", "change"),
    "reservation_courriel": ("changelist", "change"),
}


# --- labels ----------------------------------------------------------------------------------------------------------
ENTRENT_UN_LABEL = pour(
    200, *BAILLEUR_A, "gestionnaire_b", *ETAT_06, "agent_ddets_22", "charge_als", "operateur"
)
SAISISSENT = (*ECRIT, "agent_ddets_06", "agent_ddets_22", "charge_als", "operateur")
LISENT_SANS_SAISIR = pour(403, *LIT_A, "lecteur_ddets_06", "administrateur_ddets_06")
PARTENAIRES_DU_06 = {nom: code for nom, code in ENTRENT_UN_LABEL.items() if nom != "agent_ddets_22"}
REPONDENT = ("agent_ddets_06", "administrateur_ddets_06", "agent_ddets_22")


def _parc(o: Objets) -> str:
    return f"?bailleur={o.bailleur.pk}&departement=06"


def _flux(o: Objets) -> tuple:
    return o.bailleur.pk, "06", ANNEE


def _ecrits_par_le_bailleur(nom: str, args: Callable, fautif: int, donnees: dict) -> tuple[Ligne, Ligne]:
    """A form that the bailleur writes: shown, then sent with a fault."""
    return (
        Ligne(nom, args, attendus={**pour(200, *ECRIT_A), **ECRITURE_DU_BAILLEUR}),
        Ligne(nom, args, "POST", donnees, attendus={**pour(fautif, *ECRIT_A), **ECRITURE_DU_BAILLEUR}),
    )


def _actes(
    verbe: str, acte: str, lu: int, ecrit: int, *etape: str, nom: str = "", args: Callable | None = None
) -> tuple[Ligne, Ligne]:
    """A verb on a convention, read then sent empty: 403 to those who may only read that act."""
    lecteurs = {
        "convention_etat": (*COPIL, *ECRIT_A),
        "convention_als": (*COPIL, "charge_als"),
        "convention_cannes": (*COPIL, "agent_cannes"),
        "brouillon": (),
    }[acte]
    ecrivent = ("agent_ddets_06",) if acte == "convention_etat" else ECRIT_A_OU_DDETS
    return tuple(
        Ligne(
            f"reservation:{nom or verbe}",
            args or (lambda o: (getattr(o, acte).pk, *etape)),
            methode,
            {},
            attendus={**pour(code, *ecrivent), **pour(403, *LIT_SANS_ECRIRE, *lecteurs)},
        )
        for methode, code in (("GET", lu), ("POST", ecrit))
    )


APRES_LA_CALEOL = ("offre", "acceptation", "silence", "pieces", "levee", "expiration")

MATRICE: tuple[Ligne, ...] = (
    # --- everybody's ---------------------------------------------------------------------------------------
    Ligne("accueil", sinon=200),
    Ligne("connexion", attendus={**tous(302), ANONYME: 200}),
    Ligne("deconnexion", methode="POST", sinon=302),
    # --- the account: one's own, whoever one is; a page about a factor that one does not have leads elsewhere --
    Ligne("account_login", attendus={**tous(302), ANONYME: 200}),
    Ligne("account_logout", methode="POST", sinon=302),
    *(Ligne(nom, sinon=302) for nom in ("mfa_authenticate", "mfa_login_webauthn")),
    *(
        Ligne(nom, methode=methode, attendus=tous(404))  # nothing there on a site without ProConnect
        for nom in ("proconnect", "proconnect_retour")
        for methode in ("GET", "POST")
    ),
    *(
        Ligne(nom, attendus=tous())
        for nom in (
            "socialaccount_login_cancelled",
            "account_inactive",
            "account_reset_password",
            "account_reset_password_done",
            "account_reset_password_from_key_done",
        )
    ),
    Ligne("account_reset_password_from_key", lambda o: ("1", "abc-def"), attendus=tous()),
    *(Ligne("account_signup", methode=m, attendus={**tous(302), ANONYME: 200}) for m in ("GET", "POST")),
    Ligne("sans_acces", attendus=pour(200, "sans_organisation"), sinon=302),
    *(
        Ligne(nom, sinon=200)
        for nom in (
            "compte",
            "account_reauthenticate",
            "account_change_password",
            "mfa_index",
            "mfa_list_webauthn",
            "usersessions_list",
        )
    ),
    *(
        Ligne(nom, methode=methode, sinon=302)  # the password must be said again first
        for nom in (
            "account_set_password",
            "mfa_reauthenticate",
            "mfa_reauthenticate_webauthn",
            "mfa_activate_totp",
            "mfa_add_webauthn",
            "mfa_generate_recovery_codes",
        )
        for methode in ("GET", "POST")
    ),
    *(
        Ligne(nom, lambda o: (1,), methode, sinon=302)
        for nom in ("mfa_edit_webauthn", "mfa_remove_webauthn")
        for methode in ("GET", "POST")
    ),
    *(
        Ligne(nom)
        for nom in ("mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes")
    ),
    Ligne(
        "changer_organisation",
        methode="POST",
        donnees=lambda o: {"organisation": o.bailleur.pk},
        attendus=pour(302, *BAILLEUR_A),
    ),
    # --- accesses and organisations -------------------------------------------------------------------------
    Ligne("reservation:mes_acces", sinon=200),
    Ligne("reservation:demander_acces", sinon=200),
    Ligne("reservation:demander_acces_a", lambda o: (o.convention_als.reservataire_id,), sinon=200),
    Ligne(
        "reservation:demander_acces_a", lambda o: (o.convention_als.reservataire_id,), "POST", {}, sinon=422
    ),
    Ligne("reservation:quitter", lambda o: (o.bailleur.pk,), attendus=pour(200, *BAILLEUR_A)),
    Ligne(
        "reservation:quitter",
        lambda o: (o.bailleur.pk,),
        "POST",
        attendus=pour(302, "gestionnaire_a", "signataire_a", "lecteur_a") | pour(409, "administrateur_a"),
    ),
    Ligne("reservation:mon_organisation", attendus=pour(302, "sans_organisation"), sinon=200),
    Ligne(
        "reservation:organisation_acces",
        lambda o: (o.bailleur.pk,),
        attendus=VOIENT_LE_NOM | pour(200, *BAILLEUR_A, "administrateur_ddets_06"),
    ),
    *(
        Ligne(
            f"reservation:{nom}",
            args,
            methode,
            {},
            attendus=VOIENT_LE_NOM | pour(403, *BAILLEUR_A) | pour(code, *ADMINISTRENT_A),
        )
        for nom, args in (
            ("inviter", lambda o: (o.bailleur.pk,)),
            ("renouvellement", lambda o: (o.bailleur.pk,)),
            ("organisation_nom", lambda o: (o.bailleur.pk,)),
            ("acces_personne", lambda o: (o.bailleur.pk, o.membre.pk)),
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    *(
        Ligne(
            f"reservation:{nom}",
            lambda o: (o.invitation.pk,),
            "POST",
            attendus=pour(403, *BAILLEUR_A) | pour(302, *ADMINISTRENT_A),
        )
        for nom in ("invitation_renvoyer", "invitation_retirer")
    ),
    Ligne("reservation:invitation", lambda o: (o.invitation.secret,), attendus=pour(200, ANONYME)),
    Ligne(
        "reservation:invitation", lambda o: (o.invitation.secret,), "POST", {}, attendus=pour(422, ANONYME)
    ),
    Ligne("reservation:demande_acces", lambda o: (o.demande.pk,), attendus=pour(200, *ADMINISTRENT_A)),
    Ligne(
        "reservation:demande_acces",
        lambda o: (o.demande.pk,),
        "POST",
        {},
        attendus=pour(422, *ADMINISTRENT_A),
    ),
    Ligne("reservation:demande_retirer", lambda o: (o.demande.pk,), "POST"),
    *(
        Ligne(
            "reservation:fusion",
            lambda o: (o.bailleur.pk,),
            methode,
            {},
            attendus=VOIENT_LE_NOM | pour(403, *BAILLEUR_A) | pour(code, "administrateur_ddets_06"),
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne("reservation:organisations", attendus=pour(200, "administrateur_ddets_06"), sinon=403),
    Ligne("reservation:organisation_creer", attendus=pour(200, "administrateur_ddets_06"), sinon=403),
    Ligne(
        "reservation:organisation_creer",
        methode="POST",
        donnees={},
        attendus=pour(422, "administrateur_ddets_06"),
        sinon=403,
    ),
    Ligne("aide", attendus=tous()),
    Ligne("glossaire", attendus=tous()),
    Ligne("accessibilite", attendus=tous()),
    Ligne("accessibilite_grille", attendus=tous()),
    Ligne("plan_du_site", attendus=tous()),
    Ligne("sante", attendus=tous()),
    Ligne("sante_prete", attendus=tous()),
    Ligne("etat", attendus=tous()),
    Ligne("metriques", attendus=tous(404)),  # neither a token nor a network in the settings of the tests
    Ligne("security_txt", attendus=tous(404)),  # no contact in the settings of the tests
    # --- Django's admin: support's alone, whom tests/maison/test_admin.py plays -------------------------------
    *(Ligne(f"admin:{nom}", sinon=403) for nom in ("index", "jsi18n")),
    Ligne("admin:app_list", lambda o: ("flux",), sinon=403),
    *(
        Ligne(f"admin:{table}_{page}", args, methode, {}, sinon=403)
        for table, pages in TABLES_COMMUNES.items()
        for page in pages
        for args in ((lambda o: ("1",)) if page == "change" else None,)
        for methode in ("GET", "POST")
    ),
    Ligne("publics:donnees_personnelles", sinon=200),
    Ligne("publics:registre", attendus=pour(200, *ADMINISTRENT_A), sinon=403),
    *(
        Ligne("publics:registre_export", lambda o, f=f: (f,), attendus=pour(200, *ADMINISTRENT_A), sinon=403)
        for f in ("csv", "xlsx")
    ),
    Ligne("flux:banc_essai", sinon=200),
    Ligne("flux:banc_essai_cas", lambda o: ("paca-previsionnel",), sinon=200),
    Ligne("flux:banc_essai_fichier", lambda o: ("paca-previsionnel",), sinon=200),
    # --- simulations: the two that negotiate make them; who was not invited does not see them --------------------
    Ligne("flux:simulations", attendus=LISENT_LEURS_LIGNES),
    Ligne(
        "flux:simulation_nouvelle",
        attendus=pour(200, *ECRIT_A, "agent_ddets_06") | pour(302, "gestionnaire_b", "agent_ddets_22"),
        sinon=403,
    ),
    *(
        Ligne(
            nom,
            lambda o: (o.bailleur.pk, "06"),
            methode,
            donnees={},
            attendus={**pour(200, *ECRIT_A_OU_DDETS), **pour(403, *LIT_SANS_ECRIRE)},
        )
        for nom, methode in (
            ("flux:simulation_atelier", "GET"),
            ("flux:simulation_atelier", "POST"),
            ("flux:simulation_apercu", "POST"),
        )
    ),
    *(
        Ligne(nom, lambda o: (o.simulation.pk,), attendus=pour(200, *BAILLEUR_A, "charge_als"))
        for nom in ("flux:simulation", "flux:simulation_pdf")
    ),
    *(
        Ligne(
            nom,
            lambda o: (o.simulation.pk,),
            methode,
            donnees={},
            attendus={**pour(code, *ECRIT_A), **pour(403, *LIT_A, "charge_als")},
        )
        for nom, methode, code in (
            ("flux:simulation_modifier", "GET", 200),
            ("flux:simulation_modifier", "POST", 200),
            ("flux:simulation_recalculer", "POST", 302),
            ("flux:simulation_partager", "POST", 302),
            ("flux:simulation_ne_plus_partager", "POST", 302),
            ("flux:simulation_supprimer", "POST", 302),
        )
    ),
    Ligne(
        "reservation:historique",
        lambda o: ("simulation", str(o.simulation.pk)),
        attendus=pour(200, *BAILLEUR_A),
    ),
    # --- libérations ---------------------------------------------------------------------------------------
    Ligne("flux:liberations", sinon=200),
    Ligne("flux:liberation_creer", attendus=pour(200, *ECRIT), sinon=403),
    *(Ligne("flux:liberations_export", lambda o, f=f: (f,), sinon=200) for f in ("csv", "xlsx")),
    Ligne("flux:logements_proposes", requete="?reference=rue", sinon=200),
    Ligne("flux:faits_du_logement", requete="?reference=A-1", sinon=200),
    # Several at once: the rows are named in the query string, then in the body.
    *(
        Ligne(
            "flux:liberations_lot",
            methode=methode,
            requete=(lambda o: f"?id={o.liberation_libre.pk}") if methode == "GET" else "",
            donnees=None
            if methode == "GET"
            else lambda o: {"id": [o.liberation_libre.pk], "acte": "disponibilite"},
            attendus={**pour(code, *ECRIT_A), "gestionnaire_b": 404},
            sinon=403,
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    # Filters: whoever has an organisation keeps its own.
    Ligne(
        "flux:filtre_garder",
        methode="POST",
        requete="?q=rue",
        donnees={"nom": "essai"},
        attendus=pour(403, "sans_organisation"),
        sinon=302,
    ),
    Ligne("flux:filtre_retirer", lambda o: (o.filtre.pk,), "POST", {}, attendus=pour(302, "gestionnaire_a")),
    Ligne(
        "flux:liberation",
        lambda o: (o.liberation_als.pk,),
        attendus={**LIT_LE_DEPARTEMENT, "charge_als": 200},
    ),
    Ligne("flux:liberation", lambda o: (o.liberation_libre.pk,), attendus=LIT_LE_DEPARTEMENT),
    *(
        Ligne(
            "flux:liberation_acte",
            lambda o, acte=acte: (o.liberation_als.pk, acte),
            "POST",
            donnees={},
            attendus={**pour(422, *ECRIT_A), **ECRITURE_DU_BAILLEUR, "charge_als": 403},
        )
        for acte in (
            "orienter",
            "reprendre",
            "rendre",
            "proposer",
            "inscrire",
            "attribuer",
            "bail",
            "refus",
            "echec",
            "annuler",
            "corriger",
            "retablir",
            "offre",
            "accepter",
            "silence",
            "pieces",
            "lever",
            "expirer",
            "defaire",
        )
    ),
    # --- orientations: the figures of every réservataire; the dwellings that one of them may fill -----------------
    Ligne("flux:orientations", attendus=BAILLEURS_ET_ETAT),
    Ligne("flux:orientations_de", _flux, attendus=LIT_LE_DEPARTEMENT),
    Ligne(
        "flux:suivre_suggestion",
        lambda o: (o.liberation_libre.pk,),
        "POST",
        donnees={},
        attendus={**pour(302, *ECRIT_A), **ECRITURE_DU_BAILLEUR},
    ),
    Ligne(
        "flux:liste_a_pourvoir",
        attendus=pour(
            200,
            *TITULAIRES,
            "agent_caf",
            *("agent_ddets_06", "lecteur_ddets_06", "administrateur_ddets_06", "agent_ddets_22"),
        ),
    ),
    Ligne("flux:a_pourvoir", lambda o: (o.designation.pk,), attendus={"charge_als": 200}),
    *(
        Ligne(nom, lambda o: (o.designation.pk,), "POST", donnees={}, attendus={"charge_als": 422})
        for nom in ("flux:a_pourvoir", "flux:renoncer")
    ),
    Ligne(
        "flux:retirer_candidat",
        lambda o: (o.designation.pk, o.candidat.pk),
        "POST",
        donnees={},
        attendus={"charge_als": 302},
    ),
    *(
        Ligne(
            "flux:urgence",
            lambda o: (o.liberation_libre.pk,),
            methode,
            donnees={},
            attendus={
                **pour(403, *BAILLEUR_A, *ETAT_06),
                "agent_ddets_06": 200 if methode == "GET" else 422,
            },
        )
        for methode in ("GET", "POST")
    ),
    # Who may fill it: ALS here; the others are not told who waits for a dwelling.
    Ligne("flux:candidats_possibles", lambda o: (o.liberation_als.pk,), attendus={"charge_als": 200}),
    Ligne(
        "flux:candidat_possible_proposer",
        lambda o: (o.liberation_als.pk, o.candidat.menage_id),
        "POST",
        donnees={},
        attendus={"charge_als": 302},
    ),
    # --- commissions: their bailleur writes them, the State of the département reads them --------------------
    Ligne("flux:commissions", attendus=BAILLEURS_ET_ETAT, sinon=403),
    *(
        Ligne(
            "flux:commission_planifier", methode=methode, donnees={}, attendus=pour(code, *ECRIT), sinon=403
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    *(
        Ligne("flux:commission", lambda o, c=c: (getattr(o, c).pk,), attendus=LIT_LE_DEPARTEMENT)
        for c in ("commission", "commission_close")
    ),
    Ligne("flux:commission_ordre_du_jour_pdf", lambda o: (o.commission.pk,), attendus=LIT_LE_DEPARTEMENT),
    Ligne("flux:convocation_pdf", lambda o: (o.convocation.pk,), attendus=LIT_LE_DEPARTEMENT),
    Ligne("flux:proces_verbal_pdf", lambda o: (o.proces_verbal.pk,), attendus=LIT_LE_DEPARTEMENT),
    *(
        ligne
        for nom, fautif in (
            ("modifier", 422),
            ("annuler", 422),
            ("rouvrir", 422),
            ("ordre_du_jour", 422),
            ("convoquer", 302),
            ("cloturer", 422),
        )
        for ligne in _ecrits_par_le_bailleur(
            f"flux:commission_{nom}", lambda o: (o.commission.pk,), fautif, {}
        )
    ),
    *(
        Ligne(
            f"flux:commission_{nom}",
            args,
            "POST",
            {},
            attendus={**pour(code, *ECRIT_A), **ECRITURE_DU_BAILLEUR},
        )
        for nom, code, args in (
            ("decisions", 302, lambda o: (o.commission.pk, o.ligne.pk)),
            ("motif", 302, lambda o: (o.commission.pk, o.ligne.pk)),
            ("candidater", 422, lambda o: (o.commission.pk, o.ligne.pk)),
            ("ligne", 302, lambda o: (o.commission.pk, o.ligne.pk, "monter")),
            ("candidature_retirer", 302, lambda o: (o.commission.pk, o.candidature.pk)),
            ("proces_verbal", 302, lambda o: (o.commission_close.pk,)),
        )
    ),
    *(
        Ligne(
            f"flux:agenda_{nom}",
            methode="POST",
            attendus=pour(302, *ECRIT, "agent_ddets_06", "agent_ddets_22"),
            sinon=403,
        )
        for nom in ("renouveler", "retirer")
    ),
    # Whoever has the secret address reads the calendar: that of B too, which is not in the matrix for A.
    Ligne("flux:agenda", lambda o: ("0" * 64,), attendus=tous(404)),
    # --- deposits: the working papers of who hands them in; to the others, no such page ---------------------
    *(
        Ligne(nom, attendus=pour(200, *BAILLEUR_A, "gestionnaire_b", *DEPOSENT, *DDETS_QUI_LIT))
        for nom in ("flux:depots", "flux:depots_aide")
    ),
    *(
        Ligne(nom, args, attendus=pour(200, *BAILLEUR_A, "gestionnaire_b"))
        for nom, args in (
            ("flux:depot_modele", lambda o: ("LIBERATIONS",)),
            ("flux:depot_modele", lambda o: ("BAUX",)),
        )
    ),
    Ligne("flux:depot_schema", lambda o: ("COMBINE",), attendus=tous()),
    *(
        Ligne(
            "flux:depot_nouveau",
            methode=methode,
            donnees={},
            attendus={**pour(code, *ECRIT, *DEPOSENT), **pour(403, *LIT_A, *DDETS_QUI_LIT)},
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne("flux:depot", lambda o: (o.extrait.pk,), attendus=pour(200, *BAILLEUR_A)),
    *(
        Ligne(
            "flux:depot_valeurs",
            lambda o: (o.extrait.pk,),
            methode,
            donnees,
            attendus={**pour(403, *BAILLEUR_A), "administrateur_a": code},
        )
        for methode, donnees, code in (("GET", None, 200), ("POST", {"v0": "ALS"}, 302))
    ),
    *(
        Ligne(f"flux:{nom}", lambda o: (o.depot.pk,), attendus=pour(200, *BAILLEUR_A), requete=requete)
        for nom, requete in (("depot", ""), ("depot_lignes", ""), ("depot_lignes", "?pile=erreur"))
    ),
    *(
        Ligne(
            "flux:depot_avancement",
            lambda o: (o.depot.pk,),
            entetes=entetes,
            attendus=pour(code, *BAILLEUR_A),
        )
        for entetes, code in (({}, 302), ({"HX-Request": "true"}, 204))
    ),
    *(
        Ligne(
            f"flux:depot_{nom}",
            lambda o, suite=suite: (o.depot.pk, *suite),
            methode,
            donnees,
            attendus={**pour(code, *ECRIT_A), **pour(403, *LIT_A)},
        )
        for nom, suite, methode, donnees, code in (
            ("colonnes", (), "GET", None, 200),
            ("colonnes", (), "POST", {"reference": "0"}, 422),
            ("annote", (), "GET", None, 200),
            ("ligne", (4,), "GET", None, 200),
            ("ligne", (4,), "POST", {"date_liberation": f"03/06/{ANNEE}"}, 302),
            ("remplacer", (), "POST", {"champ": "reservataire", "nouveau": "ALS"}, 302),
            ("confirmer", (), "POST", {"code": "ANCIENNE"}, 302),
            ("enregistrer", (), "POST", None, 302),
            ("abandonner", (), "POST", None, 302),
            ("reprendre", (), "POST", None, 302),
        )
    ),
    # --- reconciliations: the bailleur's and the State's, written by both but the préfecture; a réservataire reads the
    # lines of its contingent --------------------------------------------------------------------------------------
    Ligne("flux:rapprochements", attendus=LISENT_LEURS_LIGNES),
    *(
        Ligne(
            "flux:rapprochement_nouveau",
            methode=methode,
            donnees={},
            attendus={
                **pour(code, *ECRIT, "agent_ddets_06", "agent_ddets_22"),
                **pour(403, *LIT_SANS_ECRIRE),
            },
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    *(
        Ligne(f"flux:{nom}", args, attendus=LIT_LE_DEPARTEMENT | pour(200, "charge_als"))
        for nom, args in (
            ("rapprochement", lambda o: (o.rapprochement.pk,)),
            ("rapprochement_concordances", lambda o: (o.rapprochement.pk,)),
            ("rapprochement_export", lambda o: (o.rapprochement.pk, "csv")),
            ("rapprochement_export", lambda o: (o.rapprochement.pk, "xlsx")),
            ("rapprochement_fiche", lambda o: (o.rapprochement.pk, "BAILLEUR")),
            ("rapprochement_ligne", lambda o: (o.ligne_rapprochee.pk,)),
            ("rapprochement_ligne", lambda o: (o.ligne_seule.pk,)),
        )
    ),
    *(
        Ligne(
            "flux:rapprochement_avancement",
            lambda o: (o.rapprochement.pk,),
            entetes=entetes,
            attendus=pour(code, *BAILLEUR_A, *ETAT_06, "charge_als"),
        )
        for entetes, code in (({}, 302), ({"HX-Request": "true"}, 204))
    ),
    *(
        Ligne(
            f"flux:rapprochement_{nom}",
            args,
            "POST",
            {},
            attendus={**pour(code, *ECRIT_A_OU_DDETS), **pour(403, *LIT_SANS_ECRIRE, *lecteurs)},
        )
        for nom, args, code, *lecteurs in (
            ("refaire", lambda o: (o.rapprochement.pk,), 302, "charge_als"),
            ("changer", lambda o: (o.rapprochement.pk,), 422, "charge_als"),
            ("lier", lambda o: (o.ligne_seule.pk,), 422, "charge_als"),
            ("separer", lambda o: (o.ligne_rapprochee.pk,), 422, "charge_als"),
            ("retirer", lambda o: (o.correction.pk,), 302),
        )
    ),
    # --- first lettings: the record of the concertation, the bailleur's and the State's -------------------------
    Ligne("flux:programmes", attendus={**BAILLEURS_ET_ETAT, **pour(200, *TITULAIRES, "agent_caf")}),
    *(
        Ligne("flux:programme_creer", methode=methode, donnees={}, attendus=pour(code, *ECRIT), sinon=403)
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne("flux:programme", lambda o: (o.programme.pk,), attendus={**LIT_LE_DEPARTEMENT, "charge_als": 200}),
    Ligne("flux:programme_releve", lambda o: (o.programme.pk,), attendus=LIT_LE_DEPARTEMENT),
    *(
        Ligne(
            nom,
            lambda o: (o.programme.pk,),
            "POST",
            donnees={},
            attendus={**pour(code, *ECRIT_A), **ECRITURE_DU_BAILLEUR, "charge_als": 403},
        )
        for nom, code in (
            ("flux:programme", 422),
            ("flux:programme_arreter", 422),
            ("flux:programme_rattacher", 302),
        )
    ),
    # --- labels: the State of the département, and who enters them; decided by the DDETS alone ---------------------
    *(
        Ligne(f"publics:{nom}", attendus=ENTRENT_UN_LABEL)
        for nom in ("labels", "propositions", "agents_dossiers")
    ),
    Ligne("flux:agents", attendus=BAILLEURS_ET_ETAT),
    *(
        Ligne(
            nom,
            methode=methode,
            donnees={},
            attendus={**LISENT_SANS_SAISIR, **pour(code, *SAISISSENT), "agent_sgc_06": sgc(code)},
        )
        for nom, sgc in (
            ("publics:label_creer", lambda code: 403),
            ("publics:agent_deposer", lambda code: code),
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    *(
        Ligne(
            "publics:label_instruire",
            methode=methode,
            donnees={},
            attendus={**pour(403, *ENTRENT_UN_LABEL), **pour(code, *ECRIT)},
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    *(
        Ligne(
            "publics:comed",
            methode=methode,
            donnees={},
            attendus={**pour(403, *ENTRENT_UN_LABEL), **pour(code, "agent_ddets_06", "agent_ddets_22")},
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne(
        "publics:propositions_decider",
        None,
        "POST",
        lambda o: {"proposition": o.proposition.pk, "decision": "refuser"},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06), "agent_ddets_06": 422},
    ),
    Ligne(
        "publics:propositions_motifs",
        None,
        "POST",
        lambda o: {"proposition": o.proposition.pk},
        attendus=pour(200, *BAILLEUR_A, *ETAT_06),
    ),
    Ligne(
        "publics:agents_decider",
        None,
        "POST",
        lambda o: {"dossier": o.dossier_agent.pk, "decision": "refuser"},
        attendus={
            **pour(403, *BAILLEUR_A, *ETAT_06),
            **pour(422, "agent_ddets_06", "agent_sgc_06"),
        },
    ),
    *(
        Ligne(
            nom,
            args,
            "POST",
            attendus={**pour(302, *ECRIT_A), **pour(403, *LIT_A, *ETAT_06)},
        )
        for nom, args in (
            ("publics:proposition_retirer", lambda o: (o.proposition.pk,)),
            ("publics:agent_retirer", lambda o: (o.dossier_agent.pk,)),
        )
    ),
    *(
        Ligne("publics:label", lambda o, label=label: (getattr(o, label).pk,), attendus=pour(200, *lecteurs))
        for label, lecteurs in (("label", ETAT_06), ("label_propose", (*BAILLEUR_A, *ETAT_06)))
    ),
    *(
        Ligne(
            "publics:demande",
            lambda o: (o.label_propose.menage_id,),
            methode,
            attendus={
                **pour(403, *BAILLEUR_A, *ETAT_06),
                **pour(code, *ECRIT_A, "agent_ddets_06", "agent_sgc_06"),
            },
        )
        for methode, code in (("GET", 200), ("POST", 302))
    ),
    Ligne(
        "publics:label_corriger",
        lambda o: (o.label_propose.pk,),
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06), "agent_ddets_06": 200},
    ),
    *(
        Ligne(
            f"publics:label_{acte}",
            lambda o: (o.label_propose.pk,),
            "POST",
            {"fin": "32/01/2025"},
            attendus={**pour(403, *BAILLEUR_A, *ETAT_06), "agent_ddets_06": 422},
        )
        for acte in ("retirer", "annuler", "renouveler", "corriger")
    ),
    Ligne(
        "flux:agent_repondre",
        lambda o: (o.attribution.pk,),
        "POST",
    ),
    Ligne("publics:reglages", lambda o: ("06",), attendus=PARTENAIRES_DU_06),
    *(
        Ligne(
            "publics:reglages_modifier",
            lambda o: ("06",),
            methode,
            {},
            attendus={**pour(403, *PARTENAIRES_DU_06), "agent_ddets_06": code},
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne(
        "publics:reglage_abandonner",
        lambda o: ("06", 2_000_000_000),
        "POST",
        attendus={**pour(403, *PARTENAIRES_DU_06), "agent_ddets_06": 404},
    ),
    *(
        Ligne("publics:droits_menage", methode=methode, donnees={}, attendus=pour(code, *REPONDENT))
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne("publics:lectures", attendus=pour(200, *ADMINISTRENT_A)),
    # --- reasons of labels: the DDETS, and who entered them -------------------------------------------------
    *(
        Ligne(
            "publics:motif_label",
            lambda o, label=label: (getattr(o, label).pk,),
            "POST",
            entetes=entetes,
            attendus={
                **pour(200, "agent_ddets_06", "lecteur_ddets_06", "administrateur_ddets_06", *auteurs),
                "agent_sgc_06": 403,
            },
        )
        for label, auteurs in (("label", ()), ("label_propose", BAILLEUR_A))
        for entetes in ({}, {"HX-Request": "true"})
    ),
    # --- parc: its lines are its bailleur's and the State's; to others, no such page -------------------------
    Ligne("reservation:parc", attendus=BAILLEURS_ET_ETAT),
    Ligne("reservation:parc_detail", lambda o: (o.bailleur.pk, "06"), attendus=LIT_LE_DEPARTEMENT),
    Ligne("reservation:logements", requete=_parc, attendus=LIT_LE_DEPARTEMENT),
    *(
        Ligne(
            "reservation:logements_export",
            lambda o, f=f: (f,),
            requete=_parc,
            attendus=LIT_LE_DEPARTEMENT,
        )
        for f in ("csv", "xlsx")
    ),
    Ligne("reservation:logement", lambda o: (o.logement.pk,), attendus=LIT_LE_DEPARTEMENT),
    *_ecrits_par_le_bailleur(
        "reservation:drapeau_poser", lambda o: (o.logement.pk,), 422, {"code": "INCONNU"}
    ),
    *_ecrits_par_le_bailleur("reservation:drapeau_retirer", lambda o: (o.drapeau.pk,), 422, {"motif": " "}),
    *_ecrits_par_le_bailleur(
        "reservation:parc_etudiants", lambda o: (o.bailleur.pk, "06"), 422, {"reponse": "INCONNUE"}
    ),
    # --- imports -------------------------------------------------------------------------------------------
    Ligne("reservation:imports", attendus=BAILLEURS_ET_ETAT),
    *(
        Ligne(
            "reservation:import_rpls_nouveau",
            methode=methode,
            donnees={"millesime": str(ANNEE)},
            attendus={**pour(code, *ECRIT), **pour(403, *LIT_A, *ETAT_06, "agent_ddets_22")},
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne("reservation:import_rpls", lambda o: (o.import_rpls.pk,), attendus=LIT_LE_DEPARTEMENT),
    Ligne("reservation:import_rpls", lambda o: (o.import_a_confirmer.pk,), attendus=LIT_LE_DEPARTEMENT),
    Ligne(
        "reservation:import_rpls_avancement",
        lambda o: (o.import_rpls.pk,),
        attendus=pour(302, *BAILLEUR_A, *ETAT_06),
    ),
    Ligne(
        "reservation:import_rpls_avancement",
        lambda o: (o.import_rpls.pk,),
        entetes={"HX-Request": "true"},
        attendus=pour(204, *BAILLEUR_A, *ETAT_06),
    ),
    Ligne("reservation:import_rpls_rejets", lambda o: (o.import_rpls.pk,), attendus=LIT_LE_DEPARTEMENT),
    *(
        Ligne(
            f"reservation:import_rpls_{verbe}",
            lambda o: (o.import_a_confirmer.pk,),
            methode,
            attendus={**pour(code, *ECRIT_A), **ECRITURE_DU_BAILLEUR},
        )
        for verbe, methode, code in (
            ("enregistrer", "GET", 200),
            ("enregistrer", "POST", 302),
            ("abandonner", "POST", 302),
            ("reprendre", "POST", 302),
        )
    ),
    # --- conventions: the État's act is written by the DDETS, the others by the bailleur and the DDETS -------
    Ligne("reservation:conventions", sinon=200),
    *(
        Ligne(
            "reservation:convention_creer",
            methode=methode,
            donnees={},
            attendus=pour(200, *ECRIT, "agent_ddets_06", "agent_ddets_22"),
            sinon=403,
        )
        for methode in ("GET", "POST")
    ),
    *(
        Ligne(
            "reservation:convention",
            lambda o, acte=acte: (getattr(o, acte).pk,),
            attendus={**LIT_LE_DEPARTEMENT, **pour(200, *lecteurs)},
        )
        for acte, lecteurs in (
            ("convention_etat", COPIL),
            ("convention_als", (*COPIL, "charge_als")),
            ("convention_cannes", (*COPIL, "agent_cannes")),
            ("brouillon", ()),
        )
    ),
    *(
        Ligne(
            "reservation:acte_pdf",
            lambda o, acte=acte: (getattr(o, acte).pk, 0),
            attendus={**LIT_LE_DEPARTEMENT, **pour(200, *lecteurs)},
            requete="?projet=1",
        )
        for acte, lecteurs in (("convention_als", (*COPIL, "charge_als")), ("brouillon", ()))
    ),
    *(
        ligne
        for etape in ("parties", "taux", "gestion")
        for ligne in _actes("convention_etape", "brouillon", 200, 200, etape)
    ),
    *_actes("convention_verification", "brouillon", 200, 200),
    *_actes("convention_supprimer", "brouillon", 200, 302),
    *_actes("avenant", "convention_als", 200, 200),
    *_actes("resilier", "convention_als", 200, 200, nom="convention_resilier"),
    *_actes("avenant_verification", "convention_cannes", 200, 200),
    _actes("avenant_abandonner", "convention_cannes", 405, 302)[1],
    *_actes("derogation", "convention_etat", 200, 200),
    *_actes(
        "derogation_retirer",
        "convention_etat",
        200,
        200,
        args=lambda o: (o.convention_etat.pk, o.derogation.pk),
    ),
    # --- flux ----------------------------------------------------------------------------------------------
    Ligne("flux:liste", sinon=200),
    *(Ligne("flux:export", lambda o, f=f: (f,), sinon=200) for f in ("csv", "xlsx")),
    Ligne(
        "flux:recalculer_tout",
        methode="POST",
        donnees={"annee": str(ANNEE)},
        attendus=pour(302, *ECRIT, "agent_ddets_06", "agent_ddets_22"),
        sinon=403,
    ),
    Ligne("flux:recalcul", lambda o: (o.recalcul.pk,), attendus=LIT_LE_DEPARTEMENT),
    Ligne("flux:recalcul_avancement", lambda o: (o.recalcul.pk,), attendus=LIT_LE_DEPARTEMENT),
    Ligne("flux:detail", _flux, attendus={**LIT_LE_DEPARTEMENT, **pour(200, *COPIL, *TITULAIRES)}),
    Ligne(
        "flux:detail",
        _flux,
        requete="?nature=previsionnel&version=1",
        attendus={**LIT_LE_DEPARTEMENT, **pour(200, *COPIL, *TITULAIRES)},
    ),
    Ligne("flux:avancement", _flux, attendus={**LIT_LE_DEPARTEMENT, **pour(200, *COPIL, *TITULAIRES)}),
    Ligne(
        "flux:recalculer",
        _flux,
        "POST",
        attendus={**pour(302, *ECRIT_A_OU_DDETS), **pour(403, *LIT_SANS_ECRIRE, *COPIL, *TITULAIRES)},
    ),
    Ligne("flux:versions", _flux, attendus={**LIT_LE_DEPARTEMENT, **pour(200, *COPIL)}),
    Ligne("flux:soustractions", _flux, attendus=LIT_LE_DEPARTEMENT),
    Ligne(
        "flux:soustractions",
        _flux,
        "POST",
        {"INCONNUE": "1"},  # no category of the act: nothing changes
        attendus={**pour(302, *ECRIT_A), **ECRITURE_DU_BAILLEUR},
    ),
    # --- campaigns: dates known to all the partners of the département, written by its DDETS -------------------
    Ligne("bilans:campagnes", sinon=200),
    Ligne("bilans:agenda", lambda o: ("0" * 64,), attendus=tous(404)),
    *(
        Ligne(f"bilans:{nom}", None, "POST", {}, attendus=pour(302, *GERENT), sinon=403)
        for nom in ("agenda_renouveler", "agenda_retirer")
    ),
    *(
        Ligne(
            f"bilans:{nom}",
            lambda _: ("departement", "06", ANNEE),
            attendus=pour(200, *PARTENAIRES_06),
        )
        for nom in ("campagne", "campagne_agenda")
    ),
    *(
        Ligne(
            "bilans:campagne_modifier",
            lambda _: ("departement", "06", ANNEE),
            methode,
            {} if methode == "POST" else None,
            attendus={**pour(403, *PARTENAIRES_06), "agent_ddets_06": 422 if methode == "POST" else 200},
        )
        for methode in ("GET", "POST")
    ),
    Ligne(
        "reservation:historique",
        lambda _: ("campagne", f"departement-06-{ANNEE}"),
        attendus=pour(200, *PARTENAIRES_06),
    ),
    # --- what a bailleur foresees, sent to its réservataires; the share that it agrees on with ALS ----------------
    Ligne("bilans:projection", _projection, attendus={**LIT_LE_DEPARTEMENT, **pour(200, *TITULAIRES)}),
    Ligne(
        "bilans:projection_envoyer",
        _projection,
        "POST",
        {},
        attendus={**pour(302, *ECRIT_A), **ECRITURE_DU_BAILLEUR, **pour(403, *TITULAIRES)},
    ),
    Ligne(
        "bilans:projection_accuser",
        lambda o: (o.envoi.pk,),
        "POST",
        {},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06), "charge_als": 302},
    ),
    Ligne(
        "bilans:part_proposer",
        _projection,
        "POST",
        {"logements": "-1"},
        attendus={
            **pour(422, *ECRIT_A, "charge_als"),
            **ECRITURE_DU_BAILLEUR,
            "agent_cannes": 403,
        },
    ),
    Ligne(
        "bilans:part_accepter",
        lambda o: (o.part.pk,),
        "POST",
        {},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06), "charge_als": 302},
    ),
    # --- reminders: read by who received them and by the State, sent again by the administrators -------------------
    Ligne("bilans:rappels", sinon=200),
    Ligne(
        "bilans:rappel_renvoyer",
        lambda o: (o.courriel_de_rappel.pk,),
        "POST",
        {},
        attendus=pour(302, *ADMINISTRENT_A),
    ),
    Ligne(
        "reservation:historique",
        lambda o: ("part_convenue", f"{o.bailleur.pk}-06-{ANNEE}"),
        attendus={**LIT_LE_DEPARTEMENT, "charge_als": 200},
    ),
    # --- bilans: sent to nobody yet, they are the bailleur's and the State's ----------------------------------
    Ligne("bilans:liste", sinon=200),
    Ligne(
        "bilans:ouvrir",
        methode="POST",
        attendus=pour(302, *ECRIT, "agent_ddets_06", "agent_ddets_22"),
        sinon=403,
    ),
    Ligne(
        "bilans:produire_lot",
        methode="POST",
        donnees={"annee": str(ANNEE - 1)},
        attendus=pour(302, *ECRIT, "agent_ddets_06", "agent_ddets_22"),
        sinon=403,
    ),
    Ligne("bilans:lot", lambda o: (o.lot.pk,), attendus=pour(200, "gestionnaire_a", *ETAT_06)),
    *(
        Ligne(f"bilans:{nom}", lambda o: (o.bilan.pk,), attendus=LIT_LE_DEPARTEMENT)
        for nom in ("bilan", "production")
    ),
    *(
        Ligne(f"bilans:{nom}", lambda o: (o.document.pk,), attendus=LIT_LE_DEPARTEMENT)
        for nom in ("pdf", "xlsx")
    ),
    Ligne(
        "bilans:appreciation",
        lambda o: (o.bilan.pk,),
        "POST",
        {"appreciation": "Sans observation."},
        attendus={**pour(302, *ECRIT_A), **ECRITURE_DU_BAILLEUR},
    ),
    Ligne(
        "bilans:produire",
        lambda o: (o.bilan.pk,),
        "POST",
        attendus={**pour(302, *ECRIT_A_OU_DDETS), **pour(403, *LIT_SANS_ECRIRE)},
    ),
    # --- indicators: one's own perimeter; the lines of a figure, to those who read lines --------------------------
    Ligne("bilans:indicateurs", attendus=LISENT_LES_INDICATEURS),
    *(
        Ligne("bilans:indicateurs_export", lambda o, t=t, f=f: (t, f), attendus=LISENT_LES_INDICATEURS)
        for t in ("tests", "article-5")
        for f in ("csv", "xlsx")
    ),
    # --- the contingent of a réservataire: its own, and the note of those that have a council; the refusals ---------
    *(
        Ligne(
            "bilans:contingent_export",
            lambda o, t=t: (t, "csv"),
            attendus=pour(200, *TITULAIRES, "agent_caf"),
        )
        for t in ("bailleurs", "publics", "refus")
    ),
    Ligne("bilans:contingent_note", attendus=pour(200, "agent_cannes", "agent_caf")),
    Ligne("bilans:refus", attendus=LISENT_LES_INDICATEURS),
    Ligne(
        "bilans:refus",
        requete=f"?annee={ANNEE}&bailleur=1&epci=200039915&typologie=T3&axe=qpv",
        attendus=LISENT_LES_INDICATEURS,
    ),
    *(
        Ligne("bilans:refus_export", lambda o, t=t: (t, "csv"), attendus=LISENT_LES_INDICATEURS)
        for t in ("motifs", "lieux", "evolution")
    ),
    Ligne("bilans:tableau_export", lambda _: ("csv",), attendus=pour(200, *ETAT_06, "agent_ddets_22")),
    Ligne(
        "bilans:indicateurs_lignes",
        requete=f"?nature=etat&compte=realise&annee={ANNEE}",
        attendus=BAILLEURS_ET_ETAT,
    ),
    *(
        Ligne(nom, args, requete=f"?nature={nature}&annee={ANNEE}", attendus=LISENT_LEURS_LIGNES)
        for nature in (
            "attributions",
            "dossiers",
            "refus_menages",
            "prononcees",
            "demandees",
            "refus_reservataires",
        )
        for nom, args in (
            ("bilans:indicateurs_lignes", None),
            ("bilans:indicateurs_lignes_export", lambda o: ("csv",)),
        )
    ),
    Ligne(
        "bilans:indicateurs_lignes",
        requete=f"?nature=attributions&annee={ANNEE}&dalo=oui",
        attendus={**LISENT_LEURS_LIGNES, **pour(404, *TITULAIRES, "agent_caf")},
    ),
    Ligne(
        "bilans:indicateurs_lignes",
        requete=f"?nature=attributions&annee={ANNEE}&emploi=SALARIE",
        attendus={**LISENT_LEURS_LIGNES, **pour(404, "agent_cannes", "agent_caf")},
    ),
    Ligne(
        "bilans:indicateurs_lignes",
        requete=f"?nature=orientes&annee={ANNEE}",
        attendus=pour(200, *TITULAIRES, "agent_caf"),
    ),
    Ligne("bilans:suivi", lambda o: (o.bilan_soumis.pk,), attendus=LIT_LE_DEPARTEMENT),
    *(
        Ligne(
            "bilans:suivi_acte",
            lambda o, acte=acte: (o.bilan_soumis.pk, acte),
            "POST",
            {},
            attendus={**pour(403, *BAILLEUR_A, *ETAT_06), **pour(422, *auteurs)},
        )
        for acte, auteurs in (
            ("soumettre", ("signataire_a",)),
            ("repondre", ECRIT_A),
            *((acte, ("agent_ddets_06",)) for acte in ("demander", "renvoyer", "valider", "rouvrir")),
        )
    ),
    Ligne("bilans:accuse", lambda o: (o.accuse.pk,), attendus=LIT_LE_DEPARTEMENT),
    *(
        Ligne(
            f"bilans:{nom}",
            lambda o: (o.bilan_recu.pk,),
            attendus={**LIT_LE_DEPARTEMENT, **pour(200, "charge_als")},
        )
        for nom in ("recu", "recu_pdf")
    ),
    # --- beside the life of a bilan: points d'étape, assiette of the year after, what the COPIL reads -----------
    Ligne(
        "bilans:point",
        lambda o: (o.bilan_soumis.pk,),
        "POST",
        {},
        attendus={**pour(302, *ECRIT_A), **ECRITURE_DU_BAILLEUR},
    ),
    Ligne(
        "bilans:assiette_proposer",
        lambda o: (o.bilan_soumis.pk,),
        "POST",
        {},
        attendus={**pour(302, *ECRIT_A_OU_DDETS), **pour(403, *LIT_SANS_ECRIRE)},
    ),
    Ligne(
        "bilans:assiette_accepter",
        lambda o: (o.assiette.pk,),
        "POST",
        {},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06), "agent_ddets_06": 302},
    ),
    Ligne(
        "reservation:historique",
        lambda o: ("assiette_convenue", f"{o.bailleur.pk}-06-{ANNEE}"),
        attendus=LIT_LE_DEPARTEMENT,
    ),
    *(
        Ligne(
            f"bilans:{nom}",
            lambda o: (o.copil.pk,),
            attendus={**LIT_LE_DEPARTEMENT, **pour(200, *COPIL)},
        )
        for nom in ("copil", "copil_pdf")
    ),
    # --- pages of the COPIL: the same readers, région → département → bailleur ------------------------------------------
    Ligne("bilans:comite", attendus=LISENT_LE_REGIONAL | {"agent_ddets_22": 200}),
    Ligne("bilans:comite_departement", lambda o: ("06",), attendus=LISENT_LE_REGIONAL),
    Ligne("bilans:comite_departement", lambda o: ("99",)),
    Ligne("bilans:comite_bailleur", lambda o: ("06", o.bailleur.pk), attendus=LISENT_LE_REGIONAL),
    Ligne("bilans:comite_bailleur", lambda o: ("13", o.bailleur.pk)),
    # --- regional bilan: the COPIL (DREAL, union HLM, ALS) and the State, each its perimeter; open data: everybody -------
    Ligne("bilans:regional", attendus=LISENT_LE_REGIONAL | {"agent_ddets_22": 200}),
    *(
        Ligne(f"bilans:regional_{nom}", lambda o: (ANNEE_VALIDEE, "93"), attendus=LISENT_LE_REGIONAL)
        for nom in ("pdf", "pack", "xlsx")
    ),
    Ligne("bilans:regional_csv", lambda o: (ANNEE_VALIDEE, "93", "quarts"), attendus=LISENT_LE_REGIONAL),
    Ligne("bilans:regional_csv", lambda o: (ANNEE_VALIDEE, "93", "inconnue")),
    *(
        Ligne(f"bilans:regional_{nom}", lambda o: (ANNEE_VALIDEE + 1, "93"))
        for nom in ("pdf", "pack", "xlsx")
    ),
    Ligne(
        "bilans:regional_preparer",
        lambda o: (ANNEE_VALIDEE, "93"),
        "POST",
        {},
        attendus={nom: 302 for nom in LISENT_LE_REGIONAL},
    ),
    Ligne("bilans:donnees_ouvertes", attendus=tous()),
    Ligne("bilans:donnee_ouverte", lambda o: (f"{PUBLIE_LE:%Y-%m-%d}", "datapackage.json"), attendus=tous()),
    Ligne("bilans:donnee_ouverte", lambda o: (f"{PUBLIE_LE:%Y-%m-%d}", "autre.csv"), attendus=tous(404)),
    Ligne("bilans:donnee_ouverte", lambda o: ("1999-01-01", "bilans.csv"), attendus=tous(404)),
    # --- ledger of debts: its bailleur, the State, and the réservataire whose objective it is -------------------
    Ligne("bilans:registres", sinon=200),
    Ligne(
        "bilans:registre",
        lambda o: (o.bailleur.pk, "06", o.ecriture.reservataire_id),
        attendus={**LIT_LE_DEPARTEMENT, "charge_als": 200},
    ),
    # --- procedures: whom they are about and the State; the DDETS conducts, both parties write --------------------
    Ligne("bilans:procedures", sinon=200),
    *(
        Ligne(
            "bilans:procedure_nouvelle",
            methode=methode,
            donnees={},
            attendus=pour(code, "agent_ddets_06", "agent_ddets_22"),
            sinon=403,
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne("bilans:procedure", lambda o: (o.procedure.pk,), attendus=LIT_LE_DEPARTEMENT),
    Ligne("bilans:procedure_piece", lambda o: (o.piece.pk,), attendus=LIT_LE_DEPARTEMENT),
    *(
        Ligne(
            f"bilans:procedure_{genre}",
            lambda o, nom=nom: (o.procedure.pk, nom),
            "POST",
            {},
            attendus={**pour(403, *BAILLEUR_A, *ETAT_06), **pour(422, *auteurs)},
        )
        for genre, nom, auteurs in (
            *(("acte", nom, ("agent_ddets_06",)) for nom in ("abandonner", "resilier")),
            *(
                ("ecrit", nom, ECRIT_A_OU_DDETS)
                for nom in (
                    "ecrire",
                    "retirer",
                    "joindre",
                    "detacher",
                    "signer",
                    "inscrire",
                    "desinscrire",
                    "imputer",
                )
            ),
        )
    ),
    # --- letters: the DDETS writes, the addressee reads from the day it was sent ---------------------------------
    Ligne("bilans:lettres", sinon=200),
    *(
        Ligne(f"bilans:{nom}", lambda o, objet=objet: (getattr(o, objet).pk,), attendus=attendus)
        for nom, objet, attendus in (
            ("lettre", "lettre", LIT_LE_DEPARTEMENT),
            ("lettre_pdf", "lettre", LIT_LE_DEPARTEMENT),
            ("lettre_preuve", "preuve", LIT_LE_DEPARTEMENT),
            ("lettre", "projet_lettre", pour(200, *ETAT_06)),
            ("dossier_zip", "dossier_controle", pour(200, *ETAT_06)),
        )
    ),
    *(
        Ligne(
            f"bilans:lettre_{nom}",
            lambda o: (o.projet_lettre.pk,),
            "POST",
            {},
            attendus={**pour(403, *ETAT_06), "agent_ddets_06": ecrit},
        )
        for nom, ecrit in (
            ("enregistrer", 422),
            ("apercu", 200),
            ("signer", 403),  # who writes has not the role Signature
            ("suite", 403),  # a draft is not sent
            ("supprimer", 302),
        )
    ),
    Ligne(
        "bilans:lettre_suite",
        lambda o: (o.lettre.pk,),
        "POST",
        {},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06), "agent_ddets_06": 422},
    ),
    Ligne(
        "bilans:lettre_nouvelle",
        lambda o: (o.lettre.procedure_id,),
        "POST",
        {"nature": "RESILIATION"},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06, *COPIL), "agent_ddets_06": 302},
    ),
    Ligne("bilans:lettre_modeles", attendus=pour(200, *ETAT_06, "agent_ddets_22")),
    Ligne("bilans:lettre_modele", lambda _: ("06", "mise_en_demeure"), attendus=pour(200, *ETAT_06)),
    Ligne(
        "bilans:lettre_modele",
        lambda _: ("06", "mise_en_demeure"),
        "POST",
        {},
        attendus={**pour(403, *ETAT_06), "agent_ddets_06": 422},
    ),
    Ligne(
        "bilans:lettre_modele_apercu",
        lambda _: ("06", "mise_en_demeure"),
        "POST",
        {},
        attendus=pour(200, *ETAT_06),
    ),
    Ligne("bilans:dossiers", attendus=pour(200, *ETAT_06, "agent_ddets_22")),
    Ligne(
        "bilans:lettre_corriger",
        lambda o: (o.preuve.pk,),
        "POST",
        {},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06), "agent_ddets_06": 422},
    ),
    Ligne(
        "bilans:dossier_procedure",
        lambda o: (o.lettre.procedure_id,),
        "POST",
        {},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06, *COPIL), "agent_ddets_06": 302},
    ),
    Ligne(
        "bilans:dossier_demander",
        lambda o: (o.bailleur.pk, "06"),
        "POST",
        {},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06, *COPIL, *TITULAIRES), "agent_ddets_06": 302},
    ),
    Ligne(
        "reservation:historique",
        lambda o: ("lettre", str(o.lettre.pk)),
        attendus=pour(200, *ETAT_06),
    ),
    # --- meetings of the COPIL: the DREAL writes (nobody of the cast manages there), the members read; whoever owes an action
    # reads that one and says that it is done ---------------------------------------------------------------------
    Ligne("bilans:reunions", attendus=LISENT_LE_REGIONAL | {"agent_ddets_22": 200}),
    *(
        Ligne(
            "bilans:reunion_preparer",
            methode=methode,
            attendus=pour(403, *LISENT_LE_REGIONAL, "agent_ddets_22"),
        )
        for methode in ("GET", "POST")
    ),
    Ligne("bilans:reunion", lambda o: (o.reunion.pk,), attendus=LISENT_LE_REGIONAL),
    Ligne("bilans:reunion", lambda o: (o.reunion_convoquee.pk,), attendus=LISENT_LE_REGIONAL),
    Ligne("bilans:reunion_projet_pdf", lambda o: (o.reunion_convoquee.pk,), attendus=LISENT_LE_REGIONAL),
    Ligne("bilans:reunion_projet_pdf", lambda o: (o.reunion.pk,)),
    Ligne("bilans:compte_rendu_pdf", lambda o: (o.compte_rendu.pk,), attendus=LISENT_LE_REGIONAL),
    *(
        Ligne(
            f"bilans:reunion_{acte}",
            lambda o: (o.reunion_convoquee.pk,),
            methode=methode,
            attendus=pour(403, *LISENT_LE_REGIONAL),
        )
        for acte, methode in (
            *(("modifier", m) for m in ("GET", "POST")),
            *(("annuler", m) for m in ("GET", "POST")),
            *(("rouvrir", m) for m in ("GET", "POST")),
            *(("convoquer", m) for m in ("GET", "POST")),
            *(("clore", m) for m in ("GET", "POST")),
            ("ouvrir", "POST"),
            ("envoyer", "POST"),
            ("points", "POST"),
        )
    ),
    *(
        Ligne(
            f"bilans:reunion_{nom}",
            lambda o, champ=champ, verbe=verbe: (getattr(o, champ).pk, *verbe),
            methode="POST",
            donnees={"notes": "x", "texte": "x", "titre": "x"},
            attendus=pour(403, *LISENT_LE_REGIONAL),
        )
        for nom, champ, verbe in (
            ("point", "point_copil", ("notes",)),
            ("decision", "decision_copil", ("modifier",)),
            ("action", "action_copil", ("modifier",)),
            ("invite", "invite_copil", ()),
        )
    ),
    Ligne("bilans:actions_copil", attendus={"sans_organisation": 404}, sinon=200),
    Ligne(
        "bilans:action_copil",
        lambda o: (o.action_copil.pk,),
        attendus=LISENT_LE_REGIONAL | pour(200, *BAILLEUR_A),
    ),
    *(
        Ligne(
            "bilans:action_copil_agir",
            lambda o, verbe=verbe: (o.action_copil.pk, verbe),
            methode="POST",
            donnees=donnees,
            attendus=pour(403, *LISENT_LE_REGIONAL, *BAILLEUR_A) | pour(code, *ECRIT_A),
        )
        for verbe, donnees, code in (
            ("faire", {"realisee_le": "2026-01-05"}, 302),
            ("faire", {"realisee_le": ""}, 422),
            ("abandonner", {"motif": "x"}, 403),
        )
    ),
    Ligne(
        "reservation:historique",
        lambda o: ("reunion", str(o.reunion.pk)),
        attendus={"charge_dreal": 200},
    ),
    # --- traces: the Historique has the gate of its object; the journal is its administrators' -----------------
    *(
        Ligne(
            "reservation:historique",
            lambda o, genre=genre, cle=cle: (genre, cle(o)),
            attendus={**LIT_LE_DEPARTEMENT, **pour(200, *lecteurs)},
        )
        for genre, cle, lecteurs in (
            ("convention", lambda o: str(o.convention_als.pk), (*COPIL, "charge_als")),
            ("convention", lambda o: str(o.brouillon.pk), ()),
            ("parc", lambda o: f"{o.bailleur.pk}-06", ()),
            ("liberation", lambda o: str(o.liberation_als.pk), ("charge_als",)),
            ("soustractions", lambda o: f"{o.bailleur.pk}-06-{ANNEE}", ()),
            ("programme", lambda o: str(o.programme.pk), ()),
            ("bilan", lambda o: str(o.bilan.pk), ()),
            ("procedure", lambda o: str(o.procedure.pk), COPIL),
        )
    ),
    Ligne(
        "reservation:historique",
        lambda o: ("organisation", str(o.bailleur.pk)),
        attendus=pour(200, *BAILLEUR_A),
    ),
    Ligne("reservation:historique", lambda o: ("depot", str(o.depot.pk)), attendus=pour(200, *BAILLEUR_A)),
    *(
        Ligne(f"reservation:{nom}", attendus=pour(200, *ADMINISTRENT_A), sinon=403)
        for nom in ("journal", "journal_export")
    ),
    # --- assistance: the staff's alone, who are nobody of the cast --------------------------------------------
    Ligne("reservation:assistance", sinon=403),
    Ligne(
        "reservation:assistance",
        methode="POST",
        donnees={"courriel": "gestion@b.example", "motif": "x"},
        sinon=403,
    ),
    Ligne("reservation:assistance_quitter", methode="POST", sinon=403),
    # --- programs that act for somebody: their person and their administrators ----------------------------------
    Ligne(
        "reservation:jetons",
        lambda o: (o.bailleur.pk,),
        attendus=VOIENT_LE_NOM | pour(403, *BAILLEUR_A) | pour(200, *ADMINISTRENT_A),
    ),
    *(
        Ligne(
            "reservation:jeton_creer",
            lambda o: (o.bailleur.pk,),
            methode,
            {},
            attendus=VOIENT_LE_NOM | pour(403, *BAILLEUR_A) | pour(code, "administrateur_a"),
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne(
        "reservation:jeton_revoquer",
        lambda o: (o.jeton.pk,),
        "POST",
        attendus=pour(302, "gestionnaire_a", *ADMINISTRENT_A),
    ),
    Ligne(
        "reservation:jeton_secret",
        lambda o: (o.jeton.pk,),
        "POST",
        attendus=pour(200, "gestionnaire_a") | pour(403, *ADMINISTRENT_A),
    ),
    # --- webhooks: the administrators of the organisation, at home ------------------------------------------------
    Ligne(
        "reservation:webhooks",
        lambda o: (o.bailleur.pk,),
        attendus=VOIENT_LE_NOM | pour(403, *BAILLEUR_A) | pour(200, "administrateur_a"),
    ),
    *(
        Ligne(
            "reservation:webhook_creer",
            lambda o: (o.bailleur.pk,),
            methode,
            {},
            attendus=VOIENT_LE_NOM | pour(403, *BAILLEUR_A) | pour(code, "administrateur_a"),
        )
        for methode, code in (("GET", 200), ("POST", 422))
    ),
    Ligne("reservation:webhook", lambda o: (o.webhook.pk,), attendus=pour(200, "administrateur_a")),
    *(
        Ligne(
            f"reservation:webhook_{acte}",
            lambda o: (o.webhook.pk,),
            "POST",
            attendus=pour(302, "administrateur_a"),
        )
        for acte in ("suspendre", "reprendre", "fermer", "essai")
    ),
    Ligne(
        "reservation:webhook_secret",
        lambda o: (o.webhook.pk,),
        "POST",
        attendus=pour(200, "administrateur_a"),
    ),
    Ligne(
        "reservation:livraison_rejouer",
        lambda o: (o.livraison.pk,),
        "POST",
        attendus=pour(302, "administrateur_a"),
    ),
    # --- API ------------------------------------------------------------------------------------------------
    *(Ligne(f"api:{nom}", attendus=tous()) for nom in ("schema", "documentation")),
    Ligne("api:inconnue", attendus=NON_AUTHENTIFIE),
    *(
        _lu_par_l_api(f"{nom}-list", sinon=200)
        for nom in (
            *("moi", "liberation", "attribution", "commission", "passage", "logement", "flux", "bilan"),
            *("organisation", "motif", "nomenclature", "bilan_recu", "objectif", "part_convenue"),
            *("organisation", "motif", "nomenclature"),
            *("label", "proposition", "rapprochement", "ecart"),
        )
    ),
    _lu_par_l_api("proposition-references", sinon=200),
    *(
        Ligne(
            f"api:{nom}-detail",
            lambda o, objet=objet: (getattr(o, objet).pk,),
            attendus={**pour(200, *lecteurs), **NON_AUTHENTIFIE},
        )
        for nom, objet, lecteurs in (
            ("label", "label", ETAT_06),
            ("label", "label_propose", (*BAILLEUR_A, *ETAT_06)),
            ("proposition", "proposition", (*BAILLEUR_A, *ETAT_06)),
        )
    ),
    _lu_par_l_api("rapprochement-detail", lambda o: (o.rapprochement.pk,), "charge_als"),
    _lu_par_l_api("ecart-detail", lambda o: (o.ecart.pk,), "charge_als"),
    Ligne(
        "api:proposition-list",
        methode="POST",
        donnees={},
        attendus={**pour(400, *ECRIT, "charge_als", "operateur"), **NON_AUTHENTIFIE},
        sinon=403,
        entetes=PROGRAMME,
    ),
    Ligne(
        "api:proposition-retrait",
        lambda o: (o.proposition.pk,),
        "POST",
        {},
        attendus={**pour(200, *ECRIT_A), **ECRITURE_DU_BAILLEUR, **NON_AUTHENTIFIE},
        entetes=PROGRAMME,
    ),
    Ligne(
        "api:indicateur-list",
        requete=f"?annee={ANNEE}",
        attendus={**LISENT_LES_INDICATEURS, **NON_AUTHENTIFIE},
    ),
    _lu_par_l_api("liberation-detail", lambda o: (o.liberation_als.pk,), "charge_als"),
    _lu_par_l_api("liberation-detail", lambda o: (o.liberation_libre.pk,)),
    _lu_par_l_api("attribution-detail", lambda o: (o.attribution.pk,), "charge_als"),
    _lu_par_l_api("commission-detail", lambda o: (o.commission.pk,)),
    _lu_par_l_api("passage-detail", lambda o: (o.passage.pk,), "charge_als"),
    _lu_par_l_api("logement-detail", lambda o: (o.logement.pk,)),
    _lu_par_l_api("flux-detail", lambda o: (o.calcul.pk,), *COPIL, *TITULAIRES),
    _lu_par_l_api("objectif-detail", lambda o: (o.calcul.parts.get(code="ETAT").pk,), *COPIL),
    _lu_par_l_api("part_convenue-detail", lambda o: (o.part.pk,), "charge_als"),
    _lu_par_l_api("bilan-detail", lambda o: (o.bilan.pk,)),
    _lu_par_l_api("bilan-pdf", lambda o: (o.bilan.pk,)),
    *(
        _lu_par_l_api(f"bilan_recu-{verbe}", lambda o: (o.bilan_recu.pk,), "charge_als")
        for verbe in ("detail", "pdf")
    ),
    _lu_par_l_api(
        "organisation-detail",
        lambda o: (o.bailleur.pk,),
        *("agent_ddets_22", "agent_caf", *TITULAIRES, *COPIL),
    ),
    Ligne(
        "api:liberation-list",
        methode="POST",
        donnees={},
        attendus={**pour(400, *ECRIT), **NON_AUTHENTIFIE},
        sinon=403,
        entetes=PROGRAMME,
    ),
    *(
        _ecrit_par_l_api(f"liberation-{verbe}", lambda o: (o.liberation_als.pk,))
        for verbe in ("annulation", "orientation", "reprise", "retour", "echec", "attribution")
    ),
    Ligne(
        "api:commission-list",
        methode="POST",
        donnees={},
        attendus={**pour(400, *ECRIT), **NON_AUTHENTIFIE},
        sinon=403,
        entetes=PROGRAMME,
    ),
    *(
        Ligne(
            f"api:{nom}",
            lambda o, objet=objet: (getattr(o, objet).pk,),
            "POST",
            {},
            attendus={**pour(code, *ECRIT_A), **ECRITURE_DU_BAILLEUR, **NON_AUTHENTIFIE},
            entetes=PROGRAMME,
        )
        for nom, objet, code in (
            *(
                (f"commission-{verbe}", "commission", 400)
                for verbe in (
                    *("seance", "annulation", "inscription", "retrait", "motif", "candidature"),
                    "reouverture",
                )
            ),
            ("commission-convocation", "commission", 200),
            ("commission-cloture", "commission_close", 422),
            ("passage-decision", "candidature", 400),
            ("passage-retrait", "candidature", 200),
        )
    ),
    _lu_par_l_api("commission-controle", lambda o: (o.commission.pk,)),
    Ligne(
        "flux:exception_label",
        lambda o: (o.attribution.pk, o.label.pk),
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06, "charge_als"), "agent_ddets_06": 200},
    ),
    Ligne(
        "flux:exception_label",
        lambda o: (o.attribution.pk, o.label.pk),
        "POST",
        {},
        attendus={**pour(403, *BAILLEUR_A, *ETAT_06, "charge_als"), "agent_ddets_06": 422},
    ),
    Ligne(
        "api:liberation-suggestion",
        lambda o: (o.liberation_libre.pk,),
        attendus={**pour(200, *ECRIT_A), **ECRITURE_DU_BAILLEUR, **NON_AUTHENTIFIE},
    ),
    *(
        _ecrit_par_l_api(f"attribution-{verbe}", lambda o: (o.attribution.pk,))
        for verbe in ("refus", "bail", *APRES_LA_CALEOL)
    ),
)
