"""Reading of RPLS files: from bytes to checked dwellings, without the database.

    ouverture       what the file is: container, encoding, separator, header, family
    lignes          physical lines, quotes, lines of the wrong width
    valeurs         one cell: damage of spreadsheets mended, or the reason why it cannot be read
    normalisation   one block of lines: columns of the parc, anomalies, identity
    analyse         the whole file: accounting, duplicates, keys, report, rejected lines

polars is imported by these modules only, and these modules inside functions of the services: its threads do not
survive the fork of a Celery worker that would already have used them, and the web processes do without it.
"""
