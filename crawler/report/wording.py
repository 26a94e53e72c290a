"""The codes in records as ends of the sentence "Not fetched, because …"."""

from crawler.items import Reason, Why

WHYS: dict[Why, str] = {
    "depth": "they are farther from the seeds than depth allows",
    "limit": "the run had reached its limit",
    "pruned": "since, until, match or follow leaves them out",
    "offsite": "they are on a host that hosts leaves out",
    "address": "their addresses do not look like an article's",
    "not_saved": "no source has a page for them",
    "interrupted": "the run was stopped first",
}
"""Why articles are known only from links to them (items.Why)."""

REASONS: dict[Reason, str] = {
    "gone": "the site says that they are gone (404 or 410)",
    "http_2xx": "the response reports success, but has no page",
    "ignored": "a downloader middleware refused the request",
    "http_3xx": "the redirect leads nowhere",
    "http_4xx": "the site refused the request (4xx)",
    "http_5xx": "the server failed (5xx)",
    "timeout": "the server did not answer in time",
    "dns": "the host name cannot be resolved",
    "refused": "the server refused the connection",
    "tls": "no secure connection could be made",
    "connection_lost": "the connection was lost",
    "robots": "robots.txt forbids it",
    "robots_unavailable": "the server failed to return its robots.txt",
    "offsite_redirect": "they redirect to another site",
    "redirect_loop": "the redirects do not end",
    "private_address": "they are on a private network",
    "not_html": "the response is not HTML",
    "too_large": "the page is too large",
    "cut_short": "the page arrived incomplete",
    "too_slow": "the page took too long to read",
    "not_an_article": "the page is not an article",
    "no_list": "the page lists no articles",
    "other_article": "the page is another article's",
    "unreadable": "the page cannot be read",
    "not_rendered": "the browser could not run the page's scripts",
    "internal_error": "this program failed; please report it",
}
"""Why articles could not be fetched or read (items.Reason)."""
