package app

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
)

// What is no request at all is refused as such.
func TestBrokenBodies(t *testing.T) {
	l := badLab(t)
	deep := strings.Repeat("[", 129) + strings.Repeat("]", 129)
	for _, r := range chatRoutes {
		d := all.Get(r.dialect)
		inside := func(s string) string { return strings.Replace(r.good, `"hi"`, s, 1) }
		more := func(s string) string { return strings.TrimSuffix(r.good, "}") + s + "}" }
		first, _, _ := strings.Cut(strings.TrimPrefix(r.good, `{"`), `"`)
		for _, c := range []struct{ name, body, names string }{
			{"empty", "", ""},
			{"white space", " \n", ""},
			{"no JSON", "hello", ""},
			{"cut", r.good[:len(r.good)-2], ""},
			{"two values", r.good + r.good, ""},
			{"a list", "[" + r.good + "]", ""},
			{"a string", `"hi"`, ""},
			{"null", "null", ""},
			{"a number", "1e400", ""},
			{"too deep, in a member that is not known", more(`,"x":` + deep), "128"},
			{"too deep by far", strings.Repeat(`{"a":`, 100_000), "128"},
			{"a name twice", more(`,"` + first + `":"m"`), first},
			{"a name twice, once escaped", more(`,"` + strings.Replace(first, "e", `\u0065`, 1) + `":"m"`), first},
			{"invalid UTF-8 in a string", inside("\"h\xffi\""), ""},
			{"a surrogate in UTF-8", inside("\"\xed\xa0\x80\""), ""},
			{"half a rune at the end of a string", inside("\"h\xd0\""), ""},
			{"a control character", inside("\"h\x01i\""), ""},
			{"a raw line break", inside("\"h\ni\""), ""},
			{"NaN", more(`,"temperature":NaN`), ""},
			{"Infinity", more(`,"temperature":Infinity`), ""},
			{"a number that is none", more(`,"x":01`), ""},
			{"a bad escape", inside(`"\q"`), ""},
			{"a NUL", "\x00" + r.good, ""},
			{"a comment", r.good + "// hi", ""},
			{"UTF-16", "\xff\xfe{\x00}\x00", ""},
		} {
			t.Run(strings.Trim(r.path, "/")+" "+c.name, func(t *testing.T) {
				got := l.send(t, http.MethodPost, r.path, nil, strings.NewReader(c.body))
				for _, p := range refused(d, got, c.names, http.StatusBadRequest) {
					t.Errorf("%s: %s", p, got.body)
				}
			})
		}
	}
	if _, served := l.sims["any"].Last(); served != 0 {
		t.Errorf("%d broken requests reached the provider", served)
	}
}

// endless is a body that has no end, and counts what was read of it.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	e.read += int64(len(p))
	return len(p), nil
}

// A body that is too large is refused before it is read, and one that does not
// say how large it is as soon as it is too large; memory stays bounded.
func TestLargeBodies(t *testing.T) {
	l := badLab(t)
	const size, limit = 100 << 20, 8 << 20
	for _, r := range chatRoutes {
		for _, how := range []string{"asks before", "says how large", "does not say how large"} {
			t.Run(strings.Trim(r.path, "/")+" "+how, func(t *testing.T) {
				before := allocated()
				src := &endless{}
				body := io.MultiReader(strings.NewReader(`{"model":"`), io.LimitReader(src, size))
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url+r.path, body)
				if err != nil {
					t.Fatal(err)
				}
				if how != "does not say how large" {
					req.ContentLength = size + 10
				}
				if how == "asks before" {
					req.Header.Set("Expect", "100-continue")
				}
				res, err := l.client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				got := newReply(res)
				for _, p := range refused(all.Get(r.dialect), got, "8 MB", http.StatusRequestEntityTooLarge) {
					t.Errorf("%s: %s", p, got.body)
				}
				if how == "asks before" && src.read > 0 {
					t.Errorf("%d bytes were sent of a body that was not wanted", src.read)
				}
				if grown := allocated() - before; grown > 6*limit {
					t.Errorf("%d MB were allocated", grown>>20)
				}
			})
		}
	}
}

// allocated is how much was ever allocated.
func allocated() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

// Hostile bodies cost memory in proportion to their size, whatever they hold.
func TestMemoryIsBounded(t *testing.T) {
	l := newLab(t, "", up{name: "any", dialect: "openai"})
	for _, c := range []struct{ name, head, item, tail string }{
		{"messages", `{"model":"m","messages":[`, `{"role":"user","content":"a"},`, `{"role":"user","content":"a"}]}`},
		{"parts", `{"model":"m","messages":[{"role":"user","content":[`, `{"type":"text","text":"a"},`, `{}]}]}`},
		{"odd parts", `{"model":"m","messages":[{"role":"user","content":[`, `{},`, `{}]}]}`},
		{"tools", `{"model":"m","messages":[{"role":"user","content":"a"}],"tools":[`, `{},`, `{}]}`},
		{"stops", `{"model":"m","messages":[{"role":"user","content":"a"}],"stop":[`, `"a",`, `"a"]}`},
		{"numbers in an unknown member", `{"model":"m","messages":[{"role":"user","content":"a"}],"x":[`, `1,`, `1]}`},
		{"unknown members", `{"model":"m","messages":[{"role":"user","content":"a"}]`, `,"x%d":1`, `}`},
		{"escapes", `{"model":"m","messages":[{"role":"user","content":"`, `\u00e9\n`, `"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			cost := func(size int) int64 {
				b := []byte(c.head)
				for i := 0; len(b) < size; i++ {
					if strings.Contains(c.item, "%d") {
						b = fmt.Appendf(b, c.item, i)
					} else {
						b = append(b, c.item...)
					}
				}
				b = append(b, c.tail...)
				before := allocated()
				if got := l.post(t, all.Get("openai"), "", nil, b); got.status/100 == 5 {
					t.Errorf("status %d: %.300s", got.status, got.body)
				}
				return allocated() - before
			}
			const size = 256 << 10
			cost(size) // whatever is made once
			small, large := max(cost(size), size), cost(4*size)
			if large > 10*small {
				t.Errorf("%d KB for a body of %d KB, and %d KB for one four times as large", small>>10, size>>10, large>>10)
			}
		})
	}
}

// A body in an encoding is refused in words, and one that does not arrive whole
// is no crash.
func TestContentEncoding(t *testing.T) {
	l := badLab(t)
	for _, r := range chatRoutes {
		got := l.send(t, http.MethodPost, r.path, http.Header{"Content-Encoding": {"gzip"}}, strings.NewReader("\x1f\x8b"))
		for _, p := range refused(all.Get(r.dialect), got, "gzip", http.StatusBadRequest, http.StatusUnsupportedMediaType) {
			t.Errorf("%s: %s: %s", r.path, p, got.body)
		}
	}
}
