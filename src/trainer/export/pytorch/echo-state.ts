// The echo state network as a loop over time, its weights as buffers, which no optimizer changes.
import { elmanForward } from './elman-code.ts';
import type { PyTorchLayer } from './kind.ts';

export const echoState: PyTorchLayer<'echo-state'> = {
  module: ({ units, leak }, { inputs }) => `EchoState(${inputs}, ${units}, ${leak})`,
  stateful: true,
  code: () => `class EchoState(nn.Module):
    """Echo state network of fixed weights (Jaeger 2001). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, leak):
        super().__init__()
        self.leak = leak
        self.register_buffer("weight_ih", torch.zeros(units, inputs))
        self.register_buffer("weight_hh", torch.zeros(units, units))
        self.register_buffer("bias", torch.zeros(units))

${elmanForward('(1 - self.leak) * h + self.leak * torch.tanh(x_t + h @ self.weight_hh.T)')}
`,
};
