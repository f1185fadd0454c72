# What only some servers do: two-phase commit, another library that is preloaded, a
# standby that never answers, rings that were loaded and not used yet.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q{
max_prepared_transactions = 4
max_wal_senders = 4
wal_level = replica
});

$node->safe_psql('postgres', q{
	SELECT coderring_create('ring', 2), coderring_reset('ring', test_seed => 'corners'),
		coderring_create('same', 2), coderring_reset('same', test_seed => 'corners')});
my @order = split(/\n/, $node->safe_psql('postgres', q{SELECT coderring_get_codes('same', 1024)}));

#
# Two-phase commit: codes may be taken, rings not be changed.
#
my $session = new_session($node);

foreach my $change (
	q{SELECT coderring_create('new')}, q{SELECT coderring_reset('ring')},
	q{SELECT coderring_drop('ring')},  q{SELECT coderring_define_blocklist('new', '{word}'), coderring_set_blocklist('ring', 'new')})
{
	$session->query("BEGIN; $change");
	$session->query(q{PREPARE TRANSACTION 'changed'});
	is($session->state, '0A000', "no PREPARE TRANSACTION after $change");
	$session->query('ROLLBACK');
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), 0, 'none is prepared');
$session->query('BEGIN');
is($session->query(q{SELECT coderring_get_code('ring')}), $order[0], 'the ring is as it was');
$session->query(q{PREPARE TRANSACTION 'taken'});
is($session->state, '', 'a transaction that took a code is prepared');
is($node->safe_psql('postgres', q{SELECT coderring_get_code('ring')}), $order[1], 'nobody waits for it');
$session->query(q{ROLLBACK PREPARED 'taken'});
is($session->query(q{SELECT coderring_get_code('ring')}), $order[2], 'nor does its rollback give the code back');
$session->quit;

#
# A standby that never answers: what was reserved is given to nobody, and then
# to the next who asks.
#
sub issued
{
	return $node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE issued), count(*) FROM
		(SELECT (coderring_decode('one', c)).* FROM unnest(string_to_array('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', NULL)) c) x});
}

$node->safe_psql('postgres', q{SELECT coderring_create('one', 1)});
await_standbys($node, 'nobody');
$node->restart;
await_standbys($node, 'nobody');
$session = new_session($node);
cancel_waiting($node, $session, q{SELECT coderring_get_code('one')});
is($session->state, '57014', 'no code without the standby');
is($node->safe_psql('postgres', q{SELECT reserved_to > 0, cycle_offset FROM coderring.series WHERE ring = 'one'}),
	't|0', 'though it is reserved');
is(issued(), '0|32', 'decode knows the codes of a cycle that is reserved and not begun');
$session->quit;
await_standbys($node, '');
my $first = $node->safe_psql('postgres', q{SELECT coderring_get_code('one')});
is(issued(), '1|32', 'and the next caller gets the first');
is($node->safe_psql('postgres', qq{SELECT coderring_issued('one', '$first')}), 't', 'which is issued now');
full_cycle([ $first, split(/\n/, $node->safe_psql('postgres', q{SELECT coderring_get_codes('one', 31)})) ],
	1, '', 'no code is lost by it');

#
# Rings that were loaded and not used: statistics begin with the first code.
#
$node->restart;
is($node->safe_psql('postgres', 'SELECT coderring_start_rings()'), 3, 'rings are loaded');
is($node->safe_psql('postgres', 'SELECT count(*) FROM coderring.stats'), 0, 'no statistics of what was not used');
$node->safe_psql('postgres', q{SELECT coderring_get_code('ring')});
is($node->safe_psql('postgres', 'SELECT ring, issued FROM coderring.stats'), 'ring|1', 'and some of what was');

#
# Many series are made while their table is locked, by this session or by another one:
# whether they are still needed cannot be told, so they are.
#
$node->safe_psql('postgres', q{SELECT coderring_create('many', 3)});
$node->restart;
$session = new_session($node);
is($session->query(q{SELECT count(DISTINCT coderring_get_code('many', i || '-')) FROM generate_series(1, 1500) i}),
	1500, 'codes of 1,500 series');
$session->query('BEGIN; LOCK TABLE coderring.series_state IN ACCESS EXCLUSIVE MODE');
$session->query(q{DO $$
	DECLARE refused int := 0;
	BEGIN
		FOR i IN 1 .. 1500 LOOP
			BEGIN
				PERFORM coderring_get_code('many', i || '+');
			EXCEPTION WHEN object_not_in_prerequisite_state THEN
				refused := refused + 1;
			END;
		END LOOP;
		ASSERT refused = 1500;
	END $$});
is($session->{error}, '', 'none of others by who has locked the table');
$session->query('ROLLBACK');
is($session->query(q{SELECT count(*), min(cycle_offset), max(cycle_offset) FROM coderring.series WHERE ring = 'many'}),
	'1500|1|1', 'no slot of theirs was given up');

#
# Little memory: a ring that may be gone in a moment is left alone.
#
$node->append_conf('postgresql.conf', q{coderring.max_shared_memory = '1MB'});
$node->restart;
$session->quit;
$session = new_session($node);
my $other = new_session($node);
$session->query(q{SELECT coderring_create('held', 2), coderring_create('more', 2)});
$session->query(q{SELECT count(coderring_get_code('held', i || '-')) FROM generate_series(1, 1000) i});
$session->query(q{BEGIN; SELECT coderring_drop('held')});
is($other->query(q{SELECT count(DISTINCT coderring_get_code('more', i || '-')) FROM generate_series(1, 6000) i}),
	6000, 'codes of 6,000 series, more than there is memory for');
$session->query('ROLLBACK');
is($session->query(q{SELECT count(*) FILTER (WHERE reserved_to = 1) > 1000 FROM coderring.series WHERE ring = 'more'}),
	't', 'some gave up theirs');
is($session->query(q{SELECT count(*), min(cycle_offset), max(cycle_offset), count(*) FILTER (WHERE reserved_to = 1)
	FROM coderring.series WHERE ring = 'held'}), '1000|1|1|0', 'none of the ring that another session was about to drop');
$_->quit foreach $session, $other;
$node->append_conf('postgresql.conf', q{coderring.max_shared_memory = '48MB'});

#
# Another library is preloaded, before and after ours: both get their memory.
#
SKIP:
{
	skip 'no pg_stat_statements', 4 unless $node->safe_psql('postgres',
		q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'});
	my $position = 3;

	$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');
	foreach my $libraries ('pg_stat_statements, coderring', 'coderring, pg_stat_statements')
	{
		$node->append_conf('postgresql.conf', "shared_preload_libraries = '$libraries'");
		$node->restart;
		my $got = $node->safe_psql('postgres', q{SELECT coderring_get_code('ring')});
		my ($place) = grep { $order[$_] eq $got } 0 .. $#order;

		cmp_ok($place // -1, '>=', $position, "$libraries: codes go on");
		$position = $place + 1;
		is($node->safe_psql('postgres', q{SELECT count(*) > 0 FROM pg_stat_statements WHERE query LIKE '%coderring_get_code%'}),
			't', "$libraries: both work");
	}
}

#
# A series that finds no place in shared memory: a code whose reservation was not
# acknowledged is not lost either.
#
my $full = new_node('full', q{
coderring.max_shared_memory = 1MB
log_statement = none
}, allows_streaming => 1);
my $pinning = new_session($full);
$pinning->query(q{BEGIN; SELECT coderring_create('pin'); SELECT count(coderring_get_code('pin', i::text)) FROM generate_series(1, 5000) i});
$full->safe_psql('postgres', q{SELECT coderring_create('alone', 1), coderring_create('later', 1); SELECT coderring_get_codes('later', 40)});
await_standbys($full, 'nobody');
my $waiting = new_session($full);
foreach my $ring (qw(alone later alone later))
{
	cancel_waiting($full, $waiting, "SELECT coderring_get_code('$ring')");
	is($waiting->state, '57014', "$ring: no code without the standby");
}
my $terminated = new_session($full);
$terminated->send(q{SELECT coderring_get_code('alone')});
$full->poll_query_until('postgres', "SELECT wait_event IS NOT DISTINCT FROM 'SyncRep' FROM pg_stat_activity WHERE pid = $terminated->{pid}");
$full->safe_psql('postgres', "SELECT pg_terminate_backend($terminated->{pid}, 60000)");
is($terminated->receive, '', 'nor when the session is terminated');
is($full->safe_psql('postgres', q{SELECT count(*) FROM coderring.stats WHERE ring <> 'pin'}), 0, 'they have no place');
await_standbys($full, '');
$waiting->query('SET statement_timeout = 50; SELECT pg_sleep(100)');
is($waiting->state, '57014', 'the session can be cancelled as before');
full_cycle([ split(/\n/, $full->safe_psql('postgres', q{SELECT coderring_get_codes('alone', 32)})) ], 1, '', 'none is lost by it');
is($full->safe_psql('postgres', q{SELECT cycle, cycle_offset FROM coderring.series WHERE ring = 'later'}), '1|8', 'nor in a later cycle');
$pinning->query('ROLLBACK');
$full->stop;

$node->stop;
done_testing();
