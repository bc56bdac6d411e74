package native_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// seed adds the files of testdata that match to a corpus.
func seed(f *testing.F, patterns ...string) {
	f.Helper()
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join("testdata", p))
		if err != nil || len(files) == 0 {
			f.Fatalf("no %s (%v)", p, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
}

// anyForm lets the words of a form come in any order.
var anyForm = cmpopts.IgnoreFields(scri.Ext{}, "Form")

// FuzzDecodeRequest: what is accepted is written as sound JSON and read again as
// the same; what is refused is refused as invalid.
func FuzzDecodeRequest(f *testing.F) {
	seed(f, "request/*.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := decodeRequest(t, "/api/v1/chat", body)
		if err != nil {
			if e := scri.AsError(err); e.Kind != scri.ErrInvalid {
				t.Fatalf("refused as %s: %v", e.Kind, e)
			}
			return
		}
		out := encodeRequest(t, req)
		again, err := decodeRequest(t, "/api/v1/chat", out.Body)
		if err != nil {
			t.Fatalf("%v in %s", err, out.Body)
		}
		if diff := cmp.Diff(req, again, same, anyForm); diff != "" {
			t.Fatalf("%s\nbecame\n%s\n%s", body, out.Body, diff)
		}
		if b := encodeRequest(t, again).Body; !bytes.Equal(b, out.Body) {
			t.Fatalf("%s\nbecame\n%s", out.Body, b)
		}
	})
}

// FuzzDecodeResponse does so for answers.
func FuzzDecodeResponse(f *testing.F) {
	seed(f, "response/*.json", "view/*.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: body})
		if err != nil {
			return
		}
		b, _ := d.EncodeResponse(nil, nil, r)
		again, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: b})
		if err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		c, _ := d.EncodeResponse(nil, nil, again)
		third, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: c})
		if err != nil {
			t.Fatalf("%v in %s", err, c)
		}
		if diff := cmp.Diff(again, third, same); diff != "" {
			t.Fatalf("%s\nbecame\n%s\n%s", b, c, diff)
		}
	})
}

// FuzzDecodeStream does so for streams, and each frame written is sound.
func FuzzDecodeStream(f *testing.F) {
	seed(f, "stream/*.txt")
	f.Fuzz(func(t *testing.T, body []byte) {
		first := encodeStream(decodeStream(body))
		frames := wire.NewSSE(bytes.NewReader(first), 0)
		for {
			fr, err := frames.Next()
			if err != nil {
				break
			}
			if !fr.Comment && wire.NewScanner(fr.Data).Kind() != wire.Object {
				t.Fatalf("%q in %q", fr.Data, first)
			}
		}
		if frames.Garbage() > 0 {
			t.Fatalf("garbage %q in %q", frames.GarbageText(), first)
		}
		second := encodeStream(decodeStream(first))
		if !bytes.Equal(first, second) {
			t.Fatalf("%q\nbecame\n%q\nbecame\n%q", body, first, second)
		}
	})
}
