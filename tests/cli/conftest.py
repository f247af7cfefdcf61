import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from mapopt.cli import main


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def mapopt(monkeypatch, capsys):
    """Run the command as a user would; anything but a clean exit is a traceback and fails the test."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["mapopt", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as exit_:
            code = exit_.code or 0
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
