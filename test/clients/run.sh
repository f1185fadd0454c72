#!/usr/bin/env bash
# run.sh CLIENT DIR: runs the program of a client in DIR, a copy of its directory.
# PGHOST and the other variables of libpq, and DATABASE_URL, name the database;
# PYTHON is the interpreter; POOLER is 1 where a pooler sits in between, and POOLED
# where it knows no prepared statements.

set -euo pipefail

client=$1
docs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../docs" && pwd)
cd "$2"

# npm_version TITLE PACKAGE
npm_version() {
    echo "version $1 $(sed -n 's/^ *"version": "\(.*\)".*/\1/p' "node_modules/$2/package.json" | head -n 1)"
}

case $client in
    psql)
        echo "version $(psql --version | cut -d ' ' -f 1,3)"
        psql -X -q -v ON_ERROR_STOP=1 -f psql.sql
        ;;
    psycopg | psycopg2) "$PYTHON" booking.py ;;
    sqlalchemy) "$PYTHON" app.py ;;
    django) bash steps.sh ;;
    activerecord) ruby activerecord.rb ;;
    jdbc) java -cp /usr/share/java/postgresql.jar Booking.java ;;
    pq)
        echo "version lib/pq $(dpkg-query -W -f '${Version}' golang-github-lib-pq-dev 2>/dev/null)"
        GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$HOME/go-cache go run pq.go
        ;;
    pdo) php pdo.php ;;
    node-postgres)
        npm_version node-postgres pg
        node node-postgres.mjs
        ;;
    knex)
        npm_version Knex knex
        node knex.mjs
        ;;
    sequelize)
        npm_version Sequelize sequelize
        node sequelize.mjs
        ;;
    typeorm)
        npm_version TypeORM typeorm
        bash steps.sh
        ;;
    drizzle)
        npm_version Drizzle drizzle-orm
        bash steps.sh
        ;;
    prisma)
        npm_version Prisma prisma
        bash steps.sh
        ;;
    ecto)
        echo "version Ecto SQL $(sed -n 's/.*{vsn,"\([^"]*\)"}.*/\1/p' lib/ecto_sql/ebin/ecto_sql.app)"
        elixir -pa 'lib/*/ebin' booking.exs
        ;;
    coder_ring)
        echo "version $(elixir --version | grep Elixir)"
        mkdir -p ebin
        elixirc --warnings-as-errors -o ebin "$docs/coder_ring.ex" modules.ex
        elixir -pa ebin -pa 'lib/*/ebin' coder_ring.exs
        ;;
esac
