"""The content of the page of one's own account."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from serving.access.role import Role
from serving.locales.wording import Wording, msg
from serving.storage.person_record import PersonRecord
from serving.storage.session_record import SessionRecord
from serving.web.alert_page import asking
from serving.web.sign_in_page import rule

_ROLES: dict[Role, str] = {
    Role.VIEWER: msg("Viewer: reads everything that is shown"),
    Role.RESPONDER: msg("Responder: works on alerts"),
    Role.MANAGER: msg("Manager: works on alerts, and changes KOLs, brands and policies"),
    Role.ADMIN: msg("Admin: everything, also keys and people"),
}
# The first that is found counts: browsers name each other.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("CriOS", "Chrome"), ("FxiOS", "Firefox"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session on the page.

    Attributes:
        browser: what it runs in.
        address: from where the person signed in.
        used: when it was last used, in words.
        is_this: whether the page is seen in it.
    """

    browser: str
    address: str
    used: str
    is_this: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """The page.

    Attributes:
        person: whose account.
        shown: their sessions.
        this: id of the session in which the page is seen.
        words: the reader's language and time zone.
        fault: what to correct in the new password; None if nothing is.
        done: what was done before; None if nothing was.
        up: the way from the page to the account's address.
    """

    person: PersonRecord
    shown: Sequence[SessionRecord]
    this: str | None
    words: Wording
    fault: str | None = None
    done: str | None = None
    up: str = ""

    @property
    def title(self) -> str:
        """The heading."""
        return self.words.text("Your account")

    @property
    def email(self) -> str:
        """What the person signs in with."""
        return self.person.email

    @property
    def facts(self) -> Iterator[tuple[str, str]]:
        """What there is to know about the account."""
        text, person = self.words.text, self.person
        yield text("Name"), person.name
        yield text("E-mail address"), person.email
        yield text("Role"), text(_ROLES[Role(person.role)])
        if person.brands is not None:
            names = ", ".join(sorted(person.brands))
            yield text("Brands that you see"), names or text("None yet. Ask an admin.")

    @property
    def sessions(self) -> Iterator[SessionView]:
        """The sessions, last used first."""
        for one in self.shown:
            yield SessionView(
                browser=browser_of(one.browser) or self.words.text("Unknown browser"),
                address=one.address,
                used=self.words.text("last used {moment}", moment=self.words.moment(one.used_at)),
                is_this=one.session_id == self.this,
            )

    @property
    def sign_out_everywhere(self) -> str:
        """Where the form goes that ends every session."""
        return f"{self.up}account/sign-out-everywhere{asking(self.words)}"

    @property
    def change_password(self) -> str | None:
        """Where the new password goes; None for a person without one."""
        if self.person.password_hash is None:
            return None
        return f"{self.up}account/password{asking(self.words)}"

    @property
    def labels(self) -> dict[str, str]:
        """The page's own labels."""
        text = self.words.text
        return {
            "sessions": text("Where you are signed in"),
            "this": text("this browser"),
            "everywhere": text("Sign out everywhere"),
            "password": text("Change your password"),
            "current": text("Current password"),
            "new": text("New password"),
            "again": text("New password again"),
            "rule": rule(self.words),
            "change": text("Change"),
            "ends": text("A new password ends every other session."),
        }


def browser_of(agent: str) -> str | None:
    """A browser and its system, by what it calls itself; None if that says nothing."""
    browser = next((name for sign, name in _BROWSERS if re.search(rf"\b{sign}/", agent)), None)
    system = next((name for sign, name in _SYSTEMS if sign in agent), None)
    return " · ".join(name for name in (browser, system) if name) or None
