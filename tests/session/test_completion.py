# SPDX-License-Identifier: MIT
"""lifeboat completion: the scripts, in the shells that they are for, against what --help says."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pexpect
import pytest

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
SOURCES = Path(__file__).resolve().parents[2] / "tool"
HELP_OPTION = re.compile(r"^  (--[a-z0-9-]+)(?: (\"[^\"]*\"|[^ \n]+))?", re.M)
CHIPS = {"esp32", "esp32s2", "esp32s3", "esp32c2", "esp32c3", "esp32c6", "esp32h2", "sifive_u"}


def run(*words, code=0):
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def commands():
    """All commands, as the overview lists them."""
    names = re.findall(r"^  ([a-z]+(?: [a-z]+)*)  +[A-Z]", run("help").stdout, re.M)
    assert "flash map" in names and "module" in names
    return names


def options_of(command):
    """(name, argument or "") of each option in a command's --help."""
    return HELP_OPTION.findall(run(*command.split(), "--help").stdout)


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    for shell in ("bash", "zsh"):
        (folder / shell).write_text(run("completion", shell).stdout)
    return folder


@pytest.fixture
def complete(scripts, tmp_path):
    """complete("lifeboat flash ma"): what bash is offered for the last word of the line."""
    (tmp_path / "one.bin").touch()
    (tmp_path / "two words.bin").touch()
    (tmp_path / "folder").mkdir()

    def ask(line):
        words = [word for part in line.split(" ") for word in re.split("(=)", part)]
        # "--chip=" is two words for bash: the third would begin with the first letter of the value
        words = [word for i, word in enumerate(words) if word or i == len(words) - 1 and words[i - 1] != "="]
        quoted = " ".join(f"'{word}'" for word in words)
        script = (f"compopt() {{ :; }}\nsource {scripts / 'bash'}\nCOMP_WORDS=({quoted})\n"
                  f"COMP_CWORD={len(words) - 1}\n_lifeboat\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
        done = subprocess.run(["bash", "--norc", "-u", "-c", script], capture_output=True, text=True, timeout=60,
                              cwd=tmp_path)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return sorted(done.stdout.split("\n")[:-1]) if done.stdout != "\n" else []

    return ask


def test_first_and_second_words(complete):
    names = commands()
    assert complete("lifeboat ") == sorted({name.split()[0] for name in names} | {"help", "--help", "--version"})
    for group in {name.split()[0] for name in names if " " in name}:
        seconds = sorted(name.split()[1] for name in names if name.startswith(f"{group} "))
        assert complete(f"lifeboat {group} ") == seconds == complete(f"lifeboat help {group} ")
    assert complete("lifeboat flash ma") == ["map"]
    assert complete("lifeboat help fl") == ["flash"]
    assert complete("lifeboat help flash map ") == complete("lifeboat bogus ") == []


@pytest.mark.parametrize("command", commands())
def test_options_are_those_of_the_help(complete, command):
    options = options_of(command)
    assert complete(f"lifeboat {command} --") == sorted({"--help", *(name for name, _ in options)})
    for name, argument in options:
        words = set(complete(f"lifeboat {command} {name} "))
        joined = set(complete(f"lifeboat {command} {name}="))
        if name == "--chip":
            assert words == joined == CHIPS
        elif "|" in argument:
            assert words == joined == set(argument.split("|"))
        elif argument in ("FILE", "IMAGE", "OUT"):
            assert words == joined == {"folder", "one.bin", "two words.bin"}
        elif argument == "DIR":
            assert words == joined == {"folder"}


def test_arguments(complete):
    files = ["folder", "one.bin", "two words.bin"]
    assert complete("lifeboat flash map ") == files
    assert complete("lifeboat flash map o") == ["one.bin"]
    assert complete("lifeboat flash map one.bin ") == []
    assert complete("lifeboat flash map --svg x.svg ") == complete("lifeboat flash map --svg=x.svg ") == files
    assert complete("lifeboat depot publish ") == ["folder"]
    assert complete("lifeboat depot publish --product v3.1 folder ") == files
    assert complete("lifeboat image verify one.bin one.bin --chip esp32 o") == ["one.bin"]
    assert complete("lifeboat completion ") == ["bash", "zsh"]
    assert complete("lifeboat flash status --chip esp32s") == ["esp32s2", "esp32s3"]
    assert complete("lifeboat flash status --chip=esp32s") == ["esp32s2", "esp32s3"]


@pytest.mark.parametrize("command", commands())
def test_every_option_of_the_help_is_taken(command):
    for name, argument in options_of(command):
        if argument:
            assert "needs an argument" in run(*command.split(), name, code=2).stderr
        else:
            assert "takes no argument" in run(*command.split(), f"{name}=1", code=2).stderr
            # known: what is wrong is something else
            stderr = run(*command.split(), name, "--bogus", code=2).stderr
            assert "--bogus is unknown" in stderr


def test_every_option_that_is_taken_is_in_a_help():
    told = {name for command in commands() for name, _ in options_of(command)}
    taken = set()
    for source in SOURCES.glob("*.c"):
        taken |= set(re.findall(r'\{"([a-z0-9-]+)", (?:no|required|optional)_argument', source.read_text()))
    assert len(taken) > 20 and {f"--{name}" for name in taken} <= told


def test_wrong_use():
    for words in (["completion"], ["completion", "fish"], ["completion", "bash", "zsh"], ["completion", "--json"]):
        assert run(*words, code=2).stdout == ""


def interactive(shell, arguments, folder, setup):
    environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C", "HOME": str(folder), "PS1": "ready> "}
    child = pexpect.spawn(shell, arguments, cwd=str(folder), env=environment, encoding="utf-8", timeout=20,
                          dimensions=(50, 200))
    child.sendline(setup + "; echo set''up")
    child.expect("setup\r?\n")
    return child


@pytest.fixture
def typing_folder(tmp_path):
    (tmp_path / "two words.bin").touch()
    (tmp_path / "bin").mkdir()
    # echoes its arguments, so that one sees what the shell made of the line
    fake = tmp_path / "bin" / "lifeboat"
    fake.write_text("#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done; echo\n")
    fake.chmod(0o755)
    return tmp_path


def test_typing_in_bash(scripts, typing_folder):
    child = interactive("bash", ["--norc"], typing_folder,
                        f"PATH={typing_folder}/bin:$PATH; bind 'set bell-style none'; source {scripts / 'bash'}")
    child.send("lifeboat fl\tma\ttwo\t --wi\t60\r")
    child.expect_exact("<flash><map><two words.bin><--width><60>")
    child.send("lifeboat flash status --chip=esp32c\t\t")
    for chip in ("esp32c2", "esp32c3", "esp32c6"):
        child.expect_exact(chip)
    child.send("3\r")
    child.expect_exact("<flash><status><--chip=esp32c3>")
    child.close(force=True)


def test_typing_in_zsh(scripts, typing_folder):
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    child = interactive("zsh", ["-f", "-i"], typing_folder,
                        f"PATH={typing_folder}/bin:$PATH; autoload -U compinit && compinit -u -D; "
                        f"unsetopt zle_bracketed_paste 2>/dev/null; source {scripts / 'zsh'}")
    child.send("lifeboat fl\tma\ttwo\t--wi\t60\r")
    child.expect_exact("<flash><map><two words.bin><--width=60>")
    child.send("lifeboat completion z\t\r")
    child.expect_exact("<completion><zsh>")
    child.send("lifeboat image \t\t")
    child.expect("diff +-- Tell what differs between two firmware images")
    child.close(force=True)


def test_zsh_script_from_fpath(scripts, typing_folder):
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    functions = typing_folder / "functions"
    functions.mkdir()
    shutil.copyfile(scripts / "zsh", functions / "_lifeboat")
    child = interactive("zsh", ["-f", "-i"], typing_folder,
                        f"PATH={typing_folder}/bin:$PATH; fpath=({functions} $fpath); "
                        f"autoload -U compinit && compinit -u -D")
    child.send("lifeboat fl\tma\ttwo\t\r")
    child.expect_exact("<flash><map><two words.bin>")
    child.close(force=True)
