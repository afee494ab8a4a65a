"""Builds the programs, of this tree and of another revision, into build/bench."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from benches import peers
from compilers import CCACHE, GCC, ROOT

FOLDER = ROOT / "build/bench"
AGAINST = FOLDER / "against"
OPTIONS = ["--buildtype=release", "-Dbench=enabled", "-Dtests=disabled", "-Dapps=disabled"]
LINES_MAX = 40


class Failed(Exception):
    pass


def _do(command: list[str], cwd: pathlib.Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=environment, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        said = "\n".join(done.stdout.rstrip().splitlines()[-LINES_MAX:])
        raise Failed(f"{' '.join(command[:3])} failed\n{said}")
    return done.stdout.strip()


def revision(source: pathlib.Path, name: str = "HEAD") -> str:
    return _do(["git", "rev-parse", "--short=12", "--verify", f"{name}^{{commit}}"], source)


def is_changed(source: pathlib.Path) -> bool:
    return bool(_do(["git", "status", "--porcelain", "--untracked-files=no"], source))


def _targets(folder: pathlib.Path, names: set[str]) -> list[str]:
    """The programs in the folders of that name in tests/bench."""
    listed = json.loads(_do(["meson", "introspect", "--targets", str(folder)], folder))
    paths = [pathlib.Path(name).relative_to(folder)
             for target in listed if target["type"] == "executable" for name in target["filename"]]
    return [str(path) for path in paths
            if path.parts[:2] == ("tests", "bench") and path.parts[2] in names]


def build(source: pathlib.Path, folder: pathlib.Path, names: set[str]) -> pathlib.Path:
    """Gives the folder that it built in."""
    print(f"bench: building {', '.join(sorted(names))} in {folder}", file=sys.stderr, flush=True)
    environment = {**os.environ, **CCACHE, **GCC}
    is_new = not (folder / "build.ninja").exists()
    if is_new:
        _do(["python3", "tools/archives.py"], source)
    # A peer may have been installed, or an option changed, since the last time.
    _do(["meson", "setup", *([] if is_new else ["--reconfigure"]), str(folder), *OPTIONS], source,
        environment)
    targets = _targets(folder, names)
    if targets:
        _do(["ninja", "-C", str(folder), *targets], source, environment)
    return folder


def build_own(chosen: list[peers.Peer]) -> None:
    build(ROOT, FOLDER, {each.path.partition("/")[0] for each in chosen} | {"load"})


def is_worktree(folder: pathlib.Path) -> bool:
    """Of its own: in another folder git would work on the checkout around it."""
    try:
        return pathlib.Path(_do(["git", "rev-parse", "--show-toplevel"], folder)) == folder.resolve()
    except (Failed, OSError):
        return False


def check_out(name: str, root: pathlib.Path = ROOT) -> pathlib.Path:
    """A worktree of the revision: there is one, which goes from revision to revision."""
    wanted = revision(root, name)
    source = root / AGAINST.relative_to(ROOT) / "source"
    _do(["git", "worktree", "prune"], root)
    if is_worktree(source):
        _do(["git", "checkout", "--quiet", "--force", "--detach", wanted], source)
    else:
        shutil.rmtree(source, ignore_errors=True)
        source.parent.mkdir(parents=True, exist_ok=True)
        _do(["git", "worktree", "prune"], root)
        _do(["git", "worktree", "add", "--quiet", "--detach", str(source), wanted], root)
    if not (source / "tests/bench/ringlet").is_dir():
        raise Failed(f"{name} has no benchmarks of Ringlet")
    return source


def build_against(name: str) -> peers.Peer:
    """Ringlet as it was then, a peer of its own."""
    source = check_out(name)
    folder = build(source, AGAINST / "build", {"ringlet"})
    return peers.Peer(f"ringlet@{revision(source)}", peers.PATHS["ringlet"], folder, source)
