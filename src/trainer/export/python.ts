// Pieces of the exported Python that are the same for every run. Nothing of a run folder is put into code but
// numbers; its texts are data in task.json, and its name a comment.

/** One line that can end no docstring and start no escape. */
export function comment(text: string): string {
  return (
    text
      .replace(/[^\p{L}\p{N} _.,()+-]+/gu, ' ')
      .trim()
      .slice(0, 100) || 'a run'
  );
}

export const READ_SAFETENSORS = `def read_safetensors(path):
    """A length, a JSON header, little-endian numbers: the safetensors package is not needed."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        count = (end - begin) // 4
        values = torch.frombuffer(bytearray(data[8 + length + begin:8 + length + end]), dtype=torch.float32, count=count)
        tensors[name] = values.reshape(entry["shape"])
    return tensors
`;

export const GRU_RESET_BEFORE = `class GruResetBefore(nn.Module):
    """The GRU of arXiv 1406.1078v3, whose reset gate acts before the recurrent product. nn.GRU is the other one,
    which resets after it: a different function of the same weights."""

    def __init__(self, input_size, hidden_size, num_layers=1, dropout=0.0, bidirectional=False):
        super().__init__()
        self.hidden_size, self.num_layers, self.dropout = hidden_size, num_layers, dropout
        self.directions = ["", "_reverse"] if bidirectional else [""]
        for level in range(num_layers):
            inputs = input_size if level == 0 else hidden_size * len(self.directions)
            for direction in self.directions:
                end = f"l{level}{direction}"
                self.register_parameter(f"weight_ih_{end}", nn.Parameter(torch.zeros(3 * hidden_size, inputs)))
                self.register_parameter(f"weight_hh_{end}", nn.Parameter(torch.zeros(3 * hidden_size, hidden_size)))
                self.register_parameter(f"bias_ih_{end}", nn.Parameter(torch.zeros(3 * hidden_size)))
                self.register_parameter(f"bias_hh_{end}", nn.Parameter(torch.zeros(3 * hidden_size)))

    def forward(self, x, state=None):
        if state is None:
            state = x.new_zeros(self.num_layers * len(self.directions), x.shape[1], self.hidden_size)
        last = []
        for level in range(self.num_layers):
            if level > 0:
                x = nn.functional.dropout(x, self.dropout, self.training)
            outputs = []
            for direction in self.directions:
                y, h = self.run_level(f"l{level}{direction}", x.flip(0) if direction else x, state[len(last)])
                outputs.append(y.flip(0) if direction else y)
                last.append(h)
            x = torch.cat(outputs, 2)
        return x, torch.stack(last)

    def run_level(self, end, x, h):
        units = self.hidden_size
        weight_hh = getattr(self, f"weight_hh_{end}")
        biases = getattr(self, f"bias_ih_{end}") + getattr(self, f"bias_hh_{end}")
        projected = nn.functional.linear(x, getattr(self, f"weight_ih_{end}"), biases)
        outputs = []
        for x_t in projected:
            gates = torch.sigmoid(x_t[:, :2 * units] + h @ weight_hh[:2 * units].T)
            r, z = gates[:, :units], gates[:, units:]
            n = torch.tanh(x_t[:, 2 * units:] + (r * h) @ weight_hh[2 * units:].T)
            h = (1 - z) * n + z * h
            outputs.append(h)
        return torch.stack(outputs), h

`;

export const TRANSFORMER = `class CausalTransformer(nn.Module):
    """Pre-norm blocks that see only what came before. Positions: a table, or None."""

    def __init__(self, width, heads, hidden, layers, activation, dropout=0.0, window=None, positions=None):
        super().__init__()
        self.window = window
        if positions == "sinusoidal":
            self.positions = sinusoids
        elif positions is not None:
            self.positions = nn.Parameter(torch.zeros(positions, width))
        else:
            self.positions = None
        self.blocks = nn.ModuleList([
            nn.TransformerEncoderLayer(width, heads, hidden, dropout, activation, norm_first=True)
            for _ in range(layers)
        ])
        for block in self.blocks:
            block.self_attn.dropout = 0.0  # Unroll drops after the attention, not inside it

    def forward(self, x):
        steps, _, width = x.shape
        if self.positions is not None:
            table = self.positions(steps, width) if callable(self.positions) else self.positions[:steps]
            x = x + table[:, None].to(x)
        t = torch.arange(steps, device=x.device)
        apart = t[:, None] - t[None]
        hidden = (apart < 0) | (apart >= (self.window or steps))
        for block in self.blocks:
            x = block(x, src_mask=hidden)
        return x


def sinusoids(steps, width):
    j = torch.arange(width)
    angles = torch.arange(steps, dtype=torch.float64)[:, None] / 10000 ** ((j - j % 2) / width)
    return torch.where(j % 2 == 0, angles.sin(), angles.cos())

`;

export const TCN = `class TcnBlock(nn.Module):
    """Two causal convolutions with a residual (Bai et al. 2018), without weight normalisation."""

    def __init__(self, inputs, channels, kernel_size, dilation, dropout=0.0):
        super().__init__()
        self.padding, self.dropout = (kernel_size - 1) * dilation, dropout
        self.conv1 = nn.Conv1d(inputs, channels, kernel_size, dilation=dilation)
        self.conv2 = nn.Conv1d(channels, channels, kernel_size, dilation=dilation)
        self.downsample = nn.Conv1d(inputs, channels, 1) if inputs != channels else None

    def forward(self, x):
        y = x
        for convolution in (self.conv1, self.conv2):
            y = torch.relu(convolution(nn.functional.pad(y, (self.padding, 0))))
            y = nn.functional.dropout(y, self.dropout, self.training)
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Tcn(nn.Module):
    """Blocks that look twice as far back each. Reads (steps, batch, width), as everything here does."""

    def __init__(self, inputs, channels, kernel_size, layers, dropout=0.0):
        super().__init__()
        self.blocks = nn.ModuleList([
            TcnBlock(inputs if level == 0 else channels, channels, kernel_size, 2 ** level, dropout)
            for level in range(layers)
        ])

    def forward(self, x):
        x = x.permute(1, 2, 0)
        for block in self.blocks:
            x = block(x)
        return x.permute(2, 0, 1)

`;

export const CHECK = `

def check(model):
    """Compares with what the run's own model said to a fixed input; where states carry it on, also in two parts."""
    reference = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))
    kind = torch.long if len(reference["shape"]) == 2 else torch.float32
    x = torch.tensor(reference["input"], dtype=kind).reshape(reference["shape"])
    steps, batch = reference["shape"][:2]
    with torch.no_grad():
        outputs = [model(x)[0]]
        if reference["parts"]:
            first, states = model(x[:steps // 2])
            outputs.append(torch.cat([first, model(x[steps // 2:], states)[0]]))
    expected = torch.tensor(reference["outputs"]).reshape(outputs[0].shape)
    scale = expected.abs().clamp(min=1)
    differences = [((each - expected).abs() / scale).max().item() for each in outputs]
    return max(differences), reference["tolerance"]


if __name__ == "__main__":
    difference, tolerance = check(load())
    agrees = difference <= tolerance
    print(f"largest difference from the run's own outputs: {difference:.1e} (tolerance {tolerance:.0e})")
    raise SystemExit(0 if agrees else "model.py and the run disagree")
`;
