package main

import (
	"strconv"
	"time"
)

// The targets of a run, by what stands between the load and the mock.
const (
	direct     = "direct"     // nothing
	std        = "std"        // a bare httputil.ReverseProxy, the yardstick
	same       = "same"       // Aratta, upstream of the client's own dialect
	translated = "translated" // Aratta, OpenAI's dialect in, Anthropic's out
)

// unit is what a figure counts.
type unit uint8

const (
	perRequest unit = iota // microseconds of CPU
	perEvent               // microseconds of CPU
	added                  // microseconds of latency beyond the mock's own
	perStream              // bytes of memory
	millis                 // of time
	mebibytes              // of memory
	megabytes              // of a file
)

// row is one line of the table: a figure of Aratta's beside the yardstick's.
type row struct {
	name   string
	run    string // what is done to measure it
	target string
	unit   unit
	must   float64 // the most that is acceptable, as a multiple of the yardstick
	aim    float64 // what is aimed at
}

// The runs that are no load.
const (
	runStart  = "start"
	runBinary = "binary"
)

// rows is the table. Runs are made in the order in which they first appear.
func rows() []row {
	return []row{
		{"CPU per request, same dialect, 1 KB", "1k", same, perRequest, 1.0, 0.5},
		{"CPU per request, openai -> anthropic, 1 KB", "1k", translated, perRequest, 1.2, 0.55},
		{"CPU per request, same dialect, 100 KB", "100k", same, perRequest, 1.0, 0.45},
		{"CPU per request, openai -> anthropic, 100 KB", "100k", translated, perRequest, 1.8, 0.8},
		{"CPU per request, same dialect, 1 MB", "1m", same, perRequest, 1.2, 0.8},
		{"CPU per request, openai -> anthropic, 1 MB", "1m", translated, perRequest, 6, 2.5},
		{"CPU per stream in one burst, same dialect", "burst", same, perRequest, 1.5, 0.6},
		{"CPU per stream in one burst, translated", "burst", translated, perRequest, 3, 0.9},
		{"CPU per event, one each 10 ms, same dialect", "gaps", same, perEvent, 1.0, 0.75},
		{"CPU per event, one each 10 ms, translated", "gaps", translated, perEvent, 1.1, 0.8},
		{"added p50, 1 KB at 1,000/s", "latency 1k", same, added, 1.2, 1.0},
		{"added p50, 100 KB at 300/s", "latency 100k", same, added, 1.0, 0.65},
		{"memory per idle stream, 1,000 of them", "streams 1000", same, perStream, 1.0, 0.4},
		{"memory per idle stream, 9,500 of them", "streams 9500", same, perStream, 1.0, 0.4},
		{"cold start to the first 200", runStart, same, millis, 3, 1.5},
		{"idle RSS after it", runStart, same, mebibytes, 3, 1.5},
		{"stripped binary", runBinary, same, megabytes, 40, 25},
	}
}

// load is how loadgen is called for one run.
type load struct {
	args    []string
	profile string // of the mock
	targets []string
	streams int     // so many at once, in processes started for them; 0 = no such run
	events  float64 // that each of them gives within the window, at the least
}

// pace is how long things are measured.
type pace struct {
	rounds, starts int
	warm, window   time.Duration
	quick          bool
}

func fullPace() pace {
	return pace{rounds: 3, starts: 11, warm: 700 * time.Millisecond, window: 2500 * time.Millisecond}
}

// quickPace is enough to see that everything works; its figures mean little.
func quickPace() pace {
	return pace{rounds: 1, starts: 3, warm: 150 * time.Millisecond, window: 300 * time.Millisecond, quick: true}
}

// limit bounds one run of loadgen, however badly a target behaves.
func (p pace) limit() time.Duration {
	return 2*time.Minute + 4*time.Duration(p.rounds)*(p.warm+p.window)
}

// loads says how each run is made.
func loads(p pace) map[string]load {
	cpu := []string{direct, std, same, translated}
	proxies := []string{direct, std, same}
	m := map[string]load{
		"1k":           {args: []string{"-body", "1k", "-conns", "32"}, targets: cpu},
		"100k":         {args: []string{"-body", "100k", "-conns", "16"}, targets: cpu},
		"1m":           {args: []string{"-body", "1m", "-conns", "8"}, targets: cpu},
		"burst":        {args: []string{"-body", "1k", "-conns", "32", "-stream", "-min-events", "100"}, targets: cpu},
		"gaps":         {args: []string{"-body", "1k", "-conns", "100", "-stream", "-min-events", "100"}, profile: "gap_us=10000", targets: cpu},
		"latency 1k":   {args: []string{"-body", "1k", "-conns", "64", "-rate", "1000"}, targets: proxies},
		"latency 100k": {args: []string{"-body", "100k", "-conns", "64", "-rate", "300"}, targets: proxies},
	}
	for name, l := range m {
		l.args = append(l.args, "-rounds", strconv.Itoa(p.rounds), "-warm", p.warm.String(), "-duration", p.window.String())
		m[name] = l
	}
	for name, n := range map[string]int{"streams 1000": 1000, "streams 9500": 9500} {
		l := load{targets: []string{std, same}, profile: "gap_us=1000000", streams: n}
		up, seen := time.Duration(n)*time.Second/2000+3*time.Second, 3*time.Second
		if p.quick {
			l.streams, up, seen = 200, time.Second, 500*time.Millisecond
		}
		l.events = seen.Seconds() / 2 // of one each second
		l.args = []string{
			"-body", "1k", "-stream", "-conns", strconv.Itoa(l.streams), "-ramp", "2000",
			"-rounds", "1", "-warm", up.String(), "-duration", seen.String(), "-drain", "500ms",
		}
		m[name] = l
	}
	return m
}
