package anthropic_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/anthropic"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with the golden file beside path.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	file := strings.TrimSuffix(path, filepath.Ext(path)) + ".golden"
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// cases runs f for each input of a kind of golden cases.
func cases(t *testing.T, kind string, f func(t *testing.T, path string, in []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	streams, err := filepath.Glob(filepath.Join("testdata", kind, "*.sse"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, streams...)
	if len(files) == 0 {
		t.Fatalf("no cases of %s", kind)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), func(t *testing.T) {
			in, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f(t, path, in)
		})
	}
}

func indented(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// A request is understood, and written again as it was.
func TestDecodeRequest(t *testing.T) {
	d := anthropic.New()
	cases(t, "request", func(t *testing.T, path string, in []byte) {
		x, err := d.DecodeRequest(&dialect.Incoming{Body: in})
		if err != nil {
			golden(t, path, indented(t, err))
			return
		}
		golden(t, path, indented(t, x))
		out, warn, err := d.EncodeRequest(x, &dialect.Target{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range dialecttest.JSONDiff(in, out.Body) {
			t.Error(p)
		}
		if len(warn) > 0 {
			t.Errorf("unexpected warnings: %v", warn)
		}
	})
}

// A request of any other dialect is written, with what it lost.
func TestEncodeRequest(t *testing.T) {
	d := anthropic.New()
	cases(t, "foreign", func(t *testing.T, path string, in []byte) {
		var x scri.ChatRequest
		if err := json.Unmarshal(in, &x); err != nil {
			t.Fatal(err)
		}
		target := &dialect.Target{Model: "claude", MaxOutput: 8192}
		if strings.HasPrefix(filepath.Base(path), "effort-") {
			target.Reasoning = "effort"
		}
		out, warn, err := d.EncodeRequest(&x, target)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, path, written(t, out.Body, warn))
	})
}

// written shows what was encoded and what was lost.
func written(t *testing.T, body []byte, warn []scri.Warning) []byte {
	t.Helper()
	if err := wire.Valid(body); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	for _, w := range warn {
		b.WriteString("\n" + w.Code + " " + w.Path)
		if w.From != "" || w.To != "" {
			b.WriteString(" (" + w.From + " -> " + w.To + ")")
		}
	}
	b.WriteString("\n")
	return b.Bytes()
}

// An answer is understood, and written again as it was.
func TestDecodeResponse(t *testing.T) {
	d := anthropic.New()
	cases(t, "response", func(t *testing.T, path string, in []byte) {
		r, err := d.DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: in})
		if err != nil {
			golden(t, path, indented(t, err))
			return
		}
		golden(t, path, indented(t, r))
		out, warn := d.EncodeResponse(nil, &dialect.Incoming{}, r)
		for _, p := range dialecttest.JSONDiff(in, out) {
			t.Error(p)
		}
		if len(warn) > 0 {
			t.Errorf("unexpected warnings: %v", warn)
		}
	})
}

// An answer of any other dialect is written, whole and as a stream.
func TestEncodeResponse(t *testing.T) {
	d := anthropic.New()
	cases(t, "answer", func(t *testing.T, path string, in []byte) {
		var r scri.ChatResponse
		if err := json.Unmarshal(in, &r); err != nil {
			t.Fatal(err)
		}
		out, warn := d.EncodeResponse(nil, &dialect.Incoming{}, &r)
		got := written(t, out, warn)
		stream, _, warn := dialecttest.WriteStream(d, nil, scri.Replay(&r))
		got = append(append(append(got, "\nas a stream\n"...), stream...), written(t, []byte("0"), warn)...)
		golden(t, path, got)
	})
}

// A stream is understood, up to what ends it.
func TestDecodeStream(t *testing.T) {
	d := anthropic.New()
	cases(t, "stream", func(t *testing.T, path string, in []byte) {
		r, err := dialecttest.ReadStream(d, http.Header{}, in)
		got := indented(t, r)
		if err != nil {
			got = append(got, scri.AsError(err).Error()+"\n"...)
		}
		golden(t, path, got)
	})
}
