"""Libraries of the operating system that PDF reports need, and the command that installs them.

Everything else works without them. Run as ``python -P -m audit.system_libraries`` it says in one
sentence what is missing and exits 1, or says nothing and exits 0; the set-up does that.
"""

import ctypes
import ctypes.util
import platform
import sys
from collections.abc import Callable, Mapping

LIBRARIES: dict[str, tuple[str, ...]] = {
    "GObject": ("gobject-2.0", "libgobject-2.0.so.0", "libgobject-2.0-0"),
    "Pango": ("pango-1.0", "libpango-1.0.so.0", "libpango-1.0-0"),
    "PangoFT2": ("pangoft2-1.0", "libpangoft2-1.0.so.0", "libpangoft2-1.0-0"),
    "Fontconfig": ("fontconfig", "libfontconfig.so.1", "libfontconfig-1"),
    "HarfBuzz": ("harfbuzz", "libharfbuzz.so.0", "libharfbuzz-0"),
    "HarfBuzz subset": ("harfbuzz-subset", "libharfbuzz-subset.so.0", "libharfbuzz-subset-0"),
}
"""What WeasyPrint opens, each with the names that it goes by on different systems."""

DEBIAN_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")

COMMANDS: dict[str, str] = {
    "debian": f"sudo apt-get install -y {' '.join(DEBIAN_PACKAGES)}",
    "fedora": "sudo dnf install -y pango harfbuzz",
    "arch": "sudo pacman -S --needed pango harfbuzz",
    "macos": "brew install pango",
}
"""Family of systems to the one command that installs everything in `LIBRARIES`."""

FAMILIES: dict[str, str] = {
    "debian": "debian",
    "ubuntu": "debian",
    "fedora": "fedora",
    "rhel": "fedora",
    "centos": "fedora",
    "arch": "arch",
    "macos": "macos",
}
"""``ID`` or ``ID_LIKE`` of a system to its family in `COMMANDS`."""


def missing_libraries(can_load: Callable[[str], bool] | None = None) -> tuple[str, ...]:
    """Name the libraries that cannot be loaded under any of their names.

    Parameters
    ----------
    can_load : callable, optional
        Tells whether the system loads a library of this file name; asks the system by default.

    Returns
    -------
    tuple of str
        Keys of `LIBRARIES`, in their order; empty where PDF reports can be made.

    Examples
    --------
    >>> missing_libraries(lambda name: "harfbuzz" not in name)
    ('HarfBuzz', 'HarfBuzz subset')
    """
    loads = can_load or _loads
    return tuple(
        library for library, names in LIBRARIES.items() if not any(loads(name) for name in names)
    )


def install_command(release: Mapping[str, str]) -> str:
    """Return the command for this system, or every known one where the system is unknown.

    Parameters
    ----------
    release : mapping of str to str
        ``ID`` and ``ID_LIKE`` as in the system's os-release file; see `system_release`.

    Examples
    --------
    >>> install_command({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"})
    'sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0'
    """
    for name in [release.get("ID", ""), *release.get("ID_LIKE", "").split()]:
        if name in FAMILIES:
            return COMMANDS[FAMILIES[name]]
    return "; ".join(f"{family}: {command}" for family, command in COMMANDS.items())


def system_release() -> dict[str, str]:
    """Return ``ID`` and ``ID_LIKE`` of the system that this runs on; empty where unknown."""
    if platform.system() == "Darwin":
        return {"ID": "macos"}
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def advice(missing: tuple[str, ...], release: Mapping[str, str]) -> str:
    """Say in one sentence what is missing, what works without it, and the command to type.

    Examples
    --------
    >>> advice(("Pango",), {"ID": "arch"})
    'PDF reports need Pango (HTML works without): sudo pacman -S --needed pango harfbuzz'
    """
    return f"PDF reports need {', '.join(missing)} (HTML works without): {install_command(release)}"


def main(arguments: list[str]) -> int:
    """Print what is missing, or with ``--debian-packages`` the packages that hold it."""
    if "--debian-packages" in arguments:
        print(" ".join(DEBIAN_PACKAGES))
        return 0
    missing = missing_libraries()
    if missing:
        print(advice(missing, system_release()))
    return 1 if missing else 0


def _loads(name: str) -> bool:
    for file in (name, ctypes.util.find_library(name)):
        try:
            if file and ctypes.CDLL(file):
                return True
        except OSError:
            continue
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
