"""One request, sent and answered.

A redirect is never followed by itself: it is an answer like others, and may only lead to hosts that are
allowed. Proxies of the environment are not used. An answer has a deadline and a largest size, and is not
unpacked, so that no server can hold a run up or fill its memory.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError, TimeoutError

from fooling.classifiers.sources.http.secrets import filled
from fooling.classifiers.sources.http.spec import RequestTable
from fooling.errors import InvalidError

MAX_BYTES = 8 * 2**20
_PIECE = 2**16
_FOLLOWED = (307, 308)  # which keep the method and the body


class TransportError(Exception):
    """A request that got no whole answer: another may."""


@dataclass(frozen=True)
class Reply:
    """An answer of whatever status.

    Attributes:
        retry_after: seconds that the server asks to wait; None where it does not.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        given = self.headers.get("retry-after", "").strip()
        if given.isdecimal():
            return float(given)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - time.time())
        except (ValueError, OverflowError, TypeError):
            return None


class Transport:
    """Sends requests, from several threads at once, over connections that are kept."""

    def __init__(self, table: RequestTable, timeout: float, connections: int) -> None:
        self._table, self._timeout = table, timeout
        self._pool = urllib3.PoolManager(maxsize=connections)

    def post(self, url: str, body: bytes, content_type: str) -> Reply:
        """
        Raises:
            TransportError: no connection, no whole answer in time, or one that is too large.
            InvalidError: no trust in the server's certificate, or a secret that is not there.
        """
        deadline = time.monotonic() + self._timeout
        try:
            response = self._pool.request(
                "POST",
                url,
                body=body,
                headers={
                    "Content-Type": content_type,
                    "Accept-Encoding": "identity",
                    **filled(self._table.headers),
                },
                timeout=urllib3.Timeout(total=self._timeout),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            return Reply(response.status, dict(_lower(response.headers)), _read(response, deadline))
        except SSLError as error:
            raise InvalidError(f"expected a certificate that this machine trusts: {_brief(error)}") from None
        except NewConnectionError as error:  # to urllib3, a kind of TimeoutError
            raise TransportError(_brief(error)) from None
        except TimeoutError:
            raise TransportError(f"no answer within {self._timeout:g} s") from None
        except (HTTPError, OSError) as error:
            raise TransportError(_brief(error)) from None

    def redirected(self, url: str, reply: Reply) -> str | None:
        """Where a redirect leads; None where the reply is none.

        Raises:
            InvalidError: to a host that is not allowed, or with another method.
        """
        if not 300 <= reply.status < 400:
            return None
        target = urljoin(url, reply.headers.get("location", ""))
        if reply.status not in _FOLLOWED:
            raise InvalidError(f"expected an answer, found a redirect ({reply.status}) to {target}")
        try:
            self._table.require_allowed(target)
        except ValueError as error:
            raise InvalidError(f"a redirect was refused: {error} (request.hosts)") from None
        return target


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """The whole body. A connection that was not read to its end is closed, else kept."""
    parts, size = [], 0
    try:
        while part := response.read1(_PIECE):
            parts.append(part)
            size += len(part)
            if size > MAX_BYTES:
                raise TransportError(f"expected an answer of at most {MAX_BYTES} bytes, found more")
            if time.monotonic() > deadline:
                raise TransportError("the answer did not end in time")
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return b"".join(parts)


def _lower(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers.items()]


def _brief(error: Exception) -> str:
    """An error in a few words, without the objects that urllib3 names."""
    text = str(error).rpartition("object at 0x")[2].partition(": ")[2] or str(error)
    return f"{type(error).__name__}: {text}"[:160]
