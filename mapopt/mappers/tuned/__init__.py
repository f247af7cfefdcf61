"""Parameter files: options of a mapper or a formulation that a tuning study found, used as ``tuned:FILE``.

The files beside this one are packaged and known by their names: ``tuned:NAME``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from mapopt.documents import Document, Name, Part, read_bytes, unknown
from mapopt.errors import InputError
from mapopt.options import Value

PREFIX = "tuned:"

Kind = Literal["mapper", "formulation"]


class SplitScore(Part, frozen=True):
    """What was measured on a split: shifted geometric means of the gaps, tuned and with defaults.

    Parameters
    ----------
    split
        ``train``, ``validation`` or ``test``.
    instances
        How many.
    period_gap, latency_gap
        With the options found.
    default_period_gap, default_latency_gap
        With the defaults.
    """

    split: Name
    instances: int
    period_gap: float
    latency_gap: float
    default_period_gap: float
    default_latency_gap: float


class Parameters(Document, frozen=True):
    """A parameter file.

    Parameters
    ----------
    mapper
        Name of the mapper, or ``None`` if it is a formulation that was tuned.
    options
        All its options.
    study
        Name of the tuning study.
    trial
        Its number there.
    code
        Digest of its code when it was tuned.
    scores
        On every split that was measured.
    digest
        Of everything else, so that a file that was edited is not taken for a study's result.
    formulation
        Name of the formulation, or ``None`` if it is a mapper that was tuned.
    """

    KIND: ClassVar[str] = "parameters"

    mapper: Name | None
    options: dict[Name, bool | int | float | str | None]
    study: Name
    trial: int
    code: str
    scores: tuple[SplitScore, ...] = ()
    digest: str = ""
    formulation: Name | None = None

    def __post_init__(self) -> None:
        if (self.mapper is None) == (self.formulation is None):
            raise InputError("parameters: are of a mapper or of a formulation; name one of the two")

    @property
    def content_digest(self) -> str:
        """What ``digest`` has to be."""
        bare = msgspec.to_builtins(msgspec.structs.replace(self, digest=""))
        data = msgspec.json.encode([self.schema_id(), bare], order="sorted")
        return "sha256:" + hashlib.sha256(data).hexdigest()

    def sealed(self) -> Parameters:
        """Return the parameters with their digest."""
        return msgspec.structs.replace(self, digest=self.content_digest)

    @classmethod
    def from_data(cls, raw: Any, source: str = "document") -> Parameters:
        """Validate decoded data; its digest must be that of its content.

        Raises
        ------
        InputError
            If the data breaks a rule or was altered.
        """
        parameters = super().from_data(raw, source)
        if parameters.digest != parameters.content_digest:
            raise InputError(
                f"{source}: digest is {parameters.digest[:19]!r}, but the content's is "
                f"{parameters.content_digest[:19]!r}; the file was altered: export it again with `mapopt tune export`, "
                "or give the options yourself with --set"
            )
        return parameters


def tuned_names() -> tuple[str, ...]:
    """Return the names of the packaged parameter files in alphabetic order."""
    files = [each.name for each in resources.files(__package__).iterdir()]
    return tuple(sorted(name.removesuffix(".json") for name in files if name.endswith(".json")))


def load_tuned(spec: str) -> Parameters:
    """Return the parameters of ``tuned:FILE`` or ``tuned:NAME``; a file has the suffix ``.json``.

    Raises
    ------
    InputError
        If there is no such file, or it breaks a rule.
    """
    name = spec.removeprefix(PREFIX)
    if name.lower().endswith(".json"):
        return Parameters.from_json(read_bytes(Path(name)), name)
    known = tuned_names()
    if name not in known:
        if not known:
            raise InputError(f"mapper {spec!r}: no parameter files are packaged; write tuned:FILE.json")
        raise unknown("packaged parameter file", name, known)
    return Parameters.from_json(resources.files(__package__).joinpath(f"{name}.json").read_bytes(), spec)


def settled(
    spec: str, given: Iterable[str] | dict[str, Value] = (), kind: Kind = "mapper"
) -> tuple[str, dict[str, Value]]:
    """Return the mapper, or the formulation, and the options that ``tuned:...`` stands for.

    Parameters
    ----------
    given
        Options that the user sets beside it: ``option=value`` texts, or values by name.
    kind
        What is wanted.

    Raises
    ------
    InputError
        If the file cannot be read, is about the other kind, or the user sets an option that it sets.
    """
    parameters = load_tuned(spec)
    name = parameters.mapper if kind == "mapper" else parameters.formulation
    if name is None:
        other, its = (
            ("formulation", parameters.formulation) if kind == "mapper" else ("mapper", parameters.mapper)
        )
        raise InputError(f"{kind} {spec!r}: holds options of {other} {its!r}; use it with --{other} {spec}")
    own: dict[str, Value] = (
        given
        if isinstance(given, dict)
        else {each.partition("=")[0]: each.partition("=")[2] for each in given}
    )
    for option in own:
        if option in parameters.options:
            raise InputError(
                f"{kind} {spec!r}: option {option!r} is set by the parameter file, to "
                f"{parameters.options[option]!r}; leave it out, or use {kind} {name!r} with options of your own"
            )
    return name, {**parameters.options, **own}
