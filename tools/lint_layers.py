"""The arrows of the house, checked: server -> lib/<domain> -> lib/db -> lib/base.

- lib knows nothing of the server; lib/base nothing of lib/db; both nothing of the domains.
- No circle between domains, by their headers.
- Only server/http knows libmicrohttpd.
- A header that calls itself Pure in its opening comment, and the .c of the same name, reach neither database nor
  clock, whatever they include.
- Time is a parameter: only lib/base/clock.c and the log read a clock, and SQL never asks for the time.

Prints a line for each fault; the exit status tells whether there was one.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
CLOCK_CALL = re.compile(r"\b(clock_gettime|gettimeofday|time|clock_now)\s*\(")
SQL_TIME = re.compile(r"\b(now\s*\(|current_timestamp|current_date|clock_timestamp|statement_timestamp|localtimestamp)", re.I)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
CLOCK_READERS = {"lib/base/clock.c", "lib/base/log.c", "lib/base/uuid.c"}  # the clock; a line's time; version 7 ids


class House:
    def __init__(self, root):
        files = [path for top in ("lib", "server") for path in (root / top).rglob("*.[ch]")]
        self.text = {path.relative_to(root).as_posix(): path.read_text() for path in sorted(files)}
        self.includes = {name: self.resolved(name) for name in self.text}
        self.faults = []

    def resolved(self, name):
        """What a file includes: project files by their path, others as they stand."""
        found = []
        for quote, header in INCLUDE.findall(self.text[name]):
            beside = (pathlib.PurePosixPath(name).parent / header).as_posix()
            places = (f"lib/{header}", f"server/{header}", beside) if quote == '"' else ()
            found.append(next((place for place in places if place in self.text), header))
        return found

    def reached(self, name, seen=None):
        """Every file that including this one brings in."""
        seen = set() if seen is None else seen
        for header in self.includes.get(name, ()):
            if header not in seen:
                seen.add(header)
                self.reached(header, seen)
        return seen

    def fault(self, name, why):
        self.faults.append(f"{name}: {why}")


def folder(name):
    """The layer of a project file: base, db, a domain's name, or server."""
    parts = name.split("/")
    return parts[1] if parts[0] == "lib" else "server"


def check_arrows(house):
    for name, headers in house.includes.items():
        for header in headers:
            here, there = folder(name), folder(header) if header in house.text else None
            if header == "microhttpd.h" and not name.startswith("server/http/"):
                house.fault(name, "only server/http may know libmicrohttpd")
            if there is None or here == "server" or here == there or there == "base":
                continue
            if there == "server":
                house.fault(name, f"lib must not know the server ({header})")
            elif here == "base" or (here == "db" and there != "base"):
                house.fault(name, f"lib/{here} must not know {header}")


def check_circles(house):
    arrows = {}
    for name, headers in house.includes.items():
        for header in headers:
            if header in house.text and {"base", "db", "server"}.isdisjoint({folder(name), folder(header)}):
                arrows.setdefault(folder(name), {}).setdefault(folder(header), name)

    def walk(domain, path):
        if domain in path:
            if domain == path[0] == min(path):  # told once, not once for each domain on it
                house.fault(arrows[domain][(path + [domain])[1]], "domains in a circle: " + " -> ".join(path + [domain]))
            return
        for other in arrows.get(domain, {}):
            if other != domain:
                walk(other, path + [domain])

    for domain in arrows:
        walk(domain, [])


def check_pure(house):
    for name, text in house.text.items():
        opening = COMMENT.match(text.lstrip())
        if not name.endswith(".h") or opening is None or not re.search(r"\bPure\b", opening.group()):
            continue
        for file in (name, name[:-2] + ".c"):
            for header in house.reached(file):
                if header.startswith("lib/db/") or header == "lib/base/clock.h":
                    house.fault(file, f"is pure but reaches {header}")


def check_time(house, root):
    for name, text in house.text.items():
        code = COMMENT.sub("", text)
        if name.startswith("lib/") and name not in CLOCK_READERS and not name.endswith("clock.h"):
            for call in CLOCK_CALL.findall(STRING.sub('""', code)):
                house.fault(name, f"reads a clock ({call}); the time is ctx->now")
        for literal in STRING.findall(code):
            if SQL_TIME.search(literal) and re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|VALUES)\b", literal):
                house.fault(name, f"SQL asks for the time, which is a parameter: {literal}")
    for path in sorted((root / "migrations").glob("*.sql")):
        if SQL_TIME.search(re.sub(r"--[^\n]*", "", path.read_text())):
            house.fault(path.relative_to(root).as_posix(), "SQL asks for the time, which is a parameter")


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    house = House(root)
    check_arrows(house)
    check_circles(house)
    check_pure(house)
    check_time(house, root)
    print("\n".join(house.faults) if house.faults else f"{len(house.text)} files follow the arrows")
    return 1 if house.faults or not house.text else 0


if __name__ == "__main__":
    sys.exit(main())
