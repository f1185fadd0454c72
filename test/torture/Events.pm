# What befalls the server in a run.  An event begins while clients work; when it
# ends they are idle, the server is there again, and the books are settled.

package Events;

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Exporter 'import';
our @EXPORT = qw(%EVENTS);

# name => [ code, with a standby only ]
our %EVENTS = (
	'kill -9 of the postmaster' => [ sub { kill_server($_[0], 0) } ],
	'kill -9 of all processes' => [ sub { kill_server($_[0], 1) } ],
	'kill -9 of a backend' => [ \&kill_backend ],
	'stop -m immediate' => [ sub { stop_server($_[0], 'immediate') } ],
	'stop -m fast' => [ sub { stop_server($_[0], 'fast') } ],
	'disk full for WAL' => [ \&full_disk ],
	'shared memory full' => [ \&little_memory ],
	'promotion after a crash' => [ \&promotion, 1 ],
	'promotion beside a live primary' => [ \&promotion_alive, 1 ],
	'standby away, primary dies, promotion' => [ \&promotion_late, 1 ],
	'standby away, callers cancelled' => [ \&standby_away, 1 ],
);

# Sometimes preloaded, sometimes with a WAL writer that is awake
sub options
{
	return (rand() < 0.5 ? '-c shared_preload_libraries=coderring ' : '')
	  . (rand() < 0.4 ? '-c wal_writer_delay=200ms -c wal_writer_flush_after=1MB' : '');
}

# The server is there again.  What it reserved for calls that then failed counts
# as passed over from now on, so a standby has to know of it before a promotion.
sub back
{
	my ($run, $crashes) = @_;

	!$run->{standby} || $run->{primary}->synchronous or die 'the standby does not come back';
	$run->settle($crashes);
	return;
}

sub kill_server
{
	my ($run, $all) = @_;

	$run->{primary}->kill9($all);
	$run->pause;
	$run->{primary}->must_start(options());
	back($run, 1);
	return;
}

sub stop_server
{
	my ($run, $mode) = @_;

	$run->{primary}->stop($mode);
	$run->pause;
	$run->{primary}->must_start(options());
	back($run, 1);
	return;
}

# One session is killed, and the server starts over by itself.
sub kill_backend
{
	my ($run) = @_;
	my $node = $run->{primary};
	my @pids = split(/\n/, $node->query(q{SELECT pid FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND datname = 'torture'}) // '');

	if (!@pids)
	{
		return stop_server($run, 'immediate');
	}
	my $started = $node->must_query('SELECT pg_postmaster_start_time()');
	my $before = ready($node);
	kill 'KILL', $pids[ rand @pids ];
	Node::wait_until(sub { ready($node) > $before }) or die 'the server does not come back';
	$run->pause;
	back($run, 1);
	return;
}

# How often a server has come up, by its log
sub ready
{
	my ($node) = @_;

	open(my $file, '<', $node->{log}) or return 0;
	return scalar grep { /database system is ready to accept connections/ } readline($file);
}

# No file may grow beyond a limit below the size of a WAL segment: for the server
# that is as if the disk were full (EFBIG instead of ENOSPC), and it panics.  Shared
# memory is files too, of which the server itself needs one of 1 MB.
sub full_disk
{
	my ($run) = @_;
	my $node = $run->{primary};
	my $end = time + 20;

	$node->stop('fast');
	$run->pause;
	my $started = $node->start('-c restart_after_crash=off', 1100 + int(rand(2950)));
	if ($started)
	{
		$run->resume('mixed', 1);
		while ($node->postmaster && time < $end)
		{
			sleep 0.3;
			$node->query('SELECT pg_switch_wal()');
		}
	}
	$run->pause;
	$node->stop('immediate');
	$node->must_start(options());
	back($run, 2);
	return;
}

# Room for a fraction of the series in use: slots are taken away from series, and
# with no slot a call reserves a single code.
sub little_memory
{
	my ($run) = @_;

	$run->{primary}->stop('fast');
	$run->pause;
	$run->{primary}->must_start('-c coderring.max_shared_memory=1MB');
	back($run, 1);
	$run->resume('crowd');
	sleep 3;
	$run->quiet;
	$run->resume('crowd');
	sleep 1;
	stop_server($run, 'immediate');
	return;
}

# The standby, which has confirmed all that was handed out, takes over; the old
# primary is made anew as its standby.
sub take_over
{
	my ($run) = @_;

	$run->{standby}->promote;
	@$run{ 'primary', 'standby' } = @$run{ 'standby', 'primary' };
	$run->{primary}->wait_for_standby('');
	$run->settle(1);
	$run->{standby}->follow($run->{primary});
	$run->{primary}->wait_for_standby('*');
	return;
}

sub promotion
{
	my ($run) = @_;
	my $way = int(rand(4));

	$way == 0 ? $run->{primary}->stop('immediate')
	  : $way == 1 ? $run->{primary}->stop('fast')
	  : $run->{primary}->kill9($way == 2);
	$run->pause;
	take_over($run);
	return;
}

# For a time there are two servers that hand out codes; the old one has what it
# had reserved, and no more.
sub promotion_alive
{
	my ($run) = @_;

	$run->{standby}->promote;
	sleep 0.3 + rand(0.5);
	$run->{primary}->kill9(1);
	$run->pause;
	@$run{ 'primary', 'standby' } = @$run{ 'standby', 'primary' };
	$run->{primary}->wait_for_standby('');
	$run->settle(1);
	$run->{standby}->follow($run->{primary});
	$run->{primary}->wait_for_standby('*');
	return;
}

# Callers wait for a standby that is gone.  Then the primary dies, and the standby
# comes back in its place: nothing may have been handed out meanwhile that it does
# not know.
sub promotion_late
{
	my ($run) = @_;

	$run->{standby}->kill9(1);
	sleep 0.5 + rand(1);
	$run->{primary}->kill9(1);
	$run->pause;
	$run->{standby}->must_start;
	take_over($run);
	return;
}

# Callers wait for a standby, and are cancelled: no code may be lost by that.
sub standby_away
{
	my ($run) = @_;

	$run->{standby}->stop('immediate');
	foreach (1 .. 6)
	{
		sleep 0.2;
		$run->{primary}->query(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity
			WHERE datname = 'torture' AND wait_event = 'SyncRep'});
	}
	$run->{standby}->must_start;
	$run->{primary}->synchronous or die 'the standby does not come back';
	$run->quiet;
	return;
}

1;
