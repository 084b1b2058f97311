#!/usr/bin/env python3
"""Triage of bundles with Spark: paths -> `actriage worker` -> the same Parquet dataset that `actriage triage` writes.

    spark-submit spark_triage.py --list bundles.txt --out /share/dataset --run night --actriage /usr/local/bin/actriage

Every executor needs the binary and sees the bundles under the paths of the list. Each bundle is analysed by a process of its own, so one that
kills or stops its worker becomes a row with its status, as in `actriage triage`; nothing is dropped silently. PYSPARK_PYTHON must name the
Python of the driver on every executor.
"""

import argparse
import datetime
import hashlib
import json
import os
import subprocess
import sys
import time

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

TEXT, INT, LONG, TIME = T.StringType(), T.IntegerType(), T.LongType(), T.TimestampType()
TEXTS = T.ArrayType(TEXT)


def struct(*fields):
    return T.StructType([T.StructField(name, kind) for name, kind in fields])


# The columns of the dataset, as docs/fleet.md lists them.
NOT_COLLECTED = T.ArrayType(struct(("what", TEXT), ("collect", TEXT), ("checks", INT)))
EVIDENCE = T.ArrayType(
    struct(("artifact", TEXT), ("locator", TEXT), ("observed", TEXT), ("expected", TEXT), ("time", TIME))
)
BUNDLE = struct(
    ("bundle_id", TEXT), ("path", TEXT), ("sha256", TEXT), ("bytes", LONG), ("outcome", TEXT), ("root_cause", TEXT),
    ("root_causes", TEXTS), ("os_product", TEXT), ("os_build", INT), ("os_ubr", INT), ("office_version", TEXT),
    ("office_products", TEXTS), ("computer", TEXT), ("site", TEXT), ("proxy_host", TEXT), ("collected_at", TIME),
    ("analyzed_at", TIME), ("artifacts_read", INT), ("artifacts_unreadable", INT), ("status", TEXT), ("error", TEXT),
    ("duration_ms", LONG), ("tool_version", TEXT), ("not_collected", NOT_COLLECTED),
)
FINDING = struct(
    ("bundle_id", TEXT), ("check", TEXT), ("layer", TEXT), ("status", TEXT), ("confidence", TEXT), ("is_root", T.BooleanType()),
    ("caused_by", TEXTS), ("summary", TEXT), ("evidence", EVIDENCE),
)


def moment(text):
    """RFC 3339 in UTC as an aware datetime; Python 3.10 knows neither Z nor nine digits."""
    if text is None:
        return None
    head, _, digits = text.rstrip("Z").partition(".")
    micros = int((digits + "000000")[:6])
    return datetime.datetime.fromisoformat(head).replace(microsecond=micros, tzinfo=datetime.timezone.utc)


def content_hash(path):
    """The id that `actriage` gives an archive; one that cannot be read is known by its path."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
            return digest.hexdigest()
    except OSError:
        return hashlib.sha256(b"unreadable\0" + path.encode()).hexdigest()


def lost(path, status, error, started, version):
    """The row of a bundle whose worker gave none."""
    row = {name: None for name in BUNDLE.names}
    readable = os.path.isfile(path)
    row.update(
        bundle_id=content_hash(path), path=path, status=status, error=error, tool_version=version, root_causes=[], office_products=[],
        not_collected=[], artifacts_read=0, artifacts_unreadable=0, duration_ms=int((time.time() - started) * 1000),
        bytes=os.path.getsize(path) if readable else None,
        analyzed_at=datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z"),
    )
    row["sha256"] = row["bundle_id"] if readable else None
    return {"bundle": row, "findings": []}


def analyse(path, actriage, arguments, timeout, version):
    """One bundle in a process of its own; whatever happens to it is a row."""
    started = time.time()
    command = [actriage, "worker", "--flat", *arguments, "--", path]
    environment = dict(os.environ, RAYON_NUM_THREADS="1", RUST_BACKTRACE="0")
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, env=environment)
    except subprocess.TimeoutExpired:
        return lost(path, "timeout", f"no result after {timeout:g} s (limit: --timeout)", started, version)
    if ended.returncode != 0:
        said = (ended.stderr.decode(errors="replace").strip().splitlines() or [""])[0]
        return lost(path, "crashed", f"the worker ended with {ended.returncode}: {said}", started, version)
    try:
        (line,) = ended.stdout.decode().splitlines()
        return json.loads(line)
    except ValueError as error:
        return lost(path, "crashed", f"the worker wrote no row: {error}", started, version)


def typed(value, kind):
    """A value of the worker's JSON as Spark wants it."""
    if value is None:
        return None
    if isinstance(kind, T.TimestampType):
        return moment(value)
    if isinstance(kind, T.ArrayType):
        return [typed(item, kind.elementType) for item in value]
    if isinstance(kind, T.StructType):
        return tuple(typed(value[field.name], field.dataType) for field in kind.fields)
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", required=True, help="file with the path of a bundle a line")
    parser.add_argument("--out", required=True, help="folder of the dataset")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--actriage", default="actriage", help="the program, on every executor")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds that one bundle may take")
    parser.add_argument("--max-memory", default=str(4 << 30), help="bytes that one worker may take")
    parser.add_argument("--master", help="for example local[2]; without it, what spark-submit says")
    options = parser.parse_args()

    with open(options.list, encoding="utf-8") as file:
        paths = [line.rstrip("\r\n") for line in file if line.strip() and not line.startswith("#")]
    version = subprocess.run([options.actriage, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    builder = SparkSession.builder.appName("actriage").config("spark.sql.session.timeZone", "UTC")
    # Spark's default, INT96, carries no time zone and is deprecated.
    builder = builder.config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    if options.master:
        builder = builder.master(options.master)
    spark = builder.getOrCreate()

    actriage, timeout = options.actriage, options.timeout
    arguments = ["--max-memory", options.max_memory]
    pair = struct(("bundle", BUNDLE), ("findings", T.ArrayType(FINDING)))
    # Many small tasks: one slow bundle delays few others, and a lost executor repeats little.
    slices = max(1, min(len(paths), 32 * spark.sparkContext.defaultParallelism))
    rows = spark.sparkContext.parallelize(sorted(set(paths)), slices).map(
        lambda path: typed(analyse(path, actriage, arguments, timeout, version), pair)
    )
    # Kept on disk: each bundle is analysed once, though two tables are written. The same content under two paths is one row.
    frame = spark.createDataFrame(rows, pair).persist(StorageLevel.DISK_ONLY)
    first = frame.groupBy("bundle.bundle_id").agg(F.min_by(F.struct("bundle", "findings"), "bundle.path").alias("row"))
    for table, columns in (("findings", first.select(F.explode("row.findings").alias("x")).select("x.*")), ("bundles", first.select("row.bundle.*"))):
        target = os.path.join(options.out, table, f"run={options.run}")
        columns.write.mode("overwrite").option("compression", "zstd").parquet(target)
    total, statuses = frame.count(), frame.groupBy("bundle.status").count().collect()
    print(f"{total} bundle(s): " + ", ".join(f"{row['count']} {row['status']}" for row in sorted(statuses)))
    spark.stop()
    # Every path is a row, or this run is not to be trusted.
    return 0 if total == len(set(paths)) else 2


if __name__ == "__main__":
    sys.exit(main())
