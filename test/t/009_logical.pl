# Logical replication of all tables: definitions go over, deletions of series
# do not stop the subscriber, and its sessions notice what has changed.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->start;

$_->safe_psql('postgres', 'CREATE EXTENSION coderring; CREATE TABLE other (n int PRIMARY KEY)')
  for $publisher, $subscriber;
$publisher->safe_psql('postgres', q{
	SELECT coderring_create(r, 2) FROM unnest('{kept,dropped,reset}'::text[]) r;
	SELECT count(coderring_get_code(r)) FROM unnest('{kept,dropped,reset}'::text[]) r, generate_series(1, 5);
	CREATE PUBLICATION everything FOR ALL TABLES});
my $from = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION sub CONNECTION '$from' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'sub');

is($subscriber->safe_psql('postgres', 'SELECT name FROM coderring.rings ORDER BY 1'),
	"dropped\nkept\nreset", 'rings are copied');

# A session of the subscriber that has used the ring under its old name
my $session = new_session($subscriber);
my $first = $session->query(q{SELECT coderring_get_code('kept')});
like($first, qr/^..\z/, 'the subscriber hands out codes');

$publisher->safe_psql('postgres', q{
	SELECT coderring_rename('kept', 'renamed'), coderring_drop('dropped'), coderring_reset('reset');
	INSERT INTO other VALUES (1)});
$publisher->wait_for_catchup('sub');
is($subscriber->safe_psql('postgres', 'SELECT n FROM other'), '1',
	'replication goes on after drop, reset and rename');
is($subscriber->safe_psql('postgres', 'SELECT name FROM coderring.rings ORDER BY 1'),
	"renamed\nreset", 'definitions follow');
$session->query(q{SELECT coderring_get_code('kept')});
like($session->{error}, qr/ring "kept" does not exist/, 'a session notices that');
like($session->query(q{SELECT coderring_get_code('renamed')}), qr/^..\z/, 'and finds the new name');
$session->quit;

# The way of docs/databases.md to bring a subscriber past what the publisher did
$publisher->safe_psql('postgres',
	q{SELECT count(coderring_get_code('renamed')) + count(coderring_get_code('renamed', 'X')) FROM generate_series(1, 300)});
my $advance = $publisher->safe_psql('postgres',
	q{SELECT format('SELECT coderring_advance(%L, %L, %s, %s);', ring, extra, cycle + 1, 0) FROM coderring.series});
$subscriber->safe_psql('postgres', $advance);
my %seen = map { $_ => 1 } split /\n/,
  $publisher->safe_psql('postgres', q{SELECT coderring_get_code('renamed', e) FROM unnest('{"",X}'::text[]) e, generate_series(1, 200)});
is(scalar(grep { $seen{$_} } split /\n/,
		$subscriber->safe_psql('postgres', q{SELECT coderring_get_code('renamed', e) FROM unnest('{"",X}'::text[]) e, generate_series(1, 500)})),
	0, 'after which it repeats nothing');

$subscriber->stop;
$publisher->stop;
done_testing();
