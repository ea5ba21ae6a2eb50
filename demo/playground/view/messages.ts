/** Failures and notices: what happened, what to do, and the button that does it. */
import type { FailureEvent } from '../protocol.ts';
import { byId, find, make } from './dom.ts';

export class Messages {
  private readonly alerts = byId('alerts');
  private readonly notice = byId('notice');
  private readonly restart: () => void;

  constructor(restart: () => void) {
    this.restart = restart;
    find(this.notice, 'button').addEventListener('click', () => {
      this.notice.hidden = true;
    });
  }

  /** One at a time: the newest says what matters. `lasts`: nothing can be done here, so it stays. */
  fail({ title, message, fix, canRestart }: Omit<FailureEvent, 'type' | 'code'>, lasts = false): void {
    const button = make(
      'button',
      { type: 'button', class: canRestart && 'primary' },
      canRestart ? 'Restart' : 'Dismiss',
    );
    const alert = make(
      'div',
      { class: 'notice bad', role: 'alert' },
      make('div', {}, make('h2', {}, title), make('p', {}, message), make('p', { class: 'fix' }, fix)),
      !lasts && button,
    );
    button.addEventListener('click', () => {
      this.clear();
      if (canRestart) this.restart();
    });
    this.alerts.replaceChildren(alert);
    alert.scrollIntoView({ block: 'nearest' });
  }

  clear(): void {
    this.alerts.replaceChildren();
  }

  note(text: string): void {
    find(this.notice, 'p').textContent = text;
    this.notice.hidden = false;
  }

  unnote(): void {
    this.notice.hidden = true;
  }
}
