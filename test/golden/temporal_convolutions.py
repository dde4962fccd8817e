# requirements: torch==2.13.0
# Golden values of TCN with weight normalisation and of WaveNet: outputs, and the gradient of every weight.
# Run: python test/golden/temporal_convolutions.py
import torch
from common import draw, write
from torch import nn

T, B, I = 9, 2, 3


def case(layer, weights, forward, units):
    x, given = draw(T, B, I), draw(T, B, units)
    y = forward(x.permute(1, 2, 0)).permute(2, 0, 1)
    (y * given).sum().backward()
    return {"layer": layer, "x": x, "given": given, "outputs": y, "weights": {k: v.detach() for k, v in weights.items()},
            "gradients": {k: v.grad for k, v in weights.items()}}


def filled(module):
    for parameter in module.parameters():
        parameter.data.copy_(draw(*parameter.shape, scale=0.5))
    return module


def causal(conv, x):
    return conv(nn.functional.pad(x, ((conv.kernel_size[0] - 1) * conv.dilation[0], 0)))


def tcn(units, layers, kernel, normed):
    """Bai's block; weight_norm over all but the outputs, as the paper's code has it."""
    norm = nn.utils.parametrizations.weight_norm if normed else (lambda conv: conv)
    blocks, weights = [], {}
    for level in range(layers):
        inputs = I if level == 0 else units
        convs = [filled(norm(nn.Conv1d(n, units, kernel, dilation=2 ** level))) for n in (inputs, units)]
        down = filled(nn.Conv1d(inputs, units, 1)) if inputs != units else None
        blocks.append((convs, down))
        for number, conv in enumerate(convs, 1):
            name = f"blocks.{level}.conv{number}"
            if normed:
                parts = conv.parametrizations.weight
                weights |= {f"{name}.weight_g": parts.original0, f"{name}.weight_v": parts.original1}
            else:
                weights[f"{name}.weight"] = conv.weight
            weights[f"{name}.bias"] = conv.bias
        if down:
            weights |= {f"blocks.{level}.downsample.weight": down.weight, f"blocks.{level}.downsample.bias": down.bias}

    def forward(x):
        for convs, down in blocks:
            y = x
            for conv in convs:
                y = torch.relu(causal(conv, y))
            x = torch.relu(y + (down(x) if down else x))
        return x

    return case({"type": "tcn", "units": units, "layers": layers, "kernelSize": kernel, "weightNorm": normed},
                weights, forward, units)


def wavenet(units, channels, layers, stacks, kernel):
    parts = {"input": nn.Conv1d(I, channels, 1), "output": nn.Conv1d(units, units, 1)}
    count = layers * stacks
    for block in range(count):
        for name in ("filter", "gate"):
            parts[f"blocks.{block}.{name}"] = nn.Conv1d(channels, channels, kernel, dilation=2 ** (block % layers))
        parts[f"blocks.{block}.skip"] = nn.Conv1d(channels, units, 1)
        if block < count - 1:
            parts[f"blocks.{block}.residual"] = nn.Conv1d(channels, channels, 1)
    for part in parts.values():
        filled(part)

    def forward(x):
        x, skips = parts["input"](x), 0
        for block in range(count):
            of = lambda name: parts[f"blocks.{block}.{name}"]
            z = torch.tanh(causal(of("filter"), x)) * torch.sigmoid(causal(of("gate"), x))
            skips = skips + of("skip")(z)
            if block < count - 1:
                x = x + of("residual")(z)
        return torch.relu(parts["output"](torch.relu(skips)))

    made = case({"type": "wavenet", "units": units, "layers": layers, "stacks": stacks, "kernelSize": kernel,
                 "channels": channels},
                {f"{name}.{key}": value for name, part in parts.items() for key, value in part.named_parameters()},
                forward, units)
    # convolutions of one tap are matrices
    for tensors in (made["weights"], made["gradients"]):
        for name, value in tensors.items():
            if value.dim() == 3 and not ("filter" in name or "gate" in name):
                tensors[name] = value[:, :, 0]
    return made


write("temporal_convolutions", "TCN and WaveNet; the loss is the sum of the outputs times what is given.", [
    tcn(4, 2, 3, True),
    tcn(3, 1, 2, True),
    tcn(4, 2, 3, False),
    wavenet(4, 4, 3, 1, 2),
    wavenet(5, 3, 2, 2, 3),
])
