"""Optuna's TPE on the task of bench/tuning.ts: milliseconds to ask for a trial, as JSON."""
import json
import math
import time

import numpy as np
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
PAST = 1000
SPACE = {
    "rate": optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True),
    "dropout": optuna.distributions.FloatDistribution(0, 0.6),
    "layers": optuna.distributions.IntDistribution(1, 6),
    "hidden": optuna.distributions.IntDistribution(8, 256, log=True),
    "cell": optuna.distributions.CategoricalDistribution(["lstm", "gru", "cnn"]),
}


def loss(params):
    return (math.log10(params["rate"]) + 3) ** 2 + params["dropout"] + abs(params["layers"] - 3)


study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
draws = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
for _ in range(PAST):
    trial = draws.ask(SPACE)
    study.add_trial(optuna.trial.create_trial(params=trial.params, distributions=SPACE, value=loss(trial.params)))
times = []
for _ in range(21):
    start = time.perf_counter()
    trial = study.ask(SPACE)
    times.append(1000 * (time.perf_counter() - start))
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
print(json.dumps({"tpe1000": float(np.median(times))}))
