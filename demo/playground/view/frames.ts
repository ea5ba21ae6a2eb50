/** Drawing in animation frames: a panel draws at most once a frame, and only while it can be seen. */

interface Panel {
  readonly draw: () => void;
  isStale: boolean;
  isVisible: boolean;
}

const panels = new Map<Element, Panel>();
let isAsked = false;

const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const panel = panels.get(entry.target);
      if (panel) panel.isVisible = entry.isIntersecting;
    }
    ask();
  },
  { rootMargin: '100px' },
);

/** Calls `draw` in the next frame after each `invalidate()` in which the element is on screen. */
export function paint(element: Element, draw: () => void): { invalidate(): void } {
  const panel: Panel = { draw, isStale: true, isVisible: false };
  panels.set(element, panel);
  watcher.observe(element);
  return {
    invalidate() {
      panel.isStale = true;
      if (panel.isVisible) ask();
    },
  };
}

/** Tells when an element comes on screen and when it leaves it. */
export function whenSeen(element: Element, tell: (isVisible: boolean) => void): void {
  new IntersectionObserver((entries) => tell(entries.at(-1)?.isIntersecting ?? false)).observe(element);
}

/** After a change of theme. */
export function invalidateAll(): void {
  for (const panel of panels.values()) panel.isStale = true;
  ask();
}

function ask(): void {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    for (const panel of panels.values()) {
      if (!panel.isStale || !panel.isVisible) continue;
      panel.isStale = false;
      panel.draw();
    }
  });
}

/** Keeps a canvas as many device pixels large as it is shown; its context measures in CSS pixels. */
export function fitCanvas(canvas: HTMLCanvasElement): { width: number; height: number; ratio: number } {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = globalThis.devicePixelRatio || 1;
  const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixels[0]) canvas.width = pixels[0];
  if (canvas.height !== pixels[1]) canvas.height = pixels[1];
  return { width, height, ratio };
}
