# The same series as Parquet, Feather and Arrow's stream, its first 40 rows and 50, and another: what a run goes on with.
# Needs pyarrow.
import math
import pathlib

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent / "series"
HERE.mkdir(exist_ok=True)


def written(name: str, rows: int, slope: float) -> None:
    table = pa.table({"y": [math.sin(row) + slope * row for row in range(rows)]})
    pq.write_table(table, HERE / f"{name}.parquet", row_group_size=20, compression="none", write_statistics=False, store_schema=False)
    feather.write_feather(table, HERE / f"{name}.feather", compression="uncompressed")
    with ipc.new_stream(HERE / f"{name}.arrows", table.schema) as stream:
        stream.write_table(table, max_chunksize=20)


written("first", 40, 0)
written("grown", 50, 0)
written("shorter", 30, 0)
written("other", 40, 0.5)
