"""Shapes of arrays as NumPy, pandas, scikit-learn and Keras make them, and sizes of literal collections.

Each case is a piece of code that leaves an array `x` or a number `n`. Writes array_shapes.json.
`known` are the axes that can be told from the text alone.
"""
import json
import os

import numpy as np
import pandas as pd


class MinMaxScaler:
    """scikit-learn's, as far as shapes go."""

    def __init__(self, feature_range=(0, 1)):
        pass

    def fit_transform(self, x):
        return np.asarray(x, dtype=float)

    transform = fit_transform


def train_test_split(*arrays, test_size=0.25):
    found = []
    for array in arrays:
        cut = int(len(array) * (1 - test_size))
        found += [array[:cut], array[cut:]]
    return found


ARRAYS = [
    ('x = np.zeros((7, 5, 3))', [0, 1, 2]),
    ('x = np.random.rand(7, 5, 3)', [0, 1, 2]),
    ('x = np.random.normal(size=(7, 5))', [0, 1]),
    ('x = np.random.randint(0, 9, size=(7, 5))', [0, 1]),
    ('x = np.reshape(rows, (len(rows), 4, 1))', [1, 2]),
    ('x = rows.reshape(rows.shape[0], rows.shape[1], 1)', [2]),
    ('x = rows.reshape((-1, 2, 6))', [1, 2]),
    ('x = np.zeros((8, 6)).reshape(-1, 3)', [0, 1]),
    ('x = np.zeros((8, 6)).reshape(8, 3, -1)', [0, 1, 2]),
    ('x = np.zeros((8, 6))[:, 1:4]', [0, 1]),
    ('x = np.zeros((8, 6))[2:, :-1]', [0, 1]),
    ('x = np.zeros((8, 6, 2))[:, -1]', [0, 1]),
    ('x = np.zeros((8, 6))[:, :, np.newaxis]', [0, 1, 2]),
    ('x = np.zeros((8, 6))[..., None]', [0, 1, 2]),
    ('x = np.expand_dims(np.zeros((8, 6)), axis=1)', [0, 1, 2]),
    ('x = np.expand_dims(np.zeros((8, 6)), -1)', [0, 1, 2]),
    ('x = np.transpose(np.zeros((8, 6, 2)), (0, 2, 1))', [0, 1, 2]),
    ('x = np.zeros((8, 6)).T', [0, 1]),
    ('x = np.zeros((8, 6, 1)) / float(9)', [0, 1, 2]),
    ('x = np.zeros((8, 6, 1)) * np.ones((5,))', [0, 1, 2]),
    ('x = np.array([[1, 2, 3], [4, 5, 6]])', [0, 1]),
    ('x = np.array([[[1], [2]], [[3], [4]], [[5], [6]]])', [0, 1, 2]),
    ('x = table[["a", "b", "c"]].values', [1]),
    ('columns = ["a", "b"]\nx = table[columns].to_numpy()', [1]),
    ('x = table.filter(["a"]).values', [1]),
    ('x = table.iloc[:, 1:3].values', [1]),
    ('x = table["a"].values.reshape(-1, 1)', [1]),
    ('scaler = MinMaxScaler()\nx = scaler.fit_transform(table[["a", "c"]])', [1]),
    (
        'scaler = MinMaxScaler()\ndata = scaler.fit_transform(table[["a", "c"]].values)\n'
        'x = []\nfor i in range(3, len(data)):\n    x.append(data[i - 3:i])\nx = np.array(x)',
        [2],
    ),
    (
        'data = table[["a", "c"]].values\nx, y = [], []\nfor i in range(3, len(data)):\n'
        '    x.append(data[i - 3:i, 0])\n    y.append(data[i, 0])\n'
        'x, y = np.array(x), np.array(y)\nx = np.reshape(x, (x.shape[0], x.shape[1], 1))',
        [2],
    ),
    (
        'def windows(data, steps=3):\n    found = []\n    for i in range(len(data) - steps):\n'
        '        piece = data[i:(i + steps), 0]\n        found.append(piece)\n    return np.array(found), 1\n'
        'x, one = windows(table[["a"]].values)\nx = x.reshape(x.shape[0], 1, x.shape[1])',
        [1],
    ),
    (
        'def prepare(given):\n    rows = np.reshape(given, (len(given), 12, 1))\n    rows = rows / float(3)\n    return (rows, 2)\n'
        'x, two = prepare(rows)',
        [1, 2],
    ),
    ('x, rest, a, b = train_test_split(np.zeros((8, 6, 2)), np.zeros((8, 1)), test_size=0.5)', [1, 2]),
    ('x = np.stack([np.zeros((4, 3)), np.ones((4, 3))], axis=-1)', [0, 1, 2]),
    ('x = np.concatenate([np.zeros((4, 3)), np.ones((4, 2))], axis=1)', [0, 1]),
    ('x = np.concatenate((np.zeros((4, 3)), np.ones((2, 3))))', [0, 1]),
    ('x = np.column_stack((table["a"].values, table["b"].values))', [1]),
    ('x = np.zeros((8, 6)).astype("float32").copy()', [0, 1]),
    ('x = table[["a", "b"]].dropna().values', [1]),
    ('steps, width = np.zeros((5, 3)).shape\nx = np.zeros((2, steps, width))', [0, 1, 2]),
    ('x = np.transpose(np.zeros((8, 6, 2)))', [0, 1, 2]),
    ('x = np.zeros((8, 6, 2)).transpose(-1, 0, -2)', [0, 1, 2]),
    ('x = np.zeros((8, 6, 2)).transpose((1, 2, 0))', [0, 1, 2]),
    ('x = np.zeros((7, 9))[-3:-1, :4]', [0, 1]),
    ('x = np.zeros((7, 9))[:20, 5:2]', [0, 1]),
    ('x = np.zeros((7, 9))[::2, 1:]', [1]),
    ('x = np.zeros((7, 9, 4))[3]', [0, 1]),
    ('x = np.zeros((7, 9, 4))[..., 1:3]', [0, 1, 2]),
    ('x = [np.zeros((4, 3)), np.zeros((5, 2))][1]', [0, 1]),
    ('pair = (np.zeros((4, 3)), np.zeros((5, 2)))\nx = pair[-2]', []),
    ('def pair():\n    return np.zeros((4, 3)), np.zeros((5, 2))\nx = pair()[1]', [0, 1]),
    ('def pair():\n    found = (np.zeros((4, 3)), np.zeros((5, 2)))\n    return found\nfirst, x = pair()', [0, 1]),
    ('x = np.expand_dims(np.zeros((8, 6)), -2)', [0, 1, 2]),
    ('x = np.expand_dims(np.zeros((8, 6)), 0)', [0, 1, 2]),
    ('x = np.hstack([np.zeros((4, 3)), np.ones((4, 2))])', [0, 1]),
    ('x = np.hstack([np.zeros(3), np.ones(2)])', [0]),
    ('x = np.concatenate([np.zeros((4, 3, 2)), np.ones((4, 5, 2))], axis=-2)', [0, 1, 2]),
    ('x = np.column_stack((np.zeros((4, 3)), np.ones((4, 2))))', [0, 1]),
    ('x = np.stack([np.zeros((4, 3)), np.ones((4, 3))])', [0, 1, 2]),
    ('x = np.stack([np.zeros((4, 3))] * 2, axis=1)', []),
    ('x = np.zeros((4, 1, 3)) + np.ones((5, 1))', [0, 1, 2]),
    ('x = np.ones(3) - np.zeros((4, 3))', [0, 1]),
    ('x = -np.zeros((4, 3))', [0, 1]),
    ('x = np.zeros((4, 3)) ** 2', [0, 1]),
    ('x = np.zeros((4, 3)) > 0', []),
    ('x = np.full((4, 3), 7)', [0, 1]),
    ('x = np.random.uniform(0, 1, (4, 3))', [0, 1]),
    ('x = np.random.binomial(1, 0.5, (4, 3))', [0, 1]),
    ('x = np.zeros(shape=(4, 3))', [0, 1]),
    ('x = np.reshape(np.zeros((8, 6)), (4, -1, 2))', [0, 1, 2]),
    ('x = np.zeros((8, 6)).reshape(4, 12)', [0, 1]),
    ('x = np.zeros((0, 3)).reshape(0, 3)', [1]),
    ('x = np.array([1, 2, -3])', [0]),
    ('x = np.array([np.zeros(4), np.ones(4), np.ones(4)])', [0, 1]),
    ('x = pd.DataFrame(np.zeros((4, 3))).values', [0, 1]),
    ('x = pd.DataFrame(np.zeros((4, 3)), columns=["a", "b", "c"]).values', [1]),
    ('x = table.loc[:, ["a", "d"]].values', [1]),
    ('x = np.zeros((4, 3)) if len(rows) > 1 else np.zeros((4, 5))', [0]),
    ('x = np.log(np.abs(np.zeros((4, 3))) + 1)', [0, 1]),
    ('x = np.sum(np.zeros((4, 3, 2)), axis=1)', []),
    ('width = 3\nx = np.zeros((4, width + 2))', [0, 1]),
    ('table = table.set_index("a")\nx = table.values', []),
    ('x = table.iloc[:, 1:].values', []),
    ('x = np.zeros((9,) + (2,))', []),
    ('x = rows\nx = x[x > 0]', []),
    ('x = np.zeros((4, 4))\nx.shape = (2, 8)', []),
    ('which = np.array([0, 1])\nx = np.zeros((4, 6, 2))[which]', []),
    ('kept = {"x": np.zeros((4, 6, 2))}\nx = np.expand_dims(kept["x"], -1)', []),
    ('x = []\nx.append(np.zeros(3))\nx.extend([np.zeros(3)])\nx = np.array(x)', []),
]

COUNTS = [
    ('n = len("abcdefghij")', True),
    ('n = len(set("banana"))', True),
    ('sentences = ["i like dog", "i love coffee"]\nwords = list(set(" ".join(sentences).split()))\nn = len(words)', True),
    (
        'sentences = ["i like dog", "i love coffee"]\nwords = " ".join(sentences).split()\nwords = list(set(words))\n'
        'number = {w: i for i, w in enumerate(words)}\nn = len(number)',
        True,
    ),
    ('letters = [c for c in "SEP?xyz"]\nn = len({c: i for i, c in enumerate(letters)})', True),
    ('n = len(["a"] + ["b", "c"])', True),
    ('n = len({"a": 1, "b": 2})', True),
    ('text = "The cat"\nn = len(sorted(set(text.lower())))', True),
    ('n = len(dict.fromkeys("aab"))', True),
    ('n = len("a,b,,c".split(","))', True),
    ('n = len(" a  b ".split())', True),
    ('n = len("x".join(["ab", "c", "d"]))', True),
    ('n = len(list("hello"))', True),
    ('n = len(tuple(sorted("hello")))', True),
    ('n = len({"a": 1, "b": 2}.keys())', True),
    ('n = len(list({"a": 1, "b": 2}.values()))', True),
    ('n = len({"a", "b", "a"})', False),
    ('n = len("  ab ".strip())', True),
    ('n = len([*"abc", "d"])', True),
    ('n = len(list())', True),
    ('n = len(range(3, 11))', False),
    ('n = len("ab" + "cde")', True),
    ('words = ["a"]\nwords.append("b")\nn = len(words)', False),
    ('number = {"a": 0}\nnumber["b"] = 1\nn = len(number)', False),
    ('n = len([c for c in "abc" if c != "a"])', False),
    ('words = ["a"]\nwords += ["b"]\nn = len(words)', False),
]

arrays = []
for code, known in ARRAYS:
    names = {
        'np': np,
        'pd': pd,
        'MinMaxScaler': MinMaxScaler,
        'train_test_split': train_test_split,
        'rows': np.zeros((4, 12)) if 'np.reshape(given' in code else np.ones((6, 4)),
        'table': pd.DataFrame({'a': range(9), 'b': range(9), 'c': range(9), 'd': range(9)}),
    }
    exec(code, names)
    arrays.append({'code': code, 'shape': list(names['x'].shape), 'known': known})

counts = []
for code, known in COUNTS:
    names = {}
    exec(code, names)
    counts.append({'code': code, 'count': names['n'], 'known': known})

with open(os.path.join(os.path.dirname(__file__), 'array_shapes.json'), 'w') as file:
    json.dump({'arrays': arrays, 'counts': counts}, file, indent=1)
    file.write('\n')
