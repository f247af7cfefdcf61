"""Generators of instances, one per module: ``generate(**parameters)``, which JSON can hold, always gives the same.

Every parameter has a default; one out of range is an :class:`~mapopt.errors.InputError`.
"""
