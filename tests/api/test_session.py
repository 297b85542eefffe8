"""What only the end of the session can tell."""

import pytest

from calls import APART

# What no test can bring about, and why. Anything else that is declared must have been seen.
UNREACHABLE = {
    ("meta_get", 500, "problem", "internal"): "it reads no table, so nothing inside it can go wrong",
}


# What the server may say to any operation; the others have shown that it does.
OF_THE_SERVER = {"bad-address", "address-too-long", "bad-header", "not-acceptable", "internal", "busy", "draining", "database-away",
                 "deadline-exceeded", "conflict", "idempotency-key-reused", "request-in-progress", "body-too-large", "not-json"}


# Whose lane is for files: no test fills it.
OF_THE_BULK_LANE = {"coupon_job_create"}


def is_told_elsewhere(contract, one):
    """A problem of the server's own on an operation that is tested apart, and what comes with such a problem."""
    operation, status, what, which = one
    if operation in OF_THE_BULK_LANE:
        return what == "problem" and which in ("busy", "deadline-exceeded")
    if not contract.by_id[operation].streams and operation not in APART:
        return False
    if what == "problem":
        return which in OF_THE_SERVER
    return status >= 400 and contract.by_id[operation].slugs_of(status) <= OF_THE_SERVER


@pytest.mark.whole
def test_every_declared_answer_was_seen(contract):
    declared = set(contract.declared())
    missing = declared - contract.seen - set(UNREACHABLE)
    # with its only problem unseen, a status is unseen too, and so are its headers
    missing = {one for one in missing if (one[0], one[1]) not in {(key[0], key[1]) for key in UNREACHABLE}}
    missing = {one for one in missing if not is_told_elsewhere(contract, one)}
    assert not missing, "declared but never seen:\n" + "\n".join(map(str, sorted(missing)))


@pytest.mark.whole
def test_nothing_unreachable_was_reached(contract):
    assert not contract.seen & set(UNREACHABLE)


def test_the_auditor_finds_every_balance_right_after_all_tests(server, admin):
    proof = admin.get("/v1/points/proof").ok()
    assert proof["ok"] and proof["faults"] == [], proof
    said = server.command("check")
    assert "WRONG" not in said and " 0 wrong" in said, said
