"""Writes docs/audit.schema.json, the JSON Schema of an audit's report: `python docs/audit_schema.py`."""

from __future__ import annotations

from pathlib import Path

from fooling.studies.audit.report import schema

if __name__ == "__main__":
    Path(__file__).with_name("audit.schema.json").write_text(schema(), encoding="utf-8")
