"""The thin client writes its result in one piece, or its exit code says why not."""

import os
import signal
import socket
import subprocess

import pytest

from support.fake_agent import CREDENTIALS, answer
from support.processes import binary, client_environment


def test_the_output_is_one_write(agent, thin):
    agent(answer(CREDENTIALS))
    # A datagram socket keeps the borders of writes.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    result = thin("prod", stdout=theirs)
    theirs.close()
    assert result.returncode == 0
    assert ours.recv(65536) == CREDENTIALS + b"\n"


@pytest.mark.parametrize("arguments", [["prod"], ["--help"], ["--version"]])
@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_result_without_a_reader_ends_it_by_sigpipe_without_a_word(agent, thin, arguments, inherited):
    agent(answer(CREDENTIALS))
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = thin(
            *arguments, stdout=writer, preexec_fn=lambda: signal.signal(signal.SIGPIPE, inherited), restore_signals=False)
    finally:
        os.close(writer)
    assert (result.returncode, result.stderr) == (-signal.SIGPIPE, b"")


def test_a_failure_without_a_reader_keeps_its_exit_code(thin):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert thin("prod", stderr=writer).returncode == 69
    finally:
        os.close(writer)


def test_a_full_disk_is_70(agent, thin):
    agent(answer(CREDENTIALS))
    with open("/dev/full", "wb") as full:
        assert thin("prod", stdout=full).returncode == 70


def test_a_closed_standard_output_is_70_and_the_secret_goes_nowhere(agent):
    served = agent(answer(CREDENTIALS))
    command = [binary("tokenward-credential-process"), "--socket", served.path, "prod"]
    result = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], capture_output=True, timeout=30)
    assert (result.returncode, result.stdout) == (70, b"")
    assert served.requests == []


def test_a_slow_reader_gets_everything(agent, thin):
    body = CREDENTIALS[:-1] + b',"x":"' + b"x" * 120_000 + b'"}'
    served = agent(answer(body))
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # shared with the client: its write(2) is cut short, then fails with EAGAIN
    client = subprocess.Popen(
        [binary("tokenward-credential-process"), "prod"],
        env=client_environment(TOKENWARD_SOCKET=str(served.path)),
        stdout=writer,
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        assert stream.read() == body + b"\n"
    assert client.wait(30) == 0
