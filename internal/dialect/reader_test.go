package dialect_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

type reader struct{ forgot int }

func (r *reader) Forget() { r.forgot++ }

type otherReader struct{}

func (*otherReader) Forget() {}

// A desk has one reader, which is new again for each request.
func TestReaderAt(t *testing.T) {
	var d dialect.Desk
	first := dialect.ReaderAt[reader](&d)
	if dialect.ReaderAt[reader](&d) == first {
		t.Error("one that is at work is given away again")
	}
	d.Clear()
	if first.forgot != 1 {
		t.Errorf("it forgot %d times", first.forgot)
	}
	if dialect.ReaderAt[reader](&d) != first {
		t.Error("it was not kept")
	}
	d.Clear()
	d.Clear()
	if first.forgot != 2 {
		t.Errorf("it forgot %d times after a request that did without", first.forgot)
	}
	if dialect.ReaderAt[otherReader](&d) == nil || dialect.ReaderAt[reader](nil) == nil {
		t.Error("there is none of another type, or none without a desk")
	}
}

// Nothing of a request shows in the next one that is decoded at the same desk, in
// memory that the body's is put into as well.
func TestDeskForgets(t *testing.T) {
	type example struct {
		path string
		body []byte
	}
	for _, d := range all.Table() {
		var list []example
		for _, x := range dialecttest.Corpus(t) {
			if x.Dialect == d.Name() && len(x.Request) > 0 {
				list = append(list, example{x.Path, x.Request})
			}
		}
		files, err := filepath.Glob(filepath.Join(d.Name(), "testdata", "request", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, example{"", b})
		}
		var desk dialect.Desk
		for _, e := range list {
			read := func(body []byte, desk *dialect.Desk) any {
				in := dialecttest.Incoming(d, e.path, http.Header{}, body)
				in.Desk = desk
				r, err := d.DecodeRequest(in)
				if err != nil {
					return err.Error()
				}
				return r
			}
			want := read(e.body, nil)
			body := bytes.Clone(e.body)
			if got := read(body, &desk); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %.200s\ngot  %+v\nwant %+v", d.Name(), e.body, got, want)
			}
			desk.Clear()
			for i := range body {
				body[i] = '#'
			}
		}
	}
}

// TestDeskSaves tells what a request takes that is decoded where one was before.
func TestDeskSaves(t *testing.T) {
	d := all.Get("openai")
	var desk dialect.Desk
	body := []byte(`{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hello"}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"1","content":"x"}],"temperature":0.7,"max_tokens":256,"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}`)
	n := testing.AllocsPerRun(100, func() {
		if _, err := d.DecodeRequest(&dialect.Incoming{Body: body, Desk: &desk}); err != nil {
			t.Fatal(err)
		}
		desk.Clear()
	})
	if n > 2 { // the Incoming, and what the request's own spelling is kept in
		t.Errorf("%v allocations", n)
	}
}
