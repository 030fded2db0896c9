import { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { damaged, type JournalEntry, type JournalFile } from './journal.ts';

/**
 * The entry as what `schema` says. Its hash being right says only that whoever wrote it knows how to make one: throws
 * `UserError` naming where it stands when it is no JSON or something else.
 */
export function parseEntry<Schema extends z.ZodType>(
  file: JournalFile,
  { json, where }: Pick<JournalEntry, 'json' | 'where'>,
  schema: Schema,
): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(json));
  } catch (error) {
    if (error instanceof z.ZodError) throw damaged(file, where, issueLines(error).join('; '), error);
    if (error instanceof SyntaxError) throw damaged(file, where, error.message, error);
    throw error;
  }
}
