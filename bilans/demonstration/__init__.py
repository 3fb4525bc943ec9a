"""Demonstration data: fictitious bailleurs on real territories, drawn from real totals; it says what it is.

`peuplement.peupler` is the door (command `manage.py peupler`). Everything is drawn from one seed, whatever the
machine: the same seed gives the same dwellings, the same libérations, the same households.
"""
