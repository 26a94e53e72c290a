"""The report: one HTML file that shows the results of a crawl, and needs no network.

``contents`` gathers what it says from a corpus, ``network`` lays out the graph, and ``page`` renders
the file from the templates.
"""
