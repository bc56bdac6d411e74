package ollama_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// seeds adds the examples of a kind.
func seeds(f *testing.F, kind string, add func(name string, data []byte)) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if filepath.Ext(file) == ".golden" {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		add(filepath.Base(file), data)
	}
}

// FuzzDecodeRequest: what is accepted is written, and read as the same again.
func FuzzDecodeRequest(f *testing.F) {
	seeds(f, "request", func(name string, data []byte) { f.Add(path(name) == "/api/generate", data) })
	d := ollama.New()
	f.Fuzz(func(t *testing.T, generate bool, body []byte) {
		name := "chat"
		if generate {
			name = "generate"
		}
		x, err := d.DecodeRequest(incoming(name, body))
		if err != nil {
			if e := scri.AsError(err); e.Kind != scri.ErrInvalid || e.Message == "" {
				t.Fatalf("refused by %+v", e)
			}
			return
		}
		out, _, err := d.EncodeRequest(x, &dialect.Target{Model: x.Model})
		if err != nil {
			t.Fatal(err)
		}
		z, err := d.DecodeRequest(dialecttest.Incoming(d, out.Path, http.Header{}, out.Body))
		if err != nil {
			t.Fatalf("%s\nbecame %s\n%v", body, out.Body, err)
		}
		again, _, err := d.EncodeRequest(z, &dialect.Target{Model: x.Model})
		if err != nil || !bytes.Equal(out.Body, again.Body) {
			t.Fatalf("%s\nbecame %s\nand then %s\n%v", body, out.Body, again.Body, err)
		}
	})
}

// FuzzDecodeResponse: so for answers, at both routes.
func FuzzDecodeResponse(f *testing.F) {
	seeds(f, "response", func(name string, data []byte) { f.Add(path(name) == "/api/generate", data) })
	d := ollama.New()
	f.Fuzz(func(t *testing.T, generate bool, body []byte) {
		name := "chat"
		if generate {
			name = "generate"
		}
		r, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: body})
		if err != nil {
			if e := scri.AsError(err); e.Kind == scri.ErrInternal {
				t.Fatal(err)
			}
			return
		}
		b, _ := d.EncodeResponse(nil, incoming(name, nil), r)
		if wire.NewScanner(b).Kind() != wire.Object {
			t.Fatalf("%s\nbecame %s", body, b)
		}
		z, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: b})
		if err != nil {
			t.Fatalf("%s\nbecame %s\n%v", body, b, err)
		}
		again, _ := d.EncodeResponse(nil, incoming(name, nil), z)
		if !bytes.Equal(b, again) {
			t.Fatalf("%s\nbecame %s\nand then %s", body, b, again)
		}
	})
}

// FuzzDecodeStream: no stream crashes, and what was read can be told again.
func FuzzDecodeStream(f *testing.F) {
	seeds(f, "stream", func(_ string, data []byte) { f.Add(data) })
	d := ollama.New()
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := dialecttest.ReadStream(d, nil, data)
		if p := dialecttest.Law3(d, nil, data, nil); len(p) > 0 {
			t.Fatal(p)
		}
		if err != nil {
			return
		}
		b, head, _ := dialecttest.WriteStream(d, nil, scri.Replay(r))
		z, err := dialecttest.ReadStream(d, head, b)
		if err != nil {
			t.Fatalf("%s\nbecame %s\n%v", data, b, err)
		}
		again, head, _ := dialecttest.WriteStream(d, nil, scri.Replay(z))
		y, err := dialecttest.ReadStream(d, head, again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dialecttest.DiffResponsesStrict(z, y), []dialecttest.Difference(nil), cmp.AllowUnexported(dialecttest.Difference{})); diff != "" {
			t.Fatalf("%s\nbecame %s\nand then %s\n%s", data, b, again, diff)
		}
	})
}
