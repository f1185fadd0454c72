#!/bin/sh
# Nagios and Icinga plugin: does a series of coderring soon have longer codes, or none?
#
#   check_coderring.sh [WARNING [CRITICAL]] [PSQL OPTION...]
#
# WARNING and CRITICAL are percent of a cycle that are left before codes get longer, by
# default 10 and 2; a series that max_length ends is critical at WARNING. Exit status: 0
# all well, 1 warning, 2 critical, 3 it could not be found out. The role must be a
# member of pg_monitor to see every ring. Example: check_coderring.sh 20 5 -d shop -U nagios

warning=10
critical=2
case ${1-} in [0-9]*) warning=$1; shift ;; esac
case ${1-} in [0-9]*) critical=$1; shift ;; esac

if ! out=$(psql -X -A -t -q -F ' ' -v ON_ERROR_STOP=1 -v warning="$warning" -v critical="$critical" "$@" -f - 2>&1 <<'SQL'
SELECT CASE WHEN percent < :critical OR ends AND percent < :warning THEN 2 WHEN percent < :warning THEN 1 ELSE 0 END,
	pg_catalog.format('%s: %s codes until %s', pg_catalog.quote_literal(ring || ' ' || extra), codes_until_longer,
		CASE WHEN ends THEN 'the end' ELSE 'they get longer' END)
FROM (
	SELECT ring, extra, codes_until_longer, 100.0 * codes_until_longer / codes_per_cycle AS percent,
		code_length >= coalesce(max_length, code_length + 1) AS ends
	FROM coderring.series JOIN coderring.rings ON name = ring) s
ORDER BY 1 DESC, percent LIMIT 1;
SQL
); then
	echo "UNKNOWN: $out"
	exit 3
fi
case $out in
	'') echo "OK: no codes were taken yet"; exit 0 ;;
	0*) echo "OK: ${out#? }"; exit 0 ;;
	1*) echo "WARNING: ${out#? }"; exit 1 ;;
	2*) echo "CRITICAL: ${out#? }"; exit 2 ;;
	*) echo "UNKNOWN: $out"; exit 3 ;;
esac
