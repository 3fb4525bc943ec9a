"""Who acts, for which organisation, with which perimeter: one immutable value per request and per task."""

from dataclasses import dataclass, field
from enum import StrEnum


class TypeOrganisation(StrEnum):
    """Kinds of organisations (chapter 2 of the domain). The code is stored, the label is shown."""

    BAILLEUR = "BAILLEUR"
    DDETS = "DDETS"
    PREFECTURE = "PREFECTURE"
    ACTION_LOGEMENT = "ACTION_LOGEMENT"
    COLLECTIVITE = "COLLECTIVITE"
    AUTRE_RESERVATAIRE = "AUTRE_RESERVATAIRE"
    OPERATEUR = "OPERATEUR"
    DREAL = "DREAL"
    UNION_HLM = "UNION_HLM"


class Role(StrEnum):
    """What a person may do for an organisation. Signature includes management, which includes reading."""

    LECTURE = "LECTURE"
    GESTION = "GESTION"
    SIGNATURE = "SIGNATURE"
    ADMINISTRATION = "ADMINISTRATION"


SERVICES_ETAT = frozenset({TypeOrganisation.DDETS, TypeOrganisation.PREFECTURE})
RESERVATAIRES = frozenset(
    {TypeOrganisation.ACTION_LOGEMENT, TypeOrganisation.COLLECTIVITE, TypeOrganisation.AUTRE_RESERVATAIRE}
)
COPIL = frozenset({TypeOrganisation.DREAL, TypeOrganisation.UNION_HLM})


@dataclass(frozen=True, slots=True)
class Acteur:
    """`departements`: INSEE codes of the perimeter (State services: one; COPIL: those of the region).

    `support`: staff of the application, for its own pages. `assistant_id`: the staff who acts in the place of
    `utilisateur_id`; such an actor neither signs nor administers.
    `a_le_choix`: the person works for several organisations, and acts for one of them at a time.
    """

    utilisateur_id: int | None = None
    organisation_id: int | None = None
    type_organisation: TypeOrganisation | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    departements: tuple[str, ...] = ()
    a_le_choix: bool = False
    systeme: bool = False
    motif: str = ""
    support: bool = False
    assistant_id: int | None = None

    @classmethod
    def du_systeme(cls, motif: str) -> "Acteur":
        """The application itself (nightly job, command): sees and writes everything, and says why."""
        return cls(systeme=True, motif=motif)

    @property
    def est_bailleur(self) -> bool:
        return self.type_organisation == TypeOrganisation.BAILLEUR

    @property
    def est_service_etat(self) -> bool:
        return self.type_organisation in SERVICES_ETAT

    @property
    def est_ddets(self) -> bool:
        return self.type_organisation == TypeOrganisation.DDETS

    @property
    def est_action_logement(self) -> bool:
        return self.type_organisation == TypeOrganisation.ACTION_LOGEMENT

    @property
    def est_reservataire(self) -> bool:
        return self.type_organisation in RESERVATAIRES

    @property
    def lit_les_flux_entiers(self) -> bool:
        """ALS reads the flux of each bailleur beside its own share; a collectivité and an other réservataire read their
        own share, and the flux of their territory that it rests on (table of chapter 2)."""
        return not self.est_reservataire or self.type_organisation == TypeOrganisation.ACTION_LOGEMENT

    @property
    def est_copil(self) -> bool:
        return self.type_organisation in COPIL

    @property
    def peut_gerer(self) -> bool:
        return self.systeme or bool(self.roles & {Role.GESTION, Role.SIGNATURE})

    @property
    def en_assistance(self) -> bool:
        return self.assistant_id is not None

    @property
    def est_dreal(self) -> bool:
        return self.type_organisation == TypeOrganisation.DREAL

    @property
    def peut_administrer(self) -> bool:
        """Whether people and accesses of its organisation are this actor's to manage."""
        return self.systeme or Role.ADMINISTRATION in self.roles

    @property
    def peut_signer(self) -> bool:
        return self.systeme or Role.SIGNATURE in self.roles
