"""The one error of this package."""


class VarDumpError(ValueError):
    """A text that is not what ``var_dump`` writes.

    ``document`` is the text as it was given, ``position`` the offset in it where reading ended (bytes in bytes, characters in a
    str), ``line`` and ``column`` the same place counted from 1, and ``expected`` what should have stood there.
    """

    def __init__(self, message: str, document: bytes | str, position: int, expected: str) -> None:
        self.message = message
        self.document = document
        self.position = position
        self.expected = expected
        super().__init__(message, document, position, expected)

    @property
    def line(self) -> int:
        """The line of ``position``, the first being 1."""
        if isinstance(self.document, str):
            return self.document.count("\n", 0, self.position) + 1
        return self.document.count(b"\n", 0, self.position) + 1

    @property
    def column(self) -> int:
        """The column of ``position`` in its line, the first being 1."""
        if isinstance(self.document, str):
            return self.position - self.document.rfind("\n", 0, self.position)
        return self.position - self.document.rfind(b"\n", 0, self.position)

    def __str__(self) -> str:
        return f"{self.message}: line {self.line} column {self.column} (position {self.position}): expected {self.expected}"


class AmbiguousDumpWarning(UserWarning):
    """``loads`` took the first of several readings of one text, because keys carry no length."""
