"""Where a study keeps what: the names of its files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.studies.store import RunStore


@dataclass(frozen=True, slots=True)
class Folder:
    """The result folder of a study, e.g. ``results/lblp-paper``.

    Parameters
    ----------
    path
        The folder itself.
    """

    path: Path

    @property
    def study(self) -> Path:
        """A copy of the study file as it was last run."""
        return self.path / "study.toml"

    @property
    def plan(self) -> Path:
        """The runs of the study in order."""
        return self.path / "plan.json"

    @property
    def table(self) -> Path:
        """What is derived from the records; may be deleted at any time."""
        return self.path / "table.sqlite"

    @property
    def store(self) -> RunStore:
        """The records."""
        return RunStore(self.path / "runs", durable=False)

    def instance_file(self, digest: str) -> Path:
        """Return where the instance with this digest is."""
        return self.path / "instances" / f"{digest.removeprefix('sha256:')}.json"

    def keep(self, instance: Instance) -> None:
        """Write an instance unless it is there and intact.

        Raises
        ------
        InputError
            If the system refuses, with its reason.
        """
        path = self.instance_file(instance.digest)
        with suppress(InputError):
            if Instance.load(path).digest == instance.digest:
                return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{path.parent}: cannot be made ({error.strerror or error})") from None
        instance.save(path)
