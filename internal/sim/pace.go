package sim

import (
	"context"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// paced gives the deltas of s word by word, each after a pause.
func paced(ctx context.Context, s scri.Stream, pace time.Duration) scri.Stream {
	return &pacer{ctx: ctx, s: s, pace: pace}
}

type pacer struct {
	ctx  context.Context // it lives as long as one answer
	s    scri.Stream
	pace time.Duration
	e    scri.StreamEvent
	rest string
}

func (p *pacer) Next() (*scri.StreamEvent, error) {
	if p.rest == "" {
		e, err := p.s.Next()
		if err != nil {
			return nil, err
		}
		if e.Kind != scri.EventDelta || e.Delta.IsZero() {
			return e, nil
		}
		p.e, p.rest = *e, e.Delta.String()
	} else {
		p.e.LogProbs = nil
	}
	if err := wait(p.ctx, jitter(p.pace)); err != nil {
		return nil, err
	}
	var word string
	word, p.rest = cutWord(p.rest)
	p.e.Delta = scri.NewText(word)
	return &p.e, nil
}

func (p *pacer) Close() error { return p.s.Close() }

// cutWord cuts the first word with the space in front of it.
func cutWord(s string) (word, rest string) {
	i := strings.IndexByte(s[1:], ' ')
	if i < 0 {
		return s, ""
	}
	return s[:i+1], s[i+1:]
}
