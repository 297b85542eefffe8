"""Files in and out."""

import gzip
import json

from shop import eventually

NDJSON, CSV = "application/x-ndjson", "text/csv"


def ndjson(lines):
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def upload(client, kind, raw, query="", content_type=NDJSON, **headers):
    """What the import of a file answers."""
    pairs = [("Authorization", f"Bearer {client.key}"), ("Content-Type", content_type)]
    pairs += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return client.send("POST", f"/v1/imports/{kind}{query}", raw, pairs)


def job_over(client, job):
    """The job when it is over."""
    def look():
        seen = client.get(f"/v1/jobs/{job['id']}").ok()
        return seen if seen["status"] in ("complete", "failed", "canceled") else None
    return eventually(look, seconds=60)


def lines_of(answer):
    assert answer.status == 200, answer.body
    return [json.loads(line) for line in answer.body.splitlines()]


def import_all(client, kind, lines, query=""):
    """Import lines that must all be good; the job."""
    job = job_over(client, upload(client, kind, ndjson(lines), query).ok(201))
    assert (job["status"], job["failed"]) == ("complete", 0), (job, errors(client, job))
    return job


def results(client, job):
    return lines_of(client.get(f"/v1/jobs/{job['id']}/results"))


def errors(client, job):
    return lines_of(client.get(f"/v1/jobs/{job['id']}/errors"))


def export(client, kind, query=""):
    return lines_of(client.get(f"/v1/exports/{kind}{query}"))


def zipped(raw):
    return gzip.compress(raw)
