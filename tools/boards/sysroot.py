"""A board's libraries to compile against, unpacked from Debian's packages for its architecture, and
the cross files that name them. The C and the C++ library come with the cross compiler."""

import pathlib
import shutil
import tempfile

import debian
import store
from boards.board import ROOT, Board

PACKAGES = ["liburing-dev", "liburing2", "libcjson-dev", "libcjson1", "libc-ares-dev", "libc-ares2",
            "libgtest-dev"]


def fetch(board: Board) -> pathlib.Path:
    architecture = board.cross()

    def make(folder: pathlib.Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            apt = debian.Apt(pathlib.Path(scratch), debian.this_release(), architecture.debian)
            debian.unpack(apt.download(PACKAGES), folder)

    return store.entry(f"sysroots/{architecture.debian}",
                       " ".join([debian.this_release(), *PACKAGES]), make)


def is_there(board: Board) -> bool:
    """Whether tools/setup has fetched all for it: what comes last is looked for."""
    name = board.cross().debian
    wanted = [f"sysroots/{name}"]
    if board.emulator:
        wanted += [f"initrds/{name}-{label}-*" for label in board.emulator["kernels"]]
    return all(any(store.CACHE.glob(f"{each}/{store.LIST}")) for each in wanted)


def _write_paths(board: Board) -> pathlib.Path:
    """Of a board's cross files the one with this machine's paths: Meson cannot work them out."""
    path = board.build.with_suffix(".ini")
    text = ("# Made by tools/board.\n[constants]\n"
            f"sysroot = '{store.CACHE / 'sysroots' / board.cross().debian}'\n"
            f"tools_board = '{ROOT / 'tools/board'}'\n"
            f"compiler_cache = {['ccache'] if shutil.which('ccache') else []}\n")
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return path


def cross_files(board: Board) -> list[str]:
    """Arguments of `meson setup`."""
    if board.architecture is None:
        return []
    # In this order: each counts on what the ones before it name.
    files = [_write_paths(board), board.folder / "cross.ini",
             ROOT / "boards" / f"{board.architecture_name}.ini"]
    return [word for file in files for word in ("--cross-file", str(file))]


def build_options(board: Board) -> list[str]:
    """Arguments of `meson setup`: for tests where they can run, for a device elsewhere."""
    if board.emulator:
        # Little optimised: less would compile faster, but an emulator takes several times as long.
        return ["-Doptimization=1", "-Ddebug=false", "-Dtests=enabled", "-Dapps=enabled"]
    plain = ["--buildtype=release", "-Dtests=disabled", "-Dapps=enabled"]
    if board.architecture is None:
        return plain
    # A device need not have our libraries, nor the C++ library of our compiler.
    return [*plain, "-Dprefer_static=true",
            "--force-fallback-for=libcjson",  # Debian has no static one
            "-Dcpp_link_args=['-static-libstdc++', '-static-libgcc']"]
