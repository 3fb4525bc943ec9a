"""How any room makes a PDF: the sheet, the fonts, the writing of French on paper. What it says is the room's own."""
