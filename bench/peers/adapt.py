"""PyTorch on the task of bench/adapt.ts: MAML on sinusoids, all tasks of a step batched. Milliseconds a step as JSON."""
import json
import time

import torch

torch.manual_seed(1)
TASKS, SHOTS, HIDDEN, INNER = 25, 10, 40, 0.01


def forward(x, parameters):
    for layer in range(3):
        x = torch.baddbmm(parameters[2 * layer + 1], x, parameters[2 * layer])
        if layer < 2:
            x = torch.relu(x)
    return x


def step_ms(second_order, steps=300):
    shapes = [(1, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)]
    parameters = []
    for rows, columns in shapes:
        parameters.append(torch.nn.Parameter(torch.randn(rows, columns) * (2 / (rows + columns)) ** 0.5))
        parameters.append(torch.nn.Parameter(torch.zeros(1, columns)))
    optimiser = torch.optim.Adam(parameters, lr=1e-3)
    started = 0.0
    for step in range(steps + 50):
        if step == 50:
            started = time.perf_counter()
        amplitude = torch.rand(TASKS, 1, 1) * 4.9 + 0.1
        phase = torch.rand(TASKS, 1, 1) * torch.pi
        x = torch.rand(TASKS, 2 * SHOTS, 1) * 10 - 5
        y = amplitude * torch.sin(x - phase)
        own = [one.unsqueeze(0).expand(TASKS, -1, -1) for one in parameters]
        loss = ((forward(x[:, :SHOTS], own) - y[:, :SHOTS]) ** 2).mean((1, 2)).sum()
        gradients = torch.autograd.grad(loss, own, create_graph=second_order)
        adapted = [one - INNER * gradient for one, gradient in zip(own, gradients)]
        outer = ((forward(x[:, SHOTS:], adapted) - y[:, SHOTS:]) ** 2).mean()
        optimiser.zero_grad()
        outer.backward()
        optimiser.step()
    return 1000 * (time.perf_counter() - started) / steps


figures = {}
for threads in (1, 2):
    torch.set_num_threads(threads)
    for name, second_order in (("maml", True), ("first-order", False)):
        took = step_ms(second_order)
        figures[name] = min(took, figures.get(name, took))
print(json.dumps(figures))
