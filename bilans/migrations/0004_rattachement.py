"""Who writes what, closer: a row names only rows that its writer sees; the DDETS alone judges a bilan and signs letters."""

from django.db import migrations

from reservation.verrou import BAILLEUR, DDETS_OU_PARTENAIRE, DEPARTEMENT, Rattacher, Restreindre

# table → (column, parent).
LIENS = {
    "accusebilan": (("etape_id", "bilans_etapebilan"), ("bilan_id", "bilans_bilan")),
    "attributionduprefet": (("procedure_id", "bilans_procedure"), ("attribution_id", "flux_attribution")),
    "documentbilan": (("bilan_id", "bilans_bilan"),),
    "dossiercontrole": (("procedure_id", "bilans_procedure"),),
    "ecritureregistre": (("attribution_id", "flux_attribution"),),
    "etapebilan": (
        ("bilan_id", "bilans_bilan"),
        ("demande_id", "bilans_etapebilan"),
        ("document_id", "bilans_documentbilan"),
    ),
    "etapelettre": (("lettre_id", "bilans_lettre"), ("corrige_id", "bilans_etapelettre")),
    "etapeprocedure": (("procedure_id", "bilans_procedure"),),
    "lettre": (
        ("procedure_id", "bilans_procedure"),
        ("acte_id", "bilans_etapeprocedure"),
        ("convention_id", "reservation_convention"),
        ("gabarit_id", "bilans_gabaritlettre"),
    ),
    "paragrapheprocedure": (
        ("procedure_id", "bilans_procedure"),
        ("repond_a_id", "bilans_paragrapheprocedure"),
        ("signature_id", "bilans_signatureprocedure"),
    ),
    "participantprocedure": (("procedure_id", "bilans_procedure"),),
    "pieceprocedure": (
        ("procedure_id", "bilans_procedure"),
        ("paragraphe_id", "bilans_paragrapheprocedure"),
        ("signature_id", "bilans_signatureprocedure"),
    ),
    "pointetape": (("bilan_id", "bilans_bilan"), ("document_id", "bilans_documentbilan")),
    "productionbilan": (
        ("bilan_id", "bilans_bilan"),
        ("lot_id", "bilans_lotbilans"),
        ("document_id", "bilans_documentbilan"),
    ),
    "remiseprojection": (("envoi_id", "bilans_envoiprojection"),),
    "signatureprocedure": (("procedure_id", "bilans_procedure"),),
}


class Migration(migrations.Migration):
    dependencies = [
        ("bilans", "0003_webhooks"),
        ("flux", "0004_rattachement"),
        ("reservation", "0004_rattachement"),
    ]

    operations = [
        *(Rattacher(f"bilans_{table}", **dict(liens)) for table, liens in LIENS.items()),
        # The bailleur submits and answers; everything else is said by the DDETS (bilans.regles.cycle).
        Restreindre(
            "bilans_etapebilan",
            "auteur",
            f"CASE WHEN acte IN ('SOUMETTRE', 'REPONDRE') THEN {BAILLEUR} ELSE {DEPARTEMENT} END",
        ),
        *(
            Restreindre(f"bilans_{table}", "prefecture", DDETS_OU_PARTENAIRE)
            for table in (
                "accusebilan",
                "attributionduprefet",
                "bilan",
                "documentbilan",
                "dossiercontrole",
                "ecritureregistre",
                "etapebilan",
                "etapelettre",
                "etapeprocedure",
                "gabaritlettre",
                "lettre",
                "paragrapheprocedure",
                "participantprocedure",
                "pieceprocedure",
                "procedure",
                "productionbilan",
                "signatureprocedure",
            )
        ),
    ]
