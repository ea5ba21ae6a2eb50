/** The tokens as numbers, for canvases, and the theme they come from. */
import { invalidateAll } from './frames.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

type Theme = 'light' | 'dark';

const THEME_KEY = 'weft-theme';
const cache = new Map<string, Rgb>();
const maps = new Map<string, Uint32Array>();
let probe: HTMLElement | null = null;

/** The colour of a token such as `--train` in the current theme. */
export function rgb(token: string): Rgb {
  let found = cache.get(token);
  if (!found) {
    probe ??= document.body.appendChild(document.createElement('span'));
    probe.hidden = true;
    // A picture stays a picture where the reader has colours of their own.
    probe.style.setProperty('forced-color-adjust', 'none');
    probe.style.color = `var(${token})`;
    const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(Number);
    found = [red, green, blue];
    cache.set(token, found);
  }
  return found;
}

/** As CSS, seen through by `alpha`. */
export function css(token: string, alpha = 1): string {
  const [red, green, blue] = rgb(token);
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}

/** 256 colours as pixels of an ImageData, −1 … 1 → below, zero, above. */
export const diverging = (): Uint32Array => map('diverging', ['--below', '--zero', '--above']);

/** 256 colours as pixels, a data set's 0 … 255: bright on dark, as the sets are stored. */
export const greys = (): Uint32Array => map('greys', ['--picture-ground', '--picture-ink']);

function map(name: string, tokens: readonly string[]): Uint32Array {
  let found = maps.get(name);
  if (!found) {
    const stops = tokens.map(rgb);
    found = Uint32Array.from({ length: 256 }, (_, i) => {
      const at = (i / 255) * (stops.length - 1);
      const from = Math.min(stops.length - 2, Math.floor(at));
      const part = (channel: 0 | 1 | 2) =>
        Math.round(stops[from][channel] + (stops[from + 1][channel] - stops[from][channel]) * (at - from));
      return (0xff000000 | (part(2) << 16) | (part(1) << 8) | part(0)) >>> 0;
    });
    maps.set(name, found);
  }
  return found;
}

const system = matchMedia('(prefers-color-scheme: dark)');

export const theme = (): Theme =>
  (document.documentElement.dataset.theme as Theme | undefined) ?? (system.matches ? 'dark' : 'light');

export function toggleTheme(): Theme {
  const next = theme() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  remember(next);
  forget();
  return next;
}

/** Takes up the theme of the last visit, and follows the system where there was none. */
export function followTheme(changed: () => void): void {
  const kept = recall();
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
  system.addEventListener('change', () => {
    forget();
    changed();
  });
}

function forget(): void {
  cache.clear();
  maps.clear();
  invalidateAll();
}

// Storage is refused to pages in some private windows; a theme is not worth an error.
function recall(): string | null {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch {
    return null;
  }
}

function remember(value: Theme): void {
  try {
    localStorage.setItem(THEME_KEY, value);
  } catch {}
}
