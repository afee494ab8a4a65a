"""What an emulated board starts from: a root file system, and the initrd that finds it.

The root file system is unpacked from Debian's packages for the architecture, without their scripts:
a shell, Python and the servers that tests take for peers. The initrd holds busybox, the modules to
reach the disk and the host, and the agent, which becomes the first process."""

import hashlib
import pathlib
import shutil
import subprocess
import tempfile

import debian
import store
from boards import kernels
from boards.board import Architecture, Board

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = ["busybox-static", "coreutils", "mount", "libc6", "libstdc++6", "liburing2",
            "libcjson1", "libc-ares2", "python3", "nginx-light", "socat", "dnsmasq-base", "strace",
            "util-linux",
            "gpiod", "i2c-tools", "can-utils", "iproute2"]
# Needed by installation scripts, or for what no test does.
WITHOUT = {"adduser", "debconf", "dpkg", "tar", "perl", "perl-base", "perl-modules-5.36",
           "libperl5.36", "udev", "passwd", "libpam-modules", "libpam-modules-bin", "login",
           "libpam-runtime", "media-types", "mime-support", "iso-codes"}
SPARE_MIB = 400  # for what tests write
FOLDERS = ["dev", "proc", "sys", "run", "tmp", "root", "var/tmp", "var/jobs", "var/log/nginx",
           "var/lib/nginx"]
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n"
                  "www-data:x:33:33::/var/www:/bin/false\n"
                  "dnsmasq:x:101:65534::/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\ndip:x:30:\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
    "etc/resolv.conf": "",
}


def _skeleton(root: pathlib.Path) -> None:
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    # What packages would have linked: Debian's shell is another, and no update-alternatives runs.
    for link, target in {"bin/sh": "busybox", "sbin/modprobe": "/bin/busybox"}.items():
        (root / link).unlink(missing_ok=True)
        (root / link).symlink_to(target)
    for name in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl5"):
        shutil.rmtree(root / name, ignore_errors=True)


def root_file_system(architecture: Architecture, with_kernels: list[pathlib.Path]) -> pathlib.Path:
    """The cached folder with `root.ext4`, which has the modules of these kernels."""

    def make(folder: pathlib.Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            apt = debian.Apt(pathlib.Path(scratch), debian.this_release(), architecture.debian)
            root = apt.folder / "root"
            debian.unpack(apt.closure(PACKAGES, WITHOUT), root)
            _skeleton(root)
            for kernel in with_kernels:
                shutil.copytree(kernel / "lib/modules", root / "lib/modules", dirs_exist_ok=True)
            size = subprocess.run(["du", "-sm", root], check=True, capture_output=True, text=True)
            mib = int(size.stdout.split()[0]) * 5 // 4 + SPARE_MIB
            subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0",
                            "-d", root, folder / "root.ext4", f"{mib}m"],
                           check=True, stdout=subprocess.DEVNULL)

    key = " ".join([debian.this_release(), str(SPARE_MIB), *PACKAGES, *sorted(WITHOUT),
                    str(sorted(FILES.items())), *FOLDERS,
                    *(store.hash_of(kernel / store.LIST) for kernel in with_kernels)])
    return store.entry(f"images/{architecture.debian}", key.replace("\n", "\\n"), make)


def _compile_agent(architecture: Architecture, into: pathlib.Path) -> None:
    subprocess.run([f"{architecture.triplet}-g++", "-std=c++20", "-Os", "-static", "-s", "-Wall",
                    "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti", HERE / "agent.cpp",
                    "-o", into], check=True)


def initrd(architecture: Architecture, label: str, kernel: pathlib.Path,
           root: pathlib.Path) -> pathlib.Path:
    """The cached folder with `initrd`, for one kernel."""

    def make(folder: pathlib.Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            tree = pathlib.Path(scratch)
            for name in ("bin", "dev", "proc", "sys", "root", "lib"):
                (tree / name).mkdir()
            subprocess.run(["/sbin/debugfs", "-R", f"dump /bin/busybox {tree}/bin/busybox",
                            root / "root.ext4"], check=True, stderr=subprocess.DEVNULL)
            shutil.copy(HERE / "init", tree / "init")
            for file in (tree / "init", tree / "bin/busybox"):
                file.chmod(0o755)
            _compile_agent(architecture, tree / "agent")
            kernels.copy_boot_modules(kernel, tree)
            names = "\n".join(sorted(str(path.relative_to(tree)) for path in tree.rglob("*")))
            with (folder / "initrd").open("wb") as archive:
                subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=tree,
                               input=names.encode(), stdout=archive, check=True)

    key = " ".join(store.hash_of(path) for path in
                   (HERE / "init", HERE / "agent.cpp", kernel / store.LIST, root / store.LIST))
    # Checkouts with different agents do not take turns in one folder.
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    return store.entry(f"initrds/{architecture.debian}-{label}-{digest}", key, make)


class Start:
    """All that one of a board's kernels starts from."""

    def __init__(self, board: Board, label: str) -> None:
        emulator, architecture = board.emulated(), board.cross()
        found = {name: kernels.fetch(architecture, board.device_trees(), name, **which)
                 for name, which in emulator["kernels"].items()}
        root = root_file_system(architecture, list(found.values()))
        self.kernel = found[label] / "vmlinuz"
        tree = emulator.get("device_tree")
        self.device_tree = found[label] / tree if tree else None
        self.version = (found[label] / "version").read_text()
        self.root = root / "root.ext4"
        self.initrd = initrd(architecture, label, found[label], root) / "initrd"
