# Everything that this repository can do, one target each. `make` alone lists them.
# The text after "##" is the help.

GO ?= go
# A Go older than the one in go.mod, but at least 1.21, fetches the right one by itself.
export GOTOOLCHAIN ?= auto
TANDEM = $(GO) run ./cmd/tandem
# Tests run beside a private PostgreSQL and RabbitMQ, started once for all packages.
STACK = $(TANDEM) stack --

.DEFAULT_GOAL := help
.PHONY: admin-bench browser e2e screenshots generate openapi-lint help build admin binary test race fuzz fuzz-short hostile conformance bench sim chaos move-test move-test-freeswitch demo demo-once docs lint

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the one binary into bin/, with the web admin if Node is there
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory admin; else echo "Node is not installed: /admin of this build will say so (Node 20.19 or newer makes it)"; fi
	@$(MAKE) --no-print-directory binary

binary:
	$(GO) build -trimpath -o bin/tandem ./cmd/tandem

admin: admin/dist/index.html ## Build the web admin into admin/dist (Node 20.19 or newer), and hold it to its budget

admin/node_modules/.package-lock.json: admin/package-lock.json
	cd admin && npm ci --ignore-scripts --no-audit --no-fund

# Types are made of the API's document, so the pages cannot ask for what is not there.
admin/dist/index.html: admin/node_modules/.package-lock.json admin/index.html admin/vite.config.ts admin/tsconfig.json $(shell find admin/src admin/public admin/scripts -type f -not -name schema.d.ts) $(shell find provisioning/api cmd/tandem explain postgres -name '*.go' -not -name '*_test.go')
	$(TANDEM) openapi > admin/openapi.json
	cd admin && npm run --silent types && npm run --silent check && npm run --silent build

test: ## Run all tests, calls through real Kamailio included (installs missing Debian packages)
	$(GO) vet ./...
	$(STACK) $(GO) test -count=1 -timeout 20m ./...

race: ## Run the tests under the race detector
	$(STACK) $(GO) test -race -count=1 -timeout 40m ./...

conformance: ## Check the stand-in, and a real FreeSWITCH named by TANDEM_FREESWITCH, against one suite
	$(GO) test -count=1 -v ./esl/conformance/...

move-test: ## Move 100 live calls (talks, in a menu, leaving a message, on hold) to another node, and rescue 100 from a node that is killed, with strict phones; CALLS=40 for less
	TANDEM_MOVE_CALLS=$(or $(CALLS),100) $(STACK) $(GO) test -count=1 -v -timeout 15m -run 'TestManyCallsMoveAtOnce|TestManyCallsAreRescued|TestCallersRingAgainWhenTheirNodeDies' ./cmd/tandem

move-test-freeswitch: ## Move 10 talks from one real FreeSWITCH to another, and rescue them of a killed one: how long is nothing heard? CALLS=20 for more
	TANDEM_MOVE_CALLS=$(or $(CALLS),10) $(STACK) $(GO) test -count=1 -v -timeout 10m -run TestTalksAreHeardOn ./cmd/tandem

bench: ## Measure: decisions against a bare echo, how soon changes are live, the event socket against eslgo, the engine
	$(STACK) $(TANDEM) bench route
	$(STACK) $(TANDEM) bench config
	$(STACK) $(TANDEM) bench api
	$(TANDEM) bench esl
	$(STACK) $(TANDEM) bench engine

SEEDS ?= 2000
FROM ?= 1
sim: ## Run the engine in SEEDS simulated worlds with faults, on all cores, and check its invariants
	$(TANDEM) sim --seeds $(SEEDS) --from $(FROM)

ROUNDS ?= 200
chaos: binary ## Kill, pause and cut off owners of a media node during calls, ROUNDS times each, and measure what callers notice
	$(STACK) bin/tandem chaos --rounds $(ROUNDS)

demo: ## Install, start and show everything with one call, and stay up until Ctrl-C
	$(TANDEM) demo

demo-once: ## The same, and end after the call: 0 when it was answered and explained
	$(TANDEM) demo --once

FUZZTIME ?= 10s
# Go's fuzzer may take the end of its own time for a failure ("context deadline exceeded", with no failing input): that is none.
fuzz: ## Fuzz every parser of foreign bytes for FUZZTIME each
	@out=$$(mktemp); trap 'rm -f $$out' EXIT; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package >$$out 2>&1; failed=$$?; cat $$out; \
			if [ $$failed != 0 ] && ! { grep -q '^ *context deadline exceeded$$' $$out && ! grep -q 'Failing input' $$out; }; then exit 1; fi; \
		done; \
	done

fuzz-short: ## The same for 5 seconds each: some 2 minutes of fuzzing
	@$(MAKE) --no-print-directory fuzz FUZZTIME=5s

hostile: ## 10^6 hostile values through builders and parser; with TANDEM_FREESWITCH also 10^4 through a real FreeSWITCH
	$(GO) test -count=1 -run 'TestHostile|TestAReal' ./esl -hostile 1000000

docs: ## Write docs/elements.md and docs/webhooks.md anew from what the code declares
	$(TANDEM) elements > docs/elements.md
	$(TANDEM) events > docs/webhooks.md

# Debian's Chromium, or any other that BROWSER names.
BROWSER ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
browser:
	@test -n "$(BROWSER)" || { echo "There is no Chromium: apt-get install chromium, or name one by BROWSER"; exit 1; }

e2e: admin browser ## Use the web admin in a Chromium beside a real stack, with real SIP calls (installs npm packages and missing Debian packages)
	TANDEM_BROWSER=$(BROWSER) $(STACK) $(GO) test -count=1 -timeout 10m -v -run 'TestTheAdminInABrowser|TestThePhoneInABrowser' ./cmd/tandem

screenshots: admin browser ## Make an image of each main page of the web admin, into admin/screenshots
	TANDEM_BROWSER=$(BROWSER) TANDEM_SCREENSHOTS=$(CURDIR)/admin/screenshots $(STACK) $(GO) test -count=1 -timeout 10m -v -run 'TestTheAdminsScreens|TestThePhoneInABrowser' ./cmd/tandem

admin-bench: admin browser ## Measure the web admin with 100,000 calls, 10,000 devices and 500 live calls: scripting, first rows, what moves
	TANDEM_BROWSER=$(BROWSER) TANDEM_ADMIN_BENCH=1 $(STACK) $(GO) test -count=1 -timeout 10m -v -run 'TestTheAdminIsQuick' ./cmd/tandem

generate: ## Make the Go client anew from the API's document
	$(TANDEM) openapi --for-clients > provisioning/client/generate/openapi.json
	cd provisioning/client/generate && $(GO) tool oapi-codegen -config config.yaml openapi.json
	cd provisioning/client/generate && sha256sum openapi.json config.yaml *.tmpl go.mod ../generated.go > made.sum

lint: ## Run golangci-lint, where it is installed
	golangci-lint run ./...

openapi-lint: ## Let a public linter (npm, pinned by deploy/openapi-lint) read the API's document (installs Node.js from Debian if it is missing)
	command -v npm >/dev/null || $(TANDEM) install-node
	cd deploy/openapi-lint && npm ci --ignore-scripts --no-audit --no-fund
	$(TANDEM) openapi > deploy/openapi-lint/openapi.json
	cd deploy/openapi-lint && REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true node_modules/.bin/redocly lint --config redocly.yaml openapi.json
