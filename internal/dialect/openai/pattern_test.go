package openai_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
	"github.com/aratta-gateway/aratta/scri"
)

// TestPattern: chunks that are read by the pattern of the one before give the
// same events as chunks of which no two begin alike.
func TestPattern(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "stream", "*.sse"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		samePaced(t, file, b)
	}
	samePaced(t, "burst", burst(20))
	for name, c := range map[string]string{
		"escapes":        `"a\n"|"\u00e9"|"\ud83d\ude00"|""|"x"`,
		"what is broken": `"a"|"\x"`,
		"other kinds":    `"a"|null|7|"b"`,
	} {
		var b bytes.Buffer
		b.WriteString(`data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"one"}}]}` + "\n\n")
		for v := range bytes.SplitSeq([]byte(c), []byte("|")) {
			b.WriteString(`data: {"id":"c","choices":[{"index":0,"delta":{"content":`)
			b.Write(v)
			b.WriteString("},\"x\":\"y\"}]}\n\n")
		}
		b.WriteString(`data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n")
		samePaced(t, name, b.Bytes())
	}
	for _, x := range dialecttest.Corpus(t) {
		if x.Dialect == "openai" && x.Stream != nil {
			samePaced(t, x.ID, x.Stream)
		}
	}
}

func samePaced(t *testing.T, name string, stream []byte) {
	t.Helper()
	var spaced []byte
	n := 0
	for line := range bytes.Lines(stream) {
		if rest, ok := bytes.CutPrefix(line, []byte("data: {")); ok {
			n++
			spaced = append(spaced, "data: {"...)
			spaced = append(spaced, bytes.Repeat([]byte(" "), n%2)...)
			line = rest
		}
		spaced = append(spaced, line...)
	}
	if d := cmp.Diff(told(spaced), told(stream)); d != "" {
		t.Errorf("%s: -walked +by pattern:\n%s", name, d)
	}
}

func told(in []byte) (list []string) {
	s := openai.New().DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: bytes.NewReader(in)})
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return append(list, "end")
		}
		if err != nil {
			return append(list, string(scri.AsError(err).Kind))
		}
		b, err := json.Marshal(e)
		if err != nil {
			return append(list, err.Error())
		}
		list = append(list, string(b))
	}
}

// TestClonesLast: a copy of an event stays what it was while the stream goes on
// and its buffer is used again.
func TestClonesLast(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "stream", "*.sse"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := openai.New().DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: iotest.OneByteReader(bytes.NewReader(b))})
		var copies []*scri.StreamEvent
		var then, now []string
		for {
			e, err := s.Next()
			if err != nil {
				break
			}
			copies = append(copies, e.Clone())
			then = append(then, shown(t, e))
		}
		for _, e := range copies {
			now = append(now, shown(t, e))
		}
		if d := cmp.Diff(then, now); d != "" {
			t.Errorf("%s: -then +now:\n%s", file, d)
		}
	}
}

func shown(t *testing.T, e *scri.StreamEvent) string {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
