"""Making the topics and rights that there must be, and naming where a broker differs from them."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kafka.errors import (
    InvalidConfigurationError,
    KafkaError,
    SecurityDisabledError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from edge.kafka.library import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    for_code,
)
from edge.kafka.topics import Grant, On, Right, Topic

USER = "User:"
ANYBODY = f"{USER}*"
ANY_HOST = "*"
SETTLE_TRIES_MAX = 20  # two seconds; a cluster tells its brokers within a tenth of one
SETTLE_PAUSE_S = 0.1  # between two of them
_PATTERNS = {
    On.TOPIC: (ResourceType.TOPIC, ACLResourcePatternType.LITERAL),
    On.GROUPS: (ResourceType.GROUP, ACLResourcePatternType.PREFIXED),
}
_OPERATIONS = {Right.READ: ACLOperation.READ, Right.WRITE: ACLOperation.WRITE}


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a broker is not as it must be; `subject` is a topic, or the groups of a user."""

    subject: str
    setting: str
    must_be: str
    found: str


def create(admin: Any, topics: list[Topic], grants: list[Grant]) -> list[str]:
    """Make what is missing and set what is set otherwise; what was done, a sentence each.

    Partitions and replication of a topic that is there are left as they are: with other partitions
    a file's messages would no longer be in one, and so no longer in order. No right is taken away.
    """
    there = _described(admin, topics)
    missing = [topic for topic in topics if topic.name not in there]
    if missing:
        asked = {
            topic.name: {
                "num_partitions": topic.partitions,
                "replication_factor": topic.replication,
                "configs": topic.settings,
            }
            for topic in missing
        }
        admin.create_topics(asked, wait_for_metadata=True)
    done = [f"made the topic {topic.name}" for topic in missing]
    for topic in topics:
        done += _set(admin, topic, there.get(topic.name))
    return done + _allow(admin, grants)


def check(admin: Any, topics: list[Topic], grants: list[Grant]) -> list[Difference]:
    """Every difference between what a broker has and what there must be, by topic and setting."""
    there = _described(admin, topics)
    found = [each for topic in topics for each in _differences(topic, there.get(topic.name))]
    return found + list(_wrong_rights(admin, topics, grants))


def settled(admin: Any, topics: list[Topic], grants: list[Grant]) -> list[Difference]:
    """`check` after `create`: what the brokers have agreed on they do not all know at once."""
    found = check(admin, topics, grants)
    for _ in range(SETTLE_TRIES_MAX):
        if not found:
            break
        time.sleep(SETTLE_PAUSE_S)
        found = check(admin, topics, grants)
    return found


@dataclass(frozen=True, slots=True)
class _Found:
    partitions: int
    replication: int
    settings: dict[str, str]


def _described(admin: Any, topics: Iterable[Topic]) -> dict[str, _Found]:
    """The topics of these that the broker has."""
    names = [topic.name for topic in topics]
    there = {
        each["name"]: each["partitions"]
        for each in admin.describe_topics(names)
        if _there(each["name"], each["error_code"])
    }
    if not there:
        return {}
    asked = [ConfigResource("TOPIC", name) for name in there]
    configs: dict[str, Any] = admin.describe_configs(asked, config_filter="all").get("topic", {})
    for name in there:
        if not configs.get(name):  # the library passes over the refusal of an answer
            raise TopicAuthorizationFailedError(f"describing the settings of {name}")
    return {
        name: _Found(
            len(partitions),
            min(len(each["replica_nodes"]) for each in partitions),
            {key: str(each["value"]) for key, each in configs[name].items()},
        )
        for name, partitions in there.items()
    }


def _there(name: str, error_code: int) -> bool:
    kind = for_code(error_code)
    if error_code and not issubclass(kind, UnknownTopicOrPartitionError):
        raise kind(name)
    return not error_code


def _differences(topic: Topic, found: _Found | None) -> Iterator[Difference]:
    if found is None:
        yield Difference(topic.name, "topic", "there", "missing")
        return
    for setting, must_be, is_now in (
        ("partitions", topic.partitions, found.partitions),
        ("replication", topic.replication, found.replication),
        *((key, value, found.settings.get(key, "")) for key, value in topic.settings.items()),
    ):
        if must_be != is_now:
            yield Difference(topic.name, setting, str(must_be), str(is_now))


def _set(admin: Any, topic: Topic, found: _Found | None) -> list[str]:
    if found is None:
        return []
    wrong = {key: value for key, value in topic.settings.items() if found.settings[key] != value}
    if not wrong:
        return []
    answer = admin.alter_configs([ConfigResource("TOPIC", topic.name, dict(wrong))])
    said = answer["topic"][topic.name]
    if said != "OK":
        raise InvalidConfigurationError(f"{topic.name}: {said}")
    return [f"set {key} of {topic.name} to {value}" for key, value in wrong.items()]


def _allow(admin: Any, grants: list[Grant]) -> list[str]:
    """Give the rights that are missing; a broker that keeps no rights is left to `check`."""
    try:
        rules = _rules(admin)
    except SecurityDisabledError:
        return []
    missing = [grant for grant in grants if not _is_given(grant, rules)]
    if missing:
        failed: list[type[KafkaError]] = admin.create_acls(list(map(rule, missing)))["failed"]
        for kind in failed:
            raise kind("giving rights")
    return [_said(grant) for grant in missing]


def _said(grant: Grant) -> str:
    if grant.on is On.GROUPS:
        return f"let {grant.user} form groups whose names begin with {grant.name}"
    return f"let {grant.user} {grant.right} {grant.name}"


def _wrong_rights(admin: Any, topics: list[Topic], grants: list[Grant]) -> Iterator[Difference]:
    """Rights that are missing, and rights on the ledger's topics that nobody should have."""
    try:
        rules = _rules(admin)
    except SecurityDisabledError:
        yield Difference("every topic", "rights", "kept", "not kept: there is no authorizer")
        return
    for grant in grants:
        if not _is_given(grant, rules):
            yield Difference(grant.name, f"{grant.right} by {grant.user}", "allowed", "not allowed")
    for topic in topics:
        for right in Right:
            meant = {
                f"{USER}{each.user}"
                for each in grants
                if (each.name, each.right) == (topic.name, right)
            }
            for user in sorted(_allowed(On.TOPIC, topic.name, right, rules) - meant):
                setting = f"{right} by {user.removeprefix(USER)}"
                yield Difference(topic.name, setting, "not allowed", "allowed")


def _rules(admin: Any) -> list[Any]:
    """Every rule the broker keeps."""
    anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    rules, _ = admin.describe_acls(
        ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
    )
    return list(rules)


def rule(grant: Grant) -> Any:
    """The rule that gives a right, as the broker keeps it."""
    kind, pattern = _PATTERNS[grant.on]
    return ACL(
        f"{USER}{grant.user}",
        ANY_HOST,
        _OPERATIONS[grant.right],
        ACLPermissionType.ALLOW,
        ResourcePattern(kind, grant.name, pattern),
    )


def _is_given(grant: Grant, rules: list[Any]) -> bool:
    """Allowed from every host, and denied from none."""
    users = {f"{USER}{grant.user}", ANYBODY}
    about = [
        rule for rule in _about(grant.on, grant.name, grant.right, rules) if rule.principal in users
    ]
    return any(
        rule.host == ANY_HOST and rule.permission_type == ACLPermissionType.ALLOW for rule in about
    ) and not any(rule.permission_type == ACLPermissionType.DENY for rule in about)


def _allowed(on: On, name: str, right: Right, rules: list[Any]) -> set[str]:
    """Whom any rule allows it, from whatever host."""
    return {
        rule.principal
        for rule in _about(on, name, right, rules)
        if rule.permission_type == ACLPermissionType.ALLOW
    }


def _about(on: On, name: str, right: Right, rules: list[Any]) -> Iterator[Any]:
    """The rules on a right, whatever pattern they use to say what they are about."""
    for rule in rules:
        pattern = rule.resource_pattern
        covers = pattern.resource_name in {name, "*"}
        if pattern.pattern_type == ACLResourcePatternType.PREFIXED:
            covers = name.startswith(pattern.resource_name)
        elif on is On.GROUPS:
            covers = pattern.resource_name == "*"  # one name is not all that begin with it
        same = pattern.resource_type == _PATTERNS[on][0]
        if same and covers and rule.operation in {_OPERATIONS[right], ACLOperation.ALL}:
            yield rule
