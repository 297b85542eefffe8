"""What only the end of the session can tell."""

import pytest

# What no test can bring about, and why. Anything else that is declared must have been seen.
UNREACHABLE = {
    ("meta_get", 500, "problem", "internal"): "it reads no table, so nothing inside it can go wrong",
}


@pytest.mark.whole
def test_every_declared_answer_was_seen(contract):
    declared = set(contract.declared())
    missing = declared - contract.seen - set(UNREACHABLE)
    # with its only problem unseen, a status is unseen too, and so are its headers
    missing = {one for one in missing if (one[0], one[1]) not in {(key[0], key[1]) for key in UNREACHABLE}}
    assert not missing, "declared but never seen:\n" + "\n".join(map(str, sorted(missing)))


@pytest.mark.whole
def test_nothing_unreachable_was_reached(contract):
    assert not contract.seen & set(UNREACHABLE)


def test_the_auditor_finds_every_balance_right_after_all_tests(server, admin):
    proof = admin.get("/v1/points/proof").ok()
    assert proof["ok"] and proof["faults"] == [], proof
    said = server.command("check")
    assert "WRONG" not in said and " 0 wrong" in said, said
