"""Availability and latency of services, from a CSV of checks.

Wanted columns: `service`, `status`, `latency_ms`; others are ignored. A check has succeeded when its status is `ok`,
`up`, or an HTTP status from 200 to 399. Percentiles are nearest-rank: the smallest latency that at least p % of the
successful checks did not exceed. Availability is given in parts per million, so that nothing is rounded away.
"""

import csv
import io

WANTED = ("service", "status", "latency_ms")
PERCENTILES = (50, 95, 99)


def handler(input, context):
    reader = csv.DictReader(io.StringIO(input["csv"].lstrip("\ufeff"), newline=""))
    missing = [column for column in WANTED if column not in (reader.fieldnames or ())]
    if missing:
        raise ValueError(f"the file lacks the columns {', '.join(missing)}; it has {reader.fieldnames}")

    checks, latencies, skipped = {}, {}, []
    for row in reader:
        try:
            succeeded, latency = read(row)
        except ValueError as error:
            skipped.append({"line": reader.line_num, "reason": str(error)})
            continue
        total, good = checks.get(row["service"], (0, 0))
        checks[row["service"]] = (total + 1, good + succeeded)
        if succeeded and latency is not None:
            latencies.setdefault(row["service"], []).append(latency)

    context.log(f"read {sum(total for total, _ in checks.values())} checks", skipped=len(skipped))
    return {
        "services": [report(service, *checks[service], sorted(latencies.get(service, ()))) for service in sorted(checks)],
        "skipped": skipped[:20],
        "skipped_count": len(skipped),
    }


def read(row):
    if not row["service"]:
        raise ValueError("no service is named")
    status = (row["status"] or "").strip().lower()
    succeeded = status in ("ok", "up") or (status.isdigit() and 200 <= int(status) <= 399)
    text = (row["latency_ms"] or "").strip()
    return succeeded, int(text) if text else None


def report(service, total, good, ordered):
    return {
        "service": service,
        "checks": total,
        "failed": total - good,
        "availability_ppm": good * 1_000_000 // total,
        "latency_ms": {f"p{percent}": nearest_rank(ordered, percent) for percent in PERCENTILES},
    }


def nearest_rank(ordered, percent):
    if not ordered:
        return None
    return ordered[-(-percent * len(ordered) // 100) - 1]
