"""The page of one's own account: sessions and password."""

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from serving.access.principal import Principal, PrincipalKind
from serving.access.scope import Scope
from serving.access.session_cookie import SESSION
from serving.access.sign_in import SignInRefused
from serving.api.authorization import Asking, requires
from serving.api.guarded_route import GuardedRoute
from serving.errors import Conflict, InvalidRequest, NotFound, RateLimited
from serving.locales.wording import Wording
from serving.service import Running, Service
from serving.storage.person_record import PersonRecord
from serving.web.account_page import AccountView
from serving.web.alert_page import asking
from serving.web.forms import read_form
from serving.web.pages import Words
from serving.web.sign_in_page import CHANGED, DIFFERENT, TOO_MANY, unfit
from serving.web.signed_in import signed_in
from serving.web.templates import page

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)


@router.get("/account", dependencies=[requires(Scope.READ)])
async def show_account(
    request: Request,
    service: Running,
    words: Words,
    principal: Asking,
    done: str | None = Query(None),
) -> Response:
    """Show the account of who is signed in."""
    said = words.text(CHANGED) if done == "password" else None
    return _account(request, service, words, principal, done=said)


@router.post("/account/password", dependencies=[requires(Scope.READ, audited=True)])
async def change_password(
    request: Request, service: Running, words: Words, principal: Asking
) -> Response:
    """Change the password. Every session ends, and a new one starts in this browser."""
    fields, person = await read_form(request), _person(service, principal)
    new, accounts = fields.get("new_password", ""), service.access.accounts
    try:
        if new != fields.get("again"):
            fault = words.text(DIFFERENT)
        else:
            person = await accounts.sign_in.replace_password(
                request, person.email, fields.get("password", ""), new
            )
            former = accounts.cookies.read(request, SESSION)
            value = await accounts.sign_in.start_session(request, person, "password", former)
            answer = RedirectResponse(f"../account{asking(words)}&done=password", 303)
            seconds = int(service.settings.session_lifetime)
            cookie = accounts.cookies.written(request, SESSION, value, seconds)
            answer.headers.append("Set-Cookie", cookie)
            return answer
    except SignInRefused:
        fault = words.text("Your password is wrong.")
    except (InvalidRequest, Conflict):
        fault = unfit(words)
    except RateLimited:
        fault = words.text(TOO_MANY)
    return _account(request, service, words, principal, fault=fault, up="../")


@router.post("/account/sign-out-everywhere", dependencies=[requires(Scope.READ, audited=True)])
async def sign_out_everywhere(
    request: Request, service: Running, words: Words, principal: Asking
) -> Response:
    """End every session of who is signed in, also this one."""
    accounts = service.access.accounts
    await accounts.sessions.end_all(_person(service, principal).person_id)
    answer = RedirectResponse(f"../sign-in{asking(words)}&done=everywhere", 303)
    answer.headers.append("Set-Cookie", accounts.cookies.written(request, SESSION, "", 0))
    return answer


def _person(service: Service, principal: Principal) -> PersonRecord:
    if principal.kind is not PrincipalKind.PERSON:
        raise NotFound("only people have an account; a key and open access have none")
    return service.access.accounts.people.get(principal.id)


def _account(
    request: Request,
    service: Service,
    words: Wording,
    principal: Principal,
    *,
    fault: str | None = None,
    done: str | None = None,
    up: str = "",
) -> Response:
    person = _person(service, principal)
    view = AccountView(
        person=person,
        shown=service.access.accounts.sessions.of_person(person.person_id),
        this=principal.session_id,
        words=words,
        fault=fault,
        done=done,
        up=up,
    )
    return page(
        "account.html",
        words,
        200 if fault is None else 422,
        view=view,
        signed_in=signed_in(request, principal, words),
    )
