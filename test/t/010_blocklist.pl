# The word filter where SQL alone is too slow or too alone: a million codes,
# crashes, dumps, and many sessions while words change.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q{
max_connections = 40
log_statement = none
}, allows_streaming => 1);
my $target = PostgreSQL::Test::Cluster->new('target');
my $tempdir = PostgreSQL::Test::Utils::tempdir();

#
# The slow check: the folded text, searched for every word.
#

# folded(TEXT...)
sub folded
{
	return map { (my $text = uc $_) =~ tr/01L23456978/OIIZEASGGTB/; $text } @_;
}

# words_of(LIST): what matches a folded text that is blocked. Of several lists,
# those of words.
sub words_of
{
	my ($list) = @_;
	my $names = join(',', map { "'$_'" } grep { $_ ne 'spreadsheet' } split(/, /, $list), 'no list');
	my @words = folded(split(/\n/,
		$node->safe_psql('postgres', "SELECT unnest(words) FROM coderring.blocklist WHERE name IN ($names)")));
	my $pattern = join('|', (map { /^(\^?)(.*?)(\$?)$/; $1 . quotemeta($2) . $3 } @words), '(?!)');

	return qr/$pattern/;
}

# sheet_of(LIST): what matches a text as it is that the list "spreadsheet" blocks,
# if that is one of them.
sub sheet_of
{
	my ($list) = @_;
	my $pattern = join('|', $list =~ /spreadsheet/ ?
		split(/\n/, $node->safe_psql('postgres', q{SELECT unnest(words) FROM coderring.blocklist WHERE name = 'spreadsheet'})) : '(?!)');

	return qr/$pattern/i;
}

sub is_blocked
{
	my ($words, $code) = @_;

	return (folded($code))[0] =~ $words ? 1 : 0;
}

sub take
{
	my ($server, $dbname, $ring, $count, $extra) = @_;

	return split(/\n/, $server->safe_psql($dbname, "SELECT coderring_get_codes('$ring', $count, '@{[ $extra // '' ]}')"));
}

# row(NODE, RING, COLUMNS): of coderring.series
sub row
{
	my ($server, $ring, $columns, $dbname) = @_;

	return split(/\|/, $server->safe_psql($dbname // 'postgres', "SELECT $columns FROM coderring.series WHERE ring = '$ring'"), -1);
}

#
# Whole cycles of 1,048,576 base codes
#
foreach my $case ([ 'english', '', 6093 ], [ 'international', '26', undef ], [ 'spreadsheet', '', 1186 ], [ 'english, spreadsheet', '26', undef ])
{
	my ($list, $extra, $known) = @$case;
	my $words = words_of($list);
	my $sheet = sheet_of($list);
	my $out = '';
	my ($codes, $strange, $twice, $unlike, $blocked) = (0, 0, 0, 0, 0);

	$node->safe_psql('postgres', "SELECT coderring_create('$list', 4, '$list'), coderring_get_code('$list', '$extra')");
	my ($left) = row($node, $list, 'codes_per_cycle');
	$node->safe_psql('postgres', "SELECT coderring_reset('$list')");
	$node->psql('postgres', "SELECT coderring_get_codes('$list', $left, '$extra')", stdout => \$out, on_error_die => 1);

	# one bit a base code, in the order of @halves
	my @halves = base_codes(2);
	my %number = map { $halves[$_] => $_ } 0 .. $#halves;
	my $seen = '';
	vec($seen, 1048576, 1) = 0;
	while ($out =~ /^(.*)$/mg)
	{
		$codes++;
		my ($first, $second) = $1 =~ /^\Q$extra\E(..)(..)$/;
		$strange++, next unless defined $second && defined $number{$first} && defined $number{$second};
		my $bit = $number{$first} * 1024 + $number{$second};
		$twice++ if vec($seen, $bit, 1);
		vec($seen, $bit, 1) = 1;
	}
	my $bit = 0;
	my @folded_halves = folded(@halves);
	foreach my $one (map { $extra . $_ } @halves)
	{
		my ($first) = folded($one);

		foreach my $other (0 .. $#halves)
		{
			my $is_blocked = "$first$folded_halves[$other]" =~ $words || "$one$halves[$other]" =~ $sheet ? 1 : 0;

			$blocked += $is_blocked;
			$unlike++ if $is_blocked == vec($seen, $bit++, 1);
		}
	}
	is("$codes codes, $strange strange, $twice twice, $unlike unlike", (1048576 - $blocked) . ' codes, 0 strange, 0 twice, 0 unlike',
		"$list, extra \"$extra\": the whole cycle is what the slow check leaves, $left codes");
	is($blocked, $known, "$list: $known are blocked") if defined $known;
	is(join(' ', row($node, $list, 'codes_per_cycle, remaining, percent, cycle_offset')), "$left 0 100.00 1048576", "$list: the view says so");
	like($node->safe_psql('postgres', "SELECT coderring_get_code('$list', '$extra')"), qr/^${extra}X....$/, "$list: and then the next cycle");
	$node->safe_psql('postgres', "SELECT coderring_drop('$list')");
}

#
# What remains after a restart or a crash is what comes, and next to nothing is
# lost.
#

# words_with(LETTERS, PLACE): every word of three that has one of the letters
# there, as an array for SQL.
sub words_with
{
	my ($letters, $place) = @_;
	my @words;

	foreach my $letter (split(//, $letters))
	{
		push @words, map { substr($_, 0, $place) . $letter . substr($_, $place) } base_codes(2);
	}
	return "'{" . join(',', @words) . "}'";
}

$node->safe_psql('postgres', q{SELECT coderring_define_blocklist('begin', } . words_with('VSE293AH7Q', 0) . ')');
my $begin = words_of('begin');

# rest(RING, TITLE, DONE...): draw what remains of the cycle in which the ring
# is, and of which these codes were received.
sub rest
{
	my ($ring, $title, @done) = @_;
	my ($codes, $remaining, $percent) = row($node, $ring, 'codes_per_cycle, remaining, percent');
	my @rest = take($node, 'postgres', $ring, $remaining);
	my %prefixes = map { substr($_, 0, -3) => 1 } @done, @rest;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($percent, sprintf('%.2f', int(($codes - $remaining) * 10000 / $codes) / 100), "$title: percent");
	is(scalar(keys %prefixes), 1, "$title: what remains is of this cycle");
	is(join(' ', duplicates(@done, @rest)), '', "$title: no code comes twice");
	is(join(' ', grep { is_blocked($begin, $_) } @rest), '', "$title: none is blocked");
	is(join(' ', row($node, $ring, 'remaining, percent, cycle_offset')), '0 100.00 32768', "$title: nothing remains of the cycle");
	ok(!$prefixes{ substr($node->safe_psql('postgres', "SELECT coderring_get_code('$ring')"), 0, -3) }, "$title: nor does any of it come");
	return;
}

foreach my $mode ('immediate', 'fast')
{
	my %done;

	$node->safe_psql('postgres', "SELECT coderring_create('$mode' || i, 3, 'begin') FROM generate_series(1, 6) i");
	$done{1} = [ take($node, 'postgres', "${mode}1", 1000) ];
	$done{2} = [ take($node, 'postgres', "${mode}2", 1) ];
	take($node, 'postgres', "${mode}3", 99);
	$done{3} = [ $node->safe_psql('postgres', "SELECT coderring_get_code('${mode}3', bump => true)") ];
	push @{ $done{3} }, take($node, 'postgres', "${mode}3", 76);
	$node->safe_psql('postgres', "SELECT coderring_advance('${mode}4', '', 34)");
	$done{4} = [ take($node, 'postgres', "${mode}4", 5000) ];
	is($node->safe_psql('postgres', "SELECT ring, cycle, codes_per_cycle, codes_per_cycle - remaining FROM coderring.series WHERE ring LIKE '$mode%' ORDER BY ring"),
		join("\n", map { $mode . $_ } '1|0|16384|1000', '2|0|16384|1', '3|1|16384|77', '4|34|16384|5000'), "$mode: before");

	# one that was advanced, and one whose words have changed and then been
	# used, or not
	$node->safe_psql('postgres', "SELECT coderring_advance('${mode}5', '', 5, 20000)");
	$done{5} = [ take($node, 'postgres', "${mode}5", 10) ];
	$node->safe_psql('postgres', "SELECT coderring_set_blocklist('${mode}6', 'english')");
	$done{6} = [ take($node, 'postgres', "${mode}6", 300) ];
	$node->safe_psql('postgres', "SELECT coderring_set_blocklist('${mode}6', 'begin')");
	push @{ $done{6} }, take($node, 'postgres', "${mode}6", 1) if $mode eq 'immediate';

	$node->stop($mode);
	$node->start;
	foreach my $n (1 .. 4)
	{
		my ($lost) = row($node, "$mode$n", 'codes_per_cycle - remaining - ' . @{ $done{$n} });

		ok($lost >= 0 && $lost <= 32768 / 64, "$mode, ring $n: at most 1/64 is lost") or diag($lost);
	}
	rest("$mode$_", "$mode, ring $_", @{ $done{$_} }) foreach 1 .. 6;
}
$node->safe_psql('postgres', 'SELECT count(coderring_drop(name)) FROM coderring.rings');

# The alphabet "safe" by itself
{
	my $sheet = sheet_of('spreadsheet');

	$node->safe_psql('postgres', q{SELECT coderring_create('safe', 4, alphabet => 'safe')});
	my @codes = take($node, 'postgres', 'safe', 614656);
	is(scalar(grep { /$sheet/ } @codes), 0, 'safe: no code of a whole cycle is blocked');
	is(join(' ', row($node, 'safe', 'cycle, remaining')), '0 0', 'safe: it was a whole cycle');
	$node->safe_psql('postgres', q{SELECT coderring_drop('safe')});
}

#
# Dump and restore: lists of one's own, with their owners, and none of those
# that are built in; and the rings' codes go on, filtered as they were.
#
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE lister;
CREATE ROLE leaver;
GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist TO PUBLIC;
SET ROLE lister;
SELECT coderring_define_blocklist('lister', ARRAY['abc', 'd "e', 'NULLS', 'NULL', 'ß\', E'a\tb']);
SET ROLE leaver;
SELECT coderring_define_blocklist('leaver', '{Xyz}'), coderring_create('left', 2, 'leaver');
RESET ROLE;
SELECT coderring_create('sheet', 3, 'begin, spreadsheet'), coderring_create('begin', 3, 'begin'), coderring_create('english', 2, 'english'), coderring_create('none', 2);
SQL
my %before = map { $_ => [ take($node, 'postgres', $_, 500) ] } qw(begin english left none sheet);
my $english = words_of('english');
my @blocked = grep { is_blocked($english, $_) } base_codes(2);
is(scalar(@blocked), 8, 'eight codes of two characters are blocked');
push @{ $before{english} }, take($node, 'postgres', 'english', 1024 - 8 - 500);

init_node($target);
$target->start;
$target->safe_psql('postgres', 'CREATE ROLE other; CREATE ROLE lister; CREATE DATABASE restored');
$node->command_ok([ 'pg_dump', '-f', "$tempdir/lists.sql", 'postgres' ], 'pg_dump');
my $dump = slurp_file("$tempdir/lists.sql");
my ($rows) = $dump =~ /^COPY coderring\.blocklist .*?\n(.*?)^\\\.$/ms;
is(join(' ', sort map { /^([^\t]+)/ } split(/\n/, $rows)), 'begin leaver lister', 'own lists are dumped, the built-in ones are not');
my ($out, $error);
my $status = IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $target->connstr('restored'), '-f', "$tempdir/lists.sql" ],
	'>', \$out, '2>', \$error);
ok($status, 'the dump loads') or diag($error);
like($error, qr/WARNING:  role "leaver" of a blocklist does not exist\nDETAIL:  It was the owner; only superusers may change the list\./,
	'with a warning for the owner that is missing');
is(scalar(() = $error =~ /of a blocklist/g), 1, 'and no other');
my $lists = 'SELECT name, builtin, words FROM coderring.blocklist ORDER BY name';
is($target->safe_psql('restored', $lists), $node->safe_psql('postgres', $lists), 'the lists are the same');
my $rings = 'SELECT name, blocklist, filter FROM coderring.ring JOIN coderring.series_state USING (incarnation) ORDER BY name';
is($target->safe_psql('restored', $rings), $node->safe_psql('postgres', $rings), 'so are the rings, and what they are filtered with');
my $series = 'SELECT ring, cycle, codes_per_cycle FROM coderring.series ORDER BY ring';
is($target->safe_psql('restored', $series), $node->safe_psql('postgres', $series), 'and what is said of their series');

foreach my $ring (qw(begin left none sheet))
{
	my @after = take($target, 'restored', $ring, $target->safe_psql('restored', "SELECT remaining FROM coderring.series WHERE ring = '$ring'"));
	my $list = $target->safe_psql('restored', "SELECT coalesce(blocklist, 'none') FROM coderring.rings WHERE name = '$ring'");
	my $words = words_of($list);
	my $sheet = sheet_of($list);

	is(join(' ', duplicates(@{ $before{$ring} }, @after)), '', "restored, $ring: no code comes twice");
	is(join(' ', grep { is_blocked($words, $_) || /$sheet/ } @after), '', "restored, $ring: none is blocked");
	is($target->safe_psql('restored', "SELECT remaining, cycle FROM coderring.series WHERE ring = '$ring'"), '0|0', "restored, $ring: it comes to the end of the cycle");
}
# What was passed over because it was blocked was not issued, there as here.
foreach my $server ([ $node, 'postgres' ], [ $target, 'restored' ])
{
	my $all = join(',', base_codes(2));

	is($server->[0]->safe_psql($server->[1], "SELECT string_agg(c, ' ') FROM unnest('{$all}'::text[]) c WHERE NOT coderring_issued('english', c)"),
		join(' ', @blocked), "$server->[1]: all was issued but what is blocked");
}

# Owners
is($target->safe_psql('restored', q{SET ROLE lister; SELECT coderring_define_blocklist('lister', '{abc}')}), '', 'the owner may change his list');
foreach my $role (qw(lister other))
{
	my (undef, undef, $denied) = $target->psql('restored', "SET ROLE $role; SELECT coderring_define_blocklist('leaver', '{abc}')",
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($denied, qr/ERROR:  42501:/, "$role may not change the list whose owner is missing");
}
is($target->safe_psql('restored', q{SELECT coderring_define_blocklist('leaver', '{2A}'); SELECT words FROM coderring.blocklist WHERE name = 'leaver'}), "\n{2A}",
	'a superuser may');
# Back where the owner is: he is found again.
$target->command_ok([ 'pg_dump', '-f', "$tempdir/back.sql", 'restored' ], 'pg_dump of a list without an owner');
$node->safe_psql('postgres', 'CREATE DATABASE back');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', 'back', '-f', "$tempdir/back.sql" ], 'and back');
is($node->safe_psql('back', q{SELECT owner::regrole, words FROM coderring.blocklist WHERE name = 'leaver'}), 'leaver|{2A}', 'its owner is found again');
$target->stop;
$node->safe_psql('postgres', 'SELECT count(coderring_drop(name)) FROM coderring.rings');

#
# Many sessions, and words that change: no code comes twice, none is lost, and
# none is handed out after words that block it were committed.
#
# Ring "more" has a list that only grows, so that a code obeys every version
# whose number its caller has seen. A version is made known when its COMMIT has
# returned. Ring "any" has one list after the other, some of them rolled back.
#
my $letters = 'VSE293AH7QRB';
my $clients = 6;
my $statements = 1500;

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE version (v int);
INSERT INTO version VALUES (0);
SELECT coderring_define_blocklist('more', '{}'), coderring_create('more', 3, 'more'), coderring_create('any', 3);
SQL
my $script = write_script("SELECT (SELECT max(v) FROM version), coderring_get_code('more');\nSELECT 'any', coderring_get_code('any');\n" x $statements);
my @runs = map { start_client($node, $script) } 1 .. $clients;
my $per_version = $clients * $statements * 2 * 7 / (length($letters) + 2);
my $changer = new_session($node);
my @changes = (
	[ q{SELECT coderring_set_blocklist('any', 'begin')} ],
	[ 'BEGIN', q{SELECT coderring_set_blocklist('any', NULL)}, 'ROLLBACK', q{SELECT coderring_get_code('any')} ],
	[ q{SELECT coderring_define_blocklist('begin', } . words_with('6R4BT', 1) . ')' ],
	[ q{SELECT coderring_set_blocklist('any', NULL)} ],
	[ 'BEGIN', q{SELECT coderring_set_blocklist('any', 'english')}, 'SAVEPOINT s', q{SELECT coderring_set_blocklist('any', 'begin')},
		'ROLLBACK TO s', 'COMMIT', q{SELECT coderring_get_code('any')} ]);
my @any;

foreach my $v (1 .. length($letters))
{
	wait_for_output($v * $per_version, @runs) or die 'no codes come';
	$changer->query(q{SELECT coderring_define_blocklist('more', } . words_with(substr($letters, 0, $v), 0) . ')');
	$changer->query("INSERT INTO version VALUES ($v)");
	push @any, grep { $_ ne '' } map { $changer->query($_) } @{ $changes[ $v % @changes ] };
	is($changer->{error}, '', "version $v: no error");
}
$changer->quit;
stop_clients(@runs);
is(errors_of(@runs), '', 'words change under many sessions: no errors');

my (%seen, @more, @disobedient);
my @words = map { my $v = $_; my %h = map { $_ => 1 } folded(split(//, substr($letters, 0, $v))); \%h } 0 .. length($letters);
foreach (output_of(@runs))
{
	chomp;
	my ($what, $code) = split(/\|/);

	if ($what eq 'any')
	{
		push @any, $code;
		next;
	}
	$seen{$what}++;
	push @more, $code;
	push @disobedient, "$what: $code" if $words[$what]{ (folded(substr($code, 0, 1)))[0] };
}
is(scalar(@more), $clients * $statements, 'every statement has returned a code');
ok(keys %seen > length($letters) / 2, 'and they have seen many versions of the words') or diag(join(' ', sort { $a <=> $b } keys %seen));
is("@disobedient[ 0 .. ($#disobedient > 9 ? 9 : $#disobedient) ]", '', 'no code holds a word that was committed before');

# To the end of the cycle: of what no words have blocked, each code once.
push @more, take($node, 'postgres', 'more', 32768);
push @any, take($node, 'postgres', 'any', 32768);
my $never = $words[ length($letters) ];
foreach my $ring ([ 'more', \@more, sub { !$never->{ (folded(substr($_[0], 0, 1)))[0] } } ],
	[ 'any', \@any, sub { my ($text) = folded($_[0]); $text !~ /^[VSEZGAHTQ]|^.[GRABT]/ && !is_blocked($english, $_[0]) } ])
{
	my ($name, $got, $free) = @$ring;
	my %got = map { $_ => 1 } @$got;

	is(join(' ', duplicates(@$got)), '', "$name: no code came twice");
	is(scalar(grep { $free->($_) && !$got{$_} } base_codes(3)), 0, "$name: none was lost");
}

# The first refill after a restart is cancelled: what the row has counted is not
# counted anew, which far inside a cycle would be an estimate.
my $remaining = q{SELECT remaining FROM coderring.series WHERE ring = 'counted'};
$node->safe_psql('postgres', q{
	SELECT coderring_create('counted', 4, blocklist => 'english');
	SELECT count(*) FROM coderring_get_codes('counted', 200000)});
$node->restart;
await_standbys($node, 'nobody');
my $exact = $node->safe_psql('postgres', $remaining);
my $cancelled = new_session($node);
cancel_waiting($node, $cancelled, q{SELECT coderring_get_code('counted')});
is($cancelled->state, '57014', 'a first refill is cancelled');
$cancelled->quit;
is($node->safe_psql('postgres', $remaining), $exact, 'the codes that remain are counted as before');
await_standbys($node, '');		# what waits is let go
is($node->safe_psql('postgres', qq{SELECT count(coderring_get_code('counted')) FROM generate_series(1, 100); $remaining}),
	"100\n" . ($exact - 100), 'and go on from there');

$node->stop;
done_testing();
