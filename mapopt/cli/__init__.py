"""The command line: every command reads, calls the library and prints; nothing is computed here."""

from __future__ import annotations

import sys

from mapopt.errors import InputError, MapoptError


def main() -> None:
    """Run the ``mapopt`` command; exit code 0 is ok, 1 a check that did not hold, 2 bad input."""
    from mapopt.cli.app import app

    try:
        app()
    except MapoptError as error:
        print(f"mapopt: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
    except KeyboardInterrupt:
        print("mapopt: interrupted", file=sys.stderr)
        sys.exit(130)
