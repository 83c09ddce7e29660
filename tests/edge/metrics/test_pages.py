"""Every metric of every process, as Prometheus reads it, and no metric that is on no page."""

from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from consumers.answering import Partition
from consumers.commanding import Answered, Need, NotCommitted, PutAside, Revoked, Started, Waiting
from consumers.commanding import Pulse as CommandPulse
from consumers.relaying import Lost, Published
from consumers.relaying import Pulse as RelayPulse
from consumers.running import Pulse as ViewsPulse
from edge.consumer_health import before, during
from edge.health import Health as ViewsHealth
from edge.health import Oldest, Standing, ViewHealth
from edge.health_door import Page
from edge.kafka.lag import Holding, Lag
from edge.metrics.consumer import ConsumerMetrics
from edge.metrics.relay import RelayMetrics
from edge.metrics.scraping import metrics_page
from edge.metrics.views import ViewsMetrics
from edge.relay_health import Health as RelayHealth
from edge.relay_health import Unsent
from edge.starting import Absent
from tests.edge.cli.watched import Series, parsed
from tests.test_docs import ROOT

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
THEN = NOON.timestamp()
CRM, BANK = Partition("claims.commands.crm", 0), Partition("claims.commands.bank", 3)
AWAY = Waiting(Need.DATABASE, code="E603", why="gone", held=7)
STREAM = "claim-SMITH-1"
LABELS = {"outcome", "code", "topic", "partition", "for", "view", "le"}


def consumer() -> ConsumerMetrics:
    """The metrics of a loop to which everything happened once."""
    holding = Holding(495.0, (Lag(BANK, 0, None), Lag(CRM, 7, THEN - 60)), 2)
    pulse = CommandPulse(500.0, 7, AWAY, 480.0)
    made = ConsumerMetrics(lambda: during(NOON, 500.0, pulse, holding))
    made.take(Started("ledger.consume", (CRM.topic,)))
    made.take(PutAside(CRM.topic, 0, 17, "E705"))
    made.take(Answered(5, 3, 1, 2, {"E203": 2, "E411": 1}, 0.25))
    made.take(Revoked(6, 4))
    made.take(NotCommitted(2))
    return made


def relay() -> RelayMetrics:
    unsent = Unsent(10, 20, Oldest(11, STREAM, NOON), 3600.0)
    pulse, lost = RelayPulse(0.0, working=True), Absent(False, "E776", "no answer")
    made = RelayMetrics(lambda: RelayHealth(NOON, unsent, pulse, False, lost, 12.0, 400))
    made.take(Lost(False, "E776", "no answer"))
    made.take(Lost(True, "E603", "gone"))
    made.take(Published(400, 10))
    made.take(Lost(False, "E776", "no answer"))
    return made


def views() -> ViewsMetrics:
    standing = Standing(
        30,
        (
            ViewHealth("audit", 1, 1, 10, 20, frozenset({STREAM})),
            ViewHealth("reserves", 2, 1, 30, 0),
        ),
        Oldest(11, STREAM, NOON),
        3600.0,
    )
    pulse = ViewsPulse(NOON, 0.0, NOON, facts=9)
    return ViewsMetrics(lambda: ViewsHealth(NOON, standing, pulse=pulse))


MADE: list[Callable[[], ConsumerMetrics | RelayMetrics | ViewsMetrics]] = [consumer, relay, views]


def page(made: ConsumerMetrics | RelayMetrics | ViewsMetrics) -> Page:
    return metrics_page(made.registry)


def told(made: ConsumerMetrics | RelayMetrics | ViewsMetrics) -> dict[Series, float]:
    return parsed(page(made).body.decode())


def families() -> list[Metric]:
    return [
        each for made in MADE for each in text_string_to_metric_families(page(made()).body.decode())
    ]


def test_the_page_is_prometheus_own_text() -> None:
    assert page(consumer()).status == 200
    assert page(consumer()).media.startswith("text/plain; version=")


def test_what_a_consumer_counted_and_knows_comes_back_as_it_was() -> None:
    found = told(consumer())
    expected = {
        ("claims_consumer_receipts_total", "", "accepted"): 5,
        ("claims_consumer_receipts_total", "E203", "refused"): 2,
        ("claims_consumer_receipts_total", "E411", "refused"): 1,
        ("claims_consumer_repeated_total",): 2,
        ("claims_consumer_dead_letters_total", "E705", CRM.topic): 1,
        ("claims_consumer_put_aside_total",): 1,
        ("claims_consumer_partitions_revoked_total",): 6,
        ("claims_consumer_offsets_not_committed_total",): 2,
        ("claims_consumer_batch_messages_sum",): 9,
        ("claims_consumer_batch_messages_count",): 1,
        ("claims_consumer_batch_messages_bucket", "5.0"): 0,
        ("claims_consumer_batch_messages_bucket", "10.0"): 1,
        ("claims_consumer_batch_seconds_sum",): 0.25,
        ("claims_consumer_batch_seconds_bucket", "0.2"): 0,
        ("claims_consumer_batch_seconds_bucket", "0.5"): 1,
        ("claims_consumer_waiting_seconds", "database"): 20,
        ("claims_consumer_waiting_seconds", "topics"): 0,
        ("claims_consumer_waiting_seconds", "file"): 0,
        ("claims_consumer_waiting_seconds", "broker"): 0,
        ("claims_consumer_held_messages",): 7,
        ("claims_consumer_stuck",): 0,
        ("claims_consumer_partitions",): 2,
        ("claims_consumer_rebalances_total",): 2,
        ("claims_consumer_broker_seen_timestamp_seconds",): THEN - 5,
        ("claims_consumer_lag_messages", "3", BANK.topic): 0,
        ("claims_consumer_lag_messages", "0", CRM.topic): 7,
        ("claims_consumer_lag_seconds", "3", BANK.topic): 0,
        ("claims_consumer_lag_seconds", "0", CRM.topic): 60,
    }
    assert {series: found.get(series) for series in expected} == expected


def test_the_first_message_put_aside_is_an_increase() -> None:
    made = ConsumerMetrics(lambda: before(NOON, None, 0.0))
    assert told(made)["claims_consumer_put_aside_total",] == 0
    made.take(PutAside(CRM.topic, 0, 17, "E705"))
    assert told(made)["claims_consumer_put_aside_total",] == 1


def test_a_consumer_that_has_not_begun_has_no_lag_to_tell() -> None:
    made = ConsumerMetrics(lambda: before(NOON, Absent(True, "E617", "refused"), 9.0))
    found = told(made)
    assert found["claims_consumer_waiting_seconds", "database"] == 9
    names = {name for name, *_ in found}
    assert not {name for name in names if "lag" in name or "partitions" in name} - {
        "claims_consumer_partitions_revoked_total"
    }


def test_what_a_relay_counted_and_its_topic_lacks_comes_back_as_it_was() -> None:
    assert told(relay()) == {
        ("claims_relay_failures_total", "E776"): 2,
        ("claims_relay_failures_total", "E603"): 1,
        ("claims_relay_database_up",): 1,
        ("claims_relay_lost_seconds",): 12,
        ("claims_relay_working",): 1,
        ("claims_relay_stuck",): 0,
        ("claims_relay_published_facts_total",): 400,
        ("claims_relay_position",): 10,
        ("claims_relay_lag_facts",): 20,
        ("claims_relay_lag_seconds",): 3600,
        ("claims_relay_oldest_unsent_position",): 11,
    }


def test_what_the_views_lack_comes_back_as_it_was() -> None:
    assert told(views()) == {
        ("claims_views_database_up",): 1,
        ("claims_views_stuck",): 0,
        ("claims_views_read_facts_total",): 9,
        ("claims_views_head_position",): 30,
        ("claims_views_position", "audit"): 10,
        ("claims_views_position", "reserves"): 30,
        ("claims_views_lag_facts", "audit"): 20,
        ("claims_views_lag_facts", "reserves"): 0,
        ("claims_views_left_out", "audit"): 0,
        ("claims_views_left_out", "reserves"): 1,
        ("claims_views_lag_seconds",): 3600,
        ("claims_views_oldest_unapplied_position",): 11,
        ("claims_views_quarantined_files",): 1,
    }


def test_a_database_that_is_away_is_told_and_nothing_is_made_up() -> None:
    assert told(ViewsMetrics(lambda: ViewsHealth(NOON, None, "gone"))) == {
        ("claims_views_database_up",): 0
    }
    assert told(RelayMetrics(lambda: RelayHealth(NOON))) == {
        ("claims_relay_database_up",): 0,
        ("claims_relay_lost_seconds",): 0,
    }


def test_an_age_that_nobody_can_tell_is_left_out() -> None:
    unsent = Unsent(10, 20, Oldest(11, STREAM, None), None)
    found = told(RelayMetrics(lambda: RelayHealth(NOON, unsent)))
    assert ("claims_relay_lag_seconds",) not in found
    assert found["claims_relay_lag_facts",] == 20


def test_every_metric_is_ours_says_what_it_is_and_names_no_file() -> None:
    found = families()
    assert len({each.name for each in found}) == len(found)
    for each in found:
        assert each.name.startswith("claims_"), each.name
        assert each.documentation.endswith("."), each.name
        assert each.type in {"counter", "gauge", "histogram"}, each.name
        for sample in each.samples:
            assert set(sample.labels) <= LABELS, sample
            assert STREAM not in sample.labels.values()


def test_every_metric_is_on_the_page_of_what_to_watch() -> None:
    page = (ROOT / "docs" / "how-to" / "watch.md").read_text("utf-8")
    named = {f"{each.name}_total" if each.type == "counter" else each.name for each in families()}
    assert {name for name in named if f"`{name}`" not in page} == set()
