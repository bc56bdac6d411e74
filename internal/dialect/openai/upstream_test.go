package openai_test

import (
	"bytes"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
	"github.com/aratta-gateway/aratta/scri"
)

// Providers refuse a choice of tools beside which no tool stands.
func TestChoiceNeedsATool(t *testing.T) {
	one := false
	foreign := scri.Tool{Type: "web_search_20250305", Name: "web_search", Ext: &scri.Ext{Dialect: "anthropic"}}
	own := scri.Tool{Name: "f", Schema: scri.RawJSON(`{}`)}
	for _, c := range []struct {
		name  string
		tools []scri.Tool
		want  bool
	}{{"a tool of another's", []scri.Tool{foreign}, false}, {"no tool", nil, false}, {"a tool", []scri.Tool{foreign, own}, true}} {
		req := dialecttest.Hello()
		req.Tools, req.ToolChoice, req.ParallelTools = c.tools, &scri.ToolChoice{Mode: scri.ToolsAuto}, &one
		out, warn, err := openai.New().EncodeRequest(req, &dialect.Target{Model: "m"})
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"tool_choice", "parallel_tool_calls"} {
			if got := strings.Contains(string(out.Body), `"`+member+`"`); got != c.want {
				t.Errorf("%s: %s is there: %v\n%s", c.name, member, got, out.Body)
			}
		}
		for _, path := range []string{"/tool_choice", "/parallel_tools"} {
			told := slices.ContainsFunc(warn, func(w scri.Warning) bool { return w.Path == path && w.Code == scri.WarnDropped })
			if told == c.want {
				t.Errorf("%s: a warning about %s: %v", c.name, path, told)
			}
		}
	}
	const asked = `{"model":"m","messages":[{"role":"user","content":"Hi"}],"tool_choice":"auto","parallel_tool_calls":false}`
	for _, p := range dialecttest.Law1Request(openai.New(), "", http.Header{}, []byte(asked)) {
		t.Error("a client's own wish:", p)
	}
}

// Kimi calls a tool of its own by another type than function.
func TestStreamedCallKeepsItsType(t *testing.T) {
	stream := []byte(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"a","type":"builtin_function","function":{"name":"$web_search","arguments":"{}"}}]},"finish_reason":null}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: [DONE]

`)
	d := openai.New()
	for _, p := range dialecttest.Law1Stream(d, dialecttest.Hello(), http.Header{}, stream) {
		t.Error(p)
	}
	r, err := dialecttest.ReadStream(d, http.Header{}, stream)
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := d.EncodeResponse(nil, &dialect.Incoming{}, r)
	again, _, _ := dialecttest.WriteStream(d, nil, scri.Replay(r))
	for _, b := range [][]byte{whole, again} {
		if !bytes.Contains(b, []byte(`"type":"builtin_function"`)) || bytes.Contains(b, []byte(`"type":"function"`)) {
			t.Errorf("got %s", b)
		}
	}
}

// Only padding at the top of a chunk is padding.
func TestPaddingStandsOnTop(t *testing.T) {
	var b bytes.Buffer
	for _, p := range []string{"one", "two", "three"} {
		b.WriteString(`data: {"id":"c","choices":[{"index":0,"delta":{"content":"x"}}],"meta":{"p":"` + p + `"}}` + "\n\n")
	}
	b.WriteString(`data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n")
	r, err := dialecttest.ReadStream(openai.New(), http.Header{}, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if r.Ext == nil || !strings.Contains(string(r.Ext.Members), "three") {
		t.Errorf("the last value is not there: %+v", r.Ext)
	}
}

// allocated is how many bytes f takes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A text that must be an item of a list is gathered in linear memory.
func TestGatheredTextIsLinear(t *testing.T) {
	n := allocated(func() {
		enc := openai.New().EncodeStream(&dialect.Incoming{})
		ev := scri.StreamEvent{Kind: scri.EventPart, Whole: &scri.Part{Kind: scri.PartText, Ext: &scri.Ext{Dialect: "openai", Members: scri.RawJSON(`{"x":1}`)}}}
		b := enc.Event(nil, &ev)
		ev = scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.NewText("0123456789")}
		for range 10_000 {
			b = enc.Event(b[:0], &ev)
		}
		ev = scri.StreamEvent{Kind: scri.EventPartEnd}
		if b = enc.Event(b[:0], &ev); !bytes.Contains(b, []byte(strings.Repeat("0123456789", 10_000))) {
			t.Errorf("the text is not there: %.100s", b)
		}
	})
	if n > 20<<20 {
		t.Errorf("100 KB took %d MB", n>>20)
	}
}

// What a client makes up to be slow is read in linear time and memory.
func TestManyNullsAreLinear(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f"`)
	for i := range 20_000 {
		b.WriteString(`,"a` + strconv.Itoa(i) + `":null`)
	}
	b.WriteString(`}}]}`)
	n := allocated(func() {
		for _, p := range dialecttest.Law1Request(openai.New(), "", http.Header{}, b.Bytes()) {
			t.Error(p)
		}
	})
	if n > 200<<20 {
		t.Errorf("%d KB took %d MB", b.Len()>>10, n>>20)
	}
}

// A chunk of many members that nobody knows is read in linear time: in quadratic
// time this would take minutes.
func TestManyMembersAreLinear(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`data: {"id":"c","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}` + "\n\n" + `data: {"choices":[]`)
	for i := range 200_000 {
		b.WriteString(`,"a` + strconv.Itoa(i) + `":1`)
	}
	b.WriteString("}\n\n")
	r, err := dialecttest.ReadStream(openai.New(), http.Header{}, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(r.Ext.Members), `"a199999":1`) {
		t.Error("the last is not there")
	}
}

// What other formats say of thinking must not get a request refused: the wish for
// none is refused by all models but few, and so is more than all know.
func TestForeignEfforts(t *testing.T) {
	zero, some := int64(0), int64(30_000)
	for _, c := range []struct {
		name   string
		r      scri.Reasoning
		target string
		want   string
	}{
		{"none", scri.Reasoning{Effort: "none"}, "", ""},
		{"no budget", scri.Reasoning{Budget: &zero}, "", ""},
		{"none where it has a word", scri.Reasoning{Effort: "none"}, "reasoning_details", `"reasoning":{"effort":"none"}`},
		{"on", scri.Reasoning{Effort: "on"}, "", `"reasoning_effort":"medium"`},
		{"a budget", scri.Reasoning{Budget: &some}, "", `"reasoning_effort":"high"`},
		{"the most", scri.Reasoning{Effort: "max"}, "", `"reasoning_effort":"high"`},
		{"low", scri.Reasoning{Effort: "low"}, "", `"reasoning_effort":"low"`},
	} {
		req := dialecttest.Hello()
		req.Reasoning = &c.r
		out, warn, err := openai.New().EncodeRequest(req, &dialect.Target{Model: "m", Reasoning: c.target})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "" && strings.Contains(string(out.Body), "reasoning") || !strings.Contains(string(out.Body), c.want) {
			t.Errorf("%s: %s", c.name, out.Body)
		}
		if c.want == "" && len(warn) == 0 {
			t.Errorf("%s: no warning", c.name)
		}
		for _, p := range dialecttest.Law4Request(openai.New(), req) {
			t.Errorf("%s: %s", c.name, p)
		}
	}
}

// Tokens of nothing do not gather without end.
func TestTokensOfNothingAreBounded(t *testing.T) {
	const n = 10_000
	s := openai.New().DecodeStream(&dialect.Answer{Status: 200, Stream: strings.NewReader(strings.Repeat(`data: {"id":"c","choices":[{"index":0,"delta":{},"logprobs":{"content":[{"token":"x","logprob":-1}]}}]}`+"\n\n", n))})
	told := 0
	for {
		e, err := s.Next()
		if err != nil {
			break
		}
		told += len(e.LogProbs)
	}
	if told < n-4096 || told > n {
		t.Errorf("%d of %d tokens were told of", told, n)
	}
}

// Neighbouring texts become one, of which only those are told that say something.
func TestJoinedPartsAreTold(t *testing.T) {
	for _, c := range []struct {
		texts []string
		want  []string
	}{
		{[]string{"a", ""}, nil},
		{[]string{"", "a"}, nil},
		{[]string{"a", "", "b"}, []string{"/choices/0/output/0/content/2", "/choices/0/output/0/content/0"}},
		{[]string{"a", "b"}, []string{"/choices/0/output/0/content/1", "/choices/0/output/0/content/0"}},
	} {
		enc := openai.New().EncodeStream(&dialect.Incoming{})
		for i, text := range c.texts {
			for _, ev := range []scri.StreamEvent{
				{Kind: scri.EventPart, Part: i, Whole: &scri.Part{Kind: scri.PartText}},
				{Kind: scri.EventDelta, Part: i, Delta: scri.NewText(text)},
				{Kind: scri.EventPartEnd, Part: i},
			} {
				enc.Event(nil, &ev)
			}
		}
		var got []string
		for _, w := range enc.Warnings() {
			if w.Code == scri.WarnChanged {
				got = append(got, w.Path)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %v", c.texts, got)
		}
	}
}
