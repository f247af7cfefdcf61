"""The library of instances: where they come from, what is known of them, and how hard they are."""

from __future__ import annotations

from pathlib import Path

from mapopt.instance import Instance
from mapopt.library.folder import Library

__all__ = ["Library", "load"]


def load(name: str, folder: str | Path = "instances") -> Instance:
    """Make an instance of the library.

    Parameters
    ----------
    name
        ``family/instance``.
    folder
        The library's.

    Raises
    ------
    InputError
        If there is no library in the folder, or no such instance in the library.
    """
    return Library.open(folder).member(name).make().instance
