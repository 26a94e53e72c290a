"""The sources of pages, one module each."""
