"""kill -9 while coupons are fought for and rewards are redeemed: each is used once, no point and no stock is lost."""

import os

from load import ATTEMPT_SECONDS, Call, Load, order
from wire import Connection

ROUNDS = int(os.environ.get("PATRON_FAULT_ROUNDS", "4"))
ANSWERS_A_ROUND = 120
CUSTOMERS, STOCK = 6, 60


def post(kind, name, path, body):
    return Call(kind, name, path, body, {"Idempotency_Key": name})


class Fight(Load):
    """Every writer wants the same coupons and the same rewards as all others."""

    FINAL = (200, 201, 409)

    def write(self, number):
        connection = Connection(self.addresses[0], timeout=ATTEMPT_SECONDS)
        count = 0
        try:
            while not self.ending.is_set() and not self.broken:
                label, customer = f"{number}-{count}", f"C{number % CUSTOMERS}"
                key = f"{count % 40}"  # forty coupons in all, whoever comes first
                issued = self.finish(connection, Call("issue", f"I-{label}", "/v1/coupons", {"template": "fight", "key": key}, {}))
                bought = order(f"O-{label}", customer)
                bought.body.update(coupon=issued.json["code"], discount_minor=100, total_minor=bought.body["total_minor"] - 100)
                if self.finish(connection, bought).status < 300 and count % 3 == 0:
                    self.finish(connection, Call("cancel", f"X-{label}", "/v1/orders", {**bought.body, "status": "cancelled"}, {}))
                self.reward(connection, label, f"/v1/customers/ext:{customer}/rewards/redemptions", count)
                count += 1
        except Exception as broken:  # whatever it is, the test has failed and must say so
            self.broken = broken
        finally:
            connection.close()

    def reward(self, connection, label, path, count):
        asked = self.finish(connection, post("ask", f"A-{label}", path, {"reward": "fight", "redeem": count % 4 == 3}))
        if asked.status == 201 and asked.json["state"] == "issued":
            how = ("redeem", "cancel", "cancel")[count % 3]
            self.finish(connection, post(how, f"E-{label}", f"{path}/{asked.json['id']}/{how}", {}))

    def finish(self, connection, call):
        super().finish(connection, call)
        with self.lock:
            return next(answer for one, answer in reversed(self.answers) if one is call)


def test_killed_server_leaves_each_coupon_used_once_and_every_point_and_stock_accounted_for(shop):
    server = shop.serve()
    for path, body in (("/v1/coupon-templates/fight", {"name": "fight", "kind": "amount", "off_minor": 100, "returns_on_refund": True}),
                       ("/v1/coupon-templates/prize", {"name": "prize", "kind": "amount", "off_minor": 1}),
                       ("/v1/rewards/fight", {"name": "fight", "kind": "coupon", "coupon_template": "prize", "points": 7, "stock": STOCK})):
        assert server.ask("PUT", path, body).status == 201
    for n in range(CUSTOMERS):
        assert server.ask("POST", "/v1/orders", order(f"first-{n}", f"C{n}", 1000000).body).status == 201
    with Fight(shop.key, [server.address], writers=12) as load:
        for _ in range(ROUNDS):
            load.await_answers(ANSWERS_A_ROUND)
            server.kill()
            server.start()
        load.await_answers(ANSWERS_A_ROUND)
        load.end()
    assert load.repeats > 0  # else the kills have hit nobody
    shop.check()
    good = [call.name for call, answer in load.answers if answer.status < 300]
    counted = shop.counts("""SELECT json_build_object(
        'issued', (SELECT count(*) FROM coupons WHERE template = 'fight'),
        'orders', (SELECT count(*) FROM orders WHERE coupon IS NOT NULL),
        'uses', (SELECT count(*) FROM coupon_history WHERE action = 'redeemed'),
        'returns', (SELECT count(*) FROM coupon_history WHERE action = 'returned'),
        'redemptions', (SELECT count(*) FROM reward_redemptions),
        'prizes', (SELECT count(*) FROM coupons WHERE template = 'prize') - (SELECT count(*) FROM reward_redemptions WHERE state = 'redeemed'),
        'waiting', (SELECT count(*) FROM reward_redemptions WHERE state = 'issued'))""")
    sent = {kind: sum(name.startswith(kind) for name in good) for kind in "OXA"}
    assert counted["issued"] <= 40 and counted["orders"] == counted["uses"] == sent["O"] and counted["returns"] == sent["X"]
    assert counted["redemptions"] == sent["A"] and counted["prizes"] == counted["waiting"] == 0
    taken = server.ask("GET", "/v1/rewards/fight").json["taken"]
    assert taken <= STOCK and taken == shop.counts("SELECT json_build_object('n', count(*)) FROM reward_redemptions WHERE state = 'redeemed'")["n"]
    assert server.terminate()[0] == 0
