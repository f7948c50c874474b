"""Asks `nvidia-smi -q -x` where NVML itself cannot be loaded: another libc, WSL's folder, a wrapper in a container.

Its XML differs between drivers: power was `power_readings/power_draw`, then `gpu_power_readings`, then an instant and
an average one. What is `N/A` or in brackets is not told.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

from workbench_gpu.model import Absent, Device, Instance, Machine, Process

PATIENCE = 10.0
"""Seconds that the program may take: without persistence mode it wakes every GPU."""
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_POWER = ("instant_power_draw", "power_draw", "average_power_draw")
_LIMIT = ("enforced_power_limit", "current_power_limit", "power_limit")
_BARE_AND = re.compile(r"&(?!#?\w{1,8};)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

Ask = Callable[[], str | None]
"""Gives the program's XML, or None where there is no such program."""


def asked_smi() -> str | None:
    """What the program says now.

    Raises:
        OSError, subprocess.SubprocessError: it cannot be run, fails, or takes too long.
    """
    program = shutil.which("nvidia-smi") or shutil.which("/usr/lib/wsl/lib/nvidia-smi")
    if program is None:
        return None
    done = subprocess.run([program, "-q", "-x"], capture_output=True, timeout=PATIENCE, check=True)
    return done.stdout.decode(errors="replace")


def look(ask: Ask = asked_smi) -> Machine | Absent | None:
    """Every device as the program shows it, why it fails, or None where there is no program."""
    try:
        text = ask()
    except subprocess.CalledProcessError as error:
        words = (error.stdout or error.stderr or b"").decode(errors="replace").strip().splitlines()
        told = words[0] if words else f"exit code {error.returncode}"
        return Absent("nvidia-smi fails", f"{told}. Next: nvidia-smi in a terminal says the same")
    except (OSError, subprocess.SubprocessError) as error:
        return Absent("nvidia-smi does not answer", f"{error}. Next: time nvidia-smi; sudo nvidia-smi -pm 1")
    return None if text is None else machine_of(text)


def machine_of(text: str) -> Machine | Absent:
    """The devices in the program's XML."""
    start = text.find("<?xml")
    # Names of processes are not escaped by every driver.
    clean = _BARE_AND.sub("&amp;", _CONTROL.sub("", text[max(start, 0) :]))
    try:
        root = ET.fromstring(clean)  # noqa: S314 - the driver's own program wrote it
    except ET.ParseError as error:
        return Absent("nvidia-smi cannot be understood", f"{error}. Next: nvidia-smi -q -x | head")
    devices = [_device(index, gpu) for index, gpu in enumerate(root.findall("gpu"))]
    if not devices:
        return Absent("No NVIDIA GPU", "nvidia-smi shows no device. Next: nvidia-smi -L; a container needs --gpus all")
    return Machine(devices, _text(root, "driver_version"), "nvidia-smi")


def _device(index: int, gpu: ET.Element) -> Device:
    unread: dict[str, str] = {}

    def told(subject: str, *paths: str) -> str | None:
        words = next((text for path in paths if _is_told(text := _text(gpu, path))), None)
        if words is None:
            unread[subject] = _reason(gpu, paths)
        return words

    busy = told("utilization", "utilization/gpu_util")
    used, total = told("memory", "fb_memory_usage/used"), told("memory", "fb_memory_usage/total")
    power = told("power", *(f"{group}/{name}" for group in _GROUPS for name in _POWER))
    limit = _first(gpu, [f"{group}/{name}" for group in _GROUPS for name in _LIMIT])
    percent, celsius = _number(busy), _number(told("temperature", "temperature/gpu_temp"))
    return Device(
        index,
        _text(gpu, "product_name"),
        _text(gpu, "uuid"),
        _text(gpu, "mig_mode/current_mig") == "Enabled",
        None if percent is None else percent / 100,
        _bytes(used),
        _bytes(total),
        celsius,
        _number(power),
        _number(limit),
        _processes(gpu),
        unread,
        [_instance(each) for each in gpu.findall("mig_devices/mig_device")],
    )


_GROUPS = ("gpu_power_readings", "power_readings")


def _instance(part: ET.Element) -> Instance:
    return Instance(
        _whole(part, "index") or 0,
        _whole(part, "gpu_instance_id"),
        _whole(part, "compute_instance_id"),
        memory_used=_bytes(_text(part, "fb_memory_usage/used")),
        memory_total=_bytes(_text(part, "fb_memory_usage/total")),
    )


def _processes(gpu: ET.Element) -> tuple[Process, ...] | None:
    """Processes by memory, the largest first; None where they are not told."""
    listed = gpu.find("processes")
    if listed is None or (not listed.findall("process_info") and (listed.text or "").strip() not in ("", "None")):
        return None
    found: dict[int, Process] = {}
    for info in listed.findall("process_info"):
        pid = _whole(info, "pid")
        if pid is None:
            continue
        name = _text(info, "process_name")
        found[pid] = Process(
            pid,
            _text(info, "type") or "C",
            _bytes(_text(info, "used_memory")),
            name.split(" ")[0].rpartition("/")[2] if name and _is_told(name) else None,
            _whole(info, "gpu_instance_id"),
        )
    return tuple(sorted(found.values(), key=lambda process: (-(process.memory or 0), process.pid)))


def _text(element: ET.Element, path: str) -> str | None:
    found = element.findtext(path)
    return found.strip() if found and found.strip() else None


def _first(element: ET.Element, paths: Sequence[str]) -> str | None:
    return next((text for path in paths if _is_told(text := _text(element, path))), None)


def _is_told(text: str | None) -> bool:
    return text is not None and text != "N/A" and not text.startswith("[") and text not in ("Unknown Error", "ERR!")


def _reason(gpu: ET.Element, paths: Sequence[str]) -> str:
    """Why a figure is missing, in the driver's words."""
    words = next((text for path in paths if (text := _text(gpu, path))), None)
    return (words or "not told").strip("[]")


def _number(text: str | None) -> float | None:
    """The number before the unit."""
    if not _is_told(text) or text is None:
        return None
    try:
        return float(text.split()[0])
    except ValueError:
        return None


def _whole(element: ET.Element, path: str) -> int | None:
    number = _number(_text(element, path))
    return None if number is None else int(number)


def _bytes(text: str | None) -> int | None:
    amount = _number(text)
    if amount is None or text is None:
        return None
    unit = text.split()[1] if len(text.split()) > 1 else "B"
    return int(amount * _UNITS.get(unit, 1 << 20))
