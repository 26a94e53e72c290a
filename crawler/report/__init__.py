"""The report: one HTML file that shows the results of a crawl, and needs no network."""
