# hactl: build, test, demonstrate, install. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := build

BUN := $(CURDIR)/node_modules/.bun/bun
BIOME = $(firstword $(wildcard node_modules/@biomejs/cli-linux-*/biome))
TSC := node_modules/.bin/tsc
SOURCES := $(shell find src -type f \( -name '*.ts' -o -name '*.sh' \) 2>/dev/null)
COMPILE := build --compile --minify --bytecode --format=esm --splitting \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig

.PHONY: help deps docs install rpm build build-all check lint typecheck test sim scenarios mutate-ring lives mutate-lives power-cuts power-cuts-cluster mutate-power check-all attacks check-peers bench bench-ring bench-flood fuzz-ring fuzz-edge fuzz-scheduler bench-scheduler demo clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

deps: $(BUN) ## fetch the packages and Bun (npm ci)

# Bun's platform package carries the binary; its postinstall script is not needed.
$(BUN): package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@mkdir -p node_modules/.bun
	@for b in node_modules/@oven/bun-*/bin/bun; do \
		if "$$b" --version >/dev/null 2>&1; then ln -sf "../../$$b" $(BUN); exit 0; fi; \
	done; echo "no Bun binary runs on this machine" >&2; exit 1
	@touch $(BUN)

build: dist/hactl ## build dist/hactl for this machine

dist/hactl: $(BUN) $(SOURCES) package.json
	@mkdir -p dist
	env -u BUN_OPTIONS $(BUN) $(COMPILE) src/main.ts --outfile dist/hactl
	@$(BUN) rpm/close-doors.ts dist/hactl
	@dist/hactl --version

lint: $(BUN) ## format and lint rules
	$(BIOME) check --error-on-warnings

format: $(BUN) ## apply the formatter
	$(BIOME) check --write

typecheck: $(BUN) ## strict type check
	$(TSC) --noEmit

check: lint typecheck ## lint and type-check

# Tests in test/system need root, Debian packages or the conformance suite.
TESTS := $(addprefix ./,$(filter-out test/system/ test/hostile/,$(wildcard test/*.test.ts test/*/)))

test: dist/hactl ## unit, script and end-to-end tests that need no root
	$(BUN) test --timeout 60000 --parallel=2 $(TESTS)

# make sim SEEDS=1000 [FROM=1], or make sim SEED=7 TRACE=1 to see one run.
sim: $(BUN) ## simulate clusters with random faults (SEEDS=N, or SEED=n TRACE=1)
	$(BUN) test/sim/run.ts $(if $(SEED),--seed $(SEED) $(if $(TRACE),--trace),--seeds $(or $(SEEDS),200) $(if $(FROM),--from $(FROM)))

mutate-ring: $(BUN) ## make mistakes in a copy of the ring: each has to be found by the simulator or a test
	$(BUN) test/sim/mutations.ts $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM))

# make scenarios [NAMES="Standby Remote"] [SEED=n] [REPS=n] [JOBS=n]; `bun test/scenarios/run.ts list` names them.
scenarios: dist/hactl ## clusters of real daemons through faults, judged from outside (root; NAMES="…", SEED=n, REPS=n)
	$(BUN) test/scenarios/run.ts run $(NAMES) $(if $(SEED),--seed $(SEED)) $(if $(REPS),--reps $(REPS)) $(if $(JOBS),--jobs $(JOBS))

# make lives SEEDS=1000 [FROM=1] [MODE=calm|deaths [STRIDE=n]], or make lives SEED=7 [EFFECT=n] TRACE=1 to see one run.
lives: $(BUN) ## processes that die and come back on virtual time: nothing gets two owners (SEEDS=N, or SEED=n TRACE=1)
	$(BUN) test/lives/run.ts $(if $(MODE),--mode $(MODE)) $(if $(STRIDE),--stride $(STRIDE)) \
		$(if $(SEED),--seed $(SEED) $(if $(EFFECT),--effect $(EFFECT)) $(if $(TRACE),--trace),--seeds $(or $(SEEDS),300) $(if $(FROM),--from $(FROM)))

# make mutate-lives KNOWN=1 asks for each mistake only what is known to find it, and takes minutes instead of hours.
mutate-lives: $(BUN) ## make mistakes in a copy of the controller and the executor: each has to be found by such a life or a test
	$(BUN) test/lives/mutations.ts $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM)) $(if $(ONLY),--only "$(ONLY)") $(if $(KNOWN),--known)

power-cuts: $(BUN) ## cut the power right after acknowledgements and in the middle of writes: nothing is lost (root; RUNS=N, SEED=n)
	$(BUN) test/power/run.ts --runs $(or $(RUNS),1000) --seed $(or $(SEED),1)

power-cuts-cluster: dist/hactl ## the same with a cluster of three daemons, whose disks fail at once (root; RUNS=N, SEED=n)
	$(BUN) test/power/cluster.ts --runs $(or $(RUNS),1000) --seed $(or $(SEED),1)

mutate-power: $(BUN) ## make mistakes in a copy of what is kept: each has to be found by power failures (root; ONLY=pattern)
	$(BUN) test/power/mutations.ts $(if $(RUNS),--runs $(RUNS)) $(if $(ONLY),--only "$(ONLY)")

check-all: dist/hactl ## what needs root, Debian packages or the conformance suite
	$(BUN) test --timeout 300000 ./test/system

attacks: dist/hactl ## members, hosts, users, configurations and agents that are hostile, on clusters of real daemons (root, an idle machine)
	$(BUN) test --timeout 300000 ./test/hostile

# make check-peers PEERS=DIR, or PACEMAKER=DIR PCS=DIR CRMSH=DIR [DRIVERS=DIR] [ONLY="pcs/legacy crmsh"] [OUT=DIR] [WRITE=1].
check-peers: dist/hactl ## the peers' own suites, from clones that are given, with hactl in the place of their tools (root)
	$(MAKE) --no-print-directory -s install DESTDIR=$(CURDIR)/dist/peers
	STAGE=$(CURDIR)/dist/peers $(BUN) test/peers/run.ts

bench: dist/hactl ## cold start, switchover, failover of two nodes (root)
	$(BUN) test/bench/cluster.ts

bench-flood: $(BUN) ## the ring while somebody without the key floods it: CPU per datagram, lateness, memberships
	$(BUN) test/bench/ring-flood.ts

bench-ring: $(BUN) ## the ring: idle cost, messages per second and latency, timers on a busy machine
	$(BUN) test/bench/ring.ts

fuzz-ring: $(BUN) ## a million damaged datagrams for every decoder (RUNS=N, SEED=n)
	$(BUN) test/fuzz/run.ts ring $(or $(RUNS),1000000) $(or $(SEED),1)

fuzz-edge: $(BUN) ## a million wrong values for everything that takes some from outside (RUNS=N, SEED=n, NAME=part)
	$(BUN) test/fuzz/run.ts edge $(or $(RUNS),1000000) $(or $(SEED),1) $(NAME)

# make fuzz-scheduler SEEDS=1000 [FROM=1] [SHRINK=0] [WIDE=1] [FEATURE=bundles] [CORPUS=DIR [CHANGES=N] [UNCHANGED=1]]; needs Debian's pacemaker-cli-utils.
fuzz-scheduler: $(BUN) ## random clusters decided beside crm_simulate; the smallest that differ
	$(BUN) test/scheduler/fuzz.ts --seeds $(or $(SEEDS),200) --from $(or $(FROM),1) --shrink $(or $(SHRINK),1) \
		$(if $(WIDE),--wide) $(if $(FEATURE),--feature $(FEATURE)) \
		$(if $(CORPUS),--corpus $(CORPUS) $(if $(CHANGES),--changes $(CHANGES)) $(if $(UNCHANGED),--unchanged))

bench-scheduler: $(BUN) ## big clusters decided beside crm_simulate: CPU seconds of each (PRESETS="NAME…", or FILES=DIRECTORY)
	$(BUN) test/bench/scheduler.ts $(PRESETS) $(FILES)

demo: dist/hactl ## a cluster of three nodes on this machine: kill one and watch
	$(BUN) test/demo/demo.ts

# Everything that the option tables say in other places; a test fails when it is not current.
docs: $(BUN) ## write conf/hactl.toml and docs/configuration.md anew
	$(BUN) -e 'import { referencePage } from "./src/config/index.ts"; await Bun.write("docs/configuration.md", referencePage());'
	$(BUN) -e 'import { sampleFile } from "./src/config/index.ts"; await Bun.write("conf/hactl.toml", sampleFile());'
	$(BUN) -e 'import { causesPage } from "./src/cli/render/verdict-causes.ts"; await Bun.write("docs/status-json.md", causesPage(await Bun.file("docs/status-json.md").text()));'
	$(BUN) -e 'import { accessPage } from "./src/daemon/index.ts"; await Bun.write("docs/access.md", accessPage(await Bun.file("docs/access.md").text()));'

# Targets that Bun cross-compiles for; it fetches the runtime of another target by itself. The outfile's name is
# part of the program, so each has a directory instead of a name of its own.
TARGETS := x64 x64-baseline arm64

build-all: $(TARGETS:%=dist/%/hactl) ## build for x86-64, older x86-64 (no AVX2) and arm64

dist/%/hactl: $(BUN) $(SOURCES) package.json
	@mkdir -p $(@D)
	env -u BUN_OPTIONS $(BUN) $(COMPILE) --target=bun-linux-$* src/main.ts --outfile $@
	@$(BUN) rpm/close-doors.ts $@
	@rpm/check-executable $@ $*

# Where things go. INSTALL_FROM is the executable to install.
DESTDIR ?=
SBINDIR ?= /usr/sbin
DATADIR ?= /usr/share
LIBDIR ?= /usr/lib
LIBEXECDIR ?= /usr/libexec
SYSCONFDIR ?= /etc
LOCALSTATEDIR ?= /var
UNITDIR ?= $(LIBDIR)/systemd/system
INSTALL_FROM ?= dist/hactl
ROOT = $(patsubst %/,%,$(DESTDIR))

# pcs and crmsh ask Pacemaker's daemons for their options, in lib on Debian, in libexec elsewhere.
install: $(BUN) $(INSTALL_FROM) ## install below DESTDIR: executable, tools, agents, units, configuration
	install -d -m 0755 $(ROOT)$(SBINDIR) $(ROOT)$(SYSCONFDIR)/hactl
	install -m 0755 $(INSTALL_FROM) $(ROOT)$(SBINDIR)/hactl
	for tool in $$($(BUN) rpm/tools.ts); do ln -sf hactl $(ROOT)$(SBINDIR)/$$tool; done
	for place in $(LIBDIR)/pacemaker $(LIBEXECDIR)/pacemaker; do \
		install -d -m 0755 $(ROOT)$$place; \
		for name in $$($(BUN) rpm/tools.ts daemons); do \
			ln -sfr $(ROOT)$(SBINDIR)/hactl $(ROOT)$$place/$$name; done; done
	for agent in agents/ocf/pacemaker/*; do \
		install -D -m 0755 "$$agent" "$(ROOT)$(LIBDIR)/ocf/resource.d/pacemaker/$${agent##*/}"; done
	for agent in agents/alerts/*.sh; do \
		install -D -m 0755 "$$agent" "$(ROOT)$(DATADIR)/hactl/alerts/$${agent##*/}"; done
	for unit in conf/*.service; do install -D -m 0644 "$$unit" "$(ROOT)$(UNITDIR)/$${unit##*/}"; done
	install -D -m 0644 conf/hactl.sysusers $(ROOT)$(LIBDIR)/sysusers.d/hactl.conf
	install -D -m 0644 conf/hactl.tmpfiles $(ROOT)$(LIBDIR)/tmpfiles.d/hactl.conf
	install -D -m 0644 conf/hactl.firewalld.xml $(ROOT)$(LIBDIR)/firewalld/services/hactl.xml
	install -D -m 0644 conf/hactl.logrotate $(ROOT)$(SYSCONFDIR)/logrotate.d/hactl
	install -D -m 0644 conf/hactl.toml $(ROOT)$(DATADIR)/hactl/hactl.toml
	install -D -m 0644 conf/rsyslog-hactl.conf $(ROOT)$(DATADIR)/hactl/rsyslog-hactl.conf
	$(BUN) rpm/manual.ts $(ROOT)$(DATADIR)/man
	[ -e $(ROOT)$(SYSCONFDIR)/hactl/hactl.toml ] || \
		install -m 0644 conf/hactl.toml $(ROOT)$(SYSCONFDIR)/hactl/hactl.toml
	install -d -m 0750 $(ROOT)$(LOCALSTATEDIR)/lib/hactl $(ROOT)$(LOCALSTATEDIR)/log/hactl

# RPMs run on every x86-64 machine that RHEL does, so they carry the build without AVX2.
RPM_ARCH ?= $(shell uname -m)
RPM_TARGET = $(if $(filter aarch64,$(RPM_ARCH)),arm64,x64-baseline)

rpm: dist/$(RPM_TARGET)/hactl ## build installable RPMs in dist/rpm
	rpm/build $(RPM_ARCH) dist/$(RPM_TARGET)/hactl

clean: ## remove what the build made
	rm -rf dist
