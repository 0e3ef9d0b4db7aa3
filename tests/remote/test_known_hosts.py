"""known_hosts files are read as OpenSSH reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.remote.known_hosts import Known, find, fingerprint, known_name, read
from tests.sshd import Sshd, make_key


@pytest.fixture
def keys(tmp_path: Path) -> list[str]:
    return [Sshd.public(make_key(tmp_path / f"key{number}")) for number in range(3)]


def known(tmp_path: Path, text: str, name: str) -> Known:
    file = tmp_path / "known_hosts"
    file.write_text(text)
    return find([tmp_path / "missing", file], name)


def test_names() -> None:
    """A port other than 22 is part of the name; case is not."""
    assert "box.example" == known_name("Box.Example", 22)
    assert "[box]:2222" == known_name("box", 2222)
    assert "[::1]:2222" == known_name("::1", 2222)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("box", "box", True),
        ("BOX", "box", True),
        ("box", "boxer", False),
        ("a,box,b", "box", True),
        ("*.example", "box.example", True),
        ("b?x", "box", True),
        ("*,!box", "box", False),
        ("!box", "other", False),
        ("[box]:2222", "[box]:2222", True),
        ("[box]:*", "[box]:2222", True),
        ("[b-x]ox", "box", False),
        ("box", "[box]:2222", True),
        ("[box]:2222", "box", False),
        ("[box]:2222", "[box]:2223", False),
    ],
)
def test_patterns(tmp_path: Path, keys: list[str], pattern: str, name: str, expected: bool) -> None:
    """Wildcards, negation and ports; a bare name also counts for another port if nothing better is known."""
    assert expected == bool(known(tmp_path, f"{pattern} {keys[0]}\n", name).keys)


def test_a_name_with_its_port_beats_the_bare_name(tmp_path: Path, keys: list[str]) -> None:
    """If [host]:port is known, the key of the bare host does not open it."""
    found = known(tmp_path, f"box {keys[0]}\n[box]:2222 {keys[1]}\n", "[box]:2222")

    assert [2] == [entry.line for entry in found.keys]


@pytest.mark.parametrize("name", ["box.example", "[box.example]:2222"])
def test_hashed_names(tmp_path: Path, keys: list[str], name: str) -> None:
    """Names that ssh-keygen has hashed are found, and only those."""
    file = tmp_path / "hashed"
    file.write_text(f"{name} {keys[0]}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)

    assert "example" not in file.read_text()
    assert 1 == len(find([file], name).keys)
    assert not find([file], "other.example").keys


def test_markers(tmp_path: Path, keys: list[str]) -> None:
    """Authorities and revoked keys are kept apart from plain ones, and a bare name may revoke for every port."""
    authority = f"@cert-authority *.example {keys[0]} comment\n"
    text = f"{authority}@revoked * {keys[1]}\n[a.example]:22 {keys[2]}\n@odd * {keys[0]}\n"

    found = known(tmp_path, text, "[a.example]:2222")

    assert [1] == [entry.line for entry in found.authorities]
    assert {2} == {entry.line for entry in found.revoked}
    assert () == found.keys


def test_nonsense_is_passed_over(tmp_path: Path, keys: list[str]) -> None:
    """Comments, blank and torn lines do not hide the good ones, and line numbers stay right."""
    torn = f"\n  \nbox ssh-ed25519\nbox ssh-ed25519 !!!\n|1|x|y {keys[1]}\n|1|broken {keys[1]}\n"
    text = f"# box {keys[1]}\n{torn}  box {keys[0]}"

    found = known(tmp_path, text, "box")

    assert [8] == [entry.line for entry in found.keys]
    assert found.has(found.keys[0].blob)


def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    """A fingerprint can be compared with what ssh-keygen -l shows."""
    key = make_key(tmp_path / "key")
    shown = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, text=True, check=True).stdout

    found = known(tmp_path, f"box {Sshd.public(key)}\n", "box")

    assert shown.split()[1] == found.keys[0].fingerprint == fingerprint(found.keys[0].blob)


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """No content makes the reader fail."""
    file = tmp_path_factory.mktemp("any") / "known_hosts"
    file.write_bytes(data)

    assert all(entry.line >= 1 for entry in read(file))
