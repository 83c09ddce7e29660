"""`python -m bench` runs the short measurements; `python -m bench NAME ...` runs one of them."""

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """A module of this folder whose `main` measures, prints, and returns an exit code."""

    name: str
    about: str
    takes: str = ""  # its arguments; without any it is short, and part of every run

    def run(self, arguments: Sequence[str]) -> int:
        """Measure."""
        main: Callable[..., int] = importlib.import_module(f"bench.{self.name}").main
        return main(*arguments)


MEASUREMENTS = {
    each.name: each
    for each in (
        Measurement("import_speed", "rows a second of an import, beside a bare COPY of its facts"),
        Measurement(
            "splice_reconcile",
            "imports simulated case-estimate histories and reconciles them to the penny",
            "DATA_FOLDER",
        ),
        Measurement(
            "splice_convert",
            "writes those histories as a bordereau",
            "DATA_FOLDER [BORDEREAU.csv]",
        ),
    )
}


def main(arguments: Sequence[str]) -> int:
    """Run what is named, all that is short when nothing is, or list what there is."""
    if not arguments:
        codes: list[int] = []
        for each in MEASUREMENTS.values():
            if not each.takes:
                print(f"== {each.name}: {each.about}", flush=True)
                codes.append(each.run(()))
        return max(codes, default=0)
    asked = MEASUREMENTS.get(arguments[0])
    if asked is None or (asked.takes and len(arguments) == 1):
        for each in MEASUREMENTS.values():
            print(f"python -m bench {each.name} {each.takes}".ljust(60) + each.about)
        return 0 if arguments[0] == "list" else 2
    return asked.run(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
