"""PyTorch in the benchmark: the same questions as bench/lib/host.js answers, as JSON lines on stdin and stdout.

usage: torch_steps.py cpu | cuda | 'cuda graphs' | 'cuda f16'

The model is eager PyTorch with fused-list (foreach) updates in Keras's formulas. With 'cuda graphs' the whole step
(gather, forward, gradients, update, sums of loss and hits) is captured once and replayed. TF32 is off.
On a CPU the number of threads is the faster of one and all, measured on the workload.
"""

import json
import sys
import time

torch = None


def import_torch():
    global torch
    import torch as module

    torch = module
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


class Trainer:
    def __init__(self, request, backend):
        self.backend = backend
        self.device = torch.device("cpu" if backend == "cpu" else "cuda")
        self.workload = request["workload"]
        self.settings = request["settings"]
        self.batch = self.workload["batchSize"]
        size = request["inputSize"]
        files = request["files"]
        self.x = self.bytes(files["images"]).float().div_(255).reshape(-1, size)
        self.y = self.bytes(files["labels"]).long()
        self.test_x = self.bytes(files["testImages"]).float().div_(255).reshape(-1, size)
        self.test_y = self.bytes(files["testLabels"]).long()
        self.parameters = [
            self.read(weight["path"], torch.float32).reshape(weight["shape"]).requires_grad_()
            for weight in files["weights"]
        ]
        self.slots = [torch.zeros_like(p) for p in self.parameters] if self.workload["optimizer"] != "sgd" else []
        self.sums = torch.zeros(2, device=self.device)
        self.position = torch.zeros(1, dtype=torch.long, device=self.device)
        self.lane = torch.arange(self.batch, device=self.device)
        self.order = torch.arange(self.x.shape[0], device=self.device)
        self.graph = None
        self.threads = ""

    def read(self, path, dtype):
        with open(path, "rb") as file:
            return torch.frombuffer(bytearray(file.read()), dtype=dtype).to(self.device)

    def bytes(self, path):
        return self.read(path, torch.uint8)

    def logits(self, x):
        for i, layer in enumerate(self.workload["layers"]):
            x = torch.addmm(self.parameters[2 * i + 1], x, self.parameters[2 * i])
            if layer["activation"] == "relu":
                x = torch.relu(x)
            elif layer["activation"] == "sigmoid":
                x = torch.sigmoid(x)
        return x

    def step(self):
        rows = self.order.index_select(0, self.lane + self.position * self.batch)
        self.position += 1
        y = self.y.index_select(0, rows)
        logits = self.logits(self.x.index_select(0, rows))
        loss = torch.nn.functional.cross_entropy(logits, y)
        gradients = torch.autograd.grad(loss, self.parameters)
        with torch.no_grad():
            self.update(gradients)
            hits = (logits.argmax(1) == y).sum().float()
            self.sums += torch.stack((loss.detach(), hits))

    def update(self, gradients):
        rate = self.settings["learningRate"]
        if self.workload["optimizer"] == "sgd":
            torch._foreach_add_(self.parameters, gradients, alpha=-rate)
            return
        # Keras: epsilon inside the square root.
        rho = self.settings["rho"]
        torch._foreach_mul_(self.slots, rho)
        torch._foreach_addcmul_(self.slots, gradients, gradients, value=1 - rho)
        root = torch._foreach_add(self.slots, self.settings["epsilon"])
        torch._foreach_sqrt_(root)
        torch._foreach_addcdiv_(self.parameters, gradients, root, value=-rate)

    def state(self):
        return [t for t in [*self.parameters, *self.slots, self.sums, self.position]]

    def keeping_state(self, work):
        """Runs what trains, and puts everything back."""
        kept = [t.detach().clone() for t in self.state()]
        work()
        with torch.no_grad():
            for t, old in zip(self.state(), kept):
                t.copy_(old)

    def capture(self):
        def warm_and_capture():
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):
                    self.step()
            torch.cuda.current_stream().wait_stream(stream)
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.step()

        self.keeping_state(warm_and_capture)

    def choose_threads(self):
        every = torch.get_num_threads()

        def seconds(threads):
            torch.set_num_threads(threads)
            self.position.zero_()
            self.step()
            start = time.perf_counter()
            count = 0
            while time.perf_counter() - start < 0.3 and count < 200:
                self.position.zero_()
                self.step()
                count += 1
            return (time.perf_counter() - start) / count

        def compare():
            best = min({1, every}, key=seconds)
            torch.set_num_threads(best)
            self.threads = f" ({best} thread{'' if best == 1 else 's'})"

        self.keeping_state(compare)

    def train(self, count, shuffle):
        per_epoch = self.x.shape[0] // self.batch
        samples = min(count, per_epoch) * self.batch
        epochs = max(1, round(count / per_epoch))
        steps = epochs * samples // self.batch
        self.sums.zero_()
        if self.backend == "cuda graphs" and self.graph is None:
            self.capture()
        self.wait()
        start = time.perf_counter()
        for _ in range(epochs):
            if shuffle:
                self.order[:samples] = torch.randperm(samples, device=self.device)
            self.position.zero_()
            for _ in range(samples // self.batch):
                if self.graph is None:
                    self.step()
                else:
                    self.graph.replay()
        loss, hits = self.sums.tolist()
        milliseconds = 1000 * (time.perf_counter() - start)
        return {
            "count": steps,
            "milliseconds": milliseconds,
            "loss": loss / steps,
            "accuracy": hits / (steps * self.batch),
        }

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    @property
    def name(self):
        return f"PyTorch {torch.__version__}, {self.backend}{self.threads}"


class Product:
    def __init__(self, product, backend):
        self.backend = backend
        device = "cpu" if backend == "cpu" else "cuda"
        m, k, n = product["m"], product["k"], product["n"]
        dtype = torch.float16 if backend == "cuda f16" else torch.float32
        torch.manual_seed(11)

        def matrix(rows, columns):
            return (2 * torch.rand(rows, columns) - 1).to(device, dtype)

        a = matrix(k, m) if product.get("transposeA") else matrix(m, k)
        b = matrix(n, k) if product.get("transposeB") else matrix(k, n)
        self.a = a.T if product.get("transposeA") else a
        self.b = b.T if product.get("transposeB") else b
        self.y = self.a @ self.b

    def run(self, count):
        for _ in range(count):
            torch.matmul(self.a, self.b, out=self.y)
        if self.y.is_cuda:
            torch.cuda.synchronize()

    def check(self):
        rows = self.a[:: max(1, self.a.shape[0] // 16)][:16].double()
        got = self.y[:: max(1, self.a.shape[0] // 16)][:16].double()
        error = (got - rows @ self.b.double()).abs().max().item()
        k = self.a.shape[1]
        allowed = (2**-10 if self.y.dtype == torch.float16 else 2**-23) * (2 + k / 5) * k / 4
        if not error <= allowed:
            raise RuntimeError(f"check: off by {error}, allowed {allowed}")

    @property
    def name(self):
        return f"PyTorch {torch.__version__}, {self.backend}"


class Host:
    def __init__(self, backend):
        self.backend = backend
        self.trainer = None
        self.product = None

    def prepare(self, request):
        import_torch()
        self.trainer = Trainer(request, self.backend)
        start = time.perf_counter()
        check = self.trainer.train(request.get("checkSteps", 1), shuffle=False)
        cold = 1000 * (time.perf_counter() - start)
        if self.backend == "cpu":
            self.trainer.choose_threads()
        return {"name": self.trainer.name, "data": request["data"], "check": check, "coldMilliseconds": cold}

    def round(self, request):
        return self.trainer.train(request["count"], shuffle=True)

    def finish(self, _):
        t = self.trainer
        with torch.no_grad():
            return {"testAccuracy": (t.logits(t.test_x).argmax(1) == t.test_y).float().mean().item()}

    def startup(self, request):
        start = time.perf_counter()
        import_torch()
        self.trainer = Trainer(request, self.backend)
        prepared = time.perf_counter()
        self.trainer.train(1, shuffle=False)
        end = time.perf_counter()
        return {
            "name": self.trainer.name,
            "data": request["data"],
            "milliseconds": 1000 * (end - start),
            "prepareMilliseconds": 1000 * (prepared - start),
        }

    def predict(self, request):
        t = self.trainer
        samples = t.test_y.shape[0]
        # Pixels come from the CPU, as bytes, and the answer goes back there.
        pixels = t.test_x.mul(255).round().to(torch.uint8).cpu()
        start = time.perf_counter()
        with torch.inference_mode():
            for i in range(request["count"]):
                if request["what"] == "all":
                    result = torch.softmax(t.logits(t.test_x), 1).cpu()
                else:
                    x = pixels[i % samples : i % samples + 1].to(t.device).float().div_(255)
                    result = torch.softmax(t.logits(x), 1).cpu()
        milliseconds = 1000 * (time.perf_counter() - start)
        return {
            "count": request["count"],
            "milliseconds": milliseconds,
            "samples": samples,
            "sum": result.sum().item(),
        }

    def prepareProduct(self, request):
        import_torch()
        self.product = Product(request["product"], self.backend)
        self.product.run(1)
        self.product.check()
        return {"name": self.product.name}

    def productRound(self, request):
        start = time.perf_counter()
        self.product.run(request["count"])
        return {"count": request["count"], "milliseconds": 1000 * (time.perf_counter() - start)}

    def finishProduct(self, _):
        self.product.check()
        return {}

    def memory(self, _):
        with open("/proc/self/statm") as file:
            return {"rss": int(file.read().split()[1]) * 4096}


def main():
    host = Host(sys.argv[1] if len(sys.argv) > 1 else "cpu")
    answers = sys.stdout
    sys.stdout = sys.stderr  # nothing else may speak on the line
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": getattr(host, request["kind"])(request)}
        except Exception as error:
            answer = {"failure": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
