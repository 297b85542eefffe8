"""What an order earns under a programme, in exact fractions. Part of the slow reference (reference.py)."""

from fractions import Fraction


def largest_remainder(total, weights):
    """A total split by weights to whole units; of equal remainders the first wins."""
    if sum(weights) == 0:
        weights = [1] * len(weights)
    quotas = [Fraction(total) * weight / sum(weights) for weight in weights]
    shares = [int(quota) for quota in quotas]
    left = sorted(range(len(weights)), key=lambda i: (shares[i] - quotas[i], i))[:total - sum(shares)]
    return [share + (i in left) for i, share in enumerate(shares)]


# What the conditions of the test's programmes mean.
CONDITIONS = {
    "first_order": lambda facts, line: facts["orders"] == 0,
    "category = 'bags'": lambda facts, line: line.get("category") == "bags",
    "line.quantity >= 2": lambda facts, line: line["quantity"] >= 2,
    "order.total >= 500.00": lambda facts, line: facts["order"]["total_minor"] >= 50000,
    "order.channel = live": lambda facts, line: facts["order"].get("channel") == "live",
    "tier >= gold": lambda facts, line: facts["rank"] >= facts["codes"].index("gold"),
    "birthday_month": lambda facts, line: facts["birth_month"] == facts["day"].month,
    "orders.count >= 3 and spend >= 800": lambda facts, line: facts["orders"] >= 3 and facts["spend"] >= 80000,
}


def holds(rule, facts, line):
    day = facts["day"].isoformat()
    if not (rule.get("valid_from") or day) <= day <= (rule.get("valid_until") or day):
        return False
    return rule.get("when") is None or CONDITIONS[rule["when"]](facts, line)


def chosen(rules, applies):
    """The rules that count: by priority; an exclusive one only alone, and the last."""
    result = []
    for rule in sorted(rules, key=lambda rule: -rule.get("priority", 0)):
        if not applies(rule) or (rule.get("stacking") == "exclusive" and result):
            continue
        result.append(rule)
        if rule.get("stacking") == "exclusive":
            break
    return result


def earn(program, target, order, facts, benefits, birth_month):
    """What an order earns, and each line's share of it."""
    rules = [rule for rule in program["earning"] if rule.get("target", "points") == target]
    kind = {name: [rule for rule in rules if rule["kind"] == name] for name in ("base", "multiply", "add")}
    exact = []
    for line in order.lines:
        rate = sum(rule["rate_millionths"] for rule in chosen(kind["base"], lambda rule: holds(rule, facts, line.body)))
        value = Fraction(line.paid * rate, 100 * 10**6)
        for rule in chosen(kind["multiply"], lambda rule: holds(rule, facts, line.body)):
            value *= Fraction(rule["factor_millionths"], 10**6)
        if "points_multiplier_permille" in benefits:
            value *= Fraction(benefits["points_multiplier_permille"], 1000)
        if birth_month == facts["day"].month:
            value *= Fraction(benefits.get("birthday_month_multiplier_permille", 1000), 1000)
        exact.append(value)
    total = int(sum(exact))
    shares = [int(value) for value in exact]
    left = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))[:total - sum(shares)]
    for i in left:
        shares[i] += 1
    for rule in chosen(kind["add"], lambda rule: any(holds(rule, facts, line.body) for line in order.lines)):
        on = [i for i, line in enumerate(order.lines) if holds(rule, facts, line.body)]
        total += rule["points"]
        for i, share in zip(on, largest_remainder(rule["points"], [order.lines[i].paid for i in on])):
            shares[i] += share
    return total, shares
