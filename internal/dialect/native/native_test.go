package native_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/native"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var d = native.New()

// route returns the dialect's route for a path.
func route(t testing.TB, path string) dialect.Route {
	t.Helper()
	for _, r := range d.Routes() {
		if r.Pattern == path {
			return r
		}
	}
	t.Fatalf("no route %s", path)
	return dialect.Route{}
}

func decodeRequest(t testing.TB, path string, body []byte) (*scri.ChatRequest, error) {
	t.Helper()
	return d.DecodeRequest(&dialect.Incoming{Route: route(t, path), Body: body})
}

func encodeRequest(t testing.TB, req *scri.ChatRequest) *dialect.Outgoing {
	t.Helper()
	out, warn, err := d.EncodeRequest(req, &dialect.Target{Model: req.Model})
	if err != nil || len(warn) > 0 {
		t.Fatalf("EncodeRequest: %v, warnings %v", err, warn)
	}
	return out
}

func encodeResponse(t testing.TB, r *scri.ChatResponse) []byte {
	t.Helper()
	b, warn := d.EncodeResponse(nil, &dialect.Incoming{}, r)
	if len(warn) > 0 {
		t.Fatalf("warnings %v", warn)
	}
	if err := wire.Valid(b); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return b
}

// encodeStream writes the events of s and the error that ends them.
func encodeStream(s scri.Stream) []byte {
	enc := d.EncodeStream(&dialect.Incoming{})
	var b []byte
	for {
		e, err := s.Next()
		switch {
		case err == nil:
			b = enc.Event(b, e)
		case errors.Is(err, io.EOF):
			return enc.End(b, nil)
		default:
			return enc.End(b, scri.AsError(err))
		}
	}
}

func decodeStream(b []byte) scri.Stream {
	return d.DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: bytes.NewReader(b)})
}

// same compares trees: texts however they are held, raw values as JSON, nothing
// and empty alike.
var same = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterValues(func(a, b scri.RawJSON) bool { return len(a) > 0 || len(b) > 0 },
		cmp.Comparer(func(a, b scri.RawJSON) bool { return bytes.Equal(a, b) || wire.Equal(a, b) })),
	cmpopts.IgnoreFields(scri.Error{}, "Raw", "Dialect", "Err"),
}

// golden compares got with a file, or writes it.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// pretty shows a value of the language as indented JSON.
func pretty(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// each runs f for each file of a folder of testdata.
func each(t *testing.T, dir string, f func(t *testing.T, file string, body []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s (%v)", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f(t, strings.TrimSuffix(file, ".json")+".scri.golden", body)
		})
	}
}

// TestRequests shows what requests mean, and that they are written as they came.
func TestRequests(t *testing.T) {
	each(t, "request", func(t *testing.T, file string, body []byte) {
		req, err := decodeRequest(t, "/api/v1/chat", body)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file, pretty(t, req))
		if out := encodeRequest(t, req); !wire.Equal(out.Body, body) {
			t.Errorf("written again as %s", out.Body)
		}
	})
}

// TestResponses shows what answers mean, and that they are written as they came.
func TestResponses(t *testing.T) {
	each(t, "response", func(t *testing.T, file string, body []byte) {
		r, err := d.DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file, pretty(t, r))
		if out := encodeResponse(t, r); !wire.Equal(out, body) {
			t.Errorf("written again as %s", out)
		}
	})
}

// TestViews shows what answers mean that have but the convenient members.
func TestViews(t *testing.T) {
	each(t, "view", func(t *testing.T, file string, body []byte) {
		r, err := d.DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file, pretty(t, r))
		again, err := d.DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: encodeResponse(t, r)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again, same); diff != "" {
			t.Errorf("read again (-first +again):\n%s", diff)
		}
	})
}

// TestStreams shows what streams add up to, and that they are written as they
// came.
func TestStreams(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "stream", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := scri.Collect(decodeStream(body))
			out := pretty(t, r)
			if err != nil {
				out = append(out, "error: "+err.Error()+"\n"...)
			}
			golden(t, strings.TrimSuffix(file, ".txt")+".scri.golden", out)
			if strings.HasPrefix(filepath.Base(file), "bad_") {
				return
			}
			if diff := cmp.Diff(string(body), string(encodeStream(decodeStream(body)))); diff != "" {
				t.Errorf("written again (-as it came +again):\n%s", diff)
			}
		})
	}
}
