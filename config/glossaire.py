"""The words of the field, one per thing, shown in the application's help. In the order of the dictionary."""

from typing import NamedTuple

from reservation.models import cle_de_tri


class Terme(NamedTuple):
    mot: str
    definition: str
    texte: str = ""

    @property
    def ancre(self) -> str:
        return cle_de_tri(self.mot).replace(" ", "-")


TERMES = sorted(
    [
        Terme(
            "Assiette",
            "La part du parc d’un bailleur soumise à la gestion en flux dans un département. Chaque logement y est "
            "compté dedans ou dehors, avec une raison et une seule.",
            "CCH, art. L. 441-1 et R. 441-5",
        ),
        Terme(
            "Atterrissage",
            "Ce que le flux devrait être au 31 décembre, vu d’un point d’étape : avec une fourchette, la méthode et son "
            "erreur passée, et le nombre des prochaines libérations à orienter vers l’État.",
        ),
        Terme(
            "Attribution",
            "La décision de la CALEOL d’attribuer un logement à un ménage, que le bail soit ensuite signé ou non.",
            "CCH, art. R. 441-3 ; convention-cadre PACA, art. 1",
        ),
        Terme(
            "Rapprochement",
            "La comparaison, ligne à ligne, des attributions enregistrées ici avec ce qu’en disent le SNE, SYPLO et Imhoweb. "
            "Chaque écart dit où le corriger et qui doit agir. Elle ne compte rien : le flux compte les attributions d’ici.",
        ),
        Terme(
            "Bail signé",
            "L’évènement qui suit l’attribution. La convention dit lequel des deux remplit l’objectif ; un agent de "
            "l’État ne compte qu’au bail.",
        ),
        Terme(
            "Bailleur",
            "L’organisme de logement social : OPH, ESH, coopérative ou SEM. Il est désigné par son SIREN.",
        ),
        Terme(
            "Bilan",
            "L’état annuel des logements proposés et attribués, dû à tous les réservataires à la date de la campagne, fin février. "
            "Le point d’étape est sa version semestrielle.",
            "CCH, art. R. 441-5-1",
        ),
        Terme(
            "Campagne",
            "Les dates d’une année dans un département : projections, part d’Action Logement, bilan, corrections, points "
            "d’étape. La DDETS les fixe, chacune avec sa raison et sa tolérance.",
        ),
        Terme(
            "Risque (d’un bailleur)",
            "La place de l’objectif de l’État dans la fourchette de l’atterrissage : fort si même le haut reste dessous, "
            "faible si même le bas l’atteint, incertain entre les deux.",
        ),
        Terme(
            "CALEOL",
            "Commission d’attribution des logements et d’examen de l’occupation des logements. La DDETS est "
            "convoquée à chacune.",
            "CCH, art. L. 441-2",
        ),
        Terme(
            "Contingent",
            "La part d’un réservataire. Celui de l’État se partage entre les publics prioritaires et les agents de "
            "l’État.",
        ),
        Terme(
            "Convention",
            "L’acte qui fixe les droits d’un réservataire sur le flux d’un bailleur dans un département, ou, pour "
            "l’État, l’arrêté qui en tient lieu. Un avenant en fait une nouvelle version, datée.",
            "CCH, art. R. 441-5-2",
        ),
        Terme(
            "Dette",
            "Ce qui a manqué à un objectif sans justification, inscrit au registre : chaque logement y est à décider, "
            "reporté, attribué directement ou annulé, jamais à deux endroits.",
            "Convention des Côtes-d’Armor, art. 8.2",
        ),
        Terme(
            "Dérogation",
            "L’arrêté par lequel le préfet élève la part de l’État au-dessus de 30 points, pour un an au plus.",
            "CCH, art. R. 441-5-2",
        ),
        Terme(
            "Exclusion",
            "Ce qui tient un logement hors de l’assiette : foyer, défense, PLI, plan de vente… À ne pas confondre avec "
            "la soustraction, qui retire une libération du flux.",
        ),
        Terme(
            "Flux annuel",
            "Les libérations de l’assiette dans l’année civile, moins les soustractions. Il est prévisionnel avant et "
            "pendant l’année, définitif avec le bilan.",
            "CCH, art. R. 441-5, I",
        ),
        Terme(
            "Imputation",
            "Le titre unique sous lequel une attribution compte. Rien ne compte deux fois.",
            "Convention des Côtes-d’Armor, art. 7.1",
        ),
        Terme(
            "Labellisation",
            "La reconnaissance d’un ménage comme prioritaire : DALO, SYPLO, Imhoweb, case du Cerfa, SIAO. Un partenaire la "
            "propose, la DDETS la décide ; manuelle, elle passe avant l’automatique.",
            "CCH, art. L. 441-1",
        ),
        Terme(
            "Libération",
            "Un logement qui devient libre à la location, ou mis en location pour la première fois.",
        ),
        Terme(
            "Millésime",
            "L’année d’un fichier RPLS : la situation du parc au 1er janvier de cette année.",
        ),
        Terme(
            "Objectif",
            "La part d’un réservataire en logements entiers, augmentée du report de l’année précédente. La part de "
            "l’État est un plafond : elle est arrondie par défaut.",
        ),
        Terme(
            "Orientation",
            "Le choix que fait le bailleur du réservataire d’une libération.",
        ),
        Terme("Parc", "Les logements d’un bailleur dans un département, tels que le RPLS les décrit."),
        Terme(
            "Passage",
            "Une candidature examinée par une CALEOL, avec une décision.",
            "CCH, art. R. 441-3",
        ),
        Terme(
            "Point du flux",
            "Un centième du flux annuel. Les cinq points des agents de l’État se comptent sur le flux, et non sur la "
            "part de l’État.",
        ),
        Terme(
            "Report",
            "Ce qui manquait l’an passé sans justification, et qui s’ajoute à l’objectif de l’année.",
            "Convention des Côtes-d’Armor, art. 8.2",
        ),
        Terme(
            "Réservataire",
            "Qui détient des droits de réservation : l’État, Action Logement Services, une collectivité, un autre "
            "organisme.",
            "CCH, art. L. 441-1",
        ),
        Terme(
            "Rétrocession",
            "Les points que l’État rend à Action Logement Services au titre du premier programme de rénovation "
            "urbaine : 1,37 point en Provence-Alpes-Côte d’Azur, du 1er janvier 2025 au 31 décembre 2039.",
            "Convention-cadre PACA, art. 4, c",
        ),
        Terme(
            "Exception pour un label",
            "La décision motivée par laquelle la DDETS admet, pour une attribution, un label qui n’a commencé qu’après la "
            "CALEOL. Sans elle, un tel label ne compte pas.",
            "Convention-cadre PACA, art. 3",
        ),
        Terme(
            "Reprise pour un tour",
            "L’acte par lequel le bailleur garde, pour une seule location, un logement qu’il avait orienté vers un "
            "réservataire, quand leur convention le permet. La part du réservataire reste due.",
            "Convention de réservation",
        ),
        Terme(
            "RPLS",
            "Le répertoire des logements locatifs des bailleurs sociaux, établi chaque année au 1er janvier.",
            "CCH, art. L. 411-10",
        ),
        Terme(
            "Simulation",
            "Un acte en négociation rejoué sur les années passées, avec les libérations et les attributions qui ont eu lieu : "
            "qui aurait gagné, qui aurait perdu, et si l’objectif aurait été atteint. Elle ne change aucune donnée.",
            "CCH, art. R. 441-5-2",
        ),
        Terme(
            "Soustraction",
            "Une libération qui sort du flux parce qu’elle sert à une mutation, un relogement de rénovation urbaine, "
            "une ORCOD, une sortie d’insalubrité, une vente ou une désignation préfectorale d’urgence.",
            "CCH, art. R. 441-5, I",
        ),
    ],
    key=lambda terme: cle_de_tri(terme.mot),
)
