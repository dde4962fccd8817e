# requirements: torch==2.13.0
# Golden values of the CTC loss: torch.nn.functional.ctc_loss with blank 0, each sequence's loss and the gradient of their sum.
# Run: python test/golden/ctc.py
import torch
from common import draw, write


def ctc(name, T, C, labels, lengths=None, scale=1.0):
    B = len(labels)
    logits = draw(T, B, C, scale=scale).requires_grad_()
    steps = torch.tensor(lengths or [T] * B)
    flat = torch.tensor([label for own in labels for label in own], dtype=torch.long)
    sizes = torch.tensor([len(own) for own in labels])
    losses = torch.nn.functional.ctc_loss(logits.log_softmax(2), flat, steps, sizes, blank=0, reduction="none")
    losses.sum().backward()
    return {"name": name, "logits": logits, "labels": labels, "lengths": lengths, "losses": losses,
            "gradient": logits.grad}


def words(C, sizes):
    return [torch.randint(1, C, (size,)).tolist() for size in sizes]


write("ctc", "torch.nn.functional.ctc_loss of logits, in nats; the gradient is that of the sum.", [
    ctc("one label", 3, 3, [[1]]),
    ctc("no label", 4, 3, [[], [2]]),
    ctc("a repeat that takes a blank", 5, 4, [[1, 1], [2, 3], [3, 3, 3]]),
    ctc("as many labels as steps", 4, 6, [[1, 2, 3, 4], [5, 4, 5, 4]]),
    ctc("unequal lengths", 9, 5, [[1, 2, 2], [4], [3, 1]], [9, 4, 6]),
    ctc("more classes than a vector", 12, 37, words(37, [4, 7, 5]), [12, 12, 9]),
    ctc("digits: 80 steps, 11 classes, many labels", 80, 11, words(11, [20, 3, 33, 1]), [80, 61, 75, 80]),
    ctc("peaked, 50 steps", 50, 8, words(8, [9, 17, 2]), [50, 42, 50], scale=8.0),
])
