"""Read the CDNOW sample (Fader, Hardie) as orders. Pure: no network, no clock. What a customer bought on one day is one order."""

from datetime import date

from retail import Order, Price, Shop, Tally, rows

CURRENCY = "USD"
ZONE = "UTC"


def order_of(customer, day, lines):
    at = f"{date.fromisoformat(day)}T12:00:00Z"  # the file has days only
    bodies = [{"line_no": n, "sku": "CD", "name": "CDs", "category": "music", "quantity": int(line["cds"]),
               "total_minor": Price.parse(line["amount"]).times(1)} for n, line in enumerate(lines, 1)]
    return Order(f"cdnow-{customer}-{day}", {"external_id": f"cdnow-{customer}"}, at, bodies)


def load(path):
    days = {}
    for line in rows(path):
        days.setdefault((line["master_id"], line["order_date"]), []).append(line)
    return Shop([order_of(customer, day, lines) for (customer, day), lines in days.items()], [], Tally())
