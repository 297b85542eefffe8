"""tools/convert: a published data set as lines of JSON that POST /v1/imports/{orders,refunds} takes."""

import argparse
import json
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))

import cdnow
import retail

ABOUT = """\
files:
  online_retail.csv.gz  UCI Online Retail (CC BY 4.0): line_no, invoice_no, kind (sale, cancel, adjust), stock_code, description,
                        quantity, invoice_ts, unit_price, customer_id, country. GBP, Europe/London. Orders and refunds.
  cdnow_sample.csv.gz   CDNOW (Fader, Hardie): line_no, master_id, sample_id, order_date, cds, amount. USD. Orders.

Which one it is, its columns tell. tools/import-dataset FILE brings all of it into a server."""

SETS = {"invoice_no": retail, "master_id": cdnow}


def refund_line(refund, _):
    return {"order": f"ext:{refund.order.external_id}", **retail.refund_body(refund)}


def main(argv):
    parser = argparse.ArgumentParser(prog="tools/convert", epilog=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Print a published data set as lines of JSON for an import with backfill.")
    parser.add_argument("kind", choices=("orders", "refunds", "currency", "zone"), help="what to print")
    parser.add_argument("file", metavar="FILE", help="the gzipped CSV file")
    given = parser.parse_args(argv)
    try:
        columns = next(iter(retail.rows(given.file)), {})
    except (OSError, UnicodeDecodeError) as broken:
        parser.exit(1, f"{given.file}: {broken}\n")
    source = next((module for column, module in SETS.items() if column in columns), None)
    if source is None:
        parser.exit(1, f"{given.file}: the columns are of no known data set; see tools/convert --help\n")
    if given.kind in ("currency", "zone"):
        print(source.CURRENCY if given.kind == "currency" else source.ZONE)
        return
    shop = source.load(given.file)
    for one in shop.orders if given.kind == "orders" else shop.refunds:
        print(json.dumps((retail.order_body if given.kind == "orders" else refund_line)(one, source.CURRENCY)))
    for reason, (lines, minor) in shop.left_out.items():
        print(f"left out: {reason}: {lines:,} lines, {minor / 100:,.2f} {source.CURRENCY}", file=sys.stderr)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main(sys.argv[1:])
