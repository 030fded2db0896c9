import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('what is printed', () => {
  it('comes in a time that grows with the text, not with its square: thousands of model keys', async () => {
    const cwd = temporaryFolder();
    const keys = Array.from({ length: 5_000 }, (_, i) => `  model${i}: { a: 1 }`);
    writeFileSync(join(cwd, 'config.yaml'), `models:\n${keys.join('\n')}\n`);
    const { status, stdout } = await runCli(['config', 'show'], { cwd });
    expect(status).toBe(0);
    expect(stdout).toMatch(/models +\{"model0":\{"a":1\}.{20,80}… +file/);
    const { stdout: json } = await runCli(['config', 'show', '--json'], { cwd });
    expect(json).toContain('"model4999"');
  });

  it('counts whole bars, also when the range ends within one', async () => {
    const range = ['--since', '2025-01-01', '--until', '2025-01-01T02:05:00Z', '--symbols', 'BTC/USDT'];
    const { status, stderr } = await runCli(['fetch', '--source', 'synthetic', ...range], {
      cwd: temporaryFolder(),
    });
    expect(status).toBe(0);
    expect(stderr).toMatch(/^BTC\/USDT 1h: (\d+)\/\1 \(100 %\)$/m);
  });

  it('never carries a sequence that a terminal obeys, in text and in JSON', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'bad.yaml'), '"\\e]0;title\\a\\u009b31mx\\u202ey": 1\n');
    const args = ['config', 'show', '--config', 'bad.yaml'];
    const plain = await runCli(args, { cwd });
    const json = await runCli([...args, '--json'], { cwd });
    for (const text of [plain.stderr, json.stderr, json.stdout])
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
    expect(plain.stderr).toContain('unknown key "xy"');
  });

  it('is not what was mistyped, where that holds a secret', async () => {
    const secret = 'do-not-print-me';
    const environment = { EXCHANGE_API_SECRET: secret };
    const { status, stdout, stderr } = await runCli([`fetch${secret}`, `--${secret}`], {
      cwd: temporaryFolder(),
      environment,
    });
    expect(status).toBe(2);
    expect(stdout + stderr).not.toContain(secret);
    expect(stderr).toContain('[redacted]');
  });
});
