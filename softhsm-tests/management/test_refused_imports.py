"""Key files and tokens that an import refuses: one line that says what to do, and the token as it was."""

import os

import pytest

from support import configuration
from support.key_files import PASSWORD
from support.softhsm import SoftHSM


@pytest.fixture
def unasked(keeping_agent, card):
    """An agent that has no PIN and nobody to ask: what it says, it says before any login."""
    return keeping_agent(pin="prompt")


@pytest.fixture
def refuse(bring, unasked, card):
    """Runs an import that must fail with this exit code; its one line."""

    def refuse(path, code, *options, **how):
        before = card.tool("--list-objects")
        result = bring(unasked, path, *options, **how)
        assert (result.returncode, result.stdout) == (code, ""), result.stderr
        assert card.tool("--list-objects") == before
        error, hint = result.stderr.splitlines()
        assert hint.startswith("tokenward: hint: ")
        return error

    return refuse


def test_a_wrong_password_is_told_before_any_login(refuse, key_files):
    key_files.identity()
    for options in ([], ["-legacy"], ["-nomac"]):
        assert "the password is not the file's" in refuse(key_files.pfx(*options), 64, password="wrong")
    assert "the password is not the file's" in refuse(key_files.pfx(), 64, password="")


def test_a_right_password_is_followed_by_the_question_for_the_pin(refuse, key_files):
    """So that the other tests of this file would see a login."""
    key_files.identity()
    assert "PIN" in refuse(key_files.pfx(), 80)


def test_two_keys_and_none_are_refused(refuse, key_files, tmp_path):
    key_files.identity()
    key_files.identity("second")
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join((key_files.folder / f"{name}.key").read_bytes() for name in ("client", "second")))
    assert "more than one private key" in refuse(both, 64, password=None)
    assert "no private key, only 2 certificates" in refuse(key_files.folder / "chain.crt", 64, password=None)
    mixed = tmp_path / "mixed.pem"
    mixed.write_bytes((key_files.folder / "client.key").read_bytes() + (key_files.folder / "second.crt").read_bytes())
    assert "the certificate in the file is of another key" in refuse(mixed, 64, password=None)


def test_a_cipher_that_is_not_taken_is_named(refuse, key_files, tmp_path):
    key_files.identity()
    path = tmp_path / "des.pem"
    path.write_bytes(key_files.openssl(
        "pkcs8", "-topk8", "-in", "client.key", "-v2", "camellia-256-cbc", "-passout", f"pass:{PASSWORD}"))
    assert "CAMELLIA-256-CBC" in refuse(path, 64)


@pytest.mark.parametrize("kind, words", [
    ("large", "has 10485760 bytes, more than 1048576"), ("folder", "is a folder"), ("fifo", "is no regular file"),
    ("missing", "there is no file"), ("empty", "is empty"), ("device", "is no regular file"), ("text", "neither PKCS#12"),
])
def test_what_is_no_key_file_is_refused_at_once(refuse, tmp_path, kind, words):
    path = tmp_path / "file"
    if kind == "large":
        path.write_bytes(bytes(10 << 20))
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "empty":
        path.touch()
    elif kind == "device":
        path = "/dev/zero"
    elif kind == "text":
        path.write_text("no key\n")
    assert words in refuse(path, 66 if kind == "missing" else 64, password=None)


def test_links_are_not_shredded(refuse, key_files, tmp_path):
    key_files.identity()
    path = key_files.pfx()
    link = tmp_path / "link"
    link.symlink_to(path)
    assert "symbolic link" in refuse(link, 64, "--shred")
    assert path.stat().st_size > 0


def test_an_id_or_a_label_that_is_taken_is_refused(bring, keeping_agent, key_files, card):
    key_files.identity()
    path = key_files.pfx()
    agent = keeping_agent()
    card.generate("taken", "05")
    before = card.tool("--list-objects")
    for options in ({"label": "client", "number": "05"}, {"label": "taken", "number": "01"}):
        result = bring(agent, path, **options)
        assert result.returncode == 64 and "is on it already" in result.stderr, result.stderr
    assert card.tool("--list-objects") == before


def test_the_same_key_is_not_written_twice(bring, keeping_agent, key_files, card):
    key_files.identity()
    path = key_files.pfx()
    agent = keeping_agent()
    assert bring(agent, path).returncode == 0
    before = card.tool("--list-objects")
    result = bring(agent, path, label="again", number="02")
    assert result.returncode == 64 and "the key of this file is on it already, with the id 01" in result.stderr
    assert card.tool("--list-objects") == before


def test_a_token_that_is_not_initialised_is_no_token(start, tmp_path, key_files):
    """SoftHSM shows one in its last slot."""
    softhsm = SoftHSM(tmp_path / "bare")
    agent = start(configuration.module(softhsm))
    key_files.identity()
    result = agent.cli(
        "import", str(key_files.pfx()), "--token", "pkcs11:model=SoftHSM%20v2", "--label", "a", "--id", "01",
        "--password-stdin", input=f"{PASSWORD}\n")
    assert result.returncode in (66, 77), result.stderr
    assert len(result.stderr.splitlines()) == 2
