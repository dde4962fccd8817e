// What a forecaster's export adds to the code: scaling, what is known in advance, places in the calendar, and the next
// values of each target.

export const FORECAST = `
TASK = json.loads((HERE / "task.json").read_text(encoding="utf-8"))
PERIODS = {
    "hour": lambda date: (date.hour + date.minute / 60) / 24,
    "weekday": lambda date: date.isoweekday() % 7 / 7,
    "day": lambda date: (date.day - 1) / 31,
    "month": lambda date: (date.month - 1) / 12,
}


def turns(date):
    """The sine and cosine of a date's place in each cycle of the calendar. Texts are ISO 8601; times with a zone are taken to UTC."""
    moment = datetime.datetime.fromisoformat(str(date))
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.timezone.utc)
    angles = [2 * math.pi * PERIODS[cycle](moment) for cycle in TASK.get("calendar", [])]
    return [part(angle) for angle in angles for part in (math.sin, math.cos)]


@torch.no_grad()
def predict(model, columns, dates=()):
    """The next values of each target. columns: by name, the newest values, oldest first; window + difference of them of
    a target, window of every other feature; of a column known in advance those of the rows to come (horizon) behind
    them. dates, of a model that reads a calendar: of the newest rows (window), oldest first; of a recursive one those of
    the rows to come behind them. Returns a list, of several targets one by name. Of quantiles it is a dict: "prediction" and each "q…"."""
    names = TASK["target"] if isinstance(TASK["target"], list) else [TASK["target"]]
    features, known = TASK["features"], TASK.get("known", [])
    window, horizon, over = TASK["window"], TASK["horizon"], TASK["difference"]
    quantiles = TASK.get("quantiles", [])
    ahead = 1 if TASK.get("strategy") == "recursive" else horizon
    masked = [0.0] * len(features) if TASK["missing"] == "mask" else []  # nothing is missing here
    given = {name: [float(value) for value in values] for name, values in columns.items()}

    def scaled(name, value):
        return (value - TASK["scaling"][name]["mean"]) / TASK["scaling"][name]["std"]

    def told(name, row):
        """Of a column known in advance: row 0 is the first one to come."""
        return scaled(name, given[name][len(given[name]) - horizon + row])

    def past(name):
        values = given[name][: len(given[name]) - horizon] if name in known else given[name]
        if name in names and over > 0:
            values = [after - before for before, after in zip(values, values[over:])]
        return [scaled(name, value) for value in values[-window:]]

    rows = [list(row) for row in zip(*map(past, features))]
    cycles = [[]] * (window + horizon)
    if TASK.get("calendar"):
        newest = window + (horizon if ahead < horizon else 0)
        if len(dates) < newest:
            raise ValueError(f"{newest} dates are needed, found {len(dates)}")
        cycles = [turns(date) for date in list(dates)[len(dates) - newest :]]
    answers = []  # by row ahead: of each target its quantiles, or one value
    each = max(1, len(quantiles))
    while len(answers) < horizon:
        first = len(rows) - 2 * window  # of the window, counted from the first row to come
        read = [
            row + masked + cycles[len(rows) - window + t] + [told(name, first + t + step) for step in range(1, ahead + 1) for name in known]
            for t, row in enumerate(rows[-window:])
        ]
        outputs, _ = model(torch.tensor(read).unsqueeze(1))
        values = outputs[-1, 0].tolist()
        for at in range(0, len(values), len(names) * each):
            answers.append([values[at + target * each :][:each] for target in range(len(names))])
        newest = answers[-1]
        k = len(answers) - 1
        rows.append([newest[names.index(name)][0] if name in names else told(name, k) for name in features] if ahead < horizon else [])

    def levels(target, place):
        name, path = names[target], []
        scale = TASK["scaling"][name]
        for answer in answers:
            value = answer[target][place] * scale["std"] + scale["mean"]
            path.append((given[name] + path)[-over] + value if over > 0 else value)
        return path

    def answer(target):
        if not quantiles:
            return levels(target, 0)
        middle = min(range(each), key=lambda place: abs(quantiles[place] - 0.5))
        own = {f"q{q:g}": levels(target, place) for place, q in enumerate(quantiles)}
        return {"prediction": levels(target, middle), **own}

    if not isinstance(TASK["target"], list):
        return answer(0)
    return {name: answer(target) for target, name in enumerate(names)}
`;
