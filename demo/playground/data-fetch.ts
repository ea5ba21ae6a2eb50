/** Data from an address that the user typed; nothing else in the playground uses the network. */
import type { NamedBytes } from './data.ts';
import { Refusal } from './failure.ts';
import { MAX_FILE_BYTES } from './protocol.ts';

/** What MNIST and Fashion-MNIST are made of, training first: the test files need not be there. */
const FILES = ['train-labels-idx1-ubyte.gz', 'train-images-idx3-ubyte.gz'];

export interface FetchOptions {
  readonly onProgress: (file: string, received: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** One file, where the address names one, else the two training files of a folder. */
export async function fetchFiles(address: string, options: FetchOptions): Promise<NamedBytes[]> {
  const url = readAddress(address);
  const isFile = /\.(npz|gz|idx|zip)$|ubyte$/.test(url.pathname);
  const folder = url.href.replace(/\/*$/, '/');
  const urls = isFile ? [url] : FILES.map((name) => new URL(name, folder));
  const files: NamedBytes[] = [];
  for (const one of urls) files.push(await fetchFile(one, options));
  return files;
}

const fix =
  'Check the address, and that its server allows other sites to read it (CORS). Or download the files and drop them here.';

function readAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new Refusal(
    'DOWNLOAD',
    `${JSON.stringify(address)} is no web address.`,
    'Give one that begins with https://.',
  );
}

async function fetchFile(url: URL, { onProgress, signal }: FetchOptions): Promise<NamedBytes> {
  const name = url.pathname.split('/').at(-1) ?? '';
  const fail = (why: string): never => {
    throw new Refusal('DOWNLOAD', `${url.href} ${why}`, fix);
  };
  try {
    const response = await fetch(url, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' });
    if (!response.ok || !response.body) fail(`answers ${response.status}.`);
    const total = Number(response.headers.get('content-length')) || 0;
    const parts: Uint8Array[] = [];
    let received = 0;
    onProgress(name, 0, total);
    for (const reader = response.body!.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      received += value.length;
      if (received > MAX_FILE_BYTES) {
        await reader.cancel();
        fail(`is larger than ${MAX_FILE_BYTES / 2 ** 20} MB.`);
      }
      onProgress(name, received, total);
    }
    return { name, bytes: joined(parts, received) };
  } catch (error) {
    if (signal.aborted) throw new Refusal('ABORT', 'The download was stopped.', 'Nothing was changed.');
    if (error instanceof Refusal) throw error;
    return fail(`cannot be fetched: ${(error as Error).message}.`);
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
