#!/bin/sh
# Creates the databases and login roles of docker-compose.yml, or brings them up to date; can run at each start.
# Needs PGHOST, PGUSER, PGPASSWORD (a superuser's) and the three passwords below.
set -eu

here=$(dirname "$0")

check_password() {
    name=$1
    value=$2
    case $value in
        *[!A-Za-z0-9_-]*)
            echo "$name: only letters, digits, - and _ are allowed. Change it in .env (openssl rand -hex 24)." >&2
            exit 2
            ;;
    esac
    if [ "${#value}" -lt 16 ]; then
        echo "$name: needs 16 characters or more. Change it in .env (openssl rand -hex 24)." >&2
        exit 2
    fi
}

check_password TEMPORAL_DB_PASSWORD "${TEMPORAL_DB_PASSWORD:-}"
check_password JOURNEYS_OWNER_PASSWORD "${JOURNEYS_OWNER_PASSWORD:-}"
check_password JOURNEYS_APP_PASSWORD "${JOURNEYS_APP_PASSWORD:-}"

# The passwords reach psql through its environment: arguments can be read by other processes.
exec psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres --file="$here/databases.sql"
