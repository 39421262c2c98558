"""Texts, numbers and times in the language and time zone of a reader."""

import gettext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from io import BytesIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal, format_percent

SOURCE = "en"  # the language of the texts in the code; it needs no catalogue
_COMPACT = 10_000  # numbers from this on are shortened
_HOURS = timedelta(hours=2)  # durations from this on are shown in hours
_DAYS = timedelta(days=3)  # … and from this on in days


def msg(text: str) -> str:
    """Mark a text for translation; `Wording.text` translates it later."""
    return text


@dataclass(frozen=True, slots=True)
class Wording:
    """A language and a time zone.

    Attributes:
        locale: how numbers and dates are written.
        zone: time zone of all times.
        catalogue: the translations.
    """

    locale: Locale
    zone: ZoneInfo
    catalogue: gettext.NullTranslations

    @property
    def language(self) -> str:
        """The language's code, as HTML's `lang` has it."""
        return str(self.locale).replace("_", "-")

    def text(self, message: str, **values: str) -> str:
        """A message in the language, its {placeholders} filled."""
        return self.catalogue.gettext(message).format(**values)

    def plural(self, one: str, many: str, count: float, **values: str) -> str:
        """A message whose form depends on a count, which it shows as {count}."""
        whole = round(count)
        form = self.catalogue.ngettext(one, many, whole)
        return form.format(count=self.number(whole), **values)

    def number(self, value: float, digits: int = 0) -> str:
        """A number with exactly this many decimals, grouped."""
        return format_decimal(value, f"#,##0{'.' * (digits > 0)}{'0' * digits}", self.locale)

    def signed(self, value: float) -> str:
        """A number with its sign and two decimals; zero has none."""
        rounded = round(value, 2)
        if not rounded:
            return format_decimal(0, "0.00", self.locale)
        return format_decimal(rounded, "+0.00;-0.00", self.locale)

    def compact(self, value: int) -> str:
        """A whole number in few characters: 12K from 10,000 on."""
        if value < _COMPACT:
            return self.number(value)
        return format_compact_decimal(value, format_type="short", locale=self.locale)

    def percent(self, share: float) -> str:
        """A share in [0, 1] as a whole percentage."""
        return format_percent(share, locale=self.locale)

    def moment(self, at: datetime) -> str:
        """A date and time to the minute, with its time zone."""
        day = format_skeleton("yMMMd", at, tzinfo=self.zone, locale=self.locale)
        return f"{day}, {self.clock(at)} {self.zone_name(at)}"

    def clock(self, at: datetime) -> str:
        """A time of day to the minute."""
        return format_skeleton("Hm", at, tzinfo=self.zone, locale=self.locale)

    def day(self, at: datetime) -> str:
        """A day of the year, without the year."""
        return format_skeleton("MMMd", at, tzinfo=self.zone, locale=self.locale)

    def dates(self, first: date, last: date) -> str:
        """A day in full, or the first and the last of several."""
        if first == last:
            return format_date(first, "full", self.locale)
        return format_interval(first, last, "yMMMd", locale=self.locale)

    def weekday(self, day: date) -> str:
        """The short name of a day of the week."""
        return format_date(day, "EEE", self.locale)

    def zone_name(self, at: datetime) -> str:
        """The time zone as its offset from UTC at that instant: UTC, UTC+7, UTC-3:30."""
        minutes = round((at.astimezone(self.zone).utcoffset() or timedelta()).total_seconds() / 60)
        if minutes == 0:
            return "UTC"
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"

    def span(self, length: timedelta) -> str:
        """A length of time in minutes, hours or days."""
        if length < _HOURS:
            return self.plural("{count} minute", "{count} minutes", length / timedelta(minutes=1))
        if length < _DAYS:
            return self.plural("{count} hour", "{count} hours", length / timedelta(hours=1))
        return self.plural("{count} day", "{count} days", length / timedelta(days=1))

    def span_range(self, least: timedelta, most: timedelta) -> str:
        """A length of time that varies, in the unit of its greatest value; at least a minute."""
        most = max(most, timedelta(minutes=1))
        unit = timedelta(minutes=1) if most < _HOURS else timedelta(hours=1)
        unit = unit if most < _DAYS else timedelta(days=1)
        low, span = round(least / unit), self.span(most)
        if low == 0:
            return self.text("up to {span}", span=span)
        if low >= round(most / unit):
            return self.text("about {span}", span=span)
        return self.text("{least} to {span}", least=self.number(low), span=span)


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages that messages can be written in, sorted."""
    files = resources.files(__package__).iterdir()
    return tuple(sorted({SOURCE, *(f.name[:-3] for f in files if f.name.endswith(".po"))}))


def time_zone(name: str) -> ZoneInfo:
    """A time zone by its name in the tz database, such as Asia/Ho_Chi_Minh.

    Raises:
        ValueError: there is none by that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"there is no time zone {name[:64]!r}; write it like Asia/Ho_Chi_Minh or UTC"
        ) from None


def wording(language: str = SOURCE, timezone: str = "UTC") -> Wording:
    """The wording of a language and a time zone.

    Args:
        language: one of `languages()`.
        timezone: a name of the tz database.

    Raises:
        ValueError: unknown language or time zone.
    """
    if language not in languages():
        raise ValueError(f"language must be one of {', '.join(languages())}")
    return Wording(Locale.parse(language), time_zone(timezone), _catalogue(language))


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == SOURCE:
        return gettext.NullTranslations()
    compiled = BytesIO()
    with (resources.files(__package__) / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
