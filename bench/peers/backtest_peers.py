"""vectorbt, backtesting.py, backtrader and nautilus_trader on a moving-average cross with fees, slippage, stop and target over minutes.
Prints M bars/s of each that is installed, and vectorbt's milliseconds a cross in a sweep."""
import json, time
import numpy as np, pandas as pd

BARS, SLOW_BARS, SWEEP = 1_051_200, 100_000, 40
rng = np.random.default_rng(7)
close = 50_000 * np.exp(np.cumsum(0.0008 * rng.standard_normal(BARS)))
open_ = np.concatenate([[50_000.0], close[:-1]])
high = np.maximum(open_, close) * (1 + 0.0004 * rng.random(BARS))
low = np.minimum(open_, close) * (1 - 0.0004 * rng.random(BARS))
index = pd.date_range("2024-01-01", periods=BARS, freq="min")
figures = {}

def timed(work, runs=3):
    times = []
    for _ in range(runs):
        start = time.perf_counter(); work(); times.append(time.perf_counter() - start)
    return sorted(times)[runs // 2]

def means(n, of=close):
    return pd.Series(of).rolling(n).mean().to_numpy()

above = means(100) > means(500)
enter = above & ~np.concatenate([[False], above[:-1]])
leave = ~above & np.concatenate([[False], above[:-1]])

try:
    import vectorbt as vbt
    def one():
        return vbt.Portfolio.from_signals(close, np.roll(enter, 1), np.roll(leave, 1), open=open_, high=high, low=low,
            price=open_, fees=.001, slippage=.0005, sl_stop=.02, tp_stop=.04, init_cash=10_000, freq="1min").value()
    one()
    figures["vectorbtMillions"] = BARS / timed(one) / 1e6
    shorter = pd.Series(close[:1_000_000])
    pairs = [(10 + 5 * (i % 25), 200 + 20 * (i // 25)) for i in range(SWEEP)]
    def sweep():
        for i in range(0, SWEEP, 10):
            chunk = pairs[i:i + 10]
            fast = vbt.MA.run(shorter, [f for f, _ in chunk], short_name="fast")
            slow = vbt.MA.run(shorter, [s for _, s in chunk], short_name="slow")
            vbt.Portfolio.from_signals(shorter, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow),
                fees=.001, slippage=.0005, init_cash=10_000, freq="1min").total_return()
    figures["vectorbtSweepMs"] = 1000 * timed(sweep, 1) / SWEEP
except ImportError:
    pass

try:
    from backtesting import Backtest, Strategy
    frame = pd.DataFrame({"Open": open_, "High": high, "Low": low, "Close": close, "Volume": 1.0}, index=index)[:SLOW_BARS]
    class Cross(Strategy):
        def init(self):
            self.fast = self.I(lambda x: pd.Series(x).rolling(100).mean(), self.data.Close)
            self.slow = self.I(lambda x: pd.Series(x).rolling(500).mean(), self.data.Close)
        def next(self):
            price = self.data.Close[-1]
            if self.fast[-1] > self.slow[-1]:
                if not self.position: self.buy(sl=price * .98, tp=price * 1.04)
            elif self.position: self.position.close()
    figures["backtestingMillions"] = SLOW_BARS / timed(lambda: Backtest(frame, Cross, cash=1_000_000, commission=.001, spread=.001).run(), 1) / 1e6
except ImportError:
    pass

try:
    import backtrader as bt
    data = pd.DataFrame({"open": open_, "high": high, "low": low, "close": close, "volume": 1.0}, index=index)[:SLOW_BARS]
    class Sma(bt.Strategy):
        def __init__(self):
            self.cross = bt.ind.CrossOver(bt.ind.SMA(period=100), bt.ind.SMA(period=500))
        def next(self):
            price = self.data.close[0]
            if self.cross > 0 and not self.position: self.buy_bracket(limitprice=price * 1.04, stopprice=price * .98, exectype=bt.Order.Market)
            elif self.cross < 0 and self.position: self.close()
    def run():
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(bt.feeds.PandasData(dataname=data)); cerebro.addstrategy(Sma)
        cerebro.broker.setcash(1_000_000); cerebro.broker.setcommission(.001); cerebro.broker.set_slippage_perc(.0005)
        cerebro.run()
    figures["backtraderMillions"] = SLOW_BARS / timed(run, 1) / 1e6
except ImportError:
    pass

try:
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig
    from nautilus_trader.indicators import SimpleMovingAverage
    from nautilus_trader.model import BarType, Money, Quantity, Venue
    from nautilus_trader.model.currencies import USDT
    from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
    from nautilus_trader.persistence.wranglers import BarDataWrangler
    from nautilus_trader.test_kit.providers import TestInstrumentProvider
    from nautilus_trader.trading.strategy import Strategy as Trader
    coin = TestInstrumentProvider.btcusdt_binance()
    kind = BarType.from_str("BTCUSDT.BINANCE-1-MINUTE-LAST-EXTERNAL")
    prices = pd.DataFrame({"open": open_, "high": high, "low": low, "close": close, "volume": 10.0}, index=index.tz_localize("UTC"))
    bars = BarDataWrangler(kind, coin).process(prices[:SLOW_BARS].round(2))
    class Bracket(Trader):
        def on_start(self):
            self.fast, self.slow = SimpleMovingAverage(100), SimpleMovingAverage(500)
            self.register_indicator_for_bars(kind, self.fast); self.register_indicator_for_bars(kind, self.slow)
            self.subscribe_bars(kind)
        def on_bar(self, bar):
            if not self.slow.initialized: return
            above, flat = self.fast.value > self.slow.value, self.portfolio.is_flat(coin.id)
            if above and flat and not self.cache.orders_open(strategy_id=self.id):
                price = float(bar.close)
                self.submit_order_list(self.order_factory.bracket(instrument_id=coin.id, order_side=OrderSide.BUY,
                    quantity=Quantity.from_str("1.000000"), sl_trigger_price=coin.make_price(price * .98), tp_price=coin.make_price(price * 1.04)))
            elif not above and not flat:
                self.cancel_all_orders(coin.id); self.close_all_positions(coin.id)
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(Venue("BINANCE"), OmsType.NETTING, AccountType.CASH, [Money(1_000_000, USDT)], base_currency=None)
    engine.add_instrument(coin); engine.add_data(bars); engine.add_strategy(Bracket())
    start = time.perf_counter(); engine.run()
    figures["nautilusMillions"] = SLOW_BARS / (time.perf_counter() - start) / 1e6
except ImportError:
    pass

print(json.dumps(figures))
