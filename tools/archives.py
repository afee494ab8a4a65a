#!/usr/bin/env python3
"""Puts the source archives of subprojects/*.wrap where Meson looks for them (tools/setup).

Debian's source packages carry the very archives that the wraps name. That one cannot be had is no
error: the system's libraries serve all builds but those from wraps."""

import configparser
import gzip
import io
import pathlib
import shutil
import sys
import tarfile
import tempfile

import debian
import store

SUBPROJECTS = pathlib.Path(__file__).resolve().parent.parent / "subprojects"
# Which of Debian's releases has a wrap's version; the wrap has the source package's name.
RELEASES = {"cjson": "sid", "liburing": "trixie"}


def wrap(name: str) -> dict[str, str]:
    parser = configparser.ConfigParser()
    parser.read(SUBPROJECTS / f"{name}.wrap")
    return dict(parser["wrap-file"])


def fetch(name: str, release: str) -> None:
    wanted = wrap(name)

    def make(folder: pathlib.Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            apt = debian.Apt(pathlib.Path(scratch), release, debian.this_architecture(), "deb-src")
            apt.source(name)
            for archive in apt.folder.glob("*.orig.tar.gz"):
                if store.hash_of(archive) == wanted["source_hash"]:
                    shutil.copy(archive, folder / wanted["source_filename"])
                    return
        raise debian.Missing(f"{release} has another version of {name} than its wrap names")

    cached = store.entry(f"archives/{name}", f"{release} {wanted['source_hash']}", make)
    (SUBPROJECTS / "packagecache").mkdir(exist_ok=True)
    shutil.copy(cached / wanted["source_filename"], SUBPROJECTS / "packagecache")


def pack_llhttp() -> None:
    """llhttp's release holds generated sources, which Debian has in a package, node-llhttp: packed
    as upstream's archive is, always to the same bytes. An archive that is there is left alone."""
    wanted = wrap("llhttp")
    target = SUBPROJECTS / "packagefiles" / wanted["source_filename"]
    if target.exists():
        return
    files = [("src", path) for path in sorted(pathlib.Path("/usr/share/llhttp").glob("*.c"))]
    files.append(("include", pathlib.Path("/usr/share/include/llhttp/llhttp.h")))
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for folder, path in files:
            entry = tarfile.TarInfo(f"{wanted['directory']}/{folder}/{path.name}")
            entry.size = path.stat().st_size
            with path.open("rb") as file:
                archive.addfile(entry, file)
    target.write_bytes(gzip.compress(plain.getvalue(), mtime=0))


def main() -> int:
    for name, release in RELEASES.items():
        try:
            fetch(name, release)
        except debian.Missing as missing:
            store.say(f"going on without the wrap of {name}: {missing}")
    try:
        pack_llhttp()
    except OSError as missing:
        store.say(f"going on without the wrap of llhttp: {missing}")
    return 0


sys.exit(main())
