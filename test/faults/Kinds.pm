# The statements in which something is to fail, for faults.pl.
#
# %R is the name of a ring of each turn's own, in the alphabet AB. A kind has
#
#	setup      what is done before
#	run        the statement, or several
#	series     extras that are looked at afterwards ('')
#	lasts      what becomes of the ring: 'kept' (or not given), 'created',
#	           'dropped', 'renamed' (to "%R new"), 'reset'
#	moves      the statement can leave the cycle that it is in, or a part of it
#	gap        so many codes of the last cycle are passed over by whoever comes first
#	begins     the first cycle in which the series without an extra may stand
#	words      blocked words, as a pattern of the codes
#	length     base_length (8)
#	letters    the alphabet ('AB')
#	check      codes have a check character
#	changed    words have changed, so that codes are counted by estimate
#	answer     what the statement answers if it does not fail
#	plain      only single statements that hand out codes: tried in a savepoint,
#	           by standbys and with locks, too
#	meanwhile  somebody else has the refill lock at first, and changes a definition
#	reserves   0 if it needs no new reservation
#	enters     it takes the entry lock
#	stands     the cycle in which the series without an extra stands, if it has a row
#	ends       codes end behind the cycle in which the series may come to stand
#	building   an index of the series is being built concurrently
#	step       [A, B]: after the first A calls only each B-th fails

package Kinds;

use strict;
use warnings;

my $create = q{SELECT coderring_create('%R', 8, alphabet => 'AB')};
my $large = q{SELECT coderring_create('%R', 3, alphabet => 'ABCDEFGHIJKLMNOPQRSTU')};
my $get = q{SELECT coderring_get_code('%R')};
my $code = q{SELECT coderring_get_code('%R') AS code \gset};

# So many codes that none is left of the block
my $to_refill = q{DO $$ BEGIN
	LOOP
		PERFORM coderring_get_code('%R');
		EXIT WHEN faults_left('%R') = 0;
	END LOOP;
END $$};

# From the start of a block to the middle: whoever comes next computes the next one
my $to_middle = q{DO $$
DECLARE
	half bigint;
BEGIN
	PERFORM coderring_get_code('%R');
	half := (faults_left('%R') + 2) / 2;
	WHILE faults_left('%R') > half LOOP
		PERFORM coderring_get_code('%R');
	END LOOP;
END $$};

# So many codes that none is left of what is reserved
my $to_reserve = $to_refill =~ s/EXIT WHEN .*;/EXIT WHEN (SELECT cycle_offset = reserved_to FROM coderring.series WHERE ring = '%R');/r;

# A series that has handed out 6 codes on the timeline before this one, at some pace
my $on_a_timeline = q{BEGIN;
	ALTER TABLE coderring.series_state DISABLE TRIGGER admit_row;
	INSERT INTO coderring.series_state (incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace,
		measured_from, measured_at, reserved_at, extra)
	SELECT incarnation, 6, 6, 6, 0, timeline - 1, 1, 0, now(), now(), '' FROM coderring.ring WHERE name = '%R';
	ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER admit_row;
	COMMIT};

my $skip = sub { return "INSERT INTO coderring.skipped_positions (incarnation, last_position, first_position, extra)
	SELECT incarnation, $_[1], $_[0], '' FROM coderring.ring WHERE name = '%R'"; };

sub get_codes { return "SELECT count(c) FROM (SELECT coderring_get_codes('%R', $_[0]) AS c) t"; }

# Names and what they stand for
sub all
{
	return (
		'first' => { setup => [$create], run => $get, plain => 1, enters => 1 },
		'first-extra' => {
			setup => [ $create, get_codes(2) ],
			run => q{SELECT coderring_get_code('%R', 'x')},
			series => [ '', 'x' ], plain => 1, enters => 1
		},
		'first-building' => { setup => [$create], run => $get, enters => 1, building => 1 },
		'skipped-building' => {
			setup => [ $create, q{SELECT coderring_get_code('%R', 'A')}, get_codes(256) ],
			run => $get, series => [ '', 'A' ], enters => 1, building => 1
		},
		'bump-building' => {
			setup => [ $create, get_codes(6) ],
			run => q{SELECT coderring_get_code('%R', '', true)}, moves => 1, enters => 1, building => 1
		},
		'first-passed' => {
			# the first cycles that it could have are another's
			setup => [
				$create, q{SELECT count(coderring_get_code('%R', 'B')) FROM generate_series(1, 257)},
				q{UPDATE coderring.ring SET new_series_cycle = 3 WHERE name = '%R'}
			],
			run => $get, series => [ '', 'B' ], enters => 1, begins => 3
		},
		'passed-building' => {
			setup => [
				$create, q{SELECT count(coderring_get_code('%R', 'B')) FROM generate_series(1, 257)},
				q{UPDATE coderring.ring SET new_series_cycle = 3 WHERE name = '%R'}
			],
			run => $get, series => [ '', 'B' ], enters => 1, building => 1, begins => 3
		},
		'refill' => { setup => [ $create, get_codes(4) ], run => $get, plain => 1 },
		'refill-fresh' => { setup => [ $create, get_codes(4), '\c -' ], run => $get },
		'first-fresh' => { setup => [ $create, '\c -' ], run => $get },
		'take-fresh' => { setup => [ $create, get_codes(1), '\c -' ], run => $get },
		'ahead' => {
			# from 128 x 64 codes on there are reservations ahead of need
			setup => [ $large, get_codes(100), $to_refill ],
			run => $get, length => 3, letters => 'ABCDEFGHIJKLMNOPQRSTU', plain => 1, reserves => 0
		},
		'ahead-again' => {
			setup => [ $large, get_codes(100), $to_refill, $to_refill ],
			run => $get, length => 3, letters => 'ABCDEFGHIJKLMNOPQRSTU'
		},
		'computed' => {
			# past the middle of a block the next one is computed; then it is asked for
			setup => [ $large, get_codes(100), $to_refill, $get ],
			run => get_codes(60), length => 3, letters => 'ABCDEFGHIJKLMNOPQRSTU', step => [ 70, 13 ]
		},
		'computed-fresh' => {
			# the same by who has remembered nothing yet, in a cycle whose codes have a uniquizer
			setup => [ $large, get_codes(21**3 + 100), $to_refill, $to_middle, '\c -' ],
			run => get_codes(3), length => 3, letters => 'ABCDEFGHIJKLMNOPQRSTU'
		},
		'reopened' => {
			# the drop has closed the block, and a part of it is left
			setup => [ $create, get_codes(2), 'BEGIN', q{SELECT coderring_drop('%R')}, 'ROLLBACK' ],
			run => $get, plain => 1, reserves => 0
		},
		'reserved' => {
			setup => [
				$create, get_codes(4), q{SELECT faults_arm(1, 'error', 'XLogFlush')}, "-$get",
				'SELECT faults_disarm()'
			],
			run => $get, plain => 1
		},
		'bump' => {
			setup => [ $create, get_codes(6) ],
			run => q{SELECT coderring_get_code('%R', '', true)}, moves => 1, plain => 1, enters => 1
		},
		'bump-unused' => {
			setup => [$create],
			run => q{SELECT coderring_get_code('%R', '', true)}, plain => 1, enters => 1
		},
		'advance' => {
			setup => [ $create, get_codes(6) ],
			run => q{SELECT coderring_advance('%R')}, moves => 1, plain => 1
		},
		'advance-into' => {
			setup => [ $create, get_codes(6) ],
			run => q{SELECT coderring_advance('%R', '', 3, 100)}, moves => 1, plain => 1, enters => 1
		},
		'advance-first' => {
			setup => [$create],
			run => q{SELECT coderring_advance('%R', '', 0, 9)}, moves => 1, plain => 1, enters => 1
		},
		'recover' => {
			setup => [ $create, get_codes(6), q{SELECT coderring_get_code('%R', 'x')} ],
			run => q{SELECT coderring_recover('%R')}, series => [ '', 'x' ], moves => 1, enters => 1
		},
		'recover-into' => {
			setup => [ $create, get_codes(6) ],
			run => q{SELECT coderring_recover('%R', 0, 300, false)}, moves => 1, enters => 1
		},
		'gap' => {
			setup => [ $create, $on_a_timeline ],
			run => $get, moves => 1, gap => 40, plain => 1
		},
		'gap-into' => {
			setup => [ $create, $on_a_timeline =~ s/6, 6, 6/255, 255, 255/r ],
			run => $get, moves => 1, gap => 39, plain => 1, enters => 1
		},
		'gap-first' => {
			setup => [ $create, q{UPDATE coderring.ring SET timeline = timeline - 1 WHERE name = '%R'} ],
			run => $get, moves => 1, gap => 4, plain => 1, enters => 1
		},
		'next-cycle' => { setup => [ $create, get_codes(256) ], run => $get, plain => 1, enters => 1 },
		'skipped-cycle' => {
			# the other series' codes begin as those of the next cycle would
			setup => [ $create, q{SELECT coderring_get_code('%R', 'A')}, get_codes(256) ],
			run => $get, series => [ '', 'A' ], plain => 1, enters => 1
		},
		'filter-first' => {
			setup => [q{SELECT coderring_create('%R', 8, alphabet => 'AB', blocklist => 'faults')}],
			run => $get, words => qr/AAA/, plain => 1, enters => 1
		},
		'filter-refill' => {
			setup => [ q{SELECT coderring_create('%R', 8, alphabet => 'AB', blocklist => 'faults')}, $to_reserve ],
			run => $get, words => qr/AAA/, plain => 1
		},
		'filter-fresh' => {
			setup => [ q{SELECT coderring_create('%R', 8, alphabet => 'AB', blocklist => 'faults')}, $to_reserve, '\c -' ],
			run => $get, words => qr/AAA/
		},
		'filter-changed' => {
			setup => [ $create, get_codes(5), q{SELECT coderring_set_blocklist('%R', 'faults')} ],
			run => $get, words => qr/AAA/, changed => 1, plain => 1
		},
		'meanwhile' => {
			# definitions change while the statement waits for the refill lock
			setup => [ $create, get_codes(4) ],
			run => $get, meanwhile => 1
		},
		'granted' => {
			setup => [ $create, get_codes(4), q{SELECT coderring_grant('%R', 'faults_user')} ],
			run => [ 'SET ROLE faults_user', $get, 'RESET ROLE' ]
		},
		'owned' => {
			setup => [ $create, get_codes(4), q{SELECT coderring_change_owner('%R', 'faults_owner')} ],
			run => [ 'SET ROLE faults_owner', q{SELECT coderring_rename('%R', '%R new')}, 'RESET ROLE' ],
			lasts => 'renamed'
		},
		'check-first' => {
			setup => [q{SELECT coderring_create('%R', 8, alphabet => 'AB', check_character => true)}],
			run => $get, check => 1
		},
		'codes' => { setup => [$create], run => get_codes(40), step => [ 120, 37 ] },
		'codes-5000' => {
			setup => [q{SELECT coderring_create('%R', 12, alphabet => 'AB')}],
			run => get_codes(5000), length => 12, step => [ 30, 211 ]
		},
		'codes-from' => {
			setup => [$create],
			run => q{SELECT count(*) FROM coderring_get_codes('%R', 9)}, step => [ 120, 7 ]
		},
		'codes-from-40' => {
			setup => [ $create, get_codes(1) ],
			run => q{SELECT count(*) FROM coderring_get_codes('%R', 40)}, step => [ 60, 17 ]
		},

		'decode-cold' => {
			setup => [ $create, $code, '\c -' ],
			run => q{SELECT cycle, issued FROM coderring_decode('%R', :'code')}, answer => '0|t'
		},
		'decode' => {
			setup => [ $create, $code, $get ],
			run => q{SELECT cycle, issued FROM coderring_decode('%R', :'code')}, answer => '0|t'
		},
		'issued-cold' => {
			setup => [ $create, $code, '\c -' ],
			run => q{SELECT coderring_issued('%R', :'code')}, answer => 't'
		},
		'issued-bumped' => {
			setup => [
				$create, get_codes(3),
				q{SELECT string_agg(code, '' ORDER BY code) AS code FROM bases WHERE len = 8
					AND NOT coderring_issued('%R', code) \gset},
				q{SELECT coderring_get_code('%R', '', true)}
			],
			run => q{SELECT coderring_issued('%R', left(:'code', 8))}, answer => 'f', moves => 1
		},
		'normalize' => {
			setup => [ $create, $code ],
			run => q{SELECT coderring_normalize('%R', lower(:'code')) = :'code'}, answer => 't'
		},
		'normalize-cold' => {
			setup => [ $create, $code, '\c -' ],
			run => q{SELECT coderring_normalize('%R', lower(:'code')) = :'code'}, answer => 't'
		},
		'rings' => {
			setup => [ $create, $get, q{SELECT coderring_grant('%R', 'public')} ],
			run => q{SELECT grantees FROM coderring.rings WHERE name = '%R'}, answer => '{public}'
		},
		'series' => {
			setup => [
				q{SELECT coderring_create('%R', 8, alphabet => 'AB', blocklist => 'faults')}, $get
			],
			run => q{SELECT cycle_offset > 0 FROM coderring.series WHERE ring = '%R'}, answer => 't',
			words => qr/AAA/
		},
		'stats' => {
			setup => [ $create, $get ],
			run => q{SELECT issued FROM coderring.stats WHERE ring = '%R'}, answer => '1'
		},
		'start-rings' => {
			setup => [ $create, get_codes(3) ],
			run => q{SELECT coderring_start_rings() > 0}, answer => 't'
		},
		'is-valid' => {
			setup => [$create],
			run => q{SELECT coderring_is_valid(coderring_alphabet('digits'), '12340')}
		},


		'bump-fresh' => {
			setup => [ $create, get_codes(6), '\c -' ],
			run => q{SELECT coderring_get_code('%R', '', true)}, moves => 1
		},
		'advance-first-fresh' => {
			setup => [ $create, '\c -' ],
			run => q{SELECT coderring_advance('%R', '', 3, 100)}, moves => 1
		},
		'recover-fresh' => {
			setup => [ $create, get_codes(6), q{SELECT coderring_get_code('%R', 'x')}, '\c -' ],
			run => q{SELECT coderring_recover('%R')}, series => [ '', 'x' ], moves => 1
		},
		'bump-pieces-building' => {
			setup => [ $create, get_codes(6), $skip->(512, 767), q{SELECT coderring_get_code('%R', 'A')}, q{SELECT count(coderring_get_code('%R', 'B')) FROM generate_series(1, 257)} ],
			run => q{SELECT coderring_get_code('%R', '', true)}, series => [ '', 'A', 'B' ], moves => 1, building => 1
		},
		'next-pieces' => {
			setup => [ $create, get_codes(256), $skip->(512, 767), q{SELECT coderring_get_code('%R', 'A')}, q{SELECT count(coderring_get_code('%R', 'B')) FROM generate_series(1, 257)} ],
			run => $get, series => [ '', 'A', 'B' ]
		},
		'advance-others-building' => {
			setup => [ $create, q{SELECT coderring_get_code('%R', 'A')}, q{SELECT count(coderring_get_code('%R', 'B')) FROM generate_series(1, 257)} ],
			run => q{SELECT coderring_advance('%R', '', 3, 100)}, series => [ '', 'A', 'B' ], moves => 1, building => 1
		},
		'advance-first-building' => {
			setup => [$create],
			run => q{SELECT coderring_advance('%R', '', 0, 9)}, moves => 1, building => 1
		},
		'bump-unused-building' => {
			setup => [ $create, q{SELECT coderring_get_code('%R', 'x')} ],
			run => q{SELECT coderring_get_code('%R', '', true)}, series => [ '', 'x' ], building => 1
		},
		'filter-first-building' => {
			setup => [q{SELECT coderring_create('%R', 8, alphabet => 'AB', blocklist => 'faults')}],
			run => $get, words => qr/AAA/, building => 1
		},
		'advance-end-building' => {
			setup => [q{SELECT coderring_create('%R', 8, alphabet => 'AB', max_length => 8)}],
			run => q{SELECT coderring_advance('%R', '', 1, 0)}, moves => 1, building => 1, ends => 1
		},
		'words-twice' => {
			# a first call that failed, with words between
			setup => [ $create, q{SELECT coderring_set_blocklist('%R', 'faults')}, q{SELECT faults_arm(1, 'error', 'GenericXLogFinish')}, "-$get", 'SELECT faults_disarm()',
				q{SELECT coderring_set_blocklist('%R', NULL)} ],
			run => $get, changed => 1
		},
		'words-twice-building' => {
			setup => [ $create, q{SELECT coderring_set_blocklist('%R', 'faults')}, q{SELECT faults_arm(1, 'error', 'GenericXLogFinish')}, "-$get", 'SELECT faults_disarm()',
				q{SELECT coderring_set_blocklist('%R', NULL)} ],
			run => $get, changed => 1, building => 1
		},
		'restore-state-failed-building' => {
			# a restore brings the row that a failed call left
			setup => [ $create, q{SELECT faults_arm(1, 'error', 'GenericXLogFinish')}, "-$get", 'SELECT faults_disarm()' ],
			run => q{INSERT INTO coderring.series_state (incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace,
				measured_from, measured_at, reserved_at, extra)
				SELECT incarnation, 20, 20, 20, 0, timeline, 1, 0, now(), now(), '' FROM coderring.ring WHERE name = '%R'},
			moves => 1, building => 1
		},

		'blocked-building' => {
			# a first call that fails, with words that block the first cycle, and words taken back
			setup => [
				q{SELECT coderring_define_blocklist('anchored', '{^a}')},
				q{SELECT coderring_create('%R', 8, alphabet => 'AB', first_cycle => 1, blocklist => 'anchored')},
				q{SELECT faults_arm(2, 'refuse', 'RegisterDynamicBackgroundWorker')}, "-$get", 'SELECT faults_disarm()',
				q{SELECT coderring_set_blocklist('%R', NULL)}
			],
			run => $get, building => 1, changed => 1, stands => 1
		},
		'gap-first-building' => {
			setup => [ $create, q{UPDATE coderring.ring SET timeline = timeline - 1 WHERE name = '%R'} ],
			run => $get, moves => 1, gap => 4, enters => 1, building => 1
		},
		'create' => { run => $create, lasts => 'created' },
		'create-filter' => {
			run => q{SELECT coderring_create('%R', 8, alphabet => 'AB', blocklist => 'faults')},
			lasts => 'created', words => qr/AAA/
		},
		'create-sweep' => {
			# of series whose ring was never there
			setup => [ 'BEGIN', $create, $get, q{SELECT coderring_get_code('%R', 'x')}, 'ROLLBACK', '\c -' ],
			run => $create, lasts => 'created'
		},
		'create-exists' => {
			setup => [ $create, $get ],
			run => q{SELECT coderring_create('%R', 9, alphabet => 'AB', if_not_exists => true)}
		},
		'create-and-take' => { run => [ 'BEGIN', $create, $get, 'COMMIT' ], lasts => 'created' },
		'create-and-undo' => {
			setup => [ $create, get_codes(5) ],
			run => [
				'BEGIN', 'SAVEPOINT a', q{SELECT coderring_reset('%R')}, $get, q{SELECT coderring_get_code('%R', 'x')},
				'ROLLBACK TO a', $get, 'COMMIT'
			],
			lasts => 'undone'
		},
		'drop' => {
			setup => [ $create, get_codes(5), q{SELECT coderring_grant('%R', 'public')} ],
			run => q{SELECT coderring_drop('%R')}, lasts => 'dropped'
		},
		'drop-and-undo' => {
			setup => [ $create, get_codes(5) ],
			run => [ 'BEGIN', q{SELECT coderring_drop('%R')}, 'ROLLBACK' ]
		},
		'rename' => {
			setup => [ $create, get_codes(5) ],
			run => q{SELECT coderring_rename('%R', '%R new')}, lasts => 'renamed'
		},
		'reset' => {
			setup => [ $create, get_codes(5) ],
			run => q{SELECT coderring_reset('%R')}, lasts => 'reset'
		},
		'reset-seed' => {
			setup => [ $create, get_codes(5) ],
			run => q{SELECT coderring_reset('%R', test_seed => 'faults')}, lasts => 'reset'
		},
		'set-blocklist' => {
			setup => [ $create, get_codes(5) ],
			run => q{SELECT coderring_set_blocklist('%R', 'faults')}, words => qr/AAA/, changed => 1
		},
		'unset-blocklist' => {
			setup => [
				q{SELECT coderring_create('%R', 8, alphabet => 'AB', blocklist => 'faults')}, get_codes(5)
			],
			run => q{SELECT coderring_set_blocklist('%R', NULL)}, words => qr/AAA/, changed => 1
		},
		'define-blocklist' => {
			setup => [
				q{SELECT coderring_define_blocklist('own', '{aaa}')},
				q{SELECT coderring_create('%R', 8, alphabet => 'AB', blocklist => 'own')}, get_codes(5)
			],
			run => q{SELECT coderring_define_blocklist('own', '{aaa, abaab}')},
			words => qr/AAA|ABAAB/, changed => 1
		},
		'grant' => { setup => [ $create, $get ], run => q{SELECT coderring_grant('%R', 'public')} },
		'revoke' => {
			setup => [ $create, $get, q{SELECT coderring_grant('%R', 'public')} ],
			run => q{SELECT coderring_revoke('%R', 'public')}
		},
		'change-owner' => {
			setup => [ $create, $get ],
			run => q{SELECT coderring_change_owner('%R', 'faults_owner')}
		},
		'import' => {
			setup => [
				q{TRUNCATE codes, code_memos},
				q{INSERT INTO code_memos VALUES ('%R', 2, '', 3)},
				q{INSERT INTO codes (position, name, value) SELECT n, '%R', n || 'VV' FROM generate_series(2, 9) n}
			],
			run => q{SELECT coderring_import() FROM set_config('client_min_messages', 'error', true)}, lasts => 'imported', answer => '1'
		},
		'sql-update' => {
			setup => [ $create, get_codes(5) ],
			run => q{UPDATE coderring.ring SET max_length = 40 WHERE name = '%R'}
		},
		'sql-insert' => {
			setup => [
				$create, q{DROP TABLE IF EXISTS saved},
				q{CREATE TABLE saved AS SELECT * FROM coderring.ring WHERE name = '%R'},
				q{SELECT coderring_drop('%R')}
			],
			run => q{INSERT INTO coderring.ring SELECT * FROM saved}, lasts => 'created'
		});
}

1;
