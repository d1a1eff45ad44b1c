#!/bin/sh
# Creates the namespace of the journeys, or sets its retention again; can run at each start.
# Needs TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE (read by temporal itself), and RETENTION (90d).
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${RETENTION:?}"
attempts=${ATTEMPTS:-30}

# Tries a command once a second; a server that has just begun refuses some for up to 15 seconds.
try() {
    left=$attempts
    until "$@" >/dev/null; do
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            echo "Temporal at $TEMPORAL_ADDRESS: gave up after $attempts attempts at: $*" >&2
            exit 1
        fi
        sleep 1
    done
}

create_or_update() {
    if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
        temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
    else
        temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
    fi
}

try temporal operator cluster health
try create_or_update
echo "Namespace $TEMPORAL_NAMESPACE keeps closed workflows for $RETENTION."
