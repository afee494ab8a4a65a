"""With which compilers our tools build; what they compile is kept for the next checkout, whichever
folder that is in."""

import pathlib
import shutil

import store

ROOT = pathlib.Path(__file__).resolve().parent.parent
CCACHE = {"CCACHE_DIR": str(store.CACHE / "ccache"), "CCACHE_BASEDIR": str(ROOT),
          "CCACHE_NOHASHDIR": "1", "CCACHE_MAXSIZE": "10G"}
LAUNCHER = "ccache " if shutil.which("ccache") else ""
GCC = {"CC": f"{LAUNCHER}gcc", "CXX": f"{LAUNCHER}g++"}
CLANG = {"CC": f"{LAUNCHER}clang-19", "CXX": f"{LAUNCHER}clang++-19"}
