"""What real Keras makes of networks that others trained; pretrained.js compares. See README.md.

    python pretrained.py FOLDER    # with emotion_model.hdf5, upscaler/model.json and mobilenet/model.json in it; writes expected.json
"""
import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
from keras.src.legacy.saving import saving_utils
import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
random = np.random.default_rng(3)


def from_tfjs(folder):
    """A model of TensorFlow.js: Keras makes it from the description, the weights go in by their names."""
    held = json.loads((FOLDER / folder / "model.json").read_text())
    topology = held["modelTopology"]["model_config"]
    model = saving_utils.model_from_config({**topology, "class_name": "Functional"})
    found = {}
    for group in held["weightsManifest"]:
        data = b"".join((FOLDER / folder / path).read_bytes() for path in group["paths"])
        at = 0
        for weight in group["weights"]:
            packed = weight.get("quantization")
            kind = np.dtype(packed["dtype"] if packed else weight["dtype"])
            size = int(np.prod(weight["shape"])) * kind.itemsize
            values = np.frombuffer(data[at:at + size], kind).astype("float64")
            at += size
            if packed and kind != np.float16:
                values = values * packed["scale"] + packed["min"]
            found[weight["name"]] = values.reshape(weight["shape"]).astype("float32")
    for layer in model.layers:
        for weight in layer.weights:
            name = f"{layer.name}/{weight.name}"
            older = f"{layer.name}/depthwise_{weight.name}"
            weight.assign(found[older if older in found else name])
    return model


cases = {
    "fer": ("emotion_model.hdf5", lambda: keras.models.load_model(FOLDER / "emotion_model.hdf5", compile=False), (2, 64, 64, 1)),
    "upscaler": ("upscaler/model.json", lambda: from_tfjs("upscaler"), (1, 12, 10, 3)),
    "mobilenet": ("mobilenet/model.json", lambda: from_tfjs("mobilenet"), (1, 224, 224, 3)),
}
expected = {}
for name, (file, make, shape) in cases.items():
    model = make()
    x = random.uniform(0, 1, shape).astype("float32").round(3)
    y = np.asarray(model.predict(x, verbose=0))
    print(name, model.count_params(), y.shape, float(np.abs(y).max()))
    expected[name] = {"file": file, "shape": shape, "x": x.ravel().tolist(), "y": y.ravel().tolist(), "params": model.count_params()}
(FOLDER / "expected.json").write_text(json.dumps(expected))
