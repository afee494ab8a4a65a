#!/usr/bin/env python3
"""Makes explored_points.txt a part of the test programs, since simulated tests open no file.

Usage: embed_points.py TEXT_FILE SOURCE_FILE
"""

import pathlib
import sys


def main() -> None:
    text, source = (pathlib.Path(argument) for argument in sys.argv[1:3])
    lines = "".join(f'    "{line}\\n"\n' for line in text.read_text().splitlines())
    source.write_text("extern const char* const explored_points;\n"
                      f"const char* const explored_points =\n    \"\"\n{lines};\n")


main()
