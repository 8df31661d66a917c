"""The meaning of each code at each call: the one table, of all codes in p11-kit's header, a vendor's and an unknown one.

An outcome is what the worker answers, as one word: `ok`, the kind of a failure, or how a login ended. A cell has two: for a
call that fails once, and for one that goes on failing. Each line of the table names a group of codes; `ANY` stands for
what no other line names, those among them that only a vendor knows.
"""

import re
import subprocess

GONE = {"CKR_DEVICE_REMOVED", "CKR_TOKEN_NOT_PRESENT", "CKR_TOKEN_NOT_RECOGNIZED", "CKR_SLOT_ID_INVALID"}
HANDLE = {"CKR_OBJECT_HANDLE_INVALID", "CKR_KEY_HANDLE_INVALID", "CKR_KEY_CHANGED"}
SESSION = {
    "CKR_SESSION_HANDLE_INVALID", "CKR_SESSION_CLOSED", "CKR_OPERATION_ACTIVE", "CKR_OPERATION_NOT_INITIALIZED"}
MEMORY = {"CKR_HOST_MEMORY", "CKR_DEVICE_MEMORY"}
# The module may be inconsistent, or says what cannot be: a new process.
BROKEN = {
    "CKR_GENERAL_ERROR", "CKR_DEVICE_ERROR", "CKR_CRYPTOKI_NOT_INITIALIZED", "CKR_CANT_LOCK",
    "CKR_NEED_TO_CREATE_THREADS", "CKR_MUTEX_BAD", "CKR_MUTEX_NOT_LOCKED", "CKR_LIBRARY_LOAD_FAILED",
    "CKR_FIPS_SELF_TEST_FAILED", "CKR_SESSION_READ_ONLY", "CKR_TOKEN_WRITE_PROTECTED",
    "CKR_SESSION_PARALLEL_NOT_SUPPORTED", "CKR_SESSION_EXISTS", "CKR_SESSION_READ_ONLY_EXISTS",
    "CKR_SESSION_READ_WRITE_SO_EXISTS", "CKR_USER_ANOTHER_ALREADY_LOGGED_IN", "CKR_USER_TOO_MANY_TYPES"}
PERSON = {"CKR_FUNCTION_CANCELED", "CKR_FUNCTION_REJECTED", "CKR_CANCEL"}
PIN = {"CKR_PIN_INCORRECT", "CKR_PIN_INVALID", "CKR_PIN_LEN_RANGE"}
MECHANISM = {
    "CKR_MECHANISM_INVALID", "CKR_MECHANISM_PARAM_INVALID", "CKR_KEY_FUNCTION_NOT_PERMITTED",
    "CKR_KEY_TYPE_INCONSISTENT", "CKR_KEY_SIZE_RANGE", "CKR_CURVE_NOT_SUPPORTED", "CKR_DOMAIN_PARAMS_INVALID",
    "CKR_FUNCTION_NOT_SUPPORTED", "CKR_DATA_INVALID", "CKR_DATA_LEN_RANGE"}
LOGIN, COUNT, FORBIDDEN = {"CKR_USER_NOT_LOGGED_IN"}, {"CKR_SESSION_COUNT"}, {"CKR_ACTION_PROHIBITED"}
ABSENT, SMALL = {"CKR_ATTRIBUTE_SENSITIVE", "CKR_ATTRIBUTE_TYPE_INVALID"}, {"CKR_BUFFER_TOO_SMALL"}
ANY = None

# Codes that one repetition in a new session makes good.
AGAIN = [
    (GONE, "token-gone", "token-gone"), (BROKEN, "broken", "broken"), (LOGIN, "not-logged-in", "not-logged-in"),
    (COUNT, "busy", "busy"), (PERSON, "gesture", "gesture"), (FORBIDDEN, "forbidden", "forbidden"),
    (HANDLE, "ok", "function"), (ANY, "ok", "broken"),
]
# The session is logged in, so it is a touch that did not come, and no PIN is sent.
STILL_LOGGED_IN = [(LOGIN, "gesture", "gesture"), *AGAIN]
# The token is listed with the reason why it cannot be read; where none can be, and the module is to blame, it is replaced.
LISTED = [
    (BROKEN, "broken", "broken"), (MEMORY, "ok", "broken"), (GONE | LOGIN | COUNT | PERSON | FORBIDDEN, "unread", "unread"),
    (ANY, "ok", "unread"),
]
# A read-only session may not be what the module has: a read-write one is tried, and gets the same answer where that goes on.
def TRIED_AGAIN(well):
    return [
        (COUNT, well, "busy"), ({"CKR_SESSION_READ_ONLY"}, well, "broken"), (LOGIN, well, "not-logged-in"),
        (PERSON, well, "gesture"), (FORBIDDEN, well, "forbidden")]


# Nothing was sent: it failed on the way to C_Login.
BEFORE_LOGIN = [
    (GONE, "token-gone", "token-gone"), (BROKEN, "broken", "broken"), (LOGIN, "not-logged-in", "not-logged-in"),
    (PERSON, "gesture", "gesture"), (FORBIDDEN, "forbidden", "forbidden"), (COUNT, "busy", "busy"),
]

TABLE = {
    ("load", "C_Initialize"): [
        ({"CKR_CRYPTOKI_ALREADY_INITIALIZED"}, "ok", "ok"),
        ({"CKR_ARGUMENTS_BAD", "CKR_CANT_LOCK", "CKR_NEED_TO_CREATE_THREADS"}, "ok", "not-loaded"),
        (ANY, "not-loaded", "not-loaded"),
    ],
    ("load", "C_GetInfo"): [(ANY, "ok", "ok")],

    ("list", "C_GetSlotList"): [(SMALL, "broken", "broken"), (ANY, "broken", "broken")],
    # A slot that cannot say what it holds is left out, and hides no other.
    ("list", "C_GetTokenInfo"): [(BROKEN | MEMORY, "broken", "broken"), (ANY, "nothing", "nothing")],
    # What a token can do is a hint: one that cannot tell is taken for one that can less.
    ("list", "C_GetMechanismList"): [(ANY, "ok", "ok")],
    ("list", "C_OpenSession"): [
        (COUNT, "ok", "unread"), (BROKEN - {"CKR_SESSION_READ_ONLY"}, "broken", "broken"),
        ({"CKR_SESSION_READ_ONLY"}, "ok", "broken"), (MEMORY, "ok", "broken"), (GONE, "unread", "unread"),
        (ANY, "ok", "unread")],
    # A module that cannot tell is taken to be logged out.
    ("list", "C_GetSessionInfo"): [
        (BROKEN, "broken", "broken"), (GONE | LOGIN | COUNT | PERSON | FORBIDDEN, "unread", "unread"),
        (SESSION | HANDLE, "ok", "unread"), (ANY, "ok", "ok")],
    ("list", "C_FindObjectsInit"): LISTED,
    ("list", "C_FindObjects"): LISTED,
    ("list", "C_FindObjectsFinal"): LISTED,
    # One object that cannot be read hides no other.
    ("list", "C_GetAttributeValue"): [
        (BROKEN, "broken", "broken"), (MEMORY, "ok", "broken"), (GONE, "unread", "unread"),
        (SESSION | HANDLE, "ok", "unread"), (ABSENT | SMALL, "ok", "no objects' values"), (ANY, "fewer", "no objects")],

    ("login", "C_GetTokenInfo"): [*BEFORE_LOGIN, (MEMORY, "logged-in", "broken"), (ANY, "logged-in", "function")],
    ("login", "C_OpenSession"): [
        *TRIED_AGAIN("logged-in"), *BEFORE_LOGIN, (MEMORY, "logged-in", "broken"), (ANY, "logged-in", "function")],
    ("login", "C_GetSessionInfo"): [
        *BEFORE_LOGIN, (SESSION | HANDLE, "logged-in", "function"), (ANY, "logged-in", "logged-in")],
    # "?": the PIN may have cost a try. Never repeated.
    ("login", "C_Login"): [
        (PIN, "rejected", "rejected"), ({"CKR_USER_ALREADY_LOGGED_IN"}, "not-needed", "not-needed"),
        (PERSON, "gesture", "gesture"), ({"CKR_DEVICE_REMOVED"}, "token-gone ?", "token-gone ?"),
        (GONE, "token-gone", "token-gone"), ({"CKR_CRYPTOKI_NOT_INITIALIZED"}, "broken", "broken"),
        (BROKEN | MEMORY, "broken ?", "broken ?"),
        ({"CKR_SESSION_HANDLE_INVALID", "CKR_SESSION_CLOSED", "CKR_FUNCTION_FAILED"}, "function ?", "function ?"),
        (ANY, "rejected unjudged", "rejected unjudged")],
    # Where the token is logged in after all, the agent ends the worker.
    ("logout", "C_Logout"): [
        (GONE, "token-gone", "token-gone"), (BROKEN | MEMORY, "broken", "broken"),
        (LOGIN, "not-logged-in", "not-logged-in"), (COUNT, "busy", "busy"), (PERSON, "gesture", "gesture"),
        (FORBIDDEN, "forbidden", "forbidden"), (ANY, "function", "function")],

    ("sign", "C_GetTokenInfo"): AGAIN,
    ("sign", "C_OpenSession"): [*TRIED_AGAIN("ok"), *AGAIN],
    ("sign", "C_FindObjectsInit"): STILL_LOGGED_IN,
    ("sign", "C_FindObjects"): STILL_LOGGED_IN,
    ("sign", "C_FindObjectsFinal"): STILL_LOGGED_IN,
    # A key that does not tell its type is none that could be used.
    ("sign", "C_GetAttributeValue"): [
        (ABSENT | SMALL, "ok", "mechanism"), *STILL_LOGGED_IN],
    ("sign", "C_SignInit"): [(MECHANISM, "ok", "mechanism"), *STILL_LOGGED_IN],
    ("sign", "C_Sign"): [(MECHANISM, "ok", "mechanism"), *STILL_LOGGED_IN],
    # Asked only after CKR_USER_NOT_LOGGED_IN: in doubt the login is lost, and the agent logs in once, or finds that it need not.
    ("sign", "C_GetSessionInfo"): [(ANY, "not-logged-in", "not-logged-in")],
    ("sign", "C_CloseSession"): [(ANY, "ok", "ok")],
}


def codes():
    """Every code of p11-kit's header but CKR_OK, and some that it does not have."""
    folder = subprocess.run(
        ["pkg-config", "--variable=includedir", "p11-kit-1"], capture_output=True, text=True, check=True).stdout.strip()
    text = ""
    for path in (f"{folder}/p11-kit/pkcs11.h", f"{folder}/p11-kit-1/p11-kit/pkcs11.h"):
        try:
            with open(path) as header:
                text = header.read()
        except FileNotFoundError:
            pass
    found = {
        name: int(value, 0)
        for name, value in re.findall(r"^#define\s+(CKR_\w+)\s+\((0x[0-9a-fA-F]+|\d+)UL\)", text, re.M)}
    assert len(found) >= 92 and found.pop("CKR_OK") == 0
    return found | {
        "CKR_VENDOR_DEFINED": 0x80000000, "CKR_VENDOR_DEFINED+1": 0x80000001, "a vendor's last": 2 ** 64 - 1,
        "unknown 0x4": 4, "unknown 0x777": 0x777, "unknown 0x203": 0x203, "unknown 32 bits": 0x7FFFFFFF}


def outcomes(scenario, function, name):
    """The declared pair: failing once, and failing on."""
    for group, once, always in TABLE[scenario, function]:
        if group is ANY or name in group:
            return once, always
    raise KeyError((scenario, function, name))
