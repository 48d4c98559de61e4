"""rates.csv: what one unit of a currency is worth, from which day on."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal, InvalidOperation
from io import StringIO

from mappings.errors import START, At, Sink
from mappings.source import decode
from mappings.tables import Beside
from revenue.money import EXPONENTS, Rate

RATES = "rates.csv"
_HEADING = ["currency", "from", "rate"]


def rates(beside: Beside, folder: str) -> tuple[tuple[Rate, ...], Sink]:
    """The rows of rates.csv, if there is one; its problems come in a sink of their own."""
    sink = Sink(f"{folder}/{RATES}" if folder else RATES)
    data = beside(RATES)
    text = None if data is None else decode(data, sink)
    found: list[Rate] = []
    reader = csv.reader(StringIO(text or "", newline=""), strict=True)
    try:
        for cells in reader:
            rate = _rate([cell.strip() for cell in cells], At(reader.line_num, 1), sink)
            if rate is not None:
                found.append(rate)
    except csv.Error as error:
        sink.error(START, "M022", f"the table cannot be read ({error})", "three columns: currency,from,rate")
    return tuple(found), sink


def _rate(cells: list[str], at: At, sink: Sink) -> Rate | None:
    if not any(cells) or cells == _HEADING:
        return None
    if len(cells) != len(_HEADING) or cells[0] not in EXPONENTS:
        sink.error(at, "M064", "this line is no rate", "currency,from,rate; e.g. USD,2026-04-01,151.2")
        return None
    try:
        since, worth = date.fromisoformat(cells[1]), Decimal(cells[2])
    except (ValueError, InvalidOperation):
        since, worth = date.min, Decimal("NaN")
    if not worth.is_finite() or worth <= 0:
        sink.error(
            at, "M064", "this line has no day or no rate", "currency,from,rate; e.g. USD,2026-04-01,151.2"
        )
        return None
    return Rate(cells[0], since.isoformat(), str(worth))
