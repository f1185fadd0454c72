# What README.md, CONTRIBUTING.md and docs/*.md say, beside what is so: links and
# anchors lead somewhere, names in code exist, tables of numbers are computed
# again, the reference is compared with the catalogs, and the page of messages
# with those in the source. (018_docs.pl runs the blocks of code.)

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use Markdown;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my $node = new_node('main');
my %pages = map { $_ => read_page($_) } page_names();

sub commas
{
	my ($number) = @_;

	1 while $number =~ s/^(\d+)(\d{3})/$1,$2/;
	return $number;
}

# The words of a page, in one line
sub words_of
{
	my ($name) = @_;

	return join(' ', map { $_->{kind} eq 'text' || $_->{kind} eq 'table' ? split(' ', $_->{text}) : () } @{ $pages{$name}{nodes} });
}

#
# Layout
#
foreach my $name (sort keys %pages)
{
	is(join("\n", @{ $pages{$name}{problems} }), '', "$name: blocks have a language and an end");
	is(scalar(grep { $_->{kind} eq 'heading' && $_->{level} == 1 } @{ $pages{$name}{nodes} }), 1, "$name: one title");
}

#
# Links
#
my %linked;

# target(PAGE, LINK): why a link leads nowhere, or an empty string.
sub target
{
	my ($page, $link) = @_;
	my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
	my $file = $page;

	return '' if $link =~ m{^https://[\w.-]+/};
	if ($path ne '')
	{
		$file = $page =~ m{^docs/} ? "docs/$path" : $path;
		$file =~ s{\w[\w.-]*/\.\./}{}g;
		$linked{$page}{$file} = 1;
		return "there is no $file" if !-e "$top/$file";
	}
	return "$file has no heading #$anchor" if defined $anchor && !($pages{$file} && $pages{$file}{anchors}{$anchor});
	return '';
}

foreach my $name (sort keys %pages)
{
	my @bad;

	foreach my $part (@{ $pages{$name}{nodes} })
	{
		next if $part->{kind} eq 'block' || $part->{kind} eq 'comment';
		my $text = ($part->{title} // $part->{text}) =~ s/`[^`]*`//gr;

		while ($text =~ /\]\(([^)\s]+)\)/g)
		{
			my $why = target($name, $1);

			push @bad, "line $part->{line}: $why" if $why ne '';
		}
	}
	is(join("\n", @bad), '', "$name: links lead somewhere");
}
is(join(' ', grep { m{^docs/} && !$linked{'README.md'}{$_} } sort keys %pages), '', 'README.md links every page');

#
# Names in code
#
my %known = map { $_ => 1 } split(/\n/, $node->safe_psql('postgres', <<'SQL'));
SELECT proname FROM pg_proc WHERE proname LIKE 'coderring%'
UNION SELECT 'coderring.' || proname FROM pg_proc WHERE pronamespace = 'coderring'::regnamespace
UNION SELECT 'coderring.' || relname FROM pg_class WHERE relnamespace = 'coderring'::regnamespace
UNION SELECT r || '.' || attname FROM pg_attribute, unnest('{coderring.ring}'::text[]) r WHERE attrelid = r::regclass AND attnum > 0
SQL
$known{'coderring.max_shared_memory'} = $known{'coderring.failover_gap'} = 1;
$known{$_} = 1 foreach map { s{.*/}{}r } glob("$top/{.,src,sql,test,docs}/coderring*");

my $makefile = slurp_file("$top/Makefile");
my %goal = map { $_ => 1 } qw(all clean install uninstall installcheck help), ($makefile =~ /^OWN_TARGETS = (.*)$/m ? split(' ', $1) : ()),
  $makefile =~ /^([a-z][\w-]*):/mg;

foreach my $name (sort keys %pages)
{
	my @bad;

	foreach my $part (@{ $pages{$name}{nodes} })
	{
		my @codes = $part->{kind} eq 'block' ? split(/\n/, $part->{text}) : ($part->{title} // $part->{text}) =~ /`([^`]+)`/g;

		next if $part->{kind} eq 'comment';
		foreach my $code (@codes)
		{
			push @bad, "line $part->{line}: no target $_" foreach grep { !$goal{$_} } $code =~ /^(?:sudo )?make ([a-z][\w-]*)/;
			push @bad, "line $part->{line}: no $_" foreach grep { my ($file) = glob("$top/$_"); !defined $file || !-e $file }
			  $code =~ m{(?<![\w/.])((?:src|sql|test|docs|expected)/[\w./*-]*[\w/])}g;
			next if $name eq 'docs/moving-from-coder-ring.md' || $part->{kind} eq 'block';
			push @bad, "line $part->{line}: no $_" foreach grep { !$known{$_} } $code =~ /(?<![\w.\/-])(coderring(?:\.|_)\w+)/g;
		}
	}
	is(join("\n", @bad), '', "$name: targets, files, functions and tables that it names exist");
}

my $rooms = words_of('CONTRIBUTING.md');
is(join(' ', grep { index($rooms, "`$_`") < 0 } map { s{.*/src/}{src/}r } sort(glob("$top/src/*.c"), glob("$top/src/*/*.c"))), '', 'CONTRIBUTING.md names every file of src/');

#
# Tables of numbers
#
my %numbers;

# ring_numbers(BASE_LENGTH, FIRST_CYCLE): codes of a cycle, and before codes get longer.
sub ring_numbers
{
	my ($length, $first) = @_;

	return @{ $numbers{$length}{$first} //= [ split(/\|/, $node->safe_psql('postgres', qq{
		BEGIN;
		SELECT coderring_create('numbers', $length, first_cycle => $first);
		SELECT coderring_get_code('numbers') IS NULL;
		SELECT codes_per_cycle, codes_until_longer + 1 FROM coderring.series WHERE ring = 'numbers';
		ROLLBACK}) =~ s/.*\n//sr) ] };
}

sub two_longer { my ($length) = @_; return (ring_numbers($length, 0))[1] + (ring_numbers($length, 1))[1] }

sub short { my ($number) = @_; return $number < 10 ? sprintf('%.1f', $number) : commas(sprintf('%.0f', $number)) }

# life(CODES, A_DAY): for how long they suffice.
sub life
{
	my ($codes, $a_day) = @_;
	my $days = $codes / $a_day;

	return $days * 24 < 1 ? short($days * 24 * 60) . ' minutes' : $days < 3 ? short($days * 24) . ' hours' :
	  $days < 730 ? short($days) . ' days' : $days > 365250 ? 'over 1,000 years' : short($days / 365.25) . ' years';
}

sub per_day { return map { 10 ** $_ } 2 .. 6 }

sub define_of
{
	my ($file, $name) = @_;

	my ($path) = grep { -e } "$top/src/$file", glob("$top/src/*/$file");

	return slurp_file($path) =~ /^#define\s+$name\s+(?:UINT64_C\()?(\d+)u?\b/m ? $1 : 'nothing';
}

my %computed = (
	short_capacity => sub { my ($n) = @_; return commas((ring_numbers($n, 0))[0]), commas(two_longer($n)) },
	capacity => sub { my ($n) = @_; return map { commas($_) } ring_numbers($n, 0), two_longer($n) },
	life_one => sub { my ($n) = @_; return map { life((ring_numbers($n, 0))[1], $_) } per_day() },
	life_two => sub { my ($n) = @_; return map { life(two_longer($n), $_) } per_day() },
	guesses => sub {
		my ($n) = @_;
		my $codes = (ring_numbers($n, 0))[0];

		return map { 10 ** $_ >= $codes ? 'every one' : '1 in ' . short($codes / 10 ** $_) } 3 .. 7;
	},
	alphabets => sub {
		my ($names) = @_;
		my @sizes = map { $node->safe_psql('postgres', "SELECT length(coderring_alphabet('$_'))") } $names =~ /`(\w+)`/g;

		return grep({ $_ != $sizes[0] } @sizes) ? 'of different sizes' : ($sizes[0], map { commas($sizes[0] ** $_) } 4, 6, 8);
	},
	filtered => sub {
		my ($n) = $_[0] =~ /\((\d+)/;

		return map {
			commas($node->safe_psql('postgres', qq{
				BEGIN;
				SELECT coderring_create('filtered', $n, '$_');
				SELECT coderring_get_code('filtered') IS NULL;
				SELECT codes_per_cycle FROM coderring.series WHERE ring = 'filtered';
				ROLLBACK}) =~ s/.*\n//sr)
		} 'english', 'international', 'spreadsheet';
	},
	outstanding => sub {
		my $codes = $_[0] =~ tr/,//dr;
		my $most = $codes / define_of('sizing.c', 'OUTSTANDING_SHARE');

		$most = define_of('sizing.c', 'MAX_OUTSTANDING') if $most > define_of('sizing.c', 'MAX_OUTSTANDING');
		$most = $most < 1 ? 1 : int($most);
		return commas($most), $most >= define_of('sizing.c', 'MIN_OUTSTANDING') ? 'half of it ahead of need' :
		  $most == 1 ? 'each code waits for the disk' : "every ${most}th code waits for the disk";
	});
my %seen;

foreach my $name (sort keys %pages)
{
	my $table;

	foreach my $part (@{ $pages{$name}{nodes} })
	{
		$table = $1 if $part->{kind} eq 'comment' && $part->{text} =~ /^docs: table (\w+)$/;
		next if $part->{kind} ne 'table' || !defined $table || $table eq 'messages';
		my @rows = @{ $part->{rows} };

		ok($computed{$table}, "$name: table $table is known");
		$seen{$table} = 1;
		foreach my $row (@rows[ 2 .. $#rows ])
		{
			is("| $row->[0] | " . join(' | ', @$row[ 1 .. $#$row ]) . ' |',
				"| $row->[0] | " . join(' | ', $computed{$table}->($row->[0])) . ' |', "$name, $table: $row->[0]");
		}
		$table = undef;
	}
}
is(join(' ', sort keys %seen), join(' ', sort keys %computed), 'every table that is computed is somewhere');

# Numbers that are constants of the source, and where the pages say so
foreach my $fact (
	[ 'sizing.c', 'RESERVATION_LASTS', 500, 'docs/tuning.md', 'hands out in half a second, twice' ],
	[ 'sizing.c', 'RESERVATION_LASTS', 500, 'docs/bulk.md', 'as many at a time as last half a second' ],
	[ 'sizing.c', 'MIN_RESERVATION', 32, 'docs/tuning.md', 'small reservations first: 32 codes' ],
	[ 'sizing.c', 'LEAST_RESERVATION', 256, 'docs/tuning.md', 'then 256 or more (with four characters)' ],
	[ 'sizing.c', 'LEAST_SHARE', 16384 / 256, 'docs/tuning.md', 'then 256 or more (with four characters)' ],
	[ 'sizing.c', 'RESERVATION_GROWTH', 8, 'docs/tuning.md', 'up to eight times as many' ],
	[ 'sizing.c', 'OUTSTANDING_SHARE', 64, 'README.md', 'at most 1/64 of a cycle' ],
	[ 'sizing.c', 'MIN_OUTSTANDING', 8192 / 64, 'docs/tuning.md', 'below 8,192 nothing is reserved ahead' ],
	[ 'sizing.c', 'MIN_OUTSTANDING', 8192 / 64, 'docs/choosing-base-length.md', 'under 8,192 codes reserve nothing ahead' ],
	[ 'shared.h', 'BLOCK_MAX_CODES', 4096, 'docs/tuning.md', 'up to 4,096 codes' ],
	[ 'shared.h', 'EXTRA_MAX_LEN', 63, 'docs/extras.md', 'at most 63 bytes' ],
	[ 'session.c', 'MAX_REMEMBERED', 20000, 'docs/tuning.md', 'up to 20,000 series by name' ],
	[ 'capacity.h', 'CAPACITY_SHARE', 64, 'docs/filters.md', "less than 1/64 of a ring's base codes" ],
	[ 'wordfilter.h', 'WORDFILTER_MAX_BYTES', 65535, 'docs/filters.md', 'at most 65,535 bytes' ],
	[ 'permutation.h', 'PERMUTATION_MAX_SHUFFLE', 4096, 'docs/internals.md', '| to 4,096 |' ],
	[ 'permutation.h', 'PERMUTATION_FF1_DOMAIN', 1000000, 'docs/internals.md', '| from 1,000,000 |' ])
{
	my ($file, $define, $value, $page, $words) = @$fact;

	is(define_of($file, $define), $value, "$define is what $page means");
	cmp_ok(index(words_of($page), $words), '>=', 0, "$page: $words");
}

#
# The reference
#
my $reference = $pages{'docs/reference.md'};
my @signatures = map { /`([\w.]+\(.*?\) → [^`]+)`/ ? $1 : () } map { $_->{text} // () } grep { $_->{kind} =~ /text|table/ } @{ $reference->{nodes} };

push @signatures, map { $_->{kind} eq 'table' ? map { /^`([\w.]+\(.*\) → [^`]+)`$/ ? $1 : () } map { $_->[0] } @{ $_->{rows} } : () }
  @{ $reference->{nodes} };
@signatures = do { my %once; grep { !$once{$_}++ } @signatures };
my @functions = split(/\n/, $node->safe_psql('postgres', <<'SQL'));
SELECT CASE WHEN n.nspname = 'coderring' THEN 'coderring.' ELSE '' END || p.proname || '(' ||
	regexp_replace(pg_get_function_arguments(p.oid), '(DEFAULT (''[^'']*''|NULL))::\w+', '\1', 'g') || ') → ' || pg_get_function_result(p.oid)
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid JOIN pg_proc p ON p.oid = d.objid JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'coderring'
SQL
is_set(\@signatures, \@functions, 'the reference has every function with its arguments and result, and no other');
is_set([ map { $_->{kind} eq 'heading' && $_->{level} == 3 ? $_->{title} : () } @{ $reference->{nodes} } ],
	[ map { /^(coderring_\w+)/ ? $1 : () } @functions ], 'the reference has a heading for each function');
like(words_of('README.md'), qr/`$_\b/, "README.md names $_") foreach map { /^(coderring_\w+)/ ? $1 : () } @functions;

my %relations = map { split(/=/, $_, 2) } split(/\n/, $node->safe_psql('postgres', <<'SQL'));
SELECT 'coderring.' || relname || '=' || coalesce((SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND c.relkind = 'v'), '')
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid JOIN pg_class c ON c.oid = d.objid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'coderring'
SQL
my %described;
my $heading = '';
foreach my $part (@{ $reference->{nodes} })
{
	$heading = $part->{title} if $part->{kind} eq 'heading';
	next if $part->{kind} ne 'table';
	my @rows = @{ $part->{rows} };

	if ($rows[0][0] eq 'column')
	{
		$described{$heading} = join(', ', map { ($_->[0] =~ tr/`//dr) . " $_->[1]" } @rows[ 2 .. $#rows ]);
	}
	elsif ($rows[0][0] eq 'relation')
	{
		$described{ $_->[0] =~ tr/`//dr } = '' foreach @rows[ 2 .. $#rows ];
	}
	elsif ($rows[0][0] eq 'setting')
	{
		is(join(', ', map { ($_->[0] =~ tr/`//dr) . " $_->[1] $_->[2]" } @rows[ 2 .. $#rows ]), $node->safe_psql('postgres', q{
			LOAD 'coderring';
			SELECT string_agg(name || ' ' || CASE unit WHEN 'ms' THEN boot_val::int / 1000 || 's' ELSE pg_size_pretty(boot_val::bigint * 1024) END || ' ' || CASE context WHEN 'sighup' THEN 'reload' ELSE context END, ', ' ORDER BY name)
			FROM pg_settings WHERE name LIKE 'coderring.%'}) =~ s/(\d) kB/$1kB/gr =~ s/(\d) MB/$1MB/gr, 'the reference has every setting');
	}
}
is_deeply(\%described, \%relations, 'the reference has every table, and every view with its columns');

# Every argument of coderring_create that has an explanation has its name
my ($create) = grep { /^coderring_create\(/ } @functions;
like($create, qr/\b$_ /, "coderring_create has $_")
  foreach map { $_->{kind} eq 'table' && $_->{rows}[0][0] eq 'argument' ? map { $_->[0] =~ tr/`//dr } @{ $_->{rows} }[ 2 .. $#{ $_->{rows} } ] : () } @{ $reference->{nodes} };

#
# Messages
#
my %sqlstate;
my $errcodes = `pg_config --includedir-server`;
chomp $errcodes;
{
	my $text = -f "$errcodes/utils/errcodes.h" ? slurp_file("$errcodes/utils/errcodes.h") : '';

	$sqlstate{$1} = "$2$3$4$5$6" while $text =~ /^#define (ERRCODE_\w+) MAKE_SQLSTATE\('(.)','(.)','(.)','(.)','(.)'\)/mg;
}

# messages(FILE): [ text with "..." for what differs, SQLSTATE or level ] of all
# that a C file can report, or a script can raise.
sub messages
{
	my ($file) = @_;
	my $text = slurp_file($file) =~ s{/\*.*?\*/}{}gsr =~ s/\\\n/\n/gr;
	my @messages;

	if ($file =~ /\.sql$/)
	{
		push @messages, [ $1 =~ s/''/'/gr =~ s/%/.../gr, $2 ]
		  while $text =~ /RAISE EXCEPTION '((?:[^']|'')*)'(?:\s*USING ERRCODE = '(\w+)')?/g;
		return @messages;
	}
	while ($text =~ /\b(?:ereport|elog)\((?:\w+ \? \w+ : )?(\w+),/g)
	{
		my ($level, $start, $depth, $quoted) = ($1, pos($text), 1, 0);
		my $end = $start;

		for (; $depth > 0 && $end < length $text; $end++)
		{
			my $character = substr($text, $end, 1);

			if ($quoted)
			{
				if ($character eq '\\') { $end++ }
				elsif ($character eq '"') { $quoted = 0 }
			}
			elsif ($character eq '"') { $quoted = 1 }
			elsif ($character eq '(') { $depth++ }
			elsif ($character eq ')') { $depth-- }
		}
		my $body = substr($text, $start, $end - $start - 1);
		my ($code) = $body =~ /errcode\((\w+)\)/;
		my @formats = $body =~ /errmsg\w*\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g;

		@formats = $body =~ /^\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/ if !@formats;
		foreach my $format (@formats)
		{
			my $message = join('', $format =~ /"((?:[^"\\]|\\.)*)"/g) =~ s/\\"/"/gr;

			$message =~ s/%[-.*\d]*(?:ll|z|l)?[sdcux]/.../g;
			push @messages, [ $message, $level ne 'ERROR' ? $level : $code // 'ERRCODE_INTERNAL_ERROR' ];
		}
	}
	return @messages;
}

my %listed;
my $marked = 0;
foreach my $part (@{ $pages{'docs/troubleshooting.md'}{nodes} })
{
	$marked = 1 if $part->{kind} eq 'comment' && $part->{text} eq 'docs: table messages';
	next if $part->{kind} ne 'table' || !$marked;
	$listed{ $_->[0] } = $_->[1] foreach @{ $part->{rows} }[ 2 .. $#{ $part->{rows} } ];
	$marked = 0;
}
my %used;
my @missing;
my %condition = (invalid_schema_name => '3F000', duplicate_schema => '42P06');
foreach my $message (map { messages($_) } sort(glob("$top/src/*.[ch]"), glob("$top/src/*/*.[ch]")), sort(glob("$top/sql/*.sql")))
{
	my ($text, $code) = @$message;
	my $wanted = $condition{$code} // $sqlstate{$code} // $code;
	my @rows = grep { my $pattern = join('.*', map { quotemeta } split(/\.\.\./, $_, -1)); $text =~ /^$pattern$/ } sort keys %listed;

	@rows = ($text) if exists $listed{$text};
	$used{$_} = 1 foreach @rows;
	push @missing, "$text ($wanted)" if !@rows;
	push @missing, "$text has $wanted, not $listed{$rows[0]}" if @rows && %sqlstate && $listed{ $rows[0] } ne $wanted;
}
is(join("\n", @missing), '', 'troubleshooting.md has every message, with its SQLSTATE or level');
is(join("\n", grep { !$used{$_} } sort keys %listed), '', 'and no other');
cmp_ok(scalar(keys %used), '>', 70, 'so many messages');

# SQLSTATEs that the reference lists are those of some message
my %raised = map { $_ => 1 } values %listed;
foreach my $part (grep { $_->{kind} eq 'table' && $_->{rows}[2][0] =~ /^\d{5}$/ } @{ $reference->{nodes} })
{
	is(join(' ', grep { !$raised{$_} } map { $_->[0] } @{ $part->{rows} }[ 2 .. $#{ $part->{rows} } ]), '', 'the reference lists SQLSTATEs that are raised');
}

$node->stop;
done_testing();
