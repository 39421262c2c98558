"""Brands, to which KOLs belong."""

from groundswell_client.record import Record


class BrandInfo(Record, frozen=True, kw_only=True):
    """A brand, and the KOLs of it that the key may see."""

    brand: str
    kols: tuple[str, ...]
