"""A made shop for those who have no real one: N orders over a year, the same on every machine. Pure.

Customers buy with Zipf-like frequency, one order in twelve is partly or wholly refunded. Only integers decide (a
splitmix64 generator of our own), so neither the version of Python nor the machine matters.
"""

from datetime import datetime, timedelta, timezone

from retail import Order, Refund, Shop, Tally

FIRST_DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
YEAR_SECONDS = 365 * 86400
ORDERS_PER_CUSTOMER = 4
ZIPF_SCALE = 1_000_000_000
MASK = 2**64 - 1

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = ["伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀英", "小明", "建国"]
CHANNELS = ["search", "direct", "recommend", "paid_search", "live", "short_video", "social", "referral"]
CATALOGUE = [  # category, brand, lowest and highest price in minor units
    ("bags", "Lumen", 19900, 89900),
    ("shoes", "Strider", 15900, 69900),
    ("dresses", "Willow", 12900, 59900),
    ("shirts", "Willow", 7900, 29900),
    ("scarves", "Lumen", 4900, 19900),
    ("watches", "Meridian", 39900, 299900),
    ("perfume", "Aura", 16900, 99900),
    ("socks", "Strider", 1900, 5900),
]
GOODS_PER_CATEGORY = 25


class Dice:
    """splitmix64 (Steele, Lea, Flood 2014)."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, limit):
        return self.next() % limit

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def pick(self, items):
        return items[self.below(len(items))]


def make_customers(count):
    dice = Dice(1)
    customers = []
    for number in range(1, count + 1):
        customer = {"external_id": f"made-{number:06d}", "name": dice.pick(SURNAMES) + dice.pick(GIVEN)}
        if dice.below(3) > 0:
            customer["birthday"] = f"{dice.between(1, 12):02d}-{dice.between(1, 28):02d}"
        customers.append(customer)
    return customers


def make_goods():
    dice = Dice(2)
    goods = []
    for category, brand, low, high in CATALOGUE:
        for number in range(1, GOODS_PER_CATEGORY + 1):
            price = dice.between(low // 100, high // 100) * 100
            sku = f"{category.upper()}-{number:02d}"
            goods.append({"sku": sku, "name": f"{brand} {category} {number}", "category": category, "brand": brand,
                          "unit_price_minor": price, "cost_minor": price * dice.between(35, 65) // 100})
    return goods


def make_line(dice, goods, line_no):
    item = dice.pick(goods)
    quantity = 1 if dice.below(10) < 8 else dice.between(2, 4)
    gross = quantity * item["unit_price_minor"]
    discount = gross * dice.between(5, 30) // 100 if dice.below(5) == 0 else 0
    return {**item, "line_no": line_no, "quantity": quantity, "discount_minor": discount,
            "total_minor": gross - discount, "cost_minor": quantity * item["cost_minor"]}


def cumulative_weights(count):
    total, sums = 0, []
    for rank in range(1, count + 1):
        total += ZIPF_SCALE // rank
        sums.append(total)
    return sums


def first_above(sums, value):
    low, high = 0, len(sums) - 1
    while low < high:
        middle = (low + high) // 2
        if sums[middle] > value:
            high = middle
        else:
            low = middle + 1
    return low


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_refund(dice, order, at):
    """All of the order, or one piece of its first line."""
    at = text(at + timedelta(seconds=dice.between(86400, 20 * 86400)))
    if dice.below(2) == 0:
        lines = [{"line_no": line["line_no"], "quantity": line["quantity"], "amount_minor": line["total_minor"]}
                 for line in order.lines]
    else:
        line = order.lines[0]
        lines = [{"line_no": 1, "quantity": 1, "amount_minor": line["total_minor"] // line["quantity"]}]
    return Refund(f"{order.external_id}/R", order, at, lines)


def make(count):
    dice = Dice(3)
    customers = make_customers(max(1, count // ORDERS_PER_CUSTOMER))
    goods, sums = make_goods(), cumulative_weights(len(customers))
    orders, refunds = [], []
    for number in range(1, count + 1):
        customer = customers[first_above(sums, dice.below(sums[-1]))]
        at = FIRST_DAY + timedelta(seconds=(number - 1) * YEAR_SECONDS // count)
        lines = [make_line(dice, goods, line_no) for line_no in range(1, dice.between(1, 4) + 1)]
        orders.append(Order(f"made-{number:08d}", customer, text(at), lines, dice.pick(CHANNELS)))
        if dice.below(12) == 0:
            refunds.append(make_refund(dice, orders[-1], at))
    return Shop(orders, refunds, Tally())
