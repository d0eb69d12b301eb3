"""Locks on files, which the kernel frees when their holder dies, and processes that are known again.

`flock` belongs to the open file: a child that inherits it holds the lock together with its parent. So a server takes
a job's lock, starts the job's process with it and closes its own end: there is no moment in which nobody holds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Be the only one, among all threads and processes, in a block with this file; waits for its turn."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def seize(path: Path) -> int | None:
    """Take a lock, without waiting.

    Returns:
        The open file that holds it until it is closed; None where another process holds it.
    """
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(path: Path) -> bool:
    """Whether a process holds a lock; a link or a missing file is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


class Process(BaseModel):
    """A process, told from later ones that get its number.

    Attributes:
        pid: its number.
        born: when it began, in ticks since the machine started; 0 where the system does not say.
        boot: of the machine or container; "" where the system does not say.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    pid: int
    born: int = 0
    boot: str = ""

    @classmethod
    def this(cls) -> Process:
        """The one that asks."""
        return cls(pid=os.getpid(), born=_born(os.getpid()) or 0, boot=boot())

    @property
    def of_this_boot(self) -> bool:
        """Whether the machine, or the container, has not been started anew since."""
        return self.boot == boot()

    def is_alive(self) -> bool:
        """Whether it is there and is no zombie."""
        return self.of_this_boot and _born(self.pid) == self.born

    def kill(self) -> None:
        """End it at once, together with the processes of its session that it left behind."""
        if self.is_alive() or (self.of_this_boot and self.born and _born(self.pid) is None):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def boot() -> str:
    """What tells one start of the machine, or of the container, from the next."""
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{machine} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _born(pid: int) -> int | None:
    """When a process began; None where there is none, or only a zombie."""
    try:
        # The second field is a name that may hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except FileNotFoundError:
        return _born_elsewhere(pid)
    except (ProcessLookupError, PermissionError):
        return None
    return None if fields[0] in b"ZX" else int(fields[19])


def _born_elsewhere(pid: int) -> int | None:
    """The same on a system without /proc, where only the number can be asked for."""
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    return 0
