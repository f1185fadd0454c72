# The blocks of code in README.md, CONTRIBUTING.md and docs/*.md are run, in the
# order in which a page has them, and what a page shows of their output is
# compared. Markdown.pm says what a page can tell this test.
#
#   sql    psql runs it. Behind a statement a comment shows the one value, or the
#          error, that it gives: "SELECT ...; -- 7GRY", or "-- 7GRY: a remark".
#   sh     bash runs it, in a directory of the page.
#   ini    settings: the server accepts each.
#   text   what the block before it prints, all of it but what comments show
#          already and what functions without a result do. "..." stands for
#          anything, alone on a line for any lines.
#
# No other error, and no warning, may come out of a block. Each page begins with a
# database of its own, which has the extension, unless a block creates that. After
# the page all databases and roles that it has made are dropped.
#
#   DOCS_PAGES=extras    only the pages whose names match
#
# Codes are random: so every ring that a block creates, with its name as a
# literal, is given a test_seed at once, with which a ring of four characters
# begins with the README's 7GRY. Apart from that, what is run is what is shown.

use strict;
use warnings;

use Cwd;
use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use Markdown;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = 'docs 7743639';

# Pages whose commands are run by something else, which also compares
my %elsewhere = (
	'docs/databases.md' => 'test/t/015_staging.pl runs each block in the situation that it is for',
	'docs/proof.md' => 'its commands are targets that run for minutes; 019_docs_facts.pl looks whether there are such targets',
	'docs/clients.md' => 'its examples are taken from files that make clients runs',
	'docs/packaging.md' => 'make package runs its commands in systems of their own');

# Blocks that are not run, by page: each has its reason in the page
my %skipped = (
	'README.md' => 5,
	'CONTRIBUTING.md' => 4,
	'docs/moving-from-coder-ring.md' => 3,
	'docs/operations.md' => 2,
);

my $node = PostgreSQL::Test::Cluster->new('main');
my $standby;
my $tempdir = PostgreSQL::Test::Utils::tempdir();
my %databases;					# of the page that is run now

init_node($node, allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_prepared_transactions = 10\nlog_statement = none\n");
$node->start;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# The standby is made when a page asks for it.
sub standby
{
	if (!$standby)
	{
		$standby = PostgreSQL::Test::Cluster->new('standby');
		$node->backup('backup');
		$standby->init_from_backup($node, 'backup', has_streaming => 1);
		$standby->start;
	}
	$node->wait_for_catchup($standby)
	  if $standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()') eq 't';
	return $standby;
}

# print_of(COMMAND, INPUT): what it prints, complaints and all, and whether it succeeds.
sub print_of
{
	my ($command, $input) = @_;
	my $file = "$tempdir/input";
	my ($out, $ok) = ('');

	unlink $file;
	append_to_file($file, $input);
	$ok = IPC::Run::run($command, '<', $file, '>&', "$tempdir/output");
	return (slurp_file("$tempdir/output"), $ok);
}

# results(TEXT): what one statement has printed, taken apart: result sets, each
# with its {text}, and its {value} if it is one; and messages, by {level}.
sub results
{
	my ($text) = @_;
	my @results;

	while ($text =~ /\G(?:(.*)\n(-+(?:\+-+)*)\n((?:.*\n)*?)\((\d+) rows?\)\n|((ERROR|FATAL|WARNING|NOTICE|INFO|LOG):  (.*)\n(?:(?:LINE|DETAIL|HINT|CONTEXT|QUERY|\t|  *\^).*\n)*)|(.*)\n)/g)
	{
		if (defined $2)
		{
			my ($head, $line, $rows, $count) = ($1, $2, $3, $4);
			my $result = { text => "$head\n$line\n$rows($count row" . ($count == 1 ? '' : 's') . ")\n" };

			$result->{value} = $rows =~ s/^\s+|\s+$//gr if $count == 1 && $line !~ /\+/;
			$result->{value} = 'no row' if $count == 0;
			$result->{text} =~ tr/`/ /;
			push @results, $result;
		}
		elsif (defined $5) { push @results, { text => $5, level => $6, message => $7 } }
		elsif ($8 =~ /\S/) { push @results, { text => "$8\n" } }
	}
	return @results;
}

# run_sql(WHERE, SQL): a list of statements' last lines, each with its results.
sub run_sql
{
	my ($where, $sql) = @_;
	my $server = $where->{standby} ? standby() : $node;
	my @lines;
	my @steps;
	my $created;
	my $quoted = 0;

	foreach my $line (grep { /\S/ } split(/\n/, $sql))
	{
		push @lines, { text => $line };
		$quoted ^= 1 foreach $line =~ /\$\w*\$/g;
		$created = $1 if $line =~ /\bcoderring_create\('((?:[^']|'')+)'/ && !$quoted;
		if (defined $created && $line =~ /;\s*(?:--.*)?$/)
		{
			push @lines, { hidden => 1, text => "SELECT coderring_reset(name, first_cycle, '$seed') FROM coderring.rings "
				  . "WHERE name = '$created' AND NOT EXISTS (SELECT FROM coderring.series WHERE ring = name);" };
			$created = undef;
		}
	}
	my ($output) = print_of([ 'psql', '-Xaq', '-P', 'pager=off', '-P', 'null=`', '-d',
			$server->connstr($where->{database}) . " user=$where->{role}" ],
		join('', map { "$_->{text}\n" } @lines));

	# psql has echoed each line before what it printed for it
	my $next = 0;
	foreach my $line (split(/\n/, $output))
	{
		if ($next < @lines && $line eq $lines[$next]{text}) { push @steps, { %{ $lines[ $next++ ] }, output => '' } }
		elsif (@steps) { $steps[-1]{output} .= "$line\n" }
		else { push @steps, { text => '', output => "$line\n" } }
	}
	$_->{results} = [ results($_->{output}) ] foreach @steps;
	push @steps, { text => '', results => [ { text => "psql did not come to the end\n", level => 'ERROR', message => 'psql' } ] }
	  if $next < @lines;
	return @steps;
}

# How a page shows a value; psql shows NULL as "`" here, to tell it from what a
# function without a result gives.
sub shown
{
	my ($value) = @_;

	return $value eq 't' ? 'true' : $value eq 'f' ? 'false' : $value eq '`' ? 'NULL' : $value;
}

# check_comments(STEPS...): compares what comments show, and leaves the rest of
# the output. Returns problems, and that rest.
sub check_comments
{
	my @problems;
	my @rest;

	foreach my $step (@_)
	{
		my ($comment) = $step->{text} =~ /;\s+-- (.*?)\s*$/;

		foreach my $result (@{ $step->{results} })
		{
			my $value = $result->{value};

			if ($step->{hidden})
			{
				push @problems, "hidden: $result->{text}" if ($result->{level} // '') =~ /ERROR|FATAL/;
				next;
			}
			next if defined $value && $value eq '';	# a function without a result
			$value = "$result->{level}: $result->{message}" if ($result->{level} // '') eq 'ERROR';
			if (defined $comment && defined $value)
			{
				my $wanted = shown($value);

				push @problems, "$step->{text}\n    gives $wanted" if $comment !~ /^\Q$wanted\E(?:$|[:,;] )/;
				next;
			}
			push @rest, $result;
		}
	}
	return (\@problems, \@rest);
}

# like_text(GOT, WANTED): as the text of a page says? Blank lines do not count.
sub like_text
{
	my ($got, $wanted) = @_;
	my $pattern = '';

	foreach my $line (grep { /\S/ } split(/\n/, $wanted))
	{
		$pattern .= $line =~ /^\s*\.\.\.$/ ? '(?:.*\n)*?' :
		  join('.*?', map { quotemeta } split(/\.\.\./, $line =~ s/\s+$//r, -1)) . '\n';
	}
	return join('', map { s/\s+$//r . "\n" } grep { /\S/ } split(/\n/, $got)) =~ /^$pattern\z/;
}

# run_block(WHERE, BLOCK, TEXT): problems. TEXT is that of the block of output
# that follows, if one does.
sub run_block
{
	my ($where, $block, $text) = @_;
	my @problems;
	my $output;

	if ($block->{language} eq 'sql')
	{
		my ($found, $rest) = check_comments(run_sql($where, $block->{text}));

		push @problems, @$found;
		$output = join('', map { $_->{text} } @$rest);
		push @problems, map { "not shown: $_->{text}" } grep { ($_->{level} // '') =~ /ERROR|FATAL|WARNING/ } @$rest
		  if !defined $text;
	}
	else
	{
		my $here = getcwd();
		my $ok;
		local $ENV{PGDATABASE} = $where->{database};
		local $ENV{PGUSER} = $where->{role};

		mkdir $where->{directory};
		chdir $where->{directory} or die;
		($output, $ok) = print_of([ 'bash', '-e', '-o', 'pipefail', "$tempdir/input" ], $block->{text});
		chdir $here or die;
		push @problems, "fails:\n$output" if !$ok;
	}
	push @problems, "prints\n" . (length $output > 1500 ? substr($output, 0, 1500) . '...' : $output)
	  if defined $text && !like_text($output, $text);
	return @problems;
}

# check_settings(TEXT): problems.
sub check_settings
{
	my ($text) = @_;
	my @problems;

	foreach my $line (grep { /\S/ } split(/\n/, $text =~ s/#.*//gr))
	{
		if ($line !~ /^\s*([\w.]+)\s*=\s*(.*?)\s*$/) { push @problems, "no setting: $line"; next }
		my ($name, $value) = ($1, $2);
		my $err;

		$value = "'$value'" if $value !~ /^'.*'$/;
		$node->psql('postgres', "LOAD 'coderring'; ALTER SYSTEM SET $name = $value; ALTER SYSTEM RESET $name;", stderr => \$err);
		$err =~ s/\s+\z//;
		push @problems, "$line\n    $err" if $err ne '';
	}
	return @problems;
}

# new_database(NAME, EXTENSION): with the extension, or without.
sub new_database
{
	my ($name, $extension) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, 'CREATE EXTENSION coderring') if $extension;
	$databases{$name} = 1;
	return;
}

# run_page(PAGE)
sub run_page
{
	my ($page) = @_;
	my ($stem) = $page->{name} =~ /(\w[\w-]*)\.md$/;
	my $own = lc($stem) =~ tr/-/_/r;
	my $where = { database => $own, role => $superuser, directory => "$tempdir/$stem", standby => 0 };
	my @nodes = grep { $_->{kind} ne 'text' || $_->{text} =~ /\S/ } @{ $page->{nodes} };
	my $bare = grep { $_->{kind} =~ /block|comment/ && $_->{text} =~ /^CREATE EXTENSION coderring/m } @nodes;
	my $reason;
	my $skipped = 0;
	my $run = 0;

	new_database($own, !$bare);
	while (my $node_of_page = shift @nodes)
	{
		my $title = "$page->{name}, line $node_of_page->{line}";
		my @problems;

		if ($node_of_page->{kind} eq 'comment' && $node_of_page->{text} =~ /^docs:\s+(.*)\z/s)
		{
			my $told = $1;

			if ($told =~ /^skip, (\S.*)/s) { $reason = $1 }
			elsif ($told =~ /^run\n(.*)/s)
			{
				my ($found, $rest) = check_comments(run_sql({ %$where, role => $superuser, standby => 0 }, $1));
				push @problems, @$found, map { $_->{text} } grep { ($_->{level} // '') =~ /ERROR|FATAL/ } @$rest;
				is(join("\n", @problems), '', "$title: what is not shown") if @problems;
			}
			elsif ($told =~ /^database(?: (\w+))?$/)
			{
				$where->{database} = $1 // $own;
				new_database($where->{database}, 1) if !$databases{ $where->{database} };
			}
			elsif ($told =~ /^as (\w+)$/) { $where->{role} = $1 eq 'superuser' ? $superuser : $1 }
			elsif ($told =~ /^on (standby|primary)$/) { $where->{standby} = $1 eq 'standby' }
			elsif ($told !~ /^table \w+$/) { fail("$title: what does \"$told\" mean?") }
			next;
		}
		next if $node_of_page->{kind} ne 'block';

		my $text = @nodes && $nodes[0]{kind} eq 'block' && $nodes[0]{language} eq 'text' ? (shift @nodes)->{text} : undef;
		if (defined $reason)
		{
			note("$title: not run: $reason");
			$reason = undef;
			$skipped++;
			next;
		}
		if ($node_of_page->{language} eq 'ini') { @problems = check_settings($node_of_page->{text}) }
		elsif ($node_of_page->{language} =~ /^(?:sql|sh)$/) { @problems = run_block($where, $node_of_page, $text) }
		else { @problems = ("cannot run \"$node_of_page->{language}\"") }
		is(join("\n", @problems), '', "$title: " . ($node_of_page->{text} =~ /^(.{0,60})/)[0]);
		$run++;
	}
	is($skipped, $skipped{ $page->{name} } // 0, "$page->{name}: $run blocks are run, $skipped are not");

	# Roles are the server's: the next page begins without those of this one.
	$node->safe_psql('postgres', "DROP DATABASE $_ WITH (FORCE)") foreach keys %databases;
	%databases = ();
	$node->safe_psql('postgres', "DROP ROLE \"$_\"")
	  foreach split(/\n/, $node->safe_psql('postgres', "SELECT rolname FROM pg_roles WHERE oid >= 16384"));
	return;
}

foreach my $name (page_names())
{
	if (defined $elsewhere{$name}) { note("$name: $elsewhere{$name}") }
	elsif (!$ENV{DOCS_PAGES} || $name =~ /$ENV{DOCS_PAGES}/) { run_page(read_page($name)) }
}

$standby->stop if $standby;
$node->stop;
done_testing();
