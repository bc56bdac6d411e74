package app

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/corpus"
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// exceptions are the recorded exchanges of which one thing cannot hold, with the
// reason. One that holds after all fails the test, so that the list stays short.
var exceptions = map[string]string{
	"yandex-stream-tools-tool-call-32650bbf": "usage unasked, in a chunk of its own: it is not to be told from the one that the gateway asks for and takes out again",
}

// Every recorded exchange, sent to a running gateway whose provider replays what
// was recorded: the provider gets what the client sent, the client what the
// provider answered.
func TestRecordedExchangesPassThrough(t *testing.T) {
	list, err := corpus.Read(filepath.Join(dialecttest.Shared(t), "wire"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"openai", "responses", "anthropic", "ollama", "cohere", "gemini", "bedrock"} {
		t.Run(name, func(t *testing.T) {
			var models []string
			var cases []sim.Case
			mine := slices.DeleteFunc(slices.Clone(list), func(x *corpus.Exchange) bool { return x.Dialect != name || x.Op != scri.OpChat || x.Request == nil })
			d := all.Get(name)
			for _, x := range mine {
				cases = append(cases, sim.NewCase(x))
				if m := asked(d, x); m != "" && !slices.Contains(models, m) {
					models = append(models, m)
				}
			}
			l := newLab(t, "[behaviour]\nenable_fallback = false\n", up{
				name: "replay", dialect: name, local: name == "ollama", opt: sim.Options{Models: models, Cases: cases},
			})
			for _, x := range mine {
				t.Run(x.ID, func(t *testing.T) {
					problems := l.replay(t, d, x)
					why, excepted := exceptions[x.ID]
					switch {
					case excepted && len(problems) == 0:
						t.Errorf("passes; take it from the exceptions (%s)", why)
					case excepted:
						t.Logf("as expected: %s: %s", why, strings.Join(problems, "; "))
					default:
						for _, p := range problems {
							t.Error(p)
						}
					}
				})
			}
		})
	}
}

// recordedPath is where the client of an exchange would ask this gateway. Others
// than the one in the recording keep the model and the verb at its end.
func recordedPath(x *corpus.Exchange) string {
	path := x.Path
	if i := strings.LastIndex(path, "/models/"); i >= 0 {
		path = "/v1beta" + path[i:]
	}
	if len(x.Query) > 0 {
		path += "?" + x.Query.Encode()
	}
	return path
}

// asked is the model that an exchange asks for, "" when it stands elsewhere.
func asked(d dialect.Dialect, x *corpus.Exchange) string {
	req, err := d.DecodeRequest(dialecttest.Incoming(d, x.Path, x.Header, x.Request))
	if err != nil {
		return ""
	}
	return req.Model
}

// replay sends one exchange and says what is not as it should be.
func (l *lab) replay(t *testing.T, d dialect.Dialect, x *corpus.Exchange) []string {
	t.Helper()
	s := l.sims["replay"]
	if !s.Next(x.ID) {
		return []string{"the simulator does not know it"}
	}
	_, before := s.Last()
	got := l.post(t, d, recordedPath(x), x.Header, x.Request)
	if got.err != nil {
		return []string{"reading the answer: " + got.err.Error()}
	}
	last, served := s.Last()
	if served == before {
		if got.status == http.StatusBadRequest && x.Status == http.StatusBadRequest {
			s.Next(x.ID) // still to be used up by nobody
			return nil   // refused here as it was there
		}
		return []string{"refused, the provider got nothing: " + string(got.body)}
	}
	problems := requestProblems(x, last, got)
	if served != before+1 {
		problems = append(problems, "the provider was asked more than once")
	}
	switch {
	case x.Status/100 != 2:
		return append(problems, errorProblems(d, x, got)...)
	case x.Stream != nil:
		return append(problems, streamProblems(d, x, got)...)
	default:
		return append(problems, wholeProblems(d, x, got)...)
	}
}

// additions are what a dialect may add to a request unasked.
var additions = []string{"/stream_options", "/stream_options/include_usage", "/options/num_ctx", "/keep_alive", "/model"}

// requestProblems compares what the provider got with what the client sent.
func requestProblems(x *corpus.Exchange, last *sim.Seen, got *reply) (problems []string) {
	warned := got.header.Get("X-Aratta-Warnings")
	added := 0
	for _, p := range dialecttest.JSONDiff(x.Request, last.Body) {
		path, what, _ := strings.Cut(p, ": ")
		if strings.HasPrefix(what, "added") && slices.Contains(additions, path) {
			if path != "/model" { // that of the target, where the request names none
				added++
			}
			continue
		}
		problems = append(problems, "request: "+p)
	}
	if n := strings.Count(warned, "added "); n != added && got.status == http.StatusOK {
		problems = append(problems, "the additions are not what the warnings say: "+warned)
	}
	if strings.Contains(warned, "dropped ") || strings.Contains(warned, "changed ") {
		problems = append(problems, "a false alarm: "+warned)
	}
	for _, v := range last.Header {
		if strings.Contains(strings.Join(v, " "), "key-of-the-client") {
			problems = append(problems, "the client's key reached the provider")
		}
	}
	return problems
}

func wholeProblems(d dialect.Dialect, x *corpus.Exchange, got *reply) (problems []string) {
	if _, err := d.DecodeResponse(&dialect.Answer{Status: x.Status, Header: x.RespHeader, Body: x.Body, Target: &dialect.Target{}}); err != nil {
		return sameKind(d, scri.AsError(err), got)
	}
	if got.status != http.StatusOK {
		return []string{"status " + http.StatusText(got.status) + ": " + string(got.body)}
	}
	for _, p := range dialecttest.JSONDiff(x.Body, got.body) {
		problems = append(problems, "answer: "+p)
	}
	return problems
}

func streamProblems(d dialect.Dialect, x *corpus.Exchange, got *reply) (problems []string) {
	want, failed := dialecttest.ReadStream(d, x.RespHeader, x.Stream)
	if got.status != http.StatusOK {
		if failed != nil {
			return sameKind(d, scri.AsError(failed), got)
		}
		return []string{"status " + http.StatusText(got.status) + ": " + string(got.body)}
	}
	z, err := read(d, got)
	if failed != nil {
		if err == nil {
			return []string{"the stream that broke ended well"}
		}
		if a, b := scri.AsError(failed), scri.AsError(err); a.Kind != b.Kind {
			problems = append(problems, "error "+string(a.Kind)+" became "+string(b.Kind))
		}
		return problems
	}
	if err != nil {
		return []string{"the stream cannot be read: " + err.Error()}
	}
	for _, x := range dialecttest.DiffResponses(want, z) {
		problems = append(problems, "answer: "+x.String())
	}
	return problems
}

// read decodes the client's answer as what it is: a request that asks for a
// stream elsewhere than in its body asks this gateway for a whole answer.
func read(d dialect.Dialect, got *reply) (*scri.ChatResponse, error) {
	if got.header.Get("Content-Type") == "application/json" {
		return d.DecodeResponse(got.answer(""))
	}
	return dialecttest.ReadStream(d, got.header, got.body)
}

func errorProblems(d dialect.Dialect, x *corpus.Exchange, got *reply) []string {
	e := d.DecodeError(&dialect.Answer{Status: x.Status, Header: x.RespHeader, Body: x.Body, Target: &dialect.Target{}})
	if e.Kind == scri.ErrNotFound && asked(d, x) == "" {
		e.Kind = scri.ErrUnavailable // who named no model is not told that it is unknown
	}
	return sameKind(d, e, got)
}

// sameKind: the client got an error of the kind of e. A refusal of the gateway's
// own credential is none of the client's, who learns that nobody is available.
func sameKind(d dialect.Dialect, e *scri.Error, got *reply) []string {
	if got.status/100 == 2 {
		return []string{"the error " + string(e.Kind) + " became an answer: " + string(got.body)}
	}
	z := d.DecodeError(got.answer(""))
	switch e.Kind {
	case scri.ErrAuth, scri.ErrPermission, scri.ErrQuota:
		// In Anthropic's format, which knows no 503, an api_error with 500.
		if got.status != http.StatusServiceUnavailable && got.status != http.StatusInternalServerError {
			return []string{"a refused credential of the gateway became " + http.StatusText(got.status)}
		}
		return nil
	default:
	}
	if z.Kind != e.Kind {
		return []string{"error " + string(e.Kind) + " became " + string(z.Kind) + ": " + string(got.body)}
	}
	return nil
}

// What is added to a request unasked is told, and what it brings is taken out of
// the answer again.
func TestAdditionsAreTold(t *testing.T) {
	l := newLab(t, "",
		up{name: "cloud", dialect: "openai"}, up{name: "local", dialect: "ollama", local: true},
		up{name: "kept", dialect: "ollama", local: true, more: "keep_alive = \"10m\"\n"})
	long := strings.Repeat("many words ", 4000)
	for _, c := range []struct {
		name, model, dialect, text string
		stream                     bool
		body                       string // what the provider got holds it
		warned                     string
	}{
		{"usage in a stream", "cloud:m", "openai", "hi", true, `"stream_options":{"include_usage":true}`, "stream_options"},
		{"nothing for a short one", "local:m", "ollama", "hi", true, "", ""},
		{"a window for a long conversation", "local:m", "ollama", long, false, `"num_ctx":16384`, "num_ctx"},
		{"the same for a short one behind it", "local:m", "ollama", "hi", true, `"num_ctx":16384`, "num_ctx"},
		{"how long a model is kept", "kept:m", "ollama", "hi", false, `"keep_alive":"10m"`, "keep_alive"},
		{"nothing", "cloud:m", "openai", "hi", false, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := all.Get(c.dialect)
			out, _, err := d.EncodeRequest(&scri.ChatRequest{Model: c.model, Messages: user(c.text), Stream: c.stream}, &dialect.Target{Model: c.model})
			if err != nil {
				t.Fatal(err)
			}
			got := l.post(t, d, out.Path, out.Header, out.Body)
			name, _, _ := strings.Cut(c.model, ":")
			last, _ := l.sims[name].Last()
			warned := got.header.Get("X-Aratta-Warnings")
			if got.status != http.StatusOK || !strings.Contains(string(last.Body), c.body) {
				t.Errorf("%d; the provider got %.300s", got.status, last.Body)
			}
			if c.warned == "" && warned != "" || !strings.Contains(warned, c.warned) || c.warned != "" && !strings.HasPrefix(warned, "1; added ") {
				t.Errorf("warnings %q", warned)
			}
			if strings.Contains(string(got.body), `"usage"`) && c.stream && c.dialect == "openai" {
				t.Errorf("usage that was not asked for: %s", got.body)
			}
		})
	}
}
