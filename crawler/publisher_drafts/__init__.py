"""Drafts publisher files from the pages of a few articles, and checks them against these pages.

``sampling`` fetches the pages by a crawl, ``drafting`` finds facts in them about their
publisher, ``source_text`` writes it as a publisher file, ``expected`` keeps the pages and the
records that the file gives, and ``display`` shows both on the terminal.
"""
