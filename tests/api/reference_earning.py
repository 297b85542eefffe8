"""What an order earns under a programme, in exact integers. Part of the slow reference (reference.py)."""

from fractions import Fraction

MILLION = 10**6


def half_up(amount, part, whole):
    return (2 * amount * part + whole) // (2 * whole)


def largest_remainder(total, weights):
    """A total split by weights to whole units; of equal remainders the first wins."""
    if sum(weights) == 0:
        weights = [1] * len(weights)
    return round_up_largest([total * weight for weight in weights], sum(weights), total)


def round_up_largest(exact, unit, total):
    """Numbers of some unit to whole ones that make a total: those with the largest remainders are rounded up."""
    shares = [value // unit for value in exact]
    left = total - sum(shares)
    if left:
        for i in sorted(range(len(exact)), key=lambda i: (-(exact[i] % unit), i))[:left]:
            shares[i] += 1
    return shares


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
    """The rules that count, in their order; an exclusive one only alone, and the last."""
    result = []
    for rule in rules:
        if not applies(rule) or (rule.get("stacking") == "exclusive" and result):
            continue
        result.append(rule)
        if rule.get("stacking") == "exclusive":
            break
    return result


def room(caps, used, code, day):
    """What a rule, or the programme, may still bring on a day. used: {(code, day): points}."""
    caps = caps or {}
    spans = {"per_order": lambda other: False, "per_day": lambda other: other == day,
             "per_month": lambda other: (other.year, other.month) == (day.year, day.month)}
    rooms = [caps[span] - sum(points for (rule, other), points in used.items() if rule == code and within(other))
             for span, within in spans.items() if caps.get(span) is not None]
    return max(0, min(rooms, default=float("inf")))


def tier_factor(benefits, facts, birth_month):
    of_month = benefits.get("birthday_month_multiplier_permille", 1000) if birth_month == facts["day"].month else 1000
    return Fraction(benefits.get("points_multiplier_permille", 1000), 1000) * Fraction(of_month, 1000)


def apply(rule, values, on, order, facts):
    """What the lines are worth after a rule, of which its caps may have cut something off again."""
    after = list(values)
    for i in on:
        if rule["kind"] == "base":
            after[i] += Fraction(order.lines[i].paid * rule["rate_millionths"], 100 * MILLION)
        else:
            after[i] *= Fraction(rule["factor_millionths"], MILLION)
    before, may = int(sum(values)), room(rule.get("caps"), facts["used"], rule["code"], facts["day"])
    if int(sum(after)) - before > may:
        more = [now - was for now, was in zip(after, values)]
        left = max(0, before + may - sum(values))
        after = [was + left * part / sum(more) for was, part in zip(values, more)]
    if any((rule.get("caps") or {}).get(span) is not None for span in ("per_day", "per_month")):
        count(facts, rule["code"], int(sum(after)) - before)  # from when a cap is in force
    return after


def earn(program, target, order, facts, benefits, birth_month):
    """What an order earns, and each line's share of it; what caps count of that is added to facts["used"]."""
    rules = [rule for rule in program["earning"] if (rule.get("target") or "points") == target]
    rules.sort(key=lambda rule: -(rule.get("priority") or 0))
    kind = {name: [rule for rule in rules if rule["kind"] == name] for name in ("base", "multiply", "add")}
    values = [Fraction(0)] * len(order.lines)
    for name in ("base", "multiply"):
        taken = [chosen(kind[name], lambda rule, line=line: holds(rule, facts, line.body)) for line in order.lines]
        for rule in kind[name]:
            on = [i for i, these in enumerate(taken) if rule in these]
            values = apply(rule, values, on, order, facts) if on else values
    factor = tier_factor(benefits, facts, birth_month)
    values = [value * factor for value in values]
    total = int(sum(values))
    shares = round_up_largest(values, 1, total)
    for rule in chosen(kind["add"], lambda rule: any(holds(rule, facts, line.body) for line in order.lines)):
        on = [i for i, line in enumerate(order.lines) if holds(rule, facts, line.body)]
        points = min(rule["points"], room(rule.get("caps"), facts["used"], rule["code"], facts["day"]))
        count(facts, rule["code"], points)
        total += points
        for i, share in zip(on, largest_remainder(points, [order.lines[i].paid for i in on])):
            shares[i] += share
    left = room(program["points"].get("caps"), facts["used"], "program", facts["day"])
    if target == "points" and total > left:
        total, shares = left, largest_remainder(left, shares)
    if target == "points":
        count(facts, "program", total)
    return total, shares


def count(facts, code, points):
    key = code, facts["day"]
    facts["used"][key] = facts["used"].get(key, 0) + points
