#!/bin/sh
# A client of Ringback's REST door: a POSIX shell, curl and openssl.
#
#   ringback.sh create IDEMPOTENCY_KEY [WAIT_SECONDS] <callback.json
#   ringback.sh show ID
#   ringback.sh list [QUERY]                       every page, a line of JSON each; QUERY such as state=completed
#   ringback.sh cancel ID
#   ringback.sh verify ID TIMESTAMP SIGNATURES <body
#
# The environment names the service (RINGBACK_URL), the key (RINGBACK_KEY) and, for verify, RINGBACK_WEBHOOK_SECRET.
set -eu

fail() {
    echo "$*" >&2
    exit 1
}

# Sends a request; prints the answer's body. The key goes by a file descriptor, since arguments can be seen by every user
# of the machine.
call() {
    answer=$(curl --silent --show-error --config /dev/fd/3 --max-time 60 --write-out '\n%{http_code}' "$@" 3<<EOF
header = "Authorization: Bearer $RINGBACK_KEY"
EOF
    ) || return 75
    status=$(printf '%s' "$answer" | tail -n 1)
    body=$(printf '%s' "$answer" | sed '$d')
    case $status in
        2??) printf '%s\n' "$body" ;;
        # Nothing was decided: the same request may be sent again.
        429 | 5??) echo "$body" >&2 && return 75 ;;
        *) echo "$body" >&2 && return 1 ;;
    esac
}

create() {
    key=$1 wait=${2:-0}
    request=$(cat)
    # With the same key, so that the person is called once however often this is sent.
    for pause in 1 2 4 0; do
        result=0
        call --header "Idempotency-Key: $key" --header "Prefer: wait=$wait" --header 'Content-Type: application/json' \
            --data-binary "$request" "$RINGBACK_URL/v1/callbacks" || result=$?
        [ $result -eq 75 ] && [ $pause -gt 0 ] || return $result
        sleep $pause
    done
}

list() {
    query=${1:-} cursor=
    while :; do
        page=$(call --get ${query:+--data "$query"} ${cursor:+--data-urlencode "cursor=$cursor"} "$RINGBACK_URL/v1/callbacks")
        printf '%s\n' "$page"
        cursor=$(printf '%s' "$page" | sed -n 's/.*"next":"\([^"]*\)".*/\1/p')
        [ -n "$cursor" ] || return 0
    done
}

# Standard Webhooks: HMAC-SHA256 over id, time and body. The comparison is of two digests, so that its time tells nothing.
verify() {
    id=$1 timestamp=$2 signatures=$3
    case $timestamp in *[!0-9]* | '') fail 'the timestamp is not a number' ;; esac
    age=$(($(date +%s) - timestamp))
    [ $age -le 300 ] && [ $age -ge -300 ] || fail 'the message is too old, or from the future'
    secret=$(printf '%s' "${RINGBACK_WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
    expected=$({ printf '%s.%s.' "$id" "$timestamp"; cat; } |
        openssl dgst -sha256 -mac HMAC -macopt "hexkey:$secret" -binary | openssl base64 -A)
    expected=$(printf 'v1,%s' "$expected" | openssl dgst -sha256)
    for signature in $signatures; do
        [ "$(printf '%s' "$signature" | openssl dgst -sha256)" != "$expected" ] || return 0
    done
    fail 'no signature is by this secret'
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
    create) create "$@" ;;
    show) call "$RINGBACK_URL/v1/callbacks/$1" ;;
    list) list "$@" ;;
    cancel) call --request DELETE "$RINGBACK_URL/v1/callbacks/$1" ;;
    verify) verify "$@" ;;
    *) fail 'use create, show, list, cancel or verify; the head of this file says how' ;;
esac
