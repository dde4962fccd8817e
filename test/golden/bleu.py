"""BLEU of small corpora by sacreBLEU, over units that stand apart: tokenize="none", smoothing "exp"."""
import json
import random
import sacrebleu

random.seed(5)
words = "the cat is on a mat and dog sat there".split()
cases = []


def case(name, answers, truths):
    score = sacrebleu.corpus_bleu(answers, [truths], tokenize="none", force=True).score
    cases.append({"name": name, "answers": answers, "truths": truths, "bleu": score})


case("equal", ["the cat is on the mat"], ["the cat is on the mat"])
case("one word again and again", ["the the the the the the the"], ["the cat is on the mat"])
case("too short for an order", ["the cat"], ["the cat"])
case("nothing right", ["dog dog dog dog dog"], ["the cat is on the mat"])
case("short answers", ["the cat is on", "a dog"], ["the cat is on the mat", "a dog sat there on the mat"])
for size in (3, 20):
    truths = [" ".join(random.choices(words, k=random.randint(1, 12))) for _ in range(size)]
    answers = [
        " ".join(random.choice(words) if random.random() < 0.2 else word for word in truth.split())
        for truth in truths
    ]
    case(f"{size} sentences, a fifth of the words changed", answers, truths)
    case(f"{size} sentences, cut", [" ".join(answer.split()[:5]) for answer in answers], truths)
with open("test/golden/bleu.json", "w") as file:
    json.dump({"sacrebleu": sacrebleu.__version__, "cases": cases}, file, indent=1)
