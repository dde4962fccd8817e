# requirements: torch==2.13.0
# Golden values of convolutions over time: torch.nn.Conv1d with its padding, or with zeros before the first step.
# Run: python test/golden/convolution.py
import torch
from common import draw, write


def convolution(name, T, B, inputs, outputs, kernel, dilation=1, padding="same", stride=1, groups=1):
    layer = torch.nn.Conv1d(inputs, outputs, kernel, stride, padding if padding == "same" and stride == 1 else 0, dilation,
                            groups)
    with torch.no_grad():
        layer.weight.copy_(draw(*layer.weight.shape, scale=0.5))
        layer.bias.copy_(draw(outputs))
    x = draw(T, B, inputs).requires_grad_()
    reach = (kernel - 1) * dilation
    before = {"causal": reach, "same": 0 if stride == 1 else reach // 2, "valid": 0}[padding]
    behind = reach - reach // 2 if padding == "same" and stride > 1 else 0
    y = layer(torch.nn.functional.pad(x.permute(1, 2, 0), (before, behind))).permute(2, 0, 1)
    dy = draw(*y.shape)
    (y * dy).sum().backward()
    return {"operation": "convolution", "name": name, "dilation": dilation, "padding": padding, "stride": stride,
            "groups": groups, "x": x, "weight": layer.weight, "bias": layer.bias, "y": y, "dy": dy,
            "gradients": {"x": x.grad, "weight": layer.weight.grad, "bias": layer.bias.grad}}


write("convolution", "torch.nn.Conv1d; the loss is the sum of y dy.", [
    convolution("same, kernel 3", 6, 2, 3, 4, 3),
    convolution("same, kernel 4, dilation 3, longer than the input", 5, 2, 2, 3, 4, dilation=3),
    convolution("same, kernel 2, one sequence", 7, 1, 3, 2, 2),
    convolution("valid, kernel 3, dilation 2", 9, 2, 2, 3, 3, dilation=2, padding="valid"),
    convolution("valid, all steps in one", 4, 3, 2, 2, 4, padding="valid"),
    convolution("causal, stride 2", 9, 2, 3, 2, 3, padding="causal", stride=2),
    convolution("causal, stride 3, one sequence, dilation 2", 11, 1, 2, 3, 3, dilation=2, padding="causal", stride=3),
    convolution("same, stride 2", 8, 3, 2, 2, 5, stride=2),
    convolution("valid, stride 4 beyond the kernel", 13, 2, 2, 3, 2, padding="valid", stride=4),
    convolution("causal, 2 groups", 6, 2, 4, 6, 3, padding="causal", groups=2),
    convolution("same, one group for each input", 7, 2, 5, 5, 3, groups=5),
    convolution("valid, stride 2, 3 groups, dilation 2", 10, 2, 3, 6, 2, dilation=2, padding="valid", stride=2, groups=3),
])
