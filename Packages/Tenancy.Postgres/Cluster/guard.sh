# guard.sh OWNER SERVER [ARGUMENT...]
#
# Runs a PostgreSQL server, on the port in PGPORT, for as long as the process OWNER lives, and exits with the server's code.
# TERM, INT and HUP are passed on as a fast shutdown: PostgreSQL's own answer to TERM is to wait until the last client has left.
# A second process watches OWNER and this one, so that neither can be killed without the server ending too.

owner=$1
shift

# A process that has ended and wasn't collected by its parent (a container without an init) still answers to signal 0.
lives() {
    kill -0 "$1" 2>/dev/null || return 1
    if [ -d /proc/self ]; then
        read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
        state=${stat##*) }
    else
        state=$(ps -o stat= -p "$1")
    fi
    case $state in Z* | X* | '') return 1 ;; esac
}

# Asks again until the server is gone, because a signal that arrives before the server has set up its handlers is lost.
# After $1 tenths of a second it doesn't ask any more: an immediate shutdown costs a recovery on the next start, and no data.
stop() {
    tries=0
    signal=INT
    while [ -n "$server" ] && lives "$server"; do
        [ "$tries" -lt "$1" ] || signal=QUIT
        kill -s "$signal" "$server" 2>/dev/null
        tries=$((tries + 1))
        sleep 0.1
    done
}

watch() {
    trap '' TERM INT HUP
    while lives "$owner" && lives "$guard"; do sleep 0.5; done
    stop 15
}

guard=$$
server=
stopping=
trap 'stopping=yes; stop 50' TERM INT HUP

"$@" -p "$PGPORT" &
server=$!
watch >/dev/null 2>&1 &
watcher=$!
[ -z "$stopping" ] || stop 50

# A signal ends `wait` early, with a code of its own; the server's is still to be had when it has stopped.
wait "$server"
code=$?
if [ -n "$stopping" ]; then
    wait "$server"
    code=$?
fi

{ kill -s KILL "$watcher"; wait "$watcher"; } 2>/dev/null
exit "$code"
