"""A team's own marked tests earn points, and only with measurements that hold."""

from tests.acceptance.conftest import PASSING, Foreign


def test_a_rubric_of_ones_own_is_scored_by_ones_own_tests(foreign: Foreign):
    foreign.probes(PASSING)
    outcome = foreign.run()
    assert outcome.status == 0, outcome.text
    assert outcome.card["score"]["sections"] == {"data": 0.5, "model": 0.5}
    assert outcome.card["score"]["final"] == 0.5
    assert outcome.card["score"]["if_automated"]["final"] == 1.0
    assert outcome.item("data.fresh")["findings"][0]["own"] is True
    assert outcome.item("data.whole")["reason_code"] == "not_run"


def test_a_measurement_beyond_its_limit_fails_the_test_and_says_so_beside_the_score(foreign: Foreign):
    foreign.probes(PASSING.replace('"age", 3', '"age", 30'))
    outcome = foreign.run()
    assert outcome.status == 1
    item = outcome.item("data.fresh")
    assert (item["verdict"], item["points"]) == ("failed", 0)
    assert "age is 30 h, allowed is at most 24 h" in item["reason"]
    assert "1 item FAILED" in outcome.text
    assert outcome.card["score"]["in_place"]["final"] == 0.5


def test_later_measurements_are_not_lost_when_an_early_one_fails(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.mark.ml_score("data.fresh")
        def test_both(evidence):
            evidence.measure("first", 2, limit=1)
            evidence.measure("second", 5, limit=9)
        """
    )
    finding = foreign.run().item("data.fresh")["findings"][0]
    assert [m["name"] for m in finding["measurements"]] == ["first", "second"]


def test_an_interval_across_the_limit_is_not_demonstrated_and_says_which_n_would_decide(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.mark.ml_score("data.fresh")
        def test_close(evidence):
            evidence.measure("loss", 1.0, limit=1.1, ci=(0.8, 1.2), n=100)
        """
    )
    item = foreign.run().item("data.fresh")
    assert (item["verdict"], item["reason_code"]) == ("not_demonstrated", "too_little_data")
    assert "n = 400 would decide" in item["reason"]


def test_a_plain_assertion_still_fails_and_an_exception_is_an_error(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.mark.ml_score("data.fresh")
        def test_asserts(evidence):
            evidence.measure("age", 1, limit=2)
            assert 1 == 2

        @pytest.mark.ml_score("model.fast")
        def test_breaks(evidence):
            evidence.measure("latency", 1, limit=2)
            raise RuntimeError("the socket is gone")
        """
    )
    outcome = foreign.run()
    assert outcome.item("data.fresh")["verdict"] == "failed"
    assert outcome.item("model.fast")["verdict"] == "error"
    assert "the socket is gone" in outcome.item("model.fast")["reason"]


def test_a_test_without_a_measurement_earns_nothing(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.mark.ml_score("data.fresh")
        def test_quiet(evidence):
            assert True
        """
    )
    outcome = foreign.run()
    assert outcome.item("data.fresh")["verdict"] == "not_demonstrated"
    assert outcome.status == 5


def test_not_a_number_never_passes(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.mark.ml_score("data.fresh")
        def test_nan(evidence):
            evidence.measure("age", float("nan"), limit=24)
        """
    )
    outcome = foreign.run()
    assert outcome.item("data.fresh")["verdict"] == "not_demonstrated"
    assert "NaN" not in (outcome.folder / ".ml-score" / "report.json").read_text()


def test_skips_broken_teardowns_and_expected_failures_do_not_score(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.fixture
        def leaky():
            yield
            raise RuntimeError("cannot clean up")

        @pytest.mark.skip(reason="later")
        @pytest.mark.ml_score("data.fresh")
        def test_skipped(evidence):
            evidence.measure("age", 1, limit=2)

        @pytest.mark.ml_score("data.whole")
        def test_leaks(evidence, leaky):
            evidence.measure("lost", 0, limit=0)

        @pytest.mark.xfail(strict=False, reason="known")
        @pytest.mark.ml_score("model.fast")
        def test_known(evidence):
            evidence.measure("latency", 50, limit=20)
        """
    )
    outcome = foreign.run()
    assert outcome.item("data.fresh")["verdict"] == "not_demonstrated"
    assert outcome.item("data.whole")["verdict"] == "error"
    assert outcome.item("model.fast")["verdict"] == "failed"
    assert outcome.status == 1


def test_an_unexpected_pass_is_an_error(foreign: Foreign):
    foreign.probes(
        PASSING.replace('@pytest.mark.ml_score("data', '@pytest.mark.xfail(strict=False)\n@pytest.mark.ml_score("data')
    )
    outcome = foreign.run()
    assert outcome.item("data.fresh")["verdict"] == "error"
    assert outcome.status == 1


def test_without_the_option_a_marked_test_is_an_ordinary_test(foreign: Foreign):
    foreign.probes(PASSING.replace('"age", 3', '"age", 30'))
    result = foreign.pytester.runpytest_subprocess("-p", "no:randomly", "--strict-markers")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*age is 30 h, allowed is at most 24 h*"])
    assert not (foreign.pytester.path / ".ml-score").exists()


def test_unmarked_tests_are_put_aside_unless_asked_for(foreign: Foreign):
    foreign.probes(PASSING)
    foreign.probes("def test_plain():\n    assert True\n", "test_plain")
    assert "2 passed, 1 deselected" in foreign.run().text
    assert "3 passed" in foreign.run("--ml-score-with-tests").text


def test_a_class_can_carry_the_mark(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.mark.ml_score("data.fresh")
        class TestFreshness:
            def test_age(self, evidence):
                evidence.measure("age", 1, limit=2)
        """
    )
    assert foreign.run().item("data.fresh")["verdict"] == "passed"


def test_a_team_can_override_our_fixtures_for_its_own_tests(foreign: Foreign):
    foreign.conftest("""
import pytest

@pytest.fixture
def ml_data():
    return [1, 2, 3]
""")
    foreign.probes(
        """
        import pytest

        @pytest.mark.ml_score("data.whole")
        def test_rows(evidence, ml_data):
            evidence.measure("rows", len(ml_data), limit=3, better="higher")
        """
    )
    assert foreign.run().item("data.whole")["verdict"] == "passed"


def test_a_fixture_that_withholds_skips_the_test_with_its_reason(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.fixture
        def days(evidence):
            evidence.withhold("needs 40 more days", "too_little_data")

        @pytest.mark.ml_score("data.fresh")
        def test_age(evidence, days):
            evidence.measure("age", 1, limit=2)
        """
    )
    outcome = foreign.run()
    item = outcome.item("data.fresh")
    assert (item["verdict"], item["reason_code"]) == ("not_demonstrated", "too_little_data")
    assert "1 skipped" in outcome.text
    assert outcome.status == 5


def test_a_skip_does_not_take_back_a_failed_measurement(foreign: Foreign):
    foreign.probes(
        """
        import pytest

        @pytest.mark.ml_score("data.fresh")
        def test_age(evidence):
            evidence.measure("age", 30, limit=24)
            pytest.skip("not today")
        """
    )
    outcome = foreign.run()
    assert outcome.item("data.fresh")["verdict"] == "failed"
    assert outcome.status == 1


def test_a_test_that_is_expected_to_fail_and_never_run_is_in_no_place(foreign: Foreign):
    foreign.probes(
        PASSING.replace('@pytest.mark.ml_score("data', '@pytest.mark.xfail(run=False)\n@pytest.mark.ml_score("data')
    )
    outcome = foreign.run()
    assert outcome.item("data.fresh")["reason_code"] == "not_run"
    assert outcome.card["score"]["in_place"]["sections"]["data"] == 0


def test_a_teardown_that_hangs_is_an_error(foreign: Foreign):
    foreign.probes(
        PASSING.replace("def test_fresh(evidence)", "def test_fresh(evidence, slow)")
        + """
@pytest.fixture
def slow():
    import time
    yield
    time.sleep(60)
"""
    )
    outcome = foreign.run("--ml-score-timeout", "1")
    assert "did not finish within 1 s" in outcome.item("data.fresh")["reason"]
    assert outcome.item("model.fast")["verdict"] == "passed"


def test_a_mark_that_a_conftest_adds_counts_and_is_checked(foreign: Foreign):
    foreign.conftest("""

import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.ml_score(item.name.removeprefix("test_").replace("_", ".")))
""")
    foreign.probes("def test_data_whole(evidence):\n    evidence.measure('lost', 0, limit=0)\n")
    assert foreign.run().item("data.whole")["verdict"] == "passed"
    foreign.probes("def test_data_hole(evidence):\n    evidence.measure('lost', 0, limit=0)\n")
    assert foreign.run().status == 4


def test_two_marks_on_one_test_are_a_usage_error(foreign: Foreign):
    foreign.probes(
        PASSING.replace(
            '@pytest.mark.ml_score("data', '@pytest.mark.ml_score("data.whole")\n@pytest.mark.ml_score("data'
        )
    )
    outcome = foreign.run()
    assert outcome.status == 4
    assert "write one test for each item" in outcome.text


def test_tests_of_ones_own_that_are_deselected_are_said(foreign: Foreign):
    foreign.probes(PASSING)
    outcome = foreign.run("--deselect", "test_probes.py::test_fast", "-n", "2")
    assert "1 marked test of your own did not run: deselected" in outcome.text
