// Package steward starts local runtimes and sees to them: it waits until one
// answers, starts it again when it dies, and stops it with all that it has started.
// A runtime that somebody else started is left alone.
package steward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// Options say what is started.
type Options struct {
	Name    string   // for the log
	Command []string // the program, and what it is told
	Env     []string // all of its environment
	Probe   string   // address that answers when it is ready
	Log     *slog.Logger
	After   <-chan struct{} // what must be over before; nil = nothing
}

// timing are the waits of a Steward.
type timing struct {
	poll     time.Duration // between two looks whether it answers
	patience time.Duration // until somebody is told that it does not
	grace    time.Duration // from the wish to end until it is killed
	pause    time.Duration // before it is started again, twice as long each time
	steady   time.Duration // after which it counts as having run well
}

func usual() timing {
	return timing{poll: 200 * time.Millisecond, patience: time.Minute, grace: 10 * time.Second, pause: time.Second, steady: time.Minute}
}

// mostStarts is how often a runtime is started that does not run well.
const mostStarts = 6

// Steward sees to one runtime, from Keep until Stop or until there is nothing to do:
// it runs already, it is not installed, or it dies again and again.
type Steward struct {
	o      Options
	t      timing
	client *http.Client
	cancel context.CancelFunc

	settle  sync.Once
	ready   chan struct{}
	stopped chan struct{}
	done    chan struct{}
}

// Keep begins to see to a runtime. The Steward must be stopped.
func Keep(o Options) *Steward { return keep(o, usual()) }

func keep(o Options, t timing) *Steward {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Steward{
		o: o, t: t, cancel: cancel, ready: make(chan struct{}), stopped: make(chan struct{}), done: make(chan struct{}),
		client: &http.Client{Timeout: probeTime, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	go func() {
		defer close(s.done)
		s.run(ctx)
		s.settled()
		close(s.stopped)
		if o.After != nil {
			<-o.After
		}
	}()
	return s
}

// Ready is closed when the runtime answers for the first time, or when it is known
// that it will not.
func (s *Steward) Ready() <-chan struct{} { return s.ready }

// Done is closed when the runtime is stopped, or was never ours, and what must be over
// before it is, too: who comes after this one comes after that.
func (s *Steward) Done() <-chan struct{} { return s.done }

// Stop ends the runtime, if it was started here, and waits for its end.
func (s *Steward) Stop() {
	s.cancel()
	<-s.stopped
}

func (s *Steward) settled() { s.settle.Do(func() { close(s.ready) }) }

func (s *Steward) run(ctx context.Context) {
	if s.o.After != nil {
		select {
		case <-s.o.After:
		case <-ctx.Done():
			return
		}
	}
	for starts := 1; ; starts++ {
		if s.answers(ctx) {
			s.o.Log.InfoContext(ctx, "runtime: runs already, and is left alone", "name", s.o.Name)
			return
		}
		began := time.Now()
		err := s.once(ctx)
		if ctx.Err() != nil {
			s.o.Log.InfoContext(ctx, "runtime: stopped", "name", s.o.Name)
			return
		}
		if _, ok := errors.AsType[*exec.Error](err); ok { // it was not even begun
			s.o.Log.ErrorContext(ctx, "runtime: is not installed, or cannot be run", "name", s.o.Name, "error", err.Error(), "hint", "install it, or name its file in local."+s.o.Name+".command")
			return
		}
		if time.Since(began) >= s.t.steady {
			starts = 1
		}
		if starts >= mostStarts {
			s.o.Log.ErrorContext(ctx, "runtime: ended again and again, and is not started any more", "name", s.o.Name, "error", text(err), "starts", starts,
				"hint", "run it by hand to see why; then load the configuration anew")
			return
		}
		pause := s.t.pause << (starts - 1)
		s.o.Log.WarnContext(ctx, "runtime: ended by itself; it is started again", "name", s.o.Name, "error", text(err), "pause_ms", pause.Milliseconds())
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// outputTime is how long the output of a runtime that ended is waited for: what it
// has started may hold it open.
const outputTime = time.Second

// once starts the runtime and returns why it ended.
func (s *Steward) once(ctx context.Context) error {
	path, err := exec.LookPath(s.o.Command[0])
	if err != nil {
		return err
	}
	// Where a runtime is told of its parent's death, that is the death of the thread
	// that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out := &output{log: s.o.Log, name: s.o.Name}
	c := exec.Command(path, s.o.Command[1:]...) //nolint:noctx // it is asked to end before it is killed
	c.Env, c.Stdout, c.Stderr, c.SysProcAttr, c.WaitDelay = s.o.Env, out, out, apart(), outputTime
	if err := c.Start(); err != nil {
		return err
	}
	s.o.Log.InfoContext(ctx, "runtime: started", "name", s.o.Name, "command", path, "pid", c.Process.Pid)
	ended := make(chan ending, 1)
	go func() { ended <- ending{c.Wait()} }()
	began, late := time.Now(), false
	look := time.NewTicker(s.t.poll)
	defer look.Stop()
	for {
		select {
		case e := <-ended:
			kill(c) // what it had started
			return out.why(e.why)
		case <-ctx.Done():
			s.end(ctx, c, ended)
			return nil
		case <-look.C:
		}
		switch {
		case s.answers(ctx):
			out.hush()
			look.Stop()
			s.o.Log.InfoContext(ctx, "runtime: answers", "name", s.o.Name, "took_ms", time.Since(began).Milliseconds())
			s.settled()
		case !late && time.Since(began) > s.t.patience:
			late = true
			s.o.Log.WarnContext(ctx, "runtime: does not answer yet", "name", s.o.Name, "probe", s.o.Probe)
			s.settled()
		}
	}
}

// ending is that a runtime ended.
type ending struct{ why error }

// end asks the runtime to end, and kills it where it does not.
func (s *Steward) end(ctx context.Context, c *exec.Cmd, ended <-chan ending) {
	ask(c)
	select {
	case <-ended:
	case <-time.After(s.t.grace):
		s.o.Log.WarnContext(ctx, "runtime: did not end when asked to, and is killed", "name", s.o.Name)
		kill(c)
		<-ended
	}
	kill(c) // what it had started
}

// probeTime is how long an answer may take.
const probeTime = 2 * time.Second

// answers reports whether somebody is there, and is ready: while they load a model
// runtimes answer with a failure.
func (s *Steward) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.o.Probe, http.NoBody)
	if err != nil {
		return false
	}
	res, err := s.client.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode < http.StatusInternalServerError
}

func text(err error) string {
	if err == nil {
		return "it ended without a failure"
	}
	return fmt.Sprint(err)
}
