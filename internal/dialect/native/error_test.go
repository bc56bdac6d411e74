package native_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// TestRefusals shows which requests are refused, and which field is named.
func TestRefusals(t *testing.T) {
	message := func(parts string) string {
		return `{"messages":[{"role":"user","content":` + parts + `}]}`
	}
	for _, c := range []struct{ body, path, says string }{
		{`{}`, "/messages", "required"},
		{`{"messages":null}`, "/messages", "required"},
		{`{"messages":"hi"}`, "/messages", "array"},
		{`{"messages":["hi"]}`, "/messages/0", "object"},
		{`{"messages":[{"content":"hi"}]}`, "/messages/0/role", "required"},
		{`{"messages":[{"role":"user","content":{"text":"hi"}}]}`, "/messages/0/content", "list of parts"},
		{message(`7`), "/messages/0/content", "list of parts"},
		{`{"messages":[{"role":7}]}`, "/messages/0/role", "string"},
		{message(`["hi"]`), "/messages/0/content/0", "object"},
		{message(`[{"text":"hi"}]`), "/messages/0/content/0/kind", "required"},
		{message(`[{"kind":"text","text":5}]`), "/messages/0/content/0/text", "string"},
		{message(`[{"kind":"media","media":"x"}]`), "/messages/0/content/0/media", "object"},
		{message(`[{"kind":"tool_call","call":{"args":{"a":1}}}]`), "/messages/0/content/0/call/args", "string"},
		{`{"messages":[],"temperature":"hot"}`, "/temperature", "number"},
		{`{"messages":[],"max_tokens":1.5}`, "/max_tokens", "integer"},
		{`{"messages":[],"max_tokens":1e400}`, "/max_tokens", "integer"},
		{`{"messages":[],"n":-1}`, "/n", "between"},
		{`{"messages":[],"seed":"x"}`, "/seed", "number"},
		{`{"messages":[],"stop":[1]}`, "/stop/0", "string"},
		{`{"messages":[],"metadata":{"a/b":1}}`, "/metadata/a~1b", "string"},
		{`{"messages":[],"tools":[{"name":"f","schema":"s"}]}`, "/tools/0/schema", "object"},
		{`{"messages":[],"tool_choice":{"name":"f"}}`, "/tool_choice/mode", "required"},
		{`{"messages":[],"format":{}}`, "/format/kind", "required"},
		{`{"messages":[],"routing":{"sovreign":true}}`, "/routing/sovreign", "no such wish"},
		{`{"messages":[],"ext":{"members":{}}}`, "/ext/dialect", "required"},
		{`{"messages":[],"ext":{"dialect":"x","members":[]}}`, "/ext/members", "object"},
		{`[]`, "", "object"},
		{``, "", "unexpected end"},
		{`{"messages":[]`, "", "unexpected end"},
		{`{"messages":[]} x`, "", "after"},
		{`{"messages":[],"messages":[]}`, "", "repeated"},
		{message(`[{"kind":"text","text":"a","text":"b"}]`), "/messages/0/content/0", "repeated"},
		{message("\"\xff\""), "", "UTF-8"},
		{`{"messages":[],"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, "/x", "deep"},
	} {
		_, err := decodeRequest(t, "/api/v1/chat", []byte(c.body))
		var e *scri.Error
		if !errors.As(err, &e) {
			t.Errorf("%.80s: %v", c.body, err)
			continue
		}
		if e.Kind != scri.ErrInvalid || e.Status != http.StatusBadRequest || !strings.HasPrefix(e.Path, c.path) ||
			c.path != "" && len(e.Path) > len(c.path)+5 || !strings.Contains(e.Message, c.says) {
			t.Errorf("%.80s: %d %s, want %s at %q", c.body, e.Status, e, c.says, c.path)
		}
	}
}

// TestOddErrors shows how errors are read that are not as this dialect has them.
func TestOddErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		header http.Header
		body   string
		want   scri.Error
	}{
		{404, nil, `{"error":{"kind":"not_found","message":"no such model"}}`, scri.Error{Kind: scri.ErrNotFound, Status: 404, Message: "no such model"}},
		{429, http.Header{"Retry-After": {"3"}}, `{"error":{"kind":"new_kind","message":"slow down"}}`, scri.Error{Kind: scri.ErrRateLimited, Status: 429, Code: "new_kind", Message: "slow down", RetryAfter: 3 * time.Second}},
		{503, nil, `{"error":"no capacity"}`, scri.Error{Kind: scri.ErrOverloaded, Status: 503, Message: "no capacity"}},
		{400, nil, `{"error":{"message":"no","status":"bad","code":"c"}}`, scri.Error{Kind: scri.ErrInvalid, Status: 400, Message: "no", Code: "c"}},
		{502, nil, `<html>Bad Gateway</html>`, scri.Error{Kind: scri.ErrUnavailable, Status: 502, Message: "the answer is no error that can be read"}},
		{500, nil, `{"error":null}`, scri.Error{Kind: scri.ErrUnavailable, Status: 500, Message: "the answer is no error that can be read"}},
	} {
		got := d.DecodeError(&dialect.Answer{Status: c.status, Header: c.header, Body: []byte(c.body)})
		if diff := cmp.Diff(&c.want, got, same); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.body, diff)
		}
	}
}

// TestNoAnswer shows bodies of status 200 that are no answer.
func TestNoAnswer(t *testing.T) {
	for body, kind := range map[string]scri.ErrorKind{
		`{"error":{"kind":"overloaded","message":"m"}}`: scri.ErrOverloaded,
		`<html>`: scri.ErrUnavailable,
		`[]`:     scri.ErrUnavailable,
		``:       scri.ErrUnavailable,
		`{"id":`: scri.ErrTruncated,
	} {
		_, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: []byte(body)})
		if e := scri.AsError(err); e == nil || e.Kind != kind {
			t.Errorf("%s: %v, want %s", body, err, kind)
		}
	}
	for body, kind := range map[string]scri.ErrorKind{
		`{"error":{"kind":"overloaded","message":"m"}}`:            scri.ErrOverloaded,
		"data: {\"error\":{\"kind\":\"quota\",\"message\":\"m\"}}": scri.ErrQuota,
		`<html>`:                        scri.ErrUnavailable,
		`{"id":"r1","content":"whole"}`: scri.ErrUnavailable,
		"data: nonsense\n\ndata: {\"kind\":\"done\"}\n\n": scri.ErrUnavailable,
		"data: [1]\n\ndata: {\"kind\":\"done\"}\n\n":      scri.ErrUnavailable,
		"": scri.ErrTruncated,
		"data: {\"kind\":\"delta\",\"delta\":\"a\"}\n\ndata: {\"kind\":": scri.ErrTruncated,
	} {
		_, err := scri.Collect(decodeStream([]byte(body)))
		if e := scri.AsError(err); e == nil || e.Kind != kind {
			t.Errorf("%s: %v, want %s", body, err, kind)
		}
	}
}

func TestCountAndModels(t *testing.T) {
	counter, lister := d.(dialect.Counter), d.(dialect.Lister)
	x := &scri.CountResponse{
		Input: 12, Estimated: true, Model: "m", Provider: "p", Lineage: &scri.Lineage{ID: "req_1"},
		Ext: &scri.Ext{Dialect: "native", Members: scri.RawJSON(`{"x":1}`)},
	}
	b := counter.EncodeCount(nil, nil, x)
	if want := `{"input_tokens":12,"estimated":true,"model":"m","provider":"p","lineage":{"id":"req_1"},"x":1}`; string(b) != want {
		t.Errorf("%s, want %s", b, want)
	}
	z, err := counter.DecodeCount(&dialect.Answer{Status: 200, Body: b})
	if diff := cmp.Diff(x, z, same); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if _, err := counter.DecodeCount(&dialect.Answer{Status: 200, Body: []byte(`{}`)}); err == nil {
		t.Error("a count without a count")
	}
	l := &scri.ModelList{Models: []scri.ModelInfo{
		{
			ID: "ollama:qwen3:8b", Model: "qwen3:8b", Provider: "ollama", Zone: "local", ContextWindow: 40960, MaxOutput: 8192, Created: 1,
			SizeBytes: 5, Digest: "sha256:1", Family: "qwen3", ParameterSize: "8B", Quantization: "Q4_K_M", Capabilities: []string{"tools"}, Loaded: true,
			PriceIn: new(0.0), PriceOut: new(0.5),
		},
		{ID: "local"},
		{ID: "fast", Means: []string{"local"}},
	}}
	b = lister.EncodeModels(nil, nil, l)
	got, err := lister.DecodeModels(&dialect.Answer{Status: 200, Body: b})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Models {
		if m := got.Models[i]; m.Dialect != "native" || string(m.Raw) != string(lister.EncodeModel(nil, nil, &l.Models[i])) {
			t.Errorf("model %d: %s %s", i, m.Dialect, m.Raw)
		}
		got.Models[i].Dialect, got.Models[i].Raw = "", nil
	}
	if diff := cmp.Diff(l, got, same); diff != "" {
		t.Error(diff)
	}
	if string(lister.EncodeModels(nil, nil, &scri.ModelList{})) != `{"models":[]}` {
		t.Error("an empty list is no list")
	}
}

// TestTargets shows what a target changes in a request.
func TestTargets(t *testing.T) {
	for _, c := range []struct {
		path, body string
		target     *dialect.Target
		want       string
	}{
		{"/api/v1/chat", `{"messages":[]}`, &dialect.Target{}, `POST /api/v1/chat {"messages":[]} []`},
		{"/api/v1/chat", `{"model":"a","messages":[],"stream":true}`, &dialect.Target{Model: "b", WantUsage: true, NumCtx: 5}, `POST /api/v1/chat {"model":"b","stream":true,"messages":[]} []`},
		{"/api/v1/chat/stream", `{"messages":[]}`, nil, `POST /api/v1/chat/stream {"messages":[]} []`},
		{"/api/v1/chat", `{"messages":[]}`, &dialect.Target{LogProbs: true}, `POST /api/v1/chat {"messages":[],"logprobs":0} [added /logprobs]`},
		{"/api/v1/chat", `{"messages":[],"logprobs":3}`, &dialect.Target{LogProbs: true}, `POST /api/v1/chat {"messages":[],"logprobs":3} []`},
	} {
		req, err := decodeRequest(t, c.path, []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		out, warn, err := d.EncodeRequest(req, c.target)
		if err != nil {
			t.Fatal(err)
		}
		list := []string{}
		for _, w := range warn {
			list = append(list, w.Code+" "+w.Path)
		}
		if got := fmt.Sprint(out.Method, " ", out.Path, " ", string(out.Body), " ", list); got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.path, c.body, got, c.want)
		}
	}
}

// TestManyMembers: a body full of unknown members costs time in proportion.
func TestManyMembers(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"messages":[]`)
	for i := range 200_000 {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	b.WriteString(`}`)
	req, err := decodeRequest(t, "/api/v1/chat", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if out := encodeRequest(t, req); len(out.Body) != b.Len() {
		t.Errorf("%d bytes became %d", b.Len(), len(out.Body))
	}
}
