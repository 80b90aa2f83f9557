from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mltest.evidence import PartFailure, Verdict
from mltest.isolation import Worker
from mltest.isolation_answers import loads
from tests.isolation import foreign

GIGABYTE = 1 << 30


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(seconds=30, memory_bytes=2 * GIGABYTE) as worker:
        yield worker


@pytest.fixture
def hasty() -> Iterator[Worker]:
    with Worker(seconds=1, memory_bytes=2 * GIGABYTE) as worker:
        yield worker


def test_arrays_go_there_and_back(worker: Worker) -> None:
    values = np.arange(300_000, dtype=np.float64)
    assert np.array_equal(worker.call(foreign.double, values), values * 2)


def test_a_call_runs_in_another_process_and_the_next_one_in_the_same(worker: Worker) -> None:
    first = worker.call(foreign.process_id)
    assert first != os.getpid()
    assert first == worker.pid == worker.call(foreign.process_id)


def test_texts_and_numpy_text_arrays_come_back(worker: Worker) -> None:
    labels = np.array(["JFK", "LGA"], dtype=object)
    assert worker.call(foreign.double, labels).tolist() == ["JFKJFK", "LGALGA"]


def test_what_it_prints_disturbs_nothing(worker: Worker) -> None:
    assert worker.call(foreign.shout) == "done"


def test_it_does_not_see_the_secrets_of_the_caller(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_TOKEN", "canary-7f3a")
    assert "canary-7f3a" not in str(worker.call(foreign.environment))


@pytest.mark.parametrize("stuck", [foreign.hang, foreign.hang_in_native_code])
def test_a_call_that_hangs_is_ended_and_the_worker_still_works(hasty: Worker, stuck: object) -> None:
    started = time.monotonic()
    hasty.call(foreign.process_id)
    with pytest.raises(PartFailure, match=r"did not answer within 1 s"):
        hasty.call(stuck)  # type: ignore[arg-type]
    assert time.monotonic() - started < 20
    assert hasty.call(foreign.shout) == "done"


def test_a_hanging_process_is_gone_and_no_zombie(hasty: Worker) -> None:
    process = hasty.call(foreign.process_id)
    with pytest.raises(PartFailure):
        hasty.call(foreign.hang)
    assert not Path(f"/proc/{process}").exists()


def test_a_crash_names_its_signal_and_the_worker_starts_again(worker: Worker) -> None:
    before = worker.call(foreign.process_id)
    with pytest.raises(PartFailure, match="SIGSEGV"):
        worker.call(foreign.crash)
    assert worker.call(foreign.process_id) != before


def test_a_process_that_leaves_without_an_answer_is_told_with_its_status(worker: Worker) -> None:
    with pytest.raises(PartFailure, match="status 7"):
        worker.call(foreign.leave)


def test_a_worker_killed_between_two_calls_starts_again(worker: Worker) -> None:
    process = worker.call(foreign.process_id)
    os.kill(process, signal.SIGKILL)
    while _runs(process):
        time.sleep(0.01)
    assert worker.call(foreign.process_id) != process


def test_memory_beyond_the_limit_is_refused_and_the_worker_lives_on(worker: Worker) -> None:
    with pytest.raises(PartFailure, match="more memory than it is allowed"):
        worker.call(foreign.allocate, 4 * GIGABYTE)
    assert worker.call(foreign.allocate, 1000) == 1000


def test_a_value_error_is_the_refusal_of_an_input(worker: Worker) -> None:
    with pytest.raises(ValueError, match="distance is negative"):
        worker.call(foreign.refuse)


def test_any_other_exception_is_a_failure_in_one_line(worker: Worker) -> None:
    with pytest.raises(PartFailure) as caught:
        worker.call(foreign.stumble)
    assert str(caught.value) == "ZeroDivisionError: a table without rows"


def test_a_failure_of_our_own_keeps_its_words(worker: Worker) -> None:
    with pytest.raises(PartFailure, match=r"^model\.onnx: is broken$"):
        worker.call(foreign.fail)


def test_an_answer_cannot_run_code_here(worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PartFailure, match="neither plain data nor an array"):
        worker.call(foreign.answer_with_code)
    assert list(tmp_path.iterdir()) == []


def test_answers_may_hold_records_of_this_package_but_none_of_its_functions() -> None:
    import pickle

    assert loads(pickle.dumps(Verdict.PASSED)) is Verdict.PASSED
    with pytest.raises(PartFailure, match="neither plain data"):
        loads(pickle.dumps(loads))


def test_an_answer_that_is_no_pickle_is_a_failure() -> None:
    with pytest.raises(PartFailure, match="cannot be read"):
        loads(b"\x80\x05garbage")


def test_closing_takes_the_children_of_the_process_along() -> None:
    worker = Worker(seconds=30, memory_bytes=2 * GIGABYTE)
    child = worker.call(foreign.leave_a_child, 600)
    worker.close()
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(child)


def test_closing_twice_is_fine_and_a_closed_worker_can_be_used_again() -> None:
    worker = Worker(seconds=30, memory_bytes=2 * GIGABYTE)
    worker.close()
    assert worker.call(foreign.shout) == "done"
    worker.close()
    worker.close()
    assert worker.pid is None


def test_a_worker_ends_with_the_program_that_forgot_to_close_it(tmp_path: Path) -> None:
    program = tmp_path / "forgetful.py"
    program.write_text(
        textwrap.dedent(
            """
            from mltest.isolation import Worker
            from tests.isolation import foreign

            worker = Worker(seconds=30, memory_bytes=2 << 30)
            print(worker.call(foreign.process_id))
            """
        )
    )
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, check=True, timeout=60, env={"PYTHONPATH": str(root)}
    )
    assert not _runs(int(ran.stdout))


def test_a_worker_in_the_middle_of_a_call_does_not_outlive_a_killed_caller(tmp_path: Path) -> None:
    program = tmp_path / "killed.py"
    program.write_text(
        textwrap.dedent(
            """
            from mltest.isolation import Worker
            from tests.isolation import foreign

            worker = Worker(seconds=600, memory_bytes=2 << 30)
            print(worker.call(foreign.process_id), flush=True)
            worker.call(foreign.hang)
            """
        )
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(root)}
    ) as caller:
        assert caller.stdout is not None
        process = int(caller.stdout.readline())
        caller.kill()
    deadline = time.monotonic() + 20
    while _runs(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(process)


@pytest.mark.parametrize(("seconds", "memory"), [(0, 1), (1, 0), (-1, 1)])
def test_limits_have_to_be_positive(seconds: float, memory: int) -> None:
    with pytest.raises(ValueError, match="positive limit"):
        Worker(seconds, memory)


def _runs(process: int) -> bool:
    """Whether a process is there and more than a zombie that waits to be collected."""
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
