"""The wheel holds all that the software needs: a user who installs it has no source tree."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_the_wheel_works_away_from_the_source_tree(tmp_path, environment):
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("fooling-*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    code = (
        "import sys; sys.path.insert(0, 'site'); import fooling; assert 'site' in fooling.__file__\n"
        "run = fooling.run('mnist-direct', out='run', assignments=['search.generations=2'])\n"
        "print((run.directory / 'gallery.html').exists())"
    )
    # -P: neither the source tree nor the current folder is on the path unless the code puts it there.
    result = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "True\n", result.stderr
