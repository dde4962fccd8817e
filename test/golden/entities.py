# requirements: none
# Golden values of entity precision, recall and F1: the rules of conlleval.pl (Tjong Kim Sang & Buchholz, 2000), written from
# its endOfChunk and startOfChunk, with IOBES as in its later versions. Run: python test/golden/entities.py
import json
import pathlib
import random


def split(tag):
    return ("O", "") if tag == "O" else tuple(tag.split("-", 1))


def end_of_chunk(prev_tag, tag, prev_type, kind):
    end = False
    if prev_tag == "E" or prev_tag == "S":
        end = True
    if prev_tag == "B" and tag in ("B", "S", "O"):
        end = True
    if prev_tag == "I" and tag in ("B", "S", "O"):
        end = True
    if prev_tag != "O" and prev_tag != "." and prev_type != kind:
        end = True
    return end


def start_of_chunk(prev_tag, tag, prev_type, kind):
    start = False
    if tag == "B" or tag == "S":
        start = True
    if prev_tag in ("E", "S", "O") and tag in ("E", "I"):
        start = True
    if tag != "O" and tag != "." and prev_type != kind:
        start = True
    return start


def conlleval(truth, guess):
    correct = found_correct = found_guessed = 0
    for t, g in zip(truth, guess):
        in_correct = False
        last = ("O", "", "O", "")
        for correct_tag, guessed_tag in list(zip(t, g)) + [("O", "O")]:
            (c, ct), (p, pt) = split(correct_tag), split(guessed_tag)
            lc, lct, lp, lpt = last
            if in_correct:
                end_c, end_p = end_of_chunk(lc, c, lct, ct), end_of_chunk(lp, p, lpt, pt)
                if end_c and end_p and lct == lpt:
                    in_correct = False
                    correct += 1
                elif end_c != end_p or ct != pt:
                    in_correct = False
            start_c, start_p = start_of_chunk(lc, c, lct, ct), start_of_chunk(lp, p, lpt, pt)
            if start_c and start_p and ct == pt:
                in_correct = True
            found_correct += start_c
            found_guessed += start_p
            last = (c, ct, p, pt)
    precision = correct / found_guessed if found_guessed else 0
    recall = correct / found_correct if found_correct else 0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
    return {"right": correct, "there": found_correct, "found": found_guessed,
            "precision": precision, "recall": recall, "f1": f1}


random.seed(20261127)


def drawn(name, signs, types, sentences=12, noise=0.3):
    tags = ["O"] + [f"{sign}-{kind}" for sign in signs for kind in types]
    truth = [[random.choice(tags + ["O"] * len(tags)) for _ in range(random.randint(1, 14))] for _ in range(sentences)]
    guess = [[random.choice(tags) if random.random() < noise else tag for tag in own] for own in truth]
    return {"name": name, "truth": truth, "prediction": guess, **conlleval(truth, guess)}


hand = {"truth": [["B-PER", "I-PER", "O", "B-LOC"], ["O", "O"], ["I-ORG", "I-ORG", "I-LOC"]],
        "prediction": [["B-PER", "O", "O", "B-LOC"], ["B-LOC", "O"], ["I-ORG", "I-ORG", "I-LOC"]]}
cases = [
    {"name": "by hand", **hand, **conlleval(hand["truth"], hand["prediction"])},
    drawn("BIO", "BI", ["PER", "LOC"]),
    drawn("IOB1: I begins what stands after O", "I", ["PER", "LOC", "ORG"]),
    drawn("IOBES", "BIES", ["PER", "LOC"]),
    drawn("one type", "BI", ["X"], noise=0.1),
    drawn("no entity is right", "B", ["A", "B"], sentences=2, noise=1.0),
]
text = {"comment": "The counts of conlleval. Written by test/golden/entities.py.", "cases": cases}
file = pathlib.Path(__file__).parent / "entities.json"
file.write_text(json.dumps(text, separators=(",", ":")) + "\n")
print(f"{file.name}: {len(cases)} cases, {file.stat().st_size} bytes", [case["f1"] for case in cases])
