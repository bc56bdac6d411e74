# What people type. Everything needs Go alone, but for the SDKs for JavaScript, which need
# Node.js and are left out without it; the linter is built on first use.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
# Hot calls are inlined up to a tenth of the usual size: code in many copies is slow when it is cold.
GCFLAGS  = all=-d=pgoinlinebudget=200
BUILD    = $(GO) build -trimpath -gcflags '$(GCFLAGS)' -ldflags '$(LDFLAGS)'
LINT_VERSION = v2.15.0
LINT     = bin/golangci-lint-$(LINT_VERSION)
FUZZTIME ?= 30s

export CGO_ENABLED = 0

# The race detector needs a C compiler; without one the same tests run without it. It
# lets every program sleep for a second before it ends unless it is told otherwise.
ifneq ($(shell command -v gcc 2>/dev/null || command -v clang 2>/dev/null),)
RACE = CGO_ENABLED=1 GORACE=$${GORACE:-atexit_sleep_ms=20} $(GO) test -race
else
RACE = $(GO) test
endif

.PHONY: run build dist sbom vuln test clients lint bench agents cover fuzz clean help

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: build ## start the gateway with its simulator and show its main job
	@bin/aratta demo

build: ## build bin/aratta, one static binary
	@echo "building bin/aratta (the first time takes a minute or two)"
	@$(BUILD) -o bin/aratta ./cmd/aratta

PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
dist: ## build dist/aratta-SYSTEM-MACHINE for all systems that are released
	@for p in $(PLATFORMS); do \
	  os=$${p%/*} arch=$${p#*/} exe=; [ $$os = windows ] && exe=.exe; \
	  GOOS=$$os GOARCH=$$arch $(BUILD) -o dist/aratta-$$os-$$arch$$exe ./cmd/aratta && echo dist/aratta-$$os-$$arch$$exe || exit 1; \
	done

SBOM = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
sbom: build ## list what is in bin/aratta (CycloneDX) as bin/aratta.cdx.json
	@$(GO) run $(SBOM) bin -json -version $(VERSION) -output bin/aratta.cdx.json bin/aratta

VULN_VERSION = v1.9.0
VULN     = bin/govulncheck-$(VULN_VERSION)
vuln: $(VULN) ## look for known vulnerabilities in the code that is called, if their list can be reached
	@out=$$($(VULN) ./... 2>&1); code=$$?; \
	if [ $$code -ne 0 ] && echo "$$out" | grep -q 'fetching vulnerabilities'; then \
	  echo "make: the list of vulnerabilities cannot be reached from here, so nothing was looked for"; \
	else echo "$$out"; exit $$code; fi

$(VULN):
	GOBIN=$(CURDIR)/bin $(GO) install golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION)
	mv bin/govulncheck $@

test: clients ## run every test, with the race detector, and the official SDKs against a running server
	$(RACE) -timeout 15m ./...
	$(GO) test -timeout 5m ./internal/sock ./internal/provider ./internal/server # sock does without its calls where the race detector is on
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
agents: ## run Claude Code, opencode, Codex and Continue from the npm registry against the gateway (needs npm)
	mkdir -p $(AGENTS)
	npm install --prefix $(AGENTS) --no-audit --no-fund @anthropic-ai/claude-code@latest opencode-ai@latest @openai/codex@latest @continuedev/cli@latest
	cd sdktest && ARATTA_AGENTS=$(AGENTS) $(GO) test -count=1 -v -run TestAgents -timeout 20m .

cover: ## coverage by package
	$(GO) test -coverprofile=cover.out ./... && $(GO) tool cover -func=cover.out | tail -n 1

# At its end a run of Go's fails now and then with "context deadline exceeded" and without an
# input: that is no finding.
fuzz: ## run every fuzz target for FUZZTIME each, and name at the end those that found something
	@log=$$(mktemp); trap 'rm -f '$$log EXIT; \
	for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "== $$pkg $$f"; { $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg 2>&1 || echo "make: failed"; } | tee $$log; \
	    if grep -q '^make: failed' $$log && ! { grep -q '^    context deadline exceeded$$' $$log && ! grep -q 'Failing input' $$log; }; then \
	      found="$$found $$pkg/$$f"; \
	    fi; \
	  done; \
	done; \
	[ -z "$$found" ] || { echo "make: findings of$$found"; exit 1; }

clean: ## remove what was built
	rm -rf bin dist cover.out $(CLIENTS)/node_modules
