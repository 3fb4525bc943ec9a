"""Rules of the flux: pure functions on counted lots, each citing its article and giving its explanation.

Everything works on lots (a date, a place, a number of dwellings) so that one libération and a million, a
JSON file and a SQL aggregate, go through the same functions.
"""
