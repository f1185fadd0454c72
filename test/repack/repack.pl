# pg_repack copies a table, catches what a trigger sees of later changes, and puts
# the copy in its place. What is written in place it does not see. So it may take
# the tables of definitions, whose rows are written as SQL writes them, and must
# pass over those of series. Run by test/repack.sh.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../t";

use Coderring;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q{
dynamic_shared_memory_type = mmap
coderring.max_shared_memory = 1MB
});

$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_repack;
	CREATE EXTENSION amcheck;
	CREATE ROLE tenant LOGIN;
	SELECT coderring_create('order'), coderring_create('small', 2), coderring_create('tenants'), coderring_grant('order', 'tenant');
	SELECT count(coderring_get_code('tenants', i || '-')), count(coderring_get_code('small', i || '-', true)) FROM generate_series(1, 500) i});

# The books: codes by ring, series that are known, rings that were created and not
# dropped since, rings that were granted
my (%came, %twice, %series, %rings, %granted);

sub enter
{
	foreach my $line (@_)
	{
		chomp $line;
		my ($what, $ring, $extra, $code) = split(/\|/, $line);

		next if !defined $ring;
		if ($what eq 'code')
		{
			$twice{"$ring $code"} = $extra if $came{"$ring $code"}++;
			$series{$ring}{$extra} = 1;
		}
		elsif ($what eq 'created') { $rings{$ring} = 1 }
		elsif ($what eq 'granted') { $granted{$ring} = 1 }
		elsif ($what eq 'drops') { delete $rings{$ring}; delete $granted{$ring}; delete $series{$ring} }
	}
	return;
}

# ask(SQL): its lines go into the books
sub ask
{
	my ($sql) = @_;
	my ($out, $err);

	$node->psql('postgres', $sql, stdout => \$out, stderr => \$err, on_error_stop => 0);
	enter(split(/\n/, $out));
	return $err;
}

# Clients: lines for the books come behind what has been committed
my $run = 0;
my $round = 0;

sub callers
{
	$run++;
	my $new = join('', map { "SELECT 'code', 'tenants', 'n$run.$_-', coderring_get_code('tenants', 'n$run.$_-');\n"
		. "SELECT 'code', 'small', 'n$run.$_-', coderring_get_code('small', 'n$run.$_-', true);\nSELECT pg_sleep(0.005);\n" } 1 .. 10_000);
	my $rings = join('', map {
		my $ring = "r$run.$_";
		my $old = "r$run." . ($_ - 3);

		"SELECT coderring_create('$ring', 2);\nSELECT 'created', '$ring';\nSELECT coderring_grant('$ring', 'tenant');\nSELECT 'granted', '$ring';\n"
		  . "SELECT 'code', '$ring', '', coderring_get_codes('$ring', 20);\n"
		  . ($_ % 2 || $_ <= 3 ? '' : "SELECT 'drops', '$old';\nSELECT coderring_drop('$old', true);\n") . "SELECT pg_sleep(0.02);\n" } 1 .. 10_000);
	my $long = join('', map {
		"BEGIN;\nSELECT 'code', 'order', '', coderring_get_codes('order', 300);\n"
		  . "SELECT 'code', 'order', 'l$run.$_-', coderring_get_code('order', 'l$run.$_-');\nSELECT pg_sleep(2);\n"
		  . "SELECT 'code', 'order', '', coderring_get_codes('order', 300);\n" . ($_ % 2 ? "COMMIT;\n" : "ROLLBACK;\n") } 1 .. 100);
	my $fast = "SELECT 'code', 'order', 'fast-', coderring_get_codes('order', 50, 'fast-');\nSELECT pg_sleep(0.005);\n" x 10_000;

	return map { start_client($node, write_script($_)) } $new, $rings, $long, $fast;
}

# every_series(TITLE): one more code of each, and of those that are granted as the role
sub every_series
{
	my ($title) = @_;
	my $script = '';

	foreach my $ring (sort keys %series)
	{
		my $extras = join(',', map { "\"$_\"" } sort keys %{ $series{$ring} });

		$script .= ($granted{$ring} ? "SET ROLE tenant;\n" : "RESET ROLE;\n")
		  . "SELECT 'code', '$ring', x, coderring_get_codes('$ring', 2, x) FROM unnest('{$extras}'::text[]) x;\n";
	}
	my @errors = grep { /ERROR|FATAL/ } split(/\n/, ask($script));
	is(scalar(@errors), 0, "$title: every ring and grant is there") or diag(join("\n", @errors[ 0 .. 2 ]));
	is(scalar(keys %twice), 0, "$title: of " . scalar(keys %came) . ' codes none came twice')
	  or diag('such as ' . join(', ', map { "$_ (extra $twice{$_})" } (sort keys %twice)[ 0 .. 4 ]));
	%twice = ();
	return;
}

# repack(ARGUMENTS...)
sub repack
{
	my @arguments = @_;
	my $title = 'pg_repack' . join('', map { " $_" } @arguments);
	my ($out, $err) = ('', '');
	my @callers = callers();
	my $holder = new_session($node);
	my $other = new_session($node);

	wait_for_output(2000, @callers) or die 'callers do not get on';
	$holder->query(q{BEGIN; CREATE TEMP TABLE held (i integer)});
	enter(split(/\n/, $holder->query(q{SELECT 'code', 'order', '', coderring_get_codes('order', 20)})));

	my $process = IPC::Run::start([ 'pg_repack', '-h', $node->host, '-p', $node->port, '-d', 'postgres', @arguments ],
		'<', '/dev/null', '>', \$out, '2>', \$err);
	wait_until(sub { $process->pump_nb if $process->pumpable; $err =~ /Waiting for/ || !$process->pumpable
		|| $other->query(q{SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE application_name = 'pg_repack' AND NOT granted}) > 0 });
	my $waited = $process->pumpable;

	# what is handed out between the copy and the swap
	enter(split(/\n/, $other->query(q{SELECT 'code', 'order', '', coderring_get_codes('order', 60000)})));
	enter(split(/\n/, $other->query(q{SELECT 'code', 'tenants', i || '-', coderring_get_codes('tenants', 40, i || '-') FROM generate_series(1, 500) i})));
	enter(split(/\n/, $other->query(q{SELECT 'code', 'order', '', coderring_get_codes('order', 100)})));
	$holder->query('COMMIT');
	$process->finish;
	my $status = $process->result(0);
	note("$title: " . ($waited ? 'waited, ' : '') . "exit status $status; $err");
	is($status, 0, "$title: succeeds") if !@arguments || "@arguments" =~ /coderring.ring/;
	my $size = 0;
	$size += -s $_->{out} // 0 foreach @callers;
	wait_for_output($size + 1000, @callers) or die 'callers do not get on';
	my $errors = errors_of(@callers);
	is(substr($errors, 0, 500), '', "$title: no caller sees an error");
	$_->{run}->kill_kill foreach @callers;
	enter(output_of(@callers));
	$holder->quit;
	$other->quit;

	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_index WHERE NOT indisvalid}), 0, "$title: all indexes are valid");
	is($node->safe_psql('postgres', q{
		SELECT count(bt_index_check(indexrelid, true)) > 0 FROM pg_index JOIN pg_class c ON c.oid = indrelid
		WHERE relnamespace = 'coderring'::regnamespace AND relkind = 'r'}), 't', "$title: and agree with the tables");
	my @there = split(/\n/, $node->safe_psql('postgres', 'SELECT name FROM coderring.rings'));
	my %there = map { $_ => 1 } @there;
	is(join(' ', grep { !$there{$_} } sort keys %rings), '', "$title: " . scalar(keys %rings) . ' rings, and none is gone');

	# the places of series in shared memory go to others
	$node->safe_psql('postgres', q{
		SELECT count(coderring_get_code('small', i || '/')) FROM generate_series(1, 4000) i;
		SELECT count(coderring_get_code('small', i || '/')) FROM generate_series(1, 4000) i});
	every_series("$title, evicted");
	$node->restart;
	every_series("$title, restart");
	$node->stop('immediate');
	$node->start;
	every_series("$title, crash");

	# each run with rings and series of its own, else this takes longer and longer
	enter(map { "drops|$_" } grep { /^r/ } sort keys %series);
	delete $series{$_} foreach grep { /^r\d/ } keys %series;
	foreach my $ring (keys %series)
	{
		delete $series{$ring}{$_} foreach grep { /^[nl]\d/ } keys %{ $series{$ring} };
	}
	return;
}

my ($series_key, $skipped_key, $ring_key) = split(/\n/, $node->safe_psql('postgres', q{
	SELECT (SELECT indexrelid::regclass FROM pg_index WHERE indrelid = t AND indisunique ORDER BY 1 LIMIT 1)
	FROM unnest('{coderring.series_state,coderring.skipped_positions,coderring.ring}'::regclass[]) WITH ORDINALITY AS a (t, o) ORDER BY o}));

repack();
repack('-t', 'coderring.series_state');
repack('-t', 'coderring.skipped_positions');
repack('-t', 'coderring.ring', '-t', 'coderring.ring_grant', '-t', 'coderring.blocklist');
repack('-c', 'coderring', '--no-order');
repack('--only-indexes', '-t', 'coderring.series_state', '-t', 'coderring.skipped_positions', '-t', 'coderring.ring');
repack('-i', $series_key, '-i', $skipped_key, '-i', $ring_key);

$node->stop;
done_testing();
