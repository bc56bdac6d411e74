package scri_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

// words of the language and bytes: fields that Texts leaves out, by type.
var notTexts = map[string]string{
	"ChatRequest": "Model Session Routing", "ChatResponse": "Model Provider Lineage",
	"Message": "Role", "Part": "Kind Signature", "Media": "Type Data", "ToolCall": "Type", "Tool": "Type",
	"ToolChoice": "Mode", "Reasoning": "Effort Summary", "Format": "Kind", "Ext": "Dialect Form", "CacheMark": "TTL",
	"Finish": "Reason Dialect", "Usage": "Dialect", "Warning": "Code",
	"EmbedRequest": "Model Task Encodings Truncate Routing", "EmbedInput": "Tokens",
}

// filler puts a string of its own into whatever can hold one.
type filler struct {
	n    int
	want map[string]bool
	open map[reflect.Type]int
}

func (f *filler) mark(want bool) string {
	f.n++
	s := fmt.Sprintf("mark-%d", f.n)
	if want {
		f.want[s] = true
	}
	return s
}

func (f *filler) fill(v reflect.Value, want bool) {
	switch v.Interface().(type) {
	case scri.Text:
		v.Set(reflect.ValueOf(scri.NewText(f.mark(want))))
		return
	case scri.RawJSON:
		raw := fmt.Sprintf(`{"%s":["%s",{"a":1,"%s":"%s"}], "x":true}`, f.mark(want), f.mark(want), f.mark(want), f.mark(want))
		v.Set(reflect.ValueOf(scri.RawJSON(raw)))
		return
	case time.Time:
		return
	default:
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(f.mark(want))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), want)
	case reflect.Slice:
		if f.open[v.Type()] == 2 {
			return
		}
		f.open[v.Type()]++
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			f.fill(v.Index(i), want)
		}
		f.open[v.Type()]--
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{f.mark(want): f.mark(want), f.mark(want): f.mark(want)}))
	case reflect.Struct:
		out := strings.Fields(notTexts[v.Type().Name()])
		for i := range v.NumField() {
			f.fill(v.Field(i), want && !slices.Contains(out, v.Type().Field(i).Name))
		}
	default:
	}
}

// TestTexts is law 6: a field that is added to a type is visited, or named
// among those that are not.
func TestTexts(t *testing.T) {
	f := filler{want: map[string]bool{}, open: map[reflect.Type]int{}}
	req, resp, embed := new(scri.ChatRequest), new(scri.ChatResponse), new(scri.EmbedRequest)
	f.fill(reflect.ValueOf(req).Elem(), true)
	f.fill(reflect.ValueOf(resp).Elem(), true)
	f.fill(reflect.ValueOf(embed).Elem(), true)
	seen := map[string]bool{}
	paths := map[string]string{}
	visit := func(root string) func(string, string) {
		return func(path, s string) {
			if strings.HasPrefix(s, "mark-") {
				seen[s] = true
			}
			if other, twice := paths[root+path]; twice {
				t.Errorf("%s for both %s and %s", root+path, other, s)
			}
			paths[root+path] = s
		}
	}
	scri.Texts(req, visit("request"))
	scri.ResponseTexts(resp, visit("response"))
	scri.EmbedTexts(embed, visit("embed"))
	if d := cmp.Diff(f.want, seen); d != "" {
		t.Errorf("(-in the tree +visited):\n%s", d)
	}
	if len(seen) < 500 {
		t.Errorf("only %d texts", len(seen))
	}
}

func TestTextsPaths(t *testing.T) {
	r := &scri.ChatRequest{
		Messages: []scri.Message{
			say(scri.RoleUser, quotedPart(`a "b"`)),
			say(scri.RoleAssistant, args(toolCall("1", "f"), `{"to":["bob\u0040example.org"],"a/b~":{"":"x"}}`), args(toolCall("2", "g"), `{"half": "bob@`), args(toolCall("3", "h"), ` "just text"`)),
			say(scri.RoleTool, toolResult("1", "f", "r")),
		},
		Tools:    []scri.Tool{{Name: "f", Schema: scri.RawJSON(`{"properties":{"city":{"enum":["Ur",1]}}}`)}},
		Metadata: map[string]string{"a/b": "m"},
		Ext:      &scri.Ext{Dialect: "openai", Members: scri.RawJSON(`{"x":"y"}`)},
	}
	got := map[string]string{}
	scri.Texts(r, func(path, s string) { got[path] = s })
	want := map[string]string{
		"/messages/0/content/0/text":                  `a "b"`,
		"/messages/1/content/0/call/id":               "1",
		"/messages/1/content/0/call/name":             "f",
		"/messages/1/content/0/call/args/to#":         "to",
		"/messages/1/content/0/call/args/to/0":        "bob@example.org",
		"/messages/1/content/0/call/args/a~1b~0#":     "a/b~",
		"/messages/1/content/0/call/args/a~1b~0/#":    "",
		"/messages/1/content/0/call/args/a~1b~0/":     "x",
		"/messages/1/content/1/call/id":               "2",
		"/messages/1/content/1/call/name":             "g",
		"/messages/1/content/1/call/args":             `{"half": "bob@`,
		"/messages/1/content/2/call/id":               "3",
		"/messages/1/content/2/call/name":             "h",
		"/messages/1/content/2/call/args":             "just text",
		"/messages/2/content/0/result/call_id":        "1",
		"/messages/2/content/0/result/name":           "f",
		"/messages/2/content/0/result/content/0/text": "r",
		"/tools/0/name":                               "f",
		"/tools/0/schema/properties#":                 "properties",
		"/tools/0/schema/properties/city#":            "city",
		"/tools/0/schema/properties/city/enum#":       "enum",
		"/tools/0/schema/properties/city/enum/0":      "Ur",
		"/metadata/a~1b#":                             "a/b",
		"/metadata/a~1b":                              "m",
		"/ext/x#":                                     "x",
		"/ext/x":                                      "y",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func quotedPart(s string) scri.Part { return scri.Part{Kind: scri.PartText, Text: quoted(s)} }

func TestTextsOfMedia(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	tests := []struct {
		name  string
		media scri.Media
		want  string // what is visited; "" = nothing
		after string // data or URL, with "bob" become "eve"
	}{
		{"an image", scri.Media{Type: "image/png", Data: scri.NewText(b64([]byte("bob")))}, "", ""},
		{"a text", scri.Media{Type: "text/plain; charset=utf-8", Data: quoted(b64([]byte("I am bob")))}, "I am bob", b64([]byte("I am eve"))},
		{"a text without padding", scri.Media{Type: "application/ld+json", Data: quoted("Ym9iMQ")}, "bob1", "ZXZlMQ=="},
		{"a text in base64url", scri.Media{Type: "text/csv", Data: quoted("Ym9iPz8_")}, "bob???", "ZXZlPz8/"},
		{"no base64", scri.Media{Type: "text/plain", Data: quoted("bob is here.")}, "bob is here.", "eve is here."},
		{"a type not told, text", scri.Media{Data: quoted(b64([]byte("bob")))}, "bob", b64([]byte("eve"))},
		{"a type not told, bytes", scri.Media{Data: quoted(b64([]byte("bob\xff")))}, "", ""},
		{"an address", scri.Media{URL: quoted("https://example.org/bob")}, "https://example.org/bob", "https://example.org/eve"},
		{"an image inside an address", scri.Media{URL: quoted("data:image/png;base64,Ym9i")}, "", ""},
		{"a text inside an address", scri.Media{URL: quoted("data:text/plain;base64,Ym9i")}, "bob", "data:text/plain;base64,ZXZl"},
		{"a text inside an address, as it is", scri.Media{URL: quoted("Data:,bob;base64,x")}, "Data:,bob;base64,x", "Data:,eve;base64,x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &scri.ChatRequest{Messages: []scri.Message{say(scri.RoleUser, scri.Part{Kind: scri.PartMedia, Media: &tt.media})}}
			seen := ""
			out, err := scri.EditTexts(r, func(_, s string) (string, bool) {
				seen += s
				return strings.ReplaceAll(s, "bob", "eve"), true
			})
			if err != nil || seen != tt.want || (out == r) != (tt.after == "") {
				t.Fatalf("saw %q, %v, same %v", seen, err, out == r)
			}
			if m := out.Messages[0].Parts[0].Media; tt.after != "" && m.Data.String()+m.URL.String() != tt.after {
				t.Errorf("became %s%s", m.Data, m.URL)
			}
		})
	}
}

func TestEditTexts(t *testing.T) {
	shout := func(_, s string) (string, bool) { return s + "\"!", true }
	req, resp := fullRequest(), fullResponse()
	embed := &scri.EmbedRequest{Input: []scri.EmbedInput{{Text: scri.NewText("t"), Title: scri.NewText("title")}, {Parts: req.Messages[0].Parts}}, User: "u"}
	before, err := json.Marshal([]any{req, resp, embed})
	if err != nil {
		t.Fatal(err)
	}
	q, err := scri.EditTexts(req, shout)
	if err != nil {
		t.Fatal(err)
	}
	p, err := scri.EditResponseTexts(resp, shout)
	if err != nil {
		t.Fatal(err)
	}
	e, err := scri.EditEmbedTexts(embed, shout)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	check := func(path, s string) {
		n++
		if !strings.HasSuffix(s, "\"!") || strings.HasSuffix(s, "\"!\"!") {
			t.Errorf("%s: %q", path, s)
		}
	}
	scri.Texts(q, check)
	scri.ResponseTexts(p, check)
	scri.EmbedTexts(e, check)
	scri.Texts(req, func(string, string) { n-- })
	scri.ResponseTexts(resp, func(string, string) { n-- })
	scri.EmbedTexts(embed, func(string, string) { n-- })
	if n != 0 {
		t.Errorf("%d texts more than before", n)
	}
	if after, err := json.Marshal([]any{req, resp, embed}); err != nil || string(after) != string(before) {
		t.Error("the input was changed")
	}
	if got := string(q.Tools[0].Schema); got != `{"type\"!":"object\"!"}` {
		t.Errorf("the schema became %s", got)
	}
	if got := p.Choices[0].LogProbs[0]; got.Bytes != nil || got.LogProb != -0.25 {
		t.Errorf("the token became %v", got)
	}
	for _, keep := range []func(string, string) (string, bool){
		func(_, s string) (string, bool) { return s, true }, func(string, string) (string, bool) { return "x", false },
	} {
		if q, err := scri.EditTexts(req, keep); q != req || err != nil {
			t.Error("an edit that changes nothing made another request")
		}
		if p, err := scri.EditResponseTexts(resp, keep); p != resp || err != nil {
			t.Error("an edit that changes nothing made another answer")
		}
		if e, err := scri.EditEmbedTexts(embed, keep); e != embed || err != nil {
			t.Error("an edit that changes nothing made another request for vectors")
		}
	}
}

func TestEditTextsShares(t *testing.T) {
	r := longHistory(3)
	r.Tools = []scri.Tool{{Name: "f", Schema: scri.RawJSON(`{ "a" : "b\u0041" , "c":1.0}`)}}
	out, err := scri.EditTexts(r, func(path, s string) (string, bool) {
		return "edited", path == "/messages/3/content/0/result/content/0/text"
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Messages {
		same := &out.Messages[i].Parts[0] == &r.Messages[i].Parts[0]
		if same != (i != 3) {
			t.Errorf("message %d is shared: %v", i, same)
		}
	}
	if &out.Tools[0] != &r.Tools[0] {
		t.Error("the tools were copied")
	}
	out, err = scri.EditTexts(r, func(path, _ string) (string, bool) { return "é\n", path == "/tools/0/schema/a" })
	if err != nil {
		t.Fatal(err)
	}
	if got := string(out.Tools[0].Schema); got != `{ "a" : "é\n" , "c":1.0}` {
		t.Errorf("the schema became %s", got)
	}
	if &out.Messages[0] != &r.Messages[0] {
		t.Error("the messages were copied")
	}
}

func TestEditTextsErrors(t *testing.T) {
	one := func(_, s string) (string, bool) {
		if s == "a" || s == "b" {
			return "masked", true
		}
		return s, false
	}
	ext := func(members string) *scri.Ext { return &scri.Ext{Dialect: "openai", Members: scri.RawJSON(members)} }
	tests := []struct {
		name string
		r    scri.ChatRequest
		path string
	}{
		{"no JSON", scri.ChatRequest{Ext: ext(`{"x":`)}, "/ext"},
		{"two values", scri.ChatRequest{Ext: ext(`{} {}`)}, "/ext"},
		{"a name twice", scri.ChatRequest{Tools: []scri.Tool{{}, {Schema: scri.RawJSON(`{"x":1,"\u0078":2}`)}}}, "/tools/1/schema"},
		{"half a surrogate pair", scri.ChatRequest{Ext: ext(`{"x":"\ud800"}`)}, "/ext"},
		{"ill-formed UTF-8", scri.ChatRequest{Ext: ext("{\"x\":\"\xff\"}")}, "/ext"},
		{"names that become one", scri.ChatRequest{Messages: []scri.Message{say(scri.RoleUser, scri.Part{Kind: scri.PartOpaque, Raw: scri.RawJSON(`{"a":1,"b":2}`)})}}, "/messages/0/content/0/raw"},
		{"keys that become one", scri.ChatRequest{Metadata: map[string]string{"a": "1", "b": "2"}}, "/metadata"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := scri.EditTexts(&tt.r, one)
			var e *scri.Error
			if !errors.As(err, &e) || e.Kind != scri.ErrInvalid || e.Path != tt.path || out != nil {
				t.Errorf("%v, want %s", err, tt.path)
			}
			seen := ""
			scri.Texts(&tt.r, func(_, s string) { seen += s })
			if seen == "" {
				t.Error("nothing was visited")
			}
		})
	}
	chain := scri.ChatRequest{Metadata: map[string]string{"a": "1", "b": "2"}}
	out, err := scri.EditTexts(&chain, func(_, s string) (string, bool) {
		return map[string]string{"a": "b", "b": "c"}[s], s == "a" || s == "b"
	})
	if err != nil || !maps.Equal(out.Metadata, map[string]string{"b": "1", "c": "2"}) {
		t.Errorf("%v, %v", out, err)
	}
}

// TestEditTextsRace edits one tree from several sides; the race detector says
// whether anybody wrote to what all of them read.
func TestEditTextsRace(t *testing.T) {
	r := fullRequest()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			word := fmt.Sprint(i)
			for range 20 {
				out, err := scri.EditTexts(r, func(_, s string) (string, bool) { return s + word, true })
				if err != nil {
					t.Error(err)
					return
				}
				out, _ = scri.Port(out, strictest)
				if _, err := json.Marshal(out); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestEditTextsUndone edits generated values and takes it back.
func TestEditTextsUndone(t *testing.T) {
	const mark = "\u2063\"x\\"
	add := func(_, s string) (string, bool) { return mark + s, true }
	remove := func(_, s string) (string, bool) { return strings.CutPrefix(s, mark) }
	raw := cmp.Comparer(func(a, b scri.RawJSON) bool { return sameJSON(a, b) })
	call := cmp.Comparer(func(a, b scri.ToolCall) bool {
		return a.ID == b.ID && a.Name == b.Name && sameJSON([]byte(a.Args.String()), []byte(b.Args.String()))
	})
	rapid.Check(t, func(t *rapid.T) {
		r := scritest.Request().Draw(t, "request")
		there, err := scri.EditTexts(r, add)
		if err != nil {
			t.Fatal(err)
		}
		back, err := scri.EditTexts(there, remove)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, back, raw, call); d != "" {
			t.Fatalf("(-before +after):\n%s", d)
		}
	})
}

func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return string(a) == string(b)
	}
	return cmp.Equal(x, y)
}

func BenchmarkTexts(b *testing.B) {
	r := longHistory(300)
	r.Tools = []scri.Tool{{Name: "f", Schema: scri.RawJSON(`{"type":"object","properties":{"city":{"type":"string"}}}`)}}
	b.ReportAllocs()
	for b.Loop() {
		scri.Texts(r, func(string, string) {})
	}
}
