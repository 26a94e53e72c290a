"""From the bytes of a page to the record of its article; ``api`` has the public functions.

Nothing is imported here, because a command that only checks its arguments needs the publishers but
not the parsers.
"""
