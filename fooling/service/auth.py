"""Who may use the service: whoever knows its token, or has a cookie that a one-time login gave.

The token lies in a file that only its owner reads. A browser gets no token: it opens a link that works once, and gets
a cookie that its scripts can't read and that no other site can make it send (HttpOnly, SameSite=Strict). The cookie is
signed with the token and holds nothing but its own end, so it outlives a restart of the server and dies with the token.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from fooling.errors import FoolingError

LOGIN_SECONDS = 3600.0  # that a login link works
SESSION_SECONDS = 7 * 86400.0  # that a cookie works
_LEAST = 32  # characters of a token
_CODES = 32  # login links that wait to be used; the oldest go first


def read_or_make_token(path: Path) -> str:
    """The token in a file that only its owner can read; a new one where there is none, or where others could have read
    it.

    Raises:
        FoolingError: the file can't be written, is a link, or belongs to somebody else.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return _make(path)
        with open(descriptor, encoding="ascii", errors="replace") as file:
            about = os.fstat(file.fileno())
            found = file.read(4096).strip()
    except OSError as error:
        raise FoolingError(f"the token can't be kept in {path}: {error.strerror or error}") from None
    if not stat.S_ISREG(about.st_mode) or about.st_uid != os.getuid():
        raise FoolingError(f"{path}: expected a file of yours that holds the token; remove it")
    if about.st_mode & 0o077 or len(found) < _LEAST:
        path.unlink()
        return _make(path)
    return found


def _make(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # whoever comes second reads what the first one made
        except FileExistsError:
            return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise FoolingError(f"the token can't be kept in {path}: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return token


class Access:
    """Checks tokens, logins and cookies. May be used from any thread."""

    def __init__(self, token: str, port: int, wrong: int, now: Callable[[], float] = time.time) -> None:
        """
        Args:
            token: the secret.
            port: part of the cookie's name, since browsers send a cookie to every port of a host.
            wrong: failures in a minute after which clients are told to wait.
            now: the clock, in seconds.
        """
        self._token, self._now = token.encode(), now
        self._codes: dict[bytes, float] = {}
        self._wrong: deque[float] = deque(maxlen=wrong)
        self._lock = threading.Lock()
        self.cookie = f"fooling_{port}"

    def new_login(self) -> str:
        """A code that can be spent once, within the hour."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._codes) >= _CODES:
                del self._codes[next(iter(self._codes))]
            self._codes[_digest(code)] = self._now() + LOGIN_SECONDS
        return code

    def spend(self, code: str) -> str | None:
        """The value of a cookie for a code; None where the code is wrong, spent or too old."""
        with self._lock:
            until = self._codes.pop(_digest(code), 0.0)
        if until < self._now():
            self._note_failure()
            return None
        return self._signed(f"{int(self._now() + SESSION_SECONDS)}.{secrets.token_hex(8)}")

    def knows(self, authorization: str) -> bool:
        """Whether an `Authorization` header names the token."""
        scheme, _, given = authorization.partition(" ")
        right = hmac.compare_digest(hashlib.sha256(given.strip().encode()).digest(), _digest(self._token))
        if scheme.lower() == "bearer" and right:
            return True
        self._note_failure()
        return False

    def holds(self, cookie: str) -> bool:
        """Whether the value of a cookie is one that a login gave, and not too old."""
        content = cookie.rpartition(".")[0]
        right = hmac.compare_digest(self._signed(content).encode(), cookie.encode("utf-8", "replace"))
        until = content.partition(".")[0]
        return right and until.isascii() and until.isdecimal() and int(until) >= self._now()

    @property
    def beleaguered(self) -> bool:
        """Whether so many tokens and logins were wrong within a minute that whoever fails is told to wait. The right
        token works all the same: nobody can lock the owner out."""
        with self._lock:
            return len(self._wrong) == self._wrong.maxlen and self._wrong[0] > self._now() - 60.0

    def _note_failure(self) -> None:
        with self._lock:
            self._wrong.append(self._now())

    def _signed(self, content: str) -> str:
        signature = hmac.new(self._token, f"session:{content}".encode("utf-8", "replace"), hashlib.sha256)
        return f"{content}.{signature.hexdigest()}"


def _digest(secret: str | bytes) -> bytes:
    """What is compared in place of a secret, so that how long it takes tells nothing."""
    return hashlib.sha256(secret.encode("utf-8", "replace") if isinstance(secret, str) else secret).digest()
