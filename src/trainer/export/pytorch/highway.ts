// Highway layers as pairs of torch.nn.Linear.
import type { PyTorchLayer } from './kind.ts';

export const highway: PyTorchLayer<'highway'> = {
  module: ({ layers, activation }, { inputs }) => `Highway(${inputs}, ${layers}, ${FUNCTIONS[activation]})`,
  code: () => CODE,
};

const FUNCTIONS = {
  relu: 'torch.relu',
  tanh: 'torch.tanh',
  sigmoid: 'torch.sigmoid',
  gelu: 'nn.functional.gelu',
} as const;

const CODE = `class Highway(nn.ModuleList):
    """Levels that pass a share of each number on unchanged (Srivastava et al. 2015)."""

    def __init__(self, width, levels, activation):
        super().__init__([
            nn.ModuleDict({"transform": nn.Linear(width, width), "gate": nn.Linear(width, width)})
            for _ in range(levels)
        ])
        self.activation = activation

    def forward(self, x):
        for level in self:
            gate = torch.sigmoid(level["gate"](x))
            x = gate * self.activation(level["transform"](x)) + (1 - gate) * x
        return x

`;
