# SPDX-License-Identifier: MIT
"""What a product links of the library, and how much code, stack and RAM that is: on processors without a board."""

import re
from pathlib import Path

from sizes import stack, targets
from sizes.targets import FOLDER, OF_THE_CALLER, ROOT, Failure, run

MEASURED = ["rv32imc", "cortex-m0", "cortex-m4"]
CALLS = ROOT / "scripts" / "sizes" / "calls-library.txt"
UPDATE = ["lb_update_start", "lb_update_write", "lb_update_finish"]
BESIDE = ["lb_table_read", "lb_target_start", "lb_target_step", "lb_update_resume", "lb_update_resume_step"]
PATCH = ["lb_patch_start", "lb_patch_write", "lb_patch_finish"]
BY_PATCH = ["lb_update_patch_start", "lb_update_patch_write", "lb_update_patch_finish"]
# Name -> what it calls, and whether the hashes of ports/mbedtls are linked with it.
USES = {
    "update path": (UPDATE, False),
    "update path, with hashes": (UPDATE, True),
    "update path, resume, choice of slot": (UPDATE + BESIDE, False),
    "patch decoder": (PATCH, False),
    "update by patch": (UPDATE + BY_PATCH, False),
    "trial: confirm, reject, survive, close": (
        ["lb_trial_confirm", "lb_trial_reject", "lb_trial_survive", "lb_trial_close"], False),
    "bootloader's decision": (["lb_boot"], False),
    "bootloader, silent, with hashes": (["lb_boot"], True),
    "bootloader with words, with hashes": (["bootloader_run"], True),
}
HASHES = ["mbedtls_hash_sha256", "mbedtls_hash_md5"]
MBEDTLS = ROOT / "build" / "sources" / "mbedtls"
MBEDTLS_OPTIONS = ["-Ibuild/sources/mbedtls/include", "-Iports/sifive_u/libc",
                   '-DMBEDTLS_CONFIG_FILE="ports/sifive_u/mbedtls_config.h"']

# RAM of an update besides its stack: the session's own structs, and those that a module has anyway.
SESSION = ["lb_update", "lb_hash", "mbedtls_hash"]
AROUND = ["lb_table", "lb_device"]


def compile_all(target):
    """Compiles everything that is linked; returns the folders of object files, without and with the hashes."""
    if not (MBEDTLS / ".fetched").exists():
        raise Failure("build/sources/mbedtls is missing; packaging/fetch-sources.sh mbedtls fetches it")
    options = targets.SIZE_OPTIONS + targets.SMALLER.get(target, []) + ["-fcallgraph-info=su"]
    targets.compile_library(target, options)
    own = targets.WARNINGS + targets.INCLUDES + options
    targets.compile_sources(target, sorted(ROOT.glob("boot/*.c")), "boot", own)
    foreign = [MBEDTLS / "library" / f"{name}.c" for name in ("sha256", "md5", "platform_util")]
    hashes = [ROOT / "ports/mbedtls/hash.c"] + foreign
    targets.compile_sources(target, hashes, "hashes", ["-Iinclude", "-I."] + MBEDTLS_OPTIONS + options)
    including = targets.INCLUDES + MBEDTLS_OPTIONS
    targets.compile_sources(target, [ROOT / "scripts/sizes/structs.c"], "structs", including + options)


def program(target, name):
    return FOLDER / target / (re.sub(r"\W+", "-", name) + ".elf")


def link(target, name, entries, folders):
    elf = program(target, name)
    objects = [file for folder in folders for file in sorted(folder.glob("*.o"))]
    compiler = targets.TARGETS[target][0]
    run(compiler + ["-nostdlib", "-Os", *targets.SMALLER.get(target, []), "-Tscripts/sizes/program.ld",
                    "-Wl,--gc-sections", "-Wl,-e,0", *[f"-Wl,-u,{entry}" for entry in entries],
                    *[f"-Wl,--defsym={symbol}=0" for symbol in OF_THE_CALLER],
                    *objects, "-lgcc", "-o", elf])
    return elf


def measure_use(target, name):
    """(code, data, stack) of one use."""
    entries, hashes = USES[name]
    folders = [FOLDER / target / folder for folder in [*targets.LIBRARY.values(), "boot"] + (["hashes"] if hashes else [])]
    linked = entries + (HASHES if hashes else [])
    elf = link(target, name, linked, folders)
    text, data, bss = targets.sections(target, [elf])[Path(elf)]
    chains = stack.measure(folders, CALLS, entries, targets.tool(target, "objdump"), elf, OF_THE_CALLER)
    deepest = max(chains.values(), key=lambda chain: chain[0])
    return (text, data + bss, deepest[0]), deepest[1]


def structs(target):
    """Struct -> bytes."""
    sizes = {}
    for line in run([targets.tool(target, "nm"), "-P", FOLDER / target / "structs" / "structs.o"]).splitlines():
        name, _, _, size = line.split()
        sizes[name.removeprefix("size_of_")] = int(size, 16)
    return sizes


def largest_functions(target, name, count):
    """(bytes, function) of what a use links, the largest first."""
    elf = program(target, name)
    found = []
    for line in run([targets.tool(target, "nm"), "-S", elf]).splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[2] in "tT":
            found.append((int(fields[1], 16), fields[3]))
    return sorted(found, key=lambda function: (-function[0], function[1]))[:count]


def sessions(found, sizes):
    """RAM of an update without a sector buffer: what only the session needs, and with what a module has anyway."""
    deepest = found["update path, with hashes"][0][2]
    own = deepest + sum(sizes[name] for name in SESSION)
    return own, own + sum(sizes[name] for name in AROUND)
