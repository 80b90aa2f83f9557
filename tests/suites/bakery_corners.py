"""The bakery with tests that look good and are not, and with good ones that look odd."""

from __future__ import annotations

import zlib

from mltest import EquivalentMutant, FeatureCode, System, SystemRef
from mltest.probes import source_mutants, source_places
from tests.suites.bakery import CLOCKS, CODE, SHELVES, TEST_CLOCKS, bakery

CLOCK = "tests/test_clocks.py"
ROUNDED = EquivalentMutant("shop/shelves.py", "if left > FULL:", "if left >= FULL:", "FULL becomes FULL", "ada")


def with_clock_tests(ref: SystemRef, text: str, tests: tuple[str, ...] = (CLOCK,)) -> System:
    code = (FeatureCode("minutes_open", ("shop/clocks.py",), tests), *CODE[1:])
    return bakery(ref, {CLOCK: text}, code=code)


def full_hours_only(ref: SystemRef) -> System:
    """Only midnight is ever tried; nobody knows what a clock reading is."""
    return with_clock_tests(
        ref,
        "from shop.clocks import minutes, minutes_open\n\n\ndef test_midnight():\n    assert minutes(0) == 0\n"
        '    assert minutes_open({"opens": 0, "closes": 0}) >= 0\n',
    )


def smoke_test_only(ref: SystemRef) -> System:
    return with_clock_tests(
        ref,
        "from shop.clocks import minutes_open\n\n\ndef test_it_runs():\n"
        '    assert minutes_open({"opens": 955, "closes": 1000}) is not None\n',
    )


def unsteady(ref: SystemRef) -> System:
    """Passes in every other run, by a file that it leaves behind."""
    return with_clock_tests(
        ref,
        f"{TEST_CLOCKS}\n\ndef test_every_other_time(request):\n    seen = request.config.rootpath / 'seen'\n"
        "    if seen.exists():\n        seen.unlink()\n        raise AssertionError('again')\n    seen.touch()\n",
    )


def failing(ref: SystemRef) -> System:
    return with_clock_tests(ref, f"{TEST_CLOCKS}\n\ndef test_wrong():\n    assert minutes(100) == 100\n")


def text_compared(ref: SystemRef) -> System:
    """The test knows the text of the code by heart: any change at all is noticed, for no good reason."""
    return bakery(
        ref,
        {
            "tests/test_text.py": "import pathlib\nimport zlib\n\nimport shop.clocks\nimport shop.shelves\n\n\n"
            f"KNOWN = ((shop.clocks, {_crc(CLOCKS)}), (shop.shelves, {_crc(SHELVES)}))\n\n\n"
            "def test_text():\n    for module, known in KNOWN:\n"
            "        assert zlib.crc32(pathlib.Path(module.__file__).read_bytes()) == known\n",
        },
        code=tuple(FeatureCode(entry.feature, entry.places, ("tests/test_text.py",)) for entry in CODE),
    )


def _crc(text: str) -> int:
    return zlib.crc32(text.encode())


def tests_of_something_else(ref: SystemRef) -> System:
    code = tuple(FeatureCode(e.feature, e.places, ("tests/test_nothing.py",)) for e in CODE)
    return bakery(ref, {"tests/test_nothing.py": "def test_sum():\n    assert 1 + 1 == 2\n"}, code=code)


def never_collected(ref: SystemRef) -> System:
    return with_clock_tests(ref, TEST_CLOCKS, ("tests/test_clocks.py::test_that_was_renamed",))


def deselected_by_the_command(ref: SystemRef) -> System:
    return bakery(ref, test_command=("python", "-m", "pytest", "-k", "not open"))


def may_fail(ref: SystemRef) -> System:
    return with_clock_tests(ref, TEST_CLOCKS.replace("def test_minutes(", "@pytest.mark.xfail\ndef test_minutes("))


def swallowing(ref: SystemRef) -> System:
    return bakery(ref, test_command=("sh", "-c", "python -m pytest -q || [ $? -eq 5 ]"))


def other_runner(ref: SystemRef) -> System:
    return bakery(ref, test_command=("make", "test"))


def code_within_the_tests(ref: SystemRef) -> System:
    return bakery(ref, code=(FeatureCode("minutes_open", (CLOCK,), (CLOCK,)), *CODE[1:]))


def place_of_yesterday(ref: SystemRef) -> System:
    return bakery(ref, code=(FeatureCode("minutes_open", ("shop/clocks.py:open_for",), (CLOCK,)), *CODE[1:]))


def nothing_to_mutate(ref: SystemRef) -> System:
    return bakery(
        ref,
        {"shop/empty.py": '"""Nothing."""\n'},
        code=(FeatureCode("minutes_open", ("shop/empty.py",), (CLOCK,)), *CODE[1:]),
    )


def imported_from_elsewhere(ref: SystemRef) -> System:
    """A conftest that puts the folder of the developer in front of everything."""
    root = ref.workdir / "bakery"
    return bakery(ref, {"tests/conftest.py": f"import sys\n\nsys.path.insert(0, {str(root)!r})\n"})


def no_op_after_an_upgrade(ref: SystemRef) -> System:
    """`fillna(inplace=True)` on a column does nothing since pandas 3, and nobody asserts that no null is left."""
    code = (
        "def flour(frame):\n    frame['flour'].fillna(0, inplace=True)\n    frame['flour'].clip(0, 500)\n"
        "    return frame['flour']\n"
    )
    tests = (
        "import pandas\n\nfrom shop.flour import flour\n\n\ndef test_flour():\n"
        "    frame = pandas.DataFrame({'flour': [1.0, None, 3.0]})\n    assert len(flour(frame)) == 3\n"
    )
    entry = FeatureCode("minutes_open", ("shop/flour.py",), ("tests/test_flour.py",))
    return bakery(ref, {"shop/flour.py": code, "tests/test_flour.py": tests}, code=(entry, *CODE[1:]))


def one_called_equivalent(ref: SystemRef) -> System:
    return bakery(ref, equivalent=(ROUNDED,))


def all_called_equivalent(ref: SystemRef) -> System:
    """A third of all that can be done to the code is called equivalent."""
    bakery(ref)
    root = ref.workdir / "bakery"
    everything: list[EquivalentMutant] = []
    for path in ("shop/clocks.py", "shop/shelves.py"):
        for candidate in source_mutants.candidates(source_places.read(root, path), path):
            mutant = candidate.mutant()
            if mutant is not None:
                everything.append(EquivalentMutant(path, mutant.before, mutant.after, "surely", "bob"))
    return bakery(ref, equivalent=tuple(everything[::3]))


def laid_out_otherwise(ref: SystemRef) -> System:
    """Code below `src`, properties, a class, a fixture of a conftest, data in a file, and warnings as errors."""
    tests = """
from pathlib import Path

from hypothesis import given, strategies as st

from corner.clocks import minutes, minutes_open

TIMES = st.builds(lambda hour, minute: (hour, minute), st.integers(0, 23), st.integers(0, 59))


@given(TIMES)
def test_a_reading_is_hours_and_minutes(time):
    hour, minute = time
    assert minutes(100 * hour + minute) == sum([60] * hour) + minute


class TestOpening:
    def test_of_the_list(self, opening):
        for line in (Path(__file__).parent / "times.csv").read_text().split():
            opens, closes, expected = map(int, line.split(","))
            assert opening(opens, closes) == expected
"""
    return bakery(
        ref,
        {
            "src/corner/__init__.py": "",
            "src/corner/clocks.py": CLOCKS,
            "checks/times.csv": "955,1000,5\n600,1830,750\n2230,115,165\n700,700,1440\n",
            "checks/conftest.py": "import pytest\n\nfrom corner.clocks import minutes_open\n\n\n@pytest.fixture\n"
            "def opening():\n    return lambda opens, closes: minutes_open({'opens': opens, 'closes': closes})\n",
            "checks/test_properties.py": tests,
            "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["-q"]\nfilterwarnings = ["error"]\n',
        },
        code=(FeatureCode("minutes_open", ("src/corner/clocks.py",), ("checks/test_properties.py",)), *CODE[1:]),
    )
