"""No secret of a session from IoT Core is left within a second of what locks."""


import pytest

from support import configuration, scan
from support.canary import PIN, URI, assert_wiped_by, secrets_of
from support.iot_server import IoTServer, issued
from support.iot_tokens import profile

SECRETS = {"secretAccessKey": "c4n4rySecret/" + "k" * 12 + "0123456789+/aZ", "sessionToken": "c4n4ryToken" + "Tq7+" * 150}


@pytest.mark.parametrize("lock", ["tokenward lock", "SIGUSR1", "removal"])
def test_a_lock_leaves_no_trace_of_a_session_from_iot_core(start, canary, root, tmp_path, lock):
    folder = tmp_path / "server"
    folder.mkdir()
    with IoTServer(folder, root) as server:
        server.body = issued(**SECRETS)
        agent = start(
            'lock-on = ["removal"]\n', configuration.module(canary), profile(server, "canary"),
            arguments=["--log-level", "debug"])
        assert agent.cli("unlock", URI, "--pin-stdin", input=f"{PIN}\n").returncode == 0
        status, answer = agent.get("/v1/profiles/edge/credentials")
        assert status == 200, answer
        # One that is refused may hold a session all the same.
        server.status = 403
        assert agent.request("POST", "/v1/profiles/edge/refresh")[0] == 502
    secrets = {"PIN": PIN} | secrets_of(answer)
    held = {name: secret for name, secret in secrets.items() if name != "PIN"}
    assert {name: scan.copies(agent.process.pid, secret) for name, secret in held.items()} == dict.fromkeys(held, 1)
    for worker in agent.workers():
        assert scan.in_memory(worker, held) == []

    assert_wiped_by(lock, agent, canary, None, secrets, tmp_path)
    assert agent.stop() == 0
    assert scan.in_files(tmp_path, secrets, apart=[canary.folder]) == []
