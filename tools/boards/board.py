"""A board as its folder in boards/ describes it, and what follows from its architecture."""

import dataclasses
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Unknown(Exception):
    """No such board, or it lacks what was asked of it."""


@dataclasses.dataclass(frozen=True)
class Architecture:
    debian: str
    triplet: str


ARCHITECTURES = {
    "aarch64": Architecture("arm64", "aarch64-linux-gnu"),
    "armv7": Architecture("armhf", "arm-linux-gnueabihf"),
}


class Board:
    def __init__(self, name: str, machine: str | None = None) -> None:
        folder = ROOT / "boards" / name
        if "/" in name or not (folder / "board.json").exists():
            names = sorted(path.parent.name for path in ROOT.glob("boards/*/board.json"))
            raise Unknown(f"no such board: {name}; there are {', '.join(names)}")
        description = json.loads((folder / "board.json").read_text())
        self.name = name
        self.folder = folder
        self.build = ROOT / "build" / name
        self.emulator: dict | None = description.get("emulator")
        # Of the emulator's: None is the first one.
        self.machine = machine
        # None: this machine's own.
        self.architecture = ARCHITECTURES.get(description["architecture"])
        self.architecture_name: str = description["architecture"]
        self.cpu: str = description["cpu"]
        self.cores: int = description["cores"]
        self.memory_mib: int = description["memory"]["ram_mib"]
        self.budget: dict[str, int] = description["memory"]["budget"]
        self.kernel_min: str = description["kernel_min"]

    def cross(self) -> Architecture:
        if self.architecture is None:
            raise Unknown(f"{self.name} is this machine: nothing is to be fetched for it")
        return self.architecture

    def emulated(self) -> dict:
        if self.emulator is None:
            raise Unknown(f"{self.name} is not emulated: copy the program to the board"
                          f" (boards/{self.name}/README.md)")
        if self.machine is None:
            return self.emulator
        others = self.emulator.get("other_machines", {})
        if self.machine not in others:
            raise Unknown(f"{self.name} has no other machine {self.machine}; there are"
                          f" {', '.join(others) or 'none'}")
        return self.emulator | others[self.machine]

    def device_trees(self) -> list[str]:
        """Those of the kernel's package that its machines are described by."""
        others = self.emulated().get("other_machines", {}).values()
        return [other["device_tree"] for other in others if "device_tree" in other]

    def packages(self) -> list[str]:
        """What this machine needs to build for it, and to emulate it."""
        found = []
        if self.architecture:
            found += [f"g++-{self.architecture.triplet}"]
        if self.emulator:
            found += ["qemu-system-arm", "qemu-user", "e2fsprogs", "kmod", "cpio", "make"]
        return found
