import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import { market } from './market.ts';

// One file a symbol, for pandas, DuckDB or Spark: time as epoch milliseconds, a column a feature.
const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-example-'));
const names = ['rsi_14', 'volatility_20', 'macd_histogram'];
for (const { symbol, candles, features } of market(names).series) {
  const columns = features.names.map((name, i) => pl.Series(name, features.columns[i], pl.Float64));
  const frame = pl.DataFrame([pl.Series('time', candles.time, pl.Float64), ...columns]);
  const file = join(folder, `${symbol.replace('/', '-')}.parquet`);
  frame.writeParquet(file, { compression: 'zstd' });
  const back = pl.readParquet(file);
  process.stdout.write(
    `${symbol}: ${back.height} rows of ${back.columns.join(', ')} in ${Math.round(statSync(file).size / 1024)} KiB\n`,
  );
}
rmSync(folder, { recursive: true });
