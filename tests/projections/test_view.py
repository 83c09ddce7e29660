"""Views declare themselves, one file each."""

import pytest

from projections.view import UnknownView, View, views


def test_every_view_is_found_by_the_file_it_is_in() -> None:
    assert {"audit", "caseload", "reserves"} <= {view.name for view in views()}
    assert all(f"projections.{view.name}" == view.fold.__module__ for view in views())


def test_a_view_is_found_by_its_name() -> None:
    assert [view.name for view in views("reserves", "audit")] == ["reserves", "audit"]


def test_a_view_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(UnknownView) as refused:
        views("reserve")
    assert ", ".join(sorted(view.name for view in views())) in str(refused.value)


def test_a_view_names_its_tables_without_a_schema() -> None:
    """It is built beside the live one, and a name in full would be the live one's."""
    with pytest.raises(ValueError, match="CREATE TABLE odd"):
        View("odd", 1, {"odd": "CREATE TABLE views.odd (position bigint)"}, lambda _: [])
    for view in views():
        for statements in (*view.tables.values(), view.money or ""):
            assert "views." not in statements
