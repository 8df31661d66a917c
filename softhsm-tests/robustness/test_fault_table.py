"""Every code at every call of the worker has the outcome that the table declares, and costs no PIN twice."""

import concurrent.futures
import itertools

import pytest

from support import fault_table, mock_module
from support.authority import Authority
from support.mock_module import PIN, MockModule
from support.worker_process import Failure, Worker


REACHED_BY = {"C_GetSessionInfo": {"rv": 0x101}, "C_CloseSession": {"rv": 0xB0, "next": 1}}


@pytest.fixture(scope="module")
def authority():
    return Authority()


def word(answer):
    if isinstance(answer, Failure):
        return answer.kind + (" ?" if answer.in_doubt else "")
    return "ok" if isinstance(answer, bytes) else answer


def seen(answer):
    """The list's entries for the one card."""
    if isinstance(answer, Failure):
        return answer.kind
    if not answer:
        return "nothing"
    [token] = answer
    if token["failure"]:
        return "unread"
    if not token["certificates"] and not token["keys"]:
        return "no objects"
    if not any(value for _, _, value in token["certificates"]):
        return "no objects' values"
    return "ok" if len(token["certificates"]) == 2 and len(token["keys"]) == 1 else "fewer"


def new_card(mock, authority, key):
    """With a certificate that has no key as well: what is read after a fault must show."""
    card = mock.card(f"card {len(mock.cards)}", inserted=False)
    card.identity(authority, key)
    card.certificate(b"0\x00", "02", "other")
    return card


def run(mock, worker, card, scenario, function, code, **when):
    card.insert()
    prepared = None
    if scenario in ("logout", "sign"):
        assert worker.log_in(card, PIN) == "logged-in"
    if scenario == "sign" and function in REACHED_BY:  # a call that a signature alone does not make
        prepared = mock.on("C_Sign", **REACHED_BY[function])
    rule = mock.on(function, rv=code, **when)
    logins = len(mock.logins())
    if scenario == "list":
        outcome = seen(worker.list())
    elif scenario == "login":
        outcome = word(worker.log_in(card, PIN))
    elif scenario == "logout":
        outcome = word(worker.log_out(card))
    else:
        outcome = word(worker.sign(card))
    fired = mock.fired(rule)
    mock.clear(rule, *[prepared] * (prepared is not None))
    assert len(mock.logins()) - logins <= (scenario == "login"), "a PIN was sent again"
    card.remove()
    return outcome, fired


def load(mock, function, code, **when):
    rule = mock.on(function, rv=code, **when)
    worker = Worker(mock)
    worker.close()
    fired = mock.fired(rule)
    mock.clear(rule)
    return worker.loaded.kind if isinstance(worker.loaded, Failure) else "ok", fired


def cells(folder, library, authority, key, scenario, function, codes):
    """The outcome of each code: failing once, and failing on. Every case has a card of its own."""
    mock = MockModule(folder, library)
    if scenario == "load":
        return [(load(mock, function, code, next=1), load(mock, function, code)) for code in codes]
    with mock.batch():
        cards = [(new_card(mock, authority, key), new_card(mock, authority, key)) for _ in codes]
    worker = Worker(mock)
    try:
        return [
            (run(mock, worker, once, scenario, function, code, next=1),
             run(mock, worker, always, scenario, function, code))
            for code, (once, always) in zip(codes, cards)]
    finally:
        worker.close()


@pytest.mark.parametrize("scenario, function", fault_table.TABLE)
def test_each_code_has_its_declared_outcome(tmp_path, mock_library, authority, scenario, function):
    codes = fault_table.codes()
    key = mock_module.ec.generate_private_key(mock_module.ec.SECP256R1())
    size = 1 if function == "C_OpenSession" else 13  # a worker remembers which sessions its module refuses
    parts = [list(codes)[start:start + size] for start in range(0, len(codes), size)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = pool.map(
            lambda numbered: cells(
                tmp_path / str(numbered[0]), mock_library, authority, key, scenario, function,
                [codes[name] for name in numbered[1]]), enumerate(parts))
        found = dict(zip(codes, itertools.chain.from_iterable(done)))
    assert len(found) == len(codes)
    declared = {name: fault_table.outcomes(scenario, function, name) for name in codes}
    wrong = {
        name: tuple(outcome for outcome, _ in pair) for name, pair in found.items()
        if tuple(outcome for outcome, _ in pair) != declared[name]}
    assert not wrong, "\n".join(f"{name}: {pair}, declared {declared[name]}" for name, pair in wrong.items())
    assert all(fired for pair in found.values() for _, fired in pair), "the call was not made"


def test_no_line_of_the_table_names_a_code_that_does_not_exist():
    known = set(fault_table.codes())
    groups = itertools.chain.from_iterable(
        group or () for lines in fault_table.TABLE.values() for group, _, _ in lines)
    assert set(groups) <= known
