#!/usr/bin/env python3
"""Builds the runtime as a shared library and runs a program on it: what stands in headers and is
one object in a static program, such as the current scheduler of a thread, must stay one.

Usage: shared_library_test.py SOURCE_ROOT
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

EXIT_UNAVAILABLE = 69
SKIPPED = 77
EXIT_OF_CONSUMER = 7  # its app's value


def main() -> int:
    source = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="ringlet-shared-") as scratch:
        # As a subproject of a firmware in miniature.
        folder = pathlib.Path(scratch, "consumer")
        shutil.copytree(source / "tests/consumer", folder)
        folder.joinpath("subprojects").mkdir()
        folder.joinpath("subprojects/ringlet").symlink_to(source)
        subprocess.run(["meson", "setup", "build", "-Dringlet:default_library=shared",
                        "--force-fallback-for=ringlet", "--wrap-mode=nodownload"],
                       cwd=folder, check=True)
        subprocess.run(["ninja", "-C", "build"], cwd=folder, check=True)
        consumer = folder / "build/consumer"
        linked = subprocess.run(["ldd", consumer], capture_output=True, text=True, check=True)
        if "libringlet.so" not in linked.stdout:
            sys.exit(f"the program is not linked with the shared library:\n{linked.stdout}")
        status = subprocess.run([consumer], timeout=30).returncode
    if status == EXIT_UNAVAILABLE:
        print("skipped: io_uring cannot be used here")
        return SKIPPED
    if status != EXIT_OF_CONSUMER:
        sys.exit(f"the consumer's exit status is {status}, not its app's {EXIT_OF_CONSUMER}")
    return 0


sys.exit(main())
