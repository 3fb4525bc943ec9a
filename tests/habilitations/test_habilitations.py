"""Life of an access: each yes, and its noes."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import (
    Courriel,
    DemandeAcces,
    EvenementAcces,
    Invitation,
    Rattachement,
    Utilisateur,
)
from reservation.services import habilitations as h
from reservation.services.acces import acteur_de, organisations_de
from tests.personnages import organisation, personne

MOT_DE_PASSE = "phrase longue et rare 2026"
Nature = EvenementAcces.Nature


def roles_de(utilisateur, organisation_) -> set[str]:
    actifs = Rattachement.objects.actifs().filter(utilisateur=utilisateur, organisation=organisation_)
    return set(actifs.values_list("role", flat=True))


def inviter(cast, courriel="neuf@a.example", roles=("GESTION",), qui="administrateur_a") -> Invitation:
    return h.inviter(cast.acteur(qui), cast.bailleur_a, courriel, roles)


# --- Invitations -----------------------------------------------------------------------------------------------------


def test_an_invitation_opens_an_account_with_its_roles(cast):
    invitation = inviter(cast, " Neuf@A.example ", ["GESTION", "LECTURE"])
    h.accepter_en_ouvrant_un_compte(invitation.secret, nom="Personne neuve", mot_de_passe=MOT_DE_PASSE)
    neuf = Utilisateur.objects.get(courriel="neuf@a.example")
    assert neuf.check_password(MOT_DE_PASSE) and neuf.nom == "Personne neuve"
    assert roles_de(neuf, cast.bailleur_a) == {"GESTION", "LECTURE"}
    assert {r.fin for r in neuf.rattachements.all()} == {timezone.localdate() + timedelta(days=365)}
    assert acteur_de(neuf).roles == {Role.GESTION, Role.LECTURE}
    natures = EvenementAcces.objects.filter(organisation=cast.bailleur_a).order_by("pk")
    assert list(natures.values_list("nature", flat=True)) == [Nature.INVITATION, Nature.ACCEPTATION]
    with pytest.raises(ValidationError, match="plus valable"):
        h.accepter_en_ouvrant_un_compte(invitation.secret, nom="Encore", mot_de_passe=MOT_DE_PASSE)


def test_a_known_person_accepts_with_their_account_and_keeps_the_other_one(cast):
    invitation = inviter(cast, "gestion@b.example", ["LECTURE"])
    h.accepter_invitation(cast.gestionnaire_b, invitation.secret)
    assert roles_de(cast.gestionnaire_b, cast.bailleur_a) == {"LECTURE"}
    assert set(organisations_de(cast.gestionnaire_b)) == {cast.bailleur_a, cast.bailleur_b}
    assert acteur_de(cast.gestionnaire_b).a_le_choix and not cast.acteur("gestionnaire_a").a_le_choix
    assert acteur_de(cast.gestionnaire_b, cast.bailleur_b.pk).roles == {Role.GESTION}


def test_an_invitation_is_for_one_address(cast):
    invitation = inviter(cast)
    with pytest.raises(PermissionDenied):
        h.accepter_invitation(cast.gestionnaire_b, invitation.secret)
    assert roles_de(cast.gestionnaire_b, cast.bailleur_a) == set()


def test_an_account_that_exists_is_not_taken_over(cast):
    invitation = inviter(cast, "gestion@b.example")
    with pytest.raises(ValidationError, match="connectez-vous"):
        h.accepter_en_ouvrant_un_compte(invitation.secret, nom="Pirate", mot_de_passe=MOT_DE_PASSE)
    desactive = inviter(cast, "ancien@a.example")
    with pytest.raises(ValidationError, match="désactivé"):
        h.accepter_en_ouvrant_un_compte(desactive.secret, nom="Ancien", mot_de_passe=MOT_DE_PASSE)
    cast.gestionnaire_b.refresh_from_db()
    assert cast.gestionnaire_b.nom == "Gestionnaire B" and not cast.gestionnaire_b.check_password(
        MOT_DE_PASSE
    )


@pytest.mark.parametrize("mot_de_passe", ["court", "motdepasse", "neuf@a.example"])
def test_a_weak_password_is_refused(cast, mot_de_passe):
    invitation = inviter(cast)
    with pytest.raises(ValidationError) as refus:
        h.accepter_en_ouvrant_un_compte(invitation.secret, nom="Neuf", mot_de_passe=mot_de_passe)
    assert "mot_de_passe" in refus.value.message_dict
    assert not Utilisateur.objects.filter(courriel="neuf@a.example").exists()


@pytest.mark.parametrize("fin", ["expiree", "retiree", "renvoyee"])
def test_a_former_link_is_worth_nothing(cast, fin):
    invitation = inviter(cast)
    secret = invitation.secret
    if fin == "expiree":
        Invitation.objects.update(expire_le=timezone.now())
    elif fin == "retiree":
        h.revoquer_invitation(cast.acteur("administrateur_a"), invitation)
    else:
        nouvelle = h.renvoyer_invitation(cast.acteur("administrateur_a"), invitation)
        assert h.invitation_par_secret(nouvelle.secret) == invitation
    assert h.invitation_par_secret(secret) is None
    with pytest.raises(ValidationError, match="plus valable"):
        h.accepter_en_ouvrant_un_compte(secret, nom="Neuf", mot_de_passe=MOT_DE_PASSE)


def test_a_closed_organisation_is_only_read(cast):
    acteur = cast.acteur("administrateur_a")
    ouverte = inviter(cast)
    cast.bailleur_a.fermee_le = date(2026, 1, 1)
    cast.bailleur_a.save()
    with pytest.raises(ValidationError, match="fermée"):
        h.accepter_en_ouvrant_un_compte(ouverte.secret, nom="Neuf", mot_de_passe=MOT_DE_PASSE)
    assert not Utilisateur.objects.filter(courriel="neuf@a.example").exists()
    with pytest.raises(ValidationError, match="fermée"):
        inviter(cast, "autre@a.example", ["GESTION"])
    with pytest.raises(ValidationError, match="fermée"):
        h.changer_roles(acteur, cast.lecteur_a, cast.bailleur_a, ["GESTION"])
    with pytest.raises(ValidationError, match="fermée"):
        h.demander_acces(cast.sans_organisation, cast.bailleur_a)
    assert inviter(cast, "autre@a.example", ["LECTURE"])
    assert h.renouveler(acteur, cast.lecteur_a, cast.bailleur_a)


def test_an_invitation_lasts_fifteen_days(cast):
    invitation = inviter(cast)
    assert timedelta(days=14, hours=23) < invitation.expire_le - timezone.now() <= timedelta(days=15)
    assert Courriel.objects.filter(invitation=invitation).count() == 1
    h.renvoyer_invitation(cast.acteur("administrateur_a"), invitation)
    assert Courriel.objects.filter(invitation=invitation).count() == 2


def test_who_is_in_or_invited_is_not_invited_again(cast):
    with pytest.raises(ValidationError, match="déjà un accès"):
        inviter(cast, "gestion@a.example")
    premiere = inviter(cast)
    with pytest.raises(ValidationError, match="attend déjà"):
        inviter(cast)
    h.revoquer_invitation(cast.acteur("administrateur_a"), premiere)
    assert inviter(cast).pk != premiere.pk


@pytest.mark.parametrize(
    "qui", ["gestionnaire_a", "signataire_a", "lecteur_a", "gestionnaire_b", "agent_ddets_06", "charge_dreal"]
)
def test_who_does_not_administer_invites_nobody(cast, qui):
    with pytest.raises(PermissionDenied):
        inviter(cast, qui=qui)
    invitation = inviter(cast)
    for verbe in (h.renvoyer_invitation, h.revoquer_invitation):
        with pytest.raises(PermissionDenied):
            verbe(cast.acteur(qui), invitation)
    assert h.invitation_par_secret(invitation.secret) is not None


@pytest.mark.parametrize("roles", [[], ["ROI"], ["LECTURE", "ROI"]])
def test_roles_are_those_that_exist(cast, roles):
    with pytest.raises(ValidationError):
        inviter(cast, roles=roles)


def test_above_an_organisation_one_names_its_administrators_only(cast):
    acteur = cast.acteur("administrateur_ddets_06")
    assert h.inviter(acteur, cast.bailleur_a, "chef@a.example", ["ADMINISTRATION"]).roles == [
        "ADMINISTRATION"
    ]
    with pytest.raises(ValidationError, match="administrateurs"):
        h.inviter(acteur, cast.bailleur_a, "autre@a.example", ["GESTION"])
    with pytest.raises(ValidationError, match="vous-même"):
        h.inviter(acteur, cast.bailleur_a, "administration06@etat.example", ["ADMINISTRATION"])
    with pytest.raises(PermissionDenied):
        h.changer_roles(acteur, cast.gestionnaire_a, cast.bailleur_a, ["LECTURE"])
    assert h.inviter(acteur, cast.ddets_06, "collegue@etat.example", ["GESTION"])


def test_each_level_administers_the_one_below(cast):
    """DDETS: what is in its département; DREAL: what is in its région, DDETS included; never the other way round."""
    dreal = personne("acces@dreal.example", "Accès DREAL", cast.dreal_paca, Role.ADMINISTRATION)

    def siennes(utilisateur):
        return set(type(cast.als).objects.modifiables_par(acteur_de(utilisateur)))

    ici = {
        cast.ddets_06,
        cast.prefecture_06,
        cast.operateur_06,
        cast.bailleur_a,
        cast.bailleur_b,
        cast.commune_cannes,
    }
    assert siennes(cast.administrateur_ddets_06) == ici
    assert siennes(dreal) == ici | {cast.dreal_paca, cast.union_hlm_paca}
    assert siennes(cast.administrateur_a) == {cast.bailleur_a}
    assert siennes(cast.agent_ddets_06) == siennes(cast.charge_dreal) == set()
    assert siennes(dreal) <= set(type(cast.als).objects.visibles_par(acteur_de(dreal)))


# --- Requests --------------------------------------------------------------------------------------------------------


def test_a_request_is_told_to_who_decides(cast):
    h.demander_acces(cast.sans_organisation, cast.bailleur_a, "Chargée des attributions")
    assert set(Courriel.objects.values_list("destinataire", flat=True)) == {"administration@a.example"}
    h.demander_acces(cast.sans_organisation, cast.bailleur_b, "Chargée des attributions")
    # B has no administrator: the DDETS of the département decides.
    assert Courriel.objects.filter(destinataire="administration06@etat.example").count() == 1


def test_a_request_is_granted_with_roles(cast):
    demande = h.demander_acces(cast.sans_organisation, cast.bailleur_a)
    h.accepter_demande(cast.acteur("administrateur_a"), demande, ["LECTURE"])
    assert roles_de(cast.sans_organisation, cast.bailleur_a) == {"LECTURE"}
    demande.refresh_from_db()
    assert (demande.etat, demande.decidee_par) == ("ACCEPTEE", cast.administrateur_a)
    assert Courriel.objects.filter(gabarit="acces_accorde", destinataire="seul@seul.example").exists()
    for verbe in (
        lambda: h.accepter_demande(cast.acteur("administrateur_a"), demande, ["GESTION"]),
        lambda: h.refuser_demande(cast.acteur("administrateur_a"), demande, "trop tard"),
        lambda: h.retirer_demande(cast.sans_organisation, demande),
    ):
        with pytest.raises(ValidationError, match="n’attend plus"):
            verbe()


def test_a_refusal_says_why(cast):
    demande = h.demander_acces(cast.sans_organisation, cast.bailleur_a)
    with pytest.raises(ValidationError, match="Dites pourquoi"):
        h.refuser_demande(cast.acteur("administrateur_a"), demande, "  ")
    h.refuser_demande(cast.acteur("administrateur_a"), demande, "Poste inconnu")
    assert "Poste inconnu" in Courriel.objects.get(gabarit="acces_refuse").corps_texte
    assert roles_de(cast.sans_organisation, cast.bailleur_a) == set()
    h.demander_acces(cast.sans_organisation, cast.bailleur_a, "Je suis arrivée")


@pytest.mark.parametrize("qui", ["gestionnaire_a", "gestionnaire_b", "agent_ddets_06", "sans_organisation"])
def test_who_does_not_administer_decides_nothing(cast, qui):
    demande = h.demander_acces(cast.sans_organisation, cast.bailleur_a)
    with pytest.raises(PermissionDenied):
        h.accepter_demande(cast.acteur(qui), demande, ["LECTURE"])
    with pytest.raises(PermissionDenied):
        h.refuser_demande(cast.acteur(qui), demande, "non")


def test_nobody_decides_of_their_own_request(cast):
    demande = h.demander_acces(cast.administrateur_ddets_06, cast.bailleur_a)
    with pytest.raises(PermissionDenied):
        h.accepter_demande(cast.acteur("administrateur_ddets_06"), demande, ["GESTION"])


def test_one_request_at_a_time_and_none_for_a_member(cast):
    demande = h.demander_acces(cast.sans_organisation, cast.bailleur_a)
    with pytest.raises(ValidationError, match="attend déjà"):
        h.demander_acces(cast.sans_organisation, cast.bailleur_a)
    with pytest.raises(ValidationError, match="déjà un accès"):
        h.demander_acces(cast.gestionnaire_a, cast.bailleur_a)
    with pytest.raises(PermissionDenied):
        h.retirer_demande(cast.gestionnaire_a, demande)
    h.retirer_demande(cast.sans_organisation, demande)
    assert h.demander_acces(cast.sans_organisation, cast.bailleur_a).pk != demande.pk


def test_who_sees_a_request(cast):
    h.demander_acces(cast.sans_organisation, cast.bailleur_a)
    voient = {
        qui
        for qui in cast.gens
        if qui != "ancien_a" and DemandeAcces.objects.visibles_par(cast.acteur(qui)).exists()
    }
    assert voient == {"administrateur_a", "administrateur_ddets_06", "sans_organisation"}


def test_signing_in_proposes_and_does_not_give(cast):
    cast.bailleur_a.siren = "000000018"
    cast.bailleur_a.save()
    demande = h.proposer_acces(cast.sans_organisation, "000 000 018 00012")
    assert (demande.organisation, demande.origine) == (cast.bailleur_a, DemandeAcces.Origine.SIRET)
    assert roles_de(cast.sans_organisation, cast.bailleur_a) == set()
    assert h.proposer_acces(cast.sans_organisation, "00000001800012") == demande
    h.refuser_demande(cast.acteur("administrateur_a"), demande, "Inconnue")
    assert h.proposer_acces(cast.sans_organisation, "00000001800012") is None
    assert DemandeAcces.objects.count() == 1


@pytest.mark.parametrize(
    "siret", ["", "abc", "000000017", "99999999900012", "0000000170001", "٠٠٠٠٠٠٠١٧٠٠٠١٢"]
)
def test_a_siret_of_nobody_proposes_nothing(cast, siret):
    assert h.proposer_acces(cast.sans_organisation, siret) is None


def test_a_shared_siren_or_a_member_proposes_nothing(cast):
    organisation(TypeOrganisation.AUTRE_RESERVATAIRE, "Filiale", code="X1", siren=cast.bailleur_a.siren)
    assert h.proposer_acces(cast.sans_organisation, "00000001700012") is None
    assert h.proposer_acces(cast.gestionnaire_b, f"{cast.bailleur_b.siren}00012") is None


def test_looking_for_an_organisation(cast):
    def trouvees(recherche):
        return [o.nom for o in h.chercher_organisations(recherche)]

    assert trouvees("lögis ESSAI") == ["Logis Essai B"]
    assert trouvees("000000017") == trouvees("000 000 017 00012") == ["Habitat Essai A"]
    assert trouvees("cotes d'armor") == ["DDETS des Côtes-d’Armor"]
    assert trouvees("ab") == trouvees("") == trouvees("%%%") == []


# --- Roles and ends --------------------------------------------------------------------------------------------------


def test_roles_change_and_the_past_stays(cast):
    h.changer_roles(
        cast.acteur("administrateur_a"), cast.gestionnaire_a, cast.bailleur_a, ["SIGNATURE", "LECTURE"]
    )
    assert roles_de(cast.gestionnaire_a, cast.bailleur_a) == {"SIGNATURE", "LECTURE"}
    [ancien] = cast.gestionnaire_a.rattachements.filter(termine_le__isnull=False)
    assert (ancien.role, ancien.fin) == ("GESTION", timezone.localdate())
    evenement = EvenementAcces.objects.get(nature=Nature.ROLES)
    assert evenement.detail == "gestion → lecture et signature"
    assert (evenement.par, evenement.pour) == (cast.administrateur_a, cast.bailleur_a)
    # Back the same day: the ended row does not stand in the way.
    h.changer_roles(cast.acteur("administrateur_a"), cast.gestionnaire_a, cast.bailleur_a, ["GESTION"])
    assert roles_de(cast.gestionnaire_a, cast.bailleur_a) == {"GESTION"}


def test_an_access_ends_at_once_and_is_kept(cast):
    h.terminer_acces(
        cast.acteur("administrateur_a"), cast.gestionnaire_a, cast.bailleur_a, "A changé de poste"
    )
    assert acteur_de(cast.gestionnaire_a) == Acteur(utilisateur_id=cast.gestionnaire_a.pk)
    assert cast.gestionnaire_a.rattachements.count() == 1
    assert EvenementAcces.objects.get(nature=Nature.FIN).commentaire == "A changé de poste"
    with pytest.raises(ValidationError, match="n’a plus d’accès"):
        h.terminer_acces(cast.acteur("administrateur_a"), cast.gestionnaire_a, cast.bailleur_a)


@pytest.mark.parametrize("qui", ["gestionnaire_a", "gestionnaire_b", "agent_ddets_06"])
def test_who_does_not_administer_changes_and_ends_nothing(cast, qui):
    for verbe in (
        lambda a: h.changer_roles(a, cast.lecteur_a, cast.bailleur_a, ["GESTION"]),
        lambda a: h.terminer_acces(a, cast.lecteur_a, cast.bailleur_a),
        lambda a: h.renouveler(a, cast.lecteur_a, cast.bailleur_a),
        lambda a: h.quitter(a, cast.lecteur_a, cast.bailleur_a),
    ):
        with pytest.raises(PermissionDenied):
            verbe(cast.acteur(qui))
    assert roles_de(cast.lecteur_a, cast.bailleur_a) == {"LECTURE"}


def test_the_last_administrator_stays(cast):
    admin, a = cast.acteur("administrateur_a"), cast.bailleur_a
    for verbe in (
        lambda: h.quitter(admin, cast.administrateur_a, a),
        lambda: h.terminer_acces(admin, cast.administrateur_a, a),
        lambda: h.terminer_acces(cast.acteur("administrateur_ddets_06"), cast.administrateur_a, a),
        lambda: h.changer_roles(admin, cast.administrateur_a, a, ["GESTION"]),
    ):
        with pytest.raises(h.DernierAdministrateur, match="pas d’autre administrateur"):
            verbe()
    assert roles_de(cast.administrateur_a, a) == {"ADMINISTRATION"}
    h.changer_roles(admin, cast.administrateur_a, a, ["ADMINISTRATION", "GESTION"])
    h.changer_roles(admin, cast.gestionnaire_a, a, ["GESTION", "ADMINISTRATION"])
    h.quitter(admin, cast.administrateur_a, a)
    assert roles_de(cast.administrateur_a, a) == set()


@pytest.mark.parametrize("absence", ["desactive", "echu"])
def test_an_administrator_who_is_not_there_does_not_count(cast, absence):
    second = personne("second@a.example", "Second", cast.bailleur_a, Role.ADMINISTRATION)
    if absence == "desactive":
        second.is_active = False
        second.save()
    else:
        second.rattachements.update(fin=timezone.localdate() - timedelta(days=1))
    with pytest.raises(h.DernierAdministrateur):
        h.quitter(cast.acteur("administrateur_a"), cast.administrateur_a, cast.bailleur_a)


def test_others_leave_freely(cast):
    h.quitter(cast.acteur("lecteur_a"), cast.lecteur_a, cast.bailleur_a)
    assert roles_de(cast.lecteur_a, cast.bailleur_a) == set()
    assert EvenementAcces.objects.get().nature == Nature.DEPART


def test_the_database_refuses_the_same_role_twice(cast):
    with pytest.raises(IntegrityError, match="rattachement_sans_doublon"), transaction.atomic():
        Rattachement.objects.create(
            utilisateur=cast.lecteur_a,
            organisation=cast.bailleur_a,
            role="LECTURE",
            fin=timezone.localdate() + timedelta(days=9),
        )


# --- Yearly campaign -------------------------------------------------------------------------------------------------


def finir_dans(utilisateur, jours: int) -> None:
    utilisateur.rattachements.update(fin=timezone.localdate() + timedelta(days=jours))


def test_an_access_is_confirmed_for_a_year(cast):
    finir_dans(cast.lecteur_a, 20)
    assert [p.utilisateur.nom for p in h.personnes_de(cast.bailleur_a) if p.a_confirmer] == ["Lecteur A"]
    fin = h.renouveler(cast.acteur("administrateur_a"), cast.lecteur_a, cast.bailleur_a)
    assert fin == timezone.localdate() + timedelta(days=365)
    assert not any(p.a_confirmer for p in h.personnes_de(cast.bailleur_a))


@pytest.mark.parametrize(("jours", "rappels"), [(61, 0), (60, 1), (31, 1), (30, 1), (7, 1), (0, 1)])
def test_the_end_is_announced_once_per_threshold(cast, jours, rappels):
    finir_dans(cast.lecteur_a, jours)
    assert h.rappeler_les_fins() == rappels
    assert h.rappeler_les_fins() == 0
    assert Courriel.objects.filter(destinataire="administration@a.example").count() == rappels


def test_three_reminders_then_the_end(cast):
    finir_dans(cast.lecteur_a, 60)
    jour = timezone.localdate()
    ecrits = [h.rappeler_les_fins(jour + timedelta(days=n)) for n in range(61)]
    assert [n for n, ecrit in enumerate(ecrits) if ecrit] == [0, 30, 53]
    assert roles_de(cast.lecteur_a, cast.bailleur_a) == {"LECTURE"}
    assert h.terminer_les_echus(jour + timedelta(days=60)) == 0
    assert h.terminer_les_echus(jour + timedelta(days=61)) == 1
    assert h.terminer_les_echus(jour + timedelta(days=61)) == 0
    assert EvenementAcces.objects.get().nature == Nature.EXPIRATION
    assert roles_de(cast.lecteur_a, cast.bailleur_a) == set()


def test_a_confirmed_access_is_announced_again_a_year_later(cast):
    finir_dans(cast.lecteur_a, 7)
    assert h.rappeler_les_fins() == 1
    h.renouveler(cast.acteur("administrateur_a"), cast.lecteur_a, cast.bailleur_a)
    assert h.rappeler_les_fins(timezone.localdate() + timedelta(days=305)) == 1


def test_without_administrator_the_ddets_is_told(cast):
    finir_dans(cast.gestionnaire_b, 7)
    assert h.rappeler_les_fins() == 1
    assert Courriel.objects.get().destinataire == "administration06@etat.example"


def test_a_role_given_again_after_its_end(cast):
    """The last day is past, no task has run yet: the person is invited and comes back."""
    cast.lecteur_a.rattachements.update(fin=timezone.localdate() - timedelta(days=1))
    invitation = inviter(cast, "lecture@a.example", ["LECTURE"])
    h.accepter_invitation(cast.lecteur_a, invitation.secret)
    assert roles_de(cast.lecteur_a, cast.bailleur_a) == {"LECTURE"}
