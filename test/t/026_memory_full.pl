# Shared memory that is full. One database fills it with series, as a role can
# that has nothing but a grant on one ring: other databases go on taking codes,
# from blocks and not one by one, those that come later too; series in use
# keep their places, others lose theirs and nothing else; and what a database or
# an extension had is there for others when it is gone.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# With mmap the segments are files of this server's own. The least memory that can be.
my $node = new_node('main', q{
dynamic_shared_memory_type = mmap
coderring.max_shared_memory = 1MB
});
my $flood = 12_000;				# series; there is room for some 3,400

sub shared_bytes
{
	my $size = 0;

	$size += -s $_ // 0 foreach glob($node->data_dir . '/pg_dynshmem/*');
	return $size;
}

sub new_database
{
	my ($dbname) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $dbname");
	$node->safe_psql($dbname, q{
		CREATE EXTENSION coderring;
		SELECT coderring_create('ring', 4), coderring_create('few', 2), coderring_create('words', 4, 'english');
		SELECT coderring_grant('ring', 'tenant')});
	return;
}

# take(DBNAME, RING, COUNT, EXTRA)
sub take
{
	my ($dbname, $ring, $count, $extra) = @_;

	return split(/\n/, $node->safe_psql($dbname, "SELECT coderring_get_codes('$ring', $count, '@{[ $extra // '' ]}')"));
}

# places(DBNAME): how many series have one.
sub places
{
	my ($dbname) = @_;

	return $node->safe_psql($dbname, 'SELECT count(*) FROM coderring.stats');
}

# from_blocks(DBNAME, RING, TITLE): were codes handed out by the block, without
# any reservation that was made for a single code?
sub from_blocks
{
	my ($dbname, $ring, $title) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql($dbname, "SELECT issued > 8 * refills FROM coderring.stats WHERE ring = '$ring' AND extra = ''"),
		't', "$title: $ring has blocks")
	  or diag($node->safe_psql($dbname, "SELECT * FROM coderring.stats WHERE ring = '$ring' AND extra = ''"));
	return;
}

$node->safe_psql('postgres', 'CREATE ROLE tenant LOGIN');
new_database($_) foreach qw(flooded other later last);
my $empty = shared_bytes();

# $fill: each of the series once, or again.
my $fill = qq{SELECT coderring_get_code('ring', i || '-') FROM generate_series(1, $flood) i};
my %flooded;

#
# While one database fills the memory again and again, another goes on.
#
my $ring = write_script("SELECT coderring_get_code('ring'), coderring_get_code('words') FROM generate_series(1, 20000)");
my $extras = write_script(join('', map { "SELECT coderring_get_code('few', i || '+') FROM generate_series(1, 40) i;\n" } 1 .. 60));
my @others = map { start_client($node, $_, 'other') } $ring, $extras;
foreach my $round (1 .. 3)
{
	$flooded{$_}++ foreach split(/\n/, $node->safe_psql('flooded', $fill, extra_params => [ '-U', 'tenant' ]));
}
stop_clients(@others);
is(errors_of(@others), '', 'the other database: no error');
my @pairs = map { [ split(/[|\n]/) ] } output_of($others[0]);
my @few = map { s/\s//gr } output_of($others[1]);
is(scalar(@pairs), 20_000, 'all its codes');
is(scalar(duplicates(map { $_->[0] } @pairs)), 0, 'none twice');
is(scalar(duplicates(map { $_->[1] } @pairs)), 0, 'nor those that are filtered');
is(scalar(@few) - scalar(duplicates(@few)), 40 * 60, 'nor of any extra');
is(position($node, 'ring/', 'other'), 20_000, 'and none is missing');
is($node->safe_psql('other', q{SELECT count(*), min(cycle_offset), max(cycle_offset) FROM coderring.series WHERE ring = 'few'}), '40|60|60',
	'nor of the extras');
from_blocks('other', $_, 'the other database') foreach 'ring', 'words';
is(places('other'), 42, 'all its series have a place');
is(scalar(keys %flooded), 3 * $flood, 'the flooded database: no code twice');
is($node->safe_psql('flooded', q{SELECT count(*), min(cycle_offset), max(cycle_offset) FROM coderring.series}), "$flood|3|3", 'and none is missing');
cmp_ok(shared_bytes() - $empty, '<=', 1024 * 1024, 'within the limit');
cmp_ok(places('flooded'), '<', 4000, 'it has not got more than there is');
cmp_ok(places('flooded'), '>', 1000, 'nor nothing');

#
# The memory is full and nobody is there who would give anything back.
#
foreach my $dbname ('later', 'last')
{
	my @codes = map { take($dbname, 'ring', 500) } 1 .. 10;

	is(scalar(@codes) - scalar(duplicates(@codes)), 5000, "$dbname: it comes when memory is full, and gets codes");
	from_blocks($dbname, 'ring', $dbname);
	push @codes, split(/\n/, $node->safe_psql($dbname, q{SELECT coderring_get_code('ring', i || '-') FROM generate_series(1, 2000) i})) foreach 1 .. 2;
	is(scalar(@codes) - scalar(duplicates(@codes)), 9000, "$dbname: and of very many series");
	is($node->safe_psql($dbname, q{SELECT count(*), min(cycle_offset), max(cycle_offset) FROM coderring.series WHERE extra <> ''}), '2000|2|2',
		"$dbname: none is missing");
	cmp_ok(places($dbname), '>', 10, "$dbname: a part of them has places");
}

# The one that has more than its share gives back, once it is in use again.
my ($before) = places('flooded');
$node->safe_psql('flooded', "$fill; $fill");
cmp_ok(places('flooded'), '<', $before, 'the flooded database gives back what others may need');
my $more = places('last');
$node->safe_psql('last', q{SELECT count(coderring_get_code('ring', i || '-')) FROM generate_series(1, 2000) i});
cmp_ok(places('last'), '>', $more, 'and they get it');

#
# A series that is in use keeps its place; idle ones do not.
#
my $session = new_session($node, 'flooded');
$session->query(q{SELECT coderring_get_codes('ring', 50, 'hot')});
my $hot = $session->query(q{SELECT since FROM coderring.stats WHERE extra = 'hot'});
isnt($hot, '', 'a series has a place');
is($session->query(qq{SELECT count(coderring_get_code('ring', i || '-')), count(coderring_get_code('ring', 'hot')) FROM generate_series(1, $flood) i}),
	"$flood|$flood", 'it is used while thousands of others are');
is($session->query(q{SELECT since, issued FROM coderring.stats WHERE extra = 'hot'}), "$hot|" . ($flood + 50), 'and has kept its place all the time');
$session->query($fill);
is($session->query(q{SELECT count(*) FROM coderring.stats WHERE extra = 'hot'}), 0, 'not any more when it is not used');
like($session->query(q{SELECT coderring_get_code('ring', 'hot')}), qr/^hot\w{4}\z/, 'it goes on');
is($session->query(q{SELECT cycle_offset FROM coderring.series WHERE extra = 'hot'}), $flood + 51, 'where it was');

# Loading all rings takes nothing from anybody.
$session->query(q{SELECT coderring_get_code('ring', 'kept')});
$hot = $session->query(q{SELECT since FROM coderring.stats WHERE extra = 'kept'});
is($session->query('SELECT coderring_start_rings(), coderring_start_rings(), coderring_start_rings()'), '3|3|3', 'coderring_start_rings');
is($session->query(q{SELECT since FROM coderring.stats WHERE extra = 'kept'}), $hot, 'has taken no place from a series that has one');
$session->quit;

#
# What is gone leaves its memory to others.
#
my @codes = take('other', 'ring', 10);
$node->safe_psql('postgres', 'DROP DATABASE flooded');
$node->safe_psql('last', "SELECT count(coderring_get_code('ring', i || '*')) FROM generate_series(1, $flood) i");
$more = places('last');
cmp_ok($more, '>', 1500, 'places of a database that was dropped are free again');
$node->safe_psql('last', q{DROP EXTENSION coderring; CREATE EXTENSION coderring; SELECT coderring_create('ring'); SELECT coderring_get_code('ring')});
$node->safe_psql('other', "SELECT count(coderring_get_code('ring', i || '*')) FROM generate_series(1, $flood) i");
cmp_ok(places('other'), '>', 1500, 'and those of an extension, to another database');
my $refills = $node->safe_psql('other', q{SELECT refills FROM coderring.stats WHERE ring = 'ring' AND extra = ''}) || 0;
push @codes, map { take('other', 'ring', 1) } 1 .. 3;
push @codes, take('other', 'ring', 20_000);
is(scalar(duplicates(@codes, map { $_->[0] } @pairs)), 0, 'no code twice in the end');
is(position($node, 'ring/', 'other'), 40_013, 'and none is missing');
from_blocks('other', 'ring', 'in the end');
cmp_ok(shared_bytes() - $empty, '<=', 1024 * 1024, 'all that within the limit');

$node->stop;
done_testing();
