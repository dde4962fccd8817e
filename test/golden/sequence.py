# requirements: torch==2.13.0
# Golden values of the operations of layers beside the recurrent ones: outputs, and the gradient of every input.
# Attention beyond a sequence's length: nothing is read there, outputs are zero, and so are gradients.
# Run: python test/golden/sequence.py
import torch
from common import draw, write

functional = torch.nn.functional


def gradients(y, dy, **inputs):
    (y * dy).sum().backward()
    return {name: tensor.grad for name, tensor in inputs.items()}


def grown(*shape, scale=1.0):
    return draw(*shape, scale=scale).requires_grad_()


def activation(kind, scale=1.0):
    x = grown(37, scale=scale)
    y = {"relu": torch.relu, "gelu": functional.gelu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[kind](x)
    dy = draw(37)
    return {"operation": "activation", "name": f"{kind}, scale {scale}", "kind": kind, "x": x, "y": y, "dy": dy,
            "gradients": gradients(y, dy, x=x)}


def layer_norm(name, rows, width, epsilon=1e-5, scale=1.0, shift=0.0):
    x = (draw(rows, width, scale=scale) + shift).requires_grad_()
    weight, bias = grown(width), grown(width)
    y = functional.layer_norm(x, [width], weight, bias, epsilon)
    dy = draw(rows, width)
    return {"operation": "layerNorm", "name": name, "epsilon": epsilon, "x": x, "weight": weight, "bias": bias, "y": y,
            "dy": dy, "gradients": gradients(y, dy, x=x, weight=weight, bias=bias)}


def attention(name, T, B, heads, size, causal=True, window=0, lengths=None, scale=1.0):
    D = heads * size
    qkv = grown(T, B, 3 * D, scale=scale)
    dy = draw(T, B, D)
    full = lengths or [T] * B
    # (B, heads, T, size)
    q, k, v = (part.reshape(T, B, heads, size).permute(1, 2, 0, 3) for part in qkv.chunk(3, 2))
    t, s = torch.arange(T)[:, None], torch.arange(T)[None]
    seen = torch.ones(T, T, dtype=bool)
    if causal:
        seen &= s <= t
    if window:
        seen &= (t - s).abs() < window
    inside = torch.arange(T) < torch.tensor(full)[:, None]
    # rows beyond a length look at themselves here, so that they are finite, and are zeroed after
    mask = (seen[None] & inside[:, None, :]) | torch.eye(T, dtype=bool)[None]
    out = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None])
    y = out.permute(2, 0, 1, 3).reshape(T, B, D) * inside.T[:, :, None]
    return {"operation": "attention", "name": name, "heads": heads, "causal": causal, "window": window,
            "lengths": lengths, "qkv": qkv, "y": y, "dy": dy, "gradients": gradients(y, dy, qkv=qkv)}


def convolution(name, T, B, inputs, outputs, kernel, dilation):
    x, weight, bias = grown(T, B, inputs), grown(outputs, inputs, kernel, scale=0.5), grown(outputs)
    padded = functional.pad(x.permute(1, 2, 0), ((kernel - 1) * dilation, 0))
    y = functional.conv1d(padded, weight, bias, dilation=dilation).permute(2, 0, 1)
    dy = draw(T, B, outputs)
    return {"operation": "convolution", "name": name, "dilation": dilation, "x": x, "weight": weight, "bias": bias,
            "y": y, "dy": dy, "gradients": gradients(y, dy, x=x, weight=weight, bias=bias)}


write("sequence", "Operations of layers beside the recurrent ones; the loss is the sum of y dy.", [
    *(activation(kind, scale) for kind in ["relu", "gelu", "tanh", "sigmoid"] for scale in [1.0, 6.0]),
    layer_norm("5 rows of 7", 5, 7),
    layer_norm("one row of 33", 1, 33),
    layer_norm("rows of one number", 3, 1),
    layer_norm("far from zero", 4, 16, shift=50.0),
    layer_norm("small numbers, large epsilon", 3, 19, epsilon=0.01, scale=0.05),
    attention("causal, 2 heads of 3", 6, 2, 2, 3),
    attention("causal, one step", 1, 3, 1, 4),
    attention("causal, unequal lengths", 5, 4, 1, 5, lengths=[3, 5, 0, 1]),
    attention("causal, window 3", 8, 1, 2, 2, window=3),
    attention("all steps", 5, 2, 3, 1, causal=False),
    attention("all steps, window 2, unequal lengths", 7, 2, 1, 3, causal=False, window=2, lengths=[4, 7]),
    attention("causal, large scores", 6, 1, 1, 4, scale=9.0),
    attention("causal, 19 steps, head of 17", 19, 1, 1, 17),
    convolution("kernel 3, dilation 1", 6, 2, 3, 4, 3, 1),
    convolution("kernel 2, dilation 4", 9, 2, 2, 5, 2, 4),
    convolution("kernel 1", 3, 2, 4, 3, 1, 1),
    convolution("reach beyond the start", 4, 3, 2, 2, 3, 3),
    convolution("one step", 1, 1, 3, 2, 3, 2),
])
