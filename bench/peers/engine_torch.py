"""PyTorch's side of `npm run bench -- engine`: one workload, one thread count, one line of JSON.

usage: engine_torch.py <workload> <threads>
"""
import json
import resource
import statistics
import sys
import time

import torch
from torch import nn

workload, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(1)


def median_ms(work, runs, warm_up=3):
    for _ in range(warm_up):
        work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def training(model, x, y, optimizer=torch.optim.Adam):
    opt = optimizer(model.parameters(), lr=1e-3)
    loss_of = nn.MSELoss()

    def step():
        opt.zero_grad(set_to_none=True)
        loss_of(model(x), y).backward()
        opt.step()

    return step


class Last(nn.Module):
    """A recurrent network and a linear head on its last step."""

    def __init__(self, body, hidden):
        super().__init__()
        self.body, self.head = body, nn.Linear(hidden, 1)

    def forward(self, x):
        return self.head(self.body(x)[0][:, -1])


class Encoder(nn.Module):
    """Linear embedding, two post-norm encoder layers of width 64 with 4 heads, a head on the last step."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 64)
        layer = nn.TransformerEncoderLayer(64, 4, dim_feedforward=256, dropout=0.0, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.mask = nn.Transformer.generate_square_subsequent_mask(168)
        self.head = nn.Linear(64, 1)

    def forward(self, x):
        return self.head(self.body(self.embed(x), mask=self.mask, is_causal=True)[:, -1])


def run():
    if workload == "mlp":
        model = nn.Sequential(nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
        return median_ms(training(model, torch.randn(64, 20), torch.randn(64, 1)), 500, 50)
    if workload == "lstm":
        model = Last(nn.LSTM(8, 128, num_layers=2, batch_first=True), 128)
        return median_ms(training(model, torch.randn(128, 168, 8), torch.randn(128, 1)), 7)
    if workload == "gru":
        model = Last(nn.GRU(8, 128, num_layers=2, batch_first=True), 128)
        return median_ms(training(model, torch.randn(128, 168, 8), torch.randn(128, 1)), 7)
    if workload == "transformer":
        return median_ms(training(Encoder(), torch.randn(64, 168, 8), torch.randn(64, 1)), 7)
    model = Last(nn.LSTM(8, 128, num_layers=2, batch_first=True), 128).eval()
    with torch.inference_mode():
        if workload == "lstm-window":
            one = torch.randn(1, 168, 8)
            return median_ms(lambda: model(one), 50, 10)
        if workload == "lstm-windows":
            batch = torch.randn(17520, 168, 8)
            return median_ms(lambda: [model(batch[i : i + 256]) for i in range(0, 17520, 256)], 2, 1)
    raise SystemExit(f"no workload {workload}")


ms = run()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"ms": ms, "peakMb": peak}))
