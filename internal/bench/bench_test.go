package main

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"github.com/aratta-gateway/aratta/internal/overlay"
)

// What is measured is built as what is released.
func TestFlagsOfRelease(t *testing.T) {
	for _, file := range []string{"../../Makefile", "../../deploy/Dockerfile"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), gcflags) {
			t.Errorf("%s does not build with %s", file, gcflags)
		}
	}
}

// A report of loadgen, cut to what matters here.
const report = `{"targets": [
	{"name": "direct", "ok": 10, "latency_us": {"p50": 20}},
	{"name": "std", "ok": 10, "cpu_us_per_request": 50, "cpu_us_per_event": 10, "added_us": {"p50": 80},
	 "rss_start_bytes": 1000, "rss_max_bytes": 513000, "connections": 10},
	{"name": "same", "ok": 10, "cpu_us_per_request": 25, "cpu_us_per_event": 10.5, "added_us": {"p50": 200},
	 "rss_start_bytes": 1000, "rss_max_bytes": 206000, "connections": 10},
	{"name": "openai-anthropic", "ok": 9, "failed": 1, "cpu_us_per_request": 5, "errors": {"status 500": 1}}
]}`

func TestJudge(t *testing.T) {
	m, notes, err := fromLoadgen([]byte(report), 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"openai-anthropic failed 1 of 10 requests: map[status 500:1]"}, notes); diff != "" {
		t.Errorf("notes: %s", diff)
	}
	for _, c := range []struct {
		row     row
		ratio   float64
		verdict string
	}{
		{row{target: same, unit: perRequest, must: 1, aim: 0.5}, 0.5, verdictAim},
		{row{target: same, unit: perRequest, must: 1, aim: 0.45}, 0.5, verdictMust},
		{row{target: same, unit: perEvent, must: 1, aim: 0.75}, 1.05, verdictMissed},
		{row{target: same, unit: added, must: 1.2, aim: 1}, 2.5, verdictMissed},
		{row{target: same, unit: perStream, must: 1, aim: 0.4}, 205000.0 / 512000, verdictMust},
		{row{target: openaiAnthropic, unit: perRequest, must: 10, aim: 10}, 0, verdictNothing}, // it failed a request
		{row{target: same, unit: perRequest}, 0.5, verdictFree},
		{row{target: same, unit: millis, must: 10, aim: 10}, 0, verdictNothing},
	} {
		l := judge(c.row, m)
		got := 0.0
		if l.Ratio != nil {
			got = *l.Ratio
		}
		if got != c.ratio || l.Verdict != c.verdict {
			t.Errorf("%+v: %g, %s; want %g, %s", c.row, got, l.Verdict, c.ratio, c.verdict)
		}
	}
	ten := measured{tenOverlays: {more: 4.5}}
	if l := judge(row{target: tenOverlays, unit: more, must: 5, aim: 2.5}, ten); l.Verdict != verdictMust || *l.Aratta != 4.5 || l.bound(l.Must) != "5 us" {
		t.Errorf("4.5 us of 5: %+v", l)
	}
	binary := measured{same: {megabytes: 30}}
	if l := judge(row{target: same, unit: megabytes, must: 40, aim: 25}, binary); l.Verdict != verdictMust {
		t.Errorf("30 MB of 40: %s", l.Verdict)
	}
}

// Windows that a busy machine made cost more do not count.
func TestDifferences(t *testing.T) {
	const report = `{"targets": [
		{"name": "same", "ok": 10, "cpu_us_per_request": 80, "cpu_us_per_request_rounds": [80, 130, 81, 82, 90, 99]},
		{"name": "overlays-ten", "ok": 10, "cpu_us_per_request": 86, "cpu_us_per_request_rounds": [83, 85, 84, 160, 93, 92]},
		{"name": "overlays-empty", "ok": 9, "failed": 1, "cpu_us_per_request": 86, "cpu_us_per_request_rounds": [83, 85, 84, 160, 93, 92]}
	]}`
	m, _, err := fromLoadgen([]byte(report), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := m[tenOverlays][more]; got != 3 {
		t.Errorf("ten overlays add %g us, want 3", got)
	}
	if _, ok := m[emptyOverlays][more]; ok {
		t.Error("a target that failed requests has a figure")
	}
}

func TestStreamsThatDidNotRunAreNotCounted(t *testing.T) {
	const report = `{"targets": [
		{"name": "std", "rss_start_bytes": 1, "rss_max_bytes": 1001, "connections": 10, "events": 30},
		{"name": "same", "rss_start_bytes": 1, "rss_max_bytes": 501, "connections": 10, "events": 10, "others_cpu_share": 1.5}
	]}`
	m, notes, err := fromLoadgen([]byte(report), 1.5)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := m[same][perStream]; ok || m[std][perStream] != 100 || len(notes) != 2 {
		t.Errorf("%v, %q", m, notes)
	}
}

func TestTable(t *testing.T) {
	m, _, err := fromLoadgen([]byte(report), 0)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = write(&b, []line{
		judge(row{name: "CPU", target: same, unit: perRequest, must: 1, aim: 0.5}, m),
		judge(row{name: "added", target: same, unit: added, must: 1.2, aim: 1}, m),
		judge(row{name: "memory", target: same, unit: perStream, must: 1, aim: 0.4}, m),
		judge(row{name: "gone", target: openaiAnthropic, unit: perRequest, must: 1, aim: 0.5}, m),
		judge(row{name: "size", target: same, unit: megabytes, must: 40, aim: 25}, measured{same: {megabytes: 14.53}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimPrefix(`
        direct   std       aratta    ratio   must   aim    reached
CPU     -        50.0 us   25.0 us   0.50 x  1 x    0.5 x  aim
added   20.0 us  80.0 us   200 us    2.50 x  1.2 x  1 x    MISSED
memory  -        50.0 KiB  20.0 KiB  0.40 x  1 x    0.4 x  must
gone    -        50.0 us   -         -       1 x    0.5 x  not measured
size    -        -         14.5 MB   -       40 MB  25 MB  aim
`, "\n")
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// Every row has a run, every run that loads has what its rows want, and every
// target can be asked.
func TestRowsAndRunsAgree(t *testing.T) {
	for _, p := range []pace{fullPace(), quickPace()} {
		all := loads(p)
		for _, r := range rows() {
			if r.must > 0 && r.aim > r.must {
				t.Errorf("%s: aim %g is laxer than must %g", r.name, r.aim, r.must)
			}
			if r.run == runStart || r.run == runBinary {
				continue
			}
			l, ok := all[r.run]
			if !ok {
				t.Errorf("%s: no run %q", r.name, r.run)
			}
			beside := std
			if r.unit == more {
				beside = same
			}
			names := l.targets(r.run, []row{r})
			if !slices.Contains(names, r.target) || !slices.Contains(names, beside) {
				t.Errorf("%s: the run %q has targets %s", r.name, r.run, names)
			}
			for _, n := range names {
				if targets()[n].model == "" {
					t.Errorf("%s: no target %q", r.name, n)
				}
			}
		}
	}
}

// What is not wanted is not loaded: -rows may choose one translation.
func TestRunsLoadWhatIsWanted(t *testing.T) {
	l := loads(fullPace())["1k"]
	got := l.targets("1k", []row{{run: "1k", target: openaiGemini}, {run: "100k", target: anthropicOllama}, {run: "1k", target: openaiGemini}})
	if diff := cmp.Diff([]string{std, openaiGemini}, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigIsTOML(t *testing.T) {
	var got struct {
		Local map[string]map[string]string
	}
	if err := toml.Unmarshal(config(9000), &got); err != nil {
		t.Fatal(err)
	}
	if got.Local["mock"]["base_url"] != "http://127.0.0.1:9000/v1" {
		t.Errorf("got %v", got)
	}
	for _, to := range targets() {
		if upstream, _, ok := strings.Cut(to.model, ":"); ok && got.Local[upstream] == nil {
			t.Errorf("%s: no such upstream", to.model)
		}
	}
}

// Each of the ten overlays finds something to do in a request of the load, and so
// is worth measuring.
func TestOverlaysAct(t *testing.T) {
	list, err := overlay.Parse("ten.yaml", overlays("mock"), overlay.User)
	if err != nil {
		t.Fatal(err)
	}
	plan := overlay.NewSet(list...).For(overlay.Target{Provider: "mock", Dialect: "openai", Model: "m"}, time.Time{})
	if len(plan.Names()) != 10 {
		t.Fatalf("in force: %q", plan.Names())
	}
	q := overlay.Request{
		Body: []byte(`{"model":"m","messages":[{"role":"system","content":"a"},{"role":"user","content":"b"}],"temperature":0.7,"max_tokens":256}`),
		Path: "/v1/chat/completions",
	}
	if err := plan.Begin(nil).Request(&q); err != nil {
		t.Fatal(err)
	}
	const want = `{"model":"m","messages":[{"role":"developer","content":"a"},{"role":"user","content":"b"}],"temperature":0.25,"max_completion_tokens":256,"metadata":{"user":"somebody"}}`
	if diff := cmp.Diff(want, string(q.Body)); diff != "" {
		t.Error(diff)
	}
	if q.Header.Get("X-Team") != "blue" || q.Query == "" {
		t.Errorf("header %v, query %q", q.Header, q.Query)
	}
}

func TestMedian(t *testing.T) {
	for want, v := range map[float64][]float64{0: nil, 2: {3, 1, 2}, 2.5: {4, 1, 2, 3}} {
		if got := median(v); got != want {
			t.Errorf("median(%v) = %g, want %g", v, got, want)
		}
	}
}

func TestWithoutLoadgenItSaysSo(t *testing.T) {
	t.Setenv("ARATTA_SHARED", t.TempDir())
	err := run(t.Context(), nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "load generator is not at") {
		t.Errorf("got %v", err)
	}
}

func TestNoRow(t *testing.T) {
	if err := run(t.Context(), []string{"-rows", "nothing like it"}, io.Discard, io.Discard); err == nil {
		t.Error("a filter that leaves nothing was taken")
	}
}
