# Nothing of the extension can be tricked by what a role that is not superuser
# can make: schemas, tables, functions, operators, casts, types and collations
# with the names of all that the script and the library touch, in front of
# search_path; tables to import that would run functions; and whatever can be
# attached to a table of somebody else's.
#
# Every such function says in the server's log that it was called: that is
# there also after a rollback.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
my $tempdir = PostgreSQL::Test::Utils::tempdir();

init_node($node);
$node->append_conf('postgresql.conf', 'track_functions = all');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN; CREATE ROLE app LOGIN');

# The traps: for every operator and function of PostgreSQL's on ordinary types
# one that does the same and says so, for pairs of types that have no operator
# one that fits better than any with a conversion, and types and collations of
# the names that the script uses.  In the schema that trap.schema names.
my $traps = <<'SQL';
SET search_path = pg_catalog;
DO LANGUAGE plpgsql $make$
DECLARE
	place text := pg_catalog.current_setting('trap.schema');
	types CONSTANT regtype[] := '{text,varchar,name,bpchar,int2,int4,int8,oid,uuid,bytea,bool,regclass,regrole,text[],name[],numeric,timestamptz}';
	body CONSTANT text := $$BEGIN RAISE LOG 'sprung: %%, as %%', %L, current_user; RETURN %s; END$$;
	made RECORD;
BEGIN
	-- operators
	FOR made IN SELECT o.oid, oprname, oprleft::regtype AS l, oprright::regtype AS r, oprresult::regtype AS result,
				oprcom <> 0 AND oprcom = o.oid AS commutes
			FROM pg_catalog.pg_operator o
			WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft = ANY (types) AND oprright = ANY (types)
	LOOP
		EXECUTE format('CREATE FUNCTION %I.trap_%s(l %s, r %s) RETURNS %s LANGUAGE plpgsql IMMUTABLE AS %L', place, made.oid,
			made.l, made.r, made.result,
			format(body, format('operator %s (%s, %s)', made.oprname, made.l, made.r), 'l OPERATOR(pg_catalog.' || made.oprname || ') r'));
		EXECUTE format('CREATE OPERATOR %I.%s (FUNCTION = %1$I.trap_%3$s, LEFTARG = %4$s, RIGHTARG = %5$s)', place,
			made.oprname, made.oid, made.l, made.r);
	END LOOP;
	FOR made IN SELECT l, r, names, row_number() OVER () AS n FROM unnest(types) l, unnest(types) r,
			LATERAL (SELECT array_agg(name) AS names FROM unnest('{=,<>,<,<=,>,>=,||,+,~~}'::text[]) name WHERE NOT EXISTS
				(SELECT FROM pg_operator WHERE oprname = name AND oprleft = l AND oprright = r)) o
	LOOP
		EXECUTE format('CREATE FUNCTION %I.better_%s(l %s, r %s) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS %L', place, made.n,
			made.l, made.r, format(body, format('operator (%s, %s)', made.l, made.r), 'false'));
		FOR i IN 1 .. coalesce(cardinality(made.names), 0) LOOP
			EXECUTE format('CREATE OPERATOR %I.%s (FUNCTION = %1$I.better_%3$s, LEFTARG = %4$s, RIGHTARG = %5$s)', place,
				made.names[i], made.n, made.l, made.r);
		END LOOP;
	END LOOP;

	-- functions
	FOR made IN SELECT proname, oidvectortypes(proargtypes) AS arguments, prorettype::regtype AS result, pronargs
			FROM pg_proc
			WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND provariadic = 0 AND
				prorettype NOT IN (SELECT oid FROM pg_type WHERE typtype = 'p') AND
				proargtypes::oid[] <@ types::oid[] AND pronargs <= 3
	LOOP
		EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql IMMUTABLE AS %L', place, made.proname,
			made.arguments, made.result,
			format(body, format('function %s(%s)', made.proname, made.arguments), format('pg_catalog.%I(%s)', made.proname,
				(SELECT string_agg('$' || n, ', ') FROM generate_series(1, made.pronargs) n))));
	END LOOP;
	-- that fit better than a variadic or polymorphic one
	FOR made IN SELECT name, l, r FROM unnest(ARRAY['format', 'concat', 'array_append', 'array_position']) name,
			unnest(types) l, unnest(types) r
	LOOP
		EXECUTE format('CREATE FUNCTION %I.%I(%s, %s) RETURNS text LANGUAGE plpgsql IMMUTABLE AS %L', place, made.name, made.l, made.r,
			format(body, format('function %s(%s, %s)', made.name, made.l, made.r), $$''$$));
	END LOOP;

	-- types and collations
	EXECUTE format('CREATE FUNCTION %I.checked(value anyelement) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS %L', place,
		format(body, 'domain', 'true'));
	FOR made IN SELECT unnest(types)::regtype AS name
	LOOP
		CONTINUE WHEN made.name::text LIKE '%[]';
		EXECUTE format('CREATE DOMAIN %I.%I AS pg_catalog.%2$I CHECK (%1$I.checked(value))', place,
			(SELECT typname FROM pg_type WHERE oid = made.name));
	END LOOP;
	EXECUTE format('CREATE TYPE %I.gullible AS (thing pg_catalog.text)', place);
	EXECUTE format('CREATE FUNCTION %I.gullible(pg_catalog.text) RETURNS %1$I.gullible LANGUAGE plpgsql IMMUTABLE AS %L', place,
		format(body, 'cast from text', 'row($1)'));
	EXECUTE format('CREATE CAST (pg_catalog.text AS %I.gullible) WITH FUNCTION %1$I.gullible(pg_catalog.text) AS IMPLICIT', place);
	EXECUTE format('CREATE FUNCTION %I.as_text(%1$I.gullible) RETURNS pg_catalog.text LANGUAGE plpgsql IMMUTABLE AS %L', place,
		format(body, 'cast to text', $$'order'$$));
	EXECUTE format('CREATE CAST (%I.gullible AS pg_catalog.text) WITH FUNCTION %1$I.as_text(%1$I.gullible) AS IMPLICIT', place);
	EXECUTE format('CREATE COLLATION %I."C" FROM pg_catalog."POSIX"', place);
	EXECUTE format('CREATE COLLATION %I."default" FROM pg_catalog."C"', place);

	-- relations
	FOR made IN SELECT unnest('{ring,ring_grant,series_state,skipped_positions,pg_namespace,pg_extension,pg_roles,pg_class}'::text[]) AS name
	LOOP
		EXECUTE format('CREATE TABLE %I.%I (nspname pg_catalog.name, extname pg_catalog.name, extowner pg_catalog.oid, name pg_catalog.text)', place, made.name);
	END LOOP;
	EXECUTE format('CREATE VIEW %I.rings AS SELECT %1$I.trap_96(1, 1)', place);
	EXECUTE format('CREATE SEQUENCE %I.a_sequence', place);
END
$make$;
SQL

# set_traps(DBNAME): mallory's, in the schemas public and evil.
sub set_traps
{
	my ($dbname) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $dbname");
	$node->safe_psql($dbname, "GRANT CREATE ON DATABASE $dbname TO mallory; GRANT CREATE ON SCHEMA public TO mallory");
	$node->safe_psql($dbname, "CREATE SCHEMA evil; SET trap.schema = evil; $traps; SET trap.schema = public; $traps",
		extra_params => [ '-U', 'mallory' ]);
	return;
}

# sprung(): what traps have said since the last call.
my $read = 0;

sub sprung
{
	my $log = slurp_file($node->logfile, $read);

	$read += length($log);
	my @sprung = $log =~ /LOG:  sprung: (.*)/g;
	return @sprung;
}

sub none_sprung
{
	my ($title) = @_;
	my @sprung = sprung();

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(scalar(@sprung), 0, "$title: nothing hostile was called") or diag(join("\n", @sprung));
	return;
}

# do_all(SESSION, STATEMENTS...): none of which fails.
sub do_all
{
	my ($session, @statements) = @_;

	foreach my $statement (@statements)
	{
		$session->query($statement);
		die "$statement: $session->{error}" if $session->{error} =~ /ERROR/;
	}
	return;
}

# Everything that is known of the extension's objects, names qualified unless
# they are PostgreSQL's own.  Without privileges, which depend on who installs.
my $what_it_is = <<'SQL';
SET search_path = pg_catalog;
WITH member AS (
	SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON refclassid = 'pg_extension'::regclass AND refobjid = e.oid
		WHERE deptype = 'e' AND extname = 'coderring'
), relation AS (
	SELECT c.* FROM pg_class c JOIN member ON classid = 'pg_class'::regclass AND objid = c.oid
)
SELECT line FROM (
SELECT 'member ' || pg_describe_object(classid, objid, 0) AS line FROM member
UNION ALL
SELECT pg_get_functiondef(p.oid) || ' owner ' || proowner || ' in ' || pronamespace::regnamespace || ' ' || coalesce(obj_description(p.oid, 'pg_proc'), '')
	FROM pg_proc p JOIN member ON classid = 'pg_proc'::regclass AND objid = p.oid
UNION ALL
SELECT format('relation %s %s owner %s %s %s %s', c.oid::regclass, relkind, relowner, relreplident, relrowsecurity, relhasrules) FROM relation c
UNION ALL
SELECT format('column %s.%s %s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attcollation::regcollation, attstorage, attnotnull)
	FROM pg_attribute JOIN relation c ON attrelid = c.oid WHERE attnum > 0
UNION ALL
SELECT format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(o.oid)) FROM pg_constraint o JOIN relation c ON conrelid = c.oid
UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN relation c ON indrelid = c.oid
UNION ALL
SELECT pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN relation c ON ev_class = c.oid
UNION ALL
SELECT pg_get_triggerdef(t.oid) || tgenabled::text FROM pg_trigger t JOIN relation c ON tgrelid = c.oid
	WHERE NOT tgisinternal
UNION ALL
SELECT format('schema %s owner %s', nspname, nspowner) FROM pg_namespace JOIN member ON classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid
UNION ALL
SELECT format('dumped %s %s', unnest(extconfig)::regclass, unnest(extcondition)) FROM pg_extension WHERE extname = 'coderring'
) lines ORDER BY line COLLATE "C"
SQL

# as_it_should_be(DBNAME, TITLE)
my $clean;

sub as_it_should_be
{
	my ($dbname, $title) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql($dbname, $what_it_is), $clean, "$title: the same objects as where nobody interferes");
	is($node->safe_psql($dbname, q{
			SELECT string_agg(pg_catalog.pg_describe_object(classid, objid, 0), ', ') FROM pg_catalog.pg_depend
			WHERE deptype OPERATOR(pg_catalog.=) 'e' AND (classid, objid) IN (
				SELECT s.classid, s.objid FROM pg_catalog.pg_shdepend s
				WHERE s.dbid OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
					AND s.deptype OPERATOR(pg_catalog.=) 'o')}), '',
		"$title: all of them the script's owner's");
	return;
}

my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

$node->safe_psql('postgres', 'CREATE DATABASE clean');
$node->safe_psql('clean', 'CREATE EXTENSION coderring');
$clean = $node->safe_psql('clean', $what_it_is);
like($clean, qr/^\Q$_/m, 'looked at: ' . $_)
  foreach ('member function public.coderring_get_code', 'CREATE OR REPLACE FUNCTION public.coderring_get_code', 'relation coderring.ring ',
	'column coderring.ring.name text "C"', 'constraint coderring.ring CHECK', 'CREATE UNIQUE INDEX', 'CREATE RULE', 'CREATE TRIGGER',
	'schema coderring', 'dumped coderring.series_state');

#
# The traps work: each kind, where search_path begins with them.
#
set_traps('attacked');
sprung();
my $hostile = 'SET search_path = evil, public, pg_catalog';
foreach my $control (
	[ q{SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text}, 'operator = (text, text)' ],
	[ q{SELECT 'a'::pg_catalog.varchar || 'b'::pg_catalog.name}, 'operator (character varying, name)' ],
	[ q{SELECT octet_length('a'::pg_catalog.text)}, 'function octet_length(text)' ],
	[ q{SELECT format('a'::pg_catalog.text, 'b'::pg_catalog.name)}, 'function format(text, name)' ],
	[ q{SELECT now()}, 'function now()' ],
	[ q{SELECT nextval('evil.a_sequence'::pg_catalog.regclass)}, 'function nextval(regclass)' ],
	[ q{SELECT 'a'::text}, 'domain' ],
	[ q{SELECT 'a'::pg_catalog.text::gullible}, 'cast from text' ])
{
	$node->safe_psql('attacked', "$hostile; $control->[0]");
	my @sprung = sprung();
	ok(scalar(grep { $_ eq "$control->[1], as $superuser" } @sprung), "this springs a trap: $control->[0]") or diag("@sprung");
}
# What the script's path, which begins with pg_catalog, leaves to those in public
$node->safe_psql('attacked', q{SELECT 'a'::text = octet_length('a'::text)::text});
is(scalar(sprung()), 0, 'with search_path = public what fits exactly is PostgreSQL\'s own');
$node->safe_psql('attacked', q{SELECT format('%I', 'b'::name)});
is_deeply([ sprung() ], ["function format(text, name), as $superuser"], 'but something can fit better');

#
# A superuser with that search_path: CREATE EXTENSION, and all that it has
#
my $victim = new_session($node, 'attacked');
do_all($victim, $hostile, 'CREATE EXTENSION coderring SCHEMA public');
none_sprung('CREATE EXTENSION by a superuser');
as_it_should_be('attacked', 'CREATE EXTENSION by a superuser');
do_all($victim, 'DROP EXTENSION coderring', 'CREATE SCHEMA tools', 'CREATE EXTENSION coderring SCHEMA tools', 'DROP EXTENSION coderring',
	'CREATE SCHEMA coderring', 'CREATE EXTENSION coderring SCHEMA public');
none_sprung('DROP EXTENSION, CREATE EXTENSION elsewhere and with a schema that is there');
as_it_should_be('attacked', 'made anew');

do_all($victim,
	q{SELECT public.coderring_define_blocklist('own', '{WXRD,V3}')},
	q{SELECT public.coderring_create('order', 2, 'own', NULL, true, 20, 0, false)},
	q{SELECT public.coderring_create('order', 3, if_not_exists => true)},
	q{SELECT public.coderring_create('english', 4, 'english', public.coderring_alphabet('crockford'))},
	q{SELECT public.coderring_create('plain', 1)},
	q{SELECT public.coderring_create('passing')},
	q{SELECT public.coderring_reset('plain', 0, 'seed')},
	q{SELECT public.coderring_define_blocklist('own', '{WXRD}')},
	q{SELECT public.coderring_set_blocklist('plain', 'own')},
	q{SELECT public.coderring_rename('passing', 'passed')},
	q{SELECT public.coderring_drop('passed'), public.coderring_drop('passed', true)},
	q{SELECT public.coderring_grant('order', 'app'), public.coderring_grant('order', 'public'), public.coderring_grant('plain', 'mallory')},
	q{SELECT public.coderring_revoke('plain', 'mallory')},
	q{SELECT public.coderring_change_owner('english', 'app')},
	q{SELECT public.coderring_start_rings()}, q{SELECT public.coderring_recover('order', 0, 40)});
my @codes;
foreach my $extra ('', 'X', 'ext-', 'Straße')
{
	push @codes, split(/\n/, $victim->query("SELECT * FROM public.coderring_get_codes('order', 1500, '$extra')"));
	do_all($victim, "SELECT public.coderring_advance('order', '$extra')", "SELECT public.coderring_get_code('order', '$extra', true)");
}
is(scalar(@codes), 6000, 'it hands out codes');
is(scalar(duplicates(@codes)), 0, 'none of them twice');
push @codes, map { $victim->query(q{SELECT public.coderring_get_code('plain')}) } 1 .. 40;
foreach my $code (@codes[ 0, 1400, 1600, 3200, 4700, 6001, 6039 ])
{
	my $ring = length($code) > 2 ? 'order' : 'plain';

	is($victim->query("SELECT public.coderring_issued('$ring', '$code')"), 't', 'it knows what it has issued');
	is($victim->query("SELECT public.coderring_normalize('$ring', '" . lc($code) . " ')"), $code, 'and what is typed in lower case');
	do_all($victim, "SELECT * FROM public.coderring_decode('$ring', '$code')",
		"SELECT public.coderring_issued('$ring', '$code-'), public.coderring_normalize('$ring', '$code$code')",
		"SELECT public.coderring_is_valid(public.coderring_alphabet('default'), '$code')");
}
is($victim->query('TABLE coderring.rings') =~ tr/\n//, 2, 'view of rings');
like($victim->query('TABLE coderring.series'), qr/^order\|ext-\|/m, 'view of series');
like($victim->query('TABLE coderring.stats'), qr/^plain\|\|/m, 'view of statistics');
is($victim->query('SELECT coderring.check_version() IS NULL'), 'f', 'whether the library serves this version');
do_all($victim, 'BEGIN', 'UPDATE coderring.ring SET max_length = NULL', 'ROLLBACK',
	'BEGIN', 'CREATE TABLE pg_temp.kept AS TABLE coderring.ring', 'SELECT public.coderring_drop(name) FROM pg_temp.kept', 'UPDATE pg_temp.kept SET incarnation = pg_catalog.gen_random_uuid()',
	'INSERT INTO coderring.ring TABLE pg_temp.kept', 'UPDATE coderring.ring SET incarnation = pg_catalog.gen_random_uuid(), key = pg_catalog.sha256($$x$$)', 'ROLLBACK',
	'VACUUM FULL coderring.series_state', 'REINDEX TABLE coderring.ring', 'ANALYZE coderring.ring');
foreach my $statement ('DELETE FROM coderring.blocklist', 'DELETE FROM coderring.ring', 'DELETE FROM coderring.ring_grant', 'TRUNCATE coderring.ring CASCADE',
	'UPDATE coderring.series_state SET reserved_to = 0', 'TRUNCATE coderring.skipped_positions CASCADE')
{
	$victim->query($statement);
	is($victim->state, '55000', $statement);
}
is($victim->query(q{SELECT public.coderring_get_code('nothing')}) . $victim->state, '42704', 'errors are as they should be');
none_sprung('every function, view, table and trigger');

#
# Tables to import
#
$node->safe_psql('attacked', <<'SQL', extra_params => [ '-U', 'mallory' ]);
SET search_path = pg_catalog;
CREATE FUNCTION evil.spring(what pg_catalog.text) RETURNS bool LANGUAGE plpgsql IMMUTABLE
	AS $$BEGIN RAISE LOG 'sprung: %, as %', what, current_user; RETURN true; END$$;
CREATE FUNCTION evil.spring_trigger() RETURNS trigger LANGUAGE plpgsql
	AS $$BEGIN RAISE LOG 'sprung: %, as %', 'trigger', current_user; RETURN NULL; END$$;
CREATE TABLE evil.code_memos (
	name varchar(255) PRIMARY KEY,
	uniquizer_num int NOT NULL DEFAULT 0,
	extra varchar(255) NOT NULL DEFAULT '',
	last_max_pos int,
	generated bool GENERATED ALWAYS AS (evil.spring(name::pg_catalog.text)) STORED,
	CHECK (evil.spring('check')));
CREATE TABLE evil.codes (
	id int GENERATED ALWAYS AS IDENTITY,
	position int NOT NULL,
	name varchar(255) NOT NULL,
	value varchar(255) NOT NULL);
INSERT INTO evil.code_memos (name) VALUES ('imported');
INSERT INTO evil.codes (position, name, value) VALUES (0, 'imported', 'V'), (1, 'imported', 'S');
CREATE INDEX ON evil.codes (evil.spring('index on a constant'));
CREATE INDEX ON evil.codes (name) WHERE evil.spring('predicate of an index');
CREATE INDEX ON evil.code_memos (evil.spring(name)) WHERE evil.spring('predicate of an index of memos');
CREATE STATISTICS evil.of_codes ON (evil.spring(name)), value FROM evil.codes;
CREATE TRIGGER a BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON evil.codes EXECUTE FUNCTION evil.spring_trigger();
CREATE RULE a AS ON UPDATE TO evil.codes DO ALSO SELECT evil.spring('rule');
CREATE POLICY a ON evil.codes USING (evil.spring('policy'));
GRANT USAGE ON SCHEMA evil TO app;
GRANT SELECT ON evil.codes, evil.code_memos TO app;
ANALYZE evil.codes;

CREATE TABLE evil.partitioned (LIKE evil.codes) PARTITION BY RANGE (((position * 2 > 0) = evil.spring('partition key')));
CREATE TABLE evil.part PARTITION OF evil.partitioned DEFAULT;
CREATE TABLE evil.parent (LIKE evil.codes);
CREATE TABLE evil.child () INHERITS (evil.parent);
CREATE INDEX ON evil.child (evil.spring('index of a child'));
CREATE VIEW evil.seen AS SELECT * FROM evil.codes WHERE evil.spring('view');
CREATE TABLE evil.typed (position int, name evil.text, value varchar(255));
CREATE TABLE evil.cast (position int, name evil.gullible, value varchar(255));
INSERT INTO evil.typed VALUES (0, 'typed', 'V');
INSERT INTO evil.cast VALUES (0, row('cast'), 'V');
ALTER TABLE evil.typed ADD CHECK (evil.spring('check'));
SQL
cmp_ok(scalar(sprung()), '>', 0, 'tables that run functions when they are written');
is($victim->query(q{SELECT public.coderring_import('evil.codes', 'evil.code_memos')}) . $victim->state, '1', 'import: of a table with much on it');
none_sprung('import');
is($victim->query(q{SELECT public.coderring_create('imported')}) . $victim->state, '42710', 'import: the ring is there');
foreach my $source ([ 'seen', '42809' ], [ 'partitioned', '42809' ], [ 'parent', '42809' ], [ 'typed', '42804' ], [ 'cast', '42804' ])
{
	$victim->query("SELECT public.coderring_import('evil.$source->[0]', 'evil.code_memos')");
	is($victim->state, $source->[1], "import: of $source->[0] is refused");
}
do_all($victim, q{SELECT public.coderring_drop('imported')});
do_all($victim, q{SELECT public.coderring_import()});
none_sprung('import of other tables');
$node->safe_psql('attacked', 'ALTER TABLE evil.codes ENABLE ROW LEVEL SECURITY', extra_params => [ '-U', 'mallory' ]);
$node->safe_psql('attacked', 'GRANT EXECUTE ON FUNCTION public.coderring_import(text, text, bigint) TO app');
my $app = new_session($node, 'attacked', 'user=app');
$app->query(q{SELECT public.coderring_import('evil.codes', 'evil.code_memos')});
like($app->{error}, qr/row-level security could hide rows/, 'import: where a policy would hide rows it is refused');
none_sprung('import of a table with a policy');
$_->quit foreach $app, $victim;

# Every function of the extension was called, so the above holds for all.
# (Counted when the session has ended; one does nothing but raise an error.)
ok($node->poll_query_until('attacked', q{
	SELECT pg_catalog.string_agg(p.proname::pg_catalog.text, ' ')
	FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_depend d ON d.classid = 'pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND deptype = 'e'
		JOIN pg_catalog.pg_extension e ON refobjid = e.oid AND extname = 'coderring'
		LEFT JOIN pg_catalog.pg_stat_user_functions s ON funcid = p.oid
	WHERE coalesce(calls, 0) = 0}, 'refuse_change'), 'no function was left out');
sprung();

#
# Dump, and restore to where the traps are set already
#
my $before = new_session($node, 'attacked');
push @codes, split(/\n/, $before->query(q{SELECT * FROM public.coderring_get_codes('order', 100)}));
$before->quit;
sprung();
$node->command_ok([ 'pg_dump', '-N', 'public', '-N', 'evil', '-f', "$tempdir/rings.sql", 'attacked' ], 'pg_dump of the rings');
$node->command_ok([ 'pg_dump', '-f', "$tempdir/all.sql", 'attacked' ], 'pg_dump of everything');
none_sprung('pg_dump');
set_traps('restored');
my $drop_casts = join(';', map { "DROP CAST (text AS $_.gullible), DROP CAST ($_.gullible AS text)" =~ s/,/;/r } 'evil', 'public');
$node->safe_psql('restored', $drop_casts, extra_params => [ '-U', 'mallory' ]);	# they are in the dump
sprung();
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', "$tempdir/rings.sql" ], 'restore');
none_sprung('restore');
as_it_should_be('restored', 'restored');
my $restored = new_session($node, 'restored');
do_all($restored, $hostile);
is(scalar(duplicates(@codes, map { split(/\n/, $restored->query("SELECT * FROM public.coderring_get_codes('order', 1500, '$_')")) } '', 'X')), 0,
	'the restored ring repeats nothing');
$restored->quit;
none_sprung('codes of the restored rings');
$node->safe_psql('postgres', 'CREATE DATABASE everything');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('everything'), '-f', "$tempdir/all.sql" ],
	'restore of everything');
as_it_should_be('everything', 'everything restored');
sprung();

#
# What somebody else can do to the extension's objects: nothing.  Nor can the
# role that installed it, as far as it is not superuser.
#
my @attacks = (
	'ALTER TABLE coderring.ring ENABLE ROW LEVEL SECURITY',
	'CREATE POLICY p ON coderring.ring USING (true)',
	'CREATE POLICY p ON coderring.blocklist USING (true)',
	'CREATE RULE r AS ON INSERT TO coderring.ring DO INSTEAD NOTHING',
	'CREATE RULE r AS ON INSERT TO coderring.rings DO INSTEAD SELECT 1',
	'CREATE TRIGGER t BEFORE INSERT ON coderring.ring FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	'CREATE TRIGGER t INSTEAD OF DELETE ON coderring.rings FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	'ALTER TABLE coderring.ring DISABLE TRIGGER ALL',
	'CREATE INDEX ON coderring.ring (owner)',
	'CREATE STATISTICS s ON id, owner FROM coderring.ring',
	'ALTER TABLE coderring.ring ADD COLUMN extra text',
	'ALTER TABLE coderring.ring ALTER COLUMN name TYPE varchar',
	'ALTER TABLE coderring.ring OWNER TO mallory',
	'ALTER TABLE coderring.ring SET SCHEMA public',
	'ALTER TABLE coderring.series_state SET UNLOGGED',
	'CREATE TABLE child () INHERITS (coderring.ring)',
	'CREATE TABLE referring (id int REFERENCES coderring.ring)',
	'CREATE PUBLICATION p FOR TABLE coderring.series_state',
	'CREATE OR REPLACE VIEW coderring.rings AS SELECT 1',
	'ALTER VIEW coderring.rings OWNER TO mallory',
	'COMMENT ON TABLE coderring.ring IS NULL',
	'DROP TABLE coderring.ring CASCADE',
	'DROP VIEW coderring.rings',
	'TRUNCATE coderring.ring CASCADE',
	'DELETE FROM coderring.ring',
	'UPDATE coderring.blocklist SET owner = 10',
	'UPDATE coderring.series_state SET reserved_to = 0',
	'LOCK TABLE coderring.blocklist IN SHARE MODE',
	'LOCK TABLE coderring.series_state IN ACCESS EXCLUSIVE MODE',
	'SELECT * FROM coderring.blocklist FOR SHARE',
	'REINDEX TABLE coderring.ring',
	'CLUSTER coderring.series_state USING series_state_key',
	'GRANT SELECT ON coderring.ring TO mallory WITH GRANT OPTION; SELECT 1 / (has_table_privilege($$coderring.ring$$, $$SELECT WITH GRANT OPTION$$))::int',
	'CREATE TABLE coderring.mine ()',
	q{CREATE FUNCTION coderring.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'},
	q{CREATE TYPE coderring.mine AS ENUM ('a')},
	'ALTER SCHEMA coderring OWNER TO mallory',
	'ALTER SCHEMA coderring RENAME TO other',
	'DROP SCHEMA coderring CASCADE',
	'GRANT CREATE ON SCHEMA coderring TO mallory; SELECT 1 / (has_schema_privilege($$coderring$$, $$CREATE$$))::int',
	q{CREATE OR REPLACE FUNCTION public.coderring_get_code(name text, extra text DEFAULT '', bump boolean DEFAULT false)
		RETURNS text LANGUAGE sql AS 'SELECT 1'},
	'ALTER FUNCTION public.coderring_get_code OWNER TO mallory',
	'ALTER FUNCTION public.coderring_get_code SECURITY DEFINER',
	'ALTER FUNCTION public.coderring_get_code SET search_path = evil',
	'ALTER FUNCTION public.coderring_get_code SET SCHEMA evil',
	'ALTER FUNCTION public.coderring_get_code RENAME TO mine',
	'DROP FUNCTION public.coderring_get_code CASCADE',
	'CREATE TABLE own (name text, owner oid, owner_name name); CREATE TRIGGER t BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION coderring.admit_row()',
	'CREATE TABLE own (name text); CREATE TRIGGER t AFTER DELETE ON own FOR EACH ROW EXECUTE FUNCTION coderring.definitions_changed()',
	q{CREATE FUNCTION mine(text) RETURNS text LANGUAGE c AS '$libdir/coderring', 'coderring_drop'},
	'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	'ALTER DEFAULT PRIVILEGES FOR ROLE "' . $superuser . '" GRANT SELECT ON TABLES TO mallory',
	'ALTER EXTENSION coderring DROP FUNCTION public.coderring_get_code',
	'ALTER EXTENSION coderring ADD SCHEMA pg_catalog',
	'SET session_replication_role = replica',
	'SET SESSION AUTHORIZATION app');
my @of_others = (
	'INSERT INTO coderring.blocklist SELECT $$own$$, true, 10, $$app$$, $${}$$',
	'INSERT INTO coderring.ring_grant SELECT pg_catalog.gen_random_uuid(), 0, $$mallory$$',
	'ALTER EXTENSION coderring ADD SCHEMA evil',
	'COMMENT ON EXTENSION coderring IS NULL',
	'DROP EXTENSION coderring');

# refused(DBNAME, STATEMENTS...): for want of a privilege, or since the object
# is the extension's.
sub refused
{
	my ($dbname, @statements) = @_;
	my $mallory = new_session($node, $dbname, 'user=mallory');

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	foreach my $statement (@statements)
	{
		$mallory->query("BEGIN; SET LOCAL search_path = public; $statement");
		like($mallory->state, qr/^(42501|22012)\z/, "$dbname: mallory cannot " . ($statement =~ s/\s+/ /gr)) or diag($mallory->{error});
		$mallory->query('ROLLBACK');
	}
	$mallory->quit;
	return;
}

refused('attacked', @attacks, @of_others);
as_it_should_be('attacked', 'after all that');
none_sprung('after all that');

# Nothing of the extension's depends on what mallory has: all of it can go.
$node->safe_psql('attacked', "SET search_path = pg_catalog; $drop_casts; DROP OWNED BY mallory");
is($node->safe_psql('attacked', q{SELECT count(*) FROM pg_operator WHERE oprnamespace <> 'pg_catalog'::regnamespace}), 0, 'the traps are gone');
as_it_should_be('attacked', 'without the traps');
like($node->safe_psql('attacked', q{SELECT coderring_get_code('order')}), qr/^\w{3,}\z/, 'without the traps: codes go on');

#
# CREATE EXTENSION by the role that has set the traps, also in its own
# temporary schema: the script runs as a superuser.
#
set_traps('trusted');
my $mallory = new_session($node, 'trusted', 'user=mallory');
$mallory->query('SET standard_conforming_strings = off');	# from 19 on it stays on
do_all($mallory, 'SET trap.schema = pg_temp', $traps,
	'SET transform_null_equals = on', 'SET quote_all_identifiers = on', 'SET array_nulls = off',
	'SET check_function_bodies = off', 'SET row_security = off', q{SET plpgsql.extra_errors = 'all'}, 'SET bytea_output = escape',
	'SET client_min_messages = error');
sprung();
my @paths = ('evil, public, pg_catalog', 'pg_temp, evil, public, pg_catalog', 'public, pg_temp', '"$user", pg_temp, pg_catalog', '');
foreach my $path (@paths)
{
	do_all($mallory, $path eq '' ? q{SET search_path = ''} : "SET search_path = $path", 'CREATE EXTENSION coderring SCHEMA public');
	none_sprung("CREATE EXTENSION by mallory, search_path = $path");
	as_it_should_be('trusted', "CREATE EXTENSION by mallory, search_path = $path");
	do_all($mallory, q{SELECT public.coderring_create('order')}, q{SELECT public.coderring_get_code('order')},
		'TABLE coderring.series', 'DROP EXTENSION coderring', 'CREATE SCHEMA coderring');
	none_sprung("its use by mallory, search_path = $path");
}
do_all($mallory, 'SET search_path = evil, public, pg_catalog', 'CREATE EXTENSION coderring');
none_sprung('CREATE EXTENSION by mallory, among the traps');
is($node->safe_psql('trusted', q{SELECT DISTINCT extnamespace::regnamespace FROM pg_extension WHERE extname = 'coderring'}), 'evil',
	'CREATE EXTENSION by mallory, among the traps: is there');
(my $there = $node->safe_psql('trusted', $what_it_is)) =~ s/\bevil\./public./g;
$there =~ s/ in evil / in public /g;
is(join("\n", sort split(/\n/, $there)), join("\n", sort split(/\n/, $clean)),
	'CREATE EXTENSION by mallory, among the traps: the same objects');
do_all($mallory, 'DROP EXTENSION coderring', 'CREATE EXTENSION coderring SCHEMA public');
$mallory->quit;
refused('trusted', @attacks);
as_it_should_be('trusted', 'the installing role has changed nothing');
none_sprung('attacks by the installing role');

#
# Functions of the extension's names
#
$node->safe_psql('postgres', 'CREATE DATABASE named');
$node->safe_psql('named', 'GRANT CREATE ON DATABASE named TO mallory; GRANT CREATE ON SCHEMA public TO mallory');
my @functions = split(/\n/, $node->safe_psql('clean', q{
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND deptype = 'e'
		JOIN pg_extension e ON refobjid = e.oid AND extname = 'coderring' WHERE pronamespace = 'public'::regnamespace}));
cmp_ok(scalar(@functions), '>', 15, 'functions to be imitated');
my $body = q{LANGUAGE plpgsql AS $$BEGIN RAISE LOG 'sprung: %, as %', 'imitation', current_user; RETURN NULL; END$$};
foreach my $function (@functions)
{
	$node->safe_psql('named', "CREATE FUNCTION public.$function RETURNS text $body", extra_params => [ '-U', 'mallory' ]);
	my (undef, undef, $error) = $node->psql('named', 'CREATE EXTENSION coderring', extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($error, qr/ERROR:  42723: function "\w+" already exists with same argument types/, "$function is there: an error");
	is($node->safe_psql('named', qq{SELECT proowner::regrole, (SELECT count(*) FROM pg_depend WHERE deptype = 'e' AND objid = p.oid),
			to_regnamespace('coderring') IS NULL, (SELECT count(*) FROM pg_extension WHERE extname = 'coderring')
			FROM pg_proc p WHERE oid = 'public.$function'::regprocedure}),
		'mallory|0|t|0', 'and nothing is adopted or left behind');
	$node->safe_psql('named', "DROP FUNCTION public.$function");
}
foreach my $function (@functions)
{
	(my $name = $function) =~ s/\(.*//;
	$node->safe_psql('named', "CREATE FUNCTION public.$name($_) RETURNS text $body", extra_params => [ '-U', 'mallory' ])
	  foreach ('char', 'varchar, varchar', 'name, text, varchar, bool', 'VARIADIC anyarray');
}
sprung();
$node->safe_psql('named', 'CREATE EXTENSION coderring');
as_it_should_be('named', 'functions of the same names');
is($node->safe_psql('named', q{SELECT coderring_create('order'::text, 4, NULL::text, NULL::text, false, NULL::int, 0::bigint, false);
	SELECT length(coderring_get_code('order'::text, ''::text, false)); SELECT name FROM coderring.rings}), "\n4\norder",
	'functions of the same names: those of the extension are called by their arguments');
none_sprung('functions of the same names');

$node->stop;
done_testing();
