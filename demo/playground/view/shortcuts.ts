/** Single keys for what is pressed most; they can be switched off, for whoever speaks to their machine. */
import { byId } from './dom.ts';

const KEY = 'weft-shortcuts';

/** Keys in lower case; they rest while somebody types, and with Ctrl, Alt or Meta. */
export function listenToKeys(keys: Readonly<Record<string, () => void>>): void {
  const enabled = byId<HTMLInputElement>('shortcuts');
  enabled.checked = recall();
  enabled.addEventListener('change', () => remember(enabled.checked));
  addEventListener('keydown', (event) => {
    if (!enabled.checked || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.target instanceof Element && event.target.closest('input, select, textarea')) return;
    const act = keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function recall(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

function remember(isOn: boolean): void {
  try {
    localStorage.setItem(KEY, isOn ? 'on' : 'off');
  } catch {}
}
