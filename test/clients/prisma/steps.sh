#!/usr/bin/env bash
# Prisma: migrations and the program of test/clients.sh

set -euo pipefail
export CHECKPOINT_DISABLE=1 PRISMA_HIDE_UPDATE_MESSAGE=1

prisma() { node node_modules/prisma/build/index.js "$@"; }

expect() {
    if grep -q "$2" log; then
        echo "ok - migrations: $1"
    else
        echo "not ok - migrations: $1"
    fi
}

prisma generate
prisma migrate deploy
node app.mjs
prisma db push --skip-generate 2>&1 | tee log
expect "db push finds no change" "The database is already in sync"
prisma db pull --print | tee pulled.prisma
[[ $(sed -n 's/^\(model\|view\) \([^ ]*\).*/\2/p' pulled.prisma | xargs) != Booking ]] || echo found >log
expect "db pull shows the application's table alone" found
