"""Access to Scrapy's engine for which there is no public API (private_names.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.core.engine import ExecutionEngine


def is_closing(engine: ExecutionEngine | None) -> bool:
    """Return whether the run is stopping, or has stopped."""
    slot = engine._slot if engine else None
    return slot is None or slot.closing is not None


def ask_scheduler(engine: ExecutionEngine) -> None:
    """Have the engine ask the scheduler for requests; by itself it asks every five seconds."""
    if engine._slot is not None and engine._slot.closing is None:
        engine._slot.nextcall.schedule()


def note_item_done(engine: ExecutionEngine) -> None:
    """Let the scraper close, if it waits for an item that belongs to no response."""
    scraper = engine.scraper
    if scraper.slot is not None and scraper.slot.closing and not scraper.slot.closing.called:
        scraper._check_if_closing()
