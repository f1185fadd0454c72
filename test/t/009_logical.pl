# Logical replication: definitions go over, by the initial copy and afterwards,
# one way and both; what has come hands out nothing until it is said to; rings
# of each server's own work, whenever they are made; nothing stops the workers.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $refused = qr/arrived by logical replication and hands out no codes here/;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
init_node($publisher, allows_streaming => 'logical');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
init_node($subscriber, allows_streaming => 'logical');
$subscriber->start;
my %from = map { $_->name => $_->connstr . ' dbname=postgres' } $publisher, $subscriber;

# The same roles under other OIDs, one there only
$subscriber->safe_psql('postgres', 'CREATE ROLE somebody; CREATE ROLE seller; CREATE ROLE owner');
$publisher->safe_psql('postgres', 'CREATE ROLE owner; CREATE ROLE seller; CREATE ROLE passer_by');
$_->safe_psql('postgres', 'CREATE EXTENSION coderring; CREATE TABLE other (n int PRIMARY KEY)')
  for $publisher, $subscriber;

my $numbers = 0;

# follow(): when it returns, the subscriber has all that the publisher has done,
# and what comes after still arrives.
sub follow
{
	my ($from, $to, $subscription) = (@_, $publisher, $subscriber, 'sub')[ 0 .. 2 ];

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$from->safe_psql('postgres', 'INSERT INTO other VALUES (' . ++$numbers . ')') if $from == $publisher;
	$from->wait_for_catchup($subscription);
	is($to->safe_psql('postgres', 'SELECT max(n) FROM other'), $numbers, 'replication goes on') if $from == $publisher;
	return;
}

sub rings
{
	my ($node, $dbname) = @_;
	return $node->safe_psql($dbname // 'postgres', q{
		SELECT concat_ws(' ', name, CASE WHEN replicated THEN 'replicated' END) FROM coderring.ring ORDER BY name COLLATE "C"});
}

# error_of(NODE, QUERY)
sub error_of
{
	my ($node, $query, $dbname) = @_;
	my (undef, undef, $error) = $node->psql($dbname // 'postgres', $query, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $error;
}

sub takes
{
	my ($node, $ring, $dbname) = @_;
	return scalar($node->safe_psql($dbname // 'postgres', qq{SELECT count(DISTINCT coderring_get_code('$ring')) FROM generate_series(1, 10)}) == 10);
}

#
# The initial copy.  A ring and a list were made on both sides.
#
$subscriber->safe_psql('postgres', q{
	SELECT coderring_define_blocklist('words', '{OWN}'), coderring_create('both', 4, 'words');
	SELECT coderring_get_code('both')});
$publisher->safe_psql('postgres', q{
	SELECT coderring_define_blocklist('words', '{PUB}'), coderring_define_blocklist('theirs', '{BAD}');
	SELECT coderring_create(r, 2) FROM unnest('{both,kept,dropped,reset}'::text[]) r;
	SELECT coderring_set_blocklist('kept', 'theirs'), coderring_change_owner('kept', 'owner'), coderring_change_owner('reset', 'passer_by');
	SELECT coderring_grant('kept', 'seller'), coderring_grant('kept', 'public'), coderring_grant('kept', 'passer_by');
	SELECT count(coderring_get_code(r)) FROM unnest('{both,kept,dropped,reset}'::text[]) r, generate_series(1, 5);
	CREATE PUBLICATION everything FOR ALL TABLES});
my $own = $subscriber->safe_psql('postgres', q{SELECT id, incarnation, key FROM coderring.ring});
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION sub CONNECTION '$from{publisher}' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'sub');

is(rings($subscriber), "both\ndropped replicated\nkept replicated\nreset replicated", 'rings are copied, and marked');
is(rings($publisher), "both\ndropped\nkept\nreset", 'and are not at home');
is($subscriber->safe_psql('postgres', q{SELECT id, incarnation, key FROM coderring.ring WHERE name = 'both'}), $own, 'the one made on both sides is what it was');
is($subscriber->safe_psql('postgres', q{SELECT words FROM coderring.blocklist WHERE name = 'words'}), '{OWN}', 'and so is the list');
is($subscriber->safe_psql('postgres', q{SELECT words FROM coderring.blocklist WHERE name = 'theirs'}), '{BAD}', 'others come');
is($subscriber->safe_psql('postgres', q{SELECT owner, grantees FROM coderring.rings WHERE name = 'kept'}), 'owner|{public,seller}',
	'owner and grantees are found by name');
is($subscriber->safe_psql('postgres', q{SELECT owner IS NULL FROM coderring.rings WHERE name = 'reset'}), 't', 'an owner who is none here is none');

like(error_of($subscriber, q{SELECT coderring_get_code('kept')}), qr/55000: ring "kept" $refused/, 'what has come hands out nothing');
like(error_of($subscriber, q{SELECT coderring_advance('kept')}), qr/55000: ring "kept" $refused/, 'nor is it moved');
is($subscriber->safe_psql('postgres', 'SELECT coderring_start_rings()'), 4, 'rings are loaded');
my $code = $publisher->safe_psql('postgres', q{SELECT coderring_get_code('kept')});
is($subscriber->safe_psql('postgres', "SELECT base FROM coderring_decode('kept', '$code')"), $code, 'codes are decoded');
ok(takes($subscriber, 'both') && takes($publisher, 'both'), 'the one of both sides hands out on both');

#
# Rings of its own, at any time
#
$subscriber->safe_psql('postgres', q{SELECT coderring_create('own')});
ok(takes($subscriber, 'own'), 'the subscriber has a ring of its own');
$publisher->safe_psql('postgres', q{SELECT coderring_create('later', 2)});
follow();
$subscriber->safe_psql('postgres', q{SELECT coderring_create('own', if_not_exists => true), coderring_create('own2', 3, if_not_exists => true), coderring_create('taken', 3)});
ok(takes($subscriber, 'own2'), 'and another one');
$publisher->safe_psql('postgres', q{SELECT coderring_create('taken', 2), coderring_create('last', 2)});
follow();
ok(takes($subscriber, 'taken') && takes($publisher, 'taken'), 'a name that both have given is a ring of each');
is(rings($subscriber), join("\n", 'both', 'dropped replicated', 'kept replicated', 'last replicated', 'later replicated', 'own', 'own2', 'reset replicated', 'taken'),
	'each has its own');
like(slurp_file($subscriber->logfile), qr/LOG:  left out a change of ring "taken" that arrived by logical replication/, 'the log says so');

#
# Changes on the publisher, where somebody has given a table without a key a
# replica identity: what becomes of its rows is not found here, or left out
#
$publisher->safe_psql('postgres', 'ALTER TABLE coderring.series_state REPLICA IDENTITY FULL; ALTER TABLE coderring.skipped_positions REPLICA IDENTITY FULL');
my $session = new_session($subscriber);
$session->query(q{SELECT coderring_get_code('kept')});
like($session->{error}, $refused, 'a session');
$publisher->safe_psql('postgres', q{
	SELECT coderring_rename('kept', 'renamed'), coderring_drop('dropped'), coderring_reset('reset'), coderring_reset('both');
	SELECT coderring_revoke('renamed', 'seller'), coderring_revoke('renamed', 'passer_by'), coderring_change_owner('renamed', 'seller');
	SELECT coderring_define_blocklist('theirs', '{BAD,WORSE}')});
follow();
is(rings($subscriber), join("\n", 'both', 'last replicated', 'later replicated', 'own', 'own2', 'renamed replicated', 'reset replicated', 'taken'),
	'drop, rename and reset follow, and leave the marks');
unlike(slurp_file($subscriber->logfile), qr/ERROR:  cannot change "coderring/, 'a deletion of series does not stop the worker');
is($subscriber->safe_psql('postgres', q{SELECT owner, grantees FROM coderring.rings WHERE name = 'renamed'}), 'seller|{public}',
	'so do revoke and change of owner');
is($subscriber->safe_psql('postgres', q{SELECT words FROM coderring.blocklist WHERE name = 'theirs'}), '{BAD,WORSE}', 'and words');
$session->query(q{SELECT coderring_get_code('kept')});
like($session->{error}, qr/ring "kept" does not exist/, 'the session notices');
$session->query(q{SELECT coderring_get_code('renamed')});
like($session->{error}, $refused, 'and finds the new name');

# One of the subscriber's own stays what it is, used or not.
$publisher->safe_psql('postgres', q{SELECT coderring_define_blocklist('words', array_agg(a || b)) FROM regexp_split_to_table(coderring_alphabet('default'), '') a,
	regexp_split_to_table(coderring_alphabet('default'), '') b});
follow();
ok(takes($subscriber, 'both'), 'a list of the publisher\'s leaves the subscriber\'s rings alone');
is($subscriber->safe_psql('postgres', q{SELECT words, replicated FROM coderring.blocklist WHERE name IN ('words', 'theirs') ORDER BY name}), "{BAD,WORSE}|t\n{OWN}|f",
	'and its list of that name');
$subscriber->safe_psql('postgres', q{SELECT coderring_set_blocklist('both', NULL)});
$publisher->safe_psql('postgres', q{SELECT coderring_define_blocklist('words', NULL)});
follow();
is($subscriber->safe_psql('postgres', q{SELECT words FROM coderring.blocklist WHERE name = 'words'}), '{OWN}', 'also if nothing uses it');

# A list that a ring of the subscriber's uses stays.
$subscriber->safe_psql('postgres', q{SELECT coderring_set_blocklist('own', 'theirs')});
$publisher->safe_psql('postgres', q{SELECT coderring_set_blocklist('renamed', NULL), coderring_define_blocklist('theirs', NULL)});
follow();
ok(takes($subscriber, 'own'), 'a list that was dropped on the other side serves the rings that use it');
$subscriber->safe_psql('postgres', q{SELECT coderring_set_blocklist('own', NULL), coderring_define_blocklist('theirs', NULL)});

# Taken over: the mark goes, and nothing brings it back.
$subscriber->safe_psql('postgres', q{SELECT coderring_reset('renamed')});
$publisher->safe_psql('postgres', q{SELECT coderring_revoke('renamed', 'public'), coderring_grant('renamed', 'owner')});
follow();
is($subscriber->safe_psql('postgres', q{SELECT grantees FROM coderring.rings WHERE name = 'renamed'}), '{public}', 'and who may take codes is decided there');
like($session->query(q{SELECT coderring_get_code('renamed')}), qr/^..\z/, 'a reset makes it the subscriber\'s');
$publisher->safe_psql('postgres', q{SELECT coderring_set_blocklist('last', 'english'), coderring_change_owner('later', 'owner')});
follow();
like($session->query(q{SELECT coderring_get_code('renamed')}), qr/^..\z/, 'and it stays so');
my $mark = sub { $subscriber->safe_psql('postgres', q{SELECT replicated FROM coderring.ring WHERE name = 'renamed'}) };
is($mark->(), 'f', 'without a mark');
$publisher->safe_psql('postgres', q{SELECT coderring_reset('renamed')});
follow();
is($mark->(), 'f', 'also when the publisher gives it another key');
like($session->query(q{SELECT coderring_get_code('renamed')}), qr/^..\z/, 'a session goes on');
$session->quit;

# The two ends of a name that is given to another ring
$publisher->safe_psql('postgres', q{SELECT coderring_rename('later', 'own')});
follow();
is($subscriber->safe_psql('postgres', q{SELECT count(*) FROM coderring.ring WHERE name IN ('own', 'later')}), 2, 'a name that is taken is not given');
ok(takes($subscriber, 'own') && takes($publisher, 'own'), 'its rings go on');
$publisher->safe_psql('postgres', q{SELECT coderring_rename('own', 'later')});

#
# A database with a dump, and a subscription with the initial copy on top
#
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$publisher->safe_psql('postgres', 'CREATE PUBLICATION rings FOR TABLE coderring.ring, coderring.ring_grant, coderring.blocklist');
$publisher->command_ok([ 'pg_dump', '--no-publications', '-f', $dump, 'postgres' ], 'pg_dump of the publisher');
$subscriber->safe_psql('postgres', 'CREATE DATABASE restored');
$subscriber->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f', $dump ], 'restored');
my $restored = rings($subscriber, 'restored');
is($restored, rings($publisher), 'the rings of a dump have no mark');
$subscriber->safe_psql('restored', "CREATE SUBSCRIPTION sub_restored CONNECTION '$from{publisher}' PUBLICATION rings");
$subscriber->wait_for_subscription_sync($publisher, 'sub_restored', 'restored');
is(rings($subscriber, 'restored'), $restored, 'the initial copy leaves them as they are');
$publisher->safe_psql('postgres', q{SELECT coderring_create('after', 2), coderring_rename('taken', 'untaken')});
$publisher->wait_for_catchup('sub_restored');
like(rings($subscriber, 'restored'), qr/^after replicated\n.*^untaken\z/ms, 'what comes afterwards is new, or known by its id');
$publisher->safe_psql('postgres', q{SELECT coderring_rename('untaken', 'taken'), coderring_drop('after')});

# A dump of marked rings
$subscriber->command_ok([ 'pg_dump', '--no-publications', '--no-subscriptions', '-f', $dump, 'postgres' ], 'pg_dump of the subscriber');
$publisher->safe_psql('postgres', 'CREATE DATABASE copy');
$publisher->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', 'copy', '-f', $dump ], 'restored');
is(rings($publisher, 'copy'), rings($subscriber), 'keeps the marks');
like(error_of($publisher, q{SELECT coderring_get_code('later')}, 'copy'), $refused, 'which do what they did');
$subscriber->safe_psql('restored', 'DROP SUBSCRIPTION sub_restored');

#
# Both ways.  Before 16 everything that comes goes back: it is left out there.
#
my $filters = $publisher->pg_version >= 16;
$subscriber->safe_psql('postgres', 'CREATE PUBLICATION back FOR TABLE coderring.ring, coderring.ring_grant, coderring.blocklist' .
	($filters ? '' : q{ WITH (publish = 'insert')}));
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION sub SET (origin = none)') if $filters;
$publisher->safe_psql('postgres', "CREATE SUBSCRIPTION back CONNECTION '$from{subscriber}' PUBLICATION back" . ($filters ? ' WITH (origin = none)' : ''));
$publisher->wait_for_subscription_sync($subscriber, 'back');
$publisher->safe_psql('postgres', q{SELECT coderring_create('here', 2), coderring_create('mine')});
$subscriber->safe_psql('postgres', q{SELECT coderring_create('there', 2), coderring_create('ours'), coderring_grant('ours', 'seller')});
follow();
follow($subscriber, $publisher, 'back');
follow();
is(rings($publisher), join("\n", 'both', 'here', 'last', 'later', 'mine', 'ours replicated', 'own replicated', 'own2 replicated', 'renamed', 'reset', 'taken', 'there replicated'),
	'both ways: the rings of the other side come');
is(rings($subscriber), join("\n", 'both', 'here replicated', 'last replicated', 'later replicated', 'mine replicated', 'ours', 'own', 'own2', 'renamed',
		'reset replicated', 'taken', 'there'), 'and go');
ok(takes($publisher, 'here') && takes($publisher, 'both') && takes($subscriber, 'there') && takes($subscriber, 'both'), 'each hands out its own');
like(error_of($publisher, q{SELECT coderring_get_code('ours')}), $refused, 'and nothing of the other\'s');
like(error_of($subscriber, q{SELECT coderring_get_code('mine')}), $refused, 'either way');
is($publisher->safe_psql('postgres', q{SELECT grantees FROM coderring.rings WHERE name = 'ours'}), '{seller}', 'with grants');
if ($filters)
{
	$subscriber->safe_psql('postgres', q{SELECT coderring_reset('here'), coderring_rename('there', 'elsewhere'), coderring_drop('ours')});
	follow($subscriber, $publisher, 'back');
	like(rings($publisher), qr/^elsewhere replicated\n.*^here\n/ms, 'changes go both ways, and a reset makes it a ring of each');
	ok(takes($subscriber, 'here') && takes($publisher, 'here'), 'with keys of its own');
}

#
# Taken over by coderring_recover
#
{
	my $marked = q{SELECT replicated FROM coderring.ring WHERE name = 'last'};

	$subscriber->safe_psql('postgres', q{BEGIN; SELECT coderring_recover('last', cycles => 0, codes => 0); ROLLBACK});
	$publisher->safe_psql('postgres', q{SELECT coderring_grant('last', 'seller')});
	follow();
	is($subscriber->safe_psql('postgres', $marked), 't', 'a rollback leaves the mark');
	like(error_of($subscriber, q{SELECT coderring_get_code('last')}), $refused, 'and what it means');
	$subscriber->safe_psql('postgres', q{SELECT coderring_recover('last', cycles => 0, codes => 0)});
	is($subscriber->safe_psql('postgres', $marked), 'f', 'coderring_recover takes it away');
	ok(takes($subscriber, 'last'), 'and the ring hands out codes');
	$publisher->safe_psql('postgres', q{
		SELECT coderring_grant('last', 'public'), coderring_revoke('last', 'seller'), coderring_change_owner('last', 'seller'), coderring_set_blocklist('last', NULL)});
	follow();
	is($subscriber->safe_psql('postgres', $marked), 'f', 'also after changes on the other side');
	is($subscriber->safe_psql('postgres', q{SELECT owner = current_user, blocklist, grantees FROM coderring.rings WHERE name = 'last'}), 't||{seller}',
		'of which those of who may do what are left out');
	# What says which codes come, and how many, is decided here as well; a list that it cannot have holds up nothing else.
	my $definition = q{SELECT name, new_series_cycle, max_length, blocklist FROM coderring.ring WHERE name LIKE 'last%'};
	my $here = $subscriber->safe_psql('postgres', $definition);
	$subscriber->safe_psql('postgres', q{SELECT coderring_define_blocklist('pairs', array_agg(a || b)) FROM regexp_split_to_table(coderring_alphabet('default'), '') a,
		regexp_split_to_table(coderring_alphabet('default'), '') b});
	$publisher->safe_psql('postgres', q{SELECT coderring_define_blocklist('pairs', '{ACME}'), coderring_recover('last', 1000, 1), coderring_set_blocklist('last', 'pairs');
		UPDATE coderring.ring SET max_length = 2 WHERE name = 'last';
		SELECT coderring_rename('last', 'lasts')});
	follow();
	is($subscriber->safe_psql('postgres', $definition), $here =~ s/^last/lasts/r, 'a rename goes over, where new extras begin, max_length and a list that leaves nothing do not');
	like(slurp_file($subscriber->logfile), qr/LOG:  left out a change of the blocklist of ring "lasts?" that arrived by logical replication/, 'the log says so');
	$publisher->safe_psql('postgres', q{SELECT coderring_rename('lasts', 'last')});
	$publisher->safe_psql('postgres', q{SELECT coderring_drop('last')});
	follow();
	is($subscriber->safe_psql('postgres', q{SELECT grantees FROM coderring.rings WHERE name = 'last'}), '{seller}', 'a drop there leaves it, with its grants');
	ok(takes($subscriber, 'last'), 'and it goes on');
}

foreach my $node ($publisher, $subscriber)
{
	unlike(slurp_file($node->logfile), qr/\] ERROR: /, $node->name . ': no worker has met an error');
}
$publisher->safe_psql('postgres', 'DROP SUBSCRIPTION back');
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION sub');
$subscriber->stop;
$publisher->stop;
done_testing();
