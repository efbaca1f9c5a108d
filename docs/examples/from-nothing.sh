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
export RAY_USAGE_STATS_ENABLED=0  # else Ray tells its makers how it is used
export RAY_worker_niceness=0      # on machines of their own, workers need not give way to others

trap 'trap - EXIT; kill $(jobs -p) 2>/dev/null; wait' EXIT
trap 'exit 0' INT TERM

until_it_listens() {
    until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do sleep 0.2; done
}

# 1. Two workers. On other machines, `ray start --address HEAD:PORT` joins more of them to this head.
ray start --head --block --node-ip-address 127.0.0.1 --port $((port + 3)) --ray-client-server-port $((port + 4)) \
    --num-cpus 2 --include-dashboard=false --object-store-memory 100000000 --disable-usage-stats >/dev/null 2>&1 &
ray=$!
until_it_listens $((port + 4))

# 2. They read and embed, one writer writes, and what is new goes into the store. Readers need no workers.
talksearch --index "$work/index" index "$talks" --workers "ray://127.0.0.1:$((port + 4))" --store "$store"
kill $ray

# 3. Two readers, which have nothing but the address of the store. On other machines it is one of S3 or Chroma.
talksearch serve --store "$store" --port $((port + 1)) &
talksearch serve --store "$store" --port $((port + 2)) &

# 4. The proxy, in whose place nginx, HAProxy or Caddy stands in earnest.
until_it_listens $((port + 1))
until_it_listens $((port + 2))
python "$(dirname "$0")/proxy.py" "$port" $((port + 1)) $((port + 2)) &
until_it_listens "$port"
echo "Ask at http://127.0.0.1:$port"
wait
