"""The tuning file: what is tuned on which instances, as its author writes it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec

from mapopt.documents import Document, Name, Part, read_bytes
from mapopt.errors import InputError
from mapopt.studies.study import InstanceSet, Many, Positive, RunLimits, Seed, Seeds, StudyName

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Sampler = Literal["tpe", "cmaes", "gp", "nsga2", "random"]
Pruner = Literal["none", "median", "halving", "hyperband"]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Ratio = Annotated[float, msgspec.Meta(ge=0, le=100)]
Plain = bool | int | float | str
BASELINES = ("lblp", "heft-tp", "maxtp")


class FamilySet(InstanceSet, frozen=True):
    """Instances of one family, see :class:`mapopt.studies.study.InstanceSet` for what names them.

    Instances of the library bring their references with them.

    Parameters
    ----------
    family
        By default the network of each instance, the folder of its file, or its family in the library.
    split
        Where they go; by default what the table ``split`` says of their family.
    """

    family: Name | None = None
    split: Split | None = None


class Splitting(Part, frozen=True):
    """Which families are trained on, and which are held out.

    Parameters
    ----------
    train, validation, test
        Families by name. If none is named, families are shuffled with ``seed`` and dealt out.
    seed
        Of the shuffle.
    shares
        Of the families, for training and validation; the rest is for the test.
    """

    train: tuple[Name, ...] = ()
    validation: tuple[Name, ...] = ()
    test: tuple[Name, ...] = ()
    seed: Seed = 0
    shares: tuple[Share, Share] = (0.5, 0.25)

    def __post_init__(self) -> None:
        if sum(self.shares) >= 1:
            raise InputError(
                f"split: shares are {list(self.shares)}; together they must leave some for the test"
            )
        placed: dict[str, str] = {}
        for split in SPLITS:
            for family in getattr(self, split):
                if family in placed:
                    raise InputError(
                        f"split: family {family!r} is in {placed[family]!r} and in {split!r}; splits must not "
                        "overlap, name it once"
                    )
                placed[family] = split


class Range(Part, frozen=True):
    """What is tried of one parameter: a range of a number, or some of its values.

    Parameters
    ----------
    low, high
        Closed range; both or none.
    log
        Whether numbers are tried evenly by their logarithm.
    choices
        Values.
    value
        One value to hold the parameter at.
    """

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: tuple[Plain, ...] = ()
    value: Plain | None = None

    def __post_init__(self) -> None:
        given = ((self.low, self.high) != (None, None), bool(self.choices), self.value is not None)
        if sum(given) != 1 or (self.low is None) != (self.high is None):
            raise InputError("range of a parameter: give low and high, or choices, or value")


class Budget(Part, frozen=True):
    """When to stop; whichever comes first.

    Parameters
    ----------
    trials
        Trials of the study as a whole, whoever makes them.
    time_s
        Seconds of each call.
    """

    trials: Many = 100
    time_s: Positive | None = None


class Effort(Part, frozen=True):
    """How much effort each solve with the tuned formulation may take.

    Parameters
    ----------
    time_s
        Units of effort that the solver counts, about a second each; without ``deterministic`` seconds.
    deterministic
        Whether effort is counted: then a trial gives the same score on every machine.
    workers
        Threads of the solver; one where effort is counted.
    """

    time_s: Annotated[float, msgspec.Meta(gt=0, le=1e6)] = 10.0
    deterministic: bool = True
    workers: Many = 1

    @property
    def limits(self) -> RunLimits:
        """The limits of each solve."""
        return RunLimits(time_s=self.time_s, deterministic=self.deterministic, workers=self.workers)


class Gain(Part, frozen=True):
    """Which instances count: those on which there is something to gain over a simple mapper.

    Parameters
    ----------
    mapper
        The simple mapper.
    period
        An instance counts if the mapper's period is further than this share above the reference,
    latency
        or if its latency is further than this share above the critical path.
    """

    mapper: Name = "lpt"
    period: Ratio = 0.01
    latency: Ratio = 0.0


class Tuning(Document, frozen=True):
    """A tuning study.

    Parameters
    ----------
    name
        Of the study and of its result folder.
    instances
        On which it is tuned, and by which it is judged.
    mapper, formulation
        What is tuned: one of the two.
    effort
        Of each solve with the formulation; :class:`Effort` by default.
    description
        For people.
    library
        Folder of the instance library, relative to the tuning file, or else to where the command runs.
    options
        Options of it that are held at other values than their defaults.
    tuned
        Names of the parameters that are tuned; all by default.
    parameters
        Narrower ranges of parameters.
    split
        See :class:`Splitting`.
    sampler
        ``tpe``, ``cmaes``, ``gp`` and ``random`` minimise the score; ``nsga2`` both gaps at once.
    pruner
        Gives a trial up after a part of the instances.
    seed
        Of the sampler and of the order of instances.
    seeds
        Of a random mapper or a formulation, for each instance.
    budget
        See :class:`Budget`.
    limits
        On each solve that finds a reference.
    gain
        See :class:`Gain`.
    latency_weight
        Of the latency's gap in the score, see :func:`mapopt.tuning.scores.score`.
    run_s
        Most seconds that one run may take; a trial with a longer run, twice, is given up.
    finalists
        How many of the best trials are compared on the validation split.
    baselines
        Mappers that the tuned one is compared with, beside its own defaults; of the usual ones it is left out itself.
    """

    KIND: ClassVar[str] = "tuning"

    name: StudyName
    instances: Annotated[tuple[FamilySet, ...], msgspec.Meta(min_length=1)]
    mapper: Name | None = None
    formulation: Name | None = None
    effort: Effort | None = None
    description: str = ""
    library: Name = "instances"
    options: dict[Name, Plain] = msgspec.field(default_factory=dict)
    tuned: tuple[Name, ...] = ()
    parameters: dict[Name, Range] = msgspec.field(default_factory=dict)
    split: Splitting = Splitting()
    sampler: Sampler = "tpe"
    pruner: Pruner = "median"
    seed: Seed = 0
    seeds: Seeds = 3
    budget: Budget = Budget()
    limits: RunLimits = RunLimits()
    gain: Gain = Gain()
    latency_weight: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.001
    run_s: Positive | None = None
    finalists: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    baselines: tuple[Name, ...] = BASELINES

    def __post_init__(self) -> None:
        if (self.mapper is None) == (self.formulation is None):
            given = "neither" if self.mapper is None else "both"
            raise InputError(
                f"tuning {self.name!r}: has {given} of mapper and formulation; name what is tuned, one of the two"
            )
        if self.effort is not None and self.formulation is None:
            raise InputError(
                f"tuning {self.name!r}: effort is of the solves with a formulation, and mapper {self.mapper!r} is "
                "tuned; leave it out, and limit runs with run_s"
            )
        if self.sampler == "nsga2" and self.pruner != "none":
            raise InputError(
                f"tuning {self.name!r}: sampler 'nsga2' has two objectives, by which no trial can be given up early; "
                'set pruner = "none"'
            )
        if isinstance(self.seeds, tuple) and len(set(self.seeds)) < len(self.seeds):
            raise InputError(f"tuning {self.name!r}: seeds are {list(self.seeds)}; name every seed once")
        if self.mapper in self.baselines and self.baselines != BASELINES:
            raise InputError(
                f"tuning {self.name!r}: baselines name {self.mapper!r}, the mapper that is tuned; it is compared with "
                "its defaults anyway, drop it"
            )

    @property
    def others(self) -> tuple[str, ...]:
        """The baselines, once each and without the mapper itself."""
        return tuple(name for name in dict.fromkeys(self.baselines) if name != self.mapper)


def read_tuning(path: str | Path) -> Tuning:
    """Read a tuning file.

    Raises
    ------
    InputError
        If it cannot be read, is not TOML, or breaks a rule.
    """
    return parse_tuning(read_bytes(path), str(path))


def parse_tuning(data: bytes, source: str) -> Tuning:
    """Make a tuning study of TOML text; ``source`` names it in messages.

    Raises
    ------
    InputError
        If it is not TOML or breaks a rule.
    """
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"{source}: is not UTF-8 text; a tuning file is TOML") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{source}: not valid TOML ({error})") from None
    return Tuning.from_data(raw, source)
