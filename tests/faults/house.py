"""The house of the fault tests: a private PostgreSQL, shops (databases) in it, and server processes on them."""

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import servers
from wire import ask

ROOT = servers.ROOT
START_SECONDS = 60   # a sanitizer's build on a busy machine
STOP_SECONDS = 40
POLL_SECONDS = 0.01
# A killed PostgreSQL must keep what it has committed; only a power cut, which nobody tries here, needs fsync.
SETTINGS = ("fsync = off", "full_page_writes = off", "max_connections = 200", "shared_buffers = 64MB")

_ports = itertools.count(20000 + os.getpid() % 5000)
_names = itertools.count(1)


def await_true(what, check, seconds=START_SECONDS):
    """Poll until check() is true; the assertion names what did not happen."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(POLL_SECONDS)
    return found


def free_port():
    """A port outside the range that the kernel gives to clients, so that it is still free after a restart."""
    for port in _ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Cluster:
    """A PostgreSQL in a folder of its own, run through tools/postgres."""

    def __init__(self, folder):
        self.folder, self.template = folder, None
        self.start()

    def tool(self, command, *arguments):
        done = subprocess.run([ROOT / "tools" / "postgres", command, self.folder, *arguments], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return done.stdout.strip()

    def start(self):
        self.tool("start", *SETTINGS)

    def stop(self):
        """A fast stop: PostgreSQL cuts every connection and ends in order. The socket's folder stays the same."""
        os.kill(self.postmaster(), signal.SIGINT)
        self.await_gone()

    def kill(self):
        """kill -9 of the postmaster and of every process that it started."""
        processes = self.processes()
        self.signal(processes, signal.SIGKILL)
        for pid in processes:
            await_true("PostgreSQL is dead", lambda pid=pid: not alive(pid))

    @contextlib.contextmanager
    def frozen(self):
        """Nobody of PostgreSQL does anything, though all of its connections stay open."""
        processes = self.processes()
        self.signal(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(reversed(processes), signal.SIGCONT)

    def processes(self):
        """The postmaster, and then all that it started."""
        postmaster = self.postmaster()
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [postmaster, *map(int, children)]

    @staticmethod
    def signal(processes, number):
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def postmaster(self):
        return int((self.folder / "pg" / "postmaster.pid").read_text().split("\n", 1)[0])

    def await_gone(self):
        await_true("PostgreSQL is gone", lambda: not (self.folder / "pg" / "postmaster.pid").exists())

    def conninfo(self, name):
        return self.tool("conninfo", name)


def alive(pid):
    """A corpse that nobody has collected is not alive."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def cluster():
    folder = Path(tempfile.mkdtemp(prefix="patron-faults."))
    folder.chmod(0o711)
    own = Cluster(folder)
    try:
        yield own
    finally:
        own.tool("remove")
        shutil.rmtree(folder)


class Shop:
    """A database and the commands of the binary on it."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.url = cluster.conninfo(name)  # asked once: the socket's folder stays
        self.key = None
        self.processes = []

    def environment(self, **settings):
        mine = {name: value for name, value in os.environ.items() if not name.startswith("PATRON_")}
        mine.update({f"PATRON_{name.upper()}": str(value) for name, value in settings.items()})
        return {**mine, "PATRON_DATABASE_URL": self.url}

    def run(self, *arguments, **settings):
        return subprocess.run([servers.binary(), *arguments], env=self.environment(**settings), capture_output=True,
                              text=True, timeout=START_SECONDS, check=False)

    def make_key(self, name="test", scopes="admin"):
        done = self.run("key", "create", "--name", name, "--scopes", scopes)
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return done.stdout.strip().splitlines()[-1]

    def sql(self, sql):
        return servers.psql(self.url, sql)

    def counts(self, sql):
        """The one row of JSON that the query makes."""
        return json.loads(self.sql(sql))

    @contextlib.contextmanager
    def locked(self, sql):
        """Hold the locks of this statement until the end or the release."""
        with subprocess.Popen([servers.psql_program(), "-XqtA", self.url], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as psql:
            psql.stdin.write(f"BEGIN; {sql}; SELECT 'locked';\n")
            psql.stdin.flush()
            for line in psql.stdout:
                if line == "locked\n":
                    break
            self.release = psql.stdin.close
            try:
                yield
            finally:
                psql.stdin.close()

    def waiting(self):
        """How many sessions wait for a lock."""
        return int(self.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                            "AND wait_event_type = 'Lock'"))

    def check(self):
        """patron check finds nothing wrong."""
        done = self.run("check")
        assert done.returncode == 0, done.stdout + done.stderr

    def process(self, **settings):
        """A server process that is not waited for."""
        process = Process(self, free_port(), settings)
        self.processes.append(process)
        return process

    def serve(self, **settings):
        """A server that is ready."""
        process = self.process(**settings)
        process.await_ready()
        return process


class Process:
    """A server that can be stopped, killed and started again on the same port."""

    def __init__(self, shop, port, settings):
        self.shop, self.address, self.settings = shop, ("127.0.0.1", port), settings
        self.start()

    def start(self):
        self.errors = tempfile.TemporaryFile()
        environment = self.shop.environment(**{"log_level": "warning", **self.settings},
                                            listen="%s:%d" % self.address)
        self.popen = subprocess.Popen([servers.binary(), "serve"], env=environment, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=self.errors)

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def await_ready(self):
        def ready():
            assert self.popen.poll() is None, f"the server ended with {self.popen.returncode}: {self.said()}"
            return self.probe("/readyz") == 200
        await_true("the server is ready", ready)

    def probe(self, path):
        """The status of GET path, None without an answer."""
        with contextlib.suppress(OSError):
            return ask(self.address, "GET", path).status
        return None

    def ask(self, method, path, body=None, **headers):
        return ask(self.address, method, path, body, key=self.shop.key, **headers)

    def kill(self):
        self.popen.kill()
        self.popen.wait(STOP_SECONDS)

    def terminate(self):
        """SIGTERM; the exit status and the seconds it took."""
        began = time.monotonic()
        self.popen.terminate()
        status = self.popen.wait(STOP_SECONDS)
        return status, time.monotonic() - began

    def rss_kb(self):
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def template(cluster):
    """A migrated database with an admin key, made once and copied: its name and its key."""
    if cluster.template is None:
        cluster.tool("create", "faults_template")
        own = Shop(cluster, "faults_template")
        done = own.run("migrate")
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        cluster.template = (own.name, own.make_key())
    return cluster.template


@contextlib.contextmanager
def shop(cluster, label, migrated=True):
    name = "faults_%d_%s" % (next(_names), re.sub(r"\W", "_", label)[:40].lower())
    origin, key = template(cluster) if migrated else ("template0", None)
    cluster.tool("create", name, origin)
    own = Shop(cluster, name)
    own.key = key
    try:
        yield own
        for process in own.processes:  # in order, so that a sanitizer may say what it has found
            if process.popen.poll() is None:
                assert process.terminate()[0] == 0, process.said()
    finally:
        for process in own.processes:
            if process.popen.poll() is None:
                process.popen.kill()
                process.popen.wait(STOP_SECONDS)
        cluster.tool("drop", name)
