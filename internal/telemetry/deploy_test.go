package telemetry_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/aratta-gateway/aratta/internal/telemetry"
	"github.com/aratta-gateway/aratta/scri"
)

// everything is a Meter that has counted each thing that it can.
func everything() *telemetry.Meter {
	m := telemetry.New("1")
	m.Streaming("openai")
	m.Loaded(true)
	m.Loaded(false)
	a := scri.Attempt{Provider: "p", FirstMS: 1, TookMS: 1, Start: time.Unix(1, 0), Outcome: "ok", CostUSD: usd(1), Usage: &scri.Usage{Input: n(1)}}
	m.Ended(&scri.Exchange{Lineage: &scri.Lineage{Attempts: []scri.Attempt{a, a}}, Warnings: []scri.Warning{{Code: scri.WarnAdded}}}, nil)
	return m
}

// The dashboard and the alerts name only metrics and labels that there are, and
// every metric of the gateway is in one of them.
func TestDeploy(t *testing.T) {
	list, err := everything().Metrics()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{"up": {"job"}}
	for _, m := range list {
		for _, s := range m.Series {
			for l := range s.Labels {
				known[m.Name] = append(known[m.Name], l)
			}
		}
		if len(m.Series) > 0 && known[m.Name] == nil {
			known[m.Name] = []string{}
		}
	}
	used := map[string]bool{}
	for _, file := range []string{"grafana/aratta.json", "prometheus/alerts.yaml"} {
		raw, err := os.ReadFile(filepath.Join("../../deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		exprs := expressions(t, file, raw)
		if len(exprs) < 8 {
			t.Errorf("%s: only %d expressions were found", file, len(exprs))
		}
		for _, e := range exprs {
			for _, m := range regexp.MustCompile(`\b(up|(?:aratta|go|process)_[a-z_0-9]+)(\{[^}]*\})?`).FindAllStringSubmatch(e, -1) {
				name := m[1]
				labels, ok := known[name]
				for _, end := range []string{"_bucket", "_sum", "_count"} {
					if base, cut := strings.CutSuffix(name, end); cut && !ok {
						labels, ok = known[base]
						name = base
					}
				}
				if !ok {
					t.Errorf("%s: there is no metric %s in %s", file, m[1], e)
				}
				used[name] = true
				for _, l := range regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`).FindAllStringSubmatch(m[2], -1) {
					if l[1] != "instance" && l[1] != "job" && !slices.Contains(labels, l[1]) {
						t.Errorf("%s: %s has no label %s in %s", file, m[1], l[1], e)
					}
				}
			}
		}
	}
	for _, m := range list {
		if strings.HasPrefix(m.Name, "aratta_") && !used[m.Name] && m.Name != "aratta_config_loaded_timestamp_seconds" {
			t.Errorf("nobody looks at %s", m.Name)
		}
	}
}

// Prometheus takes the alerts, and they say what they shall of made-up counts.
func TestAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (it comes with Prometheus), so the alerts are not tried: ", err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", "../../deploy/prometheus/alerts.test.yaml").CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

// expressions are those in PromQL of a file.
func expressions(t *testing.T, file string, raw []byte) (list []string) {
	t.Helper()
	var v any
	var err error
	if strings.HasSuffix(file, ".json") {
		err = json.Unmarshal(raw, &v)
	} else {
		err = yaml.Unmarshal(raw, &v)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, x := range v {
				if s, ok := x.(string); ok && (key == "expr" || key == "query" && strings.Contains(s, "(")) {
					list = append(list, s)
				}
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(v)
	return list
}
