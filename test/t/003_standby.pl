# Synchronous standbys: nothing is handed out that a standby may not know.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_node('primary', q{
wal_writer_delay = 10s
checkpoint_timeout = 1h
synchronous_commit = on
}, allows_streaming => 1);

$primary->safe_psql('postgres', q{
	SELECT coderring_create('two', 2), coderring_create('three', 3), coderring_create('four');
	SELECT coderring_get_code('three', '24-')});
$primary->backup('backup');

sub new_standby
{
	my ($name) = @_;
	my $standby = PostgreSQL::Test::Cluster->new($name);

	$standby->init_from_backup($primary, 'backup', has_streaming => 1);
	$standby->start;
	return $standby;
}

my $standby = new_standby('standby');

await_standbys($primary, '*');
$primary->poll_query_until('postgres', q{
	SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'})
  or die 'no synchronous standby';

#
# On the standby.
#
my $value = $primary->safe_psql('postgres', q{SELECT coderring_get_code('two')});
$primary->wait_for_catchup($standby);
my $reader = new_session($standby);
foreach my $call (
	q{coderring_get_code('two')}, q{coderring_get_codes('two', 2)}, q{coderring_advance('two')},
	q{coderring_create('x')}, q{coderring_drop('two')}, q{coderring_reset('two')},
	q{coderring_rename('two', 'x')}, q{coderring_start_rings()}, q{coderring_recover()}, q{coderring_recover('two', 0, 0)})
{
	$reader->query("SELECT $call");
	is($reader->state, '25006', "standby: $call");
}
is($reader->query(q{SELECT string_agg(name, ' ' ORDER BY base_length) FROM coderring.rings}),
	'two three four', 'standby: the view of rings');
is($reader->query(q{SELECT ring, extra, cycle, cycle_offset IS NULL, reserved_to, codes_per_cycle FROM coderring.series WHERE ring = 'two'}),
	'two||0|t|16|1024', 'standby: the view of series');
is($reader->query(q{
	SELECT count(*) FILTER (WHERE issued), count(cycle_offset) FROM regexp_split_to_table(coderring_alphabet('default'), '') a,
		regexp_split_to_table(coderring_alphabet('default'), '') b, coderring_decode('two', a || b)}),
	'16|0', 'standby: the place of no code, since some that count as handed out are to come');

# What a session remembers of a ring: the primary's changes reach it.
my $known = $primary->safe_psql('postgres', q{
	SELECT coderring_create('known', 3);
	SELECT coderring_get_code('known')});
$known =~ s/\s//g;
$primary->wait_for_catchup($standby);
is($reader->query("SELECT coderring_issued('known', '$known')"), 't', 'standby: a code that was handed out');
my $again = $primary->safe_psql('postgres', q{
	SELECT coderring_reset('known', first_cycle => 1);
	SELECT coderring_get_code('known')});
$again =~ s/\s//g;
$primary->wait_for_catchup($standby);
is($reader->query("SELECT coderring_issued('known', '$known'), coderring_issued('known', '$again')"), 'f|t',
	'standby: an open session hears of a reset');
$primary->safe_psql('postgres', q{SELECT coderring_rename('known', 'renamed')});
$primary->wait_for_catchup($standby);
is($reader->query("SELECT coderring_issued('renamed', '$again')"), 't', 'standby: an open session hears of a new name');
$reader->query("SELECT coderring_issued('known', '$again')");
is($reader->state, '42704', 'standby: and no longer knows the old one');
$primary->safe_psql('postgres', q{SELECT coderring_drop('renamed')});

#
# A standby that does not answer: nothing is handed out, and nothing is lost.
#
my @got = ($value);
my $session = new_session($primary);
my $other = new_session($primary);
my $waiter = new_session($primary);

sub in_sync_wait
{
	my ($who) = @_;

	$primary->poll_query_until('postgres',
		"SELECT wait_event = 'SyncRep' FROM pg_stat_activity WHERE pid = $who->{pid}")
	  or die 'session does not wait for the standby';
	return;
}

# Up to the end of the block; more needs the standby.
push @got, split(/\n/, $session->query(q{SELECT coderring_get_codes('two', 15)}));
is(scalar(@got), 16, 'a block is used up');
my @ahead = $session->query(q{SELECT coderring_get_code('four')});
$standby->stop;

# What is reserved ahead of need is called for without a wait, and while a
# caller hands that out he writes the record of what comes next.
$session->query(q{SET statement_timeout = '60s'});
push @ahead, split(/\n/, $session->query(q{SELECT coderring_get_code('four') FROM generate_series(1, 63)}));
is(scalar(@ahead), 64, 'no wait within what was reserved ahead');
cmp_ok($primary->safe_psql('postgres', q{SELECT reserved_to FROM coderring.series WHERE ring = 'four'}), '>', 64,
	'more is reserved by now');
$session->query(q{SET statement_timeout = '100ms'});
$session->query(q{SELECT coderring_get_code('four')});
is($session->state, '57014', 'which waits for the standby');
$session->query('RESET statement_timeout');

foreach my $level ('on', 'local', 'off')
{
	$session->query("SET synchronous_commit = $level");

	# statement_timeout
	$session->query(q{SET statement_timeout = '100ms'});
	$session->query(q{SELECT coderring_get_code('two')});
	is($session->state, '57014', "synchronous_commit $level: timeout while waiting for the standby");
	$session->query('RESET statement_timeout');

	# cancel, while another one waits behind
	$session->send(q{SELECT coderring_get_code('two')});
	in_sync_wait($session);
	$other->send(q{SELECT coderring_get_code('two')});
	wait_for_lock($primary, $other->{pid});
	$primary->safe_psql('postgres', "SELECT pg_cancel_backend($session->{pid})");
	$session->receive;
	is($session->state, '57014', "synchronous_commit $level: cancelled while waiting for the standby");
	in_sync_wait($other);
	$primary->safe_psql('postgres', "SELECT pg_cancel_backend($other->{pid})");
	$other->receive;
	is($other->state, '57014', "synchronous_commit $level: the next one does not get a code either");

	# terminate
	my $victim = new_session($primary);
	$victim->query("SET synchronous_commit = $level; BEGIN");
	$victim->send(q{SELECT coderring_get_code('two')});
	in_sync_wait($victim);
	$primary->safe_psql('postgres', "SELECT pg_terminate_backend($victim->{pid}, 60000)");
	is($victim->receive, '', "synchronous_commit $level: terminated while waiting for the standby");
}
is(position($primary, 'two/'), 16, 'the series stands where it stood');
is($primary->safe_psql('postgres', q{SELECT reserved_to FROM coderring.series WHERE ring = 'two'}),
	32, 'with one more range reserved');

# A new series in a transaction that is rolled back, a bump and an advance.
my $new_series = new_session($primary);
$new_series->query(q{BEGIN});
cancel_waiting($primary, $new_series, q{SELECT coderring_get_code('two', 'new')});
is($new_series->state, '57014', 'new series: cancelled');
$new_series->query('ROLLBACK');
my %numbers = ('advance' => q{coderring_advance('two', 'advanced', 0, 8)}, 'bump' => q{coderring_get_code('three', '24-', true)});
foreach my $title (sort keys %numbers)
{
	cancel_waiting($primary, $new_series, "SELECT $numbers{$title}");
	is($new_series->state, '57014', "$title: cancelled");
}

# One that waits patiently gets the first code of that range.
$waiter->send(q{SELECT coderring_get_code('two')});
in_sync_wait($waiter);
$standby->start;
push @got, $waiter->receive;
push @got, split(/\n/, $session->query(q{SELECT coderring_get_codes('two', 1024 - 17)}));
full_cycle(\@got, 2, '', 'every code of the cycle, each once');
push @ahead, split(/\n/, $session->query(q{SELECT coderring_get_codes('four', 1000)}));
is(position($primary, 'four/'), scalar(@ahead), 'nothing of what was reserved ahead is lost');
is(scalar(duplicates(@ahead)), 0, 'nor comes twice');

my @new = split(/\n/, $session->query(q{SELECT coderring_get_codes('two', 1024, 'new')}));
full_cycle(\@new, 2, 'new', 'new series: every code of the cycle, each once');
my @advanced = split(/\n/, $session->query(q{SELECT coderring_get_codes('two', 1024 - 8, 'advanced')}));
is(scalar(grep { /^advanced..\z/ } @advanced), 1024 - 8, 'advanced as far as was asked for');
like($session->query(q{SELECT coderring_get_code('three', '24-')}), qr/^24-X...\z/, 'bumped once');
$_->quit foreach $reader, $session, $other, $waiter, $new_series;

#
# Promotion under load: sessions of the old primary go on while the standby is
# promoted, which they can as long as blocks last that the standby knows of.
#
my %seen;
my $twice = 0;

sub keep_the_books
{
	my ($title, @runs) = @_;

	foreach (output_of(@runs))
	{
		chomp;
		my ($ring, $code) = split(/\|/);

		if ($seen{"$ring $code"}++)
		{
			diag("$title: $code of $ring came twice") if $twice++ < 10;
		}
	}
	return;
}

# Rings, extras and new series.  The letter tells apart what new series each
# client makes; the others are used by all.
sub script
{
	my ($level, $letter) = @_;

	return write_script("SET synchronous_commit = $level;\n" . join('', map {
		my $extra = "$letter$_-";

		"SELECT 'four', coderring_get_code('four');\nSELECT 'two', coderring_get_code('two', '26-');\n"
		  . "BEGIN;\nSELECT 'three', coderring_get_code('three', '24-');\nROLLBACK;\n"
		  . "SELECT 'three', coderring_get_code('three', 'n$_-');\n"
		  . "BEGIN;\nSELECT 'three', coderring_get_code('three', '$extra');\nROLLBACK;\n"
	} 1 .. 20_000));
}

my %levels = (a => 'on', b => 'local', c => 'off', d => 'remote_apply', e => 'remote_write', f => 'off');
my %scripts = map { $_ => script($levels{$_}, $_) } keys %levels;

foreach my $round (1 .. 2)
{
	my @old = map { start_client($primary, $_) } values %scripts;

	wait_for_output(20_000, @old);
	$primary->stop('immediate') if $round == 2;
	$standby->promote;

	# The new primary has no standby.
	await_standbys($standby, '');

	my @new = map { start_client($standby, $_) } values %scripts;
	wait_for_output(40_000, @new);
	$primary->stop('immediate') if $round == 1;
	stop_clients(@old);
	$standby->stop('immediate');
	stop_clients(@new);
	is(scalar(grep { $_->{run}->result(0) == 0 } @old, @new), 0, "promotion $round: clients were at work to the end");
	keep_the_books("promotion $round", @old, @new);
	is($twice, 0, "promotion $round: no code came twice");

	last if $round == 2;

	# Once more, with the new primary and a standby of its own.
	$standby->start;
	$primary = $standby;
	$primary->backup('backup');
	$standby = new_standby('another');
	await_standbys($primary, '*');
	$primary->poll_query_until('postgres', q{
		SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'})
	  or die 'no synchronous standby';
}

# The series just made are on the new primary.
$standby->start;
my $after = positions($standby);
my %most;
/^three ([abcdef]\d+-)/ and $most{$1}++ foreach keys %seen;
is(scalar(grep { ($after->{"three/$_"} // 0) < $most{$_} } keys %most), 0,
	'every series that handed out codes is there');
$standby->stop;

done_testing();
