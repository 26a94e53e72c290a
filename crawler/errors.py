"""The one error class of this project's own code."""


class CrawlerError(ValueError):
    """Something given to the crawler is wrong; the message names it, what it got and what to do.

    ``exit_code`` is what ``scrapy crawl`` ends with: 2 for a wrong argument, 1 where the run cannot start.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code
