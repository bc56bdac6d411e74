package anthropic_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/anthropic"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// seeds adds the golden cases of a kind.
func seeds(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// Whatever is understood is written as sound JSON that is understood again, and
// where nothing was lost, as the same.
func FuzzDecodeRequest(f *testing.F) {
	seeds(f, "request/*.json")
	d := anthropic.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		x, err := d.DecodeRequest(&dialect.Incoming{Body: body})
		if err != nil {
			if e := scri.AsError(err); e.Kind != scri.ErrInvalid || e.Status != 400 {
				t.Fatalf("not refused as invalid: %v", err)
			}
			return
		}
		out, warn, err := d.EncodeRequest(x, &dialect.Target{})
		if err != nil {
			t.Fatal(err)
		}
		if wire.Valid(body) != nil {
			return // a repeated name inside what nobody looked into
		}
		if err := wire.Valid(out.Body); err != nil {
			t.Fatalf("%v in %s", err, out.Body)
		}
		z, err := d.DecodeRequest(&dialect.Incoming{Body: out.Body})
		if err != nil {
			t.Fatalf("not understood again: %v in %s", err, out.Body)
		}
		if len(warn) > 0 {
			return
		}
		for _, p := range dialecttest.JSONDiff(body, out.Body) {
			t.Error(p)
		}
		again, _, err := d.EncodeRequest(z, &dialect.Target{})
		if err != nil || !bytes.Equal(again.Body, out.Body) {
			t.Errorf("%s became %s (%v)", out.Body, again.Body, err)
		}
	})
}

func FuzzDecodeResponse(f *testing.F) {
	seeds(f, "response/*.json")
	d := anthropic.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: body})
		if err != nil || wire.Valid(body) != nil {
			return
		}
		out, warn := d.EncodeResponse(nil, &dialect.Incoming{}, r)
		if err := wire.Valid(out); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if _, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: out}); err != nil {
			t.Fatalf("not understood again: %v in %s", err, out)
		}
		if len(warn) == 0 {
			for _, p := range dialecttest.JSONDiff(body, out) {
				t.Error(p)
			}
		}
	})
}

// A stream means the same however its bytes are cut.
func FuzzDecodeStream(f *testing.F) {
	seeds(f, "stream/*.sse")
	d := anthropic.New()
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, p := range dialecttest.Law3(d, nil, stream, nil) {
			t.Error(p)
		}
		r, err := dialecttest.ReadStream(d, nil, stream)
		if err != nil {
			return
		}
		out, _, _ := dialecttest.WriteStream(d, nil, scri.Replay(r))
		if _, err := dialecttest.ReadStream(d, nil, out); err != nil {
			t.Fatalf("not understood again: %v in %s", err, out)
		}
	})
}
