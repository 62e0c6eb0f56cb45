"""Lays out and packs what is deployed: root/, portal-invite.zip and its checksum; refuses what would not start on Azure.

usage: package.py REPOSITORY EXECUTABLE INTO

The same files give the same bytes, on any machine: names are sorted, times are fixed, and the compressor is a pinned one.
The zip says that it was made by Unix, because only then the executable bit is in it.
"""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import deflate

# Images of the Functions host were seen with glibc 2.31; 2.17 is what scripts/package links against.
NEWEST_GLIBC = (2, 17)
C_LIBRARIES = {
    "ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libutil.so.1",
}
EXECUTABLE, READABLE = 0o755, 0o644


class Refused(Exception):
    """Why there is no package, as a sentence."""


def members(repository, executable):
    """The files of the package by their names in it, sorted."""
    files = {"host.json": repository / "host.json", executable_name(repository, executable): executable}
    for folder in sorted(repository.glob("function-*")):
        files[f"{folder.name}/function.json"] = folder / "function.json"
    for path in sorted((repository / "templates").rglob("*")):
        if path.is_dir():
            continue
        if not path.name.endswith((".html", ".subject.txt")):
            raise Refused(f"{path} is no letter; move it out of templates/.")
        files[path.relative_to(repository).as_posix()] = path
    for name, path in files.items():
        if not path.is_file():
            raise Refused(f"{name} is missing.")
    if not any(name.startswith("function-") for name in files):
        raise Refused("there is no function-*/function.json.")
    return dict(sorted(files.items()))


def executable_name(repository, executable):
    """The name by which the host starts the executable; it lies at the package's root."""
    name = json.loads((repository / "host.json").read_text())["customHandler"]["description"]["defaultExecutablePath"]
    if name != executable.name:
        raise Refused(f"host.json starts {name!r}, but the executable is {executable.name!r}.")
    return name


def check_executable(executable, places):
    """Refuses an executable that does not start on every image of the host, or that tells where it was built; its glibc."""
    content = executable.read_bytes()
    if content[:5] != b"\x7fELF\x02" or struct.unpack_from("<H", content, 18) != (62,):
        raise Refused(f"{executable} is no executable for Linux on x86-64.")
    told = readelf(executable)
    foreign = set(re.findall(r"\(NEEDED\).*\[(.+)\]", told)) - C_LIBRARIES
    if foreign:
        raise Refused(f"it needs libraries besides the C library's: {', '.join(sorted(foreign))}.")
    if re.search(r"\] \.(symtab|debug_\w+) ", told):
        raise Refused("it is not stripped.")
    for place in places:
        if f"{place}/".encode() in content:
            raise Refused(f"it holds the path {place} of the machine that it was built on.")
    newest = max(((int(major), int(minor)) for major, minor in re.findall(r"GLIBC_(\d+)\.(\d+)", told)), default=(0, 0))
    if newest > NEWEST_GLIBC:
        raise Refused(f"it needs glibc {version(newest)}, and is meant to need {version(NEWEST_GLIBC)} at most.")
    return newest


def readelf(executable):
    """What readelf tells of sections, needed libraries and the versions of their symbols."""
    command = ["readelf", "--wide", "--section-headers", "--dynamic", "--version-info", executable]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}).stdout


def version(parts):
    """2.17 for (2, 17)."""
    return ".".join(map(str, parts))


def mode(name, executable):
    """The permissions of a file of the package."""
    return EXECUTABLE if name == executable.name else READABLE


def lay_out(files, executable, root):
    """Copies the files into a new folder, with their modes."""
    if root.exists():
        shutil.rmtree(root)
    for name, path in files.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(mode(name, executable))


def pack(files, executable):
    """The zip's bytes, by https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT: Python's own writer has no say in
    how it compresses."""
    entries, directory = bytearray(), bytearray()
    for name, path in files.items():
        content, label = path.read_bytes(), name.encode()
        packed = deflate.deflate_compress(content, 12)
        # Version 2.0 and UTF-8, deflated, midnight of 1 January 1980: the earliest that a zip can say.
        common = struct.pack(
            "<5H3L2H", 20, 1 << 11, 8, 0, 1 << 5 | 1, zlib.crc32(content), len(packed), len(content), len(label), 0
        )
        attributes = (0o100000 | mode(name, executable)) << 16
        directory += b"PK\1\2" + struct.pack("<2B", 20, 3) + common
        directory += struct.pack("<3H2L", 0, 0, 0, attributes, len(entries)) + label
        entries += b"PK\3\4" + common + label + packed
    end = struct.pack("<4H2LH", 0, 0, len(files), len(files), len(directory), len(entries), 0)
    return bytes(entries + directory) + b"PK\5\6" + end


def package(repository, executable, into):
    """Does it all, and tells the figures."""
    places = [repository, Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")]
    glibc = check_executable(executable, places)
    files = members(repository, executable)
    lay_out(files, executable, into / "root")
    packed = pack(files, executable)
    (into / "portal-invite.zip").write_bytes(packed)
    digest = hashlib.sha256(packed).hexdigest()
    (into / "portal-invite.zip.sha256").write_text(f"{digest}  portal-invite.zip\n")
    size = executable.stat().st_size
    return (
        f"{into / 'portal-invite.zip'}: {len(packed):,} bytes, {len(files)} files\n"
        f"{executable.name}: {size:,} bytes, runs from glibc {version(glibc)} on\n"
        f"sha256: {digest}"
    )


def main():
    """The command line."""
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        print(package(*map(Path, sys.argv[1:])))
    except Refused as refusal:
        sys.exit(f"scripts/package: {refusal}")


if __name__ == "__main__":
    main()
