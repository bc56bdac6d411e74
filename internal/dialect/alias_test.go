package dialect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
)

// pieces is a source that gives one frame a read, and after each one something
// without a meaning that overwrites it where it lay.
type pieces struct {
	rest  []byte
	lines bool // a frame is a line
	dirt  []byte
	into  [][]byte
}

func (p *pieces) Read(b []byte) (n int, err error) {
	defer func() { p.into = append(p.into, b[:n]) }()
	if len(p.dirt) > 0 {
		n = copy(b, p.dirt)
		p.dirt = p.dirt[n:]
		return n, nil
	}
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	end, whole := len(p.rest), false
	for _, sep := range []string{"\n\n", "\r\n\r\n", "\n"} {
		if sep == "\n" && !p.lines {
			continue
		}
		if i := bytes.Index(p.rest, []byte(sep)); i >= 0 && i+len(sep) <= end {
			end, whole = i+len(sep), true
		}
	}
	n = copy(b, p.rest[:end])
	p.rest = p.rest[n:]
	switch {
	case !whole || n < end || len(p.rest) == 0:
	case p.lines:
		p.dirt = append(bytes.Repeat([]byte(" "), 2*n), '\n')
	default:
		p.dirt = []byte(":" + strings.Repeat("X", 2*n) + "\n\n")
	}
	return n, nil
}

// giveBack lets somebody else have the memory that was read into.
func (p *pieces) giveBack() {
	for _, b := range p.into {
		copy(b, bytes.Repeat([]byte("#"), len(b)))
	}
}

// told is what a stream gives, each event as JSON, without the signs of life.
// With late it is written down only when all is over, and late was called.
func told(t *testing.T, s scri.Stream, late func()) []string {
	t.Helper()
	var kept []*scri.StreamEvent
	var out []string
	write := func(e *scri.StreamEvent) {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	for e, err := range scri.All(s) {
		switch {
		case err != nil:
			kept = append(kept, &scri.StreamEvent{Kind: scri.EventError, Err: scri.AsError(err)})
		case e.Kind != scri.EventPing:
			kept = append(kept, e.Clone())
		}
		if n := len(kept); late == nil && n > len(out) {
			write(kept[n-1])
		}
	}
	if late != nil {
		late()
	}
	for _, e := range kept[len(out):] {
		write(e)
	}
	return out
}

// outlive checks that the strings of events, and all of their clones, outlive the
// memory in which the stream's frames lay.
func outlive(t *testing.T, name string, a dialect.Answer, stream []byte) {
	t.Helper()
	d := all.Get(name)
	if d == nil {
		t.Fatalf("no dialect %q", name)
	}
	one, two := a, a
	p := &pieces{rest: stream, lines: name == "ollama"}
	one.Stream, two.Stream = bytes.NewReader(stream), p
	want, got := told(t, d.DecodeStream(&one), nil), told(t, d.DecodeStream(&two), p.giveBack)
	if len(want) != len(got) {
		t.Fatalf("%d events, %d when they come one by one", len(want), len(got))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("event %d was\n%s\nand became\n%s", i, want[i], got[i])
		}
	}
}

func TestEventsOutliveTheirFrames(t *testing.T) {
	n := 0
	for _, pattern := range []string{"sse", "txt", "ndjson"} {
		files, err := filepath.Glob("*/testdata/stream/*." + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			n++
			t.Run(f, func(t *testing.T) {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				name, _, _ := strings.Cut(f, string(filepath.Separator))
				outlive(t, name, dialect.Answer{Status: 200}, b)
			})
		}
	}
	if n == 0 {
		t.Fatal("no examples")
	}
}

func TestRecordedEventsOutliveTheirFrames(t *testing.T) {
	for _, x := range dialecttest.Corpus(t) {
		if x.Dialect != "" && len(x.Stream) > 0 {
			t.Run(x.ID, func(t *testing.T) {
				outlive(t, x.Dialect, dialect.Answer{Status: x.Status, Header: x.RespHeader}, x.Stream)
			})
		}
	}
}

// An error ends a stream, and with it the time of its frames: it is told when their
// memory is somebody else's.
func TestErrorsOutliveTheirFrames(t *testing.T) {
	failed := &scri.Error{Kind: scri.ErrRateLimited, Code: "slow_down", Message: "slow down, please", RequestID: "request-1", Path: "/messages/0"}
	for _, d := range all.Table() {
		for _, begun := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/begun=%v", d.Name(), begun), func(t *testing.T) {
				enc := d.EncodeStream(&dialect.Incoming{Req: &scri.ChatRequest{Model: "m", Stream: true}})
				var b []byte
				if begun {
					b = enc.Event(b, &scri.StreamEvent{Kind: scri.EventStart, Head: &scri.ChatResponse{ID: "answer-1", Model: "m"}})
					b = enc.Event(b, &scri.StreamEvent{Kind: scri.EventPart, Whole: &scri.Part{Kind: scri.PartText}})
					b = enc.Event(b, &scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.NewText("Once")})
				}
				outlive(t, d.Name(), dialect.Answer{Status: 200}, enc.End(b, failed))
			})
		}
	}
}
