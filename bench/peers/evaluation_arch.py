"""Times arch's SPA and bootstrap on the columns that bench/evaluation.ts wrote, on one thread."""
import json, sys, time
import numpy as np
from arch.bootstrap import SPA, StationaryBootstrap

folder, models = sys.argv[1], int(sys.argv[2])
read = lambda name: np.fromfile(f"{folder}/{name}.f64")
benchmark = read("benchmark")
losses = np.column_stack([read(f"model-{m}") for m in range(models)])

start = time.perf_counter()
SPA(benchmark, losses, reps=1000, seed=1).compute()
spa = time.perf_counter() - start

returns = losses[:, 0]
block = 2 * len(returns) ** (1 / 3)
start = time.perf_counter()
StationaryBootstrap(block, returns, seed=1).apply(lambda x: np.array([x.mean(), x.mean() / x.std(ddof=1)]), 1000)
bootstrap = 10 * (time.perf_counter() - start)
print(json.dumps({"spaMs": 1000 * spa, "bootstrapMs": 1000 * bootstrap}))
