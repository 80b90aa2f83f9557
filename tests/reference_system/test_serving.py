"""The live path as a process of its own, and the command line around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from reference_system import feature_cache, registry, replay, serving
from reference_system.catalogue import FEATURES
from reference_system.pipeline import Outcome
from reference_system.serving import Handle, ServingError

ROOT = Path(__file__).resolve().parents[2]
BEGIN = datetime(2013, 11, 5, 5, tzinfo=UTC)
DAY = (BEGIN, BEGIN + timedelta(days=1))
Run = tuple[Path, Outcome]
Raw = dict[str, pa.Table]


@pytest.fixture(scope="module")
def served(run_of_the_sample: Run, raw_sample: Raw, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handle]:
    """A server that knew nothing after midnight and was then told the day as a feed would tell it."""
    home, _ = run_of_the_sample
    with serving.start(home, tmp_path_factory.mktemp("served"), as_of=BEGIN, data=raw_sample) as handle:
        for event in _grouped(replay.feed(raw_sample, DAY)):
            handle.observe(*event)
        handle.predict(replay.requests(raw_sample, DAY))
        yield handle


def _grouped(told: list[replay.Event]) -> list[tuple[str, list[dict]]]:
    return [(table, [event.row for event in told if event.table == table]) for table in ("flights", "weather")]


def batch_rows(home: Path, raw: Raw) -> pa.Table:
    table = feature_cache.load(home, raw)
    inside = pc.and_(pc.greater_equal(table["pushed_back_at"], DAY[0]), pc.less(table["pushed_back_at"], DAY[1]))
    return table.filter(inside)


def test_features_as_served_equal_those_of_the_batch_path(
    served: Handle, run_of_the_sample: Run, raw_sample: Raw
) -> None:
    rows = batch_rows(run_of_the_sample[0], raw_sample)
    log = served.request_log()
    assert rows.num_rows > 50
    assert log["flight_id"].to_pylist() == rows["flight_id"].to_pylist()
    assert log["as_of"].to_pylist() == rows["pushed_back_at"].to_pylist()
    for feature in FEATURES:
        if feature.dtype == "float":
            assert np.allclose(
                log[feature.name].to_numpy(), rows[feature.name].to_numpy(), rtol=1e-5, atol=1e-6, equal_nan=True
            ), feature.name
        else:
            assert log[feature.name].to_pylist() == rows[feature.name].to_pylist(), feature.name


def test_served_predictions_equal_those_of_the_champion_in_batch(
    served: Handle, run_of_the_sample: Run, raw_sample: Raw
) -> None:
    home, outcome = run_of_the_sample
    champion = registry.of_home(home).load(outcome.artifact.version)
    expected = champion.predict(batch_rows(home, raw_sample))
    log = served.request_log()
    assert set(log["version"].to_pylist()) == {outcome.artifact.version}
    assert np.allclose(log["prediction"].to_numpy(), expected, atol=1e-3)


def test_the_log_can_be_read_from_a_moment_on(served: Handle) -> None:
    noon = BEGIN + timedelta(hours=12)
    found = served.request_log(noon)
    assert 0 < found.num_rows < served.request_log().num_rows
    assert min(found["as_of"].to_pylist()) >= noon


def test_a_request_that_is_refused_is_an_error_here_too(served: Handle, raw_sample: Raw) -> None:
    wrong = {**replay.requests(raw_sample, DAY)[0], "carrier": "nobody"}
    with pytest.raises(ServingError, match=r"422.*flights\.0\.carrier"):
        served.predict([wrong])


def test_the_server_counts_what_it_did(served: Handle) -> None:
    assert "eta_answers_total" in served.metrics()
    assert 'eta_events_total{table="weather"} 24.0' in served.metrics()


def test_leaving_the_context_stops_the_process_even_after_an_error(
    run_of_the_sample: Run, raw_sample: Raw, tmp_path: Path
) -> None:
    url = ""

    def fail() -> None:
        nonlocal url
        with serving.start(run_of_the_sample[0], tmp_path, as_of=BEGIN, data=raw_sample) as handle:
            url = handle.url
            assert httpx.get(f"{url}/ready", trust_env=False).status_code == 200
            raise KeyError("a probe broke")

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/ready", trust_env=False)


def test_a_server_ends_when_the_process_that_started_it_is_killed(
    run_of_the_sample: Run, raw_sample: Raw, tmp_path: Path
) -> None:
    folder = serving.saved(raw_sample, tmp_path / "raw")
    script = (
        "import sys, time; from pathlib import Path; from datetime import datetime, UTC;"
        "from reference_system import serving;"
        "handle = serving.start(Path(sys.argv[1]), Path(sys.argv[2]), as_of=datetime(2013, 11, 5, tzinfo=UTC),"
        " data=Path(sys.argv[3])); print(handle.url, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(run_of_the_sample[0]), str(tmp_path / "work"), str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        url = parent.stdout.readline().strip()
        os.kill(parent.pid, signal.SIGKILL)
    assert _gone(url)


def _gone(url: str) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/health", trust_env=False)
        except httpx.TransportError:
            return True
        time.sleep(0.05)
    return False


def test_a_server_without_a_model_says_so(raw_sample: Raw, tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="has no champion: train one first"):
        serving.start(tmp_path / "home", tmp_path / "work", as_of=BEGIN, data=raw_sample)


def test_the_feed_is_in_order_and_tells_only_what_is_known(raw_sample: Raw) -> None:
    told = replay.feed(raw_sample, DAY)
    assert [event.at for event in told] == sorted(event.at for event in told)
    assert all(DAY[0] <= event.at < DAY[1] for event in told)
    departures = [event.row for event in told if event.table == "flights" and "arr_delay" not in event.row]
    assert len(departures) == len(replay.requests(raw_sample, DAY))
    assert all("air_time" not in row for row in departures)


def command(*arguments: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "reference_system", *map(str, arguments)], cwd=ROOT, input=given, capture_output=True
    )


def test_the_command_line_answers_a_flight_like_the_server(
    served: Handle, run_of_the_sample: Run, raw_sample: Raw, tmp_path: Path
) -> None:
    asked = replay.requests(raw_sample, DAY)[5]
    data = serving.saved(raw_sample, tmp_path / "raw")
    done = command("predict", "--home", run_of_the_sample[0], "--data", data, given=json.dumps(asked).encode())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["prediction"] == pytest.approx(served.predict([asked])[0]["prediction"], abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--preset", "tiny"), b"error: unknown preset 'tiny', known presets: full, sample"),
        (("train", "--data", "nowhere"), b"file not found"),
        (("serve", "--as-of", "2013-11-05T00:00"), b"add an offset from UTC"),
        (("predict",), b"error: body: not JSON"),
    ],
)
def test_a_mistake_on_the_command_line_costs_one_line(
    arguments: tuple[str, ...], message: bytes, tmp_path: Path
) -> None:
    done = command(*arguments, "--home", tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_help_names_the_three_commands() -> None:
    shown = command("--help").stdout
    assert all(name in shown for name in (b"train", b"serve", b"predict"))
