"""Records what real Keras's layers compute, trains one model of them for Weft to go on with, and shows Keras Weft's file."""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np

FIXTURES = pathlib.Path(__file__).parents[2] / "test/nn/saving/fixtures"
L = keras.layers
keras.utils.set_random_seed(7)
random = np.random.default_rng(7)


def numbers(*shape):
    return random.normal(0.3, 1.5, shape).astype("float32")


def case(layer, shape, training=False):
    x = numbers(*shape)
    layer.build(shape)
    layer.set_weights([np.abs(numbers(*w.shape)) + 0.1 for w in layer.get_weights()])
    config = {k: v for k, v in layer.get_config().items() if k not in ("name", "dtype", "trainable")}
    found = {"class_name": type(layer).__name__, "config": config, "training": training, "x": x.tolist(),
             "weights": [w.tolist() for w in layer.get_weights()]}
    y = layer(x, training=True) if training else layer(x)
    return {**found, "y": np.array(y).tolist(), "after": [w.tolist() for w in layer.get_weights()]}


cases = [
    case(L.ReLU(), (4, 3)),
    case(L.ReLU(max_value=1.0, negative_slope=0.2, threshold=0.5), (4, 3)),
    case(L.LeakyReLU(), (4, 3)),
    case(L.ELU(alpha=0.7), (4, 3)),
    case(L.PReLU(), (4, 2, 3)),
    case(L.PReLU(shared_axes=[1]), (4, 2, 3)),
    case(L.Softmax(), (4, 3)),
    case(L.Softmax(axis=1), (4, 3, 2)),
    case(L.Permute((2, 3, 1)), (2, 3, 4, 5)),
    case(L.RepeatVector(3), (2, 4)),
    case(L.Identity(), (2, 4)),
    case(L.UnitNormalization(), (3, 4)),
    case(L.UnitNormalization(axis=[1, 2]), (3, 2, 4)),
    case(L.LayerNormalization(), (3, 5)),
    case(L.LayerNormalization(axis=[1, 2], epsilon=0.01, center=False), (3, 2, 4)),
    case(L.LayerNormalization(axis=1, scale=False), (3, 2, 4)),
    case(L.RMSNormalization(), (3, 5)),
    case(L.BatchNormalization(), (6, 3)),
    case(L.BatchNormalization(momentum=0.8), (6, 3), training=True),
    case(L.BatchNormalization(axis=1, epsilon=0.01, scale=False), (4, 3, 2), training=True),
    case(L.BatchNormalization(center=False), (4, 2, 2, 3), training=True),
]

x, y = numbers(12, 4, 3), random.integers(0, 3, 12)
model = keras.Sequential([
    keras.Input((4, 3)),
    L.Permute((2, 1)),
    L.LayerNormalization(),
    L.PReLU(shared_axes=[1]),
    L.Flatten(),
    # A bias here would have no gradient but rounding, which Adam makes steps of.
    L.Dense(6, use_bias=False),
    L.BatchNormalization(momentum=0.9),
    L.LeakyReLU(),
    L.GaussianNoise(0.0),
    L.Dense(3),
    L.BatchNormalization(trainable=False),
    L.Softmax(),
])
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=12, epochs=4, shuffle=False, verbose=0)
model.save(FIXTURES / "from-keras-layers.keras")
predictions = model.predict(x, verbose=0)
loss = model.train_on_batch(x, y)
after = model.predict(x, verbose=0)
(FIXTURES / "from-keras-layers.expected.json").write_text(json.dumps({
    "keras": keras.__version__, "samples": x.tolist(), "labels": y.tolist(), "predictions": predictions.tolist(),
    "loss": float(loss), "after": after.tolist(), "cases": cases}))

back = FIXTURES / "from-weft-layers.keras"
if back.exists():
    again = keras.models.load_model(back)
    expected = json.loads((FIXTURES / "from-weft-layers.expected.json").read_text())
    difference = np.abs(again.predict(x, verbose=0) - np.array(expected["predictions"], "float32")).max()
    assert difference < 1e-6, difference
    trained = again.train_on_batch(x, y)
    assert abs(float(trained) - expected["loss"]) < 1e-5, (trained, expected["loss"])
    print("from-weft-layers.keras: the same within", difference)
