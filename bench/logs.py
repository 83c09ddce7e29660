"""The ledgers that measurements work on: opened as the product opens them, and filled."""

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from bench import desk
from bench.cast import reference
from bench.filler import Filler, NextFile
from bench.templates import Scene, Template, of_portfolio
from edge.settings import Settings
from edge.wiring import Books, open_books

SEED = 7
TEMPLATE_FILES = 60  # of the synthetic portfolio: some 2,200 facts, two of the files of 30
OPEN_FILES = 5_000  # files that are worked on at any time: about a hundred handlers' tables


@contextmanager
def opened(conninfo: str) -> Generator[Books]:
    """The ledger in a database, put together as `claims` does it."""
    with open_books(Settings(dsn=conninfo, home=Path.cwd())) as books:
        yield books


def desk_files(conninfo: str, files: int) -> None:
    """Fill a ledger with small open files of the handlers, numbered from 0."""
    mandates, templates = desk.templates(Scene())

    def next_file(number: int) -> tuple[str, Template]:
        return reference(number), templates[number % len(templates)]

    filler = Filler(conninfo, next_file, OPEN_FILES)
    filler.common(mandates)
    filler.fill(files=files)


def lives(
    conninfo: str, *, kinds: Callable[[Template], bool] = bool, desks: bool = False
) -> Filler:
    """A filler of whole lives of files; with `desks`, every other file is one of the handlers'."""
    scene = Scene()
    mandates, made = of_portfolio(scene, SEED, TEMPLATE_FILES)
    of_desk, small = desk.templates(scene)
    filler = Filler(
        conninfo, _dealt([each for each in made if kinds(each)], small, desks=desks), OPEN_FILES
    )
    filler.common(mandates, of_desk)
    return filler


def _dealt(large: list[Template], small: list[Template], *, desks: bool) -> NextFile:
    chance = random.Random(SEED)

    def next_file(number: int) -> tuple[str, Template]:
        if desks and number % 2:
            return reference(number // 2), small[number // 2 % len(small)]
        template = chance.choice(large)
        return f"{template.kind}-{number:08}", template

    return next_file
