# Any number of rings and lists in one transaction, where the lock table has room
# for few locks; and what hangs on such a transaction, for everybody else.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rings = 3000;
my $node = new_node('main', q{
coderring.max_shared_memory = 1MB
max_connections = 20
max_locks_per_transaction = 10
max_wal_senders = 0
log_statement = none
});

# One more lock for each of them would not fit.
is($node->psql('postgres', "SELECT count(pg_advisory_xact_lock(g)) FROM generate_series(1, $rings) g"), 3,
	'the lock table has no room for so many locks');

my $me = new_session($node);
my $other = new_session($node);

$me->query('SET client_min_messages = error');

sub locks
{
	return $me->query(q{SELECT count(*) < 20 FROM pg_locks WHERE pid = pg_backend_pid()});
}

# Does a session wait for a lock?  It has been sent something that may have ended.
sub waits
{
	my ($session) = @_;

	wait_for_lock($node, $session->{pid});
	return $node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $session->{pid}");
}

# each CALL with the number g of a ring; n is how many
sub each_ring
{
	my ($call) = @_;
	my $count = $me->query("SELECT count($call) FROM generate_series(1, $rings) g");

	is($me->{error}, '', $call);
	is($count, $rings, "$call: all of them");
	return;
}

#
# Each function, once committed and once rolled back
#
$me->query(q{SELECT coderring_define_blocklist('list', '{AAA}')});
foreach my $end ('ROLLBACK', 'COMMIT')
{
	$me->query('BEGIN');
	each_ring(q{coderring_create('r' || g, 3, 'list', 'ABCDEFGHJK')::text});
	each_ring(q{coderring_get_code('r' || g)});
	is(locks(), 't', 'and few locks');
	$me->query($end);
}
is($me->query('SELECT count(*) FROM coderring.rings'), $rings, 'what was committed is there');

foreach my $call (
	q{coderring_grant('r' || g, 'public')::text},
	q{coderring_set_blocklist('r' || g, 'english')::text},
	q{coderring_rename('r' || g, 's' || g)::text},
	q{coderring_reset('r' || g)::text},
	q{coderring_define_blocklist('l' || g, ARRAY['WORD' || g])::text},
	q{coderring_create('r' || g, if_not_exists => true)::text},
	q{coderring_drop('r' || g)::text})
{
	$me->query('BEGIN');
	each_ring($call);
	is(locks(), 't', 'and few locks');
	$me->query('ROLLBACK');
}
$me->query('BEGIN');
is($me->query('SELECT coderring_recover()'), $rings, 'coderring_recover of all');
is(locks(), 't', 'and few locks');
$me->query('ROLLBACK');
is($me->query(q{SELECT count(*) FROM coderring.rings WHERE name LIKE 'r%' AND blocklist = 'list' AND grantees = '{}'}),
	$rings, 'what was rolled back has left no trace');

#
# Savepoints: what was taken back counts no more, at any depth.
#
is( $me->query(
		q{DO $$
DECLARE
	code text;
BEGIN
	FOR i IN 1 .. 300 LOOP
		BEGIN
			PERFORM coderring_create('p' || i, 2, alphabet => 'AB');
			code := coderring_get_code('p' || i);
			BEGIN
				PERFORM coderring_reset('p' || i);
				code := coderring_get_code('p' || i);
				PERFORM coderring_set_blocklist('p' || i, 'english');
				RAISE division_by_zero;
			EXCEPTION WHEN division_by_zero THEN
				code := coderring_get_code('p' || i);
			END;
			IF i % 2 = 0 THEN
				RAISE division_by_zero;
			END IF;
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
END $$; SELECT count(*), count(*) FILTER (WHERE blocklist IS NOT NULL) FROM coderring.rings WHERE name LIKE 'p%'}),
	'150|0', 'half of what savepoints have made is there');
is($me->query(q{SELECT count(*), min(cycle_offset), max(cycle_offset) FROM coderring.series WHERE ring LIKE 'p%'}), '150|2|2',
	'with the codes that were taken of it');

#
# A drop that is not committed: the ring's callers wait, and go on where they
# were; others do not.  Memory is short, so slots change hands meanwhile.
#
sub churn
{
	my ($title) = @_;
	my $codes = $other->query(
		q{SELECT string_agg(coderring_get_code('busy', g::text || '-'), ' ') FROM generate_series(1, 4000) g});

	is($other->{error}, '', "$title: others go on");
	return split(/ /, $codes);
}

$me->query(q{SELECT coderring_create('busy', 3), coderring_create('kept', 2)});
my @busy = churn('before');
my @kept = $me->query(q{SELECT coderring_get_code('kept', g::text || '-') FROM generate_series(1, 500) g});
@kept = split(/\n/, $kept[0]);
$me->query('BEGIN');
$me->query(q{SELECT coderring_drop('kept')});
my $waiter = new_session($node);
$waiter->send(q{SELECT coderring_get_code('kept', '1-')});
is(waits($waiter), '1', 'who takes a code of a ring that is being dropped waits');
push @busy, churn('while a ring is being dropped');
$me->query('ROLLBACK');
push @kept, $waiter->receive;
is($waiter->{error}, '', 'who waited goes on after the rollback');
push @busy, churn('after that');
push @kept, split(/\n/, $me->query(q{SELECT coderring_get_code('kept', g::text || '-') FROM generate_series(1, 500) g}));
is(scalar(duplicates(@kept)), 0, 'no code of that ring twice');
is(scalar(@kept), 1001, 'and all are there');

#
# A ring that is not committed: its slots may be given to others, before and
# after its end.
#
foreach my $end ('ROLLBACK', 'COMMIT')
{
	$me->query('BEGIN');
	$me->query(q{SELECT coderring_create('mine', 2)});
	my @mine = split(/\n/, $me->query(q{SELECT coderring_get_code('mine', g::text || '-') FROM generate_series(1, 2000) g}));
	push @busy, churn('beside a ring that is not committed');
	push @mine, split(/\n/, $me->query(q{SELECT coderring_get_code('mine', g::text || '-') FROM generate_series(1, 2000) g}));
	push @busy, churn('once more');
	$me->query($end);
	push @busy, churn("after its $end");
	push @mine, split(/\n/, $me->query(q{SELECT coderring_get_code('mine', g::text || '-') FROM generate_series(1, 2000) g}))
	  if $end eq 'COMMIT';
	is(scalar(duplicates(@mine)), 0, 'none of its codes twice');
	is($me->query(q{SELECT count(*) FROM coderring.rings WHERE name = 'mine'}), $end eq 'COMMIT' ? 1 : 0, $end);
}
is(scalar(duplicates(@busy)), 0, 'no code of the others twice');

# A reset that is not committed is the same for those who take codes.
$me->query('BEGIN');
$me->query(q{SELECT coderring_reset('kept')});
$waiter->send(q{SELECT coderring_get_code('kept', '2-')});
is(waits($waiter), '1', 'or reset');
my $locker = new_session($node);
$locker->send(q{SELECT coderring_grant('kept', 'public')});
is(waits($locker), '1', 'who changes it as well');
$me->query('COMMIT');
like($waiter->receive, qr/^2-..\z/, 'who waited takes a code of the ring as it is now');
$locker->receive;
is($locker->{error}, '', 'who waited to change the ring does so');
is($me->query(q{SELECT extra, cycle_offset FROM coderring.series WHERE ring = 'kept'}), '2-|1', 'of which it is the first');

# Renamed and reset in one transaction: that is being reset, too.
$me->query('BEGIN');
$me->query(q{SELECT coderring_rename('kept', 'other')});
is($other->query(q{SELECT length(coderring_get_code('kept', '2-'))}), '4', 'a rename holds up nobody');
$me->query(q{SELECT coderring_reset('other')});
$waiter->send(q{SELECT coderring_get_code('kept', '2-')});
is(waits($waiter), '1', 'renamed and reset: who takes a code waits');
$me->query('ROLLBACK');
like($waiter->receive, qr/^2-..\z/, 'and goes on after the rollback');

$_->quit foreach $me, $other, $waiter, $locker;
$node->stop;
done_testing();
