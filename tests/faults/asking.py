"""What the writers ask: estimates, payments, offers, things asked twice, and things asked badly."""

import json
import random
from collections import deque
from collections.abc import Sequence
from datetime import date, timedelta

from tests.commands.bodies import DAMAGES, DEFENCE, ROLES, Body, damages, estimate, gbp, matter

PSLA = {**DAMAGES, "head": "psla"}
LINES = (DAMAGES, DEFENCE, PSLA)
BATCHES = (1, 1, 1, 2, 3, 5, 8, 20, 40)  # how many commands go together
SHARED_S = 2.5  # after so long all writers open the next shared file, before a file grows too long
SHARED_LIVE = 4  # files that all writers write to at the same time
OWN_FILES = 12  # that a writer has open; the oldest are left as they are
KEPT_TO_REPEAT = 400


def as_sent(body: Body) -> str:
    return json.dumps(body)


def command(kind: str, by: str, command_id: str, claim: str, /, **fields: object) -> Body:
    actor = {"person": by, "role": ROLES[by]}
    return {"type": kind, "command_id": command_id, "actor": actor, "claim": claim, **fields}


def opening(claim: str, day: date) -> list[Body]:
    """What opens a file; the same bodies under the same ids, whoever opens it."""
    review = (day + timedelta(days=60)).isoformat()
    ids = (f"{claim}-open-{step}" for step in range(4))
    estimates = [estimate(700), estimate(300, DEFENCE)]
    where = {"pathway": "dental", "team": "dental-1", "handler": "ann"}
    return [
        command("notify-matter", "bob", next(ids), claim, **matter(day - timedelta(days=9))),
        command("allocate-claim", "bob", next(ids), claim, **where),
        command("set-strategy", "ann", next(ids), claim, objective="settle", review_on=review),
        command("set-estimate", "cat", next(ids), claim, estimates=estimates),
    ]


class Asker:
    """Makes one writer's batches. `unanswered` is what an earlier life of it got no answer to."""

    def __init__(
        self, name: str, dice: random.Random, day: date, unanswered: Sequence[str]
    ) -> None:
        self._name = name
        self._dice = dice
        self._day = day
        self._number = 0
        self._own: deque[str] = deque(maxlen=OWN_FILES)
        self._next: deque[list[Body]] = deque()  # steps that follow what was asked
        self._sent: deque[str] = deque(maxlen=KEPT_TO_REPEAT)
        self._again: deque[str] = deque(unanswered)

    def batch(self, since_s: float) -> list[str]:
        """The next commands to send together, so long after the cycle began."""
        size = self._dice.choice(BATCHES)
        batch: list[str] = []
        while self._again and len(batch) < size:
            batch.append(self._again.popleft())
        while len(batch) < size:
            batch += self._some(int(since_s / SHARED_S))
        self._sent.extend(batch)
        return batch

    def left_unanswered(self, batch: Sequence[str]) -> None:
        """Send these again, before anything new."""
        self._again.extend(batch)

    def next_steps(self) -> list[Body]:
        """Steps that follow what was asked before; none where none do."""
        return self._next.popleft() if self._next else []

    def _some(self, newest: int) -> list[str]:
        chance = self._dice.random()
        if chance < 0.06 and self._sent:
            return [self._dice.choice(self._sent)]
        if chance < 0.12:
            return [self._badly()]
        if chance < 0.30 and self._next:
            return list(map(as_sent, self.next_steps()))
        if chance < 0.35 or not self._own:
            self._own.append(self._id())
            return list(map(as_sent, opening(self._own[-1], self._day)))
        if chance < 0.60:
            claim = f"S{self._dice.randint(max(0, newest - SHARED_LIVE + 1), newest)}"
            opened = opening(claim, self._day) if self._dice.random() < 0.2 else []
            return list(map(as_sent, [*opened, self.action(claim)]))
        return [as_sent(self.action(self._dice.choice(self._own)))]

    def action(self, claim: str) -> Body:
        """Something that is asked about a file; what follows it is kept for later."""
        draw = self._dice.random()
        if draw < 0.40:
            return self._estimates(claim)
        if draw < 0.65:
            return self._payment(claim)
        if draw < 0.80:
            return self._offer(claim)
        if draw < 0.90:
            return self._recovery(claim)
        by = self._dice.choice(("ann", "bob", "cat"))
        return self._command("change-handler", "bob", claim, handler=by)

    def _estimates(self, claim: str) -> Body:
        lines = self._dice.sample(LINES, self._dice.choice((1, 1, 2, 3)))
        by = self._dice.choice(("ann", "cat", "cat"))  # ann's mandate ends at 1,000 pounds
        asked = [estimate(self._pounds(100, 3_000), line) for line in lines]
        return self._command("set-estimate", by, claim, estimates=asked)

    def _payment(self, claim: str) -> Body:
        payment = self._id()
        steps = [
            self._command("approve-payment", "cat", claim, payment_id=payment),
            self._command("issue-payment", "fin", claim, payment_id=payment),
        ]
        if self._dice.random() < 0.3:
            void = self._command("void-payment", "fin", claim, payment_id=payment, why="returned")
            steps.append(void)
        if self._dice.random() < 0.5:
            self._next.append(steps)
        else:
            self._next.extend([step] for step in steps)
        return self._command(
            "request-payment",
            "ann",
            claim,
            payment_id=payment,
            line=self._dice.choice(LINES),
            amount=gbp(self._pounds(1, 200)),
            kind="interim",
            payee="party-1",
        )

    def _offer(self, claim: str) -> Body:
        offer = self._id()
        terms = {
            "type": "part36",
            "damages": damages(self._dice.randint(50, 1_500)),
            "costs_terms": "plus_reasonable_costs",
            "served_on": (self._day - timedelta(days=1)).isoformat(),
            "relevant_period_days": 21,
        }
        ours = self._dice.random() < 0.5
        ends = "withdraw-offer" if ours else "reject-offer"
        self._next.append([self._command(ends, "ann", claim, offer_id=offer)])
        return self._command(
            "make-offer" if ours else "receive-offer", "ann", claim, offer_id=offer, terms=terms
        )

    def _recovery(self, claim: str) -> Body:
        return self._command(
            "receive-recovery",
            "fin",
            claim,
            recovery_id=self._id(),
            line=self._dice.choice(LINES),
            category=self._dice.choice(("excess", "contribution")),
            amount=gbp(self._pounds(1, 90)),
        )

    def _badly(self) -> str:
        claim = self._dice.choice((*self._own, "nowhere"))
        good = self.action(claim)
        match self._dice.randrange(7):
            case 0:
                return as_sent(good)[:-3]
            case 1:
                return as_sent({**good, "colour": "red"})
            case 2:
                return as_sent({**good, "expected_version": 999})
            case 3:
                return as_sent(self._command("issue-payment", "fin", claim, payment_id="unknown"))
            case 4:
                return as_sent({**good, "type": "forget-it"})
            case 5 if self._sent:
                return self._dice.choice(self._sent).replace('"claim": "', '"claim": "x')
            case _:
                return as_sent(self._command("set-estimate", "ann", claim, estimates=[]))

    def _command(self, kind: str, by: str, claim: str, /, **fields: object) -> Body:
        return command(kind, by, self._id(), claim, **fields)

    def _pounds(self, least: int, most: int) -> str:
        return f"{self._dice.randint(least, most)}.{self._dice.randrange(100):02d}"

    def _id(self) -> str:
        self._number += 1
        return f"{self._name}-{self._number}"
