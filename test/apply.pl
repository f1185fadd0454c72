# apply.pl PATCH DIRECTORY: changes files as a unified diff says, wherever in the
# file the lines are that it names; each hunk must fit in exactly one place.

use strict;
use warnings;

my ($patch, $directory) = @ARGV;
my ($name, @hunks);

open(my $file, '<', $patch) or die "$patch: $!\n";
while (my $line = readline($file))
{
	if ($line =~ m{^\+\+\+ b/(\S+)})
	{
		$name = $1;
	}
	elsif ($line =~ /^@@/)
	{
		push @hunks, { file => $name, old => '', new => '' };
	}
	elsif (@hunks && $line =~ s/^([ +-])//)
	{
		$hunks[-1]{old} .= $line if $1 ne '+';
		$hunks[-1]{new} .= $line if $1 ne '-';
	}
}
die "$patch changes nothing\n" if !@hunks;
foreach my $hunk (@hunks)
{
	my $path = "$directory/$hunk->{file}";

	open(my $in, '<', $path) or die "$path: $!\n";
	my $text = do { local $/ = undef; readline($in) };
	my $fits = () = $text =~ /^\Q$hunk->{old}\E/mg;

	die "$patch: in $hunk->{file} $fits places fit to\n$hunk->{old}" if $fits != 1;
	$text =~ s/^\Q$hunk->{old}\E/$hunk->{new}/m;
	open(my $out, '>', $path) or die "$path: $!\n";
	print $out $text;
	close $out or die "$path: $!\n";
}
