/** Files dropped anywhere on the page: models, data and pictures find their way by what they are called. */
import { byId } from './dom.ts';

export interface Dropped {
  model(file: File): void;
  data(files: readonly File[]): void;
  picture(file: File): void;
}

export function takeDrops(to: Dropped): void {
  const veil = byId('veil');
  // Children enter and leave as the pointer passes over them; the page is left when all have been.
  let depth = 0;
  const show = (by: number): void => {
    depth = Math.max(0, depth + by);
    veil.hidden = depth === 0;
  };
  addEventListener('dragenter', (event) => {
    if (event.dataTransfer?.types.includes('Files')) show(1);
  });
  addEventListener('dragleave', (event) => {
    if (event.dataTransfer?.types.includes('Files')) show(-1);
  });
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    show(-depth);
    route([...(event.dataTransfer?.files ?? [])], to);
  });
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) route(files, to);
  });
}

/** Of models and pictures the first is taken. */
export function route(files: readonly File[], to: Dropped): void {
  if (files.length === 0) return;
  const model = files.find(({ name }) => /\.(keras|h5|hdf5|safetensors)$/i.test(name));
  const picture = files.find(
    ({ name, type }) => type.startsWith('image/') || /\.(png|jpe?g|webp|gif|bmp|avif|svg)$/i.test(name),
  );
  if (model) to.model(model);
  else if (picture) to.picture(picture);
  else to.data(files);
}
