"""The worker reads the token's flags before each login, and sends no PIN that would be spent in vain."""

import pytest

from support.mock_module import PIN
from support.softhsm import write_pin

WRONG = "999999"
COUNT_LOW, FINAL_TRY, LOCKED, TO_BE_CHANGED, INITIALIZED = 0x10000, 0x20000, 0x40000, 0x80000, 0x8


@pytest.fixture
def card(mock, root):
    card = mock.card("card")
    card.identity(root)
    return card


@pytest.fixture
def stored(tmp_path):
    return write_pin(tmp_path / "stored-pin").removeprefix("file:")


@pytest.mark.parametrize("field", ["label", "manufacturer", "model", "serial"])
def test_a_pin_goes_to_no_other_token_in_the_slot(mock, worker, card, field):
    settings = {"manufacturer": "Tokenward", "model": "Mock", **card.settings}
    other = mock.card(**{**settings, "inserted": False, field: "other"})
    other.insert(card.slot)
    answer = worker.log_in(card, PIN)
    assert (answer.kind, mock.logins()) == ("token-gone", [])


def test_a_pin_follows_its_token_into_another_slot_and_to_neither_of_two_that_look_alike(mock, worker, card):
    slot, there = card.slot, mock.slot()
    card.remove()
    card.insert(there)
    card.slot = slot  # where the agent has last seen it
    assert worker.log_in(card, PIN) == "logged-in"
    assert [login.card for login in mock.logins()] == [card.number]
    twin = mock.card(card.settings["label"], serial=card.settings["serial"])
    assert twin.settings == card.settings
    assert worker.log_out(card) == "logged-out"
    assert worker.log_in(card, PIN).kind == "token-gone"
    assert len(mock.logins()) == 1


def test_a_session_that_outlives_its_card_is_not_taken_for_the_next_one(mock, worker, card):
    card.set(keeps_sessions=True)
    assert worker.log_in(card, PIN) == "logged-in"
    other = mock.card("other", inserted=False, keeps_sessions=True)
    other.insert(card.slot)
    assert worker.log_in(card, PIN).kind == "token-gone"
    assert len(mock.logins()) == 1


@pytest.mark.parametrize("flags, hidden, typed, read", [
    (COUNT_LOW, 0, "logged-in", "refused count-low"), (FINAL_TRY | COUNT_LOW, 0, "refused final-try", "refused final-try"),
    (LOCKED, 0, "refused locked", "refused locked"), (TO_BE_CHANGED, 0, "refused to-be-changed", "refused to-be-changed"),
    (0, INITIALIZED, "refused not-initialized", "refused not-initialized")])
def test_flags_are_read_right_before_a_login(mock, worker, card, stored, flags, hidden, typed, read):
    assert worker.list()[0]["flags"] & (flags | hidden) == hidden
    card.set(flags=flags, hidden=hidden)
    assert worker.log_in(card, source=stored) == read
    assert worker.log_in(card, PIN) == typed
    assert len(mock.logins()) == (typed == "logged-in")


def test_a_low_count_stops_a_pin_that_was_typed_at_a_login_and_no_other(mock, worker, card):
    card.set(flags=COUNT_LOW)
    assert worker.log_in(card, PIN, from_login=True) == "refused count-low"
    assert mock.logins() == []
    assert worker.log_in(card, PIN) == "logged-in"


@pytest.mark.parametrize("code, outcome", [
    (0xA0, "rejected"), (0xA1, "rejected"), (0xA2, "rejected"), (0xA3, "rejected unjudged"), (0xA4, "rejected unjudged"),
    (0x80000042, "rejected unjudged"), (0x1B0, "rejected unjudged"), (0x777, "rejected unjudged")])
def test_only_a_judged_pin_is_known_again_but_every_other_code_is_a_spent_try_as_well(
    mock, worker, card, code, outcome
):
    mock.on("C_Login", rv=code)
    assert worker.log_in(card, PIN) == outcome
    assert len(mock.logins()) == 1


@pytest.mark.parametrize("code, is_in_doubt", [
    (0x32, True), (0x02, True), (0x30, True), (0x31, True), (0x05, True), (0x06, True), (0xB3, True),
    (0xE0, False), (0x50, False), (0x200, False), (0x190, False)], ids=lambda value: f"{int(value):#x}")
def test_a_login_that_may_have_cost_a_try_is_told_apart(mock, worker, card, code, is_in_doubt):
    mock.on("C_Login", rv=code)
    assert worker.log_in(card, PIN).in_doubt is is_in_doubt
    assert len(mock.logins()) == 1


def test_a_failure_before_the_pin_leaves_no_doubt(mock, worker, card):
    mock.on("C_GetTokenInfo", rv=0x5)
    assert worker.log_in(card, PIN).in_doubt is False


def test_already_logged_in_says_nothing_of_the_pin(mock, worker, card):
    mock.on("C_GetSessionInfo", rv=0x54)  # so that the worker cannot know
    assert worker.log_in(card, PIN) == "logged-in"
    assert worker.log_in(card, WRONG) == "not-needed"
    assert card.wrong_tries == 0


def test_a_signature_that_is_not_logged_in_costs_no_login(mock, worker, card):
    assert worker.log_in(card, PIN) == "logged-in"
    mock.on("C_Sign", rv=0x101, next=1)
    assert worker.sign(card).kind == "gesture", "the session is logged in: a touch that did not come"
    card.lose_login()
    assert worker.sign(card).kind == "not-logged-in"
    assert len(mock.logins()) == 1


@pytest.mark.parametrize("pin", ["12345", "1" * 9])
def test_a_pin_of_another_length_is_not_sent(mock, worker, card, pin):
    card.set(shortest=6, longest=8)
    assert worker.log_in(card, pin) == "refused length"
    assert mock.logins() == []


@pytest.mark.parametrize("pin, outcome", [
    ("VERIFY_NONE", "refused reserved"), ("VERIFY_BIO", "refused reserved"), ("", "refused unreadable")])
@pytest.mark.parametrize("is_stored", [False, True])
def test_words_that_are_no_pin_are_not_sent(mock, worker, card, tmp_path, pin, outcome, is_stored):
    source = write_pin(tmp_path / "word", f"{pin}\n").removeprefix("file:") if is_stored else 1
    assert worker.log_in(card, pin, source) == outcome
    assert mock.logins() == []


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_reserved_word_is_sent_where_it_is_configured_whatever_the_length_of_a_pin(
    mock, worker, card, tmp_path, is_stored
):
    card.set(shortest=6, longest=8)
    source = write_pin(tmp_path / "word", "VERIFY_BIO\n").removeprefix("file:") if is_stored else 1
    worker.log_in(card, "VERIFY_BIO", source, may_be_reserved=True)
    assert [login.pin_length for login in mock.logins()] == [len("VERIFY_BIO")]


@pytest.mark.parametrize("byte", ["\0", "\t", "\n", "\x1b", "\x7f"])
def test_a_typed_pin_with_a_control_byte_is_not_sent(mock, worker, card, byte):
    assert worker.log_in(card, PIN[:3] + byte + PIN[3:]) == "refused control-byte"
    assert mock.logins() == []


def test_no_pin_goes_only_to_a_pin_pad(mock, worker, card):
    assert worker.log_in(card, source=3) == "refused no-pinpad"
    assert mock.logins() == []
    card.set(pinpad="right")
    assert worker.log_in(card, source=3) == "logged-in"
    assert [login.pin_length for login in mock.logins()] == [None]


def test_a_token_rests_after_a_wrong_pin_longer_after_the_next_and_another_token_need_not_wait(
    mock, root, worker, card
):
    card.set(tries=9, no_counter=True)
    other = mock.card("other")
    assert worker.log_in(card, WRONG) == "rejected"
    assert worker.log_in(other, PIN) == "logged-in"
    assert worker.log_in(card, WRONG + "1") == "rejected"
    assert worker.log_in(card, PIN) == "logged-in"
    worker.log_out(card)
    assert worker.log_in(card, PIN) == "logged-in"
    first, between, second, third, fourth = [login.milliseconds for login in mock.logins()]
    assert between - first < 1900 <= second - first < 3900 <= third - second
    assert 90 <= fourth - third < 1900, "a right PIN ends it"


def test_the_flags_are_read_again_after_the_pause(mock, worker, card):
    assert worker.log_in(card, WRONG) == "rejected"
    card.set(tries=2)  # from here on, the next one is the last
    assert worker.log_in(card, WRONG) == "refused final-try"
    assert len(mock.logins()) == 1
