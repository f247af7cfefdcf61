"""Reading and writing mapopt's JSON documents: strict, versioned, atomic.

Every document starts with ``"schema": "mapopt.<kind>/<version>"``. A document is a frozen
:class:`Document` subclass, which is its own schema: unknown keys, missing keys, wrong types, NaN and
out-of-range numbers are refused on reading, with the path of the offending value.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

import msgspec

from mapopt.errors import InputError

MAX_TICKS = 10**15
"""Largest time of one node, transfer or schedule entry, in ticks (11 days at 1 ns)."""

MAX_COUNT = 2**62
"""Largest count, so that sums of a few fit 64 bits."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
Ticks = Annotated[int, msgspec.Meta(ge=0, le=MAX_TICKS)]
Rate = Annotated[int, msgspec.Meta(ge=1, le=10**18)]

_SCHEMA = re.compile(r"mapopt\.(?P<kind>[a-z]+)/(?P<version>\d{1,6})")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A value inside a document."""


class Document(Part, frozen=True):
    """A document of its own; subclasses name their ``KIND`` and ``VERSION``."""

    KIND: ClassVar[str]
    VERSION: ClassVar[int] = 1

    @classmethod
    def schema_id(cls) -> str:
        """Return the value of the ``schema`` key, e.g. ``mapopt.instance/1``."""
        return f"mapopt.{cls.KIND}/{cls.VERSION}"

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of this document."""
        schema = msgspec.json.schema(cls)
        root = schema["$defs"][cls.__name__]
        root["properties"] = {"schema": {"const": cls.schema_id()}, **root["properties"]}
        root["required"] = ["schema", *root["required"]]
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": cls.schema_id(), **schema}

    def to_json(self) -> bytes:
        """Encode with the schema first; the same value always gives the same bytes."""
        body = msgspec.json.encode(self)
        head = b'{"schema":' + msgspec.json.encode(self.schema_id())
        return head + (b"," if len(body) > 2 else b"") + body[1:]

    @classmethod
    def from_json(cls, data: bytes, source: str = "document") -> Self:
        """Decode and validate; ``source`` names the file in messages.

        Raises
        ------
        InputError
            If the bytes are not JSON, of another kind or version, or break a rule.
        """
        return cls.from_data(decode_json(data, source), source)

    @classmethod
    def from_data(cls, raw: Any, source: str = "document") -> Self:
        """Validate decoded data, see :meth:`from_json`.

        Raises
        ------
        InputError
            If the data is of another kind or version, or breaks a rule.
        """
        check_schema(raw, cls.KIND, cls.VERSION, source)
        return convert({key: value for key, value in raw.items() if key != "schema"}, cls, source)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a document from a file (see :meth:`from_json`)."""
        return cls.from_json(read_bytes(path), str(path))

    def save(self, path: str | Path) -> None:
        """Write the document, indented, atomically."""
        write_atomic(path, msgspec.json.format(self.to_json(), indent=1) + b"\n")


T = TypeVar("T")


def decode_json(data: bytes, source: str) -> Any:
    """Decode JSON to plain data.

    Raises
    ------
    InputError
        If the bytes are not JSON (NaN is not), naming ``source``.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{source}: not valid JSON ({error}); JSON has no NaN or infinity and no byte order mark, and the file may "
            "be truncated"
        ) from None


def read_csv(path: str | Path, columns: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Read a CSV file that has at least these columns.

    Returns
    -------
    list
        For each row where it stands (``file, line n``) and its cells by column, empty where missing.

    Raises
    ------
    InputError
        If the file cannot be read, is not UTF-8, is not CSV, lacks a column, has a row of another length than its
        header, or no row at all.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text; save it as a CSV file in UTF-8") from None
    reader = csv.reader(io.StringIO(text))
    rows = []
    try:
        names = next(reader, [])
        if not set(columns) <= set(names):
            raise InputError(f"{path}: has the columns {names}; it needs {', '.join(columns)}")
        for cells in reader:
            where = f"{path}, line {reader.line_num}"
            if cells and len(cells) != len(names):
                raise InputError(
                    f"{where}: has {len(cells)} fields for {len(names)} columns; quote fields that hold a comma, and "
                    "write decimals with a point"
                )
            if cells:
                rows.append((where, dict(zip(names, cells, strict=True))))
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not valid CSV ({error})") from None
    if not rows:
        raise InputError(f"{path}: has no rows below its header; leave the file out or fill it")
    return rows


def convert(raw: Any, kind: type[T], source: str) -> T:
    """Convert plain data to ``kind``.

    Raises
    ------
    InputError
        If a rule is broken, with the path of the value.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"{source}: {_explained(str(error), raw, kind)}") from None


def _explained(message: str, raw: Any, kind: Any) -> str:
    """Add to msgspec's message the wrong value, the name of what it belongs to, and where the rules are."""
    rule, separator, path = message.partition(" - at `$")
    if "unknown field" in rule:
        names = ", ".join(_keys(kind))
        return message + (f"; known keys: {names}" if names and not separator else "; leave it out")
    remedy = f"; `mapopt schema {kind.KIND}` says what is allowed" if hasattr(kind, "KIND") else ""
    value, owner = raw, ""
    for key, index in re.findall(r"\.([^.\[\]`]+)|\[(\d+)\]", path):
        try:
            value = value[int(index)] if index else value[key]
        except (KeyError, IndexError, TypeError):
            return message + remedy
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            owner = f" of {value['name'][:100]!r}"
    if not separator:
        return message + remedy
    shown = "" if isinstance(value, dict | list) else f" is {value!r:.100}"
    return f"{path[1:-1]}{owner}{shown}: {rule[:1].lower()}{rule[1:]}{remedy}"


def _keys(kind: Any) -> list[str]:
    return (
        [field.encode_name for field in msgspec.structs.fields(kind)]
        if issubclass(kind, msgspec.Struct)
        else []
    )


def unique(what: str, names: Iterable[str]) -> None:
    """Refuse a name that occurs twice.

    Raises
    ------
    InputError
        Naming ``what`` and the name.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{what} {name!r} appears twice; names must be unique")
        seen.add(name)


def unknown(what: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for a name that does not exist, with the closest that do."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}" if close else f"it must be one of {', '.join(names[:8])}"
    more = ", ..." if not close and len(names) > 8 else ""
    return InputError(f"{what} {name!r} does not exist; {hint}{more}")


def check_schema(raw: Any, kind: str, version: int, source: str) -> None:
    """Refuse data that does not declare itself as ``mapopt.<kind>/<version>``.

    Raises
    ------
    InputError
        Saying what the data declares and what is expected.
    """
    if not isinstance(raw, dict):
        raise InputError(f"{source}: holds {type(raw).__name__}; a mapopt {kind} is a JSON object")
    declared = raw.get("schema")
    match = _SCHEMA.fullmatch(declared) if isinstance(declared, str) else None
    if match is None:
        raise InputError(f"{source}: schema is {declared!r}; it must be 'mapopt.{kind}/{version}'")
    if match["kind"] != kind:
        raise InputError(f"{source}: is a mapopt {match['kind']}, but a mapopt {kind} is expected here")
    if int(match["version"]) != version:
        raise InputError(
            f"{source}: has {kind} schema version {int(match['version'])}, this mapopt reads version {version}; "
            "use the mapopt release that wrote the file, or write the file again with this one"
        )


def read_bytes(path: str | Path) -> bytes:
    """Read a whole file.

    Raises
    ------
    InputError
        If the system refuses, with its reason.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise InputError(f"{str(path)!r}: is not a usable file name ({error})") from None


def write_atomic(path: str | Path, data: bytes) -> None:
    """Write to a temporary file and rename it, so that a failure leaves the old file whole.

    A symbolic link keeps pointing where it points, an existing file keeps its mode; what is no regular file (a
    device, a pipe) is written to directly.

    Raises
    ------
    InputError
        If the system refuses, with its reason.
    """
    temporary: Path | None = None
    try:
        target = Path(path).resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    except (OSError, ValueError, RuntimeError) as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise InputError(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})") from None


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
