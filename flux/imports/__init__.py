"""Spreadsheets of a bailleur's events: libérations, commissions with their passages, leases, or all of them in one table.

    colonnes     what a column is called, how it is read, what it is for: the one table that everything else comes from
    valeurs      one cell, read tolerantly
    lecture      a file into sheets of texts, its header found, its lines numbered as the spreadsheet numbers them
    modele       the template to download, with the bailleur's dwellings in it
    schema       the same columns as a JSON Schema, for the bailleur's own software
    annotation   the file sent, given back with what is wrong written on its cells

Nothing here knows the database: the services compare, say and write.
"""
