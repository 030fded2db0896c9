import { UserError } from '../../../core/foundation/errors.ts';
import { decodeModel } from './encode.ts';

/**
 * Throws `UserError` when a model keeps weights in other files: ONNX Runtime would read whatever path the model names.
 * Looks at every tensor wherever it stands: initializers, attributes, sub-graphs, functions.
 */
export function refuseExternalData(model: Uint8Array): void {
  const open: unknown[] = [decoded(model)];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue;
    if (Array.isArray(value) && typeof value[0] !== 'object') continue;
    const { external_data: files, data_location: location }: Tensorlike = value;
    if ((Array.isArray(files) && files.length > 0) || location === EXTERNAL) {
      throw new UserError('The ONNX model keeps weights in another file, which is not read.', {
        hint: 'Use a model that holds its weights itself; those that this program trains do.',
      });
    }
    for (const part of Object.values(value)) if (part !== undefined) open.push(part);
  }
}

interface Tensorlike {
  readonly external_data?: unknown;
  readonly data_location?: unknown;
}

/** The operators of a model's graph, those of its sub-graphs and functions left out. */
export function operatorsOf(model: Uint8Array): ReadonlySet<string> {
  const { graph }: { readonly graph?: { readonly node?: readonly { readonly op_type?: string }[] } } =
    decoded(model) as object;
  return new Set(graph?.node?.map(({ op_type: op = '' }) => op));
}

/** `TensorProto.DataLocation.EXTERNAL`. */
const EXTERNAL = 1;

function decoded(model: Uint8Array): unknown {
  try {
    return decodeModel(model);
  } catch (error) {
    throw new UserError(
      `The ONNX model cannot be read: ${error instanceof Error ? error.message : 'damaged'}.`,
      {
        hint: 'Restore the file from a backup, or train again.',
        cause: error,
      },
    );
  }
}
