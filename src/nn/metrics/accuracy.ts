/** How often the highest score is that of the right class. 'accuracy' is one of these, chosen by shapes; see resolve.ts. */
import { cast, logicalAnd } from '../../ops/select.ts';
import { numberBetween } from '../check.ts';
import { classNumbers, paired } from '../targets.ts';
import { meanOf, metricOf, yes } from './metric.ts';

/** Share of values on the right side of the threshold. A NaN is on neither. */
export const binaryAccuracy = metricOf('binaryAccuracy', { threshold: 0.5 }, ({ threshold }) => {
  numberBetween(threshold, 'binaryAccuracy', 'threshold', Number.NEGATIVE_INFINITY);
  return meanOf((yTrue, yPred) => {
    const [t, p] = paired('binaryAccuracy', yTrue, yPred);
    const hits = cast(logicalAnd(t.equal(yes(p, threshold)), p.equal(p)), 'f32');
    return hits.rank > 1 ? hits.mean(-1) : hits;
  });
});

/** Share of rows whose highest score is at the 1 of one-hot y. */
export const categoricalAccuracy = metricOf('categoricalAccuracy', {}, () => ({
  orderOnly: true,
  ...meanOf((yTrue, yPred) => {
    const [t, p] = paired('categoricalAccuracy', yTrue, yPred);
    return t.argMax(-1).equal(p.argMax(-1));
  }),
}));

/** Share of rows whose highest score is that of the class y. */
export const sparseCategoricalAccuracy = metricOf('sparseCategoricalAccuracy', {}, () => ({
  orderOnly: true,
  ...meanOf((yTrue, yPred) =>
    yPred.argMax(-1).equal(classNumbers('sparseCategoricalAccuracy', yTrue, yPred)),
  ),
}));
