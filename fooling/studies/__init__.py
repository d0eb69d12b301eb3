"""Studies: questions asked of finished runs, or of a classifier, each with a typed answer.

A study is a folder here and a line in `STUDIES`. The module that the line names has

    Request    what is asked: data alone, which may come as JSON from elsewhere (`protocol.Request`)
    Result     what was found: data alone, which goes out as JSON (`protocol.Result`)
    study      study(request, *, report=None, stopping=None, resources=...) -> Result (`protocol.Study`)

`fooling.present` draws results. Nothing heavy is imported before `find` is called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from fooling.errors import NotFoundError, did_you_mean

if TYPE_CHECKING:
    from fooling.studies.protocol import Study

STUDIES = {
    "audit": "fooling.studies.audit.study",
    "compare": "fooling.studies.compare.study",
    "explain": "fooling.studies.explain.study",
    "lineage": "fooling.studies.lineage.study",
    "recognition": "fooling.studies.recognition.study",
    "transfer": "fooling.studies.transfer.study",
}


def find(kind: str) -> Study:
    """The study of a kind: an imported module with `Request`, `Result` and `study`.

    Raises:
        NotFoundError: there is no study of that kind.
    """
    if kind not in STUDIES:
        known = ", ".join(STUDIES)
        raise NotFoundError(f"no study named {kind}: expected one of {known}{did_you_mean(kind, STUDIES)}")
    return cast("Study", import_module(STUDIES[kind]))
