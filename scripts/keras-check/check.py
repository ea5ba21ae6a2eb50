"""Shows real Keras the files that Weft wrote, and writes files for Weft to read. See README.md."""
import json
import os
import pathlib
import platform

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import h5py
import jax
import keras
import numpy as np
from safetensors.numpy import load_file, save_file

FIXTURES = pathlib.Path(__file__).parents[2] / "test/nn/saving/fixtures"
TOLERANCE = 1e-6

keras.utils.set_random_seed(1)
expected = json.loads((FIXTURES / "from-weft.expected.json").read_text())
x = np.array(expected["samples"], "float32")
y = np.array(expected["labels"])
verdict = {"keras": keras.__version__, "jax": jax.__version__, "python": platform.python_version(), "files": {}}


def predicts_the_same(model):
    difference = np.abs(model.predict(x, verbose=0) - np.array(expected["predictions"], "float32")).max()
    assert difference < TOLERANCE, difference
    return float(difference)


def trains_on(model):
    before = [np.array(w) for w in model.get_weights()]
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all() and "accuracy" in history, history
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights())]
    # Weight 4 belongs to the frozen layer.
    assert changed == [i != 4 for i in range(len(changed))], changed
    return history["loss"]


# ---- what Weft wrote

whole = keras.models.load_model(FIXTURES / "from-weft.keras")
for name in ["from-weft.keras", "from-weft.h5"]:
    model = keras.models.load_model(FIXTURES / name)
    assert model.name == "check" and model.get_layer("inner").layers[0].name == "within"
    assert type(model.optimizer).__name__ == "Adam" and not model.get_layer("frozen").trainable
    found = {"difference": predicts_the_same(model)}
    if name.endswith(".keras"):
        assert int(model.optimizer.iterations.value) == 7
        found["optimizer variables"] = len(model.optimizer.variables)
        assert float(np.abs(np.array(model.optimizer.variables[3].value)).max()) > 0
    found["losses"] = trains_on(model)
    verdict["files"][name] = found

model = keras.models.load_model(FIXTURES / "from-weft-schedule.keras")
assert isinstance(model.optimizer._learning_rate, keras.optimizers.schedules.ExponentialDecay)
verdict["files"]["from-weft-schedule.keras"] = {"difference": predicts_the_same(model), "losses": trains_on(model)}

whole.set_weights([np.zeros_like(w) for w in whole.get_weights()])
whole.load_weights(FIXTURES / "from-weft.weights.h5")
verdict["files"]["from-weft.weights.h5"] = {"difference": predicts_the_same(whole), "losses": trains_on(whole)}

whole.load_weights(FIXTURES / "from-weft.weights.h5")
tensors = load_file(FIXTURES / "from-weft.safetensors")
assert np.array_equal(tensors["dense.kernel"], np.array(whole.get_layer("first").kernel))
assert np.array_equal(tensors["sequential.dense.kernel"], np.array(whole.get_layer("inner").layers[0].kernel))
verdict["files"]["from-weft.safetensors"] = {"tensors": sorted(tensors)}
with np.load(FIXTURES / "from-weft.npz") as archive:
    assert np.array_equal(archive["floats"], np.array([[1.5, np.nan, -0.0], [4, 5, np.inf]], "float32"), equal_nan=True)
    assert np.signbit(archive["floats"][0, 2]) and archive["floats"].dtype == np.float32
    assert archive["bytes"].tolist() == [1, 2, 255] and archive["bytes"].dtype == np.uint8
    assert archive["whole"].shape == () and archive["whole"] == -7 and archive["whole"].dtype == np.int32
    verdict["files"]["from-weft.npz"] = {"arrays": sorted(archive)}
(FIXTURES / "verdict.json").write_text(json.dumps(verdict, indent=1) + "\n")


# ---- what Weft is to read

optimizers = {
    "adam": keras.optimizers.Adam(0.01, amsgrad=True),
    "rmsprop": keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "sgd": keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adamw": keras.optimizers.AdamW(0.01, weight_decay=0.02, global_clipnorm=0.5),
    "adagrad": keras.optimizers.Adagrad(0.1),
    "schedule": keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
}


def record(model, name):
    """Predictions now, and after one more step on all samples."""
    now = model.predict(x, verbose=0).tolist()
    loss = float(np.array(model.train_on_batch(x, y)).flat[0])
    after = model.predict(x, verbose=0).tolist()
    (FIXTURES / f"{name}.expected.json").write_text(
        json.dumps({"samples": x.tolist(), "labels": y.tolist(), "predictions": now, "loss": loss, "after": after})
    )


for name, optimizer in optimizers.items():
    keras.utils.clear_session()
    model = keras.Sequential(
        [
            keras.layers.Input([4, 3]),
            keras.layers.Rescaling(0.5, offset=0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu", kernel_initializer="he_normal"),
            keras.Sequential([keras.layers.Input([5]), keras.layers.Dense(4, activation="tanh", name="within")]),
            keras.layers.Reshape([-1]),
            keras.layers.Dense(3, name="last"),
            keras.layers.Activation("softmax"),
        ]
    )
    loss = "sparse_categorical_crossentropy" if name != "sgd" else keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer, loss, metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=2)])
    model.fit(x, y, epochs=3, verbose=0)
    model.save(FIXTURES / f"from-keras-{name}.keras")
    if name == "adam":
        model.save(FIXTURES / "from-keras.h5")
        model.save_weights(FIXTURES / "from-keras.weights.h5")
        save_file(
            {f"dense{'' if i == 0 else f'_{i}'}.{kind}": np.array(getattr(layer, kind))
             for i, layer in enumerate([model.layers[2], model.get_layer("last")])
             for kind in ["kernel", "bias"]}
            | {f"sequential.dense.{kind}": np.array(getattr(model.layers[3].layers[0], kind)) for kind in ["kernel", "bias"]},
            FIXTURES / "from-keras.safetensors",
        )
    record(model, f"from-keras-{name}")

# A dropout layer brings a generator of its own.
keras.utils.clear_session()
model = keras.Sequential([keras.layers.Input([4, 3]), keras.layers.Flatten(), keras.layers.Dropout(0.5, seed=3), keras.layers.Dense(3, "softmax")])
model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, verbose=0)
model.save(FIXTURES / "from-keras-dropout.keras")
record(model, "from-keras-dropout")

# The dialect of tf.keras 2: other names, fixed-length strings, metrics wrapped and in lists of lists.
kernels = [np.sin(np.arange(12 * 4, dtype="float32")).reshape(12, 4), np.cos(np.arange(4 * 3, dtype="float32")).reshape(4, 3)]
biases = [np.linspace(-1, 1, 4, dtype="float32"), np.linspace(0, 1, 3, dtype="float32")]


def dense(name, units, activation, **more):
    glorot = {"class_name": "GlorotUniform", "config": {"seed": None}}
    return {"class_name": "Dense", "config": {
        "name": name, "trainable": True, "dtype": "float32", "units": units, "activation": activation, "use_bias": True,
        "kernel_initializer": glorot, "bias_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None,
        "kernel_constraint": None, "bias_constraint": None, **more}}


config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": [
    {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4, 3], "dtype": "float32", "sparse": False, "ragged": False, "name": "flatten_input"}},
    {"class_name": "Flatten", "config": {"name": "flatten", "trainable": True, "batch_input_shape": [None, 4, 3], "dtype": "float32", "data_format": "channels_last"}},
    dense("dense", 4, "sigmoid"), dense("dense_1", 3, "softmax")]}}
training = {"loss": "sparse_categorical_crossentropy", "metrics": [[{"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "dtype": "float32", "fn": "sparse_categorical_accuracy"}}]],
    "weighted_metrics": None, "loss_weights": None, "optimizer_config": {"class_name": "RMSprop", "config": {
        "name": "RMSprop", "learning_rate": 0.001, "decay": 0.0, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-07, "centered": False}}}
with h5py.File(FIXTURES / "keras2-dialect.h5", "w") as f:
    f.attrs["keras_version"] = b"2.11.0"
    f.attrs["backend"] = b"tensorflow"
    f.attrs["model_config"] = json.dumps(config).encode()
    f.attrs["training_config"] = json.dumps(training).encode()
    group = f.create_group("model_weights")
    group.attrs["layer_names"] = [b"flatten", b"dense", b"dense_1"]
    group.create_group("flatten").attrs["weight_names"] = []
    for i, name in enumerate(["dense", "dense_1"]):
        inner = group.create_group(name)
        inner.attrs["weight_names"] = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()]
        inner.create_dataset(f"{name}/kernel:0", data=kernels[i])
        inner.create_dataset(f"{name}/bias:0", data=biases[i])
# Keras 3 cannot use the metric that tf.keras 2 wraps.
model = keras.models.load_model(FIXTURES / "keras2-dialect.h5", compile=False)
model.compile("rmsprop", "sparse_categorical_crossentropy")
record(model, "keras2-dialect")

# HDF5 files that packers make: chunks, gzip, doubles.
with h5py.File(FIXTURES / "from-keras.weights.h5") as source, h5py.File(FIXTURES / "packed.weights.h5", "w") as target:
    def copy(name, one):
        if isinstance(one, h5py.Dataset):
            packing = {"compression": "gzip", "chunks": True} if one.shape else {}
            target.create_dataset(name, data=one[()].astype("f8") if one.dtype == "f4" else one[()], **packing)
    source.visititems(copy)

print(json.dumps(verdict, indent=1))
