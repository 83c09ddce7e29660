"""A new view is one file, as the how-to shows it: found, built, reconciled, taken back."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import projections
from edge.postgres.connections import Role
from projections.view import views
from tests.edge.cli.conftest import line_of, tell
from tests.edge.cli.invoking import Line
from tests.postgres_fixtures import Database

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-view.md"
BEFORE = {view.name for view in views()}


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The how-to's file, put beside the others; its name, as the how-to says it."""
    page = PAGE.read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (name,) = re.findall(r"as `projections/(\w+)\.py`", page)
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.setattr(projections, "__path__", [*projections.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    yield name
    sys.modules.pop(f"projections.{name}", None)
    if hasattr(projections, name):
        delattr(projections, name)


def test_a_view_is_added_by_one_file(added: str, database: Database) -> None:
    tell(database)
    claims = line_of(database)
    status = {each["view"]: each for each in claims("views", "status", "--json").data}
    assert set(status) - BEFORE == {added}
    claims("run", "--once", "--json")
    status = {each["view"]: each for each in claims("views", "status", "--json").data}
    assert (status[added]["version"], status[added]["lag"]) == (1, 0)

    module = importlib.import_module(f"projections.{added}")
    with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as reading:
        made = module.by_handler(reading)
        assert sum(offers for _, offers in made) == _offers(claims) > 0

        rebuilt = claims("views", "rebuild", added, "--json")
        assert (rebuilt.code, rebuilt.data["differences"]) == (0, [])
        assert module.by_handler(reading) == made

        with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as spoiling:
            spoiling.execute("DELETE FROM views.offers_made WHERE handler = %s", made[0][:1])
        stopped = claims("views", "rebuild", added, "--json")
        assert (stopped.code, stopped.data["stopped"]) == (1, [added])
        assert claims("views", "rebuild", added, "--accept").code == 0
        assert module.by_handler(reading) == made
        claims("views", "rollback", added)
        assert module.by_handler(reading) != made


def test_what_a_view_kept_is_taken_away_as_the_page_says(added: str, database: Database) -> None:
    tell(database)
    claims = line_of(database)
    claims("run", "--once", "--json")
    (script,) = re.findall(
        r"^```sql\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    with psycopg.connect(database.conninfo(Role.OWNER), autocommit=True) as owner:
        owner.execute(script)
        left = owner.execute("SELECT view FROM views.position").fetchall()
        tables = owner.execute("SELECT to_regclass(%s)", [f"views.{added}"]).fetchone()
    assert ({view for (view,) in left}, tables) == (BEFORE, (None,))


def _offers(claims: Line) -> int:
    """How many offers the files' histories tell of."""
    references = {each["claim"] for each in claims("caseload", "--json").data["rows"]}
    histories = [claims("history", each, "--json").data["entries"] for each in references]
    return sum(entry["name"] == "offer-made.1" for each in histories for entry in each)
