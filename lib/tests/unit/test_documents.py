"""Errors of documents name file, line, what was found and the nearest valid name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from nfvcert.documents import LARGEST_DOCUMENT, line_of, load_yaml, read_document
from nfvcert.errors import DropError, UsageError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Wheel(_Strict):
    size: int = Field(gt=0)
    tyre: str | None = None


class Engine(_Strict):
    fuel: Literal["diesel", "petrol"]


class Car(_Strict):
    name: str
    wheels: list[Wheel] = []
    engine: Engine | None = None
    spares: dict[str, Wheel] = {}


GOOD = """\
name: van
wheels:
- size: 16
- size: 17
  tyre: snow
engine:
  fuel: diesel
spares:
  front: {size: 16}
"""


def car(tmp_path: Path, text: str) -> Car:
    path = tmp_path / "car.yaml"
    path.write_text(text, encoding="utf-8")
    return read_document(path, Car)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(UsageError) as raised:
        car(tmp_path, text)
    return raised.value.message.replace(str(tmp_path / "car.yaml"), "car.yaml")


def test_a_good_document(tmp_path: Path) -> None:
    read = car(tmp_path, GOOD)
    assert (read.name, [wheel.size for wheel in read.wheels], read.spares["front"].size) == ("van", [16, 17], 16)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  tyre: snow", "  tire: snow", "car.yaml:5: unknown key 'wheels.1.tire'; did you mean 'tyre'?"),
        ("  fuel: diesel", "  feul: diesel", "car.yaml:7: unknown key 'engine.feul'; did you mean 'fuel'?"),
        ("wheels:\n", "weels:\n", "car.yaml:2: unknown key 'weels'; did you mean 'wheels'?"),
        ("{size: 16}", "{sise: 16}", "car.yaml:9: unknown key 'spares.front.sise'; did you mean 'size'?"),
        ("  tyre: snow", "  zzz: snow", "car.yaml:5: unknown key 'wheels.1.zzz'; valid here: size, tyre"),
        ("name: van\n", "", "car.yaml:1: 'name' is missing"),
        ("- size: 17", "- size: big", "car.yaml:4: 'wheels.1.size': input should be a valid integer"),
        ("- size: 17", "- size: 0", "car.yaml:4: 'wheels.1.size': input should be greater than 0, found '0'"),
        ("  fuel: diesel", "  fuel: deisel", "found 'deisel'; did you mean 'diesel'?"),
        ("  fuel: diesel", "  fuel: [1]", "car.yaml:7: 'engine.fuel'"),
        ("name: van", "name: {a: 1}", "found dict"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert message in refused(tmp_path, GOOD.replace(old, new))


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    message = refused(tmp_path, "colour: red\nwheels: [{size: x}]\n")
    assert "unknown key 'colour'" in message
    assert "'name' is missing" in message
    assert "'wheels.0.size'" in message


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n", "42\n", "null\n"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "the document is no mapping" in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: van\nname: car\n", 2),
        ("name: [van\n", 2),
        ("name: van\n\twheels: []\n", 2),
        ("a: b: c\n", 1),
        ("%\n", 1),
    ],
)
def test_what_is_not_yaml_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    message = refused(tmp_path, text)
    assert "not valid YAML" in message
    assert f"car.yaml:{line}" in message


@pytest.mark.parametrize(
    "value", ["2001-13-45", "!!int big", "!!set x", "!!int", "[" * 3000 + "]" * 3000], ids=lambda value: value[:12]
)
def test_values_that_cannot_be_converted_are_refused(tmp_path: Path, value: str) -> None:
    assert "not valid YAML" in refused(tmp_path, f"name: {value}\n")


def test_duplicate_keys_deep_inside_are_refused(tmp_path: Path) -> None:
    assert "duplicate key" in refused(tmp_path, "name: van\nengine:\n  fuel: diesel\n  fuel: petrol\n")


def test_no_objects_are_made(tmp_path: Path) -> None:
    """A tag that asks for code is text or an error, never run."""
    marker = tmp_path / "ran"
    refused(tmp_path, f"name: !!python/object/apply:os.system ['touch {marker}']\n")
    assert not marker.exists()


def test_a_document_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the document cannot be read"):
        read_document(tmp_path / "nothing.yaml", Car)
    with pytest.raises(UsageError, match="the document cannot be read"):
        read_document(tmp_path, Car)


def test_a_document_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "car.yaml"
    path.write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_document(path, Car)


def test_a_document_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "car.yaml"
    with path.open("wb") as out:
        out.truncate(LARGEST_DOCUMENT + 1)
    with pytest.raises(UsageError, match="too large"):
        read_document(path, Car)


def test_the_kind_of_error_is_the_callers(tmp_path: Path) -> None:
    with pytest.raises(DropError):
        read_document(tmp_path / "nothing.yaml", Car, error=DropError)


def test_lines_of_places(tmp_path: Path) -> None:
    path = tmp_path / "car.yaml"
    path.write_text(GOOD, encoding="utf-8")
    raw = load_yaml(path)
    assert line_of(raw, ("wheels", 1, "tyre")) == 5
    assert line_of(raw, ("wheels", 1, "absent")) == 4
    assert line_of(raw, ("absent",)) == 1
    assert line_of(raw, ()) == 1
    assert line_of(raw, ("name", "deeper")) == 1


TOKENS = [
    "name",
    ": ",
    "\n",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a",
    "*a",
    "!!int ",
    "!!set",
    "2001-13-45",
    '"',
    "|",
    "? ",
    "0x",
    "~",
]


@given(text=st.text(max_size=80) | st.lists(st.sampled_from(TOKENS), max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("document") / "car.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read_document(path, Car)
    except UsageError as error:
        assert error.message
