package anthropic_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/anthropic"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
)

type counter interface {
	dialect.Counter
	dialect.Lister
}

func TestCount(t *testing.T) {
	d := anthropic.New()
	c := d.(counter)
	body := `{"model":"claude","system":"S","messages":[{"role":"user","content":"Hi"}],"thinking":{"type":"enabled","budget_tokens":2048},"context_management":{"edits":[]}}`
	x, err := d.DecodeRequest(&dialect.Incoming{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	out, warn, err := c.EncodeCountRequest(x, &dialect.Target{})
	if err != nil || len(warn) > 0 {
		t.Fatal(err, warn)
	}
	if diff := dialecttest.JSONDiff([]byte(body), out.Body); len(diff) > 0 {
		t.Error(diff)
	}
	if out.Path != "/v1/messages/count_tokens" || out.Header.Get("anthropic-version") != "2023-06-01" {
		t.Errorf("%s %v", out.Path, out.Header)
	}
	n, err := c.DecodeCount(&dialect.Answer{Status: 200, Body: []byte(`{"input_tokens":12,"context_management":{"original_input_tokens":20}}`)})
	if err != nil || n.Input != 12 {
		t.Fatal(n, err)
	}
	want := `{"input_tokens":12,"context_management":{"original_input_tokens":20}}`
	if got := string(c.EncodeCount(nil, &dialect.Incoming{}, n)); got != want {
		t.Errorf("got %s", got)
	}
	_, err = c.DecodeCount(&dialect.Answer{Status: 200, Body: []byte(`{"type":"error","error":{"type":"overloaded_error","message":"x"}}`)})
	if e := scri.AsError(err); e == nil || e.Kind != scri.ErrOverloaded {
		t.Errorf("got %v", err)
	}
}

// A chat request is counted without what only an answer needs.
func TestCountOfChatRequest(t *testing.T) {
	body := `{"model":"claude","max_tokens":9,"temperature":1,"stream":true,"service_tier":"auto","stop_sequences":["x"],"messages":[{"role":"user","content":"Hi"}]}`
	x, err := anthropic.New().DecodeRequest(&dialect.Incoming{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	out, warn, err := anthropic.New().(counter).EncodeCountRequest(x, &dialect.Target{Model: "claude-5"})
	if err != nil || len(warn) > 0 {
		t.Fatal(err, warn)
	}
	if want := `{"model":"claude-5","messages":[{"role":"user","content":"Hi"}]}`; string(out.Body) != want {
		t.Errorf("got %s", out.Body)
	}
}

func TestModels(t *testing.T) {
	c := anthropic.New().(counter)
	if out := c.ListRequest(&dialect.Target{}); out.Method != http.MethodGet || out.Path != "/v1/models?limit=1000" {
		t.Errorf("%s %s", out.Method, out.Path)
	}
	l, err := c.DecodeModels(&dialect.Answer{Status: 200, Body: []byte(`{"data":[{"type":"model","id":"claude-x","display_name":"Claude X","created_at":"2026-01-02T00:00:00Z","max_input_tokens":200000,"max_tokens":64000}],"has_more":false}`)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.Models {
		l.Models[i].Raw = nil
	}
	want := []scri.ModelInfo{{ID: "claude-x", Model: "claude-x", Created: 1767312000, ContextWindow: 200000, MaxOutput: 64000, Dialect: "anthropic"}}
	if d := cmp.Diff(want, l.Models); d != "" {
		t.Error(d)
	}
	got := string(c.EncodeModels(nil, &dialect.Incoming{}, l))
	one := `{"type":"model","id":"claude-x","display_name":"claude-x","created_at":"2026-01-02T00:00:00Z","max_input_tokens":200000,"max_tokens":64000}`
	if got != `{"data":[`+one+`],"has_more":false,"first_id":"claude-x","last_id":"claude-x"}` {
		t.Errorf("got %s", got)
	}
	if got := string(c.EncodeModel(nil, &dialect.Incoming{}, &l.Models[0])); got != one {
		t.Errorf("got %s", got)
	}
	if got := string(c.EncodeModels(nil, &dialect.Incoming{}, &scri.ModelList{})); got != `{"data":[],"has_more":false,"first_id":null,"last_id":null}` {
		t.Errorf("got %s", got)
	}
	if _, err := c.DecodeModels(&dialect.Answer{Status: 200, Body: []byte(`{}`)}); err == nil {
		t.Error("no list was taken for one")
	}
}

// A provider may answer whole although a stream was asked for.
func TestWholeAnswerInPlaceOfStream(t *testing.T) {
	open := func(body string) scri.Stream {
		return anthropic.New().DecodeStream(&dialect.Answer{
			Status: 200, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Stream: strings.NewReader(body),
		})
	}
	r, err := scri.Collect(open(`{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`))
	if err != nil || r.Choices[0].Output[0].Parts[0].Text.String() != "Hi" {
		t.Errorf("%v %v", r, err)
	}
	_, err = scri.Collect(open(`{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}`))
	if e := scri.AsError(err); e == nil || e.Kind != scri.ErrRateLimited {
		t.Errorf("got %v", err)
	}
}

// What nobody knows passes through a stream as it came; blocks without a
// beginning have one made.
func TestStreamPassesOnTheUnknown(t *testing.T) {
	d := anthropic.New()
	in := `data: {"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":1,"output_tokens":1}}}

data: {"type":"from_the_future","y":[1]}

data: {"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"Hi"}}

event: message_delta
data: {"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}

data: {"type":"message_stop"}

`
	out, _, warn := dialecttest.WriteStream(d, nil, d.DecodeStream(&dialect.Answer{Status: 200, Stream: strings.NewReader(in)}))
	if len(warn) > 0 {
		t.Errorf("unexpected warnings: %v", warn)
	}
	want := []string{"message_start", "from_the_future", "+0 text", `0 "Hi"`, "-0", "message_delta", "message_stop"}
	if d := cmp.Diff(want, outline(out)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if !strings.Contains(string(out), `data: {"type":"from_the_future","y":[1]}`) {
		t.Errorf("got %s", out)
	}
}

func TestStreamKnowsWhatIsPending(t *testing.T) {
	s := anthropic.New().DecodeStream(&dialect.Answer{Status: 200, Stream: strings.NewReader(string(burst(2)))})
	if scri.Pending(s) {
		t.Error("nothing was read yet")
	}
	n := 0
	for {
		_, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		if !scri.Pending(s) {
			t.Errorf("after event %d all of the stream is in memory", n)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a closed stream ended in %v", err)
	}
}
