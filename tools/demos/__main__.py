"""Shows the apps at work, and checks what they did (tools/demo)."""

import pathlib
import sys
import tempfile

import fetch
import pipeline
import station
import timeout
from common import Failed

DEMONSTRATIONS = [pipeline, fetch, timeout, station]


def main() -> int:
    for number, each in enumerate(DEMONSTRATIONS):
        if number:
            print()
        with tempfile.TemporaryDirectory(prefix="ringlet-demo-") as folder:
            try:
                each.demonstrate(pathlib.Path(folder))
            except (Failed, OSError) as failure:
                print(f"demo: FAILED: {each.__name__}: {failure}", file=sys.stderr)
                return 1
    return 0


sys.exit(main())
