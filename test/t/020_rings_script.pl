# sql/coderring-rings.psql: what it prints for given rings, to the character; never
# more than 80 columns; for roles that may see little, on a standby, in other
# encodings; and psql is as before afterwards. Also: docs/rings.svg is what it prints.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use Encode;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my $script = "$top/sql/coderring-rings.psql";
my $node = PostgreSQL::Test::Cluster->new('main');

init_node($node, allows_streaming => 1);
$node->start;
$ENV{PGCLIENTENCODING} = 'UTF8';

# psql(DATABASE, OPTIONS...): what psql prints, which has nothing to complain of.
sub psql
{
	my ($database, @options) = @_;

	return psql_on($node, $database, @options);
}

sub psql_on
{
	my ($server, $database, @options) = @_;
	my ($out, $err) = ('', '');

	@options = ('-f', $script) if !@options;
	IPC::Run::run([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $server->connstr($database), @options ],
		'<', '/dev/null', '>', \$out, '2>', \$err);
	is($err, '', 'no complaints');
	return $out;
}

# columns(TEXT): of the widest line, as a terminal shows it
sub columns
{
	my ($text) = @_;
	my $most = 0;

	foreach my $line (split(/\n/, decode('UTF-8', $text)))
	{
		my $width = length($line =~ s/\p{Mn}//gr);

		$width += () = $line =~ /[\p{East_Asian_Width=Wide}\p{East_Asian_Width=Fullwidth}]/g;
		$most = $width if $width > $most;
	}
	return $most;
}

sub new_database
{
	my ($name, $sql, $options) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name " . ($options // ''));
	$node->safe_psql($name, "CREATE EXTENSION coderring; $sql");
	return;
}

# without trailing blanks, with which psql fills up the names of rings
sub trimmed { return $_[0] =~ s/ +$//gmr }

#
# Nothing to show
#
is(psql('postgres', '-f', $script), "The extension coderring is not in this database.\n", 'without the extension');
new_database('nothing', '');
is(trimmed(psql('nothing', '-f', $script)), <<'END', 'no rings');
ring and extra len      used        of                  filled  then
no rings

END

#
# The picture
#
new_database('shop', slurp_file("$top/test/rings/example.sql"));
my $example = psql('shop', '-f', $script);
is(trimmed($example), <<'END', 'the rings of the example');
ring and extra len      used        of                  filled  then
table            2       981     1,024 ███████████████▎ 95.8 %  none !
order
  25             6   960,512 1,048,576 ██████████████▋░ 91.6 %     7 !
  24             6   801,544 1,048,576 ████████████▏░░░ 76.4 %     7
  26             6   372,206 1,048,576 █████▋░░░░░░░░░░ 35.4 %     7
coupon           6    14.2 M    33.5 M ██████▊░░░░░░░░░ 42.3 %     7
invitation       4   348,160 1,048,576 █████▎░░░░░░░░░░ 33.2 %     5
café             4    77,000 1,048,576 █▏░░░░░░░░░░░░░░  7.3 %     5
ticket           8         0     100 M ░░░░░░░░░░░░░░░░  0.0 %     9

END
my ($drawn, $problems) = ('', '');
IPC::Run::run([ 'perl', "$top/test/rings/picture.pl" ], '<', \"shop=> \\i coderring-rings.psql\n$example",
	'>', \$drawn, '2>', \$problems);
is($problems, '', 'it can be drawn');
ok($drawn eq slurp_file("$top/docs/rings.svg"), 'docs/rings.svg is that; if not: bash test/rings-picture.sh >docs/rings.svg');

#
# Names and numbers of all kinds
#
my $many = <<'SQL';
SELECT coderring_create('full'), coderring_advance('full', '', 0, 1048575), coderring_get_code('full') IS NULL;
SELECT coderring_create('nearly'), coderring_advance('nearly', '', 0, 943717);
SELECT coderring_create('soon'), coderring_advance('soon', '', 0, 943719);
SELECT coderring_create('long cycles', 3), coderring_advance('long cycles', '', 45, 16384);
SELECT coderring_create('from cycle 40', 3, first_cycle => 40), coderring_advance('from cycle 40', '', 45, 16384);
SELECT coderring_create('from 40, not used', 3, first_cycle => 40);
SELECT coderring_create('from 20, not used', 3, first_cycle => 20);
SELECT coderring_create('huge', 12), coderring_get_code('huge') IS NULL;
SELECT coderring_create('huge, not used', 12);
SELECT coderring_create('bits', 1, alphabet => '01'), coderring_advance('bits', '', 3, 1);
SELECT coderring_create('digits from 10', 3, alphabet => 'digits', first_cycle => 10);
SELECT coderring_create('clean', 4, 'english'), coderring_get_code('clean') IS NULL;
SELECT coderring_create('clean, not used', 4, 'english');
SELECT coderring_create('many extras');
SELECT count(coderring_advance('many extras', 'e' || n, 0, n * 1000)) FROM generate_series(1, 9) n;
SELECT coderring_create('exactly 22 characters!'), coderring_create('more than 22 characters');
SELECT coderring_create('注文番号注文番号注文'), coderring_get_code('注文番号注文番号注文', '東京') IS NULL;
SELECT coderring_create('注文番号注文番号注文番号'), coderring_create(repeat('👩', 15));
SELECT coderring_create(E'e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301');
SELECT coderring_create(E'two\nlines\tand \x1b[31mred\u202E');
SQL
new_database('many', $many);
my $shown = psql('many', '-f', $script);
is(trimmed($shown), <<'END', 'names and numbers of all kinds');
ring and extra         len      used        of                  filled  then
full                     4 1,048,576 1,048,576 ████████████████  100 %     5 !
soon                     4   943,719 1,048,576 ██████████████▍░ 90.0 %     5 !
nearly                   4   943,717 1,048,576 ██████████████▍░ 89.9 %     5
bits                     3         3         4 ████████████░░░░ 75.0 %     4
long cycles              5   409,600    32.5 M ▏░░░░░░░░░░░░░░░  1.2 %     6
many extras
  e9                     6     9,000 1,048,576 ▏░░░░░░░░░░░░░░░  0.8 %     7
  e8                     6     8,000 1,048,576 ▏░░░░░░░░░░░░░░░  0.7 %     7
  e7                     6     7,000 1,048,576 ▏░░░░░░░░░░░░░░░  0.6 %     7
  e6                     6     6,000 1,048,576 ▏░░░░░░░░░░░░░░░  0.5 %     7
  e5                     6     5,000 1,048,576 ▏░░░░░░░░░░░░░░░  0.4 %     7
  and 4 more
from cycle 40            5   180,224    32.2 M ▏░░░░░░░░░░░░░░░  0.5 %     6
clean                    4         1 1,042,483 ▏░░░░░░░░░░░░░░░  0.0 %     5
注文番号注文番号注文
  東京                   6         1 1,048,576 ▏░░░░░░░░░░░░░░░  0.0 %     7
huge                    12         1    1.15 E ▏░░░░░░░░░░░░░░░  0.0 %    13
clean, not used          4         0         ? ░░░░░░░░░░░░░░░░  0.0 %     5
digits from 10           5         0    90,000 ░░░░░░░░░░░░░░░░  0.0 %     6
exactly 22 characters!   4         0 1,048,576 ░░░░░░░░░░░░░░░░  0.0 %     5
éééééééééée…             4         0 1,048,576 ░░░░░░░░░░░░░░░░  0.0 %     5
from 20, not used        4         0   425,984 ░░░░░░░░░░░░░░░░  0.0 %     5
from 40, not used        5         0    32.2 M ░░░░░░░░░░░░░░░░  0.0 %     6
huge, not used          12         0    1.15 E ░░░░░░░░░░░░░░░░  0.0 %    13
more than 22 characte…   4         0 1,048,576 ░░░░░░░░░░░░░░░░  0.0 %     5
two?lines?and ?[31mre…   4         0 1,048,576 ░░░░░░░░░░░░░░░░  0.0 %     5
注文番号注文番号注文…    4         0 1,048,576 ░░░░░░░░░░░░░░░░  0.0 %     5
👩👩👩👩👩👩👩👩👩👩…    4         0 1,048,576 ░░░░░░░░░░░░░░░░  0.0 %     5

END
cmp_ok(columns($_), '<=', 80, 'in 80 columns') foreach $example, $shown;
is(columns("\xe6\x9d\xb1\xe4\xba\xac\xf0\x9f\x91\xa9 e\xcc\x81\n"), 8, 'columns are counted');

# fewer rings and extras, and without block characters
is(trimmed(psql('many', '-v', 'coderring_rings=6', '-v', 'coderring_extras=1', '-v', 'coderring_ascii=on', '-f', $script)),
	<<'END', 'as many as asked for, in ASCII');
ring and extra    len      used        of                  filled  then
full                4 1,048,576 1,048,576 ################  100 %     5 !
soon                4   943,719 1,048,576 ##############.. 90.0 %     5 !
nearly              4   943,717 1,048,576 ##############.. 89.9 %     5
bits                3         3         4 ############.... 75.0 %     4
long cycles         5   409,600    32.5 M ................  1.2 %     6
many extras
  e9                6     9,000 1,048,576 ................  0.8 %     7
  and 8 more
and 15 more rings

END

#
# Roles: each sees what the views show it
#
$node->safe_psql('shop', "CREATE ROLE nobody LOGIN; CREATE ROLE app LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_monitor; SELECT coderring_grant('coupon', 'app')");
is(trimmed(psql('shop', '-U', 'nobody', '-f', $script)), <<'END', 'a role that may see no ring');
ring and extra len      used        of                  filled  then
no rings

END
is(trimmed(psql('shop', '-U', 'app', '-f', $script)), <<'END', 'a role that may take codes of one');
ring and extra len      used        of                  filled  then
coupon           6    14.2 M    33.5 M ██████▊░░░░░░░░░ 42.3 %     7

END
is(psql('shop', '-U', 'watcher', '-f', $script), $example, 'a member of pg_monitor');
$node->safe_psql('shop', 'CREATE SCHEMA hostile; CREATE FUNCTION hostile.lpad(text, int) RETURNS text LANGUAGE sql AS $$SELECT 1/0$$');
is(psql('shop', '-c', 'SET search_path = hostile', '-f', $script), "SET\n$example", 'whatever is in search_path');

#
# psql's settings do not matter, and are as before
#
my $settings = write_script(<<'END');
\pset expanded on
\pset border 2
\pset tuples_only off
\pset null (null)
\pset footer off
\pset title Title
\pset format html
\set FETCH_COUNT 2
\set coderring_rings 7
END
my $look = write_script("\\pset\n\\set\n");
my $before = psql('shop', '-f', $settings, '-f', $look);
my $after = psql('shop', '-f', $settings, '-o', '/dev/null', '-f', $script, '-c', '\o', '-f', $look);

# what each query sets anew
s/^(?:LAST_ERROR|ROW_COUNT|SQLSTATE|ERROR).*\n//gm foreach $before, $after;
is($after, $before, 'settings and variables of psql are as before');
my ($set) = $before =~ /^(.*?)^border/ms;
$shown = psql('shop', '-f', $settings, '-f', $script);
is(substr($shown, length $set), $example, 'and make no difference');
is(psql('shop', '-q', '-c', 'BEGIN READ ONLY', '-f', $script, '-c', 'ROLLBACK'), $example, 'in a transaction that may not write');

#
# Encodings
#
sub in_encoding
{
	my ($database, $encoding) = @_;

	local $ENV{PGCLIENTENCODING} = $encoding;
	return trimmed(psql($database, '-f', $script));
}

new_database('latin', 'SELECT 1', "ENCODING LATIN1 TEMPLATE template0");
$node->safe_psql('latin', "SELECT coderring_create(convert_from('\\xe974e9', 'LATIN1'))");
my $wanted = "ring and extra len      used        of                  filled  then\n" .
  "%s              4         0 1,048,576 ................  0.0 %%     5\n\n";
is(in_encoding('latin', 'UTF8'), sprintf($wanted, "\xc3\xa9t\xc3\xa9"), 'a database in LATIN1');
is(in_encoding('latin', 'LATIN1'), sprintf($wanted, "\xe9t\xe9"), 'and in it psql too');
like(in_encoding('shop', 'LATIN1'), qr/^caf\xe9 /m, 'psql in LATIN1');
like(in_encoding('shop', $_), qr/^caf\? /m, "psql in $_") foreach 'SQL_ASCII', 'LATIN2';
unlike(in_encoding('many', $_), qr/[^ -~\n]/, "nothing but ASCII in $_") foreach 'SQL_ASCII', 'SJIS', 'EUC_JP';

#
# On a standby
#
my $standby = PostgreSQL::Test::Cluster->new('standby');
$node->backup('backup');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is(psql_on($standby, 'shop'), $example, 'on a standby');

$standby->stop;
$node->stop;
done_testing();
