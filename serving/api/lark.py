"""What Lark calls when somebody presses a button of a card. Not part of the API for others."""

from typing import Any

from fastapi import APIRouter, Request

from serving.access.audit_log import AuditNote
from serving.access.principal import Principal, PrincipalKind
from serving.access.scope import Scope
from serving.api.actions import carry_out
from serving.api.alert_schemas import ActionIn
from serving.delivery_state import DeliveryState
from serving.errors import NotFound, Unauthenticated
from serving.locales.wording import Wording, msg, wording
from serving.notify.lark_callback import ButtonPress, Challenge, NotFromLark
from serving.notify.render import lark
from serving.notify.render.content import write
from serving.notify.stages.send import notification_of
from serving.service import Running, Service
from serving.storage.delivery_record import Delivery
from serving.storage.delivery_store import DeliveryFilter
from serving.triage.actions import ActionKind

router = APIRouter(include_in_schema=False)
_ACTION = "lark_callback"
_LONGEST_ACTOR = 100  # characters
_RECENT = 20  # deliveries of an alert that are looked at
_ACKNOWLEDGED = msg("The alert is acknowledged.")
_ALREADY = msg("The alert was acknowledged before.")
_UNKNOWN = msg("There is no such alert in this chat.")
_MADE_UP = msg("This is a test message with a made-up alert. Nothing has happened.")


@router.post("/lark/callback")
async def lark_callback(request: Request, service: Running) -> dict[str, Any]:
    """Verify the request, acknowledge the alert, and answer with the card as it is then."""
    if not service.lark_callbacks.expected:
        raise NotFound("no channel has buttons that call back; docs/notifications.md has the steps")
    try:
        read = service.lark_callbacks.read(
            request.headers, await request.body(), service.clock.now()
        )
    except NotFromLark as error:
        await service.access.refusals.bad_credentials(request, _ACTION, {"why": str(error)})
        raise Unauthenticated(f"this is no callback of Lark that can be trusted: {error}") from None
    if isinstance(read, Challenge):
        return {"challenge": read.text}
    return await _pressed(request, service, read)


async def _pressed(request: Request, service: Service, press: ButtonPress) -> dict[str, Any]:
    configured = service.notification_config.channels
    if press.alert_id == "test" and press.channels:
        words = configured[press.channels[0]].spec.wording
        return _toast("info", words.text(_MADE_UP))
    for channel in press.channels:
        delivery = await _notified(service, channel, press.alert_id)
        if delivery is not None:
            words = configured[channel].spec.wording
            return await _acknowledge(request, service, press, delivery, words)
    words = configured[press.channels[0]].spec.wording if press.channels else wording()
    return _toast("error", words.text(_UNKNOWN))


async def _notified(service: Service, channel: str, alert_id: str) -> Delivery | None:
    """The latest message about an alert that a channel was sent; None if it was sent none.

    So a card can acknowledge only what its chat may know, whatever alert it names.
    """
    wanted = DeliveryFilter(channel=channel, alert_id=alert_id)
    found = await service.deliveries.page(wanted, before=None, limit=_RECENT)
    return next((one for one in found if one.state is not DeliveryState.SKIPPED), None)


async def _acknowledge(
    request: Request, service: Service, press: ButtonPress, delivery: Delivery, words: Wording
) -> dict[str, Any]:
    suffix = f" (Lark, {delivery.channel})"
    actor = f"{press.open_id[: _LONGEST_ACTOR - len(suffix)]}{suffix}"
    principal = Principal(PrincipalKind.CHAT, press.open_id, actor, frozenset({Scope.ACT}))
    audit_log = service.access.audit_log
    note: AuditNote = await audit_log.begin(request, principal, _ACTION)
    wanted = ActionIn.model_validate({"action": ActionKind.ACKNOWLEDGE})
    try:
        action = await carry_out(service, press.alert_id, wanted, principal, note)
    except NotFound:
        await audit_log.complete(note, 404)
        return _toast("error", words.text(_UNKNOWN))
    except Exception:
        await audit_log.complete(note, None)
        raise
    await audit_log.complete(note, 200)
    said = words.text(_ALREADY if action is None else _ACKNOWLEDGED)
    notification = notification_of(delivery, service.settings.public_url, {}, {})
    card = lark.render(write([notification], words), status=f"{said} {actor}" if action else said)
    answer = _toast("success" if action else "info", said)
    return {**answer, "card": {"type": "raw", "data": card}}


def _toast(kind: str, text: str) -> dict[str, Any]:
    return {"toast": {"type": kind, "content": text}}
