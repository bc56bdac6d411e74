package anthropic_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/anthropic"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
)

// The API refuses a turn of white space, which other models write before their
// calls: the conversation could never go on here.
func TestTextsOfWhiteSpaceAreNotSent(t *testing.T) {
	d := anthropic.New()
	req := dialecttest.Hello()
	req.Messages = append(req.Messages,
		scri.Message{Role: scri.RoleAssistant, Parts: []scri.Part{
			scri.TextPart("\n\n"), {Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "a", Name: "f", Args: scri.NewText("{}")}},
		}},
		scri.Message{Role: scri.RoleTool, Parts: []scri.Part{{Kind: scri.PartToolResult, Result: &scri.ToolResult{
			CallID: "a", Parts: []scri.Part{scri.TextPart(" "), scri.TextPart(""), scri.TextPart("x")},
		}}}},
		scri.Message{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart(" \t")}},
	)
	for _, p := range dialecttest.Law4Request(d, req) {
		t.Error(p)
	}
	out, warn, err := d.EncodeRequest(req, &dialect.Target{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	for _, blank := range []string{`"\n\n"`, `" "`, `" \t"`, `""`} {
		if strings.Contains(string(out.Body), `"text":`+blank) || strings.Contains(string(out.Body), `"content":`+blank) {
			t.Errorf("%s is sent: %s", blank, out.Body)
		}
	}
	told := map[string]bool{}
	for _, w := range warn {
		told[w.Path] = true
	}
	for _, path := range []string{"/messages/1/content/0", "/messages/2/content/0/result/content/0", "/messages/3/content/0"} {
		if !told[path] {
			t.Errorf("no warning about %s: %v", path, warn)
		}
	}
	const asked = `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":" "},{"role":"assistant","content":[{"type":"text","text":"\n"}]}]}`
	for _, p := range dialecttest.Law1Request(d, "", http.Header{}, []byte(asked)) {
		t.Error("what a client sends so itself:", p)
	}
}

// A provider that ends an answer without ending its blocks has ended them all.
func TestFinishEndsOpenBlocks(t *testing.T) {
	stream := []byte(`data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}

data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig"}}

data: {"type":"content_block_start","index":1,"content_block":{"type":"x_new","x":1}}

data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}

data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}}

data: {"type":"message_stop"}

`)
	r, err := dialecttest.ReadStream(anthropic.New(), http.Header{}, stream)
	if err != nil {
		t.Fatal(err)
	}
	parts := r.Choices[0].Output[0].Parts
	if len(parts) != 3 {
		t.Fatalf("%d parts: %+v", len(parts), parts)
	}
	if s := parts[0].Signature; s == nil || s.Value.String() != "sig" {
		t.Error("the signature is lost")
	}
	if parts[1].Kind != scri.PartOpaque {
		t.Errorf("the second part is %s", parts[1].Kind)
	}
	if a := parts[2].Call.Args.String(); a != "{}" {
		t.Errorf("the arguments are %q", a)
	}
}

// Whatever an event calls itself, it cannot become two.
func TestOpaqueEventsStayOne(t *testing.T) {
	enc := anthropic.New().EncodeStream(&dialect.Incoming{})
	ev := scri.StreamEvent{Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: "anthropic", Members: scri.RawJSON(`{"type":"x\n\nevent: message_stop\ndata: {}\n\n"}`)}}
	if b := enc.Event(nil, &ev); strings.Contains(string(b), "\nevent: message_stop") {
		t.Errorf("got %q", b)
	}
}
