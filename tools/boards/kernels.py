"""Debian's kernels for the emulated boards: the image, and those modules that the boards load."""

import lzma
import pathlib
import shutil
import subprocess
import tempfile

import debian
import store
from boards import modules
from boards.board import Architecture

# To reach the root file system, the host's folder and the host itself.
BOOT_MODULES = ["virtio_mmio", "virtio_blk", "crc32c_generic", "ext4", "virtio_console", "9p",
                "9pnet_virtio"]
# Hardware, real enough to test drivers on. Those that a kernel lacks are left out here.
OTHER_MODULES = ["configfs", "can-raw", "can-bcm", "vcan", "softdog", "i2c-dev", "spidev", "uinput",
                 "rtc-pl031", "gpio-pl061", "industrialio", "i2c-mux",
                 "industrialio-triggered-buffer", "kfifo_buf",
                 "i2c-versatile", "led-class", "overlay"]


def _with_dependencies(tree: pathlib.Path, names: list[str]) -> list[str]:
    """Paths below `tree` (.../lib/modules/VERSION) of these modules and all that they need."""
    needs = {}
    for line in (tree / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    by_name = {pathlib.Path(path).name.split(".")[0].replace("-", "_"): path for path in needs}
    found, left = set(), [by_name[known] for name in names
                          if (known := name.replace("-", "_")) in by_name]
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            left += needs[path]
    return sorted(found)


def _depmod(root: pathlib.Path, version: str) -> None:
    subprocess.run(["/sbin/depmod", "-b", root, version], check=True, stderr=subprocess.DEVNULL)


def fetch(architecture: Architecture, device_trees: list[str], label: str, release: str,
          package: str, source: str | None = None) -> pathlib.Path:
    """The cached folder: vmlinuz, version, the device trees, and lib/modules/VERSION. With
    `source`, the package of the kernel's source, it has the simulated hardware of modules.py as
    well."""

    def make(folder: pathlib.Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            apt = debian.Apt(pathlib.Path(scratch), release, architecture.debian)
            unpacked = apt.folder / "kernel"
            debian.unpack(apt.download([apt.dependency(package)]), unpacked)
            image = next((unpacked / "boot").glob("vmlinuz-*"))
            version = image.name.removeprefix("vmlinuz-")
            shutil.copy(image, folder / "vmlinuz")
            (folder / "version").write_text(version)
            for name in device_trees:
                shutil.copy(next(unpacked.glob(f"usr/lib/linux-image-*/**/{name}")), folder)
            libraries = unpacked / ("usr/lib" if (unpacked / "usr/lib/modules").exists() else "lib")
            _depmod(libraries.parent, version)
            tree = libraries / "modules" / version
            ours = folder / "lib/modules" / version
            for path in _with_dependencies(tree, BOOT_MODULES + OTHER_MODULES):
                target = ours / path.removesuffix(".xz")
                target.parent.mkdir(parents=True, exist_ok=True)
                data = (tree / path).read_bytes()
                target.write_bytes(lzma.decompress(data) if path.endswith(".xz") else data)
            if source:
                modules.build(architecture, release, source, version, ours / "simulated")
            for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
                shutil.copy(tree / name, ours)
            _depmod(folder, version)

    wanted = [release, package, *device_trees, *BOOT_MODULES, *OTHER_MODULES]
    if source:
        wanted += [source, modules.key()]
    return store.entry(f"kernels/{architecture.debian}-{label}", " ".join(wanted), make)


def copy_boot_modules(kernel: pathlib.Path, root: pathlib.Path) -> None:
    """Those that the initrd needs, from a fetched kernel."""
    version = (kernel / "version").read_text()
    tree, ours = kernel / "lib/modules" / version, root / "lib/modules" / version
    for path in _with_dependencies(tree, BOOT_MODULES):
        (ours / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree / path, ours / path)
    _depmod(root, version)
