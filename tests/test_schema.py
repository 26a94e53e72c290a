"""The published JSON Schema of the records."""

from typing import Any

import pytest

from crawler.items import RECORDS, json_schema

PROPERTIES = [
    (kind, name, field, value)
    for kind in RECORDS
    for name, definition in json_schema(kind)["$defs"].items()
    for field, value in definition.get("properties", {}).items()
]


@pytest.mark.parametrize(("kind", "name", "field", "value"), PROPERTIES)
def test_every_field_says_what_it_means(
    kind: str, name: str, field: str, value: dict[str, Any]
) -> None:
    description = value.get("description", "")
    assert description.endswith("."), f"{kind}: {name}.{field} has no description"
    kinds = value.get("anyOf", [value])
    if any(part.get("type") == "null" for part in kinds):
        assert "null" in description, f"{kind}: {name}.{field} does not say what null means"


def test_records_have_all_fields_and_no_others() -> None:
    for kind in RECORDS:
        for definition in json_schema(kind)["$defs"].values():
            if "properties" in definition:
                assert definition["required"] == list(definition["properties"])
                assert definition["additionalProperties"] is False
