"""People as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from groundswell_client.models.people import PersonInfo
from serving.cli.output.formatting import TO_THE_MINUTE, instant, plain_table


def person_table(people: Sequence[PersonInfo]) -> Table | Text:
    """People, one a row."""
    if not people:
        return Text("no people")
    table = plain_table("e-mail", "name", "role", "sees", "signed in (UTC)", "sessions", "state")
    table.columns[0].no_wrap = True  # it is what other commands are given
    for person in people:
        cells = [
            person.email,
            person.name,
            person.role,
            _sees(person),
            instant(person.signed_in_at, TO_THE_MINUTE) if person.signed_in_at else "never",
            str(person.sessions),
            _state(person),
        ]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _sees(person: PersonInfo) -> str:
    if person.brands is None:
        return "every KOL"
    return ", ".join(f"brand {brand}" for brand in person.brands) or "no KOL"


def _state(person: PersonInfo) -> str:
    if person.disabled_at is not None:
        return "disabled"
    return "password to replace" if person.password_expires_at is not None else "active"
