"""Tokens with a key of each type, and a server in the place of IoT Core."""


import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support import configuration
from support.iot_server import IoTServer
from support.iot_tokens import IMPORTED, KEY_TYPES, label
from support.softhsm import MODULE, SoftHSM
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy


@pytest.fixture(scope="module")
def tokens(tmp_path_factory, root):
    """A token for each key type: SoftHSM and the certificates by label."""
    softhsm = SoftHSM(tmp_path_factory.mktemp("tokens"))
    certificates = {}
    for key_type in KEY_TYPES:
        token = softhsm.token(label(key_type))
        if key_type in IMPORTED:  # pkcs11-tool 0.23 cannot read their public keys back
            key = ec.generate_private_key(IMPORTED[key_type])
            token.import_key(key, "device", "01")
            certificates[label(key_type)] = root.issue("device", key.public_key())
            token.write_certificate(certificates[label(key_type)], "device", "01")
        else:
            certificates[label(key_type)] = token.identity(root, key_type=key_type)
    return softhsm, certificates


@pytest.fixture
def server(tmp_path, root):
    with IoTServer(tmp_path, root) as server:
        yield server


@pytest.fixture
def spied(tokens, start, tmp_path, pin_file):
    """Starts an agent with a spy on its token: both."""

    def spied(*tables, module=MODULE, environment=None, softhsm=tokens[0], **token_settings):
        spy = Spy(tmp_path, module)
        agent = start(
            configuration.module(softhsm, SPY_MODULE, spy.environment | (environment or {})),
            configuration.token(pin_file, **token_settings), *tables)
        return agent, spy

    return spied
