"""Which tables leave a trace, and why the others do not: one decision per table, all of them here.

Each table followed has an event table (django-pghistory: one row per state of each of its rows, written by triggers
of PostgreSQL, whatever the way it was changed) and each event writes one line of the journal (`LigneJournal`), with
who, for which organisation, why and in which request, as they were at that moment. Both only ever grow.

Triggers are statement-level: a COPY of a million rows pays for one INSERT … SELECT, not for a million of them.
Names are strings because the upper rooms are not known here. `tests/coherence` fails on a table that is in neither list.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import pghistory
import pgtrigger
from django.apps import apps
from django.db import models

from reservation.acteur import Acteur, Role


class Lecteurs(StrEnum):
    """Who reads a value in the Historique of an object that they may see (domain, chapter 2)."""

    TOUS = "TOUS"
    BAILLEUR_ET_ETAT = "BAILLEUR_ET_ETAT"
    ETAT = "ETAT"
    ADMINISTRATION = "ADMINISTRATION"
    PERSONNE = "PERSONNE"

    def admet(self, acteur: Acteur) -> bool:
        if self == Lecteurs.PERSONNE:
            return False
        if self == Lecteurs.TOUS or acteur.systeme or acteur.support:
            return True
        match self:
            case Lecteurs.BAILLEUR_ET_ETAT:
                return acteur.est_bailleur or acteur.est_service_etat
            case Lecteurs.ETAT:
                return acteur.est_service_etat
            case Lecteurs.ADMINISTRATION:
                return Role.ADMINISTRATION in acteur.roles


@dataclass(frozen=True, slots=True)
class Suivi:
    """How one table is followed. SQL texts speak of `n`, the event.

    `genre`, `cle`: the object of whose Historique it is part ("convention", n.convention_id). `designation`: what the
    journal calls it. `sauf`: columns that are not kept (secret, or changing by themselves). `lecteurs`: who reads the
    line at all; `masques`: who reads one of its fields; `muets`: columns that say whose the row is, said to nobody.
    `confidentiel`: SQL, true while it is not for réservataires
    and COPIL. The four columns of the perimeter name a column of the table, or are empty.
    """

    genre: str
    cle: str = "n.id"
    designation: str = "''"
    sauf: tuple[str, ...] = ()
    lecteurs: Lecteurs = Lecteurs.TOUS
    masques: dict[str, Lecteurs] = field(default_factory=dict)
    muets: tuple[str, ...] = ()
    confidentiel: str = "FALSE"
    bailleur: str = "n.bailleur_id"
    departement: str = "n.departement_id"
    reservataire: str = "NULL"
    proprietaire: str = "NULL"
    personne: str = "NULL"


_DE_PERSONNE = {"bailleur": "NULL", "departement": "NULL"}
_NUMERO = "(SELECT c.numero FROM reservation_convention AS c WHERE c.id = n.convention_id)"
_REFERENCE = "(SELECT l.reference FROM flux_liberation AS l WHERE l.id = n.liberation_id)"
# Of nobody's contingent: the bailleur's, so that no later réservataire reads it.
_DU_CONTINGENT = "COALESCE(n.reservataire_id, n.bailleur_id)"
_PROGRAMME = "(SELECT p.nom FROM flux_programme AS p WHERE p.id = n.programme_id)"
_PAIRE = "n.bailleur_id || '-' || n.departement_id"
_DREAL = "(SELECT r.organisation_id FROM bilans_reunion AS r WHERE r.id = n.reunion_id)"
_NOM_BAILLEUR = "(SELECT o.nom FROM reservation_organisation AS o WHERE o.id = n.bailleur_id)"

# What the household declares, and what the préfet answered: not its réservataire's.
_DU_MENAGE = dict.fromkeys(
    ("statut_emploi", "agent", "agent_valide_le", "agent_adapte"),
    Lecteurs.BAILLEUR_ET_ETAT,
)

# What tells why a household is a priority.
_DU_MOTIF = dict.fromkeys(("categorie", "case_cerfa", "preuve"), Lecteurs.PERSONNE)

SUIVIS: dict[str, Suivi] = {
    # --- organisations and people ---------------------------------------------------------------------------
    "reservation.Organisation": Suivi(
        "organisation", designation="n.nom", sauf=("nom_tri",), proprietaire="n.id", **_DE_PERSONNE
    ),
    "reservation.Utilisateur": Suivi(
        "utilisateur",
        sauf=("password", "last_login", "courriel", "nom"),
        lecteurs=Lecteurs.ADMINISTRATION,
        personne="n.id",
        **_DE_PERSONNE,
    ),
    "reservation.Rattachement": Suivi(
        "organisation",
        "n.organisation_id",
        designation="n.role",
        lecteurs=Lecteurs.ADMINISTRATION,
        proprietaire="n.organisation_id",
        personne="n.utilisateur_id",
        **_DE_PERSONNE,
    ),
    "reservation.Presence": Suivi(
        "organisation", "n.bailleur_id", designation="n.departement_id", proprietaire="n.bailleur_id"
    ),
    "reservation.Assistance": Suivi(
        "organisation",
        "n.organisation_id",
        lecteurs=Lecteurs.ADMINISTRATION,
        proprietaire="n.organisation_id",
        personne="n.utilisateur_id",
        **_DE_PERSONNE,
    ),
    "reservation.Invitation": Suivi(
        "organisation",
        "n.organisation_id",
        sauf=("tirage", "secret_hache", "courriel"),
        lecteurs=Lecteurs.ADMINISTRATION,
        proprietaire="n.organisation_id",
        **_DE_PERSONNE,
    ),
    "reservation.DemandeAcces": Suivi(
        "organisation",
        "n.organisation_id",
        lecteurs=Lecteurs.ADMINISTRATION,
        proprietaire="n.organisation_id",
        personne="n.utilisateur_id",
        **_DE_PERSONNE,
    ),
    "reservation.JetonApi": Suivi(
        "organisation",
        "n.organisation_id",
        designation="n.nom",
        sauf=("secret_hache", "usage_le", "rappel"),
        lecteurs=Lecteurs.ADMINISTRATION,
        proprietaire="n.organisation_id",
        personne="n.utilisateur_id",
        **_DE_PERSONNE,
    ),
    "reservation.AbonnementWebhook": Suivi(
        "organisation",
        "n.organisation_id",
        designation="n.nom",
        sauf=("tirage", "echecs_de_suite"),
        lecteurs=Lecteurs.ADMINISTRATION,
        proprietaire="n.organisation_id",
        **_DE_PERSONNE,
    ),
    # --- parc -----------------------------------------------------------------------------------------------
    "reservation.ImportRpls": Suivi(
        "import",
        designation="n.nom_fichier",
        # How far the work is, and the report: the import's own page says them.
        sauf=(
            "etape",
            "avancement",
            "lignes_lues",
            "lignes_acceptees",
            "lignes_rejetees",
            "lignes_ignorees",
            "rapport",
            "normalise",
            "rejets",
            "message",
        ),
        departement="NULL",
    ),
    "reservation.EtatParc": Suivi("parc", _PAIRE, "'RPLS ' || n.millesime", sauf=("revision", "calcule_le")),
    "reservation.Drapeau": Suivi("parc", _PAIRE, "n.cible"),
    "reservation.ClasseTypologie": Suivi("classes", "n.code", "n.libelle", **_DE_PERSONNE),
    "reservation.ClassePeriode": Suivi("classes", "n.code", "n.libelle", **_DE_PERSONNE),
    "reservation.ClasseFinancement": Suivi("classes", "n.code", "n.libelle", **_DE_PERSONNE),
    # --- conventions ----------------------------------------------------------------------------------------
    "reservation.Convention": Suivi(
        "convention",
        designation="n.numero",
        confidentiel="n.etat = 'BROUILLON'",
        reservataire="n.reservataire_id",
    ),
    "reservation.VersionConvention": Suivi(
        "convention",
        "n.convention_id",
        f"{_NUMERO} || CASE WHEN n.rang = 0 THEN ', texte initial' ELSE ', avenant ' || n.rang END",
        confidentiel="n.signee_le IS NULL",
        reservataire="n.reservataire_id",
    ),
    "reservation.Derogation": Suivi(
        "convention", "n.convention_id", "n.numero", lecteurs=Lecteurs.BAILLEUR_ET_ETAT
    ),
    # --- households -----------------------------------------------------------------------------------------
    "publics.CategorieLabel": Suivi("priorites", "n.code", "n.libelle", **_DE_PERSONNE),
    "publics.GroupeDepartement": Suivi("priorites", "n.categorie_id", "n.categorie_id", bailleur="NULL"),
    # A trace outlives the purge: what leads to a person is not in it.
    "publics.Menage": Suivi(
        "menage",
        designation="'ménage ' || n.id",
        sauf=("numero_hache", "numero_fin", "cle_numero"),
        bailleur="NULL",
    ),
    # The ground is read on demand, and the reading written down: a Historique shows it to nobody.
    "publics.Labellisation": Suivi(
        "menage", "n.menage_id", lecteurs=Lecteurs.ETAT, masques=_DU_MOTIF, bailleur="NULL"
    ),
    "publics.PropositionLabel": Suivi(
        "menage", "n.menage_id", lecteurs=Lecteurs.ETAT, masques=_DU_MOTIF, bailleur="NULL"
    ),
    "publics.DossierAgent": Suivi("menage", "n.menage_id", lecteurs=Lecteurs.ETAT, bailleur="NULL"),
    "publics.DemandeMenage": Suivi(
        "menage", "n.menage_id", sauf=("modifiee_le",), lecteurs=Lecteurs.ETAT, bailleur="NULL"
    ),
    "publics.CaseCerfa": Suivi("priorites", "n.case", "n.case", bailleur="NULL"),
    "publics.ReglagePriorite": Suivi(
        "priorites", "n.departement_id", "'réglage du ' || to_char(n.debut, 'DD/MM/YYYY')", bailleur="NULL"
    ),
    "publics.MotifLabel": Suivi("motifs", "n.code", "n.libelle", **_DE_PERSONNE),
    "publics.NaturePreuve": Suivi("motifs", "n.code", "n.libelle", **_DE_PERSONNE),
    # --- flux -----------------------------------------------------------------------------------------------
    "flux.Liberation": Suivi("liberation", designation="n.reference", reservataire="n.reservataire_id"),
    "flux.Commission": Suivi("commission", designation="to_char(n.date, 'DD/MM/YYYY')"),
    "flux.LigneOrdreDuJour": Suivi("commission", "n.commission_id", _REFERENCE),
    "flux.AbonnementAgenda": Suivi(
        "organisation",
        "n.organisation_id",
        sauf=("tirage", "secret_hache"),
        lecteurs=Lecteurs.ADMINISTRATION,
        proprietaire="n.organisation_id",
        **_DE_PERSONNE,
    ),
    "flux.Passage": Suivi(
        "liberation",
        "n.liberation_id",
        _REFERENCE,
        sauf=("revision", "modifie_par"),
        masques=_DU_MENAGE,
        muets=("reservataire",),
        # A draft is the commission's until it decides.
        confidentiel="NOT n.definitif",
        reservataire=_DU_CONTINGENT,
    ),
    "flux.Attribution": Suivi(
        "liberation",
        "n.liberation_id",
        _REFERENCE,
        masques=_DU_MENAGE
        | dict.fromkeys(("motif_hors_prioritaire", "agent_accord_posterieur"), Lecteurs.BAILLEUR_ET_ETAT),
        muets=("reservataire",),
        reservataire=_DU_CONTINGENT,
    ),
    "flux.DecisionAgent": Suivi(
        "liberation",
        "(SELECT a.liberation_id FROM flux_attribution AS a WHERE a.id = n.attribution_id)",
        lecteurs=Lecteurs.BAILLEUR_ET_ETAT,
    ),
    "flux.ExceptionLabel": Suivi(
        "liberation",
        "n.liberation_id",
        _REFERENCE,
        sauf=("attribution", "label_id"),
        lecteurs=Lecteurs.BAILLEUR_ET_ETAT,
    ),
    "flux.MotifRefus": Suivi("motifs", "n.code", "n.libelle", **_DE_PERSONNE),
    "flux.CodeMotif": Suivi("motifs", "n.code", "n.libelle", **_DE_PERSONNE),
    "flux.Designation": Suivi("liberation", "n.liberation_id", _REFERENCE, reservataire="n.reservataire_id"),
    "flux.Candidat": Suivi("liberation", "n.liberation_id", _REFERENCE, reservataire="n.reservataire_id"),
    "flux.Programme": Suivi("programme", designation="n.nom", lecteurs=Lecteurs.BAILLEUR_ET_ETAT),
    "flux.Consultation": Suivi("programme", "n.programme_id", _PROGRAMME, lecteurs=Lecteurs.BAILLEUR_ET_ETAT),
    "flux.LogementDeProgramme": Suivi(
        "programme", "n.programme_id", _PROGRAMME, lecteurs=Lecteurs.BAILLEUR_ET_ETAT
    ),
    "flux.Depot": Suivi(
        "depot",
        designation="n.nom_fichier",
        # How far the work is, and what was counted: the deposit's own page says them.
        sauf=("fichier", "etape", "avancement", "entetes", "lignes_lues", "ignorees", "comptes", "message"),
        lecteurs=Lecteurs.BAILLEUR_ET_ETAT,
        departement="NULL",
        proprietaire="n.organisation_id",
    ),
    "flux.SoustractionPrevisionnelle": Suivi(
        "soustractions",
        f"{_PAIRE} || '-' || n.annee",
        f"{_NOM_BAILLEUR} || ', ' || n.annee",
        sauf=("saisi_le",),
        lecteurs=Lecteurs.BAILLEUR_ET_ETAT,
    ),
    "flux.ReportObjectif": Suivi(
        "soustractions", f"{_PAIRE} || '-' || n.annee", "n.annee::text", reservataire="n.reservataire_id"
    ),
    "flux.AssietteConvenue": Suivi(
        "assiette_convenue",
        f"{_PAIRE} || '-' || n.annee",
        "'version ' || n.version",
        lecteurs=Lecteurs.BAILLEUR_ET_ETAT,
    ),
    # What its owner tries is not the other party's, even in its own département, before it is shared.
    "flux.Simulation": Suivi(
        "simulation", designation="n.titre", proprietaire="n.proprietaire_id", **_DE_PERSONNE
    ),
    "flux.PartageSimulation": Suivi(
        "simulation",
        "n.simulation_id",
        "(SELECT o.nom FROM reservation_organisation AS o WHERE o.id = n.organisation_id)",
        proprietaire="n.proprietaire_id",
        **_DE_PERSONNE,
    ),
    # --- bilans ---------------------------------------------------------------------------------------------
    "bilans.Bilan": Suivi("bilan", designation=f"{_NOM_BAILLEUR} || ', ' || n.annee"),
    "bilans.EcheanceCampagne": Suivi(
        "campagne",
        "COALESCE('departement-' || n.departement_id, 'region-' || n.region_id) || '-' || n.annee",
        "n.nature",
        sauf=("modifiee_le",),
        bailleur="NULL",
    ),
    "bilans.PartConvenue": Suivi(
        "part_convenue",
        f"{_PAIRE} || '-' || n.annee",
        "'version ' || n.version",
        reservataire="n.reservataire_id",
    ),
    "bilans.Procedure": Suivi(
        "procedure",
        designation="substr(n.sorte, 1, 3) || '-' || n.annee || '-' || n.departement_id || '-' || n.id",
        reservataire="n.reservataire_id",
    ),
    # A draft is the service's; what the addressee receives is in its journal.
    "bilans.Lettre": Suivi(
        "lettre", designation="n.numero", sauf=("octets",), lecteurs=Lecteurs.ETAT, bailleur="NULL"
    ),
    "bilans.ParticipantProcedure": Suivi(
        "procedure",
        "n.procedure_id",
        "n.fonction",
        reservataire="n.reservataire_id",
        # The COPIL reads the list and the state.
        confidentiel="n.reservataire_id IS NULL",
    ),
    # The page of the Historique of a meeting is that of the DREAL that holds it.
    "bilans.Reunion": Suivi(
        "reunion", designation="n.objet", sauf=("sequence",), proprietaire="n.organisation_id", **_DE_PERSONNE
    ),
    "bilans.InviteReunion": Suivi(
        "reunion",
        "n.reunion_id",
        "(SELECT o.nom FROM reservation_organisation AS o WHERE o.id = n.organisation_id)",
        proprietaire=_DREAL,
        **_DE_PERSONNE,
    ),
    "bilans.PointReunion": Suivi(
        "reunion",
        "n.reunion_id",
        "n.titre",
        sauf=("revision", "notees_par"),
        proprietaire=_DREAL,
        **_DE_PERSONNE,
    ),
    "bilans.DecisionReunion": Suivi("reunion", "n.reunion_id", proprietaire=_DREAL, **_DE_PERSONNE),
    "bilans.ActionReunion": Suivi(
        "reunion",
        "n.reunion_id",
        "n.libelle",
        sauf=("rappel",),
        muets=("comite",),
        proprietaire="n.comite_id",
        **_DE_PERSONNE,
    ),
}

EXEMPTS: dict[str, str] = {
    "reservation.Logement": "des millions de lignes écrites par COPY : le fichier gardé, son empreinte et le rapport "
    "de l’import disent ce qui a changé ; le statut se déduit du parc et des drapeaux, suivis eux-mêmes",
    "reservation.AgregatParc": "décomptes déduits des logements",
    "reservation.EvenementConvention": "journal lui-même, qui n’est jamais réécrit",
    "reservation.LigneJournal": "le journal",
    "reservation.EvenementAcces": "journal des accès, qui n’est jamais réécrit",
    "reservation.NomOrganisation": "histoire elle-même : un nom et ses dates",
    "reservation.CleIdempotence": "réponse gardée un jour ; l’acte qu’elle rend une seule fois est suivi lui-même",
    "reservation.Annonce": "file d’attente",
    "reservation.LivraisonWebhook": "porte elle-même son état, ses essais et la réponse reçue",
    "reservation.Courriel": "porte elle-même son état, ses essais et qui l’a demandé",
    "reservation.PieceJointe": "partie d’un courriel, jamais modifiée : octets et empreinte gardés",
    "publics.LectureSensible": "journal lui-même, qui n’est jamais réécrit",
    "publics.RapportPurge": "compte rendu daté, jamais modifié une fois terminé",
    "reservation.Region": "Code officiel géographique : l’édition chargée est dans Referentiel",
    "reservation.Departement": "Code officiel géographique : l’édition chargée est dans Referentiel",
    "reservation.Commune": "Code officiel géographique : l’édition chargée est dans Referentiel",
    "reservation.Epci": "Code officiel géographique : l’édition chargée est dans Referentiel",
    "reservation.PassageCommune": "Code officiel géographique : l’édition chargée est dans Referentiel",
    "reservation.Referentiel": "édition et empreinte des données de référence, datées par elles-mêmes",
    "flux.CalculFlux": "versions datées, jamais modifiées : chacune garde ses entrées, son résultat et sa raison",
    "flux.PartFlux": "partie d’une version de calcul",
    "flux.Imputation": "déduite des attributions, des conventions et des labels, suivis ; garde son explication",
    "flux.GelExercice": "déduit de l’état du bilan, dont chaque acte est gardé",
    "flux.Confirmation": "journal lui-même : qui a confirmé quoi et quand, jamais réécrit",
    "flux.FiltreEnregistre": "réglage d’affichage d’une personne",
    "flux.Orientation": "journal lui-même : une ligne par choix, jamais modifiée, qui garde ses chiffres et son auteur",
    "flux.Urgence": "acte daté, jamais modifié, qui garde son auteur ; ce qu’il change est suivi",
    "flux.ReprisePourUnTour": "journal lui-même : une ligne par acte, jamais modifiée, avec son motif et son auteur",
    "flux.LigneDepot": "ligne de travail, effacée avec le temps : les objets qu’elle fait sont suivis ; elle porte qui a "
    "confirmé quoi, et quand",
    "flux.EvenementExterne": "ligne d’un extrait, jamais modifiée : le dépôt qui l’a écrite est suivi, et celui qui la "
    "remplace est nommé",
    "flux.CorrespondanceValeur": "réglage de lecture : porte qui l’a changé et quand",
    "flux.CorrespondanceColonnes": "réglage de lecture : porte qui l’a changé et quand",
    "flux.Recalcul": "demande et avancement d’un travail : porte qui l’a demandé et quand",
    "flux.VersionSimulation": "versions numérotées, jamais modifiées : chacune garde ce qu’elle a lu, son résultat et son auteur",
    "flux.CalculAFaire": "file d’attente",
    "flux.EtapeRecalcul": "avancement d’un travail",
    "flux.EvenementCommission": "journal lui-même, qui n’est jamais réécrit",
    "flux.Convocation": "écrite une fois ; son courriel porte son état",
    "flux.ProcesVerbal": "versions numérotées, jamais modifiées : octets et empreinte gardés",
    "flux.Rapprochement": "demande et compte rendu d’un travail : porte qui l’a demandé et quand",
    "flux.LigneRapprochement": "déduite des extraits et des attributions, refaite à chaque passage",
    "flux.EcartRapprochement": "déduit des extraits et des attributions ; chacun de ses états est dans EvenementEcart",
    "flux.EvenementEcart": "journal lui-même, qui n’est jamais réécrit",
    "flux.CorrectionRapprochement": "décision datée, jamais effacée : porte qui l’a prise et qui l’a retirée",
    "bilans.EnvoiProjection": "versions numérotées, jamais modifiées : chacune garde ses nombres, son auteur et son jour",
    "bilans.RemiseProjection": "écrite une fois ; porte qui en a accusé réception et quand",
    "bilans.Rappel": "écrit une fois, jamais modifié ; ses courriels portent leur état",
    "bilans.CourrielDeRappel": "lien d’un rappel à son courriel, écrit une fois",
    "bilans.DocumentBilan": "versions numérotées, jamais modifiées : chiffres, octets et empreintes gardés",
    "bilans.EtapeBilan": "journal lui-même, qui n’est jamais réécrit",
    "bilans.AccuseBilan": "écrit une fois, jamais modifié : octets et empreinte gardés",
    "bilans.VersionReservataire": "écrite une fois : chiffres, octets et empreintes gardés",
    "bilans.PointEtape": "versions numérotées, jamais modifiées : chacune garde son document, son auteur et son jour",
    "bilans.VersionCopil": "écrite une fois : chiffres, octets et empreintes gardés",
    "bilans.EcritureRegistre": "journal lui-même : une écriture ne se modifie ni ne s’efface ; elle porte son auteur",
    "bilans.EtapeProcedure": "journal lui-même, qui n’est jamais réécrit",
    "bilans.AttributionDuPrefet": "inscription datée, jamais modifiée : porte son auteur",
    "bilans.SignatureProcedure": "écrite une fois, jamais modifiée : empreinte de ce qui est signé",
    "bilans.ParagrapheProcedure": "brouillon de la partie qui l’écrit, puis signé : il ne change plus et porte son auteur",
    "bilans.PieceProcedure": "brouillon de la partie qui la joint, puis signée : elle ne change plus et porte son auteur",
    "bilans.GabaritLettre": "versions numérotées, jamais modifiées : chacune garde son texte, sa raison et son auteur",
    "bilans.EvenementReunion": "journal lui-même, qui n’est jamais réécrit",
    "bilans.CompteRendu": "versions numérotées, jamais modifiées : octets et empreinte gardés",
    "bilans.EtapeLettre": "journal lui-même, qui n’est jamais réécrit",
    "bilans.DossierControle": "demande d’un travail : porte qui l’a faite et quand, et l’empreinte du fichier",
    "bilans.LotBilans": "demande d’un travail : porte qui l’a faite et quand",
    "bilans.ProductionBilan": "avancement d’un travail : porte qui l’a demandé et quand",
    # Tables that join two others, made by Django: triggers on them do not survive its migrations.
    "reservation.Organisation_communes": "territoire d’une collectivité, tenu avec les données de référence",
    "reservation.VersionConvention_communes": "territoire d’une version : ses noms sont une colonne de la version, suivie",
    "reservation.Utilisateur_groups": "inutilisés : les droits viennent des rattachements",
    "reservation.Utilisateur_user_permissions": "inutilisés : les droits viennent des rattachements",
    "flux.Attribution_labels_admis": "admis par exception : chaque décision est une ligne d’ExceptionLabel, suivie",
}  # fmt: skip

_COLONNES = (
    "le, acte, objet_type, objet_id, evenement_id, designation, genre, cle, bailleur_id, departement_id, "
    "reservataire_id, proprietaire_id, personne_id, confidentiel, requete, auteur_id, organisation_id, assistant_id, "
    "origine, motif"
)


def _journaliser(modele: type[models.Model], suivi: Suivi) -> pgtrigger.Trigger:
    """Each event writes its line of the journal, with the context of this very moment frozen in it."""
    return pgtrigger.Trigger(
        name="journal",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="nouveaux"),
        func=" ".join(
            f"""
            INSERT INTO reservation_lignejournal ({_COLONNES})
            SELECT n.pgh_created_at, n.pgh_label, '{modele._meta.label_lower}', n.{modele._meta.pk.column}::text, n.pgh_id,
                left(COALESCE(({suivi.designation})::text, ''), 300),
                '{suivi.genre}', COALESCE(({suivi.cle})::text, ''),
                {suivi.bailleur}, {suivi.departement}, {suivi.reservataire}, {suivi.proprietaire}, {suivi.personne},
                {suivi.confidentiel},
                COALESCE(c.m->>'requete', ''), (c.m->>'utilisateur')::bigint, (c.m->>'organisation')::bigint,
                (c.m->>'assistant')::bigint, left(COALESCE(c.m->>'origine', ''), 120),
                left(COALESCE(c.m->>'motif', ''), 300)
            FROM nouveaux AS n, (
                SELECT COALESCE(NULLIF(current_setting('pghistory.context_metadata', TRUE), ''), 'null')::jsonb AS m
            ) AS c;
            RETURN NULL;
            """.split()
        ),
    )


def suivre(app: str) -> None:
    """Make the event models of one application; called once its models are there, by `<app>/models/__init__.py`."""
    for nom, suivi in SUIVIS.items():
        if not nom.startswith(f"{app}."):
            continue
        modele = apps.get_model(nom, require_ready=False)
        pghistory.create_event_model(
            modele,
            *(
                evenement(level=pghistory.Statement)
                for evenement in (pghistory.InsertEvent, pghistory.UpdateEvent, pghistory.DeleteEvent)
            ),
            exclude=list(suivi.sauf),
            obj_field=pghistory.ObjForeignKey(related_name="+", db_index=True),
            model_name=f"Trace{modele.__name__}",
            append_only=True,
            abstract=False,
            attrs={"pgh_id": models.BigAutoField(primary_key=True)},
            meta={"triggers": [_journaliser(modele, suivi)]},
        )


def modeles_de_trace() -> dict[str, type[models.Model]]:
    """Type of object ("flux.liberation") → the model of its events."""
    return {nom.lower(): apps.get_model(nom.replace(".", ".Trace", 1)) for nom in SUIVIS}


def suivi_de(type_objet: str) -> Suivi:
    """The decision for one type of object, as the journal names it."""
    return _PAR_TYPE[type_objet]


def types_caches(acteur: Acteur) -> list[str]:
    """Types of objects whose lines `acteur` does not read at all."""
    return [nom for nom, suivi in _PAR_TYPE.items() if not suivi.lecteurs.admet(acteur)]


_PAR_TYPE = {nom.lower(): suivi for nom, suivi in SUIVIS.items()}
