# hactl: build, test, demonstrate, install. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := build

BUN := $(CURDIR)/node_modules/.bun/bun
BIOME = $(firstword $(wildcard node_modules/@biomejs/cli-linux-*/biome))
TSC := node_modules/.bin/tsc
SOURCES := $(shell find src -type f \( -name '*.ts' -o -name '*.sh' \) 2>/dev/null)
COMPILE := build --compile --minify --bytecode --format=esm --splitting \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig

.PHONY: help deps docs build build-all check lint typecheck test check-all demo clean

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
	@dist/hactl --version

lint: $(BUN) ## format and lint rules
	$(BIOME) check --error-on-warnings

format: $(BUN) ## apply the formatter
	$(BIOME) check --write

typecheck: $(BUN) ## strict type check
	$(TSC) --noEmit

check: lint typecheck ## lint and type-check

# Tests in test/system need root, Debian packages or the conformance suite.
TESTS := $(addprefix ./,$(filter-out test/system/,$(wildcard test/*.test.ts test/*/)))

test: dist/hactl ## unit, script and end-to-end tests that need no root
	$(BUN) test $(TESTS)

check-all: dist/hactl ## what needs root, Debian packages or the conformance suite
	$(BUN) test --timeout 300000 ./test/system

demo: dist/hactl ## a cluster of three nodes on this machine: kill one and watch
	$(BUN) test/demo/demo.ts

# Everything that the option tables say in other places; a test fails when it is not current.
docs: $(BUN) ## write conf/hactl.toml and docs/configuration.md anew
	$(BUN) -e 'import { referencePage } from "./src/config/index.ts"; await Bun.write("docs/configuration.md", referencePage());'
	$(BUN) -e 'import { sampleFile } from "./src/config/index.ts"; await Bun.write("conf/hactl.toml", sampleFile());'

clean: ## remove what the build made
	rm -rf dist
