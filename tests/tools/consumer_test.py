#!/usr/bin/env python3
"""Builds and runs tests/consumer, a firmware in miniature, in both ways of using Ringlet: as a
Meson subproject, there with the seal, which must reach it; and through pkg-config from an
installation in a scratch folder.

Usage: consumer_test.py SOURCE_ROOT BUILD_ROOT
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile


def build_and_run(folder: pathlib.Path, *options: str, **variables: str) -> None:
    # A compiler cache knows it again in the next scratch folder.
    environment = {**os.environ, "CCACHE_BASEDIR": str(folder), **variables}
    subprocess.run(["meson", "setup", "build", *options], cwd=folder, env=environment, check=True)
    subprocess.run(["ninja", "-C", "build"], cwd=folder, env=environment, check=True)
    for name in ["consumer", "http_consumer"]:
        done = subprocess.run([folder / "build" / name], env=environment, timeout=30)
        if done.returncode != 7:
            sys.exit(f"{name}: the exit status is {done.returncode}, not its app's 7")


def check_seal(consumer: pathlib.Path) -> None:
    done = subprocess.run([consumer, "allocate"], capture_output=True, text=True, timeout=30)
    print(done.stderr)
    if done.returncode != -signal.SIGABRT or "seal: operator new" not in done.stderr:
        sys.exit(f"{consumer} allocates, and is not trapped: status {done.returncode}")


def as_subproject(source: pathlib.Path, folder: pathlib.Path) -> None:
    shutil.copytree(source / "tests/consumer", folder)
    (folder / "subprojects").mkdir()
    (folder / "subprojects/ringlet").symlink_to(source)
    build_and_run(folder, "--force-fallback-for=ringlet", "--wrap-mode=nodownload",
                  "-Dringlet:seal=trap")
    check_seal(folder / "build/consumer")
    if list((folder / "build/subprojects/ringlet").rglob("*_test")):
        sys.exit("a subproject builds Ringlet's tests")


def through_pkg_config(source: pathlib.Path, built: pathlib.Path, folder: pathlib.Path) -> None:
    shutil.copytree(source / "tests/consumer", folder)
    destination = folder / "installed"
    subprocess.run(["meson", "install", "-C", built, "--no-rebuild", "--quiet",
                    "--destdir", destination], check=True)
    installed = [path.relative_to(destination).as_posix() for path in destination.rglob("*")]
    print("\n".join(sorted(installed)))
    unwanted = [path for path in installed if "testing" in path or path.endswith(".cpp")]
    if unwanted:
        sys.exit(f"installed, but should not be: {unwanted}")
    if not any(path.endswith("include/ringlet/ringlet.hpp") for path in installed):
        sys.exit("the headers are not installed")
    found = list(destination.rglob("ringlet.pc"))
    if len(found) != 1:
        sys.exit(f"ringlet.pc is installed {len(found)} times")
    library_folder = found[0].parent.parent
    build_and_run(folder,
                  "--wrap-mode=nofallback",
                  PKG_CONFIG_PATH=str(found[0].parent),
                  PKG_CONFIG_SYSROOT_DIR=str(destination),
                  LD_LIBRARY_PATH=str(library_folder))


def main() -> int:
    source, built = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="ringlet-consumer-") as scratch:
        print("== through pkg-config", flush=True)
        through_pkg_config(source, built, pathlib.Path(scratch, "pkg-config"))
        print("== as a subproject", flush=True)
        as_subproject(source, pathlib.Path(scratch, "subproject"))
    return 0


sys.exit(main())
