#!/usr/bin/env bash
# Django: migrations and the program of test/clients.sh

set -euo pipefail
export DJANGO_SETTINGS_MODULE=settings PYTHONPATH=.${PYTHONPATH:+:$PYTHONPATH}

manage() { "$PYTHON" -m django "$@"; }

manage migrate
"$PYTHON" app.py

if manage makemigrations --check --dry-run; then
    echo "ok - migrations: makemigrations finds nothing to do"
else
    echo "not ok - migrations: makemigrations finds nothing to do"
fi
# a table that the role may not read comes as a remark
tables=$(manage inspectdb |
    sed -n "s/^ *db_table = '\(.*\)'/\1/p; s/^# Unable to inspect table '\(.*\)'/\1/p" | sort | xargs)
if [[ $tables == "django_migrations shop_booking" ]]; then
    echo "ok - migrations: inspectdb shows the application's tables alone"
else
    echo "not ok - migrations: inspectdb shows the application's tables alone ($tables)"
fi
