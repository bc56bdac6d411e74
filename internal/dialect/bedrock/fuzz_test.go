package bedrock_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/bedrock"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// seeds adds the hand-written examples of a kind.
func seeds(f *testing.F, kind string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("..", "dialecttest", "testdata", kind, bedrock.Name, "*"))
	if err != nil || len(files) == 0 {
		f.Fatal("no examples", err)
	}
	for _, name := range files {
		if filepath.Ext(name) == ".golden" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if kind == "stream" {
			b = dialecttest.Frames(b)
		}
		f.Add(b)
	}
}

// long are numbers that no float holds exactly.
var long = regexp.MustCompile(`[0-9]{16}|[eE][+-]?[0-9]{3}`)

// unnamed reports whether a difference is a name that was missing and is empty now.
func unnamed(p string) bool { return strings.HasSuffix(p, `/name: added ""`) }

// Whatever is understood is written as sound JSON that is understood again, and
// where nothing was lost, as the same.
func FuzzDecodeRequest(f *testing.F) {
	seeds(f, "request")
	d := bedrock.New()
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
		if _, err := d.DecodeRequest(&dialect.Incoming{Body: out.Body}); err != nil {
			t.Fatalf("not understood again: %v in %s", err, out.Body)
		}
		if len(warn) == 0 && !long.Match(body) {
			for _, p := range dialecttest.JSONDiff(body, out.Body) {
				if !unnamed(p) {
					t.Error(p)
				}
			}
		}
	})
}

func FuzzDecodeResponse(f *testing.F) {
	seeds(f, "response")
	d := bedrock.New()
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
				if !unnamed(p) {
					t.Error(p)
				}
			}
		}
	})
}

// A stream means the same however its bytes are cut.
func FuzzDecodeStream(f *testing.F) {
	seeds(f, "stream")
	d := bedrock.New()
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
