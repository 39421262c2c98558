"""What comments that came late have shown, in words: when it happened, and when it was found."""

from monitoring.kinds import Reason
from serving.locales.wording import Wording
from serving.notify.notification import Notification
from serving.notify.render.times import moment, zoned

_OF_A_MOMENT = (Reason.ESCALATED, Reason.RESOLVED, Reason.AFTERSHOCK, Reason.REOPENED)


def found_late(notification: Notification, words: Wording) -> str | None:
    """When it happened and when it was found; None for what was raised as it happened.

    A revision says itself what it changes.
    """
    if notification.found_at is None or notification.reason == Reason.REVISED:
        return None
    found = zoned(notification.found_at, words)
    if notification.reason in _OF_A_MOMENT:
        return words.text(
            "Found late: this happened on {at} and was found on {found}, when more comments "
            "arrived.",
            at=moment(notification.at, words),
            found=found,
        )
    began = min(notification.opened_at, notification.evidence.incident_start)
    if notification.ended_at is None:
        return words.text(
            "Found late: it began on {began} and is not over. It was found on {found}, when more "
            "comments arrived.",
            began=moment(began, words),
            found=found,
        )
    return words.text(
        "Found late: it happened from {began} to {ended} and was found on {found}, when more "
        "comments arrived.",
        began=moment(began, words),
        ended=moment(notification.ended_at, words, after=began),
        found=found,
    )


def withdrawal(notification: Notification, words: Wording) -> str:
    """That an alert no longer holds."""
    count = notification.late_comments
    if count is None:
        why = words.text("Withdrawn: with the comments that came late, there was no incident.")
    else:
        why = words.plural(
            "Withdrawn: with {count} comment that came late, there was no incident.",
            "Withdrawn: with {count} comments that came late, there was no incident.",
            count,
        )
    opened = zoned(notification.opened_at, words)
    which = words.text("The alert of {opened} no longer holds.", opened=opened)
    return f"{why} {which}"
