package provider

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// localRuntime is a runtime with these models in its list.
func localRuntime(t *testing.T, e Entry, models string, h http.HandlerFunc) (*Provider, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/models" {
			fmt.Fprintf(w, `{"models":[%s]}`, models)
			return
		}
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	e.Dialect, e.BaseURL = "runtime", srv.URL
	return build(t, Local, "rt", e, Deps{}), &asked
}

const (
	small    = `{"id":"small:latest","parameter_size":"3.2B","size_bytes":2}`
	big      = `{"id":"big:70b","parameter_size":"70.6B","size_bytes":1}`
	embedder = `{"id":"nomic-embed-text:latest","parameter_size":"999B"}`
	blind    = `{"id":"vectors:1t","parameter_size":"1T","capabilities":["embedding"]}`
	cloud    = `{"id":"huge:480b-cloud","parameter_size":"480B"}`
	far      = `{"id":"far:800b","parameter_size":"800B","remote_host":"https://elsewhere"}`
)

func TestResolveLocal(t *testing.T) {
	for name, c := range map[string]struct {
		def, models string
		want, why   string
	}{
		"the default is there":       {"small:latest", small + "," + big, "small:latest", "is installed"},
		"the default without a tag":  {"small", small + "," + big, "small:latest", "is installed"},
		"the default is not there":   {"gone:8b", small + "," + big, "big:70b", "gone:8b is not installed"},
		"no default":                 {"", big + "," + small, "big:70b", "largest"},
		"what cannot chat":           {"", embedder + "," + blind + "," + small, "small:latest", "largest"},
		"what runs in a cloud":       {"", cloud + "," + far + "," + small, "small:latest", "largest"},
		"nothing":                    {"", "", "", "no chat model is installed"},
		"nothing but what runs away": {"", cloud, "", "no chat model is installed"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := localRuntime(t, Entry{DefaultModel: c.def}, c.models, http.NotFound)
			got := p.ResolveLocal(allowed(t, p))
			if got.Model != c.want || !strings.Contains(got.Why, c.why) {
				t.Errorf("%q (%s), want %q (%s)", got.Model, got.Why, c.want, c.why)
			}
			if taken := strings.Contains(c.why, "is not installed") && got.Instead == c.def; taken != (got.Instead != "") {
				t.Errorf("%q instead of %q", got.Model, got.Instead)
			}
		})
	}
	p := build(t, Local, "ollama", Entry{DefaultModel: "m", BaseURL: "http://127.0.0.1:1"}, Deps{})
	if got := p.ResolveLocal(allowed(t, p)); got.Model != "m" || !strings.Contains(got.Why, "not known") || got.Instead != "" {
		t.Errorf("with nobody there: %+v", got)
	}
}

// A local runtime may offer models that run in somebody's cloud: zone local
// does not use them, whatever is asked.
func TestCloudModelsOfALocalRuntimeAreRefused(t *testing.T) {
	p, asked := localRuntime(t, Entry{}, far, http.NotFound)
	for _, model := range []string{"gpt-oss:120b-cloud", "kimi:cloud"} {
		_, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: model})
		wantError(t, err, scri.ErrPolicy, model, `zone = "cloud"`)
	}
	if n := asked.Load(); n != 0 {
		t.Fatalf("%d requests were sent", n)
	}
	p.Models(allowed(t, p)) // now the list is known
	_, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: "far:800b"})
	wantError(t, err, scri.ErrPolicy, "far:800b")
	if n := asked.Load(); n != 2 { // for the list, and for what of it is loaded
		t.Errorf("%d requests were sent", n)
	}
}

// A runtime cuts what does not fit its window in silence, so a long prompt asks
// for a window that holds it, and one that fits nowhere is refused.
func TestNumCtx(t *testing.T) {
	const shown = `{"id":"m","context_window":32768}`
	maxTokens := func(n int64) *int64 { return &n }
	for name, c := range map[string]struct {
		models []ModelEntry
		req    scri.ChatRequest
		tokens int64
		loaded string
		want   string
		err    scri.ErrorKind
	}{
		"short":                     {tokens: 500, want: `"num_ctx":0,`},
		"not counted":               {want: `"num_ctx":0,`},
		"long":                      {tokens: 5000, want: `"num_ctx":8192,`},
		"long, with a long answer":  {tokens: 5000, req: scri.ChatRequest{MaxTokens: maxTokens(4000)}, want: `"num_ctx":16384,`},
		"nearly all":                {tokens: 32000, want: `"num_ctx":32768,`},
		"too long":                  {tokens: 40000, err: scri.ErrContextLength},
		"configured":                {models: []ModelEntry{{Name: "m", ContextWindow: 6000}}, tokens: 10, want: `"num_ctx":6000,`},
		"too long for the settings": {models: []ModelEntry{{Name: "m", ContextWindow: 6000}}, tokens: 7000, err: scri.ErrContextLength},
		"loaded with room":          {tokens: 5000, loaded: `{"id":"m:latest","context_window":16384}`, want: `"num_ctx":16384,`},
		"estimated too low":         {tokens: 3000, req: scri.ChatRequest{MaxTokens: maxTokens(400)}, want: `"num_ctx":8192,`},
		"loaded without":            {tokens: 5000, loaded: `{"id":"m","context_window":4096}`, want: `"num_ctx":8192,`},
	} {
		t.Run(name, func(t *testing.T) {
			var body string
			p, _ := localRuntime(t, Entry{Models: c.models}, "", func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/show":
					fmt.Fprint(w, shown)
				case "/ps":
					fmt.Fprintf(w, `{"models":[%s]}`, c.loaded)
				default:
					b, _ := io.ReadAll(r.Body)
					body = string(b)
					fmt.Fprint(w, `{"text":"ok"}`)
				}
			})
			_, _, err := p.Chat(allowed(t, p), &c.req, &Call{Model: "m", Tokens: c.tokens})
			if c.err != "" {
				wantError(t, err, c.err)
				return
			}
			if err != nil || !strings.Contains(body, c.want) {
				t.Errorf("sent %s, want %s; %v", body, c.want, err)
			}
		})
	}
}

// To ask for another window, or for none, makes a runtime load the model anew: a
// short prompt after a long one asks for what is there.
func TestWindowIsKept(t *testing.T) {
	var body string
	p, _ := localRuntime(t, Entry{}, "", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/show":
			fmt.Fprint(w, `{"id":"m","context_window":32768}`)
		case "/ps":
			fmt.Fprint(w, `{"models":[]}`)
		default:
			b, _ := io.ReadAll(r.Body)
			body = string(b)
			fmt.Fprint(w, `{"text":"ok"}`)
		}
	})
	for _, c := range []struct {
		model  string
		tokens int64
		want   string
	}{
		{"m", 100, `"num_ctx":0,`},
		{"m", 5000, `"num_ctx":8192,`},
		{"m", 100, `"num_ctx":8192,`},
		{"m", 9000, `"num_ctx":16384,`},
		{"m", 5000, `"num_ctx":16384,`},
		{"m:latest", 100, `"num_ctx":16384,`},
		{"other", 100, `"num_ctx":0,`},
	} {
		if _, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: c.model, Tokens: c.tokens}); err != nil || !strings.Contains(body, c.want) {
			t.Errorf("%s with %d tokens: sent %s, want %s; %v", c.model, c.tokens, body, c.want, err)
		}
	}
}

// Where the estimate may be too low, a runtime is asked to refuse what it would cut;
// one that is told to by its own client does as it always does.
func TestPromptsAreNotCut(t *testing.T) {
	var body string
	p, _ := localRuntime(t, Entry{}, "", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
		fmt.Fprint(w, `{"text":"ok","models":[]}`)
	})
	for name, c := range map[string]struct {
		call Call
		want string
	}{
		"short":        {Call{Model: "m", Tokens: 1000}, `"uncut":false`},
		"perhaps long": {Call{Model: "m", Tokens: 1100}, `"uncut":true`},
		"its own":      {Call{Model: "m", Tokens: 1100, Header: http.Header{}}, `"uncut":false`},
	} {
		if _, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &c.call); err != nil || !strings.Contains(body, c.want) {
			t.Errorf("%s: sent %s, want %s; %v", name, body, c.want, err)
		}
	}
}

// A prompt that was estimated too low and is refused is asked again in a wider
// window, as far as the model has one.
func TestWindowGrows(t *testing.T) {
	for name, c := range map[string]struct {
		entry  Entry
		tokens int
		asked  string
		err    scri.ErrorKind
	}{
		"twice":                    {tokens: 30000, asked: "8192 16384 32768"},
		"once":                     {tokens: 16000, asked: "8192 16384"},
		"more than the model has":  {tokens: 40000, asked: "8192 16384 32768", err: scri.ErrContextLength},
		"more than was configured": {entry: Entry{Models: []ModelEntry{{Name: "m", ContextWindow: 8000}}}, tokens: 9000, asked: "8000", err: scri.ErrContextLength},
	} {
		var asked []string
		p, _ := localRuntime(t, c.entry, "", func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/show":
				fmt.Fprint(w, `{"id":"m","context_window":32768}`)
			case "/ps":
				fmt.Fprint(w, `{"models":[]}`)
			default:
				var body struct {
					NumCtx int `json:"num_ctx"`
				}
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
					t.Error(err)
				}
				asked = append(asked, strconv.Itoa(body.NumCtx))
				if body.NumCtx < c.tokens {
					http.Error(w, "the input length exceeds the context length", http.StatusBadRequest)
					return
				}
				fmt.Fprint(w, `{"text":"ok"}`)
			}
		})
		_, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: "m", Tokens: 5000})
		if got := strings.Join(asked, " "); got != c.asked || (err == nil) != (c.err == "") {
			t.Errorf("%s: asked for %s, want %s; %v", name, got, c.asked, err)
		}
		if c.err != "" {
			wantError(t, err, c.err)
		}
	}
}

// A window that the runtime has no memory for is asked for once: what fits into less is
// answered all the same.
func TestWindowTooWide(t *testing.T) {
	var asked []string
	p, _ := localRuntime(t, Entry{}, "", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var q struct {
			NumCtx int `json:"num_ctx"`
		}
		switch {
		case r.URL.Path == "/show":
			fmt.Fprint(w, `{"id":"m","context_window":131072}`)
		case r.URL.Path == "/ps":
			fmt.Fprint(w, `{"models":[]}`)
		case json.Unmarshal(b, &q) != nil:
			t.Errorf("sent %s", b)
		default:
			if asked = append(asked, strconv.Itoa(q.NumCtx)); q.NumCtx > 16384 {
				http.Error(w, "model requires more system memory than is available", http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, `{"text":"ok"}`)
		}
	})
	for _, c := range []struct {
		tokens int64
		err    bool
	}{{5000, false}, {30000, true}, {100, false}, {5000, false}} {
		_, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: "m", Tokens: c.tokens})
		if (err != nil) != c.err {
			t.Errorf("%d tokens: %v", c.tokens, err)
		}
	}
	if got := strings.Join(asked, " "); got != "8192 65536 0 8192" {
		t.Errorf("asked for %s", got)
	}
}

// What a runtime says that a model cannot do is not asked of it: it would refuse
// thoughts, and leave out pictures without a word.
func TestModelsThatCannot(t *testing.T) {
	var body string
	p, _ := localRuntime(t, Entry{}, "", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path != "/show":
			body = string(b)
			fmt.Fprint(w, `{"text":"ok","models":[]}`)
		case strings.Contains(string(b), "old"):
			fmt.Fprint(w, `{"id":"old"}`)
		case strings.Contains(string(b), "plain"):
			fmt.Fprint(w, `{"id":"plain","capabilities":["completion"]}`)
		case strings.Contains(string(b), "gpt-oss"):
			fmt.Fprint(w, `{"id":"gpt-oss","family":"gptoss","capabilities":["completion","thinking"]}`)
		default:
			fmt.Fprint(w, `{"id":"able","family":"qwen3","capabilities":["completion","thinking","vision"]}`)
		}
	})
	thinks := &scri.ChatRequest{Reasoning: &scri.Reasoning{Effort: "high"}}
	picture := scri.Part{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/png"}}
	says := func(r scri.Role, parts ...scri.Part) scri.Message { return scri.Message{Role: r, Parts: parts} }
	sees := &scri.ChatRequest{Messages: []scri.Message{says(scri.RoleUser, scri.TextPart("What is it?"), picture)}}
	saw := &scri.ChatRequest{Messages: []scri.Message{sees.Messages[0], says(scri.RoleAssistant, scri.TextPart("A cat.")), says(scri.RoleUser, scri.TextPart("Thanks."))}}
	found := &scri.ChatRequest{Messages: []scri.Message{says(scri.RoleTool, scri.TextPart("It says:"), scri.Part{Kind: scri.PartToolResult, Result: &scri.ToolResult{Parts: []scri.Part{picture}}})}}
	for name, c := range map[string]struct {
		req  *scri.ChatRequest
		call Call
		want string // what is sent, or the path where it is refused
	}{
		"thoughts of one that has none":     {thinks, Call{Model: "plain"}, `"thinking":"none"`},
		"degrees of one that has none":      {thinks, Call{Model: "able"}, `"thinking":"switch"`},
		"degrees of one that has them":      {thinks, Call{Model: "gpt-oss:20b"}, `"thinking":""`},
		"thoughts of one that is unknown":   {thinks, Call{Model: "old"}, `"thinking":""`},
		"a picture for one that sees":       {sees, Call{Model: "able"}, `"model":"able"`},
		"a picture for one that is unknown": {sees, Call{Model: "old"}, `"model":"old"`},
		"a picture for one that is blind":   {sees, Call{Model: "plain"}, "/messages/0/content/1"},
		"a picture of an earlier turn":      {saw, Call{Model: "plain"}, `"model":"plain"`},
		"a picture that a tool found":       {found, Call{Model: "plain"}, "/messages/0/content/1/result/content/0"},
	} {
		body = ""
		_, _, err := p.Chat(allowed(t, p), c.req, &c.call)
		switch {
		case c.want[0] == '/':
			if err == nil || body != "" {
				t.Errorf("%s: %q was sent, %v", name, body, err)
				continue
			}
			wantError(t, err, scri.ErrUnsupported, "plain sees no pictures")
			if e := scri.AsError(err); e.Path != c.want {
				t.Errorf("%s: the error is at %s, want %s", name, e.Path, c.want)
			}
		case err != nil || !strings.Contains(body, c.want):
			t.Errorf("%s: sent %s, want %s; %v", name, body, c.want, err)
		}
	}
}

// An answer that does not say that it is complete is none, whole as in a stream:
// Ollama gives such where a model repeats itself without end.
func TestUnfinishedAnswer(t *testing.T) {
	p, _ := localRuntime(t, Entry{}, "", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"text":"endless"}`) })
	_, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: "m"})
	wantError(t, err, scri.ErrTruncated, "without a finish reason")
}

// What a runtime says of a model is asked once, also by many at a time, and
// that it does not say is remembered for a while too.
func TestShowIsAskedOnce(t *testing.T) {
	for name, status := range map[string]int{"known": http.StatusOK, "unknown": http.StatusNotFound} {
		t.Run(name, func(t *testing.T) {
			p, asked := localRuntime(t, Entry{}, "", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				fmt.Fprint(w, `{"id":"m","context_window":1000}`)
			})
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					n, from := p.Window(allowed(t, p), "m")
					if status == http.StatusOK && (n != 1000 || from != "runtime") || status != http.StatusOK && n != 0 {
						t.Errorf("window %d from %q", n, from)
					}
				})
			}
			all.Wait()
			if n := asked.Load(); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestModels(t *testing.T) {
	list := func(p *Provider) string {
		var ids []string
		for _, m := range p.Models(allowed(t, p)) {
			ids = append(ids, fmt.Sprintf("%s@%s/%d", m.ID, m.Zone, m.ContextWindow))
		}
		return strings.Join(ids, " ")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"models":[{"id":"gpt-4.1-mini"},{"id":"gpt-4o"},{"id":"whisper"}]}`)
	}))
	t.Cleanup(srv.Close)
	all := build(t, Remote, "openai", Entry{BaseURL: srv.URL}, Deps{LookupEnv: env("OPENAI_API_KEY", "k")})
	if got := list(all); got != "gpt-4.1-mini@cloud/1047576 gpt-4o@cloud/128000 whisper@cloud/0" {
		t.Errorf("all: %s", got)
	}
	some := build(t, Remote, "openai", Entry{BaseURL: srv.URL, Models: []ModelEntry{{Name: "gpt-4o"}}}, Deps{LookupEnv: env("OPENAI_API_KEY", "k")})
	if got := list(some); got != "gpt-4o@cloud/128000" {
		t.Errorf("some: %s", got)
	}
	away := build(t, Remote, "openai", Entry{BaseURL: "http://127.0.0.1:1", Models: []ModelEntry{{Name: "gpt-4o"}, {Name: "mine", ContextWindow: 9}}}, Deps{LookupEnv: env("OPENAI_API_KEY", "k")})
	if got := list(away); got != "gpt-4o@cloud/128000 mine@cloud/9" {
		t.Errorf("away: %s", got)
	}
	off := build(t, Remote, "openai", Entry{}, Deps{})
	if got := list(off); got != "" {
		t.Errorf("switched off: %s", got)
	}
}

func TestProbe(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		err    scri.ErrorKind
	}{
		"well":         {200, ""},
		"no such path": {404, ""},
		"wrong key":    {401, scri.ErrAuth},
		"loading":      {503, scri.ErrOverloaded},
	} {
		t.Run(name, func(t *testing.T) {
			var path string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path = r.Method + " " + r.URL.Path
				w.WriteHeader(c.status)
			}))
			t.Cleanup(srv.Close)
			p := build(t, Local, "vllm", Entry{BaseURL: srv.URL}, Deps{})
			h, err := p.Probe(allowed(t, p))
			if path != "GET /health" || h.Status != c.status {
				t.Errorf("%s answered %d", path, h.Status)
			}
			if c.err != "" {
				wantError(t, err, c.err)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// A model with an innocent name may run elsewhere too; nobody needs to have
// looked at the list for that to be found out.
func TestWhereAModelRunsIsAskedBeforeItIsUsed(t *testing.T) {
	chats := 0
	p, asked := localRuntime(t, Entry{}, `{"id":"mine"},{"id":"far-away","remote_host":"https://elsewhere"}`, func(w http.ResponseWriter, _ *http.Request) {
		chats++
		fmt.Fprint(w, `{"text":"ok"}`)
	})
	_, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: "far-away"})
	wantError(t, err, scri.ErrPolicy, "far-away", "runs in a cloud")
	if chats != 0 {
		t.Fatal("the conversation was sent")
	}
	for range 3 {
		if _, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: "mine"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 4 {
		t.Errorf("%d requests, want the list once and three conversations", n)
	}
}

// What is loaded is told in the list of models.
func TestModelsTellWhatIsLoaded(t *testing.T) {
	p, _ := localRuntime(t, Entry{}, `{"id":"m"},{"id":"n"}`, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"models":[{"id":"n:latest","context_window":4096}]}`)
	})
	var got []string
	for _, m := range p.Models(allowed(t, p)) {
		got = append(got, fmt.Sprintf("%s %t %d", m.ID, m.Loaded, m.ContextWindow))
	}
	if s := strings.Join(got, ", "); s != "m false 0, n true 4096" {
		t.Errorf("models: %s", s)
	}
}

// The command that starts a runtime is a hint where it would help.
func TestStartHints(t *testing.T) {
	for url, want := range map[string]string{
		"":                        "start it: ollama serve (not installed? https://ollama.com/download)",
		"http://127.0.0.1:11434":  "start it: ollama serve (not installed? https://ollama.com/download)",
		"http://127.0.0.1:1":      "check base_url, and that the server runs",
		"http://gpu2.test:11434":  "start it there: ollama serve",
		"http://gpu2.test:40000/": "check base_url, and that the server runs",
	} {
		p := build(t, Local, "ollama", Entry{BaseURL: url}, Deps{})
		if got := p.startHint(); got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
}

// Who has no model yet is told how to get one.
func TestPullHints(t *testing.T) {
	p := build(t, Local, "ollama", Entry{}, Deps{})
	for model, want := range map[string]string{
		"gone:8b": "; fetch it: ollama pull gone:8b",
		"":        "; fetch one: ollama pull MODEL, for example ollama pull llama3.2:3b",
	} {
		if got := p.pullHint(model); got != want {
			t.Errorf("%q: %q, want %q", model, got, want)
		}
	}
}

// The model that is asked where none is named can be asked for, though nobody
// else knows it.
func TestTheDefaultModelIsListed(t *testing.T) {
	for name, e := range map[string]Entry{
		"alone":  {DefaultModel: "our-model"},
		"beside": {DefaultModel: "our-model", Models: []ModelEntry{{Name: "other"}}},
	} {
		e.Dialect, e.BaseURL = "plain", "http://127.0.0.1:1"
		p := build(t, Remote, "far", e, Deps{})
		list := p.Models(allowed(t, p))
		if !slices.ContainsFunc(list, func(m scri.ModelInfo) bool { return m.ID == "our-model" && m.Provider == "far" }) {
			t.Errorf("%s: models %+v", name, list)
		}
	}
}
