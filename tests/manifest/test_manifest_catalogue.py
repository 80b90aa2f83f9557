"""A catalogue beside a manifest: read as stated, and wrong in one line that names file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltest.manifest import ManifestError, load
from mltest.manifest_catalogue import read
from mltest.system import FeatureInfo, RawColumn

POLICY = '[policy]\nsources = { dataset = "ours" }\nlicences = ["ours"]\n'
FEATURE = '[[features]]\nname = "radius"\nsource = "dataset: radius"\nowner = "team"\navailable_at = "at once"\n'
MANIFEST = """
name = "x"
task = "binary"
[data]
training = "train.parquet"
target = "y"
catalogue = "catalogue.toml"
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.toml"


def refused(path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    return said.removeprefix(f"{path}: ")


def test_the_least_that_is_needed(catalogue: Path) -> None:
    catalogue.write_text(POLICY + FEATURE, encoding="utf-8")
    found = read(catalogue)
    assert found.catalogue == (FeatureInfo("radius", "", "dataset: radius", "team", "at once"),)
    assert (found.policy.sources, found.policy.licences) == ({"dataset": "ours"}, ("ours",))
    assert (found.policy.sensitivities, found.policy.owners, found.policy.forbidden) == (("none",), (), ())


def test_every_key_is_read(catalogue: Path) -> None:
    more = 'sensitivities = ["health"]\nowners = ["team"]\nforbidden = ["id"]\nknown_later = ["y"]\n'
    entry = 'dtype = "float"\ngroup = "g"\nnullable = true\nsensitivity = "health"\ndeprecated_after = 2027-01-31\n'
    catalogue.write_text(POLICY + more + FEATURE + entry, encoding="utf-8")
    found = read(catalogue)
    assert found.policy.forbidden == (RawColumn("dataset", "id"),)
    assert found.policy.known_later == (RawColumn("dataset", "y"),)
    assert found.policy.owners == ("team",)
    (only,) = found.catalogue
    assert (only.dtype, only.group, only.nullable, only.sensitivity) == ("float", "g", True, "health")
    assert only.deprecated_after == "2027-01-31"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (FEATURE, "policy: this key is missing; add it"),
        (POLICY, "features: this key is missing; add it"),
        (POLICY + "forbiden = []\n" + FEATURE, "policy.forbiden: unknown key; did you mean 'forbidden'?"),
        (POLICY + FEATURE + 'ower = "x"\n', "features[1].ower: unknown key; did you mean 'owner'?"),
        (POLICY + FEATURE + "nullable = 1\n", "features[1].nullable: is 1"),
        (POLICY + FEATURE + 'deprecated_after = "soon"\n', "features[1].deprecated_after: is 'soon'"),
        (POLICY + FEATURE + FEATURE, "features: 'radius' has 2 entries; keep one of them"),
        (POLICY.replace('["ours"]', "[]") + FEATURE, "policy.licences: is"),
        (POLICY + 'forbidden = ["id", "id"]\n' + FEATURE, "policy.forbidden: 'id' occurs twice; name it once"),
        ("[policy\n", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(catalogue: Path, content: str, said: str) -> None:
    assert refused(catalogue, content).startswith(said)


def test_a_wrong_catalogue_stops_a_run_before_it_starts(tmp_path: Path, catalogue: Path) -> None:
    (tmp_path / "train.parquet").touch()
    manifest = tmp_path / "mltest.toml"
    manifest.write_text(MANIFEST, encoding="utf-8")
    with pytest.raises(ManifestError, match=r"data.catalogue: there is no file 'catalogue.toml'"):
        load(manifest)
    catalogue.write_text(POLICY, encoding="utf-8")
    with pytest.raises(ManifestError, match=r"catalogue.toml: features: this key is missing"):
        load(manifest)
    catalogue.write_text(POLICY + FEATURE, encoding="utf-8")
    loaded = load(manifest)
    assert loaded.data is not None
    assert loaded.data.catalogue == "catalogue.toml"
