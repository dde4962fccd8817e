# requirements: torch==2.13.0 numpy
# Golden values of ridge regression with an intercept that is not penalised, by numpy's least squares on augmented rows.
# Run: python test/golden/ridge.py
import numpy
import torch
from common import draw, write


def case(rows, inputs, outputs, penalty, scale=1.0):
    x, y = draw(rows, inputs, scale=scale), draw(rows, outputs)
    # √λ rows of their own, which leave the intercept alone
    above = numpy.hstack([x.numpy(), numpy.ones((rows, 1))])
    below = numpy.hstack([penalty ** 0.5 * numpy.eye(inputs), numpy.zeros((inputs, 1))])
    right = numpy.vstack([y.numpy(), numpy.zeros((inputs, outputs))])
    solution = numpy.linalg.lstsq(numpy.vstack([above, below]), right, rcond=None)[0]
    return {"lambda": penalty, "x": x, "y": y, "solution": torch.from_numpy(solution)}


write("ridge", "Ridge regression; the last row of the solution is the intercept.", [
    case(20, 4, 2, 0.5), case(7, 9, 1, 0.01), case(50, 3, 3, 1e-6), case(5, 1, 1, 100.0), case(40, 6, 2, 2.0, scale=8.0)])
