"""Read who wrote an article."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Byline:
    """An author's name, the URL of the author's page as written, and where they were read."""

    name: str
    url: str | None
    where: str
