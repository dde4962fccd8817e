# requirements: torch==2.13.0
# Golden values of simple recurrent layers whose activation torch.nn.RNN does not have: unrolled by hand, gradients by
# autograd.
# Run: python test/golden/rnn_activations.py
from common import write
from recurrent import OTHER_ACTIVATIONS, cases_of

write("rnn_activations", "One simple recurrent layer; the loss is the sum of y dy + hN dhN.",
      [each for cell in OTHER_ACTIVATIONS for each in cases_of(cell)])
