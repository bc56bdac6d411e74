package main

import (
	"slices"
	"strconv"
	"time"
)

// unit is what a figure counts.
type unit uint8

const (
	perRequest unit = iota // microseconds of CPU
	perEvent               // microseconds of CPU
	more                   // microseconds of CPU a request beyond those of Aratta as it is, see addMore
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
	must   float64 // the most that is acceptable, as a multiple of the yardstick or absolute; 0 = nobody has said
	aim    float64 // what is aimed at, likewise
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
		{"CPU per request, openai -> anthropic, 1 KB", "1k", openaiAnthropic, perRequest, 1.2, 0.55},
		{"CPU per request, openai -> gemini, 1 KB", "1k", openaiGemini, perRequest, 1.2, 0},
		{"CPU per request, anthropic -> openai, 1 KB", "1k", anthropicOpenai, perRequest, 1.2, 0},
		{"CPU per request, anthropic -> ollama, 1 KB", "1k", anthropicOllama, perRequest, 0, 0},
		{"CPU per request, same dialect, 100 KB", "100k", same, perRequest, 1.0, 0.45},
		{"CPU per request, openai -> anthropic, 100 KB", "100k", openaiAnthropic, perRequest, 1.8, 0.8},
		{"CPU per request, openai -> gemini, 100 KB", "100k", openaiGemini, perRequest, 1.8, 0},
		{"CPU per request, anthropic -> openai, 100 KB", "100k", anthropicOpenai, perRequest, 1.8, 0},
		{"CPU per request, anthropic -> ollama, 100 KB", "100k", anthropicOllama, perRequest, 0, 0},
		{"CPU per request, same dialect, 1 MB", "1m", same, perRequest, 1.2, 0.8},
		{"CPU per request, openai -> anthropic, 1 MB", "1m", openaiAnthropic, perRequest, 6, 2.5},
		{"CPU per request, openai -> gemini, 1 MB", "1m", openaiGemini, perRequest, 6, 0},
		{"CPU per request, anthropic -> openai, 1 MB", "1m", anthropicOpenai, perRequest, 6, 0},
		{"CPU per request, anthropic -> ollama, 1 MB", "1m", anthropicOllama, perRequest, 0, 0},
		{"CPU per stream in one burst, same dialect", "burst", same, perRequest, 1.5, 0.6},
		{"CPU per stream in one burst, openai -> anthropic", "burst", openaiAnthropic, perRequest, 3, 0.9},
		{"CPU per stream in one burst, openai -> gemini", "burst", openaiGemini, perRequest, 3, 0},
		{"CPU per stream in one burst, anthropic -> openai", "burst", anthropicOpenai, perRequest, 3, 0},
		{"CPU per stream in one burst, anthropic -> ollama", "burst", anthropicOllama, perRequest, 0, 0},
		{"CPU per event, one each 10 ms, same dialect", "gaps", same, perEvent, 1.0, 0.75},
		{"CPU per event, one each 10 ms, openai -> anthropic", "gaps", openaiAnthropic, perEvent, 1.1, 0.8},
		{"CPU per event, one each 10 ms, openai -> gemini", "gaps", openaiGemini, perEvent, 0, 0},
		{"CPU per event, one each 10 ms, anthropic -> openai", "gaps", anthropicOpenai, perEvent, 0, 0},
		{"CPU per event, one each 10 ms, anthropic -> ollama", "gaps", anthropicOllama, perEvent, 0, 0},
		{"CPU added by overlays for others, 1 KB", "overlays", emptyOverlays, more, 2, 1},
		{"CPU added by ten active overlays, 1 KB", "overlays", tenOverlays, more, 5, 2.5},
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
	profile string   // of the mock
	beside  []string // the targets that are loaded beside those of the rows, the first of them first
	sets    int      // so many sets of fresh processes, which are asked in short windows, to tell small differences; 0 = no such run
	streams int      // so many at once, in processes started for them; 0 = no such run
	events  float64  // that each of them gives within the window, at the least
}

// targets lists what a run loads for these rows.
func (l *load) targets(run string, wanted []row) []string {
	list := slices.Clone(l.beside)
	for _, r := range wanted {
		if r.run == run && !slices.Contains(list, r.target) {
			list = append(list, r.target)
		}
	}
	return list
}

// pace is how long things are measured.
type pace struct {
	rounds, starts int
	warm, window   time.Duration
	short          turns
	quick          bool
}

// turns is how small differences are measured: each set of processes is asked in
// turn, in many windows that are short, so that whatever else the machine does falls
// on all of them.
type turns struct {
	sets, rounds int
	warm, window time.Duration
}

func fullPace() pace {
	return pace{
		rounds: 3, starts: 11, warm: 700 * time.Millisecond, window: 2500 * time.Millisecond,
		short: turns{sets: 5, rounds: 6, warm: 50 * time.Millisecond, window: 400 * time.Millisecond},
	}
}

// quickPace is enough to see that everything works; its figures mean little.
func quickPace() pace {
	return pace{
		rounds: 1, starts: 3, warm: 150 * time.Millisecond, window: 300 * time.Millisecond, quick: true,
		short: turns{sets: 1, rounds: 3, warm: 50 * time.Millisecond, window: 150 * time.Millisecond},
	}
}

// limit bounds one run of loadgen, however badly a target behaves.
func (p pace) limit() time.Duration {
	return 2*time.Minute + 4*time.Duration(p.rounds)*(p.warm+p.window)
}

// loads says how each run is made.
func loads(p pace) map[string]load {
	cpu, latency := []string{std}, []string{direct, std}
	m := map[string]load{
		"1k":           {args: []string{"-body", "1k", "-conns", "32"}, beside: cpu},
		"100k":         {args: []string{"-body", "100k", "-conns", "16"}, beside: cpu},
		"1m":           {args: []string{"-body", "1m", "-conns", "8"}, beside: cpu},
		"burst":        {args: []string{"-body", "1k", "-conns", "32", "-stream", "-min-events", "100"}, beside: cpu},
		"gaps":         {args: []string{"-body", "1k", "-conns", "100", "-stream", "-min-events", "100"}, profile: "gap_us=10000", beside: cpu},
		"overlays":     {args: []string{"-body", "1k", "-conns", "32"}, beside: []string{same}, sets: p.short.sets},
		"latency 1k":   {args: []string{"-body", "1k", "-conns", "64", "-rate", "1000"}, beside: latency},
		"latency 100k": {args: []string{"-body", "100k", "-conns", "64", "-rate", "300"}, beside: latency},
	}
	for name, l := range m {
		rounds, warm, window := p.rounds, p.warm, p.window
		if l.sets > 0 {
			rounds, warm, window = p.short.rounds, p.short.warm, p.short.window
		}
		l.args = append(l.args, "-rounds", strconv.Itoa(rounds), "-warm", warm.String(), "-duration", window.String())
		m[name] = l
	}
	for name, n := range map[string]int{"streams 1000": 1000, "streams 9500": 9500} {
		l := load{beside: []string{std}, profile: "gap_us=1000000", streams: n}
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
