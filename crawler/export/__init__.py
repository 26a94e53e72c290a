"""Exports of a job's articles, or of those in feeds, to files that other programs open."""
