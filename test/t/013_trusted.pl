# CREATE EXTENSION by a role that is not superuser: it installs, dumps and
# restores; nobody else reads the keys; and what becomes of a schema coderring
# that is there already.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
my $elsewhere = PostgreSQL::Test::Cluster->new('elsewhere');
my $tempdir = PostgreSQL::Test::Utils::tempdir();

foreach my $server ($node, $elsewhere)
{
	init_node($server);
	$server->start;
}

# as(ROLE, SERVER, DBNAME, SQL): what it prints, if nothing goes wrong.
sub as
{
	my ($role, $server, $dbname, $sql) = @_;

	return $server->safe_psql($dbname, $sql, extra_params => [ '-U', $role ]);
}

# The first error of a statement, "SQLSTATE: message", or an empty string.
sub error_of
{
	my ($role, $server, $dbname, $sql) = @_;
	my (undef, undef, $error) = $server->psql($dbname, $sql,
		extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);

	return $error =~ /ERROR:  (\w{5}: .*)/ ? $1 : '';
}

sub take
{
	my ($role, $server, $dbname, $ring, $count, $extra) = @_;

	return split(/\n/, as($role, $server, $dbname,
		"SELECT coderring_get_codes('$ring', $count, '@{[ $extra // '' ]}')"));
}

# Of two lists, what is in both.
sub common
{
	my ($some, $others) = @_;
	my %some = map { $_ => 1 } @$some;

	return grep { $some{$_} } @$others;
}

#
# Install
#
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE tenant LOGIN;
CREATE ROLE other_tenant LOGIN;
CREATE ROLE seller LOGIN;
CREATE ROLE leaver LOGIN;
CREATE ROLE stranger LOGIN;
CREATE ROLE auditor LOGIN IN ROLE pg_read_all_data;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
SQL
$node->safe_psql('postgres', 'CREATE DATABASE app OWNER tenant');
like(error_of('seller', $node, 'app', 'CREATE EXTENSION coderring'), qr/^42501/,
	'not without CREATE on the database');
as('tenant', $node, 'app', 'CREATE EXTENSION coderring; GRANT CREATE ON SCHEMA public TO seller');
is($node->safe_psql('app', q{SELECT extowner::regrole, rolsuper FROM pg_extension JOIN pg_roles r ON r.oid = extowner
	WHERE extname = 'coderring'}), 'tenant|f', 'installed by a role that is not superuser');

# Who may make rings and lists: who has installed it, and whom that role lets
my @making = (q{SELECT coderring_create('made')}, q{SELECT coderring_define_blocklist('made', '{MADE}')}, 'SELECT coderring_import()');
my $makers = q{SELECT r, count(*) FILTER (WHERE has_function_privilege(r, p.oid, 'EXECUTE')),
		count(*) FILTER (WHERE has_function_privilege(r, p.oid, 'EXECUTE WITH GRANT OPTION'))
	FROM unnest('{tenant,other_tenant,seller,leaver,stranger}'::text[]) r, pg_proc p
	WHERE proname IN ('coderring_create', 'coderring_define_blocklist', 'coderring_import') GROUP BY 1 ORDER BY 1};
foreach my $role (qw(seller stranger watcher auditor))
{
	like(error_of($role, $node, 'app', $_), qr/^42501: permission denied for function coderring_/, "$role: not $_") foreach @making;
}
is($node->safe_psql('app', $makers), join("\n", 'leaver|0|0', 'other_tenant|0|0', 'seller|0|0', 'stranger|0|0', 'tenant|3|3'),
	'only who has installed it may make rings, lists and imports, and hand that on');
as('tenant', $node, 'app', 'GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist TO seller, leaver');
like(error_of('seller', $node, 'app', 'GRANT EXECUTE ON FUNCTION coderring_create TO stranger') . error_of('stranger', $node, 'app', $making[0]),
	qr/^42501: permission denied for function coderring_create\z/, 'not whom it has let');
my $made_by = $node->safe_psql('app', $makers);
is($made_by, join("\n", 'leaver|2|0', 'other_tenant|0|0', 'seller|2|0', 'stranger|0|0', 'tenant|3|3'), 'whom it has let');

# Rings, filters, grants, several series, a cycle that was left early
as('tenant', $node, 'app', <<'SQL');
SELECT coderring_define_blocklist('pets', ARRAY['234', '789']);
SELECT coderring_create('order', 2), coderring_create('coupon', 3, 'pets', '23456789', check_character => true),
	coderring_create('open'), coderring_create('english', 2, 'english', first_cycle => 1),
	coderring_create('bumped', 1);
SELECT coderring_grant('order', 'seller'), coderring_grant('order', 'leaver'), coderring_grant('open', 'public');
CREATE TABLE booking (reference text PRIMARY KEY DEFAULT coderring_get_code('order', '26'));
INSERT INTO booking SELECT FROM generate_series(1, 50);
SQL
as('seller', $node, 'app', <<'SQL');
SELECT coderring_define_blocklist('sold', ARRAY['S4LE', 'E3']);
SELECT coderring_create('sale', 2, 'sold'), coderring_grant('sale', 'leaver');
SQL
as('leaver', $node, 'app', q{SELECT coderring_define_blocklist('left', ARRAY['LEFT'])});
as('tenant', $node, 'app', 'REVOKE EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist FROM leaver');
$made_by = $node->safe_psql('app', $makers);
is($made_by, join("\n", 'leaver|0|0', 'other_tenant|0|0', 'seller|2|0', 'stranger|0|0', 'tenant|3|3'), 'and from whom it takes it back');

my %before = (
	order => [ take('tenant', $node, 'app', 'order', 100), take('seller', $node, 'app', 'order', 1100),
		take('leaver', $node, 'app', 'order', 30, 'X'), split(/\n/, as('tenant', $node, 'app', 'TABLE booking')) ],
	coupon => [ take('tenant', $node, 'app', 'coupon', 200) ],
	open => [ take('stranger', $node, 'app', 'open', 10), as('stranger', $node, 'app', q{SELECT coderring_get_code('open', bump => true)}) ],
	english => [ take('tenant', $node, 'app', 'english', 500) ],
	sale => [ take('seller', $node, 'app', 'sale', 100) ],
	bumped => [ take('tenant', $node, 'app', 'bumped', 5), as('tenant', $node, 'app', q{SELECT coderring_get_code('bumped', '', true)}) ]);
like(error_of('stranger', $node, 'app', q{SELECT coderring_get_code('order')}), qr/^42501/,
	'a role that nothing was granted to gets no code');
cmp_ok($node->safe_psql('app', 'SELECT count(*) FROM coderring.skipped_positions'), '>', 0,
	'there are skipped positions to dump');

#
# Who may do what to the extension's relations
#
my $privileges = q{
	SELECT c.relname, p
	FROM pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER,USAGE}'::text[]) WITH ORDINALITY u (p, n)
	WHERE relnamespace = 'coderring'::regnamespace AND relkind IN ('r', 'v', 'S') AND CASE relkind
		WHEN 'S' THEN p IN ('SELECT', 'UPDATE', 'USAGE') AND has_sequence_privilege(current_user, c.oid, p)
		ELSE p <> 'USAGE' AND (has_table_privilege(current_user, c.oid, p) OR
			p IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(current_user, c.oid, p)) END
	ORDER BY relname COLLATE "C", n};
my $for_all = join("\n", map { "$_|SELECT" } qw(blocklist rings series stats));
my @secret = qw(ring ring_grant series_state skipped_positions);

is(as($_, $node, 'app', $privileges), $for_all, "$_: may read the views and the lists of words, and nothing else")
  foreach qw(stranger seller leaver watcher);
is(as('tenant', $node, 'app', $privileges), join("\n",
		'blocklist|SELECT', 'blocklist|INSERT', 'ring|SELECT', 'ring|INSERT', 'ring_grant|SELECT', 'ring_grant|INSERT',
		'rings|SELECT', 'series|SELECT',
		'series_state|SELECT', 'series_state|INSERT', 'skipped_positions|SELECT', 'skipped_positions|INSERT', 'stats|SELECT'),
	'tenant: may read and add what is dumped');
is(as('auditor', $node, 'app', $privileges), join("\n",
		'blocklist|SELECT', 'guard|SELECT', 'ring|SELECT', 'ring_grant|SELECT', 'rings|SELECT',
		'series|SELECT', 'series_state|SELECT', 'skipped_positions|SELECT', 'stats|SELECT'),
	'pg_read_all_data: may read all');

foreach my $table (@secret)
{
	foreach my $role (qw(stranger seller watcher))
	{
		like(error_of($role, $node, 'app', "SELECT count(*) FROM coderring.$table"), qr/^42501: permission denied for /,
			"$role: cannot read $table");
	}
	like(as('auditor', $node, 'app', "SELECT count(*) > 0 FROM coderring.$table"), qr/^t\z/,
		"pg_read_all_data: reads $table");
}
is(as('auditor', $node, 'app', 'SELECT DISTINCT length(key) FROM coderring.ring'), 32, 'pg_read_all_data: and the keys');
like(error_of('stranger', $node, 'app', 'COPY coderring.ring (key) TO STDOUT'), qr/^42501/, 'nor by COPY');
$node->safe_psql('app', 'CREATE SCHEMA strange AUTHORIZATION stranger');
as('stranger', $node, 'app', 'CREATE VIEW strange.keys AS SELECT key FROM coderring.ring');
like(error_of('stranger', $node, 'app', 'TABLE strange.keys'), qr/^42501/, 'nor by a view');
like(error_of('tenant', $node, 'app', 'TABLE strange.keys'), qr/^42501/, 'even where its reader may see the keys');
$node->safe_psql('app', 'DROP SCHEMA strange CASCADE');
is(as('tenant', $node, 'app', q{SELECT bool_or(has_table_privilege('coderring.' || t, 'SELECT WITH GRANT OPTION'))
	FROM unnest('{ring,ring_grant,blocklist,series_state,skipped_positions}'::text[]) t}), 'f',
	'tenant: cannot hand on what it may');
like(error_of('tenant', $node, 'app', $_), qr/^(42501|55000)/, "tenant: not $_")
  foreach (q{UPDATE coderring.ring SET key = ''}, 'DELETE FROM coderring.ring', 'TRUNCATE coderring.ring',
	'DELETE FROM coderring.series_state', 'DROP TABLE coderring.ring CASCADE', 'ALTER TABLE coderring.ring DISABLE TRIGGER ALL',
	'DROP SCHEMA coderring CASCADE', 'CREATE TABLE coderring.mine ()', 'ALTER FUNCTION coderring_drop SECURITY DEFINER');
is(as('watcher', $node, 'app', 'SELECT count(*) FROM coderring.rings'), 6, 'pg_monitor: sees all rings');
is(as('stranger', $node, 'app', 'SELECT name FROM coderring.rings'), 'open', 'others: those that they may use');

# What every new object of the script's owner is granted to, by default
$node->safe_psql('postgres', 'CREATE DATABASE defaults OWNER tenant');
my $superuser = $node->safe_psql('defaults', 'SELECT current_user');
$node->safe_psql('defaults', qq{
	ALTER DEFAULT PRIVILEGES FOR ROLE "$superuser" GRANT ALL ON TABLES TO stranger;
	ALTER DEFAULT PRIVILEGES FOR ROLE "$superuser" GRANT ALL ON SEQUENCES TO stranger;
	ALTER DEFAULT PRIVILEGES FOR ROLE "$superuser" GRANT ALL ON SCHEMAS TO stranger;
	ALTER DEFAULT PRIVILEGES FOR ROLE "$superuser" GRANT EXECUTE ON FUNCTIONS TO stranger, leaver WITH GRANT OPTION;
	ALTER DEFAULT PRIVILEGES FOR ROLE "$superuser" GRANT SELECT ON TABLES TO PUBLIC});
as('tenant', $node, 'defaults', 'CREATE EXTENSION coderring');
is(as('seller', $node, 'defaults', $privileges), $for_all, 'default privileges of everyone: not for the keys');
unlike(as('stranger', $node, 'defaults', $privileges), qr/^(@{[ join('|', @secret) ]})\|/m,
	'default privileges of a role: not for the keys, nor for any table that decides');
is(as('stranger', $node, 'defaults', q{SELECT has_schema_privilege('coderring', 'CREATE')}), 'f', 'nor for the schema');
is($node->safe_psql('defaults', $makers), join("\n", 'leaver|0|0', 'other_tenant|0|0', 'seller|0|0', 'stranger|0|0', 'tenant|3|3'),
	'nor for who may make rings');

#
# Dump and restore
#
my $ring_columns = 'name, base_length, alphabet, blocklist, check_character, max_length, first_cycle';
my $rings = "SELECT $ring_columns, owner, grantees FROM coderring.rings ORDER BY name";
my $series = 'SELECT ring, extra, reserved_to, codes_per_cycle FROM coderring.series ORDER BY 1, 2';
my $skipped = 'TABLE coderring.skipped_positions ORDER BY 1, 2, 4';
my $lists = 'SELECT name, owner_name, words FROM coderring.blocklist WHERE NOT builtin ORDER BY 1';

# restored(TITLE, SERVER, DBNAME, ROLE, GRANTEES...): what must be true of every
# copy, and who may take codes of "order" in it beside ROLE.
sub restored
{
	my ($title, $server, $dbname, $role, @grantees) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($server->safe_psql($dbname, "SELECT $ring_columns FROM coderring.rings ORDER BY name"),
		$node->safe_psql('app', "SELECT $ring_columns FROM coderring.rings ORDER BY name"), "$title: the rings");
	is($server->safe_psql($dbname, $series), $node->safe_psql('app', $series), "$title: how far they have come");
	is($server->safe_psql($dbname, $skipped), $node->safe_psql('app', $skipped), "$title: what they have skipped");
	is($server->safe_psql($dbname, q{SELECT count(*) FROM unnest(regexp_split_to_array('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', '')) c
		WHERE coderring_issued('bumped', c)}), 5, "$title: so what a bump has left was not issued");
	is($server->safe_psql($dbname, $lists), $node->safe_psql('app', $lists), "$title: the lists of words");
	is($server->safe_psql($dbname, 'SELECT count(*) FROM coderring.blocklist WHERE builtin'), 3,
		"$title: the built-in ones once");
	foreach my $ring (sort keys %before)
	{
		my $codes = join(',', map { "'$_'" } @{ $before{$ring} });
		is($server->safe_psql($dbname, "SELECT count(*) FROM unnest(ARRAY[$codes]) c WHERE NOT coderring_issued('$ring', c)"),
			0, "$title, $ring: knows what was handed out before");
	}
	my @order = map { (take($_, $server, $dbname, 'order', 250), take($_, $server, $dbname, 'order', 20, 'X'),
			take($_, $server, $dbname, 'order', 20, '26'), take($_, $server, $dbname, 'order', 5, 'new')) } $role, @grantees;
	is(scalar(@order), 295 * (1 + @grantees), "$title: order hands out codes to $role @grantees");
	is(scalar(duplicates(@{ $before{order} }, @order)), 0, "$title, order: no code twice");
	foreach my $ring (qw(coupon open english))
	{
		my @codes = take($ring eq 'open' ? 'stranger' : $role, $server, $dbname, $ring, 700);

		is(scalar(@codes), 700, "$title, $ring: goes on");
		is(scalar(duplicates(@{ $before{$ring} }, @codes)), 0, "$title, $ring: no code twice");
		is(scalar(grep { /234|78[69]/ } @codes), 0, "$title, $ring: filtered") if $ring eq 'coupon';
	}
	like(error_of('stranger', $server, $dbname, q{SELECT coderring_get_code('order')}), qr/^42501/,
		"$title: who may not take codes");
	like(error_of('stranger', $server, $dbname, 'SELECT key FROM coderring.ring'), qr/^42501/, "$title: nor read keys");
	is(as($role, $server, $dbname, q{SELECT coderring_create('brand new'); SELECT length(coderring_get_code('brand new'))}),
		"\n4", "$title: $role creates rings");
	as($role, $server, $dbname, q{SELECT coderring_drop('brand new')});
	return;
}

# load(FILE, SERVER, DBNAME, ROLE): what psql complained of.
sub load
{
	my ($file, $server, $dbname, $role) = @_;
	my $errors = '';

	$server->safe_psql('postgres', "CREATE DATABASE $dbname OWNER $role");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $server->connstr($dbname), '-U', $role, '-f', $file ],
			'<', '/dev/null', '>', '/dev/null', '2>', \$errors), "$dbname: loads as $role") or diag($errors);
	return $errors;
}

foreach my $options ([], [ '--no-owner', '--no-privileges' ])
{
	$node->command_ok([ 'pg_dump', '-U', 'tenant', @$options, '-f', "$tempdir/dump" . @$options . '.sql', 'app' ],
		"pg_dump @$options as tenant");
}
command_fails_like([ 'pg_dump', '-f', "$tempdir/none.sql", $node->connstr('app') . ' user=seller' ], qr/permission denied for/,
	'pg_dump as somebody else is refused, not without the rings');

# On the same server
unlike(load("$tempdir/dump0.sql", $node, 'again', 'tenant'), qr/WARNING/, 'nobody is missing');
restored('same server', $node, 'again', 'tenant', 'seller', 'leaver');
is($node->safe_psql('again', $rings), $node->safe_psql('app', $rings), 'same server: owners and grants');
is($node->safe_psql('again', $makers), $made_by, 'same server: who may make rings');
is(as('seller', $node, 'again', q{SELECT coderring_create('brand new'); SELECT coderring_drop('brand new')}), "\n", 'and they do');

# As another role, which gets the rings only by what was granted
$node->safe_psql('app', q{SELECT coderring_grant(r, 'other_tenant') FROM unnest('{order,coupon,english}'::text[]) r});
$node->command_ok([ 'pg_dump', '-U', 'tenant', '--no-owner', '--no-privileges', '-f', "$tempdir/granted.sql", 'app' ],
	'pg_dump once more');
unlike(load("$tempdir/granted.sql", $node, 'others', 'other_tenant'), qr/WARNING/, 'nobody is missing');
restored('another role', $node, 'others', 'other_tenant', 'tenant', 'seller', 'leaver');
is($node->safe_psql('others', $rings), $node->safe_psql('app', $rings), 'another role: owners and grants');
like(error_of('other_tenant', $node, 'others', q{SELECT coderring_drop('order')}), qr/^42501/,
	'another role: does not own what others did');
like(error_of('tenant', $node, 'others', 'SELECT key FROM coderring.ring'), qr/^42501/,
	'another role: and the keys are its own');

# On another server, with other OIDs, where a grantee and owner is missing
$elsewhere->safe_psql('postgres', $_) foreach ('CREATE ROLE filler', 'CREATE ROLE seller LOGIN', 'CREATE ROLE tenant LOGIN',
	'CREATE ROLE host LOGIN', 'CREATE ROLE stranger LOGIN');
my $warnings = load("$tempdir/dump0.sql", $elsewhere, 'app', 'tenant');
is(scalar(() = $warnings =~ /WARNING:  role "leaver" of a ring does not exist/g), 2,
	'other server: who is missing is named for each grant');
is(scalar(() = $warnings =~ /WARNING:  role "leaver" of a blocklist does not exist/g), 1, 'other server: and as owner of a list');
restored('other server', $elsewhere, 'app', 'tenant', 'seller');
is($elsewhere->safe_psql('app', q{SELECT name, owner, grantees FROM coderring.rings ORDER BY name}), join("\n",
		'bumped|tenant|{}', 'coupon|tenant|{}', 'english|tenant|{}', 'open|tenant|{public}', 'order|tenant|{seller}', 'sale|seller|{}'),
	'other server: owners and grants, without who is missing');
$elsewhere->safe_psql('postgres', 'CREATE ROLE leaver LOGIN');
like(error_of('leaver', $elsewhere, 'app', q{SELECT coderring_get_code('order')}), qr/^42501/,
	'other server: a role of that name that comes later has nothing');
like(error_of('leaver', $elsewhere, 'app', q{SELECT coderring_define_blocklist('left', '{}')}), qr/^42501/,
	'other server: nor the list');
my @sale = take('seller', $elsewhere, 'app', 'sale', 300);
is(scalar(duplicates(@{ $before{sale} }, @sale)), 0, 'other server: the ring of another owner goes on');

# Another owner there, and the old one missing: superusers give the rings away.
$elsewhere->safe_psql('postgres', 'DROP DATABASE app');
$elsewhere->safe_psql('postgres', 'DROP ROLE tenant');
$warnings = load("$tempdir/dump2.sql", $elsewhere, 'hosted', 'host');
is(scalar(() = $warnings =~ /WARNING:  role "tenant" of a ring does not exist/g), 5, 'other owner: is missing as owner');
is(take('seller', $elsewhere, 'hosted', 'order', 3), 3, 'other owner: grants hold all the same');
like(error_of('host', $elsewhere, 'hosted', q{SELECT coderring_get_code('order')}), qr/^42501/,
	'other owner: the rings are nobody\'s');
$elsewhere->safe_psql('hosted', q{SELECT coderring_change_owner(name, 'host') FROM coderring.rings WHERE owner IS NULL});
my @hosted = take('host', $elsewhere, 'hosted', 'order', 500);
is(scalar(duplicates(@{ $before{order} }, @hosted)), 0, 'other owner: given away, they go on');

# In an archive, restored by jobs
$node->command_ok([ 'pg_dump', '-U', 'tenant', '-Fc', '-f', "$tempdir/archive", 'app' ], 'pg_dump -Fc as tenant');
$node->safe_psql('postgres', 'CREATE DATABASE unpacked OWNER tenant');
$node->command_ok([ 'pg_restore', '-e', '-j2', '-U', 'tenant', '-d', $node->connstr('unpacked'), "$tempdir/archive" ],
	'pg_restore as tenant');
restored('pg_restore', $node, 'unpacked', 'tenant', 'seller', 'leaver', 'other_tenant');
is($node->safe_psql('unpacked', $makers), $made_by, 'pg_restore: who may make rings');

# Where a superuser has run CREATE EXTENSION, the owner of the database dumps it,
# and restores that to a database of its own.
$node->safe_psql('postgres', 'CREATE DATABASE made OWNER tenant');
$node->safe_psql('made', q{CREATE EXTENSION coderring; GRANT EXECUTE ON FUNCTION coderring_create TO seller;
	SELECT coderring_create('order'), coderring_get_code('order'), coderring_define_blocklist('w', '{ABC}'), coderring_grant('order', 'seller')});
like(error_of('tenant', $node, 'made', q{SELECT coderring_create('mine')}), qr/^42501: permission denied for function coderring_create/,
	'the owner of the database: makes no rings');
like(error_of('tenant', $node, 'made', "INSERT INTO coderring.$_ SELECT * FROM coderring.$_"), qr/^42501/, "nor rows of $_") foreach @secret, 'blocklist';
$node->command_ok([ 'pg_dump', '-U', 'tenant', '-f', "$tempdir/made.sql", 'made' ], 'but dumps it');
load("$tempdir/made.sql", $node, 'made_again', 'tenant');
is($node->safe_psql('made_again', $_), $node->safe_psql('made', $_), "and has all: $_")
  foreach 'TABLE coderring.ring', $rings, $series, $lists, 
  q{SELECT has_function_privilege('seller', oid, 'EXECUTE') FROM pg_proc WHERE proname = 'coderring_create'};
like(error_of('seller', $node, 'made', 'SELECT key FROM coderring.ring'), qr/^42501/, 'others do not read it');

#
# A schema coderring that is there already
#
my $databases = 0;

sub fresh
{
	my $dbname = 'fresh' . ++$databases;

	$node->safe_psql('postgres', "CREATE DATABASE $dbname OWNER tenant");
	return $dbname;
}

my $schema = qq{SELECT nspowner = 10, (SELECT string_agg(coalesce(nullif(grantee, 0)::regrole::text, 'public') || '=' || privilege_type, ' ')
		FROM aclexplode(nspacl) WHERE grantee <> nspowner), obj_description(oid, 'pg_namespace') = 'tables and views of the extension coderring'
	FROM pg_namespace WHERE nspname = 'coderring'};

foreach my $owner (qw(tenant stranger), $superuser)
{
	foreach my $installer ('tenant', $superuser)
	{
		my $dbname = fresh();

		$node->safe_psql($dbname, qq{
			CREATE SCHEMA coderring AUTHORIZATION "$owner";
			GRANT ALL ON SCHEMA coderring TO PUBLIC, stranger;
			COMMENT ON SCHEMA coderring IS 'of somebody else';
			ALTER DEFAULT PRIVILEGES FOR ROLE "$superuser" IN SCHEMA coderring GRANT ALL ON TABLES TO stranger});
		# 14 has no such publications
		$node->safe_psql($dbname, 'CREATE PUBLICATION published FOR TABLES IN SCHEMA coderring')
		  if $node->safe_psql($dbname, 'SHOW server_version_num') >= 150000;
		as($installer, $node, $dbname, 'SET client_min_messages = error; CREATE EXTENSION coderring');
		is($node->safe_psql($dbname, $schema), 't|public=USAGE|t', "empty schema of $owner, taken over by $installer");
		is(as('stranger', $node, $dbname, $privileges), $for_all, 'nothing is left of its grants');
		is($node->safe_psql($dbname, q{SELECT (SELECT count(*) FROM pg_default_acl WHERE defaclnamespace <> 0), (SELECT count(*) FROM pg_publication_tables)}),
			'0|0', 'nor of what was said of it');
		like(error_of($owner, $node, $dbname, 'CREATE TABLE coderring.mine ()'), qr/^42501/, 'nor has its owner a say')
		  if $owner ne $superuser;
		is(as($installer, $node, $dbname, q{SELECT coderring_create('r'); SELECT length(coderring_get_code('r'))}), "\n4", 'and it works');
		as($installer, $node, $dbname, 'DROP EXTENSION coderring');
		is($node->safe_psql($dbname, $schema), '', 'the schema goes with the extension');
	}
}

# Not what holds anything
my $kept = fresh();
my %made = (
	'table coderring.thing' => 'CREATE TABLE coderring.thing ()',
	'table coderring.ring' => 'CREATE TABLE coderring.ring (key bytea)',
	'view coderring.thing' => 'CREATE VIEW coderring.thing AS SELECT 1',
	'materialized view coderring.thing' => 'CREATE MATERIALIZED VIEW coderring.thing AS SELECT 1',
	'sequence coderring.thing' => 'CREATE SEQUENCE coderring.thing',
	'type coderring.thing' => q{CREATE TYPE coderring.thing AS ENUM ('a')},
	'domain coderring.thing' => 'CREATE DOMAIN coderring.thing AS text',
	'function coderring.admit_row()' => q{CREATE FUNCTION coderring.admit_row() RETURNS int LANGUAGE sql AS 'SELECT 1'},
	'aggregate coderring.thing(int)' => 'CREATE AGGREGATE coderring.thing(int) (SFUNC = int4pl, STYPE = int)',
	'operator coderring.===(text,text)' => 'CREATE OPERATOR coderring.=== (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)',
	'operator family coderring.thing USING btree' => 'CREATE OPERATOR FAMILY coderring.thing USING btree',
	'collation coderring.thing' => 'CREATE COLLATION coderring.thing FROM "C"',
	'conversion coderring.thing' => q{CREATE CONVERSION coderring.thing FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8},
	'text search dictionary coderring.thing' => 'CREATE TEXT SEARCH DICTIONARY coderring.thing (TEMPLATE = simple)',
	'text search configuration coderring.thing' => 'CREATE TEXT SEARCH CONFIGURATION coderring.thing (COPY = simple)',
	'statistics coderring.thing' => 'CREATE STATISTICS coderring.thing ON a, b FROM described');

$node->safe_psql($kept, 'CREATE SCHEMA coderring; CREATE TABLE described (a int, b int)');
foreach my $object (sort keys %made)
{
	$node->safe_psql($kept, $made{$object});
	is(error_of($_, $node, $kept, 'CREATE EXTENSION coderring'), '42P06: schema "coderring" exists and is not empty',
		"schema with $object: an error for $_")
	  foreach 'tenant', $superuser;
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($kept), '-c', "DROP $object" ],
		'and all is as it was');
}
is($node->safe_psql($kept, q{SELECT count(*) FROM pg_proc WHERE proname ^@ 'coderring'}), 0, 'nothing of the extension is left by that');

# One that belongs to another extension is not ours to drop.
$node->safe_psql($kept, 'ALTER EXTENSION plpgsql ADD SCHEMA coderring');
like(error_of('tenant', $node, $kept, 'CREATE EXTENSION coderring'), qr/^42P06: schema "coderring" exists/,
	'empty schema of another extension: an error');
$node->safe_psql($kept, 'ALTER EXTENSION plpgsql DROP SCHEMA coderring');
as('tenant', $node, $kept, 'CREATE EXTENSION coderring');

# Only the owner of the extension can drop it.
like(error_of('stranger', $node, $kept, 'DROP EXTENSION coderring'), qr/^42501/, 'others cannot drop the extension');
as('tenant', $node, $kept, 'DROP EXTENSION coderring');

$_->stop foreach $node, $elsewhere;
done_testing();
