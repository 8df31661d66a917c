"""No secret is left in memory, logs, arguments, environments or files within a second of everything that locks."""

import contextlib
import json
import signal
import socket
import subprocess
import threading
import time

import pytest

from support import configuration, scan
from support.canary import LOCKS, PIN, URI, WRONG_PIN, assert_wiped_by, secrets_of, signed_in, wait_until_wiped
from support.processes import binary
from support.scripted_service import answering
from support.softhsm import write_pin
from support.waiting import wait_until


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_leaves_no_trace(start, canary, service, login_session, tmp_path, lock):
    events = 'lock-on = ["suspend", "screen-lock", "session-end", "removal"]\n'
    agent = start(
        events, configuration.module(canary), configuration.profile(service),
        configuration.profile(service, "astray", endpoint="https://127.0.0.1:1"),
        arguments=["--log-level", "debug"], environment=login_session.environment)
    wait_until(lambda: not agent.get("/v1/status")[1]["notices"], "logind is heard")
    pins = {"PIN": PIN, "wrong PIN": WRONG_PIN}

    assert agent.cli("unlock", URI, "--pin-stdin", input=WRONG_PIN).returncode == 80
    secrets = pins | signed_in(agent)
    workers = agent.workers()
    assert agent.credentials("astray").returncode == 75
    status, new = agent.request("POST", "/v1/profiles/test/refresh")
    assert status == 200
    secrets |= {f"new {name}": secret for name, secret in secrets_of(new).items()}
    for body in (f'{{"uri":"{URI}","pin":"{PIN}","more":""}}', f'{{"uri":"pkcs11:token=no","pin":"{PIN}"}}', f'"{PIN}'):
        assert agent.request("POST", "/v1/tokens/unlock", body.encode())[0] in (400, 404)

    # In use: the new session is there once, to be handed out; the old one is not, and no PIN is but in the worker.
    assert scan.copies(agent.process.pid, new["SecretAccessKey"]) == 1
    assert scan.copies(agent.process.pid, new["SessionToken"]) == 1
    outdated = {name: secret for name, secret in secrets.items() if not name.startswith("new")}
    assert scan.in_memory(agent.process.pid, outdated) == []
    for worker in workers:
        assert scan.copies(worker, PIN) <= 1
        assert [hit for hit in scan.in_memory(worker, secrets) if hit[1] != "PIN, plain"] == []

    assert_wiped_by(lock, agent, canary, login_session, secrets, tmp_path)
    assert agent.credentials().returncode != 0
    assert agent.stop() == 0
    assert scan.in_files(tmp_path, secrets, apart=[canary.folder]) == []


def mapping_of(pid, secret):
    """The kernel's flags of the memory that holds a secret (proc_pid_smaps(5))."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            parts = line.split(None, 5)
            begin, end = (int(part, 16) for part in parts[0].split("-"))
            with contextlib.suppress(OSError, OverflowError):
                memory.seek(begin)
                if parts[1].startswith("rw") and secret.encode() in memory.read(end - begin):
                    break
        else:
            return set()
    with open(f"/proc/{pid}/smaps") as maps:
        lines = iter(maps)
        for line in lines:
            if line.startswith(parts[0]):
                return set(next(line for line in lines if line.startswith("VmFlags:")).split())


def test_a_pin_on_its_way_is_once_in_each_process_and_there_in_a_locked_page(start, mock, root, service):
    """Between client and agent it passes what the agent reads into, which is wiped at once."""
    mock.card("canary", longest=64).identity(root)
    agent = start(configuration.mock(mock), configuration.profile(service))
    agent.get("/v1/tokens")
    [worker] = agent.workers()
    rule = mock.on("C_Login", "hang", next=1)
    command = [binary("tokenward"), "unlock", URI, "--pin-stdin", "--socket", agent.socket]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env={"PATH": "/usr/bin:/bin", "HOME": agent.home}) as client:
        client.stdin.write(f"{WRONG_PIN}\n".encode())
        client.stdin.close()
        wait_until(lambda: mock.waiting() == 1, "the token is asked")
        for pid in client.pid, agent.process.pid, worker:
            # Percent-encoded it is the same bytes.
            assert [name for _, name in scan.in_memory(pid, {"PIN": WRONG_PIN})] == ["PIN, plain", "PIN, percent-encoded"]
            assert {"lo", "dd", "wf"} <= mapping_of(pid, WRONG_PIN)
        mock.clear(rule)
    assert client.returncode == 80
    for pid in agent.process.pid, worker:
        assert scan.in_memory(pid, {"PIN": WRONG_PIN}) == []


def session(role, secrets, seconds):
    expiration = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    return {"credentialSet": [{"roleArn": role, "credentials": {
        "accessKeyId": "ASIACANARY0123456789", "secretAccessKey": secrets["secret key"],
        "sessionToken": secrets["session token"], "expiration": expiration}}]}


@pytest.mark.parametrize("fault, code", [
    ("none", None), ("another role", 75), ("expired", 75), ("too long", 75), ("not JSON", 75), ("cut off", 75),
    ("a refusal", 77)])
def test_answers_that_are_refused_leave_no_trace(start, canary, service, tmp_path, fault, code):
    """They may hold a session though they are no good."""
    secrets = {"secret key": "c4n4rySecret/" + "k" * 12 + "0123456789+/aZ", "session token": "c4n4ryToken" + "Tq7+" * 150}
    role = service.arns["roleArn"]
    answer = json.dumps(session(
        role + ("x" if fault == "another role" else ""), secrets,
        {"expired": -60, "too long": 90_000}.get(fault, 900))).encode()
    if fault == "not JSON":
        answer = answer.replace(b"{", b"<", 1)
    if fault == "cut off":
        answer = answer[:-5]
    with answering(403 if fault == "a refusal" else 201, answer) as url:
        agent = start(
            configuration.module(canary), configuration.token(write_pin(tmp_path / "pin", PIN)),
            configuration.profile(service, endpoint=url, session_duration_seconds=900),
            arguments=["--log-level", "debug"])
        result = agent.credentials()
    assert result.returncode == (code or 0), result.stderr
    if code:
        assert result.stdout == ""
        assert scan.in_memory(agent.process.pid, secrets) == []
    else:  # what is good is found: the scan looks where it should
        assert scan.copies(agent.process.pid, secrets["secret key"]) == 1
        assert scan.copies(agent.process.pid, secrets["session token"]) == 1
    assert scan.in_files(tmp_path, secrets, apart=[canary.folder]) == []


def test_a_peer_that_does_not_read_keeps_no_credentials_here(start, canary, service):
    agent = start(configuration.module(canary), configuration.profile(service))
    secrets = signed_in(agent)
    request = b"GET /v1/profiles/test/credentials HTTP/1.1\r\nHost: tokenward\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(agent.socket)
        peer.settimeout(60)
        for _ in range(1000):  # until there is no room left for answers
            peer.sendall(5 * request)
            if scan.copies(agent.process.pid, secrets["secret key"]) > 1:
                break
        else:
            raise AssertionError("no answer is on its way")
        began = time.monotonic()
        assert agent.cli("lock").returncode == 0
        wait_until_wiped(agent, secrets, began)


def test_a_hundred_busy_clients_get_nothing_after_a_lock_and_it_takes_less_than_a_second(
    start, canary, service, tmp_path
):
    agent = start(
        configuration.module(canary), configuration.token(write_pin(tmp_path / "pin", PIN)),
        configuration.profile(service))
    stop, handed_out, guard = threading.Event(), [], threading.Lock()
    locked_at = [None]

    def ask():
        request = b"GET /v1/profiles/test/credentials HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n\r\n"
        while not stop.is_set():
            lock = locked_at[0]  # known before the request is sent
            answer = agent.http(request, timeout=30)
            if lock and locked_at[0] == lock and b"SecretAccessKey" in answer:
                with guard:
                    handed_out.append(lock)

    clients = [threading.Thread(target=ask) for _ in range(100)]
    for client in clients:
        client.start()
    times = []
    try:
        for number in range(30):
            assert agent.request("POST", "/v1/tokens/unlock", f'{{"uri":"{URI}"}}'.encode())[0] == 204
            secrets = secrets_of(wait_until(lambda: credentials(agent), "a session", 30))
            began = time.monotonic()
            if number % 2:
                assert agent.request("POST", "/v1/lock")[0] == 204
                locked_at[0] = began
            else:
                agent.process.send_signal(signal.SIGUSR1)
            times.append(wait_until_wiped(agent, secrets | {"PIN": PIN}, began))
            locked_at[0] = None
    finally:
        stop.set()
        for client in clients:
            client.join(60)
    assert handed_out == []
    print(f"lock to wiped: median {sorted(times)[len(times) // 2]:.3f} s, longest {max(times):.3f} s")


def credentials(agent):
    status, answer = agent.get("/v1/profiles/test/credentials")
    return answer if status == 200 else None
