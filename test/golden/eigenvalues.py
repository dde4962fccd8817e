# requirements: torch==2.13.0 numpy
# Golden eigenvalues and singular values of square matrices, by numpy: absolute eigenvalues and singular values, largest
# first.
# Run: python test/golden/eigenvalues.py
import numpy
import torch
from common import draw, write


def case(name, matrix):
    a = matrix.numpy()
    sizes = sorted(abs(numpy.linalg.eigvals(a)), reverse=True)
    return {"name": name, "matrix": matrix, "eigenvalues": torch.tensor(sizes),
            "singularValues": torch.from_numpy(numpy.linalg.svd(a, compute_uv=False).copy())}


def polynomial(*coefficients):
    """The companion matrix of x^n + ..., highest first."""
    n = len(coefficients)
    return torch.diag(torch.ones(n - 1), -1).index_put((torch.tensor(0),), -torch.tensor(coefficients, dtype=torch.float64))


symmetric = draw(12, 12)
write("eigenvalues", "Square matrices.", [
    *(case(f"drawn, {n}", draw(n, n)) for n in [1, 2, 3, 5, 8, 17, 40]),
    case("orthogonal", torch.linalg.qr(draw(16, 16))[0]),
    case("a rotation", torch.tensor([[0.0, -1.0], [1.0, 0.0]])),
    case("a cycle of six", torch.eye(6)[[1, 2, 3, 4, 5, 0]]),
    case("identity", torch.eye(5)),
    case("zeros", torch.zeros(4, 4)),
    case("roots 1 to 5", polynomial(-15.0, 85.0, -225.0, 274.0, -120.0)),
    case("symmetric", symmetric + symmetric.T),
    case("triangular", torch.triu(draw(9, 9))),
    case("far from normal", torch.triu(draw(10, 10), 1) * 4 + torch.diag(torch.arange(1.0, 11.0) / 10)),
    case("of one pair in many zeros", torch.block_diag(torch.tensor([[0.6, -0.8], [0.8, 0.6]]), torch.zeros(5, 5))),
])
