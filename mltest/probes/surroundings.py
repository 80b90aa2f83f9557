"""Where a training process runs: what is as usual, and what differs although it must not matter.

What a process is started with (environment, working folder) is decided here; what only the process itself can change
(its clock, the order in which folders are listed, its cores) is changed by `mltest.run.altered_process`.
"""

from __future__ import annotations

import os
import site
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

CLOCK_AHEAD = timedelta(days=400, hours=5, minutes=17)
"""Changes the year, the month, the day of the month, the weekday and the hour, whatever today is."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS")
_ZONES = ("Pacific/Auckland", "America/Caracas")
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
_HOMES: Mapping[str, str] = {
    "HOME": "home",
    "USERPROFILE": "home",
    "XDG_CACHE_HOME": "cache",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
}


@dataclass(frozen=True)
class Surroundings:
    """What a process is started with.

    `fresh` gives it an empty work area and temporary folder and another working folder, so that nothing can be reused;
    `own_home` an empty home with empty caches; `abroad` another time zone and language; `other_listings` turns every
    listing of a folder round; `one_core` lets it see a single core.
    """

    name: str
    hash_seed: int
    threads: int
    clock_ahead: timedelta = timedelta(0)
    fresh: bool = False
    own_home: bool = False
    abroad: bool = False
    other_listings: bool = False
    one_core: bool = False

    @property
    def differences(self) -> str:
        """What is not as usual, in words."""
        said = {
            "another hash seed": self.hash_seed != USUAL.hash_seed,
            "another working folder, an empty work area and temporary folder": self.fresh,
            "an empty home and cache": self.own_home,
            f"a clock {self.clock_ahead.days} days ahead": bool(self.clock_ahead),
            "another time zone and language": self.abroad,
            "folders listed the other way round": self.other_listings,
            f"{self.threads} threads": self.threads != USUAL.threads,
            "one core": self.one_core,
        }
        return ", ".join(words for words, holds in said.items() if holds) or "nothing that differs"


USUAL = Surroundings("as usual", hash_seed=1, threads=1)
ELSEWHERE = Surroundings(
    "other process",
    hash_seed=2024,
    threads=1,
    clock_ahead=CLOCK_AHEAD,
    fresh=True,
    own_home=True,
    abroad=True,
    other_listings=True,
)
THREADED = Surroundings("other threads", hash_seed=1, threads=2, one_core=True)


def environment(place: Surroundings, usual: Mapping[str, str], folder: Path, home: Path) -> dict[str, str]:
    """The variables of a process in `place` that starts in `folder`; `home` is an empty folder with a short path.

    The path must be short: sockets of multiprocessing lie in the temporary folder, and theirs has at most 108 bytes.
    """
    given = {**usual, "PYTHONHASHSEED": str(place.hash_seed), "PWD": str(folder)}
    given |= {name: str(place.threads) for name in _THREADS}
    given["PYTHONPATH"] = os.pathsep.join(str(Path(entry or ".").resolve()) for entry in sys.path)
    if place.fresh:
        given |= dict.fromkeys(_TEMPORARY, str(_empty(home / "temporary")))
    if place.own_home:
        for name, sub in _HOMES.items():
            given[name] = str(_empty(home / sub))
        given["PYTHONUSERBASE"] = site.getuserbase()
    if place.abroad:
        given = {name: value for name, value in given.items() if not name.startswith("LC_") and name != "LANGUAGE"}
        given |= {"TZ": _another_zone(), "LANG": _another_language(usual)}
    return given


def _empty(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _another_zone() -> str:
    """A zone that is hours away from the one that holds here."""
    return _ZONES[time.timezone == 12 * -3600]


def _another_language(usual: Mapping[str, str]) -> str:
    """One of the two locales that every system has, for a locale that is not installed makes programs stop."""
    effective = usual.get("LC_ALL") or usual.get("LANG") or "C"
    return "C.UTF-8" if effective in ("C", "POSIX") else "C"
