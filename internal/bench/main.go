// Bench measures Aratta against a bare httputil.ReverseProxy, both in front of
// the same mock upstream in one run, and prints how much of it Aratta costs.
// It needs the folder ../shared/loadgen (ARATTA_SHARED names another place for
// shared), Linux, taskset and two CPUs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// longest bounds all of it.
const longest = 20 * time.Minute

// options are what the command line says.
type options struct {
	pace    pace
	rows    *regexp.Regexp
	json    string
	profile string
	verbose bool
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{pace: fullPace()}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	quick := f.Bool("quick", false, "short windows: see that it works; the figures mean little")
	filter := f.String("rows", "", "only rows that match this `regexp`")
	f.StringVar(&o.json, "json", "", "write the table as JSON to `FILE` too")
	f.StringVar(&o.profile, "cpuprofile", "", "write what Aratta did under all of these loads, as one CPU profile, to `FILE`: its build is optimized by cmd/aratta/default.pgo")
	f.BoolVar(&o.verbose, "v", false, "show what loadgen says of each run")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if *quick {
		o.pace = quickPace()
	}
	var err error
	o.rows, err = regexp.Compile("(?i)" + *filter)
	return o, err
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	wanted := slices.DeleteFunc(rows(), func(r row) bool { return !o.rows.MatchString(r.name) && !o.rows.MatchString(r.run) })
	if len(wanted) == 0 {
		return errors.New("no row matches -rows")
	}
	shared, err := findLoadgen()
	if err != nil {
		return err
	}
	if _, err := exec.LookPath("taskset"); err != nil || runtime.NumCPU() < 2 {
		return errors.New("taskset (of util-linux) and two CPUs are needed: what is measured must have a CPU to itself")
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	dir, err := os.MkdirTemp("", "aratta-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left lies in the folder for such
	s := &stand{dir: dir, profiled: o.profile != ""}
	if o.verbose {
		s.verbose = stderr
	}
	fmt.Fprintln(stderr, "building")
	if err := s.build(ctx, shared); err != nil {
		return err
	}
	if err := s.startMock(ctx); err != nil {
		return err
	}
	defer func() { s.mock.stop() }()
	lines, err := s.all(ctx, wanted, o.pace, stderr)
	if err != nil {
		return err
	}
	if err := write(stdout, lines); err != nil {
		return err
	}
	if o.json != "" {
		err = writeJSON(o.json, lines)
	}
	if o.profile != "" {
		err = errors.Join(err, mergeProfiles(s.dir, o.profile))
	}
	if slices.ContainsFunc(lines, func(l line) bool { return l.Verdict == verdictNothing }) {
		err = errors.Join(err, errors.New("not every row could be measured"))
	}
	return err
}

// all makes each run that the rows need, once.
func (s *stand) all(ctx context.Context, wanted []row, p pace, progress io.Writer) ([]line, error) {
	runs := map[string]measured{}
	var lines []line
	for _, r := range wanted {
		m, done := runs[r.run]
		if !done {
			fmt.Fprintln(progress, "measuring:", r.run)
			var notes []string
			var err error
			if m, notes, err = s.measure(ctx, r.run, wanted, p); err != nil {
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				notes = append(notes, err.Error())
			}
			for _, n := range notes {
				fmt.Fprintln(progress, " ", n)
			}
			runs[r.run] = m
		}
		lines = append(lines, judge(r, m))
	}
	return lines, nil
}

// findLoadgen finds the load generator's module beside this one.
func findLoadgen() (string, error) {
	shared := os.Getenv("ARATTA_SHARED")
	if shared == "" {
		dir, err := os.Getwd()
		if err != nil {
			return "", err
		}
		for !exists(filepath.Join(dir, "go.mod")) && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
		}
		shared = filepath.Join(dir, "..", "shared")
	}
	dir := filepath.Join(shared, "loadgen")
	if !exists(filepath.Join(dir, "go.mod")) {
		return "", fmt.Errorf("the load generator is not at %s; it comes beside this repository, and ARATTA_SHARED may name another place", dir)
	}
	return filepath.Abs(dir)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
