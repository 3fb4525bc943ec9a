"""What the recompute of the flux is measured against: one SQL aggregate, and the script an analyst would write.

Both give the observed flux of a year for every bailleur × département, and the share of each réservataire; both
write their result into a table. `comparer` checks that they find what the application found: a baseline that
computed something else would measure nothing.
"""

from datetime import date
from io import BytesIO

from django.db import connection, transaction

from reservation.regles.statut import STATUTS_DANS

# The parc, counted from the dwellings (what anybody would write), or from the aggregate that the application keeps.
PARC_LOGEMENTS = """
    SELECT a.bailleur_id, a.departement_id, count(*) AS parc,
           count(*) FILTER (WHERE a.statut = ANY(%(dans)s)) AS soumis,
           count(*) FILTER (WHERE a.statut = ANY(%(dans)s) AND a.mode IN ('1', '2')) AS loues
    FROM reservation_logement a JOIN etat USING (bailleur_id, departement_id, millesime)
    GROUP BY 1, 2
"""
PARC_AGREGAT = """
    SELECT a.bailleur_id, a.departement_id, sum(a.nombre) AS parc,
           sum(a.nombre) FILTER (WHERE a.statut = ANY(%(dans)s)) AS soumis,
           sum(a.nombre) FILTER (WHERE a.statut = ANY(%(dans)s) AND a.mode IN ('1', '2')) AS loues
    FROM reservation_agregatparc a JOIN etat USING (bailleur_id, departement_id, millesime)
    GROUP BY 1, 2
"""

# One statement: the parc as above, libérations and imputations counted, rates in force in the middle of the year.
# Dérogations and changes of rate in the year are left out: that makes the statement shorter and faster than the truth.
SQL = """
CREATE TEMPORARY TABLE repere_sql AS
WITH etat AS (
    SELECT DISTINCT ON (bailleur_id, departement_id) bailleur_id, departement_id, millesime
    FROM reservation_etatparc WHERE millesime <= %(annee)s
    ORDER BY bailleur_id, departement_id, millesime DESC
), parc AS (
{parc}
), versions AS (
    SELECT DISTINCT ON (v.convention_id) v.id, v.bailleur_id, v.departement_id, v.taux, v.soustractions,
           v.premieres_mises_en_location, o.type, o.code,
           CASE WHEN v.retrocession_debut <= %(milieu)s THEN v.retrocession_taux ELSE 0 END AS retrocession
    FROM reservation_versionconvention v
    JOIN reservation_convention c ON c.id = v.convention_id
    JOIN reservation_organisation o ON o.id = v.reservataire_id
    WHERE c.etat <> 'BROUILLON' AND v.signee_le IS NOT NULL AND %(milieu)s BETWEEN c.debut AND c.fin
      AND v.effet <= %(milieu)s
    ORDER BY v.convention_id, v.effet DESC
), lignes AS (
    SELECT l.bailleur_id, l.departement_id, l.commune_id, l.qpv,
           count(*) FILTER (WHERE NOT l.usage = ANY(coalesce(e.soustractions, '{}'))) AS flux,
           count(*) AS liberations
    FROM flux_liberation l
    LEFT JOIN versions e ON e.type = 'DDETS' AND (e.bailleur_id, e.departement_id) = (l.bailleur_id, l.departement_id)
    WHERE l.date BETWEEN %(debut)s AND %(fin)s AND l.annulee_le IS NULL AND l.dans_assiette
      AND (NOT l.premiere OR e.premieres_mises_en_location)
    GROUP BY 1, 2, 3, 4
), flux AS (
    SELECT bailleur_id, departement_id, sum(flux) AS flux, sum(liberations) AS liberations,
           sum(flux) FILTER (WHERE NOT qpv) AS hors_qpv
    FROM lignes GROUP BY 1, 2
), territoires AS (
    SELECT v.id, sum(l.flux) AS flux
    FROM versions v JOIN reservation_versionconvention_communes t ON t.versionconvention_id = v.id
    JOIN lignes l ON (l.bailleur_id, l.departement_id, l.commune_id) = (v.bailleur_id, v.departement_id, t.commune_id)
    GROUP BY 1
), parts AS (
    SELECT v.bailleur_id, v.departement_id,
           CASE v.type WHEN 'DDETS' THEN 'ETAT' WHEN 'ACTION_LOGEMENT' THEN 'ALS' ELSE v.code END AS code,
           coalesce(t.flux, CASE WHEN EXISTS (
               SELECT 1 FROM reservation_versionconvention_communes c WHERE c.versionconvention_id = v.id
           ) THEN 0 ELSE f.flux END) * (v.taux - coalesce(v.retrocession, 0)) / 100 AS part
    FROM versions v LEFT JOIN flux f USING (bailleur_id, departement_id) LEFT JOIN territoires t USING (id)
), realise AS (
    SELECT bailleur_id, departement_id, titre, count(*) AS realise,
           count(*) FILTER (WHERE detail LIKE 'PRIORI%%') AS prioritaires
    FROM flux_imputation WHERE annee = %(annee)s AND date_caleol BETWEEN %(debut)s AND %(fin)s
    GROUP BY 1, 2, 3
), titulaires AS (
    SELECT s.bailleur_id, s.departement_id, jsonb_object_agg(s.code, jsonb_build_object(
        'part', s.part, 'realise', r.realise, 'prioritaires', r.prioritaires)) AS parts
    FROM parts s LEFT JOIN realise r
      ON (r.bailleur_id, r.departement_id, r.titre) = (s.bailleur_id, s.departement_id, s.code)
    GROUP BY 1, 2
)
SELECT p.bailleur_id, p.departement_id, p.parc, p.soumis, p.loues, coalesce(f.flux, 0) AS flux,
       coalesce(f.liberations, 0) AS liberations, f.hors_qpv, s.parts
FROM parc p LEFT JOIN flux f USING (bailleur_id, departement_id) LEFT JOIN titulaires s USING (bailleur_id, departement_id)
"""


def agreger(annee: int, parc: str = PARC_LOGEMENTS) -> dict[tuple[int, str], tuple[int, int]]:
    """Run the SQL statement, the parc counted by `parc`; {(bailleur, département): (assiette, flux)}."""
    with transaction.atomic(), connection.cursor() as curseur:
        curseur.execute("DROP TABLE IF EXISTS repere_sql")
        curseur.execute(
            SQL.replace("{parc}", parc),
            {
                "annee": annee,
                "dans": [statut.value for statut in STATUTS_DANS],
                "debut": date(annee, 1, 1),
                "fin": date(annee, 12, 31),
                "milieu": date(annee, 7, 1),
            },
        )
        curseur.execute("SELECT bailleur_id, departement_id, soumis, flux FROM repere_sql")
        return {(b, d): (int(soumis or 0), int(flux)) for b, d, soumis, flux in curseur.fetchall()}


def analyser(annee: int) -> dict[tuple[int, str], tuple[int, int]]:
    """The pandas script: the lines of the RPLS, of the libérations and of the attributions, grouped and merged.

    An analyst has the lines, not the aggregate of the application; they come by COPY, faster than `read_sql`.
    """
    import pandas as pd

    debut, fin = date(annee, 1, 1), date(annee, 12, 31)
    logements = _lire(
        pd,
        "SELECT l.bailleur_id, l.departement_id, l.commune_id, l.qpv, l.finan, l.conv, l.mode, l.sortie, "
        "array_to_string(l.drapeaux, ',') AS drapeaux, l.statut FROM reservation_logement l "
        "WHERE l.millesime = (SELECT max(millesime) FROM reservation_etatparc WHERE millesime <= %(annee)s)",
        {"annee": annee},
    )
    dans = logements[logements["statut"].isin([statut.value for statut in STATUTS_DANS])]
    assiette = dans.groupby(["bailleur_id", "departement_id"]).size().rename("soumis")
    loues = dans[dans["mode"].astype(str).isin(["1", "2"])]
    loues = loues.groupby(["bailleur_id", "departement_id"]).size().rename("loues")
    hors = logements.groupby(["bailleur_id", "departement_id", "statut"]).size().unstack(fill_value=0)

    conventions = _lire(
        pd,
        "SELECT v.id, v.bailleur_id, v.departement_id, v.taux, array_to_string(v.soustractions, ',') AS soustractions, "
        "v.premieres_mises_en_location AS premieres, v.retrocession_taux, v.retrocession_debut, v.effet, o.type, o.code, "
        "(SELECT string_agg(c.commune_id, ',') FROM reservation_versionconvention_communes c "
        " WHERE c.versionconvention_id = v.id) AS communes "
        "FROM reservation_versionconvention v JOIN reservation_convention c ON c.id = v.convention_id "
        "JOIN reservation_organisation o ON o.id = v.reservataire_id "
        "WHERE c.etat <> 'BROUILLON' AND v.signee_le IS NOT NULL AND %(milieu)s BETWEEN c.debut AND c.fin "
        "AND v.effet <= %(milieu)s ORDER BY v.convention_id, v.effet",
        {"milieu": date(annee, 7, 1)},
    ).drop_duplicates(["bailleur_id", "departement_id", "type", "code"], keep="last")
    etat = conventions[conventions["type"] == "DDETS"]

    liberations = _lire(
        pd,
        "SELECT bailleur_id, departement_id, commune_id, qpv, usage, premiere FROM flux_liberation "
        "WHERE date BETWEEN %(debut)s AND %(fin)s AND annulee_le IS NULL AND dans_assiette",
        {"debut": debut, "fin": fin},
    ).merge(
        etat[["bailleur_id", "departement_id", "soustractions", "premieres"]],
        on=["bailleur_id", "departement_id"],
        how="left",
    )
    listes = {s: set(str(s).split(",")) for s in liberations["soustractions"].unique()}
    liberations["soustraite"] = [
        usage in listes[soustractions]
        for usage, soustractions in zip(liberations["usage"], liberations["soustractions"], strict=True)
    ]
    liberations = liberations[~(liberations["premiere"] == "t") | (liberations["premieres"] == "t")]
    flux = liberations[~liberations["soustraite"]]
    total = flux.groupby(["bailleur_id", "departement_id"]).size().rename("flux")
    par_commune = flux.groupby(["bailleur_id", "departement_id", "commune_id"]).size()

    attributions = _lire(
        pd,
        "SELECT bailleur_id, departement_id, titre, detail FROM flux_imputation "
        "WHERE annee = %(annee)s AND date_caleol BETWEEN %(debut)s AND %(fin)s",
        {"annee": annee, "debut": debut, "fin": fin},
    )
    attributions["prioritaire"] = attributions["detail"].astype(str).str.startswith("PRIORI")
    realise = attributions.groupby(["bailleur_id", "departement_id", "titre"])["prioritaire"].agg(
        ["size", "sum"]
    )

    lignes = []
    communes_de = {paire: serie for paire, serie in par_commune.groupby(level=[0, 1])}
    for acte in conventions.itertuples():
        paire = (acte.bailleur_id, acte.departement_id)
        base = total.get(paire, 0)
        if isinstance(acte.communes, str):
            locale = communes_de.get(paire)
            base = 0 if locale is None else locale[locale.index.isin(acte.communes.split(","), level=2)].sum()
        taux = float(acte.taux)
        if str(acte.retrocession_debut) <= f"{annee}-07-01":
            taux -= float(acte.retrocession_taux)
        code = {"DDETS": "ETAT", "ACTION_LOGEMENT": "ALS"}.get(acte.type, acte.code)
        fait = realise.loc[(*paire, code)] if (*paire, code) in realise.index else None
        lignes.append((*paire, code, base * taux / 100, 0 if fait is None else fait["size"]))
    parts = pd.DataFrame(lignes, columns=["bailleur_id", "departement_id", "code", "part", "realise"])
    resultat = pd.concat([assiette, loues, hors, total], axis=1).fillna(0)
    _ecrire(resultat.reset_index()[["bailleur_id", "departement_id", "soumis", "loues", "flux"]], parts)
    return {
        (int(b), str(d)): (int(ligne.soumis), int(ligne.flux))
        for (b, d), ligne in zip(resultat.index, resultat.itertuples(), strict=True)
    }


def _lire(pd, requete: str, parametres: dict):
    """A query as a DataFrame, codes kept as text."""
    tampon = BytesIO()
    with connection.cursor() as curseur:
        texte = curseur.mogrify(requete, parametres)
        with curseur.copy(f"COPY ({texte}) TO STDOUT (FORMAT csv, HEADER)") as copie:
            for bloc in copie:
                tampon.write(bloc)
    tampon.seek(0)
    textes = dict.fromkeys(
        ("departement_id", "commune_id", "finan", "conv", "sortie", "drapeaux", "code", "communes"), "string"
    )
    return pd.read_csv(tampon, dtype=textes)


def _ecrire(resultat, parts) -> None:
    """Both tables of the script, by COPY."""
    with connection.cursor() as curseur:
        for table, lignes, colonnes in (
            (
                "repere_flux",
                resultat,
                "bailleur_id bigint, departement_id text, soumis numeric, loues numeric, flux numeric",
            ),
            (
                "repere_parts",
                parts,
                "bailleur_id bigint, departement_id text, code text, part numeric, realise numeric",
            ),
        ):
            curseur.execute(f"DROP TABLE IF EXISTS {table}")
            curseur.execute(f"CREATE TEMPORARY TABLE {table} ({colonnes})")
            with curseur.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copie:
                copie.write(lignes.to_csv(index=False, header=False))


def comparer(annee: int, trouve: dict[tuple[int, str], tuple[int, int]]) -> int:
    """Pairs where a baseline finds another assiette or another flux than the live calculation of the year."""
    from flux.models import CalculFlux, Nature

    calcules = {
        (b, d): (soumis, flux)
        for b, d, soumis, flux in CalculFlux.objects.filter(
            annee=annee, nature=Nature.DEFINITIF, en_vigueur=True
        ).values_list("bailleur_id", "departement_id", "soumis", "flux")
    }
    return sum(trouve.get(paire) != valeur for paire, valeur in calcules.items())
