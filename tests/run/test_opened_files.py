"""Files that a training opens, told apart by whose they are and what is in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = """
import os, shutil
from pathlib import Path
from mltest.run.opened_files import OpenedFiles
own = Path("own"); own.mkdir(exist_ok=True)
model = own / "model"
model.write_text("weights")
files = OpenedFiles(own)
with files.heard():
    {code}
print([os.path.basename(path) for path in files.given_back(model)], len(files.of_others(files.written)))
"""


def told(folder: Path, code: str) -> str:
    """Names of files that were given back, and how many were written outside; `theirs` has the model's bytes."""
    home = folder / "home"
    home.mkdir()
    (folder / "theirs").write_text("weights")
    (folder / "others").write_text("another")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(home), "TMPDIR": str(home)}
    command = [sys.executable, "-c", SETUP.format(code=code)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Path('theirs').read_bytes()", "['theirs'] 0"),
        ("shutil.copy('theirs', own / 'copy')", "['theirs'] 0"),
        ("os.close(os.open('theirs', os.O_RDONLY))", "['theirs'] 0"),
        ("Path('others').read_bytes()", "[] 0"),
        ("Path('log').write_text('weights'); Path('log').read_text()", "[] 1"),
        ("model.rename('moved'); model.write_text('weights'); Path('moved').read_text()", "[] 1"),
        ("model.read_bytes(); shutil.copy(model, Path.home()); (Path.home() / 'model').read_bytes()", "[] 1"),
        ("pass", "[] 0"),
    ],
)
def test_only_a_file_of_others_with_the_bytes_of_the_model_is_given_back(
    tmp_path: Path, code: str, expected: str
) -> None:
    assert told(tmp_path, code) == expected
