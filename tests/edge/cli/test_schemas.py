"""What may be asked: the commands and their fields, as the refusals point to them."""

from tests.edge.cli.invoking import Line


def test_every_command_is_listed_with_what_it_does(told: Line) -> None:
    listed = told("schema", "--json").data["commands"]
    assert listed["set-estimate"] == "Set what lines should cost in all."
    assert "import-history" not in listed  # no sender may say that a source has judged
    assert all(listed.values())


def test_a_commands_schema_names_its_fields_and_closes_them(told: Line) -> None:
    schema = told("schema", "reach-stage").data
    assert {"command_id", "actor", "claim", "stage"} <= set(schema["required"])
    assert schema["additionalProperties"] is False


def test_a_command_that_is_none_is_refused(told: Line) -> None:
    told("schema", "reach-stages", "--json").refused("E107", 1)
