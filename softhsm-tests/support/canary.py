"""Secrets that are looked for everywhere, and all that locks."""

import json
import os
import signal
import time

from support import scan

PIN = "canary-PIN-c41d9e7b02f85a6633kXq"
WRONG_PIN = "canary-wrong-7b60a9d1f2Zp"
URI = "pkcs11:token=canary"


def secrets_of(answer):
    return {"secret key": answer["SecretAccessKey"], "session token": answer["SessionToken"]}


def signed_in(agent):
    """Logs in with the PIN and obtains a session; the session's secrets."""
    result = agent.cli("unlock", URI, "--pin-stdin", input=f"{PIN}\n")
    assert result.returncode == 0, result.stderr
    result = agent.credentials()
    assert result.returncode == 0, result.stderr
    return secrets_of(json.loads(result.stdout))


def processes(agent):
    return [agent.process.pid, *agent.workers()]


def found_in_memory(agent, secrets):
    found = []
    for pid in processes(agent):
        try:
            found += [(pid, *hit) for hit in scan.in_memory(pid, secrets)]
        except (FileNotFoundError, ProcessLookupError):  # a worker that has just ended
            continue
    return found


def wait_until_wiped(agent, secrets, began):
    """Nothing is left of the secrets, and that within a second."""
    while found := found_in_memory(agent, secrets):
        assert time.monotonic() < began + 1, f"after a second there is still {found}"
    return time.monotonic() - began


def take_out(softhsm, agent):
    os.rename(f"{softhsm.folder}/tokens", f"{softhsm.folder}/elsewhere")
    os.mkdir(f"{softhsm.folder}/tokens")
    agent.get("/v1/tokens")  # a look; PC/SC's events cause one, where there are any


LOCKS = {
    "tokenward lock": lambda agent, softhsm, logind: agent.cli("lock"),
    "tokenward lock TOKEN": lambda agent, softhsm, logind: agent.cli("lock", URI),
    "SIGUSR1": lambda agent, softhsm, logind: agent.process.send_signal(signal.SIGUSR1),
    "removal": lambda agent, softhsm, logind: take_out(softhsm, agent),
    "screen-lock": lambda agent, softhsm, logind: logind.lock_screen("c1"),
    "a request to lock the screen": lambda agent, softhsm, logind: logind.request_lock("c1"),
    "suspend": lambda agent, softhsm, logind: logind.prepare_for_sleep(True),
    "session-end": lambda agent, softhsm, logind: logind.remove_session("c1"),
}


def assert_wiped_by(lock, agent, softhsm, logind, secrets, folder):
    """One of `LOCKS` leaves nothing of the secrets: in memory after a second, in what the kernel shows of the processes, and
    in the files of `folder`, the token's own apart."""
    began = time.monotonic()
    LOCKS[lock](agent, softhsm, logind)
    wait_until_wiped(agent, secrets, began)
    for pid in processes(agent):
        assert scan.on_record(pid, secrets) == []
    assert scan.in_files(folder, secrets, apart=[softhsm.folder]) == []
