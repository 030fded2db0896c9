"""PyPortfolioOpt, skfolio and PyTorch on the tasks of bench/portfolio.ts: times in milliseconds as JSON."""
import json
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def returns_of(assets, days):
    random = np.random.default_rng(11)
    market = 0.03 * random.standard_normal(days)
    index = np.arange(assets)
    return 0.0003 * (index % 7) + market[:, None] * (0.6 + 0.04 * (index % 20)) + 0.02 * random.standard_normal((days, assets))


def median_ms(work, runs):
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def moments(assets, days):
    from pypfopt import risk_models
    import pandas as pd

    returns = pd.DataFrame(returns_of(assets, days))
    cov = risk_models.CovarianceShrinkage(returns, returns_data=True, frequency=365).ledoit_wolf()
    return returns, 365 * returns.mean(), cov


def markowitz():
    from pypfopt import EfficientFrontier
    from skfolio import RiskMeasure
    from skfolio.optimization import MeanRisk, ObjectiveFunction
    from skfolio.moments import LedoitWolf
    from skfolio.prior import EmpiricalPrior

    returns, mu, cov = moments(20, 500)
    _, many_mu, many_cov = moments(200, 1000)

    def curve():
        low = EfficientFrontier(mu, cov, solver="CLARABEL")
        low.min_volatility()
        start = low.portfolio_performance(risk_free_rate=0)[0]
        for target in np.linspace(start, start + 0.99 * (mu.max() - start), 100):
            EfficientFrontier(mu, cov, solver="CLARABEL").efficient_return(target)

    def skfolio_ratio():
        MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_RATIO,
            risk_measure=RiskMeasure.VARIANCE,
            prior_estimator=EmpiricalPrior(covariance_estimator=LedoitWolf()),
        ).fit(returns.values)

    return {
        "maxSharpe20": median_ms(lambda: EfficientFrontier(mu, cov, solver="CLARABEL").max_sharpe(risk_free_rate=0), 21),
        "skfolioMaxSharpe20": median_ms(skfolio_ratio, 11),
        "frontier100": median_ms(curve, 3),
        "maxSharpe200": median_ms(lambda: EfficientFrontier(many_mu, many_cov, solver="CLARABEL").max_sharpe(risk_free_rate=0), 3),
    }


def deep():
    try:
        import torch
    except ImportError:
        return {}
    assets, lookback, hidden, bars, steps = 20, 30, 32, 64, 100
    returns = torch.tensor(returns_of(assets, 600), dtype=torch.float32)

    class Deep(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(assets, hidden, batch_first=True)
            self.key = torch.nn.Linear(hidden, hidden)
            self.score = torch.nn.Linear(hidden, 1, bias=False)
            self.head = torch.nn.Linear(hidden, assets)

        def forward(self, x):
            states, _ = self.lstm(x)
            weights = torch.softmax(self.score(torch.tanh(self.key(states))).squeeze(2), 1)
            return torch.softmax(self.head((states * weights.unsqueeze(2)).sum(1)), 1)

    model = Deep()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    windows = returns.unfold(0, lookback, 1).transpose(1, 2)

    def step(first):
        x = windows[first : first + bars]
        nxt = returns[first + lookback : first + lookback + bars]
        w = model(x)
        before = torch.cat([torch.full((1, assets), 1 / assets), w[:-1]])
        gains = (w * nxt).sum(1) - 0.001 * (w - before).abs().sum(1)
        loss = -gains.mean() / (gains.var(unbiased=False) + 1e-12).sqrt()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    for k in range(10):
        step(k)
    start = time.perf_counter()
    for k in range(steps):
        step(400 + k % 50)
    return {"deepSteps": 1000 * (time.perf_counter() - start)}


print(json.dumps({**markowitz(), **deep()}))
