"""What is done to an emulated machine from outside, while it runs: by QEMU's monitor (QMP)."""

import json
import pathlib
import socket

from boards.board import Unknown

SOCKET = "monitor"  # in the folder of the machine's server


def set_property(path: pathlib.Path, device: str, name: str, value: str) -> None:
    """Of a device that has an id. The value is JSON, or else a string."""
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        with connection.makefile("rw") as stream:
            stream.readline()  # its greeting
            for command, arguments in (
                    ("qmp_capabilities", {}),
                    ("qom-set", {"path": f"/machine/peripheral/{device}", "property": name,
                                 "value": parsed})):
                stream.write(json.dumps({"execute": command, "arguments": arguments}))
                stream.flush()
                # Events come in between.
                while not {"return", "error"} & (answer := json.loads(stream.readline())).keys():
                    pass
                if "error" in answer:
                    raise Unknown(f"{device}.{name}: {answer['error']['desc']}")
