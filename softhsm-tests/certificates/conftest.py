"""An agent for a SoftHSM of the test's own, and requests that openssl judges."""

import subprocess

import pytest
from cryptography import x509

from support import configuration
from support.softhsm import SoftHSM


@pytest.fixture
def private(tmp_path):
    return SoftHSM(tmp_path / "hsm")


@pytest.fixture
def serve(start, private, pin_file):
    """Starts an agent without profiles, which has the PIN of every token, once they are there."""
    return lambda: start(configuration.module(private), configuration.token(pin_file))


@pytest.fixture
def judged(tmp_path):
    """What openssl says of a request that it verifies: its subject in one line, and pyca's view of it."""

    def judge(result):
        assert result.returncode == 0, result.stderr
        path = tmp_path / "request.pem"
        path.write_text(result.stdout)
        shown = subprocess.run(
            ["openssl", "req", "-in", path, "-noout", "-verify", "-subject", "-nameopt", "RFC2253,utf8,-esc_msb"],
            capture_output=True, text=True)
        assert "verify OK" in shown.stderr, shown
        return shown.stdout.strip().removeprefix("subject="), x509.load_pem_x509_csr(path.read_bytes())

    return judge
