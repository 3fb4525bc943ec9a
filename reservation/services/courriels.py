"""E-mails: written as rows with what they announce, sent after the commit, tried again when the relay refuses.

    ecrire → row → task after commit → sent | next try later | ECHEC after the last → renvoyer

The words are in templates/courriels/: one text per e-mail, whose first line is its object. The HTML is the same text
laid out, so that the two can never say different things.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import urlize
from django.utils.safestring import mark_safe

from reservation.acteur import Acteur
from reservation.models import Courriel, Invitation, Organisation, PieceJointe
from reservation.regles.typographie import typographier

journal = logging.getLogger(__name__)

# Before each new try: a relay that is down for a day loses nothing.
DELAIS = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(hours=24),
)
OBJET = "Objet : "
# Template of an e-mail → what makes its secret link, at the moment of sending.
_LIENS: dict[str, Callable[[Courriel], str]] = {}
# Template of an e-mail → the files that the worker makes before it leaves: too slow for the request that writes it.
_PREPARATIONS: dict[str, Callable[[Courriel], "Sequence[Fichier]"]] = {}
CALENDRIER = "text/calendar"


# gabarit → whether an e-mail that waits still has its reason (a reminder of what is done has none).
_ENCORE_UTILES: dict[str, Callable[[Courriel], bool]] = {}


def declarer_condition(gabarit: str, encore_utile: Callable[[Courriel], bool]) -> None:
    """Ask `encore_utile` before each sending of this kind of e-mail; an upper room says what it knows."""
    _ENCORE_UTILES[gabarit] = encore_utile


class Fichier(NamedTuple):
    """What goes with an e-mail. `type_mime` may bear parameters ("text/calendar; method=REQUEST")."""

    nom: str
    type_mime: str
    octets: bytes


@transaction.atomic
def ecrire(
    gabarit: str,
    destinataire: str,
    contexte: Mapping[str, Any] | None = None,
    *,
    organisation: Organisation | None = None,
    invitation: Invitation | None = None,
    fichiers: Sequence[Fichier] = (),
) -> Courriel:
    """Write one e-mail, in the transaction of what it announces; it leaves after the commit.

    `gabarit`: name of a text of templates/courriels/. `organisation`: whose administrators may see what became of
    it. `invitation`: its link is put at the moment of sending. `fichiers` are kept with it, as they leave. Nothing about
    a household may ever be in `contexte`, nor in them.
    """
    valeurs = {
        **(contexte or {}),
        "site": settings.SITE_NOM,
        "adresse_du_site": settings.SITE_URL,
        "lien": Courriel.MARQUE_LIEN,
    }
    texte = render_to_string(f"courriels/{gabarit}.txt", valeurs).strip()
    objet, _, corps = texte.partition("\n")
    if not objet.startswith(OBJET):
        raise ValueError(f"Le gabarit {gabarit} ne commence pas par « {OBJET}».")
    objet = typographier(" ".join(objet.removeprefix(OBJET).split()))[:200]
    corps = typographier(_un_blanc_au_plus(corps))
    ecrit = Courriel.objects.create(
        gabarit=gabarit,
        destinataire=destinataire,
        objet=objet,
        corps_texte=render_to_string("courriels/cadre/texte.txt", valeurs | {"corps": mark_safe(corps)}),
        corps_html=render_to_string(
            "courriels/cadre/page.html", valeurs | {"objet": objet, "paragraphes": corps.split("\n\n")}
        ),
        organisation=organisation,
        invitation=invitation,
        prochain_essai_le=timezone.now(),
    )
    _joindre(ecrit, fichiers)
    _appeler(ecrit)
    return ecrit


def _joindre(courriel: Courriel, fichiers: Sequence[Fichier]) -> None:
    PieceJointe.objects.bulk_create(
        PieceJointe(
            courriel=courriel,
            nom=fichier.nom,
            type_mime=fichier.type_mime,
            octets=fichier.octets,
            empreinte=hashlib.sha256(fichier.octets).hexdigest(),
        )
        for fichier in fichiers
    )


def enregistrer_preparation(gabarit: str, faire: Callable[[Courriel], Sequence[Fichier]]) -> None:
    """`faire` gives the files that an e-mail of this template still lacks; called by the worker, kept with it."""
    _PREPARATIONS[gabarit] = faire


@transaction.atomic
def ecrire_compose(gabarit: str, destinataire: str, *, objet: str, texte: str) -> Courriel:
    """Write one e-mail that somebody else composed (sign-in, second factor), in the same frame and by the same queue.

    A secret link is not in `texte`: `Courriel.MARQUE_LIEN` stands for it, and `enregistrer_lien` says how it is made.
    """
    corps = _un_blanc_au_plus(texte)
    valeurs = {"site": settings.SITE_NOM, "adresse_du_site": settings.SITE_URL}
    ecrit = Courriel.objects.create(
        gabarit=gabarit,
        destinataire=destinataire,
        objet=objet[:200],
        corps_texte=render_to_string("courriels/cadre/texte.txt", valeurs | {"corps": mark_safe(corps)}),
        corps_html=render_to_string(
            "courriels/cadre/page.html", valeurs | {"objet": objet, "paragraphes": corps.split("\n\n")}
        ),
        prochain_essai_le=timezone.now(),
    )
    _appeler(ecrit)
    return ecrit


def enregistrer_lien(gabarit: str, faire: Callable[[Courriel], str]) -> None:
    """`faire` gives the link that takes the place of `Courriel.MARQUE_LIEN` in the e-mails of this template."""
    _LIENS[gabarit] = faire


def _un_blanc_au_plus(corps: str) -> str:
    """What the conditions of a template leave: no empty paragraph, no line of spaces."""
    paragraphes = "\n".join(ligne.strip() for ligne in corps.strip().splitlines()).split("\n\n")
    return "\n\n".join(p.strip("\n") for p in paragraphes if p.strip())


def _appeler(courriel: Courriel) -> None:
    from reservation.tasks import envoyer_courriel

    transaction.on_commit(lambda: envoyer_courriel.delay(courriel.pk), robust=True)


def envoyer(courriel_id: int, maintenant: datetime | None = None) -> Courriel | None:
    """Send a row that waits; None when another worker holds it, or when there is nothing to do any more.

    The row is locked while the relay answers: two workers never send it twice. A relay that accepted just before
    the machine stopped may get it again: better twice than never.
    """
    maintenant = maintenant or timezone.now()
    with transaction.atomic():
        courriel = (
            Courriel.objects.select_for_update(skip_locked=True)
            .filter(pk=courriel_id, etat=Courriel.Etat.EN_ATTENTE, prochain_essai_le__lte=maintenant)
            .first()
        )
        if courriel is None:
            return None
        if (condition := _ENCORE_UTILES.get(courriel.gabarit)) and not condition(courriel):
            courriel.delete()  # never sent, and nothing left to say
            return None
        courriel.essais += 1
        try:
            with transaction.atomic():
                if preparer := _PREPARATIONS.get(courriel.gabarit):
                    _joindre(courriel, preparer(courriel))
            _remettre(courriel)
        except Exception as erreur:  # whatever the relay or the network says: it is written, and tried again
            _noter_l_echec(courriel, erreur, maintenant)
        else:
            courriel.etat, courriel.envoye_le, courriel.erreur = Courriel.Etat.ENVOYE, maintenant, ""
        courriel.save()
    return courriel


def _remettre(courriel: Courriel) -> None:
    texte, page = courriel.corps_texte, courriel.corps_html
    lien = ""
    if courriel.invitation_id:
        lien = lien_d_invitation(courriel.invitation)
    elif courriel.gabarit in _LIENS:
        lien = _LIENS[courriel.gabarit](courriel)
    if lien:
        texte = texte.replace(Courriel.MARQUE_LIEN, lien)
        page = page.replace(Courriel.MARQUE_LIEN, urlize(lien))
    message = EmailMultiAlternatives(courriel.objet, texte, to=[courriel.destinataire])
    message.attach_alternative(page, "text/html")
    for piece in courriel.pieces.order_by("pk"):
        octets = bytes(piece.octets)
        if piece.type_mime.startswith(CALENDRIER):
            # Read in place by those who know invitations; the others open the file below.
            message.attach_alternative(octets.decode(), piece.type_mime)
        message.attach(piece.nom, octets, piece.type_mime)
    message.send()


def lien_d_invitation(invitation: Invitation) -> str:
    """The address that accepts an invitation; never stored."""
    return f"{settings.SITE_URL}/invitations/{invitation.secret}/"


def _noter_l_echec(courriel: Courriel, erreur: Exception, maintenant: datetime) -> None:
    """Plan the next try, or give up after the last. The words of the relay may hold an address: not in the log."""
    courriel.erreur = f"{type(erreur).__name__} : {erreur}"[:200]
    if courriel.essais > len(DELAIS):
        courriel.etat = Courriel.Etat.ECHEC
    else:
        courriel.prochain_essai_le = maintenant + DELAIS[courriel.essais - 1]
    journal.warning("Courriel %s, essai %s : %s", courriel.pk, courriel.essais, type(erreur).__name__)


def reprendre(maintenant: datetime | None = None) -> int:
    """Call a worker for every row whose time has come: lost messages, tries to do again. Returns how many."""
    en_retard = Courriel.objects.filter(
        etat=Courriel.Etat.EN_ATTENTE, prochain_essai_le__lte=maintenant or timezone.now()
    ).order_by("pk")
    courriels = list(en_retard.only("pk"))
    for courriel in courriels:
        _appeler(courriel)
    return len(courriels)


@transaction.atomic
def renvoyer(acteur: Acteur, courriel: Courriel) -> Courriel:
    """Send again a row that could not be delivered; its tries start again."""
    if not acteur.systeme and not Courriel.objects.modifiables_par(acteur).filter(pk=courriel.pk).exists():
        raise PermissionDenied("Vous ne pouvez pas renvoyer ce courriel.")
    courriel = Courriel.objects.select_for_update().get(pk=courriel.pk)
    if courriel.etat != Courriel.Etat.ECHEC:
        raise ValidationError("Seul un courriel non remis se renvoie.")
    courriel.etat = Courriel.Etat.EN_ATTENTE
    courriel.essais = 0
    courriel.prochain_essai_le = timezone.now()
    courriel.save()
    _appeler(courriel)
    return courriel
