# The targets are listed by `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build demo fleet-demo test check bench dist fuzz generate picture lint generated

GO ?= go
FUZZTIME ?= 60s
TESTFLAGS ?=
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.1
ERRORLINT := github.com/polyfloyd/go-errorlint@v1.8.0
REVIVE := github.com/mgechev/revive@v1.15.0

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | expand -t 12

build: ## make bin/trustpool
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=auto -o bin/ ./cmd/trustpool

# The main job on bundles of the project's own. A status of 1 is an answer ("differs"), and the demo goes on.
demo: build ## build, then inspect, verify, import and compare two bundles
	@run() { printf '\n$$ ./bin/trustpool %s\n' "$$*"; ./bin/trustpool "$$@"; }; \
	answer() { run "$$@" || { [ $$? -eq 1 ] && echo '(exit status 1: an answer, not an error)'; }; }; \
	b=testdata/bundles; root="--root $$b/lab-root.pem"; \
	run inspect $$root $$b/lab-core-v1.p7b; \
	run verify $$root --at 2025-06-01 $$b/lab-core-v1.p7b; \
	answer import $$b/lab-core-v1.p7b --platform asa $$root --at 2025-06-01; \
	answer diff $$b/lab-core-v1.p7b $$b/lab-core-v2.p7b

# 30 devices that replay over sshd, some of them out of order, until their page is written. It stays below bin.
fleet-demo: build ## start 30 replaying devices, collect from them, and show the fleet's page
	@dir=$$(mktemp -d); trap 'kill "$$!" 2>/dev/null || true; wait; rm -rf "$$dir"' EXIT; \
	$(GO) build -o "$$dir/devices" ./internal/devicetest/devices; \
	"$$dir/devices" -n 30 -dir "$$dir/lab" >"$$dir/ready" & \
	until [ -s "$$dir/ready" ]; do kill -0 "$$!"; sleep 0.1; done; \
	rm -rf bin/fleet-demo; mkdir -p bin/fleet-demo; cp "$$dir/lab/devices.csv" bin/fleet-demo; \
	answer() { printf '\n$$ ./bin/trustpool %s\n' "$$*"; ./bin/trustpool "$$@" || { [ $$? -eq 1 ] && echo '(exit status 1: an answer, not an error)'; }; }; \
	b=testdata/bundles; \
	fleet=(fleet --devices bin/fleet-demo/devices.csv --pools bin/fleet-demo/captures --bundle lab-core=$$b/lab-core-v2.p7b --bundle lab-core=$$b/lab-core-v1.p7b \
		--root $$b/lab-root.pem --by site); \
	answer collect --devices "$$dir/lab/devices.csv" --ssh-config "$$dir/lab/ssh_config" --timeout 10s -o bin/fleet-demo/captures; \
	answer "$${fleet[@]}"; \
	answer "$${fleet[@]}" --html -o bin/fleet-demo/fleet.html; \
	echo; echo "the page is $(CURDIR)/bin/fleet-demo/fleet.html"; \
	if [ -n "$${DISPLAY-}$${WAYLAND_DISPLAY-}" ] && command -v xdg-open >/dev/null; then xdg-open bin/fleet-demo/fleet.html; fi

test: ## run the tests
	$(GO) test $(TESTFLAGS) ./...

# Everything that must hold before a change is accepted; .ci/run runs this. TRUSTPOOL_CORPUS, if set, names a directory of
# genuine bundles to test with, and TRUSTPOOL_SUITES one of suites of others on path validation.
check: export TRUSTPOOL_REQUIRE_TOOLS = 1
check: ## lint, test with every tool required, race detector where there is concurrency, generated files
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory test TESTFLAGS=-count=1
	CGO_ENABLED=1 $(GO) test -count=1 -tags pkcs11 ./signing
	$(GO) test -race $$(grep -rlE --include='*.go' '\<go func|\<sync\.|\.Go\(' bundle cmd internal signing | xargs -n1 dirname | sort -u | sed 's,^,./,')
	$(MAKE) --no-print-directory generated

picture: ## take docs/page.png, the picture in README.md, with chromium
	TRUSTPOOL_REQUIRE_TOOLS=1 $(GO) test -count=1 ./internal/hosting/pages -run TestBrowser/picture -picture $(CURDIR)/docs/page.png

lint:
	@files=$$(gofmt -l .); [ -z "$$files" ] || { printf 'not gofmt:\n%s\n' "$$files" >&2; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags pkcs11 ./signing
	for system in windows darwin; do GOOS=$$system $(GO) vet ./...; GOOS=$$system $(GO) test -c -o /dev/null ./... >/dev/null; done
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(ERRORLINT) ./...
	$(GO) run $(REVIVE) -set_exit_status ./...
	$(GO) run $(STATICCHECK) -tags pkcs11 ./signing

# In a clean checkout "as before" is clean. With work in progress it asks the same without asking for a commit first.
generated:
	@state() { git diff && git ls-files -z --others --exclude-standard | xargs -0 -r sha256sum; }; \
	before=$$(state); $(MAKE) --no-print-directory generate; after=$$(state); \
	[ "$$before" = "$$after" ] || { git status --short >&2; \
		echo 'make generate changed files: look at the change, then commit it' >&2; exit 1; }

# Those of bench run whole processes, so allocations of the test say nothing there.
bench: ## run the benchmarks, then the program beside openssl and certtool
	@packages=$$($(GO) list ./... | grep -v '/bench$$'); $(GO) test -run '^$$' -bench . -benchmem $$packages
	$(GO) test -run '^$$' -bench . ./internal/bench

dist: ## make what is installed in dist/: archives, packages, image, SBOM, sums
	packaging/dist

fuzz: ## run each fuzz target for FUZZTIME (60s)
	@packages=$$($(GO) list ./...); \
	for package in $$packages; do \
		targets=$$($(GO) test -list '^Fuzz' $$package); \
		for target in $$(grep '^Fuzz' <<<"$$targets" || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 50x $$package; \
		done; \
	done

generate: ## write the generated files anew
	$(GO) generate ./...
