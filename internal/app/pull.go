package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func (p *program) pullCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "pull [RUNTIME:]NAME", Short: "Have Ollama fetch a model",
		Long: `Have an Ollama of the configuration, or the one that listens at its usual place, fetch
a model from its library. With several of them, RUNTIME: says which one. What was
fetched before an interruption is kept: the same command goes on from there.
With --json each step is a JSON object on a line of its own, as it comes.`,
		Example: "  aratta models pull llama3.2:3b\n  aratta models pull gpu2:qwen3:8b",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: p.completePull,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return p.pull(ctx, args[0], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, an object a line")
	return cmd
}

// pulled is one step of a pull, as Ollama tells it.
type pulled struct {
	Status    string `json:"status"`
	Digest    string `json:"digest,omitempty"`
	Total     int64  `json:"total,omitempty"`     // bytes
	Completed int64  `json:"completed,omitempty"` // bytes
	Error     string `json:"error,omitempty"`
}

// quietFor is how long a runtime may be silent while it fetches: it checks what it
// got without a word, which takes minutes for the largest models on slow disks.
const quietFor = 15 * time.Minute

func (p *program) pull(ctx context.Context, name string, asJSON bool) error {
	l, err := p.loadToAsk()
	if err != nil {
		return err
	}
	l.Server.RequestTimeout.Duration = -1 // a model takes as long as it takes
	l.Resilience.IdleTimeout.Duration = quietFor
	s, err := Build(ctx, l, BuildOptions{Version: p.version, Env: p.Env, Presume: true})
	if err != nil {
		return err
	}
	defer s.Gateway.Close()
	q, model, err := s.puller(name)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"model": model, "stream": true})
	if err != nil {
		return err
	}
	res, _, err := q.Relay(provider.WithPermit(ctx, provider.For(q.Zone(), q.Host())), &provider.Parcel{
		Method: http.MethodPost, Path: "/api/pull", Header: http.Header{"Content-Type": {"application/json"}}, Memory: body,
	})
	if err == nil {
		err = follow(res.Body, p.progress(asJSON))
		err = errors.Join(err, res.Body.Close())
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(p.Err, "stopped; the same command goes on from here")
		return errInterrupted
	case err != nil:
		return err
	}
	if !asJSON {
		fmt.Fprintf(printable(p.Out), "%s:%s is there: aratta chat -m %s:%s\n", q.Name(), model, q.Name(), model)
	}
	return nil
}

// pullers are the Ollamas of a configuration.
func (s *Snapshot) pullers() (able []*provider.Provider) {
	for _, q := range s.Providers {
		if q.Dialect() == ollama.Name && q.Kind() == provider.Local {
			able = append(able, q)
		}
	}
	return able
}

// puller finds the Ollama that shall fetch a model.
func (s *Snapshot) puller(name string) (*provider.Provider, string, error) {
	able := s.pullers()
	if head, model, ok := strings.Cut(name, ":"); ok && model != "" {
		if i := slices.IndexFunc(able, func(q *provider.Provider) bool { return q.Name() == head }); i >= 0 {
			return able[i], model, nil
		}
		for _, q := range slices.Concat(s.Providers, s.Sought) {
			if q.Name() == head {
				return nil, "", &usageError{fmt.Errorf("%s is no Ollama; %s", head, howToGet(q))}
			}
		}
	}
	switch {
	case len(able) == 0:
		return nil, "", errors.New("no Ollama is on, and only Ollama fetches models; `aratta config check` says what is")
	case len(able) > 1:
		var names []string
		for _, q := range able {
			names = append(names, q.Name()+":"+name)
		}
		return nil, "", &usageError{fmt.Errorf("there are several that could: say which one, %s", strings.Join(names, " or "))}
	default:
		return able[0], name, nil
	}
}

// howToGet says how a runtime that is no Ollama comes by its models.
func howToGet(q *provider.Provider) string {
	if pull := q.Spec().Pull; pull != "" {
		return "its models are fetched with `" + strings.ReplaceAll(pull, "{model}", "MODEL") + "`"
	}
	if start := q.Spec().Start; start != "" {
		return "it is started with its model: `" + start + "`"
	}
	return "its models are its own affair"
}

// follow shows the steps of a pull until it has succeeded.
func follow(r io.Reader, show func(*pulled)) error {
	lines := wire.NewNDJSON(r, 0)
	for {
		frame, err := lines.Next()
		switch {
		case errors.Is(err, io.EOF):
			return &scri.Error{Kind: scri.ErrTruncated, Message: "the runtime stopped before the model was there", Hint: "run the same command again: it goes on from there"}
		case err != nil:
			return err
		}
		var step pulled
		if err := json.Unmarshal(frame.Data, &step); err != nil {
			return &scri.Error{Kind: scri.ErrUnavailable, Message: "what answers there does not fetch models as Ollama does"}
		}
		switch {
		case step.Error != "":
			return refusedPull(step.Error)
		case step.Status != "":
			show(&step)
		}
		if step.Status == "success" {
			return nil
		}
	}
}

// refusedPull is the error that a runtime tells.
func refusedPull(text string) error {
	e := &scri.Error{Kind: scri.ErrUnavailable, Message: oneLine(text)}
	switch {
	case strings.Contains(text, "file does not exist"):
		e.Kind, e.Hint = scri.ErrNotFound, "https://ollama.com/library lists the models and their tags"
	case strings.Contains(text, "no space left"):
		e.Hint = "the largest models that are not needed: `ollama list`, and `ollama rm MODEL`"
	case strings.Contains(text, "no such host"), strings.Contains(text, "dial tcp"), strings.Contains(text, "i/o timeout"):
		e.Message, e.Hint = "Ollama does not reach its library: "+e.Message, "it is Ollama's machine that must reach it: a proxy is named to `ollama serve` by HTTPS_PROXY"
	case strings.Contains(text, "newer version"), strings.Contains(text, "requires"):
		e.Hint = "bring Ollama up to date: https://ollama.com/download"
	}
	return e
}

// progress shows steps: as a bar that moves at a terminal, else a line for each new
// state, or as JSON.
func (p *program) progress(asJSON bool) func(*pulled) {
	switch {
	case asJSON:
		enc := json.NewEncoder(p.Out)
		return func(step *pulled) { _ = enc.Encode(step) } // who reads no more ends it
	case terminal(p.Out):
		return (&bar{w: p.Out, width: columns(p.Out), now: time.Now}).show
	}
	last := ""
	return func(step *pulled) {
		if step.Status != last {
			last = step.Status
			text := oneLine(step.Status)
			if step.Total > 0 {
				text += ", " + bytesText(step.Total)
			}
			fmt.Fprintln(p.Out, text)
		}
	}
}

// bar is the line at a terminal that shows how far a pull is.
type bar struct {
	w     io.Writer
	width int
	now   func() time.Time

	status string
	began  time.Time
	first  int64 // bytes that were there at the beginning
}

// How wide the bar itself is, and what a screen needs for it.
const (
	barWidth  = 24
	barScreen = 70
)

func (b *bar) show(step *pulled) {
	if step.Status != b.status {
		if b.status != "" {
			fmt.Fprintln(b.w)
		}
		b.status, b.began, b.first = step.Status, b.now(), step.Completed
	}
	var line bytes.Buffer
	line.WriteString("\r\x1b[K" + oneLine(step.Status))
	if step.Total > 0 {
		part := min(float64(step.Completed)/float64(step.Total), 1)
		if b.width >= barScreen {
			full := int(part * barWidth)
			line.WriteString("  " + strings.Repeat("█", full) + strings.Repeat("░", barWidth-full))
		}
		fmt.Fprintf(&line, " %3.0f%%  %s of %s", part*100, bytesText(step.Completed), bytesText(step.Total)) //nolint:mnd // percent
		if took := b.now().Sub(b.began); took > time.Second && step.Completed > b.first && b.width >= barScreen {
			speed := float64(step.Completed-b.first) / took.Seconds()
			left := time.Duration(float64(step.Total-step.Completed) / speed * float64(time.Second)).Round(time.Second)
			fmt.Fprintf(&line, "  %s/s  %s left", bytesText(int64(speed)), left)
		}
	}
	if step.Status == "success" {
		line.WriteByte('\n')
	}
	_, _ = b.w.Write(line.Bytes())
}
