"""The shapes of the addresses of a publisher's articles, as far as a crawl has learned them.

A template learned at one depth applies to the lists of deeper pages only, so that the order of the
responses and killed runs change nothing. A seed's address applies from the start.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

SEED_DEPTH = -1
"""The depth at which the templates of the seeds' addresses are learned."""


class Templates:
    """Templates (``article_urls.template_of``) by publisher, with the least depth of each."""

    def __init__(self) -> None:
        self._depths: dict[str, dict[str, int]] = {}

    def learn(self, publisher: str, template: str, depth: int) -> bool:
        """Note an article's template; return whether it is new, or new at so small a depth."""
        depths = self._depths.setdefault(publisher, {})
        if depths.get(template, depth + 1) <= depth:
            return False
        depths[template] = depth
        return True

    def before(self, publisher: str, depth: int) -> Container[str]:
        """Return a publisher's templates that were learned at a smaller depth."""
        return _Known(self._depths.get(publisher, {}), depth)

    def __iter__(self) -> Iterator[tuple[str, str, int]]:
        for publisher, depths in self._depths.items():
            for template, depth in depths.items():
                yield publisher, template, depth


class _Known(Container[str]):
    def __init__(self, depths: dict[str, int], depth: int) -> None:
        self._depths = depths
        self._depth = depth

    def __contains__(self, template: object) -> bool:
        return self._depths.get(str(template), self._depth) < self._depth
