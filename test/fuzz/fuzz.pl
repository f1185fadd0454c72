# Calls every function of the extension with any arguments, in a database of
# its own of any encoding, and looks afterwards whether the rings still keep
# their promises. For test/fuzz.sh and test/asan.sh.
#
#   fuzz.pl run DATABASE SEED CALLS FILE    makes at least so many calls; the codes
#                                           that came out are appended to FILE, and
#                                           if the server fails, FILE.last is the
#                                           script that it was given last
#   fuzz.pl verify DATABASE FILE            looks at all of them, and draws more
#
# The database has the extension, and PGHOST and the like say where it is. Output
# is TAP. The same seed makes the same calls, but for what they take from codes
# that came before.
#
# What is called is read from the catalogs, so a new function is called as well.
# Errors are answers, unless their SQLSTATE says that something unforeseen has
# happened (class XX) or that an answer is no valid text (22021, which no argument
# here causes), or their own text is not valid in the database's encoding.

use strict;
use warnings;

use Encode ();
use File::Temp qw(tempdir);
use List::Util qw(min shuffle);
use Test::More;
use Time::HiRes qw(time);

my ($mode, $database, @arguments) = @ARGV;
my $directory = tempdir(CLEANUP => 1);
my $limit = '5s';		# of any statement
my @psql = ('psql', '-X', '-A', '-t', '-q', '-d', $database);

#
# psql
#

sub write_file
{
	my ($name, $text) = @_;

	open(my $file, '>:raw', $name) or die "$name: $!";
	print $file $text;
	close($file) or die "$name: $!";
	return;
}

sub read_file
{
	my ($name) = @_;

	open(my $file, '<:raw', $name) or die "$name: $!";
	local $/;
	return scalar(<$file>) // '';
}

# run_psql(SCRIPT, OPTIONS): exit status, what it printed, what it complained of.
sub run_psql
{
	my ($script, @options) = @_;
	my $pid;

	write_file("$directory/script", $script);
	$pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		open(STDOUT, '>', "$directory/out") or die $!;
		open(STDERR, '>', "$directory/err") or die $!;
		exec(@psql, @options, '-f', "$directory/script") or die $!;
	}
	waitpid($pid, 0);
	return ($?, read_file("$directory/out"), read_file("$directory/err"));
}

# Rows of a query that must not fail
sub query
{
	my ($sql) = @_;
	my ($status, $out, $err) = run_psql($sql, '-v', 'ON_ERROR_STOP=1');

	die "$err\n" if $status;
	return split(/\n/, $out);
}

sub group
{
	my ($number) = @_;

	1 while $number =~ s/^(\d+)(\d{3})/$1,$2/;
	return $number;
}

my ($encoding) = query('SELECT getdatabaseencoding()');

# As psql must not look at the bytes
$ENV{PGCLIENTENCODING} = $encoding;

#
# Values
#

my @names = map { "ring $_" } 1 .. 12;
my @lists = ('english', 'international', 'spreadsheet', 'mine', 'short', 'long');
my @roles = map { "$database $_" } 'a', 'b', 'c';
my @alphabets = (
	'01', '0123456789', 'ABC', 'VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', 'AS5!', q{'"\\%$:;,.?*/()},
	join('', map { chr } 64 .. 126), 'FUCK', 'abcdefghijklmnopqrstuvwxyz0123456789');
my @extras = ('', '', '', 'X', 'A', 'AB', '26', '0', '00', "\t");
my @codes = ('7GRY');
my @edges32 = (-2147483648, -2147483647, -1, 0, 1, 2, 12, 13, 63, 64, 65, 2147483646, 2147483647);
my @edges64 = (
	@edges32, '-9223372036854775808', '9223372036854775807', '9223372036854775806', '1152921504606846976',
	'4611686018427387904', '4294967296', '9007199254740993');

sub choose { return $_[ rand @_ ]; }

sub one_in { return rand($_[0]) < 1; }

# A random character of the database's encoding, never NUL
sub character
{
	return chr(1 + rand 127) if one_in(3);
	if ($encoding eq 'UTF8')
	{
		my $code = choose(
			0x80 + rand 0x780, 0x800 + rand 0xD000, 0xE000 + rand 0x2000, 0x10000 + rand 0x100000,
			0x300 + rand 0x70, 0xFF00 + rand 0xF0, 0x370 + rand 0x190, 0xA0, 0xAD, 0xFEFF, 0x200B + rand 5);

		return Encode::encode('utf8', chr(int($code)));
	}
	if ($encoding eq 'EUC_JP')
	{
		return choose(
			pack('CC', 0x8E, 0xA1 + rand 63),
			pack('CCC', 0x8F, 0xA1 + rand 94, 0xA1 + rand 94),
			pack('CC', 0xA1 + rand 94, 0xA1 + rand 94),
			# full-width digits and letters
			pack('CC', 0xA3, choose(0xB0 + rand 10, 0xC1 + rand 26, 0xE1 + rand 26)));
	}
	return chr(1 + rand 255);
}

sub any_text
{
	return join('', map { character() } 1 .. choose(0, 1, 2, 3, 5, 8, 20, rand 64, 63, 64, 65, rand 300));
}

# A code that was handed out, or what somebody has made of it
sub nearly_a_code
{
	my $code = choose(@codes);

	foreach (1 .. choose(0, 0, 0, 1, 1, 2, 5))
	{
		my $place = int(rand(length($code) + 1));

		last if $code eq '';
		$code = choose(
			sub { lc($code) },
			sub { uc($code) },
			sub { substr($code, 1) },
			sub { substr($code, 0, $place) },
			sub { $code . choose(@codes) },
			sub { reverse($code) },
			sub { substr($code, 0, $place) . choose('-', ' ', character(), 'X') . substr($code, $place) },
			sub { my $c = $code; substr($c, $place, 1) = character() if $place < length($c); $c; })->();
	}
	return is_valid($code) ? $code : any_text();
}

# Is that text of the database's encoding?  (Of long texts a piece at a time:
# Perl has limits.)
my %character = (
	UTF8 => qr/[\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]
		|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}
		|\xf4[\x80-\x8f][\x80-\xbf]{2}/x,
	EUC_JP => qr/[\x01-\x7f]|\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe]{2}|[\xa1-\xfe]{2}/);

sub is_valid
{
	my ($text) = @_;
	my $character = $character{$encoding} // return 1;

	pos($text) = 0;
	1 while $text =~ /\G(?:$character){1,10000}+/gc;
	return pos($text) == length($text);
}

sub quote
{
	my ($text) = @_;

	$text =~ s/'/''/g;
	return "'$text'";
}

# What a parameter of that name takes, mostly
my %texts = (
	name => \@names,
	new_name => \@names,
	blocklist => \@lists,
	list => \@lists,
	alphabet => \@alphabets,
	extra => \@extras,
	role => \@roles,
	new_owner => \@roles,
	codes => [ 'codes', 'codes', 'codes2', 'no_codes' ],
	memos => [ 'code_memos', 'code_memos', 'memos2', 'codes' ]);
my %numbers = (
	count => sub { choose(0, 1, 1, 2, 5, rand 100, rand 500) },
	base_length => sub { choose(1, 1, 2, 2, 3, 4, 5) },
	max_length => sub { choose(3 .. 12) },
	first_cycle => sub { choose(0, 0, 1, 2, 40, rand 1000) },
	cycles => sub { choose(0, 1, 1, 2, rand 50) },
	codes => sub { choose(0, 1, 100, rand 2000) },
	to_cycle => sub { choose(0, 1, 2, 3, rand 100) },
	to_offset => sub { choose(0, 0, 1, 5, rand 1000) });

# How much is wild; changes from session to session.
my $wild = 5;

sub text_value
{
	my ($name) = @_;

	if (!one_in($wild))
	{
		return quote(nearly_a_code()) if $name eq 'code' || $name eq 'input';
		return quote(choose(@{ $texts{$name} })) if $texts{$name};
	}
	return choose(
		sub { 'NULL' },
		sub { quote('') },
		sub { quote(any_text()) },
		sub { quote(any_text()) },
		sub { quote(any_text()) },
		sub { quote(nearly_a_code()) },
		sub { quote(choose(map { @$_ } values %texts)) },
		sub { 'repeat(' . quote(character()) . ', ' . choose(62 .. 65, 255, 1000, 100_000) . ')' },
		sub { 'repeat(' . quote(any_text()) . ', ' . choose(2, 100, 10_000) . ')' },
		sub { one_in(10) ? quote(character() x 1_000_000) : quote(character()) })->();
}

sub number_value
{
	my ($name, @edges) = @_;

	return int($numbers{$name}->()) if $numbers{$name} && !one_in($wild);
	return choose(
		sub { 'NULL' },
		sub { choose(@edges) },
		sub { choose(@edges) },
		sub { int(rand 70) },
		sub { int(rand(2**31)) })->();
}

sub array_value
{
	my $kind = one_in($wild) ? int(rand 6) : 6;

	return 'NULL' if $kind == 0;
	return "'{}'::text[]" if $kind == 1;
	return 'array_fill(' . text_value('word') . '::text, ARRAY[' . choose(1, 2, 1000) . ', ' . choose(1, 2, 100) . '])'
	  if $kind == 2;
	return 'ARRAY(SELECT md5(i::text) FROM generate_series(1, ' . choose(10, 1000, 20_000) . ') i)' if $kind == 3;
	return 'ARRAY[' . join(', ', map { text_value('word') } 1 .. 1 + rand 20) . ']::text[]' if $kind <= 5;
	return 'ARRAY['
	  . join(', ', map { quote(join('', map { choose('a' .. 'z', 0 .. 9) } 1 .. choose(2, 3, 3, 4, 5, 9))) } 1 .. 1 + rand 30) . ']';
}

my %values = (
	text => \&text_value,
	name => sub { return text_value(@_) . '::name' },
	integer => sub { return number_value(@_, @edges32) },
	bigint => sub { return number_value(@_, @edges64) },
	boolean => sub { return choose('NULL', 'true', 'false', 'false') },
	'text[]' => \&array_value);

#
# Calls
#

# All functions of the extension: name, types and names of their parameters, and
# what they return.
my @functions;
my %weights = (
	coderring_get_code => 20,
	coderring_get_codes => 12,
	coderring_advance => 3,
	coderring_decode => 5,
	coderring_issued => 5,
	coderring_normalize => 5,
	coderring_create => 3);

sub read_functions
{
	foreach (query(<<'SQL'))
SELECT p.oid::regproc, proretset, prorettype::regtype,
	array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) t), ','),
	array_to_string(proargnames[:pronargs], ',')
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid
WHERE e.extname = 'coderring' AND d.refclassid = 'pg_extension'::regclass ORDER BY 1
SQL
	{
		my ($name, $set, $returns, $types, $names) = split(/\|/, $_, -1);

		push @functions,
		  {
			name => $name,
			set => $set eq 't',
			returns => $returns,
			types => [ split(/,/, $types) ],
			names => [ split(/,/, $names) ]
		  };
	}
	push @functions, map { { name => "coderring.$_", view => 1, returns => 'record', types => [], names => [] } } 'rings', 'series', 'stats';
	@functions = map { ($_) x ($weights{ $_->{name} } // 1) } @functions;
	return;
}

sub value_of
{
	my ($type, $name) = @_;

	# A type that is new here: its text
	return $values{$type} ? $values{$type}->($name) : text_value($name) . "::$type";
}

# fuzz.show prints what a call has returned as hexadecimal digits; for a code that
# was handed out, behind the incarnation of the ring.
sub show
{
	my ($function, $result, $ring) = @_;

	return "fuzz.show($ring, $result)" if $function->{name} =~ /^coderring_get_codes?$/;
	return $result if $function->{returns} eq 'trigger';
	return "fuzz.show(($result)::text)";
}

# A query that calls the function with these arguments; ring is the first one.
sub query_of
{
	my ($function, $arguments, $ring) = @_;
	my $call = "$function->{name}($arguments)";

	if ($function->{set})
	{
		# In FROM all rows are made before the first one is seen, in a select
		# list only those that are seen: that is for large counts.
		return 'SELECT ' . show($function, 't.r', $ring) . " FROM $call AS t (r)"
		  if $function->{returns} ne 'record' && one_in(2) && $arguments !~ /\d{4}|\$/;
		return 'SELECT ' . show($function, 't.r', $ring) . " FROM (SELECT $call AS r LIMIT " . choose(1, 10, 500) . ') t'
		  if $function->{returns} ne 'record';
		return "SELECT fuzz.show(t::text) FROM $call t";
	}
	return "SELECT fuzz.show(t::text) FROM $call t" if $function->{returns} eq 'record' && one_in(2);
	return 'SELECT ' . show($function, $call, $ring);
}

# A random function and how to call it: [ name, statement ], or several
my $prepared = 0;

sub call
{
	my $function = choose(@functions);
	my @types = @{ $function->{types} };
	my @names = @{ $function->{names} };
	my $name = $function->{name};
	my $kind = int(rand 10);
	my @values;

	return [ $name, "SELECT fuzz.show(t::text) FROM $name t" ] if $function->{view};
	if ($kind == 0 && @types)
	{
		# prepared, and executed a few times
		my $statement = 'p' . ++$prepared;

		return (
			[ '', "PREPARE $statement(" . join(', ', @types) . ') AS '
				  . query_of($function, join(', ', map { "\$$_" } 1 .. @types), '$1') ],
			map {
				[ $name, "EXECUTE $statement(" . join(', ', map { value_of($types[$_], $names[$_]) } 0 .. $#types) . ')' ]
			} 1 .. choose(1, 2, 7));
	}
	@values = map { value_of($types[$_], $names[$_]) } 0 .. $#types;

	# A code that has just come out of the same ring
	$values[1] = sprintf(choose('%s', '%s', 'lower(%s)', q{'-' || %s}),
		"coderring_get_code($values[0], " . text_value('extra') . ')')
	  if @names > 1 && $names[1] =~ /^(?:code|input)$/ && one_in(2);
	if ($kind == 1 && @types)
	{
		# by name, in any order, some left out
		my @order = shuffle(grep { $_ == 0 || !one_in(3) } 0 .. $#types);

		return [ $name, query_of($function, join(', ', map { "$names[$_] => $values[$_]" } @order), $values[0]) ];
	}
	if ($kind == 2 && @types)
	{
		# the last ones left out
		return [ $name, query_of($function, join(', ', @values[ 0 .. rand @values ]), $values[0]) ];
	}
	return [ $name, query_of($function, join(', ', @values), $values[0]) ];
}

# A call within something else
sub statement
{
	my ($in_transaction) = @_;
	my @calls = call();
	my ($name, $sql) = @{ $calls[0] };

	return @calls if @calls > 1 || !one_in(6);
	return [ $name, "COPY ($sql) TO STDOUT (NULL '')" ] if one_in(3);
	return ([ $name, "DECLARE c CURSOR FOR $sql" ], [ $name, 'FETCH 2 FROM c' ], [ '', 'CLOSE c' ])
	  if $in_transaction && one_in(2);

	# errors are caught by PL/pgSQL
	$sql =~ s/^SELECT/PERFORM/;
	return [ $name, "DO \$fuzz\$ BEGIN\n$sql;\nEXCEPTION WHEN OTHERS THEN\n"
		  . "IF SQLSTATE LIKE 'XX%' THEN RAISE; END IF;\nEND \$fuzz\$" ];
}

sub role { return '"' . choose(@roles) . '"'; }

# Some statements that belong together, some of them in a transaction
sub episode
{
	my @statements;
	my $end;

	return map { statement() } 1 .. 5 if one_in(2);
	return ([ '', 'SET ROLE ' . role() ], (map { statement() } 1 .. 5), [ '', 'RESET ROLE' ]) if one_in(5);
	return ([ '', "SET statement_timeout = '" . choose(1, 2, 5, 20) . "ms'" ],
		(map { [ @$_, 'short' ] } map { statement() } 1 .. 5),
		[ '', "SET statement_timeout = '$limit'" ])
	  if one_in(10);
	@statements = [ '', 'BEGIN '
		  . choose('', '', '', 'ISOLATION LEVEL REPEATABLE READ', 'ISOLATION LEVEL SERIALIZABLE', 'READ ONLY',
			'ISOLATION LEVEL SERIALIZABLE READ ONLY') ];
	unshift @statements, [ '', '\set ON_ERROR_ROLLBACK on' ] if !one_in(4);
	foreach (1 .. choose(1, 3, 10, 20))
	{
		push @statements, statement(1);
		push @statements, [ '', choose('SAVEPOINT s', 'SAVEPOINT t', 'ROLLBACK TO s', 'ROLLBACK TO t', 'RELEASE s') ]
		  if one_in(3);
		push @statements, [ '', 'SET LOCAL ROLE ' . role() ] if one_in(20);
	}
	$end = choose('COMMIT', 'COMMIT', 'ROLLBACK', 'COMMIT AND CHAIN; ROLLBACK', 'PREPARE');
	push @statements, $end ne 'PREPARE' ? [ '', $end ]
	  : ([ '', "PREPARE TRANSACTION '$database'" ], [ '', 'ROLLBACK' ], statement(),
		[ '', choose('COMMIT', 'ROLLBACK') . " PREPARED '$database'" ]);
	return (@statements, [ '', '\set ON_ERROR_ROLLBACK off' ]);
}

#
# Codes
#

# look_at(FILE): how many codes there are in it, and how many of them again; how
# many are of rings that are still there, how many rings that are, how many of the
# codes are said not to be issued, and which.  (What was rolled back with its ring
# is no code of any ring.)
sub look_at
{
	my ($file) = @_;

	return map { split(/\|/, $_, -1) } query(<<"SQL");
CREATE TEMP TABLE code (incarnation uuid, hex text COLLATE "C");
\\copy code FROM '$file' DELIMITER ' '
SELECT count(*), count(*) - count(DISTINCT (incarnation, hex)) FROM code;
SELECT count(*), count(DISTINCT name), count(*) FILTER (WHERE NOT issued),
	left(string_agg(fuzz.hex(name || ' ' || code), ' ' ORDER BY length(code), code) FILTER (WHERE NOT issued), 300)
FROM (SELECT name, code, coderring_issued(name, code) AND (coderring_decode(name, code)).issued AS issued
	FROM (SELECT r.name, convert_from(decode(hex, 'hex'), getdatabaseencoding()) COLLATE "C" AS code
		FROM code JOIN coderring.ring r USING (incarnation) OFFSET 0) c OFFSET 0) i;
SQL
}

#
# A run
#

my $setup = <<'SQL';
CREATE SCHEMA fuzz;
GRANT USAGE ON SCHEMA fuzz TO PUBLIC;
CREATE FUNCTION fuzz.hex(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT encode(convert_to(value, getdatabaseencoding()), 'hex')
$$;
CREATE FUNCTION fuzz.show(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT 'text ' || fuzz.hex(value)
$$;
CREATE FUNCTION fuzz.incarnation(ring text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS $$
	SELECT incarnation::text FROM coderring.ring WHERE name = $1
$$;
CREATE FUNCTION fuzz.show(ring text, code text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN 'code ' || coalesce(fuzz.incarnation(ring), '?') || ' ' || coalesce(fuzz.hex(code), '?');
END $$;
SQL

# Rings, lists, tables to import from, and roles with and without rights
sub set_up
{
	query($setup . join("\n",
			(map { qq(CREATE ROLE "$_"; GRANT CREATE ON SCHEMA public TO "$_";) } @roles),
			qq(GRANT "$roles[0]" TO "$roles[1]";),
			qq(GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import TO "$roles[0]";),
			'CREATE TABLE code_memos (name varchar(255) PRIMARY KEY, uniquizer_num int NOT NULL,',
			'	extra varchar(255) NOT NULL, last_max_pos int);',
			'CREATE TABLE codes (id bigserial PRIMARY KEY, position int NOT NULL, name varchar(255) NOT NULL,',
			'	value varchar(255) NOT NULL);',
			q{INSERT INTO code_memos VALUES ('imported', 3, 'a', 1);},
			q{INSERT INTO codes (position, name, value) SELECT i, 'imported', i FROM generate_series(2, 9) i;},
			'CREATE TABLE codes2 (name text, value int, position text);',
			'CREATE TABLE memos2 (name bytea, uniquizer_num text, extra text);',
			q{SELECT coderring_define_blocklist('mine', '{abc,aa,x5x}'), coderring_define_blocklist('short', '{ab}'),},
			q{	coderring_define_blocklist('long', ARRAY(SELECT md5(i::text) FROM generate_series(1, 100) i))},
			'\g /dev/null'));
	return;
}

# The rings of @names, as far as they are not there, of any kind.  Their keys come
# from the seed too.
sub ring_statements
{
	my @statements = map {
		my $first_cycle = int(rand 4);

		sprintf("SELECT coderring_create('%s', %d, %s, %s, %s, %s, %d), coderring_reset('%s', %d, '%d')"
			  . " FROM coderring.ring r RIGHT JOIN (VALUES (1)) t ON r.name = '%s' WHERE r.name IS NULL \\g /dev/null\n",
			$_, choose(1, 1, 2, 2, 3, 4, 5), choose('NULL', "'english'", "'mine'"), choose('NULL', "'0123456789'"), choose('false', 'true'),
			choose('NULL', 'NULL', 12), $first_cycle, $_, $first_cycle, rand 1e6, $_)
	} @names;

	return join('', @statements);
}

# run(SEED, CALLS, FILE)
sub run
{
	my ($seed, $calls, $file) = @_;
	my (%called, %answered, %states, @internal, @invalid, @strange, @slow, @denied);
	my ($session, $made, $taken, $known, $lost, $began) = (0, 0, 0, 0, '', time);

	srand($seed);
	push @extras, map { join('', map { character() } 1 .. 4) } 1 .. 3;
	read_functions();
	set_up();
	open(my $codes, '>>', $file) or die "$file: $!";
	while ($made < $calls && !$lost)
	{
		my @statements;
		my ($status, $out, $err, %segments);

		# What is random in one session does not depend on those before.
		srand($seed * 10_000 + $session++);
		$wild = choose(3, 8, 30);
		push @statements, episode() while @statements < 250;
		($status, $out, $err) = run_psql(join("\n",
				'\set VERBOSITY verbose',
				'\set SHOW_CONTEXT never',
				ring_statements(),
				"SET statement_timeout = '$limit';",
				map { my $sql = $statements[$_][1];
					"\\warn \@\@fuzz $_\n$sql" . ($sql =~ /^\\/ ? '' : "\n;") } 0 .. $#statements) . "\n");
		while ($err =~ /^\@\@fuzz (\d+)\n(.*?)(?=^\@\@fuzz \d+\n|\z)/msg)
		{
			my ($number, $segment) = ($1, $2);
			my ($name, $sql, $short) = @{ $statements[$number] };
			my @errors = $segment =~ /^(?:psql:[^\n]*?:\d+: )?(?:ERROR|FATAL|PANIC):  (\w{5}):/mg;
			my $quoted = length($sql) > 500 ? substr($sql, 0, 500) . ' ...' : $sql;

			push @internal, "$quoted\n$segment" if grep { /^XX|^22021/ } @errors;
			push @slow, $quoted if !$short && grep { $_ eq '57014' } @errors;
			$states{$_}++ foreach @errors;

			# psql quotes the statement on its own
			(my $message = $segment) =~ s/^LINE \d+:.*\n.*\n//mg;
			push @invalid, "$quoted\n$segment" if !is_valid($message);
			$lost = "$quoted\n$segment" if $segment =~ /connection to server was lost|server closed the connection/;

			# In a transaction that has failed no function is called.
			next if $name eq '' || grep { $_ eq '25P02' } @errors;
			$made++;
			$called{$name}++;
			$answered{$name}++ if !@errors;
		}
		$lost ||= "psql ended with $status\n$err" if $status;

		open(my $recent, '>', "$directory/codes") or die $!;
		foreach (split(/\n/, $out))
		{
			if (/^code ([0-9a-f-]{36}) ((?:[0-9a-f]{2})+)$/)
			{
				my $code = pack('H*', $2);

				print $codes "$1 $2\n";
				print $recent "$1 $2\n";
				$taken++;
				$codes[ @codes < 500 ? @codes : rand @codes ] = $code;
				push @strange, $_ if !is_valid($code);
			}
			elsif (/^text ((?:[0-9a-f]{2})*)$/)
			{
				push @strange, $_ if !is_valid(pack('H*', $1));
			}
			elsif (/\S/)
			{
				push @strange, $_;
			}
		}
		close($recent) or die $!;
		if (!$lost)
		{
			my (undef, undef, $live, undef, $denied, $which) = look_at("$directory/codes");

			$known += $live;
			push @denied, "$denied codes after $made calls: $which" if $denied;
		}
	}
	close($codes) or die "$file: $!";
	write_file("$file.last", read_file("$directory/script")) if $lost;

	note(sprintf('%s: %s calls, %s codes, in %.0f s; errors: %s', $encoding, group($made), group($taken), time - $began,
			join(', ', map { "$_ $states{$_}" } sort keys %states)));
	note(join("\n", "$encoding: " . @slow . " statements were ended after $limit, such as", @slow[ 0 .. min(2, $#slow) ])) if @slow;
	is($lost, '', "$encoding: the server has answered all calls");
	is(join("\n", @internal[ 0 .. min(2, $#internal) ]), '', "$encoding: no error is an internal one");
	is(join("\n", @invalid[ 0 .. min(2, $#invalid) ]), '', "$encoding: all messages are valid text");
	is(join("\n", @strange[ 0 .. min(2, $#strange) ]), '', "$encoding: all answers are what they should be");
	is(join(' ', grep { !$called{$_} } map { $_->{name} } @functions), '', "$encoding: every function was called");
	is(join(' ', grep { ($called{$_} // 0) > 50 && !$answered{$_} } map { $_->{name} } grep { $_->{returns} ne 'trigger' } @functions),
		'', "$encoding: and has answered");
	cmp_ok($known, '>', $calls / 20, "$encoding: many codes came out");
	is(join("\n", @denied), '', "$encoding: " . group($known) . ' codes were issued, soon after they came out');
	return;
}

#
# The rings afterwards
#

# verify(FILE)
sub verify
{
	my ($file) = @_;
	my ($rings, $complaints, $drawn) = (0, 0, 0);
	my ($all, $twice, $live, $working, $denied, $which);

	# 2200H: no cycles or a length of codes left; 22023: an extra that is not
	# possible in the ring.
	my @rows = query(<<'SQL');
CREATE FUNCTION pg_temp.draw(ring text, extra text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT fuzz.show(ring, c) FROM coderring_get_codes(ring, 20, extra) c;
EXCEPTION WHEN sequence_generator_limit_exceeded OR invalid_parameter_value THEN
	RETURN NEXT 'error ' || SQLSTATE;
END $$;
SELECT 'ring ' || count(*) FROM coderring.rings;
SELECT pg_temp.draw(name, extra) FROM coderring.rings,
	LATERAL (SELECT '' AS extra UNION SELECT 'new ' UNION
		(SELECT s.extra FROM coderring.series s WHERE ring = name ORDER BY s.extra LIMIT 10)) e;
SQL

	open(my $codes, '>>', $file) or die "$file: $!";
	foreach (@rows)
	{
		/^ring (\d+)/ ? ($rings = $1)
		  : /^code (\S+ \S+)$/ ? ($drawn++, print $codes "$1\n")
		  : /^error/ ? $complaints++ : die "$_\n";
	}
	close($codes) or die "$file: $!";

	($all, $twice, $live, $working, $denied, $which) = look_at($file);
	is($twice, 0, "$encoding: none of " . group($all) . ' codes came twice');
	is($denied, 0, "$encoding: " . group($live) . ' codes of rings that are still there were issued') or diag($which);
	cmp_ok($working, '>', $rings / 2, "$encoding: $working of $rings rings have handed out codes");
	cmp_ok($drawn, '>', 100, "$encoding: " . group($drawn) . ' codes of them were drawn just now');
	note("$encoding: " . $complaints . ' series are at their end');
	return;
}

$mode eq 'run' ? run(@arguments) : verify(@arguments);
done_testing();
