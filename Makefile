# SPDX-License-Identifier: Apache-2.0
#
# make help         what can be built
#
# VARIANT=debug     how: release and debug are static against musl; glibc, asan, ubsan, coverage
#                   and clang use the system's shared libraries
# BUILD=DIR         where (build)
# WERROR=-Werror    warnings are errors (so in CI)
# V=1               show the commands

MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL),0)
ifeq (,$(filter -j%,$(MAKEFLAGS)))
MAKEFLAGS += -j$(shell nproc)
endif
endif
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

VERSION := 0.1.0
BUILD ?= build
VARIANT ?= release
WERROR ?= $(if $(CI),-Werror)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man

# One line a step, unless V=1 asks for the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

# ---- what is built from what -------------------------------------------------------------------

# A room is a directory: its files are found, not listed.
CMAN_SRC := $(sort $(shell find store image manager -name '*.c' -o -name '*.S' 2>/dev/null))
CTINIT_SRC := $(sort $(wildcard init/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_HELP_SRC := $(filter-out $(UNIT_SRC),$(sort $(wildcard tests/unit/*.c)))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
E2E_TESTS := $(sort $(wildcard tests/e2e/*.bats))

OUT := $(BUILD)$(if $(filter-out release,$(VARIANT)),/$(VARIANT))
OBJ := $(OUT)/obj

# ---- flags -------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wformat=2 -Wvla -Wimplicit-fallthrough $(WERROR)
HARDEN := -fstack-protector-strong -ffunction-sections -fdata-sections
BASE_CPPFLAGS := -I. -D_GNU_SOURCE
BASE_CFLAGS := -std=gnu17 -g $(WARNINGS) $(HARDEN)
SHARED_LIBS := -lcurl -lssl -lcrypto -larchive -lisal -lz -lzstd -llzma -lsqlite3 -ljansson -lseccomp
SANITIZE = -fno-sanitize-recover=all -fno-omit-frame-pointer

# The compiler and libraries of the static variants: packaging/deps wrote them down.
# Targets that compile nothing should not wait for a build of the libraries.
DEPS := $(shell packaging/deps path)
NO_COMPILE := help clean format format-check dist uninstall lint-text compile_commands.json \
	$(if $(wildcard $(OUT)/cman),install)
ifneq ($(filter-out $(NO_COMPILE),$(or $(MAKECMDGOALS),all)),)
include $(DEPS)/flags.mk
endif

ifneq ($(filter $(VARIANT),release debug),)
# Fixed addresses (no PIE): nothing has to be relocated at the start of every container.
VARIANT_CC = $(STATIC_CC)
VARIANT_CFLAGS = $(if $(filter debug,$(VARIANT)),-O0,-O2) -fno-pie $(STATIC_CFLAGS)
VARIANT_CPPFLAGS = $(STATIC_CPPFLAGS)
VARIANT_LDFLAGS := -static -no-pie
LIBS = $(STATIC_LIBS)
else
VARIANT_CC := gcc
LIBS := $(SHARED_LIBS)
ifeq ($(VARIANT),glibc)
VARIANT_CFLAGS := -O2 -fPIE
VARIANT_LDFLAGS := -pie
else ifeq ($(VARIANT),asan)
VARIANT_CFLAGS := -O1 -fsanitize=address,undefined $(SANITIZE)
VARIANT_LDFLAGS := -fsanitize=address,undefined
else ifeq ($(VARIANT),ubsan)
VARIANT_CFLAGS := -O1 -fsanitize=undefined $(SANITIZE)
VARIANT_LDFLAGS := -fsanitize=undefined
else ifeq ($(VARIANT),coverage)
VARIANT_CFLAGS := -O0 --coverage
VARIANT_LDFLAGS := --coverage
else ifeq ($(VARIANT),clang)
VARIANT_CC := clang
VARIANT_CFLAGS := -O1
else ifeq ($(VARIANT),fuzz)
VARIANT_CC := clang
VARIANT_CFLAGS := -O1 -fsanitize=fuzzer-no-link,address,undefined $(SANITIZE)
VARIANT_LDFLAGS := -fsanitize=address,undefined
else
$(error there is no VARIANT=$(VARIANT); see: make help)
endif
endif

# make's own default for CC is no choice; one from the command line or environment is.
ifeq ($(origin CC),default)
CC = $(VARIANT_CC)
endif

ALL_CPPFLAGS = $(BASE_CPPFLAGS) $(VARIANT_CPPFLAGS) $(CPPFLAGS)
ALL_CFLAGS = $(BASE_CFLAGS) $(VARIANT_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(VARIANT_LDFLAGS) -Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)

# ctinit runs inside containers: static in every variant, and small.
CTINIT_CFLAGS = -Os -fno-pie -fno-asynchronous-unwind-tables $(STATIC_CFLAGS)
CTINIT_LDFLAGS = -static -no-pie -Wl,--gc-sections -Wl,-z,noexecstack
-include init/flags.mk
CTINIT := $(if $(filter debug,$(VARIANT)),$(OUT),$(BUILD))/ctinit
CTINIT_OBJ_DIR := $(if $(filter debug,$(VARIANT)),$(OUT),$(BUILD))/obj-ctinit

# ---- programs ----------------------------------------------------------------------------------

.PHONY: all debug asan ubsan glibc programs
all: programs ## build/cman and build/ctinit, static
debug asan ubsan glibc: ## the same in build/debug, build/asan, ...
	+$(MAKE) VARIANT=$@ programs

programs: $(OUT)/cman $(CTINIT) ;

$(DEPS)/flags.mk:
	packaging/deps build >/dev/null

# A file that changes only when its content does: what depends on it is built anew when the
# flags or the version are others than last time.
.PHONY: FORCE
FORCE:
define remember
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' >$@
endef
$(OBJ)/flags: FORCE
	$(call remember,$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS))
$(CTINIT_OBJ_DIR)/flags: FORCE
	$(call remember,$(STATIC_CC) $(CTINIT_CFLAGS) $(CTINIT_LDFLAGS) $(CFLAGS))

# A build from git says from which commit: 0.1.0, or 0.1.0+5.gabcdef0 five commits after the tag.
GIT_VERSION := $(shell git describe --tags --long --match 'v$(VERSION)' 2>/dev/null || \
	git describe --always --match 'no-tag' 2>/dev/null)
FULL_VERSION := $(VERSION)$(patsubst %,+%,$(patsubst 0.%,,$(subst -g,.g,$(patsubst \
	v$(VERSION)-%,%,$(GIT_VERSION)))))
$(BUILD)/version: FORCE
	$(call remember,$(FULL_VERSION))
VERSION_SRC := $(shell grep -l CMAN_VERSION $(CMAN_SRC) $(CTINIT_SRC) 2>/dev/null)
VERSION_OBJ := $(VERSION_SRC:%.c=$(OBJ)/%.o) $(VERSION_SRC:%.c=$(CTINIT_OBJ_DIR)/%.o)
$(VERSION_OBJ): $(BUILD)/version
$(VERSION_OBJ): private CPPFLAGS += -DCMAN_VERSION='"$(FULL_VERSION)"'

CMAN_OBJ := $(addprefix $(OBJ)/,$(addsuffix .o,$(basename $(CMAN_SRC))))
INIT_OBJ := $(CTINIT_SRC:%.c=$(OBJ)/%.o)
CTINIT_OBJ := $(CTINIT_SRC:%.c=$(CTINIT_OBJ_DIR)/%.o)
MAIN_OBJ := $(OBJ)/manager/main.o $(OBJ)/init/ctinit.o

$(OBJ)/%.o: %.c $(OBJ)/flags $(DEPS)/flags.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# Files that travel inside cman: ctinit, the catalog, short names. The assembler does not tell make
# of .incbin.
$(OBJ)/manager/runtime/ctinit_blob.o: $(CTINIT)
$(OBJ)/image/catalog_blob.o: $(wildcard packaging/catalog.d/*)
$(OBJ)/image/registries_blob.o: $(wildcard packaging/registries.d/*)
$(OBJ)/%.o: %.S $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,AS,$@)
	$(Q)$(CC) -I. -DCTINIT_FILE='"$(CTINIT)"' -c $< -o $@

$(CTINIT_OBJ_DIR)/%.o: %.c $(CTINIT_OBJ_DIR)/flags $(DEPS)/flags.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(STATIC_CC) $(BASE_CPPFLAGS) $(STATIC_CPPFLAGS) $(CPPFLAGS) -std=gnu17 -g $(WARNINGS) \
		-ffunction-sections -fdata-sections $(CTINIT_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# What is installed is stripped; the symbols stay beside it for a debugger. The result is a copy, as
# installing makes one: written in one go, its pages lie together in the page cache, and the kernel
# maps them so. As objcopy wrote it, each start took 0.1 ms longer (of 0.5; Linux 6.18, ext4). It
# gets its name when it is whole: half of one, newer than all it is made of, would stay.
define strip_into
	$(Q)objcopy --only-keep-debug $(1) $(2).debug
	$(Q)strip -R .comment $(1)
	$(Q)objcopy --add-gnu-debuglink=$(2).debug $(1)
	$(Q)install -m 755 $(1) $(2).new
	@mv -f $(2).new $(2)
	@rm -f $(1)
endef

$(CTINIT): $(CTINIT_OBJ)
	$(call say,LINK,$@)
	$(Q)$(STATIC_CC) $(CTINIT_CFLAGS) $(CTINIT_LDFLAGS) $^ -o $@.full
	$(call strip_into,$@.full,$@)

ifeq ($(VARIANT),release)
$(OUT)/cman: $(CMAN_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $^ $(LIBS) -o $@.full
	$(call strip_into,$@.full,$@)
else
$(OUT)/cman: $(CMAN_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $^ $(LIBS) -o $@
endif

-include $(shell find $(OBJ) $(CTINIT_OBJ_DIR) -name '*.d' 2>/dev/null)

# ---- tests -------------------------------------------------------------------------------------

# Everything but the two main functions, for the tests to link with.
$(OUT)/libcman.a: $(filter-out $(MAIN_OBJ),$(CMAN_OBJ) $(INIT_OBJ))
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

UNIT_TESTS := $(UNIT_SRC:tests/unit/%.c=$(OUT)/unit/%)
$(OUT)/unit/%: $(OBJ)/tests/unit/%.o $(UNIT_HELP_SRC:%.c=$(OBJ)/%.o) $(OUT)/libcman.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $^ $(LIBS) -lcmocka -o $@

# The corpora of the fuzzers are replayed by a main of our own, which reports like a test.
REPLAY_TESTS := $(FUZZ_SRC:tests/fuzz/%.c=$(OUT)/replay/%)
$(OUT)/replay/%: $(OBJ)/tests/fuzz/%.o $(OBJ)/tests/fuzz/replay.o $(OUT)/libcman.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

FUZZERS := $(FUZZ_SRC:tests/fuzz/%.c=$(OUT)/fuzzers/%)
$(OUT)/fuzzers/%: $(OBJ)/tests/fuzz/%.o $(OUT)/libcman.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(ALL_LDFLAGS) $^ $(LIBS) -o $@

.PHONY: unit-programs replay-programs fuzzers test-tools
unit-programs: $(UNIT_TESTS) ;
replay-programs: $(REPLAY_TESTS) ;
fuzzers: $(FUZZERS) ;
test-tools:
	@packaging/tools build test

# Tests use these programs, whatever else is installed on the machine.
TEST_ENV = CMAN=$(abspath $(OUT))/cman CTINIT=$(abspath $(CTINIT)) CMAN_TEST_BUILD=$(abspath $(OUT))
UNIT_ARGS = $(UNIT_SRC:tests/unit/%.c=$(BUILD)/asan/unit/%)
REPLAY_ARGS = $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/asan/replay/%)

.PHONY: check check-unit check-e2e check-vm
check: test-tools ## all tests; the last line is: N passed, N failed, N skipped
	+@$(MAKE) programs
	+@$(MAKE) VARIANT=asan unit-programs replay-programs
	@$(TEST_ENV) tests/run $(UNIT_ARGS) $(REPLAY_ARGS) $(E2E_TESTS)

check-unit: test-tools ## unit tests and fuzzing corpora, with sanitizers
	+@$(MAKE) VARIANT=asan unit-programs replay-programs
	@$(TEST_ENV) tests/run $(UNIT_ARGS) $(REPLAY_ARGS)

check-e2e: test-tools ## the programs from outside (TESTS=tests/e2e/run.bats for one file)
	+@$(MAKE) programs
	@$(TEST_ENV) tests/run $(or $(TESTS),$(E2E_TESTS))

check-vm: test-tools ## the unit and some more in a virtual machine with systemd and cgroup v2 (TESTS=)
	@packaging/tools vm
	+@$(MAKE) VARIANT=release programs
	@tests/vm/run $(TESTS)

.PHONY: fuzz coverage bench demo
FUZZ_SECONDS ?= 60
fuzz: ## fuzz every parser for FUZZ_SECONDS (60) each
	@packaging/tools build test lint
	+@$(MAKE) VARIANT=fuzz fuzzers
	@set -e; for fuzzer in $(FUZZ_SRC:tests/fuzz/%.c=%); do \
		mkdir -p $(BUILD)/fuzz/found/$$fuzzer; \
		echo "== $$fuzzer: new inputs go to $(BUILD)/fuzz/found/$$fuzzer"; \
		$(BUILD)/fuzz/fuzzers/$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-artifact_prefix=$(BUILD)/fuzz/found/$$fuzzer- \
			$(BUILD)/fuzz/found/$$fuzzer $$(ls -d tests/fuzz/corpus/$${fuzzer#fuzz_} 2>/dev/null); \
	done

coverage: ## what the unit tests reach: build/coverage/index.html
	@packaging/tools build test coverage
	+@$(MAKE) VARIANT=coverage unit-programs
	find $(BUILD)/coverage -name '*.gcda' -delete
	@tests/run $(UNIT_SRC:tests/unit/%.c=$(BUILD)/coverage/unit/%)
	gcovr --root . --filter 'store/' --filter 'image/' --filter 'manager/' --filter 'init/' \
		--print-summary --html-details $(BUILD)/coverage/index.html $(BUILD)/coverage/obj

bench: ## side by side with every peer that is installed
	@packaging/tools build bench
	+@$(MAKE) programs
	@$(TEST_ENV) tests/bench/run

demo: ## the main job as a story: pull, run, ps, logs, exec (as root)
	@packaging/tools build demo
	+@$(MAKE) programs
	@CMAN=$(abspath $(OUT))/cman packaging/demo

# ---- reading the source ------------------------------------------------------------------------

C_FILES = $(sort $(shell find init store image manager tests -name '*.[ch]' 2>/dev/null))

# A directory of its own, so that a developer's objects are not built anew; in CI they serve for both.
LINT_BUILD = $(if $(WERROR),$(BUILD),$(BUILD)/lint)

.PHONY: lint lint-text format format-check
lint: ## everything a reviewer should not have to say
	@packaging/tools build test lint
	+@$(MAKE) BUILD=$(LINT_BUILD) WERROR=-Werror programs
	+@$(MAKE) BUILD=$(LINT_BUILD) VARIANT=clang WERROR=-Werror programs unit-programs replay-programs
	+@$(MAKE) compile_commands.json
	@packaging/lint

lint-text:
	@packaging/lint text

format: ## put all C files into the style of .clang-format
	clang-format -i $(C_FILES)

format-check: ## say which files are not
	clang-format --dry-run -Werror $(C_FILES)

# Against the system's headers, which these tools know best.
JSON_ARGUMENTS := $(foreach word,cc -std=gnu17 $(BASE_CPPFLAGS),"$(word)",) "-DCMAN_VERSION=\"0\""
compile_commands.json: Makefile $(sort $(dir $(C_FILES))) ## for editors and clang-tidy
	@{ echo '['; sep=; for file in $(filter %.c,$(C_FILES)); do \
		printf '%s{"directory":"%s","file":"%s","arguments":[%s,"-c","%s"]}\n' \
			"$$sep" '$(CURDIR)' "$$file" '$(JSON_ARGUMENTS)' "$$file"; \
		sep=,; \
	done; echo ']'; } >$@

# ---- installing --------------------------------------------------------------------------------

# source:target pairs; completions and manual pages are installed as they appear. Of the scripts for
# the init system only one can be /etc/init.d/cman: whoever needs it puts it there.
INSTALL_DATA := \
	$(foreach f,$(wildcard packaging/man/*.[1-8]),$(f):$(MANDIR)/man$(patsubst .%,%,$(suffix $(f)))/$(notdir $(f))) \
	$(foreach f,$(wildcard packaging/completions/cman.bash),$(f):$(DATADIR)/bash-completion/completions/cman) \
	$(foreach f,$(wildcard packaging/completions/_cman),$(f):$(DATADIR)/zsh/site-functions/_cman) \
	$(foreach f,$(wildcard packaging/completions/cman.fish),$(f):$(DATADIR)/fish/vendor_completions.d/cman.fish) \
	$(foreach f,$(wildcard packaging/catalog.d/*),$(f):$(DATADIR)/cman/catalog.d/$(notdir $(f))) \
	$(foreach f,$(wildcard packaging/registries.d/*),$(f):$(DATADIR)/cman/registries.d/$(notdir $(f))) \
	packaging/boot/cman.service:$(PREFIX)/lib/systemd/system/cman.service \
	packaging/boot/cman.openrc:$(DATADIR)/cman/boot/cman.openrc \
	packaging/boot/cman.sysvinit:$(DATADIR)/cman/boot/cman.sysvinit

.PHONY: install uninstall dist clean help
# What `make` built is installed as it is: `sudo make install` must not build anew with root's cache.
install: $(if $(wildcard $(OUT)/cman),,programs) ## into DESTDIR and PREFIX (/usr/local)
	install -d $(DESTDIR)$(BINDIR)
	install -m 755 $(OUT)/cman $(CTINIT) $(DESTDIR)$(BINDIR)
	@set -e; for pair in $(INSTALL_DATA); do \
		echo "install -m 644 $${pair%%:*} $(DESTDIR)$${pair#*:}"; \
		install -D -m 644 "$${pair%%:*}" "$(DESTDIR)$${pair#*:}"; \
	done

uninstall: ## what install put there
	rm -f $(DESTDIR)$(BINDIR)/cman $(DESTDIR)$(BINDIR)/ctinit
	rm -f $(foreach pair,$(INSTALL_DATA),$(DESTDIR)$(lastword $(subst :, ,$(pair))))

dist: ## build/cman-VERSION.tar.gz, from the commit
	mkdir -p $(BUILD)
	git archive --prefix=cman-$(VERSION)/ -o $(BUILD)/cman-$(VERSION).tar.gz HEAD

clean: ## remove build/; the cache of libraries stays
	rm -rf $(BUILD) compile_commands.json

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9_. -]*:.*## / { printf "%-24s %s\n", $$1, $$2 }' Makefile
	@echo
	@sed -n '/^# VARIANT/,/^$$/s/^# //p' Makefile
