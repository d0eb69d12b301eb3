"""The API from Python: the models of the server, filled by its answers.

    from fooling.service.client import Client

    client = Client("http://127.0.0.1:8000", token)
    job = client.launch("mnist-cppn", seed=3, set={"search.generations": 60})
    for event in client.events(job.id):
        show(event.kind, event.data)
    run = client.run(job.id)

It needs nothing but Python's own HTTP client, follows no redirect, and asks no proxy.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, TypeAdapter, ValidationError

from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.service.jobs.models import ENDED
from fooling.service.questions import StudyRequest
from fooling.service.schema import (
    Configs,
    Elite,
    Elites,
    Job,
    Jobs,
    Lineage,
    Models,
    Run,
    RunRequest,
    Study,
)
from fooling.text import plain
from fooling.untrusted import parse_json, parse_model

M = TypeVar("M", bound=BaseModel)
_PREFIX = "/api/v1"
_LONGEST = 2**26  # bytes of an answer
_LONGEST_LINE = 2**25  # bytes of a line of an event stream
_STUDY: TypeAdapter[Any] = TypeAdapter(StudyRequest)


class ServerError(FoolingError):
    """The server refused, or could not be reached.

    Attributes:
        status: of its answer; 0 where there was none.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Event:
    """What a run's stream tells.

    Attributes:
        kind: as in the run's log, such as "generation"; "state" where the job's state has changed.
        data: see docs/run-directory.md and docs/service.md.
        id: where it is; "" of a `state`.
    """

    kind: str
    data: dict[str, Any]
    id: str = ""


class Client:
    """Talks to one server. Each request has a connection of its own, so it may be used from any thread."""

    def __init__(self, url: str, token: str = "", timeout: float = 60.0) -> None:
        """
        Args:
            url: of the server, like "http://127.0.0.1:8000".
            token: as in the file that the server names at its start; "" for a server that is open to readers.
            timeout: seconds that an answer may take to begin, and to go on.

        Raises:
            InvalidError: that is no address of a server.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise InvalidError(
                f"expected the address of a server, like http://127.0.0.1:8000, found {plain(url)}"
            )
        if not token.isascii() or not token.isprintable():
            raise InvalidError("expected a token of printable ASCII characters")
        self.url = url.rstrip("/")
        self._parts, self._port, self._token, self._timeout = parts, port, token, timeout

    def launch(
        self,
        config: str | None = None,
        *,
        model: str | None = None,
        seed: int | None = None,
        set: Mapping[str, Any] | None = None,
        label: str = "",
        key: str | None = None,
    ) -> Job:
        """Launch a run.

        Args:
            config: the name of a ready-made config.
            set: settings by dotted key.
            key: the same key and request give the same run, however often it is sent.

        Raises:
            ServerError: refused; InvalidError: no request at all.
        """
        try:
            request = RunRequest(config=config, model=model, seed=seed, set=dict(set or {}), label=label)
        except ValidationError as error:
            raise InvalidError(f"the request: {error.errors()[0]['msg']}") from None
        return self._post("/runs", Job, request.model_dump(mode="json", exclude_none=True), key)

    def ask(self, study: Mapping[str, Any], key: str | None = None) -> Job:
        """Ask a question of runs: `{"kind": "transfer", "runs": [...], "to": [...]}`."""
        try:
            request: BaseModel = _STUDY.validate_python(dict(study))
        except ValidationError as error:
            raise InvalidError(f"the request: {error.errors()[0]['msg']}") from None
        return self._post("/studies", Job, request.model_dump(mode="json", exclude_none=True), key)

    def run(self, id: str) -> Run:
        """A run, and what it has found."""
        return self._get(f"/runs/{_part(id)}", Run)

    def study(self, id: str) -> Study:
        """A study, and what it has found."""
        return self._get(f"/studies/{_part(id)}", Study)

    def runs(self, **filters: str | int) -> Iterator[Job]:
        """All runs, newest first; filters as `GET /runs` has them."""
        for page in self._pages("/runs", Jobs, filters):
            yield from page.items

    def studies(self, **filters: str | int) -> Iterator[Job]:
        """All studies, newest first."""
        for page in self._pages("/studies", Jobs, filters):
            yield from page.items

    def elites(self, id: str, **filters: str | int | float) -> Iterator[Elite]:
        """The elites of a run; filters as `GET /runs/{id}/elites` has them."""
        for page in self._pages(f"/runs/{_part(id)}/elites", Elites, filters):
            yield from page.items

    def png(self, id: str, number: int, size: int | None = None) -> bytes:
        """The PNG of a class's elite: exactly the pixels that were classified, or drawn at another size."""
        query = {} if size is None else {"size": size}
        return self._bytes("GET", f"/runs/{_part(id)}/elites/{number:d}.png", query)

    def lineage(self, id: str, number: int) -> Lineage:
        """Where the elite of a class came from."""
        return self._get(f"/runs/{_part(id)}/elites/{number:d}/lineage", Lineage)

    def export(self, id: str) -> Iterator[bytes]:
        """The run directory as the blocks of a zip."""
        with self._open("GET", f"/runs/{_part(id)}/export") as answer:
            while block := answer.read(2**18):
                yield block

    def pause(self, id: str) -> Job:
        """Ask a run for a checkpoint and an end."""
        return self._post(f"/runs/{_part(id)}/pause", Job)

    def resume(self, id: str) -> Job:
        """Let a run go on."""
        return self._post(f"/runs/{_part(id)}/resume", Job)

    def cancel(self, id: str) -> Job:
        """End a run for good."""
        return self._post(f"/runs/{_part(id)}/cancel", Job)

    def delete(self, id: str) -> None:
        """Delete a run that has ended."""
        self._bytes("DELETE", f"/runs/{_part(id)}")

    def models(self) -> Models:
        """The classifiers that requests may name."""
        return self._get("/models", Models)

    def configs(self) -> Configs:
        """The ready-made configs."""
        return self._get("/configs", Configs)

    def events(self, id: str, last: str = "", patience: float = 60.0) -> Iterator[Event]:
        """What a run's log says, from its beginning or from the event after `last`, until the run ends. A connection that
        breaks is made again, and the stream goes on where it was.

        Args:
            patience: seconds without an answer after which it gives up.

        Raises:
            ServerError: refused, or not reached for so long.
        """
        reached = time.monotonic()
        while True:
            try:
                for event in self._stream(id, last):
                    reached = time.monotonic()
                    last = event.id or last
                    yield event
                    if event.kind == "problem":
                        return
                if self.run(id).state in ENDED:
                    return
                time.sleep(0.1)
            except ServerError as error:
                if error.status not in (0, 429, 503) or time.monotonic() - reached > patience:
                    raise
                time.sleep(0.5)

    def _stream(self, id: str, last: str) -> Iterator[Event]:
        headers = {"Last-Event-ID": last} if last else {}
        with self._open("GET", f"/runs/{_part(id)}/events", headers=headers) as answer:
            fields: dict[str, str] = {}
            while line := answer.readline(_LONGEST_LINE):
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if text:
                    name, _, value = text.partition(": ")
                    fields[name] = value
                    continue
                if "data" in fields:
                    data = parse_json(fields["data"], "an event of the server")
                    yield Event(
                        fields.get("event", ""), data if isinstance(data, dict) else {}, fields.get("id", "")
                    )
                fields = {}

    def _get(self, path: str, model: type[M], query: Mapping[str, Any] | None = None) -> M:
        return parse_model(model, self._bytes("GET", path, query), f"the answer of {self.url}")

    def _post(self, path: str, model: type[M], body: Any = None, key: str | None = None) -> M:
        headers = {} if key is None else {"Idempotency-Key": key}
        return parse_model(model, self._bytes("POST", path, None, body, headers), f"the answer of {self.url}")

    def _pages(self, path: str, model: type[M], filters: Mapping[str, Any]) -> Iterator[M]:
        cursor: str | None = None
        while True:
            page = self._get(path, model, {**filters, **({"cursor": cursor} if cursor else {})})
            yield page
            cursor = getattr(page, "next", None)
            if cursor is None:
                return

    def _bytes(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        with self._open(method, path, query, body, headers) as answer:
            found = answer.read(_LONGEST + 1)
        if len(found) > _LONGEST:
            raise ServerError(f"{self.url}: expected an answer of at most {_LONGEST:,} bytes")
        return found

    @contextmanager
    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request; its connection is closed afterwards.

        Raises:
            ServerError: refused, or not reached. NotFoundError: it knows of no such thing.
        """
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._port, timeout=self._timeout)
        target = f"{self._parts.path.rstrip('/')}{_PREFIX}{path}"
        if query:
            target += f"?{urlencode(query, doseq=True)}"
        given = {"Accept": "application/json", **(headers or {})}
        if self._token:
            given["Authorization"] = f"Bearer {self._token}"
        data = None
        if body is not None:
            data, given["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            connection.request(method, target, data, given)
            answer = connection.getresponse()
            if not 200 <= answer.status < 300:
                raise self._refusal(answer.status, answer.read(2**16))
            yield answer
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ServerError(f"{self.url} can't be reached: {plain(reason)}") from None
        finally:
            connection.close()

    def _refusal(self, status: int, body: bytes) -> FoolingError:
        try:
            detail = plain(json.loads(body)["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"status {status}"
        if status == 404:
            return NotFoundError(f"{self.url}: {detail}")
        return ServerError(f"{self.url}: {detail}", status)


def _part(text: str) -> str:
    """A part of a path, whatever it holds."""
    return quote(text, safe="")
