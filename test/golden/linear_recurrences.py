# requirements: torch==2.13.0 (transformers==5.18.0 and flash-linear-attention==0.5.2 where a case names them)
# Golden values of the layers of linear recurrences: each layer as its paper or reference implementation has it, one step
# after the other, from drawn weights under the names of our variables; outputs, and every gradient by autograd.
# Run: python test/golden/linear_recurrences.py
import importlib.util
import pathlib
import sysconfig

import torch
from torch.nn.functional import conv1d, elu, gelu, linear, logsigmoid, normalize, sigmoid, silu, softplus
from common import draw, write

CASES = []


def layer(description, inputs, shapes, run, T=7, B=2, scale=0.5, fixed=None):
    """run(weights, x) gives (T, B, units); `fixed`: weights that are not drawn as the rest."""
    weights = {name: draw(*shape, scale=scale).requires_grad_() for name, shape in shapes.items()}
    for name, value in (fixed or {}).items():
        weights[name] = value.detach().clone().requires_grad_()
    x = draw(T, B, inputs).requires_grad_()
    outputs = run(weights, x)
    given = draw(*outputs.shape)
    (outputs * given).sum().backward()
    CASES.append({"layer": description, "x": x, "given": given, "outputs": outputs,
                  "weights": weights, "gradients": {name: value.grad for name, value in weights.items()}})


def affine(weights, name, x):
    return linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


def of_linear(name, outputs, inputs, bias=True):
    return {f"{name}.weight": [outputs, inputs], **({f"{name}.bias": [outputs]} if bias else {})}


def glu_shapes(units):
    return {**of_linear("glu.value", units, units), **of_linear("glu.gate", units, units)}


def glu(weights, y):
    return affine(weights, "glu.value", gelu(y)) * sigmoid(affine(weights, "glu.gate", gelu(y)))


def loop(a, b):
    """h_t = a_t h_{t-1} + b_t over the first axis."""
    h, states = torch.zeros_like(b[0]), []
    for t in range(len(b)):
        h = (a if a.dim() == 1 else a[t]) * h + b[t]
        states.append(h)
    return torch.stack(states)


def min_gru(weights, x, positive=False):
    z, c = sigmoid(affine(weights, "gate", x)), affine(weights, "hidden", x)
    if positive:
        c = torch.where(c >= 0, c + 0.5, sigmoid(c))
    return loop(1 - z, z * c)


for candidate in ["linear", "positive"]:
    layer({"type": "min-gru", "units": 4, "candidate": candidate}, 3, {**of_linear("gate", 4, 3), **of_linear("hidden", 4, 3)},
          lambda weights, x, positive=candidate == "positive": min_gru(weights, x, positive))


def lru(weights, x):
    eigenvalues = torch.exp(torch.complex(-weights["nu_log"].exp(), weights["theta_log"].exp()))
    b = torch.complex(weights["B_re"], weights["B_im"]) * weights["gamma_log"].exp()[:, None]
    h = loop(eigenvalues, x.to(b.dtype) @ b.T)
    y = (h @ torch.complex(weights["C_re"], weights["C_im"]).T).real + x @ weights["D"].T
    return glu(weights, y) if "glu.value.weight" in weights else y


LRU = {"nu_log": [5], "theta_log": [5], "gamma_log": [5], "B_re": [5, 3], "B_im": [5, 3], "C_re": [4, 5], "C_im": [4, 5],
       "D": [4, 3]}
layer({"type": "lru", "units": 4, "stateSize": 5, "glu": False}, 3, LRU, lru)
layer({"type": "lru", "units": 4, "stateSize": 5}, 3, {**LRU, **glu_shapes(4)}, lru)


def naive(path):
    """A file of flash-linear-attention by its path: the package itself wants a GPU compiler. Its sums are kept in float64."""
    at = pathlib.Path(sysconfig.get_paths()["purelib"], "fla", "ops", path)
    spec = importlib.util.spec_from_file_location(at.stem, at)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


torch.Tensor.float = lambda self: self.double()
torch.float32 = torch.float64


def heads_of(x, H):
    """(T, B, H·K) -> (B, T, H, K)"""
    return x.unflatten(2, (H, -1)).transpose(0, 1)


def joined(o):
    return o.transpose(0, 1).flatten(2)


def head_norm(weights, o, epsilon=1e-5):
    return o * torch.rsqrt(o.square().mean(-1, keepdim=True) + epsilon) * weights["norm.weight"]


def of_attention(U, I, extra=()):
    return {name: shape for each in ["q", "k", "v", *extra] for name, shape in of_linear(each, U, I, False).items()} | \
        of_linear("out", U, U, False)


def short(weights, name, x):
    weight = weights[f"{name}.weight"]
    padded = torch.nn.functional.pad(x.permute(1, 2, 0), (weight.shape[1] - 1, 0))
    y = conv1d(padded, weight[:, None], weights[f"{name}.bias"], groups=len(weight))
    return y.permute(2, 0, 1)


def of_short(names, U, K):
    return {f"{name}_conv.{part}": shape for name in names for part, shape in [("weight", [U, K]), ("bias", [U])]}


def convolved(weights, name, x):
    y = affine(weights, name, x)
    return silu(short(weights, f"{name}_conv", y) if f"{name}_conv.weight" in weights else y)


def linear_attention(weights, x, H=2):
    q, k, v = (heads_of(affine(weights, name, x), H) for name in "qkv")
    q, k = elu(q) + 1, elu(k) + 1
    # the sums of the paper's equation 9, each step over all before it
    scores = torch.einsum("bthk,bshk->bhts", q, k).tril()
    o = torch.einsum("bhts,bshv->bthv", scores, v) / scores.sum(-1).transpose(1, 2)[..., None]
    return affine(weights, "out", joined(o))


layer({"type": "linear-attention", "units": 6, "heads": 2}, 3, of_attention(6, 3), linear_attention)


def retnet(weights, x, H=2):
    q, k, v = (heads_of(affine(weights, name, x), H).transpose(1, 2) for name in "qkv")
    o = naive("retention/naive.py").naive_retention(q, k, v).transpose(1, 2)
    return affine(weights, "out", joined(head_norm(weights, o)) * silu(affine(weights, "gate", x)))


layer({"type": "retnet", "units": 6, "heads": 2}, 3, {**of_attention(6, 3, ["gate"]), "norm.weight": [3]}, retnet)


def gla(weights, x, H=2):
    q, k, v = (heads_of(affine(weights, name, x), H) for name in "qkv")
    decay = heads_of(logsigmoid(affine(weights, "decay_out", affine(weights, "decay_in", x))) / 16, H)
    o, _ = naive("gla/naive.py").naive_recurrent_gla(q, k, v, decay)
    return affine(weights, "out", joined(head_norm(weights, o)) * silu(affine(weights, "gate", x)))


layer({"type": "gla", "units": 6, "heads": 2, "rank": 2}, 3,
      {**of_attention(6, 3, ["gate"]), "norm.weight": [3], **of_linear("decay_in", 2, 3, False), **of_linear("decay_out", 6, 2)},
      gla)


def unit(x):
    return x * torch.rsqrt(x.square().sum(-1, keepdim=True) + 1e-6)


def deltanet(weights, x, H=2):
    q, k, v = (heads_of(convolved(weights, name, x), H).transpose(1, 2) for name in "qkv")
    beta = sigmoid(affine(weights, "beta", x)).permute(1, 2, 0)
    o, _ = naive("delta_rule/naive.py").delta_rule_recurrence(unit(q), unit(k), v, beta)
    return affine(weights, "out", joined(head_norm(weights, o.transpose(1, 2))))


for K in [1, 3]:
    layer({"type": "deltanet", "units": 6, "heads": 2, "convSize": K}, 3,
          {**of_attention(6, 3), **(of_short("qkv", 6, K) if K > 1 else {}), "norm.weight": [3],
           **of_linear("beta", 2, 3, False)}, deltanet)


def gated_deltanet(weights, x, H=2):
    q, k, v = (heads_of(convolved(weights, name, x), H) for name in "qkv")
    beta = sigmoid(affine(weights, "beta", x)).transpose(0, 1)
    decay = (-weights["A_log"].exp() * softplus(affine(weights, "decay", x))).transpose(0, 1)
    o, _ = torch_gated_delta_rule(q, k, v, decay, beta)
    return affine(weights, "out", joined(head_norm(weights, o)) * silu(affine(weights, "gate", x)))


def torch_gated_delta_rule(q, k, v, decay, beta):
    from transformers.models.qwen3_next.modeling_qwen3_next import torch_recurrent_gated_delta_rule
    return torch_recurrent_gated_delta_rule(q, k, v, decay, beta, None, False, use_qk_l2norm_in_kernel=True)


layer({"type": "gated-deltanet", "units": 6, "heads": 2, "convSize": 3}, 3,
      {**of_attention(6, 3, ["gate"]), **of_short("qkv", 6, 3), "norm.weight": [3], "A_log": [2],
       **of_linear("beta", 2, 3, False), **of_linear("decay", 2, 3)}, gated_deltanet)


def min_lstm(weights, x):
    f, i = sigmoid(affine(weights, "forget", x)), sigmoid(affine(weights, "input", x))
    return loop(f / (f + i), i / (f + i) * affine(weights, "hidden", x))


layer({"type": "min-lstm", "units": 4}, 3,
      {**of_linear("forget", 4, 3), **of_linear("input", 4, 3), **of_linear("hidden", 4, 3)}, min_lstm)


def sru(weights, x):
    f, r = sigmoid(affine(weights, "forget", x)), sigmoid(affine(weights, "reset", x))
    c = loop(f, (1 - f) * affine(weights, "hidden", x))
    around = affine(weights, "highway", x) if "highway.weight" in weights else x
    return r * torch.tanh(c) + (1 - r) * around


for I in [3, 4]:
    layer({"type": "sru", "units": 4}, I,
          {**of_linear("hidden", 4, I, False), **of_linear("forget", 4, I), **of_linear("reset", 4, I),
           **(of_linear("highway", 4, I, False) if I != 4 else {})}, sru)


def s4d(weights, x):
    """The convolution of s4d.py in the paper's repository, by FFT."""
    u = affine(weights, "input", x).permute(1, 2, 0)
    L = u.shape[-1]
    A = torch.complex(-weights["log_A_real"].exp(), weights["A_imag"])
    dtA = A * weights["log_dt"].exp()[:, None]
    C = torch.complex(weights["C_re"], weights["C_im"]) * (torch.exp(dtA) - 1) / A
    K = 2 * torch.einsum("hn,hnl->hl", C, torch.exp(dtA[..., None] * torch.arange(L))).real
    y = torch.fft.irfft(torch.fft.rfft(u, n=2 * L) * torch.fft.rfft(K, n=2 * L), n=2 * L)[..., :L]
    y = (y + u * weights["D"][:, None]).permute(2, 0, 1)
    return glu(weights, y) if "glu.value.weight" in weights else y


S4D = {**of_linear("input", 4, 3), "log_dt": [4], "log_A_real": [4, 3], "A_imag": [4, 3], "C_re": [4, 3], "C_im": [4, 3],
       "D": [4]}
layer({"type": "s4d", "units": 4, "stateSize": 3, "glu": False}, 3, S4D, s4d)
layer({"type": "s4d", "units": 4, "stateSize": 3}, 3, {**S4D, **glu_shapes(4)}, s4d)


def s5(weights, x):
    A = torch.complex(-weights["log_A_real"].exp(), weights["A_imag"])
    a = torch.exp(A * weights["log_dt"].exp())
    b = ((a - 1) / A)[:, None] * torch.complex(weights["B_re"], weights["B_im"])
    h = loop(a, x.to(b.dtype) @ b.T)
    y = 2 * (h @ torch.complex(weights["C_re"], weights["C_im"]).T).real + x @ weights["D"].T
    return glu(weights, y) if "glu.value.weight" in weights else y


S5 = {"log_A_real": [5], "A_imag": [5], "log_dt": [5], "B_re": [5, 3], "B_im": [5, 3], "C_re": [4, 5], "C_im": [4, 5],
      "D": [4, 3]}
layer({"type": "s5", "units": 4, "stateSize": 5, "glu": False}, 3, S5, s5)
layer({"type": "s5", "units": 4, "stateSize": 5}, 3, {**S5, **glu_shapes(4)}, s5)


def rg_lru(weights, x):
    from transformers.models.recurrent_gemma.configuration_recurrent_gemma import RecurrentGemmaConfig
    from transformers.models.recurrent_gemma.modeling_recurrent_gemma import RecurrentGemmaRglru
    u = affine(weights, "input", x).transpose(0, 1)
    module = RecurrentGemmaRglru(RecurrentGemmaConfig(lru_width=u.shape[2], num_attention_heads=1))
    given = {"recurrent_param": weights["Lambda"]}
    for gate in ["recurrent", "input"]:
        name = "recurrence_gate" if gate == "recurrent" else "input_gate"
        given[f"{gate}_gate_weight"] = weights[f"{name}.weight"].T[None]
        given[f"{gate}_gate_bias"] = weights[f"{name}.bias"][None]
    # positions from 1: at 0 the module does not scale its input, which the paper does
    positions = torch.arange(1, u.shape[1] + 1)[None].expand(u.shape[0], -1)
    return torch.func.functional_call(module, given, (u, positions)).transpose(0, 1)


layer({"type": "rg-lru", "units": 4}, 3,
      {**of_linear("input", 4, 3), **of_linear("recurrence_gate", 4, 4), **of_linear("input_gate", 4, 4), "Lambda": [4]}, rg_lru)


def m_lstm(weights, x, H=2):
    from transformers.models.xlstm.modeling_xlstm import mlstm_recurrent_sequence_native
    q, k, v = (heads_of(affine(weights, name, x), H).transpose(1, 2) for name in "qkv")
    i, f = (affine(weights, f"{name}_gate", x).permute(1, 2, 0) for name in ["input", "forget"])
    h = mlstm_recurrent_sequence_native(q, k, v, i, f, eps=0.0, dtype_state=torch.float64)
    h = (h[0] if isinstance(h, tuple) else h).transpose(1, 2)
    return sigmoid(affine(weights, "output_gate", x)) * joined(h)


layer({"type": "m-lstm", "units": 6, "heads": 2}, 3,
      {**{k: v for name in ["q", "k", "v", "output_gate"] for k, v in of_linear(name, 6, 3).items()},
       **of_linear("input_gate", 2, 3), **of_linear("forget_gate", 2, 3)}, m_lstm)


def mamba2(weights, x, H=2, N=3):
    from transformers.models.mamba2.modeling_mamba2 import MambaRMSNormGated, mamba2_chunk_scan
    v, B, C = (convolved(weights, name, x).transpose(0, 1) for name in ["x", "B", "C"])
    y = mamba2_chunk_scan(v.unflatten(2, (H, -1)), affine(weights, "dt", x).transpose(0, 1), -weights["A_log"].exp(),
                          B[:, :, None], C[:, :, None], chunk_size=4, D=weights["D"], dt_softplus=True)
    norm = MambaRMSNormGated(v.shape[2], eps=1e-5)
    gated = torch.func.functional_call(norm, {"weight": weights["norm.weight"]},
                                       (y.flatten(2).transpose(0, 1), affine(weights, "gate", x)))
    return affine(weights, "out", gated)


for K in [1, 3]:
    layer({"type": "mamba2", "units": 4, "heads": 2, "stateSize": 3, "convSize": K}, 3,
          {**of_linear("x", 8, 3, False), **of_linear("gate", 8, 3, False), **of_linear("B", 3, 3, False),
           **of_linear("C", 3, 3, False), **of_linear("dt", 2, 3), "A_log": [2], "D": [2], "norm.weight": [8],
           **(of_short(["x"], 8, K) | of_short(["B", "C"], 3, K) if K > 1 else {}), **of_linear("out", 4, 8, False)}, mamba2)


def mamba(weights, x):
    from transformers.models.mamba.modeling_mamba import mamba_selective_scan
    u = convolved(weights, "x", x)
    delta, B, C = affine(weights, "dt", affine(weights, "dt_in", u)), affine(weights, "B", u), affine(weights, "C", u)
    u, delta, B, C, z = (each.permute(1, 2, 0) for each in [u, delta, B, C, affine(weights, "gate", x)])
    y = mamba_selective_scan(u, delta, -weights["A_log"].exp(), B, C, weights["D"], z=z, delta_softplus=True)
    y = y[0] if isinstance(y, tuple) else y
    return affine(weights, "out", y.permute(2, 0, 1))


for K in [1, 4]:
    layer({"type": "mamba", "units": 4, "stateSize": 3, "convSize": K, "rank": 2}, 3,
          {**of_linear("x", 8, 3, False), **of_linear("gate", 8, 3, False), **of_linear("dt_in", 2, 8, False),
           **of_linear("dt", 8, 2), **of_linear("B", 3, 8, False), **of_linear("C", 3, 8, False), "A_log": [8, 3], "D": [8],
           **(of_short(["x"], 8, K) if K > 1 else {}), **of_linear("out", 4, 8, False)}, mamba)


def rwkv(weights, x, H=2):
    """RWKV-7's time mixing of fla/layers/rwkv7.py around its plain recurrence, without residual values."""
    change = torch.cat([torch.zeros_like(x[:1]), x[:-1]]) - x
    mixed = {name: x + weights[f"mix_{name}"] * change for name in "rwkvag"}
    r, k, v = (affine(weights, name, mixed[name]) for name in "rkv")
    w = -0.6065306597126334 * sigmoid(affine(weights, "w_out", torch.tanh(affine(weights, "w_in", mixed["w"]))))
    a = sigmoid(affine(weights, "a_out", affine(weights, "a_in", mixed["a"])))
    g = affine(weights, "g_out", sigmoid(affine(weights, "g_in", mixed["g"])))
    kappa = normalize(heads_of(k * weights["k_k"], H), dim=-1)
    k = k * (1 + (a - 1) * weights["k_a"])
    recurrence = naive("generalized_delta_rule/dplr/naive.py").dplr_recurrence
    r, k, v, a, w = (heads_of(each, H) for each in [r, k, v, a, w])
    K = r.shape[-1]
    o, _ = recurrence(*(each.transpose(1, 2) for each in [r * K ** 0.5, k, v, -kappa, kappa * a, w]))
    o = joined(o.transpose(1, 2))
    normed = torch.nn.functional.group_norm(o.flatten(0, 1), H, weights["norm.weight"], weights["norm.bias"], 64e-5)
    own = (r * k * weights["r_k"].unflatten(0, (H, -1))).sum(-1, keepdim=True) * v
    return affine(weights, "out", (normed.view_as(o) + joined(own)) * g)


layer({"type": "rwkv", "units": 6, "heads": 2, "rank": 2}, 3,
      {**{f"mix_{name}": [3] for name in "rwkvag"}, **of_attention(6, 3), **of_linear("r", 6, 3, False),
       **of_linear("w_in", 2, 3, False), **of_linear("a_in", 2, 3, False), **of_linear("g_in", 2, 3, False),
       **of_linear("w_out", 6, 2), **of_linear("a_out", 6, 2), **of_linear("g_out", 6, 2, False),
       "k_k": [6], "k_a": [6], "r_k": [6], "norm.weight": [6], "norm.bias": [6]}, rwkv)
del CASES[-1]["weights"]["q.weight"], CASES[-1]["gradients"]["q.weight"]


def s_lstm(weights, x):
    """The paper's equations 8 to 14 without their stabiliser."""
    H = weights["weight_hh"].shape[1]
    h, c, n = torch.zeros(3, x.shape[1], H)
    outputs = []
    for x_t in x:
        i, f, z, o = (linear(x_t, weights["weight_ih"], weights["bias"]) + linear(h, weights["weight_hh"])).split(H, 1)
        i, f, z, o = i.exp(), sigmoid(f), z.tanh(), sigmoid(o)
        c, n = f * c + i * z, f * n + i
        h = o * c / n
        outputs.append(h)
    return torch.stack(outputs)


layer({"type": "s-lstm", "units": 4}, 3, {"weight_ih": [16, 3], "weight_hh": [16, 4], "bias": [16]}, s_lstm)

write("linear_recurrences", "Layers of linear recurrences; the loss is the sum of the outputs times what is given for them.", CASES)
