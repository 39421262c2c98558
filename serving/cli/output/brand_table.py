"""Brands as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from groundswell_client.models.brands import BrandInfo
from serving.cli.output.formatting import plain_table


def brand_table(brands: Sequence[BrandInfo]) -> Table | Text:
    """Brands, one a row."""
    if not brands:
        return Text("no brands")
    table = plain_table("brand", "KOLs")
    for brand in brands:
        table.add_row(Text(brand.brand), Text(", ".join(brand.kols) or "none"))
    return table
