package dialect_test

import (
	"bytes"
	"encoding/json"
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
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.dirt) > 0 {
		n := copy(b, p.dirt)
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
	n := copy(b, p.rest[:end])
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

// told is what a stream gives, each event as JSON, without the signs of life.
// With late it is written down only when all is over.
func told(t *testing.T, s scri.Stream, late bool) []string {
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
		if n := len(kept); !late && n > len(out) {
			write(kept[n-1])
		}
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
	one.Stream, two.Stream = bytes.NewReader(stream), &pieces{rest: stream, lines: name == "ollama"}
	want, got := told(t, d.DecodeStream(&one), false), told(t, d.DecodeStream(&two), true)
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
