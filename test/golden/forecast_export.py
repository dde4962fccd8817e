"""Checks that the PyTorch export of forecasters says what `unroll predict` says, to 1e-5: several targets, columns known in
advance, quantiles, differences, missing values as a mask, recursive paths, a calendar. Writes into the current folder.

    node esbuild.js --bundles && mkdir /tmp/f && cd /tmp/f && python .../test/golden/forecast_export.py .../dist/engine/unroll.mjs
"""
import csv
import datetime
import importlib.util
import json
import math
import os
import random
import subprocess
import sys

random.seed(1)
N, AHEAD = 300, 4
with open("a.csv", "w") as f, open("more.csv", "w") as g:
    for h in (f, g): h.write("date,a,b,k,z\n")
    for i in range(N + AHEAD):
        k = random.gauss(0, 1); a = math.sin(i / 5) + 0.1 * random.gauss(0, 1) + i / 100; b = 2 * k + 0.1 * random.gauss(0, 1); z = random.gauss(0,1)
        date = (datetime.datetime(2024, 1, 5) + i * datetime.timedelta(hours=7, minutes=30)).isoformat()
        if i < N: f.write(f"{date},{a},{b},{k},{z}\n"); g.write(f"{date},{a},{b},{k},{z}\n")
        else: g.write(f"{date},,,{k},\n")
CASES = {
  "plain": {"target": "a", "features": ["a", "z"], "horizon": 3, "difference": 1},
  "several": {"target": ["a", "b"], "known": ["k"], "horizon": 4},
  "quantiles": {"target": ["b", "a"], "features": ["a", "b", "z"], "horizon": 2, "quantiles": [0.1, 0.5, 0.9], "difference": 2},
  "mask": {"target": "b", "known": ["k"], "horizon": 3, "missing": "mask", "quantiles": [0.2, 0.8]},
  "recursive": {"target": ["a", "b"], "features": ["a", "b"], "known": ["k"], "horizon": 4, "strategy": "recursive", "difference": 1},
  "calendar": {"target": "a", "features": ["a", "z"], "horizon": 3, "calendar": ["weekday", "month"], "missing": "mask"},
  "calendar-known": {"target": ["a", "b"], "known": ["k"], "horizon": 4, "calendar": ["hour", "day"], "quantiles": [0.1, 0.5, 0.9]},
  "calendar-recursive": {"target": ["a", "b"], "features": ["b", "a"], "horizon": 4, "strategy": "recursive", "difference": 1, "calendar": ["hour", "weekday", "day", "month"]},
  "known-feature": {"target": "b", "features": ["b", "k"], "known": ["k"], "horizon": 3, "strategy": "recursive"},
}
U = ["node", sys.argv[1]]
for name, data in CASES.items():
    json.dump({"data": {"task": "forecast", "path": "a.csv", "window": 6, **data}, "model": {"layers": [{"type": "gru", "units": 8}, {"type": "dense"}]}, "training": {"steps": 40}}, open(f"{name}.rnn.json", "w"))
    made = subprocess.run([*U, "train", f"{name}.rnn.json", "--json", "--threads", "1"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    run = json.loads(made.stdout.splitlines()[-1])["run"]
    out = f"x-{name}"
    # rows to come stand in the table where something of them is read
    ahead = data.get("known") or data.get("calendar") and data.get("strategy") == "recursive"
    e = subprocess.run([*U, "export", run, "--format", "pytorch", "--out", out], capture_output=True, text=True)
    assert e.returncode == 0, e.stderr
    p = subprocess.run([*U, "predict", run, "more.csv" if ahead else "a.csv", "--json"], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    told = json.loads(p.stdout.splitlines()[0])
    spec = importlib.util.spec_from_file_location(f"m_{name.replace('-', '_')}", os.path.join(out, "model.py"))
    module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
    rows = list(csv.DictReader(open("more.csv")))
    known = data.get("known", [])
    columns = {c: [float(r[c]) for r in (rows[: N + data["horizon"]] if c in known else rows[:N])] for c in "abkz"}
    model = module.load()
    dates = [r["date"] for r in rows[: N + (data["horizon"] if data.get("strategy") == "recursive" else 0)]]
    got = module.predict(model, columns, dates) if data.get("calendar") else module.predict(model, columns)
    nxt = told["next"]
    worst = 0.0
    names = data["target"] if isinstance(data["target"], list) else [data["target"]]
    for t in names:
        own = got[t] if isinstance(data["target"], list) else got
        mine = [r for r in nxt if r.get("target", t) == t]
        assert len(mine) == data["horizon"], (name, len(mine))
        for k, r in enumerate(mine):
            if data.get("quantiles"):
                for key in own: worst = max(worst, abs(own[key][k] - r["prediction" if key == "prediction" else key]))
            else: worst = max(worst, abs(own[k] - r["prediction"]))
    print(name, worst)
    assert worst < 1e-5, name
