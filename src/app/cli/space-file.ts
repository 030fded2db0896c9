import type { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { readTextFile } from '../../data/text-file.ts';
import { SpaceFile } from '../../lab/tuning/model-space.ts';
import { parseYaml } from '../config/yaml.ts';

/** What `--space` names. Throws `UserError` for a file that is not there or is no space. */
export function readSpaceFile(file: string): z.output<typeof SpaceFile> {
  const text = readTextFile({ path: file, what: 'the space', largestBytes: 1 << 20 });
  if (text === undefined)
    throw new UserError(`There is no file "${file}".`, { hint: '--space names a YAML file.' });
  const parsed = SpaceFile.safeParse(parseYaml(text, file).value);
  if (parsed.success) return parsed.data;
  throw new UserError(`"${file}" is not a space: ${issueLines(parsed.error).join('; ')}.`, {
    hint: 'Write one parameter a line: penalty: { low: 0.001, high: 1, log: true }.',
  });
}
