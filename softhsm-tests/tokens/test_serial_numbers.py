"""Serial numbers choose a certificate as other programs print them, and one that no request can carry drops it."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from support.answers import by_label
from support.authority import DAY, NOW, make_key


def test_a_certificate_with_an_odd_serial_number_drops_out_alone(private, agent_of, root, service, certificate_writer):
    token = private.token("card")
    expected = {}
    for number, (serial, reason) in enumerate([
        (-5, "its serial number is negative (RFC 5280 forbids that); have it issued anew"),
        (10 ** 64, "its serial number has 65 decimal digits, more than the 64 that fit in a request"),
    ], 1):
        key = make_key()
        value = with_serial(root.issue(f"odd-{number}", key.public_key(), not_after=NOW + 300 * DAY), serial, root.key)
        expected[token.add(number, value, key)] = [reason]
    key = make_key()
    token.add(3, root.issue("good", key.public_key(), not_after=NOW + 30 * DAY), key, "good")
    agent = agent_of()
    assert agent.credentials().returncode == 0
    explained = by_label(agent.json("list", "--explain", "test"))
    assert {label: one["reasons"] for label, one in explained.items()} == {**expected, "good": ["chosen"]}


def with_serial(certificate, serial, key):
    """The certificate with a serial number that pyca writes into none, signed anew; ECDSA with SHA-256."""
    tbs = certificate.tbs_certificate_bytes
    old = der_integer(certificate.serial_number)
    assert tbs.count(old) == 1
    content = tbs[der_header(tbs):].replace(old, der_integer(serial))
    tbs = der_sequence(content)
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256 (RFC 5758 §3.2)
    signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return der_sequence(tbs + algorithm + bytes([3, len(signature) + 1, 0]) + signature)


def der_integer(value):
    content = value.to_bytes(value.bit_length() // 8 + 1, signed=True)
    return bytes([2, len(content)]) + content


def der_header(value):
    return 2 if value[1] < 0x80 else 2 + (value[1] & 0x7F)


def der_sequence(content):
    return b"\x30\x82" + len(content).to_bytes(2) + content


def test_a_serial_number_with_two_readings_is_an_error_that_names_both(private, agent_of, root):
    token = private.token("card")
    for number, serial in enumerate((1018, 0x1018), 1):
        key = make_key()
        token.add(number, root.issue("client", key.public_key(), serial=serial), key, f"s{serial}")
    agent = agent_of(certificate="pkcs11:token=card", certificate_serial="1018")
    result = agent.credentials()
    assert result.returncode == 66
    uris = [one["uri"] for one in agent.json("list")]
    assert len(uris) == 2 and all(uri in result.stderr for uri in uris)
    assert "write 0x before hexadecimal digits" in result.stderr


@pytest.mark.parametrize("written", [
    "1018", "3FA", "0x3fa", "serial=03FA", "03:fa",  # what list, openssl and browsers show
])
def test_a_serial_number_is_taken_as_others_print_it(private, agent_of, root, service, written):
    token = private.token("card")
    for number, serial in enumerate((1018, 5000), 1):
        key = make_key()
        token.add(number, root.issue("client", key.public_key(), serial=serial, not_after=NOW + serial * DAY), key)
    assert agent_of(certificate="pkcs11:token=card", certificate_serial=written).credentials().returncode == 0
    [leaf] = service.header("x-amz-x509")
    assert x509.load_der_x509_certificate(leaf).serial_number == 1018
