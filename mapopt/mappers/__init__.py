"""Mapping heuristics and exact mappers behind one protocol.

A mapper is found by name through :mod:`mapopt.mappers.registry`; :mod:`mapopt.mappers.base` says what one is.
"""
