# Versions: the library refuses scripts and shared memory that do not belong to it,
# and says what to type; every script version leads to the newest, with the same
# objects as a new installation; META.json and CHANGELOG name the same version.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use File::Copy;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my ($version) = slurp_file("$top/coderring.control") =~ /^default_version = '(.*)'/m;
my $node = new_node('main');

# error(SQL): SQLSTATE, message, detail and hint in one line, as a new session gets them
sub error
{
	my ($sql) = @_;
	my $session = new_session($node);

	$session->query($sql);
	my $error = join(' ', map { s/^psql:\S+ //r } grep { /^(?:psql:.*ERROR|DETAIL|HINT)/ } split(/\n/, $session->{error}));
	$session->quit;
	return $error;
}

sub pretend
{
	$node->safe_psql('postgres', "UPDATE pg_extension SET extversion = '$_[0]' WHERE extname = 'coderring'");
	return;
}

#
# Scripts
#
$node->safe_psql('postgres', "SELECT coderring_create('ring', 3)");
is($node->safe_psql('postgres', 'SELECT coderring.check_version() IS NULL'), 'f', 'its own version is served');

my @callers = (
	"SELECT coderring.check_version()",
	"SELECT coderring_get_code('ring')",
	"SELECT coderring_get_codes('ring', 3)",
	"SELECT coderring_create('another')",
	"SELECT coderring_drop('ring')",
	"SELECT * FROM coderring.series",
	"SELECT coderring_decode('ring', 'VVV')");
my $before = $node->safe_psql('postgres', 'TABLE coderring.rings');

foreach my $newer ('1.0.1', '1.10.0', '2', '10.0.0', "$version.1")
{
	pretend($newer);
	is(error($_), qq{ERROR:  55000: the extension "coderring" of this database is newer than its library }
		. "DETAIL:  The extension has version $newer, the library $version. "
		. "HINT:  Install the library of version $newer, and restart the server if it preloads coderring.", "$newer: $_")
		foreach @callers;
}
foreach my $older ('0.9.0', '0.10.1', '0', '1.0.0-dev', '1.0', 'unpackaged')
{
	pretend($older);
	is(error($_), qq{ERROR:  55000: the extension "coderring" of this database is older than its library can serve }
		. "DETAIL:  The extension has version $older, the library $version, which serves versions from 1.0.0 on. "
		. 'HINT:  ALTER EXTENSION coderring UPDATE;', "$older: $_")
		foreach @callers;
}

# A session that was refused goes on once the version is right, and one that
# remembers a ring looks again when definitions change.
pretend('2.0.0');
my $session = new_session($node);
$session->query("SELECT coderring_get_code('ring')");
is($session->state, '55000', 'a session is refused');
pretend($version);
like($session->query("SELECT coderring_get_code('ring')"), qr/^\w{3}$/, 'and goes on when the version is right');
pretend('2.0.0');
$node->safe_psql('postgres', "UPDATE coderring.ring SET name = name");
$session->query("SELECT coderring_get_code('ring')");
is($session->state, '55000', 'one that remembers a ring is refused when definitions have changed');
pretend($version);
like($session->query("SELECT coderring_get_code('ring')"), qr/^\w{3}$/, 'and goes on again');
$session->quit;
pretend($version);
is($node->safe_psql('postgres', "TABLE coderring.rings"), $before, 'nothing was changed meanwhile');

#
# Every version to the newest: the same objects as a new installation
#
my $objects = q{
	SELECT pg_catalog.pg_describe_object(classid, objid, 0) AS object,
		CASE classid
			WHEN 'pg_proc'::regclass THEN (SELECT concat_ws(' ', prosrc, probin, provolatile, proparallel, proisstrict, proretset, prosecdef,
				procost, prorows, proacl, pg_catalog.pg_get_function_arguments(oid), pg_catalog.pg_get_function_result(oid)) FROM pg_catalog.pg_proc WHERE oid = objid)
			WHEN 'pg_class'::regclass THEN (SELECT concat_ws(' ', relkind, relacl, (SELECT array_agg(concat_ws(' ', attname, atttypid::regtype, attnotnull, attstattarget) ORDER BY attnum)
				FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), CASE relkind WHEN 'v' THEN pg_catalog.pg_get_viewdef(oid) END)
				FROM pg_catalog.pg_class c WHERE oid = objid)
		END, pg_catalog.obj_description(objid, classid::regclass::name)
	FROM pg_catalog.pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'coderring')
	ORDER BY 1};
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION coderring');
my $fresh = $node->safe_psql('fresh', $objects);
like($fresh, qr/function coderring_get_code\(/, 'the objects of a new installation');

# An older script made up, which lacks two objects of the newest, shows that
# the comparison sees something; where files may be written.
my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);
my $scripts = "$sharedir/extension";
my @made_up;
my $full = slurp_file("$top/sql/coderring--$version.sql");
if (-w $scripts)
{
	my ($part) = $full =~ /^(CREATE FUNCTION coderring\.check_version\(\).*?;\nCOMMENT ON .*?;\n)/ms;
	my ($view) = $full =~ /^(CREATE VIEW coderring\.stats .*?;\nCOMMENT ON .*?;\nGRANT .*?;\n)/ms;
	my $old = $full =~ s/\Q$part\E//r =~ s/\Q$view\E//r;

	@made_up = ("$scripts/coderring--0.0.1.sql", "$scripts/coderring--0.0.1--$version.sql",
		"$scripts/coderring--0.0.2.sql", "$scripts/coderring--0.0.2--$version.sql");
	append_to_file($made_up[0], $old);
	append_to_file($made_up[1], $part . $view);
	append_to_file($made_up[2], $old);
	append_to_file($made_up[3], $part);
}
END { unlink @made_up }

my @versions = split(/\n/, $node->safe_psql('postgres', q{
	SELECT version FROM pg_available_extension_versions WHERE name = 'coderring' ORDER BY 1}));
ok((grep { $_ eq $version } @versions) == 1, 'the version of the control file can be installed');
foreach my $old (grep { $_ ne $version } @versions)
{
	my $name = 'from_' . $old =~ s/\W/_/gr;

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, "CREATE EXTENSION coderring VERSION '$old'");
	if ($old =~ /^0\.0/)
	{
		my ($rc, $out, $err) = $node->psql($name, "SELECT coderring_create('early')");
		like($err, qr/is older than its library can serve/, "$old: refused before the update");
	}
	my ($rc, $out, $err) = $node->psql($name, 'ALTER EXTENSION coderring UPDATE');
	is($rc, 0, "$old: updated to $version");
	my $now = $node->safe_psql($name, $objects);
	if ($old eq '0.0.2')
	{
		isnt($now, $fresh, 'an update that leaves a view out is noticed');
		next;
	}
	is($now, $fresh, "$old: the objects are those of a new installation");
	$node->safe_psql($name, "SELECT coderring_create('early')");
	like($node->safe_psql($name, "SELECT coderring_get_code('early')"), qr/^\w{4}$/, "$old: codes after the update");
}
is($node->safe_psql('postgres', qq{
	SELECT count(*) FROM pg_available_extension_versions v WHERE name = 'coderring' AND version <> '$version'
	AND NOT EXISTS (SELECT FROM pg_extension_update_paths('coderring') WHERE source = v.version AND target = '$version' AND path IS NOT NULL)}),
	'0', 'each version has a path to the newest');

#
# Shared memory of another library
#
my ($libdir) = run_command([ 'pg_config', '--pkglibdir' ]);
SKIP:
{
	skip "$libdir may not be written", 4 if !-w $libdir || !-w "$libdir/coderring.so";
	my $other = PostgreSQL::Test::Utils::tempdir() . '/other';
	mkdir($other);
	system('cp', '-r', (map { "$top/$_" } qw(Makefile coderring.control src sql)), $other) == 0 or die 'no copy';
	my ($out, $err) = ('', '');
	my $built = IPC::Run::run([ 'make', '-s', '-C', $other, 'clean', 'all', 'with_llvm=no', 'COPT=-DSHARED_LAYOUT=1000' ],
		'>', \$out, '2>', \$err);
	ok($built, 'a library of another layout is built') or diag($err);
	rename("$libdir/coderring.so", "$libdir/coderring.kept") or die "rename: $!";
	copy("$other/coderring.so", "$libdir/coderring.so") or die "copy: $!";
	my $refused = error("SELECT coderring_get_code('ring')");
	my $again = error("SELECT coderring_get_code('ring'); SELECT coderring_get_code('ring')");
	$node->restart;
	my $good = $node->safe_psql('postgres', "SELECT coderring_get_code('ring')");
	rename("$libdir/coderring.kept", "$libdir/coderring.so") or die "rename: $!";
	is($refused, 'ERROR:  55000: the shared memory of coderring is that of another version of its library '
		. "DETAIL:  Version $version made it when the server began to use coderring; this is version $version. "
		. 'HINT:  Restart the server.', 'the layout of another library is refused');
	is($again, "$refused $refused", 'each time anew');
	like($good, qr/^\w{3}$/, 'after a restart it is its own');
}

#
# Files that name the version
#
my $meta = decode_json(slurp_file("$top/META.json"));
is($meta->{version}, $version, 'META.json: the version of the control file');
is($meta->{provides}{coderring}{version}, $version, 'META.json: that of the extension');
is($meta->{provides}{coderring}{file}, "sql/coderring--$version.sql", 'META.json: its script');
ok(-f "$top/$meta->{provides}{coderring}{$_}", "META.json: its $_ exists") foreach qw(file docfile);
ok(defined $meta->{$_}, "META.json: $_") foreach qw(name abstract maintainer license meta-spec);
like($meta->{'meta-spec'}{version}, qr/^1\.0\.0$/, 'META.json: the specification');
like($_, qr/^\S+$/, 'META.json: a tag without blanks') foreach @{ $meta->{tags} };
like(slurp_file("$top/CHANGELOG.md"), qr/^## \Q$version\E\b/m, 'CHANGELOG.md has the version');

done_testing();
