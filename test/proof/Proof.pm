# Two promises, looked at in as many codes as one likes: codes are distinct and
# decode to what they were asked with, and none holds a blocked word. For
# test/proof.sh, and with fewer codes for test/t/012_proof.pl.
#
# Results are those of Test::More; figures are notes ("# ...").

package Proof;

use strict;
use warnings;

use File::Temp qw(tempfile);
use List::Util qw(max min shuffle sum);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

# new(CONNECTION, SEED): the connection string of a database that has the
# extension and nothing else, and what chooses extras and their order.
sub new
{
	my ($class, $connection, $seed) = @_;

	srand($seed);
	note("seed $seed");
	return bless {
		psql => [ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $connection ]
	}, $class;
}

# A process of psql that runs SQL, and the handle to read its output from.
sub start
{
	my ($self, $sql) = @_;
	my ($file, $name) = tempfile(UNLINK => 1);
	my $out;

	print $file $sql;
	close($file) or die "$name: $!";
	open($out, '-|', @{ $self->{psql} }, '-f', $name) or die "psql: $!";
	return $out;
}

sub finish
{
	my ($out) = @_;

	close($out) or die "psql ended with $?\n";
	return;
}

# What SQL returns, a row a line; dies on an error.
sub query
{
	my ($self, $sql) = @_;
	my $out = $self->start($sql);
	my @rows = <$out>;

	finish($out);
	chomp @rows;
	return wantarray ? @rows : $rows[0];
}

# Several clients at once; returns what each has printed.
sub clients
{
	my ($self, @scripts) = @_;
	my @clients = map { $self->start($_) } @scripts;
	my @printed;

	foreach my $out (@clients)
	{
		local $/;
		push @printed, scalar(<$out>) // '';
	}
	finish($_) foreach @clients;
	chomp @printed;
	return @printed;
}

sub quote
{
	my ($text) = @_;

	$text =~ s/'/''/g;
	return "'$text'";
}

sub group
{
	my ($number) = @_;

	1 while $number =~ s/^(\d+)(\d{3})/$1,$2/;
	return $number;
}

sub choose { return $_[ rand @_ ]; }

# A random text of these characters.
sub text_of
{
	my ($length, @characters) = @_;

	return join('', map { choose(@characters) } 1 .. $length);
}

#
# Distinct, and whose they are
#

# ring => alphabet, base_length, share of all codes in percent.  Of the small
# alphabet a cycle is soon over, and of its shortest codes each is written to
# the disk.
my $DEFAULT = 'VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N';
my $SMALL = 'ACGTX';
my %rings = (
	d2 => [ $DEFAULT, 2, 15 ],
	d3 => [ $DEFAULT, 3, 20 ],
	d4 => [ $DEFAULT, 4, 20 ],
	d5 => [ $DEFAULT, 5, 20 ],
	s2 => [ $SMALL, 2, 1 ],
	s3 => [ $SMALL, 3, 4 ],
	s4 => [ $SMALL, 4, 10 ],
	s5 => [ $SMALL, 5, 10 ]);

# So many different extras of a ring.  Half are made of its own characters, and
# prefixes of one another: the beginnings of a few texts, '' among them, and so
# the same as other extras with uniquizers.  The others are anything: texts of
# up to 63 bytes of printable ASCII, control characters and some of Unicode.
sub make_extras
{
	my ($alphabet, $count) = @_;
	my @own = split(//, $alphabet);
	my @any = (
		(map { chr } 1 .. 127),
		"\xc3\xa4", "\xc3\xb1", "\xd0\x96", "\xe2\x80\x94", "\xe6\x97\xa5", "\xf0\x9f\x9a\xb2");
	my %extras = ('' => 1);

	while (keys %extras < $count / 2)
	{
		my $text = choose(keys %extras) . text_of(1 + rand 3, @own);

		next if length($text) > 12;
		$extras{ substr($text, 0, $_) } = 1 foreach 1 .. length($text);
	}
	while (keys %extras < $count)
	{
		my $text = text_of(1 + rand(rand() < 0.1 ? 80 : 8), rand() < 0.3 ? @own : @any);

		$extras{$text} = 1 if length($text) <= 63;
	}
	return shuffle(sort keys %extras);
}

# A client that draws so many codes: in statements that take them one by one,
# in random order of all series and with a bump now and then, or some hundred of
# a series at once, from each of the places that a set can stand in.
sub drawing_client
{
	my ($count, $seed) = @_;

	return <<"SQL";
SET search_path = proof, public;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SELECT setseed($seed) \\g /dev/null
DO \$\$
DECLARE
	wanted int := $count;
	slots int := (SELECT count(*) FROM slot);
	n int;
BEGIN
	WHILE wanted > 0 LOOP
		IF random() < 0.5 OR wanted < 1000 THEN
			INSERT INTO drawn SELECT id, coderring_get_code(ring, extra, random() < 0.001)
				FROM (SELECT (random() * slots)::int % slots AS slot
						FROM generate_series(1, least(1000, wanted))) p
					JOIN slot USING (slot) JOIN series USING (id);
		ELSIF random() < 0.5 THEN
			INSERT INTO drawn SELECT id, coderring_get_codes(ring, (random() * 200)::int, extra)
				FROM (SELECT (random() * slots)::int % slots AS slot FROM generate_series(1, 5)) p
					JOIN slot USING (slot) JOIN series USING (id);
		ELSE
			INSERT INTO drawn SELECT id, code
				FROM (SELECT (random() * slots)::int % slots AS slot FROM generate_series(1, 5)) p
					JOIN slot USING (slot) JOIN series USING (id),
					coderring_get_codes(ring, (random() * 200)::int, extra) AS code;
		END IF;
		GET DIAGNOSTICS n = ROW_COUNT;
		wanted := wanted - n;
		COMMIT;
	END LOOP;
END \$\$;
SQL
}

# distinct(CODES): draw so many by random extras, and look at all of them.
sub distinct
{
	my ($self, $codes) = @_;
	my $extras = min(400, max(40, int($codes / 25_000)));
	my $clients = 4;
	my (@series, @counts, $began);

	foreach my $ring (sort keys %rings)
	{
		my ($alphabet, $base_length, $share) = @{ $rings{$ring} };

		foreach my $extra (make_extras($alphabet, $extras))
		{
			push @series, sprintf("(%d, '%s', %s, %d)", 1 + @series, $ring, quote($extra), $share);
		}
	}
	$self->query(join("\n",
		'CREATE SCHEMA proof;',
		'SET search_path = proof, public;',
		'CREATE TABLE series (id int PRIMARY KEY, ring text, extra text COLLATE "C", share int);',
		'INSERT INTO series VALUES', join(",\n", @series), ';',
		'CREATE TABLE slot AS SELECT (row_number() OVER ())::int - 1 AS slot, id',
		'FROM series, generate_series(1, share);',
		'ANALYZE series, slot;',
		'CREATE UNLOGGED TABLE drawn (id int NOT NULL, code text COLLATE "C" NOT NULL);',
		'SELECT ',
		join(', ', map { "coderring_create('$_', $rings{$_}[1], alphabet => '$rings{$_}[0]')" } sort keys %rings),
		"\n\\g /dev/null\n"));

	$began = time;
	$self->clients(
		map {
			drawing_client(int(($codes + $_) / $clients), rand)
		} 0 .. $clients - 1);
	note(sprintf('%d clients drew %s codes of %d rings with %d extras each in %.0f s',
			$clients, group($codes), scalar(keys %rings), $extras, time - $began));
	$self->query('VACUUM ANALYZE proof.drawn');

	# The books
	my ($rows, $series, $cycles, $skipped, $longest) = split(/\|/, $self->query(<<'SQL'));
SELECT (SELECT count(*) FROM proof.drawn),
	(SELECT count(*) FROM coderring.series),
	(SELECT sum(cycle + (cycle_offset > 0)::int) FROM coderring.series),
	(SELECT count(*) FROM coderring.skipped_positions),
	(SELECT max(length(code)) FROM proof.drawn)
SQL
	is($rows, $codes, 'as many codes as were asked for');
	is($series, scalar(@series), 'every extra was used');
	note(sprintf('%s cycles were begun, %s times something was skipped, the longest code has %d characters',
			group($cycles), group($skipped), $longest));
	cmp_ok($skipped, '>', 0, 'extras and uniquizers ran into each other');

	# Distinct: all codes of a ring, sorted.
	$began = time;
	is($self->query(<<'SQL'), 0, group($codes) . ' codes are distinct');
SET work_mem = '400MB';
SET search_path = proof;
CREATE TABLE distinct_code AS
	SELECT ring, code, count(*) AS times FROM drawn JOIN series USING (id) GROUP BY ring, code;
SELECT count(*) FROM distinct_code WHERE times > 1;
SQL
	note(sprintf('compared with each other in %.0f s', time - $began));

	# Decoded, in two sessions at once
	$began = time;
	foreach ($self->clients(
			map { <<"SQL" } 0 .. 1))
SET search_path = proof, public;
SELECT count(*), count(*) FILTER (WHERE d.extra = s.extra),
	count(*) FILTER (WHERE d.extra || d.uniquizer || d.base = code),
	count(*) FILTER (WHERE d.issued), count(*) FILTER (WHERE coderring_issued(ring, code))
FROM drawn JOIN series s USING (id), coderring_decode(ring, code) d
WHERE id % 2 = $_;
SQL
	{
		my @got = split(/\|/);

		$counts[$_] += $got[$_] foreach 0 .. $#got;
	}
	is($counts[0], $codes, 'all were decoded');
	is($counts[1], $codes, group($codes) . ' codes decode to the extra that they were asked with');
	is($counts[2], $codes, 'and to a uniquizer and a base code that complete it');
	is($counts[3], $codes, 'and were issued, says decode');
	is($counts[4], $codes, 'and were issued, says issued');
	note(sprintf('decoded in %.0f s', time - $began));

	$self->neighbours($codes);
	$self->next_codes;
	$self->query(<<'SQL');
SET client_min_messages = warning;
DROP SCHEMA proof CASCADE;
SELECT coderring_drop(name) FROM coderring.rings \g /dev/null
SQL
	return;
}

# What is nearly a code that was handed out, and is none, was not issued: with
# one character replaced, two that have changed places, one taken from either
# end or put there.  In the shorter codes that is often one which is out, too.
sub neighbours
{
	my ($self, $codes) = @_;
	my $percent = 100 * min(1, max(0.02, 20_000 / $codes));
	my %tried;
	my $issued = 0;
	my $began = time;
	my $alphabets = join(', ', map { "('$_', '$rings{$_}[0]', $rings{$_}[1])" } sort keys %rings);

	foreach ($self->query(<<"SQL"))
SET work_mem = '400MB';
SET search_path = proof, public;
SELECT setseed(${\ rand}) \\g /dev/null
CREATE TABLE near AS
	SELECT DISTINCT ring, CASE kind
			WHEN 0 THEN substr(code, 2)
			WHEN 1 THEN left(code, -1)
			WHEN 2 THEN letter || code
			WHEN 3 THEN code || letter
			WHEN 4 THEN left(code, place - 1) || reverse(substr(code, place, 2)) || substr(code, place + 2)
			ELSE left(code, place - 1) || letter || substr(code, place + 1)
		END AS code
	FROM (SELECT ring, code, (random() * 8)::int AS kind,
				-- more often in the base code than before it
				greatest(length(code) - (random() * (base_length + 2))::int, 1) AS place,
				substr(alphabet, 1 + floor(random() * length(alphabet))::int, 1) AS letter
			FROM distinct_code TABLESAMPLE BERNOULLI ($percent) REPEATABLE (1)
			JOIN (VALUES $alphabets) AS t (ring, alphabet, base_length) USING (ring)) sample;
SELECT ring, count(*), count(*) FILTER (WHERE coderring_issued(ring, code)),
	count(*) FILTER (WHERE (coderring_decode(ring, code)).issued)
FROM near LEFT JOIN distinct_code d USING (ring, code) WHERE d.times IS NULL GROUP BY ring;
SQL
	{
		my ($ring, $count, @said) = split(/\|/);

		$tried{$ring} = $count;
		$issued += $_ foreach @said;
	}
	is($issued, 0, group(sum(values %tried)) . ' neighbours that were not handed out are not issued');
	is(scalar(keys %tried), scalar(keys %rings), 'and there are some in every ring');
	note(sprintf('neighbours: %s; in %.0f s',
			join(', ', map { "$_ " . group($tried{$_}) } sort keys %tried), time - $began));
	return;
}

# Not even the code that comes next was issued, and the last one was.  A ring
# with the same key tells which that is.
sub next_codes
{
	my ($self) = @_;
	my ($wrong, $looked) = split(/\|/, $self->query(<<"SQL"));
SELECT coderring_create(ring || length, length), coderring_reset(ring || length, test_seed => 'next')
	FROM unnest(ARRAY['next', 'ahead']) ring, generate_series(2, 5) length \\g /dev/null
SELECT setseed(${\ rand}) \\g /dev/null
CREATE FUNCTION pg_temp.look(length int, extra text, count int, bump boolean) RETURNS int LANGUAGE plpgsql AS \$\$
DECLARE
	last text := coderring_get_code('next' || length, extra, bump);
	code text := coderring_get_code('ahead' || length, extra, bump);
	wrong int := 0;
BEGIN
	FOR i IN 1..count LOOP
		code := coderring_get_code('ahead' || length, extra);
		wrong := wrong + (NOT coderring_issued('next' || length, last))::int
			+ coderring_issued('next' || length, code)::int;
		last := coderring_get_code('next' || length, extra);
		wrong := wrong + (last <> code)::int;
	END LOOP;
	RETURN wrong;
END \$\$;
SELECT sum(pg_temp.look(length, (ARRAY['', 'X', 'A', '26'])[1 + floor(random() * 4)::int], count, random() < 0.3)), sum(count)
	FROM (SELECT length, (random() * 30)::int AS count FROM generate_series(2, 5) length, generate_series(1, 50)) t;
SQL
	is($wrong, 0, group($looked) . ' times the last code was issued and the next one was not');
	cmp_ok($looked, '>', 1000, 'which is often enough');
	return;
}

#
# Without blocked words
#

# Alphabets by name, and base_lengths
my @kinds = (
	[ 'default', 3 ], [ 'default', 4 ], [ 'default', 5 ],
	[ 'alphanumeric', 4 ], [ 'digits', 4 ], [ 'lower', 4 ]);

# What looks alike as one character, and without case.
sub fold
{
	my ($text) = @_;

	$text = lc($text);
	$text =~ tr/01l23456789/oiizeasgtbg/;
	return $text;
}

# The words of a list, as the table has them: folded, and sorted by kind.
sub read_list
{
	my ($self, $list) = @_;
	my @words = $self->query("SELECT unnest(words) FROM coderring.blocklist WHERE name = '$list'");
	my %list = (words => [ map { s/^\^|\$$//gr } @words ], part => {}, whole => {}, longest => 0);

	foreach (@words)
	{
		if (/^\^(..)\$$/)
		{
			$list{whole}{ fold($1) } = 1;
		}
		else
		{
			$list{part}{ fold($_) } = 1;
			$list{longest} = max($list{longest}, length);
		}
	}
	return \%list;
}

# Does a code hold a word? Looks at each of its substrings.
sub is_blocked
{
	my ($list, $code) = @_;
	my $text = fold($code);
	my $end = length($text);
	my $part = $list->{part};

	return $list->{whole}{$text} if $end == 2;
	foreach my $start (0 .. $end - 3)
	{
		foreach my $length (3 .. min($list->{longest}, $end - $start))
		{
			return 1 if $part->{ substr($text, $start, $length) };
		}
	}
	return 0;
}

# The same by looking for each word, much slower still.
sub has_word
{
	my ($list, $code) = @_;
	my $text = fold($code);

	return length($text) == 2 ? $list->{whole}{$text} : scalar(grep { index($text, $_) >= 0 } keys %{ $list->{part} });
}

# inspect(LIST, SQL, COUNTS): look at the codes that SQL prints.  COUNTS gets how
# many there are, how many hold a word, and one of these; how many were looked at
# in both ways, and how often these differ.  Returns the lines that begin with
# "= ", and with each how many codes before it hold a word, and how many there are.
sub inspect
{
	my ($self, $list, $sql, $counts) = @_;
	my $out = $self->start($sql);
	my ($codes, $blocked) = (0, 0);
	my @marks;

	while (<$out>)
	{
		my $is;

		chomp;
		if (/^= (.*)/)
		{
			push @marks, [ $1, $blocked, $codes ];
			($codes, $blocked) = (0, 0);
			next;
		}
		$is = is_blocked($list, $_);
		$codes++;
		if ($is)
		{
			$blocked++;
			$counts->{blocked}++;
			$counts->{pairs}++ if length == 2;
			$counts->{example} ||= $_;
		}
		if ($counts->{codes}++ % 5000 == 0)
		{
			$counts->{twice}++;
			$counts->{differ}++ if !$is != !has_word($list, $_);
		}
	}
	finish($out);
	return @marks;
}

# Extras of a filtered ring: none; beginnings of words, which a code must not
# complete; and any text of the ring's characters.  None holds a word itself.
sub filtered_extras
{
	my ($list, $alphabet, $count) = @_;
	my %extras = ('' => 1);

	while (keys %extras < $count)
	{
		my $extra = choose(@{ $list->{words} });

		$extra = rand() < 0.3 ? text_of(1 + rand 4, split(//, $alphabet))
		  : length($extra) > 2 ? substr($extra, 0, -1 - int(rand 2))
		  : next;
		$extra = uc($extra) if rand() < 0.7;
		$extras{$extra} = 1 if !is_blocked($list, $extra);
	}
	return sort keys %extras;
}

# no_blocked_word(CODES): in so many codes of filtered rings of many kinds.
sub no_blocked_word
{
	my ($self, $codes) = @_;
	my %lists = map { $_ => $self->read_list($_) } 'english', 'international';
	my %alphabets = map { $_ => scalar($self->query("SELECT coderring_alphabet('$_')")) } map { $_->[0] } @kinds;
	my (@rings, @jobs, @workers);
	my %sums = map { $_ => 0 } qw(codes blocked twice differ);
	my $began = time;

	foreach my $kind (@kinds)
	{
		foreach my $list (sort keys %lists)
		{
			push @rings, map { [ "@$kind $list $_", @$kind, $list, $_ ] } 'false', 'true';
		}
	}
	foreach (@rings)
	{
		my ($ring, $alphabet, $base_length, $list, $check) = @$_;
		my @extras = filtered_extras($lists{$list}, $alphabets{$alphabet}, 16);
		my $share = int(($codes + $#rings) / @rings);
		my $part = int($share / 2 / $#extras);

		# Half of the codes without an extra
		push @jobs, [ $list, join("\n",
				"SELECT coderring_create('$ring', $base_length, '$list', coderring_alphabet('$alphabet'), $check)",
				'\g /dev/null',
				map {
					my $count = $_ eq '' ? $share - $#extras * $part : $part;

					"COPY (SELECT coderring_get_codes('$ring', $count, " . quote($_) . ')) TO STDOUT;'
				} @extras) ];
	}
	foreach my $half (0 .. 1)
	{
		my $pid = open(my $worker, '-|') // die "fork: $!";

		if ($pid == 0)
		{
			my %counts;
			my $done = eval
			{
				$self->inspect($lists{ $jobs[$_][0] }, $jobs[$_][1], \%counts)
				  foreach grep { $_ % 2 == $half } 0 .. $#jobs;
				1;
			};

			print $@, map { "$_ $counts{$_}\n" } sort keys %counts;
			STDOUT->flush;
			File::Temp::cleanup();	# what this process has made
			POSIX::_exit($done ? 0 : 1);	# without what the parent has to do at its end
		}
		push @workers, $worker;
	}
	foreach my $worker (@workers)
	{
		while (<$worker>)
		{
			/^(\w+) (.*)/ or die $_;
			$1 eq 'example' ? $sums{$1} = $2 : ($sums{$1} += $2);
		}
		finish($worker);
	}
	cmp_ok($sums{codes}, '>=', $codes, group($sums{codes}) . ' codes of ' . @rings . ' filtered rings were looked at');
	is($sums{blocked}, 0, 'and none holds a blocked word') or diag("such as $sums{example}");
	cmp_ok($sums{twice}, '>=', $codes / 5000, group($sums{twice}) . ' of them were looked at word by word');
	is($sums{differ}, 0, 'with the same result');
	note(sprintf('%d lists, %d kinds of codes, with and without check characters, 16 extras each; in %.0f s',
			scalar(keys %lists), scalar(@kinds), time - $began));
	$self->whole_cycles(\%lists, \%alphabets, $codes);
	$self->extras_with_words(\%lists);
	$self->query('SELECT coderring_drop(name) FROM coderring.rings \g /dev/null');
	return;
}

# That the search finds words at all, and that the filter takes no more than it
# has to: of whole cycles of a ring without a filter it leaves as many as the
# filtered ring says that it has.  So do the shortest codes, of which words of
# two characters block a few.
sub whole_cycles
{
	my ($self, $lists, $alphabets, $codes) = @_;
	my %found = map { $_ => 0 } qw(codes blocked pairs);
	my $cycles = 0;
	my $began = time;
	my @wrong;

	foreach my $kind (@kinds, [ 'default', 1 ], [ 'default', 2 ])
	{
		my ($alphabet, $base_length) = @$kind;
		my $base_codes = length($alphabets->{$alphabet})**$base_length;
		my $large = $base_codes > 100_000;

		next if $base_codes > min(2_000_000, $codes / 5);
		foreach my $list (sort keys %$lists)
		{
			my @extras = $large ? '' : filtered_extras($lists->{$list}, $alphabets->{$alphabet}, 5);
			my %taken = map { $_ => 1 } @extras;

			# ('X', '') could not have its first cycle beside ('', 'X').
			@extras = grep { $_ eq '' || !$taken{ substr($_, 0, -1) } } @extras;
			foreach my $check ($large ? 'false' : ('false', 'true'))
			{
				my $arguments = "coderring_alphabet('$alphabet'), $check";

				# Two cycles; what has a uniquizer can be blocked by it.
				my @places = map { my $extra = $_; map { [ $extra, $_ ] } 0 .. 1 } @extras;
				my $sql = <<"SQL";
SELECT coderring_create('filtered', $base_length, '$list', $arguments),
	coderring_create('not filtered', $base_length, NULL, $arguments) \\g /dev/null
SQL

				foreach (@places)
				{
					my ($extra, $cycle) = (quote($_->[0]), $_->[1]);

					$sql .= <<"SQL";
COPY (SELECT coderring_get_codes('not filtered', $base_codes, $extra)) TO STDOUT;
SELECT coderring_advance('filtered', $extra, $cycle), coderring_get_code('filtered', $extra) \\g /dev/null
SELECT '= ' || coalesce((SELECT codes_per_cycle FROM coderring.series
	WHERE ring = 'filtered' AND extra = $extra AND cycle = $cycle), 0);
SQL
				}
				foreach ($self->inspect($lists->{$list},
						"$sql SELECT coderring_drop('filtered'), coderring_drop('not filtered') \\g /dev/null", \%found))
				{
					my ($left, $blocked, $count) = @$_;
					my $place = shift @places;

					push @wrong, "@$kind, $list, check character $check, extra '$place->[0]', cycle $place->[1]: "
					  . "$count codes, $blocked blocked, but $left left"
					  if $count != $base_codes || $blocked + $left != $base_codes;
					$cycles++;
				}
			}
		}
	}
	is(join("\n", @wrong), '', "$cycles whole cycles have as many codes as hold no word");
	cmp_ok($found{blocked}, '>', 1000, group($found{blocked}) . ' codes of unfiltered rings hold a word');
	cmp_ok($found{pairs}, '>', 0, 'some have two characters');
	note(sprintf('whole cycles: %s codes, in %.0f s', group($found{codes}), time - $began));
	return;
}

# A word in the extra alone does not count; behind it the ring completes none.
sub extras_with_words
{
	my ($self, $lists) = @_;
	my ($tried, $wrong) = (0, 0);

	foreach my $list (sort keys %$lists)
	{
		my @extras = map { $_, choose('x', '-', 'A') . uc } map { choose(grep { length > 2 } @{ $lists->{$list}{words} }) } 1 .. 20;
		my $array = join(', ', map { quote($_) } @extras);
		my @codes = $self->query(<<"SQL");
SELECT coderring_create('worded', blocklist => '$list') \\g /dev/null
SELECT e || ' ' || coderring_get_code('worded', e) FROM unnest(ARRAY[$array]) e, generate_series(1, 500);
SELECT coderring_drop('worded') \\g /dev/null
SQL
		$tried += 500 * @extras;
		$wrong += 500 * @extras - @codes;
		foreach (@codes)
		{
			my ($extra, $code) = split(/ /);
			my $text = fold($code);

			$wrong++ if grep { my $at = rindex($text, $_); $at >= 0 && $at + length($_) > length($extra) } keys %{ $lists->{$list}{part} };
		}
	}
	is($wrong, 0, "$tried codes behind extras that hold words: no other word");
	return;
}

1;
