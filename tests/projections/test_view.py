"""Views declare themselves, one file each."""

import pytest

from projections.view import UnknownView, views


def test_every_view_is_found_by_the_file_it_is_in() -> None:
    assert {"audit", "caseload", "reserves"} <= {view.name for view in views()}
    assert all(f"projections.{view.name}" == view.fold.__module__ for view in views())


def test_a_view_is_found_by_its_name() -> None:
    assert [view.name for view in views("reserves", "audit")] == ["reserves", "audit"]


def test_a_view_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(UnknownView) as refused:
        views("reserve")
    assert "audit, caseload, reserves" in str(refused.value)


def test_every_table_of_a_view_is_made_in_the_schema_of_the_views() -> None:
    for view in views():
        for table, statements in view.tables.items():
            assert f"CREATE TABLE views.{table} (" in statements
