/** The core cases that are not run, each with its reason. */
const integers =
  'integers have no gradient here (GradientError); cast to f32 first, as TensorFlow.js does silently';

export const excluded: Record<string, string> = {
  'optimizer.rmsprop.throws.0761':
    'contradicts config.0775: a learning rate that is not given is the default 0.001, as in Keras',
  'batches.batches.0949': 'no batches are made of nothing: fit and evaluate refuse empty data (ValueError)',
  'div.grad.0077': integers,
  'div.grad.0078': integers,
  'mul.grad.0092': integers,
};
