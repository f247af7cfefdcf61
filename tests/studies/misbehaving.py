"""Mappers that misbehave, found through entry points by this process's workers."""

import os
import time
from dataclasses import dataclass

from mapopt.mappers.base import NoOptions
from mapopt.mapping import Mapping
from mapopt.options import Options, option


@dataclass(frozen=True)
class Manners(Options):
    how: str = option("well", "sleep | eat | die | raise | print | well")


class Misbehaving:
    name = "misbehaving"
    summary = "does what its option says"
    reference = ""
    options_type = Manners
    is_random = True

    def __init__(self, options):
        self.options = options

    def rejects(self, instance):
        return None

    def map(self, instance, *, seed=0):
        match self.options.how:
            case "sleep":
                time.sleep(60)
            case "nap":
                time.sleep(0.05)
            case "eat":
                bytearray(2**31)
            case "die":
                os.kill(os.getpid(), 11)
            case "raise":
                raise RuntimeError("a defect")
            case "print":
                print("noise", flush=True)
                os.write(1, b"more noise\n")
        return Mapping.of(instance, [0] * len(instance.nodes))


class Blind:
    """Supports nothing."""

    name = "blind"
    summary = "rejects everything"
    reference = ""
    options_type = NoOptions
    is_random = False

    def __init__(self, options):
        self.options = options

    def rejects(self, instance):
        return "sees nothing"

    def map(self, instance, *, seed=0):
        from mapopt.errors import UnsupportedError

        raise UnsupportedError("mapper 'blind': sees nothing")
