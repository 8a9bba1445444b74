"""Results files, taken apart and put together again by Python's own gzip."""

import gzip
import json


def lines(path):
    """The records of a results file [bytes], as any gzip reader finds them; raises EOFError where one is cut short."""
    return gzip.decompress(path.read_bytes()).splitlines()


def write(path, records):
    """Writes lines [bytes or JSON], each a member of its own."""
    texts = (r if isinstance(r, bytes) else json.dumps(r).encode() for r in records)
    path.write_bytes(b"".join(gzip.compress(text + b"\n", mtime=0) for text in texts))


def edit(path, change, number=0):
    """Lets ``change`` alter the JSON of one record in place."""
    records = [json.loads(line) for line in lines(path)]
    change(records[number])
    write(path, records)
