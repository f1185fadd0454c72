# Crashes: no code comes twice, and few are skipped.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = 20;
my $clients = 8;

# No checkpoint takes the place of a flush that is missing, and nor does the
# walwriter.
my $node = new_node('main', q{
wal_writer_delay = 10s
wal_writer_flush_after = 0
checkpoint_timeout = 1h
synchronous_commit = on
});

my %length = (one => 1, two => 2, three => 3, four => 4);

$node->safe_psql('postgres', "SELECT coderring_create('$_', $length{$_})")
  foreach sort keys %length;

# Each line of a client's output tells the series too.  In the ring "one" the
# extras X and W collide with uniquizers.
my @series = (
	'one/', 'one/X', 'one/W', 'one/hi', 'two/', 'two/24-', 'two/25-',
	'three/', 'three/24-', 'four/', 'four/24-');
my $number = 0;

sub take
{
	my ($ring, $extra) = split(m{/}, $series[ $number++ % @series ], -1);

	return "SELECT '$ring/$extra', coderring_get_code('$ring', '$extra');\n";
}

my @scripts = map {
	my $which = $_;

	# The clients do not walk in step.
	$number = $which;
	write_script(
		join('', map {
			my $kind = ($_ + $which) % 4;

			$kind == 0 ? take() . take()
			  : $kind == 1 ? take() . "BEGIN;\n" . take() . take() . "ROLLBACK;\n"
			  : $kind == 2 ? "BEGIN;\n" . take()
			  . "SAVEPOINT s;\n" . take() . "ROLLBACK TO s;\n" . take() . "COMMIT;\n"
			  : "SET synchronous_commit = off;\n" . take() . "RESET synchronous_commit;\n" . take()
		} 1 .. 20_000))
} 0 .. $clients - 1;

my (%seen, %received, %lost);
my $twice = 0;
my $too_many_lost = 0;
my $finished_early = 0;

# Enter what clients have received, and see how far the series have come.
sub keep_the_books
{
	my ($title, @runs) = @_;
	my $positions = positions($node);

	foreach (output_of(@runs))
	{
		chomp;
		my ($series, $code) = split(/\|/);
		my ($ring) = split(m{/}, $series);

		if ($seen{"$ring $code"}++)
		{
			diag("$title: $code of $series came twice") if $twice++ < 10;
		}
		$received{$series}++;
	}
	foreach my $series (sort keys %$positions)
	{
		my ($ring) = split(m{/}, $series);
		my $share = 32**$length{$ring} / 64;
		my $lost = $positions->{$series} - ($received{$series} // 0);
		my $lost_now = $lost - ($lost{$series} // 0);

		# What the answers carried that were under way is not the server's loss.
		my $most = ($share < 1 ? 1 : $share) + @runs;

		if ($lost_now < 0 || $lost_now > $most)
		{
			diag("$title: $series lost $lost_now codes, $most are possible");
			$too_many_lost++;
		}
		$lost{$series} = $lost;
	}
	return;
}

foreach my $round (1 .. $rounds)
{
	my @runs = map { start_client($node, $_) } @scripts;

	wait_for_output(5_000 * (1 + $round % 5), @runs);
	$node->stop('immediate');
	stop_clients(@runs);
	$node->start;
	$finished_early += grep { $_->{run}->result(0) == 0 } @runs;
	keep_the_books("round $round", @runs);
}
is($finished_early, 0, "every client was at work at each of $rounds immediate stops");
is($twice, 0, 'no code came twice');
is($too_many_lost, 0, 'no crash skipped more than the 64th part of a cycle');
ok((!grep { !$received{$_} } @series), 'every series was in use');

# The kill of one session is a crash for all.
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
foreach my $round (1 .. 2)
{
	my @runs = map { start_client($node, $_) } @scripts;

	wait_for_output(10_000, @runs);
	my $pid = $node->safe_psql('postgres',
		q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'
		  AND pid <> pg_backend_pid() LIMIT 1});
	kill 'KILL', $pid;
	stop_clients(@runs);
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	keep_the_books("kill $round", @runs);
}
is($twice, 0, 'no code came twice when a session was killed');
is($too_many_lost, 0, 'nor were more skipped');

# To the end of the cycle: what was received and what was skipped is all.
foreach my $ring ('two', 'three')
{
	my $rest = $node->safe_psql('postgres',
		"SELECT remaining FROM coderring.series WHERE ring = '$ring' AND extra = '24-'");
	my $cycles = $node->safe_psql('postgres',
		"SELECT cycle + 1 FROM coderring.series WHERE ring = '$ring' AND extra = '24-'");
	my @codes = split(/\n/, $node->safe_psql('postgres',
		"SELECT coderring_get_codes('$ring', $rest, '24-')"));
	my $count = 0;

	$twice += grep { $seen{"$ring $_"}++ } @codes;
	$count += /^\Q$ring\E 24-/ foreach keys %seen;
	is($count + $lost{"$ring/24-"}, $cycles * 32**$length{$ring},
		"ring of $length{$ring}: received and skipped codes make up $cycles cycles");
}
is($twice, 0, 'no code came twice up to the end of the cycle');

# Codes without a transaction id, one immediate stop after each: what was
# handed out last does not come back.
$node->safe_psql('postgres', "SELECT coderring_create('slow', 2)");
my %slow;

foreach my $round (1 .. 5)
{
	my $session = new_session($node);

	# the first takes a reservation, the second comes from the block
	$slow{ $session->query(q{SELECT coderring_get_code('slow')}) }++ foreach 1 .. 2;
	$node->stop('immediate');
	$session->query('SELECT 1');
	$node->start;
}
is(scalar(keys %slow), 10, 'codes just received do not come again');
is(position($node, 'slow/'), 5 * 16, 'a crash skips the rest of one reservation');

# A block that was computed ahead of need is handed out only as far as its
# reservation is on disk. (Large blocks and reservations that end in one of them.)
$node->safe_psql('postgres', q{SELECT coderring_create('wide')});
my @wide;

foreach my $most (5000, 5500, 6000, 7000, 9000, 11_000)
{
	my $take = "SELECT c FROM (SELECT coderring_get_codes('wide', $most) c LIMIT 4700) t;";

	push @wide, split(/\n/, $node->safe_psql('postgres', $take x 3));
	$node->stop('immediate');
	$node->start;
}
is(scalar(duplicates(@wide)), 0, 'no code of large blocks comes again');
is(scalar(@wide), 6 * 3 * 4700, 'all of them were received');

$node->stop;
done_testing();
