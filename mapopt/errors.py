"""The exceptions of mapopt: one tree, so that one ``except`` catches what the user can mend.

Messages name the object, the rule that is broken and the remedy, e.g.
``unit 'imc3': crossbars is -1; it must be >= 0``.
"""

from __future__ import annotations


class MapoptError(Exception):
    """Base class of every error that mapopt raises on purpose."""


class InputError(MapoptError, ValueError):
    """A file, an option or a value breaks a rule; the command line exits with 2."""


class UnsupportedError(InputError):
    """The input is well-formed but asks for something mapopt or one of its parts does not do."""


class InfeasibleError(InputError):
    """No mapping can satisfy the instance, and the message says which rule rules it out."""


class NoMappingError(MapoptError):
    """A mapper found no mapping; others may still find one, so this proves nothing."""
