"""The chapters of a bilan, one module each: what a table says, under which words."""
