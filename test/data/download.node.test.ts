import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { AbortError, DownloadError } from '../../src/base/errors.ts';
import { type DownloadOptions, download, type PublishedFile, sha256 } from '../../src/data/download.ts';
import { counting, gzip } from './support/idx-files.ts';

const plain = counting(100_000);
// Incompressible enough to take several chunks.
const packed = await gzip(plain.map((byte, i) => (byte * 7919 + ((i * i) >>> 3)) % 256));
const file: PublishedFile = {
  name: 'data.gz',
  gzip: { bytes: packed.length, sha256: await sha256(packed) },
  plain: { bytes: plain.length, sha256: await sha256(plain) },
};

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Downloads the file from a server on this machine that answers as told. */
async function from(answer: RequestListener, options: Partial<DownloadOptions> = {}): Promise<Uint8Array> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return download(`http://127.0.0.1:${port}/data.gz`, file, { fetch, ...options });
}

async function refusal(answer: RequestListener, options: Partial<DownloadOptions> = {}): Promise<string> {
  const error = await from(answer, options).then(
    () => new Error('it was accepted'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(DownloadError);
  expect(error.message).toMatch(/http:\/\/127\.0\.0\.1:\d+\/data\.gz/);
  expect(error.message).toContain(`sha256 ${file.gzip.sha256}`);
  return error.message;
}

describe('F49 a download from a server', () => {
  test('brings the file and counts its bytes', async () => {
    const received: number[] = [];
    const onProgress = ({ receivedBytes }: { receivedBytes: number }) => received.push(receivedBytes);
    expect(await from((_, response) => response.end(packed), { onProgress })).toEqual(packed);
    expect(received[0]).toBe(0);
    expect(received.at(-1)).toBe(packed.length);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });

  test('follows a redirect', async () => {
    const bytes = await from((request, response) => {
      if (request.url === '/data.gz') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end(packed);
    });
    expect(bytes).toEqual(packed);
  });

  test('with the wrong checksum is refused, naming both', async () => {
    const wrong = packed.slice();
    wrong[50] ^= 1;
    expect(await refusal((_, response) => response.end(wrong))).toContain(`found ${await sha256(wrong)}`);
  });

  test('that ends early is refused', async () => {
    const half = packed.slice(0, 1000);
    expect(await refusal((_, response) => response.end(half))).toContain('1000 bytes arrived');
    await refusal((_, response) => {
      response.writeHead(200, { 'content-length': packed.length });
      response.write(half, () => response.destroy());
    });
  });

  test('that is empty is refused', async () => {
    expect(await refusal((_, response) => response.end())).toContain('0 bytes arrived');
    expect(await refusal((_, response) => response.writeHead(204).end())).toContain('empty');
  });

  test('that brings an HTML page is refused as one', async () => {
    const page = '<!DOCTYPE html><title>Please log in</title>';
    expect(await refusal((_, response) => response.end(page))).toContain('looks like an HTML page');
  });

  test('that answers with an error is refused with its status', async () => {
    expect(await refusal((_, response) => response.writeHead(503).end('later'))).toContain('answered 503');
  });

  test('that redirects in a circle is refused', async () => {
    const message = await refusal((_, response) => response.writeHead(302, { location: '/data.gz' }).end());
    expect(message).toContain('redirect');
  });

  test('that is larger than promised stops at the promised size', async () => {
    let sent = 0;
    const message = await refusal((_, response) => {
      const more = () => {
        sent += packed.length;
        if (!response.destroyed && sent < 1e9) response.write(packed, more);
      };
      more();
    });
    expect(message).toContain(`more than the ${packed.length} bytes it should have`);
    expect(sent).toBeLessThan(1e8);
  });

  test('that never answers, falls silent or drips is given up in time', async () => {
    expect(await refusal(() => {}, { stallMs: 50 })).toContain('no answer for 50 ms');
    const silent = (_: unknown, response: { write(bytes: Uint8Array): void }) =>
      response.write(packed.subarray(0, 10));
    expect(await refusal(silent, { stallMs: 50 })).toContain('silence for 50 ms');
    const drip: RequestListener = (_, response) => {
      let at = 0;
      const timer = setInterval(() => response.write(packed.subarray(at, ++at)), 5);
      response.on('close', () => clearInterval(timer));
    };
    expect(await refusal(drip, { stallMs: 1000, deadlineMs: 100 })).toContain('not finished for 100 ms');
  });

  test('from nowhere is refused with the reason', async () => {
    const error = await download('http://127.0.0.1:1/data.gz', file, { fetch }).catch((reason) => reason);
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message).toMatch(/fetch failed: .+/);
  });

  test('can be aborted before and while it runs', async () => {
    const begun = new AbortController();
    const running = from(
      (_, response) => {
        response.write(packed.subarray(0, 10));
        begun.abort();
      },
      { signal: begun.signal },
    );
    await expect(running).rejects.toBeInstanceOf(AbortError);
    const answer: RequestListener = (_, response) => response.end(packed);
    await expect(from(answer, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AbortError);
  });
});
