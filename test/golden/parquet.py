# Parquet as Apache Arrow writes it: types, nulls, lists, structures, codecs, several groups of rows. Needs pyarrow.
import datetime
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent / "parquet"
HERE.mkdir(exist_ok=True)

table = pa.table(
    {
        "f8": pa.array([0.5, None, -1.25, 1e300], pa.float64()),
        "f4": pa.array([0.5, 1.5, 2.5, 3.5], pa.float32()),
        "i8": pa.array([1, 2**53, None, -5], pa.int64()),
        "u4": pa.array([0, 2**32 - 1, 7, None], pa.uint32()),
        "flag": pa.array([True, False, None, True]),
        "text": pa.array(["aé", "語", None, ""]),
        "kind": pa.array(["a", "b", "a", "b"]).dictionary_encode(),
        "day": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1969, 12, 31), datetime.date(2000, 1, 1)]),
        "time": pa.array([datetime.datetime(2024, 2, 29, 13, 5, 7)] * 4, pa.timestamp("us")),
        "price": pa.array([None if each is None else __import__("decimal").Decimal(each) for each in ["1.10", "-2.25", None, "0.01"]], pa.decimal128(9, 2)),
        "series": pa.array([[1, 2, 3], [4], [5, None], [6, 7]], pa.list_(pa.int64())),
        "grid": pa.array([[[1, 2], [3, 4]], [[5, 6]], [[7, 8]], [[9, 10]]], pa.list_(pa.list_(pa.float32()))),
        "words": pa.array([["a", "b"], ["c"], ["d", "e"], ["f"]]),
        "pair": pa.array([{"en": "one", "fr": "un"}, {"en": "two", "fr": "deux"}, None, {"en": "four", "fr": None}]),
        "__index_level_0__": pa.array([10, 11, 12, 13]),
    }
)
for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    pq.write_table(table, HERE / f"{codec}.parquet", compression=codec, row_group_size=3)
pq.write_table(table, HERE / "pages.parquet", data_page_version="2.0", write_page_index=True, use_dictionary=False)
pq.write_table(pa.table({"id": pa.array([1, 2**53, 2**53 + 1, 4], pa.int64())}), HERE / "large.parquet")
pq.write_table(pa.table({"map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "raw": pa.array([b"\x00\xff"], pa.binary(2))}), HERE / "other.parquet")

# 60 rows that tasks learn from; test/unit/trainer/data/parquet.test.ts writes the same as JSON lines
rows = range(60)
first = datetime.date(2024, 1, 1)
pq.write_table(
    pa.table(
        {
            "day": pa.array([first + datetime.timedelta(days=row) for row in rows]),
            "value": pa.array([row * row / 4 for row in rows], pa.float64()),
            "series": pa.array([[row + step for step in range(1 + row % 3)] for row in rows], pa.list_(pa.int64())),
            "text": pa.array(["abc"[row % 3] * (2 + row % 4) for row in rows]),
            "label": pa.array([["low", "high"][row % 2] for row in rows]),
        }
    ),
    HERE / "tasks.parquet",
    row_group_size=25,
)
