"""Bad days: a PostgreSQL of our own that may be killed, servers that may be killed, clients that misbehave."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "api"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import house  # noqa: E402  (the path above is where it is)


@pytest.fixture(scope="session")
def cluster():
    """One for all, since making one takes seconds; a test that breaks it brings it back."""
    with house.cluster() as own:
        yield own


@pytest.fixture
def shop(cluster, request):
    """A fresh, migrated database with an admin key; no server yet."""
    with house.shop(cluster, request.node.name) as own:
        yield own
