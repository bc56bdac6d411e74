package overlay

import (
	"errors"
	"io"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// Framing is how the events of a stream are cut.
type Framing string

// The framings that overlays can look into.
const (
	SSE   Framing = "sse"
	Lines Framing = "lines" // newline-delimited JSON
)

// Stream returns a stream as the overlays leave it. It reads no further ahead
// than src has events at hand, and what Read returns is whole events. The error
// that an overlay makes of an event is a *scri.Error.
func (r *Run) Stream(src io.Reader, framing Framing, maxFrame int) io.Reader {
	if !r.plan.stream {
		return src
	}
	s := &stream{r: r}
	if framing == Lines {
		r.lines = true
		s.frames = wire.NewNDJSON(src, maxFrame)
	} else {
		s.frames = wire.NewSSE(src, maxFrame)
	}
	s.t = new(tree)
	return s
}

// WantsStream reports whether something of the stream may be edited or kept.
func (r *Run) WantsStream() bool { return r.plan.stream }

// stream is the reader of an edited stream.
type stream struct {
	r      *Run
	t      *tree
	frames wire.FrameReader
	out    []byte
	at     int
	err    error
}

// Read returns events that are at hand, or waits for one.
func (s *stream) Read(p []byte) (int, error) {
	for s.at == len(s.out) {
		if s.err != nil {
			return 0, s.err
		}
		s.out, s.at = s.out[:0], 0
		for {
			s.next()
			if s.err != nil || len(s.out) >= len(p) || !s.frames.Pending() {
				break
			}
		}
	}
	n := copy(p, s.out[s.at:])
	s.at += n
	return n, nil
}

// next takes one event through the overlays.
func (s *stream) next() {
	in, err := s.frames.Next()
	if err != nil {
		s.finish(err)
		return
	}
	switch {
	case in.Comment:
		s.out = append(append(append(s.out, ": "...), in.Data...), "\n\n"...)
		return
	case kindOf(in.Data) != wire.Object:
		s.out = s.encode(string(in.Event), in.Data)
		return
	}
	f := &frame{event: string(in.Event)}
	s.r.t = s.t
	s.t.load(in.Data)
	s.r.event(s.t, f)
	for _, b := range f.before {
		s.out = append(s.out, b...)
	}
	if f.err != nil {
		s.finish(f.err)
		return
	}
	if !f.drop {
		s.out = s.encode(f.event, s.t.bytes())
	}
	for _, b := range f.after {
		s.out = append(s.out, b...)
	}
	if f.end {
		s.finish(io.EOF)
	}
}

func (s *stream) encode(event string, data []byte) []byte {
	return encodeFrame(s.out, event, data, s.r.lines)
}

func encodeFrame(b []byte, event string, data []byte, lines bool) []byte {
	if lines {
		return append(append(b, wire.Compact(data)...), '\n')
	}
	return wire.AppendSSE(b, event, data)
}

// finish ends the stream, and keeps what it told if it came to its end.
func (s *stream) finish(err error) {
	s.err = err
	s.t.release()
	if !errors.Is(err, io.EOF) {
		return
	}
	s.r.Settle()
}

// Settle keeps for later requests what the answer told. A stream does so at its
// end; whoever stops reading one that is complete calls it.
func (r *Run) Settle() {
	for i := range r.plan.list {
		pl := &r.plan.list[i]
		for _, st := range pl.echoes {
			st.echo.settle(r, pl.o.ID, st)
		}
	}
}

// event takes one event through all overlays.
func (r *Run) event(t *tree, f *frame) {
	for i := range r.plan.list {
		pl := &r.plan.list[i]
		j := r.job(pl)
		for _, st := range pl.stream {
			if st.recall != nil {
				j.step, j.frame = st, f
				st.recall.note(&j)
			}
			r.act(&j, st, nil, f)
			if f.drop || f.final || f.err != nil {
				break
			}
		}
		for _, st := range pl.undo {
			st.remedy.undo(&j, true)
		}
		for _, st := range pl.echoes {
			j.step = st
			st.echo.gather(&j)
		}
		if f.drop && !f.end || f.final || f.err != nil || t.err != nil {
			return
		}
	}
}
