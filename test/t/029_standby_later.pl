# Codes that were made before there was a synchronous standby to wait for: from
# then on none of them is handed out before one has acknowledged their
# reservation, and none is lost by that.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q{log_statement = none}, allows_streaming => 1);
my $standby = PostgreSQL::Test::Cluster->new('standby');

$node->backup('backup');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

my %received;

# got(SERIES, CODES): note them, and how many there were.
sub got
{
	my ($series, $codes) = @_;
	my @codes = split(/\n/, $codes);

	push @{ $received{$series} }, @codes;
	return scalar(@codes);
}

# Until a session waits for a standby, or has come to its end without.
sub wait_for_standby
{
	my ($session, $title) = @_;
	my $waits = '';

	wait_until(
		sub {
			$waits = $node->safe_psql('postgres', "SELECT coalesce(wait_event = 'SyncRep', false) FROM pg_stat_activity WHERE pid = $session->{pid}");
			$session->{run}->pump_nb;
			return $waits eq 't' || index($session->{out}, $session->{mark}) >= 0;
		});
	is($waits, 't', $title);
	return;
}

# Ring, extra, codes that are taken before
my @series = ([ 'large', '', 20 ], [ 'large', 'x', 3000 ], [ 'small', '', 1 ], [ 'tiny', '', 3 ], [ 'words', '', 100 ]);
my %statements = (
	remembered => 'EXECUTE one(%s)',
	new => q{SELECT coderring_get_code('%s', '%s')},
	many => q{SELECT c FROM coderring_get_codes('%s', 10, '%s') c},
	bump => q{SELECT coderring_get_code('%s', '%s', true)});

$node->safe_psql('postgres', q{
	SELECT coderring_create('large'), coderring_create('small', 2), coderring_create('tiny', 1), coderring_create('words', 3, 'english')});
my $first = new_session($node);
$first->query('PREPARE one(text, text) AS SELECT coderring_get_code($1, $2)');
foreach (@series)
{
	my ($ring, $extra, $count) = @$_;

	got("$ring/$extra", $first->query("SELECT coderring_get_codes('$ring', $count, '$extra')"));
	got("$ring/$extra", $first->query("EXECUTE one('$ring', '$extra')")) foreach 1 .. 2;
}

# The standby goes, and is asked for.
$node->wait_for_catchup($standby);
$standby->stop;
await_standbys($node, 'standby');
my $committer = new_session($node);
$committer->send('CREATE TABLE t (i int)');
wait_for_standby($committer, 'there is a standby to wait for, and it is away');

# The first session has used the last of them last.
foreach (reverse @series)
{
	my ($ring, $extra) = @$_;

	foreach my $how (qw(remembered new many bump))
	{
		my $session = $how eq 'remembered' ? $first : new_session($node);
		my $arguments = "'$ring', '$extra'";

		$session->send(sprintf($statements{$how}, $how eq 'remembered' ? $arguments : ($ring, $extra)));
		wait_for_standby($session, "$ring/$extra, $how: it waits");
		$node->safe_psql('postgres', "SELECT pg_cancel_backend($session->{pid})");
		is($session->receive, '', "$ring/$extra, $how: no code without it");
		is($session->state, '57014', "$ring/$extra, $how: the wait can be cancelled");
		$session->quit if $how ne 'remembered';
	}
}

# A call that still waits goes on when the standby is back, and so do all.
my $waiter = new_session($node);
$waiter->send(q{SELECT coderring_get_code('large')});
wait_for_standby($waiter, 'one more waits');
$standby->start;
is(got('large/', $waiter->receive), 1, 'and gets a code when the standby is back');
is($committer->receive, '', 'so does the commit');
foreach (@series)
{
	my ($ring, $extra) = @$_;

	is(got("$ring/$extra", $first->query("EXECUTE one('$ring', '$extra')")), 1, "$ring/$extra: the session that remembers goes on");
	is(got("$ring/$extra", $waiter->query("SELECT coderring_get_codes('$ring', 5, '$extra')")), 5, "$ring/$extra: others do");
	is(join(' ', duplicates(@{ $received{"$ring/$extra"} })), '', "$ring/$extra: no code twice");
	is($node->safe_psql('postgres', "SELECT codes_per_cycle - remaining FROM coderring.series WHERE ring = '$ring' AND extra = '$extra'"),
		scalar(@{ $received{"$ring/$extra"} }), "$ring/$extra: none lost");
}

# Nobody is waited for any more: what was made meanwhile needs nobody.
$standby->stop;
await_standbys($node, '');
is(got('large/', $waiter->query(q{SELECT coderring_get_codes('large', 3000)})), 3000, 'without a standby codes go on');
is(join(' ', duplicates(@{ $received{'large/'} })), '', 'and none comes twice');

# A session that was cancelled before it got its first code of a series remembers
# the block, and what stands before its codes: an extra, or a uniquizer.
$waiter->query(q{SELECT coderring_create('later')});
is(got('small/', $waiter->query(q{SELECT coderring_get_code('small', '', true)})), 1, 'a series is in a later cycle');
my %prefix = ('later/x' => 'x', 'small/' => substr($received{'small/'}[-1], 0, 1));
got($_, $waiter->query(sprintf(q{SELECT coderring_get_codes('%s', 3, '%s')}, split(/\//, $_, 2)))) foreach sort keys %prefix;
await_standbys($node, 'nobody');
$committer->send('CREATE TABLE u (i int)');
wait_for_standby($committer, 'there is a standby to wait for that never comes');
my %cancelled = map { $_ => new_session($node) } sort keys %prefix;
foreach (sort keys %cancelled)
{
	my ($ring, $extra) = split(/\//, $_, 2);

	$cancelled{$_}->send("SELECT coderring_get_code('$ring', '$extra')");
	wait_for_standby($cancelled{$_}, "$_: the first code of a session waits");
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($cancelled{$_}{pid})");
	is($cancelled{$_}->receive . $cancelled{$_}->state, '57014', "$_: and is cancelled");
}
await_standbys($node, '');
is($committer->receive, '', 'nobody is waited for any more');
foreach (sort keys %cancelled)
{
	my ($ring, $extra) = split(/\//, $_, 2);
	my $length = length($received{$_}[-1]);
	my $code = $cancelled{$_}->query("SELECT coderring_get_code('$ring', '$extra')");

	like($code, qr/^\Q$prefix{$_}\E\w{@{[ $length - 1 ]}}$/, "$_: then it gets one with all that belongs to it");
	got($_, $code);
	is(join(' ', duplicates(@{ $received{$_} })), '', "$_: which nobody had");
}

$_->quit foreach $first, $waiter, $committer, values %cancelled;
$node->stop;
done_testing();
