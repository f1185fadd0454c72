# Shared memory: preloaded and on demand, after a crash, with a limit, and
# where the system has none.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $conf = q{
dynamic_shared_memory_type = mmap
restart_after_crash = on
max_connections = 60
};

sub shared_bytes
{
	my ($node) = @_;
	my $size = 0;

	# The first segment is the server's own.
	$size += -s $_ // 0 foreach glob($node->data_dir . '/pg_dynshmem/*');
	return $size;
}

foreach my $preload (0, 1)
{
	my $title = $preload ? 'preloaded' : 'on demand';
	my $node = new_node($preload ? 'preloaded' : 'ondemand',
		$conf . ($preload ? "shared_preload_libraries = 'coderring'\n" : ''));
	my @got;

	$node->safe_psql('postgres', q{SELECT coderring_create('ring', 3)});
	push @got, split(/\n/, $node->safe_psql('postgres', q{SELECT coderring_get_codes('ring', 100)}));
	is(position($node, 'ring/'), 100, "$title: codes come from shared memory");

	# A session is killed, and all start over.
	my $session = new_session($node);
	my $survivor = new_session($node);
	push @got, map { $_->query(q{SELECT coderring_get_code('ring')}) } $session, $survivor;
	kill 'KILL', $session->{pid};
	ok(wait_until(sub { $_->query('SELECT 1') foreach $session, $survivor; $session->{gone} && $survivor->{gone} }),
		"$title: a crash of one session ends all");
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	my $reserved = position($node, 'ring/');
	cmp_ok($reserved, '<=', 102 + 32768 / 64, "$title: little is skipped");
	push @got, split(/\n/, $node->safe_psql('postgres', q{SELECT coderring_get_codes('ring', 100)}));
	is(position($node, 'ring/'), $reserved + 100, "$title: codes come from shared memory again");

	# A fast restart is no different.
	$node->restart;
	push @got, split(/\n/, $node->safe_psql('postgres', q{SELECT coderring_get_codes('ring', 100)}));
	is(scalar(duplicates(@got)), 0, "$title: no code twice");

	# The function that loads every ring
	$node->restart;
	is($node->safe_psql('postgres', q{SELECT coderring_create('other'); SELECT coderring_start_rings()}),
		"\n2", "$title: coderring_start_rings");
	$node->stop;
}

#
# More series than memory: what is reserved for one is given back when its
# place goes to another.
#
my $limit = 1024;
my $series = 6000;
my $node = new_node('limited', $conf . "coderring.max_shared_memory = ${limit}kB\nshared_preload_libraries = 'coderring'\n");
my $empty = shared_bytes($node);

$node->safe_psql('postgres', q{SELECT coderring_create('ring', 3)});
my %count;
foreach my $round (1 .. 3)
{
	my $codes = $node->safe_psql('postgres',
		"SELECT coderring_get_code('ring', i || '-') FROM generate_series(1, $series) i");
	$count{$_}++ foreach split(/\n/, $codes);
}
is(scalar(keys %count), 3 * $series, "$series series in $limit kB: no code twice");
is($node->safe_psql('postgres', q{SELECT count(*), min(cycle_offset), max(cycle_offset) FROM coderring.series}),
	"$series|3|3", 'and none skipped');
cmp_ok(shared_bytes($node) - $empty, '<=', $limit * 1024, 'within the limit');

# Sessions that still remember places which were given to others.
my @sessions = map { new_session($node) } 1 .. 4;
foreach my $i (1 .. 300)
{
	my $extra = ($i * 17) % 50 . '-';
	$count{ $sessions[ $i % 4 ]->query("SELECT coderring_get_code('ring', '$extra')") }++;
	$node->safe_psql('postgres',
		"SELECT count(coderring_get_code('ring', i || '-')) FROM generate_series(100 + $i * 19, 4000 + $i * 19) i")
	  if $i % 50 == 0;
}
is(scalar(grep { $_ > 1 } values %count), 0, 'sessions go on while places change hands: no code twice');
is($node->safe_psql('postgres', q{SELECT sum(cycle_offset) FROM coderring.series WHERE split_part(extra, '-', 1)::int < 50}),
	3 * 49 + 300, 'and no gap');
$_->quit foreach @sessions;

# Series of an extension that is gone do not keep their places.
foreach my $round (1 .. 4)
{
	$node->safe_psql('postgres', qq{
		DROP EXTENSION coderring; CREATE EXTENSION coderring; SELECT coderring_create('ring', 3);
		SELECT count(coderring_get_code('ring', i || '-')) FROM generate_series(1, 1500) i});
}
$node->safe_psql('postgres', q{SELECT coderring_get_code('ring', 'new')});
is($node->safe_psql('postgres', q{SELECT reserved_to FROM coderring.series WHERE extra = 'new'}),
	64, 'after DROP and CREATE EXTENSION there is memory for blocks');

# The limit can be raised.
$node->append_conf('postgresql.conf', 'coderring.max_shared_memory = 16MB');
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('coderring.max_shared_memory') = '16MB'});
my %more;
$more{$_}++ foreach split(/\n/, $node->safe_psql('postgres',
	"SELECT coderring_get_code('ring', i || '+') FROM generate_series(1, $series) i"));
is(scalar(keys %more), $series, 'more memory by a reload');
cmp_ok(shared_bytes($node) - $empty, '>', $limit * 1024, 'which is used');
$node->stop;

#
# A system that refuses shared memory: codes come one by one.  The session may
# not write beyond this place in a file, which is less than a segment has; WAL
# is switched so that it begins a new file, made by another session.
#
SKIP:
{
	skip 'no prlimit', 4 unless system('prlimit --version >/dev/null 2>&1') == 0;

	$node = new_node('refused', $conf);
	$node->safe_psql('postgres', q{SELECT pg_switch_wal(); SELECT coderring_create('ring', 2)});
	my $refused = new_session($node);
	system('prlimit', '--pid', $refused->{pid}, '--fsize=400000') == 0 or die 'prlimit';

	my @got = split(/\n/, $refused->query(q{SELECT coderring_get_codes('ring', 500)}));
	is($refused->{error}, '', 'without shared memory: no error');
	is($node->safe_psql('postgres', q{SELECT cycle_offset, reserved_to FROM coderring.series}),
		'500|500', 'codes are reserved one by one');

	my $script = write_script("SELECT coderring_get_code('ring');\n" x 100);
	my @runs = map { start_client($node, $script) } 1 .. 4;
	push @got, map { $refused->query(q{SELECT coderring_get_code('ring')}) } 1 .. 24;
	stop_clients(@runs);
	is(errors_of(@runs), '', 'with other sessions beside it: no error');
	push @got, map { s/\n//r } output_of(@runs);
	push @got, split(/\n/, $refused->query(q{SELECT coderring_get_codes('ring', 100)}));
	full_cycle(\@got, 2, '', 'every code once, and no gap');
	$refused->quit;
	$node->stop;
}

done_testing();
