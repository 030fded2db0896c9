import { UserError } from '../../core/foundation/errors.ts';
import { operatorsOf, refuseExternalData } from './onnx/external-data.ts';
import { loadRuntime } from './runtime.ts';
import { createOrtSession } from './session.ts';

const ort = loadRuntime();

/** An open network that reads sequences of tokens, such as a BERT. */
export interface TokenSession {
  /** What the model's numbers are rounded by depends on what else is in the batch: sequences belong in one of their own. */
  readonly quantised: boolean;
  /** [sequences, outputs]: the logits of sequences of equal length, in their order. */
  run(sequences: readonly (readonly number[])[]): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Inputs of an ONNX export of a BERT classifier; the last one only where the model asks for it. */
const INPUTS = ['input_ids', 'attention_mask', 'token_type_ids'];

/**
 * Opens an ONNX export of a sequence classifier: inputs `input_ids`, `attention_mask` and, for most, `token_type_ids`,
 * int64 [batch, time] with both axes free; output `logits` float32 [batch, `outputs`]. Runs on the processor. Throws
 * `UserError` for another model, a damaged one, and one that keeps weights in other files.
 */
export async function openTokenSession(
  model: Uint8Array,
  { outputs, threads }: { readonly outputs: number; readonly threads: number },
): Promise<TokenSession> {
  refuseExternalData(model);
  const session = await createOrtSession(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // Every length of text would leave a plan of its own behind.
    enableMemPattern: false,
    logSeverityLevel: 4,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const names = session.inputNames;
  if (
    !INPUTS.slice(0, 2).every((name) => names.includes(name)) ||
    !names.every((name) => INPUTS.includes(name))
  )
    throw notSuch(`its inputs are ${names.join(', ')}`);
  if (!session.outputNames.includes('logits'))
    throw notSuch(`its outputs are ${session.outputNames.join(', ')}`);
  return {
    quantised: operatorsOf(model).has('DynamicQuantizeLinear'),
    async run(sequences) {
      const shape = [sequences.length, sequences[0].length];
      const size = shape[0] * shape[1];
      const filled = (values: BigInt64Array) => new ort.Tensor('int64', values, shape);
      const given: Readonly<Record<string, () => InstanceType<typeof ort.Tensor>>> = {
        input_ids: () => filled(BigInt64Array.from(sequences.flat(), BigInt)),
        attention_mask: () => filled(new BigInt64Array(size).fill(1n)),
        token_type_ids: () => filled(new BigInt64Array(size)),
      };
      const { logits } = await session.run(Object.fromEntries(names.map((name) => [name, given[name]()])), [
        'logits',
      ]);
      const { data, dims } = logits;
      if (!(data instanceof Float32Array) || dims.length !== 2 || dims[0] !== shape[0] || dims[1] !== outputs)
        throw notSuch(`its logits are ${logits.type} [${dims.join(', ')}]`);
      return data;
    },
    release: () => session.release(),
  };
}

const notSuch = (why: string): UserError =>
  new UserError(`The ONNX model does not classify sequences of tokens: ${why}.`, {
    hint: 'Expected the inputs input_ids and attention_mask, and logits of one number per label.',
  });
