"""Folders in the cache: what was downloaded or built, each with a list of its files' hashes.

What an entry is made from is its key: another key, a missing file or a wrong hash, and it is made
anew. An entry appears whole or not at all."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Callable

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ringlet"
LIST = "SHA256SUMS"


def say(what: str) -> None:
    print(f"setup: {what}", file=sys.stderr, flush=True)


def hash_of(path: pathlib.Path) -> str:
    if path.is_symlink():
        return hashlib.sha256(os.readlink(path).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _contents(folder: pathlib.Path) -> str:
    files = sorted(path for path in folder.rglob("*")
                   if path.is_symlink() or (path.is_file() and path.name != LIST))
    return "".join(f"{hash_of(path)}  {path.relative_to(folder)}\n" for path in files)


def is_whole(folder: pathlib.Path, key: str) -> bool:
    try:
        return (folder / LIST).read_text() == f"# {key}\n{_contents(folder)}"
    except OSError:
        return False


def entry(name: str, key: str, make: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """CACHE/name, which make(folder) has filled for this key. Two that ask at once make it once."""
    folder = CACHE / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_whole(folder, key):
            return folder
        say(f"making {folder}")
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            made = pathlib.Path(scratch) / "made"
            made.mkdir()
            make(made)
            (made / LIST).write_text(f"# {key}\n{_contents(made)}")
            if folder.exists():
                shutil.rmtree(folder)
            made.rename(folder)
    return folder
