package app

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Keys of the contract whose work is not built yet: each is read, and warned of. Whoever
// builds the work of one takes it out here.
const unbuilt = `
[local.ollama]
use_when = ["code"]
cost_limit_per_day = 50.0
price_per_hour = 0.4
models = [{ name = "m", fallback_threshold = 0.8, specialized_for = ["code"] }]

[routing]
strategy = "cost"
fallback_threshold = 0.7
stream_guard = "prefix"
guard_tokens = 40
on_cold = "escalate"
sticky = true
self_check = true
adapt = true
adapt_min = 0.5
adapt_max = 0.9

[chains.c]
targets = ["ollama:m"]
strategy = "weighted"
weights = [1]
hedge_after = "5s"
resume_streams = true

[resilience]
max_retries = 2
failure_threshold = 5
recovery = "30s"
outage_bodies = ["busy"]

[cache]
enabled = true

[healing]
enabled = true

[monitoring]
health_check_interval = "30s"
log_content = true
log_retention = "7d"

[database]
url = "sqlite://x"

[redis]
url = "redis://localhost"
`

func TestKeysWithoutTheirWorkWarn(t *testing.T) {
	s, err := load(t, unbuilt, env())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range s.Warnings {
		if key, ok := strings.CutSuffix(w, ": has no effect in this version"); ok {
			got = append(got, key[strings.LastIndex(key, " ")+1:])
		}
	}
	slices.Sort(got)
	want := []string{
		"cache",
		"chains.c.hedge_after",
		"chains.c.resume_streams",
		"chains.c.strategy",
		"chains.c.weights",
		"database.url",
		"healing",
		"local.ollama.cost_limit_per_day",
		"local.ollama.models[m].fallback_threshold",
		"local.ollama.models[m].specialized_for",
		"local.ollama.price_per_hour",
		"local.ollama.use_when",
		"monitoring.health_check_interval",
		"monitoring.log_content",
		"monitoring.log_retention",
		"redis.url",
		"resilience.failure_threshold",
		"resilience.max_retries",
		"resilience.outage_bodies",
		"resilience.recovery",
		"routing.adapt",
		"routing.adapt_min/adapt_max",
		"routing.fallback_threshold",
		"routing.guard_tokens",
		"routing.on_cold",
		"routing.self_check",
		"routing.sticky",
		"routing.strategy",
		"routing.stream_guard",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, strings.Join(s.Warnings, "\n"))
	}
}

// What promises safety without keeping the promise stops the start.
func TestPromisesWithoutTheirWorkStopTheStart(t *testing.T) {
	for table, text := range map[string]string{
		"policy": "[policy]\npreset = \"gdpr\"\n", "privacy": "[privacy]\nmask = true\n", "budgets": "[budgets]\nper_day = 5\n",
	} {
		if _, err := load(t, "[local.ollama]\n"+text, env()); err == nil || !strings.Contains(err.Error(), table) {
			t.Errorf("%s: %v", table, err)
		}
	}
}
