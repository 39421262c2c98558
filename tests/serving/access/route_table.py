"""What each route of the service requires, as it is meant to be."""

from typing import Any
from urllib.parse import quote

from fastapi.routing import APIRoute, iter_route_contexts

from serving.api.authorization import Requirement
from serving.app import create_app
from serving.settings import Settings


def routes() -> list[tuple[str, str, Requirement | None]]:
    """(method, path, requirement) of every route of ours."""
    found = []
    for context in iter_route_contexts(create_app(Settings(_env_file=None)).router.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            needed = [
                one.dependency
                for one in route.dependencies
                if isinstance(one.dependency, Requirement)
            ]
            assert context.path is not None
            requirement = needed[0] if needed else None
            found += [(method, context.path, requirement) for method in context.methods or ()]
    return found


ROUTES = routes()


def filled(path: str, values: dict[str, Any]) -> str:
    """A path with values for its parameters."""
    quoted = {name: quote(str(value), safe="") for name, value in values.items()}
    return path.replace(":path", "").format(**quoted)
