/**
 * Lists of whole numbers in NumPy's files of Python objects, as Keras's texts are published. A pickle is a program that
 * builds objects; here only numbers, lists and tuples are built, names stay names, and nothing is ever called.
 *
 * Source: Python's pickletools.
 */
import { FormatError } from '../../base/errors.ts';

/** What a name, or something that a pickle would have called, stands for. */
class Inert {
  state: unknown = null;
}

const MARK = Symbol('mark');

/** The lists of an array of them; FormatError, with file and byte, for anything else. */
export function pickledLists(bytes: Uint8Array, file: string): number[][] {
  const fail = (reason: string): never => {
    throw new FormatError(`${file}, byte ${at} of the pickle: ${reason}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stack: unknown[] = [];
  const memo: unknown[] = [];
  let at = 0;
  const skip = (count: number): number => {
    const from = at;
    if (!(count >= 0 && from + count <= bytes.length)) fail('it ends in the middle.');
    at += count;
    return from;
  };
  const u8 = (): number => bytes[skip(1)];
  const u32 = (): number => view.getUint32(skip(4), true);
  const pop = (): unknown => (stack.length > 0 ? stack.pop() : fail('nothing is there to be taken.'));
  const toMark = (): unknown[] => {
    const from = stack.lastIndexOf(MARK);
    if (from < 0) fail('a mark is missing.');
    const taken = stack.splice(from);
    return taken.slice(1);
  };
  const line = (): void => {
    while (u8() !== 10);
  };
  const list = (): unknown[] => {
    const top = stack[stack.length - 1];
    return Array.isArray(top) ? top : fail('no list is there to be added to.');
  };
  const long = (size: number): number => {
    let value = 0n;
    const from = skip(size);
    if (size > 8) fail('a whole number of more than 64 bits.');
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]);
    return Number(BigInt.asIntN(8 * size, value));
  };
  const opaque = (): void => void stack.push(new Inert());

  for (;;) {
    const code = u8();
    const letter = String.fromCharCode(code);
    if (letter === '.') break;
    else if (code === 0x80)
      skip(1); // the protocol
    else if (code === 0x95)
      skip(8); // a frame
    else if (letter === 'K') stack.push(u8());
    else if (letter === 'M') stack.push(view.getUint16(skip(2), true));
    else if (letter === 'J') stack.push(view.getInt32(skip(4), true));
    else if (code === 0x8a) stack.push(long(u8()));
    else if (letter === ']') stack.push([]);
    else if (letter === ')') stack.push([]);
    else if (letter === '(') stack.push(MARK);
    else if (letter === 't' || letter === 'l') stack.push(toMark());
    else if (code >= 0x85 && code <= 0x87) stack.push(Array.from({ length: code - 0x84 }, pop).reverse());
    else if (letter === 'e') {
      const items = toMark();
      const into = list();
      for (const item of items) into.push(item);
    } else if (letter === 'a') {
      const item = pop();
      list().push(item);
    } else if (letter === 'q') memo[u8()] = stack[stack.length - 1];
    else if (letter === 'r') memo[u32()] = stack[stack.length - 1];
    else if (code === 0x94) memo.push(stack[stack.length - 1]);
    else if (letter === 'h') stack.push(memo[u8()]);
    else if (letter === 'j') stack.push(memo[u32()]);
    else if (letter === 'c') {
      line();
      line();
      opaque();
    } else if (code === 0x8c || letter === 'C' || letter === 'U') {
      skip(u8());
      opaque();
    } else if (letter === 'X' || letter === 'B' || letter === 'T') {
      skip(u32());
      opaque();
    } else if (letter === 'N' || code === 0x88 || code === 0x89 || letter === '}') opaque();
    else if (code === 0x93 || letter === 'R') {
      pop();
      pop();
      opaque();
    } else if (letter === 'b') {
      const state = pop();
      const top = stack[stack.length - 1];
      if (top instanceof Inert) top.state = state;
    } else fail(`code ${code}, which lists of numbers do not need.`);
  }
  const top = pop();
  // NumPy's arrays are built from (version, shape, dtype, order, elements).
  const state = top instanceof Inert ? top.state : null;
  const elements = Array.isArray(state) ? state[4] : null;
  if (!Array.isArray(elements)) return fail('it makes no array.');
  const bad = elements.findIndex((one) => !Array.isArray(one) || !one.every(Number.isSafeInteger));
  if (bad >= 0) fail(`element ${bad} is no list of whole numbers.`);
  return elements as number[][];
}
