// What a forecaster's export adds to the code: scaling, and the next values of the target.

export const FORECAST = `
TASK = json.loads((HERE / "task.json").read_text(encoding="utf-8"))


@torch.no_grad()
def predict(model, columns):
    """The next values of the target. columns: by name, the newest values, oldest first; window + difference of them
    of the target, window of every other feature."""
    target, window, over = TASK["target"], TASK["window"], TASK["difference"]
    level = [float(value) for value in columns[target]]
    inputs = []
    for name in TASK["features"]:
        values = [float(value) for value in columns[name]]
        if name == target and over > 0:
            values = [after - before for before, after in zip(values, values[over:])]
        scale = TASK["scaling"][name]
        inputs.append([(value - scale["mean"]) / scale["std"] for value in values[-window:]])
    if TASK["missing"] == "mask":  # nothing is missing here
        inputs += [[0.0] * window for _ in TASK["features"]]
    x = torch.tensor(inputs).T.unsqueeze(1)
    outputs, _ = model(x)
    scale = TASK["scaling"][target]
    predicted = []
    for value in (outputs[-1, 0] * scale["std"] + scale["mean"]).tolist():
        known = level + predicted
        predicted.append(known[-over] + value if over > 0 else value)
    return predicted
`;
