"""The pages on which people sign in: with a password, or at the OpenID provider."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from serving.access.oidc_flow import SECONDS
from serving.access.oidc_provider import ProviderFailed
from serving.access.own_path import own_path, relative
from serving.access.scope import Scope
from serving.access.session_cookie import SESSION, SIGN_IN
from serving.access.sign_in import PasswordToReplace, SignInRefused
from serving.api.authorization import Asking, requires
from serving.api.guarded_route import GuardedRoute
from serving.errors import Conflict, InvalidRequest, NotFound, RateLimited
from serving.locales.wording import Wording
from serving.service import Running, Service
from serving.storage.person_record import PersonRecord
from serving.web.alert_page import asking
from serving.web.forms import read_form
from serving.web.pages import Words
from serving.web.sign_in_page import (
    DIFFERENT,
    EVERYWHERE,
    LATE,
    NOT_TRUSTED,
    SIGNED_OUT,
    TOO_MANY,
    UNREACHABLE,
    SignInView,
    provider_of,
    unfit,
)
from serving.web.templates import page

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)
_HOME = "/account"
_log = structlog.get_logger(__name__)
Next = Annotated[str | None, Query(alias="next")]


@router.get("/sign-in")
async def show_sign_in(
    service: Running,
    words: Words,
    next_path: Next = None,
    done: Annotated[str | None, Query()] = None,
) -> Response:
    """Show the form."""
    if service.settings.access == "open":
        why = words.text("Access to this service is open: nobody needs to sign in.")
        return page("message.html", words, message=why)
    messages = {"sign-out": SIGNED_OUT, "everywhere": EVERYWHERE}
    said = words.text(messages[done]) if done in messages else None
    return _form(service, words, own_path(next_path), done=said)


@router.post("/sign-in")
async def sign_in(request: Request, service: Running, words: Words) -> Response:
    """Sign in with a password, and go on to where the form says."""
    fields = await read_form(request)
    email, next_path = fields.get("email", ""), own_path(fields.get("next"))
    try:
        person = await service.access.accounts.sign_in.with_password(
            request, email, fields.get("password", "")
        )
        return await _signed_in(request, service, person, "password", next_path)
    except PasswordToReplace:
        return _replacement(words, email, next_path, action="sign-in/password")
    except SignInRefused as error:
        fault = words.text(str(error))
        return _form(service, words, next_path, email=email, fault=fault, status=401)
    except RateLimited as error:
        return _limited(service, words, next_path, email, error)


@router.post("/sign-in/password")
async def replace_password(request: Request, service: Running, words: Words) -> Response:
    """Replace a password that somebody else knows, and sign in."""
    fields = await read_form(request)
    email, next_path = fields.get("email", ""), own_path(fields.get("next"))
    new, fault = fields.get("new_password", ""), None
    try:
        if new != fields.get("again"):
            fault = words.text(DIFFERENT)
        else:
            person = await service.access.accounts.sign_in.replace_password(
                request, email, fields.get("password", ""), new
            )
            return await _signed_in(request, service, person, "password", next_path)
    except SignInRefused as error:
        fault = words.text(str(error))
    except (InvalidRequest, Conflict):
        fault = unfit(words)
    except RateLimited:
        fault = words.text(TOO_MANY)
    return _replacement(words, email, next_path, action="password", fault=fault)


@router.get("/sign-in/provider")
async def begin_at_provider(
    request: Request, service: Running, words: Words, next_path: Next = None
) -> Response:
    """Send the browser to the OpenID provider."""
    accounts, back = service.access.accounts, own_path(next_path)
    if accounts.provider is None:
        raise NotFound("there is no OpenID provider; GROUNDSWELL_OIDC_ISSUER names one")
    try:
        accounts.sign_in.admit(request)
        value, flow = accounts.flows.begin(back or _HOME)
        address = await accounts.provider.address(flow, words.language)
    except RateLimited as error:
        return _limited(service, words, back, "", error, up="../")
    except ProviderFailed as error:
        _log.error("sign_in_provider_failed", error=str(error))
        return _form(service, words, back, fault=words.text(UNREACHABLE), status=503, up="../")
    answer = RedirectResponse(address, 303)
    cookie = accounts.cookies.written(request, SIGN_IN, value, SECONDS)
    answer.headers.append("Set-Cookie", cookie)
    return answer


@router.get("/sign-in/callback")
async def finish_at_provider(request: Request, service: Running, words: Words) -> Response:
    """Take the provider's answer, and go on to where the browser was going."""
    accounts = service.access.accounts
    if accounts.provider is None:
        raise NotFound("there is no OpenID provider; GROUNDSWELL_OIDC_ISSUER names one")
    try:
        flow = accounts.flows.take(accounts.cookies.read(request, SIGN_IN))
        if flow is None:
            return _form(service, words, None, fault=words.text(LATE), status=401, up="../")
        identity = await accounts.provider.identity(flow, request.query_params)
        person = await accounts.sign_in.with_identity(request, identity)
        answer = await _signed_in(request, service, person, "oidc", flow.next_path)
    except ProviderFailed as error:
        _log.warning("sign_in_answer_refused", error=str(error))
        await accounts.sign_in.refuse(request, str(error))
        return _form(service, words, None, fault=words.text(NOT_TRUSTED), status=401, up="../")
    except SignInRefused as error:
        return _form(service, words, None, fault=words.text(str(error)), status=401, up="../")
    except RateLimited as error:
        return _limited(service, words, None, "", error, up="../")
    answer.headers.append("Set-Cookie", accounts.cookies.written(request, SIGN_IN, "", 0))
    return answer


@router.post("/sign-out", dependencies=[requires(Scope.READ, audited=True)])
async def sign_out(request: Request, service: Running, words: Words, principal: Asking) -> Response:
    """End the session."""
    accounts = service.access.accounts
    if principal.session_id is not None:
        await accounts.sessions.end(principal.session_id)
    answer = RedirectResponse(f"./sign-in{asking(words)}&done=sign-out", 303)
    answer.headers.append("Set-Cookie", accounts.cookies.written(request, SESSION, "", 0))
    return answer


async def _signed_in(
    request: Request, service: Service, person: PersonRecord, method: str, next_path: str | None
) -> Response:
    accounts = service.access.accounts
    former = accounts.cookies.read(request, SESSION)
    value = await accounts.sign_in.start_session(request, person, method, former)
    answer = RedirectResponse(relative(next_path or _HOME, seen_from=request.url.path), 303)
    seconds = int(service.settings.session_lifetime)
    answer.headers.append("Set-Cookie", accounts.cookies.written(request, SESSION, value, seconds))
    return answer


def _form(
    service: Service,
    words: Wording,
    next_path: str | None,
    *,
    email: str = "",
    fault: str | None = None,
    done: str | None = None,
    status: int = 200,
    up: str = "",
) -> Response:
    provider, name = provider_of(
        service.settings, words, next_path or "", prefix="" if up else "sign-in/"
    )
    view = SignInView(
        words=words,
        action=f"{up}sign-in{asking(words)}",
        next_path=next_path or "",
        email=email,
        fault=fault,
        done=done,
        provider=provider,
        provider_name=name,
    )
    return page("sign_in.html", words, status, view=view)


def _replacement(
    words: Wording, email: str, next_path: str | None, *, action: str, fault: str | None = None
) -> Response:
    view = SignInView(
        words=words,
        action=f"{action}{asking(words)}",
        next_path=next_path or "",
        email=email,
        fault=fault,
        replaces=True,
    )
    return page("new_password.html", words, 200 if fault is None else 422, view=view)


def _limited(
    service: Service,
    words: Wording,
    next_path: str | None,
    email: str,
    error: RateLimited,
    *,
    up: str = "",
) -> Response:
    fault = words.text(TOO_MANY)
    answer = _form(service, words, next_path, email=email, fault=fault, status=429, up=up)
    answer.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return answer
