"""Pages of the bilans."""
