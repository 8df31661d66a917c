"""Tokens and profiles for sessions from IoT Core."""


from cryptography.hazmat.primitives.asymmetric import ec

from support import configuration

KEY_TYPES = ["EC:prime256v1", "EC:secp384r1", "EC:secp521r1", "rsa:2048"]
IMPORTED = {"EC:secp384r1": ec.SECP384R1(), "EC:secp521r1": ec.SECP521R1()}


def label(key_type):
    return key_type.replace(":", "-")


def profile(server, token, name="edge", **settings):
    return configuration.table(f"[profile.{name}]", {
        "source": "iot-core", "certificate": f"pkcs11:token={token}", "endpoint": server.url, "role-alias": "edge-role",
        "thing-name": "edge-7", "ca-bundle": server.ca, **configuration.underlined(settings)})
