package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func user(text string) []scri.Message {
	return []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart(text)}}}
}

// The script, by what is asked of it.
func TestScript(t *testing.T) {
	answer := sim.Script("toy")
	schema := []byte(`{"type":"object","properties":{
		"city":{"type":"string"},"unit":{"enum":["C","F"]},"days":{"type":"integer","minimum":3},"fixed":{"const":"x"},
		"list":{"type":["array","null"],"items":{"type":"boolean"}},"any":{"anyOf":[{"type":"number"}]},"none":{"type":"null"},"odd":{}},
		"required":["city","unit","days","fixed","list","any","none","odd"]}`)
	const args = `{"city":"simulated","unit":"C","days":3,"fixed":"x","list":[true],"any":1,"none":null,"odd":{}}`
	tools := []scri.Tool{{Type: "web_search", Name: "search"}, {Name: "weather", Schema: schema}, {Name: "other"}}
	result := append(user("hi"), scri.Message{Role: scri.RoleTool, Parts: []scri.Part{
		{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: "c", Parts: []scri.Part{scri.TextPart("18 degrees")}}},
	}})
	for _, c := range []struct {
		name   string
		req    scri.ChatRequest
		text   string // what it ends with
		call   string
		args   string
		finish scri.FinishReason
		detail string
	}{
		{name: "it repeats what was asked", req: scri.ChatRequest{Messages: user("Are you there?")}, text: "You asked: Are you there?", finish: scri.FinishStop},
		{name: "nothing in words", req: scri.ChatRequest{}, text: "You asked: nothing in words", finish: scri.FinishStop},
		{name: "at most so many tokens", req: scri.ChatRequest{Messages: user("hi"), MaxTokens: new(int64(3))}, text: "This is a ", finish: scri.FinishLength},
		{name: "at most so many tokens, in lines", req: scri.ChatRequest{Messages: user("a\nb\n\nc\nd"), MaxTokens: new(int64(13))}, text: "asked: a\nb\n\nc\n", finish: scri.FinishLength},
		{name: "a stop sequence", req: scri.ChatRequest{Messages: user("hi"), Stop: []string{" simulated"}}, text: "This is a", finish: scri.FinishStop, detail: " simulated"},
		{name: "a tool", req: scri.ChatRequest{Messages: user("hi"), Tools: tools}, call: "weather", args: args, finish: scri.FinishToolCalls},
		{name: "the tool that is named", req: scri.ChatRequest{Messages: user("hi"), Tools: tools, ToolChoice: &scri.ToolChoice{Mode: scri.ToolsNamed, Name: "other"}}, call: "other", args: "{}", finish: scri.FinishToolCalls},
		{name: "no tool", req: scri.ChatRequest{Messages: user("hi"), Tools: tools, ToolChoice: &scri.ToolChoice{Mode: scri.ToolsNone}}, text: "hi", finish: scri.FinishStop},
		{name: "a tool's result", req: scri.ChatRequest{Messages: result, Tools: tools}, text: "You asked: 18 degrees", finish: scri.FinishStop},
		{name: "a format", req: scri.ChatRequest{Messages: user("hi"), Format: &scri.Format{Kind: scri.FormatJSONSchema, Schema: []byte(`{"properties":{"a":{"type":"integer"}},"required":["a"]}`)}}, text: `{"a":1}`, finish: scri.FinishStop},
		{name: "any JSON", req: scri.ChatRequest{Messages: user("hi"), Format: &scri.Format{Kind: scri.FormatJSON}}, text: `{"simulated":true}`, finish: scri.FinishStop},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := answer(&c.req)
			if err != nil {
				t.Fatal(err)
			}
			again, _ := answer(&c.req)
			if diff := cmp.Diff(r.Choices[0].Finish, again.Choices[0].Finish); diff != "" || len(r.Choices) != 1 {
				t.Errorf("the same request got another answer: %s", diff)
			}
			p := r.Choices[0].Output[0].Parts[0]
			if f := r.Choices[0].Finish; f.Reason != c.finish || f.Detail != c.detail {
				t.Errorf("finish %+v", f)
			}
			if c.call == "" {
				if text := p.Text.String(); !strings.HasSuffix(text, c.text) {
					t.Errorf("text %q", text)
				}
			} else if p.Call == nil || p.Call.Name != c.call || !wire.Equal([]byte(p.Call.Args.String()), []byte(c.args)) {
				t.Errorf("call %+v", p.Call)
			}
			if *r.Usage.Input < 1 || *r.Usage.Output < 1 {
				t.Errorf("usage %d, %d", *r.Usage.Input, *r.Usage.Output)
			}
		})
	}
}

func TestScriptExtras(t *testing.T) {
	r, err := sim.Script("toy")(&scri.ChatRequest{Messages: user("hi"), N: 2, LogProbs: new(0), Reasoning: &scri.Reasoning{Effort: "low"}})
	if err != nil || len(r.Choices) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, c := range r.Choices {
		parts := c.Output[0].Parts
		if len(parts) != 2 || parts[0].Kind != scri.PartThinking {
			t.Fatalf("parts %+v", parts)
		}
		var text strings.Builder
		for _, l := range c.LogProbs {
			text.WriteString(l.Token.String())
		}
		if text.String() != parts[1].Text.String() {
			t.Errorf("the tokens %q are not the text %q", text.String(), parts[1].Text)
		}
	}
}

// stand is one provider behind a server.
func stand(t *testing.T, o sim.Options) (*sim.Sim, string) {
	t.Helper()
	if o.Dialect == nil {
		o.Dialect = all.Get("openai")
	}
	o.Name = "toy"
	s := sim.New(o)
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	return s, ts.URL
}

const ask = `{"model":"m","messages":[{"role":"user","content":"a few words more than one"}]}`

func streaming(body string) string { return strings.TrimSuffix(body, "}") + `,"stream":true}` }

func post(t *testing.T, url, body string, h http.Header) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if h != nil {
		req.Header = h
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res, string(b), err
}

// What each fault does to the bytes, whole and streamed.
func TestFaults(t *testing.T) {
	const end = "[DONE]"
	for _, c := range []struct {
		fault  sim.Fault
		stream bool
		status int    // 0 = no answer
		has    string // what the body holds
		lacks  string
		broken bool // it does not end well
	}{
		{fault: sim.Fault{}, status: 200, has: `"finish_reason":"stop"`},
		{fault: sim.Fault{}, stream: true, status: 200, has: end},
		{fault: sim.Fault{Kind: sim.Refuse}, broken: true},
		{fault: sim.Fault{Kind: sim.RateLimit, RetryAfter: 7}, status: 429, has: "simulated rate limit"},
		{fault: sim.Fault{Kind: sim.ServerError}, status: 500, has: "simulated server error"},
		{fault: sim.Fault{Kind: sim.ServerError, Status: 503}, stream: true, status: 503, has: "simulated server error"},
		{fault: sim.Fault{Kind: sim.ErrorIn200}, status: 200, has: "simulated error in a 200"},
		{fault: sim.Fault{Kind: sim.SlowLoad, Delay: time.Millisecond}, status: 200, has: "simulated answer"},
		{fault: sim.Fault{Kind: sim.Cut}, stream: true, status: 200, has: "This", lacks: end},
		{fault: sim.Fault{Kind: sim.Cut, After: 4}, stream: true, status: 200, has: " a", lacks: end},
		{fault: sim.Fault{Kind: sim.Cut}, status: 200, has: `"object"`, lacks: "finish_reason"},
		{fault: sim.Fault{Kind: sim.Reset}, stream: true, status: 200, broken: true, lacks: end},
		{fault: sim.Fault{Kind: sim.Reset}, status: 200, broken: true, lacks: "finish_reason"},
		{fault: sim.Fault{Kind: sim.HalfRune}, stream: true, status: 200, has: "\xd0", lacks: end},
		{fault: sim.Fault{Kind: sim.HalfRune}, status: 200, has: "\xd0", lacks: "finish_reason"},
		{fault: sim.Fault{Kind: sim.Garbage}, stream: true, status: 200, has: "simulated garbage"},
		{fault: sim.Fault{Kind: sim.Garbage}, status: 200, has: "simulated garbage"},
		{fault: sim.Fault{Kind: sim.ErrorFirst}, stream: true, status: 200, has: "simulated error in the stream", lacks: "This"},
		{fault: sim.Fault{Kind: sim.ErrorFirst}, status: 200, has: "simulated error in a 200", lacks: "This"},
		{fault: sim.Fault{Kind: sim.ErrorSecond}, stream: true, status: 200, has: "simulated error in the stream", lacks: end},
	} {
		name := string(c.fault.Kind)
		if c.stream {
			name += ", stream"
		}
		t.Run(name, func(t *testing.T) {
			s, url := stand(t, sim.Options{})
			c.fault.Times = 1
			s.Set(c.fault)
			body := ask
			if c.stream {
				body = streaming(ask)
			}
			res, text, err := post(t, url+"/v1/chat/completions", body, nil)
			if (err != nil) != c.broken {
				t.Errorf("broken: %v, %q", err, text)
			}
			if res != nil && res.StatusCode != c.status || res == nil && c.status != 0 {
				t.Errorf("answer %v", res)
			}
			if !strings.Contains(text, c.has) || c.lacks != "" && strings.Contains(text, c.lacks) {
				t.Errorf("body %q", text)
			}
			if c.fault.Kind == sim.RateLimit && res.Header.Get("Retry-After") != "7" {
				t.Errorf("headers %v", res.Header)
			}
			// A fault that hits once is over.
			if _, text, err := post(t, url+"/v1/chat/completions", ask, nil); err != nil || !strings.Contains(text, "simulated answer") {
				t.Errorf("afterwards: %q, %v", text, err)
			}
		})
	}
}

// A fault that is counted hits requests to models: the lists, for which gateways ask
// whenever they like, use up none of it. One that is not counted hits both.
func TestCountedFaultsLeaveListsAlone(t *testing.T) {
	s, url := stand(t, sim.Options{})
	list := func() int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/models", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for _, kind := range []sim.FaultKind{sim.ServerError, sim.Cut} {
		s.Set(sim.Fault{Kind: kind, Times: 1})
		if status := list(); status != http.StatusOK {
			t.Errorf("%s, counted: the list has status %d", kind, status)
		}
		if _, text, err := post(t, url+"/v1/chat/completions", ask, nil); err == nil && strings.Contains(text, "finish_reason") {
			t.Errorf("%s, counted: it did not hit the request: %s", kind, text)
		}
	}
	s.Set(sim.Fault{Kind: sim.ServerError})
	if status := list(); status != http.StatusInternalServerError {
		t.Errorf("not counted: the list has status %d", status)
	}
}

// A stall lasts until the caller goes, and no longer.
func TestStalls(t *testing.T) {
	for _, kind := range []sim.FaultKind{sim.StallHeaders, sim.StallStream, sim.SlowLoad} {
		t.Run(string(kind), func(t *testing.T) {
			s, url := stand(t, sim.Options{})
			s.Set(sim.Fault{Kind: kind, Delay: time.Hour})
			ctx, cancel := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/chat/completions", strings.NewReader(streaming(ask)))
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			if kind == sim.StallStream {
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if _, err := io.ReadFull(res.Body, make([]byte, 10)); err != nil {
					t.Fatal(err)
				}
				cancel()
				return // closing the server waits for the handler
			}
			time.AfterFunc(20*time.Millisecond, cancel)
			if _, err := client.Do(req); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Words come one by one at the pace, as in a bubble of its own time.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sim.New(sim.Options{Name: "toy", Dialect: all.Get("native"), Pace: time.Second, LoadTime: time.Minute})
		began := time.Now()
		w := &timed{header: http.Header{}}
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/chat/stream", strings.NewReader(ask)))
		took := time.Since(began)
		words := len(strings.Fields("This is a simulated answer of toy (m). You asked: a few words more than one"))
		if least, most := time.Minute+time.Duration(words)*9*time.Second/10, time.Minute+time.Duration(words)*11*time.Second/10; took < least || took > most {
			t.Errorf("it took %s, not %s to %s", took, least, most)
		}
		if w.writes < words {
			t.Errorf("%d writes for %d words", w.writes, words)
		}
		began = time.Now()
		s.ServeHTTP(&timed{header: http.Header{}}, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/chat", strings.NewReader(ask)))
		if took := time.Since(began); took != time.Duration(words)*time.Second {
			t.Errorf("a whole answer of a loaded model took %s", took)
		}
	})
}

func TestTooLarge(t *testing.T) {
	_, url := stand(t, sim.Options{MaxBody: 10})
	if res, text, err := post(t, url+"/v1/chat/completions", ask, nil); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(text, "too large") {
		t.Errorf("%v %q, %v", res, text, err)
	}
}

type timed struct {
	header http.Header
	writes int
}

func (w *timed) Header() http.Header         { return w.header }
func (w *timed) WriteHeader(int)             {}
func (w *timed) Flush()                      {}
func (w *timed) Write(b []byte) (int, error) { w.writes++; return len(b), nil }

func TestModels(t *testing.T) {
	for _, d := range all.Table() {
		s, url := stand(t, sim.Options{Dialect: d, Models: []string{"m", "tiny:latest"}})
		for _, r := range d.Routes() {
			if r.Op == scri.OpModels {
				res, err := http.Get(url + r.Pattern)
				if err != nil {
					t.Fatal(err)
				}
				b, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if !bytes.Contains(b, []byte(`"m"`)) || !bytes.Contains(b, []byte("tiny")) {
					t.Errorf("%s: %s", d.Name(), b)
				}
			}
		}
		if s.Name() != "toy" || s.Dialect() != d.Name() {
			t.Errorf("%s, %s", s.Name(), s.Dialect())
		}
		http.DefaultClient.CloseIdleConnections()
	}
	_, url := stand(t, sim.Options{Models: []string{"tiny:latest"}})
	for model, want := range map[string]int{"tiny": 200, "tiny:latest": 200, "huge": 404} {
		if res, text, _ := post(t, url+"/v1/chat/completions", strings.Replace(ask, `"m"`, `"`+model+`"`, 1), nil); res.StatusCode != want {
			t.Errorf("%s: %d %s", model, res.StatusCode, text)
		}
	}
}

// Recorded answers: for a request that equals the recorded one as JSON, for one
// that names the case, and for the next one of all.
func TestCases(t *testing.T) {
	s, url := stand(t, sim.Options{Cases: []sim.Case{
		{ID: "one", Request: []byte(`{"model":"m","seed":1.0}`), Status: 200, Header: http.Header{"X-Was": {"there"}, "Content-Length": {"999"}}, Body: []byte("first")},
		{ID: "two", Request: []byte(`{"model":"n"}`), Status: 418, Body: []byte("second"), Chunks: []int{2, 100}},
	}})
	path := url + "/v1/chat/completions"
	for _, c := range []struct {
		name, body, next string
		header           http.Header
		status           int
		want             string
	}{
		{"equal", `{ "seed": 1.0, "model": "m" }`, "", nil, 200, "first"},
		{"named", `{"model":"x"}`, "", http.Header{sim.HeaderCase: {"two"}}, 418, "second"},
		{"next", `{"model":"x"}`, "two", nil, 418, "second"},
		{"none", ask, "", nil, 200, "simulated answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.next != "" && !s.Next(c.next) {
				t.Fatal("not known")
			}
			res, text, err := post(t, path, c.body, c.header)
			if err != nil || res.StatusCode != c.status || !strings.Contains(text, c.want) {
				t.Errorf("%v %q %v", res, text, err)
			}
			last, _ := s.Last()
			if string(last.Body) != c.body || last.Path != "/v1/chat/completions" {
				t.Errorf("last %+v", last)
			}
		})
	}
	if s.Next("three") {
		t.Error("a case that is not there was taken")
	}
	if _, served := s.Last(); served != 4 {
		t.Errorf("%d served", served)
	}
}

func TestRecordedNeedsADialect(t *testing.T) {
	if _, err := sim.Recorded(t.TempDir(), "openai"); err == nil {
		t.Error("an empty folder was taken")
	}
}

// A refused provider's port is closed, and the same one is open again afterwards.
func TestFarm(t *testing.T) {
	farm := &sim.Farm{}
	addr, err := farm.Add(t.Context(), sim.New(sim.Options{Name: "toy", Dialect: all.Get("openai"), Models: []string{"m"}}), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := farm.Add(t.Context(), sim.New(sim.Options{Name: "other", Dialect: all.Get("ollama")}), addr); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port in use: %v", err)
	}
	if _, err := farm.Add(t.Context(), sim.New(sim.Options{Name: "toy", Dialect: all.Get("ollama")}), "127.0.0.1:0"); err == nil {
		t.Error("two of one name, of which the second cannot be switched")
	}
	control := httptest.NewServer(farm.Control())
	t.Cleanup(func() {
		control.Close()
		if err := farm.Close(); err != nil {
			t.Error(err)
		}
	})
	do := func(method, path, body string, want int) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, control.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		if res.StatusCode != want {
			t.Errorf("%s %s: %d %s", method, path, res.StatusCode, b)
		}
		return string(b)
	}
	chat := func() (int, error) {
		res, _, err := post(t, "http://"+addr+"/v1/chat/completions", ask, nil)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, nil
	}
	if code, err := chat(); code != 200 {
		t.Fatal(code, err)
	}
	do("PUT", "/toy/fault", `{"kind":"refuse"}`, 204)
	if _, err := chat(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	do("PUT", "/toy/fault", `{"kind":"refuse"}`, 204) // twice is no harm
	for body, says := range map[string]string{`{"kind":"slow_load","delay":"3s"}`: "delay must be a whole number", `{"kind":7}`: "kind must be a string", `[]`: "a fault is an object"} {
		if got := do("PUT", "/toy/fault", body, 400); !strings.Contains(got, says) {
			t.Errorf("%s: %s", body, got)
		}
	}
	do("PUT", "/toy/fault", `{"kind":"rate_limit","times":1}`, 204)
	if code, err := chat(); code != 429 {
		t.Errorf("limited: %d %v", code, err)
	}
	do("DELETE", "/toy/fault", "", 204)
	if code, err := chat(); code != 200 {
		t.Errorf("mended: %d %v", code, err)
	}
	var list []struct {
		Name, Dialect, Address string
		Served                 int
	}
	if err := json.Unmarshal([]byte(do("GET", "/", "", 200)), &list); err != nil || len(list) != 1 || list[0].Address != addr || list[0].Served != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	do("PUT", "/toy/fault", `{"kind":"gremlin"}`, 400)
	do("PUT", "/toy/fault", `{"knd":"refuse"}`, 400)
	do("PUT", "/toy/fault", `{"kind":"server_error","status":99999}`, 400)
	do("PUT", "/toy/fault", `{"kind":"cut","after":-1}`, 400)
	do("PUT", "/toy/fault", `refuse`, 400)
	do("PUT", "/nobody/fault", `{"kind":"refuse"}`, 404)
	do("DELETE", "/nobody/fault", "", 404)
	do("POST", "/toy/next", `{"case":"x"}`, 404)
	do("POST", "/toy/next", `x`, 400)
	do("POST", "/nobody/next", `{"case":"x"}`, 404)
	do("GET", "/nobody/last", "", 404)
	var last sim.Seen
	if err := json.Unmarshal([]byte(do("GET", "/toy/last", "", 200)), &last); err != nil || string(last.Body) != ask {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestFaultNames(t *testing.T) {
	for _, k := range sim.Faults() {
		if err := (sim.Fault{Kind: k}).Check(); err != nil {
			t.Error(err)
		}
	}
	if err := (sim.Fault{}).Check(); err != nil {
		t.Error("no fault: ", err)
	}
	if err := (sim.Fault{Kind: "gremlin"}).Check(); err == nil || !strings.Contains(err.Error(), "refuse") {
		t.Errorf("got %v", err)
	}
	if !slices.Contains(sim.Faults(), sim.HalfRune) {
		t.Error("a fault is not listed")
	}
}
