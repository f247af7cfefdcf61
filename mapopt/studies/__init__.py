"""Runs that are kept: their records, and the store that makes long tables resumable."""
