from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltest.rubric import load
from mltest.rubric_yaml import MAX_BYTES, RubricError

Write = Callable[[str | bytes], Path]
SOUND = b"id: ours\nsections: [{id: a, title: A}]\nitems: [{id: a.b, title: T, remedy: Do it.}]\n"


def refused(path: Path) -> str:
    with pytest.raises(RubricError) as caught:
        load(path)
    return str(caught.value)


def loaded_or_refused(path: Path) -> str:
    """The ids of the items or the message; any other exception is the test's failure."""
    try:
        return " ".join(item.id for item in load(path).items)
    except RubricError as error:
        return str(error)


def test_a_missing_file_is_named(tmp_path: Path):
    path = tmp_path / "nowhere.yaml"
    assert refused(path) == f"{path}: cannot be read (No such file or directory); check the path"


def test_a_folder_is_not_a_rubric(tmp_path: Path):
    assert "cannot be read (Is a directory)" in refused(tmp_path)


def test_an_empty_file_is_told_what_it_needs(written: Write):
    assert "is empty; a rubric needs at least id, sections and items" in refused(written(""))


def test_a_file_that_is_too_large_is_not_parsed(written: Write):
    assert "is larger than 1,000,000 bytes" in refused(written(SOUND + b"#" * MAX_BYTES))


def test_a_file_in_another_encoding_names_the_line(written: Write):
    assert ":2: is not UTF-8 text" in refused(written("id: ours\ntitle: Größe\n".encode("latin-1")))


def test_a_repeated_key_is_refused_instead_of_won_by_the_last(written: Write):
    assert ":4: the key 'id' stands here twice; drop one" in refused(written(SOUND + b"id: other\n"))


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\n", "a: &x [1]\n", "a: *x\n"])
def test_anchors_and_aliases_are_refused(written: Write, text: str):
    assert ":1: uses an alias or anchor" in refused(written(text))


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [true]", "!own x", "!!binary aGk="])
def test_tags_are_refused_and_never_called(written: Write, tag: str):
    assert ":2: uses the tag" in refused(written(f"id: ours\ntitle: {tag}\n"))


def test_a_merge_key_is_refused(written: Write):
    assert "'<<' is not a text" in refused(written("id: ours\n<<: {title: x}\n"))


def test_deep_nesting_is_refused_before_it_costs_anything(written: Write):
    assert "nested deeper than" in refused(written("id: " + "[" * 100_000))


def test_a_second_document_is_refused(written: Write):
    assert ":4: is not YAML" in refused(written(SOUND + b"---\nid: other\n"))


def test_broken_yaml_names_the_line(written: Write):
    assert ":3: is not YAML in what begins at line 2" in refused(written("id: ours\ntitle: [open\n"))


def test_a_list_at_the_top_is_refused(written: Write):
    assert ":1: a sequence is not a mapping" in refused(written("- id: ours\n"))


def test_a_control_character_is_refused_wherever_it_hides(written: Write):
    assert "holds a control character" in refused(written('id: "our\\e[2Js"\nsections: []\nitems: []\n'))
    assert ":2: holds the character U+001B" in refused(written("id: ours\ntitle: \x1b[2J\n"))


def test_a_message_stays_on_one_line_and_short_whatever_the_file_says(written: Write):
    message = refused(written('"evil\\n\\e[2J' + "x" * 5000 + '": 1\n'))
    assert message.isprintable()
    assert len(message) < 2000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.tuples(st.integers(0, len(SOUND)), st.binary(max_size=4)).map(lambda cut: SOUND[: cut[0]] + cut[1]),
        st.tuples(st.integers(0, len(SOUND)), st.sampled_from([b"*", b"&a ", b"!", b"{", b"\t", b"\xff", b": "])).map(
            lambda cut: SOUND[: cut[0]] + cut[1] + SOUND[cut[0] :]
        ),
    )
)
def test_no_content_gets_past_the_loader_as_anything_but_a_rubric_or_one_clear_line(written: Write, content: bytes):
    answer = loaded_or_refused(written(content))
    assert answer.isprintable()
    assert answer
