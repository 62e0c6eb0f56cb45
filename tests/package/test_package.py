"""What scripts/package makes, looked at from outside, and what it refuses to make.

After scripts/package; tests/package/run does both.
"""

import hashlib
import os
import re
import stat
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MADE = REPOSITORY / "target/package"
ZIP = MADE / "portal-invite.zip"
sys.path.insert(0, str(REPOSITORY / "scripts"))

import package  # noqa: E402

UNIX = 3


def run(*command, **options):
    """A command's standard output."""
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class TheMadePackage(unittest.TestCase):
    """The zip of this repository."""

    @classmethod
    def setUpClass(cls):
        if not ZIP.exists():
            raise AssertionError("there is no package: run scripts/package first")
        cls.zip = zipfile.ZipFile(ZIP)
        cls.addClassCleanup(cls.zip.close)
        cls.entries = cls.zip.infolist()

    def test_it_holds_what_git_knows_of_the_app_and_the_executable_and_nothing_else(self):
        known = run("git", "-C", REPOSITORY, "ls-files", "-z", "--", "host.json", "function-*", "templates")
        expected = sorted([*known.rstrip("\0").split("\0"), "portal-invite"])
        self.assertEqual([entry.filename for entry in self.entries], expected)
        self.assertIn("function-invite/function.json", expected)

    def test_every_entry_says_the_same_of_itself_wherever_it_is_made(self):
        for entry in self.entries:
            with self.subTest(entry.filename):
                mode = 0o755 if entry.filename == "portal-invite" else 0o644
                self.assertEqual(oct(entry.external_attr >> 16), oct(stat.S_IFREG | mode))
                self.assertEqual(entry.create_system, UNIX)
                self.assertEqual(entry.date_time, (1980, 1, 1, 0, 0, 0))
                self.assertEqual(entry.compress_type, zipfile.ZIP_DEFLATED)
                self.assertEqual(entry.extra, b"")

    def test_every_entry_is_whole_and_is_the_file_of_the_repository(self):
        self.assertIsNone(self.zip.testzip())
        for entry in self.entries:
            if entry.filename != "portal-invite":
                self.assertEqual(self.zip.read(entry), (REPOSITORY / entry.filename).read_bytes(), entry.filename)

    def test_the_folder_that_is_deployed_is_the_zip_unpacked(self):
        root = MADE / "root"
        files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
        self.assertEqual(sorted(files), [entry.filename for entry in self.entries])
        for entry in self.entries:
            self.assertEqual(files[entry.filename].read_bytes(), self.zip.read(entry))
            self.assertEqual(files[entry.filename].stat().st_mode, entry.external_attr >> 16, entry.filename)

    def test_the_zip_can_be_made_again_to_the_byte(self):
        executable = MADE / "root/portal-invite"
        self.assertEqual(package.pack(package.members(REPOSITORY, executable), executable), ZIP.read_bytes())

    def test_the_checksum_is_of_the_zip(self):
        told = run("sha256sum", "--check", "portal-invite.zip.sha256", cwd=MADE, env=os.environ | {"LC_ALL": "C"})
        self.assertEqual(told, "portal-invite.zip: OK\n")

    def test_the_executable_asks_for_an_old_c_library_and_nothing_else(self):
        executable = MADE / "root/portal-invite"
        told = run("objdump", "--dynamic-syms", "--private-headers", executable)
        self.assertIn("elf64-x86-64", told)
        versions = {tuple(map(int, found)) for found in re.findall(r"GLIBC_(\d+)\.(\d+)", told)}
        self.assertLessEqual(max(versions), (2, 17))
        libraries = set(re.findall(r"NEEDED +(\S+)", told))
        self.assertIn("libc.so.6", libraries)
        self.assertLessEqual(libraries, {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1"})

    def test_the_executable_does_not_tell_where_it_was_built(self):
        content = (MADE / "root/portal-invite").read_bytes()
        self.assertRegex(content, rb"tokio-1[.\d]+/src/")
        for place in (f"{REPOSITORY}/", f"{Path.home()}/"):
            self.assertNotIn(place.encode(), content)


class AnApp(unittest.TestCase):
    """A small app, as the repository lays it out."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.repository = Path(folder.name).resolve()
        self.into = self.repository / "target/package"
        self.write("host.json", '{"customHandler":{"description":{"defaultExecutablePath":"portal-invite"}}}')
        self.write("function-a/function.json", "{}")
        self.write("templates/en/invitation.html", "hello")
        self.executable = self.compile()

    def write(self, name, text):
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def compile(self, *flags, source="void _start(void) { for (;;); }", plain=("-nostdlib", "-static", "-s")):
        path = self.repository / "built/portal-invite"
        path.parent.mkdir(exist_ok=True)
        subprocess.run(["cc", "-x", "c", "-", "-x", "none", "-o", path, *plain, *flags], input=source, text=True, check=True)
        return path

    def package(self):
        return package.package(self.repository, self.executable, self.into)

    def names(self):
        self.package()
        with zipfile.ZipFile(self.into / "portal-invite.zip") as made:
            return made.namelist()

    def refused(self, words):
        with self.assertRaisesRegex(package.Refused, words):
            self.package()
        self.assertFalse(self.into.joinpath("portal-invite.zip").exists(), "a refusal leaves no package")

    def test_a_new_function_and_a_new_letter_come_into_the_package_in_order(self):
        self.write("function-b/function.json", "{}")
        self.write("templates/nn/invitation.subject.txt", "hei")
        self.write("src/main.rs", "")
        self.write("local.settings.json", "{}")
        expected = [
            "function-a/function.json", "function-b/function.json", "host.json", "portal-invite",
            "templates/en/invitation.html", "templates/nn/invitation.subject.txt",
        ]
        self.assertEqual(self.names(), expected)

    def test_the_same_files_give_the_same_bytes_at_another_time_and_with_other_modes(self):
        self.package()
        zipped = self.into / "portal-invite.zip"
        first = hashlib.sha256(zipped.read_bytes()).hexdigest()
        for path in self.repository.rglob("*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        (self.repository / "host.json").chmod(0o600)
        self.package()
        self.assertEqual(hashlib.sha256(zipped.read_bytes()).hexdigest(), first)

    def test_what_was_laid_out_before_does_not_stay(self):
        self.write("target/package/root/function-old/function.json", "{}")
        self.package()
        self.assertFalse((self.into / "root/function-old").exists())

    def test_the_folder_can_be_read_and_started_whoever_laid_it_out(self):
        self.addCleanup(os.umask, os.umask(0o077))
        self.executable.chmod(0o600)
        self.package()
        modes = {name: (self.into / "root" / name).stat().st_mode & 0o777 for name in ("host.json", "portal-invite")}
        self.assertEqual(modes, {"host.json": 0o644, "portal-invite": 0o755})

    def test_another_unzipper_gives_the_handler_its_executable_bit(self):
        self.package()
        run("unzip", "-q", self.into / "portal-invite.zip", "-d", self.repository / "unpacked")
        self.assertTrue(os.access(self.repository / "unpacked/portal-invite", os.X_OK))
        self.assertEqual((self.repository / "unpacked/host.json").stat().st_mode & 0o777, 0o644)

    def test_a_function_folder_without_its_file_is_refused(self):
        (self.repository / "function-b").mkdir()
        self.refused("function-b/function.json is missing")

    def test_an_app_without_functions_is_refused(self):
        (self.repository / "function-a/function.json").unlink()
        (self.repository / "function-a").rmdir()
        self.refused("there is no function")

    def test_an_executable_that_the_host_would_not_find_is_refused(self):
        self.write("host.json", '{"customHandler":{"description":{"defaultExecutablePath":"handler"}}}')
        self.refused("host.json starts 'handler', but the executable is 'portal-invite'")

    def test_what_is_no_letter_does_not_slip_in_with_the_letters(self):
        self.write("templates/en/invitation.html.snap", "")
        self.refused("invitation.html.snap is no letter")

    def test_a_script_is_no_executable(self):
        self.executable.write_text("#!/bin/sh\n")
        self.refused("no executable for Linux on x86-64")

    def test_an_executable_for_another_processor_is_refused(self):
        content = bytearray(self.executable.read_bytes())
        content[18] = 183
        self.executable.write_bytes(content)
        self.refused("no executable for Linux on x86-64")

    def test_an_executable_for_this_machines_own_c_library_is_refused(self):
        self.executable = self.compile(source="int main(void) { return 0; }", plain=("-s",))
        self.refused(r"it needs glibc 2\.\d+, and is meant to need 2\.17 at most")

    def test_an_executable_with_its_symbols_is_refused(self):
        self.executable = self.compile(plain=("-nostdlib", "-static"))
        self.refused("not stripped")

    def test_an_executable_that_needs_other_libraries_is_refused(self):
        library = self.repository / "built/libforeign.so"
        self.compile("-shared", "-o", library, plain=("-nostdlib",))
        self.executable = self.compile(library, plain=("-nostdlib", "-s", "-Wl,--no-as-needed"))
        self.refused("libforeign.so")

    def test_an_executable_that_tells_where_it_was_built_is_refused(self):
        source = f'const char *where = "{self.repository}/src"; void _start(void) {{ for (;;); }}'
        self.executable = self.compile(source=source)
        self.refused("holds the path")


class TheScript(unittest.TestCase):
    """The command line of scripts/package, up to where it builds."""

    def script(self, *arguments, **variables):
        command = [REPOSITORY / "scripts/package", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | variables)

    def test_it_makes_no_package_on_windows(self):
        with tempfile.TemporaryDirectory() as folder:
            uname = Path(folder, "uname")
            uname.write_text("#!/bin/sh\necho MINGW64_NT-10.0 x86_64\n")
            uname.chmod(0o755)
            done = self.script(PATH=f"{folder}:{os.environ['PATH']}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not on MINGW64_NT-10.0 x86_64; use WSL", done.stderr)

    def test_help_tells_what_it_writes(self):
        done = self.script("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("target/package/portal-invite.zip", done.stdout)
        self.assertNotIn("set -euo", done.stdout)

    def test_an_argument_is_refused(self):
        done = self.script("--fast")
        self.assertEqual(done.returncode, 1)
        self.assertIn("takes no arguments", done.stderr)


if __name__ == "__main__":
    unittest.main()
