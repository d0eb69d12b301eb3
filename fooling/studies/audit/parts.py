"""The parts of an audit, in the order in which they are measured: a line each, and nothing is imported here.

The module that a line names has `measure(subject) -> Part`, a model whose fields are fields of
`fooling.studies.audit.result.Result`; its `checks` are put together with those of the other parts.
"""

from __future__ import annotations

PARTS = {
    "effort": "fooling.studies.audit.effort.measure",
    "detectors": "fooling.studies.audit.detection.measure",
    "recognition": "fooling.studies.audit.recognition.measure",
    "transforms": "fooling.studies.audit.transforms.measure",
    "attacks": "fooling.studies.audit.attacks.measure",
    "black_box": "fooling.studies.audit.black_box.measure",
}
