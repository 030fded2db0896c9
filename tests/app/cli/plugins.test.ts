import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

// Each test starts the program many times; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 300_000 });

/** A model that holds the same position for ever; `body` runs when the file is loaded. */
const holding = (id: string, position: number, body = ''): string => `
  import { defineModel, z } from 'crypto-trader';
  ${body}
  const fitted = {
    report: {},
    forecast: async (panel: any) =>
      panel.series.map(({ symbol, candles }: any) => ({
        symbol, horizonBars: 1, position: candles.time.map(() => ${position}), confidence: candles.time.map(() => 1),
      })),
    save: () => ({ json: {}, blobs: {} }),
  };
  export default defineModel({
    id: '${id}', summary: 'holds', kind: 'classical', source: 'test', params: z.strictObject({}), features: () => [],
    fit: async () => fitted, load: async () => fitted,
  });
`;

function project(files: Readonly<Record<string, string>> = {}): {
  readonly folder: string;
  readonly run: (...args: string[]) => ReturnType<typeof runCli>;
} {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'user'));
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, 'user', name), code);
  const environment = { EXCHANGE_API_KEY: 'not-for-plug-ins', PLAIN: 'seen' };
  return { folder, run: (...args) => runCli(args, { cwd: folder, environment }) };
}

const Signals = z.object({
  signals: z.array(z.object({ model: z.string(), symbol: z.string(), position: z.number().optional() })),
});

describe('code of the user’s own', () => {
  it('is not run before somebody has agreed, once for each content', async () => {
    const trace = "import { appendFileSync } from 'node:fs'; appendFileSync('ran', 'x');";
    const { folder, run } = project({ 'mine.ts': holding('mine', 1, trace) });
    const refused = await run('plugin', 'list');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/user\/mine\.ts \(SHA-256 [0-9a-f]{64}\)/);
    expect(() => readFileSync(join(folder, 'ran'))).toThrow('ENOENT');

    expect((await run('plugin', 'list', '--trust')).status).toBe(0);
    expect((await run('plugin', 'list')).stdout).toContain('mine');
    writeFileSync(join(folder, 'user/mine.ts'), holding('mine', -1, trace));
    expect((await run('plugin', 'list')).status).toBe(1);
    expect(readFileSync(join(folder, 'ran'), 'utf8')).toBe('xx');
  });

  it('is asked about again when a file that it imports is another one', async () => {
    const { folder, run } = project({
      'mine.ts': `import { one } from './lib/one';\n${holding('mine', 1)}\nvoid one;`,
    });
    mkdirSync(join(folder, 'user/lib'));
    writeFileSync(join(folder, 'user/lib/one.ts'), "export { two as one } from '../../shared.js';");
    writeFileSync(join(folder, 'shared.ts'), 'export const two = 2;');
    const refused = await run('plugin', 'list');
    expect(refused.stderr).toMatch(
      /user\/mine\.ts \(SHA-256 [0-9a-f]{64}, with shared\.ts, user\/lib\/one\.ts\)/,
    );
    expect((await run('plugin', 'list', '--trust')).stdout).toContain('mine');
    expect((await run('plugin', 'list')).status).toBe(0);
    writeFileSync(join(folder, 'shared.ts'), 'export const two = 3;');
    expect((await run('plugin', 'list')).status).toBe(1);
    writeFileSync(join(folder, '../outside.ts'), 'export const two = 3;');
    writeFileSync(join(folder, 'shared.ts'), "export { two } from '../outside.ts';");
    expect((await run('plugin', 'list', '--trust')).stderr).toContain('lies outside the project folder');
    rmSync(join(folder, '../outside.ts'));
  });

  it('sees no key in the environment, and everything else of it', async () => {
    const tell = 'throw new Error(`${process.env.EXCHANGE_API_KEY} ${process.env.PLAIN}`);';
    const { run } = project({ 'mine.ts': tell });
    const { stdout } = await run('plugin', 'list', '--trust', '--json');
    expect(JSON.parse(stdout)).toEqual({ plugins: [{ path: 'user/mine.ts', failure: 'undefined seen' }] });
  });

  it('is looked for inside the project alone, whatever links say', async () => {
    const { folder, run } = project();
    const outside = join(temporaryFolder(), 'outside.ts');
    writeFileSync(outside, holding('outside', 1));
    symlinkSync(outside, join(folder, 'user/link.ts'));
    const { stderr, stdout, status } = await run('plugin', 'list', '--trust', '--json');
    expect(status).toBe(0);
    expect(stderr).toContain('The plug-in "user/link.ts" is left out');
    expect(stdout).toContain('outside the project folder');
  });

  it('that is no plug-in is left out with what was expected', async () => {
    const { run } = project({ 'empty.ts': 'export default { id: "x" };', 'broken.ts': 'export default {' });
    const { stdout, status } = await run('plugin', 'list', '--trust', '--json');
    expect(status).toBe(0);
    expect(stdout).toContain('expected a function fit(task)');
    expect(stdout).toContain('user/broken.ts');
  });

  it('may not take the name of a model of ours', async () => {
    const { run } = project({ 'mine.ts': holding('ridge', 1) });
    expect((await run('plugin', 'list', '--trust')).stderr).toContain(
      'There are two models with the id "ridge"',
    );
  });
});

describe('a model and a source that `new` wrote', () => {
  it('keep every law, and are fetched from, trained, backtested, asked and traded on paper like ours', async () => {
    const { folder, run } = project();
    writeFileSync(
      join(folder, 'config.yaml'),
      'market: { symbols: [BTC/USDT], since: 2024-01-01, until: 2024-03-15 }\nexchange: { id: waves }\n',
    );
    expect((await run('new', 'model', 'my-model')).status).toBe(0);
    expect((await run('new', 'source', 'waves')).status).toBe(0);
    expect((await run('new', 'source', 'waves')).stderr).toContain('is there already');
    for (const file of ['user/my-model.ts', 'user/waves.ts']) {
      const checked = await run('plugin', 'check', file, '--trust');
      expect(checked.stdout).not.toContain('BROKEN');
      expect(checked.status).toBe(0);
    }
    const fetched = await run('fetch', '--source', 'waves', '--json');
    expect(JSON.parse(fetched.stdout)).toMatchObject({ datasets: [{ exchange: 'waves', synthetic: true }] });

    const trained = await run('train', '--models', 'my-model,ridge', '--allow-synthetic', '--json');
    expect(trained.status, trained.stderr).toBe(0);
    const run1 = z.object({ runId: z.string() }).parse(JSON.parse(trained.stdout)).runId;
    const plan: unknown = JSON.parse(readFileSync(join(folder, 'checkpoints', run1, 'run.json'), 'utf8'));
    expect(plan).toMatchObject({ plugins: [{ path: 'user/my-model.ts', provides: ['my-model'] }] });

    expect((await run('backtest', '--json')).stdout).toContain('"my-model"');
    const asked = Signals.parse(JSON.parse((await run('signals', '--explain', '--json')).stdout));
    expect(asked.signals.map(({ model }) => model)).toEqual(['my-model', 'ridge', 'ensemble']);
    expect((await run('models', 'show', 'my-model')).stdout).toContain('The feature that decides');
    const paper = await run('paper', '--no-exchange', '--max-cycles', '1');
    expect(paper.status, paper.stderr).toBe(0);

    // A checkpoint needs the file: without it the run goes on with what is left, and says so.
    writeFileSync(
      join(folder, 'user/my-model.ts'),
      `${readFileSync(join(folder, 'user/my-model.ts'), 'utf8')}\n`,
    );
    expect((await run('signals', '--trust')).stderr).toContain('"user/my-model.ts" has changed since');
    rmSync(join(folder, 'user/my-model.ts'));
    const left = await run('signals', '--json');
    expect(left.stderr).toContain('"my-model" is left out: its plug-in "user/my-model.ts" is not here');
    const signals = Signals.parse(JSON.parse(left.stdout)).signals;
    expect(signals.map(({ model }) => model)).toEqual(['ridge', 'ensemble']);
  });
});

describe('a feature and a strategy that `new` wrote', () => {
  it('keep every law, and are listed, proved, learned from, recorded and decided with like ours', async () => {
    const { folder, run } = project();
    const settings = (weight: number): void =>
      writeFileSync(
        join(folder, 'config.yaml'),
        `market: { symbols: [BTC/USDT], since: 2024-01-01, until: 2024-03-15 }
exchange: { id: synthetic }
models: { ridge: { features: [my_range, rsi_14] } }
ownFeatures: { my_range: { weight: ${weight} } }
strategies: { my-rule: { timesCost: 0 } }
`,
      );
    settings(0.2);
    for (const [kind, name] of [
      ['strategy', 'my-rule'],
      ['feature', 'my_range'],
    ]) {
      expect((await run('new', kind, name)).status).toBe(0);
      const checked = await run('plugin', 'check', `user/${name}.ts`, '--trust');
      expect(checked.stdout).not.toContain('BROKEN');
      expect(checked.status, checked.stderr).toBe(0);
    }
    expect((await run('fetch', '--source', 'synthetic')).status).toBe(0);

    const listed = await run('features', 'my_range');
    expect(listed.stdout).toContain('exponential mean of (high - low) / close');
    const proof = await run('features', 'my_range', '--check');
    expect(proof.stdout).toContain('none looks ahead');
    const chosen = await run('features', 'my_range', 'rsi_14', '--select', '--model', 'ridge');
    expect(chosen.stdout + chosen.stderr).toContain('ridge');

    const trained = await run('train', '--models', 'ridge,logistic', '--allow-synthetic', '--json');
    expect(trained.status, trained.stderr).toBe(0);
    const { runId } = z.object({ runId: z.string() }).parse(JSON.parse(trained.stdout));
    const plan: unknown = JSON.parse(readFileSync(join(folder, 'checkpoints', runId, 'run.json'), 'utf8'));
    expect(plan).toMatchObject({
      plugins: [{ path: 'user/my_range.ts', provides: ['my_range'] }],
      featureParameters: { my_range: { weight: 0.2 } },
    });

    const decided = await run('backtest', '--strategy', 'my-rule', '--json');
    expect(decided.status, decided.stderr).toBe(0);
    expect(JSON.parse(decided.stdout)).toMatchObject({ strategy: 'my-rule' });
    const paper = await run('paper', '--no-exchange', '--max-cycles', '1', '--strategy', 'my-rule');
    expect(paper.status, paper.stderr).toBe(0);
    expect(paper.stdout).toContain('decided by my-rule');
    const said = async (): Promise<unknown> =>
      z.looseObject({ signals: z.unknown() }).parse(JSON.parse((await run('signals', '--json')).stdout))
        .signals;
    const forecast = await said();
    // A run computes its features as it was trained with them, whatever the settings say by now.
    settings(0.9);
    expect(await said()).toEqual(forecast);
    writeFileSync(
      join(folder, 'config.yaml'),
      'ownFeatures: { my_range: { weight: 2 } }\nexchange: { id: synthetic }\n',
    );
    expect((await run('features')).stderr).toContain('Correct ownFeatures.my_range in config.yaml');

    rmSync(join(folder, 'user/my_range.ts'));
    settings(0.2);
    const left = await run('signals', '--json');
    expect(left.stderr).toContain('ownFeatures.my_range has no effect');
    expect(left.stderr).toContain(
      '"ridge" is left out: its feature "my_range" comes from the plug-in "user/my_range.ts", which is not here',
    );
    const signals = Signals.parse(JSON.parse(left.stdout)).signals;
    expect(signals.map(({ model }) => model)).toEqual(['logistic', 'ensemble']);
  });

  it('may not take the name of ours', async () => {
    const { run } = project();
    await run('new', 'feature', 'rsi_14');
    expect((await run('plugin', 'list', '--trust')).stderr).toContain(
      'There are two features with the name "rsi_14"',
    );
  });
});

describe('a notifier of the user’s own', () => {
  it('that `new` wrote keeps every law and is told what ours are told', async () => {
    const { folder, run } = project();
    await run('new', 'notifier', 'my-file');
    const checked = await run('plugin', 'check', 'user/my-file.ts', '--trust');
    expect(checked.status, checked.stdout + checked.stderr).toBe(0);
    rmSync(join(folder, 'messages.txt'));
    expect((await run('notify', 'test')).stdout).toMatch(/my-file\s+yes/);
    expect(readFileSync(join(folder, 'messages.txt'), 'utf8')).toContain('notifications arrive here');
    const other = await run('notify', 'test', '--set', 'notifiers.my-file.file=elsewhere.txt');
    expect(other.status).toBe(0);
    expect(readFileSync(join(folder, 'elsewhere.txt'), 'utf8')).toContain('notifications arrive here');
    const wrong = await run('notify', 'test', '--set', 'notifiers.my-file.fiel=x');
    expect(wrong.stderr).toContain('The notifier "my-file" is left out');
    expect(wrong.stderr).toContain('NOTIFY_MY_FILE_FILE');
  });

  it('gets its token from the environment, and shows it to nobody', async () => {
    const code = `
      import { defineNotifier, z } from 'crypto-trader';
      export default defineNotifier({
        id: 'phone', summary: 'fails', params: z.strictObject({ token: z.string() }),
        open: ({ token }) => ({
          send: async () => { throw new Error('refused ' + token + ' ' + String(process.env.NOTIFY_PHONE_TOKEN)); },
        }),
      });`;
    const { folder, run } = project({ 'phone.ts': code });
    writeFileSync(join(folder, '.env'), 'NOTIFY_PHONE_TOKEN=tokentokentoken\n');
    const { stdout, stderr, status } = await run('notify', 'test', '--trust');
    expect(status).toBe(1);
    expect(stdout).toContain('refused [redacted] undefined');
    expect(stdout + stderr).not.toContain('tokentokentoken');
  });
});

it('a notifier that lets an error loose is told so: a session would end of it', async () => {
  const { run } = project({
    'loose.ts': `
      import { defineNotifier, z } from 'crypto-trader';
      export default defineNotifier({
        id: 'loose', summary: 'forgets a promise', params: z.strictObject({}),
        open: () => ({ send: async () => { void Promise.reject(new Error('stray')); } }),
      });`,
  });
  const { status, stdout } = await run('plugin', 'check', 'user/loose.ts', '--trust');
  expect(stdout).toContain('BROKEN  lets no error loose beside the promise that it returned');
  expect(status).toBe(3);
});

it('takes parameters of any Standard Schema', async () => {
  const code = (params: string): string => `
    import { defineStrategy } from 'crypto-trader';
    const validate = ({ level = 1, ...rest }) =>
      Object.keys(rest).length > 0
        ? { issues: [{ message: 'only level is known', path: Object.keys(rest).slice(0, 1) }] }
        : { value: { level } };
    export default defineStrategy({
      id: 'plain', summary: 'flat', source: 'test', params: ${params},
      prepare: ({ level }) => () => ({ target: level - level, reason: { kind: 'no-opinion' } }),
    });`;
  const { run } = project({
    'plain.ts': code("{ '~standard': { version: 1, vendor: 'test', validate } }"),
    'late.ts': code(
      "{ '~standard': { version: 1, vendor: 'test', validate: async () => ({ value: {} }) } }",
    ).replace("'plain'", "'late'"),
  });
  const checked = await run('plugin', 'check', 'user/plain.ts', '--trust');
  expect(checked.status, checked.stdout).toBe(0);
  const late = await run('plugin', 'check', 'user/late.ts');
  expect(late.stdout).toContain('parameters are checked at once');
  const wrong = await run('backtest', '--strategy', 'plain', '--set', 'strategies.plain.lvl=2');
  expect(wrong.stderr).toMatch(/"lvl": [^\n]*only level is known/);
});

it('a plug-in that breaks a law is told which, with exit code 3', async () => {
  const { run } = project({ 'mine.ts': holding('mine', 2) });
  const { status, stdout } = await run('plugin', 'check', 'user/mine.ts', '--trust');
  expect(stdout).toContain('BROKEN  forecasts every symbol with values in their ranges');
  expect(status).toBe(3);
});
