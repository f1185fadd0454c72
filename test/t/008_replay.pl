# What is written to WAL makes the same pages elsewhere.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_node('primary', q{
wal_consistency_checking = 'heap,btree,sequence'
checkpoint_timeout = 1h
autovacuum = off
}, allows_streaming => 1);

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# All kinds of records, and checkpoints in between, so that some of them carry
# whole pages and some do not.
my $work = q{
	SELECT coderring_create('ring', 3), coderring_create('short', 1);
	SELECT count(coderring_get_code('ring', i || '-')) FROM generate_series(1, 300) i;
	CHECKPOINT;
	SELECT count(coderring_get_code('ring', i || '-')) FROM generate_series(1, 600) i;
	SELECT count(*) FROM coderring_get_codes('ring', 40000);
	BEGIN;
	SELECT count(coderring_get_code('ring', i || '+')) FROM generate_series(1, 100) i;
	SAVEPOINT s;
	SELECT count(coderring_get_code('ring', i || '/')) FROM generate_series(1, 100) i;
	ROLLBACK TO s;
	ROLLBACK;
	SELECT count(*) FROM coderring_get_codes('short', 40, 'W');
	SELECT count(*) FROM coderring_get_codes('short', 200);
	SELECT coderring_advance('ring', 'far', 1000, 7);
	CHECKPOINT;
	SELECT coderring_get_code('ring', '1-', true);
	SELECT coderring_drop('none', if_exists => true);
	VACUUM FREEZE coderring.series_state;
	SELECT coderring_rename('ring', 'renamed');
	SELECT count(coderring_get_code('renamed', i || '-')) FROM generate_series(1, 600) i;
	SELECT coderring_reset('short');
	SELECT count(*) FROM coderring_get_codes('short', 100, 'W');
	VACUUM FULL coderring.series_state;
	SELECT count(coderring_get_code('renamed', i || '-')) FROM generate_series(500, 900) i;
	SELECT coderring_drop('renamed'), coderring_drop('short');
	VACUUM coderring.series_state;
};

my $rows = q{
	SELECT md5(string_agg(s::text, ' ' ORDER BY s::text)) FROM coderring.series_state s;
	SELECT md5(string_agg(s::text, ' ' ORDER BY s::text)) FROM coderring.skipped_positions s;
	SELECT ring, extra, reserved_to FROM coderring.series ORDER BY 1, 2};

foreach my $round (1 .. 2)
{
	$primary->safe_psql('postgres', $work);
	$primary->safe_psql('postgres', q{SELECT coderring_create('kept', 2); SELECT coderring_get_codes('kept', 40)}) if $round == 1;
	$primary->safe_psql('postgres', q{SELECT coderring_get_codes('kept', 400, 'x')});
	$primary->wait_for_catchup($standby);
	is($standby->safe_psql('postgres', $rows), $primary->safe_psql('postgres', $rows), "round $round: the same rows");
}
unlike(slurp_file($standby->logfile), qr/PANIC|inconsistent page/, 'the standby found no page that differs');
$standby->stop;

# A crash right after, and the same pages by recovery.
my $before = $primary->safe_psql('postgres', $rows);
$primary->stop('immediate');
$primary->start;
is($primary->safe_psql('postgres', $rows), $before, 'the same rows after a crash');
$primary->stop;

done_testing();
