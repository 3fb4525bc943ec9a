"""Documents of the upper floor: composed once from frozen figures, rendered as page, PDF and workbook.

`composition` turns a bilan into titled tables, drawings and texts (`modele`); the templates of `templates/pdf` and
`templates/bilans` and `bilans.exports` print them. No figure is computed here.
"""
