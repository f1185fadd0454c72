# Asynchronous failover: what was handed out in the moments that the standby has
# not heard of is not handed out again, as far as coderring.failover_gap goes.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use List::Util qw(min);
use Test::More;
use Time::HiRes qw(sleep time);

my %rings = (r32 => 1, r1024 => 2, r32768 => 3, r1m => 4, r1g => 6);
my @names = sort keys %rings;
my $primary = new_node('primary', q{
checkpoint_timeout = 1h
max_connections = 60
}, allows_streaming => 1);

sub base_codes_of { my ($name) = @_; return 32 ** ($rings{$name} // 4) }

# The database that the functions below look into
my $dbname = 'postgres';

# where(NODE, RING, EXTRA): position, and what is reserved.
sub where
{
	my ($node, $ring, $extra) = @_;
	my @place = split(/\|/, $node->safe_psql($dbname, qq{
		SELECT cycle, cycle_offset, reserved_to, codes_per_cycle FROM coderring.series WHERE ring = '$ring' AND extra = '@{[ $extra // '' ]}'}));

	return ($place[0] * $place[3] + $place[1], $place[2]);
}

sub code { my ($node, $ring, $extra) = @_; return $node->safe_psql($dbname, "SELECT coderring_get_code('$ring', '@{[ $extra // '' ]}')") }

# The SQLSTATE and message of the first error of a statement
sub error_of
{
	my ($node, $sql) = @_;
	my (undef, undef, $error) = $node->psql('postgres', $sql, extra_params => [ '-v', 'VERBOSITY=verbose' ]);

	return $error =~ /ERROR:  (.*)/ ? $1 : '';
}

$primary->safe_psql('postgres', join(';', (map { "SELECT coderring_create('$_', $rings{$_})" } @names),
	map { "SELECT coderring_create('$_')" } qw(bulk advanced bumped recovered unused)));
$primary->safe_psql('postgres', q{SELECT coderring_create('limited', 1, max_length => 1); SELECT coderring_get_code('limited'); SELECT coderring_get_code('r1m', 'quiet-')});

# Loads of some time ago, as if they were over for so long.
sub load_before
{
	my ($node, %ago) = @_;
	my $loads = join(', ', map { "('$_', interval '$ago{$_}')" } sort keys %ago);

	$node->safe_psql($dbname, qq{
		SELECT count(*) FROM (VALUES $loads) load (extra), coderring_get_codes('bulk', 300000, extra);
		ALTER TABLE coderring.series_state DISABLE TRIGGER refuse_change;
		CREATE TEMP TABLE rewound AS SELECT s.* FROM coderring.series_state s JOIN (VALUES $loads) load (extra) USING (extra);
		UPDATE rewound r SET reserved_at = reserved_at - ago FROM (VALUES $loads) load (extra, ago) WHERE r.extra = load.extra;
		DELETE FROM coderring.series_state WHERE extra IN (SELECT extra FROM rewound);
		INSERT INTO coderring.series_state TABLE rewound;
		ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER refuse_change});
	return;
}

# is_little(NODE, EXTRA, NAME): one that was loaded long ago passes over one reservation.
sub is_little
{
	my ($node, $extra, $name) = @_;
	my (undef, $reserved) = where($node, 'bulk', $extra);

	code($node, 'bulk', $extra);
	my ($position) = where($node, 'bulk', $extra);
	cmp_ok($position, '>', $reserved + 1, "$name: one reservation");
	cmp_ok($position, '<=', $reserved + 32 ** 4 / 64 + 1, "$name: and no more");
	code($node, 'bulk', $extra);
	is((where($node, 'bulk', $extra))[0], $position + 1, "$name: once");
	return;
}

# In a database of its own nothing else has reserved anything later.
$primary->safe_psql('postgres', 'CREATE DATABASE lonely');
$primary->safe_psql('lonely', q{CREATE EXTENSION coderring; SELECT coderring_create('bulk')});
$dbname = 'lonely';
load_before($primary, 'alone-' => '2 min');
$dbname = 'postgres';
load_before($primary, 'old-' => '2 min', 'late-' => '5 s', 'older-' => '3 min');
$primary->safe_psql('postgres', qq{SELECT count(*) FROM coderring_get_codes('$_', 100)}) foreach qw(advanced bumped recovered);
$primary->backup('backup');

# Two standbys that come to the same place
my %standbys = map {
	my $node = PostgreSQL::Test::Cluster->new($_);

	$node->init_from_backup($primary, 'backup', has_streaming => 1);
	($_ => $node)
} qw(gap none);
$standbys{none}->append_conf('postgresql.conf', 'coderring.failover_gap = 0');
$_->start foreach values %standbys;

#
# Callers at full speed, long enough for both standbys to know it (what is behind
# twice the pace that they know is not promised); then three seconds that they
# do not hear of.
#
my %scripts = map { $_ => write_script("SELECT '$_', coderring_get_code('$_');\n" x 400_000) } @names;
my $begun = $primary->safe_psql('postgres', 'SELECT clock_timestamp()');
my @old = map { start_client($primary, $scripts{$_}), start_client($primary, $scripts{$_}) } @names;

foreach my $node (values %standbys)
{
	$node->poll_query_until('postgres', qq{
		SELECT count(*) = 5 FROM coderring.ring JOIN coderring.series_state USING (incarnation)
		WHERE name LIKE 'r%' AND measured_at > '$begun'::timestamptz + interval '6 s'})
	  or die 'the standby does not hear of the callers';
}
$_->append_conf('postgresql.conf', q{primary_conninfo = ''}), $_->reload foreach values %standbys;
foreach my $node (values %standbys)
{
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_wal_receiver') or die 'the receiver does not stop';
}
note($standbys{gap}->safe_psql('postgres', q{
	SELECT name, reserved_to, reserved_to - counted_to AS span, pace, measured_from, measured_at, reserved_at FROM coderring.ring JOIN coderring.series_state USING (incarnation)
	WHERE name LIKE 'r%' ORDER BY 1}));

# Not longer than until a series has come three quarters as far as is promised:
# twice the pace that the standbys know, or 100,000 codes. A busy machine speeds up when they stop.
my $known = join(', ', map { my ($name, $reserved_to, $pace) = split(/\|/); "('$name', " . int($reserved_to + 0.75 * min(2 * 20 * $pace, 100_000)) . ')' }
	split(/\n/, $standbys{gap}->safe_psql('postgres', q{
	SELECT name, reserved_to, greatest(pace, 13) FROM coderring.ring JOIN coderring.series_state USING (incarnation) WHERE name LIKE 'r%' AND extra = ''})));
my $lost_from = time;
while (time - $lost_from < 3 && $primary->safe_psql('postgres', qq{
	SELECT count(*) FROM coderring.ring JOIN coderring.series_state USING (incarnation) JOIN (VALUES $known) k (name, promised) USING (name)
	WHERE extra = '' AND reserved_to > promised}) == 0)
{
	sleep(0.05);
}
note(sprintf('the standbys have missed %.1f s', time - $lost_from));
cmp_ok(scalar(grep { $_->{run}->pumpable } @old), '==', scalar(@old), 'callers are at work to the end');
$primary->stop('immediate');
stop_clients(@old);
my %out;
foreach (output_of(@old))
{
	chomp;
	my ($ring, $code) = split(/\|/);

	$out{$ring}{$code}++;
}
is(join(' ', sort keys %out), "@names", 'callers of every ring have received codes');
is(scalar(grep { $_ > 1 } map { values %$_ } values %out), 0, 'none twice before');
note(join(', ', map { "$_: " . keys(%{ $out{$_} }) . ' codes' } @names));

#
# The same callers, on each of the two.
#
foreach my $name (qw(gap none))
{
	my $node = $standbys{$name};
	my %stood = map { $_ => (where($node, $_))[1] } @names;
	my %twice = map { $_ => 0 } @names;

	$node->promote;
	is($node->safe_psql('postgres', q{SELECT timeline_id FROM pg_control_checkpoint()}) >= 1 &&
		$node->safe_psql('postgres', q{SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)}), '00000002', "$name: on a new timeline");

	my @new = map { start_client($node, $scripts{$_}), start_client($node, $scripts{$_}) } @names;
	foreach my $i (0 .. $#new)
	{
		wait_for_output(2000, $new[$i]) or die 'no codes';
	}
	my %lost = map { my $ring = $_; $ring => scalar(keys %{ $out{$ring} }) } @names;
	$_->{run}->kill_kill foreach @new;
	foreach (output_of(@new), map { my $ring = $_; map { "$ring|$_\n" } split(/\n/, $node->safe_psql('postgres',
			"SELECT * FROM coderring_get_codes('$ring', least($lost{$ring}, 30000))")) } @names)
	{
		chomp;
		my ($ring, $code) = split(/\|/);

		$twice{$ring}++ if $out{$ring}{$code};
	}
	my $all = join(', ', map { "$_: $twice{$_}" } @names);
	if ($name eq 'gap')
	{
		is($all, join(', ', map { "$_: 0" } @names), 'no code comes twice');
		my %issued = map {
			my $ring = $_;
			my @codes = keys %{ $out{$ring} };

			$ring => $node->safe_psql('postgres', "SELECT count(*) FROM unnest('{" . join(',', @codes) . "}'::text[]) c WHERE NOT coderring_issued('$ring', c)")
		} @names;
		is(join(' ', map { $issued{$_} } @names), '0 0 0 0 0', 'all that was handed out counts as such');
		foreach my $ring (@names)
		{
			my $passed = $node->safe_psql('postgres', "SELECT skipped FROM coderring.stats WHERE ring = '$ring'");
			my $cycle_end = (int($stood{$ring} / base_codes_of($ring)) + 1) * base_codes_of($ring);
			my $furthest = $cycle_end - $stood{$ring} > 100_000 ? $cycle_end - $stood{$ring} : 100_000;

			cmp_ok($passed, '>', 0, "$ring: coderring.stats says that something was passed over");
			cmp_ok($passed, '<=', $furthest, "$ring: not more than coderring_recover does");
		}
		is($node->safe_psql('postgres', 'SELECT count(*) FROM coderring.skipped_positions'), 0, 'nothing is recorded as never handed out');
	}
	else
	{
		cmp_ok((sort { $b <=> $a } values %twice)[0], '>', 0, "without a gap codes come twice ($all)");
	}
}

#
# What is not in use, and what is new
#
my $gap = $standbys{gap};
my $none = $standbys{none};

$dbname = 'lonely';
is_little($gap, 'alone-', 'a series that was loaded long ago, the last of its database');
$dbname = 'postgres';

# After a restart, and after the busy series have moved: what they knew is not forgotten.
$gap->restart;
is_little($gap, 'old-', 'a series that was loaded long ago');
my (undef, $late_reserved) = where($gap, 'bulk', 'late-');
code($gap, 'bulk', 'late-');
cmp_ok((where($gap, 'bulk', 'late-'))[0], '>', $late_reserved + 32 ** 4 / 64 + 1, 'one that was loaded shortly before: as fast as it was');
my (undef, $none_reserved) = where($none, 'bulk', 'late-');
code($none, 'bulk', 'late-');
is((where($none, 'bulk', 'late-'))[0], $none_reserved + 1, 'without a gap it goes on where it stood');

my %little = (r32 => 1, r1024 => 16, r32768 => 512, r1m => 1024, r1g => 1024);
foreach my $ring (@names)
{
	code($_, $ring, 'new-') foreach $gap, $none;
	is((where($gap, $ring, 'new-'))[0], $little{$ring} + 1, "$ring: a new series begins a little way in");
	is((where($none, $ring, 'new-'))[0], 1, "$ring: without a gap it does not");
}
my $entered = code($gap, 'r32768', 'bump-');
is($gap->safe_psql('postgres', q{SELECT coderring_get_code('r32768', 'unused-', true) LIKE 'unused-___'}), 't', 'a bump of a new series has no effect');
$gap->safe_psql('postgres', q{SELECT coderring_create('younger'), coderring_reset('unused')});
foreach my $ring (qw(younger unused))
{
	code($gap, $ring);
	is((where($gap, $ring))[0], 1, "a series of a ring that was made or reset since begins at the start: $ring");
}

# A series that another one's codes begin like: it enters no cycle that is another's.
my %begun;
$begun{ code($gap, 'r1024', $_) }++ foreach ('X', '', 'X2', 'W') x 50;
is(scalar(grep { $_ > 1 } values %begun), 0, 'series that begin alike stay apart');

# Neither an advance nor a bump goes round it, and coderring_recover takes its place.
my ($advanced, $advanced_reserved) = where($gap, 'advanced');
$gap->safe_psql('postgres', "SELECT coderring_advance('advanced', '', 0, $advanced_reserved + 1)");
code($gap, 'advanced');
cmp_ok((where($gap, 'advanced'))[0], '>=', $advanced_reserved + 1 + 512, 'after an advance the gap is still to come');
$gap->safe_psql('postgres', q{SELECT coderring_get_code('bumped', '', true)});
cmp_ok((where($gap, 'bumped'))[0], '>=', 32 ** 4 + 512 + 1, 'a bump goes to the next cycle, and the gap further: it may be asked for again');
$gap->safe_psql('postgres', q{SELECT coderring_recover('recovered')});
code($gap, 'recovered');
is((where($gap, 'recovered'))[0], 32 ** 4 + 1, 'after coderring_recover there is nothing to pass over');
code($gap, 'recovered', 'new-');
is((where($gap, 'recovered', 'new-'))[0], 32 ** 4 + 1, 'neither for a new extra');

# With max_length: as many as there are behind it
is(error_of($gap, q{SELECT coderring_get_codes('limited', 31)}), '2200H: cannot take 31 codes of ring "limited"', 'what is passed over does not count as left');
is(scalar(split(/\n/, $gap->safe_psql('postgres', q{SELECT coderring_get_codes('limited', 30)}))), 30, 'and what is left can be taken');

#
# The same timeline again: nothing is passed over.
#
my %reserved = map { $_ => (where($gap, $_))[1] } @names;
$gap->stop('immediate');
$gap->start;
code($gap, $_) foreach @names;
is(join(' ', map { (where($gap, $_))[0] - $reserved{$_} } @names), '1 1 1 1 1', 'a crash on the same timeline passes over nothing');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$gap->command_ok([ 'pg_dump', '-f', $dump, 'postgres' ], 'pg_dump');
%reserved = map { $_ => (where($gap, $_))[1] } @names;
$gap->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$gap->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f', $dump ], 'is restored');
is(join(' ', map { my $ring = $_; $gap->safe_psql('restored', "SELECT coderring_get_code('$ring'); SELECT cycle * codes_per_cycle + cycle_offset - $reserved{$ring} FROM coderring.series WHERE ring = '$ring' AND extra = ''") =~ s/.*\n//sr } @names),
	'1 1 1 1 1', 'a dump that is restored on the same timeline passes over nothing');
my (undef, $older_reserved) = where($gap, 'bulk', 'older-');
$dbname = 'restored';
code($gap, 'bulk', 'older-');
is((where($gap, 'bulk', 'older-'))[0], $older_reserved + 1, 'neither does a series of it that nobody has used since the failover');
$dbname = 'postgres';

# Once more, to a third timeline: what was in use on none since does not move far.
load_before($gap, 'second-' => '2 min');
code($gap, 'r1m');
$gap->backup('second');
my $third = PostgreSQL::Test::Cluster->new('third');
$third->init_from_backup($gap, 'second', has_streaming => 1);
$third->start;
$gap->wait_for_catchup($third);

# What it has not heard of any more: of a series that was not used on the second
# timeline before, and of one that is new.
$third->safe_psql('postgres', q{ALTER SYSTEM SET primary_conninfo = ''; SELECT pg_reload_conf()});
$third->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_wal_receiver') or die 'the receiver goes on';
my %lost = map { $_ => 1 } map { code($gap, 'r1m', $_) } ('quiet-', 'lost-') x 5;
$gap->stop('immediate');
$third->promote;
is(scalar(grep { $lost{$_} } map { code($third, 'r1m', $_) } ('quiet-', 'lost-') x 600), 0,
	'a second failover does not begin where the first one has');
my (undef, $before) = where($third, 'r1m');
code($third, 'r1m');
cmp_ok((where($third, 'r1m'))[0], '>', $before + 1, 'each timeline has its gap');
is($third->safe_psql('postgres', q{SELECT count(*) FROM coderring.series_state WHERE extra = 'older-' AND timeline & 4294967295 = 1}), 1,
	'a series has been left on the first timeline');
$third->safe_psql('postgres', q{
	SELECT coderring_drop('limited');
	SELECT coderring_get_code(name, extra) FROM coderring.ring JOIN coderring.series_state s USING (incarnation)
	WHERE s.timeline & 4294967295 = 2 AND extra <> 'second-'});
is_little($third, 'second-', 'one that was loaded long before the second failover');

# A gap of more than a minute: a slow series is in use that has reserved nothing for so long.
$third->append_conf('postgresql.conf', q{coderring.failover_gap = '10min'});
$third->reload;
$third->poll_query_until('postgres', q{SELECT current_setting('coderring.failover_gap', true) = '10min'}) or die 'it is not set';
$third->safe_psql('postgres', q{
	SELECT coderring_create('slow');
	ALTER TABLE coderring.series_state DISABLE TRIGGER admit_row;
	INSERT INTO coderring.series_state (incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace, measured_from, measured_at, reserved_at, extra)
		SELECT incarnation, 100, 68, 68, 0, timeline - 1, 2, 0, now() - ago, now() - ago, extra
		FROM coderring.ring, (VALUES ('slow-', interval '9 min'), ('idle-', interval '30 min'), ('last-', interval '0')) v (extra, ago) WHERE name = 'slow';
	ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER admit_row});
code($third, 'slow', $_) foreach qw(slow- idle-);
is(join(' ', map { (where($third, 'slow', $_))[0] - 101 } qw(slow- idle-)), '4800 512', 'with a gap of ten minutes that is in use which has reserved in these');
$_->stop foreach $third, $none;

done_testing();
