"""TA-Lib on the eight indicators of bench/features.ts, one million bars: median milliseconds of 3."""
import json, statistics, time
import numpy as np, talib

rng = np.random.default_rng(4)
close = 100 * np.exp(np.cumsum(0.005 * rng.standard_normal(1_000_000)))
open_ = np.concatenate([[100.0], close[:-1]])
high = np.maximum(open_, close) * (1 + 0.002 * rng.random(len(close)))
low = np.minimum(open_, close) * (1 - 0.002 * rng.random(len(close)))
volume = 1000 * rng.random(len(close))

def work():
    talib.RSI(close, 14); talib.ATR(high, low, close, 14); talib.ADX(high, low, close, 14)
    talib.CCI(high, low, close, 14); talib.MACD(close); talib.STOCHF(high, low, close, 14, 3)
    talib.MFI(high, low, close, volume, 14); talib.BBANDS(close, 20)

times = []
for _ in range(4):
    start = time.perf_counter(); work(); times.append(1000 * (time.perf_counter() - start))
print(json.dumps({"ms": statistics.median(times[1:])}))
