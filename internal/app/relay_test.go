package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/sim"
)

// formOf writes a form; a field whose name ends in "@" is a file.
func formOf(t testing.TB, fields ...string) (contentType string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		name, file := strings.CutSuffix(fields[i], "@")
		create := w.CreateFormField
		if file {
			create = func(name string) (io.Writer, error) { return w.CreateFormFile(name, "sound.wav") }
		}
		part, err := create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

// pass sends what is passed on. A body that begins with "form:" is a form.
func (l *lab) pass(t testing.TB, method, path string, h http.Header, body string) *reply {
	t.Helper()
	own := http.Header{}
	if list, form := strings.CutPrefix(body, "form:"); form {
		typ, b := formOf(t, strings.Split(list, "|")...)
		own["Content-Type"], body = []string{typ}, string(b)
	}
	maps.Copy(own, h)
	return l.send(t, method, path, own, strings.NewReader(body))
}

func relayLab(t testing.TB, config string) *lab {
	t.Helper()
	return newLab(t, config,
		up{name: "near", dialect: "openai", local: true, opt: sim.Options{Models: []string{"whisper-near", "rank-near"}}},
		up{name: "ollama", dialect: "ollama", local: true, opt: sim.Options{Models: []string{"llama"}}},
		up{name: "openai", dialect: "openai", opt: sim.Options{Models: []string{"tts", "draw", "judge", "hear"}}},
		up{name: "claude", dialect: "anthropic", opt: sim.Options{Models: []string{"claude-m"}}},
	)
}

// Each request reaches the provider that owns its model, as it was sent but for
// the model's name and the credential, and the answer comes back.
func TestRelaysReachTheOwner(t *testing.T) {
	l := relayLab(t, "[aliases]\nvoice = \"openai:tts\"\n[relay.moderations]\ntarget = \"openai:judge\"\n[relay.files]\ntarget = \"openai\"\n")
	for _, c := range []struct {
		name, method, path, body string
		header                   http.Header
		by, at, sent             string // who answered, at which path, and a part of what it got
		answer                   string // a part
		tokens                   bool   // the log tells the usage
	}{
		{name: "speech", path: "/v1/audio/speech", body: `{"model":"tts","input":"a b","voice":"x"}`, by: "openai", sent: `{"model":"tts","input":"a b","voice":"x"}`, answer: "WAVE"},
		{name: "pinned", path: "/v1/audio/speech", body: `{"input":"a", "model" : "openai:tts"}`, by: "openai", sent: `{"input":"a", "model" : "tts"}`, answer: "WAVE"},
		{name: "an alias", path: "/v1/audio/speech", body: `{"input":"a","model":"voice"}`, by: "openai", sent: `{"input":"a","model":"tts"}`, answer: "WAVE"},
		{name: "speech in a stream", path: "/v1/audio/speech", body: `{"model":"tts","input":"a b","stream_format":"sse"}`, by: "openai", answer: "speech.audio.done", tokens: true},
		{name: "transcription", path: "/v1/audio/transcriptions", body: "form:file@|some sound|model|whisper-near", by: "near", sent: "some sound", answer: "simulated transcript by near", tokens: true},
		{name: "transcription in a stream", path: "/v1/audio/transcriptions", body: "form:model|openai:hear|stream|true|file@|some sound", by: "openai", sent: "\r\n\r\nhear\r\n", answer: "transcript.text.done", tokens: true},
		{name: "translation as text", path: "/v1/audio/translations", body: "form:model|hear|response_format|srt|file@|some sound", by: "openai", answer: "simulated transcript"},
		{name: "images", path: "/v1/images/generations", body: `{"model":"draw","prompt":"a cat","n":2}`, by: "openai", answer: "b64_json", tokens: true},
		{name: "images in a stream", path: "/v1/images/generations", body: `{"model":"draw","prompt":"a cat","stream":true}`, by: "openai", answer: "image_generation.completed", tokens: true},
		{name: "an edit", path: "/v1/images/edits", body: "form:image@|pixels|prompt|a hat|model|draw", by: "openai", sent: "pixels", answer: "b64_json", tokens: true},
		{name: "a variation", path: "/v1/images/variations", body: "form:image@|pixels|model|draw", by: "openai", answer: "b64_json", tokens: true},
		{name: "moderation", path: "/v1/moderations", body: `{"model":"judge","input":"flag me"}`, by: "openai", answer: `"flagged":true`},
		{name: "moderation without a model", path: "/v1/moderations", body: `{"input":"hello"}`, by: "openai", sent: `{"model":"judge","input":"hello"}`, answer: `"flagged":false`},
		{name: "rerank", path: "/v1/rerank", body: `{"model":"rank-near","query":"b","documents":["a","b"],"top_n":1}`, by: "near", answer: `"index":1`},
		{name: "rerank as Cohere has it", path: "/v2/rerank", body: `{"model":"near:rank-near","query":"b","documents":["a","b"]}`, by: "near", at: "/v2/rerank", answer: `search_units`},
		{name: "a list of files", method: "GET", path: "/v1/files?limit=2&key=secret", by: "openai", at: "/v1/files?limit=2", answer: `"object":"list"`},
		{name: "files of another", method: "GET", path: "/v1/files?aratta_provider=near", by: "near", at: "/v1/files", answer: `"object":"list"`},
		{name: "files of another, by header", method: "GET", path: "/v1/files", header: http.Header{"X-Aratta-Provider": {"near"}}, by: "near", answer: `"object":"list"`},
		{name: "Anthropic's files", method: "GET", path: "/v1/files", header: http.Header{"Anthropic-Version": {"2023-06-01"}, "X-Aratta-Provider": {"claude"}}, by: "claude", answer: `"data":[]`},
		{name: "Anthropic's batches", path: "/v1/messages/batches", body: `{"requests":[{"custom_id":"a","params":{"model":"claude-m"}}]}`, by: "claude", answer: "message_batch"},
	} {
		if c.method == "" {
			c.method = "POST"
		}
		if c.at == "" {
			c.at = c.path
		}
		l.log.reset()
		r := l.pass(t, c.method, c.path, c.header, c.body)
		if r.status != http.StatusOK || r.err != nil || !strings.Contains(string(r.body), c.answer) {
			t.Errorf("%s: %d %.300s (%v)", c.name, r.status, r.body, r.err)
			continue
		}
		last, _ := l.sims[c.by].Last()
		if last == nil || last.Path != c.at || last.Method != c.method || !strings.Contains(string(last.Body), c.sent) {
			t.Errorf("%s: %s got %+v", c.name, c.by, last)
			continue
		}
		for name, values := range last.Header {
			if v := strings.Join(values, " "); strings.Contains(v, "key-of-the-client") || strings.HasPrefix(name, "X-Aratta") {
				t.Errorf("%s: %s was sent %s: %s", c.name, c.by, name, v)
			}
		}
		if key := last.Header.Get("Authorization") + last.Header.Get("X-Api-Key"); c.by != "near" && !strings.HasSuffix(key, labKey) {
			t.Errorf("%s: %s was sent no key of the gateway's", c.name, c.by)
		}
		if by := r.header.Get("X-Aratta-Provider"); by != c.by || r.header.Get("X-Aratta-Request-Id") == "" || r.header.Get("X-Simulated") != "" {
			t.Errorf("%s: header %v", c.name, r.header)
		}
		l.logsRequest(t, c.name, c.by, c.tokens)
	}
}

// logsRequest looks for the line of a request that went well.
func (l *lab) logsRequest(t *testing.T, name, by string, tokens bool) {
	t.Helper()
	for {
		text, more := l.log.now()
		for line := range strings.Lines(text) {
			var v map[string]any
			if json.Unmarshal([]byte(line), &v) != nil || v["msg"] != "request" {
				continue
			}
			if _, told := v["output_tokens"]; v["provider"] != by || v["outcome"] != "ok" || told != tokens {
				t.Errorf("%s: logged %s", name, line)
			}
			return
		}
		<-more
	}
}

// Files and batches live at their provider; parts of them come as asked.
func TestFilesAndBatches(t *testing.T) {
	l := relayLab(t, "[relay.files]\ntarget = \"openai\"\n[relay.batches]\ntarget = \"openai\"\n")
	var f struct{ ID, Purpose string }
	r := l.pass(t, "POST", "/v1/files", nil, "form:purpose|batch|file@|{\"custom_id\":\"one\"}\n")
	if err := json.Unmarshal(r.body, &f); err != nil || f.Purpose != "batch" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	r = l.pass(t, "GET", "/v1/files/"+f.ID+"/content", http.Header{"Range": {"bytes=2-10"}}, "")
	if r.status != http.StatusPartialContent || string(r.body) != "custom_id" || !strings.HasPrefix(r.header.Get("Content-Range"), "bytes 2-10/") {
		t.Errorf("%d %q %v", r.status, r.body, r.header)
	}
	if r = l.pass(t, "GET", "/v1/files/"+f.ID+"/content", http.Header{"Range": {"bytes=900-"}}, ""); r.status != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("%d %q", r.status, r.body)
	}
	var b struct {
		ID, Status string
		Output     string `json:"output_file_id"`
	}
	r = l.pass(t, "POST", "/v1/batches", nil, `{"input_file_id":"`+f.ID+`","endpoint":"/v1/chat/completions","completion_window":"24h"}`)
	if err := json.Unmarshal(r.body, &b); err != nil || b.Status != "completed" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for _, path := range []string{"/v1/batches/" + b.ID, "/v1/batches", "/v1/files/" + b.Output, "/v1/files/" + b.Output + "/content"} {
		if r = l.pass(t, "GET", path, nil, ""); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if r = l.pass(t, "POST", "/v1/batches/"+b.ID+"/cancel", nil, ""); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r = l.pass(t, "DELETE", "/v1/files/"+f.ID, nil, ""); r.status != http.StatusOK || !strings.Contains(string(r.body), `"deleted":true`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r = l.pass(t, "GET", "/v1/files/"+f.ID, nil, ""); r.status != http.StatusNotFound || !strings.Contains(string(r.body), "No such File object") {
		t.Errorf("%d %s", r.status, r.body)
	}
	r = l.pass(t, "POST", "/v1/messages/batches", nil, `{"requests":[{"custom_id":"a"},{"custom_id":"b"}]}`)
	if err := json.Unmarshal(r.body, &b); err != nil {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r = l.pass(t, "GET", "/v1/messages/batches/"+b.ID+"/results", nil, ""); strings.Count(string(r.body), "\n") != 2 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// A file that comes in parts is one file at its provider; nobody else can be asked
// for what the upload is called there.
func TestUploads(t *testing.T) {
	l := relayLab(t, "[relay.files]\ntarget = \"openai\"\n")
	var u, part struct{ ID, Status string }
	r := l.pass(t, "POST", "/v1/uploads", nil, `{"filename":"a.jsonl","purpose":"batch","bytes":6,"mime_type":"text/jsonl"}`)
	if err := json.Unmarshal(r.body, &u); err != nil || u.Status != "pending" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var ids []string
	for _, data := range []string{"one", "two"} {
		r = l.pass(t, "POST", "/v1/uploads/"+u.ID+"/parts", nil, "form:data@|"+data)
		if err := json.Unmarshal(r.body, &part); err != nil || r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
		ids = append(ids, part.ID)
	}
	r = l.pass(t, "POST", "/v1/uploads/"+u.ID+"/complete", nil, `{"part_ids":["`+ids[1]+`","`+ids[0]+`"]}`)
	var done struct{ File struct{ ID string } }
	if err := json.Unmarshal(r.body, &done); err != nil || !strings.Contains(string(r.body), "completed") {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r = l.pass(t, "GET", "/v1/files/"+done.File.ID+"/content", nil, ""); string(r.body) != "twoone" {
		t.Errorf("%d %q", r.status, r.body)
	}
	if r = l.pass(t, "POST", "/v1/uploads/"+u.ID+"/cancel", nil, ""); r.status != http.StatusNotFound {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r = l.pass(t, "GET", "/v1/uploads", nil, ""); r.status != http.StatusMethodNotAllowed {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// What is refused is refused in the words of the client's API, with what to do,
// and nobody is asked.
func TestRelaysThatAreRefused(t *testing.T) {
	l := relayLab(t, "[server]\nmax_body_mb = 1\n[relay.audio]\nmax_body_mb = 3\n[aliases]\nhome = \"sovereign\"\n")
	big := strings.Repeat("x", 2<<20)
	for _, c := range []struct {
		name, method, path, body string
		header                   http.Header
		status                   int
		says                     string
	}{
		{name: "nobody is meant", path: "/v1/audio/speech", body: `{"input":"a"}`, status: 400, says: "X-Aratta-Provider"},
		{name: "nobody has it", path: "/v1/audio/speech", body: `{"model":"unheard-of","input":"a"}`, status: 404, says: "near, openai"},
		{name: "a name of chats", path: "/v1/audio/speech", header: http.Header{"X-Aratta-Provider": {"openai"}}, body: `{"model":"auto","input":"a"}`, status: 400, says: "name the model"},
		{name: "two models", path: "/v1/audio/speech", body: `{"model":"tts","model":"whisper-near"}`, status: 400, says: "model"},
		{name: "another dialect", path: "/v1/audio/speech", body: `{"model":"claude:claude-m","input":"a"}`, status: 400, says: "speaks anthropic"},
		{name: "a dialect that has none", path: "/v1/images/generations", body: `{"model":"llama","prompt":"a"}`, status: 400, says: "speaks ollama"},
		{name: "an unknown provider", path: "/v1/files", method: "GET", header: http.Header{"X-Aratta-Provider": {"opnai"}}, status: 404, says: `did you mean \"openai\"`},
		{name: "several providers", path: "/v1/files", method: "GET", status: 400, says: "near, openai could be"},
		{name: "an id that is a path", path: "/v1/files/..%2f..%2fmodels", method: "GET", header: http.Header{"X-Aratta-Provider": {"near"}}, status: 400, says: "no such id"},
		{name: "an id that is a folder", path: "/v1/files/%2e%2e", method: "GET", header: http.Header{"X-Aratta-Provider": {"near"}}, status: 400, says: "no such id"},
		{name: "too large", path: "/v1/moderations", body: `{"model":"judge","input":"` + big + `"}`, status: 413, says: "1 MB"},
		{name: "too large in pieces", path: "/v1/audio/transcriptions", body: "form:model|hear|file@|" + big + big, status: 413, says: "3 MB"},
		{name: "a model behind all", path: "/v1/audio/transcriptions", body: "form:file@|" + big + "|model|hear", status: 400, says: "first 1 MB"},
		{name: "compressed", path: "/v1/moderations", header: http.Header{"Content-Encoding": {"gzip"}}, body: "x", status: 400, says: "uncompressed"},
		{name: "no such method", method: "PUT", path: "/v1/files", body: "{}", status: 405, says: "GET, POST"},
		{name: "sovereign, far", path: "/v1/audio/speech", header: http.Header{"X-Aratta-Sovereign": {"true"}}, body: `{"model":"tts","input":"a"}`, status: 403, says: "sovereign"},
		{name: "sovereign, wished far", path: "/v1/files", method: "GET", header: http.Header{"X-Aratta-Sovereign": {"yes"}, "X-Aratta-Provider": {"openai"}}, status: 403, says: "sovereign"},
		{name: "sovereign by name, wished far", path: "/v1/audio/speech", header: http.Header{"X-Aratta-Provider": {"openai"}}, body: `{"model":"home","input":"a"}`, status: 403, says: "sovereign"},
		{name: "Anthropic's words", path: "/v1/messages/batches/%2e%2e", method: "GET", status: 400, says: `"type":"error"`},
	} {
		if c.method == "" {
			c.method = "POST"
		}
		before := l.served()
		r := l.pass(t, c.method, c.path, c.header, c.body)
		if r.status != c.status || !strings.Contains(string(r.body), c.says) {
			t.Errorf("%s: %d %.400s", c.name, r.status, r.body)
		}
		if !strings.Contains(string(r.body), `"error"`) || r.header.Get("X-Aratta-Request-Id") == "" {
			t.Errorf("%s: %.300s", c.name, r.body)
		}
		if after := l.served(); after != before && c.name != "too large in pieces" {
			t.Errorf("%s: somebody was asked", c.name)
		}
	}
	r := l.pass(t, "POST", "/v1/audio/transcriptions", http.Header{"X-Aratta-Sovereign": {"1"}}, "form:model|whisper-near|file@|x")
	if r.status != http.StatusOK {
		t.Errorf("sovereign, near: %d %s", r.status, r.body)
	}
}

// served counts what all providers were asked.
func (l *lab) served() (n int) {
	for _, s := range l.sims {
		_, served := s.Last()
		n += served
	}
	return n
}

// What a provider refuses comes in the client's words; a refusal of the gateway's
// own credential is not told as the client's.
func TestRelayedErrors(t *testing.T) {
	l := relayLab(t, "")
	for _, c := range []struct {
		fault      sim.Fault
		status     int
		says       string
		retryAfter string
	}{
		{sim.Fault{Kind: sim.RateLimit, RetryAfter: 7}, 429, "rate", "7"},
		{sim.Fault{Kind: sim.ServerError, Status: 500}, 503, "", ""},
		{sim.Fault{Kind: sim.Refuse}, 503, "", ""},
	} {
		l.sims["openai"].Set(c.fault)
		r := l.pass(t, "POST", "/v1/moderations", nil, `{"model":"judge","input":"a private text"}`)
		if r.status != c.status || !strings.Contains(string(r.body), `"error":{`) || !strings.Contains(string(r.body), c.says) || r.header.Get("Retry-After") != c.retryAfter {
			t.Errorf("%s: %d %s %v", c.fault.Kind, r.status, r.body, r.header)
		}
		if strings.Contains(string(r.body), labKey) {
			t.Errorf("%s: the key is told: %s", c.fault.Kind, r.body)
		}
	}
	if text := l.log.String(); strings.Contains(text, "private text") || strings.Contains(text, labKey) {
		t.Errorf("the log holds what it must not: %s", text)
	}
}

// Where several have a model the next one is tried, if the body can be sent again.
func TestRelaysTryAnotherOwner(t *testing.T) {
	l := newLab(t, "", up{name: "one", dialect: "openai"}, up{name: "two", dialect: "openai"})
	l.sims["one"].Set(sim.Fault{Kind: sim.ServerError})
	r := l.pass(t, "POST", "/v1/moderations", nil, `{"model":"m","input":"a"}`)
	if r.status != http.StatusOK || r.header.Get("X-Aratta-Provider") != "two" || !strings.HasPrefix(r.header.Get("X-Aratta-Decision"), "fallback; one=") {
		t.Errorf("%d %s %v", r.status, r.body, r.header)
	}
	if r = l.pass(t, "POST", "/v1/moderations", nil, `{"model":"one:m","input":"a"}`); r.status == http.StatusOK {
		t.Errorf("another provider than the one that was named answered")
	}
}

// An answer that breaks off does not look like a whole one.
func TestRelayedAnswersThatBreakOff(t *testing.T) {
	l := relayLab(t, "")
	l.sims["openai"].Set(sim.Fault{Kind: sim.Reset, After: 1})
	for _, body := range []string{`{"model":"draw","prompt":"a","stream":true}`, `{"model":"draw","prompt":"a"}`} {
		if r := l.pass(t, "POST", "/v1/images/generations", nil, body); r.status == http.StatusOK && r.err == nil {
			t.Errorf("a clean end after %q", r.body)
		}
	}
}

// upstream is a lab in front of one provider that is a handler of the test.
func upstream(t *testing.T, h http.HandlerFunc) *lab {
	t.Helper()
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	l := &lab{log: &logBuffer{}}
	l.start(t, fmt.Sprintf("[server]\nmax_body_mb = 1\n[providers.far]\ndialect = \"openai\"\nbase_url = %q\napi_key_env = \"LAB_KEY\"\nmodels = [\"m\"]\n", ts.URL))
	return l
}

func TestRelayedRefusalOfTheGatewaysKey(t *testing.T) {
	l := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s","code":"invalid_api_key"}}`, r.Header.Get("Authorization"))
	})
	r := l.pass(t, "POST", "/v1/moderations", nil, `{"model":"m","input":"a"}`)
	if r.status != http.StatusServiceUnavailable || !strings.Contains(string(r.body), "refused the gateway's credential") || strings.Contains(string(r.body), labKey) {
		t.Errorf("%d %s", r.status, r.body)
	}
}
