"""The pace of a crawl over the last seconds."""

from collections import deque

# The rate is that of the last seconds, or of the last changes of the count if these are older.
_SECONDS, _LEAST_CHANGES = 10.0, 5


class Pace:
    """Measures how fast a count grows, from the times at which it changed.

    Between two changes the rate stays the same until the next one is overdue, and then declines:
    with a page every two seconds, it is 0.5 all the time. Times are in seconds, of any clock.
    """

    def __init__(self, now: float) -> None:
        self._changes = deque([(now, 0)])

    def note(self, count: int, now: float) -> None:
        """Note the count at a time, which is not before that of the last call."""
        changes = self._changes
        if count != changes[-1][1]:
            changes.append((now, count))
        while len(changes) > _LEAST_CHANGES + 1 and changes[1][0] <= now - _SECONDS:
            changes.popleft()

    def per_second(self, now: float) -> float | None:
        """Return the rate; None before the count has changed."""
        (first_at, first_count), (last_at, last_count) = self._changes[0], self._changes[-1]
        seconds = last_at - first_at
        if seconds <= 0:
            return None
        usual_gap = seconds / (len(self._changes) - 1)
        overdue = max(0.0, now - last_at - usual_gap)
        return (last_count - first_count) / (seconds + overdue)
