"""What other providers than SoftHSM do with a key from a file: it signs, or one line says why not."""

import pytest

from support.configuration import profile, token
from support.key_files import PASSWORD, KeyFiles
from support.providers.nss import NSS
from support.providers.opencryptoki import OpenCryptoki
from support.providers.provider import Missing
from support.providers.remoting import Remoting
from support.providers.tpm import TPM

OUTCOMES = {
    ("rsa2048", NSS): None, ("p256", NSS): None, ("rsa2048", OpenCryptoki): None,
    ("p256", OpenCryptoki): "lists no signature with EC P-256 keys", ("rsa2048", Remoting): None, ("p256", Remoting): None,
    ("p256", TPM): "takes no private keys", ("rsa2048", TPM): "takes no private keys"}


@pytest.mark.parametrize("kind, provider", OUTCOMES, ids=lambda value: value if isinstance(value, str) else value.name)
def test_a_key_from_a_file_signs_or_is_refused_by_name(start, service, root, pin_file, tmp_path, kind, provider):
    refusal = OUTCOMES[kind, provider]
    folder = tmp_path / "provider"
    folder.mkdir()
    try:
        made = provider(folder)
    except Missing as missing:
        pytest.skip(f"{provider.name}: {missing}")
    try:
        if provider is Remoting:
            made.revive()
        files = KeyFiles(tmp_path, root)
        files.identity(kind=kind)
        agent = start(
            "lock-on = []\n", made.configuration(), token(pin_file), profile(service), prefix=made.prefix)
        result = agent.cli(
            "import", str(files.pfx()), "--token", f"pkcs11:token={made.label}", "--label", "client", "--id", "01",
            "--password-stdin", input=f"{PASSWORD}\n")
        if refusal:
            assert result.returncode == 77 and refusal in result.stderr, result.stderr
            assert len(result.stderr.splitlines()) == 2
        else:
            assert result.returncode == 0, result.stderr
            assert "extractable:        no" in result.stdout
            session = agent.credentials()
            assert session.returncode == 0, session.stderr
    finally:
        made.close()
