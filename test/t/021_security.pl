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

init_node($node, allows_streaming => 1);
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
CREATE ROLE host LOGIN;
CREATE ROLE backup LOGIN;
CREATE ROLE owner LOGIN;
CREATE ROLE of_owner LOGIN IN ROLE owner;
CREATE ROLE granted LOGIN;
CREATE ROLE of_granted LOGIN IN ROLE granted;
CREATE ROLE stranger LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
CREATE ROLE reader LOGIN IN ROLE pg_read_all_data;
CREATE DATABASE app OWNER host;
GRANT CREATE ON DATABASE app TO installer
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
foreach my $statement (q{SELECT coderring_create('mine')}, q{SELECT coderring_define_blocklist('mine', '{ABC}')}, 'SELECT coderring_import()')
{
	is(state_of($_, $statement), '42501', "$_: not $statement") foreach 'owner', 'stranger', 'watcher', 'reader';
}
value('installer', 'GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist TO owner, stranger');
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
	[ 'role it was granted to' => 'granted' ], [ 'member of that role' => 'of_granted' ], [ 'everybody else' => 'stranger' ],
	[ 'member of `pg_monitor`' => 'watcher' ], [ 'member of `pg_read_all_data`' => 'reader' ],
	[ 'role that ran `CREATE EXTENSION`' => 'installer' ], [ 'owner of the database' => 'host' ]);
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
	'member of `pg_read_all_data` owner of the database role that ran `CREATE EXTENSION` superuser', 'who reads keys, and nobody else');

my $issued = value('owner', q{SELECT cycle_offset FROM coderring.series WHERE ring = 'order'});
cmp_ok($issued, '>', 100, 'some codes are out');

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

# The order to come is nobody's but the key's: of a code that is not out, not even its owner is told the place.
my $texts = q{(SELECT a || b AS code FROM regexp_split_to_table(coderring_alphabet('default'), '') a, regexp_split_to_table(coderring_alphabet('default'), '') b) t};
foreach my $role ('granted', 'of_granted', 'owner', $superuser)
{
	is(value($role, "SELECT count(*), count(cycle_offset), count(*) FILTER (WHERE issued), count(*) FILTER (WHERE issued = (cycle_offset IS NULL))
		FROM $texts, coderring_decode('order', code)"), "1024|$issued|$issued|0", "$role: decodes the places of codes that are out");
}

#
# A ring that somebody else has made before: the role that comes later is told.
#
is(state_of('stranger', q{SELECT coderring_create('voucher', 2)}), '', 'a role that may create rings');
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
my $session = new_session($node, 'app', 'user=host');
like($session->query(q{SELECT coderring_get_code('owned')}), qr/^\w\w\z/, 'the owner of the database takes codes');
$node->safe_psql('postgres', 'ALTER DATABASE app OWNER TO granted');
$session->query(q{SELECT coderring_get_code('owned')});
is($session->state, '42501', 'and not any more when it is another\'s');
like(value('granted', q{SELECT coderring_get_code('owned')}), qr/^\w\w\z/, 'who does');
is(state_of('host', $ways{'read the key'}) . state_of('granted', $ways{'read the key'}), '42501', 'the same with what it may read, to dump the database');
is(state_of('granted', $_), '42501', "but not: $_")
  foreach 'INSERT INTO coderring.ring SELECT * FROM coderring.ring', 'DELETE FROM coderring.ring', q{SELECT coderring_create('mine')};
$node->safe_psql('postgres', 'ALTER DATABASE app OWNER TO host');
is(state_of('granted', $ways{'read the key'}), '42501', 'and gone with the database');
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

#
# What a dump, WAL, a publication and the log have
#
my $dump = "$tempdir/dump.sql";

value($superuser, 'DROP TABLE book; DROP SEQUENCE finished');	# which the installer could not dump
$node->command_ok([ 'pg_dump', '-U', 'installer', '-f', $dump, 'app' ], 'a dump by who ran CREATE EXTENSION');
like(slurp_file($dump), qr/$key/, 'has the key');
$node->command_fails([ 'pg_dump', '-U', 'owner', '-f', $dump, 'app' ], 'the owner of a ring cannot dump it');
$node->command_ok([ 'pg_dump', '-U', 'host', '-f', $dump, 'app' ], 'a dump by the owner of the database');
like(slurp_file($dump), qr/$key/, 'has the key');

# A role for backups, as docs/troubleshooting.md says
foreach my $grant ('GRANT SELECT ON ALL TABLES IN SCHEMA coderring TO backup', 'GRANT pg_read_all_data TO backup')
{
	like(slurp_file("$FindBin::RealBin/../../docs/troubleshooting.md"), qr/`\Q$grant\E`/, "the page has: $grant");
	$node->command_fails([ 'pg_dump', '-U', 'backup', '-f', $dump, 'app' ], 'without it no dump');
	value($superuser, $grant);
	$node->command_ok([ 'pg_dump', '-U', 'backup', '-f', $dump, 'app' ], 'with it there is one');
	like(slurp_file($dump), qr/$key/, 'with the rings');
	value($superuser, $grant =~ s/GRANT (.*) TO/REVOKE $1 FROM/r);
}

# holds(KEY, FILES...): is the key, 32 bytes, in one of them?
sub holds
{
	my ($hex, @files) = @_;
	my $bytes = pack('H*', $hex);

	return scalar(grep { index(slurp_file($_), $bytes) >= 0 } @files) > 0;
}

my $directory = $node->data_dir;
$node->safe_psql('app', 'CHECKPOINT');
my $relation = $node->safe_psql('app', q{SELECT pg_relation_filepath('coderring.ring')});
ok(holds($key, "$directory/$relation"), 'the data directory has it, and with it base backups and standbys');
ok(holds($key, grep { -f } glob("$directory/pg_wal/*")), 'so has WAL');
$node->safe_psql('app', 'CREATE PUBLICATION everything FOR ALL TABLES');
is($node->safe_psql('app', q{SELECT count(*) FROM pg_publication_tables WHERE schemaname = 'coderring' AND tablename = 'ring'}), 1,
	'a publication of all tables has it');
$node->safe_psql('app', 'DROP PUBLICATION everything');
value('owner', q{SELECT coderring_create('second', 5); SELECT coderring_reset('second', test_seed => 'in the log')});
my @hidden = split(/\n/, value('owner', q{SELECT coderring_get_codes('second', 50); SELECT coderring_get_code('second')}));
my $second = $node->safe_psql('app', q{SELECT encode(key, 'hex') FROM coderring.ring WHERE name = 'second'});
is(scalar(@hidden), 51, 'codes of another ring');
state_of('owner', qq{SELECT coderring_create('second', 5)});

# Errors that show rows: of a COPY (a dump that is loaded twice, the initial copy
# of a subscription), of constraints
my $rows = "$tempdir/rows";
my @columns = split(/,/, $node->safe_psql('app', q{SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'coderring.ring'::regclass AND attnum > 0}));
is($columns[-1], 'key', 'the key is behind all else');
my ($shown, $refused) = ('', 0);
foreach my $format ('text', 'csv', 'binary')
{
	value($superuser, "COPY (SELECT * FROM coderring.ring WHERE name = 'order') TO '$rows' (FORMAT $format)");
	my (undef, $state, $error) = as($superuser, "COPY coderring.ring FROM '$rows' (FORMAT $format)");

	is($state, '23505', "a ring is copied twice, as $format");
	$shown .= $error;
}
my %wrong = (id => 'NULL', name => q{''}, base_length => '13', first_cycle => '-1', new_series_cycle => '-1', max_length => '0', alphabet => q{'A'},
	blocklist => q{''}, no_extra => q{''}, check_character => 'NULL', replicated => 'NULL', timeline => 'NULL', key => 'key || key');
foreach my $column (sort keys %wrong)
{
	my $values = join(',', map { $_ eq $column ? $wrong{$_} : $_ eq 'id' || $_ eq 'incarnation' ? 'gen_random_uuid()' : $_ eq 'name' ? q{'wrong'} : $_ } @columns);

	foreach my $statement ("INSERT INTO coderring.ring SELECT $values FROM coderring.ring WHERE name = 'order'",
		"UPDATE coderring.ring SET $column = $wrong{$column} WHERE name = 'order'")
	{
		my (undef, $state, $error) = as($superuser, $statement);

		$refused++ if $state =~ /^(23502|23514|55000)\z/;
		diag("$statement: $error") if $state !~ /^(23502|23514|55000)\z/;
		$shown .= $error;
	}
}
is($refused, 2 * keys %wrong, 'rows that are not possible are refused');
# The least there can be before the key
value($superuser, q{COPY (SELECT repeat('a', 36), repeat('b', 36), 'n', 1, 'o', 0, 1, NULL::int, 'AB', NULL::text, true, 0, 0, true, NULL::text, decode(repeat('ab', 32), 'hex')) TO '} . $rows . q{'});
like((as($superuser, "COPY coderring.ring FROM '$rows'"))[2], qr/CONTEXT:  COPY ring, line 1, column id/, 'a row as short as can be');
my ($least) = slurp_file($rows) =~ /^(.*)\\\\x(?:ab){32}$/;
cmp_ok(length($least), '>=', 100, 'is longer, up to the key, than what COPY shows of a line');
my $log = slurp_file($node->logfile);
is(scalar(grep { index(lc($log . $shown), substr($key, $_, 12)) >= 0 } 0 .. 52), 0, 'no part of the key in an error, nor in the log');
like($log, qr/coderring_get_codes\('second', 50\)/, 'the log has statements');
like($log, qr/test_seed => 'in the log'/, 'and the seed of a test');
is(scalar(grep { index($log, $_) >= 0 } @hidden), 0, 'but no code that was returned');
is(scalar(grep { index(lc $log, $_) >= 0 } $key, $second), 0, 'and no key');

#
# test_seed: for who may change the ring, and known to who knows it
#
is(state_of($_, q{SELECT coderring_reset('order', test_seed => 'mine')}), '42501', "$_: cannot reset a ring with a test_seed")
  foreach 'granted', 'stranger', 'watcher', 'reader', 'installer';
value('owner', q{SELECT coderring_create('one'), coderring_create('two'), coderring_create('three')});
value('owner', q{SELECT coderring_reset(r, test_seed => 'same') FROM unnest('{one,two}'::text[]) r});
my @firsts = map { value('owner', "SELECT string_agg(c, ' ') FROM coderring_get_codes('$_', 20) c") } 'one', 'two', 'three';
is($firsts[0], $firsts[1], 'two rings with one seed: the same codes');
isnt($firsts[0], $firsts[2], 'without one: others');
value('owner', q{SELECT coderring_reset('two')});
isnt(value('owner', q{SELECT string_agg(c, ' ') FROM coderring_get_codes('two', 20) c}), $firsts[1], 'nor after a reset without one');
is($node->safe_psql('app', q{SELECT count(*), count(DISTINCT key) FROM coderring.ring}) =~ /^(\d+)\|(\d+)$/ && $1 - $2, 0, 'every other key is different');

#
# How often a guess hits: all there are, tried
#
my $alphabet = q{SELECT regexp_split_to_table(coderring_alphabet('default'), '') AS c};
foreach my $out (1, 100, 512, 1000)
{
	value('owner', q{SELECT coderring_drop('guessed', true), coderring_create('guessed', 2)});
	value('owner', "SELECT coderring_get_codes('guessed', $out)");
	is(value('owner', qq{SELECT count(*), count(*) FILTER (WHERE coderring_issued('guessed', a.c || b.c)) FROM ($alphabet) a, ($alphabet) b}),
		"1024|$out", "$out of 1,024 codes out: as many guesses hit");
}
value('owner', q{SELECT coderring_create('checked', 2, check_character => true); SELECT coderring_get_codes('checked', 100)});
is(value('owner', qq{WITH guess AS (SELECT a.c || b.c || d.c AS code FROM ($alphabet) a, ($alphabet) b, ($alphabet) d)
	SELECT count(*), count(*) FILTER (WHERE coderring_issued('checked', code)) FROM guess WHERE coderring_is_valid(coderring_alphabet('default'), code)}),
	'1024|100', 'with a check character, among codes with the right one: as many');

#
# After a leak, by the page's statements: a new key, and no old code again, also
# where a statement is run twice
#
my ($next_cycle, $longer) = slurp_file("$FindBin::RealBin/../../docs/security.md") =~ /^(SELECT coderring_reset\(name, [^;]*;)$/mg;
like($longer, qr/length\(alphabet\)/, 'the page has two statements');

sub after_a_leak
{
	my ($statement, $ring) = @_;
	my $first = "SELECT first_cycle FROM coderring.rings WHERE name = '$ring'";
	my $before = value('owner', $first);
	my $once;

	$statement =~ s/'order'/'$ring'/;
	is(state_of('owner', $statement), '', "$ring is reset");
	$once = value('owner', $first);
	cmp_ok($once, '>', $before, "$ring begins in a later cycle");
	is(state_of('owner', $statement), '', "$ring is reset once more");
	is(value('owner', $first), $once, 'and does not go back');
	return;
}

my $extras = q{unnest('{"",X,26,2,XX,6}'::text[]) e};
value('owner', q{SELECT coderring_create('leaked', 1)});
my @old = split(/\n/, value('owner', "SELECT coderring_get_codes('leaked', 90, e) FROM $extras"));
after_a_leak($longer, 'leaked');
my @new = split(/\n/, value('owner', "SELECT coderring_get_codes('leaked', 200, e) FROM $extras"));
is(scalar(@old) + scalar(@new), 6 * 290, 'a ring with extras, with another key');
is(scalar(duplicates(@old, @new)), 0, 'no code of before comes again');
value('owner', q{SELECT coderring_create('plain', 1)});
@old = split(/\n/, value('owner', q{SELECT coderring_get_codes('plain', 100)}));
my $old_key = $node->safe_psql('app', q{SELECT key FROM coderring.ring WHERE name = 'plain'});
after_a_leak($next_cycle, 'plain');
@new = split(/\n/, value('owner', q{SELECT coderring_get_codes('plain', 300)}));
is(scalar(@old) + scalar(@new), 400, 'a ring without');
is(scalar(duplicates(@old, @new)), 0, 'no code of before comes again');
isnt($node->safe_psql('app', q{SELECT key FROM coderring.ring WHERE name = 'plain'}), $old_key, 'the key is another');
is(value('owner', "SELECT coderring_issued('plain', '$old[0]')"), 'f', 'and the old codes are not known any more');
foreach my $statement ($next_cycle, $longer)
{
	after_a_leak($statement, 'plain');
	push @new, split(/\n/, value('owner', q{SELECT coderring_get_codes('plain', 300)}));
}
is(scalar(duplicates(@old, @new)), 0, 'nor after the next leaks');
my $dashed = q{unnest('{"",26-,2-,26-X-}'::text[]) e};
value('owner', q{SELECT coderring_create('dashed', 1)});
@old = split(/\n/, value('owner', "SELECT coderring_get_codes('dashed', 90, e) FROM $dashed"));
after_a_leak($next_cycle, 'dashed');
@new = split(/\n/, value('owner', "SELECT coderring_get_codes('dashed', 300, e) FROM $dashed"));
is(join(' ', scalar(@old), scalar(@new), scalar(duplicates(@old, @new))), '360 1200 0', 'nor with extras that end in a character outside the alphabet');
value('owner', q{SELECT coderring_create('checked', 2, alphabet => 'digits', check_character => true)});
@old = split(/\n/, value('owner', q{SELECT coderring_get_codes('checked', 500, e) FROM unnest('{"",1,12}'::text[]) e}));
after_a_leak($longer, 'checked');
@new = split(/\n/, value('owner', q{SELECT coderring_get_codes('checked', 1000, e) FROM unnest('{"",1,12}'::text[]) e}));
is(join(' ', scalar(@old), scalar(@new), scalar(duplicates(@old, @new))), '1500 3000 0', 'with check characters and another alphabet');
cmp_ok((sort { $b <=> $a } map { length } @old)[0], '<', (sort { $a <=> $b } map { length } @new)[0], 'new codes are longer than old ones');

#
# What a grant is good for, and what not
#
is(state_of('granted', q{SELECT coderring_advance('order', 'end', 9007199254740990)}), '', 'who it was granted to can move a series far on');
is(state_of('granted', $_), '42501', "who it was granted to: not $_")
  foreach q{SELECT coderring_drop('order')}, q{SELECT coderring_rename('order', 'x')}, q{SELECT coderring_reset('order')},
  q{SELECT coderring_set_blocklist('order', 'english')}, q{SELECT coderring_change_owner('order', 'granted')}, q{SELECT coderring_revoke('order', 'granted')};
value('owner', q{SELECT coderring_define_blocklist('ours', '{ACME}')});
value('stranger', q{SELECT coderring_create('pins the list', 4, 'ours')});
is(state_of('owner', q{SELECT coderring_define_blocklist('ours', NULL)}), '2BP01', 'a list that somebody uses cannot be dropped');
value('installer', 'REVOKE EXECUTE ON FUNCTION coderring_create FROM stranger');
is(state_of('stranger', q{SELECT coderring_create('mine')}), '42501', 'who has given it takes it back');
my $holder = new_session($node, 'app', 'user=stranger');
my $id = $node->safe_psql('app', q{SELECT ('x' || left(id::text, 8))::bit(32)::bigint FROM coderring.ring WHERE name = 'order'});
$holder->query("BEGIN; SELECT pg_advisory_lock($id), pg_advisory_lock(0, $id::bit(32)::int), pg_advisory_xact_lock($id), pg_advisory_xact_lock(0, $id::bit(32)::int)");
is($holder->{error}, '', 'somebody holds all advisory locks with the ring\'s number');
is(state_of('granted', q{SET lock_timeout = '1s'; SELECT coderring_get_code('order', 'first')}), '', 'nobody waits for those');
$holder->quit;
unlike((as('stranger', q{SELECT coderring_get_code('order')}))[2], qr/does not exist/, 'that a ring exists can be found out');

#
# Time: how much longer one answer takes than another, in turn, for the page
#
value($superuser, q{SELECT coderring_create('timed')});
value($superuser, q{CREATE TABLE asked AS SELECT 'out' AS kind, coderring_get_codes('timed', 2000) AS code});
value($superuser, qq{INSERT INTO asked SELECT * FROM (SELECT 'not out', a.c || b.c || d.c || 'V' AS code FROM ($alphabet) a, ($alphabet) b, ($alphabet) d) t
	WHERE NOT coderring_issued('timed', code) LIMIT 2000});
value($superuser, q{INSERT INTO asked SELECT 'no code', '0000' FROM generate_series(1, 2000)});
my %took;
my $timer = new_session($node, 'app', "user=$superuser");
foreach my $turn (1 .. 7)
{
	foreach my $kind ('out', 'not out', 'no code')
	{
		push @{ $took{$kind} }, $timer->query(qq{EXPLAIN (ANALYZE, TIMING OFF)
			SELECT count(*) FROM asked, generate_series(1, 10) n WHERE kind = '$kind' AND coderring_issued('timed', code || repeat('', n)) IS NOT NULL}) =~ /Execution Time: ([\d.]+)/;
	}
}
$timer->quit;
my %median = map { $_ => (sort { $a <=> $b } @{ $took{$_} })[3] } keys %took;
is(join(' ', map { scalar(@{ $took{$_} }) } sort keys %took), '7 7 7', 'measured, and compared with nothing');
note(sprintf('beside a code that is out, one that is not takes %.2f of the time, no code %.2f', map { $median{$_} / $median{out} } 'not out', 'no code'));

#
# The page: its tables
#
my $page = read_page('docs/security.md');
my ($who) = grep { $_->{kind} eq 'table' && $_->{rows}[0][0] eq 'role' } @{ $page->{nodes} };
my @ways = @{ $who->{rows}[0] }[ 1 .. $#{ $who->{rows}[0] } ];

is_set(\@ways, [ keys %ways ], 'the page has every way');
is(join("\n", map { join(' | ', @$_) } @{ $who->{rows} }[ 2 .. $#{ $who->{rows} } ]),
	join("\n", map { my $name = $_->[0]; join(' | ', $name, map { $may{$name}{$_} } @ways) } @roles), 'and says who may do what');

sub commas
{
	my ($number) = @_;

	1 while $number =~ s/^(\d+)(\d{3})/$1,$2/;
	return $number;
}

my ($guesses) = grep { $_->{kind} eq 'table' && $_->{rows}[0][0] eq 'base_length' } @{ $page->{nodes} };
foreach my $row (@{ $guesses->{rows} }[ 2 .. $#{ $guesses->{rows} } ])
{
	my $length = $row->[0];
	my @computed = split(/\|/, $node->safe_psql('app', qq{
		WITH capacity AS (SELECT power(32::numeric, $length)::numeric(30) AS codes), hit AS (SELECT codes, codes / 10000 AS few, codes / 1000000 AS many FROM capacity)
		SELECT codes, round(few), few / 1000, round(many), many / 1000 FROM hit}));
	my @time = map { $_ < 1 ? 'under a day' : $_ < 730 ? sprintf('%.0f', $_) . ($_ < 1.5 ? ' day' : ' days') : commas(sprintf('%.0f', $_ / 365.25)) . ' years' } @computed[ 2, 4 ];

	s/\..*// foreach @computed[ 0, 1, 3 ];
	is(join(' | ', @$row), join(' | ', $length, commas($computed[0]), commas($computed[1]), $time[0], commas($computed[3]), $time[1]),
		"how long until a guess hits, $length characters");
}
cmp_ok(scalar(@{ $guesses->{rows} }), '>=', 7, 'for several lengths');

$node->stop;
done_testing();
