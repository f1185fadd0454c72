# Codes back to what they were made of: issued is exact over whole domains, and
# never denies a code that is out, whatever happens to the server; and what
# depends on the database's encoding, on other sessions or on the server's log.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q{
coderring.failover_gap = 0
checkpoint_timeout = 1h
max_connections = 60
}, allows_streaming => 1);

#
# Tables of what was handed out and of all texts that could be, and their
# comparison with coderring_issued in both directions.
#
my $tools = <<'SQL';
CREATE TABLE handed (ring text, extra text COLLATE "C", code text COLLATE "C");
CREATE TABLE domain (ring text, code text COLLATE "C");
CREATE FUNCTION texts(length int, alphabet text DEFAULT coderring_alphabet('default')) RETURNS SETOF text LANGUAGE sql AS $$
	WITH RECURSIVE texts AS (
		SELECT ''::text COLLATE "C" AS code, 0 AS n
		UNION ALL
		SELECT code || letter, n + 1
			FROM texts, regexp_split_to_table(alphabet, '') AS letter WHERE n < length
	)
	SELECT code FROM texts WHERE n = length
$$;
-- Steps like 'extra:3' for three codes, or 'extra:bump' for one
CREATE FUNCTION draw(ring text, VARIADIC steps text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..cardinality(steps) LOOP
		INSERT INTO handed
			SELECT ring, split_part(steps[i], ':', 1), code
			FROM coderring_get_codes(ring, CASE WHEN steps[i] LIKE '%:bump' THEN 0 ELSE split_part(steps[i], ':', 2)::int END,
				split_part(steps[i], ':', 1)) code
			UNION ALL
			SELECT ring, split_part(steps[i], ':', 1), coderring_get_code(ring, split_part(steps[i], ':', 1), true)
			WHERE steps[i] LIKE '%:bump';
	END LOOP;
END $$;
-- "denied" were handed out and are not issued, "invented" are issued and were
-- not handed out.
CREATE FUNCTION compare(ring text, OUT texts bigint, OUT handed bigint, OUT denied bigint, OUT invented bigint) LANGUAGE sql AS $$
	SELECT count(d.code), count(h.code), count(h.code) FILTER (WHERE i IS NOT true), count(*) FILTER (WHERE i AND h.code IS NULL)
		FROM (SELECT * FROM domain x WHERE x.ring = compare.ring) d
			FULL JOIN (SELECT * FROM handed x WHERE x.ring = compare.ring) h USING (code),
			coderring_issued(compare.ring, code) i
$$;
-- What a stop of the server can skip: reserved, and not handed out
CREATE VIEW outstanding AS
	SELECT s.ring, sum(s.reserved_to - s.cycle * (length(r.alphabet)::float8 ^ r.base_length)::bigint - s.cycle_offset) AS codes
		FROM coderring.series s JOIN coderring.rings r ON r.name = s.ring GROUP BY 1;
SQL

sub compare
{
	my ($server, $ring, $dbname) = @_;
	my ($texts, $handed, $denied, $invented) =
	  split(/\|/, $server->safe_psql($dbname // 'postgres', "SELECT * FROM compare('$ring')"));

	return { texts => $texts, handed => $handed, denied => $denied, invented => $invented };
}

# exact(RING, TITLE): issued are those that were handed out and no others.
sub exact
{
	my ($server, $ring, $title) = @_;
	my $found = compare($server, $ring);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$found->{denied} denied, $found->{invented} invented", '0 denied, 0 invented',
		"$title: issued are the $found->{handed} codes handed out, of $found->{texts} texts");
	cmp_ok($found->{texts}, '>', $found->{handed}, "$title: there are more texts than codes");
	return;
}

# superset(RING, MOST, TITLE): none is denied, and at most so many are too much.
sub superset
{
	my ($server, $ring, $most, $title) = @_;
	my $found = compare($server, $ring);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($found->{denied}, 0, "$title: none of $found->{handed} codes is denied");
	cmp_ok($found->{invented}, '<=', $most, "$title: $found->{invented} are counted that were skipped");
	return $found->{invented};
}

$node->safe_psql('postgres', $tools);

#
# Whole domains of the default alphabet: a thousand codes with a check
# character, and 32 thousand, both with a filter, and extras that are made of
# the alphabet, so that cycles are skipped
#
$node->safe_psql('postgres', q{
	SELECT coderring_create('thousand', 2, 'english', check_character => true);
	INSERT INTO domain SELECT 'thousand', prefix || t FROM texts(3) t, unnest('{"",X,W,2,3,V,Z,ab-}'::text[]) prefix;
	SELECT coderring_create('many', 3, 'english');
	INSERT INTO domain SELECT 'many', prefix || t FROM texts(3) t, unnest('{"",X,ab-}'::text[]) prefix;
	ANALYZE domain});
$node->safe_psql('postgres', q{SELECT draw('thousand', ':100', 'X:1', 'ab-:1000', '2:30')});
exact($node, 'thousand', '1,024 codes, first cycle');
$node->safe_psql('postgres', q{SELECT draw('thousand', ':3000', 'X:700', 'W:1', 'ab-:bump', ':bump', '2:bump', '3:bump', 'Z:1024')});
exact($node, 'thousand', '1,024 codes, later cycles');
$node->safe_psql('postgres', q{SELECT draw('many', ':12345', 'X:30000', '2:1', 'ab-:200')});
exact($node, 'many', '32,768 codes, first cycle');
$node->safe_psql('postgres', q{INSERT INTO domain SELECT 'many', prefix || t FROM texts(3) t, unnest('{W,2,3,Z}'::text[]) prefix});
$node->safe_psql('postgres', q{SELECT draw('many', ':45678', '2:bump', 'ab-:bump', 'X:4000', 'W:40000', ':bump')});
exact($node, 'many', '32,768 codes, later cycles');

# A million, by random texts
$node->safe_psql('postgres', q{
	SELECT coderring_create('million');
	SELECT draw('million', ':250000', 'W:130000', 'ab-:500');
	CREATE INDEX ON handed (code) WHERE ring = 'million';
	ANALYZE handed});
is($node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE issued) > 10000, count(*) FILTER (WHERE NOT issued) > 10000,
			count(*) FILTER (WHERE issued <> EXISTS (SELECT FROM handed h WHERE h.ring = 'million' AND h.code = t.code))
		FROM (SELECT code, coderring_issued('million', code) AS issued
			FROM (SELECT (ARRAY['', '', '', 'W', 'W', '2', 'ab-'])[1 + i % 7] || string_agg(substr(a, 1 + floor(random() * 32)::int, 1), '') AS code
				FROM generate_series(1, 100000) i, coderring_alphabet('default') a, generate_series(1, 4) GROUP BY i) c) t}),
	'100000|t|t|0', '1,048,576 codes: issued are those handed out, of 100,000 texts');
is($node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE d.issued AND d.extra = h.extra AND d.extra || d.uniquizer || d.base = h.code)
		FROM handed h, coderring_decode('million', h.code) d WHERE h.ring = 'million' AND (h.extra <> '' OR hashtext(h.code) % 10 = 0)})
	=~ /^(\d+)\|\1\z/ && $1 > 100_000, 1, '1,048,576 codes: decoded to the extras they were asked with');

#
# Other sessions see a code as soon as there is one, also while the
# transaction that took it is open, and when it is not committed.
#
my $taker = new_session($node);
my $reader = new_session($node);
my $read_only = new_session($node);

# the codes to come are known from a ring with the same key
$node->safe_psql('postgres', qq{SELECT coderring_create('$_', 2), coderring_reset('$_', test_seed => 'seen')}) foreach 'seen', 'as seen';
my @coming = split(/\n/, $node->safe_psql('postgres', q{SELECT coderring_get_codes('as seen', 40)}));
$read_only->query('BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; SELECT count(*) FROM handed');
$taker->query('BEGIN');
my ($late, $early) = (0, 0);
foreach my $n (1 .. 40)
{
	my $next = shift @coming;

	$early += grep { $_->query("SELECT coderring_issued('seen', '$next')") ne 'f' } $reader, $read_only, $taker;
	my $code = $taker->query(q{SELECT coderring_get_code('seen')});
	is($code, $next, 'the code that was to come') if $n == 1;
	$late += grep { $_->query("SELECT coderring_issued('seen', '$code')") ne 't' } $reader, $read_only, $taker;
}
is($early, 0, 'before a code is handed out it is not issued');
is($late, 0, 'as soon as it is handed out it is issued, for every session');
$taker->query('ROLLBACK');
is($reader->query(q{SELECT count(*) FROM texts(2) code WHERE coderring_issued('seen', code)}), 40, 'and after ROLLBACK');
$_->quit foreach $taker, $reader, $read_only;

# Clients at full speed: of codes beyond what they take, none is ever issued.
my $clients = 4;
my $each = 4000;

$node->safe_psql('postgres', qq{
	SELECT coderring_create('busy', 3), coderring_create('as busy', 3), coderring_reset('busy', test_seed => 'busy'), coderring_reset('as busy', test_seed => 'busy');
	SELECT coderring_advance('busy', '', 0, 100);
	CREATE TABLE busy_order AS SELECT * FROM coderring_get_codes('as busy', 32768) WITH ORDINALITY c (code, place);
	SELECT coderring_drop('as busy'), coderring_drop('as seen');
	CREATE TABLE beyond AS SELECT code FROM busy_order WHERE place > 100 + $clients * $each;
	CREATE TABLE before AS SELECT code FROM busy_order WHERE place <= 100});
my $script = write_script("SELECT coderring_get_code('busy');\n" x $each);
my $watch = write_script(q{
	SELECT (SELECT count(*) FROM beyond WHERE coderring_issued('busy', code)), (SELECT count(*) FROM before WHERE NOT coderring_issued('busy', code));
} x 60);
my @runs = map { start_client($node, $script) } 1 .. $clients;
my @watchers = map { start_client($node, $watch) } 1 .. 2;
stop_clients(@runs, @watchers);
is(errors_of(@runs, @watchers), '', 'codes taken and looked at by many: no errors');
is(join('', sort(output_of(@watchers))), "0|0\n" x 120, 'no code is issued early, and none is forgotten');
my @busy = output_of(@runs);
chomp @busy;
is(scalar(@busy), $clients * $each, 'all codes were taken');
$node->safe_psql('postgres', q{
	INSERT INTO domain SELECT 'busy', t FROM texts(3) t;
	INSERT INTO handed SELECT 'busy', '', code FROM before;
	INSERT INTO handed VALUES } . join(',', map { "('busy', '', '$_')" } @busy));
exact($node, 'busy', 'after many clients');

#
# Statistics: what many sessions did, added up; gone after a restart
#
is($node->safe_psql('postgres', q{SELECT issued, skipped FROM coderring.stats WHERE ring = 'busy'}),
	$clients * $each . '|0', 'stats: the codes of all clients, and none of those passed over by coderring_advance');
is($node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE s.issued = h.count) FROM coderring.stats s
		JOIN (SELECT ring, extra, count(*) FROM handed WHERE ring <> 'busy' GROUP BY 1, 2) h USING (ring, extra)}),
	'15|15', 'stats: issued of each series is what was handed out');
is($node->safe_psql('postgres', q{SELECT refill_waits FROM coderring.stats WHERE ring = 'seen'}), 0, 'stats: one session alone never waits');

# A refill that is stuck: who wants a code then waits, and is counted.
$node->safe_psql('postgres', q{SELECT coderring_create('stuck', 2); SELECT coderring_get_codes('stuck', 16)});
await_standbys($node, 'nobody');
my @stuck = map { new_session($node) } 1 .. 4;
my $prober = new_session($node);
my $probe = 0;

# A commit waits for a standby only once the checkpointer, too, has read the
# configuration. Commits until one waits.
sub wait_for_commits_that_wait
{
	while (1)
	{
		$probe++;
		$prober->send("SELECT pg_logical_emit_message(true, 'probe', '$probe') IS NOT NULL");
		my $state;
		wait_until(sub {
			$state = $node->safe_psql('postgres', qq{
				SELECT CASE WHEN wait_event = 'SyncRep' THEN 'waits' WHEN state = 'idle' THEN 'done' END
				FROM pg_stat_activity WHERE pid = $prober->{pid} AND query LIKE '%''probe'', ''$probe''%'});
			return $state ne '';
		}) or die 'the probe neither waits nor ends';
		return if $state eq 'waits';
		$prober->receive;
	}
}

wait_for_commits_that_wait();
$stuck[0]->send(q{SELECT coderring_get_code('stuck')});
$node->poll_query_until('postgres', "SELECT wait_event = 'SyncRep' FROM pg_stat_activity WHERE pid = $stuck[0]->{pid}")
  or die 'session does not wait for the standby';
$_->send(q{SELECT coderring_get_code('stuck')}) foreach @stuck[ 1 .. 3 ];
wait_for_lock($node, map { $_->{pid} } @stuck[ 1 .. 3 ]);
is($node->safe_psql('postgres', q{SELECT issued, refills, refill_waits FROM coderring.stats WHERE ring = 'stuck'}),
	'16|1|0', 'stats: while a refill is under way');
await_standbys($node, '');
my %come = map { $_ => 1 } grep { /^..\z/ } map { $_->receive } @stuck;
$prober->receive;
is(scalar(keys %come), 4, 'all four get codes when it is done');
is($node->safe_psql('postgres', q{SELECT issued, refills, refill_waits FROM coderring.stats WHERE ring = 'stuck'}),
	'20|2|3', 'stats: three had to wait');

# The server wakes whoever waits for a standby a moment before it says that none
# is awaited any more. In between it is not to be taken for a cancel.
my $failed = 0;
my $controller = new_session($node);
$controller->query(q{SET synchronous_commit = local});
$node->safe_psql('postgres', q{SELECT coderring_create('awaited', 1)});
foreach (1 .. 40)
{
	$controller->query(qq{ALTER SYSTEM SET synchronous_standby_names = 'nobody';\nSELECT pg_reload_conf()});
	wait_for_commits_that_wait();
	$stuck[0]->send(q{SELECT coderring_get_code('awaited')});
	wait_until(sub { $controller->query("SELECT wait_event FROM pg_stat_activity WHERE pid = $stuck[0]->{pid}") eq 'SyncRep' })
	  or die 'session does not wait for the standby';
	$controller->query(qq{ALTER SYSTEM RESET synchronous_standby_names;\nSELECT pg_reload_conf()});
	$failed++ if $stuck[0]->receive !~ /^.+\z/;
	$prober->receive;
}
is($failed, 0, 'no error where standbys are no longer awaited');
$_->quit foreach @stuck, $controller, $prober;

#
# Little memory: thousands of series, most of them without a place. Exact
# nevertheless.
#
my $small = new_node('small', q{
coderring.max_shared_memory = 1MB
shared_preload_libraries = 'coderring'
});
my $series = 5000;

$small->safe_psql('postgres', $tools);
$small->safe_psql('postgres', qq{
	SELECT coderring_create('small', 1);
	INSERT INTO domain SELECT 'small', i || '-' || t FROM generate_series(1, $series) i, texts(1) t;
	INSERT INTO domain SELECT 'small', i || '-X' || t FROM generate_series(1, $series, 7) i, texts(1) t});
foreach my $round (1 .. 3)
{
	$small->safe_psql('postgres', qq{
		INSERT INTO handed SELECT 'small', extra, coderring_get_codes('small', 1 + i % 4, extra)
			FROM generate_series(1, $series) i, concat(i, '-') extra;
		INSERT INTO handed SELECT 'small', extra, coderring_get_code('small', extra, true)
			FROM generate_series(1, $series, 7) i, concat(i, '-') extra WHERE $round = 3});
	exact($small, 'small', "$series series in little memory, round $round");
}
cmp_ok($small->safe_psql('postgres', q{SELECT count(*) FROM coderring.stats}), '<', $series - 500,
	'most series have lost their places meanwhile');

# When a series gets its place again, its codes are not denied in any moment of
# that. Asked for is always the code of the series whose turn it is.
$small->safe_psql('postgres', qq{
	CREATE SEQUENCE turn MINVALUE 0;
	CREATE PROCEDURE take() LANGUAGE plpgsql AS \$\$
	BEGIN
		WHILE nextval('turn') <= $series LOOP
			PERFORM coderring_get_code('small', currval('turn') || '-');
		END LOOP;
	END \$\$;
	CREATE FUNCTION ask(OUT denied bigint, OUT asked bigint) LANGUAGE plpgsql AS \$\$
	DECLARE
		codes text[] := (SELECT array_agg(code ORDER BY extra) FROM (SELECT split_part(extra, '-', 1)::int AS extra, min(code) AS code
			FROM handed GROUP BY 1) h);
		n int := 0;
	BEGIN
		denied := 0;
		asked := 0;
		WHILE n <= $series LOOP
			SELECT last_value INTO n FROM turn;
			CONTINUE WHEN n NOT BETWEEN 1 AND $series;
			FOR i IN 1..5 LOOP
				IF NOT coderring_issued('small', codes[n]) THEN
					denied := denied + 1;
				END IF;
				asked := asked + 1;
			END LOOP;
		END LOOP;
	END \$\$});
$small->restart;
my $asking = start_client($small, write_script('SELECT * FROM ask()'));
my $taking = start_client($small, write_script('CALL take()'));
stop_clients($taking, $asking);
is(errors_of($taking, $asking), '', 'places change hands: no errors');
like(join('', output_of($asking)), qr/^0\|\d{4,}\n\z/, 'places change hands: no code is denied');
$small->stop;

#
# Restart and crash: what was reserved and not handed out counts as issued.
# A sample of texts will do from here on.
#
my @rings = ('thousand', 'many', 'million', 'seen', 'busy');

sub outstanding
{
	my ($ring) = @_;

	return $node->safe_psql('postgres', "SELECT codes FROM outstanding WHERE ring = '$ring'");
}

$node->safe_psql('postgres', q{
	INSERT INTO domain SELECT 'seen', t FROM texts(2) t;
	INSERT INTO handed SELECT 'seen', '', code FROM texts(2) code WHERE coderring_issued('seen', code);
	DELETE FROM handed WHERE ring IN ('million', 'many', 'thousand') AND hashtext(code) % 5 <> 0;
	DELETE FROM domain WHERE ring IN ('million', 'many', 'thousand') AND hashtext(code) % 5 <> 0;
	INSERT INTO domain SELECT 'million', code FROM handed WHERE ring = 'million'});
my $before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
my %most = map { $_ => outstanding($_) } @rings;
cmp_ok($most{many}, '>', 0, 'there are codes in memory');
$node->restart;
is($node->safe_psql('postgres', 'SELECT count(*) FROM coderring.stats'), 0, 'stats are gone after a restart');
my %skipped = map { $_ => superset($node, $_, $most{$_}, "$_ after a restart") } @rings;
cmp_ok($skipped{many}, '>', 0, 'a restart does skip codes');
$node->safe_psql('postgres', q{SELECT draw('thousand', ':40', 'X:1', 'V:2'), draw('many', ':200', 'X:3', 'V:1'), draw('seen', ':1')});
is($node->safe_psql('postgres', qq{
	SELECT string_agg(extra || ' ' || issued, ',' ORDER BY extra), bool_and(since > '$before') FROM coderring.stats WHERE ring = 'thousand'}),
	' 40,V 2,X 1|t', 'stats count from then on');
is(compare($node, $_)->{invented}, $skipped{$_}, "$_: and nothing is added to that later") foreach 'thousand', 'many', 'seen';

# A crash in the midst of it
$script = write_script(join('', map { "SELECT '$_', coderring_get_code('$_', 'X');\nSELECT '$_', coderring_get_code('$_');\n" } ('thousand', 'many', 'million') x 5000));
@runs = map { start_client($node, $script) } 1 .. 3;
wait_for_output(60_000, @runs);
$node->stop('immediate');
stop_clients(@runs);
$node->start;
my @received = map { chomp; [ split(/\|/) ] } output_of(@runs);
$node->safe_psql('postgres', 'INSERT INTO handed (ring, code) VALUES ' . join(',', map { "('$_->[0]', '$_->[1]')" } @received));
foreach my $ring (@rings)
{
	# Three series at most, that were in use; and answers under way
	my $bases = $node->safe_psql('postgres', "SELECT 32 ^ base_length FROM coderring.rings WHERE name = '$ring'");

	$skipped{$ring} = superset($node, $ring, $skipped{$ring} + 3 * $bases / 64 + @runs, "$ring after a crash");
}
is(scalar(grep { $_->{run}->result(0) == 0 } @runs), 0, 'clients were at work at the crash');

#
# A standby, which knows what is reserved, and its promotion
#
$node->safe_psql('postgres', q{SELECT draw('thousand', ':20', 'Z:bump'), draw('many', ':333', 'new:5')});
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{SELECT draw('thousand', ':2000', 'W:3', 'ab-:bump', '2:bump'), draw('many', ':777', 'newer:5', 'X:bump')});
$node->wait_for_catchup($standby);
%most = map { $_ => $skipped{$_} + outstanding($_) } @rings;
superset($standby, $_, $most{$_}, "$_ on a standby") foreach @rings;
is($standby->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE d.issued AND d.extra = h.extra) FROM handed h, coderring_decode(h.ring, h.code) d
		WHERE h.ring IN ('many', 'thousand') AND h.extra IS NOT NULL})
	=~ /^(\d+)\|\1\z/, 1, 'on a standby codes decode to the extras they were asked with');
is($standby->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE coderring_normalize(ring, code) = code AND coderring_normalize(ring, lower(code) || ' -') = code)
		FROM handed h WHERE ring IN ('seen', 'thousand')})
	=~ /^(\d+)\|\1\z/, 1, 'and are normalised');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM coderring.stats'), 0, 'a standby has no stats');
my %on_standby = map { $_ => compare($standby, $_)->{invented} } @rings;
$standby->promote;
$node->stop;
$standby->safe_psql('postgres', q{SELECT draw('thousand', ':100', 'X:2', 'V:bump'), draw('many', ':1000', 'X:2', 'W:bump')});
is(compare($standby, $_)->{denied}, 0, "$_ after promotion: none is denied") foreach @rings;
is(compare($standby, $_)->{invented}, $on_standby{$_}, "$_ after promotion: what is skipped stays the same") foreach @rings;
$node = $standby;

#
# Encodings: the same check characters, and what people type in each of them
#
$ENV{PGCLIENTENCODING} = 'UTF8';
my %databases = (utf8 => 'UTF8', latin1 => 'LATIN1', latin9 => 'LATIN9', cyrillic => 'KOI8R', japanese => 'EUC_JP', none => 'SQL_ASCII');
my $unicode = q{SELECT coderring_create('c', 2, check_character => true), coderring_create('plain', 2), coderring_create('digits', 2, alphabet => '0123456789')};

foreach my $dbname (sort keys %databases)
{
	$node->safe_psql('postgres', "CREATE DATABASE $dbname TEMPLATE template0 ENCODING '$databases{$dbname}' LOCALE 'C'");
	$node->safe_psql($dbname, "CREATE EXTENSION coderring; $unicode; $tools");
}

# check(DATABASE, EXTRA): the check characters that are valid for texts behind
# an extra, by alphabets of several sizes.
sub check
{
	my ($dbname, $extra) = @_;

	return $node->safe_psql($dbname, qq{
		SELECT string_agg(letter, '' ORDER BY radix, base)
			FROM generate_series(2, 64) radix, left(coderring_alphabet('base64url'), radix) alphabet,
				unnest(ARRAY['A', 'BA', 'AAB']) base, regexp_split_to_table(alphabet, '') letter
			WHERE coderring_is_valid(alphabet, '$extra' || base || letter)});
}

my %extras = ('ASCII' => [ '26-', sort keys %databases ], 'é' => [ 'utf8', 'latin1', 'latin9' ], '€' => [ 'utf8', 'latin9' ], 'Žž' => [ 'utf8', 'latin9' ],
	'Дом' => [ 'utf8', 'cyrillic', 'japanese' ], '日本-' => [ 'utf8', 'japanese' ], 'ａ' => [ 'utf8', 'japanese' ]);
foreach my $extra (sort keys %extras)
{
	my ($utf8, @others) = @{ $extras{$extra} };
	my $text = $extra eq 'ASCII' ? $utf8 : $extra;
	my $checks = check('utf8', $text);

	is(length($checks), 3 * 63, "$text: one check character is valid for each text");
	is(check($_, $text), $checks, "$text: the same check characters in $databases{$_}") foreach grep { $_ ne 'utf8' } @others;
	next if $extra eq 'ASCII';
	foreach my $dbname ('utf8', @others)
	{
		is($node->safe_psql($dbname, qq{
			WITH codes AS (SELECT coderring_get_codes('c', 1100, '$text') AS code)
			SELECT count(*), count(*) FILTER (WHERE coderring_is_valid(coderring_alphabet('default'), code)),
				count(*) FILTER (WHERE coderring_issued('c', code)), count(*) FILTER (WHERE coderring_normalize('c', code) = code),
				count(*) FILTER (WHERE coderring_normalize('c', '$text ' || lower(substr(code, 1 + length('$text')))) = code) FROM codes}),
			'1100|1100|1100|1100|1100', "$text: codes in $databases{$dbname}");
	}
}

# Every code of these rings is out, so that what is typed can be told apart
# from nothing.
my $out = q{SELECT count(*) FROM (SELECT coderring_get_codes('plain', 2048, e) FROM unnest(ARRAY['', '26-']) e) c};
$node->safe_psql($_, $out) foreach keys %databases;

sub typed
{
	my ($dbname, @inputs) = @_;

	return join(' ', split(/\n/, $node->safe_psql($dbname,
		q{SELECT coalesce(coderring_normalize('plain', input), '?') FROM unnest(ARRAY[} . join(',', map { "'$_'" } @inputs) . q{]) input})));
}
is(typed('utf8', '7g', '26–7g', '７Ｇ', 'АВ', 'αβ', '٢٩', 'é7', "7\x{C2}\x{A0}g", "7\x{C2}\x{AD}g", '“7g”', '»26-7g«', '‚7g‘', '="7g"'),
	'7G 26-7G 7G AB AB 29 ? 7G 7G 7G 26-7G 7G 7G', 'typed in UTF8');
is(typed('latin1', '7g', '26-7g', "7\x{C2}\x{A0}g", "7\x{C2}\x{AD}g", '7·g', 'é7', '7µ', 'ÿ', '7 ÷ g', '«7g»', '»26-7g«', '´7g´', '7/g', '«'),
	'7G 26-7G 7G 7G 7G ? ? ? ? 7G 26-7G 7G 7G ?', 'typed in LATIN1');
is(typed('latin9', '7g', "2\x{C2}\x{A0}6 7g", '€7', '«7g»'), '7G 26-7G ? 7G', 'typed in LATIN9');
is(typed('cyrillic', '7g', 'АВ', 'сз', '26 СЕ', "7\x{C2}\x{A0}g", 'Ж7'), '7G AB C3 26-CE 7G ?', 'typed in KOI8R');
is(typed('japanese', '7g', '７Ｇ', '２６－ｘ７ｇ', '２６　７ｇ', 'АВ', 'ΑΒ', '7－g', '日本', '7ー7', '「７ｇ」', '“26-7g”', '＊７Ｇ＊'), '7G 7G 26-X7G 26-7G AB AB 7G ? 77 7G 26-7G 7G', 'typed in EUC_JP');
is(typed('none', '7g', '26-7g', '26_x7g', 'é', '日本', '="7g"', '*26/7g*', '`7g`', '“7g”', '«7g»'), '7G 26-7G 26-X7G ? ? 7G 26-7G 7G ? ?', 'typed without an encoding');

# No character is an error, whatever stands around it.
my %all = (
	utf8 => q{SELECT chr(n) FROM generate_series(1, 70000) n WHERE n NOT BETWEEN 55296 AND 57343},
	latin1 => q{SELECT chr(n) FROM generate_series(1, 255) n},
	latin9 => q{SELECT chr(n) FROM generate_series(1, 255) n},
	cyrillic => q{SELECT chr(n) FROM generate_series(1, 255) n},
	japanese => q{SELECT chr(n) FROM generate_series(1, 127) n UNION ALL
		SELECT convert_from(set_byte(set_byte('\x0000', 0, a), 1, b), 'EUC_JP') FROM generate_series(161, 254) a, generate_series(161, 254) b UNION ALL
		SELECT convert_from(set_byte('\x8e00', 1, b), 'EUC_JP') FROM generate_series(161, 223) b UNION ALL
		SELECT convert_from(set_byte(set_byte('\x8f0000', 1, a), 2, b), 'EUC_JP') FROM generate_series(161, 254, 7) a, generate_series(161, 254) b},
	none => q{SELECT convert_from(set_byte('\x00', 0, a), 'SQL_ASCII') FROM generate_series(1, 255) a UNION ALL
		SELECT convert_from(set_byte(set_byte('\x0000', 0, a), 1, b), 'SQL_ASCII') FROM generate_series(128, 255) a, generate_series(1, 255, 3) b});
foreach my $dbname (sort keys %all)
{
	my ($ret, $stdout, $stderr) = $node->psql($dbname, qq{
		SELECT count(*) > 250, count(coderring_normalize('plain', c)), count(coderring_normalize('plain', '7' || c || 'G')) > 0,
			count(coderring_normalize('c', c || '7G' || c || '7')) >= 0,
			count(*) FILTER (WHERE coderring_issued('plain', c || '7G')), count(coderring_decode('plain', 'X' || c || 'G')) > 0,
			count(coderring_is_valid('AB', c || 'A' || c || 'A')) > 0 FROM ($all{$dbname}) a (c)});
	is("$ret|$stdout|$stderr", '0|t|0|t|t|1|t|t|', "every character in $databases{$dbname}");
}

# Extras in the other case, where the database's locale knows it
SKIP:
{
	my ($ret) = $node->psql('postgres', q{CREATE DATABASE cased TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'});

	skip 'no locale C.UTF-8', 1 if $ret != 0;
	$node->safe_psql('cased', q{CREATE EXTENSION coderring; SELECT coderring_create('plain', 1);
		SELECT count(coderring_get_code('plain', e)) FROM generate_series(1, 32), unnest(ARRAY['Été-', 'жук', 'ЖУК', 'ΣΑΣ']) e});
	is(typed('cased', 'été 7', 'ÉTÉ7', 'Été-7', 'Жук7', 'жук7', 'ЖУК7', 'ЖУК-7', 'σας7', 'σασ7'), 'Été-7 Été-7 Été-7 ? жук7 ЖУК7 ? ? ΣΑΣ7',
		'extras in other cases');
}

#
# The server's log: a line when a series goes on with other codes
#
my $log_from = -s $node->logfile;

# logged(SQL): what is logged of cycles while it runs
sub logged
{
	my ($sql) = @_;

	$node->safe_psql('postgres', $sql);
	my $log = slurp_file($node->logfile, $log_from);
	$log_from = -s $node->logfile;
	return join("\n", map { s/^.*?(LOG|DETAIL):\s+//r } grep { /LOG:  ring|DETAIL:  Its codes/ } split(/\n/, $log));
}

sub line
{
	my ($ring, $cycle, $extra, $length, $prefix) = @_;

	return qq{ring "$ring" has begun cycle $cycle with extra "$extra"\nIts codes have $length characters from now on, and begin with "$prefix".};
}

is(logged(q{SELECT coderring_create('log', 1); SELECT coderring_get_codes('log', 32); SELECT coderring_get_codes('log', 31, 'é-')}), '',
	'log: nothing in the first cycle, nor at its end');
is(logged(q{SELECT coderring_get_code('log')}), line('log', 1, '', 2, 'X'), 'log: a wrap');
is(logged(q{SELECT coderring_get_codes('log', 31); SELECT coderring_issued('log', 'XX'); SELECT * FROM coderring.series}), '', 'log: nothing within a cycle');
is(logged(q{SELECT coderring_get_codes('log', 2, 'é-')}), line('log', 1, 'é-', 4, 'é-X'), 'log: a wrap with an extra, in characters');
is(logged(q{BEGIN; SELECT coderring_get_code('log', 'é-', true); ROLLBACK}), line('log', 2, 'é-', 4, 'é-W'), 'log: a bump, although rolled back');
is(logged(q{SELECT coderring_get_code('log', '24', true)}), '', 'log: a bump of an unused series begins nothing');
is(logged(q{SELECT coderring_advance('log', '', 33)}), '', 'log: nothing at coderring_advance');
is(logged(q{SELECT coderring_get_code('log')}), line('log', 33, '', 3, 'WX'), 'log: but at the code after it');
is(logged(q{SELECT coderring_get_codes('log', 64)}), line('log', 34, '', 3, 'WW') . "\n" . line('log', 35, '', 3, 'W2'), 'log: each wrap of one call');
is(logged(q{SELECT coderring_get_code('log', 'WW', true); SELECT coderring_get_codes('log', 32, 'W3'); SELECT coderring_get_codes('log', 32)}),
	line('log', 1, 'WW', 4, 'WWX') . "\n" . line('log', 37, '', 3, 'W4'), 'log: past cycles that are others\'');
is(logged(q{SELECT coderring_create('log check', 1, check_character => true, first_cycle => 5); SELECT coderring_get_codes('log check', 32)}), '',
	'log: nothing in the first cycle of a ring that begins later');
is(logged(q{SELECT coderring_get_code('log check')}), line('log check', 6, '', 3, '5'), 'log: the length counts the check character');

# Once for each cycle, whoever is there
$log_from = -s $node->logfile;
$script = write_script("SELECT coderring_get_code('log many');\n" x 250);
$node->safe_psql('postgres', q{SELECT coderring_create('log many', 1)});
@runs = map { start_client($node, $script) } 1 .. 8;
stop_clients(@runs);
is(join(' ', map { /begun cycle (\d+)/ } split(/\n/, logged('SELECT 1'))), join(' ', 1 .. 62), 'log: many clients, each wrap once');
# A wrap after a restart
$node->safe_psql('postgres', q{SELECT coderring_get_codes('log many', 63 * 32 - 2000)});
$node->restart;
is(logged(q{SELECT coderring_get_codes('log many', 2)}), line('log many', 63, '', 3, 'WU'), 'log: the first code after a restart');

$node->stop;
done_testing();
