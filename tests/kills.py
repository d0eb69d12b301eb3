"""A real SIGKILL of a command under way."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

from tests import warm


def kill_process(process: subprocess.Popen[Any] | warm.Process) -> None:
    """Kill it. Had it ended before, the test would show nothing."""
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it had ended before it was killed"
