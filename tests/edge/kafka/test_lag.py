"""The lag of a partition is what is not committed yet, however little of it was polled."""

from consumers.answering import Partition
from edge.kafka.lag import Lag, Lags

CRM, BANK = Partition("claims.commands.crm", 0), Partition("claims.commands.bank", 3)
NOW = 1_000.0


def looked(reads: int, end: int, now_s: float = NOW) -> Lags:
    lags = Lags()
    lags.looked({CRM: (reads, end)}, now_s)
    return lags


def test_a_partition_that_is_read_to_its_end_lacks_nothing() -> None:
    assert looked(7, 7).now() == (Lag(CRM, 0, None),)


def test_what_was_polled_counts_until_it_is_committed_with_the_time_of_the_oldest() -> None:
    lags = looked(7, 7)
    lags.polled(CRM, [(7, 990.0), (8, 991.0), (9, 992.0)])
    assert lags.now() == (Lag(CRM, 3, 990.0),)
    lags.committed({CRM: 9})
    assert lags.now() == (Lag(CRM, 1, 992.0),)
    lags.committed({CRM: 10})
    assert lags.now() == (Lag(CRM, 0, None),)


def test_what_was_not_polled_counts_too() -> None:
    lags = looked(7, 7)
    lags.polled(CRM, [(7, 990.0), (8, 991.0)])
    lags.looked({CRM: (9, 30)}, NOW + 5)
    assert lags.now() == (Lag(CRM, 23, 990.0),)


def test_a_message_that_nobody_polled_has_come_since_the_partition_was_last_level() -> None:
    lags = looked(7, 7)
    lags.looked({CRM: (7, 7)}, NOW + 5)
    lags.looked({CRM: (7, 9)}, NOW + 10)
    lags.looked({CRM: (7, 12)}, NOW + 15)
    assert lags.now() == (Lag(CRM, 5, NOW + 5),)


def test_or_since_the_last_one_that_was_committed() -> None:
    lags = looked(7, 100)
    lags.polled(CRM, [(7, NOW + 1), (8, NOW + 2)])
    lags.committed({CRM: 9})
    assert lags.now() == (Lag(CRM, 91, NOW + 2),)


def test_or_since_the_first_look_where_nothing_else_is_known() -> None:
    assert looked(7, 9).now() == (Lag(CRM, 2, NOW),)


def test_offsets_that_hold_no_message_are_not_waited_for() -> None:
    """Such as the marks of a transaction: who is past them has read all there is."""
    lags = looked(7, 7)
    lags.polled(CRM, [(7, 990.0)])
    lags.committed({CRM: 8})
    lags.looked({CRM: (9, 9)}, NOW)
    assert lags.now() == (Lag(CRM, 0, None),)


def test_what_is_no_longer_held_is_somebody_else_s() -> None:
    lags = looked(7, 9)
    lags.polled(BANK, [(0, 990.0)])
    lags.let_go([CRM])
    assert lags.now() == (Lag(BANK, 1, 990.0),)
    lags.looked({CRM: (7, 9)}, NOW)
    assert [each.partition for each in lags.now()] == [CRM]
    lags.committed({BANK: 1})


def test_what_is_read_anew_is_counted_once() -> None:
    lags = looked(7, 9)
    lags.polled(CRM, [(7, 990.0), (8, 991.0)])
    lags.read_anew()
    lags.looked({CRM: (7, 9)}, NOW)
    lags.polled(CRM, [(7, 990.0), (8, 991.0)])
    assert lags.now() == (Lag(CRM, 2, 990.0),)
