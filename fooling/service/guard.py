"""What every request goes through before it is routed, so that no route can forget it.

In this order: the address that the client believes to talk to (`Host`, against DNS rebinding), the path, the method,
where a browser's request comes from (`Origin`, `Sec-Fetch-Site`), who asks, whether anything may be changed, the body.
Every response gets the same headers, and every failure is a problem (`fooling.service.problems`), for a browser a page
that says the same.

What it is for, attack by attack, is told in docs/service.md.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fooling.errors import InvalidError
from fooling.service.auth import Access
from fooling.service.problems import ProblemError
from fooling.service.refusals import refusal
from fooling.service.settings import ServiceSettings, is_any
from fooling.text import plain
from fooling.untrusted import parse_json

log = logging.getLogger("fooling.service")
SAFE = frozenset({"GET", "HEAD"})
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# What says nothing about the runs, and has to be asked by whoever has no token (yet).
OPEN = frozenset({"/healthz", "/readyz", "/api/v1/healthz", "/api/v1/readyz", "/login"})
# Styles and scripts, the same for everybody: a page that asks to log in needs them.
OPEN_BELOW = "/assets/"
# What a server that is open to readers keeps from them all the same: a manifest names files of its machine.
CLOSED = ("/metrics", "/export")
CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
# Encoded separators, zero characters and parents have no place in an id, and are no path either.
_BAD_RAW = (b"%2f", b"%5c", b"%00", b"\\", b"//")

Observe = Callable[[Scope, int, float], None]


class Guard:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings, access: Access, observe: Observe) -> None:
        """`observe` is called after each request with its scope, the status and the seconds that it took."""
        self._app, self._settings, self._access, self._observe = app, settings, access, observe
        self._hosts, self._origins = settings.hosts, settings.origins
        self._writes = Allowance(settings.limits.writes, settings.limits.writes_per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:  # there are no web sockets here
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.monotonic(), 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            receive = await self._checked(scope, receive)
            await self._app(scope, receive, guarded)
        except ProblemError as problem:
            await _refuse(guarded, problem, scope)
        except Exception as error:
            log.error("%s: %s", type(error).__name__, plain(error), exc_info=log.isEnabledFor(logging.DEBUG))
            if status == 0:
                await _refuse(guarded, ProblemError(500, "the server met a defect; its log says more"), scope)
        finally:
            self._observe(scope, status, time.monotonic() - began)

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        """Refuse the request, or give its body to be read again.

        Raises:
            ProblemError: it is refused.
        """
        headers = Headers(scope=scope)
        method, path = scope["method"], scope["path"]
        self._check_host(scope, headers)
        _check_path(scope)
        if method not in SAFE | UNSAFE:
            raise ProblemError(
                405, f"expected GET, POST or DELETE, found {method[:20]}", {"allow": "GET, POST, DELETE"}
            )
        self._check_site(method, headers)
        if path not in OPEN and not path.startswith(OPEN_BELOW):
            self._check_person(method, path, headers)
        if method in SAFE:
            return receive
        if self._settings.read_only:
            raise ProblemError(403, "this server only shows: it was started with --read-only")
        if (wait := self._writes.wait()) > 0:
            raise ProblemError(429, "too many requests; wait a little", {"retry-after": str(int(wait) + 1)})
        return await self._read_body(headers, receive)

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        """A name that some other site's DNS points here is none of ours."""
        found = [value.lower() for value in headers.getlist("host")]
        if len(found) == 1 and (found[0] in self._hosts or found[0] == self._address(scope)):
            return
        raise ProblemError(421, "this server does not answer to that Host; see --public")

    def _address(self, scope: Scope) -> str:
        """Where the service listens on every address: the one that this connection came to. No name, which a DNS server
        could point here."""
        host, port = scope.get("server") or ("", None)
        if not is_any(self._settings.host) or not host or is_any(host):
            return ""
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _check_site(self, method: str, headers: Headers) -> None:
        """What a page of another site makes a browser send is refused, whatever it holds."""
        site, origin = headers.get("sec-fetch-site", "none"), headers.get("origin")
        if method in SAFE:
            # A link from elsewhere may lead here (the browser keeps its cookie back); no other site may load parts.
            if site not in ("same-origin", "none") and headers.get("sec-fetch-mode") != "navigate":
                raise ProblemError(
                    403, "expected a request of this site, found one of another (Sec-Fetch-Site)"
                )
            return
        if site not in ("same-origin", "none"):
            raise ProblemError(403, "expected a request of this site, found one of another (Sec-Fetch-Site)")
        if origin is not None and not self._is_ours(origin, headers):
            raise ProblemError(403, "expected a request of this site, found one of another (Origin)")

    def _is_ours(self, origin: str, headers: Headers) -> bool:
        return origin in self._origins or (
            headers["host"].lower() not in self._hosts and origin == f"http://{headers['host'].lower()}"
        )

    def _check_person(self, method: str, path: str, headers: Headers) -> None:
        """Whoever asks knows the token, or has a cookie; a browser says where a change comes from."""
        if method in SAFE and self._settings.open_to_readers and not path.endswith(CLOSED):
            return
        if (given := headers.get("authorization")) is not None:
            if self._access.knows(given):
                return
            raise self._unknown("that is not the token")
        if (cookie := _cookie(headers, self._access.cookie)) is None:
            raise self._unknown("expected `Authorization: Bearer TOKEN`, or the cookie of a login")
        if not self._access.holds(cookie):
            raise self._unknown("the login is no longer valid; open a new login link")
        if method not in SAFE and headers.get("origin") is None:
            raise ProblemError(403, "expected an Origin with a cookie, found none")

    def _unknown(self, detail: str) -> ProblemError:
        if self._access.beleaguered:
            return ProblemError(429, "too many wrong tokens; wait a minute", {"retry-after": "60"})
        return ProblemError(401, detail, {"www-authenticate": "Bearer"})

    async def _read_body(self, headers: Headers, receive: Receive) -> Receive:
        """The body, whole, small, in time and JSON; or nothing."""
        limits, kind = self._settings.limits, headers.get("content-type")
        too_large = ProblemError(413, f"expected a body of at most {limits.body:,} bytes")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdecimal():
            raise ProblemError(400, "expected a number as Content-Length")
        if int(length[:20]) > limits.body:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ProblemError(400, "the connection ended before the body did")
                    body += message.get("body", b"")
                    if len(body) > limits.body:
                        raise too_large
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            raise ProblemError(408, f"expected the body within {limits.body_seconds:g} seconds") from None
        _check_json(bytes(body), kind, headers.get("content-encoding"))
        return _replay(bytes(body), receive)


class Allowance:
    """A number of things that may happen at once, and come back with time. May be used from any thread."""

    def __init__(self, size: int, per_second: float, now: Callable[[], float] = time.monotonic) -> None:
        self._size, self._per_second, self._now = float(size), per_second, now
        self._left, self._seen = self._size, now()
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Take one; or the seconds to wait until there is one again."""
        with self._lock:
            moment = self._now()
            self._left = min(self._size, self._left + (moment - self._seen) * self._per_second)
            self._seen = moment
            if self._left < 1:
                return (1 - self._left) / self._per_second
            self._left -= 1
            return 0.0


def _check_path(scope: Scope) -> None:
    raw, path = scope.get("raw_path") or b"", scope["path"]
    if (
        any(part in raw.lower() for part in _BAD_RAW)
        or any(part in (".", "..") for part in path.split("/"))
        or plain(path) != path
        or "\\" in path
    ):
        raise ProblemError(404, "there is nothing here")


def _check_json(body: bytes, kind: str | None, encoding: str | None) -> None:
    if encoding not in (None, "identity"):
        raise ProblemError(415, "expected a body as it is, without Content-Encoding")
    if kind is None and not body:
        return
    media, _, parameter = (kind or "").partition(";")
    charset = parameter.strip().lower().replace('"', "")
    if media.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise ProblemError(415, "expected Content-Type: application/json")
    if body:
        try:
            parse_json(body, "the body")
        except InvalidError as error:
            raise ProblemError(400, str(error)) from None


def _replay(body: bytes, receive: Receive) -> Receive:
    """What was read, once more; then whatever comes."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _cookie(headers: Headers, name: str) -> str | None:
    """The value of a cookie; None where there is none, or more than one of that name."""
    pairs = [part.strip().partition("=") for line in headers.getlist("cookie") for part in line.split(";")]
    values = [value for found, _, value in pairs if found == name]
    return values[0] if len(values) == 1 else None


async def _refuse(send: Callable[[Message], Awaitable[None]], problem: ProblemError, scope: Scope) -> None:
    body, kind = refusal(problem.status, problem.detail, scope["path"], Headers(scope=scope).get("accept"))
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def access_line(scope: Scope, status: int, seconds: float) -> str:
    """A line of the access log: no query, which may hold a login, and no header."""
    return json.dumps(
        {
            "method": plain(scope["method"])[:20],
            "path": plain(scope["path"])[:200],
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
    )
