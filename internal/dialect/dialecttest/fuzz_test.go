package dialecttest_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
)

// seeds names the dialect of each example, so that a file of the corpus means the
// same however many dialects there are.
func seeds(f *testing.F, kind string) {
	f.Helper()
	for _, c := range dialecttest.Cases(f) {
		for _, d := range all.Table() {
			if c.Kind != kind || c.Dialect != d.Name() {
				continue
			}
			if x, err := c.Exchange(); err == nil && x.Stream != nil {
				f.Add(d.Name(), x.Stream)
			} else {
				f.Add(d.Name(), c.Data)
			}
		}
	}
}

// ask runs all laws over what a fuzzer made up. That a zero was said, which a
// decoder may take for nothing said, is no matter here.
func ask(t *testing.T, x *dialecttest.Exchange) {
	t.Helper()
	for _, r := range dialecttest.RunOne(all.Table(), x) {
		if r.Check == dialecttest.CheckLaw4Stream && x.Body != nil {
			continue // half an answer is no stream
		}
		r.Problems = slices.DeleteFunc(r.Problems, func(p string) bool {
			return slices.ContainsFunc([]string{`lost ""`, "lost 0", "lost false", "lost []", "lost {}", "lost <nil>"}, func(zero string) bool { return strings.HasSuffix(p, zero) })
		})
		if len(r.Problems) > 0 {
			t.Errorf("law %s %s: %q", r.Check, r.Target, r.Problems)
		}
	}
}

// FuzzRequest asks the laws of any request that a dialect accepts; another must
// be refused with the reason.
func FuzzRequest(f *testing.F) {
	seeds(f, "request")
	f.Fuzz(func(t *testing.T, dialect string, body []byte) {
		d := all.Get(dialect)
		if d == nil {
			return
		}
		req, err := d.DecodeRequest(dialecttest.Incoming(d, "", http.Header{}, body))
		if err != nil {
			var e *scri.Error
			if !errors.As(err, &e) || e.Kind != scri.ErrInvalid && e.Kind != scri.ErrUnsupported || e.Message == "" {
				t.Fatalf("refused with %#v", err)
			}
			return
		}
		if req.Validate() != nil || !jsontext.Value(body).IsValid() { // names repeated in what is kept raw
			return
		}
		ask(t, &dialecttest.Exchange{ID: "fuzzed", Dialect: d.Name(), Status: http.StatusOK, Header: http.Header{}, Request: body})
	})
}

// FuzzResponse asks the laws of any answer that a dialect can read.
func FuzzResponse(f *testing.F) {
	seeds(f, "response")
	f.Fuzz(func(t *testing.T, dialect string, body []byte) {
		d := all.Get(dialect)
		if d == nil || dialect == "native" {
			return // native says things twice, and what contradicts itself is for its own fuzzers
		}
		x := &dialecttest.Exchange{ID: "fuzzed", Dialect: dialect, Status: http.StatusOK, Body: body, RespHeader: http.Header{}}
		if jsontext.Value(body).IsValid() && dialecttest.Readable(d, x) {
			ask(t, x)
		}
	})
}

// FuzzStream asks the laws of any stream that a dialect can read to its end, and
// of others that they break in the same way however they are cut.
func FuzzStream(f *testing.F) {
	seeds(f, "stream")
	f.Fuzz(func(t *testing.T, dialect string, stream []byte) {
		d := all.Get(dialect)
		if d == nil || len(stream) == 0 || len(stream) > 64<<10 {
			return
		}
		x := &dialecttest.Exchange{ID: "fuzzed", Dialect: d.Name(), Status: http.StatusOK, Stream: stream, RespHeader: http.Header{}}
		if dialecttest.Readable(d, x) {
			ask(t, x)
			return
		}
		for _, p := range dialecttest.Law3(d, x.RespHeader, stream, nil) {
			t.Error(p)
		}
	})
}

// A stream that begins with an event of no dialect, and is cut before its first true
// one, may be told to be none: nobody knows what it was to become.
func TestCutBehindOtherText(t *testing.T) {
	const stream = "data: hello\n\n" + `data: {"type":"response.created","response":{"id":"r","status":"in_progress","model":"m","output":[]}}` + "\n\n"
	for _, p := range dialecttest.Law5(all.Get("responses"), http.Header{}, []byte(stream)) {
		t.Error(p)
	}
}
