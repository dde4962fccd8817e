# requirements: torch==2.13.0
# Golden values of an encoder whose last states a decoder starts in: torch.nn's LSTM, GRU and RNN, packed by their
# lengths. The loss reads the decoder's outputs, and in some cases the encoder's too; the encoder starts in states that
# are parameters.
# Run: python test/golden/states.py
import torch
from common import draw, write

LAYERS = {
    "rnn-tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
    "rnn-relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (torch.nn.LSTM, {}),
    "gru-reset-after": (torch.nn.GRU, {}),
}
NAMES = {"weightIh": "weight_ih_l0", "weightHh": "weight_hh_l0", "biasIh": "bias_ih_l0", "biasHh": "bias_hh_l0"}


def layer_of(cell, inputs, units):
    kind, options = LAYERS[cell]
    layer = kind(inputs, units, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(*parameter.shape, scale=0.6))
    return layer


def weights_of(layer):
    return {ours: getattr(layer, theirs) for ours, theirs in NAMES.items()}


def case(cell, T, steps, B, I, H, lengths, through_outputs):
    encoder, decoder = layer_of(cell, I, H), layer_of(cell, 3, H)
    source, target = draw(T, B, I).requires_grad_(), draw(steps, B, 3).requires_grad_()
    h0, c0 = draw(B, H, scale=0.5).requires_grad_(), draw(B, H, scale=0.5).requires_grad_()
    dy, dy_encoder = draw(steps, B, H), draw(T, B, H) * through_outputs
    state = (h0[None], c0[None]) if cell == "lstm" else h0[None]
    packed = torch.nn.utils.rnn.pack_padded_sequence(source, torch.tensor(lengths or [T] * B), enforce_sorted=False)
    outputs, last = encoder(packed, state)
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, total_length=T)
    y, _ = decoder(target, last)
    ((y * dy).sum() + (outputs * dy_encoder).sum()).backward()
    inputs = {"source": source, "target": target, "h0": h0}
    if cell == "lstm":
        inputs["c0"] = c0
    inputs |= {f"encoder.{name}": weight for name, weight in weights_of(encoder).items()}
    inputs |= {f"decoder.{name}": weight for name, weight in weights_of(decoder).items()}
    hN, cN = (last[0][0], last[1][0]) if cell == "lstm" else (last[0], None)
    how = "and the encoder's outputs" if through_outputs else "alone"
    return {
        "name": f"{cell}, through the states {how}, {'lengths ' + str(lengths) if lengths else 'all steps'}",
        "cell": cell,
        "lengths": lengths,
        "throughOutputs": bool(through_outputs),
        "inputs": inputs,
        "hN": hN,
        **({} if cN is None else {"cN": cN}),
        "y": y,
        "dy": dy,
        "dyEncoder": dy_encoder,
        "gradients": {name: tensor.grad for name, tensor in inputs.items()},
    }


write("states", "An encoder whose last states a decoder starts in; the loss is the sum of y dy + (encoder's y) dyEncoder.", [
    case(cell, 6, 4, 3, 2, 5, lengths, through_outputs)
    for cell in LAYERS
    for lengths, through_outputs in [(None, 0), ([4, 6, 1], 0), ([6, 2, 5], 1)]
])
