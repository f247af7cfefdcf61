"""Minimal period on unrelated units by patterns: what one unit holds within a period, as one column of a program."""
