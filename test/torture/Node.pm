# A server: started, killed, copied, promoted, in ways that need no root.

package Node;

use strict;
use warnings;

use Time::HiRes qw(sleep time);

# new(DIRECTORY, PORT): everything of it lies in DIRECTORY/PORT; its socket is in
# DIRECTORY/s.
sub new
{
	my ($class, $work, $port) = @_;

	return bless {
		work => $work, host => "$work/s", port => $port,
		data => "$work/$port", starts => 0
	}, $class;
}

# run(COMMAND...): its status; what it prints goes to a log, shown on failure by
# whoever minds.
sub run
{
	my ($self, @command) = @_;
	my $pid = fork // die "fork: $!";

	if ($pid == 0)
	{
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', $self->output);
		open(STDERR, '>&', \*STDOUT);
		exec @command or exit 127;
	}
	waitpid($pid, 0);
	return $?;
}

sub output { return "$_[0]{work}/log/output.$_[0]{port}" }

sub output_text
{
	my ($self) = @_;

	open(my $file, '<', $self->output) or return '';
	local $/ = undef;
	return readline($file);
}

# must(COMMAND...): a command without which nothing goes on
sub must
{
	my ($self, @command) = @_;

	$self->run(@command) == 0 or die "@command:\n" . $self->output_text;
	return;
}

sub init
{
	my ($self) = @_;

	# Small WAL segments: each new one is a chance for a full disk, for which see
	# full_disk in Events.pm.
	$self->must('initdb', '-D', $self->{data}, '-U', 'postgres', '-A', 'trust',
		'-E', 'UTF8', '--locale=C', '--wal-segsize=4');
	open(my $file, '>>', "$self->{data}/postgresql.conf") or die $!;

	# Nothing takes the place of a flush that is missing: neither the WAL writer
	# nor the background writer.  (After some restarts the former is as usual.)
	# The standby is synchronous, so that a promotion has nothing to pass over.
	print $file <<"CONF";
listen_addresses = ''
unix_socket_directories = '$self->{host}'
fsync = on
full_page_writes = on
synchronous_commit = on
restart_after_crash = on
wal_level = replica
max_wal_senders = 5
wal_keep_size = 64MB
max_wal_size = 64MB
min_wal_size = 8MB
wal_writer_delay = 10s
wal_writer_flush_after = 1GB
bgwriter_lru_maxpages = 0
deadlock_timeout = 200ms
hot_standby = on
recovery_init_sync_method = syncfs
wal_retrieve_retry_interval = 200ms
log_line_prefix = '%m [%p] '
log_min_messages = log
log_min_error_statement = panic
shared_buffers = 32MB
max_connections = 40
coderring.failover_gap = 0
CONF
	close $file or die $!;
	return;
}

# start(OPTIONS, LIMIT): options as postgres takes them; no file may grow beyond
# LIMIT kB.  False if it does not come up.
sub start
{
	my ($self, $options, $limit) = @_;
	my $log = sprintf('%s/log/server-%d-%03d', $self->{work}, $self->{port}, ++$self->{starts});

	$self->{log} = $log;
	$self->{options} = $options // '';
	return 0 == $self->run('bash', '-c',
		'ulimit -c 0; [[ -z $2 ]] || ulimit -f "$2"; exec pg_ctl -D "$0" -l "$1" -w -t 60 -o "$3" start',
		$self->{data}, $log, $limit // '', "-p $self->{port} $self->{options}");
}

sub must_start
{
	my ($self, @options) = @_;

	return if $self->start(@options);
	open(my $file, '<', $self->{log}) or die 'the server does not start: ' . $self->output_text;
	local $/ = undef;
	die "the server does not start:\n" . $self->output_text . readline($file);
}

sub postmaster
{
	my ($self) = @_;

	open(my $file, '<', "$self->{data}/postmaster.pid") or return;
	chomp(my $pid = readline($file) // '');
	return $pid =~ /^\d+$/ && kill(0, $pid) ? $pid : undef;
}

sub children
{
	my ($self, $parent) = @_;
	my @found;

	foreach my $stat (glob '/proc/[0-9]*/stat')
	{
		open(my $file, '<', $stat) or next;
		push @found, $1 if (readline($file) // '') =~ /^(\d+) \(.*\) \S $parent /s;
	}
	return @found;
}

# Wait until CODE returns true, at most a minute.
sub wait_until
{
	my ($code) = @_;
	my $end = time + 60;

	until ($code->())
	{
		return 0 if time > $end;
		sleep 0.02;
	}
	return 1;
}

# kill9(ALL): the postmaster, or it and all its processes in the same moment.
# Returns when all are gone.
sub kill9
{
	my ($self, $all) = @_;
	my $postmaster = $self->postmaster // return;
	my @children = $self->children($postmaster);

	kill 'KILL', $postmaster, $all ? @children : ();
	wait_until(sub { !grep { kill(0, $_) && !is_zombie($_) } $postmaster, @children })
	  or die 'processes of a server without postmaster do not end';

	# Where nobody buries the dead at once, the next one would take it for alive.
	unlink "$self->{data}/postmaster.pid", "$self->{host}/.s.PGSQL.$self->{port}.lock";
	return;
}

sub is_zombie
{
	my ($pid) = @_;

	open(my $file, '<', "/proc/$pid/stat") or return 1;
	return (readline($file) // ' ) Z') =~ /\) Z/;
}

# A stop that takes as long as it takes is given up after half a minute.
sub stop
{
	my ($self, $mode) = @_;

	return if !$self->postmaster;
	$self->run('pg_ctl', '-D', $self->{data}, '-w', '-t', '30', '-m', $mode, 'stop') == 0
	  or die "stop -m $mode:\n" . $self->output_text;
	return;
}

# query(SQL, DBNAME): what it printed; undef if it failed, with the reason in
# {error}.
sub query
{
	my ($self, $sql, $dbname) = @_;
	my $status = $self->run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $self->{host}, '-p',
		$self->{port}, '-U', 'postgres', '-d', $dbname // 'postgres', '-c', $sql);
	my $text = $self->output_text;

	chomp $text;
	$self->{error} = $status == 0 ? '' : $text;
	return $status == 0 ? $text : undef;
}

sub must_query
{
	my ($self, $sql, $dbname) = @_;

	return $self->query($sql, $dbname) // die "$sql:\n$self->{error}\n";
}

sub poll
{
	my ($self, $sql) = @_;

	return wait_until(sub { ($self->query($sql) // '') eq 't' });
}

# Become a standby of another server.
sub follow
{
	my ($self, $primary) = @_;

	$self->must('rm', '-rf', $self->{data});
	$self->must('pg_basebackup', '-D', $self->{data}, '-R', '-X', 'stream', '-c', 'fast', '-N',
		'-h', $primary->{host}, '-p', $primary->{port}, '-U', 'postgres');
	$self->must_start;
	return;
}

# Wait for standbys, or no longer.  Returns when one has all there is, and
# everybody waits for it: that begins when the checkpointer has read the new
# setting, which views do not show.
sub wait_for_standby
{
	my ($self, $names) = @_;

	$self->must_query("ALTER SYSTEM SET synchronous_standby_names = '$names'");
	$self->must_query('SELECT pg_reload_conf()');
	return if $names eq '';
	$self->synchronous or die 'the standby does not become synchronous';

	# It has been told by the time that a new session has read it, and reads that between two.
	$self->poll("SELECT current_setting('synchronous_standby_names') = '$names'") or die 'the setting is not read';
	$self->must_query('CHECKPOINT') foreach 1 .. 2;
	return;
}

sub synchronous
{
	my ($self) = @_;
	my $lsn = $self->query('SELECT pg_current_wal_insert_lsn()') // return 0;

	return $self->poll("SELECT count(*) > 0 FROM pg_stat_replication
		WHERE sync_state = 'sync' AND state = 'streaming' AND (flush_lsn >= '$lsn' OR flush_lsn >= pg_current_wal_flush_lsn())");
}

sub promote
{
	my ($self) = @_;

	$self->must('pg_ctl', '-D', $self->{data}, '-w', '-t', '60', 'promote');
	return;
}

1;
