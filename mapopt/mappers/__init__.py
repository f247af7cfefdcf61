"""Mapping heuristics and exact mappers behind one protocol."""
