package dialecttest

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Seeds adds the files of a folder to the examples of a fuzz target, but goldens.
func Seeds(f *testing.F, folder ...string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(append(folder, "*")...))
	if err != nil || len(files) == 0 {
		f.Fatalf("no examples in %v: %v", folder, err)
	}
	for _, name := range files {
		if filepath.Ext(name) == ".golden" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if strings.Contains(name, filepath.Join("stream", "bedrock")) {
			b = Frames(b)
		}
		f.Add(b)
	}
}

// long are numbers that no float holds exactly.
var long = regexp.MustCompile(`[0-9]{16}|[eE][+-]?[0-9]{3}`)

// unchanged reports what differs, but for a name or a model that was missing and is
// empty now: here no target gives one.
func unchanged(t *testing.T, body, out []byte) {
	t.Helper()
	if long.Match(body) {
		return
	}
	for _, p := range JSONDiff(body, out) {
		if !strings.HasSuffix(p, `/name: added ""`) && p != `/model: added ""` {
			t.Error(p)
		}
	}
}

// TakeRequest asks of any body what a fuzzer may: it is refused as invalid, or written
// as sound JSON that is understood again, and where the dialect says that it lost
// nothing (and strict is set), as the same.
func TakeRequest(t *testing.T, d dialect.Dialect, body []byte, strict bool) {
	t.Helper()
	in := &dialect.Incoming{Body: body}
	x, err := d.DecodeRequest(in)
	if err != nil {
		if e := scri.AsError(err); e.Kind != scri.ErrInvalid || e.Status != http.StatusBadRequest {
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
	if strict && len(warn) == 0 && len(in.More) == 0 {
		unchanged(t, body, out.Body)
	}
}

// TakeResponse asks the same of any answer.
func TakeResponse(t *testing.T, d dialect.Dialect, body []byte, strict bool) {
	t.Helper()
	r, err := d.DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: body})
	if err != nil {
		_, told := d.EncodeError(nil, scri.AsError(err))
		if err := wire.Valid(told); err != nil {
			t.Fatalf("%v in %s", err, told)
		}
		return
	}
	if wire.Valid(body) != nil {
		return
	}
	out, warn := d.EncodeResponse(nil, &dialect.Incoming{}, r)
	if err := wire.Valid(out); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	z, err := d.DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: out})
	if err != nil {
		t.Fatalf("not understood again: %v in %s", err, out)
	}
	if strict && len(warn) == 0 {
		unchanged(t, body, out)
	}
	if again, _ := d.EncodeResponse(nil, &dialect.Incoming{}, z); !wire.Equal(out, again) {
		t.Fatalf("%s\nbecame %s\nand then %s", body, out, again)
	}
}

// TakeStream asks of any stream that it means the same however its bytes are cut, and
// that what is written of it can be read.
func TakeStream(t *testing.T, d dialect.Dialect, stream []byte) {
	t.Helper()
	for _, p := range Law3(d, nil, stream, nil) {
		t.Error(p)
	}
	r, err := ReadStream(d, nil, stream)
	if err != nil {
		return
	}
	out, _, _ := WriteStream(d, nil, scri.Replay(r))
	if _, err := ReadStream(d, nil, out); err != nil {
		t.Fatalf("not understood again: %v in %s", err, out)
	}
}
