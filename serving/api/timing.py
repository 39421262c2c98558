"""Measures the time from every request to the first byte of its response."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.metrics import Metrics


class RequestTiming:
    """ASGI middleware. The label is the route's template, so ids never become labels."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and observe its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = perf_counter()

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "_none")
                labels = (scope["method"], route, str(message["status"]))
                self._metrics.requests.labels(*labels).observe(perf_counter() - start)
            await send(message)

        await self._app(scope, receive, observe)
