"""A route that checks its requirement before it reads the request, and writes the audit log."""

from functools import partial
from typing import cast

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from serving.access.idempotency_keys import KeyedOperation
from serving.access.principal import Principal
from serving.api.authorization import Requirement
from serving.api.entity_tag import TaggedAnswer
from serving.errors import Forbidden, Unauthenticated
from serving.service import Service


class GuardedRoute(APIRoute):
    """As `APIRoute`, but FastAPI reads and parses a body before it asks any dependency.

    What changes something is written to the audit log before it is carried out, and completed
    before the answer is sent. A repeat with the same idempotency key changes nothing, and is not
    written. Answers get an ETag.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the principal, then answer the request."""
        requirement = next(
            (
                one.dependency
                for one in self.dependencies
                if isinstance(one.dependency, Requirement)
            ),
            None,
        )
        if requirement is None or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        service: Service = cast("FastAPI", scope["app"]).state.service
        principal: Principal | None = scope.get("state", {}).get("principal")
        if principal is None:
            raise Unauthenticated("this needs a key; docs/access.md says how to get one")
        connection = HTTPConnection(scope)
        try:
            requirement(principal)
        except Forbidden as error:
            await service.access.refusals.forbidden(connection, principal, self.name, str(error))
            raise
        carry_out = partial(self._audited if requirement.audited else super().handle, scope)
        if (repeats := requirement.repeats) is not None:
            operation = KeyedOperation(self.name, repeats.remedy, repeats.secret)
            if await service.access.idempotency.once(
                principal, operation, carry_out, scope, receive, send
            ):
                return
        await carry_out(receive, TaggedAnswer(scope, send, self.response_model).send)

    async def _audited(self, scope: Scope, receive: Receive, send: Send) -> None:
        service: Service = cast("FastAPI", scope["app"]).state.service
        audit_log = service.access.audit_log
        principal: Principal = scope["state"]["principal"]
        note = await audit_log.begin(HTTPConnection(scope), principal, self.name)
        scope["state"]["audit_note"] = note

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                await audit_log.complete(note, message["status"])
            await send(message)

        try:
            await super().handle(scope, receive, complete)
        except Exception:
            await audit_log.complete(note, None)
            raise
