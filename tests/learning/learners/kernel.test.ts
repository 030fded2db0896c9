import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileKernel, KERNELS } from '../../../scripts/kernels.ts';

describe('compiled kernels', () => {
  it.each(KERNELS)('$target is what $source compiles to', async ({ source, target }) => {
    const shipped = readFileSync(new URL(`../../../${target}`, import.meta.url), 'utf8');
    expect(await compileKernel(source)).toBe(shipped);
  });
});
