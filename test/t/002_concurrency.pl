# Many sessions at once: each code of a cycle exactly once, without a gap,
# whatever becomes of the sessions.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sessions = 16;
my $node = new_node('main', q{
max_connections = 60
log_statement = none
});

#
# 16 sessions use one cycle exactly.
#
foreach my $length (1 .. 3)
{
	my $codes = 32**$length;

	$node->safe_psql('postgres', "SELECT coderring_create('ring$length', $length)");

	my $script = write_script("SELECT coderring_get_code('ring$length');\n" x ($codes / $sessions));
	my @previous;

	foreach my $prefix ('', 'X')
	{
		my @runs = map { start_client($node, $script) } 1 .. $sessions;
		stop_clients(@runs);
		is(errors_of(@runs), '', "$codes codes, cycle \"$prefix\": no errors");
		my @got = output_of(@runs);
		chomp @got;
		full_cycle(\@got, $length, $prefix, "$codes codes, cycle \"$prefix\": each once");
	}
	is(position($node, "ring$length/"), 2 * $codes, "$codes codes: the series is at the end of its second cycle");
}

#
# The same with sessions in trouble.  Codes are printed by the statement that
# takes them: no interrupt is looked at between the one and the other.
#
my @got;

# The codes in what statements said.
sub reported
{
	return map { /(?:NOTICE|ERROR):  got (\S+)/ ? split(/,/, $1) : () } split(/\n/, $_[0]);
}

$node->safe_psql('postgres', <<'SQL');
SELECT coderring_create('trouble', 3);
CREATE PROCEDURE take(count int) LANGUAGE plpgsql AS $$
BEGIN
	-- for ever, if count is null
	FOR i IN 1 .. coalesce(count, 2147483647) LOOP
		RAISE NOTICE 'got %', coderring_get_code('trouble');
	END LOOP;
END $$;
CREATE PROCEDURE take_and_fail(count int) LANGUAGE plpgsql AS $$
DECLARE
	codes text[];
BEGIN
	FOR i IN 1 .. count LOOP
		codes[i] := coderring_get_code('trouble');
	END LOOP;
	RAISE EXCEPTION 'got %', array_to_string(codes, ',');
END $$;
CREATE PROCEDURE take_and_go_on(count int) LANGUAGE plpgsql AS $$
BEGIN
	CALL take_and_fail(count);
EXCEPTION WHEN raise_exception THEN
	RAISE NOTICE '%', SQLERRM;
END $$;
SQL

my %scripts = (
	plain => "CALL take(1);\n" x 5000,
	rolled_back => ("BEGIN;\nCREATE TEMP TABLE t ();\nCALL take(7);\nROLLBACK;\n" x 300)
	  . ("BEGIN;\nCALL take(3);\nSAVEPOINT s;\nCALL take(4);\nROLLBACK TO s;\nCALL take(2);\nROLLBACK;\n" x 300),
	failing => "CALL take_and_fail(11);\nCALL take_and_go_on(13);\n" x 200,
	# The first call is not interrupted: PL/pgSQL asks once whether an expression is a
	# simple one, and runs it through the executor for ever if that comes to no end.
	timed_out => "CALL take(1);\nSET statement_timeout = 3;\n" . "CALL take(2000);\n" x 50);
my @runs = map { my $file = write_script($_); map { start_client($node, $file) } 1 .. 2 } values %scripts;

# Meanwhile rewrite the table of series.
my $maintenance = start_client($node,
	write_script("VACUUM FULL coderring.series_state;\nVACUUM (FREEZE) coderring.series_state;\n" x 20));

# Statements without an end, each cancelled when it has printed some codes.
my $cancelled = start_client($node, write_script("CALL take(NULL);\n" x 10), undef, 'application_name=cancelled');
my $size = 0;

sub cancels
{
	return scalar(() = errors_of($cancelled) =~ /canceling statement due to user request/g);
}

while (cancels() < 10)
{
	wait_until(sub { -s $cancelled->{err} > $size + 4096 || cancels() == 10 }) or die 'no codes come';
	$size = -s $cancelled->{err};
	$node->safe_psql('postgres',
		q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'cancelled'});
}

# Sessions terminated as soon as they have printed a code.  (They print so
# few that they never wait for the client.)
my @terminated;

foreach (1 .. 6)
{
	my $run = start_client($node, write_script('CALL take(100); SELECT pg_sleep(1000);'),
		undef, 'application_name=terminated');

	wait_until(sub { -s $run->{err} });
	$node->safe_psql('postgres',
		q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'terminated'});
	stop_clients($run);
	like(errors_of($run), qr/terminating connection/, 'session was terminated');
	push @terminated, $run;
}

push @runs, $cancelled, @terminated;
stop_clients(@runs, $maintenance);
like(errors_of(@runs), qr/canceling statement due to statement timeout/, 'statements timed out');
is(errors_of($maintenance), '', 'while the table of series was rewritten');
push @got, reported(errors_of(@runs));

# Sessions that print codes and are terminated while their transaction is idle.
foreach (1 .. 4)
{
	my $session = new_session($node);

	$session->query('BEGIN');
	push @got, $session->query(q{SELECT coderring_get_code('trouble')}) foreach 1 .. 5;
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($session->{pid}, 60000)");
	$session->query('SELECT 1');
	ok($session->{gone}, 'session was terminated in its transaction');
}

#
# Cancelled, timed out and terminated at known places: behind a reset that is
# open, and in the middle of a refill, at the table of series.
#
foreach my $place (
	q{SELECT coderring_reset('trouble')},
	q{SELECT coderring_drop('trouble')},
	q{LOCK TABLE coderring.series_state},
	q{LOCK TABLE coderring.ring})
{
	my $blocker = new_session($node);
	my @waiting = map { new_session($node) } 1 .. 5;

	$waiting[1]->query('BEGIN');
	$waiting[4]->query(q{SET statement_timeout = '50ms'});

	# At the end of a cycle, without a block at hand, every one of them has to wait.
	if ($place =~ /LOCK/)
	{
		push @got, split(/\n/, $node->safe_psql('postgres', q{
			SELECT coderring_get_codes('trouble', remaining::int) FROM coderring.series WHERE ring = 'trouble'}));
	}
	$blocker->query("BEGIN; $place");
	$_->send(q{SELECT coderring_get_code('trouble')}) foreach @waiting;
	$waiting[4]->receive;
	is($waiting[4]->state, '57014', "$place: statement_timeout while waiting");
	wait_for_lock($node, map { $_->{pid} } @waiting[ 0 .. 3 ]);
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($waiting[0]->{pid}), pg_cancel_backend($waiting[1]->{pid})");
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($waiting[2]->{pid}, 60000)");
	$_->receive foreach @waiting[ 0 .. 2 ];
	is($waiting[0]->state, '57014', "$place: cancelled while waiting");
	is($waiting[1]->state, '57014', "$place: cancelled in a transaction while waiting");
	ok($waiting[2]->{gone}, "$place: terminated while waiting");
	$blocker->query('ROLLBACK');
	push @got, $waiting[3]->receive;
	$waiting[4]->query('RESET statement_timeout');
	push @got, $waiting[4]->query(q{SELECT coderring_get_code('trouble')});
	$_->quit foreach $blocker, @waiting;
}

# To the end of a cycle, and then the books.
push @got, split(/\n/, $node->safe_psql('postgres', q{
	SELECT coderring_get_codes('trouble', remaining::int) FROM coderring.series WHERE ring = 'trouble'}));
my @duplicates = duplicates(@got);
is("@duplicates", '', 'no code came twice');
is(position($node, 'trouble/'), scalar(@got), 'every position is a code that was printed');

# How many cycles were begun is different each time, so they are one test.
my %prefixes = map { substr($_, 0, -3) => 1 } @got;
my @whole = map { my $prefix = $_; map { $prefix . $_ } base_codes(3) } sort keys %prefixes;
is_set(\@got, \@whole, 'the cycles have no gap');

$node->stop;
done_testing();
