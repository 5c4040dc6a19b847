# Weir. `make help` lists the targets; CONTRIBUTING.md says how to work with them.
#
# Sources are found by wildcard: a new file in core/*/, files/, spool/, edge/, threads/, apache_module/, pg/,
# daemon/, flusher/, ctl/, ctl/demo/, api/, t/unit/ or t/fuzz/ needs no line here. SAN=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer, SAN=thread with
# ThreadSanitizer, each into a folder of its own.
SAN ?=
# DEBUG=-g1 keeps the lines of backtraces and leaves the variables out, which compiles a quarter faster.
DEBUG ?= -g
ifeq ($(SAN),1)
BUILD ?= build/asan
CXXFLAGS ?= -O1 -g1 -fno-omit-frame-pointer
SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=undefined
else ifeq ($(SAN),thread)
BUILD ?= build/tsan
CXXFLAGS ?= -O1 -g1 -fno-omit-frame-pointer
SANITIZE ?= -fsanitize=thread
else
BUILD ?= build
CXXFLAGS ?= -O2 $(DEBUG) -fstack-protector-strong -D_FORTIFY_SOURCE=2
endif
LDFLAGS ?= -Wl,-z,relro,-z,now
RUN ?= run
WEIR_PORT ?= 8080
WEIR_SERVER ?=
FUZZ_SECONDS ?= 5
CLANGXX ?= clang++
PREFIX ?= /usr
JOBS ?= $(shell nproc)
export SAN BUILD RUN WEIR_PORT WEIR_SERVER FUZZ_SECONDS CXXFLAGS SANITIZE TESTS

WARNINGS = -Wall -Wextra -Wconversion -Wshadow -Werror
CORE_PKGS = simdjson hiredis libcrypto zlib
FLUSHER_PKGS = libpq spdlog libsystemd prometheus-cpp-core
FLUSHER_LIBS = -lfmt -lcivetweb
CTL_PKGS = libpq libcurl
API_PKGS = libpq spdlog libsystemd
API_LIBS = -lfmt
# Asio and Beast are compiled once, in api/asio.cpp.
API_FLAGS = -DBOOST_ASIO_SEPARATE_COMPILATION -DBOOST_BEAST_SEPARATE_COMPILATION
ALL_CXXFLAGS = -std=c++17 $(WARNINGS) $(CXXFLAGS) -fPIC -MMD -MP -I. $(SANITIZE)

# The flusher and weirctl know their version, which is the newest in CHANGELOG.md, and the schema that they
# were built for: the number of its last migration.
SQL_DIR ?= $(PREFIX)/share/weir/sql
SCHEMA_VERSION = $(shell ls sql/migrations/*.sql 2>/dev/null | tail -1 | sed 's:.*/0*\([0-9]*\)_.*:\1:')
VERSION = $(shell sed -nE 's/^## ([0-9]+\.[0-9]+\.[0-9]+).*/\1/p' CHANGELOG.md | head -1)
SCHEMA_FLAGS = -DWEIR_VERSION='"$(VERSION)"' -DWEIR_SCHEMA_VERSION=$(SCHEMA_VERSION) -DWEIR_SQL_DIR='"$(SQL_DIR)"'

CORE_SRCS = $(wildcard core/*/*.cpp)
# What every program reads from the disk, in the core's library, which all link.
FILES_SRCS = $(wildcard files/*.cpp)
SPOOL_SRCS = $(wildcard spool/*.cpp)
EDGE_SRCS = $(wildcard edge/*.cpp)
THREADS_SRCS = $(wildcard threads/*.cpp)
APACHE_SRCS = $(wildcard apache_module/*.cpp)
PG_SRCS = $(wildcard pg/*.cpp)
DAEMON_SRCS = $(wildcard daemon/*.cpp)
FLUSHER_SRCS = $(wildcard flusher/*.cpp)
CTL_SRCS = $(wildcard ctl/*.cpp ctl/*/*.cpp)
API_SRCS = $(wildcard api/*.cpp)
# Those that know the version: what is heavy to compile does not.
API_VERSION_SRCS = api/openapi.cpp api/options.cpp
# What needs neither a socket nor PostgreSQL, which unit tests and fuzzers reach.
API_PURE_SRCS = $(filter-out api/asio.cpp api/http_session.cpp api/main.cpp api/metrics.cpp api/options.cpp api/pg_session.cpp \
	api/pool.cpp api/program.cpp api/server.cpp,$(wildcard api/*.cpp))
# The unit tests reach those parts of the flusher and of weirctl that do no I/O.
UNIT_TESTS ?= $(wildcard t/unit/*.cpp)
UNIT_PARTS ?= $(wildcard pg/conninfo.cpp flusher/batch.cpp flusher/health.cpp flusher/metrics.cpp flusher/numbers_in.cpp \
	flusher/stream_id.cpp flusher/tally.cpp flusher/unread_streams.cpp ctl/demo/*.cpp) $(API_PURE_SRCS)
UNIT_SRCS = $(UNIT_TESTS) $(UNIT_PARTS)
CHAOS = $(BUILD)/chaos/load $(BUILD)/chaos/cutter
FUZZERS = $(patsubst t/fuzz/%.cpp,$(BUILD)/fuzz/%,$(wildcard t/fuzz/*_fuzzer.cpp))
objects = $(patsubst %.cpp,$(BUILD)/obj/%.o,$(1))
fuzz_objects = $(patsubst %.cpp,$(BUILD)/fuzz/obj/%.o,$(1))

# Links beside the old file and puts it into its place: a program that is started meanwhile is whole.
link = $(call say,link $@)$(1) -o $@.new $^ $$(pkg-config --libs $(2)) $(3) && mv -f $@.new $@

# `make V=1` shows the commands.
comma = ,
Q = $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)';)

.PHONY: all apache bench bench-programs bench-smoke chaos faults instructions load module outage races unit valgrind tidy fuzz test run up down clean-run lint format install clean help FORCE
.DELETE_ON_ERROR:

all: $(BUILD)/libweir_core.a $(BUILD)/weir-flusher $(BUILD)/weir-api $(BUILD)/weirctl $(BUILD)/mod_weir.so module ## build everything (the default)

# Two calls of make at once (say, two `make up`) must not build into one folder at the same time.
locked = @mkdir -p $(BUILD) && flock $(BUILD)/lock $(1)
submake = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

# Running --------------------------------------------------------------------------------------

run: ## install what is missing, build, start everything, wait; Ctrl-C stops it
up: ## the same in the background; what runs already is left alone
run up:
	$(call locked,tools/install-deps run)
	$(call locked,$(submake) all)
	@exec tools/run $@

down: ## end all that `make up` started; the data stays
clean-run: ## `make down`, and drop the data
down clean-run:
	@tools/run $@

# Building -------------------------------------------------------------------------------------

$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CXX) $(ALL_CXXFLAGS)' | cmp -s - $@ || echo '$(CXX) $(ALL_CXXFLAGS)' >$@

$(BUILD)/schema: FORCE
	@mkdir -p $(@D)
	@echo "$(SCHEMA_FLAGS)" | cmp -s - $@ || echo "$(SCHEMA_FLAGS)" >$@

$(BUILD)/obj/%.o: %.cpp $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,compile $<)$(CXX) $(ALL_CXXFLAGS) $(ONCE_CXXFLAGS) $(EXTRA_CXXFLAGS) -c -o $@ $<

$(call objects,$(FLUSHER_SRCS) $(filter-out ctl/demo/%,$(CTL_SRCS)) $(API_VERSION_SRCS)): $(BUILD)/schema
$(BUILD)/obj/ctl/%.o: private EXTRA_CXXFLAGS = $(SCHEMA_FLAGS)
$(BUILD)/obj/api/%.o: private EXTRA_CXXFLAGS = $(API_FLAGS)
$(call objects,$(API_VERSION_SRCS)): private EXTRA_CXXFLAGS = $(SCHEMA_FLAGS) $(API_FLAGS)
$(BUILD)/obj/flusher/%.o: private EXTRA_CXXFLAGS = $(SCHEMA_FLAGS)
$(BUILD)/obj/daemon/%.o: private EXTRA_CXXFLAGS = $$(pkg-config --cflags spdlog)

# With sanitizers, headers that are large and not ours are compiled as they stand, and without those of
# UndefinedBehaviorSanitizer's checks that take a third of the time, and mostly see what AddressSanitizer sees too.
AS_IT_STANDS = -O0 $(if $(filter 1,$(SAN)),-fno-sanitize=null$(comma)alignment$(comma)vptr$(comma)object-size)

# CLI11 is all in its headers and runs once in a program's life: it is compiled quickly, not to be quick.
CLI_SRCS := $(shell grep -l '<CLI/' flusher/*.cpp ctl/*.cpp api/*.cpp)
CLI_OBJS := $(foreach folder,obj obj/faults,$(CLI_SRCS:%.cpp=$(BUILD)/$(folder)/%.o))
$(CLI_OBJS): private ONCE_CXXFLAGS = $(if $(SAN),$(AS_IT_STANDS),-O1) -g1
BOOST_OBJS := $(patsubst %.cpp,$(BUILD)/obj/%.o,$(shell grep -l '<boost/' api/*.cpp))
$(filter-out $(BUILD)/obj/api/asio.o,$(BOOST_OBJS)): private ONCE_CXXFLAGS = $(if $(SAN),-O0)
$(BUILD)/obj/api/asio.o: private ONCE_CXXFLAGS = $(if $(SAN),$(AS_IT_STANDS))

# Check's macros are not ours: they shadow and convert.
$(BUILD)/obj/t/unit/%.o: private WARNINGS = -Wall -Wextra -Werror
$(BUILD)/obj/t/unit/%.o: private ONCE_CXXFLAGS = $(if $(filter 1,$(SAN)),-O0,-O1) -g1
# It makes worlds up by the thousand events.
$(BUILD)/obj/t/unit/test_demo.o: private ONCE_CXXFLAGS = -O1 -g1

$(BUILD)/libweir_core.a: $(call objects,$(CORE_SRCS) $(FILES_SRCS))
$(BUILD)/libweir_spool.a: $(call objects,$(SPOOL_SRCS))
$(BUILD)/libweir_edge.a: $(call objects,$(EDGE_SRCS))
$(BUILD)/libweir_threads.a: $(call objects,$(THREADS_SRCS))
$(BUILD)/libweir_core.a $(BUILD)/libweir_spool.a $(BUILD)/libweir_edge.a $(BUILD)/libweir_threads.a:
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/weir-flusher: $(call objects,$(FLUSHER_SRCS) $(DAEMON_SRCS) $(PG_SRCS)) $(BUILD)/libweir_core.a
	$(call link,$(CXX) $(LDFLAGS) $(SANITIZE),$(CORE_PKGS) $(FLUSHER_PKGS),$(FLUSHER_LIBS))

$(BUILD)/weir-api: $(call objects,$(API_SRCS) $(DAEMON_SRCS) $(PG_SRCS)) $(BUILD)/libweir_core.a
	$(call link,$(CXX) $(LDFLAGS) $(SANITIZE),$(CORE_PKGS) $(API_PKGS),$(API_LIBS))

# Programs with fault points (fault/fault_point.h): only the files that have one are compiled again.
FAULT_SRCS = $(shell grep -l WEIR_FAULT_POINT flusher/*.cpp ctl/*.cpp pg/*.cpp)
FAULT_MODULE_SRCS = $(shell grep -l WEIR_FAULT_POINT core/*/*.cpp edge/*.cpp spool/*.cpp threads/*.cpp apache_module/*.cpp)
fault_objects = $(patsubst %.cpp,$(BUILD)/obj/faults/%.o,$(1))
with_faults = $(call fault_objects,$(filter $(FAULT_SRCS),$(1))) $(call objects,$(filter-out $(FAULT_SRCS),$(1)))

faults: module $(BUILD)/weir-api $(BUILD)/faults/weir-flusher $(BUILD)/faults/mod_weir.so $(BUILD)/faults/weirctl ## build what has fault points, for tests, into $(BUILD)/faults
	+@tools/build-module faults
	@ln -sf ../weir-api $(BUILD)/faults

$(BUILD)/obj/faults/%.o: %.cpp $(BUILD)/flags $(BUILD)/schema
	@mkdir -p $(@D)
	$(call say,compile $< with fault points)$(CXX) $(ALL_CXXFLAGS) $(ONCE_CXXFLAGS) $(SCHEMA_FLAGS) $(EXTRA_CXXFLAGS) \
		-DWEIR_FAULT_POINTS -c -o $@ $<

$(BUILD)/faults/weir-flusher: $(call with_faults,$(FLUSHER_SRCS) $(DAEMON_SRCS) $(PG_SRCS)) $(BUILD)/libweir_core.a
	@mkdir -p $(@D)
	$(call link,$(CXX) $(LDFLAGS) $(SANITIZE),$(CORE_PKGS) $(FLUSHER_PKGS),$(FLUSHER_LIBS))

$(BUILD)/faults/weirctl: $(call with_faults,$(CTL_SRCS) $(PG_SRCS)) $(BUILD)/libweir_spool.a $(BUILD)/libweir_core.a
	@mkdir -p $(@D)
	$(call link,$(CXX) $(LDFLAGS) $(SANITIZE),$(CORE_PKGS) $(CTL_PKGS))

# The load of the chaos tests, which shares nothing with what it tests, and what cuts connections.
$(BUILD)/chaos/load: $(call objects,$(filter-out t/chaos/cutter.cpp,$(wildcard t/chaos/*.cpp)))
$(BUILD)/chaos/cutter: $(call objects,t/chaos/cutter.cpp)
$(CHAOS):
	@mkdir -p $(@D)
	$(call say,link $@)$(CXX) $(LDFLAGS) $(SANITIZE) -o $@ $^

$(BUILD)/weirctl: $(call objects,$(CTL_SRCS) $(PG_SRCS)) $(BUILD)/libweir_spool.a $(BUILD)/libweir_core.a
	$(call link,$(CXX) $(LDFLAGS) $(SANITIZE),$(CORE_PKGS) $(CTL_PKGS))

$(BUILD)/unit: $(call objects,$(UNIT_SRCS)) $(BUILD)/libweir_threads.a $(BUILD)/libweir_edge.a $(BUILD)/libweir_spool.a $(BUILD)/libweir_core.a
	$(call link,$(CXX) $(LDFLAGS) $(SANITIZE),check $(CORE_PKGS) libpq prometheus-cpp-core)

module: $(BUILD)/libweir_edge.a $(BUILD)/libweir_spool.a $(BUILD)/libweir_core.a ## build only the nginx module, $(BUILD)/ngx_http_weir_module.so
	+@tools/build-module

# httpd's headers are C that is not ours to mend. A graceful restart unloads modules, and must not take
# the code from below a thread: nodelete. A new build beside an old one that stayed uses its own names.
APXS ?= $(firstword $(wildcard /usr/bin/apxs /usr/sbin/apxs) apxs)
APACHE_FLAGS = $$($(APXS) -q EXTRA_CPPFLAGS) -isystem $$($(APXS) -q INCLUDEDIR) \
	$(patsubst -I%,-isystem %,$(shell apr-1-config --includes 2>/dev/null))
APACHE_LIBS = $(BUILD)/libweir_threads.a $(BUILD)/libweir_edge.a $(BUILD)/libweir_spool.a $(BUILD)/libweir_core.a
APACHE_LINK = $(CXX) -shared -Wl,-z,nodelete -Wl,-Bsymbolic -Wl,--version-script=apache_module/exports.map $(LDFLAGS) $(SANITIZE)

apache: $(BUILD)/mod_weir.so ## build only the Apache module, $(BUILD)/mod_weir.so

$(BUILD)/obj/apache_module/%.o: private EXTRA_CXXFLAGS = $(APACHE_FLAGS)
$(BUILD)/mod_weir.so: $(call objects,$(APACHE_SRCS)) $(APACHE_LIBS) | apache_module/exports.map
	$(call link,$(APACHE_LINK),$(CORE_PKGS))

# What the module is measured against.
$(BUILD)/obj/bench/bare/%.o: private EXTRA_CXXFLAGS = $(APACHE_FLAGS)
$(BUILD)/mod_bare.so: $(call objects,bench/bare/mod_bare.cpp)
	$(call say,link $@)$(CXX) -shared $(LDFLAGS) $(SANITIZE) -o $@ $^

# Objects come before libraries, so that theirs are taken.
$(BUILD)/obj/faults/apache_module/%.o: private EXTRA_CXXFLAGS = $(APACHE_FLAGS)
$(BUILD)/faults/mod_weir.so: $(call fault_objects,$(FAULT_MODULE_SRCS)) \
		$(call objects,$(filter-out $(FAULT_MODULE_SRCS),$(APACHE_SRCS))) $(APACHE_LIBS) | apache_module/exports.map
	@mkdir -p $(@D)
	$(call link,$(APACHE_LINK),$(CORE_PKGS))

# Testing --------------------------------------------------------------------------------------

# What only the black-box files with a word in their name need.
for_tests = $(if $(TESTS),$(if $(findstring $(1),$(TESTS)),$(2)),$(2))
# Those that stop a program at a fault point want it built with them.
for_faults = $(if $(TESTS),$(if $(shell grep -lE 'with_fault|/faults"' $(strip $(TESTS))),faults),faults)

test: ## install what is missing, build, run every test; TESTS="t/track.t …" picks black-box files
	$(call locked,tools/install-deps run test)
	$(call locked,$(submake) all $(for_faults) $(BUILD)/unit $(call for_tests,chaos,$(CHAOS)) \
		$(if $(SAN),,$(FUZZERS)))
	@tools/test unit blackbox $(if $(SAN),,sql fuzz)

unit: $(BUILD)/unit ## build and run the unit tests; CK_RUN_SUITE=name picks a suite
	@tools/test unit

valgrind: $(BUILD)/unit ## run the unit tests under valgrind
	$(call locked,tools/install-deps run test)
	CK_FORK=no valgrind --quiet --soname-synonyms=somalloc=nouserintercepts --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite $(BUILD)/unit

fuzz: $(FUZZERS) ## run each fuzzer for FUZZ_SECONDS (5)
	@tools/test fuzz

# The module alone is built with ThreadSanitizer, the programs beside it are the ordinary ones.
races: ## look for races in Apache's children, under load, as they come and go
	$(call locked,tools/install-deps run test)
	$(call locked,$(submake) all)
	$(call locked,env -u BUILD -u CXXFLAGS -u SANITIZE $(submake) SAN=thread BUILD=$(BUILD)/tsan apache)
	@mkdir -p $(BUILD)/races && ln -sf ../weir-flusher ../weir-api ../weirctl ../tsan/mod_weir.so $(BUILD)/races
	@BUILD=$(BUILD)/races WEIR_SERVER=apache TESTS=t/apache_restarts.t tools/test blackbox

load: ## 500,000 requests over 64 connections: no error, memory flat; WEIR_LOAD_REQUESTS sets another number
	$(call locked,tools/install-deps run test)
	$(call locked,$(submake) all)
	@t/load/requests-500k

chaos: ## kill, stop and cut everything under load, then compare; CHAOS_SEED, CHAOS_KILLS (100), CHAOS_EVENTS (1000000), CHAOS_SECONDS (1800)
	$(call locked,tools/install-deps run test)
	$(call locked,$(submake) all $(CHAOS))
	@t/chaos/run

outage: ## take a server away under load: OUTAGE_PART (redis) for OUTAGE_SECONDS (60)
	$(call locked,tools/install-deps run test)
	$(call locked,$(submake) all $(CHAOS))
	@t/load/outage

FUZZ_FLAGS = -std=c++17 -Wall -Wextra -Werror -O1 -g1 -fno-omit-frame-pointer -MMD -MP -I. \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined

$(BUILD)/fuzz/obj/%.o: %.cpp
	@mkdir -p $(@D)
	$(call say,compile $< to fuzz)$(CLANGXX) $(FUZZ_FLAGS) -c -o $@ $<

$(BUILD)/fuzz/libweir_core.a: $(call fuzz_objects,$(CORE_SRCS) $(FILES_SRCS) $(API_PURE_SRCS) flusher/stream_id.cpp)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/fuzz/%_fuzzer: $(BUILD)/fuzz/obj/t/fuzz/%_fuzzer.o $(BUILD)/fuzz/libweir_core.a
	$(call link,$(CLANGXX) -fsanitize=fuzzer$(comma)address$(comma)undefined,$(CORE_PKGS) yajl)

.PRECIOUS: $(BUILD)/obj/%.o $(BUILD)/fuzz/obj/%.o

instructions: ## count the instructions that a request costs, against bench/instructions.budget
	$(call locked,tools/install-deps run test)
	$(call locked,$(submake) $(BUILD)/intake_cost)
	@bench/instructions

# What is measured, and with what.
BENCHES = all $(BUILD)/record_formats $(BUILD)/spool_commit $(BUILD)/backlog $(BUILD)/bench/paced \
	$(BUILD)/bench/ngx_http_bare_module.so $(BUILD)/mod_bare.so

bench-programs:
	$(call locked,tools/install-deps run test bench)
	$(call locked,$(submake) $(BENCHES))

bench: bench-programs ## measure Weir beside its limits and what people write today; writes docs/performance.md
	@bench/run; status=$$?; bench/report && exit $$status

bench-smoke: bench-programs ## each benchmark a little, to see that it works; no time fails it
	@bench/run --small; status=$$?; bench/report --small && exit $$status

$(BUILD)/record_formats $(BUILD)/spool_commit $(BUILD)/backlog $(BUILD)/intake_cost: $(BUILD)/%: $(BUILD)/obj/bench/%.o $(BUILD)/libweir_spool.a $(BUILD)/libweir_core.a
	$(call say,link $@)$(CXX) $(LDFLAGS) $(SANITIZE) -o $@ $^ $$(pkg-config --libs $(CORE_PKGS))

$(BUILD)/bench/paced: $(call objects,bench/paced.cpp)
	@mkdir -p $(@D)
	$(call say,link $@)$(CXX) $(LDFLAGS) $(SANITIZE) -o $@ $^

# The limit that Weir is measured against.
$(BUILD)/bench/ngx_http_bare_module.so: bench/bare/ngx_http_bare_module.c module
	@mkdir -p $(@D)
	$(call say,compile $<)$(CC) -O2 -g -fPIC -shared -Wall -Wextra -Werror $(NGINX_INCLUDES) -o $@ $<

# Looking after the code -----------------------------------------------------------------------

lint: ## check style, rooms, shell, Perl and SQL
	$(call locked,tools/install-deps run test lint)
	$(call locked,$(submake) all)
	@tools/lint

# A file is looked at again when its object was built again, so when a header of its changed too.
TIDY_FLAGS = -std=c++17 -I. -Wreserved-identifier $(SCHEMA_FLAGS) $$(pkg-config --cflags spdlog) $(API_FLAGS)
NGINX_INCLUDES = $(addprefix -isystem $(BUILD)/nginx/,src/core src/event src/event/modules src/os/unix objs \
	src/http src/http/modules src/http/v2)
# The analyzer, which follows paths, takes longer than all other checks together. It looks at the rooms that
# hold descriptors and C's memory; ANALYZE=1 has it look at all. The core is fuzzed with sanitizers.
ANALYZED = spool edge threads pg apache_module ngx_module
tidy_checks = $(if $(ANALYZE)$(filter $(ANALYZED),$(firstword $(subst /, ,$<))),,'--checks=-clang-analyzer-*')
tidy = @mkdir -p $(@D)
tidy += && echo '  look at $<' && clang-tidy --quiet $(tidy_checks) $< -- $(TIDY_FLAGS) $(1) >$@.log 2>&1 && touch $@ || \
	{ grep -E '(warning|error):' -A 3 $@.log || cat $@.log; exit 1; }

# Of api/asio.cpp nothing is ours but the line that includes Boost's sources.
tidy: $(patsubst %.cpp,$(BUILD)/tidy/%,$(CORE_SRCS) $(FILES_SRCS) $(SPOOL_SRCS) $(EDGE_SRCS) $(THREADS_SRCS) $(APACHE_SRCS) $(PG_SRCS) \
	$(DAEMON_SRCS) $(FLUSHER_SRCS) $(CTL_SRCS) $(filter-out api/asio.cpp,$(API_SRCS)) $(wildcard ngx_module/*.cpp))
$(BUILD)/tidy/%: %.cpp $(BUILD)/obj/%.o .clang-tidy $(if $(ANALYZE),FORCE)
	$(call tidy)
$(BUILD)/tidy/apache_module/%: apache_module/%.cpp $(BUILD)/obj/apache_module/%.o .clang-tidy $(if $(ANALYZE),FORCE)
	$(call tidy,$(APACHE_FLAGS))
$(BUILD)/tidy/ngx_module/%: ngx_module/%.cpp $(BUILD)/nginx/objs/addon/ngx_module/%.o .clang-tidy $(if $(ANALYZE),FORCE)
	$(call tidy,$(NGINX_INCLUDES))

format: ## bring C++ and Perl into the house's form
	@tools/install-deps lint
	@tools/lint --fix

# Installing -----------------------------------------------------------------------------------

ROOT_DIR = $(DESTDIR)$(PREFIX)
MODULE_DIR = $(ROOT_DIR)/lib/nginx/modules
APACHE_DIR = $(ROOT_DIR)/lib/apache2/modules
DOC_DIR = $(ROOT_DIR)/share/doc/weir

install: all ## install modules, programs, schema, unit, examples and documents below DESTDIR
	install -D -m 644 $(BUILD)/ngx_http_weir_module.so $(MODULE_DIR)/ngx_http_weir_module.so
	install -D -m 644 $(BUILD)/mod_weir.so $(APACHE_DIR)/mod_weir.so
	install -D -m 755 $(BUILD)/weir-flusher $(ROOT_DIR)/bin/weir-flusher
	install -D -m 755 $(BUILD)/weir-api $(ROOT_DIR)/bin/weir-api
	install -D -m 755 $(BUILD)/weirctl $(ROOT_DIR)/bin/weirctl
	install -d $(DESTDIR)$(SQL_DIR)/migrations $(DESTDIR)$(SQL_DIR)/analytics $(DOC_DIR)/examples $(DOC_DIR)/decisions $(DOC_DIR)/plots
	install -m 644 sql/migrations/*.sql $(DESTDIR)$(SQL_DIR)/migrations/
	install -m 644 sql/analytics/*.sql $(DESTDIR)$(SQL_DIR)/analytics/
	install -D -m 644 conf/weir-flusher.service $(ROOT_DIR)/lib/systemd/system/weir-flusher.service
	install -D -m 644 conf/weir-flusher.sysusers $(ROOT_DIR)/lib/sysusers.d/weir-flusher.conf
	install -D -m 644 conf/weir-api.service $(ROOT_DIR)/lib/systemd/system/weir-api.service
	install -D -m 644 conf/weir-api.sysusers $(ROOT_DIR)/lib/sysusers.d/weir-api.conf
	install -D -m 644 conf/mod-http-weir.conf $(ROOT_DIR)/share/nginx/modules-available/mod-http-weir.conf
	install -m 644 conf/weir.nginx.conf conf/weir.apache.conf conf/weir.load conf/weir-flusher.conf conf/weir-api.conf conf/weir-api.nginx.conf \
		conf/weir-api.apache.conf $(DOC_DIR)/examples/
	install -m 644 README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md LICENSE NOTICE $(wildcard docs/*.md) $(DOC_DIR)/
	sed -i -E 's:\]\((\.\./)?conf/:](examples/:g; s:\]\((docs|\.\.)/:](:g' $(DOC_DIR)/*.md # side by side there, so that links lead on
	install -m 644 $(wildcard docs/decisions/*.md) $(DOC_DIR)/decisions/
	install -m 644 $(wildcard docs/plots/*.svg) $(DOC_DIR)/plots/

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'Variables: RUN=$(RUN) WEIR_PORT=$(WEIR_PORT) WEIR_SERVER=nginx|apache BUILD=$(BUILD) SAN=1|thread V=1'

-include $(shell find $(BUILD)/obj $(BUILD)/fuzz/obj -name '*.d' 2>/dev/null)
