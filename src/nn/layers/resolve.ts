/** Layers from what files hold. */
import { type Maker, Makers } from '../names.ts';
import { activation } from './activation.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { flatten } from './flatten.ts';
import { input } from './input.ts';
import type { Layer } from './layer.ts';
import { rescaling } from './rescaling.ts';
import { reshape } from './reshape.ts';

const makers = new Makers<Layer>(
  'layer',
  { input, dense, flatten, reshape, activation, dropout, rescaling } as object as Record<
    string,
    Maker<Layer>
  >,
  { inputLayer: 'input' },
);

/** The layer that Keras's { className, config } describes, without weights. */
export const fromConfig = (description: { className: string; config?: object }): Layer =>
  makers.make(description, 'layers.fromConfig');
