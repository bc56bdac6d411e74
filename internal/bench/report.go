package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// result is what is used of what loadgen reports for a target.
type result struct {
	Name        string           `json:"name"`
	OK          int64            `json:"ok"`
	Failed      int64            `json:"failed"`
	Errors      map[string]int64 `json:"errors"`
	CPUPerReq   float64          `json:"cpu_us_per_request"`
	CPURounds   []float64        `json:"cpu_us_per_request_rounds"`
	CPUPerEvent float64          `json:"cpu_us_per_event"`
	RSSStart    float64          `json:"rss_start_bytes"`
	RSSMax      float64          `json:"rss_max_bytes"`
	Connections float64          `json:"connections"`
	Events      float64          `json:"events"`
	Others      float64          `json:"others_cpu_share"`
	Latency     struct {
		P50 float64 `json:"p50"`
	} `json:"latency_us"`
	Added *struct {
		P50 float64 `json:"p50"`
	} `json:"added_us"`
}

// figure is the result in the unit of a row, and whether there is one.
func (r *result) figure(u unit) (float64, bool) {
	v := 0.0
	switch u {
	case perRequest:
		v = r.CPUPerReq
	case perEvent:
		v = r.CPUPerEvent
	case added:
		if r.Added != nil {
			v = r.Added.P50
		}
	case perStream:
		if r.Connections > 0 {
			v = (r.RSSMax - r.RSSStart) / r.Connections
		}
	default:
	}
	return v, v > 0
}

// measured is what one run yields, by target and unit.
type measured map[string]map[unit]float64

func (m measured) set(target string, u unit, v float64) {
	if m[target] == nil {
		m[target] = map[unit]float64{}
	}
	m[target][u] = v
}

// busy is from which share of a CPU on others' work makes figures doubtful.
const busy = 0.3

// fromLoadgen reads loadgen's report. A target that failed requests, or did not
// get all its streams going, has no figures: they would be those of something
// else. events is how many each stream must have given.
func fromLoadgen(p []byte, events float64) (measured, []string, error) {
	var rep struct {
		Targets []result `json:"targets"`
	}
	if err := json.Unmarshal(p, &rep); err != nil {
		return nil, nil, fmt.Errorf("loadgen's report: %w", err)
	}
	m, notes, others := measured{}, []string(nil), 0.0
	rounds := map[string][]float64{}
	for i := range rep.Targets {
		r := &rep.Targets[i]
		if r.Failed > 0 {
			notes = append(notes, fmt.Sprintf("%s failed %d of %d requests: %v", r.Name, r.Failed, r.Failed+r.OK, r.Errors))
			continue
		}
		others = max(others, r.Others)
		if r.Events < events*r.Connections {
			notes = append(notes, fmt.Sprintf("%s: %.0f streams gave %.0f events, which is too few: the machine was too slow for all of them", r.Name, r.Connections, r.Events))
			continue
		}
		for _, u := range []unit{perRequest, perEvent, added, perStream} {
			if v, ok := r.figure(u); ok {
				m.set(r.Name, u, v)
			}
		}
		rounds[r.Name] = r.CPURounds
		if r.Name == direct { // of the mock itself, latency is all that there is
			m.set(direct, added, r.Latency.P50)
		}
	}
	m.addMore(rounds)
	if others > busy {
		notes = append(notes, fmt.Sprintf("others used up to %.1f CPUs meanwhile: latencies mean little, the rest is too high", others))
	}
	return m, notes, nil
}

// addMore says what each target costs beyond Aratta as it is, by the windows of each
// in which a request cost least: others on the machine make it cost more, by what they
// take of the caches, never less.
func (m measured) addMore(rounds map[string][]float64) {
	plain := rounds[same]
	for t, list := range rounds {
		if t != same && len(list) > 0 && len(list) == len(plain) {
			m.set(t, more, leastThird(list)-leastThird(plain))
		}
	}
}

// leastThird is the mean of the least third of some values.
func leastThird(v []float64) float64 {
	n, sum := max(len(v)/3, 1), 0.0
	for _, x := range slices.Sorted(slices.Values(v))[:n] {
		sum += x
	}
	return sum / float64(n)
}

// line is a row with its figures.
type line struct {
	Name    string   `json:"name"`
	Direct  *float64 `json:"direct,omitempty"`
	Std     *float64 `json:"std,omitempty"`
	Aratta  *float64 `json:"aratta,omitempty"`
	Ratio   *float64 `json:"ratio,omitempty"`
	Must    float64  `json:"must,omitempty"`
	Aim     float64  `json:"aim,omitempty"`
	Verdict string   `json:"verdict"`

	unit unit
}

// The verdicts.
const (
	verdictAim     = "aim"
	verdictMust    = "must"
	verdictMissed  = "MISSED"
	verdictNothing = "not measured"
	verdictFree    = "-" // nobody has set a limit
)

// judge sets a row's figures beside each other.
func judge(r row, m measured) line {
	get := func(target string) *float64 {
		v, ok := m[target][r.unit]
		if !ok {
			return nil
		}
		return &v
	}
	if r.unit == more {
		return judgeMore(r, m)
	}
	l := line{Name: r.name, Direct: get(direct), Std: get(std), Aratta: get(r.target), Must: r.must, Aim: r.aim, unit: r.unit}
	switch {
	case r.unit == megabytes && l.Aratta != nil:
		l.Verdict = verdict(*l.Aratta, r)
	case l.Aratta == nil || l.Std == nil || *l.Std <= 0:
		l.Verdict = verdictNothing
	default:
		ratio := *l.Aratta / *l.Std
		l.Ratio, l.Verdict = &ratio, verdict(ratio, r)
	}
	return l
}

// judgeMore is a row of what a target costs beyond Aratta as it is.
func judgeMore(r row, m measured) line {
	l := line{Name: r.name, Must: r.must, Aim: r.aim, Verdict: verdictNothing, unit: r.unit}
	if v, ok := m[r.target][more]; ok {
		l.Aratta, l.Verdict = &v, verdict(v, r)
	}
	return l
}

func verdict(v float64, r row) string {
	switch {
	case r.must == 0:
		return verdictFree
	case v <= r.aim:
		return verdictAim
	case v <= r.must:
		return verdictMust
	default:
		return verdictMissed
	}
}

// text is a figure with its unit, three digits or so.
func (u unit) text(v *float64) string {
	if v == nil {
		return "-"
	}
	switch u {
	case perRequest, perEvent, added, more:
		return short(*v) + " us"
	case perStream:
		return short(*v/1024) + " KiB"
	case millis:
		return short(*v) + " ms"
	case mebibytes:
		return short(*v) + " MiB"
	default:
		return short(*v) + " MB"
	}
}

func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// bound is a limit as the table shows it.
func (l *line) bound(v float64) string {
	switch {
	case v == 0:
		return "-"
	case l.unit == megabytes:
		return fmt.Sprintf("%g MB", v)
	case l.unit == more:
		return fmt.Sprintf("%g us", v)
	}
	return fmt.Sprintf("%g x", v)
}

// write prints the table.
func write(w io.Writer, lines []line) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tdirect\tstd\taratta\tratio\tmust\taim\treached")
	for i := range lines {
		l := &lines[i]
		ratio := "-"
		if l.Ratio != nil {
			ratio = fmt.Sprintf("%.2f x", *l.Ratio)
		}
		cells := []string{
			l.Name, l.unit.text(l.Direct), l.unit.text(l.Std), l.unit.text(l.Aratta), ratio,
			l.bound(l.Must), l.bound(l.Aim), l.Verdict,
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

func writeJSON(path string, lines []line) error {
	p, err := json.MarshalIndent(lines, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(p, '\n'), 0o644) //nolint:gosec // figures are no secret
}
