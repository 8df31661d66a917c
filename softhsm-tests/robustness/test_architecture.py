"""Each program contains only the libraries and modules that its privilege needs; SwiftPM does not prove that."""

import glob
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from support.processes import ROOT, binary
from support.shipped import README


def libraries(program):
    """The libraries that the program itself asks for, without those that they load (libcurl loads p11-kit)."""
    result = subprocess.run(["readelf", "-d", binary(program)], capture_output=True, text=True, check=True)
    return [line for line in result.stdout.splitlines() if "(NEEDED)" in line]


def has_library(program, library):
    return any(library in line for line in libraries(program))


def symbols(program):
    return subprocess.run(["nm", binary(program)], capture_output=True, text=True, check=True).stdout


def has_module(listing, module):
    """Whether Swift code of a module is in a program: its name is in every mangled symbol, after its length."""
    return f"$s{len(module)}{module}" in listing


@pytest.mark.parametrize(
    "program, own_module, forbidden_modules, forbidden_libraries",
    [
        ("tokenward-agent", "Agent", ["PKCS11", "PKCS11Management", "Keeper", "TokenWorker", "Emulator"],
         ["libp11-kit", "libpcsclite"]),
        (
            "tokenward-worker",
            "TokenWorker",
            ["HTTPTransport", "NIOHTTP1", "NIOPosix", "Agent", "RolesAnywhere", "PKCS11Management", "Keeper", "KeeperService"],
            ["libcurl", "libssl", "libpcsclite"],
        ),
        (
            "tokenward-keeper",
            "PKCS11Management",
            ["HTTPTransport", "NIOHTTP1", "NIOPosix", "Agent", "RolesAnywhere", "Tokens"],
            ["libcurl", "libssl", "libpcsclite"],
        ),
        (
            "tokenward-card-watcher",
            "PCSC",
            ["PKCS11", "HTTPTransport", "Agent", "NIOPosix", "X509", "KeeperService"],
            ["libp11-kit", "libcurl", "libssl", "libcrypto"],
        ),
        ("tokenward", "AgentClient", ["PKCS11", "HTTPTransport", "Agent", "NIOPosix"], ["libp11-kit", "libcurl", "libssl"]),
    ],
)
def test_each_program_has_only_what_its_privilege_needs(program, own_module, forbidden_modules, forbidden_libraries):
    listing = symbols(program)
    assert has_module(listing, own_module), "a module of the program's must be seen, or the test sees nothing"
    assert [module for module in forbidden_modules if has_module(listing, module)] == []
    assert [library for library in forbidden_libraries if has_library(program, library)] == []


@pytest.mark.parametrize(
    "program", ["tokenward-agent", "tokenward-worker", "tokenward-keeper", "tokenward-card-watcher"])
def test_no_program_that_stays_in_memory_has_an_engine_for_regular_expressions(program):
    """It is a megabyte, and a single `contains("text")` brings it in."""
    assert "17_StringProcessing" not in symbols(program)
    assert "17_StringProcessing" in symbols("tokenward"), "it must be seen where it is, or the test sees nothing"


PROGRAMS = [
    "tokenward", "tokenward-agent", "tokenward-worker", "tokenward-keeper", "tokenward-card-watcher",
    "tokenward-credential-process", "rolesanywhere-emulator"]


def elf(program, option):
    """The lines that readelf has of the program's headers (`-h`), segments (`-l`) or dynamic section (`-d`)."""
    result = subprocess.run(["readelf", "-W", option, binary(program)], capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def segments(program, kind):
    """The permissions of each segment of this kind: some of R, W and E."""
    rows = [line.split() for line in elf(program, "-l")]
    return ["".join(row[6:-1]) for row in rows if row[:1] == [kind]]


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_executes_its_stack_or_writes_to_its_code(program):
    assert segments(program, "GNU_STACK") == ["RW"]
    assert {flags for flags in segments(program, "LOAD") if "E" in flags} == {"RE"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_functions_of_libraries_are_bound_at_the_start_and_read_only_from_then_on(program):
    [(start, size)] = [
        (int(row[2], 16), int(row[5], 16)) for row in map(str.split, elf(program, "-l")) if row[:1] == ["GNU_RELRO"]]
    tables = re.findall(r"\.got(?:\.plt)? +PROGBITS +(\w+) \w+ (\w+)", "\n".join(elf(program, "-S")))
    assert tables and all(start <= int(at, 16) and int(at, 16) + int(length, 16) <= start + size for at, length in tables)
    if program == "tokenward-credential-process":
        return  # static, so that there is nothing left to bind
    assert any("DYN (Position-Independent Executable file)" in line for line in elf(program, "-h"))
    dynamic = elf(program, "-d")
    assert any("(FLAGS_1)" in line and "NOW" in line for line in dynamic)
    assert not any("(TEXTREL)" in line for line in dynamic)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_release_looks_for_no_library_beside_itself(program):
    if has_library(program, "libswiftCore"):
        pytest.skip("this is a debug build, which finds Swift's libraries by its RUNPATH")
    assert [line for line in elf(program, "-d") if "PATH)" in line] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_asks_the_processor_for_its_features_a_second_time(program):
    """libgcc's constructor for __builtin_cpu_supports() runs CPUID 13 times: a tenth of the thin client's time where it traps."""
    assert "__cpu_indicator_init" not in symbols(program)


def test_the_parts_that_belong_in_a_program_are_in_it():
    assert has_module(symbols("tokenward-worker"), "PKCS11") and has_library("tokenward-worker", "libp11-kit")
    assert has_module(symbols("tokenward-agent"), "HTTPTransport") and has_library("tokenward-agent", "libcurl")
    assert has_library("tokenward-card-watcher", "libpcsclite")


def test_the_thin_client_reaches_nothing_but_the_c_library():
    assert libraries("tokenward-credential-process") == []
    listing = symbols("tokenward-credential-process")
    modules = {"Foundation", "NIOCore", "ArgumentParser", "AgentAPI", "Glibc"}
    assert [module for module in modules if has_module(listing, module)] == []


def test_the_worker_calls_nothing_that_makes_changes_or_exports_keys():
    called = set()
    for path in glob.glob(f"{ROOT}/pkcs11/PKCS11/*.swift"):
        with open(path) as file:
            called |= set(re.findall(r"pointee\.(C_\w+)", file.read()))
    assert called == {
        "C_CloseSession",
        "C_FindObjects",
        "C_FindObjectsFinal",
        "C_FindObjectsInit",
        "C_GetAttributeValue",
        "C_GetInfo",
        "C_GetMechanismList",
        "C_GetSessionInfo",
        "C_GetSlotList",
        "C_GetSlotInfo",
        "C_GetTokenInfo",
        "C_Initialize",
        "C_Login",
        "C_Logout",
        "C_OpenSession",
        "C_Sign",
        "C_SignInit",
    }


def test_the_keeper_alone_holds_the_calls_that_make_and_delete_objects():
    holders = {program for program in PROGRAMS if has_module(symbols(program), "PKCS11Management")}
    assert holders == {"tokenward-keeper"}
    changes = "GenerateKey|GenerateKeyPair|CreateObject|CopyObject|DestroyObject|SetAttributeValue|WrapKey|UnwrapKey"
    callers = set()
    for folder in ("Sources", "pkcs11"):
        for path in Path(ROOT, folder).rglob("*.swift"):
            if re.search(rf"pointee\.C_(?:{changes}|DeriveKey|InitToken|InitPIN|SetPIN)\b", path.read_text()):
                callers.add(path.relative_to(ROOT).parts[1])
    assert callers == {"PKCS11Management"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_keeper_alone_reads_key_files(program):
    """OpenSSL's parser of PKCS#12, and our target that calls it."""
    listing = symbols(program)
    assert bool(re.search(r"\bPKCS12_\w+", listing)) == (program == "tokenward-keeper")
    assert has_module(listing, "KeyFiles") == (program == "tokenward-keeper")


def test_each_c_library_has_one_importer():
    importers = {}
    for path in glob.glob(f"{ROOT}/Sources/**/*.swift", recursive=True) + glob.glob(f"{ROOT}/pkcs11/**/*.swift", recursive=True):
        room = os.path.relpath(path, ROOT).split("/")[1]
        with open(path) as file:
            for module in re.findall(r"^(?:\w+ )?import (CP11Kit|COpenSSL|CCurl|CPCSCLite|CSystemd)$", file.read(), re.MULTILINE):
                importers.setdefault(module, set()).add(room)
    # The emulator verifies with OpenSSL on its own: it must share no code with what it checks.
    assert importers == {
        "CP11Kit": {"PKCS11", "PKCS11Management"}, "CPCSCLite": {"PCSC"}, "COpenSSL": {"X509", "KeyFiles", "Emulator"},
        "CCurl": {"HTTPTransport"},
        "CSystemd": {"Logind"}}


def test_the_programs_need_the_glibc_that_the_readme_names():
    """Relative relocations that are packed are read since glibc 2.36 (its NEWS); no function's version says so."""
    needed = set()
    for program in PROGRAMS:
        versions = subprocess.run(["readelf", "-V", binary(program)], capture_output=True, text=True, check=True).stdout
        needed.update(re.findall(r"GLIBC_([\d.]+|ABI_DT_RELR)", versions))
    numbers = [tuple(map(int, ("2.36" if name == "ABI_DT_RELR" else name).split("."))) for name in needed]
    [stated] = re.findall(r"`libc6 >= ([\d.]+)`", README.read_text())
    assert max(numbers)[:2] == tuple(map(int, stated.split(".")))


def test_each_target_depends_on_what_it_imports_and_on_nothing_else(tmp_path):
    command = ["swift", "package", "dump-package", "--scratch-path", tmp_path]
    targets = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)["targets"]
    own = {target["name"] for target in targets}
    wrong = {}
    for target in targets:
        folder = "Tests" if target["type"] == "test" else "Sources"
        files = Path(ROOT, target.get("path") or f"{folder}/{target['name']}").rglob("*.swift")
        text = "\n".join(file.read_text() for file in files)
        if not text:
            continue  # C has no imports
        imports = set(re.findall(r"^ *(?:@testable )?(?:package )?import (\w+)$", text, re.MULTILINE))
        dependencies = {next(iter(kind.values()))[0] for kind in target["dependencies"]}
        dependencies.discard("CWipingHeap")  # linked in the place of malloc, and called by its name nowhere
        unused, missing = dependencies - imports, imports & own - dependencies
        if unused or missing:
            wrong[target["name"]] = {"unused": unused, "missing": missing}
    assert wrong == {}
