package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// measure makes one run for those of the rows that want it.
func (s *stand) measure(ctx context.Context, run string, wanted []row, p pace) (measured, []string, error) {
	switch run {
	case runStart:
		m, err := s.starts(ctx, p.starts)
		return m, nil, err
	case runBinary:
		return measured{same: {megabytes: float64(s.cost) / 1e6}}, nil, nil
	}
	l, ok := loads(p)[run]
	if !ok {
		return nil, nil, fmt.Errorf("no run %q", run)
	}
	names := l.targets(run, wanted)
	switch {
	case l.streams > 0:
		return s.idle(ctx, l, names, p)
	case l.sets > 0:
		return s.sets(ctx, l, names, p)
	default:
		return s.load(ctx, l, names, p)
	}
}

// sets makes a run several times, each with fresh processes: two of the same program
// differ by a percent or two for as long as they live. The median of the differences
// counts.
func (s *stand) sets(ctx context.Context, l load, names []string, p pace) (measured, []string, error) {
	found, notes := map[string][]float64{}, []string(nil)
	for range l.sets {
		m, n, err := s.load(ctx, l, names, p)
		if err != nil {
			return nil, nil, err
		}
		for t, units := range m {
			if v, ok := units[more]; ok {
				found[t] = append(found[t], v)
			}
		}
		notes = append(notes, n...)
	}
	all := measured{}
	for t, list := range found {
		if len(list) == l.sets {
			all.set(t, more, median(list))
		}
	}
	return all, notes, nil
}

// load starts the proxies and loads them, and the mock itself, in turn.
func (s *stand) load(ctx context.Context, l load, names []string, p pace) (measured, []string, error) {
	if err := s.profile(ctx, ""); err != nil { // for the first answers, which are not measured
		return nil, nil, err
	}
	processes := map[string]*process{procMock: s.mock}
	var args []string
	for _, name := range names {
		kind := targets()[name].process
		proxy := processes[kind]
		if proxy == nil {
			var err error
			if proxy, err = s.proxy(ctx, kind); err != nil {
				return nil, nil, err
			}
			defer proxy.stop()
			processes[kind] = proxy
		}
		if err := s.chat(ctx, proxy, name); err != nil {
			return nil, nil, err
		}
		args = append(args, "-target", s.aim(proxy, name, kind != procMock))
	}
	if err := s.profile(ctx, l.profile); err != nil {
		return nil, nil, err
	}
	return s.loadgen(ctx, append(args, l.args...), p, 0)
}

// idle measures what streams cost that wait most of the time: each proxy is
// fresh, so that nothing of another run is in its memory.
func (s *stand) idle(ctx context.Context, l load, names []string, p pace) (measured, []string, error) {
	if err := enoughFiles(l.streams); err != nil {
		return nil, nil, err
	}
	all, notes := measured{}, []string(nil)
	for _, t := range names {
		m, n, err := s.idleOne(ctx, l, p, t)
		if err != nil {
			return nil, nil, err
		}
		if v, ok := m[t][perStream]; ok {
			all.set(t, perStream, v)
		}
		notes = append(notes, n...)
	}
	return all, notes, nil
}

func (s *stand) idleOne(ctx context.Context, l load, p pace, target string) (measured, []string, error) {
	if err := s.profile(ctx, ""); err != nil {
		return nil, nil, err
	}
	proxy, err := s.proxy(ctx, targets()[target].process)
	if err != nil {
		return nil, nil, err
	}
	defer proxy.stop()
	if err := s.chat(ctx, proxy, target); err != nil {
		return nil, nil, err
	}
	if err := s.profile(ctx, l.profile); err != nil {
		return nil, nil, err
	}
	return s.loadgen(ctx, append([]string{"-target", s.aim(proxy, target, true)}, l.args...), p, l.events)
}

// aim describes a target to loadgen.
func (s *stand) aim(p *process, target string, counted bool) string {
	t := targets()[target]
	a := target + "=http://" + hostPort(p.port) + t.path() + ";model=" + t.model + ";dialect=" + t.dialect
	if counted {
		a += ";pid=" + p.pid()
	}
	return a
}

// loadgen runs the load and reads what it found.
func (s *stand) loadgen(ctx context.Context, args []string, p pace, events float64) (measured, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, p.limit())
	defer cancel()
	out := filepath.Join(s.dir, "report.json")
	cmd := s.command(ctx, cpuLoad, "loadgen", append(args, "-mock-pid", s.mock.pid(), "-json", out)...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("loadgen: %w\n%s", err, said.String()), ctx.Err())
	}
	if s.verbose != nil {
		_, _ = s.verbose.Write(said.Bytes())
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return nil, nil, err
	}
	return fromLoadgen(b, events)
}

// settle is how long a process is left alone before its memory is looked at.
const settle = 500 * time.Millisecond

// starts measures how long each takes from its start to its first answer, and
// how much memory it has then. The medians count.
func (s *stand) starts(ctx context.Context, n int) (measured, error) {
	if err := s.profile(ctx, ""); err != nil {
		return nil, err
	}
	names := []string{std, same}
	took, rss := map[string][]float64{}, map[string][]float64{}
	for range n {
		for _, t := range names {
			ms, mib, err := s.startOnce(ctx, t)
			if err != nil {
				return nil, err
			}
			took[t], rss[t] = append(took[t], ms), append(rss[t], mib)
		}
	}
	m := measured{}
	for _, t := range names {
		m.set(t, millis, median(took[t]))
		m.set(t, mebibytes, median(rss[t]))
	}
	return m, nil
}

func (s *stand) startOnce(ctx context.Context, target string) (ms, mib float64, err error) {
	begin := time.Now()
	p, err := s.proxy(ctx, targets()[target].process)
	if err != nil {
		return 0, 0, err
	}
	defer p.stop()
	if err := s.chat(ctx, p, target); err != nil {
		return 0, 0, err
	}
	ms = float64(time.Since(begin).Microseconds()) / 1000
	time.Sleep(settle)
	mib, err = residentMiB(p.pid())
	return ms, mib, err
}

// residentMiB reads the memory of a process.
func residentMiB(pid string) (float64, error) {
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("process %s has no VmRSS", pid)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
