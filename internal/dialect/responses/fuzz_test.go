package responses_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/responses"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func seed(f *testing.F, kind string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("..", "dialecttest", "testdata", kind, "responses", "*"))
	if err != nil {
		f.Fatal(err)
	}
	if len(files) == 0 {
		f.Fatalf("no examples of a %s", kind)
	}
	for _, file := range files {
		if filepath.Ext(file) == ".golden" {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzDecodeRequest: no body crashes the decoder, and what it takes it writes
// again as the same value.
func FuzzDecodeRequest(f *testing.F) {
	seed(f, "request")
	d := responses.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := d.DecodeRequest(&dialect.Incoming{Body: body})
		if err != nil {
			e := scri.AsError(err)
			if e.Kind != scri.ErrInvalid {
				t.Fatalf("refused as %s", e.Kind)
			}
			return
		}
		out, _, err := d.EncodeRequest(r, &dialect.Target{})
		if err != nil {
			t.Fatal(err)
		}
		if wire.Valid(body) == nil && wire.Valid(out.Body) != nil {
			t.Fatalf("%s\nbecame what is no JSON:\n%s", body, out.Body)
		}
		if wire.Valid(body) != nil { // a name is repeated where nobody looks
			return
		}
		again, err := d.DecodeRequest(&dialect.Incoming{Body: out.Body})
		if err != nil {
			t.Fatalf("%s\nbecame invalid: %v\n%s", body, err, out.Body)
		}
		twice, _, err := d.EncodeRequest(again, &dialect.Target{})
		if err != nil {
			t.Fatal(err)
		}
		if !wire.Equal(out.Body, twice.Body) {
			t.Fatalf("%s\nbecame first\n%s\nthen\n%s", body, out.Body, twice.Body)
		}
	})
}

// FuzzDecodeResponse does so for answers.
func FuzzDecodeResponse(f *testing.F) {
	seed(f, "response")
	seed(f, "error")
	d := responses.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		a := &dialect.Answer{Status: http.StatusOK, Body: body}
		r, err := d.DecodeResponse(a)
		if err != nil {
			_, told := d.EncodeError(nil, scri.AsError(err))
			if err := wire.Valid(told); err != nil {
				t.Fatalf("%v in\n%s", err, told)
			}
			return
		}
		if wire.Valid(body) != nil {
			return
		}
		out, _ := d.EncodeResponse(nil, nil, r)
		again, err := d.DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: out})
		if err != nil {
			t.Fatalf("%s\nbecame unreadable: %v\n%s", body, err, out)
		}
		twice, _ := d.EncodeResponse(nil, nil, again)
		if !wire.Equal(out, twice) {
			t.Fatalf("%s\nbecame first\n%s\nthen\n%s", body, out, twice)
		}
	})
}

// FuzzDecodeStream: no stream crashes the decoder, and what is written of it
// can be read.
func FuzzDecodeStream(f *testing.F) {
	seed(f, "stream")
	d := responses.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		open := func(b []byte) scri.Stream {
			return d.DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: bytes.NewReader(b), MaxFrame: 1 << 20})
		}
		r, err := scri.Collect(open(body))
		if err != nil {
			return
		}
		out := tell(d, scri.Replay(r))
		again, err := scri.Collect(open(out))
		if err != nil {
			t.Fatalf("%s\nbecame unreadable: %v\n%s", body, err, out)
		}
		if len(again.Choices) != len(r.Choices) {
			t.Fatalf("%d choices became %d", len(r.Choices), len(again.Choices))
		}
	})
}

// tell writes a stream of the dialect.
func tell(d dialect.Dialect, s scri.Stream) []byte {
	enc := d.EncodeStream(&dialect.Incoming{Req: &scri.ChatRequest{Stream: true}})
	var b []byte
	for {
		e, err := s.Next()
		if err != nil {
			return enc.End(b, nil)
		}
		b = enc.Event(b, e)
	}
}
