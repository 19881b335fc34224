# Everything a developer runs. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Programs need no C library: they are the same wherever they are built.
#
# The version is that of git, where there is a repository that git will read;
# else programs call themselves "devel".
VCS := $(shell git describe --always >/dev/null 2>&1 && echo auto || echo false)
BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=$(VCS)

# Tools have a go.mod of their own, so that what checks the product is no part
# of it.
TOOL := go tool -modfile=internal/tools/go.mod

# Clients of others, in Go, have one too: the product does not depend on them.
GOSDK := internal/e2e/clients/gosdk

PKG ?= ./...
FUZZTIME ?= 50000x
COUNT ?= 1
RUNS ?= 500

# Tests of whole programs wait more than they compute: five at a time take two
# thirds of the time of two.
PARALLEL ?= 5

# Tests that try as many orders of what happens as there is time for.
INTERLEAVED := ^(TestSetsBecomeEqual|TestReplicasAgree|TestConvergence|TestTwoTripsAreEnough|TestBars|TestLargePages|TestAtMostOneRoot)$$

COMMIT := $(shell git describe --always --dirty 2>/dev/null)

.PHONY: run
run: build ## Start a whole world on this machine (BACKEND=url: with that model server)
	./bin/sandbox $(if $(BACKEND),--backend '$(BACKEND)') $(ARGS)

.PHONY: build
build: ## Build every program into bin/
	mkdir -p bin
	$(BUILD) -o bin/ ./cmd/...

.PHONY: test
test: build ## Run all tests, then those that drive the real programs
	go test $(PKG)
	if [ -d internal/e2e ]; then CULVERT_BIN=$(CURDIR)/bin go test -tags e2e -parallel $(PARALLEL) ./internal/e2e/...; fi

.PHONY: check
check: ## Format, vet, staticcheck, import table, package comments
	@unformatted="$$($(TOOL) gofumpt -l .)"; \
	if [ -n "$$unformatted" ]; then echo "run: make format"; echo "$$unformatted"; exit 1; fi
	go vet -tags e2e,leak,mesh,browser,clients,sim,postgres,evm ./...
	$(TOOL) staticcheck -tags e2e,leak,mesh,browser,clients,sim,postgres,evm ./...
	cd $(GOSDK) && go vet ./... && go tool -modfile=$(CURDIR)/internal/tools/go.mod staticcheck ./...
	go test -count=1 ./internal/arch

.PHONY: format
format: ## Rewrite every file as gofumpt wants it
	$(TOOL) gofumpt -w .

.PHONY: race
race: ## Run all tests under the race detector, the long ones shortened (PKG=./mesh/...)
	go test -race -short -timeout 20m $(PKG)

.PHONY: leak
leak: build ## What is held after 10,000 aborted requests, and for a client that stalls (12 minutes)
	CULVERT_BIN=$(CURDIR)/bin go test -tags e2e,leak -timeout 25m -run '^TestLeak' -v ./internal/e2e

.PHONY: browser
browser: build ## What a web page can do to a running bridge; needs Chromium
	CULVERT_BIN=$(CURDIR)/bin go test -tags e2e,browser -run '^TestBrowser' -v ./internal/e2e

.PHONY: clients
clients: build ## OpenAI clients of others against the programs; writes docs/clients.md; needs Node.js 20
	CULVERT_BIN=$(CURDIR)/bin internal/e2e/clients/run $(ARGS)

.PHONY: sim
sim: ## Simulate worlds with every seed, 200 real hosts, 10,000 interleavings; figures beside their bars (some 8 minutes)
	go test -count=1 -tags sim -timeout 20m -run '^TestSim' -v ./internal/sim
	go test -count=1 -timeout 20m -run '$(INTERLEAVED)' -v \
	  ./mesh/recon ./mesh/roster ./mesh/gossip ./mesh/directory/notary -full

.PHONY: mesh
mesh: build ## The event log of real processes: 100,000 events, kill -9, a network that breaks, seals (MILLION=1: a million events)
	CULVERT_BIN=$(CURDIR)/bin CULVERT_MESH_MILLION=$(MILLION) go test -count=1 -tags e2e,mesh -timeout 25m -run '^TestMesh' -v ./internal/e2e

.PHONY: kill
kill: build ## Bridge, gateway and chain killed at every write and any moment of a paid stream (RUNS=500: some 15 minutes)
	go test -count=1 -v -run '^TestKilled' ./internal/app/paying -full
	CULVERT_BIN=$(CURDIR)/bin CULVERT_KILLS=$(RUNS) go test -count=1 -tags e2e -timeout 60m -run '^TestMoneyKilled$$' -v ./internal/e2e

.PHONY: vectors
vectors: ## Test vectors against a second implementation, in JavaScript; needs Node.js 20
	internal/e2e/vectors/run

.PHONY: contracts
contracts: ## Compile the contract, compare with what is committed, all orders of six calls, forge; needs Node.js 20 and npm
	contracts/run

.PHONY: evm
evm: build ## The walk over the market on an independent node, anvil; needs Node.js 20 and npm
	CULVERT_BIN=$(CURDIR)/bin internal/e2e/evm/run

.PHONY: postgres
postgres: ## The store in PostgreSQL against real servers, which are started; needs Debian's postgresql (ARGS="-run TestReplica -v")
	internal/kv/postgres/run $(ARGS)

.PHONY: fuzz
fuzz: ## Run every fuzz target, 50,000 inputs each (FUZZTIME=1m)
	.ci/fuzz $(FUZZTIME)

.PHONY: bench
bench: build-bench ## Measure whole programs end to end, some 8 minutes (ARGS="--only seq,c64")
	./bin/bench $(if $(COMMIT),--commit $(COMMIT)) $(ARGS)

.PHONY: bench-smoke
bench-smoke: build-bench ## Is every answer of the benchmarks right? A minute, figures mean little
	./bin/bench --rounds 1 --duration 200ms --streams 500 --rows upstream,proxy,local,floor,key,paid,new

.PHONY: build-bench
build-bench: build ## Build bin/bench too, for bin/bench --help and bin/bench profile
	$(BUILD) -o bin/ ./internal/bench/cmd/bench

.PHONY: bench-go
bench-go: ## Run the benchmarks of packages (PKG=./mesh COUNT=10)
	go test -run '^$$' -bench . -benchmem -count=$(COUNT) $(PKG)

.PHONY: bench-circuit
bench-circuit: ## Run the benchmarks of links, cells and circuits (COUNT=10)
	go test -run '^$$' -bench . -benchmem -count=$(COUNT) ./mesh ./circuit/...

.PHONY: bench-log
bench-log: ## Fill an event log with a million events and measure it; some minutes
	go test -run '^$$' -bench Ingest -cpu 1 ./mesh/eventlog
	for epochs in 336 1; do CULVERT_LOG_MILLION=$$epochs go test -count=1 -timeout 20m -v -run '^TestMillion$$' ./mesh/eventlog; done

.PHONY: generate
generate: ## Write generated files anew
	go generate ./...

.PHONY: ci
ci: ## Run what CI runs, step by step
	.ci/run

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":[^#]*## " } /^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
