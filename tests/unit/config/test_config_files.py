from __future__ import annotations

import os
from pathlib import Path

import pytest

from swf.config.includes import read_tree
from swf.config.tomlfile import MAX_BYTES, key_lines, read_toml
from swf.core.errors import ConfigError


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_with_the_lines_of_its_keys(tmp_path: Path) -> None:
    path = written(tmp_path / "a.toml", "# first\n[one]\nx = 1\n\n[ two . three ]  # here\n  y-z = [\n 1,\n]\n")
    file = read_toml(path)
    assert file.table == {"one": {"x": 1}, "two": {"three": {"y-z": [1]}}}
    assert file.lines == {"one": 2, "one.x": 3, "two.three": 5, "two.three.y-z": 6}


def test_no_line_is_better_than_a_wrong_one() -> None:
    assert key_lines('[a]\nx = """\ny = 1\n"""\ny = 2\n') == {}


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf[one]\r\nx = 1\r\n")
    assert read_toml(path).table == {"one": {"x": 1}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[one]\nx = \n", ["not TOML", "line 2"]),
        (b"[one\nx = 1\n", ["not TOML", "line 1"]),
        (b"[one]\nx = 1\nx = 2\n", ["not TOML", "line 3"]),
        (b"[one]\nx = 1979-13-45\n", ["not TOML"]),
        (b"[one]\nx = " + b"9" * 5000 + b"\n", ["not TOML"]),
        (b"[one]\nx = " + b"[" * 5000 + b"]" * 5000 + b"\n", ["nested too deeply"]),
        (b"[one]\nx = '\xff'\n", ["not UTF-8", "line 2"]),
        (b"#" * (MAX_BYTES + 1), ["1000001 bytes", "at most 1000000"]),
        (b"\x00", ["not TOML"]),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, words: list[str]) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        read_toml(path, named_by="flag --config")
    for word in ["bad.toml", "flag --config", *words]:
        assert word in str(raised.value)


def test_what_is_no_readable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    cases = {"none.toml": "no such file", "": "is a folder", "pipe.toml": "not a plain file", "a\0b": "cannot be read"}
    for name, word in cases.items():
        with pytest.raises(ConfigError, match=word):
            read_toml(tmp_path / name)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ConfigError, match=r"closed\.toml.*cannot be read.*Permission denied"):
        read_toml(written(tmp_path / "closed.toml", ""))


def names(files: list[str], path: Path, shipped: Path) -> None:
    assert [str(file.path.name) for file in read_tree(path, [shipped])] == files


def test_includes_come_before_the_file_and_later_ones_are_stronger(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    written(shipped / "base.toml", "")
    written(tmp_path / "sub/near.toml", '[workflow]\nincludes = ["base.toml"]')
    written(tmp_path / "sub/base.toml", "")
    main = written(tmp_path / "main.toml", '[workflow]\nincludes = ["base.toml", "sub/near.toml"]\n')
    read = [file.path for file in read_tree(main, [shipped])]
    assert read == [shipped / "base.toml", tmp_path / "sub/base.toml", tmp_path / "sub/near.toml", main]


def test_a_file_that_is_reached_twice_counts_where_it_is_strongest(tmp_path: Path) -> None:
    written(tmp_path / "base.toml", "")
    written(tmp_path / "a.toml", '[workflow]\nincludes = ["base.toml"]')
    written(tmp_path / "b.toml", '[workflow]\nincludes = ["base.toml"]')
    main = written(tmp_path / "main.toml", '[workflow]\nincludes = ["a.toml", "b.toml"]\n')
    names(["a.toml", "base.toml", "b.toml", "main.toml"], main, tmp_path)


def test_config_names_a_workflow_that_the_file_changes(tmp_path: Path) -> None:
    written(tmp_path / "shipped/car_default.toml", "")
    written(tmp_path / "x.toml", "")
    main = written(tmp_path / "main.toml", '[workflow]\nconfig = "car"\nincludes = ["x.toml"]\n')
    names(["car_default.toml", "x.toml", "main.toml"], main, tmp_path / "shipped")
    assert [f.path.name for f in read_tree(main, [tmp_path], follow_config=False)] == ["x.toml", "main.toml"]


def test_a_missing_include_shows_the_chain(tmp_path: Path) -> None:
    main = written(tmp_path / "main.toml", '[workflow]\nincludes = ["mid.toml"]\n')
    written(tmp_path / "mid.toml", '[workflow]\nincludes = ["gone.toml"]\n')
    with pytest.raises(ConfigError) as raised:
        read_tree(main, [tmp_path / "shipped"])
    for word in ["'gone.toml'", "main.toml -> ", "mid.toml", str(tmp_path / "shipped")]:
        assert word in str(raised.value)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_cycle_of_includes_shows_the_chain(tmp_path: Path, length: int) -> None:
    for step in range(length):
        written(tmp_path / f"f{step}.toml", f'[workflow]\nincludes = ["f{(step + 1) % length}.toml"]\n')
    with pytest.raises(ConfigError, match="includes itself") as raised:
        read_tree(tmp_path / "f0.toml", [])
    assert str(raised.value).count(" -> ") == length


def test_a_cycle_through_a_link_is_found(tmp_path: Path) -> None:
    main = written(tmp_path / "main.toml", '[workflow]\nincludes = ["other.toml"]\n')
    (tmp_path / "other.toml").symlink_to(main)
    with pytest.raises(ConfigError, match="includes itself"):
        read_tree(main, [])


def test_a_tree_of_includes_without_end_is_refused(tmp_path: Path) -> None:
    for level in range(12):
        below = f'"l{level + 1}.toml", "m{level + 1}.toml"' if level < 11 else ""
        for name in "lm":
            written(tmp_path / f"{name}{level}.toml", f"[workflow]\nincludes = [{below}]\n")
    with pytest.raises(ConfigError, match="more than 100 files"):
        read_tree(tmp_path / "l0.toml", [])


@pytest.mark.parametrize("value", ['"one.toml"', "[1]", "5", '[""]', "true"])
def test_includes_that_are_no_list_of_names(tmp_path: Path, value: str) -> None:
    main = written(tmp_path / "main.toml", f"[workflow]\nincludes = {value}\n")
    with pytest.raises(ConfigError, match=r"main\.toml: \[workflow\] includes: expected a list of file names"):
        read_tree(main, [])


def test_an_include_with_an_impossible_name_is_missing(tmp_path: Path) -> None:
    for name in ("x" * 5000, "a\\u0000b"):
        main = written(tmp_path / "main.toml", f'[workflow]\nincludes = ["{name}"]\n')
        with pytest.raises(ConfigError, match="there is no"):
            read_tree(main, [])
