"""XGBoost hist, one thread, on the rows that bench/classical.ts wrote: milliseconds (median of 3) and loss."""
import json, statistics, sys, time
import numpy as np, xgboost as xgb

folder = sys.argv[1]
y = np.fromfile(f"{folder}/labels.f32", np.float32)
X = np.fromfile(f"{folder}/columns.f32", np.float32).reshape(-1, len(y)).T
params = dict(objective="binary:logistic", tree_method="hist", max_depth=6, eta=0.3, nthread=1, max_bin=256, base_score=0.5)
times = []
for _ in range(3):
    start = time.perf_counter()
    data = xgb.DMatrix(X, label=y, nthread=1)
    booster = xgb.train(params, data, 100)
    times.append(1000 * (time.perf_counter() - start))
p = np.clip(booster.predict(data), 1e-15, 1 - 1e-15)
start = time.perf_counter(); booster.predict(xgb.DMatrix(X, nthread=1)); predict = 1000 * (time.perf_counter() - start)
print(json.dumps({"ms": statistics.median(times), "loss": float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))), "predictMs": predict}))
