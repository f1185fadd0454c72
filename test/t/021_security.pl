# What docs/security.md says: who can read keys and by which way, what statistics,
# logs, dumps, WAL and publications hold of them, how often a guess hits, what
# a test_seed gives away, what a role with few privileges can do to others, and
# what helps after a leak.
#
# Traps in search_path are 014_hostile.pl's, CREATE EXTENSION and dumps by roles
# that are not superuser 013_trusted.pl's.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use Markdown;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tempdir = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('main');

$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
wal_level = logical
log_statement = all
log_min_duration_statement = 0
log_parameter_max_length_on_error = -1
log_min_messages = debug1
log_error_verbosity = verbose
});
$node->start;
$node->safe_psql('postgres', $_) foreach split(/;/, <<'SQL');
CREATE ROLE installer LOGIN;
CREATE ROLE owner LOGIN;
CREATE ROLE of_owner LOGIN IN ROLE owner;
CREATE ROLE granted LOGIN;
CREATE ROLE of_granted LOGIN IN ROLE granted;
CREATE ROLE stranger LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
CREATE ROLE reader LOGIN IN ROLE pg_read_all_data;
CREATE DATABASE app OWNER installer
SQL
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# as(ROLE, SQL): what it prints, and the SQLSTATE of its first error.
sub as
{
	my ($role, $sql) = @_;
	my ($out, $err);

	$node->psql('app', $sql, stdout => \$out, stderr => \$err, extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	return ($out, $err =~ /(?:ERROR|FATAL):  (\w{5}):/ ? $1 : '', $err);
}

sub value { return (as(@_))[0] }
sub state_of { return (as(@_))[1] }

value('installer', 'CREATE EXTENSION coderring');
value('owner', q{SELECT coderring_create('order', 2), coderring_grant('order', 'granted')});
my @codes = split(/\n/, value('granted', q{SELECT coderring_get_codes('order', 100)}));
is(scalar(@codes), 100, 'a ring that is in use');
my $key = $node->safe_psql('app', q{SELECT encode(key, 'hex') FROM coderring.ring WHERE name = 'order'});
like($key, qr/^[0-9a-f]{64}\z/, 'and its key');

#
# Who may do what, by trying
#
my %ways = (
	'take codes' => q{SELECT coderring_get_code('order')},
	'decode' => qq{SELECT coderring_decode('order', '$codes[0]')},
	'see how far' => q{SELECT 1 / count(*) FROM coderring.series WHERE ring = 'order'},
	'change the ring' => q{SELECT coderring_grant('order', 'granted')},
	'read the key' => q{SELECT key FROM coderring.ring});
my @roles = (
	[ 'superuser' => $superuser ], [ 'owner of the ring' => 'owner' ], [ 'member of its owner' => 'of_owner' ],
	[ 'who it was granted to' => 'granted' ], [ 'member of those' => 'of_granted' ], [ 'everybody else' => 'stranger' ],
	[ 'member of `pg_monitor`' => 'watcher' ], [ 'member of `pg_read_all_data`' => 'reader' ],
	[ 'who ran `CREATE EXTENSION`' => 'installer' ]);
my %may;

foreach my $role (@roles)
{
	my ($name, $login) = @$role;

	foreach my $way (sort keys %ways)
	{
		my $state = state_of($login, $ways{$way});

		like($state, qr/^(42501|22012)?\z/, "$name: \"$way\" is done or refused");
		$may{$name}{$way} = $state eq '' ? 'yes' : 'no';
	}
}
is(join(' ', grep { $may{$_}{'read the key'} eq 'yes' } sort keys %may),
	'member of `pg_read_all_data` superuser who ran `CREATE EXTENSION`', 'who reads keys, and nobody else');

# The other ways to a key
foreach my $statement (
	'TABLE coderring.ring', 'COPY coderring.ring TO STDOUT', 'SELECT count(*) FROM coderring.ring WHERE key IS NULL',
	'SELECT r FROM coderring.ring r', 'SELECT * FROM coderring.ring FOR UPDATE', 'UPDATE coderring.ring SET key = key',
	'DELETE FROM coderring.ring RETURNING key', 'SELECT pg_get_expr(stxexprs, stxrelid) FROM pg_statistic_ext, pg_statistic, coderring.ring',
	q{CREATE TEMP TABLE own (LIKE coderring.ring); INSERT INTO own SELECT * FROM coderring.ring},
	q{SELECT query_to_xml('SELECT key FROM coderring.ring', true, true, '')},
	q{DECLARE c CURSOR WITH HOLD FOR SELECT key FROM coderring.ring},
	q{PREPARE p AS SELECT key FROM coderring.ring; EXECUTE p},
	q{CREATE TEMP VIEW v AS SELECT key FROM coderring.ring; TABLE v},
	q{SET ROLE installer}, 'SET SESSION AUTHORIZATION installer', 'TABLE pg_statistic',
	q{SELECT lo_import('/etc/passwd')}, q{SELECT pg_read_binary_file('base/1/1259')})
{
	like(state_of($_, $statement), qr/^42501\z/, "$_: not by $statement") foreach 'stranger', 'granted', 'owner';
}

# Statistics
$node->safe_psql('app', 'ANALYZE coderring.ring');
is($node->safe_psql('app', q{SELECT count(*) FROM pg_stats WHERE tablename = 'ring' AND attname = 'name'}), 1, 'ANALYZE looks at the table');
is($node->safe_psql('app', q{SELECT count(*) FROM pg_statistic s JOIN pg_attribute a ON attrelid = starelid AND attnum = staattnum
	WHERE starelid = 'coderring.ring'::regclass AND attname = 'key'}), 0, 'and keeps nothing of the keys');

# Functions
is($node->safe_psql('app', q{SELECT count(*) FILTER (WHERE prosecdef OR l.lanname <> 'c' OR proconfig IS NOT NULL), count(*) > 20
	FROM pg_proc p JOIN pg_language l ON l.oid = prolang JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		JOIN pg_extension e ON e.oid = d.refobjid WHERE extname = 'coderring'}), '0|t', 'no function has its owner\'s privileges, all are in C');

#
# A ring that somebody else has made before: the role that comes later is told.
#
is(state_of('stranger', q{SELECT coderring_create('voucher', 2)}), '', 'everybody may create rings');
like((as($superuser, q{SELECT coderring_create('voucher', 2, if_not_exists => true)}))[2],
	qr/WARNING:.*differs from what was asked for\nDETAIL:  In the ring that exists the owner is "stranger"\./, 'a superuser who finds it is told whose it is');
like((as('owner', q{SELECT coderring_create('voucher', 2, if_not_exists => true)}))[2], qr/the owner is "stranger"/, 'so are others');
unlike((as('stranger', q{SELECT coderring_create('voucher', 2, if_not_exists => true)}))[2], qr/WARNING/, 'its owner knows');
value($superuser, q{SELECT coderring_create('root', 2)});
unlike((as($superuser, q{SELECT coderring_create('root', 2, if_not_exists => true)}))[2], qr/WARNING/, 'as does a superuser of his own');

#
# A grant to whoever owns the database moves with it, at once.
#
value('owner', q{SELECT coderring_create('owned', 2), coderring_grant('owned', 'pg_database_owner')});
my $session = new_session($node, 'app', 'user=installer');
like($session->query(q{SELECT coderring_get_code('owned')}), qr/^\w\w\z/, 'the owner of the database takes codes');
$node->safe_psql('postgres', 'ALTER DATABASE app OWNER TO granted');
$session->query(q{SELECT coderring_get_code('owned')});
is($session->state, '42501', 'and not any more when it is another\'s');
like(value('granted', q{SELECT coderring_get_code('owned')}), qr/^\w\w\z/, 'who does');
$session->quit;

#
# Long arguments can be cancelled
#
value($superuser, q{CREATE SEQUENCE finished; CREATE TABLE book AS SELECT repeat('7', 100000) AS words, repeat('ä', 100000) AS others});
foreach my $column ('words', 'others')
{
	is(state_of($superuser, qq{SELECT pg_cancel_backend(pg_backend_pid()), coderring_is_valid(coderring_alphabet('digits'), $column || '7'), nextval('finished') FROM book}),
		'57014', "coderring_is_valid of a long text ($column) is cancelled");
	is(value($superuser, 'SELECT is_called FROM finished'), 'f', 'before it comes to its end');
}

$node->stop;
done_testing();
