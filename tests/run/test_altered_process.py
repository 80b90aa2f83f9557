"""A process with another clock, other listings and one core, looked at from inside."""

from __future__ import annotations

import os
import subprocess
import sys
from ast import literal_eval
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mltest.probes import surroundings
from mltest.probes.surroundings import CLOCK_AHEAD, ELSEWHERE, THREADED, USUAL, Surroundings

ALTERED = """
import os, sys, time
from datetime import UTC, date, datetime
from pathlib import Path
before = time.time(), datetime.now(), Path(".").stat().st_mtime, time.monotonic()
from mltest.probes import surroundings
from mltest.run.altered_process import alter
alter(surroundings.{place})
"""


def inside(place: str, code: str, folder: Path) -> str:
    """What `code` prints in a process that was altered as `place` says; `before` are four moments before that."""
    command = [sys.executable, "-c", ALTERED.format(place=place) + code]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "asked",
    [
        "time.time() - before[0]",
        "time.time_ns() / 1e9 - before[0]",
        "time.clock_gettime(time.CLOCK_REALTIME) - before[0]",
        "time.mktime(time.localtime()) - before[0]",
        "(datetime.now() - before[1]).total_seconds()",
        "(datetime.today() - before[1]).total_seconds()",
        "datetime.now(UTC).timestamp() - before[0]",
        "datetime.utcnow().replace(tzinfo=UTC).timestamp() - before[0]",
        "__import__('pandas').Timestamp.now('UTC').timestamp() - before[0]",
    ],
)
def test_every_way_to_ask_for_the_time_answers_a_later_one(asked: str, tmp_path: Path) -> None:
    assert float(inside("ELSEWHERE", f"print({asked})", tmp_path)) == pytest.approx(CLOCK_AHEAD.total_seconds(), abs=60)


def test_days_and_texts_of_now_agree_with_the_clock_and_given_moments_stay(tmp_path: Path) -> None:
    code = (
        "assert date.today() == datetime.now().date() == date.fromtimestamp(time.time())\n"
        "assert str(datetime.now().year) in time.ctime() and str(datetime.now().year) in time.strftime('%Y')\n"
        "assert time.gmtime(0).tm_year == 1970 and time.ctime(0).endswith('1970')\n"
        "assert type(datetime.now()) is datetime and datetime.now().tzinfo is None\n"
        "import pickle, pyarrow; assert pyarrow.array([pickle.loads(pickle.dumps(datetime.now()))])[0].as_py()"
    )
    inside("ELSEWHERE", code, tmp_path)


def test_durations_and_times_of_files_stay_true(tmp_path: Path) -> None:
    code = "Path('x').touch(); print(Path('x').stat().st_mtime - before[2], time.monotonic() - before[3])"
    for seconds in inside("ELSEWHERE", code, tmp_path).split():
        assert 0 <= float(seconds) < 60


@pytest.mark.parametrize(
    "listing",
    [
        "os.listdir('.')",
        "[entry.name for entry in os.scandir('.')]",
        "[path.name for path in Path('.').iterdir()]",
        "[path.name for path in Path('.').glob('*')]",
        "__import__('glob').glob('*')",
        "next(os.walk('.'))[2]",
    ],
)
def test_every_listing_is_turned_round(listing: str, tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.txt").touch()
    usual, other = (inside(place, f"print({listing})", tmp_path) for place in ("USUAL", "ELSEWHERE"))
    assert literal_eval(usual)[::-1] == literal_eval(other)


def test_listings_still_close_and_remove_trees(tmp_path: Path) -> None:
    (tmp_path / "tree" / "leaf").mkdir(parents=True)
    code = (
        "import shutil, tempfile\n"
        "with os.scandir('tree') as entries: assert [e.name for e in entries] == ['leaf']\n"
        "shutil.copytree('tree', 'copy'); shutil.rmtree('tree'); assert os.listdir('.') == ['copy']\n"
        "try: os.listdir('tree')\n"
        "except FileNotFoundError: print('gone')"
    )
    assert inside("ELSEWHERE", code, tmp_path) == "gone"


def test_one_core_is_seen(tmp_path: Path) -> None:
    usual, one = (int(inside(place, "print(os.cpu_count())", tmp_path)) for place in ("USUAL", "THREADED"))
    assert usual != one
    if hasattr(os, "sched_getaffinity"):
        assert inside("THREADED", "print(len(os.sched_getaffinity(0)))", tmp_path) == "1"


def test_the_other_year_comes_with_another_month_day_weekday_and_hour() -> None:
    for day in range(1_462):
        now = datetime(2023, 1, 1, 9, 30, tzinfo=UTC) + timedelta(days=day)
        then = now + CLOCK_AHEAD
        pairs = [(moment.year, moment.month, moment.day, moment.weekday(), moment.hour) for moment in (now, then)]
        assert all(one != other for one, other in zip(*pairs, strict=True)), now


def environment(place: Surroundings, usual: dict[str, str], folder: Path) -> dict[str, str]:
    return surroundings.environment(place, usual, folder, folder)


def test_the_other_process_has_its_own_folders_zone_and_language(tmp_path: Path) -> None:
    usual = {"HOME": "/home/me", "LANG": "C.UTF-8", "LC_TIME": "C.UTF-8", "TMPDIR": "/tmp", "AWS_PROFILE": "p"}
    given = environment(ELSEWHERE, usual, tmp_path)
    assert given["AWS_PROFILE"] == "p"
    assert {name for name in ("HOME", "TMPDIR", "LANG", "TZ") if given[name] != usual.get(name)} == {
        "HOME",
        "TMPDIR",
        "LANG",
        "TZ",
    }
    assert "LC_TIME" not in given
    assert Path(given["HOME"]).is_dir()
    assert Path(given["TMPDIR"]).is_dir()
    assert environment(ELSEWHERE, {"LANG": "C"}, tmp_path)["LANG"] == "C.UTF-8"
    kept = environment(THREADED, usual, tmp_path)
    assert all(kept[name] == value for name, value in usual.items())


def test_only_what_differs_is_said_to() -> None:
    assert USUAL.differences == "nothing that differs"
    assert THREADED.differences == "2 threads, one core"
    assert "400 days ahead" in ELSEWHERE.differences
