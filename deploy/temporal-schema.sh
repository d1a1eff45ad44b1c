#!/bin/sh
# Brings the schema of Temporal's two databases to the version of this admin-tools image; can run at each start.
# Needs SQL_HOST, SQL_PORT, SQL_USER, and SQL_PASSWORD (read by temporal-sql-tool itself, never an argument).
# It creates no database: databases.sql did, and the role `temporal` may not.
set -eu

: "${SQL_HOST:?}" "${SQL_PORT:?}" "${SQL_USER:?}" "${SQL_PASSWORD:?}"
schema=/etc/temporal/schema/postgresql/v12

sql_tool() {
    temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" -p "$SQL_PORT" -u "$SQL_USER" "$@"
}

# On a database that has a schema setup-schema changes nothing; on an empty one it makes the table of versions.
sql_tool --db temporal setup-schema -v 0.0
sql_tool --db temporal update-schema -d "$schema/temporal/versioned"
sql_tool --db temporal_visibility setup-schema -v 0.0
sql_tool --db temporal_visibility update-schema -d "$schema/visibility/versioned"

echo "Temporal's databases are up to date."
