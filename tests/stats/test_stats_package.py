from __future__ import annotations

import subprocess
import sys

import mltest.stats


def test_every_public_name_exists_and_says_what_it_is() -> None:
    for name in mltest.stats.__all__:
        assert getattr(mltest.stats, name).__doc__, name


def test_importing_the_statistics_loads_numpy_but_not_scipy() -> None:
    code = "import sys, mltest.stats; print('numpy' in sys.modules, 'scipy' in sys.modules, 'pandas' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["True", "False", "False"]
