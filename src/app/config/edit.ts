import { isNode, parseDocument } from 'yaml';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { loadConfig } from './load.ts';

/**
 * The text of config.yaml with one setting changed, comments and order kept. `value` is read as YAML: `5`, `true`,
 * `[BTC/USDT, ETH/USDT]`; `undefined` takes the setting out. Throws `UserError` for a setting that does not exist and a text that is no YAML.
 */
export function withSetting(text: string, path: string, value: string | undefined): string {
  const known = loadConfig({ file: '', fileRequired: false, environment: {}, flags: {} }).settings.map(
    (setting) => setting.path,
  );
  // `models.ridge.penalty` belongs to the setting `models`.
  if (!known.some((one) => path === one || path.startsWith(`${one}.`)))
    throw new UserError(`There is no setting "${path}".`, { hint: suggest(path, known) });
  const document = parseDocument(text);
  if (document.errors.length > 0)
    throw new UserError('config.yaml cannot be changed: it is no valid YAML.', {
      hint: `${document.errors[0].message.split('\n')[0]} Correct it by hand first: crypto-trader config edit.`,
    });
  const keys = path.split('.');
  if (value === undefined) document.deleteIn(keys);
  else {
    const parsed = parseDocument(value);
    if (parsed.errors.length > 0)
      throw new UserError(`"${value}" is no value: ${parsed.errors[0].message.split('\n')[0]}`, {
        hint: "Write it as in config.yaml, in quotes: '[BTC/USDT, ETH/USDT]'.",
      });
    // A section that holds comments alone is empty to YAML.
    for (let length = 1; length < keys.length; length++)
      if (document.getIn(keys.slice(0, length)) === null) document.deleteIn(keys.slice(0, length));
    const before = document.getIn(keys, true);
    const now = parsed.contents;
    if (isNode(now) && isNode(before) && before.comment) now.comment = before.comment;
    document.setIn(keys, now);
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
