# requirements: torch==2.13.0, keras==3.15.1
"""The parameters of torch.nn's and Keras's constructors, in their order, with the defaults that are plain values.

    python test/golden/signatures.py > test/golden/signatures.json
"""

import inspect
import json
import os
import typing

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras  # noqa: E402
import torch  # noqa: E402

TORCH = "LSTM GRU RNN LSTMCell GRUCell RNNCell Embedding Linear Dropout Sequential LayerNorm".split()
KERAS = (
    "LSTM GRU SimpleRNN LSTMCell GRUCell SimpleRNNCell Embedding Dense Dropout SpatialDropout1D Bidirectional "
    "TimeDistributed RNN Sequential Activation Masking RepeatVector Reshape Permute Conv1D Conv2D Conv3D "
    "SeparableConv1D SeparableConv2D MaxPooling1D AveragePooling1D MaxPooling2D AveragePooling2D MaxPooling3D "
    "Concatenate ConvLSTM1D ConvLSTM2D ConvLSTM3D"
).split()


def signature_of(constructor):
    # torch.nn.LSTM says its parameters in the first of its overloads only
    form = next(iter(typing.get_overloads(constructor.__init__)), constructor.__init__)
    parameters = [
        parameter
        for name, parameter in inspect.signature(form).parameters.items()
        if name != "self" and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    plain = (bool, int, float, str)
    return {
        "parameters": [parameter.name for parameter in parameters],
        "defaults": {
            parameter.name: parameter.default for parameter in parameters if isinstance(parameter.default, plain)
        },
    }


cases = {
    "torch": {name: signature_of(getattr(torch.nn, name)) for name in TORCH},
    "keras": {name: signature_of(getattr(keras if name == "Sequential" else keras.layers, name)) for name in KERAS},
}
print(json.dumps({"cases": cases}, indent=1))
