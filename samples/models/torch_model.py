"""Recurrent models in PyTorch. Unroll reads them where they stand: press Train above one."""

import torch
from torch import nn

HIDDEN = 64


class CharModel(nn.Module):
    """Predicts the next character of a text: train it on data/emma.txt."""

    def __init__(self, symbols: int):
        super().__init__()
        self.embed = nn.Embedding(symbols, 32)
        self.rnn = nn.LSTM(32, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, symbols)

    def forward(self, x):
        x, _ = self.rnn(self.embed(x))
        return self.out(x)


class Adder(nn.Module):
    """A plain RNN forgets the first of two numbers over a hundred steps: train it on the adding problem."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(2, 32, batch_first=True)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        x, _ = self.rnn(x)
        return self.out(x[:, -1])


if __name__ == "__main__":
    print(Adder()(torch.zeros(1, 100, 2)).shape)
