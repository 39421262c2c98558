"""What the user says about a file of comments."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.ingest.values.rules import NOTHING_KNOWN, TimeRules

# The way out of a fault that an option removes, by the code of the fault.
HINTS: Mapping[str, str] = {
    "naive_timestamp": "or name the zone of all times: --time-zone Asia/Seoul",
    "ambiguous_timestamp": "or say the order: --day-first, --month-first or --date-format",
    "relative_timestamp": "say when it was read: --as-of 2026-03-01T12:00Z",
    "no_time_of_day": "if that is meant, give --date-format",
    "repeated_hour": "or give an offset for all times: --time-zone=-05:00",
}


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How files are read; None to find out.

    Attributes:
        constants: field -> value of every comment (`kol_id`, `platform`).
        fields: field -> column or path.
        times: how times are read.
        preset: the name of a preset.
        sheet: of a spreadsheet.
        encoding: of a text file.
        delimiter: of a table in text.
    """

    constants: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    times: TimeRules = NOTHING_KNOWN
    preset: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
