"""The emulator's refusals as tests expect them: status, code, message, and whether the words are made up."""

from support.emulator_client import create_session

DENIED = "AccessDeniedException"


def made_up(message):
    return (403, DENIED, message, True)


def invalid(value, member, constraint):
    value = "Value null" if value is None else f"Value '{value}'"
    return (400, "ValidationException",
            f"1 validation error detected: {value} at '{member}' failed to satisfy constraint: Member must {constraint}",
            True)


def check(emulator, request, expected, tamper=None):
    answer = create_session(emulator, request, tamper)
    assert answer.refusal == expected
    last = emulator.get("last")
    assert (last["verdict"], last["code"], last["message"]) == ("refused", expected[1], expected[2])
