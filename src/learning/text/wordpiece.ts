import * as tokenizers from '@huggingface/tokenizers';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';

/** From a text to the ids of its pieces, `[CLS]` first and `[SEP]` last. */
export type Encode = (text: string) => readonly number[];

/** What BERT was trained with; longer texts are cut. */
const MOST_TOKENS = 512;
/** The package's own types do not resolve under Node's rules for modules. */
type TokenizerClass = new (
  tokenizer: object,
  config: object,
) => { encode(text: string): { readonly ids: readonly number[] } };
const { Tokenizer } = z
  .object({ Tokenizer: z.custom<TokenizerClass>((value) => typeof value === 'function') })
  .parse(tokenizers);

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/**
 * WordPiece as bert-base-uncased has it (Devlin et al. 2019): lower case, accents stripped, Chinese characters apart,
 * longest pieces of `vocabulary` first. `vocabulary` is the content of its vocab.txt: a piece per line, the line its id.
 * Throws `UserError` when the special pieces are not among them.
 */
export function wordPiece(vocabulary: string): Encode {
  const pieces = vocabulary.replace(/\n$/, '').split('\n');
  const ids = new Map(pieces.map((piece, id): [string, number] => [piece, id]));
  const lacking = SPECIAL.filter((piece) => !ids.has(piece));
  if (lacking.length > 0)
    throw new UserError(`The vocabulary lacks ${lacking.join(', ')}: it is not one of BERT.`, {
      hint: 'Use the vocab.txt that belongs to the model.',
    });
  const id = (piece: string): number => ids.get(piece) ?? 0;
  const special = (piece: string) => ({ SpecialToken: { id: piece, type_id: 0 } });
  const tokenizer = new Tokenizer(
    {
      version: '1.0',
      added_tokens: SPECIAL.map((content) => ({
        id: id(content),
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [special('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, special('[SEP]')],
        pair: [],
        special_tokens: {},
      },
      decoder: null,
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(ids),
      },
    },
    {},
  );
  const end = id('[SEP]');
  return (text) => {
    const { ids: found } = tokenizer.encode(text);
    return found.length <= MOST_TOKENS ? found : [...found.slice(0, MOST_TOKENS - 1), end];
  };
}
