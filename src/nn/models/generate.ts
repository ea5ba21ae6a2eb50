/** Writing with a model of tokens: it says what comes next, one is chosen, and it is asked again. */
import { AbortError, ConfigError, ShapeError, ValueError } from '../../base/errors.ts';
import { RandomSequence } from '../../base/random.ts';
import { capture } from '../../graph/capture.ts';
import { tensor } from '../../ops/constant.ts';
import { gather, reshape } from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween, wholeNumber } from '../check.ts';
import { describe, readOptions } from '../names.ts';
import type { Model } from './model.ts';

export interface GenerateOptions {
  /** How many tokens to write at most. */
  maxNewTokens: number;
  /** Below 1 the likely ones come more often, above less; 0: always the likeliest. Default 1. */
  temperature?: number;
  /** Only so many of the likeliest are drawn from; default null: all. */
  topK?: number | null;
  /** Only the likeliest that make up this share are drawn from; default null: all. */
  topP?: number | null;
  /** Of the draws; default 0. */
  seed?: number;
  /** A token, or several, after which nothing more is written; they are given, too. Default null. */
  stop?: number | readonly number[] | null;
  /** How many tokens the model sees at once; default: the length that it was built for. */
  contextLength?: number | null;
  /** Hears each token as it is written; false ends the writing. */
  onToken?: ((token: number, index: number) => unknown) | null;
  signal?: AbortSignal | null;
}

/** The numbers of the draws: see base/random.ts. */
const STREAM = 0x67656e;

/**
 * Goes on from some tokens: `prompt` and what was written, as token numbers.
 *
 * model: ids [n, steps] → logits or probabilities [n, steps, vocabulary], each of what has come so far, as a causal transformer
 * or a recurrent net gives them; the last layer's softmax tells which. Beyond the context the oldest tokens are forgotten.
 * A step of fixed size is captured once and replayed for each token; the choice is made on the host, in float64.
 * The same seed gives the same tokens. Throws ValueError for a prompt without tokens, or longer than the context, ShapeError
 * for a model of another shape.
 *
 * ```ts
 * const ids = await generate(model, tokenizer.encode('Call me '), { maxNewTokens: 100, temperature: 0.8, topK: 20 });
 * console.log(tokenizer.decode(ids));
 * ```
 */
export async function generate(
  model: Model,
  prompt: ArrayLike<number>,
  given: GenerateOptions,
): Promise<Int32Array> {
  const called = 'generate';
  const options = readOptions<Required<GenerateOptions>>(called, given, {
    maxNewTokens: Number.NaN,
    temperature: 1,
    topK: null,
    topP: null,
    seed: 0,
    stop: null,
    contextLength: null,
    onToken: null,
    signal: null,
  });
  const { topK, topP, onToken, signal } = options;
  const most = wholeNumber(options.maxNewTokens, called, 'maxNewTokens', 0);
  const temperature = numberBetween(options.temperature, called, 'temperature', 0);
  if (topK !== null) wholeNumber(topK, called, 'topK');
  if (topP !== null) numberBetween(topP, called, 'topP', Number.MIN_VALUE, 1);
  wholeNumber(options.seed, called, 'seed', 0);
  const stops = options.stop === null ? [] : [options.stop].flat();
  const context = contextOf(model, options.contextLength);
  const tokens = Array.from(prompt);
  const bad = tokens.findIndex((token) => !Number.isSafeInteger(token) || token < 0);
  if (bad >= 0)
    throw new ValueError(
      `${called}: token ${bad} of the prompt is ${describe(tokens[bad])}; expected a whole number from 0.`,
    );
  const [words] = model.vocabularies;
  const outside = words === null ? -1 : tokens.findIndex((token) => token >= words);
  if (outside >= 0)
    throw new ValueError(
      `${called}: token ${outside} of the prompt is ${tokens[outside]}; ${model.name} knows 0 to ${words! - 1}.`,
    );
  if (tokens.length === 0) throw new ValueError(`${called}: the prompt is empty; give one token at least.`);
  if (tokens.length > context)
    throw new ValueError(
      `${called}: the prompt has ${tokens.length} tokens and the model sees ${context}; give the last ${context} of them.`,
    );

  const isProbability = model.finalActivation === 'softmax';
  const next = capture(
    (ids: Tensor, last: Tensor) => {
      const y = model.apply(ids) as Tensor;
      if (y.rank !== 3 || y.shape[1] !== context)
        throw new ShapeError(
          `${called}: ${model.name} makes [${y.shape}] of ids [1, ${context}]; expected [1, ${context}, vocabulary]. Let it give every step.`,
        );
      return gather(reshape(y, [context, y.shape[2]]), last);
    },
    { name: called },
  );
  const random = new RandomSequence(options.seed, STREAM);
  try {
    for (let written = 0; written < most; written++) {
      if (signal?.aborted)
        throw new AbortError(`${called}: aborted by the signal.`, { cause: signal.reason });
      const seen = tokens.slice(-context);
      const ids = new Int32Array(context);
      ids.set(seen);
      // What stands behind the last token is not looked at.
      const row = await next(
        tensor(ids, { shape: [1, context] }),
        tensor(Int32Array.of(seen.length - 1), { shape: [1] }),
      );
      const scores = Array.from(await row.data(), (one) => (isProbability ? Math.log(one) : one));
      row.dispose();
      const token = choose(scores, temperature, topK, topP, random);
      tokens.push(token);
      if ((await onToken?.(token, written)) === false || stops.includes(token)) break;
    }
  } finally {
    next.dispose();
  }
  return Int32Array.from(tokens);
}

function contextOf(model: Model, asked: number | null): number {
  const { inputShape } = model;
  const built = inputShape?.length === 2 ? inputShape[1] : null;
  if (asked === null && built === null)
    throw new ConfigError(
      `generate: ${model.name} takes sequences of any length; say how many tokens it is to see: contextLength.`,
    );
  const context = wholeNumber(asked ?? built, 'generate', 'contextLength');
  if (built !== null && context > built)
    throw new ValueError(
      `generate: contextLength is ${context} and ${model.name} sees ${built}; expected no more.`,
    );
  return built ?? context;
}

/** A token by its scores; ValueError where they are NaN. */
function choose(
  scores: readonly number[],
  temperature: number,
  topK: number | null,
  topP: number | null,
  random: RandomSequence,
): number {
  if (scores.some(Number.isNaN))
    throw new ValueError('generate: the model gave NaN. model.traceNaN finds where it comes from.');
  // Of equal scores the first.
  if (temperature === 0) return scores.reduce((best, score, id) => (score > scores[best] ? id : best), 0);
  const ranked = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
  const kept = topK === null ? ranked : ranked.slice(0, topK);
  const weights = kept.map((id) => Math.exp((scores[id] - scores[kept[0]]) / temperature));
  let total = weights.reduce((sum, one) => sum + one, 0);
  let count = kept.length;
  if (topP !== null) {
    let share = 0;
    for (count = 0; count < kept.length && share < topP * total; count++) share += weights[count];
    total = share;
  }
  let left = random.uniform() * total;
  for (let i = 0; i < count; i++) {
    left -= weights[i];
    if (left < 0) return kept[i];
  }
  return kept[count - 1];
}
