#!/usr/bin/env bash
# From a folder of transcripts to answers, with everything that many machines would do on this one: two workers of Ray
# read and embed, a store in LanceDB takes the index, and two readers behind a proxy answer from it.
#
#     bash docs/examples/from-nothing.sh ~/talks WORK [PORT]
#
# WORK takes the index and the store; the proxy listens on PORT, the readers on the two behind it, Ray on the next two.
# Ctrl-C ends all of it. docs/scale.md says what each part does on machines of its own.
set -euo pipefail

talks=$1
work=$2
port=${3:-8700}
store=lance://$work/store
export RAY_USAGE_STATS_ENABLED=0  # Ray would tell its makers how it is used

finish() {
    trap - EXIT
    kill $(jobs -p) 2>/dev/null || true
    ray stop --force >/dev/null 2>&1 || true
}
trap finish EXIT
trap 'exit 0' INT TERM

# 1. Two workers: on other machines, `ray start --address HEAD:PORT` joins them to the first.
ray start --head --node-ip-address 127.0.0.1 --port $((port + 3)) --ray-client-server-port $((port + 4)) \
    --num-cpus 2 --include-dashboard=false --object-store-memory 100000000 --disable-usage-stats >/dev/null

# 2. They read and embed, one writer writes, and what is new goes into the store.
talksearch --index "$work/index" index "$talks" --workers "ray://127.0.0.1:$((port + 4))" --store "$store"
ray stop --force >/dev/null 2>&1  # readers need no workers

# 3. Two readers, which have nothing but the address of the store; on other machines it is one of S3 or Chroma.
talksearch serve --store "$store" --port $((port + 1)) &
talksearch serve --store "$store" --port $((port + 2)) &

# 4. The proxy, in whose place nginx, HAProxy or Caddy stands in earnest.
python "$(dirname "$0")/proxy.py" "$port" $((port + 1)) $((port + 2)) &

until curl --silent --fail "http://127.0.0.1:$port/api/search?q=hello&k=1" >/dev/null; do sleep 0.5; done
echo "Ask at http://127.0.0.1:$port"
wait
