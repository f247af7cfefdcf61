"""The command line: every command reads, calls the library and prints; nothing is computed here."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from mapopt.errors import InputError, MapoptError


def main() -> None:
    """Run the ``mapopt`` command; exit code 0 is ok, 1 a check that did not hold, 2 bad input."""
    from mapopt.cli.app import app

    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly when nobody reads on, as `cat` does
    try:
        app()
    except MapoptError as error:
        _fail(str(error), 2 if isinstance(error, InputError) else 1)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"output cannot be written ({error.strerror or error})", 2)


def _fail(message: str, code: int) -> NoReturn:
    print(f"mapopt: {message}", file=sys.stderr)
    sys.exit(code)
