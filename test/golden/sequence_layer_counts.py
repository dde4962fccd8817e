# requirements: torch==2.13.0, transformers==5.18.0 (its mixers hold the weights of mamba_ssm's modules)
# Parameters of sequence layers that are named, not trained from code, as their own modules count them.
# Run: python test/golden/sequence_layer_counts.py, which writes sequence_layer_counts.json.
import json
import pathlib

from torch import nn
from transformers import Mamba2Config, MambaConfig
from transformers.models.mamba2.modeling_mamba2 import Mamba2Mixer
from transformers.models.mamba.modeling_mamba import MambaMixer

TORCH = [
    "nn.MultiheadAttention(64, 4)",
    "nn.MultiheadAttention(64, 4, kdim=32, vdim=16, bias=False)",
    "nn.MultiheadAttention(64, 4, add_bias_kv=True)",
    "nn.TransformerEncoderLayer(64, 4, 128)",
    "nn.TransformerEncoderLayer(64, 4, bias=False)",
    "nn.TransformerDecoderLayer(d_model=64, nhead=4, dim_feedforward=256)",
    "nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 4, 128), num_layers=3)",
    "nn.TransformerDecoder(nn.TransformerDecoderLayer(32, 4), 2)",
    "nn.Transformer(64, 4, 2, 3, 100)",
    "nn.Transformer(64, 4, 2, 3, 100, bias=False)",
    "nn.Conv1d(12, 24, 5, groups=3)",
    "nn.Conv1d(12, 24, 5, bias=False)",
    "nn.CTCLoss(blank=0)",
]
MAMBA = [
    ("Mamba(d_model=64)", MambaMixer, MambaConfig(hidden_size=64, state_size=16)),
    (
        "Mamba(48, 8, 3, 3, 5, bias=True, conv_bias=False)",
        MambaMixer,
        MambaConfig(
            hidden_size=48,
            state_size=8,
            conv_kernel=3,
            expand=3,
            time_step_rank=5,
            use_bias=True,
            use_conv_bias=False,
        ),
    ),
    (
        "Mamba2(256, d_state=64)",
        Mamba2Mixer,
        Mamba2Config(hidden_size=256, state_size=64, expand=2, head_dim=64, num_heads=8, n_groups=1),
    ),
]


def count(module):
    return sum(weight.numel() for weight in module.parameters())


cases = [{"code": code, "count": count(eval(code))} for code in TORCH]
cases += [{"code": code, "count": count(Mixer(config, 0))} for code, Mixer, config in MAMBA]
target = pathlib.Path(__file__).with_suffix(".json")
target.write_text(json.dumps(cases, indent=1) + "\n")
