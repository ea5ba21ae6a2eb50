/**
 * The same bytes as a Uint8Array and nothing more. `readFile` in Node gives a Buffer, whose `slice` is a view and no copy:
 * what is put in order there would be changed in the caller's hands, and its `buffer` holds other people's bytes.
 */
export const plainBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
