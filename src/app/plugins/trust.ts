import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { readJson, writeFileAtomic } from '../../data/files.ts';
import type { PluginSource } from './files.ts';

/** Which plug-ins a person has agreed to run, by path and content; in the project folder. */
const TRUST_FILE = 'trusted-plugins.json';

const TrustList = z.strictObject({
  version: z.literal(1),
  plugins: z.array(z.strictObject({ path: z.string(), sha256: z.string(), trustedAt: z.iso.datetime() })),
});

export interface Consent {
  /** Asks a person who has been shown the plug-ins; `undefined`: nobody is there to be asked. */
  readonly ask: ((plugins: readonly PluginSource[]) => Promise<boolean>) | undefined;
  /** Everything is trusted that is not yet: somebody has said so on the command line. */
  readonly trustAll: boolean;
}

/**
 * Makes sure that somebody has agreed to run these files, once per content: a plug-in is code with the rights of whoever
 * starts the program. It can read every file they can, `.env` included. Throws `UserError` when nobody has.
 */
export async function requireTrust(
  project: string,
  plugins: readonly PluginSource[],
  { ask, trustAll }: Consent,
): Promise<void> {
  const file = join(project, TRUST_FILE);
  const list = (await readJson(
    file,
    TrustList,
    'Delete it, and agree to your plug-ins again with --trust.',
  )) ?? { version: 1 as const, plugins: [] };
  const unknown = plugins.filter(
    ({ path, sha256 }) => !list.plugins.some((one) => one.path === path && one.sha256 === sha256),
  );
  if (unknown.length === 0) return;
  const shown = unknown
    .map(
      ({ path, sha256, imports }) =>
        `${path} (SHA-256 ${sha256}${imports.length === 0 ? '' : `, with ${imports.join(', ')}`})`,
    )
    .join('\n');
  if (!trustAll && (ask === undefined || !(await ask(unknown)))) {
    throw new UserError(`Nobody has agreed yet to run this code of the project:\n${shown}`, {
      hint: 'Read it: it runs with your rights and can read every file you can, .env included. Then agree once with --trust, or move it out of user/ and `plugins`.',
    });
  }
  const trustedAt = new Date().toISOString();
  const kept = list.plugins.filter(({ path }) => !unknown.some((one) => one.path === path));
  const added = unknown.map(({ path, sha256 }) => ({ path, sha256, trustedAt }));
  await writeFileAtomic(
    file,
    new TextEncoder().encode(
      `${JSON.stringify({ version: 1, plugins: [...kept, ...added] }, undefined, 2)}\n`,
    ),
  );
}
