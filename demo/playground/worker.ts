/** The worker that trains: commands in, events out. */
import type { Command, Event } from './protocol.ts';

const post = (event: Event): void => globalThis.postMessage(event);

globalThis.addEventListener('message', ({ data }: MessageEvent<Command>) => {
  post({ type: 'notice', text: `${data.type} came.` });
});
