"""Packages of another architecture or release, by an apt of our own in a folder: nothing of the
system's is touched. apt checks the signatures of all that it downloads."""

import pathlib
import subprocess

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Missing(Exception):
    """Debian's sources do not have it, or cannot be reached."""


def this_release() -> str:
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2]
    raise Missing("this is no Debian")


def this_architecture() -> str:
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True,
                          text=True).stdout.strip()


def mirror() -> str:
    """The one that serves this machine."""
    known = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(CODENAME) $(REPO_URI)",
         "Created-By: Packages", "Component: main"], check=True, capture_output=True, text=True)
    for line in known.stdout.splitlines():
        *names, address = line.split()
        if this_release() in names:  # or "stable", and the code name besides
            return address
    raise Missing("apt knows no source of this release; run apt-get update")


class Apt:
    """What a mirror has for one release and architecture. `kind`: deb, or deb-src for sources."""

    def __init__(self, folder: pathlib.Path, release: str, architecture: str,
                 kind: str = "deb") -> None:
        self.folder = folder.resolve()
        for name in ("lists/partial", "archives/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text(
            f"{kind} [signed-by={KEYS}] {mirror()} {release} main\n")
        settings = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Default-Release": "",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "",
            "Dir::State": self.folder,
            "Dir::State::status": self.folder / "status",
            "Dir::Cache": self.folder,
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Acquire::Languages": "none",
            # An index past its date (a snapshot's, an old release's) will do here.
            "Acquire::Check-Valid-Until": "false",
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": "20",
        }
        # Over the system's own, which say how the mirror is reached.
        self.options = [f"-o{name}={value}" for name, value in settings.items()]
        self._run("apt-get", "-q", "update", "--error-on=any")

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run([program, *self.options, *arguments], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Missing(f"{program} {' '.join(arguments)} failed:\n{done.stdout.strip()}")
        return done.stdout

    def dependency(self, package: str) -> str:
        """The first package that it depends on: a name without a version stands for the newest."""
        for line in self._run("apt-cache", "depends", package).splitlines():
            if line.strip().startswith("Depends: "):
                return line.partition(": ")[2].strip()
        raise Missing(f"{package} depends on nothing")

    def download(self, packages: list[str]) -> list[pathlib.Path]:
        """These packages alone."""
        before = set(self.folder.glob("*.deb"))
        self._run("apt-get", "-q", "download", *packages)
        return sorted(set(self.folder.glob("*.deb")) - before)

    def closure(self, packages: list[str], without: set[str]) -> list[pathlib.Path]:
        """These packages and all that they need, but for `without`."""
        plan = self._run("apt-get", "-s", "-q", "install", *packages)
        names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
        return self.download([name for name in names if name not in without])

    def source(self, package: str) -> None:
        """Its source archives, into the folder."""
        self._run("apt-get", "-q", "source", "--download-only", package)


def unpack(packages: list[pathlib.Path], into: pathlib.Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for package in packages:
        subprocess.run(["dpkg", "-x", package, into], check=True)
