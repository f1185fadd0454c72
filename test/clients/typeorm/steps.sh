#!/usr/bin/env bash
# TypeORM: migrations and the program of test/clients.sh

set -euo pipefail
typeorm() { node node_modules/typeorm/cli.js "$@"; }

node node_modules/typescript/bin/tsc --outDir js --target es2022 --module commonjs --strict \
    --experimentalDecorators --emitDecoratorMetadata --skipLibCheck ./*.ts
typeorm migration:run -d js/source.js
# the migration for the table is TypeORM's own, from the entity
typeorm migration:generate -d js/source.js js/generated --outputJs
cat js/*-generated.js
MIGRATIONS="$PWD/js/*-generated.js" typeorm migration:run -d js/source.js
node js/app.js

if typeorm migration:generate -d js/source.js --check js/more; then
    echo "ok - migrations: migration:generate finds no change"
else
    echo "not ok - migrations: migration:generate finds no change"
fi
if typeorm schema:log -d js/source.js | tee schema.log | grep -q "Your schema is up to date"; then
    echo "ok - migrations: schema:log has nothing to do"
else
    echo "not ok - migrations: schema:log has nothing to do"
    cat schema.log
fi
