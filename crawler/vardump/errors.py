"""The error and the warning of this package."""


class VarDumpError(ValueError):
    """A text is not valid ``var_dump`` output.

    ``document`` is the text as given, ``position`` the offset in it where reading stopped (bytes,
    or characters of a str), ``line`` and ``column`` the same place counted from 1, and
    ``expected`` a description of the text expected there.
    """

    def __init__(self, message: str, document: bytes | str, position: int, expected: str) -> None:
        self.message = message
        self.document = document
        self.position = position
        self.expected = expected
        super().__init__(message, document, position, expected)

    @property
    def line(self) -> int:
        """The line of ``position``, counted from 1."""
        if isinstance(self.document, str):
            return self.document.count("\n", 0, self.position) + 1
        return self.document.count(b"\n", 0, self.position) + 1

    @property
    def column(self) -> int:
        """The column of ``position`` in its line, counted from 1."""
        if isinstance(self.document, str):
            return self.position - self.document.rfind("\n", 0, self.position)
        return self.position - self.document.rfind(b"\n", 0, self.position)

    def __str__(self) -> str:
        return (
            f"{self.message}: line {self.line} column {self.column} "
            f"(position {self.position}): expected {self.expected}"
        )


class AmbiguousDumpWarning(UserWarning):
    """``loads`` returned the first of several readings, since keys carry no length."""
