# Arrow IPC as Apache Arrow writes it: file and stream, each codec, nulls, lists, structures, dictionaries, several batches.
# Needs pyarrow.
import datetime
import pathlib

import pyarrow as pa
import pyarrow.feather as feather

HERE = pathlib.Path(__file__).parent / "arrow"
HERE.mkdir(exist_ok=True)

table = pa.table(
    {
        "f8": pa.array([0.5, None, -1.25, 1e300], pa.float64()),
        "f4": pa.array([0.5, 1.5, 2.5, 3.5], pa.float32()),
        "f2": pa.array([0.5, 1.5, None, -2.0], pa.float16()),
        "i8": pa.array([1, 2**53, None, -5], pa.int64()),
        "u4": pa.array([0, 2**32 - 1, 7, None], pa.uint32()),
        "flag": pa.array([True, False, None, True]),
        "text": pa.array(["aé", "語", None, ""]),
        "kind": pa.array(["a", "b", "a", "b"]).dictionary_encode(),
        "day": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1969, 12, 31), datetime.date(2000, 1, 1)]),
        "time": pa.array([datetime.datetime(2024, 2, 29, 13, 5, 7)] * 4, pa.timestamp("us")),
        "series": pa.array([[1, 2, 3], [4], [5, None], [6, 7]], pa.list_(pa.int64())),
        "grid": pa.array([[[1, 2], [3, 4]], [[5, 6]], [[7, 8]], [[9, 10]]], pa.list_(pa.list_(pa.float32()))),
        "words": pa.array([["a", "b"], ["c"], ["d", "e"], ["f"]]),
        "pair": pa.array([{"en": "one", "fr": "un"}, {"en": "two", "fr": "deux"}, None, {"en": "four", "fr": None}]),
        "__index_level_0__": pa.array([10, 11, 12, 13]),
    }
)
for codec in ["uncompressed", "lz4", "zstd"]:
    feather.write_feather(table, HERE / f"{codec}.feather", compression=codec, chunksize=3)
with pa.ipc.new_stream(HERE / "stream.arrows", table.schema) as stream:
    stream.write_table(table, max_chunksize=3)
feather.write_feather(pa.table({"id": pa.array([1, 2**53 + 1], pa.int64())}), HERE / "large.feather", compression="uncompressed")
feather.write_feather(pa.table({"raw": pa.array([b"\x00\xff"], pa.binary())}), HERE / "other.feather", compression="uncompressed")
# blocks of an LZ4 frame that refer to the ones before: 40,000 numbers that repeat
feather.write_feather(pa.table({"wave": pa.array([(row * 37) % 1009 / 8 for row in range(40_000)])}), HERE / "blocks.feather", compression="lz4", chunksize=100_000)
