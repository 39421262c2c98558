"""The page of an alert, to which notifications link, and its form."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Cookie, Depends, Header, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from serving.access.principal import Principal, PrincipalKind
from serving.access.scope import Scope
from serving.api.actions import carry_out
from serving.api.alert_schemas import ActionIn
from serving.api.authorization import Asking, Audited, requires
from serving.api.guarded_route import GuardedRoute
from serving.errors import InvalidRequest, NotFound
from serving.locales.wording import SOURCE, Wording, languages, wording
from serving.service import Running
from serving.web.alert_page import SNOOZES, asking, describe
from serving.web.forms import read_form
from serving.web.signed_in import signed_in
from serving.web.templates import page

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)
_ACTOR = "groundswell_actor"  # cookie that remembers the person's name
_KEPT = 180 * 24 * 3600  # seconds


def _words(
    language: Annotated[str | None, Query()] = None,
    timezone: Annotated[str, Query()] = "UTC",
    accept_language: Annotated[str, Header()] = "",
) -> Wording:
    """The language of the link, or of the browser; never an error."""
    chosen = language if language in languages() else preferred(accept_language)
    try:
        return wording(chosen, timezone)
    except ValueError:
        return wording(chosen)


Words = Annotated[Wording, Depends(_words)]


def preferred(accepted: str) -> str:
    """The available language that an `Accept-Language` header prefers; English if none.

    Among equals the first counts; RFC 9110, 12.5.4 leaves that open.
    """
    best, found = 0.0, SOURCE
    for part in accepted.split(","):
        tag, _, weight = part.partition(";q=")
        try:
            liked = float(weight) if weight else 1.0
        except ValueError:
            continue
        code = tag.strip().lower().split("-")[0]
        if liked > best and code in languages():
            best, found = liked, code
    return found


@router.get("/alerts/{alert_id}", dependencies=[requires(Scope.READ)])
async def show_alert(
    alert_id: str,
    request: Request,
    service: Running,
    words: Words,
    principal: Asking,
    action: Annotated[str | None, Query()] = None,
    groundswell_actor: Annotated[str, Cookie()] = "",
) -> Response:
    """Show an alert. `action` puts the form first; only the form carries the action out."""
    return await _alert(
        alert_id, request, service, words, principal, asked=action, actor=unquote(groundswell_actor)
    )


@router.post("/alerts/{alert_id}", dependencies=[requires(Scope.ACT)])
async def apply_form(
    alert_id: str,
    request: Request,
    service: Running,
    words: Words,
    principal: Asking,
    note: Audited,
) -> Response:
    """Carry out the action of the form, then show the alert."""
    fields = await read_form(request)
    try:
        body = _action_in(fields, service, principal)
        await carry_out(service, alert_id, body, principal, note)
    except NotFound:
        return _missing(words)
    except (ValidationError, InvalidRequest) as error:
        return await _alert(
            alert_id,
            request,
            service,
            words,
            principal,
            asked=fields.get("action"),
            actor=fields.get("actor", ""),
            remark=fields.get("text", ""),
            fault=_fault(error, words),
        )
    # A relative path: a proxy may add a prefix.
    answer = RedirectResponse(f"{quote(alert_id, safe='')}{asking(words)}", 303)
    if body.actor is not None:
        answer.set_cookie(_ACTOR, quote(body.actor), _KEPT, httponly=True, samesite="lax")
    return answer


async def _alert(
    alert_id: str,
    request: Request,
    service: Running,
    words: Wording,
    principal: Principal,
    *,
    asked: str | None,
    actor: str,
    remark: str = "",
    fault: str | None = None,
) -> Response:
    try:
        alert, events = await service.alerts.get(alert_id, principal.kols)
    except NotFound:
        return _missing(words)
    now = service.clock.now()
    (alert_status,) = await service.alerts.alert_statuses([alert], now)
    actions = await service.actions.of(alert_id)
    kol = await service.kols.get(alert.kol_id)
    shown = describe(
        alert,
        events,
        actions,
        alert_status,
        kol_name=kol.profile.name,
        post_names=await service.post_names.of(
            ((one.kol_id, one.evidence) for one in events), principal.kols
        ),
        late_sources=await service.delays.late_sources(alert_id, now),
        asked=asked,
        words=words,
    )
    return page(
        "alert.html",
        words,
        200 if fault is None else 422,
        page=shown,
        actor=actor,
        remark=remark,
        fault=fault,
        action=asking(words),
        can_respond=principal.may(Scope.ACT),
        signed_in=signed_in(request, principal, words),
    )


def _action_in(fields: dict[str, str], service: Running, principal: Principal) -> ActionIn:
    if principal.kind is PrincipalKind.LOCAL and "actor" not in fields:
        raise InvalidRequest("invalid_parameter", "enter your name", field="actor")
    given = {name: fields.get(name) for name in ("action", "actor", "text")}
    until = None
    if given["action"] == "snooze" and fields.get("hours", "") in [str(hours) for hours in SNOOZES]:
        until = service.clock.now() + timedelta(hours=int(fields["hours"]))
    return ActionIn.model_validate(given | {"until": until})


def _fault(error: ValidationError | InvalidRequest, words: Wording) -> str:
    """What to correct, in the reader's language."""
    field = error.field if isinstance(error, InvalidRequest) else error.errors()[0]["loc"][0]
    if field == "actor":
        return words.text("Enter your name (at most 100 characters).")
    if field == "text":
        return words.text("Write a note (at most 2,000 characters).")
    return words.text("This action is not possible. Use one of the buttons.")


def _missing(words: Wording) -> Response:
    why = words.text("This alert does not exist. Alerts in test messages are made up.")
    return page("message.html", words, 404, message=why)
