package ollama_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden calls f with each example of a kind, and compares what it returns with
// the file beside the example.
func golden(t *testing.T, kind string, f func(t *testing.T, name string, data []byte) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no examples of ", kind, err)
	}
	for _, file := range files {
		if filepath.Ext(file) == ".golden" {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := f(t, name, data)
			goldenFile := filepath.Join("testdata", kind, name+".scri.golden")
			if *update {
				if err := os.WriteFile(goldenFile, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(goldenFile)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-want +got):\n%s", goldenFile, d)
			}
		})
	}
}

func pretty(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func told(warn []scri.Warning) string {
	var b strings.Builder
	for _, w := range warn {
		fmt.Fprintf(&b, "%s %s", w.Code, w.Path)
		if w.From != "" || w.To != "" {
			fmt.Fprintf(&b, " (%s -> %s)", w.From, w.To)
		}
		if w.Detail != "" {
			fmt.Fprintf(&b, ": %s", w.Detail)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// path tells at which route an example is asked.
func path(name string) string {
	if strings.HasPrefix(name, "generate") {
		return "/api/generate"
	}
	return "/api/chat"
}

func incoming(name string, body []byte) *dialect.Incoming {
	return dialecttest.Incoming(ollama.New(), path(name), http.Header{}, body)
}

// TestRequests shows what requests are understood as, and that they are written
// again as they were.
func TestRequests(t *testing.T) {
	d := ollama.New()
	golden(t, "request", func(t *testing.T, name string, data []byte) string {
		for _, p := range dialecttest.Law1Request(d, path(name), http.Header{}, data) {
			t.Error("law 1:", p)
		}
		req, err := d.DecodeRequest(incoming(name, data))
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := d.EncodeRequest(req, &dialect.Target{Model: req.Model})
		if err != nil {
			t.Fatal(err)
		}
		if out.Path != path(name) {
			t.Errorf("sent to %s", out.Path)
		}
		return pretty(t, req)
	})
}

// TestResponses does so for whole answers.
func TestResponses(t *testing.T) {
	d := ollama.New()
	golden(t, "response", func(t *testing.T, name string, data []byte) string {
		r, err := d.DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: data})
		if err != nil {
			t.Fatal(err)
		}
		b, warn := d.EncodeResponse([]byte("before"), incoming(name, nil), r)
		b, ok := bytes.CutPrefix(b, []byte("before"))
		if !ok || !wire.Equal(b, data) {
			t.Errorf("law 1:\n%s\nbecame\n%s", data, b)
		}
		if len(warn) > 0 {
			t.Error("false alarm:", told(warn))
		}
		return pretty(t, r)
	})
}

// TestStreams shows the events of streams, and how they end.
func TestStreams(t *testing.T) {
	d := ollama.New()
	golden(t, "stream", func(t *testing.T, _ string, data []byte) string {
		for _, p := range dialecttest.Law3(d, nil, data, nil) {
			t.Error("law 3:", p)
		}
		for _, p := range dialecttest.Law5(d, nil, data) {
			t.Error("law 5:", p)
		}
		if _, err := dialecttest.ReadStream(d, nil, data); err == nil {
			for _, p := range dialecttest.Law1Stream(d, nil, nil, data) {
				t.Error("law 1:", p)
			}
		}
		var b strings.Builder
		s := d.DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: bytes.NewReader(data)})
		for {
			e, err := s.Next()
			if err == io.EOF { //nolint:errorlint // an error that wraps it is no clean end
				b.WriteString("end\n")
				return b.String()
			}
			if err != nil {
				fmt.Fprintf(&b, "error: %v\n", err)
				return b.String()
			}
			var line bytes.Buffer
			enc := json.NewEncoder(&line)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(e); err != nil {
				t.Fatal(err)
			}
			b.Write(line.Bytes())
		}
	})
}

// TestForeignRequests shows what becomes of requests from elsewhere, and what
// is said about it.
func TestForeignRequests(t *testing.T) {
	d := ollama.New()
	golden(t, "encode", func(t *testing.T, name string, data []byte) string {
		req := new(scri.ChatRequest)
		if err := json.Unmarshal(data, req); err != nil {
			t.Fatal(err)
		}
		for _, p := range dialecttest.Law4Request(d, req) {
			t.Error("law 4:", p)
		}
		target := &dialect.Target{Model: "local:7b"}
		if strings.HasPrefix(name, "target") {
			target.NumCtx, target.KeepAlive, target.LogProbs = 32768, "30m", true
		}
		switch {
		case strings.HasPrefix(name, "unable"):
			target.Thinking = dialect.ThinkingNone
		case strings.HasPrefix(name, "simple"):
			target.Thinking = dialect.ThinkingSwitch
		case strings.HasPrefix(name, "uncut"):
			target.Uncut = true
		}
		out, warn, err := d.EncodeRequest(req, target)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s %s\n%s\n%s", out.Method, out.Path, dialecttest.Pretty(out.Body), told(warn))
	})
}

// TestForeignAnswers does so for answers, whole and as streams, at both routes.
func TestForeignAnswers(t *testing.T) {
	d := ollama.New()
	golden(t, "answer", func(t *testing.T, _ string, data []byte) string {
		r := new(scri.ChatResponse)
		if err := json.Unmarshal(data, r); err != nil {
			t.Fatal(err)
		}
		for _, p := range append(dialecttest.Law4Response(d, nil, r), dialecttest.Law4Replay(d, nil, r)...) {
			t.Error("law 4:", p)
		}
		var b strings.Builder
		for _, route := range []string{"chat", "generate"} {
			in := incoming(route, nil)
			body, warn := d.EncodeResponse(nil, in, r)
			fmt.Fprintf(&b, "# %s, whole\n%s\n%s", route, body, told(warn))
			enc := d.EncodeStream(in)
			body = body[:0]
			for e, err := range scri.All(scri.Replay(r)) {
				if err != nil {
					t.Fatal(err)
				}
				body = enc.Event(body, e)
			}
			body = enc.End(body, nil)
			fmt.Fprintf(&b, "# %s, streamed\n%s%s", route, body, told(enc.Warnings()))
		}
		return b.String()
	})
}
