from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from mltest import resources
from mltest import rubric as rubric_files
from mltest.manifest import Manifest, ManifestError, find, load

Written = Callable[..., Path]

LEAST = 'name = "tumours"\ntask = "binary"\n'
DATA = '[data]\ntraining = "train.parquet"\ntarget = "malignant"\n'
MODEL = '[model]\nonnx = "model.onnx"\n'
DIGEST = "a" * 64
ATTESTATION = f"""
[[attestations]]
item = "model.review"
by = "Ada Lovelace"
on = 2026-01-15
expires = 2026-07-15
evidence = "minutes.md"
sha256 = "{DIGEST}"
"""
WAIVER = """
[[waivers]]
item = "infra.canary"
owner = "Grace"
expires = 2026-12-31
reason = "planned"
"""


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a manifest beside the files that the examples name, and returns its path."""
    for name in ("train.parquet", "holdout.parquet", "model.onnx", "schema.yaml", "minutes.md"):
        (tmp_path / name).touch()

    def write(content: str | bytes, name: str = "mltest.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def message(path: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        load(path)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert "\n" not in said
    return said.removeprefix(f"{path}: ")


def test_a_name_and_a_task_are_enough(written: Written) -> None:
    manifest = load(written(LEAST))
    assert (manifest.name, manifest.task, manifest.environment) == ("tumours", "binary", "development")
    assert (manifest.experiments, manifest.recency_days, manifest.data, manifest.model) == (False, 7, None, None)


def test_every_key_is_read(written: Written) -> None:
    manifest = load(
        written(
            LEAST
            + 'version = "1.2"\nenvironment = "staging"\nexperiments = true\nrecency_days = 3\n'
            + DATA
            + 'holdout = "holdout.parquet"\ntime = "at"\nblock = "day"\nkeys = ["id"]\ngroups = ["region"]\n'
            + 'slices = ["size"]\npositive = 1\nschema = "schema.yaml"\ninputs = ["a", "b"]\n'
            + MODEL
            + 'inputs = { x = ["a", "b"], z = "c" }\noutput = "p"\nversion = "m-1"\ntrained_until = 2026-01-01\n'
            + ATTESTATION
            + WAIVER
        )
    )
    assert manifest.data is not None
    assert manifest.model is not None
    assert manifest.data.inputs == ("a", "b")
    assert manifest.data.schemas == {"dataset": "schema.yaml"}
    assert manifest.model.inputs == {"x": ("a", "b"), "z": "c"}
    assert manifest.model.trained_until == datetime(2026, 1, 1, tzinfo=UTC)
    assert manifest.attestation_records()[0].expires == date(2026, 7, 15)
    assert manifest.waiver_records()[0].owner == "Grace"


def test_pyproject_holds_it_in_a_table_and_names_that_table_in_errors(written: Written) -> None:
    path = written('[tool.mltest]\nname = "eta"\ntask = "regression"\nexperimets = true\n', "pyproject.toml")
    assert message(path).startswith("tool.mltest.experimets: unknown key; did you mean 'experiments'?")


def test_a_manifest_cannot_be_changed_once_it_is_read(written: Written) -> None:
    manifest = load(written(LEAST))
    with pytest.raises(ValueError, match="frozen"):
        manifest.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('name = "x"\n', "task: this key is missing; add it"),
        ('nam = "x"\ntask = "binary"\n', "nam: unknown key; did you mean 'name'?"),
        ('name = 7\ntask = "binary"\n', "name: is 7, it should be text"),
        (LEAST + 'enviroment = "staging"\n', "enviroment: unknown key; did you mean 'environment'?; allowed are name"),
        ('name = "x"\ntask = "binry"\n', "task: is 'binry'; did you mean 'binary'?; it can be 'binary', 'multiclass'"),
        (LEAST + 'environment = "prod"\n', "environment: is 'prod'; did you mean 'production'?; it can be"),
        (LEAST + 'experiments = "yes"\n', "experiments: is 'yes', it should be a valid boolean"),
        (LEAST + "experiments = 1\n", "experiments: is 1, it should be a valid boolean"),
        (LEAST + 'recency_days = "7"\n', "recency_days: is '7', it should be a valid integer"),
        (LEAST + "recency_days = 0\n", "recency_days: is 0, it should be greater than or equal to 1"),
        (LEAST + 'system = "os.system"\n', "system: is 'os.system', string should match"),
        (LEAST + 'version = "../../v0"\n', "version: is '../../v0', string should match"),
        (LEAST + '[data]\ntraining = "train.parquet"\n', "data.target: this key is missing; add it"),
        (LEAST + DATA + 'trainig = "x"\n', "data.trainig: unknown key; did you mean 'training'?"),
        (LEAST + DATA + 'schem = "x"\n', "data.schem: unknown key; did you mean 'schema'?"),
        (LEAST + DATA + 'keys = "id"\n', "data.keys: is 'id', it should be a list"),
        (LEAST + DATA + 'keys = ["id", "id"]\n', "data.keys: 'id' occurs twice"),
        (LEAST + 'data = "train.parquet"\n', "data: is 'train.parquet', it should be a table"),
        (
            LEAST + MODEL + "trained_until = 2026-01-01T00:00:00\n",
            "model.trained_until: 2026-01-01 00:00:00 has no time",
        ),
        (LEAST + "[model]\n", "model.onnx: this key is missing"),
        (LEAST + ATTESTATION.replace("by =", "bye ="), "attestations[1].bye: unknown key; did you mean 'by'?"),
        (LEAST + ATTESTATION.replace(DIGEST, "short"), "attestations[1].sha256: is 'short', string should match"),
        (
            LEAST + ATTESTATION.replace("2026-01-15", '"soon"'),
            "attestations[1].on: is 'soon', it should be a valid date",
        ),
        (
            LEAST + WAIVER.replace("planned", "too hard"),
            "waivers[1].reason: is 'too hard'; it can be 'accepted-risk', 'not-applicable', 'planned'",
        ),
    ],
)
def test_a_mistake_is_one_line_with_its_key_and_the_remedy(written: Written, content: str, said: str) -> None:
    assert message(written(content)).startswith(said)


@pytest.mark.parametrize("kind", ["torch_export", "skops", "mlflow", "http"])
def test_a_kind_of_model_that_is_not_read_is_refused_with_the_one_that_is(written: Written, kind: str) -> None:
    said = message(written(LEAST + f'[model]\n{kind} = "m"\n'))
    assert said.startswith(f"model.{kind}: this version reads models of the kind onnx")


def test_several_mistakes_are_counted(written: Written) -> None:
    assert message(written('nam = "x"\n')).endswith("(and 2 more)")


def test_bytes_that_are_not_utf8_are_told_with_their_line(written: Written) -> None:
    assert message(written(b'name = "x"\ntask = "caf\xe9"\n')) == "line 2 is not UTF-8 text; save the file as UTF-8"


def test_broken_toml_is_told_with_its_line(written: Written) -> None:
    assert "line 2" in message(written('name = "x"\ntask = \n'))


def test_a_key_that_is_set_twice_is_refused(written: Written) -> None:
    assert "valid TOML" in message(written(LEAST + 'name = "y"\n'))


def test_nesting_without_end_is_refused(written: Written) -> None:
    assert "nested too deeply" in message(written("name = " + "[" * 5000 + "]" * 5000))


def test_a_file_of_more_than_a_megabyte_is_refused(written: Written) -> None:
    assert "larger than 1 MB" in message(written(LEAST + "#" * 1_000_000))


def test_a_manifest_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in message(tmp_path / "mltest.toml")


def test_a_pyproject_without_the_table_says_what_to_add(written: Written) -> None:
    assert "add [tool.mltest]" in message(written("[project]\n", "pyproject.toml"))


def test_control_characters_of_a_file_do_not_reach_the_terminal(written: Written) -> None:
    said = message(written(LEAST + '"\\u001b]0;owned\\u0007" = 1\n'))
    assert "\x1b" not in said
    assert "\x07" not in said


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("trian.parquet", "there is no file 'trian.parquet'; did you mean 'train.parquet'?"),
        ("../train.parquet", "leads out of the folder"),
        ("/etc/passwd", "leads out of the folder"),
        ("~/.ssh/id_rsa", "leads out of the folder"),
        ("..\\\\train.parquet", "holds a backslash"),
        ("a\\u0000b", "is no path"),
        ("s3://bucket/train.parquet", "is a URI; name a local file"),
        ("*.csv", "there is no file '*.csv'"),
        (".", "there is no file '.'"),
    ],
)
def test_a_path_has_to_name_a_file_below_the_folder(written: Written, named: str, said: str) -> None:
    content = LEAST + DATA.replace("train.parquet", named)
    assert said in message(written(content))
    assert message(written(content)).startswith("data.training: ")


def test_a_symbolic_link_does_not_lead_out_of_the_folder(written: Written, tmp_path: Path) -> None:
    path = written(LEAST + DATA.replace("train.parquet", "link.parquet"))
    os.symlink("/etc/passwd", tmp_path / "link.parquet")
    assert "leads out of the folder" in message(path)


@pytest.mark.parametrize(
    "line", ['schema = "no.yaml"', 'schema = { training = "no.yaml" }', 'request_log = "no/*.csv"']
)
def test_every_named_file_has_to_be_there(written: Written, line: str) -> None:
    assert "there is no file" in message(written(LEAST + DATA + line + "\n"))


def test_the_evidence_of_an_attestation_has_to_be_there(written: Written) -> None:
    said = message(written(LEAST + ATTESTATION.replace("minutes.md", "minutes.pdf")))
    assert said.startswith("attestations[1].evidence: there is no file 'minutes.pdf'; did you mean 'minutes.md'?")


def test_evidence_is_digested_where_it_can_be_read(written: Written) -> None:
    manifest = load(written(LEAST))
    assert manifest.evidence_digest("minutes.md") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert manifest.evidence_digest("gone.md") is None
    assert manifest.evidence_digest("../outside.md") is None


@pytest.mark.parametrize(
    "limits",
    [
        '[limits]\n"model.slices.worst_ratio" = 1.5\n',
        '[limits."model.slices"]\nworst_ratio = 1.5\n',
        "[limits.model.slices]\nworst_ratio = 1.5\n",
        "limits.model.slices.worst_ratio = 1.5\n",
    ],
)
def test_a_limit_is_written_with_quotes_or_in_tables(written: Written, limits: str) -> None:
    manifest = load(written(LEAST + limits))
    assert manifest.limits["model.slices"] == {"worst_ratio": 1.5}
    assert "model.baseline" not in manifest.limits


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ('"model.slices" = 1', "names no measurement"),
        ('"model.slices.x" = nan', "a limit is a finite number"),
        ('"model.slices.x" = inf', "a limit is a finite number"),
        ('"model.slices.x" = true', "a limit is a finite number"),
        ('"model.slices.x" = "1"', "a limit is a finite number"),
        ('"model.slices.x" = 1\nmodel.slices.x = 2', "is set twice"),
    ],
)
def test_a_limit_has_to_be_a_finite_number_of_one_measurement(written: Written, limits: str, said: str) -> None:
    found = message(written(f"{LEAST}[limits]\n{limits}\n"))
    assert found.startswith("limits: ")
    assert said in found


@pytest.mark.parametrize(
    ("part", "key"),
    [
        ('[limits]\n"data.shema.violations" = 1\n', "limits.data.shema"),
        (ATTESTATION.replace("model.review", "data.shema"), "attestations[1].item"),
        (
            '[[waivers]]\nitem = "data.shema"\nowner = "G"\nexpires = 2026-12-31\nreason = "planned"\n',
            "waivers[1].item",
        ),
    ],
)
def test_an_item_that_the_rubric_does_not_have_is_refused(written: Written, part: str, key: str) -> None:
    manifest = load(written(LEAST + part))
    with pytest.raises(
        ManifestError, match=r"the rubric has no item 'data\.shema'; did you mean 'data\.schema'\?"
    ) as e:
        manifest.check_items(rubric_files.load(resources.path(rubric_files.BUNDLED)))
    assert e.value.key == key


def test_items_of_the_rubric_are_accepted(written: Written) -> None:
    manifest = load(written(LEAST + '[limits]\n"data.schema.violations" = 1\n' + ATTESTATION))
    manifest.check_items(rubric_files.load(resources.path(rubric_files.BUNDLED)))
    assert manifest.limits["data.schema"] == {"violations": 1.0}


def test_the_nearest_manifest_upwards_is_found(written: Written, tmp_path: Path) -> None:
    path = written(LEAST)
    deep = tmp_path / "src" / "deep"
    deep.mkdir(parents=True)
    assert find(deep) == path
    nearer = tmp_path / "src" / "mltest.toml"
    nearer.write_text(LEAST)
    assert find(deep) == nearer


def test_a_pyproject_without_the_table_is_passed_over(written: Written, tmp_path: Path) -> None:
    path = written(LEAST)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert find(inner) == path


def test_a_folder_with_two_manifests_is_an_error(written: Written, tmp_path: Path) -> None:
    written(LEAST)
    written('[tool.mltest]\nname = "x"\n', "pyproject.toml")
    with pytest.raises(ManifestError, match="keep one of the two"):
        find(tmp_path)


def test_its_digest_is_that_of_the_file(written: Written) -> None:
    first, second = load(written(LEAST)).sha256, load(written(LEAST + "\n")).sha256
    assert len(first) == len(second) == 64
    assert first != second


def test_the_folder_of_the_manifest_is_where_paths_start(written: Written, tmp_path: Path) -> None:
    manifest: Manifest = load(written(LEAST))
    assert manifest.root == tmp_path
