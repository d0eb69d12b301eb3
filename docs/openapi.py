"""Writes docs/openapi.json from the models and routes of the service: `python docs/openapi.py`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path


def document() -> str:
    """The OpenAPI document of the service, whatever folder it is beside."""
    from fooling.service.app import create_app
    from fooling.service.jobs import Jobs
    from fooling.service.settings import ServiceSettings

    with tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(Path(folder), 0)
        try:
            app = create_app(jobs, ServiceSettings(root=Path(folder), token="-"))
            return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"
        finally:
            jobs.close()


if __name__ == "__main__":
    Path(__file__).with_name("openapi.json").write_text(document())
