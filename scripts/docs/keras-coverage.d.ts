export interface KindOfCalls {
  readonly kind: string;
  /** Different names. */
  readonly names: number;
  readonly calls: number;
  /** Calls of names that Weft has. */
  readonly there: number;
  readonly missing: readonly (readonly [name: string, calls: number])[];
}

export function coverage(weft: object): Promise<KindOfCalls[]>;
export function table(kinds: readonly KindOfCalls[]): string;
export function sentence(kinds: readonly KindOfCalls[]): string;
export function pages(
  weft: object,
): Promise<{ readonly file: string; readonly now: string; readonly due: string; readonly marked: boolean }[]>;
