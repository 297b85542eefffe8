"""Servers of a test's own: a fresh database on the PostgreSQL of PATRON_TEST_DATABASE_URL, the real binary, any port."""

import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import typing
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 30
STOP_SECONDS = 40
TOLD_LINES = 60  # of the log of a server that ended badly


class Server(NamedTuple):
    url: str
    key: str
    process: subprocess.Popen
    database_url: str
    environment: dict
    log: typing.BinaryIO = None

    def logged(self):
        """All that the server has written to its log."""
        return os.pread(self.log.fileno(), os.fstat(self.log.fileno()).st_size, 0)

    def command(self, *words):
        """What `patron WORDS` on this server's database prints."""
        done = subprocess.run([str(binary()), *words], env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"patron {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def new_key(self, name, scopes, *options):
        return self.command("key", "create", "--name", name, "--scopes", scopes, *options).splitlines()[-1]


def binary():
    """PATRON_BIN, else the release build, else any other build."""
    if os.environ.get("PATRON_BIN"):
        return Path(os.environ["PATRON_BIN"])
    for preset in ("release", "dev", "asan", "tsan"):
        if (ROOT / "build" / preset / "patron").exists():
            return ROOT / "build" / preset / "patron"
    raise FileNotFoundError("There is no build to test: set PATRON_BIN or build a preset.")


def psql_program():
    installed = sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))
    return installed[-1] if installed else shutil.which("psql")


def psql(url, sql):
    done = subprocess.run([psql_program(), "-XqtA", "-v", "ON_ERROR_STOP=1", "-c", sql, url], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Every row of every table but the keys, which are made beside the server, and the directory, which catches up beside the
# requests; boiled down to one line a table.
CONTENT = """
SELECT string_agg(table_name || ' ' || (xpath('/row/content/text()', query_to_xml(format(
        'SELECT count(*) || ''/'' || coalesce(sum(hashtextextended(t::text, 0)), 0) AS content FROM %I t', table_name),
        false, true, '')))[1]::text, E'\\n' ORDER BY table_name)
FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT IN ('access_keys', 'audit_log', 'customer_changes',
        'customer_search', 'customer_directory')
"""
# Keys are made beside the server, and a look at personal data changes nothing.
WRITES = "SELECT 'audit_log ' || count(*) FROM audit_log WHERE kind = 'write' AND key_id IS NOT NULL"


class Psql:
    """A psql that is kept: content() is asked before and after most tests."""

    END = "-- end --"

    def __init__(self, url):
        self.program = subprocess.Popen([psql_program(), "-XqtA", "-v", "ON_ERROR_STOP=1", url], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(self, sql):
        """What it prints, or None when the database has cut it off."""
        try:
            self.program.stdin.write(f"{sql};\n\\echo {self.END}\n")
            self.program.stdin.flush()
        except BrokenPipeError:
            return None
        said = ""
        for line in self.program.stdout:
            if line.rstrip() == self.END:
                return said
            said += line
        return None


KEPT = {}


def content(url):
    """What a database holds, to be compared: whatever is written shows."""
    said = KEPT[url].ask(f"{CONTENT}; {WRITES}") if url in KEPT else None
    if said is None:
        KEPT[url] = Psql(url)
        said = KEPT[url].ask(f"{CONTENT}; {WRITES}")
    assert said is not None, "the database answers no questions"
    return said


def admin_url():
    """In keyword form ("host=/run/pg user=postgres"), to which a later dbname can be added: it wins."""
    url = os.environ.get("PATRON_TEST_DATABASE_URL")
    assert url, "PATRON_TEST_DATABASE_URL names no PostgreSQL to test on (\"host=... dbname=...\"); tools/test brings one."
    return url


@contextlib.contextmanager
def fresh_database(label):
    name = f"patron_test_{label}_{os.getpid()}"
    psql(admin_url(), f"CREATE DATABASE {name}")
    try:
        yield f"{admin_url()} dbname={name}"
    finally:
        psql(admin_url(), f"DROP DATABASE {name} WITH (FORCE)")


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def wait_ready(url, process):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.05)
    raise TimeoutError("the server did not become ready")


def stop(process, log):
    """SIGTERM, and the server must end well: a sanitizer's complaint is a failure of the tests that ran on it."""
    process.send_signal(signal.SIGTERM)
    try:
        status = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait()
    log.seek(0)
    lines = log.read().decode(errors="replace").splitlines()
    told = [line for line in lines if not line.startswith("{")]
    assert status == 0 and not any("runtime error" in line for line in told), f"it ended with {status}:\n" + "\n".join(
        told[-TOLD_LINES:] or lines[-TOLD_LINES:])


@contextlib.contextmanager
def running_server(label, **settings):
    """A server with settings like currency="GBP" (PATRON_CURRENCY), stopped by SIGTERM in the end."""
    with fresh_database(label) as database_url, tempfile.TemporaryFile() as log:
        address = free_address()
        environment = {**os.environ, "PATRON_DATABASE_URL": database_url, "PATRON_LISTEN": address}
        environment.update({f"PATRON_{name.upper()}": str(value) for name, value in settings.items()})
        program = str(binary())
        subprocess.run([program, "migrate"], env=environment, check=True, capture_output=True)
        server = Server(f"http://{address}", "", None, database_url, environment)
        server = server._replace(key=server.new_key("test", "admin"))
        with subprocess.Popen([program, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=log) as process:
            try:
                wait_ready(server.url, process)
                yield server._replace(process=process, log=log)
            finally:
                stop(process, log)
