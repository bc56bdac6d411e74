package gemini_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/gemini"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// seeds adds the hand-written examples of a kind.
func seeds(f *testing.F, kind string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("..", "dialecttest", "testdata", kind, "gemini", "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		if filepath.Ext(name) == ".golden" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// Whatever is understood is written as sound JSON that is understood again.
func FuzzDecodeRequest(f *testing.F) {
	seeds(f, "request")
	d := gemini.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		x, err := d.DecodeRequest(dialecttest.Incoming(d, "", http.Header{}, body))
		if err != nil {
			if e := scri.AsError(err); e.Kind != scri.ErrInvalid || e.Status != http.StatusBadRequest {
				t.Fatalf("not refused as invalid: %v", err)
			}
			return
		}
		out, _, err := d.EncodeRequest(x, &dialect.Target{Model: x.Model})
		if err != nil {
			t.Fatal(err)
		}
		if wire.Valid(body) != nil {
			return // a repeated name inside what nobody looked into
		}
		if err := wire.Valid(out.Body); err != nil {
			t.Fatalf("%v in %s", err, out.Body)
		}
		if _, err := d.DecodeRequest(dialecttest.Incoming(d, out.Path, http.Header{}, out.Body)); err != nil {
			t.Fatalf("not understood again: %v in %s", err, out.Body)
		}
	})
}

// A stream means the same however its bytes are cut.
func FuzzDecodeStream(f *testing.F) {
	seeds(f, "stream")
	d := gemini.New()
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, p := range dialecttest.Law3(d, nil, stream, nil) {
			t.Error(p)
		}
	})
}

// A client that does not ask for events gets one list, which says the same.
func TestListsSayWhatEventsSay(t *testing.T) {
	d := gemini.New()
	files, err := filepath.Glob(filepath.Join("..", "dialecttest", "testdata", "stream", "gemini", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	for _, name := range files {
		in, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, failed := dialecttest.ReadStream(d, nil, in)
		if failed != nil {
			continue
		}
		enc := d.EncodeStream(&dialect.Incoming{})
		var out []byte
		for e, err := range scri.All(scri.Replay(want)) {
			if err != nil {
				t.Fatal(err)
			}
			out = enc.Event(out, e)
		}
		out = enc.End(out, nil)
		if err := wire.Valid(out); err != nil || enc.ContentType() != "application/json" || out[0] != '[' {
			t.Fatalf("%s: %v in %s", name, err, out)
		}
		got, err := dialecttest.ReadStream(d, http.Header{"Content-Type": {enc.ContentType()}}, out)
		if err != nil {
			t.Fatalf("%s: %v in %s", name, err, out)
		}
		for _, x := range dialecttest.DiffResponsesStrict(want, got) {
			t.Errorf("%s: %s", name, x.String())
		}
	}
}

// An answer that says nothing at all is none: another provider may be asked.
func TestNoCandidates(t *testing.T) {
	for _, body := range []string{`{}`, `{"candidates":[],"usageMetadata":{"promptTokenCount":3},"modelVersion":"gemini-2.5-flash"}`, `{"promptFeedback":{"safetyRatings":[]}}`} {
		_, err := gemini.New().DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: []byte(body)})
		if e := scri.AsError(err); err == nil || e.Kind != scri.ErrUnavailable {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// Brackets that close nothing are no endless stream.
func TestStrayBrackets(t *testing.T) {
	for _, in := range []string{"[{}]]", " [{\"a\":1}], \"b\": 2}", "]"} {
		if _, err := scri.Collect(gemini.New().DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: strings.NewReader(in)})); err == nil {
			t.Errorf("%s is taken for an answer", in)
		}
	}
}
