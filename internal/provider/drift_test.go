package provider

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/corpus"
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// driftCase is one recorded incompatibility with the ops that mend it.
type driftCase struct {
	ID             string
	Provider       string
	Dialect        string
	Class          string
	Models         string
	RequestBefore  json.RawMessage   `json:"request_before"`
	RequestAfter   json.RawMessage   `json:"request_after"`
	PathBefore     string            `json:"path_before"`
	PathAfter      string            `json:"path_after"`
	HeadersBefore  map[string]string `json:"headers_before"`
	HeadersAfter   map[string]string `json:"headers_after"`
	ResponseBefore json.RawMessage   `json:"response_before"`
	ResponseAfter  json.RawMessage   `json:"response_after"`
	Fix            []json.RawMessage

	ops []struct{ Op, At, To, From, Path string }
}

func driftCases(t *testing.T) []*driftCase {
	t.Helper()
	f, err := os.Open(filepath.Join(dialecttest.Shared(t), "drift", "cases.jsonl"))
	if err != nil {
		t.Skipf("the corpus of drift is absent: %v", err)
	}
	defer f.Close()
	var list []*driftCase
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c := new(driftCase)
		if err := json.Unmarshal(lines.Bytes(), c); err != nil {
			t.Fatal(err)
		}
		c.RequestBefore, c.RequestAfter = corpus.Compact(c.RequestBefore), corpus.Compact(c.RequestAfter)
		for _, raw := range c.Fix {
			op := struct{ Op, At, To, From, Path string }{}
			var v map[string]any
			_ = json.Unmarshal(raw, &v)
			op.Op, _ = v["op"].(string)
			op.At, _ = v["at"].(string)
			op.To, _ = v["to"].(string)
			op.From, _ = v["from"].(string)
			op.Path, _ = v["path"].(string)
			c.ops = append(c.ops, op)
		}
		list = append(list, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func (c *driftCase) has(op string) bool {
	return slices.ContainsFunc(c.ops, func(o struct{ Op, At, To, From, Path string }) bool { return o.Op == op })
}

func (c *driftCase) at(at string) bool {
	return slices.ContainsFunc(c.ops, func(o struct{ Op, At, To, From, Path string }) bool { return o.At == at })
}

// ours is our name of the case's format, "" when we have none.
func (c *driftCase) ours() string {
	switch c.Dialect {
	case "openai-chat", "openai-completions":
		return "openai"
	case "openai-responses":
		return "responses"
	case "anthropic-messages":
		return "anthropic"
	case "bedrock-converse":
		return "bedrock"
	case "ollama-chat":
		return "ollama"
	case "cohere-chat":
		return "cohere"
	case "gemini":
		return "gemini"
	default:
		return ""
	}
}

// spoken is the dialect that the request is written in: what the fix says it is
// to leave, else that of the case.
func (c *driftCase) spoken() string {
	for _, op := range c.ops {
		if op.Op == "dialect" && op.From == "openai-chat" {
			return "openai"
		}
	}
	return c.ours()
}

// compile makes an overlay of the case's fix, as it stands, and narrows it to the
// case's model.
func (c *driftCase) compile() (*overlay.Plan, overlay.Target, error) {
	list, err := c.overlays()
	if err != nil {
		return nil, overlay.Target{}, err
	}
	var req struct{ Model string }
	_ = json.Unmarshal(c.RequestBefore, &req)
	if req.Model == "" { // it stands in the path
		first, _, _ := strings.Cut(c.Models, "|")
		req.Model = strings.ReplaceAll(first, "*", "x")
	}
	t := overlay.Target{Provider: c.Provider, Dialect: c.spoken(), Model: req.Model, BaseURL: "https://api.example.com"}
	for _, raw := range c.Fix { // the two scopes that the corpus writes stand for where the case was seen
		var op struct{ Scope string }
		_ = json.Unmarshal(raw, &op)
		if name, ok := strings.CutPrefix(op.Scope, "provider="); ok {
			t.Entry = name
		}
		if base, ok := strings.CutPrefix(op.Scope, "base_url="); ok {
			t.BaseURL = "https://" + base
		}
	}
	return overlay.NewSet(list...).For(t, time.Time{}), t, nil
}

// overlays compiles the case's fix.
func (c *driftCase) overlays() ([]*overlay.Overlay, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"id": %q, "version": "1", "approval": {"by": "the corpus"}, "match": {"model": %q}, "ops": [`, c.ID, c.Models)
	for i, op := range c.Fix {
		if i > 0 {
			b.WriteString(", ")
		}
		b.Write(op)
	}
	b.WriteString("]}\n")
	return overlay.Parse(c.ID, b.Bytes(), overlay.User)
}

// knownGaps are the cases that do not come out as the corpus has them, and why.
var knownGaps = map[string]string{
	"anthropic-refusal-empty-content": "its two answers say different things, a text and none; all else of them is read alike",
}

// TestDrift applies the fix of every case of the corpus to what came before it.
func TestDrift(t *testing.T) {
	kept, edits := map[string]int{}, map[string]int{}
	total := 0
	for _, c := range driftCases(t) {
		total++
		kind, problem := c.try(t)
		edits[kind]++
		if problem == "" {
			kept[kind]++
			if why, known := knownGaps[c.ID]; known {
				t.Errorf("%s holds now; take it off the list (%s)", c.ID, why)
			}
			continue
		}
		why, known := knownGaps[c.ID]
		if strings.HasPrefix(problem, "no dialect") {
			why, known = "waits for it", true
		}
		if !known {
			t.Errorf("%s (%s): %s", c.ID, kind, problem)
			continue
		}
		t.Logf("not as the corpus has it: %s (%s): %s [%s]", c.ID, kind, why, problem)
	}
	for _, kind := range slices.Sorted(maps.Keys(edits)) {
		t.Logf("%-28s %3d of %3d", kind, kept[kind], edits[kind])
	}
	t.Logf("%d cases in all", total)
}

// try returns what kind of case it is, and what is wrong with it.
func (c *driftCase) try(t *testing.T) (kind, problem string) {
	kind = "request"
	switch {
	case len(c.ops) > 0 && c.ops[0].Op == "none":
		kind = "nothing to edit"
	case c.has("base_url"):
		kind = "address"
	case c.has("path") || c.has("query_set"):
		kind = "path"
	case c.has("dialect"):
		kind = "dialect"
	case c.at("headers"):
		kind = "headers"
	case c.at("response") || c.at("stream"):
		kind = "answer"
	}
	plan, target, err := c.compile()
	if err != nil {
		return kind, err.Error()
	}
	switch kind {
	case "nothing to edit":
		if plan != nil {
			return kind, "something would be done"
		}
		return kind, ""
	case "address":
		return kind, c.tryAddress()
	}
	if plan == nil {
		return kind, "no op fits the case's own model"
	}
	if kind == "answer" {
		return kind, c.tryAnswer(plan)
	}
	return kind, c.tryRequest(plan, target)
}

func (c *driftCase) tryRequest(plan *overlay.Plan, target overlay.Target) string {
	if why := c.earlier(plan, target); why != "" {
		return why
	}
	run := plan.Begin(nil)
	q := overlay.Request{Body: c.RequestBefore, Header: headersOf(c.HeadersBefore), Model: target.Model}
	q.Path, q.Query, _ = strings.Cut(c.PathBefore, "?")
	if err := run.Request(&q); err != nil {
		return err.Error()
	}
	if to, _ := run.Dialect(); to != "" {
		body, err := c.reencode(to)
		if err != nil {
			return err.Error()
		}
		q.Body = body
	}
	if c.HeadersAfter != nil {
		if diff := cmp.Diff(headersOf(c.HeadersAfter), q.Header); diff != "" {
			return "headers: " + diff
		}
	}
	if c.PathAfter != "" {
		got := q.Path
		if q.Query != "" {
			got += "?" + q.Query
		}
		if got != c.PathAfter {
			return fmt.Sprintf("path: got %s, want %s", got, c.PathAfter)
		}
	}
	if c.RequestAfter == nil || wire.Equal(q.Body, c.RequestAfter) || c.sameButIDs(q.Body) {
		return ""
	}
	return fmt.Sprintf("got %s, want %s", q.Body, c.RequestAfter)
}

// earlier plays the exchange that the case's history comes from, where the case
// says that a value is from there.
func (c *driftCase) earlier(plan *overlay.Plan, target overlay.Target) string {
	if !bytes.Contains(c.RequestAfter, []byte("<from response>")) {
		return ""
	}
	var before, after map[string]json.RawMessage
	var turns, want []json.RawMessage
	_ = json.Unmarshal(c.RequestBefore, &before)
	_ = json.Unmarshal(c.RequestAfter, &after)
	_ = json.Unmarshal(before["messages"], &turns)
	_ = json.Unmarshal(after["messages"], &want)
	for i, turn := range want {
		if !bytes.Contains(turn, []byte("<from response>")) {
			continue
		}
		before["messages"], _ = json.Marshal(turns[:i])
		body := corpus.Compact(mustJSON(before))
		run := plan.Begin(nil)
		if err := run.Request(&overlay.Request{Body: body, Model: target.Model}); err != nil {
			return err.Error()
		}
		run.Response([]byte(`{"choices": [{"message": ` + string(turn) + `}]}`))
	}
	return ""
}

func mustJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// reencode writes the request in another dialect.
func (c *driftCase) reencode(to string) ([]byte, error) {
	name := c.spoken()
	from, into := all.Get(name), all.Get(to)
	if from == nil || into == nil {
		return nil, fmt.Errorf("no dialect %s or %s yet", name, to)
	}
	req, err := from.DecodeRequest(dialecttest.Incoming(from, from.Routes()[0].Pattern, nil, c.RequestBefore))
	if err != nil {
		return nil, err
	}
	out, _, err := into.EncodeRequest(req, &dialect.Target{Model: req.Model})
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

// sameButIDs compares what is left when rewritten ids are numbered in their order.
func (c *driftCase) sameButIDs(got []byte) bool {
	return c.has("id_rewrite") && wire.Equal(numbered(got), numbered(c.RequestAfter))
}

func numbered(raw []byte) []byte {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	seen := map[string]int{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for k, e := range v {
				if s, ok := e.(string); ok && (k == "id" || k == "tool_call_id") {
					if _, ok := seen[s]; !ok {
						seen[s] = len(seen)
					}
					v[k] = fmt.Sprint("id ", seen[s])
				}
				walk(e)
			}
		}
	}
	walk(v)
	out, _ := json.Marshal(v)
	return out
}

func headersOf(m map[string]string) http.Header {
	h := http.Header{}
	for k, v := range m {
		h.Set(k, v)
	}
	return h
}

// tryAddress builds the provider whose base_url the fix changes.
func (c *driftCase) tryAddress() string {
	const end = "/chat/completions"
	base, ok := strings.CutSuffix(c.PathBefore, end)
	if !ok {
		return "the case's address does not end in " + end
	}
	var active overlay.Active
	list, err := c.overlays()
	if err != nil {
		return err.Error()
	}
	active.Replace(overlay.NewSet(list...))
	p, err := New(Remote, c.Provider, Entry{Dialect: "openai", BaseURL: base}, Deps{
		Dialects: dialects, Catalogue: &Catalogue{}, Overlays: &active, LookupEnv: env(),
	})
	if err != nil {
		return err.Error()
	}
	defer p.Close()
	u, err := p.address.resolve(end)
	if err != nil {
		return err.Error()
	}
	if u.String() != c.PathAfter {
		return fmt.Sprintf("address: got %s, want %s", u, c.PathAfter)
	}
	return ""
}

// tryAnswer decodes what the adapter knows and what arrives now, mended, and
// compares what came of both.
func (c *driftCase) tryAnswer(plan *overlay.Plan) string {
	d := all.Get(c.ours())
	if d == nil {
		return "no dialect " + c.ours() + " yet"
	}
	run := plan.Begin(nil)
	if err := run.Request(&overlay.Request{Body: c.RequestBefore}); err != nil {
		return err.Error()
	}
	known, now := c.samples()
	var was, is *scri.ChatResponse
	var wasErr, isErr error
	if c.streams() {
		was, wasErr = readEvents(d, c.sse(known), nil)
		is, isErr = readEvents(d, c.sse(now), run)
	} else {
		was, wasErr = d.DecodeResponse(&dialect.Answer{Status: 200, Body: known[0], Target: &dialect.Target{}})
		is, isErr = d.DecodeResponse(&dialect.Answer{Status: 200, Body: run.Response(now[0]), Target: &dialect.Target{}})
	}
	if c.Class == "error-in-stream" {
		if isErr == nil || scri.AsError(isErr).Kind == scri.ErrTruncated {
			return fmt.Sprintf("the error was not seen: %v", isErr)
		}
		return ""
	}
	if fmt.Sprint(wasErr) != fmt.Sprint(isErr) {
		return fmt.Sprintf("was read with %v, is read with %v", wasErr, isErr)
	}
	var list []string
	for _, diff := range dialecttest.DiffResponses(was, is) {
		if text := diff.String(); c.Class != "stream-event-added" || !strings.Contains(text, ": added ") { // what the new event tells
			list = append(list, text)
		}
	}
	return strings.Join(list, "; ")
}

func (c *driftCase) streams() bool { return c.at("stream") && streamed(c.RequestBefore) }

// samples are the answer as the adapter knows it and as it comes now. The corpus
// shows the change alone, and leaves out what this puts back:
//
//   - "..." stands for any text;
//   - where a word is mapped, the adapter knows the answer with the word that it
//     is mapped to;
//   - an event that is new stands beside the known one, in the order that the
//     case names;
//   - what an op takes from an earlier event ($EVENT.PATH) was told there.
func (c *driftCase) samples() (known, now []json.RawMessage) {
	known, now = eventsOf(c.ResponseBefore), eventsOf(c.ResponseAfter)
	for i := range min(len(known), len(now)) {
		known[i] = c.likened(known[i], now[i])
	}
	if c.Class == "stream-event-added" {
		if strings.Contains(string(c.Fix[0]), "metadata") {
			now = append(now, known...)
		} else {
			now = append(slices.Clone(known), now...)
		}
	}
	for _, raw := range c.Fix {
		var op struct{ Path, Value string }
		_ = json.Unmarshal(raw, &op)
		event, path, ok := strings.Cut(strings.TrimPrefix(op.Value, "$"), ".")
		if !ok || op.Value[0] != '$' {
			continue
		}
		said := mustJSON(nested(strings.Split(path, "."), dig(known[0], strings.Split(op.Path, "."))))
		first := json.RawMessage(`{"type":"` + event + `",` + string(bytes.TrimSpace(said)[1:]))
		known, now = append([]json.RawMessage{first}, known...), append([]json.RawMessage{first}, now...)
	}
	return known, now
}

func eventsOf(raw json.RawMessage) []json.RawMessage {
	list := []json.RawMessage{raw}
	if raw[0] == '[' {
		list = nil
		_ = json.Unmarshal(raw, &list)
	}
	return list
}

func dig(raw json.RawMessage, names []string) json.RawMessage {
	for _, n := range names {
		var m map[string]json.RawMessage
		_ = json.Unmarshal(raw, &m)
		raw = m[n]
	}
	return raw
}

func nested(names []string, v any) any {
	for _, n := range slices.Backward(names) {
		v = map[string]any{n: v}
	}
	return v
}

// likened is the known sample with the texts that it leaves open, and the words
// that the fix maps to, as the new one has them.
func (c *driftCase) likened(known, now json.RawMessage) json.RawMessage {
	words := map[string]any{}
	for _, raw := range c.Fix {
		var op struct {
			Op  string
			Map map[string]any
		}
		if _ = json.Unmarshal(raw, &op); op.Op == "map_enum" {
			maps.Copy(words, op.Map)
		}
	}
	var k, n any
	_ = json.Unmarshal(known, &k)
	_ = json.Unmarshal(now, &n)
	var walk func(k, n any) any
	walk = func(k, n any) any {
		switch kv := k.(type) {
		case string:
			s, isText := n.(string)
			if to, mapped := words[s].(string); isText && mapped {
				return to
			}
			if kv == "..." && isText {
				return s
			}
		case map[string]any:
			if nv, ok := n.(map[string]any); ok {
				for name := range kv {
					kv[name] = walk(kv[name], nv[name])
				}
			}
		case []any:
			if nv, ok := n.([]any); ok {
				for i := range min(len(kv), len(nv)) {
					kv[i] = walk(kv[i], nv[i])
				}
			}
		}
		return k
	}
	return bytes.TrimSpace(mustJSON(walk(k, n)))
}

func streamed(req []byte) bool {
	var v struct{ Stream bool }
	_ = json.Unmarshal(req, &v)
	return v.Stream
}

// sse makes a stream of events; a bare delta is put into the chunk that the ops
// speak of.
func (c *driftCase) sse(list []json.RawMessage) []byte {
	var out []byte
	for _, data := range list {
		var head struct{ Type string }
		_ = json.Unmarshal(data, &head)
		if c.ours() == "openai" && strings.HasPrefix(c.ops[0].Path, "choices[*].delta") && !bytes.Contains(data, []byte(`"choices"`)) {
			data = []byte(`{"choices":[{"index":0,"delta":` + string(data) + `}]}`)
		}
		out = wire.AppendSSE(out, head.Type, data)
	}
	return out
}

func readEvents(d dialect.Dialect, raw []byte, run *overlay.Run) (*scri.ChatResponse, error) {
	a := &dialect.Answer{Status: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Stream: bytes.NewReader(raw), Target: &dialect.Target{}}
	if run != nil {
		a.Stream = run.Stream(a.Stream, overlay.SSE, 0)
	}
	return scri.Collect(d.DecodeStream(a))
}
