import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { answerOf, Unanswered } from '../answer.ts';
import type { ExpectedFile, FileDownload } from '../download-file.ts';
import { createPatience } from '../patience.ts';
import { SourceUnavailable } from '../source.ts';
import { parseJson } from './source.ts';

/** One file of a model at the revision that was found. */
interface HubFile extends ExpectedFile {
  readonly url: string;
}

/**
 * What Hugging Face's hub holds of `files` of a model: the commit behind `revision`, and of each file its size and its digest,
 * SHA-256 for large files and git's own for others. So nothing is downloaded whose content is not known beforehand.
 * Throws `SourceUnavailable` when the hub does not answer, `UserError` when it lacks one of the files.
 */
export async function hubFiles<Name extends string>(
  {
    url,
    repository,
    revision,
  }: { readonly url: string; readonly repository: string; readonly revision: string },
  files: Readonly<Record<Name, string>>,
  options: Omit<FileDownload, 'onBytes'>,
): Promise<{ readonly commit: string; readonly files: Readonly<Record<Name, HubFile>> }> {
  const { timeoutMs, retries, signal, log } = options;
  const base = url.replace(/\/+$/, '');
  const patience = createPatience({
    name: base,
    retries,
    ...(options.retryDelayMs === undefined ? {} : { firstDelayMs: options.retryDelayMs }),
    isTransient: (error) => error instanceof Unanswered,
    log,
  });
  const { sha: commit, siblings } = await patience
    .call(async () => {
      const { status, body } = await answerOf(
        `${base}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`,
        { timeoutMs, mostBytes: 4 * 2 ** 20, signal },
      );
      if (status === 401 || status === 404) throw lacks(`no model ${repository} at revision ${revision}`);
      if (status !== 200) throw new Unanswered(`status ${status}`);
      const model = Model.safeParse(parseJson(body));
      if (!model.success) throw new Unanswered('an answer that describes no model');
      return model.data;
    }, signal)
    .catch((error: unknown) => {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof Unanswered)) throw error;
      throw new SourceUnavailable(`${base} cannot be reached or is not answering: ${error.message}`, {
        hint: 'Get the files on another machine and take them in: crypto-trader text fetch-model --from <folder>.',
        cause: error,
      });
    });
  const found = Object.entries<string>(files).map(([name, path]): [string, HubFile] => {
    const file = siblings.find(({ rfilename }) => rfilename === path);
    if (file === undefined) throw lacks(`no file "${path}" in ${repository}`);
    const { size, lfs, blobId } = file;
    const digest =
      lfs === undefined || lfs === null
        ? ({ kind: 'git', hex: blobId } as const)
        : ({ kind: 'sha256', hex: lfs.sha256 } as const);
    return [
      name,
      { url: `${base}/${repository}/resolve/${commit}/${path}`, bytes: lfs?.size ?? size, digest },
    ];
  });
  return { commit, files: Object.fromEntries(found) as Record<Name, HubFile> };
}

const lacks = (what: string): UserError =>
  new UserError(`The hub has ${what}.`, { hint: 'Correct text.finbert in config.yaml.' });

const Model = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.int().min(0),
      blobId: z.string().regex(/^[0-9a-f]{40}$/),
      lfs: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().min(0) }).nullish(),
    }),
  ),
});
