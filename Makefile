# MAESTRO: the only build file. `make help` lists the targets.

B        ?= build
JOBS     ?= $(shell nproc 2>/dev/null || echo 2)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif
CC       ?= cc
# Nobody asks libm for errno or the processor for traps of floats: without them loops are vectors and the bits the same. Code is laid out
# as recent x86-64 processors like it, and runs on all of them (the simulator's steps: a fifth more a second).
# Short loops that set or copy stay loops: a call for each costs more (GCC's option).
TUNE     := $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),-mtune=skylake) \
	$(shell $(CC) -Werror -fno-tree-loop-distribute-patterns -E -x c /dev/null >/dev/null 2>&1 && echo -fno-tree-loop-distribute-patterns)
OPT      ?= -O3 -fno-math-errno -fno-trapping-math $(TUNE)
# Vectors go between inline functions alone: how a call would pass them (psabi) is nobody's concern.
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-psabi -Werror
CPPFLAGS += -Iengine -Istorage -I. -I$(B)/gen -D_GNU_SOURCE
CFLAGS   += -std=c11 $(OPT) -g -pthread $(WARN) $(SAN)
LDFLAGS  += -pthread $(SAN)

# The release is hardened; sanitizers see more without. It takes the highest level of _FORTIFY_SOURCE that compiler and C library have.
fortify   = $(shell printf '\043include <features.h>\n\043if __USE_FORTIFY_LEVEL < $(1)\n\043error\n\043endif\n' | \
	$(CC) $(OPT) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(1) -Werror -E -x c - >/dev/null 2>&1 && echo -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(1))
ifeq ($(SAN),)
HARDEN   := $(or $(call fortify,3),$(call fortify,2)) -fstack-protector-strong -fPIE
HARDEN_LD := -pie -Wl,-z,relro,-z,now
endif

# Debian packages: what the program links, what `make test` needs besides, what `make screenshots` needs.
PKG_BUILD := pkg-config libncurses-dev libcurl4-openssl-dev libcjson-dev libopenblas-dev libsqlite3-dev libmicrohttpd-dev libyaml-dev zlib1g-dev
PKG_TEST  := libcmocka-dev tmux jq
PKG_E2E   := prometheus openssl curl containerd runc containernetworking-plugins
PKG_SHOT  := xterm xvfb imagemagick fonts-dejavu-core x11-utils
PC        := ncursesw libcjson sqlite3 yaml-0.1 zlib

ifneq ($(shell command -v pkg-config),)
CPPFLAGS += $(filter-out -D_DEFAULT_SOURCE -D_XOPEN_SOURCE=600,$(shell pkg-config --cflags $(PC) libcurl libmicrohttpd openblas 2>/dev/null))
LDLIBS   += $(shell pkg-config --libs $(PC) 2>/dev/null)
endif
LDLIBS   += -lm -ldl

ROOMS    := base decide rl sim cluster control serve cmd
LIB_SRC  := $(filter-out engine/cmd/main.c,$(foreach r,$(ROOMS),$(wildcard engine/$(r)/*.c)) $(wildcard tui/*.c storage/*.c))
CMD_SRC  := engine/cmd/main.c
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/obj/%.o)
CMD_OBJ  := $(CMD_SRC:%.c=$(B)/obj/%.o)
LIB      := $(B)/libmaestro.a
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT     := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)
PROG_SRC := $(wildcard tests/programs/*.c)
PROG     := $(PROG_SRC:tests/programs/%.c=$(B)/tests/%)
HELP_SRC := $(wildcard tests/fakes/*.c) $(filter-out tests/fuzz/driver.c,$(wildcard tests/fuzz/*.c))
HELP_OBJ := $(HELP_SRC:%.c=$(B)/obj/%.o)

.DEFAULT_GOAL := all
.PHONY: model report all run test check programs asan tsan fuzz fuzz-targets e2e live-compare sim-check sim-real lib interop fit-real deps-check screenshots golden bench bench-http clean help setup-build setup-test setup-e2e setup-http setup-fuzz setup-shot
.SECONDARY:

all: $(B)/maestro ## release build: build/maestro

$(B)/maestro: $(CMD_OBJ) $(LIB)
	$(CC) $(LDFLAGS) $(HARDEN_LD) -o $@ $^ $(LDLIBS)

$(LIB): $(LIB_OBJ) Makefile
	@rm -f $@
	ar rcs $@ $(LIB_OBJ)

$(B)/obj/%.o: %.c | $(B)/gen/ready
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB_OBJ) $(CMD_OBJ): CFLAGS += $(HARDEN)
# The loops of learning may fuse a * b + c and need not set errno or trap; NaN and infinity still mean what they do.
$(B)/obj/engine/rl/kernels.o $(B)/obj/engine/rl/loss.o: CFLAGS += -ffp-contract=fast -fno-math-errno -fno-trapping-math
# The simulator's need not set errno or trap either; they fuse nothing, so that all machines have the same bits.
$(foreach d,obj pic,$(patsubst %.c,$(B)/$(d)/%.o,$(wildcard engine/sim/*.c))): CFLAGS += -fno-math-errno -fno-trapping-math

# The schema as C strings, one a statement, so that the binary needs no file beside it.
$(B)/gen/ready: $(wildcard storage/*.sql)
	@mkdir -p $(B)/gen
	@for f in $^; do name=$$(basename $$f .sql); { \
		echo "static const char *const $$(echo $$name | tr a-z A-Z)_SQL[] = {"; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $$f | \
		awk '{ if (!within) printf "("; within = !/;\\n"$$/; print $$0 (within ? "" : "),") } END { if (within) print ")," }'; \
		echo "};"; } > $(B)/gen/$${name}_sql.h; done
	@touch $@
$(B)/gen/%_sql.h: $(B)/gen/ready ;

# The recorded traces, compiled in: parts of the peak in 65535ths.
TRACES   := $(sort $(wildcard engine/sim/traces/*.csv))
$(B)/gen/traces.h: engine/sim/gen/traces.awk $(TRACES) | $(B)/gen/ready
	@awk -F, -f engine/sim/gen/traces.awk $(TRACES) >$@
$(B)/obj/engine/sim/trace_builtin.o $(B)/pic/engine/sim/trace_builtin.o: $(B)/gen/traces.h

# The shipped model, compiled in.
MODEL    := engine/rl/default.safetensors
$(B)/gen/default_model.h: $(MODEL) | $(B)/gen/ready
	@{ echo 'static const unsigned char DEFAULT_MODEL[] = {'; od -An -v -tu1 $< | sed 's/ *\([0-9][0-9]*\)/\1,/g'; echo '};'; } >$@
$(B)/obj/engine/rl/model.o: $(B)/gen/default_model.h

# Presets of queries as C strings.
PRESETS  := $(sort $(wildcard engine/cluster/presets/*.yaml))
$(B)/gen/presets.h: $(PRESETS) | $(B)/gen/ready
	@{ echo 'static const struct { const char *name, *text; } PRESETS[] = {'; \
	for f in $(PRESETS); do echo "{ \"$$(basename $$f .yaml)\","; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $$f; echo '},'; done; echo '};'; } >$@
$(B)/obj/engine/cluster/prom_preset.o: $(B)/gen/presets.h

# The revision that /metrics tells; written anew only when it is another one.
REVISION ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
.PHONY: revision
$(B)/gen/revision.h: revision | $(B)/gen/ready
	@echo '#define MAESTRO_REVISION "$(REVISION)"' | cmp -s - $@ || echo '#define MAESTRO_REVISION "$(REVISION)"' >$@
$(B)/obj/engine/serve/exposition.o: $(B)/gen/revision.h

# The default service's response table, measured here by the request-level simulator (SIM's "compiled in").
GEN_OBJ  := $(patsubst %,$(B)/obj/engine/%.o,base/mem base/err base/utf8 base/rng sim/service sim/server sim/request sim/table sim/table_settle sim/gen/make_table)
$(B)/gen/make_table: $(GEN_OBJ)
	$(CC) $(LDFLAGS) -o $@ $^ -lm

$(B)/gen/default_table.h: $(B)/gen/make_table
	@$< > $@.tmp && mv $@.tmp $@

$(B)/obj/engine/sim/table_default.o: $(B)/gen/default_table.h

# The simulator for other languages: position-independent objects of the rooms that it needs, and nothing exported but its ABI.
PIC_SRC  := $(filter-out engine/sim/sim_abi.c,$(wildcard engine/base/*.c engine/decide/*.c engine/sim/*.c))
PIC_OBJ  := $(PIC_SRC:%.c=$(B)/pic/%.o)
SIM_LIB  := $(B)/libmaestro_sim.so

$(B)/pic/%.o: %.c | $(B)/gen/ready
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(B)/pic/engine/sim/table_default.o: $(B)/gen/default_table.h

$(B)/pic/libsim.a: $(PIC_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(SIM_LIB): $(B)/pic/engine/sim/sim_abi.o $(B)/pic/libsim.a
	$(CC) $(LDFLAGS) -shared -Wl,--no-undefined -o $@ $^ $$(pkg-config --libs libcjson yaml-0.1) -lm

-include $(PIC_OBJ:.o=.d) $(B)/pic/engine/sim/sim_abi.d
-include $(GEN_OBJ:.o=.d) $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(UNIT:=.d) $(PROG:=.d) $(HELP_OBJ:.o=.d)

# ---- the two commands ----

run: setup-build ## set up, build, open the console with training running (headless without a terminal)
	@$(MAKE) --no-print-directory -s all
	@$(B)/maestro train --preset default --trace engine/sim/traces/nasa95_jul_week.csv --name first-run

test: setup-test ## set up, build, unit tests and golden screens; T=NAME picks one
	@$(MAKE) --no-print-directory -s all programs
	@$(MAKE) --no-print-directory -s check

programs: $(PROG) ## the test programs that outside scripts call, into build/tests/

check: $(UNIT) $(PROG) $(B)/maestro
	@tests/run.sh $(B) $(T)

$(B)/tests/%: tests/unit/%.c $(HELP_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< $(LDFLAGS) $(HELP_OBJ) $(LIB) -lcmocka $(LDLIBS)

$(B)/tests/%: tests/programs/%.c $(HELP_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< $(LDFLAGS) $(HELP_OBJ) $(LIB) $(LDLIBS)

# ---- slower suites ----

asan: setup-test ## the same tests under address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory -s B=build-asan OPT='-O1 -fno-omit-frame-pointer' \
		SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' all programs check

tsan: setup-test ## the same tests under the thread sanitizer, but for those that take minutes there (fits, which have one thread) or count on its speed
	@SKIP='learning\|cartpole\|console.sh\|test_fit$$\|fit_rank' $(MAKE) --no-print-directory -s B=build-tsan OPT='-O1 -fno-omit-frame-pointer' SAN='-fsanitize=thread' all programs check

fuzz: setup-test setup-fuzz ## libFuzzer over every parser of files, a target a processor: FUZZ_S seconds each (30), T=NAME one of them (needs clang)
	@$(MAKE) --no-print-directory -s B=build-fuzz CC=clang OPT='-O1 -fno-omit-frame-pointer' \
		SAN='-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all' fuzz-targets
	@tests/fuzz/run.sh build-fuzz

FUZZED   := $(patsubst tests/fuzz/fuzz_%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz-targets: $(FUZZED) $(B)/tests/test_fuzz

$(B)/fuzz/%: tests/fuzz/driver.c $(HELP_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Itests -DTARGET=$* -fsanitize=fuzzer -o $@ $< $(LDFLAGS) $(HELP_OBJ) $(LIB) $(LDLIBS)

e2e: setup-e2e ## real Kubernetes control plane, real Prometheus, real load (needs Go for the first build)
	@$(MAKE) --no-print-directory -s all programs
	@tests/e2e/run.sh $(B)
	@tests/e2e/guarded.sh $(B)
	@tests/e2e/outage.sh $(B)
	@tests/e2e/overlays.sh $(B)
	@tests/e2e/shard.sh $(B)
	@$(MAKE) --no-print-directory -s image
	@tests/e2e/servers.sh $(B)
	@tests/e2e/jobs.sh $(B)
	@$(MAKE) --no-print-directory -s $(B)/tests/tb_scalars
	@tests/e2e/live.sh $(B)
	@tests/e2e/hpa_diff.sh $(B)

live-compare: setup-e2e ## the shipped model and the real HPA in turn on real pods under a replayed trace (half an hour)
	@$(MAKE) --no-print-directory -s all image
	@tests/e2e/live_compare.sh $(B)

faults: setup-test ## kills, signals, sick networks and a soak of SOAK_S seconds (600; 86400 for a day): tests/FAULTS.md
	@$(MAKE) --no-print-directory -s all programs $(B)/tests/test_alloc_faults
	@MAESTRO_ALL_N=1 tests/faults/run.sh $(B)

boot-null: setup-test ## ten thousand comparisons of like with like: how often Compare's verdict is "not shown" (a minute)
	@$(MAKE) --no-print-directory -s $(B)/tests/test_boot
	@BOOT_TRIALS=10000 $(B)/tests/test_boot 2>&1 | grep 'seeds:\|FAILED\|PASSED'

sim-check: setup-build ## the simulator's acceptance table, measured now (a minute or two)
	@$(MAKE) --no-print-directory -s all
	@$(B)/maestro sim check

fit-real: setup-e2e ## maestro fit on a real Prometheus that scraped real processes under a CPU quota (some six minutes)
	@$(MAKE) --no-print-directory -s all
	@tests/e2e/fit_real.sh $(B)

sim-real: setup-e2e ## a real process under a CPU quota and beside a neighbour, replayed request by request (3 min)
	@$(MAKE) --no-print-directory -s all programs
	@tests/e2e/replay.sh $(B)

lib: $(SIM_LIB) ## the simulator as build/libmaestro_sim.so, for Python and others

interop: setup-test ## files of SB3, ONNX and TensorBoard both ways; the simulator under Gymnasium (needs Python)
	@$(MAKE) --no-print-directory -s all lib $(B)/tests/env_bytes
	@tests/interop/run.sh $(B)

bench: setup-build setup-test setup-http ## what training (beside SB3, after make interop), simulator, kernels and frames cost here, into build/bench.json
	@$(MAKE) --no-print-directory -s all programs lib $(B)/tests/bare_responder
	@tests/bench/run.sh $(B)

.PHONY: image image-check chart chart-check
IMAGE ?= localhost/maestro:0.1
image: setup-build setup-test ## the container image as an OCI archive, build/maestro-image.tar, without a registry
	@$(MAKE) --no-print-directory -s all
	@manifests/image/rootfs.sh $(B) $(B)/rootfs
	@manifests/image/oci.sh $(B)/rootfs $(IMAGE) $(B)/maestro-image.tar
	@echo "$(IMAGE) in $(B)/maestro-image.tar, $$(du -h $(B)/maestro-image.tar | cut -f1)"

image-check: image ## the image's files: the list of them (SPDX) is whole and true, and they train a model as they are
	@tests/image_check.sh $(B)/rootfs

chart: ## the Helm chart, build/maestro-chart-VERSION.tgz, out of the same manifests
	@manifests/chart/make.sh $(B)/chart/maestro $(VERSION)
	@tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C $(B)/chart -cf - maestro | gzip -n9 >$(B)/maestro-chart-$(VERSION).tgz
	@echo $(B)/maestro-chart-$(VERSION).tgz

chart-check: chart ## the chart says what manifests/base says, and each of its values does something (needs helm, or Go to build it)
	@tests/chart_check.sh $(B)/chart/maestro

bench-http: setup-build setup-test setup-http ## POST /predict beside a bare responder and the Python reference (skips what cannot be had)
	@$(MAKE) --no-print-directory -s all $(B)/tests/bare_responder
	@tests/bench/http.sh $(B) $(B)/bench-http.json

$(B)/tests/bare_responder: tests/bench/bare_responder.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(CFLAGS) -o $@ $< $(LDFLAGS)

bench-fleet: setup-build ## what 100 and 1,000 targets in one process cost (CPU, memory, cycle times), and the console over 20
	@$(MAKE) --no-print-directory -s all programs
	@$(B)/tests/bench_fleet $(B)/maestro 100 60 15s
	@$(B)/tests/bench_fleet $(B)/maestro 100 60 1s
	@$(B)/tests/bench_fleet $(B)/maestro 1000 60 15s
	@$(B)/tests/bench_fleet $(B)/maestro 20 60 15s console

screenshots: setup-shot ## PNGs of the console from the real program in a real terminal, into screenshots/
	@$(MAKE) --no-print-directory -s all
	@tests/golden/screenshots.sh $(B)

golden: all ## rewrite the golden screens; review the diff like code
	@$(MAKE) --no-print-directory -s GOLDEN=rewrite T=golden check

# The command is the default one: what it writes is the same on every machine of one kind of CPU.
model: all ## train the shipped model anew (about a minute on two idle cores), then build with it
	@$(B)/maestro train --headless --db $(B)/model.db --out $(B)/default.safetensors
	@$(B)/maestro evaluate $(patsubst %,--trace %,$(wildcard engine/sim/traces/*.csv)) --startup 30s --seeds 2 --db $(B)/model.db \
		--policy hpa-calibrated --policy model:$(B)/default.safetensors --stamp
	@cp $(B)/default.safetensors $(MODEL)
	@$(MAKE) --no-print-directory -s all

# Pages from the program itself, on the traces of the tree: index.md has the lines of the bar. SEEDS=10 trains ten models (and ten with
# faults) by the default command first; REPORT='--engine fluid' is the quick level, PAGES='startup-30s unseen' some of the pages.
SEEDS    ?= 0
REPORT   ?= --engine des --span 12h
report: all ## models beside the rules on every line of the bar, as pages with pictures, into build/report/ (SEEDS=10: trained anew)
	@engine/cmd/gen/report.sh $(B)/maestro $(B)/report $(SEEDS) $(REPORT)

# ---- packaging ----

PREFIX   ?= /usr/local
MANDIR   ?= $(PREFIX)/share/man
BASHDIR  ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR   ?= $(PREFIX)/share/zsh/site-functions
FISHDIR  ?= $(PREFIX)/share/fish/vendor_completions.d
VERSION  := $(shell sed -n 's/.*MAESTRO_VERSION "\(.*\)".*/\1/p' engine/base/version.h)
.PHONY: man install uninstall dist deb deb-check setup-deb lint analyze valgrind setup-valgrind guide check-all

man: all ## a page of the manual for each command, from --help, into build/man/
	@engine/cmd/gen/man.sh $(B)/maestro $(B)/man

install: man ## program, manual and completions of bash, zsh and fish; `kubectl maestro` is the same program (PREFIX=/usr/local, DESTDIR=)
	@install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(MANDIR)/man1 $(BASHDIR) $(ZSHDIR) $(FISHDIR))
	@install -m 755 $(B)/maestro $(DESTDIR)$(PREFIX)/bin/maestro
	@ln -sf maestro $(DESTDIR)$(PREFIX)/bin/kubectl-maestro
	@install -m 644 $(B)/man/maestro*.1 $(DESTDIR)$(MANDIR)/man1/
	@ln -sf maestro.1 $(DESTDIR)$(MANDIR)/man1/kubectl-maestro.1
	@$(B)/maestro completion kubectl >$(DESTDIR)$(PREFIX)/bin/kubectl_complete-maestro
	@chmod 755 $(DESTDIR)$(PREFIX)/bin/kubectl_complete-maestro
	@$(B)/maestro completion bash >$(DESTDIR)$(BASHDIR)/maestro
	@$(B)/maestro completion zsh >$(DESTDIR)$(ZSHDIR)/_maestro
	@$(B)/maestro completion fish >$(DESTDIR)$(FISHDIR)/maestro.fish

uninstall: ## takes away what install put there; runs and configuration stay
	@rm -f $(addprefix $(DESTDIR),$(PREFIX)/bin/maestro $(PREFIX)/bin/kubectl-maestro $(PREFIX)/bin/kubectl_complete-maestro $(MANDIR)/man1/maestro.1 $(BASHDIR)/maestro \
		$(ZSHDIR)/_maestro $(FISHDIR)/maestro.fish) $(addprefix $(DESTDIR)$(MANDIR)/man1/,maestro-*.1 kubectl-maestro.1)

DEB      := $(B)/maestro_$(VERSION)_$(shell dpkg --print-architecture 2>/dev/null).deb
deb: setup-build setup-deb ## a Debian package, build/maestro_VERSION_ARCH.deb, that depends on the libraries of this machine's release
	@rm -rf $(B)/deb
	@$(MAKE) --no-print-directory -s install DESTDIR=$(B)/deb PREFIX=/usr ZSHDIR=/usr/share/zsh/vendor-completions
	@manifests/deb/build.sh $(B)/deb $(VERSION) $(DEB)
	@echo $(DEB)

deb-check: deb ## the package installed into a scratch root, run there, and purged
	@tests/deb_check.sh $(DEB)
	@tests/deb_chroot.sh $(DEB)

lint: setup-fuzz ## no warning by clang either, under the same flags
	@$(MAKE) --no-print-directory -s B=build-clang CC=clang all programs

analyze: setup-build ## gcc's static analyzer finds nothing (some five minutes)
	@$(MAKE) --no-print-directory -s all
	@tests/analyze.sh "$(CPPFLAGS)" $(LIB_SRC) $(CMD_SRC)

# What reads files and answers of others, keeps the store, and owns memory; the rest is left to asan, which is some twenty times faster.
# (A failed posix_spawn is not told under valgrind: test_credential is asan's too.)
VALGRIND_TESTS ?= $(addprefix test_,err json mem http kubeconfig opts queue snap run_folder zip pickle sb3 model prom_preset prom_range \
	prometheus promql service_file trace store store_read store_versions store_picks tensorboard trial_result watch kube kube_cluster lease \
	server line_ring outside state hpa rails observation figures fail_if tui_canvas tui_layout tui_paint)
valgrind: setup-test setup-valgrind ## a part of the unit tests under valgrind's memcheck: no error, no leak (T=NAME picks)
	@$(MAKE) --no-print-directory -s all programs $(VALGRIND_TESTS:%=$(B)/tests/%)
	@tests/valgrind.sh $(B) $(VALGRIND_TESTS)

guide: setup-e2e ## every line of README.md and GUIDE.md, run in a fresh clone on a real control plane (some fifteen minutes)
	@$(MAKE) --no-print-directory -s all
	@tests/e2e/guide.sh $(B)

CHECKS   := deps-check image-check chart-check deb-check lint analyze test valgrind asan tsan faults interop fuzz
# (The image first: e2e makes it too, much later.)
check-all: setup-e2e ## all suites, e2e beside the others, a line each with its time; the output of each in build/check (an hour or two)
	@tests/check_all.sh $(B) "$(MAKE)" e2e $(CHECKS)

dist: ## the committed tree as build/maestro-VERSION.tar.gz, the same bytes for the same commit
	@mkdir -p $(B)
	@git archive --prefix=maestro-$(VERSION)/ HEAD | gzip -n9 >$(B)/maestro-$(VERSION).tar.gz
	@echo $(B)/maestro-$(VERSION).tar.gz

deps-check: ## fails on an include arrow that engine/README.md does not draw, and on a header that does not stand alone
	@tests/deps_check.sh "$(CC) -std=c11 $(CPPFLAGS)"

clean: ## remove all builds
	rm -rf build build-asan build-tsan build-fuzz build-clang

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r t d; do printf '  %-12s %s\n' "$$t" "$$d"; done

# ---- set-up: names the packages that are missing, then installs them ----

setup-build: ; @tests/setup.sh $(PKG_BUILD)
setup-test:  ; @tests/setup.sh $(PKG_BUILD) $(PKG_TEST)
setup-e2e:   ; @tests/setup.sh $(PKG_BUILD) $(PKG_TEST) $(PKG_E2E)
setup-http:  ; @tests/setup.sh wrk curl jq
setup-fuzz:  ; @tests/setup.sh clang
setup-valgrind: ; @tests/setup.sh valgrind
setup-deb:   ; @tests/setup.sh dpkg-dev
setup-shot:  ; @tests/setup.sh $(PKG_BUILD) $(PKG_TEST) $(PKG_SHOT)
