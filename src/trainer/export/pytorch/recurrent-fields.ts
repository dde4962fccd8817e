// Recurrent layers whose fields ask for what PyTorch's modules lack, as loops over time in one class for all cells.
import type { RecurrentFields } from '../../../experiment/layers/recurrent.ts';
import type { RecurrentLayer } from '../../../experiment/schema.ts';

/** The fields of its cell as arguments of the class. */
type Arguments = Record<string, string | number | boolean | undefined>;

/** Whether torch.nn.RNN, GRU and LSTM lack something that the fields ask for. */
export function needsClass(layer: RecurrentLayer): boolean {
  const { recurrentDropout, variationalDropout, zoneout, weightDrop, initialState } = layer;
  if (recurrentDropout || variationalDropout || zoneout || weightDrop || initialState === 'learned')
    return true;
  if (mergesEnds(layer) || (layer.residual && layer.layers > 1)) return true;
  return layer.type === 'lstm' && Boolean(layer.peephole || layer.coupledGates || layer.layerNorm);
}

/** Whether its directions end at different steps and are one afterwards. */
export function mergesEnds({ bidirectional, merge = 'concat' }: RecurrentFields): boolean {
  return bidirectional && merge !== 'concat';
}

export function classCall(layer: RecurrentLayer, inputs: number, own: Arguments): string {
  const named: Arguments = {
    num_layers: layer.layers > 1 ? layer.layers : undefined,
    dropout: layer.layers > 1 && layer.dropout > 0 ? layer.dropout : undefined,
    bidirectional: layer.bidirectional || undefined,
    merge: mergesEnds(layer) ? layer.merge : undefined,
    residual: layer.residual || undefined,
    learned: layer.initialState === 'learned' || undefined,
    recurrent_dropout: layer.recurrentDropout || undefined,
    variational_dropout: layer.variationalDropout || undefined,
    zoneout: layer.zoneout || undefined,
    weight_drop: layer.weightDrop || undefined,
    ...own,
  };
  const written = Object.entries(named)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${name}=${value === true ? 'True' : value === false ? 'False' : JSON.stringify(value)}`,
    );
  return `Recurrent(${[`"${layer.type}"`, inputs, layer.units, ...written].join(', ')})`;
}

export const CLASS = `class Recurrent(nn.Module):
    """An RNN, GRU or LSTM with what PyTorch's own lack, as loops over time: (steps, batch, inputs), and states (h, c) by
    level and direction. Where an LSTM has a projection, its h is that of the units, before the projection."""

    def __init__(self, cell, input_size, hidden_size, num_layers=1, dropout=0.0, bidirectional=False, merge="concat",
                 residual=False, activation="tanh", reset_after=True, projection=0, peephole=False, coupled=False,
                 layer_norm=False, learned=False, recurrent_dropout=0.0, variational_dropout=0.0, zoneout=0.0,
                 weight_drop=0.0):
        super().__init__()
        self.cell, self.units, self.num_layers, self.dropout = cell, hidden_size, num_layers, dropout
        self.merge, self.residual, self.activation, self.reset_after = merge, residual, activation, reset_after
        self.coupled, self.recurrent_dropout, self.variational_dropout = coupled, recurrent_dropout, variational_dropout
        self.zoneout, self.weight_drop = zoneout, weight_drop
        self.directions = ["", "_reverse"] if bidirectional else [""]
        self.blocks = {"rnn": 1, "gru": 3, "lstm": 3 if coupled else 4}[cell]
        rows, out = self.blocks * hidden_size, projection or hidden_size
        width = out * len(self.directions) if merge == "concat" else out
        for level in range(num_layers):
            for direction in self.directions:
                end = f"l{level}{direction}"
                shapes = {"weight_ih": (rows, input_size if level == 0 else width), "weight_hh": (rows, out),
                          "bias_ih": (rows,), "bias_hh": (rows,)}
                if projection:
                    shapes["weight_hr"] = (projection, hidden_size)
                if peephole:
                    shapes["peephole"] = ((self.blocks - 1) * hidden_size,)
                if layer_norm:
                    shapes |= {"norm_ih": (rows,), "norm_hh": (rows,), "norm_c": (hidden_size,), "norm_c_bias": (hidden_size,)}
                if learned:
                    shapes |= {f"initial_{part}": (hidden_size,) for part in ("hc" if cell == "lstm" else "h")}
                for name, shape in shapes.items():
                    self.register_parameter(f"{name}_{end}", nn.Parameter(torch.zeros(shape)))

    def of(self, name, end):
        return getattr(self, f"{name}_{end}", None)

    def forward(self, x, states=None, ends=False):
        last = []
        for level in range(self.num_layers):
            below, outputs = x, []
            if level > 0:
                x = nn.functional.dropout(x, self.dropout, self.training)
            for direction in self.directions:
                end = f"l{level}{direction}"
                state = self.begin(end, x) if states is None else states[len(last)]
                y, state = self.run(end, x.flip(0) if direction else x, state)
                outputs.append(y.flip(0) if direction else y)
                last.append(state)
            if ends and level == self.num_layers - 1:
                outputs, below = [outputs[0][-1:], *[y[:1] for y in outputs[1:]]], below[-1:]
            if self.merge == "concat":
                x = torch.cat(outputs, 2)
            elif self.merge == "product":
                x = outputs[0] * outputs[1]
            else:
                x = (outputs[0] + outputs[1]) * (0.5 if self.merge == "mean" else 1)
            if self.residual and level > 0:
                x = x + below
        return x, last

    def begin(self, end, x):
        """The learned state, or zeros."""
        parts = [self.of(f"initial_{part}", end) for part in ("hc" if self.cell == "lstm" else "h")]
        zeros = x.new_zeros(x.shape[1], self.units)
        return tuple(zeros if part is None else zeros + part for part in parts)

    def mask(self, rate, like):
        return nn.functional.dropout(torch.ones_like(like), rate, self.training)

    def run(self, end, x, state):
        weight_hh, weight_hr = self.of("weight_hh", end), self.of("weight_hr", end)
        if weight_hr is not None:
            weight_hh = weight_hh @ weight_hr
        weight_hh = nn.functional.dropout(weight_hh, self.weight_drop, self.training)
        x = x * self.mask(self.variational_dropout, x[:1])
        read_mask = self.mask(self.variational_dropout, state[0])
        sums = self.normed(nn.functional.linear(x, self.of("weight_ih", end)), self.of("norm_ih", end))
        outputs = []
        for x_t in sums + self.of("bias_ih", end):
            update = self.mask(self.recurrent_dropout, state[0])
            step = getattr(self, f"{self.cell}_step")
            new = step(end, x_t, state[0] * read_mask, state, weight_hh, update)
            state = tuple(self.zoned(after, before) for after, before in zip(new, state))
            outputs.append(state[0])
        y = torch.stack(outputs)
        return (y if weight_hr is None else nn.functional.linear(y, weight_hr)), state

    def normed(self, x, gain):
        return x if gain is None else nn.functional.layer_norm(x, x.shape[-1:]) * gain

    def zoned(self, after, before):
        if not self.zoneout:
            return after
        stays = (torch.rand_like(after) < self.zoneout).float() if self.training else self.zoneout
        return after + stays * (before - after)

    def rnn_step(self, end, x_t, read, state, weight_hh, update):
        a = x_t + (read * update) @ weight_hh.T + self.of("bias_hh", end)
        phi = {"linear": lambda v: v, "leaky-relu": nn.functional.leaky_relu}
        return (phi.get(self.activation, getattr(torch, self.activation, None))(a),)

    def gru_step(self, end, x_t, read, state, weight_hh, update):
        x, w, b = x_t.split(self.units, 1), weight_hh.split(self.units), self.of("bias_hh", end).split(self.units)
        r, z = (torch.sigmoid(x[k] + read @ w[k].T + b[k]) for k in (0, 1))
        inner = r * (read @ w[2].T + b[2]) if self.reset_after else (r * read) @ w[2].T + b[2]
        return ((1 - z) * torch.tanh(x[2] + inner) * update + z * state[0],)

    def lstm_step(self, end, x_t, read, state, weight_hh, update):
        c, peephole, gain = state[1], self.of("peephole", end), self.of("norm_c", end)
        hidden = self.normed(read @ weight_hh.T, self.of("norm_hh", end)) + self.of("bias_hh", end)
        parts = (x_t + hidden).split(self.units, 1)
        peeks = None if peephole is None else peephole.split(self.units)
        gate = lambda sum, k, cell: torch.sigmoid(sum if peeks is None else sum + peeks[k] * cell)
        i = gate(parts[0], 0, c)
        f = 1 - i if self.coupled else gate(parts[1], 1, c)
        c = f * c + i * torch.tanh(parts[-2]) * update
        seen = c if gain is None else self.normed(c, gain) + self.of("norm_c_bias", end)
        return gate(parts[-1], self.blocks - 2, c) * torch.tanh(seen), c

`;
