# coderring: build, install and test.
#
#   make                  build against the PostgreSQL that pg_config finds
#   make install          install it there (most often with sudo)
#   make installcheck     run the tests on a running server that has it
#   make try              see it work on a throw-away server of its own
#   make check            build and run every test on throw-away servers
#   make bench            measure it beside what it replaces, in twelve minutes
#   make setup            install the Debian packages that are missing
#   make clean            remove what was built
#   make help             show this
#
# Longer proofs:
#
#   make proof            ten million codes: distinct, decodable, without bad words
#   make torture          clients and crashes for 15 minutes: nothing twice, little lost
#   make faults           let every call that can fail do so: nothing twice, nothing lost
#   make mutations        mistakes made on purpose, each of which tests must notice
#   make asan             the tests and the fuzzing under AddressSanitizer and UBSan
#   make valgrind         tests and fuzzing under valgrind, in about ten minutes
#   make fuzz             any arguments to every function
#   make libfuzzer        libFuzzer on the parts without PostgreSQL
#   make coverage         which lines of src/ the tests run, and why not the others
#   make clients          use it from psql, ORMs and drivers, each for real
#   make operations       metrics, alerts and the Nagios plugin, with the real programs
#   make repack           pg_repack on the extension's own tables, beside running clients
#   make matrix           build and test it on other majors, and pg_upgrade; as root
#
# For a release:
#
#   make dist             the archives, for PGXN and others
#   make package          build and test the packages in clean systems; as root
#
# Another PostgreSQL: make PG_CONFIG=/path/to/pg_config
# The version stands in coderring.control and nowhere else.

PG_CONFIG ?= pg_config

# Targets that bring their own server. They must work where no pg_config is
# installed yet, and PGXS has a "check" of its own that tests nothing and
# succeeds: so PGXS is not read for them at all.
OWN_TARGETS = try check clients operations repack bench proof fuzz faults asan coverage libfuzzer valgrind torture mutations matrix dist package setup

ifneq (,$(filter help,$(MAKECMDGOALS)))

.PHONY: $(MAKECMDGOALS)

$(MAKECMDGOALS):
	@sed -n '/^#   make /,/^# The version/ { /^# The version/d; s/^# \{0,1\}//; p; }' $(firstword $(MAKEFILE_LIST))

else ifneq (,$(filter $(OWN_TARGETS),$(MAKECMDGOALS)))

.NOTPARALLEL:
.PHONY: $(MAKECMDGOALS)

$(OWN_TARGETS):
	@bash test/$@.sh

$(filter-out $(OWN_TARGETS),$(MAKECMDGOALS)):
	@$(MAKE) --no-print-directory $@

else # ordinary targets

EXTENSION  = coderring
MODULE_big = coderring
OBJS      := $(sort $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c)))
DATA      := $(sort $(wildcard sql/coderring--*.sql)) sql/coderring-rings.psql

# which scripts the library serves: src/store/version.c
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" coderring.control)
PG_CPPFLAGS += -Isrc -DCODERRING_VERSION='"$(EXTVERSION)"'

PG_CFLAGS += -Wall -Wextra -Wno-unused-parameter
PG_CFLAGS += $(if $(WERROR),-Werror)
SHLIB_LINK += -lcrypto

REGRESS       := $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
# in UTF8, whatever LANG says, with the locale that goes with every encoding
REGRESS_OPTS   = --inputdir=test --outputdir=. --encoding=UTF8 --no-locale --load-extension=coderring
ISOLATION     := $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --encoding=UTF8 --no-locale --load-extension=coderring
TAP_TESTS     ?= 1
PROVE_TESTS    = test/t/*.pl

EXTRA_CLEAN = log results output_iso tmp_check tmp_check_iso \
	regression.diffs regression.out

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

# Debian's client package has PGXS too, without the server's headers.
SERVER_H := $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h

ifneq (,$(and $(wildcard $(PGXS)),$(wildcard $(SERVER_H))))

include $(PGXS)

# PGXS does not track headers.
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h src/*/*.h) Makefile coderring.control

else ifneq (clean,$(MAKECMDGOALS))

$(error $(PG_CONFIG) names no PGXS, or no server headers: install the server development package \
	(on Debian "make setup" does), or say PG_CONFIG=/path/to/pg_config)

else # clean does without PostgreSQL

clean:
	rm -f $(OBJS) $(OBJS:.o=.bc) $(MODULE_big).so
	rm -rf $(EXTRA_CLEAN)

endif

.PHONY: clean clean-unit
clean: clean-unit
clean-unit:
	@if test -f test/unit/Makefile; then $(MAKE) -s -C test/unit clean; fi

endif
