"""clang-tidy over every file of a build, in parallel, remembering what was clean.

usage: tidy.py BUILD CACHE JOBS

A verdict depends on the file with all it includes, the flags, the checks and the version of clang-tidy. The file's
preprocessed text stands for the first three; a clean verdict leaves an empty file in CACHE named by the hash of it all. Where the
checkout lies does not matter, so that all of a developer's share one CACHE, as they do the compiler's.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

FORGET_ABOVE = 2000  # verdicts; older ones are of files that have changed since


def preprocessed(command):
    words = [word for word in shlex.split(command["command"]) if not word.endswith("ccache")]
    output = words.index("-o")
    del words[output:output + 2]
    words.remove("-c")
    return subprocess.run([*words, "-E", "-CC"], cwd=command["directory"], capture_output=True)


def check(command, build, cache, seed):
    source = preprocessed(command)
    if source.returncode != 0:
        return source.stderr.decode()
    seen = (seed + command["command"].encode() + source.stdout).replace(os.fsencode(os.getcwd()), b".")
    mark = cache / hashlib.sha256(seen).hexdigest()
    if mark.exists():
        mark.touch()
        return ""
    run = subprocess.run(["clang-tidy", "--quiet", "-p", build, command["file"]], capture_output=True, text=True)
    if run.returncode == 0:
        mark.touch()
        return ""
    return run.stdout or run.stderr


def main(build, cache, jobs):
    cache = pathlib.Path(cache)
    cache.mkdir(parents=True, exist_ok=True)
    seed = pathlib.Path(".clang-tidy").read_bytes() + subprocess.check_output(["clang-tidy", "--version"])
    commands = [command for command in json.loads(pathlib.Path(build, "compile_commands.json").read_text())
                if not command["file"].startswith(build)]
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        complaints = [text for text in pool.map(lambda c: check(c, build, cache, seed), commands) if text]
    marks = sorted(cache.iterdir(), key=lambda mark: mark.stat().st_mtime, reverse=True)
    for mark in marks[FORGET_ABOVE:]:
        mark.unlink()
    print("\n".join(complaints))
    return 1 if complaints or not commands else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
