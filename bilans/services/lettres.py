"""Letters: written from a template, signed by a delegate of the préfet, sent, followed to the day that starts the clock.

What is signed is what was read: the signature names the fingerprint of the preview and is refused when the text or the
figures have moved. From then on nothing changes; each thing that happens to the letter is one more row of its journal.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from bilans.documents import lettre as pdf
from bilans.documents.lettre import Courrier, Tableau
from bilans.documents.lettre_constats import constat, faits
from bilans.models import EtapeLettre, GabaritLettre, Lettre
from bilans.regles import lettres as regles
from bilans.regles.courriers import MODELES, Modele, ModeleInvalide, composer
from bilans.regles.gabarits import verifier_gabarit
from bilans.regles.procedures import Lettre as Nature
from bilans.regles.procedures_delais import (
    Inscription,
    Mode,
    Pas,
    Suite,
    Suivi,
    SuiviImpossible,
    en_vigueur,
    suivre,
)
from flux.services.designations import prevenir
from reservation.acteur import Acteur
from reservation.models import Convention, Departement, Organisation
from reservation.regles.typographie import date_fr, typographier
from reservation.services.assistances import exiger_hors_assistance

from . import lettres_procedures as procedures
from .lettres_procedures import Contexte
from .sceau import sceller

GABARIT = "lettre_envoyee"
CORRIGEE = "Cette étape est déjà corrigée : rechargez la page, et corrigez celle qui fait foi."
CHANGE = "Cette lettre a changé entre-temps : rechargez la page."
TAILLE_DE_PREUVE = 5 * 1024 * 1024
# What a proof may be, by the first bytes of the file: never by its name.
_TYPES_DE_PREUVE = {b"%PDF-": "application/pdf", b"\x89PNG\r\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


# --- Templates ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModeleEnVigueur:
    """The text of a letter in a département; `gabarit` is None while it is that of the house."""

    modele: Modele
    gabarit: GabaritLettre | None

    @property
    def version(self) -> int:
        return self.gabarit.version if self.gabarit else 0

    @property
    def nom(self) -> str:
        origine = f"modèle {self.gabarit.departement_id}" if self.gabarit else "modèle de la maison"
        return f"{origine}, version {self.version}"


def modele_en_vigueur(departement: str, nature: Nature) -> ModeleEnVigueur:
    """The last version of the département (its code), else the template of the house."""
    gabarit = (
        GabaritLettre.objects.filter(departement=departement, nature=nature).order_by("-version").first()
    )
    return ModeleEnVigueur(gabarit.modele if gabarit else MODELES[nature], gabarit)


def publier_gabarit(
    acteur: Acteur, departement: Departement, modele: Modele, *, raison: str, lue: int
) -> GabaritLettre:
    """One more version of a template. `lue`: the version that was edited.

    Raises `PermissionDenied`, or `ValidationError` with every fault, each with its line.
    """
    exiger_hors_assistance(acteur)
    if not peut_ecrire(acteur, departement.pk):
        raise PermissionDenied("Les modèles de lettre sont ceux de la DDETS du département.")
    if fautes := verifier_gabarit(modele):
        raise ValidationError(list(fautes))
    if not raison.strip():
        raise ValidationError("Écrivez ce que cette version change, et pourquoi.")
    actuel = modele_en_vigueur(departement.pk, modele.lettre)
    if actuel.version != lue:
        raise ValidationError(
            "Une autre version a été publiée pendant que vous écriviez : rechargez la page, comparez, recommencez."
        )
    if actuel.modele == modele:
        raise ValidationError("Ce texte est celui de la version en vigueur : rien n’est à publier.")
    try:
        with transaction.atomic():
            return GabaritLettre.objects.create(
                departement=departement,
                nature=modele.lettre,
                version=lue + 1,
                objet=modele.objet,
                corps=modele.corps,
                mentions=modele.mentions,
                raison=raison.strip(),
                ecrit_par_id=acteur.utilisateur_id,
            )
    except IntegrityError as erreur:
        raise ValidationError("Ce modèle a changé entre-temps : rechargez la page.") from erreur


# --- Drafts -----------------------------------------------------------------------------------------------------


def peut_ecrire(acteur: Acteur, departement: str) -> bool:
    """Whether `acteur` writes the letters of this département (its code)."""
    return acteur.systeme or (acteur.est_ddets and acteur.peut_gerer and departement in acteur.departements)


def peut_signer(acteur: Acteur, departement: str) -> bool:
    """Whether `acteur` signs them: a person of the DDETS who has the role, never an assistance nor the application."""
    return (
        acteur.est_ddets
        and acteur.peut_signer
        and not acteur.systeme
        and not acteur.en_assistance
        and departement in acteur.departements
    )


@transaction.atomic
def ecrire(acteur: Acteur, procedure, nature: Nature) -> Lettre:
    """A draft of the letter that this stage of `procedure` awaits; the one already begun, if there is one.

    Raises `PermissionDenied`, or `ValidationError` when the stage does not hold this letter or the figures are favourable.
    """
    if not peut_ecrire(acteur, procedure.departement_id):
        raise PermissionDenied("Une lettre est écrite par la DDETS du département.")
    contexte = procedures.lire(procedure, timezone.localdate())
    acte = procedures.exiger_possible(contexte, nature)
    deja = Lettre.objects.filter(procedure=procedure, nature=nature, signee_le=None).first()
    if deja is not None:
        return deja
    annee = timezone.localdate().year
    return Lettre.objects.create(
        bailleur=None if contexte.reservataire else contexte.bailleur,
        reservataire=contexte.reservataire,
        departement_id=procedure.departement_id,
        procedure=procedure,
        acte=acte,
        convention=contexte.convention,
        nature=nature,
        numero=_prochain_numero(nature, procedure.departement_id, annee),
        annee=contexte.annee,
        saisies=_reprendre(procedure.departement_id, contexte) | procedures.propositions(contexte, nature),
        ecrite_par_id=acteur.utilisateur_id,
    )


def _prochain_numero(nature: Nature, departement: str, annee: int) -> str:
    """The next of its kind in the year; two at once: the second is refused by the database and asks again."""
    debut = regles.numero(nature, departement, annee, 0)[:-3]
    dernier = Lettre.objects.filter(numero__startswith=debut).aggregate(d=Max("numero"))["d"]
    return regles.numero(nature, departement, annee, int(dernier[len(debut) :]) + 1 if dernier else 1)


# How many letters back what surrounds the text is looked for.
RELUES = 20


def _reprendre(departement: str, contexte) -> dict[str, str]:
    """What surrounds the text, each as in the last letter of the département that says it; the address, as in the last to
    this addressee."""
    champs = {e.champ for e in regles.ENTETES} - {"adresse", "appel"} | {
        "service",
        "contact",
        "delegation",
        "tribunal",
    }
    saisies: dict[str, str] = {}
    # An invitation names no tribunal: the decision that follows it goes back to the last one that did.
    dernieres = Lettre.objects.filter(departement=departement).order_by("-pk")[:RELUES]
    for dites in reversed(dernieres.values_list("saisies", flat=True)):
        saisies |= {nom: texte for nom, texte in dites.items() if nom in champs}
    destinataire = contexte.reservataire or contexte.bailleur
    cle = {"reservataire": destinataire} if contexte.reservataire else {"bailleur": destinataire}
    sienne = Lettre.objects.filter(departement=departement, **cle).sans_octets().order_by("-pk").first()
    if sienne is not None:
        saisies |= {nom: sienne.saisies[nom] for nom in ("adresse", "appel") if nom in sienne.saisies}
    return saisies


@transaction.atomic
def enregistrer(acteur: Acteur, lettre: Lettre, saisies: Mapping[str, str], mode: Mode) -> Lettre:
    """What an agent typed in a draft; only what this letter asks for is kept."""
    lettre = _verrouiller(acteur, lettre)
    if lettre.signee:
        raise ValidationError("Cette lettre est signée : elle ne change plus.")
    modele = modele_en_vigueur(lettre.departement_id, Nature(lettre.nature)).modele
    champs = {*regles.saisies_de(modele), *(e.champ for e in regles.ENTETES)}
    lettre.saisies = {nom: texte.strip() for nom, texte in saisies.items() if nom in champs and texte.strip()}
    lettre.mode = mode
    lettre.save(update_fields=["saisies", "mode"])
    return lettre


@transaction.atomic
def supprimer(acteur: Acteur, lettre: Lettre) -> None:
    """A draft is dropped; a signed letter stays."""
    lettre = _verrouiller(acteur, lettre)
    if lettre.signee:
        raise ValidationError("Une lettre signée ne se supprime pas.")
    lettre.delete()


def _verrouiller(acteur: Acteur, lettre: Lettre) -> Lettre:
    """The row as it is, nobody else writing it until the end of the transaction, if `acteur` may write it."""
    if not Lettre.objects.modifiables_par(acteur).filter(pk=lettre.pk).exists():
        raise PermissionDenied("Une lettre est écrite et suivie par la DDETS du département.")
    return (
        Lettre.objects.select_for_update(of=("self",))
        .select_related("bailleur", "reservataire", "departement", "convention", "procedure", "gabarit")
        .get(pk=lettre.pk)
    )


# --- What is printed --------------------------------------------------------------------------------------------


def valeurs_de(lettre: Lettre, contexte: Contexte) -> dict[str, str]:
    """Every variable of the letter: from the figures, the convention and the procedure; then what was typed."""
    convention = lettre.convention
    valeurs = {
        "bailleur": lettre.procedure.bailleur.nom
        if lettre.procedure.bailleur_id
        else lettre.destinataire.nom,
        "destinataire": lettre.destinataire.nom,
        "departement": lettre.departement.nom,
        "reference": lettre.numero,
    }
    if convention is not None:
        nature = "arrêté" if convention.nature == Convention.Nature.ARRETE else "convention"
        valeurs["convention"] = f"{nature} n° {convention.numero}" + (
            f" du {date_fr(convention.signee_le)}" if convention.signee_le else ""
        )
    tapees = {nom: texte for nom, texte in lettre.saisies.items() if nom in regles.SAISIES}
    nature = Nature(lettre.nature)
    calcules = faits(nature, lettre.annee, contexte.situation)
    return valeurs | tapees | calcules | procedures.dits_par_l_acte(contexte, nature)


def composer_courrier(
    lettre: Lettre,
    contexte: Contexte,
    *,
    signataire: str = "",
    jour: date | None = None,
    projet: bool = True,
) -> Courrier:
    """The letter as it would be signed today by `signataire`. Raises `ModeleInvalide` with what is missing, in French."""
    nature = Nature(lettre.nature)
    en_vigueur = modele_en_vigueur(lettre.departement_id, nature)
    s = lettre.saisies
    absents = [e.libelle for e in regles.ENTETES if e.obligatoire and not s.get(e.champ, "").strip()]
    valeurs = valeurs_de(lettre, contexte)
    try:
        composee = composer(en_vigueur.modele, valeurs)
    except ModeleInvalide as erreur:
        raise ModeleInvalide((*(f"À remplir : {a}." for a in absents), *erreur.fautes)) from erreur
    if absents:
        raise ModeleInvalide(tuple(f"À remplir : {a}." for a in absents))
    arrete = nature == Nature.ARRETE
    jour = jour or timezone.localdate()
    parts = procedures.parts_de_l_etat(lettre.convention, jour) if arrete else ()
    appel = "" if arrete else s.get("appel", "")
    references = [("Nos références", f"{lettre.numero} (à rappeler dans toute correspondance)")]
    if "convention" in valeurs:
        references.insert(0, ("Convention", valeurs["convention"]))
    return Courrier(
        autorite=s["autorite"],
        service=tuple(_lignes(s["direction"], regles.LIGNES_DIRECTION)),
        suivi=tuple(filter(None, (f"Dossier suivi par : {s.get('service', '')}", s.get("contact", "")))),
        destinataire=(lettre.destinataire.nom, *_lignes(s["adresse"], regles.LIGNES_ADRESSE)),
        envoi=(_majuscule(Mode(lettre.mode).libelle),),
        lieu=s["lieu"],
        jour=jour,
        references=tuple(references),
        formule=appel,
        salutation=f"Je vous prie d’agréer, {appel.rstrip(' ,')}, l’expression de ma considération distinguée."
        if appel
        else "",
        signataire=tuple(
            filter(
                None,
                (
                    "Pour le préfet et par délégation",
                    f"({s.get('delegation', '')}),",
                    f"{s['fonction']},",
                    signataire,
                ),
            )
        ),
        lettre=composee,
        constat=constat(nature, lettre.annee, contexte.situation, parts),
        numero=lettre.numero,
        version_modele=en_vigueur.nom,
        projet=projet,
    )


def _lignes(texte: str, nombre: int) -> list[str]:
    return [ligne.strip() for ligne in texte.splitlines() if ligne.strip()][:nombre]


def _majuscule(texte: str) -> str:
    return texte[:1].upper() + texte[1:]


def marque_de(courrier: Courrier) -> str:
    """Fingerprint of what the page shows: sent back with the signature."""
    return hashlib.sha256(pdf.balisage(courrier).encode()).hexdigest()


# --- The signature ----------------------------------------------------------------------------------------------


@transaction.atomic
def signer(acteur: Acteur, lettre: Lettre, *, nom: str, marque: str) -> Lettre:
    """Sign what was read: its words, its figures and its bytes are kept from now on, and the procedure moves with it.

    `nom`: of the person who signs; `marque`: the fingerprint of the preview. Raises `PermissionDenied`, or
    `ValidationError` with what is missing, what moved, or why the measure is impossible today.
    """
    exiger_hors_assistance(acteur)
    lettre = _verrouiller(acteur, lettre)
    if not peut_signer(acteur, lettre.departement_id):
        raise PermissionDenied("Une lettre est signée par une personne de la DDETS qui a le rôle Signature.")
    if lettre.signee:
        raise ValidationError("Cette lettre est déjà signée.")
    nature = Nature(lettre.nature)
    aujourd_hui = timezone.localdate()
    contexte = procedures.lire(lettre.procedure, aujourd_hui)
    lettre.acte = procedures.exiger_possible(contexte, nature)
    try:
        vue = composer_courrier(lettre, contexte, signataire=nom, jour=aujourd_hui)
        courrier = composer_courrier(lettre, contexte, signataire=nom, jour=aujourd_hui, projet=False)
    except ModeleInvalide as erreur:
        raise ValidationError(list(erreur.fautes)) from erreur
    if marque_de(vue) != marque:
        raise ValidationError(
            "Le texte ou les chiffres ont changé depuis votre lecture : relisez la lettre, puis signez."
        )
    if not lettre.saisies.get("delegation"):
        raise ValidationError(
            "Écrivez l’arrêté de délégation de signature : il s’imprime et il est conservé."
        )
    rendu = pdf.rendre(courrier)
    scelle = sceller(rendu.octets, f"Lettre {lettre.numero}")
    lettre.objet = courrier.lettre.objet[:400]
    lettre.gabarit = modele_en_vigueur(lettre.departement_id, nature).gabarit
    lettre.signee_le = timezone.now()
    lettre.jour = aujourd_hui
    lettre.signataire_id = acteur.utilisateur_id
    lettre.signataire_nom = nom
    lettre.organisation_id = acteur.organisation_id
    lettre.delegation = lettre.saisies["delegation"]
    lettre.faits = valeurs_de(lettre, contexte)
    lettre.constat = courrier.constat._asdict() if courrier.constat else {}
    lettre.octets = scelle.octets
    lettre.empreinte = hashlib.sha256(scelle.octets).hexdigest()
    lettre.pages = rendu.pages
    lettre.sceau = scelle.sceau[:300]
    lettre.save()
    return lettre


def constat_de(lettre: Lettre) -> Tableau | None:
    """The figures of a signed letter, as they were known on its day."""
    if not lettre.constat:
        return None
    c = lettre.constat
    return Tableau(c["titre"], tuple(c["colonnes"]), tuple(map(tuple, c["lignes"])), c["chiffres"], c["note"])


# --- What becomes of it -------------------------------------------------------------------------------------------


def en_regle(etapes: Iterable[EtapeLettre]) -> tuple[Inscription, ...]:
    """The whole journal, as the rules read it."""
    etapes = list(etapes)
    rangs = {etape.pk: etape.rang for etape in etapes}
    return tuple(etape.en_regle(rangs) for etape in etapes)


def suivi_de(lettre: Lettre, etapes: Iterable[EtapeLettre]) -> Suivi:
    """Its steps once corrected, checked again one by one."""
    return _suivre(lettre, en_regle(etapes))


def _suivre(lettre: Lettre, inscriptions: Iterable[Inscription]) -> Suivi:
    return suivre(Mode(lettre.mode), [x.pas for x in en_vigueur(inscriptions)], timezone.localdate())


@dataclass(frozen=True, slots=True)
class Preuve:
    """A scanned receipt, as it was uploaded."""

    nom: str
    octets: bytes

    @property
    def type(self) -> str:
        """Its type, from its first bytes. Raises `ValidationError` for anything but a PDF or an image."""
        if len(self.octets) > TAILLE_DE_PREUVE:
            raise ValidationError("La preuve dépasse 5 Mo : réduisez-la.")
        for debut, type_ in _TYPES_DE_PREUVE.items():
            if self.octets.startswith(debut):
                return type_
        raise ValidationError("La preuve est un PDF ou une image (PNG, JPEG) : ce fichier n’en est pas un.")


@transaction.atomic
def inscrire(
    acteur: Acteur,
    lettre: Lettre,
    suite: Suite,
    jour: date,
    *,
    numero: str = "",
    observation: str = "",
    preuve: Preuve | None = None,
) -> EtapeLettre:
    """One more step of a signed letter; the certain date, once known, is told to the procedure, whose clock starts there.

    Raises `PermissionDenied`, or `ValidationError`: out of order, before the one before, in the future, or without the
    number or the proof that this way of sending asks for.
    """
    exiger_hors_assistance(acteur)
    lettre = _verrouiller(acteur, lettre)
    if not lettre.signee:
        raise ValidationError("Un projet ne s’envoie pas : la lettre se signe d’abord.")
    if jour < lettre.jour:
        raise ValidationError(f"Cette date précède celle de la lettre ({date_fr(lettre.jour)}).")
    etapes = list(lettre.etapes.defer("preuve").order_by("rang"))
    try:
        suivi = suivi_de(lettre, etapes).avancer(suite, jour, timezone.localdate())
    except SuiviImpossible as erreur:
        raise ValidationError(typographier(str(erreur))) from erreur
    if suite == Suite.ENVOI and lettre.mode != Mode.REMISE and not numero.strip():
        raise ValidationError({"numero": f"Écrivez le numéro de la {Mode(lettre.mode).libelle}."})
    _exiger_decharge(lettre, suite, preuve)
    etape = EtapeLettre.objects.create(
        lettre=lettre,
        rang=len(etapes) + 1,
        suite=suite,
        jour=jour,
        numero=numero.strip(),
        observation=observation.strip(),
        inscrite_par_id=acteur.utilisateur_id,
        **_preuve(preuve),
    )
    _repeter(lettre, suivi)
    procedures.apres_une_suite(lettre, suivi)
    if suite == Suite.ENVOI:
        _dire_au_destinataire(lettre)
    return etape


@transaction.atomic
def corriger(
    acteur: Acteur,
    etape: EtapeLettre,
    *,
    raison: str,
    suite: Suite | None = None,
    jour: date | None = None,
    numero: str = "",
    preuve: Preuve | None = None,
) -> EtapeLettre:
    """Correct a step that was written wrong: one more row takes its place, with the reason; nothing is erased.

    `suite` None: the step never happened, and nothing takes its place. The clock of the procedure follows while nothing
    else was done since; otherwise what was done stays, and the row says so. Raises as `inscrire` does.
    """
    exiger_hors_assistance(acteur)
    lettre = _verrouiller(acteur, etape.lettre)
    etapes = list(lettre.etapes.defer("preuve").order_by("rang"))
    avant = en_regle(etapes)
    if etape.rang not in {x.rang for x in en_vigueur(avant)}:
        raise ValidationError(CORRIGEE)
    raison = " ".join(raison.split())
    if not raison:
        raise ValidationError({"raison": "Écrivez ce qui était faux, et ce qui le montre."})
    retire = suite is None
    if not retire and (jour is None or jour < lettre.jour):
        raise ValidationError(
            {"jour": f"Écrivez une date, à partir de celle de la lettre ({date_fr(lettre.jour)})."}
        )
    if suite == Suite.ENVOI and lettre.mode != Mode.REMISE and not (numero.strip() or etape.numero):
        raise ValidationError({"numero": f"Écrivez le numéro de la {Mode(lettre.mode).libelle}."})
    suite, jour = (Suite(etape.suite), etape.jour) if retire else (suite, jour)
    nouvelle = Inscription(len(etapes) + 1, Pas(jour, suite), etape.rang, retire)
    try:
        ancien, suivi = _suivre(lettre, avant), _suivre(lettre, (*avant, nouvelle))
    except SuiviImpossible as erreur:
        raise ValidationError(typographier(str(erreur))) from erreur
    sans_effet = procedures.apres_une_correction(lettre, ancien, suivi, raison)
    if sans_effet:
        raison = f"{raison} (sans effet sur la procédure, où l’acte « {sans_effet} » est déjà inscrit)"
    if preuve is None and not retire and etape.preuve_empreinte:
        # The same receipt goes on proving it: it was read wrong.
        preuve = Preuve(etape.preuve_nom, bytes(EtapeLettre.objects.get(pk=etape.pk).preuve))
    if not retire:
        _exiger_decharge(lettre, suite, preuve)
    faite = EtapeLettre.objects.create(
        lettre=lettre,
        rang=nouvelle.rang,
        suite=suite,
        jour=jour,
        numero=numero.strip() or ("" if retire else etape.numero),
        observation=typographier(raison)[:300],
        corrige=etape,
        retire=retire,
        inscrite_par_id=acteur.utilisateur_id,
        **_preuve(preuve),
    )
    envoyee = lettre.envoyee_le
    _repeter(lettre, suivi)
    if envoyee and suivi.date_certaine != ancien.date_certaine:
        _dire_au_destinataire(lettre, correction=True)
    return faite


def _exiger_decharge(lettre: Lettre, suite: Suite, preuve: Preuve | None) -> None:
    if suite == Suite.RECEPTION and lettre.mode == Mode.REMISE and preuve is None:
        raise ValidationError({"preuve": "Joignez la décharge signée : elle prouve la date de la remise."})


def _preuve(preuve: Preuve | None) -> dict:
    return {
        "preuve": preuve.octets if preuve else None,
        "preuve_nom": preuve.nom[-200:] if preuve else "",
        "preuve_type": preuve.type if preuve else "",
        "preuve_empreinte": hashlib.sha256(preuve.octets).hexdigest() if preuve else "",
    }


def _repeter(lettre: Lettre, suivi: Suivi) -> None:
    """What the journal says, repeated on the letter for lists and clocks."""
    lettre.suite = suivi.derniere or ""
    lettre.envoyee_le = suivi.jour(Suite.ENVOI)
    lettre.date_certaine = suivi.date_certaine
    lettre.save(update_fields=["suite", "envoyee_le", "date_certaine"])


def _dire_au_destinataire(lettre: Lettre, *, correction: bool = False) -> None:
    """An e-mail to the people of the addressee: that there is a letter, and where. Nothing of what it says is in it."""
    if lettre.envoyee_le is None:
        return
    prevenir(
        lettre.destinataire,
        GABARIT,
        {
            "objet": "Date d’une lettre corrigée" if correction else "Une lettre vous est adressée",
            "numero": lettre.numero,
            "departement": lettre.departement.nom,
            "mode": Mode(lettre.mode).libelle,
            "jour": date_fr(lettre.envoyee_le),
            "correction": correction,
            "page": reverse("bilans:lettre", args=[lettre.pk]),
        },
    )


def sur_bailleurs_fusionnes(sender, absorbe: Organisation, absorbant: Organisation, effet, **_signal) -> None:
    """Receiver of `reservation.signaux.bailleurs_fusionnes`: a draft goes to who answers now; what was signed stays as it was."""
    Lettre.objects.filter(bailleur=absorbe, signee_le=None).update(bailleur=absorbant)
