#!/bin/sh
# Runs Weft's benchmark on this machine and writes results/<adapter>.jsonl beside this file.
#
#   ./run.sh                     everything
#   ./run.sh --short             what the adapter can do, two products, W1-W4
#   ./run.sh --parts matmul      one part; --quick: a first look; other options: ./run.sh --parts steps --help
#
# Needs Linux x64 with glibc 2.34 or newer and a Vulkan driver (without one it runs on SwiftShader, in software).
# PyTorch takes part where python3 has it; WEFT_BENCH_PYTHON names another Python.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

unpack() { # from, to
  [ -e "$2" ] && return
  gzip -dc "$1" >"$2.part" && chmod +x "$2.part" && mv "$2.part" "$2"
}
node="$here/bin/node"
dawn="$here/app/node_modules/webgpu/dist/linux-x64/dawn.node"
unpack "$node.gz" "$node"
unpack "$dawn.gz" "$dawn"

libraries() { PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null || true; }
"$node" --version >/dev/null 2>&1 || export LD_LIBRARY_PATH="$here/lib/cpp${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
libraries | grep -q 'libvulkan\.so\.1' ||
  export LD_LIBRARY_PATH="$here/lib/vulkan${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# A GPU in a container often comes with its driver, but without the manifest that tells the Vulkan loader about it.
manifest() {
  for folder in /etc/vulkan/icd.d /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d; do
    ls "$folder"/*.json 2>/dev/null && return
  done
}
if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] && [ -e /dev/nvidiactl ] && ! manifest | grep -q nvidia; then
  for found in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json /usr/local/nvidia/vulkan/icd.d/nvidia_icd.json; do
    [ -e "$found" ] && export VK_DRIVER_FILES="$found"
  done
  if [ -z "${VK_DRIVER_FILES:-}" ]; then
    driver=libGLX_nvidia.so.0
    [ -e "/usr/local/nvidia/lib64/$driver" ] && driver="/usr/local/nvidia/lib64/$driver"
    export VK_DRIVER_FILES="$here/nvidia_icd.json"
    printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "%s", "api_version": "1.3.0"}}\n' "$driver" \
      >"$VK_DRIVER_FILES"
  fi
  export VK_ICD_FILENAMES="$VK_DRIVER_FILES"
fi

export XDG_CACHE_HOME="$here/cache" WEFT_BENCH_RESULTS="$here/results"
case "${1:-}" in
--short) shift ;;
*) set -- --full "$@" ;;
esac
exec "$node" "$here/app/bench/run.js" "$@"
