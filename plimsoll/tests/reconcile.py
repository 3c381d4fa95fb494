"""Adds up the fills of a history by hand and compares the report: it uses no code of ours.

python plimsoll/tests/reconcile.py runs/trading_day-simulated-7
"""

import base64
import json
import re
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from trading.exchange.v1.exchange_pb2 import ListExecutionsResponse

BUY, TRADE, DEPOSIT = 1, 9, Decimal(1_000_000)  # Side and ExecType of the contract.


def reconcile(folder: Path) -> None:
    """Raise AssertionError when positions or cash of the report are not the sum of fills."""
    positions: dict[str, Decimal] = defaultdict(Decimal)
    cash = DEPOSIT
    for line in (folder / "history.jsonl").read_text().splitlines():
        record = json.loads(line)
        if not str(record.get("method")).endswith("ExchangeService/ListExecutions"):
            continue
        for report in ListExecutionsResponse.FromString(
            base64.b64decode(record["answer"])
        ).executions:
            if report.exec_type == TRADE:
                quantity = Decimal(report.last_quantity.value) * (1 if report.side == BUY else -1)
                positions[report.instrument] += quantity
                cash -= (quantity * Decimal(report.last_price.value)).quantize(Decimal("0.01"))
                cash -= Decimal(report.fee.amount.value)
    page = (folder / "report.html").read_text()
    rows = re.findall(r'<td>([A-Z0-9_-]+\.XSIM)</td><td class="n">(-?[\d.,]+)</td>', page)
    assert {name: Decimal(q.replace(",", "")) for name, q in rows} == positions, positions
    assert f"{cash:,.2f} USD" in page, cash


if __name__ == "__main__":
    reconcile(Path(sys.argv[1]))
