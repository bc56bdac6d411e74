package native_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

// answers draws answers with all that the language can hold: beyond what
// scritest draws, several messages, server tools, and words of this dialect.
func answers() *rapid.Generator[*scri.ChatResponse] {
	return rapid.Custom(func(t *rapid.T) *scri.ChatResponse {
		r := scritest.Response().Draw(t, "answer")
		own := &scri.Ext{Dialect: "native", Members: scri.RawJSON("{\"x_own\":\n[1, 2.50]}")}
		some := func(label string) bool { return rapid.IntRange(0, 3).Draw(t, label) == 0 }
		if some("own ext") {
			r.Ext = own
		}
		if some("no choice") {
			r.Choices = nil
		}
		for i := range r.Choices {
			c := &r.Choices[i]
			if some("own choice ext") {
				c.Ext = own
			}
			if some("no output") {
				c.Output = nil
			}
			if some("more messages") {
				c.Output = append(c.Output,
					scri.Message{Role: scri.RoleTool, Parts: []scri.Part{{Kind: scri.PartToolResult, Result: &scri.ToolResult{
						CallID: "s1", Error: true, Server: "server", Parts: []scri.Part{scri.TextPart(""), scri.TextPart("x")},
					}}}},
					scri.Message{Role: scri.RoleAssistant, ID: "m2", Name: "bob", Ext: own, Parts: []scri.Part{
						{Kind: scri.PartOpaque, Raw: scri.RawJSON(`{"kind":"zap", "n":[]}`), Ext: &scri.Ext{Dialect: "native"}},
						{Kind: scri.PartOpaque, Raw: scri.RawJSON(`{"kind":"text"}`), Ext: &scri.Ext{Dialect: "native"}},
						{Kind: scri.PartOpaque, Raw: scri.RawJSON(`"bare"`), Ext: own, Cache: &scri.CacheMark{Ext: own}},
						{Kind: scri.PartMedia, Media: &scri.Media{}},
						{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "s1", Type: "web_search", Server: "server", MadeID: true, Ext: own}},
					}},
					scri.Message{Role: "critic"},
				)
			}
		}
		if r.Usage != nil && some("raw usage") {
			r.Usage.Raw, r.Usage.Dialect = scri.RawJSON("{ \"prompt_tokens\":\n1}"), "openai"
		}
		return r
	})
}

// TestRequestsSurvive: a request written and read again is the same.
func TestRequestsSurvive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := scritest.Request().Draw(rt, "request")
		out := encodeRequest(t, x)
		if err := wire.Valid(out.Body); err != nil {
			rt.Fatalf("%v in %s", err, out.Body)
		}
		z, err := decodeRequest(t, out.Path, out.Body)
		if err != nil {
			rt.Fatalf("%v in %s", err, out.Body)
		}
		if diff := cmp.Diff(x, z, same); diff != "" {
			rt.Fatalf("(-before +after):\n%s", diff)
		}
		if again := encodeRequest(t, z); !wire.Equal(again.Body, out.Body) {
			rt.Fatalf("%s\nbecame\n%s", out.Body, again.Body)
		}
	})
}

// TestAnswersSurvive: an answer written as a whole and read again is the same,
// and so is one written as a stream, however that is cut.
func TestAnswersSurvive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := answers().Draw(rt, "answer")
		body := encodeResponse(t, x)
		z, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: body})
		if err != nil {
			rt.Fatalf("%v in %s", err, body)
		}
		if diff := cmp.Diff(x, z, same); diff != "" {
			rt.Fatalf("whole (-before +after):\n%s", diff)
		}
		if again := encodeResponse(t, z); !wire.Equal(body, again) {
			rt.Fatalf("%s\nbecame\n%s", body, again)
		}
		stream := encodeStream(scri.Replay(x))
		cut := rapid.IntRange(0, len(stream)).Draw(rt, "cut")
		for how, r := range map[string]io.Reader{
			"at once":      bytes.NewReader(stream),
			"byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
			"in two":       io.MultiReader(bytes.NewReader(stream[:cut]), bytes.NewReader(stream[cut:])),
		} {
			z, err := scri.Collect(d.DecodeStream(&dialect.Answer{Stream: r}))
			if err != nil {
				rt.Fatalf("%s: %v in %s", how, err, stream)
			}
			if diff := cmp.Diff(x, z, same); diff != "" {
				rt.Fatalf("stream %s (-before +after):\n%s", how, diff)
			}
		}
		if again := encodeStream(decodeStream(stream)); !bytes.Equal(stream, again) {
			rt.Fatalf("%s\nbecame\n%s", stream, again)
		}
	})
}

// TestCutStreams: what ends before a finish is truncated, and keeps no signature
// of an unfinished part.
func TestCutStreams(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := scritest.Response().Draw(rt, "answer")
		stream := encodeStream(scri.Replay(x))
		finish := bytes.Index(stream, []byte("event: finish"))
		cut := rapid.IntRange(0, finish).Draw(rt, "cut")
		ended := bytes.Count(stream[:cut], []byte("event: part_end\n"))
		r, err := scri.Collect(decodeStream(stream[:cut]))
		var e *scri.Error
		if !errors.As(err, &e) || e.Kind != scri.ErrTruncated {
			rt.Fatalf("cut at %d of %d: %v", cut, len(stream), err)
		}
		n := 0
		for _, c := range r.Choices {
			for _, m := range c.Output {
				for _, p := range m.Parts {
					if n++; n > ended && p.Signature != nil && !p.Signature.Redacted {
						rt.Fatalf("part %d is not finished and has a signature", n)
					}
				}
			}
		}
	})
}

// TestErrorsSurvive: an error written and read again is the same, in an answer
// of its own and inside a stream.
func TestErrorsSurvive(t *testing.T) {
	for _, kind := range []scri.ErrorKind{
		scri.ErrInvalid, scri.ErrUnsupported, scri.ErrAuth, scri.ErrPermission, scri.ErrNotFound, scri.ErrRateLimited,
		scri.ErrQuota, scri.ErrContextLength, scri.ErrContentFilter, scri.ErrOverloaded, scri.ErrTimeout,
		scri.ErrUnavailable, scri.ErrTruncated, scri.ErrCanceled, scri.ErrPolicy, scri.ErrInternal,
	} {
		t.Run(string(kind), func(t *testing.T) {
			x := &scri.Error{
				Kind: kind, Status: 429, Code: "c", Message: "what \"happened\"", Hint: "do this", Path: "/messages/0",
				Provider: "openai", RequestID: "req_1", RetryAfter: 1500*time.Millisecond + 1,
				Attempts: []scri.Attempt{{Provider: "ollama", Outcome: "failed", Error: &scri.Error{Kind: scri.ErrTimeout, Message: "slow"}}},
			}
			status, body := d.EncodeError(nil, x)
			if status != x.HTTPStatus() {
				t.Errorf("status %d", status)
			}
			if diff := cmp.Diff(x, d.DecodeError(&dialect.Answer{Status: status, Body: body}), same); diff != "" {
				t.Errorf("answer (-before +after):\n%s", diff)
			}
			enc := d.EncodeStream(&dialect.Incoming{})
			_, err := scri.Collect(decodeStream(enc.End(nil, x)))
			if diff := cmp.Diff(x, scri.AsError(err), same); diff != "" {
				t.Errorf("stream (-before +after):\n%s", diff)
			}
		})
	}
}

// TestForeignFormsSurvive: what another dialect remembers of its spelling comes
// back to it through this one.
func TestForeignFormsSurvive(t *testing.T) {
	x := &scri.ChatRequest{Model: "m", Messages: []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("hi")}}}}
	x.Ext = &scri.Ext{Dialect: "openai", Form: "max_completion_tokens"}
	x.Messages[0].Ext = &scri.Ext{Dialect: "ollama", Members: scri.RawJSON(`{"images":null}`), Form: "list"}
	out := encodeRequest(t, x)
	z, err := decodeRequest(t, out.Path, out.Body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(x, z, same); diff != "" {
		t.Error(diff)
	}
}

func ExampleNew() {
	body := []byte(`{"model":"local","messages":[{"role":"user","content":"Hello"}],"temperature":0}`)
	req, err := d.DecodeRequest(&dialect.Incoming{Body: body})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(req.Messages[0].Role, req.Messages[0].Parts[0].Text.String(), *req.Temperature)
	// Output: user Hello 0
}

// A form that comes from elsewhere cannot break what is written.
func TestHostileForms(t *testing.T) {
	x := &scri.Ext{Dialect: "native", Form: "a=[] a=[] \x01=0 x\"y=0 x-y=0 =0 b=1 id=\"\" id=\"\""}
	choice := scri.Choice{Finish: scri.Finish{Reason: scri.FinishStop}, Ext: x}
	b, _ := d.EncodeResponse(nil, nil, &scri.ChatResponse{Choices: []scri.Choice{choice, choice}, Ext: x})
	if err := wire.Valid(b); err != nil {
		t.Errorf("%v in %s", err, b)
	}
}
