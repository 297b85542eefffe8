"""The replay's reading and matching, without a server."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "lib"))

import made
import retail
from retail import Cancel, CancelLine, Order, Price, Tally

MADE_500 = (75589529, 2899038)  # minor units sold and paid back: another number means another shop
COLUMNS = "line_no invoice_no kind stock_code description quantity invoice_ts unit_price customer_id country".split()


def row(invoice, kind, code, quantity, price, customer="1", at="2011-01-10T10:00:00", description="Thing"):
    return dict(zip(COLUMNS, ["1", invoice, kind, code, description, str(quantity), at, price, customer, "France"]))


def order(number, at, *lines, customer="1"):
    """Lines are (stock code, quantity, total in pence)."""
    return Order(number, {"external_id": customer}, at,
                 [{"line_no": n, "sku": code, "quantity": quantity, "total_minor": total}
                  for n, (code, quantity, total) in enumerate(lines, 1)])


def cancel(number, at, *lines, customer="1"):
    return Cancel(number, customer, at, [CancelLine(*line) for line in lines])


def matched(orders, cancels):
    left_out = Tally()
    refunds = retail.match(orders, cancels, left_out)
    pieces = {r.external_id: [(l["line_no"], l["quantity"], l["amount_minor"]) for l in r.lines] for r in refunds}
    return pieces, dict(left_out.items())


@pytest.mark.parametrize("price, quantity, minor", [
    ("2.55", 6, 1530), ("0.001", 1, 0), ("0.005", 1, 1), ("0.0049", 1, 0), ("0.125", 3, 38), ("7", 2, 1400),
    ("0.00", 9, 0), ("2.55", -6, -1530), ("0.005", -1, -1), ("-11062.06", 1, -1106206)])
def test_price_line_totals_are_rounded_half_up(price, quantity, minor):
    assert Price.parse(price).times(quantity) == minor


@pytest.mark.parametrize("price, minor", [("2.55", 255), ("7", 700), ("0.120", 12), ("0.001", None), ("0.00", 0)])
def test_price_without_whole_pence_has_no_unit_price(price, minor):
    assert Price.parse(price).minor() == minor


@pytest.mark.parametrize("local, utc", [
    ("2011-01-10T10:00:00", "2011-01-10T10:00:00Z"), ("2011-07-10T10:00:00", "2011-07-10T09:00:00Z"),
    ("2011-03-27T00:59:00", "2011-03-27T00:59:00Z"), ("2011-03-27T02:00:00", "2011-03-27T01:00:00Z")])
def test_times_are_london_times(local, utc):
    assert retail.utc(local) == utc


def test_read_groups_lines_by_invoice_dated_by_its_earliest_line():
    orders, cancels, left_out = retail.read([
        row("536", "sale", "A", 2, "1.25", at="2011-01-10T10:01:00"),
        row("536", "sale", "B", 1, "0.001", at="2011-01-10T10:00:00", description=" "),
        row("536", "sale", "A", 2, "1.25", at="2011-01-10T10:01:00")])
    assert cancels == [] and left_out.items() == []
    assert [(o.external_id, o.customer, o.at, o.total_minor) for o in orders] == [
        ("536", {"external_id": "1"}, "2011-01-10T10:00:00Z", 500)]
    first = {"line_no": 1, "sku": "A", "name": "Thing", "quantity": 2, "unit_price_minor": 125, "total_minor": 250}
    second = {"line_no": 2, "sku": "B", "quantity": 1, "total_minor": 0}
    assert orders[0].lines == [first, second, {**first, "line_no": 3}]


def test_read_counts_what_is_no_order_of_a_customer():
    orders, cancels, left_out = retail.read([
        row("1", "sale", "A", 3, "1.00", customer=""), row("2", "sale", "A", -5, "0.00", customer=""),
        row("C3", "cancel", "A", -1, "2.00", customer=""), row("A4", "adjust", "B", 1, "-50.00", customer="")])
    assert (orders, cancels) == ([], [])
    assert dict(left_out.items()) == {"sale without a customer": (2, 300), "cancel without a customer": (1, -200),
                                      "bad-debt adjustment": (1, -5000)}


def test_read_makes_cancelled_quantities_and_amounts_positive():
    _, cancels, _ = retail.read([row("C9", "cancel", "A", -12, "1.65")])
    assert cancels == [cancel("C9", "2011-01-10T10:00:00Z", ("A", 12, 1980))]


def test_match_takes_the_latest_earlier_order():
    orders = [order("1", "t1", ("A", 5, 500)), order("2", "t3", ("A", 5, 550)), order("3", "t7", ("A", 5, 600))]
    assert matched(orders, [cancel("C", "t5", ("A", 2, 220))]) == ({"C/2": [(1, 2, 220)]}, {})


def test_match_counts_an_order_of_the_same_minute_as_earlier():
    orders = [order("1", "t5", ("A", 1, 100))]
    assert matched(orders, [cancel("C", "t5", ("A", 1, 100))]) == ({"C/1": [(1, 1, 100)]}, {})


def test_match_splits_over_orders_and_lines_to_the_penny():
    orders = [order("1", "t1", ("A", 4, 400)), order("2", "t2", ("A", 1, 100), ("B", 1, 9), ("A", 2, 200))]
    pieces, left_out = matched(orders, [cancel("C", "t5", ("A", 6, 599))])
    assert pieces == {"C/2": [(1, 1, 100), (3, 2, 200)], "C/1": [(1, 3, 299)]}
    assert left_out == {}


def test_match_never_takes_a_piece_twice():
    orders = [order("1", "t1", ("A", 3, 300))]
    cancels = [cancel("C1", "t2", ("A", 2, 200)), cancel("C2", "t3", ("A", 2, 200)), cancel("C3", "t4", ("A", 1, 100))]
    assert matched(orders, cancels) == (
        {"C1/1": [(1, 2, 200)], "C2/1": [(1, 1, 100)]},
        {"cancelled: more pieces than were left": (1, -100), "cancelled: nothing left of what was ordered": (1, -100)})


def test_match_merges_two_cancelled_lines_that_reach_one_line():
    assert matched([order("1", "t1", ("A", 5, 500))], [cancel("C", "t2", ("A", 1, 100), ("A", 2, 190))]) == (
        {"C/1": [(1, 3, 290)]}, {})


def test_match_never_pays_back_more_than_a_line_cost():
    assert matched([order("1", "t1", ("A", 2, 150))], [cancel("C", "t2", ("A", 2, 200))]) == (
        {"C/1": [(1, 2, 150)]}, {"cancelled: more money than was left of the line": (1, -50)})


def test_match_keeps_customers_and_stock_codes_apart():
    orders = [order("1", "t1", ("A", 5, 500), customer="1"), order("2", "t1", ("a", 5, 500), customer="2")]
    cancels = [cancel("C1", "t2", ("A", 1, 100), customer="2"), cancel("C2", "t2", ("A", 1, 100), customer="3"),
               cancel("C3", "t2", ("D", 1, 700), customer="1")]
    assert matched(orders, cancels) == ({}, {
        "cancelled: the customer never ordered it before": (1, -100),
        "cancelled: the customer has no earlier order": (1, -100), "cancelled: a discount, not goods": (1, -700)})


def test_match_places_or_reports_every_penny_and_never_exceeds_a_line():
    dice = made.Dice(7)
    for _ in range(300):
        orders = [order(f"o{n}", f"t{dice.below(10)}", *[(dice.pick("AB"), dice.between(1, 9), dice.below(900))
                                                       for _ in range(dice.between(1, 4))]) for n in range(4)]
        cancels = [cancel(f"c{n}", f"t{dice.below(10)}", *[(dice.pick("ABD"), dice.between(1, 9), dice.below(900))
                                                         for _ in range(dice.between(1, 3))]) for n in range(4)]
        left_out = Tally()
        refunds = retail.match(orders, cancels, left_out)
        asked = sum(line.amount_minor for c in cancels for line in c.lines)
        assert sum(r.total_minor for r in refunds) - sum(minor for _, (_, minor) in left_out.items()) == asked
        for one in orders:
            for line in one.lines:
                back = [l for r in refunds if r.order is one for l in r.lines if l["line_no"] == line["line_no"]]
                assert sum(l["quantity"] for l in back) <= line["quantity"]
                assert sum(l["amount_minor"] for l in back) <= line["total_minor"]
        assert all(r.order.at <= r.at for r in refunds)


def test_made_shop_is_the_same_every_time_and_adds_up():
    shop = made.make(500)
    assert shop == made.make(500)._replace(left_out=shop.left_out)
    assert len(shop.orders) == 500 == len({o.external_id for o in shop.orders})
    assert shop.orders[0].at == "2025-01-01T00:00:00Z" and shop.orders[-1].at < "2026-01-01"
    assert (sum(o.total_minor for o in shop.orders), sum(r.total_minor for r in shop.refunds)) == MADE_500
    for one in shop.orders:
        for line in one.lines:
            assert line["total_minor"] == line["quantity"] * line["unit_price_minor"] - line["discount_minor"] > 0
    for refund in shop.refunds:
        lines = {line["line_no"]: line for line in refund.order.lines}
        assert refund.at > refund.order.at
        assert all(back["amount_minor"] <= lines[back["line_no"]]["total_minor"] for back in refund.lines)
