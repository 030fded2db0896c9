"""PyTorch's side of `npm run bench -- models`: training of one network, one thread count, one line of JSON.

usage: models_torch.py <tft|lstm-cnn> <threads>

The Temporal Fusion Transformer has the layout of NVIDIA's implementation, with the symbol as the only static
covariate; sizes are those of `train --mode full`: 13 observed and 4 known inputs, 168 + 24 steps, batch 64.
"""
import json
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

workload, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(1)

BATCH, PAST, FUTURE, OBSERVED, KNOWN, SYMBOLS = 64, 168, 24, 13, 4, 3


class Glu(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.lin = nn.Linear(inputs, 2 * outputs)

    def forward(self, x):
        return F.glu(self.lin(x), -1)


class Grn(nn.Module):
    def __init__(self, inputs, hidden, outputs=None, context=None, dropout=0.1):
        super().__init__()
        outputs = outputs or hidden
        self.lin_a = nn.Linear(inputs, hidden)
        self.lin_c = nn.Linear(context, hidden, bias=False) if context else None
        self.lin_i = nn.Linear(hidden, hidden)
        self.glu = Glu(hidden, outputs)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(outputs, eps=1e-3)
        self.project = nn.Linear(inputs, outputs) if inputs != outputs else nn.Identity()

    def forward(self, x, context=None):
        a = self.lin_a(x)
        if context is not None:
            a = a + self.lin_c(context)
        return self.norm(self.glu(self.dropout(self.lin_i(F.elu(a)))) + self.project(x))


class Vsn(nn.Module):
    def __init__(self, variables, hidden, context=None):
        super().__init__()
        self.joint = Grn(hidden * variables, hidden, outputs=variables, context=context)
        self.single = nn.ModuleList(Grn(hidden, hidden) for _ in range(variables))

    def forward(self, x, context=None):  # x [batch, time, hidden, variables]
        weights = torch.softmax(self.joint(x.flatten(-2), context), -1)
        each = torch.stack([grn(x[..., i]) for i, grn in enumerate(self.single)], -1)
        return torch.matmul(each, weights.unsqueeze(-1)).squeeze(-1)


class Embedding(nn.Module):
    def __init__(self, variables, hidden):
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(variables, hidden) * (2 / hidden) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(variables, hidden))

    def forward(self, x):  # [batch, time, variables] -> [batch, time, hidden, variables]
        return (x.unsqueeze(-1) * self.vectors + self.bias).transpose(-1, -2)


class Tft(nn.Module):
    def __init__(self, hidden=64, heads=4, quantiles=3):
        super().__init__()
        self.heads, self.depth = heads, hidden // heads
        self.known, self.observed = Embedding(KNOWN, hidden), Embedding(OBSERVED, hidden)
        self.symbol = nn.Embedding(SYMBOLS, hidden)
        self.encode = Grn(hidden, hidden)
        self.contexts = nn.ModuleList(Grn(hidden, hidden) for _ in range(4))
        self.past, self.future = Vsn(OBSERVED + KNOWN, hidden, hidden), Vsn(KNOWN, hidden, hidden)
        self.encoder = nn.LSTM(hidden, hidden, batch_first=True)
        self.decoder = nn.LSTM(hidden, hidden, batch_first=True)
        self.gates = nn.ModuleList(Glu(hidden, hidden) for _ in range(3))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden, eps=1e-3) for _ in range(3))
        self.enrich, self.positionwise = Grn(hidden, hidden, context=hidden), Grn(hidden, hidden)
        self.qkv = nn.Linear(hidden, (2 * heads + 1) * self.depth, bias=False)
        self.project = nn.Linear(self.depth, hidden, bias=False)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(hidden, quantiles)
        mask = torch.full((PAST + FUTURE, PAST + FUTURE), float("-inf")).triu(1)
        self.register_buffer("mask", mask[PAST:])
        self.register_buffer("asked", torch.tensor([0, 3, 23]))

    def attention(self, x):
        batch, time, size = x.shape
        q, k, v = self.qkv(x).split((size, size, self.depth), -1)
        q = q[:, PAST:].view(batch, FUTURE, self.heads, self.depth).transpose(1, 2)
        k = k.view(batch, time, self.heads, self.depth).permute(0, 2, 3, 1)
        weights = torch.softmax(q @ k * self.depth**-0.5 + self.mask, -1).mean(1)
        return self.project(weights @ v)

    def forward(self, observed, known, symbol):
        encoded = self.encode(self.symbol(symbol))
        select, enrich, h, c = (grn(encoded) for grn in self.contexts)
        embedded = self.known(known)
        past = self.past(torch.cat((self.observed(observed), embedded[:, :PAST]), -1), select.unsqueeze(1))
        future = self.future(embedded[:, PAST:], select.unsqueeze(1))
        history, state = self.encoder(past, (h.unsqueeze(0), c.unsqueeze(0)))
        decoded, _ = self.decoder(future, state)
        x = torch.cat((history, decoded), 1)
        temporal = self.norms[0](self.gates[0](self.drop(x)) + torch.cat((past, future), 1))
        enriched = self.enrich(temporal, enrich.unsqueeze(1))
        asked = lambda t: t[:, PAST:].index_select(1, self.asked)
        mixed = self.attention(enriched).index_select(1, self.asked)
        out = self.norms[1](self.gates[1](self.drop(mixed)) + asked(enriched))
        out = self.norms[2](self.gates[2](self.positionwise(out)) + asked(temporal))
        return self.head(out)  # [batch, 3 horizons, quantiles]


class LstmCnn(nn.Module):
    def __init__(self, hidden=128, channels=(64, 128), dropout=0.2):
        super().__init__()
        self.lstm = nn.LSTM(OBSERVED, hidden, num_layers=2, batch_first=True, dropout=dropout)
        self.drop = nn.Dropout(dropout)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(inputs, outputs, 3) for inputs, outputs in zip((5, channels[0]), channels)
        )
        self.fusion, self.head = nn.Linear(hidden + channels[-1], hidden), nn.Linear(hidden, 1)

    def forward(self, observed):
        memory = self.drop(self.lstm(observed)[0][:, -1])
        image = observed[..., 1:6].transpose(1, 2)
        for convolution in self.convolutions:
            image = F.max_pool1d(F.relu(convolution(F.pad(image, (2, 0)))), 2)
        return self.head(F.relu(self.fusion(torch.cat((memory, image.mean(-1)), 1))))


def pinball(output, target):
    levels = torch.tensor([0.1, 0.5, 0.9])
    error = target.unsqueeze(-1) - output
    return torch.maximum(levels * error, (levels - 1) * error).sum((1, 2)).mean()


if workload == "tft":
    model = Tft()
    inputs = (
        torch.randn(BATCH, PAST, OBSERVED),
        torch.randn(BATCH, PAST + FUTURE, KNOWN),
        torch.randint(SYMBOLS, (BATCH,)),
    )
    target, loss_of = torch.randn(BATCH, 3), pinball
elif workload == "lstm-cnn":
    model = LstmCnn()
    inputs = (torch.randn(BATCH, PAST, OBSERVED),)
    target, loss_of = torch.randint(2, (BATCH, 1)).float(), F.binary_cross_entropy_with_logits
else:
    raise SystemExit(f"no workload {workload}")

optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)


def step():
    optimizer.zero_grad(set_to_none=True)
    loss_of(model(*inputs), target).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


for _ in range(2):
    step()
times = []
for _ in range(7):
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"samplesPerSecond": BATCH / statistics.median(times), "peakMb": peak}))
