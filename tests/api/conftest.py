"""One server for the whole session, on a fresh database and with a clock that tests may set."""

from pathlib import Path

import pytest

import known as known_things
import servers
from client import Client
from clock import Clock
from contract import CONTRACT
from shop import eventually

# A tier's window must not end between two calls of a test: the session lives in the middle of a quiet month.
SESSION_BEGINS = "2026-11-18T04:00:00Z"


@pytest.fixture(scope="session")
def contract():
    return CONTRACT


@pytest.fixture(scope="session")
def server(contract):
    with servers.running_server("api", test_clock=1) as running:
        yield running


@pytest.fixture(autouse=True)
def while_it_lives(request):
    """A server that has ended fails the test in which it did, and the rest is not tried: its last words stand in the errors."""
    yield
    if "server" in request.fixturenames and request.getfixturevalue("server").process.poll() is not None:
        request.session.shouldfail = "the server has ended; what it said stands above, at the teardown"
        pytest.fail("the server has ended")


@pytest.fixture(scope="session")
def admin(server, contract):
    client = Client(server, contract)
    client.post("/v1/test/clock", {"now": SESSION_BEGINS}).ok()
    yield client
    client.close()


@pytest.fixture(scope="session")
def client_with(server, admin):
    """Clients by the scopes of their keys, made once."""
    made = {}

    def make(scopes):
        if scopes not in made:
            made[scopes] = admin.with_key(server.new_key(f"with {scopes}"[:100], scopes))
            eventually(lambda: made[scopes].get("/v1/program").status != 401)
        return made[scopes]

    return make


@pytest.fixture(scope="module")
def known(admin):
    return known_things.references(admin)


@pytest.fixture
def clock(admin):
    before = admin.get("/v1/meta").ok()["now"]
    yield Clock(admin)
    admin.post("/v1/test/clock", {"now": before}).ok()


@pytest.fixture
def program(admin):
    """Puts programmes into force; the first one comes back after the test."""
    first = admin.get("/v1/program").ok()

    def put(change):
        wanted = {name: value for name, value in first.items() if name != "version"}
        wanted.update(change)
        stored = admin.put("/v1/program", wanted).ok()
        eventually(lambda: admin.get("/v1/meta").ok()["program_version"] == stored["version"], seconds=1)
        return stored

    yield put
    put({})


def pytest_collection_modifyitems(config, items):
    """Tests about the whole session come last, and only when the session is the whole folder."""
    folder = Path(__file__).parent
    whole = {path.name for path in folder.glob("test_*.py")}
    collected = {item.path.name for item in items if item.path.parent == folder}
    partial = collected != whole or config.option.keyword or config.option.markexpr
    last = [item for item in items if item.path == folder / "test_session.py"]
    others = [item for item in items if item not in last]
    if partial:
        config.hook.pytest_deselected(items=[item for item in last if "whole" in item.keywords])
        last = [item for item in last if "whole" not in item.keywords]
    items[:] = others + last


def pytest_configure(config):
    config.addinivalue_line("markers", "whole: about all that a session of the whole folder has seen")
