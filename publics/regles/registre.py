"""The register of processing (RGPD, art. 30) as data: what the pages and the export say, whoever runs the site.

Who that is comes from the configuration; how long comes from the retention rules, by their code.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Traitement:
    """One processing. `conservation`: codes of the retention rules that the purge applies to it."""

    code: str
    nom: str
    finalite: str
    base_legale: str
    personnes: str
    donnees: str
    destinataires: str
    conservation: tuple[str, ...]
    mesures: str


TRAITEMENTS = (
    Traitement(
        "ATTRIBUTIONS",
        "Suivi des attributions aux ménages prioritaires",
        "Vérifier que les logements réservés et le quart des attributions vont aux ménages prioritaires, et en rendre "
        "compte dans le bilan annuel.",
        "Mission d’intérêt public (RGPD, art. 6-1 e) : CCH, art. L. 441-1, L. 441-2-3, R. 441-5 à R. 441-5-4. "
        "Le motif d’un label peut révéler une donnée sensible (RGPD, art. 9-2 g).",
        "Demandeurs de logement social labellisés, ou dont la candidature est examinée en CALEOL ; agents de l’État parmi eux.",
        "Empreinte à clé du numéro unique et quatre derniers caractères ; label, groupe, dates ; décision de la CALEOL, "
        "dates d’attribution et de bail ; situation d’emploi (salarié, demandeur d’emploi, autre) ; évaluation sociale et "
        "accompagnement (oui ou non, lequel) ; nature et date de la preuve ; tailles et communes demandées ; pour un agent de "
        "l’État, employeur, statut et dates de contrat. Ni nom, ni NIR, ni document, ni texte libre.",
        "Bailleur pour ses candidats ; DDETS du département ; réservataire pour son contingent (groupe, ou oui/non) ; "
        "COPIL : effectifs d’au moins 11 ménages. Motif du label : DDETS du département, et celui qui l’a saisi.",
        ("MENAGES", "FICHIERS_DEPOTS", "LIGNES_DEPOTS", "EXTRAITS", "RAPPROCHEMENTS"),
        "Empreinte HMAC-SHA-256 dont la clé n’est pas dans la base ; lecture d’un motif inscrite dans un journal ; "
        "cloisonnement par organisation.",
    ),
    Traitement(
        "LECTURES",
        "Journal des lectures des données sensibles",
        "Savoir qui a lu le motif d’un label, et pouvoir en répondre.",
        "Obligation de sécurité (RGPD, art. 32) ; intérêt public (art. 6-1 e).",
        "Agents et salariés habilités.",
        "Personne, organisation, label lu, page, date et heure.",
        "Administrateurs de l’organisation du lecteur ; administrateurs de la DDETS du département.",
        ("LECTURES_SENSIBLES",),
        "Lignes que la base refuse de modifier ou d’effacer hors de la purge.",
    ),
    Traitement(
        "COMPTES",
        "Comptes et habilitations",
        "Donner accès au service, selon l’organisation et le rôle.",
        "Mission d’intérêt public (RGPD, art. 6-1 e).",
        "Agents et salariés des organisations partenaires.",
        "Nom affiché, adresse électronique professionnelle, organisations, rôles et leurs dates, dernière connexion, "
        "empreinte du mot de passe, session ; filtres de liste enregistrés.",
        "Administrateurs de l’organisation ; assistance du site.",
        ("COMPTES_FERMES", "INVITATIONS", "SESSIONS", "FILTRES_ENREGISTRES"),
        "Mots de passe hachés ; cookies Secure, HttpOnly, SameSite ; transport chiffré.",
    ),
    Traitement(
        "ACCES_API",
        "Accès API des logiciels",
        "Laisser un logiciel agir au nom d’une personne, sans jamais dépasser ses droits, et pouvoir dire lequel.",
        "Mission d’intérêt public (RGPD, art. 6-1 e) ; obligation de sécurité (art. 32).",
        "Agents et salariés au nom de qui un logiciel agit.",
        "Nom du logiciel, personne, organisation, rôle, dates d’ouverture, de remise du secret, de dernier usage et de fin ; "
        "empreinte du secret et ses quatre derniers caractères.",
        "La personne ; administrateurs de l’organisation.",
        (),
        "Le secret n’est gardé nulle part ; il s’éteint avec l’accès de la personne, un an au plus après son ouverture, et sa "
        "fin est rappelée soixante, trente et sept jours avant.",
    ),
    Traitement(
        "COURRIELS",
        "Courriels du service",
        "Inviter, prévenir d’une échéance, convoquer, et pouvoir dire ce qui a été envoyé.",
        "Mission d’intérêt public (RGPD, art. 6-1 e).",
        "Agents et salariés des organisations partenaires.",
        "Adresse électronique professionnelle, objet et texte du courriel, dates et issue de l’envoi. Rien sur un ménage.",
        "Administrateurs de l’organisation concernée (état de l’envoi) ; assistance du site (objet et état).",
        ("COURRIELS",),
        "Aucun lien secret n’est écrit dans la base : il est mis au moment de l’envoi.",
    ),
    Traitement(
        "TRACES",
        "Historique et journal des actes",
        "Savoir qui a écrit quoi, pour quelle organisation, pourquoi, et pouvoir en répondre.",
        "Obligation de sécurité (RGPD, art. 32) ; intérêt public (art. 6-1 e).",
        "Agents et salariés habilités.",
        "Numéro du compte et de l’organisation, acte, date et heure, requête, motif ; états successifs des objets. Ni nom, ni "
        "adresse, ni numéro unique : un compte ou un ménage effacé n’y est plus qu’un numéro.",
        "Administrateurs de l’organisation et de la DDETS du département ; lecteurs de l’objet, selon leurs droits.",
        (),
        "Lignes que la base refuse de modifier ou d’effacer ; gardées aussi longtemps que les actes dont elles sont la preuve.",
    ),
    Traitement(
        "COMITE",
        "Réunions du comité de pilotage régional",
        "Préparer les réunions, en écrire le compte rendu, suivre les actions décidées.",
        "Mission d’intérêt public (RGPD, art. 6-1 e).",
        "Agents et salariés des membres du comité et des organisations chargées d’une action.",
        "Fonctions des personnes présentes, sans leur nom ; numéro du compte qui a noté, clos, rouvert, ou dit une action faite ; "
        "notes, décisions et actions, où rien ne se dit d’un ménage.",
        "DREAL qui tient le comité ; ses membres (union HLM, Action Logement Services, services de l’État de la région), après "
        "la clôture ; organisation chargée d’une action, pour celle-ci.",
        ("REUNIONS",),
        "Cloisonnement par région et par organisation ; compte rendu gardé avec son empreinte, qu’une correction ne remplace pas.",
    ),
    Traitement(
        "PARC",
        "Parc et libérations",
        "Établir l’assiette et le flux annuel : le répertoire décrit des logements, non leurs occupants.",
        "Mission d’intérêt public (RGPD, art. 6-1 e) : CCH, art. L. 411-10, R. 441-5.",
        "Occupants, indirectement : l’adresse du logement et le mois du bail en cours.",
        "Adresse, caractéristiques, occupation et dates de bail du RPLS ; fichiers déposés.",
        "Bailleur pour son parc ; DDETS du département ; réservataires pour les seuls logements qui leur sont orientés.",
        ("FICHIERS_IMPORTES",),
        "Cloisonnement par organisation ; fichiers servis par une vue qui vérifie le droit.",
    ),
)
