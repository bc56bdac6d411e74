# What people type. Everything needs Go alone, but for the SDKs for JavaScript, which need
# Node.js and are left out without it; the linter is built on first use.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
LINT_VERSION = v2.15.0
LINT     = bin/golangci-lint-$(LINT_VERSION)
FUZZTIME ?= 30s

export CGO_ENABLED = 0

# The race detector needs a C compiler; without one the same tests run without it.
ifneq ($(shell command -v gcc 2>/dev/null || command -v clang 2>/dev/null),)
RACE = CGO_ENABLED=1 $(GO) test -race
else
RACE = $(GO) test
endif

.PHONY: run build test clients lint bench agents cover fuzz clean help

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: build ## start the gateway with its simulator and show its main job
	@bin/aratta demo

build: ## build bin/aratta, one static binary
	@$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/aratta ./cmd/aratta

test: clients ## run every test, with the race detector, and the official SDKs against a running server
	$(RACE) -timeout 15m ./...
	$(GO) test -timeout 5m ./internal/sock # which does without its calls where the race detector is on
	cd sdktest && $(RACE) -count=1 -timeout 10m ./...

# The SDKs for JavaScript, installed anew when their list has changed.
CLIENTS = test/clients
clients:
	@cd $(CLIENTS) && if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
	  echo "make: there is no node or npm here, so the SDKs for JavaScript are not tested"; \
	elif ! cmp -s package-lock.json node_modules/.installed; then \
	  echo "npm ci # the SDKs for JavaScript" && npm ci --silent --ignore-scripts && cp package-lock.json node_modules/.installed || \
	  echo "make: npm could not install the SDKs for JavaScript (npm ci in $(CLIENTS) says why), so they are not tested"; \
	fi

lint: $(LINT) ## run the linters
	$(LINT) run ./...
	cd sdktest && ../$(LINT) run --config ../.golangci.yml ./...

$(LINT):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv bin/golangci-lint $@

bench: ## measure against a bare reverse proxy (needs ../shared/loadgen)
	$(GO) run ./internal/bench

AGENTS = $(CURDIR)/bin/agents
agents: ## run Claude Code, opencode and Codex from the npm registry against the gateway (needs npm)
	mkdir -p $(AGENTS)
	npm install --prefix $(AGENTS) --no-audit --no-fund @anthropic-ai/claude-code opencode-ai @openai/codex
	cd sdktest && ARATTA_AGENTS=$(AGENTS) $(GO) test -count=1 -v -run TestAgents -timeout 20m .

cover: ## coverage by package
	$(GO) test -coverprofile=cover.out ./... && $(GO) tool cover -func=cover.out | tail -n 1

fuzz: ## run every fuzz target for FUZZTIME each
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg || exit 1; \
	  done; \
	done

clean: ## remove what was built
	rm -rf bin cover.out $(CLIENTS)/node_modules
