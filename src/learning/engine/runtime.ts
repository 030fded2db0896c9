import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as OnnxRuntime from 'onnxruntime-node';

const require = createRequire(import.meta.url);

/**
 * ONNX Runtime. Its builds for Linux have, since 1.29, kept an identifier of the machine in the home folder and reported sessions
 * (hashes of graphs and weights among them) to its makers, unless this variable is there before the library is loaded.
 * Nothing of that is of use to whoever trains here.
 */
export function loadRuntime(): typeof OnnxRuntime {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return require('onnxruntime-node') as typeof OnnxRuntime;
}

/** What fetches the libraries for CUDA, which the package does not bring. */
export const installScript = (): string =>
  join(dirname(require.resolve('onnxruntime-node/package.json')), 'script', 'install.js');
