/** Downloads that can be trusted: size capped, time limited, checked against a sha256 before anyone sees a byte. */

import { AbortError, DownloadError } from '../base/errors.ts';

/** A file's true size and checksum. */
export interface Fingerprint {
  readonly bytes: number;
  readonly sha256: string;
}

/** A gzipped file as it is published, and the same unpacked. */
export interface PublishedFile {
  readonly name: string;
  readonly gzip: Fingerprint;
  readonly plain: Fingerprint;
}

export interface DownloadProgress {
  readonly file: string;
  readonly url: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface DownloadOptions {
  readonly fetch: typeof fetch;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Longest silence in milliseconds, before the first byte or between two; 10,000 unless given. */
  readonly stallMs?: number;
  /** Longest time for one file in milliseconds; 15 minutes unless given. */
  readonly deadlineMs?: number;
}

/**
 * Fetches one published file and checks it.
 *
 * The bytes are the gzip file's, or the plain file's where the server or the browser has unpacked it on
 * the way (`Content-Encoding: gzip`, as several development servers send for `.gz`); each is checked
 * against its own fingerprint. Throws DownloadError naming the URL and both checksums, AbortError when
 * `signal` fires.
 */
export async function download(
  url: string,
  file: PublishedFile,
  options: DownloadOptions,
): Promise<Uint8Array> {
  const { signal, stallMs = 10_000, deadlineMs = 15 * 60_000 } = options;
  const controller = new AbortController();
  const stop = (reason: Error) => controller.abort(reason);
  const aborted = () => stop(new AbortError(`download: ${url}: aborted.`, { cause: signal?.reason }));
  if (signal?.aborted) aborted();
  signal?.addEventListener('abort', aborted);
  const late = (ms: number, what: string) => () => stop(new Error(`${what} for ${ms} ms`));
  const deadline = setTimeout(late(deadlineMs, 'not finished'), deadlineMs);
  let stall = setTimeout(late(stallMs, 'no answer'), stallMs);
  const heard = () => {
    clearTimeout(stall);
    stall = setTimeout(late(stallMs, 'silence'), stallMs);
  };
  try {
    const body = await receive(url, file, options, controller.signal, heard);
    await check(url, body, expected(file, body));
    return body;
  } catch (error) {
    // A stopped fetch rejects with its own error; the reason it was stopped says more.
    const cause = controller.signal.aborted ? controller.signal.reason : error;
    if (cause instanceof AbortError || cause instanceof DownloadError) throw cause;
    throw new DownloadError(`download: ${url}: ${explain(cause)}. ${expectation(file.gzip)}, found none.`, {
      cause,
    });
  } finally {
    clearTimeout(deadline);
    clearTimeout(stall);
    signal?.removeEventListener('abort', aborted);
    controller.abort(); // closes a connection that is still open
  }
}

async function receive(
  url: string,
  file: PublishedFile,
  { fetch, onProgress }: DownloadOptions,
  signal: AbortSignal,
  heard: () => void,
): Promise<Uint8Array> {
  const progress = (receivedBytes: number, totalBytes: number) =>
    onProgress?.({ file: file.name, url, receivedBytes, totalBytes });
  progress(0, file.gzip.bytes);
  const response = await fetch(url, { signal });
  if (!response.ok)
    throw new Error(`the server answered ${response.status} ${response.statusText}`.trimEnd());
  if (response.body === null) throw new Error('the answer is empty');
  heard();

  const reader = response.body.getReader();
  let into: Uint8Array | undefined;
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (value.length === 0) continue;
    heard();
    // The first bytes tell which of the two is coming, and with it the one size it may have.
    into ??= new Uint8Array(expected(file, value).bytes);
    if (received + value.length > into.length) {
      throw new Error(`more than the ${into.length} bytes it should have`);
    }
    into.set(value, received);
    received += value.length;
    progress(received, into.length);
  }
  return into === undefined ? new Uint8Array(0) : into.subarray(0, received);
}

/** An unpacked file begins with IDX's zero; whatever else arrives should have been the gzip file. */
const expected = (file: PublishedFile, start: Uint8Array) => (start[0] === 0 ? file.plain : file.gzip);

async function check(url: string, body: Uint8Array, expected: Fingerprint): Promise<void> {
  const found = await sha256(body);
  if (body.length === expected.bytes && found === expected.sha256) return;
  const hint = body[0] === 0x3c ? ' It looks like an HTML page: a log-in or error page?' : '';
  throw new DownloadError(
    `download: ${url}: ${body.length} bytes arrived. ${expectation(expected)}, found ${found}.${hint}`,
  );
}

const expectation = ({ bytes, sha256 }: Fingerprint) => `Expected ${bytes} bytes with sha256 ${sha256}`;

/** What went wrong, in a network error's own words and those of its cause ("fetch failed: getaddrinfo …"). */
function explain(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return [message, cause?.message || cause?.code].filter(Boolean).join(': ');
}

/** sha256 as 64 hexadecimal digits. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  // Pages served over plain http have no crypto.subtle.
  if (!globalThis.crypto?.subtle) {
    throw new DownloadError('sha256: no crypto.subtle here. Serve the page over https or from localhost.');
  }
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
