# Arrays as NumPy stores them: dtypes, byte orders, Fortran order, compressed and plain archives. Small binary files.
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent / "arrays"
HERE.mkdir(exist_ok=True)

base = np.arange(24).reshape(4, 3, 2) - 5
for name in ["<f8", ">f8", "<f4", "<f2", "<i8", ">i4", "<i2", "|i1", "<u4", "|u1"]:
    np.save(HERE / f"{name[1:]}-{'big' if name[0] == '>' else 'little'}.npy", (base if name[1] != "u" else base + 5).astype(name))
np.save(HERE / "fortran.npy", np.asfortranarray(base.astype("<f4")))
np.save(HERE / "table.npy", (np.arange(12).reshape(4, 3) / 4).astype("<f8"))
np.save(HERE / "text.npy", np.array(["aé", "語", "", "long word"]))
np.save(HERE / "large.npy", np.array([1, 2**53, 2**53 + 1, 4], dtype="<i8"))
np.save(HERE / "bool.npy", np.array([True, False, True]))
np.save(HERE / "object.npy", np.array([[1], [2, 3]], dtype=object), allow_pickle=True)
values = {"x": base.astype("<f4"), "y": np.array([0.5, 1.5, 2.5, 3.5]), "label": np.array(["a", "b", "a", "b"])}
np.savez(HERE / "plain.npz", **values)
np.savez_compressed(HERE / "packed.npz", **values)
np.savez(HERE / "uneven.npz", x=np.zeros(3), y=np.zeros(4))
