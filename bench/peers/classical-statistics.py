"""arch and statsmodels, one thread, on the series that bench/classical.ts wrote: milliseconds (median of 3) a fit."""
import json, os, statistics, sys, time, warnings
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np
from arch import arch_model
from statsmodels.tsa.stattools import coint
from statsmodels.tsa.vector_ar.vecm import coint_johansen

warnings.filterwarnings("ignore")
folder = sys.argv[1]
returns, y, x = (np.fromfile(f"{folder}/{name}.f64", np.float64) for name in ("returns", "y", "x"))

def median(work, runs=3):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times), result

def garch(o, dist):
    return lambda: arch_model(returns, mean="Constant", vol="GARCH", p=1, o=o, q=1, dist=dist, rescale=False).fit(disp="off")

out = {}
for name, o, dist in (("garch", 0, "normal"), ("gjr", 1, "normal"), ("garch-t", 0, "t"), ("gjr-t", 1, "t")):
    out[f"{name}Ms"], fit = median(garch(o, dist))
    fit.std_err
    out[f"{name}LogLikelihood"] = float(fit.loglikelihood)
out["engleGrangerMs"], result = median(lambda: coint(y, x, trend="c", maxlag=24, autolag="aic"), 1)
out["engleGrangerStatistic"] = float(result[0])
out["johansenMs"], result = median(lambda: coint_johansen(np.column_stack([y, x]), 0, 2))
out["johansenTrace"] = float(result.lr1[0])
print(json.dumps(out))
