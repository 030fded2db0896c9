"""River's detectors on the task of bench/adapt/detectors.ts: million values a second, as JSON."""
import json
import random
import time

from river import drift
from river.drift import binary

COUNT = 200_000
DETECTORS = {
    "ADWIN": (drift.ADWIN, False),
    "PageHinkley": (drift.PageHinkley, False),
    "KSWIN": (drift.KSWIN, False),
    "DDM": (binary.DDM, True),
    "EDDM": (binary.EDDM, True),
    "HDDM_A": (binary.HDDMA, True),
    "HDDM_W": (binary.HDDMW, True),
}

figures = {}
for name, (create, errors) in DETECTORS.items():
    draw = random.Random(1)
    count = COUNT // 100 if name == "KSWIN" else COUNT
    values = [(1 if draw.random() < 0.2 else 0) if errors else draw.random() for _ in range(count)]
    best = float("inf")
    for _ in range(3):
        detector = create()
        update = detector.update
        start = time.perf_counter()
        for value in values:
            update(value)
        best = min(best, time.perf_counter() - start)
    figures[name] = count / best / 1e6
print(json.dumps(figures))
