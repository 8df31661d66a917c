"""What holds in every life, whatever comes."""

import contextlib
import os

LARGEST_AGENT = 96 << 20  # resident bytes
WRONG = {0xA0, 0xA4}  # CKR_PIN_INCORRECT, CKR_PIN_LOCKED


class Broken(Exception):
    """A rule that did not hold."""


def require(rule, text):
    if not rule:
        raise Broken(text)


def no_refused_pin_is_sent_again(modules):
    for number, module in enumerate(modules):
        refused = {}  # lengths of PINs that a card has refused since it has taken one
        for login in module.logins():
            lengths = refused.setdefault(login.card, set())
            if login.answer == 0:
                lengths.clear()
            elif login.answer in WRONG:
                told = f"module {number}, card {login.card}, length {login.pin_length}"
                require(login.pin_length not in lengths, f"a wrong PIN is sent again: {told}")
                lengths.add(login.pin_length)


def no_login_while_locked(when_locked, now):
    """`when_locked`: the modules' counts of logins when a lock was answered; None since an unlock."""
    if when_locked is not None:
        require(now == when_locked, f"a login while locked: {when_locked}, then {now}")


def the_agent_lives_and_is_small(process):
    require(process.poll() is None, f"the agent ended with {process.poll()}")
    with open(f"/proc/{process.pid}/status") as file:
        [size] = [int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:")]
    require(size < LARGEST_AGENT, f"the agent has {size >> 20} MiB")


def processor_seconds(processes):
    total = 0
    for pid in processes:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total
