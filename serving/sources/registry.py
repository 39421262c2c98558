"""The types of source there are. Each module of `platforms/` registers its own.

To add a type, add a module there that calls `register`. Nothing else names it.
"""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from serving.sources import platforms
from serving.sources.quota import QuotaBudget
from serving.sources.source import Poller, Source, StreamReader, WebhookReceiver
from serving.sources.source_context import SourceContext
from serving.sources.spec import SourceSpec

S = TypeVar("S", bound=SourceSpec)


def _no_budget(_spec: Any) -> QuotaBudget | None:
    return None


@dataclass(frozen=True, slots=True)
class SourceType(Generic[S]):
    """A type of source.

    Attributes:
        name: what it is called in commands and the API, for example "youtube".
        title: what people call it, for example "YouTube".
        about: what it brings, in a sentence.
        source: its class, of one or more of the shapes.
        spec: its settings and their checks.
        build: makes a source from its settings and context; it connects to nothing yet. Libraries
            that take long to import are imported here or later.
        example: settings of a source that works, secrets too; for the documentation and the tests.
        platform: of its comments, for example "youtube"; None if each source says it with a
            setting `platform`.
        budget: what a source may spend by its settings; None without a bound.
        needs_kol: whether a source brings comments of one KOL and has to be given it.
        for_limited: whether whoever sees only some KOLs may add one; not if what it reads may hold
            what others must not see.
    """

    name: str
    title: str
    about: str
    source: type[Source]
    spec: type[S]
    build: Callable[[S, SourceContext], Source]
    example: Mapping[str, Any] = field(repr=False)
    platform: str | None = None
    budget: Callable[[S], QuotaBudget | None] = _no_budget
    needs_kol: bool = True
    for_limited: bool = True

    @property
    def shapes(self) -> tuple[str, ...]:
        """How its comments come: "webhook", "poll", "stream"."""
        named = {"webhook": WebhookReceiver, "poll": Poller, "stream": StreamReader}
        return tuple(name for name, shape in named.items() if issubclass(self.source, shape))

    def platform_of(self, spec: SourceSpec) -> str:
        """The platform of a source's comments."""
        return self.platform or str(getattr(spec, "platform"))  # noqa: B009 - not of every spec


_TYPES: dict[str, SourceType[Any]] = {}


def register(source_type: SourceType[S]) -> SourceType[S]:
    """Add a type to the table.

    Raises:
        ValueError: another type has that name, or it has no shape or no platform.
    """
    if source_type.name in _TYPES:
        raise ValueError(f"there are two types of source named {source_type.name!r}")
    if not source_type.shapes:
        raise ValueError(f"the source {source_type.name!r} has none of the three shapes")
    if source_type.platform is None and "platform" not in source_type.spec.model_fields:
        raise ValueError(f"the source {source_type.name!r} does not say its platform")
    _TYPES[source_type.name] = source_type
    return source_type


def unregister(name: str) -> None:
    """Take a type out of the table again; for tests."""
    _TYPES.pop(name, None)


def source_types() -> Mapping[str, SourceType[Any]]:
    """The types of source by name, in the order of their names."""
    _import_modules()
    return MappingProxyType(dict(sorted(_TYPES.items())))


@cache
def _import_modules() -> None:
    for module in pkgutil.iter_modules(platforms.__path__):
        import_module(f"{platforms.__name__}.{module.name}")
