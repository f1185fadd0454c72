# Databases and extensions that come and go: no stale block in use, and no
# shared memory that only grows.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# With mmap the segments are files of this server's own.
my $node = new_node('main', q{
dynamic_shared_memory_type = mmap
max_connections = 60
});

sub shared_bytes
{
	my $size = 0;

	$size += -s $_ // 0 foreach glob($node->data_dir . '/pg_dynshmem/*');
	return $size;
}

sub take
{
	my ($dbname, $ring, $count, $extra) = @_;
	return split(/\n/, $node->safe_psql($dbname, "SELECT coderring_get_codes('$ring', $count, '@{[ $extra // '' ]}')"));
}

#
# Copies of a database, while blocks are outstanding.
#
$node->safe_psql('postgres', 'CREATE DATABASE original');
$node->safe_psql('original', q{CREATE EXTENSION coderring; SELECT coderring_create('ring', 3)});
my @original = (take('original', 'ring', 700), take('original', 'ring', 10, 'x'));

# 14 knows the latter only, and no word for it.
my $choice = $node->safe_psql('postgres', 'SHOW server_version_num') >= 150000;
foreach my $strategy ($choice ? ('wal_log', 'file_copy') : 'file_copy')
{
	my $copy = "copy_$strategy";

	$node->safe_psql('postgres', "CREATE DATABASE $copy TEMPLATE original" . ($choice ? " STRATEGY $strategy" : ''));
	push @original, take('original', 'ring', 1);
	my $reserved = $node->safe_psql($copy, q{SELECT reserved_to FROM coderring.series WHERE extra = ''});
	is(position($node, 'ring/', $copy), $reserved, "$strategy: the copy begins beyond what is reserved");

	my %before = map { $_ => 1 } @original;
	my @copied = (take($copy, 'ring', 2000), take($copy, 'ring', 10, 'x'));
	is(scalar(grep { $before{$_} } @copied), 0, "$strategy: the copy repeats nothing");
	is(scalar(duplicates(@copied)), 0, "$strategy: and has no code twice");
	push @original, take('original', 'ring', 100);
	is(scalar(duplicates(@original)), 0, "$strategy: nor has the original");
	is(position($node, 'ring/', $copy), $reserved + 2000, "$strategy: the copy counts its own codes");
	$node->safe_psql($copy, q{SELECT coderring_reset('ring'); SELECT coderring_get_code('ring')});
	push @original, take('original', 'ring', 1);
	is(scalar(duplicates(@original)), 0, "$strategy: a reset in the copy does not disturb the original");
	$node->safe_psql('postgres', "DROP DATABASE $copy");
}
is(position($node, 'ring/', 'original'), scalar(grep { !/^x/ } @original), 'the original has no gap');

#
# DROP EXTENSION and CREATE EXTENSION while other sessions remember the ring.
#
$node->safe_psql('postgres', q{SELECT coderring_create('ring', 3, alphabet => '0123456789')});
my @sessions = map { new_session($node) } 1 .. 3;
$_->query(q{PREPARE get AS SELECT coderring_get_code('ring')}) foreach @sessions;
$sessions[1]->query('BEGIN');
$sessions[2]->query('BEGIN ISOLATION LEVEL SERIALIZABLE');
foreach my $session (@sessions)
{
	like($session->query('EXECUTE get'), qr/^\d{3}\z/, 'a code of the ring') foreach 1 .. 2;
	$session->query(q{SELECT coderring_get_code('ring')});
}
# A session that only begins a transaction holds no lock on the tables.
$node->safe_psql('postgres', q{DROP EXTENSION coderring; CREATE EXTENSION coderring; SELECT coderring_create('ring', 3, alphabet => 'abcdefgh')});
my @fresh = take('postgres', 'ring', 1);
foreach my $i (0 .. 2)
{
	my $title = qw(autocommit transaction serializable)[$i];
	my $code = $sessions[$i]->query('EXECUTE get');

	if ($sessions[$i]->{error} eq '')
	{
		like($code, qr/^[a-h]{3}\z/, "$title: a code of the new ring");
		push @fresh, $code;
	}
	else
	{
		unlike($sessions[$i]->{error}, qr/ERROR:  XX/, "$title: an error, and not an internal one");
	}
	$sessions[$i]->query('ROLLBACK');
	$code = $sessions[$i]->query(q{SELECT coderring_get_code('ring')});
	like($code, qr/^[a-h]{3}\z/, "$title: then codes of the new ring");
	push @fresh, $code;
}
is(scalar(duplicates(@fresh)), 0, 'no code twice');
is(position($node, 'ring/'), scalar(@fresh), 'and no gap');

# The same with nothing but the ring, which sends no invalidation messages.
$sessions[1]->query('BEGIN');
$sessions[1]->query('EXECUTE get');
$sessions[2]->query('BEGIN ISOLATION LEVEL SERIALIZABLE');
$sessions[2]->query('EXECUTE get');
$node->safe_psql('postgres', q{SELECT coderring_drop('ring'); SELECT coderring_create('ring', 3, alphabet => '+-*/')});
@fresh = map { $_->query('EXECUTE get') } @sessions;
is(scalar(grep { /^[-+*\/]{3}\z/ } @fresh), 3, 'ring made anew: its codes at once') or diag("@fresh");
is(position($node, 'ring/'), scalar(@fresh), 'and without a gap');
$_->query('COMMIT') foreach @sessions;

# The same between a drop that is rolled back and one that is not.
$sessions[0]->query('BEGIN; DROP EXTENSION coderring; ROLLBACK');
push @fresh, map { $_->query(q{SELECT coderring_get_code('ring')}) } @sessions;
is(position($node, 'ring/'), scalar(@fresh), 'DROP EXTENSION rolled back: codes go on without a gap');
is(scalar(duplicates(@fresh)), 0, 'nor twice');
$node->safe_psql('postgres', 'DROP EXTENSION coderring');
foreach my $session (@sessions)
{
	$session->query('EXECUTE get');
	isnt($session->state, '', 'without the extension there is an error');
	unlike($session->state, qr/^XX/, 'and not an internal one');
	$session->quit;
}

#
# Memory: what many databases, extensions and rings have used comes back.
#
$node->safe_psql('postgres', 'CREATE EXTENSION coderring');
$node->safe_psql('original', <<'SQL');
CREATE PROCEDURE many_rings(count int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. count LOOP
		PERFORM coderring_create('one of many', 4);
		IF i % 10 = 0 THEN
			-- used before its commit and after it
			PERFORM coderring_get_code('one of many');
			COMMIT;
			PERFORM coderring_get_code('one of many');
			PERFORM coderring_get_code('one of many', 'extra');
		END IF;
		COMMIT;
		PERFORM coderring_drop('one of many');
		COMMIT;
	END LOOP;
END $$;
CREATE PROCEDURE many_failures(count int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. count LOOP
		PERFORM coderring_create('one of many', 4);
		PERFORM coderring_get_code('one of many');
		ROLLBACK;
	END LOOP;
END $$;
SQL

my $rings = 20_000;
my $series = 1500;

# A session's own memory is bounded too.
my $worker = new_session($node, 'original');
$worker->query('CALL many_rings(2000); CALL many_failures(500)');
my $bytes = shared_bytes();
my $own = q{SELECT sum(used_bytes) FROM pg_backend_memory_contexts};
my $own_bytes = $worker->query($own);
cmp_ok($bytes, '>', 0, "shared memory after 2,000 rings: $bytes bytes");

$worker->query("CALL many_rings($rings)");
is($worker->{error}, '', "$rings rings created and dropped in turn");
is(shared_bytes(), $bytes, 'need no more shared memory');
cmp_ok($worker->query($own), '<', $own_bytes + 1_000_000, 'and hardly more of the session');
$worker->query('CALL many_failures(1000)');
is(shared_bytes(), $bytes, 'nor do rings that were rolled back');
is($worker->query('SELECT count(*) FROM coderring.ring'), 1, 'one ring is left');
$worker->query('CALL many_rings(1000)');
is($worker->query(q{SELECT count(*) FROM coderring.series_state WHERE incarnation NOT IN (SELECT incarnation FROM coderring.ring)}),
	0, 'rows of rings that were rolled back are swept');
$worker->quit;

# Databases
my $use = qq{
	CREATE EXTENSION coderring; SELECT coderring_create('ring', 4);
	SELECT count(coderring_get_code('ring', i || '-')) FROM generate_series(1, $series) i};
my @sizes;
foreach my $round (1 .. 8)
{
	$node->safe_psql('postgres', 'CREATE DATABASE passing');
	$node->safe_psql('passing', $use);
	$node->safe_psql('postgres', 'DROP DATABASE passing');
	push @sizes, shared_bytes();
}
is($sizes[-1], $sizes[2], 'databases that are dropped leave no shared memory in use')
  or diag("@sizes");

# Extensions
@sizes = ();
foreach my $round (1 .. 8)
{
	$node->safe_psql('postgres', "DROP EXTENSION coderring; $use");
	push @sizes, shared_bytes();
}
is($sizes[-1], $sizes[2], 'nor do extensions') or diag("@sizes");

push @original, take('original', 'ring', 10);
is(scalar(duplicates(@original)), 0, 'the ring that was there all the time repeats nothing');
is(position($node, 'ring/', 'original'), scalar(grep { !/^x/ } @original), 'and has no gap');

# CREATE EXTENSION again and again in one session, with rings of one name.
my $again = new_session($node);
foreach my $round (1 .. 5)
{
	$again->query('BEGIN; DROP EXTENSION coderring');
	$again->query(q{CREATE EXTENSION coderring; SELECT coderring_create('ring', 1, alphabet => '0123456789')});
	my @got = map { $again->query(q{SELECT coderring_get_code('ring')}) } 1 .. 5;
	$again->query($round % 2 ? 'COMMIT' : 'ROLLBACK');
	is($again->{error}, '', "extension made anew, round $round");
	is(scalar(duplicates(grep { /^\d\z/ } @got)), 0, 'no code twice in it');
}
push my @rest, map { $again->query(q{SELECT coderring_get_code('ring')}) } 1 .. 5;
like("@rest", qr/^\d( \d){4}\z/, 'the cycle of the committed ring goes on');
$again->quit;

$node->stop;
done_testing();
