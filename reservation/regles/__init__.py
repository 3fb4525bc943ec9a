"""Rules of the ground floor: pure functions on plain values and dates.

No Django, no clock, no float: dwellings are `int`, rates are `Fraction` in points of the flux, days are
`datetime.date`. Every rule cites its article, every threshold is an argument with the law's value by default.
"""
