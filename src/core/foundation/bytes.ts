/**
 * The bytes in a buffer of their own, aligned for any typed array. Not `bytes.slice().buffer`: the slice of a Node Buffer is a
 * view, and its buffer may be a pool that holds other files too.
 */
export const ownBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;
