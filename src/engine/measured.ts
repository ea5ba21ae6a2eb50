/**
 * What measuring asks of an engine. The engine loads what measures when it is asked to, so what measures knows no more of it
 * than this.
 */
import type { BufferRange } from './arena.ts';
import type { Profile } from './profile.ts';
import type { Command, Recording } from './recorder.ts';
import type { CommandTime } from './timing.ts';

export interface Measured {
  readonly profile: Profile;
  readonly lost: unknown;
  allocate(sizeBytes: number, label: string): BufferRange;
  free(range: BufferRange): void;
  copy(from: BufferRange, to: BufferRange): void;
  record(commands: readonly Command[], label: string): Promise<Recording>;
  run(recording: Recording, options?: { times?: number }): void;
  warm(recording: Recording): Promise<void>;
  idle(): Promise<void>;
  profileRun(recording: Recording, repeats?: number): Promise<CommandTime[]>;
}
