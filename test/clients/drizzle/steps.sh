#!/usr/bin/env bash
# Drizzle: migrations and the program of test/clients.sh

set -euo pipefail
kit() { node node_modules/drizzle-kit/bin.cjs "$@" --config drizzle.config.mjs; }

kit generate --custom --name coderring
cp coderring.sql migrations/0000_coderring.sql
kit generate --name booking
cat migrations/0001_booking.sql
node app.mjs

expect() {
    if grep -q "$2"; then
        echo "ok - migrations: $1"
    else
        echo "not ok - migrations: $1"
    fi
}

kit generate --name more | tee log
expect "generate finds no change" "No schema changes" <log
kit push --verbose | tee log
expect "push finds no change" "No changes detected" <log
sed 's#./migrations#./pulled#' drizzle.config.mjs >pull.config.mjs
node node_modules/drizzle-kit/bin.cjs pull --config pull.config.mjs
tables=$(grep -o 'pgTable("[^"]*"\|pgView("[^"]*"\|pgSchema("[^"]*"' pulled/schema.ts | xargs)
expect "pull shows the application's table alone" '^pgTable(booking$' <<<"$tables"
