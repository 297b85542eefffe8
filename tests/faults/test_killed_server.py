"""kill -9 of the server under load: nothing is half there, and clients that retry end with exactly one of each."""

import os

from load import Load, verify

ROUNDS = int(os.environ.get("PATRON_FAULT_ROUNDS", "5"))
ANSWERS_A_ROUND = 150


def test_killed_server_leaves_exactly_one_of_each(shop):
    server = shop.serve()
    with Load(shop.key, [server.address], writers=12) as load:
        for _ in range(ROUNDS):
            load.await_answers(ANSWERS_A_ROUND)
            server.kill()
            server.start()
        load.await_answers(ANSWERS_A_ROUND)
        load.end()
    assert load.repeats > 0  # else the kills have hit nobody
    verify(load, shop, server)
    assert server.terminate()[0] == 0
