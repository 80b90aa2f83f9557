"""The wheel, as somebody installs it who has nothing: no extras, an empty directory."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV_", "GITHUB"))}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**clean, **environment},
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


def test_it_holds_two_packages_and_the_folders_that_travel_with_them(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"mltest", "reference_system"}
    for expected in (
        "mltest/py.typed",
        "mltest/_data/rubric/breck-2017.yaml",
        "mltest/_data/suites/data/test_mlscore_data_schema.py",
        "mltest/_data/reports/report.html.jinja",
    ):
        assert expected in names


def test_in_an_empty_place_it_scores_nothing_and_says_how_to_begin(wheel: Path, tmp_path: Path):
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    installed = run(python, "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    scored = run(python, "-m", "pytest", "--ml-score", cwd=empty)
    assert scored.returncode == 5, scored.stdout + scored.stderr
    card = json.loads((empty / ".ml-score" / "report.json").read_text())
    assert card["score"]["final"] == 0
    assert [item["verdict"] for item in card["items"]] == ["not_demonstrated"] * 28
    assert "mltest.toml" in scored.stdout
    assert (empty / ".ml-score" / "report.html").stat().st_size < 1_000_000
