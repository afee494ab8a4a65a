"""Simulated hardware for the emulated boards: modules that Debian leaves out of its kernel, built
from Debian's own kernel source against its own headers. Nothing of that source is in this
repository."""

import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile

import debian
import store
from boards.board import Architecture

OURS = pathlib.Path(__file__).resolve().parent / "modules"
SOURCES = re.compile(r"[^/]+/(kernel/irq/irq_sim\.c|drivers/(gpio/(gpio-sim\.c|gpiolib\.h)"
                     r"|i2c/i2c-stub\.c|leds/uleds\.c|iio/dummy/[^/]+\.[ch]"
                     r"|iio/industrialio-(configfs|sw-device)\.c))")
KERNEL_ARCHITECTURES = {"arm64": "arm64", "armhf": "arm"}


def _fetch_sources(release: str, package: str) -> pathlib.Path:
    """The cached folder with those of the kernel's source files that are needed."""

    def make(folder: pathlib.Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            apt = debian.Apt(pathlib.Path(scratch), release, debian.this_architecture())
            debian.unpack(apt.download([package]), apt.folder / "source")
            archive = next((apt.folder / "source").glob("usr/src/linux-source-*.tar.xz"))
            with tarfile.open(archive) as files:
                for file in files:
                    if SOURCES.fullmatch(file.name):
                        data = files.extractfile(file).read()
                        (folder / pathlib.Path(file.name).name).write_bytes(data)

    return store.entry(f"sources/{package}", f"{release} {package} {SOURCES.pattern}", make)


def _unpack_headers(architecture: Architecture, release: str, version: str,
                    scratch: pathlib.Path) -> pathlib.Path:
    """The folder to build modules in. The programs that help in building are this machine's."""
    number, _, flavour = version.rpartition("-")  # 6.1.0-50, arm64
    apt = debian.Apt(scratch / "board", release, architecture.debian)
    here = debian.Apt(scratch / "here", release, debian.this_architecture())
    series = ".".join(number.split(".")[:2])
    root = scratch / "root"
    debian.unpack(apt.download([f"linux-headers-{version}", f"linux-headers-{number}-common"])
                  + here.download([f"linux-kbuild-{series}"]), root)
    headers = root / f"usr/src/linux-headers-{version}"
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src", f"{root}/usr/src"))
    return headers


def build(architecture: Architecture, release: str, source: str, version: str,
          into: pathlib.Path) -> None:
    """Puts the modules for the kernel `version` into a folder."""
    sources = _fetch_sources(release, source)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        headers = _unpack_headers(architecture, release, version, folder)
        shutil.copytree(OURS, folder / "modules")
        shutil.copytree(sources, folder / "modules/kernel")
        done = subprocess.run(
            ["make", "-C", headers, f"M={folder}/modules", "modules",
             f"ARCH={KERNEL_ARCHITECTURES[architecture.debian]}",
             f"CROSS_COMPILE={architecture.triplet}-"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise debian.Missing(f"the simulated hardware does not compile:\n{done.stdout}")
        into.mkdir(parents=True, exist_ok=True)
        for module in (folder / "modules").rglob("*.ko"):
            subprocess.run([f"{architecture.triplet}-strip", "--strip-debug", module], check=True)
            shutil.copy(module, into)


def key() -> str:
    return " ".join(store.hash_of(path) for path in sorted(OURS.iterdir()))
