"""Studies as jobs: runs are named by their ids, in the request and in the result."""

from __future__ import annotations

import json

import pytest

from fooling.service.jobs import ConflictError, State
from tests.fooling.service.jobs.tiny_jobs import request, wait_for


@pytest.mark.slow
def test_a_study_asks_runs_by_their_ids(root, jobs):
    """A failure costs the answer, or tells whoever asks where the runs lie on this machine."""
    with jobs.supervise():
        run = jobs.submit("run", request())
        wait_for(jobs, run.id, State.COMPLETED)
        job = jobs.submit(
            "transfer", {"runs": [run.id], "to": ["builtin:mlp", "builtin:nothing"]}, label="ours"
        )
        with pytest.raises(ConflictError):
            jobs.result(job.id)
        done = wait_for(jobs, job.id, State.COMPLETED, State.FAILED)
        assert done.state is State.COMPLETED, done.reason
        assert done.progress.done == done.progress.total > 0
        result = jobs.result(job.id)
        assert str(root) not in json.dumps(result)
        assert run.id in json.dumps(result["sources"])
        assert [cell["source"] for cell in result["cells"]] == [run.id]
        assert [item.id for item in jobs.list(kind="study").items] == [job.id]
        assert [item.id for item in jobs.list(kind="transfer").items] == [job.id]
        with pytest.raises(ConflictError):
            jobs.result(run.id)
        jobs.delete(job.id)
        assert [item.id for item in jobs.list().items] == [run.id]
