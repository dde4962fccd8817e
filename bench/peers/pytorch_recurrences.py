"""Layers of linear recurrences in PyTorch, each in the forms that people run: the loop over time, and the parallel form of
its paper or the public code that goes with it. Same sizes, gates, convolutions and norms as ours; initial values do not
matter to time. A model is named "min-gru/loop"; FORMS has all. Everything is time-major, (T, B, D).
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

# ---------------------------------------------------------------- h_t = a_t h_{t-1} + b_t


def scan_loop(a, b):
    h, states = torch.zeros_like(b[0]), []
    for kept, added in zip([a] * len(b) if a.dim() == 1 else a.unbind(), b.unbind()):
        h = kept * h + added
        states.append(h)
    return torch.stack(states)


def scan_doubling(a, b):
    """In log2 T rounds, each over all steps (Hillis and Steele): what an associative scan does without a compiler."""
    a, step = a.expand_as(b) if a.dim() == 1 else a, 1
    while step < len(b):
        b = torch.cat([b[:step], torch.addcmul(b[step:], a[step:], b[:-step])])
        a = torch.cat([a[:step], a[step:] * a[:-step]])
        step *= 2
    return b


def scan_halves(a, b):
    """Pairs of steps as one step, again and again, and back (Blelloch 1990; jax.lax.associative_scan): work linear in T."""
    if len(b) == 1:
        return b
    a = a.expand_as(b) if a.dim() == 1 else a
    pairs = len(b) // 2
    first_a, first_b, second_a, second_b = a[: 2 * pairs : 2], b[: 2 * pairs : 2], a[1::2], b[1::2]
    odd = scan_halves(first_a * second_a, torch.addcmul(second_b, second_a, first_b))
    even = torch.cat([b[:1], torch.addcmul(b[2::2], a[2::2], odd[: len(b[2::2])])])
    joined = torch.stack([even[:pairs], odd], 1).flatten(0, 1)
    return joined if len(b) == 2 * pairs else torch.cat([joined, even[-1:]])


def scan_logs(log_a, log_b):
    """Of positive numbers, through logcumsumexp (Heinsen 2023; the code of minGRU's paper)."""
    total = log_a.cumsum(0)
    return (total + (log_b - total).logcumsumexp(0)).exp()


class MinGru(nn.Module):
    """Feng et al. 2024. The form `logs` has the positive candidate, which alone it can compute."""

    def __init__(self, inputs, units, form):
        super().__init__()
        self.gate, self.hidden, self.form = nn.Linear(inputs, units), nn.Linear(inputs, units), form

    def forward(self, x):
        gate, hidden = self.gate(x), self.hidden(x)
        if self.form == "logs":
            log_b = -F.softplus(-gate) + torch.where(hidden >= 0, (F.relu(hidden) + 0.5).log(), -F.softplus(-hidden))
            return scan_logs(-F.softplus(gate), log_b)
        z = torch.sigmoid(gate)
        return SCANS[self.form](1 - z, z * hidden)


class MinLstm(nn.Module):
    def __init__(self, inputs, units, form):
        super().__init__()
        self.parts, self.form = nn.ModuleList([nn.Linear(inputs, units) for _ in range(3)]), form

    def forward(self, x):
        forget, read, hidden = (part(x) for part in self.parts)
        diff = F.softplus(-forget) - F.softplus(-read)
        if self.form == "logs":
            log_g = torch.where(hidden >= 0, (F.relu(hidden) + 0.5).log(), -F.softplus(-hidden))
            return scan_logs(-F.softplus(diff), -F.softplus(-diff) + log_g)
        return SCANS[self.form](torch.sigmoid(-diff), torch.sigmoid(diff) * hidden)


class Sru(nn.Module):
    def __init__(self, inputs, units, form):
        super().__init__()
        self.hidden, self.around = (nn.Linear(inputs, units, bias=False) for _ in range(2))
        self.forget, self.reset, self.form = nn.Linear(inputs, units), nn.Linear(inputs, units), form

    def forward(self, x):
        f, r = torch.sigmoid(self.forget(x)), torch.sigmoid(self.reset(x))
        c = SCANS[self.form](f, (1 - f) * self.hidden(x))
        return r * torch.tanh(c) + (1 - r) * self.around(x)


class RgLru(nn.Module):
    def __init__(self, inputs, units, form):
        super().__init__()
        self.input = nn.Linear(inputs, units)
        self.recurrence_gate, self.input_gate = nn.Linear(units, units), nn.Linear(units, units)
        self.Lambda, self.form = nn.Parameter(torch.full((units,), -4.0)), form

    def forward(self, x):
        u = self.input(x)
        log_a = -8 * F.softplus(self.Lambda) * torch.sigmoid(self.recurrence_gate(u))
        b = torch.sqrt(1 - torch.exp(2 * log_a)) * torch.sigmoid(self.input_gate(u)) * u
        return SCANS[self.form](log_a.exp(), b)


class GatedLinearUnit(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.value, self.gate = nn.Linear(units, units), nn.Linear(units, units)

    def forward(self, x):
        x = F.gelu(x)
        return self.value(x) * torch.sigmoid(self.gate(x))


class Diagonal(nn.Module):
    """LRU and S5, which differ in what their eigenvalues are made of: a complex diagonal between two dense maps."""

    def __init__(self, inputs, units, form):
        super().__init__()
        self.nu, self.theta = nn.Parameter(torch.full((units,), -3.0)), nn.Parameter(torch.rand(units) * 0.3)
        self.B = nn.Parameter(torch.randn(units, inputs, 2) / math.sqrt(2 * inputs))
        self.C = nn.Parameter(torch.randn(units, units, 2) / math.sqrt(units))
        self.D, self.glu, self.form = nn.Linear(inputs, units, bias=False), GatedLinearUnit(units), form

    def forward(self, x):
        eigenvalues = torch.exp(torch.complex(-self.nu.exp(), self.theta.exp()))
        B = torch.view_as_complex(self.B) * torch.sqrt(1 - eigenvalues.abs() ** 2)[:, None]
        driven = torch.complex(x @ B.real.T, x @ B.imag.T)
        if self.form == "convolution":
            powers = eigenvalues ** torch.arange(len(x))[:, None]
            size = 2 * len(x)
            h = torch.fft.ifft(torch.fft.fft(driven, size, 0) * torch.fft.fft(powers, size, 0)[:, None], dim=0)[: len(x)]
        else:
            h = SCANS[self.form](eigenvalues, driven)
        C = torch.view_as_complex(self.C)
        return self.glu(h.real @ C.real.T - h.imag @ C.imag.T + self.D(x))


class S4d(nn.Module):
    """Gu et al. 2022, with the convolution of the public code: a kernel of powers, by FFT."""

    def __init__(self, inputs, units, form, states=16):
        super().__init__()
        self.input, self.glu, self.form = nn.Linear(inputs, units), GatedLinearUnit(units), form
        self.log_dt = nn.Parameter(torch.rand(units) * 4.6 - 6.9)
        self.log_real = nn.Parameter(torch.full((units, states), math.log(0.5)))
        self.imaginary = nn.Parameter(math.pi * torch.arange(states).float().expand(units, -1).clone())
        self.C, self.D = nn.Parameter(torch.randn(units, states, 2)), nn.Parameter(torch.randn(units))

    def forward(self, x):
        u, A = self.input(x), torch.complex(-self.log_real.exp(), self.imaginary)
        scaled = A * self.log_dt.exp()[:, None]
        C = torch.view_as_complex(self.C) * (scaled.exp() - 1) / A
        if self.form == "convolution":
            powers = torch.exp(scaled[..., None] * torch.arange(len(x)))
            kernel = 2 * torch.einsum("hn,hnt->ht", C, powers).real
            size, rows = 2 * len(x), u.permute(1, 2, 0)
            y = torch.fft.irfft(torch.fft.rfft(rows, size) * torch.fft.rfft(kernel, size), size)[..., : len(x)]
            y = y.permute(2, 0, 1)
        else:
            h, outputs = 0, []
            for step in u.unbind():
                h = scaled.exp() * h + step[..., None]
                outputs.append(2 * (C * h).sum(-1).real)
            y = torch.stack(outputs)
        return self.glu(y + self.D * u)


SCANS = {"loop": scan_loop, "doubling": scan_doubling, "halves": scan_halves}

# ---------------------------------------------------------------- short convolutions, norms


class Read(nn.Module):
    """A projection, a short causal convolution of each channel by itself, SiLU."""

    def __init__(self, inputs, outputs, size=4):
        super().__init__()
        self.project = nn.Linear(inputs, outputs, bias=False)
        self.conv = nn.Conv1d(outputs, outputs, size, groups=outputs, padding=size - 1)

    def forward(self, x):
        rows = self.project(x).permute(1, 2, 0)
        return F.silu(self.conv(rows)[..., : len(x)]).permute(2, 0, 1)


def rms(x, weight, epsilon=1e-5):
    return F.rms_norm(x, (x.shape[-1],), weight, epsilon)


class Mamba(nn.Module):
    def __init__(self, inputs, units, form, states=16, expand=2):
        super().__init__()
        inner, rank = expand * units, math.ceil(units / 16)
        self.x, self.gate = Read(inputs, inner), nn.Linear(inputs, inner, bias=False)
        self.dt_in, self.dt = nn.Linear(inner, rank, bias=False), nn.Linear(rank, inner)
        nn.init.constant_(self.dt.bias, -4.0)
        self.B, self.C = nn.Linear(inner, states, bias=False), nn.Linear(inner, states, bias=False)
        self.A_log = nn.Parameter(torch.arange(1.0, states + 1).log().repeat(inner, 1))
        self.D, self.out, self.form = nn.Parameter(torch.ones(inner)), nn.Linear(inner, units, bias=False), form

    def forward(self, x):
        u = self.x(x)
        delta, B, C = F.softplus(self.dt(self.dt_in(u))), self.B(u), self.C(u)
        a = torch.exp(delta[..., None] * -self.A_log.exp())
        b = (delta * u)[..., None] * B[:, :, None]
        if self.form == "loop":
            h, outputs = torch.zeros_like(b[0]), []
            for kept, added, read in zip(a.unbind(), b.unbind(), C.unbind()):
                h = kept * h + added
                outputs.append((h @ read[..., None])[..., 0])
            y = torch.stack(outputs)
        else:
            y = (scan_doubling(a, b) @ C[..., None])[..., 0]
        return self.out((y + self.D * u) * F.silu(self.gate(x)))


# ---------------------------------------------------------------- S_t = S_{t-1} diag(α) + …, o_t = S_t q_t


def by_heads(x, heads):
    """(T, B, H·K) → (B, H, T, K)"""
    T, B, width = x.shape
    return x.reshape(T, B, heads, width // heads).permute(1, 2, 0, 3)


def by_steps(o):
    B, H, T, V = o.shape
    return o.permute(2, 0, 1, 3).reshape(T, B, H * V)


def chunked(x, size):
    return x.unflatten(2, (-1, size))


def memory_loop(q, k, v, log_decay=None, beta=None):
    """One step after the other; log_decay (B, H, T) or (B, H, T, K); `beta` (B, H, T) makes it the delta rule."""
    S, outputs = torch.zeros(*q.shape[:2], q.shape[-1], v.shape[-1]), []
    steps = [None] * q.shape[2]
    decays = steps if log_decay is None else log_decay.exp().reshape(*log_decay.shape[:3], -1, 1).unbind(2)
    shares = steps if beta is None else beta[..., None].unbind(2)
    for query, key, value, decay, share in zip(q.unbind(2), k.unbind(2), v.unbind(2), decays, shares):
        S = S if decay is None else S * decay
        if share is not None:
            value = (value - (key[..., None, :] @ S)[..., 0, :]) * share
        S = S + key[..., None] * value[..., None, :]
        outputs.append((query[..., None, :] @ S)[..., 0, :])
    return torch.stack(outputs, 2)


def memory_chunks(q, k, v, log_decay=None, size=64):
    """Linear attention, RetNet, Mamba-2, GLA: products of a chunk's steps, and the state from chunk to chunk."""
    per_channel = log_decay is not None and log_decay.dim() == 4
    q, k, v = (chunked(each, size) for each in (q, k, v))
    causal = torch.ones(size, size, dtype=torch.bool).tril()
    if log_decay is None:
        scores, before, after, whole = (q @ k.transpose(-1, -2)).masked_fill(~causal, 0), q, k, None
    elif per_channel:
        total = chunked(log_decay, size).cumsum(3)
        before, whole = q * total.exp(), total[..., -1, :].exp()[..., None]
        scores = (before @ (k * (-total).exp()).transpose(-1, -2)).masked_fill(~causal, 0)
        after = k * (total[..., -1:, :] - total).exp()
    else:
        total = chunked(log_decay, size).cumsum(3)
        between = (total[..., :, None] - total[..., None, :]).masked_fill(~causal, -math.inf).exp()
        scores, before = (q @ k.transpose(-1, -2)) * between, q * total.exp()[..., None]
        after, whole = k * (total[..., -1:] - total).exp()[..., None], total[..., -1].exp()[..., None, None]
    written = after.transpose(-1, -2) @ v
    S, outputs = torch.zeros_like(written[:, :, 0]), []
    for chunk in range(q.shape[2]):
        outputs.append(before[:, :, chunk] @ S)
        S = (S if whole is None else S * whole[:, :, chunk]) + written[:, :, chunk]
    return (torch.stack(outputs, 2) + scores @ v).flatten(2, 3)


def delta_chunks(q, k, v, beta, log_decay=None, size=64):
    """(Gated) DeltaNet by chunks, as the public code has it: the steps of a chunk are solved for at once."""
    q, k, v, beta = (chunked(each, size) for each in (q, k, v, beta))
    causal = torch.ones(size, size, dtype=torch.bool).tril()
    strictly = causal.tril(-1)
    key, value = k * beta[..., None], v * beta[..., None]
    if log_decay is None:
        between, total = causal.float(), None
    else:
        total = chunked(log_decay, size).cumsum(3)
        between = (total[..., :, None] - total[..., None, :]).masked_fill(~causal, -math.inf).exp()
    system = torch.eye(size) + ((key @ k.transpose(-1, -2)) * between).masked_fill(~strictly, 0)
    seen = key if total is None else key * total.exp()[..., None]
    solved = torch.linalg.solve_triangular(system, torch.cat([value, seen], -1), upper=False, unitriangular=True)
    u, w = solved.split([value.shape[-1], key.shape[-1]], -1)
    scores = (q @ k.transpose(-1, -2)) * between
    S, outputs = torch.zeros(*q.shape[:2], k.shape[-1], v.shape[-1]), []
    for c in range(q.shape[2]):
        fresh = u[:, :, c] - w[:, :, c] @ S
        reading, writing = q[:, :, c], k[:, :, c]
        if total is not None:
            reading = reading * total[:, :, c].exp()[..., None]
            writing = writing * (total[:, :, c, -1:] - total[:, :, c]).exp()[..., None]
        outputs.append(reading @ S + scores[:, :, c] @ fresh)
        kept = S if total is None else S * total[:, :, c, -1].exp()[..., None, None]
        S = kept + writing.transpose(-1, -2) @ fresh
    return torch.stack(outputs, 2).flatten(2, 3)


class Memory(nn.Module):
    """Linear attention, RetNet, GLA, DeltaNet and gated DeltaNet."""

    def __init__(self, kind, inputs, units, form, heads=4, rank=16):
        super().__init__()
        self.kind, self.form, self.heads = kind, form, heads
        delta, size = "delta" in kind, units // heads
        read = Read if delta else (lambda i, o: nn.Linear(i, o, bias=False))
        self.q, self.k, self.v = (read(inputs, units) for _ in range(3))
        self.out, self.norm = nn.Linear(units, units, bias=False), nn.Parameter(torch.ones(size))
        if delta:
            self.beta = nn.Linear(inputs, heads, bias=False)
        if kind in ("retnet", "gla", "gated-deltanet"):
            self.gate = nn.Linear(inputs, units, bias=False)
        if kind == "gla":
            self.decay_in, self.decay = nn.Linear(inputs, rank, bias=False), nn.Linear(rank, units)
        if kind == "gated-deltanet":
            self.decay, self.A_log = nn.Linear(inputs, heads), nn.Parameter(torch.zeros(heads))

    def forward(self, x):
        q, k, v = (by_heads(each(x), self.heads) for each in (self.q, self.k, self.v))
        size, T = q.shape[-1], len(x)
        decay = beta = None
        if self.kind == "linear-attention":
            q, k = F.elu(q) + 1, F.elu(k) + 1
        if self.kind == "retnet":
            rates = torch.log1p(-(2.0 ** (-5 - torch.arange(self.heads))))
            decay = rates[None, :, None].expand(x.shape[1], -1, T)
        if self.kind == "gla":
            decay = by_heads(F.logsigmoid(self.decay(self.decay_in(x))) / 16, self.heads)
        if "delta" in self.kind:
            q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
            beta = torch.sigmoid(self.beta(x)).permute(1, 2, 0)
        if self.kind == "gated-deltanet":
            decay = (-self.A_log.exp() * F.softplus(self.decay(x))).permute(1, 2, 0)
        q = q / math.sqrt(size)
        if self.form == "loop":
            o = memory_loop(q, k, v, decay, beta)
        elif beta is not None:
            o = delta_chunks(q, k, v, beta, decay)
        else:
            o = memory_chunks(q, k, v, decay)
        if self.kind == "linear-attention":
            total = k.cumsum(2)
            o = o / (q * total).sum(-1, keepdim=True).clamp_min(1e-6)
        else:
            o = rms(o, self.norm)
        o = by_steps(o)
        return self.out(o * F.silu(self.gate(x)) if hasattr(self, "gate") else o)


class Mamba2(nn.Module):
    def __init__(self, inputs, units, form, states=16, expand=2, heads=4):
        super().__init__()
        inner = expand * units
        self.x, self.B, self.C = Read(inputs, inner), Read(inputs, states), Read(inputs, states)
        self.gate, self.dt = nn.Linear(inputs, inner, bias=False), nn.Linear(inputs, heads)
        self.A_log, self.D = nn.Parameter(torch.zeros(heads)), nn.Parameter(torch.ones(heads))
        self.norm, self.out = nn.Parameter(torch.ones(inner)), nn.Linear(inner, units, bias=False)
        self.heads, self.form = heads, form

    def forward(self, x):
        v, delta = by_heads(self.x(x), self.heads), F.softplus(self.dt(x)).permute(1, 2, 0)
        k, q = (each(x).permute(1, 0, 2)[:, None].expand(-1, self.heads, -1, -1) for each in (self.B, self.C))
        decay = -self.A_log.exp()[:, None] * delta
        o = (memory_loop if self.form == "loop" else memory_chunks)(q, k, v * delta[..., None], decay)
        o = by_steps(o + self.D[:, None, None] * v)
        return self.out(rms(o * F.silu(self.gate(x)), self.norm))


class MLstm(nn.Module):
    """Beck et al. 2024; `parallel` is the paper's form of all pairs of steps."""

    def __init__(self, inputs, units, form, heads=4):
        super().__init__()
        self.q, self.k, self.v, self.gate = (nn.Linear(inputs, units) for _ in range(4))
        self.input, self.forget, self.heads, self.form = nn.Linear(inputs, heads), nn.Linear(inputs, heads), heads, form

    def forward(self, x):
        q, k, v = (by_heads(each(x), self.heads) for each in (self.q, self.k, self.v))
        q, i = q / math.sqrt(q.shape[-1]), self.input(x).permute(1, 2, 0)
        f, T = F.logsigmoid(self.forget(x)).permute(1, 2, 0), len(x)
        if self.form == "parallel":
            total, causal = f.cumsum(-1), torch.ones(T, T, dtype=torch.bool).tril()
            logs = (total[..., :, None] - total[..., None, :] + i[..., None, :]).masked_fill(~causal, -math.inf)
            most = logs.amax(-1, keepdim=True)
            scores = (q @ k.transpose(-1, -2)) * (logs - most).exp()
            o = (scores @ v) / torch.maximum(scores.sum(-1, keepdim=True).abs(), (-most).exp())
        else:
            C, n, m = torch.zeros(*q.shape[:2], q.shape[-1], v.shape[-1]), torch.zeros_like(q[:, :, 0]), i[..., 0] * 0
            outputs = []
            steps = zip(q.unbind(2), k.unbind(2), v.unbind(2), i.unbind(-1), f.unbind(-1))
            for query, key, value, read, forget in steps:
                after = torch.maximum(forget + m, read)
                kept, added = (forget + m - after).exp()[..., None], (read - after).exp()[..., None]
                key = key * added
                C, n, m = C * kept[..., None] + key[..., None] * value[..., None, :], n * kept + key, after
                found = (query[..., None, :] @ C)[..., 0, :]
                outputs.append(found / torch.maximum((query * n).sum(-1).abs(), (-m).exp())[..., None])
            o = torch.stack(outputs, 2)
        return torch.sigmoid(self.gate(x)) * by_steps(o)


class SLstm(nn.Module):
    """Beck et al. 2024, a loop: its gates read h."""

    def __init__(self, inputs, units, form, heads=4):
        super().__init__()
        self.ih, self.hh = nn.Linear(inputs, 4 * units), nn.Linear(units, 4 * units, bias=False)

    def forward(self, x):
        projected, units = self.ih(x), self.hh.in_features
        h = c = m = torch.zeros(x.shape[1], units)
        n, outputs = torch.ones_like(h), []
        for step in projected.unbind():
            i, f, z, o = (step + self.hh(h)).chunk(4, -1)
            f = F.logsigmoid(f) + m
            m = torch.maximum(f, i)
            i, f = (i - m).exp(), (f - m).exp()
            c, n = f * c + i * torch.tanh(z), f * n + i
            h = torch.sigmoid(o) * c / n
            outputs.append(h)
        return torch.stack(outputs)


def of_kind(kind):
    return lambda inputs, units, form: Memory(kind, inputs, units, form)


MODULES = {
    "min-gru": (MinGru, ("loop", "doubling", "halves", "logs")),
    "min-lstm": (MinLstm, ("loop", "doubling", "halves", "logs")),
    "sru": (Sru, ("loop", "doubling", "halves")),
    "rg-lru": (RgLru, ("loop", "doubling", "halves")),
    "lru": (Diagonal, ("loop", "doubling", "halves", "convolution")),
    "s5": (Diagonal, ("loop", "doubling", "halves", "convolution")),
    "s4d": (S4d, ("convolution",)),
    "mamba": (Mamba, ("loop",)),
    "mamba2": (Mamba2, ("loop", "chunks")),
    "linear-attention": (of_kind("linear-attention"), ("loop", "chunks")),
    "retnet": (of_kind("retnet"), ("loop", "chunks")),
    "gla": (of_kind("gla"), ("loop", "chunks")),
    "deltanet": (of_kind("deltanet"), ("loop", "chunks")),
    "gated-deltanet": (of_kind("gated-deltanet"), ("loop", "chunks")),
    "m-lstm": (MLstm, ("loop", "parallel")),
    "s-lstm": (SLstm, ("loop",)),
}

FORMS = {kind: forms for kind, (_, forms) in MODULES.items()}


class Layer(nn.Module):
    """A layer and its head, as the peer's models are."""

    def __init__(self, name, inputs, units, outputs):
        super().__init__()
        kind, form = name.split("/")
        self.layer, self.head = MODULES[kind][0](inputs, units, form), nn.Linear(units, outputs)

    def forward(self, x, state=None):
        return self.head(self.layer(x)), None
