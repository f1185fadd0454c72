# Series outlive the transactions that made them, and the tables stay sound.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q{
wal_level = logical
max_wal_senders = 4
max_prepared_transactions = 4
wal_writer_delay = 10s
checkpoint_timeout = 1h
});
my %seen;
my $twice = 0;

sub note_codes
{
	$twice += grep { $seen{$_}++ } map { split(/\n/) } @_;
	return;
}

sub crash
{
	$node->stop('immediate');
	$node->start;
	return;
}

# check_tables(TITLE): heaps and indexes, also that every row is in the index.
sub check_tables
{
	my ($title) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
  SKIP:
	{
		skip 'no amcheck', 1 unless $node->safe_psql('postgres',
			q{SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'});
		$node->safe_psql('postgres', 'CREATE EXTENSION IF NOT EXISTS amcheck');
		my ($status, $out, $error) = $node->psql('postgres', q{
			SELECT c.relname, v.* FROM pg_class c, LATERAL verify_heapam(c.oid) v
			WHERE c.relnamespace = 'coderring'::regnamespace AND c.relkind = 'r';
			SELECT count(bt_index_check(i.indexrelid, true)) > 0, count(bt_index_parent_check(i.indexrelid, true, true)) > 0
			FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
			WHERE c.relnamespace = 'coderring'::regnamespace});
		is("$error$out", 't|t', "$title: heaps and indexes are sound");
	}
	my $rows = $node->safe_psql('postgres', q{
		SELECT count(*) FROM (SELECT FROM coderring.series_state GROUP BY incarnation, extra HAVING count(*) > 1) x});
	is($rows, 0, "$title: one row a series");
	return;
}

# The publication is there from the start; the slot sees all that follows.
$node->safe_psql('postgres', q{
	CREATE TABLE other (code text);
	CREATE PUBLICATION everything FOR ALL TABLES;
	SELECT pg_create_logical_replication_slot('slot', 'pgoutput');
	SELECT pg_create_logical_replication_slot('text', 'test_decoding');
	SELECT coderring_create('ring', 3);
	SELECT coderring_create('small', 1)});

#
# New series in transactions that fail.
#
my $session = new_session($node);
my %expected;

foreach my $way (
	[ 'rollback', 'BEGIN', 'ROLLBACK' ],
	[ 'savepoint', 'BEGIN; INSERT INTO other VALUES (1); SAVEPOINT s', 'ROLLBACK TO s; COMMIT' ],
	[ 'nested', 'BEGIN; SAVEPOINT s; SAVEPOINT t', 'RELEASE t; ROLLBACK TO s; ROLLBACK' ],
	[ 'error', 'BEGIN', 'SELECT 1/0; COMMIT' ],
	[ 'serializable', 'BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM other', 'ROLLBACK' ])
{
	my ($title, $begin, $end) = @$way;

	$session->query($begin);
	note_codes(map { $session->query("SELECT coderring_get_code('ring', '$title-')") } 1 .. 3);

	# Another session goes on with it before that ends.
	note_codes($node->safe_psql('postgres', "SELECT coderring_get_code('ring', '$title-')"));
	$session->query($end);
	note_codes($session->query("SELECT coderring_get_code('ring', '$title-')"));
	$expected{"ring/$title-"} = 5;
}
my $positions = positions($node);
is_deeply({ map { $_ => $positions->{$_} } keys %expected }, \%expected, 'series of failed transactions go on without a gap');

# A session that dies in its transaction, and the whole server.
my $victim = new_session($node);
$victim->query('BEGIN');
note_codes(map { $victim->query(q{SELECT coderring_get_code('ring', 'victim-')}) } 1 .. 3);
$node->safe_psql('postgres', "SELECT pg_terminate_backend($victim->{pid}, 60000)");
note_codes($node->safe_psql('postgres', q{SELECT coderring_get_code('ring', 'victim-')}));
is(position($node, 'ring/victim-'), 4, 'series of a terminated session goes on without a gap');

$session->query('BEGIN');
note_codes($session->query(q{SELECT coderring_get_codes('ring', 100, 'crash-')}));
crash();
$session = new_session($node);
# What the crash skips is at most 1/64 of 32,768.
my $place = position($node, 'ring/crash-');
ok($place >= 100 && $place <= 100 + 512, 'series of a transaction that the server crashed in is there')
  or diag($place);
note_codes($session->query(q{SELECT coderring_get_codes('ring', 1000, '} . "$_-')"))
  foreach qw(rollback savepoint nested error serializable victim crash);
is($twice, 0, 'no code twice');
check_tables('after a crash');

# Cycles that are skipped for another series' sake are recorded likewise.
note_codes($session->query(q{SELECT coderring_get_codes('small', 40, 'W')}));
$session->query('BEGIN');
note_codes($session->query(q{SELECT coderring_get_codes('small', 100)}));
$session->query('ROLLBACK');
crash();
$session = new_session($node);
is($session->query(q{SELECT first_position / 32, last_position / 32 FROM coderring.skipped_positions}), '2|2', 'a skipped cycle outlives ROLLBACK and crash');
note_codes($session->query(q{SELECT coderring_get_codes('small', 1000, 'W')}), $session->query(q{SELECT coderring_get_codes('small', 1000)}));
is($twice, 0, 'no code twice');

#
# An error between the row and its index entries: an index whose expression
# cannot be computed.
#
$node->safe_psql('postgres', q{
	CREATE FUNCTION public.nuisance(extra text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
		BEGIN IF extra = 'between-' THEN RAISE 'no'; END IF; RETURN extra; END $$;
	CREATE INDEX nuisance ON coderring.series_state (public.nuisance(extra))});
foreach (1 .. 3)
{
	$session->query(q{SELECT coderring_get_code('ring', 'between-')});
	isnt($session->state, '', 'error while a series is made');
}
note_codes($session->query(q{SELECT coderring_get_code('ring', 'victim-')}));
$node->safe_psql('postgres', q{DROP INDEX coderring.nuisance; DROP FUNCTION public.nuisance});
note_codes(map { $session->query(q{SELECT coderring_get_code('ring', 'between-')}) } 1 .. 3);
is(position($node, 'ring/between-'), 3, 'then it is made');
check_tables('after errors');

# An index that can be kept up is.
$node->safe_psql('postgres', q{CREATE INDEX harmless ON coderring.series_state (extra)});
note_codes($session->query(q{SELECT coderring_get_code('ring', 'indexed-')}));
check_tables('with another index');
is($node->safe_psql('postgres', q{SET enable_seqscan = off; SELECT count(*) FROM coderring.series_state WHERE extra = 'indexed-'}),
	1, 'and is found by it');
$node->safe_psql('postgres', q{DROP INDEX coderring.harmless});

#
# What administrators do to tables.
#
foreach my $command (
	'VACUUM FREEZE', 'VACUUM FULL', 'REINDEX TABLE', 'REINDEX TABLE CONCURRENTLY', 'CLUSTER', 'ANALYZE')
{
	foreach my $table ('ring', 'series_state', 'skipped_positions')
	{
		my $using = $command ne 'CLUSTER' ? '' : $table eq 'ring' ? ' USING ring_pkey' : " USING ${table}_key";
		$node->safe_psql('postgres', "$command coderring.$table$using");
	}
	note_codes(map { $session->query("SELECT coderring_get_codes('ring', 50, '$_-')") } qw(victim crash), "new $command");
	check_tables($command);
}
$session->query('BEGIN; CLUSTER coderring.series_state');
$session->query(q{SELECT coderring_get_codes('ring', 1000, 'victim-')});
is($session->state, '55000', 'no reservation in a table that the transaction has rewritten');
$session->query('ROLLBACK');
note_codes($session->query(q{SELECT coderring_get_codes('ring', 1000, 'victim-')}));
crash();
$session = new_session($node);
note_codes(map { $session->query("SELECT coderring_get_codes('ring', 1000, '$_-')") } qw(victim crash), 'new VACUUM FULL');
is($twice, 0, 'no code twice');
check_tables('after another crash');

# Rows as old as the hills
$node->safe_psql('postgres', q{SELECT count(coderring_get_code('ring', i || '+')) FROM generate_series(1, 2000) i; VACUUM FREEZE});
$node->safe_psql('postgres', q{SELECT coderring_get_code('ring', i || '+') FROM generate_series(1, 2000) i});
$node->safe_psql('postgres', q{SELECT coderring_drop('small')});
$node->safe_psql('postgres', 'VACUUM FREEZE coderring.series_state; VACUUM coderring.skipped_positions');
check_tables('after VACUUM FREEZE');

#
# Two-phase commit
#
foreach my $call (
	q{coderring_create('prepared')}, q{coderring_reset('ring')}, q{coderring_rename('ring', 'x')}, q{coderring_drop('ring')})
{
	$session->query("BEGIN; SELECT $call");
	$session->query(q{PREPARE TRANSACTION 'p'});
	is($session->state, '0A000', "PREPARE TRANSACTION after $call");
	$session->query('ROLLBACK');
}
$session->query('BEGIN; INSERT INTO other VALUES (2)');
note_codes($session->query(q{SELECT coderring_get_codes('ring', 10, 'prepared-')}));
$session->query(q{PREPARE TRANSACTION 'p'});
is($session->{error}, '', 'PREPARE TRANSACTION after new codes');
note_codes($node->safe_psql('postgres', q{SELECT coderring_get_codes('ring', 10, 'prepared-')}));
crash();
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'p'});
note_codes($node->safe_psql('postgres', q{SELECT coderring_get_codes('ring', 1000, 'prepared-')}));
is($twice, 0, 'no code twice');

#
# What moves a series without a code is on disk when it returns.
#
$node->safe_psql('postgres', q{SELECT coderring_create('moved', 2), coderring_get_code('moved')});
foreach my $move ([ q{coderring_advance('moved', '', 3)}, 3 ], [ q{coderring_recover('moved', 2, 0, false)}, 5 ])
{
	my ($call, $cycle) = @$move;

	$node->safe_psql('postgres', "SELECT $call");
	crash();
	is($node->safe_psql('postgres', q{SELECT cycle FROM coderring.series WHERE ring = 'moved'}), $cycle, "$call outlives a crash");
}

#
# Logical replication: a subscriber does not get what it could not keep up.
#
$node->safe_psql('postgres', q{INSERT INTO other VALUES ('last')});
my $changes = $node->safe_psql('postgres', q{SELECT data FROM pg_logical_slot_get_changes('text', NULL, NULL)});
unlike($changes, qr/table coderring\.(series_state|skipped_positions): INSERT/, 'new series are not decoded');
like($changes, qr/table public\.other: INSERT/, 'other tables are');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM pg_logical_slot_get_binary_changes('slot', NULL, NULL,
	'proto_version', '1', 'publication_names', 'everything')}), '>', 0, 'and pgoutput gets through');

$node->stop;
done_testing();
