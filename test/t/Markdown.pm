# The pages of the documentation, taken apart: blocks of code, headings, tables,
# links, and what is said to the tests in comments that readers do not see:
#
#   <!-- docs: skip, REASON -->     the next block is not run
#   <!-- docs: run                  SQL that is run and not shown, as the superuser
#   ... -->
#   <!-- docs: database NAME -->    blocks from here on run there; without a name, in
#                                   that of the page
#   <!-- docs: as ROLE -->          and as this role, or again "as superuser"
#   <!-- docs: on standby -->       and on a standby, or again "on primary"
#   <!-- docs: table NAME -->       the next table is computed again by a test

package Markdown;

use strict;
use warnings;

use Exporter 'import';
use File::Basename;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(page_names read_page);

my $top = dirname(dirname(dirname(__FILE__)));

# page_names(): README.md, CONTRIBUTING.md and docs/*.md.
sub page_names
{
	return grep { -f "$top/$_" } 'README.md', 'CONTRIBUTING.md',
	  map { "docs/" . basename($_) } sort glob("$top/docs/*.md");
}

# slug(TITLE): as GitHub makes the anchor of a heading.
sub slug
{
	my ($title) = @_;

	$title =~ s/\[([^\]]*)\]\([^)]*\)/$1/g;
	$title = lc $title;
	$title =~ s/[^\w\- ]//g;
	$title =~ tr/ /-/;
	return $title;
}

# read_page(NAME): {name}, and in the order of the page
#   {nodes}     {kind} is block, comment, heading, table or text; {line}
#   {problems}  what would not be seen on GitHub as it is meant
sub read_page
{
	my ($name) = @_;
	my @lines = split(/\n/, slurp_file("$top/$name"));
	my $page = { name => $name, nodes => [], problems => [], anchors => {} };
	my $list = 0;				# are we in a list?
	my $blank = 1;				# was the line before blank?

	for (my $i = 0; $i < @lines; $i++)
	{
		my $line = $lines[$i];
		my $node = { line => $i + 1 };

		if ($line =~ /^( *)(`{3,})(.*)$/)
		{
			my ($indent, $fence) = ($1, $2);

			@$node{qw(kind language text)} = ('block', $3, '');
			while (++$i < @lines && $lines[$i] !~ /^ *\Q$fence\E$/)
			{
				$node->{text} .= ($lines[$i] =~ s/^ {0,@{[ length $indent ]}}//r) . "\n";
			}
			push @{ $page->{problems} }, "line $node->{line}: block without end" if $i == @lines;
			push @{ $page->{problems} }, "line $node->{line}: block without language" if $node->{language} eq '';
		}
		elsif ($line =~ /^ *<!--/)
		{
			my $text = $line;

			$text .= "\n" . $lines[$i] while $text !~ /-->/ && ++$i < @lines;
			@$node{qw(kind text)} = ('comment', $text =~ s/^ *<!--\s*//r =~ s/\s*-->\s*\z//r);
		}
		elsif ($line =~ /^(#+) (.*?)\s*$/)
		{
			my $slug = slug($2);

			@$node{qw(kind level title)} = ('heading', length $1, $2);
			$slug .= '-' . $page->{anchors}{$slug}++ if $page->{anchors}{$slug};
			$page->{anchors}{$slug}++;
		}
		elsif ($line =~ /^ *\|/)
		{
			@$node{qw(kind rows text)} = ('table', [], '');
			for (; $i < @lines && $lines[$i] =~ /^ *\|(.*?)(\|?) *$/; $i++)
			{
				my $row = $1;

				push @{ $page->{problems} }, "line @{[ $i + 1 ]}: row without end" if $2 eq '';
				$node->{text} .= "$lines[$i]\n";
				push @{ $node->{rows} }, [ map { s/^\s+|\s+$//gr =~ s/\\\|/|/gr } split(/(?<!\\)\|/, $row, -1) ];
			}
			$i--;
		}
		else
		{
			push @{ $page->{problems} }, "line $node->{line}: indented code; use a block" if $blank && !$list && $line =~ /^ {4}/;
			@$node{qw(kind text)} = ('text', $line);
		}
		$list = 1 if $line =~ /^ *(?:[-*]|\d+\.) /;
		$list = 0 if $line =~ /^\S/ && $line !~ /^(?:[-*]|\d+\.) / && $blank;
		$blank = $line =~ /^\s*$/;
		push @{ $page->{nodes} }, $node;
	}
	return $page;
}

1;
