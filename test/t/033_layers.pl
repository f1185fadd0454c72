# Which file of src/ may include which, as CONTRIBUTING says: from its own layer
# and those below, in no circle; a header declares what its own file defines; and
# CONTRIBUTING's table of files says what their head comments say.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

my $src = "$FindBin::RealBin/../../src";
my %rank = (core => 0, shmem => 1, store => 2, codes => 3, issue => 4, ddl => 4, '' => 5);
my %text = map { s{^\Q$src\E/}{}r => slurp_file($_) } glob("$src/*.[ch]"), glob("$src/*/*.[ch]");
my (%includes, @wrong);

sub layer { return $_[0] =~ m{^(\w+)/} ? $1 : '' }

sub module { return $_[0] =~ s/\.[ch]\z//r }

foreach my $file (sort keys %text)
{
	my $layer = layer($file);

	die "$file is in no layer" if !defined $rank{$layer};
	while ($text{$file} =~ /^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]/mg)
	{
		my ($quote, $header) = ($1, $2);

		push @wrong, "$file includes $header" if $layer eq 'core' && $quote eq '"' && $header !~ m{^core/};
		push @wrong, "$file includes $header" if $file eq 'compat.h' && $text{$header};
		push @wrong, "$file includes $header, not by its path below src/"
		  if !$text{$header} && ($header =~ m{(?:^|/)\.\.?/} || $text{"$layer/$header"});
		next if !$text{$header} || $header eq 'compat.h';
		push @wrong, "$file includes $header" if $rank{ layer($header) } > $rank{$layer} ||
		  ($rank{ layer($header) } == $rank{$layer} && layer($header) ne $layer);
		$includes{ module($file) }{ module($header) } = 1 if module($file) ne module($header);
	}
}
is(join("\n", @wrong), '', 'no file includes one of a layer above, or beside');
cmp_ok(scalar(keys %includes), '>', 40, 'files were found');

# What is left when those that include nothing that is left are taken away is a circle.
my $before = -1;
while ($before != keys %includes)
{
	$before = keys %includes;
	foreach my $module (sort keys %includes)
	{
		delete $includes{$module} if !grep { $includes{$_} } keys %{ $includes{$module} };
	}
}
is(join(' ', sort keys %includes), '', 'no files include each other in a circle');

@wrong = ();
foreach my $header (grep { /\.h\z/ && $text{s/h\z/c/r} } sort keys %text)
{
	my $source = $text{ $header =~ s/h\z/c/r };
	my ($prefix) = $header =~ m{(\w+)\.h\z};

	foreach my $declared ($text{$header} =~ /^extern [^;]*?(\w+)(?:\([^;]*\)[^;]*)?;/mg)
	{
		push @wrong, "$header declares $declared, which its file does not define" if $source !~ /^(?:\w[\w ]*[ \t*]+)?\Q$declared\E(?:\(| =|;)/m;
		push @wrong, "$header declares $declared, which has another prefix" if $declared !~ /^(?:\Q$prefix\E|coderring)(?:_|\z)/;
	}
}
is(join("\n", @wrong), '', 'headers declare what their own files define, with their prefix');

@wrong = ();
my $contributing = slurp_file("$src/../CONTRIBUTING.md");
foreach my $file (grep { /\.c\z/ || !$text{s/h\z/c/r} } sort keys %text)
{
	my ($title) = $text{$file} =~ m{\A/\*\n \* \S*\b\Q@{[ $file =~ s{.*/}{}r ]}\E\n \*\t\t(.*?)\n \*(?:/|\n)}s or push @wrong, "$file has no title";

	$title = ($title // '') =~ s/\s*\n \*\s*/ /gr;
	push @wrong, "$file: $title" if index($contributing, "| `src/$file` | $title |\n") < 0;
}
is(join("\n", @wrong), '', 'CONTRIBUTING names every file, as its head comment does');
done_testing();
