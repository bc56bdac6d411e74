package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aratta-gateway/aratta/scri"
)

// form writes a form; a field whose name ends in "@" is a file.
func form(t testing.TB, fields ...string) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("XXboundaryXX"); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		name, file := strings.CutSuffix(fields[i], "@")
		var part io.Writer
		var err error
		if file {
			part, err = w.CreateFormFile(name, "a.wav")
		} else {
			part, err = w.CreateFormField(name)
		}
		if err == nil {
			_, err = io.WriteString(part, fields[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.String()
}

const jsonType = "application/json; charset=utf-8"

func TestLookFindsTheModel(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	ft := func(fields ...string) [2]string { a, b := form(t, fields...); return [2]string{a, b} }
	js := func(s string) [2]string { return [2]string{jsonType, s} }
	for _, c := range []struct {
		name  string
		body  [2]string
		model string // "" = none is found
	}{
		{"first", js(`{"model":"m","input":"a"}`), "m"},
		{"last", js(` { "input" : "a" , "model" : "m" } `), "m"},
		{"escaped", js(`{"mod\u0065l":"a\u002fb\"c"}`), `a/b"c`},
		{"behind a long text", js(`{"input":"` + long + `\"","model":"m"}`), "m"},
		{"before a long text", js(`{"model":"m","input":"` + long + `"}`), "m"},
		{"behind strange texts", js(`{"a":["}","model",{"model":"no"}],"b":"\\","c":"\\\"model\":","model":"m"}`), "m"},
		{"further in", js(`{"requests":[{"model":"no"}]}`), ""},
		{"a list", js(`[{"model":"no"}]`), ""},
		{"a text", js(`"model"`), ""},
		{"null", js(`{"model":null}`), ""},
		{"broken", js(`{"model":"m`), ""},
		{"nothing", js(`{}`), ""},
		{"no type", [2]string{"", `{"model":"m"}`}, "m"},
		{"another type", [2]string{"text/plain", `{"model":"m"}`}, ""},
		{"form", ft("model", "m", "file@", "data"), "m"},
		{"form, last", ft("file@", "data", "prompt", "whisper-1", "model", "whisper-1"), "whisper-1"},
		{"form, behind a long file", ft("file@", long+"\r\n--XXboundary\r\n", "model", "m"), "m"},
		{"form, before a long file", ft("model", "m", "file@", long), "m"},
		{"form, a file of that name", ft("model@", "m"), ""},
		{"form, none", ft("purpose", "batch", "file@", "model"), ""},
		{"form with a preamble", [2]string{ft()[0], "hello\r\n" + ft("model", "m")[1]}, "m"},
		{"form without an end", [2]string{ft()[0], strings.TrimSuffix(ft("model", "m")[1], "\r\n--XXboundaryXX--\r\n")}, ""},
	} {
		for _, known := range []bool{true, false} {
			length := int64(len(c.body[1]))
			if !known {
				length = -1
			}
			for cut, r := range map[string]io.Reader{
				"whole": strings.NewReader(c.body[1]), "in bytes": iotest.OneByteReader(strings.NewReader(c.body[1])),
				"with its end": iotest.DataErrReader(strings.NewReader(c.body[1])),
			} {
				b, err := Look(r, c.body[0], length, 1<<20)
				if err != nil {
					t.Errorf("%s, %s: %v", c.name, cut, err)
					continue
				}
				if b.Model != c.model || b.Found != (c.model != "") {
					t.Errorf("%s, %s: model %q, want %q", c.name, cut, b.Model, c.model)
				}
				as, n := b.As("")
				got, err := io.ReadAll(as)
				if err != nil || string(got) != c.body[1] || n != length && (n != int64(len(got)) || !b.Whole) {
					t.Errorf("%s, %s: the body changed on its way, or its length %d", c.name, cut, n)
				}
			}
		}
	}
}

func TestLookRefuses(t *testing.T) {
	twice, field := form(t, "model", "")
	for name, body := range map[string][2]string{
		"two models":      {jsonType, `{"model":"a","model":"b"}`},
		"none and one":    {jsonType, `{"model":null,"model":"b"}`},
		"a number":        {jsonType, `{"input":"a","model":55}`},
		"an object":       {jsonType, `{"model":{"id":"m"}}`},
		"too long":        {jsonType, `{"model":"` + strings.Repeat("x", 200<<10) + `"}`},
		"too long a list": {jsonType, `{"model":[` + strings.Repeat(" ", 200<<10) + `]}`},
		"empty":           {jsonType, `{"model":""}`},
		"control":         {jsonType, `{"model":"a\nb"}`},
		"empty form":      {twice, field},
	} {
		b, err := Look(strings.NewReader(body[1]), body[0], int64(len(body[1])), 1<<20)
		var e *scri.Error
		if !errors.As(err, &e) || e.Kind != scri.ErrInvalid || e.Path != "/model" {
			t.Errorf("%s: taken as %+v, %v", name, b, err)
		}
	}
	broken := errors.New("broken")
	if _, err := Look(iotest.ErrReader(broken), jsonType, -1, 1<<20); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// What stands behind the limit is not looked for, and passes all the same.
func TestLookIsBounded(t *testing.T) {
	typ, body := form(t, "file@", strings.Repeat("x", 300<<10), "model", "m")
	r := strings.NewReader(body)
	b, err := Look(r, typ, int64(len(body)), 100<<10)
	if err != nil || b.Found || b.Whole || !b.Cut {
		t.Fatalf("%+v, %v", b, err)
	}
	if read := len(body) - r.Len(); read > 100<<10 {
		t.Errorf("%d bytes were read", read)
	}
	as, _ := b.As("other") // which cannot be said any more
	if got, err := io.ReadAll(as); err != nil || string(got) != body {
		t.Errorf("the body changed on its way: %v", err)
	}
}

func TestRenaming(t *testing.T) {
	ft := func(fields ...string) [2]string { a, b := form(t, fields...); return [2]string{a, b} }
	js := func(s string) [2]string { return [2]string{jsonType, s} }
	long := strings.Repeat("x", 100<<10)
	for _, c := range []struct{ was, is [2]string }{
		{js(`{"a":1, "model" : "m" ,"b":2}`), js(`{"a":1, "model" : "new\"1" ,"b":2}`)},
		{js(`{"model":"m","a":"` + long + `"}`), js(`{"model":"new\"1","a":"` + long + `"}`)},
		{js(` { "a":1}`), js(` {"model":"new\"1", "a":1}`)},
		{js(`{ }`), js(`{"model":"new\"1" }`)},
		{js(`{"model": null, "a":1}`), js(`{"model": "new\"1", "a":1}`)},
		{ft("a", "m", "model", "m", "file@", long), ft("a", "m", "model", `new"1`, "file@", long)},
		{ft("file@", "m"), ft("model", `new"1`, "file@", "m")},
	} {
		b, err := Look(strings.NewReader(c.was[1]), c.was[0], int64(len(c.was[1])), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		r, n := b.As(`new"1`)
		got, err := io.ReadAll(r)
		if err != nil || string(got) != c.is[1] || n != int64(len(got)) {
			t.Errorf("got %.200q (%d bytes), want %.200q", got, n, c.is[1])
		}
	}
}

// Whatever a body is: it arrives as it came, and what is found is what a parser
// finds.
func FuzzLook(f *testing.F) {
	typ, body := form(f, "a", "b", "model", "m", "file@", "data\r\n--XX")
	f.Add(typ, []byte(body), uint8(3))
	f.Add(jsonType, []byte(`{"a":[{"model":1}],"model":"m"}`), uint8(1))
	f.Add(jsonType, []byte("\xef\xbb\xbf{\"model\":\"m\"}"), uint8(1))
	f.Fuzz(func(t *testing.T, typ string, body []byte, step uint8) {
		r := &stepReader{bytes.NewReader(body), int(step%16) + 1}
		b, err := Look(r, typ, -1, 1<<16)
		if err != nil {
			return
		}
		as, _ := b.As("")
		got := []byte{}
		if as != nil {
			if got, err = io.ReadAll(as); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, body) {
			t.Fatalf("the body changed on its way")
		}
		var v map[string]any
		if b.form == formJSON && json.Unmarshal(body, &v) == nil {
			if s, ok := v["model"].(string); b.Found != ok || b.Found && s != b.Model {
				t.Errorf("found %q (%v), a parser finds %q", b.Model, b.Found, s)
			}
		}
		if as, _ := b.As("other"); b.form == formJSON && b.Whole && json.Valid(body) && v != nil {
			got, _ := io.ReadAll(as)
			var w map[string]any
			if err := json.Unmarshal(got, &w); err != nil || w["model"] != "other" {
				t.Errorf("renamed to %s: %v", got, err)
			}
		}
	})
}

type stepReader struct {
	r io.Reader
	n int
}

func (s *stepReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.n)]) }
